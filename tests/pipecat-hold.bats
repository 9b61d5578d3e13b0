# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat hold: a FIFO that is open both ways, until it is signalled or while a command runs.
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
	run --separate-stderr timeout 10 pipecat hold "${@:3}" --json
	assert_status "$1"
	json --arg code "$2" '.error.code == $code and .error.verb == "hold"'
}

# start_hold [ARG...]: it says when it holds it.
start_hold()
{
	local out
	start pipecat hold fifo --json "$@"
	out=$(out_of "$pid")
	wait_until 5 test -s "$out"
	output=$(<"$out")
	json --argjson pid "$pid" '. == {fifo: "fifo", pid: $pid}'
}

# lost N: what it says as it ends.
lost()
{
	assert_equal "$stderr" \
		"pipecat hold: warning: fifo: $1 in it $2 lost: nobody has read them, and nobody else has it open"
}

@test "neither end blocks, and no reader sees an end; what one writer left the next reader gets" {
	start_hold
	echo one >fifo
	bash -c 'echo two >fifo'
	exec 7<fifo
	read -r first <&7
	read -r second <&7
	assert_equal "$first $second" "one two"
	run ! read -rt 0.05 <&7
	((status > 128)) || fail "an end was seen" "$(show_last)"
	exec 7<&-
	echo three >fifo
	run head -n 1 fifo
	assert_output three
	stop "$pid"
	# Now there is an end, and there is nobody.
	: >fifo &
	run timeout 5 cat fifo
	assert_equal "$status/$output" 0/
	run --separate-stderr pipecat read fifo --timeout 0
	assert_status 1
}

@test "ended by a signal; what is lost with it is said" {
	for signal in INT TERM HUP USR1; do
		start_hold
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
		assert_equal "$stderr" ""
		start_hold
		echo text >fifo
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
		lost "5 bytes" are
	done
	start_hold
	printf x >fifo
	stop "$pid"
	finish "$pid"
	lost "1 byte" is
}

@test "what others have open is not lost" {
	for mode in '<' '>' '<>'; do
		start_hold
		eval "exec 7${mode}fifo"
		echo text >fifo
		stop "$pid"
		finish "$pid"
		assert_equal "$stderr" ""
		[[ $mode == '<' ]] || exec 8<fifo
		[[ $mode != '<' ]] || exec 8<&7
		read -rt 5 line <&8
		assert_equal "$line" text
		exec 7>&- 8>&-
	done
}

@test "--timeout: for so long" {
	punctual 150000 pipecat hold fifo --timeout 150ms
	assert_equal "$status" 0
	run pipecat hold fifo --timeout 0
	assert_equal "$status/$output" 0/
	start_hold --timeout 3s
	timeout 10 sh -c 'echo text >fifo'
	finish "$pid"
	assert_status 0
	lost "5 bytes" are
}

@test "-- COMMAND: held while it runs, which can use it as well" {
	run --separate-stderr timeout 10 pipecat hold fifo -- bash -c '
		[[ $IPCKIT_FD -ge 10 ]] && echo one >fifo && echo two >&$IPCKIT_FD &&
		read -r one <&$IPCKIT_FD && read -r two <fifo && echo "$one $two" && exit 7'
	assert_equal "$status/$output/$stderr" "7/one two/"
	start pipecat hold fifo --json -- sleep 60
	wait_until 5 test -s "$(out_of "$pid")"
	output=$(<"$(out_of "$pid")")
	json --argjson pid "$pid" '. == {fifo: "fifo", pid: $pid}'
	wait_until 5 eval '[[ $(</proc/$pid/comm) == sleep ]]'
	exec 7<fifo
	exec 8>fifo
	assert_equal "$(awk '/^Sig(Blk|Cgt)/ { print $2 }' "/proc/$pid/status" | sort -u)" 0000000000000000
	kill "$pid"
	finish "$pid"
	died_of TERM
	exec 7<&- 8<&-
	run --separate-stderr pipecat hold fifo -- ./none
	assert_status 127
	run --separate-stderr pipecat hold fifo -- ./fifo
	assert_status 126
	run --separate-stderr pipecat hold none -- true
	assert_status 125
	run --separate-stderr pipecat hold fifo --timeout 1s -- true
	assert_status 125
	run --separate-stderr pipecat hold fifo --
	assert_status 125
}

@test "what is no FIFO, or not there; usage" {
	ln -s fifo link
	: >file
	refused 3 ENOENT none
	refused 7 EBADMSG file
	refused 7 EBADMSG .
	refused 7 ELOOP link
	refused 2 USAGE
	refused 2 USAGE fifo fifo
	refused 2 USAGE fifo --timeot 1
	assert_stderr 'did you mean --timeout\?$'
	for text in '' x -1 5sfoo; do
		refused 2 USAGE fifo --timeout="$text"
	done
	chmod 0 fifo
	run --separate-stderr as_unprivileged pipecat hold fifo --json
	assert_status 5
	json '.error.code == "EACCES"'
	chmod 600 fifo
	# Nobody would know that it is held.
	run --separate-stderr timeout 10 bash -c 'pipecat hold fifo --json >/dev/full'
	assert_status 8
}
