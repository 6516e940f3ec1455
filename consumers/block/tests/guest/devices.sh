#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: nvme
# needs: mlctl fio
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# File systems are unmounted, mounted again, made read-only and left while they
# are read; a disk has bad places, a disk goes away while it is read, another
# takes its name and number.

cd /

# Readers that begin again until there is an error
readers()
{
	for file in "$1"/read.*; do
		while dd if="$file" of=/dev/null bs=64k 2>/dev/null; do
			echo 1 >/proc/sys/vm/drop_caches
		done &
		while dd if="$file" of=/dev/null bs=4k skip=$((n % 100)) 2>/dev/null; do
			n=$((n + 1))
			echo 1 >/proc/sys/vm/drop_caches
		done &
	done
}

read_so_much() { [ "$(decisions)" -gt "$1" ]; }

strides="--name=read --nrfiles=1 --filesize=24m --bs=4k"

# The table knows a file, but keeps none
policy random
verify write --name=read --nrfiles=1 --filesize=24m --bs=4k
cold
before=$(decisions)
# shellcheck disable=SC2086 # a list of words
verify read $strides --rw=read:28k --io_size=3m &&
	try test "$(decisions)" -gt "$before"
result $? "a strided reader"
try umount "$dir"
result $? "its file system is unmounted at once"
try mount -t ext4 /dev/"$BENCH_DISK" "$dir"
# shellcheck disable=SC2086 # a list of words
verify read $strides --rw=read:28k --io_size=3m
result $? "and mounted again, and right"

before=$(decisions)
readers "$dir"
try wait_until 60 read_so_much $((before + 50)) &&
	try mount -o remount,ro "$dir" && before=$(decisions) &&
	try wait_until 60 read_so_much $((before + 50)) &&
	try mount -o remount,rw "$dir"
result $? "read-only and back while it is read"
exec 5<"$dir/read.0.0"
try umount -l "$dir"
wait
echo 1 >/proc/sys/vm/drop_caches
before=$(decisions)
try dd of=/dev/null bs=64k <&5 && read_so_much "$before"
result $? "detached while it is read"
exec 5<&-
try wait_until 60 mount -t ext4 /dev/"$BENCH_DISK" "$dir"
# shellcheck disable=SC2086 # a list of words
verify read $strides --rw=randread
result $? "mounted again, and right"

# Another device of the same number: what is known of the old one is void
verify write --name=fast --size=160m --bs=1m
cold
verify read --name=fast --size=160m --bs=1m --rw=read
number=$(cat /sys/block/"$BENCH_DISK"/dev)
try umount "$dir" && try rmmod rig_disk &&
	try insmod /rig/rig_disk.ko profile=hdd seed=1 size_mb=512 store_addr=0x100000000 &&
	try mkfs.ext4 -q -F /dev/"$BENCH_DISK" &&
	try mount -t ext4 /dev/"$BENCH_DISK" "$dir" &&
	try test "$(cat /sys/block/"$BENCH_DISK"/dev)" = "$number"
result $? "a hard disk in the place of a drive, by the same number"
verify write --name=slow --size=128m --bs=1m
cold
mlctl record readahead -o /tmp/swap.csv -t 30 -n 200 >/dev/null 2>&1 &
verify read --name=slow --size=128m --bs=1m --rw=read
result $? "its data are right"
kill -INT $! 2>/dev/null
wait
# In 1/16 of a doubling of pages in a millisecond; no disk has 256 GB/s
awk -F, 'NR == 2 { for (i = 1; i <= NF; i++) if ($i == "bandwidth") at = i }
	NR > 2 { n++; if ($at > 256) { bad++; print "bandwidth " $at } }
	END { print n + 0 " decisions"; exit !at || !n || bad }' /tmp/swap.csv \
	>>/tmp/tap.log
result $? "and its bandwidth is a possible one"
umount "$dir"

# null_blk can be made to fail, and to go away
null=/sys/kernel/config/nullb/nullb0
{
	insmod /rig/configfs.ko && mount -t configfs config /sys/kernel/config &&
		insmod /rig/null_blk.ko nr_devices=0 && mkdir $null
} >>/tmp/tap.log 2>&1
echo 64 >$null/size
echo 1 >$null/memory_backed
echo 2 >$null/irqmode
echo 200000 >$null/completion_nsec
echo 1 >$null/power
[ -b /dev/nullb0 ]
result $? "a disk that fails on request"

# Bad places: an error where they are, and only there
dd if=/dev/urandom of=/tmp/image bs=1M count=48 2>/dev/null
dd if=/tmp/image of=/dev/nullb0 bs=1M 2>/dev/null
bad="0 1 77 3000 3001 3002 8191 8192 12000"
for block in $bad; do
	echo "+$((block * 8))-$((block * 8 + 7))" >$null/badblocks
	dd if=/dev/zero of=/tmp/image bs=4k seek="$block" count=1 conv=notrunc 2>/dev/null
done
for backend in off random rule; do
	policy $backend
	cold
	dd if=/dev/nullb0 of=/tmp/copy bs=4k count=12288 conv=noerror,sync 2>/tmp/errors
	[ "$(grep -ci 'input/output error' /tmp/errors)" -eq 9 ] &&
		try cmp /tmp/image /tmp/copy
	result $? "$backend: nine bad blocks, and all others are right"
done
for block in $bad; do
	echo "-$((block * 8))-$((block * 8 + 7))" >$null/badblocks
done
rm -f /tmp/image /tmp/copy

# A disk goes, while it is read, and comes again
lost()
{
	mkfs.ext4 -q -F /dev/nullb0 && mount -t ext4 /dev/nullb0 "$dir" || return
	dd if=/dev/zero of="$dir/read.0" bs=1M count=16 2>/dev/null
	cp "$dir/read.0" "$dir/read.1"
	cold
	before=$(decisions)
	exec 5<"$dir/read.0"
	readers "$dir"
	wait_until 60 read_so_much $((before + 100)) || return
	echo 0 >$null/power
	wait
	exec 5<&-
	umount "$dir" && echo 1 >$null/power && [ -b /dev/nullb0 ]
}
for backend in random rule; do
	policy $backend
	for round in 1 2 3; do
		try lost
		result $? "$backend: the disk goes while it is read, round $round"
	done
done
try mkfs.ext4 -q -F /dev/nullb0 && try mount -t ext4 /dev/nullb0 "$dir"
verify write --name=new --size=24m --bs=16k
cold
verify read --name=new --size=24m --bs=16k --rw=randread
result $? "and what comes in its place is right"
try umount "$dir"
policy off
tap_end
