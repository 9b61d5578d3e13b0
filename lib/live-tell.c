/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-tell.h"
#include "array.h"
#include "spots.h"
#include "sys.h"


struct telling {
	struct live_scan *scan;
	const struct ipckit_live_options *options;
	struct ipckit_live *out;
	bool *kept;       /* by node of the scan */
	uint32_t *number; /* likewise: that in the result */
	uint32_t *order;  /* nodes of the result: those of the scan */
	uint32_t *queue;
	/* The process that was told last. */
	uint32_t process;
	const char *command;
};

static const struct live_process *process_of(const struct live_scan *scan, uint32_t node)
{
	const struct live_point *point = &scan->points[node];

	return &scan->processes[point->process ? point->index : scan->threads[point->index].process];
}

static pid_t tid_of(const struct live_scan *scan, uint32_t node)
{
	const struct live_point *point = &scan->points[node];

	return point->process ? 0 : scan->threads[point->index].tid;
}

/* ---- which nodes ---- */

static bool is_listed(const struct ipckit_live_options *options, pid_t pid)
{
	for (size_t i = 0; i < options->npids; i++)
		if (options->pids[i] == pid)
			return true;
	return !options->pids;
}

static int is_asked(const struct telling *telling, uint32_t node, bool *out)
{
	const struct ipckit_live_options *options = telling->options;
	const struct live_process *process = process_of(telling->scan, node);
	struct live_status status;
	int r;

	*out = is_listed(options, process->pid);
	if (!*out || !options->uid.known)
		return 0;
	r = live_status_read(telling->scan->root, process->pid, process->pid, &status);
	*out = !r && status.uid.known && status.uid.value == options->uid.value;
	return sys_own_trouble(r);
}

/* Adds to those in the queue whom they wait for, and so on. */
static void keep_awaited(struct telling *telling, const bool *stuck, size_t tail)
{
	const struct live_scan *scan = telling->scan;

	for (size_t head = 0; head < tail; head++) {
		size_t i, end = live_edges_of(scan, telling->queue[head], &i);

		for (; i < end; i++) {
			const struct ipckit_live_edge *edge = &scan->edges[i].told;

			for (size_t h = 0; h < edge->nholders; h++) {
				uint32_t holder = edge->holders[h];

				if (telling->kept[holder] || (!stuck[holder] && !telling->options->everything))
					continue;
				telling->kept[holder] = true;
				telling->queue[tail++] = holder;
			}
		}
	}
}

static int choose(struct telling *telling, const bool *stuck)
{
	size_t count = 0;
	int r = 0;

	for (uint32_t node = 0; !r && node < telling->scan->npoints; node++) {
		if (!stuck[node] && !telling->options->everything)
			continue;
		r = is_asked(telling, node, &telling->kept[node]);
		if (!r && telling->kept[node])
			telling->queue[count++] = node;
	}
	if (!r)
		keep_awaited(telling, stuck, count);
	return r;
}

static int by_ids(const void *a, const void *b, void *arg)
{
	const struct live_scan *scan = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	pid_t p = process_of(scan, x)->pid, q = process_of(scan, y)->pid, t = tid_of(scan, x), u = tid_of(scan, y);

	return p != q ? array_order(p, q) : array_order(t, u);
}

static void number(struct telling *telling)
{
	struct live_scan *scan = telling->scan;
	size_t count = 0;

	for (uint32_t node = 0; node < scan->npoints; node++)
		if (telling->kept[node])
			telling->order[count++] = node;
	qsort_r(telling->order, count, sizeof(*telling->order), by_ids, scan);
	for (uint32_t i = 0; i < count; i++)
		telling->number[telling->order[i]] = i;
	telling->out->nnodes = count;
}

/* ---- nodes ---- */

static int tell_command(struct telling *telling, uint32_t process, const char **out)
{
	char *command = NULL;
	int dirfd, r;

	if (telling->process != process) {
		dirfd = live_directory(telling->scan, process);
		r = dirfd < 0 ? dirfd : proc_command(dirfd, &command);
		if (sys_lacks_resources(r))
			return r;
		r = texts_take(&telling->scan->texts, command);
		if (r)
			return r;
		telling->command = command;
		telling->process = process;
	}
	*out = telling->command;
	return 0;
}

/* Of who was found to be stuck it is known already. */
static int note_status(struct telling *telling, uint32_t node, const struct ipckit_live_node *out)
{
	struct live_status status;
	int r;

	if (telling->scan->points[node].told)
		return 0;
	r = live_status_read(telling->scan->root, out->pid, out->tid ?: out->pid, &status);
	if (r)
		return sys_own_trouble(r);
	return live_note(telling->scan, node, &status);
}

static int tell_node(struct telling *telling, uint32_t node, struct ipckit_live_node *out)
{
	struct live_scan *scan = telling->scan;
	const struct live_process *process = process_of(scan, node);
	int r;

	*out = (struct ipckit_live_node){
		.pid = process->pid,
		.tid = tid_of(scan, node),
		.acts = scan->points[node].acts,
	};
	r = note_status(telling, node, out);
	if (r)
		return r;
	out->name = scan->points[node].name;
	out->uid = scan->points[node].uid;
	return tell_command(telling, (uint32_t)(process - scan->processes), &out->command);
}

static int tell_nodes(struct telling *telling)
{
	struct ipckit_live *out = telling->out;
	int r = 0;

	out->nodes = array_of(out->nnodes, sizeof(*out->nodes));
	if (!out->nodes)
		return -ENOMEM;
	for (size_t i = 0; !r && i < out->nnodes; i++)
		r = tell_node(telling, telling->order[i], &out->nodes[i]);
	if (!r)
		live_tell_since(telling->scan->root, out->nodes, out->nnodes);
	return r;
}

/* ---- edges ---- */

/* Those of them who are told, by their new numbers. */
static int tell_nodes_of(const struct telling *telling, const uint32_t *list, size_t count, uint32_t **out,
			 size_t *told)
{
	*out = array_of(count, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	*told = 0;
	for (size_t i = 0; i < count; i++)
		if (telling->kept[list[i]])
			(*out)[(*told)++] = telling->number[list[i]];
	*told = array_sort_numbers(*out, *told);
	return 0;
}

/* Only those who are told remain holders: of the others nobody who is stuck waits for one alone. */
static int tell_edge(const struct telling *telling, const struct ipckit_live_edge *edge,
		     struct ipckit_live_edge *out)
{
	int r;

	*out = *edge;
	out->waiter = telling->number[edge->waiter];
	out->holders = out->owners = NULL;
	r = tell_nodes_of(telling, edge->holders, edge->nholders, &out->holders, &out->nholders);
	return r ? r : tell_nodes_of(telling, edge->owners, edge->nowners, &out->owners, &out->nowners);
}

static int tell_edges(struct telling *telling)
{
	struct live_scan *scan = telling->scan;
	struct ipckit_live *out = telling->out;

	out->edges = array_of(scan->nedges, sizeof(*out->edges));
	if (!out->edges)
		return -ENOMEM;
	for (size_t i = 0; i < out->nnodes; i++) {
		size_t e, end = live_edges_of(scan, telling->order[i], &e);

		for (; e < end; e++) {
			struct ipckit_live_edge *edge = &out->edges[out->nedges];
			int r = tell_edge(telling, &scan->edges[e].told, edge);

			out->nedges++; /* freed, too */
			if (r)
				return r;
		}
	}
	return 0;
}

/* ---- all ---- */

static void tell_counts(const struct live_scan *scan, struct ipckit_live *out)
{
	for (size_t p = 0; p < scan->nprocesses; p++)
		out->processes += scan->processes[p].nthreads || scan->processes[p].hidden;
	out->threads = (int64_t)scan->nthreads;
	out->unreadable_processes = scan->hides ? ipckit_unknown() : ipckit_known(scan->unreadable);
	out->other_pids = scan->other_pids;
}

int live_tell(struct live_scan *scan, const bool *stuck, const struct ipckit_live_options *options,
	      struct ipckit_live *out)
{
	struct telling telling = {
		.scan = scan,
		.options = options,
		.out = out,
		.kept = calloc(scan->npoints + 1, sizeof(bool)),
		.number = array_of(scan->npoints, sizeof(uint32_t)),
		.order = array_of(scan->npoints, sizeof(uint32_t)),
		.queue = array_of(scan->npoints, sizeof(uint32_t)),
		.process = IPCKIT_NONE,
	};
	int r = telling.kept && telling.number && telling.order && telling.queue ? 0 : -ENOMEM;

	tell_counts(scan, out);
	if (!r)
		r = choose(&telling, stuck);
	if (!r)
		number(&telling);
	if (!r)
		r = tell_nodes(&telling);
	if (!r)
		r = tell_edges(&telling);
	free(telling.kept);
	free(telling.number);
	free(telling.order);
	free(telling.queue);
	out->texts = scan->texts;
	scan->texts = (struct ipckit_texts){ 0 };
	return r;
}
