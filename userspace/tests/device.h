/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of device_test share: TAP, the device, tables by hand.
 *
 * The tests know the proxy "demo" (ml_lib/ml_demo.c) and speak to its device
 * with bare system calls, since they do what no library would.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ml_lib.h>
#include <linux/ml_trees.h>

#define DEVICE "/dev/ml/demo"
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

/* The demo's features and actions */
enum { SIZE, GAP, DEPTH, NR_FEATURES };
enum { STOCK, SMALL, LARGE, SKIP, NR_ACTIONS };

/* A test fails with its first check that does; NULL ends a list */
struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test ioctl_tests[], record_tests[], hint_tests[];
extern const struct test table_tests[], agent_tests[], uring_tests[];

/* Open for reading and writing, never attached; and what it describes */
extern int ctl;
extern struct ml_describe info;

bool check(bool ok, const char *text, const char *file, int line);
bool check_eq(long long got, long long want, const char *text, const char *file,
	      int line);
bool check_errno(long ret, int want, const char *text, const char *file,
		 int line);

/* Each is true if the check holds */
#define CHECK(ok) check((ok), #ok, __FILE__, __LINE__)
#define CHECK_EQ(got, want) \
	check_eq((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
/* The call fails, and with this errno */
#define CHECK_ERRNO(call, want) \
	check_errno((call), (want), #call, __FILE__, __LINE__)

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void die(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);
void sleep_ms(unsigned int ms);

/* A file of the device; dies if it cannot be opened */
int open_device(int flags);
/* The same, attached */
int open_agent(int flags);

/* NULL, which a compiler would warn of */
extern void *const volatile nowhere;

/* ML_IOC_CONTROL of one field on @ctl; a failure fails the test */
void set_cap(enum ml_mode cap);
void set_pin(int pin);
void set_backend(enum ml_backend backend);
void set_sample(unsigned int shift);
void set_wake(unsigned int bytes);

struct ml_stats stats(void);
/* At a moment when no decision is under way: the counts fit together */
struct ml_stats settled(void);
/* What no refused call may change. Only with a pinned mode. */
void check_unchanged(const struct ml_stats *before, const char *after);

/*
 * Wait for a mode; @fd, unless < 0, gives signs of life meanwhile. False after
 * a minute, and then the test has failed.
 */
bool wait_mode(int fd, enum ml_mode mode);
bool wait_reason(int fd, enum ml_mode mode, enum ml_reason reason);
/* Until @n more decisions have been made */
void wait_decisions(int fd, uint64_t n);
bool alive(int fd);

/*
 * Read records from @fd, which is attached, and hand each to @take until that
 * has returned true and the buffer is empty. Gives signs of life. False after
 * a minute, and then the test has failed.
 */
bool read_records(int fd, bool (*take)(const struct ml_record *, void *),
		  void *arg);
/* Whatever is there now; how many bytes */
size_t drain(int fd, void (*take)(const struct ml_record *, void *), void *arg);

/* A table with room to be spoiled; a sum of 1 is a margin of 1 */
struct table {
	size_t size;
	_Alignas(8) uint8_t data[256];
};

void seal_table(void *table);
/* Always this action */
struct table table_const(unsigned int action);
/* @below where the feature is below @threshold, else @above */
struct table table_split(unsigned int feature, int threshold,
			 unsigned int below, unsigned int above);
/* ML_IOC_LOAD; @load may be NULL */
int load_table(const void *table, size_t size, struct ml_load *load);

#endif /* DEVICE_H */
