# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load queues

queues_peer=$peers/queues

# told NAME KEY: one number of the output.
told()
{
	json_get --arg name "$1" --arg key "$2" '.limits[] | select(.name == $name) | .[$key]'
}

# ipcs_says OPTION TEXT: the number that ipcs gives after it, or before it.
ipcs_says()
{
	ipcs -q "$1" | sed -n "s/^$2[^=]*= //p"
}

@test "limits: the values are those of /proc/sys, of getrlimit(2) and of ipcs -l" {
	local name
	run mqtool limits
	assert_status 0
	for name in fs.mqueue.queues_max fs.mqueue.msg_max fs.mqueue.msg_default fs.mqueue.msgsize_max \
		fs.mqueue.msgsize_default kernel.msgmni kernel.msgmax kernel.msgmnb; do
		assert_equal "$(told "$name" value)" "$(<"/proc/sys/${name//.//}")" "$name"
	done
	assert_equal "$(told RLIMIT_MSGQUEUE value)" "$(ulimit -q)"
	assert_equal "$(told HARD_MSGMAX value)" 65536
	assert_equal "$(told HARD_MSGSIZEMAX value)" $((16 << 20))
	assert_equal "$(told kernel.msgmni value)" "$(ipcs_says -l 'max queues system wide')"
	assert_equal "$(told kernel.msgmax value)" "$(ipcs_says -l 'max size of message')"
	assert_equal "$(told kernel.msgmnb value)" "$(ipcs_says -l 'default max size of queue')"
}

@test "limits: what is in use, and per cent" {
	run mqtool limits
	assert_equal "$(told fs.mqueue.queues_max used)" 0
	assert_equal "$(told RLIMIT_MSGQUEUE used)" 0
	assert_equal "$(told kernel.msgmni used)" 0
	assert_equal "$(told kernel.msgmni percent)" 0
	limit kernel.msgmni 20
	limit fs.mqueue.queues_max 8
	mqtool create -q /a --maxmsg 2 --msgsize 100
	mqtool create -q /b --maxmsg 3 --msgsize 1
	mqtool create -q key:1
	mqtool create -q private
	mqtool create -q private
	run mqtool limits
	assert_equal "$(told kernel.msgmni used)" 3
	assert_equal "$(told kernel.msgmni used)" "$(ipcs -q -u | sed -n 's/^allocated queues = //p')"
	assert_equal "$(told kernel.msgmni percent)" 15
	assert_equal "$(told fs.mqueue.queues_max used)" 2
	assert_equal "$(told fs.mqueue.queues_max percent)" 25
	json '.limits | map(select(.used == null) | .name) == ["fs.mqueue.msg_max", "fs.mqueue.msg_default",
		"fs.mqueue.msgsize_max", "fs.mqueue.msgsize_default", "HARD_MSGMAX", "HARD_MSGSIZEMAX", "kernel.msgmax", "kernel.msgmnb"]'
	mqtool rm /a key:1
	run mqtool limits
	assert_equal "$(told kernel.msgmni used)" 2
	assert_equal "$(told fs.mqueue.queues_max used)" 1
}

@test "limits: RLIMIT_MSGQUEUE's use is what the kernel counts, and marked an estimate" {
	local used
	mqtool create -q /a --maxmsg 2 --msgsize 100
	mqtool create -q /b --maxmsg 3 --msgsize 1
	run mqtool limits
	json '[.limits[] | select(.estimate) | .name] == ["RLIMIT_MSGQUEUE"]'
	used=$(told RLIMIT_MSGQUEUE used)
	((used > 2 * 100 + 3)) || fail "no more than the messages' own bytes: $used"
	# With so much it can be made again, with a byte less not.
	mqtool rm /b
	run --separate-stderr prlimit --msgqueue=$((used - 1)): mqtool create /b --maxmsg 3 --msgsize 1
	assert_status 6
	json --argjson used "$used" --argjson a "$(mqtool limits | jq '.limits[0].used')" '.error.limit |
		.name == "RLIMIT_MSGQUEUE" and .value == $used - 1 and .used == $a and .needed == $used - $a'
	# Before Linux 5.14 those of the user's other runs count, too.
	wait_until 5 prlimit --msgqueue="$used": mqtool create -q /b --maxmsg 3 --msgsize 1
}

@test "limits: RLIMIT_MSGQUEUE that is unlimited has no value, and no per cent" {
	run prlimit --msgqueue=unlimited: mqtool limits
	[[ $status == 0 ]] || skip "it cannot be raised here"
	assert_equal "$(told RLIMIT_MSGQUEUE value)" null
	assert_equal "$(told RLIMIT_MSGQUEUE percent)" null
	assert_equal "$(told RLIMIT_MSGQUEUE used)" 0
}

@test "limits: lowered ones are told at once; below its use one has more than a hundred per cent" {
	mqtool create -q key:1
	mqtool create -q key:2
	mqtool create -q /a
	mqtool create -q /b
	limit kernel.msgmni 1
	limit fs.mqueue.queues_max 1
	limit fs.mqueue.msg_max 3
	limit kernel.msgmax 100
	limit kernel.msgmnb 200
	run mqtool limits
	assert_equal "$(told kernel.msgmni percent)" 200
	assert_equal "$(told fs.mqueue.queues_max percent)" 200
	assert_equal "$(told fs.mqueue.msg_max value)" 3
	assert_equal "$(told kernel.msgmax value)" 100
	assert_equal "$(told kernel.msgmnb value)" 200
}

# as_other COMMAND...: as an ordinary user in this IPC namespace.
as_other()
{
	setpriv --bounding-set=-all --inh-caps=-all "$@"
}

@test "limits: what they hold down: messages and sizes of new POSIX queues" {
	limit fs.mqueue.msg_max 3
	limit fs.mqueue.msgsize_max 150
	as_other mqtool create -q /fits --maxmsg 3 --msgsize 150
	run --separate-stderr as_other mqtool create /more --maxmsg 4 --msgsize 150
	assert_status 6
	assert_stderr 'HARD_MSGMAX|fs.mqueue.msg_max is 3'
	run --separate-stderr as_other mqtool create /more --maxmsg 3 --msgsize 151
	assert_status 6
	assert_stderr 'HARD_MSGSIZEMAX|fs.mqueue.msgsize_max is 150'
	# Defaults are cut down to them.
	limit fs.mqueue.msg_default 10
	as_other mqtool create -q /default
	assert_equal "$(mqtool info /default --plain -o maxmsg)" 3
}

@test "limits: what they hold down: the number of queues" {
	mqtool create -q /a
	mqtool create -q key:1
	limit fs.mqueue.queues_max 1
	limit kernel.msgmni 1
	run --separate-stderr as_other mqtool create /b
	assert_status 6
	json '.error.code == "ENOSPC" and .error.limit == {name: "fs.mqueue.queues_max", value: 1, used: 1}'
	run --separate-stderr mqtool create key:2
	assert_status 6
	json '.error.code == "ENOSPC" and .error.limit == {name: "kernel.msgmni", value: 1, used: 1}'
	limit kernel.msgmni 2
	mqtool create -q key:2
}

@test "limits: what they hold down: System V messages and queues" {
	limit kernel.msgmax 100
	limit kernel.msgmnb 200
	mqtool create -q key:1
	assert_equal "$(mqtool info key:1 --plain -o qbytes)" 200
	mqtool send key:1 "$(printf '%0100d' 0)"
	run --separate-stderr mqtool send key:1 "$(printf '%0101d' 0)" --json
	assert_status 6
	json '.error.limit | .name == "kernel.msgmax" and .value == 100 and .needed == 101'
	assert_count key:1 1
}

@test "limits: without /dev/mqueue, or with another's, the use of POSIX queues is unknown, and the rest is told" {
	mqtool create -q /a
	mqtool create -q key:1
	run unshare -m bash -c 'umount /dev/mqueue && mqtool limits'
	assert_status 0
	assert_equal "$(told fs.mqueue.queues_max used)" null
	assert_equal "$(told RLIMIT_MSGQUEUE used)" null
	assert_equal "$(told kernel.msgmni used)" 1
	run unshare -i mqtool limits
	assert_equal "$(told fs.mqueue.queues_max used)" null
	assert_equal "$(told kernel.msgmni used)" 0
}

@test "limits: without /proc the values of sysctls are unknown" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	run unshare -m bash -c 'mount -t tmpfs none /proc && mqtool limits'
	assert_status 0
	assert_equal "$(told fs.mqueue.msg_max value)" null
	assert_equal "$(told kernel.msgmni percent)" null
	assert_equal "$(told HARD_MSGMAX value)" 65536
}

@test "limits: many queues" {
	limit kernel.msgmni 400
	"$queues_peer" many 300
	run mqtool limits
	assert_equal "$(told kernel.msgmni used)" 300
	assert_equal "$(told kernel.msgmni percent)" 75
}

@test "limits: JSON types" {
	run mqtool limits
	json '.limits | all(keys == ["estimate", "name", "percent", "unit", "used", "value", "what"])'
	json '.limits | all((.value | type) == "number" and ((.used | type) == "number" or .used == null) and
		((.percent | type) == "number" or .percent == null) and (.estimate | type) == "boolean" and
		(.unit | type) == "string" and (.what | type) == "string" and (.used == null) == (.percent == null))'
	json '[.limits[].name] == ["RLIMIT_MSGQUEUE", "fs.mqueue.queues_max", "fs.mqueue.msg_max", "fs.mqueue.msg_default",
		"fs.mqueue.msgsize_max", "fs.mqueue.msgsize_default", "HARD_MSGMAX", "HARD_MSGSIZEMAX", "kernel.msgmni",
		"kernel.msgmax", "kernel.msgmnb"]'
}

@test "limits: table, plain and columns" {
	run mqtool limits --table
	assert_match '^LIMIT +VALUE +USED +USE% +UNIT +BOUNDS'
	run mqtool limits --plain -o name,value
	assert_match $'(^|\n)HARD_MSGMAX\t65536\n'
	run mqtool limits -o nothing
	assert_status 2
	run mqtool limits --columns help
	assert_match 'percent +'
}

@test "limits: works without any privilege" {
	run as_unprivileged mqtool limits
	assert_status 0
	assert_equal "$(told kernel.msgmax value)" "$(</proc/sys/kernel/msgmax)"
}

@test "limits: operands are status 2, output that cannot be written is 8" {
	run mqtool limits /jobs
	assert_status 2
	run bash -c 'mqtool limits >/dev/full'
	assert_status 8
}
