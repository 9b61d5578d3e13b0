# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs of deadlock-check under valgrind.

load helpers
load scenes
load systems
load valgrind

@test "verbs, forms, malformed input" {
	textbook json "2 1 1 0" >"$TMPDIR/json"
	textbook dot >"$TMPDIR/dot"
	five_by_three text >"$TMPDIR/claims"
	write_textbook_mtx
	clean 1 "$TMPDIR/json" --trace
	clean 0 "${mtx[@]}" --table
	clean 0 resolve "$TMPDIR/json"
	clean 0 convert --to graph "$TMPDIR/json"
	clean 0 graph "$TMPDIR/dot"
	clean 0 generate --processes 5 --resources 3
	clean 0 request "$TMPDIR/claims" P1 A=1,C=2
	for form in json dot claims; do
		head -c -9 "$TMPDIR/$form" >"$TMPDIR/cut"
		clean 2 "$TMPDIR/cut"
	done
}

@test "live" {
	play mutexes three-shared
	clean 1 live --table
	clear
	play pipes poll
	clean 9 live --dump
}
