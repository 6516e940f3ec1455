/* SPDX-License-Identifier: GPL-2.0-only */
/* tables.h - report.md */
#ifndef MLREPORT_TABLES_H
#define MLREPORT_TABLES_H

#include <stdio.h>

#include "model.h"

void report_write(FILE *f, const struct model *m, bool cut);

/* The parts, in the order of the report. */
void headline_write(FILE *f, const struct model *m);
void room_write(FILE *f, const struct suite *s);
void dynamic_write(FILE *f, const struct suite *s);
void sweep_write(FILE *f, const struct suite *s);
void secondary_write(FILE *f, const struct suite *s);
void failed_write(FILE *f, const struct model *m);

#endif
