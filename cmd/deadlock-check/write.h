/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_WRITE_H
#define DEADLOCK_WRITE_H

/* What the writers share: text put together in a buffer, as stdio is too slow for millions of numbers. */

#include "output.h"

#include <string.h>

struct pen {
	FILE *stream;
	size_t used;
	char buffer[1 << 16];
};

void pen_flush(struct pen *pen);
void pen_bytes(struct pen *pen, const char *text, size_t size);
void pen_number(struct pen *pen, int64_t number); /* 0 or more */
void pen_json(struct pen *pen, const char *text); /* a JSON string, of UTF-8 */
void pen_quoted(struct pen *pen, const char *text); /* in quotes, escaped as the text forms have it */

static inline void pen_byte(struct pen *pen, char byte)
{
	if (pen->used == sizeof(pen->buffer))
		pen_flush(pen);
	pen->buffer[pen->used++] = byte;
}

static inline void pen_text(struct pen *pen, const char *text)
{
	pen_bytes(pen, text, strlen(text));
}

/* Whether a byte of a name needs no quotes in either text form. */
static inline bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '-' && c <= '9') || (c >= '@' && c <= 'Z') || c == '_' || c == '+' ||
	       c == '%' || c >= 0x80;
}

/* Whether a name may stand without quotes, as far as marks that are not seen and control characters go. */
bool is_steady(const char *name);

/* Whether all names are UTF-8, as those of JSON have to be. */
bool json_has_words(const struct model *model);

/* Resources that have names of their own: the rest are ends of processes. */
static inline uint32_t named_resources(const struct model *model)
{
	return model->system.nresources - model->system.nends;
}

static inline bool any_preemptible(const struct model *model)
{
	for (uint32_t r = 0; model->system.preemptible && r < named_resources(model); r++)
		if (model->system.preemptible[r])
			return true;
	return false;
}

/* "preemptible":[...], which both forms of JSON have; any_preemptible(). */
void pen_json_preemptible(struct pen *pen, const struct model *model);
void pen_json_names(struct pen *pen, const struct names *names, uint32_t count);

/* Whether one of the words is text, in whatever case; the last is NULL. */
bool one_of(const char *text, const char *const words[]);

#endif
