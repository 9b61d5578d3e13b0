/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_CHANNEL_SOCKET_H
#define LIB_CHANNEL_SOCKET_H

/* Sockets as the kernel lists them: by sock_diag(7) (diag.c), or in /proc/net (proc-net.c). */

#include <ipckit/channel.h>

/* In network order; of IPv4 as ::ffff:a.b.c.d. */
struct channel_address {
	uint8_t bytes[16];
	uint16_t port; /* as a number */
};

struct channel_socket {
	enum ipckit_channel_kind kind;
	uint8_t family;
	uint8_t type;  /* SOCK_... */
	uint8_t state; /* TCP_... of netinet/tcp.h, of all kinds */
	bool foreign;  /* of another network namespace */
	uint64_t inode, peer; /* peer 0: not known, or none */
	struct channel_address local, remote; /* TCP, UDP */
	uint32_t interface;                   /* that addresses of one link are of, or 0 */
	char *name;                           /* Unix: PATH or @NAME, or NULL; owned */
	bool has_file;
	uint64_t device;    /* of the file of its name, and */
	uint32_t file;      /* the lower half of its inode */
	struct ipckit_maybe bytes, unsent, queue, backlog, uid;
	struct ipckit_maybe timer; /* of TCP, as idiag_timer of sock_diag(7); not known from /proc/net */
};

struct channel_sockets {
	struct channel_socket *list; /* by inode, once all is there */
	size_t count;
};

/* Takes a socket over, with its name; frees that where there is no memory. */
typedef int (*channel_socket_visit)(const struct channel_socket *socket, void *arg);

/* ---- diag.c ---- */

/*
 * All sockets of a kind and a family (AF_UNIX, AF_INET, AF_INET6) of this network namespace that a process may have.
 * Errors: -ENOENT, -EPROTONOSUPPORT, -EACCES and the like where the kernel does not serve it; -ENOMEM, -EMFILE.
 */
IPCKIT_CHECK int diag_walk(enum ipckit_channel_kind kind, int family, channel_socket_visit visit, void *arg);

/* Visits those in one answer of the kernel. 1: it was the last; 0: more will come; -errno. Pure. */
IPCKIT_CHECK int diag_read(enum ipckit_channel_kind kind, const void *data, size_t size, channel_socket_visit visit,
			   void *arg);

/* ---- proc-net.c ---- */

/* The same from below DIR/net, DIR a process of /proc ("self"): sockets of its network namespace. */
IPCKIT_CHECK int proc_net_walk(int root, const char *dir, enum ipckit_channel_kind kind, int family,
			       channel_socket_visit visit, void *arg);

/* One line. 1; 0 for a heading and for what no process has; -EBADMSG; -ENOMEM. Pure. */
IPCKIT_CHECK int proc_net_parse(enum ipckit_channel_kind kind, int family, const char *line,
				struct channel_socket *out);

/* ---- channel-socket.c ---- */

/* All that there are of some kinds (bits) in the network namespace of the caller. root: of /proc; use_diag: by
 * sock_diag(7), and of root/self/net only where that is refused. */
IPCKIT_CHECK int channel_sockets_read(int root, unsigned kinds, bool use_diag, struct channel_sockets *out);
/* Adds those in the namespace of a process, as foreign. */
IPCKIT_CHECK int channel_sockets_add(int root, pid_t pid, unsigned kinds, struct channel_sockets *sockets);
/* Sorts them, and finds for each the other side. */
IPCKIT_CHECK int channel_sockets_settle(struct channel_sockets *sockets);
const struct channel_socket *channel_sockets_find(const struct channel_sockets *sockets, uint64_t inode);
/* Which one has a file: a listener goes before those that it accepted, which have the same. NULL: none. */
const struct channel_socket *channel_sockets_of_file(const struct channel_sockets *sockets, const char *path,
						     uint64_t device, uint64_t inode);
void channel_sockets_free(struct channel_sockets *sockets);

/* "listen", "close-wait" ...; static. NULL: not known. */
const char *channel_socket_state(const struct channel_socket *socket);

#endif
