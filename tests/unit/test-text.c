/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sections of rows, Matrix Market, costs, and which form an input is taken for. */

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "../../cmd/deadlock-check/input.h"

#define BOOK "existing 4 2 3 1\navailable 2 1 0 0\n"
#define ROWS "allocation\n0 0 1 0\n2 0 0 1\n0 1 2 0\nrequest\n2 0 0 1\n1 0 1 0\n2 1 0 0\n"
#define SMALL "allocation\n1 0\n0 1\nrequest\n0 1\n1 0\n"

static int read_at_step(const char *text, size_t size, size_t step, const enum form *form, struct model *out,
			struct problem *problem)
{
	struct source source;
	int r = source_open_memory(&source, text, size, step);

	if (r)
		return r;
	*problem = (struct problem){ 0 };
	*out = (struct model){ 0 };
	r = read_model(&source, form, out, problem);
	source_close(&source);
	return r;
}

static int read_string(const char *text, struct model *out, struct problem *problem)
{
	return read_at_step(text, strlen(text), 0, NULL, out, problem);
}

/* Where a line of nothing but commas may be the first. */
static int read_sections(const char *text, struct model *out, struct problem *problem)
{
	enum form form = FORM_TEXT;

	return read_at_step(text, strlen(text), 0, &form, out, problem);
}

/* ---- what is read ---- */

static int64_t cell(const struct ipckit_rows *rows, uint32_t p, uint32_t column)
{
	size_t i, end = ipckit_rows_of(rows, p, &i);

	for (; i < end; i++) {
		if (rows->column[i] == column)
			return ipckit_rows_count(rows, i);
	}
	return 0;
}

static const int64_t book_allocation[3][4] = { { 0, 0, 1, 0 }, { 2, 0, 0, 1 }, { 0, 1, 2, 0 } };
static const int64_t book_request[3][4] = { { 2, 0, 0, 1 }, { 1, 0, 1, 0 }, { 2, 1, 0, 0 } };
static const int64_t book_existing[4] = { 4, 2, 3, 1 }, book_available[4] = { 2, 1, 0, 0 };

static void check_book(const char *row, const struct model *model)
{
	const struct ipckit_system *system = &model->system;

	CHECK_INT_FOR(row, system->nprocesses, 3);
	if (!CHECK_INT_FOR(row, system->nresources, 4))
		return;
	for (uint32_t r = 0; r < 4; r++) {
		CHECK_INT_FOR(row, system->existing[r], book_existing[r]);
		CHECK_INT_FOR(row, system->available[r], book_available[r]);
		for (uint32_t p = 0; p < 3; p++) {
			CHECK_INT_FOR(row, cell(&system->allocation, p, r), book_allocation[p][r]);
			CHECK_INT_FOR(row, cell(&system->request, p, r), book_request[p][r]);
		}
	}
	CHECK_INT_FOR(row, model->processes.count, 3);
	CHECK_INT_FOR(row, model->resources.count, 4);
}

/* One system, in all ways in which people write it. */
static void test_book(void)
{
	static const char *const ways[] = {
		BOOK ROWS,
		"existing 4 2 3 1\n" ROWS,
		"available 2 1 0 0\n" ROWS,
		"\xef\xbb\xbf# of a textbook\n\n" BOOK ROWS,
		"// of a textbook\n/* two\nlines */ " BOOK ROWS,
		"Existing: 4 2 3 1\r\nAVAILABLE=2 1 0 0\r\nallocation 0 0 1 0\r\n2 0 0 1\r\n0 1 2 0\r\n"
		"request\r\n\r\n2 0 0 1\r\n1 0 1 0\r\n2 1 0 0",
		"existing\n4 2\n3\n1\navailable,2,1,0,0\nallocation\n0,0,1,0\n2, 0 ,0;1\n0\t1 2;0 # last\n"
		"request:2 0 0 1\n1 0 1 0\n2 1 0 0\n",
		ROWS "processes A B\nC\nresources \"a b\" c d \"\\x41\\\"\\\\\\n\\t\"\n" BOOK,
		"allocation\n plotter tape scanner cd\nP1 0 0 1 0\nP2: 2 0 0 1\nP3 = 0 1 2 0\n"
		"request\nP1 2 0 0 1\nP2 1 0 1 0\nP3 2 1 0 0\navailable\nplotter tape scanner cd\n2 1 0 0\n",
		"allocation\n,plotter,tape,scanner,cd\nP1,0,0,1,0\nP2,2,0,0,1\nP3,0,1,2,0\n"
		"request\nprocess,plotter,tape,scanner,cd\nP1,2,0,0,1\nP2,1,0,1,0\nP3,2,1,0,0\nexisting,4,2,3,1\n",
		",,,,\n;;\n\nallocation:,,,,\n,plotter,tape,scanner,cd\n,,,,\nP1,0,0,1,0\nP2:,2,0,0,1\nP3,0,1,2,0,,\n , ,,,\r\n"
		"request,plotter,tape,scanner,cd,\nP1,2,0,0,1,, # last\nP2,1,0,1,0\nP3,2,1,0,0\n,,,,\n"
		"existing:,4,2,3,1\navailable,2,1,,,\n0,0,,,\nprocesses,P1,P2,,\n,,,,\nP3,,,,\npreemptible,tape,,,\n,,,,",
		"allocation 00 0 1 0\n0000000000000000000000000000002 0 0 1\n0 1 2 0\n" BOOK
		"request 2 0 0 1\n1 0 1 0\n2 1 0 0\npreemptible R1 R3\n",
	};
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int r = *ways[i] == ',' ? read_sections(ways[i], &model, &problem) :
					  read_string(ways[i], &model, &problem);

		if (CHECK_INT_FOR(ways[i], r, 0)) {
			CHECK_INT_FOR(ways[i], model.form, FORM_TEXT);
			CHECK_FOR(ways[i], model.has_request && !model.has_claim);
			check_book(ways[i], &model);
		} else {
			printf("# %llu:%llu: %s\n", (unsigned long long)problem.place.line,
			       (unsigned long long)problem.place.column, problem.text);
		}
		model_free(&model);
	}
}

static void test_names(void)
{
	struct model model;
	struct problem problem;

	CHECK_INT(read_string("allocation\nproc a \"b c\"\nx 1 0\n\"y\\n\\x7a\" 0 1\nclaim\nx 1 1\n\"y\\nz\" 1 1\n"
			      "available 0 0\npreemptible \"b c\"\n", &model, &problem), 0);
	CHECK(!model.has_request && model.has_claim);
	if (CHECK_INT(model.processes.count, 2) && CHECK_INT(model.resources.count, 2)) {
		CHECK_STR(names_get(&model.processes, 0), "x");
		CHECK_STR(names_get(&model.processes, 1), "y\nz");
		CHECK_STR(names_get(&model.resources, 0), "a");
		CHECK_STR(names_get(&model.resources, 1), "b c");
		CHECK(!model.system.preemptible[0] && model.system.preemptible[1]);
		CHECK_INT(cell(&model.system.claim, 1, 0), 1);
	}
	model_free(&model);
	CHECK_INT(read_string(SMALL "available 0 9223372036854775806", &model, &problem), 0);
	if (CHECK_INT(model.processes.count, 2) && CHECK_INT(model.resources.count, 2)) {
		CHECK_STR(names_get(&model.processes, 1), "P2");
		CHECK_STR(names_get(&model.resources, 1), "R2");
		CHECK_INT(model.system.existing[1], INT64_MAX);
	}
	model_free(&model);
	/* one word alone in the first line heads a column, and is no label */
	CHECK_INT(read_string("allocation\ntape\n1\n0\nrequest\n0\n1\navailable 0", &model, &problem), 0);
	CHECK(model.resources.count == 1 && !strcmp(names_get(&model.resources, 0), "tape"));
	model_free(&model);
}

/* Rows of dashes are rows of zeros, however long. */
static void test_dashes(void)
{
	static const char *const ways[] = {
		"allocation\n---\n1 2\nrequest\n- -\n0 1\navailable 0 0",
		"allocation\n- -\n1 2\nrequest\n-\n0 1\navailable 0 0",
		"allocation\nA ---\nB 1 2\nrequest\nA -, -\nB 0 1\navailable 0 0",
		"available 0 0\nallocation 0 0\n1 2\nrequest ----\n0 1\n",
	};
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const struct ipckit_system *system = &model.system;

		if (CHECK_INT_FOR(ways[i], read_string(ways[i], &model, &problem), 0)) {
			CHECK_FOR(ways[i], system->nprocesses == 2 && system->nresources == 2);
			CHECK_INT_FOR(ways[i], cell(&system->allocation, 0, 0), 0);
			CHECK_INT_FOR(ways[i], cell(&system->allocation, 1, 1), 2);
			CHECK_INT_FOR(ways[i], cell(&system->request, 1, 1), 1);
		}
		model_free(&model);
	}
}

/* Which word of a heading is the corner does not hang on which section comes first. */
static void test_corners(void)
{
	static const char *const orders[][3] = {
		{ "request\nproc tape cd\nP1 -\nP2 -\n", "allocation\nproc tape cd\nP1 1 0\nP2 0 1\n", "available 0 0\n" },
		{ "request\n,tape,cd\nP1,-,\nP2,-,\n", "allocation\n tape cd\nP1 1 0\nP2 0 1\n", "available 0 0\n" },
		{ "request,tape,cd\nP1,-,\nP2,-,\n", "allocation\nP1 1 0\nP2 0 1\n", "existing 1 1\n" },
		{ "request\ntape cd\n-\n-\n", "allocation\nP1 1 0\nP2 0 1\n", "existing 1 1\n" },
		{ "request\ntape cd\nP1 -\nP2 - -\n", "allocation\nP1 1 0\nP2 0 1\n", "existing 1 1\n" },
	};
	static const char permutations[6][3] = { "012", "021", "102", "120", "201", "210" };
	static const char *const bad[] = { "request\nproc tape\nP1 -\n", "allocation\nP1 1 0\n", "existing 1 1\n" };
	struct model model;
	struct problem problem;
	char text[256];

	for (size_t i = 0; i < 6 * sizeof(orders) / sizeof(*orders); i++) {
		const char *const *part = orders[i / 6], *order = permutations[i % 6];

		sprintf(text, "%s%s%s", part[order[0] - '0'], part[order[1] - '0'], part[order[2] - '0']);
		if (CHECK_INT_FOR(text, read_string(text, &model, &problem), 0) &&
		    CHECK_INT_FOR(text, model.resources.count, 2)) {
			CHECK_STR_FOR(text, names_get(&model.resources, 0), "tape");
			CHECK_STR_FOR(text, names_get(&model.resources, 1), "cd");
		}
		model_free(&model);
	}
	for (size_t i = 0; i < 6; i++) {
		const char *order = permutations[i];

		sprintf(text, "%s%s%s", bad[order[0] - '0'], bad[order[1] - '0'], bad[order[2] - '0']);
		CHECK_INT_FOR(text, read_string(text, &model, &problem), -EBADMSG);
		model_free(&model);
	}
	/* a word alone is no corner */
	CHECK_INT(read_string("request\ntape\nP1 -\nallocation\nP1 1\navailable 0", &model, &problem), 0);
	CHECK(model.resources.count == 1 && !strcmp(names_get(&model.resources, 0), "tape"));
	model_free(&model);
}

/* ---- what is malformed ---- */

static const struct bad {
	const char *text;
	unsigned line, column;
	const char *words; /* of the problem's text */
} bad_texts[] = {
	{ "", 1, 1, "empty" },
	{ " \n# nothing\n", 3, 1, "empty" },
	{ "4 2 3 1\n", 1, 1, "JSON" },
	{ "\x01", 1, 1, "\\x01" },
	{ "P1\n", 1, 1, "got \"P1\"" },
	{ "P1", 1, 1, "got \"P1\"" },
	{ "foo 1 2\n", 1, 1, "sections" },
	{ "[1]", 1, 1, "array" },
	{ " /* no end", 1, 2, "does not end" },
	{ "%%MatrixMarket matrix coordinate integer general\n", 1, 1, "--allocation" },
	{ "%%matrixmarket", 1, 1, "--request" },
	{ "existing 1\nfoo 2\n", 2, 1, "expected a number, got \"foo\"" },
	{ SMALL "existing 1 1\nexisting 1 1", 8, 1, "existing is there twice" },
	{ "existing 1 1\nrequest 1 1\n", 3, 1, "a section allocation" },
	{ "existing 1 1\nallocation 1 1\n", 3, 1, "request (or claim)" },
	{ SMALL, 7, 1, "existing (or available)" },
	{ "existing\n" SMALL, 2, 1, "expected numbers" },
	{ "allocation\nrequest\n", 2, 1, "rows of numbers" },
	{ "existing 1 1\nallocation 1\n", 2, 13, "row of 2 numbers, as existing has, got 1" },
	{ "existing 1 1\nallocation 1 1 1\n", 2, 16, "got more" },
	{ "allocation 1 1\n1\n", 2, 2, "row of 2 numbers, as allocation has, got 1" },
	{ "allocation 1 1\nexisting 1 1 1\n", 2, 14, "got more" },
	{ "allocation 1\n1\nrequest 1\nexisting 2\n", 4, 1, "expected 2 rows in request, as allocation has, got 1" },
	{ "allocation 1\nrequest 1\n1\n", 3, 1, "expected 1 row in" },
	{ SMALL "existing 1 2\navailable 1 1", 7, 1, "existing of R1 is 1, but allocation (1) and available (1) make 2" },
	{ SMALL "existing 0 2", 7, 1, "existing of R1 is 0, but 1 are allocated" },
	{ SMALL "available 0 9223372036854775807", 7, 1, "of R2 make more than" },
	{ "allocation 9223372036854775807\n1\nrequest -\n-\nexisting 1", 5, 1, "adds up to more" },
	{ "existing 9223372036854775808\n", 1, 10, "up to 9223372036854775807" },
	{ "existing 99999999999999999999999999\n", 1, 10, "up to 9223372036854775807" },
	{ "existing 1 -1\n", 1, 12, "from 0 on" },
	{ "existing 1.5\n", 1, 10, "whole number, got \"1.5\"" },
	{ "existing 1e3\n", 1, 10, "whole number" },
	{ "existing 0x1\n", 1, 10, "whole number" },
	{ "existing +1\n", 1, 10, "whole number" },
	{ "existing .5\n", 1, 10, "whole number" },
	{ "existing tape 1\n", 1, 15, "end of the line of headings" },
	{ "existing 1,,2\n", 1, 12, "after the comma" },
	{ "existing 1;;2\n", 1, 12, "after the comma, got \";\"" },
	{ "existing 1,, ,2\n", 1, 12, "after the comma" },
	{ "existing,,1\n", 1, 10, "after the comma" },
	{ "existing 1,2,\n", 2, 1, "a section allocation" },
	{ "existing 1,2,,\nallocation 1,,\n", 2, 15, "row of 2 numbers, as existing has, got 1" },
	{ "existing 1,2\nallocation,,\n,A,B\nP1,1,\n", 4, 6, "row of 2 numbers, as existing has, got 1" },
	{ "existing 1\nallocation\n,1\n", 3, 2, "empty corner" },
	{ "existing 1\nallocation\n,,1\n", 3, 2, "after the comma" },
	{ "existing 1 1\nallocation\n1 1\n,1\n", 4, 1, "before the comma" },
	{ "existing 1 1\n,allocation\n1 1\n", 2, 1, "before the comma" },
	{ "allocation\nP1 | 1 0\n", 2, 6, "expected a name like those before it in this line, got \"1\"" },
	{ "request\nproc tape\nP1 -\nexisting 1 1\n", 4, 12, "row of 1 numbers, as request has, got more" },
	{ "existing 1 1\nrequest\nproc tape\nP1 -\n", 3, 1, "expected 2 headings, as there are resources, got 1" },
	{ "existing -\n", 1, 10, "a number, got \"-\"" },
	{ "allocation 1 -\n", 1, 14, "a number" },
	{ "allocation - 1\n", 1, 14, "a dash" },
	{ "allocation\nA 1\n2\n", 3, 1, "a label" },
	{ "allocation\n1\nA 2\n", 3, 1, "no row before has a label" },
	{ "allocation\nA 1\nA 2\n", 3, 1, "twice" },
	{ "allocation\nA 1\nB 2\nrequest\nA 1\nC 1\n", 6, 1, "expected \"B\" as before, got \"C\"" },
	{ "allocation\nA 1\nB 2\nprocesses B A\n", 4, 11, "expected \"A\" as before" },
	{ "processes A B\nallocation\nA 1\n\"A\" 2\n", 4, 1, "expected \"B\" as before" },
	{ "allocation\nA\n", 3, 1, "rows of numbers" },
	{ "allocation\nA B\n1 2\nrequest\nA C\n1 2\n", 5, 1, "expected \"B\" as before, got \"C\"" },
	{ "allocation\nA B C\n1 2\n", 2, 1, "headings" },
	{ "allocation\nA A\n1 2\n", 2, 3, "twice" },
	{ "allocation\nA B 1\n", 2, 5, "a name" },
	{ "processes A A\n", 1, 13, "twice" },
	{ "processes\n", 2, 1, "names" },
	{ "processes A 1\n", 1, 13, "a name" },
	{ "processes \"\"\n", 1, 11, "empty" },
	{ "processes \"A\n", 1, 13, "at the end of a name" },
	{ "processes \"A\\q\"\n", 1, 13, "\\xNN" },
	{ "processes \"A\\x0\"\n", 1, 13, "\\xNN" },
	{ "processes \"A\\x00\"\n", 1, 13, "\\xNN" },
	{ "processes \"A\"B\n", 1, 14, "unexpected" },
	{ "processes A B\nallocation 1\nrequest 1\n", 3, 1, "expected 2 rows" },
	{ "resources A B\nresources A B\n", 2, 1, "twice" },
	{ "existing 1 2\nresources A\n", 3, 1, "expected 2 resources, as existing has, got 1" },
	{ "existing 1\nresources A B\n", 2, 13, "expected 1 resources" },
	{ SMALL "existing 1 1\npreemptible R1 tape\n", 8, 16, "no resource \"tape\"" },
	{ SMALL "existing 1 1\npreemptible R1 R1\n", 8, 16, "twice" },
};

static void check_bad(const struct bad *bad, const enum form *form)
{
	struct model model;
	struct problem problem;

	if (!CHECK_INT_FOR(bad->text, read_at_step(bad->text, strlen(bad->text), 0, form, &model, &problem),
			   -EBADMSG))
		model_free(&model);
	CHECK_INT_FOR(bad->text, problem.place.line, bad->line);
	CHECK_INT_FOR(bad->text, problem.place.column, bad->column);
	if (!CHECK_FOR(bad->text, strstr(problem.text, bad->words)))
		printf("# %s\n", problem.text);
	CHECK_FOR(bad->text, !problem.input);
}

static void test_malformed(void)
{
	static const char nul[] = "existing 1 \0 2\n";
	enum form text = FORM_TEXT, mtx = FORM_MTX;
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(bad_texts) / sizeof(*bad_texts); i++)
		check_bad(&bad_texts[i], NULL);
	check_bad(&(struct bad){ "4 2\n", 1, 1, "a section" }, &text);
	check_bad(&(struct bad){ "P1 -> R1\n", 1, 1, "a section" }, &text);
	check_bad(&(struct bad){ "existing 1", 0, 0, "--allocation" }, &mtx);
	CHECK_INT(read_at_step(nul, sizeof(nul) - 1, 0, NULL, &model, &problem), -EBADMSG);
	CHECK_INT(problem.place.column, 12);
	CHECK_STR(problem.text, "unexpected \"\\x00\"");
}

/* ---- recognition ---- */

static void test_recognition(void)
{
	static const struct {
		const char *text;
		enum form form;
	} rows[] = {
		{ "P1 -> R1\n", FORM_GRAPH },
		{ "request -> R1\n", FORM_GRAPH },
		{ "request->R1\n", FORM_GRAPH },
		{ "\"request\" -> R1\n", FORM_GRAPH },
		{ "processes[2]\nP -> processes\n", FORM_GRAPH },
		{ "# edges\n// and\n/* so\non */ P1 -> R1\n", FORM_GRAPH },
		{ "\xef\xbb\xbfP1 -> R1\r\n", FORM_GRAPH },
		{ "1 -> R1\n", FORM_GRAPH },
		{ "digraph { P1 -> R1 }\n", FORM_GRAPH },
		{ "{\"existing\":[1],\"allocation\":[[1]],\"request\":[[0]]}", FORM_JSON },
		{ " \n\t{\"resources\":{\"R\":1},\"holds\":[[\"P\",\"R\"]],\"waits\":[]}", FORM_GRAPH_JSON },
		{ "request 1\nallocation 0\nexisting 1\n", FORM_TEXT },
		{ "Request=1\nallocation 0\nexisting 1\n", FORM_TEXT },
	};
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (CHECK_INT_FOR(rows[i].text, read_string(rows[i].text, &model, &problem), 0))
			CHECK_INT_FOR(rows[i].text, model.form, rows[i].form);
		else
			printf("# %s\n", problem.text);
		model_free(&model);
	}
}

/* ---- Matrix Market ---- */

#define COORDINATE "%%MatrixMarket matrix coordinate integer general\n"
#define PATTERN "%%MatrixMarket matrix coordinate pattern general\n"
#define ARRAY "%%MatrixMarket matrix array integer general\n"

static struct source *open_string(struct source *source, const char *text)
{
	return text && !source_open_memory(source, text, strlen(text), 0) ? source : NULL;
}

/* files: allocation, request, claim, existing, available. */
static int read_files(const char *const *files, struct model *model, struct problem *problem)
{
	struct source sources[5] = { 0 };
	struct mtx_sources from = {
		.allocation = open_string(&sources[0], files[0]), .allocation_name = "a",
		.request = open_string(&sources[1], files[1]),    .request_name = "r",
		.claim = open_string(&sources[2], files[2]),      .claim_name = "c",
		.existing = open_string(&sources[3], files[3]),   .existing_name = "e",
		.available = open_string(&sources[4], files[4]),  .available_name = "v",
	};
	int r;

	*model = (struct model){ 0 };
	*problem = (struct problem){ 0 };
	r = read_mtx(&from, model, problem);
	for (int i = 0; i < 5; i++)
		source_close(&sources[i]);
	return r;
}

static void test_mtx(void)
{
	static const char *const files[] = {
		COORDINATE "% of a textbook\n\n3 4 6\n1 3 1\n2 1 2\n2 4 1\n\n3 3 2\n3 2 1\n1 1 0\n\n",
		"%%matrixmarket MATRIX Array integer general\r\n3 4\r\n2\r\n1\r\n2\r\n0\r\n0\r\n1\r\n0\r\n1\r\n0\r\n1\r\n0\r\n0",
		PATTERN "3 4 1\n2 3\n",
		ARRAY "4 1\n4\n2\n3\n1\n",
		COORDINATE "1 4 2\n1 2 1\n1 1 2\n",
	};
	struct model model;
	struct problem problem;

	if (CHECK_INT(read_files(files, &model, &problem), 0)) {
		CHECK_INT(model.form, FORM_MTX);
		CHECK(model.has_request && model.has_claim);
		check_book("mtx", &model);
		CHECK_INT(cell(&model.system.claim, 1, 2), 1);
		CHECK_INT(model.system.allocation.start[3], 5);
		CHECK_STR(names_get(&model.processes, 2), "P3");
	} else {
		printf("# %s: %s\n", problem.input, problem.text);
	}
	model_free(&model);
}

static void test_bad_mtx(void)
{
	static const struct {
		const char *allocation;
		unsigned line, column;
		const char *words;
	} rows[] = {
		{ "", 1, 1, "%%MatrixMarket" },
		{ "1 1 1\n1 1 1\n", 1, 1, "%%MatrixMarket" },
		{ "%%MatrixMarket vector", 1, 16, "matrix" },
		{ "%%MatrixMarket matrix coordinate real general\n", 1, 34, "whole numbers), got \"real\"" },
		{ "%%MatrixMarket matrix coordinate complex general\n", 1, 34, "whole" },
		{ "%%MatrixMarket matrix array pattern general\n", 1, 29, "integer" },
		{ "%%MatrixMarket matrix coordinate integer symmetric\n", 1, 42, "symmetry" },
		{ "%%MatrixMarket matrix coordinate integer general 1\n", 1, 50, "the end of the line" },
		{ COORDINATE "2 2\n", 2, 4, "number of entries" },
		{ COORDINATE "4294967295 2 0\n", 2, 1, "up to 4294967294" },
		{ COORDINATE "-1 2 0\n", 2, 1, "got \"-1\"" },
		{ COORDINATE "2 2 1\n", 3, 1, "expected 1 entries, got 0" },
		{ COORDINATE "2 2 1\n1 1 1\n1 2 1\n", 4, 1, "after all entries" },
		{ COORDINATE "2 2 1\n0 1 1\n", 3, 1, "from 1" },
		{ COORDINATE "2 2 1\n1 0 1\n", 3, 3, "from 1" },
		{ COORDINATE "2 2 1\n3 1 1\n", 3, 1, "within the size, got \"3\"" },
		{ COORDINATE "2 2 1\n1 3 1\n", 3, 3, "within the size" },
		{ COORDINATE "2 2 1\n1 1 9223372036854775808\n", 3, 5, "a count" },
		{ COORDINATE "2 2 1\n1 1 1.5\n", 3, 5, "a count" },
		{ COORDINATE "2 2 1\n1 1\n", 3, 4, "end of the line" },
		{ COORDINATE "2 2 1\n1 1 1 1\n", 3, 7, "end of the line" },
		{ COORDINATE "2 2 3\n1 1 1\n\n\n2 1 1\n1 1 2\n", 7, 1, "(1, 1) is there twice" },
		{ PATTERN "2 2 1\n1 1 1\n", 3, 5, "end of the line" },
		{ ARRAY "2 2\n1\n1\n1\n", 6, 1, "a count" },
		{ ARRAY "1 1\n1\n1\n", 4, 1, "after all entries" },
	};
	const char *files[5] = { NULL, COORDINATE "2 2 0\n", NULL, ARRAY "2 1\n3\n3\n", NULL };
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		files[0] = rows[i].allocation;
		CHECK_INT_FOR(files[0], read_files(files, &model, &problem), -EBADMSG);
		CHECK_INT_FOR(files[0], problem.place.line, rows[i].line);
		CHECK_INT_FOR(files[0], problem.place.column, rows[i].column);
		CHECK_STR_FOR(files[0], problem.input, "a");
		if (!CHECK_FOR(files[0], strstr(problem.text, rows[i].words)))
			printf("# %s\n", problem.text);
	}
}

/* Files that are well by themselves, but not together. */
static void test_bad_mtx_together(void)
{
	static const char two[] = COORDINATE "2 2 1\n1 1 2\n", vector[] = ARRAY "2 1\n3\n3\n";
	static const struct {
		const char *files[5];
		const char *input, *words;
	} rows[] = {
		{ { NULL, two, NULL, vector, NULL }, NULL, "--allocation" },
		{ { two, NULL, NULL, vector, NULL }, NULL, "--request" },
		{ { two, two, NULL, NULL, NULL }, NULL, "--existing" },
		{ { two, COORDINATE "2 3 0\n", NULL, vector, NULL }, "r", "2 x 3, but allocation 2 x 2" },
		{ { two, two, COORDINATE "3 2 0\n", vector, NULL }, "c", "3 x 2" },
		{ { two, two, NULL, ARRAY "3 1\n1\n1\n1\n", NULL }, "e", "vector of 2" },
		{ { two, two, NULL, two, NULL }, "e", "vector of 2" },
		{ { two, two, NULL, COORDINATE "2 1 2\n2 1 1\n2 1 1\n", NULL }, "e", "twice" },
		{ { two, two, NULL, vector, vector }, "e", "existing of R1 is 3, but allocation (2) and available (3) make 5" },
		{ { two, two, NULL, COORDINATE "2 1 0\n", NULL }, "e", "existing of R1 is 0, but 2 are allocated" },
	};
	struct model model;
	struct problem problem;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT_FOR(rows[i].words, read_files(rows[i].files, &model, &problem), -EBADMSG);
		CHECK_STR_FOR(rows[i].words, problem.input, rows[i].input);
		if (!CHECK_FOR(rows[i].words, strstr(problem.text, rows[i].words)))
			printf("# %s\n", problem.text);
	}
}

/* ---- costs ---- */

static int read_costs_string(struct model *model, const char *text, int64_t **out, struct problem *problem)
{
	struct source source;
	int r = source_open_memory(&source, text, strlen(text), 0);

	if (r)
		return r;
	r = read_costs(&source, model, out, problem);
	source_close(&source);
	return r;
}

static void test_costs(void)
{
	static const struct bad rows[] = {
		{ "A 1\nX 2\n", 2, 1, "no process \"X\"" },
		{ "A 1\n\"A\" 2\n", 2, 1, "twice" },
		{ "A\n", 1, 2, "a cost" },
		{ "A -1\n", 1, 3, "from 0 on" },
		{ "A 9223372036854775808\n", 1, 3, "up to" },
		{ "A 9223372036854775807\n12 0\n", 1, 3, "add up" },
		{ "A 1 2\n", 1, 5, "end of the line" },
		{ ", 2\n", 1, 1, "a process" },
	};
	struct model model;
	struct problem problem;
	int64_t *cost = NULL;

	CHECK_INT(read_string("processes A \"12\" \"b c\"\nallocation 1\n1\n1\nrequest -\n-\n-\navailable 0", &model,
			      &problem), 0);
	if (CHECK_INT(read_costs_string(&model, "# costs\n\n\"b c\" 7 # dear\r\n12, 0", &cost, &problem), 0)) {
		CHECK(cost[0] == 1 && cost[1] == 0 && cost[2] == 7);
		free(cost);
	}
	if (CHECK_INT(read_costs_string(&model, "A 9223372036854775807\n12 0\n\"b c\" 0", &cost, &problem), 0))
		free(cost);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT_FOR(rows[i].text, read_costs_string(&model, rows[i].text, &cost, &problem), -EBADMSG);
		CHECK_INT_FOR(rows[i].text, problem.place.line, rows[i].line);
		CHECK_INT_FOR(rows[i].text, problem.place.column, rows[i].column);
		if (!CHECK_FOR(rows[i].text, strstr(problem.text, rows[i].words)))
			printf("# %s\n", problem.text);
	}
	model_free(&model);
}

/* ---- lengths ---- */

/* Tokens as long as may be, and one byte longer; a row of 100,000 numbers: in pieces of any size the same. */
static void test_long(void)
{
	enum { NUMBERS = 100000 };
	char *text = malloc(NUMBERS * 4 * 2 + 100), *end;
	struct model model;
	struct problem problem;

	if (!CHECK(text))
		return;
	end = stpcpy(text, "request ---\nallocation");
	for (int i = 0; i < NUMBERS; i++)
		end += sprintf(end, " %d", i % 10);
	end = stpcpy(end, "\navailable");
	for (int i = 0; i < NUMBERS; i++)
		end = stpcpy(end, i ? ",0" : " 0");
	for (size_t step = 0; step < 3; step++) {
		CHECK_INT(read_at_step(text, end - text, step * 4097, NULL, &model, &problem), 0);
		CHECK_INT(model.system.nresources, NUMBERS);
		CHECK(model.system.nresources == NUMBERS && cell(&model.system.allocation, 0, NUMBERS - 1) == 9);
		model_free(&model);
	}
	for (size_t length = INPUT_NAME_MAX; length <= INPUT_NAME_MAX + 1; length++) {
		end = stpcpy(text, "processes ");
		memset(end, 'x', length);
		strcpy(end + length, "\nrequest 0\nallocation 0\nexisting 0\n");
		for (size_t step = 0; step < 3; step++) {
			CHECK_INT(read_at_step(text, strlen(text), step * 7, NULL, &model, &problem),
				  length > INPUT_NAME_MAX ? -EBADMSG : 0);
			model_free(&model);
		}
	}
	free(text);
}

int main(void)
{
	test_book();
	test_names();
	test_dashes();
	test_corners();
	test_malformed();
	test_recognition();
	test_mtx();
	test_bad_mtx();
	test_bad_mtx_together();
	test_costs();
	test_long();
	return unit_done("text");
}
