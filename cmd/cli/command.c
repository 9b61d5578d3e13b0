/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"
#include "internal.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a directory of PATH, of those that can be searched, has it in that mode (access(2)). */
static bool is_on_path(const char *command, int mode)
{
	const char *dir = getenv("PATH") ?: "/bin:/usr/bin"; /* as execvp(3) has it */
	bool found = false;

	while (!found) {
		size_t length = strcspn(dir, ":");
		char *file = NULL;

		if (asprintf(&file, "%.*s/%s", length ? (int)length : 1, length ? dir : ".", command) < 0)
			return true;
		found = access(file, mode) == 0;
		free(file);
		if (!dir[length])
			break;
		dir += length + 1;
	}
	return found;
}

static bool is_file(const char *command, int mode)
{
	return strchr(command, '/') ? access(command, mode) == 0 : *command && is_on_path(command, mode);
}

/* A directory of PATH that may not be searched makes EACCES of everything that failed elsewhere. */
static int settle(const char *command, int error)
{
	if (error != EACCES || strchr(command, '/'))
		return error;
	return is_file(command, F_OK) && !is_file(command, X_OK) ? EACCES : ENOENT;
}

static int fail(struct cli *cli, const char *command, int error)
{
	if (error != ENOENT)
		return cli_fail_command(cli, command, CLI_COMMAND_NOT_EXECUTABLE, error, NULL);
	/* Of a file that is there ENOENT says that what is to run it is not. */
	if (is_file(command, F_OK))
		return cli_fail_command(cli, command, CLI_COMMAND_NOT_EXECUTABLE, error,
					"bad interpreter: the program after its #!, or the loader of "
					"a binary, is missing");
	return cli_fail_command(cli, command, CLI_COMMAND_NOT_FOUND, error, NULL);
}

int cli_become(struct cli *cli)
{
	const char *command = cli->command[0];
	int error;

	cli_stop_restore();
	cli_unshield();
	execvp(command, cli->command);
	error = settle(command, errno);
	cli_guard_cancel();
	return fail(cli, command, error);
}

int cli_fail_start(struct cli *cli, int error)
{
	const char *command = cli->command[0];
	struct ipckit_limit limit;

	switch (error) {
	case EAGAIN:
	case ENOMEM:
	case EMFILE:
		if (!ipckit_limit_of_process(error, &limit))
			return cli_fail_limit(cli, command, error, &limit);
		return cli_fail(cli, command, error, "no process could be started");
	}
	return fail(cli, command, settle(command, error));
}

int cli_hand_on(int fd)
{
	int copy = fcntl(fd, F_DUPFD, 10);

	if (copy >= 0)
		return copy;
	return fcntl(fd, F_SETFD, 0) ? -errno : fd;
}

int cli_check_command(struct cli *cli)
{
	const char *command = cli->command[0];
	struct stat st;

	if (!is_file(command, F_OK))
		return fail(cli, command, ENOENT);
	if (!is_file(command, X_OK) || (strchr(command, '/') && !stat(command, &st) && S_ISDIR(st.st_mode)))
		return fail(cli, command, EACCES);
	return 0;
}

/* Its signals as this run inherited them; caught ones have their default action after exec. */
static int spawn(char **command, int input, pid_t *out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t mask;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (!error) {
		cli_stop_mask(&mask);
		error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) ?:
			posix_spawnattr_setsigmask(&attributes, &mask) ?:
			posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) ?:
			posix_spawnp(out, command[0], &actions, &attributes, command, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

int cli_spawn(struct cli *cli, int input, pid_t *out)
{
	int error = spawn(cli->command, input, out);

	return error ? cli_fail_start(cli, error) : 0;
}
