/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring of one CPU: see the DOC block in ring.c. */
#ifndef _ML_LIB_RING_H
#define _ML_LIB_RING_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <uapi/linux/ml_lib.h>

struct iov_iter;

/* A filler has the type 0, which no reader of the device ever sees */
#define ML_RECORD_FILLER	0

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

void ml_ring_reset(struct ml_ring *ring);
bool ml_ring_readable(const struct ml_ring *ring);
ssize_t ml_ring_read(struct ml_ring *ring, u32 cpu, struct iov_iter *to);

/**
 * ml_ring_reserve() - room for a record
 * @ring: of this CPU
 * @size: bytes, a multiple of 8, far less than the ring
 * @head: for ml_ring_commit()
 *
 * Context: On the ring's CPU with interrupts off.
 * Return: Where to write, or NULL if there is no room.
 */
static inline void *ml_ring_reserve(struct ml_ring *ring, u32 size, u32 *head)
{
	u32 tail = smp_load_acquire(&ring->tail); /* read before overwritten */
	u32 at = ring->head & ring->mask;
	u32 room = ring->mask + 1 - (ring->head - tail);
	u32 to_end = ring->mask + 1 - at;
	u32 skip = size > to_end ? to_end : 0;

	if (size + skip > room)
		return NULL;
	if (skip) {
		struct ml_record *filler = (void *)(ring->data + at);

		filler->type = ML_RECORD_FILLER;
		filler->size = skip;
		at = 0;
	}
	*head = ring->head + skip + size;
	return ring->data + at;
}

/**
 * ml_ring_commit() - let the reader have the record
 * @ring: of this CPU
 * @head: from ml_ring_reserve()
 *
 * Context: As ml_ring_reserve(), and before interrupts are on again.
 * Return: true if the fill level has just passed that of a wake-up.
 */
static inline bool ml_ring_commit(struct ml_ring *ring, u32 head)
{
	u32 tail = READ_ONCE(ring->tail), at = READ_ONCE(ring->wake);
	bool wake = ring->head - tail < at && head - tail >= at;

	smp_store_release(&ring->head, head); /* pairs with ml_ring_read() */
	return wake;
}

#endif /* _ML_LIB_RING_H */
