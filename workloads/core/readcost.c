// SPDX-License-Identifier: GPL-2.0-only
/*
 * readcost - what a read or a page fault costs, in a guest where an instruction
 * takes 1 ns. Prints "NAME VALUE" pairs in a line.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 255
#define BATCH 64 /* reads; short beside a tick, so that few batches have one */
#define FAULT_AROUND (64 << 10)
#define PAGE 4096

static const char usage[] =
	"usage: readcost cached FILE SIZE     reads of SIZE that find their pages\n"
	"       readcost tracked FILE SIZE    the same, after a pass without them\n"
	"       readcost faults FILE          of a mapping, on pages that are there\n"
	"       readcost tracked-faults FILE  the same, after a pass without them\n"
	"       readcost random FILE SIZE N   N reads at random, each page once\n"
	"       readcost seq FILE SIZE N      N reads in order\n"
	"       readcost stride FILE SIZE N   N reads of each eighth SIZE\n"
	"The first four tell the median of 255 batches, the others the CPU time of\n"
	"this process (own_ns) and of all tasks (all_ns).\n";

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(uint64_t *values, double scale)
{
	qsort(values, BATCHES, sizeof(*values), compare);
	return values[BATCHES / 2] / scale;
}

static void read_at(int fd, void *buf, size_t size, off_t at)
{
	if (pread(fd, buf, size, at) != (ssize_t)size)
		err(EX_IOERR, "read of %zu at %jd", size, (intmax_t)at);
}

static void cached(int fd, off_t file, void *buf, size_t size)
{
	uint64_t values[BATCHES], since;
	off_t at = 0;
	int i, j;

	for (i = 0; i < BATCHES; i++) {
		since = clock_ns(CLOCK_MONOTONIC);
		for (j = 0; j < BATCH; j++) {
			read_at(fd, buf, size, at);
			at = (at + size) % file;
		}
		values[i] = clock_ns(CLOCK_MONOTONIC) - since;
	}
	printf("ns %.1f\n", median(values, BATCH));
}

/* One fault maps FAULT_AROUND */
static void faults(int fd, off_t file)
{
	uint64_t values[BATCHES], since;
	volatile const char *map;
	off_t at;
	int i;

	for (i = 0; i < BATCHES; i++) {
		map = mmap(NULL, file, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			err(EX_OSERR, "mmap");
		since = clock_ns(CLOCK_MONOTONIC);
		for (at = 0; at < file; at += FAULT_AROUND)
			(void)map[at];
		values[i] = clock_ns(CLOCK_MONOTONIC) - since;
		munmap((void *)map, file);
	}
	printf("ns %.1f\n", median(values, (double)file / FAULT_AROUND));
}

/* CPU time of all tasks; a sleep, so that what this one has run is counted */
static uint64_t all_ns(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	FILE *f = fopen("/proc/schedstat", "r");
	uint64_t sum = 0, ran;
	char line[512];

	nanosleep(&ms, NULL);
	if (!f)
		err(EX_OSERR, "/proc/schedstat");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu%*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   &ran) == 1)
			sum += ran;
	fclose(f);
	return sum;
}

static uint64_t draw(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Where to read, in pieces of @size: each once, in an order drawn by chance */
static void shuffle(uint32_t *pieces, uint32_t n)
{
	uint32_t i, j, piece;

	for (i = n - 1; i > 0; i--) {
		j = draw() % (i + 1);
		piece = pieces[i];
		pieces[i] = pieces[j];
		pieces[j] = piece;
	}
}

static void cold(int fd, off_t file, void *buf, size_t size, uint32_t reads,
		 uint32_t step, int random)
{
	uint32_t n = file / size / step, i;
	uint32_t *pieces = malloc(n * sizeof(*pieces));
	uint64_t all, own, since;

	if (!pieces)
		err(EX_OSERR, "malloc");
	if (reads > n)
		errx(EX_USAGE, "only %u pieces", n);
	for (i = 0; i < n; i++)
		pieces[i] = i * step;
	if (random)
		shuffle(pieces, n);
	all = all_ns();
	own = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	since = clock_ns(CLOCK_MONOTONIC);
	for (i = 0; i < reads; i++)
		read_at(fd, buf, size, (off_t)pieces[i] * size);
	since = clock_ns(CLOCK_MONOTONIC) - since;
	own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
	all = all_ns() - all;
	printf("reads %u own_ns %" PRIu64 " all_ns %" PRIu64
	       " elapsed_ns %" PRIu64 "\n",
	       reads, own, all, since);
	free(pieces);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t size = argc > 3 ? strtoul(argv[3], NULL, 0) : PAGE;
	uint32_t reads = argc > 4 ? strtoul(argv[4], NULL, 0) : 0;
	struct stat st;
	void *buf;
	int fd;

	if (!strcmp(what, "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 3 || !size || size > 1 << 20) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(EX_NOINPUT, "%s", argv[2]);
	buf = malloc(size);
	if (!buf)
		err(EX_OSERR, "malloc");
	/* No fault of its own in what is measured */
	memset(buf, 0, size);
	if (!strcmp(what, "cached")) {
		cached(fd, st.st_size, buf, size);
	} else if (!strcmp(what, "tracked")) {
		cold(fd, st.st_size, buf, size, st.st_size / size, 1, 0);
		cached(fd, st.st_size, buf, size);
	} else if (!strcmp(what, "tracked-faults")) {
		cold(fd, st.st_size, buf, size, st.st_size / size, 1, 0);
		faults(fd, st.st_size);
	} else if (!strcmp(what, "faults")) {
		faults(fd, st.st_size);
	} else if (!strcmp(what, "random")) {
		cold(fd, st.st_size, buf, size, reads, 1, 1);
	} else if (!strcmp(what, "seq")) {
		cold(fd, st.st_size, buf, size, reads, 1, 0);
	} else if (!strcmp(what, "stride")) {
		cold(fd, st.st_size, buf, size, reads, 8, 0);
	} else {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	free(buf);
	close(fd);
	return 0;
}
