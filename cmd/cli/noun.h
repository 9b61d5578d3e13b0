/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_NOUN_H
#define CLI_NOUN_H

/*
 * What the tools for named objects have alike: list, info, rm, clean, limits,
 * ftok and what is around a creation. A tool describes its kind of object once, in
 * cli_tool.noun; its verb structs name the run functions, options and tables below.
 */

#include "cli.h"

#include <ipckit/process.h>

/* ---- an object as a row ---- */

/*
 * The head of the rows of list, info and clean: structs that begin with it, under
 * the name object, and have what libipckit tells as info.
 */
struct cli_object {
	const char *name;    /* by which the tools take it; the row's */
	const char *backend; /* a word, static */
	struct ipckit_maybe key, id, uid;
	struct ipckit_maybe last_use;         /* the newest that is known, Unix seconds */
	struct ipckit_orphan_verdict verdict; /* clean, and so is the next */
	bool removed;
};

/* The later of two times, as far as they are known. */
struct ipckit_maybe cli_later(struct ipckit_maybe a, struct ipckit_maybe b);

/* The names by which objects of a tool are made and removed. */
unsigned cli_noun_made(const struct cli_noun *noun);

struct cli_objects {
	void *rows; /* of noun->table->size bytes each */
	size_t count;
};

struct cli_noun {
	unsigned takes;               /* IPCKIT_TAKES...: the names of its objects */
	unsigned made;                /* of these, those by which one can be made and removed; 0: all */
	const char *const *backends;  /* words of those that can be listed; ends with NULL */
	const struct cli_table *table; /* list and info */

	/* How much is looked at beside the object itself, as libipckit has it: to tell its users, to judge it. */
	unsigned to_tell, to_judge;

	/* All objects; warns of what could not be read. what: one of the two. 0, -errno, or the exit status of what
	 * was reported. */
	int (*list)(struct cli *cli, unsigned what, struct cli_objects *out);
	/* One object. what: likewise, or 0. 0 or -errno. */
	int (*stat)(const struct ipckit_name *name, unsigned what, void *row);
	/* Makes a row of an info of libipckit, which belongs to the row from then on. */
	void (*fill)(void *row, const void *info);
	/* Frees what a row has; safe on a zeroed one. */
	void (*clear)(void *row);
	/* Judges whether it is left over, as ipckit_sem_judge(). */
	void (*judge)(const void *row, int64_t older_than, int64_t now, struct ipckit_orphan_verdict *out);
	/* Whether what stands under a name now is what was judged, and nobody used it since. */
	bool (*same)(const void *judged, const void *now);
	int (*remove)(const struct ipckit_name *name);
	const char *(*backend)(const struct ipckit_name *name); /* the word, static */
	/* Reports what a call on the object of a name (NULL: on all of them) said, and returns its status. */
	int (*fail)(struct cli *cli, const struct ipckit_name *name, int error);
	int (*limits)(struct ipckit_limits *out);
};

/* For noun->list: makes rows of the infos of a list, of info_size bytes each, by noun->fill, and leaves the list
 * without them: sets its count to 0. 0 or -ENOMEM. */
int cli_objects_take(const struct cli_noun *noun, const void *infos, size_t info_size, size_t *count,
		     struct cli_objects *out);
/* Warns that the objects of a place (a mount, a file in /proc) could not be listed. error: positive errno value, or 0:
 * nothing. missing: what is said of ENODEV, or NULL. */
void cli_objects_unread(struct cli *cli, const char *place, int error, const char *missing);

/* ---- verbs: run functions, with the options and the table that go with them ---- */

int cli_run_list(struct cli *cli); /* noun->table */
extern const struct poptOption cli_list_options[];
extern const struct poptOption cli_list_paths_options[]; /* without --backend and --key */
int cli_run_info(struct cli *cli); /* noun->table */

/* The table: cli_done_table, or one whose rows begin with struct cli_done and may else be zero. */
int cli_run_rm(struct cli *cli);
extern const struct poptOption cli_rm_options[];

/* The table: cli_clean_table, or one with the same offsets. */
int cli_run_clean(struct cli *cli);
extern const struct poptOption cli_clean_options[];
extern const struct poptOption cli_clean_paths_options[]; /* without --backend and --key */
extern const struct cli_table cli_clean_table;

int cli_run_limits(struct cli *cli);
extern const struct cli_table cli_limits_table;

/* A verb as it is. */
extern const struct cli_verb cli_ftok;

/* What a verb that acts prints when it is asked to. */
struct cli_done {
	const char *object; /* as it was named */
	const char *backend;
};
extern const struct cli_table cli_done_table;

/* ---- creation ---- */

/*
 * Finds out the name of what `create [OBJECT]` shall make, and calls make.
 *
 * unique: the PREFIX of --unique, or NULL. Then make is given random names, has to create
 * exclusively, and returns CLI_EXISTS, with nothing reported, where there is one.
 * make returns an exit status, and so does this.
 */
int cli_create(struct cli *cli, const char *unique, int (*make)(struct cli *cli, const struct ipckit_name *name));

/* What create prints, or begins with. */
struct cli_created {
	const char *object; /* the name to use from now on; set by cli_emit_created() */
	const char *backend;
	struct ipckit_maybe id; /* System V */
	bool created;
};

/*
 * Prints what was created, by the verb's table, whose rows begin with struct cli_created. An object that nobody
 * else can know the name of is removed again where that could not be written.
 */
int cli_emit_created(struct cli *cli, const struct ipckit_name *name, struct cli_created *row);

/* ---- fields that the tables of tools have alike ---- */

/* Of the bits of cli_table.kind(): rows with a System V key and identifier. The others are a tool's own. */
#define CLI_KEYED 1u

extern const char *const cli_evidence_words[];
/* Of struct ipckit_process: "users", where no more is told of them. */
extern const struct cli_table cli_user_table;

/* clang-format off */
#define CLI_OBJECT(member) .offset = offsetof(struct cli_object, member)

/* other_ids: kinds beside CLI_KEYED that have an id. */
#define CLI_OBJECT_FIELDS(backend_summary, other_ids, id_summary)				\
	{ "backend", .type = CLI_WORD, CLI_OBJECT(backend), .summary = backend_summary },	\
	{ "name", .type = CLI_STRING, CLI_OBJECT(name),						\
	  .summary = "the name by which the tools take it" },					\
	{ "key", .type = CLI_KEY, CLI_OBJECT(key), .kinds = CLI_KEYED,				\
	  .summary = "System V key; 0: private" },						\
	{ "id", .type = CLI_MAYBE, CLI_OBJECT(id), .kinds = CLI_KEYED | (other_ids),		\
	  .flags = CLI_WIDE, .summary = id_summary }

#define CLI_CLEAN_FIELDS									\
	{ "orphan", .type = CLI_BOOL, CLI_OBJECT(verdict.orphan),				\
	  .summary = "whether it is left over" },						\
	{ "removed", .type = CLI_BOOL, CLI_OBJECT(removed),					\
	  .summary = "whether this run removed it" },						\
	{ "reason", .type = CLI_CHARS, CLI_OBJECT(verdict.reason), .summary = "why, or why not" }

/* row: the type of rows. owned: the kinds that have an owner. */
#define CLI_INFO(row, member) .offset = offsetof(row, info.member)
#define CLI_OWNER_FIELDS(row, owned)								\
	{ "mode", .type = CLI_MODE, CLI_INFO(row, mode), .kinds = owned, .summary = "permissions" }, \
	{ "uid", .type = CLI_MAYBE, CLI_INFO(row, uid), .kinds = owned, .flags = CLI_WIDE,	\
	  .summary = "owner, by number" },							\
	{ "user", .type = CLI_USER, CLI_INFO(row, uid), .kinds = owned, .summary = "owner" },	\
	{ "gid", .type = CLI_MAYBE, CLI_INFO(row, gid), .kinds = owned, .flags = CLI_WIDE,	\
	  .summary = "group, by number" },							\
	{ "group", .type = CLI_GROUP, CLI_INFO(row, gid), .kinds = owned, .flags = CLI_WIDE,	\
	  .summary = "group" },									\
	{ "cuid", .type = CLI_MAYBE, CLI_INFO(row, cuid), .kinds = CLI_KEYED, .flags = CLI_WIDE, \
	  .summary = "creator, by number" },							\
	{ "cgid", .type = CLI_MAYBE, CLI_INFO(row, cgid), .kinds = CLI_KEYED, .flags = CLI_WIDE, \
	  .summary = "creator's group, by number" }

/* Processes of info.usage, and the gaps. */
#define CLI_PROCESSES(row, member)								\
	.type = CLI_ROWS, CLI_INFO(row, usage.member.list), .flags = CLI_DETAIL,		\
	.count_offset = offsetof(row, info.usage.member.count)
#define CLI_USER_FIELDS(row, user_table)							\
	{ "users", CLI_PROCESSES(row, users), .rows = &(user_table),				\
	  .summary = "processes that have it or use it" },					\
	{ "unreadable_processes", .type = CLI_MAYBE, CLI_INFO(row, usage.unreadable_processes),	\
	  .flags = CLI_DETAIL, .summary = "processes that may not be looked at and may use it" }, \
	{ "unreadable", .type = CLI_GAPS, CLI_INFO(row, gaps.list), .flags = CLI_BULKY,		\
	  .count_offset = offsetof(row, info.gaps.count), .summary = "why a value is unknown" }
#define CLI_USAGE_FIELDS(row, waiting_table, user_table)					\
	{ "waiting", CLI_PROCESSES(row, waiting), .rows = &(waiting_table),			\
	  .summary = "threads that wait for it" },						\
	CLI_USER_FIELDS(row, user_table)

/* Of struct ipckit_process. */
#define CLI_PROCESS(member) .offset = offsetof(struct ipckit_process, member)
#define CLI_PROCESS_PID { "pid", .type = CLI_INT, CLI_PROCESS(pid), .summary = "process" }
#define CLI_PROCESS_TID										\
	{ "tid", .type = CLI_INT, CLI_PROCESS(tid), .summary = "its thread that is blocked" }
#define CLI_PROCESS_UID										\
	{ "uid", .type = CLI_MAYBE, CLI_PROCESS(uid), .flags = CLI_WIDE, .summary = "its user" }
#define CLI_PROCESS_COMMAND									\
	{ "command", .type = CLI_STRING, CLI_PROCESS(command), .summary = "its command line" }
#define CLI_PROCESS_SINCE									\
	{ "since", .type = CLI_TIME, CLI_PROCESS(since), .summary = "when that began" }
#define CLI_PROCESS_EVIDENCE									\
	{ "evidence", .type = CLI_WORD, CLI_PROCESS(evidence), .words = cli_evidence_words,	\
	  .summary = "how that is known: mapped, open, blocked, last pid" }

/* Of struct cli_done and struct cli_created, for the tables of those that have more. */
#define CLI_DONE_FIELDS(object_summary, backend_summary)					\
	{ "object", .type = CLI_STRING, .offset = offsetof(struct cli_done, object),		\
	  .summary = object_summary },								\
	{ "backend", .type = CLI_STRING, .offset = offsetof(struct cli_done, backend),		\
	  .summary = backend_summary }
#define CLI_CREATED(member) .offset = offsetof(struct cli_created, member)
#define CLI_CREATED_NAME_FIELDS(backend_summary)						\
	{ "object", .type = CLI_STRING, CLI_CREATED(object),					\
	  .summary = "the name to use from now on" },						\
	{ "backend", .type = CLI_STRING, CLI_CREATED(backend), .summary = backend_summary },	\
	{ "id", .type = CLI_MAYBE, CLI_CREATED(id), .kinds = CLI_KEYED,				\
	  .summary = "System V identifier" }
#define CLI_CREATED_FIELD									\
	{ "created", .type = CLI_BOOL, CLI_CREATED(created), .summary = "whether this run made it" }
/* clang-format on */

#endif
