# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool dump: hex and text, character by character as `hexdump -C` has it.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load segments

refused()
{
	refusal dump "$@"
}

needs_hexdump()
{
	command -v hexdump >/dev/null || skip "hexdump (bsdextrautils) is missing"
}

# assert_dump FILE [OFFSET [LENGTH]]: of $object, in which these bytes are, as hexdump has it.
assert_dump()
{
	diff <(shmtool dump "$object" ${2+--offset "$2"} ${3+--length "$3"}) <(hexdump -C ${2+-s "$2"} ${3+-n "$3"} "$1") >&2 ||
		fail "dump ${*:2}: not as hexdump -C"
}

# holds FILE: makes a segment of each backend with these bytes, one after the other in `objects`.
holds()
{
	objects=()
	for backend in "${backends[@]}"; do
		make "$backend" "$(stat -c %s "$1")"
		shmtool write "$object" --file "$1"
		objects+=("$object")
	done
}

@test "random bytes of every length up to three lines, and long ones" {
	needs_hexdump
	for size in 1 15 16 17 31 32 33 48 4095 4097 300007; do
		random_file "$BATS_TEST_TMPDIR/in" "$size"
		holds "$BATS_TEST_TMPDIR/in"
		for object in "${objects[@]}"; do
			assert_dump "$BATS_TEST_TMPDIR/in"
		done
	done
}

@test "every byte value" {
	needs_hexdump
	every_byte "$BATS_TEST_TMPDIR/in"
	holds "$BATS_TEST_TMPDIR/in"
	for object in "${objects[@]}"; do
		assert_dump "$BATS_TEST_TMPDIR/in"
		LC_ALL=de_DE.ISO-8859-1 assert_dump "$BATS_TEST_TMPDIR/in"
	done
}

@test "repeated lines are folded: at the beginning, within, at the end, over long stretches" {
	needs_hexdump
	{
		head -c 64 /dev/zero
		printf 'one line, once..'
		printf '%.0s0123456789abcdef' {1..5}
		printf '%.0sshort' {1..7}
		head -c 600000 /dev/zero
		printf x
		head -c 40000 /dev/zero | tr '\0' y
		head -c 47 /dev/zero
	} >"$BATS_TEST_TMPDIR/in"
	holds "$BATS_TEST_TMPDIR/in"
	for object in "${objects[@]}"; do
		assert_dump "$BATS_TEST_TMPDIR/in"
		for offset in 1 15 16 17 32 48 63 64 65 96 260000 300000; do
			assert_dump "$BATS_TEST_TMPDIR/in" $offset
		done
		for length in 0 1 16 32 33 48 64 80 600032; do
			assert_dump "$BATS_TEST_TMPDIR/in" 0 $length
			((length == 0)) || assert_dump "$BATS_TEST_TMPDIR/in" 7 $length
		done
	done
}

@test "all the same, of a length that is none of whole lines" {
	needs_hexdump
	for size in 16 32 47 49 262144 262160 524293; do
		head -c "$size" /dev/zero >"$BATS_TEST_TMPDIR/in"
		make posix "$size"
		assert_dump "$BATS_TEST_TMPDIR/in"
	done
}

@test "offsets and lengths of random bytes, up to beyond the end" {
	needs_hexdump
	random_file "$BATS_TEST_TMPDIR/in" 4200
	holds "$BATS_TEST_TMPDIR/in"
	for object in "${objects[@]}"; do
		for part in "0 0" "0 1" "1 15" "1 16" "4095 2" "4096 104" "4199 1" "4199 99" "4200 5" "33 4000" "16 99999"; do
			# shellcheck disable=SC2086 # words
			assert_dump "$BATS_TEST_TMPDIR/in" $part
		done
	done
}

@test "offsets of more than eight digits" {
	shmtool create /sparse --size 5G --noreserve -q || skip "no segment of 5 GiB here"
	shmtool write /sparse text --offset 5000000000
	run shmtool dump /sparse --offset 5000000000 --length 20
	assert_output '12a05f200  74 65 78 74 00 00 00 00  00 00 00 00 00 00 00 00  |text............|
12a05f210  00 00 00 00                                       |....|
12a05f214'
}

@test "the lines themselves, without hexdump to look at" {
	make sysv 20
	shmtool write "$object" $'Gr\xc3\xbc\x7f|~ \t'
	run shmtool dump "$object"
	assert_output '00000000  47 72 c3 bc 7f 7c 7e 20  09 00 00 00 00 00 00 00  |Gr...|~ ........|
00000010  00 00 00 00                                       |....|
00000014'
	run shmtool dump "$object" --length 0
	assert_equal "$status $output" "0 "
}

@test "--json: the text as a string" {
	make posix 3
	shmtool write "$object" abc
	run shmtool dump "$object" --json
	assert_status 0
	json --arg text "$(shmtool dump "$object")" '.data == $text + "\n" and .size == (.data | length)'
}

@test "with read-only rights; without any: 5; nothing is there: 3" {
	for backend in "${backends[@]}"; do
		make "$backend" 16 --mode 0400
		run as_unprivileged shmtool dump "$object"
		assert_status 0
		assert_match '00000010$'
		make "$backend" 16 --mode 0200
		run --separate-stderr as_unprivileged shmtool dump "$object" --json
		assert_status 5
		json '.error.code == "EACCES"'
	done
	refused 3 ENOENT /none
	refused 3 ENOENT key:0x4242
	refused 3 ENOENT id:424242
}

@test "who reads ends early: quietly; what cannot be written: status 8" {
	make posix 1M
	random_file "$BATS_TEST_TMPDIR/in" 1048576
	shmtool write "$object" --file "$BATS_TEST_TMPDIR/in"
	run --separate-stderr bash -c 'shmtool dump "$0" | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"' "$object"
	((status == 141)) || fail "not by SIGPIPE" "$(show_last)"
	assert_equal "$stderr" ""
	for options in '' '--length 1' '--json --length 1'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c 'shmtool dump "$@" >/dev/full' - "$object" $options
		assert_status 8
		assert_stderr '^shmtool dump: standard output: no space left'
	done
}

@test "usage errors, with the nearest option; beyond the end" {
	make sysv 100
	refused 2 USAGE
	refused 2 USAGE "$object" "$object"
	refused 2 USAGE frame
	refused 2 USAGE "$object" --lenght 1
	assert_stderr 'did you mean --length\?$'
	for option in --offset --length; do
		for size in '' x -1 5Q; do
			refused 2 USAGE "$object" $option="$size"
			json --arg option $option '.error.object == $option'
		done
	done
	refused 2 USAGE "$object" --columns size
	refused 7 EFBIG "$object" --offset 101
	assert_stderr "byte 101 lies beyond its end: it has 100$"
}
