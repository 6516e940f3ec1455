# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the committed model as integer trees in the kernel decides, 15 of 16 time slots
# consumer: block
# suite: quick full
# needs: mlctl
# files: consumers/block/model/readahead.mltree
readahead-on --backend trees --table "$BENCH_FILES/readahead.mltree"
