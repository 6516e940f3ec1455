# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# What the guest tests of the consumers share. consumers.sh puts it in front of
# each of them, after guest-watchers.sh; for busybox's shell.
param=/sys/module/ml_readahead/parameters/enable
dir=${BENCH_DIR:-.}
tap_count=0 tap_failed=0

# result STATUS TEXT: one line of TAP
result()
{
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=1
		[ ! -s /tmp/tap.log ] || tail -n 12 /tmp/tap.log | sed 's/^/# /'
	fi
	: >/tmp/tap.log
}

# try COMMAND...: its output is shown if the result is bad
try() { "$@" >>/tmp/tap.log 2>&1; }

tap_end()
{
	watchers >/tmp/watchers
	while read -r status name; do
		result "$status" "$name has watched"
	done </tmp/watchers
	# What KCSAN has found is for alarms.sh, which knows what of it is ours
	! dmesg | grep -v KCSAN | grep -E 'BUG|WARNING|Oops|KASAN|UBSAN|possible (circular|recursive|irq)|inconsistent lock|suspicious RCU|page allocation failure|new suspected memory leak|ml_readahead: ' >/tmp/tap.log
	result $? "the kernel has nothing to say"
	echo "1..$tap_count"
	exit $tap_failed
}

# policy off|BACKEND: the consumer off, or on and its model at 15 of 16 slots
policy()
{
	if [ "$1" = off ]; then
		echo 0 >$param
		return
	fi
	echo 1 >$param &&
		try mlctl mode readahead --backend "$1" --cap recommendation \
			--pin recommendation
}

cold() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# status_of KEY: one value of the proxy's status
status_of()
{
	mlctl -j status readahead |
		sed -n "s/^.*\"$1\": \"*\([^\",}]*\).*\$/\1/p" | head -n 1
}

# decisions [PROXY]: how often both arms have decided so far
decisions()
{
	mlctl -j status "${1:-readahead}" | tr ',{' '\n' |
		sed -n 's/.*"decisions": //p' | awk '{ n += $1 } END { print n + 0 }'
}

# wait_until SECONDS COMMAND...: until it succeeds
wait_until()
{
	left=$(($1 * 10))
	shift
	until "$@"; do
		[ $left -gt 0 ] || return 1
		left=$((left - 1))
		sleep 0.1
	done
}

# verify write|read FIO-OPTION...: files whose every block has a checksum
verify()
{
	how=$1
	shift
	set -- --directory="$dir" --verify=crc32c --verify_fatal=1 \
		--randseed=1 --fadvise_hint=0 --ioengine=psync "$@"
	if [ "$how" = write ]; then
		try fio "$@" --rw=write --do_verify=0 --end_fsync=1
	else
		try fio "$@"
	fi
}

# On a busy host a guest may stand still for minutes; what hangs for good comes
# to no end
hung=/proc/sys/kernel/hung_task_timeout_secs
[ ! -w $hung ] || echo 1800 >$hung

[ -w $param ] || {
	echo "Bail out! no consumer"
	exit 1
}
