/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_POLLED_H
#define LIB_LIVE_POLLED_H

/* What poll, select and epoll wait for, as the arguments and the memory of a thread tell. */

#include "live-open.h"

struct live_polled {
	int fd;
	bool reading, writing; /* neither: errors and the end alone */
	uint64_t inode;        /* of what an epoll watches, 0: not told */
	struct live_end end;   /* left to the caller */
};

struct live_polling {
	struct live_polled *list;
	size_t count;
	bool timed;
	char *text;  /* fdinfo of an epoll; NULL: it is none */
};

/* 1; 0: it is no such call, or of more descriptors than are looked at, or cannot be read; -ENOMEM, -EMFILE,
 * -ENFILE. */
IPCKIT_CHECK int live_polling_read(struct live_scan *scan, uint32_t thread, struct live_polling *out);
void live_polling_free(struct live_polling *polling);

/* fdinfo of an epoll, freed by the caller, and where the rows of what it watches begin. */
IPCKIT_CHECK int live_polled_text(struct live_scan *scan, pid_t pid, int fd, char **out);
const char *live_polled_rows(const char *text);
/* One of them: "tfd:        5 events:       19 data: ... ino:1d9 ...". -EBADMSG. Pure. */
IPCKIT_CHECK int live_polled_parse(const char *row, struct live_polled *out);

#endif
