/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "users.h"
#include "sys.h"
#include "users-walk.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_sysv(const struct watched *watched)
{
	return watched->kind == WATCHED_SEM_SET || watched->kind == WATCHED_MSG_QUEUE;
}

/* ---- processes ---- */

static int look_at_process(struct walk *walk, struct seen *seen)
{
	bool files = false, sysv = false;
	int r = 0;

	if (walk->files.count || walk->eventfds.count || walk->segments.count)
		r = note_files(walk, seen, &files);
	if (!r && (walk->sets.count || walk->queues.count))
		r = seen_shares_ids(walk, seen, &sysv);
	if (!r && sysv && walk->sets.count)
		r = note_job(walk, seen);
	return !r && (files || sysv) ? note_blocked(walk, seen, files, sysv) : r;
}

/* The reader is no user of what it looks at, but a job that became one still holds. */
static int look_at_self(struct walk *walk, struct seen *self)
{
	int r = 0;

	if (self->dirfd < 0)
		return 0;
	if (walk->sets.count)
		r = note_job(walk, self);
	return !r && walk->segments.count ? count_own_segments(walk, self) : r;
}

static int visit_process(int dirfd, pid_t pid, void *arg)
{
	struct seen seen = { .dirfd = dirfd, .pid = pid, .denied = dirfd < 0 };
	struct walk *walk = arg;
	int r = 0;

	if (pid == walk->self)
		r = look_at_self(walk, &seen);
	else if (dirfd >= 0)
		r = look_at_process(walk, &seen);
	seen_clear(&seen);
	if (sys_lacks_resources(r))
		return r;
	/* One that vanishes under the eye is normal; of one that cannot be understood nothing is
	 * known. */
	if ((r && r != -ESRCH && r != -ENOENT) || (seen.denied && (dirfd < 0 || proc_has_memory(dirfd))))
		walk->unreadable++;
	return 0;
}

/* ---- the last pids of System V objects ---- */

static bool is_user(const struct ipckit_usage *usage, pid_t pid)
{
	for (size_t i = 0; i < usage->users.count; i++)
		if (usage->users.list[i].pid == pid)
			return true;
	return false;
}

/* Alive, and not one that got the pid later. */
static bool is_last_user(const struct walk *walk, const struct seen *seen, const struct watched *watched)
{
	if (seen->hidden)
		return true;
	if (seen->stat.state == 'Z' || seen->stat.state == 'X')
		return false;
	return !watched->last_use.known ||
	       proc_start_time(&seen->stat, walk->boot) <= watched->last_use.value + CLOCK_SLACK;
}

/* Objects have mostly the same ones: what the last look has said is kept. */
struct last_look {
	struct seen seen;
	int result;
};

static int look_at_pid(const struct walk *walk, pid_t pid, struct last_look *look)
{
	struct seen *seen = &look->seen;
	char name[16];

	if (seen->pid == pid)
		return look->result;
	seen_clear(seen);
	*seen = (struct seen){ .pid = pid };
	snprintf(name, sizeof(name), "%d", (int)pid);
	look->result = seen->dirfd = sys_openat(walk->root, name, O_RDONLY | O_DIRECTORY, 0);
	if (seen->dirfd >= 0) {
		look->result = seen_describe(seen);
		close(seen->dirfd);
	}
	/* It is alive, and nothing more is known. */
	if (look->result == -EACCES || look->result == -EPERM) {
		seen->described = seen->hidden = true;
		look->result = 0;
	}
	return look->result;
}

static int note_last_pid(const struct walk *walk, const struct watched *watched, pid_t pid,
			 struct last_look *look)
{
	const struct ipckit_process how = { .tid = pid, .evidence = IPCKIT_SEEN_LAST_PID };
	int r;

	if (pid <= 0 || pid == walk->self || is_user(watched->usage, pid))
		return 0;
	r = look_at_pid(walk, pid, look);
	if (!r && is_last_user(walk, &look->seen, watched))
		r = walk_add(&look->seen, &how, &watched->usage->users);
	return r;
}

static int note_last_pids(const struct walk *walk, const struct watched *watched, size_t count)
{
	struct last_look look = { 0 };
	int r = 0;

	for (size_t i = 0; !sys_lacks_resources(r) && i < count; i++)
		for (size_t j = 0; !sys_lacks_resources(r) && j < watched[i].nlast_pids; j++)
			r = note_last_pid(walk, &watched[i], watched[i].last_pids[j], &look);
	seen_clear(&look.seen);
	return sys_own_trouble(r);
}

/* ---- the walk ---- */

/*
 * The count of who was found holds where every process could be looked at. Else
 * the object's own count tells whether some are missing.
 */
static void settle_waiters(struct watched *watched, bool partial)
{
	const struct ipckit_maybe *told = &watched->told_waiters;
	struct ipckit_maybe *waiters = &watched->usage->waiters;

	if (!waiters->known || (told->known && told->value <= waiters->value))
		return;
	if (is_sysv(watched) && told->known) {
		*waiters = *told;
	} else if (partial) {
		*waiters = ipckit_unknown();
		gaps_note(watched->gaps, "waiters", EACCES);
	}
}

/* Whether the kernel's count says that nobody was missed. */
static bool is_complete(const struct watched *watched)
{
	return watched->kind == WATCHED_SEGMENT && watched->nattch.known && watched->nattch.value == watched->mapped;
}

static void finish(const struct walk *walk, bool hides, struct watched *watched)
{
	int64_t unreadable = is_complete(watched) ? 0 : walk->unreadable;

	watched->usage->unreadable_processes = hides ? ipckit_unknown() : ipckit_known(unreadable);
	if (hides)
		gaps_note(watched->gaps, "unreadable_processes", EPERM);
	if (watched->kind != WATCHED_FILE && watched->kind != WATCHED_SEGMENT)
		settle_waiters(watched, hides || walk->unreadable);
}

static void put(struct index *index, struct watched *watched)
{
	index->list[index->count++] = watched;
}

static void file_under(struct walk *walk, struct watched *watched)
{
	watched->usage->waiters = ipckit_known(0);
	if (is_sysv(watched) && (!watched->told_waiters.known || watched->told_waiters.value > 0))
		walk->set_waiters = true;
	switch (watched->kind) {
	case WATCHED_WORD:
	case WATCHED_FILE:
		walk->maps = true;
		put(&walk->files, watched);
		break;
	case WATCHED_MQUEUE:
		put(&walk->files, watched);
		break;
	case WATCHED_EVENTFD:
		/* Who polls it cannot be told from who polls something else; only guardians can. */
		watched->usage->waiters = ipckit_unknown();
		gaps_note(watched->gaps, "waiters", EOPNOTSUPP);
		if (watched->id >= 0)
			put(&walk->eventfds, watched);
		break;
	case WATCHED_SEM_SET:
		put(&walk->sets, watched);
		break;
	case WATCHED_MSG_QUEUE:
		put(&walk->queues, watched);
		break;
	case WATCHED_SEGMENT:
		/* Where nobody has it mapped, what looks like it is another namespace's. */
		if (watched->nattch.known && !watched->nattch.value)
			break;
		walk->maps = true;
		walk->devices = watched->devices;
		put(&walk->segments, watched);
		break;
	}
}

/* The reader's own pid and namespaces; what cannot be read stays 0. */
static void find_self(struct walk *walk)
{
	char text[16];
	ssize_t n = sys_result(readlinkat(walk->root, "self", text, sizeof(text) - 1));
	int self;

	if (n <= 0)
		return;
	text[n] = '\0';
	walk->self = (pid_t)strtol(text, NULL, 10);
	self = sys_openat(walk->root, text, O_RDONLY | O_DIRECTORY, 0);
	if (self < 0)
		return;
	if (proc_namespace(self, "ipc", &walk->ipc))
		walk->ipc = 0;
	if (proc_namespace(self, "pid", &walk->pid))
		walk->pid = 0;
	close(self);
}

static int set_up(int root, struct watched *watched, size_t count, struct walk *walk)
{
	struct index *indices[] = { &walk->files, &walk->eventfds, &walk->sets, &walk->queues,
				    &walk->segments };
	const size_t n = sizeof(indices) / sizeof(*indices);
	struct watched **room = reallocarray(NULL, count ?: 1, n * sizeof(*room));

	if (!room)
		return -ENOMEM;
	walk->root = root;
	for (size_t i = 0; i < n; i++)
		indices[i]->list = room + i * count;
	for (size_t i = 0; i < count; i++)
		file_under(walk, &watched[i]);
	for (size_t i = 0; i < n; i++)
		index_sort(indices[i], indices[i] == &walk->files);
	find_self(walk);
	return proc_boot_time(root, &walk->boot);
}

int users_fill(int root, struct watched *watched, size_t count)
{
	struct walk walk = { 0 };
	int hides = proc_hides(root);
	int r = hides < 0 ? hides : set_up(root, watched, count, &walk);

	if (!r)
		r = proc_walk(root, ".", visit_process, &walk);
	if (!r)
		r = look_for_foreign(&walk, watched, count);
	if (!r)
		r = note_last_pids(&walk, watched, count);
	for (size_t i = 0; !r && i < count; i++)
		finish(&walk, hides > 0, &watched[i]);
	free(walk.files.list);
	free(walk.hits);
	return r;
}

int users_look(struct watched *watched, size_t count)
{
	bool all;
	int root;
	int r = proc_open("/proc", &root);

	if (!r) {
		r = users_fill(root, watched, count);
		close(root);
	}
	all = proc_sees_all_pids();
	for (size_t i = 0; i < count; i++)
		watched[i].usage->other_pids = !all;
	if (!r || sys_lacks_resources(r))
		return r;
	for (size_t i = 0; i < count; i++) {
		watched[i].usage->waiters = ipckit_unknown();
		gaps_note(watched[i].gaps, "users", -r);
	}
	return 0;
}
