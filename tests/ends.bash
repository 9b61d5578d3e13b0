# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # the variables of jq; for the tests
#
# What the tests of pipecat's relays share, `load ends` after `load helpers`.

pairs=$IPCKIT_BUILD/tests/peers/relay-pairs

# start_listening WORD...: `pipecat relay WORD...` in the background, its pid in $pid; one of the ends listens at port
# 0, and the port that it got is in $port.
start_listening()
{
	start pipecat relay "$@"
	port_file=$(out_of "$pid")
	wait_until 10 told_port
}

told_port()
{
	{ read -r port <"$port_file"; } 2>/dev/null && [[ $port =~ ^[0-9]+$ ]]
}

# refusal_with VERB STATUS CODE REGEX ARG...: it ends so, in JSON and in words, which begin with REGEX.
refusal_with()
{
	run --separate-stderr timeout 10 pipecat "$1" "${@:5}" --json
	assert_equal "$status" "$2" "status of: ${*:5}"
	json --arg verb "$1" --arg code "$3" --argjson status "$2" '.error.code == $code and .error.exit == $status and
		.error.verb == $verb'
	assert_stderr "^pipecat $1: $4"
}

# connects_at NAME: somebody takes connections at this Unix socket, @NAME an abstract one: it is bound a moment before.
connects_at()
{
	local flags name
	while read -r _ _ _ flags _ _ _ name; do
		[[ $name != "$1" || $flags != 00010000 ]] || return 0
	done </proc/net/unix
	return 1
}

# listens_at PATH: a Unix socket is there, and takes connections, or messages: the path is there a moment before.
listens_at()
{
	[[ -S $1 && $(pipecat info "$1" --plain -o state,type) == @(listen$'\t'*|*$'\tdgram') ]] 2>/dev/null
}

# children_of PID: how many it has, whatever has become of them.
children_of()
{
	local list
	read -r list <"/proc/$1/task/$1/children" || true
	# shellcheck disable=SC2086 # words
	set -- $list
	echo $#
}

has_children()
{
	(($(children_of "$1") == $2))
}

# runs COMMAND-LINE: how many processes of this test's namespace have this command line, words joined by blanks.
runs()
{
	local dir words count=0
	for dir in /proc/[0-9]*; do
		{ mapfile -d '' words <"$dir/cmdline"; } 2>/dev/null || continue
		[[ ${words[*]} != "$1" ]] || ((++count))
	done
	echo "$count"
}

is_running()
{
	(($(runs "$1") == $2))
}

# size_is FILE BYTES
size_is()
{
	[[ -e $1 ]] && (($(stat -c %s "$1") == $2))
}

# catches PID: a relay whose signals are its own by now, or that has ended. waits PID: and that does nothing now.
catches()
{
	local line
	while read -r line; do
		[[ $line != SigCgt:* ]] || { ((0x${line#SigCgt:?} & 0x4000)) && [[ $(<"/proc/$1/comm") == pipecat ]] && return; }
	done <"/proc/$1/status"
	gone "$1"
}

waits()
{
	state_is "$1" S && catches "$1"
}
