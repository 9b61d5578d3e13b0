/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shm-backend.h"
#include "sys.h"
#include "word-file.h"
#include "word-node.h"

#include <ipckit/word.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

struct ipckit_word {
	void *map;
	size_t size;     /* 0: what shmat(2) attached */
	size_t distance; /* within map, to memory before the word that is private; 0: there is none */
	uint32_t *at;
	uint64_t offset;
	int fd; /* -1: in a System V segment */
	int id;
	dev_t device;
	ino_t inode;
	bool removed; /* from the beginning */
};

static bool is_beyond(uint64_t offset, uint64_t size)
{
	return size < sizeof(uint32_t) || offset > size - sizeof(uint32_t);
}

/* ---- private memory before it ---- */

#define NODE_PAGES 2 /* an entry before the last word of a page ends in the second */

/*
 * Reserves memory, of which there is a page to be mapped by something else, after those. It is at an odd number of
 * pages, so that huge ones are refused in its place: they would be put over whatever lies behind, too.
 */
static int reserve(size_t page, void **map, void **over)
{
	int r = sys_reserve((NODE_PAGES + 2) * page, map);
	char *at;

	if (r)
		return r;
	at = (char *)*map + NODE_PAGES * page;
	*over = (uintptr_t)at / page % 2 ? at : at + page;
	return 0;
}

static void settle(struct ipckit_word *word, size_t page, void *map, void *over)
{
	word->map = map;
	word->size = (NODE_PAGES + 2) * page;
	word->distance = NODE_PAGES * page;
	word->at = (uint32_t *)((char *)over + word->offset % page);
}

/* ---- files ---- */

/* Of huge pages no part can be unmapped. */
static size_t page_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) || (uint32_t)fs.f_type != HUGETLBFS_MAGIC)
		return (size_t)sysconf(_SC_PAGESIZE);
	return (size_t)fs.f_bsize;
}

static int map_page(struct ipckit_word *word, size_t page, int protection)
{
	uint64_t start = word->offset & ~(uint64_t)(page - 1);
	int r = sys_mmap(page, protection, word->fd, (off_t)start, &word->map);

	if (r)
		return r;
	word->size = page;
	word->at = (uint32_t *)((char *)word->map + (word->offset - start));
	return 0;
}

static int map_after_node(struct ipckit_word *word, size_t page)
{
	void *map, *over;
	int r = reserve(page, &map, &over);

	if (r)
		return r;
	r = sys_mmap_over(over, page, PROT_READ | PROT_WRITE, word->fd, (off_t)(word->offset & ~(uint64_t)(page - 1)));
	if (r)
		munmap(map, (NODE_PAGES + 2) * page);
	else
		settle(word, page, map, over);
	return r;
}

static int map_file(struct ipckit_word *word, bool write)
{
	size_t page = page_of(word->fd);

	if (!write)
		return map_page(word, page, PROT_READ);
	return page == (size_t)sysconf(_SC_PAGESIZE) ? map_after_node(word, page) :
						       map_page(word, page, PROT_READ | PROT_WRITE);
}

static int open_file(const struct ipckit_name *name, bool write, struct ipckit_word *word)
{
	struct stat st;
	int r = word_file_open(name, write ? O_RDWR : O_RDONLY, &st, &word->fd);

	if (r)
		return r;
	word->device = st.st_dev;
	word->inode = st.st_ino;
	word->removed = !st.st_nlink;
	if (is_beyond(word->offset, (uint64_t)st.st_size))
		r = -EFBIG;
	else
		r = map_file(word, write);
	if (r)
		close(word->fd);
	return r;
}

static int check_file(const struct ipckit_word *word)
{
	struct stat st;
	int r = sys_fstat(word->fd, &st);

	if (r)
		return r;
	if (is_beyond(word->offset, (uint64_t)st.st_size))
		return -EFBIG;
	return st.st_nlink || word->removed ? 0 : -EIDRM;
}

/* ---- System V segments ---- */

/* What is attached cannot be taken away any more: only then is its size sure. */
static int check_size(struct ipckit_word *word, size_t *size)
{
	struct shmid_ds ds;
	int r = shm_sysv_stat(word->id, &ds);

	if (r)
		return r;
	*size = ds.shm_segsz;
	word->removed = ds.shm_perm.mode & SHM_DEST;
	return is_beyond(word->offset, ds.shm_segsz) ? -EFBIG : 0;
}

/* Of what is attached, the word's page alone is kept. (shmdt(2) would look for the rest by guessing.) */
static void detach_others(const struct ipckit_word *word, size_t page, size_t size)
{
	size_t before = word->offset & ~(page - 1);
	size_t after = (size - before - 1) & ~(page - 1);

	if (before)
		munmap(word->map, before);
	if (after)
		munmap((char *)word->map + before + page, after);
}

/* Huge pages are not moved, and what cannot be is left as it is. */
static void move_after_node(struct ipckit_word *word, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map, *over;

	if (reserve(page, &map, &over))
		return;
	if (sys_mremap_over(over, page, (char *)word->map + (word->offset & ~(page - 1)))) {
		munmap(map, (NODE_PAGES + 2) * page);
		return;
	}
	detach_others(word, page, size);
	settle(word, page, map, over);
}

static int open_segment(const struct ipckit_name *name, bool write, struct ipckit_word *word)
{
	struct shmid_ds ds;
	size_t size = 0;
	int r = shm_sysv_find(name, &word->id);

	if (r)
		return r;
	r = sys_shmat(word->id, write ? 0 : SHM_RDONLY, &word->map);
	/* Of an identifier it mostly means that there is none. */
	if (r == -EIDRM || (r == -EINVAL && shm_sysv_stat(word->id, &ds) == -ENOENT))
		return -ENOENT;
	if (r)
		return r;
	r = check_size(word, &size);
	if (r) {
		(void)sys_shmdt(word->map);
		return r;
	}
	word->at = (uint32_t *)((char *)word->map + word->offset);
	if (write)
		move_after_node(word, size);
	return 0;
}

static int check_segment(const struct ipckit_word *word)
{
	struct shmid_ds ds;
	int r = shm_sysv_stat(word->id, &ds);

	if (r)
		return r == -ENOENT ? -EIDRM : r;
	return ds.shm_perm.mode & SHM_DEST && !word->removed ? -EIDRM : 0;
}

/* ---- words ---- */

static int open_word(const struct ipckit_name *name, bool write, struct ipckit_word **out)
{
	const unsigned kinds = IPCKIT_WORD_NAMES | IPCKIT_TAKES_SYSV;
	struct ipckit_word *word;
	int r;

	if (!(IPCKIT_TAKES(name->kind) & kinds) || name->offset % sizeof(*word->at))
		return -EINVAL;
	word = calloc(1, sizeof(*word));
	if (!word)
		return -ENOMEM;
	word->fd = -1;
	word->offset = name->offset;
	r = IPCKIT_TAKES(name->kind) & IPCKIT_TAKES_SYSV ? open_segment(name, write, word)
							  : open_file(name, write, word);
	if (r)
		free(word);
	else
		*out = word;
	return r;
}

int ipckit_word_open(const struct ipckit_name *name, struct ipckit_word **out)
{
	return open_word(name, true, out);
}

int ipckit_word_open_to_read(const struct ipckit_name *name, struct ipckit_word **out)
{
	return open_word(name, false, out);
}

void ipckit_word_close(struct ipckit_word *word)
{
	if (!word)
		return;
	if (word->size)
		munmap(word->map, word->size);
	else
		(void)sys_shmdt(word->map);
	if (word->fd >= 0)
		close(word->fd);
	free(word);
}

size_t word_node_distance(const struct ipckit_word *word)
{
	return word->distance;
}

uint32_t *ipckit_word_at(const struct ipckit_word *word)
{
	return word->at;
}

int ipckit_word_fd(const struct ipckit_word *word)
{
	return word->fd;
}

uint64_t ipckit_word_offset(const struct ipckit_word *word)
{
	return word->offset;
}

int ipckit_word_check(const struct ipckit_word *word)
{
	return word->fd < 0 ? check_segment(word) : check_file(word);
}

/* Where the kernel cannot be asked (before Linux 5.14), it is left to the load. */
int ipckit_word_load(const struct ipckit_word *word, uint32_t *out)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)word->at & ~(page - 1);
	int r;

	do {
		r = sys_result(madvise((void *)start, page, MADV_POPULATE_READ));
	} while (r == -EINTR);
	if (r && r != -EINVAL)
		return r;
	*out = __atomic_load_n(word->at, __ATOMIC_ACQUIRE);
	return 0;
}

bool ipckit_word_is_in(const struct ipckit_word *word, const struct stat *st, uint64_t *offset)
{
	if (word->fd < 0 || word->device != st->st_dev || word->inode != st->st_ino)
		return false;
	*offset = word->offset;
	return true;
}
