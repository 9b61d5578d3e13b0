/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"
#include "supply.h"

#include <inttypes.h>
#include <string.h>

static char *file;
static int nul, truncate_input;

static const struct poptOption options[] = {
	{ "file", 'f', POPT_ARG_STRING, &file, 0, "write the contents of this file", "PATH" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)part_offset_options, 0, NULL, NULL },
	{ "nul", 0, POPT_ARG_NONE, &nul, 0, "put a NUL behind the input", NULL },
	{ "truncate-input", 0, POPT_ARG_NONE, &truncate_input, 0,
	  "of an input for which there is not enough room write what fits", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)guard_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct writing {
	struct part part;
	struct supply supply;
	uint64_t room; /* for the input, without its NUL */
	uint64_t done;
};

/* ---- what does not fit ---- */

static int fail_room(struct writing *writing)
{
	const struct supply *supply = &writing->supply;
	uint64_t needed = supply->size + (nul ? 1 : 0);

	return part_fail_room(&writing->part,
			      supply->ended ? ipckit_known((int64_t)needed) : ipckit_unknown());
}

static int tell_rest(struct writing *writing)
{
	struct part *part = &writing->part;
	uint64_t left = 0;
	bool all = true;
	int r = supply_rest(&writing->supply, writing->done, &left, &all);

	cli_progress_end(&part->progress);
	if (r || !left)
		return r;
	cli_warn(part->cli, "%s: the input is longer: bytes written: %" PRIu64 ", left out: %s%" PRIu64, part->object,
		 writing->done, all ? "" : "at least ", left);
	return 0;
}

/* ---- writing ---- */

static int put_nul(struct writing *writing)
{
	return nul ? part_write(&writing->part, writing->part.offset + writing->done, "", 1) : 0;
}

/* All is there that is to be copied: the lock is held for no longer than that. */
static int put_locked(struct writing *writing)
{
	struct part *part = &writing->part;
	struct guard *guard;
	int r;

	cli_progress_end(&part->progress);
	r = guard_spares(part->cli, part->shm, part->offset, writing->done + (nul ? 1 : 0)) ?:
	    guard_take(part->cli, &guard);
	if (r)
		return r;
	cli_progress_begin(part->cli, ipckit_known((int64_t)writing->done), &part->progress);
	r = supply_put(&writing->supply, part, part->offset, writing->done) ?: put_nul(writing);
	cli_progress_end(&part->progress);
	if (!r)
		guard_give(guard);
	return r;
}

static int gather_and_put(struct writing *writing)
{
	struct supply *supply = &writing->supply;
	int r = supply_gather(supply, writing->room, &writing->part.progress);

	if (r)
		return r;
	if (supply->size > writing->room && !truncate_input)
		return fail_room(writing);
	writing->done = supply->size < writing->room ? supply->size : writing->room;
	return put_locked(writing);
}

/* Nothing has to be known of it before: it is written as it comes. */
static int pour(struct writing *writing)
{
	struct part *part = &writing->part;

	return supply_pour(&writing->supply, part, part->offset, writing->room, &writing->done) ?: put_nul(writing);
}

static int write_part(struct writing *writing)
{
	struct part *part = &writing->part;
	int r;

	if (nul && !part->length)
		return part_fail_room(part, ipckit_known(1));
	writing->room = part->length - (nul ? 1 : 0);
	if (supply_is(&writing->supply, part))
		return cli_usage(part->cli, part->object, "the input is this segment itself");
	cli_progress_begin(part->cli, ipckit_unknown(), &part->progress);
	r = truncate_input && !writing->supply.ended && !guard_wanted() ? pour(writing) : gather_and_put(writing);
	if (!r && truncate_input)
		r = tell_rest(writing);
	return r ?: part_done(part, writing->done + (nul ? 1 : 0));
}

/* ---- the verb ---- */

static int open_supply(struct cli *cli, struct supply *out)
{
	const char *text = cli->noperands > 1 ? cli->operands[1] : "-";

	if (cli->noperands > 1 && file)
		return cli_usage(cli, NULL, "TEXT and --file exclude each other");
	if (!strcmp(text, "-"))
		return supply_open(cli, file, out);
	supply_text(cli, text, out);
	return 0;
}

static int run(struct cli *cli)
{
	struct writing writing = { .supply = { .fd = -1 } };
	int r = guard_open(cli) ?: part_open(cli, cli->operands[0], IPCKIT_SHM_WRITE, &writing.part);

	if (r)
		return r;
	r = open_supply(cli, &writing.supply) ?: write_part(&writing);
	supply_close(&writing.supply);
	part_close(&writing.part);
	return r;
}

const struct cli_verb shmtool_write = {
	.name = "write",
	.operands = "OBJECT [TEXT|-]",
	.summary = "write a text, a file or standard input into a segment: all of it or nothing",
	.least = 1,
	.most = 2,
	.flags = CLI_NEGATIVE,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
