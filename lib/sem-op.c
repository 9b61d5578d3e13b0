/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sem-backend.h"

#include <ctype.h>
#include <errno.h>

#define INDEX_MAX 65535

/* Digits of a number at most max, and past them. */
static int digits(const char **text, unsigned max, unsigned *out)
{
	unsigned n = 0;
	bool fits = true;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (; isdigit((unsigned char)**text); (*text)++) {
		n = fits ? n * 10 + (unsigned)(**text - '0') : n;
		fits = fits && n <= max;
	}
	*out = n;
	return fits ? 0 : -ERANGE;
}

/* A malformed rest is told before a number that is too large. */
static int first_of(int a, int b)
{
	return a == -EINVAL || b == -EINVAL ? -EINVAL : a ? a : b;
}

static int indices(const char **text, struct ipckit_sem_op_range *out)
{
	int r = digits(text, INDEX_MAX, &out->first);

	out->last = out->first;
	if (r != -EINVAL && **text == '-') {
		(*text)++;
		r = first_of(r, digits(text, INDEX_MAX, &out->last));
	}
	if (r == 0 && out->last < out->first)
		return -EINVAL;
	return r;
}

static int delta(const char **text, int *out)
{
	char sign = **text;
	unsigned n;
	int r;

	if (sign == '0') {
		(*text)++;
		*out = 0;
		return isdigit((unsigned char)**text) ? -EINVAL : 0;
	}
	if (sign != '+' && sign != '-')
		return -EINVAL;
	(*text)++;
	r = digits(text, SEM_SYSV_MAX, &n);
	if (r == 0 && n == 0)
		return -ERANGE;
	*out = sign == '-' ? -(int)n : (int)n;
	return r;
}

static int flags(const char *text, struct ipckit_sem_op *op)
{
	for (; *text; text++) {
		bool *flag = *text == 'n' ? &op->no_wait : *text == 'u' ? &op->undo : NULL;

		if (!flag || *flag)
			return -EINVAL;
		*flag = true;
	}
	return 0;
}

int ipckit_sem_parse_op(const char *text, struct ipckit_sem_op_range *out)
{
	struct ipckit_sem_op_range range = { 0 };
	int r = indices(&text, &range);

	if (r == -EINVAL || *text != ':')
		return -EINVAL;
	text++;
	r = first_of(r, delta(&text, &range.op.delta));
	if (r != -EINVAL)
		r = first_of(r, flags(text, &range.op));
	if (r)
		return r;
	range.op.index = range.first;
	*out = range;
	return 0;
}
