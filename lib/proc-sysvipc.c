/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

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

static bool read_owners(const char **p, struct proc_sysvsem *set)
{
	uint64_t uid, gid, cuid, cgid;

	if (!field(p, 10, UINT32_MAX, &uid) || !field(p, 10, UINT32_MAX, &gid) ||
	    !field(p, 10, UINT32_MAX, &cuid) || !field(p, 10, UINT32_MAX, &cgid))
		return false;
	set->uid = (uid_t)uid;
	set->gid = (gid_t)gid;
	set->cuid = (uid_t)cuid;
	set->cgid = (gid_t)cgid;
	return true;
}

int proc_sysvsem_parse(const char *line, struct proc_sysvsem *out)
{
	struct proc_sysvsem set = { 0 };
	const char *p = line;
	uint64_t id, mode;
	int64_t key;

	if (!signed_field(&p, &key) || key < INT32_MIN || key > INT32_MAX ||
	    !field(&p, 10, INT_MAX, &id) || !field(&p, 8, 07777, &mode) ||
	    !field(&p, 10, INT_MAX, &set.nsems) || !read_owners(&p, &set) ||
	    !signed_field(&p, &set.otime) || !signed_field(&p, &set.ctime))
		return -EBADMSG;
	scan_blanks(&p);
	if (*p && *p != '\n')
		return -EBADMSG;
	set.key = (int32_t)key;
	set.id = (int)id;
	set.mode = (unsigned)mode & 0777;
	*out = set;
	return 0;
}

static int visit_lines(char *text, proc_sysvsem_visit visit, unsigned *skipped, void *arg)
{
	struct proc_sysvsem set;
	char *line, *rest = text;
	bool heading = true;
	int r;

	while ((line = strsep(&rest, "\n"))) {
		if (heading || !*line) {
			heading = false;
			continue;
		}
		if (proc_sysvsem_parse(line, &set)) {
			(*skipped)++;
			continue;
		}
		r = visit(&set, arg);
		if (r)
			return r;
	}
	return 0;
}

int proc_sysvsem_walk(int root, proc_sysvsem_visit visit, unsigned *skipped, void *arg)
{
	unsigned ignored = 0;
	char *text;
	int r = proc_read(root, "sysvipc/sem", &text, NULL);

	if (r)
		return r;
	r = visit_lines(text, visit, skipped ? skipped : &ignored, arg);
	free(text);
	return r;
}
