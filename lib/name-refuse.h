/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_NAME_REFUSE_H
#define LIB_NAME_REFUSE_H

/* How names are refused: in words, with what somebody may have had in mind. */

#include <ipckit/name.h>

/* A name that is being read: its text, what is accepted, where the reason goes (may be NULL). */
struct reading {
	const char *text;
	unsigned takes;
	struct ipckit_why *why;
};

static inline bool takes(const struct reading *in, enum ipckit_name_kind kind)
{
	return in->takes & IPCKIT_TAKES(kind);
}

/* How names of a kind are written: "key:KEY". */
const char *name_spelling(enum ipckit_name_kind kind);

/* Each returns -EINVAL. */
int name_refuse(const struct reading *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* It is a name of this kind, which is not accepted. */
int name_refuse_kind(const struct reading *in, enum ipckit_name_kind kind);
/* It begins with a prefix of this length, colon and all, that there is not. */
int name_refuse_prefix(const struct reading *in, size_t length);
/* It is a path, where only a POSIX name, a lock file or a place would do. */
int name_refuse_path(const struct reading *in);
/* It is a bare word. */
int name_refuse_bare(const struct reading *in, bool has_offset);

#endif
