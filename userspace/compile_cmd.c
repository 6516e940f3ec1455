// SPDX-License-Identifier: GPL-2.0-only
/* compile_cmd.c - mlctl compile: a model to a tree table for the kernel */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <linux/ml_trees.h>

#include "compile.h"
#include "mlctl.h"

static const char *output, *name;

static const struct option_spec specs[] = {
	{ "output", "TABLE", "where to write the table", &output,
	  .type = OPT_TEXT, .letter = 'o' },
	{ "name", "NAME",
	  "in the table, for people; default: the name of the model's file",
	  &name, .type = OPT_TEXT },
};

static const struct usage usage = {
	.name = "compile",
	.args = "MODEL.json -o TABLE.mltree",
	.about =
		"Make a table of integer trees, which the kernel evaluates, of a model that\n"
		"XGBoost 1.0 to 1.7 has written. What a table cannot hold is refused.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = 1,
};

/* All of the file or none of it */
static int write_file(const char *path, const void *data, size_t size)
{
	char temporary[4096];
	FILE *f;
	int ret;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >=
	    (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	f = fopen(temporary, "wb");
	if (!f)
		return -1;
	ret = fwrite(data, size, 1, f) != 1;
	ret |= fclose(f);
	if (!ret)
		ret = rename(temporary, path);
	if (ret) {
		int saved = errno;

		unlink(temporary);
		errno = saved;
	}
	return ret ? -1 : 0;
}

static unsigned int steps_of(const struct ml_trees_header *h)
{
	size_t base_size = (h->nr_groups + 1) / 2 * 2 * sizeof(int32_t);
	const struct ml_trees_run *run =
		(const void *)((const char *)(h + 1) + base_size);
	unsigned int i, steps = 0;

	for (i = 0; i < h->nr_runs; i++)
		steps += run[i].nr_trees * run[i].depth;
	return steps;
}

static int show_json(const struct compiled *c, const char *path)
{
	const struct ml_trees_header *h = c->table;
	char schema[17];

	snprintf(schema, sizeof(schema), "%016llx",
		 (unsigned long long)h->schema);
	return print_json(json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f}",
		"table", path, "name", h->name, "objective", c->objective,
		"schema", schema, "bytes", (json_int_t)c->size, "trees",
		(int)h->nr_trees, "steps", (int)steps_of(h), "groups",
		(int)h->nr_groups, "features", (int)h->nr_features, "actions",
		(int)h->nr_actions, "fraction_bits", (int)h->fraction,
		"nodes_left_out", (int)c->folded, "error_bound", c->bound));
}

static int show_text(const struct compiled *c, const char *path)
{
	const struct ml_trees_header *h = c->table;

	printf("%s: %s, %u trees, %u steps, %u features, %u actions, %zu bytes\n",
	       path, c->objective, h->nr_trees, steps_of(h), h->nr_features,
	       h->nr_actions, c->size);
	printf("margins in units of 2^-%u, within %.2g of XGBoost's\n",
	       h->fraction, c->bound);
	if (c->folded)
		printf("%u nodes left out: they send every integer one way\n",
		       c->folded);
	return finish_output();
}

int cmd_compile(int argc, char **argv)
{
	struct compiled compiled;
	const char *path;
	char why[256];
	int ret;

	if (parse_options(&usage, argc, argv, &ret) < 0)
		return ret;
	path = argv[optind];
	if (!output)
		return fail(EX_USAGE,
			    "compile: -o is missing: where does the table go?");
	if (access(path, R_OK))
		return fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
	if (compile_file(path, name, &compiled, why, sizeof(why)))
		return fail(EX_DATAERR, "%s: %s", path, why);
	if (write_file(output, compiled.table, compiled.size))
		ret = fail(EX_CANTCREAT, "%s: %s", output, strerror(errno));
	else if (json_output)
		ret = show_json(&compiled, output);
	else
		ret = show_text(&compiled, output);
	compile_free(&compiled);
	return ret;
}
