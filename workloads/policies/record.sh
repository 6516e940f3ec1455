# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: random, and every decision goes to readahead.csv beside the result, to train on
# consumer: block
# suite: none
# needs: mlctl
readahead-on --backend random --record "$BENCH_OUT/readahead.csv"
