# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool restore: sends what dump printed, all or nothing.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

setup()
{
	dump=$BATS_TEST_TMPDIR/dump
}

# save OBJECT: dumps it into the file $dump.
save()
{
	local take=()
	[[ $1 == *:* ]] || take=(--take)
	mqtool dump "$1" "${take[@]}" >"$dump"
}

# ranked OBJECT RANK TEXT: sends it with a priority or of a type.
ranked()
{
	if [[ $1 == *:* ]]; then
		mqtool send "$1" --type "$2" "$3"
	else
		mqtool send "$1" --priority "$2" "$3"
	fi
}

# rank_of BACKEND: the word for it.
rank_of()
{
	[[ $1 == posix ]] && echo priority || echo type
}

@test "restore puts back what dump printed, in its order, with priority or type, and says nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		ranked "$object" 3 one
		ranked "$object" 32767 two
		ranked "$object" 3 three
		ranked "$object" 1 ""
		save "$object"
		mqtool drain "$object"
		run --separate-stderr mqtool restore "$object" <"$dump"
		assert_status 0
		assert_equal "$output$stderr" ""
		before=$(<"$dump")
		save "$object"
		assert_equal "$(<"$dump")" "$before"
		assert_count "$object" 4
		make "$backend"
		run mqtool restore "$object" --file "$dump" --json
		json --arg o "$object" --arg b "$backend" '. == {object: $o, backend: $b, messages: 4, bytes: 11}'
		save "$object"
		assert_equal "$(<"$dump")" "$before"
	done
}

@test "any bytes come back as they were" {
	large_queues
	printf '%b' "$(printf '\\x%02x' {0..255})" >"$BATS_TEST_TMPDIR/bytes"
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/large"
	printf '"\\\n\t/\303\244\360\237\230\200' >"$BATS_TEST_TMPDIR/text"
	printf '\0' >"$BATS_TEST_TMPDIR/nul"
	: >"$BATS_TEST_TMPDIR/empty"
	for backend in "${backends[@]}"; do
		make "$backend"
		for file in bytes text nul empty large; do
			mqtool send "$object" --file "$BATS_TEST_TMPDIR/$file"
		done
		save "$object"
		mqtool drain "$object"
		mqtool restore "$object" <"$dump"
		for file in bytes text nul empty large; do
			mqtool recv "$object" --timeout 0 --raw >"$BATS_TEST_TMPDIR/back"
			cmp "$BATS_TEST_TMPDIR/$file" "$BATS_TEST_TMPDIR/back"
		done
	done
}

@test "restore takes what recv --follow prints, and lines of data alone" {
	for backend in "${backends[@]}"; do
		make "$backend"
		ranked "$object" 7 one
		ranked "$object" 7 two
		mqtool recv "$object" --follow --json --count 2 >"$dump"
		mqtool restore "$object" <"$dump"
		run mqtool recv "$object" --all
		json --arg rank "$(rank_of "$backend")" '.messages | map([.data, .[$rank]]) == [["one", 7], ["two", 7]]'
		printf '{"data":"x"}\n { "data_base64" : "AA==" } ' | mqtool restore "$object"
		run mqtool recv "$object" --all
		json --arg rank "$(rank_of "$backend")" --arg b "$backend" '.messages | map([.size, .[$rank]]) ==
			[[1, if $b == "posix" then 0 else 1 end], [1, if $b == "posix" then 0 else 1 end]]'
	done
}

@test "restore of nothing sends nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run mqtool restore "$object" --json </dev/null
		assert_status 0
		json '.messages == 0 and .bytes == 0'
		assert_count "$object" 0
	done
}

@test "restore: where a line is malformed nothing is sent" {
	good='{"data":"x"}'
	for backend in "${backends[@]}"; do
		make "$backend"
		while read -r line; do
			printf '%s\n' "$good" "$good" "$line" "$good" "$good" >"$dump"
			run --separate-stderr mqtool restore "$object" --json <"$dump"
			assert_status 2
			assert_stderr '^mqtool restore: standard input:3:'
			json '.error | .code == "FORMAT" and .exit == 2 and .line == 3'
			run --separate-stderr mqtool restore "$object" --file "$dump"
			assert_status 2
			[[ $stderr == "mqtool restore: $dump:3:"* ]] || fail "$(show_last)"
			assert_count "$object" 0
		done <<-'END'
			{"data":"x"
			nonsense
			7
			null
			["x"]
			{}
			{"data":7}
			{"data":"x","data_base64":"eA=="}
			{"data":"x","data":"y"}
			{"data_base64":"eA="}
			{"data_base64":"%%%%"}
			{"data":"x","size":2}
			{"data":"x","dta":"y"}
			{"data":"x","priority":-1,"type":0}
			{"data":"x"}{"data":"y"}
			{"data":"\ud800"}
		END
		# The last line, too; and of a whole list, which recv --all prints, none is sent.
		printf '%s\n%s' "$good" '{"data":"y"' >"$dump"
		run mqtool restore "$object" --file "$dump"
		assert_status 2
		mqtool send "$object" x
		mqtool recv "$object" --all >"$dump"
		run mqtool restore "$object" --file "$dump"
		assert_status 2
		assert_count "$object" 0
	done
}

@test "restore: priorities are of POSIX, types of System V" {
	make posix
	for line in '{"type":1,"data":"x"}' '{"priority":32768,"data":"x"}' '{"priority":-1,"data":"x"}' \
		'{"priority":1.5,"data":"x"}' '{"priority":"1","data":"x"}'; do
		run --separate-stderr mqtool restore "$object" <<<"$line"
		assert_status 2
		assert_stderr 'standard input:1: (type is of System V queues|priority is to be )'
		assert_count "$object" 0
	done
	make sysv
	for line in '{"priority":1,"data":"x"}' '{"type":0,"data":"x"}' '{"type":-1,"data":"x"}' \
		'{"type":9223372036854775808,"data":"x"}' '{"type":true,"data":"x"}'; do
		run --separate-stderr mqtool restore "$object" <<<"$line"
		assert_status 2
		assert_stderr 'standard input:1:.*(priority is of POSIX queues|type is to be |a number is too large)'
		assert_count "$object" 0
	done
}

@test "restore: where there is no room for all nothing is sent" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		mqtool send "$object" "" ""
		yes '{"data":""}' | head -n 3 >"$dump"
		run --separate-stderr mqtool restore "$object" --json <"$dump"
		assert_status 1
		assert_equal "$stderr" "mqtool restore: $object: no room for 3 messages: it holds 4, and has 2; nothing was restored (--timeout waits for room)"
		json '.error.code == "EAGAIN" and .error.exit == 1'
		assert_count "$object" 2
		head -n 2 "$dump" | mqtool restore "$object"
		assert_count "$object" 4
	done
	make sysv --qbytes 10
	mqtool send "$object" 123
	run --separate-stderr mqtool restore "$object" <<<$'{"data":"1234"}\n{"data":"5678"}'
	assert_status 1
	assert_stderr 'no room for 8 bytes: it holds 10, and has 3; nothing was restored'
	assert_texts "$object" 123
	# What has just enough is restored.
	mqtool restore "$object" <<<$'{"data":"12345"}\n{"data":"67890"}'
	assert_texts "$object" "12345 67890"
}

@test "restore --timeout waits for room" {
	for backend in "${backends[@]}"; do
		for timeout in inf 30s; do
			make_small "$backend"
			fill "$object"
			yes '{"data":""}' | head -n 3 >"$dump"
			start mqtool restore "$object" --timeout "$timeout" --file "$dump" --json
			wait_until 5 waits "$pid"
			mqtool recv "$object" --count 3 --quiet
			finish "$pid"
			assert_status 0
			json '.messages == 3'
			assert_count "$object" 4
		done
	done
}

@test "restore --timeout that passes says how many were sent" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		mqtool send "$object" ""
		yes '{"data":""}' | head -n 5 >"$dump"
		run --separate-stderr mqtool restore "$object" --timeout 50ms --json <"$dump"
		assert_status 1
		assert_stderr "warning: $object: 3 messages were sent before this one"
		assert_stderr "mqtool restore: $object: timed out after 50ms\$"
		json '.error.code == "ETIMEDOUT"'
		assert_count "$object" 4
	done
}

@test "restore: a message that the queue never takes: the limit, and nothing is sent" {
	make posix --msgsize 4
	run --separate-stderr mqtool restore "$object" --timeout 9s --json <<<$'{"data":"1234"}\n{"data":"12345"}'
	assert_status 6
	assert_stderr "^mqtool restore: $object: the message is too long: "
	json '.error.code == "EMSGSIZE" and .error.limit.value == 4'
	assert_count "$object" 0
	make sysv --qbytes 4
	run --separate-stderr mqtool restore "$object" --timeout 9s --json <<<$'{"data":"1234"}\n{"data":"12345"}'
	assert_status 6
	json '.error.code == "EMSGSIZE" and .error.limit.value == 4'
	assert_count "$object" 0
	limit kernel.msgmax 100
	make sysv
	printf '{"data":"%0101d"}\n' 0 >"$dump"
	run --separate-stderr mqtool restore "$object" --json <"$dump"
	assert_status 6
	json '.error.code == "EMSGSIZE" and .error.limit.name == "kernel.msgmax" and .error.limit.value == 100'
}

@test "restore: a queue that is removed while it waits for room" {
	for timeout in inf 30s; do
		make_small sysv
		fill "$object"
		echo '{"data":""}' >"$dump"
		start_waiter restore "$object" --timeout "$timeout" --json --file "$dump"
		ipcrm -Q "${object#key:}"
		finish "$pid"
		assert_status 7
		assert_stderr "^mqtool restore: $object: removed while it was used\$"
		json '.error.code == "EIDRM" and .error.exit == 7'
	done
}

@test "a signal ends a restore that waits" {
	echo '{"data":""}' >"$dump"
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		for signal in INT TERM HUP; do
			for timeout in inf 30s; do
				start_waiter restore "$object" --timeout "$timeout" --file "$dump"
				kill -"$signal" "$pid"
				finish "$pid" 5
				died_of "$signal"
				assert_equal "$output$stderr" ""
			done
		done
		assert_count "$object" 4
	done
}

@test "restore: no such queue, file or permission" {
	for object in /none key:0x7ffffff1 id:2147483647; do
		run --separate-stderr mqtool restore "$object" --json </dev/null
		assert_status 3
		assert_stderr "^mqtool restore: $object: no such "
		json '.error.code == "ENOENT" and .error.exit == 3'
	done
	for backend in "${backends[@]}"; do
		make "$backend"
		run --separate-stderr mqtool restore "$object" --file "$BATS_TEST_TMPDIR/none"
		assert_status 3
		assert_stderr 'none: no such file$'
		run --separate-stderr mqtool restore "$object" --file "$BATS_TEST_TMPDIR"
		assert_status 8
		make "$backend" --mode 0400
		run --separate-stderr as_unprivileged mqtool restore "$object" --json <<<'{"data":"x"}'
		assert_status 5
		assert_stderr "^mqtool restore: $object: permission denied"
		json '.error.code == "EACCES" and .error.exit == 5'
		assert_count "$object" 0
		# Who may only send may restore.
		make "$backend" --mode 0200
		run as_unprivileged mqtool restore "$object" <<<'{"data":"x"}'
		assert_status 0
		assert_texts "$object" x
	done
}

@test "restore: a result that cannot be written" {
	make sysv
	run --separate-stderr bash -c 'mqtool restore "$1" --json >/dev/full </dev/null' - "$object"
	assert_status 8
	assert_stderr '^mqtool restore: standard output: no space left'
}

@test "restore: operands that are none" {
	make sysv
	for words in "--timeout x" "--timeout -1" "--bogus" "/more" "-- true" "--type 1"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool restore "$object" $words <<<'{"data":"x"}'
		assert_status 2
		assert_stderr '^mqtool restore: '
	done
	assert_count "$object" 0
	run mqtool restore
	assert_status 2
	run mqtool restore made
	assert_status 2
}
