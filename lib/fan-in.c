/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fan.h"

#include <ipckit/pipe.h>

#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)128 << 10) /* of a read: whole pages, so that of a pipe none is begun */
#define ROOM (2 * CHUNK)          /* at first */
#define LONGEST (SIZE_MAX / 4)
#define CAPACITY ((uint64_t)256 << 10)

struct fan_source {
	struct io io;
	struct ipckit_fan_state *state;
	char *buffer;
	size_t room, end;
	size_t searched; /* bytes of it that hold no separator */
	bool dry;        /* there was nothing to be read */
	bool opened;     /* a FIFO that did not wait for that: by a writer, too */
};

struct fan_in {
	const struct ipckit_relay *relay;
	const struct ipckit_fan_spec *spec;
	struct fan_pace pace;
	struct fan_source *sources;
	size_t count, live;
	struct pollfd *polled; /* the sources, then the sink */
	struct io sink;
	bool unwatched; /* poll(2) tells something of the sink that is no failure */
};

/* ---- the sink ---- */

static int wait_for_sink(struct fan_in *fan)
{
	struct pollfd polled = io_poll(&fan->sink);

	return fan_wait(&fan->pace, &polled, 1);
}

/* A whole number of records, all of them one after the other. written: also where that fails. */
static int write_all(struct fan_in *fan, const char *data, size_t size, uint64_t *written)
{
	size_t done = 0;
	int r = 0;

	while (!r && done < size) {
		ssize_t n = io_write(&fan->sink, data + done, size - done);

		if (n == -EAGAIN) {
			r = wait_for_sink(fan);
		} else if (n < 0) {
			r = (int)n;
		} else {
			done += (size_t)n;
			fan->pace.moved = true;
		}
	}
	*written += done;
	return r;
}

/* ---- records ---- */

static bool has_separator(const struct fan_in *fan)
{
	return fan->spec->separator >= 0;
}

/* The bytes of the first record, with its separator; 0: it is not complete. */
static size_t record_size(const struct fan_in *fan, const char *data, size_t size)
{
	const char *end;

	if (!has_separator(fan))
		return size < fan->spec->record ? 0 : (size_t)fan->spec->record;
	end = memchr(data, fan->spec->separator, size);
	return end ? (size_t)(end - data) + 1 : 0;
}

/* How many bytes at the beginning are complete records. */
static size_t whole_records(const struct fan_in *fan, const struct fan_source *source)
{
	const char *from = source->buffer + source->searched, *last;

	if (!has_separator(fan))
		return source->end - source->end % fan->spec->record;
	last = memrchr(from, fan->spec->separator, source->end - source->searched);
	return last ? (size_t)(last - source->buffer) + 1 : 0;
}

/* In pieces of a size that is known when this is compiled: that is several times as fast. */
static uint64_t count_bytes(const char *data, size_t size, char byte)
{
	enum { PIECE = 64 };
	uint64_t count = 0;
	size_t at = 0;

	for (; size - at >= PIECE; at += PIECE) {
		unsigned char n = 0;

		for (size_t i = 0; i < PIECE; i++)
			n += data[at + i] == byte;
		count += n;
	}
	for (; at < size; at++)
		count += data[at] == byte;
	return count;
}

/* The complete records up to the first that is too long: their bytes. */
static size_t good_records(const struct fan_in *fan, struct fan_source *source)
{
	size_t whole = whole_records(fan, source), good = 0, n;

	if (!has_separator(fan)) {
		source->state->records += whole / fan->spec->record;
		return whole;
	}
	if (whole <= fan->spec->longest) {
		source->state->records += count_bytes(source->buffer, whole, (char)fan->spec->separator);
		return whole;
	}
	for (; good < whole; good += n) {
		n = record_size(fan, source->buffer + good, whole - good);
		if (n - 1 > fan->spec->longest)
			break;
		source->state->records++;
	}
	return good;
}

/* Each is a message of its own where the sink has boundaries. */
static int write_records(struct fan_in *fan, struct fan_source *source, size_t size)
{
	size_t n, at;
	int r = 0;

	if (fan->sink.kind != IO_MESSAGES)
		return write_all(fan, source->buffer, size, &source->state->bytes);
	for (at = 0; !r && at < size; at += n) {
		n = record_size(fan, source->buffer + at, size - at);
		r = write_all(fan, source->buffer + at, n, &source->state->bytes);
	}
	return r;
}

static int pass_records(struct fan_in *fan, struct fan_source *source)
{
	uint64_t before = source->state->bytes;
	size_t good = good_records(fan, source);
	int r = write_records(fan, source, good);

	if (r)
		source->state->dropped += good - (source->state->bytes - before);
	source->end -= good;
	memmove(source->buffer, source->buffer + good, source->end);
	source->searched = source->end;
	return r;
}

/* ---- sources ---- */

static void leave_out(struct fan_in *fan, struct fan_source *source, int error)
{
	fan->live--;
	source->state->dropped += source->end;
	io_close(&source->io);
	free(source->buffer);
	source->buffer = NULL;
	fan_end(fan->relay, source->state, error);
}

/* One place is kept for a separator that is missing. */
static int make_room(const struct fan_in *fan, struct fan_source *source)
{
	size_t most = (size_t)fan->spec->longest + 2, room = source->room * 2 < most ? source->room * 2 : most;
	char *buffer;

	if (source->end + 1 < source->room)
		return 0;
	buffer = realloc(source->buffer, room);
	if (!buffer)
		return -ENOMEM;
	source->buffer = buffer;
	source->room = room;
	return 0;
}

static int read_source(struct fan_in *fan, struct fan_source *source, bool *ended)
{
	int r = make_room(fan, source);
	size_t size;
	ssize_t n;

	if (r)
		return r;
	size = source->room - source->end - 1;
	if (size > CHUNK && source->io.kind != IO_MESSAGES)
		size = CHUNK;
	n = io_read(&source->io, source->buffer + source->end, size);
	source->dry = n == -EAGAIN;
	if (n < 0)
		return (int)n;
	source->end += (size_t)n;
	*ended = !n && io_is_over(&source->io);
	return 0;
}

/* A last record without an end gets one, and so does each message. */
static void complete(const struct fan_in *fan, struct fan_source *source, bool ended)
{
	const char separator = (char)fan->spec->separator;
	bool message = source->io.kind == IO_MESSAGES && !ended;

	if (!has_separator(fan) || !(message || (ended && source->end)))
		return;
	if (!source->end || source->buffer[source->end - 1] != separator)
		source->buffer[source->end++] = separator;
}

/* What is left of a source, if it has ended, is no record: 0 or why it is to be left out. */
static int check_rest(const struct fan_in *fan, const struct fan_source *source, bool ended)
{
	if (has_separator(fan) && source->end > fan->spec->longest)
		return -EMSGSIZE;
	return ended && source->end ? -EBADMSG : 0;
}

/* One turn. Returns an error of the sink, or what ends the run. */
static int serve(struct fan_in *fan, struct fan_source *source)
{
	bool ended = false;
	int error = read_source(fan, source, &ended), r;

	/* Of a FIFO that never had a writer this says that it has ended, and poll(2) nothing. */
	if (ended && !source->opened)
		return 0;
	source->opened = true;
	if (error == -EAGAIN)
		return 0;
	fan->pace.moved = true;
	complete(fan, source, ended || error);
	r = pass_records(fan, source);
	if (r)
		return r;
	error = error ?: check_rest(fan, source, ended);
	if (error || ended)
		leave_out(fan, source, error);
	return 0;
}

/* ---- the run ---- */

static int wait(struct fan_in *fan)
{
	struct pollfd *polled = fan->polled;
	size_t n = fan->count;
	int r;

	for (size_t i = 0; i < n; i++) {
		polled[i] = io_poll(&fan->sources[i].io);
		if (fan->sources[i].state->ended)
			polled[i].fd = -1;
	}
	polled[n] = (struct pollfd){ .fd = fan->unwatched ? -1 : fan->sink.fd };
	r = fan_wait(&fan->pace, polled, n + 1);
	if (r || !polled[n].revents)
		return r;
	r = io_gone(&fan->sink, polled[n].revents);
	fan->unwatched = !r;
	return r;
}

/* Of a single one it need not be asked whether there is more. */
static bool is_flowing(const struct fan_in *fan, const struct fan_source *source)
{
	return fan->live == 1 && !source->dry;
}

static int serve_all(struct fan_in *fan)
{
	int r = 0;

	for (size_t i = 0; !r && i < fan->count; i++) {
		struct fan_source *source = &fan->sources[i];

		if (source->state->ended || !fan->polled[i].revents)
			continue;
		source->opened = true;
		do
			r = serve(fan, source) ?: fan_step(&fan->pace);
		while (!r && !source->state->ended && is_flowing(fan, source));
	}
	return r;
}

/* ---- FIFOs without a writer ---- */

static bool is_awaited(const struct fan_source *source)
{
	return !source->opened && !source->state->ended;
}

static bool any_is_awaited(const struct fan_in *fan)
{
	for (size_t i = 0; i < fan->count; i++)
		if (is_awaited(&fan->sources[i]))
			return true;
	return false;
}

/* poll(2) has said nothing of them: writers may be there that have written nothing. */
static int ask(struct fan_in *fan)
{
	int r = 0;

	for (size_t i = 0; !r && i < fan->count; i++)
		if (is_awaited(&fan->sources[i]))
			r = serve(fan, &fan->sources[i]);
	return r;
}

/* Nothing has moved: no silence as long as not all were open. */
static int check_silence(struct fan_in *fan)
{
	if (!any_is_awaited(fan))
		return -ETIMEDOUT;
	fan->pace.moved = true;
	return ask(fan);
}

static int leave_late_out(struct fan_in *fan)
{
	int r = ask(fan);

	for (size_t i = 0; !r && i < fan->count; i++)
		if (is_awaited(&fan->sources[i]))
			leave_out(fan, &fan->sources[i], -ETIMEDOUT);
	return r;
}

/* ---- all ---- */

static int step(struct fan_in *fan)
{
	int r = wait(fan);

	if (r == -ETIMEDOUT)
		r = check_silence(fan);
	r = r ?: serve_all(fan);
	return !r && fan_is_late(&fan->pace) ? leave_late_out(fan) : r;
}

static int run(struct fan_in *fan)
{
	int r = 0;

	while (!r && fan->live)
		r = step(fan);
	return r;
}

/* ---- from beginning to end ---- */

/* A message is read as a whole, and so is a record of fixed size. */
static size_t room_for(const struct fan_in *fan, const struct fan_source *source)
{
	size_t least = has_separator(fan) ? 0 : (size_t)fan->spec->record + 1;

	if (source->io.kind == IO_MESSAGES && least < fan->spec->longest + 2)
		least = (size_t)fan->spec->longest + 2;
	return least > ROOM ? least : ROOM;
}

static int open_source(struct fan_in *fan, struct fan_source *source, int from, int to)
{
	int r = fan_is_circle(from, to) ? -EINVAL : io_open(from, O_RDONLY, &source->io);

	if (r)
		return r;
	source->opened = source->io.kind != IO_PIPE || !(fcntl(from, F_GETFL) & O_NONBLOCK);
	ipckit_pipe_grow(from, CAPACITY);
	source->room = room_for(fan, source);
	source->buffer = malloc(source->room);
	return source->buffer ? 0 : -ENOMEM;
}

static void close_all(struct fan_in *fan)
{
	for (size_t i = 0; fan->sources && i < fan->count; i++) {
		struct fan_source *source = &fan->sources[i];

		if (source->buffer)
			source->state->dropped += source->end;
		io_close(&source->io);
		free(source->buffer);
	}
	io_close(&fan->sink);
	free(fan->sources);
	free(fan->polled);
}

static int check(const struct ipckit_fan_spec *spec)
{
	if (spec->separator < 0 && !spec->record)
		return -EINVAL;
	return spec->record > LONGEST || spec->longest > LONGEST ? -EINVAL : 0;
}

int ipckit_fan_in(const struct ipckit_relay *relay, const struct ipckit_fan_spec *spec, const int *from, size_t count,
		  int to, struct ipckit_fan_state *states)
{
	struct fan_in fan = {
		.relay = relay,
		.spec = spec,
		.count = count,
		.live = count,
		.sources = calloc(count, sizeof(*fan.sources)),
		.polled = calloc(count + 1, sizeof(*fan.polled)),
	};
	int r = fan.sources && fan.polled ? check(spec) ?: io_open(to, O_WRONLY, &fan.sink) : -ENOMEM;

	for (size_t i = 0; i < count; i++)
		states[i] = (struct ipckit_fan_state){ 0 };
	for (size_t i = 0; !r && i < count; i++) {
		fan.sources[i].state = &states[i];
		r = open_source(&fan, &fan.sources[i], from[i], to);
	}
	if (!r) {
		ipckit_pipe_grow(to, CAPACITY);
		fan_begin(&fan.pace, relay, &spec->opening);
		r = run(&fan);
	}
	close_all(&fan);
	return r;
}
