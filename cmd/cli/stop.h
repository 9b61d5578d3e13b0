/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_STOP_H
#define CLI_STOP_H

/* Signals that come while a verb waits or has taken something (signal.c). */

#include "cli.h"

#include <signal.h>

/*
 * Makes the deadline of this run's waits. From here on SIGINT, SIGTERM, SIGHUP,
 * SIGQUIT, SIGALRM, SIGUSR1 and SIGUSR2 (those that are not ignored) do not end the process but
 * end such waits with -EINTR: a handler sets the deadline's flag and a timer goes
 * on interrupting every millisecond, so that a signal that comes just before a
 * call is not lost. A finite deadline starts that timer by itself, for calls
 * that the kernel cannot time; the next deadline that is made ends that.
 *
 * ns: as for ipckit_deadline_in(). Returns 0 or -errno (timer_create(2)).
 */
int cli_deadline(int64_t ns, struct ipckit_deadline *out);

/*
 * Ends the time in which a signal undoes what was taken. True: the signals are
 * blocked, what was taken is taken. False: one came; give back, then call
 * cli_stop_die().
 */
bool cli_stop_commit(void);

/* Dies by the signal that came, as if it had never been caught; returns if none came. */
void cli_stop_die(void);

/* The signal that came, or 0; from here on it has not come: for who goes on, and may be told again. */
int cli_stop_take(void);

/* Dies by a signal, as if it had never been caught. */
void cli_die_by(int signal);

/* Holds SIGPIPE and SIGXFSZ back, after cli_deadline(): a write that fails says so, and does not end a run
 * that has something in hand. A COMMAND is started without that. */
void cli_hold_faults(void);

/* The mask of signals as it was inherited. */
void cli_stop_mask(sigset_t *mask);

/* Whether a signal came that is to end the run. */
bool cli_stopped(void);

/* Dispositions, mask and timers as they were inherited: before a COMMAND starts. */
void cli_stop_restore(void);

/* For a process that outlives the terminal: ignores its signals, and lets `signal` alone end waits. */
void cli_stop_only(int signal);

/*
 * Calls run, and turns a SIGBUS in it, from a mapped file that shrank or a file
 * system that is full, into a failure: status 7.
 */
int cli_run_shielded(struct cli *cli);

/* SIGBUS as it was inherited: before a COMMAND starts. */
void cli_unshield(void);

/* The same in a child of vfork(2), whose signals are its own, while this process stays shielded. */
void cli_unshield_child(void);

#endif
