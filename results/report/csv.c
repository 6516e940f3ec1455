// SPDX-License-Identifier: GPL-2.0-only
/* csv.c - parse and validate results.csv */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "csv.h"

#define HEADER "consumer,workload,split,device,policy,seed,metric,unit,value"

enum column {
	COL_CONSUMER,
	COL_WORKLOAD,
	COL_SPLIT,
	COL_DEVICE,
	COL_POLICY,
	COL_SEED,
	COL_METRIC,
	COL_UNIT,
	COL_VALUE,
	NR_COLUMNS,
};

static const char *const column_names[NR_COLUMNS] = {
	"consumer", "workload", "split", "device", "policy",
	"seed",	    "metric",	"unit",	 "value",
};

const char *const consumer_names[NR_CONSUMERS] = { "block", "mm", "sched" };

/* Metrics the report takes ratios or logarithms of. */
static const char *const ratio_metrics[] = {
	"cpu_time",	"dev_read",	 "refault_anon",
	"refault_file", "direct_stalls", "psi_mem_some",
	"energy",	"delay",	 "transitions",
};

/* Where a message is about: file and line, for every check of that line. */
struct place {
	const char *path;
	unsigned long line;
	struct fault *fault;
};

/**
 * fault_set - write the message of an error
 * @fault: where to
 * @code: exit code, from sysexits.h
 * @fmt: message, printf style
 *
 * Return: @code, so that a caller can return it at once.
 */
int fault_set(struct fault *fault, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return code;
}

/**
 * xcalloc - calloc() that ends the program when memory is out
 * @nr: number of elements, may be 0
 * @size: size of one
 *
 * Return: zeroed memory, never NULL.
 */
void *xcalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p) {
		fputs("mlreport: out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return p;
}

/* Copy of a field that is safe and short enough to print in a message. */
static const char *shown(const char *s)
{
	static char buf[64];
	size_t i;

	for (i = 0; s[i] && i < sizeof(buf) - 4; i++)
		buf[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
	strcpy(buf + i, s[i] ? "..." : "");
	return buf;
}

static int bad_field(const struct place *at, enum column col,
		     const char *expected, const char *got)
{
	return fault_set(at->fault, EX_DATAERR,
			 "%s:%lu: column %d (%s): expected %s, got \"%s\"",
			 at->path, at->line, col + 1, column_names[col],
			 expected, shown(got));
}

/*
 * Names end up in markdown tables and in quoted gnuplot strings: what could
 * end a cell or a string there is refused here, once.
 */
static bool is_name(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._+:@%/=-", *s))
			return false;
	return true;
}

/* Units also have products and may hold UTF-8 (a micro sign). */
static bool is_unit(const char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) &&
		    !strchr("._+:@%/=-*^()", *s) && !((unsigned char)*s & 0x80))
			return false;
	return true;
}

/**
 * metric_is_primary - is it the primary metric of its run?
 * @metric: name from the metric column
 * @higher: set to true when larger is better; may be NULL
 * @name: set to the plain name; may be NULL
 *
 * Return: true for "primary.higher.NAME" and "primary.lower.NAME".
 */
bool metric_is_primary(const char *metric, bool *higher, const char **name)
{
	static const char up[] = "primary.higher.", down[] = "primary.lower.";
	bool is_up = !strncmp(metric, up, strlen(up));
	size_t skip = is_up ? strlen(up) : strlen(down);

	if (!is_up && strncmp(metric, down, strlen(down)))
		return false;
	if (!metric[skip])
		return false;
	if (higher)
		*higher = is_up;
	if (name)
		*name = metric + skip;
	return true;
}

/**
 * metric_is_quantile - is it a latency quantile of the whole run?
 * @metric: name from the metric column
 *
 * Return: true for lat_pN, read_lat_pN and write_lat_pN, N a number.
 */
bool metric_is_quantile(const char *metric)
{
	if (!strncmp(metric, "read_", 5))
		metric += 5;
	else if (!strncmp(metric, "write_", 6))
		metric += 6;
	if (strncmp(metric, "lat_p", 5) || !isdigit((unsigned char)metric[5]))
		return false;
	return strspn(metric + 5, "0123456789.") == strlen(metric + 5);
}

static bool needs_not_negative(const char *metric)
{
	size_t i;

	if (metric_is_primary(metric, NULL, NULL) || metric_is_quantile(metric))
		return true;
	for (i = 0; i < sizeof(ratio_metrics) / sizeof(*ratio_metrics); i++)
		if (!strcmp(metric, ratio_metrics[i]))
			return true;
	return false;
}

static int parse_seed(const struct place *at, const char *s,
		      unsigned long *seed)
{
	char *end;

	errno = 0;
	*seed = isdigit((unsigned char)*s) ? strtoul(s, &end, 10) : 0;
	if (!*seed || errno || *end)
		return bad_field(at, COL_SEED, "a whole number from 1", s);
	return 0;
}

static int parse_value(const struct place *at, const char *metric,
		       const char *s, double *value)
{
	char *end;

	/* strtod() would also take hexadecimal, spaces, inf and nan. */
	if (!*s || strspn(s, "0123456789+-.eE") != strlen(s))
		return bad_field(at, COL_VALUE, "a finite number", s);
	*value = strtod(s, &end);
	if (*end || end == s || !isfinite(*value))
		return bad_field(at, COL_VALUE, "a finite number", s);
	if (*value < 0 && needs_not_negative(metric))
		return bad_field(at, COL_VALUE,
				 "no negative number for this metric", s);
	return 0;
}

static int split_fields(const struct place *at, char *line, char **field)
{
	unsigned int nr = 0;
	char *s = line;

	for (;;) {
		char *comma = strchr(s, ',');

		if (nr < NR_COLUMNS)
			field[nr] = s;
		nr++;
		if (!comma)
			break;
		*comma = '\0';
		s = comma + 1;
	}
	if (nr != NR_COLUMNS)
		return fault_set(
			at->fault, EX_DATAERR,
			"%s:%lu: column %u: expected %d fields, got %u",
			at->path, at->line,
			nr < NR_COLUMNS ? nr + 1 : NR_COLUMNS + 1, NR_COLUMNS,
			nr);
	return 0;
}

static int parse_row(const struct place *at, char *line, struct csv_row *row)
{
	static const enum column names[] = {
		COL_WORKLOAD,
		COL_DEVICE,
		COL_POLICY,
		COL_METRIC,
	};
	char *field[NR_COLUMNS];
	unsigned int i;
	int ret;

	ret = split_fields(at, line, field);
	if (ret)
		return ret;

	for (i = 0; i < NR_CONSUMERS; i++)
		if (!strcmp(field[COL_CONSUMER], consumer_names[i]))
			break;
	if (i == NR_CONSUMERS)
		return bad_field(at, COL_CONSUMER, "block, mm or sched",
				 field[COL_CONSUMER]);
	row->consumer = i;

	row->test = !strcmp(field[COL_SPLIT], "test");
	if (!row->test && strcmp(field[COL_SPLIT], "train"))
		return bad_field(at, COL_SPLIT, "train or test",
				 field[COL_SPLIT]);

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!is_name(field[names[i]]))
			return bad_field(
				at, names[i],
				"a name of letters, digits and ._+:@%/=-",
				field[names[i]]);
	if (!strncmp(field[COL_METRIC], "primary.", 8) &&
	    !metric_is_primary(field[COL_METRIC], NULL, NULL))
		return bad_field(at, COL_METRIC,
				 "primary.higher.NAME or primary.lower.NAME",
				 field[COL_METRIC]);
	if (!is_unit(field[COL_UNIT]))
		return bad_field(at, COL_UNIT, "a unit", field[COL_UNIT]);

	row->workload = field[COL_WORKLOAD];
	row->device = field[COL_DEVICE];
	row->policy = field[COL_POLICY];
	row->metric = field[COL_METRIC];
	row->unit = field[COL_UNIT];
	row->line = at->line;
	ret = parse_seed(at, field[COL_SEED], &row->seed);
	if (ret)
		return ret;
	return parse_value(at, row->metric, field[COL_VALUE], &row->value);
}

static int read_whole(const char *path, char **text, size_t *len,
		      struct fault *fault)
{
	size_t room = 1 << 16, got;
	FILE *f = fopen(path, "rb");
	char *buf;

	if (!f)
		return fault_set(fault, EX_NOINPUT, "%s: %s", path,
				 strerror(errno));
	buf = xcalloc(room, 1);
	*len = 0;
	while ((got = fread(buf + *len, 1, room - *len - 1, f))) {
		char *more;

		*len += got;
		if (*len < room - 1)
			continue;
		room *= 2;
		more = xcalloc(room, 1);
		memcpy(more, buf, *len);
		free(buf);
		buf = more;
	}
	if (ferror(f)) {
		fault_set(fault, EX_NOINPUT, "%s: %s", path, strerror(errno));
		fclose(f);
		free(buf);
		return EX_NOINPUT;
	}
	fclose(f);
	buf[*len] = '\0';
	*text = buf;
	return 0;
}

static int check_header(const struct place *at, char *line)
{
	if (!strcmp(line, HEADER))
		return 0;
	return fault_set(
		at->fault, EX_DATAERR,
		"%s:1: column 1: expected the header \"%s\", got \"%s\"",
		at->path, HEADER, shown(line));
}

/**
 * csv_read - read and check a results.csv
 * @csv: filled in; free with csv_free()
 * @path: file name, also used in messages
 * @fault: message when the result is not 0
 *
 * A last line without a newline is what an interrupted run leaves behind: its
 * value may be cut short, so it is dropped and @csv->cut says so.
 *
 * Return: 0, EX_NOINPUT (cannot be read) or EX_DATAERR (a field is wrong).
 */
int csv_read(struct csv *csv, const char *path, struct fault *fault)
{
	struct place at = { .path = path, .fault = fault };
	size_t len = 0, lines = 0, i;
	char *line, *end;
	int ret;

	memset(csv, 0, sizeof(*csv));
	ret = read_whole(path, &csv->text, &len, fault);
	if (ret)
		return ret;
	for (i = 0; i < len; i++)
		lines += csv->text[i] == '\n';
	csv->rows = xcalloc(lines, sizeof(*csv->rows));

	for (line = csv->text;
	     (end = memchr(line, '\n', csv->text + len - line));
	     line = end + 1) {
		*end = '\0';
		at.line++;
		/* A NUL byte would hide the rest of its line. */
		if (strlen(line) != (size_t)(end - line))
			ret = fault_set(
				fault, EX_DATAERR,
				"%s:%lu: column 1: expected text, got a NUL byte",
				path, at.line);
		else if (at.line == 1)
			ret = check_header(&at, line);
		else
			ret = parse_row(&at, line, &csv->rows[csv->nr++]);
		if (ret)
			goto fail;
	}
	csv->cut = *line || line < csv->text + len;
	if (!at.line) {
		at.line = 1;
		ret = check_header(&at, line);
		if (ret)
			goto fail;
		csv->cut = false; /* the header alone, nothing is lost */
	}
	return 0;

fail:
	csv_free(csv);
	return ret;
}

/**
 * csv_free - release what csv_read() filled in
 * @csv: may be freed twice
 */
void csv_free(struct csv *csv)
{
	free(csv->rows);
	free(csv->text);
	memset(csv, 0, sizeof(*csv));
}
