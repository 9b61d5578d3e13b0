/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "proc-scan.h"
#include "sys.h"

#include <dirent.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* More than any environment or /proc/stat; what is longer is no file of /proc. */
#define READ_MAX (64u << 20)

/* The first PID namespace (PROC_PID_INIT_INO): every process has a pid in it. */
#define PID_NAMESPACE_INITIAL 0xEFFFFFFCu

int proc_open(const char *root, int *out)
{
	int fd = sys_openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

static int grow(char **text, size_t *room)
{
	size_t more = *room ? *room * 2 : 1024;
	char *larger;

	if (more > READ_MAX)
		return -EFBIG;
	larger = realloc(*text, more);
	if (!larger)
		return -ENOMEM;
	*text = larger;
	*room = more;
	return 0;
}

static int read_all(int fd, char **text, size_t *size)
{
	size_t room = 0;
	ssize_t n;
	int r;

	for (;;) {
		if (*size + 1 >= room) {
			r = grow(text, &room);
			if (r)
				return r;
		}
		n = sys_result(read(fd, *text + *size, room - *size - 1));
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		*size += (size_t)n;
	}
	(*text)[*size] = '\0';
	return (int)n;
}

int proc_read(int dirfd, const char *path, char **text, size_t *size)
{
	char *read = NULL;
	size_t length = 0;
	int fd = sys_openat(dirfd, path, O_RDONLY | O_NOCTTY, 0);
	int r;

	if (fd < 0)
		return fd;
	r = read_all(fd, &read, &length);
	close(fd);
	if (r) {
		free(read);
		return r;
	}
	*text = read;
	if (size)
		*size = length;
	return 0;
}

ssize_t proc_read_into(int dirfd, const char *path, char *buffer, size_t room)
{
	ssize_t n;
	int fd = sys_openat(dirfd, path, O_RDONLY | O_NOCTTY, 0);

	if (fd < 0)
		return fd;
	do {
		n = sys_result(read(fd, buffer, room - 1));
	} while (n == -EINTR);
	close(fd);
	if (n >= 0)
		buffer[n] = '\0';
	return n;
}

bool proc_place_is(const char *place, const char *const *words)
{
	for (; *words; words++)
		if (strstr(place, *words))
			return true;
	return false;
}

static int open_directory(int dirfd, const char *path, DIR **out)
{
	int fd = sys_openat(dirfd, path, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd < 0)
		return fd;
	*out = fdopendir(fd);
	if (*out)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

static bool read_id(const char *name, uint64_t *out)
{
	return scan_below(&name, 10, INT_MAX, out) && !*name;
}

static int visit_entry(DIR *dir, const char *name, pid_t id, proc_visit visit, void *arg)
{
	int fd = sys_openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd == -ENOENT || fd == -ESRCH || fd == -ENOTDIR)
		return 0;
	if (fd < 0 && !sys_is_denial(fd))
		return fd;
	r = visit(fd, id, arg);
	if (fd >= 0)
		close(fd);
	return r;
}

/* The next entry whose name is a number; 0 at the end. */
static int next_id(DIR *dir, struct dirent **entry, uint64_t *id)
{
	do {
		errno = 0;
		*entry = readdir(dir);
		/* The directory of a process that has just ended fails so. */
		if (!*entry)
			return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	} while (!read_id((*entry)->d_name, id));
	return 1;
}

int proc_walk(int dirfd, const char *path, proc_visit visit, void *arg)
{
	struct dirent *entry;
	uint64_t id;
	DIR *dir;
	int r = open_directory(dirfd, path, &dir);

	if (r)
		return r;
	while ((r = next_id(dir, &entry, &id)) > 0) {
		r = visit_entry(dir, entry->d_name, (pid_t)id, visit, arg);
		if (r)
			break;
	}
	closedir(dir);
	return r;
}

int proc_walk_names(int parent, const char *path, proc_name_visit visit, void *arg)
{
	struct dirent *entry;
	uint64_t id;
	DIR *dir;
	int r = open_directory(parent, path, &dir);

	if (r)
		return r;
	while ((r = next_id(dir, &entry, &id)) > 0) {
		r = visit(dirfd(dir), entry->d_name, (pid_t)id, arg);
		if (r)
			break;
	}
	closedir(dir);
	return r;
}

static int visit_fd(int process, DIR *dir, const char *name, int fd, proc_fd_visit visit, void *arg)
{
	struct proc_fd found = { .fd = fd };
	struct statx st;

	/* Nothing is asked of a file's server: one that hangs must not hang us. */
	if (statx(dirfd(dir), name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &st))
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	found.device = makedev(st.stx_dev_major, st.stx_dev_minor);
	found.inode = st.stx_ino;
	return visit(process, &found, arg);
}

int proc_fds_walk(int dirfd, proc_fd_visit visit, void *arg)
{
	struct dirent *entry;
	uint64_t fd;
	DIR *dir;
	int r = open_directory(dirfd, "fd", &dir);

	if (r)
		return r;
	while ((r = next_id(dir, &entry, &fd)) > 0) {
		r = visit_fd(dirfd, dir, entry->d_name, (int)fd, visit, arg);
		if (r)
			break;
	}
	closedir(dir);
	return r;
}

/* Whether a line of mountinfo is that of /proc, mounted so that processes are left out. */
static bool is_hiding_mount(const char *line)
{
	static const char *const words[] = { "hidepid=invisible", "hidepid=2", "hidepid=ptraceable",
					     "hidepid=4" };
	const char *kind = strstr(line, " - proc ");

	if (!kind || !strstr(line, " /proc ") || strstr(line, " /proc ") > kind)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(kind, words[i]))
			return true;
	return false;
}

static int may_trace(int root)
{
	char *text, *line;
	const char *p;
	uint64_t caps = 0;
	int r = proc_read(root, "self/status", &text, NULL);

	if (r)
		return r == -ENOMEM ? r : 0;
	line = strstr(text, "\nCapEff:");
	if (line) {
		p = line + strlen("\nCapEff:");
		scan_blanks(&p);
		if (!scan_number(&p, 16, &caps))
			caps = 0;
	}
	free(text);
	return caps >> CAP_SYS_PTRACE & 1;
}

int proc_hides(int root)
{
	bool hiding = false;
	char *text, *line, *rest;
	int r = proc_read(root, "self/mountinfo", &text, NULL);

	if (r)
		return r == -ENOMEM ? r : 0;
	rest = text;
	while (!hiding && (line = strsep(&rest, "\n")))
		hiding = is_hiding_mount(line);
	free(text);
	if (!hiding)
		return 0;
	r = may_trace(root);
	return r < 0 ? r : !r;
}

bool proc_sees_all_pids(void)
{
	uint64_t namespace;
	bool all;
	int self;

	if (proc_open("/proc/self", &self))
		return false;
	all = !proc_namespace(self, "pid", &namespace) && namespace == PID_NAMESPACE_INITIAL;
	close(self);
	return all;
}
