#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does readahead-on take what it should, and does it say in one line what it
# does not?

if [ ! -x /usr/bin/readahead-on ]; then
	echo "Bail out! no readahead-on"
	exit 1
fi
log=/tmp/tap.log

# takes TEXT OPTION...: silently, and the proxy's mode has TEXT
takes()
{
	text=$1
	shift
	readahead-on "$@" >$log 2>&1 &&
		[ ! -s $log ] &&
		mlctl mode readahead | grep -qF "$text"
	result $? "$*: $text"
}

# refuses TEXT OPTION...: with a line that has TEXT
refuses()
{
	text=$1
	shift
	! readahead-on "$@" >$log 2>&1 &&
		[ "$(wc -l <$log)" -eq 1 ] &&
		grep -qF -- "$text" $log
	result $? "$*: $text"
}

refuses "do not go together"
refuses "unknown option" --color red
refuses "value is missing" --backend
refuses "do not go together" --backend trees
refuses "do not go together" --backend agent --agent x --record y
refuses "do not go together" --backend best
refuses "not 'random'" --backend random --explore
refuses "/tmp/none" --backend trees --table /tmp/none
refuses "mlctl agent: " --backend agent --agent /tmp/none
refuses "did not take 'none-such'" --backend none --scheduler none-such
refuses "always" --backend rule --pin always
rm -f /tmp/at-end
takes "mode recommendation (user), cap recommendation, pin recommendation, backend rule" --backend rule
takes "mode emergency" --backend rule --pin emergency
takes "backend random" --backend random --scheduler mq-deadline
grep -qF '[mq-deadline]' "/sys/block/$BENCH_DISK/queue/scheduler"
result $? "the scheduler is that"
takes "backend none" --backend none
[ ! -e /tmp/at-end ]
result $? "nothing is left to be done"
takes "backend random" --backend random --record /tmp/readahead-on.csv
sh /tmp/at-end && grep -q '^id,time_ns,' /tmp/readahead-on.csv &&
	! mlctl -j status readahead | grep -q '"attached": true'
result $? "the recorder ends when it should"
rm -f /tmp/at-end /tmp/readahead-on.csv

# sees BACKEND: it decides at some time of the next two seconds
sees()
{
	for _ in $(seq 100); do
		! mlctl mode readahead | grep -qF "backend $1" || return 0
		sleep 0.02
	done
	return 1
}

takes "backend rule" --backend rule --explore
sees random && sees rule && sees random
result $? "the rule and random by turns"
sh /tmp/at-end
sleep 0.2
mlctl mode readahead --backend rule >$log
! sees random
result $? "by turns no more"
rm -f /tmp/at-end
tap_end
