/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_JSON_SCAN_H
#define DEADLOCK_JSON_SCAN_H

/*
 * JSON, token by token, from a stream, in constant memory. Calls return 0 (or
 * what they say), -EBADMSG with the problem filled in, or what read(2) gave.
 */

#include "input.h"

struct json {
	struct source *source;
	struct problem *problem;
	struct place place; /* of the token that was read or looked at last */
	const char *text;   /* the string that was read last, until anything more is looked at */
	size_t length;
	char decoded[INPUT_NAME_MAX];
};

/* An array or an object that is being read. */
struct json_list {
	char close; /* the bracket that ends it */
	bool begun; /* an element was read: a comma comes before the next one */
};

#define JSON_END (-1)

/* The next byte that is no blank, JSON_END where there is none; place is its place. */
int json_peek(struct json *json);

/* Says that something was expected (as printf has it) where the token looked at last is. */
int json_expected(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Goes into an array ('[') or an object ('{'). what: in words. */
int json_begin(struct json *json, char open, const char *what, struct json_list *out);
/* 1: an element follows, to be read before the next call; 0: that was the end. */
int json_next(struct json *json, struct json_list *list);
/* An element has to follow, or the end. */
int json_element(struct json *json, struct json_list *list, const char *what);
int json_close(struct json *json, struct json_list *list);

/* One character, or nothing more at all. */
int json_expect(struct json *json, char c, const char *what);
int json_expect_end(struct json *json);

/* A name: UTF-8 of 1 to INPUT_NAME_MAX bytes without NUL, in text and length. */
int json_name(struct json *json, const char *what);
/* A number from 0 to 2^63-1. */
int json_count(struct json *json, int64_t *out);
/* The next numbers of an array, room (not 0) of them at most. Returns how many: fewer than room, and the array ended. */
ssize_t json_counts(struct json *json, struct json_list *list, int64_t *out, size_t room);

/* ---- the places of many tokens, in a few bytes each ---- */

struct places {
	unsigned char *bytes;
	size_t size, room;
	struct place last;
};

/* Each is at or after the one before. 0 or -ENOMEM. */
int places_add(struct places *places, struct place place);
/* Of the index-th that was added. Goes through all before it. */
struct place places_get(const struct places *places, size_t index);
void places_free(struct places *places);

#endif
