/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Each allocation of a call failing in turn: the call has to say -ENOMEM, to give
 * back all memory that it took, and to leave its out-parameter alone.
 *
 * To add a call: a function that makes it, and a line in calls[].
 *
 * The allocator is replaced by defining malloc() and its kin here, which reaches
 * libc's own calls (strdup(3), opendir(3), ...) too. Sanitizers and valgrind bring
 * allocators of their own: under them nothing can be made to fail, and the test is
 * skipped. Freed memory is overwritten, so that a use of it shows.
 */

#include "unit.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include <ipckit/hold.h>
#include <ipckit/name.h>
#include <ipckit/parse.h>
#include <ipckit/sem.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define OTHER_ALLOCATOR
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OTHER_ALLOCATOR
#endif

#ifdef OTHER_ALLOCATOR

int main(void)
{
	return unit_skip("alloc", "the allocator cannot be replaced in this build");
}

#else

/* ---- the allocator ---- */

/* Volatile, since compilers know malloc() as a function that touches nothing. */
static volatile long fail_at = -1; /* the allocation that fails, counted from 0; -1: none */
static volatile long allocations;  /* since the call began */
static volatile long live;         /* allocated and not freed */
static volatile bool counting;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static bool fails(void)
{
	long n;

	if (!counting)
		return false;
	n = allocations;
	allocations = n + 1;
	return n == fail_at;
}

static void *taken(void *memory)
{
	if (memory)
		live = live + 1;
	return memory;
}

static void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return fails() ? out_of_memory() : taken(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return fails() ? out_of_memory() : taken(__libc_calloc(n, size));
}

void *realloc(void *old, size_t size)
{
	if (fails())
		return out_of_memory();
	if (old && !size)
		live = live - 1;
	return old ? __libc_realloc(old, size) : taken(__libc_realloc(NULL, size));
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? out_of_memory() : taken(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *memory = memalign(alignment, size);

	if (memory)
		*out = memory;
	return memory ? 0 : ENOMEM;
}

void free(void *memory)
{
	if (memory)
		live = live - 1;
	__libc_free(memory);
}

/* ---- the calls: 0 or -errno, nothing kept ---- */

static int parse_name(const char *text)
{
	struct ipckit_name name, before;
	struct ipckit_why why;
	unsigned all = ((IPCKIT_TAKES(IPCKIT_NAME_SHM) << 1) - 1) | IPCKIT_TAKES_INDEX |
		       IPCKIT_TAKES_BARE_PLACE;
	int r;

	memset(&name, 0x5a, sizeof(name));
	before = name;
	r = ipckit_name_parse(text, all, &why, &name);
	if (r) {
		CHECK_FOR(text, !memcmp(&name, &before, sizeof(name)));
		return r;
	}
	CHECK_STR_FOR(text, name.written, text);
	ipckit_name_free(&name);
	return 0;
}

static int parse_values(const char *text)
{
	enum ipckit_compare compare;
	int64_t number;
	uint64_t count;
	unsigned mode;
	int r;

	(void)text;
	r = ipckit_parse_duration("1.5s", &number);
	if (!r)
		r = ipckit_parse_size("64KiB", &count);
	if (!r)
		r = ipckit_parse_count("0x10", 16, &count);
	if (!r)
		r = ipckit_parse_signed("-5", -5, 5, &number);
	if (!r)
		r = ipckit_parse_mode("u=rw,g=u", 0, &mode);
	return r ? r : ipckit_parse_compare("ge", &compare);
}

static int parse_hold(const char *text)
{
	struct ipckit_hold hold;
	int r = ipckit_hold_parse(text, &hold);
	char again[256];

	if (!r && ipckit_hold_format(&hold, again, sizeof(again)) != (int)strlen(text))
		return -EINVAL;
	return r ? r : ipckit_hold_is_at(&hold, "eventfd:9") ? 0 : -ENOENT;
}

static int no_name(const char *text)
{
	return parse_name(text) == -EINVAL ? 0 : -ENOTRECOVERABLE;
}

static const struct {
	const char *what;
	int (*call)(const char *argument);
	const char *argument;
	long least, most; /* allocations of a run in which none fails */
	bool carries_on;  /* may do without the memory: 0 is as good as -ENOMEM */
} calls[] = {
	{ "name: POSIX", parse_name, "/jobs", 0, 0, false },
	{ "name: key", parse_name, "key:0x1234#5", 0, 0, false },
	{ "name: id", parse_name, "id:5", 0, 0, false },
	{ "name: ftok", parse_name, "ftok:/etc/passwd,7#3", 1, 2, false },
	{ "name: private", parse_name, "private", 0, 0, false },
	{ "name: descriptor", parse_name, "fd:4711:3", 0, 0, false },
	{ "name: lock file", parse_name, "file:/tmp/lock", 0, 0, false },
	{ "name: place", parse_name, "./words@64", 1, 2, false },
	{ "name: bare place", parse_name, "./words", 0, 0, false },
	{ "name: shared memory", parse_name, "/words@64", 1, 2, false },
	{ "name: refused", no_name, "jobs", 0, 0, false },
	{ "name: refused late", no_name, "ftok:/etc/passwd,0", 0, 0, false },
	{ "values", parse_values, NULL, 0, 0, false },
	{ "hold", parse_hold,
	  "holding job=4711 count=1 since=1790000000.250 at=posix:18:77:0,eventfd:9 /jobs", 0, 0,
	  false },
};

/* ---- the test ---- */

static int run(size_t i, long failing)
{
	int r;

	fail_at = failing;
	allocations = 0;
	counting = true;
	r = calls[i].call(calls[i].argument);
	counting = false;
	return r;
}

static void test_call(size_t i)
{
	const char *what = calls[i].what;
	long before = live, needed;

	CHECK_INT_FOR(what, run(i, -1), 0);
	CHECK_INT_FOR(what, live, before);
	needed = allocations;
	CHECK_FOR(what, needed >= calls[i].least && needed <= calls[i].most);

	for (long n = 0; n < needed; n++) {
		int r = run(i, n);

		/* What fails may lead to a shorter or a longer way, but it must be reached. */
		CHECK_FOR(what, allocations > n);
		CHECK_FOR(what, r == -ENOMEM || (!r && calls[i].carries_on));
		CHECK_INT_FOR(what, live, before);
	}
	CHECK_INT_FOR(what, run(i, -1), 0);
	CHECK_INT_FOR(what, live, before);
}

/* Whether an allocation can be made to fail at all. */
static bool replaced(void)
{
	void *volatile memory;

	fail_at = 0;
	allocations = 0;
	counting = true;
	memory = malloc(1);
	counting = false;
	free(memory);
	return !memory;
}

int main(void)
{
	if (!replaced())
		return unit_skip("alloc", "the allocator is replaced by another tool");
	mallopt(M_PERTURB, 0xa5);
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		test_call(i);
	return unit_done("alloc");
}

#endif
