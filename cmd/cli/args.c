/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "internal.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <ipckit/parse.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

int cli_duration(struct cli *cli, const char *option, const char *text, int64_t *out)
{
	int error = text ? ipckit_parse_duration(text, out) : 0;

	if (error == -ERANGE)
		return cli_usage(cli, option, "\"%s\" is too long a duration", text);
	if (error)
		return cli_usage(cli, option,
				 "\"%s\" is not a duration (250us 100ms 5s 2m 1h, or inf)", text);
	return 0;
}

int cli_size(struct cli *cli, const char *option, const char *text, uint64_t *out)
{
	int error = text ? ipckit_parse_size(text, out) : 0;

	if (error == -ERANGE)
		return cli_usage(cli, option, "\"%s\" is too large a size", text);
	if (error)
		return cli_usage(cli, option, "\"%s\" is not a size (4096 64K 10M 2G, or 10MB)",
				 text);
	return 0;
}

int cli_count(struct cli *cli, const char *option, const char *text, uint64_t least, uint64_t most,
	      uint64_t *out)
{
	uint64_t count;
	int error;

	if (!text)
		return 0;
	error = ipckit_parse_count(text, most, &count);
	if (error == -ERANGE)
		return cli_usage(cli, option, "\"%s\" is more than %" PRIu64, text, most);
	if (error)
		return cli_usage(cli, option,
				 "\"%s\" is not a count (decimal, 0x hex or 0 octal)", text);
	if (count < least)
		return cli_usage(cli, option, "\"%s\" is less than %" PRIu64, text, least);
	*out = count;
	return 0;
}

int cli_signed(struct cli *cli, const char *option, const char *text, int64_t least, int64_t most,
	       int64_t *out)
{
	int error = text ? ipckit_parse_signed(text, least, most, out) : 0;

	if (error == -ERANGE)
		return cli_usage(cli, option, "\"%s\" is not within %" PRId64 " to %" PRId64, text,
				 least, most);
	if (error)
		return cli_usage(cli, option,
				 "\"%s\" is not a number (decimal, 0x hex or 0 octal)", text);
	return 0;
}

int cli_mode(struct cli *cli, const char *option, const char *text, unsigned base, unsigned *out)
{
	int error = text ? ipckit_parse_mode(text, base, out) : 0;

	if (error == -ERANGE)
		return cli_usage(cli, option, "\"%s\" is beyond 0777", text);
	if (error)
		return cli_usage(cli, option, "\"%s\" is not a mode (0640, or u=rw,g=r,o=)", text);
	return 0;
}

/* ---- owners: a name goes before a number, as chown(1) has it ---- */

static int parse_id(const char *text, uint64_t *out)
{
	/* All ones means "leave it" to chown(2). */
	return ipckit_parse_count(text, UINT32_MAX - 1, out);
}

static int parse_user(struct cli *cli, const char *option, const char *text, uid_t *out)
{
	const struct passwd *user = getpwnam(text);
	uint64_t id;

	if (user)
		*out = user->pw_uid;
	else if (!parse_id(text, &id))
		*out = id;
	else
		return cli_usage(cli, option, "there is no user \"%s\"", text);
	return 0;
}

static int parse_group(struct cli *cli, const char *option, const char *text, gid_t *out)
{
	const struct group *group = getgrnam(text);
	uint64_t id;

	if (group)
		*out = group->gr_gid;
	else if (!parse_id(text, &id))
		*out = id;
	else
		return cli_usage(cli, option, "there is no group \"%s\"", text);
	return 0;
}

int cli_owner(struct cli *cli, const char *option, const char *text, uid_t *uid, gid_t *gid)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	uid_t user = *uid;
	char *name;
	int status = 0;

	if (!text)
		return 0;
	if (!*text || (colon && !colon[1]))
		return cli_usage(cli, option, "\"%s\" is not USER, USER:GROUP or :GROUP", text);
	name = strndup(text, colon ? colon - text : (ptrdiff_t)strlen(text));
	if (!name)
		return cli_fail(cli, option, ENOMEM, NULL);
	if (*name)
		status = parse_user(cli, option, name, &user);
	free(name);
	if (!status && colon)
		status = parse_group(cli, option, colon + 1, gid);
	if (!status)
		*uid = user;
	return status;
}

int cli_name(struct cli *cli, const char *text, unsigned takes, struct ipckit_name *out)
{
	struct ipckit_why why;
	int error = ipckit_name_parse(text, takes, &why, out);

	if (error == -EINVAL)
		return cli_usage(cli, text, "%s", why.text);
	if (error == -ENAMETOOLONG)
		return cli_usage(cli, text, "the name is too long");
	return error ? cli_fail(cli, text, error, NULL) : 0;
}
