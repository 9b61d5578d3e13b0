/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/waiters.h>
#include <string.h>

static char *pid_text;
static int all;

static const struct poptOption options[] = {
	{ "pid", 'p', POPT_ARG_STRING, &pid_text, 0, "of this process only (or that of this thread)", "PID" },
	{ "all", 'a', POPT_ARG_NONE, &all, 0, "of all processes; so it is where nothing is given", NULL },
	POPT_TABLEEND
};

/* ---- rows ---- */

struct row {
	struct ipckit_waiter waiter;
	struct ipckit_maybe offset, inode;
	char address[24], lock[24], device[24];
};

/* What a row has, beside what all have. */
enum { SHARED = 1, COMPARES = 2, MASKED = 4, OWNED = 8, MOVED = 16, VECTOR = 32 };

#define ROW(member) .offset = offsetof(struct row, member)
#define WAITER(member) .offset = offsetof(struct row, waiter.member)

/* Addresses are texts in JSON, too: numbers of 64 bits lose their last digits in many readers of it. */
static const struct cli_field fields[] = {
	{ "pid", .type = CLI_INT, WAITER(pid), .summary = "process" },
	{ "tid", .type = CLI_INT, WAITER(tid), .summary = "its thread that sleeps" },
	{ "uid", .type = CLI_MAYBE, WAITER(uid), .flags = CLI_WIDE, .summary = "its user's number" },
	{ "command", .type = CLI_STRING, WAITER(command), .summary = "its command line" },
	{ "operation", .type = CLI_STRING, WAITER(operation), .summary = "operation of futex(2) or call that it sleeps in" },
	{ "private", .type = CLI_BOOL, WAITER(private), .flags = CLI_WIDE,
	  .summary = "met by threads of its own process only" },
	{ "realtime", .type = CLI_BOOL, WAITER(realtime), .flags = CLI_WIDE,
	  .summary = "its time limit counts on CLOCK_REALTIME" },
	{ "timed", .type = CLI_BOOL, WAITER(timed), .flags = CLI_WIDE, .summary = "whether it has a time limit" },
	{ "file", .type = CLI_STRING, WAITER(word.path), .kinds = SHARED,
	  .summary = "file or segment that the word lies in, as /proc/PID/maps has it; none: memory of its own" },
	{ "offset", .type = CLI_MAYBE, ROW(offset), .kinds = SHARED, .summary = "where in the file, in bytes" },
	{ "device", .type = CLI_CHARS, ROW(device), .kinds = SHARED, .flags = CLI_WIDE,
	  .summary = "device of the file, major:minor in hex, as /proc/PID/maps has it" },
	{ "inode", .type = CLI_MAYBE, ROW(inode), .kinds = SHARED, .flags = CLI_WIDE,
	  .summary = "inode of the file; of a System V segment its id" },
	{ "address", .type = CLI_CHARS, ROW(address), .flags = CLI_WIDE,
	  .summary = "address of the word in the process, in hex; a text, since JSON's numbers are too short" },
	{ "index", .type = CLI_MAYBE, WAITER(index), .kinds = VECTOR, .flags = CLI_WIDE,
	  .summary = "futex_waitv: which of its words, from 0; each is a row" },
	{ "value", .type = CLI_MAYBE, WAITER(word.value), .summary = "of the word now; unknown where it may not be read" },
	{ "expected", .type = CLI_MAYBE, WAITER(expected), .kinds = COMPARES, .summary = "the value while which it sleeps" },
	{ "bitset", .type = CLI_KEY, WAITER(bitset), .kinds = MASKED, .flags = CLI_WIDE,
	  .summary = "woken by who has one of these bits; hex in tables and plain" },
	{ "owner", .type = CLI_PID, WAITER(owner), .kinds = OWNED,
	  .summary = "locks of priority inheritance: thread id in the word; of its owner's PID namespace" },
	{ "lock", .type = CLI_CHARS, ROW(lock), .kinds = MOVED, .flags = CLI_WIDE,
	  .summary = "FUTEX_WAIT_REQUEUE_PI: address of the lock that it is to be moved to, in hex" },
	{ 0 },
};

static unsigned kind(const void *data)
{
	const struct ipckit_waiter *waiter = &((const struct row *)data)->waiter;
	bool vector = !strcmp(waiter->operation, "futex_waitv");
	bool owned = !strncmp(waiter->operation, "FUTEX_LOCK_PI", strlen("FUTEX_LOCK_PI"));

	return (waiter->word.shared ? SHARED : 0) | (owned ? OWNED : COMPARES) | (vector ? VECTOR : 0) |
	       (waiter->bitset.known ? MASKED : 0) | (waiter->requeue.known ? MOVED : 0);
}

static const struct cli_table table = { fields, sizeof(struct row), "waiters", kind };

static struct ipckit_maybe number(uint64_t n)
{
	return n <= INT64_MAX ? ipckit_known((int64_t)n) : ipckit_unknown();
}

static void describe(const struct ipckit_waiter *waiter, struct row *row)
{
	const struct ipckit_place *place = &waiter->word.place;

	row->waiter = *waiter;
	if (waiter->word.address)
		snprintf(row->address, sizeof(row->address), "0x%" PRIx64, waiter->word.address);
	if (waiter->requeue.known)
		snprintf(row->lock, sizeof(row->lock), "0x%" PRIx64, (uint64_t)waiter->requeue.value);
	if (!waiter->word.shared)
		return;
	row->offset = number(place->offset);
	row->inode = number(place->inode);
	snprintf(row->device, sizeof(row->device), "%02x:%02x", place->major, place->minor);
}

static int emit(struct cli *cli, const struct ipckit_waiters *waiters)
{
	struct row *rows = calloc(waiters->count + 1, sizeof(*rows));
	int r;

	if (!rows)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < waiters->count; i++)
		describe(&waiters->list[i], &rows[i]);
	r = cli_emit_list(cli, &table, rows, waiters->count);
	free(rows);
	return r;
}

/* ---- what is not seen ---- */

/* Who is not seen may sleep all the same. */
static void tell_gaps(struct cli *cli, const struct ipckit_waiters *waiters)
{
	const struct ipckit_maybe *unreadable = &waiters->unreadable_processes;

	if (!unreadable->known)
		cli_warn(cli, "processes are hidden here, and may sleep on words");
	else if (unreadable->value)
		cli_warn(cli, "%" PRId64 " process%s may not be looked at and may sleep on words", unreadable->value,
			 unreadable->value == 1 ? "" : "es");
	if (waiters->other_pids && !waiters->count)
		cli_warn(cli, "processes of other PID namespaces are not seen, and may sleep on words");
}

static int fail(struct cli *cli, const char *object, int error)
{
	switch (error) {
	case -ESRCH:
		return cli_fail(cli, object, ENOENT, "no such process");
	case -EACCES:
		return cli_fail(cli, object, error, "this process may not be looked at: it belongs to another user, or "
						    "has more rights");
	case -ENOENT:
		return cli_fail(cli, object, ENOSYS, "/proc is not mounted, or does not show what threads sleep in");
	default:
		return futexctl_fail(cli, object, error);
	}
}

/* ---- the verb ---- */

static int list(struct cli *cli, const char *object, const struct ipckit_waiters_filter *filter)
{
	struct ipckit_waiters waiters;
	int r = ipckit_waiters_list(filter, &waiters);

	if (r)
		return fail(cli, object, r);
	tell_gaps(cli, &waiters);
	r = emit(cli, &waiters);
	ipckit_waiters_free(&waiters);
	return r;
}

static int run(struct cli *cli)
{
	struct ipckit_waiters_filter filter = { 0 };
	struct futexctl_word word = { 0 };
	uint64_t pid = 0;
	int r;

	if (cli->noperands + !!pid_text + all > 1)
		return cli_usage(cli, NULL, "one of WORD, --pid and --all");
	r = cli_count(cli, "--pid", pid_text, 1, INT32_MAX, &pid);
	if (!r && cli->noperands)
		r = futexctl_open_to_read(cli, cli->operands[0], &word);
	if (r)
		return r;
	filter.word = word.word;
	filter.pid = (pid_t)pid;
	r = list(cli, cli->noperands ? word.text : pid_text, &filter);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_waiters = {
	.name = "waiters",
	.operands = "[WORD]",
	.summary = "print who sleeps on words, in which operation",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &table,
	.run = run,
};
