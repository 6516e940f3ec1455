/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_shim: what kernel files that also compile in user space include.
 * This one adds the kernel's short names to the installed header's.
 */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#ifndef __aligned
#define __aligned(x) __attribute__((__aligned__(x)))
#endif

#endif /* _SHIM_LINUX_TYPES_H */
