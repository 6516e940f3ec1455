/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plots.h - SVG plots, drawn by gnuplot
 *
 * For each consumer: CONSUMER-ratio.svg, bars of the best static policy and
 * of stock2 against stock; CONSUMER-latency-N.svg, latency distributions.
 */
#ifndef MLREPORT_PLOTS_H
#define MLREPORT_PLOTS_H

#include <stdio.h>

#include "model.h"

bool plots_has_bars(const struct suite *s);
size_t plots_latency_pages(const struct suite *s);
bool plots_script(FILE *f, const struct model *m);
int plots_draw(const struct model *m, const char *dir, struct fault *fault);

#endif
