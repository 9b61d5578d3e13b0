/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Scans while processes and threads are made and end all the time: none fails, and nobody is reported who was only
 * seen on the way. */

#include "unit.h"

#include <ipckit/live.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAMILIES 4
#define SCANS (UNIT_SANITIZED ? 10 : 60)

static pthread_mutex_t locks[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };

static void *take_both(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&locks[0]);
		pthread_mutex_lock(&locks[1]);
		usleep(20);
		pthread_mutex_unlock(&locks[1]);
		pthread_mutex_unlock(&locks[0]);
	}
	return NULL;
}

/* Threads that come, contend and go; then all of it ends, with some of them waiting. */
static void live_briefly(void)
{
	pthread_t thread;

	for (int i = 0; i < 8; i++)
		if (pthread_create(&thread, NULL, take_both, NULL))
			_exit(1);
	usleep(500);
	_exit(0);
}

/* A parent that waits for its child; every second one is killed, the others write to the parent and end. */
static void make_one(unsigned round)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends))
		_exit(2);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (round % 2)
			live_briefly();
		(void)!write(ends[1], "", 1);
		pause();
	}
	close(ends[1]);
	if (pid > 0 && round % 2 == 0) {
		(void)!read(ends[0], &byte, 1);
		kill(pid, SIGKILL);
	}
	close(ends[0]);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(2);
}

static void be_family(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned round = 0;; round++)
		make_one(round);
}

/* Of the families; others on this machine may be what they are. */
static size_t count_stuck(const struct ipckit_live *live, const pid_t *families)
{
	size_t count = 0;

	for (size_t i = 0; i < live->nnodes; i++)
		for (int f = 0; f < FAMILIES; f++)
			count += live->nodes[i].pid == families[f];
	return count;
}

int main(void)
{
	pid_t families[FAMILIES];

	for (int f = 0; f < FAMILIES; f++) {
		families[f] = fork();
		if (!families[f])
			be_family();
		CHECK(families[f] > 0);
	}
	for (int scan = 0; scan < SCANS; scan++) {
		struct ipckit_live live = { 0 };

		if (CHECK_INT(ipckit_live_scan(NULL, &live), 0)) {
			CHECK_INT(count_stuck(&live, families), 0);
			CHECK(live.threads >= FAMILIES && live.processes >= FAMILIES);
		}
		ipckit_live_free(&live);
	}
	for (int f = 0; f < FAMILIES; f++) {
		int status = 0;

		CHECK_INT(waitpid(families[f], &status, WNOHANG), 0); /* none has failed */
		kill(families[f], SIGKILL);
		waitpid(families[f], NULL, 0);
	}
	return unit_done("live dying");
}
