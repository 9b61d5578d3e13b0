# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # variables of other shells and of jq, and for the tests
#
# What the tests of futexctl's verbs that run a COMMAND share: `load locks` after `load words`.

# Each way to hold a word alone while COMMAND runs: a verb and its options.
holding=("exec" "exec --pi" "lock-pi" "trylock-pi" "rwlock --write" "once")
# Those that can wait for it.
waiting=("exec" "exec --pi" "lock-pi" "rwlock --write" "once")

# ---- holders ----

# start_holder HOW WORD [OPTION...]: starts `futexctl HOW WORD OPTION...` with a COMMAND that stays until `let_end`.
# In $pid the tool's, in $job that of COMMAND, in $told its FUTEXCTL_OWNER_DIED; start_waiter: the same, until it sleeps.
declare -gA fifos=()
staying='echo "$$ [$FUTEXCTL_OWNER_DIED]"; read -r status <>"$1"; exit $status'
start_staying()
{
	local starter=$1 fifo=$BATS_TEST_TMPDIR/fifo.${#started[@]} words
	read -ra words <<<"$2"
	mkfifo "$fifo"
	"$starter" futexctl "${words[@]}" "${@:3}" -- sh -c "$staying" sh "$fifo"
	fifos[$pid]=$fifo
}

start_holder()
{
	start_staying start "$@"
	is_inside "$pid"
}

start_waiter()
{
	start_staying start_asleep "$@"
}

# is_inside PID: waits until its COMMAND runs; sets $job and $told.
is_inside()
{
	local out
	out=$(out_of "$1")
	wait_until 10 test -s "$out"
	read -r job told <"$out"
}

# is_outside PID: its COMMAND has not begun.
is_outside()
{
	[[ ! -s $(out_of "$1") ]] || fail "COMMAND of $1 runs"
	still "$1"
}

# let_end PID [STATUS]: its COMMAND ends with that status (0), and so does the tool.
let_end()
{
	echo "${2-0}" >"${fifos[$1]}"
	ended "${2-0}" "$1"
}

# ---- what is in the word ----

# free HOW: what the word is after COMMAND has ended well.
free()
{
	[[ $1 == once ]] && echo $((0x3fffffff)) || echo 0
}

# ---- refusals ----

# refusal_of HOW STATUS CODE ARG...: `futexctl HOW ARG... -- COMMAND` ends so, in words and in JSON, which is in
# $output then, and COMMAND is not run.
refusal_of()
{
	local words
	read -ra words <<<"$1"
	run --separate-stderr timeout 10 futexctl "${words[@]}" "${@:4}" --json -- touch "$BATS_TEST_TMPDIR/ran"
	assert_status "$2"
	# There are too many of these to parse each: tests ask jq of some.
	assert_match '^\{"error":\{"code":"'"$3"'","exit":'"$2"',"verb":"'"${words[0]}"'","object":(null|"[^"]*"),"message":".+"\}\}$'
	assert_stderr "^futexctl ${words[0]}: "
	[[ ! -e $BATS_TEST_TMPDIR/ran ]] || fail "COMMAND was run" "$(show_last)"
}

# runs HOW TEXT ARG...: `futexctl HOW ARG...` runs COMMAND, which prints whether an owner died: TEXT.
runs()
{
	local words
	read -ra words <<<"$1"
	run --separate-stderr timeout 20 futexctl "${words[@]}" "${@:3}" -- sh -c 'echo "[$FUTEXCTL_OWNER_DIED]"'
	assert_equal "$status$output" "0$2" "$1"
	if [[ $2 == "[]" ]]; then
		assert_stderr '^$'
	else
		assert_stderr "^futexctl ${words[0]}: warning: [^"$'\n'"]*: the last holder died without unlocking$"
	fi
}
