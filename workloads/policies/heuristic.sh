# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the rule of consumers/block decides, 15 of 16 time slots
# consumer: block
# suite: quick full
# needs: mlctl
readahead-on --backend rule
