/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

#include <errno.h>
#include <inttypes.h>
#include <ipckit/parse.h>
#include <string.h>

/* Looks between two at the clock. */
#define SPIN_LOOKS 64

static char *timeout_text, *spin_text;

static const struct poptOption options[] = {
	{ "timeout", 't', POPT_ARG_STRING, &timeout_text, 0, "give up after this time; 0: only look", "DURATION" },
	{ "spin", 0, POPT_ARG_STRING, &spin_text, 0, "look busily before the first sleep, for this time at most",
	  "DURATION" },
	POPT_TABLEEND
};

struct row {
	const char *word;
	uint32_t value;
	unsigned sleeps;
	double spun, spin_cpu, sleep_cpu, waited;
};

#define ROW(member) .offset = offsetof(struct row, member)

static const struct cli_field fields[] = {
	{ "word", .type = CLI_STRING, ROW(word), .summary = "the word as it was named" },
	{ "value", .type = CLI_UINT, ROW(value), .summary = "what it was found to hold" },
	{ "waited", .type = CLI_REAL, ROW(waited), .summary = "seconds until then" },
	{ "sleeps", .type = CLI_UINT, ROW(sleeps), .summary = "how often it slept on the word" },
	{ "spun", .type = CLI_REAL, ROW(spun), .summary = "--spin: seconds of looking busily" },
	{ "spin_cpu", .type = CLI_REAL, ROW(spin_cpu), .summary = "seconds of processor time that this took" },
	{ "sleep_cpu", .type = CLI_REAL, ROW(sleep_cpu), .summary = "seconds of processor time that sleeping took" },
	{ 0 },
};

static const struct cli_table table = { fields, sizeof(struct row), "words", NULL };

struct await {
	struct futexctl_word word;
	struct futexctl_until until;
	bool mask; /* in place of op */
	enum ipckit_compare op;
	uint32_t value;
	int64_t spin;
	bool sleeps; /* it slept, and nobody woke it */
	struct row row;
};

/* ---- the condition ---- */

static int read_condition(struct cli *cli, struct await *await)
{
	await->mask = !strcmp(cli->operands[1], "mask");
	if (!await->mask && ipckit_parse_compare(cli->operands[1], &await->op))
		return cli_usage(cli, cli->operands[1], "not a comparison (eq ne lt le gt ge, or mask)");
	if (cli->operands[2][0] == '-' && !await->mask && await->op != IPCKIT_EQ && await->op != IPCKIT_NE)
		return cli_usage(cli, cli->operands[2], "words are compared as unsigned numbers, none of which is less than 0");
	return futexctl_value(cli, cli->operands[2], cli->operands[2], &await->value);
}

static bool holds(const struct await *await, uint32_t seen)
{
	if (await->mask)
		return (seen & await->value) == await->value;
	switch (await->op) {
	case IPCKIT_EQ:
		return seen == await->value;
	case IPCKIT_NE:
		return seen != await->value;
	case IPCKIT_LT:
		return seen < await->value;
	case IPCKIT_LE:
		return seen <= await->value;
	case IPCKIT_GT:
		return seen > await->value;
	case IPCKIT_GE:
		return seen >= await->value;
	}
	return false;
}

static bool look(struct await *await)
{
	await->row.value = __atomic_load_n(await->word.at, __ATOMIC_ACQUIRE);
	return holds(await, await->row.value);
}

/* ---- clocks ---- */

static int64_t now(clockid_t clock)
{
	struct timespec at = { 0 };

	clock_gettime(clock, &at);
	return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

/* Seconds, of what it told before. */
static double since(clockid_t clock, int64_t began)
{
	return (double)(now(clock) - began) / 1e9;
}

/* ---- waiting ---- */

static void pause_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

static bool look_busily(struct await *await)
{
	for (unsigned i = 0; i < SPIN_LOOKS; i++) {
		if (look(await))
			return true;
		pause_processor();
	}
	return false;
}

/* Whether it was seen to hold. */
static bool spin(struct await *await)
{
	int64_t began = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct ipckit_deadline part;
	bool found;

	ipckit_deadline_within(&await->until.deadline, await->spin, &part);
	do {
		found = look_busily(await);
	} while (!found && !ipckit_deadline_left(&part, NULL));
	await->row.spun = since(CLOCK_MONOTONIC, began);
	await->row.spin_cpu = since(CLOCK_PROCESS_CPUTIME_ID, cpu);
	return found;
}

/* Sleeps while the word is what was seen. */
static int sleep_once(struct await *await, const struct ipckit_deadline *part)
{
	int r = ipckit_deadline_left(part, NULL);

	if (r)
		return r;
	r = ipckit_futex_wait_bitset(await->word.at, await->row.value, IPCKIT_FUTEX_ALL, 0, &part->at);
	if (r != -EAGAIN)
		await->row.sleeps += !await->sleeps;
	await->sleeps = r == -ETIMEDOUT || r == -EINTR;
	return r == -EAGAIN || await->sleeps ? 0 : r;
}

static int sleep_part(void *arg, const struct ipckit_deadline *part)
{
	struct await *await = arg;
	int r = 0;

	while (!r && !look(await))
		r = sleep_once(await, part);
	return r;
}

static int sleep_until(struct await *await)
{
	int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	int r = futexctl_wait_in_parts(&await->word, &await->until.deadline, sleep_part, await);

	await->row.sleep_cpu = since(CLOCK_PROCESS_CPUTIME_ID, cpu);
	return r;
}

/* Behind the end of a file that shrank there may be zeroes. */
static int wait_until(struct await *await)
{
	int64_t began = now(CLOCK_MONOTONIC);
	int r = 0;

	if (!await->spin || !spin(await))
		r = sleep_until(await);
	await->row.waited = since(CLOCK_MONOTONIC, began);
	if (!r && ipckit_word_check(await->word.word) == -EFBIG)
		r = -EFBIG;
	return r;
}

static int fail(struct cli *cli, const struct await *await, int error)
{
	if (error == -EAGAIN)
		return cli_fail(cli, await->word.text, error, "it is %" PRIu32, await->row.value);
	return futexctl_fail_wait(cli, await->word.text, error, &await->until);
}

static int run(struct cli *cli)
{
	struct await await = { .row.word = cli->operands[0] };
	int r = cli_duration(cli, "--spin", spin_text, &await.spin) ?: read_condition(cli, &await) ?:
		futexctl_until(cli, timeout_text, NULL, &await.until) ?:
		futexctl_open_to_read(cli, cli->operands[0], &await.word);

	if (r)
		return r;
	r = wait_until(&await);
	r = r ? fail(cli, &await, r) : cli_emit_record(cli, &table, &await.row);
	futexctl_close(&await.word);
	return r;
}

const struct cli_verb futexctl_await = {
	.name = "await",
	.operands = "WORD CMP VALUE",
	.summary = "wait until a word is eq, ne, lt, le, gt or ge VALUE, or has all of its bits (mask)",
	.least = 3,
	.most = 3,
	.flags = CLI_NEGATIVE,
	.options = options,
	.table = &table,
	.run = run,
};
