/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The limits on shared memory: which there are, and which one was hit. */

#include "unit.h"

#include "failing.h"
#include "segments.h"

#include <fcntl.h>
#include <sys/resource.h>

static const struct ipckit_shm_wanted nothing;

static void write_sysctl(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK_FOR(path, fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool read_number(const char *path, int64_t *out)
{
	FILE *file = fopen(path, "r");
	bool good = file && fscanf(file, "%ld", out) == 1;

	if (file)
		fclose(file);
	return good;
}

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	CHECK(!getrlimit(resource, &limit));
	limit.rlim_cur = value;
	CHECK(!setrlimit(resource, &limit));
}

static void check_hit(int error, enum ipckit_shm_backend backend, const struct ipckit_shm_wanted *wanted,
		      const char *name, int64_t value, int64_t used, int64_t needed)
{
	struct ipckit_limit limit = { .name = "untouched" };

	CHECK_INT_FOR(name, ipckit_shm_limit_hit(backend, error, wanted, &limit), 0);
	CHECK_STR(limit.name, name);
	CHECK_FOR(name, limit.value.known && limit.what);
	CHECK_INT_FOR(name, limit.value.value, value);
	CHECK_INT_FOR(name, limit.used.known ? limit.used.value : -1, used);
	CHECK_INT_FOR(name, limit.needed.known ? limit.needed.value : -1, needed);
}

static void check_none(int error, enum ipckit_shm_backend backend, const struct ipckit_shm_wanted *wanted)
{
	struct ipckit_limit limit = { .name = "untouched" };

	CHECK_INT_FOR(strerror(error), ipckit_shm_limit_hit(backend, error, wanted, &limit), -ENOENT);
	CHECK_STR(limit.name, "untouched");
}

/* ---- all of them ---- */

static const struct ipckit_limit *find(const struct ipckit_limits *limits, const char *name)
{
	static const struct ipckit_limit none;

	for (size_t i = 0; i < limits->count; i++)
		if (!strcmp(limits->list[i].name, name))
			return &limits->list[i];
	CHECK_FOR(name, !"a limit of this name");
	return &none;
}

static void check_limit(const struct ipckit_limits *limits, const char *name, int64_t value, int64_t used)
{
	const struct ipckit_limit *limit = find(limits, name);

	CHECK_FOR(name, limit->unit && limit->what && !limit->needed.known);
	CHECK_INT_FOR(name, limit->value.known ? limit->value.value : -1, value);
	CHECK_INT_FOR(name, limit->used.known ? limit->used.value : -1, used);
}

static void test_limits(void)
{
	struct ipckit_limits limits = { 0 };
	struct ipckit_shm *posix, *sysv, *other;
	int64_t huge;

	mount_small("size=256k,nr_inodes=20");
	posix = make_segment("/frame", (struct ipckit_shm_spec){ .size = 5000 });
	sysv = make_segment(segment_names[1], (struct ipckit_shm_spec){ .size = 3 * 4096 + 1 });
	other = make_segment("private", (struct ipckit_shm_spec){ .size = 1 });
	CHECK_INT(ipckit_shm_lock(sysv, true), 0);
	write_sysctl("/proc/sys/kernel/shmall", "1000");
	set_limit(RLIMIT_MEMLOCK, 65536);
	if (CHECK_INT(ipckit_shm_limits(&limits), 0)) {
		check_limit(&limits, "kernel.shmmni", 4096, 2);
		check_limit(&limits, "kernel.shmall", 1000, 5);
		check_limit(&limits, "kernel.shmmax", -1, -1); /* as it is by default: more than can be shown */
		check_limit(&limits, "RLIMIT_MEMLOCK", 65536, 4 * 4096);
		CHECK(find(&limits, "RLIMIT_MEMLOCK")->estimate);
		check_limit(&limits, "RLIMIT_FSIZE", -1, -1);
		check_limit(&limits, "/dev/shm blocks", 256 << 10, 2 * 4096);
		check_limit(&limits, "/dev/shm inodes", 20, 2);
		if (read_number("/proc/sys/vm/nr_hugepages", &huge))
			check_limit(&limits, "vm.nr_hugepages", huge, find(&limits, "vm.nr_hugepages")->used.value);
		for (size_t i = 0; i < limits.count; i++)
			CHECK_FOR(limits.list[i].name, limits.list[i].unit && limits.list[i].what);
		ipckit_limits_free(&limits);
	}
	write_sysctl("/proc/sys/kernel/shmall", "18446744073692774399");
	CHECK(!shmctl(ipckit_shm_id(other), IPC_RMID, NULL));
	ipckit_shm_close(other);
	remove_segment(segment_names[1], sysv);
	remove_segment("/frame", posix);
	unmount_small();
}

static int ask_limits(void)
{
	struct ipckit_limits limits = { 0 };
	int r = ipckit_shm_limits(&limits);

	ipckit_limits_free(&limits);
	return r;
}

/* ---- System V ---- */

static void test_number_and_space(void)
{
	const struct ipckit_shm_spec spec = { .size = 5000, .mode = 0600 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec };
	struct ipckit_shm *shm = make_segment(segment_names[1], (struct ipckit_shm_spec){ .size = 2 * 4096 });

	write_sysctl("/proc/sys/kernel/shmmni", "1");
	check_refused("key:5", spec, -ENOSPC);
	check_hit(ENOSPC, IPCKIT_SHM_SYSV, &wanted, "kernel.shmmni", 1, 1, 1);
	/* Which of both is used up is what tells them apart. */
	write_sysctl("/proc/sys/kernel/shmall", "3");
	check_hit(ENOSPC, IPCKIT_SHM_SYSV, &wanted, "kernel.shmall", 3, 2, 2);
	write_sysctl("/proc/sys/kernel/shmmni", "4096");
	check_refused("key:5", spec, -ENOSPC);
	check_hit(ENOSPC, IPCKIT_SHM_SYSV, &wanted, "kernel.shmall", 3, 2, 2);
	write_sysctl("/proc/sys/kernel/shmall", "4");
	check_none(ENOSPC, IPCKIT_SHM_SYSV, &wanted);
	check_none(ENOSPC, IPCKIT_SHM_SYSV, &nothing);
	write_sysctl("/proc/sys/kernel/shmall", "18446744073692774399");
	remove_segment(segment_names[1], shm);
}

static void test_size(void)
{
	const struct ipckit_shm_spec spec = { .size = 10001, .mode = 0600 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec };

	write_sysctl("/proc/sys/kernel/shmmax", "10000");
	check_refused(segment_names[1], spec, -EINVAL);
	check_hit(EINVAL, IPCKIT_SHM_SYSV, &wanted, "kernel.shmmax", 10000, -1, 10001);
	check_none(EINVAL, IPCKIT_SHM_POSIX, &wanted);
	check_none(EINVAL, IPCKIT_SHM_SYSV, &nothing);
	write_sysctl("/proc/sys/kernel/shmmax", "10001");
	check_none(EINVAL, IPCKIT_SHM_SYSV, &wanted);
	write_sysctl("/proc/sys/kernel/shmmax", "18446744073692774399");
	check_none(EINVAL, IPCKIT_SHM_SYSV, &wanted);
}

static void test_memlock(void)
{
	struct ipckit_shm *shm = make_segment(segment_names[1], (struct ipckit_shm_spec){ .size = 5 * 4096 });
	struct ipckit_shm *small = make_segment("key:5", (struct ipckit_shm_spec){ 0 });
	const struct ipckit_shm_wanted wanted = { .size = 5 * 4096 };

	set_limit(RLIMIT_MEMLOCK, 5 * 4096);
	CHECK_INT(ipckit_shm_lock(small, true), 0);
	CHECK_INT(ipckit_shm_lock(shm, true), -ENOMEM);
	check_hit(ENOMEM, IPCKIT_SHM_SYSV, &wanted, "RLIMIT_MEMLOCK", 5 * 4096, 4096, 5 * 4096);
	CHECK_INT(ipckit_shm_lock(small, false), 0);
	CHECK_INT(ipckit_shm_lock(shm, true), 0);
	CHECK_INT(ipckit_shm_lock(shm, false), 0);
	check_none(EPERM, IPCKIT_SHM_SYSV, &wanted);
	remove_segment("key:5", small);
	remove_segment(segment_names[1], shm);
}

/* Without privileges a limit of nothing is told by another errno. */
static void test_memlock_forbidden(void)
{
	struct ipckit_shm *shm = make_segment(segment_names[1], (struct ipckit_shm_spec){ 0 });
	const struct ipckit_shm_wanted wanted = { .size = 4096 };

	set_limit(RLIMIT_MEMLOCK, 0);
	CHECK_INT(ipckit_shm_lock(shm, true), -EPERM);
	check_hit(EPERM, IPCKIT_SHM_SYSV, &wanted, "RLIMIT_MEMLOCK", 0, 0, 4096);
	remove_segment(segment_names[1], shm);
}

static bool may_have_huge_pages(struct ipckit_shm_spec spec)
{
	struct ipckit_shm *shm = NULL;
	bool created;

	return try_segment(segment_names[1], spec, &created, &shm) != -EPERM;
}

static void test_huge(void)
{
	static const char free_pages[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
	const struct ipckit_shm_spec spec = { .size = (5 << 20) + 1, .mode = 0600, .hugetlb = true,
					      .hugetlb_size = 2 << 20 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec };
	struct ipckit_limit limit = { 0 };
	int64_t left;

	if (!read_number(free_pages, &left) || left > 2) {
		printf("# huge pages not tested: none of 2 MiB here, or too many\n");
		return;
	}
	/* Those outside vm.hugetlb_shm_group are not permitted, in whatever user namespace. */
	check_refused(segment_names[1], spec, may_have_huge_pages(spec) ? -ENOMEM : -EPERM);
	CHECK_INT(ipckit_shm_limit_hit(IPCKIT_SHM_SYSV, ENOMEM, &wanted, &limit), 0);
	CHECK(strstr(limit.name, "nr_hugepages") && limit.value.known && limit.used.known);
	CHECK_INT(limit.needed.value, 3);
	/* Whoever may have them is told by a group. */
	CHECK(read_number("/proc/sys/vm/hugetlb_shm_group", &left));
	check_hit(EPERM, IPCKIT_SHM_SYSV, &wanted, "vm.hugetlb_shm_group", left, -1, -1);
}

/* More than the machine has is not promised. */
static void test_commit(void)
{
	const struct ipckit_shm_spec spec = { .size = 1ull << 60, .mode = 0600 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec };
	struct ipckit_limit limit = { 0 };
	int64_t mode;

	CHECK(read_number("/proc/sys/vm/overcommit_memory", &mode));
	if (mode == 1) {
		printf("# memory not tested: all of it is promised here\n");
		return;
	}
	check_refused(segment_names[1], spec, -ENOMEM);
	CHECK_INT(ipckit_shm_limit_hit(IPCKIT_SHM_SYSV, ENOMEM, &wanted, &limit), 0);
	CHECK_STR(limit.name, mode ? "CommitLimit" : "MemTotal and SwapTotal");
	CHECK(limit.value.known && limit.value.value > 1 << 20 && limit.value.value < 1ll << 60);
	CHECK_INT(limit.needed.value, 1ll << 60);
	check_none(ENOMEM, IPCKIT_SHM_SYSV, &(struct ipckit_shm_wanted){
		.spec = &(struct ipckit_shm_spec){ .size = 4096 } });
}

/* ---- POSIX ---- */

static void test_filesystem(void)
{
	const struct ipckit_shm_spec spec = { .size = 200 << 10, .mode = 0600 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec }, resize = { .size = 300 << 10 };
	struct ipckit_shm *shm, *other;

	mount_small("size=256k,nr_inodes=3");
	shm = make_segment("/frame", (struct ipckit_shm_spec){ .size = 100 << 10 });
	/* There is space left, but not enough. */
	check_refused("/other", spec, -ENOSPC);
	check_hit(ENOSPC, IPCKIT_SHM_POSIX, &wanted, "/dev/shm blocks", 256 << 10, 100 << 10, 200 << 10);
	CHECK_INT(ipckit_shm_resize(shm, 300 << 10), -ENOSPC);
	check_hit(ENOSPC, IPCKIT_SHM_POSIX, &resize, "/dev/shm blocks", 256 << 10, 100 << 10, 300 << 10);
	check_hit(ENOSPC, IPCKIT_SHM_POSIX, &nothing, "/dev/shm blocks", 256 << 10, 100 << 10, -1);
	other = make_segment("/other", (struct ipckit_shm_spec){ .size = 4096 });
	check_refused("/third", (struct ipckit_shm_spec){ .size = 4096 }, -ENOSPC);
	check_hit(ENOSPC, IPCKIT_SHM_POSIX, &wanted, "/dev/shm inodes", 3, 3, -1);
	remove_segment("/frame", shm);
	remove_segment("/other", other);
	unmount_small();
	mount_small("size=0");
	check_none(ENOSPC, IPCKIT_SHM_POSIX, &wanted);
	unmount_small();
}

static void test_file_size(void)
{
	const struct ipckit_shm_spec spec = { .size = 10001, .mode = 0600 };
	const struct ipckit_shm_wanted wanted = { .spec = &spec };
	struct rlimit before;

	getrlimit(RLIMIT_FSIZE, &before);
	set_limit(RLIMIT_FSIZE, 10000);
	check_refused("/frame", spec, -EFBIG);
	check_hit(EFBIG, IPCKIT_SHM_POSIX, &wanted, "RLIMIT_FSIZE", 10000, -1, 10001);
	check_hit(EFBIG, IPCKIT_SHM_POSIX, &(struct ipckit_shm_wanted){ .size = 20000 }, "RLIMIT_FSIZE", 10000, -1,
		  20000);
	/* An offset beyond the end has the same errno, and another reason. */
	check_none(EFBIG, IPCKIT_SHM_POSIX, &nothing);
	check_none(EFBIG, IPCKIT_SHM_POSIX, &(struct ipckit_shm_wanted){ .size = 10000 });
	check_none(EFBIG, IPCKIT_SHM_SYSV, &wanted);
	CHECK(!setrlimit(RLIMIT_FSIZE, &before));
}

/* ---- of the process ---- */

static void test_descriptors(void)
{
	struct ipckit_limit limit = { 0 };
	struct rlimit before;
	int fds[256], n = 0;

	getrlimit(RLIMIT_NOFILE, &before);
	set_limit(RLIMIT_NOFILE, 64);
	while (n < 256 && (fds[n] = open("/", O_PATH)) >= 0)
		n++;
	check_refused("/frame", (struct ipckit_shm_spec){ 0 }, -EMFILE);
	CHECK_INT(ipckit_shm_limit_hit(IPCKIT_SHM_POSIX, EMFILE, &nothing, &limit), 0);
	CHECK_STR(limit.name, "RLIMIT_NOFILE");
	while (n)
		close(fds[--n]);
	CHECK(!setrlimit(RLIMIT_NOFILE, &before));
}

static void test_address_space(const char *name)
{
	struct ipckit_shm *shm = make_segment(name, (struct ipckit_shm_spec){ .size = 1 << 30, .noreserve = true });
	struct ipckit_limit limit = { 0 };
	struct rlimit before;
	size_t size = 4711;
	void *data = NULL;

	getrlimit(RLIMIT_AS, &before);
	set_limit(RLIMIT_AS, 1 << 30);
	CHECK_INT_FOR(name, ipckit_shm_map(shm, true, &data, &size), -ENOMEM);
	CHECK_FOR(name, !data && size == 4711);
	CHECK_INT_FOR(name, ipckit_shm_limit_hit(ipckit_shm_backend(shm), ENOMEM, &nothing, &limit), 0);
	CHECK_STR(limit.name, "RLIMIT_AS");
	CHECK(!setrlimit(RLIMIT_AS, &before));
	check_none(ENOMEM, ipckit_shm_backend(shm), &nothing);
	remove_segment(name, shm);
}

static void test_others(void)
{
	static const int errors[] = { EAGAIN, EACCES, EEXIST, ENOENT, EBADMSG, EPERM };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		for (int backend = 0; backend < 2; backend++)
			check_none(errors[i], (enum ipckit_shm_backend)backend, &nothing);
}

int main(void)
{
	alarm(100);
	test_limits();
	check_failing("limits", ask_limits);
	test_number_and_space();
	test_size();
	test_memlock();
	test_huge();
	test_commit();
	test_filesystem();
	test_file_size();
	test_descriptors();
	/* A sanitizer maps more than any limit. */
	for (int i = 0; i < 2 && !UNIT_SANITIZED; i++)
		test_address_space(segment_names[i]);
	test_others();
	give_up_rights();
	test_memlock_forbidden();
	return unit_done("limits on segments");
}
