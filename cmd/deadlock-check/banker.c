/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "banker.h"

#include <inttypes.h>

int dl_load_claims(struct cli *cli, const char *file, struct model *out)
{
	int status = dl_load(cli, file, out);

	if (status || out->has_claim)
		return status;
	model_free(out);
	return cli_malformed(cli, dl_input_name(file), 0, 0, "there is no claim matrix (check judges requests)");
}

int dl_fail_claims(struct cli *cli, const char *file, const struct model *model, int error,
		   const struct ipckit_block *wrong)
{
	const char *input = dl_input_name(file), *process, *resource;

	if (error != -EINVAL && error != -ERANGE)
		return cli_fail(cli, input, error, NULL);
	process = names_get(&model->processes, wrong->process);
	resource = names_get(&model->resources, wrong->resource);
	if (error == -EINVAL)
		return cli_malformed(cli, input, 0, 0,
				     "%s holds %" PRId64 " of %s, more than the %" PRId64 " of its claim", process,
				     wrong->requested, resource, wrong->available);
	return cli_malformed(cli, input, 0, 0, "%s claims %" PRId64 " of %s, of which %" PRId64 " exist", process,
			     wrong->requested, resource, wrong->available);
}
