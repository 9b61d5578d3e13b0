/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-backend.h"
#include "mq-look.h"
#include "proc.h"
#include "sys.h"
#include "sysv.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the kernel tells ---- */

/* 0 is none, or one of another PID namespace; of a queue never used it is none. */
static struct ipckit_maybe last_pid(pid_t pid, int64_t time, bool all_pids)
{
	return pid > 0 || all_pids || !time ? ipckit_known(pid) : ipckit_unknown();
}

static void tell_queue(const struct proc_sysvmsg *queue, bool all_pids, struct ipckit_mq_info *info)
{
	info->backend = IPCKIT_MQ_SYSV;
	info->key = ipckit_known((uint32_t)queue->key);
	info->id = ipckit_known(queue->id);
	info->messages = ipckit_known((int64_t)queue->qnum);
	info->bytes = ipckit_known((int64_t)queue->cbytes);
	info->lspid = last_pid(queue->lspid, queue->stime, all_pids);
	info->lrpid = last_pid(queue->lrpid, queue->rtime, all_pids);
	info->stime = ipckit_known(queue->stime);
	info->rtime = ipckit_known(queue->rtime);
	info->ctime = ipckit_known(queue->ctime);
	info->mode = ipckit_known(queue->mode);
	info->uid = ipckit_known(queue->uid);
	info->gid = ipckit_known(queue->gid);
	info->cuid = ipckit_known(queue->cuid);
	info->cgid = ipckit_known(queue->cgid);
}

static void tell_status(int id, const struct msqid_ds *ds, bool all_pids, struct ipckit_mq_info *info)
{
	const struct proc_sysvmsg queue = {
		.key = ds->msg_perm.__key,
		.id = id,
		.mode = ds->msg_perm.mode & 0777,
		.cbytes = ds->__msg_cbytes,
		.qnum = ds->msg_qnum,
		.lspid = ds->msg_lspid,
		.lrpid = ds->msg_lrpid,
		.uid = ds->msg_perm.uid,
		.cuid = ds->msg_perm.cuid,
		.gid = ds->msg_perm.gid,
		.cgid = ds->msg_perm.cgid,
		.stime = ds->msg_stime,
		.rtime = ds->msg_rtime,
		.ctime = ds->msg_ctime,
	};

	tell_queue(&queue, all_pids, info);
	info->qbytes = ipckit_known((int64_t)ds->msg_qbytes);
}

struct ipckit_maybe mq_sysv_last_use(const struct ipckit_mq_info *info)
{
	struct ipckit_maybe use = info->ctime;

	if (!info->stime.known || !info->rtime.known || !info->ctime.known)
		return ipckit_unknown();
	if (info->stime.value > use.value)
		use = info->stime;
	return info->rtime.value > use.value ? info->rtime : use;
}

int mq_name_sysv(struct ipckit_mq_info *info)
{
	info->name = sysv_name(info->id.value);
	return info->name ? 0 : -ENOMEM;
}

/* ---- one ---- */

struct wanted {
	int id;
	struct proc_sysvmsg *out;
};

static int match_queue(const struct proc_sysvmsg *queue, void *arg)
{
	const struct wanted *wanted = arg;

	if (queue->id != wanted->id)
		return 0;
	*wanted->out = *queue;
	return 1;
}

/* The table of /proc shows what msgctl(2) refuses before Linux 4.17. */
static int find_queue(int id, struct proc_sysvmsg *out)
{
	struct wanted wanted = { .id = id, .out = out };
	int root;
	int r = proc_open("/proc", &root);

	if (r)
		return sys_lacks_resources(r) ? r : -EACCES;
	r = proc_sysvmsg_walk(root, match_queue, NULL, &wanted);
	close(root);
	if (r == 1)
		return 0;
	return sys_lacks_resources(r) ? r : r ? -EACCES : -ENOENT;
}

int mq_look_at_sysv(const struct ipckit_name *name, struct ipckit_mq_info *info)
{
	bool all_pids = proc_sees_all_pids();
	struct proc_sysvmsg queue;
	struct msqid_ds ds;
	int id;
	int r = mq_sysv_find(name, &id);

	if (r)
		return r;
	r = mq_sysv_stat(id, &ds);
	if (!r) {
		tell_status(id, &ds, all_pids, info);
		return 0;
	}
	if (!sys_is_denial(r))
		return r;
	gaps_note(&info->gaps, "qbytes", -r);
	r = find_queue(id, &queue);
	if (!r)
		tell_queue(&queue, all_pids, info);
	return r;
}

/* ---- all ---- */

struct listing {
	struct ipckit_mq_list *list;
	bool all_pids;
};

static int list_queue(const struct proc_sysvmsg *queue, void *arg)
{
	const struct listing *listing = arg;
	struct ipckit_mq_info info = { 0 };
	struct msqid_ds ds;
	int r = mq_sysv_stat(queue->id, &ds);

	/* Removed meanwhile. */
	if (r == -ENOENT)
		return 0;
	if (r) {
		gaps_note(&info.gaps, "qbytes", -r);
		tell_queue(queue, listing->all_pids, &info);
	} else {
		tell_status(queue->id, &ds, listing->all_pids, &info);
	}
	r = mq_name_sysv(&info);
	if (!r)
		r = mq_list_add(listing->list, &info);
	if (r)
		free(info.name);
	return r;
}

int mq_list_sysv(struct ipckit_mq_list *list)
{
	struct listing listing = { .list = list, .all_pids = proc_sees_all_pids() };
	int root;
	int r = proc_open("/proc", &root);

	if (!r) {
		r = proc_sysvmsg_walk(root, list_queue, NULL, &listing);
		close(root);
	}
	if (r && !sys_lacks_resources(r)) {
		list->sysv_error = -r;
		return 0;
	}
	return r;
}
