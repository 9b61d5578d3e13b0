/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_JOURNAL_H
#define IPCKIT_JOURNAL_H

/*
 * A file that messages are received into, so that what a killed receiver had
 * taken from a queue is not lost.
 *
 * Receiving a message and handling it cannot be one step. A journal is a mapped
 * file of slots. The kernel writes a message right into a slot; once it has been
 * handled the slot is marked free. What is found in slots that are not free was
 * taken by a run that was killed, and is delivered first by the next: at least
 * once, never lost, however a process dies. A crash of the machine takes the
 * queue along; the file is not synced to disk.
 *
 * The kernel tells a message's length only by the return of the call. Of a slot
 * whose receiver was killed in between it is measured: free slots are filled
 * with random bytes that no UTF-8 text holds, and the message ends at the last
 * byte that differs. Text is always measured right; other data can appear shorter
 * by the bytes at its end that happen to equal the fill, of random data one message in 256.
 *
 * A fault while the kernel writes into a slot loses the message if a signal kills at that
 * moment. So the pages of slots are made writable when a slot is given, and locked in memory
 * as far as RLIMIT_MEMLOCK goes. The best place is a tmpfs, where nothing is written
 * back: it lasts as long as the queue.
 *
 * A child process has the lock, too, until it executes a program.
 *
 * Not thread-safe.
 */

#include <ipckit/base.h>
#include <ipckit/mq.h>

struct ipckit_journal;

/*
 * Opens a journal, or makes it (mode 0600), and locks it for this process.
 *
 * path: a regular file, or nothing. queue: the queue's name as it was written; a journal belongs to one.
 * backend: of that queue. out: closed with ipckit_journal_close().
 * Does not block. Space of slots is reserved before they are used.
 * Errors: -EAGAIN (another process has it locked); -EBADMSG (no journal, or a damaged one); -EXDEV (that
 * of another queue: see ipckit_journal_queue()); -ELOOP; -ENAMETOOLONG; -ENOSPC, -EDQUOT,
 * -EFBIG (RLIMIT_FSIZE); -ENOMEM; open(2).
 */
IPCKIT_CHECK int ipckit_journal_open(const char *path, enum ipckit_mq_backend backend, const char *queue,
				     struct ipckit_journal **out);

/* Closes it; what is not marked stays for the next run. An empty journal's file is kept. NULL is nothing. */
void ipckit_journal_close(struct ipckit_journal *journal);

/* The queue that the journal at a path belongs to, freed by the caller. Errors: as ipckit_journal_open(). */
IPCKIT_CHECK int ipckit_journal_queue(const char *path, char **out);

struct ipckit_journal_slot {
	size_t number;
	struct ipckit_mq_message *message; /* in the file; valid until the journal is closed */
	size_t room;                       /* bytes that fit into it */
	size_t size;                       /* of a message that was left: its bytes */
	bool measured;                     /* of a message that was left: size was found by looking at the fill */
};

/*
 * The number of messages that an earlier run has left, and the i-th of them, the oldest first.
 * They are handled as those that are received, and marked likewise.
 */
size_t ipckit_journal_left(const struct ipckit_journal *journal);
void ipckit_journal_get_left(const struct ipckit_journal *journal, size_t i, struct ipckit_journal_slot *out);

/*
 * Gives a free slot of at least `room` bytes, to receive into.
 *
 * The slot stays this caller's until ipckit_journal_done(). A POSIX queue's messages need room for
 * its msgsize: what is cut goes through other memory, and would be lost there. Nothing but the
 * kernel, or ipckit_mq_receive(), may write into it.
 * Errors: -ENOSPC, -EDQUOT, -EFBIG, -ENOMEM; -EBADMSG (the file shrank).
 */
IPCKIT_CHECK int ipckit_journal_slot(struct ipckit_journal *journal, size_t room,
				     struct ipckit_journal_slot *out);

/* Notes that a message of `size` bytes was received into a slot. */
void ipckit_journal_received(struct ipckit_journal *journal, const struct ipckit_journal_slot *slot,
			     size_t size);

/* Marks a slot free: its message was handled, or none was received. */
void ipckit_journal_done(struct ipckit_journal *journal, const struct ipckit_journal_slot *slot);

#endif
