#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mlctl.sh - tests of mlctl that need no kernel: files, training, evaluation,
# and the commands for a device against a made-up one (fake_device.c)
#
# TAP on standard output, exit code 1 when a test failed. Everything is built
# with address and undefined behaviour sanitizers. CC names the compiler.
# FAST=1: without sanitizers.
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=workloads/runner/tests/tap.sh
. "$here/../../workloads/runner/tests/tap.sh"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
san=1
[ -z "${FAST:-}" ] || san=
build=$here/../../build/userspace${san:+-san}
cd "$tmp" || exit 1

# The OpenMP runtime and XGBoost keep memory until the end; nothing else may.
printf 'leak:libgomp\nleak:libxgboost\n' >"$tmp/lsan"
export LSAN_OPTIONS=suppressions=$tmp/lsan:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1

make -C "$here/.." SAN=$san all "../build/userspace${san:+-san}/mlctl-fake" \
	>"$tmp/make" 2>&1
tap $? "it builds" "$tmp/make"
grep -q warning "$tmp/make"
tap $((! $?)) "without warnings" "$tmp/make"
mlctl() { "$build/mlctl" "$@"; }
fake() { timeout -k 5 120 env "${vars[@]}" "$build/mlctl-fake" "$@"; }

# says NAME TEXT: the last output has the text
says()
{
	grep -qF -- "$2" "$tmp/out"
	tap $? "$1" "$tmp/out"
}

# check NAME COMMAND...: passes when the command succeeds
check()
{
	local name=$1

	shift
	"$@" >"$tmp/out" 2>&1
	tap $? "$name" "$tmp/out"
}

# --- every command
for command in status record train compile eval load unload agent mode; do
	expect "$command --help" 0 "Usage: mlctl $command" mlctl $command --help
	expect "$command: unknown option" 64 "--nonsense" \
		mlctl $command --nonsense
done
expect "--help names the commands" 0 "record" mlctl --help
expect "no command" 64 "a command is missing" mlctl
expect "unknown command" 64 'unknown command "fly"' mlctl fly
expect "unknown option" 64 'unknown option "--fly"' mlctl --fly
expect "no operand" 64 "expected PROXY" mlctl mode
expect "too many operands" 64 "expected PROXY" mlctl mode a b
expect "a full standard output" 74 "standard output" \
	bash -c "'$build/mlctl' --help >/dev/full"

# --- record files
head1='# mlctl record 2 proxy=demo schema=0123456789abcdef actions=stock,a'
head2='id,time_ns,context,model,mode,arm,backend,action,flags,reward,units,x,y'
good=1,2,3,0,1,0,4,0,0,5,32,6,-7

# bad NAME TEXT LINE...: train refuses a file of these lines
bad()
{
	local name=$1 text=$2

	shift 2
	printf '%s\n' "$@" >bad.csv
	expect "csv: $name" 65 "bad.csv:$text" mlctl train bad.csv -o m.json
}
expect "csv: missing file" 66 "none.csv: No such file" \
	mlctl train none.csv -o m.json
expect "csv: a directory" 66 "$tmp" mlctl train "$tmp" -o m.json
: >bad.csv
expect "csv: empty file" 65 'bad.csv:1: column 1: expected "# mlctl record 2' \
	mlctl train bad.csv -o m.json
bad "no rows" " expected rows, got none" "$head1" "$head2"
bad "no header" '2: column 1: expected a line with the names' "$head1"
bad "another first line" '1: column 1: expected "# mlctl record 2' "id,x" "$head2"
bad "another version" '1: column 1: expected "# mlctl record 2' \
	"${head1/record 2/record 1}" "$head2"
bad "schema" '1: column 36: expected 16 lower-case' "${head1/cdef/cdeX}" "$head2"
bad "one action" '1: column 61: expected 2 to 64 names of actions' \
	"${head1%,a}" "$head2"
bad "action without name" '1: column 67: expected the name of an action' \
	"${head1%a}" "$head2"
bad "a column is missing" '2: column 4: expected "model", got "mode"' \
	"$head1" "${head2/model,/}"
bad "no features" '2: column 12: expected 1 to 64 features' "$head1" \
	"${head2%,x,y}"
bad "the same feature twice" "2: column 13: expected a feature's name" \
	"$head1" "${head2%y}x"
bad "too few columns" '3: column 13: expected 13 columns, not 12' \
	"$head1" "$head2" "${good%,-7}"
bad "too many columns" '4: column 14: expected 13 columns, not 14' \
	"$head1" "$head2" $good $good,1
bad "no integer" '3: column 12: expected x, an integer' \
	"$head1" "$head2" "${good/,6,/,6.5,}"
bad "a space" '3: column 12: expected x, an integer' \
	"$head1" "$head2" "${good/,6,/, 6,}"
bad "more than s32" '3: column 13: expected y, an integer from -2147483648' \
	"$head1" "$head2" "${good/-7/2147483648}"
bad "less than s32" '3: column 13' "$head1" "$head2" "${good/-7/-2147483649}"
bad "an unknown action" '3: column 8: expected action, an integer from 0 to 1' \
	"$head1" "$head2" 1,2,3,0,1,0,4,2,0,5,32,6,-7
bad "too large a reward" '3: column 10: expected reward, empty or' \
	"$head1" "$head2" "${good/,5,/,1048577,}"
for units in 0 65536 -1 ''; do
	bad "units: $units" '3: column 11: expected units, an integer from 1 to 65535' \
		"$head1" "$head2" "${good/,32,/,$units,}"
done
bad "units without a reward" '3: column 11: expected units' \
	"$head1" "$head2" "${good/,5,/,,}"
printf '%s\n%s\n%s\n%s' "$head1" "$head2" $good "${good%-7}" >bad.csv
expect "csv: truncated last line" 65 "4: column 26: expected a newline" \
	mlctl train bad.csv -o m.json
printf '%s\n%s\n1,2\0,3\n' "$head1" "$head2" >bad.csv
expect "csv: NUL byte" 65 "3: column 4: expected text without NUL" \
	mlctl train bad.csv -o m.json
printf '%s\n%s\n%s\n' "$head1" "$head2" $good >one.csv
printf '%s\n%s\n%s\n' "${head1/=demo/=other}" "$head2" $good >bad.csv
expect "csv: two files of two proxies" 65 "bad.csv:2: column 1: expected proxy demo" \
	mlctl train one.csv bad.csv -o m.json
printf '%s\n%s\n%s\n' "$head1" "${head2%y}z" $good >bad.csv
expect "csv: two files of other features" 65 'bad.csv:2: column 13: expected feature "y"' \
	mlctl train one.csv bad.csv -o m.json

# --- training
records() { awk "$@" -f "$here/synthetic.awk"; }
records -v rows=20000 -v seed=7 >s.csv
check "train" mlctl train s.csv -o m.json
check "train with the same seed" mlctl train s.csv -o again.json
check "the model is the same" cmp m.json again.json
check "train with two threads" env OMP_WAIT_POLICY=passive "$build/mlctl" train s.csv -o again.json --threads 2
check "the model is the same with two threads" cmp m.json again.json
check "train without a part kept apart" mlctl train s.csv -o again.json --valid 0
check "train with -j" mlctl -j train s.csv -o m.json

# number KEY: of the JSON in out, the first of that name
number() { sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p" "$tmp/out" | head -1; }
# holds NAME EXPRESSION: of awk
holds()
{
	awk "BEGIN { exit !($2) }"
	tap $? "$1: $2" "$tmp/out"
}
holds "the reward is predicted" "$(number rmse) < 0.3 * $(number rmse_of_mean)"
# All right choices would earn 700, stock alone 550.
# estimate NAME KEY: of the value in out, its mean or standard_error
estimate() { sed -n "/value_$1/,/}/s/.*\"$2\": *\([-0-9.]*\).*/\1/p" "$tmp/out"; }
holds "the model's choices earn more than stock" "$(estimate gain mean) > 100"
holds "that is the difference" \
	"($(estimate model mean) - $(estimate stock mean) - $(estimate gain mean)) ^ 2 < 1e-6"
grep -o '"[a-z]*": [0-9.]*' "$tmp/out" | grep -E '"(a|b|noise|level)":' |
	sort -t: -k2 -gr | head -2 | grep -c '"[ab]"' >"$tmp/top"
holds "the two features that matter come first" "$(cat "$tmp/top") == 2"

check "eval: model and table agree" mlctl eval s.csv --model m.json
says "eval: on every row" "rows 20000: same action 20000"
says "eval: what it earns" "reward of a decision: model "
check "eval -j" mlctl -j eval s.csv --model m.json
holds "eval: the gain is significant" \
	"$(estimate gain mean) > 10 * $(estimate gain standard_error)"
# Stock has the same chance in all rows: its value is the mean by units
mean=$(awk -F, '$8 == 0 && $10 != "" { n += $11; sum += $10 * $11 }
	END { printf "%.9g", sum / n }' s.csv)
holds "eval: it is weighted by units" \
	"($(estimate stock mean) - $mean) ^ 2 < 1e-9 * $mean ^ 2"
# Half of the rows, an exact quarter, and so on
holds "eval: what it chooses" \
	"$(number a) > 0.45 && $(number a) < 0.55 && $(number never) < 0.01"
# Rows that come in copies within a slot tell no more than one of them
awk 'NR < 3 { print; next } { for (i = 0; i < 9; i++) print }' s.csv >copies.csv
error=$(estimate gain standard_error)
check "eval: rows in nine copies" mlctl -j eval copies.csv --model m.json
holds "eval: the standard error stays" \
	"($(estimate gain standard_error) / $error - 1) ^ 2 < 1e-6"

# never FILE: the share of action 3 that the model in FILE chooses
never()
{
	mlctl -j eval s.csv -m "$1" >"$tmp/out" 2>&1
	number never
}
records -v rows=10000 -v seed=8 -v windfall=10 >light.csv
records -v rows=10000 -v seed=8 -v windfall=10 -v heavy=1 >heavy.csv
check "train where an action is seldom very good" mlctl train light.csv -o light.json
check "train where these decisions are of many units" mlctl train heavy.csv -o heavy.json
holds "the first does not choose it" "$(never light.json) < 0.2"
holds "the second does" "$(never heavy.json) > 0.8"
records -v rows=2000 -v seed=9 -v windfall=1 >small.csv
check "train on a large and a small file" mlctl train s.csv small.csv -o sum.json
check "train --balance" mlctl train s.csv small.csv -o balance.json --balance -j
# Always action 3 would earn 200 in the large one and 2500 in the small one
holds "train --balance: the value is the mean over files" \
	"$(estimate model mean) > 900 && $(estimate model mean) < 1400"
holds "the large file decides" "$(never sum.json) < 0.2"
share=$(never balance.json)
holds "or they count the same" "$share > 0.5"
check "train --balance on one file" mlctl train s.csv -o again.json --balance
mlctl train s.csv -o m.json >"$tmp/out" 2>&1
check "it makes no difference" cmp m.json again.json
check "train --balance with a file twice" mlctl train s.csv s.csv small.csv \
	-o again.json --balance
holds "it counts twice" "$(never again.json) < $share"
records -v rows=20000 -v seed=7 -v rare=1 >rare.csv
expect "an action with too few rows is told" 0 "too few: never chosen" \
	mlctl train rare.csv -o rare.json
check "and its model evaluates alike" mlctl eval s.csv --model rare.json
check "its table is made" mlctl compile rare.json -o rare.mltree
check "eval with a table" mlctl eval s.csv -m rare.json -t rare.mltree
mlctl eval s.csv -m m.json -t rare.mltree >"$tmp/out" 2>&1
[ $? -eq 1 ] && grep -q "the table differs" "$tmp/out"
tap $? "eval with another model's table" "$tmp/out"
head -200 s.csv >few.csv
expect "too few rows of all actions" 65 "expected two actions or more with 50" \
	mlctl train few.csv -o few.json

# The same teacher, and a student that only learns which action earns most
check "train choice" mlctl -j train s.csv -o c.json --objective choice
! grep -q rmse "$tmp/out"
tap $? "choice: no error of a prediction is told" "$tmp/out"
holds "choice: earns more than stock" "$(estimate gain mean) > 100"
check "choice: with two threads" env OMP_WAIT_POLICY=passive "$build/mlctl" train s.csv -o again.json --objective choice --threads 2
check "choice: the same model" cmp c.json again.json
small="--trees 2 --depth 2"
# shellcheck disable=SC2086 # two options
check "train small trees" mlctl -j train s.csv -o o.json $small
reward=$(estimate gain mean)
# shellcheck disable=SC2086
check "choice: small trees" mlctl -j train s.csv -o o.json --objective choice $small
holds "choice: they choose no worse" "$(estimate gain mean) >= $reward"
awk 'NR < 3 { print; next } { OFS = FS = ","; $0 = $0; if ($10 != "") $10 *= 50; print }' s.csv >units.csv
# shellcheck disable=SC2086
check "choice: rewards in other units" mlctl -j train units.csv -o again.json --objective choice $small
mlctl eval s.csv -m o.json | grep "of the units" >"$tmp/choices"
mlctl eval s.csv -m again.json | grep "of the units" >"$tmp/others"
check "choice: make no difference" cmp "$tmp/choices" "$tmp/others"
expect "choice: an action with too few rows is told" 0 "too few: never chosen" \
	mlctl train rare.csv -o c.json --objective choice
check "choice: it is never chosen" mlctl -j eval s.csv -m c.json
holds "choice: not once" "$(number never) == 0"
check "choice: its table is made" mlctl compile c.json -o c.mltree
check "choice: and is the same" mlctl eval s.csv -m c.json -t c.mltree
for objective in multi:softprob reg:squarederror; do
	check "train $objective" mlctl train s.csv -o o.json --objective $objective
	check "eval $objective" mlctl eval s.csv --model o.json
done
# A column that is appended, "best", as the label: with it out, the features
# are the proxy's
awk -F, 'NR == 1 { print; next } NR == 2 { print $0 ",best"; next }
	{ print $0 "," ($12 > 0 ? 1 : $13 > 0 ? 2 : 0) }' s.csv >labelled.csv
check "train on a label" mlctl train labelled.csv -o o.json \
	--objective multi:softprob --label best -j
holds "it is learned" "$(number wrong) < 0.02"
check "and left out of the features" mlctl eval s.csv --model o.json
expect "a label of the objective reward" 64 "have none" \
	mlctl train s.csv -o o.json --label a
expect "an unknown label" 64 'got "zz"' mlctl train s.csv -o o.json \
	--objective multi:softprob --label zz
expect "a label that is no class" 65 "expected a label from 0 to 3" \
	mlctl train s.csv -o o.json --objective multi:softprob --label level
expect "an unknown objective" 64 'got "rank"' mlctl train s.csv -o o.json \
	--objective rank
expect "no output" 64 "expected -o" mlctl train s.csv
expect "depth out of range" 64 "--depth: expected an integer from 1 to 8" \
	mlctl train s.csv -o o.json --depth 9
expect "a model that cannot be written" 73 "none/m.json" \
	mlctl train s.csv -o none/m.json
expect "a full disk" 74 "/dev/full" mlctl train s.csv -o /dev/full

# --- models that do not fit
expect "missing model" 66 "none.json: No such file" \
	mlctl eval s.csv --model none.json
head -c 2000 m.json >cut.json
expect "truncated model" 65 "cut.json: XGBoost:" mlctl eval s.csv --model cut.json
printf '{}' >empty.json
expect "JSON, but no model" 65 "empty.json: XGBoost:" \
	mlctl eval s.csv --model empty.json
head -c 5000 /dev/zero >zero.json
expect "no JSON" 65 "expected an XGBoost model in JSON" \
	mlctl eval s.csv --model zero.json
expect "other number of features" 65 "m.json: expected 2 features" \
	mlctl eval one.csv --model m.json
sed '2s/noise/voice/' s.csv >other.csv
expect "other features" 65 'feature_names: expected "voice", got "noise"' \
	mlctl eval other.csv --model m.json
sed '1s/0123456789abcdef/1123456789abcdef/' s.csv >other.csv
expect "other schema" 65 'ml_lib.schema: expected "1123456789abcdef"' \
	mlctl eval other.csv --model m.json
head -c 1000 rare.mltree >cut.mltree
expect "truncated table" 65 "cut.mltree: table refused" \
	mlctl eval s.csv -m rare.json -t cut.mltree

# --- the device
expect "no such proxy" 69 "none: open: no such proxy" mlctl mode none
expect "not a proxy's device" 69 "/dev/null: open: not the device" \
	mlctl mode /dev/null
vars=(FAKE_ABI=2)
expect "another version of the interface" 76 "demo: open: speaks another version" \
	fake status demo
vars=(FAKE_BUSY=1)
expect "another agent" 75 "demo: attach: another agent" fake agent demo
expect "another agent, record" 75 "demo: attach: another agent" \
	fake record demo -o r.csv
vars=(FAKE_X=)
expect "status" 0 "demo: emergency (start)" fake status demo
check "status -j" fake status demo -j
says "status -j: arms" '"treatment": {'
expect "mode" 0 "mode learning (new model), cap collaboration" \
	fake mode demo --cap collaboration --backend random
expect "mode: a backend it has not" 64 "it has no rule" \
	fake mode demo --backend rule
expect "mode: nonsense" 64 '--pin: expected none or one' fake mode demo --pin 7
expect "load: a table for others" 65 "demo refuses the table" \
	fake load demo rare.mltree
expect "load: missing file" 66 "none.mltree: No such file" \
	fake load demo none.mltree
expect "unload: nothing there" 69 "no table is loaded" fake unload demo

expect "record" 0 "demo: 500 rows, 0 of them without reward" \
	fake record demo -o r.csv -n 500
holds "record: two lines and the rows" "$(wc -l <r.csv) == 502"
check "record: in pieces" fake record demo -o - -t 0.2
vars=(FAKE_LATE=1 FAKE_LOSE=10 FAKE_STEPS=8000)
check "record: until SIGTERM, outcomes first, with losses" \
	fake record demo -o r.csv -j
holds "record: losses are told" "$(number lost_samples) > 0"
holds "record: nothing is malformed" "$(number malformed) == 0"
holds "record: all rows are there" "$(number rows) == $(wc -l <r.csv) - 2"
expect "record: the file is read again" 65 "expected two actions or more" \
	mlctl train r.csv -o r.json
vars=(FAKE_GARBAGE=1)
check "record: a malformed record" fake record demo -o r.csv -n 100 -j
holds "record: it is counted" "$(number malformed) == 1"
vars=(FAKE_HANGUP=1000)
fake record demo -o r.csv >"$tmp/out" 2>&1
[ $? -eq 69 ] && [ "$(tail -c 1 r.csv | od -An -c | tr -d ' ')" = '\n' ]
tap $? "record: the proxy goes away" "$tmp/out"
vars=(FAKE_X=)
fake record demo -o /dev/full -n 100000 >"$tmp/out" 2>&1
[ $? -eq 74 ] && grep -q "/dev/full: No space left" "$tmp/out"
tap $? "record: full disk" "$tmp/out"

for backend in agent trees; do
	vars=(FAKE_RISES=2 FAKE_DRIFT=20000)
	check "agent: $backend, the world drifts" \
		fake agent demo --backend $backend --seed 3
	holds "agent: $backend: it learns, twice" \
		"$(grep -c ': model [0-9]*, RMSE' "$tmp/out") > 1"
	awk '/recommendation/ && !n { n = 1 } /explore/ && n == 1 { n = 2 }
		/recommendation/ && n == 2 { n = 3 } END { exit n != 3 }' "$tmp/out"
	tap $? "agent: $backend: up, down and up again" "$tmp/out"
done
vars=(FAKE_STEPS=3000 FAKE_LOSE=20)
check "agent: losses are told" fake agent demo -j
says "agent: losses" '"event":"lost"'
vars=(FAKE_HANGUP=1000)
fake agent demo >"$tmp/out" 2>&1
tap $(($? != 69)) "agent: the proxy goes away" "$tmp/out"
vars=(FAKE_X=)
expect "agent: another proxy's model" 65 "m.json: expected 3 features" \
	fake agent demo --model m.json
expect "agent: trees do not explore" 64 "--explore needs" \
	fake agent demo -b trees --explore 0.1
vars=(FAKE_BACKEND=4)
check "record what random actions earn" fake record demo -o d.csv -n 20000
check "train on it" mlctl train d.csv -o d.json
check "compile it" mlctl compile d.json -o d.mltree
expect "load it" 0 "demo: d.mltree loaded" fake load demo d.mltree --use
for backend in agent trees; do
	vars=(FAKE_RISES=1)
	check "agent: $backend with a model" \
		fake agent demo --backend $backend --model d.json --retrain 0
	says "agent: $backend with a model: it rises" "recommendation (benefit)"
done
tap_end
