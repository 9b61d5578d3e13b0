/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_NAME_H
#define IPCKIT_NAME_H

/*
 * The one grammar of object names, for every tool and every kind of object.
 *
 *   /NAME              a POSIX object
 *   key:KEY            System V, by key (decimal without leading zeros, or 0x hex; not 0)
 *   id:ID              System V, by identifier
 *   ftok:PATH[,PROJ]   System V, by ftok(3); PROJ 1 to 255, 1 where left out
 *   private            System V, a new object with IPC_PRIVATE (create only)
 *   ...#N              after key:, id: or ftok: semaphore N of a set
 *   fd:N  fd:PID:N     a descriptor of this process, of another one
 *   file:PATH          a lock file
 *   PATH@OFFSET        a place in a file (PATH holds a slash)
 *   /NAME@OFFSET       a place in POSIX shared memory
 *   ...@OFFSET         after key:, id: or ftok: a place in a System V segment
 *   PATH               a FIFO, or a Unix socket
 *   PID:N              fd:PID:N, where a PATH is taken, too
 *   pipe:INODE  socket:INODE   a pipe, a socket that is in use (the links in /proc/PID/fd)
 *
 * Where a PATH is taken any word is one that has no colon before its first slash: `a:b` is written `./a:b`.
 *
 * `@` followed by a number (decimal, 0x or 0 octal) at the end makes a place;
 * any other `@` belongs to the name, as that of `ftok:/x@8,1`. Of `/x@8` x is
 * POSIX shared memory, of `/a/x@8` and `./x@8` a file. #N and @OFFSET exclude
 * each other.
 */

#include <ipckit/base.h>

enum ipckit_name_kind {
	IPCKIT_NAME_POSIX,   /* text: "/NAME" */
	IPCKIT_NAME_KEY,     /* key */
	IPCKIT_NAME_ID,      /* id */
	IPCKIT_NAME_FTOK,    /* text: PATH; project */
	IPCKIT_NAME_PRIVATE, /* nothing */
	IPCKIT_NAME_FD,      /* fd; pid, 0 for this process */
	IPCKIT_NAME_FILE,    /* text: PATH */
	IPCKIT_NAME_PLACE,   /* text: PATH; offset */
	IPCKIT_NAME_SHM,     /* text: "/NAME"; offset */
	IPCKIT_NAME_PATH,    /* text: PATH */
	IPCKIT_NAME_PIPE,    /* inode */
	IPCKIT_NAME_SOCKET,  /* inode */
};

/* What a verb accepts: a set of kinds, and what goes with them. */
#define IPCKIT_TAKES(kind) (1u << (kind))
#define IPCKIT_TAKES_INDEX (1u << 16)     /* #N after a System V name */
#define IPCKIT_TAKES_BARE_PLACE (1u << 17) /* a PATH with a slash or a /NAME (where POSIX is not taken),
					    * without @OFFSET, is a place at 0 */
#define IPCKIT_TAKES_SEM_LENGTH (1u << 18) /* POSIX names: 251 bytes, not 255 */
#define IPCKIT_TAKES_OFFSET (1u << 19) /* @OFFSET after a System V name; 0 where left out */
#define IPCKIT_TAKES_SYSV                                                                    \
	(IPCKIT_TAKES(IPCKIT_NAME_KEY) | IPCKIT_TAKES(IPCKIT_NAME_ID) | IPCKIT_TAKES(IPCKIT_NAME_FTOK))

struct ipckit_name {
	enum ipckit_name_kind kind;
	const char *written; /* the name as it was given */
	const char *text;    /* as said at the kind; NULL where the kind has none */
	char *copy;          /* holds text where that is not the end of written */
	key_t key;
	int id;
	int project;
	int fd;
	pid_t pid;
	uint64_t offset; /* of a place, also in a System V segment */
	uint64_t inode;
	bool has_index;
	unsigned index; /* 0 where left out */
};

/*
 * Reads an object name.
 *
 * text: the name; takes: what is accepted here (IPCKIT_TAKES...).
 * why: on -EINVAL and -ENAMETOOLONG gets the reason in words, printable ASCII,
 * without the name itself, with the likely spelling where there is one ("did you
 * mean /jobs or key:...?"); may be NULL.
 * out: owned by the caller, freed with ipckit_name_free(); it points into text, which
 * has to last as long.
 *
 * Does no I/O: that an ftok: path exists is found out when it is opened.
 * Returns 0; -EINVAL for what is no name, or not one that is accepted here;
 * -ENAMETOOLONG; -ENOMEM.
 */
IPCKIT_CHECK int ipckit_name_parse(const char *text, unsigned takes, struct ipckit_why *why,
				   struct ipckit_name *out);

/* Frees what ipckit_name_parse() filled; safe on a zeroed struct. */
void ipckit_name_free(struct ipckit_name *name);

/*
 * The System V key of a KEY, FTOK or PRIVATE name.
 *
 * Returns 0; -EINVAL for another kind or where ftok() gives 0; what stat(2)
 * says of an ftok: path. Rests on ftok(3).
 */
IPCKIT_CHECK int ipckit_name_key(const struct ipckit_name *name, key_t *out);

#endif
