/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "channel-build.h"
#include "proc.h"
#include "sys.h"
#include "users.h"

#include <arpa/inet.h>
#include <ipckit/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/* ---- users ---- */

static int add_user(const struct channel_walk *walk, const struct channel_end *end, struct ipckit_channel_user **list,
		    size_t *count)
{
	const struct channel_process *process = &walk->processes[end->process];
	struct ipckit_channel_user *larger = array_room(*list, *count, sizeof(*larger));
	struct ipckit_channel_user *user;

	if (!larger)
		return -ENOMEM;
	*list = larger;
	user = &larger[*count];
	*user = (struct ipckit_channel_user){
		.pid = process->pid,
		.fd = end->fd,
		.reads = end->reads,
		.writes = end->writes,
		.uid = process->uid,
		.tid = end->tid,
		.call = end->call,
	};
	user->command = process->command ? strdup(process->command) : NULL;
	if (process->command && !user->command)
		return -ENOMEM;
	++*count;
	return 0;
}

static int add_users(const struct channel_walk *walk, const struct channel_end *ends, size_t count,
		     struct ipckit_channel_user **list, size_t *out)
{
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = add_user(walk, &ends[i], list, out);
	return r;
}

int channel_tell_users(const struct channel_scene *scene, const struct channel_end *ends, size_t count,
		       struct ipckit_channel_info *info)
{
	const struct channel_walk *walk = &scene->walk;
	bool fifo = info->kind == IPCKIT_CHANNEL_FIFO;

	info->other_pids = scene->other_pids;
	if (walk->hides)
		gaps_note(&info->gaps, "unreadable_processes", EPERM);
	else
		info->unreadable_processes = ipckit_known(walk->unreadable + (fifo ? walk->opening : 0));
	for (size_t i = 0; i < count; i++)
		if (walk->processes[ends[i].process].opaque)
			gaps_note(&info->gaps, "call", EACCES);
	return add_users(walk, ends, count, &info->users, &info->nusers);
}

/* ---- pipes and FIFOs ---- */

int channel_tell_ends(struct channel_scene *scene, const struct channel_end *ends, size_t count,
		      struct ipckit_channel_info *info)
{
	int64_t readers = 0, writers = 0;
	int r = channel_tell_users(scene, ends, count, info);

	for (size_t i = 0; i < count; i++) {
		readers += ends[i].fd >= 0 && ends[i].reads;
		writers += ends[i].fd >= 0 && ends[i].writes;
	}
	info->readers = ipckit_known(readers);
	info->writers = ipckit_known(writers);
	return r ?: channel_ask_pipe(scene, ends, count, info);
}

/* What there is of its file; that of a pipe is its maker's. */
static void tell_file(const struct channel_scene *scene, const struct channel_end *end,
		      struct ipckit_channel_info *info)
{
	pid_t pid = scene->walk.processes[end->process].pid;
	char path[PATH_MAX + 32];
	struct statx st;

	if (end->fd >= 0)
		snprintf(path, sizeof(path), "%d/fd/%d", (int)pid, end->fd);
	else
		snprintf(path, sizeof(path), "%d/root%s", (int)pid, end->path);
	if (statx(scene->root, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) ||
	    st.stx_ino != end->inode)
		return;
	info->uid = ipckit_known(st.stx_uid);
	info->gid = ipckit_known(st.stx_gid);
	if (end->class == CHANNEL_PIPE)
		return;
	info->mode = ipckit_known(st.stx_mode & 07777);
	info->atime = ipckit_known(st.stx_atime.tv_sec);
	info->mtime = ipckit_known(st.stx_mtime.tv_sec);
	info->ctime = ipckit_known(st.stx_ctime.tv_sec);
}

int channel_tell_pipe(struct channel_scene *scene, const struct channel_end *ends, size_t count,
		      struct ipckit_channel_info *out)
{
	struct ipckit_channel_info info = {
		.kind = ends->class == CHANNEL_FIFO ? IPCKIT_CHANNEL_FIFO : IPCKIT_CHANNEL_PIPE,
		.device = ends->device,
		.inode = ends->inode,
	};
	/* Of those that have it open the kernel tells a name in full; they come after who opens it. */
	const struct channel_end *named = &ends[count - 1];
	int r;

	for (size_t i = 0; i < count && named->fd < 0; i++)
		named = ends[i].fd < 0 ? named : &ends[i];
	if (named->path) {
		info.name = strdup(named->path);
		if (!info.name)
			return -ENOMEM;
	}
	tell_file(scene, named, &info);
	r = channel_tell_ends(scene, ends, count, &info);
	if (r)
		ipckit_channel_info_free(&info);
	else
		*out = info;
	return r;
}

/* ---- sockets ---- */

static const char *type_word(uint8_t type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return NULL;
	}
}

static char *address_text(const struct channel_socket *socket, const struct channel_address *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(address->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(address->port) };
	struct ipckit_address at = { .length = sizeof(six) };
	char text[IPCKIT_ADDRESS_TEXT];

	memcpy(&six.sin6_addr, address->bytes, sizeof(six.sin6_addr));
	memcpy(&four.sin_addr, address->bytes + 12, sizeof(four.sin_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr))
		six.sin6_scope_id = socket->interface;
	if (socket->family == AF_INET)
		memcpy(&at.at, &four, sizeof(four));
	else
		memcpy(&at.at, &six, sizeof(six));
	ipckit_address_text(&at, text);
	return strdup(text);
}

static int copy(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int name_inet(const struct channel_socket *socket, struct ipckit_channel_info *info)
{
	if (!socket->local.port && !socket->remote.port)
		return 0;
	info->name = address_text(socket, &socket->local);
	if (!info->name)
		return -ENOMEM;
	if (!socket->remote.port)
		return 0;
	info->peer = address_text(socket, &socket->remote);
	return info->peer ? 0 : -ENOMEM;
}

static int name_unix(const struct channel_scene *scene, const struct channel_socket *socket,
		     struct ipckit_channel_info *info)
{
	const struct channel_socket *peer = socket->peer ? channel_sockets_find(&scene->sockets, socket->peer) : NULL;

	return copy(socket->name, &info->name) ?: copy(peer ? peer->name : NULL, &info->peer);
}

int channel_tell_socket(struct channel_scene *scene, const struct channel_socket *socket,
			const struct channel_end *ends, size_t count, struct ipckit_channel_info *out)
{
	struct ipckit_channel_info info = {
		.kind = socket->kind,
		.inode = socket->inode,
		.state = channel_socket_state(socket),
		.type = socket->kind == IPCKIT_CHANNEL_UNIX ? type_word(socket->type) : NULL,
		.foreign = socket->foreign,
		.bytes = socket->bytes,
		.unsent = socket->unsent,
		.queue = socket->queue,
		.backlog = socket->backlog,
		.uid = socket->uid,
	};
	int r;

	if (socket->peer)
		info.peer_inode = ipckit_known((int64_t)socket->peer);
	r = socket->kind == IPCKIT_CHANNEL_UNIX ? name_unix(scene, socket, &info) : name_inet(socket, &info);
	if (!r)
		r = channel_tell_users(scene, ends, count, &info);
	if (r)
		ipckit_channel_info_free(&info);
	else
		*out = info;
	return r;
}

int channel_tell_peers(struct channel_scene *scene, struct ipckit_channel_info *info)
{
	const struct channel_end *ends;
	size_t count;

	if (!info->peer_inode.known)
		return 0;
	count = channel_walk_find(&scene->walk, CHANNEL_SOCKET, 0, (uint64_t)info->peer_inode.value, &ends);
	return add_users(&scene->walk, ends, count, &info->peers, &info->npeers);
}

/* ---- infos ---- */

static void free_users(struct ipckit_channel_user *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].command);
	free(list);
}

void ipckit_channel_info_free(struct ipckit_channel_info *info)
{
	free_users(info->users, info->nusers);
	free_users(info->peers, info->npeers);
	free(info->name);
	free(info->peer);
	*info = (struct ipckit_channel_info){ 0 };
}

void ipckit_channels_free(struct ipckit_channels *channels)
{
	for (size_t i = 0; i < channels->count; i++)
		ipckit_channel_info_free(&channels->list[i]);
	free(channels->list);
	*channels = (struct ipckit_channels){ 0 };
}

int channel_list_add(struct ipckit_channels *list, struct ipckit_channel_info *info)
{
	struct ipckit_channel_info *larger = array_room(list->list, list->count, sizeof(*larger));

	if (!larger) {
		ipckit_channel_info_free(info);
		return -ENOMEM;
	}
	list->list = larger;
	larger[list->count++] = *info;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct ipckit_channel_info *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (!x->name != !y->name)
		return x->name ? -1 : 1;
	return (x->name ? strcmp(x->name, y->name) : 0) ?: array_order(x->inode, y->inode);
}

void channel_list_sort(struct ipckit_channels *list)
{
	if (list->count)
		qsort(list->list, list->count, sizeof(*list->list), by_name);
}
