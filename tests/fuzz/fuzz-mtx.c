/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Matrix Market files: allocation, request, claim, existing and available, with lines of ==== between them. */

#include "model.h"

#define FILES 5

struct part {
	const char *data;
	size_t size;
};

static void split(const char *data, size_t size, struct part *parts)
{
	const char *end = data + size;

	for (int i = 0; i < FILES; i++) {
		const char *line = data ? memmem(data, end - data, "====\n", 5) : NULL;

		parts[i] = (struct part){ .data = data, .size = data ? (line ?: end) - data : 0 };
		data = line ? line + 5 : NULL;
	}
}

/* A few bytes can say that there are billions of rows: that takes its memory and time, and shows nothing. */
static bool is_huge(const uint8_t *data, size_t size)
{
	size_t digits = 0;

	for (size_t i = 0; i <= size; i++) {
		bool digit = i < size && data[i] >= '0' && data[i] <= '9';

		if (!digit && digits >= 6 && digits <= 10)
			return true;
		if (!digit)
			digits = 0;
		else if (digits || data[i] != '0')
			digits++;
	}
	return false;
}

/* An empty part is a file that is not given. */
static struct source *open_part(struct source *source, const struct part *part, size_t step)
{
	if (!part->size)
		return NULL;
	if (source_open_memory(source, part->data, part->size, step))
		exit(1);
	return source;
}

static int read_at_step(const struct part *parts, size_t step, struct model *model, struct problem *problem)
{
	struct source sources[FILES] = { 0 };
	struct mtx_sources from = {
		.allocation = open_part(&sources[0], &parts[0], step), .allocation_name = "allocation",
		.request = open_part(&sources[1], &parts[1], step),    .request_name = "request",
		.claim = open_part(&sources[2], &parts[2], step),      .claim_name = "claim",
		.existing = open_part(&sources[3], &parts[3], step),   .existing_name = "existing",
		.available = open_part(&sources[4], &parts[4], step),  .available_name = "available",
	};
	int r;

	memset(model, 0, sizeof(*model));
	memset(problem, 0, sizeof(*problem));
	r = read_mtx(&from, model, problem);
	for (int i = 0; i < FILES; i++)
		source_close(&sources[i]);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part parts[FILES];
	struct model whole, pieces;
	struct problem problem, again;
	int r;

	if (is_huge(data, size))
		return 0;
	split((const char *)data, size, parts);
	r = read_at_step(parts, 0, &whole, &problem);
	HOLDS(r == 0 || r == -EBADMSG);
	for (size_t step = 1; step <= 7; step += 6) {
		HOLDS(read_at_step(parts, step, &pieces, &again) == r);
		if (r)
			check_same_problem(&problem, &again);
		else
			check_same_model(&whole, &pieces);
		model_free(&pieces);
	}
	if (!r)
		check_model(&whole);
	model_free(&whole);
	return 0;
}
