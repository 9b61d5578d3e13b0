/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUTEXCTL_BARE_H
#define FUTEXCTL_BARE_H

/* What the verbs of the bare operations share: one call each, and the kernel's answer to it. */

#include "futexctl.h"

/* As futexctl_point(); where no time is left one that has passed: the kernel still tells whether the word
 * differs. */
int bare_point(const struct futexctl_until *until, unsigned *flags, struct timespec *at,
	       const struct timespec **out);
/* The same for the operation that takes a duration. */
int bare_timeout(const struct futexctl_until *until, struct timespec *room, const struct timespec **out);

/* Reports what an operation that compares says: of EAGAIN, what the word is. until: NULL where it does not
 * wait. Returns the exit status. */
int bare_fail(struct cli *cli, const struct futexctl_word *word, uint32_t expected,
	      const struct futexctl_until *until, int error);

/* Opens the first two operands: the first to read, the second to change it, too. 0 or the exit status; nothing
 * to close on failure. */
int bare_open_two(struct cli *cli, struct futexctl_word *first, struct futexctl_word *second);
/* The same, and the second to read, too. */
int bare_open_two_to_read(struct cli *cli, struct futexctl_word *first, struct futexctl_word *second);

#endif
