/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fan.h"
#include "../cli/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

const struct poptOption fan_options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_open_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_stats_options, 0, NULL, NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)pipecat_idle_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* ---- operands ---- */

static int read_operands(struct fan_run *run)
{
	const struct fan_kind *kind = run->kind;
	size_t n = run->count + 1, standard = 0;
	int r = 0;

	run->one = kind->out ? &run->ends[0] : &run->ends[n - 1];
	run->many = kind->out ? &run->ends[1] : &run->ends[0];
	for (size_t i = 0; !r && i < n; i++) {
		bool reads = (&run->ends[i] == run->one) == kind->out;

		r = pipecat_end(run->cli, run->cli->operands[i], IPCKIT_ENDS_ALL,
				reads ? PIPECAT_READ : PIPECAT_WRITE, &run->ends[i]);
	}
	for (size_t i = 0; !r && i < run->count; i++)
		standard += run->many[i].at.kind == IPCKIT_END_STANDARD;
	if (standard > 1)
		r = cli_usage(run->cli, "-", "is given %zu times", standard);
	return r ?: pipecat_check_opening(run->cli, run->ends, n);
}

static int check_format(struct cli *cli)
{
	if (!pipecat_output_taken)
		return 0;
	if (cli->format_given && cli_prints(cli))
		return cli_usage(cli, NULL, "the data go to standard output: use --stats, which goes to standard error");
	cli_raw(cli);
	return 0;
}

static int prepare(struct fan_run *run)
{
	size_t n = (size_t)run->cli->noperands;
	int r;

	run->count = n - 1;
	run->ends = calloc(n, sizeof(*run->ends));
	run->states = calloc(n, sizeof(*run->states));
	run->told = calloc(n, sizeof(*run->told));
	if (!run->ends || !run->states || !run->told)
		return cli_fail(run->cli, NULL, ENOMEM, NULL);
	r = pipecat_read_opening(run->cli, &run->opening) ?: pipecat_stats_read(run->cli, &run->stats) ?:
	    pipecat_read_idle(run->cli, &run->idle) ?: read_operands(run) ?: check_format(run->cli);
	if (run->opening.nonblock)
		run->idle = 0;
	return r;
}

static int open_ends(struct fan_run *run)
{
	struct pipecat_end **ends = calloc(run->count + 1, sizeof(struct pipecat_end *));
	int r;

	if (!ends)
		return cli_fail(run->cli, NULL, ENOMEM, NULL);
	for (size_t i = 0; i <= run->count; i++)
		ends[i] = &run->ends[i];
	/* Whoever comes first is read from first. A try looks whether all are there. */
	run->opening.unawaited = !run->kind->out && run->opening.timeout;
	if (run->opening.unawaited)
		ipckit_deadline_in(run->opening.timeout, &run->spec.opening);
	r = pipecat_open(run->cli, ends, run->count + 1, &run->opening);
	free(ends);
	return r;
}

/* ---- while it runs ---- */

/* All that was read from the source; all that the sink got. */
static uint64_t bytes_of(const struct fan_run *run)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct ipckit_fan_state *state = &run->states[i];

		if (!run->kind->out)
			bytes += state->bytes;
		else if (state->bytes + state->dropped > bytes)
			bytes = state->bytes + state->dropped;
	}
	return bytes;
}

static void step(void *arg)
{
	struct fan_run *run = arg;

	pipecat_stats_step(&run->stats, bytes_of(run));
}

static void note_failure(struct fan_run *run, int status)
{
	if (!run->status)
		run->status = status;
}

/* The other side shall see that nobody reads, or writes, any more; a command is waited for at the end. */
static void let_go(struct pipecat_end *end)
{
	if (end->foreign)
		return;
	pipecat_end_output(end);
	if (end->in >= 0)
		close(end->in);
	if (end->out >= 0 && end->out != end->in)
		close(end->out);
	end->in = end->out = -1;
}

/* That is no failure: its status is told at the end. */
static bool is_unread_command(const struct fan_run *run, const struct pipecat_end *end, int error)
{
	return error == -EPIPE && end->child && (end == run->one) != run->kind->out;
}

static void tell(struct fan_run *run, size_t i)
{
	struct cli_progress *progress = &run->stats.progress;
	int error = run->states[i].error;
	bool on = progress->on;

	if (!error)
		return;
	if (is_unread_command(run, &run->many[i], error)) {
		cli_note(run->cli, "%s: nobody reads from it any more", run->many[i].text);
		return;
	}
	cli_progress_end(progress);
	note_failure(run, run->kind->fail(run, i, error));
	progress->on = on;
}

static void ended(void *arg, struct ipckit_flow *flow)
{
	struct fan_run *run = arg;

	(void)flow;
	for (size_t i = 0; i < run->count; i++) {
		if (!run->states[i].ended || run->told[i])
			continue;
		run->told[i] = true;
		tell(run, i);
		let_go(&run->many[i]);
	}
}

static int fan(struct fan_run *run)
{
	const struct ipckit_relay relay = {
		.idle = run->idle,
		.stop = pipecat_stop(),
		.period = pipecat_stats_period(&run->stats),
		.tick = step,
		.ended = ended,
		.arg = run,
	};
	int *fds = calloc(run->count, sizeof(*fds)), r;

	if (!fds)
		return -ENOMEM;
	for (size_t i = 0; i < run->count; i++)
		fds[i] = run->kind->out ? run->many[i].out : run->many[i].in;
	r = run->kind->out ? ipckit_fan_out(&relay, &run->spec, run->one->in, fds, run->count, run->states) :
			     ipckit_fan_in(&relay, &run->spec, fds, run->count, run->one->out, run->states);
	free(fds);
	return r;
}

/* ---- at the end ---- */

static int fail_whole(struct fan_run *run)
{
	struct ipckit_maybe took = ipckit_unknown();

	switch (run->error) {
	case 0:
		return 0;
	case -EPIPE:
		/* No sink is left: what befell each has been told. */
		if (run->kind->out || is_unread_command(run, run->one, run->error))
			return 0;
		break;
	case -ETIMEDOUT:
		if (run->idle != IPCKIT_FOREVER)
			return pipecat_fail_idle(run->cli, run->one->text);
		break;
	case -EINVAL:
		return cli_usage(run->cli, run->one->text, "a %s is the same file", run->kind->out ? "sink" : "source");
	}
	if (!run->kind->out)
		took = ipckit_known((int64_t)bytes_of(run));
	return pipecat_fail_end(run->cli, run->one, run->error, took);
}

static int settle(struct fan_run *run, struct pipecat_end *end)
{
	int r = pipecat_settle(end, run->idle);

	return r ? pipecat_fail_end(run->cli, end, r, ipckit_unknown()) : 0;
}

/* Also where no command wants more. */
static bool has_ended_well(const struct fan_run *run)
{
	return !run->error || (run->error == -EPIPE && !run->status);
}

/* A failure of one does not keep the others from getting all; that none is left is the affair of each. */
static bool is_well(const struct fan_run *run, const struct pipecat_end *end)
{
	bool one = end == run->one, none_left = run->kind->out && run->error == -EPIPE;
	int error = one ? 0 : run->states[end - run->many].error;

	if (cli_stopped() || (!has_ended_well(run) && (one || !none_left)))
		return false;
	return !error || is_unread_command(run, end, error);
}

/* A command that nobody read from any more may say so. */
static int close_end(struct fan_run *run, struct pipecat_end *end)
{
	bool unread = run->error == -EPIPE && (end == run->one) == run->kind->out;
	int status = pipecat_close(run->cli, end, is_well(run, end));

	return unread && status == 128 + SIGPIPE ? 0 : status;
}

static void close_ends(struct fan_run *run)
{
	for (size_t i = 0; i <= run->count; i++)
		if (run->ends[i].out >= 0)
			pipecat_end_output(&run->ends[i]);
	for (size_t i = 0; i <= run->count; i++)
		if (run->ends[i].out >= 0 && is_well(run, &run->ends[i]))
			note_failure(run, settle(run, &run->ends[i]));
	for (size_t i = 0; i <= run->count; i++)
		note_failure(run, close_end(run, &run->ends[i]));
}

static const char *error_name(int error)
{
	return error ? cli_errno_name(error) : NULL;
}

static void fill_part(const struct fan_run *run, size_t i, struct fan_part *out)
{
	const struct ipckit_fan_state *state = &run->states[i];

	*out = (struct fan_part){
		.end = run->cli->operands[run->kind->out ? i + 1 : i],
		.bytes = ipckit_known((int64_t)state->bytes),
		.dropped = ipckit_known((int64_t)state->dropped),
		.records = ipckit_known((int64_t)state->records),
		.error = error_name(state->error),
	};
}

static void fill_row(const struct fan_run *run, struct fan_part *parts, struct fan_row *out)
{
	uint64_t records = 0, bytes = bytes_of(run);

	*out = (struct fan_row){
		.one = run->cli->operands[run->kind->out ? 0 : run->count],
		.bytes = ipckit_known((int64_t)bytes),
		.seconds = pipecat_stats_seconds(&run->stats),
		.method = run->states[0].teed ? "tee" : "copy",
		.error = error_name(run->error),
		.parts = parts,
		.nparts = run->count,
	};
	for (size_t i = 0; i < run->count; i++) {
		fill_part(run, i, &parts[i]);
		records += run->states[i].records;
	}
	out->records = ipckit_known((int64_t)records);
	if (out->seconds > 0)
		out->rate = ipckit_known((int64_t)((double)bytes / out->seconds));
}

static int tell_all(struct fan_run *run)
{
	struct fan_part *parts = calloc(run->count, sizeof(*parts));
	struct fan_row row;
	int r = 0;

	if (!parts)
		return cli_fail(run->cli, NULL, ENOMEM, NULL);
	fill_row(run, parts, &row);
	for (size_t i = 0; !r && run->stats.each && i < run->count; i++)
		r = pipecat_tell(run->cli, run->kind->part, &parts[i]);
	if (!r && run->stats.wanted)
		r = pipecat_tell(run->cli, run->kind->table, &row);
	cli_keep_results(run->cli);
	if (cli_prints(run->cli) && !pipecat_output_taken)
		r = r ?: cli_emit_record(run->cli, run->kind->table, &row);
	free(parts);
	return r;
}

/* ---- from beginning to end ---- */

static void move_all(struct fan_run *run)
{
	pipecat_stats_begin(&run->stats, run->kind->out ? run->one->in : -1,
			    pipecat_output_taken ? STDOUT_FILENO : -1);
	run->error = fan(run);
	pipecat_stats_end(&run->stats, bytes_of(run));
	note_failure(run, fail_whole(run));
}

int fan_run(struct cli *cli, const struct fan_kind *kind, const struct ipckit_fan_spec *spec)
{
	struct fan_run run = { .cli = cli, .kind = kind, .spec = *spec };
	bool opened = false;

	run.status = pipecat_begin(cli) ?: prepare(&run);
	if (!run.status) {
		run.status = open_ends(&run);
		opened = !run.status;
	}
	if (opened)
		move_all(&run);
	for (size_t i = 0; !opened && run.ends && i <= run.count; i++)
		pipecat_close(cli, &run.ends[i], false);
	if (opened) {
		close_ends(&run);
		note_failure(&run, tell_all(&run));
	}
	free(run.ends);
	free(run.states);
	free(run.told);
	return pipecat_finish(cli, run.status);
}
