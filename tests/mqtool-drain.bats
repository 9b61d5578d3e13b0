# SPDX-License-Identifier: GPL-2.0-or-later
# mqtool drain: empties a queue.

# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031
load helpers
load queues

@test "drain empties a queue and says nothing" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one "" three
		run --separate-stderr mqtool drain "$object"
		assert_status 0
		assert_equal "$output$stderr" ""
		assert_count "$object" 0
	done
}

@test "drain, told to print, tells how many messages and bytes it took" {
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" one "" three
		run mqtool drain "$object" --json
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json --arg o "$object" --arg b "$backend" '. == {object: $o, backend: $b, messages: 3, bytes: 8}'
		mqtool send "$object" x
		run mqtool drain "$object" --plain --columns messages,bytes
		assert_output $'1\t1'
	done
}

@test "drain of an empty queue does not wait" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run timeout 10 mqtool drain "$object" --json
		assert_status 0
		json '.messages == 0 and .bytes == 0'
	done
}

@test "drain takes messages of any size, binary ones, and a full queue" {
	large_queues
	head -c 8192 /dev/urandom >"$BATS_TEST_TMPDIR/large"
	for backend in "${backends[@]}"; do
		make "$backend"
		mqtool send "$object" --file "$BATS_TEST_TMPDIR/large"
		run mqtool drain "$object" --json
		json '.messages == 1 and .bytes == 8192'
		make_small "$backend"
		fill "$object"
		run mqtool drain "$object" --json
		json '.messages == 4 and .bytes == 0'
	done
}

@test "drain makes room for a sender that waits" {
	for backend in "${backends[@]}"; do
		make_small "$backend"
		fill "$object"
		start_waiter send "$object" ""
		mqtool drain "$object"
		finish "$pid"
		assert_status 0
		mqtool drain "$object"
		assert_count "$object" 0
	done
}

@test "drain takes those that are larger than could be sent now" {
	make sysv
	head -c 5000 /dev/zero | mqtool send "$object"
	limit kernel.msgmax 100
	run mqtool drain "$object" --json
	assert_status 0
	json '.messages == 1 and .bytes == 5000'
}

# typed: fills $object with messages a to e of the types 3 1 2 1 5.
typed()
{
	local type text
	make sysv
	while read -r type text; do
		mqtool send "$object" --type "$type" "$text"
	done <<<$'3 a\n1 b\n2 c\n1 d\n5 e'
}

@test "drain --type and --except take only those" {
	while IFS='|' read -r options left; do
		typed
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool drain "$object" $options --json
		assert_status 0
		json --argjson n $((5 - $(wc -w <<<"$left"))) '.messages == $n and .bytes == $n'
		assert_texts "$object" "$left"
	done <<-END
		--type 1|a c e
		--type 2|a b d e
		--type -2|a e
		--type=-3|e
		--type !1|b d
		--except 1|b d
		--except 9|
		--type 9|a b c d e
		--type 9223372036854775807|a b c d e
		--type 0|
	END
}

@test "drain: types are those of System V" {
	make posix
	mqtool send "$object" x
	for options in "--type 1" "--type 0" "--except 1"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool drain "$object" $options --json
		assert_status 2
		assert_stderr "types are those of System V"
		json '.error.code == "USAGE"'
	done
	assert_count "$object" 1
}

@test "drain: no such queue, no permission" {
	for object in /none key:0x7ffffff1 id:2147483647; do
		run --separate-stderr mqtool drain "$object" --json
		assert_status 3
		assert_stderr "^mqtool drain: $object: no such "
		json '.error.code == "ENOENT" and .error.exit == 3'
	done
	for backend in "${backends[@]}"; do
		make "$backend" --mode 0200
		mqtool send "$object" x
		run --separate-stderr as_unprivileged mqtool drain "$object" --json
		assert_status 5
		assert_stderr "^mqtool drain: $object: permission denied"
		json '.error.code == "EACCES" and .error.exit == 5'
		assert_count "$object" 1
		# Who may only receive may drain.
		make "$backend" --mode 0400
		mqtool send "$object" x
		run as_unprivileged mqtool drain "$object"
		assert_status 0
		assert_count "$object" 0
	done
}

@test "drain: a result that cannot be written" {
	make sysv
	run --separate-stderr bash -c 'mqtool drain "$1" --json >/dev/full' - "$object"
	assert_status 8
	assert_stderr '^mqtool drain: standard output: no space left'
}

@test "drain: operands that are none" {
	typed
	for words in "--type x" "--type --1" "--type !" "--type -" "--type 9223372036854775808" "--except 0" \
		"--except -1" "--type 1 --except 2" "--bogus" "/more" "-- true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool drain "$object" $words
		assert_status 2
		assert_equal "$output" ""
		assert_stderr '^mqtool drain: '
	done
	assert_count "$object" 5
	run mqtool drain
	assert_status 2
	run mqtool drain made
	assert_status 2
}
