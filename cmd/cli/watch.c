/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <ipckit/deadline.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static char *watch_text;

const struct poptOption cli_watch_options[] = {
	{ "watch", 'w', POPT_ARG_STRING, &watch_text, 0,
	  "look again and again, this long apart, and print what changes", "D" },
	POPT_TABLEEND
};

bool cli_watches(void)
{
	return watch_text;
}

static int read_interval(struct cli *cli, int64_t *out)
{
	int status = cli_duration(cli, "--watch", watch_text, out);

	if (!status && (*out <= 0 || *out == IPCKIT_FOREVER))
		return cli_usage(cli, "--watch", "\"%s\" is no time from one look to the next", watch_text);
	return status;
}

/* Sleeps until then. False: nobody will read what is printed any more. */
static bool pass(const struct ipckit_deadline *until)
{
	struct pollfd reader = { .fd = STDOUT_FILENO };
	struct timespec left;
	int r;

	do {
		if (ipckit_deadline_left(until, &left))
			return true;
		r = ppoll(&reader, 1, &left, NULL);
		/* Standard output that is closed is nobody's. */
		if (r > 0 && reader.revents & POLLNVAL)
			reader.fd = r = -1;
	} while (r < 0);
	return !(reader.revents & (POLLERR | POLLHUP));
}

/* Signals end it as they end whatever waits. */
static int watch(struct cli *cli, int64_t interval, int (*look)(struct cli *cli, void *arg), void *arg)
{
	struct ipckit_deadline next = { .kind = IPCKIT_DEADLINE_AT };
	int status;

	clock_gettime(CLOCK_MONOTONIC, &next.at);
	while (!(status = look(cli, arg) ?: cli_output_flush(cli))) {
		cli->output->looked = true;
		next.at.tv_sec += (next.at.tv_nsec + interval) / SECOND;
		next.at.tv_nsec = (next.at.tv_nsec + interval) % SECOND;
		/* What took longer than that is not made up for. */
		if (ipckit_deadline_left(&next, NULL))
			clock_gettime(CLOCK_MONOTONIC, &next.at);
		if (!pass(&next)) {
			raise(SIGPIPE);
			/* Nor the failure. */
			cli->output->broken = true;
			return cli_fail(cli, NULL, EPIPE, "nobody reads what it prints");
		}
	}
	return status;
}

int cli_watch(struct cli *cli, int (*look)(struct cli *cli, void *arg), void *arg)
{
	int64_t interval;
	int status;

	if (!watch_text)
		return look(cli, arg);
	status = read_interval(cli, &interval);
	return status ?: watch(cli, interval, look, arg);
}
