# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# maps_of PID PATTERN: start, end, permissions and offset of those lines of its maps, in decimal.
maps_of()
{
	local range access offset
	grep -e "$2" "/proc/$1/maps" | while read -r range access offset _; do
		echo "$((0x${range%-*})) $((0x${range#*-})) $access $((0x$offset))"
	done
}

# mappings: the same of users' answer.
mappings()
{
	json_get '.users[] | select(.evidence == "mapped") | [.start, .end, .access, .offset] | join(" ")'
}

@test "users: nobody is an empty array" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run --separate-stderr shmtool users "$object"
		assert_status 0
		assert_output '{"users":[]}'
		for format in --plain --table; do
			run shmtool users "$object" "$format"
			assert_output ""
		done
	done
}

@test "users: each mapping of a POSIX segment is that of /proc/PID/maps, with address, access and bytes" {
	shmtool create -q /frame --size 16K --fill 1
	for how in map read private; do
		hold /frame "$how"
		run shmtool users /frame
		assert_equal "$(mappings)" "$(maps_of "$pid" ' /dev/shm/frame$')" "$how"
		json --argjson pid "$pid" --arg how "$how" '.users | length == 1 and (.[0] | keys == (["pid", "uid", "command",
			"start", "end", "offset", "access", "rss", "pss", "swap", "page_size", "evidence"] | sort) and
			.pid == $pid and .uid == 0 and (.command | endswith("shm-peer hold /frame " + $how) or endswith("shm-peer hold /frame")) and
			.access == {map: "rw-s", read: "r--s", private: "rw-p"}[$how] and .end - .start == 16384 and
			.offset == 0 and .rss == 0 and .pss == 0 and .swap == 0 and .page_size == 4096 and .evidence == "mapped")'
		stop "$pid"
	done
}

@test "users: each attachment of a System V segment is that of /proc/PID/maps" {
	shmtool create -q key:7 --size 16K
	id=$(id_of key:7)
	for how in map read; do
		hold key:7 "$how"
		run shmtool users key:7
		assert_equal "$(mappings)" "$(maps_of "$pid" " $id  */SYSV")" "$how"
		json --argjson pid "$pid" --arg how "$how" '.users | length == 1 and (.[0] | .pid == $pid and
			.access == {map: "rw-s", read: "r--s"}[$how] and .end - .start == 16384 and .page_size == 4096)'
		stop "$pid"
	done
}

@test "users: several processes, several mappings each, and their number is nattch" {
	perl -e 'use IPC::SysV qw(shmat)' || skip "no perl with IPC::SysV"
	shmtool create -q key:7 --size 4096
	id=$(id_of key:7)
	start perl -e 'use IPC::SysV qw(shmat); $| = 1; @a = map { shmat($ARGV[0], undef, 0) // die } 1 .. 3; print "ready\n"; sleep 60' "$id"
	wait_until 5 is_ready "$pid"
	three=$pid
	hold key:7
	run shmtool users key:7
	json --argjson three "$three" --argjson one "$pid" --argjson nattch "$(ipcs -m -i "$id" | sed -n 's/.*nattch=\([0-9]*\).*/\1/p')" '
		([.users[] | select(.pid == $three)] | length) == 3 and ([.users[] | select(.pid == $one)] | length) == 1 and
		(.users | length) == 4 and $nattch == 4 and ([.users[].start] | unique | length) >= 3'
	stop "$three"
	wait_until 5 nattch_is key:7 1
	run shmtool users key:7
	json --argjson one "$pid" '[.users[].pid] == [$one]'
}

@test "users: resident bytes and shares grow as pages are touched" {
	for backend in "${backends[@]}"; do
		make "$backend" 16K
		start "$shm_peer" add "$(peer_name "$object")" 8 1000000000
		first=$pid
		touched()
		{
			run shmtool users "$object"
			json '.users[0].rss == 4096' 2>/dev/null
		}
		wait_until 5 touched
		json '.users[0].pss == 4096'
		start "$shm_peer" add "$(peer_name "$object")" 8 1000000000
		shared()
		{
			run shmtool users "$object"
			json '.users | length == 2 and all(.rss == 4096 and .pss == 2048)' 2>/dev/null
		}
		wait_until 5 shared
		stop "$first" "$pid"
	done
}

@test "users: a descriptor that is not mapped is told as open, and has no address" {
	shmtool create -q /frame --size 4096
	hold /frame open
	run shmtool users /frame
	json --argjson pid "$pid" '.users | length == 1 and (.[0] | .pid == $pid and .evidence == "open" and
		(keys == ["command", "evidence", "pid", "uid"]))'
	run shmtool users /frame --plain -o pid,range,access,evidence
	assert_output "$pid"$'\t-\t-\topen'
}

@test "users: a segment that was removed and is still attached, by its id" {
	shmtool create -q key:7 --size 4096
	id=$(id_of key:7)
	hold key:7
	shmtool rm key:7
	run shmtool users "id:$id"
	json --argjson pid "$pid" '[.users[].pid] == [$pid]'
}

@test "users: processes that are not seen are warned of, never denied" {
	for backend in "${backends[@]}"; do
		make "$backend"
		hold "$object"
		run --separate-stderr as_unprivileged shmtool users "$object"
		assert_status 0
		assert_output '{"users":[]}'
		assert_stderr 'it is in use, by processes that are not seen'
		assert_stderr '[0-9]+ process(es)? may not be looked at and may use it'
		run --separate-stderr elsewhere shmtool users "$object"
		assert_output '{"users":[]}'
		assert_stderr 'it is in use, by processes that are not seen'
	done
	# Of one that is not in use the kernel says so.
	make sysv
	run --separate-stderr as_unprivileged shmtool users "$object"
	assert_equal "$stderr" ""
}

@test "users: table, plain, columns" {
	shmtool create -q /frame --size 4096
	hold /frame
	range=$(grep ' /dev/shm/frame$' "/proc/$pid/maps" | cut -d' ' -f1)
	run shmtool users /frame --table
	assert_match "^PID +COMMAND +RANGE +OFFSET +ACCESS +RSS +PSS +SWAP +PAGE +EVIDENCE"
	assert_match "$pid +.*shm-peer hold /frame +${range//0x/} +0 +rw-s +0 +0 +0 +4K +mapped"
	run shmtool users /frame --plain -o pid,access,range
	assert_output "$pid"$'\trw-s\t'"$range"
	run shmtool users /frame --columns help
	assert_status 0
	for column in pid uid command range start end offset access rss pss swap page_size evidence; do
		assert_match $'(^|\n)'"$column +[a-zA-Z]"
	done
	run shmtool users /frame -o colour
	assert_status 2
}

@test "users: what is not there is status 3, bad words 2, output that cannot be written 8" {
	for object in /none key:0x7777 id:4711; do
		run --separate-stderr shmtool users "$object"
		assert_status 3
		json --arg object "$object" '.error | .code == "ENOENT" and .object == $object'
	done
	for object in frame private '' key:0; do
		run shmtool users "$object"
		assert_status 2
	done
	run shmtool users
	assert_status 2
	shmtool create -q /frame --size 1
	run bash -c 'shmtool users /frame >/dev/full'
	assert_status 8
}
