/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_MQ_LOOK_H
#define LIB_MQ_LOOK_H

/* What the files that look at queues share. */

#include <dirent.h>
#include <ipckit/mq.h>

/* ---- mq-look.c, mq-look-sysv.c ---- */

/* Appends a snapshot, which then belongs to the list. */
IPCKIT_CHECK int mq_list_add(struct ipckit_mq_list *list, const struct ipckit_mq_info *info);

/* Fills a snapshot of a System V queue, but its name; gives it its name. */
IPCKIT_CHECK int mq_look_at_sysv(const struct ipckit_name *name, struct ipckit_mq_info *info);
IPCKIT_CHECK int mq_name_sysv(struct ipckit_mq_info *info);

/* Adds all of System V; that /proc/sysvipc/msg cannot be read is noted in the list. */
IPCKIT_CHECK int mq_list_sysv(struct ipckit_mq_list *list);

/* The newest of a System V queue's times; unknown where one of them is. */
struct ipckit_maybe mq_sysv_last_use(const struct ipckit_mq_info *info);

/* ---- mq-look-posix.c ---- */

/* Fills a snapshot of a POSIX queue, but its name. */
IPCKIT_CHECK int mq_look_at_posix(const struct ipckit_name *name, struct ipckit_mq_info *info);

/* Adds all POSIX queues; what is wrong with the mount is noted in the list. */
IPCKIT_CHECK int mq_list_posix(struct ipckit_mq_list *list);

/* Fills in_use; the caller must not have the queue open. */
void mq_ask_in_use(struct ipckit_mq_info *info);

/* ---- mq-status.c ---- */

/* What the file of a POSIX queue says: "QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260". */
struct mq_status {
	int64_t bytes;
	enum ipckit_mq_notification notify;
	int signal;              /* 0: none */
	struct ipckit_maybe pid; /* 0: none; unknown: of another PID namespace */
};
IPCKIT_CHECK int mq_status_parse(const char *text, struct mq_status *out); /* -EBADMSG */

/* Reads it from a descriptor of a queue, which mq_open(3) gives as well as open(2). This sets
 * atime and ctime of the file. -EBADF: not open for reading. */
IPCKIT_CHECK int mq_status_read(int queue, struct mq_status *out);

/* ---- mq-mount.c ---- */

/* The mount of the queues: of which IPC namespace it is. */
enum mq_mount_owner { MQ_MOUNT_UNTOLD, MQ_MOUNT_OWN, MQ_MOUNT_FOREIGN };

struct mq_mount {
	DIR *dir;
	uint64_t device;
	enum mq_mount_owner owner;
};

/* -ENODEV: nothing of that type is mounted. Closed with mq_mount_close(). */
IPCKIT_CHECK int mq_mount_open(struct mq_mount *out);
void mq_mount_close(struct mq_mount *mount);

/* Tells the owner by an entry, where that can be told and is not known yet: by whether
 * mq_open(3) finds the same. Only want of resources is an error. */
IPCKIT_CHECK int mq_mount_ask(struct mq_mount *mount, const char *file, uint64_t inode);

/* Tells the owner where no entry did, an empty directory's, too: takes CAP_SYS_ADMIN. */
IPCKIT_CHECK int mq_mount_ask_kernel(struct mq_mount *mount);

#endif
