/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "futexctl.h"

static const struct cli_verb *const verbs[] = {
	&futexctl_create, &futexctl_get,      &futexctl_set,	     &futexctl_add,	      &futexctl_or,
	&futexctl_and,	  &futexctl_xor,      &futexctl_swap,	     &futexctl_cas,	      &futexctl_wait,
	&futexctl_await,  &futexctl_wake,     &futexctl_requeue,     &futexctl_cmp_requeue,   &futexctl_wake_op,
	&futexctl_waitv,  &futexctl_lock_pi,  &futexctl_trylock_pi,  &futexctl_unlock_pi,     &futexctl_wait_requeue_pi,
	&futexctl_cmp_requeue_pi, &futexctl_lock, &futexctl_trylock, &futexctl_unlock,	      &futexctl_exec,
	&futexctl_rwlock, &futexctl_once,     &futexctl_latch,	     &futexctl_cond,	      &futexctl_waiters,
	&futexctl_robust, &futexctl_probe,    &futexctl_fd,	     NULL,
};

static const struct cli_tool futexctl = {
	.name = "futexctl",
	.summary = "create, wait on, wake, lock and inspect futex words in shared files",
	.verbs = verbs,
	.noun = &futexctl_noun,
};

int main(int argc, char **argv)
{
	return cli_main(&futexctl, argc, argv);
}
