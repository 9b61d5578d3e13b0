/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/parse.h>
#include <limits.h>
#include <string.h>

/* How long it may go unseen that a word was removed, or its file has become too short. */
#define LOOK_AT_FILE_NS 500000000

/* ---- words ---- */

int futexctl_fail_open(struct cli *cli, const struct ipckit_name *name, int error)
{
	switch (error) {
	case -ENODEV:
		return cli_fail(cli, name->written, error, name->kind == IPCKIT_NAME_SHM ? CLI_NO_SHM :
				"the file system there cannot map files, so that they hold no words");
	case -EOPNOTSUPP:
		return cli_fail(cli, name->written, error,
				"the file system there cannot make a file without a name (O_TMPFILE)");
	case -EBADMSG:
		return cli_fail(cli, name->written, error, "what stands there is no regular file");
	case -EFBIG:
		return cli_fail(cli, name->written, error, "a word at %" PRIu64 " reaches beyond its end", name->offset);
	default:
		return futexctl_fail(cli, name->written, error);
	}
}

static int open_word(struct cli *cli, const struct ipckit_name *name, bool write, struct futexctl_word *out)
{
	int r;

	if (name->offset % sizeof(*out->at))
		return cli_usage(cli, name->written, "the offset of a word is a multiple of 4");
	r = write ? ipckit_word_open(name, &out->word) : ipckit_word_open_to_read(name, &out->word);
	if (r)
		return futexctl_fail_open(cli, name, r);
	out->at = ipckit_word_at(out->word);
	return 0;
}

static int open_named(struct cli *cli, const char *text, bool write, struct futexctl_word *out)
{
	struct futexctl_word word = { .text = text };
	struct ipckit_name name;
	int r = cli_name(cli, text, IPCKIT_WORD_NAMES_ALL, &name);

	if (r)
		return r;
	r = open_word(cli, &name, write, &word);
	ipckit_name_free(&name);
	if (!r)
		*out = word;
	return r;
}

int futexctl_open(struct cli *cli, const char *text, struct futexctl_word *out)
{
	return open_named(cli, text, true, out);
}

int futexctl_open_to_read(struct cli *cli, const char *text, struct futexctl_word *out)
{
	return open_named(cli, text, false, out);
}

void futexctl_close(struct futexctl_word *word)
{
	ipckit_word_close(word->word);
	*word = (struct futexctl_word){ 0 };
}

void futexctl_close_all(struct futexctl_word *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		futexctl_close(&words[i]);
}

/* ---- values ---- */

int futexctl_value(struct cli *cli, const char *option, const char *text, uint32_t *out)
{
	int64_t value;
	int r;

	if (!text)
		return 0;
	r = cli_signed(cli, option, text, INT32_MIN, UINT32_MAX, &value);
	if (!r)
		*out = (uint32_t)value;
	return r;
}

int futexctl_many(struct cli *cli, const char *option, const char *text, uint32_t *out)
{
	uint64_t count;
	int r;

	if (!text)
		return 0;
	if (!strcmp(text, "all")) {
		*out = IPCKIT_FUTEX_ALL;
		return 0;
	}
	r = cli_count(cli, option, text, 0, INT_MAX, &count);
	if (!r)
		*out = (uint32_t)count;
	return r;
}

int futexctl_bitset(struct cli *cli, const char *text, uint32_t *out)
{
	uint64_t bits;
	int r;

	if (!text)
		return 0;
	r = cli_count(cli, "--bitset", text, 0, UINT32_MAX, &bits);
	if (!r && !bits)
		r = cli_usage(cli, "--bitset", "\"%s\" has no bit, by which nobody meets: the kernel answers EINVAL",
			      text);
	if (!r)
		*out = (uint32_t)bits;
	return r;
}

/* ---- flags of operations ---- */

static int private_flag, realtime, futex2;

const struct poptOption futexctl_flag_options[] = {
	{ "private", 0, POPT_ARG_NONE, &private_flag, 0, "FUTEX_PRIVATE_FLAG: never meets another process", NULL },
	{ "realtime", 0, POPT_ARG_NONE, &realtime, 0, "FUTEX_CLOCK_REALTIME: the time limit is on that clock", NULL },
	{ "futex2", 0, POPT_ARG_NONE, &futex2, 0, "use the calls of Linux 6.7 (futex_wait, futex_wake, futex_requeue)",
	  NULL },
	POPT_TABLEEND
};

int futexctl_flags(struct cli *cli, unsigned takes, unsigned *out)
{
	unsigned flags = (private_flag ? IPCKIT_FUTEX_PRIVATE : 0) | (realtime ? IPCKIT_FUTEX_REALTIME : 0) |
			 (futex2 ? IPCKIT_FUTEX_2 : 0);
	unsigned refused = flags & ~takes;

	if (refused & IPCKIT_FUTEX_REALTIME)
		return cli_usage(cli, "--realtime", "this operation counts on one clock: the kernel answers ENOSYS");
	if (refused & IPCKIT_FUTEX_2)
		return cli_usage(cli, "--futex2", "Linux 6.7 has no call of its own for this operation");
	if (refused & IPCKIT_FUTEX_PRIVATE)
		return cli_usage(cli, "--private", "this operation has no such flag");
	if (private_flag)
		cli_warn(cli, "--private: a private operation never meets another process");
	*out = flags;
	return 0;
}

/* ---- ends of waits ---- */

static int read_time(struct cli *cli, const char *text, struct timespec *out)
{
	int error = ipckit_parse_time(text, out);

	if (error == -ERANGE)
		return cli_usage(cli, "--until", "\"%s\": there is no such time on this clock", text);
	if (error)
		return cli_usage(cli, "--until", "\"%s\" is not a time (2026-11-21T10:00:00Z, with an offset from UTC, "
						 "or @SECONDS)", text);
	return 0;
}

int futexctl_until(struct cli *cli, const char *timeout, const char *until, struct futexctl_until *out)
{
	struct futexctl_until read = { .text = until ?: timeout, .absolute = until };
	int64_t ns = IPCKIT_FOREVER;
	int r;

	if (timeout && until)
		return cli_usage(cli, NULL, "--timeout and --until exclude each other");
	r = cli_duration(cli, "--timeout", timeout, &ns);
	if (!r && until)
		r = read_time(cli, until, &read.at);
	if (r)
		return r;
	ipckit_deadline_in(ns, &read.deadline);
	read.limited = until || read.deadline.kind != IPCKIT_DEADLINE_NONE;
	*out = read;
	return 0;
}

/* Less than 0 is no time for the kernel. */
static void since_1970(struct timespec *at)
{
	if (at->tv_sec < 0)
		*at = (struct timespec){ 0 };
}

int futexctl_point(const struct futexctl_until *until, unsigned *flags, struct timespec *at,
		   const struct timespec **out)
{
	if (until->absolute) {
		*flags |= IPCKIT_FUTEX_REALTIME;
		*at = until->at;
		since_1970(at);
		*out = at;
		return 0;
	}
	return ipckit_deadline_point(&until->deadline,
				     *flags & IPCKIT_FUTEX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, at, out);
}

int futexctl_wait_in_parts(const struct futexctl_word *word, const struct ipckit_deadline *deadline,
			   int (*wait)(void *arg, const struct ipckit_deadline *part), void *arg)
{
	struct ipckit_deadline part;
	int r;

	do {
		ipckit_deadline_within(deadline, LOOK_AT_FILE_NS, &part);
		r = wait(arg, &part);
		if (r != -ETIMEDOUT)
			return r;
		r = ipckit_deadline_left(deadline, NULL) ?: ipckit_word_check(word->word);
	} while (!r);
	return r;
}

/* ---- failures ---- */

int futexctl_fail(struct cli *cli, const char *object, int error)
{
	struct ipckit_limit limit;

	switch (error) {
	case -EINVAL:
		return cli_fail(cli, object, error, "the kernel refuses: others sleep on it in operations that do not "
						    "go with this one, with or without priority inheritance");
	case -EBADMSG:
		return cli_fail(cli, object, error, "the word holds what no such lock does");
	case -EDEADLK:
		return cli_fail(cli, object, error, "a deadlock: its owner waits, in the end, for this one");
	case -ESRCH:
		return cli_fail(cli, object, error, "its owner is gone, and nobody was told");
	case -EIDRM:
		return cli_fail(cli, object, error, "it was removed while it was waited on");
	case -EFBIG:
		return cli_fail(cli, object, error, "its file shrank while it was waited on");
	case -EFAULT:
		return cli_fail(cli, object, error, "the memory behind it has gone: it shrank, or its file system is full");
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		if (!ipckit_limit_of_process(-error, &limit))
			return cli_fail_limit(cli, object, error, &limit);
		break;
	}
	return cli_fail(cli, object, error, NULL);
}

int futexctl_fail_late(struct cli *cli, const char *object, const struct futexctl_until *until, const char *holder)
{
	if (until->absolute)
		return cli_fail(cli, object, ETIMEDOUT, "timed out: it is past %s%s", until->text, holder);
	return cli_fail_late(cli, object, until->text, holder);
}

int futexctl_fail_wait(struct cli *cli, const char *object, int error, const struct futexctl_until *until)
{
	if (error == -ETIMEDOUT && until->text)
		return futexctl_fail_late(cli, object, until, "");
	return futexctl_fail(cli, object, error);
}
