/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sem.h"
#include "stop.h"

#include <errno.h>
#include <semaphore.h>
#include <stdalign.h>

int cli_sem_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out)
{
	return cli_name(cli, text, IPCKIT_SEM_NAMES | extra, out);
}

int cli_sem_fail_find(struct cli *cli, const struct ipckit_name *name, int error)
{
	enum ipckit_sem_backend backend = ipckit_sem_backend_of(name);

	if (error == -ERANGE)
		return cli_fail(cli, name->written, error, "the set has no semaphore %u", name->index);
	return cli_sem_fail(cli, name->written, backend, error);
}

int cli_sem_open(struct cli *cli, const char *text, unsigned extra, struct ipckit_sem **out)
{
	struct ipckit_name name;
	int r = cli_sem_name(cli, text, extra, &name);

	if (r)
		return r;
	r = ipckit_sem_open(&name, out);
	if (r)
		r = cli_sem_fail_find(cli, &name, r);
	ipckit_name_free(&name);
	return r;
}

int cli_sem_fail_create(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error,
			unsigned wanted)
{
	struct ipckit_limit limit;

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -ENODEV:
		return cli_fail(cli, object, error, CLI_NO_SHM);
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

int cli_sem_fail(struct cli *cli, const char *object, enum ipckit_sem_backend backend, int error)
{
	return cli_sem_fail_create(cli, object, backend, error, 0);
}

int cli_sem_fail_wait(struct cli *cli, const char *object, const struct ipckit_sem *sem, int error,
		      const char *timeout)
{
	switch (error) {
	case -ETIMEDOUT:
		return cli_fail_late(cli, object, timeout, "");
	case -EIDRM:
		return cli_fail(cli, object, error, "removed while it was waited for");
	}
	return cli_sem_fail(cli, object, ipckit_sem_backend(sem), error);
}
