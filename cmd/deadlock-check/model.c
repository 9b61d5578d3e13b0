/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void model_free(struct model *model)
{
	ipckit_system_free(&model->system);
	names_free(&model->processes);
	names_free(&model->resources);
	memset(model, 0, sizeof(*model));
}

/* Quotes only where a name is not plainly one word. */
static const char *name_in_words(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		unsigned char c = name[i] | 0x20;

		if (!(c >= 'a' && c <= 'z') && !(name[i] >= '0' && name[i] <= '9') && !strchr("_.-", name[i]))
			return quoted(name, length);
	}
	return length && length <= 40 ? name : quoted(name, length);
}

static const char *resource_in_words(const struct model *model, uint32_t resource)
{
	const struct ipckit_system *system = &model->system;
	uint32_t named = system->nresources - system->nends;

	if (resource < named)
		return name_in_words(names_get(&model->resources, resource));
	return name_in_words(names_get(&model->processes, system->end_of[resource - named]));
}

/* Of one resource. All rows together cannot pass 2^95. */
static unsigned __int128 allocated_of(const struct ipckit_system *system, uint32_t resource)
{
	const struct ipckit_rows *rows = &system->allocation;
	size_t ncells = rows->start ? rows->start[system->nprocesses] : 0;
	unsigned __int128 sum = 0;

	for (size_t cell = 0; cell < ncells; cell++) {
		if (rows->column[cell] == resource)
			sum += ipckit_rows_count(rows, cell);
	}
	return sum;
}

/* given: which vectors were there before the system was completed. */
static int say_wrong(const struct model *model, const struct ipckit_system *given, uint32_t resource,
		     struct place place, struct problem *problem)
{
	const char *name = resource_in_words(model, resource);
	unsigned __int128 sum = allocated_of(&model->system, resource);
	int64_t allocated = sum > INT64_MAX ? INT64_MAX : (int64_t)sum, total;

	if (sum > INT64_MAX)
		return problem_at(problem, place, "allocation of %s adds up to more than %" PRId64, name,
				  INT64_MAX);
	if (!given->available)
		return problem_at(problem, place, "existing of %s is %" PRId64 ", but %" PRId64 " are allocated",
				  name, given->existing ? given->existing[resource] : 0, allocated);
	if (__builtin_add_overflow(allocated, given->available[resource], &total))
		return problem_at(problem, place,
				  "allocation (%" PRId64 ") and available (%" PRId64
				  ") of %s make more than %" PRId64,
				  allocated, given->available[resource], name, INT64_MAX);
	return problem_at(problem, place,
			  "existing of %s is %" PRId64 ", but allocation (%" PRId64
			  ") and available (%" PRId64 ") make %" PRId64,
			  name, given->existing ? given->existing[resource] : 0, allocated,
			  given->available[resource], total);
}

int model_complete(struct model *model, struct place place, struct problem *problem)
{
	struct ipckit_system *system = &model->system, given;
	uint32_t named = system->nresources - system->nends, wrong = 0;
	int r = 0;

	if (!model->processes.count && system->nprocesses)
		r = names_number(&model->processes, 'P', system->nprocesses);
	if (!r && !model->resources.count && named)
		r = names_number(&model->resources, 'R', named);
	if (r)
		return r;
	given = *system;
	r = ipckit_system_complete(system, &wrong);
	if (r != -EINVAL && r != -ERANGE)
		return r;
	return say_wrong(model, &given, wrong, place, problem);
}
