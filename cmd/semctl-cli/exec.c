/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"
#include "../cli/holding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *count_text, *timeout_text;

static const struct poptOption options[] = {
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "permits of each, all or none (default 1)", "N" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124)", "DURATION" },
	POPT_TABLEEND
};

/* ---- what others can see of it ---- */

/* What an exec run recorded that became this one: its permits are still held. */
static const char *earlier_records(void)
{
	const char *text = getenv("IPCKIT_HOLD");
	struct ipckit_hold hold;

	return text && !ipckit_hold_parse(text, &hold) && hold.job == getpid() ? text : NULL;
}

static int set_record(struct ipckit_hold *hold, const char *earlier)
{
	char text[sizeof(hold->at) + 2048], *records;
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	hold->since_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	/* Names that do not fit are cut. */
	(void)ipckit_hold_format(hold, text, sizeof(text));
	if (asprintf(&records, "%s%s%s", text, earlier ? "\n" : "", earlier ?: "") < 0)
		return -ENOMEM;
	r = setenv("IPCKIT_HOLD", records, 1) ? -errno : 0;
	free(records);
	return r;
}

/* System V: the job is the holder, and says so in its environment, a line for each run. */
static int announce(const struct cli_holding *holding)
{
	const char *earlier = earlier_records();
	struct ipckit_hold hold = { .holding = true, .job = getpid() };
	char *objects = NULL;
	size_t first = 0;
	int r;

	while (first < holding->own && ipckit_sem_backend(holding->sems[first]) == IPCKIT_SEM_FILE)
		first++;
	if (first == holding->own)
		return !earlier && unsetenv("IPCKIT_HOLD") ? -errno : 0;
	/* Identities that do not fit are left out. */
	r = cli_holding_describe(holding, first, holding->own, &hold, &objects);
	if (r != -ENOMEM)
		r = set_record(&hold, earlier);
	free(objects);
	return r;
}

/* ---- what COMMAND gets ---- */

/* A lock lives as long as a descendant has the descriptor. */
static int hand_on_locks(const struct cli_holding *holding)
{
	int r = 0;

	for (size_t i = 0; i < holding->own && r >= 0; i++)
		if (ipckit_sem_backend(holding->sems[i]) == IPCKIT_SEM_FILE)
			r = cli_hand_on(ipckit_sem_id(holding->sems[i]));
	return r < 0 ? r : 0;
}

/* ---- operands ---- */

static int check_count(struct cli *cli, const struct cli_holding *holding, uint64_t count)
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

static int read_options(struct cli *cli, uint64_t *count, int64_t *timeout)
{
	return cli_count(cli, "--count", count_text, 1, UINT64_MAX, count) ?:
	       cli_duration(cli, "--timeout", timeout_text, timeout);
}

static int hold_and_become(struct cli *cli, struct cli_holding *holding, int64_t timeout)
{
	int r = cli_holding_prepare(cli, holding) ?: cli_holding_take(cli, holding, timeout);

	/* What comes from here on finds the job: what it holds is given back by its end. */
	if (!r)
		r = announce(holding) ?: hand_on_locks(holding);
	if (r < 0)
		return cli_holding_fail(cli, holding, r, timeout_text);
	return r ? r : cli_become(cli);
}

static int run(struct cli *cli)
{
	struct cli_holding holding = { 0 };
	int64_t timeout = IPCKIT_FOREVER;
	uint64_t count = 1;
	int r = read_options(cli, &count, &timeout) ?:
		cli_holding_open(cli, cli->operands, (size_t)cli->noperands, &holding) ?:
		check_count(cli, &holding, count);

	holding.count = (unsigned)count;
	if (!r)
		r = hold_and_become(cli, &holding, timeout);
	cli_holding_close(&holding);
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
