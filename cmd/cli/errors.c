/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What is not here is a failure of the system, in the C library's words. */
static const struct {
	int error;
	enum cli_exit exit;
	const char *words;
} errors[] = {
	{ EAGAIN, CLI_NO, "would block" },
	{ ETIMEDOUT, CLI_NO, "timed out" },
	{ EBUSY, CLI_NO, "in use" },
	{ ENOMSG, CLI_NO, "no such message" },
	{ EINPROGRESS, CLI_NO, "not connected yet" },
	{ EINVAL, CLI_USAGE, "not valid here" },
	{ ERANGE, CLI_USAGE, "out of range" },
	{ ENOENT, CLI_MISSING, "no such object" },
	{ ECONNREFUSED, CLI_MISSING, "nobody listens there" },
	{ EHOSTUNREACH, CLI_MISSING, "no way leads to that host" },
	{ ENETUNREACH, CLI_MISSING, "no way leads to that network" },
	{ EADDRNOTAVAIL, CLI_MISSING, "no address of this system" },
	{ EEXIST, CLI_EXISTS, "already exists" },
	{ EADDRINUSE, CLI_EXISTS, "somebody listens there" },
	{ EACCES, CLI_DENIED, "permission denied" },
	{ EPERM, CLI_DENIED, "not permitted" },
	{ EOVERFLOW, CLI_LIMIT, "the largest value would be passed" },
	{ ENOSPC, CLI_LIMIT, "no space left" },
	{ EMFILE, CLI_LIMIT, "too many open files in this process" },
	{ ENFILE, CLI_LIMIT, "too many open files in the system" },
	{ E2BIG, CLI_LIMIT, "too many at once" },
	{ EMSGSIZE, CLI_LIMIT, "the message is too long" },
	{ EDQUOT, CLI_LIMIT, "the disk quota is used up" },
	{ ENOMEM, CLI_LIMIT, "out of memory" },
	{ ENOBUFS, CLI_LIMIT, "no room in the buffers of the system" },
	{ ETOOMANYREFS, CLI_LIMIT, "too many descriptors are on their way" },
	{ EIDRM, CLI_BROKEN, "removed while it was used" },
	{ EOWNERDEAD, CLI_BROKEN, "its owner has died" },
	{ EBADMSG, CLI_BROKEN, "not what it claims to be" },
	{ ELOOP, CLI_BROKEN, "a symbolic link stands in its place" },
	{ ENOTSOCK, CLI_BROKEN, "no socket" },
	{ EPROTOTYPE, CLI_BROKEN, "a socket of another type" },
	{ ECONNRESET, CLI_BROKEN, "the other side broke the connection" },
	{ ENOTCONN, CLI_BROKEN, "not connected" },
	{ EFBIG, CLI_BROKEN, "beyond its end" },
	{ EFAULT, CLI_BROKEN, "the memory behind it has gone" },
	{ EINTR, CLI_SYSTEM, "interrupted" },
	{ EOPNOTSUPP, CLI_SYSTEM, "not supported by this kind of object" },
	{ ENOSYS, CLI_SYSTEM, "not supported by this kernel" },
};

static const char no_memory[] = "out of memory";

enum cli_exit cli_errno_exit(int error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == abs(error))
			return errors[i].exit;
	return CLI_SYSTEM;
}

const char *cli_errno_name(int error)
{
	return strerrorname_np(abs(error)) ?: "UNKNOWN";
}

const char *cli_errno_words(int error)
{
	static char words[80];
	const char *text;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == abs(error))
			return errors[i].words;
	text = strerrordesc_np(abs(error));
	if (!text) {
		snprintf(words, sizeof(words), "error %d", abs(error));
		return words;
	}
	snprintf(words, sizeof(words), "%s", text);
	/* In the middle of a sentence, but RFS and .lib stay as they are. */
	if (islower((unsigned char)words[1]) || words[1] == ' ')
		words[0] = tolower((unsigned char)words[0]);
	return words;
}

/* What is said of a failure beside its message. */
struct failure {
	const char *code;
	int status;
	const char *object;
	uint64_t line, column; /* of the object; 0: none */
	const struct ipckit_limit *limit;
};

/* "FILE:LINE:COLUMN: ", as far as there is any of it. */
static void put_object(FILE *stream, const struct failure *failure)
{
	if (failure->object)
		cli_put_safe(stream, failure->object);
	if (failure->line)
		fprintf(stream, "%s%" PRIu64, failure->object ? ":" : "", failure->line);
	if (failure->line && failure->column)
		fprintf(stream, ":%" PRIu64, failure->column);
	if (failure->object || failure->line)
		fputs(": ", stream);
}

static void put_line(FILE *stream, const struct cli *cli, const struct failure *failure,
		     const char *message)
{
	fputs(cli->tool->name, stream);
	if (cli->verb)
		fprintf(stream, " %s", cli->verb->name);
	fputs(": ", stream);
	put_object(stream, failure);
	cli_put_safe(stream, message);
	fputc('\n', stream);
}

/* The line goes out in one write, so that those of several processes do not mingle. */
static void say(const struct cli *cli, const struct failure *failure, const char *message)
{
	char *line = NULL;
	size_t size;
	FILE *stream = open_memstream(&line, &size);

	if (stream) {
		put_line(stream, cli, failure, message);
		if (!fclose(stream)) {
			fwrite(line, 1, size, stderr);
			free(line);
			return;
		}
		free(line);
	}
	put_line(stderr, cli, failure, message);
}

static void remember(struct cli_failure *out, const struct failure *failure, const char *message)
{
	if (out->reported)
		return;
	out->reported = true;
	out->code = failure->code;
	out->exit = failure->status;
	out->object = failure->object ? strdup(failure->object) : NULL;
	out->message = strdup(message);
	out->line = failure->line;
	out->column = failure->column;
	out->limited = failure->limit != NULL;
	if (failure->limit)
		out->limit = *failure->limit;
}

static int report(struct cli *cli, const struct failure *failure, const char *message)
{
	say(cli, failure, message);
	remember(&cli->output->failure, failure, message);
	return failure->status;
}

__attribute__((format(printf, 3, 0))) static int
report_format(struct cli *cli, const struct failure *failure, const char *format, va_list args)
{
	char *message;

	if (vasprintf(&message, format, args) < 0)
		return report(cli, failure, no_memory);
	report(cli, failure, message);
	free(message);
	return failure->status;
}

static bool runs_command(const struct cli *cli)
{
	return cli->command || (cli->verb && cli->verb->flags & CLI_COMMAND);
}

/* What was given to the tool is wrong. */
static int bad_input_status(const struct cli *cli)
{
	return runs_command(cli) ? CLI_COMMAND_TOOL_FAILED : CLI_USAGE;
}

int cli_fail(struct cli *cli, const char *object, int error, const char *format, ...)
{
	struct failure failure = {
		.code = cli_errno_name(error), .status = cli_errno_exit(error), .object = object,
	};
	va_list args;

	if (runs_command(cli))
		failure.status = abs(error) == ETIMEDOUT || abs(error) == EAGAIN ?
					 CLI_COMMAND_TIMED_OUT : CLI_COMMAND_TOOL_FAILED;
	if (!format)
		return report(cli, &failure, cli_errno_words(error));
	va_start(args, format);
	report_format(cli, &failure, format, args);
	va_end(args);
	return failure.status;
}

/* Of what a limit forbids these say little: they are mostly about something else. */
static const char *limit_words(int error, const struct ipckit_limit *limit)
{
	switch (abs(error)) {
	case EMFILE:
		/* Of queues, not of descriptors. */
		return limit->needed.known ? "more than is allowed" : cli_errno_words(error);
	case EINVAL:
		return "more than is allowed";
	case EFBIG:
		return "file too large";
	case EAGAIN:
		return "no process could be started";
	default:
		return cli_errno_words(error);
	}
}

/* "no space left: kernel.sem semmni is 32000 sets, 32000 in use" */
static char *limit_message(int error, const struct ipckit_limit *limit, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "%s: %s", limit_words(error, limit), limit->name);
	if (limit->value.known)
		fprintf(stream, " is %" PRId64 "%s%s", limit->value.value, limit->unit ? " " : "",
			limit->unit ?: "");
	else
		fputs(" is reached", stream);
	if (limit->used.known)
		fprintf(stream, ", %s%" PRId64 " in use", limit->estimate ? "about " : "",
			limit->used.value);
	if (limit->needed.known)
		fprintf(stream, ", %" PRId64 " needed", limit->needed.value);
	fputs(after, stream);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

int cli_fail_late(struct cli *cli, const char *object, const char *timeout, const char *after)
{
	/* A number alone is of seconds. */
	bool has_unit = timeout[strspn(timeout, "0123456789.")];

	return cli_fail(cli, object, ETIMEDOUT, "timed out after %s%s%s", timeout, has_unit ? "" : "s", after);
}

int cli_fail_limit(struct cli *cli, const char *object, int error, const struct ipckit_limit *limit)
{
	return cli_fail_limit_after(cli, object, error, limit, "");
}

int cli_fail_limit_after(struct cli *cli, const char *object, int error, const struct ipckit_limit *limit,
			 const char *after)
{
	struct failure failure = {
		.code = cli_errno_name(error),
		.status = runs_command(cli) ? CLI_COMMAND_TOOL_FAILED : CLI_LIMIT,
		.object = object,
		.limit = limit,
	};
	char *message = limit_message(error, limit, after);

	report(cli, &failure, message ?: limit->name);
	free(message);
	return failure.status;
}

int cli_usage(struct cli *cli, const char *object, const char *format, ...)
{
	struct failure failure = {
		.code = "USAGE", .status = bad_input_status(cli), .object = object,
	};
	va_list args;

	va_start(args, format);
	report_format(cli, &failure, format, args);
	va_end(args);
	return failure.status;
}

int cli_malformed(struct cli *cli, const char *object, uint64_t line, uint64_t column, const char *format, ...)
{
	struct failure failure = {
		.code = "FORMAT",
		.status = bad_input_status(cli),
		.object = object,
		.line = line,
		.column = line ? column : 0,
	};
	va_list args;

	va_start(args, format);
	report_format(cli, &failure, format, args);
	va_end(args);
	return failure.status;
}

int cli_fail_command(struct cli *cli, const char *command, enum cli_exit status, int error, const char *words)
{
	struct failure failure = {
		.code = cli_errno_name(error), .status = status, .object = command,
	};

	if (!words)
		words = status == CLI_COMMAND_NOT_FOUND ? "command not found" : cli_errno_words(error);
	return report(cli, &failure, words);
}

__attribute__((format(printf, 3, 0))) static void
say_format(const struct cli *cli, const char *object, const char *format, va_list args)
{
	const struct failure about = { .object = object };
	char *message;

	if (vasprintf(&message, format, args) < 0) {
		say(cli, &about, no_memory);
		return;
	}
	say(cli, &about, message);
	free(message);
}

void cli_warn(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (cli->output->looked)
		return;
	va_start(args, format);
	say_format(cli, "warning", format, args);
	va_end(args);
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (!cli->verbose || cli->output->looked)
		return;
	va_start(args, format);
	say_format(cli, NULL, format, args);
	va_end(args);
}
