// SPDX-License-Identifier: GPL-2.0-only
/* plots.c - write gnuplot's input, run gnuplot */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "format.h"
#include "plots.h"

/* Okabe and Ito, Color Universal Design (2008): told apart by everyone. */
#define COLOUR_BEST "#0072b2" /* blue */
#define COLOUR_STOCK "#e69f00" /* orange */
#define COLOUR_INK "#222222"

#define WIDTH 900
#define PANEL_COLUMNS 3
#define PANEL_ROWS 4
#define PANELS (PANEL_COLUMNS * PANEL_ROWS)
#define PANEL_HEIGHT 270
#define MAX_QUANTILES 64

/* Ratios further apart than this are drawn on a logarithmic axis. */
#define LOG_FROM 3.0

/* Ratios beyond these are drawn at the end: an axis must end somewhere. */
#define MIN_DRAWN 1e-6
#define MAX_DRAWN 1e6

/* gnuplot was not found: the shell's exit code for the same. */
#define EXIT_NO_PROGRAM 127

/*
 * The background is set, or dark text would be drawn on GitHub's dark page.
 * A generic font name: the viewer has a sans-serif, whatever it is.
 */
static void terminal(FILE *f, const char *name, size_t height)
{
	fprintf(f,
		"reset\n"
		"set terminal svg size %d,%zu fixed noenhanced font 'sans-serif,13' background '#ffffff'\n"
		"set output '%s'\n"
		"set border 3 linecolor rgb '" COLOUR_INK
		"'\nset tics nomirror out\n",
		WIDTH, height, name);
}

/**
 * plots_has_bars - does the consumer get a bar chart?
 * @s: suite
 *
 * Return: true when a task has a best static policy or a stock2 figure.
 */
bool plots_has_bars(const struct suite *s)
{
	size_t i;

	for (i = 0; i < s->nr_tasks; i++)
		if (s->tasks[i].best >= 0 ||
		    (s->stock2 >= 0 &&
		     s->tasks[i].cells[s->stock2].state == RATIO_OK))
			return true;
	return false;
}

static const struct cell *bar_cell(const struct suite *s, const struct task *t,
				   bool best)
{
	int p = best ? t->best : s->stock2;

	if (p < 0 || t->cells[p].state != RATIO_OK)
		return NULL;
	return &t->cells[p];
}

static double drawn(double ratio)
{
	return fmax(MIN_DRAWN, fmin(ratio, MAX_DRAWN));
}

struct range {
	double min;
	double max;
};

static struct range bar_range(const struct suite *s)
{
	struct range r = { 1, 1 };
	size_t i;
	int best;

	for (i = 0; i < s->nr_tasks; i++) {
		for (best = 0; best < 2; best++) {
			const struct cell *c = bar_cell(s, &s->tasks[i], best);

			if (!c)
				continue;
			/*
			 * Two seeds can give an interval of any width: the
			 * axis follows the bars, an error bar may leave it.
			 */
			r.min = fmin(r.min, drawn(fmax(c->ratio.lo,
						       c->ratio.mid / 2)));
			r.max = fmax(r.max, drawn(fmin(c->ratio.hi,
						       c->ratio.mid * 2)));
		}
	}
	return r;
}

/* Round tics of a ratio axis; fewer when it spans many decades. */
static void log_tics(FILE *f, const struct range *r)
{
	static const double steps[] = { 1, 2, 5, 1.5, 3, 7 };
	double span = r->max / r->min;
	size_t nr = span > 1e4 ? 1 : span > 100 ? 3 : 6, i;
	double ten = pow(10, floor(log10(r->min)));
	const char *comma = "";

	fputs("set xtics (", f);
	for (; ten <= r->max; ten *= 10)
		for (i = 0; i < nr; i++) {
			double x = ten * steps[i];

			if (x < r->min || x > r->max)
				continue;
			fprintf(f, "%s'%.10g' %.10g", comma, x, x);
			comma = ", ";
		}
	fputs(")\n", f);
}

/* The end of the axis leaves room for the labels right of the bars. */
static void bar_axis(FILE *f, struct range r)
{
	if (r.max / r.min > LOG_FROM) {
		r.min /= 1.15;
		r.max *= pow(r.max / r.min, 0.45);
		fprintf(f, "set logscale x\nset xrange [%.6g:%.6g]\n", r.min,
			r.max);
		log_tics(f, &r);
		return;
	}
	/* Differences below 2 % are not blown up to the whole width. */
	r.min = fmin(r.min, 0.99);
	r.max = fmax(r.max, 1.01);
	fprintf(f, "set xrange [%.6g:%.6g]\n", r.min - (r.max - r.min) * 0.1,
		r.max + (r.max - r.min) * 0.45);
}

/* Return: false when there is no bar of this kind, and no data block. */
static bool bar_data(FILE *f, const struct suite *s, bool best)
{
	bool any = false;
	size_t i;

	for (i = 0; i < s->nr_tasks; i++) {
		const struct task *t = &s->tasks[i];
		const struct cell *c = bar_cell(s, t, best);
		double y = i + (best ? -0.18 : 0.18);

		if (!c)
			continue;
		if (!any)
			fprintf(f, "$%s << EOD\n", best ? "best" : "noise");
		any = true;
		/* The last number is where the label starts: on the axis. */
		fprintf(f, "%.6g %.2f %.6g %.6g %.6g ", drawn(c->ratio.mid), y,
			drawn(c->ratio.lo), drawn(c->ratio.hi),
			fmax(1, drawn(fmin(c->ratio.hi, 2 * c->ratio.mid))));
		if (best)
			fprintf(f, "\"%s  %s\"\n", fmt_ratio(c->ratio.mid),
				s->policies[t->best].name + strlen("static-"));
		else
			fputs("\"\"\n", f);
	}
	if (any)
		fputs("EOD\n", f);
	return any;
}

/* One kind of bars: boxes, error bars, labels (empty ones for stock2). */
static void bar_plot(FILE *f, const char *block, const char *colour,
		     const char *title)
{
	fprintf(f,
		" $%s using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '%s' title '%s', \\\n",
		block, colour, title);
	fprintf(f,
		" $%s using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '" COLOUR_INK
		"', \\\n",
		block);
	fprintf(f,
		" $%s using 5:2:6 with labels left offset 0.7,0 textcolor rgb '" COLOUR_INK
		"'",
		block);
}

static void bars(FILE *f, const struct suite *s)
{
	size_t i, height = 110 + 34 * s->nr_tasks;
	const char *consumer = consumer_names[s->consumer];
	bool best, noise;
	char name[64];

	snprintf(name, sizeof(name), "%s-ratio.svg", consumer);
	terminal(f, name, height);
	fprintf(f, "set title '%s: ratio to stock (right of 1 is better)'\n",
		consumer);
	bar_axis(f, bar_range(s));
	fprintf(f, "set yrange [%zu.5:-0.5]\nset ytics scale 0 (",
		s->nr_tasks - 1);
	for (i = 0; i < s->nr_tasks; i++)
		fprintf(f, "%s'%s%s' %zu", i ? ", " : "",
			fmt_task(&s->tasks[i]),
			s->tasks[i].split == SPLIT_TEST ? " test" : "", i);
	fputs(")\nset key bottom right outside horizontal center noautotitle\n"
	      "set style fill solid 1 noborder\n"
	      "set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '" COLOUR_INK
	      "' front\n",
	      f);
	best = bar_data(f, s, true);
	noise = bar_data(f, s, false);
	/* gnuplot 5.4 crashes on labels without data: name what exists only. */
	fputs("plot", f);
	if (best)
		bar_plot(f, "best", COLOUR_BEST,
			 "best static policy of the workload");
	if (best && noise)
		fputs(", \\\n", f);
	if (noise)
		bar_plot(f, "noise", COLOUR_STOCK, "stock2 (noise)");
	fputs("\nunset output\n", f);
}

/**
 * struct panel - latency distribution of one task
 * @task: task
 * @family: metric name up to the quantile: "lat_p", "read_lat_p", ...
 * @seconds: the family's unit in seconds
 */
struct panel {
	const struct task *task;
	const char *family;
	double seconds;
};

static bool unit_seconds(const char *unit, double *seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
		{ "ns", 1e-9 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit, units[i].name)) {
			*seconds = units[i].seconds;
			return true;
		}
	return false;
}

static const struct run *first_good(const struct cell *c)
{
	size_t i;

	for (i = 0; i < c->nr_runs; i++)
		if (!c->runs[i].failed)
			return &c->runs[i];
	return NULL;
}

/* Quantiles of a family that can be drawn: below 100 %, above 0 seconds. */
static size_t count_quantiles(const struct cell *c, const char *family,
			      double *seconds)
{
	const struct run *r = first_good(c);
	size_t i, nr = 0, len = strlen(family);

	for (i = 0; r && i < r->nr_rows; i++) {
		const struct csv_row *row = &r->rows[i];

		nr += metric_is_quantile(row->metric) &&
		      !strncmp(row->metric, family, len) &&
		      strtod(row->metric + len, NULL) < 100 && row->value > 0 &&
		      unit_seconds(row->unit, seconds);
	}
	return nr;
}

/* The first family with three quantiles: two points are no curve. */
static bool find_panel(const struct suite *s, const struct task *t,
		       struct panel *panel)
{
	static const char *const families[] = {
		"lat_p",
		"read_lat_p",
		"write_lat_p",
	};
	double seconds;
	size_t i;

	if (s->stock < 0 || t->best < 0)
		return false;
	panel->task = t;
	for (i = 0; i < sizeof(families) / sizeof(*families); i++) {
		panel->family = families[i];
		if (count_quantiles(&t->cells[s->stock], families[i],
				    &panel->seconds) >= 3 &&
		    count_quantiles(&t->cells[t->best], families[i],
				    &seconds) >= 3 &&
		    /* Both from one table: equal means the same unit. */
		    !(seconds < panel->seconds) && !(seconds > panel->seconds))
			return true;
	}
	return false;
}

/**
 * plots_latency_pages - number of latency plots of a consumer
 * @s: suite
 *
 * Return: pages of up to twelve panels.
 */
size_t plots_latency_pages(const struct suite *s)
{
	struct panel panel;
	size_t i, nr = 0;

	for (i = 0; i < s->nr_tasks; i++)
		nr += find_panel(s, &s->tasks[i], &panel);
	return (nr + PANELS - 1) / PANELS;
}

struct point {
	double quantile; /* percent */
	double seconds;
};

static int cmp_point(const void *a, const void *b)
{
	double x = ((const struct point *)a)->quantile;
	double y = ((const struct point *)b)->quantile;

	return (x > y) - (x < y);
}

/*
 * Height is -log10(1 - p): 90 %, 99 % and 99.9 % are equally far apart, so
 * the tail, where policies differ, is not squeezed into the last pixel.
 */
static void curve(FILE *f, const struct panel *panel, const struct cell *c,
		  const char *block)
{
	struct point points[MAX_QUANTILES];
	const struct run *r = first_good(c);
	size_t i, nr = 0, len = strlen(panel->family);
	double mean;

	for (i = 0; r && i < r->nr_rows && nr < MAX_QUANTILES; i++) {
		const char *metric = r->rows[i].metric;

		if (!metric_is_quantile(metric) ||
		    strncmp(metric, panel->family, len) ||
		    !cell_mean(c, metric, &mean) || !(mean > 0))
			continue;
		points[nr].quantile = strtod(metric + len, NULL);
		points[nr].seconds = mean * panel->seconds;
		nr += points[nr].quantile < 100;
	}
	qsort(points, nr, sizeof(*points), cmp_point);

	fprintf(f, "$%s << EOD\n", block);
	for (i = 0; i < nr; i++)
		fprintf(f, "%.6g %.6g\n", points[i].seconds,
			-log10(1 - points[i].quantile / 100));
	fputs("EOD\n", f);
}

static void draw_panel(FILE *f, const struct suite *s, const struct panel *p)
{
	const struct task *t = p->task;
	char what[8] = "";

	/* "read", "write" or nothing, from "read_lat_p" and so on */
	if (*p->family != 'l')
		snprintf(what, sizeof(what), " %.*s",
			 (int)strcspn(p->family, "_"), p->family);
	curve(f, p, &t->cells[s->stock], "stock");
	curve(f, p, &t->cells[t->best], "best");
	fprintf(f, "set title '%s%s' offset 0,-0.5\n", fmt_task(t), what);
	fprintf(f,
		"plot $stock using 1:2 with lines linewidth 2 linecolor rgb '" COLOUR_STOCK
		"' title 'stock', \\\n"
		" $best using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb '" COLOUR_BEST
		"' title '%s'\n",
		s->policies[t->best].name + strlen("static-"));
}

static void latencies(FILE *f, const struct suite *s)
{
	struct panel panel, *panels = xcalloc(s->nr_tasks, sizeof(*panels));
	size_t i, j, nr = 0;
	char name[64];

	for (i = 0; i < s->nr_tasks; i++)
		if (find_panel(s, &s->tasks[i], &panel))
			panels[nr++] = panel;

	for (i = 0; i < nr; i += PANELS) {
		size_t on_page = nr - i < PANELS ? nr - i : PANELS;
		size_t rows = (on_page + PANEL_COLUMNS - 1) / PANEL_COLUMNS;

		snprintf(name, sizeof(name), "%s-latency-%zu.svg",
			 consumer_names[s->consumer], i / PANELS + 1);
		terminal(f, name, rows * PANEL_HEIGHT + 30);
		fprintf(f,
			"set multiplot layout %zu,%d title '%s: share of requests done within a latency'\n"
			"set logscale x\nset format x '%%.0s%%cs'\nset xtics font ',11' autofreq\n"
			"set ytics font ',11' ('0' 0, '50 %%%%' 0.30103, '90 %%%%' 1, '99 %%%%' 2, '99.9 %%%%' 3, '99.99 %%%%' 4)\n"
			"set yrange [0:*]\nset offsets 0,0,0.2,0\nset grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'\n"
			"set key bmargin center horizontal samplen 3 font ',11'\n",
			rows, PANEL_COLUMNS, consumer_names[s->consumer]);
		for (j = 0; j < on_page; j++)
			draw_panel(f, s, &panels[i + j]);
		fputs("unset multiplot\nunset output\n", f);
	}
	free(panels);
}

/**
 * plots_script - write gnuplot's input
 * @f: where to
 * @m: model
 *
 * Return: false when there is nothing to draw.
 */
bool plots_script(FILE *f, const struct model *m)
{
	bool any = false;
	int c;

	for (c = 0; c < NR_CONSUMERS; c++) {
		const struct suite *s = &m->suites[c];

		if (plots_has_bars(s)) {
			bars(f, s);
			any = true;
		}
		latencies(f, s);
	}
	return any;
}

/* Plots of an earlier CSV must not stay beside a report that has none. */
static void remove_old(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	char name[64];
	int c, i;

	if (fd < 0)
		return; /* none yet */
	for (c = 0; c < NR_CONSUMERS; c++) {
		snprintf(name, sizeof(name), "%s-ratio.svg", consumer_names[c]);
		unlinkat(fd, name, 0);
		for (i = 1;; i++) {
			snprintf(name, sizeof(name), "%s-latency-%d.svg",
				 consumer_names[c], i);
			if (unlinkat(fd, name, 0))
				break;
		}
	}
	close(fd);
}

static bool is_directory(const char *path)
{
	struct stat st;

	errno = ENOTDIR;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* In the child: gnuplot in @dir, its input on standard input. */
static void exec_gnuplot(const char *dir, int input)
{
	/* The locale decides how gnuplot writes numbers. */
	if (chdir(dir) || dup2(input, STDIN_FILENO) < 0 ||
	    setenv("LC_ALL", "C", 1))
		_exit(EX_OSERR);
	execlp("gnuplot", "gnuplot", "-d", (char *)NULL);
	_exit(errno == ENOENT ? EXIT_NO_PROGRAM : EX_OSERR);
}

static int run_gnuplot(const char *script, size_t len, const char *dir)
{
	int fds[2], status;
	size_t done = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return EX_OSERR;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return EX_OSERR;
	if (!pid)
		exec_gnuplot(dir, fds[0]);
	close(fds[0]);
	/* A gnuplot that is not there leaves a pipe without reader. */
	signal(SIGPIPE, SIG_IGN);
	while (done < len) {
		ssize_t n = write(fds[1], script + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += n;
	}
	close(fds[1]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

/**
 * plots_draw - write all plots
 * @m: model
 * @dir: directory of report.md; the plots go to its plots/
 * @fault: message when the result is not 0
 *
 * Return: 0, EX_CANTCREAT (cannot write), EX_UNAVAILABLE (no gnuplot) or
 * EX_SOFTWARE (gnuplot failed; it has said why).
 */
int plots_draw(const struct model *m, const char *dir, struct fault *fault)
{
	char path[4096], *script;
	size_t len;
	FILE *f;
	bool any;
	int ret;

	if (snprintf(path, sizeof(path), "%s/plots", dir) >=
	    (int)sizeof(path) - 64)
		return fault_set(fault, EX_CANTCREAT, "%s: name too long", dir);
	f = open_memstream(&script, &len);
	if (!f)
		return fault_set(fault, EX_OSERR, "out of memory");
	any = plots_script(f, m);
	fclose(f);

	remove_old(path);
	if (!any) {
		free(script);
		return 0;
	}
	if ((mkdir(path, 0777) && errno != EEXIST) ||
	    access(path, W_OK | X_OK) || !is_directory(path)) {
		free(script);
		return fault_set(fault, EX_CANTCREAT, "%s: %s", path,
				 strerror(errno));
	}
	ret = run_gnuplot(script, len, path);
	free(script);
	if (ret == EXIT_NO_PROGRAM)
		return fault_set(
			fault, EX_UNAVAILABLE,
			"gnuplot not found: report.md is written, its plots are not (Debian package gnuplot-nox)");
	if (ret)
		return fault_set(fault, EX_SOFTWARE,
				 "gnuplot failed with code %d in %s", ret,
				 path);
	return 0;
}
