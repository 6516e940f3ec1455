// SPDX-License-Identifier: GPL-2.0-only
/* libml.c - the device of a proxy, from C; libml.h documents it */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libml.h"

#define NR_WRITES 4
#define MAX_READS 64

struct libml {
	int fd;
	struct libml_info info;
};

static int control_call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* Names come from the kernel, but a string that does not end would hurt. */
static void terminate(struct ml_entry *entry)
{
	entry->name[sizeof(entry->name) - 1] = '\0';
	entry->unit[sizeof(entry->unit) - 1] = '\0';
	entry->about[sizeof(entry->about) - 1] = '\0';
}

static int read_entries(int fd, unsigned long request, struct ml_entry *entries,
			unsigned int nr)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		entries[i].index = i;
		ret = control_call(fd, request, &entries[i]);
		if (ret)
			return ret;
		terminate(&entries[i]);
	}
	return 0;
}

static int describe(struct libml *ml)
{
	struct ml_describe *about = &ml->info.about;
	int ret = control_call(ml->fd, ML_IOC_DESCRIBE, about);

	if (ret)
		return ret;
	if (about->abi != ML_ABI_VERSION || !about->nr_features ||
	    about->nr_features > ML_MAX_FEATURES || !about->nr_actions ||
	    about->nr_actions > ML_MAX_ACTIONS ||
	    about->sample_size < sizeof(struct ml_sample))
		return -EPROTO;
	about->name[sizeof(about->name) - 1] = '\0';
	about->reward_unit[sizeof(about->reward_unit) - 1] = '\0';
	about->reward_about[sizeof(about->reward_about) - 1] = '\0';
	ret = read_entries(ml->fd, ML_IOC_FEATURE, ml->info.features,
			   about->nr_features);
	if (ret)
		return ret;
	return read_entries(ml->fd, ML_IOC_ACTION, ml->info.actions,
			    about->nr_actions);
}

int libml_open(struct libml **ml, const char *proxy, bool write)
{
	char path[4096];
	int ret;

	*ml = NULL;
	ret = snprintf(path, sizeof(path), "%s%s",
		       strchr(proxy, '/') ? "" : LIBML_DIR "/", proxy);
	if (ret >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*ml = calloc(1, sizeof(**ml));
	if (!*ml)
		return -ENOMEM;
	(*ml)->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	ret = (*ml)->fd < 0 ? -errno : describe(*ml);
	if (ret) {
		libml_close(*ml);
		*ml = NULL;
	}
	return ret;
}

void libml_close(struct libml *ml)
{
	if (ml && ml->fd >= 0)
		close(ml->fd);
	free(ml);
}

int libml_fd(const struct libml *ml)
{
	return ml->fd;
}

const struct libml_info *libml_info(const struct libml *ml)
{
	return &ml->info;
}

int libml_attach(struct libml *ml)
{
	return control_call(ml->fd, ML_IOC_ATTACH, NULL);
}

int libml_stats(struct libml *ml, struct ml_stats *stats)
{
	return control_call(ml->fd, ML_IOC_STATS, stats);
}

int libml_control(struct libml *ml, const struct ml_control *control)
{
	struct ml_control copy = *control;

	return control_call(ml->fd, ML_IOC_CONTROL, &copy);
}

int libml_load(struct libml *ml, const void *table, size_t size,
	       struct ml_load *answer)
{
	struct ml_load load = { .table = (uintptr_t)table };
	int ret;

	if (size > ML_TREES_MAX_SIZE)
		return -E2BIG;
	load.size = size;
	ret = control_call(ml->fd, ML_IOC_LOAD, &load);
	if (answer)
		*answer = load;
	return ret;
}

static int read_all(int fd, void *buf, size_t size)
{
	while (size) {
		ssize_t got = read(fd, buf, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -ENODATA; /* it has shrunk meanwhile */
		buf = (char *)buf + got;
		size -= got;
	}
	return 0;
}

int libml_read_file(const char *path, void **table, size_t *size)
{
	struct stat st;
	int fd, ret = 0;

	*table = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -EINVAL;
	else if (!st.st_size)
		ret = -ENODATA;
	else if (st.st_size > ML_TREES_MAX_SIZE)
		ret = -EFBIG;
	if (ret)
		goto out;
	*size = st.st_size;
	*table = malloc(*size);
	ret = *table ? read_all(fd, *table, *size) : -ENOMEM;
	if (ret) {
		free(*table);
		*table = NULL;
	}
out:
	close(fd);
	return ret;
}

int libml_load_file(struct libml *ml, const char *path, struct ml_load *answer)
{
	void *table;
	size_t size;
	int ret = libml_read_file(path, &table, &size);

	if (ret)
		return ret;
	ret = libml_load(ml, table, size, answer);
	free(table);
	return ret;
}

int libml_unload(struct libml *ml)
{
	return control_call(ml->fd, ML_IOC_UNLOAD, NULL);
}

ssize_t libml_read(struct libml *ml, void *buf, size_t size)
{
	ssize_t got = read(ml->fd, buf, size);

	return got < 0 ? -errno : got;
}

/* The least size of a record of a known type */
static size_t least_size(const struct ml_record *record)
{
	switch (record->type) {
	case ML_RECORD_SAMPLE:
		return sizeof(struct ml_sample);
	case ML_RECORD_OUTCOME:
		return sizeof(struct ml_outcome);
	case ML_RECORD_LOST:
		return sizeof(struct ml_lost);
	default:
		return sizeof(struct ml_record);
	}
}

const struct ml_record *libml_next(const void *buf, size_t len, size_t *at)
{
	const struct ml_record *record;
	const struct ml_sample *sample;

	if (*at > len || len - *at < sizeof(*record))
		return NULL;
	record = (const void *)((const char *)buf + *at);
	if (record->size % 8 || record->size > len - *at ||
	    record->size < least_size(record))
		return NULL;
	sample = (const void *)record;
	if (record->type == ML_RECORD_SAMPLE &&
	    sample->nr_features * sizeof(*sample->features) >
		    record->size - sizeof(*sample))
		return NULL;
	*at += record->size;
	return record;
}

ssize_t libml_write(struct libml *ml, const struct ml_hint *hints, size_t nr)
{
	ssize_t put = write(ml->fd, hints, nr * sizeof(*hints));

	return put < 0 ? -errno : put / (ssize_t)sizeof(*hints);
}

struct ml_hint libml_heartbeat(void)
{
	return (struct ml_hint){ .flags = ML_HINT_ALIVE };
}

struct ml_hint libml_new_model(void)
{
	return (struct ml_hint){ .flags = ML_HINT_NEW_MODEL };
}

/* One read or write: the user data of its entry in the ring */
struct request {
	bool is_write;
	bool busy;
	char *buf;
};

struct libml_ring {
	struct io_uring uring;
	int fd;
	unsigned int nr_reads;
	unsigned int in_flight;
	size_t read_size;
	size_t max_hints;
	struct request *taken; /* whose buffer the caller looks at */
	struct request reads[MAX_READS];
	struct request writes[NR_WRITES];
};

/* The queue has an entry for each request, so this cannot fail for long. */
static int start(struct libml_ring *ring, struct request *request, size_t len)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
	int ret;

	if (!sqe)
		return -EBUSY;
	if (request->is_write)
		io_uring_prep_write(sqe, ring->fd, request->buf, len, 0);
	else
		io_uring_prep_read(sqe, ring->fd, request->buf, len, 0);
	io_uring_sqe_set_data(sqe, request);
	request->busy = true;
	ring->in_flight++;
	do {
		ret = io_uring_submit(&ring->uring);
	} while (ret == -EINTR || ret == -EAGAIN);
	return ret < 0 ? ret : 0;
}

static char *buffer(size_t size)
{
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

int libml_ring_create(struct libml_ring **out, struct libml *ml,
		      unsigned int nr_reads, size_t read_size, size_t max_hints)
{
	struct libml_ring *ring;
	unsigned int i;
	int ret;

	*out = NULL;
	if (!nr_reads || nr_reads > MAX_READS || !max_hints ||
	    max_hints > INT32_MAX / sizeof(struct ml_hint) ||
	    read_size < ml->info.about.sample_size || read_size > INT32_MAX)
		return -EINVAL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	ret = io_uring_queue_init(2 * (MAX_READS + NR_WRITES), &ring->uring, 0);
	if (ret) {
		free(ring);
		return ret;
	}
	ring->fd = ml->fd;
	ring->nr_reads = nr_reads;
	ring->read_size = read_size;
	ring->max_hints = max_hints;
	for (i = 0; i < NR_WRITES; i++) {
		ring->writes[i].is_write = true;
		ring->writes[i].buf =
			buffer(max_hints * sizeof(struct ml_hint));
		if (!ring->writes[i].buf)
			ret = -ENOMEM;
	}
	for (i = 0; i < nr_reads && !ret; i++) {
		ring->reads[i].buf = buffer(read_size);
		ret = ring->reads[i].buf ?
			      start(ring, &ring->reads[i], read_size) :
			      -ENOMEM;
	}
	if (ret)
		libml_ring_destroy(ring);
	else
		*out = ring;
	return ret;
}

static void cancel(struct libml_ring *ring, struct request *request)
{
	struct io_uring_sqe *sqe;

	if (!request->busy)
		return;
	sqe = io_uring_get_sqe(&ring->uring);
	if (!sqe)
		return;
	io_uring_prep_cancel(sqe, request, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

void libml_ring_destroy(struct libml_ring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int i;
	int ret = 0;

	if (!ring)
		return;
	for (i = 0; i < ring->nr_reads; i++)
		cancel(ring, &ring->reads[i]);
	for (i = 0; i < NR_WRITES; i++)
		cancel(ring, &ring->writes[i]);
	io_uring_submit(&ring->uring);
	/* The kernel may write into a buffer until its request has ended. */
	while (ring->in_flight && (!ret || ret == -EINTR)) {
		ret = io_uring_wait_cqe(&ring->uring, &cqe);
		if (ret)
			continue;
		if (io_uring_cqe_get_data(cqe))
			ring->in_flight--;
		io_uring_cqe_seen(&ring->uring, cqe);
	}
	io_uring_queue_exit(&ring->uring);
	for (i = 0; i < ring->nr_reads; i++)
		free(ring->reads[i].buf);
	for (i = 0; i < NR_WRITES; i++)
		free(ring->writes[i].buf);
	free(ring);
}

int libml_ring_fd(const struct libml_ring *ring)
{
	return ring->uring.ring_fd;
}

static void fill_event(struct libml_ring *ring, struct request *request,
		       int result, struct libml_event *event)
{
	if (result < 0 || (!result && !request->is_write)) {
		event->type = request->is_write ? LIBML_WRITE_FAILED :
						  LIBML_READ_FAILED;
		event->error = result ? result : -ENODATA; /* end of file */
	} else if (request->is_write) {
		event->type = LIBML_WRITTEN;
		event->len = result;
	} else {
		event->type = LIBML_RECORDS;
		event->data = request->buf;
		event->len = result;
		ring->taken = request;
	}
}

int libml_ring_wait(struct libml_ring *ring, int timeout_ms,
		    struct libml_event *event)
{
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000LL,
	};
	struct io_uring_cqe *cqe;
	struct request *request;
	int ret, result;

	memset(event, 0, sizeof(*event));
	if (ring->taken) {
		ret = start(ring, ring->taken, ring->read_size);
		if (ret)
			return ret;
		ring->taken = NULL;
	}
	ret = io_uring_wait_cqe_timeout(&ring->uring, &cqe,
					timeout_ms < 0 ? NULL : &ts);
	if (ret == -ETIME)
		return 0;
	if (ret)
		return ret;
	request = io_uring_cqe_get_data(cqe);
	request->busy = false;
	ring->in_flight--;
	result = cqe->res;
	io_uring_cqe_seen(&ring->uring, cqe);
	/* A read that was only interrupted goes back in flight. */
	if (!request->is_write && (result == -EINTR || result == -EAGAIN))
		return start(ring, request, ring->read_size);
	fill_event(ring, request, result, event);
	return 0;
}

int libml_ring_write(struct libml_ring *ring, const struct ml_hint *hints,
		     size_t nr)
{
	unsigned int i;

	if (!nr || nr > ring->max_hints)
		return -EINVAL;
	for (i = 0; i < NR_WRITES; i++) {
		struct request *request = &ring->writes[i];

		if (request->busy)
			continue;
		memcpy(request->buf, hints, nr * sizeof(*hints));
		return start(ring, request, nr * sizeof(*hints));
	}
	return -EAGAIN;
}
