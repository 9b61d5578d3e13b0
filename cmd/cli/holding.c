/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "holding.h"
#include "stop.h"

#include <errno.h>
#include <string.h>

/* ---- which ---- */

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

static void arrange(struct cli_holding *holding, struct entry *entries, size_t n)
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

int cli_holding_open(struct cli *cli, char **names, size_t n, struct cli_holding *out)
{
	struct entry *entries = calloc(n, sizeof(*entries));
	int r = 0;

	*out = (struct cli_holding){ .count = 1 };
	out->sems = calloc(n, sizeof(struct ipckit_sem *));
	out->names = calloc(n, sizeof(char *));
	if (!entries || !out->sems || !out->names)
		r = cli_fail(cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i < n && !r; i++) {
		entries[i].name = names[i];
		r = cli_sem_open(cli, names[i], IPCKIT_TAKES(IPCKIT_NAME_FILE), &entries[i].sem);
	}
	if (!r)
		arrange(out, entries, n);
	else
		for (size_t i = 0; entries && i < n; i++)
			ipckit_sem_close(entries[i].sem);
	free(entries);
	return r;
}

void cli_holding_close(struct cli_holding *holding)
{
	for (size_t i = 0; i < holding->n; i++)
		ipckit_sem_close(holding->sems[i]);
	free(holding->objects);
	free(holding->names);
	free(holding->sems);
	*holding = (struct cli_holding){ 0 };
}

/* ---- what others can see of it ---- */

static int join_names(const struct cli_holding *holding, size_t from, size_t to, char **out)
{
	size_t size = 1;
	char *text;

	for (size_t i = from; i < to; i++)
		size += strlen(holding->names[i]) + 1;
	text = calloc(1, size);
	if (!text)
		return -ENOMEM;
	for (size_t i = from; i < to; i++)
		strcat(strcat(text, i > from ? " " : ""), holding->names[i]);
	*out = text;
	return 0;
}

/* As many identities as there is room for. */
static int join_identities(const struct cli_holding *holding, size_t from, size_t to, struct ipckit_hold *hold)
{
	size_t used = 0;

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

int cli_holding_describe(const struct cli_holding *holding, size_t from, size_t to, struct ipckit_hold *hold,
			 char **objects)
{
	int r = join_names(holding, from, to, objects);

	if (r)
		return r;
	hold->count = holding->count;
	hold->objects = *objects;
	return join_identities(holding, from, to, hold);
}

int cli_holding_prepare(struct cli *cli, struct cli_holding *holding)
{
	int r;

	if (holding->own == holding->n)
		return 0;
	r = cli_holding_describe(holding, holding->own, holding->n, &holding->guarded, &holding->objects);
	if (r == -E2BIG)
		return cli_fail(cli, NULL, r, "too many objects for one run");
	if (!r)
		r = cli_guard_prepare(&holding->guarded);
	return r ? cli_fail(cli, NULL, r, NULL) : 0;
}

/* ---- taking ---- */

/* The members of one System V set from i on. */
static size_t same_set(const struct cli_holding *holding, size_t i)
{
	size_t end = i;

	while (end < holding->own && ipckit_sem_backend(holding->sems[end]) == IPCKIT_SEM_SYSV &&
	       ipckit_sem_id(holding->sems[end]) == ipckit_sem_id(holding->sems[i]))
		end++;
	return end - i;
}

/* Given back by the kernel: undo values of System V, a descriptor's lock of a file. */
static int take_own(struct cli_holding *holding, const struct ipckit_deadline *deadline)
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
	struct cli_holding *holding = arg;

	for (size_t i = holding->n; i > holding->own; i--)
		(void)!ipckit_sem_give(holding->sems[i - 1], holding->count, 0);
}

static int take_guarded(void *arg, const struct ipckit_deadline *deadline)
{
	struct cli_holding *holding = arg;
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

/* Returns 0, -errno, or the exit status of what was reported. */
static int take_with_guardian(struct cli *cli, struct cli_holding *holding, const struct ipckit_deadline *deadline)
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

int cli_holding_take(struct cli *cli, struct cli_holding *holding, int64_t timeout)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(timeout, &deadline) ?: take_own(holding, &deadline);

	if (!r && !cli_stop_commit())
		r = -EINTR;
	if (!r && holding->own < holding->n)
		r = take_with_guardian(cli, holding, &deadline);
	return r;
}

void cli_holding_give(struct cli_holding *holding)
{
	if (!cli_guard_cancel())
		give_guarded(holding);
	for (size_t i = holding->own; i > 0; i--)
		(void)!ipckit_sem_give(holding->sems[i - 1], holding->count, IPCKIT_SEM_UNDO);
}

int cli_holding_fail(struct cli *cli, const struct cli_holding *holding, int error, const char *timeout)
{
	const char *object = holding->at < holding->own ? holding->names[holding->at] : holding->objects;

	return cli_sem_fail_wait(cli, object, holding->sems[holding->at], error, timeout);
}
