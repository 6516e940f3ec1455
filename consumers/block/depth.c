// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decisions of the I/O scheduler ml.
 */
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "depth.h"
#include "pattern.h"

/**
 * DOC: Which class is next
 *
 * Demand goes first. Three things keep the others alive:
 *
 * 1. Writes go in batches, once a number of reads has passed them or the
 *    oldest has expired, and whenever there is nothing better to do.
 * 2. A speculative read that has expired goes next, but no more than one for
 *    each ML_SPECULATIVE_STARVED demand reads.
 * 3. Without demand of late nothing is held: the device gets all there is.
 *
 * With demand, the device gets no more than a number of speculative reads at a
 * time (see below), and of writes, so that a demand read that comes meets a
 * short queue.
 *
 * A disk that rotates chooses the nearest of what it has, and that is the
 * stream's next piece, every time: a speculative read that it has beside a
 * demand read comes before it. There, nothing is given to it beside demand,
 * nor when demand is only a moment away, until speculation has expired. Then
 * speculation has a turn, in which demand waits, so that the way to the stream
 * and back pays. Pieces between demand reads would be two seeks each, and
 * neither would get anywhere. The turn ends early if the stream does not go on.
 * What lies in the disk's way costs no seek, and does not wait: the rest of what
 * a demand read was the beginning of, or a stream's own miss in its turn.
 */

/* What goes when no demand read is there that could */
static enum ml_class next_of_rest(const struct ml_queue_state *s,
				  bool speculative, bool write)
{
	/* The disk would choose it before the demand that it has */
	if (s->rotational && s->in_flight[ML_DEMAND])
		return ML_NR_CLASSES;
	if (speculative && (!s->rotational || !s->demand ||
			    s->near[ML_SPECULATIVE]))
		return ML_SPECULATIVE;
	return write ? ML_WRITE : ML_NR_CLASSES;
}

/**
 * ml_queue_next() - choose the class whose request is dispatched next
 * @s: the state
 *
 * Context: Any.
 * Return: the class, one that has a request queued, or ML_NR_CLASSES if there
 * is none that should go now.
 */
enum ml_class ml_queue_next(const struct ml_queue_state *s)
{
	bool speculative = s->queued[ML_SPECULATIVE] &&
			   (!s->demand ||
			    s->in_flight[ML_SPECULATIVE] < s->depth);
	bool write = s->queued[ML_WRITE] &&
		     (!s->demand || s->in_flight[ML_WRITE] < s->write_depth);

	if (write && (s->batch || s->expired[ML_WRITE] ||
		      s->passed[ML_WRITE] >= ML_WRITES_STARVED))
		return ML_WRITE;
	if (s->turn && s->rotational) {
		if (s->queued[ML_DEMAND] && s->near[ML_DEMAND])
			return ML_DEMAND;
		/* What the stream reads next may be a moment away */
		return speculative ? ML_SPECULATIVE : ML_NR_CLASSES;
	}
	if (speculative && s->expired[ML_SPECULATIVE] &&
	    (!s->queued[ML_DEMAND] || s->rotational ||
	     s->passed[ML_SPECULATIVE] >= ML_SPECULATIVE_STARVED))
		return ML_SPECULATIVE;
	if (s->queued[ML_DEMAND])
		return ML_DEMAND;
	return next_of_rest(s, speculative, write);
}

/**
 * DOC: How many speculative reads
 *
 * A device is busy when it has as many requests as it can work on at the same
 * time. More only wait inside of it, and a demand read waits behind them. The
 * right number is found as TCP Vegas finds its window: for each size of
 * request, the shortest service time of the last seconds is what it takes
 * alone, s0. The mean of what it takes now, s, is more by what it waits in the
 * device for others of its kind.
 *
 * A request that is completed has a successor after a time r, in which
 * somebody has to notice. With one request less, the device would do
 * (depth - 1) / (s0 + r) at the most, now it does depth / (s + r). If that
 * loses less than a tenth, and a quarter of a request or more waits,
 * depth * (1 - s0 / s), it is one less. If less than that waits while more are
 * wanted, one more is tried, then two more, four more; when that turns out to
 * be for nothing, the next attempt is one again, and comes twice as many steps
 * later.
 *
 * On a disk that seeks between a stream and demand, s is long and s0 is that of
 * a transfer alone, so the number becomes 1.
 */

/**
 * ml_depth_init() - begin
 * @d: the state
 * @depth: what to begin with
 * @now_ns: the time
 *
 * Context: Any.
 */
void ml_depth_init(struct ml_depth *d, unsigned int depth, u64 now_ns)
{
	memset(d, 0, sizeof(*d));
	d->depth = depth;
	d->patience = ML_DEPTH_PATIENCE;
	d->by = 1;
	d->since_ns = now_ns;
}

/**
 * ml_depth_account() - a speculative read has been completed
 * @d: the state
 * @sectors: its length
 * @service_ns: how long the device had it
 * @now_ns: the time
 *
 * Context: Any; the caller keeps others off @d.
 */
void ml_depth_account(struct ml_depth *d, unsigned int sectors, u64 service_ns,
		      u64 now_ns)
{
	unsigned int size = min(ilog2(sectors | 1), ML_DEPTH_SIZES - 1);
	u64 *now = &d->least[0][size], *before = &d->least[1][size];

	if (now_ns - d->since_ns >= ML_DEPTH_WINDOW_NS) {
		memcpy(d->least[1], d->least[0], sizeof(d->least[0]));
		memset(d->least[0], 0, sizeof(d->least[0]));
		d->since_ns = now_ns;
	}
	service_ns = max(service_ns, 1ULL);
	if (!*now || service_ns < *now)
		*now = service_ns;
	d->requests++;
	d->ns += service_ns;
	d->least_ns += *before ? min(*now, *before) : *now;
}

/* In 1/64 of a request */
#define ML_DEPTH_WAITING	16

/**
 * ml_depth_step() - adjust the depth to what has been completed
 * @d: the state
 *
 * Context: Any; the caller keeps others off @d.
 * Return: false if that is too little to go by.
 */
bool ml_depth_step(struct ml_depth *d)
{
	u64 waiting, now, least;

	if (d->requests < ML_DEPTH_ENOUGH)
		return false;
	now = d->ns + (u64)d->requests * d->refill_ns;
	least = d->least_ns + (u64)d->requests * d->refill_ns;
	waiting = div64_u64((d->ns - d->least_ns) * d->depth * 64, d->ns);
	if (d->wait)
		d->wait--;
	if (waiting >= ML_DEPTH_WAITING &&
	    (d->depth - 1) * now * 10 >= d->depth * least * 9) {
		if (d->tried)
			d->patience = min(d->patience * 2,
					  ML_DEPTH_PATIENCE_MAX);
		d->wait = d->patience;
		d->by = 1;
		d->tried = false;
		d->depth -= max(1U, d->depth / 8);
	} else if (waiting < ML_DEPTH_WAITING && d->wanted && !d->wait &&
		   d->depth < ML_DEPTH_MAX) {
		d->tried = true;
		d->depth = min(d->depth + d->by, ML_DEPTH_MAX);
		d->by = min(d->by * 2, ML_DEPTH_MAX / 4);
	} else if (d->tried) {
		/* It was worth while */
		d->patience = ML_DEPTH_PATIENCE;
		d->tried = false;
	}
	d->wanted = false;
	d->requests = 0;
	d->ns = 0;
	d->least_ns = 0;
	return true;
}

/**
 * DOC: How long a speculative read
 *
 * The depth says how many transfers a demand read may meet, their size how long
 * each of them takes. Beside demand, a speculative read is no longer than what
 * the device transfers while a demand read takes its shortest time of late: so
 * the device is kept busy by two or three of them, and to wait for one about
 * doubles the time of a demand read, which a longer one would multiply.
 */

/**
 * ml_piece_init() - begin: all lengths
 * @p: the state
 * @now_ns: the time
 *
 * Context: Any.
 */
void ml_piece_init(struct ml_piece *p, u64 now_ns)
{
	*p = (struct ml_piece) {
		.sectors = ML_PIECE_MAX,
		.since_ns = now_ns,
	};
}

/**
 * ml_piece_demand() - a demand read has been completed
 * @p: the state
 * @service_ns: how long the device had it
 *
 * Context: Any; the caller keeps others off @p.
 */
void ml_piece_demand(struct ml_piece *p, u64 service_ns)
{
	u32 us = clamp(service_ns / NSEC_PER_USEC, 1, ML_TIME_MAX_US);

	if (!p->least_us[0] || us < p->least_us[0])
		p->least_us[0] = us;
}

/**
 * ml_piece_step() - an epoch is over
 * @p: the state
 * @sectors: that were read in it
 * @span_ns: how long it was
 * @now_ns: the time
 *
 * Context: Any; the caller keeps others off @p.
 */
void ml_piece_step(struct ml_piece *p, u64 sectors, u64 span_ns, u64 now_ns)
{
	u32 rate = min_t(u64, div64_u64(min_t(u64, sectors, U32_MAX) *
					NSEC_PER_MSEC, max(span_ns, 1ULL)),
			 U32_MAX);
	u32 least = p->least_us[0];
	u64 most;

	p->rate[0] = max(p->rate[0], rate);
	if (p->least_us[1] && (!least || p->least_us[1] < least))
		least = p->least_us[1];
	if (least) {
		most = (u64)max(p->rate[0], p->rate[1]) * least / USEC_PER_MSEC;
		/* The nearest power of two */
		p->sectors = 1U << ilog2(clamp(most + most / 2, ML_PIECE_MIN,
					       ML_PIECE_MAX));
	}
	if (now_ns - p->since_ns < ML_PIECE_WINDOW_NS)
		return;
	p->rate[1] = p->rate[0];
	p->rate[0] = 0;
	p->least_us[1] = p->least_us[0];
	p->least_us[0] = 0;
	p->since_ns = now_ns;
}

/**
 * ml_depth_reward() - judge a depth
 * @demand_us: what demand reads spent queued and in service, together
 * @demand_reads: their number
 * @speculative_us: what speculative reads spent queued and in service, together
 * @speculative_kb: what was read by them
 *
 * The sum of two logarithms: a demand read that takes half as long is worth as
 * much as speculation at twice the speed, on any device. Holding speculation
 * makes its own time longer, so that holding it without demand, or for
 * nothing, lowers the reward.
 *
 * Context: Any.
 * Return: the reward, larger is better, in 1/16 of a doubling of one of the
 * two.
 */
s32 ml_depth_reward(u64 demand_us, u32 demand_reads, u64 speculative_us,
		    u64 speculative_kb)
{
	s32 reward = 0;

	if (demand_reads)
		reward -= ra_lg16(min_t(u64, div_u64(demand_us, demand_reads),
					ML_TIME_MAX_US));
	/* Nothing read in all the time is the worst there can be */
	if (speculative_us)
		reward -= ra_lg16(speculative_kb ?
				  min_t(u64, div64_u64(speculative_us * 64,
						       speculative_kb),
					ML_TIME_MAX_US) :
				  ML_TIME_MAX_US);
	return reward;
}
