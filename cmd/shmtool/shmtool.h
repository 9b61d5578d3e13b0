/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMTOOL_H
#define SHMTOOL_H

/* What the verbs of shmtool share. */

#include "../cli/noun.h"

#include <ipckit/shm.h>

/* Reads an operand; extra: IPCKIT_TAKES(...) beyond IPCKIT_SHM_NAMES. 0 or the exit status. */
int shmtool_name(struct cli *cli, const char *text, unsigned extra, struct ipckit_name *out);

/* Reads an operand and opens it; access as for ipckit_shm_open(). 0 or the exit status; nothing to close
 * on failure. */
int shmtool_open(struct cli *cli, const char *text, unsigned access, struct ipckit_shm **out);

/* Reports what a call on a segment says, with the limit that was hit where there is one. Returns the exit
 * status. */
int shmtool_fail(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error);
/* The same where something particular was asked for. */
int shmtool_fail_wanted(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error,
			const struct ipckit_shm_wanted *wanted);
/* The same after a creation: also that there is one, of another size than was asked for. */
int shmtool_fail_create(struct cli *cli, const struct ipckit_name *name, const struct ipckit_shm_spec *spec,
			int error);
/* The same after a wait that was given `timeout` as text (NULL: none). */
int shmtool_fail_wait(struct cli *cli, const char *object, enum ipckit_shm_backend backend, int error,
		      const char *timeout);

/* What a verb that acts prints when it is asked to. */
struct shmtool_done {
	struct cli_done head;
	struct ipckit_maybe offset, bytes; /* where the verb has them: the part that was written */
};
extern const struct cli_table shmtool_done_table;
int shmtool_done(struct cli *cli, const char *object, enum ipckit_shm_backend backend,
		 struct ipckit_maybe offset, struct ipckit_maybe bytes);

extern const struct cli_verb shmtool_create, shmtool_write, shmtool_read, shmtool_dump, shmtool_fill, shmtool_copy,
	shmtool_save, shmtool_load, shmtool_compare, shmtool_peek, shmtool_poke, shmtool_wait, shmtool_send,
	shmtool_recv, shmtool_resize, shmtool_lock, shmtool_unlock, shmtool_attach, shmtool_users, shmtool_list,
	shmtool_info, shmtool_rm, shmtool_clean, shmtool_limits, shmtool_set;

#endif
