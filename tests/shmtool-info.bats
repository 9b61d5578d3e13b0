# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# info_has OBJECT QUERY [ARG...]: whether what info says of it now fulfils the query; ARGs go to jq.
info_has()
{
	shmtool info "$1" | jq -e "${@:3}" "$2" >/dev/null
}

@test "info: a POSIX segment has these keys, and no others" {
	shmtool create -q /frame --size 10000 --mode 0640
	run shmtool info /frame
	assert_status 0
	json 'keys == (["backend", "name", "size", "rss", "nusers", "mode", "uid", "user", "gid", "group", "atime", "mtime",
		"ctime", "users", "unreadable_processes"] | sort) and .backend == "posix" and .name == "/frame" and
		.size == 10000 and .rss == 12288 and .mode == "0640" and .unreadable_processes == 0 and .users == []'
	assert_equal "${#lines[@]}" 1 "lines"
}

@test "info: a System V segment has these keys, by whatever name it is called" {
	id=$("$shm_peer" make 0x1234 9000)
	"$shm_peer" write "$id" 0 touched
	run shmtool info "id:$id"
	assert_status 0
	json 'keys == (["backend", "name", "key", "id", "size", "rss", "swap", "nattch", "nusers", "mode", "uid", "user", "gid",
		"group", "cuid", "cgid", "dest", "locked", "hugetlb", "cpid", "lpid", "atime", "dtime", "ctime", "users",
		"unreadable_processes"] | sort) and .backend == "sysv" and .key == 4660 and .size == 9000 and
		.rss == 4096 and .swap == 0 and .nattch == 0 and .nusers == 0 and .dest == false and .locked == false and
		.hugetlb == false and .users == [] and .unreadable_processes == 0'
	# Creator, last process and times are those that ipcs -p and /proc/sysvipc have.
	read -r _ _ _ _ cpid lpid nattch _ _ _ _ atime dtime ctime rss swap < <(tail -n 1 /proc/sysvipc/shm)
	assert_equal "$(json_get '[.cpid, .lpid, .nattch, .atime, .dtime, .ctime, .rss, .swap] | join(" ")')" \
		"$cpid $lpid $nattch $atime $dtime $ctime $rss $swap"
	assert_match "^$id +root +$cpid +$lpid\$" "$(ipcs -mp | grep "^$id " | sed 's/ *$//')"
	assert_equal "$output" "$(shmtool info key:0x1234)"
	assert_equal "$output" "$(shmtool info key:4660)"
	touch "$TMPDIR/file"
	shmtool create -q "ftok:$TMPDIR/file,3" --size 1
	run shmtool info "ftok:$TMPDIR/file,3"
	json --argjson key "$(shmtool ftok "$TMPDIR/file" --proj 3 | jq .key)" '.key == $key'
}

@test "info: hugetlb is null with its reason until somebody has touched the segment" {
	shmtool create -q key:7 --size 1
	info_has key:7 '(.hugetlb == false and (has("unreadable") | not)) or
		(.hugetlb == null and .unreadable.hugetlb == "EOPNOTSUPP")'
	hold key:7
	info_has key:7 '.hugetlb == false and (has("unreadable") | not)'
}

@test "info: the table shows lists indented, and none where there are none" {
	shmtool create -q key:0x1234 --size 16K
	run shmtool info key:0x1234 --table
	assert_status 0
	assert_match 'key +0x00001234'
	assert_match 'size +16K'
	assert_match 'dtime +never'
	assert_match 'users +none'
	shmtool create -q /frame --size 16K
	hold /frame
	run shmtool info /frame --table
	assert_match $'\nusers\n +PID +COMMAND +EVIDENCE\n +'"$pid +[^ ]*shm-peer hold /frame +mapped"
}

@test "info: --columns picks, plain is one line, --pretty is the same document" {
	shmtool create -q /frame --size 3
	run shmtool info /frame --plain -o size,name,mode
	assert_output $'3\t/frame\t0600'
	run shmtool info /frame -o nosuch
	assert_status 2
	run shmtool info /frame --pretty -o name,size
	((${#lines[@]} > 2))
	assert_equal "$(jq -c . <<<"$output")" '{"name":"/frame","size":3}'
}

# ---- users ----

@test "info: who has it mapped or open, once each, however it is" {
	for backend in "${backends[@]}"; do
		make "$backend" 8192
		expected=()
		hold "$object"
		expected+=("$pid")
		hold "$object" read
		expected+=("$pid")
		if [[ $backend == posix ]]; then
			hold "$object" private
			expected+=("$pid")
			hold "$object" open
			expected+=("$pid")
			opener=$pid
		fi
		assert_equal "$(user_pids "$object")" "$(printf '%s\n' "${expected[@]}" | sort -n | xargs)" "users"
		run shmtool info "$object"
		json --argjson opener "${opener:-0}" --argjson n "${#expected[@]}" '.nusers == $n and (.nattch // $n) == $n and
			.unreadable_processes == 0 and (.users | all(.uid == 0 and (.command | test("shm-peer hold")) and
			.evidence == (if .pid == $opener then "open" else "mapped" end)))'
		# The same as the maps of all processes say.
		for one in "${expected[@]}"; do
			[[ $one == "${opener-}" ]] || grep -q -e " ${object/\//\/dev\/shm\/}\$" -e ' /SYSV' "/proc/$one/maps"
		done
		stop "${expected[@]}"
		wait_until 5 info_has "$object" '.users == []'
		opener=
	done
}

@test "info: not who has another one mapped, nor one of the same name that was removed" {
	for backend in "${backends[@]}"; do
		make "$backend"
		first=$object
		make "$backend"
		hold "$object"
		info_has "$object" '[.users[].pid] == [$pid]' --argjson pid "$pid"
		info_has "$first" '.users == []'
		shmtool rm "$object"
		shmtool create -q "$object" --size 4096
		info_has "$object" '.users == []'
	done
}

@test "info: a segment of the same number in another IPC namespace is another" {
	# In each new one identifiers begin with 0.
	start_open unshare -i bash -c '"$1" make 7 4096 && exec "$1" hold 0' bash "$shm_peer"
	wait_until 5 is_ready "$pid"
	run unshare -i bash -c '"$1" make 7 4096 && shmtool info id:0' bash "$shm_peer"
	assert_equal "${lines[0]} $(head -n 1 "$(out_of "$pid")")" "0 0" "identifiers"
	output=${lines[1]}
	json '.id == 0 and .users == [] and .nattch == 0'
}

@test "info: who made it or used it last and still runs, is told with how that is known" {
	shmtool create -q key:7 --size 4096
	hold key:7
	info_has key:7 '.lpid == $pid and ([.users[] | [.pid, .evidence]] | any(. == [$pid, "mapped"]))' --argjson pid "$pid"
	# A shell that makes one itself cannot be had: python or perl can.
	start perl -e 'use IPC::SysV qw(IPC_CREAT); $| = 1; shmget(8, 100, IPC_CREAT | 0600) // die; print "ready\n"; sleep 60'
	wait_until 5 is_ready "$pid"
	info_has key:8 '.cpid == $pid and .nattch == 0 and .nusers == 0 and (.users | length == 1 and .[0].pid == $pid and
		.[0].evidence == "last pid")' --argjson pid "$pid"
	stop "$pid"
	info_has key:8 '.users == [] and .cpid == $pid' --argjson pid "$pid"
}

@test "info: a segment marked for destruction is told as such, by its id, with its users" {
	shmtool create -q key:7 --size 4096
	id=$(id_of key:7)
	hold key:7
	shmtool rm key:7
	run shmtool info key:7
	assert_status 3
	info_has "id:$id" '.dest == true and .key == 0 and .nattch == 1 and [.users[].pid] == [$pid]' --argjson pid "$pid"
	# It is used by its id.
	shmtool write "id:$id" text
	assert_text "id:$id" text
	run "$shm_peer" read "$id" 0 4
	assert_output text
	run shmtool info "id:$id" --plain -o status
	assert_output dest
	stop "$pid"
	vanished()
	{
		run shmtool info "id:$id"
		[[ $status == 3 ]]
	}
	wait_until 5 vanished
}

# ---- what cannot be told ----

@test "info: processes that may not be looked at are counted, not denied" {
	for backend in "${backends[@]}"; do
		make "$backend"
		hold "$object"
		run as_unprivileged shmtool info "$object"
		assert_status 0
		json '.unreadable_processes > 0 and .nusers == null and (.users | all(.evidence == "last pid")) and
			(.backend == "posix" or .nattch == 1)'
	done
}

@test "info: hidden processes make the count unknown, with the reason" {
	unshare -m mount -t proc -o hidepid=invisible proc /proc || skip "/proc cannot be mounted so here"
	for backend in "${backends[@]}"; do
		make "$backend"
		run unshare -m bash -c 'mount -t proc -o hidepid=invisible proc /proc &&
			exec setpriv --bounding-set=-all --inh-caps=-all shmtool info "$1"' bash "$object"
		assert_status 0
		json '.unreadable_processes == null and .unreadable.unreadable_processes == "EPERM"'
	done
}

@test "info: pids of another PID namespace are null, not none; attachments are counted" {
	shmtool create -q key:7 --size 4096
	run elsewhere shmtool info key:7
	assert_status 0
	json '.cpid == null and .lpid == 0 and .atime == 0 and .nattch == 0'
	hold key:7
	run elsewhere shmtool info key:7
	json '.cpid == null and .lpid == null and .atime > 0 and .nattch == 1 and .users == [] and .nusers == null'
	run elsewhere shmtool list --plain -o cpid,lpid
	assert_output $'-\t-'
}

@test "info: a segment that may not be opened is told of whole" {
	for backend in "${backends[@]}"; do
		make "$backend" 5000 --mode 0
		run as_unprivileged shmtool info "$object"
		assert_status 0
		json '.mode == "0000" and .uid == 0 and .size == 5000'
	done
}

@test "info: without /proc what can be told is told" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	for backend in "${backends[@]}"; do
		make "$backend"
		run --separate-stderr no_proc shmtool info "$object"
		assert_status 0
		json '.size == 4096 and .mode == "0600" and .unreadable.users == "ENOENT"'
	done
}

# ---- what fails ----

@test "info: what is not there is status 3" {
	touch "$TMPDIR/file"
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/file,9" "ftok:$TMPDIR/none"; do
		run --separate-stderr shmtool info "$object"
		assert_status 3
		json --arg object "$object" '.error | .code == "ENOENT" and .exit == 3 and .object == $object'
		assert_stderr "^shmtool info: "
	done
	shmtool create -q key:7 --size 1
	run unshare -i shmtool info key:7
	assert_status 3
}

@test "info: bad operands are status 2" {
	for object in frame /a/b / /. /.. key:0 key:x id:-1 private file:/tmp/x foo:bar "" fd:0 'key:1#0' "/$(printf 'x%.0s' {1..256})"; do
		run --separate-stderr shmtool info "$object"
		[[ $status == 2 ]] || fail "of \"$object\"" "$(show_last)"
	done
	json '.error.code == "USAGE"'
	run shmtool info
	assert_status 2
	run shmtool info /a /b
	assert_status 2
	shmtool create -q "/$(printf 'x%.0s' {1..255})" --size 1
	shmtool info "/$(printf 'x%.0s' {1..255})" >/dev/null
}

@test "info: output that cannot be written is status 8" {
	shmtool create -q /frame --size 1
	run bash -c 'shmtool info /frame >/dev/full'
	assert_status 8
	run bash -c 'shmtool info /frame >&-'
	assert_status 8
}
