// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests' own copy of the model; see Kbuild.
 */

#include "../disk_model.c"
#include "../disk_profiles.c"
