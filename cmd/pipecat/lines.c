/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lines_open(int fd, struct lines *out)
{
	/* A newline may have to be put behind all of it. */
	char *buffer = malloc(LINES_ROOM + 1);

	if (!buffer)
		return -ENOMEM;
	*out = (struct lines){ .fd = fd, .buffer = buffer };
	return 0;
}

void lines_close(struct lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}

/* ---- reading ---- */

int lines_await(int fd, short events, const struct lines_wait *wait)
{
	struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = wait->sink } };
	struct ipckit_deadline deadline;
	struct timespec left;
	int r, n;

	ipckit_deadline_in(wait->idle, &deadline);
	deadline.stop = wait->stop;
	do {
		r = ipckit_deadline_left(&deadline, &left);
		if (r == -EINTR)
			return r;
		/* At the end, or where it is not waited for, it is looked at once. */
		if (r)
			left = (struct timespec){ 0 };
		n = ppoll(fds, 2, deadline.kind == IPCKIT_DEADLINE_NONE ? NULL : &left, NULL);
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n <= 0 && !r);
	if (n <= 0)
		return r;
	return fds[1].revents ? -EPIPE : 0;
}

static void end(struct lines *lines)
{
	size_t unread = lines_unread(lines);

	lines->ended = true;
	if (unread ? lines->buffer[lines->end - 1] != '\n' : lines->inside) {
		lines->buffer[lines->end++] = '\n';
		lines->read++;
	}
}

static void move_to_front(struct lines *lines)
{
	memmove(lines->buffer, lines->buffer + lines->next, lines_unread(lines));
	lines->end -= lines->next;
	lines->next = 0;
}

int lines_fill(struct lines *lines, const struct lines_wait *wait)
{
	ssize_t n;
	int r;

	if (lines->next)
		move_to_front(lines);
	do {
		r = lines_await(lines->fd, POLLIN, wait);
		if (r)
			return r;
		n = read(lines->fd, lines->buffer + lines->end, LINES_ROOM - lines->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	lines->read += (uint64_t)n;
	if (!n)
		end(lines);
	return 0;
}

/* ---- lines ---- */

size_t lines_look(struct lines *lines, size_t most, const char **data)
{
	char *from = lines->buffer + lines->next, *last;
	size_t unread = lines_unread(lines);

	*data = from;
	last = memrchr(from, '\n', unread < most ? unread : most);
	if (!last && unread > most) {
		last = memchr(from + lines->searched, '\n', unread - lines->searched);
		if (!last)
			lines->searched = unread;
	}
	return last ? (size_t)(last + 1 - from) : 0;
}

void lines_pass(struct lines *lines, size_t size)
{
	const char *from = lines->buffer + lines->next;

	for (size_t i = 0; i < size; i++)
		lines->passed += from[i] == '\n';
	lines->inside = from[size - 1] != '\n';
	lines->next += size;
	lines->searched = 0;
}
