/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define KEY_SHOWN 20 /* bytes of an unknown one: all that are known fit beside it */

/* ---- names ---- */

int json_add_name(struct json *json, struct names *names)
{
	int r = names_add(names, json->text, json->length);

	if (r != -EEXIST)
		return r;
	return problem_at(json->problem, json->place, "expected each name once, got %s again",
			  quoted(json->text, json->length));
}

int json_read_names(struct json *json, const char *what, struct names *names, struct places *at)
{
	struct json_list list;
	int r = json_begin(json, '[', "[ (names)", &list);

	while (!r && (r = json_next(json, &list)) > 0) {
		r = json_name(json, what);
		if (r)
			return r;
		r = json_add_name(json, names);
		if (!r && at)
			r = places_add(at, json->place);
	}
	return r;
}

/* In a graph the number of names is as it may be; which form it is may not be known yet. */
static int read_processes(struct json_reader *reader)
{
	struct names names = { 0 };
	int r = json_read_names(&reader->json, "a name of a process", &names, NULL);

	if (!r && !reader->is_graph)
		r = matrices_check_count(reader, &reader->matrices.rows, names.count, false, "name");
	if (!r)
		r = graph_declare_processes(reader, &names);
	names_free(&names);
	return r;
}

static int read_preemptible(struct json_reader *reader)
{
	return json_read_names(&reader->json, "a name of a resource", &reader->preemptible,
			       &reader->preemptible_at);
}

/* ---- keys ---- */

enum form_of { FORM_EITHER, FORM_MATRICES_ONLY, FORM_GRAPH_ONLY };

struct key {
	const char *name;
	enum form_of form;
	int (*read)(struct json_reader *reader);
};

static int read_resources(struct json_reader *reader);

static const struct key keys[] = {
	{ "existing", FORM_MATRICES_ONLY, matrices_read_existing },
	{ "available", FORM_MATRICES_ONLY, matrices_read_available },
	{ "allocation", FORM_MATRICES_ONLY, matrices_read_allocation },
	{ "request", FORM_MATRICES_ONLY, matrices_read_request },
	{ "claim", FORM_MATRICES_ONLY, matrices_read_claim },
	{ "processes", FORM_EITHER, read_processes },
	{ "resources", FORM_EITHER, read_resources },
	{ "preemptible", FORM_EITHER, read_preemptible },
	{ "holds", FORM_GRAPH_ONLY, graph_read_holds },
	{ "waits", FORM_GRAPH_ONLY, graph_read_waits },
	{ "waits_any", FORM_GRAPH_ONLY, graph_read_any },
	{ "waits_end", FORM_GRAPH_ONLY, graph_read_ends },
};

#define NKEYS (sizeof(keys) / sizeof(*keys))

static bool has(const struct json_reader *reader, const char *name)
{
	for (size_t i = 0; i < NKEYS; i++) {
		if (!strcmp(keys[i].name, name))
			return reader->seen >> i & 1;
	}
	return false;
}

/* by: what shows the form, at the place of the token looked at last. */
static int show_form(struct json_reader *reader, bool is_graph, const char *by)
{
	struct json *json = &reader->json;

	if (reader->shown_by && reader->is_graph != is_graph)
		return problem_at(json->problem, json->place,
				  "expected one form: %s is of %s, but %s before it is of %s", by,
				  is_graph ? "a graph" : "matrices", reader->shown_by,
				  is_graph ? "matrices" : "a graph");
	if (!reader->shown_by)
		reader->shown_by = by;
	reader->is_graph = is_graph;
	return 0;
}

static int read_resources(struct json_reader *reader)
{
	struct naming *resources = &reader->resources;
	struct json *json = &reader->json;
	int c = json_peek(json), r;

	if (c != '[' && c != '{')
		return json_expected(json, "[ (names of resources) or { (how many there are of each)");
	r = show_form(reader, c == '{', c == '{' ? "resources (an object)" : "resources (an array)");
	if (r)
		return r;
	if (c == '{')
		return graph_read_resources(reader);
	r = json_read_names(json, "a name of a resource", &resources->names, NULL);
	return r ? r : matrices_check_count(reader, &reader->matrices.columns, resources->names.count, false, "name");
}

static int unknown_key(struct json *json)
{
	size_t shown = json->length < KEY_SHOWN ? json->length : KEY_SHOWN;

	return problem_at(json->problem, json->place,
			  "expected existing, available, allocation, request, claim, processes, resources, "
			  "preemptible, holds, waits, waits_any or waits_end, got %s%s",
			  quoted(json->text, shown), shown < json->length ? "..." : "");
}

static int read_key(struct json_reader *reader)
{
	struct json *json = &reader->json;
	const struct key *key = keys;
	int r = json_name(json, "a key in quotes");

	if (r)
		return r;
	while (key < keys + NKEYS &&
	       (strlen(key->name) != json->length || memcmp(key->name, json->text, json->length)))
		key++;
	if (key == keys + NKEYS)
		return unknown_key(json);
	if (reader->seen >> (key - keys) & 1)
		return problem_at(json->problem, json->place, "expected each key once, got %s again",
				  quoted(key->name, strlen(key->name)));
	reader->seen |= 1u << (key - keys);
	reader->key = key->name;
	if (key->form != FORM_EITHER)
		r = show_form(reader, key->form == FORM_GRAPH_ONLY, key->name);
	if (!r)
		r = json_expect(json, ':', ": after a key");
	if (r)
		return r;
	return key->read(reader);
}

/* ---- the whole ---- */

/* All that exists would be what is allocated, without existing and available: that is a guess. */
static int check_complete(struct json_reader *reader)
{
	struct json *json = &reader->json;
	const char *missing = NULL;

	if (!reader->shown_by)
		missing = "allocation (of matrices) or resources (of a graph)";
	else if (reader->is_graph)
		missing = has(reader, "resources") ? NULL : "resources";
	else if (!has(reader, "allocation"))
		missing = "allocation";
	else if (!has(reader, "request") && !has(reader, "claim"))
		missing = "request or claim";
	else if (!has(reader, "existing") && !has(reader, "available"))
		missing = "existing or available";
	if (!missing)
		return 0;
	return problem_at(json->problem, json->place, "%s is missing", missing);
}

static int finish_matrices(struct json_reader *reader, struct model *model)
{
	model->has_request = has(reader, "request");
	model->has_claim = has(reader, "claim");
	return matrices_finish(reader, model);
}

static int finish_preemptible(struct json_reader *reader, struct model *model)
{
	struct ipckit_system *system = &model->system;

	if (!reader->preemptible.count)
		return 0;
	system->preemptible = calloc(system->nresources + (size_t)1, sizeof(*system->preemptible));
	if (!system->preemptible)
		return -ENOMEM;
	for (uint32_t i = 0; i < reader->preemptible.count; i++) {
		const char *name = names_get(&reader->preemptible, i);
		uint32_t resource;

		if (names_find(&model->resources, name, strlen(name), &resource))
			return -ENOMEM;
		if (resource == IPCKIT_NONE)
			return problem_at(reader->json.problem, places_get(&reader->preemptible_at, i),
					  "expected a resource that is there, got %s", quoted(name, strlen(name)));
		system->preemptible[resource] = true;
	}
	return 0;
}

static int read_document(struct json_reader *reader, struct model *model)
{
	struct json *json = &reader->json;
	struct json_list list;
	int r = json_begin(json, '{', "{", &list);

	while (!r && (r = json_next(json, &list)) > 0)
		r = read_key(reader);
	if (!r)
		r = check_complete(reader);
	if (!r)
		r = json_expect_end(json);
	if (!r)
		r = reader->is_graph ? graph_finish(reader, model) : finish_matrices(reader, model);
	return r ? r : finish_preemptible(reader, model);
}

/*
 * What jansson says of a document of ordinary size, one that is there whole: 0 for
 * none of these, too. The scanner alone knows what belongs where, and where numbers
 * stand, so that its words come first; but what jansson does not take for JSON is
 * refused even where the scanner has read it. It is asked before, while all is there.
 */
static int ask_jansson(struct source *source, struct problem *problem)
{
	struct place place;
	json_error_t error;
	json_t *document;

	source_fill(source, source_fill(source, 1) + 1);
	if (!source->ended)
		return 0;
	place = source_place(source, source->next);
	json_object_seed(1);
	document = json_loadb(source->next, source->end - source->next, JSON_REJECT_DUPLICATES, &error);
	if (document) {
		json_decref(document);
		return 0;
	}
	/* Where an allocation fails, it mostly says nothing at all. */
	if (!*error.text || json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	place.column = (error.line > 1 ? 0 : place.column - 1) + error.column;
	place.line += error.line - 1;
	return problem_at(problem, place, "expected JSON, got %s", error.text);
}

static void free_reader(struct json_reader *reader)
{
	matrices_free(&reader->matrices);
	graph_free(&reader->graph);
	names_free(&reader->preemptible);
	places_free(&reader->preemptible_at);
	names_free(&reader->processes.names);
	names_free(&reader->resources.names);
	places_free(&reader->processes.first);
	places_free(&reader->resources.first);
}

int read_json(struct source *source, struct model *out, struct problem *problem)
{
	struct json_reader reader = { .json = { .source = source, .problem = problem } };
	struct problem refused = { 0 };
	struct model model = { 0 };
	int verdict = ask_jansson(source, &refused), r;

	r = verdict == -ENOMEM ? verdict : read_document(&reader, &model);
	if (!r && verdict) {
		problem->place = refused.place;
		memcpy(problem->text, refused.text, sizeof(problem->text));
		r = verdict;
	}
	free_reader(&reader);
	if (r)
		model_free(&model);
	else
		*out = model;
	return r;
}
