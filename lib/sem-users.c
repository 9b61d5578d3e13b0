/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-users.h"
#include "sem-walk.h"
#include "sys.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* ---- finding a semaphore by its identity ---- */

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_file(const void *a, const void *b)
{
	const struct ipckit_sem_info *x = *(struct ipckit_sem_info *const *)a;
	const struct ipckit_sem_info *y = *(struct ipckit_sem_info *const *)b;

	return by_number(x->device, y->device) ?: by_number(x->inode, y->inode);
}

static int by_id(const void *a, const void *b)
{
	const struct ipckit_sem_info *x = *(struct ipckit_sem_info *const *)a;
	const struct ipckit_sem_info *y = *(struct ipckit_sem_info *const *)b;

	return by_number((uint64_t)x->id.value, (uint64_t)y->id.value);
}

/* The first of those that are not below the key. */
static size_t find_first(struct ipckit_sem_info *const *list, size_t count,
			 const struct ipckit_sem_info *key,
			 int (*compare)(const void *, const void *))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&list[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ipckit_sem_info *find_id(struct ipckit_sem_info *const *list, size_t count,
				       int64_t id)
{
	const struct ipckit_sem_info key = { .id = ipckit_known(id) };
	size_t i = find_first(list, count, &key, by_id);

	return i < count && list[i]->id.value == id ? list[i] : NULL;
}

struct ipckit_sem_info *walk_find_set(const struct walk *walk, int64_t id)
{
	return find_id(walk->sets, walk->nsets, id);
}

/* ---- files and eventfds ---- */

static int add_hit(struct walk *walk, const struct hit *hit)
{
	struct hit *larger;
	size_t room;

	if (walk->nhits == walk->room) {
		room = walk->room ? walk->room * 2 : 16;
		larger = reallocarray(walk->hits, room, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		walk->hits = larger;
		walk->room = room;
	}
	walk->hits[walk->nhits++] = *hit;
	return 0;
}

struct looking {
	struct walk *walk;
	struct seen *seen;
	bool has_memory;
};

static bool covers(const struct proc_map *map, uint64_t offset)
{
	return offset + sizeof(sem_t) > map->offset &&
	       offset < map->offset + (map->end - map->start);
}

static int look_at_map(const struct proc_map *map, void *arg)
{
	struct looking *looking = arg;
	struct walk *walk = looking->walk;
	const struct ipckit_sem_info key = { .device = makedev(map->major, map->minor),
					     .inode = map->inode };
	const struct ipckit_sem_info *wanted = &key;
	int r = 0;

	looking->has_memory = true;
	if (!map->inode)
		return 0;
	for (size_t i = find_first(walk->files, walk->nfiles, &key, by_file);
	     !r && i < walk->nfiles && !by_file(&walk->files[i], &wanted); i++) {
		struct hit hit = { .info = walk->files[i],
				   .evidence = IPCKIT_SEEN_MAPPED,
				   .offset = map->offset };

		/* In a private mapping nobody sleeps on what others change. */
		if (map->shared) {
			hit.start = map->start;
			hit.end = map->end;
		}
		if (covers(map, hit.info->offset))
			r = add_hit(walk, &hit);
	}
	return r;
}

static int look_at_eventfd(struct walk *walk, int dirfd, int fd)
{
	struct hit hit = { .evidence = IPCKIT_SEEN_OPEN };
	uint64_t id;
	int r = proc_fdinfo_field(dirfd, fd, "eventfd-id:", 10, &id);

	/* Other kinds of descriptor have the same inode, and some are closed meanwhile. */
	if (r)
		return r == -ENOMEM ? r : 0;
	hit.info = find_id(walk->eventfds, walk->neventfds, (int64_t)id);
	return hit.info ? add_hit(walk, &hit) : 0;
}

static int look_at_fd(int dirfd, const struct proc_fd *fd, void *arg)
{
	struct looking *looking = arg;
	struct walk *walk = looking->walk;
	const struct ipckit_sem_info key = { .device = fd->device, .inode = fd->inode };
	const struct ipckit_sem_info *wanted = &key;
	int r = 0;

	if (walk->neventfds && !by_file(&walk->eventfds[0], &wanted))
		return look_at_eventfd(walk, dirfd, fd->fd);
	for (size_t i = find_first(walk->files, walk->nfiles, &key, by_file);
	     !r && i < walk->nfiles && !by_file(&walk->files[i], &wanted); i++) {
		struct hit hit = { .info = walk->files[i], .evidence = IPCKIT_SEEN_OPEN };

		r = add_hit(walk, &hit);
	}
	return r;
}

/* A process is one user, however often it has it: mappings come first. */
static int note_hit(struct seen *seen, const struct hit *hit, const struct guardian *guardian)
{
	const struct ipckit_process how = { .tid = seen->pid, .evidence = hit->evidence };
	struct ipckit_processes *users = &hit->info->users;
	int r;

	if (users->count && users->list[users->count - 1].pid == seen->pid)
		return 0;
	r = walk_add(seen, &how, users);
	return !r && guardian ? guardian_note(guardian, hit->info) : r;
}

static int note_hits(struct walk *walk, struct seen *seen, bool *waits)
{
	struct guardian *guardian;
	int r = guardian_read(walk, seen, &guardian);

	for (size_t i = 0; !r && i < walk->nhits; i++)
		r = note_hit(seen, &walk->hits[i], guardian);
	*waits = guardian_waits(guardian);
	guardian_free(guardian);
	return r;
}

/* Whether its threads are to be looked at for files. */
static int look_at_files(struct walk *walk, struct seen *seen, bool *threads)
{
	struct looking looking = { .walk = walk, .seen = seen };
	bool waits;
	int r;

	*threads = false;
	walk->nhits = 0;
	if (walk->nfiles) {
		r = seen_allow(seen, proc_maps_walk(seen->dirfd, look_at_map, NULL, &looking));
		/* Kernel threads and zombies have neither memory nor files. */
		if (r || (!seen->denied && !looking.has_memory))
			return r;
	}
	r = seen_allow(seen, proc_fds_walk(seen->dirfd, look_at_fd, &looking));
	if (r || !walk->nhits)
		return r;
	r = note_hits(walk, seen, &waits);
	*threads = walk->nfiles && !waits;
	return r;
}

/* ---- System V ---- */

/* Ids mean something only in the reader's IPC namespace. */
static int shares_sets(const struct walk *walk, struct seen *seen, bool *shares)
{
	uint64_t ipc;
	int r = proc_namespace(seen->dirfd, "ipc", &ipc);

	*shares = !r && (!walk->ipc || ipc == walk->ipc);
	return seen_allow(seen, r);
}

static int look_at_process(struct walk *walk, struct seen *seen)
{
	bool files = false, sets = false;
	int r = 0;

	if (walk->nfiles || walk->neventfds)
		r = look_at_files(walk, seen, &files);
	if (!r && walk->nsets)
		r = shares_sets(walk, seen, &sets);
	if (!r && sets)
		r = note_job(walk, seen);
	return !r && (files || sets) ? note_blocked(walk, seen, files, sets) : r;
}

/* Of kernel threads and zombies there is nothing to be known. */
static bool has_memory(const struct seen *seen)
{
	struct proc_status status;
	int r;

	if (seen->dirfd < 0)
		return true;
	r = proc_status_read(seen->dirfd, &status);
	return r ? r != -ESRCH && r != -ENOENT : status.has_mm;
}

static int visit_process(int dirfd, pid_t pid, void *arg)
{
	struct seen seen = { .dirfd = dirfd, .pid = pid, .denied = dirfd < 0 };
	struct walk *walk = arg;
	int r = 0;

	/* The reader is no user of what it looks at, but a job that became one still holds. */
	if (pid == walk->self)
		r = walk->nsets && dirfd >= 0 ? note_job(walk, &seen) : 0;
	else if (dirfd >= 0)
		r = look_at_process(walk, &seen);
	seen_clear(&seen);
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	/* One that vanishes under the eye is normal; of one that cannot be understood nothing is
	 * known. */
	if ((r && r != -ESRCH && r != -ENOENT) || (seen.denied && has_memory(&seen)))
		walk->unreadable++;
	return 0;
}

/* ---- the last pids of sets ---- */

static bool is_user(const struct ipckit_sem_info *info, pid_t pid)
{
	for (size_t i = 0; i < info->users.count; i++)
		if (info->users.list[i].pid == pid)
			return true;
	return false;
}

/* Alive, and not one that got the pid later. */
static bool is_last_user(const struct walk *walk, const struct seen *seen,
			 const struct ipckit_sem_info *info)
{
	int64_t use = info->otime.known && info->otime.value > info->ctime.value
			      ? info->otime.value
			      : info->ctime.value;

	if (seen->stat.state == 'Z' || seen->stat.state == 'X')
		return false;
	return !info->ctime.known || proc_start_time(&seen->stat, walk->boot) <= use + CLOCK_SLACK;
}

static int note_last_pid(const struct walk *walk, struct ipckit_sem_info *info, pid_t pid)
{
	const struct ipckit_process how = { .tid = pid, .evidence = IPCKIT_SEEN_LAST_PID };
	struct seen seen = { .pid = pid };
	char name[16];
	int r;

	if (pid == walk->self || is_user(info, pid))
		return 0;
	snprintf(name, sizeof(name), "%d", (int)pid);
	seen.dirfd = sys_openat(walk->root, name, O_RDONLY | O_DIRECTORY, 0);
	if (seen.dirfd < 0)
		return seen.dirfd;
	r = seen_describe(&seen);
	if (!r && is_last_user(walk, &seen, info))
		r = walk_add(&seen, &how, &info->users);
	seen_clear(&seen);
	close(seen.dirfd);
	return r;
}

static int note_last_pids(const struct walk *walk, struct ipckit_sem_info *info)
{
	pid_t before = 0;

	if (!info->semaphores)
		return 0;
	for (int64_t i = 0; i < info->nsems.value; i++) {
		const struct ipckit_maybe *pid = &info->semaphores[i].pid;
		int r;

		/* Mostly all semaphores of a set have the same. */
		if (!pid->known || pid->value <= 0 || pid->value == before)
			continue;
		before = (pid_t)pid->value;
		r = note_last_pid(walk, info, before);
		if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
			return r;
	}
	return 0;
}

/* ---- the walk ---- */

/* The number of threads that the kernel says sleep on a set. */
static struct ipckit_maybe sleepers(const struct ipckit_sem_info *info)
{
	int64_t n = 0;

	if (!info->semaphores || !info->nsems.known)
		return ipckit_unknown();
	for (int64_t i = 0; i < info->nsems.value; i++) {
		const struct ipckit_sem_slot *slot = &info->semaphores[i];

		if (!slot->ncnt.known || !slot->zcnt.known)
			return ipckit_unknown();
		n += slot->ncnt.value + slot->zcnt.value;
	}
	return ipckit_known(n);
}

/*
 * The count of who was found holds where every process could be looked at. Else
 * the object's own count tells whether some are missing: libc's is never too low.
 */
static void settle_waiters(struct ipckit_sem_info *info, bool partial)
{
	bool set = info->backend == IPCKIT_SEM_SYSV;
	struct ipckit_maybe told = set ? sleepers(info) : info->waiters_recorded;

	if (!info->waiters.known || (told.known && told.value <= info->waiters.value))
		return;
	if (set && told.known) {
		info->waiters = told;
	} else if (partial) {
		info->waiters = ipckit_unknown();
		sem_note_gap(info, "waiters", EACCES);
	}
}

static void finish(const struct walk *walk, bool hides, struct ipckit_sem_info *info)
{
	info->unreadable_processes = hides ? ipckit_unknown() : ipckit_known(walk->unreadable);
	if (hides)
		sem_note_gap(info, "unreadable_processes", EPERM);
	settle_waiters(info, hides || walk->unreadable);
}

static void file_under(struct walk *walk, struct ipckit_sem_info *info)
{
	struct ipckit_maybe told;

	info->waiters = ipckit_known(0);
	switch (info->backend) {
	case IPCKIT_SEM_POSIX:
	case IPCKIT_SEM_UNNAMED:
		walk->files[walk->nfiles++] = info;
		break;
	case IPCKIT_SEM_EVENTFD:
		/* Who polls it cannot be told from who polls something else; only guardians can. */
		info->waiters = ipckit_unknown();
		sem_note_gap(info, "waiters", EOPNOTSUPP);
		if (info->id.known)
			walk->eventfds[walk->neventfds++] = info;
		break;
	case IPCKIT_SEM_SYSV:
		told = sleepers(info);
		walk->set_waiters = walk->set_waiters || !told.known || told.value > 0;
		walk->sets[walk->nsets++] = info;
		break;
	case IPCKIT_SEM_FILE:
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

static int set_up(int root, struct ipckit_sem_info *infos, size_t count, struct walk *walk)
{
	walk->root = root;
	walk->files = reallocarray(NULL, count ?: 1, 3 * sizeof(*walk->files));
	if (!walk->files)
		return -ENOMEM;
	walk->sets = walk->files + count;
	walk->eventfds = walk->sets + count;
	for (size_t i = 0; i < count; i++)
		file_under(walk, &infos[i]);
	qsort(walk->files, walk->nfiles, sizeof(*walk->files), by_file);
	qsort(walk->sets, walk->nsets, sizeof(*walk->sets), by_id);
	qsort(walk->eventfds, walk->neventfds, sizeof(*walk->eventfds), by_id);
	find_self(walk);
	return proc_boot_time(root, &walk->boot);
}

int sem_users_fill(int root, struct ipckit_sem_info *infos, size_t count)
{
	struct walk walk = { 0 };
	int hides = proc_hides(root);
	int r = hides < 0 ? hides : set_up(root, infos, count, &walk);

	if (!r)
		r = proc_walk(root, ".", visit_process, &walk);
	for (size_t i = 0; !r && i < walk.nsets; i++)
		r = note_last_pids(&walk, walk.sets[i]);
	for (size_t i = 0; !r && i < count; i++)
		finish(&walk, hides > 0, &infos[i]);
	free(walk.files);
	free(walk.hits);
	return r;
}

int sem_users_blocked(uint64_t device, uint64_t inode, uint64_t offset)
{
	struct ipckit_sem_info info = {
		.backend = IPCKIT_SEM_UNNAMED,
		.device = device,
		.inode = inode,
		.offset = offset,
		/* Strangers' processes, which may not be looked at, are not taken for waiters. */
		.waiters_recorded = ipckit_known(0),
	};
	int root, blocked;
	int r = proc_open("/proc", &root);

	if (r)
		return r;
	r = sem_users_fill(root, &info, 1);
	close(root);
	blocked = info.waiters.known ? (int)info.waiters.value : 1;
	sem_users_clear(&info);
	return r ? r : blocked;
}
