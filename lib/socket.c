/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>

/* ---- what all share ---- */

int socket_type(const struct ipckit_endpoint *endpoint)
{
	switch (endpoint->kind) {
	case IPCKIT_END_UNIX:
	case IPCKIT_END_TCP:
		return SOCK_STREAM;
	case IPCKIT_END_DGRAM:
	case IPCKIT_END_UDP:
		return SOCK_DGRAM;
	case IPCKIT_END_SEQPACKET:
		return SOCK_SEQPACKET;
	default:
		return 0;
	}
}

int socket_make(int domain, int type, int flags)
{
	return sys_result(socket(domain, type | SOCK_CLOEXEC | flags, 0));
}

int socket_wait(int fd, short events, const struct ipckit_deadline *deadline)
{
	const struct timespec now = { 0 };
	struct timespec left;
	int r, n;

	for (;;) {
		r = ipckit_deadline_left(deadline, &left);
		if (r && r != -EAGAIN)
			return r;
		if (r)
			left = now;
		n = sys_poll(fd, events, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left);
		if (n > 0)
			return 0;
		if (n < 0 && n != -EINTR)
			return n;
		if (!n && r)
			return r;
	}
}

void socket_prepare(int fd, int domain, int type)
{
	static const int on = 1;

	if (type == SOCK_SEQPACKET)
		(void)!setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
	if (type == SOCK_STREAM && (domain == AF_INET || domain == AF_INET6))
		(void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* ---- who is there ---- */

static int ask_name(int fd, int (*ask)(int, struct sockaddr *, socklen_t *), struct ipckit_address *out)
{
	struct ipckit_address address = { .length = sizeof(address.at) };

	if (ask(fd, (struct sockaddr *)&address.at, &address.length))
		return -errno;
	if (address.length > sizeof(address.at))
		address.length = sizeof(address.at);
	*out = address;
	return 0;
}

int ipckit_socket_address(int fd, struct ipckit_address *out)
{
	return ask_name(fd, getsockname, out);
}

static void fill_credentials(int fd, struct ipckit_peer *peer)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size))
		return;
	if (who.pid > 0)
		peer->pid = ipckit_known(who.pid);
	if (who.uid != (uid_t)-1)
		peer->uid = ipckit_known(who.uid);
	if (who.gid != (gid_t)-1)
		peer->gid = ipckit_known(who.gid);
}

int ipckit_socket_peer(int fd, struct ipckit_peer *out)
{
	struct ipckit_peer peer = { 0 };
	int r = ask_name(fd, getpeername, &peer.address);

	if (r)
		return r;
	if (peer.address.at.ss_family == AF_UNIX)
		fill_credentials(fd, &peer);
	*out = peer;
	return 0;
}

/* ---- connecting ---- */

static int set_nonblocking(int fd)
{
	int flags = sys_result(fcntl(fd, F_GETFL));

	return flags < 0 ? flags : sys_result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/* How long calls that send, or connect, may take; all 0: without limit. */
static int limit_time(int fd, const struct timespec *left)
{
	struct timeval time = { 0 };

	if (left) {
		time.tv_sec = left->tv_sec < INT_MAX ? left->tv_sec : INT_MAX;
		time.tv_usec = left->tv_nsec / 1000;
		/* Less than that is none. */
		if (!time.tv_sec && !time.tv_usec)
			time.tv_usec = 1;
	}
	return sys_result(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)));
}

/* A nonblocking connect(2) is refused while the listener's queue is full, and nothing tells when it is no more. */
static int connect_in_time(int fd, const struct ipckit_address *to, const struct ipckit_deadline *deadline)
{
	struct timespec left;
	int r;

	for (;;) {
		r = ipckit_deadline_left(deadline, &left);
		if (r)
			return r;
		r = limit_time(fd, deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left);
		if (r)
			return r;
		r = sys_result(connect(fd, (const struct sockaddr *)&to->at, to->length));
		if (r != -EINTR && r != -EAGAIN)
			break;
	}
	return r ?: limit_time(fd, NULL) ?: set_nonblocking(fd);
}

/* An address of its own, which the kernel chooses. */
static int bind_itself(int fd)
{
	const struct sockaddr_un none = { .sun_family = AF_UNIX };

	return sys_result(bind(fd, (const struct sockaddr *)&none, sizeof(none.sun_family)));
}

static int connect_now(int fd, const struct ipckit_address *to)
{
	return set_nonblocking(fd) ?: sys_result(connect(fd, (const struct sockaddr *)&to->at, to->length));
}

/* Of what is no socket the kernel says the same as of one where nobody listens. */
static int check_refusal(const struct ipckit_endpoint *endpoint, int r)
{
	struct stat st;

	if (r != -ECONNREFUSED || endpoint->abstract || stat(endpoint->text, &st))
		return r;
	return S_ISSOCK(st.st_mode) ? r : -ENOTSOCK;
}

static int connect_unix(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline, int *out)
{
	struct ipckit_address to;
	int fd = socket_make(AF_UNIX, socket_type(endpoint), 0), r;

	if (fd < 0)
		return fd;
	address_of_unix(endpoint, &to);
	if (endpoint->kind == IPCKIT_END_DGRAM)
		r = bind_itself(fd) ?: connect_now(fd, &to);
	else if (deadline->kind == IPCKIT_DEADLINE_TRY)
		r = connect_now(fd, &to);
	else
		r = connect_in_time(fd, &to, deadline);
	if (r) {
		close(fd);
		return check_refusal(endpoint, r);
	}
	socket_prepare(fd, AF_UNIX, socket_type(endpoint));
	*out = fd;
	return 0;
}

static int pending_error(int fd)
{
	int error;

	return sys_socket_option(fd, SO_ERROR, &error) ?: -error;
}

/* Where nobody listens at a port of this machine, of those given out, a socket can be given that very port and
 * be connected to itself. */
static bool is_own(int fd)
{
	struct ipckit_address here, there;

	return !ask_name(fd, getsockname, &here) && !ask_name(fd, getpeername, &there) &&
	       here.length == there.length && !memcmp(&here.at, &there.at, here.length);
}

static int connect_address(const struct addrinfo *to, const struct ipckit_deadline *deadline, int *out)
{
	int fd = socket_make(to->ai_family, to->ai_socktype, SOCK_NONBLOCK), r;

	if (fd < 0)
		return fd;
	r = sys_result(connect(fd, to->ai_addr, to->ai_addrlen));
	if (r == -EINPROGRESS) {
		r = socket_wait(fd, POLLOUT, deadline) ?: pending_error(fd);
		if (r == -EAGAIN)
			r = -EINPROGRESS;
	}
	if (!r && to->ai_socktype == SOCK_STREAM && is_own(fd))
		r = -ECONNREFUSED;
	if (r) {
		close(fd);
		return r;
	}
	socket_prepare(fd, to->ai_family, to->ai_socktype);
	*out = fd;
	return 0;
}

/* The time that one of so many addresses may take, so that one that is silent does not take all. */
static void share(const struct ipckit_deadline *deadline, int64_t addresses, struct ipckit_deadline *out)
{
	struct timespec left;

	*out = *deadline;
	if (deadline->kind == IPCKIT_DEADLINE_AT && addresses > 1 && !ipckit_deadline_left(deadline, &left) &&
	    left.tv_sec < INT_MAX)
		ipckit_deadline_within(deadline, (left.tv_sec * 1000000000 + left.tv_nsec) / addresses, out);
}

static int connect_internet(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline,
			    struct ipckit_why *why, int *out)
{
	struct addrinfo *list;
	struct ipckit_deadline part;
	int64_t left = 0;
	int first, r = address_look_up(endpoint, deadline, why, &list);

	if (r)
		return r;
	first = 0;
	for (const struct addrinfo *to = list; to; to = to->ai_next)
		left++;
	for (const struct addrinfo *to = list; to; to = to->ai_next) {
		share(deadline, left--, &part);
		r = connect_address(to, &part, out);
		if (!first)
			first = r;
		if (!r || r == -EINTR || sys_lacks_resources(r))
			break;
	}
	freeaddrinfo(list);
	/* The first one is the one that matters: others may only not be there, as those of IPv6. */
	return !r || r == -EINTR || sys_lacks_resources(r) ? r : first;
}

int ipckit_socket_connect(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline,
			  struct ipckit_why *why, int *out)
{
	if (why)
		*why->text = '\0';
	if (!socket_type(endpoint) || endpoint->listens)
		return -EINVAL;
	if (endpoint->kind == IPCKIT_END_TCP || endpoint->kind == IPCKIT_END_UDP)
		return connect_internet(endpoint, deadline, why, out);
	return connect_unix(endpoint, deadline, out);
}

/* ---- accepting ---- */

static int type_of(int fd)
{
	int type;

	return sys_socket_option(fd, SO_TYPE, &type) ? 0 : type;
}

/* What is told of a connection that has ended already, see accept(2). */
static bool is_given_up(int r)
{
	switch (-r) {
	case ECONNABORTED:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
		return true;
	default:
		return false;
	}
}

int ipckit_socket_accept(int listener, const struct ipckit_deadline *deadline, struct ipckit_peer *peer, int *out)
{
	struct ipckit_peer who;
	int fd, r;

	for (;;) {
		/* A listener that was inherited may be one that blocks. */
		r = socket_wait(listener, POLLIN, deadline);
		if (r)
			return r;
		who = (struct ipckit_peer){ .address.length = sizeof(who.address.at) };
		fd = sys_result(accept4(listener, (struct sockaddr *)&who.address.at, &who.address.length,
					SOCK_CLOEXEC | SOCK_NONBLOCK));
		if (fd >= 0)
			break;
		if (fd != -EAGAIN && fd != -EINTR && !is_given_up(fd))
			return fd == -ENOBUFS ? -ENOMEM : fd;
	}
	if (who.address.at.ss_family == AF_UNIX)
		fill_credentials(fd, &who);
	socket_prepare(fd, who.address.at.ss_family, type_of(fd));
	if (peer)
		*peer = who;
	*out = fd;
	return 0;
}
