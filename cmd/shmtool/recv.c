/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int remove_after;

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)stream_options, 0, NULL, NULL },
	{ "remove", 0, POPT_ARG_NONE, &remove_after, 0, "remove the segment when all of a stream was read", NULL },
	POPT_TABLEEND
};

/* Returns how much was written, or -errno. */
static ssize_t write_output(struct stream *stream, const struct iovec parts[2])
{
	ssize_t n;

	for (;;) {
		n = writev(STDOUT_FILENO, parts, parts[1].iov_len ? 2 : 1);
		if (n > 0)
			return n;
		if (!n)
			return -EIO;
		/* Whatever became of the writer, what it sent is printed. */
		if (errno == EAGAIN)
			(void)stream_await(stream, STDOUT_FILENO, POLLOUT);
		else if (errno != EINTR)
			return -errno;
	}
}

static int fail_output(struct stream *stream, int error)
{
	struct ipckit_limit limit;

	if (error == -EFAULT)
		return stream_fail(stream, error);
	cli_progress_end(&stream->progress);
	if (error == -EFBIG && !ipckit_limit_of_process(EFBIG, &limit))
		cli_fail_limit(stream->cli, "standard output", error, &limit);
	else
		cli_fail(stream->cli, "standard output", error, NULL);
	return CLI_SYSTEM;
}

/* whole: whether the ring may be left as if this run had not come, should it have taken nothing. */
static int receive_all(struct stream *stream, bool *whole)
{
	struct iovec parts[2];
	ssize_t n;
	int r;

	for (;;) {
		r = stream_wait(stream, true, parts);
		if (r)
			return r == -ENODATA ? CLI_OK : stream_fail(stream, r);
		n = write_output(stream, parts);
		if (n < 0) {
			*whole = false;
			return fail_output(stream, (int)n);
		}
		stream_pass(stream, (size_t)n);
	}
}

static int run(struct cli *cli)
{
	struct stream stream;
	bool whole = true;
	int r;

	if (cli->format_given && cli_prints(cli))
		return cli_usage(cli, NULL, "what is printed are the stream's bytes, in no other format");
	cli_raw(cli);
	/* A write beyond RLIMIT_FSIZE is to fail, and to be told. */
	signal(SIGXFSZ, SIG_IGN);
	r = stream_open(cli, IPCKIT_RING_READER, ipckit_unknown(), &stream);
	if (r)
		return r;
	r = receive_all(&stream, &whole);
	if (!r && remove_after) {
		/* Before it is left: a writer that waits for that looks whether it is still there. */
		r = ipckit_shm_remove(&stream.name);
		if (r)
			r = shmtool_fail(cli, stream.object, stream.backend, r);
	}
	stream_close(&stream, whole);
	return r;
}

const struct cli_verb shmtool_recv = {
	.name = "recv",
	.operands = "OBJECT",
	.summary = "print a stream that is sent through a segment, byte for byte",
	.least = 1,
	.most = 1,
	.options = options,
	.run = run,
};
