/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs inputs through a fuzz target without a fuzzer: each file of the directories
 * (or each of the files) that are named, or standard input where none is.
 */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *running;

/* Which input it was does not show in what a failed check or a sanitizer says. */
static void say_which(int signal)
{
	static const char text[] = "failed at ";

	(void)signal;
	if (!running)
		return;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, running, strlen(running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		return;
}

/* So that sanitizers, where they are built in, end with the signal, too. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static int run_stream(FILE *stream, const char *name)
{
	uint8_t *data = NULL, *exact;
	size_t size = 0, room = 0, n;

	do {
		if (size == room) {
			room = room ? 2 * room : 4096;
			data = realloc(data, room);
			if (!data)
				return -ENOMEM;
		}
		n = fread(data + size, 1, room - size, stream);
		size += n;
	} while (n);
	if (ferror(stream)) {
		free(data);
		return -EIO;
	}

	/* No byte more than there is, so that reading beyond the end shows. */
	exact = malloc(size ? size : 1);
	if (exact) {
		memcpy(exact, data, size);
		running = name;
		LLVMFuzzerTestOneInput(exact, size);
		running = NULL;
	}
	free(exact);
	free(data);
	return exact ? 0 : -ENOMEM;
}

/* Returns the number of inputs run, or -errno. */
static int run_file(const char *path)
{
	FILE *stream = fopen(path, "re");
	int r;

	if (!stream)
		return -errno;
	r = run_stream(stream, path);
	fclose(stream);
	return r ? r : 1;
}

static int run_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), count = 0, r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		char file[4096];

		if (!r && entries[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
			r = run_file(file);
			count += r > 0;
			r = r < 0 ? r : 0;
		}
		free(entries[i]);
	}
	free(entries);
	return r ? r : count;
}

static int run_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? run_directory(path) : run_file(path);
}

int main(int argc, char **argv)
{
	int total = 0;

	signal(SIGABRT, say_which);
	if (argc < 2)
		return run_stream(stdin, "standard input") ? 1 : 0;
	for (int i = 1; i < argc; i++) {
		int n = run_path(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: %s\n", argv[i], n ? strerror(-n) : "no inputs");
			return 1;
		}
		total += n;
	}
	printf("%d inputs\n", total);
	return 0;
}
