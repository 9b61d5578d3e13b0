# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat relay, one way: messages keep their boundaries; how files are opened, emptied and appended to; who listens
# where; with socat. All pairs of ends: pipecat-pairs.bats; both ways: pipecat-both.bats; what fails: pipecat-faults.bats.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# relay STATUS WORD...: a relay with nothing as its standard input.
relay()
{
	run --separate-stderr timeout 20 pipecat "${@:2}" </dev/null
	assert_status "$1"
}

@test "without a verb, without a sink; a file of a verb's name" {
	seq 10000 >list
	for words in ./list "./list -" "relay ./list" "relay fd:5 fd:1"; do
		# shellcheck disable=SC2086 # words
		pipecat $words >out 5<list
		cmp list out || fail "$words"
	done
	run --separate-stderr pipecat ./list ./out --json
	assert_equal "$status/$output/$stderr" "0//"
	cmp list out
	# Of descriptors of another process: a copy.
	start sleep 60 7<list
	pipecat "fd:$pid:7" out
	cmp list out
}

@test "what is inherited is not changed: neither its flags nor, one way, its other users' end" {
	exec 6<> <(:)
	flags=$(grep flags: "/proc/$$/fdinfo/6")
	{ printf x | pipecat - fd:6; } 6>&6
	assert_equal "$(grep flags: "/proc/$$/fdinfo/6")" "$flags" "flags"
	run bash -c 'pipecat - <<<one; echo two'
	assert_output $'one\ntwo'
	exec 6>&-
}

# ---- messages ----

# sizes_are LIST: of the messages that the last `finish` told of.
sizes_are()
{
	jq -se --argjson sizes "$1" 'map(.bytes) == $sizes and all(.error == null and .time > 1e9)' \
		<<<"$(grep '^{"peer"' <<<"$stderr")" >/dev/null || fail "sizes: not $1" "$(show_last)"
}

@test "datagrams of all senders, each with its boundary" {
	start pipecat unix-dgram-listen:last out --each
	last=$pid
	wait_until 5 listens_at last
	start pipecat unix-seqpacket-listen:packets unix-dgram:last --stats
	packets=$pid
	wait_until 5 listens_at packets
	start_listening udp-listen:0 unix-seqpacket:packets --each --stats --idle 3
	for text in one three; do
		printf %s "$text" >"/dev/udp/127.0.0.1/$port"
	done
	finish "$pid"
	assert_status 1
	assert_stderr "timed out after 3s: nothing has moved"
	sizes_are "[3, 5]"
	jq -se '.[-1] | .messages == 2 and .bytes == 8 and .method == "messages" and .error == "ETIMEDOUT"' \
		<<<"$(grep '^{' <<<"$stderr")" >/dev/null || fail "stats" "$(show_last)"
	finish "$packets"
	assert_status 0
	wait_until 10 size_is out 8
	kill -INT "$last"
	finish "$last"
	died_of INT
	sizes_are "[3, 5]"
	assert_equal "$(<out)" onethree
}

@test "a message that is too long for the sink ends the relay, with what the sink took before" {
	command -v socat >/dev/null || skip "no socat"
	head -c 100000 /dev/zero >large
	start_listening udp-listen:0 in --idle 4
	receiver=$pid
	start pipecat relay unix-dgram-listen:here "udp:127.0.0.1:$port"
	wait_until 5 listens_at here
	socat -u -b 200000 - UNIX-SENDTO:here <<<small
	socat -u -b 200000 OPEN:large UNIX-SENDTO:here
	finish "$pid"
	assert_status 6
	assert_stderr "a message of 100000 bytes is too long for it; it took 6 bytes before"
	finish "$receiver"
	assert_equal "$(<in)" small
}

# ---- files ----

@test "a sink that is a file is emptied, when all is open; or appended to; and has its mode" {
	echo "what was there before" >out
	relay 3 nowhere out
	relay 3 unix:nowhere out
	assert_equal "$(<out)" "what was there before"
	pipecat - out <<<new
	assert_equal "$(<out)" new
	pipecat - out --append <<<more
	assert_equal "$(<out)" $'new\nmore'
	relay 2 out out
	assert_stderr "out: the source is the same file"
	ln out same
	relay 2 out same
	relay 2 out - --high 1
	assert_equal "$(<out)" $'new\nmore'
	run bash -c 'pipecat out - <out >>out'
	assert_status 2
	assert_equal "$(<out)" $'new\nmore'
	pipecat out made --mode 0640
	assert_equal "$(stat -c %a made)" 640
	(umask 077 && pipecat out masked)
	assert_equal "$(stat -c %a masked)" 600
	ln -s target link
	pipecat out link
	cmp out target
}

@test "FIFOs are made, and waited for, and what is a socket is named as one" {
	start pipecat fifo:made got --mode 0622
	wait_until 5 test -p made
	assert_equal "$(stat -c %a made)" 622
	pipecat - made <<<through
	finish "$pid"
	assert_equal "$status $(<got)" "0 through"
	relay 1 made - --timeout 50ms
	assert_stderr "made: timed out after 50ms: nobody opened its other end$"
	relay 1 - made --timeout 50ms
	relay 1 made - --nonblock
	assert_stderr "made: would block"
	relay 7 fifo:got -
	assert_stderr "no FIFO"
	relay 2 --both made -
	assert_stderr "goes one way"
	relay 2 --both got -
	start pipecat unix-listen:sock -
	wait_until 5 listens_at sock
	relay 2 sock -
	assert_stderr "sock: a socket: did you mean unix:sock"
	relay 8 . -
	# Names that lead to what has no name.
	run bash -c 'echo named | pipecat /dev/stdin /dev/stdout | cat'
	assert_output named
}

# ---- who listens ----

@test "sockets: where they listen, whom they replace, and that one connection is all" {
	pipecat - out <<<text
	start pipecat unix-listen:sock - --mode 0660
	wait_until 5 listens_at sock
	assert_equal "$(stat -c %a sock)" 660
	relay 4 unix-listen:sock -
	assert_stderr "sock: somebody listens there"
	relay 7 unix-seqpacket:sock -
	relay 7 unix-listen:out -
	assert_equal "$(<out)" text
	relay 3 unix:nobody -
	# Of a server that was killed the name is left, and is taken over.
	kill -KILL "$pid"
	wait "$pid" || true
	relay 3 unix:sock -
	assert_stderr "nobody listens there"
	start pipecat unix-listen:sock got
	wait_until 5 runs_server sock
	pipecat out unix:sock
	finish "$pid"
	cmp out got
	[[ ! -e sock ]] || fail "the name is left"
	# A port that was chosen is told on standard output, or beside the data.
	start_listening tcp-listen:0 got
	assert_match '^[1-9][0-9]*$' "$port"
	relay 4 "tcp-listen:$port" -
	relay 3 "tcp:[::1]:$port" -
	pipecat out "tcp:localhost:$port"
	finish "$pid"
	cmp out got
	start pipecat tcp-listen:0
	wait_until 5 grep -q . "$(err_of "$pid")"
	pipecat out "tcp:127.0.0.1:$(<"$(err_of "$pid")")"
	finish "$pid"
	assert_output text
}

# runs_server PATH: somebody listens there.
runs_server()
{
	grep -q "00010000 .* $1\$" /proc/net/unix
}

@test "with socat at the other side, of each kind" {
	command -v socat >/dev/null || skip "no socat"
	head -c 300000 /dev/urandom >in
	start_listening tcp-listen:0 out
	socat -u OPEN:in "TCP:127.0.0.1:$port"
	finish "$pid"
	cmp in out
	start_listening "tcp-listen:[::1]:0" out
	socat -u OPEN:in "TCP6:[::1]:$port"
	finish "$pid"
	cmp in out
	start pipecat unix-listen:sock out
	wait_until 5 listens_at sock
	socat -u OPEN:in UNIX-CONNECT:sock
	finish "$pid"
	cmp in out
	start socat -u UNIX-LISTEN:sock2 CREATE:out
	wait_until 5 listens_at sock2
	pipecat in unix:sock2
	finish "$pid"
	cmp in out
	start socat -u "ABSTRACT-LISTEN:ipckit-$$" CREATE:out
	wait_until 5 runs_server "@ipckit-$$"
	pipecat in "unix:@ipckit-$$"
	finish "$pid"
	cmp in out
	start socat -u UNIX-LISTEN:sock3,type=5 CREATE:out
	wait_until 5 listens_at sock3
	pipecat in unix-seqpacket:sock3
	finish "$pid"
	cmp in out
}

# ---- what is wrong ----

@test "operands and options that are wrong" {
	while read -r wanted words; do
		# shellcheck disable=SC2086 # words
		relay 2 $words
		wanted=${wanted//_/ }
		[[ $stderr == *"$wanted"* ]] || fail "$words: not '$wanted'" "$(show_last)"
	done <<-'END'
		one_of_the_ends --fork - -
		only_one --fork tcp-listen:0 unix-listen:x
		is_for_--fork - - --max 3
		are_one_end --both - -
		nobody_is_known - udp-listen:0
		is_a_mark - - --low 5
		is_more_than - - --buffer 1M --high 2M
		is_all_that - - --buffer 1M --low 1M
		at_least_1_byte - - --rate 0
		is_not_a_duration - - --idle x
		is_not_a_count tcp-listen:0 - --backlog -1
		is_for_an_end_that_listens - tcp:127.0.0.1:1 --backlog 5
		is_for_a_file - - --append
		is_for_what_is_made unix-listen:@x - --mode 0600
		not_with_--timeout - - --nonblock --timeout 1
		unknown_kind foo:bar -
	END
}
