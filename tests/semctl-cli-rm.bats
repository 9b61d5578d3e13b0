# SPDX-License-Identifier: GPL-2.0-or-later

load helpers

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

@test "rm: silent, and gone for everybody" {
	semctl-cli create /jobs
	semctl-cli create key:0x1234
	run semctl-cli rm /jobs key:0x1234
	assert_status 0
	assert_output ""
	[[ ! -e /dev/shm/sem.jobs && $(ipcs -s) != *0x00001234* ]]
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "rm: by identifier and by path, with JSON where it is asked for" {
	run semctl-cli create private
	id=$(json_get .object)
	touch "$TMPDIR/file"
	semctl-cli create "ftok:$TMPDIR/file"
	run semctl-cli rm "$id" "ftok:$TMPDIR/file" --json
	assert_status 0
	json '[.semaphores[].backend] == ["sysv", "sysv"]'
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "rm: what is not there is status 3, done with --force" {
	local object
	for object in /none key:0x7777 id:4711; do
		run --separate-stderr semctl-cli rm "$object" --json
		assert_status 3
		assert_stderr "^semctl-cli rm: $object: no such object\$"
		run --separate-stderr semctl-cli rm --force "$object"
		assert_status 0
		assert_equal "$stderr" ""
		run semctl-cli rm -f "$object"
		assert_status 0
	done
}

@test "rm: all are tried, the status is the first failure's" {
	semctl-cli create /first
	semctl-cli create /last
	mkdir /dev/shm/sem.directory
	run --separate-stderr semctl-cli rm /first /none /directory bad /last
	assert_status 3
	assert_equal "$(grep -c . <<<"$stderr")" 3 "lines on stderr"
	[[ ! -e /dev/shm/sem.first && ! -e /dev/shm/sem.last ]]
	semctl-cli create /last
	run --separate-stderr semctl-cli rm /directory /none /last --json
	assert_status 7
	json '.error | .exit == 7 and .object == "/directory"'
	[[ ! -e /dev/shm/sem.last ]]
	run semctl-cli rm bad /none
	assert_status 2
	run semctl-cli rm --force /none /directory
	assert_status 7
}

@test "rm: the same one twice is a missing one the second time" {
	semctl-cli create /jobs
	run semctl-cli rm /jobs /jobs
	assert_status 3
	semctl-cli create /jobs
	semctl-cli rm --force /jobs /jobs
}

@test "rm: two at a time remove each object once between them" {
	local i names=()
	for i in {1..100}; do
		names+=("/$i")
		cp /dev/shm/sem.1 "/dev/shm/sem.$i" 2>/dev/null || semctl-cli create "/$i" >/dev/null
	done
	start semctl-cli rm --force "${names[@]}"
	first=$pid
	start semctl-cli rm --force "${names[@]}"
	finish "$pid"
	assert_status 0
	finish "$first"
	assert_status 0
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "rm: a POSIX semaphore lives on for who has it, a new one of its name is another" {
	semctl-cli create /jobs
	start semctl-cli wait /jobs
	wait_until 5 blocked_in "$pid" futex
	semctl-cli rm /jobs
	semctl-cli create /jobs --value 1
	run semctl-cli value /jobs
	json '.value == 1'
	blocked_in "$pid" futex
	stop "$pid"
}

@test "rm: what cannot be removed so is status 8" {
	truncate -s 4096 "$TMPDIR/file"
	semctl-cli create "$TMPDIR/file@0"
	run --separate-stderr semctl-cli rm "$TMPDIR/file@0"
	assert_status 8
	assert_stderr 'not supported by unnamed semaphores'
	run --separate-stderr semctl-cli rm fd:0
	assert_status 8
	assert_stderr 'not supported by eventfd semaphores'
}

@test "rm: no permission is status 5, --force or not" {
	semctl-cli create /jobs
	chmod 0555 /dev/shm
	run as_unprivileged semctl-cli rm /jobs
	assert_status 5
	run as_unprivileged semctl-cli rm --force /jobs
	assert_status 5
	chmod 1777 /dev/shm
	[[ -e /dev/shm/sem.jobs ]]
}

@test "rm: a read-only file system is status 8" {
	semctl-cli create /jobs
	mount -o remount,bind,ro /dev/shm
	run --separate-stderr semctl-cli rm /jobs --json
	mount -o remount,bind,rw /dev/shm
	assert_status 8
	assert_stderr 'read-only'
	json '.error.code == "EROFS"'
}

@test "rm: bad operands are status 2" {
	local object
	for object in jobs / /a/b private key:0 id:x file:/tmp/x ''; do
		run semctl-cli rm "$object"
		assert_status 2
	done
	run semctl-cli rm
	assert_status 2
	run semctl-cli rm --forc /jobs
	assert_status 2
}

@test "rm: a name that begins like an option goes after --" {
	semctl-cli create -- /jobs
	semctl-cli rm -- /jobs
	[[ ! -e /dev/shm/sem.jobs ]]
}
