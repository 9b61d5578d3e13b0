/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-polled.h"
#include "array.h"
#include "proc-scan.h"
#include "sys.h"

#include <poll.h>
#include <string.h>

#define POLLED_MAX 1024 /* descriptors that are looked at */

#define READING (POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP)
#define WRITING (POLLOUT | POLLWRNORM | POLLWRBAND)

static int add(struct live_polling *polling, int fd, unsigned events, uint64_t inode)
{
	struct live_polled *larger = array_room(polling->list, polling->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	polling->list = larger;
	larger[polling->count++] = (struct live_polled){
		.fd = fd, .reading = events & READING, .writing = events & WRITING, .inode = inode
	};
	return 0;
}

/* ---- poll ---- */

static int read_poll(struct live_scan *scan, uint32_t thread, struct live_polling *out)
{
	const struct live_thread *found = &scan->threads[thread];
	uint32_t n = (uint32_t)found->call.args[1];
	struct pollfd *polled;
	int r;

	if (!n || n > POLLED_MAX)
		return 0;
	polled = array_of(n, sizeof(*polled));
	if (!polled)
		return -ENOMEM;
	r = live_read(scan, found->process, found->call.args[0], polled, n * sizeof(*polled));
	if (r) {
		free(polled);
		return sys_own_trouble(r);
	}
	for (uint32_t i = 0; !r && i < n; i++)
		if (polled[i].fd >= 0)
			r = add(out, polled[i].fd, (unsigned short)polled[i].events, 0);
	free(polled);
	return r ? r : 1;
}

/* ---- select ---- */

#define WORD_BITS (8 * sizeof(unsigned long))

struct sets {
	unsigned long words[3][POLLED_MAX / WORD_BITS];
};

/* Words of 32 bits are read as pairs of them, which is the same where such programs run on others. */
static int read_sets(struct live_scan *scan, uint32_t thread, size_t n, struct sets *sets)
{
	const struct live_thread *found = &scan->threads[thread];
	size_t word = scan->processes[found->process].abi == LIVE_ABI_COMPAT ? 4 : sizeof(unsigned long);
	size_t size = (n + 8 * word - 1) / (8 * word) * word;
	int r = 0;

	for (int i = 0; !r && i < 3; i++)
		if (found->call.args[i + 1])
			r = live_read(scan, found->process, found->call.args[i + 1], sets->words[i], size);
	return r;
}

static bool is_set(const unsigned long *words, size_t fd)
{
	return words[fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

static int read_select(struct live_scan *scan, uint32_t thread, struct live_polling *out)
{
	uint32_t n = (uint32_t)scan->threads[thread].call.args[0];
	struct sets sets = { 0 };
	int r;

	if (!n || n > POLLED_MAX)
		return 0;
	r = read_sets(scan, thread, n, &sets);
	if (r)
		return sys_own_trouble(r);
	for (size_t fd = 0; !r && fd < n; fd++) {
		bool in = is_set(sets.words[0], fd), out_ = is_set(sets.words[1], fd);

		if (in || out_ || is_set(sets.words[2], fd))
			r = add(out, (int)fd, (in ? POLLIN : 0u) | (out_ ? POLLOUT : 0u), 0);
	}
	return r ? r : 1;
}

/* ---- epoll ---- */

int live_polled_text(struct live_scan *scan, pid_t pid, int fd, char **out)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/fdinfo/%d", (int)pid, fd);
	return proc_read(scan->root, path, out, NULL);
}

const char *live_polled_rows(const char *text)
{
	const char *rows = strstr(text, "\ntfd:");

	return rows ? rows + 1 : text + strlen(text);
}

static bool pass_word(const char **at, const char *word)
{
	scan_blanks(at);
	if (strncmp(*at, word, strlen(word)))
		return false;
	*at += strlen(word);
	scan_blanks(at);
	return true;
}

int live_polled_parse(const char *row, struct live_polled *out)
{
	struct live_polled polled = { 0 };
	const char *ino, *end = strchrnul(row, '\n');
	uint64_t fd, events;

	if (!pass_word(&row, "tfd:") || !scan_below(&row, 10, INT_MAX, &fd) || !pass_word(&row, "events:") ||
	    !scan_below(&row, 16, UINT32_MAX, &events))
		return -EBADMSG;
	polled.fd = (int)fd;
	polled.reading = events & READING;
	polled.writing = events & WRITING;
	ino = memmem(row, (size_t)(end - row), "ino:", 4);
	if (ino) {
		ino += 4;
		if (!scan_number(&ino, 16, &polled.inode))
			return -EBADMSG;
	}
	*out = polled;
	return 0;
}

/* A row that cannot be understood may be anything. */
static int read_epoll(struct live_scan *scan, uint32_t thread, struct live_polling *out)
{
	const struct live_thread *found = &scan->threads[thread];
	pid_t pid = scan->processes[found->process].pid;
	int r = live_polled_text(scan, pid, (int)found->call.args[0], &out->text);

	if (r) {
		out->text = NULL;
		return sys_own_trouble(r);
	}
	for (const char *row = live_polled_rows(out->text); !r && *row; row = strchrnul(row, '\n')) {
		struct live_polled polled;

		row += *row == '\n';
		if (!*row)
			break;
		if (out->count == POLLED_MAX || live_polled_parse(row, &polled))
			return 0;
		r = add(out, polled.fd, (polled.reading ? POLLIN : 0u) | (polled.writing ? POLLOUT : 0u),
			polled.inode);
	}
	return r ? r : 1;
}

/* ---- calls ---- */

#define PWAIT2 441 /* epoll_pwait2(2), of every ABI */

static bool is_timed(const struct proc_syscall *call, enum live_call name)
{
	switch (name) {
	case LIVE_CALL_PPOLL:
		return call->args[2];
	case LIVE_CALL_SELECT:
	case LIVE_CALL_PSELECT:
		return call->args[4];
	case LIVE_CALL_EPOLL_WAIT:
		return call->number == PWAIT2 ? call->args[3] != 0 : (int)call->args[3] >= 0;
	default:
		return (int)call->args[2] >= 0;
	}
}

/* Of those that are begun again after a stop only poll(2) can have slept where it will be looked for. */
static int is_poll_again(struct live_scan *scan, uint32_t thread)
{
	static const char *const place[] = { "poll_schedule", NULL };

	return live_sleeps_in(scan, thread, place, true);
}

int live_polling_read(struct live_scan *scan, uint32_t thread, struct live_polling *out)
{
	enum live_call call;
	int r = live_call(scan, thread, &call);

	if (r)
		return r;
	out->timed = is_timed(&scan->threads[thread].call, call);
	switch (call) {
	case LIVE_CALL_POLL:
	case LIVE_CALL_PPOLL:
		return read_poll(scan, thread, out);
	case LIVE_CALL_SELECT:
	case LIVE_CALL_PSELECT:
		return read_select(scan, thread, out);
	case LIVE_CALL_EPOLL_WAIT:
		return read_epoll(scan, thread, out);
	case LIVE_CALL_RESTARTED:
		r = is_poll_again(scan, thread);
		return r > 0 ? read_poll(scan, thread, out) : r;
	default:
		return 0;
	}
}

void live_polling_free(struct live_polling *polling)
{
	free(polling->list);
	free(polling->text);
	*polling = (struct live_polling){ 0 };
}
