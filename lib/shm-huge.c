/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc-scan.h"
#include "shm-look.h"
#include "sys.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

/* ---- the machine ---- */

/* "Hugetlb:       4096 kB", of all sizes together; Linux 4.16 */
static struct ipckit_maybe parse_pool(const char *text)
{
	static const char key[] = "\nHugetlb:";
	const char *p = strstr(text, key);
	uint64_t n;

	if (!p)
		return ipckit_unknown();
	p += sizeof(key) - 1;
	scan_blanks(&p);
	return scan_below(&p, 10, INT64_MAX / 1024, &n) ? ipckit_known((int64_t)n * 1024) : ipckit_unknown();
}

static int read_pool(int root, struct ipckit_maybe *out)
{
	char *text;
	int r = root < 0 ? root : proc_read(root, "meminfo", &text, NULL);

	*out = ipckit_unknown();
	if (r)
		return sys_own_trouble(r);
	*out = parse_pool(text);
	free(text);
	return 0;
}

/* Without transparent huge pages the kernel has no such file: a page then. */
static int read_folio(uint64_t page, uint64_t *out)
{
	const char *p;
	char *text;
	int r = proc_read(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &text, NULL);

	*out = 0;
	if (r == -ENOENT && !access("/sys/kernel/mm", F_OK))
		*out = page;
	if (r)
		return sys_own_trouble(r);
	p = text;
	if (!scan_number(&p, 10, out))
		*out = 0;
	free(text);
	return 0;
}

int shm_pages_read(int root, struct shm_pages *out)
{
	struct shm_pages pages = { .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	int r = shm_devices_find(&pages.devices);

	if (sys_lacks_resources(r))
		return r;
	r = read_pool(root, &pages.pool);
	if (!r)
		r = read_folio(pages.page, &pages.folio);
	if (!r)
		*out = pages;
	return r;
}

/* ---- a segment ---- */

static bool is_yes(struct ipckit_maybe value)
{
	return value.known && value.value > 0;
}

/* How many bytes pages of a size take that hold a segment. */
static uint64_t whole_pages(uint64_t size, uint64_t page)
{
	uint64_t pages = size / page + (size % page != 0);

	return pages > UINT64_MAX / page ? UINT64_MAX : pages * page;
}

/* Huge pages are neither swapped nor locked, and come whole out of a pool. */
static bool is_ordinary(const struct shm_pages *pages, const struct ipckit_shm_info *info)
{
	uint64_t smallest = pages->devices.count > 1 ? pages->devices.list[1].page_size : 0;

	if (pages->devices.no_huge || is_yes(info->locked) || is_yes(info->swap))
		return true;
	if (!is_yes(info->rss))
		return false;
	return (smallest && (uint64_t)info->rss.value % smallest) || (pages->pool.known && !pages->pool.value);
}

/* More in memory than ordinary pages can be, which the kernel may have joined beyond the segment's end. */
static bool is_beyond(const struct shm_pages *pages, const struct ipckit_shm_info *info)
{
	return pages->folio && is_yes(info->rss) && info->size.known &&
	       (uint64_t)info->rss.value > whole_pages((uint64_t)info->size.value, pages->folio);
}

static struct ipckit_maybe is_huge(const struct shm_pages *pages, uint64_t seen,
				   const struct ipckit_shm_info *info)
{
	if (seen)
		return ipckit_known(seen > pages->page);
	if (is_ordinary(pages, info))
		return ipckit_known(0);
	return is_beyond(pages, info) ? ipckit_known(1) : ipckit_unknown();
}

/* What a number of the kernel can mean. */
struct readings {
	size_t count;
	uint64_t last;
};

static void add_reading(uint64_t rss, uint64_t most, struct readings *readings)
{
	if (rss > most)
		return;
	readings->count++;
	readings->last = rss;
}

/* With pages of a size: it as it is, or multiplied. */
static void read_rss(const struct shm_pages *pages, uint64_t huge, const struct ipckit_shm_info *info,
		     struct readings *readings)
{
	uint64_t rss = (uint64_t)info->rss.value, times = huge / pages->page;
	uint64_t most = whole_pages((uint64_t)info->size.value, huge);

	if (rss % huge)
		return;
	if (pages->pool.known && (uint64_t)pages->pool.value < most)
		most = (uint64_t)pages->pool.value;
	add_reading(rss, most, readings);
	if (times > 1 && rss / huge % times == 0)
		add_reading(rss / times, most, readings);
}

static struct ipckit_maybe mend_rss(const struct shm_pages *pages, uint64_t seen,
				    const struct ipckit_shm_info *info)
{
	struct readings readings = { 0 };

	for (size_t i = 1; i < pages->devices.count; i++)
		if (!seen || seen == pages->devices.list[i].page_size)
			read_rss(pages, pages->devices.list[i].page_size, info, &readings);
	return readings.count == 1 ? ipckit_known((int64_t)readings.last) : ipckit_unknown();
}

void shm_tell_huge(const struct shm_pages *pages, uint64_t seen, struct ipckit_shm_info *info)
{
	info->hugetlb = is_huge(pages, seen, info);
	if (!info->hugetlb.known)
		gaps_note(&info->gaps, "hugetlb", EOPNOTSUPP);
	if (!is_yes(info->hugetlb) || !is_yes(info->rss) || !info->size.known)
		return;
	info->rss = mend_rss(pages, seen, info);
	if (!info->rss.known)
		gaps_note(&info->gaps, "rss", EOPNOTSUPP);
}
