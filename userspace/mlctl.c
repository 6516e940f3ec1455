// SPDX-License-Identifier: GPL-2.0-only
/* mlctl.c - the table of commands, and what all of them need */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "mlctl.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
	{ "status", cmd_status, "what the proxies do; -w: live" },
	{ "record", cmd_record, "write decisions and their outcomes to CSV" },
	{ "train", cmd_train, "CSV to an XGBoost model (JSON)" },
	{ "compile", cmd_compile, "model to a tree table for the kernel" },
	{ "eval", cmd_eval, "compare model and table on the rows of a CSV" },
	{ "load", cmd_load, "give a proxy a tree table" },
	{ "unload", cmd_unload, "take the tree table away" },
	{ "agent", cmd_agent, "run a model for a proxy and keep learning" },
	{ "mode", cmd_mode, "show or set cap, pin, backend and sampling" },
};

const char *const mode_names[] = { "emergency", "learning", "collaboration",
				   "recommendation", NULL };
const char *const backend_names[] = { "none", "agent",	"trees",
				      "rule", "random", NULL };
const char *const arm_names[] = { "control", "treatment", NULL };

static const char *const reason_names[] = {
	[ML_REASON_START] = "start",
	[ML_REASON_READY] = "ready",
	[ML_REASON_BENEFIT] = "benefit",
	[ML_REASON_HARM] = "harm",
	[ML_REASON_LAPSED] = "lapsed",
	[ML_REASON_NEW_MODEL] = "new model",
	[ML_REASON_NO_MODEL] = "no model",
	[ML_REASON_STALE] = "stale",
	[ML_REASON_INVALID] = "invalid",
	[ML_REASON_ALARM] = "alarm",
	[ML_REASON_ATTRITION] = "attrition",
	[ML_REASON_USER] = "user",
	[ML_REASON_STOP] = "stop",
};

bool json_output;
volatile bool stop_requested;

int fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("mlctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int fail_proxy(const char *proxy, const char *what, int error)
{
	const char *text = strerror(-error);
	int code = EX_OSERR;

	switch (-error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
	case ENODATA: /* end of file */
		text = "no such proxy (is its consumer loaded?)";
		code = EX_UNAVAILABLE;
		break;
	case ENOTTY:
		text = "not the device of a proxy";
		code = EX_UNAVAILABLE;
		break;
	case EPROTO:
		text = "speaks another version of the interface";
		code = EX_PROTOCOL;
		break;
	case EACCES:
	case EPERM:
		code = EX_NOPERM;
		break;
	case EBUSY:
		text = "another agent is attached";
		code = EX_TEMPFAIL;
		break;
	case EINVAL:
		code = EX_DATAERR;
		break;
	}
	return fail(code, "%s: %s: %s", proxy, what, text);
}

int finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return fail(EX_IOERR, "standard output: %s", strerror(errno));
}

int print_json(json_t *value)
{
	int ret = json_dumpf(value, stdout,
			     JSON_INDENT(2) | JSON_REAL_PRECISION(9));

	json_decref(value);
	putchar('\n');
	return ret ? fail(EX_SOFTWARE, "cannot write JSON") : finish_output();
}

static const char *name_of(const char *const *names, size_t nr, uint32_t value)
{
	return value < nr ? names[value] : "?";
}

const char *mode_name(uint32_t mode)
{
	return name_of(mode_names, ML_NR_MODES, mode);
}

const char *backend_name(uint32_t backend)
{
	return name_of(backend_names, ML_NR_BACKENDS, backend);
}

const char *reason_name(uint32_t reason)
{
	return name_of(reason_names, ARRAY_SIZE(reason_names), reason);
}

int open_proxy(struct libml **ml, const char *proxy, bool write)
{
	int ret = libml_open(ml, proxy, write);

	return ret ? fail_proxy(proxy, "open", ret) : 0;
}

void head_of_proxy(struct csv_head *head, const struct libml_info *info)
{
	unsigned int i;

	memset(head, 0, sizeof(*head));
	memcpy(head->proxy, info->about.name, sizeof(head->proxy));
	head->schema = info->about.schema;
	head->nr_actions = info->about.nr_actions;
	head->nr_features = info->about.nr_features;
	for (i = 0; i < head->nr_actions; i++)
		memcpy(head->actions[i], info->actions[i].name, ML_NAME_LEN);
	for (i = 0; i < head->nr_features; i++)
		memcpy(head->features[i], info->features[i].name, ML_NAME_LEN);
}

static void on_signal(int signal)
{
	(void)signal;
	stop_requested = true;
}

void catch_stop(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	/* No SA_RESTART: a wait shall end. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void print_usage(const struct usage *usage)
{
	size_t i;

	printf("Usage: mlctl %s [OPTION...] %s\n%s\n", usage->name, usage->args,
	       usage->about);
	for (i = 0; i < usage->nr_options; i++) {
		const struct option_spec *o = &usage->options[i];
		char left[128];

		snprintf(left, sizeof(left), "%c%c%s--%s%s%s%s",
			 o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ", " : "  ", o->name,
			 !o->arg	   ? "" :
			 o->value_optional ? "[=" :
					     " ",
			 o->arg ? o->arg : "", o->value_optional ? "]" : "");
		if (strlen(left) > 26)
			printf("  %s\n%28s %s\n", left, "", o->help);
		else
			printf("  %-26s %s\n", left, o->help);
	}
	puts("  -j, --json                 print JSON\n"
	     "  -h, --help                 print this");
}

static int set_option(const struct usage *usage, const struct option_spec *o,
		      const char *s)
{
	char *end;
	double x;
	int i;

	if (o->given)
		*o->given = true;
	if (!s && o->type != OPT_FLAG)
		return 0; /* the value is optional and not there */
	switch (o->type) {
	case OPT_FLAG:
		*(bool *)o->value = true;
		return 0;
	case OPT_TEXT:
		*(const char **)o->value = s;
		return 0;
	case OPT_NAME:
		for (i = 0; o->names[i]; i++)
			if (!strcmp(s, o->names[i])) {
				*(int *)o->value = i;
				return 0;
			}
		return fail(EX_USAGE, "%s: --%s: expected %s, got \"%s\"",
			    usage->name, o->name, o->arg, s);
	case OPT_INT:
	case OPT_REAL:
		x = strtod(s, &end);
		/* strtod() would also take spaces, hexadecimal, inf and nan */
		if (!*s || *end || strspn(s, "0123456789+-.eE") != strlen(s) ||
		    x < o->min || x > o->max ||
		    (o->type == OPT_INT && x != floor(x)))
			return fail(
				EX_USAGE,
				"%s: --%s: expected %s from %.10g to %.10g, got \"%s\"",
				usage->name, o->name,
				o->type == OPT_INT ? "an integer" : "a number",
				o->min, o->max, s);
		if (o->type == OPT_INT)
			*(long *)o->value = (long)x;
		else
			*(double *)o->value = x;
	}
	return 0;
}

int parse_options(const struct usage *usage, int argc, char **argv, int *code)
{
	struct option longs[32] = {};
	char shorts[64] = ":jh";
	int c, nr, at = -1;
	size_t i, len = strlen(shorts);

	for (i = 0; i < usage->nr_options; i++) {
		const struct option_spec *o = &usage->options[i];

		longs[i].name = o->name;
		longs[i].has_arg = o->type == OPT_FLAG ? no_argument :
				   o->value_optional   ? optional_argument :
							 required_argument;
		longs[i].val = o->letter;
		if (!o->letter)
			continue;
		shorts[len++] = o->letter;
		if (longs[i].has_arg != no_argument)
			shorts[len++] = ':';
		if (longs[i].has_arg == optional_argument)
			shorts[len++] = ':';
	}
	longs[i++] = (struct option){ "json", no_argument, NULL, 'j' };
	longs[i] = (struct option){ "help", no_argument, NULL, 'h' };

	optind = 0;
	opterr = 0;
	*code = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, &at)) >= 0) {
		if (c == 'j') {
			json_output = true;
		} else if (c == 'h') {
			print_usage(usage);
			*code = finish_output();
			return -1;
		} else if (c == '?' || c == ':') {
			*code = fail(
				EX_USAGE, "%s: %s \"%s\"; see mlctl %s --help",
				usage->name,
				c == '?' ?
					"unknown or ambiguous option, or one without a value:" :
					"a value is missing after",
				argv[optind - 1], usage->name);
			return -1;
		} else {
			for (i = 0; c && i < usage->nr_options; i++)
				if (usage->options[i].letter == c)
					break;
			*code = set_option(usage,
					   &usage->options[c ? i : (size_t)at],
					   optarg);
			if (*code)
				return -1;
		}
	}
	nr = argc - optind;
	if (nr >= usage->min_args &&
	    (usage->max_args < 0 || nr <= usage->max_args))
		return nr;
	*code = fail(EX_USAGE, "%s: expected %s; see mlctl %s --help",
		     usage->name, *usage->args ? usage->args : "no operands",
		     usage->name);
	return -1;
}

static void print_commands(FILE *f)
{
	size_t i;

	fputs("Usage: mlctl [-j] COMMAND [OPTION...] ...\n"
	      "Models for kernel subsystems: record, train, compile, run, watch.\n\n",
	      f);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].about);
	fputs("\n  -j, --json print JSON\n"
	      "  -h, --help print this; mlctl COMMAND --help tells more\n",
	      f);
}

int main(int argc, char **argv)
{
	size_t i;

	for (argv++, argc--; argc && **argv == '-'; argv++, argc--) {
		if (!strcmp(*argv, "-j") || !strcmp(*argv, "--json")) {
			json_output = true;
		} else if (!strcmp(*argv, "-h") || !strcmp(*argv, "--help")) {
			print_commands(stdout);
			return finish_output();
		} else {
			return fail(EX_USAGE,
				    "unknown option \"%s\"; see mlctl --help",
				    *argv);
		}
	}
	if (!argc)
		return fail(EX_USAGE, "a command is missing; see mlctl --help");
	if (!strcmp(*argv, "help")) {
		print_commands(stdout);
		return finish_output();
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(*argv, commands[i].name))
			return commands[i].run(argc, argv);
	return fail(EX_USAGE, "unknown command \"%s\"; see mlctl --help",
		    *argv);
}
