# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# three: two POSIX segments and one of System V, the second one two hours old.
three()
{
	shmtool create -q /frame --size 10000 --mode 0640
	"$shm_peer" make /old 5000
	touch -d '2 hours ago' /dev/shm/old
	segment=id:$("$shm_peer" make 0x1234 9000)
}

# names ARG...: what list with these arguments shows, on one line.
names()
{
	shmtool list --plain -o name "$@" | paste -sd ' '
}

@test "list: nothing there is an empty array, no rows, and success" {
	run --separate-stderr shmtool list
	assert_status 0
	assert_output '{"segments":[]}'
	assert_equal "$stderr" ""
	for format in --plain --table; do
		run shmtool list "$format"
		assert_status 0
		assert_output ""
	done
}

@test "list: each segment has the keys of its backend, numbers are numbers" {
	three
	hold "$segment"
	run shmtool list
	assert_status 0
	json --arg segment "$segment" --argjson holder "$pid" --argjson now "$EPOCHSECONDS" '
		([.segments[].name] == ["/frame", "/old", $segment]) and
		(.segments[0] | keys == (["backend", "name", "size", "rss", "nusers", "mode", "uid", "user", "gid", "group",
			"atime", "mtime", "ctime"] | sort) and .backend == "posix" and .size == 10000 and .rss == 12288 and
			.mode == "0640" and .uid == 0 and .user == "root" and .gid == 0 and .group == "root" and
			([.atime, .mtime, .ctime] | all(. > $now - 60 and . <= $now))) and
		(.segments[1] | .size == 5000 and .rss == 0 and .mtime < $now - 7000) and
		(.segments[2] | (keys - ["unreadable"]) == (["backend", "name", "key", "id", "size", "rss", "swap", "nattch",
			"nusers", "mode", "uid", "user", "gid", "group", "cuid", "cgid", "dest", "locked", "hugetlb", "cpid",
			"lpid", "atime", "dtime", "ctime"] | sort) and .backend == "sysv" and .key == 4660 and
			"id:\(.id)" == $segment and .size == 9000 and .rss == 0 and .swap == 0 and .nattch == 1 and
			.nusers == 1 and .mode == "0600" and .uid == 0 and .cuid == 0 and .cgid == 0 and .dest == false and
			.locked == false and .cpid > 0 and .lpid == $holder and .atime > $now - 60 and .dtime == 0 and
			.ctime > $now - 60)'
	assert_equal "${#lines[@]}" 1 "lines"
}

# ipcs_rows: key, id, user, mode, bytes, attachments and marks of each, as ipcs has them.
ipcs_rows()
{
	ipcs -m | while read -r key rest; do
		# shellcheck disable=SC2086 # without the blanks at its end
		[[ $key != 0x* ]] || echo "$((key))" $rest
	done
}

# ours: the same of list.
ours()
{
	shmtool list --backend sysv | jq -r '.segments[] | [.key, .id, .user, (.mode | ltrimstr("0")), .size, .nattch,
		if .dest then "dest" else empty end, if .locked then "locked" else empty end] | join(" ")'
}

@test "list: System V segments are those of ipcs -m, with attachments, dest and locked" {
	for i in {1..4}; do
		shmtool create -q "key:$i" --size "$((i * 1111))" --mode "06${i}0"
	done
	hold key:1
	hold key:2
	hold key:2
	shmtool lock key:3
	shmtool rm key:1
	shmtool create -q private --size 3
	assert_equal "$(ours | sort)" "$(ipcs_rows | sort)" "segments"
	assert_equal "$(ours | wc -l)" 5
	assert_match '0 [0-9]+ root 610 1111 1 dest' "$(ours)"
	assert_match '3 [0-9]+ root 630 3333 0 locked' "$(ours)"
	# Their pages, where ipcs sums them up.
	"$shm_peer" write "$(id_of key:4)" 0 touched
	assert_equal "$(shmtool list --backend sysv | jq '[.segments[].rss] | add')" \
		$(($(ipcs -mu | sed -n 's/^pages resident  *//p') * $(getconf PAGESIZE)))
}

@test "list: System V segments are those of lsipc -m, with creator and last process" {
	for i in 1 2 3; do
		shmtool create -q "key:$i" --size "$((i * 1111))"
	done
	hold key:2
	assert_equal "$(shmtool list --backend sysv --plain -o id,size,nattch,cpid,lpid | sort -n)" \
		"$(lsipc -m --raw --noheadings -o ID,SIZE,NATTCH,CPID,LPID --bytes | tr -s ' ' '\t' | sort -n)"
}

@test "list: POSIX segments are the regular files of /dev/shm, with size and blocks" {
	for i in 1 2 3 4; do
		shmtool create -q "/s$i" --size "$((i * 3000))"
	done
	"$shm_peer" make /peers 123456
	"$shm_peer" write /peers 50000 x
	"$shm_peer" remove /s3
	semctl-cli create -q /jobs --value 1
	mkdir /dev/shm/directory
	run shmtool list --backend posix
	assert_equal "$(json_get '.segments[] | "\(.name) \(.size) \(.rss)"')" \
		"$(cd /dev/shm && stat -c '/%n %s %b' peers s? | while read -r name size blocks; do
			echo "$name $size $((blocks * 512))"
		done)" "segments"
	json '.segments | any(.name == "/peers" and .size == 123456 and .rss == 4096)'
}

@test "list: what is no segment is left out, and counted with --verbose" {
	shmtool create -q /frame --size 1
	mkdir /dev/shm/directory
	mkfifo /dev/shm/fifo
	ln -s frame /dev/shm/link
	: >/dev/shm/sem.jobs
	run --separate-stderr shmtool list -v -o name
	assert_status 0
	assert_output '{"segments":[{"name":"/frame"}]}'
	assert_equal "$stderr" "shmtool list: 3 entries of /dev/shm left out: no segments"
	run --separate-stderr shmtool list -q
	assert_equal "$output$stderr" ""
}

@test "list: names with odd characters, and hidden ones" {
	for name in '/sp ace' $'/new\nline' '/ümlaut' '/-dash' '/%s' '/"q"' /.hidden; do
		shmtool create -q "$name" --size 1
		run shmtool list --name "$name"
		json --arg name "$name" '[.segments[].name] == [$name]'
		shmtool rm -- "$name"
	done
	name=$'/no\377utf8'
	shmtool create -q "$name" --size 1
	run shmtool list
	json '.segments | length == 1'
	assert_equal "$(shmtool list --plain -o name)" "$name"
	shmtool create -q $'/new\nline' --size 1
	assert_equal "$(shmtool list --plain -o name --name $'*\n*')" '/new\nline'
}

# ---- who has them ----

@test "list: users are counted by process, attachments by the kernel" {
	three
	hold /frame
	hold /frame open
	hold /frame private
	hold "$segment" read
	run shmtool list -o name,nusers,nattch
	json --arg segment "$segment" '.segments == [{name: "/frame", nusers: 3}, {name: "/old", nusers: null},
		{name: $segment, nusers: 1, nattch: 1}] or .segments == [{name: "/frame", nusers: 3}, {name: "/old", nusers: 0},
		{name: $segment, nusers: 1, nattch: 1}]'
	# Two attachments of one process are one user.
	start perl -e '$| = 1; shmread($ARGV[0], $a, 0, 1) || die; use IPC::SysV qw(shmat); $b = shmat($ARGV[0], undef, 0);
		$c = shmat($ARGV[0], undef, 0); print "ready\n"; sleep 60' "${segment#id:}"
	wait_until 5 is_ready "$pid"
	run shmtool info "$segment"
	json '.nattch == 3 and .nusers == 2'
}

@test "list: a segment marked for destruction and still attached is shown as such, gone at the last detach" {
	three
	hold "$segment"
	first=$pid
	hold "$segment"
	shmtool rm "$segment"
	run shmtool list --backend sysv
	json --arg segment "$segment" '.segments | length == 1 and (.[0] | .name == $segment and .dest == true and .key == 0 and .nattch == 2)'
	run shmtool list --backend sysv --table
	assert_match " dest "
	assert_match "0x00000000 +${segment#id:} .* 2 +dest" "$(ipcs -m | tr -s ' ')"
	stop "$first"
	wait_until 5 nattch_is "$segment" 1
	stop "$pid"
	wait_until 5 gone_from_list "$segment"
	run shmtool info "$segment"
	assert_status 3
}

gone_from_list()
{
	[[ " $(names) " != *" $1 "* ]]
}

# ---- formats ----

@test "list: the table has headings, hex keys, human sizes, user names and ages, and is not cut" {
	three
	name=/$(printf 'x%.0s' {1..200})
	shmtool create -q "$name" --size 4M
	shmtool lock "$segment"
	COLUMNS=40 run shmtool list --table
	assert_status 0
	assert_match '^BACKEND +NAME +KEY +SIZE +RSS +NATTCH +USERS +MODE +USER +STATUS +CTIME'
	assert_match 0x00001234
	assert_match ' root '
	assert_match ' 4M '
	assert_match ' locked '
	assert_match '[0-9]s ago'
	assert_match "$name"
	assert_equal "${#lines[@]}" 5 "lines"
	run shmtool list --table --bytes
	assert_match ' 4194304 '
}

@test "list: plain has TABs, no headings, and - for what does not apply" {
	three
	run shmtool list --plain -o name,key,size,nattch,dest,status,mtime,swap --name '[/i][fd]*'
	assert_match $'^/frame\t-\t10000\t-\t-\t-\t[0-9]+\t-$' "${lines[0]}"
	assert_equal "${lines[1]}" "$segment"$'\t0x00001234\t9000\t0\tfalse\t-\t-\t0'
	assert_equal "${#lines[@]}" 2
}

@test "list: --columns picks and orders in every format, help lists all" {
	three
	run shmtool list -o nattch,mtime,size,name
	json '(.segments[0] | keys_unsorted == ["mtime", "size", "name"]) and
		(.segments[2] | keys_unsorted == ["nattch", "size", "name"]) and (.segments | map(.size) == [10000, 5000, 9000])'
	run shmtool list -o name,backend --table
	assert_match '^NAME +BACKEND'
	run shmtool list -o backend,name --plain
	assert_equal "${lines[0]}" $'posix\t/frame'
	run shmtool list --columns help
	assert_status 0
	for column in backend name key id size rss swap nattch nusers mode uid user gid group cuid cgid status dest locked \
		hugetlb cpid lpid atime dtime mtime ctime unreadable; do
		assert_match $'(^|\n)'"$column +[A-Za-z]"
	done
	run --separate-stderr shmtool list -o name,colour
	assert_status 2
	assert_stderr 'no column "colour"'
	json '.error | .code == "USAGE" and .exit == 2 and .object == "--columns"'
	run shmtool list -o users
	assert_status 2
}

# ---- filters ----

@test "list --backend, --name, --owner, --key" {
	three
	assert_equal "$(names --backend posix)" "/frame /old"
	assert_equal "$(names --backend sysv)" "$segment"
	for word in eventfd mqueue POSIX ""; do
		run shmtool list --backend "$word"
		assert_status 2
	done
	shmtool create -q '/f*' --size 1
	assert_equal "$(names --name '/f*')" '/f* /frame'
	assert_equal "$(names --name '/f\*')" '/f*'
	assert_equal "$(names --name '/[no]l?')" /old
	assert_equal "$(names --name 'id:*')" "$segment"
	assert_equal "$(names --name frame)" ""
	assert_equal "$(names --owner root --name '/o*')" /old
	assert_equal "$(names --owner 12345)" ""
	run shmtool list --owner no-such-user
	assert_status 2
	private=$(shmtool create private --size 1 --plain -o object)
	assert_equal "$(names --key 0x1234)" "$segment"
	assert_equal "$(names --key key:4660)" "$segment"
	assert_equal "$(names --key 0)" "$private"
	assert_equal "$(names --key 1)" ""
	run shmtool list --key 0x
	assert_status 2
}

@test "list --older-than: by the last use that is known, and that it is looked at is none" {
	three
	assert_equal "$(names --older-than 0)" "/frame /old $segment"
	assert_equal "$(names --older-than 1h)" ""
	assert_equal "$(names --older-than inf)" ""
	old_enough()
	{
		shmtool info /old >/dev/null
		shmtool users /old >/dev/null
		[[ $(names --older-than 5s) == "/frame /old $segment" ]]
	}
	wait_until 10 old_enough
	# Each of these is a use.
	shmtool write /old text
	hold "$segment"
	shmtool read /frame --length 1 >/dev/null
	assert_equal "$(names --older-than 5s)" ""
	for text in 5sfoo "" -1 99999999999999999999; do
		run shmtool list --older-than="$text"
		assert_status 2
	done
}

@test "list --orphans: what nobody uses, however young" {
	three
	hold /frame
	id=$(shmtool create private --size 1 --plain -o object)
	# Who made it has ended.
	assert_equal "$(names --orphans)" "/old $segment $id"
	assert_equal "$(names --orphans --older-than 1h)" ""
	hold "$segment"
	assert_equal "$(names --orphans)" "/old $id"
}

@test "list --sort, --reverse: any column, numbers as numbers, unknown last" {
	three
	shmtool create -q /big --size 200000
	assert_equal "$(names --sort size)" "/old $segment /frame /big"
	assert_equal "$(names --sort size --reverse)" "/big /frame $segment /old"
	assert_equal "$(names --backend posix --sort mtime | cut -d' ' -f1)" /old
	assert_equal "$(names --sort name --reverse)" "$segment /old /frame /big"
	assert_equal "$(names --sort key | cut -d' ' -f1)" "$segment"
	assert_equal "$(names --sort nattch --reverse | cut -d' ' -f1)" "$segment"
	run shmtool list --sort colour
	assert_status 2
}

# ---- what cannot be told ----

@test "list: segments that may not be opened are whole all the same" {
	shmtool create -q /closed --mode 0 --size 100
	shmtool create -q key:7 --mode 0 --size 100
	run as_unprivileged shmtool list
	assert_status 0
	json '.segments | length == 2 and all(.mode == "0000" and .size == 100 and .uid == 0) and .[1].nattch == 0 and .[1].key == 7'
}

@test "list: without /dev/shm the System V ones are listed, and the mount is named" {
	three
	run --separate-stderr no_shm shmtool list
	assert_status 0
	json --arg segment "$segment" '[.segments[].name] == [$segment]'
	assert_equal "$stderr" "shmtool list: warning: /dev/shm is missing, so no POSIX segments: mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm"
	# That command mends it.
	run --separate-stderr no_shm bash -c 'mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm &&
		shmtool create -q /new --size 1 && shmtool list -o name'
	json --arg segment "$segment" '[.segments[].name] == ["/new", $segment]'
	assert_equal "$stderr" ""
}

@test "list: a /dev/shm that may not be read is told" {
	three
	chmod 0333 /dev/shm
	run --separate-stderr as_unprivileged shmtool list
	chmod 1777 /dev/shm
	assert_status 0
	json --arg segment "$segment" '[.segments[].name] == [$segment]'
	assert_stderr '/dev/shm: permission denied'
}

@test "list: without /proc the POSIX ones are listed, their users unknown" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	three
	run --separate-stderr no_proc shmtool list
	assert_status 0
	json '[.segments[].name] == ["/frame", "/old"] and (.segments[0] | .size == 10000 and .nusers == null and
		.unreadable.users == "ENOENT")'
	assert_stderr '/proc/sysvipc/shm'
}

@test "list: another IPC namespace's System V segments are not here" {
	three
	run unshare -i bash -c 'shmtool create -q key:5 --size 1 && shmtool list -o name,key --backend sysv'
	json '[.segments[].key] == [5]'
	assert_equal "$(names --backend sysv)" "$segment"
}

# ---- many ----

@test "list: many segments are all there, once" {
	for i in {1..40}; do
		"$shm_peer" make "$i" 10 >>"$BATS_TEST_TMPDIR/ids"
	done
	for i in {1..500}; do
		: >"/dev/shm/s$i"
	done
	assert_equal "$(shmtool list --backend sysv --plain -o id | sort -n | md5sum)" "$(sort -n "$BATS_TEST_TMPDIR/ids" | md5sum)"
	assert_equal "$(shmtool list --backend posix --plain -o name | sort | md5sum)" "$(printf '/s%s\n' {1..500} | sort | md5sum)"
	assert_equal "$(shmtool list --older-than 0 --sort id --reverse --plain -o name | wc -l)" 540
}

@test "list: while segments come and go" {
	shmtool create -q /stays --size 1
	start bash -c 'for ((i = 0; i < 40; i++)); do shmtool create -q /goes -s 1 && shmtool create -q key:5 -s 1; shmtool rm -f /goes key:5; done'
	worker=$pid
	until gone "$worker"; do
		run --separate-stderr shmtool list
		assert_status 0
		assert_equal "$stderr" ""
		json '(.segments | any(.name == "/stays")) and (.segments | length <= 3)'
	done
	finish "$worker"
	assert_status 0
}

# ---- usage ----

@test "list: operands, unknown options and formats are status 2" {
	run shmtool list /frame
	assert_status 2
	run --separate-stderr shmtool list --backen posix
	assert_status 2
	assert_stderr 'did you mean --backend'
	IPCKIT_FORMAT=xml run shmtool list
	assert_status 2
}

@test "list: IPCKIT_FORMAT sets the default, quiet prints nothing" {
	three
	IPCKIT_FORMAT=plain run shmtool list -o size --name /frame
	assert_output 10000
	IPCKIT_FORMAT=plain run shmtool list -o size --name /frame --json
	assert_output '{"segments":[{"size":10000}]}'
	run shmtool list -q
	assert_status 0
	assert_output ""
}

@test "list: output that cannot be written is status 8" {
	three
	run bash -c 'shmtool list >/dev/full'
	assert_status 8
	assert_match 'no space left'
	run bash -c 'shmtool list >&-'
	assert_status 8
}
