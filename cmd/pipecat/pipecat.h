/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PIPECAT_H
#define PIPECAT_H

/* What the verbs of pipecat share: runs, ends that are opened and closed, commands, flows with their options,
 * statistics. */

#include "../cli/cli.h"

#include <ipckit/endpoint.h>
#include <ipckit/relay.h>
#include <ipckit/socket.h>

/* ---- a run (child.c, end.c) ---- */

/*
 * Begins a run that moves bytes: signals end waits (cli_deadline()), SIGPIPE and SIGXFSZ are held back, SIGCHLD is
 * as a parent needs it. 0 or the exit status of what was reported.
 */
int pipecat_begin(struct cli *cli);

/* The flag of struct ipckit_deadline and struct ipckit_relay; NULL where signals are not caught. */
const volatile sig_atomic_t *pipecat_stop(void);

/*
 * Ends it, when all is closed and told: dies by the signal that came, or by SIGPIPE where pipecat_fail() noted that,
 * else returns status.
 */
int pipecat_finish(struct cli *cli, int status);

/* ---- ends (end.c, open.c) ---- */

/* An option of SOL_SOCKET that is an int. 0 or -errno. */
int pipecat_socket_option(int fd, int option, int *out);

enum { PIPECAT_READ = 1, PIPECAT_WRITE = 2 }; /* what an end is opened for */

/* An endpoint of the command line, and what was opened for it. */
struct pipecat_end {
	struct ipckit_endpoint at;
	const char *text;  /* as it was typed */
	unsigned access;   /* PIPECAT_READ, PIPECAT_WRITE or both: set by the verb before it is opened */
	int in, out;       /* to read from, to write to; may be the same; -1: none */
	int listener;      /* -1: none; of datagrams the same as in */
	bool foreign;      /* standard input or output, or fd:N: others have it, too */
	bool truncates;    /* a file that is to be emptied, see pipecat_open() */
	pid_t child;       /* of exec:; 0: none */
	struct ipckit_peer peer;
	bool has_peer;
};

/* --timeout, --append, --mode, --backlog, --nonblock */
extern const struct poptOption pipecat_open_options[];

/* What these say. */
struct pipecat_opening {
	int64_t timeout; /* ns, to open; IPCKIT_FOREVER */
	const char *timeout_text; /* as it was typed, or NULL */
	bool append, nonblock, mode_given;
	bool unawaited; /* FIFOs that are read from are opened before they have a writer; set by the verb */
	unsigned mode;
	int backlog;
};
int pipecat_read_opening(struct cli *cli, struct pipecat_opening *out);
/* Whether these options are of any use for such ends, parsed by pipecat_end(). 0 or the exit status. */
int pipecat_check_opening(struct cli *cli, const struct pipecat_end *ends, size_t count);

/* Whether it writes to standard output; and whether an end of this run does. */
bool pipecat_is_output(const struct pipecat_end *end);
extern bool pipecat_output_taken;

/* Reads an operand. takes: of ipckit_endpoint_parse(). 0 or the exit status. out: freed by pipecat_close(), also
 * where this failed. */
int pipecat_end(struct cli *cli, const char *text, unsigned takes, unsigned access, struct pipecat_end *out);

/*
 * Opens ends, each for its access, in an order in which no one is disturbed by the failure of another: they listen
 * and are connected to, connect, then files and FIFOs, those to read from first; commands last, which are told of the
 * first of the others that has a peer (IPCKIT_PEER). Files are emptied when all are open; one that is read from as
 * well is refused. An end that is open already is left as it is. 0 or the exit status of what was reported; all of
 * them are to be closed in either case.
 */
int pipecat_open(struct cli *cli, struct pipecat_end *const *ends, size_t count, const struct pipecat_opening *how);

/* Reports that the time of --timeout is over, and who did not come in it. Returns the exit status. */
int pipecat_fail_late(struct cli *cli, const struct pipecat_end *end, const struct pipecat_opening *how);

/* The first part of that alone, of one: it listens, and its port is told if it was chosen. */
int pipecat_listen(struct cli *cli, struct pipecat_end *end, const struct pipecat_opening *how,
		   const struct ipckit_deadline *deadline);

/*
 * A file that each connection is to write to: it is made or emptied here, and from then on appended to (how). Whatever
 * else the end is, it is left alone. 0 or the exit status.
 */
int pipecat_empty_once(struct cli *cli, struct pipecat_end *end, struct pipecat_opening *how);

/* Whether it is a datagram socket: of messages, without an end, of whoever sends. */
bool pipecat_has_datagrams(const struct pipecat_end *end);

/* Closes its listener, if it has one, and removes the path of that. */
void pipecat_stop_listening(struct pipecat_end *end);

/* Nothing more is written to it: the other side sees the end, which of a foreign socket is so for all that have it. */
void pipecat_end_output(struct pipecat_end *end);

/*
 * After that, of an end that was only written to: waits until a TCP peer's kernel has all, for what comes from there
 * is thrown away, and were it left unread, closing would break the connection. idle: ns that nothing may move. 0 or
 * -errno: -ECONNRESET, -ETIMEDOUT, -EINTR.
 */
int pipecat_settle(struct pipecat_end *end, int64_t idle);

/*
 * Closes it, and waits for its command; one whose run failed (well: false) is ended by SIGTERM, and by SIGKILL if it
 * does not. Returns the command's status (128 + N by a signal), 0 where there is none. Safe on a zeroed struct.
 */
int pipecat_close(struct cli *cli, struct pipecat_end *end, bool well);

/*
 * Reports what was said of an end, or another object: of a reader that has gone (-EPIPE), which ends the run by
 * SIGPIPE (see pipecat_finish()), it says nothing, and of an interruption. took: how many bytes a sink took before that;
 * unknown: nothing is said of it. Returns the exit status.
 */
int pipecat_fail(struct cli *cli, const char *object, int error, struct ipckit_maybe took);
int pipecat_fail_end(struct cli *cli, const struct pipecat_end *end, int error, struct ipckit_maybe took);

/* ---- commands (child.c) ---- */

struct pipecat_command {
	const char *text; /* run by sh -c, or NULL: */
	char **argv;      /* as it is, by PATH; ends with NULL */
	int in, out;      /* become its standard input and output; -1: as inherited */
	const struct ipckit_peer *peer; /* its IPCKIT_PEER, or NULL: none */
};

/*
 * Starts it: with signals as this run inherited them, none of this run's descriptors that are close-on-exec, and
 * SIGTERM should this process die before it. Returns 0, or the status of the failure, reported (126, 127, 125).
 */
int pipecat_start(struct cli *cli, const struct pipecat_command *command, pid_t *out);

/* Who is at the other side, as IPCKIT_PEER has it: "ADDRESS:PORT", or "pid=N uid=N". */
void pipecat_peer_text(const struct ipckit_peer *peer, char text[IPCKIT_ADDRESS_TEXT]);

/*
 * Waits until it has ended; a signal that ends this run is passed on to it. well: as of pipecat_close().
 * Returns its status, 128 + N by a signal.
 */
int pipecat_await(pid_t pid, bool well);

/* ---- flows (flow.c) ---- */

/* --idle alone, how long that is (else IPCKIT_FOREVER), and the report that it is over, which returns the status. */
extern const struct poptOption pipecat_idle_options[];
int pipecat_read_idle(struct cli *cli, int64_t *out);
int pipecat_fail_idle(struct cli *cli, const char *object);

/* --zero-copy, --rate, --buffer, --high, --low, --sync, --idle */
extern const struct poptOption pipecat_flow_options[];

struct pipecat_flowing {
	struct ipckit_flow_spec spec;
	int64_t idle;          /* ns; IPCKIT_FOREVER */
	const char *idle_text; /* as it was typed, or NULL */
};
int pipecat_read_flowing(struct cli *cli, struct pipecat_flowing *out);

struct pipecat_stats;

/*
 * Moves all that comes from one descriptor to another, and shows progress. stats: begun, or NULL. state: how it
 * ended, also where this fails. Returns 0, or -errno: of the flow (state->error), or as ipckit_flow_open() and
 * ipckit_relay_run().
 */
int pipecat_move(int from, int to, const struct pipecat_flowing *flowing, struct pipecat_stats *stats,
		 struct ipckit_flow_state *state);

/* ---- statistics (stats.c, told.c) ---- */

/* --progress, --size, --stats, --each */
extern const struct poptOption pipecat_stats_options[];

/* Of one run. */
struct pipecat_stats {
	struct cli *cli;
	struct cli_progress progress;
	bool wanted, each; /* --stats, --each */
	bool silent;       /* one of several at once: no progress is shown */
	int64_t began;     /* ns of CLOCK_MONOTONIC */
	struct ipckit_maybe size; /* --size */
	uint64_t before;   /* bytes of flows that have ended (pipecat_move()) */
};

/* Reads the options, before anything is opened. 0 or the exit status. */
int pipecat_stats_read(struct cli *cli, struct pipecat_stats *out);
/* The time begins. from, to: descriptors of the flow (-1: none): how much will come, whether its data go to the
 * terminal. */
void pipecat_stats_begin(struct pipecat_stats *stats, int from, int to);
/* For struct ipckit_relay: ns between two steps, 0: none is needed. */
int64_t pipecat_stats_period(const struct pipecat_stats *stats);
void pipecat_stats_step(struct pipecat_stats *stats, uint64_t bytes);
/* The last picture; before anything is said on stderr. */
void pipecat_stats_end(struct pipecat_stats *stats, uint64_t bytes);
/* Seconds since it began. */
double pipecat_stats_seconds(const struct pipecat_stats *stats);
/* A line of JSON on stderr. 0 or the exit status. */
int pipecat_tell(struct cli *cli, const struct cli_table *table, const void *row);

/* What --stats tells of one flow. */
struct pipecat_told {
	const char *source, *sink;       /* as they were typed */
	struct ipckit_maybe bytes, lost; /* given to the sink; read, and not given to it */
	struct ipckit_maybe messages;
	double seconds;
	struct ipckit_maybe rate; /* bytes a second */
	const char *method;       /* of ipckit_flow_method_name(), or NULL */
	const char *error;        /* an errno's name, or NULL */
};
extern const struct cli_table pipecat_flow_table;
void pipecat_told_of(const struct pipecat_stats *stats, const char *source, const char *sink,
		     const struct ipckit_flow_state *state, struct pipecat_told *out);
int pipecat_tell_flow(struct pipecat_stats *stats, const char *source, const char *sink,
		      const struct ipckit_flow_state *state);

/* ---- relay (session.c, serve.c) ---- */

/* Two ends and what flows between them: of one run, or of one connection that it serves. */
struct pipecat_session {
	struct cli *cli;
	struct pipecat_end ends[2]; /* source, sink */
	bool both;
	struct pipecat_opening opening;
	struct pipecat_flowing flowing;
	struct pipecat_stats stats;
	const struct ipckit_address *answers; /* where what is written to an end that listens goes, or NULL */
	struct pipecat_totals *totals;        /* of all connections, shared with those who serve them; or NULL */

	struct ipckit_flow *flows[2];         /* there and back */
	struct ipckit_flow_state states[2];   /* how they ended */
	size_t count;                         /* of them: 1, or 2 with --both */
	int error;                            /* why all of it ended: -errno of ipckit_relay_run() */
};

/* Opens the ends that are not open yet, relays until that ends, tells of it, and closes them. Returns the exit
 * status. */
int pipecat_session_run(struct pipecat_session *session);

/* What all connections of a server were. */
struct pipecat_totals {
	uint64_t connections, errors; /* errors: those that were not served well */
	uint64_t bytes[2];
};

/* --fork: serves what comes to the end that listens, by a process each; most: so many at once, 0: any number. */
int pipecat_serve(struct pipecat_session *session, uint64_t most);

/* A line of statistics (told.c); 0 or the exit status. */
int pipecat_tell_run(const struct pipecat_session *session);
int pipecat_tell_totals(const struct pipecat_session *session);
int pipecat_tell_connection(const struct pipecat_session *session);
int pipecat_tell_message(const struct pipecat_session *session, const struct ipckit_address *from, size_t size);

/* ---- verbs ---- */

extern const struct cli_verb pipecat_relay, pipecat_create, pipecat_rm, pipecat_clean, pipecat_list, pipecat_info,
	pipecat_read, pipecat_write, pipecat_hold, pipecat_capacity, pipecat_pair, pipecat_tee, pipecat_merge,
	pipecat_sendfd, pipecat_recvfd;

#endif
