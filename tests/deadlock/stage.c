/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

#define ROLES     32
#define POINTS    8
#define PATIENCE  20000 /* ms */
#define STILL     40 /* ms: that long nobody runs */

struct actor {
	pid_t pid, tid;
	char waits[24];
	unsigned for_roles;
	bool any;
	atomic_bool ready;
};

static struct board {
	struct actor actors[ROLES];
	atomic_uint met[POINTS];
	atomic_bool settled;
	atomic_int failed; /* exit status */
} *board;

static _Thread_local struct actor *self;

static void pass_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

_Noreturn void sleep_for_ever(void)
{
	for (;;)
		pause();
}

_Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, error ? strerror(error) : "did not wait");
	atomic_store(&board->failed, 1);
	sleep_for_ever();
}

_Noreturn void skip(const char *why)
{
	fprintf(stderr, "not possible here: %s\n", why);
	atomic_store(&board->failed, 77);
	sleep_for_ever();
}

int must(long result, const char *what)
{
	if (result < 0)
		fail(what, errno);
	return (int)result;
}

void must0(int error, const char *what)
{
	if (error)
		fail(what, error);
}

/* ---- actors ---- */

void enter(unsigned role)
{
	self = &board->actors[role];
	self->pid = getpid();
	self->tid = gettid();
}

static void announce(const char *kind, unsigned roles, bool any)
{
	snprintf(self->waits, sizeof(self->waits), "%s", kind);
	self->for_roles = roles;
	self->any = any;
	atomic_store(&self->ready, true);
}

void waits(const char *kind, int role)
{
	announce(kind, role == NOBODY ? 0 : 1u << role, false);
}

void waits_for_all(const char *kind, unsigned roles)
{
	announce(kind, roles, false);
}

void waits_for_any(const char *kind, unsigned roles)
{
	announce(kind, roles, true);
}

void settled(void)
{
	atomic_store(&board->settled, true);
}

void meet(unsigned point, unsigned count)
{
	atomic_fetch_add(&board->met[point], 1);
	while (atomic_load(&board->met[point]) < count)
		pass_ms(1);
}

struct start {
	void (*run)(unsigned me);
	unsigned me;
};

static void *start_thread(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	enter(start.me);
	start.run(start.me);
	fail("a thread", 0);
}

void threads(unsigned count, void (*run)(unsigned me))
{
	for (unsigned me = 1; me < count; me++) {
		struct start *start = malloc(sizeof(*start));
		pthread_t thread;

		if (!start)
			fail("malloc", ENOMEM);
		*start = (struct start){ run, me };
		must0(pthread_create(&thread, NULL, start_thread, start), "pthread_create");
	}
	enter(0);
	run(0);
	fail("the first thread", 0);
}

pid_t process(void (*run)(unsigned me), unsigned me)
{
	pid_t parent = getpid(), pid = must(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	enter(me);
	run(me);
	_exit(0);
}

static void (*process_run)(unsigned me);

static void run_process(unsigned me)
{
	process_run(me);
	fail("a process", 0);
}

void processes(unsigned count, void (*run)(unsigned me))
{
	process_run = run;
	for (unsigned me = 1; me < count; me++)
		process(run_process, me);
	enter(0);
	run_process(0);
}

void *shared_memory(size_t size, int *fd)
{
	int file = must(memfd_create("stage", MFD_CLOEXEC), "memfd_create");
	void *memory;

	must(ftruncate(file, (off_t)size), "ftruncate");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		fail("mmap", errno);
	if (fd)
		*fd = file;
	else
		close(file);
	return memory;
}

const char *scratch(void)
{
	const char *path = getenv("TMPDIR");

	return path && *path ? path : P_tmpdir;
}

/* ---- what can be seen of them ---- */

struct sight {
	char call[256], times[128];
};

static bool read_text(const struct actor *actor, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)actor->pid, (int)actor->tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, size - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = 0;
	return true;
}

/* "running", or "-1 ..." out of a system call. */
static bool look(const struct actor *actor, struct sight *sight)
{
	return atomic_load(&actor->ready) && read_text(actor, "schedstat", sight->times, sizeof(sight->times)) &&
	       read_text(actor, "syscall", sight->call, sizeof(sight->call)) && sight->call[0] >= '0' &&
	       sight->call[0] <= '9';
}

static bool are_blocked(unsigned first, unsigned count)
{
	static _Thread_local struct sight before[ROLES];
	struct sight now;

	if (!count)
		return false;
	for (unsigned i = first; i < first + count; i++)
		if (!look(&board->actors[i], &before[i]))
			return false;
	pass_ms(STILL);
	for (unsigned i = first; i < first + count; i++)
		if (!look(&board->actors[i], &now) || strcmp(now.call, before[i].call) ||
		    strcmp(now.times, before[i].times))
			return false;
	return true;
}

void see_blocked(unsigned role)
{
	while (!are_blocked(role, 1))
		pass_ms(1);
}

/* ---- the watcher ---- */

static void print_holders(const struct actor *actor)
{
	bool several = __builtin_popcount(actor->for_roles) != 1;
	const char *comma = "";

	fputs(several ? "[" : "", stdout);
	for (unsigned i = 0; i < ROLES; i++) {
		if (!(actor->for_roles & 1u << i))
			continue;
		printf("%s%d", comma, (int)board->actors[i].tid);
		comma = ",";
	}
	printf("%s%s", several ? "]" : "", actor->any ? ",\"any\":true" : "");
}

static void print_scene(const struct scene *scene)
{
	printf("{\"case\":\"%s\",\"level\":\"%s\",\"threads\":[", scene->name, scene->level);
	for (unsigned i = 0; i < scene->waiters; i++) {
		const struct actor *actor = &board->actors[i];

		printf("%s{\"tid\":%d,\"pid\":%d,\"waits\":\"%s\",\"for\":", i ? "," : "", (int)actor->tid,
		       (int)actor->pid, actor->waits);
		print_holders(actor);
		putchar('}');
	}
	puts("]}");
	fflush(stdout);
}

static int watch(const struct scene *scene, pid_t pid)
{
	for (long waited = 0; waited < PATIENCE; waited += 5) {
		bool blocked = are_blocked(0, scene->waiters);
		/* Who came back from a wait sleeps too, but has said so before. */
		bool ended = atomic_load(&board->settled);
		int failed = atomic_load(&board->failed);

		if (failed)
			return failed;
		if ((scene->waiters && ended) || waitpid(pid, NULL, WNOHANG) == pid)
			break;
		if (scene->waiters ? blocked : ended) {
			print_scene(scene);
			sleep_for_ever();
		}
		pass_ms(5);
	}
	fprintf(stderr, "%s: did not come to it\n", scene->name);
	return 1;
}

/* Ends and standard streams of whoever started it are none of the stage's. */
static void play(const struct scene *scene, pid_t parent)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0)
		_exit(1);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	scene->play(scene->arg);
	sleep_for_ever();
}

int stage(int argc, char **argv, const struct scene *scenes, size_t count)
{
	const struct scene *scene = NULL;
	pid_t pid, parent = getpid();
	int status;

	for (size_t i = 0; i < count; i++) {
		if (argc < 2)
			puts(scenes[i].name);
		else if (!strcmp(scenes[i].name, argv[1]))
			scene = &scenes[i];
	}
	if (argc < 2)
		return 0;
	if (!scene) {
		fprintf(stderr, "no such case: %s\n", argv[1]);
		return 2;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 1;
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid)
		play(scene, parent);
	status = watch(scene, pid);
	kill(pid, SIGKILL);
	return status;
}
