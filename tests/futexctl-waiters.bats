# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl waiters: who sleeps on words.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

refused()
{
	refusal waiters "$@"
}

# elsewhere COMMAND...: in a PID namespace of its own, from which the others cannot be seen.
elsewhere()
{
	unshare --pid --fork --mount-proc --kill-child "$@"
}

# no_proc COMMAND...: without /proc.
no_proc()
{
	unshare -m bash -c 'mount -t tmpfs none /proc && "$@"' bash "$@"
}

# file_of OBJECT: how /proc shows it, as a regular expression.
file_of()
{
	case $1 in
	id:*) echo '^/SYSV[0-9a-f]{8} [(]deleted[)]$' ;;
	/*/*) echo "$1" ;;
	*) echo "/dev/shm$1" ;;
	esac
}

# waiter_pids [ARG...]: the processes of the answer, in its order.
waiter_pids()
{
	futexctl waiters "$@" | jq -r '[.waiters[].pid] | join(" ")'
}

# ---- what it is for ----

@test "nobody is an empty array, and nothing is said" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		run --separate-stderr futexctl waiters "$a"
		assert_status 0
		assert_output '{"waiters":[]}'
		for format in --plain --table; do
			run --separate-stderr futexctl waiters "$a" "$format"
			assert_status 0
			assert_output ""
		done
	done
}

@test "who sleeps on a word of each kind: process, operation, place, value; not who sleeps beside it" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$b" 7
		start_peer wait "$a" 0
		other=$pid
		start_peer wait "$b" 7
		run --separate-stderr futexctl waiters "$b"
		assert_status 0
		json --argjson pid "$pid" --arg file "$(file_of "$object")" '.waiters | length == 1 and (.[0] |
			(.pid == $pid and .tid == $pid and .uid == 0 and .operation == "FUTEX_WAIT" and (.file | test($file)) and
			.offset == 4 and .value == 7 and .expected == 7) and (.command | test("futex-peer wait .*@4 7$")) and
			.private == false and .realtime == false and .timed == false and (.address | test("^0x[0-9a-f]+$")) and
			(has("owner") or has("bitset") or has("index") or has("lock") | not))'
		run futexctl waiters "$b" --plain -o pid,operation,offset,value,expected
		assert_output "$pid"$'\tFUTEX_WAIT\t4\t7\t7'
		assert_equal "$(waiter_pids "$a")" "$other"
		run futexctl waiters --all
		json --argjson both "[$other, $pid]" '[.waiters[].pid] == ($both | sort)'
		stop "$pid" "$other"
	done
}

@test "nothing given is --all; --pid is one process, also by a thread's id" {
	make file
	start_crowd "$a" 0 3
	crowd=$pid
	start_peer wait "$b" 0
	run futexctl waiters
	json --argjson crowd "$crowd" --argjson pid "$pid" '([.waiters[] | select(.pid == $crowd and .file)] | length) == 3 and
		([.waiters[] | select(.pid == $pid)] | length) == 1 and ([.waiters[] | [.pid, .tid]] | . == sort)'
	# Not through a pipe: threads of what reads it may sleep, too.
	all=$(futexctl waiters --all)
	assert_equal "$(jq -c '[.waiters[].tid]' <<<"$all")" "$(json_get -c '[.waiters[].tid]')"
	for id in "$crowd" "$(json_get --argjson crowd "$crowd" '[.waiters[] | select(.pid == $crowd).tid] | max')"; do
		run futexctl waiters --pid "$id"
		json --argjson crowd "$crowd" '(.waiters | length) == 4 and all(.waiters[]; .pid == $crowd)'
	done
	# Its first thread waits for the others, in memory of its own.
	json '[.waiters[] | select(has("file") | not)] | length == 1 and (.[0] | has("offset") | not)'
	run futexctl waiters --pid 1 --plain
	assert_output ""
}

@test "each operation is told by its name, with what it was given" {
	make posix
	start_peer bitset "$a" 0 0x80000001
	run futexctl waiters --pid "$pid"
	json '.waiters[0] | .operation == "FUTEX_WAIT_BITSET" and .bitset == 2147483649'
	run futexctl waiters --pid "$pid" --plain -o bitset
	assert_output 0x80000001
	start_peer wait "$a" 0 600000
	run futexctl waiters --pid "$pid"
	json '.waiters[0] | .operation == "FUTEX_WAIT" and .timed'
	store "$b" 2
	start_peer waitv "$a" 0 "$b" 2 "$c" 0
	run futexctl waiters --pid "$pid"
	json '[.waiters[] | [.operation, .index, .offset, .expected]] ==
		[["futex_waitv", 0, 0, 0], ["futex_waitv", 1, 4, 2], ["futex_waitv", 2, 8, 0]]'
	run futexctl waiters "$b"
	json --argjson pid "$pid" '[.waiters[] | select(.pid == $pid).index] == [1]'
	start_peer wait-requeue-pi "$a" 0 "$c"
	run futexctl waiters --pid "$pid"
	json '.waiters[0] | .operation == "FUTEX_WAIT_REQUEUE_PI" and (.lock | test("^0x[0-9a-f]+$")) and .offset == 0'
}

@test "futexctl's own waits: flags, clocks and calls" {
	make file
	start_verb wait "$a" 0 --private
	run --separate-stderr futexctl waiters "$a"
	json --argjson pid "$pid" '.waiters | length == 1 and (.[0] | .pid == $pid and .private)'
	stop "$pid"
	start_verb wait "$a" 0 --until @4000000000
	run futexctl waiters "$a"
	json '.waiters[0] | .operation == "FUTEX_WAIT_BITSET" and .realtime and .timed'
	stop "$pid"
	start futexctl wait "$a" 0 --futex2
	wait_until 5 blocked_in "$pid" 455 || skip "the kernel has no futex_wait(2)"
	run futexctl waiters "$a"
	json '.waiters[0] | .operation == "futex_wait" and .bitset == 4294967295'
}

@test "a lock of priority inheritance names its owner; another word does not, whatever it holds" {
	make file
	hold lock-pi "$a"
	owner=$pid
	start_peer lock-pi "$a"
	run futexctl waiters "$a"
	json --argjson pid "$pid" --argjson owner "$owner" '.waiters | length == 1 and (.[0] | .pid == $pid and
		.operation == "FUTEX_LOCK_PI" and .owner == $owner and .value == $owner + 2147483648 and
		(has("expected") | not))'
	run futexctl waiters "$a" --plain -o owner
	assert_output "$owner"
	store "$b" "$owner"
	start_peer wait "$b" "$owner"
	run futexctl waiters "$b"
	json '.waiters[0] | has("owner") | not'
	run futexctl waiters "$b" --plain -o owner
	assert_output -
}

@test "the C library's mutexes: plain, robust and with priority inheritance" {
	make posix
	for mutex in normal robust pi robust+pi; do
		at "$object" 64
		"$futex_peer" init "$word" "$mutex"
		hold lock "$word"
		owner=$pid
		start_peer lock "$word"
		run futexctl waiters "$word"
		json --argjson pid "$pid" --argjson owner "$owner" --arg mutex "$mutex" '.waiters | length == 1 and (.[0] |
			.pid == $pid and .offset == 256 and
			.operation == (if $mutex | endswith("pi") then "FUTEX_LOCK_PI" else "FUTEX_WAIT" end) and
			.value == (if $mutex == "normal" then 2 else $owner + 2147483648 end))'
		stop "$pid"
		release "$owner"
	done
}

@test "a timed wait that was stopped and continued is still seen; poll(2) and sleeps are none" {
	make file
	for how in "wait $a 0" "wait $a 0 600000"; do
		# shellcheck disable=SC2086 # words
		start_peer $how
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		assert_equal "$(waiter_pids "$a")" "$pid"
		kill -CONT "$pid"
		wait_until 5 state_is "$pid" S
		assert_equal "$(waiter_pids "$a")" "$pid" "$how"
		assert_equal "$(futexctl waiters "$a" --plain -o operation)" FUTEX_WAIT
		stop "$pid"
	done
	start sleep 600
	wait_until 5 blocked_in "$pid" nanosleep clock_nanosleep
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 blocked_in "$pid" restart_syscall
	run futexctl waiters --pid "$pid"
	assert_output '{"waiters":[]}'
}

@test "the same file by another name, deleted, or mapped for reading alone" {
	make file
	ln "$object" "$object.link"
	start_peer wait "$a" 0
	assert_equal "$(waiter_pids "$object.link@0")" "$pid"
	rm "$object"
	assert_equal "$(waiter_pids "$object.link@0")" "$pid"
	run futexctl waiters "$object.link" --plain -o pid,file
	assert_output "$pid"$'\t'"$object (deleted)"
	cp "$object.link" "$object"
	assert_equal "$(waiter_pids "$object")" ""
}

@test "a word is looked at with the right to read alone" {
	make file
	chmod 444 "$object"
	start_peer wait "$a" 0
	assert_equal "$(waiter_pids "$a")" "$pid"
	run as_unprivileged futexctl waiters "$a" --plain
	assert_status 0
}

# ---- what is not seen ----

@test "processes that are not seen are warned of, never denied" {
	make posix
	start_peer wait "$a" 0
	run --separate-stderr as_unprivileged futexctl waiters "$a"
	assert_status 0
	assert_output '{"waiters":[]}'
	assert_stderr '[0-9]+ process(es)? may not be looked at and may sleep on words'
	assert_stderr 'processes of other PID namespaces are not seen'
	run --separate-stderr elsewhere futexctl waiters "$a"
	assert_output '{"waiters":[]}'
	assert_stderr 'processes of other PID namespaces are not seen'
	run --separate-stderr as_unprivileged futexctl waiters --pid "$pid" --json
	assert_status 5
	json --arg pid "$pid" '.error | .code == "EACCES" and .object == $pid'
	run --separate-stderr futexctl waiters "$a"
	assert_equal "$stderr" ""
}

@test "without /proc it says so, and not that nobody sleeps" {
	not_sanitized "sanitizers have trouble of their own there"
	make posix
	start_peer wait "$a" 0
	run --separate-stderr no_proc futexctl waiters --json
	assert_status 8
	json '.error.code == "ENOSYS" and (.error.message | test("/proc"))'
}

@test "a crowd: each thread of one process, and each of many processes, once" {
	make file
	start_crowd "$a" 0 500
	run futexctl waiters "$a" --plain -o tid
	assert_equal "$(sort -u <<<"$output" | wc -l)" 500
	stop "$pid"
	for ((i = 0; i < 50; i++)); do
		start "$futex_peer" wait "$b" 0
	done
	many_are()
	{
		[[ $(futexctl waiters "$b" --plain -o pid | sort -u | wc -l) == 50 ]]
	}
	wait_until 10 many_are
}

# ---- output, what is refused ----

@test "table, plain, columns" {
	make posix
	start_peer wait "$b" 0
	run futexctl waiters --table
	assert_match "^ *PID +TID +COMMAND +OPERATION +FILE +OFFSET +VALUE +EXPECTED +OWNER"
	assert_match "$pid +$pid +.*futex-peer wait $b 0 +FUTEX_WAIT +/dev/shm$object +4 +0 +0 +-"
	run futexctl waiters --columns help
	assert_status 0
	for column in pid tid uid command operation private realtime timed file offset device inode address index value \
		expected bitset owner lock; do
		assert_match $'(^|\n)'"$column +[a-zA-Z]"
	done
	run futexctl waiters "$b" --plain -o address,inode,device
	assert_match $'^0x[0-9a-f]+\t'"$(stat -c %i "/dev/shm$object")"$'\t[0-9a-f]+:[0-9a-f]+$'
	run futexctl waiters -o colour
	assert_status 2
}

@test "bad words, processes that are not there, two filters" {
	make file
	for bad in words '' private "$object@2"; do
		refused 2 USAGE "$bad"
	done
	refused 3 ENOENT "$object.none"
	refused 3 ENOENT /none
	refused 7 EFBIG "$object@4096"
	refused 3 ENOENT --pid 4194303
	json '.error | .object == "4194303" and .message == "no such process"'
	for pid in 0 -1 x 99999999999 ''; do
		refused 2 USAGE --pid "$pid"
	done
	refused 2 USAGE "$a" --all
	refused 2 USAGE "$a" --pid 1
	refused 2 USAGE --all --pid 1
	refused 2 USAGE "$a" "$b"
	run bash -c 'futexctl waiters >/dev/full'
	assert_status 8
}
