/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Trees in which one file after the other is missing, empty, cut, or full of garbage: where somebody can act nobody
 * is reported, and whatever is found where nobody can, nothing breaks. */

#include "trees.h"

#include "../../lib/live.h"

#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define FILES_MAX 128
#define ROOM 1024

static const live_collector collectors[] = {
	live_collect_futex, live_collect_lock, live_collect_child, live_collect_transfer,
	live_collect_poll, live_collect_sysv, live_collect_mq, NULL
};

static char files[FILES_MAX][96];
static size_t nfiles;

/* ---- a tree ---- */

static const char *in(long number, unsigned long first, unsigned long second, unsigned long third)
{
	static char text[160];

	snprintf(text, sizeof(text), "%ld 0x%lx 0x%lx 0x%lx 0x0 0x0 0x0 0x7ffe00 0x7fff00\n", number, first,
		 second, third);
	return text;
}

static void put_link(const char *path, const char *target)
{
	char above[96];

	snprintf(above, sizeof(above), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (faccessat(tree, above, F_OK, 0))
		tree_mkdir(above);
	if (symlinkat(target, tree, path))
		abort();
}

static void put_waiter(int pid, const char *call, const char *place, bool helped)
{
	tree_thread(&(struct tree_thread){ .pid = pid, .tid = pid, .call = call, .threads = helped ? 2 : 1 });
	tree_put(tree_name("%d/task/%d/wchan", pid, pid), place);
	if (helped)
		tree_thread(&(struct tree_thread){ .pid = pid, .tid = pid + 5, .call = "running\n", .threads = 2 });
}

/* The file has the device and inode that the rows name. */
static void put_locks(bool helped)
{
	char rows[2][64], all[512] = "", path[96];
	struct stat st;

	for (int i = 0; i < 2; i++) {
		tree_put(tree_name("files/%d", i), "");
		CHECK_INT(fstatat(tree, tree_name("files/%d", i), &st, 0), 0);
		snprintf(rows[i], sizeof(rows[i]), "%02x:%02x:%llu 0 EOF\n", major(st.st_dev), minor(st.st_dev),
			 (unsigned long long)st.st_ino);
	}
	for (int i = 0; i < 2; i++) {
		size_t length = strlen(all);

		snprintf(all + length, sizeof(all) - length,
			 "%d: FLOCK  ADVISORY  WRITE %d %s%d: -> FLOCK  ADVISORY  WRITE %d %s", i + 1, 20 + i, rows[i],
			 i + 1, 21 - i, rows[i]);
		put_waiter(20 + i, in(SYS_flock, 4 - (unsigned)i, LOCK_EX, 0), "locks_lock_inode_wait",
			   helped && !i);
	}
	tree_put("locks", all);
	for (int pid = 20; pid < 22; pid++) {
		for (int i = 0; i < 2; i++) {
			snprintf(path, sizeof(path), "%s/files/%d", tree_path, i);
			put_link(tree_name("%d/fd/%d", pid, 3 + i), path);
			snprintf(all, sizeof(all), "pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE %d %s", pid, rows[i]);
			tree_put(tree_name("%d/fdinfo/%d", pid, 3 + i), pid - 20 == i ? all : "pos:\t0\n");
		}
	}
}

static void put_all(bool helped)
{
	tree_put("uptime", "1 1\n");
	put_waiter(10, in(SYS_wait4, 11, 0, 0), "do_wait", helped);
	put_waiter(11, in(SYS_wait4, 10, 0, 0), "do_wait", false);
	put_locks(helped);
	for (int i = 0; i < 2; i++) {
		put_waiter(30 + i, in(SYS_read, 5, 0, 1), "pipe_read", helped && !i);
		put_link(tree_name("%d/fd/5", 30 + i), "pipe:[77]");
	}
	if (helped)
		put_link("30/task/35/fd/5", "pipe:[77]");
	put_waiter(40, in(SYS_futex, 0x1000, 0x80, 2), "futex_do_wait", helped);
	tree_put_bytes("40/mem", (char[0x1100]){ [0x1000] = 2 }, 0x1100);
	tree_put("40/maps", "00001000-00002000 rw-p 00000000 00:00 0 \n");
}

/* ---- what may be wrong with a file ---- */

static char whole[ROOM * 8];
static size_t whole_size;

static void read_whole(const char *path)
{
	ssize_t n = proc_read_into(tree, path, whole, sizeof(whole));

	if (!CHECK(n >= 0))
		abort();
	whole_size = (size_t)n;
}

static const char *const wrongs[] = { "missing", "empty", "cut", "without its last byte", "zeros", "digits", "words",
				      "ones", "a directory" };
#define WRONGS (sizeof(wrongs) / sizeof(*wrongs))

static void spoil(const char *path, size_t wrong)
{
	static const char fills[] = "\0009x\377";
	char text[ROOM];

	if (!wrong || wrong == WRONGS - 1)
		CHECK_INT(unlinkat(tree, path, 0), 0);
	if (wrong == WRONGS - 1)
		tree_mkdir(path);
	if (wrong >= 1 && wrong <= 3)
		tree_put_bytes(path, whole, wrong == 1 ? 0 : wrong == 2 ? whole_size / 2 : whole_size - !!whole_size);
	if (wrong < 4 || wrong == WRONGS - 1)
		return;
	memset(text, fills[wrong - 4], sizeof(text));
	tree_put_bytes(path, text, sizeof(text));
}

static void mend(const char *path, size_t wrong)
{
	if (wrong == WRONGS - 1)
		CHECK_INT(unlinkat(tree, path, AT_REMOVEDIR), 0);
	tree_put_bytes(path, whole, whole_size);
}

/* Those of the tree, not what is locked, which would come back as another inode. */
static int list_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F && nfiles < FILES_MAX && !strstr(path, "/files/"))
		snprintf(files[nfiles++], sizeof(*files), "%s", path + strlen(tree_path) + 1);
	return 0;
}

static void check_spoilt(const char *path, size_t wrong, bool helped)
{
	struct ipckit_live live = { 0 };
	char what[160];
	int r;

	snprintf(what, sizeof(what), "%s: %s", path, wrongs[wrong]);
	spoil(path, wrong);
	r = live_look(tree, NULL, collectors, &live);
	CHECK_FOR(what, r <= 0);
	CHECK_FOR(what, !helped || r || !live.nnodes);
	ipckit_live_free(&live);
	mend(path, wrong);
}

static void test_broken(bool helped)
{
	struct ipckit_live live = { 0 };

	tree_begin();
	put_all(helped);
	nfiles = 0;
	CHECK_INT(nftw(tree_path, list_file, 8, FTW_PHYS), 0);
	CHECK(nfiles > 40 && nfiles < FILES_MAX);
	for (size_t i = 0; i < nfiles; i++) {
		read_whole(files[i]);
		for (size_t wrong = 0; wrong < WRONGS; wrong++)
			check_spoilt(files[i], wrong, helped);
	}
	/* All of it is as it was. */
	if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0))
		CHECK_INT(live.nnodes, helped ? 0 : 14);
	ipckit_live_free(&live);
	tree_end();
}

/* The first thread has ended, and the next one ends under the eye: what it had open the others have. */
static void test_ending(void)
{
	struct ipckit_live live = { 0 };

	for (int left = 0; left < 2; left++) {
		tree_begin();
		tree_put("uptime", "1 1\n");
		put_waiter(31, in(SYS_read, 5, 0, 1), "pipe_read", false);
		put_link("31/fd/5", "pipe:[77]");
		tree_thread(&(struct tree_thread){ .pid = 30, .tid = 30, .call = "-1 0x0 0x0\n", .state = 'Z' });
		tree_thread(&(struct tree_thread){ .pid = 30, .tid = 35, .call = "running\n" });
		tree_thread(&(struct tree_thread){ .pid = 30, .tid = 36, .call = "running\n" });
		if (left)
			put_link("30/task/36/fd/5", "pipe:[77]");
		if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0))
			CHECK_INT(live.nnodes, left ? 0 : 2);
		ipckit_live_free(&live);
		tree_end();
	}
}

int main(void)
{
	test_ending();
	test_broken(true);
	test_broken(false);
	return unit_done("live broken");
}
