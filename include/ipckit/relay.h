/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_RELAY_H
#define IPCKIT_RELAY_H

/*
 * Relays: all that comes from one descriptor is given to another, by the fastest way that the two allow, and
 * nothing is lost. A flow is one direction; a relay runs one or more of them at once until each has ended.
 *
 * No flag of a descriptor is changed (O_NONBLOCK belongs to all that share its open file description); what would
 * block is asked for without waiting, or after poll(2).
 */

#include <ipckit/socket.h>

enum ipckit_flow_method {
	IPCKIT_FLOW_COPY,         /* read(2) and write(2), large, from one buffer */
	IPCKIT_FLOW_SPLICE,       /* splice(2) from one to the other: one of them is a pipe */
	IPCKIT_FLOW_SPLICE_TWICE, /* splice(2) by a pipe between them */
	IPCKIT_FLOW_COPY_RANGE,   /* copy_file_range(2), between files */
	IPCKIT_FLOW_MESSAGES,     /* a message at a time: one end at least is a socket that has boundaries */
	IPCKIT_FLOW_BUFFERED,     /* read(2) and write(2) through a buffer with marks */
};

/* "copy", "splice", "splice-twice", "copy-range", "messages", "buffered" */
const char *ipckit_flow_method_name(enum ipckit_flow_method method);

struct ipckit_flow_spec {
	/* Pages of files may be spliced, so that the reader gets the file as it is when that reads; to TCP, too. */
	bool zero_copy;
	/*
	 * to is a datagram socket: messages go to this address; NULL: as it is connected. Lasts as long as the
	 * flow.
	 */
	const struct ipckit_address *receiver;
	uint64_t rate;   /* bytes a second, at most; 0: no limit */
	uint64_t buffer; /* bytes of IPCKIT_FLOW_BUFFERED; 0: another method */
	uint64_t high;   /* one that was empty is written from again with so many in it, or at the end; 0: any */
	uint64_t low;    /* one that was full is read into again with at most so many in it; 0: when it has room */
	bool sync;       /* the end is reached when the data are on the disk (fdatasync(2)), of files and block
			  * devices */
};

struct ipckit_flow;

/*
 * Makes a flow.
 *
 * from, to: stay the caller's, and open until the flow has ended or is closed. spec: is copied. out: closed with
 * ipckit_flow_close(). Pipes are made larger, as far as this process may. Where to has O_APPEND, is a device that
 * cannot be spliced to, or the kernel refuses a call later, another method is taken. Does not block.
 *
 * An empty message that comes last, together with the end, is known to be one only of a seqpacket socket with
 * SO_TIMESTAMP, as ipckit_socket_connect() and ipckit_socket_accept() make them; of others it counts as the end.
 *
 * Errors: -EBADF (not open for that), -EISDIR, -EINVAL (to is the pipe that from is, or the file, which is not empty
 * behind its position), -ENOMEM, -EMFILE, -ENFILE. Rests on splice(2), copy_file_range(2), readv(2), recv(2).
 */
IPCKIT_CHECK int ipckit_flow_open(int from, int to, const struct ipckit_flow_spec *spec, struct ipckit_flow **out);

/* Frees it, and what it has read and not given on is lost (see struct ipckit_flow_state). NULL-safe. */
void ipckit_flow_close(struct ipckit_flow *flow);

enum ipckit_flow_side { IPCKIT_FLOW_FROM, IPCKIT_FLOW_TO };

struct ipckit_flow_state {
	enum ipckit_flow_method method; /* now */
	uint64_t read, bytes; /* taken from the source; given to the sink */
	uint64_t messages;    /* given to the sink, where boundaries are kept */
	bool ended;
	int error; /* 0; why it ended: -errno of the side */
	enum ipckit_flow_side side; /* also that of the end that it waits for */
	uint64_t refused; /* the size of the message that was too long for the sink (-EMSGSIZE) */
};

/* How it stands, also while it runs (in tick). Does not block. */
void ipckit_flow_look(const struct ipckit_flow *flow, struct ipckit_flow_state *out);

struct ipckit_relay {
	int64_t idle; /* ns that nothing may move, in any flow; IPCKIT_FOREVER; 0: what would have to wait ends it */
	const volatile sig_atomic_t *stop; /* as in struct ipckit_deadline; NULL: none */
	int64_t period;                    /* ns between two calls of tick, at least; 0: no tick */
	void (*tick)(void *arg);
	/* A flow has ended, well or not: the caller passes on the end to its sink. NULL: nothing is to be done. */
	void (*ended)(void *arg, struct ipckit_flow *flow);
	/* A message was given to the sink. from: its sender, length 0: not known. NULL: nobody wants to know. */
	void (*passed)(void *arg, struct ipckit_flow *flow, const struct sockaddr *from, socklen_t length,
		       size_t size);
	void *arg; /* of all of these */
};

/*
 * Runs flows until each of them has ended; an error of one ends that one, and the others go on. A sink whose
 * reader has gone ends its flow at once (-EPIPE), also while nothing comes. SIGPIPE is not prevented: the
 * caller ignores or blocks it.
 *
 * Returns 0 when all ended, well or not (see ipckit_flow_look()); -ETIMEDOUT (idle); -EAGAIN (idle 0); -EINTR
 * (*stop); -ENOMEM. Then flows have what they had passed on, and what a flow has read and not given on yet is
 * read - bytes.
 */
IPCKIT_CHECK int ipckit_relay_run(const struct ipckit_relay *relay, struct ipckit_flow *const *flows,
				  size_t count);

/* ---- one to many, many to one ---- */

struct ipckit_fan_spec {
	bool drop_slow; /* fan-out: a sink that has not taken all of a chunk yet does not get the next one, if
			 * others can take it; else it holds up the others. A chunk is a message, or at most 64 KiB */
	int separator;  /* fan-in: records end with this byte; -1: they have `record` bytes. Fan-out: chunks end
			 * behind this byte, and have at most 1 MiB; -1: anywhere */
	uint64_t record;
	uint64_t longest; /* fan-in: bytes of a record without its separator */
	struct ipckit_deadline opening; /* fan-in: until when a FIFO may lack a writer; as zeroed: without limit. Its stop
					 * is not looked at */
};

struct ipckit_fan_state {
	uint64_t bytes;   /* of this sink, or source, passed on */
	uint64_t dropped; /* bytes that this sink did not get, or of this source that were read and not passed on */
	uint64_t records; /* of this source, passed on; of a sink: chunks */
	bool teed;        /* it got them by tee(2) */
	bool ended;
	int error;        /* 0 or -errno: it is left out since then */
};

/*
 * Gives all that comes from one descriptor to several; by tee(2) where all are pipes, which are made larger as
 * far as this process may. A sink that fails, or whose reader goes (-EPIPE), is left out, and the others go on.
 * What was begun is given whole: at the end of the input each sink is waited for.
 *
 * states: one for each sink. relay: idle, stop, tick; ended is called with NULL when a sink is left out, whose
 * descriptor may then be closed. SIGPIPE is not prevented.
 *
 * Returns 0 at the end of the input; the error of the source; -EPIPE where no sink is left; -EINVAL (a sink is
 * the file that the source is); -EBADF, -ENOMEM; as ipckit_relay_run(). Rests on tee(2), splice(2).
 */
IPCKIT_CHECK int ipckit_fan_out(const struct ipckit_relay *relay, const struct ipckit_fan_spec *spec, int from,
				const int *to, size_t count, struct ipckit_fan_state *states);

/*
 * Gives all records of several descriptors to one, each whole, those of one source in their order. A last record
 * that lacks its separator gets it; and so does a message, which never is a part of a record. Of a sink that has
 * boundaries each record is a message.
 *
 * A FIFO may have been opened with O_NONBLOCK, before anybody writes to it: it is silent until then, and idle
 * does not count while one has not had a writer.
 *
 * A source that fails is left out, also for a record that is longer than it may be (-EMSGSIZE), for a last one
 * of less than `record` bytes (-EBADMSG), and where nobody has opened it in time (-ETIMEDOUT). states: one for
 * each source. relay: idle, stop, tick; ended is called with NULL when a source has ended, well or not, whose
 * descriptor may then be closed. SIGPIPE is not prevented.
 *
 * Returns 0 at the end of all; the error of the sink; -EINVAL (a source is the file that the sink is; nonsense in
 * spec); -EBADF, -ENOMEM; as ipckit_relay_run().
 */
IPCKIT_CHECK int ipckit_fan_in(const struct ipckit_relay *relay, const struct ipckit_fan_spec *spec, const int *from,
			       size_t count, int to, struct ipckit_fan_state *states);

#endif
