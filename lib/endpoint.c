/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "why.h"

#include <ipckit/endpoint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ipckit/parse.h>

#define HOST_MAX 255u  /* of the domain name system */
#define SOCKET_MAX 107u /* sun_path, less the NUL behind a path or before an abstract name */
#define SERVICE_MAX 64u
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* An endpoint that is being read: its text, what is accepted, where the reason goes (may be NULL). */
struct reading {
	const char *text;
	unsigned takes;
	struct ipckit_why *why;
};

static bool takes(const struct reading *in, enum ipckit_endpoint_kind kind)
{
	return in->takes & IPCKIT_END(kind);
}

static const struct {
	const char *spelling;
	const char *what;
} kinds[] = {
	[IPCKIT_END_STANDARD] = { "-", "standard input or output" },
	[IPCKIT_END_FD] = { "fd:N", "a descriptor" },
	[IPCKIT_END_PATH] = { "PATH", "a path alone" },
	[IPCKIT_END_FIFO] = { "fifo:PATH", "a FIFO" },
	[IPCKIT_END_UNIX] = { "unix:PATH", "a Unix socket" },
	[IPCKIT_END_DGRAM] = { "unix-dgram:PATH", "a Unix datagram socket" },
	[IPCKIT_END_SEQPACKET] = { "unix-seqpacket:PATH", "a Unix seqpacket socket" },
	[IPCKIT_END_TCP] = { "tcp:HOST:PORT", "a TCP socket" },
	[IPCKIT_END_UDP] = { "udp:HOST:PORT", "a UDP socket" },
	[IPCKIT_END_EXEC] = { "exec:COMMAND", "a command" },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- refusals ---- */

__attribute__((format(printf, 2, 3))) static int refuse(const struct reading *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)why_say(in->why, format, args);
	va_end(args);
	return -EINVAL;
}

/* "fd:N, PATH or exec:COMMAND" */
static void list_accepted(const struct reading *in, char *text, size_t size)
{
	const char *words[KINDS];
	size_t n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		if (takes(in, kind))
			words[n++] = kinds[kind].spelling;
	}
	why_join(words, n, text, size);
}

static int refuse_kind(const struct reading *in, enum ipckit_endpoint_kind kind)
{
	char accepted[160];

	list_accepted(in, accepted, sizeof(accepted));
	return refuse(in, "%s, which is not accepted here: write %s", kinds[kind].what, accepted);
}

static bool is_plain(const char *word, size_t length)
{
	return why_is_plain(word, length, 64);
}

static const char *plain_or(const char *word, const char *other)
{
	return is_plain(word, strlen(word)) ? word : other;
}

static int too_long(const struct reading *in, const char *what, unsigned most)
{
	refuse(in, "%s is longer than %u bytes", what, most);
	return -ENAMETOOLONG;
}

/* ---- what follows the colon ---- */

struct prefix {
	const char *word;
	enum ipckit_endpoint_kind kind;
	bool listens;
	int (*read)(const struct reading *in, const struct prefix *prefix, const char *rest,
		    struct ipckit_endpoint *out);
};

static int read_decimal(const char *text, size_t length, uint64_t max, uint64_t *out)
{
	char digits[24];

	if (!length || strspn(text, "0123456789") < length)
		return -EINVAL;
	/* 010 is ten. */
	for (; length > 1 && *text == '0'; length--)
		text++;
	if (length >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return ipckit_parse_count(digits, max, out);
}

static int read_fd(const struct reading *in, const struct prefix *prefix, const char *rest,
		   struct ipckit_endpoint *out)
{
	size_t length = strcspn(rest, ":");
	uint64_t pid = 0, fd;

	(void)prefix;
	if (rest[length]) {
		if (read_decimal(rest, length, INT_MAX, &pid) || !pid)
			return refuse(in, "the process in fd:PID:N is a number from 1 to %d", INT_MAX);
		rest += length + 1;
	}
	if (read_decimal(rest, strlen(rest), INT_MAX, &fd))
		return refuse(in, "a descriptor is a number from 0 to %d, as in fd:3 or fd:PID:3", INT_MAX);
	out->pid = (pid_t)pid;
	out->fd = (int)fd;
	return 0;
}

static int read_path(const struct reading *in, const struct prefix *prefix, const char *rest,
		     struct ipckit_endpoint *out)
{
	if (!*rest)
		return refuse(in, "%s is followed by a path, as in %s./x", prefix->word, prefix->word);
	out->text = rest;
	return 0;
}

static int read_command(const struct reading *in, const struct prefix *prefix, const char *rest,
			struct ipckit_endpoint *out)
{
	if (!rest[strspn(rest, " \t\n")])
		return refuse(in, "%s is followed by a command, as in %ssort", prefix->word, prefix->word);
	out->text = rest;
	return 0;
}

static int read_unix(const struct reading *in, const struct prefix *prefix, const char *rest,
		     struct ipckit_endpoint *out)
{
	out->abstract = *rest == '@';
	rest += out->abstract;
	if (!*rest)
		return refuse(in, "%s is followed by a path or @NAME, as in %s/run/x.sock", prefix->word,
			      prefix->word);
	if (strlen(rest) > SOCKET_MAX)
		return too_long(in, out->abstract ? "the name of the socket" : "the path of the socket",
				SOCKET_MAX);
	out->text = rest;
	return 0;
}

/* ---- HOST:PORT ---- */

static bool is_port(const char *text)
{
	uint64_t number;

	if (!text[strspn(text, "0123456789")])
		return !read_decimal(text, strlen(text), UINT16_MAX, &number);
	return !text[strspn(text, LETTERS "0123456789-_+")] && !strchr("-_+", *text) && strlen(text) <= SERVICE_MAX;
}

static int read_port(const struct reading *in, const struct prefix *prefix, const char *port,
		     struct ipckit_endpoint *out)
{
	if (!is_port(port))
		return refuse(in, "a port is a number from 0 to %d, or the name of a service, as in %s", UINT16_MAX,
			      prefix->listens ? "8080" : "localhost:http");
	if (!prefix->listens && !port[strspn(port, "0")])
		return refuse(in,
			      "port 0 is one that is free, where somebody listens; nobody can be reached there");
	out->port = port;
	return 0;
}

/* An address of IPv6, with or without %ZONE. */
static bool is_ipv6(const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	const char *zone = memchr(text, '%', length);
	size_t n = zone ? (size_t)(zone - text) : length;

	if (zone && (!is_plain(zone + 1, length - n - 1) || strcspn(zone + 1, "/:[]%") < length - n - 1))
		return false;
	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1;
}

static int read_bracketed(const struct reading *in, const struct prefix *prefix, const char *rest,
			  struct ipckit_endpoint *out)
{
	const char *host = rest + 1, *end = strchr(host, ']');

	if (!end || end[1] != ':')
		return refuse(in,
			      "an IPv6 address stands in brackets before the colon and the port, as in %s[::1]:80",
			      prefix->word);
	if ((size_t)(end - host) > HOST_MAX)
		return too_long(in, "the host", HOST_MAX);
	if (!is_ipv6(host, (size_t)(end - host)))
		return refuse(in, "what stands in brackets is no IPv6 address, as in %s[::1]:80", prefix->word);
	out->host = strndup(host, (size_t)(end - host));
	return out->host ? read_port(in, prefix, end + 2, out) : -ENOMEM;
}

static int refuse_colons(const struct reading *in, const struct prefix *prefix, const char *rest,
			 const char *colon)
{
	const char *url = strstr(rest, "//");

	if (url == rest && is_plain(rest + 2, strlen(rest + 2)) && strspn(rest + 2, "/") == 0)
		return refuse(in, "this is no URL: did you mean %s%.*s?", prefix->word, (int)strcspn(rest + 2, "/"),
			      rest + 2);
	if (is_ipv6(rest, (size_t)(colon - rest)) && is_plain(colon + 1, strlen(colon + 1)))
		return refuse(in, "an IPv6 address stands in brackets: did you mean %s[%.*s]:%s?", prefix->word,
			      (int)(colon - rest), rest, colon + 1);
	return refuse(in, "HOST is a name or an address, as in %slocalhost:80, or %s[::1]:80", prefix->word,
		      prefix->word);
}

/* A name, or an address of IPv4; which names there are is found out later. */
static bool is_host(const char *host, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)host[i] <= ' ' || host[i] == 127 || strchr("/:[]@%*", host[i]))
			return false;
	}
	return length && *host != '-';
}

static int refuse_no_host(const struct reading *in, const struct prefix *prefix, const char *port)
{
	port = is_port(port) ? port : "PORT";
	if (prefix->listens)
		return refuse(in, "an address to listen at is written, as 127.0.0.1, 0.0.0.0 (all of IPv4) or [::] "
			      "(all): did you mean %s0.0.0.0:%s?", prefix->word, port);
	return refuse(in, "the host is missing: did you mean %slocalhost:%s?", prefix->word, port);
}

static int refuse_no_colon(const struct reading *in, const struct prefix *prefix, const char *rest)
{
	if (!rest[strspn(rest, "0123456789")])
		return refuse_no_host(in, prefix, rest);
	return refuse(in, "the port is missing: did you mean %s%s:PORT?", prefix->word,
		      is_host(rest, strlen(rest)) ? plain_or(rest, "HOST") : "HOST");
}

static int read_internet(const struct reading *in, const struct prefix *prefix, const char *rest,
			 struct ipckit_endpoint *out)
{
	const char *colon = strrchr(rest, ':');
	size_t length = colon ? (size_t)(colon - rest) : 0;

	if (*rest == '[')
		return read_bracketed(in, prefix, rest, out);
	if (!colon)
		return prefix->listens ? read_port(in, prefix, rest, out) : refuse_no_colon(in, prefix, rest);
	if (!length || (length == 1 && *rest == '*'))
		return refuse_no_host(in, prefix, colon + 1);
	if (length > HOST_MAX)
		return too_long(in, "the host", HOST_MAX);
	if (!is_host(rest, length))
		return refuse_colons(in, prefix, rest, colon);
	out->host = strndup(rest, length);
	return out->host ? read_port(in, prefix, colon + 1, out) : -ENOMEM;
}

/* ---- kinds ---- */

static const struct prefix prefixes[] = {
	{ "fd:", IPCKIT_END_FD, false, read_fd },
	{ "fifo:", IPCKIT_END_FIFO, false, read_path },
	{ "unix:", IPCKIT_END_UNIX, false, read_unix },
	{ "unix-listen:", IPCKIT_END_UNIX, true, read_unix },
	{ "unix-dgram:", IPCKIT_END_DGRAM, false, read_unix },
	{ "unix-dgram-listen:", IPCKIT_END_DGRAM, true, read_unix },
	{ "unix-seqpacket:", IPCKIT_END_SEQPACKET, false, read_unix },
	{ "unix-seqpacket-listen:", IPCKIT_END_SEQPACKET, true, read_unix },
	{ "tcp:", IPCKIT_END_TCP, false, read_internet },
	{ "tcp-listen:", IPCKIT_END_TCP, true, read_internet },
	{ "udp:", IPCKIT_END_UDP, false, read_internet },
	{ "udp-listen:", IPCKIT_END_UDP, true, read_internet },
	{ "exec:", IPCKIT_END_EXEC, false, read_command },
};

#define PREFIXES (sizeof(prefixes) / sizeof(*prefixes))

/* Words of other programs, mostly socat(1), that mean one of these; in place of a prefix. */
static const struct {
	const char *word, *meant;
} others[] = {
	{ "unix-connect:", "unix:" },          { "unix-client:", "unix:" },
	{ "unix-stream:", "unix:" },           { "unix-stream-listen:", "unix-listen:" },
	{ "unix-sendto:", "unix-dgram:" },     { "unix-recv:", "unix-dgram-listen:" },
	{ "unix-recvfrom:", "unix-dgram-listen:" }, { "abstract:", "unix:@" },
	{ "abstract-connect:", "unix:@" },     { "abstract-listen:", "unix-listen:@" },
	{ "seqpacket:", "unix-seqpacket:" },   { "dgram:", "unix-dgram:" },
	{ "tcp4:", "tcp:" },                   { "tcp6:", "tcp:" },
	{ "tcp-connect:", "tcp:" },            { "tcp4-listen:", "tcp-listen:" },
	{ "tcp6-listen:", "tcp-listen:" },     { "udp4:", "udp:" },
	{ "udp6:", "udp:" },                   { "udp-sendto:", "udp:" },
	{ "udp-connect:", "udp:" },            { "udp-recv:", "udp-listen:" },
	{ "udp-recvfrom:", "udp-listen:" },    { "pipe:", "fifo:" },
	{ "system:", "exec:" },                { "shell:", "exec:" },
	{ "file:", "./" },                     { "open:", "./" },
	{ "gopen:", "./" },                    { "create:", "./" },
	{ "stdio:", "-" },                     { "stdin:", "-" },
	{ "stdout:", "-" },
};

static const char *meant_by(const char *word, size_t length)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		if (strlen(prefixes[i].word) == length && !strncasecmp(prefixes[i].word, word, length))
			return prefixes[i].word;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strlen(others[i].word) == length && !strncasecmp(others[i].word, word, length))
			return others[i].meant;
	}
	return NULL;
}

static int refuse_prefix(const struct reading *in, size_t length)
{
	const char *meant = meant_by(in->text, length), *rest = in->text + length;
	char accepted[160];

	/* file:/x is /x. */
	if (meant && *meant == '.' && *rest == '/')
		meant = "";
	if (meant && *meant == '-')
		rest = "";
	else
		rest = plain_or(rest, "...");
	if (meant)
		return refuse(in, "unknown kind before the colon: did you mean %s%s?", meant, rest);
	list_accepted(in, accepted, sizeof(accepted));
	return refuse(in, "unknown kind before the colon: write %s%s", accepted,
		      takes(in, IPCKIT_END_PATH) ? "; a file of this name is ./NAME" : "");
}

static int read_prefixed(const struct reading *in, size_t length, struct ipckit_endpoint *out)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		if (strlen(prefixes[i].word) != length || memcmp(in->text, prefixes[i].word, length))
			continue;
		if (!takes(in, prefixes[i].kind))
			return refuse_kind(in, prefixes[i].kind);
		out->kind = prefixes[i].kind;
		out->listens = prefixes[i].listens;
		return prefixes[i].read(in, &prefixes[i], in->text + length, out);
	}
	return refuse_prefix(in, length);
}

static int read_endpoint(const struct reading *in, struct ipckit_endpoint *out)
{
	size_t word = strcspn(in->text, ":/");

	if (!*in->text)
		return refuse(in, "the text is empty");
	if (in->text[word] == ':')
		return read_prefixed(in, word + 1, out);
	out->kind = strcmp(in->text, "-") ? IPCKIT_END_PATH : IPCKIT_END_STANDARD;
	if (!takes(in, out->kind))
		return refuse_kind(in, out->kind);
	if (out->kind == IPCKIT_END_PATH)
		out->text = in->text;
	return 0;
}

int ipckit_endpoint_parse(const char *text, unsigned takes, struct ipckit_why *why, struct ipckit_endpoint *out)
{
	const struct reading in = { .text = text, .takes = takes, .why = why };
	struct ipckit_endpoint endpoint = { .written = text };
	int r = read_endpoint(&in, &endpoint);

	if (r)
		ipckit_endpoint_free(&endpoint);
	else
		*out = endpoint;
	return r;
}

void ipckit_endpoint_free(struct ipckit_endpoint *endpoint)
{
	free(endpoint->host);
	*endpoint = (struct ipckit_endpoint){ 0 };
}

bool ipckit_endpoint_is_socket(const struct ipckit_endpoint *endpoint)
{
	switch (endpoint->kind) {
	case IPCKIT_END_UNIX:
	case IPCKIT_END_DGRAM:
	case IPCKIT_END_SEQPACKET:
	case IPCKIT_END_TCP:
	case IPCKIT_END_UDP:
		return true;
	default:
		return false;
	}
}

bool ipckit_endpoint_has_messages(const struct ipckit_endpoint *endpoint)
{
	return endpoint->kind == IPCKIT_END_DGRAM || endpoint->kind == IPCKIT_END_SEQPACKET ||
	       endpoint->kind == IPCKIT_END_UDP;
}
