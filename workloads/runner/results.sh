# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: GPL-2.0-only
# What bench keeps: results.csv, manifest.json, and the rule for going on with
# an earlier OUT. Sourced by bench.

readonly CSV_HEADER=consumer,workload,split,device,policy,seed,metric,unit,value

# What this run's figures depend on; a resumed OUT must agree with it
identity()
{
	jq -n --arg kernel "$(make -s -C "$top/build/linux" kernelversion)" \
		--arg config "$(sha256sum <"$KERNEL_DIR/.config" | cut -d' ' -f1)" \
		--arg image "$(sha256sum <"$KERNEL_DIR/arch/x86/boot/bzImage" | cut -d' ' -f1)" \
		--arg initramfs "$(sha256sum <"$IMAGE" | cut -d' ' -f1)" \
		--arg accel "$ACCEL" \
		'{kernel: $kernel, config_sha256: $config, image_sha256: $image,
		  initramfs_sha256: $initramfs, accel: $accel}'
}

# The files of this plan: {"NAME of POLICY": hash, "workload NAME": hash}
files_sums()
{
	local policy file

	{
		printf '%s\n' "${RUNS[@]}" | cut -d'|' -f9 | LC_ALL=C sort -u | while IFS= read -r file; do
			printf 'workload %s %s\n' "${file##*/}" "$(sha256sum <"$file" | cut -d' ' -f1)"
		done
		policy_files_sums
	} | jq -nR '[inputs | capture("^(?<key>.*) (?<value>[^ ]*)$")] | from_entries'
}

policy_files_sums()
{
	local policy file

	for policy in "${!POLICY_FILES[@]}"; do
		while IFS= read -r file; do
			[ ! -r "$file" ] || printf '%s of %s %s\n' "${file##*/}" \
				"${policy##*/}" "$(sha256sum <"$file" | cut -d' ' -f1)"
		done < <(files_of "$policy")
	done | LC_ALL=C sort
}

write_manifest()
{
	local packages

	packages=$(dpkg-query -W -f '${Package} ${Version}\n' qemu-system-x86 fio \
		stress-ng rt-app rt-tests linux-source-6.12 gcc busybox-static \
		gnuplot-nox 2>/dev/null || true)
	# Paths in the repository are told from there
	jq -n --argjson identity "$IDENTITY" \
		--arg qemu "$(qemu-system-x86_64 --version | head -n 1)" \
		--arg packages "$packages" \
		--arg commit "$COMMIT" --argjson dirty "$DIRTY" \
		--arg consumer "$CONSUMER" --arg suite "$SUITE" --arg workloads "${WORKLOADS//"$top"\//}" \
		--arg policies "${POLICIES//"$top"\//}" --arg devices "$DEVICES" \
		--argjson seeds "${SEEDS:-null}" --argjson jobs "$JOBS" \
		--argjson runs "$(runs_kept rows.csv failed.csv | wc -l)" \
		--argjson failed "$(runs_kept failed.csv | wc -l)" \
		--argjson files "$FILES" --argjson earlier "$EARLIER" \
		--argjson complete "$1" --argjson wall "$SECONDS" '
		$identity + {files_sha256: $files,
		qemu: $qemu, commit: $commit, uncommitted_changes: $dirty,
		packages: ($packages | split("\n") | map(select(. != "") | split(" ")
			| {(.[0]): .[1]}) | add),
		command: {CONSUMER: $consumer, SUITE: $suite, WORKLOADS: $workloads,
			POLICIES: $policies, DEVICES: $devices, SEEDS: $seeds, JOBS: $jobs},
		earlier: $earlier,
		runs: $runs, failed: $failed, complete: $complete,
		wall_seconds: $wall}' >"$OUT/manifest.json.new" &&
	mv "$OUT/manifest.json.new" "$OUT/manifest.json" ||
		die -x "$EX_CANTCREAT" "$OUT/manifest.json cannot be written"
}

# runs_kept FILE...: the runs in OUT that have one of the files
runs_kept()
{
	local file

	for file in "$@"; do
		find "$OUT/runs" -mindepth 2 -maxdepth 2 -name "$file"
	done | LC_ALL=C sort
}

# results.csv in the order of names, whatever order the guests ended in and
# however many commands they are from
rewrite_csv()
{
	{
		say "$CSV_HEADER"
		runs_kept rows.csv failed.csv | xargs -rd '\n' cat
	} >"$OUT/results.csv.new" && mv "$OUT/results.csv.new" "$OUT/results.csv" || lost_disk
}

# A directory that was kept without its runs, as those in results/ are, is gone
# on with by what its results.csv says
restore_runs()
{
	local tmp file run

	[ -f "$OUT/results.csv" ] || return 0
	tmp=$(mktemp -d "$OUT/.restore.XXXXXX") || lost_disk
	awk -F, -v tmp="$tmp" 'NR > 1 && NF == 9 {
		file = tmp "/" $1 "." $2 "." $4 "." $5 "." $6
		if (file != last) close(last)
		print >>file
		last = file
	}' "$OUT/results.csv" || lost_disk
	for file in "$tmp"/*; do
		[ -e "$file" ] || continue
		run=$OUT/runs/${file##*/}
		[ ! -f "$run/rows.csv" ] && [ ! -f "$run/failed.csv" ] || continue
		mkdir -p "$run" || lost_disk
		if grep -q '^[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,primary\.' "$file"; then
			mv "$file" "$run/rows.csv"
		elif grep -q ',failed,[a-z]*,1$' "$file"; then
			mv "$file" "$run/failed.csv"
		else
			rmdir "$run" 2>/dev/null || true
		fi
	done
	rm -rf "$tmp"
}

prepare_out()
{
	local was run dir consumer name split device policy seed

	: "${OUT:=$top/build/results/$SUITE-$(date +%Y%m%d-%H%M%S)}"
	mkdir -p "$OUT/runs" 2>/dev/null || die -x "$EX_CANTCREAT" "OUT=$OUT cannot be made"
	OUT=$(cd "$OUT" && pwd)
	[ "$ACCEL" != kvm ] || probe_kvm
	IDENTITY=$(identity)
	FILES=$(files_sums)
	# Now: the tree may change while guests run
	COMMIT=$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)
	DIRTY=false
	[ -z "$(git -C "$top" status --porcelain 2>/dev/null)" ] || DIRTY=true
	if [ -f "$OUT/manifest.json" ]; then
		was=$(jq --argjson now "$IDENTITY" 'with_entries(select(.key | in($now)))' "$OUT/manifest.json" 2>/dev/null) &&
		[ "$(jq -nS --argjson a "$was" '$a')" = "$(jq -nS --argjson a "$IDENTITY" '$a')" ] ||
			die -x "$EX_DATAERR" "OUT=$OUT holds results of another kernel, initramfs or accelerator: choose another OUT"
	fi
	# A model or workload that has changed since is another one; those of what
	# is not in this plan stay in the manifest
	if [ -f "$OUT/manifest.json" ]; then
		was=$(jq '.files_sha256 // {}' "$OUT/manifest.json")
		jq -en --argjson was "$was" --argjson now "$FILES" \
			'$was + $now == $now + $was' >/dev/null ||
			die -x "$EX_DATAERR" "OUT=$OUT holds results with other files ($(jq -nr --argjson was "$was" \
				--argjson now "$FILES" '[$now | keys[] | select($was[.] != null and $was[.] != $now[.])] | join(", ")')): choose another OUT"
		FILES=$(jq -n --argjson was "$was" --argjson now "$FILES" '$was + $now')
	fi
	EARLIER='[]'
	if [ -f "$OUT/manifest.json" ]; then
		EARLIER=$(jq '(.earlier // []) + [{commit, uncommitted_changes, command}] | unique' "$OUT/manifest.json")
	fi
	restore_runs
	# Failed and unfinished runs of this plan are done again
	for run in "${RUNS[@]}"; do
		IFS='|' read -r consumer name split device policy seed _ <<<"$run"
		dir=$(run_dir "$consumer" "$name" "$split" "$device" "$policy" "$seed")
		[ ! -d "$dir" ] || [ -f "$dir/rows.csv" ] || rm -rf "$dir"
	done
}
