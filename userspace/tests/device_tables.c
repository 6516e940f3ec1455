// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: tree tables, good, spoiled and exchanged, and the backends.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

/* Decisions by a table, in half the cases */
static void trees_at_work(void)
{
	set_backend(ML_BACKEND_TREES);
	set_pin(ML_MODE_COLLABORATION);
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
}

/* A refused table leaves the one that is there, and says where the fault is */
static bool refused(const void *data, size_t size, unsigned int fault,
		    const struct ml_stats *before, const char *what)
{
	struct ml_load load;
	bool ok = CHECK_ERRNO(load_table(data, size, &load), EINVAL) &&
		  CHECK_EQ(load.fault, fault) && CHECK_EQ(load.model, 0) &&
		  CHECK(load.fault_offset <= size);

	if (!ok)
		say("%s, %zu bytes", what, size);
	check_unchanged(before, what);
	return ok;
}

static struct ml_stats with_table(struct table *table)
{
	*table = table_split(SIZE, 500, SMALL, LARGE);
	CHECK_EQ(load_table(table->data, table->size, NULL), 0);
	trees_at_work();
	return stats();
}

static void truncated(void)
{
	struct table table;
	struct ml_stats before = with_table(&table);
	static uint8_t large[ML_TREES_MAX_SIZE + 8];
	size_t size;

	CHECK_EQ(before.table_bytes, table.size);
	CHECK_EQ(before.flags & ML_STATS_TABLE, ML_STATS_TABLE);
	for (size = 0; size < table.size; size++)
		if (!refused(table.data, size, ML_TREES_BAD_SIZE, &before,
			     "truncated"))
			break;
	memcpy(large, table.data, table.size);
	for (size = table.size + 1; size < table.size + 64; size++)
		refused(large, size, ML_TREES_BAD_SIZE, &before, "too long");
	refused(large, ML_TREES_MAX_SIZE, ML_TREES_BAD_SIZE, &before, "4 MiB");
	refused(large, ML_TREES_MAX_SIZE + 1, ML_TREES_BAD_SIZE, &before,
		"more than 4 MiB");
	refused(large, UINT32_MAX, ML_TREES_BAD_SIZE, &before, "4 GiB");
}

/* As far as the fields are checked one by one, the first byte tells which */
static unsigned int fault_of_byte(size_t at)
{
	if (at < offsetof(struct ml_trees_header, version))
		return ML_TREES_BAD_MAGIC;
	if (at < offsetof(struct ml_trees_header, size))
		return ML_TREES_BAD_VERSION;
	if (at < offsetof(struct ml_trees_header, crc))
		return ML_TREES_BAD_SIZE;
	return ML_TREES_BAD_CRC;
}

static void flipped(void)
{
	struct table table, spoiled;
	struct ml_stats before = with_table(&table);
	unsigned int bit;
	size_t at;

	for (at = 0; at < table.size; at++) {
		for (bit = 0; bit < 8; bit++) {
			spoiled = table;
			spoiled.data[at] ^= 1 << bit;
			refused(spoiled.data, spoiled.size, fault_of_byte(at),
				&before, "a bit flipped");
		}
		spoiled = table;
		spoiled.data[at] ^= 0xff;
		refused(spoiled.data, spoiled.size, fault_of_byte(at), &before,
			"a byte flipped");
	}
}

static bool count_samples(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = (const void *)record;

	if (record->type != ML_RECORD_SAMPLE)
		return false;
	CHECK(sample->action < NR_ACTIONS);
	return ++*(unsigned int *)arg >= 10;
}

/*
 * With the checksum right again, what is left must be a table that the kernel
 * may evaluate: it does, and every action is one of the proxy's.
 */
static void flipped_and_sealed(void)
{
	unsigned int accepted = 0, refusals = 0, bit, n;
	struct table table, spoiled;
	int fd = open_agent(O_NONBLOCK);
	struct ml_stats before = with_table(&table);
	struct ml_load load;
	size_t at;

	for (at = 0; at < table.size; at++) {
		for (bit = 0; bit <= 8; bit++) {
			spoiled = table;
			spoiled.data[at] ^= bit < 8 ? 1 << bit : 0xff;
			/* A wrong length of the whole cannot be sealed */
			if (at / 4 !=
			    offsetof(struct ml_trees_header, size) / 4)
				seal_table(spoiled.data);
			if (load_table(spoiled.data, spoiled.size, &load)) {
				refusals++;
				CHECK_EQ(errno, EINVAL);
				CHECK(load.fault > ML_TREES_OK &&
				      load.fault < ML_TREES_NR_FAULTS);
				check_unchanged(&before, "a byte changed");
				continue;
			}
			/* Nothing before the names and behind may be free */
			accepted++;
			CHECK_EQ(load.fault, 0);
			n = 0;
			read_records(fd, count_samples, &n);
			before = stats();
			CHECK_EQ(before.invalid_actions, 0);
		}
	}
	say("%u refused, %u accepted and harmless", refusals, accepted);
	CHECK(refusals > 0 && accepted > 0);
	close(fd);
}

static void set16(struct table *table, size_t at, unsigned int value)
{
	uint16_t v = value;

	memcpy(table->data + at, &v, sizeof(v));
}

static void set32(struct table *table, size_t at, unsigned int value)
{
	uint32_t v = value;

	memcpy(table->data + at, &v, sizeof(v));
}

/* One fault each, sealed: told by its name and its place */
static void faults(void)
{
#define IN_HEADER(field) offsetof(struct ml_trees_header, field)
	const size_t base = sizeof(struct ml_trees_header), run = base + 8;
	const size_t slot0 = run + sizeof(struct ml_trees_run);
	const size_t root = slot0 + sizeof(struct ml_trees_node);
	const size_t leaves = root + sizeof(struct ml_trees_node);
	const struct fault {
		const char *what;
		size_t at;
		unsigned int bytes, value, fault;
	} list[] = {
		{ "magic", 0, 4, 1, ML_TREES_BAD_MAGIC },
		{ "version", IN_HEADER(version), 2, 2, ML_TREES_BAD_VERSION },
		{ "schema", IN_HEADER(schema), 4, 1, ML_TREES_BAD_SCHEMA },
		{ "no features", IN_HEADER(nr_features), 2, 0,
		  ML_TREES_BAD_COUNT },
		{ "more features", IN_HEADER(nr_features), 2, NR_FEATURES + 1,
		  ML_TREES_BAD_COUNT },
		{ "fewer actions", IN_HEADER(nr_actions), 2, NR_ACTIONS - 1,
		  ML_TREES_BAD_COUNT },
		{ "no groups", IN_HEADER(nr_groups), 2, 0, ML_TREES_BAD_COUNT },
		{ "65535 groups", IN_HEADER(nr_groups), 2, 65535,
		  ML_TREES_BAD_COUNT },
		{ "65535 runs", IN_HEADER(nr_runs), 2, 65535,
		  ML_TREES_BAD_COUNT },
		{ "2 trees", IN_HEADER(nr_trees), 4, 2, ML_TREES_BAD_COUNT },
		{ "2^32 trees", IN_HEADER(nr_trees), 4, ~0U,
		  ML_TREES_BAD_COUNT },
		{ "rule", IN_HEADER(rule), 1, ML_TREES_NR_RULES,
		  ML_TREES_BAD_RULE },
		{ "argmax of one group", IN_HEADER(rule), 1, ML_TREES_ARGMAX,
		  ML_TREES_BAD_RULE },
		{ "fraction", IN_HEADER(fraction), 1, 25,
		  ML_TREES_BAD_FRACTION },
		{ "reserved", IN_HEADER(reserved), 2, 1, ML_TREES_BAD_PADDING },
		{ "name", IN_HEADER(name), 1, 0x1b, ML_TREES_BAD_NAME },
		{ "name's end", IN_HEADER(name) + 31, 1, 'x',
		  ML_TREES_BAD_NAME },
		{ "base", base, 4, 0x80000000, ML_TREES_BAD_SUM },
		{ "base's padding", base + 4, 4, 1, ML_TREES_BAD_PADDING },
		{ "group", run, 2, 1, ML_TREES_BAD_GROUP },
		{ "depth", run + 2, 2, 9, ML_TREES_BAD_DEPTH },
		{ "another depth", run + 2, 2, 2, ML_TREES_BAD_SIZE },
		{ "no trees in a run", run + 4, 4, 0, ML_TREES_BAD_COUNT },
		{ "slot 0", slot0, 4, 1, ML_TREES_BAD_PADDING },
		{ "feature", root + 4, 4, NR_FEATURES, ML_TREES_BAD_FEATURE },
		{ "feature 2^32 - 1", root + 4, 4, ~0U, ML_TREES_BAD_FEATURE },
		{ "leaf", leaves, 4, 0x80000000, ML_TREES_BAD_SUM },
	};
	struct table table, spoiled;
	struct ml_stats before = with_table(&table);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		const struct fault *f = &list[i];

		spoiled = table;
		if (f->bytes == 1)
			spoiled.data[f->at] = f->value;
		else if (f->bytes == 2)
			set16(&spoiled, f->at, f->value);
		else
			set32(&spoiled, f->at, f->value);
		seal_table(spoiled.data);
		refused(spoiled.data, spoiled.size, f->fault, &before, f->what);
	}
	/* A lie about the checksum itself */
	spoiled = table;
	spoiled.data[IN_HEADER(crc)] ^= 1;
	refused(spoiled.data, spoiled.size, ML_TREES_BAD_CRC, &before, "crc");
	/* Of one whose sums could overflow only together with its base */
	spoiled = table;
	set32(&spoiled, base, 0x7ffffffe);
	seal_table(spoiled.data);
	refused(spoiled.data, spoiled.size, ML_TREES_BAD_SUM, &before, "sum");
}

/* One that is right in all but how long it takes: 2048 trees of depth 5 */
static void too_expensive(void)
{
	const unsigned int nr = ML_TREES_MAX_TREES, depth = 5;
	const size_t tree = (8 << depth) + (4 << depth);
	struct table small;
	struct ml_stats before = with_table(&small);
	struct ml_trees_header *header;
	struct ml_trees_run *run;
	size_t size;
	uint8_t *data;

	size = sizeof(*header) + 8 + sizeof(*run) + nr * tree;
	data = calloc(1, size);
	if (!data)
		die("memory");
	memcpy(data, small.data, sizeof(*header));
	header = (void *)data;
	run = (void *)(data + sizeof(*header) + 8);
	header->size = size;
	header->nr_trees = nr;
	*run = (struct ml_trees_run){ .depth = depth, .nr_trees = nr };
	seal_table(data);
	refused(data, size, ML_TREES_BAD_COST, &before, "expensive");
	/* Four levels are just what is allowed */
	size = sizeof(*header) + 8 + sizeof(*run) + nr * tree / 2;
	header->size = size;
	run->depth = 4;
	seal_table(data);
	CHECK_EQ(load_table(data, size, NULL), 0);
	CHECK_EQ(stats().table_bytes, size);
	wait_decisions(-1, 2000);
	free(data);
}

/* What the samples of a backend must look like, from a time on */
struct expected {
	uint64_t from;
	enum ml_backend backend;
	unsigned int (*action)(const int32_t *features);
	unsigned int seen[NR_ACTIONS];
	unsigned int treated, enough;
};

static bool check_backend(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = (const void *)record;
	struct expected *expected = arg;

	if (record->type != ML_RECORD_SAMPLE ||
	    sample->time_ns < expected->from + 1000000)
		return false;
	CHECK_EQ(sample->backend, expected->backend);
	if (sample->arm == ML_ARM_CONTROL) {
		CHECK_EQ(sample->action, STOCK);
		return false;
	}
	CHECK_EQ(sample->flags, ML_SAMPLE_ANSWERED);
	if (expected->action)
		CHECK_EQ(sample->action, expected->action(sample->features));
	expected->seen[sample->action % NR_ACTIONS]++;
	return ++expected->treated >= expected->enough;
}

static unsigned int split_action(const int32_t *features)
{
	return features[SIZE] < 500 ? SMALL : LARGE;
}

static unsigned int split_negative(const int32_t *features)
{
	return features[GAP] < -100 ? SKIP : STOCK;
}

/* As in ml_demo.c */
static unsigned int demo_rule(const int32_t *features)
{
	return features[GAP] > 0 ? STOCK : LARGE;
}

static void table_decides(void)
{
	struct expected expected = { .backend = ML_BACKEND_TREES,
				     .enough = 2000 };
	int fd = open_agent(O_NONBLOCK);
	struct table table;

	with_table(&table);
	expected.from = now_ns();
	expected.action = split_action;
	read_records(fd, check_backend, &expected);
	CHECK(expected.seen[SMALL] && expected.seen[LARGE]);

	table = table_split(GAP, -100, SKIP, STOCK);
	CHECK_EQ(load_table(table.data, table.size, NULL), 0);
	expected.from = now_ns();
	expected.action = split_negative;
	expected.treated = 0;
	read_records(fd, check_backend, &expected);
	CHECK(expected.seen[SKIP] && expected.seen[STOCK]);

	/* Beyond the last action there is the last, below the first the first */
	table = table_split(GAP, -100, 1000000, -1000000);
	CHECK_EQ(load_table(table.data, table.size, NULL), 0);
	expected.from = now_ns();
	expected.treated = 0;
	read_records(fd, check_backend, &expected);
	close(fd);
}

static void backends(void)
{
	struct expected expected = { .enough = 2000 };
	int fd = open_agent(O_NONBLOCK);
	struct ml_stats before = stats(), now;
	struct table table = table_const(SKIP);
	unsigned int i;

	set_pin(ML_MODE_COLLABORATION);
	expected.backend = ML_BACKEND_RULE;
	expected.action = demo_rule;
	set_backend(ML_BACKEND_RULE);
	expected.from = now_ns();
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
	CHECK_EQ(stats().model, ++before.model);
	/* The same again is no change */
	set_backend(ML_BACKEND_RULE);
	CHECK_EQ(stats().model, before.model);
	read_records(fd, check_backend, &expected);

	expected.backend = ML_BACKEND_RANDOM;
	expected.action = NULL;
	memset(expected.seen, 0, sizeof(expected.seen));
	set_backend(ML_BACKEND_RANDOM);
	expected.from = now_ns();
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
	CHECK_EQ(stats().model, ++before.model);
	expected.treated = 0;
	read_records(fd, check_backend, &expected);
	for (i = 0; i < NR_ACTIONS; i++)
		CHECK(expected.seen[i] > expected.enough / NR_ACTIONS / 2);

	/* Without a table there is no model, with one there is */
	set_backend(ML_BACKEND_TREES);
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
	CHECK_EQ(now.reason, ML_REASON_NO_MODEL);
	before.model = now.model;
	CHECK_EQ(load_table(table.data, table.size, NULL), 0);
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_COLLABORATION);
	CHECK_EQ(now.model, before.model + 1);
	CHECK_EQ(ioctl(ctl, ML_IOC_UNLOAD), 0);
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
	CHECK_EQ(now.reason, ML_REASON_NO_MODEL);
	CHECK_EQ(now.table_bytes, 0);
	CHECK_EQ(now.flags & ML_STATS_TABLE, 0);

	set_backend(ML_BACKEND_AGENT);
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
	set_backend(ML_BACKEND_NONE);
	CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
	CHECK_EQ(stats().reason, ML_REASON_NO_MODEL);
	close(fd);
}

/* A table under a backend that does not use it waits */
static void table_waits(void)
{
	struct table table = table_const(LARGE);
	struct ml_stats before;
	struct ml_load load;

	set_backend(ML_BACKEND_RULE);
	set_pin(ML_MODE_LEARNING);
	before = stats();
	CHECK_EQ(load_table(table.data, table.size, &load), 0);
	CHECK_EQ(stats().model, before.model);
	CHECK_EQ(stats().mode, ML_MODE_LEARNING);
	CHECK_EQ(stats().mode_since_ns, before.mode_since_ns);
	set_backend(ML_BACKEND_TREES);
	CHECK_EQ(stats().mode, ML_MODE_LEARNING);
	CHECK_EQ(stats().model, before.model + 1);
}

static void swap(void)
{
	struct table table[2] = { table_const(SMALL), table_const(LARGE) };
	struct expected expected = { .backend = ML_BACKEND_TREES,
				     .enough = 500 };
	int fd = open_agent(O_NONBLOCK);
	struct ml_stats before, now;
	struct ml_load load;
	unsigned int i;

	CHECK_EQ(load_table(table[0].data, table[0].size, NULL), 0);
	trees_at_work();
	before = stats();
	for (i = 1; i <= 1000; i++) {
		CHECK_EQ(load_table(table[i % 2].data, table[i % 2].size,
				    &load),
			 0);
		CHECK_EQ(load.model, before.model + i);
		if (i % 100 == 0)
			drain(fd, NULL, NULL);
	}
	CHECK_EQ(load_table(table[1].data, table[1].size, &load), 0);
	expected.from = now_ns();
	now = stats();
	CHECK_EQ(now.model, before.model + 1001);
	CHECK_EQ(now.mode, ML_MODE_COLLABORATION);
	CHECK_EQ(now.unanswered, before.unanswered);
	CHECK_EQ(now.invalid_actions, before.invalid_actions);
	CHECK_EQ(now.emergencies, before.emergencies);
	CHECK(now.decisions[1] > before.decisions[1]);
	read_records(fd, check_backend, &expected);
	CHECK_EQ(expected.seen[LARGE], expected.treated);
	close(fd);
}

static void unload_while_deciding(void)
{
	struct table table = table_split(SIZE, 500, SMALL, LARGE);
	struct ml_stats before;
	unsigned int i;

	set_backend(ML_BACKEND_TREES);
	set_pin(ML_MODE_RECOMMENDATION);
	before = stats();
	for (i = 0; i < 500; i++) {
		CHECK_EQ(load_table(table.data, table.size, NULL), 0);
		CHECK_EQ(stats().mode, ML_MODE_RECOMMENDATION);
		CHECK_EQ(ioctl(ctl, ML_IOC_UNLOAD), 0);
		CHECK_ERRNO(ioctl(ctl, ML_IOC_UNLOAD), ENOENT);
		CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
	}
	CHECK_EQ(stats().invalid_actions, before.invalid_actions);
	wait_decisions(-1, 1000);
}

/* Threads that load and unload as they like */
static bool stop_loading;

static void *load_and_unload(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	struct table table;
	long odd = 0;

	while (!__atomic_load_n(&stop_loading, __ATOMIC_RELAXED)) {
		table = table_const(rand_r(&seed) % NR_ACTIONS);
		if (rand_r(&seed) % 4)
			odd += load_table(table.data, table.size, NULL) != 0;
		else
			odd += ioctl(ctl, ML_IOC_UNLOAD) && errno != ENOENT;
	}
	return (void *)odd;
}

static void loads_at_once(void)
{
	pthread_t thread[4];
	uintptr_t i;
	void *odd;

	stop_loading = false;
	set_backend(ML_BACKEND_TREES);
	set_pin(ML_MODE_RECOMMENDATION);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(&thread[i], NULL, load_and_unload,
				   (void *)i))
			die("thread");
	wait_decisions(-1, 50000);
	__atomic_store_n(&stop_loading, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		CHECK_EQ(pthread_join(thread[i], &odd), 0);
		CHECK_EQ((long)odd, 0);
	}
	CHECK_EQ(stats().invalid_actions, 0);
}

const struct test table_tests[] = {
	{ "load: truncated at every length, or too long", truncated },
	{ "load: every bit flipped", flipped },
	{ "load: every bit flipped, checksum right", flipped_and_sealed },
	{ "load: each fault is told", faults },
	{ "load: more steps than allowed", too_expensive },
	{ "trees: the table decides", table_decides },
	{ "backends: each decides as it should", backends },
	{ "load: a table waits for its backend", table_waits },
	{ "load: 1000 tables while deciding", swap },
	{ "unload: 500 times while deciding", unload_while_deciding },
	{ "load: from four threads", loads_at_once },
	{ NULL, NULL },
};
