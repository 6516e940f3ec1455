/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Join samples with their outcomes by id, in bounded memory. Either may come
 * first: each CPU has a ring of its own, and a decision may be judged on
 * another CPU than the one that made it.
 */
#ifndef MLCTL_JOIN_H
#define MLCTL_JOIN_H

#include "csv.h"

struct join;

/* Takes a complete row, or one without reward that had to make room. */
typedef int (*join_row_fn)(void *arg, const struct csv_row *row,
			   const int32_t *features);

struct join_counts {
	uint64_t samples;
	uint64_t outcomes;
	uint64_t rows; /* given out */
	uint64_t open_rows; /* of these, without a reward */
	uint64_t orphans; /* outcomes whose sample never came */
	uint64_t lost_samples; /* as the kernel tells */
	uint64_t lost_outcomes;
	uint64_t broken; /* buffers with a malformed record */
};

/**
 * join_create - make a table
 * @nr_features: of the proxy
 * @room: rows that can wait for their other half; the oldest makes room
 * @row: called for each row
 * @arg: for @row
 *
 * Return: the table, NULL without memory.
 */
struct join *join_create(unsigned int nr_features, unsigned int room,
			 join_row_fn row, void *arg);
void join_free(struct join *join);

/**
 * join_records - take a buffer of records
 * @join: table
 * @buf: as read() filled it
 * @len: bytes
 *
 * Return: 0, or what @row returned: the rest of the buffer is not taken.
 */
int join_records(struct join *join, const void *buf, size_t len);

/* Give out what still waits, without rewards, the oldest first. */
int join_flush(struct join *join);

const struct join_counts *join_counts(const struct join *join);

#endif /* MLCTL_JOIN_H */
