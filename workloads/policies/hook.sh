# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the proxy is on and its model has no answer: what the hook costs
# consumer: block
# suite: quick full
# needs: mlctl
set -u

param=/sys/module/ml_readahead/parameters/enable
echo 1 >"$param" && [ "$(cat "$param")" = Y ] || exit 1
state=$(mlctl -j mode readahead) || exit 1
case $state in
*'"backend": "none"'*) ;;
*)
	echo "readahead is in another state: $state" >&2
	exit 1
	;;
esac
