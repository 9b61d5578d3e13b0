# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool exec: what COMMAND inherits; runs that are signalled and killed, and what their
# journals keep.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo gate
	journal=$BATS_TEST_TMPDIR/journal
	commands=()
}

# Commands of a run that was killed are left.
teardown()
{
	local one
	for one in "${commands[@]}"; do
		kill -KILL "$one" 2>/dev/null || true
	done
	remove_queues
}

# started_are N: so many commands of `working` have begun.
started_are()
{
	[[ -e begun && $(wc -l <begun) == "$1" ]]
}

# gate_opens PID: lets commands on that wait in `cat gate`; whether the run has ended.
gate_opens()
{
	: 1<>gate
	gone "$1"
}

# A command that notes its message in `begun`, waits until the gate opens, and notes it in `ended`.
working=(sh -c 'read -r n; echo "$n" >>begun; cat gate; echo "$n" >>ended')
# One that is ended by signals, and does nothing.
holding=(sh -c 'read -r n; echo "$n" >>begun; exec sleep 1000')

# start_run N ARG... -- COMMAND...: starts mqtool exec, in a process group of its own, and waits
# until N commands have begun. Its pid in $run, theirs in $commands.
start_run()
{
	local n=$1
	shift
	rm -f begun ended
	start setsid mqtool exec "$@"
	run=$pid
	wait_until 5 started_are "$n"
	wait_until 5 blocked_in "$run" poll ppoll
	read -ra commands <"/proc/$run/task/$run/children" || true
	assert_equal "${#commands[@]}" "$n" "commands"
}

# ---- what COMMAND inherits ----

# signals_of COMMAND...: what its job prints of its signals. 32 and 33 are libc's own, which
# posix_spawn(3) has ignored.
signals_of()
{
	local key mask
	"$@" grep -E '^(Sig[^Q]|ShdPnd)' /proc/self/status | while read -r key mask; do
		printf '%s %x\n' "$key" $((0x$mask & ~0x180000000))
	done
}

@test "COMMAND's signals are as they were inherited: mask, dispositions, pending" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signals in --default-signal "--ignore-signal=INT,TERM,HUP,QUIT,ALRM,USR1,PIPE" \
			"--default-signal --block-signal" "--default-signal --block-signal=CHLD,INT,TERM,RTMIN,BUS,IO,PIPE"; do
			read -ra before <<<"env $signals"
			mqtool send "$object" x
			assert_equal "$(signals_of "${before[@]}" mqtool exec "$object" --count 1 --timeout 9s --)" \
				"$(signals_of "${before[@]}")" "$backend $signals"
		done
	done
}

# descriptors COMMAND...: the numbers that a job of it has open.
descriptors()
{
	rm -f descriptors
	"$@" "$peers/jobs" descriptors descriptors && cat descriptors
}

@test "COMMAND's descriptors are the caller's: none of the queue, the journal, other commands" {
	exec 20</dev/null
	plain=$(descriptors env)
	assert_match '(^| )20( |$)' "$plain"
	for backend in "${backends[@]}"; do
		make "$backend"
		dead=$object
		make "$backend"
		mqtool send "$object" a b
		assert_equal "$(descriptors mqtool exec "$object" --count 1 --dead-letter "$dead" --journal "$journal.$backend" --)" \
			"$plain" "$backend"
		# While others run, too.
		assert_equal "$(descriptors mqtool exec "$object" --all --parallel 3 --)" "$plain" "$backend"
	done
}

@test "standard descriptors that came closed are closed in COMMAND, but for its input" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" message
		mqtool exec "$object" --count 1 -- "$peers/jobs" descriptors closed <&- >&- 2>&-
		[[ $(<closed) =~ ^0( [^12]|$) ]] || fail "$backend: $(<closed)"
		mqtool send "$object" message
		mqtool exec "$object" --count 1 -- sh -c 'cat >got' <&- >&- 2>&-
		assert_equal "$(<got)" message
	done
}

@test "COMMAND's directory, umask, limits, session and process group are the caller's" {
	make posix
	umask 0137
	ulimit -n 200
	for command in "pwd -P" "grep ^Umask: /proc/self/status" "cat /proc/self/limits" "cut -d\\  -f 5-8 /proc/self/stat"; do
		mqtool send "$object" x
		run mqtool exec "$object" --count 1 -- sh -c "exec $command"
		assert_equal "$output" "$(sh -c "exec $command")"
	done
}

# ---- a signal to the run ----

# no_signal_pending PID: all that was sent has been taken note of, and it waits again.
no_signal_pending()
{
	grep -q '^ShdPnd:[[:blank:]]*0*$' "/proc/$1/status" && blocked_in "$1" poll ppoll
}

@test "SIGTERM while nothing runs ends it at once, and takes nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in TERM INT HUP; do
			for options in "" "--timeout 30s" "--journal $journal.$backend"; do
				# shellcheck disable=SC2086 # words
				start_waiter exec "$object" $options -- touch ran
				kill -"$signal" "$pid"
				finish "$pid" 5
				died_of "$signal"
				assert_equal "$output$stderr" ""
			done
		done
		mqtool send "$object" x
		[[ ! -e ran ]]
		assert_texts "$object" x
	done
}

@test "SIGTERM: no more are taken, those that run are waited for, then it dies by it" {
	for backend in "${backends[@]}"; do
		for signal in TERM INT HUP; do
			make "$backend"
			mqtool send "$object" a b c d
			start_run 2 "$object" --parallel 2 --json -- "${working[@]}"
			kill -"$signal" "$run"
			wait_until 5 no_signal_pending "$run"
			run ! gone "$run"
			wait_until 10 gate_opens "$run"
			finish "$run"
			died_of "$signal"
			assert_equal "$output$stderr" ""
			assert_equal "$(sort ended)" $'a\nb'
			assert_texts "$object" "c d"
		done
	done
}

@test "SIGTERM with a place that is free: nothing that comes then is taken" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a
		start_run 1 "$object" --parallel 2 -- "${working[@]}"
		kill -TERM "$run"
		wait_until 5 no_signal_pending "$run"
		mqtool send "$object" b
		wait_until 10 gate_opens "$run"
		finish "$run"
		died_of TERM
		assert_texts "$object" b
	done
}

@test "a second SIGTERM is passed on, and the messages are given back" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c
		start_run 2 "$object" --parallel 2 -- "${holding[@]}"
		kill -TERM "$run"
		wait_until 5 no_signal_pending "$run"
		run ! gone "${commands[0]}"
		kill -TERM "$run"
		finish "$run"
		died_of TERM
		assert_match "was ended by signal 15" "$stderr"
		[[ $stderr != *"its message was"* ]]
		wait_until 5 gone "${commands[0]}"
		wait_until 5 gone "${commands[1]}"
		assert_equal "$(texts "$object" | tr ' ' '\n' | sort | tr -d '\n')" abc
	done
}

@test "SIGINT to all of the group: the messages of commands that it ended are back" {
	for backend in "${backends[@]}"; do
		for round in 1 2 3; do
			make "$backend"
			mqtool send "$object" a b c d e
			start_run 3 "$object" --parallel 3 -- "${holding[@]}"
			kill -INT -- "-$run"
			finish "$run"
			died_of INT
			[[ $stderr != *"its message was"* ]] || fail "round $round" "$(show_last)"
			assert_equal "$(texts "$object" | tr ' ' '\n' | sort | tr -d '\n')" abcde "round $round"
		done
	done
}

@test "SIGINT to all of the group, with a journal: the messages are in it" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c
		start_run 2 "$object" --parallel 2 --journal "$journal.$backend" -- "${holding[@]}"
		kill -INT -- "-$run"
		finish "$run"
		died_of INT
		assert_count "$object" 1
		run mqtool exec "$object" --all --journal "$journal.$backend" -- cat
		assert_output abc
	done
}

@test "signals that came ignored do not end a run" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start env --ignore-signal=INT,HUP mqtool exec "$object" --count 1 -- cat
		wait_until 5 waits "$pid"
		kill -INT "$pid"
		kill -HUP "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		mqtool send "$object" x
		finish "$pid"
		assert_status 0
		assert_output x
	done
}

@test "a signal at any moment: each message was run, or is in the queue" {
	for backend in "${backends[@]}"; do
		make "$backend"
		[[ $backend == sysv ]] || make posix --maxmsg 10
		for signal in 2 15; do
			rm -f log
			mqtool send "$object" 0 1 2 3 4 5 6 7 8 9
			run "$peers/interrupt" 10 12000 "$signal" mqtool exec "$object" --all --parallel 2 -- \
				sh -c 'trap "" INT TERM; read -r n; echo "$n" >>log'
			assert_status 0
			mqtool exec "$object" --all -- sh -c 'read -r n; echo "$n" >>log'
			assert_equal "$(sort log | tr -d '\n')" 0123456789
		done
	done
}

# ---- journals ----

@test "a run that is killed: the next one with its journal gets those messages first" {
	for backend in "${backends[@]}"; do
		journal=$BATS_TEST_TMPDIR/journal-$backend
		make "$backend"
		if [[ $backend == posix ]]; then
			mqtool send "$object" --priority 7 a b
		else
			mqtool send "$object" --type 7 a b
		fi
		printf 'c\0\377' | mqtool send "$object"
		start_run 2 "$object" --parallel 2 --journal "$journal" -- "${holding[@]}"
		kill -KILL "$run"
		finish "$run"
		died_of KILL
		assert_count "$object" 1
		run --separate-stderr mqtool exec "$object" --all --journal "$journal" --verbose -- \
			sh -c 'echo "${IPCKIT_TYPE-$IPCKIT_PRIORITY} $IPCKIT_SIZE $(base64)"'
		assert_status 0
		assert_output "7 1 YQ==
7 1 Yg==
$([[ $backend == posix ]] && echo 0 || echo 1) 3 YwD/"
		assert_stderr "2 left by an earlier run"
		# Once only.
		run mqtool exec "$object" --all --journal "$journal" -- touch ran
		[[ ! -e ran ]]
		kill -KILL "${commands[@]}"
	done
}

@test "a run that is killed again and again loses nothing, and messages that were done stay so" {
	for backend in "${backends[@]}"; do
		make "$backend"
		journal=$BATS_TEST_TMPDIR/journal-$backend
		rm -f log
		mqtool send "$object" 0 1 2 3 4 5 6 7 8 9
		run "$peers/interrupt" 12 12000 9 mqtool exec "$object" --all --parallel 3 --journal "$journal" -- \
			sh -c 'read -r n; echo "$n" >>log'
		assert_status 0
		# Commands that are just being started have the journal for a moment.
		wait_until 10 mqtool exec "$object" --all --journal "$journal" -- sh -c 'read -r n; echo "$n" >>log' 2>/dev/null
		wait_until 5 lines_of_log 0123456789
		run mqtool exec "$object" --all --journal "$journal" -- touch ran
		[[ ! -e ran ]]
	done
}

# lines_of_log TEXT: these are in it, each at least once.
lines_of_log()
{
	[[ $(sort -u log | tr -d '\n') == "$1" ]]
}

@test "messages that failed and were reported stay in the journal" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" good bad worse good
		run --separate-stderr mqtool exec "$object" --all --journal "$journal.$backend" --json -- \
			sh -c 'case $(cat) in good) ;; bad) exit 4 ;; *) kill -KILL $$ ;; esac'
		assert_status 4
		json '.messages == 4 and .failed == 2'
		assert_equal "$stderr" "mqtool exec: warning: $object: sh failed with status 4
mqtool exec: warning: $object: sh was ended by signal 9 (Killed)"
		assert_count "$object" 0
		run mqtool recv "$object" --all --lines --journal "$journal.$backend"
		assert_output $'bad\nworse'
		run mqtool recv "$object" --all --lines --journal "$journal.$backend"
		assert_output ""
	done
}

@test "--requeue and --dead-letter with a journal: they are there, and in it no more" {
	for backend in "${backends[@]}"; do
		make "$backend"
		dead=$object
		make "$backend"
		mqtool send "$object" a
		run mqtool exec "$object" --count 1 --requeue --journal "$journal.$backend" -- false
		assert_count "$object" 1
		run mqtool exec "$object" --all --dead-letter "$dead" --journal "$journal.$backend" -- false
		assert_status 0
		assert_texts "$dead" a
		run mqtool recv "$object" --all --lines --journal "$journal.$backend"
		assert_output ""
	done
}

@test "a journal that another run uses" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_waiter exec "$object" --journal "$journal.$backend" -- cat
		run --separate-stderr mqtool exec "$object" --journal "$journal.$backend" --json -- touch ran
		((status == 124 || status == 125)) || fail "$(show_last)"
		assert_stderr "^mqtool exec: $journal.$backend: another process uses the journal\$"
		kill -KILL "$pid"
		finish "$pid"
		run mqtool exec "$object" --all --journal "$journal.$backend" -- touch ran
		assert_status 0
		[[ ! -e ran ]]
	done
}

@test "a journal of another queue, or none at all" {
	make posix
	mqtool send "$object" x
	first=$object
	mqtool recv "$object" --count 1 --quiet --journal "$journal"
	make posix
	mqtool send "$object" y
	run --separate-stderr mqtool exec "$object" --all --journal "$journal" -- touch ran
	assert_status 125
	assert_stderr "^mqtool exec: $journal: this is the journal of $first\$"
	echo text >"$BATS_TEST_TMPDIR/text"
	run --separate-stderr mqtool exec "$object" --all --journal "$BATS_TEST_TMPDIR/text" -- touch ran
	assert_status 125
	assert_stderr "not a journal, or a damaged one\$"
	assert_equal "$(<"$BATS_TEST_TMPDIR/text")" text
	[[ ! -e ran ]]
	assert_texts "$object" y
}
