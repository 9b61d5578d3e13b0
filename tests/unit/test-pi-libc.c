/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Robust mutexes with priority inheritance. */

#include "mutex-libc.h"

#ifdef WITH_LIBC

static struct ipckit_pi *held;

static int lock_ours(bool *died)
{
	return pi_soon(word, died, &held);
}

static int try_ours(void)
{
	bool died;

	return pi_within(word, 0, &died, &held);
}

static int unlock_ours(void)
{
	return ipckit_pi_unlock(held);
}

int main(void)
{
	return test_with_libc("PI mutex and libc", PTHREAD_PRIO_INHERIT, -EDEADLK);
}

#else

int main(void)
{
	return unit_skip("PI mutex and libc", "no GNU C library, or not all of it");
}

#endif
