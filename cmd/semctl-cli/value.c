/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/stop.h"

#include <errno.h>

static int force;

static const struct poptOption set_options[] = {
	{ "force", 'f', POPT_ARG_NONE, &force, 0,
	  "though others wait (POSIX); by SETVAL, which forgets what exits would give back (System V)", NULL },
	POPT_TABLEEND
};

struct shown {
	const char *object;
	const char *backend;
	struct ipckit_maybe value;
};

static const struct cli_field fields[] = {
	{ "object", .type = CLI_STRING, .offset = offsetof(struct shown, object), .flags = CLI_WIDE, .summary = "the semaphore as it was named" },
	{ "backend", .type = CLI_STRING, .offset = offsetof(struct shown, backend), .flags = CLI_WIDE, .summary = "posix, sysv, eventfd or unnamed" },
	{ "value", .type = CLI_MAYBE, .offset = offsetof(struct shown, value), .summary = "permits that are free" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct shown), "semaphores", NULL };

static struct ipckit_maybe value_of(const struct ipckit_name *name, const struct ipckit_sem_info *info)
{
	if (info->backend == IPCKIT_SEM_SYSV && info->semaphores && name->index < (uint64_t)info->nsems.value)
		return info->semaphores[name->index].value;
	return info->value;
}

static int gap_error(const struct ipckit_sem_info *info)
{
	return info->gaps.count ? info->gaps.list[0].error : EACCES;
}

/* By looking, not by opening: to read is all that it takes. */
static int show(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_sem_info info = { 0 };
	struct shown shown = { .object = name->written };
	int r = ipckit_sem_stat(name, 0, &info);

	if (r)
		return cli_sem_fail_find(cli, name, r);
	shown.backend = ipckit_sem_backend_name(info.backend);
	shown.value = value_of(name, &info);
	if (!shown.value.known)
		r = cli_fail(cli, name->written, gap_error(&info), NULL);
	else
		r = cli_emit_record(cli, &table, &shown);
	ipckit_sem_info_free(&info);
	return r;
}

static int run_value(struct cli *cli)
{
	struct ipckit_name name;
	int r = cli_sem_name(cli, cli->operands[0], 0, &name);

	if (r)
		return r;
	r = show(cli, &name);
	ipckit_name_free(&name);
	return r;
}

static int set(struct cli *cli, const char *object, struct ipckit_sem *sem, uint64_t value)
{
	enum ipckit_sem_backend backend = ipckit_sem_backend(sem);
	struct ipckit_deadline unused;
	int r = semctl_check_value(cli, object, backend, value);

	if (r)
		return r;
	/* It may go step by step: a signal waits until the value is set. */
	r = cli_deadline(IPCKIT_FOREVER, &unused) ?: ipckit_sem_set(sem, (int64_t)value, force);
	if (r == -EBUSY)
		return cli_fail(cli, object, r, "others are waiting for it (--force sets it all the same)");
	if (r)
		return cli_sem_fail(cli, object, backend, r);
	return semctl_done(cli, object, backend, ipckit_unknown(), ipckit_known((int64_t)value));
}

static int run_set(struct cli *cli)
{
	const char *object = cli->operands[0];
	struct ipckit_sem *sem;
	uint64_t value = 0;
	int r = cli_count(cli, "VALUE", cli->operands[1], 0, UINT64_MAX, &value);

	if (!r)
		r = cli_sem_open(cli, object, 0, &sem);
	if (r)
		return r;
	r = set(cli, object, sem, value);
	ipckit_sem_close(sem);
	return r;
}

const struct cli_verb semctl_value = {
	.name = "value",
	.operands = "OBJECT",
	.summary = "print the value",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &table,
	.run = run_value,
};

const struct cli_verb semctl_set = {
	.name = "set",
	.operands = "OBJECT VALUE",
	.summary = "set the value",
	.least = 2,
	.most = 2,
	.options = set_options,
	.table = &semctl_done_table,
	.run = run_set,
};
