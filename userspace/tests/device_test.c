// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test: what /dev/ml/<proxy> promises, to friends and to others. TAP on
 * standard output. Needs root and the module ml_demo.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

extern bool test_failed;
int hold_device(void);

/* A test that hangs is told as such; the whole run has its own limit */
#define TEST_LIMIT_S 600

static const struct test *const lists[] = {
	ioctl_tests, record_tests, hint_tests,
	table_tests, agent_tests,  uring_tests,
};

static unsigned int count;
static const char *running;

static void hung(int signal)
{
	char line[160];
	int len;

	(void)signal;
	len = snprintf(line, sizeof(line), "Bail out! hangs: %s\n", running);
	if (write(STDOUT_FILENO, line, len) != len)
		_exit(2);
	_exit(1);
}

/* Each test begins with nothing loaded, nobody attached, nothing held against
 * the next model: a pinned rule in collaboration clears the hold-off's length.
 */
static void begin(void)
{
	/* A test that has failed may have left something open or running */
	close_range(ctl, ~0U, 0);
	ctl = open_device(O_RDWR);
	set_cap(ML_MODE_RECOMMENDATION);
	set_pin(ML_MODE_COLLABORATION);
	set_backend(ML_BACKEND_RULE);
	set_sample(0);
	set_wake(info.ring_size / 4);
	wait_mode(-1, ML_MODE_COLLABORATION);
	ioctl(ctl, ML_IOC_UNLOAD);
	set_backend(ML_BACKEND_NONE);
	set_pin(-1);
	CHECK_EQ(stats().flags, ML_STATS_STARTED);
	CHECK_EQ(stats().mode, ML_MODE_EMERGENCY);
}

static unsigned int failures;

static void run(const struct test *test)
{
	running = test->name;
	test_failed = false;
	alarm(TEST_LIMIT_S);
	begin();
	if (!test_failed)
		test->run();
	alarm(0);
	failures += test_failed;
	printf("%sok %u - %s\n", test_failed ? "not " : "", ++count,
	       test->name);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int list, planned = 0;
	const struct test *test;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("usage: device_test [TEXT | --hold]\n"
		       "Run all tests, or those with TEXT in their name.\n"
		       "--hold: keep the device busy until its proxy goes.\n");
		return 0;
	}
	ctl = open_device(O_RDWR);
	if (ioctl(ctl, ML_IOC_DESCRIBE, &info))
		die("describe");
	if (argc == 2 && !strcmp(argv[1], "--hold"))
		return hold_device();

	signal(SIGALRM, hung);
	printf("TAP version 13\n");
	for (list = 0; list < ARRAY_SIZE(lists); list++)
		for (test = lists[list]; test->name; test++)
			planned += argc < 2 || strstr(test->name, argv[1]);
	printf("1..%u\n", planned);
	for (list = 0; list < ARRAY_SIZE(lists); list++)
		for (test = lists[list]; test->name; test++)
			if (argc < 2 || strstr(test->name, argv[1]))
				run(test);
	return failures ? 1 : 0;
}
