/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_LIMITS_H
#define _SHIM_LINUX_LIMITS_H

#include_next <linux/limits.h>

#define S32_MAX ((s32)0x7fffffff)

#endif /* _SHIM_LINUX_LIMITS_H */
