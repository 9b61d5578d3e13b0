/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is printed: in each format, of texts and streams, sorted, and where it cannot be written. */

#include "cli-tool.h"

#include <signal.h>

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

static const struct cli_verb *const verbs[] = {
	&echo_verb,
	&list_verb,
	VERB("info", "N", .least = 1, .most = 1, .flags = CLI_ANSWERS, .table = &row_table,
	     .run = run_info),
	VERB("stream", "", .most = 1, .flags = CLI_ANSWERS, .table = &row_table, .run = run_stream),
	VERB("large", "", .flags = CLI_ANSWERS, .table = &row_table, .run = run_large),
	&text_verb,
	VERB("ttext", "WHAT", .least = 1, .most = 1, .flags = CLI_TEXT, .table = &echo_table,
	     .run = run_text),
	&open_verb,
	NULL,
};

static const struct cli_tool tool = { .name = "tool", .summary = "Tries things.", .verbs = verbs };

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

static void test_writes(void)
{
	static const char *const printing[] = { "list", "list --plain", "list --table", "large",
						"large --plain", "stream", "--help",
						"--list-verbs", "text a", "text large",
						"text large --json" };
	int ends[2];

	for (size_t i = 0; i < sizeof(printing) / sizeof(printing[0]); i++)
		check_unwritable(printing[i]);
	try_on(NULL, "echo a");
	CHECK_INT(run.status, 0);
	try_on(NULL, "open");
	CHECK_INT(run.status, 0);
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
	try_tool(&tool);
	test_formats();
	test_json();
	test_plain();
	test_table();
	test_texts();
	test_stream();
	test_writes();
	test_sort();
	return unit_done("cli output");
}
