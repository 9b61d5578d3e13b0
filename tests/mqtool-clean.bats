# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load queues

queues_peer=$peers/queues

# kept NAME REGEX [COMMAND...]: clean, run by COMMAND, would not remove it, however young the leftovers
# may be, and says why; nor does it with --yes.
kept()
{
	local name=$1 why=$2
	shift 2
	run "$@" mqtool clean --older-than 0 --non-empty --name "$name"
	assert_status 0
	json --arg name "$name" '.queues | any(.name == $name and .orphan == false and .removed == false)'
	assert_match "$why" "$(json_get --arg name "$name" '.queues[] | select(.name == $name) | .reason')"
	run "$@" mqtool clean --older-than 0 --non-empty --yes --name "$name"
	json --arg name "$name" '.queues | any(.name == $name and .removed == false)'
	mqtool info "$name" >/dev/null
}

# offered NAME [AGE]: whether clean would remove it.
offered()
{
	mqtool clean --older-than "${2:-0}" --non-empty | jq -e --arg name "$1" \
		'.queues | any(.name == $name and .orphan)' >/dev/null
}

# name_of OBJECT: the name that clean has for a System V queue.
name_of()
{
	echo "id:$(id_of "$1")"
}

# through OBJECT...: a message comes and goes. Who waits for the first one of a System V queue in
# another PID namespace leaves no trace, so that before that none is offered in here.
through()
{
	local object
	for object; do
		mqtool send "$object" text
		mqtool recv -q "$object"
	done
}

@test "clean: without an age nothing is offered, and that is the reason" {
	mqtool create -q /jobs
	mqtool create -q key:0x77
	touch -d '3 days ago' /dev/mqueue/jobs
	run mqtool clean --yes
	assert_status 0
	json '[.queues[] | .orphan, .removed] == [false, false, false, false]'
	json '.queues | all(.reason | startswith("no age was given"))'
	[[ -e /dev/mqueue/jobs ]]
}

@test "clean: without --yes nothing is removed, with it what was offered" {
	mqtool create -q /young
	mqtool create -q /old
	touch -d '3 hours ago' /dev/mqueue/old
	run mqtool clean --older-than 1h
	assert_status 0
	json '.queues | map({(.name): [.orphan, .removed]}) | add == {"/old": [true, false], "/young": [false, false]}'
	json '.queues[] | select(.name == "/old") | .reason == "last used 3 h ago, nobody has it open"'
	json '.queues[] | select(.name == "/young") | .reason | test("^last used [0-9]+ s ago, not long enough$")'
	[[ -e /dev/mqueue/old ]]
	run mqtool clean --older-than 1h --yes
	json '.queues | map({(.name): [.orphan, .removed]}) | add == {"/old": [true, true], "/young": [false, false]}'
	[[ ! -e /dev/mqueue/old && -e /dev/mqueue/young ]]
	run mqtool clean --older-than 0 -y
	json '.queues[0].removed == true'
	run mqtool list
	assert_output '{"queues":[]}'
}

@test "clean: the age is that of the last message, not of a look, and more than what was asked for" {
	mqtool create -q /jobs
	touch -d '10 seconds ago' /dev/mqueue/jobs
	mqtool list >/dev/null
	mqtool clean >/dev/null
	offered /jobs 5s
	run offered /jobs 60s
	assert_status 1
	run offered /jobs inf
	assert_status 1
	mqtool send /jobs text
	run offered /jobs 5s
	assert_status 1
}

@test "clean: a System V queue of somebody who is gone is offered once it is old enough" {
	local name
	name=$(mqtool create private --plain -o object)
	mqtool send "$name" text
	mqtool recv -q "$name"
	run offered "$name" 1h
	assert_status 1
	wait_until 10 offered "$name" 1s
	run mqtool clean --older-than 1s --yes
	json --arg name "$name" '.queues[] | select(.name == $name) | .removed and
		(.reason | test("^last used [0-9]+ s ago, nobody waits on it, who used it last is gone$"))'
	run mqtool info "$name"
	assert_status 3
}

@test "clean: one with messages is kept unless --non-empty" {
	local old=$((EPOCHSECONDS - 7200))
	mqtool create -q /one
	mqtool create -q key:0x77
	through key:0x77
	mqtool send /one text
	mqtool send key:0x77 text more
	touch -d "@$old" /dev/mqueue/one
	run mqtool clean --older-than 0 --yes
	assert_status 0
	json '[.queues[] | .orphan, .removed] == [false, false, false, false]'
	json '[.queues[].reason] == ["1 message is in it", "2 messages are in it"]'
	assert_count /one 1
	assert_count key:0x77 2
	run mqtool clean --older-than 1h --non-empty
	json '.queues[0] | .orphan and .reason == "last used 2 h ago, nobody has it open, 1 message in it"'
	json '.queues[1] | (.orphan | not) and (.reason | test("not long enough$"))'
	run mqtool clean --older-than 0 --non-empty --yes
	json '[.queues[].removed] == [true, true]'
	json '.queues[1].reason | test(", 2 messages in it$")'
	run mqtool list
	assert_output '{"queues":[]}'
}

@test "clean --non-empty: without an age nothing is offered, either" {
	mqtool create -q /jobs
	mqtool send /jobs text
	run mqtool clean --non-empty --yes
	json '.queues[0] | .removed == false and (.reason | startswith("no age was given"))'
	assert_count /jobs 1
}

@test "clean: filters hold what is removed down" {
	mqtool create -q /a
	mqtool create -q /b
	mqtool create -q key:0x77
	through key:0x77
	run mqtool clean --older-than 0 --yes --name '/[a]'
	json '[.queues[].name] == ["/a"]'
	run mqtool clean --older-than 0 --yes --backend sysv
	json '[.queues[].removed] == [true]'
	run mqtool clean --older-than 0 --yes --owner 4711
	json '.queues == []'
	run mqtool clean --older-than 0 --yes --key 0x77
	json '.queues == []'
	[[ -e /dev/mqueue/b && ! -e /dev/mqueue/a ]]
}

@test "clean --orphans: shows no more than what it offers" {
	mqtool create -q /free
	mqtool create -q /used
	start "$mq_peer" hold /used
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	run mqtool clean --older-than 0 --orphans
	json '[.queues[].name] == ["/free"]'
	run mqtool clean --orphans
	json '.queues == []'
}

@test "clean: sorts by what it found out, --reverse turns round" {
	mqtool create -q /a
	mqtool create -q /b
	start "$mq_peer" hold /a
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	run mqtool clean --older-than 0 --sort orphan --reverse
	json '[.queues[].name] == ["/b", "/a"]'
	run mqtool clean --older-than 0 --sort orphan
	json '[.queues[].name] == ["/a", "/b"]'
	run mqtool clean --reverse
	json '[.queues[].name] == ["/b", "/a"]'
}

@test "clean: bad columns are found out before anything is removed" {
	mqtool create -q /jobs
	run mqtool clean --older-than 0 --yes --sort colour
	assert_status 2
	run mqtool clean --older-than 0 --yes -o colour
	assert_status 2
	[[ -e /dev/mqueue/jobs ]]
}

# ---- what is kept ----

@test "clean: keeps what a process has open, in whatever way" {
	local how
	mqtool create -q /jobs
	for how in r w rwn; do
		start "$queues_peer" open /jobs "$how"
		wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
		kept /jobs "^process $pid has it open\$"
		stop "$pid"
	done
	offered /jobs
}

@test "clean: keeps what is waited on, by receivers and senders, POSIX and System V" {
	local name
	mqtool create -q /jobs --maxmsg 1
	mqtool create -q key:0x77 --qbytes 4
	name=$(name_of key:0x77)
	start_waiter recv /jobs
	kept /jobs "^process $pid waits on it\$"
	stop "$pid"
	start_waiter recv key:0x77 --type 5
	kept "$name" "^process $pid waits on it\$"
	stop "$pid"
	offered /jobs
	through key:0x77
	offered "$name"
	mqtool send /jobs full
	mqtool send key:0x77 full
	start "$mq_peer" send /jobs 0 more
	wait_until 5 blocked_in "$pid" mq_timedsend
	kept /jobs "^process $pid waits on it\$"
	start "$msg_peer" send "${name#id:}" 1 more
	wait_until 5 blocked_in "$pid" msgsnd
	kept "$name" "^process $pid waits on it\$"
}

@test "clean: keeps what a waiter that is stopped will go on waiting for" {
	local object
	mqtool create -q /jobs
	mqtool create -q key:0x77
	for object in /jobs "$(name_of key:0x77)"; do
		start_waiter recv "$object"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kept "$object" "^process $pid waits on it\$"
		kill -CONT "$pid"
		stop "$pid"
	done
}

@test "clean: a waiter that was killed keeps nothing" {
	local object
	mqtool create -q /jobs
	mqtool create -q key:0x77
	through key:0x77
	for object in /jobs "$(name_of key:0x77)"; do
		start_waiter recv "$object"
		kill -KILL "$pid"
		wait_until 5 gone "$pid"
		offered "$object"
	done
}

@test "clean: keeps a System V queue whose last sender or receiver is alive" {
	local name
	mqtool create -q key:0x77 --qbytes 4
	name=$(name_of key:0x77)
	mqtool send key:0x77 --type 3 keep
	start "$msg_peer" receive "${name#id:}" 3 2
	wait_until 5 blocked_in "$pid" msgrcv
	wait_until 5 count_is key:0x77 0
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kept "$name" "^process $pid waits on it\$"
	stop "$pid"
	offered "$name"
	# One that does something else by now.
	start "$queues_peer" send "${name#id:}"
	wait_until 5 count_is key:0x77 1
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	kept "$name" "^process $pid changed it last and still runs\$"
	stop "$pid"
	offered "$name"
}

@test "clean: a later process that got the last user's pid does not keep the queue" {
	local name
	name=$(mqtool create private --plain -o object)
	through "$name"
	mqtool send "$name" text
	run mqtool info "$name"
	check_reused_pid "$name" "$(json_get .lspid)" "$(json_get .stime)" "@ changed it last and still runs"
	run mqtool info "$name"
	json '.users == []'
}

@test "clean: keeps what is registered for a notification" {
	mqtool create -q /jobs
	start "$queues_peer" notify /jobs silent
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	kept /jobs "^process $pid has it open\$"
	kept /jobs "of another PID namespace is registered for its notification\$" \
		unshare --pid --fork --mount-proc --kill-child
	stop "$pid"
	offered /jobs
}

@test "clean: keeps a System V queue that nobody has received from, which others may be waiting for" {
	mqtool create -q key:0x77
	kept "$(name_of key:0x77)" '^nobody has received from it yet: who waits for that in another PID namespace'
	through key:0x77
	offered "$(name_of key:0x77)"
}

@test "clean: keeps a System V queue that was last used in a PID namespace it does not see" {
	local name
	name=$(mqtool create private --plain -o object)
	mqtool send "$name" text
	kept "$name" "^who sent to it last cannot be told: none, or another PID namespace's\$" \
		unshare --pid --fork --mount-proc --kill-child
	mqtool recv -q "$name"
	kept "$name" "cannot be told: none, or another PID namespace's\$" \
		unshare --pid --fork --mount-proc --kill-child
	offered "$name"
}

@test "clean: what a process of another PID namespace has open is kept" {
	mqtool create -q /jobs
	start_waiter recv /jobs
	kept /jobs "^somebody who cannot be seen, in another PID namespace perhaps, has it open\$" \
		unshare --pid --fork --mount-proc --kill-child
	stop "$pid"
	run unshare --pid --fork --mount-proc --kill-child mqtool clean --older-than 0 --yes
	json '.queues[0].removed == true'
}

@test "clean: keeps System V queues where processes may not be looked at, and says how many" {
	local name
	mqtool create -q key:0x77
	name=$(name_of key:0x77)
	start sleep 60
	kept "$name" "^[0-9]+ process(es)? may not be looked at and might use it\$" as_unprivileged
	# Of a POSIX one the kernel tells its owner whether anybody has it.
	mqtool create -q /jobs
	run as_unprivileged mqtool clean --older-than 0 --backend posix
	json '.queues[0].orphan'
	start_waiter recv /jobs
	kept /jobs "^(somebody who cannot be seen, .*has it open|[0-9]+ process(es)? may not be looked at .*)\$" as_unprivileged
}

@test "clean: keeps System V queues where processes are hidden" {
	local name
	unshare -m mount -t proc -o hidepid=invisible proc /proc || skip "/proc cannot be mounted so here"
	hidden()
	{
		unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
			exec setpriv --bounding-set=-all --inh-caps=-all "$@"' bash "$@"
	}
	mqtool create -q key:0x77
	name=$(name_of key:0x77)
	kept "$name" "^processes are hidden: who uses it is unknown\$" hidden
	mqtool create -q /jobs
	start_waiter recv /jobs
	kept /jobs "^somebody who cannot be seen, .* has it open\$" hidden
	stop "$pid"
	run hidden mqtool clean --older-than 0 --name /jobs
	json '.queues[0].orphan'
}

@test "clean: keeps what may not be read" {
	alone()
	{
		unshare --pid --fork --mount-proc --kill-child setpriv --bounding-set=-all --inh-caps=-all "$@"
	}
	mqtool create -q /jobs --mode 0
	mqtool create -q /drop --mode 0200
	kept /jobs "may not be (read|looked at)" alone
	kept /drop "may not be read: whether a process is registered" alone
}

# ---- removing ----

@test "clean: what cannot be removed is told, and the rest is" {
	mqtool create -q /jobs
	mqtool create -q key:0x77
	chmod 0555 /dev/mqueue
	run --separate-stderr unshare --pid --fork --mount-proc --kill-child bash -c 'mqtool send key:0x77 text &&
		mqtool recv -q key:0x77 && setpriv --bounding-set=-all --inh-caps=-all mqtool clean --older-than 0 --yes'
	chmod 1777 /dev/mqueue
	assert_status 5
	assert_stderr '^mqtool clean: /jobs: permission denied$'
	json '.error | .code == "EACCES" and .object == "/jobs"'
	run mqtool info key:0x77
	assert_status 3
}

@test "clean: two at once agree on each queue" {
	local i first second removed
	for i in {1..40}; do
		mqtool create -q "/$i" --maxmsg 1 --msgsize 1
	done
	start mqtool clean --older-than 0 --yes
	first=$pid
	start mqtool clean --older-than 0 --yes
	second=$pid
	finish "$first"
	assert_status 0
	removed=$(json_get '[.queues[] | select(.removed)] | length')
	finish "$second"
	assert_status 0
	# One may have seen the other at it, or nothing any more, but none is removed twice.
	((removed + $(json_get '[.queues[] | select(.removed)] | length') == 40 - $(mqtool list | jq '.queues | length')))
}

@test "clean: without its mount the POSIX ones are left alone, and the mount is named" {
	mqtool create -q /jobs
	mqtool create -q key:0x77
	through key:0x77
	run --separate-stderr unshare -m bash -c 'umount /dev/mqueue && mqtool clean --older-than 0 --yes'
	assert_status 0
	json '[.queues[] | .backend, .removed] == ["sysv", true]'
	assert_stderr '/dev/mqueue is missing.*mount -t mqueue'
	[[ -e /dev/mqueue/jobs ]]
	mqtool create -q key:0x77
	run --separate-stderr unshare -i mqtool clean --older-than 0 --yes
	assert_output '{"queues":[]}'
	assert_stderr 'another IPC namespace'
	[[ -e /dev/mqueue/jobs ]]
	mqtool info key:0x77 >/dev/null
}

@test "clean: without /proc nothing of System V is removed" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	mqtool create -q /jobs
	mqtool create -q key:0x77
	run unshare -m bash -c 'mount -t tmpfs none /proc && mqtool clean --older-than 0 --yes --backend sysv'
	mqtool info key:0x77 >/dev/null
}

@test "clean: JSON types, table and plain" {
	mqtool create -q /jobs
	mqtool create -q key:0x77
	run mqtool clean --older-than 0
	json '.queues[0] | keys == ["backend", "name", "orphan", "reason", "removed"] and .orphan == true'
	json '.queues[1] | keys == ["backend", "id", "key", "name", "orphan", "reason", "removed"] and .key == 119'
	run mqtool clean --older-than 0 --table
	assert_match '^BACKEND +NAME +KEY +ORPHAN +REMOVED +REASON'
	run mqtool clean --older-than 0 --plain -o name,orphan --backend posix
	assert_match $'^/jobs\t[a-z]+$'
}

@test "clean: bad options and operands are status 2" {
	local bad
	mqtool create -q /jobs
	for bad in --older-than=5sfoo --older-than= --backend=eventfd --owner=no-such --key=x --yess --non-emptyy /jobs; do
		run mqtool clean --yes "$bad"
		assert_status 2
	done
	[[ -e /dev/mqueue/jobs ]]
}

@test "clean: output that cannot be written is status 8" {
	run bash -c 'mqtool clean >/dev/full'
	assert_status 8
}
