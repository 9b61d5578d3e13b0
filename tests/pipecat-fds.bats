# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat sendfd, recvfd: open descriptors that go from one process to another through a Unix socket.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; each test has its own

load helpers
load ends

peer=$IPCKIT_BUILD/tests/peers/fds-peer

setup()
{
	mkdir "$BATS_TEST_TMPDIR/own"
	cd "$BATS_TEST_TMPDIR/own" || return
}

# is_socket PATH: one that is in the way. connects_at PATH: one that takes connections, too.
is_socket()
{
	[[ -S $1 ]]
}

has_mode()
{
	[[ $(stat -c %a "$1" 2>/dev/null) == "$2" ]]
}

# receive WORD...: starts recvfd at the socket s, and waits until it listens. COMMAND is a script of bash.
receive()
{
	start pipecat recvfd s --timeout 20s -- bash -c "$@"
	wait_until 10 connects_at s
}

# sent WORD...: sendfd, which has to go well and to be silent.
sent()
{
	run timeout 10 pipecat sendfd s "$@"
	assert_equal "$status/$output" 0/ "status and output of: sendfd s $*"
}

# ended STATUS [OUTPUT]: the last one that was started. The socket is gone.
ended()
{
	finish "$pid"
	assert_status "$1"
	[[ $# == 1 ]] || assert_output "$2"
	[[ ! -e s ]] || fail "the socket is still there"
}

# refused VERB STATUS CODE ARG...: told in JSON and in words.
refused()
{
	run --separate-stderr timeout 10 pipecat "$1" --json "${@:4}"
	assert_equal "$status" "$2" "status of: ${*:4}"
	json --arg verb "$1" --arg code "$3" --argjson status "$2" '.error |
		.verb == $verb and .code == $code and .exit == $status and (.message | length > 0)'
	assert_stderr "^pipecat $1: [^ ]+: ."
}

# ---- what it is for ----

@test "a deleted file, a pipe, memory, a semaphore's file and a listener work in COMMAND" {
	receive '
		set -- $IPCKIT_FD
		cat <&"$1"
		echo from the pipe >&"$2"
		cat <&"$3"
		"$0" post "$4"
		# What it listens at is a socket like any.
		exec pipecat recvfd "fd:$5" --timeout 10s -- sh -c "echo again; cat /proc/self/fd/\$IPCKIT_FD"' "$peer"
	echo deleted >file
	exec 5<file
	rm file
	mkfifo fifo
	exec 6<>fifo
	rm fifo
	semctl-cli create -q /jobs --value 3
	exec 7<>/dev/shm/sem.jobs
	receiver=$pid
	"$peer" memfd $'in memory\n' "$peer" bound listener timeout 10 bash -c '
		exec 4<&9
		exec "$0" memfd "in memory
" timeout 10 pipecat sendfd s 5 6 9 7 4' "$peer"
	echo and again >file
	exec 8<file
	timeout 10 pipecat sendfd listener 8
	pid=$receiver
	ended 0 $'deleted\nin memory\nagain\nand again'
	read -r -t 5 line <&6
	assert_equal "$line" "from the pipe"
	run semctl-cli value /jobs --plain
	assert_output 4
	exec 5<&- 6<&- 7<&- 8<&-
}

@test "253 at once: from 3 on, named by IPCKIT_FD, and nothing else is inherited" {
	echo text >file
	# What the tests are run with is inherited here, too.
	open='for i in $(seq 0 300); do [ ! -e /proc/$$/fd/$i ] || echo $i; done'
	start sh -c "$open"
	finish "$pid"
	taken=$output
	receive 'echo $IPCKIT_FD | tr " " "\n"; cat <&${IPCKIT_FD##* }; exec sh -c "$0"' "$open"
	exec 5<file
	fds=()
	for ((i = 0; i < 253; i++)); do fds+=(5); done
	sent "${fds[@]}"
	finish "$pid"
	assert_status 0
	wanted=$(seq 0 300 | grep -vxF "$taken" | head -n 253)
	[[ ${output%%$'\n'text*} == "$wanted" ]] || fail "other numbers" "$(show_last)"
	assert_equal "${output##*text$'\n'}" "$(sort -n <<<"$taken"$'\n'"$wanted")" "descriptors of COMMAND"
	refused sendfd 6 E2BIG s "${fds[@]}" 5
	json '.error.limit | .name == "SCM_MAX_FD" and .value == 253 and .needed == 254'
	# Numbers that the caller has taken stay the caller's.
	start bash -c 'exec 3<file 5<file 4>&- 6>&-; exec pipecat recvfd s --timeout 20s -- sh -c "echo \$IPCKIT_FD; cat <&3"'
	wait_until 10 connects_at s
	run --separate-stderr pipecat sendfd s 5 5 --json
	json '. == {object: "s", descriptors: 2, pid: '"$pid"', uid: 0}'
	ended 0 $'4 6\ntext'
}

@test "a C program at the other side" {
	echo one >one
	echo two >two
	exec 5<one 6<two
	receive 'cat <&"${IPCKIT_FD% *}"; cat <&"${IPCKIT_FD#* }"'
	"$peer" send s 5 6
	ended 0 $'one\ntwo'
	exec 5<one 6<two
	start "$peer" receive s 2
	sent --timeout 10s 5 6
	finish "$pid"
	assert_output $'one\ntwo'
	# Bytes alone, and nothing at all.
	rm s
	receive true
	"$peer" text s
	ended 125
	assert_stderr '^pipecat recvfd: s: what came is data without descriptors$'
	receive true
	"$peer" mute s </dev/null
	ended 125
	assert_stderr '^pipecat recvfd: s: the other side closed the connection and sent none$'
}

@test "either side listens; abstract names, seqpacket, sockets that are inherited" {
	echo text >file
	for at in "unix:$PWD/t" unix:t "unix:@ipckit-$$" unix-seqpacket:t; do
		exec 5<file
		start pipecat recvfd "${at/:/-listen:}" --timeout 10s -- sh -c 'cat <&3'
		timeout 10 pipecat sendfd "$at" 5 --timeout 10s
		ended 0 text
		exec 5<file
		start pipecat sendfd "${at/:/-listen:}" 5 --timeout 10s
		[[ $at == *@* ]] || wait_until 10 is_socket t
		receiver=(pipecat recvfd "$at" -- sh -c 'cat <&3')
		# Of an abstract name it cannot be told whether somebody listens.
		wait_until 10 bash -c '[[ $("$@" 2>/dev/null 3>&- 4>&-) == text ]]' bash \
			timeout 5 "${receiver[@]}"
		ended 0 ""
		[[ ! -e t ]] || fail "t is still there"
	done
	run "$peer" pair bash -c 'exec 5<file 3>&- 4>&-; timeout 5 pipecat sendfd fd:8 5 &&
		exec timeout 5 pipecat recvfd fd:9 -- sh -c "cat <&3; [ ! -e /proc/self/fd/9 ]"'
	assert_equal "$status/$output" 0/text
}

# ---- time ----

@test "timeouts: nobody comes, nobody listens, somebody is silent; zero is a try" {
	exec 5</dev/null
	for words in "sendfd s 5" "sendfd unix:@ipckit-$$ 5" "sendfd unix-listen:s 5" "recvfd s -- true" \
		"recvfd unix:s -- true"; do
		late=1 try=1 code=EAGAIN
		[[ $words != recvfd* ]] || late=124 try=124
		case $words in
		"sendfd s "* | *unix:s*) try=3 code=ENOENT ;;
		*@*) try=3 code=ECONNREFUSED ;;
		esac
		[[ $words != "recvfd unix:"* ]] || try=125
		read -r verb rest <<<"$words"
		# shellcheck disable=SC2086 # words
		refused "$verb" $late ETIMEDOUT --timeout 0.05 $rest
		assert_stderr ': timed out after 0.05s'
		# shellcheck disable=SC2086
		refused "$verb" $try $code --timeout 0 $rest
		[[ ! -e s ]] || fail "left behind: $words"
	done
	punctual 100000 pipecat sendfd s 5 --timeout 100ms
	assert_status 1
	# One who connects and sends nothing.
	start pipecat recvfd s --timeout 1 -- true
	wait_until 10 or_gone "$pid" connects_at s
	silent=$pid
	start bash -c 'exec "$0" mute s <>"$IPCKIT_NEVER"' "$peer"
	pid=$silent
	ended 124
	stop_started
	# Without --timeout nobody is waited for.
	refused sendfd 3 ENOENT s 5
}

@test "a sender waits for somebody to listen, wherever that was before" {
	echo text >file
	exec 5<file
	"$peer" bound s true # dead
	start pipecat sendfd s 5 --timeout 20s
	sender=$pid
	wait_until 10 blocked_in "$sender" clock_nanosleep
	rm s
	start pipecat recvfd s -- sh -c 'cat <&3'
	ended 0 text
	pid=$sender
	ended 0
}

# ---- who is at the other side ----

@test "--uid: another user than told is refused, on either side, and gets nothing" {
	echo text >file
	exec 5<file
	for user in 0 root; do
		start pipecat recvfd s --timeout 10s --uid $user -- sh -c 'cat <&3'
		timeout 10 pipecat sendfd s 5 --uid $user --timeout 10s
		ended 0 text
		exec 5<file
	done
	start pipecat recvfd s --uid 4711 --json -- touch ran
	timeout 10 pipecat sendfd s 5 --timeout 10s
	ended 125 '{"error":{"code":"EPERM","exit":125,"verb":"recvfd","object":"s","message":"the other side runs as user 0, not as 4711"}}'
	start pipecat recvfd s -- touch ran
	wait_until 10 connects_at s
	refused sendfd 5 EPERM s 5 --uid 4711
	ended 125
	[[ ! -e ran ]] || fail "COMMAND was run"
	for user in nobody-of-this-name root:root "" 4294967295; do
		refused sendfd 2 USAGE s 5 --uid "$user"
	done
}

@test "other users than the own and root are refused" {
	read -r _ _ count </proc/self/uid_map
	((count > 4711)) || skip "one user only is mapped here"
	exec 5</dev/null
	start pipecat recvfd s --mode 0666 -- true
	setpriv --reuid 4711 --clear-groups timeout 10 pipecat sendfd s 5 --timeout 10s
	ended 125
	assert_stderr 'the other side runs as user 4711: --uid lets it'
	start pipecat recvfd s --mode 0666 --uid 4711 -- true
	setpriv --reuid 4711 --clear-groups timeout 10 pipecat sendfd s 5 --timeout 10s
	ended 0
}

# ---- the path ----

@test "the path: its mode, a dead one is taken over, a living one is not, others are left alone" {
	exec 5</dev/null
	for mode in 0600 0666 u=rw,g=rw; do
		start pipecat recvfd s --mode $mode -- true
		case $mode in
		u*) mode=0660 ;;
		esac
		wait_until 10 has_mode s ${mode#0}
		wait_until 10 connects_at s
		refused recvfd 125 EADDRINUSE s -- true
		refused recvfd 125 EADDRINUSE unix-seqpacket-listen:s -- true
		refused sendfd 4 EADDRINUSE unix-listen:s 5
		kill -KILL "$pid"
		finish "$pid"
		is_socket s
		refused sendfd 3 ECONNREFUSED s 5
		chmod 0 s
	done
	receive true
	wait_until 10 timeout 10 pipecat sendfd s 5
	ended 0
	# A dead one of another type.
	start pipecat recvfd unix-seqpacket-listen:s -- true
	wait_until 10 is_socket s
	kill -KILL "$pid"
	finish "$pid"
	start pipecat recvfd s --timeout 20s -- true
	wait_until 10 timeout 10 pipecat sendfd s 5
	ended 0
	echo text >file
	mkfifo fifo
	ln -s "$PWD/gone" link
	for path in file fifo link /dev/null .; do
		refused recvfd 125 ENOTSOCK "$path" -- true
		[[ $path == link ]] || refused sendfd 7 ENOTSOCK "$path" 5
	done
	assert_equal "$(<file)" text
	refused recvfd 125 ENOENT none/s -- true
	mkdir closed
	chmod 0555 closed
	run --separate-stderr as_unprivileged pipecat recvfd closed/s --json -- true
	json '.error.code == "EACCES"'
}

@test "several that take over one dead path: one gets it, and it gets what is sent" {
	exec 5</dev/null
	"$peer" bound s true
	pids=()
	for _ in 1 2 3 4; do
		start pipecat recvfd s --timeout 20s -- echo received
		pids+=("$pid")
	done
	# All but one have ended.
	three_ended()
	{
		local one n=0
		for one in "${pids[@]}"; do ! gone "$one" || ((++n)); done
		((n == 3))
	}
	wait_until 10 three_ended
	sent 5
	received=0
	for pid in "${pids[@]}"; do
		finish "$pid"
		case $status in
		0) assert_output received && ((++received)) ;;
		*) assert_status 125 && assert_stderr 'somebody listens there' ;;
		esac
	done
	assert_equal "$received" 1
	rmdir "$PWD"
}

@test "signals: the wait ends, and the path is removed; an ignored one is ignored" {
	for signal in INT TERM HUP QUIT ALRM USR1; do
		receive true
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		[[ ! -e s ]] || fail "left behind by $signal"
	done
	exec 5</dev/null
	start pipecat sendfd unix-listen:s 5
	wait_until 10 connects_at s
	kill -STOP "$pid"
	wait_until 10 state_is "$pid" T
	kill -CONT "$pid"
	kill -TERM "$pid"
	finish "$pid"
	died_of TERM
	[[ ! -e s ]] || fail "left behind"
	start pipecat sendfd s 5 --timeout 20s
	wait_until 10 blocked_in "$pid" clock_nanosleep
	kill -INT "$pid"
	finish "$pid"
	died_of INT
	start env --ignore-signal=INT pipecat recvfd s -- sh -c 'kill -INT $$; echo alive'
	wait_until 10 connects_at s
	kill -INT "$pid"
	sent 5
	ended 0 alive
}

# ---- what goes wrong ----

@test "bad descriptors, sockets and words are named" {
	exec 5</dev/null 8>&-
	refused sendfd 3 ENOENT s 5 8
	assert_stderr '^pipecat sendfd: 8: descriptor 8 is not open$'
	refused sendfd 3 ENOENT fd:8 5
	refused sendfd 7 ENOTSOCK fd:5 5
	run --separate-stderr "$peer" tcp pipecat sendfd fd:9 5 --json
	json '.error | .code == "EPROTOTYPE" and .exit == 7'
	for words in "" s "s x" "s -1" "s 99999999999" "s 5x" "tcp:localhost:80 5" "udp-listen:0 5" "- 5" "exec:cat 5" \
		"fd:1:2 5" "unix-dgram:s 5" "unix: 5" "s 5 --timeout x" "s 5 --mode 8" "s 5 --uid no-such-user"; do
		# shellcheck disable=SC2086 # words
		run pipecat sendfd $words
		[[ $status == 2 ]] || fail "sendfd $words" "$(show_last)"
	done
	for words in "s" "-- true" "s t -- true" "fifo:x -- true" "s --"; do
		# shellcheck disable=SC2086 # words
		run pipecat recvfd $words
		[[ $status == 125 || $status == 2 ]] || fail "recvfd $words" "$(show_last)"
	done
	refused recvfd 125 USAGE "$(printf 'x%.0s' {1..108})" -- true
	assert_stderr 'longer than 107 bytes'
	# Before anybody is waited for.
	refused recvfd 127 ENOENT s -- no-such-command
	refused recvfd 126 EACCES s -- /dev/null
	receive 'exit 7'
	sent 5
	ended 7
}

@test "RLIMIT_NOFILE of the receiver: named, and nothing is run" {
	exec 5</dev/null
	start prlimit --nofile=12 pipecat recvfd s --timeout 20s --json -- touch ran
	wait_until 10 connects_at s
	fds=()
	for ((i = 0; i < 40; i++)); do fds+=(5); done
	sent "${fds[@]}"
	ended 125
	json '.error | .code == "EMFILE" and .limit.name == "RLIMIT_NOFILE" and .limit.value == 12'
	[[ ! -e ran ]] || fail "COMMAND was run"
}
