# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat rm: FIFOs, and nothing else.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load channels

refused()
{
	refusal rm "$@"
}

@test "silent, and gone; with JSON where it is asked for" {
	mkfifo in out ./a:b
	run --separate-stderr pipecat rm in
	assert_equal "$status$output$stderr" 0
	run pipecat rm out ./a:b --json
	assert_status 0
	json '. == {fifos: [{object: "out"}, {object: "./a:b"}]}'
	assert_equal "$(printf '%s' ./*)" './*'
}

@test "who has it open keeps it" {
	mkfifo in
	start cat in
	exec 7>in
	pipecat rm in
	[[ ! -e in ]]
	echo text >&7
	exec 7>&-
	finish "$pid"
	assert_equal "$status$output" 0text
}

@test "files, directories, links, sockets and devices stay: status 7" {
	local what
	touch file
	mkdir directory
	mkfifo in
	ln -s in link
	"$channel_peer" leave stream socket
	for what in file directory socket /dev/null; do
		refused 7 EBADMSG "$what"
		json --arg what "$what" '.error.object == $what and .error.message == "what stands there is no FIFO"'
	done
	refused 7 ELOOP link
	[[ -f file && -d directory && -S socket && -c /dev/null && -L link && -p in ]]
}

@test "all operands are tried, the status is the first failure's; --force takes a missing one for removed" {
	mkfifo in out
	run --separate-stderr pipecat rm none in /dev/null out --json
	assert_status 3
	assert_equal "${#stderr_lines[@]}" 2
	json '.fifos == [{object: "in"}, {object: "out"}] and .error.code == "ENOENT" and .error.object == "none"'
	[[ ! -e in && ! -e out ]]
	run --separate-stderr pipecat rm --force none none/none
	assert_equal "$status$output$stderr" 0
	refused 7 EBADMSG -f /dev/null
}

@test "what may not be removed is status 5; what is no path is status 2" {
	mkdir closed
	mkfifo closed/in
	chmod 500 closed
	run as_unprivileged pipecat rm closed/in
	assert_status 5
	[[ -p closed/in ]]
	refused 2 USAGE
	refused 2 USAGE fd:3
	refused 2 USAGE pipe:4711
	refused 2 USAGE ""
}
