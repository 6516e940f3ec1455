// SPDX-License-Identifier: GPL-2.0-only
/* The code under test, where it is not built in */
#include "../depth.c"
