/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../cmd/deadlock-check/json-scan.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static int read_bytes(const char *text, size_t size, size_t step, struct model *model, struct problem *problem)
{
	struct source source;
	int r;

	memset(problem, 0, sizeof(*problem));
	memset(model, 0, sizeof(*model));
	r = source_open_memory(&source, text, size, step);
	if (!r)
		r = read_json(&source, model, problem);
	source_close(&source);
	return r;
}

/* What is wrong with a text, as LINE:COLUMN WORDS; whole and byte by byte the same. */
static void check_refused(const char *text, size_t size, const char *want)
{
	for (size_t step = 0; step < 2; step++) {
		struct problem problem;
		struct model model;
		char have[320];
		int r = read_bytes(text, size, step, &model, &problem);

		snprintf(have, sizeof(have), "%" PRIu64 ":%" PRIu64 " %s", problem.place.line,
			 problem.place.column, problem.text);
		CHECK_INT_FOR(text, r, -EBADMSG);
		CHECK_STR_FOR(text, have, want);
		model_free(&model);
	}
}

#define MOST "9223372036854775807"
#define GRAPH "{\"resources\":{\"x\":1,\"y\":2},"

static void test_refused(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		/* structure */
		{ "", "1:1 expected {, got end of input" },
		{ " \n ", "2:2 expected {, got end of input" },
		{ "[]", "1:1 expected {, got [" },
		{ "{", "1:2 expected a key in quotes, got end of input" },
		{ "{}", "1:2 allocation (of matrices) or resources (of a graph) is missing" },
		{ "{1:2}", "1:2 expected a key in quotes, got 1" },
		{ "{\"available\" [1]}", "1:14 expected : after a key, got [" },
		{ "{\"available\":[1}", "1:16 expected , or ], got }" },
		{ "{\"available\":[1,]}", "1:17 expected a number, got ]" },
		{ "{\"available\":[1 2]}", "1:17 expected , or ], got 2" },
		{ "{\"available\":[1],}", "1:18 expected a key in quotes, got }" },
		{ "{\"available\":\n[1,\n 2", "3:3 expected , or ], got end of input" },
		{ "{\"available\":\n[1,\n", "3:1 expected a number, got end of input" },
		{ "{\"allocation\":[[1],[[", "1:21 expected a number, got [" },
		{ "{\"allocation\":1}", "1:15 expected [ (rows of numbers), got 1" },
		{ GRAPH "\"holds\":[]} {}", "1:40 expected end of input, got {" },
		{ "{\"alocation\":[]}", "1:2 expected existing, available, allocation, request, claim, processes, "
					"resources, preemptible, holds, waits, waits_any or waits_end, got \"alocation\"" },
		{ "{\"available\":[1],\n\"available\":[1]}", "2:1 expected each key once, got \"available\" again" },
		{ "{\"\\u0061vailable\":[1],\"available\":[1]}",
		  "1:23 expected each key once, got \"available\" again" },
		/* numbers */
		{ "{\"available\":[-1]}", "1:15 expected a number from 0 to " MOST ", got -1" },
		{ "{\"available\":[-0]}", "1:15 expected a number from 0 to " MOST ", got -0" },
		{ "{\"available\":[0,1.5]}", "1:17 expected a whole number, got 1.5" },
		{ "{\"available\":[1.0]}", "1:15 expected a whole number, got 1.0" },
		{ "{\"available\":[1e3]}", "1:15 expected a whole number, got 1e3" },
		{ "{\"available\":[0E0]}", "1:15 expected a whole number, got 0E0" },
		{ "{\"available\":[007,1]}", "1:15 expected a number without leading zeros, got 007" },
		{ "{\"available\":[00]}", "1:15 expected a number without leading zeros, got 00" },
		{ "{\"available\":[9223372036854775808]}",
		  "1:15 expected a number from 0 to " MOST ", got 9223372036854775808" },
		{ "{\"available\":[1,99999999999999999999,1]}",
		  "1:17 expected a number from 0 to " MOST ", got 99999999999999999999" },
		{ "{\"available\":[\"3\"]}", "1:15 expected a number, got \"3\"" },
		{ "{\"available\":[null]}", "1:15 expected a number, got null" },
		{ "{\"available\":[+1]}", "1:15 expected a number, got +1" },
		{ "{\"available\":[0x10]}", "1:15 expected a number from 0 to " MOST ", got 0x10" },
		{ "{\"available\":[NaN]}", "1:15 expected a number, got NaN" },
		/* matrices */
		{ "{\"allocation\":[[1,2,3,4],\n[1,2,3]]}", "2:7 expected a row of 4 numbers as the first one, got 3" },
		{ "{\"allocation\":[[1,2],[1,2,3]]}", "1:27 expected a row of 2 numbers as the first one, got more" },
		{ "{\"available\":[1],\"allocation\":[[]]}", "1:33 expected a row of 1 number as in available, got 0" },
		{ "{\"allocation\":[[1,2]],\"existing\":[1]}", "1:36 expected 2 numbers as in allocation, got 1" },
		{ "{\"allocation\":[[1],[1]],\"request\":[[1]]}", "1:39 expected 2 rows as in allocation, got 1" },
		{ "{\"allocation\":[[1]],\"claim\":[[1],[1]]}", "1:34 expected 1 row as in allocation, got more" },
		{ "{\"allocation\":[[1]],\"processes\":[\"A\",\"B\"]}", "1:41 expected 1 name as in allocation, got 2" },
		{ "{\"resources\":[\"A\"],\"existing\":[]}", "1:32 expected 1 number as in resources, got 0" },
		{ "{\"processes\":[\"A\",\"A\"]}", "1:19 expected each name once, got \"A\" again" },
		{ "{\"processes\":[\"\"]}", "1:15 expected a name of a process, got an empty name" },
		{ "{\"processes\":[1]}", "1:15 expected a name of a process, got 1" },
		{ "{\"request\":[],\"available\":[]}", "1:29 allocation is missing" },
		{ "{\"allocation\":[],\"available\":[]}", "1:32 request or claim is missing" },
		{ "{\"allocation\":[],\"claim\":[]}", "1:28 existing or available is missing" },
		{ "{\"existing\":[3],\"available\":[1],\"allocation\":[[1]],\"request\":[[1]]}",
		  "1:13 existing of R1 is 3, but allocation (1) and available (1) make 2" },
		{ "{\"allocation\":[[1]],\"request\":[[0]],\"existing\":[1],\"preemptible\":[\"R1\",\n\"R2\"]}",
		  "2:1 expected a resource that is there, got \"R2\"" },
		/* one form */
		{ "{\"allocation\":[],\"holds\":[]}",
		  "1:18 expected one form: holds is of a graph, but allocation before it is of matrices" },
		{ "{\"resources\":{},\"available\":[]}",
		  "1:17 expected one form: available is of matrices, but resources (an object) before it is of a graph" },
		{ "{\"waits\":[],\"resources\":[]}",
		  "1:25 expected one form: resources (an array) is of matrices, but waits before it is of a graph" },
		{ "{\"resources\":1}", "1:14 expected [ (names of resources) or { (how many there are of each), got 1" },
		/* graphs */
		{ "{\"holds\":[]}", "1:12 resources is missing" },
		{ "{\"resources\":{\"x\":1,\"x\":1}}", "1:21 expected each name once, got \"x\" again" },
		{ "{\"resources\":{\"x\"}}", "1:18 expected : and how many there are, got }" },
		{ GRAPH "\"holds\":[[\"P\"]]}", "1:41 expected a resource, got ]" },
		{ GRAPH "\"holds\":[[]]}", "1:38 expected a process, got ]" },
		{ GRAPH "\"holds\":[\"P\"]}", "1:37 expected [ (a process and a resource), got \"P\"" },
		{ GRAPH "\"holds\":[[\"P\",\"x\",1,2]]}", "1:47 expected ], got ," },
		{ GRAPH "\"holds\":[[\"P\",\"x\",0]]}", "1:46 expected a count of at least 1, got 0" },
		{ GRAPH "\"waits\":[[\"P\",\n\"z\"]]}", "2:1 expected a resource that is declared, got \"z\"" },
		{ GRAPH "\"waits_any\":[[\"P\",[]]]}", "1:47 expected a resource, got ]" },
		{ GRAPH "\"processes\":[\"P\"],\"waits\":[[\"Q\",\"x\"]]}",
		  "1:56 expected a process that is declared, got \"Q\"" },
		{ "{\"holds\":[[\"P\",\"z\"],\n[\"P\",\"x\"],[\"Q\",\"x\"],[\"R\",\"z\"]],\"resources\":{\"z\":9}}",
		  "2:6 expected a resource that is declared, got \"x\"" },
		{ "{\"holds\":[[\"P\",\"z\"],[\"P\",\"x\"]],\"resources\":{\"z\":9}}",
		  "1:26 expected a resource that is declared, got \"x\"" },
		{ GRAPH "\"waits\":[[\"P\",\"x\"]],\"processes\":[]}",
		  "1:38 expected a process that is declared, got \"P\"" },
		{ GRAPH "\"holds\":[[\"P\",\"x\"],\n[\"Q\",\"x\"]]}",
		  "2:1 expected at most 1 of \"x\" to be held, got 1 besides the 1 before" },
		{ "{\"holds\":[[\"P\",\"x\",3]],\n\"resources\":{\"x\":2}}",
		  "2:18 expected at least 3, which are held of it, got 2" },
		{ GRAPH "\"holds\":[[\"P\",\"y\"],[\"Q\",\"x\"],\n[\"P\",\"y\"]]}",
		  "2:1 expected each pair once, got \"P\" and \"y\" again: write it once, and a count" },
		{ GRAPH "\"waits_any\":[[\"P\",[\"x\",\n[\"x\",2]]]]}",
		  "2:1 expected each pair once, got \"P\" and \"x\" again: write it once, and a count" },
		{ GRAPH "\"waits_any\":[[\"P\",[\"x\"]],\n[\"P\",[\"y\"]]]}",
		  "2:1 expected each process once in waits_any, got \"P\" again" },
		{ GRAPH "\"waits\":[[\"P\",\"x\"]],\"waits_end\":[[\"P\",\"Q\"],\n[\"P\",\"Q\"]]}",
		  "2:1 expected each pair once, got \"P\" waiting for that end again" },
		{ GRAPH "\"preemptible\":[\"P\"]}", "1:43 expected a resource that is there, got \"P\"" },
		/* strings */
		{ "{\"a", "1:4 expected \" to end the string that begins at 1:2, got end of input" },
		{ "{\"processes\":[\"a\nb\"]}", "1:17 expected no control character in a string, got \"\\x0a\"" },
		{ "{\"processes\":[\"a\\x\"]}", "1:17 expected an escape of JSON (\\n, \\u00e9, two \\u for a pair of "
					       "surrogates), got \"\\\\x\"" },
		{ "{\"processes\":[\"\\ud83d\\u0041\"]}", "1:16 expected an escape of JSON (\\n, \\u00e9, two \\u for a "
							   "pair of surrogates), got \"\\\\ud83d\"" },
		{ "{\"processes\":[\"\\u0000\"]}", "1:16 expected a name without NUL, got \"\\\\u0000\"" },
		{ "{\"processes\":[\"\xc3(\"]}", "1:16 expected UTF-8, got \"\\xc3\"" },
		{ "{\"processes\":[\"\xed\xa0\x80\"]}", "1:16 expected UTF-8, got \"\\xed\"" },
		{ "{\"processes\":[\"\xc0\x80\"]}", "1:16 expected UTF-8, got \"\\xc0\"" },
		{ "{\"processes\":[\"\xf4\x90\x80\x80\"]}", "1:16 expected UTF-8, got \"\\xf4\"" },
		{ "\xef\xbb\xbf{}", "1:1 expected {, got \"\\xef\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_refused(rows[i].text, strlen(rows[i].text), rows[i].want);
}

static void test_nul(void)
{
	static const char blank[] = "{\"available\":\0[1]}", inside[] = "{\"avail\0able\":[1]}";
	static const char number[] = "{\"available\":[1\0]}", after[] = GRAPH "\"holds\":[]}\0";

	check_refused(blank, sizeof(blank) - 1, "1:14 expected [ (numbers), got a NUL byte");
	check_refused(inside, sizeof(inside) - 1,
		      "1:8 expected no control character in a string, got a NUL byte");
	check_refused(number, sizeof(number) - 1, "1:15 expected a number from 0 to " MOST ", got 1");
	check_refused(after, sizeof(after) - 1, "1:39 expected end of input, got a NUL byte");
}

static void test_long_names(void)
{
	static char text[INPUT_NAME_MAX + 64];
	struct problem problem;
	struct model model;
	int n = sprintf(text, "{\"resources\":{\"");

	memset(text + n, 'a', INPUT_NAME_MAX + 1);
	strcpy(text + n + INPUT_NAME_MAX, "\":1}}");
	CHECK_INT(read_bytes(text, strlen(text), 0, &model, &problem), 0);
	CHECK_INT(strlen(names_get(&model.resources, 0)), INPUT_NAME_MAX);
	model_free(&model);
	strcpy(text + n + INPUT_NAME_MAX, "a\":1}}");
	check_refused(text, strlen(text), "1:15 expected a name of at most 4096 bytes");
}

/* ---- what is read ---- */

/* The rows as "column:count,... | ...". */
static const char *spell_rows(const struct ipckit_rows *rows, uint32_t nrows, char *text, size_t room)
{
	FILE *stream = fmemopen(text, room, "w");

	if (!stream)
		return NULL;
	for (uint32_t p = 0; p < nrows; p++) {
		size_t cell, end = ipckit_rows_of(rows, p, &cell);

		fputs(p ? "| " : "", stream);
		for (; cell < end; cell++)
			fprintf(stream, "%" PRIu32 ":%" PRId64 " ", rows->column[cell], ipckit_rows_count(rows, cell));
	}
	fclose(stream);
	return text;
}

static void check_rows(const char *row, const struct ipckit_rows *rows, uint32_t nrows, const char *want)
{
	char text[256];

	CHECK_STR_FOR(row, spell_rows(rows, nrows, text, sizeof(text)), want);
}

static void check_vector(const char *row, const int64_t *have, const int64_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_INT_FOR(row, have[i], want[i]);
}

static void test_matrices(void)
{
	static const char *const texts[] = {
		"{\"existing\":[4,2,3,1],\"available\":[2,1,0,0],\"allocation\":[[0,0,1,0],[2,0,0,1],[0,1,2,0]],"
		"\"request\":[[2,0,0,1],[1,0,1,0],[2,1,0,0]],\"processes\":[\"P1\",\"P2\",\"P3\"],"
		"\"resources\":[\"plotter\",\"tape\",\"scanner\",\"cd\"]}",
		"{\n\"resources\":\t[ \"plotter\", \"tape\", \"scanner\", \"\\u0063d\" ],\r\n\"request\": "
		"[ [ 2 , 0, 0, 1 ],\n[1, 0, 1, 0],\n[2,\n1,0,0] ],\n\"allocation\":[[0,0,1,0],[2,0,0,1],[0,1,2,0]],"
		"\"existing\":[4,2,3,1] }\n\n",
		("{\"allocation\":[[0,0,1,0],[2,0,0,1],[0,1,2,0]],\"request\":[[2,0,0,1],[1,0,1,0],[2,1,0,0]],"
		 "\"available\":[2,1,0,0],\"resources\":[\"plotter\",\"tape\",\"scanner\",\"cd\"]}"),
	};
	static const int64_t existing[] = { 4, 2, 3, 1 }, available[] = { 2, 1, 0, 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = texts[i];
		struct problem problem;
		struct model model;

		if (!CHECK_FOR(text, !read_bytes(text, strlen(text), i, &model, &problem)))
			continue;
		CHECK_FOR(text, model.form == FORM_JSON && model.has_request && !model.has_claim);
		CHECK_INT_FOR(text, model.system.nprocesses, 3);
		CHECK_INT_FOR(text, model.system.nresources, 4);
		CHECK_STR_FOR(text, names_get(&model.processes, 1), "P2");
		CHECK_STR_FOR(text, names_get(&model.resources, 3), "cd");
		check_vector(text, model.system.existing, existing, 4);
		check_vector(text, model.system.available, available, 4);
		check_rows(text, &model.system.allocation, 3, "2:1 | 0:2 3:1 | 1:1 2:2 ");
		check_rows(text, &model.system.request, 3, "0:2 3:1 | 0:1 2:1 | 0:2 1:1 ");
		model_free(&model);
	}
}

/* The order of the keys changes nothing. */
static void test_graph(void)
{
	static const char *const texts[] = {
		"{\"resources\":{\"R1\":1,\"R2\":3},\"holds\":[[\"P1\",\"R1\"],[\"P2\",\"R2\",2]],\"waits\":[[\"P1\",\"R2\"]],"
		"\"waits_any\":[[\"P3\",[\"R1\",[\"R2\",2]]]],\"waits_end\":[[\"P2\",\"P3\"],[\"P1\",\"P3\"]],"
		"\"preemptible\":[\"R2\"]}",
		"{\"waits_end\":[[\"P2\",\"P3\"],[\"P1\",\"P3\"]],\"waits_any\":[[\"P3\",[[\"R2\",2],\"R1\"]]],"
		"\"preemptible\":[\"R2\"],\"holds\":[[\"P2\",\"R2\",2],[\"P1\",\"R1\"]],"
		"\"processes\":[\"P1\",\"P2\",\"P3\"],\"waits\":[[\"P1\",\"R2\"]],\"resources\":{\"R1\":1,\"R2\":3}}",
	};
	static const int64_t existing[] = { 1, 3, 1 }, available[] = { 0, 1, 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = texts[i];
		struct problem problem;
		struct model model;

		if (!CHECK_FOR(text, !read_bytes(text, strlen(text), i, &model, &problem)))
			continue;
		CHECK_FOR(text, model.form == FORM_GRAPH_JSON && model.has_request && !model.has_claim);
		CHECK_INT_FOR(text, model.system.nprocesses, 3);
		CHECK_INT_FOR(text, model.system.nresources, 3);
		CHECK_INT_FOR(text, model.system.nends, 1);
		CHECK_INT_FOR(text, model.system.end_of[0], 2);
		CHECK_INT_FOR(text, model.resources.count, 2);
		CHECK_STR_FOR(text, names_get(&model.processes, 2), "P3");
		CHECK_STR_FOR(text, names_get(&model.resources, 1), "R2");
		check_vector(text, model.system.existing, existing, 3);
		check_vector(text, model.system.available, available, 3);
		check_rows(text, &model.system.allocation, 3, "0:1 | 1:2 | 2:1 ");
		check_rows(text, &model.system.request, 3, "1:1 2:1 | 2:1 | ");
		check_rows(text, &model.system.any, 3, "| | 0:1 1:2 ");
		CHECK_FOR(text, !model.system.preemptible[0] && model.system.preemptible[1]);
		model_free(&model);
	}
}

static void test_names(void)
{
	static const char text[] = "{\"resources\":{\"\\ud83d\\ude00\":1,\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":1,"
				   "\"h\xc3\xa9 \xf0\x9f\x98\x80\":2,\"\\u00e9\\u4E16\":0,\"\x7f\":" MOST "}}";
	static const char *const want[] = { "\xf0\x9f\x98\x80", "\"\\/\b\f\n\r\t", "h\xc3\xa9 \xf0\x9f\x98\x80",
					    "\xc3\xa9\xe4\xb8\x96", "\x7f" };

	for (size_t step = 0; step < 2; step++) {
		struct problem problem;
		struct model model;

		CHECK_INT(read_bytes(text, strlen(text), step, &model, &problem), 0);
		CHECK_INT(model.resources.count, 5);
		for (uint32_t i = 0; i < model.resources.count; i++)
			CHECK_STR(names_get(&model.resources, i), want[i]);
		CHECK(model.system.existing && model.system.existing[4] == INT64_MAX);
		model_free(&model);
	}
}

/* Wider than what is read at once, with numbers of every length, across every boundary of the buffer. */
static void test_large(void)
{
	enum { ROWS = 40, COLUMNS = 1300 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	struct problem problem;
	struct model model;

	if (!CHECK(stream))
		return;
	for (int matrix = 0; matrix < 2; matrix++) {
		fputs(matrix ? "],\n\"request\":[" : "{\"allocation\":[", stream);
		for (int p = 0; p < ROWS; p++) {
			fputs(p ? ",\n [" : "[", stream);
			for (int r = 0; r < COLUMNS; r++)
				fprintf(stream, "%s%" PRIu64, r ? p % 2 ? ", " : "," : "",
					(p * COLUMNS + r) % 3 ? UINT64_C(0x1234567890abcd) >> (p + r) % 53 : 0);
			fputc(']', stream);
		}
	}
	fputs("],\"available\":[0", stream);
	for (int r = 1; r < COLUMNS; r++)
		fputs(",0", stream);
	fputs("]}", stream);
	fclose(stream);

	CHECK(size > 512 * 1024);
	for (size_t step = 0; step < 3; step++) {
		size_t cell = 0, wrong = 0;

		if (!CHECK_INT(read_bytes(text, size, step * 4093, &model, &problem), 0))
			break;
		for (int i = 0; i < ROWS * COLUMNS; i++) {
			if (i % 3 == 0)
				continue;
			wrong += model.system.request.column[cell] != (uint32_t)(i % COLUMNS) ||
				 ipckit_rows_count(&model.system.request, cell) !=
					 INT64_C(0x1234567890abcd) >> (i / COLUMNS + i % COLUMNS) % 53;
			cell++;
		}
		CHECK_INT(wrong, 0);
		CHECK_INT(model.system.request.start[ROWS], cell);
		model_free(&model);
	}
	free(text);
}

static void test_places(void)
{
	struct place all[2000] = { { .line = 1, .column = 1 } };
	struct places places = { 0 };

	for (size_t i = 1; i < 2000; i++) {
		all[i] = all[i - 1];
		if (i % 3)
			all[i].column += UINT64_C(1) << i % 60;
		else
			all[i] = (struct place){ .line = all[i].line + (UINT64_C(1) << i % 50), .column = i % 200 + 1 };
	}
	for (size_t i = 0; i < 2000; i++)
		CHECK_INT(places_add(&places, all[i]), 0);
	for (size_t i = 0; i < 2000; i += 7) {
		CHECK_INT(places_get(&places, i).line, all[i].line);
		CHECK_INT(places_get(&places, i).column, all[i].column);
	}
	places_free(&places);
}

/* What read(2) says comes through. */
static void test_unreadable(void)
{
	struct problem problem = { 0 };
	struct model model = { 0 };
	struct source source;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(source_open_fd(&source, fd), 0);
	CHECK_INT(read_json(&source, &model, &problem), -EISDIR);
	source_close(&source);
	close(fd);
}

int main(void)
{
	test_refused();
	test_nul();
	test_long_names();
	test_matrices();
	test_graph();
	test_names();
	test_large();
	test_places();
	test_unreadable();
	return unit_done("systems in JSON");
}
