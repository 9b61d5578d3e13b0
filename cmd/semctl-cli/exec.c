/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *count_text, *timeout_text;

static const struct poptOption options[] = {
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "permits of each, all or none (default 1)", "N" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124)", "DURATION" },
	POPT_TABLEEND
};

/*
 * What is to be held, in the one order in which everybody takes: lock files and
 * System V first, which the job holds itself, then what a guardian holds for it.
 */
struct holding {
	struct ipckit_sem **sems;
	char **names; /* of sems, as they were written */
	size_t n;
	size_t own;    /* how many the job holds itself */
	size_t at;     /* the one that failed */
	unsigned count;
	char *objects; /* names of the guarded ones */
	struct ipckit_hold guarded; /* what their guardian tells of them */
};

struct entry {
	struct ipckit_sem *sem;
	char *name;
};

static int by_identity(const void *a, const void *b)
{
	return ipckit_sem_order(((const struct entry *)a)->sem, ((const struct entry *)b)->sem);
}

static bool holds_itself(const struct ipckit_sem *sem)
{
	return ipckit_sem_backend(sem) == IPCKIT_SEM_FILE || ipckit_sem_backend(sem) == IPCKIT_SEM_SYSV;
}

/* ---- taking ---- */

/* The members of one System V set from i on. */
static size_t same_set(const struct holding *holding, size_t i)
{
	size_t end = i;

	while (end < holding->own && ipckit_sem_backend(holding->sems[end]) == IPCKIT_SEM_SYSV &&
	       ipckit_sem_id(holding->sems[end]) == ipckit_sem_id(holding->sems[i]))
		end++;
	return end - i;
}

/* Given back by the kernel: undo values of System V, a descriptor's lock of a file. */
static int take_own(struct holding *holding, const struct ipckit_deadline *deadline)
{
	size_t n;
	int r;

	for (size_t i = 0; i < holding->own; i += n) {
		holding->at = i;
		if (ipckit_sem_backend(holding->sems[i]) == IPCKIT_SEM_FILE) {
			n = 1;
			r = ipckit_sem_take(holding->sems[i], 1, 0, deadline);
		} else {
			n = same_set(holding, i);
			r = ipckit_sem_take_set(&holding->sems[i], (unsigned)n, holding->count,
						IPCKIT_SEM_UNDO, deadline);
		}
		if (r)
			return r;
	}
	return 0;
}

static void give_guarded(void *arg)
{
	struct holding *holding = arg;

	for (size_t i = holding->n; i > holding->own; i--)
		(void)!ipckit_sem_give(holding->sems[i - 1], holding->count, 0);
}

static int take_guarded(void *arg, const struct ipckit_deadline *deadline)
{
	struct holding *holding = arg;
	int r = 0;
	size_t i;

	for (i = holding->own; i < holding->n && !r; i++)
		r = ipckit_sem_take(holding->sems[i], holding->count, 0, deadline);
	if (r) {
		holding->n = i - 1;
		give_guarded(holding);
	}
	return r;
}

/* ---- what others can see of it ---- */

/* As many identities as there is room for; -E2BIG where some are left out. */
static int describe(const struct holding *holding, size_t from, size_t to, struct ipckit_hold *hold)
{
	size_t used = 0;

	hold->count = holding->count;
	for (size_t i = from; i < to; i++) {
		char *next = hold->at + used;

		if (ipckit_hold_identity(holding->sems[i], next + (used > 0), sizeof(hold->at) - used - 2)) {
			*next = '\0';
			return -E2BIG;
		}
		if (used)
			*next = ',';
		used += strlen(next);
	}
	return 0;
}

static int join_names(struct holding *holding, size_t from, size_t to)
{
	size_t size = 1;

	free(holding->objects);
	for (size_t i = from; i < to; i++)
		size += strlen(holding->names[i]) + 1;
	holding->objects = calloc(1, size);
	if (!holding->objects)
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		strcat(strcat(holding->objects, i > from ? " " : ""), holding->names[i]);
	return 0;
}

/* What an exec run recorded that became this one: its permits are still held. */
static const char *earlier_records(void)
{
	const char *text = getenv("IPCKIT_HOLD");
	struct ipckit_hold hold;

	return text && !ipckit_hold_parse(text, &hold) && hold.job == getpid() ? text : NULL;
}

/* System V: the job is the holder, and says so in its environment, a line for each run. */
static int announce(struct holding *holding)
{
	const char *earlier = earlier_records();
	struct ipckit_hold hold = { .holding = true, .job = getpid() };
	struct timespec now;
	char text[sizeof(hold.at) + 2048], *records = NULL;
	size_t first = 0;
	int r;

	while (first < holding->own && ipckit_sem_backend(holding->sems[first]) == IPCKIT_SEM_FILE)
		first++;
	if (first == holding->own)
		return !earlier && unsetenv("IPCKIT_HOLD") ? -errno : 0;
	(void)describe(holding, first, holding->own, &hold);
	r = join_names(holding, first, holding->own);
	if (r)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	hold.since_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	hold.objects = holding->objects;
	/* Names that do not fit are cut. */
	(void)ipckit_hold_format(&hold, text, sizeof(text));
	if (asprintf(&records, "%s%s%s", text, earlier ? "\n" : "", earlier ?: "") < 0)
		r = -ENOMEM;
	else
		r = setenv("IPCKIT_HOLD", records, 1) ? -errno : 0;
	free(records);
	free(holding->objects);
	holding->objects = NULL;
	return r;
}

/* Returns 0, -errno, or the exit status of what was reported. */
static int take_with_guardian(struct cli *cli, struct holding *holding, const struct ipckit_deadline *deadline)
{
	struct cli_guarded guarded = { .take = take_guarded, .give = give_guarded, .arg = holding };
	size_t n = holding->n - holding->own;
	int keep[n];

	for (size_t i = 0; i < n; i++)
		keep[i] = ipckit_sem_id(holding->sems[holding->own + i]);
	holding->at = holding->own;
	guarded.hold = holding->guarded;
	guarded.keep = keep;
	guarded.nkeep = n;
	return cli_guard_start(cli, &guarded, deadline) ?: cli_guard_await();
}

/* Not a single digit, which the redirections of a script would take. */
static int hand_on(int fd)
{
	if (fcntl(fd, F_DUPFD, 10) >= 0)
		return 0;
	return fcntl(fd, F_SETFD, 0) ? -errno : 0;
}

/* A lock lives as long as a descendant has the descriptor. */
static int hand_on_locks(struct holding *holding)
{
	int r = 0;

	for (size_t i = 0; i < holding->own && !r; i++)
		if (ipckit_sem_backend(holding->sems[i]) == IPCKIT_SEM_FILE)
			r = hand_on(ipckit_sem_id(holding->sems[i]));
	return r;
}

/* Likewise. */
static int hold(struct cli *cli, struct holding *holding, int64_t timeout)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(timeout, &deadline) ?: take_own(holding, &deadline);

	if (!r && !cli_stop_commit())
		r = -EINTR;
	if (!r && holding->own < holding->n)
		r = take_with_guardian(cli, holding, &deadline);
	/* What comes from here on finds the job: what it holds is given back by its end. */
	return r ?: announce(holding) ?: hand_on_locks(holding);
}

/* ---- operands ---- */

static int check_count(struct cli *cli, const struct holding *holding, uint64_t count)
{
	for (size_t i = 0; i < holding->n; i++) {
		enum ipckit_sem_backend backend = ipckit_sem_backend(holding->sems[i]);
		int r;

		if (backend == IPCKIT_SEM_FILE && count > 1)
			return cli_usage(cli, holding->names[i], "a lock file has one permit");
		r = semctl_check_count(cli, holding->names[i], backend, count);
		if (r)
			return r;
	}
	return 0;
}

/* In order, each once: an alias of one that was named is the same one. */
static void arrange(struct holding *holding, struct entry *entries, size_t n)
{
	qsort(entries, n, sizeof(*entries), by_identity);
	for (size_t i = 0; i < n; i++) {
		if (holding->n && ipckit_sem_order(holding->sems[holding->n - 1], entries[i].sem) == 0) {
			ipckit_sem_close(entries[i].sem);
			continue;
		}
		holding->sems[holding->n] = entries[i].sem;
		holding->names[holding->n++] = entries[i].name;
		holding->own += holds_itself(entries[i].sem);
	}
}

static int open_all(struct cli *cli, struct holding *holding)
{
	size_t n = (size_t)cli->noperands;
	struct entry *entries = calloc(n, sizeof(*entries));
	int r = 0;

	holding->sems = calloc(n, sizeof(struct ipckit_sem *));
	holding->names = calloc(n, sizeof(char *));
	if (!entries || !holding->sems || !holding->names)
		r = cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < n && !r; i++) {
		entries[i].name = cli->operands[i];
		r = semctl_open(cli, cli->operands[i], IPCKIT_TAKES(IPCKIT_NAME_FILE), &entries[i].sem);
	}
	if (!r)
		arrange(holding, entries, n);
	else
		for (size_t i = 0; entries && i < n; i++)
			ipckit_sem_close(entries[i].sem);
	free(entries);
	return r;
}

static int read_options(struct cli *cli, uint64_t *count, int64_t *timeout)
{
	return cli_count(cli, "--count", count_text, 1, UINT64_MAX, count) ?:
	       cli_duration(cli, "--timeout", timeout_text, timeout);
}

/* What a guardian will tell has to have room, before anything is taken. */
static int prepare_guardian(struct cli *cli, struct holding *holding)
{
	int r = describe(holding, holding->own, holding->n, &holding->guarded);

	if (r)
		return cli_fail(cli, NULL, r, "too many objects for one run");
	r = join_names(holding, holding->own, holding->n);
	if (!r) {
		holding->guarded.objects = holding->objects;
		r = cli_guard_prepare(&holding->guarded);
	}
	return r ? cli_fail(cli, NULL, r, NULL) : 0;
}

static int hold_and_become(struct cli *cli, struct holding *holding, int64_t timeout)
{
	int r = holding->own < holding->n ? prepare_guardian(cli, holding) : 0;

	if (!r)
		r = hold(cli, holding, timeout);
	if (r < 0)
		return semctl_fail_wait(cli, holding->objects ?: holding->names[holding->at], holding->sems[holding->at],
					r, timeout_text);
	return r ? r : cli_become(cli);
}

static int run(struct cli *cli)
{
	struct holding holding = { 0 };
	int64_t timeout = IPCKIT_FOREVER;
	uint64_t count = 1;
	int r = read_options(cli, &count, &timeout) ?: open_all(cli, &holding) ?: check_count(cli, &holding, count);

	holding.count = (unsigned)count;
	if (!r)
		r = hold_and_become(cli, &holding, timeout);
	for (size_t i = 0; i < holding.n; i++)
		ipckit_sem_close(holding.sems[i]);
	free(holding.objects);
	free(holding.names);
	free(holding.sems);
	return r;
}

const struct cli_verb semctl_exec = {
	.name = "exec",
	.operands = "OBJECT...",
	.summary = "run COMMAND while holding a permit of each",
	.least = 1,
	.most = -1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
