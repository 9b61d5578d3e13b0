/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Failures: what is said of them, the document that tells of one, and the exit status. */

#include "cli-tool.h"

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

static const struct cli_verb *const verbs[] = {
	VERB("fail", "WHAT", .least = 1, .most = 1, .options = echo_options, .run = run_fail),
	VERB("failexec", "WHAT", .least = 1, .most = 1, .flags = CLI_COMMAND,
	     .options = echo_options, .run = run_fail),
	&list_verb,
	NULL,
};

static const struct cli_tool tool = { .name = "tool", .summary = "Tries things.", .verbs = verbs };

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

static void test_writes(void)
{
	try_on("/dev/full", "fail missing --json");
	CHECK_INT(run.status, 3);
}

int main(void)
{
	try_tool(&tool);
	test_failures();
	test_command_status();
	test_error_documents();
	test_malformed();
	test_writes();
	return unit_done("cli failures");
}
