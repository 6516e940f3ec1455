/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * format.h - numbers and names as the report prints them
 *
 * The functions that return a string use a ring of static buffers: good for
 * several of them in one printf(), not for keeping.
 */
#ifndef MLREPORT_FORMAT_H
#define MLREPORT_FORMAT_H

#include <stdio.h>

#include "model.h"

const char *fmt_ratio(double ratio);
const char *fmt_range(const struct estimate *e);
const char *fmt_value(double value, const char *unit);
const char *fmt_share(double share);
const char *fmt_gmean(const struct gmean *g, size_t of);
const char *fmt_task(const struct task *t);
const char *fmt_mark(const struct estimate *e);

#endif
