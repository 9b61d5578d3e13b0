/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fan.h"

#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)256 << 10)
#define ROOM_DROPPED ((size_t)64 << 10) /* of chunks that may be dropped */
#define ROOM_LINES ((size_t)1 << 20)
#define LONGEST_DATAGRAM 65507 /* of UDP */

/* ---- taking ---- */

/* How much of what was read is a chunk: 0, more is needed. */
static size_t chunk(const struct fan_out *fan)
{
	const char *last;

	if (fan->spec->separator < 0 || fan->source.kind == IO_MESSAGES || fan->ended)
		return fan->end;
	last = memrchr(fan->buffer, fan->spec->separator, fan->end);
	if (last)
		return (size_t)(last - fan->buffer) + 1;
	return fan->end == fan->room ? fan->end : 0;
}

/* Not before all have taken it. */
static void discard(struct fan_out *fan)
{
	fan->end -= fan->size;
	memmove(fan->buffer, fan->buffer + fan->size, fan->end);
	fan->size = 0;
}

static int take(struct fan_out *fan)
{
	bool messages = fan->source.kind == IO_MESSAGES;
	ssize_t n;

	discard(fan);
	do {
		n = io_read(&fan->source, fan->buffer + fan->end, fan->room - fan->end);
		if (n < 0)
			return (int)n;
		fan->ended = !n && io_is_over(&fan->source);
		fan->end += (size_t)n;
		fan->size = chunk(fan);
	} while (!fan->size && !fan->ended && !messages);
	return fan->size || !fan->ended;
}

/* ---- giving ---- */

static int push(struct fan_sink *sink)
{
	/* An empty message is one, too. */
	ssize_t n = sink->left || sink->io.kind == IO_MESSAGES ? io_write(&sink->io, sink->rest, sink->left) : 0;

	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	sink->state->bytes += (size_t)n;
	sink->rest += n;
	sink->left -= (size_t)n;
	sink->holds = sink->left;
	return 0;
}

static int give(struct fan_out *fan, struct fan_sink *sink, bool last)
{
	int r;

	(void)last;
	sink->rest = fan->buffer;
	sink->left = fan->size;
	sink->holds = true;
	r = push(sink);
	if (r || !sink->holds || !sink->own)
		return r;
	memcpy(sink->own, sink->rest, sink->left);
	sink->rest = sink->own;
	return 0;
}

/* ---- opening ---- */

static size_t room_for(const struct fan_out *fan)
{
	size_t room = fan->spec->drop_slow ? ROOM_DROPPED : ROOM;

	if (fan->spec->separator >= 0)
		return ROOM_LINES;
	if (fan->source.kind == IO_MESSAGES)
		return ROOM;
	for (size_t i = 0; i < fan->count; i++)
		if (fan->sinks[i].io.kind == IO_MESSAGES && room > LONGEST_DATAGRAM)
			room = LONGEST_DATAGRAM;
	return room;
}

static void close_copies(struct fan_out *fan)
{
	free(fan->buffer);
	for (size_t i = 0; i < fan->count; i++)
		free(fan->sinks[i].own);
}

static int allocate(struct fan_out *fan)
{
	fan->room = room_for(fan);
	fan->buffer = malloc(fan->room);
	if (!fan->buffer)
		return -ENOMEM;
	for (size_t i = 0; fan->spec->drop_slow && i < fan->count; i++) {
		fan->sinks[i].own = malloc(fan->room);
		if (!fan->sinks[i].own)
			return -ENOMEM;
	}
	return 0;
}

int fan_copy_open(struct fan_out *fan)
{
	static const struct fan_way way = {
		.take = take, .give = give, .push = push, .close = close_copies,
	};

	fan->way = &way;
	return allocate(fan);
}
