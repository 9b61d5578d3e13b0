# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat tee: all that comes from one end to several; which of them hold up the others, lose something, or are left out.
# shellcheck disable=SC2016 # the variables of jq and of other shells
# shellcheck disable=SC2030,SC2031 # each test has its own processes

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# tees ARG...: to its end, which has to be a good and a quiet one.
tees()
{
	run --separate-stderr timeout 20 pipecat tee "$@"
	assert_equal "$status/$stderr" 0/ "status and errors of: $*"
}

# refused STATUS CODE REGEX ARG...: in JSON, too.
refused()
{
	refusal_with tee "$@"
}

has_size()
{
	[[ $(stat -c %s "$1" 2>&1) == "$2" ]]
}

# reads_from PID FILE: it has it open.
reads_from()
{
	[[ $(readlink /proc/"$1"/fd/*) == *"/$2"* ]]
}

# ---- what it is for ----

@test "every byte to every sink, of every kind" {
	head -c 1000000 /dev/urandom >random
	for size in 0 1 4096 65537 1000000; do
		head -c $size random >in
		# Pipes alone, which is by tee(2).
		# shellcheck disable=SC2002,SC2094 # a pipe is meant
		cat in | timeout 20 pipecat tee - fd:8 - fd:9 8> >(cat >a) 9> >(cat >b) --stats 2>stats | cmp in -
		wait_until 5 cmp -s in a
		wait_until 5 cmp -s in b
		jq -e --argjson size $size '.method == "tee" and .bytes == $size and .error == null and .source == "-" and
			[.sinks[].sink] == ["fd:8", "-", "fd:9"] and all(.sinks[]; .bytes == $size and .dropped == 0 and .error == null)' \
			stats >/dev/null || fail "statistics: $(<stats)"
		# All others.
		mkfifo fifo
		cat fifo >c &
		start pipecat tee unix-listen:sock d
		server=$pid
		start pipecat tee unix-seqpacket-listen:@"$$.$size" e
		packets=$pid
		wait_until 5 connects_at sock
		wait_until 5 connects_at "@$$.$size"
		tees in a fifo "exec:cat >b" unix:sock unix-seqpacket:@"$$.$size" --json
		json --argjson size $size '.method == "copy" and .bytes == $size and (.sinks | length) == 5 and
			all(.sinks[]; .bytes == $size) and .seconds > 0 and .rate >= 0'
		for pid in "$server" "$packets"; do
			finish "$pid"
			assert_equal "$status/$output/$stderr" 0//
		done
		wait_until 5 cmp -s in c
		cmp in a
		cmp in b
		cmp in d
		cmp in e
		rm fifo
	done
}

@test "--append, --mode; what is printed" {
	echo old >file
	tees - file new --append --mode 0640 <<<new
	assert_equal "$(<file)/$(<new)/$(stat -c %a new)" $'old\nnew/new/640'
	tees - file new <<<data
	assert_equal "$(<file)/$output" data/
	tees - file /dev/null --plain --columns source,bytes,method <<<data
	assert_output $'-\t5\tcopy'
	tees - file new --json --quiet <<<data
	assert_output ""
	IPCKIT_FORMAT=json tees file -
	assert_output data
}

# ---- bad input ----

@test "bad operands and options: status 2, and nothing is touched" {
	echo kept >file
	refused 2 USAGE "an operand is missing" file
	refused 2 USAGE "-: is given 2 times" file - -
	refused 2 USAGE "file: the source is the same file" file new file
	refused 2 USAGE "file: a sink is the same file" file file --append </dev/null
	refused 2 USAGE '.*"x"' file new --idle x
	refused 2 USAGE "--line: .*--drop-slow is needed" file new --line
	refused 2 USAGE "tcp:x: " file tcp:x
	refused 2 USAGE "the data go to standard output: use --stats" file -
	assert_equal "$(<file)" kept
}

@test "ends that cannot be opened: statuses 3, 4, 5, 6 and 8" {
	echo kept >file
	refused 3 ENOENT "missing: no such file" missing new
	refused 3 ECONNREFUSED "unix:@none.$$: " file unix:@none.$$
	start pipecat tee unix-listen:@used.$$ out
	wait_until 5 grep -q "@used.$$" /proc/net/unix
	refused 4 EADDRINUSE "unix-listen:@used.$$: " file unix-listen:@used.$$
	refused 8 EISDIR ".: " file .
	mkdir closed
	chmod 0 closed
	run as_unprivileged timeout 10 pipecat tee file closed/file
	assert_status 5
	assert_equal "$(<file)" kept
}

# ---- sinks that fail ----

@test "a sink that fails is told and left out, the others go on: the first failure's status" {
	seq 200000 >in
	refused 6 ENOSPC "/dev/full: no space left.*; it took 0 bytes before" in a /dev/full b
	cmp in a
	cmp in b
	json '[.sinks[].error] == [null, "ENOSPC", null] and [.sinks[].bytes] == [.bytes, 0, .bytes]'
	run --separate-stderr timeout 10 prlimit --fsize=65536 pipecat tee in "exec:wc -c" small
	assert_equal "$status/$(stat -c %s small)/$output" "6/65536/$(stat -c %s in)"
	assert_stderr '^pipecat tee: small: .*RLIMIT_FSIZE is 65536 .*it took 65536 bytes before$'
	# None is left.
	refused 6 ENOSPC "/dev/full: no space left" in /dev/full
}

@test "a reader that goes: SIGPIPE in the end, when the others have got all" {
	seq 300000 >in
	timeout 10 pipecat tee in - a "exec:wc -c >b" 2>err | head -c 1 >one
	assert_equal "${PIPESTATUS[0]}/$(<one)/$(<err)" 141/1/
	cmp in a
	assert_equal "$(<b)" "$(stat -c %s in)"
	# Pipes alone.
	run bash -c 'cat in | pipecat tee - fd:8 - 8> >(:) | cmp in -; exit ${PIPESTATUS[1]}'
	assert_equal "$status/$output" 141/
	run bash -c 'trap "" PIPE; pipecat tee in fd:8 a 8> >(:)'
	assert_status 8
	assert_match '^pipecat tee: fd:8: nobody reads from it any more; it took [0-9]+ bytes before$' "$output"
	cmp in a
	# The first failure is the status.
	mkfifo reader
	start sh -c 'read -r line <reader; echo >gone'
	reader=$pid
	run --separate-stderr timeout 10 pipecat tee "exec:echo; until [ -e gone ]; do sleep 0.01; done; cat in" /dev/full reader a
	assert_status 6
	assert_stderr '^pipecat tee: /dev/full: no space left'
	cmp <(echo; cat in) a
	finish "$reader"
	# While nothing comes, too.
	mkfifo fifo
	exec 7<>fifo
	start sh -c 'exec pipecat tee fifo - --stats | :'
	finish "$pid"
	assert_match '"error":"EPIPE".*"error":"EPIPE"' "$stderr"
	exec 7>&-
	run bash -c 'pipecat tee in - fd:8 8> >(:) | :; exit ${PIPESTATUS[0]}'
	assert_equal "$status/$output" 141/
	run bash -c 'trap "" PIPE; pipecat tee in - | :; exit ${PIPESTATUS[0]}'
	assert_equal "$status" 8
	assert_match '^pipecat tee: -: nobody reads from it any more; it took [0-9]+ bytes before$' "$output"
	# Of a command its own status counts.
	tees in "exec:exit 0"
	tees exec:yes "exec:head -n 1; echo done" "exec:exit 0"
	assert_output $'y\ndone'
	run --separate-stderr timeout 10 pipecat tee in "exec:cat >/dev/null; exit 5" a
	assert_equal "$status/$stderr" 5/
	cmp in a
}

# ---- sinks that are slow ----

@test "the slowest holds up the others; --drop-slow: it loses what it cannot take, and that is counted" {
	mkfifo slow
	exec 7<>slow
	head -c 3000000 /dev/zero >in
	start pipecat tee "exec:cat in" slow a --idle 1s --json
	finish "$pid"
	assert_status 1
	assert_stderr '^pipecat tee: exec:cat in: timed out after 1s: nothing has moved$'
	json '.error.code == "ETIMEDOUT" and .sinks[0].bytes < 3000000 and .sinks[0].dropped > 0 and
		.sinks[1].bytes == .sinks[0].bytes + .sinks[0].dropped'
	run timeout 5 dd iflag=nonblock bs=2M count=1 of=/dev/null status=none <slow
	# Whole lines, at that.
	seq 300000 >in
	start pipecat tee in slow a --drop-slow --line --json
	tee=$pid
	wait_until 10 has_size a "$(stat -c %s in)"
	! gone "$pid" || fail "it did not wait for the rest of a line" "$(show_last)"
	: >rest
	start sh -c 'exec cat slow >rest' 7>&-
	reader=$pid
	wait_until 5 reads_from "$reader" slow
	exec 7>&-
	finish "$tee"
	assert_equal "$status/$stderr" 0/
	json '.sinks[1].dropped == 0 and .sinks[0].dropped > 0 and .sinks[0].bytes + .sinks[0].dropped == .bytes'
	dropping=$output
	finish "$reader"
	assert_equal "$(stat -c %s rest)" "$(jq '.sinks[0].bytes' <<<"$dropping")"
	sort -nc rest
	assert_equal "$(grep -cvxE '[0-9]+' rest)/$(tail -c 1 rest)" 0/
}

# ---- how it ends ----

@test "interrupted, killed, nothing to be had: what came before is delivered" {
	mkfifo fifo
	exec 7<>fifo
	for signal in TERM INT HUP; do
		rm -f a b
		start pipecat tee fifo a b
		echo text >&7
		wait_until 5 has_size b 5
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		assert_equal "$output$stderr$(<a)$(<b)" texttext
	done
	start pipecat tee fifo "exec:cat >c; sleep 100"
	echo text >&7
	wait_until 5 has_size c 5
	command=$(<"/proc/$pid/task/$pid/children")
	kill -KILL "$pid"
	finish "$pid"
	died_of KILL
	wait_until 5 gone "${command% }"
	refused 1 EAGAIN "fifo: would block" fifo a --nonblock
	mkfifo other
	refused 1 ETIMEDOUT "other: timed out after 50ms" fifo other --timeout 50ms
	exec 7>&-
}
