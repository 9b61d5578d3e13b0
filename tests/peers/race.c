/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * race N COMMAND [ARG...]
 *
 * Runs N processes of COMMAND, let loose together, and waits for all. Prints one
 * line for each exit status that was seen: the status (128 and the signal), how often.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUSES 256

static int start[2];

static void racer(char **command)
{
	char byte;

	close(start[1]);
	/* Nothing is ever written: the end of file is the shot. */
	if (read(start[0], &byte, 1))
		_exit(99);
	close(start[0]);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[1]) : 0;
	int seen[STATUSES] = { 0 }, status;

	if (n < 1 || pipe(start))
		return 2;
	for (int i = 0; i < n; i++) {
		switch (fork()) {
		case -1:
			perror("race");
			return 99;
		case 0:
			racer(argv + 2);
		}
	}
	close(start[0]);
	close(start[1]);
	while (wait(&status) > 0)
		seen[WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)]++;
	for (int i = 0; i < STATUSES; i++)
		if (seen[i])
			printf("%d %d\n", i, seen[i]);
	return 0;
}
