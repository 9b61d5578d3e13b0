/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the death of either side of a ring does, whenever it comes, and what becomes of the stream. */

#include "rings.h"

/* ---- broken streams ---- */

/* Reads as much as it is told, and then leaves, or waits for its death. */
static int read_part(struct job *job)
{
	const struct ipckit_deadline deadline = in(PATIENCE);
	struct ipckit_ring *ring;
	struct iovec parts[2];
	int r = join(job->area, IPCKIT_RING_READER, PATIENCE, &ring) ?: ipckit_ring_wait(ring, &deadline, parts);

	if (r)
		return r;
	if (job->bytes)
		ipckit_ring_pass(ring, job->bytes);
	if (!job->joined) {
		ipckit_ring_leave(ring, false);
		return 0;
	}
	*job->joined = 1;
	for (;;)
		pause();
}

/*
 * What a reader that died has left of a complete stream is given to the next, as broken; or dropped by a
 * writer.
 */
static void check_rest(bool dies)
{
	struct area area = make_area(100);
	struct job writes = job_of(&area, 80, 100), part = job_of(&area, 30, 100), rest = job_of(&area, 80, 100);
	volatile sig_atomic_t *joined = make_flag();
	struct ipckit_ring *ring;
	struct iovec parts[2];
	pid_t reader;

	part.joined = dies ? joined : NULL;
	for (int drops = 0; drops < 2; drops++) {
		const struct ipckit_deadline now = in(0);

		*joined = 0;
		CHECK_INT(await(spawn(write_stream, &writes)), 0);
		reader = spawn(read_part, &part);
		if (dies) {
			CHECK(await_flag(joined));
			end_by_kill(reader);
		} else {
			CHECK_INT(await(reader), 0);
		}
		if (!drops && CHECK_INT(join(&area, IPCKIT_RING_READER, 0, &ring), 0)) {
			CHECK_INT(ipckit_ring_wait(ring, &now, parts), 0);
			CHECK_INT(parts[0].iov_len + parts[1].iov_len, 50);
			CHECK_INT(((unsigned char *)parts[0].iov_base)[0], byte_at(30));
			ipckit_ring_pass(ring, 50);
			CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EOWNERDEAD);
			CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EOWNERDEAD);
			ipckit_ring_leave(ring, false);
			CHECK(is_idle(&area));
		}
	}
	CHECK_INT(await(spawn(write_stream, &writes)), 0);
	CHECK_INT(await(spawn(read_stream, &rest)), 0);
	free_area(&area);
	munmap((void *)(uintptr_t)joined, 4096);
}

/* Of a stream whose reader died before it took anything nothing is lost. */
static void check_untouched(void)
{
	struct area area = make_area(100);
	volatile sig_atomic_t *joined = make_flag();
	struct job job = job_of(&area, 80, 100), idle = job_of(&area, 0, 100), hasty = job;
	pid_t reader;

	idle.joined = joined;
	hasty.patience = 0;
	CHECK_INT(await(spawn(write_stream, &job)), 0);
	reader = spawn(read_part, &idle);
	CHECK(await_flag(joined));
	end_by_kill(reader);
	CHECK_INT(await(spawn(write_stream, &hasty)), EAGAIN);
	CHECK_INT(await(spawn(read_stream, &job)), 0);
	free_area(&area);
	munmap((void *)(uintptr_t)joined, 4096);
}

/*
 * Another reader takes the place of one that died, before the writer has noticed: neither takes the stream
 * for whole.
 */
static void check_replaced(void)
{
	struct area area = make_area(100);
	volatile sig_atomic_t *joined = make_flag();
	struct job part = job_of(&area, 30, 100), rest = job_of(&area, 0, 100);
	const struct ipckit_deadline now = in(0);
	struct ipckit_ring *ring;
	struct iovec parts[2];
	pid_t reader;

	if (!CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), 0))
		return;
	memset(area.memory + IPCKIT_RING_DATA, byte_at(0), 100);
	ipckit_ring_pass(ring, 90);
	part.joined = joined;
	reader = spawn(read_part, &part);
	CHECK(await_flag(joined));
	end_by_kill(reader);
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EPIPE);
	*joined = 0;
	rest.joined = joined;
	rest.most = 1;
	reader = spawn(read_part, &rest);
	CHECK(await_flag(joined));
	CHECK_INT(ipckit_ring_wait(ring, &now, parts), -EPIPE);
	end_by_kill(reader);
	ipckit_ring_leave(ring, false);
	free_area(&area);
	munmap((void *)(uintptr_t)joined, 4096);
}

/* ---- death at any moment ---- */

static int rounds(void)
{
	return UNIT_SANITIZED ? 40 : 200;
}

static void pause_at_random(void)
{
	const struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE };
	unsigned us = below(4) ? below(300) : below(4000);

	if (ipckit_deadline_sleep(&deadline, (int64_t)us * 1000))
		abort();
}

/*
 * Within a second of its writer's death a reader knows; and within that of its reader's a writer. Some may be
 * later: others may have the processor.
 */
static void check_notices(bool kills_writer, size_t capacity)
{
	struct area area = make_area(capacity);
	volatile sig_atomic_t *writes = make_flag(), *reads = make_flag();
	struct job writer = job_of(&area, UINT64_MAX, (unsigned)capacity), reader = writer;
	int late = 0;

	writer.joined = writes;
	reader.joined = reads;
	for (int i = 0; i < rounds() / 2; i++) {
		pid_t w, r, victim;
		struct timespec before, after;

		memset(area.memory, 0, area.size);
		*writes = *reads = 0;
		w = spawn(write_stream, &writer);
		r = spawn(read_stream, &reader);
		CHECK(await_flag(writes) && await_flag(reads));
		pause_at_random();
		victim = kills_writer ? w : r;
		end_by_kill(victim);
		clock_gettime(CLOCK_MONOTONIC, &before);
		CHECK_INT(await(kills_writer ? r : w), kills_writer ? EOWNERDEAD : EPIPE);
		clock_gettime(CLOCK_MONOTONIC, &after);
		late += (after.tv_sec - before.tv_sec) * SECOND + after.tv_nsec - before.tv_nsec >= SECOND;
	}
	CHECK(late <= rounds() / 10);
	free_area(&area);
	munmap((void *)(uintptr_t)writes, 4096);
	munmap((void *)(uintptr_t)reads, 4096);
}

/* Killed at any moment, joining and leaving included: who comes next gets a whole stream. */
static void check_killed(bool kills_writer, size_t capacity)
{
	struct area area = make_area(capacity);
	struct job finite = job_of(&area, capacity * 3 + below(50), (unsigned)capacity);
	char row[64];

	finite.insists = true;
	for (int i = 0; i < rounds(); i++) {
		int (*staying)(struct job *) = kills_writer ? read_stream : write_stream;
		int (*dying)(struct job *) = kills_writer ? write_stream : read_stream;
		pid_t stays, victim, more;

		snprintf(row, sizeof(row), "%s, %zu, round %d", kills_writer ? "writer" : "reader", capacity, i);
		stays = spawn(staying, &finite);
		victim = spawn(dying, &finite);
		pause_at_random();
		end_by_kill(victim);
		victim = spawn(dying, &finite);
		CHECK_INT_FOR(row, await(stays), 0);
		/* The first two may have been through: then the last one has nobody. */
		more = spawn(staying, &finite);
		CHECK_INT_FOR(row, await(victim), 0);
		end_by_kill(more);
	}
	free_area(&area);
}

int main(void)
{
	check_rest(true);
	check_rest(false);
	check_untouched();
	check_replaced();
	check_notices(true, 100);
	check_notices(true, 70000);
	check_notices(false, 100);
	check_notices(false, 70000);
	check_killed(true, 64);
	check_killed(true, 20000);
	check_killed(false, 64);
	check_killed(false, 20000);
	return unit_done("ring, deaths");
}
