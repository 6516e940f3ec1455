# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the rule of consumers/block decides, 15 of 16 time slots
# consumer: block
# suite: quick full
# needs: mlctl
set -u

param=/sys/module/ml_readahead/parameters/enable
echo 1 >"$param" && [ "$(cat "$param")" = Y ] || exit 1
state=$(mlctl -j mode readahead --backend rule --pin recommendation) || exit 1
case $state in
*'"mode": "recommendation"'*) ;;
*)
	echo "readahead did not take the backend rule: $state" >&2
	exit 1
	;;
esac
