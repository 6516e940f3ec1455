# SPDX-License-Identifier: GPL-2.0-only
# about: DAMON pages out what was not touched for a second
# consumer: mm
# suite: full
# DAMON_RECLAIM would be the ready-made form; in 6.12 it starts without its
# scheme, so the same scheme is built here through DAMON's sysfs files.
set -u

die()
{
	echo "$1" >&2
	exit 1
}

# put FILE VALUE: FILE is below the directory of the one DAMON thread
put()
{
	{ echo "$2" >"$base/$1" && [ "$(cat "$base/$1")" = "$2" ]; } 2>/dev/null ||
		die "$base/$1 did not take '$2'"
}

base=/sys/kernel/mm/damon/admin/kdamonds
put nr_kdamonds 1
base=$base/0
put contexts/nr_contexts 1
base=$base/contexts/0
put operations paddr

# The region to watch: the largest piece of System RAM.
start=0
end=0
while read -r range _ name; do
	[ "$name" = "System RAM" ] || continue
	from=$((0x${range%-*}))
	to=$((0x${range#*-} + 1))
	if [ $((to - from)) -gt $((end - start)) ]; then
		start=$from
		end=$to
	fi
done </proc/iomem
[ "$end" -gt 0 ] || die "no System RAM in /proc/iomem"
put targets/nr_targets 1
put targets/0/regions/nr_regions 1
put targets/0/regions/0/start "$start"
put targets/0/regions/0/end "$end"

# Look every 5 ms, count for 100 ms.
put monitoring_attrs/intervals/sample_us 5000
put monitoring_attrs/intervals/aggr_us 100000
put monitoring_attrs/intervals/update_us 1000000
put monitoring_attrs/nr_regions/min 10
put monitoring_attrs/nr_regions/max 200

# Not touched in ten counts: page it out, with at most 5 % of the CPU.
put schemes/nr_schemes 1
scheme=schemes/0
put $scheme/action pageout
put $scheme/access_pattern/sz/min 4096
put $scheme/access_pattern/sz/max "$((end - start))"
put $scheme/access_pattern/nr_accesses/min 0
put $scheme/access_pattern/nr_accesses/max 0
put $scheme/access_pattern/age/min 10
put $scheme/access_pattern/age/max 4294967295
put $scheme/quotas/ms 5
put $scheme/quotas/reset_interval_ms 100
put $scheme/watermarks/metric none

base=${base%/contexts/0}
put state on
