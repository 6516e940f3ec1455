// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a proxy, and the one place where the guard's mode takes effect.
 */
#include <linux/bitfield.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/ml_lib.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include <trace/events/ml_lib.h>

#include "core.h"

/**
 * DOC: A proxy's life
 *
 * ml_create() makes it, with its device but switched off; ml_start() and
 * ml_stop() switch the consumer's call sites on and off; ml_reinit() forgets
 * what was learnt; ml_destroy() ends it. Switched off, a call site is a NOP.
 *
 * The consumer owns one reference and every open file another. ml_destroy()
 * takes the proxy from its site, waits for the decisions that are under way
 * (they run with interrupts off, so an RCU grace period is enough) and for the
 * consumer's correct op, and from then on nothing of the consumer is touched.
 * The files live on; each of their calls gets ENODEV.
 *
 * Locks, outer first: mutex; read_mutex or hint_mutex; guard_lock. The hot path
 * takes none but guard_lock, and that only if nobody holds it.
 */

static atomic_t first_trial;
static DEFINE_MUTEX(proxies_mutex);
static LIST_HEAD(proxies);

/*
 * Let decisions follow the guard. Caller holds guard_lock. Most calls change
 * nothing, and then the hot path's cache line is left alone.
 */
static void publish(struct ml_proxy *proxy)
{
	const struct ml_guard *guard = &proxy->guard;
	u32 share = proxy->paused ? 0 : ml_mode_share[guard->mode];
	u32 word = FIELD_PREP(ML_WORD_SHARE, share) |
		   FIELD_PREP(ML_WORD_MODE, guard->mode) |
		   FIELD_PREP(ML_WORD_BACKEND, proxy->backend) |
		   FIELD_PREP(ML_WORD_SAMPLE_SHIFT, proxy->sample_shift) |
		   (proxy->word & ML_WORD_RECORD);

	if (word != proxy->word) {
		/* Maybe the first with RECORD that a CPU sees, see record() */
		smp_store_release(&proxy->word, word);
	}
	if (guard->trial != proxy->trial) {
		/* After the word, see draw_and_act() */
		smp_store_release(&proxy->trial, guard->trial);
	}
}

/**
 * ml_guard_unlock() - let go of the guard and let its mode take effect
 * @proxy: its guard_lock is held, interrupts are off
 * @before: the guard's mode when the lock was taken
 *
 * Return: The mode now.
 */
enum ml_mode ml_guard_unlock(struct ml_proxy *proxy, enum ml_mode before)
	__releases(&proxy->guard_lock)
{
	enum ml_mode mode = proxy->guard.mode;
	enum ml_reason reason = proxy->guard.reason;

	publish(proxy);
	if (mode < before) {
		proxy->fallen = true;
		proxy->fall_reason = reason;
	}
	raw_spin_unlock(&proxy->guard_lock);
	if (mode != before) {
		trace_ml_mode(proxy->info.name, before, mode, reason);
		irq_work_queue(&proxy->kick);
	}
	return mode;
}

static bool backend_ready(const struct ml_proxy *proxy)
{
	switch (proxy->backend) {
	case ML_BACKEND_AGENT:
		return READ_ONCE(proxy->agent);
	case ML_BACKEND_TREES:
		return rcu_access_pointer(proxy->table);
	case ML_BACKEND_RULE:
	case ML_BACKEND_RANDOM:
		return true;
	default:
		return false;
	}
}

/**
 * ml_proxy_update_ready() - tell the guard whether there is a model
 * @proxy: whose agent, table, backend or state has changed
 * @renew: and it is another model than before
 *
 * Context: Process; caller holds @proxy's mutex.
 */
void ml_proxy_update_ready(struct ml_proxy *proxy, bool renew)
{
	bool ready = proxy->started && backend_ready(proxy);
	enum ml_mode before;
	u64 now;

	raw_spin_lock_irq(&proxy->guard_lock);
	now = ml_now();
	before = proxy->guard.mode;
	proxy->paused = false;
	if (renew) {
		proxy->model++;
		if (ready)
			ml_guard_new_model(&proxy->guard, now);
	}
	ml_guard_ready(&proxy->guard, ready, now);
	ml_guard_unlock(proxy, before);
	local_irq_enable();
}

/**
 * ml_proxy_pause() - treat no decision until ml_proxy_update_ready()
 * @proxy: whose model is about to be replaced
 *
 * So that a new model never decides with what the old one had earned.
 *
 * Context: Process; caller holds @proxy's mutex.
 */
void ml_proxy_pause(struct ml_proxy *proxy)
{
	raw_spin_lock_irq(&proxy->guard_lock);
	proxy->paused = true;
	publish(proxy);
	raw_spin_unlock_irq(&proxy->guard_lock);
}

/* Hard-irq context, at most once for any number of requests meanwhile */
static void kick(struct irq_work *work)
{
	struct ml_proxy *proxy = container_of(work, struct ml_proxy, kick);

	wake_up_interruptible_poll(&proxy->wait, EPOLLIN | EPOLLRDNORM);
	if (READ_ONCE(proxy->fallen))
		schedule_work(&proxy->event_work);
}

static void event(struct work_struct *work)
{
	struct ml_proxy *proxy = container_of(work, struct ml_proxy,
					      event_work);
	enum ml_reason reason;
	enum ml_mode mode;
	bool fallen;

	raw_spin_lock_irq(&proxy->guard_lock);
	fallen = proxy->fallen;
	mode = proxy->guard.mode;
	reason = proxy->fall_reason;
	WRITE_ONCE(proxy->fallen, false);
	raw_spin_unlock_irq(&proxy->guard_lock);

	if (fallen && proxy->desc->ops && proxy->desc->ops->correct)
		proxy->desc->ops->correct(proxy->priv, mode, reason);
}

/**
 * ml_proxy_readable() - is there a record to read?
 * @proxy: whose agent asks
 *
 * Return: true if so.
 */
bool ml_proxy_readable(struct ml_proxy *proxy)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (ml_ring_readable(&per_cpu_ptr(proxy->cpu, cpu)->ring))
			return true;
	return false;
}

/* Over all CPUs: a reward may come on another one than its decision */
static struct ml_tally tally_up(struct ml_proxy *proxy)
{
	struct ml_tally tally = {};
	unsigned int i, arm;

	for_each_possible_cpu(i) {
		const struct ml_cpu *cpu = per_cpu_ptr(proxy->cpu, i);

		for (arm = 0; arm < ML_NR_ARMS; arm++) {
			tally.asked[arm] += READ_ONCE(cpu->decisions[arm]);
			tally.told[arm] += READ_ONCE(cpu->outcomes[arm]);
		}
	}
	return tally;
}

/* Caller holds guard_lock */
static void watch_attrition(struct ml_proxy *proxy, struct ml_tally tally,
			    u64 now)
{
	unsigned int arm;

	if (proxy->tally_trial != proxy->guard.trial) {
		proxy->tally_trial = proxy->guard.trial;
		proxy->tally = tally;
		return;
	}
	for (arm = 0; arm < ML_NR_ARMS; arm++) {
		tally.asked[arm] -= proxy->tally.asked[arm];
		tally.told[arm] -= proxy->tally.told[arm];
	}
	ml_guard_attrition(&proxy->guard, &tally, now);
}

static void tick(struct work_struct *work)
{
	struct ml_proxy *proxy = container_of(work, struct ml_proxy, tick.work);
	struct ml_tally tally = tally_up(proxy);
	enum ml_reason reason;
	enum ml_mode before;
	u64 now, alive;

	raw_spin_lock_irq(&proxy->guard_lock);
	/* Under the lock: what others wrote there is not later than this */
	now = ml_now();
	before = proxy->guard.mode;
	alive = proxy->guard.alive;
	ml_guard_tick(&proxy->guard, proxy->backend == ML_BACKEND_AGENT ?
		      proxy->watchdog_ns : 0, now);
	watch_attrition(proxy, tally, now);
	reason = proxy->guard.reason;
	if (ml_guard_unlock(proxy, before) != before &&
	    reason == ML_REASON_STALE)
		trace_ml_watchdog(proxy->info.name, now - alive);
	local_irq_enable();

	/* Records too few to wake the reader are no more than this late */
	if (wq_has_sleeper(&proxy->wait) && ml_proxy_readable(proxy))
		wake_up_interruptible_poll(&proxy->wait,
					   EPOLLIN | EPOLLRDNORM);
	queue_delayed_work(system_wq, &proxy->tick,
			   nsecs_to_jiffies(proxy->watchdog_ns) / 4 + 1);
}

static bool name_ok(const char *name)
{
	size_t len = 0;

	if (!name)
		return false;
	for (; name[len]; len++)
		if (len == ML_NAME_LEN - 1 ||
		    !isascii(name[len]) ||
		    !(islower(name[len]) || isdigit(name[len]) ||
		      name[len] == '-' || name[len] == '_'))
			return false;
	return len;
}

static bool desc_ok(const struct ml_proxy_desc *desc)
{
	unsigned int i, j;

	if (!name_ok(desc->name) || !desc->features || !desc->actions ||
	    !desc->nr_features || desc->nr_features > ML_MAX_FEATURES ||
	    desc->nr_actions < 2 || desc->nr_actions > ML_MAX_ACTIONS)
		return false;
	if (desc->watchdog_ms && desc->watchdog_ms < 10)
		return false;
	if ((desc->ring_order &&
	     (desc->ring_order < 12 || desc->ring_order > 22)) ||
	    (desc->hint_order &&
	     (desc->hint_order < 8 || desc->hint_order > 20)) ||
	    (desc->arm_slot_order &&
	     (desc->arm_slot_order < 10 || desc->arm_slot_order > 40)))
		return false;
	for (i = 0; i < desc->nr_features; i++) {
		if (!name_ok(desc->features[i].name))
			return false;
		for (j = 0; j < i; j++)
			if (!strcmp(desc->features[i].name,
				    desc->features[j].name))
				return false;
	}
	for (i = 0; i < desc->nr_actions; i++) {
		if (!name_ok(desc->actions[i].name))
			return false;
		for (j = 0; j < i; j++)
			if (!strcmp(desc->actions[i].name,
				    desc->actions[j].name))
				return false;
	}
	return true;
}

/* FNV-1a, the terminating zero included, so that "ab" "c" is not "a" "bc" */
static u64 hash_name(u64 hash, const char *name)
{
	do {
		hash = (hash ^ (u8)*name) * 0x100000001b3ULL;
	} while (*name++);
	return hash;
}

static void describe(struct ml_proxy *proxy, const struct ml_proxy_desc *desc)
{
	struct ml_describe *info = &proxy->info;
	u64 schema = hash_name(0xcbf29ce484222325ULL, desc->name);
	struct ml_entry *entry = proxy->entries;
	unsigned int i;

	for (i = 0; i < desc->nr_features; i++, entry++) {
		const struct ml_feature *feature = &desc->features[i];

		entry->index = i;
		strscpy(entry->name, feature->name);
		strscpy(entry->unit, feature->unit ?: "");
		strscpy(entry->about, feature->about ?: "");
		schema = hash_name(schema, feature->name);
		schema = hash_name(schema, entry->unit);
	}
	schema = hash_name(schema, "");
	for (i = 0; i < desc->nr_actions; i++, entry++) {
		const struct ml_action *action = &desc->actions[i];

		entry->index = i;
		strscpy(entry->name, action->name);
		strscpy(entry->about, action->about ?: "");
		schema = hash_name(schema, action->name);
	}
	info->abi = ML_ABI_VERSION;
	info->nr_features = desc->nr_features;
	info->nr_actions = desc->nr_actions;
	info->schema = schema;
	info->sample_size = proxy->sample_size;
	info->ring_size = 1U << proxy->ring_order;
	info->nr_cpus = num_possible_cpus();
	info->hint_slots = ML_HINT_WAYS << proxy->hints.order;
	info->watchdog_ms = desc->watchdog_ms ?: 1000;
	info->backends = BIT(ML_BACKEND_NONE) | BIT(ML_BACKEND_AGENT) |
			 BIT(ML_BACKEND_TREES) | BIT(ML_BACKEND_RANDOM);
	if (proxy->rule)
		info->backends |= BIT(ML_BACKEND_RULE);
	strscpy(info->name, desc->name);
	strscpy(info->reward_unit, desc->reward_unit ?: "");
	strscpy(info->reward_about, desc->reward_about ?: "");
}

static void release_proxy(struct kref *ref)
{
	struct ml_proxy *proxy = container_of(ref, struct ml_proxy, ref);
	unsigned int cpu;

	if (proxy->cpu)
		for_each_possible_cpu(cpu)
			kvfree(per_cpu_ptr(proxy->cpu, cpu)->ring.data);
	free_percpu(proxy->cpu);
	kvfree(rcu_dereference_protected(proxy->table, true));
	kvfree(proxy->hints.sets);
	kfree(proxy->entries);
	kfree(proxy);
}

/**
 * ml_proxy_put() - let go of a reference
 * @proxy: the proxy
 */
void ml_proxy_put(struct ml_proxy *proxy)
{
	kref_put(&proxy->ref, release_proxy);
}

static struct ml_proxy *new_proxy(const struct ml_proxy_desc *desc, void *priv)
{
	u32 hint_order = (desc->hint_order ?: 16) -
			 ilog2(sizeof(struct ml_hint_set));
	struct ml_proxy *proxy;
	unsigned int cpu;

	proxy = kzalloc(sizeof(*proxy), GFP_KERNEL);
	if (!proxy)
		return NULL;
	kref_init(&proxy->ref);
	proxy->entries = kcalloc(desc->nr_features + desc->nr_actions,
				 sizeof(*proxy->entries), GFP_KERNEL);
	proxy->cpu = alloc_percpu(struct ml_cpu);
	proxy->hints.order = hint_order;
	proxy->hints.sets = kvcalloc(1U << hint_order,
				     sizeof(*proxy->hints.sets), GFP_KERNEL);
	if (!proxy->entries || !proxy->cpu || !proxy->hints.sets) {
		ml_proxy_put(proxy);
		return NULL;
	}

	for_each_possible_cpu(cpu)
		per_cpu_ptr(proxy->cpu, cpu)->id = cpu;
	proxy->nr_features = desc->nr_features;
	proxy->nr_actions = desc->nr_actions;
	proxy->sample_size = ALIGN(struct_size_t(struct ml_sample, features,
						 desc->nr_features), 8);
	proxy->arm_slot_order = desc->arm_slot_order;
	proxy->ring_order = desc->ring_order ?: 16;
	proxy->wake_bytes = (1U << proxy->ring_order) / 4;
	proxy->watchdog_ns = (desc->watchdog_ms ?: 1000) * (u64)NSEC_PER_MSEC;
	proxy->rule = desc->ops ? desc->ops->rule : NULL;
	proxy->desc = desc;
	proxy->priv = priv;
	describe(proxy, desc);
	proxy->seed = proxy->info.schema;
	get_random_bytes(&proxy->secret, sizeof(proxy->secret));

	raw_spin_lock_init(&proxy->guard_lock);
	mutex_init(&proxy->mutex);
	mutex_init(&proxy->read_mutex);
	mutex_init(&proxy->hint_mutex);
	init_waitqueue_head(&proxy->wait);
	init_irq_work(&proxy->kick, kick);
	INIT_WORK(&proxy->event_work, event);
	INIT_DELAYED_WORK(&proxy->tick, tick);
	/* What was decided in another proxy's time must not count in this one */
	proxy->guard.trial = atomic_add_return(1 << 16, &first_trial);
	ml_guard_init(&proxy->guard, ml_now());
	publish(proxy);
	return proxy;
}

static int add_to_list(struct ml_proxy *proxy)
{
	struct ml_proxy *other;
	int err = 0;

	mutex_lock(&proxies_mutex);
	list_for_each_entry(other, &proxies, node)
		if (!strcmp(other->info.name, proxy->info.name))
			err = -EEXIST;
	if (!err)
		list_add(&proxy->node, &proxies);
	mutex_unlock(&proxies_mutex);
	return err;
}

static void remove_from_list(struct ml_proxy *proxy)
{
	mutex_lock(&proxies_mutex);
	list_del(&proxy->node);
	mutex_unlock(&proxies_mutex);
}

/* The caller serialises the calls on one site */
static struct ml_proxy *site_proxy(struct ml_site *site)
{
	return rcu_dereference_protected(site->proxy, true);
}

/**
 * ml_create() - make a proxy, switched off
 * @site: that gets it; must have none
 * @desc: what it is; stays valid until ml_destroy()
 * @priv: for the consumer's ops
 *
 * The life-cycle calls on one site must not run at the same time.
 *
 * Context: Process, may sleep.
 * Return: 0, -EINVAL for a description out of bounds, -EEXIST for a name that
 * is taken, -EBUSY for a site that has a proxy, -ENOMEM, or what registering
 * the device said.
 */
int ml_create(struct ml_site *site, const struct ml_proxy_desc *desc,
	      void *priv)
{
	struct ml_proxy *proxy;
	int err;

	if (!desc_ok(desc))
		return -EINVAL;
	if (site_proxy(site))
		return -EBUSY;
	proxy = new_proxy(desc, priv);
	if (!proxy)
		return -ENOMEM;
	err = add_to_list(proxy);
	if (err)
		goto err_put;
	err = ml_chardev_add(proxy);
	if (err)
		goto err_list;
	rcu_assign_pointer(site->proxy, proxy);
	return 0;

err_list:
	remove_from_list(proxy);
err_put:
	ml_proxy_put(proxy);
	return err;
}
EXPORT_SYMBOL_GPL(ml_create);

/**
 * ml_start() - switch the consumer's call sites on
 * @site: has a proxy
 *
 * Context: Process, may sleep; takes the locks of static_branch_enable(), so
 * not under cpus_write_lock or a cpufreq policy's rwsem.
 * Return: 0, -ENODEV without a proxy, -EALREADY if it is started.
 */
int ml_start(struct ml_site *site)
{
	struct ml_proxy *proxy = site_proxy(site);

	if (!proxy)
		return -ENODEV;
	mutex_lock(&proxy->mutex);
	if (proxy->started) {
		mutex_unlock(&proxy->mutex);
		return -EALREADY;
	}
	proxy->started = true;
	ml_proxy_update_ready(proxy, false);
	mutex_unlock(&proxy->mutex);
	queue_delayed_work(system_wq, &proxy->tick, 1);
	static_branch_enable(&site->key);
	return 0;
}
EXPORT_SYMBOL_GPL(ml_start);

/**
 * ml_stop() - switch the consumer's call sites off
 * @site: may be stopped, or without a proxy, already
 *
 * Decisions that were under way have ended when it returns, but for a task
 * that was preempted between the call site's branch and the call: that one gets
 * the stock action later. Open files, the table, the hints and the counts stay;
 * the mode is emergency.
 *
 * Context: Process, may sleep; see ml_start().
 */
void ml_stop(struct ml_site *site)
{
	struct ml_proxy *proxy = site_proxy(site);
	enum ml_mode before;

	if (!proxy || !proxy->started)
		return;
	static_branch_disable(&site->key);
	synchronize_rcu();
	cancel_delayed_work_sync(&proxy->tick);
	mutex_lock(&proxy->mutex);
	proxy->started = false;
	ml_proxy_update_ready(proxy, false);
	raw_spin_lock_irq(&proxy->guard_lock);
	before = proxy->guard.mode;
	proxy->guard.reason = ML_REASON_STOP;
	ml_guard_unlock(proxy, before);
	local_irq_enable();
	mutex_unlock(&proxy->mutex);
	/* No tick does it any more */
	wake_up_interruptible_poll(&proxy->wait, EPOLLIN | EPOLLRDNORM);
}
EXPORT_SYMBOL_GPL(ml_stop);

static void forget(struct ml_proxy *proxy)
{
	unsigned int i;

	for_each_possible_cpu(i) {
		struct ml_cpu *cpu = per_cpu_ptr(proxy->cpu, i);

		/* Not the id: an agent may still hold records of old ones */
		memset(cpu->decisions, 0, sizeof(cpu->decisions));
		memset(cpu->outcomes, 0, sizeof(cpu->outcomes));
		memset(cpu->more_units, 0, sizeof(cpu->more_units));
		memset(cpu->reward_sum, 0, sizeof(cpu->reward_sum));
		cpu->unanswered = 0;
		cpu->invalid_actions = 0;
		cpu->clipped_rewards = 0;
		cpu->batch = (struct ml_batch) {};
	}
	mutex_lock(&proxy->hint_mutex);
	ml_hints_clear(&proxy->hints);
	proxy->hints_taken = 0;
	mutex_unlock(&proxy->hint_mutex);
	raw_spin_lock_irq(&proxy->guard_lock);
	proxy->hints_invalid = 0;
	ml_guard_init(&proxy->guard, ml_now());
	publish(proxy);
	raw_spin_unlock_irq(&proxy->guard_lock);
}

/**
 * ml_reinit() - as if it had just been created
 * @site: has a proxy; is stopped meanwhile if it was started
 *
 * Forgets counts, evidence, hints, and the user's cap and pin. The device,
 * the attached agent, its records and their counts, the backend and the loaded
 * table stay.
 *
 * Context: Process, may sleep; see ml_start().
 * Return: 0 or -ENODEV without a proxy.
 */
int ml_reinit(struct ml_site *site)
{
	struct ml_proxy *proxy = site_proxy(site);
	bool started;

	if (!proxy)
		return -ENODEV;
	started = proxy->started;
	ml_stop(site);
	mutex_lock(&proxy->mutex);
	forget(proxy);
	mutex_unlock(&proxy->mutex);
	return started ? ml_start(site) : 0;
}
EXPORT_SYMBOL_GPL(ml_reinit);

/**
 * ml_alarm() - the consumer sees that things go wrong
 * @site: the consumer's site
 *
 * The mode is emergency when it returns, and stays so for the hold-off.
 *
 * Context: Any but NMI; not from within the rule or correct op.
 */
void ml_alarm(struct ml_site *site)
{
	struct ml_proxy *proxy;
	enum ml_mode before;
	unsigned long flags;

	local_irq_save(flags);
	proxy = rcu_dereference_sched(site->proxy);
	if (proxy) {
		raw_spin_lock(&proxy->guard_lock);
		before = proxy->guard.mode;
		ml_guard_emergency(&proxy->guard, ML_REASON_ALARM, ml_now());
		ml_guard_unlock(proxy, before);
	}
	local_irq_restore(flags);
}
EXPORT_SYMBOL_GPL(ml_alarm);

/**
 * ml_destroy() - end a proxy
 * @site: may have none
 *
 * When it returns no op of the consumer runs or will run, and call sites that
 * go on deciding get the stock action.
 *
 * Context: Process, may sleep; see ml_start().
 */
void ml_destroy(struct ml_site *site)
{
	struct ml_proxy *proxy = site_proxy(site);

	if (!proxy)
		return;
	ml_stop(site);
	ml_chardev_remove(proxy);
	remove_from_list(proxy);
	rcu_assign_pointer(site->proxy, NULL);
	/* Both locks: neither an ioctl nor a writer moves the guard after this */
	mutex_lock(&proxy->mutex);
	mutex_lock(&proxy->hint_mutex);
	proxy->dead = true;
	mutex_unlock(&proxy->hint_mutex);
	mutex_unlock(&proxy->mutex);
	synchronize_rcu();
	irq_work_sync(&proxy->kick);
	flush_work(&proxy->event_work);
	wake_up_interruptible_poll(&proxy->wait, EPOLLHUP | EPOLLERR);
	ml_proxy_put(proxy);
}
EXPORT_SYMBOL_GPL(ml_destroy);

MODULE_DESCRIPTION("Learned hints for kernel decisions");
MODULE_LICENSE("GPL");
