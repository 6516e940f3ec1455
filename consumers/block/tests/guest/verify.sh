#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud ssd hdd nvme
# needs: fio mlctl
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# Is every byte right while readahead is drawn at random, and is everything
# well when files shrink, go away and the consumer is switched meanwhile?

policy random
result $? "readahead is drawn at random"

# verified NAME BS FIO-OPTION...: write once, read by a pattern, pieces of BS
verified()
{
	name=$1
	bs=$2
	shift 2
	set -- --name=verify --size=48m --bs="$bs" "$@"
	verify write "$@" --ioengine=psync --io_size=48m &&
		cold && verify read "$@"
	result $? "data: $name"
	rm -f "$dir"/verify.*
}

verified "in order" 64k --rw=read
verified "at random" 4k --rw=randread --io_size=12m
verified "in strides" 4k --rw=read:28k --io_size=6m
verified "backwards" 16k --rw=read:-48k --io_size=12m
verified "faults" 16k --rw=randread --ioengine=mmap
verified "many at a time" 16k --rw=randread --ioengine=io_uring --iodepth=16

try test "$(decisions)" -gt 50
result $? "$(decisions) decisions were made meanwhile"

# A reader per file, while the files shrink, grow and go away
dd if=/dev/zero of="$dir/base" bs=1M count=32 2>/dev/null
for i in 1 2 3 4; do
	cp "$dir/base" "$dir/shrink$i"
done
echo 3 >/proc/sys/vm/drop_caches
for i in 1 2 3 4; do
	(while cat "$dir/shrink$i" >/dev/null 2>&1; do :; done) &
done
for round in 1 2 3 4 5 6 7 8; do
	for i in 1 2 3 4; do
		truncate -s $((round * 3 + i))M "$dir/shrink$i"
	done
	echo $((round % 2)) >"$param"
	echo 1 >/proc/sys/vm/drop_caches
done
rm -f "$dir"/shrink* "$dir/base"
wait
[ "$(cat "$param")" = N ]
result $? "files shrink, grow, go away, the consumer is switched"
tap_end
