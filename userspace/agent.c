// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent.c - mlctl agent: run a model for a proxy and keep learning
 *
 * One thread waits for records, hints and learns; XGBoost trains in another.
 * Whatever happens to this process, the kernel needs nothing from it: hints
 * expire, and its watchdog puts the stock action back.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "join.h"
#include "latency.h"
#include "mlctl.h"
#include "trainer.h"
#include "window.h"

#define NR_READS 2
#define READ_SIZE (256 << 10)
#define MAX_BATCH 4096 /* contexts that are predicted at a time */
#define BATCH_SLOTS (2 * MAX_BATCH) /* of the hash table, a power of two */
#define PENDING_ROWS (1 << 16)
/* A new model must predict so much better to be worth a new beginning */
#define BETTER 0.99

enum { USE_AGENT, USE_TREES };

static const char *const use_names[] = { "agent", "trees", NULL };

static struct learn_options learning = LEARN_DEFAULTS;
static const char *model_path;
static int use = USE_AGENT;
static long retrain = 20000, window_rows = 1 << 16, ttl_ms = 1000;
static double explore = 0.05;
static bool quiet, set_explore;

static const struct option_spec specs[] = {
	{ "model", "MODEL.json", "to begin with; default: learn one first",
	  &model_path, .type = OPT_TEXT, .letter = 'm' },
	{ "backend", "agent or trees",
	  "write hints, or load tables; default: agent", &use, .type = OPT_NAME,
	  .names = use_names, .letter = 'b' },
	{ "retrain", "N", "train after N rewards; 0: never; default: 20000",
	  &retrain, .type = OPT_INT, .max = 1e12 },
	{ "window", "N", "newest rows to learn from; default: 65536",
	  &window_rows, .type = OPT_INT, .min = 100, .max = 1 << 24 },
	{ "min-rows", "N", "rewards of each action to learn from; default: 50",
	  &learning.min_rows, .type = OPT_INT, .min = 2, .max = 1e9 },
	{ "explore", "SHARE",
	  "of the hints that are drawn at random; default: 0.05", &explore,
	  .type = OPT_REAL, .max = 1, .given = &set_explore },
	{ "ttl-ms", "N", "time to live of a hint; default: 1000", &ttl_ms,
	  .type = OPT_INT, .min = 1, .max = ML_HINT_TTL_MAX_US / 1000 },
	{ "trees", "N", "for each action; default: 20", &learning.trees,
	  .type = OPT_INT, .min = 1, .max = ML_TREES_MAX_TREES },
	{ "depth", "N", "of the trees; default: 4", &learning.depth,
	  .type = OPT_INT, .min = 1, .max = ML_TREES_MAX_DEPTH },
	{ "eta", "X", "learning rate; default: 0.3", &learning.eta,
	  .type = OPT_REAL, .min = 0.001, .max = 1 },
	{ "seed", "N", "default: 1", &learning.seed, .type = OPT_INT,
	  .max = INT32_MAX },
	{ "quiet", NULL, "print nothing but errors", &quiet, .type = OPT_FLAG,
	  .letter = 'q' },
};

static const struct usage usage = {
	.name = "agent",
	.args = "PROXY",
	.about =
		"Become the agent of a proxy: read decisions and outcomes, predict with XGBoost,\n"
		"write hints (or load tables), and train again from what came out. Without\n"
		"--model it begins with the backend random, and so it does once more when the\n"
		"kernel takes a mode back because the model does harm. A model that was trained\n"
		"again replaces the one before if it predicts the newest rewards better. It ends\n"
		"with SIGINT or SIGTERM; being killed is harmless. With -j: a JSON object a line.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = 1,
};

/* The newest features of each context in a buffer of records */
struct batch {
	unsigned int nr;
	unsigned int width;
	uint64_t contexts[MAX_BATCH];
	uint64_t times[MAX_BATCH]; /* of the features, CLOCK_MONOTONIC */
	struct ml_hint hints[MAX_BATCH];
	uint16_t slots[BATCH_SLOTS]; /* index + 1, 0: empty */
	int32_t *features;
};

struct agent {
	const char *proxy;
	struct libml *ml;
	struct libml_ring *ring;
	struct csv_head head;
	struct join *join;
	struct window *window;
	struct trainer *trainer;
	struct model *model; /* NULL: exploring */
	struct batch batch;
	struct ml_stats stats; /* of the last tick */
	uint32_t first_backend;
	bool stale_training; /* began before the rows were dropped */
	uint64_t new_rewards; /* since the last training */
	uint64_t told_lost;
	uint64_t random;
	unsigned int nr_models;
	struct latency round_trip; /* from a sample to its context's hint */
};

/* Tell of an event, in a line. */
static void say(const struct agent *a, const char *event, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (json_output) {
		json_t *line = json_pack("{s:s, s:s, s:s}", "proxy", a->proxy,
					 "event", event, "text", text);

		json_dumpf(line, stdout, JSON_COMPACT);
		json_decref(line);
		putchar('\n');
	} else {
		printf("%s: %s: %s\n", a->proxy, event, text);
	}
	fflush(stdout);
}

static int set_backend(struct agent *a, enum ml_backend backend)
{
	const struct ml_control control = {
		.mask = ML_CONTROL_BACKEND,
		.backend = backend,
	};
	int ret = libml_control(a->ml, &control);

	if (ret)
		return fail_proxy(a->proxy, backend_names[backend], ret);
	a->stats.backend = backend;
	return 0;
}

/*
 * Let the kernel draw actions: of what the model does not choose nothing is
 * known, least of all after the world has changed. Coming from another backend
 * also ends a hold-off.
 */
static int begin_exploring(struct agent *a)
{
	int ret;

	model_free(a->model);
	a->model = NULL;
	window_clear(a->window);
	a->stale_training = trainer_busy(a->trainer);
	ret = set_backend(a, ML_BACKEND_NONE);
	if (!ret)
		ret = set_backend(a, ML_BACKEND_RANDOM);
	if (!ret)
		say(a, "explore", "actions are drawn at random");
	return ret;
}

static int load_table(struct agent *a, const struct model *model)
{
	struct ml_load answer;
	int ret = libml_load(a->ml, model->compiled.table, model->compiled.size,
			     &answer);

	if (ret == -EINVAL)
		return fail(EX_DATAERR,
			    "%s: table refused, fault %u at byte %llu",
			    a->proxy, answer.fault, answer.fault_offset);
	return ret ? fail_proxy(a->proxy, "load", ret) : 0;
}

/* Take over @model and let it decide. */
static int use_model(struct agent *a, struct model *model)
{
	enum ml_backend backend = use == USE_TREES ? ML_BACKEND_TREES :
						     ML_BACKEND_AGENT;
	struct ml_hint hint = libml_new_model();
	int ret = 0;

	if (use == USE_TREES)
		ret = load_table(a, model);
	else if (a->stats.backend == backend &&
		 libml_write(a->ml, &hint, 1) < 0)
		ret = fail(EX_IOERR, "%s: cannot write hints", a->proxy);
	if (!ret && a->stats.backend != backend)
		ret = set_backend(a, backend);
	if (ret) {
		model_free(model);
		return ret;
	}
	model_free(a->model);
	a->model = model;
	a->nr_models++;
	return 0;
}

static int take_row(void *arg, const struct csv_row *row,
		    const int32_t *features)
{
	struct agent *a = arg;

	if (!row->has_reward)
		return 0;
	window_add(a->window, row, features);
	a->new_rewards++;
	return 0;
}

/* xorshift64: where to explore need not be unpredictable */
static double draw(struct agent *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (double)(a->random >> 11) * 0x1p-53;
}

/* Hints have just become usable: how old are the features behind them? */
static void count_round_trips(struct agent *a)
{
	struct timespec ts;
	uint64_t now;
	unsigned int i;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	for (i = 0; i < a->batch.nr; i++)
		if (now > a->batch.times[i])
			latency_add(&a->round_trip, now - a->batch.times[i], 1);
}

static int write_hints(struct agent *a)
{
	struct batch *b = &a->batch;
	const float *margins;
	char error[ERROR_LEN];
	unsigned int i;
	int ret;

	ret = booster_margins(&a->model->booster, b->features, b->nr, &margins,
			      error);
	if (ret)
		return fail(ret, "%s", error);
	for (i = 0; i < b->nr; i++) {
		unsigned int action = booster_action(
			&a->model->booster,
			margins + i * a->model->booster.nr_groups,
			a->head.nr_actions);

		if (explore && draw(a) < explore)
			action = draw(a) * a->head.nr_actions;
		b->hints[i] = (struct ml_hint){
			.context = b->contexts[i],
			.ttl_us = ttl_ms * 1000,
			.action = action,
		};
	}
	ret = libml_ring_write(a->ring, b->hints, b->nr);
	/* The writes in flight are enough: wait for this one. */
	if (ret == -EAGAIN)
		ret = libml_write(a->ml, b->hints, b->nr);
	if (ret < 0)
		return fail_proxy(a->proxy, "write", ret);
	/* The device takes hints without waiting: they are in the table. */
	count_round_trips(a);
	return 0;
}

static int flush_batch(struct agent *a)
{
	int ret = a->batch.nr ? write_hints(a) : 0;

	a->batch.nr = 0;
	memset(a->batch.slots, 0, sizeof(a->batch.slots));
	return ret;
}

static int add_to_batch(struct agent *a, const struct ml_sample *sample)
{
	struct batch *b = &a->batch;
	uint64_t hash = sample->context * 0x9e3779b97f4a7c15;
	unsigned int slot = hash >> 40 & (BATCH_SLOTS - 1), at;
	int ret;

	if (b->nr == MAX_BATCH) {
		ret = flush_batch(a);
		if (ret)
			return ret;
	}
	while (b->slots[slot] &&
	       b->contexts[b->slots[slot] - 1] != sample->context)
		slot = (slot + 1) & (BATCH_SLOTS - 1);
	if (!b->slots[slot]) {
		b->contexts[b->nr] = sample->context;
		b->slots[slot] = ++b->nr;
	}
	at = b->slots[slot] - 1;
	b->times[at] = sample->time_ns;
	memcpy(b->features + (size_t)at * b->width, sample->features,
	       b->width * sizeof(*b->features));
	return 0;
}

static int take_records(struct agent *a, const struct libml_event *event)
{
	const struct ml_record *record;
	size_t at = 0;
	int ret = 0;

	if (a->model && use == USE_AGENT) {
		while (!ret &&
		       (record = libml_next(event->data, event->len, &at))) {
			const struct ml_sample *sample = (const void *)record;

			if (record->type == ML_RECORD_SAMPLE &&
			    sample->nr_features == a->batch.width)
				ret = add_to_batch(a, sample);
		}
		if (!ret)
			ret = flush_batch(a);
	}
	return ret ? ret : join_records(a->join, event->data, event->len);
}

static bool is_worse(const struct trained *t)
{
	/* Without a comparison (NaN) the newer one is taken. */
	return t->quality.rmse > BETTER * t->rival_rmse;
}

static int take_trained(struct agent *a, struct trained *t)
{
	const struct quality *q = &t->quality;
	bool worse = a->model && is_worse(t), stale = a->stale_training;
	int ret;

	a->stale_training = false;

	if (t->code == EX_DATAERR) {
		/* Too few rows of an action: there will be more. */
		say(a, "train", "%s", t->error);
		return 0;
	}
	if (t->code)
		return fail(t->code, "%s", t->error);
	if (stale) {
		say(a, "train", "dropped, the rows were outdated meanwhile");
		model_free(t->model);
		return 0;
	}
	if (worse) {
		say(a, "train",
		    "RMSE %.4g, of the model before %.4g: that one stays",
		    q->rmse, t->rival_rmse);
		model_free(t->model);
		return 0;
	}
	ret = use_model(a, t->model);
	if (!ret)
		say(a, "train",
		    "model %u, RMSE %.4g (of the mean %.4g), reward %.4g, %s %.4g",
		    a->nr_models, q->rmse, q->rmse_mean, q->value.model.mean,
		    a->head.actions[0], q->value.stock.mean);
	return ret;
}

static int train_when_due(struct agent *a)
{
	struct trained trained;
	/* A fifth of the rows is kept apart. */
	size_t enough = learning.min_rows / (1 - learning.valid) * 1.2 + 1;
	struct csv csv;
	int ret;

	if (trainer_poll(a->trainer, &trained))
		return take_trained(a, &trained);
	if (trainer_busy(a->trainer))
		return 0;
	if (a->model ? !retrain || a->new_rewards < (uint64_t)retrain :
		       window_covered(a->window, enough) < a->head.nr_actions)
		return 0;
	ret = window_copy(a->window, &csv);
	if (!ret)
		ret = trainer_start(a->trainer, &csv, a->model);
	a->new_rewards = 0;
	return ret ? fail(EX_OSERR, "%s: train: %s", a->proxy, strerror(-ret)) :
		     0;
}

/* The model has lost what it had earned: the world is another one. */
static bool has_failed(const struct ml_stats *before,
		       const struct ml_stats *now)
{
	return now->mode < before->mode && (now->reason == ML_REASON_HARM ||
					    now->reason == ML_REASON_ALARM ||
					    now->reason == ML_REASON_ATTRITION);
}

static void tell_losses(struct agent *a)
{
	const struct join_counts *counts = join_counts(a->join);
	uint64_t lost = counts->lost_samples + counts->lost_outcomes;

	if (lost != a->told_lost)
		say(a, "lost", "%" PRIu64 " samples, %" PRIu64 " outcomes",
		    counts->lost_samples, counts->lost_outcomes);
	a->told_lost = lost;
}

static int watch_mode(struct agent *a)
{
	struct ml_stats before = a->stats;
	int ret = libml_stats(a->ml, &a->stats);

	if (ret)
		return fail_proxy(a->proxy, "stats", ret);
	if (a->stats.mode != before.mode)
		say(a, "mode", "%s (%s)", mode_name(a->stats.mode),
		    reason_name(a->stats.reason));
	if (!retrain || a->stats.pin >= 0)
		return 0;
	if (a->model && has_failed(&before, &a->stats))
		return begin_exploring(a);
	/* Random actions do harm, but without them there is no model. */
	if (!a->model && a->stats.backend == ML_BACKEND_RANDOM &&
	    a->stats.mode == ML_MODE_EMERGENCY &&
	    a->stats.reason == ML_REASON_HARM) {
		ret = set_backend(a, ML_BACKEND_NONE);
		return ret ? ret : set_backend(a, ML_BACKEND_RANDOM);
	}
	return 0;
}

static int tick(struct agent *a)
{
	struct ml_hint alive = libml_heartbeat();
	ssize_t put = libml_write(a->ml, &alive, 1);
	int ret;

	if (put < 0 && put != -EINTR)
		return fail_proxy(a->proxy, "heartbeat", put);
	ret = watch_mode(a);
	tell_losses(a);
	return ret ? ret : train_when_due(a);
}

static int take_event(struct agent *a, const struct libml_event *event)
{
	switch (event->type) {
	case LIBML_RECORDS:
		return take_records(a, event);
	case LIBML_READ_FAILED:
		return fail_proxy(a->proxy, "read", event->error);
	case LIBML_WRITE_FAILED:
		return fail_proxy(a->proxy, "write", event->error);
	default:
		return 0;
	}
}

static int loop(struct agent *a)
{
	const uint32_t watchdog = libml_info(a->ml)->about.watchdog_ms;
	/* Well within the watchdog's time, and often enough to see changes */
	int64_t period = watchdog && watchdog < 1000 ? (watchdog + 4) / 5 : 200;
	int64_t next = now_ms();
	struct libml_event event;
	int ret = 0;

	while (!stop_requested && !ret) {
		int64_t now = now_ms();

		if (now >= next) {
			ret = tick(a);
			next = now + period;
			continue;
		}
		ret = libml_ring_wait(a->ring, next - now, &event);
		if (ret == -EINTR)
			ret = 0;
		else if (ret)
			ret = fail(EX_OSERR, "%s: io_uring: %s", a->proxy,
				   strerror(-ret));
		else
			ret = take_event(a, &event);
	}
	return ret;
}

static struct model *load_model(const struct csv_head *head, int *code)
{
	char error[ERROR_LEN], *json;
	struct model *model = NULL;
	size_t len;

	*code = booster_read_file(model_path, &json, &len, error);
	if (!*code)
		/* Compiled in any case: XGBoost trusts a file, compile does
		 * not.
		 */
		model = model_from_json(json, len, model_path, true, error,
					code);
	free(json);
	if (!*code)
		*code = booster_check(&model->booster, model_path, head, error);
	if (!*code)
		return model;
	fail(*code, "%s", error);
	model_free(model);
	return NULL;
}

/* Attach and put the first model, or none, to work. */
static int begin(struct agent *a)
{
	const struct ml_describe *about = &libml_info(a->ml)->about;
	/* The first record wakes: a hint is worth most at once. */
	const struct ml_control wake = {
		.mask = ML_CONTROL_WAKE,
		.wake_bytes = about->sample_size,
	};
	uint32_t wanted =
		1U << (use == USE_TREES ? ML_BACKEND_TREES : ML_BACKEND_AGENT);
	struct model *model = NULL;
	int ret = 0, error;

	if (!model_path)
		wanted |= 1U << ML_BACKEND_RANDOM;
	if ((about->backends & wanted) != wanted)
		return fail(EX_UNAVAILABLE, "%s: it has not the backend %s%s",
			    a->proxy, use_names[use],
			    model_path ? "" : " or random");
	if (model_path)
		model = load_model(&a->head, &ret);
	if (ret)
		return ret;
	error = libml_attach(a->ml);
	if (!error)
		error = libml_control(a->ml, &wake);
	if (!error)
		error = libml_ring_create(&a->ring, a->ml, NR_READS, READ_SIZE,
					  MAX_BATCH);
	if (!error)
		error = libml_stats(a->ml, &a->stats);
	if (error) {
		model_free(model);
		return fail_proxy(a->proxy, "attach", error);
	}
	a->first_backend = a->stats.backend;
	say(a, "attached", "mode %s (%s)", mode_name(a->stats.mode),
	    reason_name(a->stats.reason));
	return model ? use_model(a, model) : begin_exploring(a);
}

/* Nothing is left behind that needs an agent, or that explores without one. */
static void end(struct agent *a)
{
	if (a->ring && !a->model && a->stats.backend == ML_BACKEND_RANDOM)
		set_backend(a, a->first_backend);
	libml_ring_destroy(a->ring);
	trainer_free(a->trainer);
	model_free(a->model);
	window_free(a->window);
	join_free(a->join);
	free(a->batch.features);
}

static int run(struct agent *a)
{
	int ret;

	head_of_proxy(&a->head, libml_info(a->ml));
	a->random = learning.seed + 0x9e3779b97f4a7c15;
	a->batch.width = a->head.nr_features;
	a->batch.features =
		calloc(MAX_BATCH, a->batch.width * sizeof(*a->batch.features));
	a->join = join_create(a->head.nr_features, PENDING_ROWS, take_row, a);
	a->window = window_create(&a->head, window_rows);
	a->trainer = trainer_create(&learning, use == USE_TREES);
	if (!a->batch.features || !a->join || !a->window || !a->trainer)
		return fail(EX_OSERR, "agent: out of memory");
	catch_stop();
	ret = begin(a);
	if (!ret)
		ret = loop(a);
	tell_losses(a);
	if (a->round_trip.nr)
		say(a, "end",
		    "%" PRIu64 " hints, from sample to use: median %" PRIu64
		    " ns, p99 %" PRIu64 " ns",
		    a->round_trip.nr, latency_quantile(&a->round_trip, 0.5),
		    latency_quantile(&a->round_trip, 0.99));
	return ret;
}

int cmd_agent(int argc, char **argv)
{
	struct agent *a;
	int ret;

	if (parse_options(&usage, argc, argv, &ret) < 0)
		return ret;
	if (use == USE_TREES && set_explore)
		return fail(
			EX_USAGE,
			"agent: --explore needs --backend agent: a table chooses always alike");
	if (!model_path && !retrain)
		return fail(EX_USAGE,
			    "agent: --retrain 0 needs --model MODEL.json");
	a = calloc(1, sizeof(*a));
	if (!a)
		return fail(EX_OSERR, "agent: out of memory");
	a->proxy = argv[optind];
	ret = open_proxy(&a->ml, a->proxy, true);
	if (!ret)
		ret = run(a);
	end(a);
	libml_close(a->ml);
	free(a);
	return ret;
}
