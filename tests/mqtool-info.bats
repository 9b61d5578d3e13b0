# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load queues

queues_peer=$peers/queues

# info_has OBJECT QUERY [ARG...]: whether what info says of it now fulfils the query; ARGs go to jq.
info_has()
{
	mqtool info "$1" | jq -e "${@:3}" "$2" >/dev/null
}

@test "info: a POSIX queue has these keys, and no others" {
	mqtool create -q /jobs --maxmsg 3 --msgsize 100
	mqtool send /jobs text
	run mqtool info /jobs
	assert_status 0
	json 'keys == (["backend", "name", "bytes", "curmsgs", "maxmsg", "msgsize", "waiters", "mode", "uid", "user", "gid",
		"group", "notify", "notify_signal", "notify_pid", "ctime", "mtime", "atime", "waiting", "users",
		"unreadable_processes"] | sort)'
	json '.bytes == 4 and .curmsgs == 1 and .maxmsg == 3 and .msgsize == 100 and .waiters == 0 and
		.notify == "none" and .notify_pid == 0 and .unreadable_processes == 0 and .waiting == [] and .users == []'
	assert_equal "${#lines[@]}" 1 "lines"
}

@test "info: a System V queue has these keys, by whatever name it is called" {
	local id key mode uid gid cuid cgid qnum qbytes lspid lrpid stime rtime ctime
	mqtool create -q key:0x1234 --qbytes 2000 --mode 0640
	mqtool send key:0x1234 text more
	mqtool recv key:0x1234 -q
	id=$("$msg_peer" get 0x1234)
	run mqtool info "id:$id"
	assert_status 0
	json 'keys == (["backend", "name", "key", "id", "qnum", "cbytes", "qbytes", "waiters", "mode", "uid", "user", "gid",
		"group", "cuid", "cgid", "lspid", "lrpid", "stime", "rtime", "ctime", "waiting", "users",
		"unreadable_processes"] | sort)'
	# lspid and lrpid: of processes that have ended.
	read -r key mode uid gid cuid cgid qnum qbytes lspid lrpid stime rtime ctime <<<"$("$msg_peer" stat "$id")"
	assert_equal "$(json_get '[.key, .mode, .uid, .gid, .cuid, .cgid, .qnum, .qbytes, .lspid, .lrpid, .stime, .rtime,
		.ctime] | join(" ")')" "$key $mode $uid $gid $cuid $cgid $qnum $qbytes $lspid $lrpid $stime $rtime $ctime"
	json '.qnum == 1 and .cbytes == 4 and .qbytes == 2000 and .mode == "0640" and .lspid > 0 and .lrpid > 0'
	assert_equal "$output" "$(mqtool info key:0x1234)"
	assert_equal "$output" "$(mqtool info key:4660)"
	touch "$TMPDIR/file"
	mqtool create -q "ftok:$TMPDIR/file,3"
	run mqtool info "ftok:$TMPDIR/file,3"
	json --argjson key "$(mqtool ftok "$TMPDIR/file" --proj 3 | jq .key)" '.key == $key'
}

@test "info: the table shows lists indented, and none where there are none" {
	mqtool create -q key:0x1234
	mqtool create -q /jobs
	run mqtool info key:0x1234 --table
	assert_status 0
	assert_match 'key +0x00001234'
	assert_match 'qbytes +16K'
	assert_match 'stime +never'
	assert_match 'users +none'
	start_waiter recv /jobs
	run mqtool info /jobs --table
	assert_match $'\nwaiting\n +PID +TID +COMMAND +CALL +TYPE +EXCEPT +SINCE\n +'"$pid +$pid +mqtool recv /jobs +mq_timedreceive"
	assert_match $'\nusers\n +PID +COMMAND +FLAGS +EVIDENCE\n +'"$pid +mqtool recv /jobs +O_[A-Z]+ +open"
}

@test "info: --columns picks, plain is one line, --pretty is the same document" {
	mqtool create -q /jobs --maxmsg 3
	run mqtool info /jobs --plain -o maxmsg,name,mode
	assert_output $'3\t/jobs\t0600'
	run mqtool info /jobs -o nosuch
	assert_status 2
	run mqtool info /jobs --pretty -o name,maxmsg
	((${#lines[@]} > 2))
	assert_equal "$(jq -c . <<<"$output")" '{"name":"/jobs","maxmsg":3}'
}

@test "info: the times are those of the messages; that it is looked at is no use of it" {
	mqtool create -q /jobs
	touch -d '2 hours ago' /dev/mqueue/jobs
	run mqtool info /jobs
	json --argjson now "$EPOCHSECONDS" '.mtime <= $now - 7190 and .mtime >= $now - 7300'
	mqtool send /jobs text
	run mqtool info /jobs
	json --argjson now "$EPOCHSECONDS" '.mtime >= $now - 60'
}

# ---- who is notified ----

@test "info: the kinds of notification, the signal and the process" {
	local kind wanted
	mqtool create -q /jobs
	for kind in "signal 10" "signal 0" silent thread; do
		# shellcheck disable=SC2086 # words
		start "$queues_peer" notify /jobs $kind
		wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
		wanted=0
		[[ $kind != *10 ]] || wanted=10
		info_has /jobs '.notify == $kind and .notify_signal == $signal and .notify_pid == $pid and
			(.users | any(.pid == $pid and .evidence == "open"))' \
			--arg kind "${kind% *}" --argjson signal "$wanted" --argjson pid "$pid"
		assert_equal "$(mqtool list --plain -o notify,notify_signal,notify_pid)" "${kind% *}"$'\t'"$wanted"$'\t'"$pid"
		# Which processes have this pid in another PID namespace is not known there.
		run unshare --pid --fork --mount-proc --kill-child mqtool info /jobs
		if [[ $kind == "signal 0" ]]; then
			# The kernel says the same where nobody is registered.
			json '.notify == "none"'
		else
			json --arg kind "${kind% *}" '.notify == $kind and .notify_pid == null'
		fi
		stop "$pid"
		info_has /jobs '.notify == "none" and .notify_signal == 0 and .notify_pid == 0'
	done
	start mqtool wait /jobs --notify
	wait_until 5 info_has /jobs '.notify == "signal" and .notify_signal > 30 and .notify_pid == $pid' --argjson pid "$pid"
}

# ---- users ----

@test "info: who has it open, with flags, once for each way" {
	mqtool create -q /jobs
	start "$queues_peer" open /jobs rw rwn w rw
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	run mqtool info /jobs
	json --argjson pid "$pid" '(.users | map(.pid) | unique) == [$pid] and
		(.users | map(.flags) | sort) == ["O_RDWR", "O_RDWR|O_NONBLOCK", "O_WRONLY"] and
		(.users | all(.evidence == "open" and .uid == 0 and (.command | endswith("queues open /jobs rw rwn w rw"))))'
	json '.waiting == [] and .waiters == 0'
	stop "$pid"
	info_has /jobs '.users == []'
	start "$queues_peer" open /jobs r
	wait_until 5 info_has /jobs '[.users[].flags] == ["O_RDONLY"]'
}

@test "info: not who has another queue open, nor who has closed it" {
	mqtool create -q /jobs
	mqtool create -q /other
	start "$mq_peer" hold /other
	wait_until 5 info_has /other '.users | length == 1'
	info_has /jobs '.users == []'
	# The one that had this name before is another.
	mqtool rm /other
	mqtool create -q /other
	info_has /other '.users == []'
}

@test "info: the receiver that is blocked, POSIX" {
	mqtool create -q /jobs
	start_waiter recv /jobs
	info_has /jobs '.waiters == 1 and (.waiting[0] | .pid == $pid and .tid == $pid and .call == "mq_timedreceive" and
		.command == "mqtool recv /jobs" and (has("type") or has("except") | not)) and .users[0].pid == $pid' --argjson pid "$pid"
	assert_equal "$(mqtool list --plain -o waiters)" 1
	stop "$pid"
	info_has /jobs '.waiters == 0 and .waiting == []'
}

@test "info: a peer's sender and receiver that are blocked, POSIX" {
	mqtool create -q /jobs --maxmsg 1
	start "$mq_peer" receive /jobs 1
	wait_until 5 info_has /jobs '.waiting | length == 1 and .[0].pid == $pid and .[0].call == "mq_timedreceive"' --argjson pid "$pid"
	stop "$pid"
	mqtool send /jobs text
	start "$mq_peer" send /jobs 0 more
	wait_until 5 info_has /jobs '.waiting | length == 1 and .[0].pid == $pid and .[0].call == "mq_timedsend"' --argjson pid "$pid"
	# It goes on as soon as there is room.
	mqtool recv -q /jobs
	finish "$pid"
	assert_status 0
	info_has /jobs '.waiting == [] and .curmsgs == 1'
}

@test "info: receivers that are blocked, System V, with the type that they ask for" {
	local selection type except first
	mqtool create -q key:7
	for selection in "0 0 false" "5 5 false" "-5 -5 false" "!3 3 true" "9223372036854775807 9223372036854775807 false"; do
		read -r selection type except <<<"$selection"
		start_waiter recv key:7 --type="$selection"
		run mqtool info key:7
		# jq holds numbers as doubles: looked for as text.
		assert_match "\"pid\":$pid,\"tid\":$pid,\"command\":\"mqtool recv key:7 --type=$selection\",\"call\":\"msgrcv\",\"type\":$type,\"except\":$except,"
		json --argjson pid "$pid" '.waiters == 1 and (.users | length) == 1 and
			(.users[0] | .pid == $pid and .evidence == "blocked" and .flags == null)'
		stop "$pid"
	done
	start_waiter recv key:7 --type 3
	first=$pid
	start_waiter recv key:7 --except 9
	info_has key:7 '.waiters == 2 and ([.waiting[].pid] | sort) == ([$first, $second] | sort)' \
		--argjson first "$first" --argjson second "$pid"
}

@test "info: a sender that is blocked, System V" {
	local id
	mqtool create -q key:7 --qbytes 4
	mqtool send key:7 full
	id=$(id_of key:7)
	start "$msg_peer" send "$id" 1 more
	wait_until 5 info_has key:7 '.waiting | length == 1 and .[0].pid == $pid and .[0].call == "msgsnd" and
		(.[0] | has("type") | not)' --argjson pid "$pid"
	mqtool recv -q key:7
	finish "$pid"
	assert_status 0
	info_has key:7 '.waiting == [] and .qnum == 1'
}

@test "info: a waiter that was stopped, and one that was continued, are still seen" {
	local object
	mqtool create -q /jobs
	mqtool create -q key:7
	for object in /jobs key:7; do
		start_waiter recv "$object"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		info_has "$object" '.waiters == 1 and .waiting[0].pid == $pid' --argjson pid "$pid"
		kill -CONT "$pid"
		wait_until 5 state_is "$pid" S
		info_has "$object" '.waiters == 1 and .waiting[0].pid == $pid' --argjson pid "$pid"
		stop "$pid"
	done
}

@test "info: who waits on another queue, or on one of the same number elsewhere, does not wait on it" {
	mqtool create -q key:7
	mqtool create -q key:8
	start unshare -i bash -c 'mqtool create -q key:7 && exec mqtool recv key:7'
	wait_until 5 waits "$pid"
	start_waiter recv key:8
	info_has key:7 '.waiters == 0 and .waiting == [] and .users == []'
	info_has key:8 '.waiters == 1'
}

@test "info: who used it last and still runs, System V" {
	local id
	mqtool create -q key:7
	id=$(id_of key:7)
	mqtool send key:7 text
	info_has key:7 '.lspid > 0 and .users == []'
	start "$msg_peer" receive "$id" 0 2
	wait_until 5 info_has key:7 '.qnum == 0 and .waiters == 1'
	# It received one and waits for another: one user.
	info_has key:7 '.lrpid == $pid and [.users[].pid] == [$pid]' --argjson pid "$pid"
	mqtool create -q key:8
	start "$msg_peer" feed "$(id_of key:8)" 1000000
	wait_until 5 info_has key:8 '.waiters == 1 and .lspid == $pid and [.users[].pid] == [$pid]' --argjson pid "$pid"
	kill -STOP "$pid"
	mqtool drain -q key:8
	info_has key:8 '.lspid == $pid and [.users[].pid] == [$pid]' --argjson pid "$pid"
}

# ---- what cannot be told ----

@test "info: processes that may not be looked at are counted, not denied: System V" {
	mqtool create -q key:7
	start_waiter recv key:7
	run as_unprivileged mqtool info key:7
	assert_status 0
	json '.unreadable_processes > 0 and .waiters == null and .unreadable.waiters == "EACCES"'
}

@test "info: processes that may not be looked at are counted, not denied: POSIX" {
	mqtool create -q /jobs
	start_waiter recv /jobs
	run as_unprivileged mqtool info /jobs
	assert_status 0
	json '.unreadable_processes > 0 and .waiters == null and .unreadable.waiters == "EACCES"'
}

@test "info: hidden processes make the count unknown, with the reason" {
	local object
	unshare -m mount -t proc -o hidepid=invisible proc /proc || skip "/proc cannot be mounted so here"
	mqtool create -q /jobs
	mqtool create -q key:7
	for object in /jobs key:7; do
		run unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
			exec setpriv --bounding-set=-all --inh-caps=-all mqtool info "$1"' bash "$object"
		assert_status 0
		json '.unreadable_processes == null and .unreadable.unreadable_processes == "EPERM"'
	done
}

@test "info: pids of another PID namespace are null, not none" {
	local object
	mqtool create -q key:7
	mqtool send key:7 text
	run unshare --pid --fork --mount-proc --kill-child mqtool info key:7
	assert_status 0
	json '.lspid == null and .lrpid == 0 and .stime > 0 and .rtime == 0'
	mqtool recv -q key:7
	run unshare --pid --fork --mount-proc --kill-child mqtool info key:7
	json '.lspid == null and .lrpid == null'
	run unshare --pid --fork --mount-proc --kill-child mqtool list --plain -o lspid,lrpid
	assert_output $'-\t-'
	run mqtool info key:7
	json '.lspid > 0 and .lrpid > 0'
}

@test "info: a queue that may not be opened has nulls and reasons" {
	mqtool create -q /closed --mode 0
	run as_unprivileged mqtool info /closed
	assert_status 0
	json '.mode == "0000" and .uid == 0 and .maxmsg == null and .curmsgs == null and .unreadable.maxmsg == "EACCES"'
	# What another IPC namespace's mount shows under its name is not it.
	run unshare -i setpriv --bounding-set=-all --inh-caps=-all mqtool info /closed
	assert_status 3
}

@test "info: needs no mount for a queue that may be opened" {
	mqtool create -q /jobs --maxmsg 3
	run --separate-stderr unshare -m bash -c 'umount /dev/mqueue && mqtool info /jobs'
	assert_status 0
	assert_equal "$stderr" ""
	json '.maxmsg == 3 and .mode == "0600" and .users == []'
}

@test "info: without /proc what can be told is told" {
	local object
	! is_sanitized || skip "a sanitizer needs /proc itself"
	mqtool create -q /jobs
	mqtool create -q key:7
	for object in /jobs key:7; do
		run --separate-stderr unshare -m bash -c 'mount -t tmpfs none /proc && mqtool info "$1"' bash "$object"
		assert_status 0
		json '.waiters == null and .unreadable.users == "ENOENT" and .mode == "0600" and (.curmsgs // .qnum) == 0'
	done
}

# ---- what fails ----

@test "info: what is not there is status 3" {
	local object
	touch "$TMPDIR/file"
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/file,9" "ftok:$TMPDIR/none"; do
		run --separate-stderr mqtool info "$object"
		assert_status 3
		json --arg object "$object" '.error | .code == "ENOENT" and .exit == 3 and .object == $object'
		assert_stderr "^mqtool info: "
	done
	mqtool create -q key:7
	run unshare -i mqtool info key:7
	assert_status 3
}

@test "info: bad operands are status 2" {
	local object
	for object in jobs /a/b / /. /.. key:0 key:x id:-1 private file:/tmp/x foo:bar "" fd:0 'key:1#0' "/$(printf 'x%.0s' {1..256})"; do
		run --separate-stderr mqtool info "$object"
		[[ $status == 2 ]] || fail "of \"$object\"" "$(show_last)"
		json '.error.code == "USAGE"'
	done
	run mqtool info
	assert_status 2
	run mqtool info /a /b
	assert_status 2
	mqtool create -q "/$(printf 'x%.0s' {1..255})"
	mqtool info "/$(printf 'x%.0s' {1..255})" >/dev/null
}

@test "info: output that cannot be written is status 8" {
	mqtool create -q /jobs
	run bash -c 'mqtool info /jobs >/dev/full'
	assert_status 8
	run bash -c 'mqtool info /jobs >&-'
	assert_status 8
}
