#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# device: ssd
# needs: mlctl fio
# shellcheck disable=SC2154 # dir and param are guest-tap.sh's
#
# Where the consumer has nothing to say it must not be asked, and what it is told
# of a file must be about that file.

policy random

# asked NAME COMMAND...: how many decisions does it take? In $asked
asked()
{
	cold
	before=$(decisions)
	"$@" >>/tmp/tap.log 2>&1 || return
	asked=$(($(decisions) - before))
	echo "$asked decisions" >>/tmp/tap.log
}

# rows FEATURE VALUE NAME FILE: of the decisions that have it, another feature, sorted
rows()
{
	awk -F, -v key="$1" -v value="$2" -v name="$3" '
		NR == 2 { for (i = 1; i <= NF; i++) at[$i] = i }
		NR > 2 && $at[key] == value { print $at[name] }' "$4" | sort -n
}

read_file()
{
	fio --name=quiet --directory="$dir" --size=8m --bs=4k --fadvise_hint=0 \
		--ioengine=psync "$@"
}
read_file --rw=write --end_fsync=1 >/dev/null

asked read_file --rw=randread && [ "$asked" -gt 10 ]
result $? "a reader at random: asked"
asked read_file --rw=randread --fadvise_hint=random && [ "$asked" -eq 0 ]
result $? "who has said so (POSIX_FADV_RANDOM): not asked"
asked read_file --rw=read --direct=1 && [ "$asked" -eq 0 ]
result $? "who reads directly: not asked"
asked read_file --rw=read --directory=/dev/shm && [ "$asked" -eq 0 ]
result $? "tmpfs: not asked"
asked read_file --rw=read && read_file --rw=read >/dev/null
before=$(decisions)
read_file --rw=randread --invalidate=0 >/dev/null && [ "$(decisions)" -eq "$before" ]
result $? "who finds all in the page cache: not asked"
echo 0 >/sys/block/"$BENCH_DISK"/queue/read_ahead_kb
asked read_file --rw=read && [ "$asked" -eq 0 ]
result $? "read_ahead_kb of 0: not asked"
echo 128 >/sys/block/"$BENCH_DISK"/queue/read_ahead_kb

# A file without blocks, larger than memory: the rule has nothing to say to it
policy rule
truncate -s 1G "$dir/holes"
asked fio --name=holes --filename="$dir/holes" --rw=randread --bs=4k --io_size=16m \
	--ioengine=psync --fadvise_hint=0 --thinktime=500
[ "$asked" -gt 64 ] && [ "$asked" -lt 600 ]
result $? "4096 misses of a reader who is not helped: left alone and looked at again, asked $asked times"

# He is left alone, and others are told of him all the same
fio --name=holes --filename="$dir/holes" --rw=randread --bs=4k --time_based=1 --runtime=600 \
	--ioengine=psync --fadvise_hint=0 --thinktime=500 >/dev/null 2>&1 &
reader=$!
sleep 1
mlctl record readahead -o /tmp/beside.csv -t 600 >/dev/null 2>&1 &
recorder=$!
wait_until 20 test -s /tmp/beside.csv
asked read_file --rw=read
status=$?
kill "$reader"
sleep 1
kill -INT $recorder
wait
[ $status -eq 0 ] && [ "$(rows sync 1 others /tmp/beside.csv | awk '$1 > 80' | wc -l)" -gt 0 ]
result $? "a stream beside him: others miss, $(rows sync 1 others /tmp/beside.csv | tail -n 1) lg16 1/s"
rm -f "$dir/holes"

# Stock's short windows leave marks in a file that is half there. To meet one at
# random is no stream, and keeps nobody awake
policy none
read_file --filename=half --size=160m --rw=write --end_fsync=1 >/dev/null
start=$(cut -d. -f1 /proc/uptime)
asked read_file --filename=half --size=160m --rw=randread --norandommap --io_size=400m \
	--ioengine=io_uring --iodepth=16 &&
	[ "$asked" -lt $((300 + 100 * ($(cut -d. -f1 /proc/uptime) - start))) ]
result $? "102400 look-ups in a file that fills: left alone, asked $asked times"
rm -f "$dir"/half*
policy random

# ext4 reads a directory through the page cache of its disk
mkdir "$dir/names"
awk 'BEGIN { for (i = 0; i < 2000; i++)
	printf "of-a-name-that-long-few-fit-into-a-block-%d\n", i }' </dev/null |
	(cd "$dir/names" && xargs touch)
asked ls "$dir/names" && [ "$asked" -eq 0 ] &&
	try test "$(find "$dir/names" | wc -l)" -eq 2001
result $? "a directory: not asked"

mlctl record readahead -o /tmp/disk.csv -t 600 >/dev/null 2>&1 &
recorder=$!
wait_until 20 test -s /tmp/disk.csv
asked dd if=/dev/"$BENCH_DISK" of=/dev/null bs=16k count=1000 && [ "$asked" -gt 0 ]
result $? "a disk: asked"
sleep 1
kill -INT $recorder
wait
# 1 GiB is 2^18 pages
[ "$(rows marker 0 file /tmp/disk.csv | head -n 1)" = $((18 * 16)) ]
result $? "whose size is that of the disk: $(rows marker 0 file /tmp/disk.csv | head -n 1)"

# Each decision has its outcome when the consumer is switched off, at the latest
policy off
mlctl -j status readahead | tr ',{' '\n' |
	awk '/"decisions": / { made += $2 } /"outcomes": / { known += $2 }
		END { print made " decisions, " known " outcomes"
		exit !made || made != known }' >>/tmp/tap.log
result $? "each decision has an outcome"
tap_end
