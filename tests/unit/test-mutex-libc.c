/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Robust mutexes. */

#include "mutex-libc.h"

#ifdef WITH_LIBC

static struct ipckit_mutex *held;

static int lock_ours(bool *died)
{
	return lock_soon(word, died, &held);
}

static int try_ours(void)
{
	bool died;

	return lock_within(word, 0, &died, &held);
}

static int unlock_ours(void)
{
	ipckit_mutex_unlock(held);
	return 0;
}

int main(void)
{
	return test_with_libc("mutex and libc", PTHREAD_PRIO_NONE, -EAGAIN);
}

#else

int main(void)
{
	return unit_skip("mutex and libc", "no GNU C library, or not all of it");
}

#endif
