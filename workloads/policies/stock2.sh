# SPDX-License-Identifier: GPL-2.0-only
# about: the unmodified kernel once more: where it differs from stock is noise
# consumer: all
# suite: smoke quick full
:
