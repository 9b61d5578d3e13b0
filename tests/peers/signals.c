/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signals OBJECT COUNT MS
 *
 * Takes COUNT permits through libipckit, with a deadline MS milliseconds away,
 * while SIGUSR1 arrives every 10 ms at a handler that does nothing. Prints the
 * outcome, the milliseconds that it took, and how many signals came.
 */
#include <errno.h>
#include <ipckit/deadline.h>
#include <ipckit/name.h>
#include <ipckit/sem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t came;

static void on_signal(int signal)
{
	(void)signal;
	came++;
}

static void storm(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec every = { { 0, 10000000 }, { 0, 10000000 } };
	timer_t timer;

	if (sigaction(SIGUSR1, &action, NULL) || timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &every, NULL)) {
		perror("signals");
		exit(99);
	}
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct ipckit_deadline deadline;
	struct ipckit_name name;
	struct ipckit_sem *sem;
	double start;
	int r;

	if (argc != 4)
		return 2;
	r = ipckit_name_parse(argv[1], IPCKIT_SEM_NAMES, NULL, &name) ?: ipckit_sem_open(&name, &sem);
	if (r) {
		fprintf(stderr, "signals: %s: %s\n", argv[1], strerror(-r));
		return 99;
	}
	storm();
	start = now_ms();
	ipckit_deadline_in(atoll(argv[3]) * 1000000, &deadline);
	r = ipckit_sem_take(sem, (unsigned)atoi(argv[2]), 0, &deadline);
	printf("%s %.3f %d\n", r ? strerrorname_np(-r) : "taken", now_ms() - start, (int)came);
	ipckit_sem_close(sem);
	ipckit_name_free(&name);
	return 0;
}
