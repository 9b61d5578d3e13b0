/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "deadlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *from_text;

enum { ALLOCATION, REQUEST, CLAIM, EXISTING, AVAILABLE, MATRICES };
static char *matrices[MATRICES];

const struct poptOption dl_input_options[] = {
	{ "from", 0, POPT_ARG_STRING, &from_text, 0,
	  "the form of FILE: json, graph-json, text or graph (default: what it looks like)", "FORM" },
	{ "allocation", 0, POPT_ARG_STRING, &matrices[ALLOCATION], 0, "what processes hold, a Matrix Market file", "F" },
	{ "request", 0, POPT_ARG_STRING, &matrices[REQUEST], 0, "what they wait for, likewise", "F" },
	{ "claim", 0, POPT_ARG_STRING, &matrices[CLAIM], 0, "the most they will hold, likewise", "F" },
	{ "existing", 0, POPT_ARG_STRING, &matrices[EXISTING], 0, "what there is of each resource, likewise", "F" },
	{ "available", 0, POPT_ARG_STRING, &matrices[AVAILABLE], 0, "what is free of each resource, likewise", "F" },
	POPT_TABLEEND
};

static const char *const forms[] = {
	[FORM_JSON] = "json",
	[FORM_GRAPH_JSON] = "graph-json",
	[FORM_TEXT] = "text",
	[FORM_GRAPH] = "graph",
	[FORM_MTX] = "mtx",
};

static bool is_stdin(const char *file)
{
	return !file || !strcmp(file, "-");
}

const char *dl_file_name(const char *file)
{
	return is_stdin(file) ? "standard input" : file;
}

static bool has_matrices(void)
{
	for (int i = 0; i < MATRICES; i++)
		if (matrices[i])
			return true;
	return false;
}

const char *dl_input_name(const char *file)
{
	return has_matrices() ? "the matrices" : dl_file_name(file);
}

static int fail_open(struct cli *cli, const char *file, int error)
{
	const char *verb = error == ENOENT ? cli_near_verb(cli, file) : NULL;

	if (verb)
		return cli_fail(cli, file, error, "no such file, did you mean the verb %s?", verb);
	return cli_fail(cli, file, error, error == ENOENT ? "no such file" : NULL);
}

static int open_file(struct cli *cli, const char *file, int *status)
{
	static bool stdin_taken;
	struct stat info;
	int fd;

	*status = CLI_OK;
	if (!file && isatty(STDIN_FILENO)) {
		*status = cli_usage(cli, NULL, "FILE is missing, and standard input is a terminal (- reads it)");
		return -1;
	}
	if (is_stdin(file) && stdin_taken) {
		*status = cli_usage(cli, "-", "standard input can be read only once");
		return -1;
	}
	stdin_taken = stdin_taken || is_stdin(file);
	if (is_stdin(file))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		*status = fail_open(cli, dl_file_name(file), errno);
	} else if (!fstat(fd, &info) && S_ISDIR(info.st_mode)) {
		*status = cli_fail(cli, dl_file_name(file), EISDIR, NULL);
		close(fd);
		fd = -1;
	}
	return fd;
}

int dl_source_open(struct cli *cli, const char *file, struct source *out)
{
	int status, error, fd = open_file(cli, file, &status);

	if (fd < 0)
		return status;
	error = source_open_fd(out, fd);
	if (!error)
		return CLI_OK;
	close(fd);
	return cli_fail(cli, dl_file_name(file), error, NULL);
}

void dl_source_close(struct source *source)
{
	close(source->fd);
	source_close(source);
}

int dl_fail_input(struct cli *cli, const char *name, int error, const struct problem *problem)
{
	if (error != -EBADMSG)
		return cli_fail(cli, name, error, NULL);
	return cli_malformed(cli, problem->input ?: name, problem->place.line, problem->place.column, "%s",
			     problem->text);
}

static int load_matrices(struct cli *cli, struct model *out)
{
	struct source sources[MATRICES];
	struct mtx_sources given = {
		.allocation_name = matrices[ALLOCATION], .request_name = matrices[REQUEST],
		.claim_name = matrices[CLAIM], .existing_name = matrices[EXISTING],
		.available_name = matrices[AVAILABLE],
	};
	struct source **places[] = { &given.allocation, &given.request, &given.claim, &given.existing,
				     &given.available };
	struct problem problem = { 0 };
	int status = CLI_OK, error;

	for (int i = 0; i < MATRICES && !status; i++) {
		if (!matrices[i])
			continue;
		status = dl_source_open(cli, matrices[i], &sources[i]);
		if (!status)
			*places[i] = &sources[i];
	}
	if (!status) {
		error = read_mtx(&given, out, &problem);
		status = error ? dl_fail_input(cli, "the matrices", error, &problem) : CLI_OK;
	}
	for (int i = 0; i < MATRICES; i++)
		if (*places[i])
			dl_source_close(&sources[i]);
	return status;
}

/* One reader takes both forms of JSON. */
static int check_form(struct cli *cli, const char *file, enum form form, struct model *model)
{
	enum form found = model->form;

	if (found == form)
		return CLI_OK;
	model_free(model);
	return cli_malformed(cli, dl_input_name(file), 0, 0, "expected %s, as --from says, got %s", forms[form],
			     forms[found]);
}

static int load_file(struct cli *cli, const char *file, const enum form *form, struct model *out)
{
	struct problem problem = { 0 };
	struct source source;
	int error, status = dl_source_open(cli, file, &source);

	if (status)
		return status;
	error = read_model(&source, form, out, &problem);
	dl_source_close(&source);
	if (error)
		return dl_fail_input(cli, dl_file_name(file), error, &problem);
	return form ? check_form(cli, file, *form, out) : CLI_OK;
}

static int choose_form(struct cli *cli, enum form *out)
{
	for (size_t i = 0; i < FORM_MTX; i++) {
		if (!strcmp(forms[i], from_text)) {
			*out = i;
			return CLI_OK;
		}
	}
	if (!strcmp(from_text, forms[FORM_MTX]))
		return cli_usage(cli, "--from mtx",
				 "Matrix Market has a file for each matrix: --allocation F --request F --existing F");
	return cli_usage(cli, "--from", "%s: expected json, graph-json, text or graph", from_text);
}

int dl_load(struct cli *cli, const char *file, struct model *out)
{
	enum form form;
	int status;

	*out = (struct model){ 0 };
	if (has_matrices() && (file || from_text))
		return cli_usage(cli, file ?: "--from", "not together with --allocation and its like");
	if (has_matrices())
		return load_matrices(cli, out);
	if (!from_text)
		return load_file(cli, file, NULL, out);
	status = choose_form(cli, &form);
	return status ?: load_file(cli, file, &form, out);
}

int dl_load_requests(struct cli *cli, const char *file, struct model *out)
{
	int status = dl_load(cli, file, out);

	if (status || out->has_request)
		return status;
	model_free(out);
	return cli_malformed(cli, dl_input_name(file), 0, 0, "there is no request matrix (safe judges claims)");
}
