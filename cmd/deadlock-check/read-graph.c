/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read-graph.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define EDGES_BATCH (NAMES_BATCH / 2)

struct reader {
	struct source *source;
	struct graph_lexer lexer;
	struct graph_token token; /* the present one */
	struct written graph;
	bool begun;   /* there was a statement */
	bool braces;  /* of digraph { */
	bool closed;  /* by its } */
};

static int advance(struct reader *reader)
{
	return graph_token(&reader->lexer, &reader->token);
}

static int expected(struct reader *reader, const char *what)
{
	return graph_expected(&reader->lexer, &reader->token, what);
}

/* ---- lines that are nothing but an edge ---- */

struct batch {
	struct names_token tokens[NAMES_BATCH];
	struct place places[EDGES_BATCH];
	size_t count;
};

static int flush(struct reader *reader, const struct batch *batch)
{
	uint32_t nodes[NAMES_BATCH];
	int r = written_reserve_edges(&reader->graph, batch->count);

	r = r ?: names_intern_batch(&reader->graph.nodes, batch->tokens, batch->count * 2, nodes);
	for (size_t i = 0; !r && i < batch->count; i++)
		r = written_add_edge(&reader->graph, nodes[2 * i], nodes[2 * i + 1], batch->places[i]);
	return r;
}

/* As many as there are in a row; the rest of the buffer, and what is no such line, is left to tokens. */
static int read_plain_edges(struct reader *reader)
{
	struct source *source = reader->source;
	struct batch batch;
	int r = 0;

	do {
		for (batch.count = 0; batch.count < EDGES_BATCH; batch.count++) {
			struct names_token *pair = &batch.tokens[batch.count * 2];
			const char *newline = graph_plain_edge(source->next, pair);

			if (!newline)
				break;
			batch.places[batch.count] = source_place(source, pair->text);
			source_newline(source, newline);
			source->next = newline + 1;
		}
		if (batch.count) {
			reader->begun = true;
			r = flush(reader, &batch);
		}
	} while (!r && batch.count == EDGES_BATCH);
	return r;
}

/* ---- attributes ---- */

enum subject { NODE, EDGE, DEFAULTS };

struct attributes {
	bool number_given, any_given, preemptible_given;
	bool shape_given, box, circle, any, preemptible;
	int64_t number;
};

static const char *const attribute_forms[] = {
	[NODE] = "a number of instances, preemptible or KEY=VALUE",
	[EDGE] = "a count, any or KEY=VALUE",
	[DEFAULTS] = "KEY=VALUE",
};

static bool is_text(const struct graph_token *token, const char *text)
{
	return token->length == strlen(text) && !memcmp(token->text, text, token->length);
}

static int twice(struct reader *reader, const struct graph_token *key, const char *what)
{
	return problem_at(reader->lexer.problem, key->place, "expected %s once, got it twice", what);
}

static bool read_number(const struct graph_token *token, int64_t *out)
{
	int64_t value = 0;

	for (size_t i = 0; i < token->length; i++) {
		char c = token->text[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, c - '0', &value))
			return false;
	}
	*out = value;
	return token->length && !token->cut;
}

static int set_number(struct reader *reader, enum subject subject, const struct graph_token *token,
		      struct attributes *out)
{
	int least = subject == EDGE;

	if (out->number_given)
		return twice(reader, token, least ? "a count" : "a number of instances");
	if (!read_number(token, &out->number) || out->number < least)
		return problem_at(reader->lexer.problem, token->place,
				  "expected a number from %d to %" PRId64 ", got %s", least, INT64_MAX,
				  quoted(token->text, token->length));
	out->number_given = true;
	return 0;
}

static int set_flag(struct reader *reader, const struct graph_token *key, const struct graph_token *value,
		    bool *given, bool *flag)
{
	if (*given)
		return twice(reader, key, quoted(key->text, key->length));
	*given = true;
	*flag = !value || is_text(value, "true");
	if (!*flag && !is_text(value, "false"))
		return graph_expected(&reader->lexer, value, "true or false");
	return 0;
}

static int set_shape(struct reader *reader, const struct graph_token *key, const struct graph_token *value,
		     struct attributes *out)
{
	if (out->shape_given)
		return twice(reader, key, "a shape");
	out->shape_given = true;
	out->box = is_text(value, "box");
	out->circle = is_text(value, "circle");
	return 0;
}

/* One without a value. */
static int set_single(struct reader *reader, enum subject subject, const struct graph_token *token,
		      struct attributes *out)
{
	char first = token->length ? token->text[0] : '\0';

	if (subject != DEFAULTS && ((first >= '0' && first <= '9') || first == '-' || first == '+'))
		return set_number(reader, subject, token, out);
	if (subject == NODE && is_text(token, "preemptible"))
		return set_flag(reader, token, NULL, &out->preemptible_given, &out->preemptible);
	if (subject == EDGE && is_text(token, "any"))
		return set_flag(reader, token, NULL, &out->any_given, &out->any);
	return graph_expected(&reader->lexer, token, attribute_forms[subject]);
}

/* What stands for nothing here (label, color, ...) is passed over. */
static int set_pair(struct reader *reader, enum subject subject, const struct graph_token *key,
		    const struct graph_token *value, struct attributes *out)
{
	if (subject == NODE && is_text(key, "shape"))
		return set_shape(reader, key, value, out);
	if (subject == NODE && is_text(key, "preemptible"))
		return set_flag(reader, key, value, &out->preemptible_given, &out->preemptible);
	if (subject == EDGE && is_text(key, "any"))
		return set_flag(reader, key, value, &out->any_given, &out->any);
	if ((subject == NODE && is_text(key, "instances")) || (subject == EDGE && is_text(key, "count")))
		return set_number(reader, subject, value, out);
	return 0;
}

static int read_attribute(struct reader *reader, enum subject subject, struct attributes *out)
{
	struct graph_token key = reader->token;
	int r = advance(reader);

	if (r)
		return r;
	if (reader->token.kind != '=')
		return set_single(reader, subject, &key, out);
	r = advance(reader);
	if (r)
		return r;
	if (reader->token.kind != GRAPH_NAME)
		return expected(reader, "a value after =");
	r = set_pair(reader, subject, &key, &reader->token, out);
	return r ?: advance(reader);
}

static int read_list(struct reader *reader, enum subject subject, struct attributes *out)
{
	int r = advance(reader);

	while (!r && reader->token.kind != ']') {
		if (reader->token.kind == GRAPH_NAME)
			r = read_attribute(reader, subject, out);
		else if (reader->token.kind == ',' || reader->token.kind == ';')
			r = advance(reader);
		else
			r = expected(reader, reader->token.kind == GRAPH_END ? "]" : attribute_forms[subject]);
	}
	return r;
}

/* All the lists that follow, and what comes after them. */
static int read_attributes(struct reader *reader, enum subject subject, struct attributes *out)
{
	int r = 0;

	*out = (struct attributes){ .number = 1 };
	while (!r && reader->token.kind == '[') {
		reader->lexer.inside = true;
		r = read_list(reader, subject, out);
		reader->lexer.inside = false;
		r = r ?: advance(reader);
	}
	return r;
}

/* ---- statements ---- */

static int use_name(struct reader *reader, const struct graph_token *token, uint32_t *node)
{
	if (token->cut)
		return problem_at(reader->lexer.problem, token->place,
				  "expected a name of at most %d bytes, got a longer one", INPUT_NAME_MAX);
	if (token->wrong.line)
		return problem_at(reader->lexer.problem, token->wrong, "expected %s", token->expected);
	if (!token->length)
		return graph_expected(&reader->lexer, token, "a name");
	return names_intern(&reader->graph.nodes, token->text, token->length, node);
}

static int end_statement(struct reader *reader, const char *what)
{
	int kind = reader->token.kind;

	if (kind == '\n' || kind == ';' || kind == '}' || kind == GRAPH_END)
		return 0;
	return expected(reader, what);
}

static int read_node(struct reader *reader, const struct graph_token *name)
{
	struct attributes attributes;
	unsigned flags = GRAPH_DECLARED;
	uint32_t node;
	int r = use_name(reader, name, &node);

	if (r)
		return r;
	if (written_flags(&reader->graph, node))
		return problem_at(reader->lexer.problem, name->place, "%s was declared before",
				  quoted(name->text, name->length));
	/* Reading them takes the place of the name's text. */
	r = read_attributes(reader, NODE, &attributes);
	if (r)
		return r;
	if (attributes.circle && (attributes.number_given || attributes.preemptible))
		return problem_at(reader->lexer.problem, name->place,
				  "expected a resource to have instances or to be preemptible, got a circle, a process");
	if (attributes.box || attributes.number_given || attributes.preemptible)
		flags |= GRAPH_RESOURCE;
	flags |= (attributes.circle ? GRAPH_PROCESS : 0) | (attributes.preemptible ? GRAPH_PREEMPTIBLE : 0);
	r = end_statement(reader, "[, -> or the end of the statement");
	return r ?: written_declare(&reader->graph, node, flags, attributes.number);
}

static int mark_edges(struct written *graph, size_t first, const struct attributes *attributes)
{
	int r = 0;

	if (!attributes->any && attributes->number == 1)
		return 0;
	for (size_t i = first; !r && i < graph->nedges; i++)
		r = written_mark(graph, i, attributes->any, attributes->number);
	return r;
}

/* A chain of one edge or more. */
static int read_edges(struct reader *reader, const struct graph_token *name)
{
	size_t first = reader->graph.nedges;
	struct place place = name->place;
	struct attributes attributes;
	uint32_t from, to;
	int r = use_name(reader, name, &from);

	while (!r && reader->token.kind == GRAPH_ARROW) {
		r = advance(reader);
		if (!r && reader->token.kind != GRAPH_NAME)
			r = expected(reader, "a name after ->");
		r = r ?: use_name(reader, &reader->token, &to);
		r = r ?: written_reserve_edges(&reader->graph, 1);
		r = r ?: written_add_edge(&reader->graph, from, to, place);
		if (r)
			return r;
		from = to;
		place = reader->token.place;
		r = advance(reader);
	}
	r = r ?: read_attributes(reader, EDGE, &attributes);
	r = r ?: end_statement(reader, "->, [ or the end of the statement");
	return r ?: mark_edges(&reader->graph, first, &attributes);
}

/* ---- what DOT puts around it ---- */

/* Keywords have no case; a name in quotes is none. */
static bool is_keyword(const struct graph_token *token, const char *keyword)
{
	if (token->kind != GRAPH_NAME || token->quoted || token->length != strlen(keyword))
		return false;
	for (size_t i = 0; i < token->length; i++)
		if ((token->text[i] | 0x20) != keyword[i])
			return false;
	return true;
}

/* What can follow digraph, graph and subgraph, but no node's name. */
static bool opens(const struct reader *reader)
{
	return reader->token.kind == '{' || reader->token.kind == GRAPH_NAME;
}

/* The same of the input's first word, whose graph may begin in another line, or be cut off. */
static bool opens_input(const struct reader *reader)
{
	return opens(reader) || reader->token.kind == '\n' || reader->token.kind == GRAPH_END;
}

static int pass_newlines(struct reader *reader)
{
	int r = 0;

	while (!r && reader->token.kind == '\n')
		r = advance(reader);
	return r;
}

static int read_header(struct reader *reader)
{
	int r = 0;

	if (reader->token.kind == GRAPH_NAME)
		r = advance(reader);
	r = r ?: pass_newlines(reader);
	if (!r && reader->token.kind != '{')
		r = expected(reader, "{ after digraph");
	reader->braces = true;
	reader->token.kind = ';'; /* a statement may follow at once */
	return r;
}

static int pass_assignment(struct reader *reader)
{
	int r = advance(reader);

	if (!r && reader->token.kind != GRAPH_NAME)
		r = expected(reader, "a value after =");
	r = r ?: advance(reader);
	return r ?: end_statement(reader, "the end of the statement");
}

static int pass_defaults(struct reader *reader)
{
	struct attributes attributes;
	int r = read_attributes(reader, DEFAULTS, &attributes);

	return r ?: end_statement(reader, "the end of the statement");
}

/* After strict: digraph takes the place of it. */
static int pass_strict(struct reader *reader, struct graph_token *name)
{
	int r = pass_newlines(reader);

	if (r)
		return r;
	if (!is_keyword(&reader->token, "digraph"))
		return expected(reader, "digraph after strict");
	*name = reader->token;
	r = advance(reader);
	if (!r && !opens_input(reader))
		r = expected(reader, "{ after digraph");
	return r;
}

static int read_statement(struct reader *reader)
{
	struct graph_token name = reader->token;
	bool first = !reader->begun;
	int r;

	if (reader->closed)
		return expected(reader, "the end of the input after }");
	reader->begun = true;
	r = advance(reader);
	if (!r && first && is_keyword(&name, "strict") && opens_input(reader))
		r = pass_strict(reader, &name);
	if (r)
		return r;
	if (first && is_keyword(&name, "digraph") && opens_input(reader))
		return read_header(reader);
	if (first && is_keyword(&name, "graph") && opens(reader))
		return graph_expected(&reader->lexer, &name, "digraph (edges have a direction)");
	if (is_keyword(&name, "subgraph") && opens(reader))
		return graph_expected(&reader->lexer, &name, "a node or an edge");
	if (reader->token.kind == '=')
		return pass_assignment(reader);
	if (reader->token.kind == '[' &&
	    (is_keyword(&name, "node") || is_keyword(&name, "edge") || is_keyword(&name, "graph")))
		return pass_defaults(reader);
	return reader->token.kind == GRAPH_ARROW ? read_edges(reader, &name) : read_node(reader, &name);
}

static int read_statements(struct reader *reader)
{
	for (;;) {
		int r = reader->closed ? 0 : read_plain_edges(reader);

		r = r ?: advance(reader);
		if (!r && reader->token.kind == GRAPH_NAME)
			r = read_statement(reader);
		if (r)
			return r;
		switch (reader->token.kind) {
		case '\n':
		case ';':
			break;
		case '}':
			if (!reader->braces)
				return expected(reader, "a name");
			reader->braces = false;
			reader->closed = true;
			break;
		case GRAPH_END:
			return reader->braces ? expected(reader, "}") : 0;
		default:
			return expected(reader, reader->closed ? "the end of the input after }" : "a name");
		}
	}
}

int read_graph(struct source *source, struct model *out, struct problem *problem)
{
	struct reader reader = { .source = source, .lexer = { .source = source, .problem = problem } };
	int r = read_statements(&reader);

	*out = (struct model){ .form = FORM_GRAPH, .has_request = true };
	if (source->error)
		r = source->error;
	if (!r && !reader.graph.nodes.count)
		r = expected(&reader, "a node or an edge");
	r = r ?: written_model(&reader.graph, reader.token.place, out, problem);
	written_free(&reader.graph);
	if (r)
		model_free(out);
	return r;
}
