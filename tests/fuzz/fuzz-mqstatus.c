/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the file of a POSIX queue under /dev/mqueue says. */

#include "../../lib/mq-look.h"
#include "fuzz.h"

#include <errno.h>

/* What was read, written as the kernel does, is read as the same again. */
static void check_again(const struct mq_status *status)
{
	static const int kinds[] = { 0, 0, 1, 2 }; /* SIGEV_SIGNAL twice, SIGEV_NONE, SIGEV_THREAD */
	struct mq_status again;
	char text[128];

	snprintf(text, sizeof(text), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		 (unsigned long long)status->bytes, kinds[status->notify], status->signal,
		 status->pid.known ? (int)status->pid.value : 0);
	HOLDS(!mq_status_parse(text, &again));
	HOLDS(again.bytes == status->bytes && again.notify == status->notify);
	HOLDS(again.signal == status->signal && again.pid.known == status->pid.known);
	HOLDS(!again.pid.known || again.pid.value == status->pid.value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct mq_status status, before;
	int r;

	memset(&status, 0x5a, sizeof(status));
	memcpy(&before, &status, sizeof(status));
	r = mq_status_parse(text, &status);
	HOLDS(r == 0 || r == -EBADMSG);
	if (r) {
		HOLDS(!memcmp(&status, &before, sizeof(status)));
	} else {
		HOLDS(status.bytes >= 0 && status.signal >= 0 && status.notify <= IPCKIT_MQ_NOTIFY_THREAD);
		HOLDS(status.notify == IPCKIT_MQ_NOTIFY_SIGNAL || !status.signal);
		HOLDS(status.notify != IPCKIT_MQ_NOTIFY_NONE || (status.pid.known && !status.pid.value));
		check_again(&status);
	}
	free(text);
	return 0;
}
