# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl cond: a condition variable between commands.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words

# start_waiting N: N waits, each with the lock $b locked before; their pids in $waits.
start_waiting()
{
	waits=()
	while ((${#waits[@]} < $1)); do
		futexctl lock "$b" --timeout 20s
		start_verb cond "$a" "$b" --wait
		waits+=("$pid")
		wait_until 10 unlocked
	done
}

unlocked()
{
	[[ $(value "$b") == 0 ]]
}

# ended_are N: so many of the waits have ended.
ended_are()
{
	local one count=0
	for one in "${waits[@]}"; do
		! gone "$one" || ((++count))
	done
	((count == $1))
}

# tells N HOW: the signal reaches so many.
tells()
{
	run --separate-stderr futexctl cond "$a" "$b" "$2" --json
	assert_output '{"word":"'"$a"'","mutex":"'"$b"'","affected":'"$1"'}'
}

@test "a signal ends one wait, with the lock; the next one has to come by itself" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		tells 0 --signal
		start_waiting 3
		for n in 1 2 3; do
			run --separate-stderr futexctl cond "$a" "$b" --signal
			assert_equal "$status$output$stderr" 0
			wait_until 10 ended_are "$n"
			(($(value "$b"))) || fail "it ended without the lock"
			refusal trylock 1 EAGAIN "$b"
			futexctl unlock "$b"
		done
		for one in "${waits[@]}"; do
			ended 0 "$one"
			assert_equal "$output$stderr" ""
		done
		tells 0 --signal
		assert_value "$c" 0
	done
}

@test "a broadcast ends all, one by one as the lock is given on" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		tells 0 --broadcast
		start_waiting 4
		# Whether or not who calls has the lock.
		[[ $kind == posix ]] || futexctl lock "$b"
		tells 4 --broadcast
		[[ $kind == posix ]] || { ended_are 0 && futexctl unlock "$b"; }
		for n in 1 2 3 4; do
			wait_until 10 ended_are "$n"
			assert_value "$b" 2
			futexctl unlock "$b"
		done
		for one in "${waits[@]}"; do
			ended 0 "$one"
		done
		assert_value "$b" 0
	done
}

@test "a queue of many producers and consumers: nothing is lost" {
	make file
	echo 0 >"$BATS_TEST_TMPDIR/items"
	for i in 1 2 3; do
		(for _ in {1..6}; do
			futexctl lock "$b" --timeout 60s || exit
			until read -r n <"$BATS_TEST_TMPDIR/items" && ((n > 0)); do
				futexctl cond "$a" "$b" --wait --timeout 60s || exit
			done
			echo $((n - 1)) >"$BATS_TEST_TMPDIR/items"
			futexctl unlock "$b" || exit
		done) &
		pids[i]=$!
	done
	for i in {1..18}; do
		futexctl lock "$b" --timeout 20s
		read -r n <"$BATS_TEST_TMPDIR/items"
		echo $((n + 1)) >"$BATS_TEST_TMPDIR/items"
		((i % 2)) && how=--signal || how=--broadcast
		futexctl cond "$a" "$b" "$how"
		futexctl unlock "$b"
	done
	for one in "${pids[@]}"; do
		wait "$one" || fail "status $?"
	done
	assert_equal "$(<"$BATS_TEST_TMPDIR/items") $(value "$b")" "0 0"
}

@test "timed out: status 1, with the lock, however long that takes" {
	make file
	for how in "--timeout 10ms" "--timeout 0"; do
		futexctl lock "$b"
		# shellcheck disable=SC2086 # words
		refusal cond 1 ETIMEDOUT "$a" "$b" --wait $how
		(($(value "$b"))) || fail "without the lock"
		refusal trylock 1 EAGAIN "$b"
		futexctl unlock "$b"
	done
	waited_for()
	{
		[[ $(value "$b") == 2 ]]
	}
	# On a slow machine the time may be over before somebody else has the lock.
	for limit in 100ms 1s 10s; do
		futexctl lock "$b"
		start futexctl cond "$a" "$b" --wait --timeout $limit
		wait_until 10 or_gone "$pid" unlocked
		! futexctl trylock "$b" 2>/dev/null || break
		ended 1
		futexctl unlock "$b"
	done
	wait_until 10 waited_for
	still "$pid"
	futexctl unlock "$b"
	ended 1
	assert_stderr "timed out after $limit\$"
	assert_value "$b" 2
}

@test "a signal to the process ends the wait, without the lock; the others are served" {
	for signal in INT TERM HUP KILL; do
		make file
		start_waiting 2
		kill -$signal "${waits[0]}"
		finish "${waits[0]}"
		died_of $signal
		assert_equal "$output$stderr" ""
		assert_value "$b" 0
		kill -STOP "${waits[1]}"
		wait_until 10 state_is "${waits[1]}" T
		kill -CONT "${waits[1]}"
		sleeps "${waits[1]}"
		futexctl cond "$a" "$b" --signal
		ended 0 "${waits[1]}"
		futexctl unlock "$b"
	done
}

@test "a signal that comes when MUTEX is locked again is too late: who is ended by one has not locked it" {
	local pipe=$BATS_TEST_TMPDIR/pipe write=1
	[[ $(uname -m) == x86_64 ]] || write=64
	make posix
	mkfifo "$pipe"
	exec 9<>"$pipe"
	dd if=/dev/zero of="$pipe" bs=4096 oflag=nonblock status=none 2>/dev/null || true
	futexctl lock "$b"
	start_asleep sh -c 'exec futexctl cond "$1" "$2" --wait --json >"$3" 9>&-' sh "$a" "$b" "$pipe"
	wait_until 10 unlocked
	futexctl cond "$a" "$b" --signal
	wait_until 10 blocked_in "$pid" "$write"
	assert_value "$b" 2
	kill -TERM "$pid"
	dd if="$pipe" of=/dev/null bs=4096 iflag=nonblock status=none 2>/dev/null || true
	ended 0
	exec 9>&-
	assert_value "$b" 2
}

@test "its answer cannot be written: MUTEX is unlocked, and another wait ends" {
	make file
	futexctl lock "$b"
	start_asleep sh -c 'exec futexctl cond "$1" "$2" --wait --json >/dev/full' sh "$a" "$b"
	first=$pid
	wait_until 10 unlocked
	start_waiting 1
	futexctl cond "$a" "$b" --signal
	finish "$first"
	((status)) || fail "it could be written"
	assert_stderr 'no space left'
	ended 0 "${waits[0]}"
	assert_value "$b" 2
}

@test "the lock is not held, or is none: refused before it waits" {
	make file
	refusal cond 5 EPERM "$a" "$b" --wait
	json --arg mutex "$b" '.error.object == $mutex'
	assert_value "$a" 0
	for value in 3 2147483649 1073741824; do
		store "$b" $value
		for how in --wait --broadcast; do
			refusal cond 7 EBADMSG "$a" "$b" $how
			json --arg mutex "$b" '.error.object == $mutex'
			assert_equal "$(value "$a") $(value "$b")" "0 $value"
		done
	done
	# One word cannot be both, whatever it is called.
	store "$b" 1
	ln "$object" "$object.link"
	for how in --wait --signal --broadcast; do
		refusal cond 2 USAGE "$b" "$object.link@4" $how
		assert_value "$b" 1
	done
	# Without /proc, too, where that is not the sanitizers' trouble.
	! is_sanitized || return 0
	run unshare -m sh -c 'mount -t tmpfs none /proc && futexctl cond "$1" "$2" --wait' sh "$b" "$object.link@4"
	assert_status 2
	run unshare -m sh -c 'mount -t tmpfs none /proc && futexctl cond "$1" "$2" --wait --timeout 0' sh "$a" "$b"
	assert_status 1
}

@test "usage errors, and what is no word" {
	make file
	refusal cond 2 USAGE "$a" "$b"
	refusal cond 2 USAGE "$a" "$b" --wait --signal
	refusal cond 2 USAGE "$a" "$b" --signal --broadcast
	refusal cond 2 USAGE "$a" "$b" --signal --timeout 1
	refusal cond 2 USAGE "$a" --wait
	refusal cond 2 USAGE "$a" "$b" "$c" --wait
	refusal cond 2 USAGE "$a" "$object@6" --signal
	for value in "" x -1 5sfoo; do
		refusal cond 2 USAGE "$a" "$b" --wait --timeout="$value"
	done
	refusal cond 3 ENOENT "$a" "$object.none" --signal
	refusal cond 3 ENOENT "$object.none" "$b" --signal
	refusal cond 7 EFBIG "$a" "$object@4096" --wait
	refusal cond 7 EBADMSG /dev/null@0 "$b" --wait
	run futexctl cond --help
	assert_match "Usage:"
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl cond "$a" "$b" --signal --json
	assert_status 5
	json '.error.code == "EACCES"'
}
