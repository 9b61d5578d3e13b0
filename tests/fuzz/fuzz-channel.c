/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel tells of sockets: answers of sock_diag, lines of /proc/net, links of descriptors. */

#include "fuzz.h"

#include "../../lib/channel-socket.h"
#include "../../lib/channel-walk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static int see(const struct channel_socket *socket, void *arg)
{
	int *left = arg;

	HOLDS(socket->inode);
	HOLDS(!socket->name || (*socket->name && socket->kind == IPCKIT_CHANNEL_UNIX));
	HOLDS(!socket->queue.known || !socket->bytes.known);
	(void)channel_socket_state(socket);
	free(socket->name);
	return --*left ? 0 : -ECANCELED;
}

/* As aligned as what recv(2) fills. */
static void check_answer(const uint8_t *data, size_t size)
{
	void *copy = malloc(size ?: 1);
	int left = 100;

	if (!copy)
		exit(1);
	memcpy(copy, data, size);
	for (unsigned kind = IPCKIT_CHANNEL_UNIX; kind <= IPCKIT_CHANNEL_UDP; kind++) {
		int r = diag_read(kind, copy, size, see, &left);

		HOLDS(r <= 1);
	}
	free(copy);
}

static void check_line(const char *line)
{
	static const struct {
		enum ipckit_channel_kind kind;
		int family;
	} tables[] = {
		{ IPCKIT_CHANNEL_UNIX, AF_UNIX }, { IPCKIT_CHANNEL_TCP, AF_INET }, { IPCKIT_CHANNEL_UDP, AF_INET6 }
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct channel_socket socket;
		int r = proc_net_parse(tables[i].kind, tables[i].family, line, &socket);

		HOLDS(r == 0 || r == 1 || r == -EBADMSG);
		if (r != 1)
			continue;
		HOLDS(socket.inode && socket.kind == tables[i].kind && socket.family == tables[i].family);
		free(socket.name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	enum channel_class class;
	uint64_t inode;

	check_answer(data, size);
	check_line(text);
	HOLDS(!channel_link(text, &class, &inode) || class == CHANNEL_PIPE || class == CHANNEL_SOCKET);
	free(text);
	return 0;
}
