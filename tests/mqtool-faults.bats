# SPDX-License-Identifier: GPL-2.0-or-later
# What runs out, and what is missing: the status, and which limit it was, its value and its use,
# in the message and in the JSON. Nothing half made is left behind, and no message is lost.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; status, in each case its own

load helpers
load queues

# ---- standard output ----

@test "faults: a full standard output: status 8, whatever the verb and the format" {
	local words
	mqtool create -q /jobs
	mqtool create -q key:1
	mqtool send key:1 text
	for words in "list" "list --plain" "list --table" "info /jobs" "info key:1 --plain" "limits" "clean" "peek key:1" \
		"dump key:1" "create /jobs" "ftok /" "send /jobs x --json" "set /jobs --mode 600 --json" "rm key:1 --plain"; do
		run --separate-stderr bash -c "mqtool $words >/dev/full"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
		assert_stderr '^mqtool [a-z]+: standard output: no space left'
	done
}

@test "faults: a closed standard output is status 8, where there is something to print" {
	local words
	mqtool create -q /jobs
	for words in "list" "info /jobs" "limits" "clean" "ftok /" "set /jobs --mode 600 --json"; do
		run --separate-stderr bash -c "mqtool $words >&-"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
	done
	for words in "set /jobs --mode 640" "send /jobs text" "wait /jobs" "drain /jobs" "rm /jobs"; do
		run bash -c "mqtool $words >&- 2>&-"
		[[ $status == 0 ]] || fail "$words" "$(show_last)"
	done
}

@test "faults: what was received and could not be written is not lost" {
	local to
	for to in '>/dev/full' '>&-'; do
		for backend in "${backends[@]}"; do
			make "$backend"
			mqtool send "$object" first second
			run --separate-stderr bash -c "mqtool recv $object $to"
			assert_status 8
			# It went back, or it is on stderr: not neither.
			if (($(message_count "$object") < 2)); then
				assert_stderr first
				assert_count "$object" 1
			fi
			run mqtool recv "$object" --all --lines
			assert_match second
		done
	done
}

@test "faults: a private queue that could not be told of is removed" {
	local to
	for to in '>/dev/full' '>&-'; do
		run bash -c "mqtool create private $to"
		assert_status 8
		run bash -c "mqtool create --unique /u $to"
		assert_status 8
		run mqtool list
		assert_output '{"queues":[]}'
	done
}

# ---- limits of the process ----

@test "faults: descriptors that run out, in verbs that look" {
	mqtool create -q /jobs
	mqtool create -q key:1
	mqtool send /jobs text
	mqtool send key:1 text more
	mqtool recv -q key:1
	with_descriptors 1 mqtool list
	json '.queues | length == 2 and (.[0].curmsgs == 1 and .[0].bytes == 4 and .[1].qnum == 1) and
		all(.waiters == 0 and (has("unreadable") | not))'
	with_descriptors 1 mqtool info /jobs
	json '.curmsgs == 1 and .unreadable_processes == 0 and (has("unreadable") | not)'
	with_descriptors 1 mqtool info key:1
	json '.qnum == 1 and .unreadable_processes == 0'
	with_descriptors 1 mqtool clean --older-than 0 --non-empty
	json '.queues | length == 2 and all(.orphan)'
	with_descriptors 0 mqtool limits
	with_descriptors 0 mqtool peek key:1
}

@test "faults: descriptors that run out, in verbs that act" {
	mqtool create -q /jobs
	mqtool create -q key:1
	with_descriptors 0 mqtool create /new
	with_descriptors 0 mqtool send /jobs text --json
	with_descriptors 0 mqtool send key:1 text --json
	with_descriptors 0 mqtool set /jobs --mode 640 --json
	with_descriptors 0 mqtool wait /jobs --timeout 0 --json
	with_descriptors 0 mqtool rm /new --json
	assert_count /jobs 1
	assert_count key:1 1
	with_descriptors 0 mqtool recv /jobs --timeout 0
	json '[.. | .data? // empty] == ["text"]'
	with_descriptors 0 mqtool recv key:1 --timeout 0
	json '[.. | .data? // empty] == ["text"]'
}

# with_memory VERB...: with ever more memory, until it succeeds. Before that it cannot be loaded, or says
# that there is no memory.
with_memory()
{
	local kilobytes
	for ((kilobytes = 3000; kilobytes < 200000; kilobytes += 250)); do
		run --separate-stderr bash -c '"$@"; status=$?; exit $((status == 127 ? 99 : status))' bash \
			prlimit --as=$((kilobytes * 1024)): mqtool "$@"
		case $status in
		0) return ;;
		6)
			assert_stderr 'memory|RLIMIT_AS'
			[[ ! $output ]] || json '.error.code == "ENOMEM" and .error.exit == 6'
			((++refused))
			;;
		99) [[ $stderr == *"shared librar"* || $stderr == *"memory"* ]] || fail "$* with $kilobytes KB" "$(show_last)" || return ;;
		139) ;; # The loader itself.
		*)
			fail "$* with $kilobytes KB" "$(show_last)"
			return
			;;
		esac
	done
	fail "$*: does not succeed" "$(show_last)"
}

@test "faults: memory that runs out: status 6, nothing lost, nothing half made" {
	! is_sanitized || skip "a sanitizer needs all the memory there is"
	limit kernel.msgmax 2000000
	limit kernel.msgmnb 4000000
	refused=0
	mqtool create -q key:1
	head -c 1900000 /dev/zero | tr '\0' x >"$TMPDIR/large"
	mqtool send key:1 --file "$TMPDIR/large"
	with_memory list
	json '.queues[0].cbytes == 1900000'
	with_memory peek key:1
	json '.size == 1900000 and (.data | length) == 1900000'
	assert_count key:1 1
	with_memory send key:1 --file "$TMPDIR/large"
	assert_count key:1 2
	with_memory recv key:1 --timeout 0 --raw
	assert_equal "${#output}" 1900000
	assert_count key:1 1
	((refused > 0)) || fail "there was always memory enough"
}

@test "faults: a file size that binds what is written: no message is lost" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" first second
		run --separate-stderr bash -c 'ulimit -f 0; exec mqtool recv "$1" >"$2"' bash "$object" "$TMPDIR/out"
		assert_status 8
		assert_count "$object" 2
		run --separate-stderr bash -c 'ulimit -f 0; exec mqtool recv "$1" --follow --raw >"$2"' bash "$object" "$TMPDIR/out"
		assert_status 8
		assert_count "$object" 2
	done
}

@test "faults: a file size that binds what is written: a dump leaves what it could not print" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" first second
		how=()
		[[ $backend == sysv ]] || how=(--take)
		run bash -c 'ulimit -f 0; exec mqtool dump "${@:2}" >"$1"' bash "$TMPDIR/out" "$object" "${how[@]}"
		((status != 0))
		assert_texts "$object" "first second"
	done
	# A queue is none of the files that it binds.
	run bash -c 'prlimit --fsize=0:0 mqtool create /jobs 2>&1 | cat; exit "${PIPESTATUS[0]}"'
	assert_status 0
}

# ---- limits of queues ----

@test "faults: RLIMIT_MSGQUEUE: its value, and what the queue would need" {
	run --separate-stderr prlimit --msgqueue=1000: mqtool create /jobs --maxmsg 8 --msgsize 128
	assert_status 6
	json '.error | .code == "EMFILE" and .limit.name == "RLIMIT_MSGQUEUE" and .limit.value == 1000 and .limit.used == 0 and
		.limit.needed > 8 * 128'
	assert_stderr 'RLIMIT_MSGQUEUE is 1000 bytes, about 0 in use, [0-9]+ needed$'
	[[ ! -e /dev/mqueue/jobs ]]
	mqtool create -q /jobs
	run --separate-stderr prlimit --msgqueue=1000: mqtool create /jobs
	assert_status 0
}

@test "faults: the number of queues" {
	mqtool create -q /a
	mqtool create -q key:1
	limit fs.mqueue.queues_max 1
	limit kernel.msgmni 1
	run --separate-stderr as_unprivileged mqtool create /b
	limited fs.mqueue.queues_max 1 1
	run --separate-stderr as_unprivileged mqtool create --unique /b
	limited fs.mqueue.queues_max 1 1
	run --separate-stderr mqtool create key:2
	limited kernel.msgmni 1 1
	run --separate-stderr mqtool create private
	limited kernel.msgmni 1 1
	# What is there can be opened.
	as_unprivileged mqtool create -q /a
	mqtool create -q key:1
}

@test "faults: messages that are too large: nothing is sent" {
	limit kernel.msgmax 100
	mqtool create -q /jobs --msgsize 64
	mqtool create -q key:1 --qbytes 50
	run --separate-stderr mqtool send /jobs "$(printf '%065d' 0)" --json
	limited msgsize 64 null 65
	run --separate-stderr mqtool send key:1 "$(printf '%0101d' 0)" --json
	limited kernel.msgmax 100 null 101
	run --separate-stderr mqtool send key:1 "$(printf '%051d' 0)" --json
	limited qbytes 50 0 51
	assert_count /jobs 0
	assert_count key:1 0
}

# ---- what is missing ----

@test "faults: no /dev/mqueue: queues can be used, listing says how to mount it" {
	no_mount()
	{
		unshare -m bash -c 'umount /dev/mqueue && "$@"' bash "$@"
	}
	no_mount mqtool create -q /jobs
	no_mount mqtool send /jobs text
	no_mount mqtool set /jobs --mode 0640
	no_mount mqtool wait /jobs --timeout 0
	run no_mount mqtool recv /jobs --raw --timeout 0
	assert_output text
	run --separate-stderr no_mount mqtool list
	assert_status 0
	assert_output '{"queues":[]}'
	assert_stderr 'mkdir -p /dev/mqueue && mount -t mqueue mqueue /dev/mqueue$'
	no_mount mqtool rm /jobs
	[[ ! -e /dev/mqueue/jobs ]]
}

@test "faults: a read-only /dev/mqueue hinders nobody who has the name" {
	mqtool create -q /jobs
	mount -o remount,bind,ro /dev/mqueue
	run mqtool send /jobs text
	sent=$status
	run mqtool list
	mount -o remount,bind,rw /dev/mqueue
	assert_equal "$sent" 0
	json '.queues[0].curmsgs == 1'
}

@test "faults: no /proc: what can be told is told, the rest is null" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	mqtool create -q /jobs
	mqtool create -q key:1
	no_proc()
	{
		unshare -m bash -c 'mount -t tmpfs none /proc && "$@"' bash "$@"
	}
	run --separate-stderr no_proc mqtool info key:1
	assert_status 0
	json '.qnum == 0 and .waiters == null and .unreadable.users == "ENOENT"'
	run --separate-stderr no_proc mqtool list
	assert_status 0
	assert_stderr '/proc/sysvipc/msg'
	run --separate-stderr no_proc mqtool clean --older-than 0 --yes --backend sysv
	assert_status 0
	mqtool info key:1 >/dev/null
	for backend in "${backends[@]}"; do
		make "$backend"
		no_proc mqtool send "$object" text
		run no_proc mqtool recv "$object" --raw --timeout 0
		assert_output text
	done
}
