/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "sys.h"

int proc_memory_open(int dirfd, int *out)
{
	int fd = sys_openat(dirfd, "mem", O_RDONLY, 0);

	if (fd < 0)
		return fd;
	*out = fd;
	return 0;
}

int proc_memory_read(int memory, uint64_t address, void *data, size_t size)
{
	ssize_t n;

	/* The kernel's half of the addresses, which is no offset of a file either. */
	if (address > INT64_MAX - size)
		return -EFAULT;
	do {
		n = sys_result(pread(memory, data, size, (off_t)address));
	} while (n == -EINTR);
	if (sys_is_denial((int)n))
		return (int)n;
	return n == (ssize_t)size ? 0 : -EFAULT;
}
