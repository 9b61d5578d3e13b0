# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # variables of other shells, and for the tests
#
# What the tests of futexctl's verbs share, `load words` after `load helpers`: words in memory of each kind,
# C programs that sleep on them, wake and lock them.

peers=$IPCKIT_BUILD/tests/peers
futex_peer=$peers/futex-peer
kinds=(file posix sysv)

# ---- making them ----

# fresh KIND [WORDS]: makes memory of so many words (1024), all 0. Its name in $object, its first word in $word.
# at NAME N: word N of it, in $word.
made=0
fresh()
{
	local bytes=$((4 * ${2:-1024}))
	((++made))
	case $1 in
	file)
		object=$BATS_TEST_TMPDIR/words$made
		truncate -s "$bytes" "$object"
		;;
	posix)
		object=/words$BATS_TEST_NUMBER-$made
		truncate -s "$bytes" "/dev/shm$object"
		;;
	sysv)
		object=$(ipcmk -M "$bytes")
		object=id:${object##* }
		;;
	esac
	word=$object@0
}

at()
{
	word=$1@$((4 * $2))
}

# make KIND [WORDS]: the same; three words of it in $a, $b and $c.
make()
{
	fresh "$@"
	a=$object@0 b=$object@4 c=$object@8
}

# ---- what is in them ----

# value WORD, store WORD VALUE: by a C program.
value()
{
	"$futex_peer" get "$1"
}

store()
{
	"$futex_peer" set "$1" "$2"
}

# assert_value WORD VALUE
assert_value()
{
	assert_equal "$(value "$1")" "$2" "what is in $1"
}

# ---- who sleeps ----

# sleeps PID: it is in futex(2), futex_waitv(2) or futex_wait(2) by now.
sleeps()
{
	wait_until 10 blocked_in "$1" futex 449 455 restart_syscall
}

# sleeper PID: in $call the number of the system call that it sleeps in, in $op the operation of futex(2). It may
# be about to look at something.
sleeper()
{
	wait_until 5 has_sleeper "$1"
}

has_sleeper()
{
	local rest
	read -r call _ op rest <"/proc/$1/syscall" && [[ $call != running ]] && state_is "$1" S
}

# asleep: how many threads of this test's processes sleep in these calls. asleep_are N: a fact to wait for.
asleep()
{
	local file line number count=0
	for file in /proc/[0-9]*/task/[0-9]*/syscall; do
		{ read -r line <"$file"; } 2>/dev/null || continue
		for number in "${call_numbers[futex]-futex}" 449 455; do
			[[ ${line%% *} != "$number" ]] || ((++count))
		done
	done
	echo "$count"
}

asleep_are()
{
	[[ $(asleep) == "$1" ]]
}

# start_asleep COMMAND...: starts it, until it sleeps.
start_asleep()
{
	start "$@"
	sleeps "$pid"
}

# start_verb VERB ARG...: the same of `futexctl VERB`.
start_verb()
{
	start_asleep futexctl "$@"
}

# start_peer ARG...: a C program, until it sleeps.
start_peer()
{
	start_asleep "$futex_peer" "$@"
}

# start_crowd WORD VALUE N: N threads of a C program that sleep, in $pid.
start_crowd()
{
	local before
	before=$(asleep)
	start "$futex_peer" crowd "$@"
	# Its first thread waits for the others in futex(2), too.
	wait_until 20 asleep_are $((before + $3 + 1))
}

# left PID: how many of a crowd still sleep. left_are PID N: a fact to wait for.
left()
{
	local tasks=(/proc/"$1"/task/[0-9]*)
	gone "$1" && echo 0 || echo $((${#tasks[@]} - 1))
}

left_are()
{
	[[ $(left "$1" 2>/dev/null) == "$2" ]]
}

# ended STATUS [PID]: how the last of `start`, or this one, ends.
ended()
{
	finish "${2:-$pid}"
	assert_status "$1"
}

# still PID: it has not ended.
still()
{
	! gone "$1" || fail "process $1 has ended"
}

# ---- locks of C programs ----

# hold ARG...: starts futex-peer, until it has what it locks. It has that until `release PID`.
declare -gA inputs=()
hold()
{
	start_locking "$@"
	wait_until 10 holds "$pid"
}

# start_locking ARG...: the same, and does not wait for it.
start_locking()
{
	local fifo=$BATS_TEST_TMPDIR/input.${#started[@]}
	mkfifo "$fifo"
	start bash -c 'exec "${@:2}" <>"$1"' bash "$fifo" "$futex_peer" "$@"
	inputs[$pid]=$fifo
}

# holds PID: whether it has said that it has what it locks. release PID: it unlocks, and ends, well.
holds()
{
	grep -qsxE 'ready|owner died' "$(out_of "$1")"
}

release()
{
	echo >"${inputs[$1]}"
	ended 0 "$1"
}

# ---- what is refused ----

# refusal VERB STATUS CODE ARG...: `futexctl VERB` ends so, in words and in JSON, which is in $output then.
# shellcheck disable=SC2016 # the variables of jq
refusal()
{
	run --separate-stderr timeout 10 futexctl "$1" "${@:4}" --json
	assert_status "$2"
	json --arg verb "$1" --arg code "$3" --argjson status "$2" \
		'.error | .code == $code and .exit == $status and .verb == $verb and (.message | length) > 0'
	[[ $stderr == "futexctl $1: "* && ${stderr//$'\n'"futexctl $1: "/} != *$'\n'* ]] || fail "lines that are no messages" "$(show_last)"
}

# before_the_kernel COMMAND...: runs it, and no operation on a futex is asked of the kernel.
before_the_kernel()
{
	local trace=$BATS_TEST_TMPDIR/trace
	run --separate-stderr timeout 10 strace -f -qq -o "$trace" "$@"
	# The C library's own are private; strace may not know the names of 454 to 456.
	! grep -E '^[0-9 ]*(futex|futex_(waitv|wait|wake|requeue)|syscall_0x1c[678])\(' "$trace" | grep -v _PRIVATE ||
		fail "the kernel was asked: $*" "$(show_last)"
}

needs_strace()
{
	strace -qq -o /dev/null true 2>/dev/null || skip "no strace"
}
