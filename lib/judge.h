/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_JUDGE_H
#define LIB_JUDGE_H

/* What the judgements on objects of all kinds share: whether one is left over, and in which words. Pure. */

#include <ipckit/process.h>

/* Writes the reason; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) void judge_word(struct ipckit_orphan_verdict *out, const char *format, ...);

/* The one word or the other: "process", "processes". */
const char *judge_plural(int64_t n, const char *one, const char *more);

/* Each returns true, with the reason in out, where the object is to be kept for it: a process, or waiting
 * threads, were found; some may have been missed. */
bool judge_is_used(const struct ipckit_usage *usage, struct ipckit_orphan_verdict *out);
bool judge_is_hidden(const struct ipckit_usage *usage, struct ipckit_orphan_verdict *out);

/* How an age is worded: USED, the age, "ago", NOTE, a comma, and ORPHAN or "not long enough". */
struct judge_words {
	const char *used;   /* "last used", "created" */
	const char *note;   /* "" or " (its mtime; posting does not change it)" */
	const char *orphan; /* "nobody has it open or mapped" */
};

/* The last step, where nothing speaks for the object: its age decides. older_than: nanoseconds; less than 0
 * was not given, and keeps it. now, last_use: Unix seconds. */
void judge_age(struct ipckit_maybe last_use, int64_t older_than, int64_t now, const struct judge_words *words,
	       struct ipckit_orphan_verdict *out);

#endif
