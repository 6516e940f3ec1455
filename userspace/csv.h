/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Record files: what `mlctl record` writes and train and eval read.
 *
 *   # mlctl record 2 proxy=demo schema=0123456789abcdef actions=stock,a,b
 *   id,time_ns,context,model,mode,arm,backend,action,flags,reward,units,FEATURE...
 *   17,1000200,3405691582,0,1,1,4,2,1,-12,32,4096,3
 *
 * One decision a line, all fields integers (decimal), as in struct ml_sample
 * and struct ml_outcome. Reward and units are empty where the outcome is not
 * known. Features begin in the 12th column and lie within the range of s32.
 */
#ifndef MLCTL_CSV_H
#define MLCTL_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/ml_lib.h>

#define CSV_VERSION 2
#define CSV_ERROR_LEN 512

struct csv_row {
	uint64_t id;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t context;
	uint32_t model;
	int32_t reward; /* 0 unless has_reward */
	uint16_t units; /* likewise */
	uint16_t action; /* below nr_actions */
	uint8_t mode; /* enum ml_mode */
	uint8_t arm; /* enum ml_arm */
	uint8_t backend; /* enum ml_backend */
	uint8_t flags; /* ML_SAMPLE_ */
	bool has_reward;
	uint32_t file; /* number of the csv_read() that it came with */
};

/* What a file's first two lines say */
struct csv_head {
	char proxy[ML_NAME_LEN];
	uint64_t schema; /* ml_describe.schema */
	unsigned int nr_actions;
	unsigned int nr_features;
	char actions[ML_MAX_ACTIONS][ML_NAME_LEN];
	char features[ML_MAX_FEATURES][ML_NAME_LEN];
};

struct csv {
	struct csv_head head;
	size_t nr_rows;
	size_t room; /* rows allocated */
	uint32_t nr_files;
	struct csv_row *rows;
	int32_t *features; /* nr_features for each row, row after row */
	double *scales; /* of each file's weights, or NULL: all 1 */
};

/**
 * csv_read - read and check a record file
 * @csv: all zeroes before the first file; a further file adds its rows and
 *	must be of the same proxy, schema, actions and features
 * @path: file name, also used in messages
 * @error: one line without newline when the result is not 0: file, line,
 *	column, what was expected and what was there
 *
 * Return: 0, EX_NOINPUT (cannot be read), EX_DATAERR (something is wrong in
 * it) or EX_OSERR (out of memory). @csv is to be freed in any case.
 */
int csv_read(struct csv *csv, const char *path, char error[CSV_ERROR_LEN]);

/**
 * csv_weight - how much a row counts in means and in training
 * @csv: rows
 * @row: one of them
 *
 * Return: its units, 1 if they are not known; scaled after csv_balance().
 */
double csv_weight(const struct csv *csv, const struct csv_row *row);

/**
 * csv_balance - let every file count the same
 * @csv: rows
 * @labels: one for each row; those of NaN do not count
 *
 * The weights of a file's rows are scaled so that their sum is the same for
 * each file that has a label, and that of all files is what it was.
 *
 * Return: false without memory.
 */
bool csv_balance(struct csv *csv, const float *labels);

/**
 * csv_free - release the rows
 * @csv: zeroed; may be freed twice
 */
void csv_free(struct csv *csv);

/**
 * csv_write_head - write the first two lines
 * @f: stream; errors are left in ferror()
 * @head: names
 */
void csv_write_head(FILE *f, const struct csv_head *head);

/**
 * csv_write_row - write one line
 * @f: stream; errors are left in ferror()
 * @row: fields
 * @features: values
 * @nr_features: number of them
 */
void csv_write_row(FILE *f, const struct csv_row *row, const int32_t *features,
		   unsigned int nr_features);

#endif /* MLCTL_CSV_H */
