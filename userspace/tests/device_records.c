// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: reading. What is in the records, and that none is missing.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "device.h"

#define MAX_CPUS 64
/* Ids count up in steps of this; below it is the CPU's number */
#define ID_STEP 65536

static int64_t magnitude(int64_t x)
{
	return x < 0 ? -x : x;
}

/* |got - n * share / 16| within six standard deviations of a fair draw */
static bool fair(uint64_t got, uint64_t n, unsigned int sixteenths)
{
	int64_t off = magnitude((int64_t)got * 16 - (int64_t)n * sixteenths);

	return (uint64_t)off * off <=
	       36 * n * sixteenths * (16 - sixteenths) + 256;
}

static void buffer_too_small(void)
{
	int fd = open_agent(0);
	uint8_t data[31];
	size_t size;

	/* The shortest record that can come first has 32 bytes, or a loss 24 */
	for (size = 1; size < 24; size++)
		CHECK_ERRNO(read(fd, data, size), EINVAL);
	CHECK_EQ(read(fd, data, 0), 0);
	close(fd);
}

static void nonblock(void)
{
	struct pollfd poll_fd;
	uint8_t data[4096];
	ssize_t len = 0;
	int i, fd;

	set_sample(16);
	fd = open_agent(O_NONBLOCK);
	/* One decision in 65536 may come between */
	for (i = 0; i < 10 && len != -1; i++)
		len = read(fd, data, sizeof(data));
	CHECK_ERRNO(len, EAGAIN);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);

	/* Nothing to read, but always something to write */
	poll_fd = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT };
	for (i = 0; i < 10; i++) {
		drain(fd, NULL, NULL);
		poll_fd.revents = 0;
		CHECK_EQ(poll(&poll_fd, 1, 0), 1);
		if (poll_fd.revents == POLLOUT)
			break;
	}
	CHECK_EQ(poll_fd.revents, POLLOUT);
	set_sample(0);
	poll_fd.events = POLLIN;
	CHECK_EQ(poll(&poll_fd, 1, 60000), 1);
	CHECK_EQ(poll_fd.revents, POLLIN);
	CHECK(read(fd, data, sizeof(data)) > 0);
	close(fd);
}

static void *blocking_read(void *arg)
{
	static _Alignas(8) uint8_t data[4096];
	int fd = *(int *)arg;

	return (void *)(intptr_t)read(fd, data, sizeof(data));
}

/* Whether it waits for a full ring or for very few bytes */
static void blocking(void)
{
	unsigned int wakes[] = { 1, info.ring_size };
	pthread_t reader;
	unsigned int i;
	void *len;
	int fd;

	for (i = 0; i < ARRAY_SIZE(wakes); i++) {
		set_sample(16);
		set_wake(wakes[i]);
		fd = open_agent(0);
		if (pthread_create(&reader, NULL, blocking_read, &fd))
			die("thread");
		sleep_ms(50);
		set_sample(0);
		CHECK_EQ(pthread_join(reader, &len), 0);
		CHECK((intptr_t)len >= 24 && (intptr_t)len <= 4096);
		close(fd);
	}
}

static void nothing(int signal)
{
	(void)signal;
}

/*
 * With a ring that is never that full and one decision in 65536, a reader
 * sleeps nearly all the time. A signal may also meet it awake, so it is sent
 * until the read has ended.
 */
static void interrupted(void)
{
	struct sigaction action = { .sa_handler = nothing };
	void *len = NULL;
	pthread_t reader;
	int i, fd;

	sigaction(SIGUSR1, &action, NULL);
	set_sample(16);
	for (i = 0; i < 20; i++) {
		fd = open_agent(0);
		if (pthread_create(&reader, NULL, blocking_read, &fd))
			die("thread");
		do {
			pthread_kill(reader, SIGUSR1);
			sleep_ms(5);
		} while (pthread_tryjoin_np(reader, &len) == EBUSY);
		close(fd);
		if ((intptr_t)len == -1)
			break;
	}
	CHECK_EQ((intptr_t)len, -1);
}

/* What a stream of records has shown so far */
struct stream {
	uint64_t samples, outcomes, lost_samples, lost_outcomes;
	uint64_t skipped;
	uint64_t last_id[MAX_CPUS], last_time[MAX_CPUS];
	uint64_t first_count[MAX_CPUS];
	uint64_t until;
	/* Bits by decision, of each CPU from the first seen on */
	uint8_t *seen;
};

/* Bits kept for a CPU */
#define SPAN (1 << 20)
enum { SEEN_SAMPLE = 1, SEEN_OUTCOME = 2 };

/* Where a decision's bits are; NULL if it is older than the stream */
static uint8_t *seen_at(struct stream *stream, uint64_t id)
{
	unsigned int cpu = id % ID_STEP;
	uint64_t at;

	if (!CHECK(cpu < MAX_CPUS))
		return NULL;
	at = id / ID_STEP - stream->first_count[cpu];
	return stream->first_count[cpu] && at < SPAN ?
		       &stream->seen[(size_t)cpu * SPAN + at] :
		       NULL;
}

static void check_sample(struct stream *stream, const struct ml_sample *sample)
{
	unsigned int cpu = sample->head.cpu, i;
	const int32_t *x = sample->features;
	uint8_t *seen;

	CHECK_EQ(sample->head.size, info.sample_size);
	CHECK_EQ(sample->id % ID_STEP, cpu);
	CHECK_EQ(sample->nr_features, NR_FEATURES);
	CHECK(sample->action < NR_ACTIONS);
	CHECK(sample->arm < ML_NR_ARMS);
	CHECK(sample->mode < ML_NR_MODES);
	CHECK(sample->backend < ML_NR_BACKENDS);
	CHECK_EQ(sample->flags & ~(ML_SAMPLE_ANSWERED | ML_SAMPLE_INVALID), 0);
	CHECK_EQ(sample->reserved, 0);
	CHECK(x[SIZE] >= 0 && x[SIZE] <= 999);
	CHECK(x[GAP] >= -500 && x[GAP] <= 499);
	CHECK(x[DEPTH] >= 0 && x[DEPTH] <= 31);
	for (i = NR_FEATURES; i < (info.sample_size - sizeof(*sample)) / 4; i++)
		CHECK_EQ(x[i], 0);
	/* The control arm does what stock does, and so does no answer */
	if (sample->arm == ML_ARM_CONTROL ||
	    !(sample->flags & ML_SAMPLE_ANSWERED))
		CHECK_EQ(sample->action, STOCK);
	if (sample->arm == ML_ARM_CONTROL)
		CHECK_EQ(sample->flags, 0);

	CHECK(cpu < MAX_CPUS);
	cpu %= MAX_CPUS;
	if (!stream->first_count[cpu])
		stream->first_count[cpu] = sample->id / ID_STEP;
	else if (CHECK(sample->id > stream->last_id[cpu]))
		stream->skipped +=
			(sample->id - stream->last_id[cpu]) / ID_STEP - 1;
	stream->last_id[cpu] = sample->id;
	seen = seen_at(stream, sample->id);
	if (seen)
		*seen |= SEEN_SAMPLE;
	stream->samples++;
}

static void check_outcome(struct stream *stream,
			  const struct ml_outcome *outcome)
{
	uint8_t *seen;

	CHECK_EQ(outcome->head.size, sizeof(*outcome));
	CHECK_EQ(outcome->units, 1);
	CHECK(outcome->reward >= 20 - 50 && outcome->reward <= 100 + 50);
	seen = seen_at(stream, outcome->id);
	/* Twice the outcome of one decision is never right */
	if (seen) {
		CHECK(!(*seen & SEEN_OUTCOME));
		*seen |= SEEN_OUTCOME;
	}
	stream->outcomes++;
}

static void check_record(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = (const void *)record;
	const struct ml_lost *lost = (const void *)record;
	unsigned int cpu = record->cpu;
	struct stream *stream = arg;

	if (!CHECK(cpu < info.nr_cpus && cpu < MAX_CPUS))
		return;
	switch (record->type) {
	case ML_RECORD_SAMPLE:
		check_sample(stream, sample);
		break;
	case ML_RECORD_OUTCOME:
		check_outcome(stream, (const void *)record);
		break;
	case ML_RECORD_LOST:
		CHECK_EQ(record->size, sizeof(*lost));
		CHECK(lost->samples || lost->outcomes);
		stream->lost_samples += lost->samples;
		stream->lost_outcomes += lost->outcomes;
		return;
	default:
		CHECK_EQ(record->type, ML_RECORD_SAMPLE);
		return;
	}
	/* Both have id and time at the same place */
	CHECK(sample->time_ns >= stream->last_time[cpu]);
	stream->last_time[cpu] = sample->time_ns;
}

static bool until_samples(const struct ml_record *record, void *arg)
{
	struct stream *stream = arg;

	check_record(record, arg);
	return stream->samples >= stream->until;
}

static struct stream *new_stream(void)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream)
		stream->seen = calloc(MAX_CPUS, SPAN);
	if (!stream || !stream->seen)
		die("memory");
	return stream;
}

static void free_stream(struct stream *stream)
{
	free(stream->seen);
	free(stream);
}

/* Read on until nothing is there and the counts agree, all of them exactly */
static void finish_stream(int fd, struct stream *stream,
			  const struct ml_stats *from)
{
	struct ml_stats now = {};
	unsigned int i;

	set_sample(16);
	for (i = 0; i < 1000; i++) {
		drain(fd, check_record, stream);
		now = settled();
		if (now.samples - from->samples == stream->samples &&
		    now.records_outcome - from->records_outcome ==
			    stream->outcomes &&
		    now.samples_lost - from->samples_lost ==
			    stream->lost_samples &&
		    now.outcomes_lost - from->outcomes_lost ==
			    stream->lost_outcomes)
			return;
		sleep_ms(1);
	}
	CHECK_EQ(stream->samples, now.samples - from->samples);
	CHECK_EQ(stream->outcomes, now.records_outcome - from->records_outcome);
	CHECK_EQ(stream->lost_samples, now.samples_lost - from->samples_lost);
	CHECK_EQ(stream->lost_outcomes,
		 now.outcomes_lost - from->outcomes_lost);
}

/* Both halves of every decision that was recorded, and no other outcome */
static void check_joins(const struct stream *stream)
{
	uint64_t both = 0, outcome_only = 0, sample_only = 0;
	size_t i;

	for (i = 0; i < (size_t)MAX_CPUS * SPAN; i++) {
		both += stream->seen[i] == (SEEN_SAMPLE | SEEN_OUTCOME);
		sample_only += stream->seen[i] == SEEN_SAMPLE;
		outcome_only += stream->seen[i] == SEEN_OUTCOME;
	}
	say("%llu samples and %llu outcomes read, %llu joined, %llu + %llu lost",
	    (unsigned long long)stream->samples,
	    (unsigned long long)stream->outcomes, (unsigned long long)both,
	    (unsigned long long)stream->lost_samples,
	    (unsigned long long)stream->lost_outcomes);
	CHECK(both > 0);
	CHECK_EQ(outcome_only, 0);
	/* The demo tells all outcomes; of one decision it may be about to */
	CHECK(sample_only <= stream->lost_outcomes + 1);
	CHECK_EQ(both + sample_only, stream->samples);
	CHECK_EQ(both, stream->outcomes);
}

static void well_formed(void)
{
	struct stream *stream = new_stream();
	struct ml_stats from;
	int fd;

	set_backend(ML_BACKEND_RANDOM);
	set_pin(ML_MODE_COLLABORATION);
	/* Nothing is recorded while nobody is attached */
	from = settled();
	fd = open_agent(O_NONBLOCK);
	stream->until = 30000;
	read_records(fd, until_samples, stream);
	finish_stream(fd, stream, &from);
	check_joins(stream);
	free_stream(stream);
	close(fd);
}

/* The ids of a CPU have no gap but for what was lost */
static void every_decision(void)
{
	struct stream *stream = new_stream();
	struct ml_stats from, now;
	int fd;

	from = settled();
	fd = open_agent(O_NONBLOCK);
	stream->until = 30000;
	read_records(fd, until_samples, stream);
	now = stats();
	say("%llu decisions skipped, %llu samples lost",
	    (unsigned long long)stream->skipped,
	    (unsigned long long)(now.samples_lost - from.samples_lost));
	/* A loss shows as a gap only with the next sample that was not lost */
	CHECK(stream->skipped <= now.samples_lost - from.samples_lost);
	free_stream(stream);
	close(fd);
}

/* samples + samples_lost rise exactly as the decisions do, whoever reads */
static uint64_t unrecorded(const struct ml_stats *s)
{
	return s->decisions[0] + s->decisions[1] - s->samples - s->samples_lost;
}

static bool stays_unrecorded(uint64_t want)
{
	struct ml_stats now;
	unsigned int i;

	/* One decision may have been half counted; a lost one stays lost */
	for (i = 0; i < 100; i++) {
		now = settled();
		if (unrecorded(&now) == want)
			return true;
		sleep_ms(1);
	}
	return CHECK_EQ(unrecorded(&now), want);
}

static void reading_nothing(void)
{
	struct stream *stream = new_stream();
	struct ml_stats from, before;
	unsigned int i;
	int fd;

	from = settled();
	fd = open_agent(O_NONBLOCK);
	before = settled();
	/* Until every ring that is in use has been full for long */
	for (i = 0; i < 600; i++) {
		wait_decisions(-1, 20000);
		if (stats().samples_lost - from.samples_lost > 50000)
			break;
	}
	CHECK(stats().samples_lost - from.samples_lost > 50000);
	stays_unrecorded(unrecorded(&before));

	/* All of it is told: what is there and exactly what is not */
	finish_stream(fd, stream, &from);
	CHECK(stream->lost_samples > 50000);
	check_joins(stream);

	/* And reading again, everything goes on */
	set_sample(0);
	stream->until = stream->samples + 10000;
	read_records(fd, until_samples, stream);
	finish_stream(fd, stream, &from);
	check_joins(stream);
	free_stream(stream);
	close(fd);
}

static void in_small_reads(void)
{
	struct stream *stream = new_stream();
	_Alignas(8) uint8_t data[72];
	struct ml_stats from;
	uint64_t bytes = 0;
	ssize_t len;
	unsigned int i;
	int fd;

	from = settled();
	fd = open_agent(0);
	/* Room for a sample, or an outcome or two, or a loss and an outcome */
	for (i = 0; i < 5000; i++) {
		ssize_t at = 0;

		len = read(fd, data, 64 + i % 2 * 8);
		if (!CHECK(len > 0))
			break;
		for (; at < len; at += ((struct ml_record *)(data + at))->size)
			check_record((void *)(data + at), stream);
		CHECK_EQ(at, len);
		bytes += len;
	}
	CHECK(bytes > 5000 * 24);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	finish_stream(fd, stream, &from);
	check_joins(stream);
	free_stream(stream);
	close(fd);
}

/* A record may be torn by the pieces of a readv(), but none is lost */
static void vectored(void)
{
	_Alignas(8) uint8_t data[4096], joined[4096];
	struct stream *stream = new_stream();
	struct iovec pieces[64];
	struct ml_stats from;
	unsigned int i, j;
	int fd;

	from = settled();
	fd = open_agent(0);
	for (i = 0; i < 200; i++) {
		size_t room = 0, size, nr = 0;
		ssize_t len, at;

		for (j = 0; j < ARRAY_SIZE(pieces); j++) {
			size = 1 + (i * 31 + j * 17) % 64;
			pieces[nr++] = (struct iovec){ data + room, size };
			room += size;
		}
		len = readv(fd, pieces, nr);
		if (!CHECK(len > 0))
			break;
		memcpy(joined, data, len);
		for (at = 0; at < len;
		     at += ((struct ml_record *)(joined + at))->size)
			check_record((void *)(joined + at), stream);
		CHECK_EQ(at, len);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	finish_stream(fd, stream, &from);
	free_stream(stream);
	close(fd);
}

/* To memory that ends in the middle of a record: EFAULT, or what came before */
static void bad_memory(void)
{
	struct stream *stream = new_stream();
	struct ml_stats from;
	int fd;

	from = settled();
	fd = open_agent(0);
	CHECK_ERRNO(read(fd, nowhere, 4096), EFAULT);
	CHECK_ERRNO(read(fd, (void *)0x1000, 4096), EFAULT);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* Nothing is lost by it */
	finish_stream(fd, stream, &from);
	check_joins(stream);
	free_stream(stream);
	close(fd);
}

static void sampling(void)
{
	static const unsigned int shifts[] = { 1, 2, 4 };
	struct ml_stats from, now;
	uint64_t n, got;
	unsigned int i;
	int fd = open_agent(O_NONBLOCK);

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		set_sample(shifts[i]);
		from = settled();
		wait_decisions(-1, 30000);
		now = settled();
		n = now.decisions[0] + now.decisions[1] - from.decisions[0] -
		    from.decisions[1];
		got = now.samples + now.samples_lost - from.samples -
		      from.samples_lost;
		say("shift %u: %llu of %llu", shifts[i],
		    (unsigned long long)got, (unsigned long long)n);
		CHECK(fair(got, n, 16 >> shifts[i]));
	}
	close(fd);
}

static void shares(void)
{
	static const unsigned int share[ML_NR_MODES] = { 0, 1, 8, 15 };
	struct ml_stats from, now;
	uint64_t n, treated;
	int mode;

	set_backend(ML_BACKEND_RULE);
	for (mode = 0; mode < ML_NR_MODES; mode++) {
		set_pin(mode);
		if (!CHECK_EQ(stats().mode, mode))
			return;
		from = settled();
		wait_decisions(-1, 30000);
		now = settled();
		treated = now.decisions[1] - from.decisions[1];
		n = now.decisions[0] - from.decisions[0] + treated;
		say("mode %d: %llu of %llu treated", mode,
		    (unsigned long long)treated, (unsigned long long)n);
		if (share[mode])
			CHECK(fair(treated, n, share[mode]));
		else
			CHECK_EQ(treated, 0);
	}
}

/* Two readers of one file share the stream, each record goes to one of them */
struct sharer {
	int fd;
	uint64_t samples;
	pthread_t thread;
};

static bool stop_sharing;

static void *share_stream(void *arg)
{
	_Alignas(8) uint8_t data[4096];
	struct sharer *sharer = arg;
	ssize_t len, at;

	while (!__atomic_load_n(&stop_sharing, __ATOMIC_RELAXED)) {
		len = read(sharer->fd, data, sizeof(data));
		for (at = 0; at < len;) {
			struct ml_record *record = (void *)(data + at);

			if (!record->size)
				return NULL;
			at += record->size;
			sharer->samples += record->type == ML_RECORD_SAMPLE;
		}
	}
	return NULL;
}

static void two_readers(void)
{
	struct stream *stream = new_stream();
	struct sharer sharer[2] = {};
	struct ml_stats from = settled();
	int i, fd = open_agent(O_NONBLOCK);

	stop_sharing = false;
	for (i = 0; i < 2; i++) {
		sharer[i].fd = fd;
		if (pthread_create(&sharer[i].thread, NULL, share_stream,
				   &sharer[i]))
			die("thread");
	}
	wait_decisions(-1, 30000);
	__atomic_store_n(&stop_sharing, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(sharer[i].thread, NULL);
	set_sample(16);
	for (i = 0; i < 1000; i++) {
		drain(fd, check_record, stream);
		if (settled().samples - from.samples ==
		    stream->samples + sharer[0].samples + sharer[1].samples)
			break;
		sleep_ms(1);
	}
	CHECK_EQ(stream->samples + sharer[0].samples + sharer[1].samples,
		 settled().samples - from.samples);
	free_stream(stream);
	close(fd);
}

const struct test record_tests[] = {
	{ "read: a buffer too small is EINVAL", buffer_too_small },
	{ "read: O_NONBLOCK and poll", nonblock },
	{ "read: one that blocks wakes", blocking },
	{ "read: one that blocks gives way to a signal", interrupted },
	{ "records: well formed, in order, joined by id", well_formed },
	{ "records: every decision is sampled once", every_decision },
	{ "records: no reading: what is lost is told exactly",
	  reading_nothing },
	{ "records: one or two at a time", in_small_reads },
	{ "records: in pieces", vectored },
	{ "records: a bad buffer loses none", bad_memory },
	{ "records: two readers of one file", two_readers },
	{ "sampling: one in 2, 4, 16", sampling },
	{ "modes: the share that is treated", shares },
	{ NULL, NULL },
};
