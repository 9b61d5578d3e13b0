# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool create: queues that other programs see as they were asked for, and every reason why
# there is none.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load queues

# refused STATUS CODE ARG...: `create` ends so, in words and in JSON, which is in $output then.
refused()
{
	run --separate-stderr mqtool create "${@:3}"
	assert_status "$1"
	json --arg code "$2" --argjson status "$1" '.error | .code == $code and .exit == $status and .verb == "create"'
	assert_stderr '^mqtool create: '
}

# ---- what it is for ----

@test "a POSIX queue of the kernel's defaults" {
	large_queues
	run --separate-stderr mqtool create /jobs
	assert_status 0
	assert_equal "$stderr" ""
	json '. == {object: "/jobs", backend: "posix", maxmsg: 10, msgsize: 8192, created: true}'
	run "$mq_peer" stat /jobs
	assert_output "10 8192 0"
	assert_equal "$(stat -c %a /dev/mqueue/jobs)" 600
}

@test "the defaults are those that the kernel has now" {
	limit fs.mqueue.msg_default 3
	limit fs.mqueue.msgsize_default 128
	mqtool create -q /jobs
	run "$mq_peer" stat /jobs
	assert_output "3 128 0"
	mqtool create -q /half --maxmsg 5
	run "$mq_peer" stat /half
	assert_output "5 128 0"
	mqtool create -q /other --msgsize 64
	run "$mq_peer" stat /other
	assert_output "3 64 0"
}

@test "a POSIX queue of a geometry" {
	run mqtool create /jobs --maxmsg 7 --msgsize 4K
	assert_status 0
	json '.maxmsg == 7 and .msgsize == 4096'
	run "$mq_peer" stat /jobs
	assert_output "7 4096 0"
	mqtool create -q /least -n 1 -s 1
	run "$mq_peer" stat /least
	assert_output "1 1 0"
}

@test "a System V queue, with and without a qbytes" {
	run --separate-stderr mqtool create key:0x77
	assert_status 0
	json --argjson id "$("$msg_peer" get 0x77)" \
		'. == {object: "key:0x77", backend: "sysv", id: $id, qbytes: 16384, created: true}'
	run "$msg_peer" stat "$("$msg_peer" get 0x77)"
	assert_match "^119 0600 0 0 0 0 0 16384 0 0 0 0 [0-9]{10,}$"
	run mqtool create key:120 --qbytes 2K
	json '.qbytes == 2048 and .created'
	run "$msg_peer" stat "$("$msg_peer" get 120)"
	assert_match "^120 0600 0 0 0 0 0 2048 "
	[[ $(ipcs -q) =~ 0x00000077[[:blank:]]+[0-9]+.*600 ]]
}

@test "private, and --unique: under a name that nobody has, and that is printed" {
	run mqtool create private
	assert_status 0
	first=$(json_get .object)
	assert_match '^id:[0-9]+$' "$first"
	json '"id:\(.id)" == .object'
	run mqtool create private --plain -o object
	[[ $output != "$first" ]]
	mqtool send "$output" here
	assert_texts "$output" here
	run "$msg_peer" stat "${first#id:}"
	assert_match '^0 0600 '
	run mqtool create --unique /jobs --plain -o object,created
	assert_match '^/jobs\.[a-z0-5]{10}	true$'
	name=${output%	*}
	"$mq_peer" stat "$name"
	run mqtool create --unique /jobs --plain -o object
	[[ $output != "$name" ]]
}

@test "a name that could not be printed is no queue's" {
	mqtool create private >/dev/full || status=$?
	assert_status 8
	mqtool create --unique /jobs >/dev/full || status=$?
	assert_status 8
	assert_equal "$(find /dev/mqueue -type f)" ""
	assert_equal "$(mqtool list --plain)" ""
}

@test "a key of a file" {
	echo >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr mqtool create "ftok:$BATS_TEST_TMPDIR/file,3"
	assert_status 0
	assert_equal "$stderr" ""
	json .created
	mqtool send "ftok:$BATS_TEST_TMPDIR/file,3" here
	assert_texts "key:$(mqtool ftok "$BATS_TEST_TMPDIR/file" --proj 3 --plain -o key)" here
	run --separate-stderr mqtool create "ftok:$BATS_TEST_TMPDIR/file,3"
	assert_status 0
	json '.created | not'
	assert_stderr 'holds 16 bits of the inode and 8 of the device, so another file may share it'
}

# ---- what exists ----

@test "what exists is opened and left alone" {
	"$mq_peer" create /jobs 4 32 640
	"$mq_peer" send /jobs 3 kept
	run --separate-stderr mqtool create /jobs --mode 0600
	assert_status 0
	assert_equal "$stderr" ""
	json '. == {object: "/jobs", backend: "posix", maxmsg: 4, msgsize: 32, created: false}'
	assert_equal "$(stat -c %a /dev/mqueue/jobs)" 640
	run mqtool create /jobs --maxmsg 4 --msgsize 32
	json '.created | not'
	run "$mq_peer" receive /jobs 1
	assert_output "3 kept"
	id=$("$msg_peer" create 77 640)
	"$msg_peer" qbytes "$id" 5000
	"$msg_peer" send "$id" 9 kept
	run mqtool create key:77
	assert_status 0
	json --argjson id "$id" '. == {object: "key:77", backend: "sysv", id: $id, qbytes: 5000, created: false}'
	run mqtool create key:77 --qbytes 5000
	json '.created | not'
	run "$msg_peer" stat "$id"
	assert_match '^77 0640 0 0 0 0 1 5000 '
}

@test "of another geometry: status 7, and it is left alone" {
	mqtool create -q /jobs --maxmsg 4 --msgsize 32
	refused 7 EBADMSG /jobs --maxmsg 5
	refused 7 EBADMSG /jobs --msgsize 33
	refused 7 EBADMSG /jobs --maxmsg 4 --msgsize 31
	assert_stderr '/jobs: .*another maxmsg or msgsize'
	run "$mq_peer" stat /jobs
	assert_output "4 32 0"
	mqtool create -q key:77
	refused 7 EBADMSG key:77 --qbytes 100
	assert_stderr 'key:77: .*another qbytes'
	run "$msg_peer" stat "$("$msg_peer" get 77)"
	assert_match '^77 0600 0 0 0 0 0 16384 '
}

@test "--exclusive: status 4 where there is one" {
	for object in /jobs key:77; do
		mqtool create -q "$object" -x
		refused 4 EEXIST "$object" --exclusive
		json --arg object "$object" '.error.object == $object'
		refused 4 EEXIST "$object" -x
	done
}

# ---- modes ----

@test "the mode is exactly the one asked for, whatever the umask" {
	for mask in 000 022 077 777; do
		for mode in 0600 0666 0620 0004 0777 0000; do
			(umask "$mask" && mqtool create -q /jobs -m "$mode" && mqtool create -q key:77 -m "$mode")
			assert_equal "0$(stat -c %03a /dev/mqueue/jobs)" "$mode" "mode under umask $mask"
			id=$("$msg_peer" get 77)
			assert_equal "$(mqtool list --plain --backend sysv -o mode)" "$mode" "mode under umask $mask"
			"$mq_peer" unlink /jobs
			"$msg_peer" rm "$id"
		done
	done
	(umask 077 && mqtool create -q /jobs -m u=rw,g=w,o=r)
	assert_equal "$(stat -c %a /dev/mqueue/jobs)" 624
}

# ---- limits ----

@test "more messages or larger ones than an ordinary queue may have" {
	refused 6 EINVAL /jobs --maxmsg 11
	json '.error.limit == {name: "fs.mqueue.msg_max", value: 10, used: null, needed: 11}'
	assert_stderr '/jobs: .*fs\.mqueue\.msg_max is 10 messages, 11 needed'
	refused 6 EINVAL /jobs --msgsize 8193
	json '.error.limit == {name: "fs.mqueue.msgsize_max", value: 8192, used: null, needed: 8193}'
	limit fs.mqueue.msg_max 12
	limit fs.mqueue.msgsize_max 9000
	mqtool create -q /jobs --maxmsg 12 --msgsize 9000
	refused 6 EINVAL /more --maxmsg 13
	json '.error.limit.value == 12'
	refused 6 EINVAL /more --maxmsg 9223372036854775807
	refused 6 EINVAL /more --msgsize 9000000000000000000
	assert_equal "$(find /dev/mqueue -type f -printf %f)" jobs
}

@test "beyond what the kernel allows to anybody" {
	refused 6 EINVAL /jobs --maxmsg 65537
	json '.error.limit | .name == "HARD_MSGMAX" and .value == 65536 and .needed == 65537'
	refused 6 EINVAL /jobs --msgsize 16777217
	json '.error.limit | .name == "HARD_MSGSIZEMAX" and .value == 16777216'
}

@test "too many POSIX queues" {
	limit fs.mqueue.queues_max 2
	mqtool create -q /one
	mqtool create -q /two
	refused 6 ENOSPC /three
	json '.error.limit == {name: "fs.mqueue.queues_max", value: 2, used: 2}'
	assert_stderr '/three: .*fs\.mqueue\.queues_max is 2 queues, 2 in use'
	# What exists needs no room.
	run mqtool create /one
	assert_status 0
	refused 6 ENOSPC --unique /more
}

@test "too many System V queues" {
	limit kernel.msgmni 2
	mqtool create -q key:1
	mqtool create -q private
	for object in key:3 private; do
		refused 6 ENOSPC "$object"
		json '.error.limit == {name: "kernel.msgmni", value: 2, used: 2}'
		assert_stderr 'kernel\.msgmni is 2 queues, 2 in use'
	done
	run mqtool create key:1
	assert_status 0
}

@test "a qbytes that only the privileged may set: none is made" {
	refused 6 EPERM key:77 --qbytes 16385
	json '.error.limit == {name: "kernel.msgmnb", value: 16384, used: null, needed: 16385}'
	assert_equal "$(mqtool list --plain)" ""
	limit kernel.msgmnb 20000
	mqtool create -q key:77 --qbytes 16385
}

@test "RLIMIT_MSGQUEUE of an ordinary user" {
	large_queues
	# The kernel counts anew in each user namespace.
	run --separate-stderr as_user bash -c 'ulimit -q 200000
		mqtool create -q /one && mqtool create -q /two && mqtool create /three'
	assert_status 6
	json '.error.code == "EMFILE"'
	json '.error.limit | .name == "RLIMIT_MSGQUEUE" and .value == 200000 and .used == 2 * .needed and
		.needed > 81920 and .needed < 90000'
	assert_stderr '/three: .*RLIMIT_MSGQUEUE is 200000 bytes, about [0-9]+ in use, [0-9]+ needed'
	# What it says is needed is enough, and a byte less is not.
	mqtool rm /one /two
	needed=$(json_get .error.limit.needed)
	run as_user bash -c "ulimit -q $((needed - 1)) && mqtool create /jobs"
	assert_status 6
	run as_user bash -c "ulimit -q $needed && mqtool create /jobs"
	assert_status 0
}

# ---- whose it is ----

@test "what may not be opened: status 5" {
	"$mq_peer" create /jobs 4 32 000
	run --separate-stderr as_unprivileged mqtool create /jobs
	assert_status 5
	json '.error | .code == "EACCES" and .object == "/jobs"'
	assert_stderr '^mqtool create: /jobs: permission denied'
	# System V asks when a queue is used.
	"$msg_peer" create 77 000
	run as_unprivileged mqtool create key:77
	assert_status 0
	json '.created == false and .qbytes == 16384'
}

@test "without the directory of a key: status 3" {
	refused 3 ENOENT "ftok:$BATS_TEST_TMPDIR/nowhere"
	run --separate-stderr mqtool create "ftok:$BATS_TEST_TMPDIR/nowhere,0"
	assert_status 2
}

# ---- usage ----

@test "usage errors, with the nearest option" {
	refused 2 USAGE --maxmgs 5 /jobs
	assert_stderr -- '--maxmgs: unknown option, did you mean --maxmsg\?'
	refused 2 USAGE /jobs --qbite 5
	assert_stderr 'did you mean --qbytes\?'
	refused 2 USAGE jobs
	assert_stderr 'jobs: .*did you mean /jobs or key:'
	refused 2 USAGE key:0
	assert_stderr 'did you mean private\?'
	refused 2 USAGE id:1
	refused 2 USAGE file:/x
	refused 2 USAGE /x/y
	refused 2 USAGE "/$(printf '%256s' '' | tr ' ' x)"
	refused 2 USAGE
	refused 2 USAGE /jobs /more
	assert_stderr '/more: one operand too many'
	refused 2 USAGE /jobs --unique /more
	refused 2 USAGE --unique more
	refused 2 USAGE -5
	run --separate-stderr mqtool creaet /jobs
	assert_status 2
	assert_stderr 'creaet: unknown verb, did you mean create\?'
	assert_equal "$(mqtool list --plain)" ""
}

@test "what is of the other backend" {
	refused 2 USAGE /jobs --qbytes 5
	assert_stderr 'System V.* --maxmsg and --msgsize'
	refused 2 USAGE key:77 --maxmsg 5
	assert_stderr 'POSIX.* --qbytes'
	refused 2 USAGE key:77 --msgsize 5
	refused 2 USAGE private --msgsize 5
}

@test "bad values" {
	for value in '' 0 -1 5x 0x 99999999999999999999 1.5; do
		refused 2 USAGE /jobs --maxmsg "$value"
		json '.error.object == "--maxmsg"'
		refused 2 USAGE /jobs --msgsize "$value"
		refused 2 USAGE key:77 --qbytes "$value"
	done
	for mode in '' 8 7777 rw u=y 01000 -1; do
		refused 2 USAGE /jobs --mode "$mode"
		json '.error.object == "--mode"'
	done
	assert_equal "$(mqtool list --plain)" ""
}

# ---- formats ----

@test "formats and columns" {
	large_queues
	assert_equal "$(mqtool create /jobs --plain)" '/jobs	posix	-	10	8192	-	true'
	assert_equal "$(mqtool create key:77 --plain -o created,qbytes,object)" 'true	16384	key:77'
	assert_equal "$(IPCKIT_FORMAT=plain mqtool create /jobs -o maxmsg,created)" '10	false'
	run mqtool create /jobs --json -o created,object
	assert_output '{"created":false,"object":"/jobs"}'
	run mqtool create /jobs --table
	assert_match $'object +/jobs\nbackend +posix\nmaxmsg +10\nmsgsize +8K\ncreated +no'
	run mqtool create --columns help
	assert_status 0
	assert_match 'qbytes +System V'
	run mqtool create /quiet -q
	assert_status 0
	assert_output ""
	run --separate-stderr mqtool create /jobs -o size
	assert_status 2
	[[ -e /dev/mqueue/quiet ]]
}

@test "a refusal without JSON leaves standard output empty" {
	mqtool create -q /jobs
	for format in --quiet --plain --table; do
		run --separate-stderr mqtool create -x "$format" /jobs
		assert_status 4
		assert_output ""
		assert_equal "$stderr" "mqtool create: /jobs: already exists"
	done
}
