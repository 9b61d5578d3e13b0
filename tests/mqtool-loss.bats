# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong while a message is in nobody's queue: queues that are removed under a run, a
# standard error that nobody reads, limits of the process, a journal that is cut. The message is
# put back, or printed, and the run says so. Beside it: what refuses a run before it takes
# anything, waits that are stopped, and what the JSON says of runs that failed in part.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	journal=$BATS_TEST_TMPDIR/journal
}

# ---- what the tests share ----

# assert_holds OBJECT TEXTS: that is all that is in it, in any order. It is empty then.
assert_holds()
{
	assert_equal "$(texts "$1" | tr ' ' '\n' | sort | paste -sd ' ')" "$2" "what is in $1"
}

# assert_printed TEXTS: the messages that the last run printed on stderr, in any order.
assert_printed()
{
	assert_equal "$(sed -n 's/^[^{]*\({.*}\)$/\1/p' <<<"$stderr" | jq -r .data | sort | paste -sd ' ')" "$1" \
		"printed in: $stderr"
}

# assert_not_run: a COMMAND that notes that it was run was not.
assert_not_run()
{
	[[ ! -e ran ]] || fail "COMMAND was run"
}

# without_room COMMAND...: it may write to no file. Output and errors come through a pipe.
without_room()
{
	run bash -c '(ulimit -f 0; exec "$@") 2>&1 | cat; exit "${PIPESTATUS[0]}"' bash "$@"
}

# unheard KIND COMMAND...: runs it with a standard error that takes nothing: `gone`, a pipe whose
# reader has gone; `full`; `closed`. Its output is in `out`, its status in $status.
unheard()
{
	local kind=$1
	shift
	status=0
	case $kind in
	gone)
		rm -f pipe
		mkfifo pipe
		exec 8<>pipe
		exec 9>pipe 8<&-
		timeout 30 env --default-signal "$@" 2>&9 >out 9>&- || status=$?
		exec 9>&-
		;;
	full) timeout 30 env --default-signal "$@" 2>/dev/full >out || status=$? ;;
	closed) timeout 30 env --default-signal "$@" >out 2>&- || status=$? ;;
	esac
}

# gate_opens PID: lets commands on that wait in `cat gate`; whether the run has ended.
gate_opens()
{
	: 1<>gate
	gone "$1"
}

# ---- queues that are removed under a run ----

@test "exec --dead-letter that is removed: the message is back, and no more are taken" {
	for backend in "${backends[@]}"; do
		for remade in "" "; mqtool create -q \$DEAD"; do
			make "$backend"
			export DEAD=$object
			make "$backend"
			mqtool send "$object" a b c
			rm -f ran
			run --separate-stderr mqtool exec "$object" --all --dead-letter "$DEAD" --json -- \
				sh -c "echo >>ran; mqtool rm \$DEAD $remade; exit 1"
			assert_status 125
			json --arg dead "$DEAD" '.error | .exit == 125 and .object == $dead'
			json '(.dead_lettered // 0) == 0'
			assert_stderr "mqtool exec: $DEAD: "
			assert_equal "$(wc -l <ran)" 1 "commands that were run"
			assert_holds "$object" "a b c"
			[[ ! $remade ]] || assert_count "$DEAD" 0
		done
	done
}

@test "exec --dead-letter that is removed, with several at a time and with a journal" {
	for backend in "${backends[@]}"; do
		for options in "--parallel 3" "--journal $journal.$backend"; do
			make "$backend"
			export DEAD=$object
			make "$backend"
			mqtool send "$object" a b c d
			# shellcheck disable=SC2086 # words
			run mqtool exec "$object" --all --dead-letter "$DEAD" $options -- sh -c 'mqtool rm -f $DEAD; exit 1'
			assert_status 125
			# Back in the queue, or in the journal for the next run.
			[[ $options != --journal* ]] || mqtool recv "$object" --count 1 --lines --journal "$journal.$backend" >left
			[[ $options != --journal* ]] || assert_equal "$(<left)" a
			[[ $options != --journal* ]] || mqtool send "$object" a
			assert_holds "$object" "a b c d"
		done
	done
}

@test "exec --requeue to a queue that is removed: the message is printed" {
	for backend in "${backends[@]}"; do
		for remade in "" "; mqtool create -q \$IPCKIT_QUEUE"; do
			make "$backend"
			mqtool send "$object" it
			run --separate-stderr mqtool exec "$object" --count 1 --requeue --json -- \
				sh -c "mqtool rm \$IPCKIT_QUEUE $remade; exit 1"
			((status > 0 && status < 128)) || fail "$(show_last)"
			json '(.requeued // 0) == 0'
			assert_printed it
			[[ ! $remade ]] || assert_count "$object" 0
		done
	done
}

@test "recv whose queue is removed and whose output fails: the messages are printed" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c
		start bash -c 'exec mqtool recv "$1" --count 4 >/dev/full' bash "$object"
		wait_until 5 count_is "$object" 0
		wait_until 5 waits "$pid"
		mqtool rm "$object"
		# The wait for a POSIX queue goes on: who has it open can still send.
		[[ $backend == sysv ]] || kill -TERM "$pid"
		finish "$pid"
		assert_status 8
		assert_printed "a b c"
	done
}

@test "recv that times out, and whose output fails then: status 8 where messages had to be printed" {
	for removed in yes no; do
		for seconds in 1 3 9; do
			make posix
			mqtool send "$object" a b
			start bash -c 'exec mqtool recv "$1" --count 3 --timeout "$2" >/dev/full' bash "$object" $seconds
			wait_until 5 or_gone "$pid" count_is "$object" 0
			# Stopped, it does not time out before the queue is removed; on a slow machine it may have before that.
			! pauses "$pid" || break
		done
		[[ $removed == no ]] || mqtool rm "$object"
		kill -CONT "$pid"
		finish "$pid"
		if [[ $removed == yes ]]; then
			assert_status 8
			assert_printed "a b"
		else
			assert_texts "$object" "a b"
		fi
	done
}

# passed BEGIN US: whether so much time is over since.
passed()
{
	((${EPOCHREALTIME/[^0-9]/} - $1 >= $2))
}

@test "send to a queue that is removed while it sends: status 7" {
	senders=()
	queues=()
	for n in 0 1 2; do
		make "$([[ $n == 2 ]] && echo sysv || echo posix)"
		queues+=("$object")
		mkfifo "input.$n"
		exec {input}<>"input.$n"
		inputs[n]=$input
		# The words in JSON are fine as lines, too.
		how=--lines
		[[ $n != 1 ]] || how=--jsonl
		start bash -c 'exec mqtool send "$@" --json <"input.$0"' "$n" "$object" "$how"
		senders+=("$pid")
		echo '{"data": "a"}' >&"$input"
		wait_until 5 count_is "$object" 1
		mqtool rm "$object"
	done
	# It does not look at each message.
	begin=${EPOCHREALTIME/[^0-9]/}
	wait_until 5 passed "$begin" 1100000
	for n in 0 1 2; do
		echo '{"data": "b"}' >&"${inputs[n]}"
		finish "${senders[n]}"
		input=${inputs[n]}
		exec {input}>&-
		assert_status 7
		assert_stderr "mqtool send: ${queues[n]}: .*removed"
		json --arg object "${queues[n]}" '.error | .exit == 7 and .code == "EIDRM" and .object == $object'
	done
}

@test "send: the queue was removed before the input ended: status 7" {
	make posix
	mkfifo input
	exec 9<>input
	start bash -c 'exec mqtool send "$1" --lines <input 9>&-' bash "$object"
	echo a >&9
	wait_until 5 count_is "$object" 1
	mqtool rm "$object"
	exec 9>&-
	finish "$pid"
	assert_status 7
	assert_stderr "mqtool send: $object: .*removed"
}

# ---- a standard error that takes nothing ----

@test "exec --requeue whose errors nobody reads: the messages are back" {
	for backend in "${backends[@]}"; do
		for kind in gone full closed; do
			for parallel in 1 3; do
				make "$backend"
				mqtool send "$object" a b c d
				unheard "$kind" mqtool exec "$object" --count 3 --parallel "$parallel" --requeue -- false
				((status < 124)) || fail "$kind, $parallel at a time: status $status"
				assert_holds "$object" "a b c d"
			done
		done
	done
}

@test "exec: a failure that cannot be reported: the message is back, and no more are taken" {
	for backend in "${backends[@]}"; do
		for kind in gone full closed; do
			make "$backend"
			mqtool send "$object" a b c d
			rm -f ran
			unheard "$kind" mqtool exec "$object" --all -- sh -c 'echo >>ran; exit 3'
			((status > 0 && status < 128)) || fail "$kind: status $status"
			assert_equal "$(wc -l <ran)" 1 "$kind: commands that were run"
			assert_holds "$object" "a b c d"
			# Those that run at the same time are not reported either.
			mqtool send "$object" a b c d e f
			unheard "$kind" mqtool exec "$object" --all --parallel 3 -- false
			((status > 0 && status < 128)) || fail "$kind: status $status"
			assert_holds "$object" "a b c d e f"
		done
	done
}

@test "exec --journal whose errors nobody reads: the messages are in it" {
	for backend in "${backends[@]}"; do
		for kind in gone full closed; do
			make "$backend"
			mqtool send "$object" a b
			unheard "$kind" mqtool exec "$object" --all --journal "$journal.$backend.$kind" -- false
			((status > 0 && status < 128)) || fail "$kind: status $status"
			run mqtool recv "$object" --all --lines --journal "$journal.$backend.$kind"
			assert_equal "$(sort <<<"$output" | paste -sd ' ')" "a b" "$kind"
		done
	done
}

@test "exec: commands that succeed need no standard error" {
	for backend in "${backends[@]}"; do
		for kind in gone full closed; do
			make "$backend"
			mqtool send "$object" a b c
			unheard "$kind" mqtool exec "$object" --all -- cat
			assert_status 0
			assert_equal "$(<out)" abc
		done
	done
}

# ---- limits of the process ----

@test "exec without room for a file: the message is back, and the limit is named" {
	for backend in "${backends[@]}"; do
		for options in "" --requeue "--parallel 2"; do
			make "$backend"
			mqtool send "$object" precious next
			# shellcheck disable=SC2086 # words
			without_room mqtool exec "$object" --all $options -- cat
			assert_status 125
			assert_match 'RLIMIT_FSIZE is 0'
			assert_holds "$object" "next precious"
		done
		without_room mqtool exec "$object" --timeout 0 -- cat
		assert_status 124
		# What has no bytes needs no room.
		mqtool send "$object" ""
		without_room mqtool exec "$object" --all -- sh -c 'cat; echo done'
		assert_status 0
		assert_output "done"
	done
}

# signals_of COMMAND...: what its job prints of its signals. 32 and 33 are libc's own.
signals_of()
{
	local key mask
	"$@" grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status | while read -r key mask; do
		printf '%s %x\n' "$key" $((0x$mask & ~0x180000000))
	done
}

@test "COMMAND has SIGXFSZ and SIGPIPE as they were inherited" {
	make posix
	for signals in --default-signal "--ignore-signal=XFSZ,PIPE" "--default-signal --block-signal=XFSZ,PIPE"; do
		read -ra before <<<"env $signals"
		wanted=$(signals_of "${before[@]}")
		for options in "" --requeue "--journal $journal"; do
			mqtool send "$object" x
			read -ra words <<<"$options"
			assert_equal "$(signals_of "${before[@]}" mqtool exec "$object" --count 1 "${words[@]}" --)" "$wanted" \
				"$signals $options"
		done
		mqtool send "$object" ""
		assert_equal "$(ulimit -f 0 && signals_of "${before[@]}" mqtool exec "$object" --count 1 --)" "$wanted" \
			"$signals, without room"
	done
	for signal in XFSZ PIPE; do
		mqtool send "$object" x
		run env --default-signal mqtool exec "$object" --all -- sh -c "kill -$signal \$\$"
		assert_status $((128 + $(kill -l $signal)))
	done
}

@test "recv --journal without room for it: status 6, and the limit is named" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" it
		without_room mqtool recv "$object" --timeout 0 --lines --journal "$journal.$backend"
		assert_status 6
		assert_match 'RLIMIT_FSIZE is 0'
		assert_texts "$object" it
	done
}

@test "exec with more commands than descriptors: the limit is named, and none is lost" {
	mkfifo gate
	for backend in sysv posix; do
		[[ $backend == sysv ]] || limit fs.mqueue.msg_max 30
		[[ $backend == sysv ]] || make posix --maxmsg 30 --msgsize 16
		[[ $backend == posix ]] || make sysv
		seq 30 | mqtool send "$object" --lines
		: >log
		start prlimit --nofile=20:20 mqtool exec "$object" --all --parallel 30 --json -- \
			sh -c 'read -r n; echo "$n" >>log; cat gate'
		wait_until 20 grep -q RLIMIT_NOFILE "$(err_of "$pid")"
		wait_until 20 gate_opens "$pid"
		finish "$pid"
		assert_status 125
		json '.error | .code == "EMFILE" and .exit == 125 and .limit.name == "RLIMIT_NOFILE" and .limit.value == 20'
		assert_stderr "RLIMIT_NOFILE is 20 descriptors, "
		[[ -s log ]] || fail "no command was run"
		mqtool recv "$object" --all --lines >left
		[[ -s left ]] || fail "no message was left"
		assert_equal "$(sort -n log left | paste -sd ' ')" "$(seq 30 | paste -sd ' ')"
	done
}

@test "send of nothing to a queue of no bytes: the limit is qbytes" {
	make sysv
	mqtool set "$object" --qbytes 0
	run --separate-stderr timeout 30 mqtool send "$object" "" --json
	assert_status 6
	json '.error | .exit == 6 and .limit.name == "qbytes" and .limit.value == 0'
	assert_stderr 'qbytes is 0'
	assert_count "$object" 0
}

# ---- journals ----

@test "a journal that is cut while it is used: status 7, and no SIGBUS" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_waiter recv "$object" --follow --lines --journal "$journal.$backend"
		mqtool send "$object" first
		wait_until 5 grep -q first "$(out_of "$pid")"
		wait_until 5 waits "$pid"
		: >"$journal.$backend"
		mqtool send "$object" second third
		finish "$pid"
		assert_status 7
		assert_stderr "$journal.$backend: .*cut"
		# Those that it did not take are where they were.
		assert_match third "$(texts "$object")"
	done
}

@test "a journal that is cut while a command runs" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" first second
		run --separate-stderr mqtool exec "$object" --all --journal "$journal.$backend" -- sh -c ": >$journal.$backend"
		assert_status 125
		# Nor is it SIGBUS that ends it.
		assert_match second "$(texts "$object")"
	done
}

@test "a journal that is in use: EBUSY, 125 of exec and 1 of recv" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_waiter recv "$object" --follow --lines --journal "$journal.$backend"
		run --separate-stderr mqtool exec "$object" --journal "$journal.$backend" --json -- touch ran
		assert_status 125
		json --arg j "$journal.$backend" '.error | .code == "EBUSY" and .exit == 125 and .object == $j'
		run --separate-stderr mqtool recv "$object" --journal "$journal.$backend" --json
		assert_status 1
		json --arg j "$journal.$backend" '.error | .code == "EBUSY" and .exit == 1 and .object == $j'
		stop "$pid"
		assert_not_run
	done
}

# ---- refused before anything is taken ----

@test "exec --requeue without the right to send is refused" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" it
		mqtool set "$object" --mode 0400
		run --separate-stderr as_unprivileged timeout 30 mqtool exec "$object" --all --requeue --json -- touch ran
		assert_status 125
		json --arg object "$object" '.error | .code == "EACCES" and .exit == 125 and .object == $object'
		# Nor is it waited for a message.
		mqtool drain -q "$object"
		run as_unprivileged timeout 30 mqtool exec "$object" --requeue -- touch ran
		assert_status 125
		assert_not_run
		mqtool set "$object" --mode 0600
		mqtool send "$object" it
		assert_texts "$object" it
	done
}

@test "exec of what cannot be run fails at once, and takes nothing" {
	: >plain
	for backend in "${backends[@]}"; do
		make "$backend"
		for messages in 0 2; do
			run -127 --separate-stderr timeout 30 mqtool exec "$object" --json -- no-such-command
			json '.error | .code == "ENOENT" and .exit == 127 and .object == "no-such-command"'
			run -127 timeout 30 mqtool exec "$object" -- ./no-such-command
			for command in ./plain /; do
				run --separate-stderr timeout 30 mqtool exec "$object" --json -- "$command"
				assert_status 126
				json --arg command "$command" '.error | .code == "EACCES" and .exit == 126 and .object == $command'
			done
			# Not even to put it back, behind the others, or to keep it in a journal.
			((messages == 0)) || assert_texts "$object" "first second"
			((messages > 0)) || mqtool send "$object" first second
		done
		mqtool send "$object" it
		run -127 mqtool exec "$object" --journal "$journal.$backend" -- no-such-command
		assert_texts "$object" it
	done
}

@test "exec --dead-letter that is the queue itself is a usage error" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" it
		names=("$object")
		if [[ $backend == sysv ]]; then
			names+=("id:$(id_of "$object")" "key:$(printf '0x%x' "${object#key:}")")
		fi
		for queue in "${names[@]}"; do
			for dead in "${names[@]}"; do
				run --separate-stderr timeout 30 mqtool exec "$queue" --all --dead-letter "$dead" --json -- touch ran
				assert_status 125
				json '.error | .code == "USAGE" and .exit == 125'
				assert_not_run
			done
		done
		assert_texts "$object" it
	done
}

# ---- waits that are stopped ----

# all_gone: notes in `ended` when each of $waiters was seen to have ended.
all_gone()
{
	local one
	for one in "${waiters[@]}"; do
		[[ ${ended[$one]-} ]] || ! gone "$one" || ended[$one]=${EPOCHREALTIME/[^0-9]/}
	done
	((${#ended[@]} == ${#waiters[@]}))
}

blocked()
{
	waits "$1" || blocked_in "$1" clock_nanosleep
}

# await COMMAND...: one more of $waiters; when it was started is in `begun`.
await()
{
	local begin=${EPOCHREALTIME/[^0-9]/}
	start "$@"
	waiters+=("$pid")
	begun[$pid]=$begin
	named[$pid]=$*
}

# in_time SECONDS: starts those of $commands with that for their limit, stops them as soon as they wait,
# continues them after nine tenths of it, and sees them time out. One for which the time stands still
# while it is stopped takes as much longer as that was: that is told in $late.
in_time()
{
	local -a waiters=()
	local -A begun=() ended=() named=()
	local us=$(($1 * 1000000)) one begin stopped continued words
	late=
	for words in "${commands[@]}"; do
		read -ra words <<<"$words"
		await env SECONDS_LEFT="$1" "${words[@]/SECONDS/$1}"
	done
	begin=${begun[${waiters[0]}]}
	for one in "${waiters[@]}"; do
		wait_until 5 or_gone "$one" blocked "$one" || return
		kill -STOP "$one"
	done
	for one in "${waiters[@]}"; do
		wait_until 5 or_gone "$one" state_is "$one" T || return
		gone "$one" || continue
		late="ended before it was stopped: ${named[$one]}"
		kill -KILL "${waiters[@]}"
		wait "${waiters[@]}" || true
		return 0
	done
	stopped=${EPOCHREALTIME/[^0-9]/}
	wait_until 10 passed "$begin" $((us * 9 / 10)) || return
	continued=${EPOCHREALTIME/[^0-9]/}
	for one in "${waiters[@]}"; do
		kill -CONT "$one"
	done
	wait_until 20 all_gone || return
	for one in "${waiters[@]}"; do
		finish "$one"
		assert_match "timed out after $1" "$stderr" || return
		((status == 1 || status == 124)) || fail "$(show_last)" || return
		((ended[$one] - begun[$one] >= us)) || fail "ended early: ${named[$one]}" || return
		((ended[$one] - begun[$one] <= us + (continued - stopped) / 2)) ||
			late+="ended late, after $((ended[$one] - begun[$one])) us: ${named[$one]}"$'\n'
	done
}

@test "stopped and continued, a wait keeps its deadline" {
	commands=()
	echo '{"data":""}' >dump
	for backend in "${backends[@]}"; do
		make "$backend"
		commands+=("mqtool wait $object --timeout SECONDS" "mqtool recv $object --timeout SECONDS"
			"mqtool exec $object --timeout SECONDS -- true")
		make_small "$backend"
		fill "$object"
		commands+=("mqtool send $object --timeout SECONDS text" "mqtool restore $object --timeout SECONDS --file dump")
	done
	# Without a timer that interrupts it, too.
	commands+=("semctl-cli eventfd --value 0 -- $BATS_TEST_TMPDIR/eventfd"
		"prlimit --sigpending=0: semctl-cli eventfd --value 0 -- $BATS_TEST_TMPDIR/eventfd")
	printf '#!/bin/sh\nexec semctl-cli wait "fd:$IPCKIT_FD" --timeout "$SECONDS_LEFT"\n' >eventfd
	chmod +x eventfd
	# Others may have the processor.
	for seconds in 2 4 8; do
		in_time "$seconds"
		[[ $late ]] || break
	done
	[[ ! $late ]] || fail "$late"
}

# ---- what the JSON says ----

@test "the exit of the error document is the run's status" {
	for backend in "${backends[@]}"; do
		make "$backend"
		# The first failure is the command's, the one in words that of the wait.
		for code in 1 7; do
			mqtool send "$object" x
			run --separate-stderr mqtool exec "$object" --timeout 50ms --json -- sh -c "exit $code"
			assert_status "$code"
			json --argjson code "$code" '.error | .exit == $code and .code == "ETIMEDOUT"'
		done
		mqtool send "$object" x
		run --separate-stderr mqtool exec "$object" --timeout 50ms --json -- true
		assert_status 124
		json '.error.exit == 124'
	done
	# Removed by the command that fails.
	make sysv
	mqtool send "$object" x
	run --separate-stderr mqtool exec "$object" --json -- sh -c 'mqtool rm $IPCKIT_QUEUE; exit 9'
	assert_status 9
	json '.error | .exit == 9 and .code == "EIDRM"'
	# The messages that are printed where none can be put back are a failure of their own.
	make posix
	mqtool send "$object" a
	run --separate-stderr mqtool exec "$object" --count 1 --requeue --json -- sh -c 'mqtool rm $IPCKIT_QUEUE; exit 1'
	json --argjson status "$status" '.error.exit == $status'
}

@test "rm --json: what was removed, beside the error" {
	mqtool create -q /r1
	mqtool create -q key:0x77
	run --separate-stderr mqtool rm /nope /r1 key:0x99 key:0x77 --json
	assert_status 3
	json '.error | .exit == 3 and .code == "ENOENT" and .object == "/nope"'
	json '[.queues[].object] == ["/r1", "key:0x77"]'
	assert_equal "$(wc -l <<<"$stderr")" 2
	run mqtool list
	assert_output '{"queues":[]}'
	# A name that is none, after one that is not there.
	run --separate-stderr mqtool rm /nope bad --json
	assert_status 3
	json '.error | .exit == 3 and .code == "ENOENT"'
}

@test "clean --json: what was found, beside the error" {
	mqtool create -q /jobs
	mqtool create -q key:0x77
	# Removing is writing to the directory.
	chmod 555 /dev/mqueue
	run --separate-stderr as_unprivileged mqtool clean --older-than 0 --yes --json
	chmod 1777 /dev/mqueue
	assert_status 5
	json '.error | .exit == 5 and .code == "EACCES" and .object == "/jobs"'
	json '[.queues[].backend] | sort == ["posix", "sysv"]'
	json '.queues[] | select(.name == "/jobs") | .orphan and (.removed | not)'
	assert_stderr "^mqtool clean: /jobs: permission denied"
	[[ -e /dev/mqueue/jobs ]]
}

# ---- names ----

@test "a POSIX queue whose name looks like a place in a file" {
	"$mq_peer" create /x@4 4 100 600
	mqtool create -q /y@0x10 --maxmsg 4
	for object in /x@4 /y@0x10; do
		run mqtool info "$object"
		assert_status 0
		json --arg name "$object" '.name == $name and .maxmsg == 4'
		mqtool send "$object" --priority 3 text more
		assert_count "$object" 2
		mqtool wait "$object" --timeout 0
		run mqtool recv "$object" --timeout 0 --raw
		assert_output text
		run mqtool exec "$object" --all -- cat
		assert_output more
	done
	run mqtool list
	json '[.queues[].name] | sort == ["/x@4", "/y@0x10"]'
	mqtool rm /y@0x10
	[[ ! -e /dev/mqueue/y@0x10 ]]
	mqtool create -q /zz
	run --separate-stderr mqtool clean --older-than 0 --yes --json
	assert_status 0
	json '[.queues[] | select(.removed).name] | sort == ["/x@4", "/zz"]'
	assert_equal "$(ls /dev/mqueue)" ""
	"$mq_peer" create /x@4 4 100 600
	mqtool rm /x@4
	[[ ! -e /dev/mqueue/x@4 ]]
}
