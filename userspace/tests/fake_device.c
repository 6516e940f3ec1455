// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_device.c - /dev/ml/demo without a kernel, for the tests of mlctl
 *
 * Linked into mlctl with --wrap=open and --wrap=ioctl. The descriptor is one
 * end of a socket pair, so that poll and io_uring work on it; a thread at the
 * other end makes decisions, takes hints and moves the mode. It is no model of
 * the kernel's guard: a mode rises or falls by the mean rewards of 2000
 * decisions.
 *
 * Environment: FAKE_STEPS: decisions until SIGTERM; FAKE_DRIFT: decisions
 * in recommendation until another action is best; FAKE_RISES: SIGTERM as soon
 * as statistics have told of recommendation so often, once for each world; FAKE_BUSY: another agent is there; FAKE_LOSE:
 * one packet in so many is lost; FAKE_HANGUP: decisions until the proxy is
 * gone; FAKE_LATE: outcomes come before samples; FAKE_GARBAGE: a malformed
 * record comes first; FAKE_BACKEND: to begin with,
 * pinned to collaboration.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ml_lib.h>
#include <linux/ml_trees.h>

#include "trees.h"

#define NR_FEATURES 3
#define NR_ACTIONS 4
#define NR_CONTEXTS 64
#define STEPS_AT_A_TIME 32
#define JUDGED 2000
#define SCHEMA 0x0123456789abcdefull

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static const char *const features[NR_FEATURES] = { "size", "gap", "depth" };
static const char *const actions[NR_ACTIONS] = { "stock", "small", "large",
						 "skip" };
static const int share[ML_NR_MODES] = { 0, 1, 8, 15 };

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	int fd; /* mlctl's end, -1: not open */
	int peer;
	struct ml_stats stats;
	struct ml_hint hints[NR_CONTEXTS]; /* context - 1 is the index */
	struct ml_trees trees;
	void *table;
	unsigned long steps;
	unsigned long recommended; /* of these, in recommendation */
	unsigned long rises; /* that statistics have told of */
	unsigned int told_mode;
	uint64_t random;
	/* since the mode was judged last */
	double sum[2], squares[2], nr[2];
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static unsigned long setting(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static uint32_t draw(uint32_t below)
{
	fake.random ^= fake.random << 13;
	fake.random ^= fake.random >> 7;
	fake.random ^= fake.random << 17;
	return (uint32_t)(fake.random >> 32) % below;
}

static void set_mode(int mode, int reason)
{
	if (fake.stats.pin >= 0 && mode != ML_MODE_EMERGENCY)
		mode = fake.stats.pin;
	if (mode > (int)fake.stats.cap)
		mode = fake.stats.cap;
	fake.stats.mode = mode;
	fake.stats.reason = reason;
	memset(fake.sum, 0, sizeof(fake.sum));
	memset(fake.squares, 0, sizeof(fake.squares));
	memset(fake.nr, 0, sizeof(fake.nr));
}

static void new_model(void)
{
	bool ready = fake.stats.backend == ML_BACKEND_AGENT ||
		     fake.stats.backend == ML_BACKEND_RANDOM ||
		     (fake.stats.backend == ML_BACKEND_TREES && fake.table);

	fake.stats.model++;
	set_mode(ready ? ML_MODE_LEARNING : ML_MODE_EMERGENCY,
		 ready ? ML_REASON_NEW_MODEL : ML_REASON_NO_MODEL);
}

static void judge(void)
{
	double diff = 0, var = 0;
	int arm;

	if (fake.nr[0] + fake.nr[1] < JUDGED)
		return;
	for (arm = 0; arm < 2; arm++) {
		double mean = fake.sum[arm] / fake.nr[arm];

		diff += arm ? mean : -mean;
		var += (fake.squares[arm] / fake.nr[arm] - mean * mean) /
		       fake.nr[arm];
	}
	if (diff > 4 * sqrt(var) && fake.stats.mode < fake.stats.cap)
		set_mode(fake.stats.mode + 1, ML_REASON_BENEFIT);
	else if (diff < -4 * sqrt(var))
		set_mode(fake.stats.mode - 1, ML_REASON_HARM);
	else
		set_mode(fake.stats.mode, fake.stats.reason);
}

static void decide(uint32_t context, int32_t x[NR_FEATURES], int *arm,
		   unsigned int *action, uint8_t *flags)
{
	*arm = draw(16) < (uint32_t)share[fake.stats.mode];
	*action = 0;
	*flags = 0;
	if (!*arm)
		return;
	*flags = ML_SAMPLE_ANSWERED;
	if (fake.stats.backend == ML_BACKEND_RANDOM)
		*action = draw(NR_ACTIONS);
	else if (fake.stats.backend == ML_BACKEND_TREES && fake.table)
		*action = ml_trees_action(&fake.trees, x);
	else if (fake.stats.backend == ML_BACKEND_AGENT &&
		 fake.hints[context - 1].ttl_us)
		*action = fake.hints[context - 1].action;
	else
		*flags = 0;
}

static bool has_drifted(void)
{
	unsigned long drift = setting("FAKE_DRIFT");

	return drift && fake.recommended >= drift;
}

static int32_t reward_of(unsigned int action, const int32_t x[NR_FEATURES])
{
	unsigned int best = x[1] > 0 ? (x[0] < 500 ? 0 : 3) :
				       (x[0] < 500 ? 1 : 2);

	if (has_drifted())
		best = (best + 1) % NR_ACTIONS;
	return (action == best ? 100 : action ? 20 : 60) + (int)draw(101) - 50;
}

/* A packet of samples and outcomes, as one read() would give them */
static size_t make_records(char *buf)
{
	static const size_t sample_size = sizeof(struct ml_sample) + 16;
	static int32_t world[NR_CONTEXTS][NR_FEATURES];
	size_t len = 0;
	int i, arm;

	for (i = 0; i < STEPS_AT_A_TIME; i++, fake.steps++) {
		uint32_t context = fake.steps % NR_CONTEXTS + 1;
		int32_t *x = world[context - 1], reward;
		struct ml_sample *s;
		struct ml_outcome *o;
		unsigned int action;
		uint8_t flags;

		if (fake.steps < NR_CONTEXTS || !draw(30)) {
			x[0] = draw(1000);
			x[1] = (int)draw(1000) - 500;
			x[2] = draw(32);
		}
		decide(context, x, &arm, &action, &flags);
		reward = reward_of(action, x);
		fake.stats.decisions[arm]++;
		fake.recommended += fake.stats.mode == ML_MODE_RECOMMENDATION;
		fake.stats.outcomes[arm]++;
		fake.stats.units[arm]++;
		fake.stats.reward_sum[arm] += reward;
		fake.nr[arm]++;
		fake.sum[arm] += reward;
		fake.squares[arm] += (double)reward * reward;

		s = (void *)(buf + len);
		o = (void *)(buf + len + sample_size);
		if (setting("FAKE_LATE")) {
			o = (void *)(buf + len);
			s = (void *)(buf + len + sizeof(*o));
		}
		memset(buf + len, 0, sample_size + sizeof(*o));
		len += sample_size + sizeof(*o);
		s->head.type = ML_RECORD_SAMPLE;
		s->head.size = sample_size;
		s->id = fake.steps + 1;
		s->time_ns = fake.steps * 1000;
		s->context = context;
		s->model = fake.stats.model;
		s->action = action;
		s->arm = arm;
		s->mode = fake.stats.mode;
		s->backend = fake.stats.backend;
		s->flags = flags;
		s->nr_features = NR_FEATURES;
		memcpy(s->features, x, sizeof(*world));
		o->head.type = ML_RECORD_OUTCOME;
		o->head.size = sizeof(*o);
		o->id = s->id;
		o->time_ns = s->time_ns;
		o->reward = reward;
		o->units = 1;
	}
	return len;
}

static void take_hints(void)
{
	struct ml_hint hints[4096];
	ssize_t len, i;

	while ((len = recv(fake.peer, hints, sizeof(hints), MSG_DONTWAIT)) >
	       0) {
		for (i = 0; i < len / (ssize_t)sizeof(*hints); i++) {
			if (hints[i].flags & ML_HINT_NEW_MODEL) {
				memset(fake.hints, 0, sizeof(fake.hints));
				new_model();
			} else if (!hints[i].flags && hints[i].context &&
				   hints[i].context <= NR_CONTEXTS) {
				fake.hints[hints[i].context - 1] = hints[i];
				fake.stats.hints++;
			}
		}
	}
}

static void *work(void *unused)
{
	unsigned long stop = setting("FAKE_STEPS"), packets = 0;
	unsigned long hangup = setting("FAKE_HANGUP"), lose;
	unsigned long rises = setting("FAKE_RISES");
	struct ml_record garbage[3] = { { .type = ML_RECORD_SAMPLE,
					  .size = 7 } };
	struct ml_lost lost = { .head.type = ML_RECORD_LOST,
				.head.size = sizeof(lost) };
	char buf[STEPS_AT_A_TIME * 128];
	bool warned = false;

	(void)unused;
	lose = setting("FAKE_LOSE");
	if (setting("FAKE_GARBAGE"))
		send(fake.peer, garbage, sizeof(garbage), 0);
	while (!hangup || fake.steps < hangup) {
		size_t len;

		pthread_mutex_lock(&fake.lock);
		take_hints();
		len = make_records(buf);
		judge();
		if ((lose && ++packets % lose == 0) ||
		    send(fake.peer, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) <
			    0) {
			lost.samples += STEPS_AT_A_TIME;
			lost.outcomes += STEPS_AT_A_TIME;
			fake.stats.samples_lost += STEPS_AT_A_TIME;
			fake.stats.outcomes_lost += STEPS_AT_A_TIME;
		}
		if (lost.samples && send(fake.peer, &lost, sizeof(lost),
					 MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			lost.samples = lost.outcomes = 0;
		pthread_mutex_unlock(&fake.lock);
		if (((stop && fake.steps >= stop) ||
		     (rises && fake.rises >= rises)) &&
		    !warned) {
			warned = true;
			kill(getpid(), SIGTERM);
		}
		usleep(500);
	}
	close(fake.peer);
	return NULL;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	int ends[2], mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	if (strcmp(path, "/dev/ml/demo"))
		return __real_open(path, flags, mode);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -1;
	fake.fd = ends[0];
	fake.peer = ends[1];
	fake.random = 88172645463325252ull;
	fake.stats.cap = ML_MODE_RECOMMENDATION;
	fake.stats.pin = -1;
	fake.stats.evidence_mbits = 12000;
	fake.stats.flags = ML_STATS_STARTED;
	fake.stats.time_ns = 1;
	fake.stats.backend = setting("FAKE_BACKEND");
	if (fake.stats.backend) {
		fake.stats.pin = ML_MODE_COLLABORATION;
		new_model();
	}
	return fake.fd;
}

static int control(const struct ml_control *c)
{
	bool other = c->mask & ML_CONTROL_BACKEND &&
		     c->backend != fake.stats.backend;

	if ((c->mask & ML_CONTROL_CAP ? c->cap >= ML_NR_MODES : c->cap) ||
	    (c->mask & ML_CONTROL_BACKEND ? c->backend >= ML_NR_BACKENDS :
					    c->backend) ||
	    (c->mask & ML_CONTROL_WAKE ? !c->wake_bytes : c->wake_bytes))
		return EINVAL;
	if (c->mask & ML_CONTROL_CAP)
		fake.stats.cap = c->cap;
	if (c->mask & ML_CONTROL_PIN)
		fake.stats.pin = c->pin;
	if (c->mask & ML_CONTROL_SAMPLE)
		fake.stats.sample_shift = c->sample_shift;
	if (c->mask & ML_CONTROL_BACKEND)
		fake.stats.backend = c->backend;
	if (other)
		new_model();
	return 0;
}

static int load(struct ml_load *l)
{
	static const struct ml_trees_fit fit = {
		.schema = SCHEMA,
		.nr_features = NR_FEATURES,
		.nr_actions = NR_ACTIONS,
	};
	void *table = aligned_alloc(8, (l->size + 7) / 8 * 8);
	struct ml_trees trees;
	__u64 offset = 0;

	memcpy(table, (void *)(uintptr_t)l->table, l->size);
	l->fault = ml_trees_verify(&trees, table, l->size, &fit, &offset);
	l->fault_offset = offset;
	if (l->fault) {
		free(table);
		return EINVAL;
	}
	free(fake.table);
	fake.table = table;
	fake.trees = trees;
	fake.stats.flags |= ML_STATS_TABLE;
	fake.stats.table_bytes = l->size;
	if (fake.stats.backend == ML_BACKEND_TREES)
		new_model();
	l->model = fake.stats.model;
	return 0;
}

static void describe(struct ml_describe *d)
{
	*d = (struct ml_describe){
		.abi = setting("FAKE_ABI") ?: ML_ABI_VERSION,
		.nr_features = NR_FEATURES,
		.nr_actions = NR_ACTIONS,
		.schema = SCHEMA,
		.sample_size = sizeof(struct ml_sample) + 16,
		.ring_size = 1 << 16,
		.nr_cpus = 1,
		.hint_slots = NR_CONTEXTS,
		.watchdog_ms = 1000,
		.backends = 0x1f & ~(1 << ML_BACKEND_RULE),
		.name = "demo",
		.reward_unit = "point",
	};
}

static int attach(void)
{
	if (setting("FAKE_BUSY"))
		return EBUSY;
	fake.stats.flags |= ML_STATS_ATTACHED;
	return pthread_create(&fake.thread, NULL, work, NULL);
}

/* The world before the drift counts once, the one after it too. */
static void tell_mode(void)
{
	if (fake.stats.mode == ML_MODE_RECOMMENDATION &&
	    fake.told_mode != ML_MODE_RECOMMENDATION &&
	    fake.rises == has_drifted())
		fake.rises++;
	fake.told_mode = fake.stats.mode;
}

static int answer(unsigned long request, void *arg)
{
	struct ml_entry *entry = arg;

	switch (request) {
	case ML_IOC_DESCRIBE:
		describe(arg);
		return 0;
	case ML_IOC_FEATURE:
		if (entry->index >= NR_FEATURES)
			return ENOENT;
		strcpy(entry->name, features[entry->index]);
		return 0;
	case ML_IOC_ACTION:
		if (entry->index >= NR_ACTIONS)
			return ENOENT;
		strcpy(entry->name, actions[entry->index]);
		return 0;
	case ML_IOC_STATS:
		fake.stats.time_ns += 1000000;
		tell_mode();
		memcpy(arg, &fake.stats, sizeof(fake.stats));
		return 0;
	case ML_IOC_CONTROL:
		return control(arg);
	case ML_IOC_ATTACH:
		return attach();
	case ML_IOC_LOAD:
		return load(arg);
	case ML_IOC_UNLOAD:
		return fake.table ? 0 : ENOENT;
	}
	return ENOTTY;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd != fake.fd)
		return __real_ioctl(fd, request, arg);
	pthread_mutex_lock(&fake.lock);
	errno = answer(request, arg);
	pthread_mutex_unlock(&fake.lock);
	return errno ? -1 : 0;
}
