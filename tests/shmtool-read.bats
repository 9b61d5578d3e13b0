# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool read: the bytes of a segment, as they are.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

refused()
{
	refusal read "$@"
}

@test "every size: what was written, and what a C program stored" {
	local in=$BATS_TEST_TMPDIR/in out=$BATS_TEST_TMPDIR/out
	for backend in "${backends[@]}"; do
		for size in 1 4095 4096 4097 1048576; do
			make "$backend" "$size"
			random_file "$in" "$size"
			shmtool write "$object" --file "$in"
			shmtool read "$object" >"$out"
			assert_same "$in" "$out"
			shmtool read "$object" | cmp - "$in"
			name=$(peer_name "$object")
			"$shm_peer" write "$name" 0 X
			shmtool read "$object" >"$out"
			"$shm_peer" read "$name" 0 "$size" | cmp - "$out"
			assert_equal "$(head -c 1 "$out")" X
		done
	done
}

@test "every byte value" {
	for backend in "${backends[@]}"; do
		every_byte "$BATS_TEST_TMPDIR/in"
		make "$backend" 256
		shmtool write "$object" --file "$BATS_TEST_TMPDIR/in"
		run --separate-stderr bash -c 'shmtool read "$0" --plain >"$1"' "$object" "$BATS_TEST_TMPDIR/out"
		assert_equal "$status$stderr" 0
		assert_same "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	done
}

@test "--offset and --length: a part; a length beyond the end is cut there" {
	for backend in "${backends[@]}"; do
		make "$backend" 5000
		random_file "$BATS_TEST_TMPDIR/in" 5000
		shmtool write "$object" --file "$BATS_TEST_TMPDIR/in"
		while read -r offset length; do
			shmtool read "$object" --offset "$offset" --length "$length" |
				cmp - <(dd if="$BATS_TEST_TMPDIR/in" bs=1 skip="$offset" count="$length" status=none)
		done <<-'END'
			0 0
			0 1
			1 4095
			4095 2
			4096 904
			4999 1
			4999 100000
			5000 1
			17 999999999999
		END
		shmtool read "$object" --offset 4K | cmp - <(tail -c 904 "$BATS_TEST_TMPDIR/in")
		for offset in 5001 9223372036854775807; do
			refused 7 EFBIG "$object" --offset "$offset"
			assert_stderr "$object: byte $offset lies beyond its end: it has 5000$"
		done
	done
}

@test "--string stops before the first NUL" {
	for backend in "${backends[@]}"; do
		make "$backend" 600000 --fill 0x78
		shmtool read "$object" --string | cmp - <(head -c 600000 /dev/zero | tr '\0' x)
		printf '\0' | shmtool write "$object" --offset 500000
		shmtool read "$object" --string | cmp - <(head -c 500000 /dev/zero | tr '\0' x)
		shmtool write "$object" 'a b' --nul
		run shmtool read "$object" --string
		assert_output 'a b'
		run shmtool read "$object" --string --offset 1 --length 1
		assert_output ' '
		run shmtool read "$object" --string --offset 3 --json
		assert_output '{"offset":3,"size":0,"data":""}'
		run shmtool read "$object" --string --length 2 --json
		assert_output '{"offset":0,"size":2,"data":"a "}'
	done
}

@test "--json: data where it is UTF-8 without NUL, else data_base64; the size always" {
	local out=$BATS_TEST_TMPDIR/out
	for backend in "${backends[@]}"; do
		make "$backend" 256
		every_byte "$BATS_TEST_TMPDIR/in"
		shmtool write "$object" --file "$BATS_TEST_TMPDIR/in"
		run --separate-stderr shmtool read "$object" --json
		assert_equal "$status$stderr" 0
		assert_equal "${#lines[@]}" 1
		json 'keys == ["data_base64", "offset", "size"] and .offset == 0 and .size == 256'
		json_get .data_base64 | base64 -d | cmp - "$BATS_TEST_TMPDIR/in"
		run shmtool read "$object" --json --offset 1 --length 127
		json 'keys == ["data", "offset", "size"] and .offset == 1 and .size == 127 and (.data | explode) == [range(1; 128)]'
		shmtool write "$object" "grün \"€\" \\"
		run shmtool read "$object" --json --length 13
		json '. == {offset: 0, size: 13, data: "grün \"€\" \\"}'
		# In the middle of a character.
		run shmtool read "$object" --json --length 3
		json '. == {offset: 0, size: 3, data_base64: "Z3LD"}'
	done
	make posix 1M
	random_file "$out" 1048576
	shmtool write "$object" --file "$out"
	shmtool read "$object" --json | jq -r .data_base64 | base64 -d | cmp - "$out"
}

@test "on a terminal, too, they are the bytes" {
	make posix
	shmtool write "$object" "some text"
	run script -qec "shmtool read $object --string" /dev/null
	assert_output "some text"
}

@test "with read-only rights; without any: 5; nothing is there: 3" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		"$shm_peer" write "$(peer_name "$object")" 0 text
		run as_unprivileged shmtool read "$object" --string
		assert_equal "$status $output" "0 text"
		make "$backend" 4096 --mode 0200
		run --separate-stderr as_unprivileged shmtool read "$object" --json
		assert_status 5
		json '.error.code == "EACCES"'
	done
	refused 3 ENOENT /none
	refused 3 ENOENT key:0x4242
	refused 3 ENOENT id:424242
}

@test "who reads ends early: it ends quietly" {
	for backend in "${backends[@]}"; do
		make "$backend" 4M
		run --separate-stderr bash -c 'shmtool read "$0" | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"' "$object"
		((status == 141)) || fail "not by SIGPIPE" "$(show_last)"
		assert_equal "$stderr" ""
	done
}

@test "what cannot be written: status 8" {
	for backend in "${backends[@]}"; do
		make "$backend" 1M
		for options in '' --json '--length 1'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr bash -c 'shmtool read "$@" >/dev/full' - "$object" $options
			assert_status 8
			assert_stderr '^shmtool read: standard output: no space left'
			# shellcheck disable=SC2086 # words
			run --separate-stderr bash -c 'shmtool read "$@" >&-' - "$object" $options
			assert_status 8
		done
	done
}

@test "what is printed is a copy: it does not change in the pipe" {
	for backend in "${backends[@]}"; do
		make "$backend" 65536 --fill 0x61
		mkfifo "$BATS_TEST_TMPDIR/fifo"
		start sh -c 'exec shmtool read "$0" >"$1"' "$object" "$BATS_TEST_TMPDIR/fifo"
		exec 7<"$BATS_TEST_TMPDIR/fifo"
		finish "$pid"
		assert_status 0
		shmtool fill "$object" 0x62
		cmp - <(head -c 65536 /dev/zero | tr '\0' a) <&7
		exec 7<&-
		rm "$BATS_TEST_TMPDIR/fifo"
	done
}

@test "usage errors, with the nearest option" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object" "$object"
	refused 2 USAGE frame
	refused 2 USAGE private
	refused 2 USAGE key:0
	refused 2 USAGE "$object" --ofset 1
	assert_stderr 'did you mean --offset\?$'
	refused 2 USAGE "$object" --strng
	assert_stderr 'did you mean --string\?$'
	refused 2 USAGE "$object" -1
	for option in --offset --length; do
		for size in '' x -1 5Q 1.5 99999999999999999999; do
			refused 2 USAGE "$object" $option="$size"
			json --arg option $option '.error.object == $option'
		done
	done
	refused 2 USAGE "$object" --timeout 1s
}
