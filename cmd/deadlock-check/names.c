/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Open addressing, linear probing. A slot tells most names apart by itself: up to
 * 8 bytes the key is the name, beyond that a hash, and the text is compared.
 */
struct names_slot {
	uint64_t key;
	uint32_t next;   /* the name's number + 1; 0: the slot is free */
	uint32_t length;
};

#define FIRST_SLOTS 256
#define HUGE_PAGE (2 * 1024 * 1024)
#define EXACT 8 /* bytes of a name that fit the key */

/* ---- keys ---- */

/* Fixed, so that runs repeat: who studies them can make names collide, but regular names do not. */
#define SEED UINT64_C(0x8f1b6c2d9e3a7545)
#define FACTOR UINT64_C(0xd6e8a1c5937fb24d)

/* All of the product's bits count: the upper half alone knows of the factor's every bit. */
static uint64_t mix(uint64_t value)
{
	unsigned __int128 product = (unsigned __int128)(value ^ SEED) * FACTOR;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t load32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t load64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Every byte of the name is in its key, some of them twice: with the length, it is the name. */
static uint64_t exact_key(const char *text, size_t length)
{
	if (length >= 4)
		return load32(text) | (uint64_t)load32(text + length - 4) << 32;
	if (!length)
		return 0;
	return (unsigned char)text[0] | (unsigned char)text[length / 2] << 8 |
	       (unsigned char)text[length - 1] << 16;
}

static uint64_t hashed_key(const char *text, size_t length)
{
	uint64_t hash = length;

	for (size_t i = 0; i + 8 < length; i += 8)
		hash = mix(hash ^ load64(text + i));
	return mix(hash ^ load64(text + length - 8));
}

static uint64_t key_of(const char *text, size_t length)
{
	return length <= EXACT ? exact_key(text, length) : hashed_key(text, length);
}

/*
 * The upper bits choose the slot: a table twice the size keeps the order, so that
 * growing goes through both in turn.
 */
static size_t home_of(const struct names *names, uint64_t key, uint32_t length)
{
	return mix(key + length) >> (64 - __builtin_ctzll(names->nslots));
}

/* ---- the table ---- */

static bool too_full(const struct names *names, size_t count, size_t nslots)
{
	return names->count + count > nslots / 3 * 2;
}

static void place_slot(struct names *names, const struct names_slot *slot)
{
	size_t i = home_of(names, slot->key, slot->length);

	while (names->slots[i].next)
		i = (i + 1) & (names->nslots - 1);
	names->slots[i] = *slot;
}

/* Slots for names that came without any: those that were appended or numbered. */
static void place_names(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		size_t end = i + 1 < names->count ? names->at[i + 1] : names->size;
		struct names_slot slot = { .next = i + 1, .length = end - names->at[i] - 1 };

		slot.key = key_of(names_get(names, i), slot.length);
		place_slot(names, &slot);
	}
}

/*
 * Look-ups go all over a large table. On huge pages they miss the cache, but not the
 * address translation besides, which took half of the time.
 */
static struct names_slot *make_slots(size_t nslots)
{
	size_t size = nslots * sizeof(struct names_slot);
	struct names_slot *slots;

	if (size < HUGE_PAGE)
		return calloc(nslots, sizeof(*slots));
	slots = aligned_alloc(HUGE_PAGE, size);
	if (!slots)
		return NULL;
	madvise(slots, size, MADV_HUGEPAGE);
	return memset(slots, 0, size);
}

/* Makes room for count names more. */
static int reserve_slots(struct names *names, size_t count)
{
	struct names_slot *old = names->slots;
	size_t nold = names->nslots, nslots = old ? nold : FIRST_SLOTS;

	if (old && !too_full(names, count, nold))
		return 0;
	while (too_full(names, count, nslots))
		nslots *= 2;
	names->slots = make_slots(nslots);
	if (!names->slots) {
		names->slots = old;
		return -ENOMEM;
	}
	names->nslots = nslots;
	if (!old)
		place_names(names);
	for (size_t i = 0; old && i < nold; i++)
		if (old[i].next)
			place_slot(names, &old[i]);
	free(old);
	return 0;
}

static int reserve_text(struct names *names, size_t length)
{
	size_t need, room = names->room ?: 1024;
	char *text;

	if (__builtin_add_overflow(names->size, length, &need) || ++need > SIZE_MAX / 4)
		return -ENOMEM;
	if (need <= names->room)
		return 0;
	while (room < need)
		room *= 2;
	text = realloc(names->text, room);
	if (!text)
		return -ENOMEM;
	names->text = text;
	names->room = room;
	return 0;
}

static int reserve_at(struct names *names)
{
	size_t room = names->at_room ? names->at_room * 2 : 128;
	size_t *at;

	if (names->count < names->at_room)
		return 0;
	at = reallocarray(names->at, room, sizeof(*at));
	if (!at)
		return -ENOMEM;
	names->at = at;
	names->at_room = room;
	return 0;
}

/* Gives a name the next number, and does not look whether it has one. */
static int push(struct names *names, const char *text, size_t length)
{
	if (names->count == IPCKIT_NONE - 1 || length >= UINT32_MAX)
		return -ENOMEM;
	if (reserve_text(names, length) || reserve_at(names))
		return -ENOMEM;
	names->at[names->count++] = names->size;
	if (length)
		memcpy(names->text + names->size, text, length);
	names->size += length;
	names->text[names->size++] = '\0';
	return 0;
}

/* The slot that has the name, or the free one that it would get. */
static struct names_slot *slot_of(const struct names *names, const char *text, size_t length,
				  uint64_t key, size_t home)
{
	for (size_t i = home;; i = (i + 1) & (names->nslots - 1)) {
		struct names_slot *slot = &names->slots[i];

		if (!slot->next)
			return slot;
		if (slot->key != key || slot->length != length)
			continue;
		if (length <= EXACT || !memcmp(names_get(names, slot->next - 1), text, length))
			return slot;
	}
}

/* Finds or adds a name; there is room in the table. */
static int resolve(struct names *names, const struct names_token *token, uint64_t key, size_t home,
		   uint32_t *out)
{
	struct names_slot *slot = slot_of(names, token->text, token->length, key, home);

	if (!slot->next) {
		if (push(names, token->text, token->length))
			return -ENOMEM;
		*slot = (struct names_slot){ .key = key, .next = names->count, .length = token->length };
	}
	*out = slot->next - 1;
	return 0;
}

/* ---- the calls ---- */

static int intern_some(struct names *names, const struct names_token *tokens, size_t count,
		       uint32_t *out)
{
	uint64_t keys[NAMES_BATCH];
	size_t homes[NAMES_BATCH];

	if (reserve_slots(names, count))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		keys[i] = key_of(tokens[i].text, tokens[i].length);
		homes[i] = home_of(names, keys[i], tokens[i].length);
		__builtin_prefetch(&names->slots[homes[i]]);
	}
	for (size_t i = 0; i < count; i++)
		if (resolve(names, &tokens[i], keys[i], homes[i], &out[i]))
			return -ENOMEM;
	return 0;
}

int names_intern_batch(struct names *names, const struct names_token *tokens, size_t count,
		       uint32_t *out)
{
	while (count) {
		size_t some = count < NAMES_BATCH ? count : NAMES_BATCH;

		if (intern_some(names, tokens, some, out))
			return -ENOMEM;
		tokens += some;
		out += some;
		count -= some;
	}
	return 0;
}

int names_intern(struct names *names, const char *text, size_t length, uint32_t *out)
{
	struct names_token token = { .text = text, .length = length };

	return intern_some(names, &token, 1, out);
}

int names_add(struct names *names, const char *text, size_t length)
{
	uint32_t before = names->count, number;

	if (names_intern(names, text, length, &number))
		return -ENOMEM;
	return number == before ? 0 : -EEXIST;
}

int names_append(struct names *names, const char *text, size_t length)
{
	free(names->slots);
	names->slots = NULL;
	names->nslots = 0;
	return push(names, text, length);
}

int names_find(struct names *names, const char *text, size_t length, uint32_t *out)
{
	struct names_slot *slot;
	uint64_t key;

	*out = IPCKIT_NONE;
	if (!names->count)
		return 0;
	if (!names->slots && reserve_slots(names, 0))
		return -ENOMEM;
	key = key_of(text, length);
	slot = slot_of(names, text, length, key, home_of(names, key, length));
	*out = slot->next ? slot->next - 1 : IPCKIT_NONE;
	return 0;
}

void names_prefetch(const struct names *names, const char *text, size_t length)
{
	if (names->slots)
		__builtin_prefetch(&names->slots[home_of(names, key_of(text, length), length)]);
}

int names_number(struct names *names, char prefix, uint32_t count)
{
	char name[sizeof("P4294967295")], *end = name + sizeof(name) - 1;

	for (uint32_t i = 0; i < count; i++) {
		char *at = end;

		for (uint32_t rest = i + 1; rest; rest /= 10)
			*--at = '0' + rest % 10;
		*--at = prefix;
		if (names_append(names, at, end - at))
			return -ENOMEM;
	}
	return 0;
}

void names_free(struct names *names)
{
	free(names->text);
	free(names->at);
	free(names->slots);
	*names = (struct names){ 0 };
}
