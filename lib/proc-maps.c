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

/* Visits the whole lines of a buffer. *used: the bytes that they took. */
static int visit_lines(char *buffer, size_t size, proc_map_visit visit, unsigned *skipped,
		       void *arg, size_t *used)
{
	char *line = buffer, *end;
	struct proc_map map;
	int r = 0;

	while (!r && (end = memchr(line, '\n', size - (size_t)(line - buffer)))) {
		*end = '\0';
		/* A NUL within would hide the rest of the line. */
		if (strlen(line) == (size_t)(end - line) && !proc_map_parse(line, &map))
			r = visit(&map, arg);
		else
			(*skipped)++;
		line = end + 1;
	}
	*used = (size_t)(line - buffer);
	return r;
}

static int walk(int fd, char *buffer, proc_map_visit visit, unsigned *skipped, void *arg)
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
		r = visit_lines(buffer, filled, visit, skipped, arg, &used);
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

int proc_maps_walk(int dirfd, proc_map_visit visit, unsigned *skipped, void *arg)
{
	unsigned ignored = 0;
	char *buffer;
	int fd = sys_openat(dirfd, "maps", O_RDONLY, 0);
	int r;

	if (fd < 0)
		return fd;
	buffer = malloc(BUFFER);
	r = buffer ? walk(fd, buffer, visit, skipped ? skipped : &ignored, arg) : -ENOMEM;
	free(buffer);
	close(fd);
	return r;
}
