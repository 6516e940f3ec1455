/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring of one CPU: see the DOC block in ring.c. */
#ifndef _ML_LIB_RING_H
#define _ML_LIB_RING_H

#include <linux/cache.h>
#include <linux/types.h>
#include <uapi/linux/ml_lib.h>

struct iov_iter;

/**
 * struct ml_ring - records of one CPU on their way to user space
 * @data: @mask + 1 bytes, NULL until an agent attached
 * @mask: size - 1
 * @wake: fill level at which the producer should wake the reader
 * @head: where the producer writes next; counts on, use with @mask
 * @samples: sample records written
 * @outcomes: outcome records written
 * @lost_samples: that found no room
 * @lost_outcomes: that found no room
 * @tail: where the reader reads next
 * @told_samples: losses that the reader was told
 * @told_outcomes: likewise
 */
struct ml_ring {
	u8 *data;
	u32 mask;
	u32 wake;
	u32 head;
	u64 samples;
	u64 outcomes;
	u64 lost_samples;
	u64 lost_outcomes;

	u32 tail ____cacheline_aligned_in_smp;
	u64 told_samples;
	u64 told_outcomes;
};

void *ml_ring_reserve(struct ml_ring *ring, u32 size, u32 *head);
bool ml_ring_commit(struct ml_ring *ring, u32 head);
void ml_ring_reset(struct ml_ring *ring);
void ml_ring_forget(struct ml_ring *ring);
bool ml_ring_readable(const struct ml_ring *ring);
ssize_t ml_ring_read(struct ml_ring *ring, u32 cpu, struct iov_iter *to);

#endif /* _ML_LIB_RING_H */
