/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists of processes ---- */

static void clear(struct ipckit_processes *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->list[i].command);
	free(list->list);
	memset(list, 0, sizeof(*list));
}

void sem_users_clear(struct ipckit_sem_info *info)
{
	clear(&info->holders);
	clear(&info->waiting);
	clear(&info->users);
}

void sem_note_gap(struct ipckit_sem_info *info, const char *key, int error)
{
	for (size_t i = 0; i < info->ngaps; i++)
		if (!strcmp(info->gaps[i].key, key))
			return;
	if (info->ngaps < IPCKIT_SEM_GAPS)
		info->gaps[info->ngaps++] = (struct ipckit_gap){ .key = key, .error = error };
}

/* Room is doubled whenever a power of two is full. */
static int make_room(struct ipckit_processes *list)
{
	struct ipckit_process *larger;
	size_t n = list->count;

	if (n & (n - 1))
		return 0;
	larger = reallocarray(list->list, n ? n * 2 : 1, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	list->list = larger;
	return 0;
}

int walk_add(struct seen *seen, const struct ipckit_process *how, struct ipckit_processes *list)
{
	struct ipckit_process process = *how;
	int r = seen_describe(seen);

	if (!r)
		r = make_room(list);
	if (r)
		return r;
	process.pid = seen->pid;
	process.uid = ipckit_known(seen->status.uid);
	process.command = seen->command ? strdup(seen->command) : NULL;
	if (seen->command && !process.command)
		return -ENOMEM;
	list->list[list->count++] = process;
	return 0;
}

/* ---- the process under view ---- */

int seen_describe(struct seen *seen)
{
	int r;

	if (seen->described)
		return 0;
	r = proc_stat_read(seen->dirfd, &seen->stat);
	if (!r)
		r = proc_status_read(seen->dirfd, &seen->status);
	if (r)
		return r;
	r = proc_command(seen->dirfd, &seen->command);
	if (r == -ENOMEM)
		return r;
	seen->described = true;
	return 0;
}

void seen_clear(struct seen *seen)
{
	free(seen->command);
	seen->command = NULL;
}

int seen_allow(struct seen *seen, int r)
{
	if (r != -EACCES && r != -EPERM)
		return r;
	seen->denied = true;
	return 0;
}
