// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlreport - report.md and plots from a results.csv
 *
 *	mlreport [-o DIR] results.csv
 *
 * The output depends on the rows of the CSV alone, not on their order, the
 * time, the place or the locale.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "csv.h"
#include "model.h"
#include "plots.h"
#include "tables.h"

static const char help[] =
	"usage: mlreport [-o DIR] results.csv\n"
	"\n"
	"Write report.md and plots/*.svg from a results.csv (format: results/README.md).\n"
	"\n"
	"  -o DIR, --output DIR  existing directory to write to; default: the CSV's own\n"
	"  -h, --help            this text\n"
	"\n"
	"Exit code: 0; 64 usage; 65 wrong data in the CSV; 66 CSV cannot be read;\n"
	"69 gnuplot not found; 70 gnuplot failed; 73 output cannot be written.\n";

static int write_report(const struct model *m, bool cut, const char *dir,
			struct fault *fault)
{
	char path[4096];
	FILE *f;
	int bad;

	if (snprintf(path, sizeof(path), "%s/report.md", dir) >=
	    (int)sizeof(path))
		return fault_set(fault, EX_CANTCREAT, "%s: name too long", dir);
	f = fopen(path, "w");
	if (!f)
		return fault_set(fault, EX_CANTCREAT, "%s: %s", path,
				 strerror(errno));
	report_write(f, m, cut);
	/* A full disk may show only when the last bytes are flushed. */
	bad = ferror(f);
	if (fclose(f) || bad)
		return fault_set(fault, EX_CANTCREAT, "%s: %s", path,
				 errno ? strerror(errno) : "write error");
	return 0;
}

static int run(const char *csv_path, const char *dir, struct fault *fault)
{
	struct csv csv;
	struct model m;
	int ret;

	ret = csv_read(&csv, csv_path, fault);
	if (ret)
		return ret;
	ret = model_build(&m, &csv, csv_path, fault);
	if (!ret) {
		ret = write_report(&m, csv.cut, dir, fault);
		if (!ret)
			ret = plots_draw(&m, dir, fault);
		model_free(&m);
	}
	csv_free(&csv);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	struct fault fault = { "" };
	char *copy;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (opt) {
		case 'o':
			dir = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return EX_USAGE; /* getopt has said why */
		}
	}
	if (argc - optind != 1) {
		fputs("mlreport: expected one results.csv (see --help)\n",
		      stderr);
		return EX_USAGE;
	}

	copy = strdup(argv[optind]);
	if (!copy)
		return EX_OSERR;
	ret = run(argv[optind], dir ? dir : dirname(copy), &fault);
	if (ret)
		fprintf(stderr, "mlreport: %s\n", fault.text);
	free(copy);
	return ret;
}
