# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat clean: FIFOs and dead Unix sockets that are left over, by the rules for all objects.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load channels

refused()
{
	refusal clean "$@"
}

# kept NAME REGEX [ARG...]: it is not removed, however young the leftovers may be, and the reason is told.
kept()
{
	run pipecat clean . --older-than 0 --yes --name "./$1" "${@:3}"
	assert_status 0
	json --arg name "./$1" --arg why "$2" '.fifos | length == 1 and (.[0] | .name == $name and .orphan == false and
		.removed == false and (.reason | test($why)))'
	[[ -e $1 ]] || fail "$1 is gone"
}

# offered NAME [AGE]: whether clean would remove it.
offered()
{
	pipecat clean . --alone --older-than "${2:-0}" | jq -e --arg name "./$1" '.fifos | any(.name == $name and .orphan)' >/dev/null
}

@test "with an age, what nobody has, and no other; without --yes it is but named" {
	mkfifo old young
	"$channel_peer" leave stream dead
	touch file
	ln -s old link
	run pipecat clean . --alone --older-than 1h --yes
	assert_status 0
	json '.fifos | length == 3 and all(.removed == false and .orphan == false and (.reason | test("not long enough$")))'
	wait_until 10 offered old 5s
	wait_until 10 offered dead 5s
	: <>young
	echo text 1<>young >&1
	run pipecat clean . --alone --older-than 5s
	[[ -p old && -S dead ]]
	json '.fifos | map({(.name): [.kind, .orphan, .removed]}) | add == {"./old": ["fifo", true, false],
		"./young": ["fifo", false, false], "./dead": ["unix", true, false]}'
	json '.fifos[] | select(.name == "./old") | .reason | test("^last used [0-9]+ s ago, nobody has it open$")'
	json '.fifos[] | select(.name == "./dead") | .reason | test("^last used [0-9]+ s ago, no socket is bound to it$")'
	run pipecat clean . --alone --older-than 5s --yes
	json '.fifos | map({(.name): .removed}) | add == {"./old": true, "./young": false, "./dead": true}'
	[[ ! -e old && ! -e dead && -p young && -f file && -L link ]]
	run pipecat clean . --alone --older-than 0 --yes
	[[ ! -e young && -f file && -L link ]]
	run pipecat clean .
	assert_output '{"fifos":[]}'
}

@test "without an age nothing is offered; FIFOs neither where other PID namespaces may have them" {
	mkfifo in
	"$channel_peer" leave stream dead
	touch -d '3 days ago' in dead
	run pipecat clean . --alone --yes
	json '.fifos | length == 2 and all((.orphan | not) and (.reason | startswith("no age was given")))'
	kept in "another PID namespace"
	# Of a socket the kernel knows.
	run pipecat clean . --older-than 0 --yes
	[[ -p in && ! -e dead ]]
}

@test "keeps what a process has open, at either end, or waits to open" {
	local how
	mkfifo in
	for how in '<>' '<' '>'; do
		start bash -c "exec 7<>in 8${how}in 7>&-; exec sleep 60"
		has_it()
		{
			[[ $(readlink "/proc/$pid/fd/8") == */in ]]
		}
		wait_until 10 has_it
		kept in "^process $pid has it open\$" --alone
		stop "$pid"
	done
	start cat in
	wait_until 10 blocked_on in "$pid" open
	kept in "^process $pid waits to open it\$" --alone
	# One that is stopped waits, too.
	kill -STOP "$pid"
	wait_until 10 state_is "$pid" T
	kept in "^process $pid (waits to open it|has it open)\$" --alone
	kill -CONT "$pid"
	stop "$pid"
	offered in
}

@test "keeps the path of a socket that lives, listening or not, in whatever network namespace" {
	local kind
	for kind in stream dgram seqpacket; do
		started_peer bind $kind "$kind"
		kept $kind "^process $pid has it open\$"
		stop "$pid"
		offered $kind
		rm $kind
	done
	started_peer listen stream socket 5 0
	kept socket "^process $pid has it open\$"
	stop "$pid"
	rm socket
	start unshare -n "$channel_peer" listen stream other 5 0
	wait_until 10 has_said "$pid"
	kept other "^a socket is bound to it"
	stop "$pid"
	offered other
}

@test "keeps what processes that may not be looked at might have" {
	mkfifo in
	"$channel_peer" leave stream dead
	run as_unprivileged pipecat clean . --alone --older-than 0
	json '(.fifos | map({(.name): .orphan}) | add) == {"./in": false, "./dead": true} and
		(.fifos[0].reason | test("^[0-9]+ process(es)? may not be looked at and might use it$"))'
}

@test "--kind, --name, --owner, --orphans choose among them" {
	mkfifo one two
	"$channel_peer" leave stream dead
	run pipecat clean . --alone --older-than 0 --yes --kind fifo --name '*/o*'
	json '.fifos | map(.name) == ["./one"]'
	run pipecat clean . --alone --older-than 0 --yes --kind unix
	json '.fifos | map(.name) == ["./dead"]'
	run pipecat clean . --alone --older-than 0 --yes --owner 1000
	assert_output '{"fifos":[]}'
	mkfifo three
	exec 7<>three
	run pipecat clean . --alone --older-than 0 --orphans --plain -o name,orphan,removed
	exec 7>&-
	assert_output $'./two\ttrue\tfalse'
	run pipecat clean . --table
	assert_match '^KIND +NAME +ORPHAN +REMOVED +REASON'
}

@test "what may not be removed is status 5, told with the rest" {
	mkdir closed
	"$channel_peer" leave stream closed/dead
	chmod 555 closed
	run --separate-stderr as_unprivileged pipecat clean --alone --older-than 0 --yes closed
	assert_status 5
	json '.fifos[0].removed == false and .error.code == "EACCES" and .error.object == "closed/dead"'
}

@test "bad options and operands are status 2, no directory 3, output that cannot be written 8" {
	refused 2 USAGE
	refused 2 USAGE . --kind pipe
	refused 2 USAGE . --older-than x
	refused 2 USAGE . --backend posix
	refused 3 ENOENT none
	touch file
	refused 7 EBADMSG file
	mkfifo in
	run bash -c 'pipecat clean . >/dev/full'
	assert_status 8
	[[ -p in ]]
}
