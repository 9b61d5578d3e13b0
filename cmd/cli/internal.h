/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

/* What the files of the runtime share among themselves; tools include cli.h alone. */

#include "cli.h"

#include <jansson.h>
#include <stdio.h>

/* ---- options.c ---- */

/* One option of this run: its row in the verb's or the common table. */
struct cli_option {
	const struct poptOption *row;
	char letter; /* 0 where the verb uses the letter for another option */
	bool common;
	bool given;
};

/* All options that are in force, the verb's first, and what was asked of the runtime itself. */
struct cli_options {
	struct cli_option *list;
	size_t count; /* 0 where no option was given */
	bool help, version, list_verbs;
	const char *list_options; /* a verb's name, or NULL */

	poptContext context;
	struct poptOption *flat;
	char **words;    /* what popt is given */
	char **encoded;  /* those of them that were rewritten for it */
	char **operands; /* NULL where they stand in argv */
	char **rest;     /* the words after `--`, or NULL */
	int nrest;
};

/* Finds the verb and reads the options into cli. Returns 0 or a failure's status. */
int cli_options_read(struct cli *cli, struct cli_options *options, int argc, char **argv);
/* The options of a verb (NULL: the common ones), without reading any. 0 or -ENOMEM. */
int cli_options_collect(const struct cli_verb *verb, struct cli_options *options);
void cli_options_free(struct cli_options *options);

/* ---- words.c: words that popt would misread, passed round it ---- */

/* options->words: all words but the one at skip (0: all), as popt may see them. How many, or -ENOMEM. */
int cli_words_take(const struct cli_verb *verb, struct cli_options *options, int count, char **words, int skip);
/* Back, in place; a word that was not encoded is not written to, and NULL is nothing. */
char *cli_word_decode(char *text);

/* ---- main.c ---- */

const struct cli_verb *cli_find_verb(const struct cli_tool *tool, const char *name);
/* Reports a verb that there is not. */
int cli_unknown_verb(struct cli *cli, const char *name);

/* ---- help.c ---- */

void cli_help_tool(FILE *stream, const struct cli_tool *tool, const struct cli_options *options);
void cli_help_verb(FILE *stream, const struct cli_tool *tool, const struct cli_verb *verb,
		   const struct cli_options *options);
void cli_help_columns(FILE *stream, const struct cli_verb *verb);
/* "semctl-cli wait [options] OBJECT"; freed by the caller, NULL without memory. */
char *cli_usage_line(const struct cli_tool *tool, const struct cli_verb *verb);
/* For completions: TAB-separated lines. */
void cli_complete_verbs(FILE *stream, const struct cli_tool *tool);
void cli_complete_options(FILE *stream, const struct cli_options *options);

/* ---- text.c ---- */

bool cli_utf8_valid(const char *text);
/* The same of bytes, which need no NUL at their end and may hold none. */
bool cli_utf8_valid_bytes(const char *data, size_t size);
/* cli_utf8_length() of the first of at least one byte. */
size_t cli_utf8_length_in(const char *data, size_t size);
/* A copy with U+FFFD for each byte that belongs to no character; NULL without memory. */
char *cli_utf8_repair(const char *text);
/* Writes text so that it stays on one line and cannot steer a terminal. */
void cli_put_safe(FILE *stream, const char *text);
/* The same of bytes: all that are no UTF-8, and NULs, are shown in hex. */
void cli_put_safe_part(FILE *stream, const char *text, size_t size);
/* How many characters cli_put_safe() writes. */
size_t cli_safe_width(const char *text);

/* Insertions, deletions, changes and swaps of neighbours that make b of a. */
unsigned cli_distance(const char *a, const char *b);

/* "4096", "64K", "1.5M": the largest unit of 1024s that leaves a digit before the point. */
void cli_human_size(int64_t bytes, char *text, size_t size);
/* "3h ago", "in 5m"; "never" for 0. */
void cli_human_age(int64_t time, int64_t now, char *text, size_t size);

/* ---- progress.c ---- */

#define CLI_PROGRESS_TEXT 80
#define CLI_PROGRESS_LINE 160 /* with whose it is */

/* "1.2G of 4.0G  30%  512M/s  0:05 left"; where the total is unknown, or was passed: "1.2G  512M/s". Pure. */
void cli_progress_text(const struct cli_progress *progress, char text[CLI_PROGRESS_TEXT]);

/* "1.2G 0:00:05 [512M/s] [480M/s] [====>     ] 30% ETA 0:00:12": bytes, time, the rate of late, the average, and where
 * the total is known a bar that fills the width, and what is left. at: ns since it began. Pure. */
void cli_progress_full_text(const struct cli_progress *progress, int64_t at, size_t width,
			    char text[CLI_PROGRESS_LINE + 1]);

/* ---- output.c, emit.c: what is printed, whatever the format ---- */

struct cli_failure {
	bool reported;
	const char *code;
	int exit;
	char *object, *message;
	uint64_t line, column; /* of the object; 0: none */
	bool limited;
	struct ipckit_limit limit;
};

/* The columns to print: fields of a table in order. */
struct cli_columns {
	const struct cli_field **list;
	size_t count;
	bool chosen; /* by --columns */
};

struct cli_output {
	FILE *stream; /* collects, and writes by output.c */
	FILE *text;   /* of cli_text_begin(), where it is not the stream itself */
	char *collected;
	size_t collected_size;
	json_t *document;
	struct cli_failure failure; /* the first one */
	bool lines;                 /* a line of a stream was printed */
	const struct cli_table *line_table; /* of the last one, or NULL, and its columns */
	struct cli_columns line_columns;
	bool raw;                   /* bytes: no documents */
	bool broken;                /* a failed write was reported */
	int write_error;            /* errno of the write that failed: it was the last one */
	bool ending;                /* run() has returned */
	bool partial;               /* results stand beside a failure */
	bool looked;                /* cli_watch() has, once: what there was to warn of was said */
	json_t *watched;            /* what counts as a change of the list that was printed last */
	bool bytes;                 /* cli_emit_bytes() has begun */
	bool untaken;               /* what was done could not be taken back */
	int (*end)(void *arg, bool written); /* of cli_undo_with() */
	void *end_arg;
	bool holds_pipe;            /* SIGPIPE is blocked until then */
};

enum cli_holds {
	CLI_HOLDS_NOTHING, /* the field does not apply to this kind of row */
	CLI_HOLDS_NULL,
	CLI_HOLDS_BOOL,
	CLI_HOLDS_INTEGER,
	CLI_HOLDS_REAL,
	CLI_HOLDS_TEXT,
	CLI_HOLDS_ROWS, /* from here on: a count of things */
	CLI_HOLDS_GAPS,
	CLI_HOLDS_STRINGS,
	CLI_HOLDS_INTEGERS,
	CLI_HOLDS_DATA, /* bytes */
};

/* What one row has in one field. */
struct cli_value {
	enum cli_holds holds;
	bool truth;
	int64_t integer;
	double real;
	const char *text; /* of the row, or in scratch */
	const void *rows; /* from CLI_HOLDS_ROWS on */
	size_t count;
	char scratch[64];
};

/* ---- value.c ---- */

/* In document: a user without a name is null; elsewhere the number stands for it. */
void cli_value_get(const struct cli_table *table, const struct cli_field *field, const void *row,
		   bool document, struct cli_value *out);

static inline bool cli_field_is_list(const struct cli_field *field)
{
	return field->type == CLI_STRINGS || field->type == CLI_INTEGERS;
}

#define CLI_ELEMENT 24 /* bytes of a number as text */

/* An element of a list: of the row, or in scratch. */
const char *cli_value_element(const struct cli_value *value, size_t index, char scratch[CLI_ELEMENT]);

/* A value in a cell of plain output (but lists, which plain.c writes), or, human, of a table; freed by
 * the caller, or NULL. */
char *cli_value_text(const struct cli *cli, const struct cli_field *field,
		     const struct cli_value *value, bool human);

/* ---- columns.c ---- */

/* What is printed: one record, a list, or a line of a stream. */
enum cli_shape { CLI_SHAPE_RECORD, CLI_SHAPE_LIST, CLI_SHAPE_LINE };

/* The fields to print of a table, --columns honoured. Returns 0 or a failure's status. */
int cli_columns_choose(struct cli *cli, const struct cli_table *table, enum cli_shape shape,
		       struct cli_columns *out);

#define CLI_BLOCKS (1u << 31) /* beside cli_field_flags: the fields that are CLI_BLOCK */

/* The columns of rows within a row, to which --columns does not apply: those without the hidden
 * flags. 0 or -ENOMEM. */
int cli_columns_all(const struct cli_table *table, unsigned hidden, struct cli_columns *out);
/* A field by its name; option is what it was given to, for the message. 0 or a failure's status. */
int cli_column_find(struct cli *cli, const char *option, const struct cli_table *table,
		    const char *name, const struct cli_field **out);
/* Reports names in --columns that the table does not have. */
int cli_columns_check(struct cli *cli, const struct cli_table *table);

/* The text of a column's heading; freed by the caller. */
char *cli_heading(const struct cli_field *field);

/* ---- output.c ---- */

void cli_output_begin(struct cli *cli);
/* Prints what is left and checks that all of it was written. Returns the status of the run. */
int cli_output_end(struct cli *cli, int status);
/* Writes what was collected. Returns CLI_OK or a failure's status. */
int cli_output_flush(struct cli *cli);
/* Whether standard output is one. */
bool cli_is_terminal(void);

/* ---- emit.c ---- */

/* The document of the run, that of its failure where it failed. 0 or -ENOMEM. */
int cli_print_document(struct cli *cli);
void cli_emit_free(struct cli_output *output);

/* The renderings. 0 or -ENOMEM. */
int cli_json_row(const struct cli_columns *columns, const struct cli_table *table, const void *row,
		 json_t **out);
int cli_json_rows(const struct cli_columns *columns, const struct cli_table *table,
		  const void *rows, size_t count, json_t **out);
/* A text as a document: {"data":TEXT,"size":BYTES}, or data_base64 where it is no text. */
int cli_json_text(const char *data, size_t size, json_t **out);
int cli_json_failure(const struct cli *cli, const struct cli_failure *failure, json_t **out);
int cli_json_print(const struct cli *cli, const json_t *document, bool line);
/* The flag of jansson's writers for as many digits as the numbers in it need. */
size_t cli_json_digits(const json_t *document);

int cli_plain_row(struct cli *cli, const struct cli_columns *columns, const struct cli_table *table,
		  const void *row, bool human);
int cli_plain_headings(struct cli *cli, const struct cli_columns *columns);

int cli_table_record(struct cli *cli, const struct cli_columns *columns,
		     const struct cli_table *table, const void *row);
int cli_table_list(struct cli *cli, const struct cli_columns *columns,
		   const struct cli_table *table, const void *rows, size_t count);

#endif
