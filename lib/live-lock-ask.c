/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-lock.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>

#ifndef F_OFD_SETLKW
#define F_OFD_SETLKW 38
#endif
/* Of i386, whatever the reader's F_SETLKW is. */
#define NARROW_SETLKW 7
#define NARROW_SETLKW64 14

static bool read_flock(const uint64_t *args, pid_t pid, struct live_request *out)
{
	int operation = (int)args[1] & ~LOCK_NB;

	out->lock.kind = LIVE_LOCK_FLOCK;
	out->lock.pid = pid;
	out->lock.exclusive = operation == LOCK_EX;
	out->lock.end = LIVE_LOCK_END;
	out->ranged = true;
	return operation == LOCK_EX || operation == LOCK_SH;
}

/* struct flock, of whatever width. */
struct record {
	int16_t type, whence;
	int64_t start, length;
};

/* Where the range begins, and how wide its numbers are. */
struct shape {
	unsigned at, width;
};

static bool find_shape(int command, bool wide, struct shape *out)
{
	if (wide)
		*out = (struct shape){ 8, 8 };
	else
		*out = (struct shape){ 4, command == NARROW_SETLKW ? 4 : 8 };
	if (command == F_OFD_SETLKW)
		return true;
	return wide ? command == F_SETLKW : command == NARROW_SETLKW || command == NARROW_SETLKW64;
}

static void read_number(const unsigned char *data, unsigned width, int64_t *out)
{
	int32_t narrow;

	if (width == 8) {
		memcpy(out, data, 8);
		return;
	}
	memcpy(&narrow, data, 4);
	*out = narrow;
}

static int read_record(struct live_scan *scan, const struct live_thread *thread, const struct shape *shape,
		       struct record *out)
{
	unsigned char data[24];
	int r = live_read(scan, thread->process, thread->call.args[2], data, shape->at + 2 * shape->width);

	if (r)
		return r;
	memcpy(&out->type, data, 2);
	memcpy(&out->whence, data + 2, 2);
	read_number(data + shape->at, shape->width, &out->start);
	read_number(data + shape->at + shape->width, shape->width, &out->length);
	return 0;
}

/* As the kernel takes it; false: of no lock. */
static bool read_range(const struct record *record, struct live_lock *lock)
{
	int64_t end;

	if (__builtin_add_overflow(record->start, record->length, &end))
		return false;
	lock->start = record->length < 0 ? end : record->start;
	lock->end = record->length < 0 ? record->start - 1 : record->length ? end - 1 : LIVE_LOCK_END;
	return lock->start >= 0;
}

static bool ask(const struct record *record, int command, pid_t pid, struct live_request *out)
{
	bool ofd = command == F_OFD_SETLKW;

	out->lock.kind = ofd ? LIVE_LOCK_OFD : LIVE_LOCK_POSIX;
	out->lock.pid = ofd ? -1 : pid;
	out->lock.exclusive = record->type == F_WRLCK;
	/* From the position or the end on: where that is may have changed since. */
	out->ranged = record->whence == SEEK_SET;
	if (record->type != F_WRLCK && record->type != F_RDLCK)
		return false;
	return !out->ranged || read_range(record, &out->lock);
}

static int read_fcntl(struct live_scan *scan, const struct live_thread *thread, struct live_request *out,
		      bool *known)
{
	const struct live_process *process = &scan->processes[thread->process];
	bool wide = process->abi == LIVE_ABI_NATIVE && sizeof(long) == 8;
	int command = (int)thread->call.args[1], r;
	struct record record;
	struct shape shape;

	if (!find_shape(command, wide, &shape))
		return 0;
	r = read_record(scan, thread, &shape, &record);
	if (r)
		return sys_own_trouble(r);
	*known = ask(&record, command, process->pid, out);
	return 0;
}

static int identify(int dirfd, int fd, uint64_t *device, uint64_t *inode)
{
	struct statx st;
	char path[32];

	snprintf(path, sizeof(path), "fd/%d", fd);
	/* Nothing is asked of a file's server: one that hangs must not hang us. */
	if (statx(dirfd, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &st))
		return -errno;
	*device = makedev(st.stx_dev_major, st.stx_dev_minor);
	*inode = st.stx_ino;
	return 0;
}

/* Its file. A descriptor that is there no more is none that is waited at. */
static int find_file(struct live_scan *scan, struct live_request *request, bool *known)
{
	struct live_locks locks = { 0 };
	int dirfd = live_directory(scan, scan->threads[request->thread].process), r = dirfd < 0 ? dirfd : 0;

	if (!r)
		r = identify(dirfd, request->fd, &request->device, &request->inode);
	request->lock.inode = request->inode;
	if (!r)
		r = live_locks_of(dirfd, request->fd, &locks, &request->lock.inode);
	free(locks.list);
	*known = !r;
	return sys_own_trouble(r);
}

int live_lock_ask(struct live_scan *scan, uint32_t index, struct live_request *out, bool *known)
{
	const struct live_thread *thread = &scan->threads[index];
	enum live_call call;
	int r = live_call(scan, index, &call);

	*known = false;
	*out = (struct live_request){ .thread = index, .fd = (int)thread->call.args[0] };
	if (r)
		return r;
	if (call == LIVE_CALL_FLOCK)
		*known = read_flock(thread->call.args, scan->processes[thread->process].pid, out);
	else if (call == LIVE_CALL_FCNTL)
		r = read_fcntl(scan, thread, out, known);
	return r || !*known ? r : find_file(scan, out, known);
}
