/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_PROC_H
#define LIB_PROC_H

/*
 * Readers of /proc. Each works below a directory descriptor, so that fixtures
 * can stand in for the real tree. A process that vanishes meanwhile is normal:
 * readers say -ESRCH (or -ENOENT) and whoever walks goes on. -EACCES and -EPERM
 * mean that it may not be looked at. Malformed lines are skipped and counted.
 */

#include <ipckit/base.h>

/* proc.c: opening, walking, small files */
IPCKIT_CHECK int proc_open(const char *root, int *out); /* O_DIRECTORY|O_CLOEXEC; root usually "/proc" */

/* Reads a whole small file; *text is NUL-terminated and freed by the caller. */
IPCKIT_CHECK int proc_read(int dirfd, const char *path, char **text, size_t *size);

/* Reads a small file into a buffer, with a NUL behind; what is beyond its room is left out. Returns the length,
 * or -errno. */
IPCKIT_CHECK ssize_t proc_read_into(int dirfd, const char *path, char *buffer, size_t room);

/* Whether /proc/PID/wchan, the function of the kernel that a thread sleeps in, has one of these in its name. */
bool proc_place_is(const char *place, const char *const *words);

/* Calls visit for each numeric entry of a directory (processes of /proc, threads of
 * PID/task), with a descriptor of it that is closed afterwards; what may not be opened is
 * visited with -EACCES or -EPERM instead. Goes on while visit returns 0; returns what it
 * returned, or -errno. An entry that vanishes is passed over. */
typedef int (*proc_visit)(int dirfd, pid_t id, void *arg);
IPCKIT_CHECK int proc_walk(int dirfd, const char *path, proc_visit visit, void *arg);

/* The same for who looks at single files of many: visit gets the descriptor of the directory that was walked,
 * and the entry's name. */
typedef int (*proc_name_visit)(int dirfd, const char *name, pid_t id, void *arg);
IPCKIT_CHECK int proc_walk_names(int dirfd, const char *path, proc_name_visit visit, void *arg);

/* Whether processes of others are left out of this /proc (hidepid=, see proc(5)): 1, 0 or -ENOMEM. */
IPCKIT_CHECK int proc_hides(int root);

/* Whether every process has a pid where the reader is, so that a pid of 0 means none. */
bool proc_sees_all_pids(void);

/* proc-task.c: one process or thread */
struct proc_stat {
	pid_t pid;
	char comm[64];
	char state;
	pid_t ppid;
	uint64_t flags; /* PF_KTHREAD is 0x200000 */
	uint64_t start; /* clock ticks after boot */
};
IPCKIT_CHECK int proc_stat_parse(const char *text, struct proc_stat *out); /* -EBADMSG */
IPCKIT_CHECK int proc_stat_read(int dirfd, struct proc_stat *out);

struct proc_status {
	uid_t uid;     /* effective */
	gid_t gid;     /* effective */
	pid_t tgid;    /* the process that a thread is of, 0 if not told */
	pid_t ns_pid;  /* pid in the innermost PID namespace (last of NSpid), 0 if not told */
	bool has_mm;   /* has a VmSize line: no kernel thread, no zombie */
	uint64_t threads; /* 0 if not told; a zombie with more than one goes on without its first */
};
IPCKIT_CHECK int proc_status_parse(const char *text, struct proc_status *out);
IPCKIT_CHECK int proc_status_read(int dirfd, struct proc_status *out);
/* 1; 0 of kernel threads, zombies and what has vanished, of which there is nothing to be known; -ENOMEM, -EMFILE,
 * -ENFILE. */
IPCKIT_CHECK int proc_has_memory(int dirfd);

enum proc_syscall_state { PROC_RUNNING, PROC_BLOCKED, PROC_IN_SYSCALL };
struct proc_syscall {
	enum proc_syscall_state state; /* PROC_BLOCKED: blocked, not in a system call ("-1 ...") */
	long number;                   /* restart_syscall keeps the arguments of the call it resumes */
	uint64_t args[6];
};
#define PROC_SYSCALL_ROOM 256 /* for its line */
IPCKIT_CHECK int proc_syscall_parse(const char *text, struct proc_syscall *out);
IPCKIT_CHECK int proc_syscall_read(int dirfd, struct proc_syscall *out);

/* The command line with blanks between its words, unprintable bytes kept as they are;
 * "[comm]" where there is none. Freed by the caller. */
IPCKIT_CHECK int proc_command(int dirfd, char **out);
/* The words as they are: NUL-separated, *size bytes. For cmdline and environ. */
IPCKIT_CHECK int proc_words(int dirfd, const char *file, char **out, size_t *size);
/* The value of a variable in a NUL-separated environment, or NULL. */
const char *proc_environ_get(const char *environ, size_t size, const char *name);

/* Unix seconds of a start time in ticks; boot is from proc_boot_time(). */
IPCKIT_CHECK int proc_boot_time(int root, int64_t *out); /* btime of /proc/stat */
int64_t proc_start_time(const struct proc_stat *stat, int64_t boot);

/* The inode number of /proc/PID/ns/NAME. */
IPCKIT_CHECK int proc_namespace(int dirfd, const char *name, uint64_t *out);

/* proc-maps.c */
struct proc_map {
	uint64_t start, end;
	bool shared, readable, writable, executable;
	uint64_t offset;        /* in the file, bytes */
	unsigned major, minor;
	uint64_t inode;
	const char *path; /* "" where there is none; as the kernel escapes it */
};
IPCKIT_CHECK int proc_map_parse(char *line, struct proc_map *out); /* cuts the line; -EBADMSG */
typedef int (*proc_map_visit)(const struct proc_map *map, void *arg);
IPCKIT_CHECK int proc_maps_walk(int dirfd, proc_map_visit visit, unsigned *skipped, void *arg);

/* A mapping with what of it is in memory, in bytes. Huge pages of hugetlbfs count in none but huge. */
struct proc_smap {
	struct proc_map map;
	struct ipckit_maybe rss, pss, swap, page_size;
	struct ipckit_maybe huge;
};
/* A line after that of the mapping ("Rss:   4 kB"); others than these are left alone, too: -EBADMSG. */
IPCKIT_CHECK int proc_smap_parse(const char *line, struct proc_smap *out);
typedef int (*proc_smap_visit)(const struct proc_smap *map, void *arg);
/* -ENOENT: the kernel has no smaps. */
IPCKIT_CHECK int proc_smaps_walk(int dirfd, proc_smap_visit visit, unsigned *skipped, void *arg);

/* Descriptors of a process: each entry of fd/ with what stat(2) says of it. */
struct proc_fd {
	int fd;
	uint64_t device, inode;
};
typedef int (*proc_fd_visit)(int dirfd, const struct proc_fd *fd, void *arg);
IPCKIT_CHECK int proc_fds_walk(int dirfd, proc_fd_visit visit, void *arg);
/* A field of fdinfo/FD ("eventfd-id:" ...) as a number in the given base; -ENOENT where it has none. */
IPCKIT_CHECK int proc_fdinfo_field(int dirfd, int fd, const char *field, int base, uint64_t *out);

/* proc-memory.c: the memory of a process, by a descriptor of it. -EFAULT: nothing is there. */
IPCKIT_CHECK int proc_memory_open(int dirfd, int *out);
IPCKIT_CHECK int proc_memory_read(int memory, uint64_t address, void *data, size_t size);

/* proc-sysvipc.c */
struct proc_sysvsem {
	int32_t key;
	int id;
	unsigned mode;
	uint64_t nsems;
	uid_t uid, cuid;
	gid_t gid, cgid;
	int64_t otime, ctime;
};
IPCKIT_CHECK int proc_sysvsem_parse(const char *line, struct proc_sysvsem *out); /* -EBADMSG */
typedef int (*proc_sysvsem_visit)(const struct proc_sysvsem *set, void *arg);
IPCKIT_CHECK int proc_sysvsem_walk(int root, proc_sysvsem_visit visit, unsigned *skipped, void *arg);

struct proc_sysvmsg {
	int32_t key;
	int id;
	unsigned mode;
	uint64_t cbytes, qnum;
	pid_t lspid, lrpid; /* of the reader's PID namespace; 0: none, or one of another */
	uid_t uid, cuid;
	gid_t gid, cgid;
	int64_t stime, rtime, ctime;
};
IPCKIT_CHECK int proc_sysvmsg_parse(const char *line, struct proc_sysvmsg *out); /* -EBADMSG */
typedef int (*proc_sysvmsg_visit)(const struct proc_sysvmsg *queue, void *arg);
IPCKIT_CHECK int proc_sysvmsg_walk(int root, proc_sysvmsg_visit visit, unsigned *skipped, void *arg);

struct proc_sysvshm {
	int32_t key;
	int id;
	unsigned mode;
	bool dest, locked;
	uint64_t size, nattch;
	pid_t cpid, lpid; /* as lspid; cpid 0: one of another namespace */
	uid_t uid, cuid;
	gid_t gid, cgid;
	int64_t atime, dtime, ctime;
	uint64_t rss, swap; /* bytes */
};
IPCKIT_CHECK int proc_sysvshm_parse(const char *line, struct proc_sysvshm *out); /* -EBADMSG */
typedef int (*proc_sysvshm_visit)(const struct proc_sysvshm *segment, void *arg);
IPCKIT_CHECK int proc_sysvshm_walk(int root, proc_sysvshm_visit visit, unsigned *skipped, void *arg);

#endif
