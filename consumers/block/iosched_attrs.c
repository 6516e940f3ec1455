// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O scheduler ml: what user space sees of it.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/kstrtox.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

#include "blk-mq-debugfs.h"
#include "elevator.h"

#include "depth.h"
#include "iosched_queue.h"

/* Tunables: queue/iosched/ */

static ssize_t ml_show(struct elevator_queue *e, enum ml_tunable tunable,
		       char *page)
{
	struct ml_queue *mq = e->elevator_data;

	return sysfs_emit(page, "%u\n", READ_ONCE(mq->tunable_ms[tunable]));
}

static ssize_t ml_store(struct elevator_queue *e, enum ml_tunable tunable,
			const char *page, size_t count)
{
	/* Nobody who waits for a page can hurry speculation: bounds */
	static const unsigned int most[ML_NR_TUNABLES] = {
		[ML_DEMAND_EXPIRE] = 10000,
		[ML_SPECULATIVE_EXPIRE] = 100,
		[ML_WRITE_EXPIRE] = 10000,
		[ML_DEMAND_WINDOW] = 10000,
		[ML_SPECULATIVE_TURN] = 1000,
	};
	struct ml_queue *mq = e->elevator_data;
	unsigned int value;
	int err = kstrtouint(page, 0, &value);

	if (err)
		return err;
	if (value > most[tunable])
		return -ERANGE;
	WRITE_ONCE(mq->tunable_ms[tunable], value);
	return count;
}

#define ML_SHOW(_name, _tunable)					\
static ssize_t ml_##_name##_show(struct elevator_queue *e, char *page)	\
{									\
	return ml_show(e, _tunable, page);				\
}

#define ML_STORE(_name, _tunable)					\
static ssize_t ml_##_name##_store(struct elevator_queue *e,		\
				  const char *page, size_t count)	\
{									\
	return ml_store(e, _tunable, page, count);			\
}

ML_SHOW(demand_expire, ML_DEMAND_EXPIRE)
ML_STORE(demand_expire, ML_DEMAND_EXPIRE)
ML_SHOW(speculative_expire, ML_SPECULATIVE_EXPIRE)
ML_STORE(speculative_expire, ML_SPECULATIVE_EXPIRE)
ML_SHOW(write_expire, ML_WRITE_EXPIRE)
ML_STORE(write_expire, ML_WRITE_EXPIRE)
ML_SHOW(demand_window, ML_DEMAND_WINDOW)
ML_STORE(demand_window, ML_DEMAND_WINDOW)
ML_SHOW(speculative_turn, ML_SPECULATIVE_TURN)
ML_STORE(speculative_turn, ML_SPECULATIVE_TURN)

#define ML_ATTR(_name)							\
	__ATTR(_name, 0644, ml_##_name##_show, ml_##_name##_store)

struct elv_fs_entry ml_attrs[] = {
	ML_ATTR(demand_expire),
	ML_ATTR(speculative_expire),
	ML_ATTR(write_expire),
	ML_ATTR(demand_window),
	ML_ATTR(speculative_turn),
	__ATTR_NULL
};

#ifdef CONFIG_BLK_DEBUG_FS
static int ml_requests_show(void *data, struct seq_file *m)
{
	static const char * const name[] = { "demand", "speculative", "write" };
	struct request_queue *q = data;
	struct ml_queue *mq = q->elevator->elevator_data;
	unsigned int class, event;

	seq_puts(m, "class queued in_flight inserted merged dispatched completed requeued expired\n");
	spin_lock_irq(&mq->lock);
	for (class = 0; class < ML_NR_CLASSES; class++) {
		seq_printf(m, "%s %u %u", name[class], mq->s.queued[class],
			   mq->s.in_flight[class]);
		for (event = 0; event < ML_NR_EVENTS; event++)
			seq_printf(m, " %lu", mq->events[event][class]);
		seq_putc(m, '\n');
	}
	spin_unlock_irq(&mq->lock);
	return 0;
}

static int ml_state_show(void *data, struct seq_file *m)
{
	struct request_queue *q = data;
	struct ml_queue *mq = q->elevator->elevator_data;

	spin_lock_irq(&mq->lock);
	seq_printf(m, "depth %u\nrule %u\nwrite_depth %u\nholds %lu\nheld %u\n",
		   mq->s.depth, mq->rule.depth, mq->s.write_depth, mq->holds,
		   mq->held);
	seq_printf(m, "piece_sectors %u\n", mq->piece.sectors);
	seq_printf(m, "demand_us %u\ndemand_wait_us %u\nspeculative_us %u\n",
		   mq->latency.demand_us, mq->latency.demand_wait_us,
		   mq->latency.speculative_us);
	spin_unlock_irq(&mq->lock);
	return 0;
}

const struct blk_mq_debugfs_attr ml_debugfs_attrs[] = {
	{ "requests", 0400, ml_requests_show },
	{ "state", 0400, ml_state_show },
	{},
};
#endif
