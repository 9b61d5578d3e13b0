/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <unistd.h>

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, .offset = offsetof(struct futexctl_word, text),
	  .summary = "the word as it was named" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct futexctl_word), "words", NULL };

static int call(struct cli *cli, const struct futexctl_word *word)
{
	int fd, r = ipckit_futex_fd(word->at, &fd);

	if (r == -ENOSYS)
		return cli_fail(cli, word->text, r, "FUTEX_FD left the kernel in Linux 2.6.26");
	if (r)
		return futexctl_fail(cli, word->text, r);
	close(fd);
	return cli_emit_record(cli, &table, word);
}

static int run(struct cli *cli)
{
	struct futexctl_word word;
	int r = futexctl_open_to_read(cli, cli->operands[0], &word);

	if (r)
		return r;
	r = call(cli, &word);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_fd = {
	.name = "fd",
	.operands = "WORD",
	.summary = "a descriptor for a word: FUTEX_FD, which no kernel since Linux 2.6.26 has",
	.least = 1,
	.most = 1,
	.table = &table,
	.run = run,
};
