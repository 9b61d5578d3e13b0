/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Endpoints: each input is read as every verb would. */

#include "fuzz.h"

#include <errno.h>

#include <ipckit/endpoint.h>

#define E(kind) IPCKIT_END(IPCKIT_END_##kind)
#define KINDS (IPCKIT_END_EXEC + 1)

static const unsigned profiles[] = {
	IPCKIT_ENDS_ALL,
	E(STANDARD) | E(FD) | E(PATH) | E(FIFO),
	E(UNIX) | E(SEQPACKET) | E(FD) | E(PATH),
	E(UNIX) | E(DGRAM) | E(SEQPACKET) | E(TCP) | E(UDP),
	E(EXEC),
	0,
};

/* How a kind of endpoint that follows a word begins. */
static const char *const words[KINDS][2] = {
	[IPCKIT_END_FIFO] = { "fifo:", NULL },
	[IPCKIT_END_UNIX] = { "unix:", "unix-listen:" },
	[IPCKIT_END_DGRAM] = { "unix-dgram:", "unix-dgram-listen:" },
	[IPCKIT_END_SEQPACKET] = { "unix-seqpacket:", "unix-seqpacket-listen:" },
	[IPCKIT_END_TCP] = { "tcp:", "tcp-listen:" },
	[IPCKIT_END_UDP] = { "udp:", "udp-listen:" },
	[IPCKIT_END_EXEC] = { "exec:", NULL },
};

/* The one spelling of it. */
static char *spell(const struct ipckit_endpoint *end)
{
	const char *word = words[end->kind][end->listens] ?: "";
	char *text = NULL;
	int n;

	switch (end->kind) {
	case IPCKIT_END_STANDARD:
		n = asprintf(&text, "-");
		break;
	case IPCKIT_END_FD:
		n = end->pid ? asprintf(&text, "fd:%d:%d", (int)end->pid, end->fd) : asprintf(&text, "fd:%d", end->fd);
		break;
	case IPCKIT_END_TCP:
	case IPCKIT_END_UDP:
		if (!end->host)
			n = asprintf(&text, "%s%s", word, end->port);
		else if (strchr(end->host, ':'))
			n = asprintf(&text, "%s[%s]:%s", word, end->host, end->port);
		else
			n = asprintf(&text, "%s%s:%s", word, end->host, end->port);
		break;
	default:
		n = asprintf(&text, "%s%s%s", word, end->abstract ? "@" : "", end->text);
	}
	if (n < 0)
		exit(1);
	return text;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct ipckit_endpoint *a, const struct ipckit_endpoint *b)
{
	return a->kind == b->kind && a->listens == b->listens && a->abstract == b->abstract && a->fd == b->fd &&
	       a->pid == b->pid && same_text(a->text, b->text) && same_text(a->host, b->host) &&
	       same_text(a->port, b->port);
}

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return b <= a && text + a - b == end;
}

static void check_fields(const struct ipckit_endpoint *end, const char *text, unsigned takes)
{
	unsigned kind = IPCKIT_END(end->kind);
	bool path = kind & (E(UNIX) | E(DGRAM) | E(SEQPACKET)), internet = kind & (E(TCP) | E(UDP));

	HOLDS(end->kind < KINDS && kind & takes);
	HOLDS(ipckit_endpoint_is_socket(end) == (path || internet));
	HOLDS(!ipckit_endpoint_has_messages(end) || ipckit_endpoint_is_socket(end));
	HOLDS(!end->listens || path || internet);
	HOLDS(!end->abstract || path);
	HOLDS(end->fd >= 0 && end->pid >= 0);
	HOLDS(!(kind & (E(STANDARD) | E(FD) | E(TCP) | E(UDP))) == !!end->text);
	HOLDS(!end->text || (*end->text && ends_with(text, end->text)));
	HOLDS(!path || strlen(end->text) <= 107);
	HOLDS(internet == !!end->port);
	HOLDS(!end->port || (*end->port && ends_with(text, end->port) && !strpbrk(end->port, ": []/")));
	HOLDS(!end->host || (internet && *end->host && strlen(end->host) <= 255 && !strpbrk(end->host, " []/")));
	HOLDS(!internet || end->host || end->listens);
	/* What names a file is no word and a colon. */
	HOLDS(end->kind != IPCKIT_END_PATH || end->text[strcspn(end->text, ":/")] != ':');
}

static void check_again(const struct ipckit_endpoint *end, unsigned takes)
{
	char *text = spell(end);
	struct ipckit_endpoint again;
	struct ipckit_why why;

	HOLDS(!ipckit_endpoint_parse(text, takes, &why, &again));
	HOLDS(same(end, &again));
	ipckit_endpoint_free(&again);
	free(text);
}

static void check_why(const struct ipckit_why *why)
{
	fuzz_check_why(why);
	/* Nothing is cut. */
	HOLDS(strlen(why->text) + 1 < sizeof(why->text));
}

static void check(const char *text, unsigned takes)
{
	struct ipckit_endpoint end, before;
	struct ipckit_why why;
	int r;

	memset(&end, 0x5a, sizeof(end));
	memset(&why, 0x5a, sizeof(why));
	before = end;
	r = ipckit_endpoint_parse(text, takes, &why, &end);
	HOLDS(r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
	if (r) {
		HOLDS(!memcmp(&end, &before, sizeof(end)));
		check_why(&why);
		return;
	}
	HOLDS(!strcmp(end.written, text));
	check_fields(&end, text, takes);
	check_again(&end, takes);
	ipckit_endpoint_free(&end);
	HOLDS(!end.written && !end.text && !end.host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		check(text, profiles[i]);
	free(text);
	return 0;
}
