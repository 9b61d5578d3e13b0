# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool peek: looks at messages of a System V queue and removes none.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load queues

# refused STATUS CODE ARG...: `peek` ends so, in words and in JSON, which is in $output then.
refused()
{
	run --separate-stderr mqtool peek "${@:3}"
	assert_status "$1"
	json --arg code "$2" --argjson status "$1" '.error | .code == $code and .exit == $status and .verb == "peek"'
	assert_stderr '^mqtool peek: '
}

@test "the oldest, or the one at an index, in the order of sending" {
	make sysv
	id=$(id_of "$object")
	"$msg_peer" send "$id" 9 one
	"$msg_peer" send "$id" 3 two three
	before=$("$msg_peer" stat "$id")
	run --separate-stderr mqtool peek "$object"
	assert_status 0
	assert_equal "$output$stderr" '{"type":9,"size":3,"data":"one"}'
	for row in 0:one 1:two 2:three 0x2:three; do
		run mqtool peek "$object" --index "${row%:*}" --plain -o data
		assert_equal "$status $output" "0 ${row#*:}"
	done
	assert_equal "$("$msg_peer" stat "$id")" "$before" "the queue's state"
	run "$msg_peer" receive "$id" 0 3
	assert_output $'9 one\n3 two\n3 three'
}

@test "--all" {
	make sysv
	run mqtool peek "$object" --all
	assert_status 0
	assert_output '{"messages":[]}'
	for ((i = 0; i < 40; i++)); do
		echo "$i"
	done | mqtool send "$object" --lines --type 5
	for _ in 1 2; do
		run mqtool peek "$object" --all
		assert_status 0
		json '[.messages[].data] == [range(40) | tostring] and ([.messages[].type] | unique) == [5]'
		assert_count "$object" 40
	done
	mqtool peek "$object" -a --plain -o data | diff - <(seq 0 39)
	run mqtool peek "$object" -q --all
	assert_equal "$status $output" "0 "
}

@test "no message at the index: status 1" {
	make sysv
	refused 1 ENOMSG "$object"
	assert_stderr "$object: there is no message 0$"
	mqtool send "$object" one
	refused 1 ENOMSG "$object" --index 1
	assert_stderr "$object: there is no message 1$"
	refused 1 ENOMSG "$object" --index "$long_max"
	assert_count "$object" 1
}

@test "it does not wait, not even for one who waits for room" {
	make_small sysv
	fill "$object"
	start_waiter send "$object" last
	run mqtool peek "$object" --all
	json '[.messages[].size] == [0, 0, 0, 0]'
	waits "$pid"
}

@test "every byte, the empty and the largest message" {
	for ((i = 0; i < 256; i++)); do
		# shellcheck disable=SC2059 # a format it is
		printf "\\x$(printf %02x "$i")"
	done >"$BATS_TEST_TMPDIR/bytes"
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/largest"
	make sysv
	mqtool send "$object" --file "$BATS_TEST_TMPDIR/bytes"
	mqtool send "$object" ''
	mqtool send "$object" --file "$BATS_TEST_TMPDIR/largest"
	run mqtool peek "$object" --all
	json '[.messages[].size] == [256, 0, 8192] and .messages[1].data == ""'
	jq -r '.messages[0].data_base64' <<<"$output" | base64 -d | cmp - "$BATS_TEST_TMPDIR/bytes"
	jq -r '.messages[2].data_base64' <<<"$output" | base64 -d | cmp - "$BATS_TEST_TMPDIR/largest"
	run mqtool peek "$object" --index 2
	json_get .data_base64 | base64 -d | cmp - "$BATS_TEST_TMPDIR/largest"
	assert_count "$object" 3
}

@test "a message larger than qbytes is by now, and than msgmax, of which the kernel makes no copy" {
	make sysv
	mqtool send "$object" "$(printf %0300d 0)"
	"$msg_peer" qbytes "$(id_of "$object")" 10
	run mqtool peek "$object" -o size
	assert_equal "$status $output" '0 {"size":300}'
	limit kernel.msgmax 100
	for args in '' --all; do
		# shellcheck disable=SC2086 # words
		refused 6 EMSGSIZE "$object" $args
		json '.error.limit == {name: "kernel.msgmax", value: 100, used: null}'
		assert_stderr "$object: .*kernel\.msgmax is 100 bytes"
	done
	assert_count "$object" 1
}

@test "a POSIX queue is refused with the reason" {
	make posix
	mqtool send "$object" one
	for args in '' '--all' '--index 0'; do
		# shellcheck disable=SC2086 # words
		refused 8 EOPNOTSUPP "$object" $args
		assert_stderr "$object: mq_receive\(3\) removes what it returns: .*see dump --take"
	done
	assert_texts "$object" one
	refused 8 EOPNOTSUPP /nowhere
}

@test "no such queue, and one that may not be read" {
	refused 3 ENOENT key:77
	refused 3 ENOENT id:77
	id=$("$msg_peer" create 77 222)
	"$msg_peer" send "$id" 1 one
	run --separate-stderr as_unprivileged mqtool peek key:77
	assert_status 5
	json '.error | .code == "EACCES" and .object == "key:77"'
	assert_stderr '^mqtool peek: key:77: permission denied'
	"$msg_peer" create 78 444
	"$msg_peer" send "$("$msg_peer" get 78)" 1 one
	run as_unprivileged mqtool peek key:78 --plain -o data
	assert_equal "$status $output" "0 one"
}

@test "usage errors, with the nearest option" {
	make sysv
	refused 2 USAGE "$object" --indx 1
	assert_stderr 'did you mean --index\?'
	refused 2 USAGE "$object" --index 1 --all
	refused 2 USAGE
	refused 2 USAGE "$object" "$object"
	refused 2 USAGE jobs
	refused 2 USAGE private
	for bad in '' -1 1x 9223372036854775808 99999999999999999999; do
		refused 2 USAGE "$object" --index "$bad"
		json '.error.object == "--index"'
	done
}

@test "what cannot be written: status 8" {
	make sysv
	mqtool send "$object" one
	for args in '' --all --plain --table; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c 'mqtool peek "$@" >/dev/full' - "$object" $args
		assert_status 8
		assert_stderr 'standard output: no space left'
	done
	assert_texts "$object" one
}

@test "formats and columns" {
	make sysv
	mqtool send "$object" --type 7 $'a\tb' c
	run mqtool peek "$object" --all --table
	assert_match $'^PRIORITY +TYPE +SIZE +DATA *\n +- +7 +3 +a\\\\tb *\n +- +7 +1 +c *$'
	assert_equal "$(mqtool peek "$object" --plain)" '-	7	3	a\tb'
	run mqtool peek "$object" --all --json -o size,data
	assert_output '{"messages":[{"size":3,"data":"a\tb"},{"size":1,"data":"c"}]}'
	assert_equal "$(IPCKIT_FORMAT=plain mqtool peek "$object" --index 1 -o type,data)" '7	c'
	run mqtool peek --columns help
	assert_match '^priority .*size .*data '
}
