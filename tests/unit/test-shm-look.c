/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Looking at segments, where the test has namespaces of its own: what is told of them, and what is planted. */

#include "unit.h"

#include "shm-looked.h"

#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What a list says of a name; NULL: not there. */
static const struct ipckit_shm_info *find(const struct ipckit_shm_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->list[i].name, name))
			return &list->list[i];
	return NULL;
}

static void check_posix(const struct ipckit_shm_info *info, const struct stat *st)
{
	CHECK(info->backend == IPCKIT_SHM_POSIX);
	CHECK_STR(info->name, "/frame");
	CHECK_INT(value(info->size), 65536);
	CHECK_INT(value(info->rss), 8192);
	CHECK_INT(value(info->mode), 0640);
	CHECK_INT(value(info->uid), st->st_uid);
	CHECK_INT(value(info->gid), st->st_gid);
	CHECK_INT(value(info->mtime), st->st_mtime);
	CHECK_INT(value(info->ctime), st->st_ctime);
	CHECK_INT(value(info->file_atime), st->st_atime);
	CHECK(info->device == st->st_dev && info->inode == st->st_ino);
	CHECK(!info->key.known && !info->id.known && !info->nattch.known && !info->swap.known &&
	      !info->dest.known && !info->hugetlb.known && !info->cpid.known && !info->atime.known);
	CHECK_INT(info->gaps.count, 0);
}

static void test_posix(int fd)
{
	struct ipckit_shm_list list;
	struct ipckit_shm_info info;
	struct stat st;

	CHECK(pwrite(fd, "x", 1, 0) == 1 && pwrite(fd, "y", 1, 40000) == 1 && !fstat(fd, &st));
	if (CHECK(!ipckit_shm_stat(&POSIX("/frame"), 0, &info))) {
		check_posix(&info, &st);
		ipckit_shm_info_free(&info);
	}
	if (CHECK(!ipckit_shm_list(0, &list))) {
		CHECK(!list.posix_error && !list.sysv_error);
		if (CHECK(find(&list, "/frame")))
			check_posix(find(&list, "/frame"), &st);
		ipckit_shm_list_free(&list);
	}
	CHECK_INT(ipckit_shm_stat(&POSIX("/missing"), 0, &info), -ENOENT);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

/* None of them is opened: a FIFO would hang who does. */
static void test_planted(void)
{
	static const struct {
		const char *name;
		int error;
	} rows[] = {
		{ "/directory", -EBADMSG },
		{ "/fifo", -EBADMSG },
		{ "/socket", -EBADMSG },
		{ "/link", -ELOOP },
	};
	struct ipckit_shm_list list;
	struct ipckit_shm_info info;

	alarm(60);
	CHECK(!mkdir("/dev/shm/directory", 0700) && !mkfifo("/dev/shm/fifo", 0600));
	CHECK(!symlink("frame", "/dev/shm/link") && !mkfifo("/dev/shm/sem.fifo", 0600));
	make_socket("/dev/shm/socket");
	close(make("/sem.jobs", 32, 0600));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_INT_FOR(rows[i].name, ipckit_shm_stat(&POSIX(rows[i].name), 3, &info), rows[i].error);
	if (CHECK(!ipckit_shm_list(IPCKIT_SHM_USERS | IPCKIT_SHM_IN_USE, &list))) {
		CHECK_INT(list.left_out, 4);
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			CHECK_FOR(rows[i].name, !find(&list, rows[i].name));
		CHECK(!find(&list, "/sem.jobs") && !find(&list, "/jobs") && find(&list, "/frame"));
		ipckit_shm_list_free(&list);
	}
	CHECK(!rmdir("/dev/shm/directory") && !unlink("/dev/shm/fifo") && !unlink("/dev/shm/socket"));
	CHECK(!unlink("/dev/shm/link") && !unlink("/dev/shm/sem.fifo") && !shm_unlink("/sem.jobs"));
	alarm(0);
}

static int sysv_id;

static void test_mounts(void)
{
	struct ipckit_shm_list list;
	struct ipckit_shm_info info;

	CHECK(!mount("none", "/dev", "tmpfs", 0, NULL));
	CHECK_INT(ipckit_shm_stat(&POSIX("/frame"), 0, &info), -ENODEV);
	CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
	if (CHECK(!ipckit_shm_list(0, &list))) {
		CHECK_INT(list.posix_error, ENODEV);
		CHECK_INT(list.sysv_error, ENOENT);
		CHECK_INT(list.count, 0);
		ipckit_shm_list_free(&list);
	}
	/* Without the table. */
	if (CHECK_INT(ipckit_shm_stat(&ID(sysv_id), IPCKIT_SHM_USERS, &info), 0)) {
		CHECK_INT(value(info.size), 10000);
		CHECK_INT(value(info.mode), 0200);
		CHECK(!info.rss.known && !info.swap.known && !info.usage.unreadable_processes.known);
		CHECK_INT(gap(&info, "rss"), ENODEV);
		CHECK_INT(gap(&info, "swap"), ENODEV);
		CHECK(gap(&info, "users"));
		ipckit_shm_info_free(&info);
	}
	CHECK_INT(ipckit_shm_stat(&ID(sysv_id + 1), 0, &info), -ENOENT);
}

/* ---- System V ---- */

static int make_sysv(void)
{
	struct shmid_ds ds;
	int id = shmget(0x4711, 10000, IPC_CREAT | IPC_EXCL | 0600);
	char *data = shmat(id, NULL, 0);

	CHECK(id >= 0 && data != (char *)-1);
	data[5000] = 'x';
	CHECK(!shmdt(data) && !shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0200;
	CHECK(!shmctl(id, IPC_SET, &ds));
	return id;
}

static pid_t maker;

static void check_sysv(const struct ipckit_shm_info *info, int id)
{
	CHECK(info->backend == IPCKIT_SHM_SYSV);
	CHECK_INT(value(info->id), id);
	CHECK_INT(value(info->key), 0x4711);
	CHECK_INT(value(info->size), 10000);
	CHECK_INT(value(info->rss), sysconf(_SC_PAGESIZE));
	CHECK_INT(value(info->swap), 0);
	CHECK_INT(value(info->nattch), 0);
	CHECK_INT(value(info->cpid), maker);
	CHECK_INT(value(info->lpid), maker);
	CHECK(value(info->atime) > 0 && value(info->dtime) > 0 && value(info->ctime) > 0);
	CHECK_INT(value(info->mode), 0200);
	CHECK(info->uid.known && info->gid.known && info->cuid.known && info->cgid.known);
	CHECK_INT(value(info->dest), 0);
	CHECK_INT(value(info->locked), 0);
	CHECK_INT(value(info->hugetlb), 0);
	CHECK(!info->mtime.known && !info->file_atime.known && !info->in_use.known);
	CHECK_INT(info->gaps.count, 0);
}

static void test_sysv(void)
{
	struct ipckit_name key = { .kind = IPCKIT_NAME_KEY, .written = "key:0x4711", .key = 0x4711 };
	struct ipckit_shm_list list;
	struct ipckit_shm_info info;
	char name[32];

	snprintf(name, sizeof(name), "id:%d", sysv_id);
	CHECK_INT(ipckit_shm_stat(&ID(sysv_id + 1), 0, &info), -ENOENT);
	CHECK_INT(ipckit_shm_stat(&ID(sysv_id + 1), IPCKIT_SHM_USERS, &info), -ENOENT);
	if (CHECK(!ipckit_shm_stat(&key, IPCKIT_SHM_USERS, &info))) {
		CHECK_STR(info.name, name);
		check_sysv(&info, sysv_id);
		ipckit_shm_info_free(&info);
	}
	/* As it is before each removal: little is looked at. */
	if (CHECK(!ipckit_shm_stat(&key, 0, &info))) {
		CHECK(!info.rss.known && !info.swap.known && !info.hugetlb.known);
		info.rss = ipckit_known(sysconf(_SC_PAGESIZE));
		info.swap = info.hugetlb = ipckit_known(0);
		check_sysv(&info, sysv_id);
		ipckit_shm_info_free(&info);
	}
	if (CHECK(!ipckit_shm_list(0, &list))) {
		if (CHECK(find(&list, name)))
			check_sysv(find(&list, name), sysv_id);
		ipckit_shm_list_free(&list);
	}
}

/* Without the right to read it, too. */
static void test_sysv_unread(void)
{
	struct shmid_ds ds;

	give_up_rights();
	CHECK(shmctl(sysv_id, IPC_STAT, &ds) < 0 && errno == EACCES);
	test_sysv();
}

static void check_hidden_pid(void)
{
	struct ipckit_orphan_verdict verdict;
	struct ipckit_shm_info info;

	if (!CHECK(!ipckit_shm_stat(&ID(sysv_id), IPCKIT_SHM_USERS, &info)))
		return;
	CHECK(!info.cpid.known && !info.lpid.known);
	ipckit_shm_judge(&info, -1, value(info.dtime) + 100, &verdict);
	CHECK(!verdict.orphan);
	ipckit_shm_info_free(&info);
}

static void test_hidden_pid(void)
{
	CHECK(!unshare(CLONE_NEWPID));
	apart(check_hidden_pid, 0);
}

static void test_flags(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	void *data = shmat(id, NULL, 0);
	struct ipckit_shm_info info;

	if (CHECK(!ipckit_shm_stat(&ID(id), IPCKIT_SHM_USERS, &info))) {
		CHECK_INT(value(info.nattch), 1);
		/* The reader is no user, but what it has mapped tells. */
		CHECK_INT(info.usage.users.count, 0);
		CHECK_INT(value(info.hugetlb), 0);
		CHECK_INT(value(info.usage.unreadable_processes), 0);
		ipckit_shm_info_free(&info);
	}
	CHECK(!shmctl(id, SHM_LOCK, NULL) && !shmctl(id, IPC_RMID, NULL));
	if (CHECK(!ipckit_shm_stat(&ID(id), 0, &info))) {
		CHECK(value(info.dest) == 1 && value(info.locked) == 1);
		ipckit_shm_info_free(&info);
	}
	if (CHECK(!ipckit_shm_stat(&ID(id), IPCKIT_SHM_USERS, &info))) {
		CHECK(value(info.dest) == 1 && value(info.locked) == 1 && value(info.key) == 0);
		CHECK_INT(value(info.mode), 0600);
		CHECK_INT(value(info.hugetlb), 0);
		ipckit_shm_info_free(&info);
	}
	CHECK(!shmdt(data));
	CHECK_INT(ipckit_shm_stat(&ID(id), 0, &info), -ENOENT);
	id = shmget(IPC_PRIVATE, 4096, 0600);
	if (CHECK(!ipckit_shm_stat(&ID(id), IPCKIT_SHM_USERS, &info))) {
		CHECK(!info.hugetlb.known || !info.hugetlb.value);
		CHECK_INT(gap(&info, "hugetlb"), info.hugetlb.known ? 0 : EOPNOTSUPP);
		CHECK(value(info.lpid) == 0 && value(info.atime) == 0);
		ipckit_shm_info_free(&info);
	}
	CHECK(!shmctl(id, IPC_RMID, NULL));
}

static void test_real(void)
{
	int fd = make("/frame", 65536, 0640);

	maker = getpid();
	sysv_id = make_sysv();
	test_posix(fd);
	test_planted();
	test_sysv();
	test_flags();
	apart(test_sysv_unread, 0);
	apart(test_mounts, CLONE_NEWNS);
	apart(test_hidden_pid, 0);
	close(fd);
}

int main(void)
{
	if (!getenv("IPCKIT_ISOLATED"))
		return unit_skip("looking at segments", "no namespaces of its own");
	test_real();
	return unit_done("looking at segments");
}
