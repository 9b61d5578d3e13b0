/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the words are that threads sleep on: each layout, each check of it, and who owns what, or nobody. */

#include "words.h"

/* ---- layouts ---- */

/* Words that a check refuses: with one of them the word is like any other. */
struct wrong {
	int at; /* in words from the one that is waited for */
	uint32_t value;
};

struct row {
	const char *what;
	bool compat, musl, timed;
	unsigned op;
	uint32_t base;       /* of the words here */
	unsigned at;         /* which one is waited for */
	uint32_t words[16];
	struct want want;
	struct wrong wrong[9]; /* up to one whose place is 99 */
};
#define NO_MORE { 99, 0 }

static const struct row rows[] = {
	{ "mutex", false, false, false, WAIT | PRIVATE, OWN, 0, { 2, 0, 11, 1, 0x200 },
	  { "mutex", "mutex 0x10000", { 11 }, false, 0, NULL },
	  { { 1, 1 }, { 2, 0 }, { 2, 99 }, { 2, 20 }, { 2, 1u << 22 }, { 3, 0 }, { 4, 0x80 },
	    { 6, 1 }, NO_MORE } },
	{ "mutex of another kind", false, false, false, WAIT | PRIVATE, OWN, 0, { 2, 0, 11, 1, 3 },
	  { "mutex", "mutex 0x10000", { 11 }, false, 0, NULL },
	  { { 4, 0x10 }, { 4, 0x20 }, { 4, 0x40 }, { 4, 0x400 }, { 3, 1u << 22 }, { 9, 1 }, NO_MORE } },
	{ "recursive mutex", false, false, false, WAIT | PRIVATE, OWN, 0, { 2, 1, 10, 1, 1 },
	  { "mutex", "mutex 0x10000", { 10 }, false, 0, NULL }, { { 1, 0 }, { 0, 3 }, NO_MORE } },
	{ "timed mutex", false, false, true, BITSET | PRIVATE | REALTIME, OWN, 0, { 2, 0, 11, 1, 0 },
	  { "mutex", NULL, { 11 }, false, IPCKIT_LIVE_TIMED, NULL }, { NO_MORE } },
	{ "shared mutex", false, false, false, WAIT, FILED, 0, { 2, 0, 20, 1, 0x80 },
	  { "mutex", "/srv/words@12288", { 20 }, false, 0, NULL }, { { 4, 0 }, { 2, 77 }, NO_MORE } },
	{ "shared mutex in memory that is not", false, false, false, WAIT, OWN, 0, { 2, 0, 12, 1, 0x80 },
	  { "mutex", "mutex 0x10000", { 12 }, false, 0, NULL }, { { 2, 20 }, NO_MORE } },
	{ "robust mutex", false, false, false, WAIT, OWN, 0, { BIT31 | 11, 1, 11, 1, 0x290 },
	  { "robust-mutex", "mutex 0x10000", { 11 }, false, 0, NULL },
	  { { 1, 0 }, { 2, 10 }, { 3, 0 }, { 4, 0x280 }, { 4, 0x2b0 }, NO_MORE } },
	{ "join", false, false, false, BITSET | REALTIME, OWN + 0x2d0, 0, { 11 },
	  { "join", "thread 11", { 11 }, false, 0, NULL }, { NO_MORE } },
	{ "write lock, written", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 3, { 3, 0, 1, 3, 0, 0, 11 },
	  { "rwlock-write", "rwlock 0x10000", { 11 }, false, 0, "write" },
	  { { -3, 1 }, { -1, 4 }, { 1, 1 }, { 2, 1 }, { 3, 1u << 22 }, { 4, 1 }, { 9, 3 }, NO_MORE } },
	{ "read lock, written", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 2, { 0xb, 0, 3, 1, 0, 0, 12 },
	  { "rwlock-read", "rwlock 0x10000", { 12 }, false, 0, "read" }, { { -2, 8 }, { -2, 10 }, NO_MORE } },
	{ "write lock, read", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 2, { 0xa, 0, 2, 1 },
	  { "rwlock-write", "rwlock 0x10000", { -10 }, true, 0, "write" }, { { -2, 2 }, NO_MORE } },
	{ "read lock behind a writer", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 0, { 0xe, 0, 2, 1 },
	  { "rwlock-read", "rwlock 0x10000", { -10 }, true, 0, "read" }, { NO_MORE } },
	{ "timed, read", false, false, true, BITSET | PRIVATE | REALTIME, OWN, 2, { 0xa, 0, 2, 1 },
	  { "rwlock-write", "rwlock 0x10000", { -10 }, true, IPCKIT_LIVE_TIMED, "write" }, { NO_MORE } },
	{ "shared write lock", false, false, false, BITSET | REALTIME, FILED + 0x40, 3, { 3, 0, 1, 3, 0, 0, 20, 1 },
	  { "rwlock-write", "/srv/words@12352", { 20 }, false, 0, "write" }, { NO_MORE } },
	{ "condition", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 10,
	  { 2, 0, 0, 0, 2, 0, 0, 0, 0, 8, 0, 0 }, { "condition", "condition 0x10000", { -10 }, true, 0, NULL },
	  { { -1, 0 }, { -1, 9 }, { -6, 0 }, { -6, 6 }, NO_MORE } },
	{ "semaphore", false, false, false, BITSET | PRIVATE | REALTIME, OWN, 0, { 0, 1, 0 },
	  { "semaphore", "semaphore 0x10000", { -10 }, true, 0, NULL }, { { 1, 0 }, { 2, 0x80 }, NO_MORE } },
	{ "static object", false, false, false, WAIT, OWN, 0, { 0x10100 },
	  { "static-init", "static object 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "once", false, false, false, WAIT | PRIVATE, OWN, 0, { 9 },
	  { "once", "once flag 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "any word", false, false, false, WAIT | PRIVATE, OWN, 0, { 1 },
	  { "futex", "futex 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "a pause", false, false, true, WAIT | PRIVATE, OWN, 0, { 1 }, { 0 }, { NO_MORE } },
	{ "a future", false, false, false, WAIT, OWN, 0, { BIT31, 1 },
	  { "futex", "futex 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "PI mutex", false, false, false, LOCK_PI | PRIVATE, OWN, 0, { BIT31 | 12 },
	  { "pi-mutex", "mutex 0x10000", { 12 }, false, 0, NULL }, { NO_MORE } },
	{ "PI mutex of another", false, false, false, LOCK_PI, FILED, 0, { BIT31 | 20 },
	  { "pi-mutex", "/srv/words@12288", { 20 }, false, 0, NULL }, { NO_MORE } },
	{ "PI mutex, nobody waits", false, false, false, LOCK_PI, FILED, 0, { 20 }, { 0 }, { NO_MORE } },
	{ "PI mutex, left", false, false, false, LOCK_PI | PRIVATE, OWN, 0, { BIT31 | 99 }, { 0 }, { NO_MORE } },
	{ "a word of ours", false, false, true, BITSET, FILED + 4, 0, { BIT31 | 20 },
	  { "robust-mutex", "/srv/words@12292", { 20 }, false, IPCKIT_LIVE_TIMED, NULL }, { NO_MORE } },
	{ "a word that looks like one of ours", false, false, false, BITSET, FILED + 4, 0, { BIT31 | 20 },
	  { "futex", "/srv/words@12292", { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL }, { NO_MORE } },
	{ "a bit set, which no lock asks for", false, false, false, BITSET | PRIVATE, OWN, 0, { 2, 0, 11, 1, 0 },
	  { "futex", "futex 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "a mutex in no place of one", false, false, false, WAIT | PRIVATE, OWN, 1, { 0, 2, 0, 11, 1, 0 },
	  { "futex", "futex 0x10004", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "a word in a file", false, false, false, BITSET, FILED + 4, 0, { 2 },
	  { "futex", "/srv/words@12292", { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL }, { NO_MORE } },
	{ "a word in a file of nobody else's", false, false, false, BITSET, MEMFD, 0, { 2 },
	  { "futex", "/memfd:x@0", { -10, -20 }, true, 0, NULL }, { NO_MORE } },
	{ "a word in memory that is shared", false, false, false, WAIT, ZERO, 0, { 2 },
	  { "futex", "shared memory [80]@0", { -10, -20 }, true, 0, NULL }, { NO_MORE } },
	{ "a semaphore that is shared", false, false, true, BITSET | REALTIME, ZERO + 8, 0, { 0, 1, 0x80 },
	  { "semaphore", "shared memory [80]@8", { -10, -20 }, true, IPCKIT_LIVE_TIMED, NULL }, { NO_MORE } },
	{ "a word that cannot be written", false, false, false, WAIT, READ, 0, { 2 }, { 0 }, { NO_MORE } },
	{ "a word that is nowhere", false, false, false, WAIT, SEM, 0, { 2 }, { 0 }, { NO_MORE } },
	{ "requeued", false, false, false, 11 | PRIVATE, OWN, 0, { 2, 0, 11, 1, 0 },
	  { "futex", "futex 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },

	{ "i386 mutex", true, false, false, WAIT | PRIVATE, OWN, 0, { 2, 0, 11, 0x200, 1 },
	  { "mutex", "mutex 0x10000", { 11 }, false, 0, NULL }, { { 3, 0x10 }, { 4, 0 }, NO_MORE } },
	{ "i386 write lock", true, false, false, BITSET | PRIVATE | REALTIME, OWN, 3, { 3, 0, 1, 3, 0, 0, 0, 11 },
	  { "rwlock-write", "rwlock 0x10000", { 11 }, false, 0, "write" }, { { 3, 0x100 }, { 3, 3 }, NO_MORE } },
	{ "i386 semaphore", true, false, false, BITSET | PRIVATE | REALTIME, OWN, 0, { 1, 0, 0, 1 },
	  { "semaphore", "semaphore 0x10000", { -10 }, true, 0, NULL }, { { 3, 0 }, { 1, 0x80 }, NO_MORE } },
	{ "i386 join", true, false, false, BITSET | REALTIME, OWN + 0x68, 0, { 12 },
	  { "join", "thread 12", { 12 }, false, 0, NULL }, { NO_MORE } },

	{ "musl mutex", false, true, false, WAIT | PRIVATE, OWN, 1, { 1, BIT31 | 11, 1, 7 },
	  { "mutex", "mutex 0x10000", { 11 }, false, 0, NULL },
	  { { -1, 3 }, { -1, 0 }, { -1, 8 }, { -1, 0x40 }, { 1, 0 }, NO_MORE } },
	{ "musl mutex that has no name in it", false, true, false, WAIT | PRIVATE, OWN, 1, { 0, BIT31 | 16, 1, 7 },
	  { "mutex", "mutex 0x10000", { -10 }, true, 0, NULL }, { { -1, 0x80 }, NO_MORE } },
	{ "musl robust mutex", false, true, false, WAIT, FILED, 1, { 0x84, BIT31 | 20, 1 },
	  { "robust-mutex", "/srv/words@12288", { 20 }, false, 0, NULL }, { NO_MORE } },
	{ "musl join", false, true, false, WAIT | PRIVATE, OWN, 14, { OWN, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 2 },
	  { "join", "thread 12", { 12 }, false, 0, NULL }, { { -14, OWN + 8 }, { -2, 77 }, NO_MORE } },
	{ "musl stream", false, true, false, WAIT | PRIVATE, OWN, 0, { 0x40000000 | 11, UINT32_MAX },
	  { "stdio", "stream lock 0x10000", { 11 }, false, 0, NULL }, { { 1, 3 }, NO_MORE } },
	{ "musl semaphore", false, true, false, WAIT | PRIVATE, OWN, 0, { UINT32_MAX, 1, 0x80 },
	  { "semaphore", "semaphore 0x10000", { -10 }, true, 0, NULL }, { { 1, 0 }, { 2, 1 }, NO_MORE } },
	{ "musl rwlock", false, true, false, WAIT | PRIVATE, OWN, 0, { UINT32_MAX, 1, 0 },
	  { "rwlock", "rwlock 0x10000", { -10 }, true, 0, NULL }, { NO_MORE } },
	{ "musl rwlock, read", false, true, false, WAIT | PRIVATE, OWN, 0, { BIT31 | 2, 1, 0 },
	  { "rwlock-write", "rwlock 0x10000", { -10 }, true, 0, "write" }, { { 1, 0 }, NO_MORE } },
};

static void put_compat(int pid)
{
	tree_put_bytes(tree_name("%d/auxv", pid), (unsigned[4]){ 6, 4096, 0, 0 }, 16);
}

/* Two descriptors of threads say where they are, of 64 and of 32 bits. */
static void put_descriptors(const struct row *row)
{
	uint64_t wide = row->base - 0x2d0;
	uint32_t narrow = row->base - 0x68;

	if (row->want.kind == NULL || strcmp(row->want.kind, "join") || row->musl)
		return;
	if (row->compat) {
		put_memory(10, narrow, &narrow, sizeof(narrow));
		put_memory(10, narrow + 8, &narrow, sizeof(narrow));
	} else {
		put_memory(10, wide, &wide, sizeof(wide));
		put_memory(10, wide + 0x10, &wide, sizeof(wide));
	}
}

static void put_row(const struct row *row, const uint32_t *words)
{
	uint64_t address = row->base + row->at * sizeof(*words);
	uint32_t value = words[row->at];

	put_memory(10, row->base, words, sizeof(row->words));
	put_descriptors(row);
	/* As the kernel shows a number that the library took for less than 0. */
	put_call(&(struct call){ row->compat ? 240 : 202,
				 { address, row->op, row->musl ? (uint64_t)(int32_t)value : value, row->timed ? OWN : 0,
				   0, UINT32_MAX } });
	if (row->compat)
		put_compat(10);
}

static void try_wrong(const struct row *row, const struct wrong *wrong)
{
	struct want any = { .kind = "futex", .set = true, .holders = { -10, row->base < FILED ? 0 : -20 } };
	uint32_t words[16];

	memcpy(words, row->words, sizeof(words));
	words[(int)row->at + wrong->at] = wrong->value;
	if (row->base >= FILED)
		any.level = IPCKIT_LIVE_INFERRED;
	put_row(row, words);
	look(tree_name("%s, word %d is 0x%x", row->what, wrong->at, wrong->value), &any, 1);
}

static void test_layouts(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];

		tree_begin();
		put_processes(row->musl ? musl_map : libc_map);
		put_libc(2, "GLIBC_2.36");
		put_row(row, row->words);
		look(row->what, &row->want, row->want.kind != NULL);
		/* Without a library nobody is taken for an orphan. */
		if (!row->musl)
			put_process(10, plain_maps, "");
		for (const struct wrong *wrong = row->wrong; wrong->at != 99; wrong++)
			try_wrong(row, wrong);
		/* One that no longer has the value is being woken. */
		put_row(row, row->words);
		put_memory(10, row->base + row->at * 4, (uint32_t[1]){ row->words[row->at] ^ 0x40 }, 4);
		if ((row->op & 0x7f) != LOCK_PI)
			look(row->what, NULL, 0);
		tree_end();
	}
}

/* ---- streams: the owner is a thread's descriptor ---- */

static void test_stream(void)
{
	static const struct want held = { "stdio", "stream lock 0x10000", { 12 }, false, 0, NULL },
				 lost = { "futex", NULL, { -10 }, true, 0, NULL };
	uint64_t owner = OWN + 0x1000, wrong = OWN + 0x1008;
	uint32_t lock[4] = { 2, 1 }, tid = 12, other = 20;

	tree_begin();
	put_processes(libc_map);
	put_libc(2, "GLIBC_2.36");
	memcpy(&lock[2], &owner, sizeof(owner));
	put_memory(10, OWN, lock, sizeof(lock));
	put_memory(10, owner, &owner, sizeof(owner));
	put_memory(10, owner + 0x10, &owner, sizeof(owner));
	put_memory(10, owner + 0x2d0, &tid, sizeof(tid));
	put_call(&(struct call){ 202, { OWN, WAIT | PRIVATE, 2 } });
	look("stream", &held, 1);
	put_memory(10, owner + 0x2d0, &other, sizeof(other));
	look("stream of another process", &lost, 1);
	put_memory(10, owner + 0x2d0, &tid, sizeof(tid));
	put_memory(10, owner + 0x10, &wrong, sizeof(wrong));
	look("stream, no descriptor", &lost, 1);
	tree_end();
}

/* ---- orphans ---- */

static void test_orphans(void)
{
	static const struct want orphan = { "mutex", NULL, { 0 }, false, 0, NULL },
				 any = { "futex", NULL, { -10 }, true, 0, NULL },
				 own = { "mutex", NULL, { -10 }, true, 0, NULL }, /* an atfork handler may unlock it */
				 both = { "futex", NULL, { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL };
	static const struct {
		const char *what, *libc, *version;
		unsigned long nversions;
		uint32_t base, owner, kind;
		const struct want *want;
	} cases[] = {
		{ "ended", libc_map, "GLIBC_2.36", 2, OWN, 99, 0, &orphan },
		{ "of the parent", libc_map, "GLIBC_2.36", 2, OWN, 20, 0, &own },
		{ "of an older library", libc_map, "GLIBC_2.24", 2, OWN, 99, 0, &any },
		{ "of a newer library", libc_map, "GLIBC_2.99", 2, OWN, 99, 0, &any },
		{ "of a library of no version", libc_map, "OTHER_2.36", 2, OWN, 99, 0, &any },
		{ "of a library without versions", libc_map, "GLIBC_2.36", 0, OWN, 99, 0, &any },
		{ "of no library", "", "GLIBC_2.36", 2, OWN, 99, 0, &any },
		{ "ended, in memory that is shared", libc_map, "GLIBC_2.36", 2, FILED, 99, 0, &orphan },
		{ "of another, in memory that is shared", libc_map, "GLIBC_2.36", 2, FILED, 20, 0, &any },
		{ "ended, shared", libc_map, "GLIBC_2.36", 2, FILED, 99, 0x80, &orphan },
		{ "ended, shared, of no library", "", "GLIBC_2.36", 2, FILED, 99, 0x80, &both },
		{ "of one that does not share it", libc_map, "GLIBC_2.36", 2, FILED, 30, 0x80, &both },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t mutex[5] = { 2, 0, cases[i].owner, 1, cases[i].kind };

		tree_begin();
		put_processes(cases[i].libc);
		put_process(30, "", "");
		put_libc(cases[i].nversions, cases[i].version);
		put_memory(10, cases[i].base, mutex, sizeof(mutex));
		put_call(&(struct call){ 202, { cases[i].base, cases[i].kind ? WAIT : WAIT | PRIVATE, 2 } });
		look(cases[i].what, cases[i].want, 1);
		tree_end();
	}
}

/* Whoever sleeps in syscall(2) has no lock of the library. */
static void test_own_words(void)
{
	static const unsigned char call[] = { 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05 };
	static const struct want any = { "futex", NULL, { -10 }, true, 0, NULL };

	tree_begin();
	put_processes(libc_map);
	put_libc(2, "GLIBC_2.36");
	put_memory(10, OWN, (uint32_t[5]){ 2, 0, 99, 1, 0 }, 20);
	put_memory(10, CODE - sizeof(call), call, sizeof(call));
	put_call(&(struct call){ 202, { OWN, WAIT | PRIVATE, 2 } });
	look("in syscall(2)", &any, 1);
	tree_end();
}

int main(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	test_layouts();
	test_stream();
	test_orphans();
	test_own_words();
	return unit_done("live word");
#else
	return unit_skip("live word", "layouts of other machines are not known");
#endif
}
