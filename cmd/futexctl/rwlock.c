/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"
#include "../cli/command.h"

#include <errno.h>
#include <ipckit/rwlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static char *timeout_text;
static int for_reading, for_writing, keep_running;

static const struct poptOption options[] = {
	{ "read", 'r', POPT_ARG_NONE, &for_reading, 0, "beside other readers", NULL },
	{ "write", 'w', POPT_ARG_NONE, &for_writing, 0, "alone", NULL },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time (status 124); 0: only try",
	  "DURATION" },
	{ "keep-running", 0, POPT_ARG_NONE, &keep_running, 0, "with --write: " FUTEXCTL_KEEP_RUNNING, NULL },
	POPT_TABLEEND
};

/* ---- failures ---- */

/* ": thread 4711 writes", ": 3 readers have it", or nothing where it has been given back by now. */
static const char *tell_holder(const struct futexctl_word *word, char *text, size_t size)
{
	struct ipckit_rwlock_state state;

	*text = '\0';
	if (ipckit_rwlock_decode(__atomic_load_n(word->at, __ATOMIC_RELAXED), &state))
		return text;
	if (state.writer)
		snprintf(text, size, ": thread %d has it for writing", state.writer);
	else if (state.readers)
		snprintf(text, size, ": %u reader%s it", state.readers, state.readers == 1 ? " has" : "s have");
	return text;
}

static int fail(struct cli *cli, const struct futexctl_word *word, const struct futexctl_until *until, int error)
{
	char holder[60];
	uint32_t value;

	switch (error) {
	case -EAGAIN:
		return cli_fail(cli, word->text, error, "would block%s", tell_holder(word, holder, sizeof(holder)));
	case -ETIMEDOUT:
		return futexctl_fail_late(cli, word->text, until, tell_holder(word, holder, sizeof(holder)));
	case -ENOENT:
		return cli_fail(cli, word->text, ENOSYS, "/proc is not mounted");
	case -EOWNERDEAD:
		if (ipckit_word_load(word->word, &value) == -EFAULT)
			return futexctl_fail(cli, word->text, -EFAULT);
		return cli_fail(cli, word->text, error, "the guardian that was to hold it for COMMAND was ended");
	default:
		return futexctl_fail(cli, word->text, error);
	}
}

/* ---- writers: as those of a robust mutex ---- */

static int give(struct cli *cli, const struct futexctl_run *run, int status)
{
	futexctl_warn_taken(cli, run, ipckit_rwlock_write_unlock(run->held));
	return status;
}

static int write_with(struct cli *cli, struct futexctl_word *word, const struct futexctl_until *until)
{
	struct futexctl_run held = {
		.words = word, .count = 1, .until = until, .keep_running = keep_running, .give = give
	};
	struct ipckit_rwlock_writer *writer;
	unsigned dead;
	int r = ipckit_rwlock_write_word(word->word, &until->deadline, &word->owner_died, &dead, &writer);

	if (dead)
		cli_warn(cli, "%s: %u reader%s died without unlocking", word->text, dead, dead == 1 ? "" : "s");
	if (r) {
		r = fail(cli, word, until, r);
		futexctl_close(word);
		return r;
	}
	held.held = writer;
	return futexctl_run(cli, &held);
}

/* ---- readers: counted by a guardian, while the tool becomes COMMAND. Both keep the fence up ---- */

struct reader {
	struct futexctl_word *word;
	bool *owner_died; /* where the guardian can tell */
};

static int take(void *arg, const struct ipckit_deadline *deadline)
{
	const struct reader *reader = arg;

	return ipckit_rwlock_read_word(reader->word->word, deadline, reader->owner_died);
}

static void give_back(void *arg)
{
	const struct reader *reader = arg;

	(void)!ipckit_rwlock_read_word_unlock(reader->word->word);
}

/* What others shall read of it: at `word:` there are no permits. */
static int describe(const struct futexctl_word *word, const char *name, struct ipckit_hold *hold)
{
	struct ipckit_place place;
	int r = ipckit_word_place(word->word, &place);

	if (r)
		return r;
	hold->count = 1;
	hold->objects = name;
	snprintf(hold->at, sizeof(hold->at), "word:%x:%x:%llx:%llx", place.major, place.minor,
		 (unsigned long long)place.inode, (unsigned long long)place.offset);
	return 0;
}

/* 0, -errno, or the exit status of what was reported. name: of the guardian's own, who writes over the operands. */
static int start_guardian(struct cli *cli, struct reader *reader, const char *name,
			  const struct futexctl_until *until)
{
	int fd = ipckit_word_fd(reader->word->word);
	struct cli_guarded guarded = {
		.take = take,
		.give = give_back,
		.arg = reader,
		.keep = &fd,
		.nkeep = fd >= 0,
		/* The next writer finds out. */
		.ends_with_it = fd >= 0,
	};

	return describe(reader->word, name, &guarded.hold) ?: cli_guard_prepare(&guarded.hold) ?:
	       cli_guard_start(cli, &guarded, &until->deadline) ?: cli_guard_await();
}

static int take_read(struct cli *cli, struct reader *reader, const struct futexctl_until *until)
{
	char *name = strdup(reader->word->text);
	int r = name ? start_guardian(cli, reader, name, until) : -ENOMEM;

	free(name);
	return r;
}

/* COMMAND, and what it starts, keep the fence up by a copy of the descriptor. */
static int hand_on(struct cli *cli, const struct futexctl_word *word)
{
	int fd = ipckit_word_fd(word->word), r = fd < 0 ? 0 : cli_hand_on(fd);

	return r < 0 ? cli_fail(cli, word->text, r, NULL) : 0;
}

static int become(struct cli *cli, const struct reader *reader, const struct futexctl_until *until)
{
	int r;

	reader->word->owner_died = *reader->owner_died;
	r = futexctl_tell_deaths(cli, reader->word, 1, until) ?: hand_on(cli, reader->word);
	if (!r)
		return cli_become(cli);
	cli_guard_cancel();
	return r;
}

static int read_with(struct cli *cli, struct futexctl_word *word, const struct futexctl_until *until)
{
	struct reader reader = { .word = word };
	void *shared = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return fail(cli, word, until, -errno);
	reader.owner_died = shared;
	r = take_read(cli, &reader, until);
	r = r < 0 ? fail(cli, word, until, r) : r ?: become(cli, &reader, until);
	munmap(shared, sizeof(bool));
	return r;
}

/* ---- either ---- */

static int read_kind(struct cli *cli)
{
	if (for_reading == for_writing)
		return cli_usage(cli, NULL, "one of --read and --write is needed");
	if (for_reading && keep_running)
		return cli_usage(cli, "--keep-running", "for --write: a reader's COMMAND takes the place of this tool");
	return 0;
}

static int run(struct cli *cli)
{
	struct futexctl_until until;
	struct futexctl_word word;
	int r = read_kind(cli) ?: futexctl_until(cli, timeout_text, NULL, &until) ?:
		futexctl_open_to_lock(cli, cli->operands[0], false, &word);

	if (r)
		return r;
	if (for_writing)
		return write_with(cli, &word, &until);
	r = read_with(cli, &word, &until);
	futexctl_close(&word);
	return r;
}

const struct cli_verb futexctl_rwlock = {
	.name = "rwlock",
	.operands = "WORD",
	.summary = "run COMMAND while holding a lock for many readers or one writer",
	.least = 1,
	.most = 1,
	.flags = CLI_COMMAND,
	.options = options,
	.run = run,
};
