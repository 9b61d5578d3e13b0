# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # for the tests
#
# What the tests of mqtool's verbs share, `load queues` after `load helpers`: a queue of
# each backend, what is in it, who waits on it, limits. What a test made and changed is
# undone after it.

peers=$IPCKIT_BUILD/tests/peers
mq_peer=$peers/mq-peer
msg_peer=$peers/msg-peer
backends=(posix sysv)
long_max=9223372036854775807

case $HOSTTYPE in
x86_64) call_numbers+=([msgsnd]=69 [msgrcv]=70 [mq_timedsend]=242 [mq_timedreceive]=243 [write]=1) ;;
aarch64 | riscv64) call_numbers+=([msgsnd]=189 [msgrcv]=188 [mq_timedsend]=182 [mq_timedreceive]=183
	[write]=64) ;;
esac

# ---- making them ----

# make BACKEND [ARG...]: makes a fresh queue, ARGs for `mqtool create`; its name in $object.
made=0
make()
{
	((++made))
	case $1 in
	posix) object=/made$BATS_TEST_NUMBER-$made ;;
	sysv) object=key:$((0x6d000000 + BATS_TEST_NUMBER * 65536 + made)) ;;
	esac
	mqtool create "$object" --exclusive --quiet "${@:2}"
}

# make_small BACKEND: one that four messages fill; on System V empty ones, which the kernel
# holds to be full with as many messages as it has qbytes.
make_small()
{
	case $1 in
	posix) make posix --maxmsg 4 --msgsize 64 ;;
	sysv) make sysv --qbytes 4 ;;
	esac
}

# backend_of OBJECT: the word that JSON has for it.
backend_of()
{
	case $1 in
	*:*) echo sysv ;;
	*) echo posix ;;
	esac
}

# id_of OBJECT: the number of a System V queue, for ipcs and peers.
id_of()
{
	mqtool info "$1" --plain --columns id
}

# ---- what is in them ----

# message_count OBJECT: how many messages are in it.
message_count()
{
	mqtool info "$1" --plain --columns messages
}

# count_is OBJECT N: a fact to wait for.
count_is()
{
	[[ $(message_count "$1") == "$2" ]]
}

# assert_count OBJECT N: now.
assert_count()
{
	assert_equal "$(message_count "$1")" "$2" "messages in $1"
}

# texts OBJECT: takes all that is in it and prints it, separated by blanks.
texts()
{
	local -a all
	mapfile -t all < <(mqtool recv "$1" --all --lines)
	echo "${all[*]}"
}

# assert_texts OBJECT TEXTS: that is all, in this order. It is empty then.
assert_texts()
{
	assert_equal "$(texts "$1")" "$2" "what is in $1"
}

# fill OBJECT [TEXT]: sends TEXT until no more go in; their number in $sent.
fill()
{
	sent=0
	while mqtool send "$1" --timeout 0 "${2-}" 2>/dev/null; do
		((++sent))
	done
}

# ---- waiting ----

# waits PID: whether it is blocked on a queue, however it came there.
waits()
{
	blocked_in "$1" mq_timedreceive mq_timedsend msgrcv msgsnd poll ppoll restart_syscall
}

# start_waiter ARG...: starts mqtool ARG... and waits until it is blocked on a queue.
start_waiter()
{
	start mqtool "$@"
	wait_until 5 waits "$pid"
}

# waiters_are OBJECT N: whether `info` finds N threads blocked on it.
waiters_are()
{
	[[ $(mqtool info "$1" --plain --columns waiters) == "$2" ]]
}

# ---- undoing ----

# A file with a teardown of its own calls this in it.
remove_queues()
{
	stop_started
	restore_limits
	rm -f /dev/mqueue/*
	ipcrm --all=msg
}

# The queues of one test are not the next one's.
teardown()
{
	remove_queues
}

# ---- what runs of a user share ----

# small_queues: POSIX queues are made small where nothing is said: each takes of
# RLIMIT_MSGQUEUE, which all tests that run at the same time under one user share, whatever their
# namespaces.
small_queues()
{
	echo 1024 2>/dev/null >/proc/sys/fs/mqueue/msgsize_default || true
}

# large_queues: as the kernel has it, for a test that needs it.
large_queues()
{
	echo 8192 >/proc/sys/fs/mqueue/msgsize_default
}

small_queues
