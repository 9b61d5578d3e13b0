/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>

#define TRIES 16
#define TURN_MS 1000 /* how long others may take over paths of the same directory */

/* ---- what stands at a path ---- */

/* Pins what stands there: a socket, else -ENOTSOCK. */
static int find(int dir, const char *name, struct stat *st, int *out)
{
	int fd = sys_openat(dir, name, O_PATH | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, st);
	if (!r && !S_ISSOCK(st->st_mode))
		r = -ENOTSOCK;
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

/*
 * A connection by a socket of datagrams is refused before a server of another type learns of it, also where
 * that does not listen yet, and means nothing to one of datagrams.
 */
int socket_check_dead(int object)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket_make(AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK), r;

	if (fd < 0)
		return fd;
	sys_self_path(object, to.sun_path);
	r = sys_result(connect(fd, (const struct sockaddr *)&to, sizeof(to)));
	close(fd);
	if (r == -ECONNREFUSED)
		return 0;
	return r == -EACCES || sys_lacks_resources(r) ? r : -EADDRINUSE;
}

/* 0: a dead socket; -EADDRINUSE; -ENOTSOCK; -ENOENT; -errno. */
static int judge(int dir, const char *name)
{
	struct stat st;
	int object;
	int r = find(dir, name, &st, &object);

	if (r)
		return r;
	r = socket_check_dead(object);
	close(object);
	return r;
}

/* ---- taking over ---- */

/*
 * Those who take away what is in one directory do so one after the other; where that cannot be had, all the
 * same.
 */
static void take_turn(int dir)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < TURN_MS && flock(dir, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return;
		nanosleep(&pause, NULL);
	}
}

/* To a name that nobody has. */
static int move_aside(int dir, const char *name, char aside[64])
{
	int r = -EEXIST;

	for (unsigned i = 0; i < TRIES && r == -EEXIST; i++) {
		snprintf(aside, 64, ".ipckit-dead-%d-%u", (int)getpid(), i);
		r = sys_result(renameat2(dir, name, dir, aside, RENAME_NOREPLACE));
	}
	return r;
}

static int remove_in_turn(int dir, const char *name)
{
	char aside[64];
	int r = judge(dir, name) ?: move_aside(dir, name, aside);

	/* Not every file system can. */
	if (r == -EINVAL || r == -ENOSYS)
		return sys_result(unlinkat(dir, name, 0));
	if (r)
		return r;
	r = judge(dir, aside);
	if (!r)
		return sys_result(unlinkat(dir, aside, 0));
	(void)!renameat2(dir, aside, dir, name, RENAME_NOREPLACE);
	return r;
}

/*
 * What was judged may not be what stands there any more: a server that heeds nobody's turn could have come. So it
 * is moved first, looked at again, and given back if it is not dead.
 */
int socket_remove_dead(int dir, const char *name)
{
	int r = judge(dir, name);

	if (r)
		return r;
	take_turn(dir);
	r = remove_in_turn(dir, name);
	flock(dir, LOCK_UN);
	return r;
}

/* The directory of a path, and the name in it, which has no slash at its end. */
static int open_directory(const char *path, const char **name, int flags, int *out)
{
	const char *slash = strrchr(path, '/');
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)] = ".";
	int fd;

	if (slash)
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path + 1), path);
	*name = slash ? slash + 1 : path;
	fd = sys_openat(AT_FDCWD, directory, O_DIRECTORY | flags, 0);
	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

/* What stands in the way of bind(2): 0 where it does so no more, else why it has to stay. */
static int clear(const char *path)
{
	const char *name;
	int dir, r = open_directory(path, &name, O_RDONLY, &dir);

	/* It may be one that is not for reading. */
	if (r == -EACCES)
		r = open_directory(path, &name, O_PATH, &dir);
	if (r)
		return r;
	r = *name ? socket_remove_dead(dir, name) : -ENOTSOCK;
	close(dir);
	return r == -ENOENT ? 0 : r;
}

static int bind_path(int fd, const struct ipckit_address *at, const char *path)
{
	int r = -EADDRINUSE;

	for (int i = 0; i < TRIES; i++) {
		r = sys_result(bind(fd, (const struct sockaddr *)&at->at, at->length));
		if (r != -EADDRINUSE)
			return r;
		r = clear(path);
		if (r)
			return r;
	}
	return r ?: -EADDRINUSE;
}

/* ---- whose path it is ---- */

/* The inode of the path that a socket was bound to, as far as the kernel tells (32 bits), by sock_diag(7). */
static int ask_inode(int netlink, uint32_t socket, uint32_t *out)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req request;
	} question = {
		.head = { .nlmsg_len = sizeof(question), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_ino = socket,
			     .udiag_show = UDIAG_SHOW_VFS, .udiag_cookie = { ~0u, ~0u } },
	};
	struct {
		struct nlmsghdr head;
		struct unix_diag_msg message;
		struct nlattr attribute;
		struct unix_diag_vfs vfs;
	} answer;
	ssize_t n;

	if (send(netlink, &question, sizeof(question), 0) < 0)
		return -errno;
	n = sys_result(recv(netlink, &answer, sizeof(answer), 0));
	if (n < (ssize_t)sizeof(answer) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    answer.attribute.nla_type != UNIX_DIAG_VFS)
		return n < 0 ? (int)n : -ENOENT;
	*out = answer.vfs.udiag_vfs_ino;
	return 0;
}

static int bound_inode(int fd, uint32_t *out)
{
	struct stat st;
	int netlink, r = sys_fstat(fd, &st);

	if (r)
		return r;
	netlink = sys_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
	if (netlink < 0)
		return netlink;
	r = ask_inode(netlink, (uint32_t)st.st_ino, out);
	close(netlink);
	return r;
}

/*
 * Where the kernel does not tell (a filter of system calls, say), one that lives and has the path is taken for
 * it.
 */
static bool is_own(int fd, int object, const struct stat *st)
{
	uint32_t inode = 0;

	/* Of the path that it has its number is nobody else's as long as this socket lives. */
	if (!bound_inode(fd, &inode))
		return inode == (uint32_t)st->st_ino;
	return socket_check_dead(object) == -EADDRINUSE;
}

static bool has_path(const struct ipckit_endpoint *endpoint)
{
	return endpoint->listens && !endpoint->abstract && endpoint->text &&
	       (endpoint->kind == IPCKIT_END_UNIX || endpoint->kind == IPCKIT_END_DGRAM ||
		endpoint->kind == IPCKIT_END_SEQPACKET);
}

void ipckit_socket_unlink(const struct ipckit_endpoint *endpoint, int fd)
{
	struct stat st;
	int object;

	if (fd < 0 || !has_path(endpoint) || find(AT_FDCWD, endpoint->text, &st, &object))
		return;
	if (is_own(fd, object, &st))
		(void)!unlink(endpoint->text);
	close(object);
}

/* ---- listening ---- */

/* The umask, or the directory's default for those in it, may have taken some of the mode away. */
static int complete_mode(int fd, const char *path, unsigned mode)
{
	char self[SYS_SELF_PATH];
	struct stat st;
	int object, r = find(AT_FDCWD, path, &st, &object);

	if (r)
		return r;
	sys_self_path(object, self);
	if ((st.st_mode & 07777) != mode && is_own(fd, object, &st))
		r = sys_result(chmod(self, mode));
	close(object);
	return r;
}

/* What is needed once the path is there, to complete it or to take it back, can be had: -EMFILE, -ENFILE. */
static int check_room(int fd)
{
	int one = sys_dup(fd), two = one < 0 ? one : sys_dup(fd);

	if (one >= 0)
		close(one);
	if (two >= 0)
		close(two);
	return two < 0 ? two : 0;
}

static int listen_at_path(int fd, const struct ipckit_endpoint *endpoint, unsigned mode, int backlog)
{
	struct ipckit_address at;
	int r;

	address_of_unix(endpoint, &at);
	r = check_room(fd) ?: sys_result(fchmod(fd, mode)) ?: bind_path(fd, &at, endpoint->text);
	if (r)
		return r;
	r = complete_mode(fd, endpoint->text, mode);
	if (!r && endpoint->kind != IPCKIT_END_DGRAM)
		r = sys_result(listen(fd, backlog));
	if (r)
		ipckit_socket_unlink(endpoint, fd);
	return r;
}

static int listen_abstract(int fd, const struct ipckit_endpoint *endpoint, int backlog)
{
	struct ipckit_address at;
	int r;

	address_of_unix(endpoint, &at);
	r = sys_result(bind(fd, (const struct sockaddr *)&at.at, at.length));
	if (!r && endpoint->kind != IPCKIT_END_DGRAM)
		r = sys_result(listen(fd, backlog));
	return r;
}

static int listen_unix(const struct ipckit_endpoint *endpoint, unsigned mode, int backlog, int *out)
{
	int fd = socket_make(AF_UNIX, socket_type(endpoint), SOCK_NONBLOCK), r;

	if (fd < 0)
		return fd;
	if (endpoint->abstract)
		r = listen_abstract(fd, endpoint, backlog);
	else
		r = listen_at_path(fd, endpoint, mode, backlog);
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int listen_address(const struct addrinfo *at, int backlog, int *out)
{
	static const int on = 1;
	int fd = socket_make(at->ai_family, at->ai_socktype, SOCK_NONBLOCK), r = 0;

	if (fd < 0)
		return fd;
	/* Connections of a server that has gone are no reason to wait; of datagrams it would let two listen. */
	if (at->ai_socktype == SOCK_STREAM)
		r = sys_result(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	r = r ?: sys_result(bind(fd, at->ai_addr, at->ai_addrlen));
	if (!r && at->ai_socktype == SOCK_STREAM)
		r = sys_result(listen(fd, backlog));
	if (r)
		close(fd);
	else
		*out = fd;
	return r;
}

static int listen_internet(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline,
			   int backlog, struct ipckit_why *why, int *out)
{
	struct ipckit_deadline forever;
	struct addrinfo *list;
	int first = 0, r;

	ipckit_deadline_in(IPCKIT_FOREVER, &forever);
	r = address_look_up(endpoint, deadline ?: &forever, why, &list);
	if (r)
		return r;
	for (const struct addrinfo *at = list; at; at = at->ai_next) {
		r = listen_address(at, backlog, out);
		if (!r)
			break;
		first = first ?: r;
	}
	freeaddrinfo(list);
	return r ? first : 0;
}

int ipckit_socket_listen(const struct ipckit_endpoint *endpoint, const struct ipckit_listening *how,
			 struct ipckit_why *why, int *out)
{
	/* The kernel cuts it to net.core.somaxconn. */
	int backlog = how->backlog > 0 ? how->backlog : INT_MAX;

	if (why)
		*why->text = '\0';
	if (!socket_type(endpoint) || !endpoint->listens)
		return -EINVAL;
	if (endpoint->kind == IPCKIT_END_TCP || endpoint->kind == IPCKIT_END_UDP)
		return listen_internet(endpoint, how->deadline, backlog, why, out);
	return listen_unix(endpoint, how->mode, backlog, out);
}
