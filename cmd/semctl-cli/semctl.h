/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEMCTL_H
#define SEMCTL_H

/* What the verbs of semctl-cli share. */

#include "../cli/noun.h"
#include "../cli/sem.h"

/* Refuses a number beyond what the backend's value can be: status 6 with the limit. */
int semctl_check_value(struct cli *cli, const char *object, enum ipckit_sem_backend backend, uint64_t value);

/* The same for permits to take or give in one call. */
int semctl_check_count(struct cli *cli, const char *object, enum ipckit_sem_backend backend, uint64_t count);

/* What a verb that acts prints when it is asked to. */
struct semctl_done {
	struct cli_done done;
	struct ipckit_maybe count; /* permits taken or given */
	struct ipckit_maybe value; /* set */
};
extern const struct cli_table semctl_done_table;
int semctl_done(struct cli *cli, const char *object, enum ipckit_sem_backend backend,
		struct ipckit_maybe count, struct ipckit_maybe value);

/* rows.c */
extern const struct cli_noun semctl_noun;
extern const struct cli_table semctl_info_table;
extern const struct cli_table semctl_clean_table;

extern const struct cli_verb semctl_create, semctl_wait, semctl_post, semctl_wait_zero, semctl_value, semctl_set,
	semctl_op, semctl_values, semctl_exec, semctl_barrier, semctl_eventfd, semctl_list, semctl_info, semctl_rm,
	semctl_clean, semctl_limits, semctl_chmod, semctl_chown, semctl_repair;

#endif
