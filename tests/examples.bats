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
	! grep -vE 'Interrupt|Killed|Terminated|Hangup|wait_for: No record' <<<"$stderr" | grep -q . || # the shell's own
		fail "something on stderr" "$(show_last)"
	left_nothing
}

# No semaphore, no queue, no segment, no file, and none of the tools' processes.
left_nothing()
{
	local files
	[[ $(semctl-cli list --json) == '{"semaphores":[]}' ]] || fail "left behind: $(semctl-cli list --json)"
	[[ $(mqtool list --json) == '{"queues":[]}' ]] || fail "left behind: $(mqtool list --json)"
	[[ $(shmtool list --json) == '{"segments":[]}' ]] || fail "left behind: $(shmtool list --json)"
	wait_until 5 nothing_runs
	files=$(find "$TMPDIR" -mindepth 1 -maxdepth 1 ! -name 'bats-*')
	[[ ! $files ]] || fail "left behind: $files"
}

nothing_runs()
{
	! grep -qsE 'semctl-cli|mqtool|shmtool|futexctl|pipecat|deadlock-check' /proc/[0-9]*/comm
}

# documents QUERY: whether it is true of the list of all JSON documents in the output.
documents()
{
	grep '^{' <<<"$output" | jq -se "$1" >/dev/null || fail "expected documents with: $1" "$(show_last)"
}

# interrupted NAME OBJECTS [HANG]: starts one that cannot come to its end, since nobody posts, receives, waits or
# judges, and interrupts it once it has its semaphores, queues, segments and words, and so many (1) hang: as
# many as there will be, since a process misses what comes while it is started.
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
	cat >"$BATS_TEST_TMPDIR/bin/shmtool" <<-END
		#!/bin/bash
		case \$1 in
		wait | recv) exec sleep 1000 $hung ;;
		esac
		exec "$IPCKIT_BUILD/shmtool" "\$@"
	END
	cat >"$BATS_TEST_TMPDIR/bin/futexctl" <<-END
		#!/bin/bash
		case \$1 in
		await | cond | exec | lock) exec sleep 1000 $hung ;;
		esac
		exec "$IPCKIT_BUILD/futexctl" "\$@"
	END
	cat >"$BATS_TEST_TMPDIR/bin/pipecat" <<-END
		#!/bin/bash
		case \$1 in
		read | merge | pair | info | *-listen:*) exec sleep 1000 $hung ;;
		esac
		exec "$IPCKIT_BUILD/pipecat" "\$@"
	END
	printf '#!/bin/bash\nexec sleep 1000 %s\n' "$hung" >"$BATS_TEST_TMPDIR/bin/deadlock-check"
	# Allows what is refused, perhaps.
	printf '#!/bin/bash\nshift 2\nexec "$@"\n' >"$BATS_TEST_TMPDIR/bin/chrt"
	chmod +x "$BATS_TEST_TMPDIR/bin/"*
	start setsid env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$IPCKIT_SRC/examples/$1"
	wait_until 10 has_objects "$2"
	wait_until 10 hang "${3:-1}"
	kill -INT -- -"$pid" # as a terminal does
	finish "$pid"
	assert_status 130
	! grep -vE 'Interrupt|Killed|Terminated|Hangup|wait_for: No record' <<<"$stderr" | grep -q . || # the shell's own
		fail "something on stderr" "$(show_last)"
	left_nothing
	wait_until 5 nothing_hangs
}

nothing_hangs()
{
	! hang 1
}

hang()
{
	(($(grep -lsaP "sleep\x001000\x00$hung\x00" /proc/[0-9]*/cmdline | wc -l) >= $1))
}

has_objects()
{
	(($({ semctl-cli list --plain && mqtool list --plain && shmtool list --plain; } | wc -l) >= $1))
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
	((${#lines[@]} <= 45)) || fail "${#lines[@]} lines are too many"
	sem=${lines[0]##* }
	assert_match '^/demo\.' "$sem"
	killed=$(sed -n 's/^3\. Script \([0-9]*\) is killed.*/\1/p' <<<"$output")
	heir=$(sed -n 's/.*yet \([0-9]*\) has it now.*/\1/p' <<<"$output")
	jq -se --argjson killed "$killed" --argjson heir "$heir" 'length == 9
		and (.[0] | .value == 0 and (.holders | length) == 2 and .waiting == [])
		and (.[1] | .value == 0 and ([.holders[].pid] | index($killed)) and [.waiting[].pid] == [$heir])
		and (.[2] | .value == 0 and ([.holders[].pid] | index($heir)) and
			([.holders[].pid] | index($killed) | not) and .waiting == [])
		and .[3] == {value: 2, holders: [], waiting: []}
		and [.[4].messages[] | [.priority, .data]] == [[9, "alarm"], [0, "copy"], [0, "pack"]]
		and .[5] == {cells: [{type: "u32", offset: 0, value: 40}]}
		and .[6] == {deadlocked: false, processes: [], order: ["P3", "P2", "P1"]}
		and .[7] == {deadlocked: true, processes: ["copy", "pack"], order: []}
		and (.[8] | .deadlocked and .level == "certain" and (.cycle | length) == 13 and .cycle[0] == .cycle[-1]
			and ([.cycle[] | select(test("^/dev/shm/mutexes\\.[a-z0-9]+@[04]$"))] | length) == 2
			and (.resolve | length) == 1 and (.resolve[0] | test("^futexctl:[0-9]+$")))' >/dev/null <<<"$(grep '^{' <<<"$output")" ||
		fail "$(show_last)"
	assert_match $'\n'"5. $sem is removed."$'\n'
	assert_match 'last holder died.*after [0-9]+ ms the next one has it, and knows of the death'
	assert_match $'\nLINE 1\n   The client sent [0-9]{7} bytes and their end, and all of them came back\\.\n'
	assert_match $'\n   The other one got the mutex, and both have ended\.$'
	assert_equal "$(sed '1,/^   deadlock-check: neither/d; /^14\. /,$d' <<<"$output")" \
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

@test "demo: fails if an increment is lost" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# A shmtool that reads and writes back, and another one has written in between.
	cat >"$BATS_TEST_TMPDIR/bin/shmtool" <<-END
		#!/bin/bash
		case \$1 in
		wait) exit 0 ;;
		poke) exec "$IPCKIT_BUILD/shmtool" poke "\$2" u32@0=1 ;;
		esac
		exec "$IPCKIT_BUILD/shmtool" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/shmtool"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/demo"
	assert_status 1
	assert_stderr 'this is not so: each was counted'
	left_nothing
}

@test "demo: fails if the next holder is not told of a death" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/futexctl" <<-END
		#!/bin/bash
		[[ \$1 == exec ]] || exec "$IPCKIT_BUILD/futexctl" "\$@"
		exec "$IPCKIT_BUILD/futexctl" exec "\$2" -- env -u FUTEXCTL_OWNER_DIED "\${@:4}"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/futexctl"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/demo"
	assert_status 1
	assert_stderr 'this is not so: the next one is told'
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

# ---- shared memory ----

@test "counter: increments are lost if read and written back, else none" {
	example counter
	assert_output 'read, and written back: 5 of 20
poke --add: 20 of 20
poke --add --lock, two numbers that are always the same: 20 of 20
read, and written back, while a semaphore is held: 20 of 20'
	example counter 2 3
	assert_equal "$(grep -o '[0-9]* of .*' <<<"$output" | xargs)" '3 of 6 6 of 6 6 of 6 6 of 6'
}

@test "counter: fails if the two numbers are not the same" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# A shmtool that changes one number alone where there are two.
	cat >"$BATS_TEST_TMPDIR/bin/shmtool" <<-END
		#!/bin/bash
		[[ \$* != poke*--lock* ]] || exec "$IPCKIT_BUILD/shmtool" poke "\$2" "\$3" --add --quiet
		exec "$IPCKIT_BUILD/shmtool" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/shmtool"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/counter"
	assert_status 1
	assert_stderr 'this is not so: [0-9]+ 0$'
	left_nothing
}

@test "settings: each change wakes all that wait, and nobody sees half of one" {
	example settings
	assert_output 'version 1, green: seen by 3
version 2, blue: seen by 3
version 3, white: seen by 3
version 4, red: seen by 3
version 5, green: seen by 3
halves: 0'
	example settings 1 1
	assert_output 'version 1, green: seen by 1
halves: 0'
}

@test "settings: tells of half a change" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# A shmtool whose readers find a line of the text before.
	cat >"$BATS_TEST_TMPDIR/bin/shmtool" <<-END
		#!/bin/bash
		[[ \$1 != read ]] || echo colour=old
		exec "$IPCKIT_BUILD/shmtool" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/shmtool"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/settings" 2 1
	assert_status 0
	assert_match $'\nhalves: [1-9][0-9]*$'
	left_nothing
}

@test "frame: a film goes through the ring, whole" {
	example frame 5
	assert_match '^the pixel in the middle: 0x6f72616e
5 pictures of 8294400 bytes went through the ring, and none is different
by the ring: [0-9]+ ms, by a pipe: [0-9]+ ms$'
}

# ---- words ----

# wrong SCRIPT MESSAGE NAME [ARG...]: the example fails with this message where futexctl is this script, in
# which $real is the right one.
# shellcheck disable=SC2016 # variables of the other shell
wrong()
{
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\nreal=%q\n%s\nexec "$real" "$@"\n' "$IPCKIT_BUILD/futexctl" "$1" \
		>"$BATS_TEST_TMPDIR/bin/futexctl"
	chmod +x "$BATS_TEST_TMPDIR/bin/futexctl"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/$3" "${@:4}"
	assert_status 1
	assert_stderr "$2"
	left_nothing
}

# shellcheck disable=SC2016 # variables of the other shell
@test "alternate: parent and child take turns" {
	local i wanted=
	example alternate 8
	for ((i = 1; i <= 8; i++)); do
		wanted+="parent $i"$'\n'"child $i"$'\n'
	done
	assert_output "${wanted%$'\n'}"
	# One that does not wait is found out by `cas`.
	wrong '[[ $1 != await ]] || exit 0' 'cas: /alternate.*: it is 0, not 1' alternate
}

# shellcheck disable=SC2016 # variables of the other shell
@test "mailbox: each letter is read once, whoever is slower" {
	local ways
	for ways in '6 2 2' '5 3 1' '5 1 3'; do
		# shellcheck disable=SC2086 # three arguments
		example mailbox $ways
		assert_equal "$(sed -n 's/^reader [0-9]* got letter //p' <<<"$output" | sort -n)" "$(seq "${ways%% *}")" letters
	done
	example mailbox 6 1 1
	assert_output "$(printf 'reader 1 got letter %s\n' {1..6})"
	wrong '[[ $1 != swap ]] || {
		"$real" "$@" >/dev/null
		echo 1
		exit
	}' 'this is not so: each letter was read once' mailbox 2 1 1
}

# shellcheck disable=SC2016 # variables of the other shell
@test "herd: all run for nothing, or one, and the others are moved" {
	example herd 8
	assert_output 'wake all: 8 woken, 0 moved; 8 ran, and all sleep again
cmp-requeue: 1 woken, 7 moved; 1 ran, and sleeps again'
	wrong '[[ $1 != cmp-requeue ]] || exec "$real" "${@/#1/all}"' 'this is not so: one was woken' herd 4
}

@test "inheritance: a priority goes along three locks that lend it, and is given back" {
	if chrt --fifo 10 true 2>/dev/null; then
		example inheritance
		assert_output 'futexctl lock-pi:
   nobody else waits: 20 20 20
   one of realtime priority waits for the first lock: -11 -11 -11
   it has given up: 20 20 20
futexctl exec:
   nobody else waits: 20 20 20
   one of realtime priority waits for the first lock: 20 20 20
   it has given up: 20 20 20'
	fi
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/chrt"
	chmod +x "$BATS_TEST_TMPDIR/bin/chrt"
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" timeout 50 "$IPCKIT_SRC/examples/inheritance"
	assert_status 77
	assert_stderr '^inheritance: skipped, realtime priorities are not allowed here'
	left_nothing
}

@test "busy-wait: to look all the time takes the processor, to sleep does not" {
	local took='[0-9]+ ms, which took [0-9]+ us of the processor'
	example busy-wait 0.1
	assert_match "^busily: waited $took
asleep: waited $took
busily for 1 ms, then asleep: waited $took$"
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

@test "embrace: two running scripts are found deadlocked, inferred of semaphores, certain of mutexes, and parted" {
	example embrace
	assert_equal "$(grep -E '^(status|Two|The)' <<<"$output")" "Two scripts, two semaphores:
status 9
The other one got on.
Two scripts, two mutexes:
status 1
The other one got on."
	for script in copy pack; do
		(($(grep -c "^ *bash:.* bash $script " <<<"$output") == 2)) || fail "$script is not shown" "$(show_last)"
	done
}

@test "fifo-server: a line for each client, each with the answer to its own request" {
	example fifo-server 3
	assert_equal "$(sort <<<"$output")" $'1 times 1 is 1\n2 times 2 is 4\n3 times 3 is 9'
}

@test "talk: two commands, each one's output the other one's input" {
	example talk 700
	assert_equal "${lines[0]}" "500: more"
	assert_equal "${lines[-1]}" "700: right"
	example talk 500
	assert_output "500: right"
}

@test "fan-in: whole lines of several writers, each one's in their order" {
	example fan-in 3 300
	assert_output $'written: 900\nwhole: 900\nin order: 900'
}

@test "echo-service: each client gets back what it sent" {
	example echo-service
	assert_equal "$(sort <<<"$output")" "$(printf 'hello, I am client %d\n' 1 2 3)"
}

@test "datagrams: each message by itself, with its sender" {
	example datagrams 3
	assert_equal "$(grep -v '^{' <<<"$output")" $'message 1\nmessage 2\nmessage 3'
	documents 'length == 3 and all(.[]; .bytes == 10 and .error == null and (.peer | test("^127\\.0\\.0\\.1:[0-9]+$")))'
}

@test "full-pipe: the writer is blocked at 65,536 bytes, and that is seen" {
	example full-pipe
	assert_match $'\ncapacity +65536\nbytes +65536\n'
	assert_match $' no +yes +write cat /dev/zero\n'
	assert_equal "${lines[-1]}" "8192 bytes were read, and it is full again"
}

@test "interrupted, they clean up" {
	interrupted ping-pong 2
	interrupted relay 3
	interrupted producer-consumer 3
	interrupted philosophers 5 5
	interrupted barrier 1 4
	interrupted print-spooler 2 2
	interrupted starvation 1
	interrupted demo 1 2
	interrupted job-queue 2
	interrupted log-fan-in 1
	interrupted request-reply 2 6
	interrupted counter 2 4
	interrupted settings 1 5
	interrupted frame 2
	interrupted alternate 1 2
	interrupted mailbox 1 4
	interrupted herd 1 12
	interrupted inheritance 1
	interrupted busy-wait 1
	interrupted two-locks 2 2
	interrupted embrace 2 3
	interrupted lock-manager 0
	interrupted fifo-server 0
	interrupted talk 0
	interrupted fan-in 0
	interrupted echo-service 0
	interrupted datagrams 0
	interrupted full-pipe 0
}
