/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "array.h"
#include "sys.h"

/* ---- the set ---- */

int live_set_add(struct live_set *set, uint32_t process)
{
	uint32_t *larger;

	if (process == IPCKIT_NONE) {
		set->endless = true;
		return 0;
	}
	if (set->count && set->processes[set->count - 1] == process)
		return 0;
	larger = array_room(set->processes, set->count, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	set->processes = larger;
	larger[set->count++] = process;
	return 0;
}

void live_set_free(struct live_set *set)
{
	free(set->processes);
	*set = (struct live_set){ 0 };
}

int live_set_add_ends(struct live_scan *scan, struct live_set *set, const struct live_end *of, bool reads,
		      bool writes)
{
	const struct live_end *ends;
	size_t count, added = 0;
	int r = live_open_find(scan, of, &ends, &count);

	for (size_t i = 0; !r && i < count; i++) {
		if (!(reads && ends[i].reads) && !(writes && ends[i].writes) && (reads || writes))
			continue;
		added++;
		r = live_set_add(set, ends[i].process);
	}
	set->shared = true;
	/* Who has it is not seen. */
	set->endless = set->endless || !added;
	return r;
}

/* ---- descriptors ---- */

/* Whoever writes makes the one end ready, whoever reads the other; ends that are both are polled for either. */
static int add_pipe(struct live_scan *scan, struct live_set *set, const struct live_end *end, bool reading,
		    bool writing)
{
	bool both = end->reads && end->writes;
	bool neither = reading == writing;

	if (!both)
		return live_set_add_ends(scan, set, end, end->writes, end->reads);
	return live_set_add_ends(scan, set, end, writing || neither, reading || neither);
}

/* The kernel counts in them, too. */
static int add_eventfd(struct live_scan *scan, struct live_set *set, const struct live_end *end)
{
	set->unstable = true;
	if (end->inode)
		return live_set_add_ends(scan, set, end, false, false);
	set->endless = true;
	return 0;
}

static int add_pidfd(struct live_scan *scan, struct live_set *set, const struct live_end *end)
{
	int dirfd = live_directory(scan, end->process);
	uint64_t pid;
	int r = dirfd < 0 ? dirfd : proc_fdinfo_field(dirfd, end->fd, "Pid:", 10, &pid);

	if (r || !pid || pid > INT32_MAX) {
		set->endless = true;
		return sys_own_trouble(r);
	}
	return live_set_add(set, live_find_process(scan, (pid_t)pid));
}

int live_set_add_ready(struct live_scan *scan, struct live_set *set, uint32_t thread, const struct live_end *end,
		       bool reading, bool writing)
{
	switch (end->class) {
	case LIVE_PIPE:
	case LIVE_FIFO:
		return add_pipe(scan, set, end, reading, writing);
	case LIVE_EVENTFD:
		return add_eventfd(scan, set, end);
	case LIVE_PIDFD:
		return add_pidfd(scan, set, end);
	case LIVE_SOCKET:
		return live_set_add_peers(scan, set, thread, end, reading, writing);
	default:
		set->endless = true;
		return 0;
	}
}

/* ---- names ---- */

/* Processes may know a file by several: that of the first one is taken for all. */
static const char *name_file(struct live_scan *scan, const struct live_end *end)
{
	const struct live_end *ends;
	size_t count;

	if (live_open_find(scan, end, &ends, &count))
		return NULL;
	return count ? ends->path : end->path;
}

static const char *name_process(struct live_scan *scan, const struct live_end *end)
{
	int dirfd = live_directory(scan, end->process);
	uint64_t pid;

	if (dirfd < 0 || proc_fdinfo_field(dirfd, end->fd, "Pid:", 10, &pid) || pid > INT32_MAX)
		return live_text(scan, "a process");
	return live_text(scan, "process %d", (int)pid);
}

const char *live_open_name(struct live_scan *scan, const struct live_end *end)
{
	switch (end->class) {
	case LIVE_PIPE:
		return live_text(scan, "pipe:[%llu]", (unsigned long long)end->inode);
	case LIVE_SOCKET:
		return live_text(scan, "socket:[%llu]", (unsigned long long)end->inode);
	case LIVE_EVENTFD:
		return live_text(scan, "eventfd:[%llu]", (unsigned long long)end->inode);
	case LIVE_PIDFD:
		return name_process(scan, end);
	default:
		return name_file(scan, end);
	}
}

/* ---- edges ---- */

/* What a process has handed to the kernel to do goes on while its threads wait. */
static int is_worked_for(struct live_scan *scan, const struct live_set *set)
{
	const struct live_end any = { .class = LIVE_RING }, *rings;
	size_t count;
	int r = live_open_find(scan, &any, &rings, &count);

	if (r)
		return r;
	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < set->count; p++)
			if (rings[i].process == set->processes[p])
				return 1;
	return 0;
}

int live_wait_for(struct live_scan *scan, uint32_t thread, const struct live_how *how, const struct live_set *set)
{
	int r = set->endless || !set->count ? 1 : is_worked_for(scan, set);

	if (r)
		return r < 0 ? r : 0;
	r = live_wait(scan, thread, how);
	for (size_t i = 0; !r && i < set->count; i++)
		r = live_held_by_process(scan, set->processes[i]);
	if (r)
		return r;
	if (set->unstable)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "the kernel may write it, too");
	r = set->shared ? live_open_is_partial(scan) : 0;
	if (r > 0)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "others that are not seen may have it open");
	return r < 0 ? r : 0;
}

int live_wait_at(struct live_scan *scan, uint32_t thread, struct live_how *how, const struct live_end *end,
		 const struct live_set *set)
{
	if (set->endless)
		return 0;
	how->resource = live_open_name(scan, end);
	return how->resource ? live_wait_for(scan, thread, how, set) : -ENOMEM;
}
