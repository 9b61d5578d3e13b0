/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket.h"

#include <string.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

#define LIST_SIZE (IPCKIT_PASSED_MAX * sizeof(int))

/* ---- sending ---- */

int ipckit_socket_pass(int fd, const int *list, size_t count, const struct ipckit_deadline *deadline)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(LIST_SIZE)];
	} control = { 0 };
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control };
	int r;

	if (!count || count > IPCKIT_PASSED_MAX)
		return -EINVAL;
	message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					 .cmsg_len = CMSG_LEN(count * sizeof(int)) };
	memcpy(CMSG_DATA(&control.head), list, count * sizeof(int));
	for (;;) {
		r = (int)sys_result(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
		if (r >= 0)
			return 0;
		if (r == -EAGAIN || r == -EINTR)
			r = socket_wait(fd, POLLOUT, deadline);
		if (r)
			return r;
	}
}

/* ---- receiving ---- */

/* What one message brought beside its data. */
struct brought {
	int *list;
	size_t count;
	struct ucred who;
	bool vouched;
};

static void close_all(const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(list[i]);
}

static void take_rights(const struct cmsghdr *part, struct brought *out)
{
	const unsigned char *data = CMSG_DATA(part);
	size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		if (out->count < IPCKIT_PASSED_MAX)
			out->list[out->count++] = fd;
		else
			close(fd);
	}
}

static void take_apart(struct msghdr *message, struct brought *out)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		int pidfd;

		if (part->cmsg_level != SOL_SOCKET)
			continue;
		switch (part->cmsg_type) {
		case SCM_RIGHTS:
			take_rights(part, out);
			break;
		case SCM_CREDENTIALS:
			memcpy(&out->who, CMSG_DATA(part), sizeof(out->who));
			out->vouched = true;
			break;
		case SCM_PIDFD:
			/* Of one who was asked for by whoever had the socket before. */
			memcpy(&pidfd, CMSG_DATA(part), sizeof(pidfd));
			if (pidfd >= 0)
				close(pidfd);
			break;
		}
	}
}

static int receive_once(int fd, struct brought *out)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(LIST_SIZE) + CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
			  CMSG_SPACE(1024)]; /* a label of SO_PASSSEC */
	} control;
	char data[4096];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = sys_result(recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));

	if (n < 0)
		return (int)n;
	take_apart(&message, out);
	if (message.msg_flags & MSG_CTRUNC) {
		close_all(out->list, out->count);
		return -EMSGSIZE;
	}
	if (out->count)
		return 0;
	return n ? -EBADMSG : -ENODATA;
}

/*
 * The kernel vouches for who sent a message where that was asked for before it was sent, else gives nobody's pid
 * and uid; then for who made the connection.
 */
static void fill_sender(int fd, const struct brought *brought, struct ipckit_peer *out)
{
	struct ipckit_peer peer;

	if (ipckit_socket_peer(fd, &peer))
		peer = (struct ipckit_peer){ 0 };
	if (brought->vouched && brought->who.pid > 0) {
		peer.pid = ipckit_known(brought->who.pid);
		peer.uid = ipckit_known(brought->who.uid);
		peer.gid = ipckit_known(brought->who.gid);
	}
	*out = peer;
}

static int ask_for_credentials(int fd, int *before)
{
	static const int on = 1;

	return sys_socket_option(fd, SO_PASSCRED, before) ?:
	       sys_result(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

int ipckit_socket_receive(int fd, int list[IPCKIT_PASSED_MAX], const struct ipckit_deadline *deadline,
			  struct ipckit_peer *sender, size_t *count)
{
	struct brought brought = { .list = list };
	int before, r = ask_for_credentials(fd, &before);

	if (r)
		return r;
	for (;;) {
		r = socket_wait(fd, POLLIN, deadline);
		if (r)
			break;
		r = receive_once(fd, &brought);
		/* Somebody else may have been faster. */
		if (r != -EAGAIN && r != -EINTR)
			break;
	}
	(void)!setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &before, sizeof(before));
	if (r)
		return r;
	if (sender)
		fill_sender(fd, &brought, sender);
	*count = brought.count;
	return 0;
}
