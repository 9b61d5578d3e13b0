/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_FAN_H
#define LIB_FAN_H

/* What fan-out and fan-in share: the pace of a run, and what befalls its sinks and sources. */

#include "io.h"
#include "sys.h"

#include <ipckit/relay.h>

struct fan_pace {
	const struct ipckit_relay *relay;
	bool moved;           /* something did, since it was waited last */
	int64_t still;        /* ns of CLOCK_MONOTONIC: nothing has moved since then */
	int64_t due;          /* ns of CLOCK_MONOTONIC: of the next tick */
	int64_t late;         /* ns of CLOCK_MONOTONIC: who has not opened a source by then is late; IPCKIT_FOREVER */
};

void fan_begin(struct fan_pace *pace, const struct ipckit_relay *relay, const struct ipckit_deadline *opening);

/* Between two steps that do not wait: ticks. -EINTR: the run is to end. */
IPCKIT_CHECK int fan_step(struct fan_pace *pace);

/* Waits for one of them, and ticks. Returns 0 also where none is ready; -ETIMEDOUT, -EAGAIN (idle), -EINTR. */
IPCKIT_CHECK int fan_wait(struct fan_pace *pace, struct pollfd *polled, size_t count);

/* Whether the time for opening is over; true once. */
bool fan_is_late(struct fan_pace *pace);

/* One that has ended, well (0) or not: it is left out from now on, and the caller is told. */
void fan_end(const struct ipckit_relay *relay, struct ipckit_fan_state *state, int error);

/* Whether what is written to one would be read from the other again, without end. */
bool fan_is_circle(int from, int to);

/* ---- fan-out ---- */

struct fan_sink {
	struct io io;
	struct ipckit_fan_state *state;
	bool holds;       /* has not taken all of a chunk yet */
	bool unwatched;   /* poll(2) tells something of it that is no failure */
	size_t left;      /* bytes of the rest of that */
	const char *rest; /* copies: where that is */
	char *own;        /* copies: of a sink that the others do not wait for; NULL: in the buffer of all */
	int queue[2];     /* tees: a pipe with the rest */
};

struct fan_out;

/* How chunks are taken and given. */
struct fan_way {
	/* Takes a chunk of fan->size bytes. 1; 0 at the end; -EAGAIN, -errno. */
	int (*take)(struct fan_out *fan);
	/* Gives it to a sink, which holds nothing; holds what it does not take at once. last: no other sink gets
	 * the chunk after this one. 0 or -errno. */
	int (*give)(struct fan_out *fan, struct fan_sink *sink, bool last);
	/* Gives what it holds, as far as it takes that. 0 or -errno. */
	int (*push)(struct fan_sink *sink);
	/* All have got the chunk, or hold it. NULL: nothing is to be done. */
	void (*done)(struct fan_out *fan);
	void (*close)(struct fan_out *fan);
};

struct fan_out {
	const struct ipckit_relay *relay;
	const struct ipckit_fan_spec *spec;
	const struct fan_way *way;
	struct fan_pace pace;
	struct fan_sink *sinks;
	size_t count, live;
	struct pollfd *polled; /* the sinks, then the source */
	struct io source;
	bool ended;
	size_t size;      /* of the chunk */
	char *buffer;     /* copies: the chunk, then what was read beyond it */
	size_t room, end;
	int pipe[2];      /* tees: with the chunk */
	size_t in_pipe;   /* what is left of that in there */
};

/* Sets fan->way. Tees: -EINVAL where they cannot do what is asked for, -EMFILE and the like; then nothing is open. */
IPCKIT_CHECK int fan_copy_open(struct fan_out *fan);
IPCKIT_CHECK int fan_tee_open(struct fan_out *fan);

#endif
