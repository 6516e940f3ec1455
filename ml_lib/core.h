/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the core share: the proxy and who may touch what. */
#ifndef _ML_LIB_CORE_H
#define _ML_LIB_CORE_H

#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/ml_lib.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "guard.h"
#include "hints.h"
#include "ring.h"
#include "trees.h"

/*
 * ml_proxy.word: all that a decision needs to know of the guard, the user and
 * the reader, in one load.
 */
#define ML_WORD_SHARE		GENMASK(3, 0)	/* sixteenths treated */
#define ML_WORD_MODE		GENMASK(5, 4)
#define ML_WORD_BACKEND		GENMASK(10, 8)
#define ML_WORD_SAMPLE_SHIFT	GENMASK(16, 12)
#define ML_WORD_RECORD		BIT(20)		/* an agent reads */

#define ML_SAMPLE_SHIFT_MAX	16

/* A decision's id: a count of its CPU above, the CPU's number below */
#define ML_ID_STEP		BIT_ULL(16)

/**
 * struct ml_cpu - a proxy's part on one CPU
 * @id: of the last decision
 * @decisions: by arm; the counts are told by struct ml_stats
 * @outcomes: by arm
 * @more_units: by arm; units of outcomes, the first of each not counted
 * @reward_sum: by arm, of the units
 * @unanswered: see struct ml_stats
 * @invalid_actions: see struct ml_stats
 * @clipped_rewards: see struct ml_stats
 * @context: that was hashed last
 * @context_id: its hash
 * @slot_draw: of the last decision, if arms are drawn by slot
 * @batch: rewards for the guard
 * @ring: records for user space; its tail is the reader's
 *
 * Written on its CPU with interrupts off; read from anywhere for statistics.
 */
struct ml_cpu {
	u64 id;
	u64 decisions[ML_NR_ARMS];
	u64 outcomes[ML_NR_ARMS];
	u64 more_units[ML_NR_ARMS];
	s64 reward_sum[ML_NR_ARMS];
	u64 unanswered;
	u64 invalid_actions;
	u64 clipped_rewards;
	u64 context;
	u64 context_id;
	u64 slot_draw;
	struct ml_batch batch;
	struct ml_ring ring;
};

/* A loaded tree table */
struct ml_table {
	struct rcu_head rcu;
	struct ml_trees trees;
	u32 size;
	u8 data[] __aligned(8);
};

/**
 * struct ml_proxy - the kernel's side of one model in one subsystem
 * @word: ML_WORD_*, written under @guard_lock
 * @trial: ml_guard.trial, written under @guard_lock
 * @model: generation of the model, written under @guard_lock
 * @nr_features: of the consumer
 * @nr_actions: of the consumer
 * @sample_size: bytes of a sample record
 * @arm_slot_order: of the consumer
 * @seed: of the arms' draw; fixed, so that a run can be repeated
 * @secret: that contexts are hashed with
 * @rule: of the consumer, or NULL
 * @cpu: the parts of the CPUs
 * @table: the loaded tree table or NULL, written under @mutex
 * @hints: written under @hint_mutex
 * @guard_lock: protects @guard; interrupts off
 * @guard: the mode machine
 * @tally: of all CPUs when @tally_trial began, used by @tick
 * @tally_trial: see @tally
 * @backend: written under @guard_lock
 * @sample_shift: written under @guard_lock
 * @hints_invalid: written under @guard_lock
 * @started: written under @guard_lock and @mutex
 * @paused: nothing is treated while a model is replaced, under @guard_lock
 * @fallen: the mode fell and the consumer's correct op does not know
 * @fall_reason: why it did
 * @kick: takes wake-ups and mode changes out of the hot path
 * @event_work: calls the consumer's correct op
 * @tick: watchdog, end of hold-off, late wake-ups
 * @watchdog_ns: of the consumer
 * @mutex: life cycle, attaching, loading, control
 * @read_mutex: the one reader of the rings
 * @hint_mutex: the one writer of the hints
 * @wait: the reader waits here
 * @agent: the file that is attached, or NULL; under @mutex
 * @read_first: the ring that the next read begins with, under @read_mutex
 * @hints_taken: written under @hint_mutex
 * @ring_order: of the consumer
 * @wake_bytes: fill level of a ring that wakes the reader, under @mutex
 * @dead: the consumer has gone; written under @mutex and @hint_mutex
 * @desc: of the consumer; not to be used when @dead
 * @priv: of the consumer
 * @info: what ML_IOC_DESCRIBE answers
 * @entries: features, then actions, as ML_IOC_FEATURE and _ACTION answer
 * @misc: the device
 * @misc_name: of the device's class entry
 * @node_name: below /dev
 * @node: in the list of proxies
 * @ref: of the consumer and of open files
 */
struct ml_proxy {
	u32 word;
	u32 trial;
	u32 model;
	u32 nr_features;
	u32 nr_actions;
	u32 sample_size;
	u32 arm_slot_order;
	u64 seed;
	siphash_key_t secret;
	unsigned int (*rule)(const s32 *features);
	struct ml_cpu __percpu *cpu;
	struct ml_table __rcu *table;
	struct ml_hints hints;

	raw_spinlock_t guard_lock ____cacheline_aligned_in_smp;
	struct ml_guard guard;
	struct ml_tally tally;
	u32 tally_trial;
	enum ml_backend backend;
	u32 sample_shift;
	u64 hints_invalid;
	bool started;
	bool paused;
	bool fallen;
	enum ml_reason fall_reason;
	struct irq_work kick;
	struct work_struct event_work;
	struct delayed_work tick;
	u64 watchdog_ns;

	struct mutex mutex;		/* life cycle, control */
	struct mutex read_mutex;	/* the one reader */
	struct mutex hint_mutex;	/* the one writer */
	wait_queue_head_t wait;
	struct file *agent;
	unsigned int read_first;
	u64 hints_taken;
	u32 ring_order;
	u32 wake_bytes;
	bool dead;
	const struct ml_proxy_desc *desc;
	void *priv;
	struct ml_describe info;
	struct ml_entry *entries;
	struct miscdevice misc;
	char misc_name[ML_NAME_LEN + 4];
	char node_name[ML_NAME_LEN + 4];
	struct list_head node;
	struct kref ref;
};

/* The guard, proxy.c */
enum ml_mode ml_guard_unlock(struct ml_proxy *proxy, enum ml_mode before)
	__releases(&proxy->guard_lock);
void ml_proxy_update_ready(struct ml_proxy *proxy, bool renew);
void ml_proxy_pause(struct ml_proxy *proxy);
bool ml_proxy_readable(struct ml_proxy *proxy);
void ml_proxy_put(struct ml_proxy *proxy);

/* The device, chardev.c */
int ml_chardev_add(struct ml_proxy *proxy);
void ml_chardev_remove(struct ml_proxy *proxy);

/*
 * The time of everything in the core: safe in any context. Records carry it
 * as CLOCK_MONOTONIC, from which it strays by a few ns at most.
 */
static inline u64 ml_now(void)
{
	return ktime_get_mono_fast_ns();
}

#endif /* _ML_LIB_CORE_H */
