/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUTEXCTL_H
#define FUTEXCTL_H

/* What the verbs of futexctl share. */

#include "../cli/cli.h"

#include <ipckit/futex.h>
#include <ipckit/word.h>

/* A word that is open, as it was named. */
struct futexctl_word {
	const char *text;
	struct ipckit_word *word;
	uint32_t *at;
	bool owner_died; /* of a lock that was taken: who had it before died with it */
};

/* Opens an operand. 0 or the exit status; nothing to close on failure. Safe to close a zeroed one. */
int futexctl_open(struct cli *cli, const char *text, struct futexctl_word *out);
/* The same for reading alone: the right to read is enough, and nothing is stored to it. */
int futexctl_open_to_read(struct cli *cli, const char *text, struct futexctl_word *out);
void futexctl_close(struct futexctl_word *word);
void futexctl_close_all(struct futexctl_word *words, unsigned count);

/* 32 bits, decimal, 0x or 0 octal: 0 to 4294967295, or from -2147483648 on, as its two's complement. */
int futexctl_value(struct cli *cli, const char *option, const char *text, uint32_t *out);
/* How many: 0 to 2147483647, or "all" (IPCKIT_FUTEX_ALL); text NULL: out is left as it is. */
int futexctl_many(struct cli *cli, const char *option, const char *text, uint32_t *out);
/* A bitset: 32 bits, not 0; text NULL: out is left as it is. */
int futexctl_bitset(struct cli *cli, const char *text, uint32_t *out);

/* --private, --realtime, --futex2: POPT_ARG_INCLUDE_TABLE of the bare operations. */
extern const struct poptOption futexctl_flag_options[];
/* What was given of them, IPCKIT_FUTEX_...; --private is warned of. takes: those that the operation has:
 * usage errors for others, worded with the kernel's answer (ENOSYS for --realtime). 0 or the exit status. */
int futexctl_flags(struct cli *cli, unsigned takes, unsigned *out);

/* --timeout and --until: when a wait ends. */
struct futexctl_until {
	bool limited;
	struct ipckit_deadline deadline; /* --timeout, or none */
	bool absolute;                   /* --until: */
	struct timespec at;              /* on CLOCK_REALTIME */
	const char *text;                /* as it was typed, for the message */
};
/* until: RFC 3339 ("2026-11-21T10:00:00Z", with a fraction, an offset, also with a blank for the T) or
 * @SECONDS; NULL where the verb has no such option. 0 or the exit status. */
int futexctl_until(struct cli *cli, const char *timeout, const char *until, struct futexctl_until *out);
/* The point in time for the kernel on the clock of flags (IPCKIT_FUTEX_REALTIME), NULL for none; at: room for it.
 * With --until flags get that flag. 0, or -EAGAIN (--timeout 0), -ETIMEDOUT, -EINTR. */
int futexctl_point(const struct futexctl_until *until, unsigned *flags, struct timespec *at,
		   const struct timespec **out);

/*
 * A wait in parts, between which it is looked whether the word's file is still there, and long enough: each is
 * wait(arg, until when), and -ETIMEDOUT of a part goes on with the next. What wait() said else, -ETIMEDOUT, -EINTR;
 * -EIDRM, -EFBIG: ipckit_word_check().
 */
int futexctl_wait_in_parts(const struct futexctl_word *word, const struct ipckit_deadline *deadline,
			   int (*wait)(void *arg, const struct ipckit_deadline *part), void *arg);

/* Reports what a call on a word says. Returns the exit status. */
int futexctl_fail(struct cli *cli, const char *object, int error);
/* The same of opening or making one. */
int futexctl_fail_open(struct cli *cli, const struct ipckit_name *name, int error);
/* That a limit has passed: "timed out after 5s", and who has it (": thread 4711 has it", or ""). */
int futexctl_fail_late(struct cli *cli, const char *object, const struct futexctl_until *until, const char *holder);
/* What a call says of a wait with a limit. */
int futexctl_fail_wait(struct cli *cli, const char *object, int error, const struct futexctl_until *until);

/* ---- COMMAND, as a child, while something is held (run.c) ---- */

/* What --help says of --keep-running. */
#define FUTEXCTL_KEEP_RUNNING "COMMAND goes on when this tool is killed, beside the next holder's"

struct futexctl_run {
	struct futexctl_word *words;        /* what is held: they name this thread. Closed by futexctl_run() */
	unsigned count;                     /* of them, from 1 on */
	const struct futexctl_until *until; /* of the wait for them */
	bool keep_running; /* COMMAND outlives a killed tool, and has no fence around the words */
	/* Gives back what is held, after COMMAND has ended, or was not begun. Returns the status of the run. */
	int (*give)(struct cli *cli, const struct futexctl_run *run, int status);
	void *held;        /* of give() */
	/* NULL, or in its place before this process ends, so that the next one is told of the last owner's death. */
	void (*give_up)(void);
};
/*
 * From here on until COMMAND starts, undo() is called before one of these signals ends this process: while one word
 * is held, and the next is waited for. undo: async-signal-safe.
 */
void futexctl_undo_by(void (*undo)(void));
/*
 * Runs COMMAND to its end, gives back and returns its status: 128+N where a signal ended it, 126, 127 reported.
 * SIGINT and SIGQUIT are left to COMMAND meanwhile, SIGTERM and SIGHUP are passed on to it; signals as they were
 * inherited before it starts. A signal that comes before ends this process, after it has given back. Where the
 * last owner died and COMMAND was not begun, the end of this process gives back: so the next one is told, too.
 */
int futexctl_run(struct cli *cli, const struct futexctl_run *run);
/* Where an owner died: waits for its COMMAND. Warns of it, and tells the next COMMAND. 0 or the exit status,
 * reported. */
int futexctl_tell_deaths(struct cli *cli, const struct futexctl_word *words, unsigned count,
			 const struct futexctl_until *until);

/* FUTEX_LOCK_PI on each in turn, and COMMAND while all are held (pi.c). flags: as for ipckit_pi_lock(). Closes the
 * words. */
int futexctl_run_pi(struct cli *cli, struct futexctl_word *words, unsigned count, unsigned flags,
		    const struct futexctl_until *until, bool keep_running);

/* ---- owners (owner.c) ---- */

/* Of a give(): error is what the unlocking of what the run held said. Warns where it was not this run's any more. */
void futexctl_warn_taken(struct cli *cli, const struct futexctl_run *run, int error);

/*
 * Refuses a word that would be waited for in vain: exactly 1 or 2, which is a lock of three states, unless that
 * thread is known to map it; and where the kernel waits for the thread (pi), the id of one that does not map it,
 * which is of another PID namespace. 0 or the exit status, reported.
 */
int futexctl_check_owner(struct cli *cli, const struct futexctl_word *word, bool pi);
/* As futexctl_open(), and that: nothing is open where it is refused. */
int futexctl_open_to_lock(struct cli *cli, const char *text, bool pi, struct futexctl_word *out);
/* As futexctl_fail_wait(), of a lock: with the thread that has it. */
int futexctl_fail_lock(struct cli *cli, const struct futexctl_word *word, int error,
		       const struct futexctl_until *until);

/* What create makes, for the tool's own struct (create.c). */
extern const struct cli_noun futexctl_noun;

extern const struct cli_verb futexctl_create, futexctl_get, futexctl_set, futexctl_add, futexctl_or, futexctl_and,
	futexctl_xor, futexctl_swap, futexctl_cas, futexctl_wait, futexctl_await, futexctl_wake, futexctl_requeue,
	futexctl_cmp_requeue, futexctl_wake_op, futexctl_lock_pi, futexctl_trylock_pi, futexctl_unlock_pi,
	futexctl_wait_requeue_pi, futexctl_cmp_requeue_pi, futexctl_waitv, futexctl_lock, futexctl_trylock,
	futexctl_unlock, futexctl_exec, futexctl_rwlock, futexctl_once, futexctl_latch, futexctl_cond,
	futexctl_waiters, futexctl_robust, futexctl_probe, futexctl_fd;

#endif
