/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What stands in the memory of a process: around a word that one of its threads sleeps on, or, where the first byte
 * says so, of its C library. Two bytes say how it is looked at, the rest is the memory.
 */

#include "../../lib/live-layout.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define BASE 0x10000u

#define WIDE    0x01
#define MUSL    0x02
#define PRIVATE 0x04
#define BITSET  0x08
#define SHARED  0x10
#define LIBRARY 0x20

static int memory;
static struct live_thread threads[3];
static struct live_process process = { .pid = 1, .nthreads = 3, .node = IPCKIT_NONE };
static uint32_t by_tid[3] = { 0, 1, 2 };
static char path[] = "/lib/libc.so.6";
static struct live_map map = { .start = BASE, .end = BASE << 1, .file = { .device = 1, .inode = 1 } };
static struct live_mapper mapper = { .file = { .device = 1, .inode = 1 } };

/* One process with the threads 1 to 3; nothing of it can be read but its memory. */
static void make_scan(struct live_scan *scan)
{
	for (uint32_t i = 0; i < 3; i++)
		threads[i] = (struct live_thread){ .tid = (pid_t)i + 1, .node = IPCKIT_NONE };
	*scan = (struct live_scan){
		.root = -1,
		.threads = threads,
		.nthreads = 3,
		.processes = &process,
		.nprocesses = 1,
		.by_tid = by_tid,
		.directory = memory, /* it is open */
		.memory = memory,
	};
}

static void make_futexes(struct live_scan *scan, struct live_futexes *futexes)
{
	*futexes = (struct live_futexes){
		.scan = scan,
		.libc_process = IPCKIT_NONE,
		.gone_process = IPCKIT_NONE,
		.maps = {
			.scan = scan,
			.list = &map,
			.count = 1,
			.paths = path,
			.all = true,
			.mappers = &mapper,
			.nmappers = 1,
		},
	};
}

static void try_library(struct live_futexes *futexes)
{
	enum live_libc libc;

	HOLDS(live_libc_of(futexes, 0, &libc) == 0);
	HOLDS(libc == LIVE_LIBC_UNKNOWN || libc == LIVE_LIBC_GLIBC);
	HOLDS(futexes->nlibcs <= 1);
}

static void try_word(struct live_futexes *futexes, unsigned how, unsigned at)
{
	struct live_words_file file = { .file = map.file, .name = "x", .levels = 1 };
	struct live_word word = {
		.futexes = futexes,
		.call = { .operation = "x", .private = how & PRIVATE, .address = BASE + at * sizeof(uint32_t) },
		.wide = how & WIDE,
		.own = !(how & SHARED),
		.map = map,
	};
	struct live_verdict verdict;
	int r;

	word.call.bitset = how & BITSET ? ipckit_known(UINT32_MAX) : ipckit_unknown();
	if (live_read(futexes->scan, 0, word.call.address, &word.value, sizeof(word.value)))
		return;
	futexes->files = &file;
	futexes->nfiles = 1;
	r = how & MUSL ? live_musl_judge(&word, &verdict) : live_glibc_judge(&word, &verdict);
	HOLDS(r == 0 || r == 1);
	HOLDS(!r || (live_kind_what(verdict.kind) && verdict.object <= word.call.address));
	HOLDS(!r || verdict.who != LIVE_WHO_OWNER || verdict.owner < 3);
	HOLDS(!r || verdict.who != LIVE_WHO_NOBODY || !(how & MUSL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct live_futexes futexes;
	struct live_scan scan;

	if (size < 2 || size > BASE)
		return 0;
	if (!memory)
		memory = memfd_create("fuzz", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, 0) ||
	    pwrite(memory, data + 2, size - 2, BASE) != (ssize_t)(size - 2))
		exit(1);
	make_scan(&scan);
	make_futexes(&scan, &futexes);
	if (data[0] & LIBRARY)
		try_library(&futexes);
	else
		try_word(&futexes, data[0], data[1]);
	free(futexes.libcs);
	return 0;
}
