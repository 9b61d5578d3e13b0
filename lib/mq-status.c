/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mq-look.h"
#include "proc-scan.h"
#include "sys.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

static bool field(const char **p, const char *name, uint64_t max, uint64_t *out)
{
	size_t n = strlen(name);

	scan_blanks(p);
	if (strncmp(*p, name, n))
		return false;
	*p += n;
	return scan_below(p, 10, max, out);
}

/*
 * The kernel writes 0 for SIGEV_SIGNAL and where nobody is registered. Signal 0 may be
 * registered, too: then only the pid tells, and one of another PID namespace looks like none.
 */
static bool tell_kind(uint64_t notify, bool registered, enum ipckit_mq_notification *out)
{
	switch (notify) {
	case SIGEV_SIGNAL:
		*out = registered ? IPCKIT_MQ_NOTIFY_SIGNAL : IPCKIT_MQ_NOTIFY_NONE;
		return true;
	case SIGEV_NONE:
		*out = IPCKIT_MQ_NOTIFY_SILENT;
		return true;
	case SIGEV_THREAD:
		*out = IPCKIT_MQ_NOTIFY_THREAD;
		return true;
	default:
		return false;
	}
}

int mq_status_parse(const char *text, struct mq_status *out)
{
	uint64_t bytes, notify, signal, pid;
	enum ipckit_mq_notification kind;
	const char *p = text;

	if (!field(&p, "QSIZE:", INT64_MAX, &bytes) || !field(&p, "NOTIFY:", INT_MAX, &notify) ||
	    !field(&p, "SIGNO:", INT_MAX, &signal) || !field(&p, "NOTIFY_PID:", INT_MAX, &pid))
		return -EBADMSG;
	scan_blanks(&p);
	if ((*p && strcmp(p, "\n")) || !tell_kind(notify, signal || pid, &kind))
		return -EBADMSG;
	out->bytes = (int64_t)bytes;
	out->notify = kind;
	out->signal = kind == IPCKIT_MQ_NOTIFY_SIGNAL ? (int)signal : 0;
	out->pid = pid || kind == IPCKIT_MQ_NOTIFY_NONE ? ipckit_known((int64_t)pid)
							: ipckit_unknown();
	return 0;
}

int mq_status_read(int queue, struct mq_status *out)
{
	char text[128];
	ssize_t n = sys_result(pread(queue, text, sizeof(text) - 1, 0));

	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return mq_status_parse(text, out);
}
