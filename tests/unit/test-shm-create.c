/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Segments of both backends: how they are made, by whom, and what stands in the way. */

#include "unit.h"

#include "segments.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ---- creation ---- */

static void test_create(const char *name)
{
	static const uint64_t sizes[] = { 1, 100, PAGE, PAGE + 1, 3 << 20 };
	struct ipckit_shm *shm, *other = NULL;
	bool created = true;

	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		const struct ipckit_shm_spec spec = { .size = sizes[i / 2], .fill = i % 2 ? 0xa5 : 0 };

		shm = make_segment(name, spec);
		CHECK_INT_FOR(name, size_of(shm), (int64_t)spec.size);
		CHECK_FOR(name, holds(shm, (char)spec.fill));
		/* What exists is opened, and left as it is. */
		CHECK_INT_FOR(name, try_segment(name, (struct ipckit_shm_spec){ .size = spec.size, .fill = 7 },
						&created, &other), 0);
		CHECK_FOR(name, !created && ipckit_shm_same(shm, other) && holds(other, (char)spec.fill));
		ipckit_shm_close(other);
		check_refused(name, (struct ipckit_shm_spec){ .size = spec.size, .exclusive = true }, -EEXIST);
		check_refused(name, (struct ipckit_shm_spec){ .size = spec.size + 1 }, -EBADMSG);
		if (spec.size > 1)
			check_refused(name, (struct ipckit_shm_spec){ .size = spec.size - 1 }, -EBADMSG);
		remove_segment(name, shm);
	}
}

static void test_bad_spec(const char *name)
{
	static const struct {
		struct ipckit_shm_spec spec;
		int posix, sysv;
	} rows[] = {
		{ { .mode = 0600 }, -EINVAL, -EINVAL },
		{ { .size = 1ull << 63, .mode = 0600 }, -EINVAL, -EINVAL },
		{ { .size = UINT64_MAX, .mode = 0600 }, -EINVAL, -EINVAL },
		{ { .size = INT64_MAX, .mode = 0600 }, -ENOSPC, -ENOMEM },
		{ { .size = INT64_MAX, .mode = 0600, .fill = 1 }, -ENOSPC, -ENOMEM },
		{ { .size = 1, .mode = 01000 }, -EINVAL, -EINVAL },
		{ { .size = 1, .mode = 0600, .hugetlb_size = 2 << 20 }, -EINVAL, -EINVAL },
		{ { .size = 1, .mode = 0600, .hugetlb = true, .hugetlb_size = 3 << 20 }, -EINVAL, -EINVAL },
		{ { .size = 1, .mode = 0600, .hugetlb = true, .hugetlb_size = 1 }, -EINVAL, -EINVAL },
	};
	struct ipckit_name parsed = name_of(name);
	struct ipckit_shm *shm = NULL;
	bool created = true;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT_FOR(name, ipckit_shm_create(&parsed, &rows[i].spec, &created, &shm),
			      parsed.kind == IPCKIT_NAME_POSIX ? rows[i].posix : rows[i].sysv);
		CHECK_FOR(name, created && !shm);
		CHECK_INT_FOR(name, ipckit_shm_open(&parsed, 0, &shm), -ENOENT);
	}
}

static void test_reserve(void)
{
	struct ipckit_shm *shm;
	struct stat st = { 0 };
	const uint64_t before = room();

	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 10 * PAGE });
	CHECK_INT(before - room(), 10);
	remove_segment("/frame", shm);
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 1ull << 50, .noreserve = true });
	CHECK(!fstat(ipckit_shm_id(shm), &st) && st.st_blocks == 0 && st.st_size == 1ll << 50);
	remove_segment("/frame", shm);
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = PAGE, .noreserve = true, .fill = 3 });
	CHECK(holds(shm, 3));
	remove_segment("/frame", shm);
	CHECK_INT(room(), before);
}

/* Those who make the same segment at a time agree: one makes it, and of a POSIX one nobody sees less than all. */
static void test_race(const char *name)
{
	const struct ipckit_shm_spec spec = { .size = 8 * PAGE, .fill = name[0] == '/' ? 9 : 0 };
	struct ipckit_name parsed = name_of(name);
	struct ipckit_shm *shm;
	bool created = false;
	int status;
	pid_t pid;

	for (unsigned round = 0; round < 50; round++) {
		pid = fork();
		if (try_segment(name, spec, &created, &shm) || !holds(shm, (char)spec.fill)) {
			if (!pid)
				_exit(2);
			CHECK_FOR(name, !"a segment");
		}
		if (!pid)
			_exit(created);
		CHECK_FOR(name, waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		CHECK_INT_FOR(name, WEXITSTATUS(status), !created);
		ipckit_shm_close(shm);
		CHECK_INT_FOR(name, ipckit_shm_remove(&parsed), 0);
	}
}

/* Whoever is killed while he makes a segment leaves nothing, or all of it. */
static void test_killed(void)
{
	const struct ipckit_shm_spec spec = { .size = 64 << 20, .fill = 5 };
	struct ipckit_name name = name_of("/frame");
	const uint64_t before = room();
	unsigned nothing = 0;
	struct ipckit_shm *shm;
	bool created;
	pid_t pid;

	for (unsigned round = 0; round < 100 && nothing < 3; round++) {
		pid = fork();
		if (!pid)
			_exit(!!try_segment("/frame", spec, &created, &shm));
		while (room() == before)
			sched_yield();
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, NULL, 0) == pid);
		if (ipckit_shm_open(&name, IPCKIT_SHM_READ, &shm)) {
			nothing++;
			CHECK_INT(entries(), 2);
		} else {
			CHECK(size_of(shm) == (int64_t)spec.size && holds(shm, 5));
			remove_segment("/frame", shm);
		}
		CHECK_INT(room(), before);
	}
	CHECK_INT(nothing, 3);
}

static void await_sleeping(pid_t pid)
{
	char path[64], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		sched_yield();
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
	} while (!strstr(text, ") S "));
}

/* Somebody who uses shm_open(3) and is about to give his segment its size: it is waited for a moment. */
static void test_young(void)
{
	struct ipckit_shm *shm = NULL;
	bool created = true;
	int fd, r = -EBADMSG;
	pid_t pid;

	for (unsigned round = 0; round < 50 && r == -EBADMSG; round++) {
		fd = shm_open("/frame", O_RDWR | O_CREAT | O_EXCL, 0600);
		CHECK(fd >= 0);
		pid = fork();
		if (!pid) {
			await_sleeping(getppid());
			_exit(ftruncate(fd, PAGE) != 0);
		}
		r = try_segment("/frame", (struct ipckit_shm_spec){ 0 }, &created, &shm);
		CHECK(waitpid(pid, NULL, 0) == pid && !close(fd) && !shm_unlink("/frame"));
	}
	CHECK_INT(r, 0);
	CHECK(!created && shm && size_of(shm) == PAGE);
	ipckit_shm_close(shm);
	/* But not for ever. */
	CHECK((fd = shm_open("/frame", O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
	check_refused("/frame", (struct ipckit_shm_spec){ 0 }, -EBADMSG);
	CHECK(!close(fd) && !shm_unlink("/frame"));
}

static void test_private(void)
{
	struct ipckit_shm *one = make_segment("private", (struct ipckit_shm_spec){ .fill = 1 });
	struct ipckit_shm *two = make_segment("private", (struct ipckit_shm_spec){ .fill = 2 });

	CHECK(ipckit_shm_id(one) != ipckit_shm_id(two) && !ipckit_shm_same(one, two));
	CHECK(holds(one, 1) && holds(two, 2));
	CHECK(!shmctl(ipckit_shm_id(one), IPC_RMID, NULL) && !shmctl(ipckit_shm_id(two), IPC_RMID, NULL));
	ipckit_shm_close(one);
	ipckit_shm_close(two);
}

static void test_mode(const char *text)
{
	static const unsigned masks[] = { 0, 022, 0777 }, modes[] = { 0600, 0666, 0777, 0420 };
	struct ipckit_name name = name_of(text);
	struct ipckit_shm *shm;
	unsigned mode = 0640, bad = 01000;
	struct ipckit_shm_change change = { &mode, (uid_t)-1, (gid_t)-1 };

	for (size_t i = 0; i < 3 * 4; i++) {
		umask(masks[i / 4]);
		shm = make_segment(text, (struct ipckit_shm_spec){ .mode = modes[i % 4], .fill = i % 2 });
		CHECK_INT_FOR(text, mode_of(shm), modes[i % 4]);
		CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), 0);
		CHECK_INT_FOR(text, mode_of(shm), mode);
		CHECK_FOR(text, umask(022) == masks[i / 4]);
		remove_segment(text, shm);
	}
	shm = make_segment(text, (struct ipckit_shm_spec){ 0 });
	change.mode = &bad;
	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), -EINVAL);
	/* An owner whom this user namespace does not know is not a missing segment. */
	change = (struct ipckit_shm_change){ NULL, 4711, (gid_t)-1 };
	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), -EINVAL);
	change = (struct ipckit_shm_change){ &mode, 0, 0 };
	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), 0);
	CHECK_INT_FOR(text, mode_of(shm), mode);
	remove_segment(text, shm);
}

/* ---- what stands under a name ---- */

static void check_planted(int error)
{
	const struct ipckit_shm_change change = { .uid = 0, .gid = (gid_t)-1 };
	struct ipckit_name name = name_of("/planted");
	struct ipckit_shm *shm = NULL;

	for (unsigned access = 0; access <= 3; access++)
		CHECK_INT(ipckit_shm_open(&name, access, &shm), error);
	CHECK_INT(ipckit_shm_remove(&name), error);
	CHECK_INT(ipckit_shm_set(&name, &change), error);
	check_refused("/planted", (struct ipckit_shm_spec){ 0 }, error);
	check_refused("/planted", (struct ipckit_shm_spec){ .exclusive = true }, -EEXIST);
	CHECK(!access("/dev/shm/planted", F_OK) || errno == ENOENT);
	CHECK(!remove("/dev/shm/planted"));
}

static void test_planted(void)
{
	CHECK(!mkfifo("/dev/shm/planted", 0666));
	check_planted(-EBADMSG);
	CHECK(!mkdir("/dev/shm/planted", 0777));
	check_planted(-EBADMSG);
	CHECK(!symlink("/dev/shm/elsewhere", "/dev/shm/planted"));
	check_planted(-ELOOP);
	CHECK(access("/dev/shm/elsewhere", F_OK));
}

static void test_missing(void)
{
	static const char *const missing[] = { "/missing", "key:0x99", "id:77777", "id:2147483647" };
	const struct ipckit_shm_change change = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct ipckit_shm *shm = NULL;
	struct ipckit_name name;

	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		name = name_of(missing[i]);
		for (unsigned access = 0; access <= 3; access++)
			CHECK_INT_FOR(missing[i], ipckit_shm_open(&name, access, &shm), -ENOENT);
		CHECK_INT_FOR(missing[i], ipckit_shm_open(&name, 4, &shm), -EINVAL);
		CHECK_INT_FOR(missing[i], ipckit_shm_remove(&name), -ENOENT);
		CHECK_INT_FOR(missing[i], ipckit_shm_set(&name, &change), -ENOENT);
	}
	CHECK(!shm);
}

/* ---- without privileges ---- */

/* A segment whose owner has no right to it can still be made, filled, changed and removed by him. */
static void test_owner(const char *text)
{
	struct ipckit_shm *shm = make_segment(text, (struct ipckit_shm_spec){ .mode = 0400, .fill = 6 }), *other;
	struct ipckit_name name = name_of(text);
	unsigned none = 0, writing = 0200, all = 0600;
	struct ipckit_shm_change change = { &none, (uid_t)-1, (gid_t)-1 };
	bool created = true;
	size_t done = 0;

	CHECK_INT_FOR(text, mode_of(shm), 0400);
	CHECK_FOR(text, holds(shm, 6));
	CHECK_INT_FOR(text, ipckit_shm_open(&name, IPCKIT_SHM_READ | IPCKIT_SHM_WRITE, &other), -EACCES);
	CHECK_INT_FOR(text, ipckit_shm_open(&name, IPCKIT_SHM_WRITE, &other), -EACCES);
	CHECK_INT_FOR(text, try_segment(text, (struct ipckit_shm_spec){ 0 }, &created, &other), -EACCES);
	other = open_segment(text, IPCKIT_SHM_READ);
	CHECK_FOR(text, holds(other, 6));
	ipckit_shm_close(other);

	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), 0);
	CHECK_INT_FOR(text, ipckit_shm_open(&name, IPCKIT_SHM_READ, &other), -EACCES);
	other = open_segment(text, 0);
	CHECK_INT_FOR(text, size_of(other), PAGE);
	ipckit_shm_close(other);

	change.mode = &writing;
	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), 0);
	other = open_segment(text, IPCKIT_SHM_WRITE);
	CHECK_INT_FOR(text, ipckit_shm_write(other, 0, "x", 1, &done), is_posix(shm) ? 0 : -EACCES);
	CHECK_INT_FOR(text, ipckit_shm_map(other, true, &(void *){ NULL }, &done), -EACCES);
	ipckit_shm_close(other);
	change.mode = &all;
	CHECK_INT_FOR(text, ipckit_shm_set(&name, &change), 0);
	CHECK_INT_FOR(text, mode_of(shm), 0600);
	remove_segment(text, shm);
}

/* ---- without /dev/shm ---- */

static void test_no_mount(void)
{
	struct ipckit_name name = name_of("/frame");
	struct ipckit_shm *shm = NULL;

	CHECK(!umount(SEGMENT_DIRECTORY) && !rmdir(SEGMENT_DIRECTORY));
	CHECK_INT(ipckit_shm_open(&name, 0, &shm), -ENODEV);
	CHECK_INT(ipckit_shm_open(&name, IPCKIT_SHM_READ, &shm), -ENODEV);
	CHECK_INT(ipckit_shm_remove(&name), -ENODEV);
	check_refused("/frame", (struct ipckit_shm_spec){ 0 }, -ENODEV);
	check_refused("/frame", (struct ipckit_shm_spec){ .exclusive = true }, -ENODEV);
}

int main(void)
{
	alarm(100);
	for (int i = 0; i < 2; i++) {
		test_create(segment_names[i]);
		test_bad_spec(segment_names[i]);
		test_race(segment_names[i]);
		test_mode(segment_names[i]);
	}
	test_reserve();
	test_killed();
	test_young();
	test_private();
	test_planted();
	test_missing();
	test_no_mount();
	CHECK(!mkdir(SEGMENT_DIRECTORY, 01777));
	give_up_rights();
	test_owner(segment_names[0]);
	test_owner(segment_names[1]);
	return unit_done("making segments");
}
