# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq

load helpers

posix_peer=$IPCKIT_BUILD/tests/peers/posix-peer
sysv_peer=$IPCKIT_BUILD/tests/peers/sysv-peer

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

# info_has OBJECT QUERY: whether what info says of it now fulfils the query.
info_has()
{
	semctl-cli info "$1" | jq -e "$2" >/dev/null
}

@test "info: a POSIX semaphore has these keys, and no others" {
	semctl-cli create /jobs --value 3
	run semctl-cli info /jobs
	assert_status 0
	json 'keys == (["backend", "name", "value", "waiters", "waiters_recorded", "mode", "uid", "user", "gid",
		"group", "size", "mtime", "holders", "waiting", "users", "unreadable_processes"] | sort)'
	json '.unreadable_processes == 0 and .holders == [] and .waiting == [] and .users == []'
	assert_equal "${#lines[@]}" 1 "lines"
}

@test "info: a set has these keys, by whatever name it is called" {
	semctl-cli create key:0x1234 --values 2,0,5
	id=$("$sysv_peer" get 0x1234)
	run semctl-cli info "id:$id"
	json 'keys - ["value"] == (["backend", "name", "key", "id", "nsems", "waiters", "semaphores", "mode",
		"uid", "user", "gid", "group", "cuid", "cgid", "otime", "ctime", "holders", "waiting", "users",
		"unreadable_processes"] | sort)'
	json '[.semaphores[].value] == [2, 0, 5] and .nsems == 3'
	assert_equal "$output" "$(semctl-cli info key:0x1234)"
	assert_equal "$output" "$(semctl-cli info key:4660)"
}

@test "info: the table shows lists indented, and none where there are none" {
	semctl-cli create key:0x1234 --values 2,0,5
	run semctl-cli info key:0x1234 --table
	assert_status 0
	assert_match 'key +0x00001234'
	assert_match 'users +none'
	assert_match $'semaphores\n +INDEX +VALUE'
	assert_match 'user +root'
}

@test "info: --columns picks, plain is one line" {
	semctl-cli create /jobs --value 3
	run semctl-cli info /jobs --plain -o value,name,mode
	assert_output $'3\t/jobs\t0600'
	run semctl-cli info /jobs -o nosuch
	assert_status 2
}

@test "info: --pretty is the same document on several lines" {
	semctl-cli create /jobs
	run semctl-cli info /jobs --pretty
	((${#lines[@]} > 5))
	assert_equal "$(jq -c . <<<"$output")" "$(semctl-cli info /jobs)"
}

@test "info: who has it open or mapped, with command and how that is known" {
	semctl-cli create /jobs
	start "$posix_peer" open /jobs
	mapped=$pid
	wait_until 5 info_has /jobs '[.users[].evidence] == ["mapped"]'
	start sleep 60 7</dev/shm/sem.jobs
	opened=$pid
	wait_until 5 info_has /jobs '.users | length == 2'
	run semctl-cli info /jobs
	json --argjson pid "$mapped" '.users | any(.pid == $pid and .evidence == "mapped" and .uid == 0 and
		(.command | endswith("posix-peer open /jobs")))'
	json --argjson pid "$opened" '.users | any(.pid == $pid and .evidence == "open" and .command == "sleep 60")'
	stop "$mapped" "$opened"
	wait_until 5 info_has /jobs '.users == []'
}

@test "info: who waits, since when; killed waiters stay in libc's count alone" {
	local first second
	semctl-cli create /jobs
	start semctl-cli wait /jobs
	first=$pid
	start "$posix_peer" wait /jobs
	second=$pid
	wait_until 5 info_has /jobs '.waiters == 2'
	run semctl-cli info /jobs
	json --argjson first "$first" --argjson second "$second" --argjson now "$EPOCHSECONDS" \
		'.waiters_recorded == 2 and ([.waiting[].pid] | sort) == ([$first, $second] | sort) and
		(.waiting[] | select(.pid == $first) | .since >= $now - 20 and .since <= $now + 2) and
		(.waiting[] | select(.pid == $second) | .count == 1 and .command != "")'
	kill -KILL "$second"
	wait_until 5 info_has /jobs '.waiters == 1 and .waiters_recorded == 2'
}

@test "info: a waiter that was stopped and continued is still seen" {
	semctl-cli create /jobs
	start semctl-cli wait /jobs --timeout 60
	wait_until 5 info_has /jobs '.waiters == 1'
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 info_has /jobs '.waiters == 1 and (.waiting | length == 1)'
}

@test "info: the holders of an exec run, POSIX" {
	semctl-cli create /jobs --value 2
	start semctl-cli exec /jobs --count 2 -- sleep 60
	wait_until 5 info_has /jobs '.holders | length == 1'
	# Its guardian is there before it has become the command.
	wait_until 5 info_has /jobs '.holders[0].command == "sleep 60"'
	run semctl-cli info /jobs
	json --argjson pid "$pid" --argjson now "$EPOCHSECONDS" '.value == 0 and
		(.holders[0] | .pid == $pid and .count == 2 and .command == "sleep 60" and
		.since >= $now - 20 and .since <= $now + 2)'
	stop "$pid"
	wait_until 5 info_has /jobs '.holders == [] and .value == 2 and .users == []'
}

@test "info: the holders of an exec run, System V, with the index" {
	semctl-cli create key:0x77 --values 1,3
	start semctl-cli exec key:0x77#1 --count 3 -- sleep 60
	wait_until 5 info_has key:0x77 '.holders | length == 1'
	wait_until 5 info_has key:0x77 '.holders[0].command == "sleep 60"'
	run semctl-cli info key:0x77
	json --argjson pid "$pid" '.semaphores[1].value == 0 and .holders[0].pid == $pid and .holders[0].count == 3'
	stop "$pid"
	wait_until 5 info_has key:0x77 '.holders == [] and .semaphores[1].value == 3'
}

@test "info: processes that may not be looked at are counted, not denied" {
	semctl-cli create /jobs
	start sleep 60
	run as_unprivileged semctl-cli info /jobs
	assert_status 0
	json '.unreadable_processes > 0'
}

@test "info: hidden processes make the count unknown, with the reason" {
	semctl-cli create /jobs
	run unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
		exec setpriv --bounding-set=-all --inh-caps=-all semctl-cli info /jobs'
	[[ $output != *"mount:"* ]] || skip "/proc cannot be mounted so here"
	assert_status 0
	json '.unreadable_processes == null and .unreadable.unreadable_processes == "EPERM"'
}

@test "info: an eventfd in semaphore mode, one's own and another process's" {
	run semctl-cli eventfd --value 3 -- bash -c 'semctl-cli info "fd:$IPCKIT_FD"'
	assert_status 0
	json '.backend == "eventfd" and .value == 3 and (.name | startswith("fd:"))'
	json 'has("mode") or has("key") or has("mtime") | not'
	start semctl-cli eventfd --value 5 -- bash -c 'echo "$IPCKIT_FD"; read -r _ <>"$0"' "$(mkfifo "$TMPDIR/f"; echo "$TMPDIR/f")"
	wait_until 5 test -s "$BATS_TEST_TMPDIR/start.0.out"
	run semctl-cli info "fd:$pid:$(<"$BATS_TEST_TMPDIR/start.0.out")"
	assert_status 0
	json --argjson pid "$pid" '.value == 5 and (.users | any(.pid == $pid))'
}

@test "info: an unnamed semaphore in a file" {
	truncate -s 4096 "$TMPDIR/file"
	semctl-cli create "$TMPDIR/file@64" --value 7
	run semctl-cli info "$TMPDIR/file@64"
	assert_status 0
	json '.backend == "unnamed" and .value == 7 and .size == 4096'
}

@test "info: what is not there is status 3" {
	local object
	touch "$TMPDIR/file"
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/file,9" "$TMPDIR/none@0"; do
		run --separate-stderr semctl-cli info "$object"
		assert_status 3
		json --arg object "$object" '.error | .code == "ENOENT" and .exit == 3 and .object == $object'
		assert_stderr "^semctl-cli info: "
	done
}

@test "info: what may not be reached is status 5" {
	mkdir "$TMPDIR/closed"
	truncate -s 64 "$TMPDIR/closed/file"
	semctl-cli create "$TMPDIR/closed/file@0"
	chmod 0 "$TMPDIR/closed"
	run as_unprivileged semctl-cli info "$TMPDIR/closed/file@0"
	assert_status 5
	semctl-cli create /jobs
	chmod 0 /dev/shm
	run as_unprivileged semctl-cli info /jobs
	chmod 1777 /dev/shm
	assert_status 5
}

@test "info: what is no semaphore is status 7" {
	run semctl-cli info fd:0
	assert_status 7
	truncate -s 40 "$TMPDIR/file"
	run semctl-cli info "$TMPDIR/file@32"
	assert_status 7
	head -c 64 /dev/urandom >/dev/shm/sem.x
	run semctl-cli info /x
	assert_status 7
}

@test "info: bad operands are status 2" {
	local object
	for object in jobs /a/b / /. key:0 key:x id:-1 'key:1#x' private file:/tmp/x foo:bar "" 'fd:x'; do
		run --separate-stderr semctl-cli info "$object"
		assert_status 2
		json '.error.code == "USAGE"'
	done
	run semctl-cli info
	assert_status 2
	run semctl-cli info /a /b
	assert_status 2
	semctl-cli create key:0x9 --nsems 2
	run semctl-cli info key:0x9#2
	assert_status 2
}

@test "info: output that cannot be written is status 8" {
	semctl-cli create /jobs
	run bash -c 'semctl-cli info /jobs >/dev/full'
	assert_status 8
}
