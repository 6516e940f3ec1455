# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the proxy is on and its model has no answer: what the hook costs
# consumer: block
# suite: quick full
# needs: mlctl
readahead-on --backend none
