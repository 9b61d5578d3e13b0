/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "proc-scan.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any status; groups and masks of many processors make it long. */
#define STATUS_ROOM 8192

#define SIGNAL_BIT(signal) ((uint64_t)1 << ((signal) - 1))

static char *put_number(char *at, pid_t n)
{
	char digits[16];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + n % 10);
	} while (n /= 10);
	while (count)
		*at++ = digits[--count];
	return at;
}

void live_path(char path[LIVE_PATH_ROOM], pid_t pid, pid_t tid, const char *file)
{
	char *at = stpcpy(put_number(path, pid), "/task/");

	at = put_number(at, tid);
	*at++ = '/';
	strcpy(at, file);
}

static bool read_pid(const char *p, pid_t *out)
{
	uint64_t n;

	if (!scan_below(&p, 10, INT_MAX, &n))
		return false;
	*out = (pid_t)n;
	return true;
}

/* The last of the numbers, and how many there are. */
static void read_levels(const char *p, struct live_status *out)
{
	uint64_t n;

	for (; scan_below(&p, 10, INT_MAX, &n); scan_blanks(&p)) {
		out->ns_pid = (pid_t)n;
		out->ns_depth++;
	}
}

static void read_uid(const char *p, struct live_status *out)
{
	uint64_t n;

	if (!scan_below(&p, 10, UINT32_MAX, &n))
		return;
	scan_blanks(&p);
	if (scan_below(&p, 10, UINT32_MAX, &n))
		out->uid = ipckit_known((int64_t)n);
}

/* The kernel writes a backslash and a newline of it as two characters. */
static void read_name(const char *p, char name[64])
{
	size_t length = 0;

	for (; *p && *p != '\n' && length < 63; p++) {
		if (*p == '\\' && (p[1] == '\\' || p[1] == 'n'))
			name[length++] = *++p == 'n' ? '\n' : '\\';
		else
			name[length++] = *p;
	}
	name[length] = '\0';
}

static bool is_key(const char *line, const char *colon, const char *key)
{
	return (size_t)(colon - line) == strlen(key) && !memcmp(line, key, (size_t)(colon - line));
}

/* Counts the lines without which nothing is known. */
static unsigned read_line(const char *line, const char *colon, struct live_status *out)
{
	const char *p = colon + 1;

	if (is_key(line, colon, "Name")) {
		read_name(p + (*p == '\t'), out->name);
		return 0;
	}
	scan_blanks(&p);
	if (is_key(line, colon, "State")) {
		out->state = *p;
		return *p >= 'A';
	}
	if (is_key(line, colon, "TracerPid"))
		return read_pid(p, &out->tracer);
	if (is_key(line, colon, "SigCgt"))
		return scan_number(&p, 16, &out->caught);
	if (is_key(line, colon, "PPid"))
		read_pid(p, &out->parent);
	else if (is_key(line, colon, "NSpgid"))
		read_pid(p, &out->group);
	else if (is_key(line, colon, "NSpid"))
		read_levels(p, out);
	else if (is_key(line, colon, "Threads") && !scan_number(&p, 10, &out->threads))
		out->threads = 0;
	else if (is_key(line, colon, "Uid"))
		read_uid(p, out);
	return 0;
}

/* Most lines are none of these: it is not looked for their colon. */
static bool may_be_told(const char *line)
{
	return *line == 'N' || *line == 'S' || *line == 'T' || *line == 'P' || *line == 'U';
}

int live_status_parse(const char *text, struct live_status *out)
{
	struct live_status status = { 0 };
	unsigned needed = 0;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *colon;

		end = strchrnul(line, '\n');
		colon = may_be_told(line) ? memchr(line, ':', (size_t)(end - line)) : NULL;
		if (colon)
			needed += read_line(line, colon, &status);
	}
	if (needed != 3)
		return -EBADMSG;
	*out = status;
	return 0;
}

int live_status_read(int root, pid_t pid, pid_t tid, struct live_status *out)
{
	char path[LIVE_PATH_ROOM], text[STATUS_ROOM];
	ssize_t n;

	live_path(path, pid, tid, "status");
	n = proc_read_into(root, path, text, sizeof(text));
	return n < 0 ? (int)n : live_status_parse(text, out);
}

int live_runs_parse(const char *text, struct live_runs *out)
{
	struct live_runs runs;
	uint64_t delay;

	if (!scan_number(&text, 10, &runs.time) || !scan_char(&text, ' ') || !scan_number(&text, 10, &delay) ||
	    !scan_char(&text, ' ') || !scan_number(&text, 10, &runs.slices) || *text != '\n')
		return -EBADMSG;
	/* Whoever waits has run before. */
	if (!runs.slices)
		return -EBADMSG;
	*out = runs;
	return 0;
}

int live_runs_read(int root, pid_t pid, pid_t tid, struct live_runs *out)
{
	char path[LIVE_PATH_ROOM], text[80];
	ssize_t n;

	live_path(path, pid, tid, "schedstat");
	n = proc_read_into(root, path, text, sizeof(text));
	return n < 0 ? (int)n : live_runs_parse(text, out);
}

/* The C library takes two realtime signals for itself; who catches a fault does not let anybody go by it. */
bool live_catches(uint64_t caught)
{
	const uint64_t others = SIGNAL_BIT(32) | SIGNAL_BIT(33) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |
				SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGSYS);

	return caught & ~others;
}

uint64_t live_deaf_to_users(void)
{
	return SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) |
	       SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU) |
	       SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGPIPE);
}

bool live_awaits(uint64_t caught)
{
	return live_catches(caught & (~live_deaf_to_users() | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGHUP)));
}
