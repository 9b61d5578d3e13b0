/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Journals: any file is taken for one, and what is in it is delivered, marked and received over.
 * The first byte chooses the backend and whether checksums are made right first.
 */

#include "../../lib/journal-file.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define QUEUE "/jobs"

static char path[300];

static void remove_file(void)
{
	unlink(path);
}

static void name_file(void)
{
	const char *base = getenv("TMPDIR");

	if (*path)
		return;
	snprintf(path, sizeof(path), "%s/fuzz-journal.%d", base ? base : "/tmp", (int)getpid());
	atexit(remove_file);
}

/* Mutations would hardly ever get past these. */
static void mend(uint8_t *data, size_t size)
{
	struct journal_head head;
	struct journal_extent extent;
	uint64_t bytes;
	uint8_t *copy;
	size_t at;

	if (size < sizeof(head))
		return;
	memcpy(&head, data, sizeof(head));
	head.page = (uint32_t)sysconf(_SC_PAGESIZE);
	memcpy(data, &head, sizeof(head));
	if (head.name_size > size - sizeof(head))
		return;
	copy = malloc(size);
	if (!copy)
		exit(1);
	memcpy(copy, data, size);
	((struct journal_head *)(void *)copy)->check = journal_head_check((void *)copy);
	memcpy(data, copy, sizeof(head));
	free(copy);
	at = head.page;
	while (at < size && size - at >= sizeof(extent)) {
		memcpy(&extent, data + at, sizeof(extent));
		extent.check = journal_extent_check(&extent);
		memcpy(data + at, &extent, sizeof(extent));
		bytes = journal_extent_size(extent.room, extent.count);
		/* What is too much to be counted is less than its head. */
		if (bytes < sizeof(extent) || bytes >= size - at)
			break;
		at += bytes + head.page - 1;
		at -= at % head.page;
	}
}

static void store(const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
		exit(1);
	close(fd);
}

/* Every byte that is said to be there is read, under a sanitizer or a fault. */
static void deliver(struct ipckit_journal *journal, size_t file_size)
{
	static volatile unsigned char last;

	for (size_t i = 0; i < ipckit_journal_left(journal); i++) {
		struct ipckit_journal_slot slot;

		ipckit_journal_get_left(journal, i, &slot);
		HOLDS(slot.size <= slot.room && slot.room <= file_size);
		for (size_t k = 0; k < slot.size; k++)
			last = (unsigned char)slot.message->data[k];
		HOLDS(slot.message->rank >= 0);
		ipckit_journal_done(journal, &slot);
	}
	(void)last;
}

static void receive(struct ipckit_journal *journal, size_t room)
{
	struct ipckit_journal_slot slot;
	int r = ipckit_journal_slot(journal, room, &slot);

	HOLDS(r == 0 || r == -ENOSPC || r == -ENOMEM);
	if (r)
		return;
	HOLDS(slot.room >= room);
	slot.message->rank = 7;
	memset(slot.message->data, 'x', room);
}

static void check_received(enum ipckit_mq_backend backend, size_t room)
{
	struct ipckit_journal *journal;
	struct ipckit_journal_slot slot;

	HOLDS(!ipckit_journal_open(path, backend, QUEUE, &journal));
	HOLDS(ipckit_journal_left(journal) == 1);
	ipckit_journal_get_left(journal, 0, &slot);
	/* A pattern that somebody made up can hold what is received. */
	HOLDS(slot.measured && slot.size <= slot.room && slot.message->rank == 7);
	HOLDS(slot.size <= room && (!slot.size || slot.message->data[slot.size - 1] == 'x'));
	ipckit_journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ipckit_mq_backend backend = size && data[0] & 1 ? IPCKIT_MQ_SYSV : IPCKIT_MQ_POSIX;
	size_t room = size ? data[0] * 4 : 0;
	struct ipckit_journal *journal = NULL;
	uint8_t *file;
	char *queue = NULL;
	int r;

	if (!size)
		return 0;
	name_file();
	file = malloc(size);
	if (!file)
		exit(1);
	memcpy(file, data + 1, size - 1);
	if (data[0] & 2)
		mend(file, size - 1);
	store(file, size - 1);
	free(file);
	r = ipckit_journal_queue(path, &queue);
	HOLDS(r == 0 || r == -EBADMSG);
	r = ipckit_journal_open(path, backend, QUEUE, &journal);
	HOLDS(r == 0 || r == -EBADMSG || r == -EXDEV);
	HOLDS(r == -EXDEV ? queue != NULL : r || !queue || !strcmp(queue, QUEUE));
	free(queue);
	if (r)
		return 0;
	deliver(journal, size);
	receive(journal, room);
	ipckit_journal_close(journal);
	check_received(backend, room);
	return 0;
}
