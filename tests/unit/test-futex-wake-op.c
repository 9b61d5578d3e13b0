/* SPDX-License-Identifier: GPL-2.0-or-later */

/* FUTEX_WAKE_OP: its encoding, and what the kernel makes of it, against a model. */

#include "futexes.h"
#include "wake-op-model.h"

static const enum ipckit_futex_op all_ops[] = { IPCKIT_FUTEX_OP_SET, IPCKIT_FUTEX_OP_ADD, IPCKIT_FUTEX_OP_OR,
						IPCKIT_FUTEX_OP_ANDN, IPCKIT_FUTEX_OP_XOR };
static const char *const op_names[] = { "set", "add", "or", "andn", "xor" };
static const char *const cmp_names[] = { "eq", "ne", "lt", "le", "gt", "ge" };

#define OPS 5
#define CMPS 6
#define LEAST (-2048)
#define MOST 2047

static const int32_t olds[] = { 0,    1,    -1,    2046, 2047,	2048,	    -2047,     -2048,
				-2049, 4095, -4096, 31,	  65536, INT32_MAX, INT32_MIN, 0x55555555 };

#define OLDS (sizeof(olds) / sizeof(*olds))

/* ---- the model ---- */

static uint32_t changed(const struct ipckit_futex_wake_op *op, uint32_t old)
{
	uint32_t arg = op->shift ? UINT32_C(1) << op->arg : (uint32_t)op->arg;

	switch (op->op) {
	case IPCKIT_FUTEX_OP_SET:
		return arg;
	case IPCKIT_FUTEX_OP_ADD:
		return old + arg;
	case IPCKIT_FUTEX_OP_OR:
		return old | arg;
	case IPCKIT_FUTEX_OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static bool holds(const struct ipckit_futex_wake_op *op, int32_t old)
{
	const bool answers[CMPS] = { old == op->cmparg, old != op->cmparg, old < op->cmparg,
				     old <= op->cmparg, old > op->cmparg,  old >= op->cmparg };

	return answers[op->cmp];
}

/* ---- encoding ---- */

static const struct {
	const char *what;
	struct ipckit_futex_wake_op op;
	int result;
	uint32_t encoded;
} encodings[] = {
	{ "nothing", { IPCKIT_FUTEX_OP_SET, false, 0, FUTEX_OP_CMP_EQ, 0 }, 0, 0 },
	{ "add", { IPCKIT_FUTEX_OP_ADD, false, 1, FUTEX_OP_CMP_GT, 2 }, 0, 0x14001002 },
	{ "least", { IPCKIT_FUTEX_OP_OR, false, -2048, FUTEX_OP_CMP_NE, -2048 }, 0, 0x21800800 },
	{ "most", { IPCKIT_FUTEX_OP_ANDN, false, 2047, FUTEX_OP_CMP_LT, 2047 }, 0, 0x327ff7ff },
	{ "-1", { IPCKIT_FUTEX_OP_XOR, false, -1, FUTEX_OP_CMP_GE, -1 }, 0, 0x45ffffff },
	{ "bit 31", { IPCKIT_FUTEX_OP_XOR, true, 31, FUTEX_OP_CMP_LE, 0 }, 0, 0xc301f000 },
	{ "too little", { IPCKIT_FUTEX_OP_SET, false, -2049, FUTEX_OP_CMP_EQ, 0 }, -ERANGE, 0 },
	{ "too much", { IPCKIT_FUTEX_OP_SET, false, 2048, FUTEX_OP_CMP_EQ, 0 }, -ERANGE, 0 },
	{ "bit -1", { IPCKIT_FUTEX_OP_SET, true, -1, FUTEX_OP_CMP_EQ, 0 }, -ERANGE, 0 },
	{ "bit 32", { IPCKIT_FUTEX_OP_SET, true, 32, FUTEX_OP_CMP_EQ, 0 }, -ERANGE, 0 },
	{ "compared with too little", { IPCKIT_FUTEX_OP_SET, false, 0, FUTEX_OP_CMP_EQ, -2049 }, -ERANGE, 0 },
	{ "compared with too much", { IPCKIT_FUTEX_OP_SET, true, 0, FUTEX_OP_CMP_EQ, 2048 }, -ERANGE, 0 },
	{ "the least number", { IPCKIT_FUTEX_OP_SET, false, INT32_MIN, FUTEX_OP_CMP_EQ, 0 }, -ERANGE, 0 },
	{ "the largest number", { IPCKIT_FUTEX_OP_SET, false, 0, FUTEX_OP_CMP_EQ, INT32_MAX }, -ERANGE, 0 },
	{ "no comparison", { IPCKIT_FUTEX_OP_SET, false, 0, 6, 0 }, -EINVAL, 0 },
	{ "no comparison, either", { IPCKIT_FUTEX_OP_SET, false, 0, -1, 0 }, -EINVAL, 0 },
	{ "no operation", { (enum ipckit_futex_op)5, false, 0, FUTEX_OP_CMP_EQ, 0 }, -EINVAL, 0 },
};

static void test_encodings(void)
{
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
		struct ipckit_why why = { "" };
		uint32_t encoded = 0;

		CHECK_INT_FOR(encodings[i].what, ipckit_futex_wake_op_encode(&encodings[i].op, &why, &encoded),
			      encodings[i].result);
		CHECK_INT_FOR(encodings[i].what, encoded, encodings[i].encoded);
		CHECK_FOR(encodings[i].what, !*why.text == !encodings[i].result);
		CHECK_INT_FOR(encodings[i].what, ipckit_futex_wake_op_encode(&encodings[i].op, NULL, &encoded),
			      encodings[i].result);
	}
}

/* Each operation with each argument, and each comparison, is another number, and comes back from it. */
static void test_round_trip(void)
{
	for (int i = 0; i < 2 * OPS * CMPS; i++) {
		struct ipckit_futex_wake_op op = { .op = all_ops[i % OPS], .shift = i / OPS % 2,
						   .cmp = i / OPS / 2 },
					    back;
		bool good = true;
		uint32_t encoded;

		for (int arg = op.shift ? 0 : LEAST; arg <= (op.shift ? 31 : MOST) && good; arg++) {
			op.arg = arg;
			op.cmparg = LEAST + (arg * 31 + i) % 4096;
			op.cmparg += op.cmparg < LEAST ? 4096 : 0;
			good = !ipckit_futex_wake_op_encode(&op, NULL, &encoded) &&
			       model_decode(encoded, &back) && model_is_same(&op, &back) &&
			       encoded == ((uint32_t)FUTEX_OP((unsigned)op.op, (unsigned)arg, (unsigned)op.cmp,
							      (unsigned)op.cmparg) |
					   (op.shift ? 1u << 31 : 0));
		}
		CHECK_INT_FOR(op_names[op.op], good ? 0 : op.arg, 0);
	}
}

static void test_words(void)
{
	static const char *const bad_words[] = { "", "SET", "se", "sett", " set", "and", "eq", "nand" };
	enum ipckit_futex_op op = (enum ipckit_futex_op)77;
	int cmp = 77;

	for (size_t i = 0; i < sizeof(bad_words) / sizeof(*bad_words); i++)
		CHECK_INT_FOR(bad_words[i], ipckit_futex_op_parse(bad_words[i], &op), -EINVAL);
	CHECK_INT(op, 77);
	CHECK_INT(ipckit_futex_cmp_parse("set", &cmp), -EINVAL);
	CHECK_INT(cmp, 77);
	for (int i = 0; i < OPS; i++)
		CHECK(!ipckit_futex_op_parse(op_names[i], &op) && op == all_ops[i]);
	for (int i = 0; i < CMPS; i++)
		CHECK(!ipckit_futex_cmp_parse(cmp_names[i], &cmp) && cmp == i);
}

/* ---- the kernel: what it stores ---- */

static bool stores(const struct ipckit_futex_wake_op *op, int32_t old, uint32_t wake, uint32_t wake2,
		   unsigned flags)
{
	unsigned woken = 4711;

	set_value(&words->b, (uint32_t)old);
	return !ipckit_futex_wake_op(&words->a, &words->b, op, wake, wake2, flags, &woken) && woken == 0 &&
	       value_of(&words->b) == changed(op, (uint32_t)old) && !value_of(&words->a);
}

/* Each argument there is, at each edge; each comparison, and each way that the counts ask for. */
static void test_stores(void)
{
	char row[100];

	for (int i = 0; i < 2 * OPS * (int)OLDS; i++) {
		struct ipckit_futex_wake_op op = { .op = all_ops[i % OPS], .shift = i / OPS % 2 };
		int32_t old = olds[i / OPS / 2];
		bool good = true;

		for (int arg = op.shift ? 0 : LEAST; arg <= (op.shift ? 31 : MOST) && good; arg++) {
			op.arg = arg;
			op.cmp = (unsigned)arg % CMPS;
			op.cmparg = arg;
			good = stores(&op, old, arg & 1, arg & 2, 0) &&
			       stores(&op, old, arg & 1, arg & 2, IPCKIT_FUTEX_PRIVATE);
		}
		snprintf(row, sizeof(row), "%s%s %d of %d", op_names[op.op], op.shift ? " bit" : "", op.arg, old);
		CHECK_FOR(row, good);
	}
}

/* ---- the kernel: whom it wakes ---- */

static int sleep_again(const void *arg)
{
	const uint32_t *word = arg;

	for (;;) {
		int r = ipckit_futex_wait(word, *(const volatile uint32_t *)word, 0, NULL);

		if (r && r != -EAGAIN)
			return r;
	}
}

static bool is_compared(const struct ipckit_futex_wake_op *op, int32_t old)
{
	unsigned woken = 4711;

	if (!await_sleepers(&words->b, 1))
		return false;
	set_value(&words->b, (uint32_t)old);
	return !ipckit_futex_wake_op(&words->a, &words->b, op, 1, 1, 0, &woken) && woken == holds(op, old);
}

static void test_comparisons(void)
{
	static const int args[] = { LEAST, LEAST + 1, -1, 0, 1, MOST - 1, MOST };
	pid_t pid;
	char row[100];

	clear_words();
	pid = start_asleep(sleep_again, &words->b);
	for (int i = 0; i < CMPS * 7; i++) {
		const int arg = args[i / CMPS], around[] = { arg - 1, arg, arg + 1, INT32_MIN, INT32_MAX };

		for (int k = 0; k < 10; k++) {
			const struct ipckit_futex_wake_op op = { .op = all_ops[(i + k) % OPS], .shift = k % 2,
								 .arg = k, .cmp = i % CMPS, .cmparg = arg };

			snprintf(row, sizeof(row), "%d %s %d", around[k % 5], cmp_names[op.cmp], arg);
			CHECK_FOR(row, is_compared(&op, around[k % 5]));
		}
	}
	kill_off(pid);
}

/* The first word's and the second's sleepers, by what is asked for. */
static const struct {
	uint32_t wake, wake2;
	bool holds;
	int first, second; /* woken */
} counts[] = {
	{ 0, 0, true, 0, 0 },  { 0, 0, false, 0, 0 }, { 1, 0, true, 1, 0 }, { 2, 0, false, 2, 0 },
	{ 0, 1, true, 0, 1 },  { 0, 2, false, 0, 0 }, { 1, 1, true, 1, 1 }, { 1, 1, false, 1, 0 },
	{ IPCKIT_FUTEX_ALL, IPCKIT_FUTEX_ALL, true, 3, 3 }, { IPCKIT_FUTEX_ALL, 0, true, 3, 0 },
	{ 0, IPCKIT_FUTEX_ALL, true, 0, 3 },
};

static int sleep_once(const void *arg)
{
	return ipckit_futex_wait_bitset(arg, 0, IPCKIT_FUTEX_ALL, 0, NULL);
}

static void check_counts(size_t i)
{
	struct ipckit_futex_wake_op op = { .op = IPCKIT_FUTEX_OP_ADD, .arg = 5,
					   .cmp = counts[i].holds ? FUTEX_OP_CMP_EQ : FUTEX_OP_CMP_NE };
	unsigned woken = 4711;
	char row[40];
	pid_t pids[6];

	clear_words();
	for (int k = 0; k < 6; k++)
		pids[k] = start_asleep(sleep_once, k < 3 ? &words->a : &words->b);
	snprintf(row, sizeof(row), "%zu", i);
	CHECK_INT_FOR(row, ipckit_futex_wake_op(&words->a, &words->b, &op, counts[i].wake, counts[i].wake2, 0,
						&woken),
		      0);
	CHECK_INT_FOR(row, woken, counts[i].first + counts[i].second);
	CHECK_INT_FOR(row, sleepers(&words->a), 3 - counts[i].first);
	CHECK_INT_FOR(row, sleepers(&words->b), 3 - counts[i].second);
	CHECK_INT_FOR(row, value_of(&words->b), 5);
	CHECK(bare(&words->a, FUTEX_WAKE, INT32_MAX, 0, NULL, 0) >= 0);
	CHECK(bare(&words->b, FUTEX_WAKE, INT32_MAX, 0, NULL, 0) >= 0);
	for (int k = 0; k < 6; k++)
		CHECK_INT_FOR(row, end_of(pids[k]), 0);
}

static void *sleep_private(void *word)
{
	CHECK_INT(ipckit_futex_wait(word, 0, IPCKIT_FUTEX_PRIVATE, NULL), 0);
	return NULL;
}

static int private_sleepers(uint32_t *word)
{
	return bare(word, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, INT32_MAX, word, 0);
}

/* Sleepers on the same words as private ones, and as shared ones: those that were not asked for sleep on. */
static void test_private(void)
{
	const struct ipckit_futex_wake_op op = { .op = IPCKIT_FUTEX_OP_XOR, .arg = -2, .cmp = FUTEX_OP_CMP_EQ };
	uint32_t *list[] = { &words->a, &words->b };
	int64_t until = now() + LONG_ENOUGH;
	unsigned woken = 4711;
	pthread_t threads[2];
	pid_t pids[2];

	clear_words();
	for (int i = 0; i < 2; i++)
		pids[i] = start_asleep(sleep_once, list[i]);
	for (int i = 0; i < 2; i++) {
		if (!CHECK(!pthread_create(&threads[i], NULL, sleep_private, list[i])))
			return;
		while (private_sleepers(list[i]) != 1 && now() < until)
			usleep(200);
	}
	CHECK_INT(ipckit_futex_wake_op(&words->a, &words->b, &op, 1, 0, IPCKIT_FUTEX_PRIVATE, &woken), 0);
	CHECK_INT(woken, 1);
	CHECK_INT(value_of(&words->b), (uint32_t)-2);
	CHECK_INT(private_sleepers(&words->a), 0);
	CHECK_INT(private_sleepers(&words->b), 1);
	set_value(&words->b, 0);
	CHECK_INT(ipckit_futex_wake_op(&words->a, &words->b, &op, 0, 1, IPCKIT_FUTEX_PRIVATE, &woken), 0);
	CHECK_INT(woken, 1);
	CHECK_INT(private_sleepers(&words->b), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(sleepers(list[i]), 1);
		CHECK_INT(bare(list[i], FUTEX_WAKE, 1, 0, NULL, 0), 1);
		CHECK_INT(end_of(pids[i]), 0);
		pthread_join(threads[i], NULL);
	}
}

/* What makes 0 a case for the library: the kernel wakes two. */
static void test_bare_counts(void)
{
	pid_t first, second;

	clear_words();
	first = start_asleep(sleep_once, &words->a);
	second = start_asleep(sleep_once, &words->b);
	CHECK_INT(bare(&words->a, FUTEX_WAKE_OP, 0, 0, &words->b, 0), 2);
	CHECK_INT(end_of(first), 0);
	CHECK_INT(end_of(second), 0);
}

/* ---- what it refuses ---- */

static void test_refused(void)
{
	const struct ipckit_futex_wake_op op = { .op = IPCKIT_FUTEX_OP_SET, .arg = 7 }, no = { .cmp = 6 };
	const struct {
		const char *what;
		uint32_t *first, *second;
		int says, private;
	} rows[] = {
		{ "both there", &words->a, &words->b, 0, 0 },
		{ "the same", &words->b, &words->b, 0, 0 },
		{ "first not aligned", bad.unaligned, &words->b, -EINVAL, -EINVAL },
		{ "second not aligned", &words->a, bad.unaligned, -EINVAL, -EINVAL },
		{ "first not mapped", bad.unmapped, &words->b, -EFAULT, 0 },
		{ "second not mapped", &words->a, bad.unmapped, -EFAULT, -EFAULT },
		{ "first not readable", bad.untouchable, &words->b, -EFAULT, 0 },
		{ "second not readable", &words->a, bad.untouchable, -EFAULT, -EFAULT },
		{ "first read-only", bad.read_only, &words->b, 0, 0 },
		{ "second read-only", &words->a, bad.read_only + 1, -EFAULT, -EFAULT },
		{ "first's file shrank", bad.shrunk, &words->b, -EFAULT, 0 },
		{ "second's file shrank", &words->a, bad.shrunk, -EFAULT, -EFAULT },
	};
	unsigned woken = 4711;

	for (size_t i = 0; i < 4 * sizeof(rows) / sizeof(*rows); i++) {
		clear_words();
		CHECK_INT_FOR(rows[i / 4].what, ipckit_futex_wake_op(rows[i / 4].first, rows[i / 4].second, &op,
								     i & 1, i & 2, 0, &woken),
			      rows[i / 4].says);
		CHECK_INT_FOR(rows[i / 4].what, value_of(&words->b), rows[i / 4].says ? 0 : 7);
		CHECK_INT_FOR(rows[i / 4].what, woken, rows[i / 4].says ? 4711 : 0);
		clear_words();
		CHECK_INT_FOR(rows[i / 4].what, ipckit_futex_wake_op(rows[i / 4].first, rows[i / 4].second, &op, i & 1,
								     i & 2, IPCKIT_FUTEX_PRIVATE, &woken),
			      rows[i / 4].private);
		CHECK_INT_FOR(rows[i / 4].what, value_of(&words->b), rows[i / 4].private ? 0 : 7);
		woken = 4711;
		clear_words();
		CHECK_INT(ipckit_futex_wake_op(&words->a, &words->b, &op, i & 1, i & 2, IPCKIT_FUTEX_REALTIME,
					       &woken),
			  -ENOSYS);
		CHECK_INT(ipckit_futex_wake_op(&words->a, &words->b, &op, i & 1, i & 2, IPCKIT_FUTEX_2, &woken),
			  -EOPNOTSUPP);
		CHECK_INT(ipckit_futex_wake_op(&words->a, &words->b, &no, i & 1, i & 2, 0, &woken), -EINVAL);
		CHECK_INT(value_of(&words->b), 0);
	}
}

/* What makes the encoding a case for the library: the kernel stores before it refuses a comparison. */
static void test_bare_encodings(void)
{
	clear_words();
	CHECK_INT(bare(&words->a, FUTEX_WAKE_OP, 1, 1, &words->b, 0x06007000), -ENOSYS);
	CHECK_INT(value_of(&words->b), 7);
	CHECK_INT(bare(&words->a, FUTEX_WAKE_OP, 1, 1, &words->b, 0x50008000), -ENOSYS);
	CHECK_INT(value_of(&words->b), 7);
}

int main(void)
{
	test_encodings();
	test_round_trip();
	test_words();
	if (!share_words())
		return unit_done("futexes, wake-op");
	clear_words();
	test_stores();
	test_comparisons();
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		check_counts(i);
	test_bare_counts();
	test_refused();
	test_bare_encodings();
	test_private();
	return unit_done("futexes, wake-op");
}
