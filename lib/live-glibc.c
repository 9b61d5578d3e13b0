/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-layout.h"

#include <string.h>

/*
 * What glibc keeps around the words that it sleeps on, on x86-64 and i386. Those of the rules that do not rest on
 * its version check all that they take from there: they hold for what is linked statically, too.
 */

#define TID_MASK 0x3fffffffu
#define WAITERS  0x80000000u
#define DIED     0x40000000u

/* ---- mutexes ---- */

#define KIND_TYPE    0x003u
#define KIND_ROBUST  0x010u
#define KIND_PI      0x020u
#define KIND_PROTECT 0x040u
#define KIND_SHARED  0x080u
#define KIND_ALL     0x3f3u /* and what is known of elision */

#define TYPE_RECURSIVE 1u

struct mutex {
	uint32_t lock, count, owner, users, kind;
	bool linked; /* into the list of robust ones */
};

static int read_mutex(struct live_word *word, struct mutex *out)
{
	static const uint32_t unlinked[4];
	uint32_t words[10];
	int r = live_word_read(word, word->call.address, words, word->wide ? sizeof(words) : 5 * sizeof(*words));

	if (r <= 0)
		return r;
	*out = (struct mutex){
		.lock = words[0],
		.count = words[1],
		.owner = words[2],
		.users = word->wide ? words[3] : words[4],
		.kind = word->wide ? words[4] : words[3],
		.linked = word->wide && memcmp(words + 6, unlinked, sizeof(unlinked)),
	};
	return 1;
}

static bool is_mutex(const struct live_word *word, const struct mutex *mutex, uint32_t kind)
{
	bool recursive = (mutex->kind & KIND_TYPE) == TYPE_RECURSIVE;

	if (word->call.address % (word->wide ? 8 : 4) || (mutex->linked && kind != KIND_ROBUST))
		return false;
	return mutex->lock == word->value && !(mutex->kind & ~KIND_ALL) && mutex->users &&
	       mutex->users < LIVE_TIDS && mutex->owner && (mutex->kind & (KIND_ROBUST | KIND_PI | KIND_PROTECT)) == kind &&
	       (recursive || kind == KIND_ROBUST ? mutex->count : !mutex->count);
}

/* Only with a limit does this library ask for a bit set. */
static bool is_lock_call(const struct live_word *word)
{
	return !word->call.bitset.known || word->call.timed;
}

static int rule_mutex(struct live_word *word, struct live_verdict *verdict)
{
	struct mutex mutex;
	int r;

	if (word->value != 2 || !is_lock_call(word))
		return 0;
	r = read_mutex(word, &mutex);
	if (r <= 0 || !is_mutex(word, &mutex, 0) || !(mutex.kind & KIND_SHARED) != word->call.private)
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_MUTEX;
	return live_word_owner(word, mutex.owner, verdict);
}

/* The kernel looks at them when a thread ends: all are waited for as if they were shared. */
static int rule_robust(struct live_word *word, struct live_verdict *verdict)
{
	struct mutex mutex;
	int r;

	if (!(word->value & WAITERS) || word->value & DIED || word->call.private || !is_lock_call(word))
		return 0;
	r = read_mutex(word, &mutex);
	if (r <= 0 || !is_mutex(word, &mutex, KIND_ROBUST) || mutex.owner != (word->value & TID_MASK))
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_ROBUST_MUTEX;
	return live_word_owner(word, mutex.owner, verdict);
}

/* ---- threads: their descriptors, which say of themselves where they are ---- */

struct descriptor {
	uint32_t self, tid; /* offsets */
};

static const struct descriptor descriptors[] = { { 8, 0x68 }, { 0x10, 0x2d0 } }; /* i386, x86-64 */

static int read_pointer(struct live_word *word, uint64_t address, uint64_t *out)
{
	uint32_t narrow = 0;
	int r = word->wide ? live_word_read(word, address, out, sizeof(*out)) :
			     live_word_read(word, address, &narrow, sizeof(narrow));

	if (!word->wide)
		*out = narrow;
	return r;
}

/* 1: one is there; *tid: of its thread. */
static int read_descriptor(struct live_word *word, uint64_t address, uint32_t *tid)
{
	const struct descriptor *known = &descriptors[word->wide];
	uint64_t self = 0, first = 0;
	int r = read_pointer(word, address, &first);

	if (r > 0)
		r = read_pointer(word, address + known->self, &self);
	if (r > 0)
		r = live_word_read(word, address + known->tid, tid, sizeof(*tid));
	return r > 0 ? first == address && self == address : r;
}

static int rule_join(struct live_word *word, struct live_verdict *verdict)
{
	uint64_t address = word->call.address - descriptors[word->wide].tid;
	uint32_t tid;
	int r;

	if (!word->own || word->call.private || !word->value || word->value >= LIVE_TIDS)
		return 0;
	r = read_descriptor(word, address, &tid);
	if (r <= 0 || tid != word->value)
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_JOIN;
	r = live_word_owner(word, tid, verdict);
	/* Nobody by that name: it is ending. */
	if (r > 0 && verdict->who != LIVE_WHO_OWNER)
		return 0;
	return r;
}

/* {int lock; int count; void *owner}, in a stream. */
static int rule_stdio(struct live_word *word, struct live_verdict *verdict)
{
	uint32_t lock[2], tid;
	uint64_t owner;
	int r;

	if (word->value != 2 || !word->call.private || !is_lock_call(word))
		return 0;
	r = live_word_read(word, word->call.address, lock, sizeof(lock));
	if (r > 0)
		r = read_pointer(word, word->call.address + sizeof(lock), &owner);
	if (r <= 0 || lock[0] != 2 || !lock[1] || !owner)
		return r < 0 ? r : 0;
	r = read_descriptor(word, owner, &tid);
	if (r <= 0)
		return r;
	verdict->kind = IPCKIT_LIVE_STDIO;
	r = live_word_owner(word, tid, verdict);
	/* Who ended has given up its descriptor, which may be another's by now. */
	if (r > 0 && verdict->who != LIVE_WHO_OWNER)
		return 0;
	return r;
}

/* ---- rwlocks ---- */

#define RW_WRITE_PHASE 1u
#define RW_LOCKED      2u
#define RW_WAITING     4u
#define RW_READERS(v)  ((v) >> 3)
#define RW_USED        2u /* of the two words that are slept on */

struct rwlock {
	uint32_t readers, writers, phase, writing, padding[2], writer, shared, flags;
};

static int read_rwlock(struct live_word *word, uint64_t address, struct rwlock *out)
{
	uint32_t words[14];
	int r = live_word_read(word, address, words, word->wide ? sizeof(words) : 8 * sizeof(*words));

	if (r <= 0)
		return r;
	*out = (struct rwlock){
		.readers = words[0],
		.writers = words[1],
		.phase = words[2],
		.writing = words[3],
		.padding = { words[4], words[5] },
		.writer = word->wide ? words[6] : words[7],
		.shared = word->wide ? words[7] : words[6] >> 8 & 0xff,
		.flags = word->wide ? words[12] : words[6] & 0xff,
	};
	return 1;
}

/* Whoever waits waits for a writer, or is one that waits for readers. */
static bool is_rwlock(const struct live_word *word, const struct rwlock *lock)
{
	return lock->readers & RW_LOCKED && lock->phase <= 3 && lock->writing <= 3 && !lock->padding[0] &&
	       !lock->padding[1] && lock->writer < LIVE_TIDS && lock->shared == !word->call.private &&
	       lock->flags <= 2;
}

/* The address of the word in its lock tells what is waited for. */
static const char *rwlock_mode(const struct live_word *word, const struct rwlock *lock, unsigned offset)
{
	if (offset == 12)
		return word->value == (RW_USED | 1) && lock->writing == word->value ? "write" : NULL;
	if (offset == 8 && lock->phase != word->value)
		return NULL;
	if (offset == 8 && word->value == (RW_USED | 1))
		return lock->readers & RW_WRITE_PHASE ? "read" : NULL;
	if (offset == 8)
		return word->value == RW_USED && RW_READERS(lock->readers) ? "write" : NULL;
	if (lock->readers != word->value || !(lock->readers & RW_WAITING))
		return NULL;
	return RW_READERS(lock->readers) ? "read" : NULL;
}

/* Who holds it is told of a writer alone. */
static int rwlock_at(struct live_word *word, unsigned offset, struct live_verdict *verdict)
{
	struct rwlock lock;
	const char *mode;
	int r = read_rwlock(word, word->call.address - offset, &lock);

	if (r <= 0 || !is_rwlock(word, &lock))
		return r < 0 ? r : 0;
	mode = rwlock_mode(word, &lock, offset);
	if (!mode)
		return 0;
	verdict->mode = mode;
	verdict->kind = *mode == 'r' ? IPCKIT_LIVE_RWLOCK_READ : IPCKIT_LIVE_RWLOCK_WRITE;
	verdict->object = word->call.address - offset;
	return lock.writer ? live_word_owner(word, lock.writer, verdict) : 1;
}

static int rule_rwlock(struct live_word *word, struct live_verdict *verdict)
{
	static const unsigned offsets[] = { 12, 8, 0 };
	int r = 0;

	if (!word->call.bitset.known || word->call.address % 4)
		return 0;
	for (size_t i = 0; !r && i < sizeof(offsets) / sizeof(*offsets); i++)
		r = rwlock_at(word, offsets[i], verdict);
	return r;
}

/* ---- what nobody owns ---- */

/* Up to 2.40; waits for one of two groups, whose signals are slept on. */
struct condition {
	uint64_t sequence, first;
	uint32_t references[2], sizes[2], original, waiters, signals[2];
};

static int condition_at(struct live_word *word, unsigned group, struct live_verdict *verdict)
{
	uint64_t address = word->call.address - offsetof(struct condition, signals) - group * sizeof(uint32_t);
	struct condition condition;
	uint32_t waiters, references;
	int r = address % 8 ? 0 : live_word_read(word, address, &condition, sizeof(condition));

	if (r <= 0)
		return r;
	waiters = condition.waiters >> 3;
	references = condition.references[group] >> 1;
	if (!waiters || waiters >= LIVE_TIDS || !references || references > waiters ||
	    !(condition.waiters & 1) != word->call.private)
		return 0;
	verdict->kind = IPCKIT_LIVE_CONDITION;
	verdict->object = address;
	return 1;
}

static int rule_condition(struct live_word *word, struct live_verdict *verdict)
{
	int r = 0;

	if (word->value || !word->call.bitset.known)
		return 0;
	for (unsigned group = 0; !r && group < 2; group++)
		r = condition_at(word, group, verdict);
	return r;
}

#define SEM_SHARED 0x80u /* in a word that calls itself "private" */

static int rule_semaphore(struct live_word *word, struct live_verdict *verdict)
{
	uint32_t words[4], waiters, shared;
	int r;

	if (word->value != (word->wide ? 0 : 1) || !word->call.bitset.known ||
	    word->call.address % (word->wide ? 8 : 4))
		return 0;
	r = live_word_read(word, word->call.address, words, word->wide ? 3 * sizeof(*words) : sizeof(words));
	if (r <= 0)
		return r;
	waiters = word->wide ? words[1] : words[3];
	shared = word->wide ? words[2] : words[1];
	if (!waiters || waiters >= LIVE_TIDS || shared != (word->call.private ? 0 : SEM_SHARED))
		return 0;
	verdict->kind = IPCKIT_LIVE_SEMAPHORE;
	return 1;
}

/* An object of C++ that is initialised at its first use: begun, and others wait for that. */
static int rule_guard(struct live_word *word, struct live_verdict *verdict)
{
	if (word->value != 0x10100 || word->call.bitset.known || word->call.private || !word->own)
		return 0;
	verdict->kind = IPCKIT_LIVE_STATIC_INIT;
	return 1;
}

/* Begun, in a process that has come from so many forks. */
static int rule_once(struct live_word *word, struct live_verdict *verdict)
{
	enum live_libc libc;
	int r;

	if ((word->value & 3) != 1 || word->value < 5 || word->value > 0xffff || word->call.bitset.known ||
	    !word->call.private || word->limit)
		return 0;
	r = live_word_libc(word, &libc);
	if (r < 0 || libc != LIVE_LIBC_GLIBC)
		return r < 0 ? r : 0;
	verdict->kind = IPCKIT_LIVE_ONCE;
	return 1;
}

int live_glibc_judge(struct live_word *word, struct live_verdict *verdict)
{
	static const live_rule rules[] = {
		rule_mutex, rule_stdio, rule_robust, rule_join, rule_rwlock, rule_condition, rule_semaphore,
		rule_guard, rule_once, NULL
	};

	return live_try_rules(rules, word, verdict);
}
