/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "rows.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pipecat_filter pipecat_filter;

static const struct poptOption options[] = {
	{ "kind", 'k', POPT_ARG_STRING, &pipecat_filter.kinds, 0, "only these, by commas: fifo, pipe, unix, tcp, udp",
	  "KIND" },
	{ "pid", 'p', POPT_ARG_STRING, &pipecat_filter.pid, 0, "only what this process has", "PID" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)cli_list_paths_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* ---- which of them ---- */

static bool find_kind(const char *word, size_t length, unsigned *kinds)
{
	for (unsigned kind = 0; kind <= IPCKIT_CHANNEL_UDP; kind++) {
		const char *name = ipckit_channel_kind_name(kind);

		if (strlen(name) == length && !memcmp(name, word, length)) {
			*kinds |= IPCKIT_CHANNEL(kind);
			return true;
		}
	}
	return false;
}

static int read_kinds(struct cli *cli, unsigned *out)
{
	const char *word = pipecat_filter.kinds;
	unsigned kinds = 0;

	for (; word; word = word[strcspn(word, ",")] ? strchr(word, ',') + 1 : NULL) {
		size_t length = strcspn(word, ",");

		if (!find_kind(word, length, &kinds))
			return cli_usage(cli, "--kind", "\"%.*s\" is not one of fifo, pipe, unix, tcp and udp",
					 (int)length, word);
	}
	if (kinds)
		*out = kinds;
	return 0;
}

static bool has(const struct ipckit_channel_info *info, pid_t pid)
{
	for (size_t i = 0; i < info->nusers; i++)
		if (info->users[i].pid == pid)
			return true;
	return false;
}

/* What a run that watches prints must not be a change that it sees. */
static bool is_output(const struct ipckit_channel_info *info, const struct stat *output)
{
	return (info->inode == output->st_ino && (!info->device || info->device == output->st_dev)) ||
	       (info->peer_inode.known && (ino_t)info->peer_inode.value == output->st_ino);
}

/* pid 0: of all. */
static void keep_wanted(struct ipckit_channels *channels, pid_t pid)
{
	struct stat output;
	bool apart = cli_watches() && !fstat(STDOUT_FILENO, &output) &&
		     (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode));
	size_t kept = 0;

	for (size_t i = 0; i < channels->count; i++) {
		struct ipckit_channel_info *info = &channels->list[i];

		if ((!pid || has(info, pid)) && !(apart && is_output(info, &output)))
			channels->list[kept++] = *info;
		else
			ipckit_channel_info_free(info);
	}
	channels->count = kept;
}

static int read_pid(struct cli *cli, pid_t *out)
{
	uint64_t pid = 0;
	int r = cli_count(cli, "--pid", pipecat_filter.pid, 1, INT32_MAX, &pid);

	*out = (pid_t)pid;
	if (r || !pid || !kill(*out, 0) || errno != ESRCH)
		return r;
	return cli_fail(cli, pipecat_filter.pid, ENOENT, "no such process");
}

static int read_channels(struct cli *cli, unsigned kinds, struct ipckit_channels *out)
{
	const unsigned files = IPCKIT_CHANNEL(IPCKIT_CHANNEL_FIFO) | IPCKIT_CHANNEL(IPCKIT_CHANNEL_UNIX);
	const char *failed = NULL;
	int r;

	if (cli->noperands && !(kinds & files))
		return cli_usage(cli, "--kind", "in directories there are but fifo and unix");
	if (!cli->noperands)
		r = ipckit_channel_list(kinds, out);
	else
		r = ipckit_channel_list_in((const char *const *)cli->operands, (size_t)cli->noperands, kinds, &failed,
					   out);
	if (r == -ENOENT && failed)
		return cli_fail(cli, failed, r, "no such directory");
	if (r == -ENOTDIR)
		return cli_fail(cli, failed, EBADMSG, "it is no directory");
	if (r)
		return failed ? cli_fail(cli, failed, r, NULL) : pipecat_noun.fail(cli, NULL, r);
	return 0;
}

static void note_unreadable(struct cli *cli, const struct ipckit_channels *channels)
{
	const struct ipckit_maybe *unreadable = channels->count ? &channels->list[0].unreadable_processes : NULL;

	if (unreadable && unreadable->known && unreadable->value)
		cli_note(cli, "%d process%s may not be looked at: what they have is not told of",
			 (int)unreadable->value, unreadable->value == 1 ? "" : "es");
}

int pipecat_list_rows(struct cli *cli, unsigned what, struct cli_objects *out)
{
	struct ipckit_channels channels = { 0 };
	unsigned kinds = IPCKIT_CHANNELS_ALL;
	pid_t pid;
	int r = read_kinds(cli, &kinds) ?: read_pid(cli, &pid);

	(void)what;
	if (!r)
		r = read_channels(cli, kinds, &channels);
	if (r)
		return r;
	note_unreadable(cli, &channels);
	keep_wanted(&channels, pid);
	for (size_t i = 0; pipecat_filter.alone && i < channels.count; i++)
		channels.list[i].other_pids = false;
	r = cli_objects_take(&pipecat_noun, channels.list, sizeof(*channels.list), &channels.count, out);
	ipckit_channels_free(&channels);
	return r;
}

const struct cli_verb pipecat_list = {
	.name = "list",
	.operands = "[DIRECTORY...]",
	.summary = "list pipes, FIFOs and sockets in use; or what FIFOs and sockets stand in directories",
	.most = -1,
	.flags = CLI_ANSWERS | CLI_LISTS,
	.options = options,
	.table = &pipecat_info_table,
	.run = cli_run_list,
};

const struct cli_verb pipecat_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "print all that can be told of a FIFO, a pipe or a socket, without opening it",
	.least = 1,
	.most = 1,
	.flags = CLI_ANSWERS,
	.table = &pipecat_info_table,
	.run = cli_run_info,
};
