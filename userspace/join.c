// SPDX-License-Identifier: GPL-2.0-only
/*
 * join.c - samples and outcomes to rows
 *
 * A ring of slots in the order of arrival, and a hash table with chains
 * through the slots to find one by its id.
 */
#include <stdlib.h>
#include <string.h>

#include "join.h"
#include "libml.h"

#define NO_SLOT UINT32_MAX

enum { FREE, SAMPLE, OUTCOME };

struct slot {
	uint32_t next; /* of the same hash */
	uint8_t state;
	struct csv_row row;
};

struct join {
	unsigned int nr_features;
	uint32_t room; /* a power of two */
	uint32_t at; /* the oldest slot, and the next to be filled */
	uint32_t *heads;
	struct slot *slots;
	int32_t *features;
	join_row_fn row;
	void *arg;
	struct join_counts counts;
};

struct join *join_create(unsigned int nr_features, unsigned int room,
			 join_row_fn row, void *arg)
{
	struct join *join = calloc(1, sizeof(*join));

	if (!join)
		return NULL;
	join->nr_features = nr_features;
	join->row = row;
	join->arg = arg;
	for (join->room = 2; join->room < room;)
		join->room *= 2;
	join->heads = malloc(join->room * sizeof(*join->heads));
	join->slots = calloc(join->room, sizeof(*join->slots));
	join->features = calloc((size_t)join->room * nr_features,
				sizeof(*join->features));
	if (!join->heads || !join->slots || !join->features) {
		join_free(join);
		return NULL;
	}
	memset(join->heads, 0xff, join->room * sizeof(*join->heads));
	return join;
}

void join_free(struct join *join)
{
	if (!join)
		return;
	free(join->heads);
	free(join->slots);
	free(join->features);
	free(join);
}

static uint32_t *head_of(struct join *join, uint64_t id)
{
	uint64_t hash = id * 0x9e3779b97f4a7c15;

	return &join->heads[hash >> 32 & (join->room - 1)];
}

static int32_t *features_of(struct join *join, uint32_t at)
{
	return join->features + (size_t)at * join->nr_features;
}

static void remove_slot(struct join *join, uint32_t at)
{
	uint32_t *link = head_of(join, join->slots[at].row.id);

	while (*link != at)
		link = &join->slots[*link].next;
	*link = join->slots[at].next;
	join->slots[at].state = FREE;
}

/* Give out a slot that has waited in vain, or for long enough. */
static int give_up(struct join *join, uint32_t at)
{
	struct slot *slot = &join->slots[at];
	uint8_t state = slot->state;

	if (state == FREE)
		return 0;
	remove_slot(join, at);
	if (state == OUTCOME) {
		join->counts.orphans++;
		return 0;
	}
	join->counts.rows++;
	join->counts.open_rows++;
	return join->row(join->arg, &slot->row, features_of(join, at));
}

static uint32_t find(struct join *join, uint64_t id, uint8_t state)
{
	uint32_t at = *head_of(join, id);

	while (at != NO_SLOT &&
	       (join->slots[at].row.id != id || join->slots[at].state != state))
		at = join->slots[at].next;
	return at;
}

/* Let @row wait, with @features if it is a sample. */
static int wait_for_other(struct join *join, uint8_t state,
			  const struct csv_row *row, const int32_t *features)
{
	uint32_t at = join->at, *head;
	int ret = give_up(join, at);

	join->slots[at].state = state;
	join->slots[at].row = *row;
	if (features)
		memcpy(features_of(join, at), features,
		       join->nr_features * sizeof(*features));
	head = head_of(join, row->id);
	join->slots[at].next = *head;
	*head = at;
	join->at = (at + 1) & (join->room - 1);
	return ret;
}

static int take_sample(struct join *join, const struct ml_sample *sample)
{
	struct csv_row row = {
		.id = sample->id,
		.time_ns = sample->time_ns,
		.context = sample->context,
		.model = sample->model,
		.action = sample->action,
		.mode = sample->mode,
		.arm = sample->arm,
		.backend = sample->backend,
		.flags = sample->flags,
	};
	uint32_t at;

	join->counts.samples++;
	at = find(join, row.id, OUTCOME);
	if (at == NO_SLOT)
		return wait_for_other(join, SAMPLE, &row, sample->features);
	row.reward = join->slots[at].row.reward;
	row.units = join->slots[at].row.units;
	row.has_reward = true;
	remove_slot(join, at);
	join->counts.rows++;
	return join->row(join->arg, &row, sample->features);
}

static int take_outcome(struct join *join, const struct ml_outcome *outcome)
{
	const uint32_t units = outcome->units;
	struct csv_row row = {
		.id = outcome->id,
		.reward = outcome->reward,
		.units = units < 1	      ? 1 :
			 units < ML_UNITS_MAX ? units :
						ML_UNITS_MAX,
		.has_reward = true,
	};
	uint32_t at;

	join->counts.outcomes++;
	at = find(join, row.id, SAMPLE);
	if (at == NO_SLOT)
		return wait_for_other(join, OUTCOME, &row, NULL);
	join->slots[at].row.reward = row.reward;
	join->slots[at].row.units = row.units;
	join->slots[at].row.has_reward = true;
	remove_slot(join, at);
	join->counts.rows++;
	return join->row(join->arg, &join->slots[at].row,
			 features_of(join, at));
}

static int take_record(struct join *join, const struct ml_record *record)
{
	const struct ml_sample *sample = (const void *)record;
	const struct ml_lost *lost = (const void *)record;

	switch (record->type) {
	case ML_RECORD_SAMPLE:
		if (sample->nr_features == join->nr_features)
			return take_sample(join, sample);
		join->counts.broken++;
		return 0;
	case ML_RECORD_OUTCOME:
		return take_outcome(join, (const void *)record);
	case ML_RECORD_LOST:
		join->counts.lost_samples += lost->samples;
		join->counts.lost_outcomes += lost->outcomes;
		return 0;
	default:
		return 0;
	}
}

int join_records(struct join *join, const void *buf, size_t len)
{
	const struct ml_record *record;
	size_t at = 0;
	int ret;

	while ((record = libml_next(buf, len, &at))) {
		ret = take_record(join, record);
		if (ret)
			return ret;
	}
	join->counts.broken += at != len;
	return 0;
}

int join_flush(struct join *join)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < join->room && !ret; i++)
		ret = give_up(join, (join->at + i) & (join->room - 1));
	return ret;
}

const struct join_counts *join_counts(const struct join *join)
{
	return &join->counts;
}
