/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM (256 * 1024)
#define QUOTED_MAX 40

_Static_assert(ROOM > INPUT_NAME_MAX * 2, "what a fill may be asked for must fit");

int problem_at(struct problem *problem, struct place place, const char *format, ...)
{
	va_list args;

	problem->place = place;
	va_start(args, format);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	return -EBADMSG;
}

/* One byte as it stands in quotes. Returns how many characters that takes. */
static size_t quote_byte(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = c;
		return 2;
	}
	if (c >= ' ' && c <= '~') {
		out[0] = c;
		return 1;
	}
	memcpy(out, "\\x", 2);
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

const char *quoted(const char *text, size_t length)
{
	static char buffers[4][QUOTED_MAX * 4 + sizeof("\"\"...")];
	static unsigned turn;
	char *buffer = buffers[turn++ % 4], *out = buffer;
	size_t shown = length > QUOTED_MAX ? QUOTED_MAX : length;

	*out++ = '"';
	for (size_t i = 0; i < shown; i++)
		out += quote_byte(out, text[i]);
	*out++ = '"';
	strcpy(out, length > shown ? "..." : "");
	return buffer;
}

/* ---- the stream ---- */

static int open_source(struct source *source)
{
	source->buffer = malloc(ROOM + 1);
	if (!source->buffer)
		return -ENOMEM;
	source->room = ROOM;
	source->buffer[0] = '\0';
	source->next = source->end = source->buffer;
	return 0;
}

int source_open_fd(struct source *source, int fd)
{
	*source = (struct source){ .fd = fd };
	return open_source(source);
}

int source_open_memory(struct source *source, const char *data, size_t size, size_t step)
{
	*source = (struct source){ .fd = -1, .memory = data, .left = size, .step = step ?: ROOM };
	return open_source(source);
}

void source_close(struct source *source)
{
	free(source->buffer);
	*source = (struct source){ .fd = -1, .ended = true };
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

static ssize_t copy_memory(struct source *source, char *to, size_t room)
{
	size_t size = least_of(least_of(source->left, source->step), room);

	if (!size)
		return 0;
	memcpy(to, source->memory, size);
	source->memory += size;
	source->left -= size;
	return size;
}

static ssize_t read_fd(int fd, char *to, size_t room)
{
	ssize_t got;

	do {
		got = read(fd, to, room);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* Moves what is unread to the front of the buffer. Returns how much that is. */
static size_t keep_unread(struct source *source)
{
	size_t kept = source->end - source->next;

	source->offset += source->next - source->buffer;
	memmove(source->buffer, source->next, kept);
	source->next = source->buffer;
	source->end = source->buffer + kept;
	source->buffer[kept] = '\0';
	return kept;
}

size_t source_fill(struct source *source, size_t least)
{
	size_t have = source->end - source->next;

	if (have >= least || source->ended)
		return have;
	have = keep_unread(source);
	least = least_of(least, source->room);
	while (have < least && !source->ended) {
		char *to = source->buffer + have;
		ssize_t got = source->fd < 0 ? copy_memory(source, to, source->room - have) :
					       read_fd(source->fd, to, source->room - have);

		if (got <= 0) {
			source->ended = true;
			source->error = got;
			break;
		}
		have += got;
		source->end = source->buffer + have;
		source->buffer[have] = '\0';
	}
	return have;
}

void source_pass_line(struct source *source)
{
	do {
		const char *newline = memchr(source->next, '\n', source->end - source->next);

		source->next = newline ? newline : source->end;
		if (newline)
			return;
	} while (source_fill(source, 1));
}
