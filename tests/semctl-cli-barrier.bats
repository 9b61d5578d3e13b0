# SPDX-License-Identifier: GPL-2.0-or-later
# barrier: all parties leave together, round after round, whoever dies on the way.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load backends

setup()
{
	set=key:$((0x62000000 + BATS_TEST_NUMBER))
}

# places, tickets, parties
values()
{
	semctl-cli values "$set" | jq -c '[.values[].value]'
}

values_are()
{
	[[ $(values) == "$1" ]]
}

assert_values()
{
	assert_equal "$(values)" "$1" "places, tickets, parties"
}

# arrive: starts a party and waits until it has arrived; its pid in $pid.
arrive()
{
	start semctl-cli barrier "$set" "$@"
	wait_until 5 blocked_in "$pid" semtimedop semop
}

@test "nobody passes before the last party has come, then all do" {
	semctl-cli create "$set" --barrier 3 -q
	assert_values '[3,0,3]'
	arrive
	one=$pid
	assert_values '[2,0,3]'
	arrive
	two=$pid
	assert_values '[1,0,3]'
	run semctl-cli barrier "$set"
	assert_status 0
	assert_output ""
	for party in "$one" "$two"; do
		finish "$party"
		assert_status 0
	done
	assert_values '[3,0,3]'
}

@test "a barrier for one lets everybody pass" {
	semctl-cli create "$set" --barrier 1 -q
	for _ in 1 2 3; do
		run semctl-cli barrier "$set" --timeout 0
		assert_status 0
	done
	assert_values '[1,0,1]'
}

@test "a barrier is reused round after round, and nobody is ever early" {
	for parties in 2 5 8; do
		set=key:$((0x62100000 + parties))
		semctl-cli create "$set" --barrier $parties -q
		run timeout 60 "$jobs" rounds "$BATS_TEST_TMPDIR/board" $parties 20 semctl-cli barrier "$set"
		json --argjson all $((parties * 20)) '. == {"ended": $all, "failed": 0, "early": 0}'
		assert_values "[$parties,0,$parties]"
	done
}

@test "more parties than places come in rounds" {
	semctl-cli create "$set" --barrier 3 -q
	run timeout 60 "$jobs" crowd "$BATS_TEST_TMPDIR/board" 6 60 semctl-cli barrier "$set"
	json '.failed == 0'
	assert_values '[3,0,3]'
}

@test "timeout, signal and death take an arrival back" {
	semctl-cli create "$set" --barrier 3 -q
	run --separate-stderr semctl-cli barrier --json "$set" --timeout 50ms
	assert_status 1
	json '.error.code == "ETIMEDOUT" and .error.exit == 1'
	assert_stderr 'timed out after 50ms'
	assert_values '[3,0,3]'
	run semctl-cli barrier "$set" --timeout 0
	assert_status 1
	assert_values '[3,0,3]'
	for signal in INT TERM HUP QUIT ALRM USR1 KILL; do
		arrive
		assert_values '[2,0,3]'
		kill -$signal "$pid"
		finish "$pid"
		assert_status $((128 + $(kill -l $signal)))
		assert_values '[3,0,3]'
	done
	# The others still need three.
	arrive
	one=$pid
	arrive
	two=$pid
	semctl-cli barrier "$set" --timeout 5s
	finish "$one"
	finish "$two"
	assert_values '[3,0,3]'
}

@test "stop and continue neither end nor shorten a wait" {
	semctl-cli create "$set" --barrier 2 -q
	arrive --timeout 20s
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	semctl-cli barrier "$set" --timeout 5s
	finish "$pid"
	assert_status 0
	assert_values '[2,0,2]'
}

@test "who is stopped, then interrupted after its round is complete has passed" {
	semctl-cli create "$set" --barrier 2 -q
	arrive
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	semctl-cli barrier "$set" --timeout 5s
	# The kernel may have let it pass while it was stopped, or its ticket lies there.
	kill -INT "$pid"
	kill -CONT "$pid"
	finish "$pid"
	[[ $status == 0 || $status == 130 ]]
	assert_values '[2,0,2]'
}

@test "a party killed in the middle of a round that is being left gives its place back" {
	semctl-cli create "$set" --barrier 3 -q
	arrive
	one=$pid
	arrive
	two=$pid
	kill -STOP "$one" "$two"
	wait_until 5 state_is "$one" T
	wait_until 5 state_is "$two" T
	semctl-cli barrier "$set" --timeout 5s
	kill -KILL "$one"
	finish "$one"
	assert_status 137
	kill -CONT "$two"
	finish "$two"
	assert_status 0
	assert_values '[3,0,3]'
	# And the next round needs all three again.
	arrive
	one=$pid
	run semctl-cli barrier "$set" --timeout 50ms
	assert_status 1
	stop "$one"
	assert_values '[3,0,3]'
}

@test "nobody arrives for the next round while the last one is being left" {
	semctl-cli create "$set" --barrier 2 -q
	# As if one party had come and gone with a ticket for another one lying there.
	semctl-cli op "$set" 0:-1 1:+1
	start semctl-cli barrier "$set"
	wait_until 5 blocked_in "$pid" semtimedop semop
	assert_values '[1,1,2]'
	run semctl-cli barrier "$set" --timeout 30ms
	assert_status 1
	semctl-cli op "$set" 1:-1 0:+1
	wait_until 5 values_are '[1,0,2]'
	semctl-cli barrier "$set" --timeout 5s
	finish "$pid"
	assert_status 0
	assert_values '[2,0,2]'
}

@test "parties killed at random moments leave a whole barrier" {
	semctl-cli create "$set" --barrier 3 -q
	start timeout 100 "$jobs" rounds "$BATS_TEST_TMPDIR/board" 3 30 semctl-cli barrier "$set"
	rounds=$pid
	# They come between the others: whoever is not killed has completed a round with them.
	run timeout 60 "$jobs" kill random 60 semctl-cli barrier "$set"
	json '.killed + .exited == 60'
	# Those who completed a round with one of the killed still need company.
	until gone "$rounds"; do
		semctl-cli barrier "$set" --timeout 50ms 2>/dev/null &
		semctl-cli barrier "$set" --timeout 50ms 2>/dev/null || true
		wait $! || true
	done
	finish "$rounds"
	assert_status 0
	json '.ended == 90 and .failed == 0'
	wait_until 5 values_are '[3,0,3]'
}

@test "a barrier that is removed ends the wait with 7" {
	semctl-cli create "$set" --barrier 2 -q
	start semctl-cli barrier --json "$set"
	wait_until 5 blocked_in "$pid" semtimedop semop
	semctl-cli rm "$set"
	finish "$pid"
	assert_status 7
	json '.error.code == "EIDRM"'
}

@test "what is no barrier is 7" {
	semctl-cli create key:1 --value 1 -q
	semctl-cli create key:2 --nsems 3 -q
	semctl-cli create key:3 --values 0,0,3 -q
	semctl-cli create key:4 --values 4,0,3 -q
	semctl-cli create key:5 --values 3,3,3 -q
	semctl-cli create key:6 --values 3,0,3,0 -q
	for key in 1 2 3 4 5 6; do
		run --separate-stderr timeout 5 semctl-cli barrier --json key:$key --timeout 3s
		assert_status 7
		json '.error.code == "EBADMSG" and (.error.message | test("not a barrier"))'
	done
}

@test "a barrier that is spoilt while parties wait does not make them spin" {
	semctl-cli create "$set" --barrier 3 -q
	semctl-cli op "$set" 1:+1
	start semctl-cli barrier "$set"
	wait_until 5 blocked_in "$pid" semtimedop semop
	semctl-cli values "$set" set 0,0,3
	finish "$pid"
	assert_status 7
}

@test "other backends: 8, EOPNOTSUPP" {
	for backend in posix unnamed eventfd; do
		make "$backend"
		run --separate-stderr semctl-cli barrier --json "$object"
		assert_status 8
		json '.error.code == "EOPNOTSUPP" and .error.exit == 8'
	done
}

@test "a missing barrier is 3, one without permission 5, bad input 2" {
	run semctl-cli barrier key:0x999
	assert_status 3
	semctl-cli create "$set" --barrier 2 -q
	semctl-cli chmod "$set" 0
	run as_unprivileged semctl-cli barrier "$set"
	assert_status 5
	for words in "" "$set --timeout x" "$set $set" "$set --no-such" "file:/x"; do
		# shellcheck disable=SC2086
		run semctl-cli barrier $words
		assert_status 2
	done
	for parties in 0 x -1; do
		run semctl-cli create key:0x998 --barrier $parties
		assert_status 2
	done
	run semctl-cli create key:0x998 --barrier 32768
	assert_status 6
	run semctl-cli create /b --barrier 2
	((status != 0))
}

@test "barrier prints what it did when asked" {
	semctl-cli create "$set" --barrier 1 -q
	run semctl-cli barrier --json "$set"
	json --arg set "$set" '. == {"object": $set, "backend": "sysv"}'
}

@test "create --barrier of what is another barrier, or none, is 7" {
	semctl-cli create key:0x77 --barrier 3 --quiet
	run semctl-cli create key:0x77 --barrier 3
	json '.created == false'
	run --separate-stderr semctl-cli create key:0x77 --barrier 5
	assert_status 7
	assert_stderr 'no barrier for 5 parties'
	semctl-cli create key:0x78 --nsems 3 --quiet
	run --separate-stderr semctl-cli create key:0x78 --barrier 3
	assert_status 7
	run semctl-cli values key:0x78
	json '[.values[].value] == [0, 0, 0]'
}
