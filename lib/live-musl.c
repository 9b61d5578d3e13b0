/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-layout.h"

/* What musl keeps around the words that it sleeps on. Its version is not told: each rule checks what it takes. */

#define TID_MASK 0x3fffffffu
#define WAITERS  0x80000000u

#define TYPE_OWNED  3u /* recursive, or errors are checked for */
#define TYPE_ROBUST 4u
#define TYPE_PI     8u
#define TYPE_SHARED 0x80u

#define HELD 0x10u /* a normal mutex does not tell by whom */

/* ---- mutexes: the type, the word, how many wait ---- */

static int rule_mutex(struct live_word *word, struct live_verdict *verdict)
{
	uint32_t words[3], type, owner = word->value & TID_MASK;
	bool owned;
	int r;

	if (!(word->value & WAITERS))
		return 0;
	r = live_word_read(word, word->call.address - 4, words, sizeof(words));
	if (r <= 0)
		return r;
	type = words[0];
	owned = type & (TYPE_OWNED | TYPE_ROBUST);
	if (type & ~(TYPE_OWNED | TYPE_ROBUST | TYPE_PI | TYPE_SHARED) || (type & TYPE_OWNED) == TYPE_OWNED ||
	    type & TYPE_PI || words[1] != word->value || !words[2] || words[2] >= LIVE_TIDS ||
	    !(type & TYPE_SHARED) != word->call.private || (!owned && owner != HELD))
		return 0;
	verdict->kind = type & TYPE_ROBUST ? IPCKIT_LIVE_ROBUST_MUTEX : IPCKIT_LIVE_MUTEX;
	verdict->object = word->call.address - 4;
	return owned ? live_word_owner(word, owner, verdict) : 1;
}

/* ---- threads ---- */

#define DETACH_JOINABLE 2u
#define DETACH_OFFSET 0x38u /* of x86-64 */

static int rule_join(struct live_word *word, struct live_verdict *verdict)
{
	uint64_t address = word->call.address - DETACH_OFFSET, self = 0;
	uint32_t tid = 0;
	int r;

	if (word->value != DETACH_JOINABLE || !word->wide || !word->call.private)
		return 0;
	r = live_word_read(word, address, &self, sizeof(self));
	if (r > 0)
		r = live_word_read(word, word->call.address - 8, &tid, sizeof(tid));
	if (r <= 0 || self != address)
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_JOIN;
	return live_word_owner(word, tid, verdict);
}

#define STREAM_WAITERS 0x40000000u

/* The word, and the character at which a stream is written out. */
static int rule_stdio(struct live_word *word, struct live_verdict *verdict)
{
	uint32_t words[2];
	int r;

	if ((word->value & ~TID_MASK) != STREAM_WAITERS || !word->call.private)
		return 0;
	r = live_word_read(word, word->call.address, words, sizeof(words));
	if (r <= 0 || words[0] != word->value || (words[1] != '\n' && words[1] != UINT32_MAX))
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_STDIO;
	return live_word_owner(word, word->value & TID_MASK, verdict);
}

/* ---- what nobody is known to own: the word, how many wait, whether it is shared ---- */

#define RW_WRITTEN 0xffffffffu
#define SEM_NONE   0xffffffffu
#define SHARED     0x80u

static int rule_others(struct live_word *word, struct live_verdict *verdict)
{
	uint32_t words[3], shared = word->call.private ? 0 : SHARED;
	int r;

	if (!(word->value & WAITERS))
		return 0;
	r = live_word_read(word, word->call.address, words, sizeof(words));
	if (r <= 0 || words[0] != word->value || !words[1] || words[1] >= LIVE_TIDS)
		return r < 0 ? r : 0;
	/* Semaphores say it the other way round. */
	if (word->value == SEM_NONE && words[2] == SHARED - shared) {
		verdict->kind = IPCKIT_LIVE_SEMAPHORE;
		return 1;
	}
	if (words[2] != shared || (word->value != RW_WRITTEN && (word->value & ~WAITERS) >= LIVE_TIDS))
		return 0;
	verdict->kind = word->value == RW_WRITTEN ? IPCKIT_LIVE_RWLOCK : IPCKIT_LIVE_RWLOCK_WRITE;
	verdict->mode = word->value == RW_WRITTEN ? NULL : "write";
	return 1;
}

int live_musl_judge(struct live_word *word, struct live_verdict *verdict)
{
	static const live_rule rules[] = { rule_mutex, rule_join, rule_stdio, rule_others, NULL };

	return live_try_rules(rules, word, verdict);
}
