// SPDX-License-Identifier: GPL-2.0-only
/* The model under test, for a kernel that does not have the driver. */
#include "../cpufreq_model.c"
