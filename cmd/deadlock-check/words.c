/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <stdarg.h>
#include <stdlib.h>

static void *keep(struct dl_pool *pool, void *memory)
{
	void **list = memory ? reallocarray(pool->list, pool->count + 1, sizeof(*list)) : NULL;

	if (!list) {
		free(memory);
		pool->failed = true;
		return NULL;
	}
	pool->list = list;
	pool->list[pool->count++] = memory;
	return memory;
}

void *dl_pool_alloc(struct dl_pool *pool, size_t count, size_t size)
{
	return keep(pool, calloc(count ?: 1, size));
}

const char *dl_pool_text(struct dl_pool *pool, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return keep(pool, length < 0 ? NULL : text);
}

void dl_pool_free(struct dl_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		free(pool->list[i]);
	free(pool->list);
}

const char *dl_process(const struct model *model, uint32_t process)
{
	return process == IPCKIT_NONE ? NULL : names_get(&model->processes, process);
}

const char *dl_resource(struct dl_pool *pool, const struct model *model, uint32_t resource)
{
	size_t named = dl_named(model);

	if (resource < named)
		return names_get(&model->resources, resource);
	return dl_pool_text(pool, "end of %s", dl_process(model, model->system.end_of[resource - named]));
}

struct dl_strings dl_processes(struct dl_pool *pool, const struct model *model, const uint32_t *list, size_t count)
{
	struct dl_strings out = { dl_pool_alloc(pool, count, sizeof(*out.list)), count };

	for (size_t i = 0; out.list && i < count; i++)
		out.list[i] = dl_process(model, list[i]);
	return out;
}

struct dl_strings dl_resources(struct dl_pool *pool, const struct model *model, const uint32_t *list, size_t count)
{
	struct dl_strings out = { dl_pool_alloc(pool, count, sizeof(*out.list)), count };

	for (size_t i = 0; out.list && i < count; i++)
		out.list[i] = dl_resource(pool, model, list[i]);
	return out;
}

#define ENUMERATED 6

const char *dl_enumerate(struct dl_pool *pool, const struct dl_strings *strings)
{
	size_t shown = strings->count > ENUMERATED ? ENUMERATED - 1 : strings->count, size;
	char *text = NULL;
	FILE *stream;

	if (!strings->list || !(stream = open_memstream(&text, &size))) {
		pool->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < shown; i++) {
		bool last = i && i + 1 == strings->count;

		fprintf(stream, "%s%s", last ? " and " : i ? ", " : "", strings->list[i] ?: "");
	}
	if (shown < strings->count)
		fprintf(stream, " and %zu more", strings->count - shown);
	if (fclose(stream)) {
		free(text);
		text = NULL;
	}
	return keep(pool, text);
}

struct dl_strings dl_cycle(struct dl_pool *pool, const struct model *model, const struct ipckit_cycle *cycle)
{
	struct dl_strings out = { dl_pool_alloc(pool, 2 * cycle->length + 1, sizeof(*out.list)), 0 };

	if (!out.list || !cycle->length)
		return out;
	for (size_t i = 0; i < cycle->length; i++) {
		out.list[out.count++] = dl_process(model, cycle->processes[i]);
		/* Who waits for the end of another waits for the other. */
		if (cycle->resources[i] < dl_named(model))
			out.list[out.count++] = dl_resource(pool, model, cycle->resources[i]);
	}
	out.list[out.count++] = dl_process(model, cycle->processes[0]);
	return out;
}
