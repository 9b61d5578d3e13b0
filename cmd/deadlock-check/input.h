/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_INPUT_H
#define DEADLOCK_INPUT_H

/*
 * How systems are read: bytes come through a source, names become numbers in
 * a table of names, a reader for each form makes a model of them. Calls return
 * 0, -EBADMSG with a problem filled in, -ENOMEM, or what read(2) gave.
 */

#include <ipckit/deadlock.h>

#define INPUT_NAME_MAX 4096 /* bytes of a name, quoted or not */

/* ---- source.c: a stream of bytes that knows where it is ---- */

struct place {
	uint64_t line, column; /* from 1; columns count bytes; line 0: none */
};

/* What is malformed, and where: "expected a row of 4 numbers, got 3". */
struct problem {
	const char *input; /* the file it is in, of several; NULL: the only one. Owned by the caller of the reader */
	struct place place;
	char text[256];
};

/* Fills in a problem. Returns -EBADMSG. Bytes of the input that are no printable ASCII belong escaped: see quoted(). */
int problem_at(struct problem *problem, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Up to 40 bytes of text in quotes, anything unprintable as \xNN; in a static buffer of 4 that take turns. */
const char *quoted(const char *text, size_t length);

/*
 * The bytes from next up to end are there to be read; *end is a NUL that is none of them (the
 * input may hold NULs of its own). Whoever needs more calls source_fill(), which keeps what is
 * unread but may move it. Memory stays constant whatever the input's size.
 */
struct source {
	const char *next, *end;
	bool ended; /* nothing comes after end */
	int error;  /* -errno of a failed read; ended is set then, too */

	int fd; /* -1: memory */
	const char *memory;
	size_t left, step; /* memory not yet given, and how much a fill gives at most */
	char *buffer;
	size_t room;
	uint64_t lines;     /* newlines before line_start */
	int64_t line_start; /* offset in the input where the line of next begins */
	int64_t offset;     /* of buffer's first byte in the input */
};

int source_open_fd(struct source *source, int fd);
int source_open_memory(struct source *source, const char *data, size_t size, size_t step); /* for tests */
void source_close(struct source *source);

/* Makes at least `least` (up to INPUT_NAME_MAX * 2) bytes available, if the input has them. Returns how many there are. */
size_t source_fill(struct source *source, size_t least);

/* Goes on to the next newline, or to the end. */
void source_pass_line(struct source *source);

/* A reader that passes a newline says so, with the newline's address. */
static inline void source_newline(struct source *source, const char *newline)
{
	source->lines++;
	source->line_start = source->offset + (newline + 1 - source->buffer);
}

/* The place of a byte of the present line. */
static inline struct place source_place(const struct source *source, const char *at)
{
	return (struct place){ .line = source->lines + 1,
			       .column = source->offset + (at - source->buffer) - source->line_start + 1 };
}

/* ---- names.c: names to numbers and back ---- */

struct names {
	uint32_t count;
	char *text;       /* all of them, each ended by a NUL */
	size_t size, room;
	size_t *at;       /* by number: where it begins in text */
	size_t at_room;
	struct names_slot *slots; /* a hash table; NULL until one is looked for */
	size_t nslots;
};

/* Finds a name, or adds it with the next number. Names hold no NUL. Returns 0 or -ENOMEM. */
int names_intern(struct names *names, const char *text, size_t length, uint32_t *out);
/* Adds a name; -EEXIST where it is there. */
int names_add(struct names *names, const char *text, size_t length);
/* Adds a name that is known not to be there, at no cost of a search. Returns 0 or -ENOMEM. */
int names_append(struct names *names, const char *text, size_t length);
/* Finds a name: IPCKIT_NONE where it is not there. -ENOMEM is possible: the table is made at the first search. */
int names_find(struct names *names, const char *text, size_t length, uint32_t *out);
/* Fetches what a search for the name would wait for. */
void names_prefetch(const struct names *names, const char *text, size_t length);
/* Fills a table that is empty with PREFIX1 PREFIX2 ... */
int names_number(struct names *names, char prefix, uint32_t count);
void names_free(struct names *names);

static inline const char *names_get(const struct names *names, uint32_t number)
{
	return names->text + names->at[number];
}

/* Several at once: what each name's look-up waits for in memory is fetched for all of them together. */
struct names_token {
	const char *text;
	size_t length;
};
#define NAMES_BATCH 64
int names_intern_batch(struct names *names, const struct names_token *tokens, size_t count, uint32_t *out);

/* ---- models ---- */

enum form {
	FORM_JSON,       /* matrices in JSON */
	FORM_GRAPH_JSON, /* {"resources":...,"holds":...,"waits":...} */
	FORM_TEXT,       /* sections of rows */
	FORM_GRAPH,      /* edge lines, and what dot(1) reads */
	FORM_MTX,        /* Matrix Market */
};

/*
 * What was read. Every resource and process has a name, those that were given none are P1 P2 ... and
 * R1 R2 ...; the ends at the tail of system's resources have none in resources, which counts nresources
 * less nends names: they are named by their process, system.end_of.
 */
struct model {
	enum form form;
	bool has_request, has_claim; /* a graph always has_request */
	struct ipckit_system system; /* complete: existing, available and allocation agree */
	struct names processes, resources;
};

void model_free(struct model *model);

/*
 * Completes a model whose reader has filled in all it found: names, existing or
 * available, and the check that they agree.
 *
 * place: where to say so if they do not.
 */
int model_complete(struct model *model, struct place place, struct problem *problem);

/* Reads what is there, in the form that its first bytes show, or in the given one (form not NULL: all
 * but FORM_MTX). Matrix Market is refused with a hint: it takes a file for each matrix. */
int read_model(struct source *source, const enum form *form, struct model *out, struct problem *problem);

int read_json(struct source *source, struct model *out, struct problem *problem); /* both forms of JSON */
int read_text(struct source *source, struct model *out, struct problem *problem);
int read_graph(struct source *source, struct model *out, struct problem *problem);

/* The matrices of a system in Matrix Market files: NULL where there is none. problem->input tells which one failed. */
struct mtx_sources {
	struct source *allocation, *request, *claim, *existing, *available;
	const char *allocation_name, *request_name, *claim_name, *existing_name, *available_name;
};
int read_mtx(const struct mtx_sources *sources, struct model *out, struct problem *problem);

/* Costs for resolve: lines of NAME COST, # comments; a process that is not named costs 1. out: by process, freed by the caller. */
int read_costs(struct source *source, struct model *model, int64_t **out, struct problem *problem);

#endif
