/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "channel-walk.h"
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* ---- descriptors ---- */

bool channel_link(const char *target, enum channel_class *class, uint64_t *inode)
{
	const char *p = target;

	if (!strncmp(p, "pipe:[", 6)) {
		*class = CHANNEL_PIPE;
		p += 6;
	} else if (!strncmp(p, "socket:[", 8)) {
		*class = CHANNEL_SOCKET;
		p += 8;
	} else {
		return false;
	}
	return scan_number(&p, 10, inode) && *p == ']';
}

/* The owner's bits of the link are those of the descriptor; with O_PATH it has none, and is no end. */
bool channel_access(int dir, const char *name, bool *reads, bool *writes)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	*reads = st.st_mode & S_IRUSR;
	*writes = st.st_mode & S_IWUSR;
	return *reads || *writes;
}

int channel_walk_add(struct channel_walk *walk, const struct channel_end *end)
{
	struct channel_end *larger = array_room(walk->ends, walk->nends, sizeof(*larger));

	if (!larger) {
		free(end->path);
		return -ENOMEM;
	}
	walk->ends = larger;
	larger[walk->nends++] = *end;
	return 0;
}

static bool looks_for(const struct channel_walk *walk, enum channel_class class)
{
	return walk->classes & CHANNEL_CLASS(class);
}

/* Nothing is asked of a file's server: one that hangs must not hang us. */
static bool is_fifo(int dir, const char *name, struct channel_end *end)
{
	struct statx st;

	if (statx(dir, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) ||
	    !S_ISFIFO(st.stx_mode))
		return false;
	end->device = makedev(st.stx_dev_major, st.stx_dev_minor);
	end->inode = st.stx_ino;
	return true;
}

/* One that is closed meanwhile is none. */
static int look_at_file(struct channel_walk *walk, int dir, const char *name, const char *target,
			struct channel_end *end)
{
	if (!looks_for(walk, CHANNEL_FIFO) || !strncmp(target, "anon_inode:", 11) || !is_fifo(dir, name, end) ||
	    !channel_access(dir, name, &end->reads, &end->writes))
		return 0;
	end->class = CHANNEL_FIFO;
	end->path = strdup(target);
	return end->path ? channel_walk_add(walk, end) : -ENOMEM;
}

static int look_at_fd(int dir, const char *name, pid_t fd, void *arg)
{
	struct channel_walk *walk = arg;
	struct channel_end end = { .process = walk->nprocesses, .fd = fd, .reads = true, .writes = true };
	char target[PATH_MAX];
	ssize_t n = sys_result(readlinkat(dir, name, target, sizeof(target) - 1));

	if (n < 0)
		return sys_is_denial((int)n) || n == -ENOMEM ? (int)n : 0;
	target[n] = '\0';
	if (!channel_link(target, &end.class, &end.inode))
		return look_at_file(walk, dir, name, target, &end);
	if (!looks_for(walk, end.class) ||
	    (end.class == CHANNEL_PIPE && !channel_access(dir, name, &end.reads, &end.writes)))
		return 0;
	return channel_walk_add(walk, &end);
}

/* ---- processes ---- */

int channel_by_fd(const void *a, const void *b)
{
	const struct channel_end *x = a, *y = b;

	return array_order(x->fd, y->fd);
}

/* What is not told of a process is left unknown. */
static int describe(struct channel_walk *walk, int dirfd, pid_t pid)
{
	struct channel_process *larger = array_room(walk->processes, walk->nprocesses, sizeof(*larger));
	struct channel_process *process;
	struct proc_status status;
	int r;

	if (!larger)
		return -ENOMEM;
	walk->processes = larger;
	process = &larger[walk->nprocesses];
	*process = (struct channel_process){ .pid = pid, .opaque = walk->opaque };
	r = proc_command(dirfd, &process->command);
	if (sys_lacks_resources(r))
		return r;
	walk->nprocesses++;
	r = proc_status_read(dirfd, &status);
	if (!r)
		process->uid = ipckit_known(status.uid);
	return sys_own_trouble(r);
}

static void forget_from(struct channel_walk *walk, size_t first)
{
	while (walk->nends > first)
		free(walk->ends[--walk->nends].path);
}

static int look_at_process(struct channel_walk *walk, int dirfd, pid_t pid)
{
	size_t first = walk->nends;
	int r = proc_walk_names(dirfd, "fd", look_at_fd, walk);

	if (!r && walk->nends > first)
		qsort(walk->ends + first, walk->nends - first, sizeof(*walk->ends), channel_by_fd);
	if (!r)
		r = channel_note_blocked(walk, dirfd, first);
	if (r)
		forget_from(walk, first);
	return !r && walk->nends > first ? describe(walk, dirfd, pid) : r;
}

static int visit_process(int dirfd, pid_t pid, void *arg)
{
	struct channel_walk *walk = arg;
	int r;

	if (pid == walk->self)
		return 0;
	r = dirfd < 0 ? dirfd : look_at_process(walk, dirfd, pid);
	if (sys_lacks_resources(r))
		return r;
	/* One that vanishes under the eye is normal. */
	if (!r || r == -ESRCH || r == -ENOENT)
		return 0;
	r = dirfd < 0 ? 1 : proc_has_memory(dirfd);
	walk->unreadable += r > 0;
	return r < 0 ? r : 0;
}

static pid_t find_self(int root)
{
	char text[16];
	ssize_t n = sys_result(readlinkat(root, "self", text, sizeof(text) - 1));

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

static int by_identity(const struct channel_end *a, const struct channel_end *b)
{
	return array_order(a->class, b->class) ?: array_order(a->device, b->device) ?: array_order(a->inode, b->inode);
}

static int by_user(const void *a, const void *b)
{
	const struct channel_end *x = a, *y = b;

	return by_identity(x, y) ?: array_order(x->process, y->process) ?: channel_by_fd(x, y);
}

int channel_walk(int root, unsigned classes, bool with_self, struct channel_walk *walk)
{
	int r = proc_hides(root);

	*walk = (struct channel_walk){ .classes = classes, .hides = r > 0 };
	if (r < 0)
		return r;
	walk->self = with_self ? 0 : find_self(root);
	r = proc_walk(root, ".", visit_process, walk);
	/* The kernel lists processes in the order of their pids. */
	if (!r && walk->nends)
		qsort(walk->ends, walk->nends, sizeof(*walk->ends), by_user);
	return r;
}

size_t channel_walk_find(const struct channel_walk *walk, enum channel_class class, uint64_t device, uint64_t inode,
			 const struct channel_end **first)
{
	const struct channel_end key = { .class = class, .device = device, .inode = inode };
	size_t low = 0, high = walk->nends, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_identity(&walk->ends[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < walk->nends && !by_identity(&walk->ends[end], &key); end++)
		;
	*first = walk->nends ? walk->ends + low : NULL;
	return end - low;
}

void channel_walk_free(struct channel_walk *walk)
{
	forget_from(walk, 0);
	for (size_t i = 0; i < walk->nprocesses; i++)
		free(walk->processes[i].command);
	free(walk->ends);
	free(walk->processes);
	*walk = (struct channel_walk){ 0 };
}
