/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *separator;

static const struct poptOption options[] = {
	{ "sep", 's', POPT_ARG_STRING, &separator, 0, "what stands between the commands (default --)", "WORD" },
	POPT_TABLEEND
};

struct command {
	char *text;
	char **words;
	pid_t pid;
	bool running;
	struct ipckit_maybe exit, signal;
};

#define COMMAND(member) .offset = offsetof(struct command, member)

static const struct cli_field fields[] = {
	{ "command", .type = CLI_STRING, COMMAND(text), .summary = "what was run" },
	{ "pid", .type = CLI_INT, COMMAND(pid), .summary = "its process" },
	{ "exit", .type = CLI_MAYBE, COMMAND(exit), .summary = "its status; null where a signal ended it" },
	{ "signal", .type = CLI_MAYBE, COMMAND(signal), .summary = "the signal that ended it, or null" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct command), "commands", NULL };

/* ---- the words ---- */

static int join(char **words, char **out)
{
	size_t size = 1;
	char *end;

	for (char **word = words; *word; word++)
		size += strlen(*word) + 1;
	*out = end = malloc(size);
	if (!end)
		return -ENOMEM;
	*end = '\0';
	for (char **word = words; *word; word++)
		end = stpcpy(stpcpy(end, word == words ? "" : " "), *word);
	return 0;
}

static int split(struct cli *cli, struct command commands[2])
{
	const char *between = separator ?: "--";
	char **at = cli->command;
	int r;

	while (*at && strcmp(*at, between))
		at++;
	if (!*at)
		return cli_usage(cli, between, "does not stand between two commands");
	*at = NULL;
	commands[0].words = cli->command;
	commands[1].words = at + 1;
	if (!commands[0].words[0] || !commands[1].words[0])
		return cli_usage(cli, between, "a command is missing %s it",
				 commands[0].words[0] ? "after" : "before");
	r = join(commands[0].words, &commands[0].text) ?: join(commands[1].words, &commands[1].text);
	return r ? cli_fail(cli, NULL, r, NULL) : 0;
}

/* Before either has begun. */
static int check(struct cli *cli, const struct command *command)
{
	char **all = cli->command;
	int r;

	cli->command = command->words;
	r = cli_check_command(cli);
	cli->command = all;
	return r;
}

/* ---- the processes ---- */

/*
 * Signals wait until they are asked for, so that none of several is lost. Those of the terminal come to all three;
 * that a command has ended is told by one more.
 */
static void hold_signals(sigset_t *out)
{
	static const int held[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGINT, SIGQUIT, SIGCHLD };

	sigemptyset(out);
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		sigaddset(out, held[i]);
	sigprocmask(SIG_BLOCK, out, NULL);
}

static void pass_on(const struct command commands[2], int signal)
{
	if (signal <= 0 || signal == SIGINT || signal == SIGQUIT || signal == SIGCHLD)
		return;
	for (int i = 0; i < 2; i++)
		if (commands[i].running)
			kill(commands[i].pid, signal);
}

static void look(struct command *command)
{
	int status;

	if (!command->running || waitpid(command->pid, &status, WNOHANG) != command->pid)
		return;
	command->running = false;
	if (WIFSIGNALED(status))
		command->signal = ipckit_known(WTERMSIG(status));
	else
		command->exit = ipckit_known(WEXITSTATUS(status));
}

static void await(struct command commands[2], const sigset_t *held)
{
	/* What came before they were held. */
	pass_on(commands, cli_stop_take());
	for (;;) {
		look(&commands[0]);
		look(&commands[1]);
		if (!commands[0].running && !commands[1].running)
			return;
		pass_on(commands, sigwaitinfo(held, NULL));
	}
}

static int start(struct cli *cli, struct command *command, int in, int out)
{
	const struct pipecat_command how = { .argv = command->words, .in = in, .out = out };
	int r = pipecat_start(cli, &how, &command->pid);

	command->running = !r;
	return r;
}

static int open_pipes(struct cli *cli, int there[2], int back[2])
{
	int r = 0;

	if (pipe2(there, O_CLOEXEC))
		return pipecat_fail(cli, NULL, -errno, ipckit_unknown());
	if (pipe2(back, O_CLOEXEC)) {
		r = pipecat_fail(cli, NULL, -errno, ipckit_unknown());
		close(there[0]);
		close(there[1]);
	}
	return r;
}

/* Once both have theirs nobody else has an end: who closes his is seen to. */
static int start_both(struct cli *cli, struct command commands[2])
{
	int there[2], back[2], r = open_pipes(cli, there, back);

	if (r)
		return r;
	r = start(cli, &commands[0], back[0], there[1]) ?: start(cli, &commands[1], there[0], back[1]);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	if (r && commands[0].running)
		(void)pipecat_await(commands[0].pid, false);
	return r;
}

/* ---- the verb ---- */

static int status_of(const struct command *command)
{
	return command->signal.known ? 128 + (int)command->signal.value : (int)command->exit.value;
}

static int run_both(struct cli *cli, struct command commands[2])
{
	int r = split(cli, commands) ?: check(cli, &commands[0]) ?: check(cli, &commands[1]) ?: pipecat_begin(cli);
	sigset_t held;

	if (r)
		return r;
	hold_signals(&held);
	r = start_both(cli, commands);
	if (r)
		return r;
	await(commands, &held);
	r = cli_emit_list(cli, &table, commands, 2);
	return r ?: status_of(&commands[0]) ?: status_of(&commands[1]);
}

static int run(struct cli *cli)
{
	struct command commands[2] = { 0 };
	int r = run_both(cli, commands);

	free(commands[0].text);
	free(commands[1].text);
	return r;
}

const struct cli_verb pipecat_pair = {
	.name = "pair",
	.operands = "",
	.summary = "run COMMAND1 -- COMMAND2, with the standard output of each as the standard input of the other",
	.flags = CLI_COMMAND,
	.options = options,
	.table = &table,
	.run = run,
};
