// SPDX-License-Identifier: GPL-2.0-only
/* load.c - mlctl load, mlctl unload: the tree table of a proxy */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mlctl.h"
#include "trees.h"

static bool use;

static const struct option_spec load_specs[] = {
	{ "use", NULL, "and make it the backend (mlctl mode --backend trees)",
	  &use, .type = OPT_FLAG, .letter = 'u' },
};

static const struct usage load_usage = {
	.name = "load",
	.args = "PROXY FILE.mltree",
	.about =
		"Give a proxy a tree table, which mlctl compile has made. The kernel verifies\n"
		"it; one that was loaded before is replaced without a gap.\n",
	.options = load_specs,
	.nr_options = ARRAY_SIZE(load_specs),
	.min_args = 2,
	.max_args = 2,
};

static const struct usage unload_usage = {
	.name = "unload",
	.args = "PROXY",
	.about =
		"Take the tree table of a proxy away. With the backend trees the mode becomes\n"
		"emergency: the stock action decides.\n",
	.min_args = 1,
	.max_args = 1,
};

static int load(struct libml *ml, const char *proxy, const char *path)
{
	const struct ml_control backend = {
		.mask = ML_CONTROL_BACKEND,
		.backend = ML_BACKEND_TREES,
	};
	struct ml_load answer;
	void *table;
	size_t size;
	int ret;

	ret = libml_read_file(path, &table, &size);
	if (ret)
		return fail(EX_NOINPUT, "%s: %s", path,
			    ret == -ENODATA ?
				    "expected a tree table, got an empty file" :
				    strerror(-ret));
	ret = libml_load(ml, table, size, &answer);
	free(table);
	if (ret == -EINVAL)
		return fail(EX_DATAERR,
			    "%s: %s refuses the table: %s at byte %llu", path,
			    proxy, ml_trees_fault_name(answer.fault),
			    answer.fault_offset);
	if (ret)
		return fail_proxy(proxy, "load", ret);
	if (use) {
		ret = libml_control(ml, &backend);
		if (ret)
			return fail_proxy(proxy, "backend trees", ret);
	}
	if (json_output)
		return print_json(json_pack(
			"{s:s, s:s, s:i, s:i}", "proxy", proxy, "table", path,
			"bytes", (int)size, "model", (int)answer.model));
	printf("%s: %s loaded, %zu bytes, model %u\n", proxy, path, size,
	       answer.model);
	return finish_output();
}

int cmd_load(int argc, char **argv)
{
	struct libml *ml;
	int ret;

	if (parse_options(&load_usage, argc, argv, &ret) < 0)
		return ret;
	ret = open_proxy(&ml, argv[optind], true);
	if (ret)
		return ret;
	ret = load(ml, argv[optind], argv[optind + 1]);
	libml_close(ml);
	return ret;
}

int cmd_unload(int argc, char **argv)
{
	struct libml *ml;
	int ret;

	if (parse_options(&unload_usage, argc, argv, &ret) < 0)
		return ret;
	ret = open_proxy(&ml, argv[optind], true);
	if (ret)
		return ret;
	ret = libml_unload(ml);
	libml_close(ml);
	if (ret == -ENOENT)
		return fail(EX_UNAVAILABLE, "%s: no table is loaded",
			    argv[optind]);
	return ret ? fail_proxy(argv[optind], "unload", ret) : 0;
}
