/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipecat.h"
#include "../cli/command.h"
#include "../cli/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define END_BY_ITSELF_NS (SECOND / 2) /* of a command that nobody reads from or writes to any more */
#define END_BY_TERM_NS (2 * SECOND)

/* ---- signals of a run ---- */

static struct {
	bool begun;
	const volatile sig_atomic_t *stop;
	sigset_t mask; /* as it was inherited, and so is: */
	struct sigaction child;
} signals;

int pipecat_begin(struct cli *cli)
{
	struct ipckit_deadline deadline;
	int r;

	/* Who serves a connection begins anew. */
	if (!signals.begun) {
		sigprocmask(SIG_SETMASK, NULL, &signals.mask);
		sigaction(SIGCHLD, NULL, &signals.child);
	}
	signals.begun = true;
	r = cli_deadline(IPCKIT_FOREVER, &deadline);
	if (r)
		return cli_fail(cli, NULL, r, NULL);
	signals.stop = deadline.stop;
	cli_hold_faults();
	/* Ignored, as it may be inherited, it would take a command's status away. */
	if (signals.child.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	return 0;
}

const volatile sig_atomic_t *pipecat_stop(void)
{
	return signals.stop;
}

/* ---- in the child: of vfork(2), so that all of this process's memory is its own, too ---- */

static volatile struct {
	pid_t parent;
	int error;
} child;

/* Handlers are of this program, and would run in its memory. */
static void inherit_signals(void)
{
	for (int i = 1; i < SIGRTMIN; i++) {
		struct sigaction action;

		if (!sigaction(i, NULL, &action) && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			signal(i, SIG_DFL);
	}
	if (signals.child.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_IGN);
	cli_unshield_child();
	sigprocmask(SIG_SETMASK, &signals.mask, NULL);
}

static int take_place(int fd, int place)
{
	return fd < 0 || fd == place || dup2(fd, place) >= 0 ? 0 : -errno;
}

static _Noreturn void be_command(const struct pipecat_command *command)
{
	char *by_shell[] = { "sh", "-c", (char *)command->text, NULL };
	char **words = command->argv ?: by_shell;
	int r = prctl(PR_SET_PDEATHSIG, SIGTERM) ? -errno : 0;

	/* It died before that. */
	if (getppid() != child.parent)
		_exit(CLI_COMMAND_TOOL_FAILED);
	inherit_signals();
	r = r ?: take_place(command->in, STDIN_FILENO) ?: take_place(command->out, STDOUT_FILENO);
	if (!r) {
		execvp(words[0], words);
		r = -errno;
	}
	child.error = -r;
	_exit(CLI_COMMAND_TOOL_FAILED);
}

/* ---- starting ---- */

void pipecat_peer_text(const struct ipckit_peer *peer, char text[IPCKIT_ADDRESS_TEXT])
{
	if (peer->uid.known && peer->pid.known)
		snprintf(text, IPCKIT_ADDRESS_TEXT, "pid=%d uid=%u", (int)peer->pid.value, (unsigned)peer->uid.value);
	else if (peer->uid.known)
		snprintf(text, IPCKIT_ADDRESS_TEXT, "uid=%u", (unsigned)peer->uid.value);
	else
		ipckit_address_text(&peer->address, text);
}

static int set_peer(const struct ipckit_peer *peer)
{
	char text[IPCKIT_ADDRESS_TEXT];

	if (!peer)
		return unsetenv("IPCKIT_PEER") ? -errno : 0;
	pipecat_peer_text(peer, text);
	return setenv("IPCKIT_PEER", text, 1) ? -errno : 0;
}

static int fail_start(struct cli *cli, const struct pipecat_command *command, int error)
{
	char *shell[] = { (char *)"sh", NULL }, **before = cli->command;
	int status;

	cli->command = command->argv ?: shell;
	status = cli_fail_start(cli, error);
	cli->command = before;
	return status;
}

/* Nothing that comes meanwhile is taken by a copy of this process: all is held back until it has its own signals. */
static pid_t start(const struct pipecat_command *command)
{
	sigset_t all, before;
	pid_t pid;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child.parent = getpid();
	child.error = 0;
	pid = vfork();
	if (pid == 0)
		be_command(command);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -error : pid;
}

int pipecat_start(struct cli *cli, const struct pipecat_command *command, pid_t *out)
{
	int r = set_peer(command->peer);
	pid_t pid;

	if (r)
		return cli_fail(cli, NULL, r, NULL);
	pid = start(command);
	if (pid < 0)
		return fail_start(cli, command, -pid);
	if (child.error) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return fail_start(cli, command, child.error);
	}
	*out = pid;
	return 0;
}

/* ---- waiting ---- */

/* 0; -ETIMEDOUT; -EINTR: this run is to end. It is awaited by its pidfd, or where there is none looked at now and then. */
static int await_end(pid_t pid, int pidfd, const struct ipckit_deadline *deadline)
{
	const struct timespec a_moment = { .tv_nsec = 5000000 };
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct timespec left;
	siginfo_t info = { 0 };
	int r;

	while (!(r = ipckit_deadline_left(deadline, &left))) {
		bool looks = pidfd < 0 && (left.tv_sec || left.tv_nsec > a_moment.tv_nsec);

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && errno != EINTR)
			return 0;
		if (info.si_pid)
			return 0;
		ppoll(&ended, 1, looks ? &a_moment : deadline->kind == IPCKIT_DEADLINE_NONE ? NULL : &left, NULL);
	}
	return r;
}

/* ---- what a command leaves behind ---- */

#define CHILDREN 256

/* Of this process; as many as there is room for, none where the kernel does not tell. */
static size_t list_children(pid_t list[CHILDREN])
{
	char path[64];
	size_t n = 0;
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)gettid());
	file = fopen(path, "re");
	while (file && n < CHILDREN && fscanf(file, "%d", &pid) == 1)
		list[n++] = pid;
	if (file)
		fclose(file);
	return n;
}

static bool is_among(pid_t pid, const pid_t *list, size_t n)
{
	while (n--)
		if (list[n] == pid)
			return true;
	return false;
}

/* Those of this process group: what has left that was not to end with the command. */
static size_t tell_orphans(int signal, const pid_t *before, size_t nbefore)
{
	pid_t list[CHILDREN];
	size_t n = list_children(list), left = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_among(list[i], before, nbefore) || waitpid(list[i], NULL, WNOHANG) == list[i] ||
		    getpgid(list[i]) != getpgrp())
			continue;
		if (signal)
			kill(list[i], signal);
		left++;
	}
	return left;
}

static void end_orphans(const pid_t *before, size_t nbefore)
{
	struct ipckit_deadline deadline;
	struct timespec a_moment = { .tv_nsec = 2000000 };
	size_t left = tell_orphans(SIGTERM, before, nbefore);

	ipckit_deadline_in(END_BY_TERM_NS, &deadline);
	while (left && !ipckit_deadline_left(&deadline, NULL)) {
		nanosleep(&a_moment, NULL);
		left = tell_orphans(0, before, nbefore);
	}
	if (left)
		tell_orphans(SIGKILL, before, nbefore);
}

/* One that does not end by itself is told to, and then made to, and so is what it has started: a shell that is ended
 * leaves that behind. */
static void make_end(pid_t pid, int pidfd, bool stopped)
{
	struct ipckit_deadline deadline;
	pid_t before[CHILDREN];
	size_t nbefore = list_children(before);

	ipckit_deadline_in(stopped ? 1 : END_BY_ITSELF_NS, &deadline);
	deadline.stop = stopped ? NULL : signals.stop;
	if (!await_end(pid, pidfd, &deadline))
		return;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	ipckit_deadline_in(END_BY_TERM_NS, &deadline);
	if (await_end(pid, pidfd, &deadline)) {
		kill(pid, SIGKILL);
		(void)await_end(pid, pidfd, &(struct ipckit_deadline){ .kind = IPCKIT_DEADLINE_NONE });
	}
	end_orphans(before, nbefore);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int pipecat_await(pid_t pid, bool well)
{
	struct ipckit_deadline deadline = { .kind = IPCKIT_DEADLINE_NONE, .stop = signals.stop };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0, r = -ETIMEDOUT;

	if (well)
		r = await_end(pid, pidfd, &deadline);
	if (r)
		make_end(pid, pidfd, cli_stopped());
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
