/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Command lines: words, what is refused, help, and a verb that need not be typed. */

#include "cli-tool.h"

/* A verb that runs where none is typed. */
static int run_file(struct cli *cli)
{
	const char *file = cli->noperands ? cli->operands[0] : "-", *near = cli_near_verb(cli, file);

	if (near)
		return cli_fail(cli, file, ENOENT, "no such file, did you mean the verb %s?", near);
	return run_echo(cli);
}

static const struct cli_verb *const verbs[] = {
	&echo_verb,
	VERB("negative", "[WORD]...", .most = -1, .flags = CLI_NEGATIVE, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("may", "[WORD]...", .most = -1, .flags = CLI_COMMAND_MAY, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	VERB("exec", "WORD", .least = 1, .most = 1, .flags = CLI_COMMAND, .options = echo_options,
	     .table = &echo_table, .run = run_echo),
	/* Refused before it runs. */
	VERB("fail", "WHAT", .least = 1, .most = 1, .options = echo_options, .run = run_open),
	&list_verb,
	&open_verb,
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

int main(void)
{
	try_tool(&tool);
	test_words();
	test_refused();
	test_help();
	test_fallback();
	test_fallback_help();
	return unit_done("cli");
}
