/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow.h"

/* One call cannot be interrupted but at its end on some file systems. */
#define RANGE ((size_t)16 << 20)

/*
 * Whatever is said against it, read(2) and write(2) find out what it is: also at the end, for files of /proc
 * seem to be empty, and where the sink may not grow, for nothing may be left.
 */
static int step_range(struct ipckit_flow *flow, size_t most)
{
	ssize_t n = io_room(&flow->to, most < RANGE ? most : RANGE);

	if (n > 0)
		n = sys_result(copy_file_range(flow->from.fd, NULL, flow->to.fd, NULL, (size_t)n, 0));
	if (n == -EINTR)
		return FLOW_GOES_ON;
	if (n <= 0)
		return flow_copy_instead(flow);
	flow->state.read += (uint64_t)n;
	flow->state.bytes += (uint64_t)n;
	return FLOW_GOES_ON;
}

const struct flow_ops flow_range = { .step = step_range, .method = IPCKIT_FLOW_COPY_RANGE };
