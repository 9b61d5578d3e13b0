/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PI_WORDS_H
#define PI_WORDS_H

/* What the tests of several mutexes at once share: the words of `shared`, in a file, as they are opened. */

#include "mutexes.h"

#include <stddef.h>

static struct ipckit_word *words[3];

static bool open_word(const char *text, struct ipckit_word **out)
{
	struct ipckit_name name;

	if (!CHECK_INT_FOR(text, ipckit_name_parse(text, IPCKIT_WORD_NAMES_ALL, NULL, &name), 0))
		return false;
	CHECK_INT_FOR(text, ipckit_word_open(&name, out), 0);
	ipckit_name_free(&name);
	return *out;
}

static bool open_in(int fd, size_t offset, struct ipckit_word **out)
{
	char text[60];

	snprintf(text, sizeof(text), "/proc/self/fd/%d@%zu", fd, offset);
	return open_word(text, out);
}

/* words: shared->word, ->other and ->condition. Processes that are forked have them, too. */
static bool share_words(void)
{
	int fd = memfd_create("words", MFD_CLOEXEC);
	void *page;

	if (!CHECK(fd >= 0) || !CHECK(!ftruncate(fd, sizeof(*shared))))
		return false;
	page = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!CHECK(page != MAP_FAILED))
		return false;
	shared = page;
	return open_in(fd, offsetof(struct shared, word), &words[0]) &&
	       open_in(fd, offsetof(struct shared, other), &words[1]) &&
	       open_in(fd, offsetof(struct shared, condition), &words[2]);
}

static void close_words(void)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		ipckit_word_close(words[i]);
}

static int lock_words(struct ipckit_word *const *list, unsigned count, int64_t ns, bool *died, unsigned *failed,
		      struct ipckit_pi **out)
{
	struct ipckit_deadline deadline;

	ipckit_deadline_in(ns, &deadline);
	return ipckit_pi_lock_words(list, count, 0, &deadline, died, failed, out);
}

#endif
