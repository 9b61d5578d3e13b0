/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Streams between the library and another program, which knows the layout of a ring from its description
 * alone.
 */

#include "rings.h"

#define SHARED "/dev/shm/ring-peer-test"

/* Starts it with a file as its standard input or output. */
static pid_t spawn_peer(const char *verb, int fd)
{
	const char *build = getenv("IPCKIT_BUILD");
	char path[4096];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/tests/peers/ring-peer", build ?: ".");
	fflush(stdout);
	lseek(fd, 0, SEEK_SET);
	pid = fork();
	if (pid)
		return pid;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	execl(path, path, verb, SHARED, NULL);
	_exit(98);
}

static struct area make_shared(size_t capacity)
{
	struct area area = { .size = IPCKIT_RING_DATA + capacity };
	int fd = open(SHARED, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)area.size))
		exit(99);
	area.memory = mmap(NULL, area.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return area;
}

/* A file with a stream's bytes, or with none. */
static int make_file(size_t size)
{
	FILE *file = tmpfile();

	if (!file)
		exit(99);
	for (size_t i = 0; i < size; i++)
		putc(byte_at(i), file);
	fflush(file);
	return fileno(file);
}

static bool holds_stream(int fd, size_t size)
{
	unsigned char byte;
	size_t n = 0;

	lseek(fd, 0, SEEK_SET);
	for (; read(fd, &byte, 1) == 1; n++)
		if (byte != byte_at(n))
			return false;
	return n == size;
}

static void check_peer(size_t capacity, size_t bytes)
{
	struct area area = make_shared(capacity);
	struct job job = job_of(&area, bytes, 5000);
	int input = make_file(bytes), output = make_file(0);

	for (int first = 0; first < 2; first++) {
		pid_t own = first ? spawn(read_stream, &job) : 0, peer = spawn_peer("write", input);

		CHECK_INT(await(own ?: spawn(read_stream, &job)), 0);
		CHECK_INT(await(peer), 0);
		own = first ? spawn(write_stream, &job) : 0;
		CHECK_INT(ftruncate(output, 0), 0);
		peer = spawn_peer("read", output);
		CHECK_INT(await(own ?: spawn(write_stream, &job)), 0);
		CHECK_INT(await(peer), 0);
		CHECK(holds_stream(output, bytes));
	}
	CHECK(is_idle(&area));
	close(input);
	close(output);
	unlink(SHARED);
	free_area(&area);
}

/* Either program notices the death of the other, and one that has the other's end. */
static void check_peer_dies(void)
{
	struct area area = make_shared(1000);
	struct job job = job_of(&area, 100000, 100);
	volatile sig_atomic_t *joined = make_flag();
	int pipes[2], output = make_file(0);
	struct ipckit_ring *ring;
	pid_t peer, own;

	if (pipe2(pipes, O_CLOEXEC))
		exit(99);
	peer = spawn_peer("write", pipes[0]);
	CHECK_INT(write(pipes[1], "\0", 1), 1);
	own = spawn(read_stream, &job);
	while (!end_of(&area, IPCKIT_RING_READER)->position && !waitpid(own, NULL, WNOHANG))
		sched_yield();
	CHECK_INT(join(&area, IPCKIT_RING_WRITER, 0, &ring), -EBUSY);
	end_by_kill(peer);
	CHECK_INT(await(own), EOWNERDEAD);

	job.joined = joined;
	own = spawn(write_stream, &job);
	CHECK(await_flag(joined));
	kill(own, SIGSTOP);
	peer = spawn_peer("read", output);
	while (end_of(&area, IPCKIT_RING_READER)->state != IPCKIT_RING_STREAM && !waitpid(peer, NULL, WNOHANG))
		sched_yield();
	end_by_kill(peer);
	kill(own, SIGCONT);
	CHECK_INT(await(own), EPIPE);
	peer = spawn_peer("read", output);
	CHECK_INT(await(peer), 7);
	close(pipes[0]);
	close(pipes[1]);
	close(output);
	unlink(SHARED);
	free_area(&area);
	munmap((void *)(uintptr_t)joined, 4096);
}

int main(void)
{
	check_peer(600, 100000);
	check_peer(65536, 300000);
	check_peer_dies();
	return unit_done("ring, another program");
}
