/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-backend.h"
#include "sys.h"

static const struct timespec at_once;

/* The notification for this handle, if it comes in time; other signals of that number are dropped. */
static int take_signal(const struct ipckit_mq *mq, const sigset_t *set, const struct timespec *timeout,
		       struct ipckit_maybe *sender)
{
	siginfo_t info;
	int r;

	do {
		r = sys_sigtimedwait(set, &info, timeout);
		if (r < 0)
			return r;
	} while (info.si_code != SI_MESGQ || info.si_value.sival_ptr != mq);
	*sender = info.si_pid ? ipckit_known(info.si_pid) : ipckit_unknown();
	return 0;
}

static int wait_signal(const struct ipckit_mq *mq, const sigset_t *set, const struct ipckit_deadline *deadline,
		       struct ipckit_maybe *sender)
{
	struct timespec left;
	int r;

	do {
		r = ipckit_deadline_left(deadline, &left);
		if (r)
			return r;
		r = take_signal(mq, set, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left, sender);
	} while (r == -EINTR || r == -EAGAIN);
	return r;
}

static int has_messages(const struct ipckit_mq *mq)
{
	return sys_poll(mq->id, POLLIN, &at_once);
}

/* With the signal blocked. */
static int notified(const struct ipckit_mq *mq, const sigset_t *set, const struct ipckit_deadline *deadline,
		    struct ipckit_maybe *sender)
{
	const struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGRTMIN + 1,
		.sigev_value.sival_ptr = (void *)mq,
	};
	int r = sys_mq_notify(mq->id, &event);

	if (r)
		return r;
	/* A message that came before is told of to nobody. */
	r = has_messages(mq);
	r = r ? (r > 0 ? 0 : r) : wait_signal(mq, set, deadline, sender);
	(void)sys_mq_notify(mq->id, NULL);
	/* It may have come since, and must not be left to the caller. */
	return take_signal(mq, set, &at_once, sender) ? r : 0;
}

int mq_posix_notify(struct ipckit_mq *mq, const struct ipckit_deadline *deadline, struct ipckit_maybe *sender)
{
	struct ipckit_maybe told = ipckit_unknown();
	sigset_t set, before;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	r = -pthread_sigmask(SIG_BLOCK, &set, &before);
	if (r)
		return r;
	r = notified(mq, &set, deadline, &told);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		*sender = told;
	return r;
}
