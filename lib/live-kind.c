/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"

static const struct {
	const char *name, *what;
	bool lock;
} kinds[] = {
	[IPCKIT_LIVE_FUTEX] = { .name = "futex", .what = "futex" },
	[IPCKIT_LIVE_MUTEX] = { .name = "mutex", .what = "mutex", .lock = true },
	[IPCKIT_LIVE_ROBUST_MUTEX] = { .name = "robust-mutex", .what = "mutex", .lock = true },
	[IPCKIT_LIVE_PI_MUTEX] = { .name = "pi-mutex", .what = "mutex", .lock = true },
	[IPCKIT_LIVE_CONDITION] = { .name = "condition", .what = "condition" },
	[IPCKIT_LIVE_SEMAPHORE] = { .name = "semaphore", .what = "semaphore" },
	[IPCKIT_LIVE_RWLOCK] = { .name = "rwlock", .what = "rwlock", .lock = true },
	[IPCKIT_LIVE_RWLOCK_READ] = { .name = "rwlock-read", .what = "rwlock", .lock = true },
	[IPCKIT_LIVE_RWLOCK_WRITE] = { .name = "rwlock-write", .what = "rwlock", .lock = true },
	[IPCKIT_LIVE_JOIN] = { .name = "join", .what = "thread" },
	[IPCKIT_LIVE_STDIO] = { .name = "stdio", .what = "stream lock", .lock = true },
	[IPCKIT_LIVE_STATIC_INIT] = { .name = "static-init", .what = "static object", .lock = true },
	[IPCKIT_LIVE_ONCE] = { .name = "once", .what = "once flag", .lock = true },
	[IPCKIT_LIVE_FLOCK] = { .name = "flock" },
	[IPCKIT_LIVE_POSIX_LOCK] = { .name = "posix-lock" },
	[IPCKIT_LIVE_OFD_LOCK] = { .name = "ofd-lock" },
	[IPCKIT_LIVE_CHILD] = { .name = "child" },
	[IPCKIT_LIVE_PIDFD] = { .name = "pidfd" },
	[IPCKIT_LIVE_POLL] = { .name = "poll" },
	[IPCKIT_LIVE_EVENTFD_READ] = { .name = "eventfd-read" },
	[IPCKIT_LIVE_EVENTFD_WRITE] = { .name = "eventfd-write" },
	[IPCKIT_LIVE_PIPE_READ] = { .name = "pipe-read" },
	[IPCKIT_LIVE_PIPE_WRITE] = { .name = "pipe-write" },
	[IPCKIT_LIVE_SOCKET_READ] = { .name = "socket-read" },
	[IPCKIT_LIVE_SOCKET_WRITE] = { .name = "socket-write" },
	[IPCKIT_LIVE_MQ_SEND] = { .name = "mq-send" },
	[IPCKIT_LIVE_MQ_RECEIVE] = { .name = "mq-receive" },
	[IPCKIT_LIVE_MESSAGE_SEND] = { .name = "message-send" },
	[IPCKIT_LIVE_MESSAGE_RECEIVE] = { .name = "message-receive" },
	[IPCKIT_LIVE_SYSV_SEMAPHORE] = { .name = "sysv-semaphore" },
};

const char *ipckit_live_kind_name(enum ipckit_live_kind kind)
{
	return kinds[kind].name;
}

const char *live_kind_what(enum ipckit_live_kind kind)
{
	return kinds[kind].what;
}

bool live_kind_is_lock(enum ipckit_live_kind kind)
{
	return kinds[kind].lock;
}
