// SPDX-License-Identifier: GPL-2.0-only
/*
 * rigdisk0: a disk that keeps its data in memory and answers when the model in
 * disk_model.c says.
 */

/**
 * DOC: Driver
 *
 * A request is given to the model as it arrives, its data are copied at once,
 * and it is completed when the model's time for it has come. One hrtimer, set
 * to the absolute time of the next completion, serves the whole device; its
 * interrupt hands finished requests to the block softirq, as the interrupt of
 * a real disk does. The copying costs CPU time where a real disk uses DMA, but
 * runs while the request is being served, so it does not lengthen the service
 * time. One lock protects the model: the device is one shared thing.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/bvec.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "disk_model.h"

#define RIG_DISK_NAME	"rigdisk0"

static char *profile = "ssd";
module_param(profile, charp, 0444);
MODULE_PARM_DESC(profile, "hdd, ssd, nvme or cloud (default: ssd)");

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of jitter and rotation (default: 1)");

static uint size_mb = 256;
module_param(size_mb, uint, 0444);
MODULE_PARM_DESC(size_mb, "size of the disk (MiB, default: 256)");

static unsigned long long store_addr;
module_param(store_addr, ullong, 0444);
MODULE_PARM_DESC(store_addr, "physical address of reserved memory that holds the data (default: 0, allocate)");

/* -1 leaves the profile's value; once loaded they show what is in force */
static union {
	struct rig_disk_params p;
	s32 value[RIG_DISK_NR_PARAMS];
} param = {
	.value = { [0 ... RIG_DISK_NR_PARAMS - 1] = -1 },
};

module_param_named(channels, param.p.channels, int, 0444);
MODULE_PARM_DESC(channels, "requests worked on at the same time");
module_param_named(read_ns, param.p.read_ns, int, 0444);
MODULE_PARM_DESC(read_ns, "base latency of a read (ns)");
module_param_named(write_ns, param.p.write_ns, int, 0444);
MODULE_PARM_DESC(write_ns, "base latency of a write (ns)");
module_param_named(jitter_ns, param.p.jitter_ns, int, 0444);
MODULE_PARM_DESC(jitter_ns, "largest random addition to a latency (ns)");
module_param_named(read_iops, param.p.read_iops, int, 0444);
MODULE_PARM_DESC(read_iops, "limit of reads a second; 0: none");
module_param_named(write_iops, param.p.write_iops, int, 0444);
MODULE_PARM_DESC(write_iops, "limit of writes a second; 0: none");
module_param_named(read_mbps, param.p.read_mbps, int, 0444);
MODULE_PARM_DESC(read_mbps, "transfer rate of reads (10^6 bytes/s)");
module_param_named(write_mbps, param.p.write_mbps, int, 0444);
MODULE_PARM_DESC(write_mbps, "transfer rate of writes (10^6 bytes/s)");
module_param_named(flush_ns, param.p.flush_ns, int, 0444);
MODULE_PARM_DESC(flush_ns, "cost of a cache flush (ns)");
module_param_named(revolution_ns, param.p.revolution_ns, int, 0444);
MODULE_PARM_DESC(revolution_ns, "time of one revolution (ns); 0: nothing rotates");
module_param_named(seek_track_ns, param.p.seek_track_ns, int, 0444);
MODULE_PARM_DESC(seek_track_ns, "seek to the next track, settling included (ns)");
module_param_named(seek_full_ns, param.p.seek_full_ns, int, 0444);
MODULE_PARM_DESC(seek_full_ns, "seek over the whole disk, settling included (ns)");
module_param_named(skip_kb, param.p.skip_kb, int, 0444);
MODULE_PARM_DESC(skip_kb, "forward gap that is passed over without a seek (KiB)");
module_param_named(age_ms, param.p.age_ms, int, 0444);
MODULE_PARM_DESC(age_ms, "wait after which a queued request goes first (ms)");
module_param_named(write_cache, param.p.write_cache, int, 0444);
MODULE_PARM_DESC(write_cache, "volatile write cache, flushed on demand");
module_param_named(multi_queue, param.p.multi_queue, int, 0444);
MODULE_PARM_DESC(multi_queue, "class of device that the kernel gives no scheduler");
module_param_named(queue_depth, param.p.queue_depth, int, 0444);
MODULE_PARM_DESC(queue_depth, "requests the device accepts");
module_param_named(max_kb, param.p.max_kb, int, 0444);
MODULE_PARM_DESC(max_kb, "largest request (KiB)");
module_param_named(max_segments, param.p.max_segments, int, 0444);
MODULE_PARM_DESC(max_segments, "most memory segments in a request");

/**
 * struct rig_disk - the one device
 * @lock: protects @model and the arming of @timer
 * @model: decides when requests complete
 * @timer: runs out at the model's next completion
 * @store: the data
 * @set: tags of the single hardware queue
 * @disk: what the block layer sees
 */
struct rig_disk {
	raw_spinlock_t lock; /* model and timer, see above */
	struct rig_disk_model model;
	struct hrtimer timer;
	void *store;
	struct blk_mq_tag_set set;
	struct gendisk *disk;
};

static struct rig_disk rig_disk;

static void rig_disk_arm(struct rig_disk *rd)
{
	u64 next = rig_disk_model_next(&rd->model);

	lockdep_assert_held(&rd->lock);
	if (next == U64_MAX)
		return;
	/* Setting a timer costs more than asking whether it is set right */
	if (hrtimer_is_queued(&rd->timer) &&
	    ktime_to_ns(hrtimer_get_expires(&rd->timer)) == next)
		return;
	hrtimer_start(&rd->timer, ns_to_ktime(next), HRTIMER_MODE_ABS_HARD);
}

static enum hrtimer_restart rig_disk_timer(struct hrtimer *timer)
{
	struct rig_disk *rd = container_of(timer, struct rig_disk, timer);
	struct rig_disk_req *req, *tmp;
	unsigned long flags;
	LIST_HEAD(done);

	raw_spin_lock_irqsave(&rd->lock, flags);
	while ((req = rig_disk_model_run(&rd->model, ktime_get_ns())))
		list_add_tail(&req->node, &done);
	rig_disk_arm(rd);
	raw_spin_unlock_irqrestore(&rd->lock, flags);

	/* The request may be reused as soon as it is completed */
	list_for_each_entry_safe(req, tmp, &done, node)
		blk_mq_complete_request(blk_mq_rq_from_pdu(req));
	return HRTIMER_NORESTART;
}

static void rig_disk_copy(struct rig_disk *rd, struct request *rq)
{
	void *pos = rd->store + ((u64)blk_rq_pos(rq) << SECTOR_SHIFT);
	struct req_iterator iter;
	struct bio_vec bv;

	rq_for_each_segment(bv, rq, iter) {
		if (rq_data_dir(rq) == WRITE)
			memcpy_from_bvec(pos, &bv);
		else
			memcpy_to_bvec(&bv, pos);
		pos += bv.bv_len;
	}
}

static blk_status_t rig_disk_queue_rq(struct blk_mq_hw_ctx *hctx,
				      const struct blk_mq_queue_data *bd)
{
	struct rig_disk *rd = hctx->queue->queuedata;
	struct request *rq = bd->rq;
	struct rig_disk_req *req = blk_mq_rq_to_pdu(rq);
	u64 now = ktime_get_ns();

	switch (req_op(rq)) {
	case REQ_OP_READ:
		req->op = RIG_DISK_READ;
		break;
	case REQ_OP_WRITE:
		req->op = RIG_DISK_WRITE;
		break;
	case REQ_OP_FLUSH:
		req->op = RIG_DISK_FLUSH;
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	blk_mq_start_request(rq);
	if (req->op == RIG_DISK_FLUSH) {
		req->sector = 0;
		req->nr_sectors = 0;
	} else {
		req->sector = blk_rq_pos(rq);
		req->nr_sectors = blk_rq_sectors(rq);
		/* First, because the request is gone once the timer has it */
		rig_disk_copy(rd, rq);
	}

	raw_spin_lock_irq(&rd->lock);
	rig_disk_model_add(&rd->model, req, now);
	rig_disk_arm(rd);
	raw_spin_unlock_irq(&rd->lock);
	return BLK_STS_OK;
}

static void rig_disk_complete(struct request *rq)
{
	blk_mq_end_request(rq, BLK_STS_OK);
}

static const struct blk_mq_ops rig_disk_mq_ops = {
	.queue_rq	= rig_disk_queue_rq,
	.complete	= rig_disk_complete,
};

static const struct block_device_operations rig_disk_fops = {
	.owner		= THIS_MODULE,
};

/* Fill in the profile's values where the user gave none */
static int rig_disk_get_params(void)
{
	const struct rig_disk_profile *found = rig_disk_find_profile(profile);
	const s32 *value;
	unsigned int i;
	char why[80];

	if (!found) {
		pr_err("profile '%s' is unknown\n", profile);
		return -EINVAL;
	}
	if (!size_mb) {
		pr_err("size_mb must be at least 1\n");
		return -EINVAL;
	}
	value = (const s32 *)&found->params;
	for (i = 0; i < RIG_DISK_NR_PARAMS; i++)
		if (param.value[i] == -1)
			param.value[i] = value[i];
	if (rig_disk_params_check(&param.p, why, sizeof(why))) {
		pr_err("%s\n", why);
		return -EINVAL;
	}
	return 0;
}

static int rig_disk_get_store(struct rig_disk *rd, u64 size)
{
	if (!store_addr) {
		rd->store = vzalloc(size);
		return rd->store ? 0 : -ENOMEM;
	}
	/* memremap() would hand out the kernel's own memory without a word */
	if (region_intersects(store_addr, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("store_addr=0x%llx: memory is in use by the kernel; reserve it with memmap=\n",
		       store_addr);
		return -EINVAL;
	}
	rd->store = memremap(store_addr, size, MEMREMAP_WB);
	if (!rd->store) {
		pr_err("store_addr=0x%llx cannot be mapped\n", store_addr);
		return -EINVAL;
	}
	return 0;
}

static void rig_disk_put_store(struct rig_disk *rd)
{
	if (store_addr)
		memunmap(rd->store);
	else
		vfree(rd->store);
}

static int __init rig_disk_init(void)
{
	struct rig_disk *rd = &rig_disk;
	u64 size = (u64)size_mb * SZ_1M;
	const struct rig_disk_params *p = &param.p;
	struct queue_limits lim = {
		.logical_block_size	= SECTOR_SIZE,
		.physical_block_size	= SZ_4K,
	};
	int err;

	err = rig_disk_get_params();
	if (err)
		return err;
	err = rig_disk_get_store(rd, size);
	if (err)
		return err;

	raw_spin_lock_init(&rd->lock);
	hrtimer_init(&rd->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	rd->timer.function = rig_disk_timer;
	rig_disk_model_init(&rd->model, p, seed, size >> SECTOR_SHIFT);

	rd->set.ops = &rig_disk_mq_ops;
	rd->set.nr_hw_queues = 1;
	rd->set.queue_depth = p->queue_depth;
	rd->set.numa_node = NUMA_NO_NODE;
	rd->set.cmd_size = sizeof(struct rig_disk_req);
	rd->set.flags = BLK_MQ_F_SHOULD_MERGE;
	/*
	 * The kernel gives mq-deadline to a device with one hardware queue and
	 * no scheduler to one with several, as NVMe has. Here one queue serves
	 * both, so the second kind must ask for what it would get.
	 */
	if (p->multi_queue)
		rd->set.flags |= BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	err = blk_mq_alloc_tag_set(&rd->set);
	if (err)
		goto put_store;

	/* The soft limit stays the block layer's, as for a real disk */
	lim.max_hw_sectors = p->max_kb * (SZ_1K / SECTOR_SIZE);
	lim.max_segments = p->max_segments;
	if (p->revolution_ns)
		lim.features |= BLK_FEAT_ROTATIONAL;
	if (p->write_cache)
		lim.features |= BLK_FEAT_WRITE_CACHE;
	rd->disk = blk_mq_alloc_disk(&rd->set, &lim, rd);
	if (IS_ERR(rd->disk)) {
		err = PTR_ERR(rd->disk);
		goto free_tags;
	}
	strscpy(rd->disk->disk_name, RIG_DISK_NAME);
	rd->disk->fops = &rig_disk_fops;
	set_capacity(rd->disk, size >> SECTOR_SHIFT);
	err = add_disk(rd->disk);
	if (err)
		goto put_disk;
	pr_info("%s: %s, %u MiB, seed %lu\n", RIG_DISK_NAME, profile, size_mb,
		seed);
	return 0;

put_disk:
	put_disk(rd->disk);
free_tags:
	blk_mq_free_tag_set(&rd->set);
put_store:
	rig_disk_put_store(rd);
	return err;
}
module_init(rig_disk_init);

static void __exit rig_disk_exit(void)
{
	struct rig_disk *rd = &rig_disk;

	/* Waits for every request, so the timer cannot be armed after it */
	del_gendisk(rd->disk);
	put_disk(rd->disk);
	blk_mq_free_tag_set(&rd->set);
	hrtimer_cancel(&rd->timer);
	rig_disk_put_store(rd);
}
module_exit(rig_disk_exit);

MODULE_DESCRIPTION("Simulated disk with a service-time model");
MODULE_LICENSE("GPL");
