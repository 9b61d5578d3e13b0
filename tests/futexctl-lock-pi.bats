# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl lock-pi, trylock-pi, unlock-pi, exec --pi: what the kernel says of locks that lend priority.
# What they share with exec is in futexctl-exec*.bats.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

died=$((1 << 30))
waiters=$((1 << 31))
pi=("exec --pi" "lock-pi" "lock-pi --clock realtime" "trylock-pi")

@test "the operation is the one that was asked for" {
	make file
	start_holder lock-pi "$a"
	holder=$pid
	while read -r wanted how; do
		start_waiter "$how" "$a" --timeout 30s
		sleeper "$pid"
		assert_equal "$call:$op" "${call_numbers[futex]}:$wanted" "$how"
		assert_value "$a" $((holder | waiters))
		stop "$pid"
	done <<-'END'
		0xd lock-pi
		0xd lock-pi --clock monotonic
		0x6 lock-pi --clock realtime
		0xd exec --pi
	END
	let_end "$holder"
	assert_value "$a" 0
}

@test "with C programs, both ways; first in, first out" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		hold lock-pi "$b"
		peer=$pid
		start_waiter lock-pi "$b" --timeout 30s
		second=$pid
		start_waiter "exec --pi" "$b" --timeout 30s
		third=$pid
		start_locking lock-pi "$b"
		sleeps "$pid"
		fourth=$pid
		release "$peer"
		is_inside "$second"
		assert_equal "$told" "[]"
		is_outside "$third"
		let_end "$second" 3
		is_inside "$third"
		! holds "$fourth" || fail "two have it"
		let_end "$third"
		wait_until 10 holds "$fourth"
		assert_equal "$(($(value "$b") & 0x3fffffff))" "$fourth"
		release "$fourth"
		assert_equal "$(value "$a")$(value "$b")$(value "$c")" 000
	done
}

@test "the holder gets the priority of who waits" {
	make file
	start_holder lock-pi "$a"
	holder=$pid
	priority()
	{
		local stat
		read -r stat <"/proc/$holder/stat"
		read -ra stat <<<"${stat##*) }"
		((stat[15] < 0))
	}
	! priority || fail "it has it before"
	start chrt -f 5 futexctl lock-pi "$a" -- true
	wait_until 10 eval 'blocked_in "$pid" futex || gone "$pid"'
	! gone "$pid" || skip "no realtime priority to be had"
	priority || fail "$(<"/proc/$holder/stat")"
	let_end "$holder"
	ended 0
}

@test "itself as the owner: EDEADLK" {
	make file
	for how in "${pi[@]}"; do
		read -ra words <<<"$how"
		for bits in 0 $waiters; do
			run --separate-stderr timeout 10 sh -c \
				'futexctl set "$1" $(($$ | $2)) -q; shift 2; exec futexctl "$@" --json -- true' sh "$a" "$bits" "${words[@]}" "$a"
			assert_status 125
			json '.error.code == "EDEADLK"'
			assert_equal "$(($(value "$a") & died))" 0
		done
	done
}

@test "an owner that is gone, and the kernel was not told: ESRCH" {
	make posix
	for how in "${pi[@]}"; do
		for value in 4000000 $((4000000 | waiters)); do
			store "$a" $value
			refusal_of "$how" 125 ESRCH "$a"
			json '.error.message | contains("futexctl set")'
			(($(value "$a") == value)) || (($(value "$a") == (value | waiters))) || fail "$(value "$a")"
		done
	done
	# One that was there, and has not had the lock.
	sh -c 'futexctl set "$1" $$ -q' sh "$a"
	refusal_of lock-pi 125 ESRCH "$a"
}

@test "an owner that does not use the word is one of another PID namespace: refused at once" {
	make file
	for how in "${pi[@]}"; do
		store "$a" $$
		refusal_of "$how" 125 EBADMSG "$a"
		json --arg pid $$ '.error.message | contains("PID namespace") and contains("thread \($pid),")'
		assert_value "$a" $$
	done
	refusal cmp-requeue-pi 7 EBADMSG "$b" "$a" 0
	store "$a" 0
	# One that is of another: here its number is nobody's, or somebody else's.
	start unshare -pf --kill-child sh -c 'for _ in 1 2 3; do /bin/true; done; futexctl lock-pi "$1" -- sh -c "read -r x <>\"\$1\"" sh "$2"; true' \
		sh "$a" "$IPCKIT_NEVER"
	held()
	{
		(($(value "$a")))
	}
	wait_until 10 held
	seen=$(value "$a")
	for how in "${pi[@]}"; do
		read -ra words <<<"$how"
		run --separate-stderr timeout 10 futexctl "${words[@]}" "$a" --json -- echo ran
		assert_status 125
		json '.error.code == "EBADMSG" or .error.code == "ESRCH"'
	done
	# Where there is no such thread the kernel has marked it.
	assert_equal "$(($(value "$a") & 0x7fffffff))" "$seen"
	kill -KILL "$pid"
	finish "$pid"
}

@test "what is free in another way: WAITERS alone, OWNER_DIED alone, which is told" {
	make file
	for how in "${pi[@]}"; do
		store "$a" $waiters
		runs "$how" "[]" "$a"
		assert_value "$a" 0
		store "$a" $died
		runs "$how" "[1]" "$a"
		assert_value "$a" 0
	done
}

@test "sleepers that are no PI ones: EINVAL" {
	make file
	start_peer wait "$a" 0
	sleeper=$pid
	store "$a" $$
	exec {fd}<>"$object"
	start_holder lock-pi "$b"
	store "$a" "$pid"
	for how in "${pi[@]}"; do
		refusal_of "$how" 125 EINVAL "$a"
	done
	still "$sleeper"
	store "$a" 0
	"$futex_peer" wake "$a"
	ended 0 "$sleeper"
	let_end "$pid"
	exec {fd}>&-
}

@test "unlock-pi: by the owner alone; what it becomes" {
	make file
	for value in 0 $died $waiters 1 4000000; do
		store "$a" "$value"
		refusal unlock-pi 5 EPERM "$a"
		json '.error.message | contains("does not name this thread")'
		assert_value "$a" "$value"
	done
	start_holder lock-pi "$b"
	refusal unlock-pi 5 EPERM "$b"
	let_end "$pid"
	for how in "" -q --json; do
		run --separate-stderr sh -c 'futexctl set "$1" $$ -q; exec futexctl unlock-pi "$@"' sh "$a" $how
		assert_equal "$status$stderr" 0
		assert_value "$a" 0
	done
	assert_output '{"word":"'"$a"'","value":0}'
	# Others sleep there, and not for the lock.
	start_peer wait "$a" 0
	run --separate-stderr sh -c 'futexctl set "$1" $(($$ | 0x80000000)) -q; exec futexctl unlock-pi "$@" --json' sh "$a"
	assert_status 2
	json '.error.code == "EINVAL"'
	refusal unlock-pi 2 USAGE "$a" "$b"
	refusal unlock-pi 2 USAGE "$a" --realtime
	refusal unlock-pi 2 USAGE "$object@2"
	refusal unlock-pi 3 ENOENT "$object.none"
	refusal unlock-pi 7 EFBIG "$object@4096"
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl unlock-pi "$b" --json
	assert_status 5
	json '.error.code == "EACCES"'
}

@test "the word is taken away by force while COMMAND runs: told, with COMMAND's status" {
	make file
	start_holder lock-pi "$a"
	store "$a" 0
	echo 9 >"${fifos[$pid]}"
	ended 9
	assert_stderr 'taken away while COMMAND ran: EPERM$'
	assert_value "$a" 0
}
