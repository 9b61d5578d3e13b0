/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Holders of a lock that are killed while their commands run: two commands are never inside at once. With the
 * argument "without" they have no fences, which shows what these are for.
 */

#include "fences.h"

#define KILLS (UNIT_SANITIZED ? 40 : 150) /* with each of two kinds of lock */
#define HOLDERS 2
/* It is unmapped after a process's locks were given away, and before its children are killed. */
#define BALLAST (16u << 20)

/* ---- commands ---- */

/* For a moment; whoever else is inside meanwhile is noticed by the one or the other. */
static int be_inside(void)
{
	uint32_t me = (uint32_t)getpid();
	int64_t until = now() + (int64_t)(me % 8) * MS / 4;

	add(room->begun, 1);
	if (add(room->inside, 1))
		add(room->overlaps, 1);
	__atomic_store_n(&room->turn, me, __ATOMIC_SEQ_CST);
	do
		if (__atomic_exchange_n(&room->turn, me, __ATOMIC_SEQ_CST) != me)
			add(room->overlaps, 1);
	while (now() < until);
	if (add(room->inside, -1u) != 1)
		add(room->overlaps, 1);
	return 0;
}

static const struct role roles[] = {
	{ "be inside", be_inside },
};

/* ---- at random ---- */

static int hold_again_and_again(void)
{
	volatile char *ballast = malloc(BALLAST);
	bool died;

	if (!open_anew())
		return 9;
	for (size_t i = 0; ballast && i < BALLAST; i += 4096)
		ballast[i] = 1;
	while (!lock(&died)) {
		if (died) {
			add(room->deaths, 1);
			if (!without && await_fence(LONG_ENOUGH))
				break;
			/* Of those that were killed nobody counts the end. */
			__atomic_store_n(&room->inside, 0, __ATOMIC_SEQ_CST);
		}
		if (run("be inside", true))
			add(room->failures, 1);
		unlock();
	}
	add(room->failures, 1);
	return 9;
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void test_random(bool with_pi)
{
	unsigned seed = (unsigned)now();
	pid_t pids[HOLDERS];

	printf("# %s, seed %u\n", with_pi ? "PI" : "robust", seed);
	room->pi = with_pi;
	room->begun = room->overlaps = room->deaths = room->failures = room->inside = 0;
	for (unsigned i = 0; i < HOLDERS; i++)
		pids[i] = start(hold_again_and_again);
	for (unsigned i = 0; i < KILLS; i++) {
		unsigned which = (unsigned)rand_r(&seed) % HOLDERS;

		if (!CHECK(await(&room->begun, load(room->begun) + 1)))
			break;
		usleep((unsigned)rand_r(&seed) % 3000);
		kill_off(pids[which]);
		pids[which] = start(hold_again_and_again);
	}
	for (unsigned i = 0; i < HOLDERS; i++)
		kill_off(pids[i]);
	reap();
	printf("# %u commands, %u times an owner had died, overlaps seen: %u\n", room->begun, room->deaths,
	       room->overlaps);
	CHECK(room->deaths > 0);
	CHECK_INT(room->failures, 0);
	CHECK_INT(room->overlaps, 0);
}

static void forget_room(void)
{
	CHECK_INT(await_fence(LONG_ENOUGH), 0);
	memset(room, 0, sizeof(*room));
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return play(roles, sizeof(roles) / sizeof(*roles), argv);
	without = argc == 2 && !strcmp(argv[1], "without");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || !make_room())
		return unit_skip("fence, killed", "no memory that is a file");
	test_random(false);
	forget_room();
	test_random(true);
	return unit_done("fence, killed");
}
