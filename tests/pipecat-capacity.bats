# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat capacity: what a pipe or a FIFO can hold, asked and set, and nobody at it is disturbed.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo fifo
}

# refused STATUS CODE ARG...
refused()
{
	run --separate-stderr timeout 10 pipecat capacity "${@:3}" --json
	assert_status "$1"
	json --arg code "$2" '.error.code == $code and .error.verb == "capacity"'
}

# told OBJECT CAPACITY BYTES
told()
{
	run --separate-stderr pipecat capacity "$1"
	assert_equal "$status/$stderr" 0/
	json --arg object "$1" --argjson capacity "$2" --argjson bytes "$3" \
		'. == {object: $object, capacity: $capacity, bytes: $bytes}'
}

@test "of a FIFO in use, by whoever has it: asked, and set; for all who have it" {
	for mode in '<>' '<' '>'; do
		exec 6<>fifo
		eval "exec 7${mode}fifo"
		exec 6>&-
		told fifo 65536 0
		run pipecat capacity fifo 5000
		assert_equal "$status/$output" 0/
		told fifo 8192 0
		run pipecat capacity fifo 128K --json
		json '.capacity == 131072'
		told "$$:7" 131072 0
		told "fd:$$:7" 131072 0
		told fd:7 131072 0
		pipecat capacity fd:7 0
		told fifo 4096 0
		exec 7>&-
	done
	run pipecat capacity fd:0 --table < <(sleep 0.1)
	assert_match '^object +fd:0.*capacity +64K'
}

@test "bytes that wait; what they do not fit into" {
	exec 7<>fifo
	head -c 10000 /dev/zero >&7
	told fifo 65536 10000
	refused 1 EBUSY fifo 8K
	json '.error.message == "10000 bytes in it would not fit"'
	told fifo 65536 10000
	pipecat capacity fifo 16K
	told fifo 16384 10000
}

@test "of a pipe, by its number and by who has it" {
	exec 5< <(:)
	start sleep 60
	target=$(readlink /proc/$$/fd/5)
	inode=${target//[^0-9]/}
	told "$pid:5" 65536 0
	told "pipe:$inode" 65536 0
	pipecat capacity "pipe:[$inode]" 4K
	told "$pid:5" 4096 0
	refused 3 ENOENT "$pid:77"
	assert_stderr ": process $pid has no descriptor 77\$"
	refused 3 ENOENT pipe:4294967299
	assert_stderr ': nobody is seen to have such a pipe$'
	stop "$pid"
	for name in "$pid:5" "fd:$pid:5"; do
		refused 3 ENOENT "$name"
		assert_stderr ": there is no process $pid\$"
	done
}

@test "nobody has it open: it has no room; what were set would be lost" {
	told fifo null null
	run --separate-stderr pipecat capacity fifo --verbose --plain
	assert_equal "$status/$output" $'0/fifo\t-\t-'
	assert_stderr 'nobody is seen to have it open'
	refused 1 EAGAIN fifo 8K
	json '.error.message | contains("pipecat hold")'
}

@test "who waits for the other end goes on waiting" {
	for mode in '<' '>'; do
		start bash -c "exec 7${mode}fifo"
		wait_until 5 blocked_in "$pid" "$([[ $HOSTTYPE == x86_64 ]] && echo 257 || echo 56)"
		for size in '' 8K; do
			# shellcheck disable=SC2086 # words
			run timeout 10 pipecat capacity fifo $size
			run timeout 10 pipecat capacity fifo $size
		done
		! gone "$pid" || fail "it was let go" "$(show_last)"
		blocked_in "$pid" 257 56 || fail "it was woken"
		stop "$pid"
	done
}

@test "the limits: which, its value, what was needed" {
	local most
	most=$(</proc/sys/fs/pipe-max-size)
	exec 7<>fifo
	refused 6 EPERM fifo $((most + 1))
	json --argjson most "$most" '.error.limit.name == "fs.pipe-max-size" and .error.limit.value == $most and
		.error.limit.needed == $most + 1'
	assert_stderr ": fifo: not permitted: fs.pipe-max-size is $most bytes, $((most + 1)) needed\$"
	for size in 2G 4G 1000000000000; do
		run --separate-stderr pipecat capacity fifo $size --json
		json '.error.code == "EPERM" and .error.exit == 6 or .error.code == "USAGE" and .error.exit == 2'
	done
	told fifo 65536 0
}

@test "what is none; usage; who may not be looked into" {
	ln -s fifo link
	: >file
	refused 3 ENOENT none
	refused 7 EBADMSG file
	refused 7 EBADMSG .
	refused 7 ELOOP link
	exec 7</dev/null
	refused 7 EBADMSG fd:7
	refused 7 EBADMSG "$$:7"
	exec 7<&-
	refused 3 ENOENT fd:7
	assert_stderr ': fd:7: descriptor 7 is not open$'
	refused 2 USAGE
	refused 2 USAGE fifo 1 2
	refused 2 USAGE socket:1
	refused 2 USAGE a:b
	for size in '' x -1 1.5 99999999999999999999; do
		refused 2 USAGE fifo "$size"
	done
	exec 7<>fifo
	run --separate-stderr as_user pipecat capacity fifo 8K --json
	json '.error.code == "EPERM" and .error.exit == 5 or .error.code == "EAGAIN" and .error.exit == 1'
}

@test "descriptors run out: which limit; in the end it is told" {
	exec 7<>fifo
	with_descriptors 1 pipecat capacity fifo 8K --json
	json '.capacity == 8192'
	with_descriptors 1 pipecat pair --json -- true -- true
	json '[.commands[].exit] == [0, 0]'
}
