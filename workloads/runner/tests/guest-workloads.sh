# shellcheck shell=dash disable=SC2016,SC2154
# SPDX-License-Identifier: GPL-2.0-only
# All block workloads of one device, one after the other in one guest, random
# readahead and the rule taking turns of two seconds. Kernels that watch themselves
# are slow, so each has $limit seconds from its bench-begin on. Does it come to its
# end or to that of its time, has anything been decided, and has the kernel nothing
# to say? consumers.sh adds the limit and the calls of workload().
export BENCH_SEED=1
begun=$BENCH_OUT/counters.begin

# Files written through the page cache, page by page, take minutes here, so
# large ones go around it. Put in front of shell workloads.
direct_dd='dd()
{
	case "$*" in
	*of=/tmp/*) ;;
	if=/dev/zero*bs=1M*) set -- "$@" oflag=direct ;;
	esac
	command dd "$@"
}'

# workload fio|sh NAME: stdin is the file
workload()
{
	clean
	cat >/tmp/workload
	# How far it is, and what a complaint of the kernel belongs to
	echo "workload $2" >/dev/kmsg
	policy random
	before=$(decisions)
	take_turns &
	turns=$!
	try limited "$1" && try test "$(decisions)" -gt "$before"
	result $? "$2: $how, $(($(decisions) - before)) decisions"
	{ kill $turns; wait $turns; } 2>/dev/null
	policy off
}

take_turns()
{
	while sleep 2 && mlctl mode readahead --backend rule &&
		sleep 2 && mlctl mode readahead --backend random
	do :; done >/dev/null
}

run_fio='fio --create_only=1 /tmp/job.fio && bench-begin &&
	fio --eta=never /tmp/job.fio'
run_sh='cd "$BENCH_DIR" && sh /tmp/script'

# limited fio|sh: run it in a process group, which is ended when its time is up
limited()
{
	rm -f "$begun"
	case $1 in
	fio)
		script=$run_fio
		{
			printf '[global]\ndirectory=%s\nrandseed=1\ncreate_fsync=0\n' \
				"$dir"
			cat /tmp/workload
		} >/tmp/job.fio
		make_files
		;;
	sh)
		script=$run_sh
		{ echo "$direct_dd"; cat /tmp/workload; } >/tmp/script
		;;
	esac
	{
		setsid sh -c "echo \$\$ >/tmp/group; $script"
		echo $? >/tmp/ended
	} &
	how="to its end" left=$limit
	until [ -s /tmp/ended ]; do
		sleep 1
		[ -e "$begun" ] || continue
		left=$((left - 1))
		[ $left -gt 0 ] || [ -s /tmp/ended ] || {
			how="for $limit s"
			end_group
		}
	done
	[ "$how" != "to its end" ] || return "$(cat /tmp/ended)"
}

# As direct_dd: fio takes files that are there already as they are
make_files()
{
	awk -F ' *= *' '
	function file(name, size) {
		if (size >= 1 && !(name in made)) print name, int(size)
		made[name]
	}
	function files(  job, nr, size) {
		size = is["filesize"] ? is["filesize"] : is["size"] / is["nrfiles"]
		if (is["filename"] != "") file(is["filename"], size)
		else for (job = 0; job < is["numjobs"]; job++)
			for (nr = 0; nr < is["nrfiles"]; nr++)
				file(name "." job "." nr, size)
	}
	BEGIN {
		all["numjobs"] = all["nrfiles"] = 1
		all["size"] = all["filesize"] = 0
		all["filename"] = ""
	}
	/^\[/ {
		if (name != "" && name != "global") files()
		name = substr($0, 2, length($0) - 2)
		for (key in all) is[key] = all[key]
	}
	# Small files are left to fio
	$1 ~ /size$/ { $2 = $2 ~ /m$/ ? $2 + 0 : 0 }
	$1 in all { if (name == "global") all[$1] = $2; else is[$1] = $2 }
	END { files() }' /tmp/job.fio | while read -r name size; do
		dd if=/dev/zero of="$dir/$name" bs=1M count="$size" \
			oflag=direct 2>/dev/null
	done
}

# Nothing of it is left when this returns
end_group()
{
	group=$(cat /tmp/group)
	kill -TERM -- "-$group"
	wait_until 120 gone || kill -KILL -- "-$group"
	wait_until 120 gone
}

gone() { ! kill -0 -- "-$group" 2>/dev/null; }

# The next one finds what it would find in a guest of its own
clean()
{
	rm -rf "${dir:?}"/*
	for file in /tmp/*; do
		case $file in
		/tmp/out | /tmp/tap.log) ;;
		*) rm -rf "$file" ;;
		esac
	done
}
