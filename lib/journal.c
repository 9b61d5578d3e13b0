/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"
#include "journal-file.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX
#define GROWTH_MAX 64           /* slots that are made at once ... */
#define GROWTH_BYTES (1u << 20) /* ... and about their bytes */

struct slot {
	struct journal_entry *entry;
	const unsigned char *pattern;
	size_t room;
	size_t next; /* free one, or NONE */
	time_t touched;
	bool taken;
};

struct extent {
	struct journal_extent *map;
	size_t size;
};

struct ipckit_journal {
	struct journal_file file;
	struct extent *extents;
	size_t nextents;
	struct slot *slots;
	size_t nslots;
	size_t free; /* the first of a list: the one used last, whose memory is near */
	size_t *left;
	size_t nleft;
	uint64_t order; /* that is given next */
};

/* ---- the steps: see journal-file.h ---- */

/*
 * A signal that kills lets the next process see all stores before it and none
 * after, in the order of the program: it is the compiler that must keep to it.
 */
static void set_state(struct journal_entry *entry, enum journal_state state, size_t size)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&entry->state, (unsigned long)size << 2 | state, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static enum journal_state state_of(const struct journal_entry *entry)
{
	return entry->state & 3;
}

static size_t size_of(const struct journal_entry *entry)
{
	return entry->state >> 2;
}

/* Puts the pattern back where a message was. */
static void wipe(const struct slot *slot, enum ipckit_mq_backend backend, size_t size)
{
	set_state(slot->entry, JOURNAL_DONE, size);
	memcpy(slot->entry->message.data, slot->pattern, size);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->entry->message.rank, JOURNAL_MARK(backend), __ATOMIC_RELEASE);
	set_state(slot->entry, JOURNAL_FREE, 0);
}

static size_t measure(const struct slot *slot)
{
	const unsigned char *data = (const unsigned char *)slot->entry->message.data;
	size_t size = slot->room;

	while (size && data[size - 1] == slot->pattern[size - 1])
		size--;
	return size;
}

/* ---- slots ---- */

static bool holds_message(const struct slot *slot, enum ipckit_mq_backend backend)
{
	const struct journal_entry *entry = slot->entry;

	return state_of(entry) == JOURNAL_RECEIVED ||
	       (state_of(entry) == JOURNAL_FREE && entry->message.rank != JOURNAL_MARK(backend));
}

static bool rank_good(long rank, enum ipckit_mq_backend backend)
{
	return backend == IPCKIT_MQ_SYSV ? rank >= 1 : rank >= 0 && rank <= IPCKIT_MQ_PRIORITY_MAX;
}

static bool slot_good(const struct slot *slot, enum ipckit_mq_backend backend)
{
	const struct journal_entry *entry = slot->entry;

	if (state_of(entry) > JOURNAL_DONE || size_of(entry) > slot->room)
		return false;
	if (state_of(entry) == JOURNAL_FREE && entry->state)
		return false;
	return !holds_message(slot, backend) || rank_good(entry->message.rank, backend);
}

static void set_free(struct ipckit_journal *journal, size_t number)
{
	journal->slots[number].taken = false;
	journal->slots[number].next = journal->free;
	journal->free = number;
}

/*
 * Takes up a slot that an earlier run has used. In a free one data equals the
 * pattern, unless the machine went down and not every page was written.
 */
static int take_up(struct ipckit_journal *journal, size_t number)
{
	enum ipckit_mq_backend backend = journal->file.backend;
	struct slot *slot = &journal->slots[number];
	struct journal_entry *entry = slot->entry;

	if (!slot_good(slot, backend))
		return -EBADMSG;
	if (holds_message(slot, backend)) {
		slot->taken = true;
		journal->left[journal->nleft++] = number;
		if (entry->order >= journal->order)
			journal->order = entry->order + 1;
		return 0;
	}
	if (state_of(entry) == JOURNAL_DONE || memcmp(entry->message.data, slot->pattern, slot->room) != 0)
		wipe(slot, backend, slot->room);
	set_free(journal, number);
	return 0;
}

/* Room for what is known of one more extent, so that nothing fails once the file has grown. */
static int make_room(struct ipckit_journal *journal, size_t count)
{
	size_t nslots = journal->nslots + count;
	struct extent *extents = reallocarray(journal->extents, journal->nextents + 1, sizeof(*extents));
	struct slot *slots;
	size_t *left;

	if (!extents)
		return -ENOMEM;
	journal->extents = extents;
	slots = reallocarray(journal->slots, nslots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	journal->slots = slots;
	left = reallocarray(journal->left, nslots, sizeof(*left));
	if (!left)
		return -ENOMEM;
	journal->left = left;
	return 0;
}

/* Its slots belong to nobody yet; there is room for them. */
static void add_extent(struct ipckit_journal *journal, struct journal_extent *map, size_t size)
{
	journal->extents[journal->nextents++] = (struct extent){ .map = map, .size = size };
	for (size_t i = 0; i < map->count; i++)
		journal->slots[journal->nslots++] = (struct slot){
			.entry = journal_entry(map, i),
			.pattern = map->pattern,
			.room = map->room,
			.next = NONE,
		};
}

static int grow(struct ipckit_journal *journal, size_t room)
{
	size_t count = journal->nslots, first = journal->nslots, size;
	struct journal_extent *map;
	int r;

	if (room > JOURNAL_ROOM_MAX || journal_room(room) > JOURNAL_ROOM_MAX)
		return -ENOMEM;
	room = journal_room(room);
	if (count > GROWTH_MAX)
		count = GROWTH_MAX;
	if (count > GROWTH_BYTES / room)
		count = GROWTH_BYTES / room;
	if (!count)
		count = 1;
	r = make_room(journal, count) ?: journal_file_grow(&journal->file, room, count, &map, &size);
	if (r)
		return r;
	add_extent(journal, map, size);
	for (size_t i = journal->nslots; i-- > first;)
		set_free(journal, i);
	return 0;
}

/* The link that leads to a free slot with so much room; one to NONE where there is none. */
static size_t *find_free(struct ipckit_journal *journal, size_t room)
{
	size_t *link = &journal->free;

	while (*link != NONE && journal->slots[*link].room < room)
		link = &journal->slots[*link].next;
	return link;
}

/*
 * Pages that were not used for a while may have been written to the disk or taken
 * out of memory. To look each time would cost as much as a message.
 */
static int touch_now_and_then(struct slot *slot)
{
	struct timespec now;
	int r;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now))
		return -errno;
	if (slot->touched && slot->touched == now.tv_sec)
		return 0;
	r = journal_touch(slot->entry, sizeof(*slot->entry) + slot->room);
	if (!r)
		slot->touched = now.tv_sec;
	return r;
}

/* Beyond the end of a file that was cut the kernel would lose the message. */
static int check_size(const struct ipckit_journal *journal)
{
	struct stat st;
	int r = sys_fstat(journal->file.fd, &st);

	return r ? r : (uint64_t)st.st_size < journal->file.end ? -EBADMSG : 0;
}

static void describe(const struct ipckit_journal *journal, size_t number, struct ipckit_journal_slot *out)
{
	const struct slot *slot = &journal->slots[number];

	*out = (struct ipckit_journal_slot){
		.number = number,
		.message = &slot->entry->message,
		.room = slot->room,
	};
}

int ipckit_journal_slot(struct ipckit_journal *journal, size_t room, struct ipckit_journal_slot *out)
{
	size_t *link = find_free(journal, room);
	struct slot *slot;
	int r;

	if (*link == NONE) {
		r = grow(journal, room);
		if (r)
			return r;
		link = find_free(journal, room);
	}
	slot = &journal->slots[*link];
	r = check_size(journal) ?: touch_now_and_then(slot);
	if (r)
		return r;
	describe(journal, *link, out);
	*link = slot->next;
	slot->taken = true;
	slot->entry->order = journal->order++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return 0;
}

void ipckit_journal_received(struct ipckit_journal *journal, const struct ipckit_journal_slot *slot,
			     size_t size)
{
	const struct slot *own = &journal->slots[slot->number];

	set_state(own->entry, JOURNAL_RECEIVED, size < own->room ? size : own->room);
}

void ipckit_journal_done(struct ipckit_journal *journal, const struct ipckit_journal_slot *slot)
{
	enum ipckit_mq_backend backend = journal->file.backend;
	const struct slot *own = &journal->slots[slot->number];

	if (!own->taken)
		return;
	if (state_of(own->entry) == JOURNAL_RECEIVED)
		wipe(own, backend, size_of(own->entry));
	else if (own->entry->message.rank != JOURNAL_MARK(backend))
		wipe(own, backend, own->room);
	set_free(journal, slot->number);
}

/* ---- what was left ---- */

size_t ipckit_journal_left(const struct ipckit_journal *journal)
{
	return journal->nleft;
}

void ipckit_journal_get_left(const struct ipckit_journal *journal, size_t i, struct ipckit_journal_slot *out)
{
	const struct slot *slot = &journal->slots[journal->left[i]];

	describe(journal, journal->left[i], out);
	out->measured = state_of(slot->entry) != JOURNAL_RECEIVED;
	out->size = out->measured ? measure(slot) : size_of(slot->entry);
}

static int compare_left(const void *a, const void *b, void *arg)
{
	const struct ipckit_journal *journal = arg;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	uint64_t x = journal->slots[i].entry->order, y = journal->slots[k].entry->order;

	return x != y ? array_order(x, y) : array_order(i, k);
}

/* ---- opening ---- */

static int take_up_extents(struct ipckit_journal *journal)
{
	struct journal_extent *map;
	size_t size;
	int r;

	while (!(r = journal_file_next(&journal->file, &map, &size))) {
		size_t first = journal->nslots;

		r = make_room(journal, map->count);
		if (r) {
			munmap(map, size);
			return r;
		}
		add_extent(journal, map, size);
		for (size_t i = first; i < journal->nslots && !r; i++)
			r = take_up(journal, i);
		if (r)
			return r;
	}
	return r == -ENOENT ? 0 : r;
}

int ipckit_journal_open(const char *path, enum ipckit_mq_backend backend, const char *queue,
			struct ipckit_journal **out)
{
	struct ipckit_journal *journal = calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	journal->free = NONE;
	journal->order = 1;
	r = journal_file_open(path, backend, queue, &journal->file);
	if (r) {
		free(journal);
		return r;
	}
	r = take_up_extents(journal);
	if (r) {
		ipckit_journal_close(journal);
		return r;
	}
	if (journal->nleft)
		qsort_r(journal->left, journal->nleft, sizeof(*journal->left), compare_left, journal);
	*out = journal;
	return 0;
}

void ipckit_journal_close(struct ipckit_journal *journal)
{
	if (!journal)
		return;
	for (size_t i = 0; i < journal->nextents; i++)
		munmap(journal->extents[i].map, journal->extents[i].size);
	close(journal->file.fd);
	free(journal->extents);
	free(journal->slots);
	free(journal->left);
	free(journal);
}
