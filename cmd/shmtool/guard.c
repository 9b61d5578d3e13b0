/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"
#include "../cli/holding.h"
#include "../cli/stop.h"

#include <errno.h>
#include <sys/stat.h>

#include <ipckit/mutex.h>
#include <ipckit/word.h>

static char *lock_text, *timeout_text;

const struct poptOption guard_options[] = {
	{ "lock", 0, POPT_ARG_STRING, &lock_text, 0,
	  "hold it meanwhile: PATH@OFFSET or /NAME@OFFSET, the word of a robust mutex, or a semaphore",
	  "WORD|SEMAPHORE" },
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only try", "DURATION" },
	POPT_TABLEEND
};

/* One of these two. */
struct guard {
	struct cli *cli;
	struct ipckit_word *word;
	struct ipckit_mutex *mutex;
	bool owner_died;

	struct cli_holding holding;

	bool opened;
	int64_t timeout;
};

static struct guard guard;

bool guard_wanted(void)
{
	return lock_text;
}

static void close_guard(void)
{
	ipckit_word_close(guard.word);
	cli_holding_close(&guard.holding);
	guard = (struct guard){ 0 };
}

/* ---- words ---- */

static int fail_open(struct cli *cli, int error)
{
	switch (error) {
	case -ENODEV:
		return cli_fail(cli, lock_text, error, CLI_NO_SHM);
	case -EBADMSG:
		return cli_fail(cli, lock_text, error, "what stands there is no regular file");
	case -EFBIG:
		return cli_fail(cli, lock_text, error, "the file ends before this offset, or within the word");
	}
	return cli_fail(cli, lock_text, error, NULL);
}

static int open_word(struct cli *cli, const struct ipckit_name *name)
{
	int r;

	if (name->offset % sizeof(uint32_t))
		return cli_usage(cli, lock_text, "a word begins at a multiple of %zu", sizeof(uint32_t));
	r = ipckit_word_open(name, &guard.word);
	return r ? fail_open(cli, r) : 0;
}

/* ": thread 4711 has it", or nothing where it has been given back by now. */
static const char *tell_owner(char *text, size_t size)
{
	int owner = (int)ipckit_mutex_owner(__atomic_load_n(ipckit_word_at(guard.word), __ATOMIC_RELAXED));

	*text = '\0';
	if (owner)
		snprintf(text, size, ": thread %d has it", owner);
	return text;
}

static int fail_lock(struct cli *cli, int error)
{
	char owner[40];

	switch (error) {
	case -EINTR:
		cli_stop_die();
		break;
	case -EAGAIN:
		return cli_fail(cli, lock_text, error, "would block%s", tell_owner(owner, sizeof(owner)));
	case -ETIMEDOUT:
		return cli_fail_late(cli, lock_text, timeout_text, tell_owner(owner, sizeof(owner)));
	case -EBADMSG:
		return cli_fail(cli, lock_text, error, "what stands there is no robust mutex");
	case -EFAULT:
		return cli_fail(cli, lock_text, error, "the file shrank while it was waited for");
	}
	return cli_fail(cli, lock_text, error, NULL);
}

static void unlock(bool changed)
{
	int r = guard.owner_died && !changed ? ipckit_mutex_abandon(guard.mutex) : ipckit_mutex_unlock(guard.mutex);

	if (r)
		cli_warn(guard.cli, "%s: the word was taken away while it was held: %s", lock_text, cli_errno_name(r));
}

static int take_word(struct cli *cli)
{
	struct ipckit_deadline deadline;
	int r = cli_deadline(guard.timeout, &deadline) ?:
		ipckit_mutex_lock(ipckit_word_at(guard.word), &deadline, &guard.owner_died, &guard.mutex);

	guard.cli = cli;
	if (!r && !cli_stop_commit()) {
		unlock(false);
		r = -EINTR;
	}
	if (r)
		return fail_lock(cli, r);
	if (guard.owner_died)
		cli_warn(cli, "%s: its last owner ended while it held it: what it guards may be half written",
			 lock_text);
	return 0;
}

/* ---- semaphores ---- */

static int take_permit(struct cli *cli)
{
	int r = cli_holding_take(cli, &guard.holding, guard.timeout);

	return r < 0 ? cli_holding_fail(cli, &guard.holding, r, timeout_text) : r;
}

/* ---- either ---- */

static int open_named(struct cli *cli, const struct ipckit_name *name)
{
	if (IPCKIT_TAKES(name->kind) & IPCKIT_WORD_NAMES)
		return open_word(cli, name);
	return cli_holding_open(cli, &lock_text, 1, &guard.holding) ?: cli_holding_prepare(cli, &guard.holding);
}

int guard_open(struct cli *cli)
{
	struct ipckit_name name;
	int r;

	if (guard.opened)
		return 0;
	if (!lock_text)
		return timeout_text ? cli_usage(cli, NULL, "--timeout is how long to wait for --lock") : 0;
	guard.timeout = IPCKIT_FOREVER;
	r = cli_duration(cli, "--timeout", timeout_text, &guard.timeout) ?:
	    cli_sem_name(cli, lock_text, IPCKIT_TAKES(IPCKIT_NAME_FILE), &name);
	if (r)
		return r;
	r = open_named(cli, &name);
	ipckit_name_free(&name);
	if (r)
		close_guard();
	else
		guard.opened = true;
	return r;
}

bool guard_lies_in(const struct ipckit_shm *shm, uint64_t *offset)
{
	struct stat st;

	return guard.word && ipckit_shm_backend(shm) == IPCKIT_SHM_POSIX && !fstat(ipckit_shm_id(shm), &st) &&
	       ipckit_word_is_in(guard.word, &st, offset);
}

int guard_spares(struct cli *cli, const struct ipckit_shm *shm, uint64_t offset, uint64_t size)
{
	uint64_t word;
	int r = guard_open(cli);

	if (r || !size || !guard_lies_in(shm, &word))
		return r;
	if (offset >= word + sizeof(uint32_t) || (word > offset && word - offset >= size))
		return 0;
	return cli_usage(cli, lock_text, "the lock itself lies in what is to be changed");
}

int guard_take(struct cli *cli, struct guard **out)
{
	int r = guard_open(cli);

	*out = NULL;
	if (r || !guard.opened)
		return r;
	r = guard.word ? take_word(cli) : take_permit(cli);
	if (r) {
		close_guard();
		return r;
	}
	cli_stop_restore();
	*out = &guard;
	return 0;
}

static void give(struct guard *held, bool changed)
{
	if (!held)
		return;
	if (held->word)
		unlock(changed);
	else
		cli_holding_give(&held->holding);
	close_guard();
}

void guard_give(struct guard *held)
{
	give(held, true);
}

void guard_give_unchanged(struct guard *held)
{
	give(held, false);
}
