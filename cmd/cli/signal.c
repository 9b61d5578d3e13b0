/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stop.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define INSIST_NS 1000000

static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2 };
#define NSTOPPING (sizeof(stopping) / sizeof(*stopping))

static volatile sig_atomic_t stopped; /* the signal that came */

static struct {
	bool caught;
	bool timed;
	struct sigaction actions[NSTOPPING];
	struct sigaction insist_action;
	sigset_t mask;
	timer_t timer;
} saved;

/* Of a program that waits, nobody else uses it; an alarm of the caller's stays what it is. */
static int insist_signal(void)
{
	return SIGRTMIN;
}

static int insist_from(const struct timespec *first)
{
	struct itimerspec times = { .it_interval.tv_nsec = INSIST_NS };

	if (first)
		times.it_value = *first;
	else
		times.it_value.tv_nsec = INSIST_NS;
	return timer_settime(saved.timer, first ? TIMER_ABSTIME : 0, &times, NULL) ? -errno : 0;
}

static void insist_no_more(void)
{
	const struct itimerspec never = { 0 };

	if (saved.timed)
		timer_settime(saved.timer, 0, &never, NULL);
}

static void on_stop(int signal)
{
	int error = errno;

	stopped = signal;
	if (saved.timed)
		(void)insist_from(NULL);
	errno = error;
}

static void on_insist(int signal)
{
	(void)signal;
}

static void handle(int signal, void (*handler)(int), struct sigaction *old)
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(signal, NULL, old);
	if (old->sa_handler != SIG_IGN)
		sigaction(signal, &action, NULL);
}

static int start_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = insist_signal() };
	struct sigaction action = { .sa_handler = on_insist };
	sigset_t mask;

	sigaction(insist_signal(), &action, &saved.insist_action);
	sigemptyset(&mask);
	sigaddset(&mask, insist_signal());
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &saved.timer)) {
		sigaction(insist_signal(), &saved.insist_action, NULL);
		return -errno;
	}
	saved.timed = true;
	return 0;
}

static int catch_stops(void)
{
	int r;

	if (saved.caught)
		return 0;
	sigprocmask(SIG_SETMASK, NULL, &saved.mask);
	r = start_timer();
	if (r)
		return r;
	for (size_t i = 0; i < NSTOPPING; i++)
		handle(stopping[i], on_stop, &saved.actions[i]);
	saved.caught = true;
	return 0;
}

int cli_deadline(int64_t ns, struct ipckit_deadline *out)
{
	int r = catch_stops();

	ipckit_deadline_in(ns, out);
	/* Without a timer to insist (RLIMIT_SIGPENDING) signals keep their action and locks are looked
	 * at again and again. */
	if (r == -EAGAIN || (!r && !saved.timed && out->kind == IPCKIT_DEADLINE_AT))
		return 0;
	out->stop = &stopped;
	if (r)
		return r;
	if (out->kind == IPCKIT_DEADLINE_AT)
		return insist_from(&out->at);
	/* That of a deadline before is over; a signal may have come meanwhile. */
	insist_no_more();
	return saved.timed && stopped ? insist_from(NULL) : 0;
}

void cli_stop_restore(void)
{
	if (!saved.caught)
		return;
	timer_delete(saved.timer);
	/* Ignoring it for a moment discards one that is pending, which would end the process. */
	signal(insist_signal(), SIG_IGN);
	for (size_t i = 0; i < NSTOPPING; i++)
		sigaction(stopping[i], &saved.actions[i], NULL);
	sigaction(insist_signal(), &saved.insist_action, NULL);
	sigprocmask(SIG_SETMASK, &saved.mask, NULL);
	saved.caught = saved.timed = false;
}

bool cli_stop_commit(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < NSTOPPING; i++)
		sigaddset(&mask, stopping[i]);
	sigaddset(&mask, insist_signal());
	sigprocmask(SIG_BLOCK, &mask, NULL);
	insist_no_more();
	return !stopped;
}

/* That of a write that failed, held back since: ignoring it discards it. */
static void forget_fault(int fault)
{
	signal(fault, SIG_IGN);
}

void cli_die_by(int signal)
{
	sigset_t mask;

	if (signal != SIGPIPE)
		forget_fault(SIGPIPE);
	if (signal != SIGXFSZ)
		forget_fault(SIGXFSZ);
	cli_stop_restore();
	sigemptyset(&mask);
	sigaddset(&mask, signal);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(signal);
}

void cli_stop_die(void)
{
	if (stopped)
		cli_die_by(stopped);
}

int cli_stop_take(void)
{
	int signal = __atomic_exchange_n(&stopped, 0, __ATOMIC_RELAXED);

	if (!signal)
		return 0;
	insist_no_more();
	/* Another may have come meanwhile. */
	if (saved.timed && stopped)
		(void)insist_from(NULL);
	return signal;
}

void cli_hold_faults(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	sigaddset(&mask, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

void cli_stop_mask(sigset_t *mask)
{
	if (saved.caught)
		*mask = saved.mask;
	else
		sigprocmask(SIG_SETMASK, NULL, mask);
}

bool cli_stopped(void)
{
	return stopped;
}

void cli_stop_only(int signal)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP,
				       SIGTTIN, SIGTTOU, SIGPIPE, SIGUSR1, SIGUSR2 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction fall = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* A timer stays with the process that made it. */
	saved.caught = true;
	saved.timed = false;
	stopped = 0;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigaction(signal, &stop, NULL);
	/* Nobody reads what this process would report. */
	sigaction(SIGBUS, &fall, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)start_timer();
}

/* ---- files that shrink ---- */

static sigjmp_buf bus;
static struct sigaction bus_action; /* as it was inherited */
static bool shielded;

/*
 * The jump out of sem_clockwait(3) has libc count this waiter off, in the word that
 * is no longer there: an empty page takes its place.
 */
static void on_bus(int signal, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)info->si_addr & ~(page - 1);

	(void)context;
	/* Sent by somebody, not by a fault. */
	if (info->si_code <= 0) {
		cli_unshield();
		raise(signal);
		return;
	}
	if (mmap((void *)at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	    MAP_FAILED)
		_exit(CLI_BROKEN);
	siglongjmp(bus, 1);
}

int cli_run_shielded(struct cli *cli)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_NODEFER | SA_SIGINFO };

	if (sigsetjmp(bus, 0))
		return cli_fail(cli, cli->noperands ? cli->operands[0] : NULL, EFAULT,
				"a file shrank, or its file system is full, while it was in use: the object's or a lock's");
	shielded = !sigaction(SIGBUS, &action, &bus_action);
	return cli->verb->run(cli);
}

void cli_unshield_child(void)
{
	if (shielded)
		sigaction(SIGBUS, &bus_action, NULL);
}

void cli_unshield(void)
{
	cli_unshield_child();
	shielded = false;
}
