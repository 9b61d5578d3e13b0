/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A program of its own that speaks the layout of a ring (see the comment of ipckit/ring.h) from scratch.
 *
 *   ring-peer write PATH   standard input into the ring in a file, as one stream
 *   ring-peer read PATH    the ring's stream to standard output
 *
 * The file has its size already. Exit status: 0; 1 where the end is taken; 7 where the stream is broken; 99
 * for all else.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { IDLE, STREAM, COMPLETE, BROKEN };

struct end {
	_Atomic uint32_t owner, sleeps, state, clears;
	_Atomic uint64_t position, begin;
	char unused[32];
};

static struct ring {
	_Atomic uint64_t magic;
	uint32_t version, data;
	uint64_t size;
	char unused[40];
	struct end writer, reader;
	char unused_lines[320];
	char bytes[];
} *ring;

static struct end *mine, *other;
static struct { struct robust_list_head head; struct robust_list node; } robust;

static bool gone(uint32_t owner)
{
	return !(owner & FUTEX_TID_MASK);
}

static void die(const char *what)
{
	perror(what);
	exit(99);
}

/* ---- waking and sleeping ---- */

static void tell(void)
{
	if (atomic_exchange(&other->sleeps, 0))
		syscall(SYS_futex, &other->sleeps, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Sleeps unless ready() holds, which is asked after the sleep was announced. */
static void nap(bool (*ready)(void))
{
	struct futex_waitv words[2] = {
		{ .val = 1, .uaddr = (uintptr_t)&mine->sleeps, .flags = FUTEX_32 },
		{ .uaddr = (uintptr_t)&other->owner, .flags = FUTEX_32 },
	};

	atomic_store(&mine->sleeps, 1);
	words[1].val = atomic_fetch_or(&other->owner, FUTEX_WAITERS) | FUTEX_WAITERS;
	if (!ready() && syscall(SYS_futex_waitv, words, 2, 0, NULL, CLOCK_MONOTONIC) < 0 && errno != EAGAIN &&
	    errno != EINTR)
		die("futex_waitv");
	atomic_store(&mine->sleeps, 0);
}

static void wait_for(bool (*ready)(void))
{
	while (!ready())
		nap(ready);
}

/* ---- ownership ---- */

static void take(void)
{
	uint32_t seen = mine->owner, self = (uint32_t)syscall(SYS_gettid);

	robust.head.list.next = &robust.head.list;
	robust.head.futex_offset = (long)((char *)&mine->owner - (char *)&robust.node);
	robust.node.next = &robust.head.list;
	if (syscall(SYS_set_robust_list, &robust.head, sizeof(robust.head)))
		die("set_robust_list");
	robust.head.list_op_pending = &robust.node;
	atomic_signal_fence(memory_order_seq_cst);
	do {
		if (!gone(seen))
			exit(1);
	} while (!atomic_compare_exchange_weak(&mine->owner, &seen, self | (seen & FUTEX_WAITERS)));
	robust.head.list.next = &robust.node;
	atomic_signal_fence(memory_order_seq_cst);
	robust.head.list_op_pending = NULL;
	mine->sleeps = 0;
}

static void leave(uint32_t value)
{
	robust.head.list_op_pending = &robust.node;
	atomic_signal_fence(memory_order_seq_cst);
	robust.head.list.next = &robust.head.list;
	if (atomic_exchange(&mine->owner, value) & FUTEX_WAITERS)
		syscall(SYS_futex, &mine->owner, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	atomic_signal_fence(memory_order_seq_cst);
	robust.head.list_op_pending = NULL;
}

static int broken(const char *why)
{
	fprintf(stderr, "ring-peer: %s\n", why);
	return 7;
}

/* ---- writing ---- */

static void drop(void)
{
	ring->writer.clears = 1;
	if (gone(ring->reader.owner)) {
		ring->reader.position = ring->writer.position;
		ring->reader.state = IDLE;
		ring->writer.state = IDLE;
	}
	ring->writer.clears = 0;
	tell();
}

static bool idle(void)
{
	uint32_t state = ring->writer.state;
	bool nobody = gone(ring->reader.owner), begun = ring->reader.position != ring->writer.begin;

	if (nobody && (state == IDLE || state == BROKEN || (state == COMPLETE && begun)))
		drop();
	return ring->writer.state == IDLE;
}

static bool reader_gone(void)
{
	uint32_t owner = ring->reader.owner, state = ring->reader.state;

	if (gone(owner) && owner & FUTEX_OWNER_DIED && state == STREAM && ring->reader.owner == owner)
		return true;
	return ring->reader.begin > ring->writer.begin;
}

static bool room_or_gone(void)
{
	return reader_gone() || ring->writer.position - ring->reader.position < ring->size;
}

static int put(const char *data, size_t size)
{
	while (size) {
		uint64_t at = ring->writer.position, n, room;

		wait_for(room_or_gone);
		if (reader_gone())
			return broken("the reader has gone");
		room = ring->size - (at - ring->reader.position);
		n = ring->size - at % ring->size;
		n = n < room ? n : room;
		n = n < size ? n : size;
		memcpy(ring->bytes + at % ring->size, data, n);
		ring->writer.position = at + n;
		tell();
		data += n;
		size -= n;
	}
	return 0;
}

static int write_stream(void)
{
	static char buffer[10007];
	uint32_t expected = STREAM;
	ssize_t n;
	int r;

	take();
	ring->writer.clears = 0;
	atomic_compare_exchange_strong(&ring->writer.state, &expected, BROKEN);
	tell();
	wait_for(idle);
	ring->writer.begin = ring->writer.position;
	ring->writer.state = STREAM;
	tell();
	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		r = put(buffer, (size_t)n);
		if (r) {
			leave(FUTEX_OWNER_DIED);
			return r;
		}
	}
	if (n < 0)
		die("read");
	ring->writer.state = COMPLETE;
	tell();
	leave(0);
	return 0;
}

/* ---- reading ---- */

static bool cleared(void)
{
	return !ring->writer.clears || gone(ring->writer.owner);
}

/* The stream's state at its end, IDLE before. */
static uint32_t end_state(void)
{
	uint32_t state = ring->writer.state;
	bool left = gone(ring->writer.owner);

	if (ring->writer.position != ring->reader.position)
		return IDLE;
	if (state == STREAM && (!left || ring->writer.state != STREAM))
		return IDLE;
	return state;
}

static bool bytes_or_end(void)
{
	return ring->writer.position != ring->reader.position || end_state() != IDLE;
}

static void get(void)
{
	uint64_t at = ring->reader.position, used = ring->writer.position - at, n = ring->size - at % ring->size;
	ssize_t written;

	written = write(STDOUT_FILENO, ring->bytes + at % ring->size, n < used ? n : used);
	if (written <= 0)
		die("write");
	ring->reader.position = at + (uint64_t)written;
	tell();
}

static int read_stream(void)
{
	uint32_t state, seen;
	bool whole;

	take();
	wait_for(cleared);
	ring->reader.begin = ring->reader.position;
	ring->reader.state = STREAM;
	tell();
	do {
		wait_for(bytes_or_end);
		state = end_state();
		if (state == IDLE)
			get();
	} while (state == IDLE);
	whole = state == COMPLETE && ring->reader.begin <= ring->writer.begin;
	ring->reader.state = IDLE;
	seen = state;
	while (!atomic_compare_exchange_weak(&ring->writer.state, &seen, IDLE))
		;
	tell();
	leave(0);
	return whole ? 0 : broken("the stream is broken");
}

/* ---- the file ---- */

static void map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	if ((size_t)st.st_size <= sizeof(*ring))
		exit(99);
	ring = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		die("mmap");
	if (!ring->magic) {
		ring->version = 1;
		ring->data = sizeof(*ring);
		ring->size = (uint64_t)st.st_size - sizeof(*ring);
		ring->magic = UINT64_C(0x474e49524b435049);
	}
	if (ring->version != 1 || ring->data != sizeof(*ring) || ring->size != (uint64_t)st.st_size - sizeof(*ring))
		exit(99);
}

int main(int argc, char **argv)
{
	_Static_assert(sizeof(struct end) == 64 && sizeof(struct ring) == 512, "as documented");
	bool writes = argc == 3 && !strcmp(argv[1], "write");

	if (argc != 3 || (!writes && strcmp(argv[1], "read") != 0))
		return 99;
	map(argv[2]);
	mine = writes ? &ring->writer : &ring->reader;
	other = writes ? &ring->reader : &ring->writer;
	return writes ? write_stream() : read_stream();
}
