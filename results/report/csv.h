/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * csv.h - results.csv in memory, every field checked
 *
 * The format is described in results/README.md. One row is one metric of one
 * run; a run is (consumer, workload, device, policy, seed).
 */
#ifndef MLREPORT_CSV_H
#define MLREPORT_CSV_H

#include <stdbool.h>
#include <stddef.h>

/* In the order in which the report prints them. */
enum consumer {
	CONSUMER_BLOCK,
	CONSUMER_MM,
	CONSUMER_SCHED,
	NR_CONSUMERS,
};

extern const char *const consumer_names[NR_CONSUMERS];

/**
 * struct csv_row - one line of results.csv
 * @consumer:	subsystem under test
 * @test:	true for split "test", false for "train"
 * @workload:	name of the workload file without its suffix
 * @device:	simulated device (hdd, ssd, nvme, cloud) or what the runner gave
 * @policy:	name of the policy
 * @seed:	1 or larger
 * @metric:	name of the metric
 * @unit:	its unit, may be empty; for metric "failed" the reason
 * @value:	finite; not negative where the report takes ratios of it
 * @line:	line in the file, from 1, for messages
 */
struct csv_row {
	enum consumer consumer;
	bool test;
	const char *workload;
	const char *device;
	const char *policy;
	unsigned long seed;
	const char *metric;
	const char *unit;
	double value;
	unsigned long line;
};

/**
 * struct csv - a whole file
 * @text:	the file's bytes, which the rows point into
 * @rows:	one for each line, in the file's order
 * @nr:		number of rows
 * @cut:	the last line has no newline: an interrupted write, left out
 */
struct csv {
	char *text;
	struct csv_row *rows;
	size_t nr;
	bool cut;
};

/**
 * struct fault - why something cannot be done, as one line
 * @text:	message without the program's name and without a newline
 */
struct fault {
	char text[512];
};

int fault_set(struct fault *fault, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int csv_read(struct csv *csv, const char *path, struct fault *fault);
void csv_free(struct csv *csv);

bool metric_is_primary(const char *metric, bool *higher, const char **name);
bool metric_is_quantile(const char *metric);

void *xcalloc(size_t nr, size_t size);

#endif
