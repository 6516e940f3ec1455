// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: agents that are good, bad, silent, dead, mad and too busy, and
 * what the guard makes of them.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "device.h"

static int working_agent(enum ml_mode mode)
{
	int fd = open_agent(O_NONBLOCK);

	set_backend(ML_BACKEND_AGENT);
	set_pin(mode);
	wait_mode(fd, mode);
	return fd;
}

static void write_hint(int fd, unsigned int flags)
{
	const struct ml_hint hint = { .flags = flags };

	CHECK_EQ(write(fd, &hint, sizeof(hint)), sizeof(hint));
}

/*
 * Silence is noticed after one watchdog period and before two. A machine that
 * stands still meanwhile can make it later, so the best of three counts; never
 * may it be sooner.
 */
static void watchdog(void)
{
	uint64_t period = info.watchdog_ms * 1000000ULL, spoke, heard, silence;
	bool in_time = false;
	struct ml_stats now;
	int i, fd;

	for (i = 0; i < 3 && !in_time; i++) {
		fd = working_agent(ML_MODE_COLLABORATION);
		spoke = now_ns();
		CHECK(alive(fd));
		heard = now_ns();
		wait_reason(-1, ML_MODE_EMERGENCY, ML_REASON_STALE);
		now = stats();
		CHECK(now.mode_since_ns - spoke >= period - 1000000);
		CHECK(now.hold_until_ns > now.mode_since_ns);
		silence = now.mode_since_ns - heard;
		say("silence of %llu ms was enough",
		    (unsigned long long)silence / 1000000);
		in_time = silence <= 2 * period;
		close(fd);
	}
	CHECK(in_time);
	wait_decisions(-1, 1000);
}

/* Reading is not a sign of life; hints and ALIVE are */
static void heartbeat(void)
{
	uint64_t period = info.watchdog_ms * 1000000ULL, last, now, begin;
	struct ml_stats before;
	bool fast_enough;
	int i, fd;

	for (i = 0; i < 10; i++) {
		fd = working_agent(ML_MODE_COLLABORATION);
		before = stats();
		begin = last = now_ns();
		fast_enough = true;
		do {
			CHECK(alive(fd));
			now = now_ns();
			/* From before one beat to after the next */
			fast_enough = fast_enough && now - last < period;
			last = now;
			sleep_ms(20);
			drain(fd, NULL, NULL);
		} while (now - begin < 4 * period);
		/* If this machine slept, nothing can be said */
		if (!fast_enough) {
			close(fd);
			continue;
		}
		check_unchanged(&before, "four periods with signs of life");
		close(fd);
		return;
	}
	CHECK(fast_enough);
}

static void recovery(void)
{
	int fd = working_agent(ML_MODE_COLLABORATION);
	struct ml_stats now;

	wait_reason(-1, ML_MODE_EMERGENCY, ML_REASON_STALE);
	/* The hold-off alone does not bring back one that is silent */
	do {
		sleep_ms(50);
		now = stats();
		CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
	} while (now.time_ns < now.hold_until_ns + 1000000000ULL);
	CHECK_EQ(now.reason, ML_REASON_STALE);
	/* A word does, at once or at the next look */
	wait_reason(fd, ML_MODE_COLLABORATION, ML_REASON_READY);
	CHECK_EQ(stats().hold_until_ns, 0);
	close(fd);
}

/* While it holds, no sign of life helps */
static void hold_off(void)
{
	int fd = working_agent(ML_MODE_COLLABORATION);
	struct ml_stats now;
	uint64_t until;

	wait_reason(-1, ML_MODE_EMERGENCY, ML_REASON_STALE);
	until = stats().hold_until_ns;
	wait_mode(fd, ML_MODE_COLLABORATION);
	now = stats();
	CHECK(now.mode_since_ns >= until);
	CHECK_EQ(now.reason, ML_REASON_READY);
	close(fd);
}

static void flood(void)
{
	struct ml_hint bad[257] = {};
	int fd = working_agent(ML_MODE_COLLABORATION);
	struct ml_stats before = stats(), now;
	unsigned int i;

	/* As many as are tolerated in a period: the mode stays */
	for (i = 0; i < 256; i++)
		CHECK_EQ(write(fd, bad, sizeof(*bad)), sizeof(*bad));
	CHECK(alive(fd));
	CHECK_EQ(stats().hints_invalid, before.hints_invalid + 256);
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
	CHECK_EQ(stats().emergencies, before.emergencies);
	/* One write of more: it cannot be otherwise */
	CHECK_EQ(write(fd, bad, sizeof(bad)), sizeof(bad));
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
	CHECK_EQ(now.reason, ML_REASON_INVALID);
	CHECK_EQ(now.emergencies, before.emergencies + 1);
	CHECK_EQ(now.hints_invalid, before.hints_invalid + 256 + 257);

	/* Neither a new model nor another agent gets around the hold-off */
	write_hint(fd, ML_HINT_NEW_MODEL);
	CHECK_EQ(stats().hold_until_ns, now.hold_until_ns);
	close(fd);
	fd = open_agent(O_NONBLOCK);
	CHECK_EQ(stats().hold_until_ns, now.hold_until_ns);
	wait_mode(fd, ML_MODE_COLLABORATION);
	CHECK(stats().mode_since_ns >= now.hold_until_ns);
	close(fd);
}

static void cap_and_pin(void)
{
	int mode, cap;

	set_backend(ML_BACKEND_RULE);
	CHECK_EQ(stats().mode, ML_MODE_LEARNING);
	/* The cap is above the pin */
	for (mode = 0; mode < ML_NR_MODES; mode++) {
		for (cap = 0; cap < ML_NR_MODES; cap++) {
			set_pin(mode);
			set_cap(cap);
			CHECK_EQ(stats().cap, cap);
			CHECK_EQ(stats().pin, mode);
			CHECK_EQ(stats().mode, mode < cap ? mode : cap);
		}
	}
	/* What was pinned has not been earned */
	set_pin(ML_MODE_RECOMMENDATION);
	CHECK_EQ(stats().mode, ML_MODE_RECOMMENDATION);
	CHECK_EQ(stats().reason, ML_REASON_USER);
	set_pin(-1);
	CHECK_EQ(stats().mode, ML_MODE_LEARNING);
	set_cap(ML_MODE_EMERGENCY);
	CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
	CHECK_EQ(stats().reason, ML_REASON_USER);
	CHECK_EQ(stats().hold_until_ns, 0);
	wait_decisions(-1, 2000);
	CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
	set_cap(ML_MODE_COLLABORATION);
	CHECK_EQ(stats().mode, ML_MODE_LEARNING);
}

/* As in ml_demo.c, before the drift */
static unsigned int best_action(const int32_t *x)
{
	return x[GAP] > 0 ? (x[SIZE] < 500 ? STOCK : SKIP) :
			    (x[SIZE] < 500 ? SMALL : LARGE);
}

static unsigned int worst_action(const int32_t *x)
{
	return best_action(x) == SMALL ? LARGE : SMALL;
}

/* A real agent: what it has just seen of a context is what it answers */
struct model {
	int fd;
	unsigned int (*action)(const int32_t *features);
	enum ml_mode goal;
	bool higher;
};

static bool answer(const struct ml_record *record, void *arg)
{
	const struct ml_sample *sample = (const void *)record;
	struct model *model = arg;
	struct ml_hint hint;
	unsigned int mode;

	if (record->type != ML_RECORD_SAMPLE)
		return false;
	hint = (struct ml_hint){ .context = sample->context,
				 .ttl_us = 30000,
				 .action = model->action(sample->features) };
	CHECK_EQ(write(model->fd, &hint, sizeof(hint)), sizeof(hint));
	if (sample->id / 65536 % 16)
		return false;
	mode = stats().mode;
	return model->higher ? mode >= model->goal : mode <= model->goal;
}

static void earns_its_modes(void)
{
	struct model model = { .action = best_action,
			       .higher = true,
			       .goal = ML_MODE_RECOMMENDATION };
	struct ml_stats before, now;

	model.fd = open_agent(O_NONBLOCK);
	set_backend(ML_BACKEND_AGENT);
	before = stats();
	CHECK_EQ(before.mode, ML_MODE_LEARNING);
	read_records(model.fd, answer, &model);
	now = stats();
	CHECK_EQ(now.promotions, before.promotions + 2);
	CHECK_EQ(now.reason, ML_REASON_BENEFIT);

	/* A new model has earned nothing */
	write_hint(model.fd, ML_HINT_NEW_MODEL);
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_LEARNING);
	CHECK_EQ(now.reason, ML_REASON_NEW_MODEL);
	CHECK_EQ(now.model, before.model + 1);
	close(model.fd);
}

static void loses_its_mode(void)
{
	struct model model = { .action = worst_action,
			       .goal = ML_MODE_EMERGENCY };
	struct ml_stats before, now;

	model.fd = open_agent(O_NONBLOCK);
	set_backend(ML_BACKEND_AGENT);
	before = stats();
	CHECK_EQ(before.mode, ML_MODE_LEARNING);
	read_records(model.fd, answer, &model);
	now = stats();
	CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
	CHECK_EQ(now.reason, ML_REASON_HARM);
	CHECK_EQ(now.emergencies, before.emergencies + 1);
	CHECK_EQ(now.promotions, before.promotions);
	CHECK(now.hold_until_ns > now.mode_since_ns);
	close(model.fd);
}

/* Run @work in a child that is attached and has said so; its pid */
static pid_t start_agent(void (*work)(int fd))
{
	int fd, tube[2];
	char byte;
	pid_t pid;

	if (pipe(tube))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open_agent(O_NONBLOCK);
		if (write(tube[1], "", 1) != 1)
			_exit(1);
		work(fd);
		_exit(0);
	}
	close(tube[1]);
	CHECK_EQ(read(tube[0], &byte, 1), 1);
	close(tube[0]);
	return pid;
}

static void beat(int fd)
{
	while (alive(fd))
		sleep_ms(20);
}

static void check_gone(pid_t pid)
{
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(stats().flags & ML_STATS_ATTACHED, 0);
}

/* Control goes on, treatment does not */
static void check_stock_only(void)
{
	struct ml_stats before = settled(), now;

	wait_decisions(-1, 2000);
	now = settled();
	CHECK(now.decisions[0] - before.decisions[0] >= 2000);
	CHECK_EQ(now.decisions[1], before.decisions[1]);
	CHECK_EQ(now.samples, before.samples);
}

static void killed(void)
{
	struct ml_stats now;
	pid_t pid;
	int i, fd;

	set_backend(ML_BACKEND_AGENT);
	set_pin(ML_MODE_COLLABORATION);
	for (i = 0; i < 20; i++) {
		pid = start_agent(beat);
		wait_mode(-1, ML_MODE_COLLABORATION);
		kill(pid, SIGKILL);
		check_gone(pid);
		now = stats();
		CHECK_EQ(now.mode, ML_MODE_EMERGENCY);
		CHECK_EQ(now.reason, ML_REASON_NO_MODEL);
		CHECK_EQ(now.hold_until_ns, 0);
	}
	check_stock_only();
	/* The next one finds everything as it should be */
	fd = open_agent(O_NONBLOCK);
	CHECK_EQ(stats().mode, ML_MODE_COLLABORATION);
	CHECK_EQ(stats().reason, ML_REASON_READY);
	close(fd);
}

static void stopped(void)
{
	pid_t pid;

	set_backend(ML_BACKEND_AGENT);
	set_pin(ML_MODE_COLLABORATION);
	pid = start_agent(beat);
	wait_mode(-1, ML_MODE_COLLABORATION);
	kill(pid, SIGSTOP);
	wait_reason(-1, ML_MODE_EMERGENCY, ML_REASON_STALE);
	CHECK_EQ(stats().flags & ML_STATS_ATTACHED, ML_STATS_ATTACHED);
	wait_decisions(-1, 2000);
	kill(pid, SIGCONT);
	wait_reason(-1, ML_MODE_COLLABORATION, ML_REASON_READY);
	kill(pid, SIGKILL);
	check_gone(pid);
}

/* What the rules in linux/ml_lib.h make of an entry: 0 invalid, 1 hint, 2 not */
static int kind_of(const struct ml_hint *hint)
{
	if (hint->flags)
		return !hint->context && !hint->ttl_us && !hint->action &&
				       (hint->flags == ML_HINT_ALIVE ||
					hint->flags == ML_HINT_NEW_MODEL) ?
			       2 :
			       0;
	return hint->action < NR_ACTIONS && hint->ttl_us &&
	       hint->ttl_us <= ML_HINT_TTL_MAX_US;
}

static void garbage(void)
{
	struct ml_hint noise[64];
	unsigned int i, j, n, kinds[3] = {};
	int fd = working_agent(ML_MODE_COLLABORATION);
	struct ml_stats before = stats(), now;

	srand(1);
	for (i = 0; i < 5000; i++) {
		n = rand() % ARRAY_SIZE(noise);
		for (j = 0; j < sizeof(noise); j++)
			((uint8_t *)noise)[j] = rand() >> 8;
		/* Some that are nearly right, or right */
		for (j = 0; j < n; j++) {
			if (rand() % 2)
				noise[j].flags = 0;
			if (rand() % 2)
				noise[j].action %= NR_ACTIONS + 1;
			if (rand() % 2)
				noise[j].ttl_us %= ML_HINT_TTL_MAX_US + 2;
			kinds[kind_of(&noise[j])]++;
		}
		CHECK_EQ(write(fd, noise, n * sizeof(*noise)),
			 n * sizeof(*noise));
	}
	now = stats();
	CHECK_EQ(now.hints - before.hints, kinds[1]);
	CHECK_EQ(now.hints_invalid - before.hints_invalid, kinds[0]);
	CHECK(kinds[0] > 1000 && kinds[1] > 1000);
	CHECK(now.emergencies > before.emergencies);
	CHECK_EQ(now.invalid_actions, before.invalid_actions);
	wait_decisions(-1, 2000);
	close(fd);
}

/* Pure noise is an emergency, not merely a lot of bad hints */
static void only_garbage(void)
{
	int fd = working_agent(ML_MODE_COLLABORATION);
	struct ml_hint noise[512];

	memset(noise, 0xa5, sizeof(noise));
	CHECK_EQ(write(fd, noise, sizeof(noise)), sizeof(noise));
	CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
	CHECK_EQ(stats().reason, ML_REASON_INVALID);
	close(fd);
}

static void write_at_full_speed(int fd)
{
	struct ml_hint hints[256];
	unsigned int i, round;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < ARRAY_SIZE(hints); i++)
			hints[i] = (struct ml_hint){
				.context = (round * 256ULL + i) * 0x9e3779b9,
				.ttl_us = 1 + i * 1000,
				.action = i % NR_ACTIONS,
			};
		if (write(fd, hints, sizeof(hints)) != sizeof(hints))
			_exit(1);
	}
}

static void full_speed(void)
{
	struct ml_stats before, now;
	int status;
	pid_t pid;

	set_backend(ML_BACKEND_AGENT);
	set_pin(ML_MODE_COLLABORATION);
	before = stats();
	pid = start_agent(write_at_full_speed);
	/* Decisions do not wait for it */
	wait_decisions(-1, 2000);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	now = stats();
	CHECK_EQ(now.hints - before.hints, 2000 * 256);
	CHECK_EQ(now.hints_invalid, before.hints_invalid);
	CHECK_EQ(now.emergencies - before.emergencies, 1);
	CHECK_EQ(now.reason, ML_REASON_NO_MODEL);
}

/* Models in quick succession get no more than learning */
static void new_models_all_the_time(int fd)
{
	const struct ml_hint hint = { .flags = ML_HINT_NEW_MODEL };

	while (write(fd, &hint, sizeof(hint)) == sizeof(hint))
		;
}

static void restless(void)
{
	struct ml_stats before, now;
	unsigned int i;
	pid_t pid;

	set_backend(ML_BACKEND_AGENT);
	before = stats();
	pid = start_agent(new_models_all_the_time);
	for (i = 0; i < 20; i++) {
		wait_decisions(-1, 500);
		CHECK(stats().mode <= ML_MODE_LEARNING);
	}
	kill(pid, SIGKILL);
	check_gone(pid);
	now = stats();
	CHECK(now.model > before.model);
	/* To learning when it came, and no further */
	CHECK_EQ(now.promotions - before.promotions, 1);
}

const struct test agent_tests[] = {
	{ "watchdog: silence is an emergency after one period", watchdog },
	{ "watchdog: signs of life are enough", heartbeat },
	{ "watchdog: one word, and it goes on by itself", recovery },
	{ "emergency: nothing shortens the hold-off", hold_off },
	{ "emergency: 256 invalid hints are not one, more are", flood },
	{ "modes: cap and pin", cap_and_pin },
	{ "modes: a good agent rises, its successor begins anew",
	  earns_its_modes },
	{ "modes: a bad agent is out", loses_its_mode },
	{ "agent killed: detached at once, decisions go on", killed },
	{ "agent stopped: stale, and back when it goes on", stopped },
	{ "agent mad: every entry is counted for what it is", garbage },
	{ "agent mad: nothing but noise is an emergency", only_garbage },
	{ "agent writing at full speed: every hint is counted", full_speed },
	{ "agent announcing models without end: never past learning",
	  restless },
	{ NULL, NULL },
};
