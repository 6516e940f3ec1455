/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that have missed lately: a table in shards.
 */
#ifndef _ML_BLOCK_FILES_H
#define _ML_BLOCK_FILES_H

#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/ml_lib.h>
#include <linux/spinlock.h>

#include "account.h"
#include "readahead.h"

#define RA_WAYS		4
#define RA_SET_ORDER	3
#define RA_FILES	(RA_WAYS << RA_SET_ORDER)

/* What the account's window of the same number is about */
struct ra_claim {
	struct ml_decision decision;
	struct ra_device *device;
};

/*
 * A file's place in followed[] is that in files[]; it is empty while what the
 * file reads is of no interest. Each read of any file looks there, so these are
 * together, and are looked at without the lock first.
 */
struct ra_shard {
	spinlock_t lock;	/* protects all of it */
	const struct file *followed[RA_FILES];
	struct ra_file files[RA_FILES];
	struct ra_account account;
	struct ra_claim claims[RA_ACCOUNT_WINDOWS];
};

extern struct ra_shard **ra_shards;
extern unsigned int ra_shard_order;

/* That of its pages, whoever has opened it */
static inline struct ra_shard *ra_shard_of(const struct file *file)
{
	return ra_shards[hash_ptr(file->f_mapping, ra_shard_order)];
}

/* The first one of its places */
static inline unsigned int ra_set_of(const struct file *file)
{
	return hash_ptr(file, RA_SET_ORDER) * RA_WAYS;
}

static inline struct ra_file *ra_find_file(struct ra_shard *shard,
					   const struct file *file)
{
	struct ra_file *set = &shard->files[ra_set_of(file)];
	unsigned int i;

	for (i = 0; i < RA_WAYS; i++)
		if (READ_ONCE(set[i].file) == file)
			return &set[i];
	return NULL;
}

/* To be looked at again under the lock, see ra_is_entry_of() */
static inline struct ra_file *ra_find_followed(struct ra_shard *shard,
					       const struct file *file)
{
	unsigned int set = ra_set_of(file), i;

	for (i = set; i < set + RA_WAYS; i++)
		if (READ_ONCE(shard->followed[i]) == file)
			return &shard->files[i];
	return NULL;
}

static inline bool ra_is_entry_of(const struct ra_file *f,
				  const struct file *file)
{
	return f->file == file && f->mapping == file->f_mapping;
}

/* Left to stock, and not followed, for a while? Without the lock, too */
static inline bool ra_sleeps(const struct ra_file *f)
{
	return READ_ONCE(f->sleeps) &&
	       time_before(jiffies, READ_ONCE(f->sleeps_until));
}

/* As open() leaves it */
static inline bool ra_is_fresh(const struct readahead_request *rq)
{
	return rq->ra->prev_pos == -1 && !rq->ra->size;
}

/*
 * No part of a stream, though a miss may lie beside what is there, and the mark of
 * what stock has read there may be met by chance.
 */
static inline bool ra_is_single(const struct ra_file *f,
				const struct readahead_request *rq)
{
	return rq->site == READAHEAD_RANDOM || ra_is_fault(rq) ||
	       (rq->site != READAHEAD_MARKER &&
		READ_ONCE(f->pattern.sequential) < RA_SHARE_ONE / 2);
}

void ra_release(struct ra_shard *shard, s16 *window);
struct ra_file *ra_get_file(struct ra_shard *shard,
			    const struct readahead_request *rq, u64 now_ns);

bool ra_pass_over(struct ra_file *f, const struct readahead_request *rq);
void ra_count_in_vain(struct ra_shard *shard, struct ra_file *f,
		      const struct readahead_request *rq, bool answered);
void ra_miss_asleep(struct ra_file *f);
void ra_awaken(struct ra_shard *shard, struct ra_file *f);

int ra_make_shards(void (*close)(struct ra_account *a, unsigned int window));
void ra_flush_shards(void);
void ra_free_shards(void);

#endif /* _ML_BLOCK_FILES_H */
