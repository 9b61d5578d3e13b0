# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli wait-zero: waits until a System V semaphore is 0.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

@test "wait-zero returns at once where the value is 0" {
	semctl-cli create -q key:7 --values 3,0
	run --separate-stderr semctl-cli wait-zero 'key:7#1'
	assert_status 0
	assert_equal "$output$stderr" ""
	run semctl-cli wait-zero 'key:7#1' --timeout 0 --json
	assert_status 0
	json '. == {object: "key:7#1", backend: "sysv"}'
	run semctl-cli values key:7 --plain
	assert_output $'0\t3\n1\t0'
}

@test "wait-zero waits for the last permit to be taken" {
	for name in key id ftok; do
		: >"$TMPDIR/words"
		case $name in
		key) object=key:7 ;;
		id) object=$(semctl-cli create private --plain --columns object) ;;
		ftok) object=ftok:$TMPDIR/words ;;
		esac
		[[ $name == id ]] || semctl-cli create -q "$object"
		semctl-cli set "$object" 2
		start_waiter wait-zero "$object" --timeout 20s
		semctl-cli wait "$object"
		blocked_in "$pid" semtimedop
		semctl-cli wait "$object"
		finish "$pid"
		assert_status 0
	done
}

@test "all who wait for 0 are let go together, and are seen by the kernel" {
	semctl-cli create -q key:7 --value 1
	start "$peers/race" 20 semctl-cli wait-zero key:7 --timeout 30s
	wait_until 10 eval '[[ $(semctl-cli info key:7 --json | jq .semaphores[0].zcnt) == 20 ]]'
	semctl-cli set key:7 0
	finish "$pid"
	assert_output "0 20"
}

@test "wait-zero: a timeout of 0 tries, another is kept" {
	semctl-cli create -q key:7 --value 1
	run --separate-stderr semctl-cli wait-zero key:7 --timeout 0 --json
	assert_status 1
	assert_equal "$stderr" "semctl-cli wait-zero: key:7: would block"
	json '.error == {code: "EAGAIN", exit: 1, verb: "wait-zero", object: "key:7", message: "would block"}'
	punctual 150000 semctl-cli wait-zero key:7 --timeout 150ms 2>"$TMPDIR/err"
	assert_status 1
	assert_equal "$(tail -n1 "$TMPDIR/err")" "semctl-cli wait-zero: key:7: timed out after 150ms"
}

@test "wait-zero: a waiter interrupted, killed, stopped and continued" {
	semctl-cli create -q key:7 --value 1
	for signal in INT TERM HUP KILL; do
		start_waiter wait-zero key:7
		kill -"$signal" "$pid"
		finish "$pid" 2
		assert_equal "$(kill -l "$status")" "$signal"
	done
	start_waiter wait-zero key:7 --timeout 20s
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 blocked_in "$pid" semtimedop restart_syscall
	semctl-cli wait key:7
	finish "$pid"
	assert_status 0
}

@test "wait-zero: a set that is removed meanwhile" {
	semctl-cli create -q key:7 --value 1
	start_waiter wait-zero key:7 --timeout 20s --json
	semctl-cli rm key:7
	finish "$pid"
	assert_status 7
	assert_stderr '^semctl-cli wait-zero: key:7: removed while it was waited for$'
	json '.error.code == "EIDRM" and .error.exit == 7'
}

@test "wait-zero: other kinds of semaphore cannot: status 8" {
	create_each 0
	for object in "${objects[@]}"; do
		[[ $(backend_of "$object") != sysv ]] || continue
		run --separate-stderr semctl-cli wait-zero "$object" --json
		assert_status 8
		assert_equal "$stderr" \
			"semctl-cli wait-zero: $object: not supported by $(backend_of "$object") semaphores"
		json '.error.code == "EOPNOTSUPP" and .error.exit == 8'
	done
}

@test "wait-zero: no such object, no such semaphore, no permission, bad words" {
	run --separate-stderr semctl-cli wait-zero key:99
	assert_status 3
	run --separate-stderr semctl-cli wait-zero id:99 --json
	assert_status 3
	json '.error.code == "ENOENT"'
	semctl-cli create -q key:7 --mode 0200
	run --separate-stderr semctl-cli wait-zero 'key:7#1'
	assert_status 2
	assert_stderr 'the set has no semaphore 1$'
	run --separate-stderr as_unprivileged semctl-cli wait-zero key:7
	assert_status 5
	assert_stderr '^semctl-cli wait-zero: key:7: permission denied$'
	for words in "" "key:7 key:7" "key:7 --count 1" "key:7 --timeout x" "key:7 --timeout -1" "key:0" "private" \
		"key:7 -- true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli wait-zero $words
		assert_status 2
		assert_stderr '^semctl-cli wait-zero: '
	done
}
