# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat info: what is told of a FIFO, a pipe and a socket by each of its names, with nobody disturbed.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load channels

refused()
{
	refusal info "$@"
}

@test "a FIFO that nobody has open: its file, no capacity, and no reason to give" {
	mkfifo -m 640 in
	touch -d @1000000000 in
	run --separate-stderr pipecat info in
	assert_equal "$status$stderr" 0
	json --argjson inode "$(stat -c %i in)" --argjson device "$(stat -c %d in)" '.kind == "fifo" and .name == "in" and
		.inode == $inode and .device == $device and .readers == 0 and .writers == 0 and .capacity == null and
		.bytes == null and .mode == "0640" and .uid == 0 and .user == "root" and .mtime == 1000000000 and
		.atime == 1000000000 and .ctime > 1000000000 and .users == [] and .unreadable_processes == 0 and
		(has("unreadable") or has("peer") or has("state") or has("ends") | not)'
}

@test "who waits in open(2) for the other end is told of, and goes on waiting" {
	mkfifo in
	start cat in
	wait_until 10 blocked_on in "$pid" open
	for _ in 1 2 3; do
		run pipecat info "$PWD/in"
		json --argjson pid "$pid" '.readers == 0 and .writers == 0 and .capacity == null and (.users | length == 1 and
			(.[0] | .pid == $pid and .tid == $pid and .reads and (.writes | not) and (has("fd") | not) and
			.command == "cat in"))'
		blocked_on in "$pid" open || fail "it does not wait any more"
	done
	# A writer in another directory, by another way to it.
	mkdir there
	(cd there && exec -a writer sleep 60 >../in) &
	writer=$!
	wait_until 10 blocked_on in "$pid" read
	wait_until 10 blocked_in $writer clock_nanosleep
	run pipecat info in
	json --argjson pid "$pid" --argjson writer $writer '.readers == 1 and .writers == 1 and .capacity > 0 and .bytes == 0 and
		(.users | length == 2 and any(.pid == $pid and .fd == 3 and .call == "read") and
		any(.pid == $writer and .fd == 1 and .writes and (.reads | not) and .call == null))'
	kill $writer
	finish "$pid"
	assert_status 0
}

@test "a pipe, by PID:FD, fd:PID:FD, pipe:INODE and fd:N: who has which end, what it holds" {
	local name
	start bash -c 'sleep 60 | { head -c 3 >/dev/null; sleep 60; }'
	shell=$pid
	find_sleep()
	{
		sleeper=$(pgrep -P "$shell" -x sleep) && reader=$(pgrep -P "$shell" -x bash)
		blocked_on "$sleeper:1" "$(pgrep -P "$reader" -x head)" read
	}
	wait_until 10 find_sleep 2>/dev/null
	link=$(readlink "/proc/$sleeper/fd/1")
	for name in "$sleeper:1" "fd:$reader:0" "$link" "${link//[][]/}"; do
		run pipecat info "$name"
		assert_status 0
		json --argjson sleeper "$sleeper" --argjson reader "$reader" --arg name "${link//[][]/}" '.kind == "pipe" and
			.name == $name and .writers == 1 and .readers == 2 and .capacity == 65536 and .bytes == 0 and .uid == 0 and
			(.users | length == 3 and map(.pid) == (map(.pid) | sort) and any(.pid == $sleeper and .fd == 1) and
			any(.pid == $reader and .fd == 0 and .call == null)) and
			(has("mode") or has("device") or has("peer") or has("unreadable") | not)'
	done
	stop "$shell"
	kill "$sleeper" "$reader"
	mkfifo in
	exec 7<>in
	echo text >&7
	run pipecat info fd:7
	json --arg name "$PWD/in" '.kind == "fifo" and .name == $name and .bytes == 5 and any(.users[]; .fd == 7 and
		(.command | startswith("pipecat")))'
	exec 7>&-
}

@test "sockets by socket:INODE, with the processes at the other side" {
	local kind
	for kind in stream dgram seqpacket tcp tcp6 udp udp6; do
		started_peer pair $kind 100
		read -r first second child <<<"$said"
		run pipecat info "socket:$first"
		assert_status 0
		json --arg kind $kind --argjson pid "$pid" --argjson first "$first" --argjson second "$second" \
			--argjson child "$child" '(if $kind[:3] == "tcp" or $kind[:3] == "udp" then .kind == $kind[:3] and
			(.name | test("^(127.0.0.1|\\[::1\\]):[0-9]+$")) and .name != .peer else .kind == "unix" and .type == $kind end) and
			.inode == $first and .peer_inode == $second and .state == "established" and .bytes >= 100 and
			(.users | length == 1 and .[0].pid == $pid) and (.peers | length == 1 and .[0].pid == $child) and .foreign == false'
		run pipecat info "$child:4" -o peer_inode,peers --plain
		[[ $kind != stream ]] || assert_output "$first"$'\t1'
	done
}

@test "the path of a Unix socket: its listener, with the queue; one whose server is dead" {
	started_peer listen stream ./socket 5 3
	run pipecat info socket
	json --argjson pid "$pid" --argjson inode "$inode" '.kind == "unix" and .name == "socket" and .state == "listen" and
		.bound == true and .queue == 3 and .backlog == 5 and .inode == $inode and .users[0].pid == $pid and
		(has("bytes") | not) and .mode == "0755"'
	stop "$pid"
	run pipecat info socket
	json '.bound == false and .users == [] and (has("state") or has("queue") or has("bytes") | not)'
	"$channel_peer" leave dgram other
	run pipecat info other --table
	assert_match 'kind +unix'
}

@test "the table of one; its columns" {
	mkfifo in
	start cat in
	wait_until 10 blocked_on in "$pid"
	run pipecat info in --table
	assert_match 'readers +0'
	assert_match "$pid +- +yes +no +open(at)? +cat in"
	run pipecat info in --plain -o kind,readers,users
	assert_output $'fifo\t0\t1'
}

@test "what is not there is status 3, what is something else 7, what is no name 2" {
	refused 3 ENOENT none
	refused 3 ENOENT fd:999
	refused 3 ENOENT "$$:999"
	refused 3 ENOENT 99999999:3
	json '.error.message == "no such process"'
	refused 3 ENOENT pipe:1
	json '.error.message == "nobody who can be seen has it"'
	refused 3 ENOENT socket:1
	touch file
	ln -s file link
	refused 7 EBADMSG file
	refused 7 EBADMSG /dev/null
	refused 7 ELOOP link
	exec 7<file
	refused 7 EBADMSG fd:7
	exec 7<&-
	refused 2 USAGE
	refused 2 USAGE ""
	refused 2 USAGE 0:3
	refused 2 USAGE pipe:x
	refused 2 USAGE unix:socket
	json '.error.message | contains("did you mean")'
	run bash -c 'pipecat info /dev/fd/none >/dev/full'
	assert_status 3
	mkfifo in
	run bash -c 'pipecat info in >/dev/full'
	assert_status 8
}

@test "processes that may not be looked at are counted, and one of them by its descriptor is status 5" {
	mkfifo in
	start cat in
	wait_until 10 blocked_on in "$pid"
	run as_user pipecat info in
	assert_status 0
	json '.users == [] and .unreadable_processes > 0'
	run as_user pipecat info "$pid:1"
	assert_status 5
}
