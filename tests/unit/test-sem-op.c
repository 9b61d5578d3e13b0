/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include <ipckit/sem.h>

static void test_accepted(void)
{
	static const struct {
		const char *text;
		unsigned first, last;
		int delta;
		bool no_wait, undo;
	} rows[] = {
		{ "0:+1", 0, 0, 1, false, false },
		{ "0:-1", 0, 0, -1, false, false },
		{ "0:0", 0, 0, 0, false, false },
		{ "2-5:-3n", 2, 5, -3, true, false },
		{ "7:0u", 7, 7, 0, false, true },
		{ "1:+32767nu", 1, 1, 32767, true, true },
		{ "1:-32767un", 1, 1, -32767, true, true },
		{ "65535-65535:+1", 65535, 65535, 1, false, false },
		{ "007:+010", 7, 7, 10, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_sem_op_range got;

		if (!CHECK_INT_FOR(rows[i].text, ipckit_sem_parse_op(rows[i].text, &got), 0))
			continue;
		CHECK_INT_FOR(rows[i].text, got.first, rows[i].first);
		CHECK_INT_FOR(rows[i].text, got.last, rows[i].last);
		CHECK_INT_FOR(rows[i].text, got.op.index, rows[i].first);
		CHECK_INT_FOR(rows[i].text, got.op.delta, rows[i].delta);
		CHECK_INT_FOR(rows[i].text, got.op.no_wait, rows[i].no_wait);
		CHECK_INT_FOR(rows[i].text, got.op.undo, rows[i].undo);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "", -EINVAL },	  { ":", -EINVAL },	    { "0", -EINVAL },
		{ "0:", -EINVAL },	  { "0:1", -EINVAL },	    { ":+1", -EINVAL },
		{ "0:+", -EINVAL },	  { "0:-", -EINVAL },	    { "0:+x", -EINVAL },
		{ "0:+1x", -EINVAL },	  { "0:+1nn", -EINVAL },    { "0:+1uu", -EINVAL },
		{ "0:00", -EINVAL },	  { " 0:+1", -EINVAL },	    { "0 :+1", -EINVAL },
		{ "0:+1 ", -EINVAL },	  { "5-2:+1", -EINVAL },    { "1-:+1", -EINVAL },
		{ "-1:+1", -EINVAL },	  { "0x1:+1", -EINVAL },    { "0:+0", -ERANGE },
		{ "0:-0", -ERANGE },	  { "0:+32768", -ERANGE },  { "0:-32768", -ERANGE },
		{ "65536:+1", -ERANGE },  { "0-65536:+1", -ERANGE }, { "0:+99999999999999999999", -ERANGE },
		{ "65536:+1x", -EINVAL }, { "0:+32768x", -EINVAL }, { "99999999999:", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_sem_op_range got = { .first = 4711 };

		CHECK_INT_FOR(rows[i].text, ipckit_sem_parse_op(rows[i].text, &got), rows[i].error);
		CHECK_INT_FOR(rows[i].text, got.first, 4711);
	}
}

int main(void)
{
	test_accepted();
	test_refused();
	return unit_done("operations on System V sets");
}
