/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include <ipckit/deadlock.h>

#define PROCESSES_MOST 5
#define RESOURCES_MOST 3

/* A state in full, row after row. */
struct state {
	uint32_t nprocesses, nresources;
	int64_t available[RESOURCES_MOST];
	int64_t claim[PROCESSES_MOST][RESOURCES_MOST], allocation[PROCESSES_MOST][RESOURCES_MOST];
};

/* The same as a system, without memory of its own to be freed. */
struct fixed {
	struct ipckit_system system;
	int64_t existing[RESOURCES_MOST], available[RESOURCES_MOST];
	size_t start[2][PROCESSES_MOST + 1];
	uint32_t column[2][PROCESSES_MOST * RESOURCES_MOST];
	int64_t count[2][PROCESSES_MOST * RESOURCES_MOST];
};

static struct ipckit_rows fix_rows(struct fixed *fixed, int which, const struct state *state,
				   const int64_t matrix[][RESOURCES_MOST])
{
	size_t n = 0;

	for (uint32_t p = 0; p < state->nprocesses; p++) {
		for (uint32_t r = 0; r < state->nresources; r++)
			if (matrix[p][r]) {
				fixed->column[which][n] = r;
				fixed->count[which][n++] = matrix[p][r];
			}
		fixed->start[which][p + 1] = n;
	}
	return (struct ipckit_rows){ fixed->start[which], fixed->column[which], fixed->count[which] };
}

static struct ipckit_system *fix(struct fixed *fixed, const struct state *state)
{
	memset(fixed, 0, sizeof(*fixed));
	for (uint32_t r = 0; r < state->nresources; r++) {
		fixed->existing[r] = fixed->available[r] = state->available[r];
		for (uint32_t p = 0; p < state->nprocesses; p++)
			fixed->existing[r] += state->allocation[p][r];
	}
	fixed->system = (struct ipckit_system){
		.nprocesses = state->nprocesses,
		.nresources = state->nresources,
		.existing = fixed->existing,
		.available = fixed->available,
		.allocation = fix_rows(fixed, 0, state, state->allocation),
		.claim = fix_rows(fixed, 1, state, state->claim),
	};
	return &fixed->system;
}

/* ---- the oracle: every schedule ---- */

static bool can_finish(const struct state *state, uint32_t p, const int64_t *available)
{
	for (uint32_t r = 0; r < state->nresources; r++)
		if (state->claim[p][r] - state->allocation[p][r] > available[r])
			return false;
	return true;
}

static void add_row(const struct state *state, uint32_t p, const int64_t *available, int64_t *sum)
{
	for (uint32_t r = 0; r < state->nresources; r++)
		sum[r] = available[r] + state->allocation[p][r];
}

/* Whether some order of all that are not done lets each have its whole claim. */
static bool some_schedule(const struct state *state, unsigned done, const int64_t *available)
{
	if (done == (1u << state->nprocesses) - 1)
		return true;
	for (uint32_t p = 0; p < state->nprocesses; p++) {
		int64_t after[RESOURCES_MOST];

		if (done & 1u << p || !can_finish(state, p, available))
			continue;
		add_row(state, p, available, after);
		if (some_schedule(state, done | 1u << p, after))
			return true;
	}
	return false;
}

static bool beyond_existing(const struct state *state)
{
	for (uint32_t r = 0; r < state->nresources; r++) {
		int64_t existing = state->available[r];

		for (uint32_t p = 0; p < state->nprocesses; p++)
			existing += state->allocation[p][r];
		for (uint32_t p = 0; p < state->nprocesses; p++)
			if (state->claim[p][r] > existing)
				return true;
	}
	return false;
}

/* Plays a sequence; what is left must be blocked, all of it. */
static bool true_sequence(const struct state *state, const struct ipckit_safety *safety)
{
	int64_t available[RESOURCES_MOST];
	unsigned done = 0;

	memcpy(available, state->available, sizeof(available));
	for (size_t i = 0; i < safety->nsequence; i++) {
		uint32_t p = safety->sequence[i];

		if (done & 1u << p || !can_finish(state, p, available))
			return false;
		add_row(state, p, available, available);
		done |= 1u << p;
	}
	for (size_t i = 0; i < safety->nunfinished; i++) {
		uint32_t p = safety->unfinished[i];

		if (done & 1u << p || can_finish(state, p, available) || (i && safety->unfinished[i - 1] >= p))
			return false;
	}
	return safety->nsequence + safety->nunfinished == state->nprocesses &&
	       safety->safe == (safety->nunfinished == 0) &&
	       !memcmp(available, safety->available, state->nresources * sizeof(*available));
}

/* ---- all small systems ---- */

#define SMALL_CELLS 6 /* 3 processes, 2 resources */

/* Claim and allocation of each cell: (0,0) (1,0) (1,1) (2,0) (2,1) (2,2). */
static void small_state(unsigned number, unsigned available, struct state *state)
{
	static const int pairs[6][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 2, 0 }, { 2, 1 }, { 2, 2 } };

	*state = (struct state){ .nprocesses = 3, .nresources = 2 };
	state->available[0] = available / 3;
	state->available[1] = available % 3;
	for (int i = 0; i < SMALL_CELLS; i++, number /= 6) {
		state->claim[i / 2][i % 2] = pairs[number % 6][0];
		state->allocation[i / 2][i % 2] = pairs[number % 6][1];
	}
}

static enum ipckit_verdict expected_verdict(const struct state *state, uint32_t p, const int64_t *vector,
					    uint32_t *resource)
{
	struct state after = *state;

	for (*resource = 0; *resource < 2; ++*resource)
		if (state->allocation[p][*resource] + vector[*resource] > state->claim[p][*resource])
			return IPCKIT_BEYOND_CLAIM;
	for (*resource = 0; *resource < 2; ++*resource)
		if (vector[*resource] > state->available[*resource])
			return IPCKIT_UNAVAILABLE;
	*resource = IPCKIT_NONE;
	for (int r = 0; r < 2; r++) {
		after.available[r] -= vector[r];
		after.allocation[p][r] += vector[r];
	}
	return some_schedule(&after, 0, after.available) ? IPCKIT_GRANTED : IPCKIT_UNSAFE;
}

static void check_request(const char *row, const struct state *state, uint32_t p, const int64_t *vector)
{
	uint32_t resource;
	enum ipckit_verdict expected = expected_verdict(state, p, vector, &resource);
	struct state after = *state;
	struct ipckit_block wrong;
	struct ipckit_grant grant;
	struct fixed fixed;

	if (!CHECK_INT_FOR(row, ipckit_banker_request(fix(&fixed, state), p, vector, &wrong, &grant), 0))
		return;
	CHECK_INT_FOR(row, grant.verdict, expected);
	if (resource != IPCKIT_NONE) {
		CHECK_INT_FOR(row, grant.block.process, p);
		CHECK_INT_FOR(row, grant.block.resource, resource);
		CHECK_INT_FOR(row, grant.block.requested, vector[resource]);
		CHECK_INT_FOR(row, grant.block.available,
			      expected == IPCKIT_UNAVAILABLE
				      ? state->available[resource]
				      : state->claim[p][resource] - state->allocation[p][resource]);
		CHECK_FOR(row, !grant.after.sequence && !grant.after.available);
	} else {
		for (int r = 0; r < 2; r++) {
			after.available[r] -= vector[r];
			after.allocation[p][r] += vector[r];
		}
		CHECK_FOR(row, true_sequence(&after, &grant.after));
	}
	ipckit_grant_free(&grant);
	CHECK_FOR(row, !grant.after.sequence);
}

static void check_requests(const char *row, const struct state *state)
{
	for (uint32_t p = 0; p < 3; p++)
		for (int i = 0; i < 9; i++)
			check_request(row, state, p, (int64_t[]){ i / 3, i % 3 });
}

static void check_small(unsigned number, unsigned available, bool requests)
{
	struct state state;
	struct ipckit_block wrong;
	struct ipckit_safety safety = { 0 };
	struct fixed fixed;
	char row[32];
	int expected;

	snprintf(row, sizeof(row), "%u/%u", number, available);
	small_state(number, available, &state);
	expected = beyond_existing(&state) ? -ERANGE : 0;
	CHECK_INT_FOR(row, ipckit_banker_safe(fix(&fixed, &state), &wrong, &safety), expected);
	if (expected) {
		CHECK_FOR(row, !safety.sequence);
		return;
	}
	CHECK_INT_FOR(row, safety.safe, some_schedule(&state, 0, state.available));
	CHECK_FOR(row, true_sequence(&state, &safety));
	ipckit_safety_free(&safety);
	if (requests)
		check_requests(row, &state);
}

static void test_all_small(void)
{
	for (unsigned number = 0, i = 0; number < 6 * 6 * 6 * 6 * 6 * 6; number++)
		for (unsigned available = 0; available < 9; available++, i++)
			check_small(number, available, i % 37 == 0);
}

/* ---- the textbooks ---- */

static void judge(const char *row, const struct state *state, bool safe)
{
	struct ipckit_block wrong;
	struct ipckit_safety safety;
	struct fixed fixed;

	if (!CHECK_INT_FOR(row, ipckit_banker_safe(fix(&fixed, state), &wrong, &safety), 0))
		return;
	CHECK_INT_FOR(row, safety.safe, safe);
	CHECK_FOR(row, true_sequence(state, &safety));
	ipckit_safety_free(&safety);
}

static void ask(const char *row, const struct state *state, uint32_t p, const int64_t *vector,
		enum ipckit_verdict verdict)
{
	struct ipckit_block wrong;
	struct ipckit_grant grant;
	struct fixed fixed;

	if (!CHECK_INT_FOR(row, ipckit_banker_request(fix(&fixed, state), p, vector, &wrong, &grant), 0))
		return;
	CHECK_INT_FOR(row, grant.verdict, verdict);
	ipckit_grant_free(&grant);
}

/* Tanenbaum, Modern Operating Systems, 6.5: three processes, ten instances. */
static void test_one_resource(void)
{
	struct state state = { .nprocesses = 3,
			       .nresources = 1,
			       .available = { 3 },
			       .claim = { { 9 }, { 4 }, { 7 } },
			       .allocation = { { 3 }, { 2 }, { 2 } } };

	judge("A has 3", &state, true);
	ask("A asks for 1", &state, 0, (int64_t[]){ 1 }, IPCKIT_UNSAFE);
	ask("B asks for 1", &state, 1, (int64_t[]){ 1 }, IPCKIT_GRANTED);
	ask("B asks for 2", &state, 1, (int64_t[]){ 2 }, IPCKIT_GRANTED);
	ask("B asks for 3", &state, 1, (int64_t[]){ 3 }, IPCKIT_BEYOND_CLAIM);
	ask("A asks for 4", &state, 0, (int64_t[]){ 4 }, IPCKIT_UNAVAILABLE);
	ask("C asks for nothing", &state, 2, (int64_t[]){ 0 }, IPCKIT_GRANTED);
	state.allocation[0][0] = 4;
	state.available[0] = 2;
	judge("A has 4", &state, false);
}

/* Four customers of a banker with ten units: Tanenbaum, the same section. */
static void test_customers(void)
{
	struct state state = { .nprocesses = 4,
			       .nresources = 1,
			       .available = { 10 },
			       .claim = { { 6 }, { 5 }, { 4 }, { 7 } } };

	judge("nothing lent", &state, true);
	memcpy(state.allocation, (int64_t[][RESOURCES_MOST]){ { 1 }, { 1 }, { 2 }, { 4 } },
	       4 * sizeof(*state.allocation));
	state.available[0] = 2;
	judge("eight lent", &state, true);
	ask("B asks for 1", &state, 1, (int64_t[]){ 1 }, IPCKIT_UNSAFE);
	ask("C asks for 2", &state, 2, (int64_t[]){ 2 }, IPCKIT_GRANTED);
	state.allocation[1][0] = 2;
	state.available[0] = 1;
	judge("nine lent", &state, false);
}

/* Silberschatz, Galvin, Gagne, Operating System Concepts, 7.5.3. */
static void test_three_resources(void)
{
	struct state state = {
		.nprocesses = 5,
		.nresources = 3,
		.available = { 3, 3, 2 },
		.claim = { { 7, 5, 3 }, { 3, 2, 2 }, { 9, 0, 2 }, { 2, 2, 2 }, { 4, 3, 3 } },
		.allocation = { { 0, 1, 0 }, { 2, 0, 0 }, { 3, 0, 2 }, { 2, 1, 1 }, { 0, 0, 2 } },
	};

	judge("at first", &state, true);
	ask("P1 asks for 1 0 2", &state, 1, (int64_t[]){ 1, 0, 2 }, IPCKIT_GRANTED);
	memcpy(state.available, (int64_t[]){ 2, 3, 0 }, sizeof(state.available));
	memcpy(state.allocation[1], (int64_t[]){ 3, 0, 2 }, sizeof(state.allocation[1]));
	judge("P1 has it", &state, true);
	ask("P4 asks for 3 3 0", &state, 4, (int64_t[]){ 3, 3, 0 }, IPCKIT_UNAVAILABLE);
	ask("P0 asks for 0 2 0", &state, 0, (int64_t[]){ 0, 2, 0 }, IPCKIT_UNSAFE);
	ask("P3 asks for 0 1 2", &state, 3, (int64_t[]){ 0, 1, 2 }, IPCKIT_BEYOND_CLAIM);
}

/* ---- states that are none ---- */

static void refused(const char *row, const struct state *state, int error, struct ipckit_block want)
{
	struct ipckit_block wrong = { 0 };
	struct ipckit_safety safety = { 0 };
	struct ipckit_grant grant = { 0 };
	struct fixed fixed;
	struct ipckit_system *system = fix(&fixed, state);

	for (int i = 0; i < 2; i++) {
		int r = i ? ipckit_banker_request(system, 0, (int64_t[]){ 0, 0, 0 }, &wrong, &grant)
			  : ipckit_banker_safe(system, &wrong, &safety);

		CHECK_INT_FOR(row, r, error);
		CHECK_INT_FOR(row, wrong.process, want.process);
		CHECK_INT_FOR(row, wrong.resource, want.resource);
		CHECK_INT_FOR(row, wrong.requested, want.requested);
		CHECK_INT_FOR(row, wrong.available, want.available);
		wrong = (struct ipckit_block){ 0 };
	}
}

static void test_refused(void)
{
	struct state state = { .nprocesses = 2,
			       .nresources = 3,
			       .available = { 1, 1, 1 },
			       .claim = { { 1, 2, 0 }, { 0, 1, 1 } },
			       .allocation = { { 1, 0, 0 }, { 0, 1, 0 } } };

	judge("well", &state, true);
	state.claim[1][2] = 2;
	refused("a claim beyond what exists", &state, -ERANGE, (struct ipckit_block){ 1, 2, 2, 1 });
	state.allocation[1][1] = 2;
	refused("more held than claimed", &state, -EINVAL, (struct ipckit_block){ 1, 1, 2, 1 });
	state.allocation[0][2] = 5;
	refused("held and not claimed", &state, -EINVAL, (struct ipckit_block){ 0, 2, 5, 0 });
	memset(state.claim[0], 0, sizeof(state.claim[0]));
	refused("nothing claimed", &state, -EINVAL, (struct ipckit_block){ 0, 0, 1, 0 });
}

/* ---- what the banker does not look at ---- */

static void test_claims_alone(void)
{
	struct state state = { .nprocesses = 3,
			       .nresources = 2,
			       .available = { 0, 1 },
			       .claim = { { 2, 1 }, { 2, 1 }, { 0, 1 } },
			       .allocation = { { 1, 0 }, { 1, 0 } } };
	bool preemptible[] = { true, false, false };
	uint32_t end_of[] = { 0 };
	struct ipckit_rows nobody = { 0 };
	struct ipckit_block wrong;
	struct ipckit_safety safety;
	struct ipckit_grant grant;
	struct fixed fixed;
	struct ipckit_system *system = fix(&fixed, &state);

	system->request = system->any = system->claim; /* as if all of it were asked for */
	system->preemptible = preemptible;
	CHECK_INT(ipckit_banker_safe(system, &wrong, &safety), 0);
	CHECK(!safety.safe && safety.nsequence == 1 && safety.sequence[0] == 2);
	CHECK(safety.nunfinished == 2 && safety.available[0] == 0 && safety.available[1] == 1);
	ipckit_safety_free(&safety);

	/* The end of the first process as a third resource: held, and claimed by nobody. */
	state.nresources = 3;
	state.available[0] = 1;
	state.allocation[0][2] = 1;
	system = fix(&fixed, &state);
	system->end_of = end_of;
	system->nends = 1;
	CHECK_INT(ipckit_banker_safe(system, &wrong, &safety), 0);
	CHECK(safety.safe);
	ipckit_safety_free(&safety);
	CHECK_INT(ipckit_banker_request(system, 0, (int64_t[]){ 1, 0, 0 }, &wrong, &grant), 0);
	CHECK_INT(grant.verdict, IPCKIT_GRANTED);
	ipckit_grant_free(&grant);
	CHECK_INT(ipckit_banker_request(system, 1, (int64_t[]){ 0, 0, 1 }, &wrong, &grant), 0);
	CHECK_INT(grant.verdict, IPCKIT_BEYOND_CLAIM);
	ipckit_grant_free(&grant);

	/* Nobody at all, and nobody who claims anything. */
	state = (struct state){ .nresources = 1, .available = { 1 } };
	system = fix(&fixed, &state);
	CHECK_INT(ipckit_banker_safe(system, &wrong, &safety), 0);
	CHECK(safety.safe && safety.nsequence == 0 && safety.available[0] == 1);
	ipckit_safety_free(&safety);
	state.nprocesses = 2;
	system = fix(&fixed, &state);
	system->claim = system->allocation = nobody;
	CHECK_INT(ipckit_banker_safe(system, &wrong, &safety), 0);
	CHECK(safety.safe && safety.nsequence == 2);
	ipckit_safety_free(&safety);
	CHECK_INT(ipckit_banker_request(system, 1, (int64_t[]){ 1 }, &wrong, &grant), 0);
	CHECK_INT(grant.verdict, IPCKIT_BEYOND_CLAIM);
	ipckit_grant_free(&grant);
}

/* Counts of 2^63-1, and rows whose counts are all 1. */
static void test_counts(void)
{
	struct state state = { .nprocesses = 2,
			       .nresources = 2,
			       .available = { INT64_MAX - 2, 1 },
			       .claim = { { INT64_MAX, 0 }, { 2, 1 } },
			       .allocation = { { 1, 0 }, { 1, 0 } } };
	struct fixed fixed;
	struct ipckit_block wrong;
	struct ipckit_safety safety;
	struct ipckit_system *system;

	judge("large", &state, true);
	ask("all that is left", &state, 0, (int64_t[]){ INT64_MAX - 2, 0 }, IPCKIT_UNSAFE);
	ask("more", &state, 0, (int64_t[]){ INT64_MAX - 1, 0 }, IPCKIT_UNAVAILABLE);
	ask("more than claimed", &state, 0, (int64_t[]){ INT64_MAX, 0 }, IPCKIT_BEYOND_CLAIM);

	state = (struct state){ .nprocesses = 2,
				.nresources = 2,
				.claim = { { 1, 1 }, { 1, 1 } },
				.allocation = { { 1, 0 }, { 0, 1 } } };
	system = fix(&fixed, &state);
	system->claim.count = system->allocation.count = NULL;
	CHECK_INT(ipckit_banker_safe(system, &wrong, &safety), 0);
	CHECK(!safety.safe && safety.nunfinished == 2);
	ipckit_safety_free(&safety);
}

int main(void)
{
	test_one_resource();
	test_customers();
	test_three_resources();
	test_refused();
	test_claims_alone();
	test_counts();
	test_all_small();
	return unit_done("banker");
}
