/* SPDX-License-Identifier: GPL-2.0-or-later */

/* copy BYTES: nanoseconds of one memcpy(3) of that size, between buffers that both have been touched. */

#include "bench.h"

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoull(argv[1], NULL, 0) : 0;
	char *from = malloc(size), *to = malloc(size);
	int64_t begin;

	if (!size || !from || !to)
		return 2;
	memset(from, 1, size);
	memset(to, 2, size);
	begin = now_ns();
	memcpy(to, from, size);
	begin = now_ns() - begin;
	/* What was copied is needed, so that the copying is. */
	if (memcmp(to + size / 2, from + size / 2, size - size / 2))
		return 1;
	printf("%lld\n", (long long)begin);
	return 0;
}
