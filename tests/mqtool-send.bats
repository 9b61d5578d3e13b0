# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool send: messages as other programs receive them, what is refused before anything is
# sent, and a full queue.
# shellcheck disable=SC2016 # the variables of jq
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load queues

# refused STATUS CODE ARG...: `send` ends so, in words and, if asked, in JSON, which is in $output then.
refused()
{
	run --separate-stderr mqtool send "${@:3}" --json </dev/null
	assert_status "$1"
	json --arg code "$2" --argjson status "$1" '.error | .code == $code and .exit == $status and .verb == "send"'
	assert_stderr '^mqtool send: '
}

# received OBJECT N: what a peer receives, a line each.
received()
{
	case $1 in
	/*) "$mq_peer" receive "$1" "$2" ;;
	*) "$msg_peer" receive "$(id_of "$1")" 0 "$2" ;;
	esac
}

# taken OBJECT: the bytes of one message, as a peer takes it.
taken()
{
	case $1 in
	/*) "$mq_peer" take "$1" ;;
	*) "$msg_peer" take "$(id_of "$1")" ;;
	esac
}

# assert_texts_raw OBJECT FORMAT: like assert_texts, of what printf makes of FORMAT, | after each.
assert_texts_raw()
{
	local count
	count=$(message_count "$1")
	# shellcheck disable=SC2059 # it is a format
	printf "$2" >"$BATS_TEST_TMPDIR/wanted"
	for ((; count; count--)); do
		taken "$1"
		printf '|'
	done >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/got"
}

# ---- what it is for ----

@test "each TEXT is a message" {
	make posix
	run --separate-stderr mqtool send "$object" one 'two words' ''
	assert_status 0
	assert_equal "$output$stderr" ""
	assert_equal "$(received "$object" 3)" $'0 one\n0 two words\n0 '
	assert_count "$object" 0
	make sysv
	run --separate-stderr mqtool send "$object" one 'two words' ''
	assert_status 0
	assert_equal "$output$stderr" ""
	assert_equal "$(received "$object" 3)" $'1 one\n1 two words\n1 '
	assert_count "$object" 0
}

@test "TEXTs that begin with - and a digit, and none of other options" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" -5 -17
		assert_texts "$object" "-5 -17"
		refused 2 USAGE "$object" -x
	done
}

@test "without TEXT, or for -, standard input is one message" {
	for backend in "${backends[@]}"; do
		make "$backend"
		printf 'one\ntwo\n' | mqtool send "$object"
		assert_equal "$(taken "$object"; echo .)" $'one\ntwo\n.'
		printf 'in\0put' | mqtool send "$object" before - after
		assert_texts_raw "$object" 'before|in\0put|after|'
		mqtool send "$object" </dev/null
		assert_count "$object" 1
		assert_equal "$(taken "$object" | wc -c)" 0
	done
}

@test "--file" {
	printf 'a\nb' >"$BATS_TEST_TMPDIR/file"
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" --file "$BATS_TEST_TMPDIR/file"
		assert_texts_raw "$object" 'a\nb|'
		mqtool send "$object" --file "$BATS_TEST_TMPDIR/file" --lines
		assert_texts_raw "$object" 'a|b|'
		echo input | mqtool send "$object" --file -
		assert_texts_raw "$object" 'input\n|'
		run --separate-stderr mqtool send "$object" --file "$BATS_TEST_TMPDIR/nowhere"
		assert_status 3
		assert_equal "$stderr" "mqtool send: $BATS_TEST_TMPDIR/nowhere: no such file"
		run --separate-stderr mqtool send "$object" --file "$TMPDIR"
		assert_status 8
		assert_equal "$stderr" "mqtool send: $TMPDIR: is a directory"
		echo >"$BATS_TEST_TMPDIR/closed"
		chmod 0 "$BATS_TEST_TMPDIR/closed"
		run --separate-stderr as_unprivileged mqtool send "$object" --file "$BATS_TEST_TMPDIR/closed"
		assert_status 5
		assert_stderr "^mqtool send: $BATS_TEST_TMPDIR/closed: permission denied"
		assert_count "$object" 0
		rm "$BATS_TEST_TMPDIR/closed"
	done
}

@test "--lines: with and without a last newline, empty lines, none" {
	for backend in "${backends[@]}"; do
		make "$backend"
		printf 'one\n\nthree\n' | mqtool send "$object" --lines
		assert_texts_raw "$object" 'one||three|'
		printf 'one\r\ntw\0o\nthree' | mqtool send "$object" --lines
		assert_texts_raw "$object" 'one\r|tw\0o|three|'
		mqtool send "$object" -l </dev/null
		assert_count "$object" 0
		echo | mqtool send "$object" -l
		assert_texts_raw "$object" '|'
	done
}

@test "--null: records that a NUL ends, and a last one without" {
	for backend in "${backends[@]}"; do
		make "$backend"
		printf 'o\nne\0\0three' | mqtool send "$object" --null
		assert_texts_raw "$object" 'o\nne||three|'
		printf 'one\0' | mqtool send "$object" -z
		assert_texts_raw "$object" 'one|'
	done
}

@test "--jsonl: data, data_base64, priority and type" {
	local input='{"data":"caf\u00e9 \u0000"}
{"data_base64":"AP8K","RANK":7,"size":3}
{"RANK":32767,"data":""}'
	make posix
	run --separate-stderr mqtool send "$object" --jsonl <<<"${input//RANK/priority}"
	assert_status 0
	assert_equal "$output$stderr" ""
	assert_texts_raw "$object" '|\0\xff\n|caf\xc3\xa9 \0|'
	mqtool send "$object" --jsonl --priority 9 <<<"${input//RANK/priority}"
	assert_equal "$(received "$object" 1)" "32767 "
	assert_equal "$(received "$object" 1 | head -c 2)" "9 "
	make sysv
	mqtool send "$object" --jsonl <<<"${input//RANK/type}"
	assert_equal "$(mqtool peek "$object" --all --plain -o type)" $'1\n7\n32767'
	assert_texts_raw "$object" 'caf\xc3\xa9 \0|\0\xff\n||'
	mqtool send "$object" --jsonl --type 9 <<<"${input//RANK/type}"
	assert_equal "$(mqtool peek "$object" --all --plain -o type)" $'9\n7\n32767'
}

@test "--jsonl: a bad line is named, and those before it were sent" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for bad in '{"data":5}' '{"data":"x"' '[]' 'x' '{"dat":"x"}' '{"data_base64":"!"}' '' \
			'{"data":"x","data_base64":"eA=="}' '{"data":"x","size":2}' '{"data":"x","priority":-1,"type":0}' \
			'{}' '{"data":"x","data":"y"}' $'{"data":"\xff"}'; do
			run --separate-stderr mqtool send "$object" --jsonl --json <<-EOF
				{"data":"first"}
				$bad
				{"data":"never"}
			EOF
			assert_status 2
			json '.error.code == "FORMAT" and .error.exit == 2'
			assert_stderr '^mqtool send: standard input:2:.*'
			assert_texts "$object" first
		done
	done
	printf '{"data":1}' >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr mqtool send "$object" --jsonl --file "$BATS_TEST_TMPDIR/file"
	assert_status 2
	assert_stderr "^mqtool send: $BATS_TEST_TMPDIR/file:1:.*data is to be a string, not a number"
	make posix
	run --separate-stderr mqtool send "$object" --jsonl <<<'{"data":"x","prioriti":1}'
	assert_stderr 'did you mean priority\?'
}

# ---- binary ----

@test "every byte, and the largest message that the queue takes" {
	large_queues
	for ((i = 0; i < 256; i++)); do
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x "$i")"
	done >"$BATS_TEST_TMPDIR/bytes"
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/largest"
	for backend in "${backends[@]}"; do
		make "$backend"
		for file in bytes largest; do
			mqtool send "$object" <"$BATS_TEST_TMPDIR/$file"
			taken "$object" >"$BATS_TEST_TMPDIR/got"
			cmp "$BATS_TEST_TMPDIR/$file" "$BATS_TEST_TMPDIR/got"
		done
	done
}

# ---- ranks ----

@test "priorities: the highest comes first, the same in the order of sending" {
	make posix
	for priority in 0 3 32767 3 0; do
		mqtool send "$object" --priority "$priority" "$((++n))"
	done
	assert_equal "$(received "$object" 5)" $'32767 3\n3 2\n3 4\n0 1\n0 5'
	mqtool send "$object" -p 0x10 hex
	assert_equal "$(received "$object" 1)" "16 hex"
}

@test "types, up to the largest" {
	make sysv
	for type in 1 7 "$long_max"; do
		mqtool send "$object" --type "$type" "of $type"
	done
	run "$msg_peer" receive "$(id_of "$object")" "$long_max" 1
	assert_output "$long_max of $long_max"
	run "$msg_peer" receive "$(id_of "$object")" 0 2
	assert_output $'1 of 1\n7 of 7'
}

@test "a priority of System V, a type of POSIX, and numbers that are none" {
	make posix
	refused 2 USAGE "$object" --type 4 x
	assert_stderr 'a POSIX one has --priority'
	for bad in 32768 -1 '' 1x 99999999999999999999; do
		refused 2 USAGE "$object" --priority "$bad" x
		json '.error.object == "--priority"'
	done
	assert_count "$object" 0
	make sysv
	refused 2 USAGE "$object" --priority 4 x
	assert_stderr 'a System V one has --type'
	for bad in 0 -1 '' 1x 9223372036854775808; do
		refused 2 USAGE "$object" --type "$bad" x
		json '.error.object == "--type"'
	done
	assert_count "$object" 0
}

# ---- limits ----

@test "larger than a POSIX queue takes: status 6, none of the TEXTs is sent" {
	make posix --msgsize 4
	refused 6 EMSGSIZE "$object" good 12345 good
	json '.error.limit == {name: "msgsize", value: 4, used: null, needed: 5}'
	assert_stderr "$object: .*msgsize is 4 bytes, 5 needed"
	assert_count "$object" 0
	run --separate-stderr mqtool send "$object" <<<12345
	assert_status 6
	assert_stderr 'msgsize is 4 bytes'
	assert_count "$object" 0
	mqtool send "$object" 1234
	assert_texts "$object" 1234
}

@test "larger than msgmax, or than qbytes: status 6, and it does not block for ever" {
	limit kernel.msgmax 100
	make sysv
	refused 6 EMSGSIZE "$object" good "$(printf %0101d 0)" good
	json '.error.limit | .name == "kernel.msgmax" and .value == 100 and .needed == 101'
	assert_stderr "$object: .*kernel\.msgmax is 100 bytes.* 101 needed"
	make sysv --qbytes 10
	mqtool send "$object" 123
	refused 6 EMSGSIZE "$object" good 12345678901 good
	json '.error.limit | .name == "qbytes" and .value == 10 and .needed == 11'
	assert_stderr "$object: .*qbytes is 10 bytes"
	assert_texts "$object" 123
	mqtool send "$object" 1234567890
	assert_texts "$object" 1234567890
}

@test "a record that is too large is named, those before it were sent" {
	for backend in "${backends[@]}"; do
		case $backend in
		posix) make posix --msgsize 4 ;;
		sysv) make sysv --qbytes 4 ;;
		esac
		for option in --lines --null; do
			run --separate-stderr mqtool send "$object" "$option" --json < <(
				printf 'one\n12345\ntwo\n' | if [[ $option == --null ]]; then tr '\n' '\0'; else cat; fi)
			assert_status 6
			json '.error.limit | .value == 4 and .needed == 5'
			assert_stderr 'record 2 is too large'
			assert_stderr 'sent before this one'
			assert_texts "$object" one
		done
		run --separate-stderr mqtool send "$object" --jsonl <<<$'{"data":"one"}\n{"data":"12345"}'
		assert_status 6
		assert_texts "$object" one
	done
}

@test "an endless input ends at the size of a message" {
	make posix
	run --separate-stderr timeout 10 mqtool send "$object" </dev/zero
	assert_status 6
	run --separate-stderr timeout 10 mqtool send "$object" --lines </dev/zero
	assert_status 6
	assert_count "$object" 0
}

# ---- a full queue ----

@test "full: --timeout 0 is a try, --timeout gives up" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		assert_equal "$sent" 4
		refused 1 EAGAIN "$object" --timeout 0 ''
		assert_stderr "^mqtool send: $object: the queue is full$"
		refused 1 ETIMEDOUT "$object" --timeout 30ms ''
		assert_stderr "^mqtool send: $object: timed out after 30ms$"
		assert_count "$object" 4
	done
}

@test "--timeout is neither early nor late, and counts for each message" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		punctual 200000 mqtool send "$object" --timeout 200ms '' 2>/dev/null
		assert_status 1
		mqtool recv "$object" -q
		run --separate-stderr mqtool send "$object" --timeout 30ms '' '' ''
		assert_status 1
		assert_stderr '1 messages? (was|were) sent before this one'
		assert_count "$object" 4
	done
}

@test "a sender waits for room, without and with a timeout" {
	for backend in "${backends[@]}"; do
		for timeout in inf 20s; do
			make_small "$backend"
			fill "$object"
			start_waiter send "$object" --timeout "$timeout" ''
			assert_count "$object" 4
			taken "$object"
			finish "$pid"
			assert_status 0
			assert_count "$object" 4
		done
	done
}

@test "a signal ends a sender that waits, and nothing more is sent" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		mqtool send "$object" --timeout 0 '' '' '' ''
		for timeout in inf 20s; do
			for signal in INT TERM HUP; do
				start_waiter send "$object" --timeout "$timeout" ''
				kill -"$signal" "$pid"
				finish "$pid" 2
				died_of "$signal"
				assert_equal "$output$stderr" ""
			done
		done
		assert_count "$object" 4
		mqtool drain "$object" -q
		assert_count "$object" 0
	done
}

@test "stopped and continued, and an ignored signal: it still waits" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		start env --ignore-signal=INT mqtool send "$object" --timeout 20s ''
		wait_until 5 waits "$pid"
		kill -INT "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		wait_until 5 waits "$pid"
		taken "$object"
		finish "$pid"
		assert_status 0
		assert_count "$object" 4
	done
}

@test "removed while it waits: status 7" {
	for timeout in inf 20s; do
		make_small sysv
		fill "$object"
		start_waiter send "$object" --timeout "$timeout" --json ''
		mqtool rm "$object"
		finish "$pid"
		assert_status 7
		json '.error.code == "EIDRM"'
		assert_stderr "^mqtool send: $object: removed while it was used$"
	done
}

# ---- other ends ----

@test "no such queue, and one that may not be sent to" {
	refused 3 ENOENT /nowhere x
	refused 3 ENOENT key:77 x
	refused 3 ENOENT id:77 x
	"$mq_peer" create /jobs 4 32 444
	"$msg_peer" create 77 444
	for object in /jobs key:77; do
		run --separate-stderr as_unprivileged mqtool send "$object" x
		assert_status 5
		assert_stderr "^mqtool send: $object: permission denied"
		assert_count "$object" 0
	done
}

@test "who may only send can" {
	"$mq_peer" create /jobs 4 32 222
	"$msg_peer" create 77 222
	for object in /jobs key:77; do
		as_unprivileged mqtool send "$object" one two
		as_unprivileged mqtool send "$object" <<<three
		assert_count "$object" 3
	done
	run --separate-stderr as_unprivileged mqtool send /jobs "$(printf %033d 0)"
	assert_status 6
}

@test "usage errors, with the nearest option" {
	make posix
	refused 2 USAGE "$object" --priorty 5 x
	assert_stderr 'did you mean --priority\?'
	refused 2 USAGE "$object" --line
	assert_stderr 'did you mean --lines\?'
	refused 2 USAGE jobs x
	refused 2 USAGE
	refused 2 USAGE "$object" --lines --null
	refused 2 USAGE "$object" --lines --jsonl
	refused 2 USAGE "$object" --lines x
	refused 2 USAGE "$object" --file x y
	refused 2 USAGE private x
	for bad in '' 5y -1 5sfoo; do
		refused 2 USAGE "$object" --timeout "$bad" x
		json '.error.object == "--timeout"'
	done
	assert_count "$object" 0
}

@test "what was sent, in each format" {
	make posix
	run mqtool send "$object" 12 345 --json
	json --arg object "$object" '. == {object: $object, backend: "posix", messages: 2, bytes: 5}'
	assert_equal "$(IPCKIT_FORMAT=json mqtool send "$object" 12)" ""
	assert_equal "$(mqtool send "$object" 12 --plain -o messages,bytes)" "1	2"
	make sysv
	assert_equal "$(printf 'a\nb\nc' | mqtool send "$object" --lines --plain)" "$object	sysv	3	3"
	run mqtool send "$object" --table x
	assert_match 'messages +1'
	assert_equal "$(mqtool send "$object" -q x)" ""
}
