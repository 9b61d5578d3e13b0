/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "sem-backend.h"
#include "sys.h"

/* The counter stops before 2^64-1. */
#define COUNTER_MAX (UINT64_MAX - 1)

static int field(int fd, const char *name, int base, uint64_t *out)
{
	int self;
	int r = proc_open("/proc/self", &self);

	if (r)
		return r;
	r = proc_fdinfo_field(self, fd, name, base, out);
	close(self);
	return r;
}

static int counter(int fd, uint64_t *out)
{
	return field(fd, "eventfd-count:", 16, out);
}

/* Kernels before 6.5 do not tell the mode: there the caller's word is taken. */
static int check_mode(int fd)
{
	uint64_t count, mode;
	int r = counter(fd, &count);

	if (r)
		return r == -ENOENT ? -EBADMSG : r;
	r = field(fd, "eventfd-semaphore:", 10, &mode);
	if (r)
		return r == -ENOENT ? 0 : r;
	return mode ? 0 : -EBADMSG;
}

static int fetch(const struct ipckit_name *name)
{
	int fd, r;

	if (name->pid == 0)
		return sys_dup(name->fd);
	r = ipckit_process_fd(name->pid, name->fd, &fd);
	return r ?: fd;
}

static int eventfd_open(const struct ipckit_name *name, struct ipckit_sem *sem)
{
	int fd = fetch(name);
	int r;

	if (fd < 0)
		return fd == -EBADF || fd == -ESRCH ? -ENOENT : fd;
	sem->fd = fd;
	r = check_mode(fd);
	return r ? r : field(fd, "eventfd-id:", 10, &sem->inode);
}

static int take_one(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	struct timespec left;
	uint64_t one;
	ssize_t n;
	int r;

	while ((n = sys_read_now(sem->fd, &one, sizeof(one))) == -EAGAIN || n == -EINTR) {
		r = ipckit_deadline_left(deadline, &left);
		if (r)
			return r;
		r = sys_poll(sem->fd, POLLIN, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return n < 0 ? (int)n : 0;
}

/* The write would block, or with O_NONBLOCK fail, where the sum does not fit. */
static int give(struct ipckit_sem *sem, unsigned count)
{
	uint64_t value, more = count;
	ssize_t n;
	int r = counter(sem->fd, &value);

	if (r)
		return r;
	if (value > COUNTER_MAX - count)
		return -EOVERFLOW;
	n = sys_result(write(sem->fd, &more, sizeof(more)));
	if (n == -EAGAIN)
		return -EOVERFLOW;
	return n < 0 ? (int)n : 0;
}

static int eventfd_value(struct ipckit_sem *sem, int64_t *out)
{
	uint64_t value;
	int r = counter(sem->fd, &value);

	if (!r)
		*out = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	return r;
}

static const struct sem_unit_ops unit = {
	.take_one = take_one,
	.give = give,
	.value = eventfd_value,
};

static int eventfd_take(struct ipckit_sem *sem, unsigned count, unsigned flags,
			const struct ipckit_deadline *deadline)
{
	(void)flags;
	return sem_take_several(sem, count, &unit, deadline);
}

static int eventfd_give(struct ipckit_sem *sem, unsigned count, unsigned flags)
{
	(void)flags;
	return give(sem, count);
}

static int eventfd_give_max(struct ipckit_sem *sem, unsigned count, unsigned max)
{
	return sem_give_below(sem, count, max, &unit);
}

/* Upwards in one write; downwards one by one. Who waits in poll(2) cannot be told
 * from who only watches, so nobody is looked for. */
static int eventfd_set(struct ipckit_sem *sem, int64_t value, bool force)
{
	(void)force;
	return sem_set_by_steps(sem, value, &unit);
}

static int eventfd_values(struct ipckit_sem *sem, unsigned *values)
{
	int64_t value;
	int r = eventfd_value(sem, &value);

	if (!r)
		values[0] = value > UINT32_MAX ? UINT32_MAX : (unsigned)value;
	return r;
}

const struct sem_ops sem_eventfd_ops = {
	.open = eventfd_open,
	.take = eventfd_take,
	.give = eventfd_give,
	.give_max = eventfd_give_max,
	.value = eventfd_value,
	.set = eventfd_set,
	.values = eventfd_values,
	.value_max = INT64_MAX,
};
