# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: GPL-2.0-only
# What every script of the runner shares: messages, exit codes, the header
# parser. Sourced, never run.

# Exit codes of sysexits.h
readonly EX_USAGE=64 EX_DATAERR=65 EX_UNAVAILABLE=69 EX_CANTCREAT=73

say() { printf '%s\n' "$*"; }

# die [-x CODE] MESSAGE...: one clear line, then out
die()
{
	local code=1

	if [ "$1" = -x ]; then
		code=$2
		shift 2
	fi
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$code"
}

# as_root COMMAND...: through sudo where we are not root already
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die -x "$EX_UNAVAILABLE" "not root and no sudo: cannot run: $*"
	fi
}

# human_time SECONDS: 75 -> 1m15s
human_time()
{
	if [ "$1" -ge 60 ]; then
		printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
	else
		printf '%ds' "$1"
	fi
}

# megabytes SIZE: 512M or 1G -> MiB; fails on anything else
megabytes()
{
	case $1 in
	0* | [MG] | *[!0-9MG]* | *[MG]?*) return 1 ;;
	*M) printf '%d' "${1%M}" ;;
	*G) printf '%d' $((${1%G} * 1024)) ;;
	*) return 1 ;;
	esac
}

# words_of VALUE ALLOWED...: every word of VALUE is one of ALLOWED
words_of()
{
	local word

	[ -n "$1" ] || return 1
	for word in $1; do
		case " ${*:2} " in
		*" $word "*) ;;
		*) return 1 ;;
		esac
	done
}

# read_header FILE KIND: parse the comment lines at the top of a workload or
# policy FILE into the associative array H, with defaults filled in. A key the
# KIND does not have, one given twice, a missing one or a bad value ends the
# program: nothing may boot on a misunderstood file.
declare -gA H
read_header()
{
	local file=$1 kind=$2 line key value n=0 known

	H=()
	[ -r "$file" ] || die -x "$EX_DATAERR" "$file: cannot be read"
	case $kind in
	workload) known="about consumer split device memory needs metric package suite" ;;
	policy) known="about consumer suite cmdline needs files" ;;
	esac
	while IFS= read -r line || [ -n "$line" ]; do
		n=$((n + 1))
		case $line in
		'#'*) ;;
		*) break ;;
		esac
		[[ $line =~ ^'# '([a-z][a-z_-]*):[[:space:]]*(.*)$ ]] || continue
		key=${BASH_REMATCH[1]}
		value=${BASH_REMATCH[2]%"${BASH_REMATCH[2]##*[![:space:]]}"}
		case " $known " in
		*" $key "*) ;;
		*) die -x "$EX_DATAERR" "$file:$n: unknown key '$key' (a $kind has: $known)" ;;
		esac
		[ -z "${H[$key]+set}" ] ||
			die -x "$EX_DATAERR" "$file:$n: key '$key' given twice"
		[ -n "$value" ] || die -x "$EX_DATAERR" "$file:$n: key '$key' has no value"
		H[$key]=$value
	done <"$file"
	"check_$kind" "$file"
}

# bad_key FILE KEY EXPECTED: the value of KEY is not what it should be
bad_key()
{
	if [ -n "${H[$2]+set}" ]; then
		die -x "$EX_DATAERR" "$1: key '$2' is '${H[$2]}', expected $3"
	fi
	die -x "$EX_DATAERR" "$1: key '$2' is missing, expected $3"
}

# Of none is what runs only when it is named
suites_of() { [ "$1" = none ] || words_of "$1" smoke quick full; }

check_workload()
{
	local file=$1 mb

	: "${H[suite]:=quick full}"
	[ -n "${H[about]:-}" ] || bad_key "$file" about "one line of text"
	[[ ${H[consumer]:-} =~ ^(block|mm|sched)$ ]] ||
		bad_key "$file" consumer "block, mm or sched"
	[[ ${H[split]:-} =~ ^(train|test)$ ]] || bad_key "$file" split "train or test"
	words_of "${H[device]:-}" hdd ssd nvme cloud ||
		bad_key "$file" device "one or more of hdd ssd nvme cloud"
	suites_of "${H[suite]}" || bad_key "$file" suite "words of smoke quick full, or none"
	mb=$(megabytes "${H[memory]:-}") ||
		bad_key "$file" memory "a size such as 512M or 1G"
	{ [ "$mb" -ge 128 ] && [ "$mb" -le 2048 ]; } ||
		bad_key "$file" memory "128M to 2G"
	[[ ${H[metric]:-} =~ ^[A-Za-z0-9_.:-]+' '(higher|lower)$ ]] ||
		bad_key "$file" metric "NAME higher or NAME lower"
	case $file in
	*.fio | *.job | *.sh) ;;
	*) die -x "$EX_DATAERR" "$file: a workload is NAME.fio, NAME.job or NAME.sh" ;;
	esac
}

check_policy()
{
	: "${H[suite]:=full}"
	[ -n "${H[about]:-}" ] || bad_key "$1" about "one line of text"
	words_of "${H[consumer]:-}" all block mm sched ||
		bad_key "$1" consumer "all, or words of block mm sched"
	[ "${H[consumer]}" != all ] || H[consumer]="block mm sched"
	suites_of "${H[suite]}" || bad_key "$1" suite "words of smoke quick full, or none"
}
