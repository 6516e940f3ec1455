# SPDX-License-Identifier: GPL-2.0-only
# about: the unmodified kernel with its defaults
# consumer: all
# suite: smoke quick full
:
