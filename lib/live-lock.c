/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-lock.h"
#include "array.h"
#include "sys.h"

/* A lock at a descriptor. Whoever has the open file that it was taken by has it, too. */
struct held {
	uint64_t device, inode;
	struct live_lock lock;
	uint32_t process;
	int fd;
};

struct locking {
	struct live_scan *scan;
	struct live_request *requests;
	size_t nrequests;
	struct held *held; /* of the files in requests; by file, lock, process */
	size_t nheld;
	struct live_locks all; /* in order */
	bool partial;          /* of some process not all descriptors were seen */
	uint32_t process;      /* that is looked at */
	struct live_locks few; /* of one descriptor */
};

static int look_at(struct locking *locking, uint32_t thread)
{
	struct live_request request, *larger;
	bool known;
	int r = live_lock_ask(locking->scan, thread, &request, &known);

	if (r || !known)
		return r;
	larger = array_room(locking->requests, locking->nrequests, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	locking->requests = larger;
	larger[locking->nrequests++] = request;
	return 0;
}

/* ---- what is held ---- */

static int by_file(const void *a, const void *b)
{
	const struct live_request *x = a, *y = b;

	return array_order(x->device, y->device) ?: array_order(x->inode, y->inode);
}

static int by_lock(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return array_order(x->device, y->device) ?: array_order(x->inode, y->inode) ?:
	       live_lock_order(&x->lock, &y->lock) ?: array_order(x->process, y->process) ?:
	       array_order(x->fd, y->fd);
}

static int add_held(struct locking *locking, const struct held *held)
{
	struct held *larger = array_room(locking->held, locking->nheld, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	locking->held = larger;
	larger[locking->nheld++] = *held;
	return 0;
}

static int visit_descriptor(int dirfd, const struct proc_fd *fd, void *arg)
{
	struct locking *locking = arg;
	const struct live_request key = { .device = fd->device, .inode = fd->inode };
	uint64_t inode;
	int r;

	if (!bsearch(&key, locking->requests, locking->nrequests, sizeof(key), by_file))
		return 0;
	locking->few.count = 0;
	r = live_locks_of(dirfd, fd->fd, &locking->few, &inode);
	if (r == -ENOENT || r == -ESRCH)
		return 0;
	for (size_t i = 0; !r && i < locking->few.count; i++) {
		const struct held held = { fd->device, fd->inode, locking->few.list[i], locking->process, fd->fd };

		r = add_held(locking, &held);
	}
	return r;
}

static int look_for_held(struct locking *locking)
{
	struct live_scan *scan = locking->scan;

	qsort(locking->requests, locking->nrequests, sizeof(*locking->requests), by_file);
	for (uint32_t p = 0; p < scan->nprocesses; p++) {
		int dirfd, r;

		if (!scan->processes[p].nthreads)
			continue;
		dirfd = live_directory(scan, p);
		locking->process = p;
		r = dirfd < 0 ? dirfd : proc_fds_walk(dirfd, visit_descriptor, locking);
		if (sys_lacks_resources(r))
			return r;
		locking->partial = locking->partial || (r && r != -ENOENT && r != -ESRCH);
	}
	if (locking->nheld)
		qsort(locking->held, locking->nheld, sizeof(*locking->held), by_lock);
	return 0;
}

/* ---- who holds what is asked for ---- */

/* Entries of one lock; of several that look alike, where these are OFD locks or who took them is not seen. */
struct group {
	const struct held *entries;
	size_t count;
};

static struct group next_group(const struct locking *locking, size_t *at)
{
	struct group group = { &locking->held[*at], 0 };

	for (; *at < locking->nheld; (*at)++, group.count++)
		if (array_order(locking->held[*at].device, group.entries->device) ||
		    array_order(locking->held[*at].inode, group.entries->inode) ||
		    live_lock_order(&locking->held[*at].lock, &group.entries->lock))
			break;
	return group;
}

/* How many descriptors of a process there are. */
static size_t count_of(const struct group *group, uint32_t process)
{
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++)
		count += group->entries[i].process == process;
	return count;
}

static bool has_descriptor(const struct group *group, uint32_t process, int fd)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->entries[i].process == process && group->entries[i].fd == fd)
			return true;
	return false;
}

/* Whether the waiter is in its own way by nothing of this; *spared: its process has none of the others. */
static bool is_own(const struct locking *locking, const struct live_request *request, const struct group *group,
		   bool *spared)
{
	uint32_t process = locking->scan->threads[request->thread].process;
	enum live_lock_kind kind = group->entries->lock.kind;

	*spared = false;
	if (kind != request->lock.kind)
		return false;
	if (kind == LIVE_LOCK_POSIX)
		return count_of(group, process);
	if (!has_descriptor(group, process, request->fd))
		return false;
	*spared = count_of(group, process) == 1;
	return kind == LIVE_LOCK_FLOCK || live_locks_same(&locking->all, &group->entries->lock) < 2;
}

/* The holders of a group that count: how many processes, and *one of them. */
static size_t count_holders(const struct group *group, uint32_t spared, uint32_t *one)
{
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		uint32_t process = group->entries[i].process;

		if (process == spared || (i && process == group->entries[i - 1].process))
			continue;
		*one = process;
		count++;
	}
	return count;
}

static int add_holders(struct live_scan *scan, const struct group *group, uint32_t spared)
{
	int r = 0;

	for (size_t i = 0; !r && i < group->count; i++)
		if (group->entries[i].process != spared)
			r = live_held_by_process(scan, group->entries[i].process);
	return r;
}

/* ---- edges ---- */

static const char *tell_file(struct live_scan *scan, const struct live_request *request,
			     const struct live_lock *lock)
{
	int dirfd = live_directory(scan, scan->threads[request->thread].process);
	char name[32], path[PATH_MAX];
	ssize_t length;

	snprintf(name, sizeof(name), "fd/%d", request->fd);
	length = dirfd < 0 ? -1 : readlinkat(dirfd, name, path, sizeof(path));
	if (length < 0)
		length = snprintf(path, sizeof(path), "descriptor %d", request->fd);
	if (lock->start == 0 && lock->end == LIVE_LOCK_END)
		return live_text(scan, "%.*s", (int)length, path);
	if (lock->start == lock->end)
		return live_text(scan, "%.*s byte %lld", (int)length, path, (long long)lock->start);
	if (lock->end == LIVE_LOCK_END)
		return live_text(scan, "%.*s from byte %lld", (int)length, path, (long long)lock->start);
	return live_text(scan, "%.*s bytes %lld-%lld", (int)length, path, (long long)lock->start,
			 (long long)lock->end);
}

static int begin_wait(struct locking *locking, const struct live_request *request, const struct live_lock *lock,
		      bool any)
{
	static const enum ipckit_live_kind kinds[] = {
		[LIVE_LOCK_FLOCK] = IPCKIT_LIVE_FLOCK,
		[LIVE_LOCK_POSIX] = IPCKIT_LIVE_POSIX_LOCK,
		[LIVE_LOCK_OFD] = IPCKIT_LIVE_OFD_LOCK,
	};
	bool flock = lock->kind == LIVE_LOCK_FLOCK;
	struct live_how how = {
		.kind = kinds[lock->kind],
		.mode = lock->exclusive ? flock ? "exclusive" : "write" : flock ? "shared" : "read",
		.resource = tell_file(locking->scan, request, lock),
		.any = any,
	};
	int r = how.resource ? live_wait(locking->scan, request->thread, &how) : -ENOMEM;

	if (!r && (locking->partial || live_is_partial(locking->scan)))
		live_weaken(locking->scan, IPCKIT_LIVE_INFERRED, "there may be holders that are not seen");
	return r;
}

/* What is in the way of a request: locks of one process each, all of which have to go, or else one of several. */
struct obstacles {
	struct group any;
	uint32_t any_spared;
	bool begun;
};

static bool is_in_the_way(const struct live_lock *held, const struct live_lock *lock)
{
	return held->inode == lock->inode && held->major == lock->major && held->minor == lock->minor &&
	       live_lock_conflicts(held, lock);
}

static int add_group(struct locking *locking, const struct live_request *request, const struct live_lock *lock,
		     const struct group *group, struct obstacles *found)
{
	uint32_t process = locking->scan->threads[request->thread].process, one = process;
	size_t holders;
	bool spared;
	int r = 0;

	if (!is_in_the_way(&group->entries->lock, lock) || is_own(locking, request, group, &spared))
		return 0;
	holders = count_holders(group, spared ? process : IPCKIT_NONE, &one);
	if (holders > 1 && !found->any.count) {
		found->any = *group;
		found->any_spared = spared ? process : IPCKIT_NONE;
	}
	if (holders != 1)
		return 0;
	if (!found->begun)
		r = begin_wait(locking, request, lock, false);
	found->begun = true;
	return r ? r : live_held_by_process(locking->scan, one);
}

/* The first entry of a file. */
static size_t find_file(const struct locking *locking, const struct live_request *request)
{
	size_t low = 0, high = locking->nheld;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct held *held = &locking->held[middle];

		if ((array_order(held->device, request->device) ?: array_order(held->inode, request->inode)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct held *held, const struct live_request *request)
{
	return held->device == request->device && held->inode == request->inode;
}

/*
 * A lock that was taken by somebody who has ended is left out of /proc/locks, and with it who waits for it, where
 * the reader is in a PID namespace of its own. NULL: there is none such.
 */
static const struct live_lock *find_unlisted(const struct locking *locking, const struct live_request *request,
					     struct live_lock *out)
{
	if (!locking->scan->other_pids || request->lock.kind != LIVE_LOCK_FLOCK)
		return NULL;
	for (size_t i = find_file(locking, request); i < locking->nheld; i++) {
		const struct held *held = &locking->held[i];

		if (!is_of(held, request))
			break;
		if (held->lock.pid || held->lock.inode != request->lock.inode ||
		    !live_lock_conflicts(&held->lock, &request->lock))
			continue;
		*out = request->lock;
		out->major = held->lock.major;
		out->minor = held->lock.minor;
		return out;
	}
	return NULL;
}

static int add_edge(struct locking *locking, const struct live_request *request)
{
	struct obstacles found = { 0 };
	struct live_lock unlisted;
	const struct live_lock *lock = live_locks_waiter(&locking->all, &request->lock, request->ranged) ?:
				       find_unlisted(locking, request, &unlisted);
	size_t i = find_file(locking, request);
	int r = 0;

	while (lock && !r && i < locking->nheld && is_of(&locking->held[i], request)) {
		struct group group = next_group(locking, &i);

		r = add_group(locking, request, lock, &group, &found);
	}
	if (r || found.begun || !found.any.count)
		return r;
	r = begin_wait(locking, request, lock, true);
	return r ? r : add_holders(locking->scan, &found.any, found.any_spared);
}

static int collect(struct locking *locking)
{
	int r = 0;

	for (uint32_t t = 0; !r && t < locking->scan->nthreads; t++)
		r = look_at(locking, t);
	if (r || !locking->nrequests)
		return r;
	r = live_locks_read(locking->scan->root, &locking->all);
	if (r)
		return sys_own_trouble(r);
	r = look_for_held(locking);
	for (size_t i = 0; !r && i < locking->nrequests; i++)
		r = add_edge(locking, &locking->requests[i]);
	return r;
}

int live_collect_lock(struct live_scan *scan)
{
	struct locking locking = { .scan = scan };
	int r = collect(&locking);

	free(locking.requests);
	free(locking.held);
	free(locking.all.list);
	free(locking.few.list);
	return r;
}
