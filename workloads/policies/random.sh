# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: an even draw of all actions, 15 of 16 time slots: exploration
# consumer: block
# suite: full
# needs: mlctl
readahead-on --backend random
