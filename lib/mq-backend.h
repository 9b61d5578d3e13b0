/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIB_MQ_BACKEND_H
#define LIB_MQ_BACKEND_H

/* What mq.c and the backends share: the handle, and one table of calls a backend. */

#include <ipckit/mq.h>

struct msqid_ds;

#define MQ_DIRECTORY "/dev/mqueue"
#define MQ_PATH_MAX (sizeof(MQ_DIRECTORY "/") + NAME_MAX) /* of a file in there, with its end */

struct ipckit_mq {
	const struct mq_ops *ops;
	enum ipckit_mq_backend backend;
	int id; /* System V: identifier; POSIX: descriptor; -1 */

	/* POSIX */
	bool no_wait; /* O_NONBLOCK is set on the description */
	int64_t msgsize;
	void *whole; /* room for a message of msgsize, where one had to be cut */

	/* System V: of the last look */
	size_t fitting; /* sizes below fit into a message; 0 as long as there was no look */
	int64_t msgmax;
	int64_t qbytes; /* kernel.msgmnb where the queue may not be read */
	struct ipckit_deadline trusted; /* until when what was seen is taken for true */
	bool crowded;   /* the last sending had to wait */
};

/* Pauses between looks at what cannot be waited for. */
#define MQ_PAUSE_FIRST_NS 1000000
#define MQ_PAUSE_LAST_NS 20000000

static inline int64_t mq_longer_pause(int64_t pause)
{
	return pause < MQ_PAUSE_LAST_NS / 2 ? pause * 2 : MQ_PAUSE_LAST_NS;
}

/* A slot that is NULL is -EOPNOTSUPP. */
struct mq_ops {
	const char *name;
	int (*open)(const struct ipckit_name *name, unsigned access, struct ipckit_mq *mq);
	int (*create)(const struct ipckit_name *name, const struct ipckit_mq_spec *spec, bool *created,
		      struct ipckit_mq *mq);
	void (*close)(struct ipckit_mq *mq);
	int (*state)(struct ipckit_mq *mq, struct ipckit_mq_state *out);
	int (*send)(struct ipckit_mq *mq, const struct ipckit_mq_message *message, size_t size,
		    const struct ipckit_deadline *deadline);
	int (*receive)(struct ipckit_mq *mq, const struct ipckit_mq_select *select,
		       struct ipckit_mq_message *message, size_t room, bool truncate, size_t *size,
		       const struct ipckit_deadline *deadline);
	int (*peek)(struct ipckit_mq *mq, size_t index, struct ipckit_mq_message *message, size_t room,
		    size_t *size);
	/* For a first message, where the backend can wait for it without looking again and again. */
	int (*wait)(struct ipckit_mq *mq, const struct ipckit_deadline *deadline);
	int (*notify)(struct ipckit_mq *mq, const struct ipckit_deadline *deadline,
		      struct ipckit_maybe *sender);
	int (*set)(const struct ipckit_name *name, const struct ipckit_mq_change *change);
	int (*remove)(const struct ipckit_name *name);
	long rank_min, rank_max;
};

extern const struct mq_ops mq_posix_ops;
extern const struct mq_ops mq_sysv_ops;

/* mq-sysv.c: the identifier behind a name; that of an id: name is not looked at. */
int mq_sysv_find(const struct ipckit_name *name, int *id);
/* All of a queue, also where it may not be read (MSG_STAT_ANY). -ENOENT where it is gone. */
int mq_sysv_stat(int id, struct msqid_ds *ds);

/* mq-posix.c: a descriptor of an existing queue. flags: O_RDONLY, O_WRONLY, O_RDWR, and O_NONBLOCK. */
int mq_posix_open_fd(const struct ipckit_name *name, int flags);
/* Only to look, under any right that there is: for reading, else for writing. */
int mq_posix_look_fd(const struct ipckit_name *name);

/* Fills in what was left out of a geometry as the kernel would. */
void mq_posix_complete(struct ipckit_mq_spec *spec);

/* mq-notify.c */
int mq_posix_notify(struct ipckit_mq *mq, const struct ipckit_deadline *deadline, struct ipckit_maybe *sender);

#endif
