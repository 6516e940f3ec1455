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
		--arg accel "$ACCEL" --arg suite "$SUITE" \
		'{kernel: $kernel, config_sha256: $config, image_sha256: $image,
		  initramfs_sha256: $initramfs, accel: $accel, suite: $suite}'
}

# The policies' files of this run: {"NAME of POLICY": hash}
policy_files_sums()
{
	local policy file

	for policy in "${!POLICY_FILES[@]}"; do
		while IFS= read -r file; do
			[ ! -r "$file" ] || printf '%s of %s %s\n' "${file##*/}" \
				"${policy##*/}" "$(sha256sum <"$file" | cut -d' ' -f1)"
		done < <(files_of "$policy")
	done | LC_ALL=C sort | jq -nR '[inputs | capture("^(?<key>.*) (?<value>[^ ]*)$")] | from_entries'
}

write_manifest()
{
	local packages

	packages=$(dpkg-query -W -f '${Package} ${Version}\n' qemu-system-x86 fio \
		stress-ng rt-app rt-tests linux-source-6.12 gcc busybox-static \
		gnuplot-nox 2>/dev/null || true)
	jq -n --argjson identity "$IDENTITY" \
		--arg qemu "$(qemu-system-x86_64 --version | head -n 1)" \
		--arg packages "$packages" \
		--arg commit "$COMMIT" --argjson dirty "$DIRTY" \
		--arg consumer "$CONSUMER" --arg workloads "$WORKLOADS" \
		--arg policies "$POLICIES" --arg devices "$DEVICES" \
		--argjson seeds "$SEEDS" --argjson jobs "$JOBS" \
		--argjson planned "${#RUNS[@]}" --argjson failed "$FAILED" \
		--argjson files "$FILES" \
		--argjson complete "$1" --argjson wall "$SECONDS" '
		$identity + {files_sha256: $files,
		qemu: $qemu, commit: $commit, uncommitted_changes: $dirty,
		packages: ($packages | split("\n") | map(select(. != "") | split(" ")
			| {(.[0]): .[1]}) | add),
		command: {CONSUMER: $consumer, WORKLOADS: $workloads,
			POLICIES: $policies, DEVICES: $devices, SEEDS: $seeds, JOBS: $jobs},
		runs: $planned, failed: $failed, complete: $complete,
		wall_seconds: $wall}' >"$OUT/manifest.json.new" &&
	mv "$OUT/manifest.json.new" "$OUT/manifest.json" ||
		die -x "$EX_CANTCREAT" "$OUT/manifest.json cannot be written"
}

# results.csv in the plan's order, whatever order the guests ended in
rewrite_csv()
{
	local run consumer name split device policy seed dir

	{
		say "$CSV_HEADER"
		for run in "${RUNS[@]}"; do
			IFS='|' read -r consumer name split device policy seed _ <<<"$run"
			dir=$(run_dir "$consumer" "$name" "$split" "$device" "$policy" "$seed")
			[ ! -f "$dir/rows.csv" ] || cat "$dir/rows.csv"
			[ ! -f "$dir/failed.csv" ] || cat "$dir/failed.csv"
		done
	} >"$OUT/results.csv.new" && mv "$OUT/results.csv.new" "$OUT/results.csv" || lost_disk
}

prepare_out()
{
	local was

	: "${OUT:=$top/build/results/$SUITE-$(date +%Y%m%d-%H%M%S)}"
	mkdir -p "$OUT/runs" 2>/dev/null || die -x "$EX_CANTCREAT" "OUT=$OUT cannot be made"
	OUT=$(cd "$OUT" && pwd)
	[ "$ACCEL" != kvm ] || probe_kvm
	IDENTITY=$(identity)
	FILES=$(policy_files_sums)
	# Now: the tree may change while guests run
	COMMIT=$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)
	DIRTY=false
	[ -z "$(git -C "$top" status --porcelain 2>/dev/null)" ] || DIRTY=true
	if [ -f "$OUT/manifest.json" ]; then
		was=$(jq --argjson now "$IDENTITY" 'with_entries(select(.key | in($now)))' "$OUT/manifest.json" 2>/dev/null) &&
		[ "$(jq -nS --argjson a "$was" '$a')" = "$(jq -nS --argjson a "$IDENTITY" '$a')" ] ||
			die -x "$EX_DATAERR" "OUT=$OUT holds results of another kernel, initramfs, suite or accelerator: choose another OUT"
	fi
	# A model that has changed since is another policy; what other policies
	# took stays in the manifest
	if [ -f "$OUT/manifest.json" ]; then
		was=$(jq '.files_sha256 // {}' "$OUT/manifest.json")
		jq -en --argjson was "$was" --argjson now "$FILES" \
			'$was + $now == $now + $was' >/dev/null ||
			die -x "$EX_DATAERR" "OUT=$OUT holds results with other files of the policies ($(jq -nr --argjson was "$was" \
				--argjson now "$FILES" '[$now | keys[] | select($was[.] != null and $was[.] != $now[.])] | join(", ")')): choose another OUT"
		FILES=$(jq -n --argjson was "$was" --argjson now "$FILES" '$was + $now')
	fi
	# Failed and unfinished runs are done again
	find "$OUT/runs" -mindepth 1 -maxdepth 1 -type d | while read -r dir; do
		[ -f "$dir/rows.csv" ] || rm -rf "$dir"
	done
}
