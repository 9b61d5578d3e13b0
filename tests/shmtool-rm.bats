# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; object, in each case its own

load helpers
load segments

@test "rm: silent, and gone for everybody" {
	shmtool create -q /frame --size 10
	shmtool create -q key:0x1234 --size 10
	run --separate-stderr shmtool rm /frame key:0x1234
	assert_status 0
	assert_equal "$output$stderr" ""
	[[ ! -e /dev/shm/frame && $(ipcs -m) != *0x00001234* ]]
	run shmtool list
	assert_output '{"segments":[]}'
	run "$shm_peer" read /frame 0 1
	assert_status 1
}

@test "rm: what other programs made, by identifier and by path, with JSON where it is asked for" {
	id=id:$("$shm_peer" make 77 100)
	touch "$TMPDIR/file"
	shmtool create -q "ftok:$TMPDIR/file" --size 1
	"$shm_peer" make /frame 100
	run shmtool rm "$id" "ftok:$TMPDIR/file" /frame --json
	assert_status 0
	json --arg id "$id" --arg file "ftok:$TMPDIR/file" '. == {segments: [{object: $id, backend: "sysv"},
		{object: $file, backend: "sysv"}, {object: "/frame", backend: "posix"}]}'
	run shmtool list
	assert_output '{"segments":[]}'
}

@test "rm: who has a POSIX one mapped keeps it; a new one of its name is another" {
	shmtool create -q /frame --size 4096
	start "$shm_peer" add /frame 8 1000000000
	wait_until 5 uses "$pid"
	shmtool rm /frame
	shmtool create -q /frame --size 4096
	assert_equal "$("$shm_peer" read /frame 8 8 | tr -d '\0')" ""
	! gone "$pid" || fail "its user did not survive"
}

uses()
{
	[[ $("$shm_peer" read /frame 8 8 | tr -d '\0' | wc -c) != 0 ]]
}

@test "rm: an attached System V one is marked, usable by id, and goes at the last detach; its key is free at once" {
	shmtool create -q key:7 --size 4096
	id=$(id_of key:7)
	hold key:7
	shmtool rm "id:$id"
	shmtool create -q key:7 --size 8192 --exclusive
	[[ $(id_of key:7) != "$id" ]]
	shmtool write "id:$id" text
	run "$shm_peer" read "$id" 0 4
	assert_output text
	# Once more it is not removed, but is that no failure, as for ipcrm.
	run shmtool rm "id:$id"
	assert_status 0
	stop "$pid"
	gone_by_id()
	{
		! shmtool info "id:$id" >/dev/null 2>&1
	}
	wait_until 5 gone_by_id
	run shmtool rm "id:$id"
	assert_status 3
	assert_equal "$(told key:7 size)" 8192
}

@test "rm: what is not there is status 3, done with --force" {
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/none"; do
		run --separate-stderr shmtool rm "$object" --json
		assert_status 3
		assert_stderr "^shmtool rm: $object: no such (object|file)"
		json --arg object "$object" '.error | .code == "ENOENT" and .exit == 3 and .object == $object'
		run --separate-stderr shmtool rm --force "$object"
		assert_status 0
		assert_equal "$stderr" ""
	done
}

@test "rm: all are tried, the status is the first failure's" {
	shmtool create -q /first --size 1
	shmtool create -q /last --size 1
	run --separate-stderr shmtool rm /first /none bad key:9 /last
	assert_status 3
	assert_equal "$(wc -l <<<"$stderr")" 3 "lines on stderr"
	[[ ! -e /dev/shm/first && ! -e /dev/shm/last ]]
	shmtool create -q /last --size 1
	run --separate-stderr shmtool rm bad /none /last --json
	assert_status 2
	json '.error | .exit == 2 and .object == "bad"'
	[[ ! -e /dev/shm/last ]]
	run shmtool rm --force /none bad
	assert_status 2
}

@test "rm: the same one twice is a missing one the second time" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run shmtool rm "$object" "$object"
		assert_status 3
		shmtool create -q "$object" --size 1
		shmtool rm --force "$object" "$object"
	done
}

@test "rm: two at a time remove each segment once between them" {
	names=()
	for i in {1..30}; do
		names+=("/$i" "key:$i")
		: >"/dev/shm/$i"
		"$shm_peer" make "$i" 10 >/dev/null
	done
	start shmtool rm --force "${names[@]}"
	first=$pid
	start shmtool rm --force "${names[@]}"
	finish "$pid"
	assert_status 0
	finish "$first"
	assert_status 0
	run shmtool list
	assert_output '{"segments":[]}'
}

@test "rm: no permission is status 5, --force or not" {
	shmtool create -q /frame --size 1
	shmtool create -q key:7 --size 1 --mode 0
	chmod 0555 /dev/shm
	run as_unprivileged shmtool rm /frame
	refused=$status
	run as_unprivileged shmtool rm --force /frame
	chmod 1777 /dev/shm
	assert_equal "$refused" 5
	assert_status 5
	[[ -e /dev/shm/frame ]]
	# A mode of 0 is no hindrance to the owner.
	as_unprivileged shmtool rm key:7
}

@test "rm: another user's is status 5" {
	others_mapped
	shmtool create -q /frame --mode 0666 --size 1
	shmtool create -q key:7 --mode 0666 --size 1
	for object in /frame key:7; do
		run --separate-stderr setpriv --reuid 4711 --clear-groups shmtool rm "$object"
		assert_status 5
		shmtool info "$object" >/dev/null
	done
}

@test "rm: without /dev/shm the mount is named, and System V ones are removed" {
	shmtool create -q key:7 --size 1
	run --separate-stderr no_shm shmtool rm /frame key:7
	assert_status 8
	assert_stderr '/frame: /dev/shm is missing: mkdir -m 1777 /dev/shm && mount'
	run shmtool info key:7
	assert_status 3
}

@test "rm: bad operands are status 2, and nothing is removed" {
	shmtool create -q /frame --size 1
	for object in frame / /a/b private key:0 id:x file:/tmp/x 'key:1#0' ''; do
		run shmtool rm "$object"
		assert_status 2
	done
	run shmtool rm
	assert_status 2
	run --separate-stderr shmtool rm --forc /frame
	assert_status 2
	assert_stderr 'did you mean --force'
	[[ -e /dev/shm/frame ]]
}

@test "rm: a name that begins like an option goes after --" {
	shmtool create -q --size 1 -- /frame
	shmtool rm -- /frame
	[[ ! -e /dev/shm/frame ]]
}
