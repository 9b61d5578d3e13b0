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

# kept NAME REGEX [ARG...]: clean would not remove it, however young the leftovers may be, and
# says why; nor does it with --yes.
kept()
{
	local name=$1 why=$2
	shift 2
	run "$@" semctl-cli clean --older-than 0
	assert_status 0
	json --arg name "$name" '.semaphores | any(.name == $name and .orphan == false and .removed == false)'
	assert_match "$why" "$(json_get --arg name "$name" '.semaphores[] | select(.name == $name) | .reason')"
	run "$@" semctl-cli clean --older-than 0 --yes
	json --arg name "$name" '.semaphores | any(.name == $name and .removed == false)'
	semctl-cli info "$name" >/dev/null
}

# offered NAME [ARG...]: whether clean would remove it.
offered()
{
	semctl-cli clean --older-than "${2:-0}" | jq -e --arg name "$1" \
		'.semaphores | any(.name == $name and .orphan)' >/dev/null
}

@test "clean: without an age nothing is offered, and that is the reason" {
	semctl-cli create /jobs
	semctl-cli create key:0x77
	touch -d '3 days ago' /dev/shm/sem.jobs
	run semctl-cli clean --yes
	assert_status 0
	json '[.semaphores[] | .orphan, .removed] == [false, false, false, false]'
	json '.semaphores | all(.reason | startswith("no age was given"))'
	[[ -e /dev/shm/sem.jobs ]]
}

@test "clean: without --yes nothing is removed, with it what was offered" {
	semctl-cli create /young
	semctl-cli create /old
	touch -d '3 hours ago' /dev/shm/sem.old
	run semctl-cli clean --older-than 1h
	assert_status 0
	json '.semaphores | map({(.name): [.orphan, .removed]}) | add ==
		{"/old": [true, false], "/young": [false, false]}'
	json '.semaphores[] | select(.name == "/old") | .reason ==
		"created 3 h ago (its mtime; posting does not change it), nobody has it open or mapped"'
	json '.semaphores[] | select(.name == "/young") | .reason | test("^created .* not long enough$")'
	[[ -e /dev/shm/sem.old ]]
	run semctl-cli clean --older-than 1h --yes
	json '.semaphores | map({(.name): [.orphan, .removed]}) | add ==
		{"/old": [true, true], "/young": [false, false]}'
	[[ ! -e /dev/shm/sem.old && -e /dev/shm/sem.young ]]
	run semctl-cli clean --older-than 0 -y
	json '.semaphores[0].removed == true'
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "clean: the age is more than what was asked for, to the second" {
	semctl-cli create /jobs
	touch -d '10 seconds ago' /dev/shm/sem.jobs
	offered /jobs 5s
	run offered /jobs 60s
	assert_status 1
	run offered /jobs inf
	assert_status 1
}

@test "clean: a set of somebody who is gone is offered once it is old enough" {
	run semctl-cli create private
	name=$(json_get .object)
	run offered "$name" 1h
	assert_status 1
	wait_until 10 offered "$name" 1s
	run semctl-cli clean --older-than 1s --yes
	json --arg name "$name" '.semaphores[] | select(.name == $name) | .removed and
		(.reason | test("^last used [0-9]+ s ago, nobody waits on it, who changed it last is gone$"))'
	run semctl-cli info "$name"
	assert_status 3
}

@test "clean: filters hold what is removed down" {
	semctl-cli create /a
	semctl-cli create /b
	semctl-cli create key:0x77
	run semctl-cli clean --older-than 0 --yes --name '/[a]'
	json '[.semaphores[].name] == ["/a"]'
	run semctl-cli clean --older-than 0 --yes --backend sysv
	json '[.semaphores[].removed] == [true]'
	run semctl-cli clean --older-than 0 --yes --owner 4711
	json '.semaphores == []'
	run semctl-cli clean --older-than 0 --yes --key 0x77
	json '.semaphores == []'
	[[ -e /dev/shm/sem.b ]]
}

@test "clean --orphans: shows no more than what it offers" {
	semctl-cli create /free
	semctl-cli create /used
	start "$posix_peer" open /used
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	run semctl-cli clean --older-than 0 --orphans
	json '[.semaphores[].name] == ["/free"]'
	run semctl-cli clean --orphans
	json '.semaphores == []'
}

@test "clean: sorts by what it found out, --reverse turns round" {
	semctl-cli create /a
	semctl-cli create /b
	start "$posix_peer" open /a
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	run semctl-cli clean --older-than 0 --sort orphan --reverse
	json '[.semaphores[].name] == ["/b", "/a"]'
	run semctl-cli clean --older-than 0 --sort orphan
	json '[.semaphores[].name] == ["/a", "/b"]'
	run semctl-cli clean --reverse
	json '[.semaphores[].name] == ["/b", "/a"]'
}

@test "clean: bad columns are found out before anything is removed" {
	semctl-cli create /jobs
	run semctl-cli clean --older-than 0 --yes --sort colour
	assert_status 2
	run semctl-cli clean --older-than 0 --yes -o colour
	assert_status 2
	[[ -e /dev/shm/sem.jobs ]]
}

# ---- what is kept ----

@test "clean: keeps what a process has mapped" {
	semctl-cli create /jobs
	start "$posix_peer" open /jobs
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	kept /jobs "^process $pid has it mapped\$"
	stop "$pid"
	offered /jobs
}

@test "clean: keeps what a process has open" {
	semctl-cli create /jobs
	start sleep 60 7</dev/shm/sem.jobs
	wait_until 5 blocked_in "$pid" clock_nanosleep
	kept /jobs "^process $pid has it open\$"
	stop "$pid"
	offered /jobs
}

@test "clean: keeps what is waited on, POSIX and System V" {
	semctl-cli create /jobs
	semctl-cli create key:0x77
	name=id:$("$sysv_peer" get 0x77)
	start semctl-cli wait /jobs
	first=$pid
	start semctl-cli wait key:0x77
	wait_until 5 blocked_in "$first" futex
	wait_until 5 blocked_in "$pid" semop semtimedop
	kept /jobs "^process $first waits on it\$"
	kept "$name" "^process $pid waits on it\$"
}

@test "clean: a waiter that was killed keeps nothing" {
	semctl-cli create /jobs
	start "$posix_peer" wait /jobs
	wait_until 5 blocked_in "$pid" futex
	kill -KILL "$pid"
	wait_until 5 gone "$pid"
	run semctl-cli info /jobs
	json '.waiters_recorded == 1 and .waiters == 0'
	offered /jobs
}

@test "clean: keeps what a waiter that is stopped will go on waiting for" {
	run semctl-cli create private
	name=$(json_get .object)
	start semctl-cli wait "$name"
	wait_until 5 blocked_in "$pid" semop semtimedop
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kept "$name" "waits?( on it| on semaphore)"
	kill -CONT "$pid"
	stop "$pid"
}

@test "clean: keeps what an exec run holds, POSIX and System V" {
	semctl-cli create /jobs --value 1
	semctl-cli create key:0x77 --value 1
	name=id:$("$sysv_peer" get 0x77)
	start semctl-cli exec /jobs key:0x77 -- sleep 60
	wait_until 5 blocked_in "$pid" clock_nanosleep
	kept /jobs "^process $pid holds a permit\$"
	kept "$name" "^process $pid holds a permit\$"
	stop "$pid"
	wait_until 5 offered /jobs
	wait_until 5 offered "$name"
}

@test "clean: keeps a set whose last user is alive" {
	run semctl-cli create private --value 5
	name=$(json_get .object)
	start "$sysv_peer" hold "${name#id:}" 0:-1
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	kept "$name" "^process $pid changed it last and still runs\$"
	stop "$pid"
	offered "$name"
}

@test "clean: a later process that got the last user's pid does not keep the set" {
	local name
	name=$(semctl-cli create private --plain -o object)
	run semctl-cli info "$name"
	check_reused_pid "$name" "$(json_get '.semaphores[0].pid')" "$(json_get .otime)" "@ changed it last and still runs"
	run semctl-cli info "$name"
	json '.users == []'
}

@test "clean: keeps a set that was last changed in a PID namespace it does not see" {
	run semctl-cli create private
	name=$(json_get .object)
	kept "$name" "cannot be told: none, or another PID namespace's\$" \
		unshare --pid --fork --mount-proc --kill-child
}

@test "clean: keeps all where processes may not be looked at, and says how many" {
	semctl-cli create key:0x77
	start sleep 60
	kept "id:$("$sysv_peer" get 0x77)" "^[0-9]+ process(es)? may not be looked at" as_unprivileged
}

@test "clean: keeps all where processes are hidden" {
	unshare -m mount -t proc -o hidepid=invisible proc /proc || skip "/proc cannot be mounted so here"
	hidden()
	{
		unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
			exec setpriv --bounding-set=-all --inh-caps=-all "$@"' bash "$@"
	}
	semctl-cli create key:0x77
	kept "id:$("$sysv_peer" get 0x77)" "^processes are hidden: who uses it is unknown\$" hidden
	# Of a file the kernel tells its owner whether anybody has it.
	semctl-cli create /jobs
	start "$posix_peer" open /jobs
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	kept /jobs "^somebody who cannot be seen, .* has it open or mapped\$" hidden
	stop "$pid"
	run hidden semctl-cli clean --older-than 0 --name /jobs
	json '.semaphores[0].orphan'
}

# alone COMMAND...: without capabilities, in a PID namespace with nobody else in it.
alone()
{
	unshare --pid --fork --mount-proc --kill-child \
		setpriv --bounding-set=-all --inh-caps=-all "$@"
}

@test "clean: keeps what may not be read" {
	semctl-cli create /jobs --mode 0
	run semctl-cli create private --mode 0
	name=$(json_get .object)
	kept /jobs "may not be (read|looked at)" alone
	kept "$name" "may not be (read|looked at)" alone
}

@test "clean: what cannot be removed is told, and the rest is" {
	semctl-cli create /jobs
	semctl-cli create key:0x77
	mount -o remount,bind,ro /dev/shm
	run --separate-stderr semctl-cli clean --older-than 0 --yes
	mount -o remount,bind,rw /dev/shm
	assert_status 8
	assert_stderr '^semctl-cli clean: /jobs: the file system is read-only$'
	json '.error | .code == "EROFS" and .object == "/jobs"'
	run semctl-cli info key:0x77
	assert_status 3
}

@test "clean: two at once agree on each object" {
	local i
	for i in {1..60}; do
		cp /dev/shm/sem.1 "/dev/shm/sem.$i" 2>/dev/null || semctl-cli create "/$i" >/dev/null
	done
	start semctl-cli clean --older-than 0 --yes
	first=$pid
	start semctl-cli clean --older-than 0 --yes
	second=$pid
	finish "$first"
	assert_status 0
	removed=$(json_get '[.semaphores[] | select(.removed)] | length')
	finish "$second"
	assert_status 0
	# One may have had the other's mapped or not seen at all, but none is removed twice.
	((removed + $(json_get '[.semaphores[] | select(.removed)] | length') == 60 - $(semctl-cli list | jq '.semaphores | length')))
}

@test "clean: JSON types, table and plain" {
	semctl-cli create /jobs
	semctl-cli create key:0x77
	run semctl-cli clean --older-than 0
	json '.semaphores[0] | keys == ["backend", "name", "orphan", "reason", "removed"] and .orphan == true'
	json '.semaphores[1] | keys == ["backend", "id", "key", "name", "orphan", "reason", "removed"] and .key == 119'
	run semctl-cli clean --older-than 0 --table
	assert_match '^BACKEND +NAME +KEY +ORPHAN +REMOVED +REASON'
	run semctl-cli clean --older-than 0 --plain -o name,orphan --backend posix
	assert_match $'^/jobs\t[a-z]+$'
}

@test "clean: bad options and operands are status 2" {
	local bad
	semctl-cli create /jobs
	for bad in --older-than=5sfoo --older-than= --backend=eventfd --owner=no-such --key=x --yess /jobs; do
		run semctl-cli clean --yes "$bad"
		assert_status 2
	done
	[[ -e /dev/shm/sem.jobs ]]
}

@test "clean: output that cannot be written is status 8" {
	run bash -c 'semctl-cli clean >/dev/full'
	assert_status 8
}

@test "what a process of another PID namespace has open is kept" {
	semctl-cli create /jobs --value 1 --quiet
	start semctl-cli exec /jobs -- sleep 1000
	wait_until 5 blocked_in "$pid" clock_nanosleep
	run unshare -pf --mount-proc semctl-cli clean --older-than 0 --yes
	json '.semaphores | length == 1 and (.[0] | .orphan == false and .removed == false and (.reason | test("cannot be seen")))'
	stop "$pid"
	wait_until 5 nobody_has_it
	run unshare -pf --mount-proc semctl-cli clean --older-than 0 --yes
	json '.semaphores[0].removed == true'
}

nobody_has_it()
{
	semctl-cli clean --older-than 0 | jq -e '.semaphores[0].orphan' >/dev/null
}
