/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-backend.h"
#include "mq-look.h"
#include "sys.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/vfs.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

/* ---- opening ---- */

static int check_type(int dir, uint64_t *device)
{
	struct statfs fs;
	struct stat st;
	int r = sys_result(fstatfs(dir, &fs));

	if (!r)
		r = sys_fstat(dir, &st);
	if (r)
		return r;
	if ((uint32_t)fs.f_type != MQUEUE_MAGIC)
		return -ENODEV;
	*device = st.st_dev;
	return 0;
}

int mq_mount_open(struct mq_mount *out)
{
	struct mq_mount mount = { .dir = opendir(MQ_DIRECTORY) };
	int r;

	if (!mount.dir)
		return errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno;
	r = check_type(dirfd(mount.dir), &mount.device);
	if (r) {
		closedir(mount.dir);
		return r;
	}
	*out = mount;
	return 0;
}

void mq_mount_close(struct mq_mount *mount)
{
	closedir(mount->dir);
}

/* ---- whose it is ---- */

/* Whether an entry is still what it was. */
static bool is_there(const struct mq_mount *mount, const char *file, uint64_t inode)
{
	struct stat st;

	return !fstatat(dirfd(mount->dir), file, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == inode;
}

/* What is open is on the mount's file system, or on another one of the same kind. */
static int compare(struct mq_mount *mount, int fd)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (!r)
		mount->owner = st.st_dev == mount->device ? MQ_MOUNT_OWN : MQ_MOUNT_FOREIGN;
	return r;
}

int mq_mount_ask(struct mq_mount *mount, const char *file, uint64_t inode)
{
	char path[NAME_MAX + 2];
	const struct ipckit_name name = { .kind = IPCKIT_NAME_POSIX, .written = path, .text = path };
	int fd, r;

	if (mount->owner != MQ_MOUNT_UNTOLD)
		return 0;
	snprintf(path, sizeof(path), "/%s", file);
	fd = mq_posix_look_fd(&name);
	if (fd == -ENOENT && is_there(mount, file, inode))
		mount->owner = MQ_MOUNT_FOREIGN;
	/* What may not be opened tells nothing. */
	if (fd < 0)
		return sys_own_trouble(fd);
	r = compare(mount, fd);
	close(fd);
	return r;
}

#ifdef SYS_fsopen

/* A mount of the caller's own namespace, which is attached nowhere. */
static int mount_own(void)
{
	int context = (int)sys_result(syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC));
	int r;

	if (context < 0)
		return context;
	r = (int)sys_result(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (!r)
		r = (int)sys_result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0));
	close(context);
	return r;
}

int mq_mount_ask_kernel(struct mq_mount *mount)
{
	int fd, r;

	if (mount->owner != MQ_MOUNT_UNTOLD)
		return 0;
	fd = mount_own();
	if (fd < 0)
		return sys_own_trouble(fd);
	r = compare(mount, fd);
	close(fd);
	return r;
}

#else

int mq_mount_ask_kernel(struct mq_mount *mount)
{
	(void)mount;
	return 0;
}

#endif
