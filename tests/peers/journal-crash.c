/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * journal-crash posix|sysv PATH KILLS SEED [bare]
 *
 * Sends numbered messages to a receiver that writes each to PATH.out, and kills it
 * KILLS times: half of the times while messages stream, at a random moment, and
 * half while it waits at an empty queue, together with a message for it. Each receiver goes
 * on with the journal PATH; with `bare` there is none, for the contrast.
 * Prints one JSON object:
 *
 *   sent      messages, each a number, text of up to 3000 bytes, and a sum over it
 *   lost      of these, that no receiver wrote
 *   again     written once more than needed
 *   wrong     written, but not as any that was sent
 *   left      delivered out of the journal by a later receiver
 *   measured  of those, that the size was not noted of
 *   torn      writes that a kill cut short
 *
 * It makes a queue named /journal-crash or key:0x6a6f7572: run it through tests/isolate.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ipckit/journal.h>
#include <ipckit/mq.h>

#define HEAD 16
#define BODY_MAX 3000
#define MESSAGE_MAX 4096
#define WAIT_S 10

struct record {
	uint32_t size;
	uint16_t left;
	uint16_t measured;
};

static const char *path, *name;
static char output[4096];
static bool bare;
static struct ipckit_mq *mq;
static uint64_t state;
static uint8_t *seen; /* by number */
static unsigned long room, sent, again, wrong, left, measured, torn, empty_sent, empty_seen;

static void fail(const char *what, int r)
{
	fprintf(stderr, "journal-crash: %s: %s\n", what, strerror(-r));
	exit(99);
}

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

static uint32_t sum_of(const char *text, size_t size)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)text[i]) * 16777619u;
	return sum;
}

/* ---- the receiver ---- */

static void write_on(int out, const struct ipckit_mq_message *message, struct record record)
{
	struct iovec parts[] = {
		{ .iov_base = &record, .iov_len = sizeof(record) },
		{ .iov_base = (void *)message->data, .iov_len = record.size },
	};

	if (writev(out, parts, 2) != (ssize_t)(sizeof(record) + record.size))
		fail("writing", -errno);
}

static void deliver_left(struct ipckit_journal *journal, int out)
{
	for (size_t i = 0; i < ipckit_journal_left(journal); i++) {
		struct ipckit_journal_slot slot;

		ipckit_journal_get_left(journal, i, &slot);
		write_on(out, slot.message, (struct record){ (uint32_t)slot.size, 1, slot.measured });
		ipckit_journal_done(journal, &slot);
	}
}

/* Until it is killed, or, at the end, until there is nothing more. */
static void receive_bare(int out, const struct ipckit_deadline *deadline)
{
	struct ipckit_mq_message *message = malloc(sizeof(*message) + MESSAGE_MAX);
	size_t size;
	int r;

	while (message && !(r = ipckit_mq_receive(mq, NULL, message, MESSAGE_MAX, false, &size, deadline)))
		write_on(out, message, (struct record){ (uint32_t)size, 0, 0 });
	if (!message || r != -EAGAIN)
		fail("receiving", message ? r : -ENOMEM);
}

static void receive_journaled(int out, const struct ipckit_deadline *deadline)
{
	struct ipckit_journal_slot slot;
	struct ipckit_journal *journal;
	size_t size;
	int r = ipckit_journal_open(path, ipckit_mq_backend(mq), name, &journal);

	if (r)
		fail("opening the journal", r);
	deliver_left(journal, out);
	while (!(r = ipckit_journal_slot(journal, MESSAGE_MAX, &slot))) {
		r = ipckit_mq_receive(mq, NULL, slot.message, slot.room, false, &size, deadline);
		if (r)
			break;
		ipckit_journal_received(journal, &slot, size);
		write_on(out, slot.message, (struct record){ (uint32_t)size, 0, 0 });
		ipckit_journal_done(journal, &slot);
	}
	if (r != -EAGAIN)
		fail("receiving", r);
	ipckit_journal_done(journal, &slot);
	ipckit_journal_close(journal);
}

/* For itself: whether an opening of a queue waits is shared by those who inherit it. */
static void open_queue(void)
{
	struct ipckit_name parsed;
	int r;

	ipckit_mq_close(mq);
	r = ipckit_name_parse(name, IPCKIT_MQ_NAMES, NULL, &parsed) ?:
		ipckit_mq_open(&parsed, IPCKIT_MQ_RECEIVE, &mq);

	if (r)
		fail(name, r);
	ipckit_name_free(&parsed);
}

static pid_t start_receiver(bool last)
{
	struct ipckit_deadline deadline = { .kind = last ? IPCKIT_DEADLINE_TRY : IPCKIT_DEADLINE_NONE };
	pid_t pid = fork();
	int out;

	if (pid < 0)
		fail("fork", -errno);
	if (pid)
		return pid;
	out = open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (out < 0)
		fail(output, -errno);
	open_queue();
	if (bare)
		receive_bare(out, &deadline);
	else
		receive_journaled(out, &deadline);
	exit(0);
}

/* ---- the sender ---- */

/* The next message: its number, its sum and some text, or nothing at all. Returns its size. */
static size_t compose(struct ipckit_mq_message *message)
{
	size_t size = random_below(4) ? random_below(64) : random_below(BODY_MAX + 1);
	char *body = message->data + HEAD, head[HEAD + 1];

	message->rank = 1 + (long)random_below(30);
	if (!random_below(16))
		return 0;
	for (size_t i = 0; i < size; i++)
		body[i] = (char)(' ' + random_below(95));
	snprintf(head, sizeof(head), "%08x%08x", (uint32_t)sent, sum_of(body, size) ^ (uint32_t)sent);
	memcpy(message->data, head, HEAD);
	return HEAD + size;
}

static void note_sent(size_t size)
{
	if (!size) {
		empty_sent++;
		return;
	}
	if (sent + 1 >= room) {
		room = room ? 2 * room : 65536;
		seen = realloc(seen, room);
		if (!seen)
			fail("memory", -ENOMEM);
		memset(seen + sent, 0, room - sent);
	}
	sent++;
}

/* Sends one if there is space. */
static bool send_one(void)
{
	static union {
		struct ipckit_mq_message message;
		char bytes[sizeof(long) + MESSAGE_MAX];
	} next;
	static size_t size;
	static bool ready;
	struct ipckit_deadline now = { .kind = IPCKIT_DEADLINE_TRY };
	int r;

	if (!ready)
		size = compose(&next.message);
	r = ipckit_mq_send(mq, &next.message, size, &now);
	if (r && r != -EAGAIN)
		fail("sending", r);
	ready = r;
	if (!r)
		note_sent(size);
	return !r;
}

/* ---- what was written ---- */

static void check_message(const char *data, const struct record *record)
{
	unsigned number, sum;

	left += record->left;
	measured += record->measured;
	if (!record->size) {
		empty_seen++;
	} else if (record->size < HEAD || sscanf(data, "%8x%8x", &number, &sum) != 2 || number >= sent ||
		   sum != (sum_of(data + HEAD, record->size - HEAD) ^ number)) {
		wrong++;
	} else {
		again += seen[number];
		seen[number] = 1;
	}
}

/* Reads what the receiver that just ended has written, and empties the file. */
static void check_output(void)
{
	static char data[MESSAGE_MAX + 1];
	struct record record;
	FILE *file = fopen(output, "re");
	size_t n;

	if (!file)
		return;
	while ((n = fread(&record, 1, sizeof(record), file)) == sizeof(record) && record.size <= MESSAGE_MAX) {
		if (fread(data, 1, record.size, file) < record.size)
			break;
		data[record.size] = '\0';
		check_message(data, &record);
		n = 0;
	}
	torn += n > 0;
	fclose(file);
	if (truncate(output, 0))
		fail("emptying", -errno);
}

/* ---- the kills ---- */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void stream_for(int64_t ns)
{
	int64_t end = now_ns() + ns;

	do {
		if (!send_one())
			sched_yield();
	} while (now_ns() < end);
}

/* Whether the process sleeps in the call that takes a message. */
static bool receives(pid_t pid)
{
	char file[64], text[64] = "";
	ssize_t n = 0;
	int fd, number;

	snprintf(file, sizeof(file), "/proc/%d/syscall", (int)pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0 || sscanf(text, "%d", &number) != 1)
		return false;
	return number == SYS_mq_timedreceive || number == SYS_msgrcv;
}

static void await_receiver(pid_t pid)
{
	int64_t end = now_ns() + WAIT_S * INT64_C(1000000000);

	while (!receives(pid)) {
		if (now_ns() > end)
			fail("the receiver does not wait", -ETIMEDOUT);
		usleep(50);
	}
}

static void kill_once(bool waiting)
{
	pid_t pid = start_receiver(false);
	bool first = random_below(2);

	if (waiting) {
		await_receiver(pid);
		if (first)
			send_one();
		if (random_below(2))
			stream_for(random_below(20000));
	} else {
		stream_for(random_below(1500000));
	}
	kill(pid, SIGKILL);
	if (waiting && !first)
		send_one();
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	check_output();
}

static void finish(void)
{
	int status;

	if (waitpid(start_receiver(true), &status, 0) < 0 || status)
		exit(99);
	check_output();
}

/* One processor: the receiver is killed before it runs with what it was sent. */
static void share_processor(bool share)
{
	static cpu_set_t all;
	cpu_set_t one;

	if (!CPU_COUNT(&all))
		sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), share ? &one : &all);
}

static void remove_queue(void)
{
	struct ipckit_name parsed;
	int r = ipckit_name_parse(name, IPCKIT_MQ_NAMES, NULL, &parsed) ?: ipckit_mq_remove(&parsed);

	if (r)
		fail(name, r);
	ipckit_name_free(&parsed);
	ipckit_mq_close(mq);
}

static void make_queue(const char *backend)
{
	struct ipckit_mq_spec spec = { .maxmsg = 10, .msgsize = MESSAGE_MAX, .mode = 0600, .exclusive = true };
	struct ipckit_name parsed;
	bool created;
	int r;

	name = !strcmp(backend, "posix") ? "/journal-crash" : "key:0x6a6f7572";
	if (*name != '/')
		spec.maxmsg = spec.msgsize = 0;
	r = ipckit_name_parse(name, IPCKIT_MQ_NAMES, NULL, &parsed) ?:
		ipckit_mq_create(&parsed, &spec, &created, &mq);
	if (r)
		fail(name, r);
	ipckit_name_free(&parsed);
}

int main(int argc, char **argv)
{
	unsigned long kills = argc > 4 ? strtoul(argv[3], NULL, 10) : 0, lost = 0;

	if (!kills)
		return 2;
	path = argv[2];
	snprintf(output, sizeof(output), "%s.out", path);
	state = strtoull(argv[4], NULL, 10);
	bare = argc > 5;
	make_queue(argv[1]);
	for (unsigned long i = 0; i < kills; i++) {
		share_processor(i % 4 == 1);
		kill_once(i % 2);
	}
	finish();
	for (unsigned long i = 0; i < sent; i++)
		lost += !seen[i];
	if (empty_seen < empty_sent)
		lost += empty_sent - empty_seen;
	else
		again += empty_seen - empty_sent;
	remove_queue();
	unlink(output);
	printf("{\"kills\":%lu,\"sent\":%lu,\"lost\":%lu,\"again\":%lu,\"wrong\":%lu,\"left\":%lu,"
	       "\"measured\":%lu,\"torn\":%lu}\n",
	       kills, sent + empty_sent, lost, again, wrong, left, measured, torn);
	return 0;
}
