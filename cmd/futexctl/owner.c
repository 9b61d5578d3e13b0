/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <ipckit/mutex.h>

/* The largest thread id that any kernel gives. */
#define PID_LIMIT 0x3fffff

static uint32_t load(const struct futexctl_word *word)
{
	return __atomic_load_n(word->at, __ATOMIC_RELAXED);
}

/* What a lock of three states holds while somebody has it, and else thread 1 or 2. */
static bool may_be_three_state(uint32_t value)
{
	return value == 1 || value == 2;
}

/* No thread has such an id: done for good (once), or a number of readers. The kernel would say that it is gone. */
static bool is_no_thread(pid_t owner)
{
	return owner > PID_LIMIT;
}

static int refuse(struct cli *cli, const struct futexctl_word *word, uint32_t value)
{
	if (may_be_three_state(value))
		return cli_fail(cli, word->text, EBADMSG,
				"the word is %u: held as a lock of three states (futexctl lock, unlock), or in "
				"another PID namespace; no thread of that id is known to use it here", value);
	if (is_no_thread(ipckit_mutex_owner(value)))
		return cli_fail(cli, word->text, EBADMSG, "the word holds what no such lock does");
	return cli_fail(cli, word->text, EBADMSG,
			"the word names thread %d, whose process does not map the file: the id is one of another "
			"PID namespace, and the kernel would wait for the wrong thread", ipckit_mutex_owner(value));
}

/* Whether a thread uses the word: 0 where it does not. Negative: not known. */
static int uses(const struct futexctl_word *word, pid_t owner)
{
	bool mapped;
	int r = ipckit_word_is_mapped_by(word->word, owner, &mapped);

	return r ? r : mapped;
}

int futexctl_check_owner(struct cli *cli, const struct futexctl_word *word, bool pi)
{
	uint32_t value;
	pid_t owner;
	int r;

	/* Who has gone by now has taken its id out of the word. */
	do {
		value = load(word);
		owner = ipckit_mutex_owner(value);
		if (!owner || (!pi && is_no_thread(owner)))
			return 0;
		r = is_no_thread(owner) ? 0 : uses(word, owner);
	} while (r <= 0 && load(word) != value);
	if ((r == 0 && pi) || (r <= 0 && may_be_three_state(value)))
		return refuse(cli, word, value);
	if (!pi && (r == 0 || r == -ESRCH))
		cli_warn(cli, "%s: waits for thread %d, which is not here, or does not use it: of another PID namespace, or "
			      "left behind (then set the word to 0)", word->text, owner);
	/* Of a thread that is gone the kernel says ESRCH itself. */
	if (r < 0 && r != -ESRCH)
		cli_note(cli, "%s: whether thread %d, the owner, uses the word is not known: %s", word->text,
			 owner, cli_errno_words(r));
	return 0;
}

int futexctl_open_to_lock(struct cli *cli, const char *text, bool pi, struct futexctl_word *out)
{
	int r = futexctl_open(cli, text, out);

	if (r)
		return r;
	r = futexctl_check_owner(cli, out, pi);
	if (r)
		futexctl_close(out);
	return r;
}

void futexctl_warn_taken(struct cli *cli, const struct futexctl_run *run, int error)
{
	if (error)
		cli_warn(cli, "%s: %s taken away while COMMAND ran: %s", run->words->text,
			 run->count > 1 ? "it, or one of the other words, was" : "the word was", cli_errno_name(error));
}

/* ": thread 4711 has it", or nothing where it has been given back by now. */
static const char *tell_owner(const struct futexctl_word *word, char *text, size_t size)
{
	int owner = ipckit_mutex_owner(load(word));

	*text = '\0';
	if (owner)
		snprintf(text, size, ": thread %d has it", owner);
	return text;
}

int futexctl_fail_lock(struct cli *cli, const struct futexctl_word *word, int error,
		       const struct futexctl_until *until)
{
	char owner[40];

	switch (error) {
	case -EAGAIN:
		return cli_fail(cli, word->text, error, "would block%s", tell_owner(word, owner, sizeof(owner)));
	case -ETIMEDOUT:
		return futexctl_fail_late(cli, word->text, until, tell_owner(word, owner, sizeof(owner)));
	default:
		return futexctl_fail(cli, word->text, error);
	}
}
