# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq

load helpers

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

# three: two POSIX semaphores and a set, the second one two hours old.
three()
{
	semctl-cli create /jobs --value 3 --mode 0640 >/dev/null
	semctl-cli create /old --value 9 >/dev/null
	touch -d '2 hours ago' /dev/shm/sem.old
	semctl-cli create key:0x1234 --values 5,6 >/dev/null
	set_name=id:$("$IPCKIT_BUILD/tests/peers/sysv-peer" get 0x1234)
}

# names ARG...: what list with these arguments shows, on one line.
names()
{
	semctl-cli list --plain -o name "$@" | paste -sd ' '
}

@test "list: nothing there is an empty array, no rows, and success" {
	run --separate-stderr semctl-cli list
	assert_status 0
	assert_output '{"semaphores":[]}'
	assert_equal "$stderr" ""
	run semctl-cli list --plain
	assert_status 0
	assert_output ""
	run semctl-cli list --table
	assert_status 0
	assert_output ""
}

@test "list: each object has the keys of its backend, numbers are numbers" {
	three
	run semctl-cli list
	assert_status 0
	json --arg set "$set_name" '[.semaphores[].name] == ["/jobs", "/old", $set]'
	json '.semaphores[0] | (keys_unsorted | contains(["backend", "name", "value", "waiters",
		"waiters_recorded", "mode", "uid", "user", "gid", "group", "size", "mtime"])) and
		.backend == "posix" and .value == 3 and .waiters == 0 and .waiters_recorded == 0 and
		.mode == "0640" and .uid == 0 and .user == "root" and .gid == 0 and .group == "root" and
		.size == 32 and (.mtime | type) == "number"'
	json '.semaphores[0] | has("key") or has("id") or has("nsems") or has("otime") or has("ctime") or
		has("cuid") or has("semaphores") or has("unreadable") | not'
	json '.semaphores[2] | .backend == "sysv" and .key == 4660 and (.id | type) == "number" and
		.nsems == 2 and .waiters == 0 and .mode == "0600" and .uid == 0 and .cuid == 0 and .cgid == 0 and
		(.otime | type) == "number" and (.ctime | type) == "number"'
	json '.semaphores[2].semaphores | length == 2 and .[1].index == 1 and .[1].value == 6 and
		.[1].ncnt == 0 and .[1].zcnt == 0 and (.[1].pid | type) == "number"'
	json '.semaphores[2] | has("mtime") or has("size") or has("waiters_recorded") or has("unreadable") | not'
	assert_equal "${#lines[@]}" 1 "lines"
}

@test "list: a set that nobody used has an operation time of 0" {
	ipcmk -S 1 >/dev/null
	run semctl-cli list
	json '.semaphores[0].otime == 0 and .semaphores[0].key != 0'
	run semctl-cli list --table
	assert_match never
}

@test "list: the table has headings, hex keys, user names and ages, and is not cut" {
	local name
	three
	name=/$(printf 'x%.0s' {1..200})
	semctl-cli create "$name" >/dev/null
	COLUMNS=40 run semctl-cli list --table
	assert_status 0
	assert_match '^BACKEND +NAME .* KEY '
	assert_match 0x00001234
	assert_match root
	assert_match '2h ago'
	assert_match "$name"
	assert_equal "${#lines[@]}" 5 "lines"
}

@test "list: plain has TABs, no headings, and - for what is not there" {
	three
	run semctl-cli list --plain -o name,key,value,nsems,mtime
	assert_equal "${lines[0]}" $'/jobs\t-\t3\t-\t'"$(stat -c %Y /dev/shm/sem.jobs)"
	assert_equal "${lines[2]}" "$set_name"$'\t0x00001234\t-\t2\t-'
	assert_equal "${#lines[@]}" 3
}

@test "list: --columns picks and orders in every format, help lists all" {
	three
	run semctl-cli list -o value,name
	json '.semaphores[0] | keys_unsorted == ["value", "name"]'
	run semctl-cli list -o name,backend --table
	assert_match '^NAME +BACKEND'
	run semctl-cli list --columns help
	assert_status 0
	for column in backend name key id nsems value waiters waiters_recorded semaphores mode uid user gid \
		group cuid cgid size mtime otime ctime unreadable; do
		assert_match "(^|
)$column +[A-Za-z]"
	done
	run --separate-stderr semctl-cli list -o name,colour
	assert_status 2
	assert_stderr 'no column "colour"'
	json '.error | .code == "USAGE" and .exit == 2 and .object == "--columns"'
}

@test "list --backend: that backend alone; what cannot be listed is status 2" {
	three
	assert_equal "$(names --backend posix)" "/jobs /old"
	assert_equal "$(names --backend sysv)" "$set_name"
	local word
	for word in eventfd file unnamed POSIX system5 ""; do
		run semctl-cli list --backend "$word"
		assert_status 2
	done
}

@test "list --name: as a glob, of the whole name" {
	three
	semctl-cli create '/j*' >/dev/null
	assert_equal "$(names --name '/j*')" '/j* /jobs'
	assert_equal "$(names --name '/j\*')" '/j*'
	assert_equal "$(names --name '/[no]l?')" /old
	assert_equal "$(names --name 'id:*')" "$set_name"
	assert_equal "$(names --name jobs)" ""
	assert_equal "$(names --name '/job')" ""
}

@test "list --owner: a name or a number; one that is nobody's shows nothing" {
	three
	assert_equal "$(names --owner root)" "/jobs /old $set_name"
	assert_equal "$(names --owner 0)" "/jobs /old $set_name"
	assert_equal "$(names --owner 12345)" ""
	run semctl-cli list --owner no-such-user
	assert_status 2
	run semctl-cli list --owner root:root
	assert_status 2
}

@test "list --key: decimal, hex, and either spelling of the upper half" {
	three
	semctl-cli create key:0xffffff00 >/dev/null
	high=id:$("$IPCKIT_BUILD/tests/peers/sysv-peer" get 0xffffff00)
	assert_equal "$(names --key 0x1234)" "$set_name"
	assert_equal "$(names --key 4660)" "$set_name"
	assert_equal "$(names --key 0xffffff00)" "$high"
	assert_equal "$(names --key=-256)" "$high"
	assert_equal "$(names --key 1)" ""
	local text
	for text in 0x 1x 4294967296 99999999999999999999 ""; do
		run semctl-cli list --key "$text"
		assert_status 2
	done
}

@test "list --key: the grammar is that of names, and 0 finds private sets" {
	three
	semctl-cli create -q key:8
	semctl-cli create -q key:10
	private=$(semctl-cli create private --plain -o object)
	assert_equal "$(names --key key:0x1234)" "$set_name"
	assert_equal "$(names --key key:8)" "$(names --key 8)"
	assert_match '^id:' "$(names --key key:8)"
	assert_equal "$(names --key 0)" "$private"
	assert_equal "$(names --key key:0)" "$private"
	local text
	run --separate-stderr semctl-cli info key:010
	[[ $stderr == "semctl-cli info: key:010: "* ]]
	local words=${stderr#semctl-cli info: key:010: }
	for text in 010 key:010; do
		run --separate-stderr semctl-cli list --key "$text"
		assert_status 2
		assert_equal "$stderr" "semctl-cli list: --key: \"$text\": $words"
	done
	for text in key: key:key:8 key:8#0 key:-256 id:8 ftok:/; do
		run semctl-cli list --key "$text"
		assert_status 2
	done
}

@test "list --older-than: by the last use that is known" {
	three
	assert_equal "$(names --older-than 0)" "/jobs /old $set_name"
	assert_equal "$(names --older-than 1h)" /old
	assert_equal "$(names --older-than 119m)" /old
	assert_equal "$(names --older-than 121m)" ""
	assert_equal "$(names --older-than inf)" ""
	local text
	for text in 5sfoo "" -1 99999999999999999999 1x; do
		run semctl-cli list --older-than "$text"
		assert_status 2
		run semctl-cli list --older-than="$text"
		assert_status 2
	done
}

@test "list --orphans: what nobody uses, however young; not what is waited on or open" {
	three
	semctl-cli create /waited >/dev/null
	start semctl-cli wait /waited
	wait_until 5 blocked_in "$pid" futex
	assert_equal "$(names --orphans)" "/jobs /old $set_name"
	assert_equal "$(names --orphans --older-than 1h)" /old
}

@test "list --sort, --reverse: any column, numbers as numbers, unknown last" {
	three
	semctl-cli create /ten --value 10 >/dev/null
	assert_equal "$(names --backend posix --sort value)" "/jobs /old /ten"
	assert_equal "$(names --backend posix --sort value --reverse)" "/ten /old /jobs"
	assert_equal "$(names --backend posix --sort mtime | cut -d' ' -f1)" /old
	assert_equal "$(names --sort name --reverse)" "$set_name /ten /old /jobs"
	assert_equal "$(names --sort key)" "$set_name /jobs /old /ten"
	assert_equal "$(names --sort key --reverse)" "$set_name /jobs /old /ten"
	assert_equal "$(names --reverse)" "$set_name /ten /old /jobs"
	assert_equal "$(names --backend posix --sort mode)" "/old /ten /jobs"
	run semctl-cli list --sort colour
	assert_status 2
}

@test "list: filters narrow together" {
	three
	assert_equal "$(names --backend posix --name '*o*' --owner root --older-than 1h)" /old
	assert_equal "$(names --backend posix --key 0x1234)" ""
}

@test "list: many objects are all shown, once" {
	local i
	for i in {1..300}; do
		cp /dev/shm/sem.1 "/dev/shm/sem.$i" 2>/dev/null || semctl-cli create "/$i" >/dev/null
	done
	run semctl-cli list
	json '[.semaphores[].name] | length == 300 and (unique | length) == 300'
	assert_equal "$(names --sort name)" "$(printf '/%s\n' {1..300} | LC_ALL=C sort | paste -sd ' ')"
}

@test "list: works where IPC_INFO and IPC_STAT are refused" {
	three
	semctl-cli chmod "$set_name" 0
	run as_unprivileged semctl-cli list --backend sysv
	assert_status 0
	json '.semaphores[0] | .key == 4660 and .nsems == 2 and .mode == "0000" and .semaphores == null and
		.unreadable.semaphores == "EACCES" and .waiters == null'
}

@test "list: without /dev/shm the sets are listed, and the mount is named" {
	three
	run --separate-stderr unshare -m bash -c 'mount -t tmpfs none /dev && semctl-cli list'
	assert_status 0
	json --arg set "$set_name" '[.semaphores[].name] == [$set]'
	assert_stderr '/dev/shm is missing.*mount -t tmpfs'
}

@test "list: a /dev/shm that may not be read is told" {
	three
	chmod 0333 /dev/shm
	run --separate-stderr as_unprivileged semctl-cli list
	chmod 1777 /dev/shm
	assert_status 0
	json --arg set "$set_name" '[.semaphores[].name] == [$set]'
	assert_stderr '/dev/shm: permission denied'
}

@test "list: operands, unknown options and formats are status 2" {
	run semctl-cli list /jobs
	assert_status 2
	run --separate-stderr semctl-cli list --backen posix
	assert_status 2
	assert_stderr 'did you mean --backend'
	IPCKIT_FORMAT=xml run semctl-cli list
	assert_status 2
}

@test "list: IPCKIT_FORMAT sets the default, options go before it, quiet prints nothing" {
	three
	IPCKIT_FORMAT=plain run semctl-cli list -o value --name /jobs
	assert_output 3
	IPCKIT_FORMAT=plain run semctl-cli list -o value --name /jobs --json
	assert_output '{"semaphores":[{"value":3}]}'
	run semctl-cli list -q
	assert_status 0
	assert_output ""
}

@test "list: output that cannot be written is status 8" {
	three
	run bash -c 'semctl-cli list >/dev/full'
	assert_status 8
	assert_match 'no space left'
	run bash -c 'semctl-cli list >&-'
	assert_status 8
}
