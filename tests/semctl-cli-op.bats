# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli op: a vector of operations on a System V set, all or nothing.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

# The values of key:7 in one line.
values()
{
	semctl-cli values key:7 --plain --columns value | paste -sd' '
}

assert_values()
{
	assert_equal "$(values)" "$1" values
}

@test "op does all operations of the vector, in order, and says nothing" {
	semctl-cli create -q key:7 --values 1,2,3
	run --separate-stderr semctl-cli op key:7 0:-1 1:+2 2:-3
	assert_status 0
	assert_equal "$output$stderr" ""
	assert_values "0 4 0"
	run semctl-cli op key:7 0:0 0:+5 1:-4 1:0 1:+1
	assert_status 0
	assert_values "5 1 0"
	run semctl-cli op key:7 0:-1 --json
	json '. == {object: "key:7", backend: "sysv"}'
}

@test "op does all or nothing" {
	semctl-cli create -q key:7 --values 5,0,5
	for vector in "0:-1 1:-1 2:-1" "0:-5 0:-1" "2:+1 0:0" "0:+1 2:-6" "0:-1 1:+1 2:0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli op key:7 $vector --timeout 0
		assert_status 1
		assert_equal "$stderr" "semctl-cli op: key:7: would block"
		assert_values "5 0 5"
	done
}

@test "op: ranges of indices, id and ftok names" {
	semctl-cli create -q key:7 --values 1,1,1,1
	id=$(semctl-cli info key:7 --json | jq .id)
	run semctl-cli op "id:$id" 1-3:+4
	assert_status 0
	assert_values "1 5 5 5"
	run semctl-cli op key:7 0-3:-1 0-0:+7
	assert_values "7 4 4 4"
	run semctl-cli op key:7 3-1:+1
	assert_status 2
	: >"$TMPDIR/words"
	semctl-cli create -q "ftok:$TMPDIR/words" --value 1
	run semctl-cli op "ftok:$TMPDIR/words" 0:-1
	assert_status 0
	assert_value "ftok:$TMPDIR/words" 0
}

@test "op waits until the whole vector can be done" {
	semctl-cli create -q key:7 --values 0,0
	start_waiter op key:7 0:-1 1:-1 --timeout 20s
	semctl-cli post 'key:7#0'
	blocked_in "$pid" semtimedop
	assert_values "1 0"
	semctl-cli post 'key:7#1'
	finish "$pid"
	assert_status 0
	assert_values "0 0"
}

@test "op: 100 racers, each for two of a pair, never one of each" {
	semctl-cli create -q key:7 --values 30,30
	run --separate-stderr "$peers/race" 100 semctl-cli op key:7 0:-1 1:-1 --timeout 0
	assert_output $'0 30\n1 70'
	assert_values "0 0"
}

@test "op: n does not wait, the others do" {
	semctl-cli create -q key:7 --values 0,0
	run --separate-stderr semctl-cli op key:7 0:-1n --json
	assert_status 1
	assert_stderr '^semctl-cli op: key:7: would block$'
	json '.error.code == "EAGAIN" and .error.exit == 1'
	run semctl-cli op key:7 1:0 0:-1n --timeout 20s
	assert_status 1
	start_waiter op key:7 0:-1 1:-1n --timeout 20s
	semctl-cli post key:7
	finish "$pid"
	assert_status 1
	assert_values "1 0"
}

@test "op: a timeout is kept" {
	semctl-cli create -q key:7 --values 1,0
	punctual 150000 semctl-cli op key:7 0:-1 1:-1 --timeout 150ms 2>"$TMPDIR/err"
	assert_status 1
	assert_equal "$(tail -n1 "$TMPDIR/err")" "semctl-cli op: key:7: timed out after 150ms"
	run --separate-stderr semctl-cli op key:7 1:-1 --timeout 10ms --json
	json '.error.code == "ETIMEDOUT" and .error.exit == 1'
	assert_values "1 0"
}

@test "op: what waits is interrupted, killed, stopped and continued" {
	semctl-cli create -q key:7 --values 1,0
	for signal in INT TERM HUP KILL; do
		start_waiter op key:7 0:-1 1:-1
		kill -"$signal" "$pid"
		finish "$pid" 2
		assert_equal "$(kill -l "$status")" "$signal"
		assert_values "1 0"
	done
	start_waiter op key:7 0:-1 1:-1 --timeout 30s
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	semctl-cli post 'key:7#1'
	kill -CONT "$pid"
	finish "$pid"
	assert_status 0
	assert_values "0 0"
}

# ---- COMMAND and undo ----

@test "op: u is undone by the end of COMMAND, which the process becomes" {
	semctl-cli create -q key:7 --values 3,0
	start semctl-cli op key:7 0:-2u 1:+1u -- sleep 1000
	wait_until 5 blocked_in "$pid" clock_nanosleep
	assert_equal "$(<"/proc/$pid/comm")" sleep
	assert_values "1 1"
	kill -KILL "$pid"
	finish "$pid"
	assert_status 137
	assert_values "3 0"
}

@test "op: COMMAND's status, words, input and output are its own" {
	semctl-cli create -q key:7 --value 3
	run --separate-stderr semctl-cli op key:7 0:-1u -- sh -c 'cat; echo "$1" >&2; exit 42' sh --timeout <<<in
	assert_status 42
	assert_output in
	assert_equal "$stderr" --timeout
	run semctl-cli op key:7 0:-1u --timeout 5s -- semctl-cli value key:7 --plain
	assert_output 2
	start semctl-cli op key:7 0:-1u -- sh -c 'kill -TERM $$'
	finish "$pid"
	assert_status 143
	assert_values 3
}

@test "op: without u COMMAND's end undoes nothing" {
	semctl-cli create -q key:7 --values 3,3
	run semctl-cli op key:7 0:-1 1:-1u -- true
	assert_status 0
	assert_values "2 3"
}

@test "op: COMMAND gets no descriptor of the tool's" {
	semctl-cli create -q key:7 --value 3
	run bash -c 'for fd in /proc/$$/fd/*; do
			fd=${fd##*/}
			((fd <= 2)) || eval "exec $fd>&-"
		done
		semctl-cli op key:7 0:-1u -- ls /proc/self/fd'
	assert_output $'0\n1\n2\n3'
}

@test "op: COMMAND that cannot be run: 127 or 126, and nothing is done" {
	semctl-cli create -q key:7 --values 32767,3
	: >"$TMPDIR/not-executable"
	for vector in "1:-1" "1:-1u" "0:-1 0:+1 1:-3" "0:-1u 0:+1u 1:+2"; do
		# shellcheck disable=SC2086 # words
		run -127 --separate-stderr semctl-cli op key:7 $vector --json -- /nowhere
		assert_equal "$stderr" "semctl-cli op: /nowhere: command not found"
		json '.error.code == "ENOENT" and .error.exit == 127'
		assert_values "32767 3"
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli op key:7 $vector -- "$TMPDIR/not-executable"
		assert_status 126
		assert_stderr "^semctl-cli op: $TMPDIR/not-executable: permission denied$"
		assert_values "32767 3"
	done
}

@test "op: with COMMAND a timeout is 124, other failures are 125" {
	semctl-cli create -q key:7 --value 0
	for timeout in 0 30ms; do
		run --separate-stderr semctl-cli op key:7 0:-1u --timeout "$timeout" --json -- echo ran
		assert_status 124
		json '.error.exit == 124'
	done
	run semctl-cli op key:7 0:-1n -- echo ran
	assert_status 124
	for words in "key:99 0:-1" "key:7 9:-1" "/jobs 0:-1" "key:7 x" "key:7 0:-1 --timeout x"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli op $words -- echo ran
		assert_status 125
		assert_output ""
		assert_stderr '^semctl-cli op: '
	done
	assert_values 0
}

@test "op: u without COMMAND is refused" {
	semctl-cli create -q key:7 --value 3
	for op in 0:-1u 0:-1nu 0:+1un; do
		run --separate-stderr semctl-cli op key:7 "$op" --json
		assert_status 2
		assert_stderr '^semctl-cli op: key:7: u needs -- COMMAND'
		json '.error.code == "USAGE"'
	done
	run semctl-cli op key:7 0:-1nu -- true
	assert_status 0
	assert_values 3
}

# ---- what can go wrong ----

@test "op: words that are no operations" {
	semctl-cli create -q key:7 --values 3,3
	for op in '' x 0 0: :+1 0:1 0:+ 0:-0 0:+0 0:00 0:01 0:+1x 0:+1nn 0:-1uu 0-:+1 -1:+1 0-1-2:+1 0:+1.5 '0: +1' 0:+1,1:+1 \
		0:-99999999999999999999 0:+32768 65536:+1 1-99999999999:0; do
		run --separate-stderr semctl-cli op key:7 "$op"
		assert_status 2
		[[ $stderr == "semctl-cli op: key:7: OP: \"$op\" is "* ]] || fail "$op" "$(show_last)"
	done
	for words in "" "key:7" "jobs 0:+1" "key:7 0:+1 --bogus" "key:7 0:+1 --timeout 5x"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli op $words
		assert_status 2
		assert_stderr '^semctl-cli op: '
	done
	run --separate-stderr semctl-cli op key:7 0:+1 --
	assert_status 125
	assert_stderr '^semctl-cli op: COMMAND is missing after --'
	assert_values "3 3"
}

@test "op: an index beyond the set: nothing is done" {
	semctl-cli create -q key:7 --values 3,3
	for vector in "0:-1 2:-1" "0-2:+1" "65535:0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli op key:7 $vector
		assert_status 2
		assert_equal "$stderr" "semctl-cli op: key:7: an index is beyond the set's 2 semaphores"
		assert_values "3 3"
	done
}

@test "op: beyond the largest value: status 6, nothing is done" {
	semctl-cli create -q key:7 --values "5,$semvmx"
	run --separate-stderr semctl-cli op key:7 0:-1 1:+1 --json
	assert_status 6
	json '.error.code | IN("ERANGE", "EOVERFLOW")'
	json '.error.exit == 6 and .error.limit.name == "SEMVMX" and .error.limit.value == 32767'
	assert_values "5 $semvmx"
}

@test "op: more operations than one call takes: status 6 with the limit" {
	semctl-cli create -q key:7 --nsems 40 --value 1
	read -r semmsl semmns semopm semmni </proc/sys/kernel/sem
	echo "$semmsl $semmns 20 $semmni" >/proc/sys/kernel/sem
	run --separate-stderr semctl-cli op key:7 0-39:-1 --json
	first=$status
	errors=$stderr document=$output
	run --separate-stderr semctl-cli op key:7 0-19:-1
	echo "$semmsl $semmns $semopm $semmni" >/proc/sys/kernel/sem
	assert_status 0
	assert_equal "$first" 6
	assert_match 'kernel\.sem semopm is 20' "$errors"
	output=$document
	json '.error.code == "E2BIG" and .error.limit.name == "kernel.sem semopm" and .error.limit.value == 20'
}

@test "op: no such object, no permission, removed, other kinds" {
	run --separate-stderr semctl-cli op key:99 0:+1 --json
	assert_status 3
	json '.error.code == "ENOENT"'
	semctl-cli create -q key:7 --mode 0400
	run --separate-stderr as_unprivileged semctl-cli op key:7 0:+1
	assert_status 5
	assert_equal "$stderr" "semctl-cli op: key:7: permission denied"
	start_waiter op key:7 0:-1 --timeout 20s --json
	ipcrm -S 7
	finish "$pid"
	assert_status 7
	assert_stderr '^semctl-cli op: key:7: removed while it was waited for$'
	json '.error.code == "EIDRM"'
	create_each 1
	for object in "${objects[@]}"; do
		[[ $(backend_of "$object") != sysv ]] || continue
		run --separate-stderr semctl-cli op "$object" 0:-1 --json
		assert_status 8
		assert_equal "$stderr" "semctl-cli op: $object: not supported by $(backend_of "$object") semaphores"
		json '.error.code == "EOPNOTSUPP"'
		assert_value "$object" 1
	done
}
