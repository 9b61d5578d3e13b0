/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Lists and blocks within a result, and what of them a terminal shows. */

#include "cli-tool.h"

#include <sys/ioctl.h>
#include <termios.h>

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

#define MANY (UNIT_SANITIZED ? 30000 : 300000)
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

static const struct cli_verb *const verbs[] = {
	VERB("lists", "N", .least = 1, .most = 1, .flags = CLI_ANSWERS, .table = &lists_table,
	     .run = run_lists),
	VERB("sorted", "", .flags = CLI_ANSWERS | CLI_LISTS, .options = list_options,
	     .table = &lists_table, .run = run_sorted),
	&text_verb,
	NULL,
};

static const struct cli_tool tool = { .name = "tool", .summary = "Tries things.", .verbs = verbs };

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

static void test_writes(void)
{
	check_unwritable("lists 7");
	check_unwritable("lists 7 --plain");
}

int main(void)
{
	try_tool(&tool);
	test_lists();
	test_blocks();
	test_many();
	test_terminal();
	test_writes();
	return unit_done("cli list");
}
