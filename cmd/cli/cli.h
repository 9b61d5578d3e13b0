/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_H
#define CLI_H

/*
 * The runtime under all tools: a tool is an array of verbs, a verb is one
 * struct, a result is a struct with a table of its fields. Verbs neither print
 * nor choose exit statuses: they return what cli_fail() and cli_emit...() return.
 */

#include <ipckit/deadline.h>
#include <ipckit/hold.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>
#include <popt.h>
#include <stdio.h>

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
	CLI_SIZE,    /* bytes; human in tables */
	CLI_TIME,    /* Unix seconds; an age in tables; 0 in a table: "never" */
	CLI_MODE,    /* "0600" */
	CLI_KEY,     /* number in JSON, hex in tables and plain */
	CLI_USER,    /* uid, given as the user's name (null if it has none; the number in tables) */
	CLI_GROUP,   /* gid, likewise */
	CLI_PID,     /* 0 in tables: "-" */
	CLI_ROWS,    /* pointer to an array of structs, its length a size_t at count_offset; described by rows */
	CLI_GAPS,    /* struct ipckit_gap[], length likewise: {"key":"reason"}; left out of JSON when empty */
	CLI_REAL,    /* double */
	CLI_WORD,    /* an enum, given as its word among words */
	CLI_STRINGS, /* pointer to an array of const char *, none of them NULL; length like that of CLI_ROWS */
	CLI_INTEGERS, /* pointer to an array of int64_t, likewise */
	CLI_BLOCK,   /* char *, lines of text: in tables of one record below its name, elsewhere only by --columns */
};

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
	size_t count_offset;           /* CLI_ROWS, CLI_GAPS, CLI_STRINGS, CLI_INTEGERS */
	const struct cli_table *rows;  /* CLI_ROWS */
	const char *const *words;      /* CLI_WORD: by value of the enum */
};

struct cli_table {
	const struct cli_field *fields; /* ends with a name of NULL */
	size_t size;                    /* of one row */
	const char *key;                /* of the JSON array of a list: "semaphores" */
	unsigned (*kind)(const void *row); /* one bit; NULL where all rows are alike */
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
	const struct poptOption *options; /* POPT_ARG_STRING and POPT_ARG_NONE only; ends with POPT_TABLEEND; may be NULL */
	const struct cli_table *table;    /* what it prints, for --columns; NULL where it prints nothing */
	int (*run)(struct cli *cli);      /* returns an exit status */
};

struct cli_tool {
	const char *name;
	const char *summary;
	const struct cli_verb *const *verbs; /* in the order of help; ends with NULL */
	/* What runs where the first word is no verb, with all words as its own, or NULL. One of verbs. */
	const struct cli_verb *fallback;
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
	bool pretty, bytes, verbose;
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

/* What was typed is wrong: code USAGE, status 2 (125 before a COMMAND). */
int cli_usage(struct cli *cli, const char *object, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The input is malformed: code FORMAT, status 2 (125 before a COMMAND); object: the file it is in, or NULL.
 * Lines and columns count from 1; a line of 0 is no place, a column of 0 is the line alone. */
int cli_malformed(struct cli *cli, const char *object, uint64_t line, uint64_t column, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* COMMAND could not be run. status: CLI_COMMAND_NOT_EXECUTABLE or CLI_COMMAND_NOT_FOUND; words: NULL for its own. */
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
/* One document (line) of a stream, written and flushed at once. */
int cli_emit_line(struct cli *cli, const struct cli_table *table, const void *row);
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
/* Of a verb that answers unless it is told to act: this run acts, so it is silent unless it was asked to print. */
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
 */
void cli_undo_with(struct cli *cli, int (*end)(void *arg, bool written), void *arg);

/* ---- text (text.c) ---- */

/* The length of the UTF-8 character at text (not at its end), 0 where there is none. */
size_t cli_utf8_length(const char *text);

/* ---- arguments: parsed in one place, worded in one place; 0 or the exit status ---- */

/* option: "--timeout" or "VALUE", for the message; text NULL: out is left as it is. */
int cli_duration(struct cli *cli, const char *option, const char *text, int64_t *out);
int cli_size(struct cli *cli, const char *option, const char *text, uint64_t *out);
int cli_count(struct cli *cli, const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out);
int cli_signed(struct cli *cli, const char *option, const char *text, int64_t least, int64_t most, int64_t *out);
int cli_mode(struct cli *cli, const char *option, const char *text, unsigned base, unsigned *out);
int cli_owner(struct cli *cli, const char *option, const char *text, uid_t *uid, gid_t *gid); /* USER, USER:GROUP, :GROUP; untouched parts stay */
int cli_name(struct cli *cli, const char *text, unsigned takes, struct ipckit_name *out);

/* ---- list filters, the same for all tools that list ---- */

/* POPT_ARG_INCLUDE_TABLE of: --backend, --name, --owner, --key, --older-than, --orphans, --sort, --reverse */
extern const struct poptOption cli_filter_options[];

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

/* ---- signals (signal.c) ---- */

/*
 * Makes the deadline of this run's waits. From here on SIGINT, SIGTERM, SIGHUP,
 * SIGQUIT, SIGALRM, SIGUSR1 and SIGUSR2 (those that are not ignored) do not end the process but
 * end such waits with -EINTR: a handler sets the deadline's flag and a timer goes
 * on interrupting every millisecond, so that a signal that comes just before a
 * call is not lost. A finite deadline starts that timer by itself, for calls
 * that the kernel cannot time.
 *
 * ns: as for ipckit_deadline_in(). Returns 0 or -errno (timer_create(2)).
 */
int cli_deadline(int64_t ns, struct ipckit_deadline *out);

/*
 * Ends the time in which a signal undoes what was taken. True: the signals are
 * blocked, what was taken is taken. False: one came; give back, then call
 * cli_stop_die().
 */
bool cli_stop_commit(void);

/* Dies by the signal that came, as if it had never been caught; returns if none came. */
void cli_stop_die(void);

/* Dispositions, mask and timers as they were inherited: before a COMMAND starts. */
void cli_stop_restore(void);

/* For a process that outlives the terminal: ignores its signals, and lets `signal` alone end waits. */
void cli_stop_only(int signal);

/*
 * Calls run, and turns a SIGBUS in it, from a mapped file that shrank or a file
 * system that is full, into a failure: status 7.
 */
int cli_run_shielded(struct cli *cli);

/* SIGBUS as it was inherited: before a COMMAND starts. */
void cli_unshield(void);

/* ---- commands (command.c) ---- */

/* Becomes COMMAND (execvp). Returns only on failure, reported, with its status. */
int cli_become(struct cli *cli);

/* ---- guardians (guardian.c): permits that the kernel does not give back by itself ---- */

struct cli_guarded {
	/* Run in the guardian: 0 or -errno with nothing held; gives back what was taken. */
	int (*take)(void *arg, const struct ipckit_deadline *deadline);
	void (*give)(void *arg);
	void *arg;
	struct ipckit_hold hold; /* count, at and objects: what others shall read of it */
	const int *keep;         /* the descriptors that take and give need, in any order */
	size_t nkeep;
};

/* Sees to it that a guardian's record will have room in its command line; may start the program anew, so
 * call it before anything is taken. Returns 0 or -errno. */
int cli_guard_prepare(const struct ipckit_hold *hold);

/*
 * Starts a guardian of this process, which is about to become COMMAND. The
 * guardian takes, and gives back when this process has ended, however. From here
 * on signals have their inherited action. Returns 0 or the exit status of what
 * was reported.
 */
int cli_guard_start(struct cli *cli, const struct cli_guarded *guarded, const struct ipckit_deadline *deadline);

/* Waits until the guardian has taken. Returns 0, or -errno from take(). */
int cli_guard_await(void);

/* Has the guardian give back now, and waits until it has; nothing where there is none. */
void cli_guard_cancel(void);

#endif
