# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat pair: two commands, each one's output the other's input.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# pair STATUS ARG...: run with --json; ends so.
pair()
{
	run --separate-stderr timeout 20 pipecat pair --json "${@:2}"
	assert_status "$1"
}

# start_pair COMMAND1 COMMAND2 [BEFORE]: shell commands; waits until the files one and two hold their pids, which
# comes after BEFORE.
start_pair()
{
	rm -f one two
	start pipecat pair --json -- sh -c "${3-:}; echo \$\$ >one; $1" -- sh -c "echo \$\$ >two; $2"
	wait_until 5 test -s one -a -s two
	one=$(<one)
	two=$(<two)
}

@test "both ways, byte for byte; each sees the other's end" {
	head -c 3000000 /dev/urandom >in
	pair 0 -- sh -c 'cat in & exec >&-; cat >out; wait' -- cat
	cmp in out
	json '.commands | length == 2 and all(.exit == 0 and .signal == null and .pid > 1) and .[1].command == "cat"'
	assert_equal "$stderr" ""
	pair 0 -- sh -c 'echo ping; read -r x; echo "$x" >&2; echo end' -- sh -c 'read -r x; echo "$x pong"; read -r y; echo "$y" >&2'
	assert_equal "$stderr" $'ping pong\nend'
	json '.commands[0].command | startswith("sh -c echo ping; ")'
	run timeout 10 pipecat pair -- true -- cat
	assert_equal "$status/$output" 0/
	# What one has left open does not keep the other's end away.
	run timeout 10 pipecat pair -- sh -c 'exec >&-; cat >/dev/null' -- sh -c 'cat >/dev/null'
	assert_equal "$status/$output" 0/
}

@test "--sep: another word between them; the first one counts" {
	run --separate-stderr timeout 10 pipecat pair --sep , -- echo a -- b , sh -c 'cat >&2'
	assert_equal "$status/$output/$stderr" "0//a -- b"
	pair 0 --sep :: -- sh -c 'cat >&2; echo "$@"' - x -- y :: sh -c 'exec >&-; cat >&2; echo "$@" >&2' :: -- z
	json '.commands[0].command | endswith(" - x -- y")'
	assert_equal "$stderr" $'x -- y\n-- z'
	pair 0 -- true -- sh -c 'echo "$@" >&2' - -- --
	assert_equal "$stderr" "-- --"
}

@test "the status: the first command's failure, else the second's" {
	pair 3 -- sh -c 'exit 3' -- sh -c 'exit 4'
	json '[.commands[].exit] == [3, 4]'
	pair 4 -- true -- sh -c 'exit 4'
	pair 3 -- sh -c 'exit 3' -- true
	pair 143 -- sh -c 'kill $$' -- sh -c 'exit 4'
	json '.commands[0].signal == 15 and .commands[0].exit == null and .commands[1].exit == 4'
	pair 137 -- true -- sh -c 'kill -9 $$'
	pair 124 -- true -- sh -c 'exit 124'
	# Who ignores that is not to have its children's statuses taken away.
	run bash -c 'trap "" CHLD; exec pipecat pair -- true -- sh -c "exit 6"'
	assert_status 6
}

@test "one that cannot be started: 126, 127, and the other one is not left" {
	: >file
	pair 127 -- ./none -- touch begun
	json '.error.code == "ENOENT" and .error.exit == 127 and .error.object == "./none"'
	pair 127 -- touch begun -- nonesuch
	json '.error.exit == 127 and .error.object == "nonesuch"'
	pair 126 -- touch begun -- ./file
	json '.error.code == "EACCES" and .error.exit == 126'
	[[ ! -e begun ]] || fail "the other one was begun"
	# Nor where that is found out too late.
	printf '#!/none/such\n' >script
	chmod +x script
	start pipecat pair --json -- sh -c 'echo $$ >one; cat' -- ./script
	finish "$pid"
	assert_status 126
	json '.error.exit == 126 and .error.object == "./script"'
	[[ ! -s one ]] || wait_until 5 gone "$(<one)"
}

@test "SIGTERM and SIGHUP are passed on to both; SIGINT is of the terminal" {
	for signal in TERM HUP; do
		start_pair 'exec sleep 60' 'exec sleep 60'
		kill -INT "$pid"
		kill -"$signal" "$pid"
		kill -QUIT "$pid" 2>/dev/null || true
		finish "$pid"
		assert_status $((128 + $(kill -l $signal)))
		json --argjson signal "$(kill -l $signal)" '[.commands[].signal] == [$signal, $signal]'
	done
	start_pair 'sleep 60 >&- 2>&- & wait' 'exec sleep 60' 'trap "echo caught >&2; exit 5" TERM'
	kill -TERM "$pid"
	finish "$pid"
	assert_equal "$status/$stderr" 5/caught
	start_pair 'read -r x; exit 5' 'trap "" INT; exec sleep 60'
	kill -INT "$pid"
	kill -KILL "$two"
	finish "$pid"
	assert_status 5
	json '.commands[1].signal == 9'
}

@test "killed, it leaves none of them" {
	for _ in 1 2 3; do
		start_pair 'exec sleep 60' 'exec sleep 60'
		kill -KILL "$pid"
		finish "$pid"
		wait_until 5 gone "$one"
		wait_until 5 gone "$two"
	done
}

@test "the commands' signals are as inherited, and descriptors are none of its own" {
	run --separate-stderr timeout 10 pipecat pair -- awk '/^SigBlk/ { print >"/dev/stderr" }' /proc/self/status -- true
	assert_match 'SigBlk:.*0000$' "$stderr"
	run --separate-stderr bash -c 'trap "" USR1 PIPE; exec timeout 10 pipecat pair -- true -- awk "/^SigIgn/ { print >\"/dev/stderr\" }" /proc/self/status'
	assert_match 'SigIgn:.*1200$' "$stderr"
	# Of pipes: its two ends.
	run --separate-stderr timeout 10 pipecat pair -- sh -c 'cd /proc/$$/fd
		readlink * | grep -cFx -e "$(readlink 0)" -e "$(readlink 1)" >&2' -- cat
	assert_equal "$stderr" 2
}

@test "usage" {
	pair 125
	json '.error.code == "USAGE"'
	pair 125 --
	pair 125 -- true
	json '.error.code == "USAGE" and .error.object == "--"'
	pair 125 -- true --
	pair 125 -- -- true
	pair 125 --sep , -- true -- true
	pair 125 operand -- true -- true
	pair 125 --sap x -- true -- true
	assert_stderr 'did you mean --sep\?$'
	run --separate-stderr pipecat pair --columns help
	assert_match 'command.*pid.*exit.*signal'
}
