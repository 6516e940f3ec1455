# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# TAP for the runner's tests. Sourced; tap_end prints the plan.
tap_count=0 tap_failed=0

# tap STATUS NAME [DETAIL-FILE]: one result; the file is shown on failure
tap()
{
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tap_count" "$2"
	else
		tap_failed=$((tap_failed + 1))
		printf 'not ok %d - %s\n' "$tap_count" "$2"
		[ -z "${3:-}" ] || sed 's/^/# /' "$3"
	fi
}

# expect NAME STATUS TEXT COMMAND...: exit status and one line that says TEXT
expect()
{
	local name=$1 status=$2 text=$3 got=0 lines

	shift 3
	"$@" >"$tmp/out" 2>&1 || got=$?
	lines=$(wc -l <"$tmp/out")
	{
		printf 'status %s, expected %s; %s lines; expected text: %s\n' \
			"$got" "$status" "$lines" "$text"
		cat "$tmp/out"
	} >"$tmp/detail"
	[ "$got" -eq "$status" ] && grep -qF -- "$text" "$tmp/out" &&
		{ [ "$status" -eq 0 ] || [ "$lines" -eq 1 ]; }
	tap $? "$name" "$tmp/detail"
}

tap_end()
{
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" -eq 0 ]
}
