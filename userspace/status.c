// SPDX-License-Identifier: GPL-2.0-only
/* status.c - mlctl status: what the proxies do */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "mlctl.h"

#define MAX_PROXIES 64

static double period = 1;
static bool watch;

static const struct option_spec specs[] = {
	{ "watch", "SECONDS",
	  "again and again, with rates; default: every second", &period,
	  .type = OPT_REAL, .min = 0.01, .max = 86400, .letter = 'w',
	  .given = &watch, .value_optional = true },
};

static const struct usage usage = {
	.name = "status",
	.args = "[PROXY...]",
	.about =
		"Tell of every proxy, or of those named: its mode and why, where the model's\n"
		"actions come from, decisions and rewards of the control and the treatment arm,\n"
		"the evidence for and against the model, and what was lost. With -j and -w: one\n"
		"JSON object a line for each view.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.max_args = MAX_PROXIES,
};

struct view {
	const char *name; /* as the user or the directory has it */
	struct libml *ml;
	struct ml_stats now;
	struct ml_stats before; /* of the view before; time_ns 0: none */
};

static double mean_reward(const struct ml_stats *s, int arm)
{
	return s->units[arm] ? (double)s->reward_sum[arm] / s->units[arm] : 0;
}

/* Of a counter, in a second; 0 in the first view */
static double rate(const struct view *v, uint64_t now, uint64_t before)
{
	return v->before.time_ns && v->now.time_ns > v->before.time_ns ?
		       (now - before) * 1e9 /
			       (v->now.time_ns - v->before.time_ns) :
		       0;
}

static void print_arm(const struct view *v, int arm)
{
	const struct ml_stats *s = &v->now;

	printf("  %-11s %12" PRIu64 " decisions %12" PRIu64
	       " outcomes  mean reward ",
	       arm_names[arm], (uint64_t)s->decisions[arm],
	       (uint64_t)s->outcomes[arm]);
	if (s->outcomes[arm])
		printf("%.4f", mean_reward(s, arm));
	else
		printf("-");
	if (v->before.time_ns)
		printf("  %.0f decisions/s",
		       rate(v, s->decisions[arm], v->before.decisions[arm]));
	putchar('\n');
}

static void print_view(const struct view *v)
{
	const struct ml_describe *about = &libml_info(v->ml)->about;
	const struct ml_stats *s = &v->now;
	int arm;

	printf("%s: %s (%s) for %.1f s, backend %s, model %u%s%s%s\n", v->name,
	       mode_name(s->mode), reason_name(s->reason),
	       (s->time_ns - s->mode_since_ns) / 1e9, backend_name(s->backend),
	       s->model, s->flags & ML_STATS_STARTED ? "" : ", stopped",
	       s->flags & ML_STATS_ATTACHED ? ", agent attached" : "",
	       s->flags & ML_STATS_TABLE ? ", table loaded" : "");
	if (s->cap != ML_MODE_RECOMMENDATION)
		printf("  capped at %s\n", mode_name(s->cap));
	if (s->pin >= 0)
		printf("  pinned to %s\n", mode_name(s->pin));
	if (s->hold_until_ns > s->time_ns)
		printf("  held for another %.1f s\n",
		       (s->hold_until_ns - s->time_ns) / 1e9);
	for (arm = 0; arm < ML_NR_ARMS; arm++)
		print_arm(v, arm);
	printf("  this trial: gain %.4f %s in %" PRIu64
	       " batches, evidence of benefit %.2f, of harm %.2f of %.2f bits\n",
	       s->gain_x256 / 256., about->reward_unit,
	       (uint64_t)s->trial_batches, s->benefit_mbits / 1e3,
	       s->harm_mbits / 1e3, s->evidence_mbits / 1e3);
	printf("  promotions %" PRIu64 ", demotions %" PRIu64
	       ", emergencies %" PRIu64 "\n",
	       (uint64_t)s->promotions, (uint64_t)s->demotions,
	       (uint64_t)s->emergencies);
	printf("  unanswered %" PRIu64 ", invalid actions %" PRIu64
	       ", hints %" PRIu64 ", invalid hints %" PRIu64
	       ", clipped rewards %" PRIu64 "\n",
	       (uint64_t)s->unanswered, (uint64_t)s->invalid_actions,
	       (uint64_t)s->hints, (uint64_t)s->hints_invalid,
	       (uint64_t)s->clipped_rewards);
	printf("  records: %" PRIu64 " samples, %" PRIu64
	       " outcomes; lost %" PRIu64 ", %" PRIu64 "; 1 in %lu decisions\n",
	       (uint64_t)s->samples, (uint64_t)s->records_outcome,
	       (uint64_t)s->samples_lost, (uint64_t)s->outcomes_lost,
	       1UL << (s->sample_shift & 31));
}

static json_t *arm_json(const struct view *v, int arm)
{
	const struct ml_stats *s = &v->now;

	return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "decisions",
			 (json_int_t)s->decisions[arm], "outcomes",
			 (json_int_t)s->outcomes[arm], "units",
			 (json_int_t)s->units[arm], "reward_sum",
			 (json_int_t)s->reward_sum[arm], "mean_reward",
			 mean_reward(s, arm), "decisions_per_second",
			 rate(v, s->decisions[arm], v->before.decisions[arm]));
}

static json_t *view_json(const struct view *v)
{
	const struct ml_describe *about = &libml_info(v->ml)->about;
	const struct ml_stats *s = &v->now;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "time_ns", s->time_ns },
		{ "mode_since_ns", s->mode_since_ns },
		{ "hold_until_ns", s->hold_until_ns },
		{ "model", s->model },
		{ "sample_shift", s->sample_shift },
		{ "promotions", s->promotions },
		{ "demotions", s->demotions },
		{ "emergencies", s->emergencies },
		{ "unanswered", s->unanswered },
		{ "invalid_actions", s->invalid_actions },
		{ "clipped_rewards", s->clipped_rewards },
		{ "samples", s->samples },
		{ "records_outcome", s->records_outcome },
		{ "samples_lost", s->samples_lost },
		{ "outcomes_lost", s->outcomes_lost },
		{ "hints", s->hints },
		{ "hints_invalid", s->hints_invalid },
		{ "table_bytes", s->table_bytes },
		{ "trial_batches", s->trial_batches },
	};
	json_t *root;
	size_t i;
	int arm;

	root = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:f, s:f, s:f, s:f, s:f}",
		"proxy", v->name, "mode", mode_name(s->mode), "reason",
		reason_name(s->reason), "backend", backend_name(s->backend),
		"cap", mode_name(s->cap), "pin",
		s->pin < 0 ? "none" : mode_name(s->pin), "started",
		!!(s->flags & ML_STATS_STARTED), "attached",
		!!(s->flags & ML_STATS_ATTACHED), "table",
		!!(s->flags & ML_STATS_TABLE), "reward_unit",
		about->reward_unit, "gain", s->gain_x256 / 256., "noise",
		s->noise_x256 / 256., "benefit_bits", s->benefit_mbits / 1e3,
		"harm_bits", s->harm_mbits / 1e3, "evidence_bits",
		s->evidence_mbits / 1e3);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		json_object_set_new(root, counts[i].name,
				    json_integer(counts[i].value));
	for (arm = 0; arm < ML_NR_ARMS; arm++)
		json_object_set_new(root, arm_names[arm], arm_json(v, arm));
	return root;
}

static int show(struct view *views, int nr)
{
	json_t *all = json_array();
	int i, ret = 0;

	if (watch && !json_output && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	for (i = 0; i < nr && !ret; i++) {
		views[i].before = views[i].now;
		ret = libml_stats(views[i].ml, &views[i].now);
		if (ret) {
			ret = fail_proxy(views[i].name, "stats", ret);
			break;
		}
		if (json_output)
			json_array_append_new(all, view_json(&views[i]));
		else
			print_view(&views[i]);
	}
	if (json_output && !ret && watch) {
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (json_output && !ret) {
		return print_json(all);
	}
	json_decref(all);
	return ret ? ret : finish_output();
}

static int is_proxy(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* Names of all proxies; freed with the program */
static int find_proxies(char **names)
{
	struct dirent **entries;
	int nr = scandir(LIBML_DIR, &entries, is_proxy, alphasort), i;

	if (nr < 0 && errno != ENOENT)
		return -fail(errno == EACCES ? EX_NOPERM : EX_OSERR, "%s: %s",
			     LIBML_DIR, strerror(errno));
	for (i = 0; i < nr; i++) {
		if (i < MAX_PROXIES)
			names[i] = strdup(entries[i]->d_name);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return nr < 0 ? 0 : nr < MAX_PROXIES ? nr : MAX_PROXIES;
}

static int run(char **names, int nr)
{
	struct view views[MAX_PROXIES] = {};
	struct timespec pause;
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		views[i].name = names[i];
		ret = open_proxy(&views[i].ml, names[i], false);
	}
	pause.tv_sec = (time_t)period;
	pause.tv_nsec = (period - pause.tv_sec) * 1e9;
	if (!ret)
		ret = show(views, nr);
	while (watch && !ret && !nanosleep(&pause, NULL) && !stop_requested)
		ret = show(views, nr);
	for (i = 0; i < nr; i++)
		libml_close(views[i].ml);
	return ret;
}

int cmd_status(int argc, char **argv)
{
	char *found[MAX_PROXIES] = {}, *end;
	int nr, ret, i;

	nr = parse_options(&usage, argc, argv, &ret);
	if (nr < 0)
		return ret;
	catch_stop();
	/* "-w 2": getopt takes only "-w2" for a value. */
	if (watch && nr) {
		double given = strtod(argv[optind], &end);

		if (!*end && given >= specs[0].min && given <= specs[0].max) {
			period = given;
			optind++;
			nr--;
		}
	}
	if (nr)
		return run(argv + optind, nr);
	nr = find_proxies(found);
	if (nr < 0)
		return -nr;
	if (!nr)
		return fail(EX_UNAVAILABLE,
			    "%s: no proxy (is a consumer loaded?)", LIBML_DIR);
	ret = run(found, nr);
	for (i = 0; i < nr; i++)
		free(found[i]);
	return ret;
}
