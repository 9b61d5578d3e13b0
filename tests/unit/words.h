/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WORDS_H
#define WORDS_H

/* Threads that sleep on words, in made trees, and what is told of them: for one source file of a program. */

#include "../../lib/live-layout.h"
#include "trees.h"

#include <elf.h>

#define OWN    0x10000u /* memory of a process alone */
#define FILED  0x20000u /* of /srv/words, from 0x3000 on */
#define MEMFD  0x30000u
#define READ   0x40000u /* of a file that it cannot write */
#define SEM    0x50000u /* in /dev/shm, under a name that is gone */
#define ZERO   0x60000u
#define LIBC   0x70000u
#define END    0x80000u
#define CODE   0x1ff00u /* where threads go on after their calls */

#define WAIT   0u
#define BITSET 9u
#define REALTIME 0x100u
#define PRIVATE  0x80u
#define LOCK_PI  6u

#define BIT31 0x80000000u

static const char plain_maps[] =
	"00010000-00020000 rw-p 00000000 00:00 0 \n"
	"00020000-00030000 rw-s 00003000 fe:01 77                 /srv/words\n"
	"00030000-00040000 rw-s 00000000 00:01 78                 /memfd:x (deleted)\n"
	"00040000-00050000 r--p 00000000 fe:01 79                 /srv/read\n"
	"00060000-00070000 rw-s 00000000 00:01 80                 /dev/zero (deleted)\n";
static const char libc_map[] = "00070000-00080000 r--p 00000000 fe:00 9                 /lib/libc.so.6 (deleted)\n";
static const char musl_map[] = "00070000-00080000 r--p 00000000 fe:00 9                 /lib/ld-musl-x86_64.so.1\n";

/* ---- processes ---- */

static void put_memory(int pid, uint64_t address, const void *data, size_t size)
{
	int fd = openat(tree, tree_name("%d/mem", pid), O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, data, size, (off_t)address) != (ssize_t)size)
		abort();
	close(fd);
}

static void link_to(const char *path, const char *target)
{
	if (symlinkat(target, tree, path) && errno != EEXIST)
		abort();
}

static void put_thread(int pid, int tid, const char *call)
{
	tree_thread(&(struct tree_thread){ .pid = pid, .tid = tid, .call = call, .threads = pid == 10 ? 3 : 1 });
}

static void put_process(int pid, const char *maps, const char *more)
{
	char text[1024];

	put_thread(pid, pid, "running\n");
	snprintf(text, sizeof(text), "%s%s", maps, more);
	tree_put(tree_name("%d/maps", pid), text);
	put_memory(pid, END - 1, "", 1);
	if (faccessat(tree, tree_name("%d/ns", pid), F_OK, 0))
		tree_mkdir(tree_name("%d/ns", pid));
	link_to(tree_name("%d/ns/pid", pid), "pid:[4026531836]");
}

/* 10 with its threads 11 and 12, and 20, which shares files with it. */
static void put_processes(const char *more)
{
	put_process(10, plain_maps, more);
	put_thread(10, 11, "running\n");
	put_thread(10, 12, "running\n");
	put_process(20, plain_maps, "");
}

struct call {
	long number;
	uint64_t args[6];
};

/* Some file systems write out at once what takes the place of what a file held. */
static void put_call(const struct call *call)
{
	static const char path[] = "10/task/10/syscall";
	const uint64_t *a = call->args;
	char text[PROC_SYSCALL_ROOM];

	snprintf(text, sizeof(text), "%ld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x7ffe00 0x%x\n", call->number,
		 (unsigned long long)a[0], (unsigned long long)a[1], (unsigned long long)a[2],
		 (unsigned long long)a[3], (unsigned long long)a[4], (unsigned long long)a[5], CODE);
	CHECK(!unlinkat(tree, path, 0));
	tree_put(path, text);
}

/* As many versions as the library has. */
static void put_libc(unsigned long nversions, const char *version)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		Elf64_Dyn dynamic[4];
		struct {
			Elf64_Verdef entry;
			Elf64_Verdaux name;
		} versions[2];
		char strings[64];
	} image;
	uint64_t strings = offsetof(__typeof__(image), strings), versions = offsetof(__typeof__(image), versions);

	memset(&image, 0, sizeof(image));
	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = ELFCLASS64;
	image.header.e_phoff = offsetof(__typeof__(image), segments);
	image.header.e_phnum = 2;
	image.segments[0].p_type = PT_LOAD;
	image.segments[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_vaddr = offsetof(__typeof__(image), dynamic),
					  .p_memsz = sizeof(image.dynamic) };
	/* One is an address by now, the other not yet. */
	image.dynamic[0] = (Elf64_Dyn){ DT_STRTAB, { LIBC + strings } };
	image.dynamic[1] = (Elf64_Dyn){ DT_VERDEF, { versions } };
	image.dynamic[2] = (Elf64_Dyn){ DT_VERDEFNUM, { nversions } };
	for (unsigned i = 0; i < 2; i++)
		image.versions[i].entry = (Elf64_Verdef){ .vd_aux = sizeof(Elf64_Verdef),
							  .vd_next = i ? 0 : sizeof(image.versions[0]) };
	image.versions[0].name.vda_name = 1;
	image.versions[1].name.vda_name = 16;
	strcpy(image.strings + 1, "libc.so.6");
	strcpy(image.strings + 16, version);
	put_memory(10, LIBC, &image, sizeof(image));
}

/* ---- what is found ---- */

struct want {
	const char *kind, *resource; /* kind NULL: no edge; resource NULL: any */
	int holders[3];              /* threads; processes: less than 0 */
	bool set;
	enum ipckit_live_level level;
	const char *mode;
};

static int number_of(const struct live_scan *scan, uint32_t node)
{
	const struct live_point *point = &scan->points[node];

	return point->process ? -scan->processes[point->index].pid : scan->threads[point->index].tid;
}

static bool has_holder(const struct live_scan *scan, const struct ipckit_live_edge *edge, int number)
{
	for (size_t i = 0; i < edge->nholders; i++)
		if (number_of(scan, edge->holders[i]) == number)
			return true;
	return false;
}

static void check_edge(const char *what, const struct live_scan *scan, const struct live_edge *found,
		       const struct want *want)
{
	const struct ipckit_live_edge *edge = &found->told;
	size_t count = 0;

	CHECK_STR_FOR(what, ipckit_live_kind_name(edge->kind), want->kind);
	if (want->resource)
		CHECK_STR_FOR(what, edge->resource, want->resource);
	CHECK_STR_FOR(what, edge->mode, want->mode);
	CHECK_INT_FOR(what, edge->any, want->set);
	CHECK_INT_FOR(what, edge->level, want->level);
	CHECK_INT_FOR(what, found->deaf == LIVE_DEAF_TO_ALL, !want->set);
	for (; count < 3 && want->holders[count]; count++)
		CHECK_INT_FOR(what, has_holder(scan, edge, want->holders[count]), true);
	CHECK_INT_FOR(what, edge->nholders, count);
}

static void look(const char *what, const struct want *want, size_t nwaits)
{
	struct live_scan scan;
	uint32_t thread;

	if (!CHECK_INT_FOR(what, live_scan_begin(tree, &scan), 0))
		return;
	CHECK_INT_FOR(what, live_collect_futex(&scan), 0);
	CHECK_INT_FOR(what, live_settle(&scan), 0);
	thread = live_find_thread(&scan, 10);
	if (CHECK_FOR(what, thread != IPCKIT_NONE)) {
		uint32_t node = scan.threads[thread].node;
		size_t first = 0, end = node == IPCKIT_NONE ? 0 : live_edges_of(&scan, node, &first);

		if (CHECK_INT_FOR(what, end - first, nwaits))
			for (size_t i = 0; i < nwaits; i++)
				check_edge(what, &scan, &scan.edges[first + i], &want[i]);
	}
	live_scan_end(&scan);
}

#endif
