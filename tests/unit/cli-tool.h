/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

/*
 * What the tests of cli_main() share: verbs for things that several of them try, and runs in a child. Who includes
 * this makes a tool of them and of verbs of its own.
 */

#include "../../cmd/cli/internal.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ipckit/process.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERB(verb_name, verb_operands, ...)                                                  \
	&(const struct cli_verb){ .name = verb_name, .operands = verb_operands,              \
				  .summary = "Does " verb_name ".", __VA_ARGS__ }

/* ---- words ---- */

static char *text, *other;
static int flag;

static const struct poptOption echo_options[] = {
	{ "text", 't', POPT_ARG_STRING, &text, 0, "a text", "TEXT" },
	{ "other", 'v', POPT_ARG_STRING, &other, 0, "another", "TEXT" },
	{ "flag", 'x', POPT_ARG_NONE, &flag, 0, "a flag", NULL },
	POPT_TABLEEND,
};

struct echo {
	char *words;
};

static const struct cli_field echo_fields[] = {
	{ .name = "words", .type = CLI_STRING, .offset = offsetof(struct echo, words) },
	{ .name = NULL },
};

static const struct cli_table echo_table = {
	.fields = echo_fields, .size = sizeof(struct echo), .key = "echoes",
};

/* What the verb was given, as one line: "t=TEXT v=TEXT x [OPERAND] -- [WORD]". */
static int run_echo(struct cli *cli)
{
	static char line[1000];
	struct echo echo = { .words = line };
	FILE *stream = fmemopen(line, sizeof(line), "w");

	if (text)
		fprintf(stream, "t=%s ", text);
	if (other)
		fprintf(stream, "v=%s ", other);
	if (flag)
		fprintf(stream, "x ");
	if (cli->bytes)
		fprintf(stream, "bytes ");
	for (int i = 0; i < cli->noperands; i++)
		fprintf(stream, "[%s]", cli->operands[i]);
	if (cli->operands[cli->noperands])
		fprintf(stream, " no end");
	for (char **word = cli->command; word && *word; word++)
		fprintf(stream, "%s[%s]", word == cli->command ? " -- " : "", *word);
	fclose(stream);
	return cli_emit_record(cli, &echo_table, &echo);
}

static const struct cli_verb echo_verb = {
	.name = "echo", .operands = "[WORD]...", .alias = "e", .summary = "Does echo.", .most = -1,
	.options = echo_options, .table = &echo_table, .run = run_echo,
};

/* ---- rows ---- */

struct slot {
	unsigned index;
	struct ipckit_maybe value;
	char *command;
};

struct row {
	unsigned kind;
	char *name;
	bool created;
	struct ipckit_maybe value, size, mode, key, uid, gid, mtime, pid;
	double percent;
	struct slot *slots;
	size_t nslots;
	struct ipckit_gap gaps[2];
	size_t ngaps;
};

static const struct cli_field slot_fields[] = {
	{ .name = "index", .type = CLI_UINT, .offset = offsetof(struct slot, index) },
	{ .name = "value", .type = CLI_MAYBE, .offset = offsetof(struct slot, value) },
	{ .name = "command", .type = CLI_STRING, .offset = offsetof(struct slot, command),
	  .flags = CLI_WIDE },
	{ .name = NULL },
};

static const struct cli_table slot_table = { .fields = slot_fields, .size = sizeof(struct slot) };

#define FIELD(field_name, kind_of, member, ...)                                              \
	{ .name = field_name, .type = kind_of, .offset = offsetof(struct row, member),       \
	  .summary = "the " field_name, __VA_ARGS__ }

static const struct cli_field row_fields[] = {
	FIELD("name", CLI_STRING, name),
	FIELD("created", CLI_BOOL, created),
	FIELD("value", CLI_MAYBE, value),
	FIELD("size", CLI_SIZE, size, .heading = "Bytes"),
	FIELD("mode", CLI_MODE, mode),
	FIELD("key", CLI_KEY, key, .kinds = 2),
	FIELD("user", CLI_USER, uid),
	FIELD("group", CLI_GROUP, gid),
	FIELD("uid", CLI_MAYBE, uid, .flags = CLI_WIDE),
	FIELD("mtime", CLI_TIME, mtime),
	FIELD("pid", CLI_PID, pid),
	FIELD("percent", CLI_REAL, percent),
	FIELD("slots", CLI_ROWS, slots, .flags = CLI_DETAIL, .rows = &slot_table,
	      .count_offset = offsetof(struct row, nslots)),
	FIELD("unreadable", CLI_GAPS, gaps, .flags = CLI_WIDE,
	      .count_offset = offsetof(struct row, ngaps)),
	{ .name = NULL },
};

static unsigned kind_of_row(const void *row)
{
	return ((const struct row *)row)->kind;
}

static const struct cli_table row_table = {
	.fields = row_fields, .size = sizeof(struct row), .key = "things", .kind = kind_of_row,
};

static struct slot slots[] = {
	{ .index = 0, .value = { true, 3 }, .command = "sleep 1" },
	{ .index = 1, .command = NULL },
};

/* The uid is one that has no name. */
#define NOBODY_IS 3999999990

static struct row rows[] = {
	{ .kind = 1, .name = "/jobs", .created = true, .value = { true, 3 }, .size = { true, 1536 },
	  .mode = { true, 0600 }, .key = { true, 7 }, .uid = { true, 0 }, .gid = { true, 0 },
	  .mtime = { true, 1000 }, .pid = { true, 0 }, .percent = 12.5 },
	{ .kind = 2, .name = "tab\tback\\line\nend\r", .value = { false, 0 },
	  .size = { true, 10485760 }, .mode = { true, 06 }, .key = { true, -2 },
	  .uid = { true, NOBODY_IS }, .mtime = { true, 0 }, .pid = { true, 4711 }, .percent = 0.1,
	  .slots = slots, .nslots = 2, .gaps = { { "value", EACCES } }, .ngaps = 1 },
	{ .kind = 2, .name = "caf\xc3\xa9\xff", .value = { true, -1 }, .nslots = 2 },
};

static int run_list(struct cli *cli)
{
	struct cli_filter filter;
	int status = cli_filter_read(cli, &filter);

	if (!status)
		status = cli_filter_sort(cli, &filter, &row_table, rows, 3);
	return status ?: cli_emit_list(cli, &row_table, rows, cli->noperands ? 0 : 3);
}

static const struct poptOption list_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND,
};

static const struct cli_verb list_verb = {
	.name = "list", .operands = "", .summary = "Does list.", .most = 1, .flags = CLI_ANSWERS,
	.options = list_options, .table = &row_table, .run = run_list,
};

/* ---- texts ---- */

static int write_text(FILE *stream, const char *what)
{
	static const char zero[] = "a\0b";

	if (!strcmp(what, "nul"))
		fwrite(zero, 1, sizeof(zero) - 1, stream);
	else if (!strcmp(what, "large"))
		for (int i = 0; i < 100000; i++)
			fprintf(stream, "%d\n", i);
	else if (strcmp(what, "empty"))
		fprintf(stream, "%s\t\"text\"\n", what);
	return !strcmp(what, "refused") ? -EOPNOTSUPP : 0;
}

static int run_text(struct cli *cli)
{
	const char *what = cli->operands[0];
	FILE *stream = cli_text_begin(cli);

	if (!strcmp(what, "left"))
		return cli_fail(cli, what, EIDRM, NULL);
	return cli_text_end(cli, stream ? write_text(stream, what) : -ENOMEM);
}

static const struct cli_verb text_verb = {
	.name = "text", .operands = "WHAT", .summary = "Does text.", .least = 1, .most = 1,
	.flags = CLI_TEXT, .run = run_text,
};

/* ---- files ---- */

/* 0 if a file that is opened does not get the number of a standard descriptor. */
static int run_open(struct cli *cli)
{
	(void)cli;
	return open("/dev/null", O_RDWR | O_CLOEXEC) > 2 ? 0 : 1;
}

static const struct cli_verb open_verb = {
	.name = "open", .operands = "", .summary = "Does open.", .run = run_open,
};

/* ---- a run of a tool ---- */

static const struct cli_tool *tried;

struct run {
	int status; /* -1: ended by a signal */
	char out[4500000], err[20000];
};

static struct run run;

static inline void try_tool(const struct cli_tool *tool)
{
	unsetenv("IPCKIT_FORMAT");
	unsetenv("POSIXLY_CORRECT");
	tried = tool;
}

static void read_back(FILE *file, char *buffer, size_t size)
{
	rewind(file);
	buffer[fread(buffer, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void be_child(int out, int err, const char *line)
{
	static char words[2000];
	char *argv[40] = { (char *)tried->name }, *rest = words, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = strcmp(word, "''") ? word : "";
	if (out >= 0)
		dup2(out, 1);
	else
		close(1);
	dup2(err, 2);
	exit(cli_main(tried, argc, argv));
}

/* The words of line are separated by blanks; '' is an empty one. */
static void try_with(int out, FILE *file, const char *line)
{
	FILE *err = tmpfile();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		be_child(out, fileno(err), line);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	run.out[0] = '\0';
	if (file)
		read_back(file, run.out, sizeof(run.out));
	read_back(err, run.err, sizeof(run.err));
}

static void try(const char *line)
{
	FILE *file = tmpfile();

	try_with(fileno(file), file, line);
}

/* path: where its standard output goes; NULL: it has none. */
static inline void try_on(const char *path, const char *line)
{
	int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	try_with(fd, NULL, line);
	if (fd >= 0)
		close(fd);
}

static inline void check_unwritable(const char *line)
{
	try_on("/dev/full", line);
	CHECK_INT_FOR(line, run.status, 8);
	CHECK_FOR(line, strstr(run.err, ": standard output: no space left\n"));
	try_on(NULL, line);
	CHECK_INT_FOR(line, run.status, 8);
	CHECK_FOR(line, strstr(run.err, ": standard output: bad file descriptor\n"));
}

static inline bool begins(const char *all, const char *beginning)
{
	return !strncmp(all, beginning, strlen(beginning));
}

#endif
