/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shm-device.h"
#include "sys.h"

#include <string.h>
#include <sys/sysmacros.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif
#ifndef MFD_HUGETLB
#define MFD_HUGETLB 0x0004u
#endif
#define MFD_SIZE_SHIFT 26 /* of the binary logarithm of a huge page's size */

/* Those of all architectures. */
#define LOG_FIRST 14u
#define LOG_LAST  36u

static int make_memfd(unsigned flags)
{
	int fd = sys_result(memfd_create("ipckit", flags | MFD_CLOEXEC | MFD_NOEXEC_SEAL));

	/* Before Linux 6.3. */
	return fd == -EINVAL ? sys_result(memfd_create("ipckit", flags | MFD_CLOEXEC)) : fd;
}

static int add_device(unsigned flags, uint64_t page_size, struct shm_devices *devices)
{
	struct stat st;
	int fd = make_memfd(flags);
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	close(fd);
	if (!r && devices->count < SHM_DEVICES)
		devices->list[devices->count++] = (struct shm_device){ st.st_dev, page_size };
	return r;
}

int shm_devices_find(struct shm_devices *out)
{
	struct shm_devices devices = { 0 };
	int r = add_device(0, (uint64_t)sysconf(_SC_PAGESIZE), &devices);

	if (r)
		return r;
	for (unsigned log = LOG_FIRST; log <= LOG_LAST; log++) {
		r = add_device(MFD_HUGETLB | log << MFD_SIZE_SHIFT, UINT64_C(1) << log, &devices);
		if (sys_lacks_resources(r))
			return r;
		/* It has been built without them. */
		if (r == -ENOSYS) {
			devices.no_huge = true;
			break;
		}
	}
	*out = devices;
	return 0;
}

/* "/SYSV0000002a (deleted)": the name under which the kernel makes it, with the key that it had then. */
static bool is_name(const char *path)
{
	static const char before[] = "/SYSV", digits[] = "0123456789abcdef", after[] = " (deleted)";

	if (strncmp(path, before, sizeof(before) - 1))
		return false;
	path += sizeof(before) - 1;
	return strspn(path, digits) == 8 && !strcmp(path + 8, after);
}

const struct shm_device *shm_device_of(const struct shm_devices *devices, const struct proc_map *map)
{
	uint64_t device = makedev(map->major, map->minor);

	for (size_t i = 0; i < devices->count; i++)
		if (devices->list[i].device == device)
			return is_name(map->path) ? &devices->list[i] : NULL;
	return NULL;
}

int shm_devices_have(struct shm_devices *devices, const struct proc_map *map, bool *out)
{
	int r = 0;

	*out = false;
	if (!is_name(map->path))
		return 0;
	if (!devices->count)
		r = shm_devices_find(devices);
	if (!r)
		*out = shm_device_of(devices, map);
	return r;
}
