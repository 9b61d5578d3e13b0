# SPDX-License-Identifier: GPL-2.0-or-later
# repair: the value is the capacity less what living exec runs hold.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016

load helpers
load backends

# lose OBJECT: a guardian is killed, then its job ends: the permit is lost.
lose()
{
	local guardian
	start_holder "$1"
	guardian=$(guardian_of "$pid" holding)
	kill -KILL "$guardian"
	wait_until 5 gone "$guardian"
	stop "$pid"
}

@test "repair brings back what was lost with a killed guardian" {
	for backend in posix unnamed; do
		make "$backend" 3
		lose "$object"
		lose "$object"
		assert_value "$object" 1
		run semctl-cli repair "$object" --capacity 3
		assert_status 0
		assert_output ""
		assert_value "$object" 3
	done
}

@test "repair leaves living jobs what they hold" {
	for backend in posix unnamed; do
		make "$backend" 6
		lose "$object"
		start_holder "$object" --count 2
		two=$pid
		start_holder "$object"
		one=$pid
		assert_value "$object" 2
		run semctl-cli repair --json "$object" --capacity 6
		assert_status 0
		json '.before == 2 and .held == 3 and .value == 3'
		json --arg object "$object" '.object == $object'
		assert_value "$object" 3
		stop "$one" "$two"
		comes_back "$object" 6
		run semctl-cli repair --json "$object" --capacity 6
		json '.before == 6 and .held == 0 and .value == 6'
	done
}

@test "repair takes away what is too much" {
	make posix 9
	semctl-cli repair "$object" --capacity 4
	assert_value "$object" 4
	semctl-cli repair "$object" --capacity 0
	assert_value "$object" 0
}

@test "repair lets a waiter in that waits for what was lost" {
	make posix
	lose "$object"
	start semctl-cli exec "$object" -- echo ran
	waiter=$pid
	wait_until 5 waiting_are "$object" "$waiter"
	semctl-cli repair "$object" --capacity 1
	finish "$waiter"
	assert_output ran
	comes_back "$object" 1
}

@test "repair does not guess while jobs come and go" {
	make posix 4
	start "$jobs" crowd "$BATS_TEST_TMPDIR/board" 6 120 semctl-cli exec "$object" -- "$jobs" inside "$BATS_TEST_TMPDIR/board"
	crowd=$pid
	until gone "$crowd"; do
		run semctl-cli repair "$object" --capacity 4
		# A guardian that has just given back is still one for a moment.
		[[ $status == 0 ]] || assert_match 'come and go too fast|more than the capacity of 4'
	done
	finish "$crowd"
	json '.ended == 120 and .failed == 0 and .most <= 4'
	comes_back "$object" 4
}

@test "a capacity below what is held is refused with 7" {
	make posix 3
	start_holder "$object" --count 2
	run --separate-stderr semctl-cli repair --json "$object" --capacity 1
	assert_status 7
	json '.error.code == "EBADMSG" and .error.exit == 7'
	assert_stderr '2 permits are held, more than the capacity of 1'
	assert_value "$object" 1
}

@test "a job whose guardian was killed is not counted while another one is" {
	make posix 2
	start_holder "$object"
	guardian=$(guardian_of "$pid" holding)
	kill -KILL "$guardian"
	wait_until 5 gone "$guardian"
	start_holder "$object"
	run semctl-cli repair --json "$object" --capacity 2
	json '.before == 0 and .held == 1 and .value == 1'
}

@test "repair refuses to guess where processes may not be looked at, but for --force" {
	make posix 2
	lose "$object"
	run --separate-stderr as_unprivileged semctl-cli repair --json "$object" --capacity 2
	assert_status 5
	json '.error.code == "EACCES"'
	assert_stderr 'cannot be looked at'
	assert_value "$object" 1
	run as_unprivileged semctl-cli repair --force "$object" --capacity 2
	assert_status 0
	assert_value "$object" 2
}

@test "other kinds of semaphores need no repair: 8" {
	for backend in sysv eventfd; do
		make "$backend"
		run --separate-stderr semctl-cli repair --json "$object" --capacity 1
		assert_status 8
		json '.error.code == "EOPNOTSUPP" and .error.exit == 8'
	done
	run semctl-cli repair "file:$BATS_TEST_TMPDIR/lock" --capacity 1
	assert_status 2
}

@test "bad input of repair" {
	make posix
	run semctl-cli repair "$object"
	assert_status 2
	for capacity in '' x -1 1x 99999999999999999999; do
		run semctl-cli repair "$object" --capacity="$capacity"
		assert_status 2
	done
	run --separate-stderr semctl-cli repair --json "$object" --capacity 2147483648
	assert_status 6
	json '.error.limit.name and .error.exit == 6'
	run semctl-cli repair /no-such --capacity 1
	assert_status 3
	semctl-cli chmod "$object" 0
	run as_unprivileged semctl-cli repair "$object" --capacity 1
	assert_status 5
	mkdir /dev/shm/sem.directory
	run semctl-cli repair /directory --capacity 1
	assert_status 7
	assert_value "$object" 1
}
