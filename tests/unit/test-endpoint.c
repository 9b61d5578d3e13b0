/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "failing.h"

#include <limits.h>

#include <ipckit/endpoint.h>

#define E(kind) IPCKIT_END(IPCKIT_END_##kind)
#define ALL IPCKIT_ENDS_ALL
#define SOCKETS (E(UNIX) | E(DGRAM) | E(SEQPACKET) | E(TCP) | E(UDP))

static struct ipckit_why why;

/* Reads an endpoint into out; checks what holds of every reading. */
static int read_endpoint(const char *text, unsigned takes, struct ipckit_endpoint *out)
{
	struct ipckit_endpoint before;
	int r;

	memset(out, 0x5a, sizeof(*out));
	memset(&why, 0x5a, sizeof(why));
	before = *out;
	r = ipckit_endpoint_parse(text, takes, &why, out);
	CHECK_FOR(text, r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
	if (r) {
		CHECK_FOR(text, !memcmp(out, &before, sizeof(before)));
		CHECK_FOR(text, memchr(why.text, '\0', sizeof(why.text)) && *why.text);
		for (const char *p = why.text; *p; p++)
			CHECK_FOR(text, *p >= ' ' && *p <= '~');
		*out = (struct ipckit_endpoint){ 0 };
		return r;
	}
	CHECK_STR_FOR(text, out->written, text);
	return 0;
}

static void test_accepted(void)
{
	static const struct {
		const char *text;
		struct ipckit_endpoint want;
	} rows[] = {
		{ "-", { .kind = IPCKIT_END_STANDARD } },

		{ "fd:0", { .kind = IPCKIT_END_FD } },
		{ "fd:03", { .kind = IPCKIT_END_FD, .fd = 3 } },
		{ "fd:2147483647", { .kind = IPCKIT_END_FD, .fd = INT_MAX } },
		{ "fd:4711:12", { .kind = IPCKIT_END_FD, .pid = 4711, .fd = 12 } },

		{ "x", { .kind = IPCKIT_END_PATH, .text = "x" } },
		{ "/a/b:c", { .kind = IPCKIT_END_PATH, .text = "/a/b:c" } },
		{ "./tcp:x", { .kind = IPCKIT_END_PATH, .text = "./tcp:x" } },
		{ "--", { .kind = IPCKIT_END_PATH, .text = "--" } },
		{ "@x", { .kind = IPCKIT_END_PATH, .text = "@x" } },
		{ "a b\n", { .kind = IPCKIT_END_PATH, .text = "a b\n" } },
		{ "\xff", { .kind = IPCKIT_END_PATH, .text = "\xff" } },
		{ "a/b:c", { .kind = IPCKIT_END_PATH, .text = "a/b:c" } },

		{ "fifo:x", { .kind = IPCKIT_END_FIFO, .text = "x" } },
		{ "fifo:fifo:x", { .kind = IPCKIT_END_FIFO, .text = "fifo:x" } },

		{ "unix:x", { .kind = IPCKIT_END_UNIX, .text = "x" } },
		{ "unix:/a:b", { .kind = IPCKIT_END_UNIX, .text = "/a:b" } },
		{ "unix:@x", { .kind = IPCKIT_END_UNIX, .abstract = true, .text = "x" } },
		{ "unix:@@", { .kind = IPCKIT_END_UNIX, .abstract = true, .text = "@" } },
		{ "unix:./@x", { .kind = IPCKIT_END_UNIX, .text = "./@x" } },
		{ "unix-listen:x", { .kind = IPCKIT_END_UNIX, .listens = true, .text = "x" } },
		{ "unix-listen:@x", { .kind = IPCKIT_END_UNIX, .listens = true, .abstract = true, .text = "x" } },
		{ "unix-dgram:x", { .kind = IPCKIT_END_DGRAM, .text = "x" } },
		{ "unix-dgram-listen:x", { .kind = IPCKIT_END_DGRAM, .listens = true, .text = "x" } },
		{ "unix-seqpacket:@x", { .kind = IPCKIT_END_SEQPACKET, .abstract = true, .text = "x" } },
		{ "unix-seqpacket-listen:x", { .kind = IPCKIT_END_SEQPACKET, .listens = true, .text = "x" } },

		{ "tcp:h:1", { .kind = IPCKIT_END_TCP, .host = (char *)"h", .port = "1" } },
		{ "tcp:127.0.0.1:65535", { .kind = IPCKIT_END_TCP, .host = (char *)"127.0.0.1", .port = "65535" } },
		{ "tcp:example.org:http", { .kind = IPCKIT_END_TCP, .host = (char *)"example.org", .port = "http" } },
		{ "tcp:h:080", { .kind = IPCKIT_END_TCP, .host = (char *)"h", .port = "080" } },
		{ "tcp:h:iso-tsap", { .kind = IPCKIT_END_TCP, .host = (char *)"h", .port = "iso-tsap" } },
		{ "tcp:[::1]:80", { .kind = IPCKIT_END_TCP, .host = (char *)"::1", .port = "80" } },
		{ "tcp:[fe80::1%eth0]:80", { .kind = IPCKIT_END_TCP, .host = (char *)"fe80::1%eth0", .port = "80" } },
		{ "tcp:[::ffff:1.2.3.4]:80", { .kind = IPCKIT_END_TCP, .host = (char *)"::ffff:1.2.3.4", .port = "80" } },
		{ "tcp-listen:80", { .kind = IPCKIT_END_TCP, .listens = true, .port = "80" } },
		{ "tcp-listen:0", { .kind = IPCKIT_END_TCP, .listens = true, .port = "0" } },
		{ "tcp-listen:http", { .kind = IPCKIT_END_TCP, .listens = true, .port = "http" } },
		{ "tcp-listen:0.0.0.0:0", { .kind = IPCKIT_END_TCP, .listens = true, .host = (char *)"0.0.0.0", .port = "0" } },
		{ "tcp-listen:[::]:80", { .kind = IPCKIT_END_TCP, .listens = true, .host = (char *)"::", .port = "80" } },
		{ "udp:h:53", { .kind = IPCKIT_END_UDP, .host = (char *)"h", .port = "53" } },
		{ "udp-listen:53", { .kind = IPCKIT_END_UDP, .listens = true, .port = "53" } },
		{ "udp-listen:[::1]:0", { .kind = IPCKIT_END_UDP, .listens = true, .host = (char *)"::1", .port = "0" } },

		{ "exec:sort", { .kind = IPCKIT_END_EXEC, .text = "sort" } },
		{ "exec: a:b | c ", { .kind = IPCKIT_END_EXEC, .text = " a:b | c " } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ipckit_endpoint *want = &rows[i].want;
		const char *text = rows[i].text;
		struct ipckit_endpoint have;

		if (!CHECK_INT_FOR(text, read_endpoint(text, ALL, &have), 0)) {
			printf("#   %s\n", why.text);
			continue;
		}
		CHECK_INT_FOR(text, have.kind, want->kind);
		CHECK_INT_FOR(text, have.listens, want->listens);
		CHECK_INT_FOR(text, have.abstract, want->abstract);
		CHECK_STR_FOR(text, have.text, want->text);
		CHECK_STR_FOR(text, have.host, want->host);
		CHECK_STR_FOR(text, have.port, want->port);
		CHECK_INT_FOR(text, have.fd, want->fd);
		CHECK_INT_FOR(text, have.pid, want->pid);
		CHECK_INT_FOR(text, ipckit_endpoint_is_socket(&have), !!(IPCKIT_END(want->kind) & SOCKETS));
		CHECK_INT_FOR(text, ipckit_endpoint_has_messages(&have),
			      !!(IPCKIT_END(want->kind) & (E(DGRAM) | E(SEQPACKET) | E(UDP))));
		ipckit_endpoint_free(&have);
		CHECK_FOR(text, !have.written && !have.text && !have.host);
		/* Where its kind is not accepted it is refused, and where it alone is, taken. */
		CHECK_INT_FOR(text, read_endpoint(text, IPCKIT_END(want->kind), &have), 0);
		ipckit_endpoint_free(&have);
		CHECK_INT_FOR(text, read_endpoint(text, ~IPCKIT_END(want->kind), &have), -EINVAL);
		CHECK_FOR(text, strstr(why.text, "not accepted here"));
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		unsigned takes;
		const char *says; /* a part of the reason */
	} rows[] = {
		{ "", ALL, "empty" },
		{ ":", ALL, "unknown kind before the colon: write -, fd:N, PATH" },
		{ "word:x", ALL, "or exec:COMMAND; a file of this name is ./NAME" },
		{ "word:x", E(FD) | E(UNIX), "write fd:N or unix:PATH" },
		{ "word:x", E(FD) | E(UNIX) | E(TCP), "write fd:N, unix:PATH or tcp:HOST:PORT" },
		{ "word:x", 0, "write nothing" },

		/* what it is called elsewhere */
		{ "UNIX:x", ALL, "did you mean unix:x?" },
		{ "Tcp-Listen:80", ALL, "did you mean tcp-listen:80?" },
		{ "TCP4:h:80", ALL, "did you mean tcp:h:80?" },
		{ "UNIX-CONNECT:/x", ALL, "did you mean unix:/x?" },
		{ "ABSTRACT-CONNECT:x", ALL, "did you mean unix:@x?" },
		{ "SYSTEM:a | b", ALL, "did you mean exec:...?" },
		{ "file:/x", ALL, "did you mean /x?" },
		{ "file:x", ALL, "did you mean ./x?" },
		{ "stdio:", ALL, "did you mean -?" },
		{ "PIPE:x", ALL, "did you mean fifo:x?" },

		{ "fd:", ALL, "descriptor" },
		{ "fd:-1", ALL, "descriptor" },
		{ "fd:x", ALL, "descriptor" },
		{ "fd:0x1", ALL, "descriptor" },
		{ "fd:2147483648", ALL, "descriptor" },
		{ "fd:99999999999999999999999999999999", ALL, "descriptor" },
		{ "fd:0:3", ALL, "process" },
		{ "fd::3", ALL, "process" },
		{ "fd:1:", ALL, "descriptor" },
		{ "fd:1:2:3", ALL, "descriptor" },
		{ "fifo:", ALL, "path" },
		{ "exec:", ALL, "command" },
		{ "exec: \t", ALL, "command" },
		{ "unix:", ALL, "path or @NAME" },
		{ "unix:@", ALL, "path or @NAME" },
		{ "unix-dgram-listen:", ALL, "path or @NAME" },

		/* ports */
		{ "tcp:h:", ALL, "a port is a number" },
		{ "tcp:h:65536", ALL, "a port is a number" },
		{ "tcp:h:99999999999999999999999999", ALL, "a port is a number" },
		{ "tcp:h:-1", ALL, "a port is a number" },
		{ "tcp:h:+1", ALL, "a port is a number" },
		{ "tcp:h:8 0", ALL, "a port is a number" },
		{ "tcp:h:0", ALL, "port 0" },
		{ "udp:[::1]:00", ALL, "port 0" },
		{ "tcp-listen:", ALL, "a port is a number" },
		{ "tcp-listen:-1", ALL, "a port is a number" },
		{ "tcp-listen:example.org", ALL, "a port is a number" },

		/* hosts */
		{ "tcp:", ALL, "the host is missing: did you mean tcp:localhost:PORT?" },
		{ "tcp:80", ALL, "the host is missing: did you mean tcp:localhost:80?" },
		{ "tcp::80", ALL, "the host is missing: did you mean tcp:localhost:80?" },
		{ "tcp:example.org", ALL, "the port is missing: did you mean tcp:example.org:PORT?" },
		{ "tcp:a b", ALL, "the port is missing: did you mean tcp:HOST:PORT?" },
		{ "tcp-listen::80", ALL, "did you mean tcp-listen:0.0.0.0:80?" },
		{ "tcp-listen:*:80", ALL, "did you mean tcp-listen:0.0.0.0:80?" },
		{ "tcp:::1:80", ALL, "brackets: did you mean tcp:[::1]:80?" },
		{ "tcp:fe80::1:80", ALL, "brackets: did you mean tcp:[fe80::1]:80?" },
		{ "tcp://h:80", ALL, "no URL: did you mean tcp:h:80?" },
		{ "tcp:a:b:80", ALL, "HOST is a name or an address" },
		{ "tcp:a b:80", ALL, "HOST is a name or an address" },
		{ "tcp:\033:80", ALL, "HOST is a name or an address" },
		{ "tcp:-h:80", ALL, "HOST is a name or an address" },
		{ "tcp:[::1]", ALL, "brackets before the colon" },
		{ "tcp:[::1", ALL, "brackets before the colon" },
		{ "tcp:[::1]80", ALL, "brackets before the colon" },
		{ "tcp:[h]:80", ALL, "no IPv6 address" },
		{ "tcp:[1.2.3.4]:80", ALL, "no IPv6 address" },
		{ "tcp:[]:80", ALL, "no IPv6 address" },
		{ "tcp:[::1%]:80", ALL, "no IPv6 address" },
		{ "tcp:[::1%\n]:80", ALL, "no IPv6 address" },
		{ "tcp:[::1%a/b]:80", ALL, "no IPv6 address" },
		{ "tcp:[::1%[::1]:80", ALL, "no IPv6 address" },
		{ "tcp:[:::1]:80", ALL, "no IPv6 address" },
		{ "tcp:[::1]:", ALL, "a port is a number" },

		/* not accepted here: says what would be */
		{ "-", E(UNIX), "standard input or output, which is not accepted here: write unix:PATH" },
		{ "./x", E(FD), "a path alone, which is not accepted here: write fd:N" },
		{ "tcp:bad", E(UNIX), "a TCP socket, which is not accepted here" },
	};
	struct ipckit_endpoint out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = rows[i].text;

		if (!CHECK_INT_FOR(text, read_endpoint(text, rows[i].takes, &out), -EINVAL)) {
			ipckit_endpoint_free(&out);
			continue;
		}
		if (!CHECK_FOR(text, strstr(why.text, rows[i].says)))
			printf("#   want \"%s\" in \"%s\"\n", rows[i].says, why.text);
		CHECK_INT_FOR(text, ipckit_endpoint_parse(text, rows[i].takes, NULL, &out), -EINVAL);
	}
}

/* before, so many letters, and what follows them. */
static const char *long_text(const char *before, size_t length, const char *after)
{
	static char text[1024];
	size_t n = strlen(before);

	memcpy(text, before, n);
	memset(text + n, 'x', length);
	strcpy(text + n + length, after);
	return text;
}

static void test_length(void)
{
	static const struct {
		const char *before;
		size_t length;
		const char *after;
		int r;
	} rows[] = {
		{ "unix:", 107, "", 0 },           { "unix:", 108, "", -ENAMETOOLONG },
		{ "unix:@", 107, "", 0 },          { "unix:@", 108, "", -ENAMETOOLONG },
		{ "unix-listen:", 107, "", 0 },    { "unix-dgram:", 500, "", -ENAMETOOLONG },
		{ "tcp:", 255, ":80", 0 },         { "tcp:", 256, ":80", -ENAMETOOLONG },
		{ "tcp:[::1%", 60, "]:80", 0 },    { "tcp:[::1%", 300, "]:80", -ENAMETOOLONG },
		{ "tcp:h:", 64, "", 0 },           { "tcp:h:", 65, "", -EINVAL },
		{ "", 900, "", 0 },                { "exec:", 900, "", 0 },
		{ "", 900, ":", -EINVAL },         { "TCP:", 900, "", -EINVAL },
		{ "tcp:::1%", 64, ":80", -EINVAL }, { "tcp://", 64, ":80", -EINVAL },
	};
	struct ipckit_endpoint out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *text = long_text(rows[i].before, rows[i].length, rows[i].after);

		CHECK_INT_FOR(text, read_endpoint(text, ALL, &out), rows[i].r);
		/* No hint is cut. */
		if (rows[i].r)
			CHECK_FOR(text, strlen(why.text) + 1 < sizeof(why.text));
		ipckit_endpoint_free(&out);
	}
}

static int parse_and_free(void)
{
	struct ipckit_endpoint out;
	int r = ipckit_endpoint_parse("tcp:[::1]:80", ALL, NULL, &out);

	if (!r)
		ipckit_endpoint_free(&out);
	return r;
}

static int parse_name_and_free(void)
{
	struct ipckit_endpoint out;
	int r = ipckit_endpoint_parse("udp:localhost:80", ALL, NULL, &out);

	if (!r)
		ipckit_endpoint_free(&out);
	return r;
}

int main(void)
{
	struct ipckit_endpoint none = { 0 };

	test_accepted();
	test_refused();
	test_length();
	check_failing("an address", parse_and_free);
	check_failing("a name", parse_name_and_free);
	ipckit_endpoint_free(&none);
	return unit_done("endpoint");
}
