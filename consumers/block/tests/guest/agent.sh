#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud
# needs: mlctl fio fd_hammer
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# What becomes of readers when their agent dies, hangs, goes mad, or changes its
# table all the time.

options="--name=agent --size=32m --bs=16k"

reads()
{
	cold
	# shellcheck disable=SC2086 # a list of words
	verify read $options --rw=randread && cold &&
		verify read $options --rw=read:-48k --io_size=8m
}

is() { [ "$(status_of "$1")" = "$2" ]; }
has_hints() { [ "$(status_of hints)" -gt "$1" ]; }

# shellcheck disable=SC2086 # a list of words
verify write $options

# A model, by the book: record, train, compile
policy random
mlctl record readahead -o /tmp/agent.csv -t 120 -n 3000 >/tmp/record 2>&1 &
recorder=$!
n=0
while [ -d /proc/$recorder ] && [ $n -lt 12 ]; do
	reads
	n=$((n + 1))
done
kill -INT $recorder 2>/dev/null
wait
for seed in 1 2; do
	try mlctl train /tmp/agent.csv -o /tmp/model$seed.json --min-rows 5 \
		--seed $seed --trees $((seed * 4)) &&
		try mlctl compile /tmp/model$seed.json -o /tmp/model$seed.mltree
	result $? "a model is made of what was recorded ($seed)"
done

# agent_begins: one that writes hints
agent_begins()
{
	mlctl agent readahead -q -m /tmp/model1.json --retrain 0 >/tmp/agent.log 2>&1 &
	agent=$!
	hints=$(status_of hints)
	wait_until 60 is attached true || return
	reads
	try cat /tmp/agent.log
	try wait_until 10 has_hints "$hints"
}

# during COMMAND...: while there are readers, who must not mind
during()
{
	(reads && reads) &
	pid=$!
	sleep 0.3
	"$@"
	wait $pid
}

try agent_begins
result $? "an agent writes hints"
is mode recommendation
result $? "and is asked"
try during kill -KILL "$agent"
result $? "it is killed: the readers have the right data"
try wait_until 10 is mode emergency && try is reason "no model"
result $? "and stock decides: $(status_of mode), $(status_of reason)"
try agent_begins && try wait_until 10 is mode recommendation
result $? "the next one is asked at once"
try during kill -STOP "$agent"
result $? "it hangs: the readers have the right data"
try wait_until 10 is mode emergency && try is reason stale
result $? "and stock decides: $(status_of mode), $(status_of reason)"
kill -CONT "$agent"
try wait_until 30 is mode recommendation
result $? "it goes on, and is asked again: $(status_of mode)"
kill -TERM "$agent"
wait

replace()
{
	n=0
	while [ ! -e /tmp/enough ]; do
		mlctl load readahead /tmp/model$((n % 2 + 1)).mltree --use >/dev/null || break
		n=$((n + 1))
	done
	echo $n >/tmp/replaced
}
replace &
loader=$!
reads && reads && reads
status=$?
touch /tmp/enough
wait $loader
[ $status -eq 0 ] && try test "$(cat /tmp/replaced)" -gt 20
result $? "a table is replaced $(cat /tmp/replaced) times while there are readers"
[ "$(status_of table)" = true ] && mlctl unload readahead
result $? "and unloaded"

fd_hammer 3 readahead >/tmp/hammer 2>&1 &
hammer=$!
reads && reads
status=$?
wait $hammer && [ $status -eq 0 ]
result $? "eight threads do anything to the device while there are readers"
sed 's/^/# /' /tmp/hammer
policy rule && before=$(decisions) && reads &&
	try test "$(decisions)" -gt "$before" && try is mode recommendation
result $? "after which the rule decides as ever"
policy off
reads
result $? "and stock when it is off"
tap_end
