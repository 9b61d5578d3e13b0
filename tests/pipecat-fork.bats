# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat relay --fork: connections and messages served by a process each, how many at once, what happens when there is
# no room for more, what is told, and that nothing is left when it ends.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# ask TEXT [ADDRESS]: prints what a server answers.
ask()
{
	timeout 20 pipecat --both - "${2-tcp:127.0.0.1:$port}" <<<"$1"
}

# told QUERY: of all that the last `finish` told on standard error.
told()
{
	jq -se "$1" <<<"$(grep '^{' <<<"$stderr")" >/dev/null || fail "told: not $1" "$(show_last)"
}

@test "a hundred at once, each gets its own answer; who is asked knows who asks" {
	local n=100 i clients=()
	! is_sanitized || n=15
	start_listening --fork --both tcp-listen:0 'exec:read -r line; echo "$line for $IPCKIT_PEER"; cat' --stats --each
	server=$pid
	# All are connected before the first one is let go.
	mkfifo gate
	for ((i = 0; i < n; i++)); do
		{ echo "answer $i"; read -r _ <gate; echo "end $i"; } | timeout 60 pipecat --both - "tcp:127.0.0.1:$port" >"out$i" &
		clients+=($!)
	done
	exec 5<>gate
	wait_until 60 has_children "$server" "$n"
	for ((i = 0; i < n; i++)); do
		echo >&5
	done
	wait "${clients[@]}"
	exec 5>&-
	for ((i = 0; i < n; i++)); do
		[[ $(<"out$i") =~ ^"answer $i for 127.0.0.1:"[0-9]+$'\n'"end $i"$ ]] || fail "client $i: $(<"out$i")"
	done
	wait_until 20 has_children "$server" 0
	kill -TERM "$server"
	finish "$server"
	died_of TERM
	told "(map(select(.peer)) | length == $n and (map(.peer) | unique | length == $n)
			and all(.bytes > 0 and .back_bytes > .bytes and .seconds > 0 and .error == null))
		and (.[-1] | .connections == $n and .errors == 0 and .bytes > 0 and .back_bytes > .bytes)"
}

@test "at most so many at once; the others wait" {
	start_listening --fork --both tcp-listen:0 exec:cat --max 2 --backlog 8
	server=$pid
	mkfifo gate{1..4}
	for i in 1 2 3 4; do
		start bash -c '{ echo "hello $2"; read -r _ <"gate$2"; } | pipecat --both - "tcp:127.0.0.1:$1"' bash "$port" "$i"
		clients[i]=$pid
	done
	# Those that end make room.
	for answered in 2 3 4; do
		wait_until 10 have_answers "$answered"
		assert_equal "$(children_of "$server")" 2 "at once"
		let_one_go "${clients[@]}"
	done
	let_one_go "${clients[@]}"
	for i in 1 2 3 4; do
		finish "${clients[i]}" 20
		assert_equal "$status $output" "0 hello $i"
	done
	stop "$server"
}

# let_one_go CLIENT...: of those that were answered; each has a gate.
let_one_go()
{
	local client i=0
	for client; do
		[[ ! -p gate$((++i)) ]] || ! grep -q hello "$(out_of "$client")" || break
	done
	echo >"gate$i"
	rm "gate$i"
}

# have_answers N: so many were answered, and no more.
have_answers()
{
	(($(cat "$BATS_TEST_TMPDIR"/start.*.out | grep -c hello) == $1))
}

@test "one way: each connection into its file, or a file for each; of Unix sockets the peer's pid" {
	start pipecat --fork unix-listen:sock 'exec:cat >got.$(echo "$IPCKIT_PEER" | tr -dc 0-9=)' --timeout 4
	server=$pid
	wait_until 5 listens_at sock
	for i in 1 2 3; do
		bash -c 'echo $$ >>pids; exec pipecat - unix:sock' <<<"text $i"
	done
	while read -r one; do
		wait_until 5 test -s "got.$one=0"
	done < <(sed "s/^/=/" pids)
	assert_equal "$(cat got.* | sort)" $'text 1\ntext 2\ntext 3'
	# Nobody came for that time, after some that did.
	finish "$server"
	assert_equal "$status$stderr" 0
	[[ ! -e sock ]] || fail "the name is left"
	seq 10000 >file
	start_listening --fork file tcp-listen:0
	for i in 1 2; do
		pipecat "tcp:127.0.0.1:$port" out
		cmp file out
	done
	stop "$pid"
	for kind in unix unix-dgram; do
		start pipecat --fork $kind-listen:sock - --timeout 0.1
		finish "$pid"
		assert_status 1
		assert_stderr "sock: timed out after 0.1s: nobody came$"
	done
}

@test "a file as the sink is emptied once, before the first; all of them, also at once, write behind one another" {
	echo "what was there before" >out
	(exec pipecat --fork unix-listen:sock nowhere/out) && fail "began without a directory"
	[[ ! -e sock ]] || fail "the name is left"
	start pipecat --fork unix-listen:sock out
	server=$pid
	wait_until 5 listens_at sock
	wait_until 5 size_is out 0
	mkfifo gate
	exec 5<>gate
	clients=()
	for i in 1 2 3; do
		{ seq $((i * 10000)) $((i * 10000 + 9998)); read -r _ <gate; echo "end $i"; } | timeout 20 pipecat - unix:sock &
		clients+=($!)
	done
	wait_until 10 has_children "$server" 3
	printf '\n\n\n' >&5
	wait "${clients[@]}"
	exec 5>&-
	wait_until 10 has_children "$server" 0
	{ for i in 1 2 3; do seq $((i * 10000)) $((i * 10000 + 9998)); echo "end $i"; done; } >all
	assert_equal "$(stat -c %s out)" "$(stat -c %s all)" "bytes"
	cmp <(fold -w1 out | sort) <(fold -w1 all | sort)
	# One that is put in its place is appended to from then on, too.
	mv out rotated
	for i in 1 2; do
		pipecat - unix:sock <<<"after $i"
		wait_until 5 size_is out $((i * 8))
	done
	stop "$server"
	assert_equal "$(<out)" $'after 1\nafter 2'
	start pipecat --fork unix-listen:sock out --append
	wait_until 5 listens_at sock
	pipecat - unix:sock <<<"after 3"
	wait_until 5 size_is out 24
	stop "$pid"
}

@test "each message by a process of its own, and its sender is answered" {
	start_listening --fork --both udp-listen:0 'exec:tr a-z A-Z' --stats --each
	server=$pid
	for i in 1 2 3; do
		run bash -c 'timeout 20 pipecat --both - "udp:127.0.0.1:$1" <<<"message $2" | head -n 1' bash "$port" "$i"
		assert_output "MESSAGE $i"
	done
	wait_until 5 has_children "$server" 0
	kill -INT "$server"
	finish "$server"
	died_of INT
	told 'map(select(.peer)) | length == 3 and all(.bytes == 10 and .back_bytes == 10)'
	start pipecat --fork unix-dgram-listen:dgram 'exec:cat >>all'
	wait_until 5 listens_at dgram
	for i in 1 2 3; do
		pipecat - unix-dgram:dgram <<<"$i"
	done
	wait_until 5 size_is all 6
	assert_equal "$(sort all)" $'1\n2\n3'
	stop "$pid"
	[[ ! -e dgram ]] || fail "the name is left"
}

@test "no descriptor for a connection: it waits until there is one, and that is told once" {
	start_listening --fork --both tcp-listen:0 exec:cat
	server=$pid
	# Those that it has stay.
	prlimit --pid "$server" --nofile=4:1024
	start bash -c 'pipecat --both - "tcp:127.0.0.1:$1" <<<hello' bash "$port"
	client=$pid
	wait_until 5 grep -q "connections have to wait: .*: RLIMIT_NOFILE is 4" "$(err_of "$server")"
	prlimit --pid "$server" --nofile=1024:1024
	finish "$client"
	assert_equal "$status $output" "0 hello"
	assert_equal "$(grep -c "have to wait" "$(err_of "$server")")" 1 "lines"
	stop "$server"
}

@test "one that does not end well is counted, also where it could not tell" {
	start_listening --fork --both tcp-listen:0 exec:cat --stats
	server=$pid
	# One that stays until then.
	mkfifo gate
	exec 5<>gate
	start bash -c 'exec pipecat --both - "tcp:127.0.0.1:$1" <gate 5>&-' bash "$port"
	client=$pid
	wait_until 10 has_children "$server" 1
	read -r worker <"/proc/$server/task/$server/children" || true
	kill -KILL "$worker"
	exec 5>&-
	finish "$client"
	wait_until 10 has_children "$server" 0
	pipecat --both - "tcp:127.0.0.1:$port" <<<text
	wait_until 10 has_children "$server" 0
	kill -TERM "$server"
	finish "$server"
	died_of TERM
	told '.[-1] | .connections == 2 and .errors == 1'
}

@test "when it ends, however, nothing is left of it" {
	for signal in TERM INT KILL; do
		start_listening --fork --both tcp-listen:0 "exec:exec sleep 10$BATS_TEST_NUMBER$$"
		server=$pid
		for i in 1 2 3; do
			start pipecat --both - "tcp:127.0.0.1:$port"
		done
		wait_until 10 is_running "sleep 10$BATS_TEST_NUMBER$$" 3
		kill -"$signal" "$server"
		finish "$server"
		died_of "$signal"
		wait_until 10 is_running "sleep 10$BATS_TEST_NUMBER$$" 0
		wait_until 10 is_running "pipecat relay --fork --both tcp-listen:0 exec:exec sleep 10$BATS_TEST_NUMBER$$" 0
	done
}
