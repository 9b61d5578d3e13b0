/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is told of pipes, FIFOs and sockets by each of their names, and of those in a directory. */

#include "channels.h"

#include <errno.h>

static void do_pause(void)
{
	pause();
}

static void test_pipe(void)
{
	struct ipckit_channel_info info;
	const struct ipckit_channel_user *user;
	struct ipckit_name name;
	char object[40];
	pid_t pid;

	CHECK_INT(fcntl(full[0], F_GETPIPE_SZ), 4096);
	object_of(full[0], object);
	name = name_of(object);
	/* The caller is no user. */
	CHECK_INT(ipckit_channel_stat(&name, &info), -ENOENT);
	pid = start(do_pause);
	user = await(&name, pid, full[0], false, &info);
	CHECK(user && user->reads && !user->writes && !user->call && !user->tid);
	user = user_of(&info, pid, full[1]);
	CHECK(user && !user->reads && user->writes);
	CHECK(info.kind == IPCKIT_CHANNEL_PIPE && !info.name && info.readers.value == 1 && info.writers.value == 1);
	CHECK(info.capacity.known && info.capacity.value == 4096 && info.bytes.known && info.bytes.value == 4096);
	CHECK(info.uid.known && info.uid.value == geteuid() && !info.gaps.count);
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);

	/* Through its own descriptor it is one. */
	snprintf(object, sizeof(object), "fd:%d", full[0]);
	name = name_of(object);
	CHECK_INT(ipckit_channel_stat(&name, &info), 0);
	CHECK(user_of(&info, getpid(), full[0]) && user_of(&info, pid, full[1]) && info.bytes.value == 4096);
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
	snprintf(object, sizeof(object), "%d:%d", (int)pid, empty[1]);
	name = name_of(object);
	CHECK_INT(ipckit_channel_stat(&name, &info), 0);
	CHECK(info.bytes.known && !info.bytes.value && info.nusers == 2);
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
	stop(pid);
}

static void test_fifo(void)
{
	struct ipckit_name name = name_of(fifo);
	struct ipckit_channel_info info;
	const struct ipckit_channel_user *user;
	int fd = open(fifo, O_RDWR);
	pid_t pid;

	CHECK(write(fd, "12345", 5) == 5);
	pid = start(do_pause);
	user = await(&name, pid, fd, false, &info);
	CHECK(user && user->reads && user->writes);
	CHECK(info.kind == IPCKIT_CHANNEL_FIFO && unit_same(info.name, fifo) && info.mode.value == 0600);
	CHECK(info.bytes.known && info.bytes.value == 5 && info.readers.value == 1 && info.writers.value == 1);
	ipckit_channel_info_free(&info);
	stop(pid);
	close(fd);
	/* Of one that is not in use these are neither known nor missing. */
	CHECK_INT(ipckit_channel_stat(&name, &info), 0);
	CHECK(!info.capacity.known && !info.bytes.known && !info.nusers && !info.gaps.count && !info.readers.value);
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
}

static void test_socket(void)
{
	struct ipckit_channel_info info;
	const struct ipckit_channel_user *user;
	struct ipckit_name name;
	char object[40];
	struct stat st = { 0 };
	pid_t pid;

	CHECK_INT(send(pair[0], page, 7, 0), 7);
	CHECK(!fstat(pair[0], &st));
	object_of(pair[1], object);
	name = name_of(object);
	pid = start(do_pause);
	user = await(&name, pid, pair[1], false, &info);
	CHECK(user && user->reads && user->writes);
	CHECK(info.kind == IPCKIT_CHANNEL_UNIX && !info.foreign && !info.name);
	CHECK_STR(info.type, "stream");
	CHECK_STR(info.state, "established");
	if (info.peer_inode.known) {
		CHECK(info.peer_inode.value == (int64_t)st.st_ino && info.bytes.value == 7);
		CHECK(info.npeers == 1 && info.peers[0].pid == pid && info.peers[0].fd == pair[0]);
	}
	ipckit_channel_info_free(&info);
	ipckit_name_free(&name);
	stop(pid);
	CHECK_INT(recv(pair[1], page, 7, 0), 7);
}

static void test_list(void)
{
	struct ipckit_channels channels;
	pid_t pid = start(do_pause);
	struct stat st = { 0 };
	bool found = false;

	CHECK(!fstat(empty[0], &st));
	CHECK_INT(ipckit_channel_list(IPCKIT_CHANNEL(IPCKIT_CHANNEL_PIPE), &channels), 0);
	for (size_t i = 0; i < channels.count; i++) {
		CHECK(channels.list[i].kind == IPCKIT_CHANNEL_PIPE);
		CHECK(!i || channels.list[i - 1].inode < channels.list[i].inode);
		found |= channels.list[i].inode == st.st_ino && user_of(&channels.list[i], pid, empty[1]);
	}
	CHECK(found);
	ipckit_channels_free(&channels);
	stop(pid);
}

static void test_refused(void)
{
	static const struct {
		const char *name;
		int r;
	} rows[] = {
		{ "/nowhere/at/all", -ENOENT },
		{ "/", -EBADMSG },
		{ "/proc/self", -ELOOP },
		{ "fd:1000000", -ENOENT },
		{ "2147483647:0", -ESRCH },
		{ "pipe:4294967295", -ENOENT },
		{ "socket:4294967295", -ENOENT },
	};
	struct ipckit_channel_info info;
	const char *const missing[] = { "/nowhere/at/all" };
	struct ipckit_channels channels;
	const char *failed;
	int null = open("/dev/null", O_RDONLY);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ipckit_name name = name_of(rows[i].name);

		CHECK_INT_FOR(rows[i].name, ipckit_channel_stat(&name, &info), rows[i].r);
		ipckit_name_free(&name);
	}
	CHECK_INT(ipckit_channel_stat(&(struct ipckit_name){ .kind = IPCKIT_NAME_FD, .fd = null }, &info), -EBADMSG);
	CHECK_INT(ipckit_channel_list_in(missing, 1, IPCKIT_CHANNELS_ALL, &failed, &channels), -ENOENT);
	CHECK(failed == missing[0]);
	close(null);
}

/* ---- paths of sockets ---- */

static int bind_to(const char *path, int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

static void test_dead(void)
{
	struct ipckit_channel_info info;
	struct ipckit_name name;
	char path[108];
	int fd;

	snprintf(path, sizeof(path), "%s/socket", directory);
	name = name_of(path);
	for (int i = 0; i < 3; i++) {
		fd = bind_to(path, i == 0 ? SOCK_STREAM : i == 1 ? SOCK_DGRAM : SOCK_SEQPACKET);
		CHECK_INT(ipckit_channel_stat(&name, &info), 0);
		CHECK(info.kind == IPCKIT_CHANNEL_UNIX && info.bound.known && info.bound.value && !info.nusers);
		ipckit_channel_info_free(&info);
		CHECK_INT(ipckit_channel_remove_dead(path), -EADDRINUSE);
		close(fd);
		CHECK_INT(ipckit_channel_stat(&name, &info), 0);
		CHECK(info.bound.known && !info.bound.value && !info.state);
		ipckit_channel_info_free(&info);
		CHECK_INT(ipckit_channel_remove_dead(path), 0);
		CHECK_INT(ipckit_channel_remove_dead(path), -ENOENT);
	}
	ipckit_name_free(&name);
	CHECK_INT(ipckit_channel_remove_dead(fifo), -EBADMSG);
	CHECK_INT(ipckit_channel_remove_dead("/proc/self"), -ELOOP);
}

int main(void)
{
	if (set_up()) {
		test_pipe();
		test_fifo();
		test_socket();
		test_list();
		test_refused();
		test_dead();
	}
	clear_up();
	return unit_done("channel-stat");
}
