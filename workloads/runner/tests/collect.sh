#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# From a run's files to rows: small inputs of each kind, and broken ones.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
prefix=block,w,test,ssd,stock,1

# fresh: a run's directory with counters; energy only where asked for
fresh()
{
	rm -rf "$tmp/run"
	mkdir "$tmp/run"
	printf 'jiffies 100\ncpu_ns 1000\ndisk_read_sectors 8\nvm_pswpin 5\nenergy_uj 1000000\ntransitions 1\nbusy_ns_408000 0\nbusy_ns_1800000 10\n' >"$tmp/run/counters.begin"
	printf 'jiffies 2100\ncpu_ns 500001000\ndisk_read_sectors 2008\nvm_pswpin 9\nenergy_uj 3500000\ntransitions 4\nbusy_ns_408000 1000000000\nbusy_ns_1800000 1000000010\n' >"$tmp/run/counters.end"
	[ "${1:-}" = energy ] || sed -i '/energy/d' "$tmp"/run/counters.*
}
collect() { "$here/../collect" "$tmp/run" "$prefix" "$@"; }

fresh
printf 'hello\nmetric lat_p99 12.5 us\nmetric done 7 1\n' >"$tmp/run/metrics"
expect "a script's metrics" 0 "$prefix,lat_p99,us,12.5" collect lat_p99 lower
expect "the primary metric" 0 "$prefix,primary.lower.lat_p99,us,12.5" collect lat_p99 lower
expect "elapsed is a difference" 0 "$prefix,elapsed,s,2" collect lat_p99 lower
expect "cpu time in seconds" 0 "$prefix,cpu_time,s,0.5" collect lat_p99 lower
expect "bytes read" 0 "$prefix,dev_read,B,1024000" collect lat_p99 lower
expect "pages swapped in" 0 "$prefix,swap_in,pages,4" collect lat_p99 lower
expect "no such metric" 65 "no metric 'speed'" collect speed higher
fresh energy
printf 'metric delay 4 ms\n' >"$tmp/run/metrics"
expect "energy in joules" 0 "$prefix,energy,J,2.5" collect delay lower
expect "energy x delay" 0 "$prefix,primary.lower.energy_delay,J*ms,10" collect energy_delay lower
expect "residency" 0 "$prefix,residency_408000,s,1" collect delay lower
expect "mean frequency" 0 "$prefix,freq_mean,MHz,1104" collect delay lower

fresh
cat >"$tmp/run/stress-ng.yaml" <<'END'
---
metrics:
    - stressor: vm
      bogo-ops-per-second-real-time: 100.500000
    - stressor: mmap
      bogo-ops-per-second-real-time: 20.000000
times:
      stressor: none
END
expect "stress-ng's total" 0 "$prefix,ops,1/s,120.500000" collect ops higher
expect "stress-ng's parts" 0 "$prefix,mmap:ops,1/s,20.000000" collect mmap:ops higher

fresh
job() { printf '{"jobname":"%s","read":{"total_ios":%s,"bw_bytes":2000000,"iops":10,"io_bytes":400,"clat_ns":{"mean":5000,"percentile":{"50.000000":4000,"99.900000":9000}}},"write":{"total_ios":0,"bw_bytes":0,"iops":0}}' "$1" "$2"; }
printf '{"jobs":[%s]}' "$(job one 3)" >"$tmp/run/fio.json"
expect "fio bandwidth" 0 "$prefix,read_bw,MB/s,2" collect read_bw higher
expect "fio percentile" 0 "$prefix,read_lat_p99.9,us,9" collect read_bw higher
expect "fio useful bytes" 0 "$prefix,useful_read,B,400" collect read_bw higher
printf '{"jobs":[%s,%s]}' "$(job a 3)" "$(job b 3)" >"$tmp/run/fio.json"
expect "two fio jobs: the total" 0 "$prefix,read_bw,MB/s,4" collect read_bw higher
expect "two fio jobs: each" 0 "$prefix,primary.lower.b:read_lat_p50,us,4" collect b:read_lat_p50 lower
# clone IOS BYTES/S MEAN BINS: one of a job with numjobs=
clone() { printf '{"jobname":"c","read":{"total_ios":%s,"bw_bytes":%s,"iops":10,"io_bytes":400,"clat_ns":{"mean":%s,"percentile":{"50.000000":1,"90.000000":1},"bins":{%s}}},"write":{"total_ios":0,"bw_bytes":0,"iops":0}}' "$@"; }
clones="$(clone 3 2000000 1000 '"1000":3'),$(clone 7 4000000 11000 '"9000":1,"1000":2,"14000":4'),$(clone 0 0 0 '')"
printf '{"jobs":[%s]}' "$clones" >"$tmp/run/fio.json"
expect "clones are one job: bandwidth" 0 "$prefix,read_bw,MB/s,6" collect read_bw higher
expect "clones: the mean of all requests" 0 "$prefix,read_lat_mean,us,8" collect read_bw higher
expect "clones: their median" 0 "$prefix,read_lat_p50,us,1" collect read_bw higher
expect "clones: another percentile" 0 "$prefix,read_lat_p90,us,14" collect read_bw higher
expect "clones: nothing comes twice" 0 "1" sh -c \
	"'$here/../collect' '$tmp/run' '$prefix' read_bw higher | grep -c ',read_bw,'"
printf '{"jobs":[%s,%s]}' "$(job b 3)" "$clones" >"$tmp/run/fio.json"
expect "clones beside another job: the total" 0 "$prefix,read_bw,MB/s,8" collect read_bw higher
expect "clones beside another job: their own" 0 "$prefix,primary.higher.c:read_bw,MB/s,6" collect c:read_bw higher

broken()
{
	! collect "$@" >"$tmp/out" 2>"$tmp/err" &&
		grep -q "results cannot be read" "$tmp/err"
}
printf '{"jobs":[' >"$tmp/run/fio.json"
broken read_bw higher
tap $? "truncated fio.json is refused" "$tmp/err"
fresh
printf 'metric delay fast ms\n' >"$tmp/run/metrics"
broken delay lower
tap $? "a metric that is no number is refused" "$tmp/err"
tap_end
