/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows an agent learns from: of each action the newest, so that one that
 * is hardly ever taken is not forgotten.
 */
#ifndef MLCTL_WINDOW_H
#define MLCTL_WINDOW_H

#include "csv.h"

struct window;

/* @room: rows of all actions together. NULL without memory. */
struct window *window_create(const struct csv_head *head, size_t room);
void window_free(struct window *window);

/* Forget all rows. */
void window_clear(struct window *window);

/* Add a row; the oldest of its action makes room. */
void window_add(struct window *window, const struct csv_row *row,
		const int32_t *features);

/* Number of actions with @rows rows or more */
unsigned int window_covered(const struct window *window, size_t rows);

/* Copy all rows, for csv_free(). 0, or -ENOMEM. */
int window_copy(const struct window *window, struct csv *csv);

#endif /* MLCTL_WINDOW_H */
