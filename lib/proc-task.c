/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "proc.h"
#include "sys.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls a parser of one text on a file of a process or thread. */
#define READ_AND_PARSE(dirfd, file, parse, out)                \
	({                                                     \
		char *text_ = NULL;                            \
		int r_ = proc_read(dirfd, file, &text_, NULL); \
		if (!r_)                                       \
			r_ = parse(text_, out);                \
		free(text_);                                   \
		r_;                                            \
	})

/* ---- stat ---- */

/* Goes past n numbers, each after one blank. */
static bool skip_numbers(const char **p, int n)
{
	int64_t ignored;

	while (n-- > 0)
		if (!scan_char(p, ' ') || !scan_signed(p, &ignored))
			return false;
	return true;
}

static void copy_comm(const char *from, const char *to, char comm[64])
{
	size_t length = (size_t)(to - from);

	if (length > 63)
		length = 63;
	memcpy(comm, from, length);
	comm[length] = '\0';
}

int proc_stat_parse(const char *text, struct proc_stat *out)
{
	struct proc_stat stat = { 0 };
	const char *p = text;
	/* The name may hold anything, parentheses and newlines too. */
	const char *end = strrchr(text, ')');
	uint64_t pid, ppid;

	if (!end || !scan_below(&p, 10, INT_MAX, &pid) || !scan_char(&p, ' ') ||
	    !scan_char(&p, '(') || p > end)
		return -EBADMSG;
	copy_comm(p, end, stat.comm);
	p = end + 1;
	if (!scan_char(&p, ' ') || !*p)
		return -EBADMSG;
	stat.state = *p++;
	if (!scan_char(&p, ' ') || !scan_below(&p, 10, INT_MAX, &ppid))
		return -EBADMSG;
	/* Fields 5 to 8, 9 is the flags; then 10 to 21, 22 is the start. */
	if (!skip_numbers(&p, 4) || !scan_char(&p, ' ') || !scan_number(&p, 10, &stat.flags))
		return -EBADMSG;
	if (!skip_numbers(&p, 12) || !scan_char(&p, ' ') || !scan_number(&p, 10, &stat.start))
		return -EBADMSG;
	stat.pid = (pid_t)pid;
	stat.ppid = (pid_t)ppid;
	*out = stat;
	return 0;
}

int proc_stat_read(int dirfd, struct proc_stat *out)
{
	return READ_AND_PARSE(dirfd, "stat", proc_stat_parse, out);
}

/* ---- status ---- */

/* The text after "KEY:" where a line begins with it, else NULL. */
static const char *after_key(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length))
		return NULL;
	line += length;
	scan_blanks(&line);
	return line;
}

/* Which number of the line it is that counts: real, effective, saved, file system. */
static bool read_effective(const char *p, uint64_t *out)
{
	if (!scan_below(&p, 10, UINT32_MAX, out))
		return false;
	scan_blanks(&p);
	return scan_below(&p, 10, UINT32_MAX, out);
}

static bool read_last(const char *p, uint64_t *out)
{
	bool found = false;

	for (; scan_below(&p, 10, INT_MAX, out); scan_blanks(&p))
		found = true;
	return found;
}

int proc_status_parse(const char *text, struct proc_status *out)
{
	struct proc_status status = { 0 };
	bool has_uid = false, has_gid = false;
	uint64_t n;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value;

		line += *line == '\n';
		if ((value = after_key(line, "Uid:")) && read_effective(value, &n)) {
			status.uid = (uid_t)n;
			has_uid = true;
		} else if ((value = after_key(line, "Gid:")) && read_effective(value, &n)) {
			status.gid = (gid_t)n;
			has_gid = true;
		} else if ((value = after_key(line, "Tgid:")) && scan_below(&value, 10, INT_MAX, &n)) {
			status.tgid = (pid_t)n;
		} else if ((value = after_key(line, "Threads:")) && scan_number(&value, 10, &n)) {
			status.threads = n;
		} else if ((value = after_key(line, "NSpid:")) && read_last(value, &n)) {
			status.ns_pid = (pid_t)n;
		} else if (after_key(line, "VmSize:")) {
			status.has_mm = true;
		}
	}
	if (!has_uid || !has_gid)
		return -EBADMSG;
	*out = status;
	return 0;
}

int proc_status_read(int dirfd, struct proc_status *out)
{
	return READ_AND_PARSE(dirfd, "status", proc_status_parse, out);
}

int proc_has_memory(int dirfd)
{
	struct proc_status status;
	int r = proc_status_read(dirfd, &status);

	if (sys_lacks_resources(r))
		return r;
	return r ? r != -ESRCH && r != -ENOENT : status.has_mm || status.threads > 1;
}

/* ---- syscall ---- */

int proc_syscall_parse(const char *text, struct proc_syscall *out)
{
	struct proc_syscall call = { .state = PROC_IN_SYSCALL };
	const char *p = text;
	int64_t number;

	if (!strncmp(text, "running", 7) && (text[7] == '\n' || !text[7])) {
		call.state = PROC_RUNNING;
		*out = call;
		return 0;
	}
	if (!scan_signed(&p, &number) || number < -1 || number > INT_MAX || !scan_char(&p, ' '))
		return -EBADMSG;
	call.number = (long)number;
	if (number == -1) {
		call.state = PROC_BLOCKED;
		*out = call;
		return 0;
	}
	for (int i = 0; i < 6; i++) {
		if (!scan_char(&p, '0') || !scan_char(&p, 'x') ||
		    !scan_number(&p, 16, &call.args[i]) || !scan_char(&p, ' '))
			return -EBADMSG;
	}
	*out = call;
	return 0;
}

int proc_syscall_read(int dirfd, struct proc_syscall *out)
{
	char text[PROC_SYSCALL_ROOM];
	ssize_t n = proc_read_into(dirfd, "syscall", text, sizeof(text));

	return n < 0 ? (int)n : proc_syscall_parse(text, out);
}

/* ---- words ---- */

int proc_words(int dirfd, const char *file, char **out, size_t *size)
{
	return proc_read(dirfd, file, out, size);
}

/* What has no command line: a kernel thread, a zombie, a process that wiped it. */
static int name_in_brackets(int dirfd, char **out)
{
	struct proc_stat stat;
	int r = proc_stat_read(dirfd, &stat);

	if (r)
		return r;
	return asprintf(out, "[%s]", stat.comm) < 0 ? -ENOMEM : 0;
}

int proc_command(int dirfd, char **out)
{
	char *words;
	size_t size;
	int r = proc_words(dirfd, "cmdline", &words, &size);

	if (r)
		return r;
	while (size && !words[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		if (!words[i])
			words[i] = ' ';
	if (size) {
		*out = words;
		return 0;
	}
	free(words);
	return name_in_brackets(dirfd, out);
}

const char *proc_environ_get(const char *environ, size_t size, const char *name)
{
	const char *end = environ + size;
	size_t length = strlen(name);

	for (const char *p = environ; p < end; p += strnlen(p, (size_t)(end - p)) + 1)
		if ((size_t)(end - p) > length && !memcmp(p, name, length) && p[length] == '=')
			return p + length + 1;
	return NULL;
}

/* ---- time and namespaces ---- */

static int parse_boot_time(const char *text, int64_t *out)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value;

		line += *line == '\n';
		value = after_key(line, "btime ");
		if (value && scan_signed(&value, out))
			return 0;
	}
	return -EBADMSG;
}

int proc_boot_time(int root, int64_t *out)
{
	return READ_AND_PARSE(root, "stat", parse_boot_time, out);
}

int64_t proc_start_time(const struct proc_stat *stat, int64_t boot)
{
	long ticks = sysconf(_SC_CLK_TCK);

	return boot + (int64_t)(stat->start / (uint64_t)(ticks > 0 ? ticks : 100));
}

/* "ipc:[4026531839]" */
int proc_namespace(int dirfd, const char *name, uint64_t *out)
{
	char path[32], text[64];
	const char *p;
	uint64_t inode;
	ssize_t n;

	snprintf(path, sizeof(path), "ns/%s", name);
	n = sys_result(readlinkat(dirfd, path, text, sizeof(text) - 1));
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	p = strchr(text, ':');
	if (!p || !scan_char(&p, ':') || !scan_char(&p, '[') || !scan_number(&p, 10, &inode) ||
	    *p != ']')
		return -EBADMSG;
	*out = inode;
	return 0;
}

/* ---- fdinfo ---- */

int proc_fdinfo_field(int dirfd, int fd, const char *field, int base, uint64_t *out)
{
	char path[32], *text;
	uint64_t value;
	int r;

	snprintf(path, sizeof(path), "fdinfo/%d", fd);
	r = proc_read(dirfd, path, &text, NULL);
	if (r)
		return r;
	r = -ENOENT;
	for (const char *line = text; r && line; line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		at = after_key(line, field);
		if (at && scan_number(&at, (unsigned)base, &value))
			r = 0;
	}
	if (!r)
		*out = value;
	free(text);
	return r;
}
