# SPDX-License-Identifier: GPL-2.0-only
# about: readahead by the rule of consumers/block, and the I/O scheduler ml
# consumer: block
# suite: full
# needs: mlctl
readahead-on --backend rule --scheduler ml
