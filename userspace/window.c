// SPDX-License-Identifier: GPL-2.0-only
/* window.c - the newest rows of each action */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "window.h"

struct window {
	struct csv_head head;
	size_t room; /* of each action */
	size_t added[ML_MAX_ACTIONS]; /* counts on */
	struct csv_row *rows; /* room for each action, one after the other */
	int32_t *features;
};

struct window *window_create(const struct csv_head *head, size_t room)
{
	struct window *w = calloc(1, sizeof(*w));
	size_t rows;

	if (!w)
		return NULL;
	w->head = *head;
	w->room = room / head->nr_actions + 1;
	rows = w->room * head->nr_actions;
	w->rows = calloc(rows, sizeof(*w->rows));
	w->features = calloc(rows, head->nr_features * sizeof(*w->features));
	if (w->rows && w->features)
		return w;
	window_free(w);
	return NULL;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	free(w->rows);
	free(w->features);
	free(w);
}

void window_clear(struct window *w)
{
	memset(w->added, 0, sizeof(w->added));
}

static size_t filled(const struct window *w, unsigned int action)
{
	return w->added[action] < w->room ? w->added[action] : w->room;
}

void window_add(struct window *w, const struct csv_row *row,
		const int32_t *features)
{
	size_t at;

	if (row->action >= w->head.nr_actions)
		return;
	at = row->action * w->room + w->added[row->action]++ % w->room;
	w->rows[at] = *row;
	memcpy(w->features + at * w->head.nr_features, features,
	       w->head.nr_features * sizeof(*features));
}

unsigned int window_covered(const struct window *w, size_t rows)
{
	unsigned int action, nr = 0;

	for (action = 0; action < w->head.nr_actions; action++)
		nr += filled(w, action) >= rows;
	return nr;
}

int window_copy(const struct window *w, struct csv *csv)
{
	unsigned int width = w->head.nr_features, action;
	size_t nr = 0;

	for (action = 0; action < w->head.nr_actions; action++)
		nr += filled(w, action);
	memset(csv, 0, sizeof(*csv));
	csv->head = w->head;
	csv->room = nr + 1;
	csv->rows = calloc(csv->room, sizeof(*csv->rows));
	csv->features = calloc(csv->room, width * sizeof(*csv->features));
	if (!csv->rows || !csv->features) {
		csv_free(csv);
		return -ENOMEM;
	}
	for (action = 0; action < w->head.nr_actions; action++) {
		size_t from = action * w->room, n = filled(w, action);

		memcpy(csv->rows + csv->nr_rows, w->rows + from,
		       n * sizeof(*csv->rows));
		memcpy(csv->features + csv->nr_rows * width,
		       w->features + from * width,
		       n * width * sizeof(*csv->features));
		csv->nr_rows += n;
	}
	return 0;
}
