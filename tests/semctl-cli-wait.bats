# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli wait: takes permits, all or none.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

@test "wait takes a permit of each kind of semaphore and says nothing" {
	create_each 2
	for object in "${objects[@]}"; do
		run --separate-stderr semctl-cli wait "$object"
		assert_status 0
		assert_equal "$output$stderr" ""
		assert_value "$object" 1
	done
}

@test "wait, told to print, tells what it took" {
	create_each 5
	for object in "${objects[@]}"; do
		run semctl-cli wait --json --count 3 "$object"
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json --arg o "$object" --arg b "$(backend_of "$object")" \
			'. == {object: $o, backend: $b, count: 3}'
		assert_value "$object" 2
	done
	run semctl-cli p /jobs --plain --columns object,count
	assert_output $'/jobs\t1'
	run semctl-cli wait /jobs --table --columns count,object
	assert_match '^count +1'
}

@test "wait takes all or none" {
	create_each 2
	for object in "${objects[@]}"; do
		run semctl-cli wait "$object" --count 3 --timeout 0
		assert_status 1
		assert_value "$object" 2
		run semctl-cli wait "$object" --count 3 --timeout 40ms
		assert_status 1
		assert_value "$object" 2
		run semctl-cli wait "$object" --count 2 --timeout 0
		assert_status 0
		assert_value "$object" 0
	done
	assert_value 'key:8#0' 9
}

@test "a timeout of 0 tries, and says that it would block" {
	create_each 0
	for object in "${objects[@]}"; do
		run --separate-stderr semctl-cli wait "$object" --timeout 0
		assert_status 1
		assert_output ""
		assert_equal "$stderr" "semctl-cli wait: $object: would block"
		run --separate-stderr semctl-cli wait "$object" --timeout 0 --json
		assert_status 1
		json --arg o "$object" '.error == {code: "EAGAIN", exit: 1, verb: "wait", object: $o,
			message: "would block"}'
	done
}

@test "a timeout ends the wait when it is over, not before" {
	create_each 0
	for object in "${objects[@]}"; do
		punctual 150000 semctl-cli wait "$object" --timeout 150ms 2>"$TMPDIR/err"
		assert_status 1
		assert_equal "$(tail -n1 "$TMPDIR/err")" "semctl-cli wait: $object: timed out after 150ms"
		assert_value "$object" 0
	done
}

@test "a timeout ends a wait for several, too" {
	create_each 1
	for object in "${objects[@]}"; do
		punctual 150000 semctl-cli wait "$object" --count 2 --timeout 150ms 2>/dev/null
		assert_status 1
		assert_value "$object" 1
	done
}

@test "a timeout in words, and as JSON" {
	semctl-cli create -q /jobs
	run --separate-stderr semctl-cli wait /jobs -t .02
	assert_status 1
	assert_equal "$stderr" "semctl-cli wait: /jobs: timed out after .02s"
	run --separate-stderr semctl-cli wait /jobs -t 3000us --json
	assert_status 1
	json '.error == {code: "ETIMEDOUT", exit: 1, verb: "wait", object: "/jobs",
		message: "timed out after 3000us"}'
}

@test "a waiter of each kind is woken by a post" {
	create_each 0
	for object in "${objects[@]}"; do
		start_waiter wait "$object" --timeout 10s
		semctl-cli post "$object"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "a wait without a timeout, or an infinite one, goes on" {
	create_each 0
	for object in "${objects[@]}"; do
		start_waiter wait "$object"
		first=$pid
		start_waiter wait "$object" --timeout inf
		semctl-cli post "$object" --count 2
		finish "$first"
		assert_status 0
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "a waiter for several gets them once there are enough" {
	create_each 0
	for object in "${objects[@]}"; do
		start semctl-cli wait "$object" --count 3 --timeout 20s
		for value in 1 2; do
			semctl-cli post "$object"
			wait_until 5 value_is "$object" "$value"
		done
		! gone "$pid"
		semctl-cli post "$object"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "two takers of several never hold a part each" {
	for object in /jobs key:7; do
		semctl-cli create -q "$object"
		start semctl-cli wait "$object" --count 3 --timeout 20s
		one=$pid
		start semctl-cli wait "$object" --count 3 --timeout 20s
		two=$pid
		for ((i = 0; i < 3; i++)); do semctl-cli post "$object"; done
		wait_until 10 eval "gone $one || gone $two"
		for ((i = 0; i < 3; i++)); do semctl-cli post "$object"; done
		finish "$one"
		assert_status 0
		finish "$two"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "200 takers of 5 permits in 20 posts of 50: none lost, none twice" {
	for object in /jobs key:7; do
		semctl-cli create -q "$object"
		start "$peers/race" 200 semctl-cli wait "$object" --count 5 --timeout 60s
		for ((i = 0; i < 20; i++)); do semctl-cli post "$object" --count 50; done
		finish "$pid" 60
		assert_output "0 200"
		assert_value "$object" 0
	done
}

@test "waiters and posters of libc and of the tool meet" {
	semctl-cli create -q /jobs
	truncate -s 64 "$TMPDIR/words"
	semctl-cli create -q "$TMPDIR/words@32"
	for pair in "/jobs /jobs" "$TMPDIR/words@32 $TMPDIR/words@32"; do
		read -r object peer <<<"$pair"
		start_waiter wait "$object" --timeout 10s
		"$peers/posix" "$peer" post
		finish "$pid"
		assert_status 0
		start "$peers/posix" "$peer" wait
		wait_until 5 blocked_in "$pid" futex
		semctl-cli post "$object"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "eventfd: an inherited descriptor, shared by all descendants" {
	run semctl-cli eventfd --value 1 -- sh -c '
		semctl-cli wait "fd:$IPCKIT_FD" --timeout 0 || exit 10
		semctl-cli wait "fd:$IPCKIT_FD" --timeout 0 2>&1 && exit 11
		(semctl-cli post "fd:$IPCKIT_FD")
		semctl-cli wait "fd:$IPCKIT_FD" --timeout 5s'
	assert_status 0
	assert_match '^semctl-cli wait: fd:[0-9]+: would block$'
}

# ---- what can go wrong ----

@test "wait: no such object" {
	for object in /none key:99 id:99 "ftok:$TMPDIR/none" /none@0 "$TMPDIR/none@0" fd:77 "fd:$$:999"; do
		run --separate-stderr semctl-cli wait "$object" --timeout 0 --json
		assert_status 3
		assert_equal "$stderr" "semctl-cli wait: $object: no such object"
		json --arg o "$object" '.error.code == "ENOENT" and .error.exit == 3 and .error.object == $o'
	done
	run ls -A /dev/shm
	assert_output ""
}

@test "wait: the set has no such semaphore" {
	semctl-cli create -q key:7 --values 1,1
	run --separate-stderr semctl-cli wait 'key:7#2' --timeout 0
	assert_status 2
	assert_stderr '^semctl-cli wait: key:7#2: the set has no semaphore 2$'
	run semctl-cli wait 'key:7#1' --timeout 0
	assert_status 0
}

@test "wait: no permission" {
	semctl-cli create -q /jobs --mode 0400
	semctl-cli create -q key:7 --mode 0400
	: >"$TMPDIR/words"
	truncate -s 64 "$TMPDIR/words"
	chmod 0400 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@0"; do
		run --separate-stderr as_unprivileged semctl-cli wait "$object" --timeout 0 --json
		assert_status 5
		assert_equal "$stderr" "semctl-cli wait: $object: permission denied"
		json '.error.code == "EACCES" and .error.exit == 5'
	done
}

@test "wait: no permission to take another process's descriptor" {
	create_eventfd 1
	run --separate-stderr as_user semctl-cli wait "$eventfd" --timeout 0
	assert_status 5
	assert_stderr "^semctl-cli wait: $eventfd: not permitted$"
	assert_value "$eventfd" 1
}

@test "wait: a count that no value can reach is refused before the call" {
	create_each 1
	for object in "${objects[@]}"; do
		case $(backend_of "$object") in
		sysv) count=$((semvmx + 1)) name=SEMVMX limit=$semvmx ;;
		eventfd) count=18446744073709551615 name="eventfd counter" limit=9223372036854775807 ;;
		*) count=$((sem_value_max + 1)) name=SEM_VALUE_MAX limit=$sem_value_max ;;
		esac
		run --separate-stderr semctl-cli wait "$object" --count "$count" --json
		assert_status 6
		assert_stderr "$name is $limit"
		json --arg n "$name" '.error.code == "EOVERFLOW" and .error.exit == 6 and .error.limit.name == $n'
		json ".error.limit.value == $limit"
		assert_value "$object" 1
	done
}

@test "wait: counts, durations and names that are none" {
	semctl-cli create -q /jobs --value 1
	for count in 0 -1 '' 3x 0x 99999999999999999999 1.5 ' 1'; do
		run --separate-stderr semctl-cli wait /jobs --count "$count"
		assert_status 2
		assert_equal "$output" ""
		[[ $stderr == "semctl-cli wait: --count: \"$count\" is "* ]] || fail "$count" "$(show_last)"
	done
	for timeout in 5sfoo '' -1 1e3 99999999999999999999 0x '5 s' s .; do
		run --separate-stderr semctl-cli wait /jobs --timeout "$timeout"
		assert_status 2
		[[ $stderr == "semctl-cli wait: --timeout: \"$timeout\" is "* ]] || fail "$timeout" "$(show_last)"
	done
	for object in jobs /a/b / /. /.. '' key:0 key:x key:99999999999 key:-1 id:-1 id:x private file:/tmp/x \
		foo:1 fd:x fd:-1 key:1#x "/$(printf %0252d 0)"; do
		run --separate-stderr semctl-cli wait "$object" --timeout 0
		assert_status 2
		[[ $stderr == "semctl-cli wait: $object: "* ]] || fail "$object" "$(show_last)"
	done
	for words in "" "/jobs /jobs" "/jobs --bogus" "/jobs -- true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli wait $words
		assert_status 2
		assert_stderr '^semctl-cli wait: '
	done
	assert_value /jobs 1
}

@test "wait: a set that is removed while it is waited on" {
	for object in key:7 'key:7#1'; do
		for options in "" "--timeout 20s" "--count 2"; do
			semctl-cli create -q key:7 --values 0,0
			# shellcheck disable=SC2086 # words
			start_waiter wait "$object" $options --json
			ipcrm -S 7
			finish "$pid"
			assert_status 7
			assert_stderr "^semctl-cli wait: $object: removed while it was waited for$"
			json '.error.code == "EIDRM" and .error.exit == 7'
		done
	done
}

@test "wait: a file that is truncated under a waiter" {
	truncate -s 4096 "$TMPDIR/words"
	semctl-cli create -q /jobs
	semctl-cli create -q "$TMPDIR/words@64"
	for pair in "/jobs /dev/shm/sem.jobs" "$TMPDIR/words@64 $TMPDIR/words"; do
		read -r object file <<<"$pair"
		start_waiter wait "$object" --timeout 20s --json
		truncate -s 0 "$file"
		finish "$pid"
		assert_status 7
		assert_stderr '^semctl-cli wait: '
		json '.error.exit == 7'
		run --separate-stderr semctl-cli wait "$object" --timeout 0
		assert_status 7
		assert_stderr "^semctl-cli wait: $object: "
	done
}

@test "wait: what stands there is no semaphore" {
	mkdir /dev/shm/sem.directory
	mkfifo /dev/shm/sem.fifo
	ln -s sem.fifo /dev/shm/sem.link
	: >/dev/shm/sem.empty
	head -c 32 /dev/zero | tr '\0' '\377' >/dev/shm/sem.junk
	head -c 31 /dev/zero >/dev/shm/sem.short
	for name in directory fifo link empty junk short; do
		start semctl-cli wait "/$name" --timeout 0 --json
		finish "$pid"
		assert_status 7
		assert_stderr "^semctl-cli wait: /$name: "
		json '.error.code | IN("EBADMSG", "ELOOP")'
	done
}

@test "wait: a descriptor that is no eventfd in semaphore mode" {
	for redirection in '3</dev/null' '3<.' '3<&0'; do
		run --separate-stderr bash -c "semctl-cli wait fd:3 --timeout 0 --json $redirection </dev/null"
		assert_status 7
		json '.error.code == "EBADMSG" and .error.object == "fd:3"'
	done
	run --separate-stderr bash -c "true | semctl-cli wait fd:0 --timeout 0"
	assert_status 7
}

@test "wait: no /dev/shm" {
	run --separate-stderr unshare -m sh -c '
		mount -t tmpfs none /dev && semctl-cli wait /jobs --timeout 0 --json'
	assert_status 8
	assert_stderr '^semctl-cli wait: /jobs: /dev/shm is missing: .*mount -t tmpfs tmpfs /dev/shm$'
	json '.error.code == "ENODEV" and .error.exit == 8'
}

@test "wait: a result that cannot be written" {
	semctl-cli create -q /jobs --value 1
	run --separate-stderr bash -c 'semctl-cli wait /jobs --json >/dev/full'
	assert_status 8
	assert_stderr '^semctl-cli wait: standard output: no space left'
}

@test "wait: permits that nobody got to know of are given back" {
	local object
	semctl-cli create -q /jobs --value 3
	semctl-cli create -q key:7 --value 3
	create_eventfd 3
	for object in /jobs key:7 "$eventfd"; do
		run --separate-stderr bash -c "semctl-cli wait $object --count 2 --json >/dev/full"
		assert_status 8
		assert_value "$object" 3
		run --separate-stderr bash -c "semctl-cli wait $object --count 2 --plain >&-"
		assert_status 8
		assert_value "$object" 3
		# The reader of 6 has gone.
		mkfifo "$TMPDIR/pipe"
		exec 5<>"$TMPDIR/pipe"
		exec 6>"$TMPDIR/pipe"
		exec 5<&-
		rm "$TMPDIR/pipe"
		run --separate-stderr env --default-signal=PIPE bash -c "exec semctl-cli wait $object --json >&6"
		exec 6>&-
		assert_status 141
		assert_equal "$stderr" ""
		assert_value "$object" 3
		semctl-cli wait "$object" --json >/dev/null
		assert_value "$object" 2
	done
}

@test "wait: no descriptors left" {
	create_eventfd 1
	# Two it takes, one there is, once the tests' own are closed.
	run --separate-stderr bash -c 'for fd in /proc/$$/fd/*; do
			fd=${fd##*/}
			((fd <= 2)) || eval "exec $fd>&-"
		done
		ulimit -n 4
		exec semctl-cli wait '"$eventfd"' --timeout 0 --json'
	assert_status 6
	assert_stderr "^semctl-cli wait: $eventfd: too many open files in this process: RLIMIT_NOFILE is 4"
	json '.error.code == "EMFILE" and .error.limit.name == "RLIMIT_NOFILE" and .error.limit.value == 4'
	assert_value "$eventfd" 1
}
