/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-open.h"
#include "sys.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#define KINDS (IPCKIT_CHANNEL(IPCKIT_CHANNEL_UNIX) | IPCKIT_CHANNEL(IPCKIT_CHANNEL_TCP))

/* Those of this network namespace: what other ones have is not known here. */
static int read_sockets(struct live_scan *scan)
{
	const struct live_end none = { .class = LIVE_SOCKET }, *first;
	size_t count;
	int r = live_open_find(scan, &none, &first, &count); /* begins it */

	if (r || scan->opens->has_sockets)
		return r;
	scan->opens->has_sockets = true;
	r = channel_sockets_read(scan->root, KINDS, scan->real, &scan->opens->sockets);
	return r ? r : channel_sockets_settle(&scan->opens->sockets);
}

int live_socket_of(struct live_scan *scan, uint64_t inode, const struct channel_socket **out)
{
	int r = read_sockets(scan);

	*out = r ? NULL : channel_sockets_find(&scan->opens->sockets, inode);
	return sys_own_trouble(r);
}

/* ---- the set ---- */

static bool is_stream(const struct channel_socket *socket)
{
	if (socket->kind == IPCKIT_CHANNEL_TCP)
		return true;
	return socket->kind == IPCKIT_CHANNEL_UNIX &&
	       (socket->type == SOCK_STREAM || socket->type == SOCK_SEQPACKET);
}

static bool has(struct ipckit_maybe bytes)
{
	return bytes.known && bytes.value;
}

#define PROBES 4 /* idiag_timer: it asks the peer from time to time whether there is room by now */

/* Data that are still on their way, or lost and to be sent again, are no sign of a peer that is full. */
static bool is_under_way(const struct channel_socket *socket)
{
	return socket->timer.known && socket->timer.value != PROBES;
}

/* Who is about to be woken, or can be by what is under way, waits for nobody. */
static bool is_settled(const struct channel_socket *socket, const struct channel_socket *peer, bool reading,
		       bool writing)
{
	if (reading && (has(socket->bytes) || (peer->kind == IPCKIT_CHANNEL_TCP && has(peer->unsent))))
		return false;
	return !writing || (has(socket->unsent) && has(peer->bytes) && !is_under_way(socket));
}

/* Whoever has the same one may shut it down; but not the waiter, where it is its process' only thread. */
static int add_own(struct live_scan *scan, struct live_set *set, uint32_t thread, const struct live_end *end)
{
	uint32_t waiter = scan->threads[thread].process;
	const struct live_end *ends;
	size_t count;
	int r = live_open_find(scan, end, &ends, &count);

	for (size_t i = 0; !r && i < count; i++)
		if (ends[i].process != waiter || scan->processes[waiter].nthreads > 1)
			r = live_set_add(set, ends[i].process);
	return r;
}

int live_set_add_peers(struct live_scan *scan, struct live_set *set, uint32_t thread, const struct live_end *end,
		       bool reading, bool writing)
{
	const struct channel_socket *socket, *peer = NULL;
	struct live_end other = { .class = LIVE_SOCKET };
	int r = live_socket_of(scan, end->inode, &socket);

	if (!r && socket && socket->peer && is_stream(socket))
		r = live_socket_of(scan, socket->peer, &peer);
	if (r)
		return r;
	if (!peer || !is_settled(socket, peer, reading, writing)) {
		set->endless = true;
		return 0;
	}
	other.inode = peer->inode;
	r = live_set_add_ends(scan, set, &other, false, false);
	return r ? r : add_own(scan, set, thread, end);
}
