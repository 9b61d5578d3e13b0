# SPDX-License-Identifier: GPL-2.0-or-later
# Signals that come while semctl-cli waits: they end a wait at once and take nothing with
# them; those that are ignored or do not matter leave it and its deadline alone.

load helpers
load backends

# since US: the microseconds since then.
since()
{
	echo $((${EPOCHREALTIME/[^0-9]/} - $1))
}

# past US DURATION: whether so many microseconds have gone since then.
past()
{
	(($(since "$1") >= $2))
}

@test "a signal ends a wait at once, and the shell sees which" {
	create_each 0
	for object in "${objects[@]}"; do
		for signal in INT TERM HUP; do
			start_waiter wait "$object"
			kill -"$signal" "$pid"
			finish "$pid" 2
			died_of "$signal"
			assert_equal "$output$stderr" ""
		done
		semctl-cli post "$object"
		assert_value "$object" 1
	done
}

@test "so do SIGQUIT, SIGALRM, and a wait with a timeout" {
	create_each 0
	for object in "${objects[@]}"; do
		for signal in QUIT ALRM INT; do
			start_waiter wait "$object" --timeout 20s
			kill -"$signal" "$pid"
			finish "$pid" 2
			died_of "$signal"
		done
		assert_value "$object" 0
	done
}

@test "a waiter for several gives back on SIGINT what it had" {
	create_each 2
	for object in "${objects[@]}"; do
		start semctl-cli wait "$object" --count 3
		wait_until 5 blocked_in "$pid" clock_nanosleep semtimedop semop
		kill -INT "$pid"
		finish "$pid" 2
		died_of INT
		assert_value "$object" 2
	done
}

@test "a waiter that queues behind another taker of several is interrupted" {
	create_each 1
	for object in /jobs "$TMPDIR/words@64" "$eventfd"; do
		start semctl-cli wait "$object" --count 2
		first=$pid
		wait_until 5 blocked_in "$first" clock_nanosleep
		start semctl-cli wait "$object" --count 2 --timeout 20s
		wait_until 5 blocked_in "$pid" fcntl
		kill -TERM "$pid"
		finish "$pid" 2
		died_of TERM
		start semctl-cli wait "$object" --count 2 --timeout 20s
		wait_until 5 blocked_in "$pid" fcntl
		kill -KILL "$first"
		finish "$first"
		semctl-cli post "$object"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
		semctl-cli post "$object"
	done
}

@test "a killed waiter takes nothing with it" {
	create_each 0
	for object in "${objects[@]}"; do
		start_waiter wait "$object"
		kill -KILL "$pid"
		finish "$pid"
		died_of KILL
		semctl-cli post "$object"
		assert_value "$object" 1
		run semctl-cli wait "$object" --timeout 5s
		assert_status 0
	done
}

@test "a signal at any moment: what was not taken is there, what was taken is gone" {
	create_each 5000
	for object in "${objects[@]}"; do
		for count in 1 3; do
			for signal in 2 15; do
				before=$(value_of "$object")
				run "$peers/interrupt" 60 9000 "$signal" semctl-cli wait "$object" --count "$count"
				assert_status 0
				assert_match "^(0 [0-9]+)?.?($((128 + signal)) [0-9]+)?$"
				taken=0
				[[ ! $output =~ ^'0 '([0-9]+) ]] || taken=${BASH_REMATCH[1]}
				assert_value "$object" $((before - taken * count))
			done
		done
	done
}

@test "a signal just when the permits were taken: they are given back" {
	build_shim
	for object in /jobs key:7; do
		semctl-cli create -q "$object" --value 5
		for signal in 2 15; do
			for count in 1 3 5; do
				run shim SHIM_RAISE=$signal env --default-signal semctl-cli wait "$object" --count "$count"
				assert_status $((128 + signal))
				assert_output ""
				assert_value "$object" 5
			done
			run shim SHIM_RAISE=$signal env --ignore-signal=INT,TERM semctl-cli wait "$object"
			assert_status 0
			assert_value "$object" 4
			semctl-cli post "$object"
		done
	done
	semctl-cli create -q key:8 --values 32767,4
	run shim SHIM_RAISE=2 env --default-signal semctl-cli op key:8 0:-1 0:+1 1:-3
	assert_status 130
	run semctl-cli values key:8 --plain
	assert_output $'0\t32767\n1\t4'
	run shim SHIM_RAISE=2 env --default-signal semctl-cli op key:8 1:-3u -- touch "$TMPDIR/ran"
	assert_status 130
	run semctl-cli values key:8 --plain
	assert_output $'0\t32767\n1\t4'
	[[ ! -e $TMPDIR/ran ]]
}

@test "a permit and a signal that come together: either has it, nobody loses it" {
	for object in /jobs key:7; do
		semctl-cli create -q "$object"
		for ((i = 0; i < 12; i++)); do
			start_waiter wait "$object"
			waiter=$pid
			start semctl-cli post "$object"
			# One round the signal comes before, one after what the permit does.
			((i % 2)) || wait_until 5 gone "$pid"
			kill -INT "$waiter" 2>/dev/null || gone "$waiter"
			finish "$pid"
			assert_status 0
			finish "$waiter"
			if ((status == 0)); then
				assert_value "$object" 0
			else
				died_of INT
				assert_value "$object" 1
				semctl-cli wait "$object" --timeout 0
			fi
		done
	done
}

@test "wait-zero and op end by a signal, too, with nothing done" {
	semctl-cli create -q key:7 --values 1,0
	for signal in INT TERM HUP; do
		start_waiter wait-zero key:7
		kill -"$signal" "$pid"
		finish "$pid" 2
		died_of "$signal"
		start_waiter op key:7 0:-1 1:-1
		kill -"$signal" "$pid"
		finish "$pid" 2
		died_of "$signal"
		start_waiter op key:7 0:-1u 1:-1 -- true
		kill -"$signal" "$pid"
		finish "$pid" 2
		died_of "$signal"
	done
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t0'
	run "$peers/interrupt" 100 9000 2 semctl-cli op key:7 0:+2 1:+1
	assert_match '^(0 [0-9]+.)?130 [0-9]+$'
	done=0
	[[ ! $output =~ ^'0 '([0-9]+) ]] || done=${BASH_REMATCH[1]}
	run semctl-cli values key:7 --plain
	assert_output "0	$((1 + 2 * done))
1	$done"
}

@test "an ignored signal stays ignored" {
	create_each 0
	for object in "${objects[@]}"; do
		start env --ignore-signal=INT,TERM,HUP,QUIT,ALRM semctl-cli wait "$object" --timeout 20s
		wait_until 5 waits "$pid"
		for signal in INT TERM HUP QUIT ALRM; do
			kill -"$signal" "$pid"
		done
		wait_until 5 waits "$pid"
		semctl-cli post "$object"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "ignored signals do not keep a deadline away" {
	semctl-cli create -q /jobs
	semctl-cli create -q key:7
	for object in /jobs key:7; do
		for count in 1 2; do
			punctual 150000 env --ignore-signal=INT,TERM,ALRM semctl-cli wait "$object" \
				--count "$count" --timeout 150ms 2>/dev/null
			assert_status 1
		done
	done
}

@test "stopped and continued before the deadline, a wait keeps it" {
	local ms=600
	! is_sanitized || ms=2400
	create_each 0
	for object in "${objects[@]}"; do
		# One that began anew when it was continued would take half as long again.
		for try in {1..10}; do
			us=$((ms * 2000))
			begin=${EPOCHREALTIME/[^0-9]/}
			start semctl-cli wait "$object" --timeout "${ms}ms"
			wait_until 5 or_gone "$pid" waits "$pid"
			# On a slow machine it may have ended by now.
			pauses "$pid" || continue
			wait_until 5 past "$begin" $((ms * 500))
			kill -CONT "$pid"
			finish "$pid"
			us=$(since "$begin")
			assert_status 1
			assert_stderr "timed out after ${ms}ms\$"
			((us >= ms * 1000))
			((us > ms * 1400)) || break
		done
		((us <= ms * 1400)) || fail "$object: ended after $us us ($try tries)"
	done
}

@test "stopped until after the deadline, a wait ends when it is continued" {
	create_each 0
	for object in "${objects[@]}"; do
		# On a slow machine it may have ended before it is stopped.
		for seconds in 1 3 9; do
			start semctl-cli wait "$object" --timeout "${seconds}s"
			begin=${EPOCHREALTIME/[^0-9]/}
			wait_until 5 or_gone "$pid" waits "$pid"
			! pauses "$pid" || break
		done
		wait_until 10 past "$begin" $((seconds * 1000000 + 50000))
		state_is "$pid" T
		kill -CONT "$pid"
		finish "$pid" 1
		assert_status 1
		assert_stderr "timed out after ${seconds}s\$"
		assert_value "$object" 0
	done
}

@test "a permit that comes while the waiter is stopped is its own" {
	create_each 0
	for object in "${objects[@]}"; do
		start_waiter wait "$object"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		semctl-cli post "$object"
		kill -CONT "$pid"
		finish "$pid"
		assert_status 0
		assert_value "$object" 0
	done
}

@test "a stopped waiter is still interrupted" {
	create_each 0
	for object in "${objects[@]}"; do
		start_waiter wait "$object"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		wait_until 5 waits "$pid"
		kill -INT "$pid"
		finish "$pid" 2
		died_of INT
		assert_value "$object" 0
	done
}

@test "a signal every 10 ms neither shortens nor lengthens a wait" {
	create_each 1
	for object in "${objects[@]}"; do
		for count in 2 3; do
			for ((try = 1; ; try++)); do
				run "$peers/signals" "$object" "$count" 250
				assert_status 0
				read -r outcome ms came <<<"$output"
				assert_equal "$outcome" ETIMEDOUT
				((${ms%.*} >= 250))
				(((${ms%.*} > 250 + try * 100 || came < 5) && try < 8)) || break
			done
			((came >= 5)) || fail "$object: $came signals in $ms ms ($try tries)"
			((${ms%.*} <= 250 + try * 100)) || fail "$object: ended after $ms ms ($try tries)"
			assert_value "$object" 1
		done
		run "$peers/signals" "$object" 1 250
		assert_match '^taken '
		run "$peers/signals" "$object" 1 250
		read -r outcome ms came <<<"$output"
		assert_equal "$outcome" ETIMEDOUT
		((${ms%.*} >= 250))
	done
}

@test "a permit arrives through a storm of signals" {
	create_each 0
	for object in "${objects[@]}"; do
		start "$peers/signals" "$object" 2 20000
		semctl-cli post "$object"
		wait_until 5 value_is "$object" 1
		semctl-cli post "$object"
		finish "$pid"
		assert_match '^taken '
		assert_value "$object" 0
	done
}

@test "a COMMAND begins with the signals that the tool was given" {
	semctl-cli create -q key:7 --value 9
	start semctl-cli op key:7 0:-1u -- cat /proc/self/status
	finish "$pid"
	assert_status 0
	assert_match 'SigBlk:[[:space:]]*0+[[:space:]]'
	assert_match 'SigIgn:[[:space:]]*([0-9a-f]+)'
	assert_equal $((16#${BASH_REMATCH[1]} & ~(3 << 31))) 0
	start env --ignore-signal=INT,ALRM --block-signal=USR1 semctl-cli op key:7 0:-1u --timeout 1s -- \
		cat /proc/self/status
	finish "$pid"
	assert_status 0
	assert_match 'SigBlk:[[:space:]]*([0-9a-f]+)'
	assert_equal $((16#${BASH_REMATCH[1]})) $((1 << 9))
	assert_match 'SigIgn:[[:space:]]*([0-9a-f]+)'
	assert_equal $((16#${BASH_REMATCH[1]} & ~(3 << 31))) $((1 << 1 | 1 << 13))
	assert_value key:7 9
}

@test "a reader that has gone ends the tool by SIGPIPE, quietly" {
	semctl-cli create -q /jobs
	mkfifo "$TMPDIR/pipe"
	exec 5<>"$TMPDIR/pipe"
	exec 6>"$TMPDIR/pipe"
	# The reader has gone: what is written to 6 has nobody.
	exec 5<&-
	rm "$TMPDIR/pipe"
	run --separate-stderr env --default-signal=PIPE bash -c 'exec semctl-cli value /jobs >&6'
	exec 6>&-
	assert_status 141
	assert_equal "$stderr" ""
}

@test "without a timer to be had, waits go on and end in time" {
	create_each 1
	for object in "${objects[@]}"; do
		run prlimit --sigpending=0 semctl-cli wait "$object" --timeout 5s
		assert_status 0
		assert_value "$object" 0
		run --separate-stderr prlimit --sigpending=0 semctl-cli wait "$object" --timeout 50ms
		assert_status 1
		assert_stderr 'timed out after 50ms'
	done
	run prlimit --sigpending=0 semctl-cli exec "file:$TMPDIR/lock" --timeout 5s -- echo ran
	assert_output ran
}

@test "post of many is not cut by a signal" {
	for signal in TERM USR1; do
		semctl-cli create /many --quiet
		start semctl-cli post /many --count 20000000
		wait_until 5 value_has_risen /many
		kill -$signal "$pid"
		finish "$pid"
		assert_value /many 20000000
		semctl-cli rm /many
	done
}

value_has_risen()
{
	(($(value_of "$1") > 0))
}

@test "wait for many gives back what it has when it is interrupted, or too late" {
	# More than can be taken while this test waits for the processor.
	semctl-cli create /many --value "$many" --quiet
	for signal in INT USR1; do
		start semctl-cli wait /many --count "$many"
		wait_until 5 value_has_sunk /many
		kill -$signal "$pid"
		finish "$pid"
		assert_status $((128 + $(kill -l $signal)))
		assert_value /many "$many"
	done
	run --separate-stderr semctl-cli wait /many --count "$many" --timeout 1ms
	assert_status 1
	assert_value /many "$many"
}
many=2000000000

value_has_sunk()
{
	(($(value_of "$1") < many))
}
