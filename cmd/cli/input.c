/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM 65536 /* what a pipe holds */

static int open_input(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	} while (fd < 0 && errno == EINTR && !cli_stopped());
	return fd < 0 ? -errno : fd;
}

int cli_records_open(const char *path, enum cli_records_mode mode, size_t limit, struct cli_records *out)
{
	bool standard = !path || !strcmp(path, "-");
	char *buffer;
	int fd = standard ? STDIN_FILENO : open_input(path);

	if (fd < 0)
		return fd;
	buffer = malloc(ROOM);
	if (!buffer) {
		if (!standard)
			close(fd);
		return -ENOMEM;
	}
	*out = (struct cli_records){
		.name = standard ? "standard input" : path,
		.fd = fd,
		.mode = mode,
		.limit = limit,
		.buffer = buffer,
		.room = ROOM,
	};
	return 0;
}

void cli_records_close(struct cli_records *records)
{
	free(records->buffer);
	if (records->fd > STDIN_FILENO)
		close(records->fd);
	*records = (struct cli_records){ .ended = true };
}

int cli_input_settle(int fd, int error)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (error == EAGAIN)
		error = poll(&wait, 1, -1) < 0 ? errno : 0;
	return error == EINTR && !cli_stopped() ? 0 : error;
}

/* Puts more behind what is unread, for which there is room. */
static int fill(struct cli_records *records)
{
	ssize_t got;
	int error = 0;

	do {
		got = read(records->fd, records->buffer + records->end, records->room - records->end);
		if (got < 0)
			error = cli_input_settle(records->fd, errno);
	} while (got < 0 && !error);
	if (error)
		return -error;
	records->end += (size_t)got;
	records->ended = !got;
	return 0;
}

static int make_room(struct cli_records *records)
{
	size_t unread = records->end - records->next;
	char *larger;

	/* The front of the buffer is what caches know. */
	if (!unread)
		records->next = records->end = 0;
	if (records->end < records->room)
		return 0;
	if (records->next) {
		memmove(records->buffer, records->buffer + records->next, unread);
		records->next = 0;
		records->end = unread;
		/* Where little was gained the next record would have to be moved soon again. */
		if (unread <= records->room / 2)
			return 0;
	}
	larger = reallocarray(records->buffer, records->room, 2);
	if (!larger)
		return -ENOMEM;
	records->buffer = larger;
	records->room *= 2;
	return 0;
}

/* Where the record ends that begins at next, or NULL: not in what has been read. */
static const char *find_end(struct cli_records *records)
{
	const char *from = records->buffer + records->next + records->searched;
	size_t size = records->end - records->next - records->searched;
	const char *end = NULL;

	if (records->mode != CLI_RECORDS_WHOLE)
		end = memchr(from, records->mode == CLI_RECORDS_NULL ? '\0' : '\n', size);
	if (!end)
		records->searched += size;
	return end;
}

static void take_all(struct cli_records *records)
{
	records->next = records->end = 0;
	records->searched = 0;
}

static void take_until(struct cli_records *records, const char *end)
{
	records->next = (size_t)(end - records->buffer) + 1;
	records->searched = 0;
}

/* Passes over the rest of a record beyond the limit. */
static int skip(struct cli_records *records)
{
	while (records->skips) {
		const char *end = find_end(records);
		int r = 0;

		if (end)
			take_until(records, end);
		else
			take_all(records);
		records->skips = !end && !records->ended;
		if (records->skips)
			r = fill(records);
		if (r)
			return r;
	}
	return 0;
}

static int refuse(struct cli_records *records)
{
	records->number++;
	records->skips = true;
	return -EMSGSIZE;
}

static int give(struct cli_records *records, const char **data, size_t *size, size_t length)
{
	records->number++;
	*data = records->buffer + records->next;
	*size = length;
	return 1;
}

/* The last record, which nothing ends. */
static int give_rest(struct cli_records *records, const char **data, size_t *size)
{
	size_t length = records->end - records->next;
	bool whole = records->mode == CLI_RECORDS_WHOLE && !records->number;

	if (!length && !whole)
		return 0;
	give(records, data, size, length);
	take_all(records);
	return 1;
}

int cli_records_next(struct cli_records *records, const char **data, size_t *size)
{
	int r = skip(records);

	while (!r) {
		const char *end = find_end(records);
		size_t length = end ? (size_t)(end - records->buffer) - records->next : records->searched;

		if (length > records->limit)
			return refuse(records);
		if (end) {
			give(records, data, size, length);
			take_until(records, end);
			return 1;
		}
		if (records->ended)
			return give_rest(records, data, size);
		r = make_room(records) ?: fill(records);
	}
	return r;
}
