/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Several mutexes with priority inheritance at once: their entries, what fails, chains and circles of processes. */

#include "pi-words.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define ROUNDS (UNIT_SANITIZED ? 100 : 1000)
#define GATES 3

static struct ipckit_pi *held;

static bool were_all(const uint32_t *const *at, size_t count, uint32_t value)
{
	for (size_t i = 0; i < count; i++)
		if (__atomic_load_n(at[i], __ATOMIC_SEQ_CST) != value)
			return false;
	return true;
}

/* ---- entries ---- */

#define MANY 7

static struct ipckit_word *many[MANY];
static const uint32_t *many_at[MANY];

/* The last one first; each at its word, apart from the others, and none in shared memory. */
static void check_list(void)
{
	struct robust_list_head *head = NULL;
	struct robust_list *next;
	uintptr_t node, before = 0;
	size_t size;

	CHECK_INT(syscall(SYS_get_robust_list, 0, &head, &size), 0);
	CHECK(!head->list_op_pending);
	next = head->list.next;
	for (int i = MANY - 1; i >= 0; i--) {
		CHECK_INT((uintptr_t)next & 1, 1);
		node = (uintptr_t)next - 1;
		CHECK_INT(node + (uintptr_t)head->futex_offset, (uintptr_t)many_at[i]);
		CHECK(node > before ? node - before >= sizeof(next) : before - node >= sizeof(next));
		before = node;
		memcpy(&next, (const void *)node, sizeof(next));
	}
	CHECK(next == &head->list);
}

static int lock_many_and_end(void)
{
	bool died[MANY];
	unsigned failed;

	return lock_words(many, MANY, 0, died, &failed, &held) ? 9 : 0;
}

static void test_many(void)
{
	bool died[MANY], all = true;
	unsigned failed = 5;

	if (!CHECK_INT(lock_words(many, MANY, 0, died, &failed, &held), 0))
		return;
	for (int i = 0; i < MANY; i++)
		CHECK(!died[i]);
	CHECK(were_all(many_at, MANY, my_tid()));
	check_list();
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK(were_all(many_at, MANY, 0));
	CHECK_INT(end_of(start(lock_many_and_end)), 0);
	CHECK(were_all(many_at, MANY, FUTEX_OWNER_DIED));
	if (!CHECK_INT(lock_words(many, MANY, 0, died, &failed, &held), 0))
		return;
	for (int i = 0; i < MANY; i++)
		all = all && died[i];
	CHECK(all);
	CHECK_INT(ipckit_pi_unlock(held), 0);
	CHECK(were_all(many_at, MANY, 0));
}

static int attached(int id)
{
	struct shmid_ds ds = { 0 };

	CHECK_INT(shmctl(id, IPC_STAT, &ds), 0);
	return (int)ds.shm_nattch;
}

/* At both ends of a page, next to each other; in a segment at its first page, in the middle and at its end. */
static void test_places(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), in_segment[] = { 4, page + 8, 3 * page - 4 };
	const size_t in_file[] = { 0, 4, page - 4, page };
	int fd = memfd_create("many", MFD_CLOEXEC), id = shmget(IPC_PRIVATE, 3 * page, 0600);
	char text[60];
	int i = 0;

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)(2 * page)));
	for (size_t j = 0; j < 4; j++)
		CHECK(open_in(fd, in_file[j], &many[i++]));
	for (size_t j = 0; j < 3; j++) {
		snprintf(text, sizeof(text), "id:%d@%zu", id, in_segment[j]);
		CHECK(open_word(text, &many[i++]));
	}
	CHECK_INT(attached(id), 3);
	for (i = 0; i < MANY; i++)
		many_at[i] = ipckit_word_at(many[i]);
	test_many();
	for (i = 0; i < MANY; i++)
		ipckit_word_close(many[i]);
	CHECK_INT(attached(id), 0);
	shmctl(id, IPC_RMID, NULL);
	close(fd);
}

/* ---- what fails ---- */

static bool are_free(void)
{
	return !value_of(&shared->word) && !value_of(&shared->other) && !value_of(&shared->condition);
}

static void test_refused(void)
{
	struct ipckit_word *twice[] = { words[0], words[1], words[0] }, *same = NULL, *to_read = NULL;
	struct ipckit_pi *pi = NULL, *one;
	struct ipckit_name name;
	unsigned failed = 5;
	char text[60];
	bool died[3];

	CHECK_INT(lock_words(words, 0, 0, died, &failed, &pi), -EINVAL);
	CHECK_INT(lock_words(words, ROBUST_LIST_LIMIT + 1, 0, died, &failed, &pi), -E2BIG);
	CHECK_INT(failed, 0);
	CHECK_INT(lock_words(twice, 3, SECOND, died, &failed, &pi), -EDEADLK);
	CHECK_INT(failed, 2);
	snprintf(text, sizeof(text), "/proc/self/fd/%d@%zu", ipckit_word_fd(words[0]), offsetof(struct shared, word));
	if (CHECK(open_word(text, &same))) {
		twice[2] = same;
		failed = 5;
		CHECK_INT(lock_words(twice, 3, SECOND, died, &failed, &pi), -EDEADLK);
		CHECK_INT(failed, 2);
		ipckit_word_close(same);
	}
	if (CHECK_INT(ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL, NULL, &name), 0)) {
		CHECK_INT(ipckit_word_open_to_read(&name, &to_read), 0);
		ipckit_name_free(&name);
		twice[2] = to_read;
		failed = 5;
		CHECK_INT(lock_words(twice, 3, SECOND, died, &failed, &pi), -EOPNOTSUPP);
		CHECK_INT(failed, 2);
		ipckit_word_close(to_read);
	}
	CHECK(are_free());
	if (CHECK_INT(pi_within(&shared->condition, 0, &died[0], &one), 0)) {
		failed = 5;
		CHECK_INT(lock_words(words, 2, 0, died, &failed, &pi), -EDEADLK);
		CHECK_INT(failed, 0);
		CHECK_INT(ipckit_pi_unlock(one), 0);
	}
	CHECK(!pi && are_free());
}

static void test_in_vain(void)
{
	struct ipckit_pi *pi = NULL;
	unsigned failed;
	bool died[3];

	set_value(&shared->condition, 1); /* process 1 has it */
	CHECK_INT(lock_words(words, 3, 0, died, &failed, &pi), -EAGAIN);
	CHECK_INT(failed, 2);
	set_value(&shared->word, FUTEX_OWNER_DIED);
	CHECK_INT(lock_words(words, 3, 0, died, &failed, &pi), -EAGAIN);
	CHECK(died[0] && !died[1]);
	CHECK_INT(value_of(&shared->word), FUTEX_OWNER_DIED);
	CHECK_INT(value_of(&shared->other), 0);
	set_value(&shared->word, 0);
	set_value(&shared->condition, 0);
}

/* ---- who sleeps on what is given back ---- */

static int lock_two_in_vain(void)
{
	struct ipckit_pi *pi;
	unsigned failed;
	bool died[2];

	return lock_words(words, 2, LONG_ENOUGH, died, &failed, &pi) != -EINTR ? 9 : 0;
}

static int lock_first(void)
{
	bool died;

	return pi_soon(&shared->word, &died, &held) || ipckit_pi_unlock(held) ? 9 : died;
}

static void on_signal(int signal)
{
	(void)signal;
	ipckit_pi_give_up();
	_exit(7);
}

static int lock_until_signal(void)
{
	signal(SIGUSR1, on_signal);
	return lock_two_in_vain();
}

/* It has the first, where somebody else sleeps, waits for the second, and gives up. */
static void test_give_up(uint32_t value)
{
	struct ipckit_pi *pi;
	pid_t first, second;
	bool died;

	if (!CHECK_INT(pi_within(&shared->other, 0, &died, &pi), 0))
		return;
	set_value(&shared->word, value);
	first = start(lock_until_signal);
	CHECK(await_sleeper(&shared->other, first));
	second = start(lock_first);
	CHECK(await_sleeper(&shared->word, second));
	kill(first, SIGUSR1);
	CHECK_INT(end_of(first), 7);
	CHECK_INT(end_of(second), !!value);
	CHECK_INT(ipckit_pi_unlock(pi), 0);
	CHECK(are_free());
}

/* ---- circles ---- */

/* This process's: whoever waits for one goes on when it is opened. */
static struct ipckit_word *gates[GATES];

static bool make_gates(void)
{
	int fd = memfd_create("gates", MFD_CLOEXEC);
	bool good = CHECK(fd >= 0) && CHECK(!ftruncate(fd, GATES * sizeof(uint32_t)));

	for (size_t i = 0; good && i < GATES; i++)
		good = open_in(fd, i * sizeof(uint32_t), &gates[i]);
	close(fd);
	return good;
}

static int in_circle(unsigned which, unsigned of)
{
	struct ipckit_word *list[] = { words[which], gates[which], words[(which + 1) % of] };
	struct ipckit_pi *pi;
	unsigned failed = 5;
	bool died[3];
	int r = lock_words(list, 3, LONG_ENOUGH, died, &failed, &pi);

	if (!r)
		return ipckit_pi_unlock(pi) ? 9 : 0;
	return r == -EDEADLK && failed == 2 ? 1 : 9;
}

static int first_of_two(void)
{
	return in_circle(0, 2);
}

static int second_of_two(void)
{
	return in_circle(1, 2);
}

static int first_of_three(void)
{
	return in_circle(0, 3);
}

static int second_of_three(void)
{
	return in_circle(1, 3);
}

static int third_of_three(void)
{
	return in_circle(2, 3);
}

/* Each has one word, and is let go on to the next one's; the last to go closes the circle. */
static void test_circle(int (*const each[])(void), unsigned count)
{
	pid_t pids[GATES];

	for (unsigned i = 0; i < count; i++) {
		set_value(ipckit_word_at(gates[i]), my_tid());
		pids[i] = start(each[i]);
		CHECK(await_sleeper(ipckit_word_at(gates[i]), pids[i]));
	}
	for (unsigned i = 0; i < count; i++) {
		CHECK_INT(ipckit_futex_unlock_pi(ipckit_word_at(gates[i]), 0), 0);
		if (i + 1 < count)
			CHECK(await_sleeper(ipckit_word_at(words[(i + 1) % count]), pids[i]));
	}
	for (unsigned i = 0; i < count; i++)
		CHECK_INT(end_of(pids[i]), i + 1 == count);
	CHECK(are_free());
}

/* Without gates: however they meet, both come to their end. */
static int go_round(bool backwards)
{
	struct ipckit_word *list[] = { words[backwards], words[!backwards] };
	struct ipckit_pi *pi;
	unsigned failed;
	bool died[2];

	for (int i = 0; i < ROUNDS;) {
		int r = lock_words(list, 2, LONG_ENOUGH, died, &failed, &pi);

		if (r == -EDEADLK && failed == 1)
			continue;
		if (r || died[0] || died[1])
			return 9;
		shared->a++;
		shared->b++;
		i++;
		if (ipckit_pi_unlock(pi))
			return 8;
	}
	return 0;
}

static int go_forwards(void)
{
	return go_round(false);
}

static int go_backwards(void)
{
	return go_round(true);
}

static void test_rounds(void)
{
	pid_t one = start(go_forwards), other = start(go_backwards);

	CHECK_INT(end_of(one), 0);
	CHECK_INT(end_of(other), 0);
	CHECK_INT(shared->a, 2 * ROUNDS);
	CHECK_INT(shared->b, 2 * ROUNDS);
	CHECK(are_free());
}

/* ---- a chain lends priority ---- */

/* As /proc shows it: 20 is usual, -11 that of SCHED_FIFO 10. */
static int priority_of(pid_t pid)
{
	char path[32], text[512], *rest;
	int priority = 100;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return priority;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	rest = strrchr(text, ')');
	if (rest)
		sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d", &priority);
	return priority;
}

static bool await_priority(pid_t pid, int priority)
{
	int64_t until = now() + LONG_ENOUGH;

	while (priority_of(pid) != priority && now() < until)
		usleep(200);
	return priority_of(pid) == priority;
}

static int become_important(void)
{
	const struct sched_param param = { .sched_priority = 10 };

	return sched_setscheduler(0, SCHED_FIFO, &param);
}

static int be_important(void)
{
	return become_important() ? 9 : lock_first();
}

/* The first has word 0 and waits for word 1, the second has that and waits for the gate. */
static void test_chain(void)
{
	int (*const each[])(void) = { first_of_three, second_of_three };
	pid_t pids[2], important;

	if (end_of(start(become_important))) {
		printf("# no realtime priority to be had\n");
		return;
	}
	for (int i = 0; i < 2; i++) {
		set_value(ipckit_word_at(gates[i]), my_tid());
		pids[i] = start(each[i]);
		CHECK(await_sleeper(ipckit_word_at(gates[i]), pids[i]));
	}
	CHECK_INT(ipckit_futex_unlock_pi(ipckit_word_at(gates[0]), 0), 0);
	CHECK(await_sleeper(&shared->other, pids[0]));
	important = start(be_important);
	CHECK(await_priority(important, -11));
	CHECK(await_priority(pids[0], -11));
	CHECK(await_priority(pids[1], -11));
	CHECK_INT(ipckit_futex_unlock_pi(ipckit_word_at(gates[1]), 0), 0);
	CHECK_INT(end_of(pids[0]), 0);
	CHECK_INT(end_of(pids[1]), 0);
	CHECK_INT(end_of(important), 0);
	CHECK(are_free());
}

int main(void)
{
	int (*const two[])(void) = { first_of_two, second_of_two };
	int (*const three[])(void) = { first_of_three, second_of_three, third_of_three };

	test_places();
	if (!share_words() || !make_gates())
		return unit_done("several PI mutexes");
	test_refused();
	test_in_vain();
	test_give_up(0);
	test_give_up(FUTEX_OWNER_DIED);
	test_circle(two, 2);
	test_circle(three, 3);
	test_rounds();
	test_chain();
	for (int i = 0; i < GATES; i++)
		ipckit_word_close(gates[i]);
	close_words();
	return unit_done("several PI mutexes");
}
