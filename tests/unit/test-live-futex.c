/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The calls of threads that sleep on words, the files that these lie in, and trees that are broken. */

#include "failing.h"

#include "../../lib/sys.h"
#include "words.h"

#include <sys/sysmacros.h>

/* ---- other calls ---- */

static void test_restarted(void)
{
	static const struct want held = { "mutex", NULL, { 11 }, false, IPCKIT_LIVE_TIMED, NULL };
	static const struct {
		const char *wchan;
		bool found;
	} cases[] = { { "futex_do_wait", true }, { "poll_schedule_timeout", false }, { "do_signal_stop", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		tree_begin();
		put_processes("");
		put_memory(10, OWN, (uint32_t[5]){ 2, 0, 11, 1, 0 }, 20);
		put_call(&(struct call){ 219, { OWN, BITSET | PRIVATE, 2, OWN, 0, UINT32_MAX } });
		look("without a function", &held, 0);
		tree_put("10/task/10/wchan", cases[i].wchan);
		look(cases[i].wchan, &held, cases[i].found);
		tree_end();
	}
}

/* Any of its words ends it: all have to be known. */
static void test_several(void)
{
	static const struct want both[] = { { "mutex", "mutex 0x10000", { 11 }, false, 0, NULL },
					    { "futex", "/srv/words@12288", { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL } };
	static const struct want any = { "futex", "futex 0x10000", { -10 }, true, 0, NULL };
	struct futex_waitv words[3] = {
		{ .val = 2, .uaddr = OWN, .flags = 2 | 128 },
		{ .val = 7, .uaddr = FILED, .flags = 2 },
		{ .val = 2, .uaddr = READ, .flags = 2 },
	};
	struct call call = { 449, { OWN + 0x800, 2, 0, 0, 1 } };

	tree_begin();
	put_processes("");
	put_memory(10, OWN, (uint32_t[5]){ 2, 0, 11, 1, 0 }, 20);
	put_memory(10, FILED, (uint32_t[1]){ 7 }, 4);
	put_memory(10, READ, (uint32_t[1]){ 2 }, 4);
	put_memory(10, OWN + 0x800, words, sizeof(words));
	put_call(&call);
	look("two words", both, 2);
	call.args[1] = 3;
	put_call(&call);
	look("one of which nothing is known", NULL, 0);
	call.args[1] = 2;
	words[1].flags = 1;
	put_memory(10, OWN + 0x800, words, sizeof(words));
	put_call(&call);
	look("one of another size", NULL, 0);
	call.args[0] = END + 4096;
	put_call(&call);
	look("nowhere", NULL, 0);
	put_call(&(struct call){ 455, { OWN, 2, UINT32_MAX, 2 | 128, 0, 1 } });
	look("futex_wait, which no library uses", &any, 1);
	tree_end();
}

/* This library's waits say that their limit is for another look alone. */
static void test_looks(void)
{
	struct want held = { "robust-mutex", "/srv/words@12288", { 20 }, false, IPCKIT_LIVE_TIMED, NULL };

	tree_begin();
	put_processes("");
	put_memory(10, FILED, (uint32_t[1]){ BIT31 | 20 }, 4);
	put_call(&(struct call){ 202, { FILED, BITSET, BIT31 | 20, OWN, 0, UINT32_MAX } });
	look("with a limit", &held, 1);
	held.level = IPCKIT_LIVE_CERTAIN;
	put_call(&(struct call){ 202, { FILED, BITSET, BIT31 | 20, OWN, FILED, UINT32_MAX } });
	look("that looks again", &held, 1);
	tree_end();
}

/* ---- names and namespaces ---- */

/* Its maker has it mapped under a name that is gone. */
static void test_named_semaphore(void)
{
	struct want named = { "semaphore", "semaphore /jobs", { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL };
	char line[160];
	struct stat st;

	tree_begin();
	put_processes("");
	tree_put("10/root/dev/shm/sem.jobs", "0123456789");
	CHECK(!fstatat(tree, "10/root/dev/shm/sem.jobs", &st, 0));
	snprintf(line, sizeof(line), "00050000-00051000 rw-s 00000000 %02x:%02x %llu   /dev/shm/sem.Ab12 (deleted)\n",
		 major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino);
	put_process(10, "", line);
	put_process(20, "", line);
	put_memory(10, SEM, (uint32_t[4]){ 0, 1, 0x80 }, 16);
	put_call(&(struct call){ 202, { SEM, BITSET | REALTIME, 0, 0, 0, UINT32_MAX } });
	look("named", &named, 1);
	CHECK(!unlinkat(tree, "10/root/dev/shm/sem.jobs", 0));
	named.resource = "/dev/shm/sem.Ab12@0";
	named.level = IPCKIT_LIVE_CERTAIN;
	look("removed", &named, 1);
	tree_end();
}

/* One on a disk may have other names. */
static void test_other_names(void)
{
	struct want any = { "futex", "/srv/words@12288", { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL };
	static const char gone[] = "00020000-00030000 rw-s 00003000 fe:01 77                 /srv/words (deleted)\n";

	tree_begin();
	put_process(10, gone, "");
	put_process(20, gone, "");
	put_memory(10, FILED, (uint32_t[1]){ 5 }, 4);
	put_call(&(struct call){ 202, { FILED, WAIT, 5 } });
	look("one that may be left", &any, 1);
	tree_end();
}

/* An id of one namespace is another one's in the other. */
static void test_namespaces(void)
{
	static const struct want any = { "futex", NULL, { -10, -20 }, true, IPCKIT_LIVE_INFERRED, NULL };

	tree_begin();
	put_processes("");
	CHECK(!unlinkat(tree, "20/ns/pid", 0));
	put_memory(10, FILED, (uint32_t[5]){ 2, 0, 20, 1, 0x80 }, 20);
	put_call(&(struct call){ 202, { FILED, WAIT, 2 } });
	look("not told", &any, 1);
	link_to("20/ns/pid", "pid:[7]");
	look("of another one", &any, 1);
	tree_end();
}

/* ---- broken trees ---- */

static uint64_t random_state = 88172645463325252u;

static uint64_t random_number(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717u;
}

/* Numbers that mean something, and some that do not. */
static uint64_t random_word(void)
{
	static const uint64_t known[] = { 0, 1, 2, 3, 10, 11, 20, 0x80, 0x90, OWN, OWN + 0x2d0, FILED, LIBC, END - 2,
					  BIT31 | 11, BIT31 | 20, UINT32_MAX, UINT64_MAX, INT64_MAX, 0x10100 };
	uint64_t n = random_number();

	return n & 15 ? known[(n >> 8) % (sizeof(known) / sizeof(*known))] : n >> 16;
}

static void test_random(void)
{
	static const long numbers[] = { 202, 449, 455, 219, 240, 422 };
	struct live_scan scan;
	uint32_t words[64];

	tree_begin();
	put_processes(libc_map);
	put_libc(2, "GLIBC_2.36");
	tree_put("10/task/10/wchan", "futex_do_wait");
	for (unsigned i = 0; i < (UNIT_SANITIZED ? 300 : 1500); i++) {
		struct call call = { numbers[random_number() % 6], { 0 } };

		for (unsigned k = 0; k < 6; k++)
			call.args[k] = random_word();
		for (unsigned k = 0; k < 64; k++)
			words[k] = (uint32_t)random_word();
		put_memory(10, random_number() & 1 ? OWN : FILED, words, sizeof(words));
		if (!(i % 7))
			put_memory(10, LIBC + random_number() % 400, words, 8);
		put_call(&call);
		if (!CHECK_INT(live_scan_begin(tree, &scan), 0) || !CHECK_INT(live_collect_futex(&scan), 0))
			break;
		CHECK_INT(live_settle(&scan), 0);
		live_scan_end(&scan);
	}
	tree_end();
}

static void test_broken(void)
{
	static const char *const maps[] = { "", "x\n", "00010000-00020000 rw-p\n", "00020000-00010000 rw-s 0 fe:01 7 /x\n",
					    "00000000-ffffffffffffffff rw-p 00000000 00:00 0 \n" };
	static const struct want any = { "futex", NULL, { -10 }, true, 0, NULL };

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		tree_begin();
		put_process(10, maps[i], "");
		put_memory(10, OWN, (uint32_t[5]){ 2, 0, 99, 1, 0 }, 20);
		put_call(&(struct call){ 202, { OWN, WAIT | PRIVATE, 2 } });
		look(maps[i], &any, 1);
		put_call(&(struct call){ 202, { OWN, WAIT, 2 } });
		look(maps[i], &any, i == 4);
		CHECK(!unlinkat(tree, "10/mem", 0));
		look("no memory", NULL, 0);
		tree_end();
	}
}

static int collect_once(void)
{
	struct live_scan scan;
	int r = live_scan_begin(tree, &scan);

	if (!r)
		r = live_collect_futex(&scan);
	live_scan_end(&scan);
	return r;
}

static void test_no_memory(void)
{
	tree_begin();
	put_processes(libc_map);
	put_libc(2, "GLIBC_2.36");
	put_memory(10, FILED, (uint32_t[5]){ 2, 0, 20, 1, 0x80 }, 20);
	put_call(&(struct call){ 202, { FILED, WAIT, 2 } });
	check_failing("an owner", collect_once);
	put_memory(10, FILED, (uint32_t[5]){ 5 }, 20);
	put_call(&(struct call){ 202, { FILED, WAIT, 5 } });
	check_failing("a set", collect_once);
	put_memory(10, OWN, (uint32_t[5]){ 2, 0, 99, 1, 0 }, 20);
	put_call(&(struct call){ 202, { OWN, WAIT | PRIVATE, 2 } });
	check_failing("an orphan", collect_once);
	tree_end();
}

int main(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	test_restarted();
	test_several();
	test_looks();
	test_named_semaphore();
	test_other_names();
	test_namespaces();
	test_random();
	test_broken();
	test_no_memory();
	return unit_done("live futex");
#else
	return unit_skip("live futex", "layouts of other machines are not known");
#endif
}
