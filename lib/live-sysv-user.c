/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-sysv.h"
#include "array.h"
#include "proc-scan.h"
#include "sys.h"

#include <ipckit/hold.h>
#include <string.h>

/* Seconds by which a time taken from boot time and one taken from the clock may differ. */
#define CLOCK_SLACK 2

bool live_sysv_shares(struct live_sysv *sysv, uint32_t process)
{
	int dirfd = live_directory(sysv->scan, process);
	uint64_t namespace;

	return dirfd >= 0 && !proc_namespace(dirfd, "ipc", &namespace) && namespace == sysv->ipc;
}

static int starts_later(struct live_sysv *sysv, uint32_t process, int64_t last, bool *later)
{
	int dirfd = live_directory(sysv->scan, process), r = dirfd < 0 ? dirfd : 0;
	struct proc_stat stat;

	if (!r)
		r = proc_stat_read(dirfd, &stat);
	*later = !r && proc_start_time(&stat, sysv->boot) > last + CLOCK_SLACK;
	return sys_own_trouble(r);
}

int live_sysv_user(struct live_sysv *sysv, pid_t pid, int64_t last, uint32_t *out)
{
	uint32_t process = pid > 0 ? live_find_process(sysv->scan, pid) : IPCKIT_NONE;
	const struct live_process *found;
	bool later;
	int r;

	*out = IPCKIT_NONE;
	if (process == IPCKIT_NONE)
		return 0;
	found = &sysv->scan->processes[process];
	if (!found->nthreads && !found->hidden)
		return 0;
	r = starts_later(sysv, process, last, &later);
	/* Who left the namespace has given back what it held. One that is hidden may be anywhere, and acts. */
	if (!r && !later && (found->hidden || live_sysv_shares(sysv, process)))
		*out = process;
	return r;
}

/* ---- records ---- */

/* "sysv:ID:INDEX", decimal */
static bool read_place(const char *at, struct live_sysv_record *record)
{
	if (strncmp(at, "sysv:", 5))
		return false;
	at += 5;
	return scan_signed(&at, &record->id) && scan_char(&at, ':') && scan_signed(&at, &record->index) &&
	       (*at == ',' || !*at);
}

static int add_record(struct live_sysv *sysv, const struct live_sysv_record *record)
{
	struct live_sysv_record *larger = array_room(sysv->records, sysv->nrecords, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	sysv->records = larger;
	larger[sysv->nrecords++] = *record;
	return 0;
}

/* An environment is inherited: only the process that the record names holds by it. */
static int is_job(struct live_sysv *sysv, uint32_t process, const struct ipckit_hold *hold, bool *out)
{
	pid_t pid = sysv->scan->processes[process].pid;
	struct live_status status;
	bool later = false;
	int r = live_status_read(sysv->scan->root, pid, pid, &status);

	*out = !r && (status.ns_depth ? status.ns_pid : pid) == hold->job;
	if (*out)
		r = starts_later(sysv, process, hold->since_ms / 1000, &later);
	*out = *out && !later;
	return sys_own_trouble(r);
}

static int note_hold(struct live_sysv *sysv, uint32_t process, const char *text)
{
	struct live_sysv_record record = { .process = process };
	struct ipckit_hold hold;
	bool own;
	int r;

	if (ipckit_hold_parse(text, &hold) || !hold.holding)
		return 0;
	r = is_job(sysv, process, &hold, &own);
	if (r || !own)
		return r;
	for (const char *at = hold.at; !r && *at; at += strcspn(at, ","), at += *at == ',')
		if (read_place(at, &record))
			r = add_record(sysv, &record);
	return r;
}

/* A line for each run of exec that became the next one. */
static int read_records(struct live_sysv *sysv, uint32_t process)
{
	int dirfd = live_directory(sysv->scan, process), r = dirfd < 0 ? dirfd : 0;
	const char *record = NULL;
	char *words = NULL;
	size_t size;

	if (!r)
		r = proc_words(dirfd, "environ", &words, &size);
	if (!r)
		record = proc_environ_get(words, size, "IPCKIT_HOLD");
	r = sys_own_trouble(r);
	while (!r && record) {
		r = note_hold(sysv, process, record);
		record = strchr(record, '\n');
		if (record)
			record++;
	}
	free(words);
	return r;
}

int live_sysv_records(struct live_sysv *sysv)
{
	int r = 0;

	if (sysv->recorded)
		return 0;
	sysv->recorded = true;
	for (uint32_t p = 0; !r && p < sysv->scan->nprocesses; p++)
		if (sysv->scan->processes[p].nthreads && live_sysv_shares(sysv, p))
			r = read_records(sysv, p);
	return r;
}

/* ---- edges ---- */

int live_sysv_add(struct live_sysv *sysv, struct live_sysv_edge *edge, uint32_t process)
{
	const struct live_sysv_wait *wait = edge->wait;
	const struct live_how how = {
		.kind = edge->kind,
		.resource = edge->resource,
		.any = true,
		.open = true,
		.level = wait->timed ? IPCKIT_LIVE_TIMED : IPCKIT_LIVE_CERTAIN,
		.reason = "the wait has a limit",
	};
	int r = 0;

	if (!edge->resource)
		return -ENOMEM;
	if (process == IPCKIT_NONE || (process == sysv->scan->threads[wait->thread].process &&
				       sysv->scan->processes[process].nthreads == 1))
		return 0;
	if (!edge->begun)
		r = live_wait(sysv->scan, wait->thread, &how);
	edge->begun = true;
	return r ? r : live_held_by_process(sysv->scan, process);
}
