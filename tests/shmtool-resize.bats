# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

@test "resize: grows and shrinks, silent; what stays is kept, what comes is zero and reserved" {
	shmtool create -q /frame --size 5000 --fill 65
	run --separate-stderr shmtool resize /frame 100000
	assert_status 0
	assert_equal "$output$stderr" ""
	assert_equal "$(stat -c %s /dev/shm/frame)" 100000
	(($(stat -c %b /dev/shm/frame) * 512 >= 100000)) || fail "not reserved"
	assert_equal "$(tr -d '\0' </dev/shm/frame | wc -c)" 5000
	shmtool resize /frame 3K
	assert_equal "$(stat -c '%s %b' /dev/shm/frame)" "3072 8"
	# What was cut off does not come back.
	shmtool resize /frame 8K
	assert_equal "$(tr -d '\0' </dev/shm/frame | wc -c)" 3072
	assert_equal "$(stat -c %a /dev/shm/frame)" 600
	run shmtool resize /frame 8K --json
	assert_output '{"object":"/frame","backend":"posix","size":8192}'
}

@test "resize: what another program has mapped grows under it" {
	"$shm_peer" make /frame 4096
	hold /frame
	shmtool resize /frame 1M
	"$shm_peer" write /frame 1048570 there
	run "$shm_peer" read /frame 1048570 5
	assert_output there
	! gone "$pid" || fail "its user ended"
	assert_equal "$(told /frame size)" 1048576
}

@test "resize: System V is refused with the reason, and stays" {
	shmtool create -q key:7 --size 4096
	run --separate-stderr shmtool resize key:7 8192 --json
	assert_status 8
	assert_stderr '^shmtool resize: key:7: a System V segment keeps the size .*create another'
	json '.error | .code == "EOPNOTSUPP" and .object == "key:7"'
	assert_equal "$(told key:7 size)" 4096
}

@test "resize: a full /dev/shm is status 6 with its limit, and the segment is as it was" {
	small_shm 64k
	shmtool create -q /frame --size 8K --fill 65
	shmtool create -q /other --size 32K
	run --separate-stderr shmtool resize /frame 64K --json
	assert_status 6
	json '.error | .code == "ENOSPC" and .limit.name == "/dev/shm blocks" and .limit.value == 65536 and .limit.used == 40960'
	assert_stderr '/dev/shm blocks is 65536 bytes, 40960 in use'
	assert_equal "$(stat -c '%s %b' /dev/shm/frame)" "8192 16"
	assert_equal "$(tr -d A </dev/shm/frame | wc -c)" 0
	shmtool resize /frame 32K
	run --separate-stderr shmtool resize /frame 9000000000G --json
	((status == 2 || status == 6)) || fail "beyond all files" "$(show_last)"
	assert_equal "$(stat -c %s /dev/shm/frame)" 32768
}

@test "resize: RLIMIT_FSIZE, without SIGXFSZ; shrinking needs none" {
	shmtool create -q /frame --size 8K
	run --separate-stderr prlimit --fsize=10000: shmtool resize /frame 10001 --json
	assert_status 6
	json '.error | .code == "EFBIG" and .limit == {name: "RLIMIT_FSIZE", value: 10000, used: null, needed: 10001}'
	assert_equal "$(stat -c %s /dev/shm/frame)" 8192
	prlimit --fsize=10000: shmtool resize /frame 10000
	prlimit --fsize=100: shmtool resize /frame 5000
	assert_equal "$(stat -c %s /dev/shm/frame)" 5000
}

@test "resize: without the right to write status 5" {
	shmtool create -q /frame --size 8K --mode 0400
	run --separate-stderr as_unprivileged shmtool resize /frame 4K
	assert_status 5
	assert_equal "$(stat -c %s /dev/shm/frame)" 8192
}

@test "resize: what is not there is status 3, bad sizes and words 2" {
	run --separate-stderr shmtool resize /none 1 --json
	assert_status 3
	json '.error | .code == "ENOENT" and .verb == "resize"'
	shmtool create -q /frame --size 8K
	for size in 0 '' x 5x -1 1.5 99999999999999999999 0x; do
		run --separate-stderr shmtool resize /frame "$size"
		[[ $status == 2 ]] || fail "$size" "$(show_last)"
	done
	for words in "/frame" "/frame 1 2" "frame 1" "private 1" "/frame 1 --colums x"; do
		# shellcheck disable=SC2086 # words
		run shmtool resize $words
		[[ $status == 2 ]] || fail "$words" "$(show_last)"
	done
	assert_equal "$(stat -c %s /dev/shm/frame)" 8192
}
