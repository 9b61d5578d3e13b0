# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat create: FIFOs that are there as they were asked for, and every reason why there is none.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load channels

refused()
{
	refusal create "$@"
}

is_fifo()
{
	assert_equal "$(stat -c '%F %a' "$1")" "fifo $2" "$1"
}

@test "a FIFO that any program takes, 0600 unless another mode is asked for, whatever the umask" {
	run --separate-stderr pipecat create in
	assert_status 0
	json '. == {object: "in", created: true}'
	is_fifo in 600
	echo text >in &
	assert_equal "$(<in)" text
	umask 077
	pipecat create -q "$PWD/wide" --mode 0666
	is_fifo wide 666
	pipecat create -q ./a:b --mode u=rw,g=r
	is_fifo a:b 640
	run --separate-stderr pipecat create plain --plain
	assert_equal "$output$stderr" $'plain\ttrue'
	run pipecat create quiet --quiet
	assert_output ""
	is_fifo quiet 600
}

@test "one that is there is taken and left alone; with --exclusive that is status 4" {
	mkfifo -m 640 in
	run pipecat create in --mode 0666
	assert_status 0
	json '. == {object: "in", created: false}'
	is_fifo in 640
	refused 4 EEXIST in --exclusive
	is_fifo in 640
}

@test "--unique: under a path that nobody has, and that is printed; nothing is left where it cannot be" {
	for _ in 1 2; do
		run pipecat create --unique "$PWD/job" --plain -o object
		assert_status 0
		assert_match "^$PWD/job\.[a-z0-5]{10}\$"
		is_fifo "$output" 600
	done
	run pipecat create --unique job --mode 0622
	is_fifo "$(json_get .object)" 622
	assert_equal "$(printf '%s\n' job.* | wc -l)" 3
	run bash -c 'pipecat create --unique full >/dev/full'
	assert_status 8
	assert_equal "$(printf '%s' full*)" 'full*'
}

@test "what else stands there is status 7, and stays" {
	local what
	touch file
	mkdir directory
	ln -s in link
	"$channel_peer" leave stream socket
	for what in file directory link socket; do
		refused 7 "$([[ $what == link ]] && echo ELOOP || echo EBADMSG)" "$what"
		json --arg what "$what" '.error.object == $what'
	done
	[[ -f file && -d directory && -L link && -S socket && ! -e in ]]
	refused 7 EBADMSG file/in
}

@test "no directory is status 3, one that may not be written 5, a full file system 6 with the limit" {
	refused 3 ENOENT none/in
	mkdir closed
	chmod 500 closed
	run as_unprivileged pipecat create closed/in
	assert_status 5
	mkdir small
	mount -t tmpfs -o nr_inodes=2 none small || skip "nothing can be mounted here"
	mkfifo small/one
	refused 6 ENOSPC small/two
	json '.error.limit | (.name | test("inodes")) and .value == 2 and .used == 2'
	umount small
}

@test "what is no name, and bad options, are status 2" {
	refused 2 USAGE
	refused 2 USAGE in --unique job
	refused 2 USAGE ""
	refused 2 USAGE fd:3
	refused 2 USAGE 4711:3
	json '.error.message | contains("did you mean ./4711:3?")'
	refused 2 USAGE a:b
	json '.error.message | contains("./a:b")'
	refused 2 USAGE in --mode 0999
	refused 2 USAGE in --mode 01777
	refused 2 USAGE in out
	refused 2 USAGE "$(printf 'x%.0s' {1..300})"
	assert_equal "$(printf '%s' ./*)" './*'
}
