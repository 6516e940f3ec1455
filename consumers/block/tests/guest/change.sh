#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud hdd
# needs: mlctl file_torture
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# Files are written, cut, grown, deleted and made again while they are read in
# order, in strides, backwards, at random, by splice, by faults and directly:
# is each byte the right one, and none older than the last write? By a file that
# is open once, too, from several threads.

policy off
try file_torture "$dir" 8
result $? "stock's readahead"
for backend in random rule; do
	before=$(decisions)
	policy $backend && try file_torture "$dir" 20 &&
		try test "$(decisions)" -gt $((before + 500))
	result $? "$backend: each byte is right"
done

switch()
{
	n=0
	while [ ! -e /tmp/enough ]; do
		echo $((n % 2)) >"$param"
		n=$((n + 1))
		sleep 0.02
	done
	echo $n >/tmp/switched
}
switch &
try file_torture "$dir" 20
status=$?
touch /tmp/enough
wait
[ "$status" -eq 0 ] && try test "$(cat /tmp/switched)" -gt 4
result $? "the consumer is switched on and off meanwhile"
tap_end
