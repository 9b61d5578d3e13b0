# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool dump: prints all messages, and leaves them in the queue.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

# dump_of OBJECT: as each backend can.
dump_of()
{
	local take=()
	[[ $1 == *:* ]] || take=(--take)
	run --separate-stderr mqtool dump "$1" "${take[@]}"
}

# ranked OBJECT RANK TEXT: sends it with a priority or of a type.
ranked()
{
	if [[ $1 == *:* ]]; then
		mqtool send "$1" --type "$2" "$3"
	else
		mqtool send "$1" --priority "$2" "$3"
	fi
}

@test "dump prints a line for each message, in their order, and leaves them" {
	make posix
	ranked "$object" 0 low
	ranked "$object" 32767 high
	ranked "$object" 5 first
	ranked "$object" 5 second
	for _ in 1 2; do
		dump_of "$object"
		assert_status 0
		assert_equal "$stderr" ""
		assert_output '{"priority":32767,"size":4,"data":"high"}
{"priority":5,"size":5,"data":"first"}
{"priority":5,"size":6,"data":"second"}
{"priority":0,"size":3,"data":"low"}'
	done
	assert_texts "$object" "high first second low"

	make sysv
	ranked "$object" 7 one
	ranked "$object" 1 two
	ranked "$object" "$long_max" three
	for _ in 1 2; do
		dump_of "$object"
		assert_status 0
		assert_equal "$stderr" ""
		assert_output '{"type":7,"size":3,"data":"one"}
{"type":1,"size":3,"data":"two"}
{"type":9223372036854775807,"size":5,"data":"three"}'
	done
	assert_texts "$object" "one two three"
}

@test "dump is one document a line on a terminal's format, too, and others when asked" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b
		take=()
		[[ $backend == sysv ]] || take=(--take)
		run env IPCKIT_FORMAT=table mqtool dump "$object" "${take[@]}"
		json -s 'map(.data) == ["a", "b"]'
		run mqtool dump "$object" "${take[@]}" --plain --columns data,size
		assert_output $'a\t1\nb\t1'
		run mqtool dump "$object" "${take[@]}" --quiet
		assert_status 0
		assert_output ""
		assert_count "$object" 2
	done
}

@test "dump of an empty queue prints nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		dump_of "$object"
		assert_status 0
		assert_equal "$output$stderr" ""
	done
}

@test "dump of a full queue" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		dump_of "$object"
		assert_status 0
		assert_equal "$stderr" ""
		assert_equal "${#lines[@]}" 4
		assert_count "$object" 4
	done
}

@test "dump: text as data, anything else as data_base64" {
	for backend in "${backends[@]}"; do
		make "$backend"
		printf 'a\0b' | mqtool send "$object"
		printf '\377\n' | mqtool send "$object"
		printf 'k\303\244se\n"' | mqtool send "$object"
		printf '' | mqtool send "$object"
		dump_of "$object"
		json -s '[.[] | [.size, .data, .data_base64]] ==
			[[3, null, "YQBi"], [2, null, "/wo="], [7, "käse\n\"", null], [0, "", null]]'
		assert_count "$object" 4
	done
}

@test "dump of a POSIX queue is refused without --take" {
	make posix
	mqtool send "$object" x
	run --separate-stderr mqtool dump "$object"
	assert_status 8
	assert_stderr "^mqtool dump: $object: mq_receive\(3\) removes what it returns: with --take "
	json '.error.code == "EOPNOTSUPP" and .error.exit == 8'
	assert_texts "$object" x
}

@test "dump --take takes nothing that it could not put back" {
	make posix --mode 0400
	mqtool send "$object" x
	run --separate-stderr as_unprivileged mqtool dump "$object" --take
	assert_status 5
	assert_stderr "^mqtool dump: $object: permission denied: without the right to send, "
	json '.error.code == "EACCES"'
	assert_texts "$object" x
}

# queued_up: fills $object with a to d, and has senders wait with e, f ...; their pids in $senders.
queued_up()
{
	local text
	make posix --maxmsg 4 --msgsize 64
	mqtool send "$object" a b c d
	senders=()
	for text in "$@"; do
		start_waiter send "$object" "$text"
		senders+=("$pid")
	done
}

# As soon as the first is taken there is a place for what waits: then not all fit any more.
@test "dump --take of a queue that is filled meanwhile loses nothing" {
	queued_up e
	dump_of "$object"
	assert_status 1
	assert_equal "$(jq -r 'select(has("data")).data' <<<"$output" | paste -sd ' ')" "a b c d"
	assert_equal "$stderr" "mqtool dump: warning: $object: could not be put back: {\"priority\":0,\"size\":1,\"data\":\"d\"}
mqtool dump: $object: 1 of 4 messages could not be put back"
	finish "${senders[0]}"
	assert_status 0
	assert_texts "$object" "e a b c"
}

@test "dump --take --journal keeps those in it that find no room" {
	queued_up e f
	run --separate-stderr mqtool dump "$object" --take --journal "$BATS_TEST_TMPDIR/journal"
	assert_status 1
	assert_equal "$stderr" "mqtool dump: $object: 2 of 4 messages could not be put back: they are in the journal"
	assert_equal "$(jq -r 'select(has("data")).data' <<<"$output" | paste -sd ' ')" "a b c d"
	for one in "${senders[@]}"; do
		finish "$one"
		assert_status 0
	done
	assert_count "$object" 4
	run mqtool recv "$object" --all --lines --journal "$BATS_TEST_TMPDIR/journal"
	assert_output $'c\nd\ne\nf\na\nb'
}

@test "dump --take --journal: what an earlier run has left is put back, too" {
	make posix
	mqtool send "$object" --priority 3 left
	run mqtool exec "$object" --all --journal "$BATS_TEST_TMPDIR/journal" -- false
	assert_status 1
	assert_count "$object" 0
	mqtool send "$object" other
	run --separate-stderr mqtool dump "$object" --take --journal "$BATS_TEST_TMPDIR/journal"
	assert_status 0
	json -s 'map([.data, .priority]) == [["left", 3], ["other", 0]]'
	run mqtool recv "$object" --all --lines --journal "$BATS_TEST_TMPDIR/journal"
	assert_output $'left\nother'
}

@test "dump --take whose reader has gone: all is back, once, with and without a journal" {
	for journal in "" "--journal $BATS_TEST_TMPDIR/journal"; do
		make posix
		mqtool send "$object" a b c
		mkfifo "$BATS_TEST_TMPDIR/pipe"
		# The reader of 6 has gone.
		exec 5<>"$BATS_TEST_TMPDIR/pipe"
		exec 6>"$BATS_TEST_TMPDIR/pipe"
		exec 5<&-
		rm "$BATS_TEST_TMPDIR/pipe"
		# shellcheck disable=SC2086 # words
		run --separate-stderr env --default-signal=PIPE bash -c 'exec mqtool dump "$@" >&6' - "$object" --take $journal
		exec 6>&-
		assert_status 141
		assert_equal "$stderr" ""
		# shellcheck disable=SC2086 # words
		run mqtool recv "$object" --all --lines $journal
		assert_output $'a\nb\nc'
	done
}

@test "dump: output that cannot be written leaves all in the queue" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" a b c
		run --separate-stderr bash -c 'mqtool dump "$@" >/dev/full' - "$object" \
			"$([[ $backend == posix ]] && echo --take || echo --json)"
		assert_status 8
		assert_stderr '^mqtool dump: standard output: no space left'
		assert_texts "$object" "a b c"
	done
}

@test "dump says so where a System V queue is used meanwhile" {
	make sysv
	# More in JSON than a pipe holds.
	for _ in 1 2; do
		head -c 8000 /dev/zero | tr '\0' '\1' | mqtool send "$object"
	done
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	start bash -c 'exec mqtool dump "$1" >"$2"' - "$object" "$BATS_TEST_TMPDIR/pipe"
	exec 5<"$BATS_TEST_TMPDIR/pipe"
	wait_until 5 blocked_in "$pid" write
	mqtool send "$object" three
	cat <&5 >"$BATS_TEST_TMPDIR/dump"
	exec 5<&-
	finish "$pid"
	assert_status 0
	assert_equal "$stderr" \
		"mqtool dump: warning: $object: was used while it was copied: some messages may be missing, or there twice"
	assert_equal "$(jq -s 'map(.size) | .[0:2] | add' "$BATS_TEST_TMPDIR/dump")" 16000
}

@test "a signal during dump --take comes when all is back" {
	make posix
	mqtool send "$object" a b c d e f g h i j
	run "$peers/interrupt" 60 6000 2 mqtool dump "$object" --take --quiet
	assert_status 0
	assert_match '^(0 [0-9]+)?.?(130 [0-9]+)?$'
	assert_texts "$object" "a b c d e f g h i j"
}

@test "dump: a journal that is another's, or none" {
	make posix
	mqtool send "$object" x
	for options in "--journal $TMPDIR" "--journal $TMPDIR/none/journal" "--journal /dev/null"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool dump "$object" --take $options
		((status >= 3 && status <= 8)) || fail "$options" "$(show_last)"
		assert_count "$object" 1
	done
	other=$object
	make posix
	mqtool recv "$object" --all --quiet --journal "$BATS_TEST_TMPDIR/journal"
	run --separate-stderr mqtool dump "$other" --take --journal "$BATS_TEST_TMPDIR/journal"
	assert_status 7
	assert_stderr "this is the journal of $object\$"
	assert_texts "$other" x
}

@test "dump: no such queue, no permission" {
	for object in /none key:0x7ffffff1 id:2147483647; do
		dump_of "$object"
		assert_status 3
		json '.error.code == "ENOENT" and .error.exit == 3'
	done
	for backend in "${backends[@]}"; do
		make "$backend" --mode 0200
		mqtool send "$object" x
		take=()
		[[ $backend == sysv ]] || take=(--take)
		run --separate-stderr as_unprivileged mqtool dump "$object" "${take[@]}"
		assert_status 5
		json '.error.code == "EACCES" and .error.exit == 5'
		assert_count "$object" 1
	done
}

@test "dump: operands that are none" {
	make sysv
	for words in "--bogus" "/more" "-- true" "--journal"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool dump "$object" $words
		assert_status 2
		assert_stderr '^mqtool dump: '
	done
	run mqtool dump
	assert_status 2
	run mqtool dump made
	assert_status 2
}
