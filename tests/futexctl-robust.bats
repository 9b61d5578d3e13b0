# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl robust: a thread's robust list.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

refused()
{
	refusal robust "$@"
}

# no_proc COMMAND...: without /proc.
no_proc()
{
	unshare -m bash -c 'mount -t tmpfs none /proc && "$@"' bash "$@"
}

# locks_of PID: offset, owner, and whether it inherits priorities and is pending, of each lock.
locks_of()
{
	futexctl robust "$1" | jq -c '[.locks[] | [.offset, .owner, .pi, .pending]]'
}

locks_are()
{
	[[ $(locks_of "$1") == "$2" ]]
}

@test "a thread that holds nothing has a list without locks" {
	make file
	start_peer wait "$a" 0
	run --separate-stderr futexctl robust "$pid"
	assert_status 0
	json --argjson pid "$pid" 'keys == ["cut", "futex_offset", "head", "locks", "pid", "tid"] and .pid == $pid and
		.tid == $pid and (.head | test("^0x[0-9a-f]+$")) and .cut == false and .locks == []'
	assert_equal "$stderr" ""
}

@test "the C library's robust mutexes are in it, with file, offset and owner; others are not" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		for mutex in normal robust robust+pi; do
			at "$object" 64
			"$futex_peer" init "$word" "$mutex"
			hold lock "$word"
			run futexctl robust "$pid"
			if [[ $mutex == normal ]]; then
				json '.locks == []'
			else
				json --argjson pid "$pid" --arg mutex "$mutex" '.locks | length == 1 and (.[0] | .offset == 256 and
					.owner == $pid and .value == $pid and .pi == ($mutex == "robust+pi") and .pending == false and
					.waiters == false and .owner_died == false and (.file | length) > 0 and
					(.address | test("^0x")) and (.node | test("^0x")))'
			fi
			release "$pid"
		done
	done
}

@test "one that is being taken is pending, and its owner another" {
	make posix
	at "$object" 16
	"$futex_peer" init "$word" robust
	hold lock "$word"
	owner=$pid
	start_peer lock "$word"
	assert_equal "$(locks_of "$pid")" "[[64,$owner,false,true]]"
	run futexctl robust "$owner"
	json '.locks[0] | .waiters and (.pending | not)'
	release "$owner"
}

@test "futexctl's own: exec holds a robust mutex, lock-pi one of priority inheritance" {
	make file
	for pi in false true; do
		verb=(exec "$b")
		[[ $pi == false ]] || verb=(lock-pi "$b")
		start futexctl "${verb[@]}" -- sleep 600
		wait_until 5 locks_are "$pid" "[[4,$pid,$pi,false]]"
		assert_equal "$(($(value "$b") & 0x3fffffff))" "$pid"
		stop "$pid"
		wait_until 5 gone "$pid"
		store "$b" 0
	done
}

@test "a broken list is told, and does not hang" {
	perl -e 1 2>/dev/null || skip "no perl"
	# set_robust_list(2): a head whose first entry is itself an entry that leads to itself.
	start perl -e '$| = 1; $entry = pack("Q", 0); $at = unpack("Q", pack("p", $entry));
		substr($entry, 0, 8) = pack("Q", $at); $head = pack("QqQ", $at, 0, 0);
		syscall($ARGV[0], $head, 24) == 0 or die; print "ready\n"; sleep 600' "$(set_robust_list)"
	is_ready()
	{
		grep -qsx ready "$(out_of "$pid")"
	}
	wait_until 5 is_ready
	run --separate-stderr timeout 10 futexctl robust "$pid"
	assert_status 0
	json '.cut and (.locks | length) == 2048'
	assert_stderr 'the list is broken, or longer than the kernel follows'
}

# The number of set_robust_list(2).
set_robust_list()
{
	case $HOSTTYPE in
	x86_64) echo 273 ;;
	*) echo 99 ;;
	esac
}

@test "table and plain: the record, and a table of its locks" {
	make posix
	at "$object" 16
	"$futex_peer" init "$word" robust
	hold lock "$word"
	run futexctl robust "$pid" --table
	assert_match $'(^|\n)'"tid +$pid"
	assert_match "FILE +OFFSET +ADDRESS +VALUE +OWNER +WAITERS +OWNER_DIED +PI +PENDING"
	assert_match "/dev/shm$object +64 +0x[0-9a-f]+ +$pid +$pid +no +no +no +no"
	run futexctl robust "$pid" --plain -o pid,tid,cut
	assert_output "$pid"$'\t'"$pid"$'\tfalse'
	run futexctl robust --columns help
	assert_status 0
	for column in pid tid head futex_offset cut locks; do
		assert_match $'(^|\n)'"$column +[a-zA-Z]"
	done
}

@test "who may not be looked at, is not there, is no number" {
	make file
	start_peer wait "$a" 0
	run --separate-stderr as_unprivileged futexctl robust "$pid" --json
	assert_status 5
	json --arg pid "$pid" '.error | .code == "EPERM" and .object == $pid'
	refused 3 ENOENT 4194303
	for bad in 0 -1 x '' 99999999999; do
		refused 2 USAGE "$bad"
	done
	refused 2 USAGE
	refused 2 USAGE 1 2
	run bash -c "futexctl robust $pid >/dev/full"
	assert_status 8
	# Sanitizers have trouble of their own there.
	! is_sanitized || return 0
	run --separate-stderr no_proc futexctl robust "$pid" --json
	assert_status 8
	json '.error | .code == "ENOSYS" and (.message | test("/proc"))'
}
