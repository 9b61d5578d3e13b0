/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>

int semctl_check_value(struct cli *cli, const char *object, enum ipckit_sem_backend backend, uint64_t value)
{
	if (value <= (uint64_t)ipckit_sem_value_max(backend))
		return 0;
	return cli_sem_fail(cli, object, backend, -EOVERFLOW);
}

int semctl_check_count(struct cli *cli, const char *object, enum ipckit_sem_backend backend, uint64_t count)
{
	/* An eventfd's counter holds more than one call gives or takes. */
	return semctl_check_value(cli, object, backend, count > UINT32_MAX ? UINT64_MAX : count);
}

static const struct cli_field done_fields[] = {
	CLI_DONE_FIELDS("the semaphore as it was named", "posix, sysv, eventfd, unnamed or file"),
	{ "count", .type = CLI_MAYBE, .offset = offsetof(struct semctl_done, count), .kinds = 2, .summary = "permits taken or given" },
	{ "value", .type = CLI_MAYBE, .offset = offsetof(struct semctl_done, value), .kinds = 4, .summary = "value that was set" },
	{ 0 },
};

static unsigned done_kind(const void *row)
{
	const struct semctl_done *done = row;

	return done->count.known ? 2 : done->value.known ? 4 : 1;
}

const struct cli_table semctl_done_table = { done_fields, sizeof(struct semctl_done), "semaphores", done_kind };

int semctl_done(struct cli *cli, const char *object, enum ipckit_sem_backend backend, struct ipckit_maybe count,
		struct ipckit_maybe value)
{
	const struct semctl_done done = {
		.done = { .object = object, .backend = ipckit_sem_backend_name(backend) },
		.count = count,
		.value = value,
	};

	return cli_emit_record(cli, &semctl_done_table, &done);
}
