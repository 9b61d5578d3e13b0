/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/waiters.h>

/* ---- rows ---- */

struct lock {
	struct ipckit_robust_lock lock;
	struct ipckit_maybe offset, owner_died, waiters;
	char address[24], node[24];
};

#define LOCK(member) .offset = offsetof(struct lock, lock.member)
#define OWN(member) .offset = offsetof(struct lock, member)

static const struct cli_field lock_fields[] = {
	{ "file", .type = CLI_STRING, LOCK(word.path),
	  .summary = "file or segment that the word lies in; none: memory of its own" },
	{ "offset", .type = CLI_MAYBE, OWN(offset), .summary = "where in the file, in bytes" },
	{ "address", .type = CLI_CHARS, OWN(address), .summary = "of the word, in hex" },
	{ "value", .type = CLI_MAYBE, LOCK(word.value), .summary = "of the word; unknown where there is none" },
	{ "owner", .type = CLI_PID, LOCK(owner), .summary = "thread id in the word; of its owner's PID namespace" },
	{ "waiters", .type = CLI_TRUTH, OWN(waiters), .summary = "FUTEX_WAITERS: others may sleep on it" },
	{ "owner_died", .type = CLI_TRUTH, OWN(owner_died), .summary = "FUTEX_OWNER_DIED" },
	{ "pi", .type = CLI_BOOL, LOCK(pi), .summary = "inherits priorities" },
	{ "pending", .type = CLI_BOOL, LOCK(pending), .summary = "is being taken or given up (list_op_pending)" },
	{ "node", .type = CLI_CHARS, OWN(node), .flags = CLI_WIDE, .summary = "address of its entry, in hex" },
	{ 0 },
};

static const struct cli_table lock_table = { lock_fields, sizeof(struct lock), "locks", NULL };

struct answer {
	struct ipckit_robust robust;
	char head[24];
	struct lock *locks;
	size_t nlocks;
};

#define ANSWER(member) .offset = offsetof(struct answer, member)

/* Addresses are texts in JSON, too: numbers of 64 bits lose their last digits in many readers of it. */
static const struct cli_field fields[] = {
	{ "pid", .type = CLI_INT, ANSWER(robust.pid), .summary = "process" },
	{ "tid", .type = CLI_INT, ANSWER(robust.tid), .summary = "its thread" },
	{ "head", .type = CLI_CHARS, ANSWER(head), .summary = "address of the list, in hex; none: it has no list" },
	{ "futex_offset", .type = CLI_INTEGER, ANSWER(robust.futex_offset),
	  .summary = "from an entry to its word, in bytes" },
	{ "cut", .type = CLI_BOOL, ANSWER(robust.cut),
	  .summary = "the list is broken, or longer than the kernel follows: there may be more" },
	{ "locks", .type = CLI_ROWS, ANSWER(locks), .count_offset = offsetof(struct answer, nlocks),
	  .rows = &lock_table, .summary = "what it holds, in the order of the list" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct answer), "threads", NULL };

static void describe(const struct ipckit_robust_lock *found, struct lock *lock)
{
	bool known = found->word.value.known;

	lock->lock = *found;
	if (found->word.shared && found->word.place.offset <= INT64_MAX)
		lock->offset = ipckit_known((int64_t)found->word.place.offset);
	if (known) {
		lock->waiters = ipckit_known(found->waiters);
		lock->owner_died = ipckit_known(found->owner_died);
	}
	snprintf(lock->address, sizeof(lock->address), "0x%" PRIx64, found->word.address);
	snprintf(lock->node, sizeof(lock->node), "0x%" PRIx64, found->node);
}

static int emit(struct cli *cli, const struct ipckit_robust *robust)
{
	struct answer answer = { .robust = *robust, .nlocks = robust->count };
	int r;

	answer.locks = calloc(robust->count + 1, sizeof(*answer.locks));
	if (!answer.locks)
		return cli_fail(cli, NULL, ENOMEM, NULL);
	if (robust->head)
		snprintf(answer.head, sizeof(answer.head), "0x%" PRIx64, robust->head);
	for (size_t i = 0; i < robust->count; i++)
		describe(&robust->list[i], &answer.locks[i]);
	r = cli_emit_record(cli, &table, &answer);
	free(answer.locks);
	return r;
}

/* ---- the verb ---- */

static int fail(struct cli *cli, const char *object, int error)
{
	switch (error) {
	case -ESRCH:
		return cli_fail(cli, object, ENOENT, "no such process or thread");
	case -EPERM:
		return cli_fail(cli, object, error, "this process may not be looked at: it belongs to another user, or "
						    "has more rights");
	case -EOPNOTSUPP:
		return cli_fail(cli, object, error, "a 32-bit process: its list is of another form");
	case -ENOENT:
		return cli_fail(cli, object, ENOSYS, "/proc is not mounted");
	default:
		return cli_fail(cli, object, error, NULL);
	}
}

static int run(struct cli *cli)
{
	const char *text = cli->operands[0];
	struct ipckit_robust robust;
	uint64_t tid;
	int r = cli_count(cli, "PID", text, 1, INT32_MAX, &tid);

	if (r)
		return r;
	r = ipckit_robust_read((pid_t)tid, &robust);
	if (r)
		return fail(cli, text, r);
	if (robust.cut)
		cli_warn(cli, "the list is broken, or longer than the kernel follows: there may be more");
	r = emit(cli, &robust);
	ipckit_robust_free(&robust);
	return r;
}

const struct cli_verb futexctl_robust = {
	.name = "robust",
	.operands = "PID",
	.summary = "print a thread's robust list: the locks that it holds, and the one being taken",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &table,
	.run = run,
};
