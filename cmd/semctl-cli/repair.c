/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define MOST_LOOKS 40
#define STEADY_LOOKS 3 /* after the first */
#define BETWEEN_LOOKS_US 10000

static char *capacity_text;
static int force;

static const struct poptOption options[] = {
	{ "capacity", 0, POPT_ARG_STRING, &capacity_text, 0, "permits that there are in all", "N" },
	{ "force", 'f', POPT_ARG_NONE, &force, 0, "though what is held cannot be told for certain", NULL },
	POPT_TABLEEND
};

struct repaired {
	const char *object;
	struct ipckit_maybe before;
	struct ipckit_maybe held;
	struct ipckit_maybe value;
};

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, .offset = offsetof(struct repaired, object), .summary = "the semaphore as it was named" },
	{ "before", .type = CLI_MAYBE, .offset = offsetof(struct repaired, before), .summary = "the value that was found" },
	{ "held", .type = CLI_MAYBE, .offset = offsetof(struct repaired, held), .summary = "permits held by living exec runs" },
	{ "value", .type = CLI_MAYBE, .offset = offsetof(struct repaired, value), .summary = "the value that was set" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct repaired), "semaphores", NULL };

static int64_t permits_held(const struct ipckit_sem_info *info)
{
	int64_t held = 0;

	for (size_t i = 0; i < info->usage.holders.count; i++)
		held += info->usage.holders.list[i].count.known ? info->usage.holders.list[i].count.value : 1;
	return held;
}

static bool same_processes(const struct ipckit_processes *a, const struct ipckit_processes *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (a->list[i].pid != b->list[i].pid || a->list[i].since.value != b->list[i].since.value ||
		    a->list[i].count.value != b->list[i].count.value)
			return false;
	return a->count == b->count;
}

static bool same(const struct ipckit_sem_info *a, const struct ipckit_sem_info *b)
{
	return a->value.value == b->value.value && same_processes(&a->usage.holders, &b->usage.holders) &&
	       same_processes(&a->usage.waiting, &b->usage.waiting);
}

/*
 * Value and holders are looked at one after the other, and a job that comes and goes
 * between is in only one of them. So the value and the very same holders and waiters
 * have to be found several times: that each time another job was missed, and just as
 * many, is not to be expected.
 */
static int stat_steady(const struct ipckit_name *name, struct ipckit_sem_info *out)
{
	struct ipckit_sem_info last = { 0 }, info;
	unsigned alike = 0;
	int r = ipckit_sem_stat(name, IPCKIT_SEM_USERS, &last);

	for (int looks = 1; !r && !force && alike < STEADY_LOOKS && looks < MOST_LOOKS; looks++) {
		/* A guardian that has given back is gone by then. */
		usleep(BETWEEN_LOOKS_US);
		r = ipckit_sem_stat(name, IPCKIT_SEM_USERS, &info);
		if (r)
			break;
		alike = same(&info, &last) ? alike + 1 : 0;
		ipckit_sem_info_free(&last);
		last = info;
	}
	if (!r && !force && alike < STEADY_LOOKS)
		r = -EBUSY;
	if (r)
		ipckit_sem_info_free(&last);
	else
		*out = last;
	return r;
}

static int judge(struct cli *cli, const char *object, const struct ipckit_sem_info *info, uint64_t capacity)
{
	int64_t unreadable = info->usage.unreadable_processes.value;

	if (!force && (!info->usage.unreadable_processes.known || unreadable > 0))
		return cli_fail(cli, object, EACCES,
				"%" PRId64 " process%s cannot be looked at and may hold permits (--force repairs all the same)",
				unreadable, unreadable == 1 ? "" : "es");
	if ((uint64_t)permits_held(info) > capacity)
		return cli_fail(cli, object, EBADMSG, "%" PRId64 " permits are held, more than the capacity of %" PRIu64,
				permits_held(info), capacity);
	return 0;
}

/*
 * By what is missing, or too much, so that what is taken and given meanwhile stays. Waiters
 * may well be there: they wait for what was lost.
 */
static int set_value(struct ipckit_sem *sem, int64_t is, int64_t value)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };

	if (force)
		return ipckit_sem_set(sem, value, true);
	if (value > is)
		return ipckit_sem_give(sem, (unsigned)(value - is), 0);
	return value < is ? ipckit_sem_take(sem, (unsigned)(is - value), 0, &now) : 0;
}

static int repair(struct cli *cli, const char *object, struct ipckit_sem *sem, const struct ipckit_sem_info *info,
		  uint64_t capacity)
{
	struct repaired row = {
		.object = object,
		.before = info->value,
		.held = ipckit_known(permits_held(info)),
		.value = ipckit_known((int64_t)capacity - permits_held(info)),
	};
	int r = set_value(sem, info->value.value, row.value.value);

	return r ? cli_sem_fail(cli, object, info->backend, r) : cli_emit_record(cli, &table, &row);
}

static int run_named(struct cli *cli, const struct ipckit_name *name, uint64_t capacity)
{
	const char *object = name->written;
	struct ipckit_sem_info info = { 0 };
	struct ipckit_sem *sem;
	int r;

	if (ipckit_sem_backend_of(name) != IPCKIT_SEM_POSIX && ipckit_sem_backend_of(name) != IPCKIT_SEM_UNNAMED)
		return cli_sem_fail(cli, object, ipckit_sem_backend_of(name), -EOPNOTSUPP);
	r = semctl_check_value(cli, object, ipckit_sem_backend_of(name), capacity);
	if (!r)
		r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = stat_steady(name, &info);
	if (r == -EBUSY)
		r = cli_fail(cli, object, r,
			     "jobs come and go too fast to tell what they hold (--force repairs all the same)");
	else if (r)
		r = cli_sem_fail(cli, object, ipckit_sem_backend_of(name), r);
	else
		r = judge(cli, object, &info, capacity) ?: repair(cli, object, sem, &info, capacity);
	ipckit_sem_info_free(&info);
	ipckit_sem_close(sem);
	return r;
}

static int run(struct cli *cli)
{
	struct ipckit_name name;
	uint64_t capacity = 0;
	int r;

	if (!capacity_text)
		return cli_usage(cli, cli->operands[0], "--capacity N is needed: the permits that there are in all");
	r = cli_count(cli, "--capacity", capacity_text, 0, UINT64_MAX, &capacity);
	if (!r)
		r = cli_sem_name(cli, cli->operands[0], 0, &name);
	if (r)
		return r;
	r = run_named(cli, &name, capacity);
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb semctl_repair = {
	.name = "repair",
	.operands = "OBJECT",
	.summary = "set the value to the capacity less what living exec runs hold (POSIX)",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &table,
	.run = run,
};
