// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: every ioctl with what it must refuse, and who may do what.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define IOC_MAX_SIZE ((1 << _IOC_SIZEBITS) - 1)

/* The ioctls with a struct, and a good one of each */
static const struct call {
	const char *name;
	unsigned int cmd;
} calls[] = {
	{ "describe", ML_IOC_DESCRIBE }, { "feature", ML_IOC_FEATURE },
	{ "action", ML_IOC_ACTION },	 { "stats", ML_IOC_STATS },
	{ "control", ML_IOC_CONTROL },	 { "load", ML_IOC_LOAD },
};

static struct table good_table;

/* Zeroes, but for load, which has nothing to load then */
static void good_argument(unsigned int cmd, void *arg)
{
	struct ml_load load = { .table = (uintptr_t)good_table.data,
				.size = good_table.size };

	memset(arg, 0, _IOC_SIZE(cmd));
	if (cmd == ML_IOC_LOAD)
		memcpy(arg, &load, sizeof(load));
}

static unsigned int with_size(unsigned int cmd, unsigned int size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

/* A state that moves only when somebody moves it */
static struct ml_stats still_state(void)
{
	good_table = table_const(SMALL);
	CHECK_EQ(load_table(good_table.data, good_table.size, NULL), 0);
	set_backend(ML_BACKEND_RULE);
	set_pin(ML_MODE_LEARNING);
	return stats();
}

static void node(void)
{
	struct stat stat_buf;
	pid_t child;
	int status;

	CHECK_EQ(stat(DEVICE, &stat_buf), 0);
	CHECK(S_ISCHR(stat_buf.st_mode));
	CHECK_EQ(stat_buf.st_mode & 07777, 0600);
	CHECK_EQ(stat_buf.st_uid, 0);
	CHECK_EQ(stat_buf.st_gid, 0);
	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(open(DEVICE, O_RDONLY) == -1 && errno == EACCES ? 0 : 1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(lseek(ctl, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(ctl, &status, sizeof(status), 0), ESPIPE);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ctl, 0) == MAP_FAILED);
}

/* FNV-1a with the terminating zeroes, as the kernel says it hashes names */
static uint64_t hash_name(uint64_t hash, const char *name)
{
	do {
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3ULL;
	} while (*name++);
	return hash;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, 0, size);
}

static void describe(void)
{
	uint64_t schema = hash_name(0xcbf29ce484222325ULL, "demo");
	struct ml_entry entry;
	unsigned int i;

	CHECK_EQ(info.abi, ML_ABI_VERSION);
	CHECK(!strcmp(info.name, "demo"));
	CHECK_EQ(info.nr_features, NR_FEATURES);
	CHECK_EQ(info.nr_actions, NR_ACTIONS);
	CHECK_EQ(info.sample_size, 64);
	CHECK_EQ(info.ring_size & (info.ring_size - 1), 0);
	CHECK(info.ring_size >= 4096);
	CHECK(info.nr_cpus >= sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(info.hint_slots > 0);
	CHECK(info.watchdog_ms > 0);
	CHECK_EQ(info.backends, (1 << ML_NR_BACKENDS) - 1);
	CHECK(terminated(info.reward_unit, sizeof(info.reward_unit)));
	CHECK(terminated(info.reward_about, sizeof(info.reward_about)));

	for (i = 0; i < info.nr_features; i++) {
		entry = (struct ml_entry){ .index = i };
		CHECK_EQ(ioctl(ctl, ML_IOC_FEATURE, &entry), 0);
		CHECK_EQ(entry.index, i);
		CHECK(*entry.name && terminated(entry.name, ML_NAME_LEN));
		CHECK(*entry.unit && terminated(entry.unit, ML_UNIT_LEN));
		CHECK(terminated(entry.about, ML_ABOUT_LEN));
		schema = hash_name(hash_name(schema, entry.name), entry.unit);
	}
	schema = hash_name(schema, "");
	for (i = 0; i < info.nr_actions; i++) {
		entry = (struct ml_entry){ .index = i };
		CHECK_EQ(ioctl(ctl, ML_IOC_ACTION, &entry), 0);
		CHECK_EQ(entry.index, i);
		CHECK(*entry.name && terminated(entry.name, ML_NAME_LEN));
		CHECK(terminated(entry.about, ML_ABOUT_LEN));
		schema = hash_name(schema, entry.name);
	}
	CHECK(schema == info.schema);
}

static void index_beyond(void)
{
	static const unsigned int far[] = {
		64, 255, 65536, 0x7fffffff, 0x80000000, 0xffffffff
	};
	struct ml_stats before = still_state();
	struct ml_entry entry;
	unsigned int i;

	entry = (struct ml_entry){ .index = info.nr_features };
	CHECK_ERRNO(ioctl(ctl, ML_IOC_FEATURE, &entry), ENOENT);
	entry = (struct ml_entry){ .index = info.nr_actions };
	CHECK_ERRNO(ioctl(ctl, ML_IOC_ACTION, &entry), ENOENT);
	CHECK_EQ(entry.name[0], 0);
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		entry = (struct ml_entry){ .index = far[i] };
		CHECK_ERRNO(ioctl(ctl, ML_IOC_FEATURE, &entry), ENOENT);
		CHECK_ERRNO(ioctl(ctl, ML_IOC_ACTION, &entry), ENOENT);
	}
	check_unchanged(&before, "an index beyond the last");
}

static void sizes_too_small(void)
{
	static uint8_t arg[IOC_MAX_SIZE];
	struct ml_stats before = still_state();
	unsigned int i, size;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		good_argument(calls[i].cmd, arg);
		for (size = 0; size < _IOC_SIZE(calls[i].cmd); size++)
			if (!CHECK_ERRNO(ioctl(ctl,
					       with_size(calls[i].cmd, size),
					       arg),
					 EINVAL))
				say("%s, size %u", calls[i].name, size);
	}
	check_unchanged(&before, "sizes too small");
}

static void sizes_larger(void)
{
	static uint8_t arg[IOC_MAX_SIZE];
	unsigned int i, at, cmd, ksize;
	struct ml_stats before;

	still_state();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		cmd = calls[i].cmd;
		ksize = _IOC_SIZE(cmd);
		/* Of another version, that has nothing to say to this one */
		memset(arg, 0, sizeof(arg));
		good_argument(cmd, arg);
		if (_IOC_DIR(cmd) == _IOC_READ)
			memset(arg, 0xff, sizeof(arg));
		CHECK_EQ(ioctl(ctl, with_size(cmd, IOC_MAX_SIZE), arg), 0);
		/* What the kernel does not know it fills in as zero */
		for (at = ksize; at < IOC_MAX_SIZE; at++)
			if (!CHECK_EQ(arg[at], 0))
				break;
		before = stats();
		for (at = ksize; at < ksize + 32; at++) {
			if (_IOC_DIR(cmd) == _IOC_READ)
				break;
			memset(arg, 0, sizeof(arg));
			good_argument(cmd, arg);
			arg[at] = 1;
			if (!CHECK_ERRNO(ioctl(ctl, with_size(cmd, at + 1),
					       arg),
					 E2BIG))
				say("%s, byte %u", calls[i].name, at);
		}
		check_unchanged(&before, "sizes too large");
	}
}

static void bad_pointers(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ml_stats before = still_state();
	struct ml_load load;
	unsigned int i, j;

	CHECK(map != MAP_FAILED);
	CHECK_EQ(munmap(map + page, page), 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int cmd = calls[i].cmd;
		void *bad[] = { NULL,
				(void *)1,
				map + page,
				map + page - _IOC_SIZE(cmd) / 2,
				(void *)0xffff888000000000,
				(void *)-1L };

		for (j = 0; j < ARRAY_SIZE(bad); j++)
			if (!CHECK_ERRNO(ioctl(ctl, cmd, bad[j]), EFAULT))
				say("%s, pointer %u", calls[i].name, j);
	}
	check_unchanged(&before, "bad pointers");

	/* And the pointer within: to nowhere, to a page's end, to the kernel */
	CHECK_ERRNO(load_table(NULL, 128, &load), EFAULT);
	CHECK_ERRNO(load_table(map + page, 128, &load), EFAULT);
	memcpy(map + page - 64, good_table.data, 64);
	CHECK_ERRNO(load_table(map + page - 64, good_table.size, &load),
		    EFAULT);
	CHECK_ERRNO(load_table((void *)0xffff888000000000, 128, &load), EFAULT);
	check_unchanged(&before, "bad pointers to tables");
	munmap(map, page);
}

static void unknown_numbers(void)
{
	static uint8_t arg[IOC_MAX_SIZE];
	struct ml_stats before = still_state();
	unsigned int i, nr, dir;

	for (nr = _IOC_NR(ML_IOC_UNLOAD) + 1; nr < 256; nr++)
		for (dir = 0; dir < 4; dir++)
			CHECK_ERRNO(ioctl(ctl, _IOC(dir, ML_IOC_MAGIC, nr, 8),
					  arg),
				    ENOTTY);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int cmd = calls[i].cmd;

		CHECK_ERRNO(ioctl(ctl, cmd ^ (1 << _IOC_TYPESHIFT), arg),
			    ENOTTY);
		for (dir = 0; dir < 4; dir++)
			if (dir != _IOC_DIR(cmd))
				CHECK_ERRNO(ioctl(ctl,
						  _IOC(dir, ML_IOC_MAGIC,
						       _IOC_NR(cmd),
						       _IOC_SIZE(cmd)),
						  arg),
					    ENOTTY);
	}
	for (dir = 1; dir < 4; dir++) {
		CHECK_ERRNO(ioctl(ctl, _IOC(dir, ML_IOC_MAGIC, 5, 0), arg),
			    ENOTTY);
		CHECK_ERRNO(ioctl(ctl, _IOC(dir, ML_IOC_MAGIC, 7, 0), arg),
			    ENOTTY);
	}
	/* These have no struct, so no size either */
	CHECK_ERRNO(ioctl(ctl, with_size(ML_IOC_ATTACH, 8), arg), ENOTTY);
	CHECK_ERRNO(ioctl(ctl, with_size(ML_IOC_UNLOAD, 8), arg), ENOTTY);
	CHECK_ERRNO(ioctl(ctl, 0x5401 /* TCGETS */, arg), ENOTTY);
	check_unchanged(&before, "unknown ioctls");
}

static void reserved(void)
{
	struct ml_stats before = still_state();
	struct ml_entry entry = { .reserved = 1 };
	struct ml_load load = { .table = (uintptr_t)good_table.data,
				.size = good_table.size };
	unsigned int bit;

	CHECK_ERRNO(ioctl(ctl, ML_IOC_FEATURE, &entry), EINVAL);
	entry = (struct ml_entry){ .reserved = 0x80000000 };
	CHECK_ERRNO(ioctl(ctl, ML_IOC_ACTION, &entry), EINVAL);
	for (bit = 0; bit < 32; bit++) {
		load.flags = 1U << bit;
		CHECK_ERRNO(ioctl(ctl, ML_IOC_LOAD, &load), EINVAL);
	}
	check_unchanged(&before, "reserved fields and flags");
}

static void control_out_of_range(void)
{
	const struct ml_control bad[] = {
		{ .mask = 1 << 5 },
		{ .mask = 1U << 31 },
		{ .mask = ~0U },
		/* A value that the mask does not mean */
		{ .cap = 1 },
		{ .pin = 1 },
		{ .pin = -1 },
		{ .backend = 1 },
		{ .sample_shift = 1 },
		{ .wake_bytes = 1 },
		{ .mask = ML_CONTROL_PIN, .cap = 1 },
		/* A value beyond its range */
		{ .mask = ML_CONTROL_CAP, .cap = ML_NR_MODES },
		{ .mask = ML_CONTROL_CAP, .cap = ~0U },
		{ .mask = ML_CONTROL_PIN, .pin = ML_NR_MODES },
		{ .mask = ML_CONTROL_PIN, .pin = -2 },
		{ .mask = ML_CONTROL_PIN, .pin = INT32_MIN },
		{ .mask = ML_CONTROL_BACKEND, .backend = ML_NR_BACKENDS },
		{ .mask = ML_CONTROL_BACKEND, .backend = 32 },
		{ .mask = ML_CONTROL_BACKEND, .backend = ~0U },
		{ .mask = ML_CONTROL_SAMPLE, .sample_shift = 17 },
		{ .mask = ML_CONTROL_SAMPLE, .sample_shift = ~0U },
		{ .mask = ML_CONTROL_WAKE, .wake_bytes = 0 },
		{ .mask = ML_CONTROL_WAKE, .wake_bytes = info.ring_size + 1 },
		{ .mask = ML_CONTROL_WAKE, .wake_bytes = ~0U },
		/* One bad field spoils the good ones */
		{ .mask = ML_CONTROL_CAP | ML_CONTROL_PIN, .pin = 4 },
		{ .mask = ML_CONTROL_BACKEND | ML_CONTROL_WAKE },
	};
	const struct ml_control nothing = {};
	struct ml_stats before = still_state();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!CHECK_ERRNO(ioctl(ctl, ML_IOC_CONTROL, &bad[i]), EINVAL))
			say("control %u", i);
	check_unchanged(&before, "controls out of range");
	CHECK_EQ(ioctl(ctl, ML_IOC_CONTROL, &nothing), 0);
	check_unchanged(&before, "a control of nothing");

	set_sample(16);
	CHECK_EQ(stats().sample_shift, 16);
	set_wake(1);
	set_wake(info.ring_size);
}

static void modes_of_files(void)
{
	struct ml_stats before = still_state();
	struct ml_control control = {};
	struct ml_entry entry = {};
	struct ml_describe about;
	struct ml_load load = { .table = (uintptr_t)good_table.data,
				.size = good_table.size };
	struct ml_stats answer;
	struct ml_hint hint = { .flags = ML_HINT_ALIVE };
	uint8_t data[128];
	int fd = open_device(O_RDONLY);

	CHECK_EQ(ioctl(fd, ML_IOC_DESCRIBE, &about), 0);
	CHECK(!memcmp(&about, &info, sizeof(info)));
	CHECK_EQ(ioctl(fd, ML_IOC_FEATURE, &entry), 0);
	entry = (struct ml_entry){};
	CHECK_EQ(ioctl(fd, ML_IOC_ACTION, &entry), 0);
	CHECK_EQ(ioctl(fd, ML_IOC_STATS, &answer), 0);
	CHECK_ERRNO(ioctl(fd, ML_IOC_CONTROL, &control), EBADF);
	CHECK_ERRNO(ioctl(fd, ML_IOC_ATTACH), EBADF);
	CHECK_ERRNO(ioctl(fd, ML_IOC_LOAD, &load), EBADF);
	CHECK_ERRNO(ioctl(fd, ML_IOC_UNLOAD), EBADF);
	CHECK_ERRNO(read(fd, data, sizeof(data)), EPERM);
	CHECK_ERRNO(write(fd, &hint, sizeof(hint)), EBADF);
	close(fd);

	fd = open_device(O_WRONLY);
	CHECK_EQ(ioctl(fd, ML_IOC_STATS, &answer), 0);
	CHECK_EQ(ioctl(fd, ML_IOC_CONTROL, &control), 0);
	CHECK_ERRNO(ioctl(fd, ML_IOC_ATTACH), EBADF);
	CHECK_ERRNO(write(fd, &hint, sizeof(hint)), EPERM);
	CHECK_ERRNO(read(fd, data, sizeof(data)), EBADF);
	close(fd);
	check_unchanged(&before, "calls on files of the wrong mode");
}

static void not_attached(void)
{
	struct pollfd poll_fd = { .fd = ctl, .events = POLLIN | POLLOUT };
	struct ml_hint hint = { .flags = ML_HINT_ALIVE };
	struct ml_stats before = still_state();
	uint8_t data[128];

	CHECK_ERRNO(read(ctl, data, sizeof(data)), EPERM);
	CHECK_ERRNO(read(ctl, data, 0), EPERM);
	CHECK_ERRNO(write(ctl, &hint, sizeof(hint)), EPERM);
	CHECK_ERRNO(write(ctl, &hint, 1), EPERM);
	CHECK_EQ(poll(&poll_fd, 1, 0), 1);
	CHECK_EQ(poll_fd.revents, POLLERR);
	check_unchanged(&before, "calls without being attached");
	CHECK_EQ(ioctl(ctl, ML_IOC_UNLOAD), 0);
	CHECK_ERRNO(ioctl(ctl, ML_IOC_UNLOAD), ENOENT);
}

static void one_agent(void)
{
	int first = open_agent(0), second = open_device(O_RDWR), copy;
	int status, tube[2];
	char byte = 0;
	pid_t child;

	CHECK_EQ(stats().flags & ML_STATS_ATTACHED, ML_STATS_ATTACHED);
	CHECK_EQ(ioctl(first, ML_IOC_ATTACH), 0);
	CHECK_ERRNO(ioctl(second, ML_IOC_ATTACH), EBUSY);
	CHECK(!alive(second) && errno == EPERM);

	/* A duplicate is the same file: the last close detaches */
	copy = dup(first);
	close(first);
	CHECK_ERRNO(ioctl(second, ML_IOC_ATTACH), EBUSY);
	CHECK(alive(copy));
	close(copy);
	CHECK_EQ(stats().flags & ML_STATS_ATTACHED, 0);
	CHECK_EQ(ioctl(second, ML_IOC_ATTACH), 0);

	/* So is one that a child has inherited */
	CHECK_EQ(pipe(tube), 0);
	child = fork();
	if (!child) {
		close(tube[1]);
		status = read(tube[0], &byte, 1) == 0 && alive(second);
		_exit(status ? 0 : 1);
	}
	close(tube[0]);
	close(second);
	first = open_device(O_RDWR);
	CHECK_ERRNO(ioctl(first, ML_IOC_ATTACH), EBUSY);
	close(tube[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(ioctl(first, ML_IOC_ATTACH), 0);
	close(first);
}

static void attach_many(void)
{
	unsigned int i;

	for (i = 0; i < 500; i++)
		close(open_agent(O_NONBLOCK));
	CHECK_EQ(stats().flags & ML_STATS_ATTACHED, 0);
}

const struct test ioctl_tests[] = {
	{ "the node: a character device of root's, 0600", node },
	{ "describe: what the proxy says it is, and its schema", describe },
	{ "ioctl: an index beyond the last is ENOENT", index_beyond },
	{ "ioctl: every size too small is EINVAL", sizes_too_small },
	{ "ioctl: larger is fine if zero, else E2BIG", sizes_larger },
	{ "ioctl: bad pointers are EFAULT", bad_pointers },
	{ "ioctl: unknown numbers, types, directions are ENOTTY",
	  unknown_numbers },
	{ "ioctl: reserved fields and flags are EINVAL", reserved },
	{ "control: a field out of range spoils all", control_out_of_range },
	{ "files: open for reading, for writing: what each may",
	  modes_of_files },
	{ "files: not attached: EPERM, POLLERR", not_attached },
	{ "attach: one agent at a time, until the last close", one_agent },
	{ "attach: 500 times", attach_many },
	{ NULL, NULL },
};
