# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat relay when things go wrong: sinks that are full or gone, connections that are broken, peers that are silent or
# stopped, signals without end, no descriptors left; the statuses, what the sink had got, and that nothing is left.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	stop_started
	! mountpoint -q small || umount small
}

# relay STATUS WORD...
relay()
{
	run --separate-stderr timeout 20 pipecat "${@:2}" </dev/null
	assert_status "$1"
}

# ---- sinks ----

@test "a sink that is full: status 6, the limit, and how much it took" {
	head -c 3000000 /dev/urandom >in
	relay 6 in /dev/full
	assert_stderr "^pipecat relay: /dev/full: no space left; it took 0 bytes before$"
	mkdir small
	mount -t tmpfs -o size=1M small small
	for words in "in small/out" "exec:'cat in' small/out" "in small/out --buffer 64K" "in small/out --sync"; do
		rm -f small/out
		eval "relay 6 $words"
		size=$(stat -c %s small/out)
		assert_stderr "^pipecat relay: small/out: no space left: .* blocks is 1048576 bytes, 1048576 in use; it took $size bytes before$"
		cmp -n "$size" in small/out
		((size == 1048576)) || fail "took only $size"
	done
	run --separate-stderr bash -c 'ulimit -f 100; exec pipecat in out'
	assert_status 6
	assert_stderr "RLIMIT_FSIZE is 102400.*; it took 102400 bytes before"
	cmp -n 102400 in out
	# With JSON, where standard output is no end.
	relay 6 in /dev/full --json
	json '.error | .code == "ENOSPC" and .exit == 6 and .object == "/dev/full" and (.message | test("it took 0 bytes"))'
}

@test "no room for one that is to be made: status 6, and which limit" {
	mkdir small
	mount -t tmpfs -o nr_inodes=2 small small
	echo text >in
	: >small/only
	for words in "in small/out" "in fifo:small/fifo" "unix-listen:small/sock -" "--fork unix-listen:sock small/out" \
		"create small/fifo"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 20 pipecat $words
		assert_status 6
		assert_stderr "small/.*: no space left: .* inodes is 2 inodes, 2 in use$"
	done
	[[ ! -e sock ]] || fail "a name is left"
}

@test "a reader that has gone: quietly, by SIGPIPE; with words where that is ignored" {
	run --separate-stderr bash -c 'env --default-signal=PIPE pipecat /dev/zero - | head -c 100000 | wc -c; exit "${PIPESTATUS[0]}"'
	assert_equal "$status $output $stderr" "141 100000 "
	run --separate-stderr bash -c 'env --ignore-signal=PIPE pipecat /dev/zero - | head -c 100000 | wc -c; exit "${PIPESTATUS[0]}"'
	assert_equal "$status $output" "8 100000"
	assert_stderr "^pipecat relay: -: nobody reads from it any more; it took [0-9]+ bytes before$"
	# It is seen also while nothing comes.
	mkfifo in out
	exec 5<>in
	start env --default-signal=PIPE pipecat in out
	head -c 1 out >/dev/null &
	reader=$!
	echo text >&5
	wait "$reader"
	finish "$pid"
	died_of PIPE
	exec 5>&-
}

# start_breaker gives|takes: a peer that breaks its connection then.
start_breaker()
{
	start "$IPCKIT_BUILD/tests/peers/breaker" "$1"
	# shellcheck disable=SC2034 # told_port()
	port_file=$(out_of "$pid")
	wait_until 10 told_port
}

@test "a connection that is broken: status 7, of the source and of the sink" {
	start_breaker gives
	relay 7 "tcp:127.0.0.1:$port" out --stats
	assert_stderr "^pipecat relay: tcp:127.0.0.1:$port: the other side broke the connection"
	assert_equal "$(stat -c %s out)" 5000
	start_breaker takes
	run --separate-stderr bash -c 'env --ignore-signal=PIPE pipecat /dev/zero "tcp:127.0.0.1:$1" --stats' bash "$port"
	[[ $status == [78] ]] || fail "status" "$(show_last)"
	assert_stderr "tcp:127.0.0.1:$port: (the other side broke the connection|nobody reads from it any more); it took [0-9]+ bytes before"
	# What was all sent, and not all taken yet, is not yet well.
	start_breaker takes
	head -c 20000 /dev/zero >in
	run --separate-stderr bash -c 'env --ignore-signal=PIPE pipecat in "tcp:127.0.0.1:$1"' bash "$port"
	[[ $status == [078] ]] || fail "status" "$(show_last)"
}

# ---- peers that do nothing ----

@test "silent, or stopped: --idle ends it, and what came before has been passed on" {
	mkfifo in
	exec 5<>in
	echo before >&5
	relay 1 in out --idle 0.2
	assert_stderr "^pipecat relay: in: timed out after 0.2s: nothing has moved$"
	assert_equal "$(<out)" before
	exec 5>&-
	start_listening tcp-listen:0 exec:'exec cat >/dev/null'
	server=$pid
	kill -STOP "$server"
	# Until nothing moves any more there is much to be moved.
	takes_us timeout 20 pipecat /dev/zero "tcp:127.0.0.1:$port" --idle 300ms
	assert_status 1
	((us >= 300000 && us < 10000000)) || fail "after $us us"
	kill -CONT "$server"
	finish "$server"
	# Stopped itself it goes on where it was, and time that has passed meanwhile is not held against anybody.
	head -c 300000 /dev/urandom >data
	start pipecat data - --rate 1MB
	wait_until 5 test -s "$(out_of "$pid")"
	# On a slow machine it may have ended by now.
	! pauses "$pid" || kill -CONT "$pid"
	wait_until 20 gone "$pid"
	cmp data "$(out_of "$pid")"
}

@test "what would have to wait, with --nonblock: status 1" {
	mkfifo in
	exec 5<>in
	relay 1 in - --nonblock
	assert_stderr "in: would block"
	relay 1 tcp-listen:0 - --nonblock
	relay 1 tcp-listen:0 - --timeout 0
	start_listening tcp-listen:0 out --timeout 0.1
	finish "$pid"
	assert_status 1
	assert_stderr "tcp-listen:0: timed out after 0.1s: nobody came$"
	# Of datagrams the first one is who comes.
	for words in udp-listen:0 unix-dgram-listen:sock; do
		relay 1 $words out --timeout 0.1
		assert_stderr "$words: timed out after 0.1s: nobody came$"
		relay 1 $words out --timeout 0
		assert_stderr "$words: would block"
		[[ ! -e sock ]] || fail "a name is left"
	done
	start pipecat unix-dgram-listen:sock out --timeout 10 --idle 0.3
	wait_until 5 listens_at sock
	pipecat - unix-dgram:sock <<<text
	finish "$pid"
	assert_status 1
	assert_stderr "timed out after 0.3s: nothing has moved"
	assert_equal "$(<out)" text
	echo text >&5
	run --separate-stderr pipecat in - --nonblock
	assert_equal "$status $output" "1 text"
	exec 5>&-
}

# deaf_name_server: in a network of its own, where who is asked for a name never answers; then prints how waits ended.
deaf_name_server()
{
	cat >deaf <<-'END'
		ip link set lo up
		pipecat udp-listen:53 /dev/null &
		server=$!
		until grep -q :0035 /proc/net/udp; do :; done
		for words in "" --fork; do
			timeout 20 pipecat $words tcp-listen:name.example:0 - --timeout 0.2
			echo "$?"
			pipecat $words tcp-listen:name.example:0 - &
			until grep -q "SigCgt:.*[4-7c-f]...$" "/proc/$!/status"; do :; done
			kill -TERM $!
			wait $!
			echo "$?"
		done
		kill -TERM "$server"
	END
	echo "nameserver 127.0.0.1" >resolv.conf
	echo "hosts: dns" >nsswitch.conf
	mount --bind resolv.conf /etc/resolv.conf
	mount --bind nsswitch.conf /etc/nsswitch.conf
	timeout 60 unshare -n bash deaf
	umount /etc/resolv.conf /etc/nsswitch.conf
}

@test "a name that no server tells the address of does not hold up who would listen there" {
	command -v ip >/dev/null || skip "no ip"
	run --separate-stderr deaf_name_server
	assert_equal "$output" $'1\n143\n1\n143'
	assert_stderr "tcp-listen:name.example:0: timed out after 0.2s: no name server has answered"
}

@test "signals without end do not harm it" {
	head -c 20000000 /dev/urandom >in
	for words in "in out" "- out" "exec:'cat in' out" "- exec:'cat >out'"; do
		start bash -c "exec pipecat $words <in"
		wait_until 5 catches "$pid"
		# The first one is that by which a signal insists.
		while ! gone "$pid"; do
			kill -RTMIN "$pid" && kill -STOP "$pid" && kill -CONT "$pid" || break
		done 2>/dev/null
		finish "$pid"
		assert_status 0
		cmp in out
	done
}

# ---- limits ----

@test "no descriptors left: status 6 and the limit; and nothing is lost or left behind" {
	echo text >in
	for words in "in ./out" "exec:'cat in' ./out" "unix-listen:sock ./out --timeout 0" "in fifo:made --timeout 0"; do
		for ((n = 4; n < 12; n++)); do
			run --separate-stderr bash -c "ulimit -n $n; exec timeout 10 pipecat $words"
			[[ $status != [01] && $stderr != *"loading shared"* ]] || continue
			[[ $status == 6 && $stderr == *"RLIMIT_NOFILE is $n descriptors"* ]] || [[ $status == 127 ]] ||
				fail "$words with $n" "$(show_last)"
		done
		[[ $status == [01] ]] || fail "$words: not with $n" "$(show_last)"
		[[ ! -e sock ]] || fail "a name is left"
	done
}

@test "memory stays as it is, however much flows" {
	not_sanitized "memory is that of the sanitizer"
	for words in "/dev/zero /dev/null" "exec:'cat /dev/zero' exec:'cat >/dev/null'" "/dev/zero /dev/null --buffer 1M"; do
		start bash -c "exec pipecat $words"
		wait_until 5 grep -q VmHWM "/proc/$pid/status"
		read -rt 0.3 <>"$IPCKIT_NEVER" || true
		kb=$(sed -n 's/VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
		stop "$pid"
		((kb < 16384)) || fail "$words: $kb kB"
	done
}

# ---- statuses and signals ----

@test "each status that it can end with" {
	echo text >in
	echo other >out
	mkdir locked
	chmod 0 locked
	relay 0 in out
	relay 1 tcp-listen:0 - --timeout 0
	relay 2 in --nothing
	relay 2 in out surplus
	relay 3 nowhere -
	relay 3 unix:nowhere -
	assert_stderr "^pipecat relay: unix:nowhere: no such socket$"
	for words in "in nowhere/out" "in fifo:nowhere/fifo" "unix-listen:nowhere/sock -"; do
		# shellcheck disable=SC2086 # words
		relay 3 $words
		assert_stderr ": its directory is missing$"
	done
	relay 3 fd:77 -
	relay 3 fd:999999:1 -
	start pipecat unix-listen:sock -
	wait_until 5 listens_at sock
	relay 4 unix-listen:sock -
	run --separate-stderr as_unprivileged pipecat locked/in -
	assert_status 5
	run --separate-stderr as_unprivileged pipecat in locked/out
	assert_status 5
	relay 6 in /dev/full
	relay 7 in unix:out
	relay 7 unix-dgram:sock -
	relay 8 . -
	relay 42 exec:'exit 42' -
	stop "$pid"
}

@test "signals end it at once, wherever it waits, and names and commands do not stay" {
	mkfifo in out stdin
	for words in "in -" "unix-listen:sock -" "- out" "- /dev/null" "--fork unix-listen:sock -" "exec:'sleep 766' -" \
		"--both unix-listen:sock exec:'sleep 766'"; do
		for signal in INT TERM; do
			start bash -c "exec pipecat $words <>stdin"
			wait_until 10 waits "$pid"
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			assert_equal "$stderr" ""
			[[ ! -e sock ]] || fail "$words: the name is left"
		done
	done
	wait_until 5 is_running "sleep 766" 0
}
