/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_H
#define CLI_H

/*
 * The runtime under all tools: a tool is an array of verbs, a verb is one
 * struct, a result is a struct with a table of its fields. Verbs neither print
 * nor choose exit statuses: they return what cli_fail() and cli_emit...() return.
 */

#include <ipckit/deadline.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_NO = 1,
	CLI_USAGE = 2,
	CLI_MISSING = 3,
	CLI_EXISTS = 4,
	CLI_DENIED = 5,
	CLI_LIMIT = 6,
	CLI_BROKEN = 7,
	CLI_SYSTEM = 8,
	CLI_INFERRED = 9,
	CLI_COMMAND_TIMED_OUT = 124,
	CLI_COMMAND_TOOL_FAILED = 125,
	CLI_COMMAND_NOT_EXECUTABLE = 126,
	CLI_COMMAND_NOT_FOUND = 127,
};

/* ---- fields: what a result is made of ---- */

enum cli_type {
	CLI_STRING,  /* char *: NULL is null */
	CLI_BOOL,    /* bool */
	CLI_INTEGER, /* int64_t */
	CLI_INT,     /* int, pid_t, int32_t */
	CLI_UINT,    /* unsigned */
	CLI_MAYBE,   /* struct ipckit_maybe, and so are all from here to CLI_PID: */
	CLI_TRUTH,   /* 0 or 1; a boolean */
	CLI_SIZE,    /* bytes; human in tables */
	CLI_TIME,    /* Unix seconds; an age in tables; 0 in a table: "never" */
	CLI_MODE,    /* "0600" */
	CLI_KEY,     /* number in JSON, hex in tables and plain */
	CLI_USER,    /* uid, given as the user's name (null if it has none; the number in tables) */
	CLI_GROUP,   /* gid, likewise */
	CLI_OPEN_FLAGS, /* of open(2), as words: "O_RDONLY|O_NONBLOCK" */
	CLI_PID,     /* 0 in tables: "-" */
	CLI_ROWS,    /* pointer to an array of structs, its length a size_t at count_offset; described by rows */
	CLI_GAPS,    /* struct ipckit_gap[], length likewise: {"key":"reason"}; left out of JSON when empty */
	CLI_REAL,    /* double */
	CLI_CHARS,   /* char[], within the row: empty is null */
	CLI_WORD,    /* an enum, given as its word among words; where that is NULL a char *, the word itself */
	CLI_STRINGS, /* pointer to an array of const char *, none of them NULL; length like that of CLI_ROWS */
	CLI_INTEGERS, /* pointer to an array of int64_t, likewise */
	CLI_BLOCK,   /* char *, lines of text: in tables of one record below its name, elsewhere only by --columns */
	CLI_DATA,    /* const void *, any bytes: NULL is null; how many a size_t at count_offset */
	CLI_NUMBER,  /* struct cli_number: of either kind by row */
	CLI_RECORD,  /* a struct within the row, described by rows: an object in JSON */
};

struct cli_number {
	struct ipckit_maybe integer; /* known: it is one */
	double real;                 /* else; in JSON null where it is not finite */
};

/*
 * Bytes (CLI_DATA) are a string in JSON where they are UTF-8 without NUL, else there is NAME_base64
 * in its place. In plain: TAB, newline, carriage return and backslash as \t \n \r \\, a NUL and bytes that
 * are no UTF-8 as \xHH, so that nothing is lost; "-" is null, and one that reads like it has a backslash
 * before it. In tables whatever else could steer a terminal is written so, too.
 */

/*
 * Lists (CLI_STRINGS, CLI_INTEGERS) are arrays in JSON, null where the pointer is NULL and the
 * count is not 0. Where a string is no UTF-8 there is NAME_base64, too: an array with its bytes,
 * and null for those that are. In tables: elements joined by blanks, "none", "-" for null; a
 * record on a terminal shows about ten lines of them and says how many more there are. In plain:
 * joined by commas, a comma in an element escaped like a backslash; "-" is the empty list, "?"
 * is null, and an element alone that reads like one of these has a backslash before it.
 */
enum cli_field_flags {
	CLI_WIDE = 1u,   /* not among the columns that tables and plain show unasked */
	CLI_DETAIL = 2u, /* only in cli_emit_record(), not in lists */
	CLI_BULKY = 4u,  /* not among the columns that lists in tables and plain show unasked */
	CLI_LOOKED = 8u, /* looking at it changes it: no change to those who watch */
};

struct cli_table;

struct cli_field {
	const char *name;    /* lower_snake_case: JSON key and column name */
	const char *heading; /* of a table; NULL: the name in capitals */
	enum cli_type type;
	size_t offset;
	const char *summary; /* what --columns help says */
	unsigned kinds;      /* kinds of row that have it, bits of cli_table.kind(); 0: all */
	unsigned flags;
	size_t count_offset;           /* CLI_ROWS, CLI_GAPS, CLI_STRINGS, CLI_INTEGERS, CLI_DATA */
	const struct cli_table *rows;  /* CLI_ROWS, CLI_RECORD */
	const char *const *words;      /* CLI_WORD: by value of the enum, or NULL */
	unsigned json_kinds; /* kinds of row in whose JSON it is unasked; 0: all that have it */
};

/* In json_kinds: of no row. */
#define CLI_NO_KIND (1u << 31)

struct cli_table {
	const struct cli_field *fields; /* ends with a name of NULL */
	size_t size;                    /* of one row */
	const char *key;                /* of the JSON array of a list: "semaphores" */
	unsigned (*kind)(const void *row); /* bits; NULL where all rows are alike */
};

/* ---- verbs and tools ---- */

enum cli_verb_flags {
	CLI_ANSWERS = 1u,         /* answers a question: prints unasked, JSON when stdout is no terminal */
	CLI_COMMAND = 2u,         /* needs `-- COMMAND...`; failures before it starts are 124 to 127 */
	CLI_COMMAND_MAY = 4u,     /* takes `-- COMMAND...` */
	CLI_NEGATIVE = 8u,        /* `-` and a digit begin an operand */
	CLI_HIDDEN = 16u,         /* not listed */
	CLI_LISTS = 32u,          /* prints a list: CLI_DETAIL fields are none of its columns */
	CLI_TEXT = 64u,           /* answers with a text (cli_text_begin()): prints it unasked, JSON only if asked */
};

struct cli;

struct cli_verb {
	const char *name;
	const char *alias;    /* NULL where there is none */
	const char *operands; /* "OBJECT VALUE", as usage shows them; "" for none */
	const char *summary;
	int least, most;      /* operands; most -1: any number */
	unsigned flags;
	/* POPT_ARG_STRING and POPT_ARG_NONE only; ends with POPT_TABLEEND; may be NULL. With POPT_ARGFLAG_OR an
	 * option that is given again adds to a list: what it is given is joined by commas. */
	const struct poptOption *options;
	const struct cli_table *table;    /* what it prints, for --columns; NULL where it prints nothing */
	int (*run)(struct cli *cli);      /* returns an exit status */
};

struct cli_noun;

struct cli_tool {
	const char *name;
	const char *summary;
	const struct cli_verb *const *verbs; /* in the order of help; ends with NULL */
	/* What runs where the first word is no verb, with all words as its own, or NULL. One of verbs. */
	const struct cli_verb *fallback;
	const struct cli_noun *noun; /* noun.h: the objects that it is for, or NULL */
};

enum cli_format { CLI_FORMAT_NONE, CLI_FORMAT_JSON, CLI_FORMAT_TABLE, CLI_FORMAT_PLAIN };

struct cli {
	const struct cli_tool *tool;
	const struct cli_verb *verb;
	bool implied; /* the verb is the tool's fallback, and was not typed */
	char **operands; /* ends with NULL */
	int noperands;
	char **command; /* after `--`, ends with NULL; NULL where there was none */

	enum cli_format format;
	bool format_given; /* by an option, not by what the verb does unasked */
	bool pretty, bytes, quiet, verbose;
	const char *columns; /* --columns A,B, or NULL */

	struct cli_output *output; /* the documents of this run; cmd/cli/emit.c */
};

/* The whole of main(). Returns the exit status. */
int cli_main(const struct cli_tool *tool, int argc, char **argv);

/* ---- errors: one function words them, one table gives their status ---- */

/*
 * Reports a failure and returns its exit status: one line on stderr, and the
 * error document where the run prints JSON (the first failure's, at the end).
 * Of a verb that runs a COMMAND the status is 124 for a timeout, else 125.
 *
 * object: NULL where there is none; error: positive or negative errno value;
 * format: the reason in words, NULL for the table's own.
 */
int cli_fail(struct cli *cli, const char *object, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, with the limit that was hit: its name, value and use are added to the message. Status 6. */
int cli_fail_limit(struct cli *cli, const char *object, int error, const struct ipckit_limit *limit);
/* after: what follows (", after 4096 bytes"), or "". */
int cli_fail_limit_after(struct cli *cli, const char *object, int error, const struct ipckit_limit *limit,
			 const char *after);

/* The same of a wait that has lasted for its --timeout: "timed out after 5s". timeout: as it was typed; after: what
 * follows (": thread 4711 has it"), or "". */
int cli_fail_late(struct cli *cli, const char *object, const char *timeout, const char *after);

/* What is said of ENODEV where objects live in /dev/shm. */
#define CLI_MOUNT_SHM "mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm"
#define CLI_NO_SHM "/dev/shm is missing: " CLI_MOUNT_SHM

/* What was typed is wrong: code USAGE, status 2 (125 before a COMMAND). */
int cli_usage(struct cli *cli, const char *object, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The input is malformed: code FORMAT, status 2 (125 before a COMMAND); object: the file it is in, or NULL.
 * Lines and columns count from 1; a line of 0 is no place, a column of 0 is the line alone. */
int cli_malformed(struct cli *cli, const char *object, uint64_t line, uint64_t column, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* COMMAND could not be run. status: CLI_COMMAND_NOT_EXECUTABLE or CLI_COMMAND_NOT_FOUND; words: NULL for
 * its own. */
int cli_fail_command(struct cli *cli, const char *command, enum cli_exit status, int error, const char *words);

/* Of a word that is an operand of an implied verb and names nothing: the verb it may be meant for. NULL
 * where none is near, or the verb was typed. */
const char *cli_near_verb(const struct cli *cli, const char *word);

/* A line on stderr that is no failure; cli_note() only with --verbose. */
void cli_warn(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_note(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The status and the name of an errno (errors.c's table): for tests and manuals, too. */
enum cli_exit cli_errno_exit(int error);
const char *cli_errno_name(int error);  /* "ETIMEDOUT"; EAGAIN and EDEADLK, never their aliases */
const char *cli_errno_words(int error); /* "timed out" */

/* ---- results ---- */

/* A verb's one record, or its list; printed at the end of the run. Returns CLI_OK or a failure's status. */
int cli_emit_record(struct cli *cli, const struct cli_table *table, const void *row);
int cli_emit_list(struct cli *cli, const struct cli_table *table, const void *rows, size_t count);
/* One document (line) of a stream, written and flushed at once. Does not return where a signal that was caught
 * (cli_deadline()) ends the write, see cli_undo_with(). */
int cli_emit_line(struct cli *cli, const struct cli_table *table, const void *row);
/* Bytes of a stream as they are, likewise, by one write(2) where that takes all of them; nothing where
 * nothing is to be printed. Implies cli_raw(). */
int cli_emit_bytes(struct cli *cli, const void *data, size_t size);
/* This run's output is bytes: a failure is told on stderr and by the status alone, no error document
 * follows. */
void cli_raw(struct cli *cli);
/*
 * A result that is a text of its own, of a CLI_TEXT verb: written between these two to the
 * stream that is returned. As it is in tables and plain; nowhere with --quiet; where JSON was asked
 * for, by --json or by IPCKIT_FORMAT, it is collected and becomes {"data":TEXT,"size":BYTES}, with
 * data_base64 in place of data where it is no UTF-8 or holds a NUL.
 *
 * Begin returns NULL without memory: pass -ENOMEM to the end. The stream is not closed by the verb.
 * error: 0 or -errno of what wrote. End returns CLI_OK or a failure's status.
 */
FILE *cli_text_begin(struct cli *cli);
int cli_text_end(struct cli *cli, int error);
/* A failure does not take the place of the results: a list that is incomplete is printed with the error beside
 * it, and counts as written for cli_undo_with(). */
void cli_keep_results(struct cli *cli);
/* A row as a line of JSON, for a message: freed by the caller, NULL without memory. */
char *cli_row_text(const struct cli_table *table, const void *row);
/* Of a verb that answers unless it is told to act: this run acts, so it is silent unless it was asked to
 * print. */
void cli_acts(struct cli *cli);
/* Whether a result would be printed at all. */
bool cli_prints(const struct cli *cli);

/*
 * What takes back what this run did, should nobody get its result. A verb calls it
 * when it has acted and before it emits, where cli_prints(). From here to the end
 * of the run SIGPIPE is held back.
 *
 * end: called once, after run() has returned, with whether the run went well and
 * all of its output was written; frees arg in either case. Returns 0, or -errno
 * where it could not take back.
 *
 * Where a write fails before that, in a stream, or a signal that was caught ends it, it is called with false
 * right then, from within cli_emit_line() or cli_emit_bytes(): a verb that is told of a failure by these does
 * not touch arg any more, and returns. A verb that streams keeps in arg what is taken back: what it has taken
 * and not yet emitted. The reader may have got a part of that, if it is larger than PIPE_BUF.
 */
void cli_undo_with(struct cli *cli, int (*end)(void *arg, bool written), void *arg);

/* ---- text (text.c) ---- */

/* The length of the UTF-8 character at text (not at its end), 0 where there is none. */
size_t cli_utf8_length(const char *text);

/* The nearest of some words, offered one after the other. */
struct cli_nearest {
	const char *typed;
	const char *best; /* NULL: none is near */
	unsigned distance;
};
void cli_nearest_offer(struct cli_nearest *nearest, const char *word);

/*
 * Room for one more behind n elements of an array that grows in no other way: it is doubled whenever a power of
 * two is full. The array, perhaps moved, or NULL, and then it is as it was.
 */
static inline void *cli_array_room(void *list, size_t n, size_t size)
{
	return n & (n - 1) ? list : reallocarray(list, n ? n * 2 : 1, size);
}

/* ---- base64 (base64.c): RFC 4648, with padding ---- */

/* Freed by the caller, NULL without memory. */
char *cli_base64(const void *data, size_t size);
/*
 * Strict: no white space, all of the padding, no stray bits before it. data: freed by the caller, with a NUL
 * after the last byte. Returns 0, -EINVAL or -ENOMEM.
 */
int cli_base64_decode(const char *text, size_t length, char **data, size_t *size);

/* ---- records of an input (input.c) ---- */

enum cli_records_mode {
	CLI_RECORDS_LINES, /* ended by a newline, which a last line may lack */
	CLI_RECORDS_NULL,  /* ended by a NUL, likewise */
	CLI_RECORDS_WHOLE, /* all of the input is one, even if it is empty */
};

struct cli_records {
	const char *name; /* of the input, for messages: "standard input" or the path */
	uint64_t number;  /* of the record that next() has given or refused, from 1 */

	/* of input.c */
	int fd;
	enum cli_records_mode mode;
	size_t limit;
	char *buffer;
	size_t room, next, end; /* what is unread lies from next to end */
	size_t searched;        /* bytes of it that hold no end of a record */
	bool ended, skips;
};

/*
 * After a read(2) that failed so: waits for an input that does not block. Returns 0: to be read again, or the
 * errno that ends the reading.
 */
int cli_input_settle(int fd, int error);

/*
 * Opens an input. path: "-" or NULL for standard input, must last as long as the records. limit: the bytes
 * that a record may have, its end not counted; SIZE_MAX for any number. Opening a FIFO blocks until it has
 * a writer. Returns 0, -ENOMEM, or -errno of open(2); -EINTR where a signal that was caught
 * (cli_deadline()) ended it.
 */
int cli_records_open(const char *path, enum cli_records_mode mode, size_t limit, struct cli_records *out);

/*
 * The next record, as soon as it is complete: data points into a buffer, until the next call. No NUL is put
 * after it.
 *
 * Returns 1; 0 at the end; -EMSGSIZE for a record beyond the limit, of which nothing is given and which the
 * next call passes over; -EINTR as above; -ENOMEM; -errno of read(2).
 */
int cli_records_next(struct cli_records *records, const char **data, size_t *size);

/* Standard input stays open. Safe on a zeroed struct. */
void cli_records_close(struct cli_records *records);

/* ---- progress (progress.c): a line on stderr for what takes long ---- */

/* Of one transfer; drawn once it has lasted for a second, where stderr is a terminal, and not with --quiet. */
struct cli_progress {
	bool on;
	bool full;  /* all that is known, as pv(1) has it */
	bool stays; /* from the beginning on, and the last one is left to be read */
	bool lines; /* stderr is no terminal: a line each second */
	struct cli *cli;
	struct ipckit_maybe total; /* bytes */
	uint64_t done, seen;       /* now, and when rate was looked at last */
	int64_t began, looked, due; /* ns of CLOCK_MONOTONIC_COARSE; due: of the next line */
	double rate;               /* bytes a second, of late */
	size_t width;              /* of what is drawn; 0: nothing is */
};

void cli_progress_begin(struct cli *cli, struct ipckit_maybe total, struct cli_progress *out);
/* As pv(1) has it; wanted: because it was asked for, on whatever stderr is, and with --quiet, too. */
void cli_progress_begin_full(struct cli *cli, struct ipckit_maybe total, bool wanted, struct cli_progress *out);
/* Erases the line, or where it stays ends it: before anything is said on stderr, a failure too. May be begun anew.
 * Safe on a zeroed struct. */
void cli_progress_end(struct cli_progress *progress);

void cli_progress_look(struct cli_progress *progress);
/* After each chunk. done: bytes since the beginning. */
static inline void cli_progress_step(struct cli_progress *progress, uint64_t done)
{
	progress->done = done;
	if (progress->on)
		cli_progress_look(progress);
}

/* ---- arguments: parsed in one place, worded in one place; 0 or the exit status ---- */

/* option: "--timeout" or "VALUE", for the message; text NULL: out is left as it is. */
int cli_duration(struct cli *cli, const char *option, const char *text, int64_t *out);
int cli_size(struct cli *cli, const char *option, const char *text, uint64_t *out);
int cli_count(struct cli *cli, const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out);
int cli_signed(struct cli *cli, const char *option, const char *text, int64_t least, int64_t most, int64_t *out);
int cli_mode(struct cli *cli, const char *option, const char *text, unsigned base, unsigned *out);
int cli_owner(struct cli *cli, const char *option, const char *text, uid_t *uid, gid_t *gid); /* USER, USER:GROUP, :GROUP; untouched parts stay */
int cli_name(struct cli *cli, const char *text, unsigned takes, struct ipckit_name *out);

/* ---- watching (watch.c) ---- */

/* POPT_ARG_INCLUDE_TABLE of: --watch */
extern const struct poptOption cli_watch_options[];
/* Whether it is given. */
bool cli_watches(void);
/*
 * Has look(), which prints what it sees, look once, or with --watch again and again, until it does not return CLI_OK or
 * nobody reads what is printed. Returns the exit status. Then cli_emit_list() prints a list only where it is another one
 * than that before, followed by an empty line where it is no JSON, and the first look alone warns.
 */
int cli_watch(struct cli *cli, int (*look)(struct cli *cli, void *arg), void *arg);

/* ---- list filters, the same for all tools that list ---- */

/* POPT_ARG_INCLUDE_TABLE of: --backend, --name, --owner, --key, --older-than, --orphans, --sort, --reverse */
extern const struct poptOption cli_filter_options[];
/* The same without --backend and --key. */
extern const struct poptOption cli_path_filter_options[];

struct cli_filter {
	const char *backend;       /* a word, or NULL */
	const char *name;          /* GLOB for fnmatch(3), or NULL */
	struct ipckit_maybe uid;
	struct ipckit_maybe key;
	int64_t older_than;        /* ns; -1 where not given */
	bool orphans;
	const char *sort;          /* a field's name, or NULL */
	bool reverse;
};

/* Reads the filter options of this run. */
int cli_filter_read(struct cli *cli, struct cli_filter *out);
/* Sorts rows in place by filter->sort, --reverse honoured; a usage error for a column there is not. */
int cli_filter_sort(struct cli *cli, const struct cli_filter *filter, const struct cli_table *table, void *rows, size_t count);

#endif
