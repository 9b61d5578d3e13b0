/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define STEP_NS (SECOND / 8)

static int progress, stats, each;
static char *size_text;

const struct poptOption pipecat_stats_options[] = {
	{ "progress", 'p', POPT_ARG_NONE, &progress, 0, "show bytes, time, rate, average and what is left; without it on a "
	  "terminal alone, and after a second", NULL },
	{ "size", 's', POPT_ARG_STRING, &size_text, 0, "how much will come, for --progress (default: what a file has)",
	  "SIZE" },
	{ "stats", 0, POPT_ARG_NONE, &stats, 0, "at the end a line of JSON on standard error: bytes, seconds, rate, "
	  "method", NULL },
	{ "each", 0, POPT_ARG_NONE, &each, 0, "such a line for each connection, or datagram", NULL },
	POPT_TABLEEND
};

static int64_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * SECOND + at.tv_nsec;
}

int pipecat_stats_read(struct cli *cli, struct pipecat_stats *out)
{
	uint64_t size = 0;
	int r = cli_size(cli, "--size", size_text, &size);

	*out = (struct pipecat_stats){ .cli = cli, .wanted = stats, .each = each, .began = now() };
	if (size_text)
		out->size = ipckit_known((int64_t)size);
	return r;
}

/* What is left of a file. */
static struct ipckit_maybe find_size(int from)
{
	struct stat st;
	off_t at;

	if (from < 0 || fstat(from, &st) || !S_ISREG(st.st_mode))
		return ipckit_unknown();
	at = lseek(from, 0, SEEK_CUR);
	return at < 0 || at > st.st_size ? ipckit_unknown() : ipckit_known(st.st_size - at);
}

void pipecat_stats_begin(struct pipecat_stats *out, int from, int to)
{
	struct ipckit_maybe total = out->size.known ? out->size : find_size(from);

	out->began = now();
	if (out->silent)
		return;
	if (progress || to < 0 || !isatty(to))
		cli_progress_begin_full(out->cli, total, progress, &out->progress);
}

int64_t pipecat_stats_period(const struct pipecat_stats *in)
{
	return in && in->progress.on ? STEP_NS : 0;
}

void pipecat_stats_step(struct pipecat_stats *out, uint64_t bytes)
{
	cli_progress_step(&out->progress, bytes);
}

void pipecat_stats_end(struct pipecat_stats *out, uint64_t bytes)
{
	out->progress.done = bytes;
	cli_progress_end(&out->progress);
}

double pipecat_stats_seconds(const struct pipecat_stats *in)
{
	return (double)(now() - in->began) / SECOND;
}
