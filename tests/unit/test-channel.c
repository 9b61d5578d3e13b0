/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is told of pipes and sockets, without any: links, processes, the kernel's tables and its answers. */

#include "../../lib/channel-socket.h"
#include "../../lib/channel-walk.h"
#include "../../lib/proc.h"
#include "unit.h"

#include "failing.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- links ---- */

static void test_links(void)
{
	static const struct {
		const char *target;
		bool good;
		enum channel_class class;
		uint64_t inode;
	} rows[] = {
		{ "pipe:[4711]", true, CHANNEL_PIPE, 4711 },
		{ "socket:[18446744073709551615]", true, CHANNEL_SOCKET, UINT64_MAX },
		{ "pipe:[]", false, 0, 0 },
		{ "pipe:[12", false, 0, 0 },
		{ "pipe:12", false, 0, 0 },
		{ "/tmp/pipe:[1]", false, 0, 0 },
		{ "anon_inode:[eventfd]", false, 0, 0 },
		{ "net:[4026531833]", false, 0, 0 },
		{ "", false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum channel_class class = 99;
		uint64_t inode = 0;

		CHECK_INT_FOR(rows[i].target, channel_link(rows[i].target, &class, &inode), rows[i].good);
		if (!rows[i].good)
			continue;
		CHECK_INT_FOR(rows[i].target, class, rows[i].class);
		CHECK_FOR(rows[i].target, inode == rows[i].inode);
	}
}

/* ---- processes ---- */

#if defined(__x86_64__) && defined(__LP64__)
#define CALLS true /* those of the fixtures */
#else
#define CALLS false
#endif

static int open_fixture(const char *name)
{
	char path[4096];
	int root;

	snprintf(path, sizeof(path), "%s/tests/fixtures/proc/%s", getenv("srcdir") ?: ".", name);
	return CHECK_FOR(path, !proc_open(path, &root)) ? root : -1;
}

static void check_ends(const struct channel_walk *walk)
{
	const struct channel_end *ends;
	const struct channel_process *process;
	bool first;

	CHECK_INT(channel_walk_find(walk, CHANNEL_PIPE, 0, 100, &ends), 3);
	/* In whatever order the fixtures are listed. */
	CHECK(ends[0].process == ends[1].process || ends[1].process == ends[2].process);
	for (int i = 0; i < 3; i++) {
		process = &walk->processes[ends[i].process];
		CHECK(ends[i].reads && ends[i].writes && !ends[i].path);
		first = !i || ends[i - 1].process != ends[i].process;
		CHECK_INT(ends[i].fd, process->pid == 171 ? 1 : first ? 0 : 10);
		CHECK_STR(process->command, process->pid == 170 ? "reader -x" : "wri ter");
		CHECK(process->uid.known && process->uid.value == 1000 && !process->opaque);
		if (CALLS)
			CHECK_STR(ends[i].call, ends[i].fd == 0 ? "read" : NULL);
	}
	CHECK_INT(channel_walk_find(walk, CHANNEL_PIPE, 0, 99, &ends), 1);
	CHECK_INT(channel_walk_find(walk, CHANNEL_SOCKET, 0, 500, &ends), 1);
	CHECK(!ends->call);
	CHECK_INT(channel_walk_find(walk, CHANNEL_SOCKET, 0, 100, &ends), 0);
	CHECK_INT(channel_walk_find(walk, CHANNEL_PIPE, 1, 100, &ends), 0);
}

static void test_walk(void)
{
	struct channel_walk walk;
	int root = open_fixture("channel");

	if (root < 0)
		return;
	CHECK_INT(channel_walk(root, ~0u, false, &walk), 0);
	check_ends(&walk);
	CHECK_INT(walk.nends, 5);
	CHECK_INT(walk.nprocesses, 2);
	CHECK_INT(walk.unreadable, 1);
	CHECK(!walk.hides && !walk.opening);
	channel_walk_free(&walk);
	CHECK_INT(channel_walk(root, CHANNEL_CLASS(CHANNEL_SOCKET), false, &walk), 0);
	CHECK_INT(walk.nends, 1);
	channel_walk_free(&walk);
	CHECK_INT(channel_walk(root, CHANNEL_CLASS(CHANNEL_PIPE), true, &walk), 0);
	CHECK_INT(walk.nends, 5);
	channel_walk_free(&walk);
	close(root);
}

/* ---- /proc/net ---- */

static const struct channel_socket *find(const struct channel_sockets *sockets, uint64_t inode)
{
	static const struct channel_socket none;
	const struct channel_socket *found = channel_sockets_find(sockets, inode);

	CHECK_INT(found ? found->inode : 0, inode);
	return found ?: &none;
}

static bool is_address(const struct channel_address *address, const char *bytes, unsigned port)
{
	return !memcmp(address->bytes, bytes, 16) && address->port == port;
}

#define FOUR_LOOPBACK "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1"
#define SIX_LOOPBACK  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

static void check_unix(const struct channel_sockets *sockets)
{
	const struct channel_socket *listener = find(sockets, 1001), *found;

	CHECK(listener->kind == IPCKIT_CHANNEL_UNIX && listener->type == SOCK_STREAM);
	CHECK_STR(listener->name, "/run/x.sock");
	CHECK_STR(channel_socket_state(listener), "listen");
	CHECK_STR(channel_socket_state(find(sockets, 1002)), "established");
	CHECK_STR(find(sockets, 1003)->name, NULL);
	found = find(sockets, 1004);
	CHECK_STR(found->name, "@abstract name");
	CHECK_STR(channel_socket_state(found), "unconnected");
	found = find(sockets, 1005);
	CHECK(found->type == SOCK_SEQPACKET && unit_same(found->name, "relative/path"));
	CHECK_STR(channel_socket_state(found), "syn-sent");
	CHECK(!channel_sockets_find(sockets, 1006) && !channel_sockets_find(sockets, 0));
}

/* The words of these tables lie as this machine has them. */
static void check_inet(const struct channel_sockets *sockets)
{
	const struct channel_socket *found = find(sockets, 2001);

	CHECK(found->kind == IPCKIT_CHANNEL_TCP && found->family == AF_INET && found->state == TCP_LISTEN);
	CHECK(found->uid.known && found->uid.value == 1000);
	CHECK(found->queue.known && found->queue.value == 3 && !found->backlog.known && !found->bytes.known);
	found = find(sockets, 2002);
	CHECK(is_address(&found->local, FOUR_LOOPBACK, 8080) && is_address(&found->remote, FOUR_LOOPBACK, 50000));
	CHECK(found->bytes.value == 32 && found->unsent.value == 16 && !found->queue.known);
	CHECK_INT(found->peer, 2003);
	CHECK_INT(find(sockets, 2003)->peer, 2002);
	CHECK_INT(find(sockets, 2004)->local.port, 0x1f9);
	CHECK(!channel_sockets_find(sockets, 2005));
	found = find(sockets, 3001);
	CHECK(found->family == AF_INET6 && is_address(&found->local, SIX_LOOPBACK, 80));
	found = find(sockets, 3002);
	CHECK(is_address(&found->local, FOUR_LOOPBACK, 80) && unit_same(channel_socket_state(found), "close-wait"));
	found = find(sockets, 4001);
	CHECK(found->kind == IPCKIT_CHANNEL_UDP && found->bytes.value == 256 && !found->peer);
	CHECK_STR(channel_socket_state(found), "unconnected");
	CHECK_STR(channel_socket_state(find(sockets, 4002)), "established");
	/* What looks like the other side is of another namespace. */
	found = find(sockets, 5001);
	CHECK(found->foreign && !found->peer);
}

static void test_tables(void)
{
	struct channel_sockets sockets = { 0 };
	int root = open_fixture("net");

	if (root < 0)
		return;
	CHECK_INT(channel_sockets_read(root, IPCKIT_CHANNELS_ALL, false, &sockets), 0);
	CHECK_INT(channel_sockets_add(root, 4711, IPCKIT_CHANNELS_ALL, &sockets), 0);
	CHECK_INT(channel_sockets_add(root, 4712, IPCKIT_CHANNELS_ALL, &sockets), 0);
	CHECK_INT(channel_sockets_settle(&sockets), 0);
	check_unix(&sockets);
	/* Written by a machine that begins with the lowest byte. */
	if (htons(1) != 1)
		check_inet(&sockets);
	channel_sockets_free(&sockets);
	CHECK_INT(channel_sockets_read(root, IPCKIT_CHANNEL(IPCKIT_CHANNEL_UDP), false, &sockets), 0);
	CHECK_INT(sockets.count, 2);
	channel_sockets_free(&sockets);
	close(root);
}

/* ---- sock_diag ---- */

static char answer[1024] __attribute__((aligned(8)));
static size_t length;

static void put(const void *data, size_t size)
{
	memcpy(answer + length, data, size);
	length += size;
}

static void put_attribute(unsigned type, const void *data, size_t size)
{
	const struct nlattr head = { .nla_type = (uint16_t)type, .nla_len = (uint16_t)(sizeof(head) + size) };

	put(&head, sizeof(head));
	put(data, size);
	length = (length + 3) & ~(size_t)3;
}

static size_t begin(unsigned type)
{
	const struct nlmsghdr head = { .nlmsg_type = (uint16_t)type };

	put(&head, sizeof(head));
	return length - sizeof(head);
}

static void end(size_t at)
{
	uint32_t size = (uint32_t)(length - at);

	memcpy(answer + at, &size, sizeof(size));
}

static void put_unix(uint32_t inode, uint8_t state)
{
	const struct unix_diag_msg message = {
		.udiag_family = AF_UNIX, .udiag_type = SOCK_STREAM, .udiag_state = state, .udiag_ino = inode
	};
	const struct unix_diag_vfs file = { .udiag_vfs_ino = 77, .udiag_vfs_dev = 8u << 20 | 3 };
	const struct unix_diag_rqlen queue = { .udiag_rqueue = 4, .udiag_wqueue = 9 };
	const uint32_t peer = 12, uid = 1000;
	size_t at = begin(SOCK_DIAG_BY_FAMILY);

	put(&message, sizeof(message));
	put_attribute(UNIX_DIAG_NAME, "\0a\0b", 4);
	put_attribute(UNIX_DIAG_VFS, &file, sizeof(file));
	put_attribute(UNIX_DIAG_PEER, &peer, sizeof(peer));
	put_attribute(UNIX_DIAG_RQLEN, &queue, sizeof(queue));
	put_attribute(7, &uid, sizeof(uid));
	end(at);
}

static void put_inet(uint32_t inode, uint8_t state)
{
	const struct inet_diag_msg message = {
		.idiag_family = AF_INET,
		.idiag_state = state,
		.idiag_inode = inode,
		.idiag_uid = 5,
		.idiag_rqueue = 7,
		.idiag_wqueue = 8,
		.id = { .idiag_sport = htons(80), .idiag_src = { htonl(INADDR_LOOPBACK) } },
	};
	size_t at = begin(SOCK_DIAG_BY_FAMILY);

	put(&message, sizeof(message));
	end(at);
}

static void put_end(unsigned type, int error)
{
	size_t at = begin(type);

	put(&error, sizeof(error));
	end(at);
}

static struct channel_socket seen[8];
static size_t nseen;

static int see(const struct channel_socket *socket, void *arg)
{
	(void)arg;
	if (nseen < 8)
		seen[nseen++] = *socket;
	else
		free(socket->name);
	return 0;
}

static void forget(void)
{
	while (nseen)
		free(seen[--nseen].name);
}

static void test_answers(void)
{
	length = 0;
	put_unix(11, TCP_ESTABLISHED);
	put_unix(0, TCP_ESTABLISHED); /* nobody's */
	put_unix(13, TCP_LISTEN);
	CHECK_INT(diag_read(IPCKIT_CHANNEL_UNIX, answer, length, see, NULL), 0);
	put_end(NLMSG_DONE, 0);
	forget();
	CHECK_INT(diag_read(IPCKIT_CHANNEL_UNIX, answer, length, see, NULL), 1);
	CHECK_INT(nseen, 2);
	CHECK(seen[0].inode == 11 && seen[0].peer == 12 && seen[0].has_file && seen[0].file == 77);
	CHECK(seen[0].device == makedev(8, 3));
	CHECK_STR(seen[0].name, "@a@b");
	CHECK(seen[0].bytes.value == 4 && seen[0].unsent.value == 9 && !seen[0].queue.known);
	CHECK(seen[0].uid.known && seen[0].uid.value == 1000);
	CHECK(seen[1].inode == 13 && seen[1].queue.value == 4 && seen[1].backlog.value == 9 && !seen[1].bytes.known);
	forget();

	length = 0;
	put_inet(21, TCP_LISTEN);
	put_inet(22, TCP_CLOSE_WAIT);
	CHECK_INT(diag_read(IPCKIT_CHANNEL_TCP, answer, length, see, NULL), 0);
	CHECK_INT(nseen, 2);
	CHECK(seen[0].queue.value == 7 && seen[0].backlog.value == 8 && is_address(&seen[0].local, FOUR_LOOPBACK, 80));
	CHECK(seen[1].bytes.value == 7 && seen[1].unsent.value == 8 && seen[1].uid.value == 5);
	forget();

	length = 0;
	put_end(NLMSG_ERROR, -ENOENT);
	CHECK_INT(diag_read(IPCKIT_CHANNEL_TCP, answer, length, see, NULL), -ENOENT);
}

/* Whatever is missing at its end, nothing beyond is looked at. */
static void test_cut_answers(void)
{
	length = 0;
	put_unix(11, TCP_ESTABLISHED);
	for (size_t size = 0; size < length; size++) {
		char *copy = malloc(size ?: 1);
		int r;

		if (!CHECK(copy))
			return;
		memcpy(copy, answer, size);
		r = diag_read(IPCKIT_CHANNEL_UNIX, copy, size, see, NULL);
		CHECK_INT(r, size < sizeof(struct nlmsghdr) ? 0 : -EBADMSG);
		free(copy);
	}
	CHECK_INT(nseen, 0);
	forget();
}

/* ---- which socket has a file ---- */

static void test_files(void)
{
	struct channel_socket list[] = {
		{ .inode = 1, .has_file = true, .file = 77, .device = 3, .state = TCP_ESTABLISHED },
		{ .inode = 2, .has_file = true, .file = 77, .device = 3, .state = TCP_LISTEN },
		{ .inode = 3, .has_file = true, .file = 78, .device = 3, .state = TCP_CLOSE },
		{ .inode = 4, .has_file = true, .file = 79, .device = 4, .state = TCP_LISTEN, .name = (char *)"/a/z" },
		{ .inode = 5, .state = TCP_LISTEN },
	};
	const struct channel_sockets sockets = { list, 5 };

	CHECK(channel_sockets_of_file(&sockets, "/x", 3, 77) == &list[1]);
	CHECK(channel_sockets_of_file(&sockets, "/x", 3, 78 + (UINT64_C(1) << 32)) == &list[2]);
	CHECK(!channel_sockets_of_file(&sockets, "/x", 4, 78) && !channel_sockets_of_file(&sockets, "/x", 3, 0));
	/* A file system in layers tells another device. */
	CHECK(channel_sockets_of_file(&sockets, "z", 5, 79) == &list[3]);
	CHECK(!channel_sockets_of_file(&sockets, "/a/y", 5, 79));
}

/* ---- without memory ---- */

static int fixture;

static int walk_fixture(void)
{
	struct channel_walk walk;
	int r = channel_walk(fixture, ~0u, true, &walk);

	channel_walk_free(&walk);
	return r;
}

static int read_fixture(void)
{
	struct channel_sockets sockets = { 0 };
	int r = channel_sockets_read(fixture, IPCKIT_CHANNELS_ALL, false, &sockets);

	if (!r)
		r = channel_sockets_settle(&sockets);
	channel_sockets_free(&sockets);
	return r;
}

static void test_memory(void)
{
	fixture = open_fixture("channel");
	check_failing("walk", walk_fixture);
	close(fixture);
	fixture = open_fixture("net");
	check_failing("tables", read_fixture);
	close(fixture);
}

int main(void)
{
	test_links();
	test_walk();
	test_tables();
	test_answers();
	test_cut_answers();
	test_files();
	test_memory();
	return unit_done("channel");
}
