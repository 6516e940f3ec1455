/* SPDX-License-Identifier: GPL-2.0-only */
/* compile.h - from a model that XGBoost wrote to the kernel's tree table */
#ifndef ML_COMPILE_H
#define ML_COMPILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct compiled - a table and what is known about it
 * @table: the table, verified; begins with struct ml_trees_header
 * @size: of it in bytes
 * @bound: a group's sum, times 2^-fraction, is no farther than this from the
 *	margin that XGBoost computes in float
 * @folded: nodes left out, because they send every s32 the same way
 * @objective: the model's, for people
 * @tree_of: for every tree of the table, its number in the model
 * @leaf_of: for every leaf of the table, tree by tree, the model's node number
 */
struct compiled {
	void *table;
	size_t size;
	double bound;
	unsigned int folded;
	char objective[32];
	unsigned int *tree_of;
	unsigned int *leaf_of;
};

int compile_model(const json_t *model, const char *name, struct compiled *out,
		  char *why, size_t len);
int compile_file(const char *path, const char *name, struct compiled *out,
		 char *why, size_t len);
int64_t compile_threshold(float t);
void compile_free(struct compiled *compiled);

#endif /* ML_COMPILE_H */
