/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "sys.h"
#include "users-walk.h"

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

void usage_clear(struct ipckit_usage *usage)
{
	clear(&usage->holders);
	clear(&usage->waiting);
	clear(&usage->users);
}

void gaps_note(struct ipckit_gaps *gaps, const char *key, int error)
{
	for (size_t i = 0; i < gaps->count; i++)
		if (!strcmp(gaps->list[i].key, key))
			return;
	if (gaps->count < IPCKIT_GAPS)
		gaps->list[gaps->count++] = (struct ipckit_gap){ .key = key, .error = error };
}

static int make_room(struct ipckit_processes *list)
{
	struct ipckit_process *larger = array_room(list->list, list->count, sizeof(*larger));

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
	if (!seen->hidden)
		process.uid = ipckit_known(seen->status.uid);
	process.command = seen->command ? strdup(seen->command) : NULL;
	if (seen->command && !process.command)
		return -ENOMEM;
	list->list[list->count++] = process;
	return 0;
}

int walk_add_once(struct seen *seen, const struct ipckit_process *how, struct ipckit_processes *list)
{
	/* Those of the process under view are the last ones. */
	for (size_t i = list->count; i && list->list[i - 1].pid == seen->pid; i--) {
		const struct ipckit_maybe *flags = &list->list[i - 1].flags;

		if (flags->known == how->flags.known && (!flags->known || flags->value == how->flags.value))
			return 0;
	}
	return walk_add(seen, how, list);
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

int seen_shares_ids(const struct walk *walk, struct seen *seen, bool *shares)
{
	uint64_t ipc;
	int r = proc_namespace(seen->dirfd, "ipc", &ipc);

	*shares = !r && (!walk->ipc || ipc == walk->ipc);
	return seen_allow(seen, r);
}

int seen_allow(struct seen *seen, int r)
{
	if (!sys_is_denial(r))
		return r;
	seen->denied = true;
	return 0;
}
