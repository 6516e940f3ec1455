# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# All block workloads of one device, one after the other in one guest, with
# random readahead and with the rule. Does each come to its end, and has the
# kernel nothing to say? consumers.sh adds the calls of workload().

# workload NAME: stdin is the job file
workload()
{
	{
		printf '[global]\ndirectory=%s\nrandseed=1\n' "$dir"
		cat
	} >/tmp/job.fio
	try fio --create_only=1 /tmp/job.fio
	result $? "$1: files"
	for backend in random rule; do
		policy $backend && cold
		before=$(decisions)
		try fio --eta=never /tmp/job.fio &&
			try test "$(decisions)" -gt "$before"
		result $? "$1: $backend, $(($(decisions) - before)) decisions"
	done
	policy off
	rm -rf "${dir:?}"/*
}
