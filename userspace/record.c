// SPDX-License-Identifier: GPL-2.0-only
/* record.c - mlctl record: decisions and their outcomes to CSV */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "join.h"
#include "mlctl.h"

#define BUFFER_SIZE (1 << 20)
#define STOP_ROWS 1 /* from write_row(): enough */

static const char *output;
static double seconds;
static long max_rows, pending = 1 << 16;

static const struct option_spec specs[] = {
	{ "output", "FILE", "write there; needed; - is standard output",
	  &output, .type = OPT_TEXT, .letter = 'o' },
	{ "time", "SECONDS", "stop after that time", &seconds, .type = OPT_REAL,
	  .min = 0.001, .max = 1e9, .letter = 't' },
	{ "rows", "N", "stop after that many rows", &max_rows, .type = OPT_INT,
	  .min = 1, .max = 1e15, .letter = 'n' },
	{ "pending", "N",
	  "samples that may wait for their outcome; default: 65536", &pending,
	  .type = OPT_INT, .min = 2, .max = 1 << 24 },
};

static const struct usage usage = {
	.name = "record",
	.args = "PROXY -o FILE.csv",
	.about =
		"Write each recorded decision with its features and, where it is known, its\n"
		"reward. It takes the place of the agent meanwhile. It ends after the time or the\n"
		"rows asked for, or with Ctrl-C; what is written then is complete.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = 1,
};

struct recording {
	FILE *f;
	unsigned int nr_features;
	uint64_t rows;
};

static int write_row(void *arg, const struct csv_row *row,
		     const int32_t *features)
{
	struct recording *r = arg;

	if (max_rows && r->rows >= (uint64_t)max_rows)
		return STOP_ROWS;
	csv_write_row(r->f, row, features, r->nr_features);
	r->rows++;
	if (ferror(r->f))
		return -errno;
	return max_rows && r->rows == (uint64_t)max_rows ? STOP_ROWS : 0;
}

/*
 * Records below the wake threshold do not wake anybody, so the wait is short
 * and read() does not block. @join's rows are written as they are complete.
 */
static int read_records(struct libml *ml, const char *proxy, struct join *join,
			void *buf)
{
	int64_t end = now_ms() + (int64_t)(seconds * 1000);
	struct pollfd fd = { .fd = libml_fd(ml), .events = POLLIN };
	ssize_t len;
	int ret;

	fcntl(fd.fd, F_SETFL, fcntl(fd.fd, F_GETFL) | O_NONBLOCK);
	while (!stop_requested && (!seconds || now_ms() < end)) {
		len = libml_read(ml, buf, BUFFER_SIZE);
		if (len == -EAGAIN) {
			poll(&fd, 1, 50);
			continue;
		}
		if (len == -EINTR)
			continue;
		if (len <= 0)
			return fail_proxy(proxy, "read", len ? len : -ENODEV);
		ret = join_records(join, buf, len);
		if (ret)
			return ret;
	}
	return 0;
}

static int report(const char *proxy, const struct recording *r,
		  const struct join_counts *counts)
{
	if (json_output && strcmp(output, "-"))
		return print_json(json_pack(
			"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "proxy",
			proxy, "file", output, "rows", (json_int_t)r->rows,
			"rows_without_reward", (json_int_t)counts->open_rows,
			"outcomes_without_sample", (json_int_t)counts->orphans,
			"lost_samples", (json_int_t)counts->lost_samples,
			"lost_outcomes", (json_int_t)counts->lost_outcomes,
			"malformed", (json_int_t)counts->broken));
	fprintf(stderr,
		"%s: %" PRIu64 " rows, %" PRIu64
		" of them without reward; lost %" PRIu64 " samples, %" PRIu64
		" outcomes; %" PRIu64 " outcomes without sample\n",
		proxy, r->rows, counts->open_rows, counts->lost_samples,
		counts->lost_outcomes, counts->orphans);
	return 0;
}

/*
 * A full disk may have torn the last line: cut it, and count the rows that are
 * really there.
 */
static void cut_torn_line(const char *path, uint64_t *rows)
{
	FILE *f = fopen(path, "r+");
	long at = 0, end = 0, lines = 0;
	int c;

	if (!f)
		return;
	while ((c = fgetc(f)) != EOF) {
		at++;
		if (c == '\n') {
			end = at;
			lines++;
		}
	}
	*rows = lines > 2 ? lines - 2 : 0;
	if (end < at && ftruncate(fileno(f), end))
		fail(EX_IOERR, "%s: %s", path, strerror(errno));
	fclose(f);
}

/* fclose() as well can find the disk full */
static int close_output(struct recording *r, int ret)
{
	bool to_file = r->f != stdout;
	struct stat st;
	int error = to_file ? fclose(r->f) : fflush(r->f);

	if (error && ret >= 0)
		ret = -errno;
	if (ret >= 0)
		return ret == STOP_ROWS ? 0 : ret;
	/* Not a device: that has no end */
	if (to_file && !stat(output, &st) && S_ISREG(st.st_mode))
		cut_torn_line(output, &r->rows);
	return fail(EX_IOERR, "%s: %s", output, strerror(-ret));
}

static int record(struct libml *ml, const char *proxy, struct recording *r)
{
	struct csv_head head;
	struct join *join;
	void *buf = malloc(BUFFER_SIZE);
	int ret = 0, error;

	head_of_proxy(&head, libml_info(ml));
	r->nr_features = head.nr_features;
	join = join_create(head.nr_features, pending, write_row, r);
	if (!buf || !join) {
		ret = fail(EX_OSERR, "record: out of memory");
		goto out;
	}
	csv_write_head(r->f, &head);
	error = libml_attach(ml);
	if (error) {
		ret = fail_proxy(proxy, "attach", error);
		goto out;
	}
	ret = read_records(ml, proxy, join, buf);
	if (ret >= 0 && ret != STOP_ROWS) {
		error = join_flush(join);
		if (error < 0)
			ret = error;
	}
	ret = close_output(r, ret);
	r->f = NULL;
	error = report(proxy, r, join_counts(join));
	if (!ret)
		ret = error;
out:
	join_free(join);
	free(buf);
	return ret;
}

int cmd_record(int argc, char **argv)
{
	struct recording r = {};
	struct libml *ml;
	bool to_file;
	int ret;

	if (parse_options(&usage, argc, argv, &ret) < 0)
		return ret;
	if (!output)
		return fail(EX_USAGE, "record: expected -o FILE.csv");
	ret = open_proxy(&ml, argv[optind], true);
	if (ret)
		return ret;
	to_file = strcmp(output, "-");
	r.f = to_file ? fopen(output, "w") : stdout;
	if (!r.f) {
		ret = fail(EX_CANTCREAT, "%s: %s", output, strerror(errno));
	} else {
		catch_stop();
		ret = record(ml, argv[optind], &r);
	}
	if (r.f && to_file)
		fclose(r.f);
	libml_close(ml);
	return ret;
}
