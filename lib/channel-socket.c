/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "channel-socket.h"
#include "sys.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* ---- reading ---- */

static const struct {
	enum ipckit_channel_kind kind;
	int family;
} families[] = {
	{ IPCKIT_CHANNEL_UNIX, AF_UNIX },
	{ IPCKIT_CHANNEL_TCP, AF_INET },
	{ IPCKIT_CHANNEL_TCP, AF_INET6 },
	{ IPCKIT_CHANNEL_UDP, AF_INET },
	{ IPCKIT_CHANNEL_UDP, AF_INET6 },
};

struct reading {
	struct channel_sockets *sockets;
	bool foreign;
};

static int keep(const struct channel_socket *socket, void *arg)
{
	const struct reading *reading = arg;
	struct channel_sockets *sockets = reading->sockets;
	struct channel_socket *larger = array_room(sockets->list, sockets->count, sizeof(*larger));

	if (!larger) {
		free(socket->name);
		return -ENOMEM;
	}
	sockets->list = larger;
	larger[sockets->count] = *socket;
	larger[sockets->count++].foreign = reading->foreign;
	return 0;
}

static void forget_from(struct channel_sockets *sockets, size_t first)
{
	while (sockets->count > first)
		free(sockets->list[--sockets->count].name);
}

/* A file that is not there (a kernel without IPv6, say) holds no sockets. */
static int read_file(int root, const char *dir, size_t which, struct reading *reading)
{
	int r = proc_net_walk(root, dir, families[which].kind, families[which].family, keep, reading);

	return sys_own_trouble(r);
}

static int read_own(int root, size_t which, bool use_diag, struct reading *reading)
{
	size_t before = reading->sockets->count;
	int r = use_diag ? diag_walk(families[which].kind, families[which].family, keep, reading) : -ENOENT;

	if (!r || sys_lacks_resources(r))
		return r;
	forget_from(reading->sockets, before);
	return read_file(root, "self", which, reading);
}

int channel_sockets_read(int root, unsigned kinds, bool use_diag, struct channel_sockets *out)
{
	struct reading reading = { .sockets = out };
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(families) / sizeof(*families); i++)
		if (kinds & IPCKIT_CHANNEL(families[i].kind))
			r = read_own(root, i, use_diag, &reading);
	return r;
}

int channel_sockets_add(int root, pid_t pid, unsigned kinds, struct channel_sockets *sockets)
{
	struct reading reading = { .sockets = sockets, .foreign = true };
	char dir[16];
	int r = 0;

	snprintf(dir, sizeof(dir), "%d", (int)pid);
	for (size_t i = 0; !r && i < sizeof(families) / sizeof(*families); i++)
		if (kinds & IPCKIT_CHANNEL(families[i].kind))
			r = read_file(root, dir, i, &reading);
	return r;
}

void channel_sockets_free(struct channel_sockets *sockets)
{
	forget_from(sockets, 0);
	free(sockets->list);
	*sockets = (struct channel_sockets){ 0 };
}

/* ---- finding ---- */

static int by_inode(const void *a, const void *b)
{
	const struct channel_socket *x = a, *y = b;

	return array_order(x->inode, y->inode);
}

const struct channel_socket *channel_sockets_find(const struct channel_sockets *sockets, uint64_t inode)
{
	const struct channel_socket key = { .inode = inode };

	if (!sockets->count)
		return NULL;
	return bsearch(&key, sockets->list, sockets->count, sizeof(key), by_inode);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The file system's own device need not be the one that stat(2) tells: then the name has to be the same, too. */
static bool has_file(const struct channel_socket *socket, const char *path, uint64_t device, uint64_t inode)
{
	if (!socket->has_file || socket->file != (uint32_t)inode)
		return false;
	return socket->device == device || (socket->name && !strcmp(base_of(socket->name), base_of(path)));
}

const struct channel_socket *channel_sockets_of_file(const struct channel_sockets *sockets, const char *path,
						     uint64_t device, uint64_t inode)
{
	const struct channel_socket *found = NULL;

	for (size_t i = 0; i < sockets->count; i++) {
		const struct channel_socket *socket = &sockets->list[i];

		if (!has_file(socket, path, device, inode))
			continue;
		if (socket->state == TCP_LISTEN)
			return socket;
		if (!found || found->state == TCP_ESTABLISHED)
			found = socket;
	}
	return found;
}

/* ---- the other side ---- */

static int by_address(const struct channel_address *a, const struct channel_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) ?: array_order(a->port, b->port);
}

static int by_ends(const void *a, const void *b)
{
	const struct channel_socket *x = *(struct channel_socket *const *)a, *y = *(struct channel_socket *const *)b;

	return array_order(x->kind, y->kind) ?: by_address(&x->local, &y->local) ?: by_address(&x->remote, &y->remote);
}

static bool is_connected(const struct channel_socket *socket)
{
	return socket->kind != IPCKIT_CHANNEL_UNIX && !socket->foreign && socket->remote.port &&
	       socket->state != TCP_LISTEN;
}

static void find_peer(struct channel_socket *socket, struct channel_socket **connected, size_t count)
{
	const struct channel_socket key = { .kind = socket->kind, .local = socket->remote, .remote = socket->local };
	const struct channel_socket *wanted = &key;
	struct channel_socket **found = bsearch(&wanted, connected, count, sizeof(*connected), by_ends);

	if (found && *found != socket)
		socket->peer = (*found)->inode;
}

static int find_peers(struct channel_sockets *sockets)
{
	struct channel_socket **connected = array_of(sockets->count, sizeof(*connected));
	size_t count = 0;

	if (!connected)
		return -ENOMEM;
	for (size_t i = 0; i < sockets->count; i++)
		if (is_connected(&sockets->list[i]))
			connected[count++] = &sockets->list[i];
	qsort(connected, count, sizeof(*connected), by_ends);
	for (size_t i = 0; i < count; i++)
		find_peer(connected[i], connected, count);
	free(connected);
	return 0;
}

int channel_sockets_settle(struct channel_sockets *sockets)
{
	if (sockets->count)
		qsort(sockets->list, sockets->count, sizeof(*sockets->list), by_inode);
	return find_peers(sockets);
}

/* ---- words ---- */

const char *channel_socket_state(const struct channel_socket *socket)
{
	static const char *const states[] = {
		[TCP_ESTABLISHED] = "established", [TCP_SYN_SENT] = "syn-sent",	    [TCP_SYN_RECV] = "syn-recv",
		[TCP_FIN_WAIT1] = "fin-wait-1",	   [TCP_FIN_WAIT2] = "fin-wait-2",  [TCP_TIME_WAIT] = "time-wait",
		[TCP_CLOSE] = "closed",		   [TCP_CLOSE_WAIT] = "close-wait", [TCP_LAST_ACK] = "last-ack",
		[TCP_LISTEN] = "listen",	   [TCP_CLOSING] = "closing",	    [12] = "syn-recv",
		[13] = "bound",
	};

	if (socket->kind != IPCKIT_CHANNEL_TCP && socket->state == TCP_CLOSE)
		return "unconnected";
	return socket->state < sizeof(states) / sizeof(*states) ? states[socket->state] : NULL;
}
