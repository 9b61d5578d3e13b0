/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>

/* ---- fields ---- */

static bool field(const char **p, unsigned base, uint64_t max, uint64_t *out)
{
	scan_blanks(p);
	return scan_below(p, base, max, out);
}

static bool signed_field(const char **p, int64_t *out)
{
	scan_blanks(p);
	return scan_signed(p, out);
}

static bool id_field(const char **p, uint32_t *out)
{
	uint64_t id;

	if (!field(p, 10, UINT32_MAX, &id))
		return false;
	*out = (uint32_t)id;
	return true;
}

static bool pid_field(const char **p, pid_t *out)
{
	uint64_t pid;

	if (!field(p, 10, INT_MAX, &pid))
		return false;
	*out = (pid_t)pid;
	return true;
}

static bool is_end(const char *p)
{
	scan_blanks(&p);
	return !*p || *p == '\n';
}

/* What the lines of all kinds begin with. The mode carries a kind's own flags. */
static bool read_head(const char **p, int32_t *key, int *id, unsigned *mode)
{
	int64_t key_read;
	uint64_t id_read, mode_read;

	if (!signed_field(p, &key_read) || key_read < INT32_MIN || key_read > INT32_MAX ||
	    !field(p, 10, INT_MAX, &id_read) || !field(p, 8, 07777, &mode_read))
		return false;
	*key = (int32_t)key_read;
	*id = (int)id_read;
	*mode = (unsigned)mode_read;
	return true;
}

int proc_sysvsem_parse(const char *line, struct proc_sysvsem *out)
{
	struct proc_sysvsem set = { 0 };
	const char *p = line;

	if (!read_head(&p, &set.key, &set.id, &set.mode) || !field(&p, 10, INT_MAX, &set.nsems) ||
	    !id_field(&p, &set.uid) || !id_field(&p, &set.gid) || !id_field(&p, &set.cuid) ||
	    !id_field(&p, &set.cgid) || !signed_field(&p, &set.otime) ||
	    !signed_field(&p, &set.ctime) || !is_end(p))
		return -EBADMSG;
	set.mode &= 0777;
	*out = set;
	return 0;
}

int proc_sysvmsg_parse(const char *line, struct proc_sysvmsg *out)
{
	struct proc_sysvmsg queue = { 0 };
	const char *p = line;

	if (!read_head(&p, &queue.key, &queue.id, &queue.mode) ||
	    !field(&p, 10, INT64_MAX, &queue.cbytes) || !field(&p, 10, INT64_MAX, &queue.qnum) ||
	    !pid_field(&p, &queue.lspid) || !pid_field(&p, &queue.lrpid) ||
	    !id_field(&p, &queue.uid) || !id_field(&p, &queue.gid) || !id_field(&p, &queue.cuid) ||
	    !id_field(&p, &queue.cgid) || !signed_field(&p, &queue.stime) ||
	    !signed_field(&p, &queue.rtime) || !signed_field(&p, &queue.ctime) || !is_end(p))
		return -EBADMSG;
	queue.mode &= 0777;
	*out = queue;
	return 0;
}

int proc_sysvshm_parse(const char *line, struct proc_sysvshm *out)
{
	struct proc_sysvshm segment = { 0 };
	const char *p = line;

	if (!read_head(&p, &segment.key, &segment.id, &segment.mode) ||
	    !field(&p, 10, INT64_MAX, &segment.size) || !pid_field(&p, &segment.cpid) ||
	    !pid_field(&p, &segment.lpid) || !field(&p, 10, INT64_MAX, &segment.nattch) ||
	    !id_field(&p, &segment.uid) || !id_field(&p, &segment.gid) || !id_field(&p, &segment.cuid) ||
	    !id_field(&p, &segment.cgid) || !signed_field(&p, &segment.atime) ||
	    !signed_field(&p, &segment.dtime) || !signed_field(&p, &segment.ctime) ||
	    !field(&p, 10, INT64_MAX, &segment.rss) || !field(&p, 10, INT64_MAX, &segment.swap) || !is_end(p))
		return -EBADMSG;
	segment.dest = segment.mode & SHM_DEST;
	segment.locked = segment.mode & SHM_LOCKED;
	segment.mode &= 0777;
	*out = segment;
	return 0;
}

/* ---- tables ---- */

/* Shows a line of a table to whoever walks over it; not understood: sets bad. */
typedef int (*line_visit)(const char *line, void *arg, bool *bad);

static int visit_lines(char *text, line_visit visit, unsigned *skipped, void *arg)
{
	char *line, *rest = text;
	bool heading = true;

	while ((line = strsep(&rest, "\n"))) {
		bool bad = false;
		int r;

		if (heading || !*line) {
			heading = false;
			continue;
		}
		r = visit(line, arg, &bad);
		if (bad)
			(*skipped)++;
		else if (r)
			return r;
	}
	return 0;
}

static int walk_table(int root, const char *path, line_visit visit, unsigned *skipped, void *arg)
{
	unsigned ignored = 0;
	char *text;
	int r = proc_read(root, path, &text, NULL);

	if (r)
		return r;
	r = visit_lines(text, visit, skipped ? skipped : &ignored, arg);
	free(text);
	return r;
}

struct sets {
	proc_sysvsem_visit visit;
	void *arg;
};

static int visit_set(const char *line, void *arg, bool *bad)
{
	const struct sets *to = arg;
	struct proc_sysvsem set;

	*bad = proc_sysvsem_parse(line, &set);
	return *bad ? 0 : to->visit(&set, to->arg);
}

int proc_sysvsem_walk(int root, proc_sysvsem_visit visit, unsigned *skipped, void *arg)
{
	struct sets to = { .visit = visit, .arg = arg };

	return walk_table(root, "sysvipc/sem", visit_set, skipped, &to);
}

struct queues {
	proc_sysvmsg_visit visit;
	void *arg;
};

static int visit_queue(const char *line, void *arg, bool *bad)
{
	const struct queues *to = arg;
	struct proc_sysvmsg queue;

	*bad = proc_sysvmsg_parse(line, &queue);
	return *bad ? 0 : to->visit(&queue, to->arg);
}

int proc_sysvmsg_walk(int root, proc_sysvmsg_visit visit, unsigned *skipped, void *arg)
{
	struct queues to = { .visit = visit, .arg = arg };

	return walk_table(root, "sysvipc/msg", visit_queue, skipped, &to);
}

struct segments {
	proc_sysvshm_visit visit;
	void *arg;
};

static int visit_segment(const char *line, void *arg, bool *bad)
{
	const struct segments *to = arg;
	struct proc_sysvshm segment;

	*bad = proc_sysvshm_parse(line, &segment);
	return *bad ? 0 : to->visit(&segment, to->arg);
}

int proc_sysvshm_walk(int root, proc_sysvshm_visit visit, unsigned *skipped, void *arg)
{
	struct segments to = { .visit = visit, .arg = arg };

	return walk_table(root, "sysvipc/shm", visit_segment, skipped, &to);
}
