/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the devices and memory are like at present, as far as readers notice.
 */
#ifndef _ML_BLOCK_DEVICE_H
#define _ML_BLOCK_DEVICE_H

#include <linux/types.h>

struct block_device;
struct inode;

/* A wait of somebody else who needs single pages counts so many times */
#define RA_OTHERS_WEIGHT	8

/**
 * struct ra_device - a device, or a file system without one
 * @dev: its number; 0: free
 * @bdev: compared and never followed
 * @rotates: has to be positioned first
 * @latency_us: see ra_device_waited(), in 1/64 us
 * @quiet_us: the same when little is in the way, in 1/64 us
 * @request_us: that a request took at the last sample
 * @served_us: what a demand read takes, if the scheduler ml knows; or 0
 * @bandwidth: best of late, pages per s
 * @load: mean number of requests in it, 1/16
 * @misses: that look random, a count
 * @miss_rate: of them, 1/s
 * @page_rate: pages read, 1/s
 * @streamed: pages fetched for readers who mostly go on where they were, a count
 * @stream_rate: of them, 1/s
 * @given: pages fetched of files that somebody went through, of late
 * @taken: of these, the ones that have been read
 * @issue_ns: that a reader takes to ask for a page, of many
 * @missed_at: jiffies, when @misses was last seen to have grown
 * @streamed_at: the same of @streamed
 * @enough: pages, a mean of what streams had, see ra_device_sufficed()
 * @sampled_misses: @misses at the last sample
 * @sampled_streamed: @streamed at the last sample
 * @samples: taken of this device
 * @next_sample: jiffies
 * @sampled_ns: the last one
 * @sectors: read until then
 * @requests: until then
 * @busy_ms: time at work until then
 * @wait_ns: time of all requests until then
 *
 * Written under one lock but for @latency_us, @quiet_us, @misses, @streamed,
 * @given, @taken and @issue_ns, which may lose an update; read without.
 */
struct ra_device {
	dev_t dev;
	const struct block_device *bdev;
	bool rotates;
	u32 latency_us;
	u32 quiet_us;
	u32 request_us;
	u32 served_us;
	u32 bandwidth;
	u32 load;
	u32 misses;
	u32 miss_rate;
	u32 page_rate;
	u32 streamed;
	u32 stream_rate;
	u32 given;
	u32 taken;
	u32 issue_ns;
	unsigned long missed_at;
	unsigned long streamed_at;
	u32 enough;
	u32 sampled_misses;
	u32 sampled_streamed;
	u32 samples;
	unsigned long next_sample;
	u64 sampled_ns;
	u64 sectors;
	u64 requests;
	u64 busy_ms;
	u64 wait_ns;
};

struct block_device *ra_bdev_of(struct inode *inode);
struct ra_device *ra_device_of(struct inode *inode);
void ra_device_sample(struct ra_device *d, struct inode *inode, u64 now_ns);
void ra_device_waited(struct ra_device *d, u64 ns);
void ra_device_missed(struct ra_device *d);
void ra_device_streamed(struct ra_device *d, u32 pages);
void ra_device_given(struct ra_device *d, u32 fetched, u32 found);
bool ra_device_wastes(const struct ra_device *d);
void ra_device_issued(struct ra_device *d, u32 pages, u64 ns);
u32 ra_device_latency_us(const struct ra_device *d);
u32 ra_mean_rate(u32 mean, u64 count, u64 ns);
u64 ra_device_pipe(const struct ra_device *d);
bool ra_device_is_known(const struct ra_device *d);
void ra_device_sufficed(struct ra_device *d, u32 pages);
bool ra_device_is_kept(const struct ra_device *d, u32 pages);
u64 ra_device_aside(const struct ra_device *d);
u32 ra_device_page_price_ns(const struct ra_device *d);
u64 ra_device_others_wait_ns(const struct ra_device *d, u32 pages,
			     u32 others);

u64 ra_memory_room(void);
u32 ra_memory_refaults(void);
void ra_memory_fetched(unsigned long pages);

#endif /* _ML_BLOCK_DEVICE_H */
