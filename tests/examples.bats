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

# No semaphore, no queue, no file, and none of the tools' processes.
left_nothing()
{
	local files
	[[ $(semctl-cli list --json) == '{"semaphores":[]}' ]] || fail "left behind: $(semctl-cli list --json)"
	[[ $(mqtool list --json) == '{"queues":[]}' ]] || fail "left behind: $(mqtool list --json)"
	wait_until 5 nothing_runs
	files=$(find "$TMPDIR" -mindepth 1 -maxdepth 1 ! -name 'bats-*')
	[[ ! $files ]] || fail "left behind: $files"
}

nothing_runs()
{
	! grep -qsE 'semctl-cli|mqtool|deadlock-check' /proc/[0-9]*/comm
}

# documents QUERY: whether it is true of the list of all JSON documents in the output.
documents()
{
	grep '^{' <<<"$output" | jq -se "$1" >/dev/null || fail "expected documents with: $1" "$(show_last)"
}

# Starts one that cannot come to its end, since nobody posts, receives or judges, and interrupts
# it once it has its semaphores and queues.
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
	cat >"$BATS_TEST_TMPDIR/bin/mqtool" <<-END
		#!/bin/bash
		case \$1 in
		recv | exec) exec sleep 1000 $hung ;;
		esac
		exec "$IPCKIT_BUILD/mqtool" "\$@"
	END
	printf '#!/bin/bash\nexec sleep 1000 %s\n' "$hung" >"$BATS_TEST_TMPDIR/bin/deadlock-check"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	start setsid env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$IPCKIT_SRC/examples/$1"
	wait_until 10 has_objects "$2"
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

has_objects()
{
	(($(semctl-cli list --plain | wc -l) + $(mqtool list --plain | wc -l) >= $1))
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
	((${#lines[@]} <= 30)) || fail "${#lines[@]} lines are too many"
	sem=${lines[0]##* }
	assert_match '^/demo\.' "$sem"
	killed=$(sed -n 's/^3\. Script \([0-9]*\) is killed.*/\1/p' <<<"$output")
	heir=$(sed -n 's/.*yet \([0-9]*\) has it now.*/\1/p' <<<"$output")
	jq -se --argjson killed "$killed" --argjson heir "$heir" 'length == 7
		and (.[0] | .value == 0 and (.holders | length) == 2 and .waiting == [])
		and (.[1] | .value == 0 and ([.holders[].pid] | index($killed)) and [.waiting[].pid] == [$heir])
		and (.[2] | .value == 0 and ([.holders[].pid] | index($heir)) and
			([.holders[].pid] | index($killed) | not) and .waiting == [])
		and .[3] == {value: 2, holders: [], waiting: []}
		and [.[4].messages[] | [.priority, .data]] == [[9, "alarm"], [0, "copy"], [0, "pack"]]
		and .[5] == {deadlocked: false, processes: [], order: ["P3", "P2", "P1"]}
		and .[6] == {deadlocked: true, processes: ["copy", "pack"], order: []}' >/dev/null <<<"$(grep '^{' <<<"$output")" ||
		fail "$(show_last)"
	assert_match $'\n'"5. $sem is removed."$'\n'
	assert_equal "$(sed '1,/^   deadlock-check: neither/d' <<<"$output")" \
		'   ┌─> (copy) ──> [b.lock ●] ──> (pack) ──> [a.lock ●] ─┐
   └────────────────────────────────────────────────────┘

(copy)  holds a.lock  waits for b.lock (held by pack)  deadlocked
(pack)  holds b.lock  waits for a.lock (held by copy)  deadlocked

[a.lock ●]  held by copy  wanted by pack
[b.lock ●]  held by pack  wanted by copy'
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

@test "demo: fails if a message is lost" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# An mqtool whose exec keeps no journal.
	cat >"$BATS_TEST_TMPDIR/bin/mqtool" <<-END
		#!/bin/bash
		[[ \$1 == exec ]] || exec "$IPCKIT_BUILD/mqtool" "\$@"
		exec "$IPCKIT_BUILD/mqtool" exec "\$2" "\${@:5}"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/mqtool"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/demo"
	assert_status 1
	assert_stderr 'this is not so: all three jobs'
	left_nothing
}

@test "demo: fails if a deadlock is not found" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\n"%s/deadlock-check" "$@" || true\n' "$IPCKIT_BUILD" >"$BATS_TEST_TMPDIR/bin/deadlock-check"
	chmod +x "$BATS_TEST_TMPDIR/bin/deadlock-check"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/demo"
	assert_status 1
	assert_stderr 'this is not so: status 1'
	left_nothing
}

# ---- queues ----

@test "job-queue: urgent jobs first, and the failed one comes back" {
	local urgent others
	example job-queue 1
	urgent=$(printf 'job %s is done, priority 9\n' 3 6 9)
	others=$(printf 'job %s is done, priority 0\n' 1 2 4 7 8)
	assert_equal "$(head -n 3 <<<"$output")" "$urgent" "urgent jobs"
	assert_equal "$(sed -n '4,/^dead/p' <<<"$output" | grep priority)" "$others" "other jobs"
	assert_match 'job 5 has failed.*failed with status 1.*dead letters: 1
job 5 is done, priority 0$'
}

@test "job-queue: three workers do each job once" {
	local job
	example job-queue
	for ((job = 1; job <= 9; job++)); do
		assert_equal "$(grep -c "^job $job is done, priority $((job % 3 ? 0 : 9))$" <<<"$output")" 1 "job $job"
	done
}

@test "log-fan-in: no line is missing, though the reader is killed" {
	example log-fan-in
	assert_output 'sent: 600
in the log: 600'
	example log-fan-in 1 40
	assert_output 'sent: 40
in the log: 40'
}

@test "request-reply: each client has its own answer" {
	example request-reply 8
	assert_equal "$(sort <<<"$output")" \
		"$(for i in {1..8}; do echo "client $i: the square is $((i * i))"; done)" answers
}

# ---- deadlocks ----

@test "textbook: nobody waits for ever, and with one number changed all do" {
	local first second
	example textbook
	first=${output%%P3 wants a scanner*}
	second=${output#"$first"}
	assert_match '^Three processes, and nobody waits for ever:
deadlocked  +no' "$first"
	assert_match $'\norder  +P3 P2 P1\n' "$first"
	assert_match 'step 1.*P3 can finish.*2 2 2 0.*step 2.*P2 can finish.*4 2 2 1.*step 3.*P1 can finish' "$first"
	assert_match 'deadlocked  +yes
processes  +P1 P2 P3
' "$second"
	assert_match 'P1, P2 and P3 can never finish: deadlock' "$second"
	[[ $second != *"step 2"* ]] || fail "somebody finishes" "$(show_last)"
}

@test "bank: grants what leaves the state safe, and nothing else" {
	example bank
	documents 'length == 4
		and (.[0] | .safe and .sequence == ["Marvin", "Suzanne", "Andy", "Barbara"] and .available == [10])
		and (.[1] | .granted and .verdict == "granted" and .process == "Marvin")
		and (.[2] | .granted == false and .verdict == "unsafe" and .process == "Barbara" and .sequence == [])
		and (.[3] | .granted == false and .verdict == "beyond-claim" and .requested == 4 and .available == 3)'
}

@test "path-lookup: the six wait for each other, and not the file server is ended" {
	local process
	example path-lookup
	for process in find backup editor mount file-server shell; do
		assert_match $'\n'"\\($process\\) .* deadlocked"
	done
	assert_match '──> \(file-server\).*\[/etc/localtime ●\].*\(shell\).*\[/ ●\] ─┐'
	documents 'length == 1 and (.[0] | .deadlocked and .cost == 1 and .least
		and (.processes | length) == 1 and .processes != ["file-server"] and (.order | length) == 5)'
}

@test "lock-manager: a few among 100,000 edges" {
	example lock-manager
	assert_equal "${lines[0]}" "100441 edges, the first of them:"
	documents 'length == 2
		and (.[0] | .deadlocked and .processes == 72 and .blocked_behind == 17
			and (.cycle | length) == 5 and .cycle[0] == .cycle[-1])
		and (.[1] | .least and (.processes | length) == 2)'
}

@test "two-locks: two scripts that wait for each other are found, and ended" {
	local first second
	example two-locks
	assert_equal "${lines[-1]}" "status 1"
	read -r first second <<<"$(sed -n '1s/.*> (\([0-9]*\)) .*> (\([0-9]*\)) .*/\1 \2/p' <<<"$output")"
	assert_match "\\($first\\) +holds /(one|two)\\..* waits for /(one|two)\\..* \\(held by $second\\) +deadlocked"
	assert_match "\\($second\\) +holds /(one|two)\\..* waits for /(one|two)\\..* \\(held by $first\\) +deadlocked"
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
	interrupted job-queue 2
	interrupted log-fan-in 1
	interrupted request-reply 2
	interrupted two-locks 2
	interrupted lock-manager 0
}
