# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli post: gives permits, all or none.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

# How many of `race` ended with this status, from its output.
ended_with()
{
	awk -v status="$1" '$1 == status { n = $2 } END { print n + 0 }' <<<"$output"
}

@test "post gives a permit of each kind of semaphore and says nothing" {
	create_each 0
	for object in "${objects[@]}"; do
		run --separate-stderr semctl-cli post "$object"
		assert_status 0
		assert_equal "$output$stderr" ""
		assert_value "$object" 1
		run semctl-cli v "$object"
		assert_status 0
		assert_value "$object" 2
	done
	assert_value 'key:8#0' 9
}

@test "post, told to print, tells what it gave" {
	create_each 1
	for object in "${objects[@]}"; do
		run semctl-cli post "$object" --count 4 --json
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json --arg o "$object" --arg b "$(backend_of "$object")" \
			'. == {object: $o, backend: $b, count: 4}'
		assert_value "$object" 5
	done
	run semctl-cli post /jobs --plain --columns count,backend
	assert_output $'1\tposix'
	run semctl-cli post /jobs --quiet --json
	assert_output ""
}

@test "a program of libc takes what was given" {
	semctl-cli create -q /jobs
	run "$peers/posix" /jobs try
	assert_status 1
	assert_output EAGAIN
	semctl-cli post /jobs
	run "$peers/posix" /jobs try
	assert_status 0
}

@test "100 posters: nothing is lost" {
	create_each 0
	for object in "${objects[@]}"; do
		run "$peers/race" 100 semctl-cli post "$object" --count 3
		assert_output "0 100"
		assert_value "$object" 300
	done
}

@test "post of several wakes as many waiters" {
	create_each 0
	for object in "${objects[@]}"; do
		waiters=()
		for n in 1 2 3; do
			start_waiter wait "$object" --timeout 20s
			waiters+=("$pid")
		done
		semctl-cli post "$object" --count 3
		for waiter in "${waiters[@]}"; do
			finish "$waiter"
			assert_status 0
		done
		assert_value "$object" 0
		((n == 3))
	done
}

# ---- limits ----

@test "at the largest value: status 6, the value unchanged, the limit in JSON" {
	for pair in "/jobs $sem_value_max SEM_VALUE_MAX" "key:7 $semvmx SEMVMX" \
		"$TMPDIR/words@0 $sem_value_max SEM_VALUE_MAX"; do
		read -r object limit name <<<"$pair"
		truncate -s 64 "$TMPDIR/words"
		semctl-cli create -q "$object" --value "$limit"
		run --separate-stderr semctl-cli post "$object" --json
		assert_status 6
		assert_equal "$stderr" "semctl-cli post: $object: the largest value would be passed: $name is $limit permits"
		json --arg o "$object" --arg n "$name" '.error.code == "EOVERFLOW" and .error.exit == 6 and
			.error.verb == "post" and .error.object == $o and .error.limit.name == $n'
		json ".error.limit.value == $limit"
		assert_value "$object" "$limit"
		run semctl-cli wait "$object" --timeout 0
		assert_status 0
		run semctl-cli post "$object" --count 2
		assert_status 6
		assert_value "$object" $((limit - 1))
		run semctl-cli post "$object"
		assert_status 0
		assert_value "$object" "$limit"
	done
}

@test "100 racers for the last 10 permits below the largest value" {
	for pair in "/jobs $sem_value_max" "key:7 $semvmx"; do
		read -r object limit <<<"$pair"
		semctl-cli create -q "$object" --value $((limit - 10))
		run --separate-stderr "$peers/race" 100 semctl-cli post "$object"
		assert_output $'0 10\n6 90'
		assert_value "$object" "$limit"
	done
}

@test "a count beyond the limit is refused before the call" {
	create_each 1
	for object in "${objects[@]}"; do
		case $(backend_of "$object") in
		sysv) count=$((semvmx + 1)) name=SEMVMX ;;
		eventfd) count=18446744073709551615 name="eventfd counter" ;;
		*) count=$((sem_value_max + 1)) name=SEM_VALUE_MAX ;;
		esac
		run --separate-stderr semctl-cli post "$object" --count "$count" --json
		assert_status 6
		json --arg n "$name" '.error.code == "EOVERFLOW" and .error.limit.name == $n'
		assert_value "$object" 1
	done
}

@test "an eventfd's counter does not overflow, and post does not block" {
	create_eventfd 0
	for ((n = 0; n < 3; n++)); do semctl-cli post "$eventfd" --count 4294967295; done
	assert_value "$eventfd" $((3 * 4294967295))
}

# ---- --max ----

@test "--max keeps a binary semaphore binary" {
	create_each 0
	for object in "${objects[@]}"; do
		run semctl-cli post "$object" --max 1
		assert_status 0
		run --separate-stderr semctl-cli post "$object" --max 1 --json
		assert_status 1
		assert_equal "$stderr" "semctl-cli post: $object: would pass the maximum of 1"
		json --arg o "$object" '.error == {code: "EAGAIN", exit: 1, verb: "post", object: $o,
			message: "would pass the maximum of 1"}'
		assert_value "$object" 1
		run semctl-cli post "$object" --max 5 --count 5
		assert_status 1
		assert_value "$object" 1
		run semctl-cli post "$object" --max 5 --count 4
		assert_status 0
		assert_value "$object" 5
		run semctl-cli post "$object" --max 3
		assert_status 1
		assert_value "$object" 5
	done
}

@test "--max is atomic among 50 racers" {
	create_each 0
	for object in "${objects[@]}"; do
		run --separate-stderr "$peers/race" 50 semctl-cli post "$object" --max 7
		assert_output $'0 7\n1 43'
		assert_value "$object" 7
	done
}

@test "--max is atomic, though time passes between look and post" {
	build_shim
	for object in /jobs key:7; do
		semctl-cli create -q "$object"
		run --separate-stderr shim SHIM_DELAY_US=5000 "$peers/race" 20 semctl-cli post "$object" --max 3
		assert_output $'0 3\n1 17'
		assert_value "$object" 3
	done
}

@test "--max among takers: as many posts succeed as are taken" {
	for object in /jobs key:7; do
		semctl-cli create -q "$object" --value 1
		start "$peers/race" 40 semctl-cli wait "$object" --timeout 100ms
		takers=$pid
		run --separate-stderr "$peers/race" 40 semctl-cli post "$object" --max 1
		given=$(ended_with 0)
		((given + $(ended_with 1) == 40))
		finish "$takers"
		taken=$(ended_with 0)
		assert_value "$object" $((1 + given - taken))
		(($(value_of "$object") <= 1))
	done
}

@test "--max beyond what the semaphore holds leaves its own limit" {
	semctl-cli create -q key:7 --value "$semvmx"
	run semctl-cli post key:7 --max 4294967295
	assert_status 6
	semctl-cli create -q /jobs --value "$sem_value_max"
	run semctl-cli post /jobs --max 4294967295
	assert_status 6
	assert_value /jobs "$sem_value_max"
}

# ---- what can go wrong ----

@test "post: no such object" {
	for object in /none key:99 id:99 "ftok:$TMPDIR/none" /none@0 "$TMPDIR/none@0" fd:77 "fd:$$:999"; do
		run --separate-stderr semctl-cli post "$object" --json
		assert_status 3
		assert_equal "$stderr" "semctl-cli post: $object: no such object"
		json --arg o "$object" '.error.code == "ENOENT" and .error.object == $o'
	done
	run ls -A /dev/shm
	assert_output ""
}

@test "post: the set has no such semaphore" {
	semctl-cli create -q key:7 --values 1,1
	run --separate-stderr semctl-cli post 'key:7#2'
	assert_status 2
	assert_stderr '^semctl-cli post: key:7#2: the set has no semaphore 2$'
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t1'
}

@test "post: no permission" {
	truncate -s 64 "$TMPDIR/words"
	chmod 0400 "$TMPDIR/words"
	semctl-cli create -q /jobs --mode 0400
	semctl-cli create -q key:7 --mode 0400
	for object in /jobs key:7 "$TMPDIR/words@0"; do
		run --separate-stderr as_unprivileged semctl-cli post "$object" --json
		assert_status 5
		assert_equal "$stderr" "semctl-cli post: $object: permission denied"
		json '.error.code == "EACCES" and .error.exit == 5'
	done
	assert_value /jobs 0
	assert_value key:7 0
}

@test "post: what stands there is no semaphore" {
	mkdir /dev/shm/sem.directory
	mkfifo /dev/shm/sem.fifo
	head -c 32 /dev/zero | tr '\0' '\377' >/dev/shm/sem.junk
	cp /dev/shm/sem.junk "$TMPDIR/junk"
	for name in directory fifo junk; do
		run --separate-stderr timeout 10 semctl-cli post "/$name" --json
		assert_status 7
		assert_stderr "^semctl-cli post: /$name: "
	done
	cmp "$TMPDIR/junk" /dev/shm/sem.junk
	run --separate-stderr bash -c 'semctl-cli post fd:3 --json 3>/dev/null'
	assert_status 7
	json '.error.code == "EBADMSG"'
}

@test "post: a place that is none" {
	truncate -s 64 "$TMPDIR/words"
	run --separate-stderr semctl-cli post "$TMPDIR/words@40"
	assert_status 7
	run --separate-stderr semctl-cli post "$TMPDIR/words@3"
	assert_status 2
	assert_stderr 'a semaphore begins at a multiple of [0-9]+$'
}

@test "post: counts, maxima and operands that are none" {
	semctl-cli create -q /jobs --value 1
	for option in --count --max; do
		for text in 0 -1 '' 3x 0x 99999999999999999999 1.5; do
			run --separate-stderr semctl-cli post /jobs "$option" "$text"
			assert_status 2
			assert_equal "$output" ""
			[[ $stderr == "semctl-cli post: $option: \"$text\" is "* ]] || fail "$text" "$(show_last)"
		done
	done
	for words in "" "/jobs /jobs" "/jobs -1" "/jobs --timeout 1" "/jobs -- true" "jobs" "file:/tmp/x" "private"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli post $words
		assert_status 2
		assert_stderr '^semctl-cli post: '
	done
	assert_value /jobs 1
}

@test "post: no /dev/shm, and a result that cannot be written" {
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs none /dev && semctl-cli post /jobs'
	assert_status 8
	assert_stderr '/dev/shm is missing'
	semctl-cli create -q /jobs
	run --separate-stderr bash -c 'semctl-cli post /jobs --json >/dev/full'
	assert_status 8
	assert_stderr '^semctl-cli post: standard output: no space left'
	assert_value /jobs 1
}
