# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat read: what comes through a FIFO, until the last writer has closed it, or for longer, or by lines.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo fifo
}

# refused STATUS CODE ARG...: standard output is for bytes alone.
refused()
{

	run --separate-stderr timeout 10 pipecat read "${@:3}"
	assert_equal "$status/$output" "$1/" "status and output of: ${*:3}"
	[[ ${stderr_lines[0]} == "pipecat read: "* ]] || fail "no message: ${*:3}" "$(show_last)"
}

# feed FILE: to the FIFO, in the background; ends by itself.
feed()
{
	timeout 10 sh -c 'exec cat "$0" >fifo' "$1" 2>/dev/null
}

has()
{
	[[ $(<"$1") == "$2" ]]
}

# stays_full FIFO PID: it holds as much as it can, and that of PID waits.
stays_full()
{
	local capacity bytes
	read -r _ capacity bytes < <(pipecat capacity "$1" --plain)
	((bytes == capacity)) && state_is "$2" S
}

# start_read [ARG...]: to the file out.
start_read()
{
	: >out
	start sh -c 'exec pipecat read "$@" >out' - "$@"
}

# ---- what it is for ----

@test "every size: what a program wrote; the end comes with that of the last writer" {
	head -c 3000000 /dev/urandom >random
	for size in 0 1 4095 4096 4097 65536 3000000; do
		head -c $size random >in
		feed in &
		timeout 10 pipecat read fifo >out
		cmp in out
		feed in &
		timeout 10 pipecat read fifo --once | cmp in -
	done
	start_read fifo
	exec 7>fifo
	(sleep 0.05 && echo two) >fifo &
	echo one >&7
	wait $!
	wait_until 5 has out $'one\ntwo'
	! gone "$pid" || fail "it ended before its last writer" "$(show_last)"
	exec 7>&-
	finish "$pid"
	assert_equal "$status/$output/$stderr" 0//
}

@test "--keep-open: no end between writers; a signal is one, and nothing is lost" {
	start_read fifo --keep-open
	for i in {1..50}; do
		echo "$i" >fifo
	done
	wait_until 5 has out "$(seq 50)"
	# Nor does a writer fail that comes while no other is there.
	bash -c 'trap "" PIPE; exec 3>fifo && sleep 0.05 && echo last >&3'
	wait_until 5 has out "$(seq 50)"$'\nlast'
	kill -TERM "$pid"
	finish "$pid"
	died_of TERM
	assert_equal "$stderr" ""
	run --separate-stderr bash -c 'exec 3<>fifo; echo text >&3; exec timeout 10 pipecat read fifo -k --idle 0.1 --json'
	assert_equal "$status/$output" "1/text"
	assert_stderr '^pipecat read: fifo: timed out after 0.1s: nothing has moved$'
}

@test "--timeout: until somebody writes, in time; 0: only if somebody does" {
	punctual 150000 pipecat read fifo --timeout 150ms 2>/dev/null
	assert_equal "$status" 1
	refused 1 ETIMEDOUT fifo --timeout 0.01
	assert_stderr ': fifo: timed out after 0.01s: nobody opened its other end$'
	refused 1 EAGAIN fifo --timeout 0
	assert_stderr ': fifo: nobody has its other end open$'
	# One who waits already, one who comes.
	start sh -c 'echo waited >fifo'
	wait_until 5 eval '[[ $(pipecat read fifo --timeout 0 2>/dev/null) == waited ]]'
	finish "$pid"
	assert_status 0
	start sh -c 'sleep 0.05; echo came >fifo'
	run timeout 10 pipecat read fifo --timeout 8s
	assert_equal "$status/$output" 0/came
	# It is not for what comes afterwards.
	exec 7<>fifo
	: >out
	start sh -c 'exec pipecat read fifo --timeout 50ms >out 7>&-'
	wait_until 5 blocked_in "$pid" poll ppoll read 275
	read -rt 0.15 <>"$IPCKIT_NEVER" || true
	echo text >&7
	exec 7>&-
	finish "$pid"
	assert_equal "$status/$(<out)" 0/text
}

@test "--idle: a writer that says nothing; what had come is passed on" {
	exec 7<>fifo
	printf part >&7
	for how in '' --line '--line --keep-open'; do
		printf part >&7
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 pipecat read fifo --idle 60ms $how
		assert_status 1
		assert_match '^(part)+$'
		assert_stderr '^pipecat read: fifo: timed out after 60ms: nothing has moved$'
	done
	# Or who takes it does not: not even by a line that is longer than the room there.
	exec 7>&-
	mkfifo full
	exec 8<>full
	head -c 3000000 /dev/zero | tr '\0' x >in
	for how in --line ''; do
		feed in &
		# Longer than the feeder may take to begin.
		start sh -c 'exec pipecat read fifo --idle 1s --stats $0 >full' "$how"
		finish "$pid"
		assert_status 1
		assert_stderr 'pipecat read: standard output: timed out after 1s: nothing has moved'
		output=${stderr##*$'\n'}
		json '.error == "ETIMEDOUT" and .bytes < 3000000'
		wait $! || true
	done
}

# ---- lines ----

@test "--line: each when it is whole; the last one gets its end; long ones" {
	start_read fifo --line
	exec 7>fifo
	printf 'one\ntw' >&7
	wait_until 5 has out one
	printf 'o\n\nth' >&7
	wait_until 5 has out $'one\ntwo'
	printf 'ree' >&7
	exec 7>&-
	finish "$pid"
	assert_equal "$status/$(od -An -c out | tr -d ' \n')" '0/one\ntwo\n\nthree\n'
	{
		seq 50000
		head -c 3000000 /dev/zero | tr '\0' x
		echo
		seq 50000
	} >in
	feed in &
	timeout 20 pipecat read fifo --line | cmp in -
	feed /dev/null &
	run timeout 10 pipecat read fifo --line
	assert_equal "$status/$output" 0/
}

@test "--line: a signal in the middle of one: what has come is passed on" {
	for signal in INT TERM HUP; do
		start_read fifo --line
		exec 7>fifo
		printf 'one\ntwo' >&7
		wait_until 5 has out one
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
		assert_equal "$(<out)/$stderr" $'one\ntwo/'
		exec 7>&-
	done
}

@test "--line: by one write each, and interrupted ones go on" {
	command -v strace >/dev/null || skip "no strace"
	# Whoever is traced cannot look for leaks.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	printf 'a\nbb\n\nlonger\nend' >in
	feed in &
	timeout 10 strace -qq -o trace -e trace=write -e signal=none pipecat read fifo --line >out
	run grep -c '^write(1, ' trace
	assert_output 5
	assert_equal "$(<out)" "$(<in)"
	feed in &
	timeout 10 strace -qq -o trace -e trace=write,ppoll -e inject=ppoll,write:error=EINTR:when=1+2 \
		pipecat read fifo --line >out
	grep -q INJECTED trace
	assert_equal "$(<out)" "$(<in)"
}

# ---- the end ----

@test "a signal while it waits, or reads: it dies of it" {
	for signal in INT TERM HUP KILL; do
		start pipecat read fifo
		wait_until 5 eval '[[ $(readlink /proc/$pid/exe) == */pipecat ]]'
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
		assert_equal "$output$stderr" ""
		start pipecat read fifo
		exec 7>fifo
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
		exec 7>&-
	done
}

@test "bytes that it leaves unread, and nobody else has: it says so" {
	mkfifo full
	exec 7<>full
	dd if=/dev/zero of=full bs=4096 oflag=nonblock status=none 2>/dev/null || true
	start sh -c 'exec pipecat read fifo --keep-open >full'
	reader=$pid
	wait_until 5 eval 'pipecat write fifo --timeout 0 </dev/null 2>/dev/null'
	start sh -c 'exec cat /dev/zero >fifo 7>&-'
	# It has been taken what there is room for, and it has filled the FIFO again.
	wait_until 5 stays_full fifo "$pid"
	stop "$pid"
	pid=$reader
	kill -TERM "$pid"
	finish "$pid"
	died_of TERM
	assert_stderr ': fifo: [0-9]+ bytes in it are lost: nobody has read them, and nobody else has it open$'
}

@test "who reads its output has gone: quietly, or in words; a full disk" {
	yes | head -c 10M >in
	for how in '' --line; do
		feed in &
		run --separate-stderr bash -c 'pipecat read fifo $0 | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"' "$how"
		assert_equal "$status/$stderr" 141/
		wait $! || true
		feed in &
		run --separate-stderr bash -c 'trap "" PIPE; pipecat read fifo $0 | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"' "$how"
		assert_stderr 'standard output: nobody reads from it any more'
		((status == 7 || status == 8)) || fail "status" "$(show_last)"
		wait $! || true
		# Also while nothing comes.
		exec 7<>fifo
		run --separate-stderr bash -c 'timeout 10 pipecat read fifo $0 | true; exit "${PIPESTATUS[0]}"' "$how"
		assert_equal "$status/$stderr" 141/
		exec 7>&-
		feed in &
		run --separate-stderr bash -c 'pipecat read fifo $0 >/dev/full' "$how"
		assert_status 6
		assert_stderr 'pipecat read: standard output: no space left.*it took 0 bytes before'
		wait $! || true
		feed in &
		run --separate-stderr bash -c 'pipecat read fifo --stats $0 >/dev/full' "$how"
		output=${stderr_lines[-1]}
		json '.error == "ENOSPC" and .bytes == 0'
		wait $! || true
	done
}

@test "--stats: what was moved, by what" {
	seq 1000 >in
	for how in '' --line; do
		feed in &
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 pipecat read fifo --stats $how
		assert_equal "$status/$output" "0/$(<in)"
		output=$stderr
		json '.source == "fifo" and .sink == "standard output" and .bytes == 3893 and .seconds > 0 and .error == null'
	done
}

@test "what is no FIFO, or not there; usage; descriptors run out" {
	mkdir directory
	ln -s fifo link
	: >file
	refused 3 ENOENT none
	refused 7 EBADMSG file
	refused 7 EBADMSG directory
	refused 7 EBADMSG /dev/null
	refused 7 ELOOP link
	refused 2 USAGE
	refused 2 USAGE fifo fifo
	refused 2 USAGE a:b
	assert_stderr 'did you mean \./a:b\?'
	refused 2 USAGE fifo --once --keep-open
	refused 2 USAGE fifo --keep-opn
	assert_stderr 'did you mean --keep-open\?$'
	for option in --rate --buffer; do
		refused 2 USAGE fifo --line $option 1K
	done
	for text in '' x -1 5sfoo; do
		refused 2 USAGE fifo --timeout="$text"
		refused 2 USAGE fifo --idle="$text"
	done
	chmod 0 fifo
	run --separate-stderr as_unprivileged pipecat read fifo
	assert_equal "$status/$output" 5/
	assert_stderr '^pipecat read: fifo: permission denied$'
}
