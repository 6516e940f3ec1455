// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_trees.c - libFuzzer target for the verifier and the evaluator
 *
 * An input is one byte of choices, eight of a generator's seed, and a table.
 * What the verifier accepts is evaluated and must agree with a walk by the
 * letter of the format; what it refuses must have a fault within the table.
 *
 * fuzz: ml_lib/trees.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <linux/ml_trees.h>

#include "../../ml_lib/trees.h"

#define PREFIX 9
#define KEEP_CRC 1 /* as it is: mostly wrong */
#define KEEP_SIZE 2
#define OTHER_FIT 4 /* made for a proxy with other counts */

static uint32_t random_u32(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 32;
}

static void require(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_trees: %s\n", what);
	abort();
}

/* Make right what a mutation cannot: otherwise nothing gets past the start */
static void repair(struct ml_trees_header *h, size_t size, uint8_t choices)
{
	const size_t crc_start = offsetof(struct ml_trees_header, schema);

	if (size < sizeof(*h))
		return;
	h->magic = ML_TREES_MAGIC;
	h->version = ML_TREES_VERSION;
	h->header_size = sizeof(*h);
	if (!(choices & KEEP_SIZE))
		h->size = size;
	if (!(choices & KEEP_CRC))
		h->crc = crc32_z(0, (unsigned char *)h + crc_start,
				 size - crc_start);
}

static void walk(const struct ml_trees *trees, const int32_t *features,
		 int32_t *sums)
{
	const struct ml_trees_header *h = trees->header;
	const char *tree = trees->nodes;
	unsigned int i, j;

	memcpy(sums, trees->base, h->nr_groups * sizeof(*sums));
	for (i = 0; i < h->nr_runs; i++) {
		const struct ml_trees_run *run = &trees->runs[i];
		const unsigned int slots = 1U << run->depth;

		for (j = 0; j < run->nr_trees; j++) {
			const struct ml_trees_node *node = (const void *)tree;
			const int32_t *leaves = (const int32_t *)(node + slots);
			unsigned int slot = 1;

			while (slot < slots) {
				uint32_t t = node[slot].threshold;
				int32_t x = features[node[slot].feature];

				slot = 2 * slot +
				       (x < (int32_t)(t ^ 0x80000000U));
			}
			/* Signed: an overflow does not go unseen */
			sums[run->group] += leaves[slot - slots];
			tree += (char *)(leaves + (run->depth ? slots : 2)) -
				tree;
		}
	}
	require(tree == (const char *)h + h->size,
		"the trees do not end with the table");
}

static void evaluate(const struct ml_trees *trees, uint64_t seed)
{
	const struct ml_trees_header *h = trees->header;
	int32_t *features = malloc(h->nr_features * sizeof(*features));
	int32_t *sums = malloc(h->nr_groups * sizeof(*sums));
	int32_t *walked = malloc(h->nr_groups * sizeof(*walked));
	unsigned int i, round;

	/* Exactly as large as promised, so that the sanitizer sees what is not */
	require(features && sums && walked, "out of memory");
	for (round = 0; round < 4; round++) {
		for (i = 0; i < h->nr_features; i++)
			features[i] = random_u32(&seed);
		features[round % h->nr_features] = round % 2 ? INT32_MAX :
							       INT32_MIN;
		ml_trees_sums(trees, features, sums);
		walk(trees, features, walked);
		require(!memcmp(sums, walked, h->nr_groups * sizeof(*sums)),
			"evaluator and walk do not agree");
		require(ml_trees_action(trees, features) < h->nr_actions,
			"no such action");
	}
	free(features);
	free(sums);
	free(walked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ml_trees_header *table;
	struct ml_trees_fit fit = { 0 };
	enum ml_trees_fault fault;
	struct ml_trees trees;
	uint64_t seed;
	__u64 offset;

	if (size < PREFIX)
		return -1;
	memcpy(&seed, data + 1, sizeof(seed));
	size -= PREFIX;
	table = malloc(size ? size : 1);
	require(table != NULL, "out of memory");
	memcpy(table, data + PREFIX, size);
	repair(table, size, *data);
	if (size >= sizeof(*table)) {
		fit.schema = table->schema;
		fit.nr_features = table->nr_features;
		fit.nr_actions = table->nr_actions;
	}
	if (*data & OTHER_FIT)
		fit.nr_features++;
	fault = ml_trees_verify(&trees, table, size, &fit, &offset);
	require(strcmp(ml_trees_fault_name(fault), "unknown") != 0,
		"a fault without a name");
	require(offset <= size, "a fault outside the table");
	if (!fault)
		evaluate(&trees, seed | 1);
	else
		require(!trees.header, "refused, and set up all the same");
	free(table);
	return 0;
}
