#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud ssd
# needs: mlctl fio
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# Large windows where memory is short: a small cgroup, a machine that is nearly
# full, more open files than the table holds. What stock survives, all survive.

group=/sys/fs/cgroup/small

# All patterns at once
patterns()
{
	verify read --bs=16k --filesize=24m --name=a --rw=read \
		--name=b --rw=randread --name=c --rw=read:-48k --io_size=6m \
		--name=d --rw=read:112k --io_size=3m
}

killed() { sed -n 's/^oom_kill //p' $group/memory.events; }
killed_all() { dmesg | grep -c 'Out of memory: Killed'; }

for name in a b c d; do
	verify write --name=$name --filesize=24m --bs=16k
done
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir $group
echo 40M >$group/memory.max
for backend in off random rule; do
	policy $backend
	for round in 1 2; do
		cold
		(
			# The shell has no $BASHPID
			sh -c 'echo $PPID' >$group/cgroup.procs
			patterns
		) && try test "$(killed)" -eq 0
		result $? "$backend: in a cgroup of 40 MiB, round $round"
	done
done
try test "$(sed -n 's/^max //p' $group/memory.events)" -gt 100
result $? "which has met its limit"

# Nothing but memory that cannot be given back, and 48 MiB
free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
dd if=/dev/zero of=/dev/shm/full bs=1M count=$((free / 1024 - 48)) 2>/dev/null
for backend in off random rule; do
	policy $backend
	for round in 1 2; do
		echo 1 >/proc/sys/vm/drop_caches
		patterns && try test "$(killed_all)" -eq 0
		result $? "$backend: with 48 MiB left, round $round"
	done
done
rm -f /dev/shm/full "$dir"/[abcd].*

files="--name=many --nrfiles=600 --openfiles=600 --filesize=64k --bs=4k"
# shellcheck disable=SC2086 # a list of words
verify write $files
for backend in random rule; do
	policy $backend
	cold
	before=$(decisions)
	# shellcheck disable=SC2086 # a list of words
	verify read $files --rw=randread --file_service_type=random &&
		try test "$(decisions)" -gt $((before + 600))
	result $? "$backend: 600 open files, 256 places"
done
policy off
tap_end
