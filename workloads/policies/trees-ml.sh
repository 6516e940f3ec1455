# SPDX-License-Identifier: GPL-2.0-only
# about: all of consumers/block: readahead by the committed model's trees, and the I/O scheduler ml
# consumer: block
# suite: quick full
# needs: mlctl
# files: consumers/block/model/readahead.mltree
readahead-on --backend trees --table "$BENCH_FILES/readahead.mltree" --scheduler ml
