/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interrupt N US SIGNAL COMMAND [ARG...]
 *
 * Runs COMMAND N times, one after the other, and sends each a SIGNAL (a number)
 * at a moment of its first US microseconds, spread evenly. Prints one line for each
 * exit status that was seen: the status (128 and the signal), how often.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUSES 256

static int run(char **command, int signal, long us)
{
	struct timespec pause = { us / 1000000, us % 1000000 * 1000 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0) {
		perror("interrupt");
		exit(99);
	}
	nanosleep(&pause, NULL);
	/* A zombie takes it, too: the pid is ours until it is waited for. */
	kill(pid, signal);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int seen[STATUSES] = { 0 };
	long n, us;

	if (argc < 5)
		return 2;
	n = atol(argv[1]);
	us = atol(argv[2]);
	for (long i = 0; i < n; i++)
		seen[run(argv + 4, atoi(argv[3]), us * i / n)]++;
	for (int i = 0; i < STATUSES; i++)
		if (seen[i])
			printf("%d %d\n", i, seen[i]);
	return 0;
}
