/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Jobs for semctl-cli, and those who start and kill them by the thousand: loops
 * that would take a shell minutes.
 *
 *   jobs inside FILE                       a job: notes that it is inside, and leaves
 *   jobs hold                              a job: writes a byte to stdout, then waits for ever
 *   jobs descriptors FILE                  a job: writes the numbers of its descriptors
 *   jobs adopt COMMAND...                  becomes COMMAND as a child subreaper
 *   jobs crowd FILE WORKERS RUNS COMMAND...   COMMAND, RUNS times by WORKERS processes at a time
 *   jobs kill WHEN TIMES COMMAND...        starts COMMAND and kills it, TIMES times; WHEN is held
 *                                          (once it has written a byte), group (the same, and with
 *                                          it all of its process group) or random (any moment)
 *   jobs rounds FILE PARTIES ROUNDS COMMAND...   COMMAND, a barrier, ROUNDS times by each party
 *
 * crowd, kill and rounds print what they saw as JSON. FILE is made by crowd and rounds.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct board {
	atomic_int begun;  /* runs that were started; arrivals at a barrier */
	atomic_int inside; /* jobs that are in there now */
	atomic_int most;   /* the most that ever were */
	atomic_int ended;  /* jobs that came out */
	atomic_int failed; /* commands with another status than 0 */
	atomic_int early;  /* parties that passed a barrier before all were there */
};

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static struct board *open_board(const char *path, int flags)
{
	struct board *board;
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);

	if (fd < 0 || ((flags & O_CREAT) && ftruncate(fd, sizeof(*board))))
		die(path);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		die("mmap");
	close(fd);
	return board;
}

static void pause_us(long us)
{
	const struct timespec time = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

static pid_t spawn(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execvp(command[0], command);
		die(command[0]);
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return status;
}

/* ---- jobs ---- */

static int job_inside(const char *path)
{
	struct board *board = open_board(path, 0);
	int now = atomic_fetch_add(&board->inside, 1) + 1;
	int most = atomic_load(&board->most);

	while (now > most && !atomic_compare_exchange_weak(&board->most, &most, now))
		;
	/* Long enough for others to be seen that should not be there. */
	pause_us(500);
	atomic_fetch_sub(&board->inside, 1);
	atomic_fetch_add(&board->ended, 1);
	return 0;
}

static int job_hold(void)
{
	if (write(STDOUT_FILENO, "h", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static int job_descriptors(const char *path)
{
	char text[1024] = "";
	size_t used = 0;
	int fd;

	for (int i = 0; i < 256; i++)
		if (fcntl(i, F_GETFD) >= 0)
			used += (size_t)sprintf(text + used, "%s%d", used ? " " : "", i);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return fd < 0 || write(fd, text, used) != (ssize_t)used;
}

static int adopt(char **command)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("prctl");
	execvp(command[0], command);
	die(command[0]);
	return 99;
}

/* ---- many at a time ---- */

static void work(struct board *board, int runs, char **command)
{
	while (atomic_fetch_add(&board->begun, 1) < runs)
		if (end_of(spawn(command)))
			atomic_fetch_add(&board->failed, 1);
}

static int crowd(const char *path, int workers, int runs, char **command)
{
	struct board *board = open_board(path, O_CREAT | O_TRUNC);

	for (int i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			work(board, runs, command);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("{\"ended\":%d,\"failed\":%d,\"inside\":%d,\"most\":%d}\n", board->ended, board->failed,
	       board->inside, board->most);
	return 0;
}

static void take_part(struct board *board, int parties, int rounds, char **command)
{
	for (int i = 1; i <= rounds; i++) {
		atomic_fetch_add(&board->begun, 1);
		if (end_of(spawn(command)))
			atomic_fetch_add(&board->failed, 1);
		if (atomic_load(&board->begun) < i * parties)
			atomic_fetch_add(&board->early, 1);
		atomic_fetch_add(&board->ended, 1);
	}
}

static int rounds(const char *path, int parties, int count, char **command)
{
	struct board *board = open_board(path, O_CREAT | O_TRUNC);

	for (int i = 0; i < parties; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			take_part(board, parties, count, command);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("{\"ended\":%d,\"failed\":%d,\"early\":%d}\n", board->ended, board->failed, board->early);
	return 0;
}

/* ---- killing ---- */

/* In a process group of its own; what it writes can be read from *out. */
static pid_t spawn_victim(char **command, int *out)
{
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		die("pipe2");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		setpgid(0, 0);
		dup2(pipes[1], STDOUT_FILENO);
		execvp(command[0], command);
		die(command[0]);
	}
	close(pipes[1]);
	*out = pipes[0];
	return pid;
}

static int kill_many(const char *when, int times, char **command)
{
	int held = 0, killed = 0, statuses = 0;
	long longest = 4000;
	char byte;

	for (int i = 0; i < times; i++) {
		int out, status;
		pid_t pid = spawn_victim(command, &out);

		if (!strcmp(when, "random"))
			pause_us(random() % longest);
		else
			held += read(out, &byte, 1) == 1;
		if (kill(!strcmp(when, "group") ? -pid : pid, SIGKILL))
			die("kill");
		status = end_of(pid);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		statuses += WIFEXITED(status);
		/* A byte tells that this one came too late to find it before COMMAND: closer next time. */
		if (!strcmp(when, "random") && read(out, &byte, 1) == 1) {
			held++;
			longest = longest > 1000 ? longest * 9 / 10 : longest;
		} else if (longest < 20000) {
			longest += longest / 10;
		}
		close(out);
	}
	printf("{\"killed\":%d,\"exited\":%d,\"held\":%d}\n", killed, statuses, held);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "inside") && argc == 3)
		return job_inside(argv[2]);
	if (!strcmp(verb, "hold") && argc == 2)
		return job_hold();
	if (!strcmp(verb, "descriptors") && argc == 3)
		return job_descriptors(argv[2]);
	if (!strcmp(verb, "adopt") && argc > 2)
		return adopt(argv + 2);
	if (!strcmp(verb, "crowd") && argc > 5)
		return crowd(argv[2], atoi(argv[3]), atoi(argv[4]), argv + 5);
	if (!strcmp(verb, "kill") && argc > 4)
		return kill_many(argv[2], atoi(argv[3]), argv + 4);
	if (!strcmp(verb, "rounds") && argc > 5)
		return rounds(argv[2], atoi(argv[3]), atoi(argv[4]), argv + 5);
	fprintf(stderr, "usage: see the head of tests/peers/jobs.c\n");
	return 2;
}
