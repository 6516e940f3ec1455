/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ML_LIB: a subsystem asks a learned model for a bounded, expiring hint.
 *
 * A consumer declares what it can be told (a struct ml_proxy_desc), has one
 * DEFINE_ML_SITE() beside its call sites, and calls ml_decide() and, when it
 * knows how the decision turned out, ml_observe(). Documentation/ml_lib/
 * consumer.rst is the walk-through; ml_lib/ml_demo.c is the example to copy.
 */
#ifndef _LINUX_ML_LIB_H
#define _LINUX_ML_LIB_H

#include <linux/jump_label.h>
#include <linux/kconfig.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <uapi/linux/ml_lib.h>

struct module;
struct ml_proxy;

/**
 * struct ml_feature - one integer that a decision depends on
 * @name: short, lower case, unique within the proxy
 * @unit: of the value, "1" for a bare number
 * @about: one line for people
 *
 * Features are s32. Keep them within +-2^24: XGBoost computes in float32 and
 * larger values lose their last bits there. Scale or saturate.
 */
struct ml_feature {
	const char *name;
	const char *unit;
	const char *about;
};

/**
 * struct ml_action - one of the few things a consumer can do
 * @name: short, lower case, unique within the proxy
 * @about: one line for people
 *
 * The first action of a proxy is what the stock kernel does.
 */
struct ml_action {
	const char *name;
	const char *about;
};

/**
 * struct ml_ops - what the core asks of a consumer; each may be NULL
 */
struct ml_ops {
	/**
	 * @correct: The model has lost a mode, for @reason; @mode is that of
	 * now, which may be a higher one again. Put right what its actions may
	 * have left behind. Called from a workqueue, may sleep, never after
	 * ml_destroy() has returned. The decisions already follow the new
	 * mode. Default: nothing.
	 */
	void (*correct)(void *priv, enum ml_mode mode, enum ml_reason reason);

	/**
	 * @rule: The best rule people can write for the same features; it is
	 * run as ML_BACKEND_RULE and judged as a model would be. Called from
	 * ml_decide() with interrupts off: no sleeping, bounded. Returns an
	 * action. Default: there is no such backend.
	 */
	unsigned int (*rule)(const s32 *features);
};

/**
 * struct ml_proxy_desc - what a consumer declares, as const data
 * @name: of the proxy and of its device, /dev/ml/<name>; [a-z0-9_-]
 * @features: in the order of ml_decide()'s array
 * @nr_features: 1 .. ML_MAX_FEATURES
 * @actions: action 0 is what the stock kernel does
 * @nr_actions: 2 .. ML_MAX_ACTIONS
 * @reward_unit: of the reward; larger is better
 * @reward_about: how it is computed, one line
 * @ops: may be NULL
 * @ring_order: log2 of the ring's bytes per CPU, 12 .. 22; 0: 16 (64 KiB)
 * @hint_order: log2 of the hint table's bytes, 8 .. 20; 0: 16 (3072 hints)
 * @watchdog_ms: silence of the agent that is an emergency, 10 ..; 0: 1000
 * @arm_slot_order: what draws an arm, and a random action. 0: every decision
 *	for itself. 10 .. 40: all decisions of a context within the same 2^n ns
 *	share them. For a consumer whose decision shows in the rewards of the
 *	context's next ones.
 */
struct ml_proxy_desc {
	const char *name;
	const struct ml_feature *features;
	const struct ml_action *actions;
	const char *reward_unit;
	const char *reward_about;
	const struct ml_ops *ops;
	u16 nr_features;
	u16 nr_actions;
	u8 ring_order;
	u8 hint_order;
	u8 arm_slot_order;
	u32 watchdog_ms;
};

/**
 * struct ml_decision - a decision, kept by the consumer until ml_observe()
 * @id: names it in the records; 0: the proxy was off, nothing to observe
 * @trial: the guard's trial it belongs to
 * @action: what to do; 0 is what the stock kernel does
 * @arm: enum ml_arm
 * @flags: private to the core
 */
struct ml_decision {
	u64 id;
	u32 trial;
	u16 action;
	u8 arm;
	u8 flags;
};

/**
 * struct ml_site - a consumer's end of its proxy
 * @key: off as long as the proxy is not started: ml_decide() is a NOP then
 * @proxy: NULL while there is none
 */
struct ml_site {
	struct static_key_false key;
	struct ml_proxy __rcu *proxy;
};

#define DEFINE_ML_SITE(name) \
	struct ml_site name = { .key = STATIC_KEY_FALSE_INIT }
#define DECLARE_ML_SITE(name) extern struct ml_site name

#if IS_REACHABLE(CONFIG_ML_LIB)

int ml_create(struct ml_site *site, const struct ml_proxy_desc *desc,
	      void *priv);
void ml_destroy(struct ml_site *site);
int ml_start(struct ml_site *site);
void ml_stop(struct ml_site *site);
int ml_reinit(struct ml_site *site);
void ml_alarm(struct ml_site *site);

unsigned int __ml_decide(struct ml_site *site, u64 context,
			 const s32 *features, struct ml_decision *decision);
void __ml_observe(struct ml_site *site, const struct ml_decision *decision,
		  s32 reward);
void __ml_observe_many(struct ml_site *site, const struct ml_decision *decision,
		       s32 reward, unsigned int n);

/**
 * ml_on() - is the proxy started?
 * @site: the consumer's site, a compile-time constant address
 *
 * For a consumer that computes features only when somebody wants them.
 *
 * Context: Any. One NOP, patched to a jump while the proxy is started.
 * Return: true if ml_decide() is worth its features.
 */
#define ml_on(site) static_branch_unlikely(&(site)->key)

/**
 * ml_decide() - choose an action
 * @site: the consumer's site, a compile-time constant address
 * @context: what hints are for, e.g. a file; may be a pointer, it is hashed
 *	with a secret before user space sees it
 * @features: as many as the proxy declares
 * @decision: filled in; keep it for ml_observe()
 *
 * Context: Any but NMI, where RCU is watching. Does not sleep, allocate or
 * wait.
 * Return: The action; 0, what the stock kernel does, whenever in doubt.
 */
static __always_inline unsigned int
ml_decide(struct ml_site *site, u64 context, const s32 *features,
	  struct ml_decision *decision)
{
	if (!ml_on(site)) {
		decision->id = 0;
		return 0;
	}
	return __ml_decide(site, context, features, decision);
}

/**
 * ml_observe() - tell how a decision turned out
 * @site: the consumer's site, a compile-time constant address
 * @decision: from ml_decide()
 * @reward: in the proxy's unit, larger is better; clipped to
 *	+-ML_REWARD_LIMIT
 *
 * At most once for a decision, on any CPU, at any later time.
 *
 * Context: Any but NMI. Does not sleep, allocate or wait.
 */
static __always_inline void
ml_observe(struct ml_site *site, const struct ml_decision *decision,
	   s32 reward)
{
	if (ml_on(site) && decision->id)
		__ml_observe(site, decision, reward);
}

/**
 * ml_observe_many() - tell how a decision about many units turned out
 * @site: the consumer's site, a compile-time constant address
 * @decision: from ml_decide()
 * @reward: mean reward of the @n units that the decision was about; see
 *	ml_observe()
 * @n: pages, requests: what the reward is a mean of; 1 .. ML_UNITS_MAX, clamped
 *
 * Instead of ml_observe(), which is the same with one unit. A decision about
 * more units counts more where a mean is taken: in the statistics, in training,
 * and in the mean of a slot (struct ml_proxy_desc.arm_slot_order). Without
 * slots the guard compares decisions: there a reward is one reward, whatever
 * @n is.
 *
 * Context: Any but NMI. Does not sleep, allocate or wait.
 */
static __always_inline void
ml_observe_many(struct ml_site *site, const struct ml_decision *decision,
		s32 reward, unsigned int n)
{
	if (ml_on(site) && decision->id)
		__ml_observe_many(site, decision, reward, n);
}

#else /* !CONFIG_ML_LIB */

static inline int ml_create(struct ml_site *site,
			    const struct ml_proxy_desc *desc, void *priv)
{
	return 0;
}

static inline void ml_destroy(struct ml_site *site) {}
static inline int ml_start(struct ml_site *site) { return 0; }
static inline void ml_stop(struct ml_site *site) {}
static inline int ml_reinit(struct ml_site *site) { return 0; }
static inline void ml_alarm(struct ml_site *site) {}

#define ml_on(site) ((void)(site), false)

static inline unsigned int
ml_decide(struct ml_site *site, u64 context, const s32 *features,
	  struct ml_decision *decision)
{
	decision->id = 0;
	return 0;
}

static inline void ml_observe(struct ml_site *site,
			      const struct ml_decision *decision, s32 reward)
{
}

static inline void ml_observe_many(struct ml_site *site,
				   const struct ml_decision *decision,
				   s32 reward, unsigned int n)
{
}

#endif /* CONFIG_ML_LIB */
#endif /* _LINUX_ML_LIB_H */
