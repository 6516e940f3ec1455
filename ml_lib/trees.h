/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integer decision trees: the verifier and the evaluator. trees.c compiles
 * unchanged in user space; see userspace/kernel_shim/.
 */
#ifndef _ML_LIB_TREES_H
#define _ML_LIB_TREES_H

#include <linux/ml_trees.h>

/* What a table must fit: taken from the proxy that it is loaded into */
struct ml_trees_fit {
	__u64 schema;
	__u32 nr_features;
	__u32 nr_actions;
};

/* A verified table; the memory is the caller's */
struct ml_trees {
	const struct ml_trees_header *header;
	const __s32 *base;
	const struct ml_trees_run *runs;
	const void *nodes;	/* of the first tree */
};

enum ml_trees_fault ml_trees_verify(struct ml_trees *trees, const void *table,
				    __u64 size, const struct ml_trees_fit *fit,
				    __u64 *fault_offset);
void ml_trees_sums(const struct ml_trees *trees, const __s32 *features,
		   __s32 *sums);
__u32 ml_trees_action(const struct ml_trees *trees, const __s32 *features);
const char *ml_trees_fault_name(enum ml_trees_fault fault);

#endif /* _ML_LIB_TREES_H */
