/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Files in memory: dot(1) reads and writes at its own pace, and nobody has to serve two pipes. */
static FILE *memory_file(void)
{
	int fd = memfd_create("deadlock-check", MFD_CLOEXEC);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

static int spawn_dot(int in, int out, pid_t *pid)
{
	char *const words[] = { "dot", "-Tsvg", NULL };
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return -error;
	error = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!error)
		error = posix_spawnp(pid, "dot", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error == ENOENT ? -ENOPKG : -error;
}

static int run_dot(int in, int out)
{
	int status, error;
	pid_t pid;

	if (lseek(in, 0, SEEK_SET) < 0)
		return -errno;
	error = spawn_dot(in, out, &pid);
	if (error)
		return error;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -ECHILD : 0;
}

static int copy(FILE *from, FILE *to)
{
	char buffer[65536];
	size_t size;

	rewind(from);
	while ((size = fread(buffer, 1, sizeof(buffer), from)))
		fwrite(buffer, 1, size, to);
	return ferror(from) ? -EIO : 0;
}

int dl_svg(FILE *stream, const struct picture *picture)
{
	FILE *in = memory_file(), *out = memory_file();
	int error = in && out ? draw_dot(in, picture) : -errno;

	if (!error && fflush(in))
		error = -errno;
	if (!error)
		error = run_dot(fileno(in), fileno(out));
	if (!error)
		error = copy(out, stream);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return error;
}
