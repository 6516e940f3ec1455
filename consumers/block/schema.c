// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space is told of the proxy "readahead": features, actions, reward.
 */
#include <linux/ml_lib.h>

#include "readahead.h"

static const struct ml_feature ra_features[RA_NR_FEATURES] = {
	[RA_F_SYNC] = { "sync", "1", "a miss that continues a stream" },
	[RA_F_ASYNC] = { "async", "1", "the mark of a window was hit" },
	[RA_F_FAULT] = { "fault", "1", "a page fault, not a read" },
	[RA_F_MARKER] = { "marker", "1", "the mark of a stride was hit" },
	[RA_F_REQUEST] = { "request", "lg16 page", "asked for" },
	[RA_F_REQUESTS] = { "requests", "lg16", "of this file so far" },
	[RA_F_MISSES] = { "misses", "lg16", "requests that met with a miss" },
	[RA_F_SEQUENTIAL] = { "sequential", "1/1024",
			      "share of requests that continue the last" },
	[RA_F_HITS] = { "hits", "1/1024", "share of requests without a miss" },
	[RA_F_STRIDE] = { "stride", "lg16 page", "distance of runs" },
	[RA_F_STRIDE_SIGN] = { "stride_sign", "1", "-1: backwards" },
	[RA_F_STRIDE_CONF] = { "stride_conf", "1", "0: none .. 16: sure" },
	[RA_F_STRIDE_COVER] = { "stride_cover", "1/1024",
				"share of the file that a strided reader reads" },
	[RA_F_RUN_MEAN] = { "run_mean", "lg16 page", "mean length of runs" },
	[RA_F_RUN_NOW] = { "run_now", "lg16 page", "of the current run" },
	[RA_F_JUMP] = { "jump", "lg16 page", "mean distance of jumps" },
	[RA_F_FORWARD] = { "forward", "1/1024", "share of jumps forward" },
	[RA_F_THINK] = { "think", "lg16 us", "mean time between requests" },
	[RA_F_USED] = { "used", "1/1024",
			"share of the pages fetched of late that have been read" },
	[RA_F_FETCHED] = { "fetched", "lg16", "pages fetched so far / file" },
	[RA_F_STOCK_WINDOW] = { "stock_window", "lg16 page", "stock's answer" },
	[RA_F_FILE] = { "file", "lg16 page", "size of the file" },
	[RA_F_LEFT] = { "left", "lg16 page", "from here to the file's end" },
	[RA_F_ROOM] = { "room", "lg16 page", "memory that is free or cache" },
	[RA_F_FILE_ROOM] = { "file_room", "lg16", "file / room" },
	[RA_F_REFAULT] = { "refault", "1/1024",
			   "share of fetched pages that had been evicted" },
	[RA_F_LATENCY] = { "latency", "lg16 us", "of a miss on this device" },
	[RA_F_BANDWIDTH] = { "bandwidth", "lg16 page/ms", "best of the device" },
	[RA_F_PIPE] = { "pipe", "lg16 page", "delivered in the time of a miss" },
	[RA_F_PAID] = { "paid", "lg16", "time lost by misses / time to read all" },
	[RA_F_LOAD] = { "load", "lg16 1/16", "requests in the device" },
	[RA_F_OTHERS] = { "others", "lg16 1/s", "random misses of other files" },
};

static const struct ml_action ra_actions[RA_NR_ACTIONS] = {
	[RA_STOCK] = { "stock", "what the kernel does" },
	[RA_NONE] = { "none", "what is asked for, nothing more" },
	[RA_64K] = { "64k", "a window of 64 KiB" },
	[RA_256K] = { "256k", "a window of 256 KiB" },
	[RA_1M] = { "1m", "a window of 1 MiB" },
	[RA_2M] = { "2m", "a window of 2 MiB" },
	[RA_STRIDE_16] = { "stride16", "16 pieces ahead; stock without stride" },
	[RA_STRIDE_64] = { "stride64", "64 pieces ahead; stock without stride" },
};

static const struct ml_ops ra_ops = {
	.rule = ra_rule,
};

const struct ml_proxy_desc ra_desc = {
	.name = "readahead",
	.features = ra_features,
	.nr_features = RA_NR_FEATURES,
	.actions = ra_actions,
	.nr_actions = RA_NR_ACTIONS,
	.reward_unit = "miss/1000",
	.reward_about = "-(time in reads + waste + others' time) / (pages read * a miss)",
	.ops = &ra_ops,
	.arm_slot_order = 27,
};
