# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs of pipecat under valgrind, each as short as it can be.

load helpers
load ends
load valgrind

# Each test begins with it: a directory of its own, with a file.
begin()
{
	cd "$BATS_TEST_TMPDIR" && head -c 100000 /dev/urandom >in
}

# newer STATUS OTHER ARG...: as `clean STATUS`; OTHER where this valgrind does not know a system call of it.
newer()
{
	clean "$1" "${@:3}" 2>/dev/null || assert_status "$2"
}

# beside STATUS WORD...: the same in the background, its pid in $pid; to be ended by ended.
beside()
{
	wanted=$1
	start "${valgrind[@]}" "$IPCKIT_BUILD/pipecat" "${@:2}"
}

ended()
{
	finish "$pid" 30
	assert_status "$wanted"
}

@test "files, pipes, commands, buffers" {
	begin
	clean 0 in out --stats --progress
	cmp in out
	clean 0 exec:'cat in' out --append --rate 1G --sync
	clean 0 in exec:'cat >out' --buffer 64K --high 32K --low 1K --each
	cmp in out
	clean 0 exec:'cat in' exec:'cat >out' --zero-copy
	clean 0 --both exec:'echo question; exec >&-; cat >answer' exec:cat
	clean 6 in /dev/full
	clean 3 none out
	clean 1 --both exec:'sleep 9' exec:'sleep 9' --idle 10ms
}

@test "sockets: connections, messages, those that are served by processes" {
	begin
	beside 0 --both unix-listen:sock exec:cat --stats
	wait_until 20 listens_at sock
	pipecat --both - unix:sock <in >out
	ended
	cmp in out
	beside 1 unix-dgram-listen:last out --each --idle 300ms
	wait_until 20 listens_at last
	pipecat - unix-dgram:last <<<text
	ended
	beside 0 --fork --both unix-seqpacket-listen:packets exec:cat --timeout 6 --stats --each
	wait_until 20 listens_at packets
	pipecat --both - unix-seqpacket:packets <<<text
	ended
	clean 3 in unix:@nobody-is-here
	clean 1 udp-listen:0 out --idle 10ms
}

@test "FIFOs" {
	begin
	clean 0 create f --mode 0640
	clean 1 read f --timeout 10ms
	clean 1 write f --timeout 10ms --json
	beside 0 read f --line
	(pipecat write f <<<text)
	ended
	assert_output text
	seq 2000 >in
	start pipecat f out
	clean 0 write f --line --lock --stats <in
	finish "$pid"
	cmp in out
	clean 0 hold f -- true
	start pipecat hold f --plain
	wait_until 10 test -s "$(out_of "$pid")"
	newer 0 1 capacity f 4096
	newer 0 0 info f
	clean 0 list . --table
	clean 0 list
	stop "$pid"
	clean 0 clean . --yes --older-than 0
	clean 3 rm f none
}

@test "several ends, two commands, descriptors" {
	begin
	clean 0 tee in out1 exec:'cat >out2' --json
	cmp in out1
	cmp in out2
	clean 0 merge exec:'seq 1000' exec:'seq 1000' out --stats
	clean 0 merge in in out --record 1000
	clean 0 pair -- echo text -- sh -c 'read -r line'
	beside 0 recvfd s --timeout 20s -- sh -c 'cat <&3'
	wait_until 20 listens_at s
	clean 0 sendfd s 0 <in
	ended
	clean 124 recvfd s --timeout 10ms -- true
	clean 3 sendfd s 0
}
