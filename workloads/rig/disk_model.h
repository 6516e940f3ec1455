/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Service-time model of a simulated disk: no block layer, no clock, no
 * locking; the caller brings the requests and says what time it is.
 */
#ifndef RIG_DISK_MODEL_H
#define RIG_DISK_MODEL_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct rig_disk_params - everything that sets one device apart from another
 * @channels: requests worked on at the same time
 * @read_ns: base latency of a read (ns)
 * @write_ns: base latency of a write (ns)
 * @jitter_ns: largest random addition to a latency (ns)
 * @read_iops: limit of reads a second; 0: none
 * @write_iops: limit of writes a second; 0: none
 * @read_mbps: transfer rate of reads (10^6 bytes/s)
 * @write_mbps: transfer rate of writes (10^6 bytes/s)
 * @flush_ns: cost of a cache flush (ns)
 * @revolution_ns: time of one revolution (ns); 0: nothing rotates
 * @seek_track_ns: seek to the next track, settling included (ns)
 * @seek_full_ns: seek over the whole disk, settling included (ns)
 * @skip_kb: forward gap that is passed over without a seek (KiB)
 * @age_ms: wait after which a queued request goes first (ms)
 * @write_cache: volatile write cache, flushed on demand
 * @multi_queue: class of device that the kernel gives no scheduler
 * @queue_depth: requests the device accepts
 * @max_kb: largest request (KiB)
 * @max_segments: most memory segments in a request
 *
 * All fields are s32, because code also goes through them as through an array:
 * rig_disk_ranges[] names them in the same order.
 */
struct rig_disk_params {
	s32 channels;
	s32 read_ns;
	s32 write_ns;
	s32 jitter_ns;
	s32 read_iops;
	s32 write_iops;
	s32 read_mbps;
	s32 write_mbps;
	s32 flush_ns;
	s32 revolution_ns;
	s32 seek_track_ns;
	s32 seek_full_ns;
	s32 skip_kb;
	s32 age_ms;
	s32 write_cache;
	s32 multi_queue;
	s32 queue_depth;
	s32 max_kb;
	s32 max_segments;
};

#define RIG_DISK_NR_PARAMS	(sizeof(struct rig_disk_params) / sizeof(s32))

/**
 * struct rig_disk_range - what a parameter may be
 * @name: the parameter
 * @min: smallest value
 * @max: largest value
 */
struct rig_disk_range {
	const char *name;
	s32 min;
	s32 max;
};

extern const struct rig_disk_range rig_disk_ranges[RIG_DISK_NR_PARAMS];

/**
 * struct rig_disk_profile - a named set of parameters
 * @name: what the user calls it
 * @params: the parameters
 */
struct rig_disk_profile {
	const char *name;
	struct rig_disk_params params;
};

extern const struct rig_disk_profile rig_disk_profiles[];
extern const unsigned int rig_disk_nr_profiles;

enum rig_disk_op {
	RIG_DISK_READ,
	RIG_DISK_WRITE,
	RIG_DISK_FLUSH,
};

/**
 * struct rig_disk_req - one request inside the device
 * @node: place in one of the model's lists
 * @op: what to do
 * @sector: first 512-byte sector
 * @nr_sectors: length; 0 for a flush
 * @arrival: when the device got it (ns)
 * @when: when its present stage ends (ns)
 *
 * The caller sets @op, @sector and @nr_sectors and keeps the structure alive
 * until rig_disk_model_run() returns it; the rest is the model's.
 */
struct rig_disk_req {
	struct list_head node;
	enum rig_disk_op op;
	u64 sector;
	u32 nr_sectors;
	u64 arrival;
	u64 when;
};

/**
 * struct rig_disk_model - state of one device
 * @p: its parameters
 * @tracks: number of tracks the sectors are spread over
 * @track_sectors: sectors on a track
 * @rng: state of the random generator
 * @phase: rotational position at time 0 (ns)
 * @head: sector behind the one last transferred
 * @clock: latest completion handed out (ns)
 * @bus_free: when the bus has done all transfers given to it (ns)
 * @busy: channels at work
 * @queued: requests that no channel has taken, oldest first
 * @preparing: requests in their latency, first to be ready first
 * @transferring: requests that have the bus or a turn on it, in order
 */
struct rig_disk_model {
	struct rig_disk_params p;
	u64 tracks;
	u32 track_sectors;
	u64 rng;
	u32 phase;
	u64 head;
	u64 clock;
	u64 bus_free;
	u32 busy;
	struct list_head queued;
	struct list_head preparing;
	struct list_head transferring;
};

const struct rig_disk_profile *rig_disk_find_profile(const char *name);
int rig_disk_params_check(const struct rig_disk_params *p, char *why,
			  size_t len);
void rig_disk_model_init(struct rig_disk_model *m,
			 const struct rig_disk_params *p, u64 seed,
			 u64 nr_sectors);
void rig_disk_model_add(struct rig_disk_model *m, struct rig_disk_req *req,
			u64 now);
struct rig_disk_req *rig_disk_model_run(struct rig_disk_model *m, u64 now);
u64 rig_disk_model_next(struct rig_disk_model *m);
u64 rig_disk_model_seek(const struct rig_disk_model *m, u64 from, u64 to);
u64 rig_disk_model_transfer(const struct rig_disk_model *m,
			    enum rig_disk_op op, u32 nr_sectors);

#endif /* RIG_DISK_MODEL_H */
