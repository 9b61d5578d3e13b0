/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel-socket.h"
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define UNIX_LISTENS 0x10000 /* __SO_ACCEPTCON of the flags */

/* Enum socket_state of the kernel: what of Unix sockets is not there is unconnected. */
enum { SOCKET_CONNECTING = 2, SOCKET_CONNECTED = 3 };

/* ---- fields ---- */

static bool hex(const char **p, uint64_t max, uint64_t *out)
{
	scan_blanks(p);
	return scan_below(p, 16, max, out);
}

static bool decimal(const char **p, uint64_t *out)
{
	scan_blanks(p);
	return scan_number(p, 10, out);
}

/* ---- Unix ---- */

/* "0000000088a02f90: 00000002 00000000 00010000 0001 01 24420767 /run/x" */
static bool read_unix(const char *p, struct channel_socket *out)
{
	uint64_t ignored, flags, type, state;

	scan_blanks(&p);
	if (!scan_number(&p, 16, &ignored) || !scan_char(&p, ':') || !hex(&p, UINT64_MAX, &ignored) ||
	    !hex(&p, UINT64_MAX, &ignored) || !hex(&p, UINT32_MAX, &flags) || !hex(&p, UINT8_MAX, &type) ||
	    !hex(&p, UINT8_MAX, &state) || !decimal(&p, &out->inode))
		return false;
	out->family = AF_UNIX;
	out->type = (uint8_t)type;
	out->state = TCP_CLOSE;
	if (flags & UNIX_LISTENS)
		out->state = TCP_LISTEN;
	else if (state == SOCKET_CONNECTED)
		out->state = TCP_ESTABLISHED;
	else if (state == SOCKET_CONNECTING)
		out->state = TCP_SYN_SENT;
	return !*p || *p == '\n' || *p == ' ';
}

static int keep_name(const char *line, struct channel_socket *out)
{
	const char *p = line;
	size_t length;

	/* The seventh word is the inode, after it one blank. */
	for (int i = 0; i < 7; i++) {
		scan_blanks(&p);
		p += strcspn(p, " \n");
	}
	p += *p == ' ';
	length = strcspn(p, "\n");
	if (!length)
		return 0;
	out->name = strndup(p, length);
	return out->name ? 0 : -ENOMEM;
}

/* ---- TCP and UDP ---- */

/* Each word as this machine reads what lies in network order. */
static bool read_address(const char **p, int family, struct channel_address *out)
{
	unsigned words = family == AF_INET6 ? 4 : 1;
	uint64_t word, port;
	char digits[9];

	memset(out, 0, sizeof(*out));
	if (words == 1)
		out->bytes[10] = out->bytes[11] = 0xff;
	scan_blanks(p);
	for (unsigned i = 0; i < words; i++) {
		const char *at = digits;
		uint32_t raw;

		if (strnlen(*p, 8) < 8)
			return false;
		memcpy(digits, *p, 8);
		digits[8] = '\0';
		if (!scan_number(&at, 16, &word) || *at)
			return false;
		raw = (uint32_t)word;
		memcpy(out->bytes + (words == 1 ? 12 : i * 4), &raw, sizeof(raw));
		*p += 8;
	}
	if (!scan_char(p, ':') || !scan_below(p, 16, UINT16_MAX, &port))
		return false;
	out->port = (uint16_t)port;
	return true;
}

/* "  0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 1603 ..." */
static bool read_inet(const char *p, int family, struct channel_socket *out)
{
	uint64_t ignored, state, sent, received, uid;

	scan_blanks(&p);
	if (!scan_number(&p, 10, &ignored) || !scan_char(&p, ':') || !read_address(&p, family, &out->local) ||
	    !read_address(&p, family, &out->remote) || !hex(&p, UINT8_MAX, &state) || !hex(&p, UINT32_MAX, &sent) ||
	    !scan_char(&p, ':') || !scan_below(&p, 16, UINT32_MAX, &received) || !hex(&p, UINT32_MAX, &ignored) ||
	    !scan_char(&p, ':') || !scan_below(&p, 16, UINT64_MAX, &ignored) || !hex(&p, UINT64_MAX, &ignored) ||
	    !decimal(&p, &uid) || !decimal(&p, &ignored) || !decimal(&p, &out->inode))
		return false;
	out->family = (uint8_t)family;
	out->state = (uint8_t)state;
	out->uid = ipckit_known((int64_t)(uid & UINT32_MAX));
	if (out->kind == IPCKIT_CHANNEL_TCP && state == TCP_LISTEN) {
		out->queue = ipckit_known((int64_t)received);
		return true;
	}
	out->bytes = ipckit_known((int64_t)received);
	out->unsent = ipckit_known((int64_t)sent);
	return true;
}

/* ---- lines ---- */

static bool is_heading(const char *line)
{
	scan_blanks(&line);
	return !strncmp(line, "Num ", 4) || !strncmp(line, "sl ", 3) || !*line;
}

int proc_net_parse(enum ipckit_channel_kind kind, int family, const char *line, struct channel_socket *out)
{
	struct channel_socket socket = { .kind = kind };
	bool read;
	int r;

	if (is_heading(line))
		return 0;
	read = kind == IPCKIT_CHANNEL_UNIX ? read_unix(line, &socket) : read_inet(line, family, &socket);
	if (!read)
		return -EBADMSG;
	if (!socket.inode)
		return 0;
	r = kind == IPCKIT_CHANNEL_UNIX ? keep_name(line, &socket) : 0;
	if (r)
		return r;
	*out = socket;
	return 1;
}

static int read_lines(char *text, enum ipckit_channel_kind kind, int family, channel_socket_visit visit, void *arg)
{
	struct channel_socket socket;
	char *line;
	int r = 0;

	while (r >= 0 && (line = strsep(&text, "\n"))) {
		r = proc_net_parse(kind, family, line, &socket);
		if (r == 1)
			r = visit(&socket, arg);
		else if (r == -EBADMSG)
			r = 0;
	}
	return r;
}

int proc_net_walk(int root, const char *dir, enum ipckit_channel_kind kind, int family, channel_socket_visit visit,
		  void *arg)
{
	static const char *const files[] = {
		[IPCKIT_CHANNEL_UNIX] = "unix", [IPCKIT_CHANNEL_TCP] = "tcp", [IPCKIT_CHANNEL_UDP] = "udp"
	};
	char path[64], *text;
	int r;

	snprintf(path, sizeof(path), "%s/net/%s%s", dir, files[kind], family == AF_INET6 ? "6" : "");
	r = proc_read(root, path, &text, NULL);
	if (r)
		return r;
	r = read_lines(text, kind, family, visit, arg);
	free(text);
	return r;
}
