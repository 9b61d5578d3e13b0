# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl once: COMMAND until it has succeeded. What it shares with exec is in futexctl-exec*.bats.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

done_=$((0x3fffffff))

@test "many at once: one does it, the others wait until it is done" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_holder once "$b"
		first=$pid waiters=()
		for _ in {1..6}; do
			start_waiter once "$b" --timeout 30s
			waiters+=("$pid")
		done
		let_end "$first"
		for one in "${waiters[@]}"; do
			ended 0 "$one"
			assert_equal "$output$stderr" ""
		done
		assert_equal "$(value "$a") $(value "$b") $(value "$c")" "0 $done_ 0"
		for how in "" "--timeout 0" "--timeout 5s" "--json"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr futexctl once "$b" $how -- "$BATS_TEST_TMPDIR/none"
			assert_equal "$status$output$stderr" 0
		done
	done
}

@test "from the start: many that race, one runs" {
	make file
	for i in {1..12}; do
		futexctl once "$a" --timeout 30s -- sh -c 'echo x >>"$1"' sh "$BATS_TEST_TMPDIR/runs" &
		pids[i]=$!
	done
	for one in "${pids[@]}"; do
		wait "$one" || fail "status $?"
		assert_equal "$(<"$BATS_TEST_TMPDIR/runs")" x
	done
}

@test "COMMAND fails: its status, and the next one does it" {
	make posix
	for code in 1 2 126 255; do
		run futexctl once "$a" -- sh -c "exit $code"
		assert_status "$code"
		assert_value "$a" 0
	done
	run --separate-stderr futexctl once "$a" --json -- "$BATS_TEST_TMPDIR/none"
	assert_status 127
	json '.error.code == "ENOENT" and .error.verb == "once"'
	assert_value "$a" 0
	start_holder once "$a"
	first=$pid
	start_waiter once "$a"
	second=$pid
	start_waiter once "$a"
	let_end "$first" 4
	wait_until 10 one_inside
	[[ -s $(out_of "$pid") ]] || read -r second pid <<<"$pid $second"
	is_inside "$pid"
	is_outside "$second"
	let_end "$pid"
	ended 0 "$second"
	assert_equal "$output" ""
	assert_value "$a" $done_
}

one_inside()
{
	[[ -s $(out_of "$pid") || -s $(out_of "$second") ]]
}

@test "who does it is killed, or its COMMAND: the next one does it, and is told of the first" {
	make file
	start_holder once "$a"
	first=$pid
	start_waiter once "$a"
	kill -KILL "$first"
	is_inside "$pid"
	assert_equal "$told" "[1]"
	first=$pid
	start_waiter once "$a"
	kill -KILL "$job"
	ended 137 "$first"
	is_inside "$pid"
	assert_equal "$told" "[]"
	let_end "$pid"
	assert_value "$a" $done_
	# A signal to the tool that COMMAND dies of is a failure, too.
	start_holder once "$b"
	kill -TERM "$pid"
	ended 143
	assert_value "$b" 0
}

@test "done is done until the word is set to 0" {
	make file
	futexctl once "$a" -- true
	run futexctl once "$a" -- echo again
	assert_equal "$status$output" 0
	futexctl set "$a" 0 -q
	run futexctl once "$a" -- echo again
	assert_equal "$status$output" 0again
}
