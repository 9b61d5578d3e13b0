/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys.h"

#include <ipckit/fence.h>

#define WIDTH (sizeof(uint32_t) / 2) /* of each kind */

/* The kernel does not wake who waits with a deadline: it is looked for, less and less often. */
#define LOOK_FIRST_NS 1000000
#define LOOK_LAST_NS 20000000

static int change(int fd, uint64_t offset, enum ipckit_fence whose, short type)
{
	if (offset > INT64_MAX - 2 * WIDTH)
		return -EINVAL;
	return sys_lock(fd, F_OFD_SETLK, type, (off_t)(offset + whose * WIDTH), WIDTH);
}

/* 1: there is one, 0: there is none. */
static int is_there(int fd, uint64_t offset, enum ipckit_fence whose)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(offset + whose * WIDTH),
		.l_len = WIDTH,
	};

	if (offset > INT64_MAX - 2 * WIDTH)
		return -EINVAL;
	return sys_result(fcntl(fd, F_OFD_GETLK, &lock)) ?: lock.l_type != F_UNLCK;
}

static int look_later(const struct ipckit_deadline *deadline, int64_t *ns)
{
	int r = ipckit_deadline_sleep(deadline, *ns);

	*ns = 2 * *ns < LOOK_LAST_NS ? 2 * *ns : LOOK_LAST_NS;
	return r;
}

int ipckit_fence_set(int fd, uint64_t offset, enum ipckit_fence whose, const struct ipckit_deadline *deadline)
{
	int64_t later = LOOK_FIRST_NS;
	int r;

	while ((r = change(fd, offset, whose, F_RDLCK)) == -EAGAIN || r == -EACCES) {
		r = look_later(deadline, &later);
		if (r)
			break;
	}
	return r;
}

void ipckit_fence_clear(int fd, uint64_t offset, enum ipckit_fence whose)
{
	(void)change(fd, offset, whose, F_UNLCK);
}

int ipckit_fence_await(int fd, uint64_t offset, enum ipckit_fence whose, const struct ipckit_deadline *deadline)
{
	int64_t later = LOOK_FIRST_NS;
	int r;

	while ((r = is_there(fd, offset, whose)) > 0) {
		r = look_later(deadline, &later);
		if (r)
			break;
	}
	return r;
}

int ipckit_fence_forbid(int fd, uint64_t offset, enum ipckit_fence whose)
{
	int r = change(fd, offset, whose, F_WRLCK);

	return r == -EACCES ? -EAGAIN : r;
}
