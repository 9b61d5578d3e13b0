/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IPCKIT_WORD_H
#define IPCKIT_WORD_H

/* 32-bit words that processes share, by name: where futex(2) has them meet. */

#include <ipckit/base.h>
#include <ipckit/name.h>

/* What ipckit_name_parse() accepts for words: in files. */
#define IPCKIT_WORD_NAMES (IPCKIT_TAKES(IPCKIT_NAME_PLACE) | IPCKIT_TAKES(IPCKIT_NAME_SHM))
/* The same, and in System V segments (key:KEY@OFFSET, id:ID@OFFSET, ftok:PATH,PROJ@OFFSET); a missing offset
 * is 0. */
#define IPCKIT_WORD_NAMES_ALL \
	(IPCKIT_WORD_NAMES | IPCKIT_TAKES_SYSV | IPCKIT_TAKES_OFFSET | IPCKIT_TAKES_BARE_PLACE)

struct ipckit_word;

/*
 * Maps the word at a place in a file, in POSIX shared memory or in a System V segment, for reading and writing.
 *
 * What stands there is looked at before it is opened, so that a planted FIFO, link or directory neither
 * hangs nor misleads the call. Links of a proc file system are followed (/proc/PID/fd/N, /proc/PID/map_files/...):
 * no other name is there for a memfd or a deleted file. A file that shrinks later raises SIGBUS in whoever
 * touches the word, and so does one without reserved space on a full file system. Each has a mapping of its own,
 * and, but for huge pages, the two pages before the word's own page are private memory of the library's. name: not
 * needed after the call. out: closed with ipckit_word_close().
 * Errors: -EINVAL (the offset is no multiple of 4, the name is of another kind); -EFBIG (it lies beyond the
 * end); -ENOENT; -EACCES; -ELOOP (a symbolic link); -EBADMSG (no regular file); -ENODEV (/dev/shm is
 * missing, or the file system of a place cannot map files); -EPERM (sealed; /proc/PID/map_files without the
 * right); -ENOMEM. Rests on open(2), mmap(2), shmat(2), proc(5).
 */
IPCKIT_CHECK int ipckit_word_open(const struct ipckit_name *name, struct ipckit_word **out);
/* The same for reading alone, to which the right to read is enough: storing to it raises SIGSEGV. Sleeping on it
 * is possible, and so is waking. */
IPCKIT_CHECK int ipckit_word_open_to_read(const struct ipckit_name *name, struct ipckit_word **out);

/*
 * Whether it is still there to be changed by whoever comes: for those who sleep on it, whom nobody wakes when it
 * goes. Errors: -EFBIG (its file has become too short), -EIDRM (file or segment were removed since it was
 * opened; others may still have them mapped).
 */
IPCKIT_CHECK int ipckit_word_check(const struct ipckit_word *word);

/* Reads it, and says -EFAULT where touching it would raise SIGBUS (unless its file shrinks at this very moment). */
IPCKIT_CHECK int ipckit_word_load(const struct ipckit_word *word, uint32_t *out);

/* What a file of words is made like. */
struct ipckit_word_spec {
	uint64_t words; /* how many, from 1 on */
	uint32_t value; /* of each */
	unsigned mode;  /* as it is set, whatever the umask */
	bool exclusive; /* -EEXIST where there is one */
};
/*
 * Makes a file of words, or POSIX shared memory, in one step: no one sees it before it is filled. name: of a
 * place whose offset is 0. created: false where there is one that is long enough, of which nothing is changed.
 * Errors: as ipckit_word_open(); -EFBIG (one that exists is too short; or RLIMIT_FSIZE), -EEXIST, -ENOSPC,
 * -EDQUOT, -EROFS, -EOPNOTSUPP (the file system has no O_TMPFILE). Does not block. Rests on open(2) O_TMPFILE,
 * fallocate(2), linkat(2).
 */
IPCKIT_CHECK int ipckit_word_create(const struct ipckit_name *name, const struct ipckit_word_spec *spec,
				    bool *created);

/* The descriptor of the word's file, O_CLOEXEC, as long as it is open; -1 in a System V segment. */
int ipckit_word_fd(const struct ipckit_word *word);
/* Where it lies in its file or segment. */
uint64_t ipckit_word_offset(const struct ipckit_word *word);

/* A place in shared memory as /proc/PID/maps gives it, by which words of all processes are compared. */
struct ipckit_place {
	unsigned major, minor;
	uint64_t inode, offset;
	bool sysv; /* inode: the identifier of a segment, in its IPC namespace; memfds on the same device count by
		    * themselves */
};
/* Whether they are one. Pure. */
bool ipckit_place_is(const struct ipckit_place *one, const struct ipckit_place *other);
/* -errno of reading /proc/self/maps. */
IPCKIT_CHECK int ipckit_word_place(const struct ipckit_word *word, struct ipckit_place *out);

/*
 * Whether the process of a thread, named by its id in this PID namespace, has the word's page mapped: whoever
 * owns a word has, so that else the id is one of another namespace, or the word is no lock. Errors: -ESRCH (no
 * such thread), -EACCES (it may not be looked at), -errno of /proc.
 */
IPCKIT_CHECK int ipckit_word_is_mapped_by(const struct ipckit_word *word, pid_t tid, bool *out);

/* Whether the word lies in a file, and at which offset. st: of the file, by stat(2). */
struct stat;
bool ipckit_word_is_in(const struct ipckit_word *word, const struct stat *st, uint64_t *offset);

/* Unmaps it. NULL is nothing. */
void ipckit_word_close(struct ipckit_word *word);

/* Where it is mapped, until it is closed. */
uint32_t *ipckit_word_at(const struct ipckit_word *word);

#endif
