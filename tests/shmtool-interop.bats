# SPDX-License-Identifier: GPL-2.0-or-later
# What shmtool makes others see and use, and the other way round: ipcs, ipcmk, ipcrm, lsipc, and
# programs that know libc alone. Compared field by field.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# record KEY: the fields that ipcs -m and -mp have of a segment: id, perms, bytes, nattch, marks; cpid, lpid.
record()
{
	local line id
	line=$(ipcs -m | grep "^$(printf 0x%08x "$1") ")
	read -r _ id _ <<<"$line"
	awk '{ print $2, $4, $5, $6, $7 }' <<<"$line" | sed 's/ *$//'
	ipcs -mp | awk -v id="$id" '$1 == id { print $3, $4 }'
}

# ours KEY: the same of info.
ours()
{
	shmtool info "key:$1" | jq -r '"\(.id) \(.mode[1:]) \(.size) \(.nattch)" + (if .locked then " locked" else "" end),
		"\(.cpid) \(.lpid)"'
}

# ---- System V ----

@test "a segment of shmtool is what shmget(2) finds and shmat(2) attaches" {
	shmtool create -q key:0x77 --size 5000 --mode 0640
	id=$(id_of key:0x77)
	run "$shm_peer" make 0x77 5000
	assert_status 1
	assert_equal "$(record 0x77)" "$(ours 0x77)"
	shmtool write key:0x77 --offset 4000 text
	run "$shm_peer" read "$id" 4000 4
	assert_output text
	"$shm_peer" write "$id" 4990 0123456789
	run shmtool read key:0x77 --offset 4990
	assert_output 0123456789
	hold key:0x77
	shmtool lock key:0x77
	assert_equal "$(record 0x77)" "$(ours 0x77)"
	# A key of another program's ftok(3).
	touch "$TMPDIR/file"
	shmtool create -q "ftok:$TMPDIR/file,9" --size 10
	ipcs -m | grep -q "^$(shmtool ftok "$TMPDIR/file" --proj 9 --plain) "
	"$shm_peer" remove "$id"
	run shmtool info key:0x77
	assert_status 3
	assert_equal "$(told "id:$id" dest)" true
}

@test "a segment of shmget(2) is one for shmtool" {
	id=$("$shm_peer" make 0x77 5000)
	"$shm_peer" write "$id" 0 theirs
	assert_equal "$(record 0x77)" "$(ours 0x77)"
	assert_text key:0x77 theirs
	run shmtool create key:0x77 --size 5000
	json --argjson id "$id" '.created == false and .id == $id'
	shmtool write key:0x77 mine
	run "$shm_peer" read "$id" 0 6
	assert_output miners
	shmtool rm key:0x77
	run "$shm_peer" read "$id" 0 1
	assert_status 1
}

@test "what ipcmk makes and ipcrm removes" {
	run ipcmk -M 10000 -p 0640
	id=${output##* }
	run shmtool info "id:$id"
	json '.size == 10000 and .mode == "0640" and .nattch == 0 and .key != 0'
	shmtool write "id:$id" text
	assert_text "id:$id" text
	ipcrm -m "$id"
	run shmtool info "id:$id"
	assert_status 3
	shmtool create -q key:0x77 --size 10
	ipcrm -M 0x77
	run shmtool info key:0x77
	assert_status 3
	# One that is attached is marked by it, too.
	shmtool create -q key:0x77 --size 10
	id=$(id_of key:0x77)
	hold key:0x77
	ipcrm -M 0x77
	assert_equal "$(told "id:$id" dest)" true
}

@test "lsipc -m has the same of each" {
	shmtool create -q key:1 --size 5000 --mode 0640
	"$shm_peer" make 2 100 >/dev/null
	shmtool create -q private --size 7
	hold key:1
	theirs=$(lsipc -m --json --bytes -o KEY,ID,PERMS,SIZE,NATTCH,OWNER,CPID,LPID --time-format=iso |
		jq -c '[.. | objects | select(has("id")) | {key: .key, id: (.id | tonumber), mode: .perms[-4:], size: (.size | tonumber),
			nattch: (.nattch | tonumber), user: .owner, cpid: (.cpid | tonumber), lpid: (.lpid | tonumber)}] | sort_by(.id)')
	mine=$(shmtool list --backend sysv | jq -c '[.segments[] | {key, id, mode, size, nattch, user, cpid, lpid}] | sort_by(.id)')
	assert_equal "$(jq -c 'map(del(.key, .mode))' <<<"$theirs")" "$(jq -c 'map(del(.key, .mode))' <<<"$mine")"
	assert_equal "$(jq 'length' <<<"$mine")" 3
}

@test "a forked child has an attachment of its own, a thread's is the process's" {
	perl -e 'use IPC::SysV qw(shmat)' || skip "no perl with IPC::SysV"
	id=$("$shm_peer" make 7 4096)
	start perl -e 'use IPC::SysV qw(shmat); $| = 1; $a = shmat($ARGV[0], undef, 0) // die; $child = fork;
		if (!$child) { sleep 60; exit } print "$child\nready\n"; sleep 60' "$id"
	wait_until 5 is_ready "$pid"
	child=$(head -n 1 "$(out_of "$pid")")
	assert_equal "$(told key:7 nattch)" 2
	assert_equal "$(user_pids key:7)" "$(printf '%s\n' "$pid" "$child" | sort -n | xargs)"
	kill "$child"
	wait_until 5 nattch_is key:7 1
}

# ---- POSIX ----

@test "a segment of shmtool is what shm_open(3) opens and mmap(2) maps" {
	shmtool create -q /frame --size 5000
	run "$shm_peer" make /frame 5000
	assert_status 1
	shmtool write /frame --offset 4000 text
	run "$shm_peer" read /frame 4000 4
	assert_output text
	"$shm_peer" write /frame 4990 0123456789
	run shmtool read /frame --offset 4990
	assert_output 0123456789
	assert_equal "$(stat -c '%s %a %u %g %F' /dev/shm/frame)" "5000 600 0 0 regular file"
	"$shm_peer" remove /frame
	run shmtool info /frame
	assert_status 3
}

@test "a segment of shm_open(3) is one for shmtool" {
	"$shm_peer" make /theirs 5000
	"$shm_peer" write /theirs 0 theirs
	run shmtool info /theirs
	json '.backend == "posix" and .size == 5000 and .mode == "0600" and .rss == 4096 and .users == []'
	assert_text /theirs theirs
	run shmtool create /theirs --size 5000
	json '.created == false'
	shmtool write /theirs mine
	run "$shm_peer" read /theirs 0 6
	assert_output miners
	shmtool rm /theirs
	run "$shm_peer" read /theirs 0 1
	assert_status 1
}

@test "python's multiprocessing.shared_memory" {
	command -v python3 >/dev/null || skip "no python3"
	shmtool create -q /frame --size 100
	shmtool write /frame text
	run --separate-stderr python3 -c '
from multiprocessing import shared_memory
a = shared_memory.SharedMemory("frame")
print(bytes(a.buf[:4]).decode(), a.size)
a.buf[:4] = b"more"
b = shared_memory.SharedMemory("theirs", create=True, size=50)
b.buf[:2] = b"hi"
# Its tracker would remove what others made.
from multiprocessing import resource_tracker
for one in a, b:
    resource_tracker.unregister(one._name, "shared_memory")
import os, sys
sys.stdout.flush()
os._exit(0)'
	assert_match '^text (100|4096)$'
	assert_text /frame more
	assert_text /theirs hi
	assert_equal "$(told /theirs size)" 50
}

# ---- both ----

@test "a counter that two programs and shmtool share loses nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		name=$(peer_name "$object")
		start "$shm_peer" add "$name" 8 200000
		first=$pid
		start "$shm_peer" add "$name" 8 200000
		second=$pid
		for _ in {1..10}; do
			shmtool poke "$object" u64@8=100 --add -q
		done
		finish "$first"
		finish "$second"
		assert_equal "$("$shm_peer" read "$name" 8 8 | od -An -tu8 | tr -d ' ')" 401000
	done
}

@test "names that libc takes and shmtool takes are the same files" {
	for name in /plain /with.dot /-dash "/$(printf '%200s' '' | tr ' ' x)"; do
		"$shm_peer" make "$name" 10
		shmtool write "$name" text
		run "$shm_peer" read "$name" 0 4
		assert_output text
		shmtool rm -- "$name"
		run "$shm_peer" read "$name" 0 4
		assert_status 1
	done
}
