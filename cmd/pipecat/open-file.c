/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opening.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/pipe.h>
#include <ipckit/process.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AGAIN_NS 10000000

/* ---- descriptors ---- */

static int check_descriptor(struct opening *opening, const struct pipecat_end *end, int fd, bool writes)
{
	int flags = fcntl(fd, F_GETFL), access = flags & O_ACCMODE;

	if (flags < 0)
		return cli_fail(opening->cli, end->text, ENOENT, "descriptor %d is not open", fd);
	if (flags & O_PATH || access == (writes ? O_RDONLY : O_WRONLY))
		return cli_fail(opening->cli, end->text, EBADF, "not open for %s", writes ? "writing" : "reading");
	return 0;
}

static int take_foreign(struct opening *opening, const struct pipecat_end *end, int *out)
{
	int r = ipckit_process_fd(end->at.pid, end->at.fd, out);

	switch (r) {
	case 0:
		return 0;
	case -ESRCH:
		return cli_fail(opening->cli, end->text, ENOENT, "there is no process %d", (int)end->at.pid);
	case -EBADF:
		return cli_fail(opening->cli, end->text, ENOENT, "process %d has no descriptor %d", (int)end->at.pid,
				end->at.fd);
	}
	return opening_fail(opening, end, r);
}

static int open_descriptor(struct opening *opening, struct pipecat_end *end)
{
	int in = STDIN_FILENO, out = STDOUT_FILENO, r = 0;

	if (end->at.kind == IPCKIT_END_FD) {
		in = end->at.fd;
		if (end->at.pid)
			r = take_foreign(opening, end, &in);
		out = in;
	}
	end->foreign = true;
	if (!r && end->access & PIPECAT_READ) {
		end->in = in;
		r = check_descriptor(opening, end, in, false);
	}
	if (!r && end->access & PIPECAT_WRITE) {
		end->out = out;
		r = check_descriptor(opening, end, out, true);
	}
	return r;
}

/* ---- files ---- */

static int flags_of(const struct pipecat_end *end)
{
	if (end->access == (PIPECAT_READ | PIPECAT_WRITE))
		return O_RDWR;
	return end->access & PIPECAT_READ ? O_RDONLY : O_WRONLY;
}

static void keep(struct pipecat_end *end, int fd)
{
	if (end->access & PIPECAT_READ)
		end->in = fd;
	if (end->access & PIPECAT_WRITE)
		end->out = fd;
}

/* One that a name leads to only by /proc, as /dev/stdin does: it has no name of its own to be opened by. */
static int open_nameless(const char *path, int flags, const struct ipckit_deadline *deadline, int *out)
{
	int r, fd;

	for (;;) {
		fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			break;
		if (errno != ENXIO)
			return -errno;
		r = ipckit_deadline_sleep(deadline, LOOK_AGAIN_NS);
		if (r)
			return r;
	}
	/* It is nobody else's. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	*out = fd;
	return 0;
}

/* A try is one that is interrupted at once: who looks, and goes, would take what a writer writes just then. */
static int open_named(const char *path, int flags, const struct ipckit_deadline *deadline, int *out)
{
	struct ipckit_deadline soon;
	int r;

	if (flags & O_NONBLOCK)
		return ipckit_fifo_open(path, flags, &(struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_NONE }, out);
	if (deadline->kind != IPCKIT_DEADLINE_TRY)
		return ipckit_fifo_open(path, flags, deadline, out);
	r = cli_deadline(1, &soon) ?: ipckit_fifo_open(path, flags, &soon, out);
	return r == -ETIMEDOUT ? -EAGAIN : r;
}

static int open_fifo(struct opening *opening, struct pipecat_end *end, const char *path, const char *by_proc)
{
	char *real = by_proc ? realpath(path, NULL) : NULL;
	int fd, r, flags = flags_of(end);

	if (opening->how->unawaited && flags == O_RDONLY)
		flags |= O_NONBLOCK;
	if (by_proc && (!real || access(real, F_OK)))
		r = open_nameless(by_proc, flags, &opening->deadline, &fd);
	else
		r = open_named(real ?: path, flags, &opening->deadline, &fd);
	free(real);
	if (r)
		return opening_fail(opening, end, r);
	keep(end, fd);
	return 0;
}

static int make_fifo(struct opening *opening, struct pipecat_end *end)
{
	bool created;
	int r = ipckit_fifo_create(end->at.text, opening->how->mode, false, &created);

	if (r == -EBADMSG)
		return cli_fail(opening->cli, end->text, r, "what stands there is no FIFO");
	if (r == -ENOENT)
		return cli_fail(opening->cli, end->text, r, "its directory is missing");
	return r ? opening_fail(opening, end, r) : open_fifo(opening, end, end->at.text, NULL);
}

static int fail_both(struct opening *opening, const struct pipecat_end *end, const char *what)
{
	return cli_usage(opening->cli, end->text, "%s goes one way: not with --both", what);
}

static int open_found(struct opening *opening, struct pipecat_end *end, int found, const struct stat *st)
{
	bool both = end->access == (PIPECAT_READ | PIPECAT_WRITE);
	char path[32];
	int fd, flags = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	switch (st->st_mode & S_IFMT) {
	case S_IFSOCK:
		return cli_usage(opening->cli, end->text, "a socket: did you mean unix:%s?", end->at.text);
	case S_IFIFO:
		if (both)
			return fail_both(opening, end, "a FIFO");
		return open_fifo(opening, end, end->at.text, path);
	case S_IFDIR:
		return opening_fail(opening, end, -EISDIR);
	case S_IFREG:
		if (both)
			return fail_both(opening, end, "a file");
		if (opening->how->append)
			flags = O_APPEND;
		else
			end->truncates = end->access & PIPECAT_WRITE;
	}
	fd = open(path, flags_of(end) | flags | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return opening_fail(opening, end, -errno);
	keep(end, fd);
	return 0;
}

/* What was not there. Nobody's FIFO that is planted meanwhile stops it, and a mode is set for a new one alone. */
static int make_file(struct opening *opening, struct pipecat_end *end)
{
	const struct pipecat_opening *how = opening->how;
	int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (how->append ? O_APPEND : 0);
	unsigned mode = how->mode_given ? how->mode : 0666;
	int fd = open(end->at.text, flags | O_EXCL, mode);
	bool made = fd >= 0;
	struct stat st;

	/* A link that leads to nothing yet. */
	if (fd < 0 && errno == EEXIST)
		fd = open(end->at.text, flags, mode);
	if (fd < 0 && errno == ENOENT)
		return cli_fail(opening->cli, end->text, ENOENT, "its directory is missing");
	if (fd < 0)
		return opening_fail(opening, end, -errno);
	keep(end, fd);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return opening_fail(opening, end, -EBADMSG);
	end->truncates = !how->append;
	return made && how->mode_given && fchmod(fd, mode) ? opening_fail(opening, end, -errno) : 0;
}

/* Where no verb was typed, the source may have been meant for one. */
static int fail_missing(struct opening *opening, const struct pipecat_end *end)
{
	struct cli *cli = opening->cli;
	const char *verb = end->text == cli->operands[0] ? cli_near_verb(cli, end->text) : NULL;

	if (verb)
		return cli_fail(cli, end->text, ENOENT, "no such file, did you mean the verb %s?", verb);
	return cli_fail(cli, end->text, ENOENT, "no such file");
}

static int open_path(struct opening *opening, struct pipecat_end *end)
{
	int found = open(end->at.text, O_PATH | O_CLOEXEC), r;
	struct stat st;

	if (found < 0 && errno == ENOENT && end->access == PIPECAT_WRITE)
		return make_file(opening, end);
	if (found < 0 && errno == ENOENT)
		return fail_missing(opening, end);
	if (found < 0)
		return opening_fail(opening, end, -errno);
	r = fstat(found, &st) ? opening_fail(opening, end, -errno) : open_found(opening, end, found, &st);
	close(found);
	return r;
}

static int open_file(struct opening *opening, struct pipecat_end *end)
{
	switch (end->at.kind) {
	case IPCKIT_END_STANDARD:
	case IPCKIT_END_FD:
		return open_descriptor(opening, end);
	case IPCKIT_END_PATH:
		return open_path(opening, end);
	case IPCKIT_END_FIFO:
		if (end->access == (PIPECAT_READ | PIPECAT_WRITE))
			return fail_both(opening, end, "a FIFO");
		return make_fifo(opening, end);
	default:
		return 0;
	}
}

int opening_files(struct opening *opening, bool first)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->count; i++) {
		struct pipecat_end *end = opening->ends[i];

		if (!(end->access & PIPECAT_READ) == !first && end->in < 0 && end->out < 0)
			r = open_file(opening, end);
	}
	return r;
}

/* ---- emptying ---- */

static bool is_read(const struct opening *opening, const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < opening->count; i++)
		if (opening->ends[i]->in >= 0 && !fstat(opening->ends[i]->in, &other) && other.st_dev == st->st_dev &&
		    other.st_ino == st->st_ino)
			return true;
	return false;
}

int opening_empty(struct opening *opening)
{
	struct stat st;

	for (size_t i = 0; i < opening->count; i++) {
		struct pipecat_end *end = opening->ends[i];

		if (!end->truncates)
			continue;
		if (fstat(end->out, &st))
			return opening_fail(opening, end, -errno);
		if (is_read(opening, &st))
			return cli_usage(opening->cli, end->text, "the source is the same file");
		if (st.st_size && ftruncate(end->out, 0))
			return opening_fail(opening, end, -errno);
		end->truncates = false;
	}
	return 0;
}

/* What stands there and is no file has nothing that could be emptied, and may be opened by those who serve alone. */
static bool is_file_or_none(const char *path)
{
	struct stat st;

	return stat(path, &st) || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

int pipecat_empty_once(struct cli *cli, struct pipecat_end *end, struct pipecat_opening *how)
{
	struct opening opening = {
		.cli = cli, .ends = &(struct pipecat_end *){ end }, .count = 1, .how = how,
		.deadline = { .kind = IPCKIT_DEADLINE_TRY },
	};
	int r;

	if (end->at.kind != IPCKIT_END_PATH || !(end->access & PIPECAT_WRITE) || how->append ||
	    !is_file_or_none(end->at.text))
		return 0;
	r = open_path(&opening, end) ?: opening_empty(&opening);
	if (end->out >= 0)
		close(end->out);
	end->in = end->out = -1;
	end->truncates = false;
	how->append = true;
	return r;
}
