// SPDX-License-Identifier: GPL-2.0-only
/*
 * loadgen: an open-loop load generator
 *
 * Open loop means that the arrival plan is drawn before the run and does not
 * depend on how fast the work gets done: a slow machine gets a queue, not a
 * lighter load. Latency is counted from the planned arrival, so waiting in
 * that queue is in the figure.
 *
 * Work is counted in instructions, not in time, and nothing is calibrated:
 * the same command is the same work at every CPU frequency.
 *
 * Build: cc -O2 -static -pthread -o loadgen loadgen.c plan.c stats.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>

#include "plan.h"
#include "stats.h"

#define MAX_THREADS 64
/* Time for all threads to reach their first sleep before the plan starts. */
#define START_DELAY_NS (5 * NSEC_PER_MSEC)

static const char usage[] =
	"Usage: loadgen MODE [OPTION]...\n"
	"Run seeded open-loop load and print 'metric NAME VALUE UNIT' lines.\n"
	"\n"
	"Modes:\n"
	"  poisson    jobs with exponential gaps: --rate\n"
	"  periodic   one job every --period\n"
	"  bursty     requests at --rate while on, none while off: --on, --off\n"
	"  summary    read one latency (us, whole number) a line from standard input\n"
	"             and print the metrics for them; only --deadline applies\n"
	"\n"
	"Options:\n"
	"  -w, --work K        thousand instructions a job (1 us at 1 GIPS)\n"
	"  -x, --work-max K    draw each job's work evenly from --work to K\n"
	"  -r, --rate N        mean jobs a second and thread\n"
	"  -p, --period US     periodic: time from one job to the next\n"
	"  -o, --on MS         bursty: mean length of a busy phase\n"
	"  -f, --off MS        bursty: mean length of a silent phase\n"
	"  -d, --deadline US   a job is missed when its latency is more (default:\n"
	"                      the period, or none)\n"
	"  -t, --time MS       length of the plan (default 1000)\n"
	"  -T, --threads N     threads, each with a plan of its own (default 1)\n"
	"  -s, --seed N        (default 1)\n"
	"  -n, --dry-run       print the plan: thread, arrival ns, thousand instructions\n"
	"  -h, --help\n"
	"\n"
	"Metrics: completed, missed, lat_mean, lat_p1 ... lat_p99.99 (us) and delay (ms):\n"
	"the p99 of the latency; with a deadline, of the later of latency and deadline,\n"
	"because a frame that is ready early is still shown on time.\n"
	"Exit status: 0, 64 bad arguments, 65 bad input, 71 system error, 74 output error.\n";

struct worker {
	pthread_t thread;
	struct plan plan;
	uint64_t *lat_ns; /* one for each job of the plan */
	uint64_t epoch_ns;
};

static void __attribute__((noreturn, format(printf, 2, 3)))
die(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("loadgen: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static uint64_t number(const char *name, const char *text, uint64_t min,
		       uint64_t max)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || v < min ||
	    v > max)
		die(EX_USAGE,
		    "%s: '%s' is not a whole number from %" PRIu64
		    " to %" PRIu64,
		    name, text, min, max);
	return v;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) ==
	       EINTR)
		;
}

/*
 * One thousand instructions a unit: 10 rounds of 98 no-ops and the two that
 * close the loop. No-ops, because an emulator translates them to nothing: the
 * guest's CPU is as busy as with any other instruction and the host's is not.
 */
static void burn(uint64_t kilo_instructions)
{
	for (uint64_t i = kilo_instructions * 10; i; i--)
		__asm__ volatile(".rept 98\n\tnop\n\t.endr" : "+r"(i));
}

static void *work(void *arg)
{
	struct worker *w = arg;

	/* The default slack of 50 us would be part of every latency. */
	prctl(PR_SET_TIMERSLACK, 1);
	for (size_t i = 0; i < w->plan.count; i++) {
		const struct job *job = &w->plan.jobs[i];
		uint64_t due = w->epoch_ns + job->arrival_ns;

		if (now_ns() < due)
			sleep_until(due);
		burn(job->kilo_instructions);
		w->lat_ns[i] = now_ns() - due;
	}
	return NULL;
}

static uint64_t *concatenate(const struct worker *workers, unsigned int n,
			     size_t *count)
{
	uint64_t *all;
	size_t total = 0;

	for (unsigned int i = 0; i < n; i++)
		total += workers[i].plan.count;
	if (!total)
		die(EX_USAGE, "the plan is empty: raise --time or --rate");
	all = calloc(total, sizeof(*all));
	if (!all)
		die(EX_OSERR, "out of memory for %zu latencies", total);
	*count = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (workers[i].plan.count)
			memcpy(all + *count, workers[i].lat_ns,
			       workers[i].plan.count * sizeof(*all));
		*count += workers[i].plan.count;
	}
	return all;
}

static void run(const struct plan_config *cfg, unsigned int threads)
{
	struct worker workers[MAX_THREADS] = { 0 };
	uint64_t epoch_ns;
	uint64_t *all;
	size_t count;
	int err;

	for (unsigned int i = 0; i < threads; i++) {
		struct worker *w = &workers[i];

		if (plan_create(&w->plan, cfg, i))
			die(EX_OSERR, "cannot make the plan: %s",
			    strerror(errno));
		w->lat_ns = calloc(w->plan.count + 1, sizeof(*w->lat_ns));
		if (!w->lat_ns)
			die(EX_OSERR, "out of memory for the plan");
		/* Fault the pages in now, not while jobs are timed. */
		memset(w->lat_ns, 0xff, w->plan.count * sizeof(*w->lat_ns));
	}

	epoch_ns = now_ns() + START_DELAY_NS;
	for (unsigned int i = 0; i < threads; i++) {
		workers[i].epoch_ns = epoch_ns;
		err = pthread_create(&workers[i].thread, NULL, work,
				     &workers[i]);
		if (err)
			die(EX_OSERR, "cannot start a thread: %s",
			    strerror(err));
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);

	all = concatenate(workers, threads, &count);
	stats_print(stdout, all, count, cfg->deadline_ns);
	free(all);
	for (unsigned int i = 0; i < threads; i++) {
		free(workers[i].lat_ns);
		plan_destroy(&workers[i].plan);
	}
}

static void dry_run(const struct plan_config *cfg, unsigned int threads)
{
	for (unsigned int i = 0; i < threads; i++) {
		struct plan plan;

		if (plan_create(&plan, cfg, i))
			die(EX_OSERR, "cannot make the plan: %s",
			    strerror(errno));
		for (size_t j = 0; j < plan.count; j++)
			printf("%u %" PRIu64 " %" PRIu64 "\n", i,
			       plan.jobs[j].arrival_ns,
			       plan.jobs[j].kilo_instructions);
		plan_destroy(&plan);
	}
}

static void summary(uint64_t deadline_ns)
{
	uint64_t *lat = NULL;
	size_t count = 0, room = 0, line_nr = 0;
	char *line = NULL;
	size_t line_room = 0;

	while (getline(&line, &line_room, stdin) >= 0) {
		unsigned long long us;
		char *end;

		line_nr++;
		errno = 0;
		us = strtoull(line, &end, 10);
		if (line[0] < '0' || line[0] > '9' || errno ||
		    (*end != '\n' && *end) || us > UINT64_MAX / NSEC_PER_SEC)
			die(EX_DATAERR,
			    "standard input, line %zu: not a whole number of us",
			    line_nr);
		if (count == room) {
			uint64_t *more;

			room = room ? 2 * room : 1024;
			more = reallocarray(lat, room, sizeof(*lat));
			if (!more)
				die(EX_OSERR, "out of memory for %zu latencies",
				    room);
			lat = more;
		}
		lat[count++] = us * NSEC_PER_USEC;
	}
	free(line);
	if (ferror(stdin))
		die(EX_IOERR, "cannot read standard input");
	if (!count)
		die(EX_DATAERR, "standard input holds no latency");
	stats_print(stdout, lat, count, deadline_ns);
	free(lat);
}

static void check(const struct plan_config *cfg, const char *mode)
{
	if (!cfg->work_min)
		die(EX_USAGE, "%s needs --work", mode);
	if (cfg->work_max < cfg->work_min)
		die(EX_USAGE, "--work-max is less than --work");
	if (cfg->mode == PLAN_PERIODIC && !cfg->period_ns)
		die(EX_USAGE, "%s needs --period", mode);
	if (cfg->mode != PLAN_PERIODIC && cfg->period_ns)
		die(EX_USAGE, "%s takes no --period", mode);
	if (cfg->mode != PLAN_PERIODIC && !cfg->rate)
		die(EX_USAGE, "%s needs --rate", mode);
	if (cfg->mode == PLAN_PERIODIC && cfg->rate)
		die(EX_USAGE, "%s takes no --rate", mode);
	if (cfg->mode == PLAN_BURSTY && !(cfg->on_ns && cfg->off_ns))
		die(EX_USAGE, "%s needs --on and --off", mode);
	if (cfg->mode != PLAN_BURSTY && (cfg->on_ns || cfg->off_ns))
		die(EX_USAGE, "%s takes no --on or --off", mode);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "work", required_argument, NULL, 'w' },
		{ "work-max", required_argument, NULL, 'x' },
		{ "rate", required_argument, NULL, 'r' },
		{ "period", required_argument, NULL, 'p' },
		{ "on", required_argument, NULL, 'o' },
		{ "off", required_argument, NULL, 'f' },
		{ "deadline", required_argument, NULL, 'd' },
		{ "time", required_argument, NULL, 't' },
		{ "threads", required_argument, NULL, 'T' },
		{ "seed", required_argument, NULL, 's' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct plan_config cfg = {
		.seed = 1,
		.length_ns = NSEC_PER_SEC,
	};
	unsigned int threads = 1;
	int dry = 0, plan_options = 0, c;
	const char *mode;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":w:x:r:p:o:f:d:t:T:s:nh", options,
				NULL)) != -1) {
		plan_options += c != 'd';
		switch (c) {
		case 'w':
			cfg.work_min = number("--work", optarg, 1, 10000000);
			break;
		case 'x':
			cfg.work_max =
				number("--work-max", optarg, 1, 10000000);
			break;
		case 'r':
			cfg.rate = number("--rate", optarg, 1, 1000000);
			break;
		case 'p':
			cfg.period_ns =
				number("--period", optarg, 1, 60000000) *
				NSEC_PER_USEC;
			break;
		case 'o':
			cfg.on_ns = number("--on", optarg, 1, 60000) *
				    NSEC_PER_MSEC;
			break;
		case 'f':
			cfg.off_ns = number("--off", optarg, 1, 60000) *
				     NSEC_PER_MSEC;
			break;
		case 'd':
			cfg.deadline_ns =
				number("--deadline", optarg, 1, 60000000) *
				NSEC_PER_USEC;
			break;
		case 't':
			cfg.length_ns = number("--time", optarg, 1, 3600000) *
					NSEC_PER_MSEC;
			break;
		case 'T':
			threads = number("--threads", optarg, 1, MAX_THREADS);
			break;
		case 's':
			cfg.seed = number("--seed", optarg, 0, UINT32_MAX);
			break;
		case 'n':
			dry = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			return fflush(stdout) ? EX_IOERR : EX_OK;
		case ':':
			die(EX_USAGE, "'%s' needs a value", argv[optind - 1]);
		default:
			die(EX_USAGE, "unknown option '%s'; see --help",
			    argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		die(EX_USAGE,
		    "one MODE is needed: poisson, periodic, bursty or summary");
	mode = argv[optind];

	if (!strcmp(mode, "summary")) {
		if (plan_options)
			die(EX_USAGE, "summary takes --deadline only");
		summary(cfg.deadline_ns);
	} else {
		if (plan_mode_parse(mode, &cfg.mode))
			die(EX_USAGE, "unknown mode '%s'; see --help", mode);
		if (!cfg.work_max)
			cfg.work_max = cfg.work_min;
		check(&cfg, mode);
		if (cfg.mode == PLAN_PERIODIC && !cfg.deadline_ns)
			cfg.deadline_ns = cfg.period_ns;
		if (dry)
			dry_run(&cfg, threads);
		else
			run(&cfg, threads);
	}
	if (ferror(stdout) || fflush(stdout))
		die(EX_IOERR, "cannot write the metrics");
	return EX_OK;
}
