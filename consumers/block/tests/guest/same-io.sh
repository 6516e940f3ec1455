#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# needs: fio mlctl
#
# Is what the readahead consumer issues without a model exactly what stock
# issues? Run as root in a guest, in a directory of the disk under test, with
# busybox and fio. Each pattern is read with the consumer off and with it on;
# the sequences of bios have to be equal. Prints TAP; exits 1 if one was not.

trace=/sys/kernel/tracing
param=/sys/module/ml_readahead/parameters/enable
dir=${1:-.}
if [ "$1" = --help ]; then
	echo "usage: same-io.sh [DIR]    (in the guest; DIR has 200 MB left)"
	exit 0
fi
if [ ! -w $param ] || [ ! -w $trace/events/block/block_bio_queue/enable ]; then
	echo "Bail out! no consumer, or no tracing of block_bio_queue"
	exit 1
fi

count=0
failed=0
echo 32768 >$trace/buffer_size_kb

# bios FILE COMMAND...: the reads that the command makes with a cold cache
bios()
{
	out=$1
	shift
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo >$trace/trace
	echo 1 >$trace/events/block/block_bio_queue/enable
	"$@" >/tmp/same-io.log 2>&1 || echo "# $* failed"
	echo 0 >$trace/events/block/block_bio_queue/enable
	sed -n 's/.*block_bio_queue: [0-9]*,[0-9]* \(R[A-Z]* [0-9]* + [0-9]*\).*/\1/p' \
		$trace/trace >"$out"
}

# same NAME FIO-OPTION...: one test
same()
{
	name=$1
	shift
	set -- fio --name=same-io --directory="$dir" --fadvise_hint=0 \
		--randseed=1 --ioengine=psync "$@"
	"$@" --create_only=1 >/dev/null 2>&1
	echo 0 >$param
	bios /tmp/off "$@"
	echo 1 >$param
	bios /tmp/on "$@"
	echo 0 >$param
	count=$((count + 1))
	n=$(wc -l </tmp/off)
	if [ "$n" -gt 10 ] && cmp -s /tmp/off /tmp/on; then
		echo "ok $count - $name: $n bios"
	else
		echo "not ok $count - $name: $n and $(wc -l </tmp/on) bios"
		failed=1
	fi
}

same sequential --rw=read --bs=64k --size=32m
same "sequential, unaligned" --rw=read --bs=5000 --size=8m
same "large requests" --rw=read --bs=1m --size=64m
same random --rw=randread --bs=4k --size=32m --io_size=4m
same runs --rw=randread:16 --bs=4k --blockalign=64k --norandommap=1 \
	--size=32m --io_size=8m
same strided --rw=read:28k --bs=4k --size=32m --io_size=4m
same backwards --rw=read:-64k --bs=32k --size=32m
same "faults in order" --ioengine=mmap --rw=read --bs=4k --size=16m
same "faults at random" --ioengine=mmap --rw=randread --bs=4k --size=64m \
	--io_size=4m
same "small files" --rw=read --bs=4k --openfiles=1 --nrfiles=100 \
	--filesize=40k --file_service_type=sequential
echo "1..$count"
exit $failed
