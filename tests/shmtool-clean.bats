# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# kept NAME REGEX [COMMAND...]: clean, run by COMMAND, would not remove it, however young the leftovers
# may be, and says why; nor does it with --yes.
kept()
{
	local name=$1 why=$2
	shift 2
	run "$@" shmtool clean --older-than 0 --yes --name "$name"
	assert_status 0
	json --arg name "$name" --arg why "$why" '.segments | length == 1 and (.[0] | .name == $name and .orphan == false and
		.removed == false and (.reason | test($why)))'
	shmtool info "$name" >/dev/null
}

# offered NAME [AGE]: whether clean would remove it.
offered()
{
	shmtool clean --older-than "${2:-0}" | jq -e --arg name "$1" \
		'.segments | any(.name == $name and .orphan)' >/dev/null
}

# leaked: a System V segment whose maker has gone; its name in $name.
leaked()
{
	name=id:$("$shm_peer" make 0 4096)
}

# ---- what leaked ----

@test "clean: System V: nobody has it attached, and who made it and used it last are gone" {
	leaked
	"$shm_peer" write "${name#id:}" 0 text
	shmtool create -q key:7 --size 10
	run shmtool clean
	assert_status 0
	json --arg name "$name" '.segments | length == 2 and all(.orphan and (.removed | not) and (.reason |
		test("^last used [0-9]+ s ago, nobody has it attached, who made it and who used it last are gone$"))) and
		.[0].name == $name'
	shmtool info "$name" >/dev/null
	# The kernel's word needs no age.
	run shmtool clean --yes
	json '.segments | length == 2 and all(.orphan and .removed)'
	[[ $(ipcs -m) != *0x* ]]
	run shmtool list
	assert_output '{"segments":[]}'
}

@test "clean: System V: with an age, only what is older" {
	leaked
	run shmtool clean --older-than 1h --yes
	json '.segments[0] | (.orphan | not) and (.removed | not) and (.reason | test("^last used [0-9]+ s ago, not long enough$"))'
	wait_until 10 offered "$name" 4s
	hold "$name"
	stop "$pid"
	# That was a use.
	run offered "$name" 4s
	assert_status 1
}

@test "clean: POSIX: without an age nothing is offered, and that is the reason" {
	shmtool create -q /frame --size 10
	touch -d '3 days ago' /dev/shm/frame
	run shmtool clean --yes
	assert_status 0
	json '.segments[0] | (.orphan | not) and (.removed | not) and (.reason | startswith("no age was given"))'
	[[ -e /dev/shm/frame ]]
}

@test "clean: POSIX: with an age, what nobody has, and no other; without --yes it is but named" {
	shmtool create -q /old --size 10
	run shmtool clean --older-than 1h --yes
	json '.segments[0] | (.removed | not) and (.reason | test("not long enough"))'
	wait_until 10 offered /old 5s
	shmtool create -q /young --size 10
	run shmtool clean --older-than 5s
	[[ -e /dev/shm/old ]]
	json '.segments | map({(.name): [.orphan, .removed]}) | add == {"/old": [true, false], "/young": [false, false]}'
	json '.segments[] | select(.name == "/old") | .reason |
		test("^last used [0-9]+ s ago \\(stores into a mapping do not always show\\), nobody has it open or mapped$")'
	run shmtool clean --older-than 5s --yes
	json '.segments | map({(.name): [.orphan, .removed]}) | add == {"/old": [true, true], "/young": [false, false]}'
	[[ ! -e /dev/shm/old && -e /dev/shm/young ]]
	run shmtool clean --older-than inf --yes
	json '.segments[0].removed == false'
	run shmtool clean --older-than 0 -y
	json '.segments[0].removed == true'
	run shmtool list
	assert_output '{"segments":[]}'
}

# ---- what is kept ----

@test "clean: keeps what a process has attached, mapped or open, in whatever way" {
	leaked
	for how in map read; do
		hold "$name" "$how"
		kept "$name" "^process $pid has it mapped\$"
		stop "$pid"
	done
	offered "$name"
	shmtool create -q /frame --size 4096
	for how in map read private; do
		hold /frame "$how"
		kept /frame "^process $pid has it mapped\$"
		stop "$pid"
	done
	hold /frame open
	kept /frame "^process $pid has it open\$"
	stop "$pid"
	offered /frame
}

@test "clean: keeps what is attached, whoever may be looked at" {
	leaked
	hold "$name"
	kept "$name" 'attached 1 time, by whom cannot be seen$|changed it last and still runs$' as_unprivileged
	kept "$name" '^attached 1 time, by whom cannot be seen$' elsewhere
	hold "$name"
	kept "$name" '^attached 2 times, by whom cannot be seen$' elsewhere
}

@test "clean: a segment that is marked for destruction goes by itself" {
	leaked
	hold "$name"
	hold "$name"
	shmtool rm "$name"
	kept "$name" '^marked for destruction: it goes by itself, with the last of 2 attachments$'
}

# maker KEY: a process that made a segment and has it not attached; its name in $name.
maker()
{
	start perl -e 'use IPC::SysV qw(IPC_CREAT); $| = 1; shmget($ARGV[0], 100, IPC_CREAT | 0600) // die; print "ready\n"; sleep 60' "$1"
	wait_until 5 is_ready "$pid"
	name=id:$(id_of "key:$1")
}

# user ID: a process that used it and has it attached no more.
user()
{
	start perl -e '$| = 1; shmwrite($ARGV[0], "used", 0, 4) || die; print "ready\n"; sleep 60' "$1"
	wait_until 5 is_ready "$pid"
}

@test "clean: keeps a System V segment whose creator, or last user, is alive" {
	perl -e 'use IPC::SysV' || skip "no perl with IPC::SysV"
	maker 7
	kept "$name" "^process $pid, which made it, still runs\$"
	creator=$pid
	"$shm_peer" write "${name#id:}" 0 x
	kept "$name" "^process $creator, which made it, still runs\$"
	stop "$creator"
	offered "$name"
	user "${name#id:}"
	kept "$name" "^process $pid, which used it last, still runs\$"
	# One that is stopped is alive.
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kept "$name" "^process $pid, which used it last, still runs\$"
	kill -KILL "$pid"
	wait_until 5 gone "$pid"
	offered "$name"
}

@test "clean: a later process that got the last user's pid does not keep the segment" {
	leaked
	run shmtool info "$name"
	check_reused_pid "$name" "$(json_get .cpid)" "$(json_get .ctime)" "@, which made it, still runs"
}

@test "clean: keeps what a process of another PID namespace has used last" {
	# It is made where clean runs, and used outside.
	start bash -c 'until id=$(shmtool list --plain -o id --key 0x55) && [[ $id ]]; do :; done; "$1" write "$id" 0 x' bash "$shm_peer"
	run --separate-stderr timeout 20 unshare --pid --fork --mount-proc --kill-child bash -c '"$1" make 0x55 4096 >/dev/null &&
		until [[ $(shmtool info key:0x55 --plain -o dtime) != 0 ]]; do :; done; shmtool clean --older-than 0 --yes' bash "$shm_peer"
	assert_status 0
	json '.segments[0] | (.orphan or .removed | not) and
		.reason == "who used it last cannot be told: a process of another PID namespace, which may live"'
	finish "$pid"
	# Out here both of them can be seen to have ended.
	offered "id:$(id_of key:0x55)"
}

@test "clean: keeps what a process of another PID namespace made or has" {
	leaked
	kept "$name" '^who made it cannot be told: a process of another PID namespace, which may live$' elsewhere
	shmtool create -q /frame --size 4096
	hold /frame
	kept /frame '^somebody who cannot be seen, in another PID namespace perhaps, has it open or mapped$' elsewhere
	stop "$pid"
	run elsewhere shmtool clean --older-than 0 --yes --backend posix
	json '.segments[0].removed == true'
}

@test "clean: keeps what processes that may not be looked at might have" {
	shmtool create -q /frame --size 4096
	hold /frame
	kept /frame 'somebody who cannot be seen, .* has it open or mapped|may not be looked at' as_unprivileged
	stop "$pid"
	# Of what the caller owns the kernel tells whether anybody has it; attachments it counts in any case.
	leaked
	run as_unprivileged shmtool clean --older-than 0
	json --arg name "$name" '.segments | map({(.name): .orphan}) | add == {"/frame": true, ($name): true}'
}

@test "clean: keeps segments where processes are hidden" {
	unshare -m mount -t proc -o hidepid=invisible proc /proc || skip "/proc cannot be mounted so here"
	hidden()
	{
		unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
			exec setpriv --bounding-set=-all --inh-caps=-all "$@"' bash "$@"
	}
	leaked
	kept "$name" "^processes are hidden: who uses it is unknown\$" hidden
	shmtool create -q /frame --size 4096
	hold /frame
	kept /frame "^somebody who cannot be seen, .* has it open or mapped\$" hidden
	stop "$pid"
	run hidden shmtool clean --older-than 0 --name /frame
	json '.segments[0].orphan'
}

@test "clean: without /proc nothing of System V is removed, and no POSIX one whose users are unknown" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	leaked
	shmtool create -q /frame --size 4096
	hold /frame
	run no_proc shmtool clean --older-than 0 --yes
	shmtool info "$name" >/dev/null
	[[ -e /dev/shm/frame ]]
}

# ---- filters ----

@test "clean: filters hold what is removed down" {
	shmtool create -q /a --size 1
	shmtool create -q /b --size 1
	shmtool create -q key:0x77 --size 1
	run shmtool clean --older-than 0 --yes --name '/[a]'
	json '[.segments[].name] == ["/a"]'
	run shmtool clean --older-than 0 --yes --owner 4711
	json '.segments == []'
	run shmtool clean --older-than 0 --yes --key 0x78
	json '.segments == []'
	run shmtool clean --older-than 0 --yes --backend sysv
	json '[.segments[].removed] == [true]'
	[[ -e /dev/shm/b && ! -e /dev/shm/a ]]
}

@test "clean --orphans: shows no more than what it offers; --sort and --reverse order it" {
	shmtool create -q /free --size 1
	shmtool create -q /used --size 1
	hold /used
	run shmtool clean --older-than 0 --orphans
	json '[.segments[].name] == ["/free"]'
	run shmtool clean --orphans
	json '.segments == []'
	run shmtool clean --older-than 0 --sort orphan --reverse
	json '[.segments[].name] == ["/free", "/used"]'
	run shmtool clean --older-than 0 --sort orphan
	json '[.segments[].name] == ["/used", "/free"]'
}

@test "clean: bad columns, options and operands are status 2, before anything is removed" {
	shmtool create -q /frame --size 1
	for bad in --sort=colour --columns=colour --older-than=5sfoo --older-than= --backend=eventfd --owner=no-such --key=x \
		--yess --non-empty /frame; do
		run shmtool clean --older-than 0 --yes "$bad"
		[[ $status == 2 ]] || fail "$bad" "$(show_last)"
	done
	[[ -e /dev/shm/frame ]]
}

# ---- removing ----

@test "clean: what cannot be removed is told, and the rest is" {
	shmtool create -q /frame --size 1
	leaked
	chmod 0555 /dev/shm
	run --separate-stderr as_unprivileged shmtool clean --older-than 0 --yes
	chmod 1777 /dev/shm
	assert_status 5
	assert_stderr '^shmtool clean: /frame: permission denied$'
	json '.error | .code == "EACCES" and .object == "/frame"'
	run shmtool info "$name"
	assert_status 3
}

@test "clean: two at once remove each segment once between them" {
	for i in {1..30}; do
		: >"/dev/shm/$i"
	done
	start shmtool clean --older-than 0 --yes
	first=$pid
	start shmtool clean --older-than 0 --yes
	second=$pid
	finish "$first"
	assert_status 0
	removed=$(json_get '[.segments[] | select(.removed)] | length')
	finish "$second"
	assert_status 0
	# One may have seen the other at it, or nothing any more, but none is removed twice.
	((removed + $(json_get '[.segments[] | select(.removed)] | length') == 30 - $(shmtool list | jq '.segments | length')))
}

@test "clean: directories, links, FIFOs and semaphores in /dev/shm are none of its business" {
	shmtool create -q /frame --size 1
	semctl-cli create -q /jobs --value 1
	mkdir /dev/shm/directory
	mkfifo /dev/shm/fifo
	ln -s frame /dev/shm/link
	run shmtool clean --older-than 0 --yes
	assert_status 0
	json '[.segments[].name] == ["/frame"]'
	assert_equal "$(cd /dev/shm && printf '%s\n' * | xargs)" "directory fifo link sem.jobs"
}

@test "clean: without its mount the POSIX ones are left alone, and the mount is named" {
	shmtool create -q /frame --size 1
	leaked
	run --separate-stderr no_shm shmtool clean --older-than 0 --yes
	assert_status 0
	json '[.segments[] | .backend, .removed] == ["sysv", true]'
	assert_stderr '/dev/shm is missing.*mount -t tmpfs'
	[[ -e /dev/shm/frame ]]
}

# ---- formats ----

@test "clean: JSON types, table and plain" {
	shmtool create -q /frame --size 1
	shmtool create -q key:0x77 --size 1
	run shmtool clean --older-than 0
	json '(.segments[0] | keys == ["backend", "name", "orphan", "reason", "removed"] and .orphan == true) and
		(.segments[1] | keys == ["backend", "id", "key", "name", "orphan", "reason", "removed"] and .key == 119)'
	run shmtool clean --older-than 0 --table
	assert_match '^BACKEND +NAME +KEY +ORPHAN +REMOVED +REASON'
	run shmtool clean --older-than 0 --plain -o name,orphan --backend posix
	assert_output $'/frame\ttrue'
}

@test "clean: output that cannot be written is status 8" {
	run bash -c 'shmtool clean >/dev/full'
	assert_status 8
}
