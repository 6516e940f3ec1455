# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: GPL-2.0-only
# What bench runs: the selection variables, the workload and policy files, and
# the list of runs made from them. Sourced by bench.

is_count() { [[ $1 =~ ^[1-9][0-9]{0,4}$ ]]; }

check_arguments()
{
	[[ $SUITE =~ ^(smoke|quick|full|published)$ ]] ||
		die -x "$EX_USAGE" "SUITE=$SUITE: expected smoke, quick, full or published"
	[ -z "$CONSUMER" ] || words_of "$CONSUMER" block mm sched ||
		die -x "$EX_USAGE" "CONSUMER=$CONSUMER: expected block, mm or sched"
	[[ $ACCEL =~ ^(tcg|kvm|race)$ ]] ||
		die -x "$EX_USAGE" "ACCEL=$ACCEL: expected tcg or kvm"
	[ -z "$DEVICES" ] || words_of "$DEVICES" hdd ssd nvme cloud ||
		die -x "$EX_USAGE" "DEVICES=$DEVICES: expected words of hdd ssd nvme cloud"
	case $SUITE in
	smoke) : "${SEEDS:=1}" ;;
	quick) : "${SEEDS:=1}" ;;
	full) : "${SEEDS:=5}" ;;
	published)
		[ -z "$WORKLOADS$POLICIES$DEVICES$SEEDS" ] ||
			die -x "$EX_USAGE" "SUITE=published selects WORKLOADS, POLICIES, DEVICES and SEEDS itself"
		;;
	esac
	[ "$SUITE" = published ] || is_count "$SEEDS" || die -x "$EX_USAGE" "SEEDS=$SEEDS: expected a number from 1"
	is_count "$JOBS" || die -x "$EX_USAGE" "JOBS=$JOBS: expected a number from 1"
	[ "$MORE_MEMORY" = 0 ] || is_count "$MORE_MEMORY" ||
		die -x "$EX_USAGE" "MORE_MEMORY=$MORE_MEMORY: expected megabytes"
	is_count "$RUN_LIMIT" || die -x "$EX_USAGE" "RUN_LIMIT=$RUN_LIMIT: expected seconds from 1"
}

# The files to look at: the repository's, or what the user names
workload_files()
{
	local path found

	for path in ${WORKLOADS:-"$top"/workloads/block "$top"/workloads/mm "$top"/workloads/sched}; do
		if [ -d "$path" ]; then
			found=$(find "$path" -maxdepth 1 \( -name '*.fio' -o -name '*.job' -o -name '*.sh' \) | LC_ALL=C sort)
			[ -n "$found" ] || die -x "$EX_DATAERR" "$path: no workload (NAME.fio, NAME.job, NAME.sh) in it"
			printf '%s\n' "$found"
		elif [ -e "$path" ]; then
			printf '%s\n' "$path"
		else
			die -x "$EX_DATAERR" "WORKLOADS: $path is not there"
		fi
	done
}

# A policy by name or by file, so that people can bring their own
policy_files()
{
	local name

	for name in ${POLICIES:-"$top"/workloads/policies/*.sh}; do
		if [ -f "$name" ]; then
			printf '%s\n' "$name"
		elif [ -f "$top/workloads/policies/$name.sh" ]; then
			printf '%s\n' "$top/workloads/policies/$name.sh"
		else
			die -x "$EX_DATAERR" "POLICIES: no policy '$name' (see workloads/policies/)"
		fi
	done
}

# files_of POLICY: the files that it takes into the guest, one a line. Their
# paths begin at the repository, or where a policy of the user's lies.
files_of()
{
	local dir file

	dir=$(cd "$(dirname "$1")" && pwd)
	case $dir/ in
	"$top"/*) dir=$top ;;
	esac
	for file in ${POLICY_FILES[$1]}; do
		case $file in
		/*) printf '%s\n' "$file" ;;
		*) printf '%s\n' "$dir/$file" ;;
		esac
	done
}

# check_files POLICY: they are there, and their names are free in the guest
check_files()
{
	local file name names=" env workload policy.sh "

	while IFS= read -r file; do
		[ -f "$file" ] && [ -r "$file" ] ||
			die -x "$EX_DATAERR" "$1: its file $file is not there"
		name=${file##*/}
		case $names in
		*" $name "*) die -x "$EX_DATAERR" "$1: a second file with the name '$name'" ;;
		esac
		names+="$name "
	done < <(files_of "$1")
}

in_suite() { [ -n "$1" ] || case " $2 " in *" $SUITE "*) ;; *) false ;; esac; }

# group_of FILE SPLIT: what the workload can prove: test, train, held or blind
group_of()
{
	case ${1##*/} in
	held-*) echo held ;;
	blind-*) echo blind ;;
	*) echo "$2" ;;
	esac
}

# The consumer's workloads that a line of its list names, by name or by group
listed_workloads()
{
	local consumer=$1 names=$2 file name group used=" "

	for file in "$top/workloads/$consumer"/*.*; do
		read_header "$file" workload
		name=${file##*/}
		name=${name%.*}
		group=$(group_of "$file" "${H[split]}")
		! words_of "$name" "$names" && ! words_of "$group" "$names" || echo "$file"
		used+="$name $group "
	done
	words_of "$names" "$used" ||
		die -x "$EX_DATAERR" "consumers/$consumer/published: not all of '$names' are workloads"
}

# What results/ holds: consumers/*/published has a line for each part
plan_published()
{
	local consumer list found=false WORKLOADS POLICIES SEEDS

	for consumer in ${CONSUMER:-block mm sched}; do
		list=$top/consumers/$consumer/published
		[ -f "$list" ] || continue
		found=true
		while IFS='|' read -r SEEDS WORKLOADS POLICIES; do
			case $SEEDS in
			'#'*) continue ;;
			esac
			SEEDS=${SEEDS// /}
			is_count "$SEEDS" ||
				die -x "$EX_DATAERR" "$list: '$SEEDS': expected SEEDS | WORKLOADS | POLICIES"
			WORKLOADS=$(listed_workloads "$consumer" "$WORKLOADS") || exit
			SEEN=()
			plan_selected
		done <"$list"
	done
	"$found" || die -x "$EX_USAGE" "SUITE=published: nothing is published of '$CONSUMER'"
}

# Every file is read and checked here, before anything boots. Fills RUNS with
# "consumer|workload|split|device|policy|seed|memory|metric|file|policy file"
declare -a RUNS=()
declare -A POLICY_CONSUMERS=() POLICY_CMDLINE=() POLICY_NEEDS=() POLICY_FILES=() PROGRAMS=() PACKAGES=() SEEN=() PLANNED=()
plan()
{
	if [ "$SUITE" = published ]; then
		plan_published
	else
		plan_selected
	fi
}

plan_selected()
{
	local list file policies=() workloads=() seed device policy name entry need
	local -A CHECKED=()

	list=$(policy_files) || exit
	mapfile -t POLICY_LIST <<<"$list"
	for file in "${POLICY_LIST[@]}"; do
		read_header "$file" policy
		in_suite "$POLICIES" "${H[suite]}" || continue
		policies+=("$file")
		POLICY_CONSUMERS[$file]=${H[consumer]}
		POLICY_CMDLINE[$file]=${H[cmdline]:-}
		POLICY_NEEDS[$file]=${H[needs]:-}
		POLICY_FILES[$file]=${H[files]:-}
	done
	list=$(workload_files) || exit
	mapfile -t WORKLOAD_LIST <<<"$list"
	for file in "${WORKLOAD_LIST[@]}"; do
		read_header "$file" workload
		in_suite "$WORKLOADS" "${H[suite]}" || continue
		[ -z "$CONSUMER" ] || words_of "${H[consumer]}" "$CONSUMER" || continue
		name=${file##*/}
		name=${name%.*}
		[[ $name =~ ^[A-Za-z0-9._-]+$ ]] ||
			die -x "$EX_DATAERR" "$file: a workload's name is letters, digits, '.', '_' and '-'"
		device=${DEVICES:-${H[device]}}
		[ -n "$DEVICES" ] || [[ $SUITE =~ ^(full|published)$ ]] || device=${device%% *}
		entry=${H[consumer]}/$name
		[ -z "${SEEN[$entry]:-}" ] ||
			die -x "$EX_DATAERR" "$file: workload '$entry' is there already: ${SEEN[$entry]}"
		SEEN[$entry]=$file
		case $file in
		*.fio) PROGRAMS[fio]=1 ;;
		*.job) PROGRAMS[stress-ng]=1 ;;
		esac
		for entry in ${H[needs]:-}; do PROGRAMS[$entry]=1; done
		for entry in ${H[package]:-}; do PACKAGES[$entry]=1; done
		workloads+=("${H[consumer]}|$name|${H[split]}|$device|$(megabytes "${H[memory]}")|${H[metric]}|$file")
	done
	[ ${#workloads[@]} -gt 0 ] || die -x "$EX_DATAERR" "no workload is selected"

	for ((seed = 1; seed <= SEEDS; seed++)); do
		for entry in "${workloads[@]}"; do
			local consumer split devices memory metric
			IFS='|' read -r consumer name split devices memory metric file <<<"$entry"
			for device in $devices; do
				for policy in "${policies[@]}"; do
					words_of "$consumer" "${POLICY_CONSUMERS[$policy]}" || continue
					for need in ${POLICY_NEEDS[$policy]}; do PROGRAMS[$need]=1; done
					[ -n "${CHECKED[$policy]:-}" ] || check_files "$policy"
					CHECKED[$policy]=1
					local base=${policy##*/}
					local run="$consumer|$name|$split|$device|${base%.sh}|$seed|$memory|$metric|$file|$policy"
					[ -z "${PLANNED[$run]:-}" ] || continue
					PLANNED[$run]=1
					RUNS+=("$run")
				done
			done
		done
	done
	[ ${#RUNS[@]} -gt 0 ] || die -x "$EX_DATAERR" "no policy fits the selected workloads"
}
