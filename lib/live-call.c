/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "sys.h"
#include "waiters-walk.h"

#include <stdlib.h>

#define NONE (-1)

/* The number here, and that of i386 programs on a kernel of 64 bits. */
static const struct {
	enum live_call call;
	long native, compat;
} calls[] = {
	{ LIVE_CALL_RESTARTED, SYS_restart_syscall, 0 },
#ifdef SYS_futex
	{ LIVE_CALL_FUTEX, SYS_futex, 240 },
#endif
	{ LIVE_CALL_FUTEX, 422, 422 }, /* of 64-bit times */
	{ LIVE_CALL_FUTEX_WAITV, 449, 449 },
	{ LIVE_CALL_FUTEX_WAIT, 455, 455 },
	{ LIVE_CALL_WAIT4, SYS_wait4, 114 },
	{ LIVE_CALL_WAITPID, NONE, 7 },
	{ LIVE_CALL_WAITID, SYS_waitid, 284 },
	{ LIVE_CALL_FLOCK, SYS_flock, 143 },
	{ LIVE_CALL_FCNTL, SYS_fcntl, 221 },
	{ LIVE_CALL_FCNTL, NONE, 55 },
	{ LIVE_CALL_READ, SYS_read, 3 },
	{ LIVE_CALL_WRITE, SYS_write, 4 },
	{ LIVE_CALL_READV, SYS_readv, 145 },
	{ LIVE_CALL_WRITEV, SYS_writev, 146 },
	{ LIVE_CALL_SPLICE, SYS_splice, 313 },
	{ LIVE_CALL_TEE, SYS_tee, 315 },
	{ LIVE_CALL_SENDFILE, SYS_sendfile, 239 },
	{ LIVE_CALL_SENDFILE, NONE, 187 },
	{ LIVE_CALL_RECVFROM, SYS_recvfrom, 371 },
	{ LIVE_CALL_RECVMSG, SYS_recvmsg, 372 },
	{ LIVE_CALL_SENDTO, SYS_sendto, 369 },
	{ LIVE_CALL_SENDMSG, SYS_sendmsg, 370 },
	{ LIVE_CALL_SOCKETCALL, NONE, 102 },
#ifdef SYS_poll
	{ LIVE_CALL_POLL, SYS_poll, 168 },
#endif
	{ LIVE_CALL_PPOLL, SYS_ppoll, 309 },
	{ LIVE_CALL_PPOLL, NONE, 414 },
#ifdef SYS_select
	{ LIVE_CALL_SELECT, SYS_select, 142 },
#endif
	{ LIVE_CALL_PSELECT, SYS_pselect6, 308 },
	{ LIVE_CALL_PSELECT, NONE, 413 },
#ifdef SYS_epoll_wait
	{ LIVE_CALL_EPOLL_WAIT, SYS_epoll_wait, 256 },
#endif
	{ LIVE_CALL_EPOLL_WAIT, SYS_epoll_pwait, 319 },
	{ LIVE_CALL_EPOLL_WAIT, 441, 441 }, /* epoll_pwait2 */
#ifdef SYS_semop
	{ LIVE_CALL_SEMOP, SYS_semop, NONE },
#endif
#ifdef SYS_semtimedop
	{ LIVE_CALL_SEMTIMEDOP, SYS_semtimedop, NONE },
#endif
	{ LIVE_CALL_SEMTIMEDOP, 420, 420 },
	{ LIVE_CALL_IPC, NONE, 117 },
#ifdef SYS_msgsnd
	{ LIVE_CALL_MSGSND, SYS_msgsnd, 400 },
	{ LIVE_CALL_MSGRCV, SYS_msgrcv, 401 },
#endif
	{ LIVE_CALL_MQ_SEND, SYS_mq_timedsend, 279 },
	{ LIVE_CALL_MQ_SEND, NONE, 418 },
	{ LIVE_CALL_MQ_RECEIVE, SYS_mq_timedreceive, 280 },
	{ LIVE_CALL_MQ_RECEIVE, NONE, 419 },
};
#define NCALLS (sizeof(calls) / sizeof(*calls))

enum live_call live_call_name(long number, enum live_abi abi)
{
	for (size_t i = 0; i < NCALLS && number >= 0; i++)
		if (number == (abi == LIVE_ABI_COMPAT ? calls[i].compat : calls[i].native))
			return calls[i].call;
	return LIVE_CALL_NONE;
}

bool live_call_is_wait(long number)
{
	for (size_t i = 0; i < NCALLS && number >= 0; i++)
		if (number == calls[i].native || number == calls[i].compat)
			return true;
	return false;
}

/* By the size of the words of its auxiliary vector. */
static int read_abi(struct live_scan *scan, uint32_t process, enum live_abi *out)
{
	int dirfd = live_directory(scan, process), r = dirfd < 0 ? dirfd : 0;
	char *auxv = NULL;
	size_t size;

	*out = LIVE_ABI_UNKNOWN;
	if (!r)
		r = proc_read(dirfd, "auxv", &auxv, &size);
	if (r)
		return sys_own_trouble(r);
	/* One of 64 bits is beyond a library of 32. */
	if (size && robust_is_native(auxv, size))
		*out = LIVE_ABI_NATIVE;
	else if (size && sizeof(long) == 8)
		*out = LIVE_ABI_COMPAT;
	free(auxv);
	return 0;
}

int live_call(struct live_scan *scan, uint32_t thread, enum live_call *out)
{
	const struct live_thread *found = &scan->threads[thread];
	struct live_process *process = &scan->processes[found->process];
	int r = 0;

	*out = LIVE_CALL_NONE;
	if (found->call.state != PROC_IN_SYSCALL || !live_call_is_wait(found->call.number))
		return 0;
	if (process->abi == LIVE_ABI_UNREAD)
		r = read_abi(scan, found->process, &process->abi);
	if (r || process->abi == LIVE_ABI_UNKNOWN)
		return r;
	*out = live_call_name(found->call.number, process->abi);
	return 0;
}
