/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The tree table: an ensemble of decision trees in integers, as a file holds
 * it and as the kernel evaluates it. Documentation/ml_lib/trees.rst explains
 * where the numbers come from. Little endian; every offset a multiple of 8.
 *
 *   struct ml_trees_header
 *   __s32 base[nr_groups], padded to 8 bytes with zeroes
 *   struct ml_trees_run runs[nr_runs]
 *   the trees, in the order of the runs
 *
 * A run is all trees of one group and one depth. Runs are in the order of
 * groups, within a group in the order of depths. A tree of depth d is a perfect
 * one: 1 << d slots of struct ml_trees_node, slot 0 unused and zero, slot 1 the
 * root, slot i with the children 2i and 2i + 1; then 1 << d leaves, __s32 each,
 * padded to 8 bytes with a zero where d is 0. From slot i the way leads to
 * 2i + 1 where the feature, read as described at threshold, is below the
 * threshold, else to 2i.
 */
#ifndef _UAPI_LINUX_ML_TREES_H
#define _UAPI_LINUX_ML_TREES_H

#include <linux/types.h>

#define ML_TREES_MAGIC		0x52544c4d	/* "MLTR" */
#define ML_TREES_VERSION	1

#define ML_TREES_MAX_SIZE	(4 << 20)	/* bytes */
#define ML_TREES_MAX_DEPTH	8
#define ML_TREES_MAX_TREES	2048
#define ML_TREES_MAX_RUNS	576	/* each depth of each group */
#define ML_TREES_MAX_FEATURES	64
#define ML_TREES_MAX_GROUPS	64
#define ML_TREES_MAX_STEPS	8192	/* sum of the trees' depths */
#define ML_TREES_MAX_FRACTION	24

/* How the sums of the groups become an action */
enum ml_trees_rule {
	ML_TREES_ARGMAX	= 0,	/* the group with the largest sum; the first */
	ML_TREES_SIGN	= 1,	/* one group: 1 if its sum is > 0, else 0 */
	ML_TREES_ROUND	= 2,	/* one group: the sum, rounded half up to an
				 * integer, no less than 0 and no more than the
				 * last action
				 */
	ML_TREES_NR_RULES
};

struct ml_trees_header {
	__u32 magic;
	__u16 version;
	__u16 header_size;	/* sizeof(struct ml_trees_header) */
	__u32 size;		/* bytes of the whole table */
	__u32 crc;		/* CRC-32 (IEEE, as zlib's) of what follows */
	__u64 schema;		/* ml_describe.schema of the proxy it is for */
	__u16 nr_features;
	__u16 nr_actions;
	__u16 nr_groups;
	__u16 nr_runs;
	__u32 nr_trees;
	__u8 rule;		/* enum ml_trees_rule */
	__u8 fraction;		/* a sum of 1 << fraction is a margin of 1 */
	__u16 reserved;
	char name[32];		/* for people; zero-terminated */
};

struct ml_trees_run {
	__u16 group;
	__u16 depth;
	__u32 nr_trees;		/* 1 or more */
};

struct ml_trees_node {
	__u32 threshold;	/* compared with feature ^ 0x80000000, unsigned */
	__u32 feature;		/* index */
};

/* What is wrong with a refused table */
enum ml_trees_fault {
	ML_TREES_OK = 0,
	ML_TREES_BAD_SIZE,	/* truncated, too large, or not what it says */
	ML_TREES_BAD_MAGIC,
	ML_TREES_BAD_VERSION,
	ML_TREES_BAD_CRC,
	ML_TREES_BAD_SCHEMA,	/* made for another proxy or another version */
	ML_TREES_BAD_COUNT,	/* features, actions, groups, runs or trees */
	ML_TREES_BAD_RULE,
	ML_TREES_BAD_FRACTION,
	ML_TREES_BAD_GROUP,
	ML_TREES_BAD_DEPTH,
	ML_TREES_BAD_FEATURE,	/* a node's index */
	ML_TREES_BAD_SUM,	/* leaves could overflow 32 bits */
	ML_TREES_BAD_COST,	/* more steps than a hot path may take */
	ML_TREES_BAD_PADDING,	/* a reserved byte is not zero */
	ML_TREES_BAD_NAME,	/* not ASCII, not terminated, or not padded */
	ML_TREES_NR_FAULTS
};

#endif /* _UAPI_LINUX_ML_TREES_H */
