/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_ENDPOINT_H
#define IPCKIT_ENDPOINT_H

/*
 * The one grammar of the ends that bytes come from and go to.
 *
 *   -                        standard input or output
 *   fd:N  fd:PID:N           a descriptor of this process, of another one
 *   PATH                     a file, a device or a FIFO, by its type
 *   fifo:PATH                a FIFO, made if there is none
 *   unix:PATH  unix:@NAME    a stream socket; @NAME is abstract (unix(7))
 *   unix-dgram:...  unix-seqpacket:...
 *   tcp:HOST:PORT  udp:HOST:PORT
 *   exec:COMMAND             the standard input and output of a command, by sh(1)
 *
 * unix-listen:, unix-dgram-listen:, unix-seqpacket-listen:, tcp-listen:[HOST:]PORT and udp-listen:[HOST:]PORT
 * wait for others. An IPv6 address as HOST stands in brackets: `tcp:[::1]:80`. PORT is a number from 0 (which
 * listens at one that is free; refused elsewhere) to 65535, or the name of a service.
 *
 * A word and a colon at the beginning is a kind, known or refused: a file of such a name is `./a:b`.
 */

#include <ipckit/base.h>

enum ipckit_endpoint_kind {
	IPCKIT_END_STANDARD,  /* nothing */
	IPCKIT_END_FD,        /* fd; pid, 0 for this process */
	IPCKIT_END_PATH,      /* text: PATH */
	IPCKIT_END_FIFO,      /* text: PATH */
	IPCKIT_END_UNIX,      /* text: PATH or NAME; abstract; listens */
	IPCKIT_END_DGRAM,     /* likewise */
	IPCKIT_END_SEQPACKET, /* likewise */
	IPCKIT_END_TCP,       /* host, NULL: the loopback addresses; port; listens */
	IPCKIT_END_UDP,       /* likewise */
	IPCKIT_END_EXEC,      /* text: COMMAND */
};

struct ipckit_endpoint {
	enum ipckit_endpoint_kind kind;
	bool listens;
	bool abstract;
	const char *written; /* as it was given */
	const char *text;    /* as said at the kind, the end of written; NULL where the kind has none */
	char *host;          /* without brackets; owned */
	const char *port;    /* the end of written */
	int fd;
	pid_t pid;
};

/* What a verb accepts: a set of kinds. */
#define IPCKIT_END(kind) (1u << (kind))
#define IPCKIT_ENDS_ALL (~0u)

/*
 * Reads an endpoint.
 *
 * text: has to last as long as out. takes: what is accepted here (IPCKIT_END()). why: on -EINVAL and -ENAMETOOLONG
 * gets the reason in words, printable ASCII, without the text itself, with the likely spelling where there is one;
 * may be NULL. out: owned by the caller, freed with ipckit_endpoint_free().
 *
 * Does no I/O. Returns 0; -EINVAL for what is no endpoint, or none that is accepted here; -ENAMETOOLONG for a
 * socket's path or name beyond the 107 bytes of unix(7), for a HOST beyond 255; -ENOMEM.
 */
IPCKIT_CHECK int ipckit_endpoint_parse(const char *text, unsigned takes, struct ipckit_why *why,
				       struct ipckit_endpoint *out);

/* Frees what ipckit_endpoint_parse() filled; safe on a zeroed struct. */
void ipckit_endpoint_free(struct ipckit_endpoint *endpoint);

/* Whether it is a socket, and one whose reads and writes are messages with boundaries. */
bool ipckit_endpoint_is_socket(const struct ipckit_endpoint *endpoint);
bool ipckit_endpoint_has_messages(const struct ipckit_endpoint *endpoint);

#endif
