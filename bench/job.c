/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A job that counts itself: job FILE [hold]
 *
 * Enters, works for a moment, leaves. With `hold` it enters and stays until it is killed.
 */

#include "bench.h"

int main(int argc, char **argv)
{
	struct counters *counters = map_counters(argc > 1 ? argv[1] : "");
	int inside, most;

	atomic_store(&counters->entered, getpid());
	if (argc > 2)
		for (;;)
			pause();
	inside = atomic_fetch_add(&counters->inside, 1) + 1;
	most = atomic_load(&counters->most);
	while (inside > most && !atomic_compare_exchange_weak(&counters->most, &most, inside))
		;
	sleep_ns(100000);
	atomic_fetch_sub(&counters->inside, 1);
	atomic_fetch_add(&counters->done, 1);
	return 0;
}
