# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat write: standard input into a FIFO, for one reader or for those that come after it, or by lines that are
# never mixed with those of others.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo fifo
}

# refused STATUS CODE ARG...
refused()
{
	run --separate-stderr timeout 10 pipecat write "${@:3}" --json </dev/null
	assert_status "$1"
	json --arg code "$2" '.error.code == $code and .error.verb == "write"'
}

# start_write FILE [ARG...]: FILE into the FIFO.
start_write()
{
	start sh -c 'exec pipecat write fifo "$@" <"$0"' "$@"
}

# written [STATUS]: the one that was started has ended so, without a word.
written()
{
	finish "$pid"
	assert_equal "$status/$stderr" "${1:-0}/"
}

# lines_are FILE: how long, and how many; none has two letters.
lines_are()
{
	run ! grep -vxE -m 1 'a+|b+|c+|d+' "$1"
	run awk '{ count[length($0)]++ } END { for (length_ in count) print length_, count[length_] }' "$1"
	assert_equal "$(sort -n <<<"$output")" "$(cat)"
}

# make_lines LETTER LENGTH COUNT: to a file of that name.
make_lines()
{
	local line i
	line=$(head -c "$2" /dev/zero | tr '\0' "$1")
	for ((i = 0; i < $3; i++)); do
		printf '%s\n' "$line"
	done >"$1"
}

# ---- what it is for ----

@test "every size: what a program reads, and then its end" {
	head -c 3000000 /dev/urandom >random
	for size in 0 1 4095 4096 4097 65536 3000000; do
		head -c $size random >in
		start_write in
		timeout 10 cat fifo | cmp in -
		written
		timeout 10 cat in | timeout 10 pipecat write fifo --json >out &
		timeout 10 pipecat read fifo | cmp in -
		wait $!
		output=$(<out)
		json --argjson size $size '. == {fifo: "fifo", bytes: $size}'
	done
}

@test "its reader goes: quietly, also while nothing comes; where SIGPIPE is ignored, in words" {
	head -c 3000000 /dev/zero >in
	for how in '' --line; do
		yes | head -n 1000000 >in
		# shellcheck disable=SC2086 # words
		start_write in $how
		head -c 1 fifo >first
		written 141
		# shellcheck disable=SC2086 # words
		start_write "$IPCKIT_NEVER" $how
		kill -9 "$pid"
		finish "$pid"
		start sh -c 'exec 3<>"$IPCKIT_NEVER"; exec pipecat write fifo '$how' <&3'
		: <fifo
		written 141
		start sh -c 'trap "" PIPE; exec pipecat write fifo --json '$how' <in'
		head -c 1 fifo >first
		finish "$pid"
		json '.error.code == "EPIPE" and (.error.message |
			test("^nobody reads from it any more; it took [0-9]+ bytes before$"))'
	done
}

@test "--keep-open: the next reader goes on with the rest; it ends when all has been read" {
	head -c 3000000 /dev/urandom >in
	start_write in --keep-open
	dd if=fifo of=first bs=1000 count=1 iflag=fullblock status=none
	dd if=fifo of=second bs=1000 count=1 iflag=fullblock status=none
	! gone "$pid" || fail "it has ended" "$(show_last)"
	timeout 10 cat fifo >rest
	written
	cat first second rest | cmp in -
	# All is in the FIFO, and nobody else would have it.
	echo text >in
	start_write in --keep-open
	: <fifo
	wait_until 5 eval '[[ $(pipecat capacity fifo --plain -o bytes) == 5 ]]'
	! gone "$pid" || fail "it has ended" "$(show_last)"
	run timeout 10 cat fifo
	assert_output text
	written
}

@test "--keep-open: ended, it says what is lost" {
	echo text >in
	for how in '' --line; do
		# shellcheck disable=SC2086 # words
		start_write in -k $how
		: <fifo
		wait_until 5 eval '[[ $(pipecat capacity fifo --plain -o bytes) == 5 ]]'
		kill -TERM "$pid"
		finish "$pid"
		died_of TERM
		assert_stderr '^pipecat write: warning: fifo: 5 bytes in it are lost: nobody has read them, '
		# shellcheck disable=SC2086 # words
		start_write in -k --idle 50ms --json $how
		: <fifo
		finish "$pid"
		assert_status 1
		json '.error.code == "ETIMEDOUT" and .error.message == "timed out after 50ms: nothing has moved"'
		assert_stderr ': fifo: 5 bytes in it are lost'
	done
}

@test "--timeout: until somebody reads, in time; 0: only if somebody does" {
	punctual 150000 pipecat write fifo --timeout 150ms </dev/null 2>/dev/null
	assert_equal "$status" 1
	refused 1 ETIMEDOUT fifo --timeout 0.01
	json '.error.message == "timed out after 0.01s: nobody opened its other end"'
	refused 1 EAGAIN fifo --timeout 0
	json '.error.message == "nobody has its other end open"'
	for how in 0 8s; do
		start cat fifo
		wait_until 5 eval 'echo text | pipecat write fifo --timeout $how 2>/dev/null'
		finish "$pid"
		assert_output text
	done
}

@test "--idle: a reader that does not read" {
	exec 7<>fifo
	head -c 3000000 /dev/zero | tr '\0' '\n' >in
	for how in '' --line; do
		start_write in --idle 50ms --json "${how:---once}"
		finish "$pid"
		assert_status 1
		json '.error.code == "ETIMEDOUT" and .error.object == "fifo"'
	done
	start sh -c 'exec 3<>"$IPCKIT_NEVER"; exec pipecat write fifo --line --idle 50ms <&3'
	finish "$pid"
	assert_equal "$status/$stderr" "1/pipecat write: standard input: timed out after 50ms: nothing has moved"
}

# ---- lines ----

@test "--line: writers never mix, up to PIPE_BUF; a last line gets its end" {
	make_lines a 10 2000
	make_lines b 4095 100
	make_lines c 1000 200
	exec 7<>fifo
	timeout 30 cat fifo >out 7>&- &
	reader=$!
	writers=()
	for name in a b c; do
		timeout 30 pipecat write fifo --line <$name 7>&- &
		writers+=($!)
	done
	printf 'd\nd' | timeout 30 pipecat write fifo -l 7>&-
	for one in "${writers[@]}"; do
		wait "$one"
	done
	exec 7>&-
	wait $reader
	lines_are out <<-'END'
		1 2
		10 2000
		1000 200
		4095 100
	END
}

@test "--line: as soon as it is whole, and together where several are" {
	exec 7<>fifo 8> >(exec timeout 20 pipecat write fifo --line)
	printf 'one\ntw' >&8
	read -rt 10 line <&7
	assert_equal "$line" one
	assert_equal "$(pipecat capacity fifo --plain -o bytes)" 0
	printf 'o\n' >&8
	read -rt 10 line <&7
	assert_equal "$line" two
	exec 8>&-
	command -v strace >/dev/null || return 0
	# Whoever is traced cannot look for leaks.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	seq 1000 >in
	timeout 10 strace -qq -o trace -e trace=write -e signal=none pipecat write fifo --line <in
	run grep -c '^write([0-9]*, "[0-9]' trace
	assert_output 1
	timeout 10 head -n 1000 <&7 | cmp in -
	timeout 10 strace -qq -o trace -e trace=write,flock,ppoll -e inject=write,flock,ppoll:error=EINTR:when=1+2 \
		pipecat write fifo --line <in
	grep -q INJECTED trace
	timeout 10 head -n 1000 <&7 | cmp in -
}

@test "--line: a longer one is refused, with its number; --lock: written whole, even so" {
	exec 7<>fifo
	for length in 4096 5000 3000000; do
		{
			echo one
			printf '\n%4095s\n' ''
			head -c $length /dev/zero | tr '\0' x
			printf '\nlast\n'
		} >in
		run --separate-stderr timeout 10 pipecat write fifo --line --json --stats <in
		assert_status 6
		json '.error.code == "EMSGSIZE" and .error.object == "standard input" and
			(.error.message | startswith("line 4 has more than 4096 bytes"))'
		output=${stderr_lines[-1]}
		json '.error == "EMSGSIZE" and .bytes == 4101 and .lost > 4096'
		timeout 10 head -n 3 <&7 | cmp - <(head -n 3 in)
		assert_equal "$(pipecat capacity fifo --plain -o bytes)" 0
	done
	make_lines a 3000 200
	make_lines b 5000 60
	make_lines c 100000 5
	make_lines d 1200000 1
	timeout 60 cat fifo >out 7<&- &
	reader=$!
	writers=()
	for name in a b c d; do
		timeout 60 pipecat write fifo --line --lock <$name 7<&- &
		writers+=($!)
	done
	for one in "${writers[@]}"; do
		wait "$one"
	done
	exec 7<&-
	wait $reader
	lines_are out <<-'END'
		3000 200
		5000 60
		100000 5
		1200000 1
	END
}

@test "--lock: whoever dies in a long line leaves no beginning of it before the next one's; waits end" {
	exec 7<>fifo
	head -c 200000 /dev/zero | tr '\0' x >in
	start_write in --line --lock
	full()
	{
		(($(pipecat capacity fifo --plain -o bytes) > 65000))
	}
	wait_until 5 full
	# Others wait for it.
	run --separate-stderr timeout 10 pipecat write fifo --line --idle 50ms <<<text
	assert_status 1
	start sh -c 'echo other | exec pipecat write fifo --line'
	other=$pid
	start_write in --line --lock
	for one in "$pid" "${started[0]}"; do
		timeout 5 head -c 4096 <&7 >part || true
		kill -TERM "$one"
		finish "$one"
		died_of TERM
	done
	timeout 10 head -n 2 <&7 >out
	finish "$other"
	assert_status 0
	assert_equal "$(tail -n 1 out)" other
}

@test "--lock, --line: who else has the lock is waited for as long as --timeout and --idle let" {
	exec 7<>fifo
	flock -x 7
	head -c 5000 /dev/zero | tr '\0' x >in
	words='another process has the lock that lines wait for'
	for how in '' --lock; do
		for limit in '-t 0' '-i 0' '-t inf -i 0'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 pipecat write fifo --line $how $limit --json <<<text
			assert_status 1
			json --arg words "$words" '.error.code == "EAGAIN" and .error.message == $words'
		done
		for limit in '-t 50ms' '-t 50ms -i 9' '-i 50ms' '-i 50ms -t 9'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 pipecat write fifo --line $how $limit --stats <<<text
			assert_status 1
			assert_match "^$"
			assert_equal "${stderr_lines[1]}" "pipecat write: fifo: timed out after 50ms: $words"
			output=${stderr_lines[-1]}
			json '.error == "ETIMEDOUT" and .bytes == 0 and .lost == 5'
		done
	done
	# One who shares it keeps out long lines alone.
	flock -s 7
	timeout 10 pipecat write fifo -l -t 0 <<<text
	punctual 100000 pipecat write fifo -l --lock -t 100ms <in 2>/dev/null
	assert_equal "$status" 1
	# It comes in time.
	start_write in -l --lock -t 20s
	timeout 10 head -n 1 <&7 >out
	wait_until 5 blocked_in "$pid" flock
	flock -u 7
	finish "$pid"
	assert_status 0
	timeout 10 head -n 1 <&7 | cmp - <(cat in; echo)
	assert_equal "$(<out)/$(pipecat capacity fifo --plain -o bytes)" text/0
}

# ---- the end ----

@test "a signal ends it: while it waits for a reader, for input, for room" {
	exec 6<>"$IPCKIT_NEVER"
	yes | head -c 3M >in
	for signal in INT TERM HUP KILL; do
		for how in --once --line; do
			start sh -c 'exec pipecat write fifo $0 <&6' "$how"
			wait_until 5 eval '[[ $(readlink /proc/$pid/exe) == */pipecat ]]'
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			exec 7<>fifo
			start sh -c 'exec pipecat write fifo $0 <&6' "$how"
			wait_until 5 eval '[[ -n $(find /proc/$pid/fd -lname "*/fifo" 2>/dev/null) ]]'
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			start sh -c 'exec pipecat write fifo $0 <in' "$how"
			wait_until 5 eval '(($(pipecat capacity fifo --plain -o bytes) > 60000))'
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			exec 7>&-
		done
	done
}

@test "--stats; what is no FIFO, or not there; usage" {
	mkdir directory
	ln -s fifo link
	seq 1000 >in
	for how in '' --line; do
		start_write in --stats "${how:---once}"
		timeout 10 cat fifo | cmp in -
		finish "$pid"
		assert_equal "$status/$output" 0/
		output=$stderr
		json '.source == "standard input" and .sink == "fifo" and .bytes == 3893 and .error == null'
		start sh -c 'yes | pipecat write fifo --stats '"$how"
		head -c 1 fifo >first
		finish "$pid"
		output=$stderr
		json '.error == "EPIPE"'
	done
	refused 3 ENOENT none
	refused 7 EBADMSG in
	refused 7 EBADMSG directory
	refused 7 EBADMSG /dev/null
	refused 7 ELOOP link
	assert_equal "$(<in)" "$(seq 1000)"
	refused 2 USAGE
	refused 2 USAGE fifo fifo
	refused 2 USAGE fifo --once --keep-open
	refused 2 USAGE fifo --lock
	refused 2 USAGE fifo --line --rate 1K
	for text in '' x -1 5sfoo; do
		refused 2 USAGE fifo --timeout="$text"
	done
	chmod 0 fifo
	run --separate-stderr as_unprivileged pipecat write fifo --json </dev/null
	assert_status 5
	json '.error.code == "EACCES"'
}
