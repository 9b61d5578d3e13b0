/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_LIVE_ANSWER_H
#define DEADLOCK_LIVE_ANSWER_H

/* What live prints. */

#include "deadlock.h"
#include "live-model.h"

struct live_wait_row {
	const char *process; /* the thread */
	int pid, tid;
	const char *thread, *command, *kind, *resource, *mode;
	struct dl_strings holders, owners;
	bool any;
	unsigned level;
	const char *reason;
	struct ipckit_maybe since, waiting;
	bool core;
	/* In words. */
	const char *what, *held, *line;
};

struct live_scanned {
	int64_t processes, threads;
	struct ipckit_maybe unreadable;
	bool other_pids;
};

struct live_answer {
	bool deadlocked;
	const char *level;
	struct dl_strings processes, core, behind, cycle, resolve;
	struct live_wait_row *waits; /* those of the core first */
	size_t nwaits;
	struct live_wait_row *others;
	size_t nknot, nothers;
	struct live_scanned scanned;
	/* In words. */
	const char *verdict, *ring, *end, *seen, *doubts;
	struct dl_pool pool;
};

/* For documents and columns; for tables that people read; for lines of a stream that they read. */
extern const struct cli_table live_table, live_people_table, live_line_table;

/* live, which lasts longer. Returns 0 (out is freed with live_answer_free()) or -ENOMEM. */
int live_answer_make(const struct ipckit_live *live, struct live_answer *out);
void live_answer_free(struct live_answer *answer);

/* ---- live-say.c: sentences, in the pool of the answer; NULL without memory ---- */

const char *live_say_verdict(struct live_answer *answer, const struct ipckit_live *live);
const char *live_say_ring(struct live_answer *answer);
const char *live_say_end(struct live_answer *answer, const struct ipckit_live *live,
			   const struct live_victims *victims);
const char *live_say_seen(struct live_answer *answer, const struct ipckit_live *live);
/* What may have been overlooked, and what helps; NULL: nothing, or no memory. */
const char *live_say_gaps(struct dl_pool *pool, const struct ipckit_live *live);
const char *live_say_holders(struct dl_pool *pool, const struct live_wait_row *wait);
/* Why it is not certain; NULL: it is, or no memory. */
const char *live_say_doubts(struct live_answer *answer);
/* A command line that fits into a table. */
const char *live_say_command(struct dl_pool *pool, const char *command);

#endif
