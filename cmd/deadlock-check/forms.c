/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *to_text, *output_text;
static int force;

const struct poptOption dl_output_options[] = {
	{ "to", 0, POPT_ARG_STRING, &to_text, 0, "the form to print: json, text, graph, graph-json or mtx", "FORM" },
	{ "output", 0, POPT_ARG_STRING, &output_text, 0,
	  "with --to mtx: write PREFIX.allocation.mtx, and so on for existing, request and claim", "PREFIX" },
	{ "force", 'f', POPT_ARG_NONE, &force, 0, "write over these files", NULL },
	POPT_TABLEEND
};

static const struct dl_form forms[] = {
	{ "json", write_json, true },
	{ "text", write_text, true },
	{ "graph", write_graph, false },
	{ "graph-json", write_graph_json, false },
	{ "mtx", NULL, true },
};

int dl_form_choose(struct cli *cli, const char *fallback, struct dl_form *out)
{
	const char *to = to_text ?: fallback;

	if (!to)
		return cli_usage(cli, "--to", "is missing: json, text, graph, graph-json or mtx");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, to))
			continue;
		*out = forms[i];
		if (!out->write && !output_text)
			return cli_usage(cli, "--to mtx", "a matrix is a file: --output PREFIX is missing");
		if (out->write && output_text)
			return cli_usage(cli, "--output", "only with --to mtx");
		return CLI_OK;
	}
	return cli_usage(cli, "--to", "%s: expected json, text, graph, graph-json or mtx", to);
}

static int fail_write(struct cli *cli, const char *object, int error)
{
	return cli_fail(cli, object, error,
			error == -EOPNOTSUPP ? "this form cannot say what is in it (claims, a wait for any of "
					       "several or for a process, a name that is used twice or "
					       "is no UTF-8, nothing at all)" :
					       NULL);
}

/* ---- Matrix Market: a file for each matrix ---- */

/* What one matrix cannot say none can: seen before a file is touched. */
static int try_matrices(struct cli *cli, const struct model *model)
{
	FILE *stream = fopen("/dev/null", "we");
	int error = stream ? write_mtx(stream, model, "existing") : -errno;

	if (stream)
		fclose(stream);
	return error ? fail_write(cli, output_text, error) : CLI_OK;
}

static FILE *open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (force ? O_TRUNC : O_EXCL), 0666);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	int error = errno;

	if (!stream && fd >= 0)
		close(fd);
	errno = error;
	return stream;
}

static int write_file(struct cli *cli, const struct model *model, const char *which, const char *path)
{
	FILE *stream = open_file(path);
	int error;

	if (!stream)
		return cli_fail(cli, path, errno, errno == EEXIST ? "already exists (--force writes over it)" : NULL);
	errno = 0;
	error = write_mtx(stream, model, which);
	if (!error && ferror(stream))
		error = -(errno ?: EIO);
	if (fclose(stream) && !error)
		error = -errno;
	if (error && !force)
		unlink(path);
	return error ? fail_write(cli, path, error) : CLI_OK;
}

static int write_matrix(struct cli *cli, const struct model *model, const char *which, char **path)
{
	if (asprintf(path, "%s.%s.mtx", output_text, which) < 0) {
		*path = NULL;
		return cli_fail(cli, NULL, ENOMEM, NULL);
	}
	return write_file(cli, model, which, *path);
}

#define MATRICES 4

/* All of them or, but for what was written over, none. */
static int write_matrices(struct cli *cli, const struct model *model)
{
	static const char *const names[MATRICES] = { "allocation", "existing", "request", "claim" };
	bool wanted[MATRICES] = { true, true, model->has_request, model->has_claim };
	char *paths[MATRICES] = { NULL };
	int status = try_matrices(cli, model);
	size_t last = 0;

	for (size_t i = 0; i < MATRICES && !status; i++) {
		last = i;
		status = wanted[i] ? write_matrix(cli, model, names[i], &paths[i]) : CLI_OK;
	}
	for (size_t i = 0; i < last && status && !force; i++)
		if (paths[i])
			unlink(paths[i]);
	for (size_t i = 0; i < MATRICES; i++)
		free(paths[i]);
	return status;
}

int dl_form_write(struct cli *cli, const char *object, const struct dl_form *form, const struct model *model)
{
	FILE *stream;
	int error, status;

	if (!form->write)
		return write_matrices(cli, model);
	stream = cli_text_begin(cli);
	error = stream ? form->write(stream, model) : -ENOMEM;
	status = error ? fail_write(cli, object, error) : CLI_OK;
	return cli_text_end(cli, 0) ?: status;
}
