/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hold-word.h"
#include "proc-scan.h"
#include "sys.h"
#include "users-walk.h"

#include <inttypes.h>
#include <ipckit/hold.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A guardian whose job lives. */
struct guardian {
	struct ipckit_hold hold;
	struct seen job;
	struct seen *holder; /* the job, or the guardian itself once the job has ended */
};

static struct ipckit_maybe since(const struct ipckit_hold *hold)
{
	return ipckit_known(hold->since_ms / 1000);
}

/* Whether a process is not a later one that got the pid of the one in the record. */
static bool is_job(const struct walk *walk, const struct seen *seen, const struct ipckit_hold *hold)
{
	if (seen->stat.state == 'Z' || seen->stat.state == 'X')
		return false;
	return proc_start_time(&seen->stat, walk->boot) <= hold->since_ms / 1000 + CLOCK_SLACK;
}

/* ---- the job of a guardian ---- */

struct search {
	uint64_t pid_namespace;
	pid_t job;
	int found;
};

/* Its pid is that of its own PID namespace, which need not be the reader's. */
static int match_job(int dirfd, pid_t pid, void *arg)
{
	struct search *search = arg;
	struct proc_status status;
	uint64_t namespace;
	int r;

	(void)pid;
	if (dirfd < 0 || proc_namespace(dirfd, "pid", &namespace) ||
	    namespace != search->pid_namespace)
		return 0;
	r = proc_status_read(dirfd, &status);
	if (r || status.ns_pid != search->job)
		return r == -ENOMEM ? r : 0;
	search->found = sys_dup(dirfd);
	return 1;
}

static int open_job(const struct walk *walk, const struct seen *guardian, pid_t job)
{
	struct search search = { .job = job, .found = -ESRCH };
	char name[16];
	int r;

	if (proc_namespace(guardian->dirfd, "pid", &search.pid_namespace))
		search.pid_namespace = walk->pid;
	if (search.pid_namespace == walk->pid) {
		snprintf(name, sizeof(name), "%d", (int)job);
		return sys_openat(walk->root, name, O_RDONLY | O_DIRECTORY, 0);
	}
	r = proc_walk(walk->root, ".", match_job, &search);
	return r < 0 ? r : search.found;
}

/* Whoever runs a guardian is one of these, see cmd/cli/guardian.c. */
static const char *const tools[] = { "semctl-cli", "mqtool", "shmtool", "futexctl", "pipecat" };

/* Whether a command line up to here is the name of a tool, perhaps with its path. */
static bool is_tool(const char *command, const char *end)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		size_t length = strlen(tools[i]), before = (size_t)(end - command);

		if (before >= length && !memcmp(end - length, tools[i], length) &&
		    (before == length || end[-(ssize_t)length - 1] == '/'))
			return true;
	}
	return false;
}

bool holders_is_tool(const char *command)
{
	return is_tool(command, command + strcspn(command, " "));
}

const char *guardian_record(const char *command)
{
	static const char mark[] = " guard ";
	const char *p = strstr(command, mark);

	while (p && !is_tool(command, p))
		p = strstr(p + 1, mark);
	return p ? p + strlen(mark) : NULL;
}

static int find_job(const struct walk *walk, struct seen *seen, struct guardian *guardian)
{
	int r;

	guardian->job.dirfd = open_job(walk, seen, guardian->hold.job);
	if (guardian->job.dirfd < 0)
		return guardian->job.dirfd;
	r = seen_describe(&guardian->job);
	if (r)
		return r;
	guardian->job.pid = guardian->job.stat.pid;
	return is_job(walk, &guardian->job, &guardian->hold) ? 0 : -ESRCH;
}

int guardian_read(const struct walk *walk, struct seen *seen, struct guardian **out)
{
	struct guardian *guardian;
	const char *record;
	int r = seen_describe(seen);

	*out = NULL;
	if (r)
		return r;
	record = seen->command ? guardian_record(seen->command) : NULL;
	if (!record)
		return 0;
	guardian = calloc(1, sizeof(*guardian));
	if (!guardian)
		return -ENOMEM;
	guardian->job.dirfd = -1;
	r = ipckit_hold_parse(record, &guardian->hold);
	if (!r) {
		guardian->holder = &guardian->job;
		r = find_job(walk, seen, guardian);
	}
	/* The job has ended and its permits are about to be given back: until then they are held. */
	if ((r == -ESRCH || r == -ENOENT) && guardian->hold.holding) {
		guardian->holder = seen;
		r = 0;
	}
	if (!r) {
		*out = guardian;
		return 0;
	}
	guardian_free(guardian);
	/* What is no record, or waits for a job that has ended, is an ordinary process. */
	return sys_own_trouble(r);
}

void guardian_free(struct guardian *guardian)
{
	if (!guardian)
		return;
	if (guardian->job.dirfd >= 0)
		close(guardian->job.dirfd);
	seen_clear(&guardian->job);
	free(guardian);
}

bool guardian_waits(const struct guardian *guardian)
{
	return guardian && !guardian->hold.holding;
}

/* As ipckit_hold_identity() writes it; false for what nobody holds. */
static bool identity(const struct watched *watched, char text[96])
{
	if (watched->kind == WATCHED_EVENTFD)
		snprintf(text, 96, "eventfd:%" PRId64, watched->id);
	else if (watched->kind == WATCHED_WORD)
		hold_word(text, 96, watched->device, watched->inode, watched->offset);
	else
		return false;
	return true;
}

int guardian_note(const struct guardian *guardian, struct watched *watched)
{
	const struct ipckit_hold *hold = &guardian->hold;
	struct ipckit_process how = {
		.tid = guardian->holder->pid,
		.since = since(hold),
		.count = ipckit_known(hold->count),
		.evidence = hold->holding ? IPCKIT_SEEN_HOLDER : IPCKIT_SEEN_BLOCKED,
	};
	struct ipckit_usage *usage = watched->usage;
	struct seen holder = *guardian->holder;
	char text[96];

	if (!identity(watched, text) || !ipckit_hold_is_at(hold, text))
		return 0;
	if (!hold->holding)
		usage->waiters.value++;
	return walk_add(&holder, &how, hold->holding ? &usage->holders : &usage->waiting);
}

/* ---- jobs that hold by themselves: System V ---- */

/* "sysv:ID:INDEX" */
static bool read_set(const char *at, int64_t *id, int64_t *index)
{
	return !strncmp(at, "sysv:", 5) && (at += 5, scan_signed(&at, id)) && scan_char(&at, ':') &&
	       scan_signed(&at, index) && (*at == ',' || !*at);
}

static int note_record(const struct walk *walk, struct seen *seen, const struct ipckit_hold *hold)
{
	struct watched *set;
	int64_t id, index;
	int r = 0;

	for (const char *at = hold->at; !r && *at; at += strcspn(at, ","), at += *at == ',') {
		struct ipckit_process how = {
			.tid = seen->pid,
			.since = since(hold),
			.count = ipckit_known(hold->count),
			.evidence = IPCKIT_SEEN_HOLDER,
		};

		if (!read_set(at, &id, &index) || !(set = index_find(&walk->sets, id)))
			continue;
		how.index = ipckit_known(index);
		r = walk_add(seen, &how, &set->usage->holders);
	}
	return r;
}

/* An environment is inherited: only the process that the record names is the job. */
static int check_record(const struct walk *walk, struct seen *seen, const char *record)
{
	struct ipckit_hold hold;
	int r;

	if (ipckit_hold_parse(record, &hold) || !hold.holding)
		return 0;
	r = seen_describe(seen);
	if (r)
		return r;
	if (seen->status.ns_pid != hold.job || !is_job(walk, seen, &hold))
		return 0;
	return note_record(walk, seen, &hold);
}

/* A line for each run of exec that became the next one. */
int note_job(const struct walk *walk, struct seen *seen)
{
	const char *record;
	char *words;
	size_t size;
	int r = proc_words(seen->dirfd, "environ", &words, &size);

	if (r)
		return seen_allow(seen, r);
	record = proc_environ_get(words, size, "IPCKIT_HOLD");
	while (!r && record) {
		r = check_record(walk, seen, record);
		record = strchr(record, '\n');
		if (record)
			record++;
	}
	free(words);
	return r;
}
