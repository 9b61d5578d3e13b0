/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_SOCKET_H
#define IPCKIT_SOCKET_H

/* Sockets by endpoints: connected, listened at, accepted; who is at the other side; descriptors passed by them. */

#include <ipckit/deadline.h>
#include <ipckit/endpoint.h>
#include <sys/socket.h>

/* An address in words: "127.0.0.1:4711", "[::1]:4711", "/run/x", "@name", "" where it has none. */
#define IPCKIT_ADDRESS_TEXT 448

struct ipckit_address {
	struct sockaddr_storage at;
	socklen_t length; /* 0: none */
};

/* Never fails; bytes that are not printable are written \xHH. */
void ipckit_address_text(const struct ipckit_address *address, char text[IPCKIT_ADDRESS_TEXT]);

/* The other side of a connection. */
struct ipckit_peer {
	struct ipckit_address address;
	struct ipckit_maybe pid, uid, gid; /* of Unix (SO_PEERCRED); a pid of another PID namespace is unknown */
};

/*
 * Connects to an endpoint that is a socket and does not listen; each address that its name has is tried, with its
 * share of the time. A datagram socket of Unix gets an address of its own, so that it can be answered.
 *
 * why: where the name could not be found out gets that in words (getaddrinfo(3)), else the empty text; may be
 * NULL. out: a descriptor, close-on-exec and nonblocking; of TCP without delay (TCP_NODELAY). Waits until it is
 * connected; for IPCKIT_DEADLINE_TRY a second at most, and only to look up a name: -EINPROGRESS, -EAGAIN (Unix)
 * where it takes time. A name is looked up by a thread, which may outlive a call that did not wait for it.
 *
 * Errors: -EINVAL (no socket to connect to), -ENOENT (no such path, host or service), -ECONNREFUSED (nobody
 * listens), -EPROTOTYPE (a socket of another type), -ENOTSOCK (no socket), -EACCES, -EHOSTUNREACH (also: no
 * name server could be asked), -ETIMEDOUT (also the kernel's own), -EINTR, and those of socket(2) and
 * connect(2). Rests on getaddrinfo(3), connect(2), unix(7).
 */
IPCKIT_CHECK int ipckit_socket_connect(const struct ipckit_endpoint *endpoint,
				       const struct ipckit_deadline *deadline, struct ipckit_why *why, int *out);

struct ipckit_listening {
	int backlog;   /* how many may wait to be accepted; 0: as many as the system lets (net.core.somaxconn) */
	unsigned mode; /* of a path: never more, and all of it before anybody can connect */
	const struct ipckit_deadline *deadline; /* to look up a name; NULL: without limit */
};

/*
 * Listens at an endpoint; of datagrams: is bound to it. A path where a dead server has left its socket is taken
 * over; one whose server lives, listening or not, is not: -EADDRINUSE. What is there and is no socket:
 * -ENOTSOCK (a file of whatever kind, a link). Of several that take over one path at once, one does. A HOST
 * with several addresses: the first that can be had.
 *
 * out: a descriptor, close-on-exec and nonblocking. Does not block, but to look up a name, or for a second
 * while others have a lock (flock(2)) on the directory of a path that is taken over.
 *
 * Errors: -EADDRINUSE, -ENOTSOCK, -EINVAL (no endpoint that listens); -ENOENT, -EHOSTUNREACH, -ETIMEDOUT,
 * -EINTR of a name, as ipckit_socket_connect(); and those of bind(2), listen(2) and, where a path is taken
 * over, rename(2).
 */
IPCKIT_CHECK int ipckit_socket_listen(const struct ipckit_endpoint *endpoint, const struct ipckit_listening *how,
				      struct ipckit_why *why, int *out);

/*
 * Removes the path that a listening socket was given, if it still stands for that socket; nothing where it was
 * given none. fd: stays open. Does not block. Rests on unlink(2), sock_diag(7).
 */
void ipckit_socket_unlink(const struct ipckit_endpoint *endpoint, int fd);

/*
 * The next connection. peer: gets who it is. out: close-on-exec and nonblocking. Waits for one. Connections
 * that were given up meanwhile are passed over. Errors: -EAGAIN, -ETIMEDOUT, -EINTR; -EMFILE, -ENFILE, -ENOMEM,
 * after which the connection still waits. Rests on accept4(2).
 */
IPCKIT_CHECK int ipckit_socket_accept(int listener, const struct ipckit_deadline *deadline,
				      struct ipckit_peer *peer, int *out);

/* Who is at the other side, and what address this side has. Errors: -ENOTSOCK, -ENOTCONN. */
IPCKIT_CHECK int ipckit_socket_peer(int fd, struct ipckit_peer *out);
IPCKIT_CHECK int ipckit_socket_address(int fd, struct ipckit_address *out);

/* SCM_MAX_FD of the kernel. */
#define IPCKIT_PASSED_MAX 253

/*
 * Sends descriptors, with one byte, by a connected Unix socket (SCM_RIGHTS, unix(7)). count: 1 to
 * IPCKIT_PASSED_MAX. They stay open here. Waits while the socket is full. Errors: -EBADF, -EPIPE, -ECONNRESET,
 * -ETOOMANYREFS (the limit on those in flight, RLIMIT_NOFILE), -EAGAIN, -ETIMEDOUT, -EINTR.
 */
IPCKIT_CHECK int ipckit_socket_pass(int fd, const int *list, size_t count, const struct ipckit_deadline *deadline);

/*
 * Receives descriptors as they were sent by one ipckit_socket_pass(). list: room for IPCKIT_PASSED_MAX,
 * close-on-exec; count: how many. sender: pid, uid, gid as the kernel vouches for them (SCM_CREDENTIALS), or
 * NULL. Waits for them. Errors: -ENODATA (the sender closed without sending any), -EBADMSG (data without any),
 * -EMSGSIZE (more than could be taken, RLIMIT_NOFILE: those that came are closed), -EAGAIN, -ETIMEDOUT, -EINTR.
 */
IPCKIT_CHECK int ipckit_socket_receive(int fd, int list[IPCKIT_PASSED_MAX], const struct ipckit_deadline *deadline,
				       struct ipckit_peer *sender, size_t *count);

#endif
