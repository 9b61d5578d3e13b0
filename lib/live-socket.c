/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "sys.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

static const char *const places[] = { "unix_", "sock_", "sk_", "skb", "tcp_", "wait_woken", NULL };

/* ---- time limits ---- */

static bool is_same(int fd, const struct live_end *end)
{
	struct stat st;

	return !sys_fstat(fd, &st) && S_ISSOCK(st.st_mode) && st.st_ino == end->inode;
}

/* SO_RCVTIMEO and SO_SNDTIMEO: 1, 0, or -errno where that cannot be told. */
static int ask_limit(int fd, bool writes)
{
	struct timeval limit = { 0 };
	socklen_t size = sizeof(limit);
	int r = sys_result(getsockopt(fd, SOL_SOCKET, writes ? SO_SNDTIMEO : SO_RCVTIMEO, &limit, &size));

	return r ? r : limit.tv_sec || limit.tv_usec;
}

/* Only who has the socket is told: through a copy of the descriptor, for a moment. */
static int has_limit(const struct live_end *end, bool writes)
{
	int pidfd = sys_pidfd_open(end->pid), fd, r;

	if (pidfd < 0)
		return pidfd;
	fd = sys_pidfd_getfd(pidfd, end->fd);
	close(pidfd);
	if (fd < 0)
		return fd;
	r = is_same(fd, end) ? ask_limit(fd, writes) : -ESRCH;
	close(fd);
	return r;
}

static int judge_limit(const struct live_scan *scan, const struct live_end *end, bool writes, struct live_how *how)
{
	int r = scan->real ? has_limit(end, writes) : 0;

	if (sys_lacks_resources(r))
		return r;
	if (r > 0) {
		how->level = IPCKIT_LIVE_TIMED;
		how->reason = "the socket has a time limit";
	} else if (r < 0) {
		how->level = IPCKIT_LIVE_INFERRED;
		how->reason = "whether the socket has a time limit is not told";
	}
	return 0;
}

/* ---- the edge ---- */

int live_wait_socket(struct live_scan *scan, uint32_t thread, const struct live_end *end, bool writes)
{
	struct live_how how = { .kind = writes ? IPCKIT_LIVE_SOCKET_WRITE : IPCKIT_LIVE_SOCKET_READ, .any = true };
	struct live_set set = { 0 };
	int r = live_sleeps_in(scan, thread, places, false);

	if (r <= 0)
		return r;
	r = live_set_add_peers(scan, &set, thread, end, !writes, writes);
	if (!r && !set.endless)
		r = judge_limit(scan, end, writes, &how);
	if (!r)
		r = live_wait_at(scan, thread, &how, end, &set);
	live_set_free(&set);
	return r;
}
