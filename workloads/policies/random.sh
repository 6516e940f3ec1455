# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: an even draw of all actions, 15 of 16 time slots: exploration
# consumer: block
# suite: full
# needs: mlctl
set -u

param=/sys/module/ml_readahead/parameters/enable
echo 1 >"$param" && [ "$(cat "$param")" = Y ] || exit 1
state=$(mlctl -j mode readahead --backend random --pin recommendation) || exit 1
case $state in
*'"mode": "recommendation"'*) ;;
*)
	echo "readahead did not take the backend random: $state" >&2
	exit 1
	;;
esac
