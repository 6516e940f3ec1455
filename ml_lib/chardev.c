// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ml/<proxy>: what a proxy's agent reads, writes and asks.
 */
#include <linux/bitfield.h>
#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/ml_lib.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <trace/events/ml_lib.h>

#include "core.h"

/**
 * DOC: The device
 *
 * One misc device a proxy, mode 0600. Any number of files may be open: to
 * watch (describe, stats) a file open for reading is enough, to control (modes,
 * backend, tables) one open for writing. One of them at a time is attached as
 * the agent; only that one reads records and writes hints.
 *
 * All that user space says is checked here: sizes, flags, indices and ranges
 * of the structs; hints one by one in ml_hint_check(); tables as a whole in
 * ml_trees_verify(), on a copy that user space cannot change any more.
 */

/* The layout is ABI: no hole, no surprise on another architecture */
static_assert(sizeof(struct ml_record) == 8);
static_assert(sizeof(struct ml_sample) == 48);
static_assert(sizeof(struct ml_outcome) == 32);
static_assert(sizeof(struct ml_lost) == 24);
static_assert(sizeof(struct ml_hint) == 16);
static_assert(sizeof(struct ml_describe) == 184);
static_assert(sizeof(struct ml_entry) == 152);
static_assert(sizeof(struct ml_stats) == 264);
static_assert(sizeof(struct ml_control) == 24);
static_assert(sizeof(struct ml_load) == 32);
static_assert(offsetof(struct ml_sample, features) == sizeof(struct ml_sample));

static struct ml_proxy *proxy_of(struct file *file)
{
	return file->private_data;
}

static bool attached(struct file *file)
{
	return READ_ONCE(proxy_of(file)->agent) == file;
}

static int ml_open(struct inode *inode, struct file *file)
{
	/* misc_open() holds its mutex, so the consumer's reference is there */
	struct ml_proxy *proxy = container_of(file->private_data,
					      struct ml_proxy, misc);

	kref_get(&proxy->ref);
	file->private_data = proxy;
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

static void record(struct ml_proxy *proxy, bool on)
{
	raw_spin_lock_irq(&proxy->guard_lock);
	/* The rings' memory is there before; see draw_and_act() */
	smp_store_release(&proxy->word, on ? proxy->word | ML_WORD_RECORD :
					     proxy->word & ~ML_WORD_RECORD);
	raw_spin_unlock_irq(&proxy->guard_lock);
}

static void detach(struct ml_proxy *proxy)
{
	WRITE_ONCE(proxy->agent, NULL);
	record(proxy, false);
	if (proxy->dead)
		return;
	if (proxy->backend == ML_BACKEND_AGENT)
		ml_proxy_update_ready(proxy, false);
	mutex_lock(&proxy->hint_mutex);
	ml_hints_clear(&proxy->hints);
	mutex_unlock(&proxy->hint_mutex);
}

static int ml_release(struct inode *inode, struct file *file)
{
	struct ml_proxy *proxy = proxy_of(file);

	mutex_lock(&proxy->mutex);
	if (attached(file))
		detach(proxy);
	mutex_unlock(&proxy->mutex);
	ml_proxy_put(proxy);
	return 0;
}

/* Memory for the rings comes with the first agent */
static int fill_rings(struct ml_proxy *proxy)
{
	u32 size = 1U << proxy->ring_order;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct ml_ring *ring = &per_cpu_ptr(proxy->cpu, cpu)->ring;

		if (!ring->data) {
			ring->data = kvzalloc_node(size, GFP_KERNEL_ACCOUNT,
						   cpu_to_node(cpu));
			if (!ring->data)
				return -ENOMEM;
			ring->mask = size - 1;
		}
		ring->wake = proxy->wake_bytes;
		ml_ring_reset(ring);
	}
	return 0;
}

static long attach(struct file *file, void *unused)
{
	struct ml_proxy *proxy = proxy_of(file);
	int err;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (attached(file))
		return 0;
	if (proxy->agent)
		return -EBUSY;
	err = fill_rings(proxy);
	if (err)
		return err;
	WRITE_ONCE(proxy->agent, file);
	record(proxy, true);
	if (proxy->backend == ML_BACKEND_AGENT)
		ml_proxy_update_ready(proxy, true);
	return 0;
}

static ssize_t read_rings(struct ml_proxy *proxy, struct iov_iter *to)
{
	ssize_t done = 0, len;
	bool too_small = false;
	unsigned int cpu;

	/* A small buffer must not show the first CPUs only */
	for_each_cpu_wrap(cpu, cpu_possible_mask, proxy->read_first) {
		len = ml_ring_read(&per_cpu_ptr(proxy->cpu, cpu)->ring, cpu,
				   to);
		if (len < 0 && len != -EINVAL)
			return done ?: len;
		if (len < 0)
			too_small = true;
		else
			done += len;
	}
	proxy->read_first = (proxy->read_first + 1) % nr_cpu_ids;
	return !done && too_small ? -EINVAL : done;
}

static ssize_t ml_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	struct ml_proxy *proxy = proxy_of(file);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT ||
		      file->f_flags & O_NONBLOCK;
	ssize_t len;
	int err;

	if (!attached(file))
		return -EPERM;
	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		if (READ_ONCE(proxy->dead))
			return -ENODEV;
		if (!nowait) {
			err = mutex_lock_interruptible(&proxy->read_mutex);
			if (err)
				return err;
		} else if (!mutex_trylock(&proxy->read_mutex)) {
			return -EAGAIN;
		}
		len = read_rings(proxy, to);
		mutex_unlock(&proxy->read_mutex);
		if (len)
			return len;
		if (nowait)
			return -EAGAIN;
		err = wait_event_interruptible(proxy->wait,
					       ml_proxy_readable(proxy) ||
					       READ_ONCE(proxy->dead));
		if (err)
			return err;
	}
}

static __poll_t ml_poll(struct file *file, poll_table *wait)
{
	struct ml_proxy *proxy = proxy_of(file);
	__poll_t mask = 0;

	poll_wait(file, &proxy->wait, wait);
	if (READ_ONCE(proxy->dead))
		return EPOLLHUP | EPOLLERR;
	if (!attached(file))
		return EPOLLERR;
	if (ml_proxy_readable(proxy))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask | EPOLLOUT | EPOLLWRNORM;
}

/* What hints have to say to the guard */
static void tell_guard(struct ml_proxy *proxy, u32 invalid, bool alive,
		       bool new_model)
{
	enum ml_mode before;
	u64 now;

	raw_spin_lock_irq(&proxy->guard_lock);
	now = ml_now();
	before = proxy->guard.mode;
	if (alive)
		proxy->guard.alive = now;
	if (new_model && proxy->backend == ML_BACKEND_AGENT) {
		proxy->model++;
		ml_guard_new_model(&proxy->guard, now);
	}
	if (invalid) {
		proxy->hints_invalid += invalid;
		ml_guard_invalid(&proxy->guard, invalid, proxy->watchdog_ns,
				 now);
	}
	ml_guard_unlock(proxy, before);
	local_irq_enable();
}

static void take_hints(struct ml_proxy *proxy, const struct ml_hint *hint,
		       unsigned int n)
{
	bool alive = false;
	u64 now = ml_now();
	u32 invalid = 0;

	for (; n; n--, hint++) {
		switch (ml_hint_check(hint, proxy->nr_actions)) {
		case ML_HINT_KIND_HINT:
			ml_hints_put(&proxy->hints, hint, now);
			proxy->hints_taken++;
			alive = true;
			break;
		case ML_HINT_KIND_ALIVE:
			alive = true;
			break;
		case ML_HINT_KIND_NEW_MODEL:
			/* Neither model must be judged by the other's hints */
			ml_hints_clear(&proxy->hints);
			tell_guard(proxy, 0, true, true);
			break;
		case ML_HINT_KIND_INVALID:
			invalid++;
			break;
		}
	}
	tell_guard(proxy, invalid, alive, false);
}

static ssize_t ml_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct ml_proxy *proxy = proxy_of(file);
	struct ml_hint hint[16];
	ssize_t done = 0, err = 0;

	if (!attached(file))
		return -EPERM;
	if (iov_iter_count(from) % sizeof(*hint))
		return -EINVAL;
	while (!err && iov_iter_count(from)) {
		size_t len = min(iov_iter_count(from), sizeof(hint));

		if (!copy_from_iter_full(hint, len, from)) {
			err = -EFAULT;
			break;
		}
		if (!(iocb->ki_flags & IOCB_NOWAIT)) {
			mutex_lock(&proxy->hint_mutex);
		} else if (!mutex_trylock(&proxy->hint_mutex)) {
			iov_iter_revert(from, len);
			err = -EAGAIN;
			break;
		}
		if (proxy->dead) {
			err = -ENODEV;
		} else {
			take_hints(proxy, hint, len / sizeof(*hint));
			done += len;
		}
		mutex_unlock(&proxy->hint_mutex);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return done ?: err;
}

static long describe(struct file *file, void *arg)
{
	*(struct ml_describe *)arg = proxy_of(file)->info;
	return 0;
}

static long entry(struct file *file, struct ml_entry *entry, u32 first, u32 nr)
{
	u32 index = entry->index;

	if (entry->reserved)
		return -EINVAL;
	if (index >= nr)
		return -ENOENT;
	index = array_index_nospec(index, nr);
	*entry = proxy_of(file)->entries[first + index];
	return 0;
}

static long feature(struct file *file, void *arg)
{
	return entry(file, arg, 0, proxy_of(file)->nr_features);
}

static long action(struct file *file, void *arg)
{
	struct ml_proxy *proxy = proxy_of(file);

	return entry(file, arg, proxy->nr_features, proxy->nr_actions);
}

static void count_cpu(struct ml_stats *stats, const struct ml_cpu *cpu)
{
	int arm;

	for (arm = 0; arm < ML_NR_ARMS; arm++) {
		u64 outcomes = READ_ONCE(cpu->outcomes[arm]);

		stats->decisions[arm] += READ_ONCE(cpu->decisions[arm]);
		stats->outcomes[arm] += outcomes;
		stats->units[arm] += outcomes +
				     READ_ONCE(cpu->more_units[arm]);
		stats->reward_sum[arm] += READ_ONCE(cpu->reward_sum[arm]);
	}
	stats->unanswered += READ_ONCE(cpu->unanswered);
	stats->invalid_actions += READ_ONCE(cpu->invalid_actions);
	stats->clipped_rewards += READ_ONCE(cpu->clipped_rewards);
	stats->samples += READ_ONCE(cpu->ring.samples);
	stats->records_outcome += READ_ONCE(cpu->ring.outcomes);
	stats->samples_lost += READ_ONCE(cpu->ring.lost_samples);
	stats->outcomes_lost += READ_ONCE(cpu->ring.lost_outcomes);
}

static long stats(struct file *file, void *arg)
{
	struct ml_proxy *proxy = proxy_of(file);
	const struct ml_guard *guard = &proxy->guard;
	const struct ml_table *table =
		rcu_dereference_protected(proxy->table,
					  lockdep_is_held(&proxy->mutex));
	struct ml_stats *stats = arg;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		count_cpu(stats, per_cpu_ptr(proxy->cpu, cpu));
	stats->table_bytes = table ? table->size : 0;
	stats->hints = READ_ONCE(proxy->hints_taken);
	stats->evidence_mbits = ML_EVIDENCE_MBITS;
	stats->flags = (proxy->started ? ML_STATS_STARTED : 0) |
		       (proxy->agent ? ML_STATS_ATTACHED : 0) |
		       (table ? ML_STATS_TABLE : 0);

	raw_spin_lock_irq(&proxy->guard_lock);
	stats->time_ns = ml_now();
	stats->hints_invalid = proxy->hints_invalid;
	stats->mode = guard->mode;
	stats->reason = guard->reason;
	stats->backend = proxy->backend;
	stats->model = proxy->model;
	stats->cap = guard->cap;
	stats->pin = guard->pin;
	stats->sample_shift = proxy->sample_shift;
	stats->mode_since_ns = guard->since;
	stats->hold_until_ns = guard->hold_until;
	stats->promotions = guard->promotions;
	stats->demotions = guard->demotions;
	stats->emergencies = guard->emergencies;
	stats->trial_batches = guard->batches;
	stats->gain_x256 = guard->batches ?
			   div_s64(guard->diff_sum, guard->batches) : 0;
	stats->noise_x256 = guard->noise;
	stats->benefit_mbits = ml_evidence_mbits(guard->benefit);
	stats->harm_mbits = ml_evidence_mbits(guard->harm);
	raw_spin_unlock_irq(&proxy->guard_lock);
	return 0;
}

static bool control_ok(const struct ml_proxy *proxy,
		       const struct ml_control *control)
{
	const u32 all = ML_CONTROL_CAP | ML_CONTROL_PIN | ML_CONTROL_BACKEND |
			ML_CONTROL_SAMPLE | ML_CONTROL_WAKE;
	u32 mask = control->mask;

	if (mask & ~all)
		return false;
	/* What is not meant must be zero, so that it can mean something once */
	if ((!(mask & ML_CONTROL_CAP) && control->cap) ||
	    (!(mask & ML_CONTROL_PIN) && control->pin) ||
	    (!(mask & ML_CONTROL_BACKEND) && control->backend) ||
	    (!(mask & ML_CONTROL_SAMPLE) && control->sample_shift) ||
	    (!(mask & ML_CONTROL_WAKE) && control->wake_bytes))
		return false;
	if (control->cap >= ML_NR_MODES ||
	    control->pin < -1 || control->pin >= ML_NR_MODES ||
	    control->backend >= ML_NR_BACKENDS ||
	    !(proxy->info.backends & BIT(control->backend)) ||
	    control->sample_shift > ML_SAMPLE_SHIFT_MAX)
		return false;
	return !(mask & ML_CONTROL_WAKE) ||
	       (control->wake_bytes &&
		control->wake_bytes <= 1U << proxy->ring_order);
}

static void set_wake(struct ml_proxy *proxy, u32 bytes)
{
	unsigned int cpu;

	proxy->wake_bytes = bytes;
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu_ptr(proxy->cpu, cpu)->ring.wake, bytes);
}

static long control(struct file *file, void *arg)
{
	const struct ml_control *control = arg;
	struct ml_proxy *proxy = proxy_of(file);
	u32 mask = control->mask;
	enum ml_mode before, cap;
	bool other_model;
	int pin;

	if (!control_ok(proxy, control))
		return -EINVAL;
	if (mask & ML_CONTROL_WAKE)
		set_wake(proxy, control->wake_bytes);

	raw_spin_lock_irq(&proxy->guard_lock);
	before = proxy->guard.mode;
	cap = mask & ML_CONTROL_CAP ? control->cap : proxy->guard.cap;
	pin = mask & ML_CONTROL_PIN ? control->pin : proxy->guard.pin;
	other_model = mask & ML_CONTROL_BACKEND &&
		      control->backend != proxy->backend;
	if (mask & ML_CONTROL_SAMPLE)
		proxy->sample_shift = control->sample_shift;
	if (other_model) {
		proxy->backend = control->backend;
		proxy->paused = true;
	}
	if (mask & (ML_CONTROL_CAP | ML_CONTROL_PIN))
		ml_guard_limit(&proxy->guard, cap, pin, ml_now());
	ml_guard_unlock(proxy, before);
	local_irq_enable();

	if (other_model)
		ml_proxy_update_ready(proxy, true);
	return 0;
}

/* Takes over @table, which may be NULL */
static void swap_table(struct ml_proxy *proxy, struct ml_table *table)
{
	struct ml_table *old;

	old = rcu_replace_pointer(proxy->table, table,
				  lockdep_is_held(&proxy->mutex));
	if (!old)
		return;
	/* Not kvfree_rcu(): a loop of loads would pile up what it defers */
	synchronize_rcu();
	kvfree(old);
}

/*
 * Called without the proxy's mutex: user memory may take its time to answer,
 * and neither ml_destroy() nor anybody's stats shall wait for it.
 */
static long load(struct file *file, void *arg)
{
	struct ml_proxy *proxy = proxy_of(file);
	struct ml_load *load = arg;
	struct ml_trees_fit fit = {
		.schema = proxy->info.schema,
		.nr_features = proxy->nr_features,
		.nr_actions = proxy->nr_actions,
	};
	struct ml_table *table;

	load->model = 0;
	load->fault = ML_TREES_OK;
	load->fault_offset = 0;
	if (READ_ONCE(proxy->dead))
		return -ENODEV;
	if (load->flags)
		return -EINVAL;
	if (!load->size || load->size > ML_TREES_MAX_SIZE) {
		load->fault = ML_TREES_BAD_SIZE;
		return -EINVAL;
	}
	table = kvmalloc(struct_size(table, data, load->size),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	if (copy_from_user(table->data, u64_to_user_ptr(load->table),
			   load->size)) {
		kvfree(table);
		return -EFAULT;
	}
	table->size = load->size;
	load->fault = ml_trees_verify(&table->trees, table->data, table->size,
				      &fit, &load->fault_offset);
	trace_ml_load(proxy->info.name, READ_ONCE(proxy->model) + 1,
		      load->size, load->fault);
	if (load->fault) {
		kvfree(table);
		return -EINVAL;
	}
	mutex_lock(&proxy->mutex);
	if (proxy->dead) {
		mutex_unlock(&proxy->mutex);
		kvfree(table);
		return -ENODEV;
	}
	if (proxy->backend == ML_BACKEND_TREES)
		ml_proxy_pause(proxy);
	swap_table(proxy, table);
	if (proxy->backend == ML_BACKEND_TREES)
		ml_proxy_update_ready(proxy, true);
	load->model = proxy->model;
	mutex_unlock(&proxy->mutex);
	return 0;
}

static long unload(struct file *file, void *unused)
{
	struct ml_proxy *proxy = proxy_of(file);

	if (!rcu_access_pointer(proxy->table))
		return -ENOENT;
	if (proxy->backend == ML_BACKEND_TREES)
		ml_proxy_pause(proxy);
	swap_table(proxy, NULL);
	if (proxy->backend == ML_BACKEND_TREES)
		ml_proxy_update_ready(proxy, false);
	return 0;
}

/*
 * Every ioctl: its number with the size of today, the smallest size that ever
 * was, the mode of the file that it needs. Called with the proxy's mutex held,
 * but for load, and a zeroed struct of today's size.
 */
static const struct ml_ioctl {
	u32 cmd;
	u32 size_ver1;
	fmode_t mode;
	long (*run)(struct file *file, void *arg);
} ioctls[] = {
	{ ML_IOC_DESCRIBE, sizeof(struct ml_describe), 0, describe },
	{ ML_IOC_FEATURE, sizeof(struct ml_entry), 0, feature },
	{ ML_IOC_ACTION, sizeof(struct ml_entry), 0, action },
	{ ML_IOC_STATS, sizeof(struct ml_stats), 0, stats },
	{ ML_IOC_CONTROL, sizeof(struct ml_control), FMODE_WRITE, control },
	{ ML_IOC_ATTACH, 0, FMODE_WRITE, attach },
	{ ML_IOC_LOAD, sizeof(struct ml_load), FMODE_WRITE, load },
	{ ML_IOC_UNLOAD, 0, FMODE_WRITE, unload },
};

union ml_ioctl_arg {
	struct ml_describe describe;
	struct ml_entry entry;
	struct ml_stats stats;
	struct ml_control control;
	struct ml_load load;
};

/* The answer to a program that knows @usize bytes of the struct */
static int copy_answer(void __user *to, size_t usize, const void *from,
		       size_t ksize)
{
	size_t size = min(usize, ksize);

	if (copy_to_user(to, from, size))
		return -EFAULT;
	return clear_user(to + size, usize - size) ? -EFAULT : 0;
}

static long run_ioctl(struct file *file, const struct ml_ioctl *ioctl,
		      void __user *user, size_t usize)
{
	struct ml_proxy *proxy = proxy_of(file);
	size_t ksize = _IOC_SIZE(ioctl->cmd);
	union ml_ioctl_arg arg = {};
	long ret;
	int err;

	if (usize < ioctl->size_ver1)
		return -EINVAL;
	if (ioctl->mode & ~file->f_mode)
		return -EBADF;
	if (_IOC_DIR(ioctl->cmd) & _IOC_WRITE) {
		err = copy_struct_from_user(&arg, ksize, user, usize);
		if (err)
			return err;
	}
	if (ioctl->run == load) {
		ret = load(file, &arg);
	} else {
		mutex_lock(&proxy->mutex);
		ret = proxy->dead ? -ENODEV : ioctl->run(file, &arg);
		mutex_unlock(&proxy->mutex);
	}
	/* A refused table's fault is told too */
	if (_IOC_DIR(ioctl->cmd) & _IOC_READ && (!ret || ret == -EINVAL)) {
		err = copy_answer(user, usize, &arg, ksize);
		if (err)
			return err;
	}
	return ret;
}

static long ml_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != ML_IOC_MAGIC || nr >= ARRAY_SIZE(ioctls))
		return -ENOTTY;
	nr = array_index_nospec(nr, ARRAY_SIZE(ioctls));
	if (_IOC_DIR(cmd) != _IOC_DIR(ioctls[nr].cmd))
		return -ENOTTY;
	/* Without a struct there is no other version of it either */
	if (_IOC_DIR(cmd) == _IOC_NONE && _IOC_SIZE(cmd))
		return -ENOTTY;
	return run_ioctl(file, &ioctls[nr], (void __user *)arg,
			 _IOC_SIZE(cmd));
}

static const struct file_operations ml_fops = {
	.owner = THIS_MODULE,
	.open = ml_open,
	.release = ml_release,
	.read_iter = ml_read_iter,
	.write_iter = ml_write_iter,
	.poll = ml_poll,
	.unlocked_ioctl = ml_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * ml_chardev_add() - make /dev/ml/<proxy>
 * @proxy: complete
 *
 * Return: 0 or a negative errno.
 */
int ml_chardev_add(struct ml_proxy *proxy)
{
	snprintf(proxy->misc_name, sizeof(proxy->misc_name), "ml_%s",
		 proxy->info.name);
	snprintf(proxy->node_name, sizeof(proxy->node_name), "ml/%s",
		 proxy->info.name);
	proxy->misc = (struct miscdevice) {
		.minor = MISC_DYNAMIC_MINOR,
		.name = proxy->misc_name,
		.nodename = proxy->node_name,
		.mode = 0600,
		.fops = &ml_fops,
	};
	return misc_register(&proxy->misc);
}

/**
 * ml_chardev_remove() - no new file can be opened from here on
 * @proxy: the proxy
 */
void ml_chardev_remove(struct ml_proxy *proxy)
{
	misc_deregister(&proxy->misc);
}
