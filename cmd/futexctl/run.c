/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <ipckit/fence.h>
#include <ipckit/mutex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- signals ---- */

static const int caught[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
#define NCAUGHT (sizeof(caught) / sizeof(*caught))

static struct {
	bool caught;
	void (*volatile undo)(void);      /* NULL: those that come are noted */
	volatile sig_atomic_t came[NSIG]; /* before COMMAND was there */
	volatile pid_t command;
	struct sigaction inherited[NCAUGHT], inherited_child;
} signals;

static bool is_passed_on(int signal)
{
	return signal == SIGTERM || signal == SIGHUP;
}

/* 0: none */
static int which_came(void)
{
	for (size_t i = 0; i < NCAUGHT; i++)
		if (signals.came[caught[i]])
			return caught[i];
	return 0;
}

static void inherit_signals(void)
{
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i], &signals.inherited[i], NULL);
	if (signals.inherited_child.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_IGN);
}

/* By a signal that came in place of COMMAND. */
static void die(int signal)
{
	inherit_signals();
	cli_die_by(signal);
}

static void on_signal(int signal)
{
	void (*undo)(void) = signals.undo;
	int error = errno;

	if (undo) {
		undo();
		die(signal);
	}
	if (!signals.command)
		signals.came[signal] = 1;
	else if (is_passed_on(signal))
		kill(signals.command, signal);
	errno = error;
}

static void catch_signals(void (*undo)(void))
{
	struct sigaction action = { .sa_handler = on_signal };

	signals.undo = undo;
	if (signals.caught)
		return;
	signals.caught = true;
	for (size_t i = 0; i < NCAUGHT; i++) {
		sigaction(caught[i], NULL, &signals.inherited[i]);
		if (signals.inherited[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
	/* Ignored, as it may be inherited, it would take COMMAND's status away. */
	sigaction(SIGCHLD, NULL, &signals.inherited_child);
	if (signals.inherited_child.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

void futexctl_undo_by(void (*undo)(void))
{
	catch_signals(undo);
}

/* ---- fences ---- */

#define FENCE_NS 1000000000 /* to put one up, where it is hindered: by somebody's lock in the file */

/* Of each file that words lie in one descriptor is used: that of the first of them. */
static int fence_of(const struct futexctl_run *run, unsigned i)
{
	int fd = ipckit_word_fd(run->words[i].word);
	uint64_t offset;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return fd;
	for (unsigned j = 0; j < i; j++)
		if (ipckit_word_is_in(run->words[j].word, &st, &offset))
			return ipckit_word_fd(run->words[j].word);
	return fd;
}

static int fail_fence(struct cli *cli, const struct futexctl_word *word, int error)
{
	return cli_fail(cli, word->text, error, "no fence could be put around the word for COMMAND: %s",
			cli_errno_words(error));
}

static int put_up_fences(struct cli *cli, const struct futexctl_run *run)
{
	struct ipckit_deadline deadline;
	int r = 0;

	ipckit_deadline_within(&run->until->deadline, FENCE_NS, &deadline);
	for (unsigned i = 0; !r && i < run->count; i++) {
		int fd = fence_of(run, i);

		if (fd >= 0)
			r = ipckit_fence_set(fd, ipckit_word_offset(run->words[i].word), IPCKIT_FENCE_OWNER, &deadline);
		if (r)
			return fail_fence(cli, &run->words[i], r);
	}
	return 0;
}

/* What COMMAND has left running is outside by now. */
static void take_down_fences(const struct futexctl_run *run)
{
	for (unsigned i = 0; i < run->count; i++)
		ipckit_fence_clear(fence_of(run, i), ipckit_word_offset(run->words[i].word), IPCKIT_FENCE_OWNER);
}

/* ---- in the child: of vfork(2), so that all of this process's memory is its own, too ---- */

static volatile struct {
	bool executes; /* whatever comes now is COMMAND's, or execvp(3)'s */
	int error;
	unsigned at; /* the word that this is about */
	pid_t owner; /* of the words: who calls vfork(2) */
} child;

/* By it COMMAND, and what that starts, keep the fence up. */
static int hand_on(const struct futexctl_run *run, unsigned i)
{
	int fd = ipckit_word_fd(run->words[i].word), copy;

	if (fd < 0 || fence_of(run, i) != fd)
		return 0;
	copy = cli_hand_on(fd);
	return copy < 0 ? copy : 0;
}

static int for_each_word(const struct futexctl_run *run, int (*act)(const struct futexctl_run *run, unsigned i))
{
	int r = 0;

	for (unsigned i = 0; !r && i < run->count; i++) {
		child.at = i;
		r = act(run, i);
	}
	return r;
}

static int check_owner(const struct futexctl_run *run, unsigned i)
{
	uint32_t value = __atomic_load_n(run->words[i].at, __ATOMIC_ACQUIRE);

	return ipckit_mutex_owner(value) == child.owner ? 0 : -EOWNERDEAD;
}

/*
 * When a process ends, its words are marked first and then its children are killed: while they name it the kill
 * is still to come. The fence it has from its first moment, as it has its parent's descriptors.
 */
static int prepare(const struct futexctl_run *run)
{
	int r = 0;

	if (!run->keep_running)
		r = prctl(PR_SET_PDEATHSIG, SIGKILL) ? -errno : for_each_word(run, hand_on);
	return r ?: for_each_word(run, check_owner);
}

static _Noreturn void be_command(char **command, const struct futexctl_run *run)
{
	int r;

	inherit_signals();
	cli_unshield_child();
	/* It was sent to the one that this process is a copy of, or to both. */
	if (which_came())
		_exit(CLI_COMMAND_TOOL_FAILED);
	r = prepare(run);
	if (!r) {
		child.executes = true;
		execvp(command[0], command);
		r = -errno;
	}
	child.error = -r;
	_exit(CLI_COMMAND_TOOL_FAILED);
}

/* ---- COMMAND ---- */

static pid_t start(char **command, const struct futexctl_run *run)
{
	pid_t pid;

	child.owner = gettid();
	pid = vfork();
	if (pid == 0)
		be_command(command, run);
	return pid < 0 ? -errno : pid;
}

/* What came after the child's own signals were as inherited, and before its number was known here. */
static void pass_on_late(pid_t pid)
{
	int signal;

	signals.command = pid;
	if (!child.executes)
		return;
	while ((signal = which_came())) {
		signals.came[signal] = 0;
		if (is_passed_on(signal))
			kill(pid, signal);
	}
}

static int await_end(pid_t pid)
{
	siginfo_t end;
	int status = 0;

	while (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) && errno == EINTR)
		;
	/* Its number may be another's as soon as its status is taken. */
	signals.command = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int fail_before(struct cli *cli, const struct futexctl_word *word, int error)
{
	switch (error) {
	case EOWNERDEAD:
		return cli_fail(cli, word->text, error, "the word was taken away before COMMAND was started");
	case EFAULT:
		return futexctl_fail(cli, word->text, -error);
	default:
		return fail_fence(cli, word, error);
	}
}

/* status: by waitpid(2) */
static int judge(struct cli *cli, const struct futexctl_word *word, int status)
{
	if (child.executes && child.error)
		return cli_fail_start(cli, child.error);
	if (child.error)
		return fail_before(cli, word, child.error);
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	/* The file shrank under the child when it looked at the word. */
	if (!child.executes && WTERMSIG(status) == SIGBUS)
		return fail_before(cli, word, EFAULT);
	return 128 + WTERMSIG(status);
}

/* begun: gets whether there was a COMMAND. */
static int run_command(struct cli *cli, const struct futexctl_run *run, bool *begun)
{
	int status;
	pid_t pid;

	catch_signals(NULL);
	pid = start(cli->command, run);
	if (pid < 0)
		return cli_fail_start(cli, -pid);
	pass_on_late(pid);
	status = await_end(pid);
	*begun = child.executes && !child.error;
	return judge(cli, &run->words[child.at], status);
}

static int run_fenced(struct cli *cli, const struct futexctl_run *run, bool *begun)
{
	int r;

	if (run->keep_running)
		return run_command(cli, run, begun);
	r = put_up_fences(cli, run) ?: run_command(cli, run, begun);
	take_down_fences(run);
	return r;
}

/* The words stay where they are: the kernel finds them there when this process ends, and tells the next one. */
static void leave(const struct futexctl_run *run)
{
	static struct ipckit_word **left;
	struct ipckit_word **words = calloc(run->count, sizeof(*words));

	if (run->give_up)
		run->give_up();
	for (unsigned i = 0; words && i < run->count; i++)
		words[i] = run->words[i].word;
	__atomic_store_n(&left, words, __ATOMIC_RELAXED);
}

static bool has_died(const struct futexctl_word *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (words[i].owner_died)
			return true;
	return false;
}

int futexctl_run(struct cli *cli, const struct futexctl_run *run)
{
	bool begun = false;
	int came, r = futexctl_tell_deaths(cli, run->words, run->count, run->until);

	if (!r)
		r = run_fenced(cli, run, &begun);
	came = begun ? 0 : which_came();
	if (begun || !has_died(run->words, run->count)) {
		r = run->give(cli, run, r);
		futexctl_close_all(run->words, run->count);
	} else {
		leave(run);
	}
	if (came)
		die(came);
	return r;
}

/* ---- after a death ---- */

static int await_fence(struct cli *cli, const struct futexctl_word *word, const struct futexctl_until *until)
{
	int fd = ipckit_word_fd(word->word), r = 0;

	if (fd >= 0)
		r = ipckit_fence_await(fd, ipckit_word_offset(word->word), IPCKIT_FENCE_OWNER, &until->deadline);
	switch (r) {
	case 0:
		return 0;
	case -EAGAIN:
	case -ETIMEDOUT:
		return cli_fail(cli, word->text, r,
				"its last holder died, and its COMMAND, or what that started, still runs");
	default:
		return cli_fail(cli, word->text, r, NULL);
	}
}

/* One that died may have held the others, too, and others been told of it. */
static int await_fences(struct cli *cli, const struct futexctl_word *words, unsigned count,
			const struct futexctl_until *until)
{
	int r = 0;

	for (unsigned i = 0; !r && i < count; i++)
		r = await_fence(cli, &words[i], until);
	return r;
}

int futexctl_tell_deaths(struct cli *cli, const struct futexctl_word *words, unsigned count,
			 const struct futexctl_until *until)
{
	static const char variable[] = "FUTEXCTL_OWNER_DIED";
	bool died = has_died(words, count);
	int r = died ? await_fences(cli, words, count, until) : 0;

	if (r)
		return r;
	for (unsigned i = 0; i < count; i++)
		if (words[i].owner_died)
			cli_warn(cli, "%s: the last holder died without unlocking", words[i].text);
	if (died ? setenv(variable, "1", 1) : unsetenv(variable))
		return cli_fail(cli, NULL, errno, NULL);
	return 0;
}
