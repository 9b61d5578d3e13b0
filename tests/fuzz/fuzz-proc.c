/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The line parsers of /proc, and of a stored semaphore: the first byte chooses one.
 * A process names itself, sets its environment and maps files as it likes.
 */

#include "../../lib/proc.h"
#include "../../lib/sem-image.h"
#include "fuzz.h"

#include <errno.h>

/* Calls a parser on text; what it does not understand it leaves alone. */
#define PARSE(parse, text, out)                                        \
	({                                                             \
		__typeof__(*(out)) before_;                            \
		int r_;                                                \
		memset(out, 0x5a, sizeof(before_));                    \
		memcpy(&before_, out, sizeof(before_));                \
		r_ = parse(text, out);                                 \
		HOLDS(r_ == 0 || r_ == -EBADMSG);                      \
		HOLDS(!r_ || !memcmp(&before_, out, sizeof(before_))); \
		r_ == 0;                                               \
	})

static void try_stat(char *text)
{
	struct proc_stat stat;

	if (!PARSE(proc_stat_parse, text, &stat))
		return;
	HOLDS(stat.pid >= 0 && stat.ppid >= 0 && stat.state);
	HOLDS(strnlen(stat.comm, sizeof(stat.comm)) < sizeof(stat.comm) && strstr(text, stat.comm));
	(void)proc_start_time(&stat, 0);
}

static void try_status(char *text)
{
	struct proc_status status;

	if (!PARSE(proc_status_parse, text, &status))
		return;
	HOLDS(strstr(text, "Uid:") && strstr(text, "Gid:"));
	HOLDS(status.ns_pid >= 0 &&
	      status.has_mm == !!(!strncmp(text, "VmSize:", 7) || strstr(text, "\nVmSize:")));
}

static void try_syscall(char *text)
{
	struct proc_syscall call;

	if (!PARSE(proc_syscall_parse, text, &call))
		return;
	HOLDS(call.state == PROC_IN_SYSCALL ? call.number >= 0 : call.args[0] == 0);
	HOLDS(call.state != PROC_BLOCKED || call.number == -1);
}

static void try_map(char *text)
{
	struct proc_map map;
	const char *end = text + strlen(text);

	if (!PARSE(proc_map_parse, text, &map))
		return;
	HOLDS(map.start <= map.end);
	HOLDS(map.path >= text && map.path <= end && !strchr(map.path, '\n') && *map.path != ' ');
}

static void try_set(char *text)
{
	struct proc_sysvsem set;

	if (!PARSE(proc_sysvsem_parse, text, &set))
		return;
	HOLDS(set.id >= 0 && set.mode <= 0777 && set.nsems <= INT32_MAX);
}

static void try_queue(char *text)
{
	struct proc_sysvmsg queue;

	if (!PARSE(proc_sysvmsg_parse, text, &queue))
		return;
	HOLDS(queue.id >= 0 && queue.mode <= 0777 && queue.lspid >= 0 && queue.lrpid >= 0);
	HOLDS(queue.cbytes <= INT64_MAX && queue.qnum <= INT64_MAX);
}

static void try_segment(char *text)
{
	struct proc_sysvshm segment;

	if (!PARSE(proc_sysvshm_parse, text, &segment))
		return;
	HOLDS(segment.id >= 0 && segment.mode <= 0777 && segment.cpid >= 0 && segment.lpid >= 0);
	HOLDS(segment.size <= INT64_MAX && segment.nattch <= INT64_MAX);
	HOLDS(segment.rss <= INT64_MAX && segment.swap <= INT64_MAX);
}

/* Sums go on from what is there already. */
static void try_smap(char *text)
{
	struct proc_smap map = { .huge = ipckit_known(INT64_MAX - 4096) };
	struct proc_smap before;
	int r;

	memcpy(&before, &map, sizeof(map));
	r = proc_smap_parse(text, &map);
	HOLDS(r == 0 || r == -EBADMSG);
	HOLDS(!r || !memcmp(&map, &before, sizeof(map)));
	HOLDS(!map.rss.known || (map.rss.value >= 0 && map.rss.value % 1024 == 0));
	HOLDS(!map.huge.known || map.huge.value >= before.huge.value);
}

/* Here NULs are what it is about, so it gets the bytes, and a NUL after them as proc_words() adds.
 */
static void try_environ(const uint8_t *data, size_t size)
{
	char *environ = malloc(size + 1);
	const char *value;

	if (!environ)
		exit(1);
	if (size)
		memcpy(environ, data, size);
	environ[size] = '\0';
	value = proc_environ_get(environ, size, "IPCKIT_HOLD");
	if (value) {
		HOLDS(value - environ >= 12 && value <= environ + size);
		HOLDS(!memcmp(value - 12, "IPCKIT_HOLD=", 12));
		HOLDS(value - 12 == environ || !value[-13]);
		HOLDS(strlen(value) <= (size_t)(environ + size - value));
	}
	free(environ);
}

static int read_image(const uint8_t *data, size_t size, struct sem_image *image)
{
	uint8_t *bytes = malloc(size + !size);
	int r;

	if (!bytes)
		exit(1);
	if (size)
		memcpy(bytes, data, size);
	r = sem_image_read(bytes, size, image);
	free(bytes);
	return r;
}

static void try_image(const uint8_t *data, size_t size)
{
	struct sem_image image = { .value = 7 };
	int r = read_image(data, size, &image);

	HOLDS(r == 0 || (r == -EBADMSG && image.value == 7));
	HOLDS(r || image.value <= INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const lines[])(char *) = { try_stat, try_status, try_syscall, try_map,
						 try_set,  try_queue,  try_segment, try_smap };
	const size_t count = sizeof(lines) / sizeof(*lines);
	size_t which = size ? (uint8_t)(data[0] - '0') % (count + 2) : 0;
	char *text;

	if (!size)
		return 0;
	if (which == count) {
		try_environ(data + 1, size - 1);
	} else if (which > count) {
		try_image(data + 1, size - 1);
	} else {
		text = fuzz_text(data + 1, size - 1);
		lines[which](text);
		free(text);
	}
	return 0;
}
