# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool fill: each byte of a part, and none beside it.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

refused()
{
	refusal fill "$@"
}

# filled SIZE BYTE: so many of it.
filled()
{
	head -c "$1" /dev/zero | tr '\0' "\\$(printf %03o "$2")"
}

@test "every byte value that is told from others, every size" {
	for backend in "${backends[@]}"; do
		make "$backend" 4097
		for byte in 0 1 0x41 0177 128 255; do
			run --separate-stderr shmtool fill "$object" "$byte"
			assert_equal "$status$output$stderr" 0
			filled 4097 $((byte)) | cmp - "$(content "$object")"
		done
		for size in 1 4095 4096 1048576; do
			make "$backend" "$size"
			run shmtool fill "$object" 0xa5 --json
			json --arg object "$object" --arg backend "$backend" --argjson size "$size" \
				'. == {object: $object, backend: $backend, offset: 0, bytes: $size}'
			filled "$size" 165 | cmp - "$(content "$object")"
		done
	done
}

@test "--offset and --length: what is around stays" {
	for backend in "${backends[@]}"; do
		make "$backend" 5000 --fill 0x2e
		run shmtool fill "$object" 0x78 --offset 4090 --length 10 --json
		json '.offset == 4090 and .bytes == 10'
		shmtool fill "$object" 0x79 --offset 4999
		shmtool fill "$object" 0x7a --length 1
		shmtool fill "$object" 0x21 --length 0
		shmtool fill "$object" 0x21 --offset 5000
		{
			printf z
			filled 4089 0x2e
			filled 10 0x78
			filled 899 0x2e
			printf y
		} | cmp - "$(content "$object")"
	done
}

@test "what does not fit is not begun: status 6; beyond the end: 7" {
	for backend in "${backends[@]}"; do
		make "$backend" 100
		refused 6 ENOSPC "$object" 1 --offset 90 --length 11
		json '.error.limit == {name: "size of the segment", value: 100, used: 90, needed: 11}'
		refused 6 ENOSPC "$object" 1 --length 101
		refused 6 ENOSPC "$object" 1 --offset 1 --length 9223372036854775807
		refused 7 EFBIG "$object" 1 --offset 101
		assert_zero "$object"
	done
}

@test "usage errors, with the nearest option; nothing is there; no permission" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object"
	refused 2 USAGE "$object" 1 2
	refused 2 USAGE frame 1
	for byte in '' x 256 -1 1K 0x 08 1.0; do
		refused 2 USAGE "$object" "$byte"
		[[ $byte == -1 ]] || assert_stderr "^shmtool fill: BYTE: \"$byte\" is "
	done
	refused 2 USAGE "$object" 1 --ofset 1
	assert_stderr 'did you mean --offset\?$'
	refused 2 USAGE "$object" 1 --offset x
	assert_zero "$object"
	refused 3 ENOENT /none 1
	refused 3 ENOENT key:0x4242 1
	refused 3 ENOENT id:424242 1
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		run --separate-stderr as_unprivileged shmtool fill "$object" 1 --json
		assert_status 5
		json '.error.code == "EACCES"'
		assert_zero "$object"
	done
}

@test "a full file system under a segment without reserved space: status 6" {
	small_shm 64k
	shmtool create /sparse --size 1M --noreserve -q
	refused_by_limit()
	{
		run --separate-stderr shmtool fill /sparse 1 --json
		assert_status 6
		json '.error | .code == "ENOSPC" and .limit.name == "/dev/shm blocks"'
	}
	refused_by_limit
	# What there is room for can still be written.
	shmtool fill /sparse 2 --length 4096
}
