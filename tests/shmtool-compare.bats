# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool compare: whether a segment is another one, a file or a stream, and where it is not.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

refused()
{
	refusal compare "$@"
}

# same ARG...: status 0, and it says so. differs AT ARG...: status 1, and where.
same()
{
	run --separate-stderr shmtool compare "$@"
	assert_equal "$status$stderr" 0 "$*"
	assert_match '^\{"equal":true,"offset":null,"size":([0-9]+),"other_size":([0-9]+)\}$'
	assert_equal "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

differs()
{
	run --separate-stderr shmtool compare "${@:2}"
	assert_equal "$status$stderr" 1 "$*"
	[[ $output == '{"equal":false,"offset":'"$1,"* ]] || fail "not at $1" "$(show_last)"
}

@test "the same: segments of both backends, a file, a redirection, a pipe" {
	local in=$BATS_TEST_TMPDIR/in
	cd "$BATS_TEST_TMPDIR"
	for size in 1 4096 262144 1048577; do
		random_file in "$size"
		for backend in "${backends[@]}"; do
			make "$backend" "$size"
			shmtool write "$object" --file "$in"
			same "$object" "$object"
			same "$object" "$in"
			same "$object" ./in
			same "$object" "file:$in"
			same "$object" file:in
			same "$object" - <"$in"
			same "$object" - < <(cat "$in")
			assert_output '{"equal":true,"offset":null,"size":'"$size,\"other_size\":$size}"
			eval "$backend=\$object"
		done
		# shellcheck disable=SC2154 # as assigned above
		same "$posix" "$sysv"
		same "$sysv" "$posix"
	done
}

@test "the first byte that differs, at each interesting place" {
	local in=$BATS_TEST_TMPDIR/in
	size=600000
	head -c $size /dev/zero >"$in"
	for backend in "${backends[@]}"; do
		make "$backend" $size
		first=$object
		make "$backend" $size
		# Each is before the ones that were there.
		for at in 599999 524288 524287 262144 262143 4096 4095 8 7 0; do
			shmtool fill "$object" 1 --offset $at --length 1
			differs $at "$object" "$first"
			differs $at "$first" "$object"
			differs $at "$object" "$in"
			differs $at "$object" - < <(cat "$in")
		done
		json '.size == 600000'
	done
}

@test "different lengths: the byte that only one of them has" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		for size in 1 4096 262144 300000; do
			make "$backend" "$size"
			first=$object
			make "$backend" $((size + 1))
			differs "$size" "$first" "$object"
			json --argjson size "$size" '.size == $size and .other_size == $size + 1'
			differs "$size" "$object" "$first"
			head -c $((size - 1)) /dev/zero >"$in"
			differs $((size - 1)) "$first" "file:$in"
			json --argjson size "$size" '.size == $size and .other_size == $size - 1'
			differs $((size - 1)) "$first" - < <(cat "$in")
			json --argjson size "$size" '.other_size == $size - 1'
			differs "$size" "$first" - </dev/zero
			json '.other_size == null'
			differs 0 "$first" /dev/null
		done
	done
}

@test "what a C program changed" {
	for backend in "${backends[@]}"; do
		make "$backend"
		shmtool save "$object" >"$BATS_TEST_TMPDIR/in"
		"$shm_peer" write "$(peer_name "$object")" 1234 x
		differs 1234 "$object" "$BATS_TEST_TMPDIR/in"
	done
}

@test "names: what is a segment, what a file" {
	cd "$BATS_TEST_TMPDIR"
	make posix 4
	shmtool write "$object" text
	for file in plain key:7 ./-; do
		printf text >"$file"
	done
	mkdir dir
	printf text >dir/x
	same "$object" dir/x
	same "$object" ./key:7
	same "$object" file:key:7
	same "$object" file:-
	same "$object" "file:$PWD/plain"
	refused 3 ENOENT "$object" key:7
	refused 3 ENOENT "$object" /plain
	refused 2 USAGE "$object" private
	refused 2 USAGE "$object" kez:7
	refused 2 USAGE plain "$object"
	refused 2 USAGE file:plain "$object"
	refused 2 USAGE - "$object"
	refused 3 ENOENT "$object" ./none
	assert_stderr '^shmtool compare: ./none: no such file$'
	refused 3 ENOENT "$object" file:none
	refused 8 EISDIR "$object" ./dir
}

@test "the other formats, and none" {
	make posix 4
	printf text | shmtool load "$object"
	printf test >"$BATS_TEST_TMPDIR/in"
	run shmtool compare "$object" "$BATS_TEST_TMPDIR/in" --plain
	assert_equal "$status $output" $'1 false\t2\t4\t4'
	run shmtool compare "$object" "$BATS_TEST_TMPDIR/in" -q
	assert_equal "$status $output" "1 "
	run shmtool compare "$object" "$object" -q
	assert_equal "$status $output" "0 "
	run shmtool compare "$object" "$object" --table -o equal
	assert_match '^equal +yes$'
}

@test "with read-only rights; without any: 5, for either" {
	for backend in "${backends[@]}"; do
		make "$backend" 16 --mode 0400
		first=$object
		run as_unprivileged shmtool compare "$first" "$first"
		assert_status 0
		make "$backend" 16 --mode 0200
		for words in "$first $object" "$object $first"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr as_unprivileged shmtool compare $words
			assert_status 5
			json --arg object "$object" '.error | .code == "EACCES" and .object == $object'
		done
	done
	echo >"$BATS_TEST_TMPDIR/secret"
	chmod 0 "$BATS_TEST_TMPDIR/secret"
	run as_unprivileged shmtool compare "$first" "$BATS_TEST_TMPDIR/secret"
	assert_status 5
}

@test "usage errors, what is missing, what cannot be printed" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object"
	refused 2 USAGE "$object" "$object" "$object"
	refused 2 USAGE "$object" "$object" --offset 1
	for missing in /none key:0x4242 id:424242; do
		refused 3 ENOENT "$missing" "$object"
		refused 3 ENOENT "$object" "$missing"
		json --arg missing "$missing" '.error.object == $missing'
	done
	run --separate-stderr bash -c 'shmtool compare "$0" "$0" >/dev/full' "$object"
	assert_status 8
	run --separate-stderr bash -c 'shmtool compare "$0" - <&-' "$object"
	assert_status 8
}
