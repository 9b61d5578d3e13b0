/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static unsigned count;
static int files[2]; /* of the first process; others open them anew */

/* A file without a name, so that nothing has to be removed. */
static int make_file(void)
{
	return must(open(scratch(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), scratch());
}

/* Another open file of the same one: that is what owns flock and OFD locks. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return must(open(path, O_RDWR | O_CLOEXEC), path);
}

static void open_own(void)
{
	for (int i = 0; i < 2; i++) {
		int own = open_again(files[i]);

		close(files[i]);
		files[i] = own;
	}
}

static int lock_byte(int fd, int command, short type, off_t byte)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, command, &lock);
}

static void take_flocks(unsigned me)
{
	open_own();
	must(flock(files[me], LOCK_EX), "flock");
	meet(0, 2);
	waits("flock", 1 - (int)me);
	must(flock(files[1 - me], LOCK_EX), "flock");
}

static void take_ofd(unsigned me)
{
	open_own();
	must(lock_byte(files[0], F_OFD_SETLKW, F_WRLCK, me), "F_OFD_SETLKW");
	meet(0, 2);
	waits("ofd-lock", 1 - (int)me);
	must(lock_byte(files[0], F_OFD_SETLKW, F_WRLCK, 1 - (off_t)me), "F_OFD_SETLKW");
}

static void upgrade_ofd(unsigned me)
{
	open_own();
	must(lock_byte(files[0], F_OFD_SETLKW, F_RDLCK, 0), "F_OFD_SETLKW");
	meet(0, 2);
	waits("ofd-lock", 1 - (int)me);
	must(lock_byte(files[0], F_OFD_SETLKW, F_WRLCK, 0), "F_OFD_SETLKW");
}

/* The kernel refuses the one that would close a ring, but does not look further than 12. */
static void take_posix(unsigned me)
{
	unsigned next = (me + 1) % count;

	must(lock_byte(files[0], F_SETLKW, F_WRLCK, me), "F_SETLKW");
	meet(0, count);
	waits("posix-lock", (int)next);
	if (!lock_byte(files[0], F_SETLKW, F_WRLCK, next) || errno == EDEADLK) {
		lock_byte(files[0], F_SETLK, F_UNLCK, me);
		lock_byte(files[0], F_SETLK, F_UNLCK, next);
		meet(1, count);
		settled();
		sleep_for_ever();
	}
	fail("F_SETLKW", errno);
}

static void mix_flock_posix(unsigned me)
{
	open_own();
	if (me == 0)
		must(flock(files[0], LOCK_EX), "flock");
	else
		must(lock_byte(files[1], F_SETLKW, F_WRLCK, 0), "F_SETLKW");
	meet(0, 2);
	waits(me == 0 ? "posix-lock" : "flock", 1 - (int)me);
	if (me == 0)
		must(lock_byte(files[1], F_SETLKW, F_WRLCK, 0), "F_SETLKW");
	must(flock(files[0], LOCK_EX), "flock");
}

static pthread_mutex_t *mutex;

static void mix_mutex_flock(unsigned me)
{
	open_own();
	if (me == 0)
		must0(pthread_mutex_lock(mutex), "pthread_mutex_lock");
	else
		must(flock(files[0], LOCK_EX), "flock");
	meet(0, 2);
	waits(me == 0 ? "flock" : "mutex", 1 - (int)me);
	if (me == 0)
		must(flock(files[0], LOCK_EX), "flock");
	must0(pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

/* The lock of the first is that of its child too: either of both could give it back. */
static void wait_for_second(unsigned me)
{
	int again = open_again(files[1]);

	(void)me;
	waits("flock", 1);
	must(flock(again, LOCK_EX), "flock");
	fail("flock", 0);
}

static void share_flock(unsigned me)
{
	if (me == 1) {
		open_own();
		must(flock(files[1], LOCK_EX), "flock");
		meet(0, 2);
		waits_for_any("flock", 1u << 0 | 1u << 2);
		must(flock(files[0], LOCK_EX), "flock");
	}
	must(flock(files[0], LOCK_EX), "flock");
	meet(0, 2);
	process(wait_for_second, 2);
	wait_for_second(0);
}

static void start(unsigned actors, void (*run)(unsigned me))
{
	count = actors;
	files[0] = make_file();
	files[1] = make_file();
	processes(actors, run);
}

static void play_flock(long arg)
{
	(void)arg;
	start(2, take_flocks);
}

static void play_ofd(long upgrade)
{
	start(2, upgrade ? upgrade_ofd : take_ofd);
}

static void play_posix(long actors)
{
	start((unsigned)actors, take_posix);
}

static void play_mixed(long arg)
{
	(void)arg;
	start(2, mix_flock_posix);
}

static void play_mutex(long arg)
{
	pthread_mutexattr_t attributes;

	(void)arg;
	mutex = shared_memory(4096, NULL);
	must0(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
	must0(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), "shared");
	must0(pthread_mutex_init(mutex, &attributes), "pthread_mutex_init");
	start(2, mix_mutex_flock);
}

static void play_shared(long arg)
{
	(void)arg;
	start(2, share_flock);
}

static const struct scene scenes[] = {
	{ "flock", play_flock, 0, 2, "certain" },
	{ "flock-shared", play_shared, 0, 3, "certain" },
	{ "ofd", play_ofd, false, 2, "certain" },
	{ "ofd-upgrade", play_ofd, true, 2, "certain" },
	{ "posix-12", play_posix, 12, 0, "none" },
	{ "posix-13", play_posix, 13, 13, "certain" },
	{ "flock-fcntl", play_mixed, 0, 2, "certain" },
	{ "mutex-flock", play_mutex, 0, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
