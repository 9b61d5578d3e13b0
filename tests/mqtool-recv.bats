# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool recv: what other programs sent, all of it and in its order, in each shape; waiting,
# and every other end. Streams and journals are in mqtool-stream.bats.
# shellcheck disable=SC2016 # the variables of jq
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load queues

# refused STATUS CODE ARG...: `recv` ends so, in words and in JSON, which is in $output then.
refused()
{
	run --separate-stderr mqtool recv "${@:3}"
	assert_status "$1"
	json --arg code "$2" --argjson status "$1" '.error | .code == $code and .exit == $status and .verb == "recv"'
	assert_stderr '^mqtool recv: '
}

# put OBJECT TEXT...: a peer sends them.
put()
{
	case $1 in
	/*) "$mq_peer" send "$1" 0 "${@:2}" ;;
	*) "$msg_peer" send "$(id_of "$1")" 1 "${@:2}" ;;
	esac
}

# make_typed: a System V queue with messages of types 3 5 2 5 1, whose texts are a to e.
make_typed()
{
	local type letters=(a b c d e)
	make sysv
	for type in 3 5 2 5 1; do
		mqtool send "$object" --type "$type" "${letters[0]}"
		letters=("${letters[@]:1}")
	done
}

# ---- what it is for ----

@test "one message, the oldest" {
	make posix
	put "$object" one two
	run --separate-stderr mqtool recv "$object"
	assert_status 0
	assert_equal "$output$stderr" '{"priority":0,"size":3,"data":"one"}'
	assert_count "$object" 1
	make sysv
	put "$object" one two
	run --separate-stderr mqtool recv "$object"
	assert_status 0
	assert_equal "$output$stderr" '{"type":1,"size":3,"data":"one"}'
	assert_count "$object" 1
	run "$msg_peer" stat "$(id_of "$object")"
	assert_match ' 1 16384 '
	run mqtool receive "$object" --raw
	assert_output two
}

@test "the highest priority first, the same in the order of sending" {
	make posix
	for priority in 0 3 32767 3 0; do
		"$mq_peer" send "$object" "$priority" "$((++n))"
	done
	assert_equal "$(mqtool recv "$object" --all --plain -o priority,data | tr '\t\n' ': ')" \
		"32767:3 3:2 3:4 0:1 0:5 "
}

@test "--count, and --all" {
	for backend in "${backends[@]}"; do
		make "$backend"
		put "$object" one two three four five
		run mqtool recv "$object" --count 2
		assert_status 0
		json '[.messages[].data] == ["one", "two"] and keys == ["messages"]'
		run mqtool recv "$object" -c 1
		json '[.messages[].data] == ["three"]'
		run mqtool recv "$object" --all
		assert_status 0
		json '[.messages[].data] == ["four", "five"] and keys == ["messages"]'
		run mqtool recv "$object" --all
		assert_status 0
		assert_output '{"messages":[]}'
		run mqtool recv "$object" -a --raw
		assert_status 0
		assert_output ''
	done
}

@test "--raw, --lines, --null" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for option in --raw --lines --null; do
			put "$object" one '' three
			mqtool recv "$object" "$option" --all | od -An -v -tx1 -w99
		done >"$BATS_TEST_TMPDIR/got"
		assert_equal "$(<"$BATS_TEST_TMPDIR/got")" " 6f 6e 65 74 68 72 65 65
 6f 6e 65 0a 0a 74 68 72 65 65 0a
 6f 6e 65 00 00 74 68 72 65 65 00"
		put "$object" one
		assert_equal "$(IPCKIT_FORMAT=json mqtool recv "$object" --raw)" one
		put "$object" one
		assert_equal "$(IPCKIT_FORMAT=table mqtool recv "$object" -l)" one
	done
}

# ---- binary ----

@test "every byte, the empty and the largest message" {
	large_queues
	for ((i = 0; i < 256; i++)); do
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x "$i")"
	done >"$BATS_TEST_TMPDIR/bytes"
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/largest"
	: >"$BATS_TEST_TMPDIR/empty"
	for backend in "${backends[@]}"; do
		make "$backend"
		for file in bytes largest empty; do
			for _ in 1 2; do
				mqtool send "$object" <"$BATS_TEST_TMPDIR/$file"
			done
			mqtool recv "$object" --raw | cmp - "$BATS_TEST_TMPDIR/$file"
			mqtool send "$object" <"$BATS_TEST_TMPDIR/$file"
			mqtool recv "$object" | jq -r '.data_base64 // (.data | @base64)' | base64 -d | cmp - "$BATS_TEST_TMPDIR/$file"
			mqtool recv "$object" --journal "$BATS_TEST_TMPDIR/journal.$backend" --raw | cmp - "$BATS_TEST_TMPDIR/$file"
			assert_count "$object" 0
		done
	done
}

@test "a message sent when more was allowed" {
	limit kernel.msgmax 65536
	limit kernel.msgmnb 65536
	head -c 50000 /dev/urandom >"$BATS_TEST_TMPDIR/large"
	make sysv
	mqtool send "$object" <"$BATS_TEST_TMPDIR/large"
	limit kernel.msgmax 100
	mqtool recv "$object" --raw | cmp - "$BATS_TEST_TMPDIR/large"
	limit kernel.msgmax 65536
	mqtool send "$object" <"$BATS_TEST_TMPDIR/large"
	limit kernel.msgmax 100
	mqtool recv "$object" --raw --journal "$BATS_TEST_TMPDIR/journal" | cmp - "$BATS_TEST_TMPDIR/large"
}

# ---- which one ----

@test "--type: the first, of a type, up to one, any but one" {
	for row in '0:a b c d e' '5:b d' '2:c' '-2:e c' '-3:e c a' '-100:e c a b d' '!5:a c e' '!9:a b c d e'; do
		make_typed
		run mqtool recv "$object" --all --raw --type "${row%%:*}"
		assert_status 0
		assert_equal "$output" "$(tr -d ' ' <<<"${row#*:}")" "--type ${row%%:*}"
	done
	for row in '5:a c e' '9:a b c d e'; do
		make_typed
		run mqtool recv "$object" --all --raw --except "${row%%:*}"
		assert_equal "$output" "$(tr -d ' ' <<<"${row#*:}")" "--except ${row%%:*}"
	done
	make_typed
	run mqtool recv "$object" --type=-2
	assert_output '{"type":1,"size":1,"data":"e"}'
	run mqtool recv "$object" --timeout 0 --type "$long_max"
	assert_status 1
	run mqtool recv "$object" --type "-$long_max" --plain -o type,data
	assert_output '2	c'
}

@test "messages of other types are waited past" {
	make sysv
	put "$object" other
	start_waiter recv "$object" --type 7 --raw
	run mqtool info "$object"
	json '.waiting | length == 1 and .[0].call == "msgrcv" and .[0].type == 7'
	mqtool send "$object" --type 8 other
	mqtool send "$object" --type 7 it
	finish "$pid"
	assert_equal "$status $output" "0 it"
	assert_texts "$object" "other other"
}

@test "types that are none, or of POSIX: status 2, and nothing is taken" {
	make sysv
	put "$object" kept
	for bad in '' - -0 '!' '!0' '!-1' --1 x 0x 1x 9223372036854775808 -9223372036854775808; do
		refused 2 USAGE "$object" --timeout 0 --type="$bad"
		json '.error.object == "--type"'
	done
	for bad in '' 0 -1 '!1' 9223372036854775808; do
		refused 2 USAGE "$object" --timeout 0 --except="$bad"
	done
	refused 2 USAGE "$object" --type 1 --except 2
	assert_texts "$object" kept
	make posix
	put "$object" kept
	for option in --type=0 --type=1 --except=1; do
		refused 2 USAGE "$object" "$option"
	done
	assert_texts "$object" kept
}

# ---- sizes ----

@test "--max-size: a larger message stays; --truncate cuts it" {
	large_queues
	make sysv
	put "$object" large small
	refused 6 E2BIG "$object" --max-size 4
	assert_stderr "$object: .*larger than --max-size and stays"
	assert_count "$object" 2
	refused 6 E2BIG "$object" --max-size 4 --all
	assert_count "$object" 2
	run mqtool recv "$object" --max-size 5 --raw
	assert_equal "$status $output" "0 large"
	run mqtool recv "$object" --max-size 2 --truncate
	assert_output '{"type":1,"size":2,"data":"sm"}'
	put "$object" large
	run mqtool recv "$object" --max-size 0 --truncate
	assert_output '{"type":1,"size":0,"data":""}'
	assert_count "$object" 0
	make posix
	put "$object" large small
	refused 6 EMSGSIZE "$object" --max-size 4
	assert_stderr 'only whole messages.*8192.*needs --truncate'
	assert_count "$object" 2
	run mqtool recv "$object" --max-size 8192 --raw
	assert_equal "$status $output" "0 large"
	run mqtool recv "$object" --max-size 2 --truncate
	assert_output '{"priority":0,"size":2,"data":"sm"}'
	assert_count "$object" 0
}

@test "some taken, then one too large: what was taken is printed, the error beside it" {
	make sysv
	put "$object" one two large
	refused 6 E2BIG "$object" --max-size 4 --all
	json '[.messages[].data] == ["one", "two"]'
	assert_texts "$object" large
}

# ---- none there ----

@test "none there: --timeout 0 is a try, --timeout gives up" {
	for backend in "${backends[@]}"; do
		make "$backend"
		refused 1 EAGAIN "$object" --timeout 0
		assert_stderr "^mqtool recv: $object: no message is there$"
		refused 1 ETIMEDOUT "$object" --timeout 30ms
		assert_stderr "^mqtool recv: $object: timed out after 30ms$"
		run --separate-stderr mqtool recv "$object" --timeout 0 --raw
		assert_equal "$status $output" "1 "
		assert_equal "$stderr" "mqtool recv: $object: no message is there"
	done
}

@test "--timeout is neither early nor late" {
	for backend in "${backends[@]}"; do
		make "$backend"
		punctual 200000 mqtool recv "$object" --timeout 200ms >"$BATS_TEST_TMPDIR/out" 2>&1
		assert_status 1
		punctual 200000 env --ignore-signal=INT,TERM,ALRM mqtool recv "$object" --timeout 0.2 >"$BATS_TEST_TMPDIR/out" 2>&1
		assert_status 1
	done
}

@test "a change of the clock is none of a deadline" {
	unshare -T true 2>/dev/null || skip "no time namespace here"
	for backend in "${backends[@]}"; do
		make "$backend"
		# Of another monotonic clock it knows nothing else.
		takes_us unshare -T --monotonic 86400 --fork mqtool recv "$object" --timeout 100ms >"$BATS_TEST_TMPDIR/out" 2>&1
		assert_status 1
		((us >= 100000 && us < 5000000))
	done
}

@test "--count with a timeout: what came is printed, the error beside it" {
	for backend in "${backends[@]}"; do
		make "$backend"
		put "$object" one two
		refused 1 ETIMEDOUT "$object" --count 3 --timeout 30ms
		json '[.messages[].data] == ["one", "two"]'
		put "$object" one two
		refused 1 EAGAIN "$object" --count 3 --timeout 0
		json '[.messages[].data] == ["one", "two"]'
		put "$object" one two
		run --separate-stderr mqtool recv "$object" --count 3 --timeout 30ms --lines
		assert_equal "$status $output" $'1 one\ntwo'
		assert_stderr 'timed out after 30ms$'
		put "$object" one two
		run --separate-stderr mqtool recv "$object" --count 3 --timeout 30ms --plain -o data
		assert_equal "$status $output" $'1 one\ntwo'
		assert_count "$object" 0
	done
}

@test "a message comes to one that waits, without and with a timeout" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for timeout in inf 20s; do
			start_waiter recv "$object" --timeout "$timeout" --raw
			[[ $timeout != inf ]] || wait_until 5 waiters_are "$object" 1
			put "$object" it
			finish "$pid"
			assert_equal "$status $output" "0 it"
			start_waiter recv "$object" --count 2 --timeout "$timeout" --plain -o data
			put "$object" one
			wait_until 5 count_is "$object" 0
			put "$object" two
			finish "$pid"
			assert_equal "$status $output" $'0 one\ntwo'
		done
	done
}

# ---- signals ----

@test "a signal ends one that waits, and the messages keep their order" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for timeout in inf 20s; do
			for signal in INT TERM HUP; do
				start_waiter recv "$object" --timeout "$timeout"
				kill -"$signal" "$pid"
				finish "$pid" 2
				died_of "$signal"
				assert_equal "$output$stderr" ""
			done
		done
		put "$object" one two three
		assert_texts "$object" "one two three"
	done
}

@test "a signal while it waits for more: what it has is printed, then it dies of it" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in INT TERM HUP; do
			put "$object" one two
			start_waiter recv "$object" --count 3
			wait_until 5 count_is "$object" 0
			wait_until 5 waits "$pid"
			kill -"$signal" "$pid"
			finish "$pid" 2
			died_of "$signal"
			json '[.messages[].data] == ["one", "two"]'
			assert_equal "$stderr" ""
			assert_count "$object" 0
		done
	done
}

@test "an ignored signal and a stop do not end a wait" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for timeout in inf 20s; do
			start env --ignore-signal=INT,TERM mqtool recv "$object" --timeout "$timeout" --raw
			wait_until 5 waits "$pid"
			kill -INT "$pid"
			kill -TERM "$pid"
			kill -STOP "$pid"
			wait_until 5 state_is "$pid" T
			kill -CONT "$pid"
			wait_until 5 waits "$pid"
			put "$object" it
			finish "$pid"
			assert_equal "$status $output" "0 it"
		done
	done
}

@test "killed while it waits: nothing is gone" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_waiter recv "$object" --raw
		kill -KILL "$pid"
		finish "$pid"
		put "$object" it
		assert_texts "$object" it
	done
}

# ---- other ends ----

@test "removed while it waits: status 7; a POSIX queue lives on" {
	make sysv
	for timeout in inf 20s; do
		[[ $timeout == inf ]] || make sysv
		start_waiter recv "$object" --timeout "$timeout"
		ipcrm -q "$(id_of "$object")"
		finish "$pid"
		assert_status 7
		json '.error.code == "EIDRM" and .error.exit == 7'
		assert_stderr "^mqtool recv: $object: removed while it was used$"
	done
	make posix
	start mqtool recv "$object" --timeout 100ms
	wait_until 5 or_gone "$pid" waits "$pid"
	mqtool rm "$object"
	finish "$pid"
	assert_status 1
}

@test "removed while it waits for more: what it has is printed" {
	make sysv
	put "$object" one
	start_waiter recv "$object" --count 2
	wait_until 5 count_is "$object" 0
	wait_until 5 waits "$pid"
	mqtool rm "$object"
	finish "$pid"
	assert_status 7
	json '.messages[0].data == "one" and .error.code == "EIDRM"'
}

@test "no such queue, and one that may not be received from" {
	refused 3 ENOENT /nowhere
	refused 3 ENOENT key:77
	refused 3 ENOENT id:77
	"$mq_peer" create /jobs 4 32 222
	"$mq_peer" send /jobs 0 kept
	"$msg_peer" create 77 222
	"$msg_peer" send "$("$msg_peer" get 77)" 1 kept
	for object in /jobs key:77; do
		run --separate-stderr as_unprivileged mqtool recv "$object" --timeout 0
		assert_status 5
		json --arg object "$object" '.error | .code == "EACCES" and .object == $object'
		assert_stderr "^mqtool recv: $object: permission denied"
		assert_texts "$object" kept
	done
}

@test "who may only receive can" {
	"$mq_peer" create /jobs 4 32 444
	"$msg_peer" create 77 444
	for object in /jobs key:77; do
		put "$object" one two
		assert_equal "$(as_unprivileged mqtool recv "$object" --raw)" one
		# It cannot be put back by who may not send, and is not lost.
		run --separate-stderr as_unprivileged bash -c 'exec mqtool recv "$1" --raw >/dev/full' - "$object"
		assert_status 8
		assert_stderr "$object: could not be put back: .*two"
		assert_count "$object" 0
	done
}

@test "something else in the place of a journal" {
	make posix
	put "$object" kept
	echo nonsense >"$BATS_TEST_TMPDIR/journal"
	run --separate-stderr mqtool recv "$object" --journal "$BATS_TEST_TMPDIR/journal"
	assert_status 7
	assert_stderr 'not a journal'
	run --separate-stderr mqtool recv "$object" --journal "$BATS_TEST_TMPDIR/nowhere/journal"
	assert_status 3
	assert_stderr 'no such directory'
	assert_texts "$object" kept
}

@test "usage errors, with the nearest option" {
	make posix
	put "$object" kept
	refused 2 USAGE "$object" --folow
	assert_stderr 'did you mean --follow\?'
	refused 2 USAGE "$object" --jurnal x
	assert_stderr 'did you mean --journal\?'
	refused 2 USAGE
	refused 2 USAGE jobs
	assert_stderr 'did you mean /jobs or key:'
	refused 2 USAGE "$object" /more
	refused 2 USAGE private
	refused 2 USAGE "$object" --count 2 --all
	refused 2 USAGE "$object" --lines --null
	refused 2 USAGE "$object" --truncate
	refused 2 USAGE "$object" --max-size 1 --truncate --journal "$BATS_TEST_TMPDIR/journal"
	for option in --raw --lines --null; do
		refused 2 USAGE "$object" "$option" --json
	done
	run --separate-stderr mqtool recv "$object" --raw --plain
	assert_status 2
	for bad in '' 0 -1 1x 99999999999999999999; do
		refused 2 USAGE "$object" --count "$bad"
		json '.error.object == "--count"'
	done
	for bad in '' 5y -1 5sfoo; do
		refused 2 USAGE "$object" --timeout "$bad"
		json '.error.object == "--timeout"'
	done
	for bad in '' 5y -1 99999999999999999999; do
		refused 2 USAGE "$object" --max-size "$bad"
		json '.error.object == "--max-size"'
	done
	refused 2 USAGE "$object" -o nothing
	assert_texts "$object" kept
}

# ---- what cannot be written ----

@test "a full disk: it is put back, in its order where it was one step" {
	for backend in "${backends[@]}"; do
		make "$backend"
		put "$object" one two three
		for args in --all '--count 2' '--all --plain' '--all --table'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr bash -c 'mqtool recv "$@" >/dev/full' - "$object" $args
			assert_status 8
			assert_stderr 'standard output: no space left'
			assert_count "$object" 3
			[[ $args != --count* ]] || mqtool send "$object" "$(mqtool recv "$object" --raw)"
		done
		assert_texts "$object" "one two three"
		put "$object" one two
		for args in '' --raw --lines --null --follow '--follow --lines'; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 bash -c 'mqtool recv "$@" >/dev/full' - "$object" $args
			assert_status 8
			assert_count "$object" 2
		done
		assert_texts "$object" "one two"
	done
}

@test "a priority or type is put back, too" {
	make posix
	"$mq_peer" send "$object" 7 it
	mqtool recv "$object" --raw >/dev/full 2>&1 || status=$?
	assert_status 8
	run "$mq_peer" receive "$object" 1
	assert_output "7 it"
	make sysv
	"$msg_peer" send "$(id_of "$object")" "$long_max" it
	mqtool recv "$object" --raw >/dev/full 2>&1 || status=$?
	assert_status 8
	run "$msg_peer" receive "$(id_of "$object")" 0 1
	assert_output "$long_max it"
}

# ---- formats ----

@test "JSON: data where it is UTF-8 without NUL, else data_base64, size always" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for bytes in 'a\tb"\\\n' '\xc3\xa9\xf0\x9f\x90\x9f' 'a\0b' '\xff' '\xed\xa0\x80' '\xc0\x80' ''; do
			# shellcheck disable=SC2059 # a format it is
			printf "$bytes" | mqtool send "$object"
		done
		run mqtool recv "$object" --all
		json '.messages | [.[] | [.size, .data // .data_base64]] == [[6, "a\tb\"\\\n"], [6, "é🐟"], [3, "YQBi"],
			[1, "/w=="], [3, "7aCA"], [2, "wIA="], [0, ""]]'
		json '.messages | [.[] | has("data") != has("data_base64")] | all'
		json '.messages | [.[].data != null] == [true, true, false, false, false, false, true]'
	done
}

@test "plain: one line a message, with escapes" {
	make sysv
	printf 'a\tb\\\n\xff\0' | mqtool send "$object" - last
	assert_equal "$(mqtool recv "$object" --all --plain)" $'-\t1\t7\ta\\tb\\\\\\n\\xff\\x00\n-\t1\t4\tlast'
	printf 'a\tb' | mqtool send "$object"
	assert_equal "$(IPCKIT_FORMAT=plain mqtool recv "$object" -o data,size)" 'a\tb	3'
}

@test "a table, and columns" {
	make posix
	put "$object" one two
	run mqtool recv "$object" --all --table
	assert_match $'^PRIORITY +TYPE +SIZE +DATA *\n +0 +- +3 +one *\n +0 +- +3 +two *$'
	put "$object" one
	run mqtool recv "$object" --table
	assert_match $'priority +0\nsize +3\ndata +one'
	put "$object" one two
	run mqtool recv "$object" --all -o data,priority
	assert_output '{"messages":[{"data":"one","priority":0},{"data":"two","priority":0}]}'
	run mqtool recv --columns help
	assert_status 0
	assert_match $'^priority .*\ntype .*\nsize .*\ndata '
	put "$object" one
	run mqtool recv "$object" --pretty
	json '.data == "one"'
	((${#lines[@]} > 2))
}

@test "-q: takes it and prints nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		put "$object" one two three
		run mqtool recv "$object" -q
		assert_equal "$status $output" "0 "
		assert_count "$object" 2
		run mqtool recv "$object" -q --all
		assert_equal "$status $output" "0 "
		assert_count "$object" 0
		run --separate-stderr mqtool recv "$object" -q --timeout 0
		assert_equal "$status $output" "1 "
		assert_stderr 'no message is there'
	done
}
