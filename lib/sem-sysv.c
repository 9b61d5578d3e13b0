/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "sem-backend.h"
#include "sys.h"
#include "sysv.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 500 /* SEMOPM as it is by default */
#define READY_LOOK_NS 1000000
#define READY_AFTER_S 1

/* On a set that was there when it was opened, both mean the same. */
static int gone(int r)
{
	return r == -EINVAL ? -EIDRM : r;
}

static bool has_no_wait(const struct sembuf *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].sem_flg & IPC_NOWAIT)
			return true;
	return false;
}

/* Until the deadline, through signals. */
static int operate(const struct ipckit_sem *sem, struct sembuf *ops, size_t n,
		   const struct ipckit_deadline *deadline)
{
	bool timed = deadline->kind == IPCKIT_DEADLINE_AT && !has_no_wait(ops, n);
	struct timespec left;
	int r;

	if (deadline->kind == IPCKIT_DEADLINE_TRY) {
		for (size_t i = 0; i < n; i++)
			ops[i].sem_flg |= IPC_NOWAIT;
		return gone(sys_semtimedop(sem->id, ops, n, NULL));
	}
	do {
		r = ipckit_deadline_left(deadline, &left);
		if (r)
			return r;
		r = sys_semtimedop(sem->id, ops, n, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left);
	} while (r == -EINTR || (r == -EAGAIN && timed));
	return gone(r);
}

static int operate_now(const struct ipckit_sem *sem, struct sembuf *ops, size_t n)
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };

	return operate(sem, ops, n, &now);
}

static struct sembuf step(const struct ipckit_sem *sem, int delta, unsigned flags)
{
	return (struct sembuf){
		.sem_num = (unsigned short)sem->index,
		.sem_op = (short)delta,
		.sem_flg = flags & IPCKIT_SEM_UNDO ? SEM_UNDO : 0,
	};
}

/* ---- opening ---- */

static int get_existing(key_t key)
{
	return sys_result(semget(key, 0, 0));
}

int sem_sysv_find(const struct ipckit_name *name, int *id)
{
	return sysv_find(name, get_existing, id);
}

struct wanted {
	int id;
	bool found;
	struct proc_sysvsem set;
};

static int match(const struct proc_sysvsem *set, void *arg)
{
	struct wanted *wanted = arg;

	if (set->id != wanted->id)
		return 0;
	wanted->set = *set;
	wanted->found = true;
	return 1;
}

/* What everybody may know of a set, for those who may not read it. */
static int stat_public(int id, struct semid_ds *ds)
{
	struct wanted wanted = { .id = id };
	unsigned skipped = 0;
	int root;
	int r = proc_open("/proc", &root);

	if (r)
		return r;
	r = proc_sysvsem_walk(root, match, &skipped, &wanted);
	close(root);
	if (r < 0)
		return r;
	if (!wanted.found)
		return -ENOENT;
	memset(ds, 0, sizeof(*ds));
	ds->sem_perm.mode = (unsigned short)wanted.set.mode;
	ds->sem_perm.uid = wanted.set.uid;
	ds->sem_perm.gid = wanted.set.gid;
	ds->sem_nsems = wanted.set.nsems;
	ds->sem_otime = wanted.set.otime;
	ds->sem_ctime = wanted.set.ctime;
	return 0;
}

static int stat_set(int id, struct semid_ds *ds)
{
	int r = sys_semctl(id, 0, IPC_STAT, (union sys_semun){ .buf = ds });

	if (r == -EINVAL || r == -EIDRM)
		return -ENOENT;
	return r == -EACCES ? stat_public(id, ds) : r;
}

/* Whether its creator has given it its first values; see ipckit_sem_create(). */
static bool is_ready(int id, const struct semid_ds *ds)
{
	if (ds->sem_otime || time(NULL) - ds->sem_ctime > READY_AFTER_S)
		return true;
	for (unsigned i = 0; i < ds->sem_nsems; i++)
		if (sys_semctl(id, (int)i, GETPID, (union sys_semun){ .val = 0 }) != 0)
			return true;
	return false;
}

int sem_sysv_await_ready(int id, struct semid_ds *ds)
{
	const struct ipckit_deadline forever = { .kind = IPCKIT_DEADLINE_NONE };
	int r;

	while (!(r = stat_set(id, ds)) && !is_ready(id, ds)) {
		r = ipckit_deadline_sleep(&forever, READY_LOOK_NS);
		if (r)
			return r;
	}
	return r;
}

static void adopt(struct ipckit_sem *sem, int id, unsigned nsems, unsigned index)
{
	sem->id = id;
	sem->nsems = nsems;
	sem->index = index;
	sem->inode = (uint64_t)id;
	sem->offset = index;
}

static int sysv_open(const struct ipckit_name *name, struct ipckit_sem *sem)
{
	struct semid_ds ds;
	int id;
	int r = sem_sysv_find(name, &id);

	if (!r)
		r = sem_sysv_await_ready(id, &ds);
	if (r)
		return r;
	if (name->index >= ds.sem_nsems)
		return -ERANGE;
	adopt(sem, id, (unsigned)ds.sem_nsems, name->index);
	return 0;
}

/* ---- creation ---- */

/* All in one vector of operations: values, otime and last pids appear in one step. */
static int initialise_at_once(const struct ipckit_sem *sem, const unsigned *values)
{
	struct sembuf ops[AT_ONCE];

	for (unsigned i = 0; i < sem->nsems; i++)
		ops[i] = (struct sembuf){
			.sem_num = (unsigned short)i,
			.sem_op = (short)(values ? values[i] : 0),
		};
	return operate_now(sem, ops, sem->nsems);
}

/* More than one vector takes: all but a last step, whose otime tells that it is ready. */
static int initialise_in_steps(struct ipckit_sem *sem, const unsigned *values)
{
	struct sembuf last = { .sem_num = 0, .sem_op = values && values[0] > 0 };
	unsigned *most = calloc(sem->nsems, sizeof(*most));
	int r;

	if (!most)
		return -ENOMEM;
	if (values)
		memcpy(most, values, sem->nsems * sizeof(*most));
	most[0] -= (unsigned)last.sem_op;
	r = ipckit_sem_set_values(sem, most);
	free(most);
	return r ? r : operate_now(sem, &last, 1);
}

/* A fresh set holds zeros, and has neither otime nor last pids. */
static int initialise(struct ipckit_sem *sem, const unsigned *values)
{
	int r = sem->nsems <= AT_ONCE ? initialise_at_once(sem, values) : -E2BIG;

	return r == -E2BIG ? initialise_in_steps(sem, values) : r;
}

static int make_set(key_t key, const struct ipckit_sem_spec *spec, struct ipckit_sem *sem)
{
	int id = sys_result(semget(key, (int)spec->count, IPC_CREAT | IPC_EXCL | (int)spec->mode));
	int r;

	if (id < 0)
		return id;
	adopt(sem, id, spec->count, 0);
	r = initialise(sem, spec->values);
	if (r)
		(void)sys_semctl(id, 0, IPC_RMID, (union sys_semun){ .val = 0 });
	return r;
}

static int check_spec(const struct ipckit_sem_spec *spec)
{
	if (spec->count == 0)
		return -EINVAL;
	for (unsigned i = 0; spec->values && i < spec->count; i++)
		if (spec->values[i] > SEM_SYSV_MAX)
			return -ERANGE;
	return 0;
}

static int sysv_create(const struct ipckit_name *name, const struct ipckit_sem_spec *spec, bool *created,
		       struct ipckit_sem *sem)
{
	key_t key;
	int r = check_spec(spec);

	if (!r)
		r = ipckit_name_key(name, &key);
	if (r)
		return r;
	/* Between the look and the creation it may come or go. */
	for (;;) {
		r = spec->exclusive || key == IPC_PRIVATE ? -ENOENT : sysv_open(name, sem);
		if (r != -ENOENT) {
			*created = false;
			return r ? r : sem->nsems < spec->count ? -EINVAL : 0;
		}
		r = make_set(key, spec, sem);
		if (r != -EEXIST || spec->exclusive)
			break;
	}
	*created = r == 0;
	return r;
}

/* ---- operations ---- */

static int sysv_take(struct ipckit_sem *sem, unsigned count, unsigned flags, const struct ipckit_deadline *deadline)
{
	struct sembuf op = step(sem, -(int)count, flags);

	return operate(sem, &op, 1, deadline);
}

int ipckit_sem_take_set(struct ipckit_sem *const *sems, unsigned n, unsigned count, unsigned flags,
			const struct ipckit_deadline *deadline)
{
	struct sembuf ops[AT_ONCE];

	if (n == 0 || count == 0 || count > SEM_SYSV_MAX)
		return -EINVAL;
	if (n > AT_ONCE)
		return -E2BIG;
	for (unsigned i = 0; i < n; i++) {
		if (sems[i]->backend != IPCKIT_SEM_SYSV || sems[i]->id != sems[0]->id)
			return -EINVAL;
		ops[i] = step(sems[i], -(int)count, flags);
	}
	return operate(sems[0], ops, n, deadline);
}

static int overflow(int r)
{
	return r == -ERANGE ? -EOVERFLOW : r;
}

static int sysv_give(struct ipckit_sem *sem, unsigned count, unsigned flags)
{
	struct sembuf op = step(sem, (int)count, flags);

	return overflow(operate_now(sem, &op, 1));
}

static int sysv_value(struct ipckit_sem *sem, int64_t *out)
{
	int r = sys_semctl(sem->id, (int)sem->index, GETVAL, (union sys_semun){ .val = 0 });

	if (r < 0)
		return gone(r);
	*out = r;
	return 0;
}

/* From one value to another in one step; -EAGAIN where it is not the first one any more. */
static int exchange(struct ipckit_sem *sem, int64_t from, int64_t to)
{
	struct sembuf ops[3];
	size_t n = 0;

	if (from > 0)
		ops[n++] = step(sem, -(int)from, 0);
	ops[n++] = step(sem, 0, 0);
	if (to > 0)
		ops[n++] = step(sem, (int)to, 0);
	return operate_now(sem, ops, n);
}

static int sysv_give_max(struct ipckit_sem *sem, unsigned count, unsigned max)
{
	int64_t value;
	int r;

	do {
		r = sysv_value(sem, &value);
		if (r)
			return r;
		if (value + count > max)
			return -ERANGE;
		if (value + count > SEM_SYSV_MAX)
			return -EOVERFLOW;
		r = exchange(sem, value, value + count);
	} while (r == -EAGAIN);
	return r;
}

static int sysv_set(struct ipckit_sem *sem, int64_t value, bool force)
{
	int64_t is;
	int r;

	if (force)
		return gone(sys_semctl(sem->id, (int)sem->index, SETVAL, (union sys_semun){ .val = (int)value }));
	do {
		r = sysv_value(sem, &is);
		if (!r)
			r = exchange(sem, is, value);
	} while (r == -EAGAIN);
	return r;
}

static int sysv_wait_zero(struct ipckit_sem *sem, const struct ipckit_deadline *deadline)
{
	struct sembuf op = step(sem, 0, 0);

	return operate(sem, &op, 1, deadline);
}

static int sysv_operate(struct ipckit_sem *sem, const struct ipckit_sem_op *ops, size_t n,
			const struct ipckit_deadline *deadline)
{
	struct sembuf *vector = calloc(n, sizeof(*vector));
	int r;

	if (!vector)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		vector[i] = (struct sembuf){
			.sem_num = (unsigned short)ops[i].index,
			.sem_op = (short)ops[i].delta,
			.sem_flg = (short)((ops[i].undo ? SEM_UNDO : 0) | (ops[i].no_wait ? IPC_NOWAIT : 0)),
		};
	r = operate(sem, vector, n, deadline);
	free(vector);
	return r;
}

/* ---- all values ---- */

static int sysv_values(struct ipckit_sem *sem, unsigned *values)
{
	unsigned short *array = calloc(sem->nsems, sizeof(*array));
	int r;

	if (!array)
		return -ENOMEM;
	r = gone(sys_semctl(sem->id, 0, GETALL, (union sys_semun){ .array = array }));
	for (unsigned i = 0; !r && i < sem->nsems; i++)
		values[i] = array[i];
	free(array);
	return r;
}

static int sysv_set_values(struct ipckit_sem *sem, const unsigned *values)
{
	unsigned short *array = calloc(sem->nsems, sizeof(*array));
	int r;

	if (!array)
		return -ENOMEM;
	for (unsigned i = 0; i < sem->nsems; i++)
		array[i] = (unsigned short)values[i];
	r = gone(sys_semctl(sem->id, 0, SETALL, (union sys_semun){ .array = array }));
	free(array);
	return r;
}

/* ---- the object ---- */

static int change(const struct ipckit_name *name, const unsigned *mode, uid_t uid, gid_t gid)
{
	struct semid_ds ds;
	int id;
	int r = sem_sysv_find(name, &id);

	if (!r)
		r = stat_set(id, &ds);
	if (r)
		return r;
	if (mode)
		ds.sem_perm.mode = (unsigned short)*mode;
	if (uid != (uid_t)-1)
		ds.sem_perm.uid = uid;
	if (gid != (gid_t)-1)
		ds.sem_perm.gid = gid;
	r = sys_semctl(id, 0, IPC_SET, (union sys_semun){ .buf = &ds });
	/* Of a set that is still there it is the owner, whom this user namespace does not know. */
	return r == -EINVAL && stat_set(id, &ds) == -ENOENT ? -ENOENT : r;
}

static int sysv_chmod(const struct ipckit_name *name, unsigned mode)
{
	return change(name, &mode, (uid_t)-1, (gid_t)-1);
}

static int sysv_chown(const struct ipckit_name *name, uid_t uid, gid_t gid)
{
	return change(name, NULL, uid, gid);
}

static int sysv_remove(const struct ipckit_name *name)
{
	int id;
	int r = sem_sysv_find(name, &id);

	if (!r)
		r = sys_semctl(id, 0, IPC_RMID, (union sys_semun){ .val = 0 });
	return r == -EINVAL || r == -EIDRM ? -ENOENT : r;
}

const struct sem_ops sem_sysv_ops = {
	.open = sysv_open,
	.create = sysv_create,
	.take = sysv_take,
	.give = sysv_give,
	.give_max = sysv_give_max,
	.wait_zero = sysv_wait_zero,
	.operate = sysv_operate,
	.value = sysv_value,
	.set = sysv_set,
	.values = sysv_values,
	.set_values = sysv_set_values,
	.chmod = sysv_chmod,
	.chown = sysv_chown,
	.remove = sysv_remove,
	.value_max = SEM_SYSV_MAX,
};
