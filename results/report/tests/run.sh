#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh - tests of mlreport: golden files, error lines, statistics
#
# TAP on standard output, exit code 1 when a test failed. Everything is built
# with address and undefined behaviour sanitizers in a temporary directory.
# CC names the compiler.
set -u

tests=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cc=${CC:-cc}
header=consumer,workload,split,device,policy,seed,metric,unit,value
count=0
failed=0

# pass NAME, fail NAME [FILE with the details]
pass()
{
	count=$((count + 1))
	echo "ok $count - $1"
}

fail()
{
	count=$((count + 1))
	failed=$((failed + 1))
	echo "not ok $count - $1"
	[ $# -lt 2 ] || sed 's/^/# /' "$2"
}

# check NAME COMMAND... : passes when the command succeeds
check()
{
	local name=$1

	shift
	if "$@" >"$tmp/check" 2>&1; then
		pass "$name"
	else
		fail "$name" "$tmp/check"
	fi
}

# golden NAME EXPECTED GOT : same bytes, else the diff and how to accept it
golden()
{
	if diff -u "$2" "$3" >"$tmp/diff"; then
		pass "$1"
	else
		fail "$1" "$tmp/diff"
		# The temporary directory goes away: keep what is new.
		cp "$3" "$keep/$(basename "$2")"
		echo "# if intended: cp '$keep/$(basename "$2")' '$2'"
	fi
}

# run_csv DIR CSV : mlreport on a copy of CSV in the fresh DIR
run_csv()
{
	rm -rf "$1"
	mkdir -p "$1"
	cp "$2" "$1/results.csv"
	"$tmp/mlreport" "$1/results.csv" 2>"$tmp/err"
}

# bad NAME CODE PATTERN [ROW...] : these rows end with CODE and one line
bad()
{
	local name=$1 code=$2 pattern=$3

	shift 3
	printf '%s\n' "$header" "$@" >"$tmp/bad.csv"
	bad_file "$name" "$code" "$pattern" "$tmp/bad.csv"
}

bad_file()
{
	local name=$1 code=$2 pattern=$3 got

	shift 3
	rm -rf "$tmp/out"
	mkdir "$tmp/out"
	"$tmp/mlreport" -o "$tmp/out" "$@" >"$tmp/stdout" 2>"$tmp/err"
	got=$?
	if [ $got -eq "$code" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] &&
	   grep -Eq -- "$pattern" "$tmp/err" && [ ! -s "$tmp/stdout" ] &&
	   { [ "$code" -ne 65 ] || [ ! -e "$tmp/out/report.md" ]; }; then
		pass "$name"
	else
		echo "expected exit $code and one line like: $pattern; exit $got" \
			>>"$tmp/err"
		fail "$name" "$tmp/err"
	fi
}

build()
{
	"$cc" -g -O1 -Wall -Wextra -Werror -std=gnu11 \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		"$tests"/../*.c -lm -o "$tmp/mlreport" &&
	"$cc" -g -O1 -Wall -Wextra -Werror -std=gnu11 \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		"$tests/stats_test.c" "$tests/../stats.c" -lm \
		-o "$tmp/stats_test"
}

# gnuplot's input is ours, its SVG depends on its version: the golden files
# hold the input, which a stand-in for gnuplot keeps.
stand_in()
{
	mkdir -p "$tmp/bin"
	cat >"$tmp/bin/gnuplot" <<-'EOF'
	#!/bin/sh
	cat >script.gp
	EOF
	chmod +x "$tmp/bin/gnuplot"
}

test_statistics()
{
	local line

	"$tmp/stats_test" >"$tmp/stats" 2>"$tmp/err" || true
	while read -r line; do
		case $line in
		"ok "*)	pass "statistics: ${line#ok }" ;;
		*)	fail "statistics: ${line#not ok }" ;;
		esac
	done <"$tmp/stats"
	check "statistics: all were run" test "$(wc -l <"$tmp/stats")" -eq 31
}

test_golden()
{
	local name

	for name in several single nudged failures early empty; do
		PATH=$tmp/bin:$PATH run_csv "$tmp/$name" "$tests/$name.csv"
		check "$name: succeeds" test $? -eq 0
		golden "$name: report" "$tests/$name.md" "$tmp/$name/report.md"
		[ "$name" != empty ] || continue
		golden "$name: gnuplot's input" "$tests/$name.gp" \
			"$tmp/$name/plots/script.gp"
	done
	check "empty: no plots" test ! -e "$tmp/empty/plots"
}

# The order of the rows and the place leave no trace.
test_same_bytes()
{
	{
		echo "$header"
		tail -n +2 "$tests/several.csv" | tac
	} >"$tmp/tac.csv"
	PATH=$tmp/bin:$PATH run_csv "$tmp/tac" "$tmp/tac.csv"
	check "rows in reverse: same report" \
		cmp "$tmp/several/report.md" "$tmp/tac/report.md"
	check "rows in reverse: same plots" \
		cmp "$tmp/several/plots/script.gp" "$tmp/tac/plots/script.gp"
	{
		echo "$header"
		tail -n +2 "$tests/several.csv" | LC_ALL=C sort
	} >"$tmp/sorted.csv"
	PATH=$tmp/bin:$PATH run_csv "$tmp/sorted" "$tmp/sorted.csv"
	check "rows sorted: same report" \
		cmp "$tmp/several/report.md" "$tmp/sorted/report.md"
	mkdir "$tmp/elsewhere"
	(cd "$tmp/tac" && PATH=$tmp/bin:$PATH \
		"$tmp/mlreport" --output ../elsewhere results.csv)
	check "-o DIR: same report there" \
		cmp "$tmp/several/report.md" "$tmp/elsewhere/report.md"
	check "-o DIR: plots there" test -s "$tmp/elsewhere/plots/script.gp"
}

# svg_ok FILE : complete, and readable on a dark page
svg_ok()
{
	tail -n 2 "$1" | grep -q '</svg>' &&
	grep -Eiq '<rect[^>]*fill="#ffffff"' "$1"
}

test_svg()
{
	local name skip=""

	command -v gnuplot >/dev/null || skip=" # SKIP no gnuplot"
	if [ -n "$skip" ]; then
		pass "SVG plots$skip"
		return
	fi
	run_csv "$tmp/svg" "$tests/several.csv"
	check "gnuplot: succeeds" test $? -eq 0
	check "gnuplot: says nothing" test ! -s "$tmp/err"
	grep -o 'plots/[a-z0-9-]*\.svg' "$tmp/several/report.md" >"$tmp/names"
	check "the report shows four plots" test "$(wc -l <"$tmp/names")" -eq 4
	while read -r name; do
		check "gnuplot: $name is whole" svg_ok "$tmp/svg/$name"
	done <"$tmp/names"
	check "gnuplot: no other file" test \
		"$(find "$tmp/svg/plots" -type f | wc -l)" -eq \
		"$(grep -c 'plots/' "$tmp/svg/report.md")"
	run_csv "$tmp/svg2" "$tests/several.csv"
	check "gnuplot: same bytes again" \
		diff -r "$tmp/svg/plots" "$tmp/svg2/plots"
	cp "$tests/single.csv" "$tmp/svg2/results.csv"
	"$tmp/mlreport" "$tmp/svg2/results.csv"
	# Labels without data crash gnuplot 5.4; an absurd ratio once made
	# the axis endless.
	run_csv "$tmp/svg3" "$tests/early.csv"
	check "stock2 alone, absurd ratio: drawn" \
		svg_ok "$tmp/svg3/plots/mm-ratio.svg"
	check "plots of an earlier CSV are removed" test \
		"$(ls "$tmp/svg2/plots")" = sched-ratio.svg
}

test_bad_rows()
{
	local good=block,seq,train,hdd,stock,1,primary.higher.bw,MB/s,100 value

	bad "too few fields" 65 'bad.csv:2: column 9: expected 9 fields, got 8' \
		block,seq,train,hdd,stock,1,bw,5
	bad "too many fields" 65 'bad.csv:3: column 10: expected 9 fields, got 10' \
		"$good" "$good,7"
	bad "empty line" 65 'bad.csv:3: column 2: expected 9 fields, got 1' \
		"$good" ""
	bad "not a number" 65 'bad.csv:2: column 9 \(value\): expected a finite number, got "12x"' \
		"${good%,*},12x"
	for value in nan inf -inf 1e999 0x10 "" " 1" 1.2.3 --1 .; do
		bad "value '$value'" 65 'bad.csv:2: column 9 \(value\): expected a finite number' \
			"${good%,*},$value"
	done
	bad "negative primary" 65 'column 9 \(value\): expected no negative number' \
		"${good%,*},-1"
	bad "negative quantile" 65 'bad.csv:3: column 9 .*no negative' "$good" \
		block,seq,train,hdd,stock,1,read_lat_p99.9,us,-1
	bad "negative secondary metric" 65 'bad.csv:3: column 9 .*no negative' \
		"$good" block,seq,train,hdd,stock,1,cpu_time,s,-1
	bad "unknown consumer" 65 'bad.csv:2: column 1 \(consumer\): expected block, mm or sched, got "net"' \
		"net,${good#*,}"
	bad "unknown split" 65 'bad.csv:2: column 3 \(split\): expected train or test, got "dev"' \
		"${good/train/dev}"
	bad "seed 0" 65 'bad.csv:2: column 6 \(seed\): expected a whole number from 1, got "0"' \
		"${good/stock,1/stock,0}"
	bad "seed -1" 65 'column 6 \(seed\)' "${good/stock,1/stock,-1}"
	bad "seed too large" 65 'column 6 \(seed\)' \
		"${good/stock,1/stock,99999999999999999999}"
	bad "empty workload" 65 'column 2 \(workload\): expected a name' \
		"${good/seq/}"
	bad "table separator in a name" 65 'column 5 \(policy\): expected a name' \
		"${good/stock/a|b}"
	bad "quote in a name" 65 "column 4 \\(device\\): expected a name" \
		"${good/hdd/h\'d}"
	bad "carriage return" 65 'column 9 \(value\): expected a finite number, got "100\?"' \
		"$good"$'\r'
	bad "escape sequence is not printed" 65 'got "\?\[31m"' \
		"${good/stock/$'\033'[31m}"
	bad "primary without direction" 65 'column 7 \(metric\): expected primary.higher.NAME or primary.lower.NAME, got "primary.bw"' \
		"${good/primary.higher/primary}"
	bad "duplicate row" 65 'bad.csv:3: column 7 \(metric\): expected primary.higher.bw once in a run, it is in line 2 too' \
		"$good" "$good"
	bad "duplicate secondary row" 65 'bad.csv:4: column 7 .*expected elapsed once in a run, it is in line 2 too' \
		block,seq,train,hdd,stock,1,elapsed,s,1 "$good" \
		block,seq,train,hdd,stock,1,elapsed,s,2
	bad "two primaries in a run" 65 'bad.csv:3: column 7 \(metric\): expected primary.higher.bw as for seq in line 2, got "primary.higher.iops"' \
		"$good" "${good/bw/iops}"
	bad "direction differs between runs" 65 'bad.csv:3: column 7 \(metric\): expected primary.higher.bw as for seq in line 2, got "primary.lower.bw"' \
		"$good" block,seq,train,hdd,stock2,1,primary.lower.bw,MB/s,1
	bad "unit differs between runs" 65 'bad.csv:3: column 8 \(unit\): expected "MB/s" as for seq in line 2, got "kB/s"' \
		"$good" block,seq,train,hdd,stock2,1,primary.higher.bw,kB/s,1
	bad "split differs between runs" 65 'bad.csv:3: column 3 \(split\): expected train as for seq in line 2, got "test"' \
		"$good" block,seq,test,ssd,stock,1,primary.higher.bw,MB/s,1
	bad "failed run with a figure" 65 'column 7 \(metric\): expected nothing beside "failed" in a failed run, line 2 has primary.higher.bw' \
		"$good" block,seq,train,hdd,stock,1,failed,hang,1
}

test_bad_files()
{
	echo "consumer,workload" >"$tmp/bad.csv"
	bad_file "wrong header" 65 "bad.csv:1: column 1: expected the header \"$header\", got \"consumer,workload\"" "$tmp/bad.csv"
	: >"$tmp/bad.csv"
	bad_file "file of no bytes" 65 'bad.csv:1: column 1: expected the header' "$tmp/bad.csv"
	printf '%s\nblock,\0,x\n' "$header" >"$tmp/bad.csv"
	bad_file "NUL byte" 65 'bad.csv:2: .*NUL' "$tmp/bad.csv"
	bad_file "no such file" 66 'nothere.csv: No such file' "$tmp/nothere.csv"
	bad_file "a directory" 66 'Is a directory' "$tmp"
	bad_file "no argument" 64 'expected one results.csv'
	bad_file "two arguments" 64 'expected one results.csv' a b
	bad_file "unknown option" 64 'option' -x "$tests/single.csv"
	check "--help" "$tmp/mlreport" --help
}

test_output()
{
	bad_file "no output directory" 73 'nothere/report.md: No such file' \
		-o "$tmp/nothere" "$tests/single.csv"
	mkdir -p "$tmp/full" "$tmp/file"
	ln -sf /dev/full "$tmp/full/report.md"
	bad_file "full disk" 73 'report.md: No space left' \
		-o "$tmp/full" "$tests/single.csv"
	: >"$tmp/file/plots"
	chmod +x "$tmp/file/plots"
	bad_file "plots is a file" 73 'plots: Not a directory' \
		-o "$tmp/file" "$tests/single.csv"
	mkdir -p "$tmp/nobin"
	PATH=$tmp/nobin "$tmp/mlreport" -o "$tmp/elsewhere" \
		"$tests/single.csv" 2>"$tmp/err"
	check "no gnuplot: exit 69" test $? -eq 69
	check "no gnuplot: one line" grep -q 'gnuplot not found' "$tmp/err"
	check "no gnuplot: the report is there" \
		cmp "$tmp/elsewhere/report.md" "$tests/single.md"
	mkdir -p "$tmp/broken"
	printf '#!/bin/sh\nexit 3\n' >"$tmp/broken/gnuplot"
	chmod +x "$tmp/broken/gnuplot"
	PATH=$tmp/broken:$PATH "$tmp/mlreport" -o "$tmp/elsewhere" \
		"$tests/single.csv" 2>"$tmp/err"
	check "gnuplot fails: exit 70" test $? -eq 70
	check "gnuplot fails: says so" grep -q 'failed with code 3' "$tmp/err"
}

keep=${TMPDIR:-/tmp}/mlreport-golden
mkdir -p "$keep"
if ! build >"$tmp/build" 2>&1; then
	fail "build with sanitizers" "$tmp/build"
	echo "1..$count"
	exit 1
fi
pass "build with sanitizers"
stand_in
test_statistics
test_golden
test_same_bytes
test_svg
test_bad_rows
test_bad_files
test_output
rmdir "$keep" 2>/dev/null
echo "1..$count"
[ "$failed" -eq 0 ]
