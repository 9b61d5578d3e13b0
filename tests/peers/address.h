/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PEERS_ADDRESS_H
#define PEERS_ADDRESS_H

/* Addresses of peers: a port of the loopback interface, a path, or @NAME. */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline socklen_t address_of(int family, const char *where, struct sockaddr_storage *out)
{
	struct sockaddr_un *local = (void *)out;
	struct sockaddr_in *four = (void *)out;
	struct sockaddr_in6 *six = (void *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		four->sin_port = htons((uint16_t)atoi(where));
		return sizeof(*four);
	}
	if (family == AF_INET6) {
		six->sin6_addr = in6addr_loopback;
		six->sin6_port = htons((uint16_t)atoi(where));
		return sizeof(*six);
	}
	snprintf(local->sun_path, sizeof(local->sun_path), "%s", where);
	if (*where == '@')
		local->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(where) + (*where != '@'));
}

#endif
