/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Streams through a ring, between processes: whole, byte for byte, through rings of any size; left for who
 * comes later; refused to a second one; given up.
 */

#include "rings.h"

/* ---- the layout ---- */

static void check_layout(void)
{
	struct area area = make_area(100);
	struct ipckit_ring_head *head = (struct ipckit_ring_head *)(void *)area.memory;
	struct ipckit_ring *ring;
	uint64_t capacity = 0;

	CHECK_INT(ipckit_ring_check(area.memory, area.size, &capacity), 0);
	CHECK_INT(capacity, 100);
	CHECK_INT(ipckit_ring_check(area.memory, IPCKIT_RING_DATA, &capacity), -EINVAL);
	CHECK_INT(ipckit_ring_check(area.memory + 4, 600, &capacity), -EINVAL);
	/* Bytes, but no head: of something else. Half a head: somebody is just filling it in. */
	area.memory[200] = 1;
	CHECK_INT(ipckit_ring_check(area.memory, area.size, &capacity), -EBADMSG);
	area.memory[200] = 0;
	head->version = 1;
	head->size = 100;
	CHECK_INT(ipckit_ring_check(area.memory, area.size, &capacity), 0);
	head->size = 99;
	CHECK_INT(ipckit_ring_check(area.memory, area.size, &capacity), -EBADMSG);
	head->size = 0;

	CHECK_INT(ipckit_ring_owner(area.memory, IPCKIT_RING_READER), 0);
	if (CHECK_INT(join(&area, IPCKIT_RING_READER, 0, &ring), 0)) {
		CHECK_INT(ipckit_ring_owner(area.memory, IPCKIT_RING_READER), getpid());
		ipckit_ring_leave(ring, true);
	}
	CHECK_INT(ipckit_ring_owner(area.memory, IPCKIT_RING_READER), 0);
	CHECK(head->magic == IPCKIT_RING_MAGIC && head->version == 1 && head->data == 512 && head->size == 100);
	CHECK_INT(ipckit_ring_check(area.memory, area.size - 1, &capacity), -EBADMSG);
	head->version = 2;
	CHECK_INT(join(&area, IPCKIT_RING_READER, 0, &ring), -EPROTONOSUPPORT);
	ipckit_ring_leave(NULL, true);
	free_area(&area);
}

/* What a process without manners has written there is noticed. */
static void check_nonsense(void)
{
	struct area area = make_area(100);
	struct job reads = job_of(&area, 0, 10);
	struct ipckit_deadline now = in(0);
	struct ipckit_ring *ring;
	struct iovec parts[2];

	if (!CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), 0))
		return;
	end_of(&area, IPCKIT_RING_READER)->position = 1;
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EBADMSG);
	ipckit_ring_leave(ring, false);
	end_of(&area, IPCKIT_RING_WRITER)->position = 1000;
	CHECK_INT(await(spawn(read_stream, &reads)), EBADMSG);
	end_of(&area, IPCKIT_RING_WRITER)->position = end_of(&area, IPCKIT_RING_READER)->position;
	end_of(&area, IPCKIT_RING_WRITER)->state = 77;
	CHECK_INT(await(spawn(read_stream, &reads)), EBADMSG);
	CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), -EBADMSG);
	free_area(&area);
}

/* ---- whole streams ---- */

static void check_stream(size_t capacity, uint64_t bytes, unsigned most_in, unsigned most_out)
{
	struct area area = make_area(capacity);
	struct job writes = job_of(&area, bytes, most_in), reads = job_of(&area, bytes, most_out);
	char row[64];

	snprintf(row, sizeof(row), "%zu: %u to %u", capacity, most_in, most_out);
	for (int i = 0; i < 2; i++) {
		pid_t first = spawn(i ? write_stream : read_stream, i ? &writes : &reads);
		pid_t second = spawn(i ? read_stream : write_stream, i ? &reads : &writes);

		CHECK_INT_FOR(row, await(first), 0);
		CHECK_INT_FOR(row, await(second), 0);
		CHECK_FOR(row, is_idle(&area));
	}
	free_area(&area);
}

static void check_streams(void)
{
	const unsigned part = UNIT_SANITIZED ? 16 : 1;

	check_stream(1, 5000 / part, 1, 1);
	check_stream(7, 50000 / part, 3, 9);
	check_stream(7, 50000 / part, 20, 1);
	check_stream(4095, 3000000 / part, 5000, 100);
	check_stream(65536, 8000000 / part, 100, 70000);
	check_stream(1000003, (64u << 20) / part, 300000, 300000);
}

/* Bytes and the end lie there until somebody comes. */
static void check_leftovers(void)
{
	static const uint64_t sizes[] = { 0, 1, 99, 100 };
	struct area area = make_area(100);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct job job = job_of(&area, sizes[i], 100);
		struct job hasty = job;

		hasty.patience = 0;
		CHECK_INT(await(spawn(write_stream, &job)), 0);
		CHECK_INT(await(spawn(write_stream, &hasty)), EAGAIN);
		hasty.patience = SECOND / 50;
		CHECK_INT(await(spawn(write_stream, &hasty)), ETIMEDOUT);
		CHECK_INT(await(spawn(read_stream, &job)), 0);
		CHECK(is_idle(&area));
	}
	free_area(&area);
}

/* The next writer waits until a stream has been read, and then begins its own. */
static void check_queue(void)
{
	struct area area = make_area(100);
	struct job first = job_of(&area, 60, 100), next = job_of(&area, 5000, 100);
	pid_t writer;

	CHECK_INT(await(spawn(write_stream, &first)), 0);
	writer = spawn(write_stream, &next);
	CHECK_INT(await(spawn(read_stream, &first)), 0);
	CHECK_INT(await(spawn(read_stream, &next)), 0);
	CHECK_INT(await(writer), 0);
	free_area(&area);
}

/* ---- refusals and ends of waits ---- */

static int second_join(struct job *job)
{
	struct ipckit_ring *ring;
	int r = join(job->area, (enum ipckit_ring_side)job->most, 0, &ring);

	if (!r)
		ipckit_ring_leave(ring, true);
	return r;
}

static void check_refused(void)
{
	for (unsigned side = IPCKIT_RING_WRITER; side <= IPCKIT_RING_READER; side++) {
		struct area area = make_area(100);
		const struct job same = { .area = &area, .most = side }, other = { .area = &area, .most = !side };
		struct ipckit_ring *ring, *second;

		if (!CHECK_INT(join(&area, (enum ipckit_ring_side)side, 0, &ring), 0))
			continue;
		CHECK_INT(await(spawn(second_join, &same)), EBUSY);
		CHECK_INT(await(spawn(second_join, &other)), 0);
		CHECK_INT(join(&area, (enum ipckit_ring_side)!side, 0, &second), -EDEADLK);
		ipckit_ring_leave(ring, false);
		/* What the other one left is an empty stream. */
		CHECK_INT(await(spawn(second_join, &same)), 0);
		free_area(&area);
	}
}

static void check_waits_end(void)
{
	struct area area = make_area(100);
	struct ipckit_deadline now = in(0), soon = in(SECOND / 50);
	volatile sig_atomic_t stop = 1;
	struct ipckit_ring *ring;
	struct iovec parts[2];

	if (!CHECK_INT(join(&area, IPCKIT_RING_READER, 0, &ring), 0))
		return;
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EAGAIN);
	CHECK_INT(ipckit_ring_wait(ring, &soon, parts), -ETIMEDOUT);
	soon = in(PATIENCE);
	soon.stop = &stop;
	CHECK_INT(ipckit_ring_wait(ring, &soon, parts), -EINTR);
	ipckit_ring_leave(ring, true);

	if (!CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), 0))
		return;
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), 0);
	CHECK_INT(parts[0].iov_len + parts[1].iov_len, 100);
	ipckit_ring_pass(ring, 100);
	CHECK_INT(ipckit_ring_passed(ring), 100);
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EAGAIN);
	soon = in(SECOND / 50);
	CHECK_INT(ipckit_ring_wait(ring, &soon, parts), -ETIMEDOUT);
	ipckit_ring_leave(ring, false);
	free_area(&area);
}

/* A reader that gives up before anything came has not been there. */
static void check_reader_gives_up(void)
{
	struct area area = make_area(100);
	struct job reads = job_of(&area, 0, 10);
	struct ipckit_deadline now = in(0);
	struct ipckit_ring *ring;
	struct iovec parts[2];

	reads.patience = SECOND / 50;
	CHECK_INT(await(spawn(read_stream, &reads)), ETIMEDOUT);
	if (!CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), 0))
		return;
	CHECK_INT(await(spawn(read_stream, &reads)), ETIMEDOUT);
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), 0);
	ipckit_ring_leave(ring, true);
	reads.patience = PATIENCE;
	CHECK_INT(await(spawn(read_stream, &reads)), 0);
	free_area(&area);
}

/* ---- stopped ---- */

/* One that is stopped is waited for. */
static void check_stopped(void)
{
	struct area area = make_area(1000);
	struct job writes = job_of(&area, 1000000, 300);
	struct job reads = job_of(&area, 1000000, 300);
	volatile sig_atomic_t *joined = make_flag();
	struct ipckit_ring *ring;
	uint64_t n = 0;
	pid_t writer;
	siginfo_t info;

	writes.joined = joined;
	writer = spawn(write_stream, &writes);
	CHECK(await_flag(joined));
	kill(writer, SIGSTOP);
	CHECK_INT(waitid(P_PID, (id_t)writer, &info, WSTOPPED | WEXITED | WNOWAIT), 0);
	CHECK_INT(info.si_code, CLD_STOPPED);
	if (!CHECK_INT(join(&area, IPCKIT_RING_READER, 0, &ring), 0))
		return;
	reads.patience = 0;
	CHECK_INT(read_bytes(&reads, ring, &n), -EAGAIN);
	reads.patience = SECOND / 20;
	CHECK_INT(read_bytes(&reads, ring, &n), -ETIMEDOUT);
	CHECK(n < 1000000);
	kill(writer, SIGCONT);
	reads.patience = PATIENCE;
	CHECK_INT(read_bytes(&reads, ring, &n), -ENODATA);
	CHECK_INT(n, 1000000);
	ipckit_ring_leave(ring, true);
	CHECK_INT(await(writer), 0);
	free_area(&area);
	munmap((void *)(uintptr_t)joined, 4096);
}

int main(void)
{
	check_layout();
	check_nonsense();
	check_leftovers();
	check_queue();
	check_refused();
	check_waits_end();
	check_reader_gives_up();
	check_stopped();
	check_streams();
	return unit_done("ring");
}
