/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The device of a proxy, /dev/ml/<proxy>: what its agent reads, writes and
 * asks. Documentation/ml_lib/uapi.rst tells the rules in words.
 *
 * Every struct has a fixed layout without holes. The structs of the ioctls
 * grow at their end: the size is part of the ioctl's number, the kernel fills
 * in zeroes for what an old program does not know and refuses, with E2BIG,
 * what it does not know itself unless that is zero. Flags and reserved fields
 * must be zero.
 */
#ifndef _UAPI_LINUX_ML_LIB_H
#define _UAPI_LINUX_ML_LIB_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ML_ABI_VERSION		1

#define ML_NAME_LEN		32
#define ML_UNIT_LEN		16
#define ML_ABOUT_LEN		96

#define ML_MAX_FEATURES		64
#define ML_MAX_ACTIONS		64

/* Rewards lie within -ML_REWARD_LIMIT .. ML_REWARD_LIMIT */
#define ML_REWARD_LIMIT		0x100000
/* A decision is about 1 .. ML_UNITS_MAX units: pages, requests */
#define ML_UNITS_MAX		0xffff

/* How much of the deciding the model has earned; see the mode machine */
enum ml_mode {
	ML_MODE_EMERGENCY	= 0,	/* none: stock decides everything */
	ML_MODE_LEARNING	= 1,	/* 1/16 of the decisions */
	ML_MODE_COLLABORATION	= 2,	/* 1/2 */
	ML_MODE_RECOMMENDATION	= 3,	/* 15/16 */
	ML_NR_MODES
};

enum ml_arm {
	ML_ARM_CONTROL		= 0,	/* the stock action */
	ML_ARM_TREATMENT	= 1,	/* the model's action */
	ML_NR_ARMS
};

/* Where the actions of the treatment arm come from */
enum ml_backend {
	ML_BACKEND_NONE		= 0,	/* nowhere: the mode stays emergency */
	ML_BACKEND_AGENT	= 1,	/* hints that the agent writes */
	ML_BACKEND_TREES	= 2,	/* the loaded tree table */
	ML_BACKEND_RULE		= 3,	/* the consumer's hand-written rule */
	ML_BACKEND_RANDOM	= 4,	/* an even draw: exploration */
	ML_NR_BACKENDS
};

/* Why the mode is what it is */
enum ml_reason {
	ML_REASON_START		= 0,	/* the proxy has just been started */
	ML_REASON_READY		= 1,	/* a model is there, hold-off is over */
	ML_REASON_BENEFIT	= 2,	/* treatment is better: one mode up */
	ML_REASON_HARM		= 3,	/* treatment is worse: one mode down */
	ML_REASON_LAPSED	= 4,	/* a trial ended without evidence: down */
	ML_REASON_NEW_MODEL	= 5,	/* a new model begins at learning */
	ML_REASON_NO_MODEL	= 6,	/* unloaded, detached, backend changed */
	ML_REASON_STALE		= 7,	/* watchdog: the agent fell silent */
	ML_REASON_INVALID	= 8,	/* a flood of invalid hints */
	ML_REASON_ALARM		= 9,	/* the consumer raised the alarm */
	ML_REASON_ATTRITION	= 10,	/* rewards of one arm stay away */
	ML_REASON_USER		= 11,	/* capped or pinned */
	ML_REASON_STOP		= 12,	/* the proxy has been stopped */
	ML_NR_REASONS
};

/*
 * read(): whole records, one after the other, in the order of one CPU each.
 * Every record begins with a struct ml_record; skip by its size what you do
 * not know. A read with room for less than the next record gets EINVAL.
 */
enum ml_record_type {
	ML_RECORD_SAMPLE	= 1,
	ML_RECORD_OUTCOME	= 2,
	ML_RECORD_LOST		= 3,
};

struct ml_record {
	__u16 type;		/* enum ml_record_type */
	__u16 size;		/* bytes, this header included; multiple of 8 */
	__u32 cpu;		/* that wrote the record */
};

/* ml_sample.flags */
#define ML_SAMPLE_ANSWERED	0x1	/* the model had an action */
#define ML_SAMPLE_INVALID	0x2	/* but one out of bounds */

/* A decision, as it was made */
struct ml_sample {
	struct ml_record head;
	__u64 id;		/* the same in its outcome; unique per proxy */
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	__u64 context;		/* opaque; names the context in a hint */
	__u32 model;		/* generation of the model, see ml_stats */
	__u16 action;		/* that was decided */
	__u8 arm;		/* enum ml_arm */
	__u8 mode;		/* enum ml_mode */
	__u8 backend;		/* enum ml_backend */
	__u8 flags;		/* ML_SAMPLE_ */
	__u16 nr_features;
	__u32 reserved;
	__s32 features[];	/* nr_features, then zeroes up to head.size */
};

/* How it turned out */
struct ml_outcome {
	struct ml_record head;
	__u64 id;
	__u64 time_ns;
	__s32 reward;		/* mean of the units */
	__u32 units;		/* that the decision was about, 1 or more */
};

/* Records that found the ring full since the last such record of this CPU */
struct ml_lost {
	struct ml_record head;
	__u64 samples;
	__u64 outcomes;
};

/*
 * write(): an array of hints, applied one by one. An invalid one is skipped
 * and counted (ml_stats.hints_invalid). A write whose length is no multiple of
 * sizeof(struct ml_hint) gets EINVAL and does nothing.
 */

/* ml_hint.flags: such an entry holds no hint, its other fields are zero */
#define ML_HINT_ALIVE		0x1	/* only feeds the watchdog */
#define ML_HINT_NEW_MODEL	0x2	/* what follows is another model's */

#define ML_HINT_TTL_MAX_US	60000000

struct ml_hint {
	__u64 context;		/* from ml_sample.context */
	__u32 ttl_us;		/* time to live, 1 .. ML_HINT_TTL_MAX_US */
	__u16 action;
	__u16 flags;
};

/* ML_IOC_DESCRIBE: what the proxy is. Anyone who can open the device. */
struct ml_describe {
	__u32 abi;		/* ML_ABI_VERSION */
	__u16 nr_features;
	__u16 nr_actions;
	__u64 schema;		/* hash of the names below, in order */
	__u32 sample_size;	/* bytes of a sample record */
	__u32 ring_size;	/* bytes per CPU */
	__u32 nr_cpus;		/* rings */
	__u32 hint_slots;	/* contexts that can have a hint at a time */
	__u32 watchdog_ms;	/* silence of the agent that is an emergency */
	__u32 backends;		/* bit mask of 1 << enum ml_backend */
	char name[ML_NAME_LEN];
	char reward_unit[ML_UNIT_LEN];
	char reward_about[ML_ABOUT_LEN];
};

/* ML_IOC_FEATURE, ML_IOC_ACTION: the entry of that index. Anyone. */
struct ml_entry {
	__u32 index;		/* in */
	__u32 reserved;
	char name[ML_NAME_LEN];
	char unit[ML_UNIT_LEN];	/* of a feature */
	char about[ML_ABOUT_LEN];
};

/*
 * ML_IOC_STATS: counts since the proxy was created or re-initialised, of records
 * since it was created. Anyone.
 */
struct ml_stats {
	__u32 mode;		/* enum ml_mode */
	__u32 reason;		/* enum ml_reason: of the last mode change */
	__u32 backend;		/* enum ml_backend */
	__u32 model;		/* generation; 0: none, +1 with each new one */
	__u32 cap;		/* enum ml_mode: highest allowed */
	__s32 pin;		/* enum ml_mode, or -1 */
	__u32 sample_shift;	/* one decision in 1 << shift is recorded */
	__u32 flags;		/* ML_STATS_ */
	__u64 time_ns;		/* CLOCK_MONOTONIC, of this answer */
	__u64 mode_since_ns;	/* CLOCK_MONOTONIC */
	__u64 hold_until_ns;	/* end of the hold-off in emergency, or 0 */
	__u64 promotions;
	__u64 demotions;
	__u64 emergencies;
	/* by enum ml_arm */
	__u64 decisions[ML_NR_ARMS];
	__u64 outcomes[ML_NR_ARMS];
	__u64 units[ML_NR_ARMS];	/* of the outcomes, see ml_outcome */
	__s64 reward_sum[ML_NR_ARMS];	/* reward * units; may wrap */
	__u64 unanswered;	/* treatment without an action of the model */
	__u64 invalid_actions;	/* treatment with one out of bounds */
	__u64 clipped_rewards;	/* beyond ML_REWARD_LIMIT */
	__u64 samples;		/* records that went into the ring */
	__u64 records_outcome;
	__u64 samples_lost;
	__u64 outcomes_lost;
	__u64 hints;		/* accepted */
	__u64 hints_invalid;
	__u64 table_bytes;	/* of the loaded tree table */
	/* the running trial */
	__u64 trial_batches;
	__s64 gain_x256;	/* mean of treatment - control, 1/256 reward */
	__u64 noise_x256;	/* standard deviation of a batch's difference */
	__s32 benefit_mbits;	/* evidence in 1/1000 bit; */
	__s32 harm_mbits;	/*  at evidence_mbits the mode changes */
	__u32 evidence_mbits;
	__u32 reserved;
};

#define ML_STATS_STARTED	0x1
#define ML_STATS_ATTACHED	0x2	/* an agent is there */
#define ML_STATS_TABLE		0x4	/* a tree table is loaded */

/* ML_IOC_CONTROL: needs a descriptor open for writing */
#define ML_CONTROL_CAP		0x1
#define ML_CONTROL_PIN		0x2
#define ML_CONTROL_BACKEND	0x4
#define ML_CONTROL_SAMPLE	0x8
#define ML_CONTROL_WAKE		0x10

struct ml_control {
	__u32 mask;		/* ML_CONTROL_: the fields that are meant */
	__u32 cap;		/* enum ml_mode */
	__s32 pin;		/* enum ml_mode, or -1: none */
	__u32 backend;		/* enum ml_backend */
	__u32 sample_shift;	/* 0 .. 16 */
	__u32 wake_bytes;	/* of one CPU's ring that wake the reader */
};

/*
 * ML_IOC_ATTACH: become the agent. read(), write() and a meaningful poll()
 * need it; EBUSY while another is. Ends with the last close. Needs a
 * descriptor open for reading and writing.
 */

/* ML_IOC_LOAD: give the proxy a tree table. Needs one open for writing. */
struct ml_load {
	__u64 table;		/* in: address; see linux/ml_trees.h */
	__u32 size;		/* in: bytes */
	__u32 flags;		/* in: 0 */
	__u32 model;		/* out: generation of the model */
	__u32 fault;		/* out: enum ml_trees_fault, when EINVAL */
	__u64 fault_offset;	/* out: byte of the table it concerns */
};

#define ML_IOC_MAGIC		0xb9

#define ML_IOC_DESCRIBE	_IOR(ML_IOC_MAGIC, 0, struct ml_describe)
#define ML_IOC_FEATURE	_IOWR(ML_IOC_MAGIC, 1, struct ml_entry)
#define ML_IOC_ACTION	_IOWR(ML_IOC_MAGIC, 2, struct ml_entry)
#define ML_IOC_STATS	_IOR(ML_IOC_MAGIC, 3, struct ml_stats)
#define ML_IOC_CONTROL	_IOW(ML_IOC_MAGIC, 4, struct ml_control)
#define ML_IOC_ATTACH	_IO(ML_IOC_MAGIC, 5)
#define ML_IOC_LOAD	_IOWR(ML_IOC_MAGIC, 6, struct ml_load)
#define ML_IOC_UNLOAD	_IO(ML_IOC_MAGIC, 7)

#endif /* _UAPI_LINUX_ML_LIB_H */
