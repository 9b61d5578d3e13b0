/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define PERIOD (SECOND / 4)
#define CLOCK 32

static int64_t now(void)
{
	struct timespec at;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &at))
		return 0;
	return at.tv_sec * SECOND + at.tv_nsec;
}

void cli_progress_begin(struct cli *cli, struct ipckit_maybe total, struct cli_progress *out)
{
	*out = (struct cli_progress){ .cli = cli, .total = total };
	if (cli->quiet || !isatty(STDERR_FILENO))
		return;
	out->began = out->looked = now();
	out->due = out->began + SECOND;
	out->on = true;
}

void cli_progress_begin_full(struct cli *cli, struct ipckit_maybe total, bool wanted, struct cli_progress *out)
{
	cli_progress_begin(cli, total, out);
	out->full = true;
	if (!wanted)
		return;
	out->began = out->looked = now();
	out->lines = !isatty(STDERR_FILENO);
	out->due = out->began + (out->lines ? SECOND : 0);
	out->on = out->stays = true;
}

/* ---- the text ---- */

static size_t add_left(double seconds, char *text, size_t size)
{
	int64_t left = seconds < 0 ? 0 : (int64_t)(seconds + 1);
	int n;

	/* Of what has stopped nobody knows. */
	if (!(seconds < 100 * 3600.))
		n = snprintf(text, size, "  -:-- left");
	else if (left >= 3600)
		n = snprintf(text, size, "  %" PRId64 ":%02" PRId64 ":%02" PRId64 " left", left / 3600, left / 60 % 60,
			     left % 60);
	else
		n = snprintf(text, size, "  %" PRId64 ":%02" PRId64 " left", left / 60, left % 60);
	return n < 0 ? 0 : (size_t)n;
}

void cli_progress_text(const struct cli_progress *progress, char text[CLI_PROGRESS_TEXT])
{
	char done[32], total[32], rate[32];
	uint64_t all = progress->total.known ? (uint64_t)progress->total.value : 0;
	double left = (double)all - (double)progress->done;
	int n;

	cli_human_size((int64_t)progress->done, done, sizeof(done));
	cli_human_size((int64_t)progress->rate, rate, sizeof(rate));
	if (!all || progress->done > all) {
		snprintf(text, CLI_PROGRESS_TEXT, "%s  %s/s", done, rate);
		return;
	}
	cli_human_size((int64_t)all, total, sizeof(total));
	n = snprintf(text, CLI_PROGRESS_TEXT, "%s of %s  %d%%  %s/s", done, total,
		     (int)(100. * (double)progress->done / (double)all), rate);
	if (n > 0 && n < CLI_PROGRESS_TEXT)
		add_left(left / progress->rate, text + n, CLI_PROGRESS_TEXT - (size_t)n);
}

/* "0:00:05" */
static void clock_text(double seconds, char text[CLOCK])
{
	int64_t whole = seconds < 0 ? 0 : (int64_t)seconds;

	if (!(seconds < 1000 * 3600.))
		snprintf(text, CLOCK, "-:--:--");
	else
		snprintf(text, CLOCK, "%" PRId64 ":%02" PRId64 ":%02" PRId64, whole / 3600, whole / 60 % 60, whole % 60);
}

/* Of at least five characters, or none. */
static size_t add_bar(double part, size_t room, char *text)
{
	size_t filled;

	if (room < 5)
		return 0;
	filled = (size_t)(part * (double)(room - 3));
	memset(text, ' ', room);
	text[0] = '[';
	memset(text + 1, '=', filled);
	if (filled < room - 3)
		text[1 + filled] = '>';
	text[room - 2] = ']';
	return room;
}

void cli_progress_full_text(const struct cli_progress *progress, int64_t at, size_t width,
			    char text[CLI_PROGRESS_LINE + 1])
{
	char done[32], rate[32], average[32], passed[CLOCK], left[CLOCK], end[64];
	double seconds = (double)at / SECOND, mean = seconds > 0 ? (double)progress->done / seconds : 0, part;
	uint64_t all = progress->total.known ? (uint64_t)progress->total.value : 0;
	size_t n, bar = 0;

	cli_human_size((int64_t)progress->done, done, sizeof(done));
	cli_human_size((int64_t)progress->rate, rate, sizeof(rate));
	cli_human_size((int64_t)mean, average, sizeof(average));
	clock_text(seconds, passed);
	n = (size_t)snprintf(text, CLI_PROGRESS_LINE + 1, "%s %s [%s/s] [%s/s] ", done, passed, rate, average);
	if (!all || progress->done > all) {
		text[n - 1] = 0;
		return;
	}
	part = (double)progress->done / (double)all;
	/* Of what has not begun nobody knows. */
	clock_text(progress->done < all ? (mean > 0 ? (double)(all - progress->done) / mean + 0.5 : 1e9) : 0, left);
	snprintf(end, sizeof(end), "%d%% ETA %s", (int)(100 * part), left);
	if (width > n + strlen(end))
		bar = add_bar(part, width - n - strlen(end), text + n);
	snprintf(text + n + bar, CLI_PROGRESS_LINE + 1 - n - bar, "%s", end);
}

/* ---- drawing ---- */

/* A terminal that is stopped is not to stop the transfer, and one of another job is not ours to write to. */
static bool may_draw(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	pid_t owner = tcgetpgrp(STDERR_FILENO);

	return poll(&out, 1, 0) == 1 && out.revents & POLLOUT && (owner < 0 || owner == getpgrp());
}

/* Of a line, so that it does not wrap. */
static size_t find_room(void)
{
	struct winsize window;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col && window.ws_col <= CLI_PROGRESS_LINE)
		return window.ws_col - 1u;
	return CLI_PROGRESS_LINE;
}

/* Writes a line in place of the one before: what is left of that is overwritten by blanks. */
static void draw(struct cli_progress *progress, const char *text)
{
	char line[2 * CLI_PROGRESS_LINE + 2];
	size_t room = find_room(), width = strlen(text), n = 0;

	if (width > room)
		width = room;
	if (progress->width > room)
		progress->width = room;
	line[n++] = '\r';
	memcpy(line + n, text, width);
	n += width;
	while (n <= progress->width)
		line[n++] = ' ';
	if (!width)
		line[n++] = '\r';
	/* A line that is not seen is no failure. */
	if (write(STDERR_FILENO, line, n) > 0)
		progress->width = width;
}

static void draw_full(struct cli_progress *progress, int64_t at)
{
	char line[CLI_PROGRESS_LINE + 2];
	size_t length;

	cli_progress_full_text(progress, at - progress->began, progress->lines ? 0 : find_room(), line);
	if (!progress->lines) {
		draw(progress, line);
		return;
	}
	length = strlen(line);
	line[length++] = '\n';
	/* A line that is not seen is no failure. */
	if (write(STDERR_FILENO, line, length) < 0)
		return;
}

static void draw_progress(struct cli_progress *progress)
{
	char line[CLI_PROGRESS_LINE + 1], text[CLI_PROGRESS_TEXT];

	cli_progress_text(progress, text);
	snprintf(line, sizeof(line), "%s %s: %s", progress->cli->tool->name, progress->cli->verb->name, text);
	draw(progress, line);
}

/* The rate of late: what is older counts less and less. */
static void measure(struct cli_progress *progress, int64_t at)
{
	double last = (double)(progress->done - progress->seen) * SECOND / (double)(at - progress->looked);

	progress->rate = progress->seen ? progress->rate + (last - progress->rate) / 4 : last;
	progress->seen = progress->done;
	progress->looked = at;
}

void cli_progress_look(struct cli_progress *progress)
{
	int64_t at = now();

	if (at < progress->due)
		return;
	progress->due = at + (progress->lines ? SECOND : PERIOD);
	if (at > progress->looked)
		measure(progress, at);
	if (!may_draw())
		return;
	if (progress->full)
		draw_full(progress, at);
	else
		draw_progress(progress);
}

/* All that was moved is told, at the average rate. */
static void draw_last(struct cli_progress *progress)
{
	int64_t at = now();

	if (at > progress->began)
		progress->rate = (double)progress->done * SECOND / (double)(at - progress->began);
	draw_full(progress, at);
	if (!progress->lines && write(STDERR_FILENO, "\n", 1) < 0)
		return;
}

void cli_progress_end(struct cli_progress *progress)
{
	if (progress->on && progress->stays && may_draw())
		draw_last(progress);
	else if (progress->width && may_draw())
		draw(progress, "");
	progress->on = false;
	progress->width = 0;
}
