/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Queues as objects: how they are made, changed and refused, and the limits behind that. */

#include "unit.h"
#include "rights.h"

#include "queues.h"

#include <mqueue.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct ipckit_mq_wanted nothing;
static const char digits[] = "0123456789012345678901234567890123456789012345678901234567890123456789";

/* ---- creation ---- */

static int create(const char *text, struct ipckit_mq_spec spec, bool *created, struct ipckit_mq_state *state)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_mq *mq;
	int r;

	spec.mode = spec.mode ?: 0600;
	r = ipckit_mq_create(&name, &spec, created, &mq);
	if (r)
		return r;
	CHECK_INT_FOR(text, ipckit_mq_state(mq, state), 0);
	ipckit_mq_close(mq);
	return 0;
}

static void remove_name(const char *text)
{
	struct ipckit_name name = name_of(text);

	CHECK_INT_FOR(text, ipckit_mq_remove(&name), 0);
}

static void test_geometry(void)
{
	static const struct {
		struct ipckit_mq_spec spec;
		int64_t maxmsg, msgsize;
	} rows[] = {
		{ { 0 }, 10, 8192 },
		{ { .maxmsg = 3 }, 3, 8192 },
		{ { .msgsize = 7 }, 10, 7 },
		{ { .maxmsg = 1, .msgsize = 1, .exclusive = true }, 1, 1 },
	};
	struct ipckit_mq_state state = { 0 };
	bool created = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT(create("/jobs", rows[i].spec, &created, &state), 0);
		CHECK(created && state.maxmsg == rows[i].maxmsg && state.msgsize == rows[i].msgsize);
		CHECK(state.size_max == state.msgsize && !state.qbytes && !state.messages && !state.bytes);
		CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ 0 }, &created, &state), 0);
		CHECK(!created && state.maxmsg == rows[i].maxmsg);
		CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .exclusive = true }, &created, &state), -EEXIST);
		CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .maxmsg = 9 }, &created, &state), -EBADMSG);
		CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .msgsize = 9 }, &created, &state), -EBADMSG);
		remove_name("/jobs");
	}
	CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .qbytes = 9 }, &created, &state), -EOPNOTSUPP);
	CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .maxmsg = -9 }, &created, &state), -EINVAL);
	CHECK_INT(create("/jobs", (struct ipckit_mq_spec){ .msgsize = INT64_MIN }, &created, &state), -EINVAL);
	CHECK_INT(create("key:5", (struct ipckit_mq_spec){ .maxmsg = 9 }, &created, &state), -EOPNOTSUPP);
}

static void test_qbytes(void)
{
	struct ipckit_mq_state state = { 0 };
	bool created = false;
	const char *key = queue_names[1];

	CHECK_INT(create(key, (struct ipckit_mq_spec){ .qbytes = 100 }, &created, &state), 0);
	CHECK(created && state.qbytes == 100 && state.size_max == 100 && !state.maxmsg && !state.msgsize);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ .qbytes = 100 }, &created, &state), 0);
	CHECK(!created);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ 0 }, &created, &state), 0);
	CHECK(!created && state.qbytes == 100);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ .qbytes = 101 }, &created, &state), -EBADMSG);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ .exclusive = true }, &created, &state), -EEXIST);
	remove_name(key);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ 0 }, &created, &state), 0);
	CHECK(created && state.qbytes == 16384 && state.size_max == 8192);
	remove_name(key);
	/* A queue that did not get its qbytes is not left behind. */
	CHECK_INT(create(key, (struct ipckit_mq_spec){ .qbytes = 16385 }, &created, &state), -EPERM);
	CHECK_INT(create(key, (struct ipckit_mq_spec){ .qbytes = 1LL << 40 }, &created, &state), -EPERM);
	CHECK_INT(msgget(0x6a6f6273, 0), -1);
}

/* Two that make the same queue at a time agree, whoever comes first. */
static void test_race(void)
{
	struct ipckit_mq_state state = { 0 };
	bool created;
	int status;
	pid_t pid;

	for (unsigned round = 0; round < 50; round++) {
		const struct ipckit_mq_spec specs[] = { { .maxmsg = 2 }, { .qbytes = 100 } };

		pid = fork();
		for (unsigned i = 0; i < 2; i++)
			if (create(queue_names[i], specs[i], &created, &state) && !pid)
				_exit(1);
		if (!pid)
			_exit(0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		for (unsigned i = 0; i < 2; i++)
			remove_name(queue_names[i]);
	}
}

static void test_private(void)
{
	struct ipckit_mq *one = make_queue("private", (struct ipckit_mq_spec){ 0 });
	struct ipckit_mq *two = make_queue("private", (struct ipckit_mq_spec){ 0 });

	CHECK(ipckit_mq_id(one) != ipckit_mq_id(two));
	CHECK(!msgctl(ipckit_mq_id(one), IPC_RMID, NULL) && !msgctl(ipckit_mq_id(two), IPC_RMID, NULL));
	ipckit_mq_close(one);
	ipckit_mq_close(two);
}

static unsigned mode_of(const struct ipckit_mq *mq)
{
	struct msqid_ds ds;
	struct stat st;

	if (is_posix(mq))
		return fstat(ipckit_mq_id(mq), &st) ? 01000 : st.st_mode & 0777;
	return msgctl(ipckit_mq_id(mq), IPC_STAT, &ds) ? 01000 : ds.msg_perm.mode & 0777;
}

static void test_mode(const char *text)
{
	static const unsigned masks[] = { 0, 022, 0777 }, modes[] = { 0600, 0666, 0777, 0420 };
	struct ipckit_name name = name_of(text);
	struct ipckit_mq *mq;
	unsigned mode = 0640;

	for (size_t i = 0; i < 3 * 4; i++) {
		umask(masks[i / 4]);
		mq = make_queue(text, (struct ipckit_mq_spec){ .mode = modes[i % 4] });
		CHECK_INT(mode_of(mq), modes[i % 4]);
		CHECK_INT(ipckit_mq_set(&name, &(struct ipckit_mq_change){ &mode, NULL, (uid_t)-1, (gid_t)-1 }), 0);
		CHECK_INT(mode_of(mq), mode);
		CHECK(umask(022) == masks[i / 4]);
		remove_queue(text, mq);
	}
}

static void test_set(void)
{
	struct ipckit_mq *mq = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });
	struct ipckit_name key = name_of(queue_names[1]), jobs = name_of("/jobs");
	struct ipckit_mq_change change = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct ipckit_mq_state state;
	int64_t qbytes = 50;
	unsigned bad = 01000;

	CHECK_INT(put(mq, 1, digits, 51, &now), 0);
	change.qbytes = &qbytes;
	CHECK_INT(ipckit_mq_set(&key, &change), 0);
	CHECK_INT(ipckit_mq_set(&jobs, &change), -EOPNOTSUPP);
	/* A sender that has not looked since would wait for ever. */
	CHECK_INT(put(mq, 1, digits, 51, &forever), -EMSGSIZE);
	CHECK_INT(put(mq, 1, digits, 51, &now), -EMSGSIZE);
	CHECK_INT(empty(mq), 1);
	CHECK_INT(put(mq, 1, digits, 50, &now), 0);
	CHECK_INT(empty(mq), 1);
	CHECK_INT(ipckit_mq_state(mq, &state), 0);
	CHECK(state.qbytes == 50 && state.size_max == 50 && state.messages == 0);
	qbytes = 0;
	CHECK_INT(ipckit_mq_set(&key, &change), 0);
	CHECK_INT(put(mq, 1, "", 0, &forever), -EMSGSIZE);
	qbytes = 16384;
	CHECK_INT(ipckit_mq_set(&key, &change), 0);
	CHECK_INT(put(mq, 1, "", 0, &forever), 0);
	qbytes = 16385;
	CHECK_INT(ipckit_mq_set(&key, &change), -EPERM);
	qbytes = (1LL << 40) + 50;
	CHECK_INT(ipckit_mq_set(&key, &change), -EPERM);
	qbytes = -1;
	CHECK_INT(ipckit_mq_set(&key, &change), -EINVAL);
	change = (struct ipckit_mq_change){ .mode = &bad, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	CHECK_INT(ipckit_mq_set(&key, &change), -EINVAL);
	/* An owner whom this user namespace does not know is not a missing queue. */
	change = (struct ipckit_mq_change){ .uid = 4711, .gid = (gid_t)-1 };
	CHECK_INT(ipckit_mq_set(&key, &change), -EINVAL);
	change.uid = 0;
	change.gid = 0;
	CHECK_INT(ipckit_mq_set(&key, &change), 0);
	CHECK_INT(ipckit_mq_state(mq, &state), 0);
	CHECK(state.qbytes == 16384 && state.messages == 1 && state.bytes == 0);
	remove_queue(queue_names[1], mq);
}

/* ---- limits ---- */

static const struct ipckit_limit *find(const struct ipckit_limits *limits, const char *name)
{
	static const struct ipckit_limit none;

	for (size_t i = 0; i < limits->count; i++)
		if (!strcmp(limits->list[i].name, name))
			return &limits->list[i];
	CHECK_FOR(name, !"a limit of this name");
	return &none;
}

static void test_limits(void)
{
	static const struct {
		const char *name;
		int64_t value;
	} rows[] = {
		{ "fs.mqueue.queues_max", 256 },      { "fs.mqueue.msg_max", 10 },
		{ "fs.mqueue.msg_default", 10 },      { "fs.mqueue.msgsize_max", 8192 },
		{ "fs.mqueue.msgsize_default", 8192 }, { "HARD_MSGMAX", 65536 },
		{ "HARD_MSGSIZEMAX", 16777216 },      { "kernel.msgmni", 32000 },
		{ "kernel.msgmax", 8192 },	      { "kernel.msgmnb", 16384 },
	};
	struct ipckit_mq *posix = make_queue("/jobs", (struct ipckit_mq_spec){ .maxmsg = 3, .msgsize = 10 });
	struct ipckit_mq *sysv = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });
	struct ipckit_limits limits;

	if (CHECK_INT(ipckit_mq_limits(&limits), 0)) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			const struct ipckit_limit *limit = find(&limits, rows[i].name);

			CHECK_FOR(rows[i].name, limit->value.known && limit->unit && limit->what);
			CHECK_INT_FOR(rows[i].name, limit->value.value, rows[i].value);
		}
		CHECK_INT(limits.count, sizeof(rows) / sizeof(*rows) + 1);
		CHECK_INT(find(&limits, "RLIMIT_MSGQUEUE")->used.value, 3 * (48 + 48 + 10));
		CHECK(find(&limits, "RLIMIT_MSGQUEUE")->estimate);
		CHECK_INT(find(&limits, "fs.mqueue.queues_max")->used.value, 1);
		CHECK_INT(find(&limits, "kernel.msgmni")->used.value, 1);
		ipckit_limits_free(&limits);
	}
	remove_queue("/jobs", posix);
	remove_queue(queue_names[1], sysv);
}

static void check_hit(int error, enum ipckit_mq_backend backend, struct ipckit_mq *mq,
		      const struct ipckit_mq_wanted *wanted, const char *name, int64_t needed)
{
	struct ipckit_limit limit = { .name = "untouched" };

	CHECK_INT_FOR(name, ipckit_mq_limit_hit(backend, error, mq, wanted, &limit), 0);
	CHECK_STR(limit.name, name);
	CHECK_FOR(name, limit.value.known);
	if (needed >= 0)
		CHECK_INT_FOR(name, limit.needed.known ? limit.needed.value : -1, needed);
}

static void check_none(int error, enum ipckit_mq_backend backend, const struct ipckit_mq_wanted *wanted)
{
	struct ipckit_limit limit = { .name = "untouched" };

	CHECK_INT_FOR(strerror(error), ipckit_mq_limit_hit(backend, error, NULL, wanted, &limit), -ENOENT);
	CHECK_STR(limit.name, "untouched");
}

static void test_hit_geometry(void)
{
	static const struct {
		struct ipckit_mq_spec spec;
		const char *name;
		int64_t needed;
	} rows[] = {
		{ { .maxmsg = 11, .mode = 0600 }, "fs.mqueue.msg_max", 11 },
		{ { .msgsize = 8193, .mode = 0600 }, "fs.mqueue.msgsize_max", 8193 },
		{ { .maxmsg = 65537, .mode = 0600 }, "HARD_MSGMAX", 65537 },
		{ { .msgsize = 1 << 25, .mode = 0600 }, "HARD_MSGSIZEMAX", 1 << 25 },
	};
	struct ipckit_mq_wanted wanted = { 0 };
	struct ipckit_mq_state state;
	bool created;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CHECK_INT(create("/jobs", rows[i].spec, &created, &state), -EINVAL);
		wanted.spec = &rows[i].spec;
		check_hit(EINVAL, IPCKIT_MQ_POSIX, NULL, &wanted, rows[i].name, rows[i].needed);
	}
	wanted.spec = &(struct ipckit_mq_spec){ .maxmsg = 1, .msgsize = 1 };
	check_none(EINVAL, IPCKIT_MQ_POSIX, &wanted);
	check_none(EAGAIN, IPCKIT_MQ_POSIX, &wanted);
	check_none(EINVAL, IPCKIT_MQ_POSIX, &nothing);
	check_none(EAGAIN, IPCKIT_MQ_SYSV, &nothing);
	check_none(EPERM, IPCKIT_MQ_SYSV, &wanted);
	check_none(EMSGSIZE, IPCKIT_MQ_SYSV, &nothing);
}

/* The very number of bytes that the kernel counts is the one that is told. */
static void test_hit_memory(void)
{
	static const struct ipckit_mq_spec specs[] = { { .mode = 0600 },
						       { .maxmsg = 1, .msgsize = 1, .mode = 0600 },
						       { .maxmsg = 7, .msgsize = 33, .mode = 0600 } };
	static const rlim_t needs[] = { 10 * (96 + 8192), 97, 7 * (96 + 33) };
	struct ipckit_mq_wanted wanted = { 0 };
	struct ipckit_mq_state state;
	struct rlimit limit, before;
	bool created;

	getrlimit(RLIMIT_MSGQUEUE, &before);
	limit = before;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		limit.rlim_cur = needs[i] - 1;
		CHECK(!setrlimit(RLIMIT_MSGQUEUE, &limit));
		CHECK_INT(create("/jobs", specs[i], &created, &state), -EMFILE);
		wanted.spec = &specs[i];
		check_hit(EMFILE, IPCKIT_MQ_POSIX, NULL, &wanted, "RLIMIT_MSGQUEUE", (int64_t)needs[i]);
		limit.rlim_cur++;
		CHECK(!setrlimit(RLIMIT_MSGQUEUE, &limit));
		CHECK_INT(create("/jobs", specs[i], &created, &state), 0);
		remove_name("/jobs");
	}
	CHECK(!setrlimit(RLIMIT_MSGQUEUE, &before));
}

static void test_hit_descriptors(void)
{
	const struct ipckit_mq_spec spec = { .mode = 0600 };
	const struct ipckit_mq_wanted wanted = { .spec = &spec };
	struct ipckit_mq_state state;
	struct rlimit before, limit;
	int fds[256], n = 0;
	bool created;

	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = 64;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	while (n < 256 && (fds[n] = open("/", O_PATH)) >= 0)
		n++;
	CHECK_INT(create("/jobs", spec, &created, &state), -EMFILE);
	check_hit(EMFILE, IPCKIT_MQ_POSIX, NULL, &wanted, "RLIMIT_NOFILE", -1);
	/* Under valgrind it is made before it is refused. */
	mq_unlink("/jobs");
	while (n)
		close(fds[--n]);
	CHECK(!setrlimit(RLIMIT_NOFILE, &before));
}

static void write_sysctl(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK_FOR(path, fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void test_hit_number(void)
{
	static const char *const sysctls[] = { "/proc/sys/fs/mqueue/queues_max", "/proc/sys/kernel/msgmni" };
	static const char *const before[] = { "256", "32000" };
	static const char *const names[] = { "fs.mqueue.queues_max", "kernel.msgmni" };
	static const char *const others[] = { "/other", "key:4712" };
	const struct ipckit_mq_spec spec = { .mode = 0600 };
	const struct ipckit_mq_wanted wanted = { .spec = &spec };
	struct ipckit_mq_state state;
	bool created;

	for (int i = 0; i < 2; i++) {
		struct ipckit_mq *mq = make_queue(queue_names[i], (struct ipckit_mq_spec){ 0 });

		write_sysctl(sysctls[i], "1");
		CHECK_INT(create(others[i], spec, &created, &state), -ENOSPC);
		check_hit(ENOSPC, (enum ipckit_mq_backend)i, NULL, &wanted, names[i], -1);
		write_sysctl(sysctls[i], before[i]);
		remove_queue(queue_names[i], mq);
	}
}

static void test_hit_size(void)
{
	struct ipckit_mq *posix = make_queue("/jobs", (struct ipckit_mq_spec){ .msgsize = 10 });
	struct ipckit_mq *sysv = make_queue(queue_names[1], (struct ipckit_mq_spec){ .qbytes = 100 });
	const int64_t qbytes = 20000, more = 1LL << 40;
	struct ipckit_mq_wanted wanted = { 0 };

	CHECK_INT(put(posix, 1, "01234567890", 11, &forever), -EMSGSIZE);
	check_hit(EMSGSIZE, IPCKIT_MQ_POSIX, posix, &(struct ipckit_mq_wanted){ .size = 11 }, "msgsize", 11);
	check_hit(EMSGSIZE, IPCKIT_MQ_SYSV, sysv, &(struct ipckit_mq_wanted){ .size = 101 }, "qbytes", 101);
	check_hit(EMSGSIZE, IPCKIT_MQ_SYSV, sysv, &(struct ipckit_mq_wanted){ .size = 8193 }, "kernel.msgmax",
		  8193);
	wanted.qbytes = &qbytes;
	check_hit(EPERM, IPCKIT_MQ_SYSV, NULL, &wanted, "kernel.msgmnb", qbytes);
	wanted.qbytes = &more;
	check_hit(EPERM, IPCKIT_MQ_SYSV, NULL, &wanted, "INT_MAX", more);
	/* kernel.msgmax may be lowered while a queue is used. */
	write_sysctl("/proc/sys/kernel/msgmax", "50");
	CHECK_INT(put(sysv, 1, digits, 60, &forever), -EMSGSIZE);
	CHECK_INT(put(sysv, 1, digits, 50, &forever), 0);
	write_sysctl("/proc/sys/kernel/msgmax", "8192");
	CHECK_INT(put(sysv, 1, "", 0, &now), 0);
	remove_queue("/jobs", posix);
	remove_queue(queue_names[1], sysv);
}

/* ---- the rights of an owner without privileges ---- */

/* A queue that its owner has taken all rights of can still be changed by him. */
static void test_owner(const char *text)
{
	struct ipckit_name name = name_of(text);
	struct ipckit_mq *mq = make_queue(text, (struct ipckit_mq_spec){ .mode = 0200 }), *other = NULL;
	unsigned none = 0, all = 0600;
	struct ipckit_mq_change change = { .mode = &none, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct ipckit_mq_spec spec = { .mode = 0600 };
	struct ipckit_mq_state state;
	union buffer got;
	bool created = true;
	size_t size;

	/* Only to send, as far as that goes. */
	CHECK_INT(ipckit_mq_create(&name, &spec, &created, &other), 0);
	CHECK(!created);
	CHECK_INT(put(other, 1, "x", 1, &forever), 0);
	CHECK_INT(ipckit_mq_state(other, &state), 0);
	CHECK(state.messages == 1 && state.size_max == 8192);
	CHECK_INT(ipckit_mq_receive(other, NULL, &got.message, ROOM, false, &size, &now), -EACCES);
	ipckit_mq_close(other);
	other = open_queue(text, 0);
	CHECK_INT(ipckit_mq_wait(other, 1, &now), 0);
	ipckit_mq_close(other);

	CHECK_INT(ipckit_mq_set(&name, &change), 0);
	if (is_posix(mq))
		CHECK_INT(ipckit_mq_open(&name, IPCKIT_MQ_SEND, &other), -EACCES);
	else
		CHECK_INT(put(mq, 1, "x", 1, &forever), -EACCES);
	change.mode = &all;
	CHECK_INT(ipckit_mq_set(&name, &change), 0);
	CHECK_INT(mode_of(mq), 0600);
	CHECK_INT(empty(mq), 1);
	remove_queue(text, mq);
}

int main(void)
{
	test_geometry();
	test_qbytes();
	test_race();
	test_private();
	test_mode("/jobs");
	test_mode(queue_names[1]);
	test_set();
	test_limits();
	test_hit_geometry();
	test_hit_memory();
	test_hit_descriptors();
	test_hit_number();
	test_hit_size();
	give_up_rights();
	test_owner("/jobs");
	test_owner(queue_names[1]);
	return unit_done("queues as objects");
}
