#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The figures of a small results.csv that was made up so that they are known.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../../workloads/runner/tests/tap.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
header=consumer,workload,split,device,policy,seed,metric,unit,value

# run WORKLOAD SPLIT DEVICE POLICY PRIMARY VALUE... : one seed a value; CPU time
# is 1 s, with trees 1.1, with agent 2.2
run()
{
	local prefix=block,$1,$2,$3,$4 primary=$5 cpu=1 seed=0 value

	case $4 in
	trees) cpu=1.1 ;;
	agent) cpu=2.2 ;;
	esac
	for value in "${@:6}"; do
		seed=$((seed + 1))
		echo "$prefix,$seed,cpu_time,s,$cpu"
		echo "$prefix,$seed,$primary,x,$value"
	done
}

{
	echo "$header"
	for policy in stock:100,100 stock2:50,200 static-ra-2m:200,200 static-ra-16k:50,50 \
		heuristic:75,75 trees:150,150 agent:140,140; do
		IFS=:, read -r name one two <<<"$policy"
		run stride-a test cloud "$name" primary.higher.read_bw "$one" "$two"
	done
	for policy in stock:10 static-ra-2m:8 heuristic:12.5 trees:12.5 agent:12.5; do
		run phases test cloud "${policy%:*}" primary.lower.elapsed "${policy#*:}" "${policy#*:}"
	done
	run held-columns test nvme stock primary.higher.read_bw 10 10
	run held-columns test nvme trees primary.higher.read_bw 40 10
	run blind-boot test nvme stock primary.lower.elapsed 30 30
	run blind-boot test nvme trees primary.lower.elapsed 10 10
	run seq train hdd stock primary.higher.read_bw 10 10
	run seq train hdd trees primary.higher.read_bw 30 30
	for policy in stock:100:200:50 static-none:80:150:40 static-bfq:50:100:30 trees-ml:40:110:20; do
		IFS=: read -r name p99 bw mean <<<"$policy"
		run scan-beside-lookups test ssd "$name" primary.lower.lookups:read_lat_p99 "$p99"
		echo "block,scan-beside-lookups,test,ssd,$name,1,scan:read_bw,MB/s,$bw"
		echo "block,scan-beside-lookups,test,ssd,$name,1,lookups:read_bw,MB/s,1"
		echo "block,scan-beside-lookups,test,ssd,$name,1,lookups:read_lat_mean,us,$mean"
	done
	echo "block,stride-b,test,hdd,trees,1,failed,oom,1"
	echo "mm,other,test,ssd,trees,1,primary.higher.x,x,1"
} >"$tmp/results.csv"
"$here/../figures" "$tmp/results.csv" >"$tmp/figures.md" 2>"$tmp/err"
tap $? "figures ends well" "$tmp/err"

has()
{
	grep -qxF -- "$2" "$tmp/figures.md"
	tap $? "$1" "$tmp/figures.md"
}
lacks()
{
	! grep -qF -- "$2" "$tmp/figures.md"
	tap $? "$1" "$tmp/figures.md"
}
has "geometric mean over workloads, with the worst" \
	"| trees / stock, test | × 1.095 | 1.095 to 1.095 | 2 of 3 | worst × 0.800, phases (cloud) |"
has "what is below 0.97 is counted" \
	"| trees / stock below 0.97, test | 1 |  | 2 | listed below |"
has "and listed, beside what chance does to stock" \
	"| phases | cloud | test | 0.800 | 0.800 to 0.800 | **0.800** | 1.000 |"
has "held-out workloads are alone, with the seeds' spread" \
	"| trees / stock, held out | × 2.000 | 1.000 to 4.000 | 1 | worst × 2.000, held-columns (nvme) |"
has "so are those of training" \
	"| trees / stock, train | × 3.000 | 3.000 to 3.000 | 1 | worst × 3.000, seq (hdd) |"
has "against the rule" \
	"| trees / heuristic, test | × 1.414 | 1.414 to 1.414 | 2 of 3 | worst × 1.000, phases (cloud) |"
has "strided, by device" \
	"| strided on cloud: trees / stock, test | × 1.500 | 1.500 to 1.500 | 1 | worst × 1.500, stride-a (cloud) |"
has "blind workloads are alone" \
	"| trees / stock, blind | × 3.000 | 3.000 to 3.000 | 1 | worst × 3.000, blind-boot (nvme) |"
has "held-out strided" \
	"| strided on nvme: trees / stock, held out | × 2.000 | 1.000 to 4.000 | 1 | worst × 2.000, held-columns (nvme) |"
has "the gap that is closed: median of 50 % and -80 %" \
	"| gap from stock to the best static of each, closed by trees (median), test | -15 % |  | 2 with a gap of 3 % or more, of 3 | least -80 %, phases (cloud) |"
has "mixes and phases against the best static" \
	"| mixes and phases: trees / best static (or stock) of each, test | × 0.640 |  | 1 | worst × 0.640, phases (cloud) |"
has "the agent keeps 0.0583 of 0.0954" \
	"| benefit of trees that agent keeps, test | 61 % |  | 2 | agent / stock × 1.058, trees / stock × 1.095 |"
has "at twice the CPU time" "| CPU time, agent / trees, test | × 2.000 | 2.000 to 2.000 | 2 |  |"
has "the best scheduler is the bar" \
	"| scan-beside-lookups | ssd | test | bfq (best scheduler) | 50.0 | 30.0 | 100.0 | 1 | | 1 | 1 |"
has "p99 and throughput against it" \
	"| scan-beside-lookups | ssd | test | trees-ml | 40.0 | 20.0 | 110.0 | 1.250 |  | 1.500 | 1.100 |"
has "and in one line for each device" \
	"| p99 of lookups beside a scan on ssd: trees-ml / best scheduler, test | × 1.250 |  | 1 | worst × 1.250, scan-beside-lookups (ssd); the scan × 1.100, worst × 1.100 |"
has "the noise" \
	"| noise: stock once more / stock, test | × 1.000 | 0.500 to 2.000 | 1 of 3 | worst × 1.000, stride-a (cloud) |"
lacks "what was not run at all has no line" "random / stock"
has "what is missing is said" \
	"| scan-beside-lookups | ssd | test | heuristic-ml | not run | | | | | | |"
has "failed runs" "- stride-b hdd trees 1: oom"
has "each workload" \
	"| stride-a | cloud | test | 1.500 | **0.750** | 1.400 | 2.000 | ra-2m | 50 % | 1.100 | 2.200 |"
echo "$header" >"$tmp/empty.csv"
expect "no rows" 0 "Figures" "$here/../figures" "$tmp/empty.csv"
echo nonsense >"$tmp/empty.csv"
expect "not a results.csv" 65 "is not a results.csv" "$here/../figures" "$tmp/empty.csv"
expect "no such file" 65 "cannot be read" "$here/../figures" "$tmp/none.csv"
expect "--help" 0 "usage:" "$here/../figures" --help
tap_end
