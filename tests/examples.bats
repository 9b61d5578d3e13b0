# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts in examples/, each for what it promises, and that it leaves nothing behind.

load helpers

# example NAME [ARG...]: runs one to its end, which has to be a good one.
example()
{
	local script=$IPCKIT_SRC/examples/$1
	shift
	run --separate-stderr timeout 60 "$script" "$@"
	assert_status 0
	[[ ! $stderr ]] || fail "something on stderr" "$(show_last)"
	left_nothing
}

# No semaphore, no file, and none of the tool's processes.
left_nothing()
{
	local files
	[[ $(semctl-cli list --json) == '{"semaphores":[]}' ]] || fail "left behind: $(semctl-cli list --json)"
	wait_until 5 nothing_runs
	files=$(find "$TMPDIR" -mindepth 1 -maxdepth 1 ! -name 'bats-*')
	[[ ! $files ]] || fail "left behind: $files"
}

nothing_runs()
{
	! grep -qs semctl-cli /proc/[0-9]*/comm
}

# Starts one that cannot come to its end, since nobody posts, and interrupts it once it has
# its semaphores.
hung=0
interrupted()
{
	((++hung))
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/semctl-cli" <<-END
		#!/bin/bash
		case \$1 in
		post | exec | barrier) exec sleep 1000 $hung ;;
		esac
		exec "$IPCKIT_BUILD/semctl-cli" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/semctl-cli"
	start setsid env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$IPCKIT_SRC/examples/$1"
	wait_until 10 has_semaphores "$2"
	wait_until 10 somebody_hangs
	kill -INT -- -"$pid" # as a terminal does
	finish "$pid"
	assert_status 130
	left_nothing
}

somebody_hangs()
{
	grep -qsaP "sleep\x001000\x00$hung\x00" /proc/[0-9]*/cmdline
}

has_semaphores()
{
	(($(semctl-cli list --plain | wc -l) >= $1))
}

@test "each example is listed here and in the build" {
	local script name
	for script in "$IPCKIT_SRC"/examples/*; do
		name=${script##*/}
		grep -qE "^	(example|interrupted) $name( |$)" "$BATS_TEST_FILENAME" || fail "no test of $name"
		[[ ! -e $IPCKIT_SRC/Makefile.am ]] || grep -q "examples/$name\b" "$IPCKIT_SRC/Makefile.am" ||
			fail "Makefile.am does not install $name"
	done
}

@test "ping-pong: the two take turns" {
	local i wanted=
	example ping-pong 20
	for ((i = 1; i <= 20; i++)); do
		wanted+="ping $i"$'\n'"pong $i"$'\n'
	done
	assert_output "${wanted%$'\n'}"
}

@test "relay: the third waits though the second is held up" {
	example relay
	assert_output 'first runs
second is held up, third waits
second runs
third runs'
}

@test "relay-wrong: with one semaphore the third overtakes the second" {
	example relay-wrong
	assert_output 'first runs
third runs
second runs'
}

# consumed ITEMS LINES: each item from 1 on was consumed, and once.
consumed()
{
	assert_equal "$(sed -n 's/^consumer [0-9]* got item //p' <<<"$2" | sort -n)" "$(seq "$1")" "items"
}

@test "producer-consumer: every item is consumed once" {
	example producer-consumer 40
	consumed 40 "$output"
}

@test "producer-consumer: three make for one, one makes for three" {
	example producer-consumer 20 3 1
	consumed 20 "$output"
	assert_equal "$(cut -d' ' -f2 <<<"$output" | sort -u)" 1 "consumers"
	example producer-consumer 20 1 3
	consumed 20 "$output"
}

@test "producer-consumer: one of each keeps the order, past the end of the ring" {
	example producer-consumer 20 1 1
	assert_equal "$(awk '{ print $NF }' <<<"$output")" "$(seq 20)" "order"
}

@test "philosophers: all eat, neighbours never at once, and nobody starves" {
	local i
	example philosophers 5
	for i in 0 1 2 3 4; do
		assert_equal "$(grep -c "^philosopher $i eats with forks $i and $(((i + 1) % 5))$" <<<"$output")" 5 \
			"meals of philosopher $i"
	done
	assert_equal "${output##*$'\n'}" "everybody has eaten"
}

@test "barrier: no round begins before the last one is over for all" {
	local round
	example barrier 4
	assert_equal "$(awk '{ print $NF }' <<<"$output")" "$(printf '%s\n' {1,2,3,4} | sed 'p;p;p')" "rounds"
	for round in 1 2 3 4; do
		assert_equal "$(grep " $round$" <<<"$output" | sort)" \
			"$(printf "worker %s has done round $round\n" 1 2 3 4)" "round $round"
	done
}

@test "print-spooler: a job is lost without the semaphore, and none with it" {
	example print-spooler
	assert_output 'without the semaphore: 2 jobs sent, 1 in the spool
with the semaphore: 2 jobs sent, 2 in the spool'
}

@test "starvation: takers of one pass a taker of several, whose age grows" {
	example starvation 3
	assert_equal "${output##*$'\n'}" "the taker of three has them, value 0"
	jq -se 'length == 3
		and all(.[]; .value == 2 and .count == 3 and .pid > 0 and .since > 0 and .age >= 0)
		and ([.[].pid] | unique | length) == 1
		and ([.[].since] | unique | length) == 1
		and .[1].age > .[0].age and .[2].age > .[1].age' >/dev/null <<<"$(head -n 3 <<<"$output")" ||
		fail "$(show_last)"
}

@test "demo: tells what happens, and it is so" {
	local sem killed heir
	example demo
	((${#lines[@]} <= 20)) || fail "${#lines[@]} lines are too many"
	sem=${lines[0]##* }
	assert_match '^/demo\.' "$sem"
	killed=$(sed -n 's/^3\. Script \([0-9]*\) is killed.*/\1/p' <<<"$output")
	heir=$(sed -n 's/.*yet \([0-9]*\) has it now.*/\1/p' <<<"$output")
	jq -se --argjson killed "$killed" --argjson heir "$heir" 'length == 4
		and (.[0] | .value == 0 and (.holders | length) == 2 and .waiting == [])
		and (.[1] | .value == 0 and ([.holders[].pid] | index($killed)) and [.waiting[].pid] == [$heir])
		and (.[2] | .value == 0 and ([.holders[].pid] | index($heir)) and
			([.holders[].pid] | index($killed) | not) and .waiting == [])
		and .[3] == {value: 2, holders: [], waiting: []}' >/dev/null <<<"$(grep '^{' <<<"$output")" ||
		fail "$(show_last)"
	assert_equal "${lines[-1]}" "5. $sem is removed."
}

@test "demo: runs as an ordinary user" {
	run as_user "$IPCKIT_SRC/examples/demo"
	assert_status 0
	left_nothing
}

@test "demo: fails if it is not so" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# A semctl-cli whose exec gives nothing back, and whose holders nobody knows.
	cat >"$BATS_TEST_TMPDIR/bin/semctl-cli" <<-END
		#!/bin/bash
		[[ \$1 == exec ]] || exec "$IPCKIT_BUILD/semctl-cli" "\$@"
		"$IPCKIT_BUILD/semctl-cli" wait "\$2" && shift 3 && exec "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/semctl-cli"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/demo"
	assert_status 1
	assert_stderr 'this is not so'
}

@test "interrupted, they clean up" {
	interrupted ping-pong 2
	interrupted relay 2
	interrupted producer-consumer 3
	interrupted philosophers 5
	interrupted barrier 1
	interrupted print-spooler 2
	interrupted starvation 1
	interrupted demo 1
}
