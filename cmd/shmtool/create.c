/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"
#include "../cli/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static char *unique, *size_text, *mode_text, *hugetlb_size_text, *fill_text;
static int exclusive, noreserve, hugetlb;

static const struct poptOption options[] = {
	{ "unique", 0, POPT_ARG_STRING, &unique, 0, "make a POSIX segment under a name that nobody has", "PREFIX" },
	{ "size", 's', POPT_ARG_STRING, &size_text, 0, "bytes; needed, and one that exists has to have as many",
	  "SIZE" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them (default 0600)",
	  "MODE" },
	{ "exclusive", 'x', POPT_ARG_NONE, &exclusive, 0, "fail where there is one", NULL },
	{ "fill", 0, POPT_ARG_STRING, &fill_text, 0, "what each byte of a new one is, 0 to 255 (default 0)", "BYTE" },
	{ "noreserve", 0, POPT_ARG_NONE, &noreserve, 0, "reserve no space for it: touching it may fail later", NULL },
	{ "hugetlb", 0, POPT_ARG_NONE, &hugetlb, 0, "System V: of huge pages", NULL },
	{ "hugetlb-size", 0, POPT_ARG_STRING, &hugetlb_size_text, 0, "the same, of huge pages of this size", "SIZE" },
	POPT_TABLEEND
};

struct created {
	struct cli_created head;
	struct ipckit_maybe size;
};

static const struct cli_field fields[] = {
	CLI_CREATED_NAME_FIELDS("posix or sysv"),
	{ "size", .type = CLI_SIZE, .offset = offsetof(struct created, size), .summary = "bytes" },
	CLI_CREATED_FIELD,
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct created *)row)->head.id.known ? CLI_KEYED : 0;
}

static const struct cli_table table = { fields, sizeof(struct created), "segments", kind };

/* Under such a name sem_open(3) would find it, and list would not. */
static int check_name(struct cli *cli, const struct ipckit_name *name)
{
	if (name->kind != IPCKIT_NAME_POSIX || strncmp(name->text, "/sem.", 5))
		return 0;
	return cli_usage(cli, name->written, "names that begin with sem. are those of the files of semaphores");
}

static int read_size(struct cli *cli, const struct ipckit_name *name, uint64_t *size)
{
	int r;

	if (!size_text)
		return cli_usage(cli, name->written, "--size is needed");
	r = cli_size(cli, "--size", size_text, size);
	if (!r && !*size)
		r = cli_usage(cli, "--size", "\"%s\": at least 1", size_text);
	return r;
}

/* What is no size of huge pages at all is refused here: the kernel takes some for no size. */
static int read_hugetlb(struct cli *cli, const struct ipckit_name *name, struct ipckit_shm_spec *spec)
{
	uint64_t size = 0;
	int r;

	spec->hugetlb = hugetlb || hugetlb_size_text;
	if (spec->hugetlb && ipckit_shm_backend_of(name) == IPCKIT_SHM_POSIX)
		return cli_usage(cli, name->written, "--hugetlb is for System V segments: the pages of a POSIX one are "
						     "those of /dev/shm (mount option huge=, tmpfs(5))");
	r = cli_size(cli, "--hugetlb-size", hugetlb_size_text, &size);
	if (!r && hugetlb_size_text && (size & (size - 1) || size <= (uint64_t)sysconf(_SC_PAGESIZE)))
		r = cli_usage(cli, "--hugetlb-size", "\"%s\" is no power of two above the size of a page",
			      hugetlb_size_text);
	spec->hugetlb_size = size;
	return r;
}

static int read_spec(struct cli *cli, const struct ipckit_name *name, struct ipckit_shm_spec *spec)
{
	uint64_t fill = 0;
	int r;

	*spec = (struct ipckit_shm_spec){ .mode = 0600, .exclusive = exclusive || unique, .noreserve = noreserve };
	r = check_name(cli, name) ?: read_size(cli, name, &spec->size) ?: read_hugetlb(cli, name, spec) ?:
	    cli_mode(cli, "--mode", mode_text, 0600, &spec->mode) ?:
	    cli_count(cli, "--fill", fill_text, 0, 255, &fill);
	spec->fill = (unsigned char)fill;
	return r;
}

static int fail(struct cli *cli, const struct ipckit_name *name, const struct ipckit_shm_spec *spec, int error)
{
	const struct ipckit_shm_wanted wanted = { .spec = spec, .size = spec->size };

	if (unique && error == -EEXIST)
		return CLI_EXISTS;
	if (error == -EINVAL && spec->hugetlb_size &&
	    ipckit_shm_limit_hit(IPCKIT_SHM_SYSV, EINVAL, &wanted, &(struct ipckit_limit){ 0 }))
		return cli_fail(cli, name->written, error,
				"there are no huge pages of that size here (see /sys/kernel/mm/hugepages)");
	return shmtool_fail_create(cli, name, spec, error);
}

static int tell(struct cli *cli, const struct ipckit_name *name, struct ipckit_shm *shm, bool was_created)
{
	struct created row = {
		.head = { .backend = ipckit_shm_backend_name(ipckit_shm_backend(shm)), .created = was_created },
	};
	uint64_t size;

	if (ipckit_shm_backend(shm) == IPCKIT_SHM_SYSV)
		row.head.id = ipckit_known(ipckit_shm_id(shm));
	if (!ipckit_shm_size(shm, &size))
		row.size = ipckit_known((int64_t)size);
	return cli_emit_created(cli, name, &row.head);
}

static void take_back(const struct ipckit_shm *shm)
{
	struct ipckit_name id = { .kind = IPCKIT_NAME_ID, .id = ipckit_shm_id(shm) };

	(void)!ipckit_shm_remove(&id);
}

/* A System V segment is there before it is filled: half of one is left to nobody. */
static int create(const struct ipckit_name *name, const struct ipckit_shm_spec *spec, bool *created,
		  struct ipckit_shm **shm)
{
	struct ipckit_deadline deadline;
	int r;

	if (ipckit_shm_backend_of(name) == IPCKIT_SHM_POSIX || !spec->fill)
		return ipckit_shm_create(name, spec, created, shm);
	r = cli_deadline(IPCKIT_FOREVER, &deadline) ?: ipckit_shm_create(name, spec, created, shm);
	if (r || cli_stop_commit())
		return r;
	if (*created)
		take_back(*shm);
	ipckit_shm_close(*shm);
	return -EINTR;
}

static int make(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_shm_spec spec;
	struct ipckit_shm *shm;
	bool created;
	int r = read_spec(cli, name, &spec);

	if (r)
		return r;
	r = create(name, &spec, &created, &shm);
	if (r)
		return fail(cli, name, &spec, r);
	r = tell(cli, name, shm, created);
	ipckit_shm_close(shm);
	return r;
}

static int run(struct cli *cli)
{
	return cli_create(cli, unique, make);
}

const struct cli_verb shmtool_create = {
	.name = "create",
	.operands = "[OBJECT]",
	.summary = "create a segment, or open what exists and leave it alone",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
