// SPDX-License-Identifier: GPL-2.0-only
/*
 * fd_hammer: threads that do anything to the devices of proxies, in any order,
 * while the proxies come and go. Every errno is fine; what is told is an
 * answer that makes no sense. The kernel's own checks find the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include <linux/ml_lib.h>
#include <linux/ml_trees.h>

#define THREADS 8
#define FILES 6

static char **proxies;
static unsigned int nr_proxies;
static bool stop;
static unsigned long calls, odd;

/* Shared by all threads on purpose; -1: closed */
static int files[FILES];

static void strange(const char *what, long value)
{
	__atomic_add_fetch(&odd, 1, __ATOMIC_RELAXED);
	printf("# strange: %s, %ld\n", what, value);
}

static unsigned int draw(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

static int any_file(unsigned int *seed)
{
	return __atomic_load_n(&files[draw(seed, FILES)], __ATOMIC_RELAXED);
}

static void open_one(unsigned int *seed)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR,
				     O_RDWR | O_NONBLOCK };
	char path[64];
	int fd, old;

	snprintf(path, sizeof(path), "/dev/ml/%s",
		 proxies[draw(seed, nr_proxies)]);
	fd = open(path, flags[draw(seed, 4)] | O_CLOEXEC);
	if (fd < 0)
		return;
	if (draw(seed, 2))
		ioctl(fd, ML_IOC_ATTACH);
	old = __atomic_exchange_n(&files[draw(seed, FILES)], fd,
				  __ATOMIC_RELAXED);
	if (old >= 0)
		close(old);
}

static void close_one(unsigned int *seed)
{
	int fd = __atomic_exchange_n(&files[draw(seed, FILES)], -1,
				     __ATOMIC_RELAXED);

	if (fd >= 0)
		close(fd);
}

/* Mostly of a file that has something; a read that sleeps gets a signal */
static void read_some(unsigned int *seed)
{
	_Alignas(8) uint8_t data[8192];
	struct pollfd poll_fd = { .fd = any_file(seed), .events = POLLIN };
	size_t room = draw(seed, sizeof(data) + 1);
	ssize_t len, at;

	if (poll(&poll_fd, 1, draw(seed, 3)) < 0 && errno != EINTR)
		strange("poll", errno);
	len = read(poll_fd.fd, data, room);
	for (at = 0; at < len;) {
		struct ml_record record;

		if (len - at < (ssize_t)sizeof(record)) {
			strange("half a record", len - at);
			return;
		}
		memcpy(&record, data + at, sizeof(record));
		if (record.type < ML_RECORD_SAMPLE ||
		    record.type > ML_RECORD_LOST ||
		    record.size < sizeof(record) || record.size % 8 ||
		    record.size > len - at) {
			strange("record of type", record.type);
			return;
		}
		at += record.size;
	}
}

static void write_some(unsigned int *seed)
{
	struct ml_hint hints[32];
	unsigned int i, n = draw(seed, 33);
	size_t len = n * sizeof(*hints) + (draw(seed, 16) ? 0 : draw(seed, 16));
	ssize_t done;

	if (len > sizeof(hints))
		len = sizeof(hints);
	for (i = 0; i < 32; i++)
		hints[i] = (struct ml_hint){
			.context = rand_r(seed),
			.ttl_us = draw(seed, 100000),
			.action = draw(seed, 5),
			.flags = draw(seed, 64) ? 0 : draw(seed, 4),
		};
	if (!draw(seed, 4))
		hints[0] = (struct ml_hint){ .flags = ML_HINT_ALIVE };
	done = write(any_file(seed), hints, len);
	if (done > (ssize_t)len)
		strange("written", done);
}

/* A good table for whatever proxy the file is of, or one that is not so good */
static void load_some(unsigned int *seed)
{
	struct {
		struct ml_trees_header header;
		int32_t base[2];
		struct ml_trees_run run;
		struct ml_trees_node slot0;
		int32_t leaf[2];
	} table = { .run.nr_trees = 1 };
	const size_t start = offsetof(struct ml_trees_header, schema);
	int fd = any_file(seed);
	struct ml_describe about;
	struct ml_load load;
	uint8_t *bytes = (void *)&table;

	if (ioctl(fd, ML_IOC_DESCRIBE, &about))
		return;
	table.header = (struct ml_trees_header){
		.magic = ML_TREES_MAGIC,
		.version = ML_TREES_VERSION,
		.header_size = sizeof(table.header),
		.size = sizeof(table),
		.schema = about.schema,
		.nr_features = about.nr_features,
		.nr_actions = about.nr_actions,
		.nr_groups = 1,
		.nr_runs = 1,
		.nr_trees = 1,
		.rule = ML_TREES_ROUND,
		.name = "hammer",
	};
	table.leaf[0] = draw(seed, 5);
	if (!draw(seed, 3))
		bytes[draw(seed, sizeof(table))] ^= 1 << draw(seed, 8);
	table.header.crc = crc32(0, bytes + start, sizeof(table) - start);
	load = (struct ml_load){ .table = (uintptr_t)&table,
				 .size = sizeof(table) };
	if (ioctl(fd, ML_IOC_LOAD, &load) && errno == EINVAL &&
	    (!load.fault || load.fault >= ML_TREES_NR_FAULTS))
		strange("refused without a fault", load.fault);
}

static void control_some(unsigned int *seed)
{
	unsigned int mask = draw(seed, 32);
	struct ml_control control = {
		.mask = mask,
		.cap = mask & ML_CONTROL_CAP ? draw(seed, ML_NR_MODES) : 0,
		.pin = mask & ML_CONTROL_PIN ? (int)draw(seed, 5) - 1 : 0,
		.backend = mask & ML_CONTROL_BACKEND ?
				   draw(seed, ML_NR_BACKENDS) :
				   0,
		.sample_shift = mask & ML_CONTROL_SAMPLE ? draw(seed, 6) : 0,
		.wake_bytes = mask & ML_CONTROL_WAKE ? 1 + draw(seed, 5000) : 0,
	};

	ioctl(any_file(seed), ML_IOC_CONTROL, &control);
}

static void look_some(unsigned int *seed)
{
	struct ml_entry entry = { .index = draw(seed, 8) };
	int fd = any_file(seed);
	struct ml_stats stats;

	if (!ioctl(fd, ML_IOC_STATS, &stats)) {
		if (stats.mode >= ML_NR_MODES || stats.mode > stats.cap ||
		    stats.backend >= ML_NR_BACKENDS ||
		    stats.reason >= ML_NR_REASONS)
			strange("mode", stats.mode);
	}
	ioctl(fd, draw(seed, 2) ? ML_IOC_FEATURE : ML_IOC_ACTION, &entry);
}

static void any_ioctl(unsigned int *seed)
{
	static _Thread_local uint8_t arg[1 << _IOC_SIZEBITS];
	unsigned int i;

	for (i = 0; i < 64; i++)
		arg[i] = draw(seed, 4) ? 0 : rand_r(seed);
	ioctl(any_file(seed),
	      _IOC(draw(seed, 4),
		   draw(seed, 8) ? ML_IOC_MAGIC : draw(seed, 256),
		   draw(seed, 10), draw(seed, 1 << _IOC_SIZEBITS)),
	      arg);
}

static void *hammer(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		switch (draw(&seed, 12)) {
		case 0:
			open_one(&seed);
			break;
		case 1:
			if (!draw(&seed, 4))
				close_one(&seed);
			break;
		case 2 ... 4:
			read_some(&seed);
			break;
		case 5 ... 6:
			write_some(&seed);
			break;
		case 7:
			load_some(&seed);
			break;
		case 8:
			ioctl(any_file(&seed), ML_IOC_UNLOAD);
			break;
		case 9:
			control_some(&seed);
			break;
		case 10:
			look_some(&seed);
			break;
		case 11:
			any_ioctl(&seed);
			break;
		}
		__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void nothing(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = nothing };
	struct timespec pause = { .tv_nsec = 20000000 };
	pthread_t thread[THREADS];
	time_t end;
	int i;

	if (argc < 3 || atoi(argv[1]) <= 0) {
		fprintf(stderr, "usage: fd_hammer SECONDS PROXY ...\n");
		return 64;
	}
	proxies = argv + 2;
	nr_proxies = argc - 2;
	for (i = 0; i < FILES; i++)
		files[i] = -1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, hammer,
				   (void *)(uintptr_t)(i + 1))) {
			fprintf(stderr, "fd_hammer: no thread\n");
			return 71;
		}
	}
	end = time(NULL) + atoi(argv[1]);
	/* Who sleeps in a read is woken by a signal */
	while (time(NULL) < end) {
		nanosleep(&pause, NULL);
		for (i = 0; i < THREADS; i++)
			pthread_kill(thread[i], SIGALRM);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		while (pthread_tryjoin_np(thread[i], NULL) == EBUSY) {
			pthread_kill(thread[i], SIGALRM);
			nanosleep(&pause, NULL);
		}
	printf("# fd_hammer: %lu calls, %lu strange answers\n", calls, odd);
	return odd || !calls;
}
