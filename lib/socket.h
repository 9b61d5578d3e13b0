/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_SOCKET_H
#define LIB_SOCKET_H

/* What the files on sockets share. */

#include "sys.h"

#include <ipckit/socket.h>
#include <netdb.h>

/* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET; 0 for what is no socket. */
int socket_type(const struct ipckit_endpoint *endpoint);
/* A new one, close-on-exec. flags: SOCK_NONBLOCK or 0. Returns it or -errno. */
int socket_make(int domain, int type, int flags);

/*
 * Waits until poll(2) tells of one of the events, or of an error. Returns 0; -EAGAIN where that is not so at once
 * (IPCKIT_DEADLINE_TRY); -ETIMEDOUT; -EINTR.
 */
IPCKIT_CHECK int socket_wait(int fd, short events, const struct ipckit_deadline *deadline);

/*
 * A connection of its own: by TCP what is small is sent at once; of seqpacket an empty message can be told from
 * the end, see io_is_over().
 */
void socket_prepare(int fd, int domain, int type);

/*
 * Whether nobody has the socket that a path stands for. object: pins it (O_PATH). 0; -EADDRINUSE where somebody
 * has it, listening or not, or that cannot be told; -EACCES; -errno for want of resources. Nobody is told of
 * it.
 */
IPCKIT_CHECK int socket_check_dead(int object);

/*
 * Removes the name of a socket that nobody has, which is looked at in the same step. dir: a descriptor of its
 * directory, O_RDONLY (where others take away names, too, one waits for a second at most), or O_PATH. Errors:
 * -EADDRINUSE, -ENOTSOCK, -ENOENT, -EACCES, -EPERM.
 */
IPCKIT_CHECK int socket_remove_dead(int dir, const char *name);

/* Of an endpoint of Unix. */
void address_of_unix(const struct ipckit_endpoint *endpoint, struct ipckit_address *out);

/*
 * Looks up the addresses of HOST and PORT; freed with freeaddrinfo(3). Waits until they are known, of
 * IPCKIT_DEADLINE_TRY for a second at most (-EINPROGRESS). why: as of ipckit_socket_connect(). Errors: -ENOENT,
 * -EHOSTUNREACH (nobody could be asked), -ETIMEDOUT, -EINTR, -ENOMEM.
 */
IPCKIT_CHECK int address_look_up(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline,
				 struct ipckit_why *why, struct addrinfo **out);

#endif
