# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # the variables of other shells; for the tests
#
# What the tests of shmtool's verbs share, `load segments` after `load helpers`: a segment of
# each backend, what is in it, who has it. What a test made and changed is undone after it.

peers=$IPCKIT_BUILD/tests/peers
shm_peer=$peers/shm-peer
backends=(posix sysv)

# ---- making them ----

# fresh BACKEND: a name that nothing has, in $object.
made=0
fresh()
{
	((++made))
	case $1 in
	posix) object=/made$BATS_TEST_NUMBER-$made ;;
	sysv) object=key:$((0x73000000 + BATS_TEST_NUMBER * 65536 + made)) ;;
	esac
}

# make BACKEND [SIZE [ARG...]]: makes a fresh segment (of 4096 bytes), ARGs for `shmtool create`; its
# name in $object.
make()
{
	fresh "$1"
	shmtool create "$object" --size "${2:-4096}" --exclusive --quiet "${@:3}"
}

# backend_of OBJECT: the word that JSON has for it.
backend_of()
{
	case $1 in
	*:*) echo sysv ;;
	*) echo posix ;;
	esac
}

# told OBJECT COLUMN: one field of `info`.
told()
{
	shmtool info "$1" --plain --columns "$2"
}

# id_of OBJECT: the number of a System V segment, for ipcs and peers. peer_name OBJECT: its id, or the /NAME.
id_of()
{
	told "$1" id
}

peer_name()
{
	case $1 in
	/*) echo "$1" ;;
	*) id_of "$1" ;;
	esac
}

# ---- what is in them ----

# text OBJECT: what stands in it up to the first NUL.
text()
{
	shmtool read "$1" --string
}

# assert_text OBJECT TEXT
assert_text()
{
	assert_equal "$(text "$1")" "$2" "what is in $1"
}

# random_file FILE SIZE: makes a file of random bytes.
random_file()
{
	head -c "$2" /dev/urandom >"$1"
}

# every_byte FILE: makes a file of all 256 values.
every_byte()
{
	# shellcheck disable=SC2046 # words
	printf '%b' "$(printf '\\x%02x' $(seq 0 255))" >"$1"
}

# content OBJECT: the file that shows what is in it: of a System V one a copy, by a C program.
content()
{
	case $1 in
	/*) echo "/dev/shm$1" ;;
	*)
		"$shm_peer" read "$(id_of "$1")" 0 "$(told "$1" size)" >"$BATS_TEST_TMPDIR/content"
		echo "$BATS_TEST_TMPDIR/content"
		;;
	esac
}

# assert_content OBJECT FILE: it begins with the bytes of this file; all else of it is zero.
assert_content()
{
	local file
	file=$(content "$1")
	{ cat -- "$2" && head -c $(($(stat -Lc %s "$file") - $(stat -c %s "$2"))) /dev/zero; } | cmp - "$file" >&2 ||
		fail "$1 and $2 differ"
}

# assert_zero OBJECT: nothing was written.
assert_zero()
{
	assert_content "$1" /dev/null
}

# assert_same FILE FILE
assert_same()
{
	cmp -- "$1" "$2" >&2 || fail "$1 and $2 differ"
}

# ---- what is refused ----

# refusal VERB STATUS CODE ARG...: `shmtool VERB` ends so, in words and in JSON, which is in $output then.
# shellcheck disable=SC2016 # the variables of jq
refusal()
{
	run --separate-stderr timeout 10 shmtool "$1" "${@:4}" --json
	assert_status "$2"
	json --arg verb "$1" --arg code "$3" --argjson status "$2" \
		'.error | .code == $code and .exit == $status and .verb == $verb and (.message | length) > 0'
	[[ $stderr == "shmtool $1: "* && ${stderr//$'\n'"shmtool $1: "/} != *$'\n'* ]] || fail "lines that are no messages" "$(show_last)"
}

# ---- cells ----

# peeked OBJECT CELL: its value as text.
peeked()
{
	shmtool peek "$1" "$2" --plain --columns text
}

# assert_cell OBJECT CELL VALUE
assert_cell()
{
	assert_equal "$(peeked "$1" "$2")" "$3" "$2 of $1"
}

# ---- who has them ----

# start_open COMMAND...: as `start`, with a standard input that never ends.
inputs=0
start_open()
{
	local fifo=$BATS_TEST_TMPDIR/input.$((++inputs))
	mkfifo "$fifo"
	start bash -c 'exec "${@:2}" <>"$1"' bash "$fifo" "$@"
}

# hold OBJECT [HOW]: starts a C program that has it until `stop "$pid"`. HOW: see shm-peer.
hold()
{
	start_open "$shm_peer" hold "$(peer_name "$1")" "${@:2}"
	wait_until 5 is_ready "$pid"
}

# is_ready PID: whether a process of `start` has printed "ready".
is_ready()
{
	grep -qsx ready "$(out_of "$1")"
}

# nattch_is OBJECT N: a fact to wait for.
nattch_is()
{
	[[ $(told "$1" nattch) == "$2" ]]
}

# user_pids OBJECT: the processes that `info` finds, sorted.
user_pids()
{
	shmtool info "$1" | jq -r '[.users[].pid] | sort | join(" ")'
}

# ---- streams ----

# Where a ring says how it stands: see ipckit/ring.h.
declare -gA ring_cells=([writer]=u32@64 [state]=u32@72 [written]=u64@80 [begin]=u64@88
	[reader]=u32@128 [joined]=u32@136 [taken]=u64@144)

# ring OBJECT WHAT: one of these numbers, of the owners the thread's. ring_is OBJECT WHAT VALUE: a fact to wait for.
ring()
{
	local value
	value=$(peeked "$1" "${ring_cells[$2]}") || return
	[[ $2 != @(writer|reader) ]] || ((value &= 0x3fffffff)) || true
	echo "$value"
}

ring_is()
{
	[[ $(ring "$1" "$2" 2>/dev/null) == "$3" ]]
}

# start_send FILE OBJECT [ARG...]: starts a writer of what is in a file. start_recv: a reader into one.
start_send()
{
	start bash -c 'fd=$1; exec {fd}>&- shmtool send "${@:3}" <"$2"' bash "${feed:-99}" "$@"
}

start_recv()
{
	start bash -c 'fd=$1; exec {fd}>&- shmtool recv "${@:3}" >"$2"' bash "${feed:-99}" "$@"
}

# start_fed OBJECT [ARG...]: starts a writer of what is written to descriptor $feed, until end_feed.
start_fed()
{
	local fifo=$BATS_TEST_TMPDIR/feed.$((++inputs))
	mkfifo "$fifo"
	exec {feed}<>"$fifo"
	start_send "$fifo" "$@"
	writer=$pid
}

end_feed()
{
	exec {feed}>&-
	feed=
}

# sleeps PID: whether a side of a stream waits for the other.
sleeps()
{
	blocked_in "$1" 449 futex
}

# ---- what is missing ----

# no_shm COMMAND...: where /dev/shm is missing (and all else of /dev).
no_shm()
{
	unshare -m bash -c 'mount -t tmpfs none /dev && "$@"' bash "$@"
}

# no_proc COMMAND...: without /proc.
no_proc()
{
	unshare -m bash -c 'mount -t tmpfs none /proc && "$@"' bash "$@"
}

# elsewhere COMMAND...: in a PID namespace of its own, from which the others cannot be seen.
elsewhere()
{
	unshare --pid --fork --mount-proc --kill-child "$@"
}

# ---- undoing ----

# small_shm SIZE [MOUNT-OPTION]: a /dev/shm of its own for this test, with so much room ("64k", "1m,nr_inodes=3").
small_shm()
{
	mount -t tmpfs -o "mode=1777,size=$1" ipckit-small /dev/shm
	smaller=1
}

# A file with a teardown of its own calls this in it.
smaller=
remove_segments()
{
	stop_started
	restore_limits
	[[ ! $smaller ]] || umount -l /dev/shm
	find /dev/shm -mindepth 1 -delete
	ipcrm --all=shm
	ipcrm --all=sem
}

# The segments of one test are not the next one's.
teardown()
{
	remove_segments
}
