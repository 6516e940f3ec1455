#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
# Proxies come and go: module unload with everything in use, again and again.
# Runs in a guest, in the directory of ml_demo.ko and device_test. TAP.
count=0

tap()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	left=$1
	shift
	until "$@"; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 1
	done
}

# Has the device a proxy that decides?
deciding() { device_test 'describe: what' >/dev/null; }

# hold_and_remove: rmmod while a file is open, attached, read and polled
hold_and_remove()
{
	insmod ml_demo.ko || return
	device_test --hold >/tmp/hold 2>&1 &
	holder=$!
	wait_for 60 grep -q '^holding' /tmp/hold || return
	sleep 1
	rmmod ml_demo || return
	wait $holder
}

echo "TAP version 13"
hold_and_remove
tap $? "rmmod while a file is attached, read and polled: all let go"
sed 's/^/# /' /tmp/hold
grep -q '^released' /tmp/hold && ! grep -q '^wrong' /tmp/hold
tap $? "and each call on the open file gets ENODEV"
[ ! -e /dev/ml/demo ]
tap $? "the node is gone"

insmod ml_demo.ko
tap $? "insmod again"
deciding
tap $? "and the device is there and decides"
rmmod ml_demo
tap $? "rmmod again"

bad=0
for _ in 1 2 3 4 5; do
	hold_and_remove || bad=1
done
tap $bad "five more times"

# Watchers come and go meanwhile, so that open and unload meet
(
	while [ ! -e /tmp/stop ]; do
		device_test 'describe: what' >/dev/null 2>&1
	done
) &
watcher=$!
bad=0 n=0
while [ $n -lt 100 ]; do
	insmod ml_demo.ko rate=1000 || bad=1
	[ $((n % 10)) -ne 0 ] || sleep 1
	rmmod ml_demo || bad=1
	n=$((n + 1))
done
touch /tmp/stop
wait $watcher
tap $bad "insmod and rmmod 100 times, decisions and watchers running"

if [ -f ml_bench.ko ]; then
	insmod ml_demo.ko && insmod ml_bench.ko
	tap $? "two proxies at once"
	[ -c /dev/ml/demo ] && [ -c /dev/ml/bench ] && deciding
	tap $? "both have their device"
	! insmod ml_demo.ko 2>/dev/null
	tap $? "the same name twice is refused"
	rmmod ml_bench && deciding
	tap $? "one goes, the other stays"
	rmmod ml_demo
	tap $? "and goes too"
fi
echo "1..$count"
