/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_JOURNAL_FILE_H
#define LIB_JOURNAL_FILE_H

/*
 * The file of a journal.
 *
 *   head      whose it is; never changed
 *   extent    at the next multiple of `page`: a pattern, then slots of one size
 *   extent    ...
 *
 * An extent's magic is written last: what a run that was killed left half made
 * has none, and is cut away. A slot's state and its rank tell what is in it:
 *
 *   free, rank as marked     nothing; data equals the pattern
 *   free, another rank       a message that the kernel wrote, of unknown size
 *   received                 a message whose size was noted
 *   done                     a message that was handled; data is half pattern, half message
 *
 * The kernel writes the rank before the data, and once it has taken a message off
 * the queue it goes on, whatever signals arrive. Each step of the library is one store,
 * and the stores are kept in their order, so that a kill between any two of
 * them leaves one of the four:
 *
 *   taking a slot:     order
 *   the kernel:        rank, data
 *   received:          state = received
 *   done:              state = done, data = pattern, rank = marked, state = free
 */

#include <ipckit/journal.h>
#include <sys/stat.h>

#define JOURNAL_MAGIC "ipckit journal\n"
#define JOURNAL_EXTENT_MAGIC UINT64_C(0x315458455a4b5049)
#define JOURNAL_ROOM_MAX ((size_t)1 << 29)
#define JOURNAL_COUNT_MAX 4096u

/* What the kernel never writes: no type is 0, and no priority has more than 15 bits. Of a long the kernel
 * writes an unsigned priority over the low half; the rest stays 0. */
#define JOURNAL_MARK(backend) ((backend) == IPCKIT_MQ_SYSV ? 0L : (long)~0u)

struct journal_head {
	char magic[16];
	uint32_t byte_order; /* JOURNAL_BYTE_ORDER */
	uint16_t version;
	uint16_t word; /* sizeof(long) */
	uint32_t backend;
	uint32_t page;
	uint32_t name_size; /* with its NUL */
	uint32_t check;
	char name[];
};

#define JOURNAL_BYTE_ORDER UINT32_C(0x01020304)
#define JOURNAL_VERSION 1

struct journal_extent {
	uint64_t magic;
	uint32_t room;
	uint32_t count;
	uint32_t check;
	uint32_t unused[11];
	unsigned char pattern[]; /* room bytes */
};

struct journal_entry {
	unsigned long state; /* size << 2 | enum journal_state */
	uint64_t order;
	struct ipckit_mq_message message;
};

enum journal_state {
	JOURNAL_FREE,
	JOURNAL_RECEIVED,
	JOURNAL_DONE,
};

struct journal_file {
	int fd;
	enum ipckit_mq_backend backend;
	size_t page;
	uint64_t end; /* of the extents so far */
};

uint32_t journal_head_check(const struct journal_head *head);
uint32_t journal_extent_check(const struct journal_extent *extent);

/* The bytes of an extent, page alignment left out. room: as journal_room() gives it. */
uint64_t journal_extent_size(size_t room, size_t count);
/* The room that a slot for so many bytes has. */
size_t journal_room(size_t wanted);
struct journal_entry *journal_entry(struct journal_extent *extent, size_t i);

/* Opens or makes the file, locks it and checks its head. As ipckit_journal_open(). */
IPCKIT_CHECK int journal_file_open(const char *path, enum ipckit_mq_backend backend, const char *queue,
				   struct journal_file *out);

/* Maps the next extent that is there; size: of the mapping. -ENOENT where there are no more. */
IPCKIT_CHECK int journal_file_next(struct journal_file *file, struct journal_extent **out, size_t *size);

/* Makes an extent behind the last and maps it. */
IPCKIT_CHECK int journal_file_grow(struct journal_file *file, size_t room, size_t count,
				   struct journal_extent **out, size_t *size);

/*
 * Sees to it that memory of the file can be written without a fault: the kernel loses a message
 * when a fault on its way out meets a signal that kills. -EBADMSG where the file shrank.
 */
IPCKIT_CHECK int journal_touch(void *start, size_t size);

#endif
