/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_SHM_LOOKED_H
#define UNIT_SHM_LOOKED_H

/* What the tests of looking at segments share. After unit.h. */

#include "rights.h"

#include "../../lib/shm-look.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSIX(text_) ((struct ipckit_name){ .kind = IPCKIT_NAME_POSIX, .written = (text_), .text = (text_) })
#define ID(id_)      ((struct ipckit_name){ .kind = IPCKIT_NAME_ID, .written = "id:", .id = (id_) })

#define UNKNOWN -1

/* Why a part is unknown; 0: it is not told. */
static inline int gap(const struct ipckit_shm_info *info, const char *key)
{
	for (size_t i = 0; i < info->gaps.count; i++)
		if (!strcmp(info->gaps.list[i].key, key))
			return info->gaps.list[i].error;
	return 0;
}

static inline int64_t value(struct ipckit_maybe maybe)
{
	return maybe.known ? maybe.value : UNKNOWN;
}

/* Runs a test as a process of its own, which may leave its namespaces or its rights. */
static inline void apart(void (*test)(void), int namespaces)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		unit_failures = 0;
		if (!namespaces || CHECK(!unshare(namespaces)))
			test();
		fflush(stdout);
		_exit(unit_failures != 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
}

static inline int make(const char *name, size_t size, unsigned mode)
{
	int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, mode);

	CHECK_FOR(name, fd >= 0 && !fchmod(fd, mode) && !ftruncate(fd, (off_t)size));
	return fd;
}

#endif
