/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Segments of both backends: their bytes, their size, their memory. How they are made: test-shm-create.c; the limits
 * behind what is refused: test-shm-limits.c. */

#include "unit.h"

#include "failing.h"
#include "segments.h"

#include <fcntl.h>
#include <sys/resource.h>

/* ---- contents ---- */

static void check_part(const char *name, struct ipckit_shm *shm, uint64_t offset, size_t size, size_t want)
{
	static char out[3 << 20], in[3 << 20];
	size_t done = 4711;

	for (size_t i = 0; i < size; i++)
		out[i] = (char)(i * 7 + i / 256 + offset);
	CHECK_INT_FOR(name, ipckit_shm_write(shm, offset, out, size, &done), 0);
	CHECK_INT_FOR(name, done, want);
	memset(in, 0xee, sizeof(in));
	CHECK_INT_FOR(name, ipckit_shm_read(shm, offset, in, size, &done), 0);
	CHECK_INT_FOR(name, done, want);
	CHECK_FOR(name, !memcmp(in, out, want) && (want == sizeof(in) || in[want] == (char)0xee));
}

static void test_contents(const char *name)
{
	const uint64_t all = (2 << 20) + 4711;
	struct ipckit_shm *shm = make_segment(name, (struct ipckit_shm_spec){ .size = all });
	size_t size = 0, done = 4711;
	char byte = 'x', *data;

	check_part(name, shm, 0, 0, 0);
	check_part(name, shm, 0, 1, 1);
	check_part(name, shm, 0, all, all);
	check_part(name, shm, 0, all + 1, all);
	check_part(name, shm, 1, 1 << 20, 1 << 20);
	check_part(name, shm, PAGE - 1, (1 << 20) + 2, (1 << 20) + 2);
	check_part(name, shm, all - 1, 100, 1);
	check_part(name, shm, all, 100, 0);
	CHECK_INT_FOR(name, size_of(shm), all);
	done = 4711;
	CHECK_INT_FOR(name, ipckit_shm_read(shm, all + 1, &byte, 1, &done), -EFBIG);
	CHECK_INT_FOR(name, ipckit_shm_write(shm, all + 1, &byte, 1, &done), -EFBIG);
	CHECK_INT_FOR(name, ipckit_shm_read(shm, UINT64_MAX, &byte, 1, &done), -EFBIG);
	CHECK_INT_FOR(name, ipckit_shm_write(shm, UINT64_MAX, &byte, 1, &done), -EFBIG);
	CHECK_FOR(name, done == 4711 && byte == 'x');

	/* The same memory, however it is come by. */
	data = map_of(shm, true, &size);
	CHECK_INT_FOR(name, size, all);
	data[all - 1] = 'y';
	CHECK_INT_FOR(name, ipckit_shm_read(shm, all - 1, &byte, 1, &done), 0);
	CHECK_FOR(name, done == 1 && byte == 'y');
	CHECK_FOR(name, map_of(shm, false, &size) == data && map_of(shm, true, &size) == data);
	remove_segment(name, shm);
}

static void test_access(const char *name)
{
	struct ipckit_shm *shm = make_segment(name, (struct ipckit_shm_spec){ .fill = 1 }), *other;
	size_t size = 4711;
	void *data = NULL;
	char byte = 'x';

	other = open_segment(name, 0);
	CHECK_INT_FOR(name, ipckit_shm_read(other, 0, &byte, 1, &size), -EACCES);
	CHECK_INT_FOR(name, ipckit_shm_write(other, 0, &byte, 1, &size), -EACCES);
	CHECK_INT_FOR(name, ipckit_shm_map(other, false, &data, &size), -EACCES);
	CHECK_INT_FOR(name, size_of(other), PAGE);
	CHECK_FOR(name, ipckit_shm_same(shm, other) && size == 4711 && !data);
	ipckit_shm_close(other);

	other = open_segment(name, IPCKIT_SHM_READ);
	CHECK_INT_FOR(name, ipckit_shm_write(other, 0, &byte, 1, &size), -EACCES);
	CHECK_INT_FOR(name, ipckit_shm_map(other, true, &data, &size), -EACCES);
	CHECK_INT_FOR(name, ipckit_shm_resize(other, 1), is_posix(other) ? -EACCES : -EOPNOTSUPP);
	CHECK_FOR(name, size == 4711 && !data && holds(other, 1));
	ipckit_shm_close(other);

	other = open_segment(name, IPCKIT_SHM_WRITE);
	CHECK_INT_FOR(name, ipckit_shm_read(other, 0, &byte, 1, &size), -EACCES);
	CHECK_INT_FOR(name, ipckit_shm_write(other, 0, &byte, 1, &size), 0);
	CHECK_FOR(name, map_of(other, true, &size) && size == PAGE);
	ipckit_shm_close(other);
	CHECK_INT_FOR(name, ipckit_shm_read(shm, 0, &byte, 1, &size), 0);
	CHECK_FOR(name, byte == 'x' && !holds(shm, 1));
	remove_segment(name, shm);
}

static void test_handles(void)
{
	struct ipckit_shm *posix = make_segment("/frame", (struct ipckit_shm_spec){ 0 });
	struct ipckit_shm *other = make_segment("/other", (struct ipckit_shm_spec){ 0 });
	struct ipckit_shm *sysv = make_segment(segment_names[1], (struct ipckit_shm_spec){ 0 });

	CHECK(!ipckit_shm_same(posix, other) && !ipckit_shm_same(posix, sysv) && ipckit_shm_same(sysv, sysv));
	CHECK(fcntl(ipckit_shm_id(posix), F_GETFD) == FD_CLOEXEC);
	CHECK_STR(ipckit_shm_backend_name(IPCKIT_SHM_POSIX), "posix");
	CHECK_STR(ipckit_shm_backend_name(IPCKIT_SHM_SYSV), "sysv");
	ipckit_shm_close(NULL);
	remove_segment("/frame", posix);
	remove_segment("/other", other);
	remove_segment(segment_names[1], sysv);
}

/* Removed under whoever uses it: what is mapped stays, what is not is gone. */
static void test_removed(void)
{
	struct ipckit_shm *mapped = make_segment(segment_names[1], (struct ipckit_shm_spec){ .fill = 4 });
	struct ipckit_shm *other = open_segment(segment_names[1], IPCKIT_SHM_READ);
	struct ipckit_name key = name_of(segment_names[1]);
	struct shmid_ds ds = { 0 };
	size_t size = 4711;
	void *data = NULL;

	CHECK(holds(mapped, 4));
	CHECK_INT(ipckit_shm_remove(&key), 0);
	CHECK_INT(ipckit_shm_remove(&key), -ENOENT);
	CHECK(!shmctl(ipckit_shm_id(mapped), IPC_STAT, &ds) && ds.shm_perm.mode & SHM_DEST && ds.shm_nattch == 1);
	CHECK_INT(size_of(other), PAGE);
	ipckit_shm_close(mapped);
	CHECK_INT(ipckit_shm_map(other, false, &data, &size), -EIDRM);
	CHECK_INT(ipckit_shm_lock(other, true), -EIDRM);
	CHECK_INT(size_of(other), -EIDRM);
	CHECK(size == 4711 && !data);
	ipckit_shm_close(other);
}

/* ---- size ---- */

static void test_resize(void)
{
	struct ipckit_shm *shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 100, .fill = 1 });
	const uint64_t before = room();
	char bytes[2 * PAGE], *data;
	size_t size = 0, zero = 0;

	/* What was stored behind the end on the last page does not come up. */
	data = map_of(shm, true, &size);
	CHECK_INT(size, 100);
	memset(data, 'x', PAGE);
	CHECK_INT(ipckit_shm_resize(shm, 2 * PAGE), 0);
	CHECK_INT(size_of(shm), 2 * PAGE);
	CHECK_INT(before - room(), 1);
	CHECK_INT(ipckit_shm_read(shm, 0, bytes, sizeof(bytes), &size), 0);
	CHECK_INT(size, sizeof(bytes));
	for (size_t i = 100; i < sizeof(bytes); i++)
		zero += !bytes[i];
	CHECK_INT(zero, sizeof(bytes) - 100);
	CHECK(bytes[0] == 'x' && bytes[99] == 'x');

	CHECK_INT(ipckit_shm_resize(shm, 2 * PAGE), 0);
	CHECK_INT(ipckit_shm_resize(shm, 50), 0);
	CHECK(size_of(shm) == 50 && room() == before);
	CHECK_INT(ipckit_shm_write(shm, 51, "x", 1, &size), -EFBIG);
	CHECK_INT(ipckit_shm_write(shm, 49, "xyz", 3, &size), 0);
	CHECK(size == 1 && size_of(shm) == 50);
	CHECK_INT(ipckit_shm_resize(shm, 0), 0);
	CHECK_INT(ipckit_shm_resize(shm, 150 << 20), 0);
	CHECK_INT(before - room(), (150 << 20) / PAGE - 1);
	CHECK_INT(ipckit_shm_resize(shm, UINT64_MAX), -EFBIG);
	CHECK(size_of(shm) == 150 << 20);
	remove_segment("/frame", shm);

	shm = make_segment(segment_names[1], (struct ipckit_shm_spec){ 0 });
	CHECK_INT(ipckit_shm_resize(shm, 2 * PAGE), -EOPNOTSUPP);
	remove_segment(segment_names[1], shm);
}

/* On a file system that is too small: what fails has changed nothing. */
static void test_full(void)
{
	struct ipckit_shm *shm, *other = NULL;
	static char bytes[300000];
	struct stat st = { 0 };
	size_t done = 4711;

	mount_small("size=256k");
	check_refused("/frame", (struct ipckit_shm_spec){ .size = (256 << 10) + 1 }, -ENOSPC);
	check_refused("/frame", (struct ipckit_shm_spec){ .size = (256 << 10) + 1, .fill = 1 }, -ENOSPC);
	CHECK(room() == 64 && entries() == 2);
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 128 << 10, .fill = 1 });
	check_refused("/other", (struct ipckit_shm_spec){ .size = 132 << 10 }, -ENOSPC);
	CHECK_INT(ipckit_shm_resize(shm, (256 << 10) + 1), -ENOSPC);
	CHECK_INT(ipckit_shm_resize(shm, 1ull << 40), -ENOSPC);
	CHECK(size_of(shm) == 128 << 10 && holds(shm, 1) && room() == 32);
	CHECK_INT(ipckit_shm_resize(shm, 256 << 10), 0);
	CHECK_INT(room(), 0);
	CHECK_INT(ipckit_shm_resize(shm, 128 << 10), 0);

	other = make_segment("/other", (struct ipckit_shm_spec){ .size = 1 << 20, .noreserve = true });
	CHECK_INT(ipckit_shm_write(other, 0, bytes, sizeof(bytes), &done), -ENOSPC);
	CHECK(done == 4711 && size_of(other) == 1 << 20);
	CHECK(!fstat(ipckit_shm_id(other), &st) && st.st_blocks > 0);
	check_refused("/third", (struct ipckit_shm_spec){ .size = PAGE }, -ENOSPC);
	remove_segment("/other", other);
	remove_segment("/frame", shm);
	CHECK_INT(room(), 64);
	unmount_small();

	/* A page more than it looks like, which is found out when most is reserved already. */
	mount_small("size=65m");
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 1, .noreserve = true });
	CHECK_INT(ipckit_shm_resize(shm, (65 << 20) + 1), -ENOSPC);
	CHECK(size_of(shm) == 1 && room() >= (65 << 20) / PAGE - 1);
	remove_segment("/frame", shm);
	unmount_small();
}

/* Beyond the limit on files, whose signal would end this test. */
static void test_file_size(void)
{
	struct ipckit_shm *shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 3 * PAGE, .fill = 1 });
	struct rlimit before, limit;
	char bytes[2 * PAGE] = { 0 };
	size_t done = 4711;

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 2 * PAGE;
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	check_refused("/other", (struct ipckit_shm_spec){ .size = 2 * PAGE + 1 }, -EFBIG);
	check_refused("/other", (struct ipckit_shm_spec){ .size = 2 * PAGE + 1, .noreserve = true }, -EFBIG);
	check_refused("/other", (struct ipckit_shm_spec){ .size = 2 * PAGE + 1, .fill = 1 }, -EFBIG);
	CHECK_INT(ipckit_shm_resize(shm, 3 * PAGE + 1), -EFBIG);
	CHECK_INT(ipckit_shm_write(shm, PAGE, bytes, PAGE + 1, &done), -EFBIG);
	CHECK_INT(ipckit_shm_write(shm, 2 * PAGE, bytes, 1, &done), -EFBIG);
	CHECK(done == 4711 && size_of(shm) == 3 * PAGE && holds(shm, 1));
	CHECK_INT(ipckit_shm_write(shm, 3 * PAGE, bytes, 1, &done), 0);
	CHECK_INT(done, 0);
	CHECK_INT(ipckit_shm_write(shm, PAGE, bytes, PAGE, &done), 0);
	CHECK_INT(done, PAGE);
	CHECK_INT(ipckit_shm_resize(shm, 2 * PAGE + 100), 0);
	CHECK_INT(size_of(shm), 2 * PAGE + 100);
	remove_segment("/frame", shm);
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 2 * PAGE });
	remove_segment("/frame", shm);
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
}

/* ---- memory ---- */

static void test_lock(void)
{
	struct ipckit_shm *shm = make_segment(segment_names[1], (struct ipckit_shm_spec){ 0 });
	struct ipckit_shm *posix = make_segment("/frame", (struct ipckit_shm_spec){ 0 });
	struct ipckit_shm *other = open_segment(segment_names[1], 0);
	struct shmid_ds ds = { 0 };

	CHECK_INT(ipckit_shm_lock(other, true), 0);
	CHECK(!shmctl(ipckit_shm_id(shm), IPC_STAT, &ds) && ds.shm_perm.mode & SHM_LOCKED);
	CHECK_INT(ipckit_shm_lock(other, true), 0);
	CHECK_INT(ipckit_shm_lock(other, false), 0);
	CHECK(!shmctl(ipckit_shm_id(shm), IPC_STAT, &ds) && !(ds.shm_perm.mode & SHM_LOCKED));
	CHECK_INT(ipckit_shm_lock(posix, true), -EOPNOTSUPP);
	CHECK_INT(ipckit_shm_lock(posix, false), -EOPNOTSUPP);
	ipckit_shm_close(other);
	remove_segment(segment_names[1], shm);
	remove_segment("/frame", posix);
}

/* Of huge pages there is mostly none: what is not reserved is refused, and nobody dies of it. */
static void test_huge(void)
{
	const char *key = segment_names[1];
	struct ipckit_name name = name_of(key);
	struct ipckit_shm_spec spec = { .size = 100, .mode = 0600, .hugetlb = true };
	struct ipckit_shm *shm = NULL;
	bool created = false, plenty;
	size_t done = 0;
	char byte = 'x';
	int r;

	check_refused("/frame", spec, -EOPNOTSUPP);
	if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK)) {
		printf("# huge pages not tested: none of 2 MiB here\n");
		return;
	}
	spec.hugetlb_size = 8192;
	check_refused(key, spec, -EINVAL);
	spec.hugetlb_size = 1ull << 40;
	check_refused(key, spec, -EINVAL);
	spec.hugetlb_size = 2 << 20;
	r = ipckit_shm_create(&name, &spec, &created, &shm);
	/* Those outside vm.hugetlb_shm_group, in whatever user namespace. */
	if (r == -EPERM) {
		printf("# huge pages not tested: not permitted\n");
		return;
	}
	plenty = !r;
	CHECK(!r || r == -ENOMEM);
	if (!r)
		remove_segment(key, shm);
	spec.noreserve = true;
	shm = make_segment(key, spec);
	CHECK_INT(ipckit_shm_read(shm, 0, &byte, 1, &done), plenty ? 0 : -ENOMEM);
	CHECK_INT(ipckit_shm_write(shm, 99, "xx", 2, &done), plenty ? 0 : -ENOMEM);
	CHECK_INT(size_of(shm), 100);
	remove_segment(key, shm);
	/* One that cannot be filled is not left behind. */
	spec.fill = 1;
	if (!plenty)
		check_refused(key, spec, -ENOMEM);
	CHECK(plenty || shmget(0x6672616d, 0, 0) == -1);
}

/* ---- allocations ---- */

static int use(const struct ipckit_name *name)
{
	const struct ipckit_shm_spec spec = { .size = 2 * PAGE, .mode = 0600, .fill = 1 };
	struct ipckit_shm *shm;
	bool created;
	size_t done;
	char byte;
	int r = ipckit_shm_create(name, &spec, &created, &shm);

	if (r)
		return r;
	r = ipckit_shm_write(shm, 5, "x", 1, &done) ?: ipckit_shm_read(shm, 5, &byte, 1, &done);
	ipckit_shm_close(shm);
	return r ?: ipckit_shm_remove(name);
}

static int use_posix(void)
{
	return use(&(struct ipckit_name){ .kind = IPCKIT_NAME_POSIX, .text = "/frame" });
}

static int use_sysv(void)
{
	return use(&(struct ipckit_name){ .kind = IPCKIT_NAME_KEY, .key = 0x6672616d });
}

int main(void)
{
	alarm(100);
	for (int i = 0; i < 2; i++) {
		test_contents(segment_names[i]);
		test_access(segment_names[i]);
	}
	test_handles();
	test_removed();
	test_resize();
	test_full();
	test_file_size();
	test_lock();
	test_huge();
	check_failing("POSIX", use_posix);
	check_failing("System V", use_sysv);
	return unit_done("segments");
}
