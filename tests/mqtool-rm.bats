# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; object, in each case its own

load helpers
load queues

@test "rm: silent, and gone for everybody" {
	mqtool create -q /jobs
	mqtool create -q key:0x1234
	run --separate-stderr mqtool rm /jobs key:0x1234
	assert_status 0
	assert_equal "$output$stderr" ""
	[[ ! -e /dev/mqueue/jobs && $(ipcs -q) != *0x00001234* ]]
	run mqtool list
	assert_output '{"queues":[]}'
	run "$mq_peer" stat /jobs
	assert_status 2 # ENOENT
}

@test "rm: by identifier and by path, with JSON where it is asked for" {
	local id
	id=$(mqtool create private --plain -o object)
	touch "$TMPDIR/file"
	mqtool create -q "ftok:$TMPDIR/file"
	mqtool create -q /jobs
	run mqtool rm "$id" "ftok:$TMPDIR/file" /jobs --json
	assert_status 0
	json --arg id "$id" --arg file "ftok:$TMPDIR/file" '. == {queues: [{object: $id, backend: "sysv"},
		{object: $file, backend: "sysv"}, {object: "/jobs", backend: "posix"}]}'
	run mqtool list
	assert_output '{"queues":[]}'
}

@test "rm: with the messages in them" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one two
		mqtool rm "$object"
		mqtool create -q "$object"
		assert_count "$object" 0
	done
}

@test "rm: needs no mount" {
	mqtool create -q /jobs
	run unshare -m bash -c 'umount /dev/mqueue && mqtool rm /jobs'
	assert_status 0
	[[ ! -e /dev/mqueue/jobs ]]
}

@test "rm: what is not there is status 3, done with --force" {
	local object
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/none"; do
		run --separate-stderr mqtool rm "$object" --json
		assert_status 3
		assert_stderr "^mqtool rm: $object: no such (object|file)"
		json --arg object "$object" '.error | .code == "ENOENT" and .exit == 3 and .object == $object'
		run --separate-stderr mqtool rm --force "$object"
		assert_status 0
		assert_equal "$stderr" ""
		run mqtool rm -f "$object"
		assert_status 0
	done
}

@test "rm: all are tried, the status is the first failure's" {
	mqtool create -q /first
	mqtool create -q /last
	run --separate-stderr mqtool rm /first /none bad key:9 /last
	assert_status 3
	assert_equal "$(wc -l <<<"$stderr")" 3 "lines on stderr"
	[[ ! -e /dev/mqueue/first && ! -e /dev/mqueue/last ]]
	mqtool create -q /last
	run --separate-stderr mqtool rm bad /none /last --json
	assert_status 2
	json '.error | .exit == 2 and .object == "bad"'
	[[ ! -e /dev/mqueue/last ]]
	run mqtool rm --force /none bad
	assert_status 2
}

@test "rm: the same one twice is a missing one the second time" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run mqtool rm "$object" "$object"
		assert_status 3
		mqtool create -q "$object"
		mqtool rm --force "$object" "$object"
	done
}

@test "rm: two at a time remove each queue once between them" {
	local i first names=()
	for i in {1..60}; do
		names+=("/$i" "key:$i")
		mqtool create -q "/$i" --maxmsg 1 --msgsize 1
		mqtool create -q "key:$i"
	done
	start mqtool rm --force "${names[@]}"
	first=$pid
	start mqtool rm --force "${names[@]}"
	finish "$pid"
	assert_status 0
	finish "$first"
	assert_status 0
	run mqtool list
	assert_output '{"queues":[]}'
}

@test "rm: who waits on a System V queue is told that it was removed: status 7, EIDRM" {
	local waiting
	for waiting in "recv --json" "recv --json --timeout 60" "send text --json" "send text --timeout 60 --json" \
		"wait --json" "peer"; do
		make sysv --qbytes 4
		[[ $waiting != send* ]] || mqtool send "$object" full
		if [[ $waiting == peer ]]; then
			start "$msg_peer" receive "$(id_of "$object")" 0 1
		else
			# shellcheck disable=SC2086 # words
			start mqtool ${waiting/ / "$object" }
		fi
		wait_until 5 blocked_in "$pid" msgrcv msgsnd nanosleep clock_nanosleep poll ppoll restart_syscall
		mqtool rm "$object"
		finish "$pid"
		if [[ $waiting == peer ]]; then
			assert_status 43 # EIDRM
			continue
		fi
		[[ $status == 7 ]] || fail "$waiting" "$(show_last)"
		assert_stderr "^mqtool [a-z]+: $object: removed while it was used\$"
		json '.error.code == "EIDRM" and .error.exit == 7'
	done
}

@test "rm: a POSIX queue lives on for who has it, a new one of its name is another" {
	mqtool create -q /jobs
	start_waiter recv /jobs --raw
	mqtool rm /jobs
	mqtool create -q /jobs
	mqtool send /jobs text
	waits "$pid"
	assert_count /jobs 1
	stop "$pid"
}

@test "rm: no permission is status 5, --force or not" {
	mqtool create -q /jobs
	mqtool create -q key:7
	chmod 0555 /dev/mqueue
	run as_unprivileged mqtool rm /jobs
	refused=$status
	run as_unprivileged mqtool rm --force /jobs
	chmod 1777 /dev/mqueue
	assert_equal "$refused" 5
	assert_status 5
	[[ -e /dev/mqueue/jobs ]]
	# A mode of 0 is no hindrance to the owner.
	mqtool set key:7 --mode 0
	as_unprivileged mqtool rm key:7
}

@test "rm: another user's is status 5" {
	others_mapped
	mqtool create -q /jobs --mode 0666
	mqtool create -q key:7 --mode 0666
	for object in /jobs key:7; do
		run --separate-stderr setpriv --reuid 4711 --clear-groups mqtool rm "$object"
		assert_status 5
		mqtool info "$object" >/dev/null
	done
}

@test "rm: bad operands are status 2, and nothing is removed" {
	local object
	mqtool create -q /jobs
	for object in jobs / /a/b private key:0 id:x file:/tmp/x 'key:1#0' ''; do
		run mqtool rm "$object"
		assert_status 2
	done
	run mqtool rm
	assert_status 2
	run mqtool rm --forc /jobs
	assert_status 2
	[[ -e /dev/mqueue/jobs ]]
}

@test "rm: a name that begins like an option goes after --" {
	mqtool create -q -- /jobs
	mqtool rm -- /jobs
	[[ ! -e /dev/mqueue/jobs ]]
}
