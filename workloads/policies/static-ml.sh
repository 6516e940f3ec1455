# SPDX-License-Identifier: GPL-2.0-only
# about: I/O scheduler ml with stock readahead
# consumer: block
# suite: full
set -u

file=/sys/block/$BENCH_DISK/queue/scheduler
want=ml

{ echo "$want" >"$file"; } 2>/dev/null
# The file lists every scheduler, the one in use in brackets.
case $(cat "$file" 2>/dev/null) in
*"[$want]"*) ;;
*)
	echo "$file did not take '$want'" >&2
	exit 1
	;;
esac
