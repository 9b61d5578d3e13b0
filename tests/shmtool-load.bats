# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool load: all bytes of a segment, from standard input: what save gave.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load segments

refused()
{
	refusal load "$@"
}

@test "every size, from a file and from a pipe" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		for size in 1 256 4095 4096 4097 1048576; do
			make "$backend" "$size"
			random_file "$in" "$size"
			[[ $size != 256 ]] || every_byte "$in"
			run --separate-stderr shmtool load "$object" <"$in"
			assert_equal "$status$output$stderr" 0
			assert_content "$object" "$in"
			shmtool fill "$object" 1
			run shmtool load "$object" --json < <(cat "$in")
			json --arg object "$object" --arg backend "$backend" --argjson size "$size" \
				'. == {object: $object, backend: $backend, offset: 0, bytes: $size}'
			assert_content "$object" "$in"
		done
	done
}

@test "what a C program then finds" {
	for backend in "${backends[@]}"; do
		make "$backend" 8
		printf 12345678 | shmtool load "$object"
		run "$shm_peer" read "$(peer_name "$object")" 2 4
		assert_output 3456
	done
}

@test "an input of another size: nothing is written" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		make "$backend" 5000
		random_file "$in" 5001
		refused 6 ENOSPC "$object" <"$in"
		json '.error.limit == {name: "size of the segment", value: 5000, used: null, needed: 5001}'
		refused 6 ENOSPC "$object" < <(cat "$in")
		json '.error.limit == {name: "size of the segment", value: 5000, used: null}'
		refused 6 ENOSPC "$object" </dev/zero
		for size in 0 1 4999; do
			refused 2 FORMAT "$object" < <(head -c "$size" "$in")
			assert_stderr "standard input: the input has $size bytes, the segment 5000: nothing was written$"
			head -c "$size" "$in" >"$in.short"
			refused 2 FORMAT "$object" <"$in.short"
			assert_stderr "the input has $size bytes, the segment 5000: nothing was written$"
		done
		assert_zero "$object"
	done
}

@test "--create makes it where it is missing, of the input's size" {
	random_file "$BATS_TEST_TMPDIR/in" 12345
	for object in /new key:0x777; do
		run --separate-stderr shmtool load "$object" --create <"$BATS_TEST_TMPDIR/in"
		assert_equal "$status$output$stderr" 0
		assert_content "$object" "$BATS_TEST_TMPDIR/in"
		assert_equal "$(told "$object" size) $(told "$object" mode)" "12345 0600"
		shmtool rm "$object"
		shmtool load "$object" --create --mode 0640 < <(cat "$BATS_TEST_TMPDIR/in")
		assert_content "$object" "$BATS_TEST_TMPDIR/in"
		assert_equal "$(told "$object" mode)" 0640
		# There is one.
		shmtool fill "$object" 0
		shmtool load "$object" --create --mode 0600 <"$BATS_TEST_TMPDIR/in"
		assert_content "$object" "$BATS_TEST_TMPDIR/in"
		assert_equal "$(told "$object" mode)" 0640
		refused 2 FORMAT "$object" --create < <(printf short)
	done
}

@test "--create: what could not be filled is not there" {
	for object in /new key:0x777; do
		refused 2 FORMAT "$object" --create </dev/null
		assert_stderr 'the input is empty, and a segment cannot be$'
		refused 2 FORMAT "$object" --create < <(:)
		refused 8 EISDIR "$object" --create </
		refused 3 ENOENT "$object" </dev/null
	done
	refused 2 USAGE /new --mode 0600 </dev/null
	assert_stderr '--mode is for --create$'
	refused 2 USAGE /new --create --mode 9 </dev/null
	small_shm 64k
	refused 6 ENOSPC /new --create < <(head -c 100000 /dev/zero)
	json '.error.limit.name == "/dev/shm blocks"'
	[[ ! -e /dev/shm/new ]]
}

@test "a signal while the input is still to come: nothing is written" {
	for backend in "${backends[@]}"; do
		make "$backend" 10
		mkfifo "$BATS_TEST_TMPDIR/fifo"
		exec 7<>"$BATS_TEST_TMPDIR/fifo"
		printf text >&7
		start sh -c 'exec shmtool load "$0" <"$1"' "$object" "$BATS_TEST_TMPDIR/fifo"
		wait_until 5 blocked_in "$pid" read
		kill -TERM "$pid"
		finish "$pid"
		died_of TERM
		exec 7>&-
		rm "$BATS_TEST_TMPDIR/fifo"
		assert_zero "$object"
	done
}

@test "the segment itself is refused; usage errors; nothing is there; no permission" {
	make posix
	refused 2 USAGE "$object" <"/dev/shm$object"
	assert_stderr 'the input is this segment itself$'
	refused 2 USAGE </dev/null
	refused 2 USAGE "$object" file </dev/null
	refused 2 USAGE frame </dev/null
	refused 2 USAGE private </dev/null
	refused 2 USAGE "$object" --creat </dev/null
	assert_stderr 'did you mean --create\?$'
	for missing in /none key:0x4242 id:424242; do
		refused 3 ENOENT "$missing" </dev/null
	done
	for backend in "${backends[@]}"; do
		make "$backend" 4 --mode 0400
		run --separate-stderr as_unprivileged shmtool load "$object" --json < <(printf text)
		assert_status 5
		json '.error.code == "EACCES"'
		assert_zero "$object"
	done
}

@test "a full file system under a segment without reserved space: status 6" {
	small_shm 64k
	shmtool create /sparse --size 1M --noreserve -q
	random_file "$BATS_TEST_TMPDIR/in" 1048576
	refused 6 ENOSPC /sparse <"$BATS_TEST_TMPDIR/in"
	json '.error.limit.name == "/dev/shm blocks"'
	refused 6 ENOSPC /sparse < <(cat "$BATS_TEST_TMPDIR/in")
}
