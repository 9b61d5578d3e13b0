/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "banker.h"

#include <ipckit/parse.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdict_words[] = {
	[IPCKIT_GRANTED] = "granted",
	[IPCKIT_UNAVAILABLE] = "unavailable",
	[IPCKIT_UNSAFE] = "unsafe",
	[IPCKIT_BEYOND_CLAIM] = "beyond-claim",
};

struct answer {
	bool granted;
	unsigned verdict;
	const char *process, *resource;
	int64_t requested, available;
	struct dl_strings sequence, unfinished;
};

enum { JUDGED = 1, SHORT = 2 };

/* Either the state after it was judged, or some resource was short at once. */
static unsigned kind_of(const void *row)
{
	const struct answer *answer = row;

	return answer->resource ? SHORT : JUDGED;
}

#define ANSWER(member) .offset = offsetof(struct answer, member)
#define STRINGS(member) .type = CLI_STRINGS, ANSWER(member.list), .count_offset = offsetof(struct answer, member.count)

static const struct cli_field answer_fields[] = {
	{ "granted", .type = CLI_BOOL, ANSWER(granted), .summary = "whether the banker grants it now" },
	{ "verdict", .type = CLI_WORD, ANSWER(verdict), .words = verdict_words,
	  .summary = "granted; to wait: unavailable, unsafe; never: beyond-claim" },
	{ "process", .type = CLI_STRING, ANSWER(process), .summary = "who asks" },
	{ "resource", .type = CLI_STRING, ANSWER(resource), .kinds = SHORT, .summary = "the first that is short" },
	{ "requested", .type = CLI_INTEGER, ANSWER(requested), .kinds = SHORT, .summary = "what it asks of that" },
	{ "available", .type = CLI_INTEGER, ANSWER(available), .kinds = SHORT,
	  .summary = "what is free of that, or left of the claim" },
	{ "sequence", STRINGS(sequence), .kinds = JUDGED, .summary = "a safe sequence after it, or as far as one goes" },
	{ "cannot_finish", STRINGS(unfinished), .kinds = JUDGED, .summary = "those that may not be able to, after it" },
	{ 0 },
};
static const struct cli_table answer_table = { answer_fields, sizeof(struct answer), NULL, kind_of };

static int print(struct cli *cli, const char *file, const struct model *model, uint32_t process,
		 const struct ipckit_grant *grant)
{
	bool judged = grant->verdict == IPCKIT_GRANTED || grant->verdict == IPCKIT_UNSAFE;
	struct dl_pool pool = { 0 };
	struct answer answer = {
		.granted = grant->verdict == IPCKIT_GRANTED,
		.verdict = grant->verdict,
		.process = dl_process(model, process),
		.resource = judged ? NULL : dl_resource(&pool, model, grant->block.resource),
		.requested = grant->block.requested,
		.available = grant->block.available,
		.sequence = dl_processes(&pool, model, grant->after.sequence, grant->after.nsequence),
		.unfinished = dl_processes(&pool, model, grant->after.unfinished, grant->after.nunfinished),
	};
	int status = pool.failed ? cli_fail(cli, dl_input_name(file), ENOMEM, NULL) :
				   cli_emit_record(cli, &answer_table, &answer);

	dl_pool_free(&pool);
	return status;
}

static int find_name(struct cli *cli, struct names *names, const char *what, const char *text, size_t length,
		     uint32_t *out)
{
	int error = names_find(names, text, length, out);

	if (error)
		return cli_fail(cli, NULL, error, NULL);
	if (*out != IPCKIT_NONE)
		return CLI_OK;
	return cli_usage(cli, what, "%.*s: no such name in the input", (int)length, text);
}

/* One element: COUNT of resource `at`, or NAME=COUNT. Places of vector that were not given are negative. */
static int read_element(struct cli *cli, struct model *model, char *element, size_t at, int64_t *vector)
{
	char *equals = strrchr(element, '=');
	uint32_t resource = at;
	uint64_t count;
	int status;

	if (equals) {
		status = find_name(cli, &model->resources, "VECTOR", element, equals - element, &resource);
		if (status)
			return status;
	} else if (at >= dl_named(model)) {
		return cli_usage(cli, "VECTOR", "more than %zu numbers, one a resource", dl_named(model));
	}
	if (vector[resource] >= 0)
		return cli_usage(cli, "VECTOR", "%s is there twice", names_get(&model->resources, resource));
	status = cli_count(cli, "VECTOR", equals ? equals + 1 : element, 0, INT64_MAX, &count);
	if (!status)
		vector[resource] = count;
	return status;
}

/* "1,0,2", as many as there are resources, or "tape=1,cd=2". */
static int read_vector(struct cli *cli, struct model *model, char *text, int64_t *vector)
{
	bool named = strchr(text, '=');
	size_t count = 0, nresources = dl_named(model);

	memset(vector, 0xff, nresources * sizeof(*vector));
	for (char *element = text, *next; element; element = next, count++) {
		int status;

		next = strchr(element, ',');
		if (next)
			*next++ = '\0';
		if (named != !!strchr(element, '='))
			return cli_usage(cli, "VECTOR", "%s: either all with names or none", element);
		status = read_element(cli, model, element, count, vector);
		if (status)
			return status;
	}
	if (!named && count != nresources)
		return cli_usage(cli, "VECTOR", "%zu numbers, but there are %zu resources", count, nresources);
	for (size_t i = 0; i < nresources; i++)
		if (vector[i] < 0)
			vector[i] = 0;
	return CLI_OK;
}

static int ask(struct cli *cli, const char *file, struct model *model, const char *name, char *text, int64_t *vector)
{
	struct ipckit_block wrong;
	struct ipckit_grant grant;
	uint32_t process;
	int error, status = find_name(cli, &model->processes, "PROCESS", name, strlen(name), &process);

	if (!status)
		status = read_vector(cli, model, text, vector);
	if (status)
		return status;
	error = ipckit_banker_request(&model->system, process, vector, &wrong, &grant);
	if (error)
		return dl_fail_claims(cli, file, model, error, &wrong);
	status = print(cli, file, model, process, &grant);
	if (!status && grant.verdict != IPCKIT_GRANTED)
		status = CLI_NO;
	ipckit_grant_free(&grant);
	return status;
}

static int run_request(struct cli *cli)
{
	bool has_file = cli->noperands == 3;
	const char *file = has_file ? cli->operands[0] : NULL;
	struct model model;
	int64_t *vector;
	int status = dl_load_claims(cli, file, &model);

	if (status)
		return status;
	vector = calloc(dl_named(&model) + 1, sizeof(*vector));
	status = vector ? ask(cli, file, &model, cli->operands[has_file], cli->operands[has_file + 1], vector) :
			  cli_fail(cli, NULL, ENOMEM, NULL);
	free(vector);
	model_free(&model);
	return status;
}

const struct cli_verb dl_request = {
	.name = "request",
	.operands = "[FILE] PROCESS VECTOR",
	.summary = "say whether the banker grants a request: VECTOR is 1,0,2 or NAME=1,NAME=2",
	.least = 2,
	.most = 3,
	.flags = CLI_ANSWERS,
	.options = dl_input_options,
	.table = &answer_table,
	.run = run_request,
};
