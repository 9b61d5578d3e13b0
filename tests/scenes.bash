# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # what helpers.bash sets
#
# The programs of tests/deadlock, and what deadlock-check says of them: `load scenes` after `load helpers`.

stages=$IPCKIT_BUILD/tests/stages

# play PROGRAM CASE: until it has come to its end. In $stage its pid, in $played its name, in $scene what has to be found,
# in $pids the processes of that. Returns 77 where it cannot be played here. Before PROGRAM come the words of $as.
as=()
play()
{
	start "${as[@]}" "$stages/$1" "$2"
	stage=$pid
	played=${1##*/}
	wait_until 30 has_told "$stage" || return
	if gone "$stage"; then
		finish "$stage"
		[[ $status == 77 ]] || fail "$1 $2 did not come to it:" "$(show_last)"
		return 77
	fi
	scene=$(<"$(out_of "$stage")")
	# shellcheck disable=SC2034 # for the tests
	mapfile -t pids < <(jq -r '[.threads[].pid] | unique[]' <<<"$scene")
}

has_told()
{
	[[ -s $(out_of "$1") ]] || gone "$1"
}

# clear: ends the program of the last `play`, and with it the processes of its stage.
clear()
{
	kill -KILL "$stage"
	wait "$stage" 2>/dev/null || true
	wait_until 10 is_empty
}

# is_empty: nothing of a stage is left.
is_empty()
{
	local file
	for file in /proc/[0-9]*/comm; do
		{ read -r comm <"$file"; } 2>/dev/null || continue
		[[ $comm != "$played" ]] || return 1
	done
}

# What is wrong with an answer, $scene being what has to be found; nothing where all is right. A holder may be
# named by its thread or by its process. Of what is not held by a lock word nobody can be certain unless all
# processes are seen.
# shellcheck disable=SC2016 # the variables of jq
verdict='
def named: . as $tid | [$scene.threads[] | select(.tid == $tid) | .pid] as $pids |
	[($tid, $pids[0]) | select(.) | tostring] | unique;
def is($tid): (capture(":(?<ids>[0-9/]+)$").ids | split("/") | .[-1]) as $id | any($tid | named[]; . == $id);
def words: ["mutex", "robust-mutex", "pi-mutex", "rwlock", "join", "stdio", "child", "pidfd", "condition",
	"once", "static-init"];
def rank: {"certain": 0, "timed": 1, "inferred": 2, "none": 3}[.];
def seen_all: .scanned.unreadable_processes == 0 and (.scanned.other_pid_namespaces | not);
def holds_right($row; $for):
	if ($for | type) == "number" then any($row.holders[]; is($for))
	elif $for == [] then $row.holders == []
	else $row.any and all($for[]; . as $tid | any($row.holders[]; is($tid))) end;

. as $answer | (.level // "none") as $level |
(if $scene.level != "none" and ($level | rank) < ($scene.level | rank)
	then "it is said to be \($level), and is \($scene.level) at the most" else empty end),
(if $scene.level == "none" and .deadlocked then "it is said to be deadlocked" else empty end),
(if .deadlocked != ($level != "none") then "deadlocked is \(.deadlocked), and the level \($level)" else empty end),
(if $must and $scene.level != "none" then
	(if .deadlocked | not then "no deadlock is found" else empty end),
	(if $level != $scene.level and (($answer | seen_all) or all(.waits[]; .kind | IN(words[])))
		then "it is said to be \($level), and is \($scene.level)" else empty end),
	($scene.threads[] | . as $thread | [$answer.waits[] | select(.tid == $thread.tid)] as $rows |
		if $rows == [] then "thread \(.tid), which waits for \(.waits), is missing"
		elif all($rows[]; .pid != $thread.pid) then "the process of thread \(.tid) is wrong"
		elif all($rows[]; .kind != $thread.waits) then
			"thread \(.tid) waits for \(.waits), and is said to wait for \([$rows[].kind])"
		elif all($rows[]; holds_right(.; $thread.for) | not) then
			"what thread \(.tid) waits for is held by \(.for), and is said to be by \([$rows[].holders])"
		else empty end)
else empty end)'

# look [must]: what a scan of everything says; it must find what is there, or only must not say more than that.
look()
{
	local wrong must=false
	[[ ! ${1-} ]] || must=true
	run --separate-stderr timeout 20 deadlock-check live --json
	[[ $output ]] || fail "no answer" "$(show_last)"
	wrong=$(jq -r --argjson scene "$scene" --argjson must "$must" "$verdict" <<<"$output") || fail "$(show_last)"
	[[ ! $wrong ]] || fail "$wrong" "what is there: $scene" "$(show_last)"
	case $(json_get .level) in
	null) assert_status 0 ;;
	certain) assert_status 1 ;;
	*) assert_status 9 ;;
	esac
}

# found PROGRAM [CASE...]: each of them, or all, is played, and found.
found()
{
	each must "$@"
}

# kept_quiet PROGRAM [CASE...]: each is played, and no more is said than is true.
kept_quiet()
{
	each "" "$@"
}

each()
{
	local how=$1 program=$2 cases one r
	shift 2
	cases=("$@")
	(($#)) || mapfile -t cases < <("$stages/$program")
	((${#cases[@]})) || skip "no $program here"
	for one in "${cases[@]}"; do
		r=0
		play "$program" "$one" || r=$?
		((r != 77)) || continue
		((r == 0)) || return
		look "$how" || fail "in $program $one"
		clear
	done
}
