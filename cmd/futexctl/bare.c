/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"

#include <errno.h>
#include <inttypes.h>

static bool is_over(int error)
{
	return error == -EAGAIN || error == -ETIMEDOUT;
}

int bare_point(const struct futexctl_until *until, unsigned *flags, struct timespec *at,
	       const struct timespec **out)
{
	int r = futexctl_point(until, flags, at, out);

	if (!is_over(r))
		return r;
	*at = (struct timespec){ 0 };
	*out = at;
	return 0;
}

int bare_timeout(const struct futexctl_until *until, struct timespec *room, const struct timespec **out)
{
	int r;

	*out = NULL;
	if (until->deadline.kind == IPCKIT_DEADLINE_NONE)
		return 0;
	r = ipckit_deadline_left(&until->deadline, room);
	if (r && !is_over(r))
		return r;
	if (r)
		*room = (struct timespec){ 0 };
	*out = room;
	return 0;
}

int bare_fail(struct cli *cli, const struct futexctl_word *word, uint32_t expected,
	      const struct futexctl_until *until, int error)
{
	uint32_t value;

	if (error == -EAGAIN)
		error = ipckit_word_load(word->word, &value) ?: error;
	if (error != -EAGAIN)
		return until ? futexctl_fail_wait(cli, word->text, error, until)
			     : futexctl_fail(cli, word->text, error);
	if (value == expected)
		return cli_fail(cli, word->text, error, "it was not %" PRIu32 ", which it is again", expected);
	return cli_fail(cli, word->text, error, "it is %" PRIu32 ", not %" PRIu32, value, expected);
}

typedef int (*opening)(struct cli *cli, const char *text, struct futexctl_word *out);

static int open_two(struct cli *cli, opening open_second, struct futexctl_word *first,
		    struct futexctl_word *second)
{
	int r = futexctl_open_to_read(cli, cli->operands[0], first);

	if (r)
		return r;
	r = open_second(cli, cli->operands[1], second);
	if (r)
		futexctl_close(first);
	return r;
}

int bare_open_two(struct cli *cli, struct futexctl_word *first, struct futexctl_word *second)
{
	return open_two(cli, futexctl_open, first, second);
}

int bare_open_two_to_read(struct cli *cli, struct futexctl_word *first, struct futexctl_word *second)
{
	return open_two(cli, futexctl_open_to_read, first, second);
}
