# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzz target survives its corpus. Under --enable-sanitizers this finds most.

load helpers

replay()
{
	local files=("$IPCKIT_SRC/tests/fuzz/corpus/$1"/*)
	((${#files[@]} >= 5)) || fail "the corpus of $1 has ${#files[@]} files"
	run "$IPCKIT_BUILD/tests/fuzz/fuzz-$1" "${files[@]}"
	assert_status 0
}

@test "names" {
	replay name
}

@test "ends of pipecat" {
	replay endpoint
}

@test "operations on sets" {
	replay op
}

@test "values" {
	replay parse
}

@test "records of holders" {
	replay hold
}

@test "files of /proc" {
	replay proc
}

@test "graphs as lines" {
	replay graph
}

@test "systems in JSON" {
	replay json
}

@test "Matrix Market files" {
	replay mtx
}

@test "sections of rows" {
	replay text
}

@test "journals" {
	replay journal
}

@test "messages as lines of JSON" {
	replay jsonl
}

@test "status files of queues" {
	replay mqstatus
}

@test "cells of segments" {
	replay cell
}

@test "operations of FUTEX_WAKE_OP" {
	replay wake-op
}

@test "lines of /proc about channels, and answers of sock_diag" {
	replay channel
}

@test "words and what is around them, and libraries in memory" {
	replay live
}

@test "rows of /proc/locks and of fdinfo" {
	replay live-lock
}

@test "every target has a corpus and is run here" {
	for target in "$IPCKIT_SRC"/tests/fuzz/fuzz-*.c; do
		target=${target##*/fuzz-}
		grep -q "replay ${target%.c}\$" "$BATS_TEST_FILENAME" ||
			fail "no case replays ${target%.c}"
	done
}
