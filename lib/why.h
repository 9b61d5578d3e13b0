/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_WHY_H
#define LIB_WHY_H

/* What refusals of names and endpoints are worded with. */

#include <ipckit/base.h>
#include <stdarg.h>

/* Words the reason; why may be NULL. Returns -EINVAL. */
__attribute__((format(printf, 2, 0))) int why_say(struct ipckit_why *why, const char *format, va_list args);

/* "a, b or c"; "nothing" where there is none. What does not fit is cut. */
void why_join(const char *const *words, size_t n, char *text, size_t size);

/* Whether a word can be put into a sentence: of at most so many bytes, nothing that a terminal or JSON minds. */
bool why_is_plain(const char *word, size_t length, size_t most);

#endif
