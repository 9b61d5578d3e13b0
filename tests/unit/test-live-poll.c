/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who waits for any of several: poll, select, epoll, of real processes; what their memory and the kernel tell of
 * it, whole and broken, in trees. */

#include "actors.h"
#include "failing.h"

#include "../../lib/live-polled.h"
#include "trees.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#define CERTAIN IPCKIT_LIVE_CERTAIN
#define TIMED IPCKIT_LIVE_TIMED
#define INFERRED IPCKIT_LIVE_INFERRED

/* ---- real ones ---- */

/* 0 and 1: what can be read of two pipes; 2 and 3: where that is written; 4, 5: a third pipe. */
static bool three_pipes(void)
{
	int first[2], second[2];

	if (pipe(first) || pipe(second) || pipe(fds + 4))
		return false;
	fds[0] = first[0];
	fds[1] = second[0];
	fds[2] = first[1];
	fds[3] = second[1];
	/* One behind the other. */
	return fcntl(first[0], F_DUPFD, 40) == 40 && fcntl(second[0], F_DUPFD, 41) == 41 && !close(fds[0]) &&
	       !close(fds[1]) && (fds[0] = 40) && (fds[1] = 41);
}

static bool with_timer(void)
{
	bool good = three_pipes();
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	good = good && timer >= 0 && dup2(timer, 41) == 41;
	close(timer);
	return good;
}

static bool with_counter(void)
{
	bool good = three_pipes();

	close(fds[0]);
	fds[0] = eventfd(0, EFD_CLOEXEC);
	return good && fds[0] >= 0;
}

#define ANSWER ACTOR(READ, 4, KEEP(2, 4)) /* writes the first pipe, once it has got something of the third */
#define OTHER ACTOR(READ, 4, KEEP(3, 4))

static const struct act_row rows[] = {
	{ "poll", { ACTOR(POLL, 0, KEEP(0, 5)), ANSWER }, true, CERTAIN, "poll", 2, false },
	{ "poll, and not all is seen", { ACTOR(POLL, 0, KEEP(0, 5)), ANSWER }, true, INFERRED, "poll", 2, true },
	{ "poll with a limit", { ACTOR(POLL_TIMED, 0, KEEP(0, 5)), ANSWER }, true, TIMED, "poll", 2, false },
	{ "ppoll", { ACTOR(PPOLL, 0, KEEP(0, 5)), ANSWER }, true, CERTAIN, "poll", 2, false },
	{ "ppoll with a limit", { ACTOR(PPOLL_TIMED, 0, KEEP(0, 5)), ANSWER }, true, TIMED, "poll", 2, false },
	{ "select", { ACTOR(SELECT, 0, KEEP(0, 5)), ANSWER }, true, CERTAIN, "poll", 2, false },
	{ "select with a limit", { ACTOR(SELECT_TIMED, 0, KEEP(0, 5)), ANSWER }, true, TIMED, "poll", 2, false },
	{ "epoll", { ACTOR(EPOLL, 0, KEEP(0, 5)), ANSWER }, true, CERTAIN, "poll", 2, false },
	{ "epoll_pwait", { ACTOR(EPOLL_PWAIT, 0, KEEP(0, 5)), ANSWER }, true, CERTAIN, "poll", 2, false },
	{ "epoll with a limit", { ACTOR(EPOLL_TIMED, 0, KEEP(0, 5)), ANSWER }, true, TIMED, "poll", 2, false },
	{ "stopped", { ACTOR(POLL, 0, KEEP(0, 5), .stopped = true), ANSWER }, false, 0, NULL, 0, false },
	{ "stopped and continued",
	  { ACTOR(POLL, 0, KEEP(0, 5), .stopped = true, .again = true), ANSWER }, true, CERTAIN, "poll", 2,
	  false },
	{ "with a limit, stopped and continued",
	  { ACTOR(POLL_TIMED, 0, KEEP(0, 5), .stopped = true, .again = true), ANSWER }, true, TIMED, "poll", 2,
	  false },
	{ "a thread may add to an epoll",
	  { ACTOR(EPOLL, 0, KEEP(0, 5), .thread = true), ANSWER }, false, 0, NULL, 0, false },
	{ "who could write is live",
	  { ACTOR(POLL, 0, KEEP(0, 5)), ACTOR(PAUSE, 0, KEEP(2, 2)) }, false, 0, "poll", 2, false },
	{ "any of two, both stuck",
	  { ACTOR(POLL_BOTH, 0, KEEP(0, 5) | KEEP(1, 1)), ANSWER, OTHER }, true, CERTAIN, "poll", 6, false },
	{ "any of two, one is live",
	  { ACTOR(POLL_BOTH, 0, KEEP(0, 5) | KEEP(1, 1)), ANSWER, ACTOR(PAUSE, 0, KEEP(3, 3)) }, false, 0,
	  "poll", 6, false },
	{ "the end of one", { ANSWER, ACTOR(PIDFD, 0, KEEP(5, 5)) }, true, CERTAIN, "pipe-read", 2, false },
};

static const struct act_row timer_rows[] = {
	{ "a timer is among them",
	  { ACTOR(POLL_BOTH, 0, KEEP(0, 5) | KEEP(1, 1)), ANSWER }, false, 0, NULL, 0, false },
};

static const struct act_row counter_rows[] = {
	{ "an eventfd",
	  { ACTOR(POLL, 0, KEEP(0, 5)), ACTOR(READ, 4, KEEP(0, 4)) }, true, INFERRED, "poll", 3, false },
	{ "an eventfd that is live",
	  { ACTOR(POLL, 0, KEEP(0, 5)), ACTOR(PAUSE, 4, KEEP(0, 4)) }, false, 0, "poll", 3, false },
};

static void test_real(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		actors_play(&rows[i], three_pipes);
	actors_play(timer_rows, with_timer);
	for (size_t i = 0; i < sizeof(counter_rows) / sizeof(*counter_rows); i++)
		actors_play(&counter_rows[i], with_counter);
}

/* ---- rows of an epoll ---- */

static void test_rows(void)
{
	static const char good[] = "tfd:        5 events:       19 data:                a  pos:0 ino:1d9 sdev:f\n"
				   "tfd: 6";
	static const char *const bad[] = {
		"", "\n", "tfd:", "tfd: x events: 1", "tfd: 5", "tfd: 5 event: 1", "tfd: 99999999999 events: 1",
		"tfd: 5 events: z", "tfd: 5 events: 100000000", "tfd: 5 events: 1 ino:x", "pos: 5 events: 1",
	};
	struct live_polled polled;

	if (CHECK_INT(live_polled_parse(good, &polled), 0)) {
		CHECK_INT(polled.fd, 5);
		CHECK(polled.reading && !polled.writing);
		CHECK_INT(polled.inode, 0x1d9);
	}
	/* Older kernels tell no inode; that of another row is none of this one. */
	CHECK_INT(live_polled_parse("tfd: 5 events: 4 data: 1\ntfd: 6 events: 1 data: 1 ino:7\n", &polled), 0);
	CHECK(!polled.reading && polled.writing && !polled.inode);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], live_polled_parse(bad[i], &polled), -EBADMSG);
	CHECK_STR(live_polled_rows("pos:\t0\nmnt_id:\t1\ntfd: 5\n"), "tfd: 5\n");
	CHECK_STR(live_polled_rows("pos:\t0\n"), "");
}

static void test_broken_rows(void)
{
	static const char good[] = "tfd:        5 events:       19 data:                a  pos:0 ino:1d9 sdev:f\n";
	struct live_polled polled;
	char text[sizeof(good)];
	unsigned long seed = 1;

	for (int i = 0; i < 20000; i++) {
		memcpy(text, good, sizeof(good));
		for (int n = 0; n < 3; n++) {
			seed = seed * 6364136223846793005u + 1;
			text[(seed >> 33) % (sizeof(good) - 1)] = "0 :\ntx9\x80"[seed >> 29 & 7];
		}
		if (!live_polled_parse(text, &polled))
			CHECK_FOR(text, polled.fd >= 0);
	}
}

/* ---- trees ---- */

static struct {
	int fd;
	short events, got;
} polled_memory[4];
static unsigned long set_memory[16];
static char call_text[160];

static void link_fd(int pid, int fd, const char *target)
{
	char path[64];

	if (faccessat(tree, tree_name("%d/fd", pid), F_OK, 0))
		tree_mkdir(tree_name("%d/fd", pid));
	snprintf(path, sizeof(path), "%d/fd/%d", pid, fd);
	if (symlinkat(target, tree, path))
		abort();
}

/* One that polls 5 and 6, with what it polls at the address 4096, and is the only one who has what is there. */
static void make_poller(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	char memory[4096 + sizeof(polled_memory) + sizeof(set_memory)] = "";

	memcpy(memory + 4096, polled_memory, sizeof(polled_memory));
	memcpy(memory + 4096 + sizeof(polled_memory), set_memory, sizeof(set_memory));
	snprintf(call_text, sizeof(call_text), "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x0 0x0 0x7ffe00 0x7fff00\n", number, a,
		 b, c, d);
	tree_begin();
	tree_thread(&(struct tree_thread){ .pid = 30, .tid = 30, .call = call_text });
	tree_put("30/task/30/wchan", "poll_schedule_timeout.constprop.0");
	tree_put_bytes("30/mem", memory, sizeof(memory));
	tree_put("30/fdinfo/3",
		 "pos:\t0\ntfd:        5 events:       19 data:                5  pos:0 ino:7 sdev:c\n");
	tree_put("30/fdinfo/6", "pos:\t0\neventfd-count:                0\neventfd-id: 44\n");
	link_fd(30, 3, "anon_inode:[eventpoll]");
	link_fd(30, 5, "pipe:[7]");
	link_fd(30, 6, "anon_inode:[eventfd]");
	link_fd(30, 7, "anon_inode:[timerfd]");
	link_fd(30, 8, "/dev/null");
}

/* Another process that could end the waits, but waits for the end of the first. */
static void add_partner(void)
{
	tree_thread(&(struct tree_thread){
		.pid = 31, .tid = 31, .call = "61 0x1e 0x0 0x0 0x0 0x0 0x0 0x7ffe00 0x7fff00\n",
	});
	link_fd(31, 5, "pipe:[7]");
}

static enum ipckit_live_level found_level;
static char found_name[80];

static int look_at_tree(void)
{
	static const live_collector collectors[] = { see_all, live_collect_child, live_collect_poll, NULL };
	const struct ipckit_live_options all = { .everything = true };
	struct ipckit_live result;
	int r = live_look(tree, &all, collectors, &result);

	if (r)
		return r;
	for (size_t i = 0; i < result.nedges; i++)
		if (result.edges[i].kind && result.edges[i].kind != IPCKIT_LIVE_CHILD)
			snprintf(found_name, sizeof(found_name), "%s", result.edges[i].resource);
	r = result.core.ncomponents ? 0 : -ENOENT;
	if (!r)
		found_level = result.levels[0];
	ipckit_live_free(&result);
	return r;
}

#define AT 4096
#define SETS (AT + sizeof(polled_memory))
#define FOREVER 0xffffffff

static const struct {
	const char *what;
	int fds[2];
	long number;
	unsigned long a, b, c, d;
	const char *name; /* NULL: nothing is found */
	enum ipckit_live_level level;
} polls[] = {
	{ "poll", { 5, -1 }, SYS_poll, AT, 1, FOREVER, 0, "pipe:[7]", CERTAIN },
	{ "poll of two", { 5, 6 }, SYS_poll, AT, 2, FOREVER, 0, "pipe:[7], eventfd:[44]", INFERRED },
	{ "one that is not wanted", { 5, -8 }, SYS_poll, AT, 2, FOREVER, 0, "pipe:[7]", CERTAIN },
	{ "a timer", { 5, 7 }, SYS_poll, AT, 2, FOREVER, 0, NULL, 0 },
	{ "a device", { 5, 8 }, SYS_poll, AT, 2, FOREVER, 0, NULL, 0 },
	{ "an epoll", { 5, 3 }, SYS_poll, AT, 2, FOREVER, 0, NULL, 0 },
	{ "a closed one", { 5, 9 }, SYS_poll, AT, 2, FOREVER, 0, NULL, 0 },
	{ "none", { 5, 6 }, SYS_poll, AT, 0, FOREVER, 0, NULL, 0 },
	{ "none that is wanted", { -1, -1 }, SYS_poll, AT, 2, FOREVER, 0, NULL, 0 },
	{ "too many", { 5, 6 }, SYS_poll, AT, 1 << 20, FOREVER, 0, NULL, 0 },
	{ "no memory there", { 5, 6 }, SYS_poll, 1 << 20, 1, FOREVER, 0, NULL, 0 },
	{ "an address of the kernel", { 5, 6 }, SYS_poll, -4096ul, 1, FOREVER, 0, NULL, 0 },
	{ "a limit", { 5, 6 }, SYS_poll, AT, 1, 500, 0, "pipe:[7]", TIMED },
	{ "begun again", { 5, -1 }, SYS_restart_syscall, AT, 1, FOREVER, 0, "pipe:[7]", CERTAIN },
	{ "begun again, with a limit", { 5, -1 }, SYS_restart_syscall, AT, 1, 500, 0, "pipe:[7]", TIMED },
	{ "select", { -1, -1 }, SYS_pselect6, 6, SETS, 0, 0, "pipe:[7]", CERTAIN },
	{ "select for writing", { -1, -1 }, SYS_pselect6, 6, 0, SETS, 0, "pipe:[7]", CERTAIN },
	{ "select for what is urgent", { -1, -1 }, SYS_pselect6, 6, 0, 0, SETS, "pipe:[7]", CERTAIN },
	{ "select below it", { -1, -1 }, SYS_pselect6, 5, SETS, 0, 0, NULL, 0 },
	{ "select of too many", { -1, -1 }, SYS_pselect6, 1 << 20, SETS, 0, 0, NULL, 0 },
	{ "select without memory", { -1, -1 }, SYS_pselect6, 6, 1 << 20, 0, 0, NULL, 0 },
	{ "epoll", { -1, -1 }, SYS_epoll_pwait, 3, AT, 1, FOREVER, "pipe:[7]", CERTAIN },
	{ "epoll with a limit", { -1, -1 }, SYS_epoll_pwait, 3, AT, 1, 7, "pipe:[7]", TIMED },
	{ "epoll_pwait2", { -1, -1 }, 441, 3, AT, 1, 0, "pipe:[7]", CERTAIN },
	{ "epoll_pwait2 with a limit", { -1, -1 }, 441, 3, AT, 1, AT, "pipe:[7]", TIMED },
	{ "epoll of which nothing is told", { -1, -1 }, SYS_epoll_pwait, 4, AT, 1, FOREVER, NULL, 0 },
	{ "what is no epoll", { -1, -1 }, SYS_epoll_pwait, 6, AT, 1, FOREVER, NULL, 0 },
};

static void prepare(size_t i)
{
	for (int n = 0; n < 2; n++) {
		polled_memory[n].fd = polls[i].fds[n];
		polled_memory[n].events = POLLIN;
	}
	set_memory[0] = 1ul << 5;
	make_poller(polls[i].number, polls[i].a, polls[i].b, polls[i].c, polls[i].d);
}

static void test_trees(void)
{
	for (size_t i = 0; i < sizeof(polls) / sizeof(*polls); i++) {
		prepare(i);
		add_partner();
		if (CHECK_INT_FOR(polls[i].what, look_at_tree(), polls[i].name ? 0 : -ENOENT) && polls[i].name) {
			CHECK_STR_FOR(polls[i].what, found_name, polls[i].name);
			CHECK_INT_FOR(polls[i].what, found_level, polls[i].level);
		}
		tree_end();
	}
}

/* With a limit, and nobody else to wake it, it is asleep; without one it is stuck. */
static void test_alone(void)
{
	for (size_t i = 0; i < sizeof(polls) / sizeof(*polls); i++) {
		bool stuck = polls[i].name && polls[i].level != TIMED;

		prepare(i);
		CHECK_INT_FOR(polls[i].what, look_at_tree(), stuck ? 0 : -ENOENT);
		tree_end();
	}
}

static void check_change(const char *what, size_t poll, const char *path, const char *text)
{
	prepare(poll);
	tree_put(path, text);
	CHECK_INT_FOR(what, look_at_tree(), -ENOENT);
	tree_end();
}

static size_t poll_of(const char *what)
{
	for (size_t i = 0; i < sizeof(polls) / sizeof(*polls); i++)
		if (!strcmp(polls[i].what, what))
			return i;
	abort();
}

static void test_changes(void)
{
	size_t epoll = poll_of("epoll"), again = poll_of("begun again");

	check_change("it sleeps elsewhere", 0, "30/task/30/wchan", "folio_wait_bit_common");
	check_change("it is stopped", 0, "30/task/30/wchan", "do_signal_stop");
	/* Then it may be any other that was begun again. */
	check_change("where it sleeps is not told", again, "30/task/30/wchan", "0");
	check_change("it sleeps in a futex", again, "30/task/30/wchan", "futex_do_wait");
	check_change("the number is another's", epoll, "30/fdinfo/3",
		     "tfd: 5 events: 19 data: 5  pos:0 ino:8 sdev:c\n");
	check_change("a row that is none", epoll, "30/fdinfo/3",
		     "pos:\t0\ntfd: 5 events: 19 data: 5  pos:0 ino:7 sdev:c\nwhatever\n");
	check_change("an eventfd without an id", poll_of("poll of two"), "30/fdinfo/6", "eventfd-count: 0\n");
}

static void test_failing(void)
{
	static const char *const which[] = { "poll of two", "select", "epoll" };

	for (size_t i = 0; i < 3; i++) {
		prepare(poll_of(which[i]));
		check_failing(which[i], look_at_tree);
		tree_end();
	}
}

int main(void)
{
	test_rows();
	test_broken_rows();
	if (!actors_begin())
		return unit_skip("live poll", "nothing is told of threads here");
	test_trees();
	test_alone();
	test_changes();
	test_failing();
	test_real();
	return unit_done("live poll");
}
