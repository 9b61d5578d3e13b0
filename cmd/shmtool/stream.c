/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)
/* How often who is alone looks whether the other side can still come. */
#define LOOK_AGAIN_NS INT64_C(1000000000)
#define LOOK_AWAY_MS 100 /* between looks at the other side while something else is waited for */

static char *size_text, *mode_text, *timeout_text;

const struct poptOption stream_options[] = {
	{ "size", 's', POPT_ARG_STRING, &size_text, 0,
	  "make it where there is none, and take none of another size; 1M is fast", "SIZE" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions of one that is made (default 0600)", "MODE" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0,
	  "give up when the other side lets nothing pass for this time; 0: do not wait for it", "DURATION" },
	POPT_TABLEEND
};

/* ---- opening ---- */

static int read_spec(struct stream *stream, struct ipckit_shm_spec *spec)
{
	struct cli *cli = stream->cli;
	int r;

	*spec = (struct ipckit_shm_spec){ .mode = 0600 };
	stream->timeout = IPCKIT_FOREVER;
	if (mode_text && !size_text)
		return cli_usage(cli, "--mode", "is for a segment that is made: --size is needed");
	r = cli_size(cli, "--size", size_text, &spec->size) ?: cli_mode(cli, "--mode", mode_text, 0600, &spec->mode) ?:
	    cli_duration(cli, "--timeout", timeout_text, &stream->timeout);
	if (!r && size_text && spec->size <= IPCKIT_RING_DATA)
		r = cli_usage(cli, "--size", "\"%s\": at least %u, of which the ring's own are %u", size_text,
			      IPCKIT_RING_DATA + 1, IPCKIT_RING_DATA);
	return r;
}

static int open_segment(struct stream *stream, const struct ipckit_shm_spec *spec)
{
	bool created;
	int r;

	if (!spec->size) {
		r = ipckit_shm_open(&stream->name, IPCKIT_SHM_READ | IPCKIT_SHM_WRITE, &stream->shm);
		return r ? shmtool_fail(stream->cli, stream->object, stream->backend, r) : CLI_OK;
	}
	r = ipckit_shm_create(&stream->name, spec, &created, &stream->shm);
	return r ? shmtool_fail_create(stream->cli, &stream->name, spec, r) : CLI_OK;
}

/* Whether the name stands for another segment now, or for none: `recv --remove` ends a ring for good. */
static bool was_removed(const struct stream *stream)
{
	struct ipckit_shm *now;
	bool same;
	int r = ipckit_shm_open(&stream->name, 0, &now);

	if (r)
		return r == -ENOENT || r == -EIDRM;
	same = ipckit_shm_same(stream->shm, now);
	ipckit_shm_close(now);
	return !same;
}

/* ---- joining ---- */

/*
 * The process that has a thread, of those that have the segment mapped: an id alone may be of another PID
 * namespace.
 */
static const struct ipckit_shm_user *find_user(const struct ipckit_shm_users *users, pid_t thread)
{
	char path[64];

	for (size_t i = 0; i < users->count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)users->list[i].pid, (int)thread);
		if (users->list[i].pid == thread || !access(path, F_OK))
			return &users->list[i];
	}
	return NULL;
}

static int fail_busy(struct stream *stream, const void *memory)
{
	const char *does = stream->side == IPCKIT_RING_WRITER ? "writes to" : "reads from";
	pid_t thread = ipckit_ring_owner(memory, stream->side);
	struct ipckit_shm_users users = { 0 };
	const struct ipckit_shm_user *user = NULL;
	int status;

	if (thread && !ipckit_shm_find_users(&stream->name, &users))
		user = find_user(&users, thread);
	if (user)
		status = cli_fail(stream->cli, stream->object, EBUSY, "process %d %s it: %s", (int)user->pid, does,
				  user->command ?: "?");
	else
		status = cli_fail(stream->cli, stream->object, EBUSY, "another process %s it", does);
	ipckit_shm_users_free(&users);
	return status;
}

static int fail_join(struct stream *stream, const void *memory, int error)
{
	switch (error) {
	case -EBUSY:
		return fail_busy(stream, memory);
	case -EBADMSG:
		return cli_fail(stream->cli, stream->object, error, "what lies in it is no ring of its size");
	case -EINVAL:
		return cli_fail(stream->cli, stream->object, EBADMSG, "too small for a ring, which has at least %u bytes",
				IPCKIT_RING_DATA + 1);
	case -EPROTONOSUPPORT:
		return cli_fail(stream->cli, stream->object, EBADMSG, "the ring in it is of another version");
	}
	return stream_fail(stream, error);
}

/* What is lost is left as it is, mapped: the other side is told by the end of the process. */
static void let_go(struct stream *stream, bool whole)
{
	if (stream->lost)
		return;
	ipckit_ring_leave(stream->ring, whole);
	ipckit_shm_close(stream->shm);
	stream->ring = NULL;
	stream->shm = NULL;
}

static int join_segment(struct stream *stream)
{
	struct ipckit_deadline deadline;
	void *memory;
	size_t size;
	int r = ipckit_shm_map(stream->shm, true, &memory, &size);

	/* One that has shrunk to nothing cannot be mapped. */
	if (r)
		return r == -EINVAL ? fail_join(stream, NULL, r) :
				      shmtool_fail(stream->cli, stream->object, stream->backend, r);
	ipckit_deadline_in(stream->timeout, &deadline);
	r = ipckit_ring_join(memory, size, stream->side, &deadline, &stream->ring);
	if (r)
		return fail_join(stream, memory, r);
	stream->memory = memory;
	stream->size = size;
	/* The two sides are to be at work at once. */
	stream->chunk = (size - IPCKIT_RING_DATA + 3) / 4;
	if (stream->chunk > CHUNK)
		stream->chunk = CHUNK;
	return CLI_OK;
}

static int join(struct stream *stream)
{
	struct ipckit_shm_spec spec;
	int r = read_spec(stream, &spec);

	while (!r) {
		r = open_segment(stream, &spec) ?: join_segment(stream);
		if (!r && !was_removed(stream))
			return CLI_OK;
		let_go(stream, true);
	}
	return r;
}

int stream_open(struct cli *cli, enum ipckit_ring_side side, struct ipckit_maybe total, struct stream *out)
{
	int r;

	*out = (struct stream){ .cli = cli, .side = side, .object = cli->operands[0] };
	r = shmtool_name(cli, out->object, 0, &out->name);
	if (r)
		return r;
	out->backend = ipckit_shm_backend_of(&out->name);
	r = join(out);
	if (r)
		ipckit_name_free(&out->name);
	else
		cli_progress_begin(cli, total, &out->progress);
	return r;
}

void stream_close(struct stream *stream, bool whole)
{
	cli_progress_end(&stream->progress);
	let_go(stream, whole);
	ipckit_name_free(&stream->name);
}

/* ---- the stream ---- */

/* Why the other side, if it is not there, cannot come; 0: it is, or it can. */
static int is_alone(const struct stream *stream)
{
	enum ipckit_ring_side other = stream->side == IPCKIT_RING_WRITER ? IPCKIT_RING_READER : IPCKIT_RING_WRITER;
	uint64_t size;
	int r;

	if (ipckit_ring_owner(stream->memory, other))
		return 0;
	if (was_removed(stream))
		return -EIDRM;
	r = ipckit_shm_size(stream->shm, &size);
	return r ?: size == stream->size ? 0 : -EBADMSG;
}

/* For a while; -EAGAIN: it has passed. */
static int wait_a_while(struct stream *stream, const struct ipckit_deadline *deadline, struct iovec parts[2])
{
	struct ipckit_deadline until;
	int r;

	ipckit_deadline_within(deadline, LOOK_AGAIN_NS, &until);
	r = ipckit_ring_wait(stream->ring, &until, parts);
	return r == -ETIMEDOUT && !ipckit_deadline_left(deadline, NULL) ? -EAGAIN : r;
}

static int wait_for_other(struct stream *stream, struct iovec parts[2])
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	struct ipckit_deadline deadline;
	int r, alone = 0;

	ipckit_deadline_in(stream->timeout, &deadline);
	while (!alone) {
		r = wait_a_while(stream, &deadline, parts);
		if (r != -EAGAIN || deadline.kind == IPCKIT_DEADLINE_TRY)
			return r;
		alone = is_alone(stream);
	}
	/* It may have come, and gone, just before. */
	r = ipckit_ring_wait(stream->ring, &now, parts);
	return r == -EAGAIN ? alone : r;
}

int stream_wait(struct stream *stream, bool wait, struct iovec parts[2])
{
	const struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	int r = wait ? wait_for_other(stream, parts) : ipckit_ring_wait(stream->ring, &now, parts);

	if (r)
		return r;
	if (parts[0].iov_len > stream->chunk)
		parts[0].iov_len = stream->chunk;
	if (parts[1].iov_len > stream->chunk - parts[0].iov_len)
		parts[1].iov_len = stream->chunk - parts[0].iov_len;
	return 0;
}

void stream_pass(struct stream *stream, size_t size)
{
	ipckit_ring_pass(stream->ring, size);
	cli_progress_step(&stream->progress, ipckit_ring_passed(stream->ring));
}

int stream_look(struct stream *stream)
{
	struct iovec parts[2];
	int r = stream_wait(stream, false, parts);

	return r && r != -EAGAIN ? r : is_alone(stream);
}

int stream_await(struct stream *stream, int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int r = 0;

	while (!r && !poll(&ready, 1, LOOK_AWAY_MS))
		r = stream_look(stream);
	return r;
}

int stream_fail(struct stream *stream, int error)
{
	const char *object = stream->object;
	struct cli *cli = stream->cli;

	cli_progress_end(&stream->progress);
	stream->lost = error == -EFAULT;
	switch (error) {
	case -EPIPE:
		return cli_fail(cli, object, EOWNERDEAD, "the reader has gone before the stream's end");
	case -EOWNERDEAD:
		return cli_fail(cli, object, error,
				"the stream is not whole: its writer, or a reader before, has gone in the middle");
	case -EBADMSG:
		return cli_fail(cli, object, error, "what lies in it is no ring any more");
	}
	return shmtool_fail_wait(cli, object, stream->backend, error, timeout_text);
}
