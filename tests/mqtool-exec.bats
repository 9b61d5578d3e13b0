# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool exec: COMMAND once for each message, and what becomes of those that failed.
# Signals, kills and journals: mqtool-exec-signals.bats.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# ranked OBJECT RANK TEXT: sends it with a priority or of a type.
ranked()
{
	if [[ $1 == *:* ]]; then
		mqtool send "$1" --type "$2" "$3"
	else
		mqtool send "$1" --priority "$2" "$3"
	fi
}

rank_of()
{
	[[ $1 == posix ]] && echo priority || echo type
}

# lines_are FILE N: so many lines are in it.
lines_are()
{
	[[ -e $1 && $(wc -l <"$1") == "$2" ]]
}

# ---- what COMMAND gets ----

@test "COMMAND's standard input is exactly the message" {
	large_queues
	printf '%b' "$(printf '\\x%02x' {0..255})" >bytes
	head -c 8192 /dev/urandom >large
	printf 'no newline' >text
	: >empty
	files=(bytes text empty large)
	for backend in "${backends[@]}"; do
		make "$backend"
		for file in "${files[@]}"; do
			mqtool send "$object" --file "$file"
		done
		rm -f out.*
		run --separate-stderr mqtool exec "$object" --all -- \
			sh -c 'cat >out.$(ls | grep -c ^out); [ "$(wc -c)" = 0 ]'
		assert_status 0
		assert_equal "$output$stderr" ""
		for i in "${!files[@]}"; do
			cmp "${files[i]}" "out.$i"
		done
		assert_count "$object" 0
	done
}

@test "COMMAND's environment tells the queue, the rank and the size" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rank=$(rank_of "$backend")
		for text in hello ""; do
			ranked "$object" 7 "$text"
			run env IPCKIT_TYPE=x IPCKIT_PRIORITY=x IPCKIT_SIZE=x IPCKIT_QUEUE=x \
				mqtool exec "$object" --all -- sh -c 'echo "${IPCKIT_PRIORITY-none} ${IPCKIT_TYPE-none} $IPCKIT_QUEUE $IPCKIT_SIZE"'
			assert_output "$([[ $rank == type ]] && echo none 7 || echo 7 none) $object ${#text}"
		done
	done
}

@test "COMMAND's words are passed on as they are" {
	make posix
	mqtool send "$object" x
	run mqtool exec "$object" --count 1 -- printf '[%s]' --timeout '' '-- ' -- 'a b' '!#:+'
	assert_output "[--timeout][][-- ][--][a b][!#:+]"
}

@test "messages come in the order of the queue; --type selects" {
	make posix
	for text in '1 low' '9 high' '5 mid' '9 next'; do
		mqtool send "$object" --priority "${text% *}" "${text#* }"
	done
	run mqtool exec "$object" --all -- sh -c 'cat; echo'
	assert_output $'high\nnext\nmid\nlow'
	make sysv
	for text in '3 a' '1 b' '3 c' '2 d'; do
		mqtool send "$object" --type "${text% *}" "${text#* }"
	done
	run mqtool exec "$object" --all --type 3 -- sh -c 'cat; echo'
	assert_output $'a\nc'
	run mqtool exec "$object" --all --type -2 -- sh -c 'cat; echo'
	assert_output $'b\nd'
	assert_count "$object" 0
}

# ---- how many, how long ----

@test "exec --count ends after so many messages" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c d e
		for parallel in 1 4; do
			run mqtool exec "$object" --count 2 --parallel "$parallel" --json -- sh -c 'n=$(cat); echo "$n" >>log'
			assert_status 0
			json --arg o "$object" --arg b "$backend" '. == {object: $o, backend: $b, messages: 2, failed: 0,
				requeued: 0, dead_lettered: 0}'
		done
		assert_texts "$object" e
		assert_equal "$(sort log | tr -d '\n')" abcd
		rm log
	done
}

@test "exec --all ends when no message is there" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run mqtool exec "$object" --all -- touch ran
		assert_status 0
		[[ ! -e ran ]]
		mqtool send "$object" a b c
		run mqtool exec "$object" --all --parallel 9 --json -- true
		assert_status 0
		json '.messages == 3 and .failed == 0'
	done
}

@test "exec waits for messages, and runs each as it comes" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rm -f log
		start mqtool exec "$object" --parallel 2 --count 3 -- sh -c 'n=$(cat); echo "$n" >>log'
		for text in a b c; do
			wait_until 5 waits "$pid"
			mqtool send "$object" "$text"
			wait_until 5 grep -q "$text" log
		done
		finish "$pid"
		assert_status 0
		assert_equal "$(<log)" $'a\nb\nc'
	done
}

@test "exec --timeout: none came for so long, 124" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run --separate-stderr mqtool exec "$object" --timeout 0 --json -- touch ran
		assert_status 124
		assert_stderr "^mqtool exec: $object: no message is there\$"
		json '.error.code == "EAGAIN" and .error.exit == 124'
		punctual 150000 mqtool exec "$object" --timeout 150ms -- touch ran 2>/dev/null
		assert_equal "$status" 124
		run --separate-stderr mqtool exec "$object" --timeout 20ms --json -- touch ran
		assert_status 124
		assert_stderr "^mqtool exec: $object: timed out after 20ms\$"
		json '.error.code == "ETIMEDOUT" and .error.exit == 124'
		[[ ! -e ran ]]
		# Those that were there have been run, and one that takes long has been waited for.
		mqtool send "$object" a b
		rm -f log
		run --separate-stderr mqtool exec "$object" --timeout 20ms --parallel 2 -- sh -c 'sleep 0.1; cat >>log'
		assert_status 124
		assert_equal "$(wc -c <log)" 2
	done
}

# ---- several at a time ----

# gate_opens PID: lets commands on that wait in `cat gate`; whether the run has ended.
gate_opens()
{
	: 1<>gate
	gone "$1"
}

@test "exec --parallel runs so many commands at a time" {
	mkfifo gate
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c d e
		rm -f log
		start mqtool exec "$object" --all --parallel 3 -- sh -c 'n=$(cat); echo "$n" >>log; cat gate'
		wait_until 5 lines_are log 3
		wait_until 5 blocked_in "$pid" poll ppoll
		assert_equal "$(wc -w <"/proc/$pid/task/$pid/children")" 3
		assert_count "$object" 2
		wait_until 10 gate_opens "$pid"
		finish "$pid"
		assert_status 0
		lines_are log 5
		assert_count "$object" 0
	done
}

@test "exec --parallel never runs more, and never has fewer for long" {
	for backend in "${backends[@]}"; do
		make "$backend"
		truncate -s 24 board
		start sh -c 'seq 200 | mqtool send "$1" --lines' - "$object"
		run --separate-stderr mqtool exec "$object" --count 200 --parallel 3 -- "$peers/jobs" inside board
		assert_status 0
		finish "$pid"
		read -r _ inside most ended failed _ < <(od -An -tu4 -w24 board)
		assert_equal "$inside $ended $failed" "0 200 0"
		assert_equal "$most" 3
		rm board
	done
}

@test "1,000 messages with 8 workers each run exactly once" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rm -f log
		start sh -c 'seq 1000 | mqtool send "$1" --lines' - "$object"
		run --separate-stderr mqtool exec "$object" --count 1000 --parallel 8 --json -- sh -c 'read -r n; echo "$n" >>log'
		assert_status 0
		assert_equal "$stderr" ""
		json '.messages == 1000 and .failed == 0'
		finish "$pid"
		assert_status 0
		assert_equal "$(sort -n log | cksum)" "$(seq 1000 | cksum)"
		assert_count "$object" 0
	done
}

@test "two runs share the messages of a queue" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rm -f log
		start mqtool exec "$object" --parallel 2 -- sh -c 'read -r n; echo "$n" >>log'
		first=$pid
		start mqtool exec "$object" --parallel 2 -- sh -c 'read -r n; echo "$n" >>log'
		seq 200 | mqtool send "$object" --lines
		wait_until 20 lines_are log 200
		for one in "$first" "$pid"; do
			kill -TERM "$one"
			finish "$one"
			died_of TERM
			assert_equal "$stderr" ""
		done
		assert_equal "$(sort -n log | cksum)" "$(seq 200 | cksum)"
	done
}

# ---- commands that fail ----

@test "a failure is reported with its message, the run goes on, and its status is the first one's" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for text in 0 3 0 5 sig 0; do
			ranked "$object" 4 "$text"
		done
		run --separate-stderr mqtool exec "$object" --all --json -- \
			sh -c 'read -r n; case $n in sig) kill -KILL $$ ;; *) exit "$n" ;; esac'
		assert_status 3
		json '.messages == 6 and .failed == 3 and .requeued == 0 and .dead_lettered == 0'
		rank=$(rank_of "$backend")
		assert_equal "$(grep -v "its message was" <<<"$stderr")" "mqtool exec: warning: $object: sh failed with status 3
mqtool exec: warning: $object: sh failed with status 5
mqtool exec: warning: $object: sh was ended by signal 9 (Killed)"
		assert_equal "$(sed -n 's/^mqtool exec: warning: .*: its message was //p' <<<"$stderr")" \
			"{\"$rank\":4,\"size\":1,\"data\":\"3\"}
{\"$rank\":4,\"size\":1,\"data\":\"5\"}
{\"$rank\":4,\"size\":3,\"data\":\"sig\"}"
		assert_count "$object" 0
	done
}

@test "COMMAND that is ended by a signal: 128 and its number" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in TERM KILL SEGV USR1; do
			mqtool send "$object" x
			run mqtool exec "$object" --all -- sh -c "kill -$signal \$\$"
			assert_status $((128 + $(kill -l $signal)))
		done
		for code in 1 125 255; do
			mqtool send "$object" x
			run mqtool exec "$object" --all -- sh -c "exit $code"
			assert_status $code
		done
	done
}

@test "what a failed message was can be restored from stderr" {
	for backend in "${backends[@]}"; do
		make "$backend"
		printf 'a\0\377b' | mqtool send "$object"
		run --separate-stderr mqtool exec "$object" --all -- false
		assert_status 1
		sed -n 's/.* its message was //p' <<<"$stderr" | mqtool restore "$object"
		mqtool recv "$object" --raw --timeout 0 >back
		printf 'a\0\377b' | cmp - back
	done
}

@test "a COMMAND that cannot be run: 126 or 127, and the message is in the queue" {
	: >plain
	printf '#!/nope\n' >no-interpreter
	chmod +x no-interpreter
	for backend in "${backends[@]}"; do
		make "$backend"
		ranked "$object" 7 keep
		ranked "$object" 7 other
		for options in "" "--parallel 4" "--requeue" "--journal $BATS_TEST_TMPDIR/journal.$backend"; do
			# shellcheck disable=SC2086 # words
			run -127 --separate-stderr mqtool exec "$object" $options --json -- no-such-command
			assert_stderr '^mqtool exec: no-such-command: command not found$'
			json '.error | .code == "ENOENT" and .exit == 127 and .object == "no-such-command"'
			[[ $options != --journal* ]] || break
			assert_count "$object" 2
			for command in ./plain / ./no-interpreter; do
				# shellcheck disable=SC2086
				run mqtool exec "$object" $options -- "$command"
				assert_status 126
				assert_count "$object" 2
			done
		done
		# In the journal, or in the queue: none is lost.
		run mqtool exec "$object" --all --journal "journal.$backend" -- sh -c 'cat; echo " ${IPCKIT_TYPE-$IPCKIT_PRIORITY}"'
		assert_equal "$(sort <<<"$output")" $'keep 7\nother 7'
	done
}

# ---- sending back ----

@test "exec --requeue: the message of a command that failed is back" {
	for backend in "${backends[@]}"; do
		make "$backend"
		ranked "$object" 7 bad
		run --separate-stderr mqtool exec "$object" --count 1 --requeue --json -- false
		assert_status 0
		json '.messages == 1 and .failed == 1 and .requeued == 1'
		assert_equal "$stderr" "mqtool exec: warning: $object: false failed with status 1"
		run mqtool recv "$object" --timeout 0
		json --arg rank "$(rank_of "$backend")" '.data == "bad" and .[$rank] == 7'
		# It comes again until it does not fail.
		mqtool send "$object" a b
		rm -f log
		run --separate-stderr mqtool exec "$object" --all --requeue --json -- \
			sh -c 'read -r t; echo "$t" >>log; [ "$(grep -c "$t" log)" = 3 ]'
		assert_status 0
		json '.messages == 6 and .failed == 4 and .requeued == 4'
		assert_equal "$(sort log | tr -d '\n')" aaabbb
		assert_count "$object" 0
	done
}

@test "exec --requeue: the message of a full queue is run again, not lost" {
	for backend in "${backends[@]}"; do
		if [[ $backend == posix ]]; then
			make posix --maxmsg 4
		else
			make sysv --qbytes 4
		fi
		mqtool send "$object" a b c d
		# As soon as one is taken, a sender has its place.
		senders=()
		for text in e f g h i j; do
			start_waiter send "$object" "$text"
			senders+=("$pid")
		done
		rm -f log
		run mqtool exec "$object" --all --requeue --json -- sh -c 'read -r t; echo "$t" >>log; [ "$(grep -c "$t" log)" = 2 ]'
		assert_status 0
		for one in "${senders[@]}"; do
			finish "$one"
			assert_status 0
		done
		mqtool exec "$object" --all --requeue -- sh -c 'read -r t; echo "$t" >>log; [ "$(grep -c "$t" log)" = 2 ]'
		assert_equal "$(sort log | tr -d '\n')" aabbccddeeffgghhiijj
		assert_count "$object" 0
	done
}

# both_end PID PID: likewise for two commands.
both_end()
{
	: 1<>gate
	state_is "$1" Z && state_is "$2" Z
}

@test "exec --requeue --count: it ends though messages found no room, which are printed" {
	mkfifo gate
	for backend in "${backends[@]}"; do
		if [[ $backend == posix ]]; then
			make posix --maxmsg 4
		else
			make sysv --qbytes 4
		fi
		mqtool send "$object" a b c d
		rm -f log
		start mqtool exec "$object" --requeue --parallel 2 --count 3 --json -- sh -c 'n=$(cat); echo "$n" >>log; cat gate; exit 1'
		run=$pid
		wait_until 5 lines_are log 2
		mqtool send "$object" e f
		read -r first second <"/proc/$run/task/$run/children" || true
		# It finds both of them ended at once.
		kill -STOP "$run"
		wait_until 5 state_is "$run" T
		wait_until 10 both_end "$first" "$second"
		kill -CONT "$run"
		wait_until 10 gate_opens "$run"
		finish "$run"
		# Both are run once more, and are one more than there is room for then.
		assert_status 8
		json '.messages == 4 and .failed == 4'
		printed=$(sed -n 's/.*could not be put back: //p' <<<"$stderr" | jq -r .data | sort | paste -sd ' ')
		assert_equal "$printed" "a b"
		assert_texts "$object" "c d e f"
	done
}

# ---- dead letters ----

@test "exec --dead-letter: failed messages are there, with their rank" {
	for backend in "${backends[@]}"; do
		make "$backend"
		dead=$object
		make "$backend"
		ranked "$object" 7 good
		ranked "$object" 7 bad
		ranked "$object" 7 worse
		run --separate-stderr mqtool exec "$object" --all --dead-letter "$dead" --json -- sh -c '[ "$(cat)" = good ]'
		assert_status 0
		json '.messages == 3 and .failed == 2 and .dead_lettered == 2 and .requeued == 0'
		assert_equal "$stderr" "mqtool exec: warning: $object: sh failed with status 1
mqtool exec: warning: $object: sh failed with status 1"
		assert_count "$object" 0
		run mqtool recv "$dead" --all
		json --arg rank "$(rank_of "$backend")" '.messages | map([.data, .[$rank]]) == [["bad", 7], ["worse", 7]]'
	done
}

@test "exec --dead-letter that is full: the message is given back, and the run ends" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		dead=$object
		fill "$dead"
		make "$backend"
		ranked "$object" 7 bad
		ranked "$object" 7 next
		run --separate-stderr mqtool exec "$object" --all --dead-letter "$dead" --json -- false
		assert_status 125
		json '.error.code == "ENOSPC" and .error.exit == 125'
		assert_stderr "mqtool exec: $dead: it is full: the message is given back, and no more are taken\$"
		run mqtool recv "$object" --all
		json --arg rank "$(rank_of "$backend")" '.messages | map([.data, .[$rank]]) == [["next", 7], ["bad", 7]]'
		assert_count "$dead" 4
	done
}

@test "exec --dead-letter that takes only smaller messages" {
	make posix --msgsize 4
	dead=$object
	make posix
	mqtool send "$object" 12345
	run --separate-stderr mqtool exec "$object" --all --dead-letter "$dead" --json -- false
	assert_status 125
	assert_stderr "mqtool exec: $dead: the message is too long"
	json '.error.code == "EMSGSIZE" and .error.limit.value == 4 and .error.limit.needed == 5'
	assert_texts "$object" 12345
	make sysv --qbytes 4
	dead=$object
	make sysv
	mqtool send "$object" 12345
	run mqtool exec "$object" --all --dead-letter "$dead" -- false
	assert_status 125
	assert_texts "$object" 12345
}

@test "exec --dead-letter: one of the other backend, none, one that may not be sent to" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" x
		queue=$object
		make "$([[ $backend == posix ]] && echo sysv || echo posix)"
		run --separate-stderr mqtool exec "$queue" --all --dead-letter "$object" --json -- touch ran
		assert_status 125
		assert_stderr "a priority is no type"
		json '.error.code == "USAGE"'
		run mqtool exec "$queue" --all --dead-letter /none -- touch ran
		assert_status 125
		make "$backend" --mode 0400
		status=0
		as_unprivileged mqtool exec "$queue" --all --dead-letter "$object" -- false 2>err || status=$?
		assert_equal "$status" 125
		assert_match 'permission denied|not permitted' "$(<err)"
		[[ ! -e ran ]]
		assert_texts "$queue" x
	done
}

# ---- what goes wrong ----

@test "exec: no such queue, no permission, bad operands are 125, and nothing runs" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" x
		for words in "--count 0" "--count x" "--parallel 0" "--parallel 65537" "--parallel x" "--timeout 5sfoo" \
			"--bogus" "/more" "--count 1 --all" "--requeue --dead-letter $object" "--journal $BATS_TEST_TMPDIR" \
			"--journal $BATS_TEST_TMPDIR/none/journal" "--count 99999999999999999999"; do
			# shellcheck disable=SC2086 # words
			run mqtool exec "$object" $words -- touch ran
			assert_status 125
			[[ ! -e ran ]] || fail "ran with: $words"
		done
		for words in "" "--"; do
			# shellcheck disable=SC2086
			run mqtool exec "$object" $words
			assert_status 125
		done
		make "$backend" --mode 0200
		run --separate-stderr as_unprivileged mqtool exec "$object" --all -- touch ran
		assert_status 125
		assert_stderr "^mqtool exec: $object: permission denied"
	done
	for object in /none key:0x7ffffff1 id:2147483647 made; do
		run mqtool exec "$object" -- touch ran
		assert_status 125
	done
	make posix
	run mqtool exec "$object" --type 1 -- touch ran
	assert_status 125
	[[ ! -e ran ]]
}

@test "exec: a System V queue that is removed while it waits, with and without commands" {
	mkfifo gate
	make sysv
	start mqtool exec "$object" --json -- true
	wait_until 5 blocked_in "$pid" msgrcv
	ipcrm -Q "${object#key:}"
	finish "$pid"
	assert_status 125
	assert_stderr "^mqtool exec: $object: removed while it was used\$"
	json '.error.code == "EIDRM" and .error.exit == 125'
	make sysv
	mqtool send "$object" x
	start mqtool exec "$object" --parallel 2 -- sh -c 'n=$(cat); echo "$n" >>log; cat gate; touch ended'
	wait_until 5 lines_are log 1
	ipcrm -Q "${object#key:}"
	wait_until 10 gate_opens "$pid"
	finish "$pid"
	assert_status 125
	# What was running has been waited for.
	[[ -e ended ]]
}

# few_descriptors COMMAND...: with room for one beside the standard ones.
few_descriptors()
{
	bash -c 'for fd in /proc/$$/fd/*; do
			fd=${fd##*/}
			((fd <= 2)) || eval "exec $fd>&-"
		done
		ulimit -n 4
		exec "$@"' - "$@"
}

@test "exec: no descriptors left for a message, which is not lost" {
	make posix
	ranked "$object" 7 keep
	run --separate-stderr few_descriptors mqtool exec "$object" --json --count 1 -- touch ran
	assert_status 125
	json '.error.code == "EMFILE" and .error.exit == 125'
	run mqtool recv "$object" --timeout 0
	json '.data == "keep" and .priority == 7'
	[[ ! -e ran ]]
	# System V queues need none: what is missing is that by which a command's end is waited for.
	make sysv
	mqtool send "$object" a b
	run --separate-stderr few_descriptors mqtool exec "$object" --all -- sh -c 'cat; sleep 0.05'
	assert_status 0
	assert_output ab
}

@test "exec: a result that cannot be written" {
	make sysv
	mqtool send "$object" x
	run --separate-stderr bash -c 'mqtool exec "$1" --all --json -- sh -c "cat >ran" >/dev/full' - "$object"
	assert_status 8
	assert_stderr '^mqtool exec: standard output: no space left'
	assert_equal "$(<ran)" x
}
