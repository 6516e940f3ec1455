// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records on their way to user space.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/uio.h>
#include <asm/barrier.h>

#include "ring.h"

/**
 * DOC: The ring
 *
 * Each CPU has a ring of its own. One side writes, with interrupts off on that
 * CPU; one side reads, whoever holds the device's read lock; no lock is shared
 * between the two. Head and tail count bytes and never wrap at the size, so
 * that head - tail is what is in the ring. A record lies in one piece: if the
 * space up to the end of the memory is too short, a filler takes it, which the
 * reader skips.
 *
 * A record that finds no room is lost and counted. The reader compares that
 * count with what it has told its user so far and puts the difference into
 * the stream as a record of its own, so that records read + losses told is
 * exactly what was asked to be recorded.
 */

/**
 * ml_ring_reset() - forget what is in the ring
 * @ring: the ring
 *
 * Context: Reader's side.
 */
void ml_ring_reset(struct ml_ring *ring)
{
	WRITE_ONCE(ring->tail, READ_ONCE(ring->head));
	WRITE_ONCE(ring->told_samples, READ_ONCE(ring->lost_samples));
	WRITE_ONCE(ring->told_outcomes, READ_ONCE(ring->lost_outcomes));
}

static bool untold(const struct ml_ring *ring)
{
	return READ_ONCE(ring->lost_samples) !=
		       READ_ONCE(ring->told_samples) ||
	       READ_ONCE(ring->lost_outcomes) !=
		       READ_ONCE(ring->told_outcomes);
}

/**
 * ml_ring_readable() - is there anything to read?
 * @ring: the ring
 *
 * Context: Any.
 * Return: true if so.
 */
bool ml_ring_readable(const struct ml_ring *ring)
{
	return READ_ONCE(ring->head) != READ_ONCE(ring->tail) || untold(ring);
}

static ssize_t tell_losses(struct ml_ring *ring, u32 cpu, struct iov_iter *to)
{
	u64 samples = READ_ONCE(ring->lost_samples);
	u64 outcomes = READ_ONCE(ring->lost_outcomes);
	struct ml_lost lost = {
		.head.type = ML_RECORD_LOST,
		.head.size = sizeof(lost),
		.head.cpu = cpu,
		.samples = samples - ring->told_samples,
		.outcomes = outcomes - ring->told_outcomes,
	};

	if (iov_iter_count(to) < sizeof(lost))
		return -EINVAL;
	if (copy_to_iter(&lost, sizeof(lost), to) != sizeof(lost))
		return -EFAULT;
	WRITE_ONCE(ring->told_samples, samples);
	WRITE_ONCE(ring->told_outcomes, outcomes);
	return sizeof(lost);
}

/* Whole records from @tail on that lie in one piece and fit into @most */
static u32 run_length(const struct ml_ring *ring, u32 tail, u32 head, u32 most)
{
	u32 len = 0;

	while (tail + len != head) {
		u32 at = (tail + len) & ring->mask;
		const struct ml_record *record = (void *)(ring->data + at);

		if (len && !at)
			break;
		if (record->type == ML_RECORD_FILLER ||
		    record->size > most - len)
			break;
		len += record->size;
	}
	return len;
}

/**
 * ml_ring_read() - whole records to user space
 * @ring: the ring
 * @cpu: its number
 * @to: where to
 *
 * Context: Process; one reader at a time. May fault.
 * Return: Bytes; 0 if there is nothing; -EINVAL if the first record does not
 * fit; -EFAULT.
 */
ssize_t ml_ring_read(struct ml_ring *ring, u32 cpu, struct iov_iter *to)
{
	u32 head = smp_load_acquire(&ring->head); /* ml_ring_commit() */
	u32 tail = ring->tail;
	ssize_t done = 0;

	if (untold(ring)) {
		done = tell_losses(ring, cpu, to);
		if (done < 0)
			return done;
	}
	while (tail != head) {
		const u8 *from = ring->data + (tail & ring->mask);
		const struct ml_record *record = (const void *)from;
		size_t copied;
		u32 len;

		if (record->type == ML_RECORD_FILLER) {
			tail += record->size;
			WRITE_ONCE(ring->tail, tail);
			continue;
		}
		len = run_length(ring, tail, head,
				 min_t(size_t, iov_iter_count(to), U32_MAX));
		if (!len)
			return done ?: -EINVAL;
		copied = copy_to_iter(from, len, to);
		if (copied != len) {
			iov_iter_revert(to, copied);
			return done ?: -EFAULT;
		}
		tail += len;
		smp_store_release(&ring->tail, tail); /* the room is free */
		done += len;
	}
	return done;
}
