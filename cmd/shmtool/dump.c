/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hex.h"
#include "part.h"

#include <errno.h>
#include <stdlib.h>

static const struct poptOption options[] = {
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)part_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct buffers {
	unsigned char data[PART_CHUNK];
	char text[HEX_ROOM(PART_CHUNK)];
};

/* Returns 0, -errno of what could not be written, or the exit status of what was reported. */
static int dump(struct part *part, FILE *stream, struct buffers *buffers)
{
	struct hex hex = { .offset = part->offset };
	uint64_t end = part->offset + part->length;
	size_t size;

	while (hex.offset < end) {
		size_t n = part_next(end - hex.offset);
		int r = part_read(part, hex.offset, buffers->data, n);

		if (r)
			return r;
		size = hex_put(&hex, buffers->data, n, buffers->text);
		if (fwrite(buffers->text, 1, size, stream) < size)
			return -EIO;
		cli_progress_step(&part->progress, hex.offset - part->offset);
	}
	size = hex_end(&hex, buffers->text);
	return fwrite(buffers->text, 1, size, stream) < size ? -EIO : 0;
}

static int run(struct cli *cli)
{
	struct buffers *buffers;
	struct part part;
	FILE *stream;
	int r = part_open(cli, cli->operands[0], IPCKIT_SHM_READ, &part), ended;

	if (r)
		return r;
	part_watch(&part);
	buffers = malloc(sizeof(*buffers));
	stream = cli_text_begin(cli);
	r = stream && buffers ? dump(&part, stream, buffers) : -ENOMEM;
	part_close(&part);
	ended = cli_text_end(cli, r < 0 ? r : 0);
	free(buffers);
	return r > 0 ? r : ended;
}

const struct cli_verb shmtool_dump = {
	.name = "dump",
	.operands = "OBJECT",
	.summary = "print the bytes of a segment in hex and as text, as hexdump -C",
	.least = 1,
	.most = 1,
	.flags = CLI_TEXT,
	.options = options,
	.run = run,
};
