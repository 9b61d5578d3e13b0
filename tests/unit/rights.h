/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "unit.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As root of the namespaces without its rights, the owner is but the owner. */
static inline void give_up_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	CHECK(!syscall(SYS_capset, &header, none));
}

#endif
