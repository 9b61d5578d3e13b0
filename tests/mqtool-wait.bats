# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool wait: until messages are there, without taking them.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

# start_looking ARG...: starts mqtool wait ARG..., and waits until it waits, however it does.
start_looking()
{
	start mqtool wait "$@"
	wait_until 5 blocked_in "$pid" poll ppoll clock_nanosleep rt_sigtimedwait restart_syscall
}

@test "wait ends at once where a message is, takes nothing and says nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one two
		for options in "" "--messages 2" "--timeout 0" "--timeout 9s" "--messages 2 --timeout 0"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr mqtool wait "$object" $options
			assert_status 0
			assert_equal "$output$stderr" ""
		done
		assert_texts "$object" "one two"
	done
}

@test "wait, told to print, tells what is there" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one two three
		run mqtool wait "$object" --json
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json --arg o "$object" --arg b "$backend" '. == {object: $o, backend: $b, messages: 3}'
		run mqtool wait "$object" --plain --messages 3
		assert_output "$object	$backend	3	-"
		run mqtool wait "$object" --table --columns messages
		assert_status 0
		assert_match 3
	done
}

@test "wait waits until a message comes" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for options in "" "--timeout 20s"; do
			# shellcheck disable=SC2086 # words
			start_looking "$object" --json $options
			first=$pid
			# shellcheck disable=SC2086
			start_looking "$object" --json $options
			mqtool send "$object" ""
			for one in "$first" "$pid"; do
				finish "$one"
				assert_status 0
				json '.messages == 1'
			done
			mqtool recv "$object" --timeout 0 --quiet
		done
	done
}

@test "wait --messages waits for so many" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a
		start_looking "$object" --messages 3 --json
		mqtool send "$object" b
		run mqtool wait "$object" --messages 3 --timeout 60ms
		assert_status 1
		run ! gone "$pid"
		mqtool send "$object" c
		finish "$pid"
		assert_status 0
		json '.messages == 3'
		assert_texts "$object" "a b c"
	done
}

@test "wait for more than a POSIX queue ever holds" {
	make posix --maxmsg 4
	mqtool wait "$object" --messages 4 --timeout 0 || assert_equal $? 1
	for messages in 5 9223372036854775807; do
		run --separate-stderr mqtool wait "$object" --messages "$messages" --json
		assert_status 6
		assert_equal "$stderr" "mqtool wait: $object: it holds 4 messages at most"
		json '.error.code == "EMSGSIZE" and .error.exit == 6'
	done
	# Of a System V queue that is not known.
	make sysv
	run mqtool wait "$object" --messages 9223372036854775807 --timeout 10ms
	assert_status 1
}

@test "wait --timeout 0 looks, and does not wait" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run --separate-stderr mqtool wait "$object" --timeout 0 --json
		assert_status 1
		assert_equal "$stderr" "mqtool wait: $object: no message is there"
		json '.error | .code == "EAGAIN" and .exit == 1 and .verb == "wait"'
		mqtool send "$object" a
		run --separate-stderr mqtool wait "$object" --timeout 0 --messages 2
		assert_status 1
		assert_equal "$output" ""
		assert_equal "$stderr" "mqtool wait: $object: fewer messages are there"
	done
}

@test "wait gives up after --timeout, in time" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for options in "" "--messages 2"; do
			# shellcheck disable=SC2086 # words
			punctual 150000 mqtool wait "$object" --timeout 150ms $options 2>/dev/null
			assert_equal "$status" 1
		done
		run --separate-stderr mqtool wait "$object" --timeout 0.01 --json
		assert_status 1
		assert_equal "$stderr" "mqtool wait: $object: timed out after 0.01s"
		json '.error.code == "ETIMEDOUT" and .error.exit == 1'
	done
}

# ---- being told ----

@test "wait --notify is told of a message, and by whom" {
	make posix
	start_looking "$object" --notify --json
	waiter=$pid
	start mqtool send "$object" hello
	sender=$pid
	finish "$sender"
	finish "$waiter"
	assert_status 0
	json --arg o "$object" --argjson pid "$sender" \
		'. == {object: $o, backend: "posix", messages: 1, sender: $pid}'
	# It was there before: nobody is told.
	run mqtool wait "$object" --notify --json --timeout 5s
	assert_status 0
	json '.messages == 1 and .sender == null and has("sender")'
	assert_texts "$object" hello
}

@test "wait --notify where another process is registered" {
	make posix
	start_looking "$object" --notify
	first=$pid
	run mqtool info "$object"
	json --argjson pid "$first" '.notify_pid == $pid'
	for options in "" "--timeout 0" "--timeout 9s"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool wait "$object" --notify --json $options
		assert_status 1
		assert_equal "$stderr" "mqtool wait: $object: another process is registered for its notification"
		json '.error.code == "EBUSY" and .error.exit == 1'
	done
	# Nothing was taken from that one by the tries.
	run mqtool info "$object"
	json --argjson pid "$first" '.notify_pid == $pid'
	kill -KILL "$first"
	finish "$first"
	run mqtool wait "$object" --notify --timeout 10ms
	assert_status 1
	assert_match 'timed out after 10ms$'
}

@test "wait --notify leaves no registration behind" {
	make posix
	run mqtool wait "$object" --notify --timeout 0
	assert_status 1
	assert_match 'no message is there$'
	punctual 100000 mqtool wait "$object" --notify --timeout 100ms 2>/dev/null
	assert_equal "$status" 1
	start_looking "$object" --notify
	kill -INT "$pid"
	finish "$pid"
	died_of INT
	run mqtool info "$object"
	json '.notify == null or .notify == "none"'
	json '(.notify_pid // 0) == 0'
}

@test "wait --notify is for POSIX queues and for one message" {
	make sysv
	run --separate-stderr mqtool wait "$object" --notify --timeout 0
	assert_status 2
	assert_equal "$stderr" "mqtool wait: $object: --notify is for POSIX queues"
	make posix
	run mqtool wait "$object" --notify --messages 2 --timeout 0
	assert_status 2
	assert_match -- '--messages has no use'
}

# ---- ended otherwise ----

@test "wait: a System V queue that is removed meanwhile" {
	for options in "" "--messages 3" "--timeout 20s"; do
		make sysv
		# shellcheck disable=SC2086 # words
		start_looking "$object" --json $options
		ipcrm -Q "${object#key:}"
		finish "$pid"
		assert_status 7
		assert_equal "$stderr" "mqtool wait: $object: removed while it was used"
		json '.error.code == "EIDRM" and .error.exit == 7'
	done
}

@test "a signal ends a wait at once, and the shell sees which" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in INT TERM HUP; do
			for options in "" "--timeout 20s" "--messages 2"; do
				# shellcheck disable=SC2086 # words
				start_looking "$object" $options
				kill -"$signal" "$pid"
				finish "$pid" 5
				died_of "$signal"
				assert_equal "$output$stderr" ""
			done
		done
	done
}

@test "a wait goes on when it is stopped and continued, or a signal is ignored" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start env --ignore-signal=INT,HUP mqtool wait "$object" --timeout 30s
		wait_until 5 blocked_in "$pid" poll ppoll clock_nanosleep
		kill -INT "$pid"
		kill -HUP "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		wait_until 5 blocked_in "$pid" poll ppoll clock_nanosleep restart_syscall
		mqtool send "$object" x
		finish "$pid"
		assert_status 0
		assert_count "$object" 1
	done
}

@test "wait: no such queue, no permission" {
	for object in /none key:0x7ffffff1 id:2147483647; do
		run --separate-stderr mqtool wait "$object" --json
		assert_status 3
		assert_stderr "^mqtool wait: $object: no such "
		json '.error.code == "ENOENT" and .error.exit == 3'
	done
	make posix --mode 0200
	run --separate-stderr as_unprivileged mqtool wait "$object" --timeout 0 --json
	assert_status 5
	assert_equal "$stderr" "mqtool wait: $object: permission denied"
	json '.error.code == "EACCES" and .error.exit == 5'
}

@test "wait: a result that cannot be written" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" x
		run --separate-stderr bash -c 'mqtool wait "$1" --json >/dev/full' - "$object"
		assert_status 8
		assert_stderr '^mqtool wait: standard output: no space left'
		assert_count "$object" 1
	done
}

@test "wait: counts, durations and names that are none" {
	make posix
	for words in "--messages 0" "--messages -1" "--messages 3x" "--messages 99999999999999999999" \
		"--timeout 5sfoo" "--timeout -1" "--bogus" "/more" "-- true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool wait "$object" $words
		assert_status 2
		assert_equal "$output" ""
		assert_stderr '^mqtool wait: '
	done
	for name in made /a/b / key:0 key:x id:x private fd:3 ""; do
		run mqtool wait "$name" --timeout 0
		assert_status 2
	done
	run mqtool wait
	assert_status 2
}
