/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socket.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#define TRY_NS 1000000000

/* ---- in words ---- */

static void put_unix(const struct ipckit_address *address, char text[IPCKIT_ADDRESS_TEXT])
{
	const struct sockaddr_un *at = (const void *)&address->at;
	size_t length = address->length - offsetof(struct sockaddr_un, sun_path), i = 0, n = 0;

	if (at->sun_path[0])
		length = strnlen(at->sun_path, length);
	else
		text[n++] = '@', i++;
	for (; i < length; i++) {
		char c = at->sun_path[i];

		if (c > ' ' && c <= '~' && c != '\\')
			text[n++] = c;
		else
			n += (size_t)sprintf(text + n, "\\x%02x", (unsigned char)c);
	}
	text[n] = '\0';
}

static void put_ipv4(const struct sockaddr_in *at, char text[IPCKIT_ADDRESS_TEXT])
{
	char host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &at->sin_addr, host, sizeof(host));
	snprintf(text, IPCKIT_ADDRESS_TEXT, "%s:%u", host, ntohs(at->sin_port));
}

static void put_ipv6(const struct sockaddr_in6 *at, char text[IPCKIT_ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";

	inet_ntop(AF_INET6, &at->sin6_addr, host, sizeof(host));
	if (at->sin6_scope_id && if_indextoname(at->sin6_scope_id, zone + 1))
		zone[0] = '%';
	else if (at->sin6_scope_id)
		snprintf(zone, sizeof(zone), "%%%u", at->sin6_scope_id);
	snprintf(text, IPCKIT_ADDRESS_TEXT, "[%s%s]:%u", host, zone, ntohs(at->sin6_port));
}

void ipckit_address_text(const struct ipckit_address *address, char text[IPCKIT_ADDRESS_TEXT])
{
	*text = '\0';
	if (address->length < sizeof(sa_family_t))
		return;
	switch (address->at.ss_family) {
	case AF_UNIX:
		if (address->length > offsetof(struct sockaddr_un, sun_path))
			put_unix(address, text);
		break;
	case AF_INET:
		put_ipv4((const void *)&address->at, text);
		break;
	case AF_INET6:
		put_ipv6((const void *)&address->at, text);
		break;
	}
}

/* ---- of endpoints ---- */

void address_of_unix(const struct ipckit_endpoint *endpoint, struct ipckit_address *out)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t length = strlen(endpoint->text), room = offsetof(struct sockaddr_un, sun_path) + length + 1;

	/*
	 * As long as ipckit_endpoint_parse() lets it be; an abstract name has a NUL before it, a path one
	 * behind.
	 */
	memcpy(at.sun_path + endpoint->abstract, endpoint->text, length);
	*out = (struct ipckit_address){ .length = (socklen_t)room };
	memcpy(&out->at, &at, sizeof(at));
}

/* One run of getaddrinfo(3), which cannot be ended: whoever waits for it may go, and the last one clears up. */
struct lookup {
	int users;
	int done; /* eventfd */
	char *host, *port;
	struct addrinfo wanted;
	struct addrinfo *list;
	int r, error; /* what it returned, and errno */
};

static void leave(struct lookup *lookup)
{
	if (__atomic_sub_fetch(&lookup->users, 1, __ATOMIC_ACQ_REL))
		return;
	if (lookup->list)
		freeaddrinfo(lookup->list);
	if (lookup->done >= 0)
		close(lookup->done);
	free(lookup->host);
	free(lookup->port);
	free(lookup);
}

static void ask(struct lookup *lookup)
{
	lookup->r = getaddrinfo(lookup->host, lookup->port, &lookup->wanted, &lookup->list);
	lookup->error = errno;
	if (lookup->r)
		lookup->list = NULL;
}

static void *ask_aside(void *arg)
{
	struct lookup *lookup = arg;

	ask(lookup);
	(void)!eventfd_write(lookup->done, 1);
	leave(lookup);
	return NULL;
}

/* Signals are for the thread that waits. */
static int start(struct lookup *lookup, pthread_t *thread)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	lookup->users++;
	r = -pthread_create(thread, NULL, ask_aside, lookup);
	if (r)
		lookup->users--;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int await(struct lookup *lookup, const struct ipckit_deadline *deadline)
{
	struct ipckit_deadline part = *deadline;
	pthread_t thread;
	int r;

	if (deadline->kind == IPCKIT_DEADLINE_TRY) {
		ipckit_deadline_in(TRY_NS, &part);
		part.stop = deadline->stop;
	}
	if (start(lookup, &thread)) {
		ask(lookup);
		return 0;
	}
	r = socket_wait(lookup->done, POLLIN, &part);
	if (r)
		pthread_detach(thread);
	else
		pthread_join(thread, NULL);
	return r == -ETIMEDOUT && deadline->kind == IPCKIT_DEADLINE_TRY ? -EINPROGRESS : r;
}

/* What getaddrinfo(3) has said, as -errno and in words. */
static int judge(const struct lookup *lookup, struct ipckit_why *why)
{
	const char *words = gai_strerror(lookup->r);
	int r = -EHOSTUNREACH;

	switch (lookup->r) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return lookup->error ? -lookup->error : -EIO;
	case EAI_NONAME:
	case EAI_NODATA:
		words = "there is no host of this name";
		r = -ENOENT;
		break;
	case EAI_SERVICE:
		words = "there is no service of this name";
		r = -ENOENT;
		break;
	case EAI_AGAIN:
		words = "no name server could tell the address of this host";
		break;
	case EAI_ADDRFAMILY:
	case EAI_FAMILY:
		r = -EAFNOSUPPORT;
		break;
	}
	if (why)
		snprintf(why->text, sizeof(why->text), "%s", words);
	return r;
}

static int look_up(struct lookup *lookup, const struct ipckit_endpoint *endpoint,
		   const struct ipckit_deadline *deadline, struct ipckit_why *why)
{
	int r;

	lookup->wanted = (struct addrinfo){ .ai_socktype = socket_type(endpoint) };
	lookup->wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	lookup->host = strdup(endpoint->host ?: "127.0.0.1");
	lookup->port = strdup(endpoint->port);
	if (!lookup->host || !lookup->port)
		return -ENOMEM;
	/* Numbers need nobody's answer. */
	ask(lookup);
	if (lookup->r != EAI_NONAME)
		return judge(lookup, why);
	lookup->wanted.ai_flags = 0;
	lookup->done = eventfd(0, EFD_CLOEXEC);
	if (lookup->done < 0)
		return -errno;
	r = await(lookup, deadline);
	return r ? r : judge(lookup, why);
}

int address_look_up(const struct ipckit_endpoint *endpoint, const struct ipckit_deadline *deadline,
		    struct ipckit_why *why, struct addrinfo **out)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int r;

	if (!lookup)
		return -ENOMEM;
	lookup->users = 1;
	lookup->done = -1;
	r = look_up(lookup, endpoint, deadline, why);
	if (!r) {
		*out = lookup->list;
		lookup->list = NULL;
	}
	leave(lookup);
	return r;
}
