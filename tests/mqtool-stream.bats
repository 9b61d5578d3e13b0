# SPDX-License-Identifier: GPL-2.0-or-later
# Streams of messages, mqtool send --lines into mqtool recv --follow, and that nothing is lost
# on the way: by a signal at any moment, a reader that is gone or does not read, a full disk,
# a full queue, and, with a journal, by SIGKILL.
# shellcheck disable=SC2016 # the variables of jq and other shells
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load queues

# start_into FILE ARG...: starts mqtool ARG..., which appends its output to FILE. It does not
# keep what start_sender() reads open.
start_into()
{
	start bash -c 'fd=$1; exec {fd}>&- mqtool "${@:3}" >>"$2"' - "${feed_fd:-99}" "$@"
}

# has_lines FILE N: whether it has at least so many.
has_lines()
{
	(($(wc -l <"$1") >= $2))
}

# make_pipe: a FIFO, $pipe, that has a reader who never reads and holds as much as it can.
make_pipe()
{
	pipe=$BATS_TEST_TMPDIR/pipe
	rm -f "$pipe"
	mkfifo "$pipe"
	exec {pipe_fd}<>"$pipe"
	fill_pipe
}

fill_pipe()
{
	dd if=/dev/zero of="$pipe" bs=4096 oflag=nonblock status=none 2>/dev/null || true
}

# blocked_writing PID: whether it waits for a reader.
blocked_writing()
{
	blocked_in "$1" write
}

# start_sender OBJECT: starts one that sends the lines which `feed` gives it; its pid in $sender.
start_sender()
{
	local fifo=$BATS_TEST_TMPDIR/feed
	rm -f "$fifo"
	mkfifo "$fifo"
	start mqtool send "$1" --lines --file "$fifo"
	sender=$pid
	fed=0
	exec {feed_fd}>"$fifo"
}

# feed N: the next N numbers.
feed()
{
	seq $((fed + 1)) $((fed + $1)) >&"$feed_fd"
	((fed += $1))
}

# a_moment: up to 2 ms, without giving up the processor.
a_moment()
{
	local end=$((${EPOCHREALTIME/[^0-9]/} + RANDOM % 2000))
	while ((${EPOCHREALTIME/[^0-9]/} < end)); do :; done
}

# end_sender: and waits until all that was fed is in the queue or taken.
end_sender()
{
	exec {feed_fd}>&-
	finish "$sender"
	assert_status 0
}

# all_of OBJECT: what is in it, sorted, separated by blanks. It is empty then.
all_of()
{
	texts "$1" | tr ' ' '\n' | sort | paste -sd ' '
}

# ---- streams ----

@test "all that is sent is received, in its order" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start mqtool recv "$object" --follow --lines --count 3000
		seq 3000 | mqtool send "$object" --lines
		finish "$pid"
		assert_status 0
		diff <(seq 3000) - <<<"$output"
		assert_equal "$stderr" ""
		assert_count "$object" 0
		# The same from and to programs that know libc alone.
		case $backend in
		posix) start "$mq_peer" feed "$object" 1000 ;;
		sysv) start "$msg_peer" feed "$(id_of "$object")" 1000 ;;
		esac
		mqtool recv "$object" --follow --null --count 1000 | diff <(seq 1000 | tr '\n' '\0') -
		case $backend in
		posix) start "$mq_peer" receive "$object" 1000 ;;
		sysv) start "$msg_peer" receive "$(id_of "$object")" 0 1000 ;;
		esac
		seq 1000 | tr '\n' '\0' | mqtool send "$object" --null
		finish "$pid"
		diff <(seq 1000) <(cut -d ' ' -f 2 <<<"$output")
	done
}

@test "--follow prints each message as it comes, a line of JSON each" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_waiter recv "$object" --follow
		out=$(out_of "$pid")
		mqtool send "$object" one
		wait_until 5 has_lines "$out" 1
		mqtool send "$object" $'t\nwo'
		wait_until 5 has_lines "$out" 2
		wait_until 5 waits "$pid"
		kill -TERM "$pid"
		finish "$pid" 2
		died_of TERM
		json -s '[.[].data] == ["one", "t\nwo"]'
		assert_equal "${#output}" "$(wc -L <<<"$output" | awk -v two="$(wc -m <<<"$output")" '{print two - 1}')"
		start_waiter recv "$object" --follow --plain -o data
		mqtool send "$object" one
		wait_until 5 has_lines "$(out_of "$pid")" 1
		stop "$pid"
	done
}

@test "--follow --count ends with the last, --follow --timeout when none comes" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one two three
		run mqtool recv "$object" --follow --count 2
		assert_status 0
		assert_equal "$(jq -r .data <<<"$output" | paste -sd ' ')" "one two"
		run --separate-stderr mqtool recv "$object" --follow --timeout 30ms --lines
		assert_equal "$status $output" "1 three"
		assert_equal "$stderr" "mqtool recv: $object: timed out after 30ms"
		mqtool send "$object" one two
		run mqtool recv "$object" --follow --all --lines
		assert_equal "$status $output" $'0 one\ntwo'
	done
}

@test "the time limit of --follow begins anew with each message" {
	# On a slow machine there may be more than that between two of them.
	for seconds in 1 3 9; do
		make posix
		begin=${EPOCHREALTIME/[^0-9]/}
		start mqtool recv "$object" --follow --timeout ${seconds}s --lines
		# Longer in sum than the limit, by when it would have ended.
		for ((i = 0; ${EPOCHREALTIME/[^0-9]/} < begin + seconds * 1200000; i++)); do
			mqtool send "$object" "$i"
			wait_until 5 or_gone "$pid" has_lines "$(out_of "$pid")" $((i + 1))
			! gone "$pid" || break
		done
		late=$((${EPOCHREALTIME/[^0-9]/} < begin + seconds * 1200000))
		finish "$pid"
		assert_status 1
		assert_stderr "timed out after ${seconds}s\$"
		((late)) || return 0
	done
	fail "it ended before all had come"
}

@test "several senders and receivers: each message comes to one of them" {
	for backend in "${backends[@]}"; do
		make "$backend"
		pids=()
		for i in 1 2 3; do
			start mqtool recv "$object" --follow --lines
			pids+=("$pid")
		done
		seq 1 500 | mqtool send "$object" --lines &
		seq 501 1000 | mqtool send "$object" --lines
		wait $!
		wait_until 10 all_have_come
		for pid in "${pids[@]}"; do
			kill -TERM "$pid"
			finish "$pid"
			died_of TERM
			echo "$output"
		done >"$BATS_TEST_TMPDIR/all"
		diff <(seq 1000) <(grep . "$BATS_TEST_TMPDIR/all" | sort -n)
	done
}

# all_have_come: a thousand lines in what $pids have printed.
all_have_come()
{
	local one
	(($(for one in "${pids[@]}"; do cat "$(out_of "$one")"; done | wc -l) == 1000))
}

# ---- signals ----

@test "a signal in a stream at any moment: each message was written once or is in the queue" {
	for backend in "${backends[@]}"; do
		make "$backend"
		out=$BATS_TEST_TMPDIR/out.$backend
		: >"$out"
		start_sender "$object"
		for signal in INT TERM HUP INT TERM HUP INT TERM; do
			start_into "$out" recv "$object" --follow --lines
			wait_until 5 waits "$pid"
			feed 500
			a_moment
			kill -"$signal" "$pid"
			finish "$pid" 5
			died_of "$signal"
			assert_equal "$stderr" ""
		done
		start_into "$out" recv "$object" --follow --lines
		end_sender
		wait_until 5 count_is "$object" 0
		wait_until 5 has_lines "$out" "$fed"
		stop "$pid"
		diff <(seq "$fed") <(sort -n "$out")
	done
}

@test "blocked on a pipe that nobody reads: a signal puts the message back" {
	for backend in "${backends[@]}"; do
		make "$backend"
		make_pipe
		for row in 'INT --follow --lines' 'TERM --follow' 'HUP --raw' 'INT' 'TERM --all' 'HUP --count 2 --plain' \
			'INT --timeout 20s' 'TERM --follow --timeout 20s' 'INT --all --null'; do
			read -ra args <<<"$row"
			mqtool send "$object" one two
			start_into "$pipe" recv "$object" "${args[@]:1}"
			wait_until 5 blocked_writing "$pid"
			kill -"${args[0]}" "$pid"
			finish "$pid" 2
			died_of "${args[0]}"
			assert_equal "$stderr" ""
			assert_equal "$(all_of "$object")" "one two" "$row"
		done
	done
}

@test "written in part: the whole message is put back" {
	large_queues
	for ((i = 0; i < 1000; i++)); do
		printf 'line %d\n' "$i"
	done | head -c 8000 >"$BATS_TEST_TMPDIR/large"
	for backend in "${backends[@]}"; do
		make "$backend"
		make_pipe
		dd of="$BATS_TEST_TMPDIR/drained" bs=4096 count=1 status=none <&"$pipe_fd"
		mqtool send "$object" <"$BATS_TEST_TMPDIR/large"
		start_into "$pipe" recv "$object" --raw
		wait_until 5 blocked_writing "$pid"
		assert_count "$object" 0
		kill -INT "$pid"
		finish "$pid" 2
		died_of INT
		mqtool recv "$object" --raw | cmp - "$BATS_TEST_TMPDIR/large"
	done
}

@test "it cannot be put back where others filled the queue: it is on stderr, status 8" {
	for backend in "${backends[@]}"; do
		case $backend in
		posix) make posix --maxmsg 2 ;;
		sysv) make sysv --qbytes 6 ;;
		esac
		make_pipe
		for args in '--follow --lines' --all; do
			mqtool send "$object" one
			# shellcheck disable=SC2086 # words
			start_into "$pipe" recv "$object" $args
			wait_until 5 blocked_writing "$pid"
			mqtool send "$object" two six --timeout 0
			kill -TERM "$pid"
			finish "$pid" 2
			assert_status 8
			assert_stderr "^mqtool recv: .*$object: could not be put back: .*one"
			assert_texts "$object" "two six"
		done
	done
}

@test "a signal that waits while the output blocks, then is read: it goes on to the end" {
	for backend in "${backends[@]}"; do
		make "$backend"
		make_pipe
		mqtool send "$object" one two
		start env --ignore-signal=INT bash -c 'exec mqtool recv "$1" --all --lines >"$2"' - "$object" "$pipe"
		wait_until 5 blocked_writing "$pid"
		kill -INT "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		wait_until 5 blocked_writing "$pid"
		head -c $((65536 + 8)) <&"$pipe_fd" | tail -c 8 >"$BATS_TEST_TMPDIR/got" &
		finish "$pid"
		assert_status 0
		wait $!
		assert_equal "$(<"$BATS_TEST_TMPDIR/got")" $'one\ntwo'
	done
}

# ---- readers that are gone, disks that are full ----

@test "the reader is gone: the message is back in the queue, and the run ends quietly" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for args in '--follow --lines' --follow '--count 3' '--count 3 --raw'; do
			rm -f "$gone"
			# shellcheck disable=SC2086 # words
			start bash -c 'object=$1; shift
				{ mqtool recv "$object" "$@"; echo "ended with $?" >&2; } | reads 0' - "$object" $args
			wait_until 5 waiters_are "$object" 1
			# Until the reader has gone nothing is there to be written.
			wait_until 5 no_reader
			mqtool send "$object" one two three
			finish "$pid"
			assert_equal "$stderr" "ended with 141" "recv $args"
			assert_equal "$(all_of "$object")" "one three two" "recv $args"
		done
	done
}

# reads LINES: as many, then nobody reads any more, and `gone` says so.
reads()
{
	head -n "$1"
	exec <&-
	: >"$gone"
}
export -f reads

# no_reader: nobody has what `reads` had, nor has the shell that started it.
no_reader()
{
	[[ -e $gone ]] && blocked_in "$pid" wait4 waitid
}

setup()
{
	export gone=$BATS_TEST_TMPDIR/gone
}

@test "| head -1 gets the first message, and the second is not lost" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rm -f "$gone"
		start bash -c '{ mqtool recv "$1" --follow --lines; echo "ended with $?" >&2; } | reads 1' - "$object"
		wait_until 5 waiters_are "$object" 1
		mqtool send "$object" one
		wait_until 5 no_reader
		mqtool send "$object" two
		finish "$pid"
		assert_equal "$output/$stderr" "one/ended with 141"
		assert_texts "$object" two
	done
}

@test "the reader is gone and SIGPIPE ignored: status 8, the message is back" {
	for backend in "${backends[@]}"; do
		make "$backend"
		rm -f "$gone"
		start env --ignore-signal=PIPE bash -c '
			{ mqtool recv "$1" --follow --lines; echo "ended with $?" >&2; } | reads 0' - "$object"
		wait_until 5 waiters_are "$object" 1
		wait_until 5 no_reader
		mqtool send "$object" one
		finish "$pid"
		assert_stderr 'standard output: .*ended with 8$'
		assert_texts "$object" one
	done
}

@test "a full disk in the middle of a stream" {
	large_queues
	mkdir "$BATS_TEST_TMPDIR/disk"
	mount -t tmpfs -o size=8k small "$BATS_TEST_TMPDIR/disk" || skip "no mounts here"
	for backend in "${backends[@]}"; do
		make "$backend"
		start bash -c 'seq 100000 100003 | sed "s/$/ $(printf %03000d 0)/" | mqtool send "$1" --lines' - "$object"
		sender=$pid
		start_into "$BATS_TEST_TMPDIR/disk/$backend" recv "$object" --follow --lines
		finish "$pid"
		assert_status 8
		assert_stderr 'standard output: no space left'
		finish "$sender"
		# What was not written whole is there.
		diff <(seq 100000 100003) <({
			grep -Ex '[0-9]{6} 0{3000}' "$BATS_TEST_TMPDIR/disk/$backend"
			mqtool recv "$object" --all --lines
		} | cut -d ' ' -f 1 | sort)
		rm "$BATS_TEST_TMPDIR/disk/$backend"
	done
	umount "$BATS_TEST_TMPDIR/disk"
}

# ---- journals ----

@test "killed again and again, with a journal: each message is written at least once" {
	for backend in "${backends[@]}"; do
		make "$backend"
		out=$BATS_TEST_TMPDIR/out.$backend
		journal=$BATS_TEST_TMPDIR/journal.$backend
		: >"$out"
		start_sender "$object"
		for _ in {1..10}; do
			start_into "$out" recv "$object" --follow --lines --journal "$journal"
			wait_until 5 waits "$pid"
			feed 500
			a_moment
			kill -KILL "$pid"
			finish "$pid"
			died_of KILL
		done
		start_into "$out" recv "$object" --follow --lines --journal "$journal"
		end_sender
		wait_until 5 count_is "$object" 0
		wait_until 5 waits "$pid"
		kill -TERM "$pid"
		finish "$pid" 2
		died_of TERM
		diff <(seq "$fed") <(sort -nu "$out")
		# Only the one that was on its way at a kill may be there twice.
		(($(wc -l <"$out") <= fed + 10))
		run mqtool recv "$object" --all --journal "$journal"
		assert_output '{"messages":[]}'
	done
}

@test "killed while it cannot write: the next run with the journal delivers it first" {
	for backend in "${backends[@]}"; do
		make "$backend"
		make_pipe
		journal=$BATS_TEST_TMPDIR/journal.$backend
		for args in '--follow --lines' --all; do
			printf 'o\0ne' | mqtool send "$object" - two
			# shellcheck disable=SC2086 # words
			start_into "$pipe" recv "$object" $args --journal "$journal"
			wait_until 5 blocked_writing "$pid"
			kill -KILL "$pid"
			finish "$pid"
			mqtool send "$object" three
			run --separate-stderr mqtool recv "$object" --all --journal "$journal" --verbose
			assert_status 0
			assert_stderr "$journal: [12] left by an earlier run"
			json '[.messages[] | .data // .data_base64] == ["bwBuZQ==", "two", "three"]'
			run --separate-stderr mqtool recv "$object" --all --journal "$journal" -v
			assert_output '{"messages":[]}'
			assert_equal "$stderr" ""
		done
	done
}

@test "with a journal, what a signal or a full disk stops is left to the next run" {
	for backend in "${backends[@]}"; do
		make "$backend"
		make_pipe
		journal=$BATS_TEST_TMPDIR/journal.$backend
		for signal in INT TERM HUP; do
			mqtool send "$object" one two
			start_into "$pipe" recv "$object" --follow --lines --journal "$journal"
			wait_until 5 blocked_writing "$pid"
			kill -"$signal" "$pid"
			finish "$pid" 2
			died_of "$signal"
			run --separate-stderr mqtool recv "$object" --all --lines --journal "$journal"
			assert_equal "$status $output" $'0 one\ntwo'
		done
		mqtool send "$object" one two
		run --separate-stderr bash -c 'mqtool recv "$1" --all --journal "$2" >/dev/full' - "$object" "$journal"
		assert_status 8
		run mqtool recv "$object" --all --lines --journal "$journal"
		assert_equal "$status $output" $'0 one\ntwo'
	done
}

@test "left messages come before --timeout 0 looks, and keep their priority or type" {
	make_pipe
	make posix
	"$mq_peer" send "$object" 7 it
	start_into "$pipe" recv "$object" --lines --journal "$BATS_TEST_TMPDIR/posix"
	wait_until 5 blocked_writing "$pid"
	kill -KILL "$pid"
	finish "$pid"
	run mqtool recv "$object" --timeout 0 --journal "$BATS_TEST_TMPDIR/posix"
	assert_output '{"priority":7,"size":2,"data":"it"}'
	make sysv
	"$msg_peer" send "$(id_of "$object")" "$long_max" it
	start_into "$pipe" recv "$object" --lines --journal "$BATS_TEST_TMPDIR/sysv"
	wait_until 5 blocked_writing "$pid"
	kill -KILL "$pid"
	finish "$pid"
	assert_equal "$(mqtool recv "$object" --timeout 0 --journal "$BATS_TEST_TMPDIR/sysv" --plain -o type)" "$long_max"
}

@test "a journal belongs to one run at a time, and to one queue" {
	for backend in "${backends[@]}"; do
		make "$backend"
		journal=$BATS_TEST_TMPDIR/journal.$backend
		start_waiter recv "$object" --journal "$journal" --raw
		run --separate-stderr mqtool recv "$object" --journal "$journal"
		assert_status 1
		json '.error.code == "EBUSY"'
		assert_stderr "$journal: another process uses the journal"
		mqtool send "$object" it
		finish "$pid"
		assert_equal "$status $output" "0 it"
		first=$object
		make "$backend"
		mqtool send "$object" kept
		run --separate-stderr mqtool recv "$object" --journal "$journal"
		assert_status 7
		assert_stderr "$journal: this is the journal of $first"
		assert_texts "$object" kept
	done
}

@test "no room for a journal: status 6, and the message stays" {
	mkdir "$BATS_TEST_TMPDIR/disk"
	mount -t tmpfs -o size=4k small "$BATS_TEST_TMPDIR/disk" || skip "no mounts here"
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" kept
		run --separate-stderr mqtool recv "$object" --journal "$BATS_TEST_TMPDIR/disk/journal"
		assert_status 6
		json '.error.code == "ENOSPC"'
		assert_stderr "$BATS_TEST_TMPDIR/disk/journal: "
		assert_texts "$object" kept
		rm -f "$BATS_TEST_TMPDIR/disk/journal"
	done
	umount "$BATS_TEST_TMPDIR/disk"
}
