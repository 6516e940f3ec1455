// SPDX-License-Identifier: GPL-2.0-only
/*
 * Integer decision trees: the verifier and the evaluator of tree tables.
 */

/**
 * DOC: Verifying and evaluating a tree table
 *
 * A tree table (include/uapi/linux/ml_trees.h) holds perfect trees as heaps:
 * the way through one of depth d is d times "double the slot and add 1 if the
 * feature is below the threshold", then slot - (1 << d) is the leaf. There are
 * no pointers in a table, hence no cycles and no way out of a tree; what is
 * left to check is counts, sizes, feature indices and that the leaves of a
 * group cannot overflow when they are added. ml_trees_verify() checks all of
 * that, once, when a table is loaded. A table it has accepted is evaluated
 * without a check, in a time that depends on the table but not on the
 * features: no branch depends on them.
 *
 * The layout is what makes it fast for a single row:
 *
 * - Features and thresholds are compared unsigned, with their sign bit
 *   flipped. The result of an unsigned comparison is the carry flag, and slot +
 *   slot + carry is one instruction: a step is two loads, a compare and an add
 *   with carry. The features are flipped once a row, into a copy.
 * - Trees of one depth stand side by side in a run. For each depth there is
 *   straight-line code, which walks four trees at a time at fixed distances, so
 *   that a processor has four independent chains of loads to work on.
 * - A run adds up in a register: it belongs to one group.
 *
 * All numbers in a table are little endian. On a big-endian machine the magic
 * number does not match and every table is refused.
 *
 * This file compiles unchanged in user space, where the compiler of tables,
 * the fuzzer and the benchmark use it; userspace/kernel_shim/ has the headers.
 */

#include <kunit/visibility.h>
#include <linux/compiler.h>
#include <linux/crc32.h>
#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include "trees.h"

#define ML_TREES_ALIGN	8
#define ML_TREES_BIAS	0x80000000U

static const char *const ml_trees_fault_names[ML_TREES_NR_FAULTS] = {
	[ML_TREES_OK] = "ok",
	[ML_TREES_BAD_SIZE] = "bad size",
	[ML_TREES_BAD_MAGIC] = "bad magic",
	[ML_TREES_BAD_VERSION] = "bad version",
	[ML_TREES_BAD_CRC] = "bad crc",
	[ML_TREES_BAD_SCHEMA] = "bad schema",
	[ML_TREES_BAD_COUNT] = "bad count",
	[ML_TREES_BAD_RULE] = "bad rule",
	[ML_TREES_BAD_FRACTION] = "bad fraction",
	[ML_TREES_BAD_GROUP] = "bad group",
	[ML_TREES_BAD_DEPTH] = "bad depth",
	[ML_TREES_BAD_FEATURE] = "bad feature",
	[ML_TREES_BAD_SUM] = "bad sum",
	[ML_TREES_BAD_COST] = "bad cost",
	[ML_TREES_BAD_PADDING] = "bad padding",
	[ML_TREES_BAD_NAME] = "bad name",
};

/**
 * ml_trees_fault_name() - a fault in words
 * @fault: what ml_trees_verify() returned
 *
 * Context: Any.
 * Return: a constant string, "unknown" for a number that is no fault.
 */
const char *ml_trees_fault_name(enum ml_trees_fault fault)
{
	if ((unsigned int)fault >= ML_TREES_NR_FAULTS)
		return "unknown";
	return ml_trees_fault_names[fault];
}
EXPORT_SYMBOL_IF_KUNIT(ml_trees_fault_name);

/* Bytes of a tree: the slots, the leaves, and a padding where there is one */
static __always_inline size_t ml_trees_tree_bytes(unsigned int depth)
{
	size_t slots = (size_t)1 << depth;

	return slots * sizeof(struct ml_trees_node) +
	       (depth ? slots : 2) * sizeof(s32);
}

static size_t ml_trees_base_bytes(unsigned int nr_groups)
{
	return ((size_t)nr_groups + 1) / 2 * 2 * sizeof(s32);
}

static enum ml_trees_fault
ml_trees_check_name(const struct ml_trees_header *h, const void **at)
{
	size_t len = strnlen(h->name, sizeof(h->name));
	size_t i;

	for (i = 0; i < sizeof(h->name); i++) {
		*at = &h->name[i];
		/* It is printed: nothing that steers a terminal */
		if (i < len && (h->name[i] < ' ' || h->name[i] > '~'))
			return ML_TREES_BAD_NAME;
		if (i >= len && h->name[i])
			return ML_TREES_BAD_NAME;
	}
	*at = h->name;
	return len < sizeof(h->name) ? ML_TREES_OK : ML_TREES_BAD_NAME;
}

static enum ml_trees_fault
ml_trees_check_rule(const struct ml_trees_header *h, const void **at)
{
	*at = &h->rule;
	if (h->rule >= ML_TREES_NR_RULES)
		return ML_TREES_BAD_RULE;
	if (h->rule == ML_TREES_SIGN && h->nr_actions != 2)
		return ML_TREES_BAD_RULE;
	if (h->nr_groups != (h->rule == ML_TREES_ARGMAX ? h->nr_actions : 1))
		return ML_TREES_BAD_RULE;
	return ML_TREES_OK;
}

/* The header alone. Afterwards its counts are in their ranges. */
static enum ml_trees_fault
ml_trees_check_header(const struct ml_trees_header *h, u64 size,
		      const struct ml_trees_fit *fit, const void **at)
{
	const size_t crc_start = offsetof(struct ml_trees_header, schema);
	enum ml_trees_fault fault;

	*at = h;
	if ((unsigned long)h % ML_TREES_ALIGN || size < sizeof(*h))
		return ML_TREES_BAD_SIZE;
	*at = &h->magic;
	if (h->magic != ML_TREES_MAGIC)
		return ML_TREES_BAD_MAGIC;
	*at = &h->version;
	if (h->version != ML_TREES_VERSION)
		return ML_TREES_BAD_VERSION;
	*at = &h->header_size;
	if (h->header_size != sizeof(*h))
		return ML_TREES_BAD_VERSION;
	*at = &h->size;
	if (h->size != size || size > ML_TREES_MAX_SIZE)
		return ML_TREES_BAD_SIZE;
	*at = &h->crc;
	if (h->crc != ~crc32_le(~0U, (const u8 *)h + crc_start,
				size - crc_start))
		return ML_TREES_BAD_CRC;
	*at = &h->schema;
	if (h->schema != fit->schema)
		return ML_TREES_BAD_SCHEMA;
	*at = &h->nr_features;
	if (!h->nr_features || h->nr_features > ML_TREES_MAX_FEATURES ||
	    h->nr_features != fit->nr_features)
		return ML_TREES_BAD_COUNT;
	*at = &h->nr_actions;
	if (!h->nr_actions || h->nr_actions != fit->nr_actions)
		return ML_TREES_BAD_COUNT;
	*at = &h->nr_groups;
	if (!h->nr_groups || h->nr_groups > ML_TREES_MAX_GROUPS)
		return ML_TREES_BAD_COUNT;
	*at = &h->nr_runs;
	if (h->nr_runs > ML_TREES_MAX_RUNS)
		return ML_TREES_BAD_COUNT;
	*at = &h->nr_trees;
	if (h->nr_trees > ML_TREES_MAX_TREES)
		return ML_TREES_BAD_COUNT;
	fault = ml_trees_check_rule(h, at);
	if (fault)
		return fault;
	*at = &h->fraction;
	if (h->fraction > ML_TREES_MAX_FRACTION)
		return ML_TREES_BAD_FRACTION;
	*at = &h->reserved;
	if (h->reserved)
		return ML_TREES_BAD_PADDING;
	return ml_trees_check_name(h, at);
}

/*
 * The runs, and that the trees they announce fill the rest of the table. No
 * product or sum can overflow here: there are at most ML_TREES_MAX_TREES trees
 * of at most ML_TREES_MAX_DEPTH.
 */
static enum ml_trees_fault
ml_trees_check_runs(const struct ml_trees *trees, const void **at)
{
	const struct ml_trees_header *h = trees->header;
	const struct ml_trees_run *run, *last = NULL;
	const u8 *end = (const u8 *)h + h->size;
	u32 nr_trees = 0, steps = 0;
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < h->nr_runs; i++, last = run) {
		run = &trees->runs[i];
		*at = &run->group;
		if (run->group >= h->nr_groups ||
		    (last && run->group < last->group))
			return ML_TREES_BAD_GROUP;
		*at = &run->depth;
		if (run->depth > ML_TREES_MAX_DEPTH)
			return ML_TREES_BAD_DEPTH;
		if (last && run->group == last->group &&
		    run->depth <= last->depth)
			return ML_TREES_BAD_DEPTH;
		*at = &run->nr_trees;
		if (!run->nr_trees || run->nr_trees > h->nr_trees - nr_trees)
			return ML_TREES_BAD_COUNT;
		nr_trees += run->nr_trees;
		steps += run->nr_trees * run->depth;
		if (steps > ML_TREES_MAX_STEPS)
			return ML_TREES_BAD_COST;
		bytes += run->nr_trees * ml_trees_tree_bytes(run->depth);
	}
	*at = &h->nr_trees;
	if (nr_trees != h->nr_trees)
		return ML_TREES_BAD_COUNT;
	*at = &h->size;
	if (bytes != (size_t)(end - (const u8 *)trees->nodes))
		return ML_TREES_BAD_SIZE;
	return ML_TREES_OK;
}

static u32 ml_trees_magnitude(s32 value)
{
	return value < 0 ? -(u32)value : (u32)value;
}

/* One tree; adds the largest magnitude of its leaves to @sum */
static enum ml_trees_fault
ml_trees_check_tree(const struct ml_trees_node *nodes, unsigned int depth,
		    unsigned int nr_features, u64 *sum, const void **at)
{
	const unsigned int slots = 1U << depth;
	const s32 *leaves = (const s32 *)(nodes + slots);
	u32 largest = 0;
	unsigned int i;

	*at = nodes;
	if (nodes[0].threshold || nodes[0].feature)
		return ML_TREES_BAD_PADDING;
	for (i = 1; i < slots; i++) {
		*at = &nodes[i].feature;
		if (nodes[i].feature >= nr_features)
			return ML_TREES_BAD_FEATURE;
	}
	for (i = 0; i < slots; i++) {
		u32 magnitude = ml_trees_magnitude(leaves[i]);

		if (magnitude < largest)
			continue;
		largest = magnitude;
		*at = &leaves[i];
	}
	*sum += largest;
	if (*sum > S32_MAX)
		return ML_TREES_BAD_SUM;
	*at = &leaves[1];
	if (!depth && leaves[1])
		return ML_TREES_BAD_PADDING;
	return ML_TREES_OK;
}

/* All trees, in the order of the runs, which are known to be good */
static enum ml_trees_fault
ml_trees_check_trees(const struct ml_trees *trees, const void **at)
{
	const struct ml_trees_header *h = trees->header;
	const struct ml_trees_run *run = trees->runs;
	const struct ml_trees_run *end = run + h->nr_runs;
	const u8 *nodes = trees->nodes;
	enum ml_trees_fault fault;
	unsigned int group;
	u32 i;

	for (group = 0; group < h->nr_groups; group++) {
		u64 sum = ml_trees_magnitude(trees->base[group]);

		*at = &trees->base[group];
		if (sum > S32_MAX)
			return ML_TREES_BAD_SUM;
		for (; run < end && run->group == group; run++) {
			for (i = 0; i < run->nr_trees; i++) {
				fault = ml_trees_check_tree((const void *)nodes,
							    run->depth,
							    h->nr_features,
							    &sum, at);
				if (fault)
					return fault;
				nodes += ml_trees_tree_bytes(run->depth);
			}
		}
	}
	*at = &trees->base[h->nr_groups];
	if (h->nr_groups % 2 && trees->base[h->nr_groups])
		return ML_TREES_BAD_PADDING;
	return ML_TREES_OK;
}

static enum ml_trees_fault ml_trees_check(struct ml_trees *trees,
					  const void *table, u64 size,
					  const struct ml_trees_fit *fit,
					  const void **at)
{
	const struct ml_trees_header *h = table;
	enum ml_trees_fault fault;
	size_t runs, nodes;

	fault = ml_trees_check_header(h, size, fit, at);
	if (fault)
		return fault;
	runs = sizeof(*h) + ml_trees_base_bytes(h->nr_groups);
	nodes = runs + h->nr_runs * sizeof(struct ml_trees_run);
	*at = &h->size;
	if (nodes > size)
		return ML_TREES_BAD_SIZE;
	trees->header = h;
	trees->base = (const s32 *)(h + 1);
	trees->runs = (const void *)((const u8 *)table + runs);
	trees->nodes = (const u8 *)table + nodes;
	fault = ml_trees_check_runs(trees, at);
	if (fault)
		return fault;
	return ml_trees_check_trees(trees, at);
}

/**
 * ml_trees_verify() - may this table be evaluated?
 * @trees: set up when it may, else zeroed
 * @table: the table, aligned to 8 bytes; nobody changes it during the call or
 *	as long as @trees is in use
 * @size: of the memory at @table in bytes
 * @fit: what the table must be made for
 * @fault_offset: set to where in the table the fault was found; may be NULL
 *
 * Takes time in proportion to @size, which is refused above ML_TREES_MAX_SIZE.
 * A table that is not aligned is refused as ML_TREES_BAD_SIZE.
 *
 * Context: Any; a large table takes milliseconds.
 * Return: ML_TREES_OK, or the first fault that was found.
 */
enum ml_trees_fault ml_trees_verify(struct ml_trees *trees, const void *table,
				    __u64 size, const struct ml_trees_fit *fit,
				    __u64 *fault_offset)
{
	enum ml_trees_fault fault;
	const void *at = table;

	memset(trees, 0, sizeof(*trees));
	fault = ml_trees_check(trees, table, size, fit, &at);
	if (fault)
		memset(trees, 0, sizeof(*trees));
	if (fault_offset)
		*fault_offset = fault ? (const u8 *)at - (const u8 *)table : 0;
	return fault;
}
EXPORT_SYMBOL_IF_KUNIT(ml_trees_verify);

/* An address sanitizer cannot see into assembly: it gets the C */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#define ML_TREES_ASM
#endif

/* What a step may read, at most */
struct ml_trees_slots {
	struct ml_trees_node node[1 << ML_TREES_MAX_DEPTH];
};

/*
 * One level down in the tree that stands @offset bytes, a constant, from
 * @tree: two loads, a compare and an add with carry. Compilers make up to twice
 * as much of it, hence the assembly. Its last operand says what it depends on.
 */
static __always_inline unsigned long ml_trees_step(const u8 *tree,
						   const size_t offset,
						   const u32 *features,
						   unsigned long slot)
{
	const struct ml_trees_node *nodes = (const void *)(tree + offset);
	u32 feature = features[nodes[slot].feature];

#ifdef ML_TREES_ASM
	asm("cmpl %c[offset](%[tree],%[slot],8), %[feature]\n\t"
	    "adcq %[slot], %[slot]"
	    : [slot] "+r" (slot)
	    : [feature] "r" (feature), [tree] "r" (tree), [offset] "i" (offset),
	      "m" (*(const struct ml_trees_slots *)nodes)
	    : "cc");
	return slot;
#else
	return slot + slot + (feature < nodes[slot].threshold);
#endif
}

/* One level down in @nr trees, 1 or 4, that stand @stride bytes apart */
static __always_inline void ml_trees_level(const u8 *tree, const size_t stride,
					   const unsigned int nr,
					   const u32 *features,
					   unsigned long *slot)
{
	slot[0] = ml_trees_step(tree, 0, features, slot[0]);
	if (nr == 1)
		return;
	slot[1] = ml_trees_step(tree, stride, features, slot[1]);
	slot[2] = ml_trees_step(tree, 2 * stride, features, slot[2]);
	slot[3] = ml_trees_step(tree, 3 * stride, features, slot[3]);
}

/*
 * The leaf that belongs to a slot below the last level. There are as many slots
 * as leaves and they are twice as large, so leaf n is the s32 at 2 * slots + n.
 */
static __always_inline s32 ml_trees_leaf(const u8 *tree,
					 const unsigned int depth,
					 unsigned long slot)
{
	const s32 *leaves = (const void *)tree;

	return leaves[(1UL << depth) + slot];
}

/* @nr trees, 1 or 4, of one depth: with constants, straight-line code */
static __always_inline s32 ml_trees_walk(const u8 *tree, const unsigned int nr,
					 const unsigned int depth,
					 const u32 *features, s32 sum)
{
	const size_t stride = ml_trees_tree_bytes(depth);
	unsigned long slot[4] = { 1, 1, 1, 1 };

	if (depth > 0)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 1)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 2)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 3)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 4)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 5)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 6)
		ml_trees_level(tree, stride, nr, features, slot);
	if (depth > 7)
		ml_trees_level(tree, stride, nr, features, slot);
	sum += ml_trees_leaf(tree, depth, slot[0]);
	if (nr == 1)
		return sum;
	sum += ml_trees_leaf(tree + stride, depth, slot[1]);
	sum += ml_trees_leaf(tree + 2 * stride, depth, slot[2]);
	return sum + ml_trees_leaf(tree + 3 * stride, depth, slot[3]);
}

/*
 * The sum of a run's trees, of a constant depth, from @tree on; moves @tree
 * behind them. Hiding the counter keeps the compiler from computing the end of
 * the loop beforehand, which costs more than it saves in a loop this short.
 */
static __always_inline s32 ml_trees_walk_all(const u8 **tree, u32 nr,
					     const unsigned int depth,
					     const u32 *features)
{
	const size_t stride = ml_trees_tree_bytes(depth);
	const u8 *at = *tree;
	s32 sum = 0;

	for (; nr >= 4; nr -= 4, at += 4 * stride) {
		sum = ml_trees_walk(at, 4, depth, features, sum);
		OPTIMIZER_HIDE_VAR(nr);
	}
	for (; nr; nr--, at += stride) {
		sum = ml_trees_walk(at, 1, depth, features, sum);
		OPTIMIZER_HIDE_VAR(nr);
	}
	*tree = at;
	return sum;
}

/* Here the depth becomes a constant */
static __always_inline s32 ml_trees_run_sum(const u8 **tree,
					    const struct ml_trees_run *run,
					    const u32 *features)
{
	const u32 nr = run->nr_trees;

	switch (run->depth) {
	case 0:
		return ml_trees_walk_all(tree, nr, 0, features);
	case 1:
		return ml_trees_walk_all(tree, nr, 1, features);
	case 2:
		return ml_trees_walk_all(tree, nr, 2, features);
	case 3:
		return ml_trees_walk_all(tree, nr, 3, features);
	case 4:
		return ml_trees_walk_all(tree, nr, 4, features);
	case 5:
		return ml_trees_walk_all(tree, nr, 5, features);
	case 6:
		return ml_trees_walk_all(tree, nr, 6, features);
	case 7:
		return ml_trees_walk_all(tree, nr, 7, features);
	default:
		return ml_trees_walk_all(tree, nr, 8, features);
	}
}

/* Two at a time: of a small table, this is a tenth of the work */
static __always_inline void ml_trees_bias(u32 *biased, const s32 *features,
					  unsigned int nr)
{
	const unsigned int pairs = nr / 2;
	unsigned int i;
	u64 pair;

	for (i = 0; i < pairs; i++) {
		memcpy(&pair, &features[2 * i], sizeof(pair));
		pair ^= (u64)ML_TREES_BIAS << 32 | ML_TREES_BIAS;
		memcpy(&biased[2 * i], &pair, sizeof(pair));
	}
	if (nr % 2)
		biased[nr - 1] = (u32)features[nr - 1] ^ ML_TREES_BIAS;
}

/**
 * ml_trees_sums() - evaluate a table
 * @trees: what ml_trees_verify() set up
 * @features: as many as the table has
 * @sums: where the groups' sums go, in units of 2^-fraction
 *
 * Context: Any, including NMI. Uses no FPU and about 300 bytes of stack.
 */
void ml_trees_sums(const struct ml_trees *trees, const __s32 *features,
		   __s32 *sums)
{
	const struct ml_trees_header *h = trees->header;
	const struct ml_trees_run *run = trees->runs;
	const struct ml_trees_run *end = run + h->nr_runs;
	const u8 *tree = trees->nodes;
	/* Filled as far as it is read; zeroing it all would cost a tenth */
	u32 biased[ML_TREES_MAX_FEATURES] __uninitialized;
	unsigned int i;

	ml_trees_bias(biased, features, h->nr_features);
	for (i = 0; i < h->nr_groups; i++)
		sums[i] = trees->base[i];
	for (; run < end; run++)
		sums[run->group] += ml_trees_run_sum(&tree, run, biased);
}
EXPORT_SYMBOL_IF_KUNIT(ml_trees_sums);

static u32 ml_trees_argmax(const s32 *sums, unsigned int nr)
{
	unsigned int i, best = 0;

	for (i = 1; i < nr; i++)
		if (sums[i] > sums[best])
			best = i;
	return best;
}

/* Half up, for negative sums too: the shift rounds down. Then clamped. */
static u32 ml_trees_round(s32 sum, unsigned int fraction, u32 nr_actions)
{
	s64 value = ((s64)sum * 2 + (1LL << fraction)) >> (fraction + 1);

	if (value < 0)
		return 0;
	return value < nr_actions ? value : nr_actions - 1;
}

/**
 * ml_trees_action() - evaluate a table and choose
 * @trees: what ml_trees_verify() set up
 * @features: as many as the table has
 *
 * Context: Any, including NMI. Uses no FPU and about 600 bytes of stack.
 * Return: an action, less than the table's nr_actions.
 */
__u32 ml_trees_action(const struct ml_trees *trees, const __s32 *features)
{
	const struct ml_trees_header *h = trees->header;
	s32 sums[ML_TREES_MAX_GROUPS] __uninitialized;

	ml_trees_sums(trees, features, sums);
	switch (h->rule) {
	case ML_TREES_ARGMAX:
		return ml_trees_argmax(sums, h->nr_groups);
	case ML_TREES_SIGN:
		return sums[0] > 0;
	default:
		return ml_trees_round(sums[0], h->fraction, h->nr_actions);
	}
}
EXPORT_SYMBOL_IF_KUNIT(ml_trees_action);
