/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static char *timeout_text, *until_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only look",
	  "DURATION" },
	{ "until", 'u', POPT_ARG_STRING, &until_text, 0,
	  "give up at this time of CLOCK_REALTIME: RFC 3339, or @SECONDS", "TIME" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)futexctl_flag_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct waitv {
	struct futexctl_word words[IPCKIT_FUTEX_WAITV_MOST];
	struct ipckit_futex_waiter waiters[IPCKIT_FUTEX_WAITV_MOST];
	unsigned count; /* of those that are open */
	unsigned flags;
	struct futexctl_until until;
};

struct row {
	const char *word;
	unsigned index, value;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "index", .type = CLI_UINT, ROW(index), .summary = "which of the words was woken, the first is 0" },
	{ "word", .type = CLI_STRING, ROW(word), .summary = "this word as it was named" },
	{ "value", .type = CLI_UINT, ROW(value), .summary = "what it was while it was waited for" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "words", NULL };

/* ---- operands ---- */

/* WORD=VALUE; a PATH may have a `=` of its own. The name is cut off in place. */
static int open_one(struct cli *cli, struct waitv *waitv, char *name, const char *text)
{
	struct ipckit_futex_waiter *waiter = &waitv->waiters[waitv->count];
	char *equals = strrchr(name, '=');
	int r;

	if (!equals)
		return cli_usage(cli, text, "the value is missing that it is waited for with: WORD=VALUE");
	r = futexctl_value(cli, text, equals + 1, &waiter->value);
	if (r)
		return r;
	*equals = '\0';
	r = futexctl_open_to_read(cli, name, &waitv->words[waitv->count]);
	if (!r)
		waiter->word = waitv->words[waitv->count++].at;
	return r;
}

static int open_all(struct cli *cli, struct waitv *waitv)
{
	int r = 0;

	for (int i = 0; i < cli->noperands && !r; i++) {
		char *name = strdup(cli->operands[i]);

		if (!name)
			return cli_fail(cli, cli->operands[i], ENOMEM, NULL);
		r = open_one(cli, waitv, name, cli->operands[i]);
		if (r)
			free(name);
	}
	return r;
}

static void close_all(struct waitv *waitv)
{
	for (unsigned i = 0; i < waitv->count; i++) {
		free((char *)waitv->words[i].text);
		futexctl_close(&waitv->words[i]);
	}
}

/* ---- the wait ---- */

static int call(const struct waitv *waitv, unsigned *woken)
{
	const struct timespec *point;
	unsigned flags = waitv->flags;
	struct timespec at;
	int r = bare_point(&waitv->until, &flags, &at, &point);

	return r ?: ipckit_futex_waitv(waitv->waiters, waitv->count, flags, point, woken);
}

/* The kernel does not tell which of them differs. */
static int fail(struct cli *cli, const struct waitv *waitv, int error)
{
	if (error != -EAGAIN)
		return futexctl_fail_wait(cli, waitv->count == 1 ? waitv->words[0].text : NULL, error,
					  &waitv->until);
	for (unsigned i = 0; i < waitv->count; i++) {
		uint32_t expected = waitv->waiters[i].value, value;

		if (ipckit_word_load(waitv->words[i].word, &value) || value != expected)
			return bare_fail(cli, &waitv->words[i], expected, NULL, error);
	}
	return cli_fail(cli, NULL, error, "one of the words had another value, and has it no more");
}

static int wait_for(struct cli *cli, const struct waitv *waitv)
{
	unsigned woken;
	struct row row;
	int r;

	do
		r = call(waitv, &woken);
	while (r == -EINTR);
	if (r)
		return fail(cli, waitv, r);
	row = (struct row){
		.word = waitv->words[woken].text,
		.index = woken,
		.value = waitv->waiters[woken].value,
	};
	return cli_emit_record(cli, &table, &row);
}

static int run(struct cli *cli)
{
	struct waitv waitv = { 0 };
	int r = futexctl_flags(cli, IPCKIT_FUTEX_PRIVATE | IPCKIT_FUTEX_REALTIME, &waitv.flags) ?:
		futexctl_until(cli, timeout_text, until_text, &waitv.until) ?: open_all(cli, &waitv) ?:
		wait_for(cli, &waitv);

	close_all(&waitv);
	return r;
}

const struct cli_verb futexctl_waitv = {
	.name = "waitv",
	.operands = "WORD=VALUE...",
	.summary = "sleep while each of up to 128 words is its VALUE, until one is woken: futex_waitv(2)",
	.least = 1,
	.most = IPCKIT_FUTEX_WAITV_MOST,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
