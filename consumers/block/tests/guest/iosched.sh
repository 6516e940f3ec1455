#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: cloud ssd nvme hdd
# shellcheck disable=SC2154 # dir is guest-tap.sh's
#
# Does the I/O scheduler ml lose nothing, put demand before speculation, and
# hold nothing for ever?

disk=${BENCH_DISK:-rigdisk0}
queue=/sys/block/$disk/queue
trace=/sys/kernel/tracing
if ! grep -qw ml "$queue/scheduler" ||
   [ ! -w $trace/events/block/block_rq_insert/enable ]; then
	echo "Bail out! no scheduler, or no tracing of block_rq_insert"
	exit 1
fi
echo 32768 >$trace/buffer_size_kb

# Of which requests there are at once, only a guest in virtual time can tell:
# with two CPUs in real time the disk is too quick for a slow host
in_real_time() { [ "$(nproc)" -gt 1 ]; }

# result_of_order STATUS TEXT: a result that depends on it
result_of_order()
{
	if in_real_time; then
		result 0 "$2 # SKIP in real time"
	else
		result "$1" "$2"
	fi
}

# use SCHEDULER: choose it and see that it was
use()
{
	echo "$1" >"$queue/scheduler" &&
		grep -q "\[$1\]" "$queue/scheduler"
}

# Follow requests from here on
trace_on()
{
	echo 0 >$trace/events/block/enable
	echo >$trace/trace
	for event in rq_insert rq_merge rq_issue rq_requeue rq_complete \
		bio_frontmerge; do
		echo 1 >"$trace/events/block/block_$event/enable"
	done
}

# Wait for the disk, at most 10 s, then set from the trace:
# inserted	requests that came to the scheduler
# left		of these, the ones that neither were issued nor merged; one
#		that a bio was put in front of cannot be told from a new one
# issued	requests that the disk got, flushes left out
# completed	of these
# speculative	of these
# demand	reads that the disk got, speculative ones left out
# overtook	of these, the ones that a speculative read was there before
# longest	wait of a speculative read in the scheduler, in ms
# usual		length of a speculative read, the median, in KiB
trace_off()
{
	sync
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(awk '{ print $1 + $2 }' "$queue/../inflight")" = 0 ] && break
		sleep 1
	done
	echo 0 >$trace/events/block/enable
	# shellcheck disable=SC2046 # nine numbers
	set -- $(sed -n 's/.* \([0-9.]*\): block_rq_\([a-z]*\): [0-9,]* \([A-Z]*\) .*() \([0-9]*\) + \([0-9]*\) .*/\1 \2 \3 \4 \5/p' \
		$trace/trace | awk '
		# The end of a flush sequence is a completion of nothing
		$3 !~ /[RW]/ || $3 ~ /F/ || $5 == 0 { next }
		{ key = $4 substr($3, 1, 1) }
		$2 == "insert" {
			order[key] = ++inserted
			came[key] = $1
			if ($3 ~ /P/)
				waits[key] = inserted
		}
		$2 == "merge" { delete order[key]; delete waits[key] }
		$2 == "requeue" { issued-- }
		$2 == "complete" { completed++; speculative += $3 ~ /P/ }
		$2 != "issue" { next }
		{ issued++ }
		$3 ~ /P/ {
			length_of[$5 / 2]++
			speculated++
			if (key in waits && $1 - came[key] > longest)
				longest = $1 - came[key]
		}
		$3 ~ /R/ && $3 !~ /P/ {
			demand++
			for (other in waits)
				if (waits[other] < order[key]) {
					overtook++
					break
				}
		}
		{ delete order[key]; delete waits[key] }
		END {
			for (key in order)
				left++
			for (kb = 0; 2 * below < speculated; kb++) {
				below += length_of[kb / 2]
				usual = kb / 2
			}
			print inserted + 0, left + 0, issued + 0, completed + 0,
				speculative + 0, demand + 0, overtook + 0,
				int(longest * 1000), usual + 0
		}')
	inserted=$1 left=$(($2 - $(grep -c block_bio_frontmerge $trace/trace)))
	[ "$left" -ge 0 ] || left=0
	issued=$3 completed=$4
	speculative=$5 demand=$6 overtook=$7 longest=$8 usual=$9
	echo "# inserted $inserted left $left issued $issued completed $completed speculative $speculative demand $demand overtook $overtook longest $longest ms usual $usual KiB"
}

# io NAME FIO-OPTION...: fio in the directory, quietly
io()
{
	name=$1
	shift
	try fio --name="$name" --directory="$dir" --fadvise_hint=0 \
		--randseed=1 --ioengine=psync "$@"
}

use ml
result $? "the scheduler is there and is chosen"

# Data
trace_on
io mixed --rw=randrw --bsrange=4k-64k --size=32m --io_size=24m --direct=1 \
	--ioengine=io_uring --iodepth=16 --verify=crc32c --verify_fatal=1
result $? "data: random reads and writes, 16 at a time"
io buffered --rw=randrw --bs=4k --size=16m --io_size=8m --verify=crc32c \
	--verify_fatal=1 --verify_backlog=64
result $? "data: random reads and writes through the page cache"
io stream --rw=write --bs=256k --size=64m --verify=crc32c --do_verify=0
cold
io stream --rw=read --bs=256k --size=64m --verify=crc32c --verify_fatal=1
result $? "data: a stream, read ahead"
io flushes --rw=randwrite --bs=4k --size=8m --io_size=512k --fsync=1 \
	--numjobs=4
result $? "writes that are flushed one by one, four writers"
trace_off
[ "$inserted" -gt 1000 ] && [ "$left" -eq 0 ] && [ "$issued" -eq "$completed" ]
result $? "nothing is lost: all of $inserted requests are issued and completed"
[ "$speculative" -gt 10 ]
result $? "the stream's readahead is speculative"

# A reader that stops at its mark leaves speculation that nobody waits for
cold
trace_on
dd if="$dir/stream.0.0" of=/dev/null bs=64k count=2 2>/dev/null
sleep 1
trace_off
[ "$speculative" -gt 0 ] && [ "$left" -eq 0 ] && [ "$issued" -eq "$completed" ]
result $? "speculation that nobody waits for is served"

# Demand beside a stream, in the order of events, not by time
io lookups --create_only=1 --rw=randread --bs=4k --size=16m --numjobs=4
cold
echo 2048 >"$queue/read_ahead_kb"
trace_on
for _ in 1 2 3 4 5 6 7 8; do
	cat "$dir/stream.0.0"
	echo 1 >/proc/sys/vm/drop_caches
done >/dev/null &
io lookups --rw=randread --bs=4k --size=16m --time_based=1 --runtime=1 \
	--numjobs=4 --thinktime=300us --thinktime_blocks=1
wait
trace_off
beside=$usual
# A disk that rotates has but four turns in the time
least=10
[ "$(cat "$queue/rotational")" = 0 ] || least=2
[ "$overtook" -gt $least ]
result_of_order $? "demand reads overtake speculative ones"
[ "$speculative" -gt 10 ]
result $? "speculation goes on beside demand"
[ "$left" -eq 0 ] && [ "$issued" -eq "$completed" ]
result $? "nothing is lost beside demand"
[ "$longest" -lt 1000 ]
result $? "nothing is held for a second"

# Once nobody else reads, a stream gets all it asks for again
cold
sleep 1
trace_on
cat "$dir/stream.0.0" >/dev/null
trace_off
echo 128 >"$queue/read_ahead_kb"
alone=$usual
if [ "$(cat "$queue/rotational")" = 0 ] &&
   [ "$(cat "$queue/max_sectors_kb")" -gt 1000 ]; then
	[ "$beside" -le "$((alone / 4))" ]
	result_of_order $? "speculation is in pieces beside demand: $beside KiB, alone $alone"
else
	[ "$beside" -gt 0 ] && [ "$beside" -le "$alone" ]
	result_of_order $? "speculation is as long as the disk takes: $beside KiB, alone $alone"
fi

# The proxy ra_depth, beside demand, off and on
switch=/sys/module/ml_iosched/parameters/ra_depth
busy()
{
	io lookups --rw=randread --bs=4k --size=16m --time_based=1 --runtime=1 \
		--numjobs=4 --thinktime=300us --thinktime_blocks=1 &
	pid=$!
	# However long they take to begin
	while kill -0 $pid 2>/dev/null; do
		cat "$dir/stream.0.0"
		echo 1 >/proc/sys/vm/drop_caches
	done >/dev/null
	wait $pid
}
[ "$(cat $switch)" = N ] && busy && [ "$(decisions ra_depth)" = 0 ]
result $? "ra_depth: off, nothing is decided"
echo 1 >$switch &&
	try mlctl mode ra_depth --backend random --pin collaboration
decided=0
for _ in 1 2 3 4 5; do
	busy
	decided=$(decisions ra_depth)
	[ "$decided" -le 10 ] || break
done
[ "$decided" -gt 10 ]
result $? "ra_depth: on, $decided decisions at random"
echo 0 >$switch && [ "$(cat $switch)" = N ] && busy
result $? "ra_depth: off again"

# The scheduler is changed while data go through it
io switched --rw=randrw --bsrange=4k-64k --size=32m --io_size=48m \
	--ioengine=io_uring --iodepth=16 --direct=1 --verify=crc32c \
	--verify_fatal=1 &
pid=$!
(while kill -0 $pid 2>/dev/null; do cat "$dir/stream.0.0" >/dev/null
	echo 1 >/proc/sys/vm/drop_caches; done) &
switches=0
while kill -0 $pid 2>/dev/null && [ $switches -lt 40 ]; do
	for scheduler in none ml mq-deadline ml kyber ml bfq ml; do
		use $scheduler || switches=-1000
		switches=$((switches + 1))
	done
done
wait $pid
status=$?
wait
[ $status -eq 0 ] && [ $switches -ge 8 ]
result $? "data: the scheduler is changed $switches times meanwhile"
use ml
result $? "and ml is chosen again"

# Tunables are checked
tunables=0
for file in "$queue"/iosched/*; do
	tunables=$((tunables + 1))
	value=$(cat "$file")
	{ echo 4294967296 >"$file"; } 2>/dev/null && tunables=-99
	{ echo nonsense >"$file"; } 2>/dev/null && tunables=-99
	[ "$(cat "$file")" = "$value" ] || tunables=-99
	echo "$value" >"$file" || tunables=-99
done
[ "$tunables" -ge 5 ]
result $? "tunables refuse what makes no sense, and keep their values"

tap_end
