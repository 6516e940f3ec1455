/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a window may take, whatever the model says: pure functions.
 */
#ifndef _ML_BLOCK_BOUNDS_H
#define _ML_BLOCK_BOUNDS_H

#include <linux/types.h>

struct ra_pattern;

/**
 * struct ra_surroundings - what a window has to fit into
 * @single: a miss that is no part of a stream
 * @goes_on: it continues where the reader's run has come to
 * @start: page that it begins with
 * @file: pages of the file
 * @stock: pages that stock would read
 * @default_window: pages that stock reads at the most
 * @room: pages that readers may fill
 * @refaults: share of the pages fetched of late that had been evicted before
 * @pipe: pages that the device delivers in the time of a miss
 * @aside: pages that others do not feel, see ra_aside()
 * @enough: pages of a stream's window, see ra_enough(); 0: not known
 * @latency_us: what a miss costs
 * @others: others wait for single pages
 * @kept: what stock would read keeps the device, see ra_device_is_kept()
 * @beside_stream: others stream
 * @not_alone: so they do, or it is too early to know
 * @crowded: so they do, or they keep the device busy
 * @unread: much of what is fetched of the file is not read
 * @vain: of all that was fetched of the file, an eighth has not been read
 * @wasted: of what is fetched for who goes through files, a quarter is not read
 */
struct ra_surroundings {
	bool single;
	bool goes_on;
	u64 start;
	u64 file;
	u32 stock;
	u32 default_window;
	u64 room;
	u32 refaults;
	u64 pipe;
	u64 aside;
	u32 enough;
	u32 latency_us;
	bool others;
	bool kept;
	bool beside_stream;
	bool not_alone;
	bool crowded;
	bool unread;
	bool vain;
	bool wasted;
};

bool ra_leaves_out(const struct ra_pattern *p, const struct ra_surroundings *s);
bool ra_may_be_less(const struct ra_surroundings *s);
u64 ra_window_limit(const struct ra_pattern *p,
		    const struct ra_surroundings *s);
bool ra_stays_unread(bool was, u32 fetched, u32 found);
u32 ra_enough(u32 was, u64 waited_ns, u64 ns);
bool ra_in_vain(u32 fetched, u32 found);
bool ra_wastes(u32 fetched, u32 found);
u64 ra_aside(u32 quiet_us, u32 bandwidth, u32 issue_ns);

#endif /* _ML_BLOCK_BOUNDS_H */
