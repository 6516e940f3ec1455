// SPDX-License-Identifier: GPL-2.0-only
/* csv.c - read, check and write record files */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "csv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

enum {
	COL_ID,
	COL_TIME,
	COL_CONTEXT,
	COL_MODEL,
	COL_MODE,
	COL_ARM,
	COL_BACKEND,
	COL_ACTION,
	COL_FLAGS,
	COL_REWARD,
	COL_UNITS,
	NR_FIXED,
};

static const char *const fixed_names[NR_FIXED] = {
	"id",	   "time_ns", "context", "model",  "mode",  "arm",
	"backend", "action",  "flags",	 "reward", "units",
};

/* The line that is being read */
struct place {
	const char *path;
	unsigned long line;
	char *error;
};

/* A message about @got, which is cut and cleaned to fit on the line. */
static int bad(const struct place *at, unsigned int column, const char *got,
	       const char *fmt, ...)
{
	char shown[44], expected[256];
	va_list ap;
	size_t i;

	for (i = 0; got[i] && i < sizeof(shown) - 4; i++)
		shown[i] = isprint((unsigned char)got[i]) ? got[i] : '?';
	strcpy(shown + i, got[i] ? "..." : "");
	va_start(ap, fmt);
	vsnprintf(expected, sizeof(expected), fmt, ap);
	va_end(ap);
	snprintf(at->error, CSV_ERROR_LEN,
		 "%s:%lu: column %u: expected %s, got \"%s\"", at->path,
		 at->line, column + 1, expected, shown);
	return EX_DATAERR;
}

/* Decimal digits only: strtoul() would also take spaces, signs and more. */
static bool parse_u64(const char *s, uint64_t *value)
{
	uint64_t x = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int digit = (unsigned char)*s - '0';

		if (digit > 9 || __builtin_mul_overflow(x, 10, &x) ||
		    __builtin_add_overflow(x, digit, &x))
			return false;
	}
	*value = x;
	return true;
}

static bool parse_s32(const char *s, int32_t *value)
{
	bool minus = *s == '-';
	uint64_t x;

	if (!parse_u64(s + minus, &x) || x > (uint64_t)INT32_MAX + minus)
		return false;
	*value = minus ? -(int64_t)x : (int64_t)x;
	return true;
}

/* Split @line at its commas; too many fields are counted, not stored. */
static unsigned int split(char *line, char **fields, unsigned int max)
{
	unsigned int nr = 0;

	for (;;) {
		char *comma = strchr(line, ',');

		if (nr < max)
			fields[nr] = line;
		nr++;
		if (!comma)
			return nr;
		*comma = '\0';
		line = comma + 1;
	}
}

static int parse_name(const struct place *at, unsigned int column,
		      const char *what, const char *s, char name[ML_NAME_LEN])
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._+:@%/=-", s[i]))
			break;
	if (s[i] || !i || i >= ML_NAME_LEN)
		return bad(
			at, column, s,
			"the name of %s, 1 to %d letters, digits or ._+:@%%/=-",
			what, ML_NAME_LEN - 1);
	memcpy(name, s, i + 1);
	return 0;
}

static int parse_first_line(const struct place *at, char *line,
			    struct csv_head *head)
{
	static const char *const keys[] = { "proxy=", "schema=", "actions=" };
	char *values[ARRAY_SIZE(keys)], *fields[ML_MAX_ACTIONS];
	char magic[32], *s = line, *end;
	size_t i;
	int ret;

	snprintf(magic, sizeof(magic), "# mlctl record %d ", CSV_VERSION);
	if (strncmp(s, magic, strlen(magic)))
		return bad(at, 0, s, "\"%s...\"", magic);
	s += strlen(magic);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strncmp(s, keys[i], strlen(keys[i])))
			return bad(at, s - line, s, "\"%s\"", keys[i]);
		values[i] = s + strlen(keys[i]);
		s = values[i] + strcspn(values[i], " ");
		if (*s)
			*s++ = '\0';
	}
	if (*s)
		return bad(at, s - line, s, "the end of the line");

	ret = parse_name(at, values[0] - line, "the proxy", values[0],
			 head->proxy);
	if (ret)
		return ret;
	errno = 0;
	head->schema = strtoull(values[1], &end, 16);
	if (strspn(values[1], "0123456789abcdef") != 16 || *end)
		return bad(at, values[1] - line, values[1],
			   "16 lower-case hexadecimal digits");
	head->nr_actions = split(values[2], fields, ARRAY_SIZE(fields));
	if (head->nr_actions < 2 || head->nr_actions > ML_MAX_ACTIONS)
		return bad(at, values[2] - line, values[2],
			   "2 to %d names of actions", ML_MAX_ACTIONS);
	for (i = 0; i < head->nr_actions; i++) {
		ret = parse_name(at, fields[i] - line, "an action", fields[i],
				 head->actions[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int parse_second_line(const struct place *at, char *line,
			     struct csv_head *head)
{
	char *fields[NR_FIXED + ML_MAX_FEATURES];
	unsigned int nr = split(line, fields, ARRAY_SIZE(fields)), i, j;
	int ret;

	for (i = 0; i < NR_FIXED; i++) {
		const char *got = i < nr ? fields[i] : "";

		if (strcmp(got, fixed_names[i]))
			return bad(at, i, got, "\"%s\"", fixed_names[i]);
	}
	if (nr <= NR_FIXED || nr > ARRAY_SIZE(fields))
		return bad(at, nr <= NR_FIXED ? NR_FIXED : ARRAY_SIZE(fields),
			   "", "1 to %d features, not %u", ML_MAX_FEATURES,
			   nr - NR_FIXED);
	head->nr_features = nr - NR_FIXED;
	for (i = 0; i < head->nr_features; i++) {
		ret = parse_name(at, NR_FIXED + i, "a feature",
				 fields[NR_FIXED + i], head->features[i]);
		if (ret)
			return ret;
		for (j = 0; j < i; j++)
			if (!strcmp(head->features[j], head->features[i]))
				return bad(
					at, NR_FIXED + i, head->features[i],
					"a feature's name that is not in column %u already",
					NR_FIXED + j + 1);
	}
	return 0;
}

static int parse_row(const struct place *at, char *line,
		     const struct csv_head *head, struct csv_row *row,
		     int32_t *features)
{
	const unsigned int nr_columns = NR_FIXED + head->nr_features;
	const uint64_t limits[COL_REWARD] = {
		[COL_ID] = UINT64_MAX,
		[COL_TIME] = UINT64_MAX,
		[COL_CONTEXT] = UINT64_MAX,
		[COL_MODEL] = UINT32_MAX,
		[COL_MODE] = ML_NR_MODES - 1,
		[COL_ARM] = ML_NR_ARMS - 1,
		[COL_BACKEND] = ML_NR_BACKENDS - 1,
		[COL_ACTION] = head->nr_actions - 1,
		[COL_FLAGS] = UINT8_MAX,
	};
	char *fields[NR_FIXED + ML_MAX_FEATURES];
	uint64_t values[COL_REWARD], units = 0;
	unsigned int nr, i;

	nr = split(line, fields, ARRAY_SIZE(fields));
	if (nr != nr_columns)
		return bad(at, nr < nr_columns ? nr : nr_columns,
			   nr < nr_columns ? "" : fields[nr_columns - 1],
			   "%u columns, not %u", nr_columns, nr);
	for (i = 0; i < COL_REWARD; i++)
		if (!parse_u64(fields[i], &values[i]) || values[i] > limits[i])
			return bad(at, i, fields[i],
				   "%s, an integer from 0 to %" PRIu64,
				   fixed_names[i], limits[i]);
	*row = (struct csv_row){
		.id = values[COL_ID],
		.time_ns = values[COL_TIME],
		.context = values[COL_CONTEXT],
		.model = values[COL_MODEL],
		.mode = values[COL_MODE],
		.arm = values[COL_ARM],
		.backend = values[COL_BACKEND],
		.action = values[COL_ACTION],
		.flags = values[COL_FLAGS],
		.has_reward = *fields[COL_REWARD],
	};
	if (row->has_reward &&
	    (!parse_s32(fields[COL_REWARD], &row->reward) ||
	     row->reward > ML_REWARD_LIMIT || row->reward < -ML_REWARD_LIMIT))
		return bad(at, COL_REWARD, fields[COL_REWARD],
			   "reward, empty or an integer from -%d to %d",
			   ML_REWARD_LIMIT, ML_REWARD_LIMIT);
	if (row->has_reward ? !parse_u64(fields[COL_UNITS], &units) || !units ||
				      units > ML_UNITS_MAX :
			      *fields[COL_UNITS])
		return bad(
			at, COL_UNITS, fields[COL_UNITS],
			"units, an integer from 1 to %d, empty without reward",
			ML_UNITS_MAX);
	row->units = units;
	for (i = 0; i < head->nr_features; i++)
		if (!parse_s32(fields[NR_FIXED + i], &features[i]))
			return bad(at, NR_FIXED + i, fields[NR_FIXED + i],
				   "%s, an integer from %d to %d",
				   head->features[i], INT32_MIN, INT32_MAX);
	return 0;
}

static bool grow(struct csv *csv)
{
	size_t room = csv->room ? 2 * csv->room : 1024;
	struct csv_row *rows;
	int32_t *features;

	if (csv->nr_rows < csv->room)
		return true;
	rows = reallocarray(csv->rows, room, sizeof(*rows));
	if (!rows)
		return false;
	csv->rows = rows;
	features = reallocarray(csv->features, room,
				csv->head.nr_features * sizeof(*features));
	if (!features)
		return false;
	csv->features = features;
	csv->room = room;
	return true;
}

/* A further file must tell of the same thing. */
static int check_same(const struct place *at, const struct csv_head *first,
		      const struct csv_head *head)
{
	unsigned int i;

	if (strcmp(head->proxy, first->proxy))
		return bad(at, 0, head->proxy, "proxy %s as in the file before",
			   first->proxy);
	if (head->schema != first->schema)
		return bad(at, 0, head->proxy,
			   "schema %016" PRIx64
			   " as in the file before, not %016" PRIx64,
			   first->schema, head->schema);
	for (i = 0; i < ML_MAX_ACTIONS; i++)
		if (strcmp(head->actions[i], first->actions[i]))
			return bad(at, 0, head->actions[i],
				   "action %u \"%s\" as in the file before", i,
				   first->actions[i]);
	for (i = 0; i < ML_MAX_FEATURES; i++)
		if (strcmp(head->features[i], first->features[i]))
			return bad(at, NR_FIXED + i, head->features[i],
				   "feature \"%s\" as in the file before",
				   first->features[i]);
	return 0;
}

static int parse_line(const struct place *at, char *line, struct csv_head *head,
		      struct csv *csv)
{
	bool first_file = !csv->head.nr_features;
	int ret;

	if (at->line == 1)
		return parse_first_line(at, line, head);
	if (at->line == 2) {
		ret = parse_second_line(at, line, head);
		if (!ret && !first_file)
			return check_same(at, &csv->head, head);
		if (!ret)
			csv->head = *head;
		return ret;
	}
	if (!grow(csv)) {
		snprintf(at->error, CSV_ERROR_LEN,
			 "%s:%lu: out of memory after %zu rows", at->path,
			 at->line, csv->nr_rows);
		return EX_OSERR;
	}
	ret = parse_row(at, line, head, &csv->rows[csv->nr_rows],
			csv->features + csv->nr_rows * head->nr_features);
	if (!ret)
		csv->rows[csv->nr_rows++].file = csv->nr_files;
	return ret;
}

int csv_read(struct csv *csv, const char *path, char error[CSV_ERROR_LEN])
{
	struct place at = { .path = path, .error = error };
	struct csv_head head = {};
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int ret = 0;

	if (!f) {
		snprintf(error, CSV_ERROR_LEN, "%s: %s", path, strerror(errno));
		return EX_NOINPUT;
	}
	errno = 0;
	while (!ret && (len = getline(&line, &room, f)) > 0) {
		at.line++;
		if (line[len - 1] != '\n')
			ret = bad(
				&at, len, "",
				"a newline: the file ends in the middle of a line");
		else if (strlen(line) != (size_t)len)
			ret = bad(&at, strlen(line), line,
				  "text without NUL bytes");
		else {
			line[len - 1] = '\0';
			ret = parse_line(&at, line, &head, csv);
		}
	}
	if (!ret && (ferror(f) || errno == ENOMEM)) {
		snprintf(error, CSV_ERROR_LEN, "%s: %s", path, strerror(errno));
		ret = EX_NOINPUT;
	} else if (!ret && at.line < 2) {
		at.line++;
		ret = bad(&at, 0, "",
			  at.line == 1 ? "\"# mlctl record %d ...\"" :
					 "a line with the names of the columns",
			  CSV_VERSION);
	}
	csv->nr_files++;
	free(line);
	fclose(f);
	return ret;
}

double csv_weight(const struct csv *csv, const struct csv_row *row)
{
	double units = row->units ? row->units : 1;

	return csv->scales ? units * csv->scales[row->file] : units;
}

bool csv_balance(struct csv *csv, const float *labels)
{
	double *sums = calloc(csv->nr_files + 1, sizeof(*sums)), all = 0;
	uint32_t nr = 0, file;
	size_t i;

	if (!sums)
		return false;
	for (i = 0; i < csv->nr_rows; i++)
		if (!isnan(labels[i]))
			sums[csv->rows[i].file] +=
				csv_weight(csv, &csv->rows[i]);
	for (file = 0; file < csv->nr_files; file++) {
		nr += sums[file] > 0;
		all += sums[file];
	}
	for (file = 0; file < csv->nr_files; file++)
		sums[file] = sums[file] > 0 ? all / nr / sums[file] : 1;
	free(csv->scales);
	csv->scales = sums;
	return true;
}

void csv_free(struct csv *csv)
{
	free(csv->rows);
	free(csv->features);
	free(csv->scales);
	memset(csv, 0, sizeof(*csv));
}

void csv_write_head(FILE *f, const struct csv_head *head)
{
	unsigned int i;

	fprintf(f, "# mlctl record %d proxy=%s schema=%016" PRIx64 " actions=",
		CSV_VERSION, head->proxy, head->schema);
	for (i = 0; i < head->nr_actions; i++)
		fprintf(f, "%s%s", i ? "," : "", head->actions[i]);
	fputc('\n', f);
	for (i = 0; i < NR_FIXED; i++)
		fprintf(f, "%s%s", i ? "," : "", fixed_names[i]);
	for (i = 0; i < head->nr_features; i++)
		fprintf(f, ",%s", head->features[i]);
	fputc('\n', f);
}

void csv_write_row(FILE *f, const struct csv_row *row, const int32_t *features,
		   unsigned int nr_features)
{
	unsigned int i;

	fprintf(f, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%u,%u,%u,%u,%u,",
		row->id, row->time_ns, row->context, row->model, row->mode,
		row->arm, row->backend, row->action, row->flags);
	if (row->has_reward)
		fprintf(f, "%d,%u", row->reward, row->units);
	else
		fputc(',', f);
	for (i = 0; i < nr_features; i++)
		fprintf(f, ",%d", features[i]);
	fputc('\n', f);
}
