#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the loaded rigdisk0 behave as its parameters say? Run as root in a
# guest in virtual time, with busybox and fio. It overwrites the disk. Prints
# TAP; exits 1 if a test failed. The figures hold up to the CPU time that the
# guest spends on a request, which the limits below allow for.

disk=/dev/rigdisk0
dir=/sys/module/rig_disk/parameters
queue=/sys/block/rigdisk0/queue
if [ "$1" = --help ]; then
	echo "usage: disk.sh    (in the guest; overwrites $disk)"
	exit 0
fi
if [ ! -b $disk ] || [ ! -d $dir ]; then
	echo "Bail out! $disk is not there: load rig_disk first"
	exit 1
fi

param() { cat "$dir/$1"; }

profile=$(param profile)
channels=$(param channels)
depth=$(param queue_depth)
read_ns=$(param read_ns)
write_ns=$(param write_ns)
jitter_ns=$(param jitter_ns)
read_iops=$(param read_iops)
write_iops=$(param write_iops)
read_mbps=$(param read_mbps)
write_mbps=$(param write_mbps)
revolution=$(param revolution_ns)
seek_track=$(param seek_track_ns)
seek_full=$(param seek_full_ns)

count=0
failed=0

# result WORD TEXT: one line of TAP
result() {
	count=$((count + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $count - $profile: $2"
}

# within TEXT VALUE LOW HIGH
within() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		result ok "$1: $2 in $3..$4"
	else
		result "not ok" "$1: $2 not in $3..$4"
	fi
}

# same TEXT VALUE WANTED
same() {
	if [ "$2" = "$3" ]; then
		result ok "$1: $2"
	else
		result "not ok" "$1: '$2', wanted '$3'"
	fi
}

# measure FIO-OPTION...: sets iops, kbps (KiB/s) and lat (mean, ns).
# Fields of terse version 3: 7, 8, 40 for reads, 48, 49, 81 for writes.
measure() {
	line=$(fio --name=t --filename=$disk --direct=1 --ioengine=libaio \
		--randseed=1 --output-format=terse --terse-version=3 "$@" |
		grep '^3;')
	case " $* " in
	*write*) fields=48,49,81 ;;
	*) fields=7,8,40 ;;
	esac
	line=$(echo "$line" | cut -d';' -f$fields)
	kbps=${line%%;*}
	line=${line#*;}
	iops=${line%;*}
	lat=$(echo "${line#*;}" | awk '{ printf "%d", $1 * 1000 }')
	: "${kbps:=0}" "${iops:=0}"
}

# bus BYTES MBPS IOPS: how long a transfer takes, ns
bus() {
	by_rate=$(($1 * 1000 / $2))
	by_iops=0
	[ "$3" -eq 0 ] || by_iops=$((1000000000 / $3))
	[ $by_rate -ge $by_iops ] && echo $by_rate || echo $by_iops
}

# cap RATE IOPS BYTES: requests a second that the two limits allow
cap() { echo $((1000000000 / $(bus "$3" "$1" "$2"))); }

least() { [ "$1" -le "$2" ] && echo "$1" || echo "$2"; }

case $profile in
hdd) sched='none [mq-deadline]' rotational=1 ;;
ssd) sched='none [mq-deadline]' rotational=0 ;;
*) sched='[none] mq-deadline' rotational=0 ;;
esac
case $(cat $queue/scheduler) in
"$sched"*) result ok "default scheduler: $sched" ;;
*) result "not ok" "default scheduler: $(cat $queue/scheduler)" ;;
esac
same "rotational" "$(cat $queue/rotational)" $rotational
same "size (sectors)" "$(cat /sys/block/rigdisk0/size)" \
	$(($(param size_mb) * 2048))
same "largest request (KiB)" "$(cat $queue/max_hw_sectors_kb)" \
	"$(param max_kb)"
[ "$(param write_cache)" = 1 ] && cache="write back" || cache="write through"
same "write cache" "$(cat $queue/write_cache)" "$cache"

# CPU time of a request between the device's answer and fio's measuring it:
# 11-14 us of virtual time at one instruction per nanosecond
cpu=16000

if [ "$revolution" -gt 0 ]; then
	# Mean seek of the square-root law: 8/15 of the way to the full stroke
	seek=$((seek_track + (seek_full - seek_track) * 8 / 15))
	want=$((seek + revolution / 2 + $(bus 4096 "$read_mbps" 0)))
	measure --rw=randread --bs=4k --iodepth=1 --number_ios=400
	within "random read alone, mean latency ns" "$lat" \
		$((want * 95 / 100)) $((want * 105 / 100))
	one=${iops%.*}
	# The device chooses the nearest of its queue: more with each doubling
	for qd in 4 32; do
		measure --rw=randread --bs=4k --iodepth=$qd --number_ios=600
		within "random read at depth $qd, IOPS" "${iops%.*}" \
			$((one * 120 / 100)) 100000
		one=${iops%.*}
	done
else
	want=$((read_ns + jitter_ns / 2 + $(bus 4096 "$read_mbps" "$read_iops")))
	measure --rw=randread --bs=4k --iodepth=1 --number_ios=2000
	within "random read alone, mean latency ns" "$lat" \
		$((want * 99 / 100)) $((want * 101 / 100 + cpu))

	want=$((write_ns + jitter_ns / 2 + $(bus 4096 "$write_mbps" "$write_iops")))
	measure --rw=randwrite --bs=4k --iodepth=1 --number_ios=2000
	within "random write alone, mean latency ns" "$lat" \
		$((want * 99 / 100)) $((want * 101 / 100 + cpu))

	# Up to the channels, a deeper queue pays in proportion; then the IOPS
	# limit and the CPU end it. The CPU's part is the one above.
	one=$((1000000000 / (read_ns + jitter_ns / 2 +
		$(bus 4096 "$read_mbps" "$read_iops"))))
	max=$(cap "$read_mbps" "$read_iops" 4096)
	for qd in 1 2 4 8 16 32; do
		[ $qd -le "$depth" ] || continue
		high=$((one * $(least $qd "$channels")))
		high=$(least $high "$max")
		low=$((1000000000 / (1000000000 / high + cpu)))
		measure --rw=randread --bs=4k --iodepth=$qd --number_ios=4000
		within "random read at depth $qd, IOPS" "${iops%.*}" \
			$((low * 97 / 100)) $((high * 101 / 100))
	done
fi

# Sequential: the transfer rate, in 10^6 bytes/s, less what the CPU needs to
# move the data (8 bytes a nanosecond at best, three times over)
for rw in read write; do
	[ $rw = read ] && rate=$read_mbps || rate=$write_mbps
	measure --rw=$rw --bs=1M --iodepth=8 --size=64M
	low=$((rate * 90 / 100))
	within "sequential $rw, MB/s" $((kbps * 1024 / 1000000)) \
		"$(least $low 1500)" $((rate + 1))
done

# What is written is what is read, at every size and offset
if errors=$(fio --name=v --filename=$disk --direct=1 --ioengine=libaio \
	--iodepth=16 --rw=randwrite --bssplit=512/30:4k/40:128k/30 --size=8M \
	--verify=crc32c --verify_fatal=1 --randseed=2 --output-format=terse \
	2>&1 >/dev/null); then
	result ok "data read back are the data written"
else
	result "not ok" "data read back are the data written: $errors"
fi

echo "1..$count"
[ $failed -eq 0 ]
