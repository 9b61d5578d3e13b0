/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"
#include "../cli/stop.h"

#include <errno.h>
#include <ipckit/lock.h>
#include <sys/stat.h>

static int wait_flag, signal_flag, broadcast_flag;
static char *timeout_text;

static const struct poptOption options[] = {
	{ "wait", 'w', POPT_ARG_NONE, &wait_flag, 0,
	  "unlock MUTEX, which you hold, sleep until there is a signal, lock it again; may end without one: wait in "
	  "a loop", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "with --wait: give up after this time; status 1, and MUTEX is locked again, however long that takes",
	  "DURATION" },
	{ "signal", 's', POPT_ARG_NONE, &signal_flag, 0, "end one wait, if there is any", NULL },
	{ "broadcast", 'b', POPT_ARG_NONE, &broadcast_flag, 0,
	  "end all waits: one is woken, the others are moved to MUTEX and come one by one", NULL },
	POPT_TABLEEND
};

struct row {
	const char *word, *mutex;
	unsigned affected;
};

#define ROW(member) .offset = offsetof(struct row, member)

enum { WAITED = 1, SIGNALLED = 2 };

static unsigned kind(const void *row)
{
	(void)row;
	return wait_flag ? WAITED : SIGNALLED;
}

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word), .summary = "the word as it was named" },
	{ "mutex", .type = CLI_STRING, ROW(mutex), .summary = "the lock as it was named" },
	{ "affected", .type = CLI_UINT, ROW(affected), .kinds = SIGNALLED,
	  .summary = "--signal, --broadcast: how many were woken, or moved to the lock" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "conditions", kind };

struct pair {
	struct futexctl_word word, mutex;
};

static void close_pair(struct pair *pair)
{
	futexctl_close(&pair->mutex);
	futexctl_close(&pair->word);
}

static int fail(struct cli *cli, const struct pair *pair, int error, const struct futexctl_until *until)
{
	const struct futexctl_word *mutex = &pair->mutex;

	switch (error) {
	case -EPERM:
		return cli_fail(cli, mutex->text, error, "is not locked: who waits has locked it before");
	case -EBADMSG:
		return cli_fail(cli, mutex->text, error, "no such lock: the word is %u, not 0, 1 or 2",
				__atomic_load_n(mutex->at, __ATOMIC_RELAXED));
	}
	return futexctl_fail_wait(cli, pair->word.text, error, until);
}

/* ---- waiting ---- */

/* signalled: by a signal, which then is another one's. */
static int give_back(const struct pair *pair, bool signalled)
{
	unsigned passed_on;
	int r = ipckit_lock_give(pair->mutex.at);

	return signalled ? r ?: ipckit_cond_signal(pair->word.at, &passed_on) : r;
}

/* Nobody got to know that MUTEX is locked again, and so nobody would unlock it. */
static int end(void *arg, bool written)
{
	struct pair *pair = arg;
	int r = written ? 0 : give_back(pair, true);

	close_pair(pair);
	return r;
}

/* Whoever is ended by a signal has not locked MUTEX again: its script would not unlock it. */
static int wait_or_die(const struct pair *pair, struct ipckit_deadline *deadline)
{
	struct ipckit_deadline caught;
	int r = cli_deadline(IPCKIT_FOREVER, &caught);

	if (r)
		return r;
	deadline->stop = caught.stop;
	r = ipckit_cond_wait(pair->word.at, pair->mutex.at, deadline);
	if ((!r || r == -ETIMEDOUT) && !cli_stop_commit())
		r = give_back(pair, !r) ?: -EINTR;
	if (r == -EINTR)
		cli_stop_die();
	return r;
}

/* ---- either ---- */

static int call(const struct pair *pair, struct futexctl_until *until, unsigned *affected)
{
	if (wait_flag)
		return wait_or_die(pair, &until->deadline);
	if (signal_flag)
		return ipckit_cond_signal(pair->word.at, affected);
	return ipckit_cond_broadcast(pair->word.at, pair->mutex.at, affected);
}

static int read_options(struct cli *cli, struct futexctl_until *until)
{
	if (wait_flag + signal_flag + broadcast_flag != 1)
		return cli_usage(cli, NULL, "one of --wait, --signal and --broadcast is needed");
	if (timeout_text && !wait_flag)
		return cli_usage(cli, "--timeout", "this is for --wait: the others do not wait");
	return futexctl_until(cli, timeout_text, NULL, until);
}

static int compare_places(const struct ipckit_word *word, const struct ipckit_word *mutex, bool *same)
{
	struct ipckit_place one, two;
	int r = ipckit_word_place(word, &one) ?: ipckit_word_place(mutex, &two);

	if (!r)
		*same = ipckit_place_is(&one, &two);
	return r;
}

/* Files tell without /proc. */
static int compare(const struct ipckit_word *word, const struct ipckit_word *mutex, bool *same)
{
	uint64_t offset;
	struct stat st;

	if (ipckit_word_fd(word) < 0 || ipckit_word_fd(mutex) < 0)
		return compare_places(word, mutex, same);
	if (fstat(ipckit_word_fd(mutex), &st))
		return -errno;
	*same = ipckit_word_is_in(word, &st, &offset) && offset == ipckit_word_offset(mutex);
	return 0;
}

/* As both it would count signals and be unlocked by them. */
static int check_two(struct cli *cli, const struct futexctl_word *word, const struct futexctl_word *mutex)
{
	bool same = false;
	int r = compare(word->word, mutex->word, &same);

	if (r == -ENOENT)
		return cli_fail(cli, word->text, ENOSYS, "/proc is not mounted");
	if (r)
		return futexctl_fail(cli, word->text, r);
	return same ? cli_usage(cli, mutex->text, "WORD and MUTEX are one word") : 0;
}

static struct pair opened;

static int run(struct cli *cli)
{
	struct row row = { .word = cli->operands[0], .mutex = cli->operands[1] };
	struct futexctl_until until;
	int r = read_options(cli, &until) ?: futexctl_open(cli, row.word, &opened.word) ?:
		futexctl_open(cli, row.mutex, &opened.mutex) ?: check_two(cli, &opened.word, &opened.mutex);

	if (!r) {
		r = call(&opened, &until, &row.affected);
		if (r)
			r = fail(cli, &opened, r, &until);
	}
	if (!r && wait_flag && cli_prints(cli)) {
		cli_undo_with(cli, end, &opened);
		return cli_emit_record(cli, &table, &row);
	}
	close_pair(&opened);
	return r ?: cli_emit_record(cli, &table, &row);
}

const struct cli_verb futexctl_cond = {
	.name = "cond",
	.operands = "WORD MUTEX",
	.summary = "a condition variable with a lock of `lock`: wait for a signal, or send one",
	.least = 2,
	.most = 2,
	.options = options,
	.table = &table,
	.run = run,
};
