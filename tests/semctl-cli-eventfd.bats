# SPDX-License-Identifier: GPL-2.0-or-later
# eventfd: a counter that a COMMAND and all its descendants share as fd:$IPCKIT_FD.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016

load helpers
load backends

# with VALUE SCRIPT: runs a script of bash with an eventfd semaphore.
with()
{
	run semctl-cli eventfd --value "$1" -- bash -euc "$2"
}

@test "descendants take and give permits through fd:\$IPCKIT_FD" {
	with 2 'semctl-cli wait "fd:$IPCKIT_FD"
		(semctl-cli wait "fd:$IPCKIT_FD"; bash -c "! semctl-cli wait --timeout 0 fd:$IPCKIT_FD")
		semctl-cli post "fd:$IPCKIT_FD" --count 5
		semctl-cli wait "fd:$IPCKIT_FD" --count 4
		semctl-cli value "fd:$IPCKIT_FD" --plain -o value' 2>/dev/null
	assert_status 0
	assert_match '1$'
}

@test "the first value is 0 unless told" {
	run semctl-cli eventfd -- sh -c 'semctl-cli value fd:$IPCKIT_FD --plain -o value'
	assert_output 0
	with 4294967294 'semctl-cli value fd:$IPCKIT_FD --plain -o value'
	assert_output 4294967294
}

@test "the descriptor is an eventfd in semaphore mode that blocks" {
	with 3 'cat "/proc/self/fdinfo/$IPCKIT_FD"; readlink "/proc/self/fd/$IPCKIT_FD"'
	assert_status 0
	assert_match 'anon_inode:\[eventfd\]'
	assert_match 'eventfd-count: +3'
	# O_RDWR alone: neither O_NONBLOCK nor O_CLOEXEC.
	assert_match 'flags:	02(00000)?
'
	! grep -q 'eventfd-semaphore:' <<<"$output" || assert_match 'eventfd-semaphore: 1'
}

@test "waiting and posting never change the flags that all share" {
	with 0 'exec 2>/dev/null
		before=$(grep flags: "/proc/self/fdinfo/$IPCKIT_FD")
		semctl-cli wait "fd:$IPCKIT_FD" --timeout 0 || semctl-cli wait "fd:$IPCKIT_FD" --timeout 10ms || :
		semctl-cli post "fd:$IPCKIT_FD"
		semctl-cli wait "fd:$IPCKIT_FD"
		semctl-cli post "fd:$IPCKIT_FD" --max 1
		[[ $before == "$(grep flags: "/proc/self/fdinfo/$IPCKIT_FD")" ]]'
	assert_status 0
}

@test "a waiter is woken, timed out, interrupted, killed; the value stays right" {
	make eventfd 0
	start semctl-cli wait "$object"
	wait_until 5 blocked_in "$pid" poll ppoll
	semctl-cli post "$object"
	finish "$pid"
	assert_status 0
	assert_value "$object" 0

	run semctl-cli wait "$object" --timeout 30ms
	assert_status 1
	for signal in INT TERM KILL; do
		start semctl-cli wait "$object" --count 2
		wait_until 5 blocked_in "$pid" poll ppoll
		kill -$signal "$pid"
		finish "$pid"
		assert_status $((128 + $(kill -l $signal)))
	done
	semctl-cli post "$object"
	assert_value "$object" 1
}

@test "takers of several get all or none" {
	make eventfd 3
	run semctl-cli wait "$object" --count 4 --timeout 30ms
	assert_status 1
	assert_value "$object" 3
	start semctl-cli wait "$object" --count 4
	wait_until 5 blocked_in "$pid" clock_nanosleep
	semctl-cli wait "$object"
	semctl-cli post "$object"
	assert_value "$object" 3
	semctl-cli post "$object"
	finish "$pid"
	assert_status 0
	assert_value "$object" 0
}

@test "COMMAND has the pid that was started; its status and its environment are its own" {
	start semctl-cli eventfd -- sh -c 'echo $$; exit 3'
	finish "$pid"
	assert_status 3
	assert_output "$pid"
	run env -i "$(command -v semctl-cli)" eventfd -- /usr/bin/env
	assert_match '^IPCKIT_FD=[0-9]+$'
	run bash -c 'semctl-cli eventfd -- sh -c "kill -USR1 \$\$"; echo $?' 2>/dev/null
	assert_match "$((128 + $(kill -l USR1)))\$"
}

@test "COMMAND's signals and other descriptors are as they were inherited" {
	for signals in --default-signal "--ignore-signal=CHLD,INT,BUS,RTMIN" "--block-signal=CHLD,INT,TERM,BUS"; do
		wanted=$(env "$signals" grep -E '^(Sig[^Q]|ShdPnd)' /proc/self/status)
		run env "$signals" semctl-cli eventfd -- grep -E '^(Sig[^Q]|ShdPnd)' /proc/self/status
		assert_output "$wanted"
	done
	"$jobs" descriptors "$BATS_TEST_TMPDIR/plain"
	semctl-cli eventfd -- "$jobs" descriptors "$BATS_TEST_TMPDIR/one"
	assert_equal "$(wc -w <"$BATS_TEST_TMPDIR/one")" $(($(wc -w <"$BATS_TEST_TMPDIR/plain") + 1))
	# It never takes the place of a standard descriptor.
	semctl-cli eventfd -- "$jobs" descriptors "$BATS_TEST_TMPDIR/closed" <&- >&- 2>&-
	assert_match '^[3-9]' "$(<"$BATS_TEST_TMPDIR/closed")"
}

@test "a run within a run: the inner one is the innermost's" {
	with 1 'outer=$IPCKIT_FD semctl-cli eventfd --value 7 -- bash -c '\''
		[[ $IPCKIT_FD != "$outer" ]]
		semctl-cli value "fd:$IPCKIT_FD" --plain -o value; semctl-cli value "fd:$outer" --plain -o value'\'
	assert_status 0
	assert_output $'7\n1'
}

@test "another process's eventfd is reached by its pid, and told by its users" {
	make eventfd 2
	holder=$pid
	semctl-cli wait "$object"
	run semctl-cli info "$object"
	json --argjson pid "$holder" '.backend == "eventfd" and .value == 1 and any(.users[]; .pid == $pid)'
	run semctl-cli value "fd:$holder:99"
	assert_status 3
	stop "$holder"
	run semctl-cli value "$object"
	assert_status 3
}

@test "what is no eventfd in semaphore mode is 7, no descriptor 3" {
	exec 30<"$BATS_TEST_FILENAME" 31> >(cat)
	for fd in 30 31; do
		for verb in wait post value; do
			run --separate-stderr semctl-cli --json "$verb" "fd:$fd"
			assert_status 7
			json '.error.code == "EBADMSG"'
		done
	done
	exec 30<&- 31>&-
	run semctl-cli wait fd:30
	assert_status 3
	run semctl-cli create fd:30
	assert_status 8
	run semctl-cli rm fd:30
	assert_status 8
}

@test "a value that would not fit is refused with 6 and unchanged" {
	make eventfd 4294967294
	for ((i = 0; i < 3; i++)); do
		semctl-cli post "$object" --count 4294967295
	done
	assert_value "$object" $((4294967294 + 3 * 4294967295))
	run semctl-cli post "$object" --count 4294967296
	assert_status 6
	run semctl-cli post "$object" --count 18446744073709551616
	assert_status 2
	assert_value "$object" $((4294967294 + 3 * 4294967295))
}

@test "COMMAND that cannot be run is 126 or 127, bad input 125" {
	run -127 semctl-cli eventfd -- no-such-command
	run semctl-cli eventfd -- /
	assert_status 126
	for words in "--value x" "--value -1" "--value 4294967296" "--value 99999999999999999999" "--no-such" "/operand"; do
		# shellcheck disable=SC2086
		run semctl-cli eventfd $words -- touch "$BATS_TEST_TMPDIR/ran"
		assert_status 125
	done
	run semctl-cli eventfd
	assert_status 125
	run semctl-cli eventfd --
	assert_status 125
	[[ ! -e $BATS_TEST_TMPDIR/ran ]]
}
