// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the files of device_test share: checks, the device, tables by hand.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <zlib.h>

#include "device.h"

/* Long enough for any machine; nothing is said about how long things take */
#define PATIENCE_NS 180000000000ULL

int ctl = -1;
struct ml_describe info;
void *const volatile nowhere;

/* Of the running test; device_test.c clears it */
bool test_failed;

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* One line for a test is enough where a check stands in a loop */
static bool result(bool ok, const char *file, int line)
{
	if (ok)
		return true;
	if (!test_failed)
		say("first failure at %s:%d", file, line);
	test_failed = true;
	return false;
}

bool check(bool ok, const char *text, const char *file, int line)
{
	if (!ok && !test_failed)
		say("false: %s", text);
	return result(ok, file, line);
}

bool check_eq(long long got, long long want, const char *text, const char *file,
	      int line)
{
	if (got != want && !test_failed)
		say("%s is %lld, expected %lld", text, got, want);
	return result(got == want, file, line);
}

bool check_errno(long ret, int want, const char *text, const char *file,
		 int line)
{
	int got = ret == -1 ? errno : 0;

	if (got != want && !test_failed)
		say("%s: returned %ld, errno %d (%s), expected %d (%s)", text,
		    ret, got, strerror(got), want, strerror(want));
	return result(got == want, file, line);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

int open_device(int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC);

	if (fd < 0)
		die("open " DEVICE);
	return fd;
}

int open_agent(int flags)
{
	int fd = open_device(O_RDWR | flags);

	if (ioctl(fd, ML_IOC_ATTACH))
		die("attach");
	return fd;
}

static void control(struct ml_control control)
{
	CHECK_EQ(ioctl(ctl, ML_IOC_CONTROL, &control), 0);
}

void set_cap(enum ml_mode cap)
{
	control((struct ml_control){ .mask = ML_CONTROL_CAP, .cap = cap });
}

void set_pin(int pin)
{
	control((struct ml_control){ .mask = ML_CONTROL_PIN, .pin = pin });
}

void set_backend(enum ml_backend backend)
{
	control((struct ml_control){ .mask = ML_CONTROL_BACKEND,
				     .backend = backend });
}

void set_sample(unsigned int shift)
{
	control((struct ml_control){ .mask = ML_CONTROL_SAMPLE,
				     .sample_shift = shift });
}

void set_wake(unsigned int bytes)
{
	control((struct ml_control){ .mask = ML_CONTROL_WAKE,
				     .wake_bytes = bytes });
}

struct ml_stats stats(void)
{
	struct ml_stats stats;

	if (ioctl(ctl, ML_IOC_STATS, &stats))
		die("stats");
	return stats;
}

/* Everything that a decision or its outcome counts up */
static bool same_counts(const struct ml_stats *a, const struct ml_stats *b)
{
	return a->decisions[0] == b->decisions[0] &&
	       a->decisions[1] == b->decisions[1] &&
	       a->outcomes[0] == b->outcomes[0] &&
	       a->outcomes[1] == b->outcomes[1] &&
	       a->unanswered == b->unanswered && a->samples == b->samples &&
	       a->records_outcome == b->records_outcome &&
	       a->samples_lost == b->samples_lost &&
	       a->outcomes_lost == b->outcomes_lost;
}

/* The demo sleeps between its bursts, so such a moment comes soon */
struct ml_stats settled(void)
{
	uint64_t end = now_ns() + PATIENCE_NS;
	struct ml_stats a = stats(), b;

	for (;;) {
		b = stats();
		if (same_counts(&a, &b))
			return b;
		if (now_ns() > end)
			die("the counts never rest");
		a = b;
	}
}

void check_unchanged(const struct ml_stats *before, const char *after)
{
	struct ml_stats now = stats();
	bool same = now.mode == before->mode && now.reason == before->reason &&
		    now.backend == before->backend &&
		    now.model == before->model && now.cap == before->cap &&
		    now.pin == before->pin &&
		    now.sample_shift == before->sample_shift &&
		    now.flags == before->flags &&
		    now.mode_since_ns == before->mode_since_ns &&
		    now.promotions == before->promotions &&
		    now.demotions == before->demotions &&
		    now.emergencies == before->emergencies &&
		    now.hints == before->hints &&
		    now.hints_invalid == before->hints_invalid &&
		    now.table_bytes == before->table_bytes;

	if (!same && !test_failed)
		say("the state has changed after: %s", after);
	result(same, __FILE__, __LINE__);
}

bool alive(int fd)
{
	const struct ml_hint hint = { .flags = ML_HINT_ALIVE };

	return write(fd, &hint, sizeof(hint)) == sizeof(hint);
}

static bool wait_for(int fd, int mode, int reason)
{
	uint64_t end = now_ns() + PATIENCE_NS;
	struct ml_stats now;

	for (;;) {
		if (fd >= 0 && !alive(fd))
			die("sign of life");
		now = stats();
		if ((int)now.mode == mode &&
		    (reason < 0 || (int)now.reason == reason))
			return true;
		if (now_ns() > end)
			break;
		sleep_ms(2);
	}
	if (!test_failed)
		say("mode is %u, reason %u; expected %d, %d", now.mode,
		    now.reason, mode, reason);
	return result(false, __FILE__, __LINE__);
}

bool wait_mode(int fd, enum ml_mode mode)
{
	return wait_for(fd, mode, -1);
}

bool wait_reason(int fd, enum ml_mode mode, enum ml_reason reason)
{
	return wait_for(fd, mode, reason);
}

static uint64_t decisions(void)
{
	struct ml_stats now = stats();

	return now.decisions[0] + now.decisions[1];
}

void wait_decisions(int fd, uint64_t n)
{
	uint64_t end = now_ns() + PATIENCE_NS, from = decisions();

	while (decisions() - from < n) {
		if (now_ns() > end) {
			check(false, "decisions go on", __FILE__, __LINE__);
			return;
		}
		if (fd >= 0)
			alive(fd);
		sleep_ms(2);
	}
}

/* Hand out what a read returned; false if a header makes no sense */
static bool hand_out(const uint8_t *data, size_t len,
		     bool (*take)(const struct ml_record *, void *), void *arg,
		     bool *done)
{
	const struct ml_record *record;
	size_t at;

	for (at = 0; at < len; at += record->size) {
		record = (const void *)(data + at);
		if (!CHECK(len - at >= sizeof(*record)) ||
		    !CHECK(record->size >= sizeof(*record)) ||
		    !CHECK(record->size % 8 == 0) ||
		    !CHECK(record->size <= len - at))
			return false;
		*done = take(record, arg) || *done;
	}
	return true;
}

bool read_records(int fd, bool (*take)(const struct ml_record *, void *),
		  void *arg)
{
	static _Alignas(8) uint8_t data[1 << 17];
	uint64_t end = now_ns() + PATIENCE_NS;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	bool done = false;
	ssize_t len;

	while (!done && now_ns() < end) {
		alive(fd);
		if (poll(&poll_fd, 1, 100) <= 0)
			continue;
		len = read(fd, data, sizeof(data));
		if (len < 0 && errno == EAGAIN)
			continue;
		if (!CHECK(len > 0) || !hand_out(data, len, take, arg, &done))
			return false;
	}
	return check(done, "the records awaited came", __FILE__, __LINE__);
}

struct drainer {
	void (*take)(const struct ml_record *record, void *arg);
	void *arg;
};

static bool take_all(const struct ml_record *record, void *arg)
{
	const struct drainer *drainer = arg;

	if (drainer->take)
		drainer->take(record, drainer->arg);
	return false;
}

size_t drain(int fd, void (*take)(const struct ml_record *, void *), void *arg)
{
	static _Alignas(8) uint8_t data[1 << 17];
	struct drainer drainer = { take, arg };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t done = 0;
	bool unused;
	ssize_t len;

	while (poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLIN) {
		len = read(fd, data, sizeof(data));
		if (len < 0 && errno == EAGAIN)
			break;
		if (!CHECK(len > 0) ||
		    !hand_out(data, len, take_all, &drainer, &unused))
			break;
		done += len;
	}
	return done;
}

void seal_table(void *table)
{
	const size_t crc = offsetof(struct ml_trees_header, crc);
	const size_t start = crc + sizeof(uint32_t);
	uint32_t size, sum;

	memcpy(&size, (uint8_t *)table + offsetof(struct ml_trees_header, size),
	       sizeof(size));
	sum = crc32(0, (const uint8_t *)table + start, size - start);
	memcpy((uint8_t *)table + crc, &sum, sizeof(sum));
}

/* One group, one tree of this depth: rounds the leaf to an action */
static struct table one_tree(unsigned int depth)
{
	struct table table = {
		.size = sizeof(struct ml_trees_header) + 8 +
			sizeof(struct ml_trees_run) + (depth ? 16 + 8 : 8 + 8),
	};
	struct ml_trees_header header = {
		.magic = ML_TREES_MAGIC,
		.version = ML_TREES_VERSION,
		.header_size = sizeof(header),
		.size = table.size,
		.schema = info.schema,
		.nr_features = info.nr_features,
		.nr_actions = info.nr_actions,
		.nr_groups = 1,
		.nr_runs = 1,
		.nr_trees = 1,
		.rule = ML_TREES_ROUND,
		.name = "by hand",
	};
	struct ml_trees_run run = { .depth = depth, .nr_trees = 1 };

	memcpy(table.data, &header, sizeof(header));
	memcpy(table.data + sizeof(header) + 8, &run, sizeof(run));
	return table;
}

struct table table_const(unsigned int action)
{
	struct table table = one_tree(0);
	int32_t leaf = action;

	memcpy(table.data + table.size - 8, &leaf, sizeof(leaf));
	seal_table(table.data);
	return table;
}

struct table table_split(unsigned int feature, int threshold,
			 unsigned int below, unsigned int above)
{
	struct table table = one_tree(1);
	struct ml_trees_node root = {
		.threshold = (uint32_t)threshold ^ 0x80000000,
		.feature = feature,
	};
	int32_t leaves[2] = { above, below };

	memcpy(table.data + table.size - 16, &root, sizeof(root));
	memcpy(table.data + table.size - 8, leaves, sizeof(leaves));
	seal_table(table.data);
	return table;
}

int load_table(const void *table, size_t size, struct ml_load *load)
{
	struct ml_load own;
	int ret;

	if (!load)
		load = &own;
	*load = (struct ml_load){ .table = (uintptr_t)table, .size = size };
	ret = ioctl(ctl, ML_IOC_LOAD, load);
	/* Where nobody asks, a table is meant to be good */
	if (ret && load == &own)
		say("load: %s, fault %u at byte %llu", strerror(errno),
		    load->fault, (unsigned long long)load->fault_offset);
	return ret;
}
