/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "sem-backend.h"
#include "sem-look.h"
#include "sys.h"
#include "sysv.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

static struct ipckit_maybe ask(int id, unsigned index, int command)
{
	int n = sys_semctl(id, (int)index, command, (union sys_semun){ .val = 0 });

	return n < 0 ? ipckit_unknown() : ipckit_known(n);
}

/* 0 is none, or one of another PID namespace. */
static struct ipckit_maybe ask_pid(int id, unsigned index, bool zero_is_none)
{
	struct ipckit_maybe pid = ask(id, index, GETPID);

	return pid.known && !pid.value && !zero_is_none ? ipckit_unknown() : pid;
}

static void tell_slots(struct ipckit_sem_info *info, const unsigned short *values, bool all_pids)
{
	bool zero_is_none = all_pids || info->otime.value == 0;
	int id = (int)info->id.value;

	for (unsigned i = 0; i < info->nsems.value; i++) {
		struct ipckit_sem_slot *slot = &info->semaphores[i];

		slot->index = i;
		slot->value = ipckit_known(values[i]);
		slot->ncnt = ask(id, i, GETNCNT);
		slot->zcnt = ask(id, i, GETZCNT);
		slot->pid = ask_pid(id, i, zero_is_none);
	}
	if (info->nsems.value == 1)
		info->value = info->semaphores[0].value;
}

static int get_slots(struct ipckit_sem_info *info, bool all_pids)
{
	size_t n = (size_t)info->nsems.value;
	unsigned short *values = calloc(n, sizeof(*values));
	int r = values ? sys_semctl((int)info->id.value, 0, GETALL,
				    (union sys_semun){ .array = values })
		       : -ENOMEM;

	if (!r) {
		info->semaphores = calloc(n, sizeof(*info->semaphores));
		r = info->semaphores ? 0 : -ENOMEM;
	}
	if (!r)
		tell_slots(info, values, all_pids);
	free(values);
	if (sys_is_denial(r)) {
		gaps_note(&info->gaps, "semaphores", -r);
		return 0;
	}
	return r == -EINVAL || r == -EIDRM ? -ENOENT : r;
}

static void tell_set(const struct proc_sysvsem *set, struct ipckit_sem_info *info)
{
	info->backend = IPCKIT_SEM_SYSV;
	info->key = ipckit_known((uint32_t)set->key);
	info->id = ipckit_known(set->id);
	info->nsems = ipckit_known((int64_t)set->nsems);
	info->mode = ipckit_known(set->mode);
	info->uid = ipckit_known(set->uid);
	info->gid = ipckit_known(set->gid);
	info->cuid = ipckit_known(set->cuid);
	info->cgid = ipckit_known(set->cgid);
	info->otime = ipckit_known(set->otime);
	info->ctime = ipckit_known(set->ctime);
}

/* ---- one ---- */

static int ask_set(int id, struct proc_sysvsem *out)
{
	struct semid_ds ds;
	int r = sys_semctl(id, 0, IPC_STAT, (union sys_semun){ .buf = &ds });

	if (r < 0)
		return r;
	*out = (struct proc_sysvsem){
		.key = ds.sem_perm.__key,
		.id = id,
		.mode = ds.sem_perm.mode & 0777,
		.nsems = ds.sem_nsems,
		.uid = ds.sem_perm.uid,
		.gid = ds.sem_perm.gid,
		.cuid = ds.sem_perm.cuid,
		.cgid = ds.sem_perm.cgid,
		.otime = ds.sem_otime,
		.ctime = ds.sem_ctime,
	};
	return 0;
}

struct wanted {
	int id;
	struct proc_sysvsem *out;
};

static int match_set(const struct proc_sysvsem *set, void *arg)
{
	const struct wanted *wanted = arg;

	if (set->id != wanted->id)
		return 0;
	*wanted->out = *set;
	return 1;
}

/* The table of /proc shows what IPC_STAT refuses. */
static int find_set(int id, struct proc_sysvsem *out)
{
	struct wanted wanted = { .id = id, .out = out };
	int root;
	int r = proc_open("/proc", &root);

	if (r)
		return sys_lacks_resources(r) ? r : -EACCES;
	r = proc_sysvsem_walk(root, match_set, NULL, &wanted);
	close(root);
	if (r == 1)
		return 0;
	return sys_lacks_resources(r) ? r : r ? -EACCES : -ENOENT;
}

int sem_look_at_set(const struct ipckit_name *name, struct ipckit_sem_info *info)
{
	struct proc_sysvsem set;
	struct semid_ds ds;
	int id;
	int r = sem_sysv_find(name, &id);

	if (!r)
		r = sem_sysv_await_ready(id, &ds);
	if (r)
		return r;
	r = ask_set(id, &set);
	if (r == -EACCES)
		r = find_set(id, &set);
	if (r)
		return r == -EINVAL || r == -EIDRM ? -ENOENT : r;
	tell_set(&set, info);
	if (name->index >= set.nsems)
		return -ERANGE;
	r = get_slots(info, proc_sees_all_pids());
	if (!r && name->has_index && info->semaphores)
		info->value = info->semaphores[name->index].value;
	return r;
}

/* ---- all ---- */

struct listing {
	struct ipckit_sem_list *list;
	bool all_pids;
};

static int list_set(const struct proc_sysvsem *set, void *arg)
{
	const struct listing *listing = arg;
	struct ipckit_sem_info info = { 0 };
	int r;

	tell_set(set, &info);
	r = get_slots(&info, listing->all_pids);
	/* Removed meanwhile. */
	if (r == -ENOENT)
		return 0;
	if (!r) {
		info.name = sysv_name(set->id);
		r = info.name ? 0 : -ENOMEM;
	}
	if (!r)
		r = sem_list_add(listing->list, &info);
	if (r)
		ipckit_sem_info_free(&info);
	return r;
}

int sem_list_sets(struct ipckit_sem_list *list)
{
	struct listing listing = { .list = list, .all_pids = proc_sees_all_pids() };
	int root;
	int r = proc_open("/proc", &root);

	if (!r) {
		r = proc_sysvsem_walk(root, list_set, NULL, &listing);
		close(root);
	}
	if (r && !sys_lacks_resources(r)) {
		list->sysv_error = -r;
		return 0;
	}
	return r;
}
