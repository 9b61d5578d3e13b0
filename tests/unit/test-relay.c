/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Relays that wait, stop, or are slow; both ways at once. */

#include "relays.h"

#include <sys/socket.h>
#include <sys/time.h>

static struct ipckit_flow *flows[2];

/* ---- waiting ---- */

static volatile sig_atomic_t stopped, alarms;
static unsigned ticks;

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void on_stop(int signal)
{
	stopped = signal;
}

static void handle(int signal, void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(signal, &action, NULL);
}

/* The third one stops it. */
static void count_tick(void *arg)
{
	(void)arg;
	if (++ticks == 3)
		stopped = SIGUSR1;
}

static void storm(int us)
{
	const struct itimerval times = { .it_interval.tv_usec = us, .it_value.tv_usec = us };

	handle(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &times, NULL);
}

static void check_idle(void)
{
	struct ipckit_relay how = { .idle = 50 * MS, .stop = &stopped, .tick = count_tick };
	const struct ipckit_flow_spec slow = { .rate = 1000 };
	struct end from = make_end(A_PIPE, true), to = make_end(A_TCP, false);
	struct ipckit_flow_state state = { 0 };
	int64_t begin = now();

	write_all(from.other, (const unsigned char *)"abc", 3);
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), -ETIMEDOUT);
	CHECK(now() - begin >= 49 * MS && now() - begin < PATIENCE);
	CHECK(!state.ended && state.bytes == 3);
	CHECK_INT(ticks, 0);

	how.idle = PATIENCE;
	how.period = 5 * MS;
	begin = now();
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), -EINTR);
	CHECK_INT(ticks, 3);
	CHECK(now() - begin >= 15 * MS);
	stopped = 0;
	how.period = 0;

	how.idle = 0;
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), -EAGAIN);
	write_all(from.other, (const unsigned char *)"abc", 3);
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), -EAGAIN);
	CHECK_INT(state.bytes, 3);

	/* It is slow by itself, and not idle: 200 bytes are let through fifty at a time. */
	how.idle = 10 * MS;
	write_stream(from.other, 0, 200, 200);
	close(from.other);
	from.other = -1;
	begin = now();
	CHECK_INT(run_flow(&how, from.own, to.own, &slow, &state), 0);
	CHECK_INT(state.bytes, 200);
	CHECK(now() - begin >= 180 * MS);
	close_end(&from);
	close_end(&to);
}

static void send_after(int ms, pid_t pid, int signal)
{
	usleep((useconds_t)ms * 1000);
	kill(pid, signal);
}

/* Signals come for good, and one of them stops it; also where calls wait. */
static void check_stop(enum kind source, enum kind sink, bool fill)
{
	const struct ipckit_relay how = { .idle = IPCKIT_FOREVER, .stop = &stopped };
	struct end from = make_end(source, true), to = make_end(sink, false);
	struct ipckit_flow_state state = { 0 };
	pid_t stopper, writer = fill ? start_writer(from.other, 1 << 30, 65536) : 0;

	stopped = 0;
	handle(SIGUSR1, on_stop);
	storm(2000);
	stopper = fork();
	if (!stopper) {
		send_after(50, getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK_INT(run_flow(&how, from.own, to.own, NULL, &state), -EINTR);
	CHECK(!state.ended);
	CHECK(stopped == SIGUSR1);
	storm(0);
	wait_for(stopper);
	if (writer)
		kill(writer, SIGKILL);
	if (writer)
		wait_for(writer);
	close_end(&from);
	close_end(&to);
}

/* Nothing is lost in a storm of signals. */
static void check_storm(enum kind source, enum kind sink)
{
	struct end from = make_end(source, true), to = make_end(sink, false);
	const uint64_t bytes = UNIT_SANITIZED ? 1 << 20 : 4 << 20;
	struct ipckit_flow_state state = { 0 };
	pid_t writer = start_writer(from.other, bytes, 65536), reader = start_reader(to.other, bytes, true, 65536);
	sig_atomic_t before = alarms;

	close(from.other);
	close(to.other);
	from.other = to.other = -1;
	storm(200);
	CHECK_INT(run_flow(NULL, from.own, to.own, NULL, &state), 0);
	storm(0);
	CHECK_INT(state.error, 0);
	CHECK_INT(state.bytes, bytes);
	CHECK(alarms > before);
	close_end(&to);
	CHECK_INT(wait_for(reader), 0);
	CHECK_INT(wait_for(writer), 0);
	close_end(&from);
}

/* ---- both ways ---- */

static int sinks[2];
static unsigned ended;

/* The end is passed on: by that of one direction of a socket, or by closing a pipe. */
static void pass_end(void *arg, struct ipckit_flow *flow)
{
	int *sink = &sinks[flow == flows[1]];

	(void)arg;
	ended++;
	if (shutdown(*sink, SHUT_WR)) {
		close(*sink);
		*sink = -1;
	}
}

/* Writes and reads at once, half-closed in between; what comes back is as long. */
static pid_t start_talker(int fd, uint64_t writes, uint64_t reads)
{
	pid_t child, pid = fork();

	if (pid)
		return pid;
	alarm(60);
	close_others(fd);
	child = fork();
	if (!child) {
		write_stream(fd, 0, writes, 65536);
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	_exit(read_stream(fd, -1, 65536) != (int64_t)reads || wait_for(child));
}

static void check_both(enum kind first, enum kind second, uint64_t there, uint64_t back)
{
	const struct ipckit_relay how = { .idle = PATIENCE, .ended = pass_end };
	struct end a = make_end(first, true), b = make_end(second, false);
	const struct ipckit_flow_spec plain = { 0 };
	struct ipckit_flow_state state;
	pid_t left = start_talker(a.other, there, back), right = start_talker(b.other, back, there);

	close(a.other);
	close(b.other);
	a.other = b.other = -1;
	sinks[0] = b.own;
	sinks[1] = a.own;
	ended = 0;
	if (CHECK_INT(ipckit_flow_open(a.own, b.own, &plain, &flows[0]), 0) &&
	    CHECK_INT(ipckit_flow_open(b.own, a.own, &plain, &flows[1]), 0)) {
		CHECK_INT(ipckit_relay_run(&how, flows, 2), 0);
		CHECK_INT(ended, 2);
		for (int i = 0; i < 2; i++) {
			ipckit_flow_look(flows[i], &state);
			CHECK_INT(state.error, 0);
			CHECK_INT(state.bytes, i ? back : there);
			ipckit_flow_close(flows[i]);
		}
	}
	CHECK_INT(wait_for(left), 0);
	CHECK_INT(wait_for(right), 0);
	close_end(&a);
	close_end(&b);
}

/* One direction fails, and the other goes on. Its own description of the FIFO is no writer that keeps it open. */
static void check_one_fails(void)
{
	const struct ipckit_relay how = { .idle = PATIENCE, .ended = pass_end };
	struct end from = make_end(A_PIPE, true), to = make_end(A_FIFO, false);
	const struct ipckit_flow_spec plain = { 0 };
	struct end in = make_end(A_PIPE, true);
	struct ipckit_flow_state state;

	sinks[0] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	sinks[1] = to.own;
	write_all(from.other, (const unsigned char *)"x", 1);
	write_stream(in.other, 0, 50000, 50000);
	close(in.other);
	in.other = -1;
	if (CHECK_INT(ipckit_flow_open(from.own, sinks[0], &plain, &flows[0]), 0) &&
	    CHECK_INT(ipckit_flow_open(in.own, to.own, &plain, &flows[1]), 0)) {
		CHECK_INT(ipckit_relay_run(&how, flows, 2), 0);
		CHECK_INT(read_stream(to.other, -1, 65536), 50000);
		ipckit_flow_look(flows[0], &state);
		CHECK_INT(state.error, -ENOSPC);
		CHECK_INT(state.bytes, 0);
		ipckit_flow_look(flows[1], &state);
		CHECK_INT(state.error, 0);
		ipckit_flow_close(flows[0]);
		ipckit_flow_close(flows[1]);
	}
	to.own = -1;
	close_end(&from);
	close_end(&to);
	close_end(&in);
}

/* A socket that others made to wait is full, and the other direction goes on. */
static void check_not_held_up(void)
{
	struct end a = make_end(A_UNIX, true), b = make_end(A_TCP, false);
	const struct ipckit_relay how = { .idle = 100 * MS };
	const struct ipckit_flow_spec plain = { 0 };
	pid_t writer = start_writer(a.other, 1 << 30, 65536), other = start_writer(b.other, 100000, 1000);
	struct ipckit_flow_state state;

	if (CHECK_INT(ipckit_flow_open(a.own, b.own, &plain, &flows[0]), 0) &&
	    CHECK_INT(ipckit_flow_open(b.own, a.own, &plain, &flows[1]), 0)) {
		CHECK_INT(ipckit_relay_run(&how, flows, 2), -ETIMEDOUT);
		ipckit_flow_look(flows[1], &state);
		CHECK_INT(state.bytes, 100000);
		ipckit_flow_close(flows[0]);
		ipckit_flow_close(flows[1]);
	}
	kill(writer, SIGKILL);
	wait_for(writer);
	CHECK_INT(wait_for(other), 0);
	close_end(&a);
	close_end(&b);
}

int main(void)
{
	handle(SIGPIPE, SIG_IGN);
	check_idle();
	check_stop(A_PIPE, A_PIPE, false);
	check_stop(A_PIPE, A_PIPE, true);
	check_stop(A_PIPE, A_TCP, true);
	check_stop(A_TCP, A_UNIX, true);
	check_stop(A_TCP, A_TERMINAL, true);
	check_storm(A_PIPE, A_PIPE);
	check_storm(A_TCP, A_UNIX);
	check_storm(A_UNIX_NOW, A_TCP_NOW);
	check_both(A_TCP, A_UNIX, 1 << 20, 300000);
	check_both(A_UNIX_NOW, A_TCP_NOW, 0, 1 << 20);
	check_both(A_UNIX, A_UNIX, 1, 0);
	check_one_fails();
	check_not_held_up();
	return unit_done("relay");
}
