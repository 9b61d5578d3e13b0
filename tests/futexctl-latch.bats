# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl latch: waits until a word has been counted down.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words

# downs LEFT N: counts $b down.
downs()
{
	run --separate-stderr futexctl latch "$b" --down "$2" --json
	assert_output '{"word":"'"$b"'","value":'"$1"'}'
	assert_value "$b" "$1"
}

@test "counted down to 0, all that wait go on, and those that come later" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$b" 7
		waits=()
		for how in "" --json "--timeout 30s"; do
			# shellcheck disable=SC2086 # words
			start_verb latch "$b" --wait $how
			waits+=("$pid")
		done
		run --separate-stderr futexctl latch "$b" --down 1
		assert_equal "$status$output$stderr" 0
		downs 3 0x3
		for one in "${waits[@]}"; do
			still "$one"
			sleeps "$one"
		done
		downs 0 3
		# All of them at once.
		run futexctl wake "$b" all --plain -o woken
		assert_output 0
		for one in "${waits[@]}"; do
			ended 0 "$one"
			[[ $one == "${waits[1]}" ]] || assert_equal "$output$stderr" ""
		done
		finish "${waits[1]}"
		assert_output '{"word":"'"$b"'","value":0}'
		run --separate-stderr futexctl latch "$b" --wait --timeout 0 --plain
		assert_output "$b"$'\t0'
		assert_equal "$(value "$a")$(value "$c")" 00
	done
}

@test "a barrier of jobs; all of 32 bits" {
	make file
	store "$b" 8
	start_verb latch "$b" -w
	for i in {1..8}; do
		futexctl latch "$b" -d 1 &
		pids[i]=$!
	done
	wait "${pids[@]}"
	ended 0
	store "$b" -1
	downs 1 4294967294
	downs 0 1
}

@test "more than there is: status 2, nothing is taken; C programs that change and wake" {
	make file
	refusal latch 2 ERANGE "$b" --down 1
	store "$b" 5
	refusal latch 2 ERANGE "$b" --down 6
	json '.error.message == "it is 5, from which 6 cannot be taken"'
	assert_value "$b" 5
	start_verb latch "$b" --wait
	store "$b" 0
	"$futex_peer" wake "$b"
	ended 0
}

@test "a wake-up is no end, and neither is another value" {
	make posix
	store "$b" 2
	start_verb latch "$b" --wait
	"$futex_peer" wake "$b"
	sleeps "$pid"
	store "$b" 9
	"$futex_peer" wake "$b"
	sleeps "$pid"
	still "$pid"
	futexctl latch "$b" --down 9
	ended 0
}

@test "timed out: status 1; a look: what it is" {
	make file
	store "$b" 3
	refusal latch 1 ETIMEDOUT "$b" --wait --timeout 10ms
	json '.error.message == "timed out after 10ms"'
	refusal latch 1 EAGAIN "$b" --wait --timeout 0
	json '.error.message == "it is 3, not 0"'
	punctual 100000 futexctl latch "$b" --wait --timeout 100ms 2>/dev/null
	assert_equal "$status" 1
	assert_value "$b" 3
}

@test "signals end it; a stop and continue does not; a file that goes is status 7" {
	make file
	store "$b" 1
	for signal in INT TERM HUP KILL; do
		start_verb latch "$b" --wait
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		assert_equal "$output$stderr" ""
	done
	start_verb latch "$b" --wait
	kill -STOP "$pid"
	wait_until 10 state_is "$pid" T
	kill -CONT "$pid"
	sleeps "$pid"
	futexctl latch "$b" --down 1
	ended 0
	for how in rm "truncate -s 0"; do
		make file
		store "$b" 1
		start_verb latch "$b" --wait
		$how "$object"
		ended 7
	done
}

@test "usage errors, and what is no word" {
	make file
	store "$b" 5
	refusal latch 2 USAGE "$b"
	refusal latch 2 USAGE "$b" --wait --down 1
	refusal latch 2 USAGE "$b" --down 1 --timeout 1
	refusal latch 2 USAGE --wait
	refusal latch 2 USAGE "$a" "$b" --wait
	refusal latch 2 USAGE "$object@3" --wait
	for value in 0 -1 x "" 4294967296 1.5; do
		refusal latch 2 USAGE "$b" --down="$value"
		json '.error.object == "--down"'
	done
	refusal latch 2 USAGE "$b" --wait --timeout soon
	refusal latch 3 ENOENT "$object.none" --wait
	refusal latch 7 EFBIG "$object@4096" --down 1
	refusal latch 7 EBADMSG /dev/null@0 --wait
	run futexctl latch --help
	assert_match "Usage:"
	assert_value "$b" 5
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl latch "$b" --down 1 --json
	assert_status 5
	json '.error.code == "EACCES"'
	# To wait takes the right to read.
	store "$b" 0
	run --separate-stderr as_unprivileged futexctl latch "$b" --wait
	assert_equal "$status$output$stderr" 0
}
