// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: the device through io_uring, and what becomes of open files
 * when the proxy goes (device_test --hold).
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <liburing.h>

#include "device.h"

#define ENTRIES 16

static void new_ring(struct io_uring *ring)
{
	int err = io_uring_queue_init(ENTRIES, ring, 0);

	if (err) {
		errno = -err;
		die("io_uring");
	}
}

/* Wait for one completion; its result, and whose it is */
static int completion(struct io_uring *ring, uint64_t *tag)
{
	struct __kernel_timespec limit = { .tv_sec = 60 };
	struct io_uring_cqe *cqe;
	int err, res;

	do {
		err = io_uring_wait_cqe_timeout(ring, &cqe, &limit);
	} while (err == -EINTR);
	if (!CHECK_EQ(err, 0))
		return -ETIME;
	res = cqe->res;
	if (tag)
		*tag = cqe->user_data;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

static int submit(struct io_uring *ring, unsigned int n)
{
	return CHECK_EQ(io_uring_submit(ring), n);
}

/* Whole records only; how many samples */
static unsigned int count_samples(const uint8_t *data, int len)
{
	unsigned int samples = 0;
	int at = 0;

	while (at < len) {
		const struct ml_record *record = (const void *)(data + at);

		if (!CHECK(record->size >= sizeof(*record)) ||
		    !CHECK(record->size <= len - at))
			break;
		samples += record->type == ML_RECORD_SAMPLE;
		at += record->size;
	}
	return samples;
}

/* Several reads under way at once: each gets records, none gets another's */
static void reads(void)
{
	static _Alignas(8) uint8_t data[4][8192];
	unsigned int samples = 0, i, round;
	int flags[] = { 0, O_NONBLOCK }, fd, len;
	struct ml_stats from, now;
	struct io_uring ring;
	uint64_t tag;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		new_ring(&ring);
		/* Before the agent is there: nothing is recorded until then */
		from = settled();
		fd = open_agent(flags[i]);
		samples = 0;
		for (round = 0; round < 200; round++) {
			unsigned int nr = 0, j;

			for (j = 0; j < ARRAY_SIZE(data); j++) {
				struct io_uring_sqe *sqe =
					io_uring_get_sqe(&ring);

				io_uring_prep_read(sqe, fd, data[j],
						   sizeof(data[j]), -1);
				io_uring_sqe_set_data64(sqe, j);
			}
			submit(&ring, ARRAY_SIZE(data));
			for (j = 0; j < ARRAY_SIZE(data); j++) {
				len = completion(&ring, &tag);
				/* O_NONBLOCK may say so here too */
				if (len == -EAGAIN && flags[i])
					continue;
				if (!CHECK(len > 0) || !CHECK(tag < 4))
					break;
				nr = count_samples(data[tag], len);
				samples += nr;
			}
			if (!j)
				break;
		}
		now = stats();
		say("%u samples in 800 reads", samples);
		CHECK(samples > 0);
		CHECK(samples <= now.samples - from.samples);
		io_uring_queue_exit(&ring);
		close(fd);
	}
}

/* One read brings many records when there are many */
static void multi_record(void)
{
	static _Alignas(8) uint8_t data[32768];
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int fd, len;

	new_ring(&ring);
	fd = open_agent(0);
	wait_decisions(-1, 2000);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, fd, data, sizeof(data), -1);
	submit(&ring, 1);
	len = completion(&ring, NULL);
	CHECK(len > 4096);
	CHECK(count_samples(data, len) > 16);
	/* With a buffer that was registered before */
	if (CHECK_EQ(io_uring_register_buffers(
			     &ring, &(struct iovec){ data, sizeof(data) }, 1),
		     0)) {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_read_fixed(sqe, fd, data, 4096, -1, 0);
		submit(&ring, 1);
		len = completion(&ring, NULL);
		CHECK(len > 0 && len <= 4096);
		CHECK(count_samples(data, len) > 0);
	}
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, fd, data, 8, -1);
	submit(&ring, 1);
	CHECK_EQ(completion(&ring, NULL), -EINVAL);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* A read of an empty ring waits, and comes when there is something */
static void waiting_read(void)
{
	static _Alignas(8) uint8_t data[4096];
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	bool waited = false;
	int i, fd, len;

	new_ring(&ring);
	fd = open_agent(0);
	for (i = 0; i < 20 && !waited; i++) {
		set_sample(16);
		drain(fd, NULL, NULL);
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_read(sqe, fd, data, sizeof(data), -1);
		submit(&ring, 1);
		sleep_ms(20);
		waited = io_uring_peek_cqe(&ring, &cqe) == -EAGAIN;
		set_sample(0);
		len = completion(&ring, NULL);
		CHECK(len >= 24);
	}
	CHECK(waited);
	io_uring_queue_exit(&ring);
	close(fd);
}

static void polls(void)
{
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int fd, res;

	new_ring(&ring);
	set_sample(16);
	fd = open_agent(0);
	drain(fd, NULL, NULL);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, fd, POLLOUT);
	submit(&ring, 1);
	CHECK_EQ(completion(&ring, NULL), POLLOUT);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, fd, POLLIN);
	submit(&ring, 1);
	set_sample(0);
	res = completion(&ring, NULL);
	CHECK(res > 0 && res & POLLIN);
	/* Of one that is not attached */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, ctl, POLLIN);
	submit(&ring, 1);
	res = completion(&ring, NULL);
	CHECK(res > 0 && res & POLLERR);
	io_uring_queue_exit(&ring);
	close(fd);
}

static void writes(void)
{
	struct ml_hint hints[100];
	struct io_uring_sqe *sqe;
	struct ml_stats before;
	struct io_uring ring;
	unsigned int i;
	int fd;

	new_ring(&ring);
	fd = open_agent(0);
	before = stats();
	for (i = 0; i < ARRAY_SIZE(hints); i++)
		hints[i] = (struct ml_hint){ .context = i,
					     .ttl_us = i % 10 ? 1000 : 0,
					     .action = i % NR_ACTIONS };
	for (i = 0; i < 8; i++) {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_write(sqe, fd, hints, sizeof(hints), -1);
	}
	submit(&ring, 8);
	for (i = 0; i < 8; i++)
		CHECK_EQ(completion(&ring, NULL), sizeof(hints));
	CHECK_EQ(stats().hints - before.hints, 8 * 90);
	CHECK_EQ(stats().hints_invalid - before.hints_invalid, 8 * 10);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, fd, hints, 15, -1);
	submit(&ring, 1);
	CHECK_EQ(completion(&ring, NULL), -EINVAL);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, ctl, hints, 16, -1);
	submit(&ring, 1);
	CHECK_EQ(completion(&ring, NULL), -EPERM);
	CHECK_EQ(stats().hints - before.hints, 8 * 90);
	io_uring_queue_exit(&ring);
	close(fd);
}

/* A read that waits ends by a cancel, and with the ring that it is in */
static void cancelled(void)
{
	static _Alignas(8) uint8_t data[4096];
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	bool seen = false;
	uint64_t tag;
	int i, j, fd, res;

	set_sample(16);
	for (i = 0; i < 50; i++) {
		new_ring(&ring);
		fd = open_agent(0);
		drain(fd, NULL, NULL);
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_read(sqe, fd, data, sizeof(data), -1);
		io_uring_sqe_set_data64(sqe, 1);
		submit(&ring, 1);
		if (i % 2) {
			sqe = io_uring_get_sqe(&ring);
			io_uring_prep_cancel64(sqe, 1, 0);
			io_uring_sqe_set_data64(sqe, 2);
			submit(&ring, 1);
			for (j = 0; j < 2; j++) {
				res = completion(&ring, &tag);
				if (tag == 1) {
					CHECK(res == -ECANCELED || res > 0);
					seen = seen || res == -ECANCELED;
				}
			}
		}
		/* The file goes first, or the ring does */
		if (i % 4 < 2) {
			close(fd);
			io_uring_queue_exit(&ring);
		} else {
			io_uring_queue_exit(&ring);
			close(fd);
		}
		/* The ring's own reference ends a little later */
		for (j = 0; j < 10000; j++) {
			if (!(stats().flags & ML_STATS_ATTACHED))
				break;
			sleep_ms(1);
		}
		CHECK_EQ(stats().flags & ML_STATS_ATTACHED, 0);
	}
	CHECK(seen);
}

const struct test uring_tests[] = {
	{ "io_uring: several reads at once", reads },
	{ "io_uring: many records in one read", multi_record },
	{ "io_uring: a read waits", waiting_read },
	{ "io_uring: poll", polls },
	{ "io_uring: hints", writes },
	{ "io_uring: a read is cancelled", cancelled },
	{ NULL, NULL },
};

/* --hold: everything in use while the proxy is taken away */

static void *read_until_error(void *arg)
{
	static _Alignas(8) uint8_t data[4096];
	int fd = *(int *)arg;
	ssize_t len;

	do {
		len = read(fd, data, sizeof(data));
	} while (len > 0);
	return (void *)(intptr_t)(len ? errno : 0);
}

static void *poll_until_hup(void *arg)
{
	struct pollfd poll_fd = { .fd = *(int *)arg, .events = POLLPRI };

	while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR)
		;
	return (void *)(intptr_t)poll_fd.revents;
}

static bool told(bool ok, const char *what)
{
	printf("%s: %s\n", ok ? "right" : "wrong", what);
	return ok;
}

static bool all_enodev(int fd)
{
	struct table table = table_const(SMALL);
	struct ml_load load = { .table = (uintptr_t)table.data,
				.size = table.size };
	const struct ml_hint hint = { .flags = ML_HINT_ALIVE };
	struct ml_control control = {};
	struct ml_describe about;
	struct ml_entry entry = {};
	struct ml_stats answer;
	uint8_t data[256];
	bool ok = true;

#define GONE(call) \
	(ok = told((call) == -1 && errno == ENODEV, #call ": ENODEV") && ok)
	GONE(ioctl(fd, ML_IOC_DESCRIBE, &about));
	GONE(ioctl(fd, ML_IOC_FEATURE, &entry));
	GONE(ioctl(fd, ML_IOC_ACTION, &entry));
	GONE(ioctl(fd, ML_IOC_STATS, &answer));
	GONE(ioctl(fd, ML_IOC_CONTROL, &control));
	GONE(ioctl(fd, ML_IOC_ATTACH));
	GONE(ioctl(fd, ML_IOC_LOAD, &load));
	GONE(ioctl(fd, ML_IOC_UNLOAD));
	GONE(read(fd, data, sizeof(data)));
	GONE(write(fd, &hint, sizeof(hint)));
	return ok;
}

int hold_device(void)
{
	static _Alignas(8) uint8_t data[4096];
	struct table table = table_const(LARGE);
	int fd = open_agent(0), watcher = open_device(O_RDONLY), res;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	pthread_t reader, poller;
	struct ml_stats answer;
	void *result;
	bool ok;

	if (load_table(table.data, table.size, NULL))
		die("load");
	set_backend(ML_BACKEND_TREES);
	set_pin(ML_MODE_RECOMMENDATION);
	/* Readers that sleep, one way and the other */
	set_sample(16);
	new_ring(&ring);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, fd, POLLPRI);
	submit(&ring, 1);
	if (pthread_create(&reader, NULL, read_until_error, &fd) ||
	    pthread_create(&poller, NULL, poll_until_hup, &fd))
		die("thread");
	printf("holding\n");
	fflush(stdout);

	pthread_join(reader, &result);
	ok = told((intptr_t)result == ENODEV, "a read that slept: ENODEV");
	pthread_join(poller, &result);
	ok = told((intptr_t)result & POLLHUP, "a poll that slept: POLLHUP") &&
	     ok;
	res = completion(&ring, NULL);
	ok = told(res > 0 && res & POLLHUP, "a poll by io_uring: POLLHUP") &&
	     ok;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, fd, data, sizeof(data), -1);
	submit(&ring, 1);
	ok = told(completion(&ring, NULL) == -ENODEV,
		  "a read by io_uring: ENODEV") &&
	     ok;
	ok = told(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLHUP,
		  "a poll afterwards: POLLHUP") &&
	     ok;
	ok = all_enodev(fd) && ok;
	ok = told(ioctl(watcher, ML_IOC_STATS, &answer) == -1 &&
			  errno == ENODEV,
		  "another file's stats: ENODEV") &&
	     ok;
	io_uring_queue_exit(&ring);
	close(fd);
	close(watcher);
	printf("released\n");
	return ok ? 0 : 1;
}
