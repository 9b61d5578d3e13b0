# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool write: texts, files and streams into a segment: all of it or nothing.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

refused()
{
	refusal write "$@"
}

# ---- what it is for ----

@test "every size, from a file, a pipe and a redirection: what a C program finds" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		for size in 1 4095 4096 4097 1048576; do
			make "$backend" $((size + 5))
			random_file "$in" "$size"
			run --separate-stderr shmtool write "$object" --file "$in"
			assert_equal "$status$output$stderr" 0
			assert_content "$object" "$in"
			random_file "$in" "$size"
			run --separate-stderr shmtool write "$object" --json < <(cat "$in")
			assert_equal "$status$stderr" 0
			json --arg object "$object" --arg backend "$backend" --argjson size "$size" \
				'. == {object: $object, backend: $backend, offset: 0, bytes: $size}'
			assert_content "$object" "$in"
			random_file "$in" "$size"
			shmtool write "$object" - <"$in"
			assert_content "$object" "$in"
		done
	done
}

@test "one that fills the segment to its last byte, and every byte value" {
	for backend in "${backends[@]}"; do
		every_byte "$BATS_TEST_TMPDIR/in"
		make "$backend" 256
		shmtool write "$object" <"$BATS_TEST_TMPDIR/in"
		assert_content "$object" "$BATS_TEST_TMPDIR/in"
		shmtool fill "$object" 1
		shmtool write "$object" < <(cat "$BATS_TEST_TMPDIR/in")
		assert_content "$object" "$BATS_TEST_TMPDIR/in"
	done
}

@test "nothing: an empty text, file, pipe" {
	for backend in "${backends[@]}"; do
		make "$backend"
		shmtool write "$object" full
		run shmtool write "$object" '' --json
		json '.bytes == 0'
		shmtool write "$object" --file /dev/null
		shmtool write "$object" --offset 4096 </dev/null
		: | shmtool write "$object"
		assert_text "$object" full
		: | shmtool write "$object" --nul --offset 2
		assert_text "$object" fu
	done
}

@test "a text, also one that looks like something else" {
	make posix
	for text in hello 'two words' -1 'ümlaut' /name; do
		shmtool fill "$object" 0
		shmtool write "$object" "$text"
		assert_text "$object" "$text"
	done
	shmtool write "$object" --nul -- --json
	assert_text "$object" --json
	run "$shm_peer" read "$object" 0 6
	assert_output --json
}

@test "--nul puts one behind it" {
	for backend in "${backends[@]}"; do
		make "$backend" 16 --fill 0x78
		run shmtool write "$object" four --nul --json
		json '.bytes == 5'
		printf 'four\0xxxxxxxxxxx' >"$BATS_TEST_TMPDIR/wanted"
		assert_content "$object" "$BATS_TEST_TMPDIR/wanted"
		printf 'exactly-fifteen' | shmtool write "$object" --nul
		assert_text "$object" exactly-fifteen
		printf 'but not sixteen.' | refused 6 ENOSPC "$object" --nul
		refused 6 ENOSPC "$object" "but not sixteen." --nul
		json '.error.limit == {name: "size of the segment", value: 16, used: null, needed: 17}'
		assert_text "$object" exactly-fifteen
		refused 6 ENOSPC "$object" '' --nul --offset 16
	done
}

@test "--offset: where it begins; what is around stays" {
	for backend in "${backends[@]}"; do
		make "$backend" 5000 --fill 0x2e
		run shmtool write "$object" text --offset 4095 --json
		json '.offset == 4095 and .bytes == 4'
		printf text | shmtool write "$object" --offset 4996
		shmtool write "$object" x --offset 1K
		{
			head -c 1024 /dev/zero
			printf x
			head -c $((4095 - 1025)) /dev/zero
			printf text
			head -c $((4996 - 4099)) /dev/zero
		} | tr '\0' . >"$BATS_TEST_TMPDIR/wanted"
		printf text >>"$BATS_TEST_TMPDIR/wanted"
		assert_content "$object" "$BATS_TEST_TMPDIR/wanted"
		refused 7 EFBIG "$object" x --offset 5001
		assert_stderr "$object: byte 5001 lies beyond its end: it has 5000$"
		refused 7 EFBIG "$object" x --offset 9223372036854775807
	done
}

@test "a file from its present place on, and one of /proc, which has no size" {
	make sysv
	printf '0123456789' >"$BATS_TEST_TMPDIR/in"
	{ head -c 4 >/dev/null && shmtool write "$object"; } < <(cat "$BATS_TEST_TMPDIR/in")
	{
		dd bs=1 count=4 status=none >/dev/null
		shmtool write "$object"
	} <"$BATS_TEST_TMPDIR/in"
	assert_text "$object" 456789
	shmtool write "$object" --file /proc/sys/kernel/ostype --nul
	assert_text "$object" Linux
}

@test "a pipe in pieces, and one that does not block" {
	make posix
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	start shmtool write "$object" --file "$BATS_TEST_TMPDIR/fifo"
	exec 7>"$BATS_TEST_TMPDIR/fifo"
	printf one >&7
	wait_until 5 blocked_in "$pid" read
	printf two >&7
	exec 7>&-
	finish "$pid"
	assert_text "$object" onetwo
	perl -e 'use Fcntl; pipe R, W; fcntl R, F_SETFL, O_NONBLOCK; if (fork) { close W; open STDIN, "<&R"; exec @ARGV; }
		select undef, undef, undef, 0.05; syswrite W, "late"; close W; exit 0' shmtool write "$object" --nul
	assert_text "$object" late
}

# ---- what does not fit ----

@test "longer than what is left: nothing is written, status 6 with room and need" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		for size in 1 4096 5000; do
			make "$backend" "$size"
			random_file "$in" $((size + 1))
			refused 6 ENOSPC "$object" --file "$in"
			json --argjson size "$size" '.error.limit == {name: "size of the segment", value: $size, used: null, needed: ($size + 1)}'
			assert_stderr "$object: no space left: size of the segment is $size bytes, $((size + 1)) needed$"
			refused 6 ENOSPC "$object" --offset "$size" x
			json --argjson size "$size" '.error.limit == {name: "size of the segment", value: $size, used: $size, needed: 1}'
			# The end of a stream is not looked for.
			refused 6 ENOSPC "$object" < <(cat "$in")
			json --argjson size "$size" '.error.limit == {name: "size of the segment", value: $size, used: null}'
			refused 6 ENOSPC "$object" --offset 1 < <(head -c "$size" "$in")
			json --argjson size "$size" '.error.limit == {name: "size of the segment", value: $size, used: 1}'
			refused 6 ENOSPC "$object" </dev/zero
			assert_zero "$object"
		done
	done
}

@test "a stream of a megabyte and one byte more than there is room" {
	make posix 1M
	head -c 1048577 /dev/urandom | refused 6 ENOSPC "$object"
	assert_zero "$object"
	make sysv 1M
	yes | refused 6 ENOSPC "$object"
	assert_zero "$object"
}

@test "--truncate-input writes what fits, and tells what it left out" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		make "$backend" 5000
		random_file "$in" 5100
		run --separate-stderr shmtool write "$object" --truncate-input --file "$in" --json
		assert_status 0
		json '.bytes == 5000'
		assert_equal "$stderr" "shmtool write: warning: $object: the input is longer: bytes written: 5000, left out: 100"
		head -c 5000 "$in" >"$in.fits"
		assert_content "$object" "$in.fits"
		shmtool fill "$object" 0
		run --separate-stderr shmtool write "$object" --truncate-input < <(cat "$in")
		assert_status 0
		assert_stderr 'bytes written: 5000, left out: 100$'
		assert_content "$object" "$in.fits"
		run --separate-stderr shmtool write "$object" --truncate-input --offset 4990 --nul 0123456789 --json
		assert_status 0
		json '.bytes == 10 and .offset == 4990'
		assert_stderr 'bytes written: 9, left out: 1$'
		run shmtool read "$object" --offset 4990 --json
		json '.data_base64 == "MDEyMzQ1Njc4AA=="'
		# What has no end.
		run --separate-stderr shmtool write "$object" --truncate-input </dev/zero
		assert_status 0
		assert_stderr 'bytes written: 5000, left out: at least [0-9]+$'
		assert_zero "$object"
		run --separate-stderr shmtool write "$object" --truncate-input fits
		assert_equal "$status$stderr" 0
		run --separate-stderr shmtool write "$object" --truncate-input < <(printf fits)
		assert_equal "$status$stderr" 0
		assert_text "$object" fits
	done
}

# ---- what ends it ----

@test "a signal while the input is still to come: nothing is written" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in INT TERM KILL; do
			mkfifo "$BATS_TEST_TMPDIR/fifo"
			start shmtool write "$object" --file "$BATS_TEST_TMPDIR/fifo"
			printf text >"$BATS_TEST_TMPDIR/fifo.text"
			exec 7<>"$BATS_TEST_TMPDIR/fifo"
			printf text >&7
			wait_until 5 blocked_in "$pid" read
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			exec 7>&-
			rm "$BATS_TEST_TMPDIR/fifo"
			assert_zero "$object"
		done
	done
}

@test "stopped and continued it goes on" {
	make posix
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	start shmtool write "$object" --file "$BATS_TEST_TMPDIR/fifo"
	exec 7>"$BATS_TEST_TMPDIR/fifo"
	printf one >&7
	wait_until 5 blocked_in "$pid" read
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	printf two >&7
	kill -CONT "$pid"
	exec 7>&-
	finish "$pid"
	assert_status 0
	assert_text "$object" onetwo
}

# ---- what is refused ----

@test "inputs that are none" {
	make posix
	refused 3 ENOENT "$object" --file "$BATS_TEST_TMPDIR/none"
	assert_stderr "^shmtool write: $BATS_TEST_TMPDIR/none: no such file$"
	refused 8 EISDIR "$object" --file "$BATS_TEST_TMPDIR"
	run --separate-stderr timeout 10 bash -c 'exec shmtool write "$0" <&-' "$object"
	assert_status 8
	assert_equal "$stderr" "shmtool write: standard input: bad file descriptor"
	echo >"$BATS_TEST_TMPDIR/secret"
	chmod 0 "$BATS_TEST_TMPDIR/secret"
	run as_unprivileged shmtool write "$object" --file "$BATS_TEST_TMPDIR/secret"
	assert_status 5
	refused 2 USAGE "$object" --file "/dev/shm$object"
	assert_stderr 'the input is this segment itself$'
	refused 2 USAGE "$object" <"/dev/shm$object"
	assert_zero "$object"
}

@test "usage errors, with the nearest option; nothing is there; no permission" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object" one two
	refused 2 USAGE frame text
	refused 2 USAGE private text
	refused 2 USAGE "$object" text --file /dev/null
	assert_stderr 'TEXT and --file exclude each other$'
	refused 2 USAGE "$object" text --ofset 1
	assert_stderr 'did you mean --offset\?$'
	refused 2 USAGE "$object" text --truncate
	assert_stderr 'did you mean --truncate-input\?$'
	for offset in '' x -1 5Q 99999999999999999999; do
		refused 2 USAGE "$object" text --offset="$offset"
		json '.error.object == "--offset"'
	done
	refused 2 USAGE "$object" text --timeout 1s
	assert_zero "$object"
	refused 3 ENOENT /none text
	refused 3 ENOENT key:0x4242 text
	refused 3 ENOENT id:424242 text
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		run --separate-stderr as_unprivileged shmtool write "$object" text --json
		assert_status 5
		json '.error.code == "EACCES"'
		assert_zero "$object"
	done
}

@test "beyond RLIMIT_FSIZE, and on a full file system: status 6, the limit is named" {
	make posix 64K
	random_file "$BATS_TEST_TMPDIR/in" 60000
	run --separate-stderr prlimit --fsize=20000 shmtool write "$object" --file "$BATS_TEST_TMPDIR/in" --json
	assert_status 6
	json '.error | .code == "EFBIG" and .limit.name == "RLIMIT_FSIZE" and .limit.value == 20000'
	small_shm 64k
	shmtool create /sparse --size 1M --noreserve -q
	random_file "$BATS_TEST_TMPDIR/in" 1000000
	run --separate-stderr shmtool write /sparse --file "$BATS_TEST_TMPDIR/in" --json
	assert_status 6
	json '.error | .code == "ENOSPC" and .limit.name == "/dev/shm blocks"'
	assert_stderr 'what was to be written from byte [0-9]+ on is not'
	run --separate-stderr shmtool write /sparse --json < <(cat "$BATS_TEST_TMPDIR/in")
	assert_status 6
	json '.error.code == "ENOSPC"'
}

@test "what it did but could not print: status 8" {
	make posix
	run --separate-stderr bash -c 'shmtool write "$0" text --json >/dev/full' "$object"
	assert_status 8
	assert_stderr '^shmtool write: standard output: no space left'
	assert_text "$object" text
}
