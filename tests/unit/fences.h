/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FENCES_H
#define FENCES_H

/* What the tests of fences share: a file with a word, and commands that are this program again. */

#include "mutexes.h"

#include <fcntl.h>
#include <sys/prctl.h>

#include <ipckit/fence.h>

#define OFFSET 64

/* A file that holds the word. */
static struct room {
	char before[OFFSET];
	uint32_t word;
	uint32_t turn;   /* of whom is inside */
	uint32_t inside;
	uint32_t begun, overlaps, failures, deaths;
	uint32_t ready, ended;
	volatile bool pi;
} *room;

static int fd;

_Static_assert(offsetof(struct room, word) == OFFSET, "the word's offset");

#define load(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)
#define add(place, n) __atomic_fetch_add(&(place), n, __ATOMIC_SEQ_CST)

static inline bool map_room(void)
{
	void *map = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	room = map == MAP_FAILED ? NULL : map;
	return room;
}

static inline bool make_room(void)
{
	fd = memfd_create("word", MFD_CLOEXEC);
	return CHECK(fd >= 0) && CHECK_INT(ftruncate(fd, sizeof(*room)), 0) && CHECK(map_room());
}

static inline bool await(const uint32_t *count, uint32_t value)
{
	int64_t until = now() + LONG_ENOUGH;

	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < value && now() < until)
		usleep(200);
	return __atomic_load_n(count, __ATOMIC_SEQ_CST) >= value;
}

/* The file under a description of this process's own. */
static inline bool open_anew(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd >= 0;
}

static inline int set_fence(enum ipckit_fence whose, int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_fence_set(fd, OFFSET, whose, &deadline);
}

static inline int await_fence(int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_fence_await(fd, OFFSET, IPCKIT_FENCE_OWNER, &deadline);
}

/* ---- commands ---- */

/* This program again, with the file, and what it is to do. */
static inline int become(const char *what)
{
	char text[16];

	if (fcntl(fd, F_SETFD, 0))
		return 9;
	snprintf(text, sizeof(text), "%d", fd);
	execl("/proc/self/exe", "test-fence", what, text, (char *)NULL);
	return 9;
}

struct role {
	const char *name;
	int (*run)(void);
};

/* By another description: a mapping would keep the fence up. */
static inline bool map_anew(void)
{
	const int given = fd;
	bool r = open_anew() && map_room() && !close(fd);

	fd = given;
	return r;
}

static inline int play(const struct role *roles, size_t count, char **argv)
{
	fd = atoi(argv[2]);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(argv[1], roles[i].name))
			return map_anew() ? roles[i].run() : 9;
	return 9;
}

/* ---- locks and commands ---- */

static struct ipckit_mutex *mutex;
static struct ipckit_pi *pi;
static bool without; /* commands have no fence */

static inline int lock(bool *died)
{
	return room->pi ? pi_soon(&room->word, died, &pi) : lock_soon(&room->word, died, &mutex);
}

static inline void unlock(void)
{
	if (room->pi)
		(void)ipckit_pi_unlock(pi);
	else
		ipckit_mutex_unlock(mutex);
}

/* What the child of whoever holds the lock does. */
static inline int command(pid_t parent, const char *what, bool dies)
{
	if (dies && prctl(PR_SET_PDEATHSIG, SIGKILL))
		return 9;
	if (ipckit_mutex_owner(load(room->word)) != parent)
		return 1;
	return become(what);
}

static inline int run(const char *what, bool dies)
{
	pid_t parent = getpid(), pid;
	int status;

	if (!without && set_fence(IPCKIT_FENCE_OWNER, 0))
		return -1;
	pid = fork();
	if (pid == 0)
		_exit(command(parent, what, dies));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	ipckit_fence_clear(fd, OFFSET, IPCKIT_FENCE_OWNER);
	return status;
}

#endif
