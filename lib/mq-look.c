/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-look.h"
#include "array.h"
#include "sys.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

/* ---- users ---- */

struct last_pids {
	pid_t list[2];
};

static pid_t pid_of(struct ipckit_maybe pid)
{
	return pid.known ? (pid_t)pid.value : 0;
}

static void watch(struct ipckit_mq_info *info, struct last_pids *pids, struct watched *out)
{
	*out = (struct watched){ .usage = &info->usage, .gaps = &info->gaps };
	if (info->backend == IPCKIT_MQ_POSIX) {
		out->kind = WATCHED_MQUEUE;
		out->device = info->device;
		out->inode = info->inode;
		return;
	}
	pids->list[0] = pid_of(info->lspid);
	pids->list[1] = pid_of(info->lrpid);
	out->kind = WATCHED_MSG_QUEUE;
	out->id = info->id.value;
	out->last_pids = pids->list;
	out->nlast_pids = 2;
	out->last_use = mq_sysv_last_use(info);
}

static int look_for_users(struct ipckit_mq_info *infos, size_t count)
{
	struct watched *watched = calloc(count, sizeof(*watched));
	struct last_pids *pids = calloc(count, sizeof(*pids));
	int r = watched && pids ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < count; i++)
		watch(&infos[i], &pids[i], &watched[i]);
	if (!r)
		r = users_look(watched, count);
	free(watched);
	free(pids);
	return r;
}

static int look_around(unsigned what, struct ipckit_mq_info *infos, size_t count)
{
	int r = what & IPCKIT_MQ_USERS && count ? look_for_users(infos, count) : 0;

	for (size_t i = 0; !r && what & IPCKIT_MQ_IN_USE && i < count; i++)
		if (infos[i].backend == IPCKIT_MQ_POSIX && !infos[i].usage.users.count)
			mq_ask_in_use(&infos[i]);
	return r;
}

/* ---- one ---- */

static int name_it(const struct ipckit_name *name, struct ipckit_mq_info *info)
{
	if (info->backend == IPCKIT_MQ_SYSV)
		return mq_name_sysv(info);
	info->name = strdup(name->text);
	return info->name ? 0 : -ENOMEM;
}

static int look_at(const struct ipckit_name *name, struct ipckit_mq_info *info)
{
	switch (name->kind) {
	case IPCKIT_NAME_POSIX:
		return mq_look_at_posix(name, info);
	case IPCKIT_NAME_KEY:
	case IPCKIT_NAME_ID:
	case IPCKIT_NAME_FTOK:
		return mq_look_at_sysv(name, info);
	default:
		return -EOPNOTSUPP;
	}
}

int ipckit_mq_stat(const struct ipckit_name *name, unsigned what, struct ipckit_mq_info *out)
{
	struct ipckit_mq_info info = { 0 };
	int r = look_at(name, &info);

	if (!r)
		r = name_it(name, &info);
	if (!r)
		r = look_around(what, &info, 1);
	if (r) {
		ipckit_mq_info_free(&info);
		return r;
	}
	*out = info;
	return 0;
}

void ipckit_mq_info_free(struct ipckit_mq_info *info)
{
	usage_clear(&info->usage);
	free(info->name);
	memset(info, 0, sizeof(*info));
}

/* ---- all ---- */

int mq_list_add(struct ipckit_mq_list *list, const struct ipckit_mq_info *info)
{
	struct ipckit_mq_info *larger = array_room(list->list, list->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	list->list = larger;
	list->list[list->count++] = *info;
	return 0;
}

int ipckit_mq_list(unsigned what, struct ipckit_mq_list *out)
{
	struct ipckit_mq_list list = { 0 };
	int r = mq_list_posix(&list);

	if (!r)
		r = mq_list_sysv(&list);
	if (!r)
		r = look_around(what, list.list, list.count);
	if (r) {
		ipckit_mq_list_free(&list);
		return r;
	}
	*out = list;
	return 0;
}

void ipckit_mq_list_free(struct ipckit_mq_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		ipckit_mq_info_free(&list->list[i]);
	free(list->list);
	memset(list, 0, sizeof(*list));
}
