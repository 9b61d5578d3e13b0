/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <semaphore.h>
#include <stdalign.h>
#include <string.h>

int semctl_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out)
{
	return cli_name(cli, text, IPCKIT_SEM_NAMES | extra, out);
}

int semctl_fail_find(struct cli *cli, const struct ipckit_name *name, int error)
{
	enum ipckit_sem_backend backend = ipckit_sem_backend_of(name);

	if (error == -ERANGE)
		return cli_fail(cli, name->written, error, "the set has no semaphore %u", name->index);
	return semctl_fail(cli, name->written, backend, error);
}

int semctl_open(struct cli *cli, const char *text, unsigned extra, struct ipckit_sem **out)
{
	struct ipckit_name name;
	int r = semctl_name(cli, text, extra, &name);

	if (r)
		return r;
	r = ipckit_sem_open(&name, out);
	if (r)
		r = semctl_fail_find(cli, &name, r);
	ipckit_name_free(&name);
	return r;
}

int semctl_fail_create(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error,
		       unsigned wanted)
{
	struct ipckit_limit limit;

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -ENODEV:
		return cli_fail(cli, object, error,
				"/dev/shm is missing: mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm");
	case -EROFS:
		return cli_fail(cli, object, error, "the file system is read-only");
	case -EINVAL:
		if (backend == IPCKIT_SEM_UNNAMED)
			return cli_fail(cli, object, error, "a semaphore begins at a multiple of %zu",
					alignof(sem_t));
		break;
	case -EOPNOTSUPP:
		return cli_fail(cli, object, error, "not supported by %s semaphores",
				ipckit_sem_backend_name(backend));
	case -ELOOP:
	case -EBADMSG:
		return cli_fail(cli, object, error, error == -ELOOP ? NULL : "what stands there is no semaphore");
	}
	/* EAGAIN is an answer here, not the limit of processes. */
	if (error != -EAGAIN && !ipckit_sem_limit_hit(backend, -error, wanted, &limit))
		return cli_fail_limit(cli, object, error, &limit);
	return cli_fail(cli, object, error, NULL);
}

int semctl_fail(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error)
{
	return semctl_fail_create(cli, object, backend, error, 0);
}

int semctl_fail_wait(struct cli *cli, const char *object, const struct ipckit_sem *sem, int error,
		     const char *timeout)
{
	switch (error) {
	case -ETIMEDOUT:
		return cli_fail(cli, object, error, "timed out after %s%s", timeout,
				timeout[strspn(timeout, "0123456789.")] ? "" : "s");
	case -EIDRM:
		return cli_fail(cli, object, error, "removed while it was waited for");
	}
	return semctl_fail(cli, object, ipckit_sem_backend(sem), error);
}

int semctl_check_value(struct cli *cli, const char *object, enum ipckit_sem_backend backend, uint64_t value)
{
	if (value <= (uint64_t)ipckit_sem_value_max(backend))
		return 0;
	return semctl_fail(cli, object, backend, -EOVERFLOW);
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
