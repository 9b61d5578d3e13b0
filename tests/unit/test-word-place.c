/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Words as places in the memory of processes. */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/word.h>

#define PAGE 4096
#define PATH "/dev/shm/place"

static struct ipckit_word *open_word(const char *text)
{
	struct ipckit_word *word = NULL;
	struct ipckit_name name;

	if (CHECK_INT_FOR(text, ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL, NULL, &name), 0)) {
		CHECK_INT_FOR(text, ipckit_word_open(&name, &word), 0);
		ipckit_name_free(&name);
	}
	if (!word)
		exit(unit_done("places"));
	return word;
}

/* 0, 1 or -errno. */
static int is_mapped_by(const struct ipckit_word *word, pid_t tid)
{
	bool mapped = false;
	int r = ipckit_word_is_mapped_by(word, tid, &mapped);

	return r ?: mapped;
}

/* ---- another process ---- */

/* A child that has done what it is told, and waits for its end. */
static pid_t start(void (*act)(const void *arg), const void *arg)
{
	int ends[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		act(arg);
		(void)!write(ends[1], "", 1);
		for (;;)
			pause();
	}
	close(ends[1]);
	CHECK(read(ends[0], &byte, 1) == 1);
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

struct mapping {
	const char *path;
	int fd; /* in its place */
	int id; /* in its place */
	off_t offset;
	size_t size;
	int flags;
};

static void map(const void *arg)
{
	const struct mapping *mapping = arg;
	int fd = mapping->path ? open(mapping->path, O_RDWR) : mapping->fd;

	if (mapping->id >= 0 && shmat(mapping->id, NULL, 0) == MAP_FAILED)
		_exit(1);
	if (mapping->id < 0 &&
	    mmap(NULL, mapping->size, PROT_READ | PROT_WRITE, mapping->flags, fd, mapping->offset) == MAP_FAILED)
		_exit(1);
}


/* ---- files ---- */

static void make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK_FOR(path, fd >= 0 && ftruncate(fd, 4 * PAGE) == 0 && close(fd) == 0);
}

static void test_place(void)
{
	struct ipckit_word *word = open_word("/place@8196"), *same = open_word("/dev/shm/alias@8196");
	struct ipckit_place a, b;
	struct stat st;

	CHECK_INT(ipckit_word_place(word, &a), 0);
	CHECK_INT(ipckit_word_place(same, &b), 0);
	CHECK(stat(PATH, &st) == 0);
	CHECK(a.inode == st.st_ino && a.offset == 8196 && !a.sysv);
	CHECK(b.inode == a.inode && b.offset == a.offset && b.major == a.major && b.minor == a.minor && !b.sysv);
	ipckit_word_close(same);
	ipckit_word_close(word);
}

static void do_nothing(const void *arg)
{
	(void)arg;
}

static void test_files(void)
{
	struct ipckit_word *word = open_word("/place@8196");
	pid_t pid;

	CHECK_INT(is_mapped_by(word, getpid()), 1);
	/* A child has all that its parent has mapped. */
	pid = start(do_nothing, NULL);
	CHECK_INT(is_mapped_by(word, pid), 1);
	end(pid);
	CHECK_INT(is_mapped_by(word, pid), -ESRCH);
	CHECK_INT(is_mapped_by(word, 0), -ESRCH);
	CHECK_INT(is_mapped_by(word, -1), -ESRCH);
	CHECK_INT(is_mapped_by(word, 1 << 29), -ESRCH);
	ipckit_word_close(word);
}

/* Whoever is to have it mapped in its own way is started before it is opened here. */
static void test_mappings(void)
{
	static const struct {
		const char *what;
		struct mapping mapping;
		int want;
	} rows[] = {
		{ "its page", { .path = PATH, .offset = 2 * PAGE }, 1 },
		{ "all of it", { .path = PATH, .size = 4 * PAGE }, 1 },
		{ "another name", { .path = "/dev/shm/alias", .size = 4 * PAGE }, 1 },
		{ "the page before", { .path = PATH, .offset = PAGE }, 0 },
		{ "the page after", { .path = PATH, .offset = 3 * PAGE }, 0 },
		{ "two pages before", { .path = PATH, .size = 2 * PAGE }, 0 },
		{ "a copy of it", { .path = PATH, .size = 4 * PAGE, .flags = MAP_PRIVATE }, 0 },
		{ "another file", { .path = "/dev/shm/other", .size = 4 * PAGE }, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mapping mapping = rows[i].mapping;
		struct ipckit_word *word;
		pid_t pid;

		mapping.id = -1;
		mapping.flags = mapping.flags ?: MAP_SHARED;
		mapping.size = mapping.size ?: PAGE;
		pid = start(map, &mapping);
		word = open_word("/place@8196");
		CHECK_INT_FOR(rows[i].what, is_mapped_by(word, pid), rows[i].want);
		ipckit_word_close(word);
		end(pid);
	}
}

/* ---- segments ---- */

/* A segment whose identifier is a number of one's choice; another one where the kernel does not let choose. */
static int make_segment(int wanted)
{
	char text[16];
	int fd = open("/proc/sys/kernel/shm_next_id", O_WRONLY);

	snprintf(text, sizeof(text), "%d", wanted);
	(void)!write(fd, text, strlen(text));
	close(fd);
	return shmget(IPC_PRIVATE, 4 * PAGE, 0600);
}

static void leave_ipc(const void *arg)
{
	int id;

	map(arg);
	if (unshare(CLONE_NEWIPC))
		_exit(1);
	id = shmget(IPC_PRIVATE, PAGE, 0600);
	(void)id;
}

static void test_segment(void)
{
	int id = shmget(IPC_PRIVATE, 4 * PAGE, 0600), other = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
	struct mapping mine = { .id = id }, others = { .id = other };
	pid_t has = start(map, &mine), has_not = start(map, &others), left = start(leave_ipc, &mine);
	struct ipckit_place place = { 0 };
	struct ipckit_word *word;
	char text[64];

	snprintf(text, sizeof(text), "id:%d@8196", id);
	word = open_word(text);
	CHECK_INT(ipckit_word_place(word, &place), 0);
	CHECK(place.sysv && place.inode == (uint64_t)id && place.offset == 8196);
	CHECK_INT(is_mapped_by(word, getpid()), 1);
	CHECK_INT(is_mapped_by(word, has), 1);
	CHECK_INT(is_mapped_by(word, has_not), 0);
	/* There the identifier names another one. */
	CHECK_INT(is_mapped_by(word, left), 0);
	ipckit_word_close(word);
	end(has);
	end(has_not);
	end(left);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmctl(other, IPC_RMID, NULL) == 0);
}

/* The files of memfds are numbered on the same device, by themselves. */
static void test_twin(void)
{
	int fd = memfd_create("twin", MFD_CLOEXEC), id;
	struct mapping mapping = { 0 };
	struct ipckit_place place;
	struct ipckit_word *word;
	struct stat st = { 0 };
	char text[64];
	pid_t pid;

	CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0 && fstat(fd, &st) == 0);
	mapping.id = id = make_segment((int)st.st_ino);
	pid = start(map, &mapping);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	word = open_word(text);
	CHECK(!ipckit_word_place(word, &place) && !place.sysv && place.inode == st.st_ino);
	CHECK_INT(is_mapped_by(word, pid), 0);
	CHECK_INT(is_mapped_by(word, getpid()), 1);
	ipckit_word_close(word);
	end(pid);
	if ((ino_t)id != st.st_ino)
		puts("# identifiers cannot be chosen");
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	close(fd);
}

/* ---- threads ---- */

struct thread {
	pthread_barrier_t barrier;
	pid_t tid;
};

static void *run_thread(void *arg)
{
	struct thread *thread = arg;

	thread->tid = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&thread->barrier);
	pthread_barrier_wait(&thread->barrier);
	return NULL;
}

static void test_thread(void)
{
	struct ipckit_word *word = open_word("/place@0");
	struct thread thread;
	pthread_t id = 0;

	CHECK(pthread_barrier_init(&thread.barrier, NULL, 2) == 0 &&
	      pthread_create(&id, NULL, run_thread, &thread) == 0);
	pthread_barrier_wait(&thread.barrier);
	CHECK_INT(is_mapped_by(word, thread.tid), 1);
	pthread_barrier_wait(&thread.barrier);
	CHECK(pthread_join(id, NULL) == 0);
	ipckit_word_close(word);
}

/* It has no memory any more. */
static void test_zombie(void)
{
	struct ipckit_word *word = open_word("/place@0");
	siginfo_t info;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK_INT(is_mapped_by(word, pid), 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_INT(is_mapped_by(word, pid), -ESRCH);
	ipckit_word_close(word);
}

/* ---- rights ---- */

static void hide(const void *arg)
{
	(void)arg;
	if (prctl(PR_SET_DUMPABLE, 0))
		_exit(1);
}

static void test_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct ipckit_word *word = open_word("/place@0");
	pid_t hidden = start(hide, NULL), pid = fork();
	int status = 0;

	if (!pid)
		_exit(syscall(SYS_capset, &header, none) ? 255 : -is_mapped_by(word, hidden));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), EACCES);
	end(hidden);
	ipckit_word_close(word);
}

int main(void)
{
	make_file(PATH);
	make_file("/dev/shm/other");
	CHECK(link(PATH, "/dev/shm/alias") == 0);
	test_place();
	test_files();
	test_mappings();
	test_segment();
	test_twin();
	test_thread();
	test_zombie();
	test_rights();
	CHECK(unlink(PATH) == 0 && unlink("/dev/shm/other") == 0 && unlink("/dev/shm/alias") == 0);
	return unit_done("places");
}
