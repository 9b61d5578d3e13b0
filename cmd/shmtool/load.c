/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supply.h"

#include <errno.h>
#include <inttypes.h>

static char *mode_text;
static int create;

static const struct poptOption options[] = {
	{ "create", 0, POPT_ARG_NONE, &create, 0, "make it where it is missing, of the input's size", NULL },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0,
	  "permissions of one that is made, octal or as chmod takes them (default 0600)", "MODE" },
	POPT_TABLEEND
};

/* Returns 0 or the exit status; where nothing is open, it is to be made. */
static int open_existing(struct cli *cli, const struct ipckit_name *name, struct ipckit_shm **out)
{
	int r = ipckit_shm_open(name, IPCKIT_SHM_WRITE, out);

	if (r == -ENOENT && create)
		return 0;
	return r ? shmtool_fail(cli, name->written, ipckit_shm_backend_of(name), r) : 0;
}

/* Somebody else may have made one meanwhile, of the same size. */
static int make(struct cli *cli, const struct ipckit_name *name, unsigned mode, struct supply *supply, bool *made,
		struct ipckit_shm **out)
{
	const struct ipckit_shm_spec spec = { .size = supply->size, .mode = mode };
	int r;

	if (!supply->size)
		return cli_malformed(cli, supply->name, 0, 0, "the input is empty, and a segment cannot be");
	r = ipckit_shm_create(name, &spec, made, out);
	return r ? shmtool_fail_create(cli, name, &spec, r) : 0;
}

static int check_size(struct part *part, struct supply *supply)
{
	if (supply->size > part->size)
		return part_fail_room(part, supply->ended ? ipckit_known((int64_t)supply->size) : ipckit_unknown());
	if (supply->size < part->size)
		return cli_malformed(part->cli, supply->name, 0, 0,
				     "the input has %" PRIu64 " bytes, the segment %" PRIu64 ": nothing was written",
				     supply->size, part->size);
	return 0;
}

static int put(struct part *part, struct supply *supply)
{
	int r = supply_gather(supply, part->size, &part->progress);

	cli_progress_end(&part->progress);
	if (!r)
		r = check_size(part, supply);
	if (r)
		return r;
	cli_progress_begin(part->cli, ipckit_known((int64_t)supply->size), &part->progress);
	return supply_put(supply, part, 0, supply->size) ?: part_done(part, supply->size);
}

static int load_existing(struct cli *cli, struct ipckit_shm *shm, const char *object, struct supply *supply)
{
	struct part part;
	int r = part_from(cli, object, shm, &part);

	if (r)
		return r;
	if (supply_is(supply, &part)) {
		r = cli_usage(cli, object, "the input is this segment itself");
	} else {
		cli_progress_begin(cli, ipckit_unknown(), &part.progress);
		r = put(&part, supply);
	}
	part_close(&part);
	return r;
}

static int load_new(struct cli *cli, const struct ipckit_name *name, unsigned mode, struct supply *supply)
{
	struct cli_progress progress;
	struct ipckit_shm *shm;
	bool made = false;
	int r;

	cli_progress_begin(cli, ipckit_unknown(), &progress);
	r = supply_gather(supply, UINT64_MAX - 1, &progress);
	cli_progress_end(&progress);
	if (!r)
		r = make(cli, name, mode, supply, &made, &shm);
	if (r)
		return r;
	r = load_existing(cli, shm, name->written, supply);
	/* Half of it is not to stay under the name. */
	if (r && made)
		(void)!ipckit_shm_remove(name);
	return r;
}

static int load(struct cli *cli, const struct ipckit_name *name, unsigned mode)
{
	struct ipckit_shm *shm = NULL;
	struct supply supply;
	int r = open_existing(cli, name, &shm);

	if (r)
		return r;
	r = supply_open(cli, NULL, &supply);
	if (!r)
		r = shm ? load_existing(cli, shm, name->written, &supply) : load_new(cli, name, mode, &supply);
	supply_close(&supply);
	return r;
}

static int run(struct cli *cli)
{
	struct ipckit_name name;
	unsigned mode = 0600;
	int r;

	if (mode_text && !create)
		return cli_usage(cli, NULL, "--mode is for --create");
	r = cli_mode(cli, "--mode", mode_text, 0600, &mode) ?: shmtool_name(cli, cli->operands[0], 0, &name);
	if (r)
		return r;
	r = load(cli, &name, mode);
	ipckit_name_free(&name);
	return r;
}

const struct cli_verb shmtool_load = {
	.name = "load",
	.operands = "OBJECT",
	.summary = "replace all bytes of a segment by standard input, which has as many",
	.least = 1,
	.most = 1,
	.options = options,
	.table = &shmtool_done_table,
	.run = run,
};
