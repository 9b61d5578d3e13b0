# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl lock-pi WORD...: several locks in one order, circles of processes, ends with several held.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

died=$((1 << 30))
waiters=$((1 << 31))

# values WORD...: what is in them, in one line.
values()
{
	local word text=
	for word; do
		text+=" $(value "$word")"
	done
	echo "${text# }"
}

# assert_values "VALUE..." WORD...
assert_values()
{
	assert_equal "$(values "${@:2}")" "$1" "what is in ${*:2}"
}

# waits_for PID WORD: the kernel has it wait for this one, says `futexctl waiters`.
waits_for()
{
	futexctl waiters "$2" --json | jq -e --argjson pid "$1" 'any(.waiters[]; .pid == $pid)' >/dev/null
}

# start_several WORD... : `lock-pi` of them, with a COMMAND as of start_holder; `start_several --timeout 5s WORD...`.
start_several()
{
	start_staying start lock-pi "$@"
}

@test "all are held while COMMAND runs, in the order given, and given back" {
	make file
	at "$object" 1023
	last=$word
	fresh posix
	posix=$word
	fresh sysv 4096
	at "$object" 3000
	start_holder lock-pi "$a" "$last" "$b" "$posix" "$word"
	assert_values "$pid $pid $pid $pid $pid" "$a" "$last" "$b" "$posix" "$word"
	assert_value "$c" 0
	run futexctl robust "$pid" --json
	json --argjson pid "$pid" '[.locks[] | .pi and (.pending | not) and .owner == $pid] == [true, true, true, true, true]
		and ([.locks[].offset] == [12000, 0, 4, 4092, 0])'
	# One descriptor of each file, a fence around each word.
	assert_equal "$(find /proc/"$job"/fd -lname '*words*' | wc -l)" 2
	assert_equal "$(cat /proc/"$job"/fdinfo/?? | grep -c "^lock:.*: OFDLCK .* READ ")" 4
	let_end "$pid" 3
	assert_values "0 0 0 0 0" "$a" "$last" "$b" "$posix" "$word"
}

@test "what cannot be had is named, and the others are given back" {
	make file
	start_holder lock-pi "$b"
	holder=$pid
	while read -r status code words; do
		read -ra words <<<"$words"
		refusal_of lock-pi "$status" "$code" "${words[@]}"
		json --arg word "$b" '.error.object == $word'
		assert_values "0 0" "$a" "$c"
	done <<-END
		124 EAGAIN $a $b $c --timeout 0
		124 ETIMEDOUT $c $a $b --timeout 10ms
	END
	let_end "$holder"
	refusal_of lock-pi 125 EDEADLK "$a" "$b" "$object"
	json --arg word "$object" '.error.object == $word'
	refusal_of lock-pi 125 ENOENT "$a" "$object.none"
	refusal_of lock-pi 125 USAGE "$a" "$object@2"
	# Of another kind: before any is taken.
	store "$c" 1
	start_holder lock-pi "$b"
	refusal_of lock-pi 125 EBADMSG "$a" "$b" "$c"
	json --arg word "$c" '.error.object == $word'
	let_end "$pid"
	assert_values "0 0 1" "$a" "$b" "$c"
}

@test "A then B, B then A: the kernel finds the circle, one gets EDEADLK, the other goes on" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		at "$object" 3
		first=$c second=$word
		start_holder lock-pi "$first"
		x1=$pid
		start_holder lock-pi "$second"
		x2=$pid
		start_several "$a" "$first" "$b"
		p1=$pid
		start futexctl lock-pi "$b" "$second" "$a" --json -- touch "$BATS_TEST_TMPDIR/ran"
		p2=$pid
		wait_until 10 waits_for "$p1" "$first"
		wait_until 10 waits_for "$p2" "$second"
		let_end "$x1"
		wait_until 10 waits_for "$p1" "$b"
		let_end "$x2"
		ended 125 "$p2"
		json --arg word "$a" '.error | .code == "EDEADLK" and .exit == 125 and .object == $word'
		[[ ! -e $BATS_TEST_TMPDIR/ran ]] || fail "COMMAND was run"
		is_inside "$p1"
		assert_equal "$told" "[]"
		# Somebody has waited for both.
		assert_values "$((p1 + waiters)) $((p1 + waiters)) 0" "$a" "$b" "$second"
		let_end "$p1"
		assert_values "0 0 0 0" "$a" "$b" "$first" "$second"
	done
}

@test "killed with several held: the next is told of each, after COMMAND is gone" {
	make file
	start_holder lock-pi "$a" "$b" "$c"
	kill -KILL "$pid"
	ended 137
	wait_until 10 gone "$job"
	assert_values "$died $died $died" "$a" "$b" "$c"
	runs lock-pi "[1]" "$b"
	run --separate-stderr timeout 20 futexctl lock-pi "$b" "$c" "$a" -- sh -c 'echo "[$FUTEXCTL_OWNER_DIED]"'
	assert_equal "$status$output" "0[1]"
	assert_stderr "^futexctl lock-pi: warning: $c: [^:]*died without unlocking"$'\n'"futexctl lock-pi: warning: $a: [^:]*died without unlocking$"
	assert_values "0 0 0" "$a" "$b" "$c"
}

@test "killed while it holds one and waits for the next: the first is marked, the next is not" {
	make file
	start_holder lock-pi "$b"
	holder=$pid
	start_several "$a" "$b"
	wait_until 10 waits_for "$pid" "$b"
	kill -KILL "$pid"
	ended 137
	assert_value "$a" "$died"
	let_end "$holder"
	assert_value "$b" 0
	# Who gives it back without having come in leaves it so.
	start_holder lock-pi "$b"
	refusal_of lock-pi 124 EAGAIN "$a" "$b" --timeout 0
	assert_value "$a" "$died"
	let_end "$pid"
	runs lock-pi "[1]" "$a"
	runs lock-pi "[]" "$a"
}

@test "a signal while it holds one and waits for the next: it is given back, and nobody told" {
	make file
	start_holder lock-pi "$b"
	holder=$pid
	for signal in INT TERM HUP QUIT; do
		start_several "$a" "$b"
		waiter=$pid
		wait_until 10 waits_for "$waiter" "$b"
		start_several "$a"
		next=$pid
		wait_until 10 waits_for "$next" "$a"
		kill -"$signal" "$waiter"
		ended $((128 + $(kill -l "$signal"))) "$waiter"
		is_inside "$next"
		assert_equal "$told" "[]" "$signal"
		let_end "$next"
		assert_value "$a" 0
	done
	let_end "$holder"
	assert_value "$b" 0
}

@test "the COMMAND of one that died is waited for, whichever of its words is taken" {
	make file
	staying='exec setpriv --pdeathsig clear sh -c '"'echo \"\$\$\"; read -r x <>\"\$1\"' sh \"\$1\""
	start_holder lock-pi "$a" "$b"
	kill -KILL "$pid"
	ended 137
	refusal_of lock-pi 124 ETIMEDOUT "$c" "$b" --timeout 50ms
	json --arg word "$b" '.error | .object == $word and (.message | contains("still runs"))'
	assert_values "$died $died 0" "$a" "$b" "$c"
	kill -KILL "$job"
	wait_until 10 gone "$job"
	runs lock-pi "[1]" "$a"
	runs lock-pi "[1]" "$b"
}
