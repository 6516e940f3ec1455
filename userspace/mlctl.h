/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mlctl: what its commands share. Exit codes are those of sysexits.h, and 1
 * where a comparison says no. Messages for people go to standard error, one
 * line each, and begin with "mlctl: ".
 */
#ifndef MLCTL_H
#define MLCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "csv.h"
#include "libml.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
#define ERROR_LEN CSV_ERROR_LEN

int cmd_status(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_agent(int argc, char **argv);
int cmd_mode(int argc, char **argv);

/* Print "mlctl: " and the message to standard error; return @code. */
int fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same about a proxy and an errno (negative), which chooses the code. */
int fail_proxy(const char *proxy, const char *what, int error);

/* -j was given: standard output is JSON. */
extern bool json_output;

/* Write @value, which it takes over, and a newline. 0 or an exit code. */
int print_json(json_t *value);

/* Flush standard output: 0, or EX_IOERR with a message. */
int finish_output(void);

enum option_type {
	OPT_FLAG, /* bool */
	OPT_TEXT, /* const char * */
	OPT_INT, /* long, min to max */
	OPT_REAL, /* double, min to max */
	OPT_NAME, /* int: index into names */
};

/* An option that takes a value takes it as --name VALUE or --name=VALUE. */
struct option_spec {
	const char *name;
	const char *arg; /* what --help calls the value */
	const char *help;
	void *value;
	const char *const *names;
	double min;
	double max;
	enum option_type type;
	char letter; /* short form, or 0 */
	bool *given; /* set when the option is there; may be NULL */
	bool value_optional; /* only for long options' --name=VALUE, or -wVALUE */
};

struct usage {
	const char *name;
	const char *args;
	const char *about; /* lines, each ends with a newline */
	const struct option_spec *options;
	size_t nr_options;
	int min_args; /* operands */
	int max_args; /* -1: any number */
};

/**
 * parse_options - options, --help and the number of operands of a command
 * @usage: of the command
 * @argc: as main() has it; argv[0] is the command
 * @argv: reordered: operands begin at argv[optind]
 * @code: exit code when the result is negative
 *
 * Return: number of operands, or -1: the command is over.
 */
int parse_options(const struct usage *usage, int argc, char **argv, int *code);

extern const char *const mode_names[ML_NR_MODES + 1]; /* NULL at the end */
extern const char *const backend_names[ML_NR_BACKENDS + 1];
extern const char *const arm_names[ML_NR_ARMS + 1];

/* Name of a number that the kernel gave; "?" where it is unknown. */
const char *mode_name(uint32_t mode);
const char *backend_name(uint32_t backend);
const char *reason_name(uint32_t reason);

/* libml_open() with a message. 0 or an exit code. */
int open_proxy(struct libml **ml, const char *proxy, bool write);

/* The names of a proxy as a record file has them. */
void head_of_proxy(struct csv_head *head, const struct libml_info *info);

/* SIGINT and SIGTERM set stop_requested and end waits with EINTR. */
extern volatile bool stop_requested;
void catch_stop(void);

/* CLOCK_MONOTONIC in milliseconds */
int64_t now_ms(void);

#endif /* MLCTL_H */
