# SPDX-License-Identifier: GPL-2.0-only
# about: the stock kernel, the workload starting 7 ms later: what chance alone can do
# consumer: all
# suite: quick full
sleep 0.007
