/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-word.h"
#include "sem-image.h"
#include "sem-users.h"
#include "sys.h"

#include <limits.h>

/* How long a lost wake-up may lie: see ipckit_sem_take(). */
#define LOOK_AGAIN_NS 1000000000

int sem_word_map(struct ipckit_sem *sem, const struct stat *st, uint64_t offset)
{
	uint64_t start = offset ? offset & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1) : 0;
	struct sem_image image;
	int r;

	if (offset > (uint64_t)INT64_MAX - sizeof(sem_t) || offset + sizeof(sem_t) > (uint64_t)st->st_size)
		return -EFBIG;
	sem->map_size = offset - start + sizeof(sem_t);
	r = sys_mmap(sem->map_size, PROT_READ | PROT_WRITE, sem->fd, (off_t)start, &sem->map);
	if (r)
		return r;
	sem->word = (sem_t *)((char *)sem->map + (offset - start));
	sem->device = st->st_dev;
	sem->inode = st->st_ino;
	sem->offset = offset;
	return sem_image_read(sem->word, sizeof(sem_t), &image);
}

static int take_one(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	struct ipckit_deadline until;
	int r;

	if (sem_trywait(sem->word) == 0)
		return 0;
	while (errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT) {
		r = ipckit_deadline_left(deadline, NULL);
		if (r)
			return r;
		ipckit_deadline_within(deadline, LOOK_AGAIN_NS, &until);
		if (sem_clockwait(sem->word, CLOCK_MONOTONIC, &until.at) == 0)
			return 0;
	}
	return -errno;
}

static int give(struct ipckit_sem *sem, unsigned count)
{
	unsigned done;
	int r = 0;

	for (done = 0; done < count && !r; done++)
		r = sem_post(sem->word) ? -errno : 0;
	if (!r)
		return 0;
	/* The last post failed: the ones before it are taken back. */
	for (done--; done > 0; done--)
		if (sem_trywait(sem->word))
			break;
	return r;
}

int sem_word_value(struct ipckit_sem *sem, int64_t *out)
{
	int value = 0;

	if (sem_getvalue(sem->word, &value))
		return -errno;
	*out = value;
	return 0;
}

static const struct sem_unit_ops unit = {
	.take_one = take_one,
	.give = give,
	.value = sem_word_value,
};

int sem_word_take(struct ipckit_sem *sem, unsigned count, unsigned flags, const struct ipckit_deadline *deadline)
{
	(void)flags;
	return sem_take_several(sem, count, &unit, deadline);
}

int sem_word_give(struct ipckit_sem *sem, unsigned count, unsigned flags)
{
	int64_t value = 0;
	int r;

	(void)flags;
	if (count == 1)
		return give(sem, 1);
	r = sem_word_value(sem, &value);
	if (r)
		return r;
	if (value > SEM_VALUE_MAX - (int64_t)count)
		return -EOVERFLOW;
	return give(sem, count);
}

int sem_word_give_max(struct ipckit_sem *sem, unsigned count, unsigned max)
{
	return sem_give_below(sem, count, max, &unit);
}

/* libc counts who waits; who was killed meanwhile stays in that count, so a
 * count above 0 is looked into. */
static int waited_for(struct ipckit_sem *sem)
{
	struct sem_image image;
	int r = sem_image_read(sem->word, sizeof(sem_t), &image);

	if (r || image.waiters == 0)
		return r;
	r = sem_users_blocked(sem->device, sem->inode, sem->offset);
	return r > 0 ? -EBUSY : r;
}

int sem_word_set(struct ipckit_sem *sem, int64_t value, bool force)
{
	int r = force ? 0 : waited_for(sem);

	return r ? r : sem_set_by_steps(sem, value, &unit);
}

int sem_word_values(struct ipckit_sem *sem, unsigned *values)
{
	int64_t value = 0;
	int r = sem_word_value(sem, &value);

	if (!r)
		values[0] = (unsigned)value;
	return r;
}

int sem_word_set_values(struct ipckit_sem *sem, const unsigned *values)
{
	return sem_word_set(sem, values[0], false);
}
