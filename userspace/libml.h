/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libml - the device of a proxy, /dev/ml/<proxy>, from C
 *
 * A handle is one open descriptor. No function prints, exits or keeps state
 * outside of its handle. Functions return 0 or more on success and a negative
 * errno on failure; those that only read the description cannot fail. One
 * handle must not be used by two threads at a time; two handles may.
 *
 * linux/ml_lib.h defines the structs and tells what their fields mean.
 */
#ifndef LIBML_H
#define LIBML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ml_lib.h>
#include <linux/ml_trees.h>

#define LIBML_DIR "/dev/ml"

/* What a proxy is; does not change while it exists */
struct libml_info {
	struct ml_describe about;
	struct ml_entry features[ML_MAX_FEATURES]; /* about.nr_features */
	struct ml_entry actions[ML_MAX_ACTIONS]; /* about.nr_actions */
};

struct libml;

/**
 * libml_open - open a proxy's device and read its description
 * @ml: set to the new handle; NULL on failure
 * @proxy: name below LIBML_DIR, or a path if it has a slash
 * @write: false: a monitor, which may describe and read the statistics;
 *	true: an admin, who may also control, load and become the agent
 *
 * Return: 0; -ENOENT (no such proxy), -EACCES, -ENOTTY (not such a device),
 * -EPROTO (ABI version or counts that this library does not know), -ENOMEM,
 * or what open(2) and ioctl(2) fail with.
 */
int libml_open(struct libml **ml, const char *proxy, bool write);

/**
 * libml_close - close; ends the role of agent
 * @ml: may be NULL
 */
void libml_close(struct libml *ml);

/* The descriptor, for poll(2): readable when the wake threshold is reached. */
int libml_fd(const struct libml *ml);

/* The description, valid as long as @ml. */
const struct libml_info *libml_info(const struct libml *ml);

/**
 * libml_attach - become the agent; needed to read, write and poll
 * @ml: opened for writing
 *
 * Return: 0; -EBUSY while another is the agent, -EACCES or -EPERM.
 */
int libml_attach(struct libml *ml);

/**
 * libml_stats - counts and state of this moment
 * @ml: any handle
 * @stats: filled in
 *
 * Return: 0, or what ioctl(2) fails with.
 */
int libml_stats(struct libml *ml, struct ml_stats *stats);

/**
 * libml_control - cap or pin the mode, set backend, sampling and wake-up
 * @ml: opened for writing
 * @control: the fields named in control->mask; the others are ignored.
 *	sample_shift is 0 to 16: one decision in 1 << shift is recorded;
 *	wake_bytes is 1 to libml_info()->about.ring_size
 *
 * Return: 0; -EINVAL (out of range, or a backend that the proxy does not
 * have), -EACCES or -EPERM. On failure nothing has changed.
 */
int libml_control(struct libml *ml, const struct ml_control *control);

/**
 * libml_load - give the proxy a tree table; the kernel verifies it
 * @ml: opened for writing
 * @table: see linux/ml_trees.h; only read during the call
 * @size: bytes, 1 to ML_TREES_MAX_SIZE
 * @answer: model, or fault and fault_offset when the result is -EINVAL;
 *	may be NULL
 *
 * Return: 0; -EINVAL (the table is refused), -E2BIG, -ENOMEM, -EACCES or
 * -EPERM. On failure the table that was loaded stays.
 */
int libml_load(struct libml *ml, const void *table, size_t size,
	       struct ml_load *answer);

/**
 * libml_load_file - libml_load() of a whole file
 * @ml: opened for writing
 * @path: of the table
 * @answer: as for libml_load(); may be NULL
 *
 * Return: as libml_load() or as libml_read_file().
 */
int libml_load_file(struct libml *ml, const char *path, struct ml_load *answer);

/**
 * libml_read_file - a table file in memory, unverified
 * @path: of the file
 * @table: set to malloc()ed memory, or NULL on failure
 * @size: set to its bytes
 *
 * Return: 0; -ENOENT or another of open(2) and read(2), -EFBIG (more than
 * ML_TREES_MAX_SIZE), -ENODATA (empty), -ENOMEM.
 */
int libml_read_file(const char *path, void **table, size_t *size);

/**
 * libml_unload - drop the tree table
 * @ml: opened for writing
 *
 * Return: 0; -ENOENT when there was none, -EACCES or -EPERM.
 */
int libml_unload(struct libml *ml);

/**
 * libml_read - read records; waits for the wake threshold
 * @ml: attached
 * @buf: aligned to 8 bytes
 * @size: bytes; at least libml_info()->about.sample_size
 *
 * Return: bytes of whole records; -EINTR, -EINVAL (too small), -EPERM (not
 * the agent) or -ENODEV (the proxy is gone).
 */
ssize_t libml_read(struct libml *ml, void *buf, size_t size);

/**
 * libml_next - walk over the records in a buffer
 * @buf: as libml_read() filled it
 * @len: bytes in it
 * @at: 0 at first; moved on
 *
 * Records of unknown types are returned as well; skip them. A record that
 * does not fit its type's struct, or the buffer, ends the walk.
 *
 * Return: the record, or NULL at the end: then *@at is @len if all was well.
 */
const struct ml_record *libml_next(const void *buf, size_t len, size_t *at);

/**
 * libml_write - write hints
 * @ml: attached
 * @hints: array; ttl_us is 1 to ML_HINT_TTL_MAX_US microseconds
 * @nr: number of them
 *
 * Invalid hints are skipped and counted by the kernel, see ml_stats.
 *
 * Return: number of hints taken, which may be fewer than @nr; -EINTR, -EPERM
 * (not the agent) or -ENODEV.
 */
ssize_t libml_write(struct libml *ml, const struct ml_hint *hints, size_t nr);

/* A hint that only feeds the watchdog; due every about.watchdog_ms at least */
struct ml_hint libml_heartbeat(void);

/* A hint that tells that those behind it are of a new model */
struct ml_hint libml_new_model(void);

/*
 * io_uring: a number of reads of many records each are always in flight, and
 * hints are written without waiting.
 */
struct libml_ring;

enum libml_event_type {
	LIBML_NOTHING, /* the time is over */
	LIBML_RECORDS, /* data, len: valid until the next libml_ring_wait() */
	LIBML_WRITTEN, /* len: bytes of hints taken in one write */
	LIBML_READ_FAILED, /* error: negative errno; that read has ended */
	LIBML_WRITE_FAILED, /* error: negative errno; those hints are lost */
};

struct libml_event {
	enum libml_event_type type;
	int error;
	size_t len;
	const void *data;
};

/**
 * libml_ring_create - set up io_uring and put the reads in flight
 * @ring: set to the new ring; NULL on failure
 * @ml: attached; must outlive the ring
 * @nr_reads: reads in flight, 1 to 64
 * @read_size: bytes of each; at least libml_info()->about.sample_size
 * @max_hints: hints of one libml_ring_write()
 *
 * Return: 0; -EINVAL, -ENOMEM, -ENOSYS or -EPERM (no io_uring here).
 */
int libml_ring_create(struct libml_ring **ring, struct libml *ml,
		      unsigned int nr_reads, size_t read_size,
		      size_t max_hints);

/**
 * libml_ring_destroy - cancel what is in flight, wait for that, free
 * @ring: may be NULL
 */
void libml_ring_destroy(struct libml_ring *ring);

/* A descriptor for poll(2): readable when an event can be taken. */
int libml_ring_fd(const struct libml_ring *ring);

/**
 * libml_ring_wait - take one event
 * @ring: ring
 * @timeout_ms: longest wait in milliseconds; 0: none, -1: no limit
 * @event: filled in
 *
 * The buffer of the LIBML_RECORDS event before goes back in flight first.
 *
 * Return: 0; -EINTR, or what io_uring fails with.
 */
int libml_ring_wait(struct libml_ring *ring, int timeout_ms,
		    struct libml_event *event);

/**
 * libml_ring_write - start to write hints
 * @ring: ring
 * @hints: array, copied
 * @nr: 1 to max_hints
 *
 * Return: 0; -EAGAIN while all the write buffers are in flight: take events
 * first; -EINVAL, or what io_uring fails with.
 */
int libml_ring_write(struct libml_ring *ring, const struct ml_hint *hints,
		     size_t nr);

#endif /* LIBML_H */
