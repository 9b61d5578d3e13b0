/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_FENCE_H
#define IPCKIT_FENCE_H

/*
 * A command that runs while its parent holds a lock, and the one that comes after: if the parent is killed the
 * kernel gives the lock away before it kills the command (PR_SET_PDEATHSIG comes later in a process's end than
 * its robust list); a command that became another user is not killed at all, nor is what a command has started.
 * So there is a fence around the word: a read lock (fcntl(2) F_OFD_SETLK) of an open file description that the
 * command inherits, and hands on to what it starts. It stands until the last of them has ended, or has closed its
 * descriptors, whatever else of the file they open and close. Whoever is told that the owner died waits for it to
 * go.
 *
 * Readers of a lock for many (rwlock.h) have fences of their own, by which one knows whether any of them lives.
 * Either kind has two of the word's four bytes.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>

enum ipckit_fence {
	IPCKIT_FENCE_OWNER,
	IPCKIT_FENCE_READER,
};

/*
 * Puts up a fence. fd: of the word's file, open for reading; its description is this holder's alone, and it, or a
 * copy (dup(2)) of it, is what the command inherits. offset: the word's. An owner does it before fork(2): then
 * there is no moment at which a command that is not seen behind a fence could begin. Errors: -EAGAIN, -ETIMEDOUT,
 * -EINTR (deadline.h): it is forbidden meanwhile, or somebody has a write lock there; -EINVAL; -errno of fcntl(2)
 * (-EBADF: not open for reading; -ENOLCK). Blocks until the deadline.
 */
IPCKIT_CHECK int ipckit_fence_set(int fd, uint64_t offset, enum ipckit_fence whose,
				  const struct ipckit_deadline *deadline);

/* Takes it down for all that have the description, or permits fences again. Does not block. */
void ipckit_fence_clear(int fd, uint64_t offset, enum ipckit_fence whose);

/*
 * Waits until no other description has such a fence around the word. Errors: -EAGAIN, -ETIMEDOUT, -EINTR
 * (deadline.h); -EINVAL; -errno of fcntl(2). Blocks until the deadline.
 */
IPCKIT_CHECK int ipckit_fence_await(int fd, uint64_t offset, enum ipckit_fence whose,
				    const struct ipckit_deadline *deadline);

/*
 * Where no other description has such a fence, forbids new ones, until ipckit_fence_clear(), or until the
 * description is closed: so that what was concluded from it holds. fd: open for writing. Errors: -EAGAIN: there is
 * one, or somebody else has forbidden it; -EINVAL; -errno of fcntl(2). Does not block.
 */
IPCKIT_CHECK int ipckit_fence_forbid(int fd, uint64_t offset, enum ipckit_fence whose);

#endif
