# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load queues

queues_peer=$IPCKIT_BUILD/tests/peers/queues

# three: two POSIX queues and one of System V, the second one two hours old.
three()
{
	mqtool create -q /jobs --maxmsg 5 --msgsize 128 --mode 0640
	mqtool create -q /old
	mqtool create -q key:0x1234 --qbytes 1000
	mqtool send /jobs a bb --priority 3
	mqtool send key:0x1234 xyz
	touch -d '2 hours ago' /dev/mqueue/old
	queue_name=id:$("$msg_peer" get 0x1234)
}

# names ARG...: what list with these arguments shows, on one line.
names()
{
	mqtool list --plain -o name "$@" | paste -sd ' '
}

@test "list: nothing there is an empty array, no rows, and success" {
	local format
	run --separate-stderr mqtool list
	assert_status 0
	assert_output '{"queues":[]}'
	assert_equal "$stderr" ""
	for format in --plain --table; do
		run mqtool list "$format"
		assert_status 0
		assert_output ""
	done
}

@test "list: each queue has the keys of its backend, numbers are numbers" {
	three
	run mqtool list
	assert_status 0
	json --arg queue "$queue_name" '[.queues[].name] == ["/jobs", "/old", $queue]'
	json '.queues[0] | keys == (["backend", "name", "bytes", "curmsgs", "maxmsg", "msgsize", "waiters", "mode", "uid",
		"user", "gid", "group", "notify", "notify_signal", "notify_pid", "ctime", "mtime", "atime"] | sort)'
	json '.queues[0] | .backend == "posix" and .bytes == 3 and .curmsgs == 2 and .maxmsg == 5 and .msgsize == 128 and
		.waiters == 0 and .mode == "0640" and .uid == 0 and .user == "root" and .gid == 0 and .group == "root" and
		.notify == "none" and .notify_signal == 0 and .notify_pid == 0'
	json --argjson now "$EPOCHSECONDS" '.queues[0] | [.ctime, .mtime, .atime] | all(. > $now - 60 and . <= $now)'
	json '.queues[2] | keys == (["backend", "name", "key", "id", "qnum", "cbytes", "qbytes", "waiters", "mode", "uid",
		"user", "gid", "group", "cuid", "cgid", "lspid", "lrpid", "stime", "rtime", "ctime"] | sort)'
	json '.queues[2] | .backend == "sysv" and .key == 4660 and .qnum == 1 and .cbytes == 3 and .qbytes == 1000 and
		.waiters == 0 and .mode == "0600" and .uid == 0 and .cuid == 0 and .cgid == 0 and .lspid > 0 and
		.lrpid == 0 and .stime > 0 and .rtime == 0 and .ctime > 0'
	assert_equal "${#lines[@]}" 1 "lines"
}

# ipcs_rows: key, id, user, mode, bytes, messages of each, as ipcs has them.
ipcs_rows()
{
	local key rest
	ipcs -q | while read -r key rest; do
		# shellcheck disable=SC2086 # without the blanks at its end
		[[ $key != 0x* ]] || echo "$((key))" $rest
	done
}

@test "list: System V queues are those of ipcs -q, with the same numbers" {
	local i ours
	for i in {1..5}; do
		mqtool create -q "key:$i" --mode "06${i}0"
		((i == 1)) || mqtool send "key:$i" "$(printf "%0${i}d" 0)" second
	done
	mqtool create -q private
	mqtool rm key:3
	ours=$(mqtool list --backend sysv |
		jq -r '.queues[] | [.key, .id, .user, (.mode | ltrimstr("0")), .cbytes, .qnum] | join(" ")' | sort)
	assert_equal "$ours" "$(ipcs_rows | sort)" "queues"
	assert_equal "$(wc -l <<<"$ours")" 5
}

@test "list: POSIX queues are the files of /dev/mqueue, with what they say" {
	local i name qsize
	for i in {1..5}; do
		mqtool create -q "/q$i"
		mqtool send "/q$i" "$(printf "%0${i}d" 0)" second
	done
	"$mq_peer" create /peers 7 99 0600
	"$mq_peer" send /peers 1 one two three
	"$mq_peer" unlink /q3
	run mqtool list --backend posix
	assert_equal "$(json_get '.queues[].name')" "$(cd /dev/mqueue && printf '/%s\n' *)" "queues"
	json '.queues | map(select(.name == "/peers")) | .[0].maxmsg == 7 and .[0].msgsize == 99 and .[0].curmsgs == 3'
	for name in q1 q2 q4 q5 peers; do
		read -r qsize _ <"/dev/mqueue/$name"
		json --arg name "/$name" --argjson bytes "${qsize#QSIZE:}" '.queues | any(.name == $name and .bytes == $bytes)'
		assert_equal "$(json_get --arg name "/$name" '.queues[] | select(.name == $name) | "\(.maxmsg) \(.msgsize) \(.curmsgs)"')" \
			"$("$mq_peer" stat "/$name")" "$name"
	done
}

@test "list: names with odd characters, and hidden ones" {
	local name
	for name in '/sp ace' $'/new\nline' '/ümlaut' '/-dash' '/%s' '/"q"' /.hidden; do
		mqtool create -q "$name"
		run mqtool list --name "$name"
		json --arg name "$name" '[.queues[].name] == [$name]'
		mqtool rm "$name"
	done
	name=$'/no\377utf8'
	mqtool create -q "$name"
	run mqtool list
	json '.queues | length == 1'
	assert_equal "$(mqtool list --plain -o name)" "$name"
}

@test "list: the table has headings, hex keys, human sizes, user names and ages, and is not cut" {
	local name
	three
	name=/$(printf 'x%.0s' {1..200})
	mqtool create -q "$name" --msgsize 4K
	COLUMNS=40 run mqtool list --table
	assert_status 0
	assert_match '^BACKEND +NAME +KEY +MESSAGES +BYTES +MAXMSG +MSGSIZE +QBYTES +WAITERS +MODE +USER +NOTIFY +STIME +RTIME'
	assert_match 0x00001234
	assert_match ' root '
	assert_match ' 4K '
	assert_match '[0-9]s ago +never'
	assert_match "$name"
	assert_equal "${#lines[@]}" 5 "lines"
	run mqtool list --table --bytes
	assert_match ' 4096 '
}

@test "list: plain has TABs, no headings, and - for what does not apply" {
	three
	run mqtool list --plain -o name,key,messages,bytes,maxmsg,qbytes,curmsgs,qnum
	assert_equal "${lines[0]}" $'/jobs\t-\t2\t3\t5\t-\t2\t-'
	assert_equal "${lines[2]}" "$queue_name"$'\t0x00001234\t1\t3\t-\t1000\t-\t1'
	assert_equal "${#lines[@]}" 3
}

@test "list: --columns picks and orders in every format, help lists all" {
	local column
	three
	run mqtool list -o qnum,curmsgs,name
	json '.queues[0] | keys_unsorted == ["curmsgs", "name"]'
	json '.queues[2] | keys_unsorted == ["qnum", "name"]'
	run mqtool list -o messages,name
	json '.queues | map(.messages) == [2, 0, 1]'
	run mqtool list -o name,backend --table
	assert_match '^NAME +BACKEND'
	run mqtool list -o backend,name --plain
	assert_equal "${lines[0]}" $'posix\t/jobs'
	run mqtool list --columns help
	assert_status 0
	for column in backend name key id messages bytes curmsgs qnum cbytes maxmsg msgsize qbytes waiters mode uid user gid \
		group cuid cgid notify notify_signal notify_pid lspid lrpid stime rtime ctime mtime atime unreadable; do
		assert_match $'(^|\n)'"$column +[A-Za-z]"
	done
	run --separate-stderr mqtool list -o name,colour
	assert_status 2
	assert_stderr 'no column "colour"'
	json '.error | .code == "USAGE" and .exit == 2 and .object == "--columns"'
	run mqtool list -o users
	assert_status 2
}

# ---- filters ----

@test "list --backend: that backend alone; what cannot be listed is status 2" {
	local word
	three
	assert_equal "$(names --backend posix)" "/jobs /old"
	assert_equal "$(names --backend sysv)" "$queue_name"
	for word in eventfd file mqueue POSIX system5 ""; do
		run mqtool list --backend "$word"
		assert_status 2
	done
}

@test "list --name: as a glob, of the whole name" {
	three
	mqtool create -q '/j*'
	assert_equal "$(names --name '/j*')" '/j* /jobs'
	assert_equal "$(names --name '/j\*')" '/j*'
	assert_equal "$(names --name '/[no]l?')" /old
	assert_equal "$(names --name 'id:*')" "$queue_name"
	assert_equal "$(names --name jobs)" ""
	assert_equal "$(names --name '/job')" ""
}

@test "list --owner: a name or a number; one that is nobody's shows nothing" {
	three
	assert_equal "$(names --owner root)" "/jobs /old $queue_name"
	assert_equal "$(names --owner 0)" "/jobs /old $queue_name"
	assert_equal "$(names --owner 12345)" ""
	run mqtool list --owner no-such-user
	assert_status 2
	run mqtool list --owner root:root
	assert_status 2
}

@test "list --key: decimal, hex, either spelling of the upper half, and 0 for private ones" {
	local high private text
	three
	mqtool create -q key:0xffffff00
	high=id:$("$msg_peer" get 0xffffff00)
	private=$(mqtool create private --plain -o object)
	assert_equal "$(names --key 0x1234)" "$queue_name"
	assert_equal "$(names --key 4660)" "$queue_name"
	assert_equal "$(names --key key:0x1234)" "$queue_name"
	assert_equal "$(names --key 0xffffff00)" "$high"
	assert_equal "$(names --key=-256)" "$high"
	assert_equal "$(names --key 0)" "$private"
	assert_equal "$(names --key 1)" ""
	for text in 0x 1x 4294967296 99999999999999999999 "" id:8 ftok:/; do
		run mqtool list --key "$text"
		assert_status 2
	done
}

@test "list --older-than: by the last use that is known" {
	local text
	three
	assert_equal "$(names --older-than 0)" "/jobs /old $queue_name"
	assert_equal "$(names --older-than 1h)" /old
	assert_equal "$(names --older-than 119m)" /old
	assert_equal "$(names --older-than 121m)" ""
	assert_equal "$(names --older-than inf)" ""
	# Looking is no use: only messages are.
	mqtool list >/dev/null
	mqtool info /old >/dev/null
	assert_equal "$(names --older-than 1h)" /old
	mqtool send /old text
	assert_equal "$(names --older-than 1h)" ""
	for text in 5sfoo "" -1 99999999999999999999 1x; do
		run mqtool list --older-than="$text"
		assert_status 2
	done
}

@test "list --orphans: what nobody uses and nothing is in, however young" {
	three
	mqtool create -q /waited
	mqtool create -q private
	mqtool send "$(names --key 0)" text
	mqtool recv -q "$(names --key 0)"
	start_waiter recv /waited
	assert_equal "$(names --orphans)" "/old $(names --key 0)"
	assert_equal "$(names --orphans --older-than 1h)" /old
}

@test "list --sort, --reverse: any column, numbers as numbers, unknown last" {
	three
	mqtool create -q /ten --maxmsg 10
	mqtool create -q /nine --maxmsg 9
	assert_equal "$(names --name '/[jnt]*' --sort maxmsg)" "/jobs /nine /ten"
	assert_equal "$(names --name '/[jnt]*' --sort maxmsg --reverse)" "/ten /nine /jobs"
	assert_equal "$(names --sort messages --reverse | cut -d' ' -f1,2)" "/jobs $queue_name"
	assert_equal "$(names --backend posix --sort mtime | cut -d' ' -f1)" /old
	assert_equal "$(names --sort name --reverse)" "$queue_name /ten /old /nine /jobs"
	assert_equal "$(names --sort key | cut -d' ' -f1)" "$queue_name"
	assert_equal "$(names --sort key --reverse | cut -d' ' -f1)" "$queue_name"
	assert_equal "$(names --reverse)" "$queue_name /ten /old /nine /jobs"
	run mqtool list --sort colour
	assert_status 2
}

@test "list: filters narrow together" {
	three
	assert_equal "$(names --backend posix --name '*o*' --owner root --older-than 1h)" /old
	assert_equal "$(names --backend posix --key 0x1234)" ""
}

# ---- what cannot be told ----

@test "list: a queue that may not be opened is there, with nulls and the reason" {
	mqtool create -q /closed --mode 0
	mqtool create -q /open --maxmsg 6
	run as_unprivileged mqtool list --backend posix
	assert_status 0
	json '[.queues[].name] == ["/closed", "/open"]'
	json '.queues[0] | .mode == "0000" and .uid == 0 and (.mtime | type) == "number" and
		([.curmsgs, .bytes, .maxmsg, .msgsize, .notify, .notify_signal, .notify_pid] | all(. == null)) and
		(.unreadable | (.bytes, .maxmsg, .msgsize, .notify, .notify_signal, .notify_pid) == "EACCES")'
	json '.queues[1] | .curmsgs == 0 and .maxmsg == 6 and .notify == "none"'
	assert_equal "$(as_unprivileged mqtool list --plain -o name,messages,maxmsg | head -n 1)" $'/closed\t-\t-'
	run as_unprivileged mqtool list --backend posix --table
	assert_match '/closed +- +- +- +-'
}

@test "list: of a queue that may only be written to, what its attributes tell" {
	mqtool create -q /drop --mode 0200 --maxmsg 3
	mqtool send /drop text
	run as_unprivileged mqtool list
	assert_status 0
	json '.queues[0] | .maxmsg == 3 and .curmsgs == 1 and .notify == null and .bytes == null and
		.unreadable.notify == "EACCES" and (.unreadable | has("maxmsg") | not)'
}

@test "list: a System V queue that may not be read is whole all the same" {
	mqtool create -q key:7 --qbytes 500
	mqtool send key:7 text
	mqtool set key:7 --mode 0
	run as_unprivileged mqtool list
	assert_status 0
	json '.queues[0] | .key == 7 and .mode == "0000" and .qnum == 1 and .cbytes == 4 and .stime > 0'
}

@test "list: what is no queue is left out, and counted with --verbose" {
	mqtool create -q /jobs
	mqtool create -q /covered
	touch "$TMPDIR/file"
	run --separate-stderr unshare -m bash -c 'mount --bind "$1" /dev/mqueue/covered && mqtool list -o name && mqtool list -v -q' \
		bash "$TMPDIR/file"
	assert_status 0
	assert_output '{"queues":[{"name":"/jobs"}]}'
	assert_equal "$stderr" "mqtool list: 1 entry of /dev/mqueue left out: no queues"
}

# ---- mounts ----

@test "list: without /dev/mqueue the System V ones are listed, and the mount is named" {
	local how
	three
	for how in 'umount /dev/mqueue' 'mount -t tmpfs none /dev' 'mount -t tmpfs none /dev/mqueue'; do
		run --separate-stderr unshare -m bash -c "$how && mqtool list"
		assert_status 0
		json --arg queue "$queue_name" '[.queues[].name] == [$queue]'
		assert_equal "$stderr" "mqtool list: warning: /dev/mqueue is missing, so no POSIX queues: mkdir -p /dev/mqueue && mount -t mqueue mqueue /dev/mqueue"
	done
	# That command mends it.
	run --separate-stderr unshare -m bash -c 'umount /dev/mqueue && mkdir -p /dev/mqueue && mount -t mqueue mqueue /dev/mqueue &&
		mqtool list -o name'
	json --arg queue "$queue_name" '[.queues[].name] == ["/jobs", "/old", $queue]'
	assert_equal "$stderr" ""
}

@test "list: the mount of another IPC namespace is said to be one, and its queues are not listed" {
	three
	run --separate-stderr unshare -i bash -c 'mqtool create -q key:5 && mqtool create -q /mine && mqtool list'
	assert_status 0
	json '[.queues[].key] == [5]'
	assert_equal "$stderr" "mqtool list: warning: /dev/mqueue is the mount of another IPC namespace, so no POSIX queues: mount -t mqueue mqueue /dev/mqueue"
	# One of the same name in both is told from the mount's.
	run --separate-stderr unshare -i bash -c 'mqtool create -q /jobs && mqtool list'
	assert_output '{"queues":[]}'
	assert_stderr 'another IPC namespace'
	run --separate-stderr unshare -im bash -c 'mount -t mqueue mqueue /dev/mqueue && mqtool create -q /mine && mqtool list -o name'
	assert_output '{"queues":[{"name":"/mine"}]}'
	assert_equal "$stderr" ""
	# Of an empty one the kernel tells whose it is.
	mqtool rm /jobs /old
	run --separate-stderr unshare -i mqtool list
	assert_output '{"queues":[]}'
	assert_stderr 'another IPC namespace'
}

@test "list: a /dev/mqueue that may not be read is told" {
	three
	chmod 0333 /dev/mqueue
	run --separate-stderr as_unprivileged mqtool list
	chmod 1777 /dev/mqueue
	assert_status 0
	json --arg queue "$queue_name" '[.queues[].name] == [$queue]'
	assert_stderr '/dev/mqueue: permission denied'
}

@test "list: without /proc the POSIX ones are listed" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	three
	run --separate-stderr unshare -m bash -c 'mount -t tmpfs none /proc && mqtool list'
	assert_status 0
	json '[.queues[].name] == ["/jobs", "/old"]'
	json '.queues[0] | .curmsgs == 2 and .waiters == null and .unreadable.users == "ENOENT"'
	assert_stderr '/proc/sysvipc/msg'
}

# ---- many ----

@test "list: 10,000 System V queues are all there, once" {
	limit kernel.msgmni 10100
	"$queues_peer" many 10000
	run mqtool list --backend sysv
	assert_status 0
	json '[.queues[].id] | length == 10000 and (unique | length) == 10000'
	assert_equal "$(mqtool list --plain -o id | sort -n | md5sum)" \
		"$(ipcs -q | awk '/^0x/ { print $2 }' | sort -n | md5sum)" "identifiers"
	mqtool list --table >/dev/null
	assert_equal "$(mqtool list --older-than 0 --sort id --reverse --plain -o name | wc -l)" 10000
}

@test "list: while queues come and go" {
	local worker rounds=150
	[[ ${IPCKIT_LONG:-} ]] || ! is_sanitized || rounds=40
	mqtool create -q /stays
	ROUNDS=$rounds start bash -c 'for ((i = 0; i < ROUNDS; i++)); do mqtool create -q /goes && mqtool create -q key:5; mqtool rm -f /goes key:5; done'
	worker=$pid
	until gone "$worker"; do
		run --separate-stderr mqtool list --json
		assert_status 0
		assert_equal "$stderr" ""
		json '(.queues | any(.name == "/stays")) and (.queues | length <= 3)'
	done
	finish "$worker"
	assert_status 0
}

# ---- usage ----

@test "list: operands, unknown options and formats are status 2" {
	run mqtool list /jobs
	assert_status 2
	run --separate-stderr mqtool list --backen posix
	assert_status 2
	assert_stderr 'did you mean --backend'
	IPCKIT_FORMAT=xml run mqtool list
	assert_status 2
}

@test "list: IPCKIT_FORMAT sets the default, quiet prints nothing" {
	three
	IPCKIT_FORMAT=plain run mqtool list -o messages --name /jobs
	assert_output 2
	IPCKIT_FORMAT=plain run mqtool list -o curmsgs --name /jobs --json
	assert_output '{"queues":[{"curmsgs":2}]}'
	run mqtool list -q
	assert_status 0
	assert_output ""
}

@test "list: output that cannot be written is status 8" {
	three
	run bash -c 'mqtool list >/dev/full'
	assert_status 8
	assert_match 'no space left'
	run bash -c 'mqtool list >&-'
	assert_status 8
}
