# SPDX-License-Identifier: GPL-2.0-or-later
# Commands as ends of pipecat relay: what they inherit, how their status is passed on, who they are told is at the other
# side, and what becomes of them when the relay ends.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# relay STATUS OUTPUT WORD...
relay()
{
	run --separate-stderr timeout 20 pipecat "${@:3}" </dev/null
	assert_equal "$status $output" "$1 $2"
}

@test "a command as source, as sink, as both, and its status" {
	seq 50000 >in
	relay 0 "$(wc -c <in)" exec:'cat in' exec:'wc -c'
	relay 3 out exec:'echo out; exit 3' -
	relay 5 "" in exec:'cat >/dev/null; exit 5'
	# The sink's goes before the source's.
	relay 6 "" exec:'exit 5' exec:'exit 6'
	relay 5 "" exec:'exit 5' exec:true
	relay 143 "" exec:'kill $$' -
	relay 127 "" exec:./nothing -
	assert_stderr "nothing"
	relay 0 "" --both exec:'seq 3; exec >&-; cat >back' exec:'sort -r'
	assert_equal "$(<back)" $'3\n2\n1'
	# Who reads no more says itself what that means; who was not read any more says nothing.
	relay 0 1 in exec:'head -n 1'
	relay 4 1 in exec:'head -n 1; exit 4'
	relay 0 y exec:yes exec:'head -n 1'
}

@test "what is not relayed is inherited, and nothing else" {
	assert_equal "$(pipecat exec:'cat; ls /proc/self/fd' - <<<input)" $'input\n'"$(sh -c 'ls /proc/self/fd' | cat)"
	run bash -c 'pipecat - exec:"cat >&2; echo stdout" 2>err <<<input; cat err'
	assert_output $'stdout\ninput'
	# Signals: at their default, or ignored, as the relay had them.
	# libc's own two may be ignored by whoever started all of this.
	run env --default-signal --ignore-signal=USR1,USR2 pipecat exec:'exec cat /proc/self/status' -
	assert_match $'\nSigBlk:\t0000000000000000\nSigIgn:\t0000000[01]8?0+a00\nSigCgt:\t0000000000000000\n'
	# Its status is known all the same.
	run env --ignore-signal=CHLD pipecat exec:'exit 9' -
	assert_status 9
}

@test "IPCKIT_PEER: the address of the other side, or its pid and uid, or nothing" {
	start_listening tcp-listen:0 exec:'cat; echo "at $IPCKIT_PEER"'
	pipecat - "tcp:127.0.0.1:$port" <<<text
	finish "$pid"
	assert_match $'\ntext\nat 127\.0\.0\.1:[0-9]+$'
	start_listening "tcp-listen:[::1]:0" exec:'echo "at $IPCKIT_PEER"'
	pipecat - "tcp:[::1]:$port" </dev/null
	finish "$pid"
	assert_match $'\nat \[::1\]:[0-9]+$'
	start pipecat unix-listen:sock exec:'cat; echo "at $IPCKIT_PEER"'
	wait_until 5 listens_at sock
	bash -c 'echo "$$"; exec pipecat - unix:sock <<<text' >client
	finish "$pid"
	assert_output $'text\nat pid='"$(<client) uid=0"
	# From the other side: who listens.
	start bash -c 'echo $$ >server; exec pipecat unix-listen:sock -'
	wait_until 5 listens_at sock
	pipecat exec:'echo "to $IPCKIT_PEER"' unix:sock
	finish "$pid"
	assert_output "to pid=$(<server) uid=0"
	run env IPCKIT_PEER=inherited pipecat exec:'echo "${IPCKIT_PEER-none}"' -
	assert_output none
}

# had_sigpipe PID: one is held back there.
had_sigpipe()
{
	local pending
	pending=$(awk '$1 == "SigPnd:" { print $2 }' "/proc/$1/status")
	((0x$pending & 0x1000))
}

@test "a command ends with a relay that fails or is ended, and what it has started does, too" {
	for how in TERM INT HUP idle full; do
		name=7$BATS_TEST_NUMBER$$${#how}
		words=("exec:sleep $name & sleep $name; true" -)
		case $how in
		idle) words+=(--idle 0.1) ;;
		full) words=("exec:echo text; sleep $name; true" /dev/full) ;;
		esac
		start pipecat "${words[@]}"
		case $how in
		idle) wanted=1 ;;
		full) wanted=6 ;;
		*)
			wait_until 5 is_running "sleep $name" 2
			kill -"$how" "$pid"
			wanted=$((128 + $(kill -l "$how")))
			;;
		esac
		finish "$pid"
		assert_status "$wanted"
		wait_until 5 is_running "sleep $name" 0
	done
	# One that does not want to.
	start pipecat exec:'trap "" TERM; echo ready; exec sleep 799' - --idle 1
	finish "$pid" 20
	assert_equal "$status $output $(runs "sleep 799")" "1 ready 0"
	# One that is waited for, when all has flowed.
	start pipecat - exec:'cat; sleep 788; exit 4' </dev/null
	wait_until 5 is_running "sleep 788" 1
	kill "$pid"
	finish "$pid"
	died_of TERM
	assert_equal "$(runs "sleep 788")" 0
	# It had stopped reading before: what it is ended by is told all the same.
	start pipecat /dev/zero exec:'exec sleep 766 <&-'
	wait_until 10 had_sigpipe "$pid"
	kill "$pid"
	finish "$pid"
	died_of TERM
	assert_equal "$(runs "sleep 766")" 0
	# It is killed itself: nobody is left to tell, but the command is told.
	start pipecat exec:'exec sleep 777' -
	wait_until 5 is_running "sleep 777" 1
	kill -KILL "$pid"
	wait_until 5 is_running "sleep 777" 0
}

@test "a command that cannot be started" {
	echo kept >out
	for sink in - out; do
		run --separate-stderr env PATH=/nowhere "$(command -v pipecat)" exec:true "$sink"
		assert_status 127
		assert_stderr "sh: command not found"
	done
	assert_equal "$(<out)" kept
}
