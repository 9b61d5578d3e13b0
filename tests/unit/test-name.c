/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ipckit/name.h>
#include <ipckit/sem.h>
#include <ipckit/word.h>

#define T(kind) IPCKIT_TAKES(IPCKIT_NAME_##kind)
#define SEM IPCKIT_SEM_NAMES
#define SEM_CREATE (SEM | T(PRIVATE))
#define SEM_EXEC (SEM | T(FILE))
#define QUEUE (T(POSIX) | IPCKIT_TAKES_SYSV)
#define FUTEX (T(PLACE) | T(SHM) | IPCKIT_TAKES_BARE_PLACE)
#define WORD IPCKIT_WORD_NAMES_ALL
#define ALL (((T(SHM) << 1) - 1) | IPCKIT_TAKES_INDEX)
#define CHANNEL (T(PATH) | T(FD) | T(PIPE) | T(SOCKET))

static struct ipckit_why why;

/* Reads a name into out; checks what holds of every reading. */
static int read_name(const char *text, unsigned takes, struct ipckit_name *out)
{
	struct ipckit_name before;
	int r;

	memset(out, 0x5a, sizeof(*out));
	memset(&why, 0x5a, sizeof(why));
	before = *out;
	r = ipckit_name_parse(text, takes, &why, out);
	CHECK_FOR(text, r == 0 || r == -EINVAL || r == -ENAMETOOLONG);
	if (r) {
		CHECK_FOR(text, !memcmp(out, &before, sizeof(before)));
		CHECK_FOR(text, memchr(why.text, '\0', sizeof(why.text)) && *why.text);
		*out = (struct ipckit_name){ 0 };
		return r;
	}
	CHECK_STR_FOR(text, out->written, text);
	return 0;
}

static void test_accepted(void)
{
	static const struct {
		const char *text;
		unsigned takes;
		struct ipckit_name want;
	} rows[] = {
		{ "/jobs", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/jobs" } },
		{ "/a b", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/a b" } },
		{ "/a\nb\t", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/a\nb\t" } },
		{ "/\xff\xfe", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/\xff\xfe" } },
		{ "/...", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/..." } },
		{ "/.x", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/.x" } },
		{ "/key:5", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/key:5" } },
		{ "/private", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/private" } },
		/* neither # nor @ means anything there by itself */
		{ "/x#1", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x#1" } },
		{ "/x@", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@" } },
		{ "/x@y", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@y" } },
		{ "/x@-1", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@-1" } },
		{ "/x@08", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@08" } },
		{ "/x@8z", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@8z" } },
		{ "/x@0x", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@0x" } },
		{ "/x@8@", SEM, { .kind = IPCKIT_NAME_POSIX, .text = "/x@8@" } },

		{ "key:1", SEM, { .kind = IPCKIT_NAME_KEY, .key = 1 } },
		{ "key:4660", SEM, { .kind = IPCKIT_NAME_KEY, .key = 0x1234 } },
		{ "key:0x1234", SEM, { .kind = IPCKIT_NAME_KEY, .key = 0x1234 } },
		{ "key:0x00001234", SEM, { .kind = IPCKIT_NAME_KEY, .key = 0x1234 } },
		{ "key:0XAB", SEM, { .kind = IPCKIT_NAME_KEY, .key = 0xab } },
		{ "key:0xffffffff", SEM, { .kind = IPCKIT_NAME_KEY, .key = -1 } },
		{ "key:4294967295", SEM, { .kind = IPCKIT_NAME_KEY, .key = -1 } },
		{ "key:0x80000000#3", SEM,
		  { .kind = IPCKIT_NAME_KEY, .key = INT_MIN, .has_index = true, .index = 3 } },
		{ "key:5#0", SEM, { .kind = IPCKIT_NAME_KEY, .key = 5, .has_index = true } },
		{ "key:5#0x10", SEM,
		  { .kind = IPCKIT_NAME_KEY, .key = 5, .has_index = true, .index = 16 } },
		{ "key:5", QUEUE, { .kind = IPCKIT_NAME_KEY, .key = 5 } },

		{ "id:0", SEM, { .kind = IPCKIT_NAME_ID, .id = 0 } },
		{ "id:42", SEM, { .kind = IPCKIT_NAME_ID, .id = 42 } },
		{ "id:010", SEM, { .kind = IPCKIT_NAME_ID, .id = 10 } },
		{ "id:2147483647#7", SEM,
		  { .kind = IPCKIT_NAME_ID, .id = INT_MAX, .has_index = true, .index = 7 } },

		{ "ftok:/etc", SEM, { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 1 } },
		{ "ftok:x", SEM, { .kind = IPCKIT_NAME_FTOK, .text = "x", .project = 1 } },
		{ "ftok:/etc,255", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 255 } },
		{ "ftok:/etc,0x41", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 65 } },
		{ "ftok:/etc#2", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 1,
		    .has_index = true, .index = 2 } },
		{ "ftok:/etc,9#2", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 9,
		    .has_index = true, .index = 2 } },
		{ "ftok:/a,b#c", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a,b#c", .project = 1 } },
		{ "ftok:/a#1,7", SEM, { .kind = IPCKIT_NAME_FTOK, .text = "/a#1", .project = 7 } },
		{ "ftok:/a,1,7", SEM, { .kind = IPCKIT_NAME_FTOK, .text = "/a,1", .project = 7 } },
		{ "ftok:/a#1#0", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a#1", .project = 1, .has_index = true } },
		{ "ftok:/a:b@8", SEM,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a:b@8", .project = 1 } },
		{ "ftok:/a#1,x", QUEUE,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a#1,x", .project = 1 } },

		{ "private", SEM_CREATE, { .kind = IPCKIT_NAME_PRIVATE } },

		{ "fd:0", SEM, { .kind = IPCKIT_NAME_FD, .fd = 0 } },
		{ "fd:3", SEM, { .kind = IPCKIT_NAME_FD, .fd = 3 } },
		{ "fd:03", SEM, { .kind = IPCKIT_NAME_FD, .fd = 3 } },
		{ "fd:1:0", SEM, { .kind = IPCKIT_NAME_FD, .pid = 1, .fd = 0 } },
		{ "fd:4711:12", SEM, { .kind = IPCKIT_NAME_FD, .pid = 4711, .fd = 12 } },
		{ "fd:2147483647", SEM, { .kind = IPCKIT_NAME_FD, .fd = INT_MAX } },

		{ "file:lock", SEM_EXEC, { .kind = IPCKIT_NAME_FILE, .text = "lock" } },
		{ "file:/tmp/a#1@8", SEM_EXEC, { .kind = IPCKIT_NAME_FILE, .text = "/tmp/a#1@8" } },
		{ "file:file:x", SEM_EXEC, { .kind = IPCKIT_NAME_FILE, .text = "file:x" } },

		{ "./x@8", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "./x", .offset = 8 } },
		{ "/a/x@8", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "/a/x", .offset = 8 } },
		{ "/a/x@0x40", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "/a/x", .offset = 64 } },
		{ "/a/x@010", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "/a/x", .offset = 8 } },
		{ "a/b:c@8", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "a/b:c", .offset = 8 } },
		{ "./x@8@16", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "./x@8", .offset = 16 } },
		{ "./x#1@0", SEM, { .kind = IPCKIT_NAME_PLACE, .text = "./x#1" } },
		{ "./x@9223372036854775807", SEM,
		  { .kind = IPCKIT_NAME_PLACE, .text = "./x", .offset = INT64_MAX } },
		{ "./x", FUTEX, { .kind = IPCKIT_NAME_PLACE, .text = "./x" } },
		{ "./x@y", FUTEX, { .kind = IPCKIT_NAME_PLACE, .text = "./x@y" } },
		{ "/a/x", FUTEX, { .kind = IPCKIT_NAME_PLACE, .text = "/a/x" } },

		{ "/x@8", SEM, { .kind = IPCKIT_NAME_SHM, .text = "/x", .offset = 8 } },
		{ "/x@0", FUTEX, { .kind = IPCKIT_NAME_SHM, .text = "/x" } },
		{ "/x@8", QUEUE, { .kind = IPCKIT_NAME_POSIX, .text = "/x@8" } },
		{ "/x@8@16", FUTEX, { .kind = IPCKIT_NAME_SHM, .text = "/x@8", .offset = 16 } },
		{ "/x", FUTEX, { .kind = IPCKIT_NAME_SHM, .text = "/x" } },
		{ "/x", FUTEX | T(POSIX), { .kind = IPCKIT_NAME_POSIX, .text = "/x" } },

		{ "key:0x1234@8", WORD, { .kind = IPCKIT_NAME_KEY, .key = 0x1234, .offset = 8 } },
		{ "key:7@0x40", WORD, { .kind = IPCKIT_NAME_KEY, .key = 7, .offset = 64 } },
		{ "key:7", WORD, { .kind = IPCKIT_NAME_KEY, .key = 7 } },
		{ "id:5@0", WORD, { .kind = IPCKIT_NAME_ID, .id = 5 } },
		{ "id:5@010", WORD, { .kind = IPCKIT_NAME_ID, .id = 5, .offset = 8 } },
		{ "id:5@9223372036854775807", WORD, { .kind = IPCKIT_NAME_ID, .id = 5, .offset = INT64_MAX } },
		{ "ftok:/etc,2@8", WORD,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 2, .offset = 8 } },
		{ "ftok:/etc@8", WORD,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 1, .offset = 8 } },
		{ "ftok:/etc", WORD, { .kind = IPCKIT_NAME_FTOK, .text = "/etc", .project = 1 } },
		/* the others belong to the path */
		{ "ftok:/a@8@16", WORD,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a@8", .project = 1, .offset = 16 } },
		{ "ftok:/a@8,1", WORD, { .kind = IPCKIT_NAME_FTOK, .text = "/a@8", .project = 1 } },
		{ "ftok:/a@8,3@4", WORD,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a@8", .project = 3, .offset = 4 } },
		{ "ftok:/a@b", WORD, { .kind = IPCKIT_NAME_FTOK, .text = "/a@b", .project = 1 } },
		{ "ftok:/a@", WORD, { .kind = IPCKIT_NAME_FTOK, .text = "/a@", .project = 1 } },
		{ "ftok:/a#1,2@8", WORD,
		  { .kind = IPCKIT_NAME_FTOK, .text = "/a#1", .project = 2, .offset = 8 } },
		{ "id:5#1", WORD | IPCKIT_TAKES_INDEX,
		  { .kind = IPCKIT_NAME_ID, .id = 5, .has_index = true, .index = 1 } },
		{ "/proc/1/fd/3", WORD, { .kind = IPCKIT_NAME_PLACE, .text = "/proc/1/fd/3" } },
		{ "/proc/1/fd/3@8", WORD, { .kind = IPCKIT_NAME_PLACE, .text = "/proc/1/fd/3", .offset = 8 } },

		/* of paths nothing is special but a colon before the first slash */
		{ "/run/in", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "/run/in" } },
		{ "/x", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "/x" } },
		{ "in", T(PATH), { .kind = IPCKIT_NAME_PATH, .text = "in" } },
		{ "private", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "private" } },
		{ "./a:b#1@8", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "./a:b#1@8" } },
		{ "7", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "7" } },
		{ ".", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "." } },
		{ "a\n\xff", CHANNEL, { .kind = IPCKIT_NAME_PATH, .text = "a\n\xff" } },
		{ "4711:3", CHANNEL, { .kind = IPCKIT_NAME_FD, .pid = 4711, .fd = 3 } },
		{ "fd:4711:3", CHANNEL, { .kind = IPCKIT_NAME_FD, .pid = 4711, .fd = 3 } },
		{ "fd:3", CHANNEL, { .kind = IPCKIT_NAME_FD, .fd = 3 } },
		{ "pipe:4711", CHANNEL, { .kind = IPCKIT_NAME_PIPE, .inode = 4711 } },
		{ "pipe:[4711]", CHANNEL, { .kind = IPCKIT_NAME_PIPE, .inode = 4711 } },
		{ "socket:18446744073709551615", CHANNEL, { .kind = IPCKIT_NAME_SOCKET, .inode = UINT64_MAX } },
		{ "socket:[1]", CHANNEL, { .kind = IPCKIT_NAME_SOCKET, .inode = 1 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ipckit_name *want = &rows[i].want;
		const char *text = rows[i].text;
		struct ipckit_name have;

		if (!CHECK_INT_FOR(text, read_name(text, rows[i].takes, &have), 0)) {
			printf("#   %s\n", why.text);
			continue;
		}
		CHECK_INT_FOR(text, have.kind, want->kind);
		CHECK_STR_FOR(text, have.text, want->text);
		CHECK_INT_FOR(text, have.key, want->key);
		CHECK_INT_FOR(text, have.id, want->id);
		CHECK_INT_FOR(text, have.project, want->project);
		CHECK_INT_FOR(text, have.fd, want->fd);
		CHECK_INT_FOR(text, have.pid, want->pid);
		CHECK_INT_FOR(text, have.offset, want->offset);
		CHECK_FOR(text, have.inode == want->inode);
		CHECK_INT_FOR(text, have.has_index, want->has_index);
		CHECK_INT_FOR(text, have.index, want->index);
		ipckit_name_free(&have);
		CHECK_FOR(text, !have.written && !have.text);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		unsigned takes;
		const char *says; /* a part of the reason */
	} rows[] = {
		{ "", SEM, "empty" },
		{ "/", SEM, "nothing follows" },
		{ "/.", SEM, "directories" },
		{ "/..", SEM, "directories" },
		{ "/@8", SEM, "nothing follows" },
		{ "/.@8", SEM, "directories" },
		{ "@8", SEM, "" },
		{ "@", SEM, "" },
		{ "#1", SEM, "" },

		/* slashes */
		{ "/a/b", SEM, "one slash" },
		{ "/a/b", SEM, "/a/b@0" },
		{ "/a/b", SEM_EXEC, "file:/a/b" },
		{ "/a/b", QUEUE, "one slash" },
		{ "//x", SEM, "did you mean /x" },
		{ "/x/", SEM, "one slash" },
		{ "//", SEM, "one slash" },
		{ "/dev/shm/sem.jobs", SEM, "did you mean /jobs" },
		{ "/dev/shm/buffer", T(POSIX), "did you mean /buffer?" },
		{ "/dev/mqueue/in", QUEUE, "did you mean /in?" },
		{ "./x", SEM, "did you mean ./x@0?" },
		{ "./x", QUEUE, "write /NAME, key:KEY, id:ID or ftok:PATH[,PROJ]" },
		{ "./x@8", FUTEX & ~T(PLACE), "a place in a file" },

		/* bare words */
		{ "jobs", SEM, "did you mean /jobs or key:...?" },
		{ "jobs", SEM_EXEC, "/jobs, key:... or file:jobs?" },
		{ "jobs", FUTEX & ~IPCKIT_TAKES_BARE_PLACE, "did you mean /jobs@0?" },
		{ "jobs", FUTEX, "did you mean /jobs or ./jobs?" },
		{ "jobs", WORD, "did you mean key:..., /jobs or ./jobs?" },
		{ "jobs", T(FILE), "did you mean file:jobs?" },
		{ "jobs", T(ID), "write id:ID" },
		{ "jobs", 0, "write nothing" },
		{ "jobs@8", SEM, "did you mean /jobs@8 or ./jobs@8?" },
		{ "a\nb", SEM, "did you mean /NAME or key:...?" },
		{ "\xff", SEM, "did you mean /NAME or key:...?" },
		{ "7", SEM, "did you mean key:7, id:7 or fd:7?" },
		{ "0x1234", QUEUE, "key:0x1234 or id:0x1234" },
		{ "-1", SEM, "" },
		{ ".", SEM, "" },
		{ "private#0", SEM_CREATE, "" },
		{ "Private", SEM_CREATE, "" },

		/* prefixes */
		{ "keys:5", SEM, "did you mean key:5?" },
		{ "ky:5", SEM, "did you mean key:5?" },
		{ "KEY:5", SEM, "did you mean key:5?" },
		{ "idd:5", SEM, "did you mean id:5?" },
		{ "jd:5", SEM, "did you mean id:5 or fd:5?" },
		{ "FTOK:a b", SEM, "did you mean ftok:...?" },
		{ "private:", SEM_CREATE, "did you mean private?" },
		{ "posix:/jobs", SEM, "did you mean /jobs?" },
		{ "word:x", SEM, "unknown prefix" },
		{ "word:x", SEM,
		  "/NAME, key:KEY, id:ID, ftok:PATH[,PROJ], fd:N, PATH@OFFSET or /NAME@OFFSET" },
		{ "word:/a/b@8", SEM, "unknown prefix" },
		{ "C:/x", FUTEX, "unknown prefix" },
		{ ":", SEM, "unknown prefix" },
		{ ":/x@8", SEM, "unknown prefix" },
		{ " key:5", SEM, "unknown prefix" },
		{ "averyveryverylongprefix:x", SEM, "unknown prefix" },

		/* keys */
		{ "key:", SEM, "number" },
		{ "key:0", SEM, "`private`" },
		{ "key:0x0", SEM_CREATE, "did you mean private?" },
		{ "key:000", SEM, "`private`" },
		{ "key:0#1", SEM, "`private`" },
		{ "key:-1", SEM, "did you mean key:0xffffffff?" },
		{ "key:-559038737", SEM, "did you mean key:0xdeadbeef?" },
		{ "key:-99999999999", SEM, "number" },
		{ "key:+1", SEM, "number" },
		{ "key: 1", SEM, "number" },
		{ "key:1 ", SEM, "number" },
		{ "key:010", SEM, "octal" },
		{ "key:08", SEM, "number" },
		{ "key:0x", SEM, "number" },
		{ "key:0x100000000", SEM, "number" },
		{ "key:4294967296", SEM, "number" },
		{ "key:99999999999999999999", SEM, "number" },
		{ "key:jobs", SEM, "number" },
		{ "key:0x1g", SEM, "number" },
		{ "key:5#", SEM, "followed by the number" },
		{ "key:5#x", SEM, "followed by the number" },
		{ "key:5#-1", SEM, "followed by the number" },
		{ "key:5#1#2", SEM, "followed by the number" },
		{ "key:5#4294967296", SEM, "too large" },
		{ "key:#1", SEM, "number" },
		{ "key:5#1", QUEUE, "#N" },

		/* identifiers */
		{ "id:", SEM, "decimal" },
		{ "id:-1", SEM, "decimal" },
		{ "id:0x5", SEM, "decimal" },
		{ "id:2147483648", SEM, "decimal" },
		{ "id:5#", SEM, "followed by the number" },
		{ "id:5#1", QUEUE, "#N" },

		/* ftok */
		{ "ftok:", SEM, "path" },
		{ "ftok:,5", SEM, "path" },
		{ "ftok:#5", SEM, "path" },
		{ "ftok:/etc,0", SEM, "1 to 255" },
		{ "ftok:/etc,256", SEM, "1 to 255" },
		{ "ftok:/etc,99999999999999999999", SEM, "1 to 255" },
		{ "ftok:/etc#4294967296", SEM, "too large" },
		{ "ftok:/etc#1", QUEUE, "#N" },

		/* places in segments */
		{ "key:7@8", SEM, "a key is a number" },
		{ "id:7@8", QUEUE, "decimal" },
		{ "key:7@", WORD, "followed by an offset in bytes, as in key:KEY@8" },
		{ "id:7@x", WORD, "followed by an offset in bytes, as in id:ID@8" },
		{ "id:7@-4", WORD, "followed by an offset" },
		{ "id:7@8@16", WORD, "followed by an offset" },
		{ "key:7@9223372036854775808", WORD, "too large" },
		{ "ftok:/etc@9223372036854775808", WORD, "too large" },
		{ "ftok:@8", WORD, "path" },
		{ "ftok:,2@8", WORD, "path" },
		{ "ftok:/etc,0@8", WORD, "1 to 255" },
		{ "key:@8", WORD, "a key is a number" },
		{ "key:0@8", WORD, "IPC_PRIVATE" },
		{ "id:7#1", WORD, "#N" },
		{ "ftok:/etc#1", WORD, "#N" },
		{ "id:7#1@8", WORD, "exclude each other" },
		{ "key:7@8#1", WORD | IPCKIT_TAKES_INDEX, "exclude each other" },
		{ "ftok:/etc#1@8", WORD, "exclude each other" },
		{ "ftok:/etc@8#1", WORD | IPCKIT_TAKES_INDEX, "exclude each other" },

		/* descriptors */
		{ "fd:", SEM, "descriptor" },
		{ "fd:-1", SEM, "descriptor" },
		{ "fd:x", SEM, "descriptor" },
		{ "fd:2147483648", SEM, "descriptor" },
		{ "fd:3#1", SEM, "#N is for semaphores of a System V set" },
		{ "fd:3@8", SEM, "descriptor" },
		{ "fd:0:3", SEM, "process" },
		{ "fd::3", SEM, "process" },
		{ "fd:-1:3", SEM, "process" },
		{ "fd:1:", SEM, "descriptor" },
		{ "fd:1:2:3", SEM, "descriptor" },

		{ "file:", SEM_EXEC, "path" },

		/* places */
		{ "./x@9223372036854775808", SEM, "offset" },
		{ "./x@99999999999999999999", SEM, "offset" },
		{ "/x@0xffffffffffffffffffffffff", SEM, "offset" },
		{ "./x@99999999999999999999999999999999999999999999999999999999999999999999", SEM,
		  "offset" },

		/* well-formed, not accepted here: says what would be */
		{ "private", SEM, "create" },
		{ "private", QUEUE, "write /NAME, key:KEY, id:ID or ftok:PATH[,PROJ]" },
		{ "file:lock", SEM, "a lock file, which is not accepted here" },
		{ "fd:3", QUEUE, "a descriptor, which is not accepted here: write /NAME" },
		{ "/jobs", IPCKIT_TAKES_SYSV, "key:KEY, id:ID or ftok:PATH[,PROJ]" },
		{ "key:5", T(POSIX), "write /NAME" },
		{ "id:5", T(POSIX), "write /NAME" },
		{ "ftok:x", T(POSIX), "write /NAME" },
		{ "./x@8", QUEUE, "a place in a file, which is not accepted here" },
		{ "/x", IPCKIT_TAKES_BARE_PLACE | T(PLACE),
		  "not accepted here: write PATH@OFFSET" },
		{ "fd:3", T(PATH), "a descriptor, which is not accepted here: write PATH" },
		{ "pipe:4711", T(PATH), "the inode of a pipe, which is not accepted here: write PATH" },
		{ "socket:1", SEM, "the inode of a socket, which is not accepted here: write /NAME" },

		/* channels */
		{ "", CHANNEL, "empty" },
		{ "a:b", CHANNEL, "unknown prefix before the colon: did you mean ./a:b?" },
		{ "4711:3", T(PATH), "did you mean ./4711:3?" },
		{ "4711:3", SEM, "unknown prefix" },
		{ "pip:7", CHANNEL, "did you mean pipe:7 or ./pip:7?" },
		{ "unix:/run/x", CHANNEL, "did you mean ./unix:/run/x?" },
		{ "0:3", CHANNEL, "the process" },
		{ "4711:", CHANNEL, "descriptor" },
		{ ":3", CHANNEL, "unknown prefix" },
		{ "99999999999:3", CHANNEL, "the process" },
		{ "pipe:", CHANNEL, "an inode is a decimal number from 1 on, as in pipe:4711" },
		{ "pipe:0", CHANNEL, "from 1 on" },
		{ "pipe:[]", CHANNEL, "from 1 on" },
		{ "pipe:[7", CHANNEL, "from 1 on" },
		{ "pipe:-1", CHANNEL, "from 1 on" },
		{ "socket:0x10", CHANNEL, "as in socket:4711" },
		{ "socket:18446744073709551616", CHANNEL, "an inode is" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_name name;

		if (!CHECK_INT_FOR(rows[i].text, read_name(rows[i].text, rows[i].takes, &name),
				   -EINVAL)) {
			ipckit_name_free(&name);
			continue;
		}
		if (!CHECK_FOR(rows[i].text, strstr(why.text, rows[i].says)))
			printf("#   want \"%s\" in \"%s\"\n", rows[i].says, why.text);
		CHECK_INT_FOR(rows[i].text,
			      ipckit_name_parse(rows[i].text, rows[i].takes, NULL, &name), -EINVAL);
	}
}

/* A name of length bytes after the slash, and what follows it. */
static const char *long_name(size_t length, const char *rest)
{
	static char text[512];

	text[0] = '/';
	memset(text + 1, 'x', length);
	strcpy(text + 1 + length, rest);
	return text;
}

static void test_length(void)
{
	static const struct {
		size_t length;
		const char *rest;
		unsigned takes;
		int r;
	} rows[] = {
		{ 1, "", SEM, 0 },
		{ 251, "", SEM, 0 },
		{ 252, "", SEM, -ENAMETOOLONG },
		{ 255, "", QUEUE, 0 },
		{ 256, "", QUEUE, -ENAMETOOLONG },
		{ 400, "", QUEUE, -ENAMETOOLONG },
		/* shared memory has no prefix, so its names are never cut to a semaphore's */
		{ 255, "@8", SEM, 0 },
		{ 256, "@8", SEM, -ENAMETOOLONG },
		{ 255, "", FUTEX, 0 },
		{ 256, "", FUTEX, -ENAMETOOLONG },
		/* of what is not accepted at all the length does not matter */
		{ 256, "", IPCKIT_TAKES_SYSV, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_name name;
		int r = read_name(long_name(rows[i].length, rows[i].rest), rows[i].takes, &name);

		CHECK_INT(r, rows[i].r);
		if (!r)
			CHECK_INT(strlen(name.text), rows[i].length + 1);
		ipckit_name_free(&name);
	}
}

/* A reason holds nothing that is unfit for a terminal or JSON, and is never cut in a hint. */
static void test_reasons_are_printable(void)
{
	static const char *const rows[] = {
		"a\033[31mb", "\xff:x", "x\xff:y", "/a\xff/b", "a\nb/c", "key:\xff", "\xff#1",
		"KEY:\xff",
		"file\xff:x", "posix:/\xff",
	};
	struct ipckit_name name;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT_FOR(rows[i], read_name(rows[i], SEM | T(FILE), &name), -EINVAL);
		for (const char *p = why.text; *p; p++)
			CHECK_FOR(rows[i], *p >= ' ' && *p <= '~');
	}
	CHECK_INT(read_name(long_name(40, "/y") + 1, ALL, &name), -EINVAL);
	CHECK(strchr(why.text, '?'));
	CHECK_INT(read_name(long_name(300, "/y") + 1, ALL, &name), -EINVAL);
	CHECK(strchr(why.text, '?'));
	CHECK_INT(read_name(long_name(48, "") + 1, ALL, &name), -EINVAL);
	CHECK(strchr(why.text, '?'));
}

static void test_key(void)
{
	struct ipckit_name name = { .kind = IPCKIT_NAME_KEY, .key = 0x1234 };
	char path[] = "/tmp/ipckit-name-XXXXXX", text[64];
	int fd = mkstemp(path);
	struct stat st;
	key_t key = 5;

	CHECK_INT(ipckit_name_key(&name, &key), 0);
	CHECK_INT(key, 0x1234);
	name.kind = IPCKIT_NAME_PRIVATE;
	CHECK_INT(ipckit_name_key(&name, &key), 0);
	CHECK_INT(key, IPC_PRIVATE);
	key = 5;
	name.kind = IPCKIT_NAME_ID;
	CHECK_INT(ipckit_name_key(&name, &key), -EINVAL);
	name.kind = IPCKIT_NAME_POSIX;
	CHECK_INT(ipckit_name_key(&name, &key), -EINVAL);
	CHECK_INT(key, 5);

	if (!CHECK(fd >= 0 && !fstat(fd, &st)))
		return;
	snprintf(text, sizeof(text), "ftok:%s,255", path);
	CHECK_INT(read_name(text, SEM, &name), 0);
	CHECK_INT(ipckit_name_key(&name, &key), 0);
	CHECK_INT((uint32_t)key, 0xff000000u | (st.st_dev & 0xff) << 16 | (st.st_ino & 0xffff));
	close(fd);
	unlink(path);
	key = 5;
	CHECK_INT(ipckit_name_key(&name, &key), -ENOENT);
	CHECK_INT(key, 5);
	ipckit_name_free(&name);
}

static void test_free(void)
{
	struct ipckit_name name = { 0 };

	ipckit_name_free(&name);
	CHECK_INT(read_name("/jobs", SEM, &name), 0);
	ipckit_name_free(&name);
	ipckit_name_free(&name);
	CHECK(!name.written && !name.text);
}

int main(void)
{
	test_accepted();
	test_refused();
	test_length();
	test_reasons_are_printable();
	test_key();
	test_free();
	return unit_done("name");
}
