/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>

/* Holds the longest line: a path of PATH_MAX bytes, each of them escaped. */
#define BUFFER 32768

static bool read_range(const char **p, struct proc_map *map)
{
	return scan_number(p, 16, &map->start) && scan_char(p, '-') &&
	       scan_number(p, 16, &map->end) && scan_char(p, ' ') && map->start <= map->end;
}

/* "rw-s" */
static bool read_rights(const char **p, struct proc_map *map)
{
	const char *rights = *p;

	if (strnlen(rights, 5) < 5 || rights[4] != ' ' || (rights[3] != 's' && rights[3] != 'p'))
		return false;
	map->readable = rights[0] == 'r';
	map->writable = rights[1] == 'w';
	map->executable = rights[2] == 'x';
	map->shared = rights[3] == 's';
	*p += 5;
	return true;
}

static bool read_file(const char **p, struct proc_map *map)
{
	uint64_t major, minor;

	if (!scan_number(p, 16, &map->offset) || !scan_char(p, ' ') ||
	    !scan_below(p, 16, UINT32_MAX, &major) || !scan_char(p, ':') ||
	    !scan_below(p, 16, UINT32_MAX, &minor) || !scan_char(p, ' ') ||
	    !scan_number(p, 10, &map->inode))
		return false;
	map->major = (unsigned)major;
	map->minor = (unsigned)minor;
	return **p == ' ' || !**p;
}

int proc_map_parse(char *line, struct proc_map *out)
{
	struct proc_map map = { 0 };
	const char *p = line;

	line[strcspn(line, "\n")] = '\0';
	if (!read_range(&p, &map) || !read_rights(&p, &map) || !read_file(&p, &map))
		return -EBADMSG;
	scan_blanks(&p);
	map.path = p;
	*out = map;
	return 0;
}

/* ---- lines ---- */

/* Shows a line of length bytes, which may hold NULs, to whoever walks over them. */
typedef int (*line_visit)(char *line, size_t length, void *arg);

/* Visits the whole lines of a buffer. *used: the bytes that they took. */
static int visit_lines(char *buffer, size_t size, line_visit visit, void *arg, size_t *used)
{
	char *line = buffer, *end;
	int r = 0;

	while (!r && (end = memchr(line, '\n', size - (size_t)(line - buffer)))) {
		*end = '\0';
		r = visit(line, (size_t)(end - line), arg);
		line = end + 1;
	}
	*used = (size_t)(line - buffer);
	return r;
}

static int walk(int fd, char *buffer, line_visit visit, unsigned *skipped, void *arg)
{
	size_t filled = 0, used;
	ssize_t n;
	int r;

	for (;;) {
		n = sys_result(read(fd, buffer + filled, BUFFER - filled));
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		filled += (size_t)n;
		r = visit_lines(buffer, filled, visit, arg, &used);
		if (r)
			return r;
		/* A line without an end is none of the kernel's. */
		if (!used && filled == BUFFER)
			used = filled;
		memmove(buffer, buffer + used, filled - used);
		filled -= used;
	}
	*skipped += filled > 0;
	return (int)n;
}

static int walk_file(int dirfd, const char *file, line_visit visit, unsigned *skipped, void *arg)
{
	char *buffer;
	int fd = sys_openat(dirfd, file, O_RDONLY, 0);
	int r;

	if (fd < 0)
		return fd;
	buffer = malloc(BUFFER);
	r = buffer ? walk(fd, buffer, visit, skipped, arg) : -ENOMEM;
	free(buffer);
	close(fd);
	return r;
}

/* ---- maps ---- */

struct maps {
	proc_map_visit visit;
	unsigned ignored, *skipped;
	void *arg;
};

/* A NUL within would hide the rest of a line. */
static bool read_map(char *line, size_t length, struct proc_map *out)
{
	return strlen(line) == length && !proc_map_parse(line, out);
}

static int visit_map(char *line, size_t length, void *arg)
{
	struct maps *maps = arg;
	struct proc_map map;

	if (read_map(line, length, &map))
		return maps->visit(&map, maps->arg);
	(*maps->skipped)++;
	return 0;
}

int proc_maps_walk(int dirfd, proc_map_visit visit, unsigned *skipped, void *arg)
{
	struct maps maps = { .visit = visit, .arg = arg };

	maps.skipped = skipped ?: &maps.ignored;
	return walk_file(dirfd, "maps", visit_map, maps.skipped, &maps);
}

/* ---- smaps ---- */

/* "  4 kB", in bytes */
static bool read_amount(const char *p, int64_t *out)
{
	uint64_t n;

	scan_blanks(&p);
	if (!scan_below(&p, 10, INT64_MAX / 1024, &n) || strcmp(p, " kB"))
		return false;
	*out = (int64_t)n * 1024;
	return true;
}

static void add_amount(struct ipckit_maybe *sum, int64_t amount)
{
	int64_t n = sum->known ? sum->value : 0;

	*sum = __builtin_add_overflow(n, amount, &n) ? ipckit_unknown() : ipckit_known(n);
}

int proc_smap_parse(const char *line, struct proc_smap *out)
{
	const struct {
		const char *key;
		struct ipckit_maybe *value;
		bool part; /* of a sum */
	} fields[] = {
		{ "Rss:", &out->rss, false },
		{ "Pss:", &out->pss, false },
		{ "Swap:", &out->swap, false },
		{ "KernelPageSize:", &out->page_size, false },
		{ "Shared_Hugetlb:", &out->huge, true },
		{ "Private_Hugetlb:", &out->huge, true },
	};
	int64_t amount;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (strncmp(line, fields[i].key, strlen(fields[i].key)))
			continue;
		if (!read_amount(line + strlen(fields[i].key), &amount))
			return -EBADMSG;
		if (fields[i].part)
			add_amount(fields[i].value, amount);
		else
			*fields[i].value = ipckit_known(amount);
		return 0;
	}
	return -EBADMSG;
}

struct smaps {
	proc_smap_visit visit;
	unsigned ignored, *skipped;
	void *arg;
	struct proc_smap map; /* of which the lines are being read */
	bool begun;
	char *line; /* its own, of BUFFER bytes */
};

static int end_smap(struct smaps *smaps)
{
	bool begun = smaps->begun;

	smaps->begun = false;
	return begun ? smaps->visit(&smaps->map, smaps->arg) : 0;
}

/* "Rss: 4 kB": the first word ends so; that of a mapping's first line does not. */
static bool is_detail(const char *line)
{
	size_t length = strcspn(line, " ");

	return length && line[length - 1] == ':';
}

static int visit_smap(char *line, size_t length, void *arg)
{
	struct smaps *smaps = arg;
	struct proc_map map;
	int r;

	/* Details that are not asked for (flags, keys of other kernels) are no fault. */
	if (is_detail(line)) {
		(void)!proc_smap_parse(line, &smaps->map);
		return 0;
	}
	r = end_smap(smaps);
	if (!read_map(line, length, &map)) {
		(*smaps->skipped)++;
		return r;
	}
	memcpy(smaps->line, line, length + 1);
	map.path = smaps->line + (map.path - line);
	smaps->map = (struct proc_smap){ .map = map };
	smaps->begun = true;
	return r;
}

int proc_smaps_walk(int dirfd, proc_smap_visit visit, unsigned *skipped, void *arg)
{
	struct smaps smaps = { .visit = visit, .arg = arg };
	int r;

	smaps.skipped = skipped ?: &smaps.ignored;
	smaps.line = malloc(BUFFER);
	if (!smaps.line)
		return -ENOMEM;
	r = walk_file(dirfd, "smaps", visit_smap, smaps.skipped, &smaps);
	if (!r)
		r = end_smap(&smaps);
	free(smaps.line);
	return r;
}
