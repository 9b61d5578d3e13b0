/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What tells that a segment is of huge pages, and how many bytes of it are in memory. */

#include "unit.h"

#include "shm-looked.h"

#define KI INT64_C(1024)
#define MI (KI * 1024)
#define GI (MI * 1024)

static const struct shm_pages machine = {
	.page = 4 * KI,
	.folio = 2 * MI,
	.pool = { .known = true, .value = 8 * GI },
	.devices = { .list = { { 1, 4 * KI }, { 17, 2 * MI }, { 18, GI } }, .count = 3 },
};

static void test_huge(void)
{
	static const struct {
		const char *what;
		int64_t size, rss, swap, locked;
		uint64_t seen;
		int64_t hugetlb, told;
	} rows[] = {
		{ "untouched", 4096, 0, 0, 0, 0, UNKNOWN, 0 },
		{ "untouched, seen", 4096, 0, 0, 0, 4 * KI, 0, 0 },
		{ "untouched, seen huge", 4096, 0, 0, 0, 2 * MI, 1, 0 },
		{ "locked", 4 * MI, 2 * MI, 0, 1, 0, 0, 2 * MI },
		{ "swapped", 4 * MI, 2 * MI, 4096, 0, 0, 0, 2 * MI },
		{ "a page", 4 * MI, 4096, 0, 0, 0, 0, 4096 },
		{ "as many as huge ones", 4 * MI, 2 * MI, 0, 0, 0, UNKNOWN, 2 * MI },
		{ "as many as multiplied ones", 4 * GI, GI, 0, 0, 0, UNKNOWN, GI },
		{ "joined beyond the end", 4096, 2 * MI, 0, 0, 0, UNKNOWN, 2 * MI },
		{ "multiplied", 4096, 512 * GI, 0, 0, 0, 1, UNKNOWN },
		{ "multiplied, or one of the largest", 4096, GI, 0, 0, 0, 1, UNKNOWN },
		{ "multiplied, by what fits", 3 * MI, 2 * GI, 0, 0, 0, 1, 4 * MI },
		{ "multiplied, seen", 4 * MI, 2 * GI, 0, 0, 2 * MI, 1, 4 * MI },
		{ "not multiplied, seen", 4 * MI, 2 * MI, 0, 0, 2 * MI, 1, 2 * MI },
		{ "either", 4 * GI, 4 * GI, 0, 0, 2 * MI, 1, UNKNOWN },
		{ "more than the pool has", 64 * GI, 16 * GI, 0, 0, 2 * MI, 1, 32 * MI },
		{ "neither fits", 4 * MI, 6 * MI, 0, 0, 2 * MI, 1, UNKNOWN },
		{ "of the largest, multiplied", GI, GI * 512 * 512, 0, 0, 0, 1, GI },
		{ "of the largest size", INT64_MAX, 2 * MI, 0, 0, 2 * MI, 1, 2 * MI },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_shm_info info = {
			.backend = IPCKIT_SHM_SYSV,
			.size = ipckit_known(rows[i].size),
			.rss = ipckit_known(rows[i].rss),
			.swap = ipckit_known(rows[i].swap),
			.locked = ipckit_known(rows[i].locked),
		};

		shm_tell_huge(&machine, rows[i].seen, &info);
		CHECK_INT_FOR(rows[i].what, value(info.hugetlb), rows[i].hugetlb);
		CHECK_INT_FOR(rows[i].what, value(info.rss), rows[i].told);
		CHECK_INT_FOR(rows[i].what, gap(&info, "hugetlb"), info.hugetlb.known ? 0 : EOPNOTSUPP);
		CHECK_INT_FOR(rows[i].what, gap(&info, "rss"), info.rss.known ? 0 : EOPNOTSUPP);
	}
}

static void check_machine(const char *what, const struct shm_pages *pages, int64_t rss, int64_t hugetlb)
{
	struct ipckit_shm_info info = { .size = ipckit_known(4096), .rss = ipckit_known(rss) };

	shm_tell_huge(pages, 0, &info);
	CHECK_INT_FOR(what, value(info.hugetlb), hugetlb);
}

static void test_machines(void)
{
	struct shm_pages pages = machine;

	pages.pool = ipckit_known(0);
	check_machine("no huge pages in the pool", &pages, 2 * MI, 0);
	check_machine("none in the pool, untouched", &pages, 0, UNKNOWN);
	pages = machine;
	pages.devices.no_huge = true;
	check_machine("a kernel without them", &pages, 0, 0);
	pages = machine;
	pages.folio = 0;
	check_machine("how large pages get is not known", &pages, GI, UNKNOWN);
	memset(&pages, 0, sizeof(pages));
	check_machine("nothing is known", &pages, 2 * MI, UNKNOWN);
}

int main(void)
{
	test_huge();
	test_machines();
	return unit_done("huge pages of segments");
}
