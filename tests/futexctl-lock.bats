# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl lock, trylock, unlock: a mutex between commands.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words

@test "0, 1, 2: locked, refused, waited for, unlocked; silent" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		for verb in lock trylock; do
			run --separate-stderr futexctl $verb "$b"
			assert_equal "$status$output$stderr" 0
			assert_value "$b" 1
			refusal trylock 1 EAGAIN "$b"
			refusal lock 1 EAGAIN "$b" --timeout 0
			json --arg word "$b" '.error.object == $word and .error.message == "is held"'
			assert_value "$b" 1
			refusal lock 1 ETIMEDOUT "$b" --timeout 0.01
			json '.error.message == "timed out after 0.01s"'
			# That it may be waited for stays.
			assert_value "$b" 2
			refusal trylock 1 EAGAIN "$b"
			run --separate-stderr futexctl unlock "$b"
			assert_equal "$status$output$stderr" 0
			assert_value "$b" 0
			refusal unlock 1 EAGAIN "$b"
			json '.error.message == "is not locked"'
		done
		assert_equal "$(value "$a")$(value "$c")" 00
	done
}

@test "each unlock lets one of those that wait have it" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		futexctl lock "$b"
		waits=()
		for _ in 1 2 3; do
			start_verb lock "$b" --timeout 30s
			waits+=("$pid")
		done
		assert_value "$b" 2
		for n in 2 1 0; do
			futexctl unlock "$b"
			wait_until 10 only_left "$n"
			assert_value "$b" 2
			for i in "${!waits[@]}"; do
				gone "${waits[i]}" || continue
				ended 0 "${waits[i]}"
				assert_equal "$output$stderr" ""
				unset "waits[i]"
			done
		done
		futexctl unlock "$b"
		assert_value "$b" 0
	done
}

# only_left N: of the waits.
only_left()
{
	local one count=0
	for one in "${waits[@]}"; do
		gone "$one" || ((++count))
	done
	((count == $1))
}

@test "between commands that come and go: none is lost" {
	make file
	echo 0 >"$BATS_TEST_TMPDIR/count"
	for i in {1..4}; do
		(for _ in {1..10}; do
			futexctl lock "$a" --timeout 60s || exit
			read -r n <"$BATS_TEST_TMPDIR/count"
			echo $((n + 1)) >"$BATS_TEST_TMPDIR/count"
			futexctl unlock "$a" || exit
		done) &
		pids[i]=$!
	done
	for one in "${pids[@]}"; do
		wait "$one" || fail "status $?"
	done
	assert_equal "$(<"$BATS_TEST_TMPDIR/count") $(value "$a")" "40 0"
}

@test "the record, in each format; one that could not be printed gives it back" {
	make file
	for verb in lock unlock trylock unlock; do
		run futexctl $verb "$a" --json
		assert_output '{"word":"'"$a"'"}'
	done
	run futexctl lock "$a" --plain
	assert_output "$a"
	futexctl unlock "$a" -q
	for verb in lock trylock; do
		run bash -c 'futexctl "$@" --json >/dev/full' bash $verb "$a"
		((status)) || fail "$verb ended well"
		assert_value "$a" 0
	done
}

@test "whoever died with it leaves it held; anybody unlocks it" {
	make file
	sh -c 'futexctl lock "$1"; kill -KILL $$' sh "$a" 2>/dev/null || true
	refusal lock 1 ETIMEDOUT "$a" --timeout 20ms
	run as_unprivileged futexctl unlock "$a"
	assert_status 0
	assert_value "$a" 0
}

@test "signals and stops; who waits and is killed leaves the others served" {
	make posix
	futexctl lock "$a"
	for signal in INT TERM HUP KILL; do
		start_verb lock "$a"
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		assert_equal "$output$stderr" ""
	done
	start_verb lock "$a"
	victim=$pid
	start_verb lock "$a"
	kill -STOP "$pid"
	wait_until 10 state_is "$pid" T
	kill -CONT "$pid"
	sleeps "$pid"
	# One that is stopped is not found by who wakes: the other one is.
	kill -STOP "$victim"
	wait_until 10 state_is "$victim" T
	futexctl unlock "$a"
	kill -KILL "$victim"
	ended 0
	assert_value "$a" 2
}

@test "a signal that comes when it is locked is too late: who is ended by one has not locked it" {
	local pipe=$BATS_TEST_TMPDIR/pipe write=1
	[[ $(uname -m) == x86_64 ]] || write=64
	make posix
	mkfifo "$pipe"
	exec 9<>"$pipe"
	dd if=/dev/zero of="$pipe" bs=4096 oflag=nonblock status=none 2>/dev/null || true
	start sh -c 'exec futexctl lock "$1" --json >"$2" 9>&-' sh "$a" "$pipe"
	wait_until 10 blocked_in "$pid" "$write"
	assert_value "$a" 1
	kill -TERM "$pid"
	dd if="$pipe" of=/dev/null bs=4096 iflag=nonblock status=none 2>/dev/null || true
	ended 0
	exec 9>&-
	assert_value "$a" 1
}

@test "--timeout in time" {
	make file
	futexctl lock "$a"
	punctual 100000 futexctl lock "$a" --timeout 100ms 2>/dev/null
	assert_equal "$status" 1
}

@test "another word, a file that goes: status 7; nothing is changed" {
	make file
	for value in 3 4294967295 1073741824 2147483648; do
		store "$a" $value
		for verb in lock trylock unlock; do
			refusal $verb 7 EBADMSG "$a"
			json --arg value $value '.error.message | contains($value)'
		done
		assert_value "$a" $value
	done
	store "$a" 1
	start_verb lock "$a"
	store "$a" 77
	"$futex_peer" wake "$a"
	ended 7
	for how in rm "truncate -s 0"; do
		make file
		store "$a" 1
		start_verb lock "$a"
		$how "$object"
		ended 7
		make posix
		store "$a" 1
		start_verb lock "$a"
		$how "/dev/shm$object"
		ended 7
	done
}

@test "usage errors, and what is no word" {
	make file
	for verb in lock trylock unlock; do
		refusal $verb 2 USAGE
		refusal $verb 2 USAGE "$a" "$b"
		refusal $verb 2 USAGE words
		refusal $verb 2 USAGE "$object@2"
		refusal $verb 3 ENOENT "$object.none"
		refusal $verb 7 EFBIG "$object@4096"
		refusal $verb 7 EBADMSG /dev/null@0
		run futexctl $verb --help
		assert_match "Usage:"
	done
	for value in "" x -1 5sfoo; do
		refusal lock 2 USAGE "$a" --timeout="$value"
	done
	refusal trylock 2 USAGE "$a" --timeout 1
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	for verb in lock trylock unlock; do
		run --separate-stderr as_unprivileged futexctl $verb "$a" --json
		assert_status 5
		json '.error.code == "EACCES"'
	done
	assert_value "$a" 0
}
