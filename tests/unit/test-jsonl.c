/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages as lines of JSON, and base64. */

#include "../../cmd/mqtool/jsonl.h"
#include "../../cmd/cli/cli.h"
#include "failing.h"
#include "unit.h"

#define POSIX IPCKIT_MQ_POSIX
#define SYSV IPCKIT_MQ_SYSV
#define BYTES(text) text, sizeof(text) - 1

static void test_accepted(void)
{
	static const struct {
		const char *line;
		enum ipckit_mq_backend backend;
		const char *data;
		size_t size;
		long rank; /* -1: none */
	} rows[] = {
		{ "{\"priority\":5,\"size\":2,\"data\":\"hi\"}", POSIX, BYTES("hi"), 5 },
		{ "{\"type\":5,\"size\":2,\"data\":\"hi\"}", SYSV, BYTES("hi"), 5 },
		{ "{\"data\":\"\"}", POSIX, BYTES(""), -1 },
		{ "{\"data\":\"\",\"size\":0}", SYSV, BYTES(""), -1 },
		{ "{\"data\":\"a\\u0000b\"}", POSIX, BYTES("a\0b"), -1 },
		{ "{\"data\":\"\\u0000\",\"size\":1}", POSIX, BYTES("\0"), -1 },
		{ "{\"data\":\"caf\xc3\xa9\\n\\\"\",\"size\":7}", POSIX, BYTES("caf\xc3\xa9\n\""), -1 },
		{ "{\"data\":\"\\ud83d\\ude00\",\"size\":4}", SYSV, BYTES("\xf0\x9f\x98\x80"), -1 },
		{ "{\"data_base64\":\"AP8K\",\"size\":3}", POSIX, BYTES("\0\xff\n"), -1 },
		{ "{\"data_base64\":\"\"}", POSIX, BYTES(""), -1 },
		{ " { \"data\" : \"x\" , \"priority\" : 0 } \r", POSIX, BYTES("x"), 0 },
		{ "{\"data\":\"x\",\"priority\":32767}", POSIX, BYTES("x"), 32767 },
		{ "{\"data\":\"x\",\"type\":1}", SYSV, BYTES("x"), 1 },
		{ "{\"data\":\"x\",\"type\":9223372036854775807}", SYSV, BYTES("x"), LONG_MAX },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct jsonl_message message;
		struct ipckit_why why;
		const char *line = rows[i].line;
		size_t column = 99;

		if (!CHECK_INT_FOR(line, jsonl_parse(line, strlen(line), rows[i].backend, &message, &why, &column),
				   0))
			continue;
		CHECK_INT_FOR(line, column, 0);
		CHECK_INT_FOR(line, message.size, rows[i].size);
		CHECK_FOR(line, message.size == rows[i].size &&
				      !memcmp(message.data, rows[i].data, rows[i].size + 1));
		CHECK_INT_FOR(line, message.has_rank, rows[i].rank >= 0);
		CHECK_INT_FOR(line, message.rank, rows[i].rank >= 0 ? rows[i].rank : 0);
		jsonl_free(&message);
		CHECK_FOR(line, !message.data);
	}
}

static void check_refused(const char *line, size_t size, enum ipckit_mq_backend backend, size_t column,
			  const char *want)
{
	struct jsonl_message message = { .rank = 77 };
	struct ipckit_why why = { "" };
	size_t at = 99;

	CHECK_INT_FOR(line, jsonl_parse(line, size, backend, &message, &why, &at), -EINVAL);
	CHECK_INT_FOR(line, at, column);
	CHECK_STR_FOR(line, why.text, want);
	CHECK_FOR(line, message.rank == 77 && !message.data);
	CHECK_INT_FOR(line, jsonl_parse(line, size, backend, &message, &why, NULL), -EINVAL);
}

static void test_refused(void)
{
	static const struct {
		const char *line;
		enum ipckit_mq_backend backend;
		size_t column;
		const char *want;
	} rows[] = {
		{ "", POSIX, 0, "the line ends within the object" },
		{ "{\"data\":\"x", POSIX, 10, "the line ends within the object" },
		{ "hi", POSIX, 2, "not JSON: expected an object like {\"data\":\"text\"}" },
		{ "{\"data\":hi}", POSIX, 10, "not JSON: expected an object like {\"data\":\"text\"}" },
		{ "\"hi\"", POSIX, 0, "expected an object like {\"data\":\"text\"}, not a string" },
		{ "[]", POSIX, 0, "expected an object like {\"data\":\"text\"}, not an array" },
		{ "null", SYSV, 0, "expected an object like {\"data\":\"text\"}, not null" },
		{ "{}", POSIX, 0, "data or data_base64 is missing" },
		{ "{\"data\":\"x\"} {}", POSIX, 14, "something follows the object" },
		{ "{\"data\":\"x\"},", POSIX, 13, "something follows the object" },
		{ "{\"data\":\"x\",\"data\":\"x\"}", POSIX, 18, "a key is there twice" },
		{ "{\"data\":\"x\",\"data_base64\":\"\"}", POSIX, 0, "data and data_base64 exclude each other" },
		{ "{\"data\":1}", POSIX, 0, "data is to be a string, not a number" },
		{ "{\"data\":null}", POSIX, 0, "data is to be a string, not null" },
		{ "{\"data_base64\":[]}", POSIX, 0, "data_base64 is to be a string, not an array" },
		{ "{\"data_base64\":\"AA\"}", POSIX, 0, "data_base64 is not base64 (RFC 4648, with its padding)" },
		{ "{\"data\":\"x\",\"priority\":-1}", POSIX, 0, "priority is to be from 0 to 32767, not -1" },
		{ "{\"data\":\"x\",\"priority\":32768}", POSIX, 0, "priority is to be from 0 to 32767, not 32768" },
		{ "{\"data\":\"x\",\"priority\":\"1\"}", POSIX, 0, "priority is to be a whole number, not a string" },
		{ "{\"data\":\"x\",\"priority\":1.0}", POSIX, 0,
		  "priority is to be a whole number, not a number with a fraction or an exponent" },
		{ "{\"data\":\"x\",\"priority\":true}", POSIX, 0,
		  "priority is to be a whole number, not a boolean" },
		{ "{\"data\":\"x\",\"type\":0}", SYSV, 0, "type is to be from 1 to 9223372036854775807, not 0" },
		{ "{\"data\":\"x\",\"type\":9223372036854775808}", SYSV, 38, "a number is too large" },
		{ "{\"data\":\"x\",\"type\":1}", POSIX, 0,
		  "type is of System V queues, those of POSIX have a priority" },
		{ "{\"data\":\"x\",\"priority\":1}", SYSV, 0,
		  "priority is of POSIX queues, those of System V have a type" },
		{ "{\"data\":\"x\",\"size\":2}", POSIX, 0, "size says 2 bytes, but the data has 1" },
		{ "{\"data\":\"x\",\"size\":-1}", POSIX, 0,
		  "size is to be from 0 to 9223372036854775807, not -1" },
		{ "{\"dta\":\"x\"}", POSIX, 0, "unknown key \"dta\", did you mean data?" },
		{ "{\"data_base46\":\"x\"}", POSIX, 0, "unknown key \"data_base46\", did you mean data_base64?" },
		{ "{\"data\":\"x\",\"queue\":1}", POSIX, 0,
		  "unknown key \"queue\", known are data, data_base64, priority and size" },
		{ "{\"data\":\"x\",\"queue\":1}", SYSV, 0,
		  "unknown key \"queue\", known are data, data_base64, type and size" },
		{ "{\"data\":\"x\",\"\":1}", SYSV, 0,
		  "unknown key \"\", known are data, data_base64, type and size" },
		{ "{\"an\\u001b[31m\":1}", SYSV, 0,
		  "unknown key \"...\", known are data, data_base64, type and size" },
		{ "{\"0123456789012345678901234567890123456789012345678901234567890\":1}", SYSV, 0,
		  "unknown key \"01234567890123456789012345678901234567890123...\", known are data, data_base64, "
		  "type and size" },
		{ "{\"data\\u0000\":\"x\"}", POSIX, 13, "a key with a NUL in it" },
		{ "{\"data\":\"\xff\"}", POSIX, 9, "not UTF-8: data_base64 takes any bytes" },
		{ "{\"data\":\"\xc3\xa9\"}}", POSIX, 13, "something follows the object" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_refused(rows[i].line, strlen(rows[i].line), rows[i].backend, rows[i].column, rows[i].want);
	check_refused(BYTES("{\"data\":\"x\"}\0"), POSIX, 13, "something follows the object");
}

static void test_deep(void)
{
	char *line = malloc(100001);

	if (!CHECK(line))
		return;
	memset(line, '[', 100000);
	line[100000] = '\0';
	check_refused(line, 100000, POSIX, 2049, "nested too deeply");
	free(line);
}

/* ---- base64 ---- */

static void test_decode(void)
{
	static const struct {
		const char *text, *data;
		size_t size;
	} rows[] = {
		{ "", BYTES("") }, { "Zg==", BYTES("f") }, { "Zm8=", BYTES("fo") }, { "Zm9v", BYTES("foo") },
		{ "Zm9vYg==", BYTES("foob") }, { "Zm9vYmE=", BYTES("fooba") }, { "Zm9vYmFy", BYTES("foobar") },
		{ "+/+/", BYTES("\xfb\xff\xbf") }, { "AAAA", BYTES("\0\0\0") }, { "/w==", BYTES("\xff") },
	};
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "====", "=", "Z===", "Zh==", "Zm9=", "Zm8=Zm8=", "Zg==\n", "Zm 8=", "Zm8-",
		"Zm_v", "Zm9v====", "Z=g=", "=Zg=", "Zm9\xff", "\xc3\xa9==", "Zm9v\n", " Zm9v", "Zg==Zg==", "[m9v",
		"Zm9@",
	};
	char *data;
	size_t size;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!CHECK_INT_FOR(rows[i].text, cli_base64_decode(rows[i].text, strlen(rows[i].text), &data, &size),
				   0))
			continue;
		CHECK_INT_FOR(rows[i].text, size, rows[i].size);
		CHECK_FOR(rows[i].text, size == rows[i].size && !memcmp(data, rows[i].data, size + 1));
		free(data);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_INT_FOR(bad[i], cli_base64_decode(bad[i], strlen(bad[i]), &data, &size), -EINVAL);
	CHECK_INT(cli_base64_decode(BYTES("Zm\0v"), &data, &size), -EINVAL);
}

/* Every byte at each place of a group, and every length: what is encoded is decoded. */
static void test_both_ways(void)
{
	unsigned char bytes[300];

	for (size_t shift = 0; shift < 3; shift++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)(i + shift);
		for (size_t length = 0; length <= sizeof(bytes); length++) {
			char *text = cli_base64(bytes, length), *data = NULL;
			size_t size = 0;

			CHECK(text && !cli_base64_decode(text, strlen(text), &data, &size));
			CHECK(size == length && data && !memcmp(data, bytes, length));
			free(data);
			free(text);
		}
	}
}

/* ---- each allocation failing in turn ---- */

static int call_parse(void)
{
	static const char text[] = "{\"data\":\"some text\",\"priority\":1}", bytes[] = "{\"data_base64\":\"AP8K\"}";
	struct jsonl_message message;
	struct ipckit_why why;
	int r = jsonl_parse(BYTES(text), POSIX, &message, &why, NULL);

	if (r)
		return r;
	jsonl_free(&message);
	r = jsonl_parse(BYTES(bytes), SYSV, &message, &why, NULL);
	if (!r)
		jsonl_free(&message);
	return r;
}

int main(void)
{
	test_accepted();
	test_refused();
	test_deep();
	test_decode();
	test_both_ways();
	check_failing("parse", call_parse);
	return unit_done("jsonl");
}
