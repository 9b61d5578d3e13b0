/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "array.h"
#include "channel-walk.h"
#include "proc-scan.h"
#include "sys.h"

#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define ROUNDS 4 /* in which processes are looked for that were not there before */

struct reading {
	struct live_scan *scan;
	struct live_opens *opens;
	const uint64_t *device; /* files of this one are looked for; NULL: all else is */
	struct live_end at;     /* the process under view */
	pid_t *seen;            /* the processes that were looked at; in the first round those before known */
	size_t nseen, known;
};

/* ---- a descriptor ---- */

static enum live_class class_of_anonymous(const char *target)
{
	static const struct {
		const char *target;
		enum live_class class;
	} rows[] = {
		{ "anon_inode:[eventfd]", LIVE_EVENTFD }, { "anon_inode:[eventpoll]", LIVE_EPOLL },
		{ "anon_inode:[pidfd]", LIVE_PIDFD }, { "anon_inode:[io_uring]", LIVE_RING },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(target, rows[i].target))
			return rows[i].class;
	return strncmp(target, "pidfd:[", 7) ? LIVE_OTHER : LIVE_PIDFD;
}

/* Nothing is asked of a file's server: one that hangs must not hang us. Queues have a device of no hardware. */
static void look_at_file(int dir, const char *name, const char *target, struct live_end *end)
{
	struct statx st;

	if (statx(dir, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_NLINK, &st))
		return;
	if (!S_ISFIFO(st.stx_mode) && (!S_ISREG(st.stx_mode) || st.stx_dev_major))
		return;
	if (!channel_access(dir, name, &end->reads, &end->writes))
		return;
	end->class = S_ISFIFO(st.stx_mode) ? LIVE_FIFO : LIVE_FILE;
	end->device = makedev(st.stx_dev_major, st.stx_dev_minor);
	end->inode = st.stx_ino;
	end->named = st.stx_nlink > 0;
	end->path = target;
}

/* What a link says; path: of a file, good as long as target is. Denials are told, all else is no end. */
static int look(int dir, const char *name, char target[PATH_MAX], struct live_end *end)
{
	enum channel_class class;
	ssize_t n = sys_result(readlinkat(dir, name, target, PATH_MAX - 1));

	if (n < 0)
		return sys_is_denial((int)n) ? (int)n : sys_own_trouble((int)n);
	target[n] = '\0';
	if (*target == '/') {
		look_at_file(dir, name, target, end);
		return 0;
	}
	if (!channel_link(target, &class, &end->inode)) {
		end->class = class_of_anonymous(target);
		return 0;
	}
	if (class == CHANNEL_PIPE && !channel_access(dir, name, &end->reads, &end->writes))
		return 0;
	end->class = class == CHANNEL_PIPE ? LIVE_PIPE : LIVE_SOCKET;
	return 0;
}

static int keep_path(struct live_scan *scan, struct live_end *end)
{
	if (!end->path)
		return 0;
	end->path = live_text(scan, "%s", end->path);
	return end->path ? 0 : -ENOMEM;
}

static int read_id(int dirfd, struct live_end *end)
{
	int r = proc_fdinfo_field(dirfd, end->fd, "eventfd-id:", 10, &end->inode);

	if (r)
		end->inode = 0;
	return sys_own_trouble(r);
}

static int begin(struct live_scan *scan)
{
	if (!scan->opens)
		scan->opens = calloc(1, sizeof(*scan->opens));
	return scan->opens ? 0 : -ENOMEM;
}

static int look_now(struct live_scan *scan, uint32_t process, int fd, struct live_end *out)
{
	int dirfd = live_directory(scan, process), r;
	char name[24], target[PATH_MAX];

	*out = (struct live_end){ .process = process, .pid = scan->processes[process].pid, .fd = fd };
	if (dirfd < 0)
		return sys_own_trouble(dirfd);
	snprintf(name, sizeof(name), "fd/%d", fd);
	r = look(dirfd, name, target, out);
	if (!r && out->class == LIVE_EVENTFD)
		r = read_id(dirfd, out);
	if (!r)
		r = keep_path(scan, out);
	return sys_own_trouble(r);
}

/* Threads of a process often wait for the same. */
int live_open_look(struct live_scan *scan, uint32_t process, int fd, struct live_end *out)
{
	int r = begin(scan);

	if (r)
		return r;
	if (!scan->opens->looked || scan->opens->last.process != process || scan->opens->last.fd != fd)
		r = look_now(scan, process, fd, &scan->opens->last);
	scan->opens->looked = !r;
	*out = scan->opens->last;
	return r;
}

/* ---- all of them ---- */

static bool is_wanted(const struct reading *reading, const struct live_end *end)
{
	if (reading->device)
		return end->class == LIVE_FILE && end->device == *reading->device;
	return end->class != LIVE_OTHER && end->class != LIVE_FILE && end->class != LIVE_PIDFD;
}

static int visit_fd(int dir, const char *name, pid_t fd, void *arg)
{
	struct reading *reading = arg;
	struct live_opens *opens = reading->opens;
	struct live_end end = reading->at, *larger;
	char target[PATH_MAX];
	int r;

	end.fd = fd;
	r = look(dir, name, target, &end);
	if (r || !is_wanted(reading, &end))
		return r;
	r = keep_path(reading->scan, &end);
	larger = r ? NULL : array_room(opens->ends, opens->nends, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	opens->ends = larger;
	larger[opens->nends++] = end;
	return 0;
}

/* opened: to be closed, or -1. */
static int reach(struct live_scan *scan, pid_t pid, uint32_t process, int *opened)
{
	char name[16];

	*opened = -1;
	if (process != IPCKIT_NONE)
		return live_directory(scan, process);
	snprintf(name, sizeof(name), "%d", (int)pid);
	*opened = sys_openat(scan->root, name, O_RDONLY | O_DIRECTORY, 0);
	return *opened;
}

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH;
}

/* The thread through which it was reached may have ended, while others go on with all that is open. */
static int read_through_others(struct reading *reading)
{
	const struct live_scan *scan = reading->scan;
	const struct live_process *process = &scan->processes[reading->at.process];
	char path[LIVE_PATH_ROOM];
	int r = -ESRCH;

	for (uint32_t i = 0; is_gone(r) && i < process->nthreads; i++) {
		live_path(path, process->pid, scan->threads[process->first + i].tid, "fd");
		r = proc_walk_names(scan->root, path, visit_fd, reading);
	}
	return r;
}

/* One that vanishes under the eye is normal. */
static int read_process(struct reading *reading)
{
	int opened, dirfd = reach(reading->scan, reading->at.pid, reading->at.process, &opened);
	int r = dirfd < 0 ? dirfd : proc_walk_names(dirfd, "fd", visit_fd, reading);

	if (is_gone(r) && reading->at.process != IPCKIT_NONE)
		r = read_through_others(reading);
	if (sys_is_denial(r)) {
		r = dirfd < 0 ? 1 : proc_has_memory(dirfd);
		reading->opens->refused = reading->opens->refused || r > 0;
	}
	if (opened >= 0)
		close(opened);
	return sys_own_trouble(r);
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return array_order(x, y);
}

/* Of zombies and threads of the kernel nothing is open. */
static bool has_none(const struct live_scan *scan, uint32_t process)
{
	return process != IPCKIT_NONE && !scan->processes[process].nthreads && !scan->processes[process].hidden;
}

static int visit_process(int root, const char *name, pid_t pid, void *arg)
{
	struct reading *reading = arg;
	pid_t *larger;

	(void)root;
	(void)name;
	if (reading->known && bsearch(&pid, reading->seen, reading->known, sizeof(pid), by_pid))
		return 0;
	larger = array_room(reading->seen, reading->nseen, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	reading->seen = larger;
	larger[reading->nseen++] = pid;
	reading->at = (struct live_end){ .pid = pid, .process = live_find_process(reading->scan, pid) };
	return has_none(reading->scan, reading->at.process) ? 0 : read_process(reading);
}

static int by_identity(const struct live_end *a, const struct live_end *b)
{
	return array_order(a->class, b->class) ?: array_order(a->device, b->device) ?: array_order(a->inode, b->inode);
}

static int by_end(const void *a, const void *b)
{
	const struct live_end *x = a, *y = b;

	return by_identity(x, y) ?: by_pid(&x->pid, &y->pid) ?: array_order(x->fd, y->fd);
}

static void sort_ends(struct live_opens *opens)
{
	if (opens->nends)
		qsort(opens->ends, opens->nends, sizeof(*opens->ends), by_end);
}

/* Whoever hands an end on to a child, and ends, may do so behind our back: so long as there are new ones they are
 * looked at, too. */
static int walk(struct live_scan *scan, const uint64_t *device)
{
	struct reading reading = { .scan = scan, .opens = scan->opens, .device = device };
	int r = 0;

	for (int round = 0; !r && round < ROUNDS; round++) {
		r = proc_walk_names(scan->root, ".", visit_process, &reading);
		if (r || reading.nseen == reading.known)
			break;
		reading.known = reading.nseen;
		qsort(reading.seen, reading.nseen, sizeof(*reading.seen), by_pid);
	}
	free(reading.seen);
	sort_ends(scan->opens);
	return r;
}

/* ---- finding ---- */

static size_t find(const struct live_opens *opens, const struct live_end *of, const struct live_end **first)
{
	size_t low = 0, high = opens->nends, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_identity(&opens->ends[middle], of) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < opens->nends && !by_identity(&opens->ends[end], of); end++)
		;
	*first = opens->nends ? opens->ends + low : NULL;
	return end - low;
}

static int walk_files(struct live_scan *scan, uint64_t device)
{
	struct live_opens *opens = scan->opens;
	uint64_t *larger;

	for (size_t i = 0; i < opens->ndevices; i++)
		if (opens->devices[i] == device)
			return 0;
	larger = array_room(opens->devices, opens->ndevices, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	opens->devices = larger;
	larger[opens->ndevices++] = device;
	return walk(scan, &device);
}

static int walk_others(struct live_scan *scan)
{
	if (scan->opens->walked)
		return 0;
	scan->opens->walked = true;
	return walk(scan, NULL);
}

/* The kernel tells them apart in fdinfo alone. Those of a process lie together, while none has an id. */
static int read_ids(struct live_scan *scan)
{
	const struct live_end none = { .class = LIVE_EVENTFD };
	const struct live_end *first;
	size_t count;
	int r = 0;

	if (scan->opens->ids)
		return 0;
	scan->opens->ids = true;
	count = find(scan->opens, &none, &first);
	for (size_t i = 0; !r && i < count; i++) {
		struct live_end *end = &scan->opens->ends[(size_t)(first - scan->opens->ends) + i];
		int opened, dirfd = reach(scan, end->pid, end->process, &opened);

		r = dirfd < 0 ? dirfd : read_id(dirfd, end);
		if (opened >= 0)
			close(opened);
		r = sys_own_trouble(r);
	}
	sort_ends(scan->opens);
	return r;
}

int live_open_find(struct live_scan *scan, const struct live_end *of, const struct live_end **first, size_t *count)
{
	int r = begin(scan);

	if (!r)
		r = of->class == LIVE_FILE ? walk_files(scan, of->device) : walk_others(scan);
	if (!r && of->class == LIVE_EVENTFD)
		r = read_ids(scan);
	*count = r ? 0 : find(scan->opens, of, first);
	return r;
}

/* ---- what is not seen ---- */

static bool carries(struct live_scan *scan, const struct live_end *end)
{
	char path[48], text[1024];
	const char *at;
	uint64_t n = 0;

	snprintf(path, sizeof(path), "%d/fdinfo/%d", (int)end->pid, end->fd);
	if (proc_read_into(scan->root, path, text, sizeof(text)) < 0)
		return false;
	at = strstr(text, "\nscm_fds:");
	if (!at)
		return false;
	at += strlen("\nscm_fds:");
	scan_blanks(&at);
	return scan_number(&at, 10, &n) && n;
}

/* What is sent through a socket is nobody's until it is received: whoever that will be may come to hold anything.
 */
static void look_for_flying(struct live_scan *scan)
{
	struct live_opens *opens = scan->opens;
	bool flying = false;

	for (size_t i = 0; !flying && i < opens->nends; i++) {
		const struct live_end *end = &opens->ends[i];

		if (end->class == LIVE_SOCKET && (!i || by_identity(end - 1, end)))
			flying = carries(scan, end);
	}
	opens->flying = ipckit_known(flying);
}

/* After unshare(2) of them, say: those of a process are told by its first thread's. */
static bool has_table(const struct live_scan *scan, const struct live_process *process)
{
	const struct live_thread *threads = scan->threads + process->first;

	for (uint32_t t = 1; t < process->nthreads; t++)
		if (sys_kcmp(threads->tid, threads[t].tid, KCMP_FILES) > 0)
			return true;
	return false;
}

static void look_for_tables(struct live_scan *scan)
{
	bool apart = false;

	for (size_t p = 0; scan->real && !apart && p < scan->nprocesses; p++)
		apart = has_table(scan, &scan->processes[p]);
	scan->opens->apart = ipckit_known(apart);
}

int live_open_is_partial(struct live_scan *scan)
{
	int r = begin(scan);

	if (r || live_is_partial(scan))
		return r ? r : 1;
	r = walk_others(scan);
	if (r || scan->opens->refused)
		return r ? r : 1;
	if (!scan->opens->flying.known)
		look_for_flying(scan);
	if (!scan->opens->apart.known)
		look_for_tables(scan);
	return scan->opens->flying.value || scan->opens->apart.value;
}

void live_opens_free(struct live_opens *opens)
{
	if (!opens)
		return;
	channel_sockets_free(&opens->sockets);
	free(opens->ends);
	free(opens->devices);
	free(opens);
}
