/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints each errno and the exit status that the tools give it: "ENOENT 3". */
#include "cli.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
	for (int error = 1; error < 4096; error++)
		if (strerrorname_np(error))
			printf("%s %d\n", cli_errno_name(error), (int)cli_errno_exit(error));
	return 0;
}
