/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_READ_JSON_H
#define DEADLOCK_READ_JSON_H

/*
 * What the parts of the reader of JSON know of each other: read-json.c, read-json-matrices.c, and
 * read-json-graph.c and read-json-model.c for graphs.
 */

#include "json-scan.h"

/* The names of processes, or of resources: declared in a list, or used in a graph before there is one, if there ever is. */
struct naming {
	struct names names;
	bool declared;
	struct places first; /* uses, by number, of those not declared */
};

struct edges {
	struct ipckit_cell *cells; /* processes and resources; of ends: processes both */
	int64_t *counts;           /* NULL: all are 1 */
	size_t n, room;
	struct places places;
};

struct graph {
	struct edges holds, waits, any, ends;
	struct edges groups; /* processes of any; columns mean nothing */
	int64_t *existing;   /* by resource, once they are declared */
	int64_t *held;       /* by resource, with room for nheld */
	size_t nheld;
	struct place resources_at;
};

/* How many rows or columns there are: the first that says so is right, all others have to agree. */
struct dimension {
	const char *by; /* its key; NULL: nobody said so yet */
	uint32_t count;
};

struct vector {
	int64_t *counts; /* NULL: it is not there */
	size_t n, room;
	struct place place;
};

struct matrices {
	struct dimension rows, columns;
	struct vector existing, available;
	struct ipckit_rows_builder allocation, request, claim;
};

struct json_reader {
	struct json json;
	struct naming processes, resources;
	struct names preemptible;
	struct places preemptible_at;
	unsigned seen;        /* keys, by index */
	const char *key;      /* whose value is being read */
	const char *shown_by; /* what showed the form; NULL: nothing yet */
	bool is_graph;
	struct matrices matrices;
	struct graph graph;
};

/* Adds the name that was read last, which has to be new. */
int json_add_name(struct json *json, struct names *names);

/* Reads an array of names, none of them twice. at: their places, or NULL. */
int json_read_names(struct json *json, const char *what, struct names *names, struct places *at);

/* Values of keys. */
int matrices_read_existing(struct json_reader *reader);
int matrices_read_available(struct json_reader *reader);
int matrices_read_allocation(struct json_reader *reader);
int matrices_read_request(struct json_reader *reader);
int matrices_read_claim(struct json_reader *reader);
int graph_read_resources(struct json_reader *reader);
int graph_read_holds(struct json_reader *reader);
int graph_read_waits(struct json_reader *reader);
int graph_read_any(struct json_reader *reader);
int graph_read_ends(struct json_reader *reader);

/* Makes names those of the processes; frees or keeps them. */
int graph_declare_processes(struct json_reader *reader, struct names *names);

/* Without a place. 0 or -ENOMEM. */
int json_edges_add(struct edges *edges, struct ipckit_cell cell, int64_t count);
void json_edges_free(struct edges *edges);

/* An array that just ended has count elements, each a `what`; is_row: it is a row. */
int matrices_check_count(struct json_reader *reader, struct dimension *dimension, uint64_t count, bool is_row,
			 const char *what);

/* Makes a model, complete, of what was read. It is to be freed in any case. */
int matrices_finish(struct json_reader *reader, struct model *model);
int graph_finish(struct json_reader *reader, struct model *model);
void matrices_free(struct matrices *matrices);
void graph_free(struct graph *graph);

#endif
