// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device profiles, and where each figure is from. A figure without a
 * published source says so.
 */

#include <linux/kernel.h>

#include "disk_model.h"

const struct rig_disk_profile rig_disk_profiles[] = {
	/*
	 * A 7200 rpm SATA disk: Western Digital Ultrastar DC HC310 (7K6),
	 * "Hard Disk Drive OEM Specification", section 4.5 (performance
	 * characteristics), typical values.
	 */
	{ "hdd", {
		.channels	= 1,		/* one actuator */
		/* Command processing overlaps the positioning before it */
		.read_ns	= 0,
		.write_ns	= 0,
		.jitter_ns	= 0,		/* rotation is the jitter */
		.read_iops	= 0,
		.write_iops	= 0,
		/*
		 * The outer zone's rate as commonly quoted for this drive; the
		 * section above gives none.
		 */
		.read_mbps	= 255,
		.write_mbps	= 255,
		/* No published figure: one revolution, the least it can be */
		.flush_ns	= 8333333,
		.revolution_ns	= 8333333,	/* 7200 rpm (table 7) */
		.seek_track_ns	= 230000,	/* read, table 6 */
		/*
		 * Average read seek 7.4 ms (table 5). Over uniform pairs the
		 * square-root law averages track + 8/15 * (full - track).
		 */
		.seek_full_ns	= 13670000,
		/* No published figure: a quarter of a track, look-ahead size */
		.skip_kb	= 512,
		/* No published figure; well below the block layer's 30 s */
		.age_ms		= 500,
		.write_cache	= 1,
		.multi_queue	= 0,
		.queue_depth	= 32,		/* Serial ATA: NCQ tags */
		.max_kb		= 32767,	/* libata: 65535 sectors (LBA48) */
		.max_segments	= 168,		/* AHCI_MAX_SG, drivers/ata/ahci.h */
	} },
	/*
	 * A SATA SSD: Samsung 870 EVO data sheet: 560/530 MB/s sequential,
	 * 98,000/88,000 IOPS at depth 32, 13,000/36,000 IOPS at depth 1
	 * (4 KiB, read/write).
	 */
	{ "ssd", {
		/* 8 flash channels with more than one die each */
		.channels	= 16,
		/*
		 * 1/13,000 s = 76.9 us, less 1/98,000 s = 10.2 us on the bus,
		 * less half the jitter; 1/36,000 s and 1/88,000 s for writes.
		 */
		.read_ns	= 61700,
		.write_ns	= 11400,
		.jitter_ns	= 10000,	/* no published figure */
		.read_iops	= 98000,
		.write_iops	= 88000,
		.read_mbps	= 560,
		.write_mbps	= 530,
		/* No published figure: the order of one page programmed */
		.flush_ns	= 1000000,
		.age_ms		= 500,		/* of no effect: oldest first */
		.write_cache	= 1,
		.multi_queue	= 0,
		.queue_depth	= 32,		/* Serial ATA: NCQ tags */
		.max_kb		= 32767,	/* libata: 65535 sectors (LBA48) */
		.max_segments	= 168,		/* AHCI_MAX_SG, drivers/ata/ahci.h */
	} },
	/*
	 * A data-centre NVMe drive: Intel SSD DC P4500 2.0 TB, Lenovo product
	 * guide, table "Technical specifications": 3.2/1.05 GB/s sequential,
	 * 490,000/38,000 IOPS, random access latency 85/20 us (read/write).
	 */
	{ "nvme", {
		/* 490,000 IOPS * 85 us = 42 reads at work, and room */
		.channels	= 64,
		/* The latencies less half the jitter and the bus time */
		.read_ns	= 78000,
		.write_ns	= 11000,
		.jitter_ns	= 10000,	/* no published figure */
		.read_iops	= 490000,
		/*
		 * 38,000 is the steady state under garbage collection, which
		 * is not modelled; the rate is the limit.
		 */
		.write_iops	= 0,
		.read_mbps	= 3200,
		.write_mbps	= 1050,
		.flush_ns	= 0,		/* power-loss protected */
		.age_ms		= 500,		/* of no effect: oldest first */
		.write_cache	= 0,		/* power-loss protected */
		.multi_queue	= 1,
		/* The hardware takes more; one guest CPU cannot use it */
		.queue_depth	= 128,
		/* MDTS of that controller family */
		.max_kb		= 128,
		.max_segments	= 128,		/* NVME_MAX_SEGS, drivers/nvme/host/pci.c */
	} },
	/*
	 * A network volume: Amazon EBS gp3 with all that could be had for it
	 * in 2021-2025: 16,000 IOPS and 1,000 MiB/s ("Amazon EBS volume
	 * types"), I/O counted in pieces of 256 KiB ("Amazon EBS I/O
	 * characteristics").
	 */
	{ "cloud", {
		/* Not published; no less than the limits need: 16,000/s * 1 ms */
		.channels	= 64,
		/*
		 * "Single-digit millisecond" is promised; 1 ms is the mean here,
		 * bus time of a small request (1/16,000 s) included.
		 */
		.read_ns	= 840000,
		.write_ns	= 840000,
		.jitter_ns	= 200000,	/* no published figure */
		.read_iops	= 16000,
		.write_iops	= 16000,
		.read_mbps	= 1049,
		.write_mbps	= 1049,
		.flush_ns	= 0,
		.age_ms		= 500,		/* of no effect: oldest first */
		.write_cache	= 0,		/* replicated before it answers */
		.multi_queue	= 1,
		.queue_depth	= 128,		/* no published figure */
		.max_kb		= 256,
		.max_segments	= 128,		/* NVME_MAX_SEGS: it appears as NVMe */
	} },
};

const unsigned int rig_disk_nr_profiles = ARRAY_SIZE(rig_disk_profiles);
