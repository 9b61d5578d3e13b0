/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Waits for file locks, in trees: who holds, who shares, and what is no edge. */

#include "failing.h"

#include "../../lib/live-lock.h"
#include "../../lib/sys.h"
#include "trees.h"

#include <sys/file.h>

#define A_ROW "08:01:77 0 EOF\n"
#define B_ROW "08:01:78 0 EOF\n"
#define PART(kind, mode, pid, range) #kind "  ADVISORY  " #mode " " #pid " 08:01:77 " range "\n"

/* ---- trees ---- */

static void begin(void)
{
	tree_begin();
	tree_mkdir("file");
	tree_put("file/a", "");
	tree_put("file/b", "");
}

static void put_thread(int pid, int tid, const char *call)
{
	tree_thread(&(struct tree_thread){ .pid = pid, .tid = tid, .call = call, .parent = 1 });
}

static const char *in(long number, int fd, int what, unsigned address)
{
	static char text[128];

	snprintf(text, sizeof(text), "%ld 0x%x 0x%x 0x%x 0x0 0x0 0x0 0x7ffe00 0x7fff00\n", number, (unsigned)fd,
		 (unsigned)what, address);
	return text;
}

/* A process of one thread, which waits for a lock of the whole file at its descriptor. */
static void waits(int pid, int fd, int operation)
{
	put_thread(pid, pid, in(SYS_flock, fd, operation, 0));
}

#define AT 64 /* where a process has its struct flock */

static void waits_for_part(int pid, int fd, int command, short type, short whence, int64_t start, int64_t length)
{
	char memory[AT + sizeof(struct flock)] = { 0 };
	const struct flock lock = { .l_type = type, .l_whence = whence, .l_start = start, .l_len = length };

	memcpy(memory + AT, &lock, sizeof(lock));
	tree_put_bytes(tree_name("%d/mem", pid), memory, sizeof(memory));
	put_thread(pid, pid, in(SYS_fcntl, fd, command, AT));
}

/* file: 'a' or 'b'; locks: rows as of fdinfo. */
static void opens(int pid, int fd, char file, const char *locks)
{
	char text[512], target[64];
	int directory;

	snprintf(text, sizeof(text), "pos:\t0\nflags:\t02\nino:\t%d\n%s", file == 'a' ? 77 : 78, locks);
	tree_put(tree_name("%d/fdinfo/%d", pid, fd), text);
	snprintf(target, sizeof(target), "%s/file/%c", tree_path, file);
	if (mkdirat(tree, tree_name("%d/fd", pid), 0700) && errno != EEXIST)
		abort();
	directory = openat(tree, tree_name("%d/fd", pid), O_RDONLY | O_DIRECTORY);
	snprintf(text, sizeof(text), "%d", fd);
	CHECK_INT(symlinkat(target, directory, text), 0);
	close(directory);
}

static bool unseen, other_pids;

/* "flock exclusive all certain: 20 30", or "" */
static void describe(struct live_scan *scan, pid_t tid, char text[160])
{
	static const char *const levels[] = { "certain", "timed", "inferred" };
	uint32_t thread = live_find_thread(scan, tid);
	size_t i, end, length;

	*text = '\0';
	if (!CHECK(thread != IPCKIT_NONE) || !scan->threads[thread].waits)
		return;
	end = live_edges_of(scan, scan->threads[thread].node, &i);
	for (; i < end; i++) {
		const struct ipckit_live_edge *edge = &scan->edges[i].told;

		length = strlen(text);
		length += (size_t)snprintf(text + length, 160 - length, "%s %s %s %s:",
					   ipckit_live_kind_name(edge->kind), edge->mode,
					   edge->any ? "any" : "all", levels[edge->level]);
		for (size_t h = 0; h < edge->nholders; h++) {
			const struct live_point *point = &scan->points[edge->holders[h]];

			CHECK(point->process);
			length += (size_t)snprintf(text + length, 160 - length, " %d",
						   (int)scan->processes[point->index].pid);
		}
	}
}

static void scan_begin(struct live_scan *scan)
{
	CHECK_INT(live_scan_begin(tree, scan), 0);
	scan->unreadable += unseen;
	scan->other_pids = other_pids;
	CHECK_INT(live_collect_lock(scan), 0);
	CHECK_INT(live_settle(scan), 0);
}

/* What is told of a thread. */
static void expect(const char *what, pid_t tid, const char *wanted)
{
	struct live_scan scan;
	char text[160];

	scan_begin(&scan);
	describe(&scan, tid, text);
	CHECK_STR_FOR(what, text, wanted);
	live_scan_end(&scan);
}

/* ---- flock ---- */

/* 10 has a and waits for b, 20 the other way round. */
static void put_ring(void)
{
	waits(10, 4, LOCK_EX);
	opens(10, 3, 'a', "lock:\t1: FLOCK  ADVISORY  WRITE 10 " A_ROW);
	opens(10, 4, 'b', "");
	waits(20, 3, LOCK_EX);
	opens(20, 3, 'a', "");
	opens(20, 4, 'b', "lock:\t1: FLOCK  ADVISORY  WRITE 20 " B_ROW);
	tree_put("locks", "1: LEASE  ACTIVE    READ  10 08:01:78 0 EOF\n"
			  "2: FLOCK  ADVISORY  WRITE 10 " A_ROW "2: -> FLOCK  ADVISORY  WRITE 20 " A_ROW
			  "3: FLOCK  ADVISORY  WRITE 20 " B_ROW "3: -> FLOCK  ADVISORY  WRITE 10 " B_ROW);
}

static void test_ring(void)
{
	static const live_collector collectors[] = { live_collect_lock, NULL };
	struct ipckit_live live;

	begin();
	put_ring();
	expect("a ring", 10, "flock exclusive all certain: 20");
	expect("a ring", 20, "flock exclusive all certain: 10");
	unseen = true;
	expect("with some who are not seen", 10, "flock exclusive all inferred: 20");
	unseen = false;
	if (CHECK_INT(live_look(tree, NULL, collectors, &live), 0)) {
		CHECK(live.detection.deadlocked);
		CHECK_INT(live.cycle.length, 4);
		for (size_t i = 0; i < live.nedges; i++)
			CHECK(!live.edges[i].kind || strstr(live.edges[i].resource, "/file/"));
	}
	ipckit_live_free(&live);
	/* Its row is gone: it is being woken. */
	tree_put("locks", "2: FLOCK  ADVISORY  WRITE 10 " A_ROW "2: -> FLOCK  ADVISORY  WRITE 20 " A_ROW);
	expect("without a row", 10, "");
	expect("without a row of the other", 20, "flock exclusive all certain: 10");
	tree_put("locks", "2: FLOCK  ADVISORY  WRITE 10 " A_ROW "2: -> FLOCK  ADVISORY  READ 20 " A_ROW);
	expect("a row that asks for less", 20, "");
	CHECK_INT(unlinkat(tree, "locks", 0), 0);
	expect("no locks at all", 20, "");
	tree_end();
}

static void test_who_holds(void)
{
	begin();
	waits(10, 3, LOCK_EX);
	opens(10, 3, 'a', "");
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: FLOCK  ADVISORY  READ 20 " A_ROW);
	put_thread(30, 30, "running\n");
	opens(30, 6, 'a', "lock:\t1: FLOCK  ADVISORY  READ 30 " A_ROW);
	tree_put("locks", "2: FLOCK  ADVISORY  READ 20 " A_ROW "2: -> FLOCK  ADVISORY  WRITE 10 " A_ROW
			  "3: FLOCK  ADVISORY  READ 30 " A_ROW);
	expect("two who share", 10, "flock exclusive all certain: 20 30");
	/* That of 20 is one that 40 has, too: it has to go, but who lets it go is not known. */
	put_thread(40, 40, "running\n");
	opens(40, 5, 'a', "lock:\t1: FLOCK  ADVISORY  READ 20 " A_ROW);
	expect("the one that is known", 10, "flock exclusive all certain: 30");
	CHECK_INT(unlinkat(tree, "30/fdinfo/6", 0), 0);
	expect("one lock of two processes", 10, "flock exclusive any certain: 20 40");
	/* Who took it has ended. */
	CHECK_INT(unlinkat(tree, "20/fd/5", 0), 0);
	expect("inherited", 10, "flock exclusive all certain: 40");
	CHECK_INT(unlinkat(tree, "40/fd/5", 0), 0);
	expect("nobody who is seen", 10, "");
	opens(10, 7, 'a', "lock:\t1: FLOCK  ADVISORY  READ 20 " A_ROW);
	expect("itself, by another descriptor", 10, "flock exclusive all certain: 10");
	CHECK_INT(unlinkat(tree, "10/fd/7", 0), 0);
	tree_put("10/fdinfo/3", "ino:\t77\nlock:\t1: FLOCK  ADVISORY  READ 20 " A_ROW);
	expect("by this one: it had to let go first", 10, "");
	tree_end();
}

/* Behind one who waits, and another thread of the same process for another file. */
static void test_queue(void)
{
	begin();
	put_thread(10, 10, "running\n");
	opens(10, 3, 'a', "lock:\t1: FLOCK  ADVISORY  WRITE 10 " A_ROW);
	opens(10, 4, 'b', "lock:\t1: FLOCK  ADVISORY  READ 10 " B_ROW);
	waits(20, 3, LOCK_EX);
	opens(20, 3, 'a', "");
	waits(30, 3, LOCK_SH);
	put_thread(30, 31, in(SYS_flock, 4, LOCK_EX, 0));
	opens(30, 3, 'a', "");
	opens(30, 4, 'b', "");
	tree_put("locks", "2: FLOCK  ADVISORY  WRITE 10 " A_ROW "2: -> FLOCK  ADVISORY  WRITE 20 " A_ROW
			  "2:  -> FLOCK  ADVISORY  READ 30 " A_ROW "3: FLOCK  ADVISORY  READ 10 " B_ROW
			  "3: -> FLOCK  ADVISORY  WRITE 30 " B_ROW);
	expect("first", 20, "flock exclusive all certain: 10");
	expect("second", 30, "flock shared all certain: 10");
	expect("another file", 31, "flock exclusive all certain: 10");
	tree_end();
}

/* The kernel leaves out a lock whose taker is not there, and who waits for it. */
static void test_unlisted(void)
{
	begin();
	waits(10, 3, LOCK_EX);
	opens(10, 3, 'a', "");
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: FLOCK  ADVISORY  WRITE 0 " A_ROW);
	tree_put("locks", "");
	expect("seen from outside", 10, "");
	other_pids = true;
	expect("seen from a namespace", 10, "flock exclusive all inferred: 20");
	tree_put("20/fdinfo/5", "ino:\t77\nlock:\t1: FLOCK  ADVISORY  WRITE 20 " A_ROW);
	expect("of one who is there", 10, "");
	waits(10, 3, LOCK_SH);
	tree_put("20/fdinfo/5", "ino:\t77\nlock:\t1: FLOCK  ADVISORY  READ 0 " A_ROW);
	expect("not in the way", 10, "");
	other_pids = false;
	tree_end();
}

/* ---- fcntl ---- */

static void test_posix(void)
{
	begin();
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, 4, 4);
	opens(10, 3, 'a', "lock:\t1: " PART(POSIX, READ, 10, "0 5"));
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: " PART(POSIX, READ, 20, "0 4") "lock:\t2: " PART(POSIX, READ, 20, "9 20"));
	put_thread(30, 30, "running\n");
	opens(30, 5, 'a', "lock:\t1: " PART(POSIX, READ, 30, "8 EOF"));
	put_thread(40, 40, "running\n");
	opens(40, 5, 'a', "lock:\t1: OFDLCK ADVISORY  READ -1 08:01:77 7 7\n");
	tree_put("locks", "1: " PART(POSIX, READ, 20, "0 4") "1: -> " PART(POSIX, WRITE, 10, "4 7")
			  "2: " PART(POSIX, READ, 10, "0 5") "3: OFDLCK ADVISORY  READ -1 08:01:77 7 7\n");
	expect("those in its range", 10, "posix-lock write all certain: 20 40");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, 8, -4);
	expect("backwards", 10, "posix-lock write all certain: 20 40");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_END, 0, 4);
	expect("from the end on", 10, "posix-lock write all certain: 20 40");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, 4, 5);
	expect("another range", 10, "");
	waits_for_part(10, 3, F_SETLKW, F_RDLCK, SEEK_SET, 4, 4);
	expect("another mode", 10, "");
	waits_for_part(10, 3, F_SETLKW, F_UNLCK, SEEK_SET, 4, 4);
	expect("no lock", 10, "");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, INT64_MAX, 4);
	expect("too far", 10, "");
	waits_for_part(10, 3, F_SETLK, F_WRLCK, SEEK_SET, 4, 4);
	expect("no wait", 10, "");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, 4, 4);
	tree_put("10/mem", "short");
	expect("no memory", 10, "");
	tree_end();
}

/* Two waits of one process that cannot be told apart. */
static void test_unsure(void)
{
	begin();
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_END, 0, 4);
	opens(10, 3, 'a', "");
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: " PART(POSIX, WRITE, 20, "0 EOF"));
	tree_put("locks", "1: " PART(POSIX, WRITE, 20, "0 EOF") "1: -> " PART(POSIX, WRITE, 10, "4 7")
			  "1: -> " PART(POSIX, WRITE, 10, "5 7"));
	expect("two ranges", 10, "");
	waits_for_part(10, 3, F_SETLKW, F_WRLCK, SEEK_SET, 5, 3);
	expect("the range is told", 10, "posix-lock write all certain: 20");
	tree_put("locks", "1: " PART(POSIX, WRITE, 20, "0 EOF") "1: -> " PART(POSIX, WRITE, 10, "5 7")
			  "2: -> POSIX  ADVISORY  WRITE 10 08:02:77 5 7\n");
	expect("two file systems", 10, "");
	tree_end();
}

#define OFD_READ "OFDLCK ADVISORY  READ -1 08:01:77 0 EOF\n"

/* Its own lock is not in the way; of locks that look alike the kernel's table says how many there are. */
static void test_ofd(void)
{
	begin();
	waits_for_part(10, 3, F_OFD_SETLKW, F_WRLCK, SEEK_SET, 0, 0);
	opens(10, 3, 'a', "lock:\t1: " OFD_READ);
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: " OFD_READ);
	tree_put("locks", "1: " OFD_READ "1: -> OFDLCK ADVISORY  WRITE -1 08:01:77 0 EOF\n" "2: " OFD_READ);
	expect("upgrade", 10, "ofd-lock write all certain: 20");
	opens(10, 4, 'a', "lock:\t1: " OFD_READ);
	expect("at two descriptors", 10, "ofd-lock write any certain: 10 20");
	CHECK_INT(unlinkat(tree, "10/fd/4", 0), 0);
	tree_put("locks", "1: " OFD_READ "1: -> OFDLCK ADVISORY  WRITE -1 08:01:77 0 EOF\n");
	expect("its own alone", 10, "");
	tree_put("locks", "1: " OFD_READ "1: -> OFDLCK ADVISORY  WRITE -1 08:01:77 0 EOF\n");
	tree_put("10/fdinfo/3", "ino:\t77\n");
	expect("another's alone", 10, "ofd-lock write all certain: 20");
	tree_put("10/fdinfo/3", "ino:\t79\n");
	expect("another file", 10, "");
	tree_end();
}

/* Programs of 32 bits have their own struct flock. */
static void test_narrow(void)
{
	static const struct {
		const char *what;
		int call, command;
		unsigned char lock[20];
	} rows[] = {
		{ "F_SETLKW", 221, 7, { 1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 } },
		{ "F_SETLKW64", 221, 14, { 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0 } },
		{ "of fcntl", 55, 7, { 1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 } },
	};

	begin();
	opens(10, 3, 'a', "");
	put_thread(20, 20, "running\n");
	opens(20, 5, 'a', "lock:\t1: " PART(POSIX, WRITE, 20, "0 EOF"));
	tree_put("locks", "1: " PART(POSIX, WRITE, 20, "0 EOF") "1: -> " PART(POSIX, WRITE, 10, "4 7"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_thread(10, 10, in(rows[i].call, 3, rows[i].command, 0));
		tree_put_bytes("10/mem", rows[i].lock, sizeof(rows[i].lock));
		tree_put_bytes("10/auxv", (unsigned[4]){ 6, 4096, 0, 0 }, 16);
		if (sizeof(long) == 8)
			expect(rows[i].what, 10, "posix-lock write all certain: 20");
	}
	tree_end();
}

/* ---- what may be missing ---- */

static void test_broken(void)
{
	begin();
	put_ring();
	tree_put("20/fdinfo/4", "ino:\nlock:\nlock:\t\nlock:\t1:\nlock:\tFLOCK\n");
	expect("rows of a descriptor", 10, "");
	tree_put("20/fdinfo/4", "ino:\t\nlock:\t1: FLOCK  ADVISORY  WRITE 20 " B_ROW);
	expect("an inode that is not told", 10, "flock exclusive all certain: 20");
	CHECK_INT(unlinkat(tree, "10/fdinfo/4", 0), 0);
	expect("no descriptor", 10, "");
	CHECK_INT(unlinkat(tree, "20/fd/3", 0), 0);
	expect("no file", 20, "");
	tree_put("locks", "\n\n1: FLOCK\n2: -> FLOCK  ADVISORY  WRITE 10\n\n");
	expect("broken rows", 10, "");
	tree_end();
}

static int collect_failing(void)
{
	struct live_scan scan;
	int r = live_scan_begin(tree, &scan);

	if (!r)
		r = live_collect_lock(&scan);
	live_scan_end(&scan);
	return r;
}

static void test_failing(void)
{
	begin();
	put_ring();
	waits_for_part(30, 3, F_SETLKW, F_WRLCK, SEEK_SET, 0, 0);
	opens(30, 3, 'a', "");
	check_failing("locks", collect_failing);
	tree_end();
}

int main(void)
{
	test_ring();
	test_who_holds();
	test_queue();
	test_unlisted();
	test_posix();
	test_unsure();
	test_ofd();
	test_narrow();
	test_broken();
	test_failing();
	return unit_done("live lock");
}
