# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # the variables of jq; for the tests
#
# What the tests of pipecat's list, info, rm and clean share, `load channels` after `load helpers`: each in a
# directory of its own, with processes that have sockets there.

channel_peer=$IPCKIT_BUILD/tests/peers/channel-peer

setup()
{
	mkdir "$BATS_TEST_TMPDIR/work" && cd "$BATS_TEST_TMPDIR/work" || return
}

# started_peer ARG...: a channel-peer, in $pid; what it says in $said, its first words in $inode and $address.
started_peer()
{
	start "$channel_peer" "$@"
	wait_until 5 has_said "$pid"
	read -r inode address _ <"$(out_of "$pid")"
	said=$(<"$(out_of "$pid")")
}

has_said()
{
	[[ -s $(out_of "$1") ]]
}

# blocked_on OBJECT PID [CALL]: whether info shows a thread of it sleeping on it (in such a call).
blocked_on()
{
	pipecat info "$1" | jq -e --argjson pid "$2" --arg call "${3-}" \
		'.users | any(.pid == $pid and (.call // "" | contains($call) and . != ""))' >/dev/null
}

# users_of: those that the output tells, as "PID FD[r][w]" lines.
users_of()
{
	json_get '.users[] | "\(.pid) \(.fd // "-")\(if .reads then "r" else "" end)\(if .writes then "w" else "" end)"'
}

# refusal VERB STATUS CODE ARG...: it ends so, in words and in JSON, which is in $output then.
refusal()
{
	run --separate-stderr timeout 20 pipecat "$1" "${@:4}" --json
	assert_status "$2"
	json --arg verb "$1" --arg code "$3" --argjson status "$2" \
		'.error | .code == $code and .exit == $status and .verb == $verb'
	assert_stderr "^pipecat $1: "
}
