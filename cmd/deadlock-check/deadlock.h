/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEADLOCK_H
#define DEADLOCK_H

/* What the verbs of deadlock-check share. */

#include "cli.h"
#include "output.h"

extern const struct cli_verb dl_check, dl_safe, dl_request, dl_graph, dl_resolve, dl_convert, dl_explain, dl_live,
	dl_generate;

/* ---- load.c: the input of a verb ---- */

/* --from, and --allocation and its like for Matrix Market. */
extern const struct poptOption dl_input_options[];

/*
 * Reads FILE (NULL or "-": standard input), or the files that were given to
 * --allocation and its like. Returns 0 (out is freed with model_free()) or the
 * exit status of what was reported.
 */
int dl_load(struct cli *cli, const char *file, struct model *out);

/* The same, of a system that has requests: a graph, or matrices with that one. */
int dl_load_requests(struct cli *cli, const char *file, struct model *out);

/* What messages call the input of dl_load(). */
const char *dl_input_name(const char *file);

/* Opens one file (NULL or "-": standard input, once a run). Returns 0 (out is closed with
 * dl_source_close()) or the exit status of what was reported. */
int dl_source_open(struct cli *cli, const char *file, struct source *out);
void dl_source_close(struct source *source);

/* What they call one file. */
const char *dl_file_name(const char *file);

/* Reports what a reader returned. name: of the input, where the problem does not tell. */
int dl_fail_input(struct cli *cli, const char *name, int error, const struct problem *problem);

/* ---- words.c: numbers to what is printed ---- */

/* Memory of one run, freed together. */
struct dl_pool {
	void **list;
	size_t count;
	bool failed; /* some allocation did: what was returned instead may be NULL */
};
void *dl_pool_alloc(struct dl_pool *pool, size_t count, size_t size);
const char *dl_pool_text(struct dl_pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dl_pool_free(struct dl_pool *pool);

struct dl_strings {
	const char **list;
	size_t count;
};

const char *dl_process(const struct model *model, uint32_t process); /* NULL for IPCKIT_NONE */
const char *dl_resource(struct dl_pool *pool, const struct model *model, uint32_t resource);
struct dl_strings dl_processes(struct dl_pool *pool, const struct model *model, const uint32_t *list, size_t count);
struct dl_strings dl_resources(struct dl_pool *pool, const struct model *model, const uint32_t *list, size_t count);
/* Processes and resources in turn, the first process again at the end; nothing of a cycle there is none of. */
struct dl_strings dl_cycle(struct dl_pool *pool, const struct model *model, const struct ipckit_cycle *cycle);
/* "P1", "P1 and P2", "P1, P2 and P3", and so on; of many "P1, P2, P3 and 97 more". */
const char *dl_enumerate(struct dl_pool *pool, const struct dl_strings *strings);

/* The resources that have names: all but the ends. */
static inline size_t dl_named(const struct model *model)
{
	return model->system.nresources - model->system.nends;
}

/* ---- forms.c: texts that are printed as they are ---- */

extern const struct poptOption dl_output_options[]; /* --to, --output, --force */

/* A form of output; write is NULL for Matrix Market, which takes several files. */
struct dl_form {
	const char *name;
	int (*write)(FILE *stream, const struct model *model);
	bool claims; /* it can say them */
};

/* The form that --to asks for, fallback where it was not given (NULL: it has to be). 0 or the exit status. */
int dl_form_choose(struct cli *cli, const char *fallback, struct dl_form *out);
/* Prints a model in it. object: what messages call it, or NULL. */
int dl_form_write(struct cli *cli, const char *object, const struct dl_form *form, const struct model *model);

/* ---- graph.c: pictures ---- */

struct dl_pen {
	const char *name;
	int (*draw)(FILE *stream, const struct picture *picture);
};

/* The one that --as asks for; name NULL: the default. 0 or the exit status. */
int dl_pen_choose(struct cli *cli, const char *name, const struct dl_pen **out);
/* Prints a picture. object: what messages call it, or NULL. */
int dl_draw(struct cli *cli, const char *object, const struct dl_pen *pen, struct picture *picture);

/* ---- svg.c ---- */

/* Has graphviz' dot(1) make an SVG picture of what draw_dot() wrote.
 * Returns 0, -ENOPKG where there is no dot, -ECHILD where it fails, -errno. */
int dl_svg(FILE *stream, const struct picture *picture);

#endif
