/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "failing.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ipckit/socket.h>

#define MS INT64_C(1000000)

static char directory[] = "/tmp/ipckit-socket-XXXXXX";

/* An endpoint: its text lasts until the next call but seven. */
__attribute__((format(printf, 1, 2))) static const struct ipckit_endpoint *end(const char *format, ...)
{
	static struct ipckit_endpoint ends[8];
	static char texts[8][256];
	static unsigned next;
	unsigned i = next++ % 8;
	struct ipckit_why why;
	va_list args;

	ipckit_endpoint_free(&ends[i]);
	va_start(args, format);
	vsnprintf(texts[i], sizeof(texts[i]), format, args);
	va_end(args);
	if (ipckit_endpoint_parse(texts[i], IPCKIT_ENDS_ALL, &why, &ends[i]))
		printf("# %s: %s\n", texts[i], why.text);
	return &ends[i];
}

static struct ipckit_deadline in(int64_t ns)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return deadline;
}

static struct ipckit_deadline soon(void)
{
	return in(10000 * MS);
}

static int listen_at(const struct ipckit_endpoint *at, int backlog, unsigned mode)
{
	const struct ipckit_listening how = { .backlog = backlog, .mode = mode };
	struct ipckit_why why;
	int fd = -1, r = ipckit_socket_listen(at, &how, &why, &fd);

	return r ? r : fd;
}

static int connect_to(const struct ipckit_endpoint *to, struct ipckit_deadline deadline)
{
	struct ipckit_why why;
	int fd = -1, r = ipckit_socket_connect(to, &deadline, &why, &fd);

	return r ? r : fd;
}

static bool is_ready(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK;
}

/* Messages are told from the end. */
static bool is_marked(int fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	return !getsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, &size) && on;
}

static int port_of(int fd)
{
	struct ipckit_address address;

	if (ipckit_socket_address(fd, &address))
		return -1;
	return ntohs(((struct sockaddr_in *)&address.at)->sin_port);
}

static void check_carries(const char *what, int from, int to)
{
	char byte = 0;

	CHECK_INT_FOR(what, send(from, "x", 1, MSG_NOSIGNAL), 1);
	CHECK_FOR(what, poll(&(struct pollfd){ .fd = to, .events = POLLIN }, 1, 10000) == 1);
	CHECK_INT_FOR(what, read(to, &byte, 1), 1);
	CHECK_INT_FOR(what, byte, 'x');
}

/* ---- connecting and accepting ---- */

static void check_stream(const struct ipckit_endpoint *at, const struct ipckit_endpoint *to)
{
	struct ipckit_deadline deadline = soon();
	struct ipckit_peer peer, other;
	int listener = listen_at(at, 0, 0600), here, there = -1;
	const char *what = at->written;

	if (!CHECK_FOR(what, listener >= 0)) {
		printf("#   %s\n", strerror(-listener));
		return;
	}
	if (!to)
		to = end("%s%s:%d", at->kind == IPCKIT_END_TCP ? "tcp:" : "udp:",
			 at->host && strchr(at->host, ':') ? "[::1]" : "127.0.0.1", port_of(listener));
	CHECK_FOR(what, is_ready(listener));
	here = connect_to(to, soon());
	if (!CHECK_FOR(what, here >= 0))
		return;
	if (!CHECK_INT_FOR(what, ipckit_socket_accept(listener, &deadline, &peer, &there), 0))
		return;
	CHECK_FOR(what, is_ready(here) && is_ready(there));
	CHECK_INT_FOR(what, is_marked(here), at->kind == IPCKIT_END_SEQPACKET);
	CHECK_INT_FOR(what, is_marked(there), at->kind == IPCKIT_END_SEQPACKET);
	check_carries(what, here, there);
	check_carries(what, there, here);
	CHECK_INT_FOR(what, ipckit_socket_peer(there, &other), 0);
	CHECK_INT_FOR(what, other.uid.known, peer.uid.known);
	CHECK_INT_FOR(what, peer.uid.known, at->kind != IPCKIT_END_TCP);
	CHECK_FOR(what, !peer.uid.known || (peer.uid.value == geteuid() && peer.pid.value == getpid() &&
					    peer.gid.value == getegid()));
	CHECK_INT_FOR(what, other.address.length, peer.address.length);
	close(here);
	close(there);
	ipckit_socket_unlink(at, listener);
	close(listener);
	CHECK_INT_FOR(what, connect_to(to, soon()),
		      at->kind == IPCKIT_END_TCP || at->abstract ? -ECONNREFUSED : -ENOENT);
}

static bool has_ipv6(void)
{
	int fd = listen_at(end("tcp-listen:[::1]:0"), 0, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_streams(void)
{
	check_stream(end("unix-listen:%s/a", directory), end("unix:%s/a", directory));
	check_stream(end("unix-listen:@ipckit-%d", getpid()), end("unix:@ipckit-%d", getpid()));
	check_stream(end("unix-seqpacket-listen:%s/a", directory), end("unix-seqpacket:%s/a", directory));
	check_stream(end("tcp-listen:0"), NULL);
	check_stream(end("tcp-listen:localhost:0"), NULL);
	if (has_ipv6())
		check_stream(end("tcp-listen:[::1]:0"), NULL);
}

static void test_datagrams(void)
{
	int there = listen_at(end("unix-dgram-listen:%s/d", directory), 0, 0600);
	int here = connect_to(end("unix-dgram:%s/d", directory), soon());
	struct ipckit_address own;
	char text[IPCKIT_ADDRESS_TEXT];

	CHECK(is_ready(here) && is_ready(there));
	check_carries("unix-dgram", here, there);
	/* It can be answered. */
	CHECK_INT(ipckit_socket_address(here, &own), 0);
	ipckit_address_text(&own, text);
	CHECK(text[0] == '@' && text[1]);
	CHECK_INT(sendto(there, "y", 1, 0, (struct sockaddr *)&own.at, own.length), 1);
	CHECK_INT(recv(here, text, 1, 0), 1);
	close(here);
	CHECK_INT(listen_at(end("unix-dgram-listen:%s/d", directory), 0, 0600), -EADDRINUSE);
	ipckit_socket_unlink(end("unix-dgram-listen:%s/d", directory), there);
	close(there);

	there = listen_at(end("udp-listen:0"), 0, 0);
	here = connect_to(end("udp:localhost:%d", port_of(there)), soon());
	check_carries("udp", here, there);
	CHECK_INT(listen_at(end("udp-listen:%d", port_of(there)), 0, 0), -EADDRINUSE);
	close(here);
	close(there);
}

static void test_refusals(void)
{
	int listener = listen_at(end("unix-listen:%s/s", directory), 0, 0600), file, tcp, r;
	struct ipckit_why why = { "?" };
	struct ipckit_deadline deadline = soon();
	char path[64];
	static const volatile sig_atomic_t stopped = 1;
	const struct ipckit_listening hasty = { .deadline = &deadline };

	CHECK_INT(connect_to(end("unix:%s/none", directory), soon()), -ENOENT);
	CHECK_INT(connect_to(end("unix:@ipckit-none-%d", getpid()), soon()), -ECONNREFUSED);
	CHECK_INT(connect_to(end("unix-seqpacket:%s/s", directory), soon()), -EPROTOTYPE);
	CHECK_INT(connect_to(end("unix-dgram:%s/s", directory), soon()), -EPROTOTYPE);
	snprintf(path, sizeof(path), "%s/file", directory);
	file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK_INT(connect_to(end("unix:%s/file", directory), soon()), -ENOTSOCK);
	CHECK_INT(connect_to(end("unix:%s", directory), soon()), -ENOTSOCK);
	CHECK_INT(listen_at(end("unix-listen:%s/file", directory), 0, 0600), -ENOTSOCK);
	CHECK_INT(listen_at(end("unix-listen:%s", directory), 0, 0600), -ENOTSOCK);
	CHECK_INT(listen_at(end("unix-listen:%s/", directory), 0, 0600), -ENOTSOCK);
	CHECK_INT(listen_at(end("unix-listen:%s/none/x", directory), 0, 0600), -ENOENT);
	CHECK_INT(connect_to(end("unix-listen:%s/s", directory), soon()), -EINVAL);
	CHECK_INT(listen_at(end("unix:%s/s", directory), 0, 0600), -EINVAL);
	CHECK_INT(connect_to(end("exec:true"), soon()), -EINVAL);
	CHECK_INT(ipckit_socket_address(file, &(struct ipckit_address){ 0 }), -ENOTSOCK);
	CHECK_INT(ipckit_socket_peer(listener, &(struct ipckit_peer){ 0 }), -ENOTCONN);
	tcp = listen_at(end("tcp-listen:0"), 0, 0);
	CHECK_INT(listen_at(end("tcp-listen:%d", port_of(tcp)), 0, 0), -EADDRINUSE);
	CHECK_INT(listen_at(end("tcp-listen:192.0.2.1:0"), 0, 0), -EADDRNOTAVAIL);
	close(tcp);

	/* Names that there are not are told in words. */
	r = ipckit_socket_connect(end("tcp:127.0.0.1:no-such-service"), &deadline, &why, &tcp);
	CHECK_INT(r, -ENOENT);
	CHECK_STR(why.text, "there is no service of this name");
	deadline = in(0);
	r = ipckit_socket_connect(end("tcp:no-such-host.invalid:80"), &deadline, &why, &tcp);
	CHECK(r == -ENOENT || r == -EHOSTUNREACH || r == -EINPROGRESS);
	CHECK(r == -EINPROGRESS || strstr(why.text, "this host") || strstr(why.text, "this name"));
	deadline = (struct ipckit_deadline){ .stop = &stopped };
	CHECK_INT(ipckit_socket_listen(end("tcp-listen:no-such-host.invalid:80"), &hasty, &why, &tcp), -EINTR);
	deadline = in(0);
	CHECK_INT(ipckit_socket_connect(end("unix:%s/none", directory), &deadline, &why, &tcp), -ENOENT);
	CHECK_STR(why.text, "");
	ipckit_socket_unlink(end("unix-listen:%s/s", directory), listener);
	close(listener);
	close(file);
	unlink(path);
}

/* ---- time ---- */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static volatile sig_atomic_t stop;

static void on_alarm(int signal)
{
	(void)signal;
	stop = 1;
}

/* Interrupts go on coming, as the deadline asks. */
static void set_alarm(int ms)
{
	const struct itimerval times = { .it_value.tv_usec = ms * 1000, .it_interval.tv_usec = ms * 1000 };

	setitimer(ITIMER_REAL, &times, NULL);
}

static void check_times(const char *what, int (*call)(struct ipckit_deadline deadline), int at_once)
{
	struct ipckit_deadline deadline;
	int64_t began;

	CHECK_INT_FOR(what, call(in(0)), at_once);
	began = now();
	CHECK_INT_FOR(what, call(in(30 * MS)), -ETIMEDOUT);
	CHECK_FOR(what, now() - began >= 30 * MS);
	/* Signals alone neither end it nor make it longer; *stop ends it. */
	set_alarm(2);
	deadline = in(30 * MS);
	CHECK_INT_FOR(what, call(deadline), -ETIMEDOUT);
	stop = 0;
	deadline = in(IPCKIT_FOREVER);
	deadline.stop = &stop;
	CHECK_INT_FOR(what, call(deadline), -EINTR);
	set_alarm(0);
}

static int listener_of_test;
static const struct ipckit_endpoint *end_of_test;

static int call_connect(struct ipckit_deadline deadline)
{
	return connect_to(end_of_test, deadline);
}

static int call_accept(struct ipckit_deadline deadline)
{
	struct ipckit_peer peer;
	int fd;

	return ipckit_socket_accept(listener_of_test, &deadline, &peer, &fd);
}

static void test_times(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int queued[64], n = 0;

	sigaction(SIGALRM, &action, NULL);
	listener_of_test = listen_at(end("unix-listen:@ipckit-t-%d", getpid()), 1, 0);
	check_times("accept", call_accept, -EAGAIN);
	fcntl(listener_of_test, F_SETFL, 0);
	check_times("accept, blocking", call_accept, -EAGAIN);
	/* A queue that is full. */
	while (n < 64 && (queued[n] = connect_to(end("unix:@ipckit-t-%d", getpid()), in(0))) >= 0)
		n++;
	CHECK(n > 0 && n < 64);
	end_of_test = end("unix:@ipckit-t-%d", getpid());
	check_times("connect", call_connect, -EAGAIN);
	while (n)
		close(queued[--n]);
	close(listener_of_test);

	/* A listener of TCP whose queue is full drops what comes, and is silent. */
	listener_of_test = listen_at(end("tcp-listen:0"), 1, 0);
	end_of_test = end("tcp:127.0.0.1:%d", port_of(listener_of_test));
	while (n < 64 && (queued[n] = connect_to(end_of_test, in(50 * MS))) >= 0)
		n++;
	CHECK(n > 0 && n < 64);
	check_times("connect, TCP", call_connect, -EINPROGRESS);
	while (n)
		close(queued[--n]);
	close(listener_of_test);
}

static void test_accept_goes_on(void)
{
	struct ipckit_deadline deadline = soon();
	struct linger reset = { .l_onoff = 1 };
	int listener = listen_at(end("tcp-listen:0"), 0, 0), one, two, fd = -1;
	struct ipckit_peer peer;

	/* One that was reset while it waited, and one that is there. */
	one = connect_to(end("tcp:127.0.0.1:%d", port_of(listener)), soon());
	setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(one);
	two = connect_to(end("tcp:127.0.0.1:%d", port_of(listener)), soon());
	CHECK_INT(ipckit_socket_accept(listener, &deadline, &peer, &fd), 0);
	CHECK_INT(ntohs(((struct sockaddr_in *)&peer.address.at)->sin_port) != 0, 1);
	close(fd);
	close(two);
	CHECK_INT(ipckit_socket_accept(0x7fffff, &deadline, &peer, &fd), 0 - EBADF);
	close(listener);
}

/* ---- addresses ---- */

static void test_words(void)
{
	char text[IPCKIT_ADDRESS_TEXT], want[IPCKIT_ADDRESS_TEXT], *p = want;
	struct ipckit_address address = { 0 };
	struct sockaddr_un *at = (struct sockaddr_un *)&address.at;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address.at;

	ipckit_address_text(&address, text);
	CHECK_STR(text, "");
	at->sun_family = AF_UNIX;
	address.length = sizeof(at->sun_family);
	ipckit_address_text(&address, text);
	CHECK_STR(text, "");
	strcpy(at->sun_path, "/a b\\\n\xff");
	address.length = sizeof(*at);
	ipckit_address_text(&address, text);
	CHECK_STR(text, "/a\\x20b\\x5c\\x0a\\xff");
	/* No NUL at its end, and none that fits. */
	memset(at->sun_path, 0xff, sizeof(at->sun_path));
	ipckit_address_text(&address, text);
	for (size_t i = 0; i < sizeof(at->sun_path); i++)
		p += sprintf(p, "\\xff");
	CHECK_STR(text, want);
	memcpy(at->sun_path, "\0a\0b", 4);
	address.length = offsetof(struct sockaddr_un, sun_path) + 4;
	ipckit_address_text(&address, text);
	CHECK_STR(text, "@a\\x00b");
	*six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr = in6addr_loopback };
	address.length = sizeof(*six);
	ipckit_address_text(&address, text);
	CHECK_STR(text, "[::1]:80");
	six->sin6_scope_id = 0x7ffffff;
	ipckit_address_text(&address, text);
	CHECK_STR(text, "[::1%134217727]:80");
	*(struct sockaddr_in *)&address.at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(4711),
								   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ipckit_address_text(&address, text);
	CHECK_STR(text, "127.0.0.1:4711");
	address.at.ss_family = AF_NETLINK;
	ipckit_address_text(&address, text);
	CHECK_STR(text, "");
}

/* ---- without memory ---- */

static int listen_and_close(void)
{
	int fd = listen_at(end_of_test, 0, 0);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void test_without_memory(void)
{
	end_of_test = end("tcp-listen:127.0.0.1:0");
	check_failing("listen", listen_and_close);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_streams();
	test_datagrams();
	test_refusals();
	test_times();
	test_accept_goes_on();
	test_words();
	test_without_memory();
	CHECK_INT(rmdir(directory), 0);
	return unit_done("socket");
}
