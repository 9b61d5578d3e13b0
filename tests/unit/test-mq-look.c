/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Looking at queues: what their files say, and, where the test has namespaces of its own, real ones. */

#include "failing.h"
#include "rights.h"

#include "../../lib/mq-look.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSIX(text_) ((struct ipckit_name){ .kind = IPCKIT_NAME_POSIX, .written = (text_), .text = (text_) })
#define ID(id_)      ((struct ipckit_name){ .kind = IPCKIT_NAME_ID, .written = "id:", .id = (id_) })

/* ---- the file's text ---- */

static void test_text(void)
{
	static const struct {
		const char *text;
		int64_t bytes;
		enum ipckit_mq_notification notify;
		int signal;
		int pid; /* -1: unknown */
	} rows[] = {
		{ "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n", 0, IPCKIT_MQ_NOTIFY_NONE, 0, 0 },
		{ "QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260", 129, IPCKIT_MQ_NOTIFY_THREAD, 0, 8260 },
		{ "QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:0\n", 129, IPCKIT_MQ_NOTIFY_THREAD, 0, -1 },
		{ "QSIZE:5 NOTIFY:1 SIGNO:0 NOTIFY_PID:7\n", 5, IPCKIT_MQ_NOTIFY_SILENT, 0, 7 },
		{ "QSIZE:5 NOTIFY:0 SIGNO:10 NOTIFY_PID:7\n", 5, IPCKIT_MQ_NOTIFY_SIGNAL, 10, 7 },
		{ "QSIZE:5 NOTIFY:0 SIGNO:10 NOTIFY_PID:0\n", 5, IPCKIT_MQ_NOTIFY_SIGNAL, 10, -1 },
		{ "QSIZE:5 NOTIFY:0 SIGNO:0 NOTIFY_PID:7\n", 5, IPCKIT_MQ_NOTIFY_SIGNAL, 0, 7 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mq_status status;

		if (!CHECK_FOR(rows[i].text, !mq_status_parse(rows[i].text, &status)))
			continue;
		CHECK_INT_FOR(rows[i].text, status.bytes, rows[i].bytes);
		CHECK_INT_FOR(rows[i].text, status.notify, rows[i].notify);
		CHECK_INT_FOR(rows[i].text, status.signal, rows[i].signal);
		CHECK_INT_FOR(rows[i].text, status.pid.known ? status.pid.value : -1, rows[i].pid);
	}
}

static void test_bad_text(void)
{
	static const char *const rows[] = {
		"",
		"\n",
		"QSIZE:1 NOTIFY:0 SIGNO:0",
		"QSIZE: NOTIFY:0 SIGNO:0 NOTIFY_PID:0",
		"QSIZE:-1 NOTIFY:0 SIGNO:0 NOTIFY_PID:0",
		"QSIZE:9223372036854775808 NOTIFY:0 SIGNO:0 NOTIFY_PID:0",
		"QSIZE:1 NOTIFY:3 SIGNO:0 NOTIFY_PID:0",
		"QSIZE:1 NOTIFY:0 SIGNO:0 NOTIFY_PID:2147483648",
		"QSIZE:1 NOTIFY:0 SIGNO:0 NOTIFY_PID:0\nmore",
		"NOTIFY:0 QSIZE:1 SIGNO:0 NOTIFY_PID:0",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mq_status status = { .bytes = 77 };

		CHECK_INT_FOR(rows[i], mq_status_parse(rows[i], &status), -EBADMSG);
		CHECK_INT_FOR(rows[i], status.bytes, 77);
	}
}

/* ---- real ones ---- */

/* Runs a test as a process of its own, which may leave its namespaces or its rights. */
static void apart(void (*test)(void), int namespaces)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (!namespaces || CHECK(!unshare(namespaces)))
			test();
		fflush(stdout);
		_exit(unit_failures != 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
}

static mqd_t make(const char *name, unsigned mode)
{
	struct mq_attr attr = { .mq_maxmsg = 5, .mq_msgsize = 100 };
	mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, mode, &attr);

	CHECK_FOR(name, queue >= 0 && !fchmod(queue, mode));
	return queue;
}

static int gap(const struct ipckit_mq_info *info, const char *key)
{
	for (size_t i = 0; i < info->gaps.count; i++)
		if (!strcmp(info->gaps.list[i].key, key))
			return info->gaps.list[i].error;
	return 0;
}

/* What a list says of a name; NULL: not there. */
static const struct ipckit_mq_info *find(const struct ipckit_mq_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->list[i].name, name))
			return &list->list[i];
	return NULL;
}

static void check_posix(const struct ipckit_mq_info *info)
{
	CHECK(info->backend == IPCKIT_MQ_POSIX);
	CHECK_STR(info->name, "/jobs");
	CHECK_INT(info->messages.value, 2);
	CHECK_INT(info->bytes.value, 8);
	CHECK_INT(info->maxmsg.value, 5);
	CHECK_INT(info->msgsize.value, 100);
	CHECK_INT(info->mode.value, 0640);
	CHECK(info->uid.known && info->uid.value == (int64_t)getuid() && info->inode && info->device);
	CHECK(info->messages.known && info->bytes.known && info->mtime.known && info->atime.known);
	CHECK(!info->key.known && !info->id.known && !info->qbytes.known && !info->stime.known);
	CHECK_INT(info->gaps.count, 0);
}

static void check_notification(mqd_t queue, const struct sigevent *event, enum ipckit_mq_notification kind)
{
	struct ipckit_mq_info info;

	CHECK(!mq_notify(queue, event));
	if (!CHECK(!ipckit_mq_stat(&POSIX("/jobs"), 0, &info)))
		return;
	CHECK(info.notify.known && info.notify_pid.known && info.notify_signal.known);
	CHECK_INT(info.notify.value, kind);
	CHECK_INT(info.notify_pid.value, event ? getpid() : 0);
	CHECK_INT(info.notify_signal.value, kind == IPCKIT_MQ_NOTIFY_SIGNAL ? event->sigev_signo : 0);
	ipckit_mq_info_free(&info);
}

static void test_posix(mqd_t queue)
{
	const struct sigevent signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct sigevent silent = { .sigev_notify = SIGEV_NONE };
	struct ipckit_mq_list list;
	struct ipckit_mq_info info;

	CHECK(!mq_send(queue, "hello", 5, 1) && !mq_send(queue, "you", 3, 0));
	if (CHECK(!ipckit_mq_stat(&POSIX("/jobs"), 0, &info))) {
		check_posix(&info);
		ipckit_mq_info_free(&info);
	}
	if (CHECK(!ipckit_mq_list(0, &list))) {
		CHECK(!list.posix_error && !list.sysv_error && !list.left_out);
		if (CHECK(find(&list, "/jobs")))
			check_posix(find(&list, "/jobs"));
		ipckit_mq_list_free(&list);
	}
	check_notification(queue, &signal, IPCKIT_MQ_NOTIFY_SIGNAL);
	check_notification(queue, NULL, IPCKIT_MQ_NOTIFY_NONE);
	check_notification(queue, &silent, IPCKIT_MQ_NOTIFY_SILENT);
	CHECK(!mq_notify(queue, NULL));
	CHECK_INT(ipckit_mq_stat(&POSIX("/missing"), 0, &info), -ENOENT);
	CHECK(mq_open("/missing", O_RDONLY) < 0 && errno == ENOENT);
}

static void check_closed(const struct ipckit_mq_info *info)
{
	static const char *const keys[] = { "curmsgs", "maxmsg",        "msgsize",   "bytes",
					    "notify",   "notify_signal", "notify_pid" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		CHECK_INT_FOR(keys[i], gap(info, keys[i]), EACCES);
	CHECK(!info->messages.known && !info->bytes.known && !info->notify.known && !info->notify_pid.known);
	CHECK(info->mode.known && info->mode.value == 0);
	CHECK(info->uid.known && info->mtime.known && info->inode);
}

static void test_closed(void)
{
	struct ipckit_mq_list list;
	struct ipckit_mq_info info;

	give_up_rights();
	if (CHECK(!ipckit_mq_stat(&POSIX("/closed"), 0, &info))) {
		check_closed(&info);
		ipckit_mq_info_free(&info);
	}
	if (CHECK(!ipckit_mq_stat(&POSIX("/write-only"), 0, &info))) {
		CHECK(info.messages.known && info.maxmsg.value == 5 && !info.bytes.known);
		CHECK_INT(gap(&info, "bytes"), EACCES);
		ipckit_mq_info_free(&info);
	}
	if (CHECK(!ipckit_mq_list(0, &list))) {
		CHECK_INT(list.posix_error, 0);
		CHECK_INT(list.left_out, 0);
		if (CHECK(find(&list, "/closed")))
			check_closed(find(&list, "/closed"));
		ipckit_mq_list_free(&list);
	}
}

static void check_mount(const char *what, int error, unsigned left_out, bool listed)
{
	struct ipckit_mq_list list;

	if (!CHECK_FOR(what, !ipckit_mq_list(0, &list)))
		return;
	CHECK_INT_FOR(what, list.posix_error, error);
	CHECK_INT_FOR(what, list.left_out, left_out);
	CHECK_FOR(what, !!find(&list, "/jobs") == listed);
	ipckit_mq_list_free(&list);
}

static void test_mounts(void)
{
	struct ipckit_mq_info info;

	check_mount("as it is", 0, 0, true);
	if (CHECK(!mount("/dev/null", "/dev/mqueue/closed", NULL, MS_BIND, NULL))) {
		check_mount("a device on an entry", 0, 1, true);
		CHECK(!umount("/dev/mqueue/closed"));
	}
	if (!CHECK(!mount("none", "/dev/mqueue", "tmpfs", 0, NULL)))
		return;
	check_mount("another file system", ENODEV, 0, false);
	if (CHECK(!ipckit_mq_stat(&POSIX("/jobs"), 0, &info))) {
		check_posix(&info);
		ipckit_mq_info_free(&info);
	}
	give_up_rights();
	CHECK_INT(ipckit_mq_stat(&POSIX("/closed"), 0, &info), -EACCES);
}

static void test_foreign_mount(void)
{
	struct ipckit_mq_info info;

	check_mount("another IPC namespace, none of its own", EXDEV, 0, false);
	close(make("/jobs", 0600));
	check_mount("another IPC namespace, the same name", EXDEV, 0, false);
	CHECK(!mq_unlink("/jobs"));
	give_up_rights();
	check_mount("another IPC namespace, without rights", EXDEV, 0, false);
	close(make("/jobs", 0));
	CHECK_INT(ipckit_mq_stat(&POSIX("/jobs"), 0, &info), -EACCES);
}

static void test_empty_mounts(void)
{
	mqd_t own;

	CHECK(!mount("none", "/dev/mqueue", "mqueue", 0, NULL));
	check_mount("empty", 0, 0, false);
	if (!CHECK(!unshare(CLONE_NEWIPC)))
		return;
	check_mount("empty, another IPC namespace's", EXDEV, 0, false);
	own = make("/jobs", 0600);
	give_up_rights();
	/* Nothing tells it then. */
	check_mount("the same without rights", 0, 0, false);
	close(own);
}

static int sysv_id;

/* The registered process, and who sent, are of a PID namespace above. */
static void check_hidden_pid(void)
{
	struct ipckit_mq_info info;

	if (CHECK(!ipckit_mq_stat(&ID(sysv_id), 0, &info))) {
		CHECK(!info.lspid.known && info.lrpid.known && !info.lrpid.value);
		ipckit_mq_info_free(&info);
	}

	if (!CHECK(!ipckit_mq_stat(&POSIX("/jobs"), 0, &info)))
		return;
	CHECK(info.notify.known && info.notify.value == IPCKIT_MQ_NOTIFY_SIGNAL);
	CHECK(info.notify_signal.known && info.notify_signal.value == SIGUSR1 && !info.notify_pid.known);
	ipckit_mq_info_free(&info);
}

static void test_hidden_pid(void)
{
	const struct sigevent signal = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	mqd_t queue = mq_open("/jobs", O_RDONLY);

	CHECK(queue >= 0 && !mq_notify(queue, &signal));
	CHECK(!unshare(CLONE_NEWPID));
	apart(check_hidden_pid, 0);
}

static void test_in_use(mqd_t queue)
{
	struct ipckit_mq_info info = { .backend = IPCKIT_MQ_POSIX, .name = "/jobs" };
	struct stat st;
	int path;

	CHECK(!fstat(queue, &st));
	info.device = st.st_dev;
	info.inode = st.st_ino;
	mq_ask_in_use(&info);
	if (!info.in_use.known) {
		puts("# the kernel gives no leases on queues");
		return;
	}
	CHECK_INT(info.in_use.value, 1);
	close(queue);
	queue = mq_open("/jobs", O_RDONLY);
	mq_ask_in_use(&info);
	CHECK_INT(info.in_use.value, 1);
	close(queue);
	path = open("/dev/mqueue/jobs", O_PATH | O_CLOEXEC);
	mq_ask_in_use(&info);
	CHECK(info.in_use.known && !info.in_use.value);
	close(path);
	info.inode++;
	mq_ask_in_use(&info);
	CHECK(!info.in_use.known);
}

/* ---- System V ---- */

static pid_t sender;

static void check_sysv(const struct ipckit_mq_info *info, int id)
{
	CHECK(info->backend == IPCKIT_MQ_SYSV && info->id.known && info->id.value == id);
	CHECK(info->messages.known && info->messages.value == 1);
	CHECK(info->bytes.known && info->bytes.value == 5);
	CHECK(info->qbytes.known && info->qbytes.value == 4000);
	CHECK(info->key.known && info->key.value == 0x4711);
	CHECK(info->lspid.known && info->lspid.value == sender);
	CHECK(info->lrpid.known && !info->lrpid.value && info->rtime.known && !info->rtime.value);
	CHECK(info->stime.known && info->stime.value > 0 && info->ctime.known && info->ctime.value > 0);
	CHECK(info->mode.known && info->mode.value == 0200 && info->cuid.known && info->cgid.known);
	CHECK(!info->maxmsg.known && !info->notify.known && !info->mtime.known);
	CHECK_INT(info->gaps.count, 0);
}

static int make_sysv(void)
{
	const struct {
		long type;
		char text[5];
	} message = { 7, "hello" };
	struct msqid_ds ds;
	int id = msgget(0x4711, IPC_CREAT | IPC_EXCL | 0600);

	CHECK(id >= 0 && !msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 4000;
	ds.msg_perm.mode = 0200;
	CHECK(!msgctl(id, IPC_SET, &ds));
	CHECK(!msgsnd(id, &message, sizeof(message.text), 0));
	sender = getpid();
	return id;
}

/* Without the right to read it, too. */
static void test_sysv(void)
{
	struct ipckit_name key = { .kind = IPCKIT_NAME_KEY, .written = "key:0x4711", .key = 0x4711 };
	struct ipckit_mq_list list;
	struct ipckit_mq_info info;
	char name[32];

	snprintf(name, sizeof(name), "id:%d", sysv_id);
	CHECK_INT(ipckit_mq_stat(&ID(sysv_id + 1), 0, &info), -ENOENT);
	if (CHECK(!ipckit_mq_stat(&key, 0, &info))) {
		CHECK_STR(info.name, name);
		check_sysv(&info, sysv_id);
		ipckit_mq_info_free(&info);
	}
	if (CHECK(!ipckit_mq_list(0, &list))) {
		if (CHECK(find(&list, name)))
			check_sysv(find(&list, name), sysv_id);
		ipckit_mq_list_free(&list);
	}
}

static void test_sysv_unread(void)
{
	/* The identifier of a queue that is gone, in the place of one that is there. */
	int id = msgget(IPC_PRIVATE, 0600), again = -1;
	struct ipckit_mq_info info;

	for (int i = 0; i < 200 && again % 32768 != id % 32768; i++) {
		CHECK(!msgctl(again < 0 ? id : again, IPC_RMID, NULL));
		again = msgget(IPC_PRIVATE, 0600);
	}
	CHECK(again != id && again % 32768 == id % 32768);
	CHECK_INT(ipckit_mq_stat(&ID(id), 0, &info), -ENOENT);
	CHECK(!ipckit_mq_stat(&ID(again), 0, &info));
	ipckit_mq_info_free(&info);
	CHECK(!msgctl(again, IPC_RMID, NULL));
	give_up_rights();
	CHECK(msgctl(sysv_id, IPC_STAT, &(struct msqid_ds){ 0 }) < 0 && errno == EACCES);
	test_sysv();
}

/* ---- users, and want of memory ---- */

static void test_users(void)
{
	struct ipckit_mq_info info;
	mqd_t queue;
	int ready[2];
	pid_t child;
	char byte;

	CHECK(!pipe(ready));
	fflush(stdout);
	child = fork();
	if (!child) {
		queue = mq_open("/jobs", O_RDONLY);
		_exit(queue < 0 || write(ready[1], "x", 1) != 1 || pause());
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	if (CHECK(!ipckit_mq_stat(&POSIX("/jobs"), IPCKIT_MQ_USERS | IPCKIT_MQ_IN_USE, &info))) {
		CHECK_INT(info.usage.users.count, 1);
		CHECK(info.usage.users.count == 1 && info.usage.users.list[0].pid == child);
		CHECK(!info.in_use.known);
		ipckit_mq_info_free(&info);
	}
	CHECK(!kill(child, SIGKILL) && waitpid(child, NULL, 0) == child);
	if (CHECK(!ipckit_mq_stat(&POSIX("/jobs"), IPCKIT_MQ_USERS | IPCKIT_MQ_IN_USE, &info))) {
		CHECK_INT(info.usage.users.count, 0);
		CHECK(!info.in_use.known || !info.in_use.value);
		ipckit_mq_info_free(&info);
	}
	if (CHECK(!ipckit_mq_stat(&ID(sysv_id), IPCKIT_MQ_USERS, &info))) {
		CHECK(info.usage.waiters.known && !info.usage.waiters.value);
		ipckit_mq_info_free(&info);
	}
}

static int list_all(void)
{
	struct ipckit_mq_list list;
	int r = ipckit_mq_list(IPCKIT_MQ_USERS, &list);

	if (!r)
		ipckit_mq_list_free(&list);
	return r;
}

static int stat_one(void)
{
	struct ipckit_mq_info info;
	int r = ipckit_mq_stat(&POSIX("/jobs"), IPCKIT_MQ_USERS, &info);

	if (!r)
		ipckit_mq_info_free(&info);
	return r;
}

static int stat_sysv(void)
{
	struct ipckit_mq_info info;
	int r = ipckit_mq_stat(&ID(sysv_id), 0, &info);

	if (!r)
		ipckit_mq_info_free(&info);
	return r;
}

static void test_real(void)
{
	mqd_t queue = make("/jobs", 0640);

	close(make("/closed", 0));
	close(make("/write-only", 0200));
	sysv_id = make_sysv();
	test_posix(queue);
	apart(test_closed, 0);
	apart(test_mounts, CLONE_NEWNS);
	apart(test_foreign_mount, CLONE_NEWIPC);
	apart(test_empty_mounts, CLONE_NEWIPC | CLONE_NEWNS);
	apart(test_hidden_pid, 0);
	test_in_use(queue);
	test_sysv();
	apart(test_sysv_unread, 0);
	test_users();
	check_failing("list", list_all);
	check_failing("stat", stat_one);
	check_failing("stat of System V", stat_sysv);
}

int main(void)
{
	test_text();
	test_bad_text();
	if (getenv("IPCKIT_ISOLATED"))
		test_real();
	return unit_done("looking at queues");
}
