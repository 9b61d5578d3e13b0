/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shmtool.h"
#include "../cli/stop.h"

#include <errno.h>
#include <inttypes.h>

int shmtool_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out)
{
	return cli_name(cli, text, IPCKIT_SHM_NAMES | extra, out);
}

int shmtool_open(struct cli *cli, const char *text, unsigned access, struct ipckit_shm **out)
{
	struct ipckit_name name;
	int r = shmtool_name(cli, text, 0, &name);

	if (r)
		return r;
	r = ipckit_shm_open(&name, access, out);
	if (r)
		r = shmtool_fail(cli, text, ipckit_shm_backend_of(&name), r);
	ipckit_name_free(&name);
	return r;
}

int shmtool_fail_wanted(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error,
			const struct ipckit_shm_wanted *wanted)
{
	struct ipckit_limit limit;

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -ENODEV:
		return cli_fail(cli, object, error, CLI_NO_SHM);
	case -EBADMSG:
		return cli_fail(cli, object, error, "what stands there is no shared memory");
	case -EFAULT:
		return cli_fail(cli, object, error, "it shrank while it was used, or its file system is full");
	case -EOPNOTSUPP:
		return cli_fail(cli, object, error, "not supported by %s segments", ipckit_shm_backend_name(backend));
	}
	/* EAGAIN is an answer here, not the limit of processes. */
	if (error != -EAGAIN && !ipckit_shm_limit_hit(backend, -error, wanted, &limit))
		return cli_fail_limit(cli, object, error, &limit);
	return cli_fail(cli, object, error, NULL);
}

int shmtool_fail(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error)
{
	return shmtool_fail_wanted(cli, object, backend, error, &(struct ipckit_shm_wanted){ 0 });
}

/* What stands under the name is no segment, or one of another size. */
static int fail_other(struct cli *cli, const struct ipckit_name *name, const struct ipckit_shm_spec *spec)
{
	struct ipckit_shm_info info = { 0 };
	struct ipckit_maybe size = ipckit_unknown();

	if (!ipckit_shm_stat(name, 0, &info))
		size = info.size;
	ipckit_shm_info_free(&info);
	if (!size.known || (uint64_t)size.value == spec->size)
		return shmtool_fail(cli, name->written, ipckit_shm_backend_of(name), -EBADMSG);
	return cli_fail(cli, name->written, EBADMSG, "there is one, of %" PRId64 " bytes and not of %" PRIu64,
			size.value, spec->size);
}

int shmtool_fail_create(struct cli *cli, const struct ipckit_name *name, const struct ipckit_shm_spec *spec,
			int error)
{
	const struct ipckit_shm_wanted wanted = { .spec = spec, .size = spec->size };

	if (error == -EBADMSG)
		return fail_other(cli, name, spec);
	return shmtool_fail_wanted(cli, name->written, ipckit_shm_backend_of(name), error, &wanted);
}

int shmtool_fail_wait(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error,
		      const char *timeout)
{
	if (error == -ETIMEDOUT)
		return cli_fail_late(cli, object, timeout, "");
	return shmtool_fail(cli, object, backend, error);
}

/* ---- results ---- */

#define DONE(member) .offset = offsetof(struct shmtool_done, member)

enum { WHOLE = 1, PART = 2, BYTES = 4 };

static const struct cli_field done_fields[] = {
	CLI_DONE_FIELDS("the segment as it was named", "posix or sysv"),
	{ "offset", .type = CLI_MAYBE, DONE(offset), .kinds = PART, .summary = "where the bytes begin" },
	{ "bytes", .type = CLI_SIZE, DONE(bytes), .kinds = PART | BYTES, .summary = "how many bytes" },
	{ 0 },
};

static unsigned done_kind(const void *row)
{
	const struct shmtool_done *done = row;

	if (done->offset.known)
		return PART;
	return done->bytes.known ? BYTES : WHOLE;
}

const struct cli_table shmtool_done_table = { done_fields, sizeof(struct shmtool_done), "segments", done_kind };

int shmtool_done(struct cli *cli, const char *object, enum ipckit_shm_backend backend,
		 struct ipckit_maybe offset, struct ipckit_maybe bytes)
{
	const struct shmtool_done done = {
		.head = { object, ipckit_shm_backend_name(backend) },
		.offset = offset,
		.bytes = bytes,
	};

	return cli_emit_record(cli, &shmtool_done_table, &done);
}
