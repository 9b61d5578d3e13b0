/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "channel-build.h"
#include "proc.h"
#include "sys.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define SOCKETS (IPCKIT_CHANNEL(IPCKIT_CHANNEL_UNIX) | IPCKIT_CHANNEL(IPCKIT_CHANNEL_TCP) | \
		 IPCKIT_CHANNEL(IPCKIT_CHANNEL_UDP))

const char *ipckit_channel_kind_name(enum ipckit_channel_kind kind)
{
	static const char *const names[] = { "fifo", "pipe", "unix", "tcp", "udp" };

	return names[kind];
}

/* ---- sockets of other network namespaces ---- */

/* What the kernel calls a socket's protocol tells its kind, also where nothing else does. */
static bool ask_kind(const struct channel_scene *scene, const struct channel_end *end, struct channel_socket *out)
{
	static const struct {
		const char *name;
		enum ipckit_channel_kind kind;
		int family;
	} kinds[] = {
		{ "UNIX", IPCKIT_CHANNEL_UNIX, AF_UNIX },   { "UNIX-STREAM", IPCKIT_CHANNEL_UNIX, AF_UNIX },
		{ "TCP", IPCKIT_CHANNEL_TCP, AF_INET },	    { "TCPv6", IPCKIT_CHANNEL_TCP, AF_INET6 },
		{ "UDP", IPCKIT_CHANNEL_UDP, AF_INET },	    { "UDPv6", IPCKIT_CHANNEL_UDP, AF_INET6 },
	};
	char path[64], name[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%d/fd/%d", scene->root,
		 (int)scene->walk.processes[end->process].pid, end->fd);
	n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(name, kinds[i].name))
			continue;
		*out = (struct channel_socket){
			.kind = kinds[i].kind,
			.family = (uint8_t)kinds[i].family,
			.inode = end->inode,
			.state = TCP_CLOSE,
		};
		return true;
	}
	return false;
}

struct namespaces {
	uint64_t *list; /* whose sockets have been read; the first is the caller's */
	size_t count;
};

static int namespace_of(const struct channel_scene *scene, const char *process, uint64_t *out)
{
	int dir = sys_openat(scene->root, process, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (dir < 0)
		return dir;
	r = proc_namespace(dir, "net", out);
	close(dir);
	return r;
}

static bool is_read(const struct namespaces *read, uint64_t namespace)
{
	for (size_t i = 0; i < read->count; i++)
		if (read->list[i] == namespace)
			return true;
	return false;
}

static int note_namespace(struct namespaces *read, uint64_t namespace)
{
	uint64_t *larger = array_room(read->list, read->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	read->list = larger;
	larger[read->count++] = namespace;
	return 0;
}

/* Reads the namespace of who has a socket that is not known, unless that was done. */
static int read_namespace(struct channel_scene *scene, const struct channel_end *end, unsigned kinds,
			  struct namespaces *read, struct channel_sockets *more)
{
	pid_t pid = scene->walk.processes[end->process].pid;
	uint64_t namespace;
	char process[16];
	int r;

	snprintf(process, sizeof(process), "%d", (int)pid);
	r = namespace_of(scene, process, &namespace);
	if (r || is_read(read, namespace))
		return sys_own_trouble(r);
	return note_namespace(read, namespace) ?: channel_sockets_add(scene->root, pid, kinds, more);
}

static bool is_known(const struct channel_scene *scene, const struct channel_end *end)
{
	return channel_sockets_find(&scene->sockets, end->inode);
}

static int move_all(struct channel_sockets *from, struct channel_sockets *to)
{
	struct channel_socket *larger = reallocarray(to->list, to->count + from->count + 1, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	to->list = larger;
	memcpy(larger + to->count, from->list, from->count * sizeof(*larger));
	to->count += from->count;
	from->count = 0;
	return 0;
}

/* Those that no table has, of which but the kind is known; once each. */
static int add_rest(struct channel_scene *scene, unsigned kinds, struct channel_sockets *more)
{
	struct channel_socket socket, *larger;

	for (size_t i = 0; i < scene->walk.nends; i++) {
		const struct channel_end *end = &scene->walk.ends[i];

		if (end->class != CHANNEL_SOCKET || is_known(scene, end) || !ask_kind(scene, end, &socket) ||
		    !(kinds & IPCKIT_CHANNEL(socket.kind)) ||
		    (more->count && more->list[more->count - 1].inode == end->inode))
			continue;
		larger = array_room(more->list, more->count, sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		more->list = larger;
		larger[more->count++] = socket;
	}
	return 0;
}

static int add_foreign(struct channel_scene *scene, unsigned kinds, struct namespaces *read,
		       struct channel_sockets *more)
{
	struct channel_socket ignored;
	uint64_t own;
	int r = namespace_of(scene, "self", &own);

	if (!r)
		r = note_namespace(read, own);
	for (size_t i = 0; !sys_lacks_resources(r) && i < scene->walk.nends; i++) {
		const struct channel_end *end = &scene->walk.ends[i];

		if (end->class == CHANNEL_SOCKET && !is_known(scene, end) && ask_kind(scene, end, &ignored))
			r = read_namespace(scene, end, kinds, read, more);
	}
	return sys_own_trouble(r);
}

static int settle_more(struct channel_scene *scene, struct channel_sockets *more)
{
	int r = more->count ? move_all(more, &scene->sockets) : 0;

	return r ?: channel_sockets_settle(&scene->sockets);
}

static int read_sockets(struct channel_scene *scene, unsigned kinds)
{
	struct channel_sockets more = { 0 };
	struct namespaces read = { 0 };
	int r = channel_sockets_read(scene->root, kinds, true, &scene->sockets);

	if (!r)
		r = channel_sockets_settle(&scene->sockets);
	if (!r)
		r = add_foreign(scene, kinds, &read, &more);
	if (!r)
		r = settle_more(scene, &more);
	channel_sockets_free(&more);
	if (!r)
		r = add_rest(scene, kinds, &more);
	if (!r)
		r = settle_more(scene, &more);
	channel_sockets_free(&more);
	free(read.list);
	return r;
}

/* ---- the scene ---- */

int channel_scene_begin(unsigned kinds, bool with_self, struct channel_scene *scene)
{
	unsigned classes = 0;
	int r;

	*scene = (struct channel_scene){ .root = -1, .pidfd = -1, .other_pids = !proc_sees_all_pids() };
	if (kinds & IPCKIT_CHANNEL(IPCKIT_CHANNEL_FIFO))
		classes |= CHANNEL_CLASS(CHANNEL_FIFO);
	if (kinds & IPCKIT_CHANNEL(IPCKIT_CHANNEL_PIPE))
		classes |= CHANNEL_CLASS(CHANNEL_PIPE);
	if (kinds & SOCKETS)
		classes |= CHANNEL_CLASS(CHANNEL_SOCKET);
	r = proc_open("/proc", &scene->root);
	if (!r)
		r = channel_walk(scene->root, classes, with_self, &scene->walk);
	return r || !(kinds & SOCKETS) ? r : read_sockets(scene, kinds);
}

void channel_scene_end(struct channel_scene *scene)
{
	channel_walk_free(&scene->walk);
	channel_sockets_free(&scene->sockets);
	if (scene->pidfd >= 0)
		close(scene->pidfd);
	if (scene->root >= 0)
		close(scene->root);
}

/* ---- lists ---- */

static size_t same_as(const struct channel_walk *walk, size_t first)
{
	const struct channel_end *end = &walk->ends[first], *ends;

	return channel_walk_find(walk, end->class, end->device, end->inode, &ends);
}

static int list_pipes(struct channel_scene *scene, struct ipckit_channels *out)
{
	const struct channel_walk *walk = &scene->walk;
	struct ipckit_channel_info info;
	size_t count;
	int r = 0;

	/* Sockets come last. */
	for (size_t i = 0; !r && i < walk->nends && walk->ends[i].class != CHANNEL_SOCKET; i += count) {
		count = same_as(walk, i);
		r = channel_tell_pipe(scene, &walk->ends[i], count, &info);
		if (!r)
			r = channel_list_add(out, &info);
	}
	return r;
}

static int list_sockets(struct channel_scene *scene, unsigned kinds, struct ipckit_channels *out)
{
	const struct channel_sockets *sockets = &scene->sockets;
	int r = 0;

	for (size_t i = 0; !r && i < sockets->count; i++) {
		const struct channel_socket *socket = &sockets->list[i];
		struct ipckit_channel_info info;
		const struct channel_end *ends;
		size_t count = channel_walk_find(&scene->walk, CHANNEL_SOCKET, 0, socket->inode, &ends);

		/* Another namespace's sockets are listed for those who have them. */
		if (!(kinds & IPCKIT_CHANNEL(socket->kind)) || (socket->foreign && !count))
			continue;
		r = channel_tell_socket(scene, socket, ends, count, &info);
		if (!r)
			r = channel_list_add(out, &info);
	}
	return r;
}

int ipckit_channel_list(unsigned kinds, struct ipckit_channels *out)
{
	struct ipckit_channels found = { 0 };
	struct channel_scene scene;
	int r = channel_scene_begin(kinds, false, &scene);

	if (!r)
		r = list_pipes(&scene, &found);
	if (!r)
		r = list_sockets(&scene, kinds, &found);
	channel_scene_end(&scene);
	if (r) {
		ipckit_channels_free(&found);
		return r;
	}
	channel_list_sort(&found);
	*out = found;
	return 0;
}
