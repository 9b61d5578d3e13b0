/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_SHM_H
#define IPCKIT_SHM_H

/*
 * Shared memory, POSIX and System V, behind one handle.
 *
 * Beside the errors named at a function, all of them pass on what the system
 * calls of the backend say: -EACCES or -EPERM (permission), -ENOENT (no such
 * segment), -EMFILE, -ENFILE, -ENOMEM (limits), -EOPNOTSUPP (the backend cannot do
 * it), and:
 *   -EIDRM       the segment was removed while it was used (System V)
 *   -EBADMSG     what stands under the name is not a segment
 *   -ELOOP       a symbolic link stands under the name
 *   -ENODEV      /dev/shm is missing
 * Nothing here blocks. Handles are not thread-safe; different handles on one segment are.
 */

#include <ipckit/base.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>
#include <ipckit/process.h>

enum ipckit_shm_backend {
	IPCKIT_SHM_POSIX, /* shm_overview(7) */
	IPCKIT_SHM_SYSV,  /* shmget(2) */
};

/* What ipckit_name_parse() accepts for segments; `private` is added by who takes it. */
#define IPCKIT_SHM_NAMES (IPCKIT_TAKES(IPCKIT_NAME_POSIX) | IPCKIT_TAKES_SYSV)

struct ipckit_shm;

/* ---- opening ---- */

/* Flags of ipckit_shm_open(): what is wanted. None of them: only to look at the segment, for which no rights to
 * its bytes are needed (POSIX: the descriptor is of O_PATH). */
#define IPCKIT_SHM_READ 1u
#define IPCKIT_SHM_WRITE 2u

/*
 * Opens an existing segment.
 *
 * What stands under a POSIX name is looked at before it is opened, so that a planted FIFO, link or
 * directory neither hangs nor misleads the call. The rights to a System V segment that is named by its id are
 * asked for when it is used. name: not needed after the call. out: closed with ipckit_shm_close(). Rests on
 * shm_open(3), shmget(2).
 */
IPCKIT_CHECK int ipckit_shm_open(const struct ipckit_name *name, unsigned access, struct ipckit_shm **out);

struct ipckit_shm_spec {
	uint64_t size;         /* bytes, at least 1 */
	unsigned mode;         /* permission bits, set as they are: no umask */
	bool exclusive;        /* -EEXIST where there is one */
	bool noreserve;        /* POSIX: no space is reserved; System V: SHM_NORESERVE */
	bool hugetlb;          /* System V: SHM_HUGETLB */
	uint64_t hugetlb_size; /* bytes of a huge page, a power of two; 0: the system's default */
	unsigned char fill;    /* what each byte of a new segment is */
};

/*
 * Makes a segment, or opens what exists, for reading and writing, and leaves its contents alone.
 *
 * POSIX: existence, size, contents and mode are one step: O_TMPFILE, posix_fallocate(3), fchmod(2),
 * linkat(2), so that a full file system is an error here and not SIGBUS later. System V: shmget(2); a fill
 * other than 0 follows.
 *
 * created: whether this call made it. out: closed with ipckit_shm_close().
 * Errors: -EEXIST; -EINVAL (size 0, or beyond what the kernel takes, see ipckit_shm_limit_hit()); -EBADMSG
 * (there is one of another size, too); -ENOSPC (the file system is full; shmmni, shmall); -ENOMEM (no huge
 * pages); -EPERM (hugetlb); -EFBIG (RLIMIT_FSIZE); -EROFS; -EOPNOTSUPP (POSIX with hugetlb).
 */
IPCKIT_CHECK int ipckit_shm_create(const struct ipckit_name *name, const struct ipckit_shm_spec *spec,
				   bool *created, struct ipckit_shm **out);

/* Closes a handle, and what it has mapped. NULL is nothing. */
void ipckit_shm_close(struct ipckit_shm *shm);

/* The backend that a name stands for, and that behind a handle; the word for it: "posix", "sysv". Static. */
enum ipckit_shm_backend ipckit_shm_backend_of(const struct ipckit_name *name);
enum ipckit_shm_backend ipckit_shm_backend(const struct ipckit_shm *shm);
const char *ipckit_shm_backend_name(enum ipckit_shm_backend backend);

/* The identifier of a System V segment; of a POSIX one the descriptor, which the handle owns. */
int ipckit_shm_id(const struct ipckit_shm *shm);

/* Whether two handles are of one segment, under whatever names. */
bool ipckit_shm_same(const struct ipckit_shm *a, const struct ipckit_shm *b);

/*
 * Tells whether the segment is still there for others: one that was removed lives on for those alone who
 * have it. -EIDRM where it is not.
 */
IPCKIT_CHECK int ipckit_shm_check(struct ipckit_shm *shm);

/* The size now, in bytes: a POSIX segment may have been resized since it was opened. */
IPCKIT_CHECK int ipckit_shm_size(struct ipckit_shm *shm, uint64_t *out);

/* ---- contents ---- */

/*
 * Maps the whole segment: once for each handle, for all that this was opened for, and until it is closed.
 *
 * write: whether it is to be written, too: -EACCES unless the handle was opened for that. data, size: get
 * the memory and its bytes. A POSIX segment that shrinks under a mapping, one without reserved space on a
 * full file system, or one of huge pages that were not reserved, raises SIGBUS in whoever touches it, and
 * is EFAULT to system calls: the caller sees to that.
 * Errors: -ENOMEM (RLIMIT_AS), -EACCES, -EINVAL (a size of 0). Rests on mmap(2), shmat(2).
 */
IPCKIT_CHECK int ipckit_shm_map(struct ipckit_shm *shm, bool write, void **data, size_t *size);

/*
 * Copies bytes out of, or into, a segment; at most as many as there are from the offset on.
 *
 * done: gets how many were copied, less than size only at the end of the segment. POSIX goes by pread(2)
 * and pwrite(2), which a segment that shrinks meanwhile only cuts short; System V by its mapping.
 * Errors: -EFBIG (the offset lies beyond the end, or a POSIX write ends beyond RLIMIT_FSIZE); -ENOSPC
 * (without reserved space, on a full file system); -ENOMEM (huge pages that were not reserved). What was
 * copied before an error stays so.
 */
IPCKIT_CHECK int ipckit_shm_read(struct ipckit_shm *shm, uint64_t offset, void *data, size_t size, size_t *done);
IPCKIT_CHECK int ipckit_shm_write(struct ipckit_shm *shm, uint64_t offset, const void *data, size_t size,
				  size_t *done);

/* ---- the object ---- */

/*
 * Changes the size of a POSIX segment (System V: -EOPNOTSUPP). What it grows by is reserved and zero.
 * Errors: -ENOSPC, and then it is as it was; -EFBIG (RLIMIT_FSIZE); -EPERM (sealed). Rests on
 * ftruncate(2), posix_fallocate(3).
 */
IPCKIT_CHECK int ipckit_shm_resize(struct ipckit_shm *shm, uint64_t size);

/*
 * Keeps a System V segment in memory, or no more (POSIX: -EOPNOTSUPP).
 * Errors: -EPERM (neither owner nor creator, or RLIMIT_MEMLOCK 0), -ENOMEM (RLIMIT_MEMLOCK).
 * Rests on shmctl(2), SHM_LOCK and SHM_UNLOCK.
 */
IPCKIT_CHECK int ipckit_shm_lock(struct ipckit_shm *shm, bool lock);

struct ipckit_shm_change {
	const unsigned *mode; /* NULL: left as it is */
	uid_t uid;            /* (uid_t)-1: likewise */
	gid_t gid;
};

/* Changes a segment in one step (POSIX: mode and owner are two). Rests on fchmod(2), fchown(2), shmctl(2)
 * IPC_SET. */
IPCKIT_CHECK int ipckit_shm_set(const struct ipckit_name *name, const struct ipckit_shm_change *change);

/* Removes the segment of a name; who has it mapped keeps it, and a System V one is marked for destruction and
 * goes with the last of these. Rests on shm_unlink(3), shmctl(2) IPC_RMID. */
IPCKIT_CHECK int ipckit_shm_remove(const struct ipckit_name *name);

/* ---- looking ---- */

struct ipckit_shm_info {
	enum ipckit_shm_backend backend;
	char *name;                          /* "/frame", "id:7" */
	struct ipckit_maybe key, id;         /* System V */
	struct ipckit_maybe size;            /* bytes */
	struct ipckit_maybe rss, swap;       /* bytes of it in memory (POSIX: that have a place in memory or
					      * swap: st_blocks) and, System V, in swap */
	struct ipckit_maybe nattch;          /* System V: attachments */
	struct ipckit_maybe cpid, lpid;      /* System V: creator, and who attached or detached last; 0: none */
	struct ipckit_maybe atime, dtime;    /* System V: last shmat(2), shmdt(2), Unix seconds, 0: never */
	struct ipckit_maybe ctime;           /* creation or last change */
	struct ipckit_maybe mtime;           /* POSIX: the last write(2) or resize; stores into a mapping do not always set it */
	struct ipckit_maybe file_atime;      /* POSIX: atime of the file */
	struct ipckit_maybe dest, locked;    /* System V, 0 or 1: marked for destruction; SHM_LOCK */
	struct ipckit_maybe hugetlb;         /* System V, 0 or 1; unknown where nothing tells */
	struct ipckit_maybe mode, uid, gid, cuid, cgid;
	struct ipckit_maybe in_use;          /* POSIX: 1 if anybody anywhere has it open or mapped */
	struct ipckit_usage usage;           /* users */
	struct ipckit_gaps gaps;
	uint64_t device, inode;              /* of the file of a POSIX one */
};

struct ipckit_shm_list {
	struct ipckit_shm_info *list;
	size_t count;
	unsigned left_out; /* entries of /dev/shm that are no segments: directories, FIFOs, links ... (not semaphores) */
	int posix_error;   /* positive errno where /dev/shm could not be read: ENODEV where it is missing; else 0 */
	int sysv_error;    /* likewise for /proc/sysvipc/shm */
};

/* How much ipckit_shm_stat() and ipckit_shm_list() look at. */
#define IPCKIT_SHM_USERS 1u  /* fill usage: a walk over /proc */
#define IPCKIT_SHM_IN_USE 2u /* fill in_use, where no user was found: asks the kernel for a lease (fcntl(2)) */

/* Looks at one segment; at none of its bytes. What may not be read is unknown, with the reason among the
 * gaps. what: 0 is one system call or two, and leaves rss, swap and hugetlb of a System V segment unknown
 * without a reason. out: freed with ipckit_shm_info_free(). Errors: -ENOENT, -EBADMSG, -ELOOP, -ENOMEM.
 * Rests on stat(2), shmctl(2) SHM_STAT_ANY, proc(5). */
IPCKIT_CHECK int ipckit_shm_stat(const struct ipckit_name *name, unsigned what, struct ipckit_shm_info *out);

/* Frees what ipckit_shm_stat() filled; safe on a zeroed struct. */
void ipckit_shm_info_free(struct ipckit_shm_info *info);

/*
 * Looks at every segment: System V of this IPC namespace from /proc/sysvipc/shm, POSIX from /dev/shm, of
 * which semaphores (`sem.*`) are none. With IPCKIT_SHM_USERS one walk over /proc serves all. A missing
 * mount is no error: it is told in out. out: freed with ipckit_shm_list_free(). Errors: -ENOMEM, -EMFILE,
 * -ENFILE.
 */
IPCKIT_CHECK int ipckit_shm_list(unsigned what, struct ipckit_shm_list *out);

/* Frees what ipckit_shm_list() filled; safe on a zeroed struct. */
void ipckit_shm_list_free(struct ipckit_shm_list *list);

/* One mapping of a segment, or a descriptor of a POSIX one that the process has not mapped. */
struct ipckit_shm_user {
	pid_t pid;
	struct ipckit_maybe uid;
	char *command;             /* as in struct ipckit_process */
	enum ipckit_evidence evidence; /* IPCKIT_SEEN_MAPPED or IPCKIT_SEEN_OPEN; what follows is of mappings */
	struct ipckit_maybe start, end; /* addresses in the process */
	struct ipckit_maybe offset; /* in the segment, of the start */
	char access[5];            /* "rw-s" */
	struct ipckit_maybe rss, pss, swap, page_size; /* bytes; of the process's own smaps */
};

struct ipckit_shm_users {
	struct ipckit_shm_user *list;
	size_t count;
	struct ipckit_maybe unreadable_processes;
	bool other_pids; /* there may be processes in PID namespaces that are not seen */
};

/* Finds every mapping of a segment. out: freed with ipckit_shm_users_free(). Errors: -ENOENT, -ENOMEM, or
 * that /proc cannot be read. Rests on proc(5): maps, smaps, fd. */
IPCKIT_CHECK int ipckit_shm_find_users(const struct ipckit_name *name, struct ipckit_shm_users *out);

/* Frees what ipckit_shm_find_users() filled; safe on a zeroed struct. */
void ipckit_shm_users_free(struct ipckit_shm_users *users);

/*
 * Judges whether a segment is left over. Pure.
 *
 * System V: nobody has it attached, and who made it and who used it last are gone. POSIX: nobody has it open or
 * mapped, and the last use that is known is older than older_than.
 *
 * info: from a snapshot with IPCKIT_SHM_USERS and IPCKIT_SHM_IN_USE. older_than: nanoseconds; less than 0:
 * not given, which keeps every POSIX segment. now: Unix seconds.
 */
void ipckit_shm_judge(const struct ipckit_shm_info *info, int64_t older_than, int64_t now,
		      struct ipckit_orphan_verdict *out);

/* ---- limits ---- */

/*
 * Every limit on segments, its value and its use: kernel.shmmni, shmall, shmmax, RLIMIT_MEMLOCK,
 * RLIMIT_FSIZE, huge pages, the blocks and inodes of /dev/shm. out: freed with ipckit_limits_free().
 * Errors: -ENOMEM. Rests on shmctl(2) SHM_INFO, getrlimit(2), statvfs(3), proc(5).
 */
IPCKIT_CHECK int ipckit_shm_limits(struct ipckit_limits *out);

/* What was asked for when a call failed, as far as it matters. */
struct ipckit_shm_wanted {
	const struct ipckit_shm_spec *spec; /* of a creation, else NULL */
	uint64_t size;                      /* that a segment was to get, be written up to or be locked with, else 0 */
};

/*
 * Names the limit behind a failure.
 *
 * error: positive errno value that a call on a segment of this backend gave.
 * Returns 0 and fills out, or -ENOENT where no limit explains the error.
 */
IPCKIT_CHECK int ipckit_shm_limit_hit(enum ipckit_shm_backend backend, int error,
				      const struct ipckit_shm_wanted *wanted, struct ipckit_limit *out);

#endif
