#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# needs: fio mlctl
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# Is what the readahead consumer issues without a model exactly what stock
# issues? Each pattern is read with the consumer off and with it on; the
# sequences of bios have to be equal.

trace=/sys/kernel/tracing
if [ ! -w $trace/events/block/block_bio_queue/enable ]; then
	echo "Bail out! no tracing of block_bio_queue"
	exit 1
fi
echo 32768 >$trace/buffer_size_kb

# bios FILE COMMAND...: the reads that the command makes with a cold cache
bios()
{
	out=$1
	shift
	cold
	echo >$trace/trace
	echo 1 >$trace/events/block/block_bio_queue/enable
	try "$@" || echo "# $* failed"
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
	try "$@" --create_only=1
	echo 0 >"$param"
	bios /tmp/off "$@"
	echo 1 >"$param"
	bios /tmp/on "$@"
	echo 0 >"$param"
	[ "$(wc -l </tmp/off)" -gt 10 ] && try cmp /tmp/off /tmp/on
	result $? "$name: $(wc -l </tmp/off) bios off, $(wc -l </tmp/on) on"
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
tap_end
