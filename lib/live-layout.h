/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_LAYOUT_H
#define LIB_LIVE_LAYOUT_H

/*
 * Waits on futex words, and what C libraries keep around these words: who owns a lock, what kind of thing it is.
 *
 * live-futex.c decodes the calls, asks the rules of the library (live-glibc.c, live-musl.c) what a word is, and
 * makes edges of what they say. live-libc.c tells which library a process has, live-owner.c whom an id in a word names.
 */

#include "live-maps.h"
#include "waiters-call.h"

enum live_libc {
	LIVE_LIBC_UNKNOWN, /* or none by itself: what is linked statically */
	LIVE_LIBC_GLIBC,   /* of a version whose layouts are known */
	LIVE_LIBC_MUSL,
};

/* What is known of a file that words lie in. */
struct live_words_file {
	struct live_file file;
	const char *name;   /* equal for all who wait in it */
	bool named;         /* others may come by its name */
	signed char levels; /* whether all who map it are in one PID namespace; -1: not looked at */
};

struct live_libc_file {
	struct live_file file;
	enum live_libc libc;
};

struct live_futexes {
	struct live_scan *scan;
	struct live_maps maps;
	struct live_words_file *files;
	size_t nfiles;
	struct live_libc_file *libcs;
	size_t nlibcs;
	/* Of the process that was looked at last. */
	uint32_t libc_process, names_process, gone_process;
	enum live_libc libc;
	bool names_inside; /* its ids are those of an inner PID namespace */
	pid_t gone_id;     /* the last one that was looked for */
	bool gone;
};

/* A word that a thread waits in; it still has the value that the wait began with. */
struct live_word {
	struct live_futexes *futexes;
	uint32_t thread, process;
	struct futex_call call;
	bool limit;          /* the wait ends by itself */
	bool wide;           /* its process has pointers of 64 bits */
	uint32_t value;
	bool own;            /* only threads of its process can wake it */
	struct live_map map; /* where not; it is shared */
	unsigned char near[64]; /* the word and what follows, as far as it was read */
	size_t size;
};

enum live_who {
	LIVE_WHO_SET,    /* any of those who can reach the word */
	LIVE_WHO_OWNER,
	LIVE_WHO_NOBODY,
};

/* What a word was found to be. */
struct live_verdict {
	enum ipckit_live_kind kind; /* of the ones that have a live_kind_what() */
	const char *mode;           /* as of live_how */
	uint64_t object;         /* the address of the whole of it */
	enum live_who who;
	uint32_t owner;          /* thread */
};

/*
 * A rule: 1 and a verdict (kind and object at least), where every check of it has passed; 0 where one has not;
 * -ENOMEM, -EMFILE, -ENFILE.
 */
typedef int (*live_rule)(struct live_word *word, struct live_verdict *verdict);

IPCKIT_CHECK int live_glibc_judge(struct live_word *word, struct live_verdict *verdict);
IPCKIT_CHECK int live_musl_judge(struct live_word *word, struct live_verdict *verdict);

/* The rule of those that come first of a list whose last is NULL. */
IPCKIT_CHECK int live_try_rules(const live_rule *rules, struct live_word *word, struct live_verdict *verdict);

/* The library of the word's process: 1, or -errno as a rule. Rules that check all that they take do not ask. */
IPCKIT_CHECK int live_word_libc(struct live_word *word, enum live_libc *out);

/* Reads of the memory of the word's process: 1, 0 where it cannot be read, or -errno as a rule. */
IPCKIT_CHECK int live_word_read(struct live_word *word, uint64_t address, void *data, size_t size);

/* Above all ids of threads (the kernel's PID_MAX_LIMIT). */
#define LIVE_TIDS (4u << 20)

/*
 * The owner by the id that stands in memory: 1 where it lives and can reach the word: who and owner of the verdict
 * are set. So they are where it is certain that nobody has that id (and the library is one whose layouts are known):
 * LIVE_WHO_NOBODY. 0: neither; -errno as a rule.
 */
IPCKIT_CHECK int live_word_owner(struct live_word *word, uint32_t id, struct live_verdict *verdict);

/* What is known of the file of a word that is shared. Good until the next call. */
IPCKIT_CHECK int live_words_file(struct live_word *word, struct live_words_file **out);

/* The library of a process: its own mapping is looked at, and by its symbols of which version it is. */
IPCKIT_CHECK int live_libc_of(struct live_futexes *futexes, uint32_t process, enum live_libc *out);

#endif
