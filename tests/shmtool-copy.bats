# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool copy: all bytes of one segment into another, of either backend.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

refused()
{
	refusal copy "$@"
}

# pair FROM-BACKEND TO-BACKEND FROM-SIZE TO-SIZE [ARG...]: two segments, $from and $to; ARGs are for the second.
pair()
{
	make "$1" "$3"
	from=$object
	make "$2" "${@:4}"
	to=$object
}

@test "every size, between both backends" {
	local in=$BATS_TEST_TMPDIR/in
	for backend in "${backends[@]}"; do
		for other in "${backends[@]}"; do
			for size in 1 4095 4096 4097 1048576; do
				pair "$backend" "$other" "$size" "$size"
				random_file "$in" "$size"
				shmtool write "$from" --file "$in"
				run --separate-stderr shmtool copy "$from" "$to"
				assert_equal "$status$output$stderr" 0
				assert_same "$in" "$(content "$to")"
				assert_same "$in" "$(content "$from")"
			done
		done
	done
}

@test "into a longer one: to its beginning, the rest stays; every byte value" {
	every_byte "$BATS_TEST_TMPDIR/in"
	for backend in "${backends[@]}"; do
		for other in "${backends[@]}"; do
			pair "$backend" "$other" 256 300
			shmtool write "$from" --file "$BATS_TEST_TMPDIR/in"
			shmtool fill "$to" 0
			run shmtool copy "$from" "$to" --json
			json --arg to "$to" --arg other "$other" '. == {object: $to, backend: $other, offset: 0, bytes: 256}'
			assert_content "$to" "$BATS_TEST_TMPDIR/in"
		done
	done
}

@test "large ones, by several threads" {
	local in=$BATS_TEST_TMPDIR/in
	random_file "$in" $((20 * 1048576 + 12345))
	for backend in "${backends[@]}"; do
		for other in "${backends[@]}"; do
			pair "$backend" "$other" "$(stat -c %s "$in")" 21M
			shmtool write "$from" --file "$in"
			shmtool copy "$from" "$to"
			assert_content "$to" "$in"
			shmtool rm "$from" "$to"
		done
	done
}

@test "what a C program stored, and what one finds" {
	pair posix sysv 100 100
	"$shm_peer" write "$from" 50 peer
	shmtool copy "$from" "$to"
	run "$shm_peer" read "$(id_of "$to")" 50 4
	assert_output peer
}

@test "into a shorter one: nothing is written, status 6 with room and need" {
	for backend in "${backends[@]}"; do
		for other in "${backends[@]}"; do
			pair "$backend" "$other" 5000 4999
			shmtool fill "$from" 1
			refused 6 ENOSPC "$from" "$to"
			json --arg to "$to" '.error.object == $to and
				.error.limit == {name: "size of the segment", value: 4999, used: null, needed: 5000}'
			assert_zero "$to"
		done
	done
}

@test "onto itself, by whatever name: refused" {
	make posix
	refused 2 USAGE "$object" "$object"
	assert_stderr 'it is the segment that is to be copied$'
	make sysv
	refused 2 USAGE "$object" "id:$(id_of "$object")"
	refused 2 USAGE "id:$(id_of "$object")" "$object"
}

@test "read-only rights suffice for the first; not for the second" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		from=$object
		"$shm_peer" write "$(peer_name "$from")" 0 text
		make "$backend"
		as_unprivileged shmtool copy "$from" "$object"
		assert_text "$object" text
		shmtool fill "$object" 0
		run --separate-stderr as_unprivileged shmtool copy "$object" "$from" --json
		assert_status 5
		json --arg from "$from" '.error | .code == "EACCES" and .object == $from'
		assert_text "$from" text
		make "$backend" 4096 --mode 0200
		to=$object
		run --separate-stderr as_unprivileged shmtool copy "$to" "$from" --json
		assert_status 5
		json --arg to "$to" '.error.object == $to'
	done
}

@test "one that is not there: status 3, and it is named" {
	make sysv
	for missing in /none key:0x4242 id:424242; do
		refused 3 ENOENT "$object" "$missing"
		json --arg missing "$missing" '.error.object == $missing'
		refused 3 ENOENT "$missing" "$object"
		json --arg missing "$missing" '.error.object == $missing'
	done
}

@test "a full file system under the second: status 6" {
	make sysv 1M --fill 1
	small_shm 64k
	shmtool create /sparse --size 1M --noreserve -q
	refused 6 ENOSPC "$object" /sparse
	json '.error | .object == "/sparse" and .limit.name == "/dev/shm blocks"'
}

@test "usage errors, with the nearest option" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object"
	refused 2 USAGE "$object" "$object" "$object"
	refused 2 USAGE "$object" frame
	refused 2 USAGE frame "$object"
	refused 2 USAGE "$object" private
	refused 2 USAGE "$object" /x --lok /y
	assert_stderr 'did you mean --lock\?$'
	from=$object
	make posix
	refused 2 USAGE "$from" "$object" --timeout 1s
}
