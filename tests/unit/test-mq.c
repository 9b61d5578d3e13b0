/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages through queues of both backends: what comes out, what is refused. How calls wait: test-mq-wait.c. */

#include "unit.h"

#include "failing.h"
#include "queues.h"

/* ---- what comes out ---- */

static void check_back(const char *row, struct ipckit_mq *mq, const union buffer *sent, size_t size)
{
	union buffer got;
	size_t n = 4711;

	CHECK_INT_FOR(row, ipckit_mq_send(mq, &sent->message, size, &now), 0);
	memset(&got, 0xee, sizeof(got));
	CHECK_INT_FOR(row, ipckit_mq_receive(mq, NULL, &got.message, ROOM, false, &n, &forever), 0);
	CHECK_INT_FOR(row, n, size);
	CHECK_INT_FOR(row, got.message.rank, sent->message.rank);
	CHECK_FOR(row, !memcmp(got.message.data, sent->message.data, size));
	CHECK_FOR(row, size == ROOM || got.message.data[size] == (char)0xee);
}

static void test_bytes(const char *name)
{
	static const size_t sizes[] = { 0, 1, 7, 256, 4000, 4048, 4049, ROOM };
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	long ranks[] = { 1, 17, is_posix(mq) ? 0 : 0x1234567, is_posix(mq) ? 32767 : LONG_MAX };
	union buffer sent;

	for (size_t i = 0; i < ROOM; i++)
		sent.message.data[i] = (char)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		sent.message.rank = ranks[i % 4];
		check_back(name, mq, &sent, sizes[i]);
	}
	remove_queue(name, mq);
}

/* Sends messages whose only byte is a letter, then receives them: the letters in their order. */
static void check_order(struct ipckit_mq *mq, const long *ranks, size_t n, const struct ipckit_mq_select *select,
			const char *want)
{
	union buffer buffer;
	char got[16] = "";
	size_t size;

	for (size_t i = 0; i < n; i++)
		CHECK_INT(put(mq, ranks[i], (const char[]){ (char)('a' + i) }, 1, &now), 0);
	for (size_t i = 0; !ipckit_mq_receive(mq, select, &buffer.message, ROOM, false, &size, &now); i++) {
		got[i] = buffer.message.data[0];
		CHECK_INT(buffer.message.rank, ranks[got[i] - 'a']);
	}
	CHECK_STR(got, want);
	empty(mq);
}

static void test_order(void)
{
	static const long ranks[] = { 3, 1, 4, 1, 5 };
	static const struct {
		struct ipckit_mq_select select;
		const char *want;
	} rows[] = {
		{ { IPCKIT_MQ_FIRST, 0 }, "abcde" },	    { { IPCKIT_MQ_FIRST, -9 }, "abcde" },
		{ { IPCKIT_MQ_TYPE, 1 }, "bd" },	    { { IPCKIT_MQ_TYPE, LONG_MAX }, "" },
		{ { IPCKIT_MQ_UP_TO, 3 }, "bda" },	    { { IPCKIT_MQ_UP_TO, 1 }, "bd" },
		{ { IPCKIT_MQ_UP_TO, LONG_MAX }, "bdace" }, { { IPCKIT_MQ_EXCEPT, 1 }, "ace" },
		{ { IPCKIT_MQ_EXCEPT, 2 }, "abcde" },
	};
	struct ipckit_mq *posix = make_queue(queue_names[0], (struct ipckit_mq_spec){ 0 });
	struct ipckit_mq *sysv = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });

	check_order(posix, ranks, 5, NULL, "ecabd");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_order(sysv, ranks, 5, &rows[i].select, rows[i].want);
	remove_queue(queue_names[0], posix);
	remove_queue(queue_names[1], sysv);
}

static void test_peek(void)
{
	struct ipckit_mq *mq = make_queue(queue_names[1], (struct ipckit_mq_spec){ 0 });
	union buffer got;
	size_t size = 0;

	CHECK_INT(ipckit_mq_peek(mq, 0, &got.message, ROOM, &size), -ENOMSG);
	CHECK_INT(put(mq, 7, "one", 3, &now), 0);
	CHECK_INT(put(mq, 8, "three", 5, &now), 0);
	CHECK_INT(ipckit_mq_peek(mq, 1, &got.message, ROOM, &size), 0);
	CHECK(size == 5 && got.message.rank == 8 && !memcmp(got.message.data, "three", 5));
	CHECK_INT(ipckit_mq_peek(mq, 0, &got.message, 3, &size), 0);
	CHECK(size == 3 && got.message.rank == 7 && !memcmp(got.message.data, "one", 3));
	CHECK_INT(ipckit_mq_peek(mq, 1, &got.message, 4, &size), -E2BIG);
	CHECK_INT(ipckit_mq_peek(mq, 2, &got.message, ROOM, &size), -ENOMSG);
	CHECK_INT(ipckit_mq_peek(mq, SIZE_MAX, &got.message, ROOM, &size), -ENOMSG);
	CHECK_INT(empty(mq), 2);
	remove_queue(queue_names[1], mq);
	CHECK_INT(size, 3);

	mq = make_queue(queue_names[0], (struct ipckit_mq_spec){ 0 });
	CHECK_INT(ipckit_mq_peek(mq, 0, &got.message, ROOM, &size), -EOPNOTSUPP);
	remove_queue(queue_names[0], mq);
}

/* ---- what is refused ---- */

static void test_refused(const char *name)
{
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	const long least = is_posix(mq) ? 0 : 1, most = is_posix(mq) ? 32767 : LONG_MAX;
	struct ipckit_mq_select select = { .which = IPCKIT_MQ_TYPE };
	union buffer buffer = { .bytes = "" };
	size_t size = 4711;

	CHECK_INT(put(mq, least - 1, "x", 1, &now), -EINVAL);
	CHECK_INT(put(mq, LONG_MIN, "x", 1, &now), -EINVAL);
	if (most < LONG_MAX)
		CHECK_INT(put(mq, most + 1, "x", 1, &now), -EINVAL);
	CHECK_INT(put(mq, 1, "x", 1, &now), 0);
	CHECK_INT(put(mq, 1, buffer.bytes, ROOM + 1, &forever), -EMSGSIZE);
	if (!is_posix(mq))
		CHECK_INT(put(mq, 1, buffer.bytes, SIZE_MAX, &forever), -EMSGSIZE);
	for (int which = IPCKIT_MQ_TYPE; which <= IPCKIT_MQ_EXCEPT; which++) {
		select.which = (enum ipckit_mq_which)which;
		select.type = 0;
		CHECK_INT(ipckit_mq_receive(mq, &select, &buffer.message, ROOM, false, &size, &now), -EINVAL);
		select.type = LONG_MIN;
		CHECK_INT(ipckit_mq_receive(mq, &select, &buffer.message, ROOM, false, &size, &now), -EINVAL);
	}
	select.type = 5;
	if (is_posix(mq))
		CHECK_INT(ipckit_mq_receive(mq, &select, &buffer.message, ROOM, false, &size, &now), -EOPNOTSUPP);
	CHECK_INT(ipckit_mq_wait(mq, 0, &now), -EINVAL);
	CHECK_INT(size, 4711);
	CHECK_INT(empty(mq), 1);
	CHECK_INT(ipckit_mq_receive(mq, NULL, &buffer.message, ROOM, false, &size, &now), -EAGAIN);
	CHECK(buffer.message.rank < least || buffer.message.rank > most);
	remove_queue(name, mq);
}

static void test_room(const char *name)
{
	struct ipckit_mq *mq = make_queue(name, (struct ipckit_mq_spec){ 0 });
	union buffer got;
	size_t size = 4711;

	for (unsigned i = 0; i < 2; i++) {
		CHECK_INT(put(mq, 9, "0123456789", 10, &now), 0);
		CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, 4, false, &size, &now),
			  is_posix(mq) ? -EMSGSIZE : -E2BIG);
		CHECK_INT(size, 4711);
		memset(&got, 0xee, sizeof(got));
		CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, 4, true, &size, &forever), 0);
		CHECK(size == 4 && got.message.rank == 9 && !memcmp(got.message.data, "0123\xee", 5));
		size = 4711;
	}
	CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, 4, true, &size, &now), -EAGAIN);
	CHECK_INT(put(mq, 9, "", 0, &now), 0);
	CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, 0, true, &size, &now), 0);
	CHECK_INT(size, 0);
	CHECK_INT(put(mq, 9, "whole", 5, &now), 0);
	CHECK_INT(ipckit_mq_receive(mq, NULL, &got.message, ROOM, true, &size, &now), 0);
	CHECK(size == 5 && !memcmp(got.message.data, "whole", 5));
	remove_queue(name, mq);
}

static void test_access(void)
{
	struct ipckit_name missing[] = { name_of("/missing"), name_of("key:0x99"), name_of("id:77777"),
					 name_of("id:2147483647") };
	struct ipckit_name jobs = name_of("/jobs");
	struct ipckit_mq *mq = make_queue("/jobs", (struct ipckit_mq_spec){ 0 }), *other = NULL;
	union buffer got;
	size_t size;

	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		CHECK_INT(ipckit_mq_open(&missing[i], IPCKIT_MQ_SEND, &other), -ENOENT);
		CHECK_INT(ipckit_mq_remove(&missing[i]), -ENOENT);
		CHECK_INT(ipckit_mq_set(&missing[i], &(struct ipckit_mq_change){ .uid = (uid_t)-1 }), -ENOENT);
	}
	CHECK_INT(ipckit_mq_open(&jobs, 4, &other), -EINVAL);
	CHECK(!other);
	other = open_queue("/jobs", IPCKIT_MQ_SEND);
	CHECK(fcntl(ipckit_mq_id(other), F_GETFD) == FD_CLOEXEC);
	CHECK_INT(put(other, 1, "x", 1, &now), 0);
	CHECK_INT(ipckit_mq_receive(other, NULL, &got.message, ROOM, false, &size, &now), -EACCES);
	ipckit_mq_close(other);
	other = open_queue("/jobs", IPCKIT_MQ_RECEIVE);
	CHECK_INT(put(other, 1, "x", 1, &now), -EACCES);
	CHECK_INT(ipckit_mq_receive(other, NULL, &got.message, ROOM, false, &size, &now), 0);
	ipckit_mq_close(other);
	ipckit_mq_close(NULL);
	remove_queue("/jobs", mq);
	CHECK_STR(ipckit_mq_backend_name(IPCKIT_MQ_POSIX), "posix");
	CHECK_STR(ipckit_mq_backend_name(IPCKIT_MQ_SYSV), "sysv");
}

/* ---- allocations ---- */

static int use_posix(void)
{
	const struct ipckit_name name = { .kind = IPCKIT_NAME_POSIX, .text = "/scratch" };
	const struct ipckit_mq_spec spec = { .maxmsg = 2, .mode = 0600 };
	union buffer buffer = { .bytes = "" };
	struct ipckit_mq *mq;
	bool created;
	size_t size;
	int r = ipckit_mq_create(&name, &spec, &created, &mq);

	if (r)
		return r;
	r = ipckit_mq_send(mq, &buffer.message, 2, &now);
	if (!r)
		r = ipckit_mq_receive(mq, NULL, &buffer.message, 1, true, &size, &now);
	(void)!ipckit_mq_remove(&name);
	ipckit_mq_close(mq);
	return r;
}

static int use_sysv(void)
{
	const struct ipckit_name name = { .kind = IPCKIT_NAME_KEY, .key = 4711 };
	const struct ipckit_mq_spec spec = { .qbytes = 100, .mode = 0600 };
	struct ipckit_mq *mq, *other;
	bool created;
	int r = ipckit_mq_create(&name, &spec, &created, &mq);

	if (r)
		return r;
	r = ipckit_mq_open(&name, 0, &other);
	if (!r)
		ipckit_mq_close(other);
	(void)!ipckit_mq_remove(&name);
	ipckit_mq_close(mq);
	return r;
}

static int use_limits(void)
{
	struct ipckit_limits limits;
	int r = ipckit_mq_limits(&limits);

	if (!r)
		ipckit_limits_free(&limits);
	return r;
}

int main(void)
{
	for (size_t i = 0; i < 2; i++) {
		test_bytes(queue_names[i]);
		test_refused(queue_names[i]);
		test_room(queue_names[i]);
	}
	test_order();
	test_peek();
	test_access();
	check_failing("POSIX", use_posix);
	check_failing("System V", use_sysv);
	check_failing("limits", use_limits);
	return unit_done("messages");
}
