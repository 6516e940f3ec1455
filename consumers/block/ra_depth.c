// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proxy "ra_depth": how many speculative reads, for the I/O scheduler ml.
 */
#include <linux/bits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/time64.h>

#include "pattern.h"
#include "ra_depth.h"

enum ra_depth_feature {
	RD_F_DEPTH,
	RD_F_DEMAND_SERVICE,
	RD_F_DEMAND_WAIT,
	RD_F_SPECULATIVE_SERVICE,
	RD_F_DEMAND_RATE,
	RD_F_DEMAND_HERE,
	RD_F_SPECULATIVE_HERE,
	RD_F_WRITES_HERE,
	RD_F_SPECULATIVE_SHARE,
	RD_F_SPECULATIVE_SIZE,
	RD_F_ROTATIONAL,
	RD_F_TAGS,
	RD_NR_FEATURES,
};

static const struct ml_feature ra_depth_features[RD_NR_FEATURES] = {
	[RD_F_DEPTH] = { "depth", "1", "what the rule says" },
	[RD_F_DEMAND_SERVICE] = { "demand_service", "lg16 us",
				  "mean service time of a demand read" },
	[RD_F_DEMAND_WAIT] = { "demand_wait", "lg16 us",
			       "mean wait of a demand read before that" },
	[RD_F_SPECULATIVE_SERVICE] = { "speculative_service", "lg16 us",
				       "mean service time of a speculative read" },
	[RD_F_DEMAND_RATE] = { "demand_rate", "lg16 1/s",
			       "demand reads completed in the last epoch" },
	[RD_F_DEMAND_HERE] = { "demand_here", "1", "queued and in flight" },
	[RD_F_SPECULATIVE_HERE] = { "speculative_here", "1",
				    "queued and in flight" },
	[RD_F_WRITES_HERE] = { "writes_here", "1", "queued and in flight" },
	[RD_F_SPECULATIVE_SHARE] = { "speculative_share", "1/1024",
				     "of the reads of the last epoch" },
	[RD_F_SPECULATIVE_SIZE] = { "speculative_size", "lg16 KiB",
				    "mean size of a speculative read" },
	[RD_F_ROTATIONAL] = { "rotational", "1", "the disk rotates" },
	[RD_F_TAGS] = { "tags", "1", "requests that the device takes" },
};

/* Action n is 2^(n-1) at a time */
static const struct ml_action ra_depth_actions[] = {
	{ "rule", "as many as keep the device busy" },
	{ "depth1", "1 speculative read at a time" },
	{ "depth2", "2" },
	{ "depth4", "4" },
	{ "depth8", "8" },
	{ "depth16", "16" },
	{ "depth32", "32" },
};

static const struct ml_proxy_desc ra_depth_desc = {
	.name = "ra_depth",
	.features = ra_depth_features,
	.nr_features = RD_NR_FEATURES,
	.actions = ra_depth_actions,
	.nr_actions = ARRAY_SIZE(ra_depth_actions),
	.reward_unit = "lg16",
	.reward_about = "- lg16(us a demand read was here) - lg16(us 64 KiB of speculation were)",
	.arm_slot_order = 27,
};

static DEFINE_ML_SITE(ra_depth_site);

/**
 * ra_depth_on() - is the proxy asked?
 *
 * Return: false while it is off; a NOP then.
 */
bool ra_depth_on(void)
{
	return ml_on(&ra_depth_site);
}

static u32 lg16_us(u32 us)
{
	return ra_lg16(min(us, ML_TIME_MAX_US));
}

/**
 * ra_depth_choose() - choose the number for the next epoch
 * @context: the queue, compared and never followed
 * @s: what the choice is made from
 * @decision: for ra_depth_observe()
 *
 * Context: Any but NMI.
 * Return: Speculative reads at a time.
 */
unsigned int ra_depth_choose(const void *context,
			     const struct ra_depth_state *s,
			     struct ml_decision *decision)
{
	u32 demand = s->reads[ML_DEMAND];
	u32 speculative = s->reads[ML_SPECULATIVE];
	s32 f[RD_NR_FEATURES] = {
		[RD_F_DEPTH] = s->rule,
		[RD_F_DEMAND_SERVICE] = lg16_us(s->demand_us),
		[RD_F_DEMAND_WAIT] = lg16_us(s->demand_wait_us),
		[RD_F_SPECULATIVE_SERVICE] = lg16_us(s->speculative_us),
		[RD_F_DEMAND_RATE] = ra_lg16(div64_u64(demand * NSEC_PER_SEC,
						       s->epoch_ns)),
		[RD_F_DEMAND_HERE] = s->here[ML_DEMAND],
		[RD_F_SPECULATIVE_HERE] = s->here[ML_SPECULATIVE],
		[RD_F_WRITES_HERE] = s->here[ML_WRITE],
		[RD_F_SPECULATIVE_SHARE] = speculative * RA_SHARE_ONE /
					   max(demand + speculative, 1U),
		[RD_F_SPECULATIVE_SIZE] =
			ra_lg16(div_u64(s->speculative_kb,
					max(speculative, 1U))),
		[RD_F_ROTATIONAL] = s->rotational,
		[RD_F_TAGS] = s->tags,
	};
	unsigned int action = ml_decide(&ra_depth_site, (unsigned long)context,
					f, decision);

	return action ? BIT(action - 1) : s->rule;
}

/**
 * ra_depth_observe() - tell how the last choice turned out
 * @decision: of ra_depth_choose(), not to be observed again
 * @reward: of ml_depth_reward()
 *
 * Context: Any but NMI.
 */
void ra_depth_observe(struct ml_decision *decision, s32 reward)
{
	ml_observe(&ra_depth_site, decision, reward);
	decision->id = 0;
}

/* On and off */

static bool ra_depth;
static bool ra_depth_created;

/* Writes of module parameters are serialised by the caller */
static int set_ra_depth(const char *val, const struct kernel_param *kp)
{
	bool on;
	int err;

	err = kstrtobool(val, &on);
	if (err || on == ra_depth)
		return err;
	if (ra_depth_created && on) {
		err = ml_start(&ra_depth_site);
		if (err)
			return err;
	} else if (ra_depth_created) {
		ml_stop(&ra_depth_site);
	}
	ra_depth = on;
	return 0;
}

static const struct kernel_param_ops ra_depth_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_ra_depth,
	.get = param_get_bool,
};

module_param_cb(ra_depth, &ra_depth_ops, &ra_depth, 0644);
MODULE_PARM_DESC(ra_depth, "ask the proxy ra_depth for hints (default: off)");

/**
 * ra_depth_init() - create the proxy
 *
 * Context: Process context, may sleep.
 * Return: 0 or an error; without the proxy the rule decides.
 */
int __init ra_depth_init(void)
{
	int err = ml_create(&ra_depth_site, &ra_depth_desc, NULL);

	if (err)
		return err;
	kernel_param_lock(THIS_MODULE);
	ra_depth_created = true;
	if (ra_depth)
		err = ml_start(&ra_depth_site);
	if (err)
		ra_depth = false;
	kernel_param_unlock(THIS_MODULE);
	return err;
}

/**
 * ra_depth_exit() - destroy the proxy
 *
 * Context: Process context, may sleep.
 */
void __init ra_depth_exit(void)
{
	kernel_param_lock(THIS_MODULE);
	ra_depth_created = false;
	ml_destroy(&ra_depth_site);
	kernel_param_unlock(THIS_MODULE);
}
