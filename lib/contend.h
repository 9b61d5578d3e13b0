/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_CONTEND_H
#define LIB_CONTEND_H

/*
 * What the locks in a word have in common: how one waits for them. Who was woken and is killed before it has
 * done anything took the wake-up along, so that nobody sleeps for longer than a second without a look.
 */

#include "robust.h"

#include <ipckit/deadline.h>

/* The kernel's PID_MAX_LIMIT: thread ids are less, whatever kernel.pid_max says. */
#define CONTEND_TIDS (4u << 20)

#define CONTEND_LOOK_NS 1000000000

/* Whether a robust mutex can have this value. */
bool contend_is_mutex(uint32_t value);

/* Sleeps while *word is value, for so long at most, and says 0 then, too. -EAGAIN, -ETIMEDOUT, -EINTR: of the
 * deadline. -EFAULT. */
IPCKIT_CHECK int contend_sleep(const uint32_t *word, uint32_t value, int64_t ns,
			       const struct ipckit_deadline *deadline);

/* Until a word that was seen to be held is worth another look. marked: seen, and that others wait; not done
 * for IPCKIT_DEADLINE_TRY. Errors: as above. */
IPCKIT_CHECK int contend_await(uint32_t *word, uint32_t seen, uint32_t marked, int64_t ns,
			       const struct ipckit_deadline *deadline);

/*
 * Owns the word of a robust list (robust_begin()) as a robust mutex does. seen: what it was, with
 * FUTEX_OWNER_DIED where its last owner died. -EBADMSG: what was seen is no mutex's. Errors: as above.
 */
IPCKIT_CHECK int contend_own(struct robust *robust, const struct ipckit_deadline *deadline, uint32_t *seen);

#endif
