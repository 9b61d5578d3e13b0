/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-socket.h"
#include "sys.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

/* Headers are older than kernels. */
#define SHOW_UID      0x40
#define ATTRIBUTE_UID 7

#define ROOM 32768 /* the most that the kernel puts into one answer */

/* Those of no process: on their way to be accepted, or closed. */
#define STATES_OF_NOBODY (1u << TCP_TIME_WAIT | 1u << TCP_SYN_RECV | 1u << 12)

/* Goes on behind a part of so many bytes: the next one begins at a multiple of four, and of the last one what follows
 * may be missing. */
static void pass(const char **data, size_t *size, size_t length)
{
	size_t step = (length + 3) & ~(size_t)3;

	if (step > *size)
		step = *size;
	*data += step;
	*size -= step;
}

/* ---- one socket ---- */

static void keep_attribute(unsigned type, const void *data, size_t size, struct channel_socket *out)
{
	const struct unix_diag_vfs *file = data;
	const struct unix_diag_rqlen *queue = data;
	const uint32_t *number = data;

	if (type == UNIX_DIAG_VFS && size >= sizeof(*file)) {
		out->has_file = true;
		out->file = file->udiag_vfs_ino;
		/* As the kernel has it inside. */
		out->device = makedev(file->udiag_vfs_dev >> 20, file->udiag_vfs_dev & 0xfffff);
	} else if (type == UNIX_DIAG_PEER && size >= sizeof(*number)) {
		out->peer = *number;
	} else if (type == ATTRIBUTE_UID && size >= sizeof(*number)) {
		out->uid = ipckit_known(*number);
	} else if (type == UNIX_DIAG_RQLEN && size >= sizeof(*queue) && out->state == TCP_LISTEN) {
		out->queue = ipckit_known(queue->udiag_rqueue);
		out->backlog = ipckit_known(queue->udiag_wqueue);
	} else if (type == UNIX_DIAG_RQLEN && size >= sizeof(*queue)) {
		out->bytes = ipckit_known(queue->udiag_rqueue);
		out->unsent = ipckit_known(queue->udiag_wqueue);
	}
}

/* An abstract name begins with a NUL, and may hold more. */
static int keep_name(const char *data, size_t size, struct channel_socket *out)
{
	char *name;

	if (size && *data)
		size = strnlen(data, size);
	if (!size || out->name)
		return 0;
	name = malloc(size + 1);
	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++)
		name[i] = data[i] ? data[i] : '@';
	name[size] = '\0';
	out->name = name;
	return 0;
}

static int read_attributes(const char *data, size_t size, struct channel_socket *out)
{
	struct nlattr head;
	int r = 0;

	while (!r && size >= sizeof(head)) {
		size_t length;

		memcpy(&head, data, sizeof(head));
		length = head.nla_len;
		if (length < sizeof(head) || length > size)
			return -EBADMSG;
		if (head.nla_type == UNIX_DIAG_NAME)
			r = keep_name(data + sizeof(head), length - sizeof(head), out);
		else
			keep_attribute(head.nla_type, data + sizeof(head), length - sizeof(head), out);
		pass(&data, &size, length);
	}
	return r;
}

static int read_unix(const char *data, size_t size, struct channel_socket *out)
{
	struct unix_diag_msg message;
	int r;

	if (size < sizeof(message))
		return -EBADMSG;
	memcpy(&message, data, sizeof(message));
	out->family = AF_UNIX;
	out->type = message.udiag_type;
	out->state = message.udiag_state;
	out->inode = message.udiag_ino;
	r = read_attributes(data + sizeof(message), size - sizeof(message), out);
	if (r) {
		free(out->name);
		out->name = NULL;
	}
	return r;
}

static void keep_address(int family, const uint32_t words[4], uint16_t port, struct channel_address *out)
{
	memset(out, 0, sizeof(*out));
	out->port = ntohs(port);
	if (family == AF_INET6) {
		memcpy(out->bytes, words, 16);
		return;
	}
	out->bytes[10] = out->bytes[11] = 0xff;
	memcpy(out->bytes + 12, words, 4);
}

static int read_inet(const char *data, size_t size, struct channel_socket *out)
{
	struct inet_diag_msg message;

	if (size < sizeof(message))
		return -EBADMSG;
	memcpy(&message, data, sizeof(message));
	if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
		return -EBADMSG;
	out->family = message.idiag_family;
	out->state = message.idiag_state;
	out->inode = message.idiag_inode;
	out->interface = message.id.idiag_if;
	out->uid = ipckit_known(message.idiag_uid);
	keep_address(out->family, message.id.idiag_src, message.id.idiag_sport, &out->local);
	keep_address(out->family, message.id.idiag_dst, message.id.idiag_dport, &out->remote);
	if (out->state == TCP_LISTEN) {
		out->queue = ipckit_known(message.idiag_rqueue);
		out->backlog = ipckit_known(message.idiag_wqueue);
	} else {
		out->bytes = ipckit_known(message.idiag_rqueue);
		out->unsent = ipckit_known(message.idiag_wqueue);
		out->timer = ipckit_known(message.idiag_timer);
	}
	return 0;
}

static int read_socket(enum ipckit_channel_kind kind, const char *data, size_t size, channel_socket_visit visit,
		       void *arg)
{
	struct channel_socket socket = { .kind = kind };
	int r = kind == IPCKIT_CHANNEL_UNIX ? read_unix(data, size, &socket) : read_inet(data, size, &socket);

	/* What cannot be understood is none. */
	if (r)
		return r == -ENOMEM ? r : 0;
	if (socket.inode)
		return visit(&socket, arg);
	free(socket.name);
	return 0;
}

/* ---- answers ---- */

static int read_error(const char *data, size_t size)
{
	int error;

	if (size < sizeof(error))
		return -EBADMSG;
	memcpy(&error, data, sizeof(error));
	return error < 0 ? error : 1;
}

int diag_read(enum ipckit_channel_kind kind, const void *from, size_t size, channel_socket_visit visit, void *arg)
{
	const char *data = from;
	struct nlmsghdr head;
	int r = 0;

	while (!r && size >= sizeof(head)) {
		size_t length;

		memcpy(&head, data, sizeof(head));
		length = head.nlmsg_len;
		if (length < sizeof(head) || length > size)
			return -EBADMSG;
		if (head.nlmsg_type == NLMSG_DONE)
			return 1;
		if (head.nlmsg_type == NLMSG_ERROR)
			return read_error(data + sizeof(head), length - sizeof(head));
		if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY)
			r = read_socket(kind, data + sizeof(head), length - sizeof(head), visit, arg);
		pass(&data, &size, length);
	}
	return r;
}

/* ---- the walk ---- */

struct request {
	struct nlmsghdr head;
	union {
		struct unix_diag_req local;
		struct inet_diag_req_v2 inet;
	} of;
};

static void make_request(enum ipckit_channel_kind kind, int family, struct request *out)
{
	*out = (struct request){
		.head = { .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	if (kind == IPCKIT_CHANNEL_UNIX) {
		out->head.nlmsg_len = sizeof(out->head) + sizeof(out->of.local);
		out->of.local = (struct unix_diag_req){
			.sdiag_family = AF_UNIX,
			.udiag_states = ~0u,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
				      SHOW_UID,
		};
		return;
	}
	out->head.nlmsg_len = sizeof(out->head) + sizeof(out->of.inet);
	out->of.inet = (struct inet_diag_req_v2){
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = kind == IPCKIT_CHANNEL_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.idiag_states = kind == IPCKIT_CHANNEL_TCP ? ~STATES_OF_NOBODY : ~0u,
	};
}

static int ask(int fd, const struct request *request)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n = sys_result(sendto(fd, request, request->head.nlmsg_len, 0, (const struct sockaddr *)&kernel,
				      sizeof(kernel)));

	return n < 0 ? (int)n : 0;
}

static int answer(int fd, char *buffer, enum ipckit_channel_kind kind, channel_socket_visit visit, void *arg)
{
	struct sockaddr_nl from = { 0 };
	socklen_t length = sizeof(from);
	ssize_t n;

	do {
		n = sys_result(recvfrom(fd, buffer, ROOM, MSG_TRUNC, (struct sockaddr *)&from, &length));
	} while (n == -EINTR);
	if (n < 0)
		return (int)n;
	if (n > ROOM)
		return -EMSGSIZE;
	/* Anybody may write to it. */
	if (from.nl_pid)
		return 0;
	return n ? diag_read(kind, buffer, (size_t)n, visit, arg) : -EBADMSG;
}

int diag_walk(enum ipckit_channel_kind kind, int family, channel_socket_visit visit, void *arg)
{
	struct request request;
	char *buffer;
	int fd = sys_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
	int r;

	if (fd < 0)
		return fd;
	buffer = malloc(ROOM);
	make_request(kind, family, &request);
	r = buffer ? ask(fd, &request) : -ENOMEM;
	while (!r)
		r = answer(fd, buffer, kind, visit, arg);
	free(buffer);
	close(fd);
	return r < 0 ? r : 0;
}
