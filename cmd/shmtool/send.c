/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)stream_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/*
 * What was read while the ring was full: whether the input has ended is to be known before there is room
 * again. A page, so that files go on being read by whole ones.
 */
struct ahead {
	char bytes[4096];
	size_t size, done;
};

/* The bytes that a file has left. */
static struct ipckit_maybe left_of_input(void)
{
	struct stat st;
	off_t at;

	if (fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode))
		return ipckit_unknown();
	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	return at < 0 || at > st.st_size ? ipckit_unknown() : ipckit_known(st.st_size - at);
}

/* Returns how much was read, 0 at the end, or -errno; *gone: it is the other side's. */
static ssize_t read_input(struct stream *stream, struct iovec *parts, int count, bool *gone)
{
	ssize_t n;
	int r;

	do {
		r = stream_await(stream, STDIN_FILENO, POLLIN);
		if (r) {
			*gone = true;
			return r;
		}
		n = readv(STDIN_FILENO, parts, count);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? -errno : n;
}

static ssize_t read_ahead(struct stream *stream, struct ahead *ahead, bool *gone)
{
	struct iovec part = { .iov_base = ahead->bytes, .iov_len = sizeof(ahead->bytes) };
	ssize_t n = read_input(stream, &part, 1, gone);

	ahead->size = n > 0 ? (size_t)n : 0;
	ahead->done = 0;
	return n;
}

static size_t put(struct ahead *ahead, const struct iovec *part)
{
	size_t n = ahead->size - ahead->done;

	if (n > part->iov_len)
		n = part->iov_len;
	memcpy(part->iov_base, ahead->bytes + ahead->done, n);
	ahead->done += n;
	return n;
}

static ssize_t fill(struct stream *stream, struct ahead *ahead, struct iovec parts[2], bool *gone)
{
	size_t n = 0;

	if (ahead->done == ahead->size)
		return read_input(stream, parts, parts[1].iov_len ? 2 : 1, gone);
	for (int i = 0; i < 2; i++)
		n += put(ahead, &parts[i]);
	return (ssize_t)n;
}

static int fail_input(struct stream *stream, int error, bool gone)
{
	if (error == -EFAULT || gone)
		return stream_fail(stream, error);
	cli_progress_end(&stream->progress);
	return cli_fail(stream->cli, "standard input", error, NULL);
}

/* What nobody can read any more was not sent. */
static int end(struct stream *stream)
{
	int r = stream_look(stream);

	return r ? stream_fail(stream, r) : CLI_OK;
}

static int send_all(struct stream *stream)
{
	struct ahead ahead = { .size = 0 };
	struct iovec parts[2];
	bool gone = false;
	ssize_t n;
	int r;

	for (;;) {
		r = stream_wait(stream, ahead.done < ahead.size, parts);
		if (r && (r != -EAGAIN || ahead.done < ahead.size))
			return stream_fail(stream, r);
		n = r ? read_ahead(stream, &ahead, &gone) : fill(stream, &ahead, parts, &gone);
		if (n < 0)
			return fail_input(stream, (int)n, gone);
		if (!n)
			return end(stream);
		if (!r)
			stream_pass(stream, (size_t)n);
	}
}

static int run(struct cli *cli)
{
	struct stream stream;
	uint64_t bytes;
	int r = stream_open(cli, IPCKIT_RING_WRITER, left_of_input(), &stream);

	if (r)
		return r;
	r = send_all(&stream);
	bytes = ipckit_ring_passed(stream.ring);
	stream_close(&stream, !r);
	return r ?: shmtool_done(cli, stream.object, stream.backend, ipckit_unknown(), ipckit_known((int64_t)bytes));
}

const struct cli_verb shmtool_send = {
	.name = "send",
	.operands = "OBJECT",
	.summary = "write standard input to a segment, as a stream through a ring in it",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
