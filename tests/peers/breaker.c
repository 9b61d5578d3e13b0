/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP peer that breaks its connection (RST) in the middle:
 *
 *   breaker gives   sends 5000 bytes before that
 *   breaker takes   receives as many
 *
 * It prints the port at which it waits for one.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES 5000

int main(int argc, char **argv)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer;
	socklen_t size = sizeof(at);
	char data[BYTES] = "";

	if (argc != 2 || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &size))
		return 1;
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	peer = accept(listener, NULL, NULL);
	if (!strcmp(argv[1], "gives")) {
		if (send(peer, data, BYTES, 0) != BYTES)
			return 1;
		/* It is to be taken before: what was not is gone with the connection. */
		usleep(200000);
	} else if (recv(peer, data, BYTES, MSG_WAITALL) != BYTES) {
		return 1;
	}
	return setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) || close(peer);
}
