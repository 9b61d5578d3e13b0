/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "shm-look.h"
#include "sys.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

static struct ipckit_maybe later(struct ipckit_maybe a, struct ipckit_maybe b)
{
	if (!a.known || !b.known)
		return ipckit_unknown();
	return a.value > b.value ? a : b;
}

struct ipckit_maybe shm_last_use(const struct ipckit_shm_info *info)
{
	if (info->backend == IPCKIT_SHM_SYSV)
		return later(info->ctime, later(info->atime, info->dtime));
	return later(info->ctime, later(info->mtime, info->file_atime));
}

/* ---- users ---- */

struct last_pids {
	pid_t list[2];
};

static pid_t pid_of(struct ipckit_maybe pid)
{
	return pid.known ? (pid_t)pid.value : 0;
}

static void watch(struct ipckit_shm_info *info, const struct shm_devices *devices, struct last_pids *pids,
		  struct watched *out)
{
	*out = (struct watched){ .usage = &info->usage, .gaps = &info->gaps };
	if (info->backend == IPCKIT_SHM_POSIX) {
		out->kind = WATCHED_FILE;
		out->device = info->device;
		out->inode = info->inode;
		return;
	}
	pids->list[0] = pid_of(info->cpid);
	pids->list[1] = pid_of(info->lpid);
	out->kind = WATCHED_SEGMENT;
	out->id = info->id.value;
	out->devices = devices;
	out->nattch = info->nattch;
	out->last_pids = pids->list;
	out->nlast_pids = pids->list[1] == pids->list[0] ? 1 : 2;
	out->last_use = shm_last_use(info);
}

/* What it is to look around at objects. */
struct around {
	struct ipckit_shm_info *infos;
	size_t count;
	struct shm_pages pages;
	struct watched *watched; /* one for each, or NULL */
};

static int look_for_users(struct around *around)
{
	struct last_pids *pids = calloc(around->count, sizeof(*pids));
	int r = -ENOMEM;

	around->watched = calloc(around->count, sizeof(*around->watched));
	if (pids && around->watched) {
		for (size_t i = 0; i < around->count; i++)
			watch(&around->infos[i], &around->pages.devices, &pids[i], &around->watched[i]);
		r = users_look(around->watched, around->count);
	}
	free(pids);
	return r;
}

static bool has_sysv(const struct around *around)
{
	/* They come last. */
	return around->count && around->infos[around->count - 1].backend == IPCKIT_SHM_SYSV;
}

static int read_pages(struct shm_pages *out)
{
	int root;
	int r = proc_open("/proc", &root);

	if (sys_lacks_resources(r))
		return r;
	if (r)
		root = -1;
	r = shm_pages_read(root, out);
	if (root >= 0)
		close(root);
	return r;
}

/* In which file systems segments lie is not known: so is who has them mapped. */
static void doubt_users(struct ipckit_shm_info *info)
{
	if (!info->nattch.known || info->nattch.value)
		gaps_note(&info->gaps, "users", EOPNOTSUPP);
}

static void tell_pages(struct around *around, unsigned what)
{
	for (size_t i = 0; i < around->count; i++) {
		if (around->infos[i].backend != IPCKIT_SHM_SYSV)
			continue;
		if (what & IPCKIT_SHM_USERS && !around->pages.devices.count)
			doubt_users(&around->infos[i]);
		shm_tell_huge(&around->pages, around->watched ? around->watched[i].page_size : 0,
			      &around->infos[i]);
	}
}

static int look_around(unsigned what, struct ipckit_shm_info *infos, size_t count)
{
	struct around around = { .infos = infos, .count = count };
	int r = has_sysv(&around) ? read_pages(&around.pages) : 0;

	if (!r && what & IPCKIT_SHM_USERS && count)
		r = look_for_users(&around);
	if (!r)
		tell_pages(&around, what);
	for (size_t i = 0; !r && what & IPCKIT_SHM_IN_USE && i < count; i++)
		if (infos[i].backend == IPCKIT_SHM_POSIX && !infos[i].usage.users.count)
			shm_ask_in_use(&infos[i]);
	free(around.watched);
	return r;
}

/* ---- one ---- */

static int name_it(const struct ipckit_name *name, struct ipckit_shm_info *info)
{
	if (info->backend == IPCKIT_SHM_SYSV)
		return shm_name_sysv(info);
	info->name = strdup(name->text);
	return info->name ? 0 : -ENOMEM;
}

static int look_at(const struct ipckit_name *name, unsigned what, struct ipckit_shm_info *info)
{
	switch (name->kind) {
	case IPCKIT_NAME_POSIX:
		return shm_look_at_posix(name, info);
	case IPCKIT_NAME_KEY:
	case IPCKIT_NAME_ID:
	case IPCKIT_NAME_FTOK:
		return shm_look_at_sysv(name, what, info);
	default:
		return -EOPNOTSUPP;
	}
}

int ipckit_shm_stat(const struct ipckit_name *name, unsigned what, struct ipckit_shm_info *out)
{
	struct ipckit_shm_info info = { 0 };
	int r = look_at(name, what, &info);

	if (!r)
		r = name_it(name, &info);
	if (!r && what)
		r = look_around(what, &info, 1);
	if (r) {
		ipckit_shm_info_free(&info);
		return r;
	}
	*out = info;
	return 0;
}

void ipckit_shm_info_free(struct ipckit_shm_info *info)
{
	usage_clear(&info->usage);
	free(info->name);
	memset(info, 0, sizeof(*info));
}

/* ---- all ---- */

int shm_list_add(struct ipckit_shm_list *list, const struct ipckit_shm_info *info)
{
	struct ipckit_shm_info *larger = array_room(list->list, list->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	list->list = larger;
	list->list[list->count++] = *info;
	return 0;
}

int ipckit_shm_list(unsigned what, struct ipckit_shm_list *out)
{
	struct ipckit_shm_list list = { 0 };
	int r = shm_list_posix(&list);

	if (!r)
		r = shm_list_sysv(&list);
	if (!r)
		r = look_around(what, list.list, list.count);
	if (r) {
		ipckit_shm_list_free(&list);
		return r;
	}
	*out = list;
	return 0;
}

void ipckit_shm_list_free(struct ipckit_shm_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		ipckit_shm_info_free(&list->list[i]);
	free(list->list);
	memset(list, 0, sizeof(*list));
}
