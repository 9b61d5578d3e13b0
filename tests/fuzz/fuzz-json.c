/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Systems in JSON: read whole, and in pieces of 1 and 7 bytes; what is read is judged both ways. */

#include "model.h"

#include <jansson.h>

static int read_in_steps(const uint8_t *data, size_t size, size_t step, struct model *model,
			 struct problem *problem)
{
	struct source source;
	int r;

	memset(problem, 0, sizeof(*problem));
	if (source_open_memory(&source, (const char *)data, size, step))
		exit(1);
	r = read_json(&source, model, problem);
	source_close(&source);
	HOLDS(r == 0 || r == -EBADMSG);
	HOLDS(!r || (problem->place.line && problem->place.column && *problem->text));
	HOLDS(strspn(problem->text, "\n\t\033") == 0 && strlen(problem->text) < sizeof(problem->text) - 1);
	return r;
}

/* The scanner alone takes nothing for JSON that is none: in pieces jansson is not asked. */
static void check_json(const uint8_t *data, size_t size)
{
	json_t *document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	HOLDS(document);
	json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 7 };
	struct problem problem, again;
	struct model model, other;
	int r;

	memset(&model, 0x5a, sizeof(model));
	other = model;
	json_object_seed(1);
	r = read_in_steps(data, size, 0, &model, &problem);
	HOLDS(!r || !memcmp(&model, &other, sizeof(model)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		HOLDS(read_in_steps(data, size, steps[i], &other, &again) == r);
		if (!r) {
			check_json(data, size);
			check_same_model(&model, &other);
			model_free(&other);
			continue;
		}
		check_same_problem(&problem, &again);
	}
	if (!r) {
		HOLDS(model.form == FORM_JSON || model.form == FORM_GRAPH_JSON);
		check_model(&model);
		model_free(&model);
	}
	return 0;
}
