/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_CHANNEL_H
#define IPCKIT_CHANNEL_H

/* Pipes, FIFOs and sockets that are in use, with the processes at each end: from /proc and sock_diag(7), without
 * opening any of them. */

#include <ipckit/name.h>
#include <ipckit/process.h>

enum ipckit_channel_kind {
	IPCKIT_CHANNEL_FIFO,
	IPCKIT_CHANNEL_PIPE,
	IPCKIT_CHANNEL_UNIX,
	IPCKIT_CHANNEL_TCP,
	IPCKIT_CHANNEL_UDP,
};
#define IPCKIT_CHANNEL(kind) (1u << (kind))
#define IPCKIT_CHANNELS_ALL 31u

/* The names that ipckit_channel_stat() takes. */
#define IPCKIT_CHANNEL_NAMES                                                                      \
	(IPCKIT_TAKES(IPCKIT_NAME_PATH) | IPCKIT_TAKES(IPCKIT_NAME_FD) | IPCKIT_TAKES(IPCKIT_NAME_PIPE) | \
	 IPCKIT_TAKES(IPCKIT_NAME_SOCKET))

/* "fifo", "pipe", "unix", "tcp", "udp" */
const char *ipckit_channel_kind_name(enum ipckit_channel_kind kind);

/* A process that has one of its ends. */
struct ipckit_channel_user {
	pid_t pid;
	int fd;             /* -1: it has none, and sleeps in open(2) of a FIFO until somebody opens the other end */
	bool reads, writes; /* what the descriptor is open for */
	struct ipckit_maybe uid;
	char *command;
	pid_t tid;          /* a thread that sleeps in a call on it, or 0 */
	const char *call;   /* that call ("read", "write", "splice", "accept", "poll" ...), static; NULL: none */
};

struct ipckit_channel_info {
	enum ipckit_channel_kind kind;
	char *name;        /* FIFO, Unix socket: path, @NAME; TCP, UDP: the own address; NULL: it has none */
	char *peer;        /* TCP, UDP: the other address; Unix: the name of the other side; NULL: none */
	uint64_t device, inode; /* of the file of a FIFO, and of a Unix socket's path that no socket is known of; else
				 * device is 0 and inode that of the pipe or socket */
	struct ipckit_maybe peer_inode; /* of a socket whose other side is in this network namespace */
	const char *type;  /* Unix: "stream", "dgram", "seqpacket"; else NULL; static */
	const char *state; /* sockets: "listen", "established", "close-wait" ..., static; NULL elsewhere */
	struct ipckit_maybe capacity, bytes; /* of pipes; bytes also of sockets: that wait to be read */
	struct ipckit_maybe unsent;          /* TCP, UDP, Unix: bytes on the way out */
	struct ipckit_maybe queue, backlog;  /* of listeners: connections that wait, and may */
	struct ipckit_maybe bound;           /* of a Unix socket's path: whether a socket, wherever it is, has it: 1 or 0 */
	bool foreign;                        /* a socket of another network namespace than the caller's */
	struct ipckit_maybe mode, uid, gid;  /* FIFO and Unix socket with a path that can be looked at; uid also of other sockets */
	struct ipckit_maybe atime, mtime, ctime; /* likewise; of a FIFO reading, and writing, sets the first two */
	struct ipckit_channel_user *users;   /* by pid, fd; the caller is none */
	size_t nusers;
	struct ipckit_channel_user *peers;   /* those of peer_inode; only by ipckit_channel_stat() */
	size_t npeers;
	struct ipckit_maybe readers, writers; /* of pipes: descriptors that were seen */
	struct ipckit_maybe unreadable_processes;
	bool other_pids;
	struct ipckit_gaps gaps;
};

struct ipckit_channels {
	struct ipckit_channel_info *list; /* by kind, name, inode */
	size_t count;
};

/*
 * What is in use by any process that can be seen, of some kinds (bits), and in the network namespace of the
 * caller. Freed with ipckit_channels_free(). Does not block, opens no end of anything: capacity and bytes of a pipe
 * are asked through a copy of somebody's descriptor (pidfd_getfd(2)), and unknown where that is refused.
 * Errors: -ENOMEM, -EMFILE, -ENFILE, -errno of /proc.
 */
IPCKIT_CHECK int ipckit_channel_list(unsigned kinds, struct ipckit_channels *out);

/*
 * The FIFOs and the paths of Unix sockets among the entries of directories, in use or not. Not below them.
 *
 * failed: which of the directories an error is about (those of opendir(3)), NULL where it is about none. Errors
 * else as above.
 */
IPCKIT_CHECK int ipckit_channel_list_in(const char *const *directories, size_t count, unsigned kinds,
					const char **failed, struct ipckit_channels *out);
void ipckit_channels_free(struct ipckit_channels *channels);

/*
 * One: a FIFO or a Unix socket by PATH, the pipe, FIFO or socket behind fd:N or PID:FD, pipe:INODE and socket:INODE
 * (IPCKIT_CHANNEL_NAMES). Errors: -ENOENT (no such file, descriptor, or inode that anybody uses), -EBADMSG (something
 * else), -ELOOP (a link), -EACCES, -ESRCH (no such process), and as above.
 */
IPCKIT_CHECK int ipckit_channel_stat(const struct ipckit_name *name, struct ipckit_channel_info *out);
void ipckit_channel_info_free(struct ipckit_channel_info *info);

/* The same of the file of a FIFO or of a Unix socket alone, without a look at processes and sockets. */
IPCKIT_CHECK int ipckit_channel_file(const char *path, struct ipckit_channel_info *out);

/* Removes the path of a Unix socket that no socket has: -EADDRINUSE where one has, -EBADMSG for another kind of file,
 * -ELOOP, -ENOENT, -EACCES, -EPERM. */
IPCKIT_CHECK int ipckit_channel_remove_dead(const char *path);

/*
 * Whether a FIFO, or the path of a Unix socket, is left over: by the rules for all objects without a count of their
 * users; of a socket also that nobody listens. older_than: ns, less than 0 where it was not given. now: Unix seconds.
 * Pure.
 */
void ipckit_channel_judge(const struct ipckit_channel_info *info, int64_t older_than, int64_t now,
			  struct ipckit_orphan_verdict *out);

#endif
