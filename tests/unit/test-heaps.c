/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdlib.h>

#include "heaps.h"

#define HEAPS 60
#define MOST 400

/* What the heaps have to hold. */
struct model {
	int64_t wanted[HEAPS][MOST];
	uint32_t node[HEAPS][MOST];
	uint32_t n[HEAPS], total;
};

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % below;
}

static void push(struct heaps *heaps, struct model *model, uint32_t h, uint32_t node)
{
	int64_t wanted = draw(10) ? draw(100) : INT64_MAX;

	heaps_push(heaps, h, node, wanted);
	model->wanted[h][model->n[h]] = wanted;
	model->node[h][model->n[h]++] = node;
	model->total++;
}

static bool pop(struct heaps *heaps, struct model *model, uint32_t h)
{
	int64_t available = draw(5) ? draw(120) : INT64_MAX, least = INT64_MAX;
	uint32_t node, i = 0, n = model->n[h];
	bool popped;

	for (uint32_t j = 0; j < n; j++)
		least = model->wanted[h][j] < least ? model->wanted[h][j] : least;
	popped = heaps_pop(heaps, h, available, &node);
	if (popped != (n && least <= available))
		return false;
	if (!popped)
		return true;
	while (i < n && model->node[h][i] != node)
		i++;
	if (i == n || model->wanted[h][i] != least)
		return false;
	model->n[h]--;
	model->total--;
	model->wanted[h][i] = model->wanted[h][n - 1];
	model->node[h][i] = model->node[h][n - 1];
	return true;
}

/* Returns how often blocks that were left were taken up. */
static unsigned go(uint32_t count, uint32_t most)
{
	static struct model model;
	struct heaps heaps, other;
	uint32_t used = count;
	unsigned compacted = 0;
	int first = heaps_alloc(&heaps, count, most), second = heaps_alloc(&other, count, most);
	bool good = !first && !second;

	memset(&model, 0, sizeof(model));
	heaps_clear(&heaps);
	for (uint32_t i = 0; good && i < 4000; i++) {
		size_t before = heaps.used;
		uint32_t h;

		if (!draw(500))
			used = 1 + draw(count);
		h = draw(used);
		if (!draw(200)) {
			struct heaps kept = heaps;

			heaps_copy(&heaps, &other);
			heaps = other;
			other = kept;
		}
		if (model.total < most && draw(2))
			push(&heaps, &model, h, i);
		else
			good = pop(&heaps, &model, h);
		compacted += heaps.used < before;
		good = good && heaps.used <= heaps.room;
	}
	CHECK(good);
	heaps_free(&heaps);
	heaps_free(&other);
	return compacted;
}

int main(void)
{
	unsigned compacted = 0;

	for (unsigned i = 0; i < 1000; i++)
		compacted += go(1 + draw(i % 3 ? 6 : HEAPS), 1 + draw(i % 2 ? 20 : MOST));
	CHECK(compacted > 1000);
	return unit_done("heaps");
}
