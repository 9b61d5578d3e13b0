/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_SEM_H
#define IPCKIT_SEM_H

/*
 * Counting semaphores of every kind that Linux has, behind one handle.
 *
 * Beside the errors named at a function, all of them pass on what the system
 * calls of the backend say: -EACCES or -EPERM (permission), -ENOENT (no such
 * object), -EMFILE, -ENFILE, -ENOMEM (limits), -EOPNOTSUPP (the backend cannot
 * do it), and:
 *   -EIDRM       the object was removed while it was used
 *   -EBADMSG     what stands under the name is not a semaphore
 *   -ELOOP       a symbolic link stands under the name
 *   -EFBIG       a place lies beyond the end of its file
 *   -ENODEV      /dev/shm is missing
 * Handles are not thread-safe; different handles on one object are.
 */

#include <ipckit/base.h>
#include <ipckit/deadline.h>
#include <ipckit/limit.h>
#include <ipckit/name.h>
#include <ipckit/process.h>

enum ipckit_sem_backend {
	IPCKIT_SEM_FILE,    /* lock file: an open-file-description lock (fcntl(2)) */
	IPCKIT_SEM_SYSV,    /* System V set (semop(2)) */
	IPCKIT_SEM_POSIX,   /* POSIX named (sem_overview(7)) */
	IPCKIT_SEM_UNNAMED, /* POSIX unnamed, process-shared, at a place in a file (sem_init(3)) */
	IPCKIT_SEM_EVENTFD, /* eventfd in semaphore mode (eventfd(2)) */
};

/* What ipckit_name_parse() accepts for semaphores; `private` and `file:` are added by who takes them. */
#define IPCKIT_SEM_NAMES                                                                     \
	(IPCKIT_TAKES(IPCKIT_NAME_POSIX) | IPCKIT_TAKES_SYSV | IPCKIT_TAKES(IPCKIT_NAME_FD) | \
	 IPCKIT_TAKES(IPCKIT_NAME_PLACE) | IPCKIT_TAKES(IPCKIT_NAME_SHM) | IPCKIT_TAKES_INDEX | \
	 IPCKIT_TAKES_SEM_LENGTH)

struct ipckit_sem;

/* ---- opening ---- */

/*
 * Opens an existing semaphore (a lock file is made, mode 0600, if missing).
 *
 * What stands under a POSIX name or a place is looked at before it is opened,
 * so that a planted FIFO, link or directory neither hangs nor misleads the call.
 * A System V set that is being made by another process is waited for, at most
 * a second (a set whose otime and last pids are all zero and that is younger).
 *
 * name: not needed after the call. out: closed with ipckit_sem_close().
 * Errors: -ENOENT, -EACCES, -EBADMSG, -ELOOP, -EFBIG, -ERANGE (an index beyond
 * the set), -EIDRM. Rests on sem_open(3), semget(2), semctl(2), pidfd_getfd(2).
 */
IPCKIT_CHECK int ipckit_sem_open(const struct ipckit_name *name, struct ipckit_sem **out);

struct ipckit_sem_spec {
	const unsigned *values; /* first values; NULL for all 0 */
	unsigned count;         /* semaphores in the set, at least 1; 1 but for System V */
	unsigned mode;          /* permission bits, set as they are: no umask */
	bool exclusive;         /* -EEXIST where there is one */
};

/*
 * Makes a semaphore, or opens what exists and leaves its values alone.
 *
 * Existence, mode and value are one step: POSIX by O_TMPFILE and linkat(2);
 * System V by one semop(2) after semget(2), which gives the set its otime, for
 * which openers wait.
 *
 * created: whether this call made it. out: closed with ipckit_sem_close().
 * Errors: -EEXIST; -ERANGE (a value beyond ipckit_sem_value_max()); -EINVAL (count
 * beyond SEMMSL, an existing set that is smaller than count); -ENOSPC (see
 * ipckit_sem_limit_hit()); -EOPNOTSUPP (descriptors and lock files are not made
 * so); -EROFS. Rests on sem_open(3), open(2), semget(2).
 */
IPCKIT_CHECK int ipckit_sem_create(const struct ipckit_name *name, const struct ipckit_sem_spec *spec,
				   bool *created, struct ipckit_sem **out);

/*
 * Makes the System V set that is a barrier for a number of parties.
 *
 * parties: 1 to ipckit_sem_value_max(). Otherwise as ipckit_sem_create(); -EBADMSG
 * where there is a set that is no barrier, or one for another number of parties.
 */
IPCKIT_CHECK int ipckit_sem_create_barrier(const struct ipckit_name *name, unsigned parties,
					   unsigned mode, bool exclusive, bool *created,
					   struct ipckit_sem **out);

/* Closes a handle. Permits stay as they are, but for a lock file, which is unlocked when the
 * last copy of its descriptor is closed. NULL is nothing. */
void ipckit_sem_close(struct ipckit_sem *sem);

/* The backend that a name stands for. */
enum ipckit_sem_backend ipckit_sem_backend_of(const struct ipckit_name *name);

/* The backend behind a handle. */
enum ipckit_sem_backend ipckit_sem_backend(const struct ipckit_sem *sem);

/* The word for a backend: "posix", "sysv", "eventfd", "unnamed", "file". Static. */
const char *ipckit_sem_backend_name(enum ipckit_sem_backend backend);

/* The largest value: SEM_VALUE_MAX, SEMVMX (32767), 2^64-2 for an eventfd cut to 2^63-1, 1 for a lock file. */
int64_t ipckit_sem_value_max(enum ipckit_sem_backend backend);

/* The identifier of a System V set; of others the descriptor, which the handle owns. */
int ipckit_sem_id(const struct ipckit_sem *sem);

/*
 * Orders handles by kernel identity (backend, device and inode or id, index):
 * the one order in which several are taken. 0 means the same semaphore under
 * whatever alias. Never fails.
 */
int ipckit_sem_order(const struct ipckit_sem *a, const struct ipckit_sem *b);

/* ---- taking and giving ---- */

/* Flags of ipckit_sem_take(), ipckit_sem_take_set() and of an operation. */
#define IPCKIT_SEM_UNDO 1u /* System V: given back by the kernel when this process ends (SEM_UNDO) */

/*
 * Takes permits, all or none.
 *
 * count: at least 1. flags: 0 or IPCKIT_SEM_UNDO, which other backends ignore.
 * System V: one semop(2). The others: one permit blocking and the rest without;
 * if one is missing all are given back and it starts anew after a random pause;
 * takers of several serialise by a lock on the semaphore's file, so that two
 * never hold a part each. Blocks until the deadline. When the call fails
 * nothing is held.
 *
 * A waiter that is killed just as it is woken takes its wake-up along: POSIX
 * waits look at the value again each second, so that no permit lies unseen.
 *
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR (see ipckit_deadline), -EIDRM, -EINVAL
 * (count 0 or beyond the largest value). Rests on sem_clockwait(3),
 * semtimedop(2), eventfd(2), preadv2(2), fcntl(2).
 */
IPCKIT_CHECK int ipckit_sem_take(struct ipckit_sem *sem, unsigned count, unsigned flags,
				 const struct ipckit_deadline *deadline);

/*
 * Gives permits, all or none.
 *
 * Does not block. Errors: -EOVERFLOW where the value would pass the largest one
 * (the value is unchanged), -EINVAL (count 0), -EIDRM. flags: as given to the
 * ipckit_sem_take() that it reverses, 0 for a plain post.
 * Rests on sem_post(3), semop(2), eventfd(2).
 */
IPCKIT_CHECK int ipckit_sem_give(struct ipckit_sem *sem, unsigned count, unsigned flags);

/*
 * Gives permits unless the value would pass max.
 *
 * One atomic step on System V. Elsewhere value and post are two steps, serialised
 * among callers of this function by a lock on the semaphore's file; a plain post
 * in between is not seen.
 * Errors: -ERANGE where it would pass max; otherwise as ipckit_sem_give().
 */
IPCKIT_CHECK int ipckit_sem_give_max(struct ipckit_sem *sem, unsigned count, unsigned max);

/*
 * Takes a permit of each of several semaphores, all or none.
 *
 * sems: in the order of ipckit_sem_order(), each once, each of them System V and
 * of one set; taken in one semop(2). For other combinations call
 * ipckit_sem_take() one by one in that order.
 * Errors: -EINVAL where they are not of one set; otherwise as ipckit_sem_take().
 */
IPCKIT_CHECK int ipckit_sem_take_set(struct ipckit_sem *const *sems, unsigned n, unsigned count,
				     unsigned flags, const struct ipckit_deadline *deadline);

/*
 * Waits until the value is 0 (System V; elsewhere -EOPNOTSUPP).
 *
 * Errors: -EAGAIN, -ETIMEDOUT, -EINTR, -EIDRM. Rests on semtimedop(2).
 */
IPCKIT_CHECK int ipckit_sem_wait_zero(struct ipckit_sem *sem, const struct ipckit_deadline *deadline);

struct ipckit_sem_op {
	unsigned index;
	int delta;      /* 0: wait for zero */
	bool undo;      /* SEM_UNDO */
	bool no_wait;   /* IPC_NOWAIT */
};

/* An operation on a range of semaphores, as people write it. */
struct ipckit_sem_op_range {
	unsigned first, last;
	struct ipckit_sem_op op; /* op.index is first */
};

/*
 * Reads an operation: `IDX[-IDX]:(+N|-N|0)[n][u]`, n for no_wait, u for undo.
 *
 * Returns 0; -EINVAL for what is not of that form (or last before first); -ERANGE
 * for an index beyond 65535 or N of 0 or beyond 32767. Pure.
 */
IPCKIT_CHECK int ipckit_sem_parse_op(const char *text, struct ipckit_sem_op_range *out);

/*
 * Does a vector of operations on a System V set, all or none (elsewhere -EOPNOTSUPP).
 *
 * Errors: -EAGAIN (an operation with no_wait, or a deadline of kind TRY),
 * -ETIMEDOUT, -EINTR, -EIDRM, -EFBIG (an index beyond the set), -E2BIG (more than SEMOPM),
 * -ERANGE (a value would pass SEMVMX), -ENOMEM. Rests on semtimedop(2).
 */
IPCKIT_CHECK int ipckit_sem_operate(struct ipckit_sem *sem, const struct ipckit_sem_op *ops, size_t n,
				    const struct ipckit_deadline *deadline);

/*
 * Waits at a barrier made by ipckit_sem_create_barrier() until all parties have come.
 *
 * Reusable round after round. Who leaves early (deadline, stop, death) takes its
 * arrival back, unless the round is complete: then the call succeeds.
 * Errors: -EAGAIN (kind TRY, not the last to come), -ETIMEDOUT, -EINTR, -EIDRM,
 * -EBADMSG (the set is no barrier), -EOPNOTSUPP (another backend).
 */
IPCKIT_CHECK int ipckit_sem_barrier(struct ipckit_sem *sem, const struct ipckit_deadline *deadline);

/* ---- values ---- */

/* Reads the value. Does not block. Rests on sem_getvalue(3), semctl(2), /proc/PID/fdinfo. */
IPCKIT_CHECK int ipckit_sem_value(struct ipckit_sem *sem, int64_t *out);

/*
 * Sets the value.
 *
 * System V: the atomic vector -v, 0, +new, retried, so that undo values of others
 * survive; with force SETVAL, which clears them. Elsewhere: by single posts and
 * takes, so that others see values between; -EBUSY while a thread is blocked on
 * it, unless force. Does not block.
 * Errors: -ERANGE beyond the largest value, -EBUSY.
 */
IPCKIT_CHECK int ipckit_sem_set(struct ipckit_sem *sem, int64_t value, bool force);

/* The number of semaphores in the set; 1 for other backends. */
unsigned ipckit_sem_count(const struct ipckit_sem *sem);

/* Reads all values of a set (GETALL). values: room for ipckit_sem_count(). */
IPCKIT_CHECK int ipckit_sem_values(struct ipckit_sem *sem, unsigned *values);

/* Sets all values of a set (SETALL), which clears undo values. Errors: -ERANGE. System V only. */
IPCKIT_CHECK int ipckit_sem_set_values(struct ipckit_sem *sem, const unsigned *values);

/* ---- the object ---- */

/* Sets the permission bits; needs no right but the owner's. Rests on chmod(2), semctl(2). */
IPCKIT_CHECK int ipckit_sem_chmod(const struct ipckit_name *name, unsigned mode);

/* Sets owner and group; (uid_t)-1 and (gid_t)-1 leave them. Rests on chown(2), semctl(2). */
IPCKIT_CHECK int ipckit_sem_chown(const struct ipckit_name *name, uid_t uid, gid_t gid);

/*
 * Removes the object of a name: waiters on System V get -EIDRM, a POSIX one lives
 * on until its users close it. -EOPNOTSUPP for descriptors, places and lock files.
 * Rests on sem_unlink(3), semctl(2).
 */
IPCKIT_CHECK int ipckit_sem_remove(const struct ipckit_name *name);

/* ---- looking ---- */

struct ipckit_sem_slot {
	unsigned index;
	struct ipckit_maybe value;
	struct ipckit_maybe ncnt;
	struct ipckit_maybe zcnt;
	struct ipckit_maybe pid; /* the last one that changed it; 0: none */
};

struct ipckit_sem_info {
	enum ipckit_sem_backend backend;
	char *name; /* "/jobs", "id:7", "fd:3", "./x@64" */
	struct ipckit_maybe key;
	struct ipckit_maybe id;
	struct ipckit_maybe nsems;
	struct ipckit_maybe value;            /* of a single semaphore */
	struct ipckit_maybe waiters_recorded; /* glibc's own count */
	struct ipckit_maybe mode, uid, gid, cuid, cgid;
	struct ipckit_maybe size;
	struct ipckit_maybe mtime, otime, ctime; /* Unix seconds; otime 0: never */
	struct ipckit_sem_slot *semaphores;      /* System V: nsems of them, or NULL */
	struct ipckit_usage usage;
	struct ipckit_maybe in_use; /* POSIX: 1 if anybody anywhere has it open for writing or mapped */
	struct ipckit_gaps gaps;
	uint64_t device, inode; /* of the file behind a POSIX or unnamed one */
	uint64_t offset;        /* within that file */
};

struct ipckit_sem_list {
	struct ipckit_sem_info *list;
	size_t count;
	unsigned left_out; /* files under the mount that are no semaphores */
	int posix_error;   /* positive errno where the mount could not be read, else 0 */
	int sysv_error;    /* likewise for /proc/sysvipc/sem */
};

/* How much ipckit_sem_stat() and ipckit_sem_list() look at. */
#define IPCKIT_SEM_USERS 1u  /* fill usage: a walk over /proc */
#define IPCKIT_SEM_IN_USE 2u /* fill in_use, where no user was found: asks the kernel for a lease (fcntl(2)) */

/*
 * Looks at one semaphore without opening it as one.
 *
 * name: any kind that ipckit_sem_open() takes, but a lock file. what: 0 or
 * IPCKIT_SEM_USERS and IPCKIT_SEM_IN_USE. out: freed with ipckit_sem_info_free(). What may not be read
 * is unknown, with the reason among the gaps. Does not block.
 * Errors: -ENOENT, -EBADMSG, -ELOOP, -ENOMEM.
 */
IPCKIT_CHECK int ipckit_sem_stat(const struct ipckit_name *name, unsigned what, struct ipckit_sem_info *out);

/* Frees what ipckit_sem_stat() filled; safe on a zeroed struct. */
void ipckit_sem_info_free(struct ipckit_sem_info *info);

/*
 * Looks at every POSIX semaphore and System V set of this IPC namespace and mount.
 *
 * System V from /proc/sysvipc/sem, POSIX from the mount. With IPCKIT_SEM_USERS one
 * walk over /proc serves all. A missing mount is no error: it is told in out.
 * out: freed with ipckit_sem_list_free(). Does not block. Errors: -ENOMEM.
 */
IPCKIT_CHECK int ipckit_sem_list(unsigned what, struct ipckit_sem_list *out);

/* Frees what ipckit_sem_list() filled; safe on a zeroed struct. */
void ipckit_sem_list_free(struct ipckit_sem_list *list);

/*
 * Judges whether a semaphore is left over. Pure.
 *
 * info: from a snapshot with IPCKIT_SEM_USERS and IPCKIT_SEM_IN_USE. older_than: nanoseconds that must
 * have passed since the last use that is known; less than 0: not given, which
 * keeps everything. now: Unix seconds.
 */
void ipckit_sem_judge(const struct ipckit_sem_info *info, int64_t older_than, int64_t now,
		      struct ipckit_orphan_verdict *out);

/* ---- limits ---- */

/*
 * Every limit on semaphores, its value and its use.
 *
 * out: freed with ipckit_limits_free(). Does not block. Errors: -ENOMEM.
 * Rests on proc(5) (kernel.sem), semctl(2) (SEM_INFO), statvfs(3).
 */
IPCKIT_CHECK int ipckit_sem_limits(struct ipckit_limits *out);

/*
 * Names the limit behind a failure.
 *
 * backend: of the object; error: positive errno value that a call on it gave;
 * wanted: semaphores asked for by a creation, else 0.
 * Returns 0 and fills out, or -ENOENT where no limit explains the error.
 */
IPCKIT_CHECK int ipckit_sem_limit_hit(enum ipckit_sem_backend backend, int error, unsigned wanted,
				      struct ipckit_limit *out);

#endif
