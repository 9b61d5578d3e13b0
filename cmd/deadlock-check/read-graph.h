/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_READ_GRAPH_H
#define DEADLOCK_READ_GRAPH_H

/* The parts of read_graph(): tokens, the graph as it was written, and the model that it makes. */

#include "input.h"

/* ---- read-graph-token.c ---- */

/* Of a token; every other one is its character. */
enum { GRAPH_END = 256, GRAPH_NAME, GRAPH_ARROW };

struct graph_token {
	int kind;
	bool quoted;
	bool cut;            /* longer than INPUT_NAME_MAX: the rest of text is left out */
	struct place place;
	const char *text;    /* of a name; it lasts until the next name but one is read */
	size_t length;
	struct place wrong;  /* what a name may not hold, though a value that is passed over may; line 0: nothing */
	const char *expected; /* there */
};

struct graph_lexer {
	struct source *source;
	struct problem *problem;
	bool inside;         /* brackets: a newline is a blank there */
	char text[2][INPUT_NAME_MAX];
	unsigned turn;
};

int graph_token(struct graph_lexer *lexer, struct graph_token *out);

/* "expected this, got that". Returns -EBADMSG. */
int graph_expected(struct graph_lexer *lexer, const struct graph_token *token, const char *expected);

/*
 * Whether the bytes at hand begin with a line that is nothing but an edge, NAME -> NAME: its
 * newline, and both names where they stand; else NULL. *end is a NUL.
 */
const char *graph_plain_edge(const char *at, struct names_token pair[2]);

/* ---- read-graph-written.c: the graph as it stands in the input ---- */

/* By node. */
enum {
	GRAPH_DECLARED = 1,
	GRAPH_RESOURCE = 2,
	GRAPH_PROCESS = 4,
	GRAPH_PREEMPTIBLE = 8,
};

struct graph_instances {
	uint32_t resource;
	int64_t count;
};

/* Columns of edges, or of what was made of them, in their order: from `first` on each has this one. */
struct written_columns {
	struct written_column {
		uint32_t first, column;
	} *runs; /* before the first: column 1 */
	size_t nruns, room;
	uint32_t last; /* the last run's column less 1 */
};

/* Begins a run, after all that there are. Returns 0 or -ENOMEM. */
int written_columns_begin(struct written_columns *columns, uint32_t first, uint32_t column);
uint32_t written_columns_get(const struct written_columns *columns, uint32_t index);

/* Adds the next one's column. Returns likewise. */
static inline int written_columns_add(struct written_columns *columns, uint32_t index, uint32_t column)
{
	if (column - 1 == columns->last)
		return 0;
	return written_columns_begin(columns, index, column);
}

/* What few edges have. */
struct written_mark {
	uint32_t edge;
	bool any;
	int64_t count;
};

struct written {
	struct names nodes;
	uint8_t *flags;                    /* by node; those beyond nflags have none */
	size_t nflags;
	struct graph_instances *instances; /* where they are not 1 */
	size_t ninstances, instances_room;
	struct ipckit_cell *edges;         /* from row to column */
	uint32_t *lines;                   /* by edge: where its left name is */
	struct written_columns columns;
	size_t nedges, edges_room;
	struct written_mark *marks;        /* ascending */
	size_t nmarks, marks_room;
};

static inline unsigned written_flags(const struct written *graph, uint32_t node)
{
	return node < graph->nflags ? graph->flags[node] : 0;
}

/* Each of them returns 0 or -ENOMEM. */
int written_declare(struct written *graph, uint32_t node, unsigned flags, int64_t instances);
int written_reserve_edges(struct written *graph, size_t count);
int written_mark(struct written *graph, uint32_t edge, bool any, int64_t count);
void written_free(struct written *graph);

/* For an edge that there is room for. */
static inline int written_add_edge(struct written *graph, uint32_t from, uint32_t to, struct place place)
{
	uint32_t edge = graph->nedges++, column = place.column < UINT32_MAX ? place.column : UINT32_MAX;

	graph->edges[edge] = (struct ipckit_cell){ .row = from, .column = to };
	graph->lines[edge] = place.line < UINT32_MAX ? place.line : UINT32_MAX;
	return written_columns_add(&graph->columns, edge, column);
}

/* ---- read-graph-model.c ---- */

/* Takes the graph apart as it goes. place: where to say what is wrong with no line in particular. */
int written_model(struct written *graph, struct place place, struct model *out, struct problem *problem);

#endif
