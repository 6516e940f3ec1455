// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule: readahead decided by hand.
 */
#include <linux/minmax.h>

#include "pattern.h"

/* ra_lg16() of some numbers of pages */
#define LG_8	51
#define LG_16	65
#define LG_64	96
#define LG_256	128
#define LG_512	144
/* ra_lg16() of a millisecond: what is a long latency */
#define LG_MS	159
/* ra_lg16() of a few misses a second: others are at work, too */
#define FEW	80
/* ra_lg16() of the share of memory that a file which fits may take: 5/6 */
#define FITS	(-4)
/* ra_lg16() of 3/2 requests in the device: others have some there */
#define BUSY	74

static unsigned int window_of(s32 lg)
{
	if (lg <= (LG_16 + LG_64) / 2)
		return RA_64K;
	if (lg <= (LG_64 + LG_256) / 2)
		return RA_256K;
	if (lg <= (LG_256 + LG_512) / 2)
		return RA_1M;
	return RA_2M;
}

/**
 * DOC: The rule
 *
 * The best that could be done by hand. Its measure is the *pipe*: the pages
 * that the device delivers while it answers one request.
 *
 * - A stride is followed, 64 pieces ahead, or 16 if they are large and the
 *   device is quick. Where the pieces are half of the file, and the reader
 *   goes forward, it is a stream.
 * - A stream gets four pipes, so that it never waits; but it is left to stock
 *   if others miss meanwhile, who would have to wait for it. If it
 *   has come in runs so far, it gets no more than a run.
 * - What looks random but comes in runs gets a run.
 * - Who has lost as much time by misses in a file as it takes to read all of
 *   it gets a pipe with each miss, if the file fits into memory, pages are not
 *   missed that had been there, and the device works for nobody else. That is
 *   renting skis until they could have been bought: it costs no more than twice
 *   what the best would, whatever the reader does next.
 * - Nothing is read in advance where most of that was evicted before it was
 *   read, and pages are missed that had been there.
 * - All else is left to stock.
 */

static s32 stream_window(const s32 *f, s32 pipe)
{
	bool runs = f[RA_F_SEQUENTIAL] < 1000;

	if (runs && f[RA_F_RUN_MEAN] < LG_256)
		return f[RA_F_RUN_NOW] < f[RA_F_RUN_MEAN] ?
		       f[RA_F_RUN_MEAN] : 0;
	return f[RA_F_OTHERS] > FEW ? 0 : max(pipe + 32, LG_64);
}

static s32 jump_window(const s32 *f)
{
	if (f[RA_F_RUN_MEAN] > f[RA_F_REQUEST] + 8 &&
	    f[RA_F_RUN_NOW] < f[RA_F_RUN_MEAN])
		return f[RA_F_RUN_MEAN];
	return 0;
}

/**
 * ra_rule() - the rule
 * @f: the features
 *
 * Return: The action.
 */
unsigned int ra_rule(const s32 *f)
{
	s32 pipe = max(f[RA_F_PIPE], LG_8);
	bool stream = f[RA_F_SYNC] || f[RA_F_ASYNC] ||
		      (f[RA_F_FAULT] && f[RA_F_SEQUENTIAL] > 900);
	s32 want;

	if (f[RA_F_STRIDE_CONF] &&
	    (f[RA_F_STRIDE_COVER] < 512 || f[RA_F_STRIDE_SIGN] < 0))
		return f[RA_F_REQUEST] < LG_16 || f[RA_F_LATENCY] > LG_MS - 16 ?
		       RA_STRIDE_64 : RA_STRIDE_16;
	if (f[RA_F_MARKER])
		return RA_STOCK;
	/* Pages that are thrown away before they are read */
	if (f[RA_F_USED] < 256 && f[RA_F_REFAULT] > 128)
		return f[RA_F_SYNC] || f[RA_F_ASYNC] ? RA_64K : RA_NONE;

	want = stream ? stream_window(f, pipe) : jump_window(f);
	if (f[RA_F_MISSES] + pipe >= f[RA_F_FILE] && f[RA_F_LOAD] < BUSY &&
	    f[RA_F_FILE_ROOM] <= FITS && f[RA_F_REFAULT] < 64)
		want = max(want, pipe);
	return want ? window_of(want) : RA_STOCK;
}
