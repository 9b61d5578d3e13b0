# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl wait-requeue-pi, cmp-requeue-pi: what lies under condition variables with locks that lend priority.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

# start_sleeper [OPTION...]: waits on $a to be moved to $b.
start_sleeper()
{
	start_waiter wait-requeue-pi "$a" 0 "$b" "$@"
}

# two_files: the lock is in another one.
two_files()
{
	local condition=$a
	make file
	a=$condition
}

# moves N [ARG...]: so many are affected.
moves()
{
	run --separate-stderr futexctl cmp-requeue-pi "$a" "$b" 0 "${@:2}"
	assert_equal "$status$stderr" 0
	assert_output '{"word":"'"$a"'","to":"'"$b"'","affected":'"$1"'}'
}

@test "moved to the lock: the first has it, the others come one by one" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		moves 0
		pids=()
		for _ in 1 2 3; do
			start_sleeper --timeout 30s
			pids+=("$pid")
		done
		sleeper "$pid"
		assert_equal "$call:$op" "${call_numbers[futex]}:0xb"
		moves 3
		for n in 0 1 2; do
			is_inside "${pids[n]}"
			assert_equal "$told $(($(value "$b") & 0x3fffffff))" "[] ${pids[n]}"
			((n == 2)) || is_outside "${pids[n + 1]}"
			let_end "${pids[n]}" 5
		done
		assert_equal "$(value "$a")$(value "$b")$(value "$c")" 000
	done
}

@test "while somebody has the lock; --move; with C programs on either side" {
	make file
	start_sleeper
	first=$pid
	start_peer wait-requeue-pi "$a" 0 "$b"
	peer=$pid
	start_sleeper
	third=$pid
	start_holder lock-pi "$b"
	holder=$pid
	moves 1 --move 0
	moves 1 --move 0
	moves 1 --move 7
	moves 0
	is_outside "$first"
	let_end "$holder"
	is_inside "$first"
	let_end "$first"
	# The C program gives it back at the end of its input.
	ended 0 "$peer"
	assert_output ready
	is_inside "$third"
	let_end "$third"
	assert_value "$b" 0
	# FUTEX_CMP_REQUEUE_PI of a C program: one, and no more.
	start_sleeper
	assert_equal "$("$futex_peer" call "$a" 12 1 0 "$b" 0)" 1
	is_inside "$pid"
	let_end "$pid"
}

@test "killed: COMMAND dies, and the next one is told; in one file and in two" {
	for kind in "${kinds[@]}" two; do
		make "${kind/two/file}"
		[[ $kind != two ]] || two_files
		start_sleeper
		first=$pid
		start_sleeper
		moves 2
		is_inside "$first"
		kill -KILL "$first"
		is_inside "$pid"
		assert_equal "$told" "[1]" "$kind"
		let_end "$pid"
		assert_value "$b" 0
		# As one that sleeps, it leaves nothing.
		start_sleeper
		kill -KILL "$pid"
		finish "$pid"
		moves 0
		start_sleeper --keep-running
		moves 1
		is_inside "$pid"
		first=$job
		kill -KILL "$pid"
		runs lock-pi "[1]" "$b"
		! gone "$first" || fail "COMMAND is gone"
		echo >"${fifos[$pid]}"
	done
}

@test "the word differs, the time is over: status 124" {
	make file
	store "$a" 5
	for how in "" "--timeout 5s"; do
		# shellcheck disable=SC2086 # words
		refusal_of wait-requeue-pi 124 EAGAIN "$a" 7 "$b" $how
		json '.error.message == "it is 5, not 7"'
	done
	refusal_of wait-requeue-pi 124 ETIMEDOUT "$a" 5 "$b" --timeout 10ms
	json --arg word "$a" '.error.object == $word and .error.message == "timed out after 10ms"'
	refusal_of wait-requeue-pi 124 EAGAIN "$a" 5 "$b" --timeout 0
	punctual 100000 futexctl wait-requeue-pi "$a" 5 "$b" --timeout 100ms -- true 2>/dev/null
	assert_equal "$status" 124
	# Moved in time, and the lock is not to be had.
	start_holder lock-pi "$b"
	holder=$pid
	store "$a" 0
	start_sleeper --timeout 2s
	moves 1
	ended 124
	assert_stderr 'timed out after 2s'
	refusal cmp-requeue-pi 1 EAGAIN "$a" "$b" 3
	json '.error.message == "it is 0, not 3"'
	let_end "$holder"
	assert_equal "$(value "$a")$(value "$b")" 00
}

@test "signals end it, asleep on either word; a wake-up does not" {
	make file
	start_holder lock-pi "$b"
	holder=$pid
	for moved in "" 1; do
		for signal in INT TERM HUP KILL; do
			start_sleeper
			[[ ! $moved ]] || moves 1
			kill -$signal "$pid"
			finish "$pid"
			died_of $signal
			assert_equal "$output$stderr" ""
		done
	done
	moves 0
	start_sleeper
	refusal wake 2 EINVAL "$a"
	still "$pid"
	kill -STOP "$pid"
	wait_until 10 state_is "$pid" T
	kill -CONT "$pid"
	sleeps "$pid"
	let_end "$holder"
	moves 1
	is_inside "$pid"
	kill -TERM "$pid"
	ended 143
	assert_value "$b" 0
}

@test "another lock than they named, one word for both, sleepers of another kind: EINVAL" {
	make file
	start_sleeper
	refusal cmp-requeue-pi 2 EINVAL "$a" "$c" 0
	refusal cmp-requeue-pi 2 EINVAL "$a" "$a" 0
	moves 1
	is_inside "$pid"
	let_end "$pid"
	refusal_of wait-requeue-pi 125 EINVAL "$a" 0 "$a" --timeout 1s
	start_peer wait "$a" 0
	refusal cmp-requeue-pi 2 EINVAL "$a" "$b" 0
	still "$pid"
}

@test "owners that cannot be waited for: another PID namespace, gone, this very thread" {
	make file
	store "$b" $$
	refusal cmp-requeue-pi 7 EBADMSG "$a" "$b" 0
	refusal_of wait-requeue-pi 125 EBADMSG "$a" 0 "$b" --timeout 1s
	store "$b" 0
	start_sleeper
	store "$b" 4000000
	refusal cmp-requeue-pi 8 ESRCH "$a" "$b" 0
	# It would wait for itself.
	store "$b" "$pid"
	refusal cmp-requeue-pi 8 EDEADLK "$a" "$b" 0
	still "$pid"
	store "$b" 0
	moves 1
	is_inside "$pid"
	let_end "$pid"
}

@test "COMMAND's status, and what is refused" {
	make file
	for code in 0 1 124 255; do
		start_sleeper
		moves 1
		is_inside "$pid"
		let_end "$pid" $code
	done
	start futexctl wait-requeue-pi "$a" 0 "$b" --json -- "$BATS_TEST_TMPDIR/none"
	sleeps "$pid"
	moves 1
	ended 127
	json '.error.code == "ENOENT"'
	assert_value "$b" 0
	refusal_of wait-requeue-pi 125 USAGE "$a" 0
	refusal_of wait-requeue-pi 125 USAGE "$a" x "$b"
	refusal_of wait-requeue-pi 125 USAGE "$a" 0 "$object@2"
	refusal_of wait-requeue-pi 125 ENOENT "$a" 0 "$object.none"
	refusal_of wait-requeue-pi 125 ENOENT "$object.none" 0 "$b"
	refusal_of wait-requeue-pi 125 EFBIG "$a" 0 "$object@4096"
	refusal_of wait-requeue-pi 125 USAGE "$a" 0 "$b" --timeout soon
	refusal cmp-requeue-pi 2 USAGE "$a" "$b"
	refusal cmp-requeue-pi 2 USAGE "$a" "$b" x
	refusal cmp-requeue-pi 2 USAGE "$a" "$b" 0 --move -1
	refusal cmp-requeue-pi 2 USAGE "$a" "$b" 0 --realtime
	refusal cmp-requeue-pi 3 ENOENT "$a" "$object.none" 0
	refusal cmp-requeue-pi 7 EFBIG "$object@4096" "$b" 0
	refusal cmp-requeue-pi 7 EBADMSG "$a" /dev/null@0 0
	for verb in wait-requeue-pi cmp-requeue-pi; do
		run futexctl $verb --help
		assert_match "Usage:"
	done
}
