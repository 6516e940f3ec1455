/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_CRC32_H
#define _SHIM_LINUX_CRC32_H

#include <linux/types.h>
#include <zlib.h>

/* The kernel's inverts neither before nor after, zlib's does both. */
static inline u32 crc32_le(u32 crc, const void *p, size_t len)
{
	return ~(u32)crc32_z(~crc, (const Bytef *)p, len);
}

#endif /* _SHIM_LINUX_CRC32_H */
