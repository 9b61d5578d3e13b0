/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

/* A line of a stream is one write, as long as it fits in here: as much as a pipe takes at once. */
#define ROOM 65536

bool cli_is_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

/* ---- taking back ---- */

static void mask_pipe(int how)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	sigprocmask(how, &mask, NULL);
}

void cli_undo_with(struct cli *cli, int (*end)(void *arg, bool written), void *arg)
{
	struct cli_output *output = cli->output;
	struct sigaction action;
	sigset_t mask;

	output->end = end;
	output->end_arg = arg;
	/* A write beyond RLIMIT_FSIZE has to fail, and not to end the process. */
	signal(SIGXFSZ, SIG_IGN);
	if (output->holds_pipe)
		return;
	sigaction(SIGPIPE, NULL, &action);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	output->holds_pipe = action.sa_handler != SIG_IGN && !sigismember(&mask, SIGPIPE);
	if (output->holds_pipe)
		mask_pipe(SIG_BLOCK);
}

/* Whether the run ends by SIGPIPE as soon as that is held back no more. */
static bool dies_of_pipe(const struct cli_output *output)
{
	sigset_t pending;

	return output->holds_pipe && !sigpending(&pending) && sigismember(&pending, SIGPIPE);
}

/* Does not return where the reader of the output has gone. */
static void end_undo(struct cli *cli, bool written)
{
	struct cli_output *output = cli->output;
	int (*end)(void *arg, bool written) = output->end;
	int error;

	if (!end)
		return;
	output->end = NULL;
	/* Once run() has returned, nothing is left that a fault in a mapped file could go back to. */
	if (output->ending)
		cli_unshield();
	error = end(output->end_arg, written && !dies_of_pipe(output));
	if (error) {
		cli_warn(cli, "what was done could not be taken back: %s", cli_errno_words(error));
		output->untaken = true;
	}
	/* A loss is not to end quietly. */
	if (output->holds_pipe && !output->untaken)
		mask_pipe(SIG_UNBLOCK);
	output->holds_pipe = false;
}

/* ---- writing ---- */

/* Whether a write that failed is to be tried again: 0, or the error that ends it. */
static int settle(int error)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (error == EAGAIN)
		error = poll(&fd, 1, -1) < 0 ? errno : 0;
	/* A signal that ends the run goes on interrupting, and a deadline's timer does, too. */
	return error == EINTR && !cli_stopped() ? 0 : error;
}

/* Returns how much was written; less than size only where no more ever will be. */
static size_t write_all(struct cli *cli, const char *data, size_t size)
{
	struct cli_output *output = cli->output;
	size_t done = 0;

	while (done < size && !output->write_error) {
		ssize_t n = write(STDOUT_FILENO, data + done, size - done);

		if (n > 0)
			done += (size_t)n;
		else
			output->write_error = n ? settle(errno) : EIO;
	}
	if (done < size) {
		/* Before it is reported: without a reader the run ends here, quietly. */
		end_undo(cli, false);
		if (output->write_error == EINTR && !output->untaken)
			cli_stop_die();
	}
	return done;
}

static ssize_t write_stream(void *cookie, const char *data, size_t size)
{
	return (ssize_t)write_all(cookie, data, size);
}

/* stdio loses its place in a write that a signal interrupts: it only collects. */
void cli_output_begin(struct cli *cli)
{
	static char buffer[ROOM];
	FILE *stream = fopencookie(cli, "w", (cookie_io_functions_t){ .write = write_stream });

	cli->output->stream = stream ?: stdout;
	if (!stream)
		return;
	setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
	/* A line is many small pieces, all of one thread. */
	__fsetlocking(stream, FSETLOCKING_BYCALLER);
}

static int fail_write(struct cli *cli, int error)
{
	int status = CLI_SYSTEM;
	struct ipckit_limit limit;

	cli->output->broken = true;
	/* What could not be written is not to be tried again at exit. */
	__fpurge(cli->output->stream);
	if (cli->output->failure.reported)
		status = cli->output->failure.exit;
	if (error == EFBIG && !ipckit_limit_of_process(error, &limit))
		cli_fail_limit(cli, "standard output", error, &limit);
	else
		cli_fail(cli, "standard output", error, NULL);
	return status;
}

int cli_output_flush(struct cli *cli)
{
	struct cli_output *output = cli->output;

	errno = 0;
	if (output->broken)
		return CLI_SYSTEM;
	if (!fflush(output->stream) && !ferror(output->stream))
		return CLI_OK;
	end_undo(cli, false);
	return fail_write(cli, output->write_error ?: errno ?: EIO);
}

void cli_raw(struct cli *cli)
{
	cli->output->raw = true;
}

int cli_emit_bytes(struct cli *cli, const void *data, size_t size)
{
	struct cli_output *output = cli->output;
	int status;

	if (!cli_prints(cli))
		return CLI_OK;
	/* From the first of them on nothing else is written. */
	if (!output->bytes || output->broken) {
		cli_raw(cli);
		output->bytes = true;
		status = cli_output_flush(cli);
		if (status)
			return status;
	}
	return write_all(cli, data, size) == size ? CLI_OK : fail_write(cli, output->write_error);
}

/* ---- the end of a run ---- */

int cli_output_end(struct cli *cli, int status)
{
	struct cli_output *output = cli->output;
	int error, written;

	/* What was reported first need not be what the run ends with. */
	if (status)
		output->failure.exit = status;
	error = cli_print_document(cli);
	output->ending = true;
	if (error)
		status = cli_fail(cli, NULL, error, NULL);
	/* Was it broken before, the failure is counted only where nobody did. */
	written = output->broken && status ? status : cli_output_flush(cli);
	end_undo(cli, !written && (!status || output->partial));
	cli_emit_free(output);
	free(output->failure.object);
	free(output->failure.message);
	if (output->stream != stdout)
		fclose(output->stream);
	return output->untaken ? CLI_SYSTEM : written ?: status;
}
