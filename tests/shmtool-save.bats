# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool save: all bytes of a segment to standard output, for load.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments


@test "every size: the bytes, and load brings them back" {
	local in=$BATS_TEST_TMPDIR/in out=$BATS_TEST_TMPDIR/out
	for backend in "${backends[@]}"; do
		for size in 1 4095 4096 4097 1048576; do
			make "$backend" "$size"
			random_file "$in" "$size"
			shmtool write "$object" --file "$in"
			shmtool save "$object" >"$out"
			assert_same "$in" "$out"
			shmtool save "$object" | cmp - "$in"
			shmtool fill "$object" 0
			shmtool load "$object" <"$out"
			assert_content "$object" "$in"
		done
	done
}

@test "every byte value; what a C program stored" {
	for backend in "${backends[@]}"; do
		every_byte "$BATS_TEST_TMPDIR/in"
		make "$backend" 256
		shmtool write "$object" --file "$BATS_TEST_TMPDIR/in"
		run --separate-stderr bash -c 'shmtool save "$0" >"$1"' "$object" "$BATS_TEST_TMPDIR/out"
		assert_equal "$status$stderr" 0
		assert_same "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
		"$shm_peer" write "$(peer_name "$object")" 200 peer
		run bash -c 'shmtool save "$0" | tail -c 56 | head -c 4' "$object"
		assert_output peer
	done
}

@test "a terminal is refused, and so are formats" {
	make posix 10
	shmtool write "$object" text
	run script -qec "shmtool save $object" /dev/null
	assert_status 2
	assert_match 'standard output is a terminal'
	for format in --json --plain --table; do
		run --separate-stderr shmtool save "$object" $format
		assert_status 2
		assert_stderr 'what is saved are bytes, in no other format'
	done
	IPCKIT_FORMAT=table run bash -c 'shmtool save "$0" | tr -d "\0"' "$object"
	assert_output text
	# With -q nothing is printed, and so nothing asked of standard output.
	run shmtool save "$object" -q
	assert_equal "$status $output" "0 "
}

@test "with read-only rights; without any: 5; nothing is there: 3" {
	for backend in "${backends[@]}"; do
		make "$backend" 4 --mode 0400
		"$shm_peer" write "$(peer_name "$object")" 0 text
		run as_unprivileged shmtool save "$object"
		assert_equal "$status $output" "0 text"
		make "$backend" 4096 --mode 0200
		run --separate-stderr as_unprivileged shmtool save "$object"
		assert_status 5
		assert_stderr "^shmtool save: $object: permission denied"
	done
	for missing in /none key:0x4242 id:424242; do
		run --separate-stderr shmtool save "$missing"
		assert_status 3
		assert_equal "$stderr" "shmtool save: $missing: no such object"
		assert_output ""
	done
}

@test "what cannot be written: status 8; who reads ends early: quietly" {
	for backend in "${backends[@]}"; do
		make "$backend" 4M
		run --separate-stderr bash -c 'shmtool save "$0" >/dev/full' "$object"
		assert_status 8
		assert_stderr '^shmtool save: standard output: no space left'
		run --separate-stderr bash -c 'shmtool save "$0" >&-' "$object"
		assert_status 8
		run --separate-stderr bash -c 'shmtool save "$0" | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"' "$object"
		((status == 141)) || fail "not by SIGPIPE" "$(show_last)"
		assert_equal "$stderr" ""
		# A file that may not become so long: half of it is no success.
		run --separate-stderr prlimit --fsize=100000 bash -c 'shmtool save "$0" >"$1"' "$object" "$BATS_TEST_TMPDIR/out"
		[[ $status == [68] ]] || fail "a file that is cut" "$(show_last)"
		assert_stderr '^shmtool save: standard output: '
	done
}

@test "usage errors, with the nearest option" {
	make sysv
	for words in "" "$object $object" frame private "$object --offset 1" "$object --file x"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr shmtool save $words
		assert_status 2
		assert_stderr '^shmtool save: '
		assert_output ""
	done
	run --separate-stderr shmtool save "$object" --quite
	assert_stderr 'did you mean --quiet\?$'
}
