/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "shm-look.h"
#include "sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* What is looked for in the processes that are known to have it, one after the other. */
struct search {
	const struct ipckit_shm_info *info;
	struct shm_devices devices;
	int root;
	const struct ipckit_process *process;
	struct ipckit_shm_users *found;
};

/* user: what is particular; pid, uid and command are filled in. */
static int add_user(const struct search *search, const struct ipckit_shm_user *user)
{
	struct ipckit_shm_users *found = search->found;
	struct ipckit_shm_user *larger = array_room(found->list, found->count, sizeof(*larger));
	const struct ipckit_process *process = search->process;

	if (!larger)
		return -ENOMEM;
	found->list = larger;
	larger += found->count;
	*larger = *user;
	larger->pid = process->pid;
	larger->uid = process->uid;
	larger->evidence = process->evidence;
	larger->command = process->command ? strdup(process->command) : NULL;
	if (process->command && !larger->command)
		return -ENOMEM;
	found->count++;
	return 0;
}

static bool is_mapping(const struct search *search, const struct proc_map *map)
{
	const struct ipckit_shm_info *info = search->info;

	if (info->backend == IPCKIT_SHM_SYSV)
		return (uint64_t)info->id.value == map->inode && shm_device_of(&search->devices, map);
	return map->inode == info->inode && makedev(map->major, map->minor) == info->device;
}

static struct ipckit_maybe number(uint64_t n)
{
	return n <= INT64_MAX ? ipckit_known((int64_t)n) : ipckit_unknown();
}

static void tell_mapping(const struct proc_map *map, struct ipckit_shm_user *user)
{
	user->start = number(map->start);
	user->end = number(map->end);
	user->offset = number(map->offset);
	snprintf(user->access, sizeof(user->access), "%c%c%c%c", map->readable ? 'r' : '-',
		 map->writable ? 'w' : '-', map->executable ? 'x' : '-', map->shared ? 's' : 'p');
}

static int visit_map(const struct proc_map *map, void *arg)
{
	struct ipckit_shm_user user = { 0 };

	if (!is_mapping(arg, map))
		return 0;
	tell_mapping(map, &user);
	return add_user(arg, &user);
}

static int visit_smap(const struct proc_smap *smap, void *arg)
{
	struct ipckit_shm_user user = {
		.rss = smap->rss,
		.pss = smap->pss,
		.swap = smap->swap,
		.page_size = smap->page_size,
	};

	if (!is_mapping(arg, &smap->map))
		return 0;
	tell_mapping(&smap->map, &user);
	/* Huge pages count apart, and nobody divides them. */
	if (smap->huge.known && smap->huge.value) {
		user.rss = smap->huge;
		user.pss = ipckit_unknown();
	}
	return add_user(arg, &user);
}

static int find_mappings(struct search *search)
{
	char name[16];
	int dir, r;

	snprintf(name, sizeof(name), "%d", (int)search->process->pid);
	dir = sys_openat(search->root, name, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	r = proc_smaps_walk(dir, visit_smap, NULL, search);
	if (r == -ENOENT)
		r = proc_maps_walk(dir, visit_map, NULL, search);
	close(dir);
	return r;
}

/* A process that has ended or changed its mind meanwhile is no user. */
static int find_uses(struct search *search)
{
	const struct ipckit_shm_user none = { 0 };
	int r = 0;

	if (search->process->evidence == IPCKIT_SEEN_OPEN)
		r = add_user(search, &none);
	else if (search->process->evidence == IPCKIT_SEEN_MAPPED)
		r = find_mappings(search);
	return sys_own_trouble(r);
}

/* Those whose mappings nobody knows have nothing that could be shown. */
static int check_users(const struct ipckit_shm_info *info)
{
	for (size_t i = 0; i < info->gaps.count; i++)
		if (!strcmp(info->gaps.list[i].key, "users"))
			return -info->gaps.list[i].error;
	return 0;
}

static int search_all(const struct ipckit_shm_info *info, struct ipckit_shm_users *found)
{
	struct search search = { .info = info, .found = found };
	int r = check_users(info);

	if (!r && info->backend == IPCKIT_SHM_SYSV)
		r = shm_devices_find(&search.devices);
	if (!r)
		r = proc_open("/proc", &search.root);
	if (r)
		return r;
	for (size_t i = 0; !r && i < info->usage.users.count; i++) {
		search.process = &info->usage.users.list[i];
		r = find_uses(&search);
	}
	close(search.root);
	return r;
}

int ipckit_shm_find_users(const struct ipckit_name *name, struct ipckit_shm_users *out)
{
	struct ipckit_shm_users found = { 0 };
	struct ipckit_shm_info info;
	int r = ipckit_shm_stat(name, IPCKIT_SHM_USERS, &info);

	if (r)
		return r;
	found.unreadable_processes = info.usage.unreadable_processes;
	found.other_pids = info.usage.other_pids;
	r = search_all(&info, &found);
	ipckit_shm_info_free(&info);
	if (r)
		ipckit_shm_users_free(&found);
	else
		*out = found;
	return r;
}

void ipckit_shm_users_free(struct ipckit_shm_users *users)
{
	for (size_t i = 0; i < users->count; i++)
		free(users->list[i].command);
	free(users->list);
	memset(users, 0, sizeof(*users));
}
