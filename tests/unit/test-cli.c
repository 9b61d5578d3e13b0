/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The runtime under the tools: its pure parts directly, the rest through cli_main() in a child. */

#include "../../cmd/cli/internal.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* ---- a tool with a verb for each thing to be tried ---- */

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

static int run_fail(struct cli *cli)
{
	const char *object = cli->operands[0];
	int64_t ns;
	uint64_t number;
	int64_t number_signed;
	unsigned mode;
	uid_t uid = -1;
	gid_t gid = -1;
	struct ipckit_limit limit = { .name = "kernel.sem semmni", .value = ipckit_known(32000),
				      .used = ipckit_known(31999), .unit = "sets" };
	struct ipckit_limit vague = { .name = "RLIMIT_MSGQUEUE" };

	if (!strcmp(object, "missing"))
		return cli_fail(cli, object, -ENOENT, NULL);
	if (!strcmp(object, "twice")) {
		int first = cli_fail(cli, "first", EEXIST, NULL);

		cli_fail(cli, "second", ENOENT, "not there");
		return first;
	}
	if (!strcmp(object, "timeout"))
		return cli_fail(cli, object, -ETIMEDOUT, "timed out after %s", "5s");
	if (!strcmp(object, "again"))
		return cli_fail(cli, object, -EAGAIN, NULL);
	if (!strcmp(object, "limit"))
		return cli_fail_limit(cli, object, -ENOSPC, &limit);
	if (!strcmp(object, "vague"))
		return cli_fail_limit(cli, object, EMFILE, &vague);
	if (!strcmp(object, "command"))
		return cli_fail_command(cli, "true", CLI_COMMAND_NOT_EXECUTABLE, -EACCES, NULL);
	if (!strcmp(object, "nocommand"))
		return cli_fail_command(cli, "true", CLI_COMMAND_NOT_FOUND, -ENOENT, NULL);
	if (!strcmp(object, "duration"))
		return cli_duration(cli, "--timeout", text, &ns);
	if (!strcmp(object, "size"))
		return cli_size(cli, "--size", text, &number);
	if (!strcmp(object, "count"))
		return cli_count(cli, "--count", text, 1, 10, &number);
	if (!strcmp(object, "signed"))
		return cli_signed(cli, "VALUE", text, -5, 5, &number_signed);
	if (!strcmp(object, "mode"))
		return cli_mode(cli, "--mode", text, 0600, &mode);
	if (!strcmp(object, "owner"))
		return cli_owner(cli, "OWNER", text, &uid, &gid);
	if (!strcmp(object, "malformed"))
		return cli_malformed(cli, "a\nfile", 3, 17, "expected %s", "a number");
	if (!strcmp(object, "row"))
		return cli_malformed(cli, "file", 3, 0, "too short");
	if (!strcmp(object, "input"))
		return cli_malformed(cli, NULL, 3, 17, "too short");
	if (!strcmp(object, "sums"))
		return cli_malformed(cli, "file", 0, 5, "sums disagree");
	if (!strcmp(object, "nothing"))
		return cli_malformed(cli, NULL, 0, 0, "empty");
	if (!strcmp(object, "words"))
		return cli_fail_command(cli, "true", CLI_COMMAND_NOT_EXECUTABLE, ENOENT, "no loader");
	if (!strcmp(object, "note")) {
		cli_note(cli, "%s\n%s", "two", "lines");
		cli_warn(cli, "careful");
		return CLI_OK;
	}
	return cli_fail(cli, object, EIDRM, NULL);
}

static int run_list(struct cli *cli)
{
	struct cli_filter filter;
	int status = cli_filter_read(cli, &filter);

	if (!status)
		status = cli_filter_sort(cli, &filter, &row_table, rows, 3);
	return status ?: cli_emit_list(cli, &row_table, rows, cli->noperands ? 0 : 3);
}

static int run_info(struct cli *cli)
{
	return cli_emit_record(cli, &row_table, &rows[atoi(cli->operands[0])]);
}

static int run_stream(struct cli *cli)
{
	int status = CLI_OK;

	for (size_t i = 0; i < 3 && !status; i++)
		status = cli_emit_line(cli, &row_table, &rows[i]);
	if (!status && cli->noperands)
		status = cli_fail(cli, cli->operands[0], EIDRM, NULL);
	return status;
}

/* More than any buffer: the write fails while the result is being printed. */
static int run_large(struct cli *cli)
{
	static struct row many[5000];

	for (size_t i = 0; i < 5000; i++)
		many[i] = rows[0];
	return cli_emit_list(cli, &row_table, many, 5000);
}

/* ---- lists and blocks ---- */

struct lists {
	unsigned kind;
	const char *const *names;
	const int64_t *counts;
	const char *trace;
	size_t nnames, ncounts;
	struct lists *within;
	size_t nwithin;
};

#define LIST(field_name, kind_of, member, ...)                                               \
	{ .name = field_name, .type = kind_of, .offset = offsetof(struct lists, member),     \
	  .summary = "the " field_name, __VA_ARGS__ }

static const struct cli_field within_fields[] = {
	LIST("names", CLI_STRINGS, names, .count_offset = offsetof(struct lists, nnames)),
	LIST("counts", CLI_INTEGERS, counts, .count_offset = offsetof(struct lists, ncounts)),
	LIST("trace", CLI_BLOCK, trace),
	{ .name = NULL },
};

static const struct cli_table within_table = {
	.fields = within_fields, .size = sizeof(struct lists),
};

static const struct cli_field lists_fields[] = {
	LIST("names", CLI_STRINGS, names, .count_offset = offsetof(struct lists, nnames)),
	LIST("counts", CLI_INTEGERS, counts, .count_offset = offsetof(struct lists, ncounts)),
	LIST("others", CLI_STRINGS, names, .count_offset = offsetof(struct lists, nnames), .kinds = 2),
	LIST("numbers", CLI_INTEGERS, counts, .count_offset = offsetof(struct lists, ncounts),
	     .kinds = 2),
	LIST("remark", CLI_BLOCK, trace, .kinds = 2),
	LIST("trace", CLI_BLOCK, trace),
	LIST("within", CLI_ROWS, within, .rows = &within_table, .flags = CLI_DETAIL,
	     .count_offset = offsetof(struct lists, nwithin)),
	{ .name = NULL },
};

static unsigned kind_of_lists(const void *row)
{
	return ((const struct lists *)row)->kind;
}

static const struct cli_table lists_table = {
	.fields = lists_fields, .size = sizeof(struct lists), .key = "lists", .kind = kind_of_lists,
};

static const char *const some_names[] = { "P1", "a,b", "c\\d", "tab\t", "\x1b[m" };
static const char *const bad_names[] = { "P1", "caf\xff", "" };
static const char *const dash[] = { "-" }, *const question[] = { "?" }, *const dashes[] = { "-", "?" };
static const int64_t some_counts[] = { 3, 0, -1, INT64_MAX };

#define MANY 300000
static const char *many_names[MANY];
static int64_t many_counts[MANY];

static struct lists inner = { .kind = 1, .names = some_names, .nnames = 2, .counts = some_counts,
			      .ncounts = 3, .trace = "none of it" };

static struct lists lists[] = {
	{ .kind = 1, .names = some_names, .nnames = 5, .counts = some_counts, .ncounts = 4,
	  .trace = "first\n\n\tsecond\x1b[m\nno end", .within = &inner, .nwithin = 1 },
	{ .kind = 2 },
	{ .kind = 1, .nnames = 3, .ncounts = 1, .trace = "ended\n" },
	{ .kind = 1, .names = bad_names, .nnames = 3 },
	{ .kind = 1, .names = dash, .nnames = 1, .counts = some_counts, .ncounts = 1 },
	{ .kind = 1, .names = question, .nnames = 1 },
	{ .kind = 2, .names = dashes, .nnames = 2, .counts = some_counts, .ncounts = 1, .trace = "t\n" },
	{ .kind = 1, .names = many_names, .nnames = MANY, .counts = many_counts, .ncounts = MANY },
};

static int run_lists(struct cli *cli)
{
	const char *operand = cli->operands[0];

	for (int i = 0; i < MANY; i++) {
		many_names[i] = i % 2 ? "P1234567" : "Q";
		many_counts[i] = i;
	}
	if (*operand == 'l')
		return cli_emit_line(cli, &lists_table, &lists[atoi(operand + 1)]);
	if (*operand == 'a')
		return cli_emit_list(cli, &lists_table, lists, 7);
	return cli_emit_record(cli, &lists_table, &lists[atoi(operand)]);
}

static int run_sorted(struct cli *cli)
{
	struct cli_filter filter;
	int status = cli_filter_read(cli, &filter);

	if (!status)
		status = cli_filter_sort(cli, &filter, &lists_table, lists, 7);
	return status ?: cli_emit_list(cli, &lists_table, lists, 7);
}

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

/* A verb that runs where none is typed. */
static int run_file(struct cli *cli)
{
	const char *file = cli->noperands ? cli->operands[0] : "-", *near = cli_near_verb(cli, file);

	if (near)
		return cli_fail(cli, file, ENOENT, "no such file, did you mean the verb %s?", near);
	return run_echo(cli);
}

/* 0 if a file that is opened does not get the number of a standard descriptor. */
static int run_open(struct cli *cli)
{
	(void)cli;
	return open("/dev/null", O_RDWR | O_CLOEXEC) > 2 ? 0 : 1;
}

static const struct poptOption list_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_filter_options, 0, NULL, NULL },
	POPT_TABLEEND,
};

#define VERB(verb_name, verb_operands, ...)                                                  \
	&(const struct cli_verb){ .name = verb_name, .operands = verb_operands,              \
				  .summary = "Does " verb_name ".", __VA_ARGS__ }

static const struct cli_verb *const verbs[] = {
	VERB("echo", "[WORD]...", .alias = "e", .most = -1, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("negative", "[WORD]...", .most = -1, .flags = CLI_NEGATIVE, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("may", "[WORD]...", .most = -1, .flags = CLI_COMMAND_MAY, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("exec", "WORD", .least = 1, .most = 1, .flags = CLI_COMMAND, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("fail", "WHAT", .least = 1, .most = 1, .options = echo_options, .run = run_fail),
	VERB("failexec", "WHAT", .least = 1, .most = 1, .flags = CLI_COMMAND,
	     .options = echo_options, .run = run_fail),
	VERB("list", "", .most = 1, .flags = CLI_ANSWERS, .options = list_options,
	     .table = &row_table, .run = run_list),
	VERB("info", "N", .least = 1, .most = 1, .flags = CLI_ANSWERS, .table = &row_table,
	     .run = run_info),
	VERB("stream", "", .most = 1, .flags = CLI_ANSWERS, .table = &row_table, .run = run_stream),
	VERB("large", "", .flags = CLI_ANSWERS, .table = &row_table, .run = run_large),
	VERB("lists", "N", .least = 1, .most = 1, .flags = CLI_ANSWERS, .table = &lists_table,
	     .run = run_lists),
	VERB("sorted", "", .flags = CLI_ANSWERS | CLI_LISTS, .options = list_options,
	     .table = &lists_table, .run = run_sorted),
	VERB("text", "WHAT", .least = 1, .most = 1, .flags = CLI_TEXT, .run = run_text),
	VERB("ttext", "WHAT", .least = 1, .most = 1, .flags = CLI_TEXT, .table = &echo_table,
	     .run = run_text),
	VERB("open", "", .run = run_open),
	VERB("secret", "", .flags = CLI_HIDDEN, .run = run_open),
	NULL,
};

static const struct cli_tool tool = { .name = "tool", .summary = "Tries things.", .verbs = verbs };

/* The same kind of tool with a verb that need not be typed. */
static const struct cli_verb file_verb = {
	.name = "check", .operands = "[FILE]", .summary = "Checks.", .most = 1,
	.options = echo_options, .table = &echo_table, .run = run_file,
};
static const struct cli_verb *const file_verbs[] = {
	&file_verb,
	VERB("echo", "[WORD]...", .alias = "e", .most = -1, .options = list_options,
	     .table = &echo_table, .run = run_echo),
	VERB("secret", "", .flags = CLI_HIDDEN, .run = run_open),
	NULL,
};
static const struct cli_tool file_tool = {
	.name = "ftool", .summary = "Tries files.", .verbs = file_verbs, .fallback = &file_verb,
};

static const struct cli_tool *tried = &tool;

/* ---- a run of it ---- */

struct run {
	int status; /* -1: ended by a signal */
	char out[4500000], err[20000];
};

static struct run run;

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

static bool begins(const char *all, const char *beginning)
{
	return !strncmp(all, beginning, strlen(beginning));
}

/* ---- pure parts ---- */

static void test_distance(void)
{
	static const struct {
		const char *a, *b;
		int distance;
	} pairs[] = {
		{ "", "", 0 }, { "wait", "wait", 0 }, { "wiat", "wait", 1 }, { "wait", "", 4 },
		{ "", "post", 4 }, { "pots", "post", 1 }, { "limit", "limits", 1 },
		{ "kitten", "sitting", 3 }, { "ab", "ba", 1 }, { "abcd", "badc", 2 },
	};
	static const struct {
		const char *typed, *best;
	} near[] = {
		{ "wiat", "wait" }, { "wai", "wait" }, { "wait-zer", "wait-zero" },
		{ "lim", "limits" },
		{ "pst", "post" }, { "bogus", NULL }, { "x", NULL }, { "", NULL }, { "wxyz", NULL },
	};
	static const char *const words[] = { "wait", "wait-zero", "post", "limits" };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		CHECK_INT_FOR(pairs[i].a, cli_distance(pairs[i].a, pairs[i].b), pairs[i].distance);
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		struct cli_nearest nearest = { .typed = near[i].typed };

		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			cli_nearest_offer(&nearest, words[j]);
		CHECK_STR_FOR(near[i].typed, nearest.best, near[i].best);
	}
	/* Longer than what is compared: the rest does not matter, nothing is overrun. */
	char longest[1001];

	memset(longest, 'a', 1000);
	longest[1000] = '\0';
	CHECK_INT(cli_distance(longest, "a"), 62);
	CHECK_INT(cli_distance(longest, longest), 0);
}

static void test_errno(void)
{
	static const struct {
		int error, exit;
		const char *name;
	} known[] = {
		{ EAGAIN, 1, "EAGAIN" }, { EWOULDBLOCK, 1, "EAGAIN" },
		{ ETIMEDOUT, 1, "ETIMEDOUT" },
		{ EBUSY, 1, "EBUSY" }, { EINVAL, 2, "EINVAL" }, { ERANGE, 2, "ERANGE" },
		{ ENOENT, 3, "ENOENT" }, { EEXIST, 4, "EEXIST" }, { EACCES, 5, "EACCES" },
		{ EPERM, 5, "EPERM" }, { EOVERFLOW, 6, "EOVERFLOW" }, { ENOSPC, 6, "ENOSPC" },
		{ EMFILE, 6, "EMFILE" }, { ENFILE, 6, "ENFILE" }, { E2BIG, 6, "E2BIG" },
		{ EDQUOT, 6, "EDQUOT" }, { ENOMEM, 6, "ENOMEM" }, { EIDRM, 7, "EIDRM" },
		{ EOWNERDEAD, 7, "EOWNERDEAD" }, { EBADMSG, 7, "EBADMSG" }, { ELOOP, 7, "ELOOP" },
		{ EFBIG, 7, "EFBIG" }, { EDEADLK, 8, "EDEADLK" }, { EDEADLOCK, 8, "EDEADLK" },
		{ ENOTSUP, 8, "EOPNOTSUPP" }, { EOPNOTSUPP, 8, "EOPNOTSUPP" }, { EIO, 8, "EIO" },
		{ EPIPE, 8, "EPIPE" }, { EINTR, 8, "EINTR" }, { 100000, 8, "UNKNOWN" },
	};
	int seen = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		CHECK_INT_FOR(known[i].name, cli_errno_exit(known[i].error), known[i].exit);
		CHECK_INT_FOR(known[i].name, cli_errno_exit(-known[i].error), known[i].exit);
		CHECK_STR_FOR(known[i].name, cli_errno_name(known[i].error), known[i].name);
		CHECK_STR_FOR(known[i].name, cli_errno_name(-known[i].error), known[i].name);
	}
	for (int error = 1; error < 4096; error++) {
		if (!strerrorname_np(error))
			continue;
		seen++;
		CHECK_FOR(cli_errno_name(error), cli_errno_name(error)[0] == 'E');
		CHECK_FOR(cli_errno_name(error), cli_errno_exit(error) >= CLI_NO);
		CHECK_FOR(cli_errno_name(error), cli_errno_exit(error) <= CLI_SYSTEM);
		CHECK_FOR(cli_errno_name(error), *cli_errno_words(error));
		CHECK_FOR(cli_errno_name(error), strncmp(cli_errno_words(error), "error ", 6));
	}
	CHECK(seen > 130);
	CHECK_STR(cli_errno_words(-ETIMEDOUT), "timed out");
	CHECK_STR(cli_errno_words(EISDIR), "is a directory");
	CHECK_STR(cli_errno_words(EADV), "advertise error");
	CHECK_STR(cli_errno_words(ENOANO), "no anode");
	CHECK_STR(cli_errno_words(ENOTNAM), "not a XENIX named type file");
	CHECK_STR(cli_errno_words(100000), "error 100000");
}

static void test_utf8(void)
{
	static const struct {
		const char *text;
		bool valid;
		const char *repaired;
	} texts[] = {
		{ "", true, "" },
		{ "plain", true, "plain" },
		{ "\xc3\xa9", true, "\xc3\xa9" },
		{ "\xe2\x82\xac", true, "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", true, "\xf0\x9f\x98\x80" },
		{ "\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf" },
		{ "\xff", false, "\xef\xbf\xbd" },
		{ "a\x80z", false, "a\xef\xbf\xbdz" },
		{ "\xc3", false, "\xef\xbf\xbd" },
		{ "\xc3z", false, "\xef\xbf\xbdz" },
		{ "\xc0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc1\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe0\x9f\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x8f\xbf\xbf", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", false, "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *repaired = cli_utf8_repair(texts[i].text);
		json_t *accepted = json_string(texts[i].text);

		CHECK_FOR(texts[i].repaired, cli_utf8_valid(texts[i].text) == texts[i].valid);
		CHECK_FOR(texts[i].repaired, (accepted != NULL) == texts[i].valid);
		CHECK_STR(repaired, texts[i].repaired);
		CHECK_FOR(texts[i].repaired, cli_utf8_valid(repaired));
		json_decref(accepted);
		free(repaired);
	}
}

static void test_safe(void)
{
	char out[200] = "";
	FILE *stream = fmemopen(out, sizeof(out), "w");

	cli_put_safe(stream, "a\nb\tc\r\x1b[31m\x7f\xff\xc3\xa9\xc2\x9bz\\");
	fclose(stream);
	CHECK_STR(out, "a\\nb\\tc\\r\\x1b[31m\\x7f\\xff\xc3\xa9\\xc2\\x9bz\\");
	CHECK_INT(cli_safe_width("a\n\x1b\xff\xc3\xa9z"), 1 + 2 + 4 + 4 + 1 + 1);
	CHECK_INT(cli_safe_width(""), 0);
}

static void test_base64(void)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *encoded = cli_base64(pairs[i][0], strlen(pairs[i][0]));

		CHECK_STR(encoded, pairs[i][1]);
		free(encoded);
	}
}

static void test_human(void)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" }, { 1023, "1023" }, { 1024, "1K" }, { 1536, "1.5K" }, { 1075, "1K" },
		{ 1076, "1.1K" }, { 10485760, "10M" }, { 1048575, "1M" }, { 1048524, "1023.9K" },
		{ INT64_C(1) << 40, "1T" }, { INT64_MAX, "8E" }, { INT64_MIN, "-8E" },
		{ -2048, "-2K" },
		{ (INT64_C(1) << 60) - 1, "1E" }, { INT64_C(3) << 59, "1.5E" },
	};
	static const struct {
		int64_t time;
		const char *text;
	} ages[] = {
		{ 0, "never" }, { 1000000, "0s ago" }, { 999941, "59s ago" }, { 999940, "1m ago" },
		{ 1000000 - 3600 * 3 - 100, "3h ago" }, { 1000000 - 86400 * 5, "5d ago" },
		{ 1000000 + 300, "in 5m" }, { 1000000 - INT64_C(86400) * 365 * 2, "2y ago" },
		{ INT64_MAX, "in 292471208677y" }, { INT64_MIN, "292471208677y ago" },
	};
	char text[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cli_human_size(sizes[i].bytes, text, sizeof(text));
		CHECK_STR(text, sizes[i].text);
	}
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		cli_human_age(ages[i].time, 1000000, text, sizeof(text));
		CHECK_STR(text, ages[i].text);
	}
}

/* ---- command lines ---- */

static void test_words(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "echo --plain", "" },
		{ "echo a b --plain", "[a][b]" },
		{ "--plain echo a", "[a]" },
		{ "--plain --bytes e a", "bytes [a]" },
		{ "-o words --plain e a", "[a]" },
		{ "-owords --plain e a", "[a]" },
		{ "--columns words e --plain a", "[a]" },
		{ "--columns=words --plain e a", "[a]" },
		{ "echo --plain -t 1 -x a -v2 b", "t=1 v=2 x [a][b]" },
		{ "echo --plain -xt 1 a", "t=1 x [a]" },
		{ "echo --plain --text=1 --text 2 -t3 a", "t=3 [a]" },
		{ "echo --plain --text= a", "t= [a]" },
		{ "echo --plain --text -5 -v --flag a", "t=-5 v=--flag [a]" },
		{ "echo --plain - '' a", "[-][][a]" },
		{ "echo --plain a -- --text b -x", "[a][--text][b][-x]" },
		{ "echo --plain -- -- a", "[--][a]" },
		{ "may --plain a -- --text b -x", "[a] -- [--text][b][-x]" },
		{ "exec --plain -t 5s a -- b -x -- c", "t=5s [a] -- [b][-x][--][c]" },
		{ "exec a -t 5s --plain -- b", "t=5s [a] -- [b]" },
		/* What popt would replace by the next word, or take for an option. */
		{ "echo --plain --text !#:+ a b", "t=!#:+ [a][b]" },
		{ "echo --plain --text=x!#:+y!#:+ a", "t=x!#:+y!#:+ [a]" },
		{ "echo --plain -tx!#:+y !#:+ a", "t=x!#:+y [!#:+][a]" },
		{ "echo --plain -t !! a!", "t=!! [a!]" },
		{ "echo --plain -t \1 \1\2 \1\3!#:+ \1", "t=\1 [\1\2][\1\3!#:+][\1]" },
		{ "negative --plain -5 -t -6 a -7x", "t=-6 [-5][a][-7x]" },
		{ "negative --plain -5!#:+\1 -x", "x [-5!#:+\1]" },
		{ "negative --plain --text=-5 -v-5", "t=-5 v=-5 " },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[200];

		snprintf(want, sizeof(want), "%s\n", lines[i].out);
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, want);
		CHECK_STR_FOR(lines[i].line, run.err, "");
	}
	setenv("POSIXLY_CORRECT", "1", 1);
	try("echo a --plain -t 1 b");
	CHECK_STR(run.out, "t=1 [a][b]\n");
	unsetenv("POSIXLY_CORRECT");
}

static void test_refused(void)
{
	static const struct {
		const char *line;
		int status;
		const char *err;
	} lines[] = {
		{ "ehco", 2, "tool: ehco: unknown verb, did you mean echo?\n" },
		{ "bogus", 2, "tool: bogus: unknown verb (tool --help lists them)\n" },
		{ "secre", 2, "tool: secre: unknown verb (tool --help lists them)\n" },
		{ "a\nb", 2, "tool: a\\nb: unknown verb (tool --help lists them)\n" },
		{ "--text x echo", 2,
		  "tool: --text: unknown option (options of a verb come after it)\n" },
		{ "echo --txt=5 a", 2,
		  "tool echo: --txt=5: unknown option, did you mean --text?\n" },
		{ "e -xZ a", 2, "tool echo: -Z: unknown option (tool echo --help lists them)\n" },
		{ "echo -5", 2, "tool echo: -5: a negative number is not taken here\n" },
		{ "echo --text", 2, "tool echo: --text: its argument TEXT is missing\n" },
		{ "echo -xt", 2, "tool echo: -t: its argument TEXT is missing\n" },
		{ "echo --flag=1", 2, "tool echo: --flag=1: this option takes no argument\n" },
		{ "echo -o wrds", 2,
		  "tool echo: --columns: there is no column \"wrds\", did you mean words?\n" },
		{ "echo -o words,", 2,
		  "tool echo: --columns: there is no column \"\" (--columns help lists them)\n" },
		{ "open -o name", 2, "tool open: --columns: open prints no columns\n" },
		{ "fail", 2,
		  "tool fail: an operand is missing; usage: tool fail [options] WHAT\n" },
		{ "fail a b", 2,
		  "tool fail: b: one operand too many; usage: tool fail [options] WHAT\n" },
		{ "exec a", 125,
		  "tool exec: -- COMMAND is missing; usage: tool exec [options] WORD -- "
		  "COMMAND...\n" },
		{ "exec a --", 125,
		  "tool exec: COMMAND is missing after --; usage: tool exec [options] WORD -- "
		  "COMMAND...\n" },
		{ "may --", 125,
		  "tool may: COMMAND is missing after --; usage: tool may [options] [WORD]... [-- "
		  "COMMAND...]\n" },
		{ "exec --txt -- a", 125,
		  "tool exec: --txt: unknown option, did you mean --text?\n" },
		{ "list --sort nme", 2,
		  "tool list: --sort: there is no column \"nme\", did you mean name?\n" },
		{ "list --owner no-such-user-here", 2,
		  "tool list: --owner: there is no user \"no-such-user-here\"\n" },
		{ "list --owner root:root", 2,
		  "tool list: --owner: \"root:root\" is not a user\n" },
		{ "list -o slots", 2, "tool list: --columns: \"slots\" is no column of a list\n" },
		{ "--list-options bogus", 2,
		  "tool: bogus: unknown verb (tool --help lists them)\n" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, lines[i].status);
		CHECK_STR_FOR(lines[i].line, run.err, lines[i].err);
	}
}

static void test_help(void)
{
	try("");
	CHECK_INT(run.status, 2);
	CHECK_STR(run.out, "");
	CHECK(strstr(run.err, "Usage:\n tool [common options] VERB"));
	CHECK(strstr(run.err, "tool: a verb is missing\n"));
	try("--help");
	CHECK_INT(run.status, 0);
	CHECK_STR(run.err, "");
	CHECK(strstr(run.out, " echo, e   Does echo.\n"));
	CHECK(strstr(run.out, " -o, --columns A,B  print these"));
	CHECK(!strstr(run.out, "secret"));
	CHECK(!strstr(run.out, "list-options"));
	try("e -h");
	CHECK_INT(run.status, 0);
	CHECK(strstr(run.out, "Usage:\n tool echo [options] [WORD]...\n (e is short for echo)\n"));
	CHECK(strstr(run.out, "\nOptions:\n -t, --text TEXT   a text\n"));
	/* The verb's -v is not the common one's. */
	CHECK(strstr(run.out, "\n     --verbose      say more"));
	try("exec --help");
	CHECK(strstr(run.out, " tool exec [options] WORD -- COMMAND...\n"));
	try("--version");
	CHECK_INT(run.status, 0);
	CHECK(begins(run.out, "tool from ipckit "));
	try("list --columns help");
	CHECK_INT(run.status, 0);
	CHECK(strstr(run.out, "name        the name\n"));
	CHECK(strstr(run.out, "slots       the slots\n    index    \n"));
	try("--list-verbs");
	CHECK(begins(run.out, "echo\te\t[WORD]...\tDoes echo.\nnegative\t-\t"));
	CHECK(strstr(run.out, "\nexec\t-\tWORD -- COMMAND...\tDoes exec.\n"));
	CHECK(strstr(run.out, "\nlist\t-\t-\tDoes list.\n"));
	CHECK(!strstr(run.out, "secret"));
	try("--list-options e");
	CHECK(begins(run.out, "--text\t-t\tTEXT\ta text\n"));
	CHECK(strstr(run.out, "\n--flag\t-x\t-\ta flag\n"));
	CHECK(strstr(run.out, "\n--verbose\t-\t-\tsay more"));
	CHECK(strstr(run.out, "\n--help\t-h\t-\tdisplay"));
}

static void test_fallback(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "--plain", "" },
		{ "--plain a", "[a]" },
		{ "a --plain", "[a]" },
		{ "check --plain a", "[a]" },
		{ "--plain check", "" },
		{ "--plain -t 1 -x a", "t=1 x [a]" },
		{ "-t check --plain", "t=check " },
		{ "-x --text=1 check a --plain", "t=1 x [a]" },
		{ "--plain -v 1 a", "v=1 [a]" },
		{ "--plain -- -x", "[-x]" },
		{ "--plain - ", "[-]" },
		{ "--plain -t !#:+ a!#:+", "t=!#:+ [a!#:+]" },
		{ "--plain echo a b", "[a][b]" },
		/* In front of another verb the letter is the common option's. */
		{ "-v e --plain a", "[a]" },
	};
	static const struct {
		const char *line;
		int status;
		const char *err;
	} refused[] = {
		{ "chekc", 3, "ftool check: chekc: no such file, did you mean the verb check?\n" },
		{ "check chekc", 0, "" },
		{ "xyzzy", 0, "" },
		{ "secre", 0, "" },
		{ "ehco a b", 2, "ftool check: ehco: unknown verb, did you mean echo?\n" },
		{ "xyzzy a", 2,
		  "ftool check: a: one operand too many, and xyzzy is no verb (ftool --help)\n" },
		{ "check ehco a", 2,
		  "ftool check: a: one operand too many; usage: ftool check [options] [FILE]\n" },
		{ "--txt 5 a", 2, "ftool check: --txt: unknown option, did you mean --text?\n" },
		{ "--older-than 5 echo", 2,
		  "ftool check: --older-than: unknown option of check, the default verb (options of "
		  "another verb come after it)\n" },
		{ "check --older-than 5", 2,
		  "ftool check: --older-than: unknown option (ftool check --help lists them)\n" },
		{ "-Z", 2, "ftool check: -Z: unknown option (ftool check --help lists them)\n" },
		{ "--text x echo", 2, "ftool echo: --text: unknown option (ftool echo --help lists them)\n" },
	};

	tried = &file_tool;
	try("");
	CHECK_INT(run.status, 0);
	CHECK_STR(run.out, "");
	CHECK_STR(run.err, "");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[200];

		snprintf(want, sizeof(want), "%s\n", lines[i].out);
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, want);
		CHECK_STR_FOR(lines[i].line, run.err, "");
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		try(refused[i].line);
		CHECK_INT_FOR(refused[i].line, run.status, refused[i].status);
		CHECK_STR_FOR(refused[i].line, run.err, refused[i].err);
	}
	try("--json --bogus");
	CHECK(begins(run.out, "{\"error\":{\"code\":\"USAGE\",\"exit\":2,\"verb\":\"check\","));
	tried = &tool;
}

static void test_fallback_help(void)
{
	static const char *const asking[] = { "--help", "-h", "-x --help", "a --help", "--help a" };

	tried = &file_tool;
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
		try(asking[i]);
		CHECK_INT_FOR(asking[i], run.status, 0);
		CHECK_FOR(asking[i], begins(run.out, "\nUsage:\n ftool [common options] [VERB] [options] "
						     "[operands]\n\nTries files.\n\nVerbs:\n check "));
		CHECK_FOR(asking[i], strstr(run.out, "\nThe default verb is check.\n"));
		CHECK_FOR(asking[i], strstr(run.out, " -v, --verbose "));
		CHECK_FOR(asking[i], !strstr(run.out, "--text"));
	}
	try("--help check");
	CHECK(strstr(run.out, "Usage:\n ftool check [options] [FILE]\n"));
	try("--list-verbs");
	CHECK_STR(run.out, "check\t-\t[FILE]\tChecks.\necho\te\t[WORD]...\tDoes echo.\n");
	try("--list-options ehco");
	CHECK_INT(run.status, 2);
	CHECK_STR(run.err, "ftool check: ehco: unknown verb, did you mean echo?\n");
	try("--list-options -");
	CHECK(begins(run.out, "--json\t-\t-\t"));
	try("--version");
	CHECK(begins(run.out, "ftool from ipckit "));
	tried = &tool;
	try("--help");
	CHECK(strstr(run.out, "VERB [options] [operands] [-- COMMAND...]\n"));
	CHECK(!strstr(run.out, "default verb"));
}

/* ---- what is printed, and when ---- */

static void test_formats(void)
{
	try("echo a");
	CHECK_STR(run.out, "");
	try("echo a --json");
	CHECK_STR(run.out, "{\"words\":\"[a]\"}\n");
	try("echo a --plain --json --pretty");
	CHECK_STR(run.out, "{\n  \"words\": \"[a]\"\n}\n");
	try("echo a --json --plain");
	CHECK_STR(run.out, "[a]\n");
	try("echo a --json -q");
	CHECK_STR(run.out, "");
	try("echo a --table");
	CHECK_STR(run.out, "words  [a]\n");
	try("list -o size,name x");
	CHECK_STR(run.out, "{\"things\":[]}\n");
	setenv("IPCKIT_FORMAT", "plain", 1);
	try("info 0 -o name");
	CHECK_STR(run.out, "/jobs\n");
	try("info 0 -o name --json");
	CHECK_STR(run.out, "{\"name\":\"/jobs\"}\n");
	try("echo a");
	CHECK_STR(run.out, "");
	setenv("IPCKIT_FORMAT", "xml", 1);
	try("echo a");
	CHECK_INT(run.status, 0);
	try("info 0");
	CHECK_INT(run.status, 2);
	CHECK_STR(run.err, "tool info: IPCKIT_FORMAT: \"xml\" is none of json, table, plain\n");
	unsetenv("IPCKIT_FORMAT");
}

static const char *const first_json =
	"{\"name\":\"/jobs\",\"created\":true,\"value\":3,\"size\":1536,\"mode\":\"0600\","
	"\"user\":\"root\",\"group\":\"root\",\"uid\":0,\"mtime\":1000,\"pid\":0,\"percent\":12.5";

static void test_json(void)
{
	char want[1000];
	json_t *document, *thing;

	snprintf(want, sizeof(want), "%s,\"slots\":[]}\n", first_json);
	try("info 0");
	CHECK_STR(run.out, want);

	try("info 1");
	document = json_loads(run.out, 0, NULL);
	CHECK_STR(json_string_value(json_object_get(document, "name")), "tab\tback\\line\nend\r");
	CHECK(json_is_null(json_object_get(document, "value")));
	CHECK(json_is_null(json_object_get(document, "user")));
	CHECK_INT(json_integer_value(json_object_get(document, "uid")), NOBODY_IS);
	CHECK_INT(json_integer_value(json_object_get(document, "key")), -2);
	CHECK_STR(json_string_value(json_object_get(document, "mode")), "0006");
	CHECK_INT(json_array_size(json_object_get(document, "slots")), 2);
	thing = json_object_get(document, "unreadable");
	CHECK_STR(json_string_value(json_object_get(thing, "value")), "EACCES");
	CHECK(strstr(run.out, "\"percent\":0.1,"));
	CHECK(strstr(run.out, "[{\"index\":0,\"value\":3,\"command\":\"sleep 1\"},"
			      "{\"index\":1,\"value\":null,\"command\":null}]"));
	json_decref(document);

	/* Bytes that are no text, rows that could not be read, an order of columns. */
	try("info 2 -o slots,name,key");
	CHECK_STR(run.out, "{\"slots\":null,\"name\":\"caf\xc3\xa9\xef\xbf\xbd\","
			   "\"name_base64\":\"Y2Fmw6n/\",\"key\":null}\n");

	try("list");
	document = json_loads(run.out, 0, NULL);
	thing = json_object_get(document, "things");
	CHECK_INT(json_array_size(thing), 3);
	CHECK(!json_object_get(json_array_get(thing, 0), "key"));
	CHECK(!json_object_get(json_array_get(thing, 0), "unreadable"));
	CHECK(!json_object_get(json_array_get(thing, 1), "slots"));
	CHECK(json_object_get(json_array_get(thing, 1), "uid"));
	json_decref(document);
}

static void test_plain(void)
{
	try("info 0 --plain");
	CHECK_STR(run.out, "/jobs\ttrue\t3\t1536\t0600\t-\troot\troot\t1000\t0\t12.5\t0\n");
	try("info 1 --plain -o name,key,user,mtime,slots,unreadable,value,PID");
	CHECK_STR(run.out, "tab\\tback\\\\line\\nend\\r\t0xfffffffe\t3999999990\t0\t2\t"
			   "value:EACCES\t-\t4711\n");
	try("list --plain -o value,value,unreadable");
	CHECK_STR(run.out, "3\t3\t-\n-\t-\tvalue:EACCES\n-1\t-1\t-\n");
	try("list --plain x");
	CHECK_STR(run.out, "");
}

static void test_table(void)
{
	try("info 1 --table");
	CHECK_INT(run.status, 0);
	CHECK(strstr(run.out, "name     tab\\tback\\line\\nend\\r\n"));
	CHECK(strstr(run.out, "size     10M\n"));
	CHECK(strstr(run.out, "key      0xfffffffe\n"));
	CHECK(strstr(run.out, "mtime    never\n"));
	CHECK(strstr(run.out, "user     3999999990\n"));
	CHECK(!strstr(run.out, "uid"));
	CHECK(!strstr(run.out, "\x1b"));
	try("info 0 --table");
	CHECK(strstr(run.out, "created  yes\n"));
	CHECK(strstr(run.out, "pid      -\n"));
	CHECK(strstr(run.out, "slots    none\n"));
	CHECK(!strstr(run.out, "key"));
	try("info 0 --table --bytes -o size,key");
	CHECK_STR(run.out, "size  1536\nkey   -\n");

	try("list --table -o size,created");
	if (strstr(run.err, "libsmartcols"))
		return; /* plain values, which other tests look at */
	CHECK_STR(run.out, "Bytes CREATED\n 1.5K yes\n  10M no\n    - no\n");
	try("info 1 --table -o slots");
	CHECK_STR(run.out, "slots\n  INDEX VALUE\n      0     3\n      1     -\n");
	setenv("COLUMNS", "20", 1);
	try("list --table -o name,name,name,name");
	CHECK(strstr(run.out, "/jobs"));
	CHECK_INT(strcspn(run.out, "\n") > 80, 1); /* not cut: it is no terminal */
	unsetenv("COLUMNS");
}

static void test_lists(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "lists 0", "{\"names\":[\"P1\",\"a,b\",\"c\\\\d\",\"tab\\t\",\"\\u001B[m\"],"
			     "\"counts\":[3,0,-1,9223372036854775807],"
			     "\"within\":[{\"names\":[\"P1\",\"a,b\"],\"counts\":[3,0,-1]}]}" },
		{ "lists 1", "{\"names\":[],\"counts\":[],\"others\":[],\"numbers\":[],\"within\":[]}" },
		{ "lists 2", "{\"names\":null,\"counts\":null,\"within\":[]}" },
		{ "lists 3 -o names", "{\"names\":[\"P1\",\"caf\xef\xbf\xbd\",\"\"],"
				      "\"names_base64\":[null,\"Y2Fm/w==\",null]}" },
		{ "lists 0 --plain", "P1,a\\,b,c\\\\d,tab\\t,\x1b[m\t3,0,-1,9223372036854775807\t-\t-\t1" },
		{ "lists 1 --plain", "-\t-\t-\t-\t0" },
		{ "lists 2 --plain -o names,counts", "?\t?" },
		{ "lists 3 --plain -o names", "P1,caf\xff," },
		{ "lists 4 --plain -o names,counts", "\\-\t3" },
		{ "lists 5 --plain -o names", "\\?" },
		{ "lists 6 --plain -o names,others", "-,?\t-,?" },
		{ "lists 0 --table -o names,counts,others",
		  "names   P1 a,b c\\d tab\\t \\x1b[m\ncounts  3 0 -1 9223372036854775807\nothers  -" },
		{ "lists 1 --table", "names    none\ncounts   none\nothers   none\nnumbers  none\nwithin   none" },
		{ "lists 2 --table -o names,counts", "names   -\ncounts  -" },
		{ "lists l0 --table -o counts,names",
		  "COUNTS\tNAMES\n3 0 -1 9223372036854775807\tP1 a,b c\\d tab\\t \\x1b[m" },
		{ "sorted --plain -o counts --sort names",
		  "-\n3\n-\n3\n-\n3,0,-1,9223372036854775807\n?" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[500];

		snprintf(want, sizeof(want), "%s\n", lines[i].out);
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, want);
		CHECK_STR_FOR(lines[i].line, run.err, "");
	}
	try("lists a --table");
	if (!strstr(run.err, "libsmartcols"))
		CHECK(begins(run.out, "NAMES"));
	CHECK(!strstr(run.out, "TRACE"));
	CHECK(strstr(run.err, "libsmartcols") || strstr(run.out, "none"));
}

static void test_blocks(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "lists 0 --table -o trace", "trace\n  first\n\n  \\tsecond\\x1b[m\n  no end" },
		{ "lists 6 --table -o remark,others", "remark\n  t\nothers  - ?" },
		{ "lists 2 --table -o trace", "trace\n  ended" },
		{ "lists 2 --table", "names   -\ncounts  -\ntrace\n  ended\nwithin  none" },
		{ "lists 6 --table", "names    - ?\ncounts   3\nothers   - ?\nnumbers  3\nremark\n  t\ntrace\n"
				     "  t\nwithin   none" },
		{ "lists 1 --table -o trace", "trace  -" },
		{ "lists 2 --plain -o trace", "ended\\n" },
		{ "lists 2 -o trace,remark", "{\"trace\":\"ended\\n\"}" },
		{ "lists 1 -o trace", "{\"trace\":null}" },
		{ "lists l2 --table -o trace", "TRACE\nended\\n" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[500];

		snprintf(want, sizeof(want), "%s\n", lines[i].out);
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, want);
	}
	try("lists l2 --table");
	CHECK(!strstr(run.out, "TRACE"));
	try("lists --columns help");
	CHECK(strstr(run.out, "trace    the trace\n"));
}

static void test_many(void)
{
	json_t *document, *names;
	size_t commas = 0;

	try("lists 7");
	document = json_loads(run.out, 0, NULL);
	names = json_object_get(document, "names");
	CHECK_INT(json_array_size(names), MANY);
	CHECK_STR(json_string_value(json_array_get(names, MANY - 1)), "P1234567");
	CHECK_INT(json_integer_value(json_array_get(json_object_get(document, "counts"), MANY - 1)),
		  MANY - 1);
	json_decref(document);
	try("lists 7 --plain -o names");
	for (const char *c = run.out; *c; c++)
		commas += *c == ',';
	CHECK_INT(commas, MANY - 1);
	/* Off a terminal nothing is cut. */
	try("lists 7 --table -o names");
	CHECK(strlen(run.out) > MANY * 5);
	CHECK(!strstr(run.out, "more"));
}

/* On a terminal of so many columns; what it showed is in run.out. */
static void try_on_terminal(unsigned short columns, const char *line)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct termios raw;
	size_t length = 0;
	ssize_t n;

	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && !tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	CHECK(!tcsetattr(slave, TCSANOW, &raw) && !ioctl(slave, TIOCSWINSZ, &size));
	try_with(slave, NULL, line);
	while ((n = read(master, run.out + length, sizeof(run.out) - 1 - length)) > 0)
		length += (size_t)n;
	run.out[length] = '\0';
	close(slave);
	close(master);
}

static void test_terminal(void)
{
	size_t lines = 0, shown = 0;
	unsigned long more = 0;

	setenv("NO_COLOR", "1", 1);
	try_on_terminal(40, "lists 7 -o counts,names");
	CHECK_INT(run.status, 0);
	CHECK(begins(run.out, "counts  0 1 2 3 4 5 6 7 8 9 10 11 12 13\n        14 "));
	for (char *rest = run.out, *line; (line = strsep(&rest, "\n")) && begins(line, lines ? " " : "c"); lines++) {
		CHECK_FOR(line, strlen(line) <= 40);
		if (sscanf(line, " ... and %lu more", &more) == 1)
			continue;
		for (char *word = strtok(lines ? line : line + 6, " "); word; word = strtok(NULL, " "))
			CHECK_INT(atoi(word), shown++);
	}
	CHECK_INT(lines, 11);
	CHECK_INT(more, MANY - shown);
	/* What fits is not cut, nor is an element that is too long for a line. */
	try_on_terminal(20, "lists 0 -o names,counts");
	CHECK_STR(run.out, "names   P1 a,b c\\d\n        tab\\t \\x1b[m\n"
			   "counts  3 0 -1\n        9223372036854775807\n");
	try_on_terminal(20, "text plain");
	CHECK_STR(run.out, "plain\t\"text\"\n");
	unsetenv("NO_COLOR");
}

static void test_texts(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "text a", "a\t\"text\"\n" },
		{ "text a --plain", "a\t\"text\"\n" },
		{ "text a --table", "a\t\"text\"\n" },
		{ "text a --json", "{\"data\":\"a\\t\\\"text\\\"\\n\",\"size\":9}\n" },
		{ "text caf\xff --json", "{\"data_base64\":\"Y2Fm/wkidGV4dCIK\",\"size\":12}\n" },
		{ "text nul --json", "{\"data_base64\":\"YQBi\",\"size\":3}\n" },
		{ "text empty --json", "{\"data\":\"\",\"size\":0}\n" },
		{ "text empty", "" },
		{ "text a -q", "" },
		{ "text a -q --json", "" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, lines[i].out);
		CHECK_STR_FOR(lines[i].line, run.err, "");
	}
	setenv("IPCKIT_FORMAT", "json", 1);
	try("text a");
	CHECK_STR(run.out, "{\"data\":\"a\\t\\\"text\\\"\\n\",\"size\":9}\n");
	try("text a --plain");
	CHECK_STR(run.out, "a\t\"text\"\n");
	unsetenv("IPCKIT_FORMAT");
	try("text large");
	CHECK_INT(strlen(run.out), 588890);
	try("text large --json");
	CHECK(strstr(run.out, "\\n99999\\n\",\"size\":588890}"));
	try("text refused --json");
	CHECK_INT(run.status, 8);
	CHECK(begins(run.out, "{\"error\":{\"code\":\"EOPNOTSUPP\""));
	try("text left --json");
	CHECK_INT(run.status, 7);
	CHECK(begins(run.out, "{\"error\":{\"code\":\"EIDRM\""));
	/* Not JSON unless asked for: an error, too, is told on stderr alone. */
	try("text left");
	CHECK_STR(run.out, "");
	CHECK_STR(run.err, "tool text: left: removed while it was used\n");
	try("text a -o data");
	CHECK_INT(run.status, 2);
	CHECK_STR(run.err, "tool text: --columns: text prints no columns\n");
	try("ttext a -o words");
	CHECK_STR(run.err, "tool ttext: --columns: ttext prints no columns\n");
	try("ttext a -o help");
	CHECK_INT(run.status, 2);
}

static void test_stream(void)
{
	int lines = 0;

	try("stream");
	CHECK(begins(run.out, first_json));
	for (char *rest = run.out, *line; (line = strsep(&rest, "\n")) && *line; lines++) {
		json_t *document = json_loads(line, 0, NULL);

		CHECK_FOR(line, json_is_object(document));
		json_decref(document);
	}
	CHECK_INT(lines, 3);
	try("stream --pretty gone");
	CHECK_INT(run.status, 7);
	CHECK(strstr(run.out, "\n{\"error\":{\"code\":\"EIDRM\",\"exit\":7,\"verb\":\"stream\","
			      "\"object\":\"gone\",\"message\":\"removed while it was used\"}}\n"));
	try("stream --plain -o value");
	CHECK_STR(run.out, "3\n-\n-1\n");
	try("stream --table -o value,size");
	CHECK_STR(run.out, "VALUE\tBytes\n3\t1.5K\n-\t10M\n-1\t-\n");
	try("stream -q gone");
	CHECK_STR(run.out, "");
	CHECK_INT(run.status, 7);
}

static void test_failures(void)
{
	static const struct {
		const char *line;
		int status;
		const char *err;
	} lines[] = {
		{ "fail missing", 3, "missing: no such object" },
		{ "fail timeout", 1, "timeout: timed out after 5s" },
		{ "fail again", 1, "again: would block" },
		{ "fail limit", 6,
		  "limit: no space left: kernel.sem semmni is 32000 sets, 31999 in use" },
		{ "fail vague", 6,
		  "vague: too many open files in this process: RLIMIT_MSGQUEUE is reached" },
		{ "fail command", 126, "true: permission denied" },
		{ "fail nocommand", 127, "true: command not found" },
		{ "fail duration -t 5sfoo", 2,
		  "--timeout: \"5sfoo\" is not a duration (250us 100ms 5s 2m 1h, or inf)" },
		{ "fail duration -t 99999999999999999999", 2,
		  "--timeout: \"99999999999999999999\" is too long a duration" },
		{ "fail size -t ''", 2,
		  "--size: \"\" is not a size (4096 64K 10M 2G, or 10MB)" },
		{ "fail size -t 99999999999999999999", 2,
		  "--size: \"99999999999999999999\" is too large a size" },
		{ "fail count -t 0x", 2,
		  "--count: \"0x\" is not a count (decimal, 0x hex or 0 octal)" },
		{ "fail count -t -1", 2,
		  "--count: \"-1\" is not a count (decimal, 0x hex or 0 octal)" },
		{ "fail count -t 0", 2, "--count: \"0\" is less than 1" },
		{ "fail count -t 11", 2, "--count: \"11\" is more than 10" },
		{ "fail signed -t -6", 2, "VALUE: \"-6\" is not within -5 to 5" },
		{ "fail signed -t x", 2,
		  "VALUE: \"x\" is not a number (decimal, 0x hex or 0 octal)" },
		{ "fail mode -t 8", 2, "--mode: \"8\" is not a mode (0640, or u=rw,g=r,o=)" },
		{ "fail mode -t 1777", 2, "--mode: \"1777\" is beyond 0777" },
		{ "fail owner -t root:", 2, "OWNER: \"root:\" is not USER, USER:GROUP or :GROUP" },
		{ "fail owner -t :no-such-group", 2,
		  "OWNER: there is no group \"no-such-group\"" },
		{ "fail owner -t 4294967295", 2, "OWNER: there is no user \"4294967295\"" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char want[300];

		snprintf(want, sizeof(want), "tool fail: %s\n", lines[i].err);
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, lines[i].status);
		CHECK_STR_FOR(lines[i].line, run.err, want);
		CHECK_STR_FOR(lines[i].line, run.out, "");
	}
	try("fail words");
	CHECK_INT(run.status, 126);
	CHECK_STR(run.err, "tool fail: true: no loader\n");
	try("fail signed -t -5");
	CHECK_INT(run.status, 0);
	try("fail owner -t root:0");
	CHECK_INT(run.status, 0);
	try("fail duration");
	CHECK_INT(run.status, 0);
	try("fail note");
	CHECK_STR(run.err, "tool fail: warning: careful\n");
	try("fail note --verbose");
	CHECK_STR(run.err, "tool fail: two\\nlines\ntool fail: warning: careful\n");
	try("fail \x1b[31m\n");
	CHECK_STR(run.err, "tool fail: \\x1b[31m\\n: removed while it was used\n");
}

static void test_command_status(void)
{
	try("failexec timeout -- true");
	CHECK_INT(run.status, CLI_COMMAND_TIMED_OUT);
	try("failexec again -- true");
	CHECK_INT(run.status, CLI_COMMAND_TIMED_OUT);
	try("failexec missing -- true");
	CHECK_INT(run.status, CLI_COMMAND_TOOL_FAILED);
	try("failexec limit -- true");
	CHECK_INT(run.status, CLI_COMMAND_TOOL_FAILED);
	try("failexec duration -t x -- true");
	CHECK_INT(run.status, CLI_COMMAND_TOOL_FAILED);
	try("failexec command -- true");
	CHECK_INT(run.status, CLI_COMMAND_NOT_EXECUTABLE);
	try("failexec nocommand -- true");
	CHECK_INT(run.status, CLI_COMMAND_NOT_FOUND);
}

static void test_error_documents(void)
{
	try("fail twice --json");
	CHECK_INT(run.status, 4);
	CHECK_STR(run.out, "{\"error\":{\"code\":\"EEXIST\",\"exit\":4,\"verb\":\"fail\","
			   "\"object\":\"first\",\"message\":\"already exists\"}}\n");
	CHECK_STR(run.err, "tool fail: first: already exists\ntool fail: second: not there\n");
	try("fail limit --json");
	CHECK_STR(run.out, "{\"error\":{\"code\":\"ENOSPC\",\"exit\":6,\"verb\":\"fail\","
			   "\"object\":\"limit\",\"message\":\"no space left: kernel.sem semmni is "
			   "32000 sets, 31999 in use\",\"limit\":{\"name\":\"kernel.sem semmni\","
			   "\"value\":32000,\"used\":31999}}}\n");
	try("fail vague --json");
	CHECK(strstr(run.out, "\"limit\":{\"name\":\"RLIMIT_MSGQUEUE\",\"value\":null,"
			      "\"used\":null}"));
	try("bogus --json");
	CHECK(begins(run.out, "{\"error\":{\"code\":\"USAGE\",\"exit\":2,\"verb\":null,"));
	try("list --bogus");
	CHECK(begins(run.out, "{\"error\":{\"code\":\"USAGE\",\"exit\":2,\"verb\":\"list\","));
	try("list --bogus -q");
	CHECK_STR(run.out, "");
	try("list --bogus --plain");
	CHECK_STR(run.out, "");
	try("fail no\xff --json");
	CHECK(strstr(run.out, "\"object\":\"no\xef\xbf\xbd\",\"object_base64\":\"bm//\""));
	try("fail missing");
	CHECK_STR(run.out, "");
}

static void test_malformed(void)
{
	static const struct {
		const char *what, *err, *out;
	} lines[] = {
		{ "malformed", "a\\nfile:3:17: expected a number",
		  "\"object\":\"a\\nfile\",\"line\":3,\"column\":17,\"message\":\"expected a number\"" },
		{ "row", "file:3: too short", "\"object\":\"file\",\"line\":3,\"message\":\"too short\"" },
		{ "input", "3:17: too short",
		  "\"object\":null,\"line\":3,\"column\":17,\"message\":\"too short\"" },
		{ "sums", "file: sums disagree", "\"object\":\"file\",\"message\":\"sums disagree\"" },
		{ "nothing", "empty", "\"object\":null,\"message\":\"empty\"" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[50], err[200], out[300];

		snprintf(line, sizeof(line), "fail %s --json", lines[i].what);
		snprintf(err, sizeof(err), "tool fail: %s\n", lines[i].err);
		snprintf(out, sizeof(out),
			 "{\"error\":{\"code\":\"FORMAT\",\"exit\":2,\"verb\":\"fail\",%s}}\n",
			 lines[i].out);
		try(line);
		CHECK_INT_FOR(line, run.status, 2);
		CHECK_STR_FOR(line, run.err, err);
		CHECK_STR_FOR(line, run.out, out);
	}
	try("failexec malformed -- true");
	CHECK_INT(run.status, CLI_COMMAND_TOOL_FAILED);
}

static void try_on(const char *path, const char *line)
{
	int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	try_with(fd, NULL, line);
	if (fd >= 0)
		close(fd);
}

static void test_writes(void)
{
	static const char *const printing[] = { "list", "list --plain", "list --table", "large",
						"large --plain", "stream", "--help",
						"--list-verbs", "text a", "text large",
						"text large --json", "lists 7", "lists 7 --plain" };
	int ends[2];

	for (size_t i = 0; i < sizeof(printing) / sizeof(printing[0]); i++) {
		try_on("/dev/full", printing[i]);
		CHECK_INT_FOR(printing[i], run.status, 8);
		CHECK_FOR(printing[i], strstr(run.err, ": standard output: no space left\n"));
		try_on(NULL, printing[i]);
		CHECK_INT_FOR(printing[i], run.status, 8);
		CHECK_FOR(printing[i], strstr(run.err, ": standard output: bad file descriptor\n"));
	}
	try_on(NULL, "echo a");
	CHECK_INT(run.status, 0);
	try_on(NULL, "open");
	CHECK_INT(run.status, 0);
	try_on("/dev/full", "fail missing --json");
	CHECK_INT(run.status, 3);
	/* Nobody reads: the signal ends the run, or, ignored, the write fails. */
	CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	try_with(ends[1], NULL, "list");
	CHECK_INT(run.status, -1);
	CHECK_STR(run.err, "");
	signal(SIGPIPE, SIG_IGN);
	try_with(ends[1], NULL, "list");
	CHECK_INT(run.status, 8);
	CHECK_STR(run.err, "tool list: standard output: broken pipe\n");
	signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
}

static void test_sort(void)
{
	static const struct {
		const char *line, *out;
	} lines[] = {
		{ "list --plain -o value", "3\n-\n-1\n" },
		{ "list --plain -o value --reverse", "-1\n-\n3\n" },
		{ "list --plain -o value --sort value", "-1\n3\n-\n" },
		{ "list --plain -o value --sort value --reverse", "3\n-1\n-\n" },
		{ "list --plain -o value --sort NAME", "3\n-1\n-\n" },
		{ "list --plain -o value --sort percent", "-1\n-\n3\n" },
		{ "list --plain -o value --sort created", "-\n-1\n3\n" },
		{ "list --plain -o value --sort created --reverse", "3\n-\n-1\n" },
		{ "list --plain -o value --sort key", "-\n3\n-1\n" },
		{ "list --plain -o value --sort user", "3\n-\n-1\n" },
		{ "list --plain -o value --sort slots", "3\n-\n-1\n" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		try(lines[i].line);
		CHECK_INT_FOR(lines[i].line, run.status, 0);
		CHECK_STR_FOR(lines[i].line, run.out, lines[i].out);
	}
}

int main(void)
{
	unsetenv("IPCKIT_FORMAT");
	unsetenv("POSIXLY_CORRECT");
	test_distance();
	test_errno();
	test_utf8();
	test_safe();
	test_base64();
	test_human();
	test_words();
	test_refused();
	test_help();
	test_fallback();
	test_fallback_help();
	test_formats();
	test_json();
	test_plain();
	test_table();
	test_lists();
	test_blocks();
	test_many();
	test_terminal();
	test_texts();
	test_stream();
	test_failures();
	test_command_status();
	test_error_documents();
	test_malformed();
	test_writes();
	test_sort();
	return unit_done("cli");
}
