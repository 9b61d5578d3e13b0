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
	{ EINVAL, CLI_USAGE, "not valid here" },
	{ ERANGE, CLI_USAGE, "out of range" },
	{ ENOENT, CLI_MISSING, "no such object" },
	{ EEXIST, CLI_EXISTS, "already exists" },
	{ EACCES, CLI_DENIED, "permission denied" },
	{ EPERM, CLI_DENIED, "not permitted" },
	{ EOVERFLOW, CLI_LIMIT, "the largest value would be passed" },
	{ ENOSPC, CLI_LIMIT, "no space left" },
	{ EMFILE, CLI_LIMIT, "too many open files in this process" },
	{ ENFILE, CLI_LIMIT, "too many open files in the system" },
	{ E2BIG, CLI_LIMIT, "too many at once" },
	{ EDQUOT, CLI_LIMIT, "the disk quota is used up" },
	{ ENOMEM, CLI_LIMIT, "out of memory" },
	{ EIDRM, CLI_BROKEN, "removed while it was used" },
	{ EOWNERDEAD, CLI_BROKEN, "its owner has died" },
	{ EBADMSG, CLI_BROKEN, "not what it claims to be" },
	{ ELOOP, CLI_BROKEN, "a symbolic link stands in its place" },
	{ EFBIG, CLI_BROKEN, "beyond its end" },
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

static void put_line(FILE *stream, const struct cli *cli, const char *object, const char *message)
{
	fputs(cli->tool->name, stream);
	if (cli->verb)
		fprintf(stream, " %s", cli->verb->name);
	fputs(": ", stream);
	if (object) {
		cli_put_safe(stream, object);
		fputs(": ", stream);
	}
	cli_put_safe(stream, message);
	fputc('\n', stream);
}

/* The line goes out in one write, so that those of several processes do not mingle. */
static void say(const struct cli *cli, const char *object, const char *message)
{
	char *line = NULL;
	size_t size;
	FILE *stream = open_memstream(&line, &size);

	if (stream) {
		put_line(stream, cli, object, message);
		if (!fclose(stream)) {
			fwrite(line, 1, size, stderr);
			free(line);
			return;
		}
		free(line);
	}
	put_line(stderr, cli, object, message);
}

static void remember(struct cli_failure *failure, const char *code, int status, const char *object,
		     const char *message, const struct ipckit_limit *limit)
{
	if (failure->reported)
		return;
	failure->reported = true;
	failure->code = code;
	failure->exit = status;
	failure->object = object ? strdup(object) : NULL;
	failure->message = strdup(message);
	failure->limited = limit != NULL;
	if (limit)
		failure->limit = *limit;
}

static int report(struct cli *cli, const char *code, int status, const char *object,
		  const char *message, const struct ipckit_limit *limit)
{
	say(cli, object, message);
	remember(&cli->output->failure, code, status, object, message, limit);
	return status;
}

__attribute__((format(printf, 5, 0))) static int
report_format(struct cli *cli, const char *code, int status, const char *object, const char *format,
	      va_list args)
{
	char *message;

	if (vasprintf(&message, format, args) < 0)
		return report(cli, code, status, object, no_memory, NULL);
	report(cli, code, status, object, message, NULL);
	free(message);
	return status;
}

static bool runs_command(const struct cli *cli)
{
	return cli->command || (cli->verb && cli->verb->flags & CLI_COMMAND);
}

int cli_fail(struct cli *cli, const char *object, int error, const char *format, ...)
{
	const char *code = cli_errno_name(error);
	int status = cli_errno_exit(error);
	va_list args;

	if (runs_command(cli))
		status = abs(error) == ETIMEDOUT || abs(error) == EAGAIN ? CLI_COMMAND_TIMED_OUT :
									   CLI_COMMAND_TOOL_FAILED;
	if (!format)
		return report(cli, code, status, object, cli_errno_words(error), NULL);
	va_start(args, format);
	status = report_format(cli, code, status, object, format, args);
	va_end(args);
	return status;
}

/* Of what a limit forbids these say little: they are mostly about something else. */
static const char *limit_words(int error)
{
	switch (abs(error)) {
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
static char *limit_message(int error, const struct ipckit_limit *limit)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "%s: %s", limit_words(error), limit->name);
	if (limit->value.known)
		fprintf(stream, " is %" PRId64 "%s%s", limit->value.value, limit->unit ? " " : "",
			limit->unit ?: "");
	else
		fputs(" is reached", stream);
	if (limit->used.known)
		fprintf(stream, ", %s%" PRId64 " in use", limit->estimate ? "about " : "",
			limit->used.value);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

int cli_fail_limit(struct cli *cli, const char *object, int error, const struct ipckit_limit *limit)
{
	int status = runs_command(cli) ? CLI_COMMAND_TOOL_FAILED : CLI_LIMIT;
	char *message = limit_message(error, limit);

	report(cli, cli_errno_name(error), status, object, message ?: limit->name, limit);
	free(message);
	return status;
}

int cli_usage(struct cli *cli, const char *object, const char *format, ...)
{
	int status = runs_command(cli) ? CLI_COMMAND_TOOL_FAILED : CLI_USAGE;
	va_list args;

	va_start(args, format);
	report_format(cli, "USAGE", status, object, format, args);
	va_end(args);
	return status;
}

int cli_fail_command(struct cli *cli, const char *command, int error)
{
	bool missing = abs(error) == ENOENT;

	return report(cli, cli_errno_name(error),
		      missing ? CLI_COMMAND_NOT_FOUND : CLI_COMMAND_NOT_EXECUTABLE, command,
		      missing ? "command not found" : cli_errno_words(error), NULL);
}

__attribute__((format(printf, 3, 0))) static void
say_format(const struct cli *cli, const char *object, const char *format, va_list args)
{
	char *message;

	if (vasprintf(&message, format, args) < 0) {
		say(cli, object, no_memory);
		return;
	}
	say(cli, object, message);
	free(message);
}

void cli_warn(struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_format(cli, "warning", format, args);
	va_end(args);
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (!cli->verbose)
		return;
	va_start(args, format);
	say_format(cli, NULL, format, args);
	va_end(args);
}
