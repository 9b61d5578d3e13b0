/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_LIVE_TELL_H
#define LIB_LIVE_TELL_H

#include "live.h"

/*
 * Fills nodes, edges, texts and counts of a result from a scan, which gives its texts away. stuck: by node.
 * options: not NULL. Returns 0, -ENOMEM, -EMFILE, -ENFILE; what there is is freed with the result.
 */
IPCKIT_CHECK int live_tell(struct live_scan *scan, const bool *stuck, const struct ipckit_live_options *options,
			   struct ipckit_live *out);

/* Tells when threads among the first nodes last ran; the calling thread is moved between processors, and back. */
void live_tell_since(int root, struct ipckit_live_node *nodes, size_t count);

#endif
