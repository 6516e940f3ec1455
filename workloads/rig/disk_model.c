// SPDX-License-Identifier: GPL-2.0-only
/*
 * Service-time model of a simulated disk.
 */

/**
 * DOC: Service-time model
 *
 * The device has a queue, N channels and one bus. A request passes through
 * three stages:
 *
 * 1. Queued: it waits until a channel is free. The oldest goes first. On a
 *    device that rotates, the one with the smallest positioning time goes
 *    first, as with native command queueing, except that a request older than
 *    age_ms goes before all others, so that none starves.
 * 2. Preparing, on its channel: positioning, plus the base latency of a read
 *    or write, plus jitter, uniform in 0..jitter_ns from a seeded generator.
 *    Channels prepare side by side: this is what makes a deep queue pay.
 * 3. Transferring, on its channel and the bus. The bus serves one request at
 *    a time in the order they became ready, and a request holds it for the
 *    larger of 1/IOPS and bytes/rate: both limits hold, and a data sheet's
 *    figures can be put in as they stand.
 *
 * Positioning is zero for a request that begins where the last one ended; the
 * media time of the gap for a gap forward of at most skip_kb; otherwise seek
 * plus rotation. The seek is zero on the same track and grows with the square
 * root of the distance in tracks from seek_track_ns to seek_full_ns. The
 * rotation is the angle from where the head arrives to where the first sector
 * is, with the platter turning through all of virtual time. A track holds what
 * passes under the head in one revolution at read_mbps. The sectors of the
 * simulated disk, however few, are spread over the whole stroke: a random
 * access costs what it costs on a full-size disk.
 *
 * A flush takes a channel for flush_ns and then its turn on the bus, where it
 * moves nothing: what was ready before it is done before it.
 *
 * The model is driven by events: rig_disk_model_add() brings a request,
 * rig_disk_model_run() works off all stages that end until now, each at its
 * own time, however late the call is. Equal seeds and inputs give equal times.
 *
 * Not modelled: the device's own read-ahead and write-back (a write costs what
 * its medium costs; a real write cache hides that until it is full), zones of
 * different density, garbage collection, wear, thermal throttling, burst
 * credits, long latency tails, errors, and requests that collide on one flash
 * die: the channels are interchangeable.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "disk_model.h"

#define SECTOR_BYTES	512

/* Marsaglia's xorshift with a multiplier (xorshift64*); never yields 0 */
static u32 rig_disk_random(struct rig_disk_model *m)
{
	m->rng ^= m->rng >> 12;
	m->rng ^= m->rng << 25;
	m->rng ^= m->rng >> 27;
	return (m->rng * 0x2545f4914f6cdd1dULL) >> 32;
}

/* Uniform in 0..max, by multiplication: no division and no bias that matters */
static u32 rig_disk_random_upto(struct rig_disk_model *m, u32 max)
{
	return ((u64)rig_disk_random(m) * ((u64)max + 1)) >> 32;
}

/**
 * rig_disk_find_profile() - look a profile up
 * @name: its name
 *
 * Context: Any.
 * Return: the profile, or NULL if there is none of that name.
 */
const struct rig_disk_profile *rig_disk_find_profile(const char *name)
{
	unsigned int i;

	for (i = 0; i < rig_disk_nr_profiles; i++)
		if (!strcmp(rig_disk_profiles[i].name, name))
			return &rig_disk_profiles[i];
	return NULL;
}

/* In the order of struct rig_disk_params */
const struct rig_disk_range rig_disk_ranges[RIG_DISK_NR_PARAMS] = {
	{ "channels", 1, 1024 },
	{ "read_ns", 0, NSEC_PER_SEC },
	{ "write_ns", 0, NSEC_PER_SEC },
	{ "jitter_ns", 0, NSEC_PER_SEC },
	{ "read_iops", 0, 10000000 },
	{ "write_iops", 0, 10000000 },
	{ "read_mbps", 1, 100000 },
	{ "write_mbps", 1, 100000 },
	{ "flush_ns", 0, NSEC_PER_SEC },
	{ "revolution_ns", 0, NSEC_PER_SEC },
	{ "seek_track_ns", 0, NSEC_PER_SEC },
	{ "seek_full_ns", 0, NSEC_PER_SEC },
	{ "skip_kb", 0, 1048576 },
	{ "age_ms", 1, 60000 },
	{ "write_cache", 0, 1 },
	{ "multi_queue", 0, 1 },
	{ "queue_depth", 1, 1024 },
	{ "max_kb", 4, 32767 },
	{ "max_segments", 1, 1024 },
};

/* What no single range can say; NULL if nothing is wrong */
static const char *rig_disk_inconsistent(const struct rig_disk_params *p)
{
	if (!p->revolution_ns && (p->seek_track_ns || p->seek_full_ns))
		return "a seek time needs revolution_ns";
	if (p->revolution_ns && p->revolution_ns < NSEC_PER_MSEC)
		return "revolution_ns must be 0 or at least 1000000";
	if (p->revolution_ns && p->channels != 1)
		return "a device that rotates has one head: channels must be 1";
	if (p->seek_full_ns < p->seek_track_ns)
		return "seek_full_ns must not be less than seek_track_ns";
	return NULL;
}

/**
 * rig_disk_params_check() - are these parameters in range and consistent?
 * @p: the parameters
 * @why: where to say what is wrong
 * @len: room there
 *
 * Context: Any.
 * Return: 0 if they are, else -EINVAL.
 */
int rig_disk_params_check(const struct rig_disk_params *p, char *why,
			  size_t len)
{
	const s32 *value = (const s32 *)p;
	const char *wrong;
	unsigned int i;

	for (i = 0; i < RIG_DISK_NR_PARAMS; i++) {
		const struct rig_disk_range *r = &rig_disk_ranges[i];

		if (value[i] < r->min || value[i] > r->max) {
			scnprintf(why, len, "%s must be %d..%d", r->name,
				  r->min, r->max);
			return -EINVAL;
		}
	}
	wrong = rig_disk_inconsistent(p);
	if (wrong) {
		strscpy(why, wrong, len);
		return -EINVAL;
	}
	return 0;
}

/**
 * rig_disk_model_init() - set up a device
 * @m: the device
 * @p: parameters that rig_disk_params_check() accepts
 * @seed: any number; chooses jitter and the platter's position at time 0
 * @nr_sectors: size, at least 1
 *
 * Context: Any; nobody else uses @m.
 */
void rig_disk_model_init(struct rig_disk_model *m,
			 const struct rig_disk_params *p, u64 seed,
			 u64 nr_sectors)
{
	memset(m, 0, sizeof(*m));
	m->p = *p;
	/* Neighbouring seeds must not start alike, and the state not be 0 */
	m->rng = (seed + 1) * 0x9e3779b97f4a7c15ULL ?: 1;
	rig_disk_random(m);
	if (p->revolution_ns) {
		/* 10^6 bytes/s * ns = 10^-3 bytes */
		m->track_sectors = div_u64((u64)p->read_mbps * p->revolution_ns,
					   1000 * SECTOR_BYTES);
		m->tracks = div_u64(nr_sectors - 1, m->track_sectors) + 1;
		m->phase = rig_disk_random_upto(m, p->revolution_ns - 1);
	}
	INIT_LIST_HEAD(&m->queued);
	INIT_LIST_HEAD(&m->preparing);
	INIT_LIST_HEAD(&m->transferring);
}

/**
 * rig_disk_model_seek() - time to move the head
 * @m: a device that rotates
 * @from: sector it stands at
 * @to: sector to go to
 *
 * Context: Any.
 * Return: the time in ns; 0 on the same track.
 */
u64 rig_disk_model_seek(const struct rig_disk_model *m, u64 from, u64 to)
{
	u64 a = div_u64(from, m->track_sectors);
	u64 b = div_u64(to, m->track_sectors);
	u64 distance = a < b ? b - a : a - b;
	u64 share;

	if (!distance)
		return 0;
	if (m->tracks <= 2)
		return m->p.seek_track_ns;
	/* Square root of the share of the stroke, 16 fractional bits */
	distance = min(distance, m->tracks - 1) - 1;
	share = int_sqrt64(div64_u64(distance << 32, m->tracks - 2));
	return m->p.seek_track_ns +
	       (((u64)(m->p.seek_full_ns - m->p.seek_track_ns) * share) >> 16);
}

/* Time at which @sector passes the head, counted from the index mark */
static u64 rig_disk_angle(const struct rig_disk_model *m, u64 sector)
{
	u32 rest;

	div_u64_rem(sector, m->track_sectors, &rest);
	return div_u64((u64)rest * m->p.revolution_ns, m->track_sectors);
}

static u64 rig_disk_positioning(const struct rig_disk_model *m,
				const struct rig_disk_req *req, u64 now)
{
	u64 gap = req->sector - m->head;
	u64 seek, target;
	u32 here;

	if (!m->p.revolution_ns || req->op == RIG_DISK_FLUSH)
		return 0;
	/* A gap backward is a huge number here */
	if (gap <= (u64)m->p.skip_kb * (1024 / SECTOR_BYTES))
		return div_u64(gap * m->p.revolution_ns, m->track_sectors);

	seek = rig_disk_model_seek(m, m->head, req->sector);
	div_u64_rem(now + seek + m->phase, m->p.revolution_ns, &here);
	target = rig_disk_angle(m, req->sector);
	if (target < here)
		target += m->p.revolution_ns;
	return seek + target - here;
}

/**
 * rig_disk_model_transfer() - time a request holds the bus
 * @m: the device
 * @op: what the request does
 * @nr_sectors: its length
 *
 * Context: Any.
 * Return: the time in ns.
 */
u64 rig_disk_model_transfer(const struct rig_disk_model *m,
			    enum rig_disk_op op, u32 nr_sectors)
{
	s32 mbps = op == RIG_DISK_READ ? m->p.read_mbps : m->p.write_mbps;
	s32 iops = op == RIG_DISK_READ ? m->p.read_iops : m->p.write_iops;
	u64 ns;

	if (op == RIG_DISK_FLUSH)
		return 0;
	ns = div_u64((u64)nr_sectors * SECTOR_BYTES * 1000, mbps);
	return iops ? max_t(u64, ns, (u32)NSEC_PER_SEC / iops) : ns;
}

/* Which queued request a channel that is free at @now takes */
static struct rig_disk_req *rig_disk_pick(const struct rig_disk_model *m,
					  u64 now)
{
	struct rig_disk_req *req, *best;
	u64 least = U64_MAX;

	best = list_first_entry(&m->queued, struct rig_disk_req, node);
	if (!m->p.revolution_ns ||
	    now > best->arrival + (u64)m->p.age_ms * NSEC_PER_MSEC)
		return best;
	list_for_each_entry(req, &m->queued, node) {
		u64 cost = rig_disk_positioning(m, req, now);

		if (cost < least) {
			least = cost;
			best = req;
		}
	}
	return best;
}

/* Keep the list ordered by time; what comes later goes behind its equals */
static void rig_disk_prepare(struct rig_disk_model *m, struct rig_disk_req *req)
{
	struct rig_disk_req *pos;

	list_for_each_entry_reverse(pos, &m->preparing, node)
		if (pos->when <= req->when)
			break;
	list_add(&req->node, &pos->node);
}

/* Let free channels take queued requests from @now on */
static void rig_disk_dispatch(struct rig_disk_model *m, u64 now)
{
	while (m->busy < m->p.channels && !list_empty(&m->queued)) {
		struct rig_disk_req *req = rig_disk_pick(m, now);
		u64 start = max(now, req->arrival);

		req->when = start + rig_disk_positioning(m, req, start);
		if (req->op == RIG_DISK_FLUSH) {
			req->when += m->p.flush_ns;
		} else {
			req->when += req->op == RIG_DISK_READ ? m->p.read_ns :
								m->p.write_ns;
			req->when += rig_disk_random_upto(m, m->p.jitter_ns);
			m->head = req->sector + req->nr_sectors;
		}
		list_del(&req->node);
		rig_disk_prepare(m, req);
		m->busy++;
	}
}

/* When @req, ready next, will have been transferred */
static u64 rig_disk_done(const struct rig_disk_model *m,
			 const struct rig_disk_req *req)
{
	return max(req->when, m->bus_free) +
	       rig_disk_model_transfer(m, req->op, req->nr_sectors);
}

/**
 * rig_disk_model_add() - give the device a request
 * @m: the device
 * @req: the request
 * @now: the time in ns
 *
 * Context: Any; the caller keeps others off @m.
 */
void rig_disk_model_add(struct rig_disk_model *m, struct rig_disk_req *req,
			u64 now)
{
	/* The caller's clock may be read before another CPU's completion */
	req->arrival = max(now, m->clock);
	list_add_tail(&req->node, &m->queued);
	rig_disk_dispatch(m, req->arrival);
}

/**
 * rig_disk_model_run() - work off what happens until now
 * @m: the device
 * @now: the time in ns
 *
 * Call it until it returns NULL.
 *
 * Context: Any; the caller keeps others off @m.
 * Return: a request completed at @now or before, first completed first, or
 * NULL if there is none left. Its @when is the time it was completed.
 */
struct rig_disk_req *rig_disk_model_run(struct rig_disk_model *m, u64 now)
{
	struct rig_disk_req *ready, *done;

	for (;;) {
		ready = list_first_entry_or_null(&m->preparing,
						 struct rig_disk_req, node);
		done = list_first_entry_or_null(&m->transferring,
						struct rig_disk_req, node);
		if (done && done->when <= now &&
		    (!ready || done->when <= ready->when))
			break;
		if (!ready || ready->when > now)
			return NULL;
		ready->when = rig_disk_done(m, ready);
		m->bus_free = ready->when;
		list_move_tail(&ready->node, &m->transferring);
	}
	list_del(&done->node);
	m->busy--;
	m->clock = max(m->clock, done->when);
	rig_disk_dispatch(m, done->when);
	return done;
}

/**
 * rig_disk_model_next() - when to call rig_disk_model_run() again
 * @m: the device
 *
 * Exact unless a request is added before that time.
 *
 * Context: Any; the caller keeps others off @m.
 * Return: the time of the next completion in ns, or U64_MAX if idle.
 */
u64 rig_disk_model_next(struct rig_disk_model *m)
{
	struct rig_disk_req *ready, *done;
	u64 next = U64_MAX;

	done = list_first_entry_or_null(&m->transferring, struct rig_disk_req,
					node);
	if (done)
		next = done->when;
	ready = list_first_entry_or_null(&m->preparing, struct rig_disk_req,
					 node);
	if (ready)
		next = min(next, rig_disk_done(m, ready));
	return next;
}
