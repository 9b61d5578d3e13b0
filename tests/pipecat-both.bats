# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat relay --both: half-closes passed on, who is answered, and an error of one way is not that of the other. All
# pairs of ends: pipecat-pairs.bats.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

@test "the end of one way is passed on, and the other goes on" {
	# What is answered is answered after the end of the question.
	start_listening --both tcp-listen:0 'exec:wc -c; sort' --stats
	run --separate-stderr bash -c 'seq 5 | pipecat --both - "tcp:127.0.0.1:$1"' bash "$port"
	assert_equal "$status/$output/$stderr" "0/10/"
	finish "$pid"
	assert_status 0
	output=$stderr
	json '.bytes == 10 and .back_bytes == 3 and .lost == 0 and .back_lost == 0 and .error == null and .back_error == null'
	# And the other way round: the command has ended, its input goes on.
	mkfifo in
	start bash -c 'pipecat --both - "exec:echo gone; exec >&-; cat >late" <in'
	exec 4>in
	wait_until 5 grep -q gone "$(out_of "$pid")"
	echo late >&4
	exec 4>&-
	finish "$pid"
	assert_equal "$status $output $(<late)" "0 gone late"
}

@test "standard input and output of another program: both ways, by socat" {
	command -v socat >/dev/null || skip "no socat"
	head -c 300000 /dev/urandom >in
	start socat TCP-LISTEN:0,bind=127.0.0.1 EXEC:cat
	wait_until 5 listener_of "$pid"
	pipecat --both - "tcp:127.0.0.1:$port" <in >out
	cmp in out
	stop "$pid"
	start_listening --both tcp-listen:0 exec:cat
	socat -t 10 - "TCP:127.0.0.1:$port" <in >out
	cmp in out
	finish "$pid"
	start pipecat --both unix-listen:sock exec:cat
	wait_until 5 listens_at sock
	socat -t 10 - UNIX-CONNECT:sock <in >out
	cmp in out
	finish "$pid"
	assert_status 0
}

# listener_of PID: the port that it listens at, in $port.
listener_of()
{
	local inode hex
	for inode in $(readlink "/proc/$1"/fd/* | sed -n 's/socket:\[\(.*\)]/\1/p'); do
		hex=$(awk -v inode="$inode" '$10 == inode && $4 == "0A" { split($2, at, ":"); print at[2] }' /proc/net/tcp)
		[[ ! $hex ]] || { port=$((16#$hex)) && return; }
	done
	return 1
}

# heard: the next datagram of descriptor 7.
heard()
{
	timeout 10 dd bs=4096 count=1 status=none <&7
}

@test "datagrams: who sends first is answered" {
	start_listening --both udp-listen:0 'exec:while read -r line; do echo "$IPCKIT_PEER said $line"; done'
	server=$pid
	exec 7<>"/dev/udp/127.0.0.1/$port"
	echo one >&7
	answer=$(heard)
	assert_match '^127\.0\.0\.1:[0-9]+ said one$' "$answer"
	# Nobody else is heard.
	(echo other >"/dev/udp/127.0.0.1/$port") 2>/dev/null || true
	echo two >&7
	again=$(heard)
	assert_equal "$again" "${answer% one} two"
	exec 7>&-
	stop "$server"
	# An address of one's own is needed.
	start pipecat --both unix-dgram-listen:dgram exec:cat
	wait_until 5 listens_at dgram
	run bash -c 'echo hello | timeout 20 pipecat --both - unix-dgram:dgram | head -n 1'
	assert_output hello
	stop "$pid"
}

@test "who has gone after all was said is no failure; who has gone before is" {
	start pipecat --both unix-listen:sock 'exec:head -c 4; echo enough' --stats
	wait_until 5 listens_at sock
	mkfifo in
	start bash -c 'pipecat --both - unix:sock <in'
	client=$pid
	exec 4>in
	printf 1234 >&4
	wait_until 5 grep -q enough "$(out_of "$client")"
	exec 4>&-
	finish "$client"
	assert_equal "$status $output" "0 1234enough"
	# The other side takes no more than a part of it.
	start pipecat unix-listen:sock2 'exec:head -c 4'
	wait_until 5 listens_at sock2
	run --separate-stderr bash -c 'env --default-signal=PIPE pipecat --both - unix:sock2 </dev/zero; exit $?'
	assert_status 141
	[[ ! $stderr || $stderr == "pipecat relay: unix:sock2: the other side broke the connection" ]] || fail "words" "$(show_last)"
}
