/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "semctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *unique, *value_text, *values_text, *nsems_text, *mode_text, *barrier_text;
static int exclusive;

static const struct poptOption options[] = {
	{ "unique", 0, POPT_ARG_STRING, &unique, 0, "make a POSIX semaphore under a name that nobody has", "PREFIX" },
	{ "value", 'n', POPT_ARG_STRING, &value_text, 0, "first value of each semaphore (default 0)", "N" },
	{ "values", 0, POPT_ARG_STRING, &values_text, 0, "System V: first values of a set", "A,B,..." },
	{ "nsems", 0, POPT_ARG_STRING, &nsems_text, 0, "System V: semaphores in the set (default 1)", "N" },
	{ "barrier", 0, POPT_ARG_STRING, &barrier_text, 0, "System V: make the set that is a barrier", "PARTIES" },
	{ "mode", 'm', POPT_ARG_STRING, &mode_text, 0, "permissions, octal or as chmod takes them (default 0600)", "MODE" },
	{ "exclusive", 'x', POPT_ARG_NONE, &exclusive, 0, "fail where there is one", NULL },
	POPT_TABLEEND
};

struct created {
	struct cli_created head;
	struct ipckit_maybe nsems;
};

static const struct cli_field fields[] = {
	CLI_CREATED_NAME_FIELDS("posix, sysv or unnamed"),
	{ "nsems", .type = CLI_MAYBE, .offset = offsetof(struct created, nsems), .kinds = CLI_KEYED, .summary = "semaphores in the set" },
	CLI_CREATED_FIELD,
	{ 0 },
};

static unsigned kind(const void *row)
{
	return ((const struct created *)row)->head.id.known ? CLI_KEYED : 0;
}

static const struct cli_table table = { fields, sizeof(struct created), "semaphores", kind };

/* What to make, as the options say it. */
struct wish {
	struct ipckit_sem_spec spec;
	unsigned *values;
	unsigned parties; /* 0: no barrier */
};

static int read_value(struct cli *cli, const struct ipckit_name *name, const char *option, const char *text,
		      unsigned *out)
{
	uint64_t value = 0;
	int r = cli_count(cli, option, text, 0, UINT64_MAX, &value);

	if (!r)
		r = semctl_check_value(cli, name->written, ipckit_sem_backend_of(name), value);
	if (!r)
		*out = (unsigned)value;
	return r;
}

static unsigned words_in(const char *list)
{
	unsigned n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static int read_values(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	char *copy = strdup(values_text), *rest = copy;
	unsigned n = words_in(values_text);
	int r = 0;

	wish->values = calloc(n, sizeof(*wish->values));
	if (!copy || !wish->values)
		r = cli_fail(cli, name->written, ENOMEM, NULL);
	for (unsigned i = 0; i < n && !r; i++)
		r = read_value(cli, name, "--values", strsep(&rest, ","), &wish->values[i]);
	free(copy);
	if (!r && nsems_text && wish->spec.count != n)
		r = cli_usage(cli, name->written, "--nsems %u does not fit %u --values", wish->spec.count, n);
	wish->spec.count = n;
	return r;
}

static int read_equal_values(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	unsigned value = 0;
	int r = value_text ? read_value(cli, name, "--value", value_text, &value) : 0;

	if (r)
		return r;
	wish->values = calloc(wish->spec.count, sizeof(*wish->values));
	if (!wish->values)
		return cli_fail(cli, name->written, ENOMEM, NULL);
	for (unsigned i = 0; i < wish->spec.count; i++)
		wish->values[i] = value;
	return 0;
}

static int read_barrier(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	uint64_t parties = 0;
	int r;

	if (value_text || values_text || nsems_text)
		return cli_usage(cli, name->written, "--barrier sets the values itself");
	r = cli_count(cli, "--barrier", barrier_text, 1, UINT64_MAX, &parties);
	if (!r)
		r = semctl_check_value(cli, name->written, IPCKIT_SEM_SYSV, parties);
	wish->parties = (unsigned)parties;
	return r;
}

static int read_wish(struct cli *cli, const struct ipckit_name *name, struct wish *wish)
{
	uint64_t nsems = 1;
	int r;

	*wish = (struct wish){ .spec = { .mode = 0600, .exclusive = exclusive || unique } };
	r = cli_mode(cli, "--mode", mode_text, 0600, &wish->spec.mode);
	if (r)
		return r;
	if (ipckit_sem_backend_of(name) != IPCKIT_SEM_SYSV && (nsems_text || values_text || barrier_text))
		return cli_usage(cli, name->written, "--nsems, --values and --barrier are for System V sets");
	if (barrier_text)
		return read_barrier(cli, name, wish);
	if (value_text && values_text)
		return cli_usage(cli, name->written, "--value and --values exclude each other");
	r = cli_count(cli, "--nsems", nsems_text, 1, INT32_MAX, &nsems);
	if (r)
		return r;
	wish->spec.count = (unsigned)nsems;
	r = values_text ? read_values(cli, name, wish) : read_equal_values(cli, name, wish);
	wish->spec.values = wish->values;
	return r;
}

static int make(const struct ipckit_name *name, const struct wish *wish, bool *created, struct ipckit_sem **sem)
{
	if (wish->parties)
		return ipckit_sem_create_barrier(name, wish->parties, wish->spec.mode, wish->spec.exclusive,
						 created, sem);
	return ipckit_sem_create(name, &wish->spec, created, sem);
}

static int fail(struct cli *cli, const struct ipckit_name *name, const struct wish *wish, int error)
{
	enum ipckit_sem_backend backend = ipckit_sem_backend_of(name);
	unsigned wanted = wish->parties ? 3 : wish->spec.count;
	struct ipckit_limit limit;

	if (unique && error == -EEXIST)
		return CLI_EXISTS;
	if (error == -ENOENT && backend == IPCKIT_SEM_UNNAMED)
		return cli_fail(cli, name->written, error, "there is no such file to hold it");
	if (error == -EFBIG && backend == IPCKIT_SEM_UNNAMED && ipckit_sem_limit_hit(backend, EFBIG, 0, &limit))
		return cli_fail(cli, name->written, error, "the file ends before the semaphore would");
	if (error == -ENOSPC && backend == IPCKIT_SEM_UNNAMED &&
	    !ipckit_limit_of_filesystem(name->kind == IPCKIT_NAME_SHM ? "/dev/shm" : name->text, &limit))
		return cli_fail_limit(cli, name->written, error, &limit);
	if (error == -EBADMSG && wish->parties)
		return cli_fail(cli, name->written, error, "what is there is no barrier for %u parties",
				wish->parties);
	if (error == -EINVAL && backend == IPCKIT_SEM_SYSV && ipckit_sem_limit_hit(backend, EINVAL, wanted, &limit))
		return cli_fail(cli, name->written, error, "there is one, of fewer than %u semaphores", wanted);
	return cli_sem_fail_create(cli, name->written, backend, error, wanted);
}

static int tell(struct cli *cli, const struct ipckit_name *name, const struct ipckit_sem *sem, bool was_created)
{
	struct created row = {
		.head = {
			.backend = ipckit_sem_backend_name(ipckit_sem_backend(sem)),
			.created = was_created,
		},
	};

	if (ipckit_sem_backend(sem) == IPCKIT_SEM_SYSV) {
		row.head.id = ipckit_known(ipckit_sem_id(sem));
		row.nsems = ipckit_known(ipckit_sem_count(sem));
	}
	return cli_emit_created(cli, name, &row.head);
}

static int create_named(struct cli *cli, const struct ipckit_name *name)
{
	struct ipckit_sem *sem;
	struct wish wish;
	bool created;
	int r = read_wish(cli, name, &wish);

	if (!r) {
		r = make(name, &wish, &created, &sem);
		if (r) {
			r = fail(cli, name, &wish, r);
		} else {
			r = tell(cli, name, sem, created);
			ipckit_sem_close(sem);
		}
	}
	free(wish.values);
	return r;
}

static int run(struct cli *cli)
{
	return cli_create(cli, unique, create_named);
}

const struct cli_verb semctl_create = {
	.name = "create",
	.operands = "[OBJECT]",
	.summary = "create a semaphore, or open what exists and leave its value alone",
	.least = 0,
	.most = 1,
	.flags = CLI_ANSWERS,
	.options = options,
	.table = &table,
	.run = run,
};
