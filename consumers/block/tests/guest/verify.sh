#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud ssd hdd nvme
# needs: fio mlctl
#
# Is every byte right while readahead is drawn at random, and is everything
# well when files shrink, go away and the consumer is switched meanwhile? Run
# as root in a guest, in a directory of the disk under test, with busybox, fio
# and mlctl. Prints TAP; exits 1 if a test failed.

param=/sys/module/ml_readahead/parameters/enable
dir=${1:-.}
if [ "$1" = --help ]; then
	echo "usage: verify.sh [DIR]    (in the guest; DIR has 200 MB left)"
	exit 0
fi
if [ ! -w $param ]; then
	echo "Bail out! no consumer"
	exit 1
fi

count=0
failed=0
echo 1 >$param
mlctl mode readahead --backend random --pin recommendation >/dev/null ||
	echo "# no random backend"

# result STATUS TEXT: one line of TAP
result()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
	fi
}

# verified NAME BS FIO-OPTION...: write once, read by a pattern, pieces of BS
verified()
{
	name=$1
	bs=$2
	shift 2
	set -- --directory="$dir" --name=verify --size=48m --bs="$bs" \
		--verify=crc32c --verify_fatal=1 --randseed=1 \
		--fadvise_hint=0 "$@"
	fio "$@" --rw=write --ioengine=psync --do_verify=0 --end_fsync=1 \
		--io_size=48m >/tmp/verify.log 2>&1
	echo 3 >/proc/sys/vm/drop_caches
	fio "$@" >>/tmp/verify.log 2>&1
	result $? "data: $name"
	rm -f "$dir"/verify.*
}

verified "in order" 64k --rw=read --ioengine=psync
verified "at random" 4k --rw=randread --ioengine=psync --io_size=12m
verified "in strides" 4k --rw=read:28k --ioengine=psync --io_size=6m
verified "backwards" 16k --rw=read:-48k --ioengine=psync --io_size=12m
verified "faults" 16k --rw=randread --ioengine=mmap
verified "many at a time" 16k --rw=randread --ioengine=io_uring --iodepth=16

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
	echo $((round % 2)) >$param
	echo 1 >/proc/sys/vm/drop_caches
done
rm -f "$dir"/shrink* "$dir/base"
wait
[ "$(cat $param)" = N ]
result $? "files shrink, grow, go away, the consumer is switched"
! dmesg | grep -qE 'BUG|WARNING|Oops|ml_readahead: '
result $? "the kernel has nothing to say"
echo "1..$count"
exit $failed
