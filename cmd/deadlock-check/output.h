/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_OUTPUT_H
#define DEADLOCK_OUTPUT_H

/*
 * Models as texts: the forms that are read, and pictures. Each writes to a
 * stream; whether that could take it is seen by the one who flushes it. What
 * they write, the readers of input.h read as the same model. 0 or -errno.
 */

#include "input.h"

#include <stdio.h>

/* Matrices of numbers, dense: -EOPNOTSUPP where the model has rows of any (matrices cannot say that), or ends. */
int write_json(FILE *stream, const struct model *model);
int write_text(FILE *stream, const struct model *model);

/* The graph of holds and waits. */
int write_graph_json(FILE *stream, const struct model *model);
int write_graph(FILE *stream, const struct model *model); /* edge lines */

/* One matrix, sparse; which: "allocation", "request", "claim" or "existing". -EOPNOTSUPP as above. */
int write_mtx(FILE *stream, const struct model *model, const char *which);

/* Pictures. detection, core and cycle are of the model: the deadlocked part is marked. */
struct picture {
	const struct model *model;
	const struct ipckit_detection *detection;
	const struct ipckit_core *core;
	const struct ipckit_cycle *cycle;
	bool ascii; /* no characters beyond ASCII in draw_text() */
};
int draw_dot(FILE *stream, const struct picture *picture);
int draw_mermaid(FILE *stream, const struct picture *picture);
int draw_text(FILE *stream, const struct picture *picture);

/* The textbook's way of writing the loop out: vectors, matrices, finished rows struck. */
int draw_trace(FILE *stream, const struct model *model, const struct ipckit_trace *trace);

/* ---- generate.c's work: systems made for tests and measurements ---- */

enum kind { KIND_CHAIN, KIND_RANDOM, KIND_SAFE, KIND_DEADLOCKED };

struct recipe {
	enum kind kind;
	uint32_t processes, resources;
	uint32_t degree; /* cells in each row of allocation and of request, at most resources */
	int64_t most;    /* the largest count of a cell */
	uint64_t seed;
};
int make_model(const struct recipe *recipe, struct model *out); /* 0 or -ENOMEM */

#endif
