/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Systems as text, in whatever form they look like: sections of rows first of all. */

#include "model.h"

static int read_at_step(const uint8_t *data, size_t size, size_t step, const enum form *form,
			struct model *model, struct problem *problem)
{
	struct source source;
	int r;

	memset(model, 0, sizeof(*model));
	memset(problem, 0, sizeof(*problem));
	r = source_open_memory(&source, (const char *)data, size, step);
	if (r)
		exit(1);
	r = read_model(&source, form, model, problem);
	source_close(&source);
	return r;
}

static void check_form(const uint8_t *data, size_t size, const enum form *form)
{
	struct model whole, pieces;
	struct problem problem, again;
	int r = read_at_step(data, size, 0, form, &whole, &problem);

	HOLDS(r == 0 || r == -EBADMSG || r == -ENOMEM);
	for (size_t step = 1; step <= 7; step += 6) {
		HOLDS(read_at_step(data, size, step, form, &pieces, &again) == r);
		if (r)
			check_same_problem(&problem, &again);
		else
			check_same_model(&whole, &pieces);
		model_free(&pieces);
	}
	if (!r)
		check_model(&whole);
	model_free(&whole);
}

static void check_costs(const uint8_t *data, size_t size)
{
	struct model model = { .system.nprocesses = 2 };
	struct problem problem;
	struct source source;
	int64_t *cost, sum;
	int r;

	if (names_number(&model.processes, 'P', 2) ||
	    source_open_memory(&source, (const char *)data, size, 7))
		exit(1);
	r = read_costs(&source, &model, &cost, &problem);
	HOLDS(r == 0 || r == -EBADMSG);
	if (!r) {
		HOLDS(cost[0] >= 0 && cost[1] >= 0 && !__builtin_add_overflow(cost[0], cost[1], &sum));
		free(cost);
	}
	source_close(&source);
	model_free(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum form text = FORM_TEXT;

	check_form(data, size, NULL);
	check_form(data, size, &text);
	check_costs(data, size);
	return 0;
}
