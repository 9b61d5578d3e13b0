/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WALKED_H
#define WALKED_H

/* What the tests of the walk over /proc share: its fixtures, and what they find in lists of processes. */

#include "../../lib/proc.h"
#include "../../lib/users.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The numbers of system calls in the fixtures are those of one architecture. */
#if defined(__x86_64__) && defined(__LP64__)
#define WALKED_CALLS true
#else
#define WALKED_CALLS false
#endif

/* The fixtures' /proc: see its README. -1 where it is not there, which is a failed check. */
static int open_fixture(void)
{
	char path[4096];
	int root;

	snprintf(path, sizeof(path), "%s/tests/fixtures/proc/walk", getenv("srcdir") ?: ".");
	return CHECK_FOR(path, proc_open(path, &root) == 0) ? root : -1;
}

/* What is told by a descriptor has the identity of the fixture's own file. */
static void identify(int root, const char *path, uint64_t *device, uint64_t *inode)
{
	struct stat st = { 0 };

	CHECK_FOR(path, fstatat(root, path, &st, 0) == 0);
	*device = st.st_dev;
	*inode = st.st_ino;
}

/* The entry of a process, or NULL; and that there is no second. */
static const struct ipckit_process *find(const struct ipckit_processes *list, pid_t pid, pid_t tid)
{
	const struct ipckit_process *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (list->list[i].pid != pid || list->list[i].tid != tid)
			continue;
		CHECK_FOR(list->list[i].command, !found);
		found = &list->list[i];
	}
	return found;
}

/* Fixtures are listed in the order of their directory: sort what is compared. */
static const char *pids(const struct ipckit_processes *list, char text[256])
{
	size_t length = 0;

	*text = '\0';
	for (pid_t pid = 0; pid < 200; pid++)
		for (size_t i = 0; i < list->count; i++)
			if (list->list[i].pid == pid)
				length += (size_t)snprintf(text + length, 256 - length, "%s%d",
							   length ? " " : "", (int)pid);
	return text;
}

#endif
