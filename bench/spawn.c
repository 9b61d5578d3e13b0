/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Times commands side by side: spawn ROUNDS COMMAND... [';' COMMAND...]...
 *
 * Each round runs every command once, in an order drawn anew, so that whatever
 * else the machine does meets all of them alike. Prints a line for each command,
 * as given: the median in nanoseconds, and its ratio to the first one's.
 */

#include "bench.h"

#define COMMANDS_MAX 32

struct bench {
	char **commands[COMMANDS_MAX];
	int64_t *times[COMMANDS_MAX];
	unsigned n;
	unsigned rounds;
	posix_spawn_file_actions_t actions;
};

static void run(const struct bench *bench, unsigned which, int64_t *out)
{
	char **command = bench->commands[which];
	int64_t start = now_ns();
	int status = wait_for(spawn(command, &bench->actions));

	*out = now_ns() - start;
	if (status) {
		fprintf(stderr, "spawn: %s %s: wait status %#x\n", command[0], command[1] ?: "", status);
		exit(1);
	}
}

static uint32_t draw(uint32_t below)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static void shuffle(unsigned *order, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned other = draw(i), last = order[i - 1];

		order[i - 1] = order[other];
		order[other] = last;
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void read_arguments(int argc, char **argv, struct bench *bench)
{
	bench->rounds = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
	if (!bench->rounds) {
		fprintf(stderr, "usage: spawn ROUNDS COMMAND... [';' COMMAND...]...\n");
		exit(2);
	}
	bench->commands[bench->n++] = argv + 2;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], ";") || bench->n == COMMANDS_MAX)
			continue;
		argv[i] = NULL;
		bench->commands[bench->n++] = argv + i + 1;
	}
}

static void measure(struct bench *bench)
{
	unsigned order[COMMANDS_MAX];

	for (unsigned i = 0; i < bench->n; i++) {
		order[i] = i;
		bench->times[i] = calloc(bench->rounds, sizeof(int64_t));
		if (!bench->times[i])
			exit(2);
	}
	for (unsigned round = 0; round < bench->rounds; round++) {
		shuffle(order, bench->n);
		for (unsigned i = 0; i < bench->n; i++)
			run(bench, order[i], &bench->times[order[i]][round]);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };

	read_arguments(argc, argv, &bench);
	posix_spawn_file_actions_init(&bench.actions);
	posix_spawn_file_actions_addopen(&bench.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	measure(&bench);
	for (unsigned i = 0; i < bench.n; i++) {
		qsort(bench.times[i], bench.rounds, sizeof(int64_t), by_time);
		printf("%lld %.4f\n", (long long)bench.times[i][bench.rounds / 2],
		       (double)bench.times[i][bench.rounds / 2] / bench.times[0][bench.rounds / 2]);
	}
	return 0;
}
