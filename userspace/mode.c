// SPDX-License-Identifier: GPL-2.0-only
/* mode.c - mlctl mode: what the user allows and wants */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "mlctl.h"

/* --pin takes the modes and "none", which comes first: index - 1 is the mode */
static const char *const pin_names[] = { "none",	   "emergency",
					 "learning",	   "collaboration",
					 "recommendation", NULL };

static int cap, pin, backend;
static long sample_shift, wake_bytes;
static bool set_cap, set_pin, set_backend, set_sample, set_wake;

static const struct option_spec specs[] = {
	{ "cap", "emergency, learning, collaboration or recommendation",
	  "the highest mode that the model may earn", &cap, .type = OPT_NAME,
	  .names = mode_names, .given = &set_cap, .letter = 'c' },
	{ "pin", "none or one of the modes of --cap",
	  "keep this mode, whatever the evidence; none: end that", &pin,
	  .type = OPT_NAME, .names = pin_names, .given = &set_pin,
	  .letter = 'p' },
	{ "backend", "none, agent, trees, rule or random",
	  "where the actions of the treatment arm come from", &backend,
	  .type = OPT_NAME, .names = backend_names, .given = &set_backend,
	  .letter = 'b' },
	{ "sample-shift", "N", "record one decision in 2^N, N from 0 to 16",
	  &sample_shift, .type = OPT_INT, .max = 16, .given = &set_sample,
	  .letter = 's' },
	{ "wake-bytes", "N", "bytes of one CPU's records that wake the reader",
	  &wake_bytes, .type = OPT_INT, .min = 1, .max = UINT32_MAX,
	  .given = &set_wake },
};

static const struct usage usage = {
	.name = "mode",
	.args = "PROXY",
	.about =
		"Show the limits of a proxy's mode, or set those that are given.\n",
	.options = specs,
	.nr_options = ARRAY_SIZE(specs),
	.min_args = 1,
	.max_args = 1,
};

static int show(struct libml *ml, const char *proxy)
{
	struct ml_stats stats;
	int ret = libml_stats(ml, &stats);
	const char *pinned;

	if (ret)
		return fail_proxy(proxy, "stats", ret);
	pinned = stats.pin < 0 ? "none" : mode_name(stats.pin);
	if (json_output)
		return print_json(json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "proxy", proxy,
			"mode", mode_name(stats.mode), "reason",
			reason_name(stats.reason), "cap", mode_name(stats.cap),
			"pin", pinned, "backend", backend_name(stats.backend),
			"sample_shift", (int)stats.sample_shift));
	printf("%s: mode %s (%s), cap %s, pin %s, backend %s, records 1 in %lu decisions\n",
	       proxy, mode_name(stats.mode), reason_name(stats.reason),
	       mode_name(stats.cap), pinned, backend_name(stats.backend),
	       1UL << (stats.sample_shift & 31));
	return finish_output();
}

int cmd_mode(int argc, char **argv)
{
	struct ml_control control = {};
	struct libml *ml;
	int ret;

	if (parse_options(&usage, argc, argv, &ret) < 0)
		return ret;
	/* What is not named in the mask must be zero. */
	if (set_cap) {
		control.mask |= ML_CONTROL_CAP;
		control.cap = cap;
	}
	if (set_pin) {
		control.mask |= ML_CONTROL_PIN;
		control.pin = pin - 1;
	}
	if (set_backend) {
		control.mask |= ML_CONTROL_BACKEND;
		control.backend = backend;
	}
	if (set_sample) {
		control.mask |= ML_CONTROL_SAMPLE;
		control.sample_shift = sample_shift;
	}
	if (set_wake) {
		control.mask |= ML_CONTROL_WAKE;
		control.wake_bytes = wake_bytes;
	}
	ret = open_proxy(&ml, argv[optind], control.mask);
	if (ret)
		return ret;
	if (set_backend &&
	    !(libml_info(ml)->about.backends & 1U << control.backend))
		ret = fail(EX_USAGE, "%s: mode: --backend: it has no %s",
			   argv[optind], backend_names[backend]);
	else if (set_wake &&
		 control.wake_bytes > libml_info(ml)->about.ring_size)
		ret = fail(EX_USAGE,
			   "%s: mode: --wake-bytes: expected %u or less",
			   argv[optind], libml_info(ml)->about.ring_size);
	else if (control.mask)
		ret = libml_control(ml, &control);
	if (ret < 0)
		ret = fail_proxy(argv[optind], "mode", ret);
	if (!ret)
		ret = show(ml, argv[optind]);
	libml_close(ml);
	return ret;
}
