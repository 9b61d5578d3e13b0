/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reads and writes that do not wait, of every kind of descriptor, whose flags stay as they are. */

#include "relays.h"

#include "io.h"

#include <sys/resource.h>
#include <sys/socket.h>

struct row {
	enum kind made;
	enum io_kind kind;
};

static const struct row rows[] = {
	{ A_FILE, IO_FILE },	   { AN_APPENDED, IO_FILE }, { A_PIPE, IO_PIPE },   { A_FIFO, IO_PIPE },
	{ A_UNIX, IO_STREAM },	   { A_TCP, IO_STREAM },     { A_NULL, IO_NULL },   { A_TERMINAL, IO_DEVICE },
	{ A_UNIX_NOW, IO_STREAM },
};

static void check_reading(const struct row *row)
{
	struct end end = make_end(row->made, true);
	const char *name = kind_names[row->made];
	int flags = fcntl(end.own, F_GETFL);
	bool waits = end.other >= 0;
	char text[10];
	struct io io;

	if (!CHECK_INT_FOR(name, io_open(end.own, O_RDONLY, &io), 0))
		return;
	CHECK_INT_FOR(name, io.kind, row->kind);
	CHECK_INT_FOR(name, io_poll(&io).events, POLLIN);
	CHECK_INT_FOR(name, io_read(&io, text, sizeof(text)), waits ? -EAGAIN : 0);
	if (waits) {
		write_all(end.other, (const unsigned char *)"abc", 3);
		CHECK_INT_FOR(name, sys_poll(end.own, POLLIN, NULL), 1);
		CHECK_INT_FOR(name, io_read(&io, text, sizeof(text)), 3);
		CHECK_FOR(name, !memcmp(text, "abc", 3));
		CHECK_INT_FOR(name, io_read(&io, text, sizeof(text)), -EAGAIN);
		close(end.other);
		end.other = -1;
		CHECK_INT_FOR(name, sys_poll(end.own, POLLIN, NULL), 1);
		/* A terminal that is hung up. */
		CHECK_INT_FOR(name, io_read(&io, text, sizeof(text)), 0);
		CHECK_FOR(name, io_is_over(&io));
	}
	CHECK_INT_FOR(name, fcntl(end.own, F_GETFL), flags);
	io_close(&io);
	close_end(&end);
}

static void check_writing(const struct row *row)
{
	struct end end = make_end(row->made, false);
	const char *name = kind_names[row->made];
	static char data[100000], taken[100000];
	int flags = fcntl(end.own, F_GETFL);
	bool waits = end.other >= 0;
	struct pollfd polled;
	int64_t all = 0, n = 0, i;
	struct io io;

	if (!CHECK_INT_FOR(name, io_open(end.own, O_WRONLY, &io), 0))
		return;
	polled = io_poll(&io);
	/* What a terminal has taken moves on by itself, and then it takes more. */
	for (i = 0; i < (waits ? 10000 : 3); i++) {
		n = io_write(&io, data, sizeof(data));
		if (n < 0 && (n != -EAGAIN || !poll(&polled, 1, row->made == A_TERMINAL ? 20 : 0)))
			break;
		all += n > 0 ? n : 0;
	}
	CHECK_INT_FOR(name, n, waits ? -EAGAIN : 100000);
	if (waits) {
		/*
		 * TCP says that it can be written to when a good part of it is free, and not before it is
		 * known.
		 */
		for (i = 0; i < all && poll(&polled, 1, i ? 10 : 0) <= 0; i += n) {
			n = read(end.other, taken, sizeof(taken));
			if (!CHECK_FOR(name, n > 0))
				break;
		}
		CHECK_FOR(name, io_write(&io, data, sizeof(data)) > 0);
		CHECK_INT_FOR(name, io_gone(&io, 0), 0);
	}
	CHECK_INT_FOR(name, fcntl(end.own, F_GETFL), flags);
	io_close(&io);
	close_end(&end);
}

static void check_gone(enum kind kind, int want)
{
	struct end end = make_end(kind, false);
	const char *name = kind_names[kind];
	struct pollfd polled = { .fd = end.own };
	struct io io;

	if (!CHECK_INT_FOR(name, io_open(end.own, O_WRONLY, &io), 0))
		return;
	CHECK_INT_FOR(name, poll(&polled, 1, 0), 0);
	close(end.other);
	end.other = -1;
	CHECK_INT_FOR(name, poll(&polled, 1, 1000), 1);
	CHECK_INT_FOR(name, io_gone(&io, polled.revents), want);
	CHECK_INT_FOR(name, io_write(&io, "x", 1), want);
	io_close(&io);
	close_end(&end);
}

/* An empty message is no end, also of a socket for which both are a read of 0 bytes. */
static void check_messages(int type)
{
	char text[10];
	struct io in, out;
	int pair[2];

	need(!socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), "a socket");
	CHECK_INT(io_open(pair[0], O_RDONLY, &in), 0);
	CHECK_INT(io_open(pair[1], O_WRONLY, &out), 0);
	CHECK_INT(in.kind, IO_MESSAGES);
	CHECK_INT(io_read(&in, text, 10), -EAGAIN);
	CHECK_INT(io_write(&out, "", 0), 0);
	CHECK_INT(io_write(&out, "0123456789", 10), 10);
	CHECK_INT(io_write(&out, "0123456789x", 11), 11);
	CHECK_INT(io_read(&in, text, 10), 0);
	CHECK(!io_is_over(&in));
	CHECK_INT(io_read(&in, text, 10), 10);
	CHECK_INT(io_read(&in, text, 10), -EMSGSIZE);
	CHECK_INT(io_read(&in, text, 10), -EAGAIN);
	close(pair[1]);
	if (type == SOCK_SEQPACKET) {
		CHECK_INT(io_read(&in, text, 10), 0);
		CHECK(io_is_over(&in));
	}
	close(pair[0]);
}

static void check_limit(void)
{
	struct rlimit before, limit;
	int file = make_file();
	char data[100] = "";
	struct io io;

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 150;
	need(!setrlimit(RLIMIT_FSIZE, &limit), "a limit");
	CHECK_INT(io_open(file, O_WRONLY, &io), 0);
	CHECK_INT(io_room(&io, 1000), 150);
	CHECK_INT(io_write(&io, data, 100), 100);
	CHECK_INT(io_write(&io, data, 100), 50);
	CHECK_INT(io_write(&io, data, 100), -EFBIG);
	CHECK_INT(io_room(&io, 1), -EFBIG);
	lseek(file, 0, SEEK_SET);
	CHECK_INT(io_room(&io, 1), 1);
	fcntl(file, F_SETFL, O_APPEND);
	CHECK_INT(io_write(&io, data, 100), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	close(file);
}

static void check_refused(void)
{
	int pair[2], path = open("/dev/null", O_PATH | O_CLOEXEC), directory = open("/", O_RDONLY | O_CLOEXEC);
	struct io io;

	make_pair(A_PIPE, pair);
	CHECK_INT(io_open(pair[0], O_WRONLY, &io), -EBADF);
	CHECK_INT(io_open(pair[1], O_RDONLY, &io), -EBADF);
	CHECK_INT(io_open(path, O_RDONLY, &io), -EBADF);
	CHECK_INT(io_open(directory, O_RDONLY, &io), -EISDIR);
	close(pair[0]);
	CHECK_INT(io_open(pair[0], O_RDONLY, &io), -EBADF);
	close(pair[1]);
	close(path);
	close(directory);
}

/* Of the devices beside /dev/null one waits. */
static void check_devices(void)
{
	static const struct {
		const char *path;
		enum io_kind kind;
	} devices[] = {
		{ "/dev/null", IO_NULL },    { "/dev/zero", IO_NULL },     { "/dev/full", IO_NULL },
		{ "/dev/urandom", IO_NULL }, { "/dev/random", IO_DEVICE }, { "/dev/kmsg", IO_DEVICE },
	};
	struct io io;

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		int fd = open(devices[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			printf("# %s: %s\n", devices[i].path, strerror(errno));
			continue;
		}
		if (CHECK_INT_FOR(devices[i].path, io_open(fd, O_RDONLY, &io), 0))
			CHECK_INT_FOR(devices[i].path, io.kind, devices[i].kind);
		io_close(&io);
		close(fd);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		check_reading(&rows[i]);
		check_writing(&rows[i]);
	}
	check_gone(A_PIPE, -EPIPE);
	check_gone(A_FIFO, -EPIPE);
	check_gone(A_UNIX, -EPIPE);
	check_gone(A_TERMINAL, -EIO);
	check_messages(SOCK_SEQPACKET);
	check_messages(SOCK_DGRAM);
	check_limit();
	check_devices();
	check_refused();
	return unit_done("io");
}
