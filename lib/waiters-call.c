/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiters-call.h"
#include "sys.h"

#include <string.h>

/* The same on all architectures; headers are older than kernels. */
#define CALL_FUTEX_TIME64 422
#define CALL_FUTEX_WAITV  449
#define CALL_FUTEX_WAIT   455
/* futex(2) of 32-bit programs (i386, Arm) on a kernel of 64 bits, where that number is no call that sleeps long. */
#define CALL_FUTEX_COMPAT 240

#define FLAG_PRIVATE 128u /* of futex_waitv(2) and futex_wait(2) */

/* Nothing is mapped below: there the first argument is no address. */
#define LOWEST_ADDRESS 4096

static bool read_futex(const uint64_t *args, struct futex_call *call)
{
	unsigned flags = (unsigned)args[1], command = flags & (unsigned)FUTEX_CMD_MASK;

	call->private = flags & FUTEX_PRIVATE_FLAG;
	call->realtime = flags & FUTEX_CLOCK_REALTIME;
	call->timeout = args[3];
	call->expected = ipckit_known((uint32_t)args[2]);
	switch (command) {
	case FUTEX_WAIT:
		call->operation = "FUTEX_WAIT";
		return true;
	case FUTEX_WAIT_BITSET:
		call->operation = "FUTEX_WAIT_BITSET";
		call->bitset = ipckit_known((uint32_t)args[5]);
		return true;
	case FUTEX_WAIT_REQUEUE_PI:
		call->operation = "FUTEX_WAIT_REQUEUE_PI";
		call->requeue = ipckit_known((int64_t)args[4]);
		return true;
	case FUTEX_LOCK_PI:
		call->realtime = true;
		/* fallthrough */
	case FUTEX_LOCK_PI2:
		call->operation = command == FUTEX_LOCK_PI ? "FUTEX_LOCK_PI" : "FUTEX_LOCK_PI2";
		call->pi = true;
		call->expected = ipckit_unknown();
		return true;
	default:
		return false;
	}
}

static bool read_compat(const uint64_t *args, struct futex_call *call)
{
	call->unsure = true;
	return read_futex(args, call);
}

/* A timed wait that was stopped and continued; so do poll(2) and nanosleep(2) show then. Other operations begin
 * again under their own number. */
static bool read_restarted(const uint64_t *args, struct futex_call *call)
{
	call->unsure = call->restarted = true;
	return read_futex(args, call) && !call->pi && !call->requeue.known && args[1] <= UINT32_MAX;
}

static bool read_waitv(const uint64_t *args, struct futex_call *call)
{
	call->operation = "futex_waitv";
	call->words = (unsigned)args[1];
	call->timeout = args[3];
	call->realtime = args[3] && (int)args[4] == CLOCK_REALTIME;
	return call->words && call->words <= FUTEX_WAITV_MAX;
}

static bool read_wait(const uint64_t *args, struct futex_call *call)
{
	call->operation = "futex_wait";
	call->expected = ipckit_known((uint32_t)args[1]);
	call->bitset = ipckit_known((uint32_t)args[2]);
	call->private = args[3] & FLAG_PRIVATE;
	call->timeout = args[4];
	call->realtime = args[4] && (int)args[5] == CLOCK_REALTIME;
	return true;
}

static const struct {
	long number;
	bool (*read)(const uint64_t *args, struct futex_call *call);
} calls[] = {
#ifdef SYS_futex
	{ SYS_futex, read_futex },
#endif
	{ CALL_FUTEX_TIME64, read_futex },
	{ CALL_FUTEX_WAITV, read_waitv },
	{ CALL_FUTEX_WAIT, read_wait },
	{ SYS_restart_syscall, read_restarted },
#ifdef __LP64__
	{ CALL_FUTEX_COMPAT, read_compat },
#endif
};

bool futex_call_read(const struct proc_syscall *call, struct futex_call *out)
{
	struct futex_call read = { .address = call->args[0] };

	if (call->state != PROC_IN_SYSCALL || read.address < LOWEST_ADDRESS || read.address > INT64_MAX)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i].number != call->number)
			continue;
		if (!calls[i].read(call->args, &read))
			return false;
		read.timed = read.timeout;
		*out = read;
		return true;
	}
	return false;
}

void futex_call_word(const struct futex_waitv *word, struct futex_call *call)
{
	call->address = word->uaddr;
	call->expected = ipckit_known((uint32_t)word->val);
	call->private = word->flags & FLAG_PRIVATE;
}

int futex_call_judge(const char *wchan)
{
	static const char *const others[] = { "poll", "nanosleep", "hrtimer", "select" };

	if (strstr(wchan, "futex") || strstr(wchan, "rt_mutex"))
		return 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strstr(wchan, others[i]))
			return 0;
	return -1;
}

bool futex_call_is_likely(const struct futex_call *call, const struct timespec *limit)
{
	if (call->address % sizeof(uint32_t) || (call->bitset.known && !call->bitset.value))
		return false;
	/* Only what has a limit is resumed so. */
	if (!call->timed)
		return !call->restarted;
	return !limit || (limit->tv_sec >= 0 && limit->tv_nsec >= 0 && limit->tv_nsec < 1000000000);
}
