/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "input.h"

/* ---- names ---- */

static uint32_t intern(struct names *names, const char *text)
{
	uint32_t number = IPCKIT_NONE;

	CHECK_INT_FOR(text, names_intern(names, text, strlen(text), &number), 0);
	return number;
}

static uint32_t find(struct names *names, const char *text)
{
	uint32_t number = 12345;

	CHECK_INT_FOR(text, names_find(names, text, strlen(text), &number), 0);
	return number;
}

static void test_intern(void)
{
	/* Each differs from another in little: the length, the order, a byte beyond the eighth. */
	static const char *const rows[] = {
		"", "a", "aa", "aaa", "aaaa", "aaaaa", "aaaaaa", "aaaaaaa", "aaaaaaaa", "aaaaaaaaa",
		"ab", "ba", "aba", "aab", "baa", "abcd", "bcda", "abcdefgh", "abcdefghi", "abcdefghj",
		"bbcdefghi", "abcdefghijklmnop", "abcdefghijklmnoq", "abcdefghijklmnopq",
		"ijklmnopabcdefgh", "P1", "R1", "\xc3\xbc", "\x01\x02",
	};
	size_t count = sizeof(rows) / sizeof(*rows);
	struct names names = { 0 };

	CHECK_INT(find(&names, "a"), IPCKIT_NONE);
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < count; i++)
			CHECK_INT_FOR(rows[i], intern(&names, rows[i]), i);
	CHECK_INT(names.count, count);
	for (size_t i = 0; i < count; i++) {
		CHECK_STR(names_get(&names, i), rows[i]);
		CHECK_INT_FOR(rows[i], find(&names, rows[i]), i);
	}
	CHECK_INT(find(&names, "c"), IPCKIT_NONE);
	CHECK_INT(find(&names, "abcdefghk"), IPCKIT_NONE);
	CHECK_INT(names_add(&names, "P1", 2), -EEXIST);
	CHECK_INT(names_add(&names, "P2", 2), 0);
	CHECK_INT(find(&names, "P2"), count);
	names_free(&names);
	CHECK(!names.count && !names.text && !names.slots);
}

static void test_append(void)
{
	struct names names = { 0 };

	CHECK_INT(names_append(&names, "first", 5), 0);
	CHECK_INT(names_append(&names, "the second of them", 18), 0);
	CHECK_INT(find(&names, "the second of them"), 1);
	CHECK_INT(names_append(&names, "third", 5), 0);
	CHECK_INT(find(&names, "third"), 2);
	CHECK_INT(intern(&names, "first"), 0);
	CHECK_INT(intern(&names, "fourth"), 3);
	names_free(&names);
}

static void test_number(void)
{
	struct names names = { 0 };

	CHECK_INT(names_number(&names, 'R', 100001), 0);
	CHECK_INT(names.count, 100001);
	CHECK_STR(names_get(&names, 0), "R1");
	CHECK_STR(names_get(&names, 9), "R10");
	CHECK_STR(names_get(&names, 100000), "R100001");
	CHECK_INT(find(&names, "R100000"), 99999);
	CHECK_INT(find(&names, "R0"), IPCKIT_NONE);
	CHECK_INT(find(&names, "R100002"), IPCKIT_NONE);
	names_free(&names);
}

/* Short and long names in turn, through several sizes of the table. */
static void make_name(char *out, size_t room, uint32_t i)
{
	snprintf(out, room, i & 1 ? "P%u" : "a long name, number %u", i);
}

static void test_batch(void)
{
	enum { COUNT = 40000, AT_ONCE = 150 };
	static char text[AT_ONCE][40];
	struct names_token tokens[AT_ONCE];
	uint32_t numbers[AT_ONCE], expected = 0;
	struct names names = { 0 };
	char name[40];

	/* Every name comes three times within three batches, new ones in order. */
	for (uint32_t first = 0; first < COUNT; first += AT_ONCE / 3) {
		for (uint32_t i = 0; i < AT_ONCE; i++) {
			make_name(text[i], sizeof(text[i]), first + i);
			tokens[i] = (struct names_token){ .text = text[i], .length = strlen(text[i]) };
		}
		CHECK_INT(names_intern_batch(&names, tokens, AT_ONCE, numbers), 0);
		for (uint32_t i = 0; i < AT_ONCE; i++)
			if (numbers[i] != first + i)
				CHECK_INT(numbers[i], first + i);
		expected = first + AT_ONCE;
	}
	CHECK_INT(names.count, expected);
	for (uint32_t i = 0; i < expected; i++) {
		make_name(name, sizeof(name), i);
		if (strcmp(names_get(&names, i), name))
			CHECK_STR(names_get(&names, i), name);
	}
	CHECK_INT(names_intern_batch(&names, NULL, 0, NULL), 0);

	/* The same name twice in a batch is one. */
	for (int i = 0; i < 2; i++)
		tokens[i] = (struct names_token){ .text = "twice", .length = 5 };
	CHECK_INT(names_intern_batch(&names, tokens, 2, numbers), 0);
	CHECK(numbers[0] == expected && numbers[1] == expected);
	names_free(&names);
}

/* ---- sources ---- */

/* Reads all there is, `least` at a time, and checks that it is data; places are of data with a newline each 10 bytes. */
static void check_reading(struct source *source, const char *data, size_t size, size_t least)
{
	size_t at = 0, have;

	while ((have = source_fill(source, least))) {
		struct place place = source_place(source, source->next);
		size_t used = have > least ? least : have;

		CHECK(have >= least || source->ended);
		CHECK_INT(have, source->end - source->next);
		CHECK_INT(*source->end, 0);
		CHECK_INT(place.line, at / 10 + 1);
		CHECK_INT(place.column, at % 10 + 1);
		if (!CHECK(at + used <= size && !memcmp(source->next, data + at, used)))
			return;
		for (size_t i = 0; i < used; i++, at++) {
			if (*source->next == '\n')
				source_newline(source, source->next);
			source->next++;
		}
	}
	CHECK_INT(at, size);
	CHECK(source->ended && !source->error);
}

static void fill_lines(char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = i % 10 == 9 ? '\n' : i % 7 ? 'a' + i % 26 : '\0';
}

static void test_memory(void)
{
	static const size_t steps[] = { 0, 1, 7, 4096 }, leasts[] = { 1, 2, 100, INPUT_NAME_MAX * 2 };
	static char data[3000];

	fill_lines(data, sizeof(data));
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 4; k++) {
			struct source source;

			CHECK_INT(source_open_memory(&source, data, sizeof(data), steps[i]), 0);
			check_reading(&source, data, sizeof(data), leasts[k]);
			source_close(&source);
		}
	}
}

static void test_no_bytes(void)
{
	struct source source;

	CHECK_INT(source_open_memory(&source, NULL, 0, 1), 0);
	CHECK_INT(*source.end, 0);
	CHECK_INT(source_fill(&source, 1), 0);
	CHECK(source.ended && !source.error);
	source_close(&source);
}

/* More than a buffer. */
static void test_file(void)
{
	enum { SIZE = 600000 };
	char *data = malloc(SIZE);
	struct source source;
	FILE *file = tmpfile();

	if (!CHECK(data && file))
		return;
	fill_lines(data, SIZE);
	CHECK_INT(fwrite(data, 1, SIZE, file), SIZE);
	CHECK(!fflush(file) && !fseek(file, 0, SEEK_SET));
	CHECK_INT(source_open_fd(&source, fileno(file)), 0);
	check_reading(&source, data, SIZE, 999);
	source_close(&source);
	fclose(file);
	free(data);
}

static void test_errors(void)
{
	struct source source;
	int fd = open(".", O_RDONLY | O_CLOEXEC);

	CHECK_INT(source_open_fd(&source, fd), 0);
	CHECK_INT(source_fill(&source, 1), 0);
	CHECK(source.ended);
	CHECK_INT(source.error, -EISDIR);
	source_close(&source);
	close(fd);
}

/* ---- problems ---- */

static void test_quoted(void)
{
	static const struct {
		const char *text;
		size_t length;
		const char *quoted;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "R1", 2, "\"R1\"" },
		{ "a\0b", 3, "\"a\\x00b\"" },
		{ "\"\\\n\xff", 4, "\"\\\"\\\\\\x0a\\xff\"" },
		{ "1234567890123456789012345678901234567890", 40, "\"1234567890123456789012345678901234567890\"" },
		{ "12345678901234567890123456789012345678901", 41, "\"1234567890123456789012345678901234567890\"..." },
	};
	const char *turns[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_STR(quoted(rows[i].text, rows[i].length), rows[i].quoted);
	for (int i = 0; i < 4; i++)
		turns[i] = quoted(&"abcd"[i], 1);
	CHECK_STR(turns[0], "\"a\"");
	CHECK_STR(turns[3], "\"d\"");
}

static void test_problem(void)
{
	struct problem problem = { .input = "file" };

	CHECK_INT(problem_at(&problem, (struct place){ 3, 4 }, "expected %d, got %s", 5, "six"), -EBADMSG);
	CHECK(problem.place.line == 3 && problem.place.column == 4);
	CHECK_STR(problem.text, "expected 5, got six");
	CHECK_STR(problem.input, "file");
	CHECK_INT(problem_at(&problem, (struct place){ 0 }, "%0500d", 1), -EBADMSG);
	CHECK_INT(strlen(problem.text), sizeof(problem.text) - 1);
}

int main(void)
{
	test_intern();
	test_append();
	test_number();
	test_batch();
	test_memory();
	test_no_bytes();
	test_file();
	test_errors();
	test_quoted();
	test_problem();
	return unit_done("names and sources");
}
