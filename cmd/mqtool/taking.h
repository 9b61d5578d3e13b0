/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MQTOOL_TAKING_H
#define MQTOOL_TAKING_H

/*
 * Receiving so that nothing is lost: a message that was taken from its queue is
 * handled, or given back. With a journal even a kill leaves it to the next run.
 */

#include "mqtool.h"

#include <ipckit/journal.h>

/* A message that this run has taken, or an earlier one that was killed. */
struct taken {
	struct ipckit_mq_message *message;
	size_t size;
	bool own;                        /* message is memory of its own */
	bool journaled;                  /* it is in a slot */
	struct ipckit_journal_slot slot;
};

struct taking {
	struct cli *cli;
	const char *object;
	struct ipckit_mq *mq;
	struct ipckit_mq_select select;
	size_t room;        /* bytes of the largest message that is taken */
	bool limited;       /* room was asked for: no larger one is taken */
	bool truncate;
	bool one_way;       /* a POSIX queue that may be received from alone */
	struct ipckit_mq_message *buffer; /* without a journal: where messages are received */
	struct ipckit_journal *journal;   /* or NULL */
	size_t next_left;                 /* of those that are in the journal */
	struct ipckit_journal_slot slot;  /* the one to be received into, where has_slot */
	bool has_slot;
};

/* The options of taking, for verbs to include. */
extern const struct poptOption taking_select_options[];  /* --type, --except */
extern const struct poptOption taking_size_options[];    /* --max-size, --truncate */
extern const struct poptOption taking_journal_options[]; /* --journal */

/* Opens a queue and what is received into, as the options say. 0 or the exit status; closed by
 * taking_close() in either case. */
int taking_open(struct cli *cli, const char *object, struct taking *out);
void taking_close(struct taking *taking);

/* Refuses a queue that nothing can be sent back to. 0 or the exit status. */
int taking_check_back(const struct taking *taking);

/*
 * Takes a message: what an earlier run left in the journal first. It lies in memory of the taking
 * until the next one is taken, or in the journal. Returns 0 or -errno.
 */
int taking_next(struct taking *taking, const struct ipckit_deadline *deadline, struct taken *out);

/* Copies a message that lies there, so that the next one can be taken. 0 or -ENOMEM. */
int taken_keep(struct taken *taken);

/* It was handled. */
void taken_done(struct taking *taking, struct taken *taken);

/* Sends it to a queue, without waiting; one that was removed gets nothing (-EIDRM). It stays taken. */
int taken_send(const struct taken *taken, struct ipckit_mq *mq);

/*
 * It was not handled: leaves it in the journal, or sends it back without waiting, or prints it on
 * stderr. Returns 0, or -errno of the sending where it had to be printed.
 */
int taken_give_back(struct taking *taking, struct taken *taken);

/* Prints a message that has no other place on stderr, after a few words. 0 or -EIO. */
int taken_tell(struct taking *taking, const struct taken *taken, const char *words);

/* Copies the message at an index into memory of the taking. 0 or -errno. */
int taking_peek(struct taking *taking, size_t index, struct taken *out);

/* Reports what taking_next() or taking_peek() said. timeout: as text, or NULL. Returns the exit status. */
int taking_fail(const struct taking *taking, int error, const char *timeout);

#endif
