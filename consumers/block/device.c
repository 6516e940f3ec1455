// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices and memory: what a miss costs, and what a page in vain.
 */
#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/part_stat.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/vmstat.h>

#include "bounds.h"
#include "device.h"
#include "iosched.h"
#include "pattern.h"

#define RA_DEVICES	16
#define SAMPLE_JIFFIES	max(HZ / 32, 1)
/*
 * Who has not missed for so long will not; who misses seldom, waits seldom. And
 * a scan that begins anew, or finds pages of its own, is a stream all the time.
 */
#define ENDED_JIFFIES	max(HZ / 4, 1)

static struct ra_device devices[RA_DEVICES];
static DEFINE_SPINLOCK(sample_lock);
static atomic_long_t pages_fetched;

static struct {
	unsigned long next_sample;
	unsigned long refaults;
	unsigned long fetched;
	u32 share;
} refault;

/**
 * ra_bdev_of() - where a file lies
 * @inode: the file; a disk that is read itself has an inode of its own
 *
 * Return: The block device, NULL if there is none.
 */
struct block_device *ra_bdev_of(struct inode *inode)
{
	return S_ISBLK(inode->i_mode) ? I_BDEV(inode) : inode->i_sb->s_bdev;
}

/**
 * ra_device_of() - the device that a file lies on
 * @inode: the file
 *
 * Of the devices beyond the first RA_DEVICES - 1, all share the last place.
 *
 * Context: Any that may spin.
 * Return: The device, never NULL.
 */
struct ra_device *ra_device_of(struct inode *inode)
{
	struct block_device *bdev = ra_bdev_of(inode);
	dev_t dev = bdev ? bdev->bd_dev : inode->i_sb->s_dev;
	struct ra_device *d;

	spin_lock(&sample_lock);
	for (d = devices; d < &devices[RA_DEVICES - 1]; d++) {
		if (!d->dev)
			d->dev = dev;
		if (d->dev == dev)
			break;
	}
	spin_unlock(&sample_lock);
	return d;
}

/**
 * ra_mean_rate() - moving mean of a rate
 * @mean: so far, 1/s
 * @count: what has come since
 * @ns: that is so long ago, not 0
 *
 * Return: The mean, the newest rate with a weight of 1/4.
 */
u32 ra_mean_rate(u32 mean, u64 count, u64 ns)
{
	u64 rate = min_t(u64, div64_u64(count * NSEC_PER_SEC, ns), S32_MAX);

	return (mean * 3ULL + rate) / 4;
}

/* What readers notice includes their own time; a scheduler's figure does not */
static void ask_scheduler(struct ra_device *d, struct block_device *bdev)
{
	struct ml_iosched_latency latency = {};

	ml_iosched_latency(bdev, &latency);
	WRITE_ONCE(d->served_us, latency.demand_us ?
		   latency.demand_us + latency.demand_wait_us : 0);
}

/* Other CPUs count meanwhile: what is missed now is seen next time */
#define stat_of(bdev, field)	data_race(part_stat_read(bdev, field))

static void sample_requests(struct ra_device *d, struct block_device *bdev,
			    u64 elapsed)
{
	u64 sectors = stat_of(bdev, sectors[STAT_READ]);
	u64 busy_ms = jiffies_to_msecs(stat_of(bdev, io_ticks));
	u64 wait_ns = stat_of(bdev, nsecs[STAT_READ]);
	u64 requests = stat_of(bdev, ios[STAT_READ]);
	u32 rate = 0;

	/* Another one has the number now, and is unknown */
	if (d->bdev != bdev || sectors < d->sectors || wait_ns < d->wait_ns) {
		d->bdev = bdev;
		d->rotates = !bdev_nonrot(bdev);
		WRITE_ONCE(d->latency_us, 0);
		WRITE_ONCE(d->quiet_us, 0);
		WRITE_ONCE(d->request_us, 0);
		WRITE_ONCE(d->bandwidth, 0);
		WRITE_ONCE(d->load, 0);
		WRITE_ONCE(d->given, 0);
		WRITE_ONCE(d->taken, 0);
		elapsed = 0;
	}
	if (elapsed) {
		if (busy_ms - d->busy_ms >= 4)
			rate = div64_u64((sectors - d->sectors) / 8 *
					 MSEC_PER_SEC, busy_ms - d->busy_ms);
		/* Half is forgotten in 20 seconds of use */
		rate = max(rate, d->bandwidth - d->bandwidth / 1024);
		WRITE_ONCE(d->bandwidth, rate);
		WRITE_ONCE(d->page_rate,
			   ra_mean_rate(d->page_rate,
					(sectors - d->sectors) / 8, elapsed));
		WRITE_ONCE(d->load,
			   min_t(u64, div64_u64((wait_ns - d->wait_ns) * 16,
						elapsed), S16_MAX));
	}
	if (elapsed && requests != d->requests)
		WRITE_ONCE(d->request_us,
			   min_t(u64, div64_u64(wait_ns - d->wait_ns,
						requests - d->requests) /
				      NSEC_PER_USEC, S32_MAX));
	ask_scheduler(d, bdev);
	d->requests = requests;
	d->sectors = sectors;
	d->busy_ms = busy_ms;
	d->wait_ns = wait_ns;
}

/* Of what readers count: how much a second? Who has ended is in nobody's way */
static void sample_rate(u32 *rate, u32 count, u32 *sampled,
			unsigned long *grown_at, u64 elapsed)
{
	if (count != *sampled)
		*grown_at = jiffies;
	if (elapsed)
		WRITE_ONCE(*rate,
			   time_after(jiffies, *grown_at + ENDED_JIFFIES) ?
			   0 :
			   ra_mean_rate(*rate, count - *sampled, elapsed));
	*sampled = count;
}

static void sample_refaults(void)
{
	unsigned long refaults, fetched, share;

	refaults = global_node_page_state(WORKINGSET_REFAULT_FILE);
	fetched = atomic_long_read(&pages_fetched);
	if (fetched - refault.fetched < 256)
		return;
	share = min(RA_SHARE_ONE, (refaults - refault.refaults) *
		    RA_SHARE_ONE / (fetched - refault.fetched));
	WRITE_ONCE(refault.share, (refault.share * 3 + share) / 4);
	refault.refaults = refaults;
	refault.fetched = fetched;
}

/**
 * ra_device_sample() - bring the figures up to date, 32 times a second
 * @d: device
 * @inode: of a file on it
 * @now_ns: local_clock()
 *
 * Context: Any that may spin; waits for nobody.
 */
void ra_device_sample(struct ra_device *d, struct inode *inode, u64 now_ns)
{
	struct block_device *bdev = ra_bdev_of(inode);
	u64 elapsed;

	if (time_before(jiffies, READ_ONCE(d->next_sample)) &&
	    time_before(jiffies, READ_ONCE(refault.next_sample)))
		return;
	if (!spin_trylock(&sample_lock))
		return;
	if (!time_before(jiffies, d->next_sample)) {
		elapsed = d->sampled_ns ? max_t(s64, now_ns - d->sampled_ns,
						NSEC_PER_MSEC) : 0;
		/* What shares the last place cannot be told apart */
		if (bdev && d->dev)
			sample_requests(d, bdev, elapsed);
		sample_rate(&d->miss_rate, READ_ONCE(d->misses),
			    &d->sampled_misses, &d->missed_at, elapsed);
		sample_rate(&d->stream_rate, READ_ONCE(d->streamed),
			    &d->sampled_streamed, &d->streamed_at, elapsed);
		d->sampled_ns = now_ns;
		WRITE_ONCE(d->samples, d->samples + 1);
		WRITE_ONCE(d->next_sample, jiffies + SAMPLE_JIFFIES);
	}
	if (!time_before(jiffies, refault.next_sample)) {
		sample_refaults();
		WRITE_ONCE(refault.next_sample, jiffies + SAMPLE_JIFFIES);
	}
	spin_unlock(&sample_lock);
}

/**
 * ra_device_waited() - a reader has waited for a miss
 * @d: device
 * @ns: as long as that
 *
 * What a miss costs: the mean follows a shorter time eight times as fast as a
 * longer one, or windows that keep the device busy would make it look slow,
 * which asks for longer windows. What bounds windows is stricter: the shortest
 * time of late, which doubles after some 350 misses that all take longer.
 *
 * Context: Any.
 */
void ra_device_waited(struct ra_device *d, u64 ns)
{
	u32 us64 = min_t(u64, div_u64(ns * 64, NSEC_PER_USEC), S32_MAX);
	u32 was = READ_ONCE(d->latency_us), now = us64;

	if (was && us64 < was)
		now = was - (was - us64) / 8;
	else if (was)
		now = was + (us64 - was) / 64;
	WRITE_ONCE(d->latency_us, now);

	was = READ_ONCE(d->quiet_us);
	if (was && us64 >= was)
		now = min_t(u64, was + was / 512ULL + 1, us64);
	else
		now = us64;
	WRITE_ONCE(d->quiet_us, now);
}

/**
 * ra_device_missed() - a reader waits for pages that could not be read ahead
 * @d: device
 *
 * Context: Any.
 */
void ra_device_missed(struct ra_device *d)
{
	WRITE_ONCE(d->misses, READ_ONCE(d->misses) + 1);
}

/**
 * ra_device_streamed() - a stream has fetched pages
 * @d: device
 * @pages: so many
 *
 * Context: Any.
 */
void ra_device_streamed(struct ra_device *d, u32 pages)
{
	WRITE_ONCE(d->streamed, READ_ONCE(d->streamed) + pages);
}

/**
 * ra_device_given() - a file that somebody went through is not followed any more
 * @d: device
 * @fetched: pages, for its windows
 * @found: of these, the ones that have been read
 *
 * Context: Any.
 */
void ra_device_given(struct ra_device *d, u32 fetched, u32 found)
{
	u32 given = READ_ONCE(d->given), taken = READ_ONCE(d->taken);

	if (given >= SZ_64M >> RA_PAGE_SHIFT) {
		given /= 2;
		taken /= 2;
	}
	WRITE_ONCE(d->given, given + fetched);
	WRITE_ONCE(d->taken, taken + found);
}

/**
 * ra_device_wastes() - is much not read that is fetched for who goes through files?
 * @d: device
 *
 * Context: Any.
 * Return: true if it is a quarter.
 */
bool ra_device_wastes(const struct ra_device *d)
{
	return ra_wastes(READ_ONCE(d->given), READ_ONCE(d->taken));
}

/**
 * ra_device_issued() - I/O has been started
 * @d: device
 * @pages: so many
 * @ns: the time that took, of the reader's own
 *
 * The mean follows a shorter time eight times as fast as a longer one, in which
 * there may have been an interrupt, or a wait for the queue.
 *
 * Context: Any.
 */
void ra_device_issued(struct ra_device *d, u32 pages, u64 ns)
{
	u32 was = READ_ONCE(d->issue_ns), now;

	now = min_t(u64, div_u64(ns, pages), S32_MAX);
	if (was && now < was)
		now = was - (was - now) / 8;
	else if (was)
		now = was + (now - was) / 64;
	WRITE_ONCE(d->issue_ns, now);
}

/**
 * ra_device_is_known() - has there been time to see what readers do?
 * @d: device
 *
 * Context: Any.
 * Return: true after an eighth of a second of use.
 */
bool ra_device_is_known(const struct ra_device *d)
{
	return READ_ONCE(d->samples) >= 4;
}

/**
 * ra_device_sufficed() - a stream's window has been long enough, or will be
 * @d: device
 * @pages: see ra_enough()
 *
 * The next file begins with the mean of the last ones, the newest with a weight
 * of 1/4.
 *
 * Context: Any.
 */
void ra_device_sufficed(struct ra_device *d, u32 pages)
{
	WRITE_ONCE(d->enough, (3 * READ_ONCE(d->enough) + pages) / 4);
}

/**
 * ra_device_aside() - what may be asked for where somebody waits for a miss
 * @d: device
 *
 * Return: Pages, see ra_aside().
 */
u64 ra_device_aside(const struct ra_device *d)
{
	return ra_aside(READ_ONCE(d->quiet_us) / 64, READ_ONCE(d->bandwidth),
			READ_ONCE(d->issue_ns));
}

/**
 * ra_device_latency_us() - what a miss costs
 * @d: device
 *
 * Return: Microseconds, by the I/O scheduler ml where it is in charge, else by
 * those who waited, or, where several wait at a time, by the requests; 0 if there
 * has been nothing yet.
 */
u32 ra_device_latency_us(const struct ra_device *d)
{
	return READ_ONCE(d->served_us) ?: READ_ONCE(d->latency_us) / 64 ?:
	       READ_ONCE(d->request_us);
}

/**
 * ra_device_pipe() - what is delivered in the time of a miss
 * @d: device
 *
 * Return: Pages; 0 if that is not known yet.
 */
u64 ra_device_pipe(const struct ra_device *d)
{
	return div_u64((u64)ra_device_latency_us(d) * READ_ONCE(d->bandwidth),
		       USEC_PER_SEC);
}

/* The time that a page takes on the way, once the device has answered */
static u32 transfer_ns(const struct ra_device *d)
{
	u64 miss_ns = (u64)ra_device_latency_us(d) * NSEC_PER_USEC;
	u32 bandwidth = READ_ONCE(d->bandwidth);
	u64 ns = miss_ns / 8;

	if (bandwidth)
		ns = min_t(u64, ns, NSEC_PER_SEC / bandwidth);
	return min_t(u64, ns, U32_MAX);
}

/**
 * ra_device_is_kept() - do others wait much longer for what is fetched?
 * @d: device
 * @pages: that are fetched at once
 *
 * The scheduler ml lets who waits go before what is read ahead, but not before who
 * is made to wait by reading no further than he has asked.
 *
 * Context: Any.
 * Return: true if it takes half as long again as a miss, or has to be positioned
 * for, and is in the others' way at all.
 */
bool ra_device_is_kept(const struct ra_device *d, u32 pages)
{
	u64 miss_ns = (u64)READ_ONCE(d->quiet_us) * NSEC_PER_USEC / 64;

	if (READ_ONCE(d->served_us))
		return false;
	return d->rotates || (u64)pages * transfer_ns(d) > miss_ns + miss_ns / 2;
}

/**
 * ra_device_page_price_ns() - the price of a page that is fetched in vain
 * @d: device
 *
 * Return: Nanoseconds: the device's time for it, and what the page costs that
 * it has driven out, see ra_reward().
 */
u32 ra_device_page_price_ns(const struct ra_device *d)
{
	u64 miss_ns = (u64)ra_device_latency_us(d) * NSEC_PER_USEC;

	return min_t(u64, transfer_ns(d) + miss_ns * ra_memory_refaults() /
		     RA_SHARE_ONE, U32_MAX);
}

/**
 * ra_device_others_wait_ns() - how long others wait for what is fetched
 * @d: device
 * @pages: that are fetched at once
 * @others: misses of other files, 1/s
 *
 * A fetch keeps the device for a time S. Others that miss meanwhile, at a rate
 * r, wait for half of it on average: r * S * S / 2 together. S is the time of
 * the transfer, and that of positioning where there is any. Others are those
 * whose misses look random: they wait for each page, and a wait is the tail of
 * somebody's latency, so it counts RA_OTHERS_WEIGHT times.
 *
 * Return: Nanoseconds, all waiting added up and weighted.
 */
u64 ra_device_others_wait_ns(const struct ra_device *d, u32 pages, u32 others)
{
	u64 us = div_u64((u64)pages * transfer_ns(d), NSEC_PER_USEC);

	if (!pages || !others)
		return 0;
	if (d->rotates)
		us += ra_device_latency_us(d);
	/* us * us / 1e6 is in us for a rate of 1/s; 1e3 makes it ns */
	us = min_t(u64, us, USEC_PER_SEC);
	return div_u64(us * us, 2000) * min(others, 100000u) *
	       RA_OTHERS_WEIGHT;
}

/**
 * ra_memory_room() - what readers may fill
 *
 * Return: Pages that are free or hold file data.
 */
u64 ra_memory_room(void)
{
	return global_zone_page_state(NR_FREE_PAGES) +
	       global_node_page_state(NR_ACTIVE_FILE) +
	       global_node_page_state(NR_INACTIVE_FILE);
}

/**
 * ra_memory_refaults() - how short memory is for readers
 *
 * Return: Share of the pages fetched of late that had been evicted before.
 */
u32 ra_memory_refaults(void)
{
	return READ_ONCE(refault.share);
}

/**
 * ra_memory_fetched() - pages have been fetched
 * @pages: so many
 */
void ra_memory_fetched(unsigned long pages)
{
	atomic_long_add(pages, &pages_fetched);
}
