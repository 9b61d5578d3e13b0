/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who waits for whom by pipes, FIFOs and eventfds: real processes, and trees that are whole and broken. */

#include "actors.h"
#include "failing.h"

#include "../../lib/live-open.h"
#include "trees.h"

#include <sys/eventfd.h>

#define CERTAIN IPCKIT_LIVE_CERTAIN
#define INFERRED IPCKIT_LIVE_INFERRED

/* ---- real ones ---- */

static bool two_pipes(void)
{
	return !pipe(fds) && !pipe(fds + 2);
}

static char fifo_paths[2][64];

static bool two_fifos(void)
{
	bool good = true;

	for (int i = 0; i < 2; i++) {
		snprintf(fifo_paths[i], sizeof(fifo_paths[i]), "/tmp/ipckit-fifo.%d.%d", (int)getpid(), i);
		good = good && !mkfifo(fifo_paths[i], 0600);
		fds[2 * i] = open(fifo_paths[i], O_RDONLY | O_NONBLOCK);
		fds[2 * i + 1] = open(fifo_paths[i], O_WRONLY);
		good = good && fds[2 * i] >= 0 && fds[2 * i + 1] >= 0 && !fcntl(fds[2 * i], F_SETFL, 0);
	}
	return good;
}

static void remove_fifos(void)
{
	unlink(fifo_paths[0]);
	unlink(fifo_paths[1]);
}

static bool two_gone(void)
{
	bool good = two_fifos();

	remove_fifos();
	return good;
}

/* Each of its ends is both. */
static bool one_for_both(void)
{
	bool good = two_fifos();

	close(fds[0]);
	fds[0] = open(fifo_paths[0], O_RDWR);
	return good && fds[0] >= 0;
}

static bool two_counters(void)
{
	fds[0] = eventfd(0, EFD_CLOEXEC);
	fds[2] = eventfd(0, EFD_CLOEXEC);
	return fds[0] >= 0 && fds[2] >= 0;
}

/* Its writing end is on its way, and so is one of a third pipe. */
static bool one_flying(void)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 1;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	bool good = two_pipes() && !socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 4);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fds[1], sizeof(int));
	return good && sendmsg(fds[4], &message, 0) == 1;
}

/* The first of a pair reads the pipe 0, the second the pipe 1; each can write what the other reads. */
#define FIRST(...) ACTOR(READ, 0, KEEP(0, 3), ##__VA_ARGS__)
#define SECOND(...) ACTOR(READ, 2, KEEP(2, 1), ##__VA_ARGS__)

static const struct act_row pipe_rows[] = {
	{ "both read", { FIRST(), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
	{ "both read, and not all is seen", { FIRST(), SECOND() }, true, INFERRED, "pipe-read", 2, true },
	{ "readv", { ACTOR(READV, 0, KEEP(0, 3)), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
	{ "splice from", { ACTOR(SPLICE_FROM, 0, KEEP(0, 3)), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
	{ "tee from", { ACTOR(TEE_FROM, 0, KEEP(0, 3)), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
	{ "both write",
	  { ACTOR(WRITE, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)) }, true, CERTAIN, "pipe-write", 2, false },
	{ "writev",
	  { ACTOR(WRITEV, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)) }, true, CERTAIN, "pipe-write", 2, false },
	{ "splice to",
	  { ACTOR(SPLICE_TO, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)) }, true, CERTAIN, "pipe-write", 2,
	  false },
	{ "sendfile to",
	  { ACTOR(SENDFILE_TO, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)) }, true, CERTAIN, "pipe-write", 2,
	  false },
	{ "its own", { ACTOR(READ, 0, KEEP(0, 1)) }, true, CERTAIN, "pipe-read", 1, false },
	{ "its own, full", { ACTOR(WRITE, 1, KEEP(0, 1)) }, true, CERTAIN, "pipe-write", 1, false },
	{ "its own, and that of another",
	  { ACTOR(READ, 0, KEEP(0, 1)), ACTOR(PAUSE, 0, KEEP(1, 1)) }, false, 0, NULL, 0, false },
	{ "a third can write", { FIRST(), SECOND(), ACTOR(PAUSE, 0, KEEP(1, 1)) }, false, 0, NULL, 0, false },
	{ "a third waits itself",
	  { FIRST(), SECOND(), ACTOR(READ, 2, KEEP(1, 2)) }, true, CERTAIN, "pipe-read", 6, false },
	{ "a third can only read",
	  { FIRST(), SECOND(), ACTOR(PAUSE, 0, KEEP(0, 2)) }, true, CERTAIN, "pipe-read", 2, false },
	{ "a third reads",
	  { ACTOR(WRITE, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)), ACTOR(PAUSE, 0, KEEP(0, 0)) }, false, 0,
	  NULL, 0, false },
	{ "a thread is live", { FIRST(.thread = true), SECOND() }, false, 0, NULL, 0, false },
	{ "a stopped one may go on", { FIRST(.stopped = true), SECOND() }, false, 0, NULL, 0, false },
	{ "it has gone on",
	  { FIRST(.stopped = true, .again = true), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
};

static const struct act_row gone_rows[] = {
	{ "FIFOs without names", { FIRST(), SECOND() }, true, CERTAIN, "pipe-read", 2, false },
	{ "written to",
	  { ACTOR(WRITE, 1, KEEP(1, 2)), ACTOR(WRITE, 3, KEEP(3, 0)) }, true, CERTAIN, "pipe-write", 2, false },
};

static const struct act_row fifo_rows[] = {
	{ "FIFOs", { FIRST(), SECOND() }, true, INFERRED, "pipe-read", 2, false },
};

static const struct act_row both_rows[] = {
	{ "an idle reader of what it could write", { ACTOR(READ, 0, KEEP(0, 0)) }, false, 0, NULL, 0, false },
	{ "two of them", { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(READ, 0, KEEP(0, 0)) }, false, 0, NULL, 0, false },
	{ "who else could write is stuck",
	  { ACTOR(READ, 0, KEEP(0, 3)), ACTOR(READ, 2, KEEP(1, 2)) }, true, INFERRED, "pipe-read", 3, false },
};

static const struct act_row counter_rows[] = {
	{ "eventfds",
	  { ACTOR(READ, 0, KEEP(0, 2)), ACTOR(READ, 2, KEEP(0, 2)) }, true, INFERRED, "eventfd-read", 3, false },
	{ "a third has one",
	  { ACTOR(READ, 0, KEEP(0, 2)), ACTOR(READ, 2, KEEP(0, 2)), ACTOR(PAUSE, 0, KEEP(2, 2)) }, false, 0,
	  NULL, 0, false },
	{ "a third has another",
	  { ACTOR(READ, 0, KEEP(0, 0)), ACTOR(PAUSE, 0, KEEP(2, 2)) }, true, INFERRED, "eventfd-read", 1,
	  false },
};

static const struct act_row flying_rows[] = {
	{ "an end is on its way",
	  { ACTOR(READ, 0, KEEP(0, 1)), ACTOR(PAUSE, 0, KEEP(5, 5)) }, true, INFERRED, "pipe-read", 1, false },
};

#define PLAY(rows, make)                                                   \
	for (size_t row_ = 0; row_ < sizeof(rows) / sizeof(*rows); row_++) \
	actors_play(&rows[row_], make)

static void test_real(void)
{
	PLAY(pipe_rows, two_pipes);
	PLAY(gone_rows, two_gone);
	PLAY(counter_rows, two_counters);
	PLAY(flying_rows, one_flying);
	for (size_t i = 0; i < sizeof(both_rows) / sizeof(*both_rows); i++) {
		actors_play(&both_rows[i], one_for_both);
		remove_fifos();
	}
	actors_play(fifo_rows, two_fifos);
	remove_fifos();
}

/* ---- trees: the links there say that each end is both ---- */

static char call_text[160];

static const char *in(long number, int fd)
{
	snprintf(call_text, sizeof(call_text), "%ld 0x%x 0x1000 0x3 0x0 0x0 0x0 0x7ffe00 0x7fff00\n", number, fd);
	return call_text;
}

static void have_directory(const char *path)
{
	if (faccessat(tree, path, F_OK, 0))
		tree_mkdir(path);
}

static void link_fd(int pid, int fd, const char *target)
{
	char path[64];

	have_directory(tree_name("%d", pid));
	have_directory(tree_name("%d/fd", pid));
	snprintf(path, sizeof(path), "%d/fd/%d", pid, fd);
	if (symlinkat(target, tree, path))
		abort();
}

static void sleep_at(int pid, const char *place)
{
	tree_put(tree_name("%d/task/%d/wchan", pid, pid), place);
}

/* Two that read from the pipes 7 and 8, and have both. */
static void make_pair(void)
{
	tree_begin();
	for (int i = 0; i < 2; i++) {
		tree_thread(&(struct tree_thread){ .pid = 30 + i, .tid = 30 + i, .call = in(SYS_read, 5 + i) });
		sleep_at(30 + i, "pipe_read");
		link_fd(30 + i, 5, "pipe:[7]");
		link_fd(30 + i, 6, "pipe:[8]");
		link_fd(30 + i, 9, "anon_inode:[eventfd]");
	}
}

static int look_at_tree(void)
{
	static const live_collector collectors[] = { see_all, live_collect_transfer,
						     live_collect_poll, live_collect_mq, NULL };
	const struct ipckit_live_options all = { .everything = true };
	struct ipckit_live result;
	int r = live_look(tree, &all, collectors, &result);

	if (r)
		return r;
	r = result.core.ncomponents ? 0 : -ENOENT;
	ipckit_live_free(&result);
	return r;
}

static void change_nothing(void)
{
}

static void wake(void)
{
	sleep_at(31, "folio_wait_bit_common");
}

static void stop(void)
{
	sleep_at(31, "do_signal_stop");
}

static void tell_nothing(void)
{
	sleep_at(30, "0");
	unlinkat(tree, "31/task/31/wchan", 0);
}

static void put_state(char state)
{
	tell_nothing();
	tree_thread(&(struct tree_thread){ .pid = 31, .tid = 31, .call = in(SYS_read, 6), .state = state });
}

static void be_stopped(void)
{
	put_state('T');
}

static void be_on_disk(void)
{
	put_state('D');
}

static void lose_fd(void)
{
	unlinkat(tree, "31/fd/6", 0);
}

static void change_fd(void)
{
	lose_fd();
	link_fd(31, 6, "/dev/null");
}

static void break_link(void)
{
	lose_fd();
	link_fd(31, 6, "pipe:[x]");
}

static void add_ring(void)
{
	link_fd(31, 12, "anon_inode:[io_uring]");
}

/* One that came when all threads had been looked at. */
static void come_late(void)
{
	link_fd(77, 3, "pipe:[8]");
}

static void come_late_elsewhere(void)
{
	link_fd(77, 3, "pipe:[9]");
}

static void act_elsewhere(void)
{
	tree_thread(&(struct tree_thread){ .pid = 40, .tid = 40, .call = "running\n" });
	link_fd(40, 3, "pipe:[7]");
}

static void act_elsewhere_else(void)
{
	tree_thread(&(struct tree_thread){ .pid = 40, .tid = 40, .call = "running\n" });
	link_fd(40, 3, "pipe:[70]");
}

static void be_zombie(void)
{
	tree_thread(&(struct tree_thread){ .pid = 40, .tid = 40, .call = "-1 0x0 0x0\n", .state = 'Z' });
	link_fd(40, 3, "pipe:[7]");
}

static void lose_first(void)
{
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 30, .call = "-1 0x0 0x0\n", .state = 'Z',
					   .threads = 2 });
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 35, .call = in(SYS_read, 5) });
	tree_put("30/task/35/wchan", "pipe_read");
	tree_put_bytes("30/task/35/auxv", (unsigned long[4]){ 6, 4096 }, 4 * sizeof(long));
	if (renameat(tree, "30/fd", tree, "30/task/35/fd"))
		abort();
}

static void splice_somewhere(void)
{
	snprintf(call_text, sizeof(call_text), "%ld 0x6 0x0 0x9 0x0 0x1 0x0 0x7ffe00 0x7fff00\n", (long)SYS_splice);
	tree_thread(&(struct tree_thread){ .pid = 31, .tid = 31, .call = call_text });
	sleep_at(31, "pipe_wait");
}

static const struct {
	const char *what;
	void (*change)(void);
	bool found;
} changes[] = {
	{ "a pair", change_nothing, true },
	{ "one sleeps elsewhere", wake, false },
	{ "one is stopped", stop, false },
	{ "where they sleep is not told", tell_nothing, true },
	{ "one is stopped, as its state tells", be_stopped, false },
	{ "one waits for a disk", be_on_disk, false },
	{ "the descriptor is gone", lose_fd, false },
	{ "the descriptor is another's", change_fd, false },
	{ "a link that is none", break_link, false },
	{ "the kernel works for one", add_ring, false },
	{ "one came late", come_late, false },
	{ "one came late, with another pipe", come_late_elsewhere, true },
	{ "another can write", act_elsewhere, false },
	{ "another runs", act_elsewhere_else, true },
	{ "a zombie", be_zombie, true },
	{ "a first thread that has ended", lose_first, true },
	{ "which way is not told", splice_somewhere, false },
};

static void test_trees(void)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		make_pair();
		changes[i].change();
		CHECK_INT_FOR(changes[i].what, look_at_tree(), changes[i].found ? 0 : -ENOENT);
		tree_end();
	}
}

static void test_failing(void)
{
	make_pair();
	check_failing("a pair", look_at_tree);
	tree_end();
}

int main(void)
{
	if (!actors_begin())
		return unit_skip("live pipe", "nothing is told of threads here");
	test_trees();
	test_failing();
	test_real();
	return unit_done("live pipe");
}
