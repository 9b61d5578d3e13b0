/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CHANNELS_H
#define CHANNELS_H

/* What the tests of channels with living processes share: things to be slept on, processes, and what is told of them. */

#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <ipckit/channel.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 20

static char directory[80], fifo[100];
static int empty[2], full[2], pair[2], listener;
static char page[65536];

static pid_t start(void (*run)(void))
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct ipckit_name name_of(const char *text)
{
	struct ipckit_name name = { 0 };

	CHECK_INT_FOR(text, ipckit_name_parse(text, IPCKIT_CHANNEL_NAMES, NULL, &name), 0);
	return name;
}

static const struct ipckit_channel_user *user_of(const struct ipckit_channel_info *info, pid_t pid, int fd)
{
	for (size_t i = 0; i < info->nusers; i++)
		if (info->users[i].pid == pid && info->users[i].fd == fd)
			return &info->users[i];
	return NULL;
}

/* Looks until the process is seen in a call on the descriptor; info: the caller's to free. */
static const struct ipckit_channel_user *await(const struct ipckit_name *name, pid_t pid, int fd, bool sleeps,
					       struct ipckit_channel_info *info)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	time_t end = time(NULL) + WAIT_S;

	do {
		const struct ipckit_channel_user *user = NULL;

		if (!ipckit_channel_stat(name, info)) {
			user = user_of(info, pid, fd);
			if (user && (user->call || !sleeps))
				return user;
			ipckit_channel_info_free(info);
		}
		nanosleep(&pause, NULL);
	} while (time(NULL) < end);
	*info = (struct ipckit_channel_info){ 0 };
	return NULL;
}

static void object_of(int fd, char text[40])
{
	struct stat st = { 0 };

	CHECK(!fstat(fd, &st));
	snprintf(text, 40, "%s:%" PRIu64, S_ISSOCK(st.st_mode) ? "socket" : "pipe", (uint64_t)st.st_ino);
}

static bool set_up(void)
{
	snprintf(directory, sizeof(directory), "%s/channel.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (!CHECK(mkdtemp(directory)))
		return false;
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(listener, (struct sockaddr *)&(struct sockaddr_un){ .sun_family = AF_UNIX }, sizeof(sa_family_t)));
	return CHECK(!mkfifo(fifo, 0600) && !pipe(empty) && !pipe(full) && !listen(listener, 1) &&
		     !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && fcntl(full[1], F_SETPIPE_SZ, 4096) == 4096 &&
		     write(full[1], page, 4096) == 4096);
}

static void clear_up(void)
{
	unlink(fifo);
	rmdir(directory);
}

#endif
