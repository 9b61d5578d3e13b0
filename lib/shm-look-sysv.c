/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "shm-backend.h"
#include "shm-look.h"
#include "sys.h"
#include "sysv.h"
#include "users.h"

#include <stdlib.h>
#include <sys/shm.h>

/* ---- what the kernel tells ---- */

/* The creator has a pid, and so has who attached or detached it last: 0 is one of another PID namespace. */
static struct ipckit_maybe pid_of(pid_t pid)
{
	return pid > 0 ? ipckit_known(pid) : ipckit_unknown();
}

static void tell_segment(const struct proc_sysvshm *segment, struct ipckit_shm_info *info)
{
	bool used = segment->atime || segment->dtime;

	info->backend = IPCKIT_SHM_SYSV;
	info->key = ipckit_known((uint32_t)segment->key);
	info->id = ipckit_known(segment->id);
	info->size = ipckit_known((int64_t)segment->size);
	info->nattch = ipckit_known((int64_t)segment->nattch);
	info->cpid = pid_of(segment->cpid);
	info->lpid = used ? pid_of(segment->lpid) : ipckit_known(segment->lpid);
	info->atime = ipckit_known(segment->atime);
	info->dtime = ipckit_known(segment->dtime);
	info->ctime = ipckit_known(segment->ctime);
	info->dest = ipckit_known(segment->dest);
	info->locked = ipckit_known(segment->locked);
	info->mode = ipckit_known(segment->mode);
	info->uid = ipckit_known(segment->uid);
	info->gid = ipckit_known(segment->gid);
	info->cuid = ipckit_known(segment->cuid);
	info->cgid = ipckit_known(segment->cgid);
}

static void tell_memory(const struct proc_sysvshm *segment, struct ipckit_shm_info *info)
{
	info->rss = ipckit_known((int64_t)segment->rss);
	info->swap = ipckit_known((int64_t)segment->swap);
}

static void tell_status(int id, const struct shmid_ds *ds, struct ipckit_shm_info *info)
{
	const struct proc_sysvshm segment = {
		.key = ds->shm_perm.__key,
		.id = id,
		.mode = ds->shm_perm.mode & 0777,
		.dest = ds->shm_perm.mode & SHM_DEST,
		.locked = ds->shm_perm.mode & SHM_LOCKED,
		.size = ds->shm_segsz,
		.nattch = ds->shm_nattch,
		.cpid = ds->shm_cpid,
		.lpid = ds->shm_lpid,
		.uid = ds->shm_perm.uid,
		.cuid = ds->shm_perm.cuid,
		.gid = ds->shm_perm.gid,
		.cgid = ds->shm_perm.cgid,
		.atime = ds->shm_atime,
		.dtime = ds->shm_dtime,
		.ctime = ds->shm_ctime,
	};

	tell_segment(&segment, info);
}

int shm_name_sysv(struct ipckit_shm_info *info)
{
	info->name = sysv_name(info->id.value);
	return info->name ? 0 : -ENOMEM;
}

/* ---- one ---- */

struct wanted {
	int id;
	struct proc_sysvshm *out;
};

static int match_segment(const struct proc_sysvshm *segment, void *arg)
{
	const struct wanted *wanted = arg;

	if (segment->id != wanted->id)
		return 0;
	*wanted->out = *segment;
	return 1;
}

/* The table of /proc has what shmctl(2) does not tell, and all of it on kernels before 4.17 for
 * everybody. 1: the segment is there; -ENODEV: the table is not. */
static int find_segment(int id, struct proc_sysvshm *out)
{
	struct wanted wanted = { .id = id, .out = out };
	int root;
	int r = proc_open("/proc", &root);

	if (!r) {
		r = proc_sysvshm_walk(root, match_segment, NULL, &wanted);
		close(root);
	}
	return r == -ENOENT ? -ENODEV : r;
}

/* What shmctl(2) tells: all but what is in memory. */
static int look_at_status(int id, struct ipckit_shm_info *info)
{
	struct shmid_ds ds;
	int r = shm_sysv_stat(id, &ds);

	if (!r)
		tell_status(id, &ds, info);
	return r;
}

/* One moment for all of it: the number of mappings is compared with those that are found. */
static int look_at_table(int id, struct ipckit_shm_info *info)
{
	struct proc_sysvshm segment;
	int r = find_segment(id, &segment);

	if (r <= 0)
		return r ?: -ENOENT;
	tell_segment(&segment, info);
	tell_memory(&segment, info);
	return 0;
}

static int look_without_table(int id, int error, struct ipckit_shm_info *info)
{
	int r = look_at_status(id, info);

	if (r)
		return r;
	gaps_note(&info->gaps, "rss", error);
	gaps_note(&info->gaps, "swap", error);
	return 0;
}

int shm_look_at_sysv(const struct ipckit_name *name, bool whole, struct ipckit_shm_info *info)
{
	int id;
	int r = shm_sysv_find(name, &id);

	if (r)
		return r;
	if (!whole) {
		r = look_at_status(id, info);
		/* Before Linux 4.17. */
		return sys_is_denial(r) ? look_at_table(id, info) : r;
	}
	r = look_at_table(id, info);
	return !r || r == -ENOENT || sys_lacks_resources(r) ? r : look_without_table(id, -r, info);
}

/* ---- all ---- */

static int list_segment(const struct proc_sysvshm *segment, void *arg)
{
	struct ipckit_shm_info info = { 0 };
	int r;

	tell_segment(segment, &info);
	tell_memory(segment, &info);
	r = shm_name_sysv(&info);
	if (!r)
		r = shm_list_add(arg, &info);
	if (r)
		free(info.name);
	return r;
}

int shm_list_sysv(struct ipckit_shm_list *list)
{
	int root;
	int r = proc_open("/proc", &root);

	if (!r) {
		r = proc_sysvshm_walk(root, list_segment, NULL, list);
		close(root);
	}
	if (r && !sys_lacks_resources(r)) {
		list->sysv_error = -r;
		return 0;
	}
	return r;
}
