/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORMS "JSON, sections of rows (existing, available, allocation, request), edges (P1 -> R1) or a digraph"
#define MTX_HINT "Matrix Market has a file for each matrix: --allocation F --request F --existing F"

/* ---- recognition ---- */

static void pass_mark(struct source *source)
{
	if (source_fill(source, 3) < 3 || memcmp(source->next, "\xef\xbb\xbf", 3))
		return;
	source->next += 3;
	source->line_start += 3; /* it takes no column */
}

static int pass_comment(struct source *source, struct problem *problem)
{
	struct place place = source_place(source, source->next);

	for (source->next += 2; source_fill(source, 2) >= 2; source->next++) {
		if (source->next[0] == '*' && source->next[1] == '/') {
			source->next += 2;
			return 0;
		}
		if (*source->next == '\n')
			source_newline(source, source->next);
	}
	return source->error ? source->error : problem_at(problem, place, "a comment that does not end");
}

/* Blanks and comments of every form. */
static int pass_blanks(struct source *source, struct problem *problem)
{
	int r = 0;

	while (!r && source_fill(source, 2)) {
		const char *at = source->next;

		if (*at == '#' || (at[0] == '/' && at[1] == '/'))
			source_pass_line(source);
		else if (at[0] == '/' && at[1] == '*')
			r = pass_comment(source, problem);
		else if (*at == '\n')
			source_newline(source, source->next++);
		else if (*at == ' ' || *at == '\t' || *at == '\r')
			source->next++;
		else
			break;
	}
	return r ? r : source->error;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_arrow(const char *at)
{
	return at[0] == '-' && at[1] == '>';
}

/* Past a name as graphs have it, or up to one of these characters; the same address where none is. */
static const char *end_of_name(const char *at, const char *stops)
{
	const char *start = at;

	if (*at != '"') {
		while ((unsigned char)*at > ' ' && !strchr("\"[]{}#;,=", *at) && !strchr(stops, *at) && !is_arrow(at))
			at++;
		return at;
	}
	for (at++; *at && *at != '"' && *at != '\n'; at++)
		at += *at == '\\' && at[1];
	return *at == '"' ? at + 1 : start;
}

static bool is_word(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) == strlen(word) && !strncasecmp(at, word, end - at);
}

static int unrecognised(struct source *source, const char *at, struct problem *problem)
{
	const char *got = *at == '\n' ? "the end of the line" : quoted(at, 1);

	return problem_at(problem, source_place(source, at), "expected " FORMS ", got %s",
			  at == source->end ? "the end of the input" : got);
}

/*
 * By the first name and what stands after it in its line: keywords are names of graphs, too.
 * As much is looked at as is in the buffer for certain.
 */
static int recognise_name(struct source *source, size_t size, enum form *form, struct problem *problem)
{
	char head[2 * INPUT_NAME_MAX + 1];
	const char *end, *after;

	if (size >= sizeof(head))
		size = sizeof(head) - 1;
	memcpy(head, source->next, size);
	head[size] = '\0';
	after = end = end_of_name(head, "");
	while (is_blank(*after))
		after++;
	if (after == head + sizeof(head) - 1)
		return problem_at(problem, source_place(source, source->next),
				  "expected " FORMS ", got a line that begins with more than a name");
	*form = FORM_GRAPH;
	if (end > head && (is_arrow(after) || *after == '[' || *after == '{' || is_word(head, end, "digraph") ||
			   is_word(head, end, "strict")))
		return 0;
	*form = FORM_TEXT;
	if (section_of(head, end_of_name(head, ":") - head) != SECTIONS)
		return 0;
	if (end == head)
		return unrecognised(source, source->next, problem);
	/* An edge without direction, as the reader of graphs will say. */
	*form = FORM_GRAPH;
	if (!strncmp(after, "--", 2))
		return 0;
	return problem_at(problem, source_place(source, source->next), "expected " FORMS ", got %s",
			  quoted(head, end - head));
}

static int recognise(struct source *source, enum form *form, struct problem *problem)
{
	static const char banner[] = "%%MatrixMarket";
	const char *at;
	size_t size;
	int r = pass_blanks(source, problem);

	if (r)
		return r;
	size = source_fill(source, 2 * INPUT_NAME_MAX);
	at = source->next;
	if (at == source->end)
		return source->error ? source->error :
				       problem_at(problem, source_place(source, at), "the input is empty");
	if (*at == '{') {
		*form = FORM_JSON;
		return 0;
	}
	if (*at == '[')
		return problem_at(problem, source_place(source, at),
				  "an array of JSON: expected an object, as {\"existing\": [...], \"allocation\": "
				  "[[...]], \"request\": [[...]]}");
	if (!strncasecmp(at, banner, strlen(banner)))
		return problem_at(problem, source_place(source, at), MTX_HINT);
	return recognise_name(source, size, form, problem);
}

int read_model(struct source *source, const enum form *form, struct model *out, struct problem *problem)
{
	enum form found = form ? *form : FORM_JSON;
	int r;

	problem->input = NULL;
	pass_mark(source);
	r = form ? 0 : recognise(source, &found, problem);
	if (r)
		return r;
	switch (found) {
	case FORM_JSON:
	case FORM_GRAPH_JSON:
		return read_json(source, out, problem);
	case FORM_TEXT:
		return read_text(source, out, problem);
	case FORM_GRAPH:
		return read_graph(source, out, problem);
	default:
		return problem_at(problem, (struct place){ 0 }, MTX_HINT);
	}
}

/* ---- costs ---- */

struct costs {
	struct source *source;
	struct problem *problem;
	struct token token;
	int64_t *cost;      /* by process; -1: not given */
	__int128 sum;       /* of all, 1 for each that is not given */
	struct place over;  /* where the sum came to be too large */
};

static int read_process(struct costs *costs, struct model *model, uint32_t *process)
{
	const struct token *token = &costs->token;
	int r;

	if (!token_is_name(token))
		return token_unexpected(costs->source, token, costs->problem, "a process");
	r = names_find(&model->processes, token->text, token->length, process);
	if (r)
		return r;
	if (*process == IPCKIT_NONE)
		return problem_at(costs->problem, token_place(costs->source, token), "there is no process %s",
				  quoted(token->text, token->length));
	if (costs->cost[*process] >= 0)
		return problem_at(costs->problem, token_place(costs->source, token),
				  "the cost of %s is there twice", quoted(token->text, token->length));
	return 0;
}

/* The rest of the line after the name. */
static int read_cost(struct costs *costs, uint32_t process)
{
	struct token *token = &costs->token;
	int r = token_next(costs->source, token, costs->problem);

	if (!r && (token->type == TOKEN_COMMA || token->type == TOKEN_COLON))
		r = token_next(costs->source, token, costs->problem);
	if (r)
		return r;
	if (token->type != TOKEN_NUMBER)
		return token_unexpected(costs->source, token, costs->problem, "a cost, a whole number from 0 on");
	costs->cost[process] = token->number;
	costs->sum += token->number - 1;
	if (costs->sum > INT64_MAX && !costs->over.line)
		costs->over = token_place(costs->source, token);
	r = token_next(costs->source, token, costs->problem);
	if (!r && !token_ends_line(token))
		return token_unexpected(costs->source, token, costs->problem, "the end of the line");
	return r;
}

static int read_all_costs(struct costs *costs, struct model *model)
{
	struct token *token = &costs->token;
	int r = token_name(costs->source, token, costs->problem);

	while (!r && token->type != TOKEN_END) {
		uint32_t process;

		if (token->type != TOKEN_NEWLINE) {
			r = read_process(costs, model, &process);
			if (!r)
				r = read_cost(costs, process);
		}
		if (!r && token->type != TOKEN_END)
			r = token_name(costs->source, token, costs->problem);
	}
	if (r)
		return r;
	if (costs->sum > INT64_MAX)
		return problem_at(costs->problem, costs->over, "the costs add up to more than %" PRId64, INT64_MAX);
	return 0;
}

int read_costs(struct source *source, struct model *model, int64_t **out, struct problem *problem)
{
	uint32_t nprocesses = model->system.nprocesses;
	struct costs costs = { .source = source, .problem = problem, .sum = nprocesses };
	int r;

	problem->input = NULL;
	costs.cost = calloc((size_t)nprocesses + 1, sizeof(*costs.cost));
	if (!costs.cost)
		return -ENOMEM;
	for (uint32_t p = 0; p < nprocesses; p++)
		costs.cost[p] = -1;
	pass_mark(source);
	r = read_all_costs(&costs, model);
	if (r) {
		free(costs.cost);
		return r;
	}
	for (uint32_t p = 0; p < nprocesses; p++) {
		if (costs.cost[p] < 0)
			costs.cost[p] = 1;
	}
	*out = costs.cost;
	return 0;
}
