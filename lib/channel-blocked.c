/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-walk.h"
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define POLLED_MAX 1024 /* descriptors of a poll(2) or select(2) that are looked at */
#define WORD_BITS  (8 * sizeof(unsigned long))

/* A thread of the process under view. */
struct sleeper {
	struct channel_walk *walk;
	size_t first, last; /* the ends of its process */
	int dirfd;          /* of the process */
	pid_t tid;
	const char *call;
	bool opaque, unsure; /* of the process: its calls may not be read; nor whether a thread opens a FIFO */
};

typedef int (*call_note)(struct sleeper *sleeper, const struct proc_syscall *call);

static void note_fd(struct sleeper *sleeper, int fd)
{
	const struct channel_end key = { .fd = fd };
	struct channel_end *end;

	if (sleeper->first == sleeper->last)
		return;
	end = bsearch(&key, sleeper->walk->ends + sleeper->first, sleeper->last - sleeper->first, sizeof(key), channel_by_fd);
	if (!end || end->tid)
		return;
	end->tid = sleeper->tid;
	end->call = sleeper->call;
}

/* ---- calls on descriptors ---- */

static int note_one(struct sleeper *sleeper, const struct proc_syscall *call)
{
	note_fd(sleeper, (int)call->args[0]);
	return 0;
}

/* The function of the kernel that a thread sleeps in; empty where that is not told. */
static void read_place(const struct sleeper *sleeper, char place[64])
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d/wchan", (int)sleeper->tid);
	if (proc_read_into(sleeper->dirfd, path, place, 64) < 0)
		*place = '\0';
}

/* From one to another: which of the two it waits for shows in where it sleeps, mostly. */
static int note_two(struct sleeper *sleeper, int from, int to)
{
	static const char *const reads[] = { "readable", "_read", "wait_data", "recv", "ipipe", NULL };
	static const char *const writes[] = { "writable", "_write", "wait_memory", "alloc_send", "opipe", NULL };
	char place[64];
	bool in, out;

	read_place(sleeper, place);
	in = proc_place_is(place, reads);
	out = proc_place_is(place, writes);
	if (in || !out)
		note_fd(sleeper, from);
	if (out || !in)
		note_fd(sleeper, to);
	return 0;
}

static int note_splice(struct sleeper *sleeper, const struct proc_syscall *call)
{
	return note_two(sleeper, (int)call->args[0], (int)call->args[2]);
}

static int note_tee(struct sleeper *sleeper, const struct proc_syscall *call)
{
	return note_two(sleeper, (int)call->args[0], (int)call->args[1]);
}

static int note_sendfile(struct sleeper *sleeper, const struct proc_syscall *call)
{
	return note_two(sleeper, (int)call->args[1], (int)call->args[0]);
}

/* ---- calls on several descriptors ---- */

static bool read_memory(const struct sleeper *sleeper, uint64_t address, void *data, size_t size)
{
	bool done;
	int memory;

	if (proc_memory_open(sleeper->dirfd, &memory))
		return false;
	done = !proc_memory_read(memory, address, data, size);
	close(memory);
	return done;
}

static int note_poll(struct sleeper *sleeper, const struct proc_syscall *call)
{
	struct pollfd polled[POLLED_MAX];
	size_t n = call->args[1];

	if (!n || n > POLLED_MAX || !read_memory(sleeper, call->args[0], polled, n * sizeof(*polled)))
		return 0;
	for (size_t i = 0; i < n; i++)
		note_fd(sleeper, polled[i].fd);
	return 0;
}

/* What is resumed after a stop and continue, with its arguments: a futex or a sleep may look the same. */
static int note_resumed(struct sleeper *sleeper, const struct proc_syscall *call)
{
	char place[64];

	read_place(sleeper, place);
	return strstr(place, "poll") ? note_poll(sleeper, call) : 0;
}

static int note_select(struct sleeper *sleeper, const struct proc_syscall *call)
{
	unsigned long set[POLLED_MAX / WORD_BITS];
	size_t n = call->args[0], words = (n + WORD_BITS - 1) / WORD_BITS;

	if (!n || n > POLLED_MAX)
		return 0;
	for (int i = 1; i <= 3; i++) {
		if (!call->args[i] || !read_memory(sleeper, call->args[i], set, words * sizeof(*set)))
			continue;
		for (size_t fd = 0; fd < n; fd++)
			if (set[fd / WORD_BITS] >> fd % WORD_BITS & 1)
				note_fd(sleeper, (int)fd);
	}
	return 0;
}

/* Lines as "tfd:        7 events: ..." tell what an epoll watches. */
static int note_epoll(struct sleeper *sleeper, const struct proc_syscall *call)
{
	char path[32], *text;
	uint64_t fd;
	int r;

	snprintf(path, sizeof(path), "fdinfo/%d", (int)call->args[0]);
	r = proc_read(sleeper->dirfd, path, &text, NULL);
	if (r)
		return sys_own_trouble(r);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "tfd:", 4))
			continue;
		line += 4;
		scan_blanks(&line);
		if (scan_below(&line, 10, INT_MAX, &fd))
			note_fd(sleeper, (int)fd);
	}
	free(text);
	return 0;
}

/* ---- opening a FIFO ---- */

/* Whether it sleeps where one waits for the other end, or is stopped: what it opens else is not looked at, since a
 * server that hangs must not hang us. */
static bool may_be_opening(const char *place)
{
	static const char *const places[] = { "wait_for_partner", "fifo_open", "signal_stop", "ptrace_stop", NULL };

	return proc_place_is(place, places);
}

/* A text of the process under view, page by page. */
static bool read_text(const struct sleeper *sleeper, uint64_t address, char text[PATH_MAX])
{
	size_t length = 0;
	int memory;
	bool ended = false;

	if (proc_memory_open(sleeper->dirfd, &memory))
		return false;
	while (!ended && length < PATH_MAX) {
		size_t part = 4096 - (address + length) % 4096;

		if (part > PATH_MAX - length)
			part = PATH_MAX - length;
		if (proc_memory_read(memory, address + length, text + length, part))
			break;
		ended = memchr(text + length, '\0', part);
		length += part;
	}
	close(memory);
	return ended && *text;
}

/* How it is reached from here: "root/run/in", "cwd/in", "fd/5/in". */
static bool way_to(int at, const char *path, char *out, size_t size)
{
	int n;

	if (*path == '/')
		n = snprintf(out, size, "root%s", path);
	else if (at == AT_FDCWD)
		n = snprintf(out, size, "cwd/%s", path);
	else
		n = snprintf(out, size, "fd/%d/%s", at, path);
	return n >= 0 && (size_t)n < size;
}

/* The name in full, as the process sees it. */
static char *full_name(const struct sleeper *sleeper, int at, const char *path)
{
	char link[32], directory[PATH_MAX], *name;
	ssize_t n;

	if (*path == '/')
		return strdup(path);
	if (at == AT_FDCWD)
		strcpy(link, "cwd");
	else
		snprintf(link, sizeof(link), "fd/%d", at);
	n = readlinkat(sleeper->dirfd, link, directory, sizeof(directory) - 1);
	if (n < 0)
		return strdup(path);
	directory[n] = '\0';
	return asprintf(&name, "%s/%s", n == 1 ? "" : directory, path) < 0 ? NULL : name;
}

static int note_opening(struct sleeper *sleeper, int at, uint64_t address, uint64_t flags)
{
	struct channel_end end = { .class = CHANNEL_FIFO, .fd = -1, .tid = sleeper->tid, .call = sleeper->call };
	char place[64], path[PATH_MAX], way[PATH_MAX + 32];
	struct statx st;

	if (!(sleeper->walk->classes & CHANNEL_CLASS(CHANNEL_FIFO)))
		return 0;
	read_place(sleeper, place);
	if (!may_be_opening(place))
		return 0;
	if (!read_text(sleeper, address, path) || !way_to(at, path, way, sizeof(way)) ||
	    statx(sleeper->dirfd, way, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st)) {
		sleeper->unsure = true;
		return 0;
	}
	if (!S_ISFIFO(st.stx_mode))
		return 0;
	end.process = sleeper->walk->nprocesses;
	end.device = makedev(st.stx_dev_major, st.stx_dev_minor);
	end.inode = st.stx_ino;
	end.reads = (flags & O_ACCMODE) != O_WRONLY;
	end.writes = (flags & O_ACCMODE) != O_RDONLY;
	end.path = full_name(sleeper, at, path);
	return end.path ? channel_walk_add(sleeper->walk, &end) : -ENOMEM;
}

#ifdef SYS_open
static int note_open(struct sleeper *sleeper, const struct proc_syscall *call)
{
	return note_opening(sleeper, AT_FDCWD, call->args[0], call->args[1]);
}
#endif

static int note_openat(struct sleeper *sleeper, const struct proc_syscall *call)
{
	return note_opening(sleeper, (int)call->args[0], call->args[1], call->args[2]);
}

static int note_openat2(struct sleeper *sleeper, const struct proc_syscall *call)
{
	uint64_t flags = 0;

	if (!read_memory(sleeper, call->args[2], &flags, sizeof(flags)))
		flags = O_RDWR;
	return note_opening(sleeper, (int)call->args[0], call->args[1], flags);
}

/* ---- threads ---- */

/* The numbers are those of this architecture. */
static const struct {
	long number;
	const char *name;
	call_note note;
} calls[] = {
	{ SYS_read, "read", note_one },
	{ SYS_readv, "readv", note_one },
	{ SYS_preadv2, "preadv2", note_one },
	{ SYS_write, "write", note_one },
	{ SYS_writev, "writev", note_one },
	{ SYS_pwritev2, "pwritev2", note_one },
	{ SYS_vmsplice, "vmsplice", note_one },
	{ SYS_splice, "splice", note_splice },
	{ SYS_tee, "tee", note_tee },
	{ SYS_sendfile, "sendfile", note_sendfile },
#ifdef SYS_accept
	{ SYS_accept, "accept", note_one },
#endif
	{ SYS_accept4, "accept4", note_one },
	{ SYS_connect, "connect", note_one },
	{ SYS_recvfrom, "recvfrom", note_one },
	{ SYS_recvmsg, "recvmsg", note_one },
	{ SYS_recvmmsg, "recvmmsg", note_one },
	{ SYS_sendto, "sendto", note_one },
	{ SYS_sendmsg, "sendmsg", note_one },
	{ SYS_sendmmsg, "sendmmsg", note_one },
#ifdef SYS_poll
	{ SYS_poll, "poll", note_poll },
#endif
	{ SYS_ppoll, "ppoll", note_poll },
	{ SYS_restart_syscall, "poll", note_resumed },
#ifdef SYS_select
	{ SYS_select, "select", note_select },
#endif
	{ SYS_pselect6, "pselect6", note_select },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, "epoll_wait", note_epoll },
#endif
	{ SYS_epoll_pwait, "epoll_pwait", note_epoll },
#ifdef SYS_epoll_pwait2
	{ SYS_epoll_pwait2, "epoll_pwait2", note_epoll },
#endif
#ifdef SYS_open
	{ SYS_open, "open", note_open },
#endif
	{ SYS_openat, "openat", note_openat },
#ifdef SYS_openat2
	{ SYS_openat2, "openat2", note_openat2 },
#endif
};

static int note_call(struct sleeper *sleeper, const struct proc_syscall *call)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i].number != call->number)
			continue;
		sleeper->call = calls[i].name;
		return calls[i].note(sleeper, call);
	}
	return 0;
}

/* Its call may not be read; where it sleeps may, by those of the same user, and that says whether it opens a FIFO. */
static int note_denied(struct sleeper *sleeper)
{
	char place[64];
	int unsure;

	sleeper->opaque = true;
	read_place(sleeper, place);
	unsure = *place && *place != '0' ? may_be_opening(place) : proc_has_memory(sleeper->dirfd);
	sleeper->unsure |= unsure > 0;
	return unsure < 0 ? unsure : 0;
}

static int look_at_thread(int dir, const char *name, pid_t tid, void *arg)
{
	struct sleeper *sleeper = arg;
	char path[32], text[PROC_SYSCALL_ROOM];
	struct proc_syscall call;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/syscall", name);
	n = proc_read_into(dir, path, text, sizeof(text));
	sleeper->tid = tid;
	if (sys_is_denial((int)n))
		return note_denied(sleeper);
	if (n < 0)
		return sys_own_trouble((int)n);
	if (proc_syscall_parse(text, &call) || call.state != PROC_IN_SYSCALL)
		return 0;
	return note_call(sleeper, &call);
}

int channel_note_blocked(struct channel_walk *walk, int dirfd, size_t first)
{
	struct sleeper sleeper = { .walk = walk, .first = first, .last = walk->nends, .dirfd = dirfd };
	int r = proc_walk_names(dirfd, "task", look_at_thread, &sleeper);

	walk->opening += sleeper.unsure;
	walk->opaque = sleeper.opaque;
	return r;
}
