/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rows.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/pipe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	struct cli_object object;
	struct ipckit_channel_info info;
	struct ipckit_maybe inode, device;
	bool listed;
	char *own;     /* object.name where the info has none */
	char ends[48]; /* of a list: the state, or how many ends */
	char *who;     /* of a list: the users */
};

/* ---- what there is to tell ---- */

/* Kinds of row; several hold of one. */
enum {
	LISTED = 2u,
	FIFOS = 4u,
	PIPES = 8u,
	ENDS = FIFOS | PIPES,
	SOCKETS = 16u,
	UNIX = 32u,
	LISTENERS = 64u,
	FLOWS = 128u, /* sockets that are none */
	FILES = 256u, /* what has a path */
	PATHS = 512u, /* that of a Unix socket */
};

#define INFO(member) CLI_INFO(struct row, member)
#define ROW(member) .offset = offsetof(struct row, member)
#define USER(member) .offset = offsetof(struct ipckit_channel_user, member)

enum { OPEN = 1u, SLEEPS = 2u };

static unsigned kind_of_user(const void *row)
{
	const struct ipckit_channel_user *user = row;

	return (user->fd >= 0 ? OPEN : 0) | (user->tid ? SLEEPS : 0);
}

static const struct cli_field user_fields[] = {
	{ "pid", .type = CLI_INT, USER(pid), .summary = "process" },
	{ "fd", .type = CLI_INT, USER(fd), .kinds = OPEN,
	  .summary = "its descriptor; none where it waits in open(2) for the other end" },
	{ "reads", .type = CLI_BOOL, USER(reads), .summary = "whether that is open for reading" },
	{ "writes", .type = CLI_BOOL, USER(writes), .summary = "whether that is open for writing" },
	{ "uid", .type = CLI_MAYBE, USER(uid), .flags = CLI_WIDE, .summary = "its user" },
	{ "call", .type = CLI_STRING, USER(call),
	  .summary = "the system call on it that a thread sleeps in; null: none" },
	{ "tid", .type = CLI_INT, USER(tid), .kinds = SLEEPS, .flags = CLI_WIDE, .summary = "that thread" },
	{ "command", .type = CLI_STRING, USER(command), .summary = "its command line" },
	{ 0 },
};

static const struct cli_table user_table = { user_fields, sizeof(struct ipckit_channel_user), "users", kind_of_user };

static const struct cli_field info_fields[] = {
	{ "kind", .type = CLI_WORD, CLI_OBJECT(backend), .summary = "fifo, pipe, unix, tcp or udp" },
	{ "name", .type = CLI_STRING, CLI_OBJECT(name),
	  .summary = "path, own address; of what has none pipe:INODE or socket:INODE" },
	{ "peer", .type = CLI_STRING, INFO(peer), .kinds = SOCKETS, .summary = "the name of the other side" },
	{ "ends", .heading = "STATE", .type = CLI_CHARS, ROW(ends), .kinds = LISTED, .json_kinds = CLI_NO_KIND,
	  .summary = "how many ends of a pipe are open for reading (r) and writing (w); a socket's state; a listener's "
		     "queue and backlog" },
	{ "inode", .type = CLI_MAYBE, ROW(inode), .flags = CLI_BULKY,
	  .summary = "as in pipe:INODE and socket:INODE; that of a FIFO's file" },
	{ "device", .type = CLI_MAYBE, ROW(device), .kinds = FIFOS, .flags = CLI_WIDE, .summary = "of a FIFO's file" },
	{ "peer_inode", .type = CLI_MAYBE, INFO(peer_inode), .kinds = SOCKETS, .flags = CLI_BULKY,
	  .summary = "the socket at the other side, where that is on this machine" },
	{ "type", .type = CLI_WORD, INFO(type), .kinds = UNIX, .flags = CLI_BULKY,
	  .summary = "stream, dgram or seqpacket" },
	{ "state", .heading = "SOCKET-STATE", .type = CLI_WORD, INFO(state), .kinds = SOCKETS, .flags = CLI_BULKY,
	  .summary = "listen, established, unconnected, close-wait ..." },
	{ "bound", .type = CLI_TRUTH, INFO(bound), .kinds = PATHS, .flags = CLI_WIDE,
	  .summary = "of a path: whether a socket has it; false: its server has died" },
	{ "readers", .type = CLI_MAYBE, INFO(readers), .kinds = ENDS, .flags = CLI_BULKY,
	  .summary = "descriptors that were seen open for reading" },
	{ "writers", .type = CLI_MAYBE, INFO(writers), .kinds = ENDS, .flags = CLI_BULKY,
	  .summary = "descriptors that were seen open for writing" },
	{ "capacity", .type = CLI_SIZE, INFO(capacity), .kinds = ENDS, .flags = CLI_BULKY,
	  .summary = "bytes that it can hold; null: nobody has it open, or may not be asked" },
	{ "bytes", .type = CLI_SIZE, INFO(bytes), .kinds = ENDS | FLOWS, .summary = "bytes that wait to be read" },
	{ "unsent", .type = CLI_SIZE, INFO(unsent), .kinds = FLOWS, .flags = CLI_BULKY,
	  .summary = "bytes on their way to the other side" },
	{ "queue", .type = CLI_MAYBE, INFO(queue), .kinds = LISTENERS, .flags = CLI_BULKY,
	  .summary = "connections that wait to be accepted" },
	{ "backlog", .type = CLI_MAYBE, INFO(backlog), .kinds = LISTENERS, .flags = CLI_BULKY,
	  .summary = "connections that may wait" },
	{ "foreign", .type = CLI_BOOL, INFO(foreign), .kinds = SOCKETS, .flags = CLI_WIDE,
	  .summary = "whether it is of another network namespace" },
	{ "mode", .type = CLI_MODE, INFO(mode), .kinds = FILES, .flags = CLI_BULKY, .summary = "permissions" },
	{ "uid", .type = CLI_MAYBE, INFO(uid), .flags = CLI_WIDE, .summary = "owner, by number" },
	{ "user", .type = CLI_USER, INFO(uid), .flags = CLI_BULKY, .summary = "owner" },
	{ "gid", .type = CLI_MAYBE, INFO(gid), .kinds = FILES, .flags = CLI_WIDE, .summary = "group, by number" },
	{ "group", .type = CLI_GROUP, INFO(gid), .kinds = FILES, .flags = CLI_WIDE, .summary = "group" },
	{ "atime", .type = CLI_TIME, INFO(atime), .kinds = FILES, .flags = CLI_BULKY, .summary = "last read" },
	{ "mtime", .type = CLI_TIME, INFO(mtime), .kinds = FILES, .flags = CLI_BULKY, .summary = "last write" },
	{ "ctime", .type = CLI_TIME, INFO(ctime), .kinds = FILES, .flags = CLI_BULKY,
	  .summary = "creation or last change" },
	{ "who", .type = CLI_STRING, ROW(who), .kinds = LISTED, .json_kinds = CLI_NO_KIND,
	  .summary = "the first processes that have it: name[pid], descriptor with r, w or rw, the call that it is "
		     "blocked in" },
	{ "users", .type = CLI_ROWS, INFO(users), .flags = CLI_BULKY,
	  .count_offset = offsetof(struct row, info.nusers), .rows = &user_table, .summary = "processes that have it" },
	{ "peers", .type = CLI_ROWS, INFO(peers), .kinds = SOCKETS, .flags = CLI_DETAIL,
	  .count_offset = offsetof(struct row, info.npeers), .rows = &user_table,
	  .summary = "processes that have the other side" },
	{ "unreadable_processes", .type = CLI_MAYBE, INFO(unreadable_processes), .flags = CLI_BULKY,
	  .summary = "processes that may not be looked at and may have it" },
	{ "unreadable", .type = CLI_GAPS, INFO(gaps.list), .flags = CLI_BULKY,
	  .count_offset = offsetof(struct row, info.gaps.count), .summary = "why a value is unknown" },
	{ 0 },
};

static bool is_listener(const struct ipckit_channel_info *info)
{
	return info->state && !strcmp(info->state, "listen");
}

static unsigned kind_of_socket(const struct ipckit_channel_info *info)
{
	bool local = info->kind == IPCKIT_CHANNEL_UNIX;
	unsigned kinds = local && info->mode.known ? PATHS : 0;

	/* Of a path alone there is no socket that could be told of. */
	if (!info->state)
		return kinds ?: SOCKETS;
	return kinds | SOCKETS | (local ? UNIX : 0) | (is_listener(info) ? LISTENERS : FLOWS);
}

static unsigned kind(const void *of)
{
	const struct row *row = of;
	const struct ipckit_channel_info *info = &row->info;
	unsigned kinds = (row->listed ? LISTED : 0) | (info->mode.known ? FILES : 0);

	if (info->kind == IPCKIT_CHANNEL_FIFO)
		return kinds | FIFOS;
	return kinds | (info->kind == IPCKIT_CHANNEL_PIPE ? PIPES : kind_of_socket(info));
}

const struct cli_table pipecat_info_table = { info_fields, sizeof(struct row), "fifos", kind };

/* ---- in short ---- */

#define USERS_SHOWN 3

/* The program's name, without its directory. */
static void put_program(FILE *stream, const char *command)
{
	const char *name = command ?: "?";
	size_t length = strcspn(name, " ");

	for (const char *slash; (slash = memchr(name, '/', length)); name = slash + 1)
		length -= (size_t)(slash + 1 - name);
	fprintf(stream, "%.*s", (int)length, name);
}

static void put_user(FILE *stream, const struct ipckit_channel_user *user)
{
	put_program(stream, user->command);
	fprintf(stream, "[%d] ", (int)user->pid);
	if (user->fd >= 0)
		fprintf(stream, "%d", user->fd);
	fprintf(stream, "%s%s%s%s", user->reads ? "r" : "", user->writes ? "w" : "", user->call ? " " : "",
		user->call ?: "");
}

char *pipecat_users_text(const struct ipckit_channel_user *users, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < count && i < USERS_SHOWN; i++) {
		fputs(i ? ", " : "", stream);
		put_user(stream, &users[i]);
	}
	if (count > USERS_SHOWN)
		fprintf(stream, ", %zu more", count - USERS_SHOWN);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

static void put_ends(const struct ipckit_channel_info *info, char *text, size_t size)
{
	const struct ipckit_maybe *queue = &info->queue, *backlog = &info->backlog;

	if (info->readers.known && info->writers.known)
		snprintf(text, size, "%" PRId64 "r %" PRId64 "w", info->readers.value, info->writers.value);
	else if (is_listener(info) && queue->known && backlog->known)
		snprintf(text, size, "listen %" PRId64 "/%" PRId64, queue->value, backlog->value);
	else if (info->state)
		snprintf(text, size, "%s", info->state);
	else if (info->bound.known)
		snprintf(text, size, "%s", info->bound.value ? "bound" : "dead");
}

/* ---- how it is looked at ---- */

static char *own_name(const struct ipckit_channel_info *info)
{
	char *name;

	if (asprintf(&name, "%s:%" PRIu64, info->kind <= IPCKIT_CHANNEL_PIPE ? "pipe" : "socket", info->inode) < 0)
		return NULL;
	return name;
}

static void fill(void *to, const void *from)
{
	const struct ipckit_channel_info *info = from;
	struct row *row = to;

	row->info = *info;
	row->inode = ipckit_known((int64_t)info->inode);
	row->device = ipckit_known((int64_t)info->device);
	row->own = info->name ? NULL : own_name(info);
	put_ends(info, row->ends, sizeof(row->ends));
	row->object = (struct cli_object){
		.name = info->name ?: row->own ?: "",
		.backend = ipckit_channel_kind_name(info->kind),
		.uid = info->uid,
		.last_use = cli_later(info->mtime, cli_later(info->atime, info->ctime)),
	};
}

static void fill_listed(void *to, const void *from)
{
	struct row *row = to;

	fill(row, from);
	row->listed = true;
	if (row->info.nusers)
		row->who = pipecat_users_text(row->info.users, row->info.nusers);
}

static void clear(void *of)
{
	struct row *row = of;

	ipckit_channel_info_free(&row->info);
	free(row->own);
	free(row->who);
}

/* Whether it is still the same is told by its file alone. */
static int stat_row(const struct ipckit_name *name, unsigned what, void *row)
{
	struct ipckit_channel_info info;
	int r = what ? ipckit_channel_stat(name, &info) : ipckit_channel_file(name->text, &info);

	if (!r)
		fill(row, &info);
	return r;
}

static void judge(const void *of, int64_t older_than, int64_t now, struct ipckit_orphan_verdict *out)
{
	ipckit_channel_judge(&((const struct row *)of)->info, older_than, now, out);
}

static bool same(const void *judged, const void *now)
{
	const struct row *a = judged, *b = now;

	return a->info.device == b->info.device && a->info.inode == b->info.inode && a->info.kind == b->info.kind &&
	       a->object.last_use.value == b->object.last_use.value;
}

static int remove_file(const struct ipckit_name *name)
{
	int r = ipckit_fifo_remove(name->text);

	/* What clean has found to be dead may live again. */
	if (r != -EBADMSG || !pipecat_filter.removes)
		return r;
	r = ipckit_channel_remove_dead(name->text);
	return r == -EADDRINUSE ? -ENOENT : r;
}

static const char *kind_word(const struct ipckit_name *name)
{
	(void)name;
	return "fifo";
}

static const char *missing_words(const struct ipckit_name *name)
{
	switch (name->kind) {
	case IPCKIT_NAME_FD:
		return "there is no such descriptor";
	case IPCKIT_NAME_PIPE:
	case IPCKIT_NAME_SOCKET:
		return "nobody who can be seen has it";
	default:
		return "no such file";
	}
}

static const char *other_words(const struct cli *cli, const struct ipckit_name *name)
{
	if (name->kind == IPCKIT_NAME_FD)
		return "it is no pipe, FIFO or socket of Unix, TCP or UDP";
	if (name->kind == IPCKIT_NAME_SOCKET)
		return "it is no socket of Unix, TCP or UDP";
	return strcmp(cli->verb->name, "info") ? "what stands there is no FIFO"
					       : "what stands there is neither a FIFO nor a Unix socket";
}

static int fail(struct cli *cli, const struct ipckit_name *name, int error)
{
	struct ipckit_limit limit;

	if (!ipckit_limit_of_process(-error, &limit))
		return cli_fail_limit(cli, name ? name->written : NULL, error, &limit);
	if (!name)
		return cli_fail(cli, NULL, error, NULL);
	switch (error) {
	case -ENOENT:
		return cli_fail(cli, name->written, error, "%s", missing_words(name));
	case -ESRCH:
		return cli_fail(cli, name->written, ENOENT, "no such process");
	case -EBADMSG:
		return cli_fail(cli, name->written, error, "%s", other_words(cli, name));
	}
	return cli_fail(cli, name->written, error, NULL);
}

static const char *const backends[] = { "fifo", "pipe", "unix", "tcp", "udp", NULL };

const struct cli_noun pipecat_noun = {
	.takes = IPCKIT_CHANNEL_NAMES,
	.made = IPCKIT_TAKES(IPCKIT_NAME_PATH),
	.backends = backends,
	.table = &pipecat_info_table,
	.to_tell = 1,
	.to_judge = 1,
	.list = pipecat_list_rows,
	.stat = stat_row,
	.fill = fill_listed,
	.clear = clear,
	.judge = judge,
	.same = same,
	.remove = remove_file,
	.backend = kind_word,
	.fail = fail,
};
