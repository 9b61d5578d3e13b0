# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli value and set: reads a value, sets it.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

# ---- value ----

@test "value prints the value of each kind of semaphore as JSON" {
	create_each 6
	for object in "${objects[@]}"; do
		run --separate-stderr semctl-cli value "$object"
		assert_status 0
		assert_equal "$stderr" ""
		assert_equal "${#lines[@]}" 1
		json --arg o "$object" --arg b "$(backend_of "$object")" '. == {object: $o, backend: $b, value: 6}'
	done
	run semctl-cli value 'key:8#1'
	json '.value == 9'
}

@test "value, plain, is the number alone" {
	create_each 6
	for object in "${objects[@]}"; do
		run semctl-cli value --plain "$object"
		assert_output 6
		IPCKIT_FORMAT=plain run semctl-cli value "$object"
		assert_output 6
	done
	run semctl-cli value /jobs --table
	assert_match '^value +6$'
	run semctl-cli value /jobs --plain --columns backend,value,object
	assert_output $'posix\t6\t/jobs'
	run semctl-cli value /jobs --quiet
	assert_output ""
}

@test "on a terminal value prints a table" {
	semctl-cli create -q /jobs --value 6
	NO_COLOR=1 run script -qec 'semctl-cli value /jobs' /dev/null
	assert_status 0
	assert_match '^value +6'
	run script -qec 'semctl-cli value /jobs --json' /dev/null
	assert_match '"value": 6'
	run script -qec 'semctl-cli wait /jobs' /dev/null
	assert_output ""
}

@test "value agrees with libc and with the kernel" {
	semctl-cli create -q /jobs --value 2
	"$peers/posix" /jobs try
	assert_value /jobs 1
	"$peers/posix" /jobs post
	"$peers/posix" /jobs post
	assert_value /jobs 3
	semctl-cli create -q key:7 --value 4
	run ipcs -s -i "$(semctl-cli info key:7 --json | jq .id)"
	assert_match $'\n0 +4 '
}

@test "value needs no more than to read, and takes nothing" {
	semctl-cli create -q /jobs --mode 0400 --value 2
	semctl-cli create -q key:7 --mode 0400 --value 2
	truncate -s 64 "$TMPDIR/words"
	semctl-cli create -q "$TMPDIR/words@0" --value 2
	chmod 0400 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@0"; do
		run as_unprivileged semctl-cli value "$object" --plain
		assert_status 0
		assert_output 2
	done
}

@test "value: no permission" {
	semctl-cli create -q /jobs --mode 0
	semctl-cli create -q key:7 --mode 0
	truncate -s 64 "$TMPDIR/words"
	semctl-cli create -q "$TMPDIR/words@0"
	chmod 0 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@0"; do
		run --separate-stderr as_unprivileged semctl-cli value "$object"
		assert_status 5
		assert_equal "$stderr" "semctl-cli value: $object: permission denied"
		json --arg o "$object" '.error.code == "EACCES" and .error.exit == 5 and .error.object == $o'
	done
}

@test "value and set: no such object, no such semaphore" {
	for object in /none key:99 id:99 "ftok:$TMPDIR/none" /none@0 "$TMPDIR/none@0" fd:77 "fd:$$:999"; do
		for verb in value set; do
			words=("$object")
			[[ $verb == value ]] || words+=(1)
			run --separate-stderr semctl-cli "$verb" "${words[@]}" --json
			assert_status 3
			assert_equal "$stderr" "semctl-cli $verb: $object: no such object"
			json --arg v "$verb" '.error.code == "ENOENT" and .error.exit == 3 and .error.verb == $v'
		done
	done
	semctl-cli create -q key:7 --values 1,1
	run --separate-stderr semctl-cli value 'key:7#2'
	assert_status 2
	assert_stderr 'the set has no semaphore 2$'
	run --separate-stderr semctl-cli set 'key:7#2' 1
	assert_status 2
	assert_stderr 'the set has no semaphore 2$'
	run ls -A /dev/shm
	assert_output ""
}

@test "value and set: what stands there is no semaphore" {
	mkdir /dev/shm/sem.directory
	mkfifo /dev/shm/sem.fifo
	ln -s sem.fifo /dev/shm/sem.link
	: >/dev/shm/sem.empty
	head -c 32 /dev/zero | tr '\0' '\377' >/dev/shm/sem.junk
	cp /dev/shm/sem.junk "$TMPDIR/junk"
	for name in directory fifo link empty junk; do
		run --separate-stderr timeout 10 semctl-cli value "/$name"
		assert_status 7
		assert_stderr "^semctl-cli value: /$name: "
		json '.error.code | IN("EBADMSG", "ELOOP")'
		run --separate-stderr timeout 10 semctl-cli set "/$name" 1
		assert_status 7
	done
	cmp "$TMPDIR/junk" /dev/shm/sem.junk
	run --separate-stderr bash -c 'semctl-cli value fd:3 3>/dev/null'
	assert_status 7
	truncate -s 64 "$TMPDIR/words"
	run semctl-cli value "$TMPDIR/words@40"
	assert_status 7
	run semctl-cli value "$TMPDIR/words@3"
	assert_status 2
}

@test "value and set: bad words" {
	semctl-cli create -q /jobs --value 3
	for words in "value" "value /jobs /jobs" "value jobs" "value key:0" "value /jobs -1" "value /jobs --bogus" \
		"value file:/tmp/x" "value private" "set" "set /jobs" "set /jobs 1 2" "set /jobs -1" "set /jobs x" \
		"set /jobs 0x" "set /jobs 1.5" "set /jobs 99999999999999999999" "set /jobs ''" "set jobs 1" "set /jobs 1 -- true"; do
		eval "run --separate-stderr semctl-cli $words"
		assert_status 2
		assert_stderr "^semctl-cli ${words%% *}: "
	done
	run --separate-stderr semctl-cli set /jobs 12x
	assert_equal "$stderr" 'semctl-cli set: VALUE: "12x" is not a count (decimal, 0x hex or 0 octal)'
	assert_value /jobs 3
}

@test "value and set: no /dev/shm, and results that cannot be written" {
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs none /dev && semctl-cli value /jobs'
	assert_status 8
	assert_stderr '/dev/shm is missing'
	semctl-cli create -q /jobs
	run --separate-stderr bash -c 'semctl-cli value /jobs >/dev/full'
	assert_status 8
	assert_stderr '^semctl-cli value: standard output: no space left'
}

# ---- set ----

@test "set sets each kind of semaphore, up and down, and says nothing" {
	create_each 3
	for object in "${objects[@]}"; do
		for value in 8 2 2 0 0x10 010; do
			run --separate-stderr semctl-cli set "$object" "$value"
			assert_status 0
			assert_equal "$output$stderr" ""
			assert_value "$object" $((value))
		done
		run semctl-cli set "$object" 5 --json
		json --arg o "$object" --arg b "$(backend_of "$object")" '. == {object: $o, backend: $b, value: 5}'
	done
	assert_value 'key:8#0' 9
	assert_value 'key:8#1' 9
}

@test "set reaches the largest value, and refuses one more: status 6" {
	semctl-cli create -q key:7
	run semctl-cli set key:7 "$semvmx"
	assert_status 0
	assert_value key:7 "$semvmx"
	semctl-cli create -q /jobs --value $((sem_value_max - 3))
	run semctl-cli set /jobs "$sem_value_max"
	assert_status 0
	assert_value /jobs "$sem_value_max"
	for pair in "/jobs $sem_value_max SEM_VALUE_MAX" "key:7 $semvmx SEMVMX"; do
		read -r object limit name <<<"$pair"
		for force in "" --force; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr semctl-cli set $force "$object" $((limit + 1)) --json
			assert_status 6
			assert_stderr "$name is $limit permits$"
			json --arg n "$name" '.error.code == "EOVERFLOW" and .error.limit.name == $n'
			assert_value "$object" "$limit"
		done
	done
}

@test "set wakes who waits for what it gives" {
	semctl-cli create -q key:7
	start_waiter wait key:7 --count 3 --timeout 20s
	semctl-cli set key:7 4
	finish "$pid"
	assert_status 0
	assert_value key:7 1
	semctl-cli create -q /jobs
	start_waiter wait /jobs --timeout 20s
	semctl-cli set /jobs 2 --force
	finish "$pid"
	assert_status 0
	assert_match '^[12]$' "$(value_of /jobs)"
}

@test "System V: set keeps the undo of a holder, --force forgets it" {
	semctl-cli create -q key:7 --value 3
	for force in "" --force; do
		semctl-cli set key:7 3 --force
		start semctl-cli exec key:7 --count 2 -- sleep 1000
		holder=$pid
		wait_until 5 blocked_in "$holder" clock_nanosleep
		assert_value key:7 1
		# shellcheck disable=SC2086 # words
		run semctl-cli set $force key:7 10
		assert_status 0
		assert_value key:7 10
		kill -TERM "$holder"
		finish "$holder"
		if [[ $force ]]; then
			assert_value key:7 10
		else
			assert_value key:7 12
		fi
	done
}

@test "System V: an undo taken with op survives set, too" {
	semctl-cli create -q key:7 --values 1,5
	start semctl-cli op key:7 0:-1u 1:-2u -- sleep 1000
	wait_until 5 blocked_in "$pid" clock_nanosleep
	semctl-cli set 'key:7#1' 0
	kill -KILL "$pid"
	finish "$pid"
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t2'
}

@test "System V: set is one step among posters" {
	semctl-cli create -q key:7
	start "$peers/race" 60 semctl-cli post key:7
	posters=$pid
	run "$peers/race" 60 semctl-cli set key:7 1000
	assert_output "0 60"
	finish "$posters"
	assert_output "0 60"
	value=$(value_of key:7)
	((value >= 1000 && value <= 1060))
}

@test "POSIX: set is refused while somebody waits, and done with --force" {
	truncate -s 64 "$TMPDIR/words"
	for object in /jobs "$TMPDIR/words@32"; do
		semctl-cli create -q "$object"
		start_waiter wait "$object" --timeout 30s
		run --separate-stderr semctl-cli set "$object" 3 --json
		assert_status 1
		assert_equal "$stderr" \
			"semctl-cli set: $object: others are waiting for it (--force sets it all the same)"
		json '.error.code == "EBUSY" and .error.exit == 1'
		assert_value "$object" 0
		! gone "$pid"
		run semctl-cli set "$object" 3 --force
		assert_status 0
		finish "$pid"
		assert_status 0
		# The waiter took its permit on the way there, or after it.
		assert_match '^[23]$' "$(value_of "$object")"
	done
}

@test "POSIX: a waiter of libc is seen as well" {
	semctl-cli create -q /jobs
	start "$peers/posix" /jobs wait
	wait_until 5 blocked_in "$pid" futex
	run semctl-cli set /jobs 3
	assert_status 1
	semctl-cli post /jobs
	finish "$pid"
	run semctl-cli set /jobs 3
	assert_status 0
}

@test "POSIX: who was killed while waiting does not count" {
	semctl-cli create -q /jobs
	start_waiter wait /jobs
	kill -KILL "$pid"
	finish "$pid"
	run semctl-cli info /jobs --json
	json '.waiters_recorded == 1 and .waiters == 0'
	run --separate-stderr semctl-cli set /jobs 3
	assert_status 0
	assert_value /jobs 3
}

@test "set: a waiter who is stopped is still one" {
	semctl-cli create -q /jobs
	start_waiter wait /jobs --timeout 30s
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 blocked_in "$pid" futex restart_syscall
	run semctl-cli set /jobs 3
	assert_status 1
}

@test "set: no permission" {
	semctl-cli create -q /jobs --mode 0400 --value 2
	semctl-cli create -q key:7 --mode 0400 --value 2
	truncate -s 64 "$TMPDIR/words"
	semctl-cli create -q "$TMPDIR/words@0" --value 2
	chmod 0400 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@0"; do
		for force in "" --force; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr as_unprivileged semctl-cli set $force "$object" 7 --json
			assert_status 5
			assert_stderr "^semctl-cli set: $object: permission denied$"
			json '.error.code == "EACCES"'
			assert_value "$object" 2
		done
	done
}
