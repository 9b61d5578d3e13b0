# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl get, set, add, or, and, xor, swap, cas: what words hold; which names lead to one.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load words

# changed OLD NEW VERB WORD ARG...: the word goes from the one to the other.
changed()
{
	run --separate-stderr futexctl "${@:3}"
	assert_equal "$status$stderr" 0
	assert_output '{"word":"'"$4"'","old":'"$1"',"new":'"$2"'}'
	assert_value "$4" "$2"
}

@test "each change, of words of each kind" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		changed 0 5 set "$b" 5
		changed 5 8 add "$b" 3
		changed 8 6 add "$b" -2
		changed 6 4294967295 add "$b" -7
		changed 4294967295 4 add "$b" 5
		changed 4 20 or "$b" 0x10
		changed 20 16 and "$b" 0x30
		changed 16 4294967279 xor "$b" -1
		changed 4294967279 9 swap "$b" 011
		changed 9 4294967295 cas "$b" 9 4294967295
		changed 4294967295 2147483648 cas "$b" -1 -2147483648
		assert_value "$a" 0
		assert_value "$c" 0
	done
}

@test "cas of another value: status 1, and what it is" {
	make file
	store "$a" 7
	refusal cas 1 EAGAIN "$a" 5 6
	json '.error.message == "it is 7, not 5"'
	assert_value "$a" 7
}

@test "get: a list, of one, too; those that cannot be read beside the others" {
	make posix
	store "$b" 4294967295
	run --separate-stderr futexctl get "$b"
	assert_output '{"words":[{"word":"'"$b"'","value":4294967295,"hex":"0xffffffff"}]}'
	refusal get 3 ENOENT "$a" ./missing@0 "$b" "$object@4096"
	json --arg a "$a" --arg b "$b" '[.words[].word] == [$a, $b] and .error.object == "./missing@0"'
	run --separate-stderr futexctl get "$a" "$b" --plain
	assert_output "$a"$'\t0\n'"$b"$'\t4294967295'
}

@test "changes are atomic" {
	make file
	for i in {1..4}; do
		(for _ in {1..25}; do futexctl add "$a" 1 -q || exit; done) &
		pids[i]=$!
	done
	wait "${pids[@]}"
	assert_value "$a" 100
}

@test "--wake: after the change, and only then woken is told" {
	make file
	store "$a" 5
	start_crowd "$a" 5 6
	run --separate-stderr futexctl add "$a" 1 --wake 2
	assert_output '{"word":"'"$a"'","old":5,"new":6,"woken":2}'
	# One that is told nothing by it.
	refusal cas 1 EAGAIN "$a" 5 7 --wake all
	run --separate-stderr futexctl set "$a" 1 --wake 0 --plain -o woken
	assert_output 0
	wait_until 5 left_are "$pid" 4
	run --separate-stderr futexctl cas "$a" 1 2 --wake all --plain -o woken
	assert_output 4
	ended 0
}

@test "one word under many names" {
	make file
	ln "$object" "$BATS_TEST_TMPDIR/alias"
	exec 7<>"$object"
	rm "$object"
	store "$BATS_TEST_TMPDIR/alias@8" 42
	for name in "$BATS_TEST_TMPDIR/alias" "/proc/$$/fd/7" "/proc/$BASHPID/fd/7" /proc/self/fd/7 /dev/fd/7; do
		changed 42 42 set "$name@8" 42
	done 2>/dev/null || fail "$name" "$(show_last)"
	exec 7>&-
	refusal get 3 ENOENT /proc/self/fd/7
}

@test "what is no word" {
	local dir=$BATS_TEST_TMPDIR
	make file
	mkfifo "$dir/fifo"
	ln -s "$object" "$dir/link"
	for verb in get "set 1" "cas 0 1"; do
		read -r verb args <<<"$verb"
		# shellcheck disable=SC2086 # words
		{
			refusal "$verb" 7 EBADMSG "$dir/fifo" $args
			refusal "$verb" 7 EBADMSG "$dir/" $args
			refusal "$verb" 7 EBADMSG /dev/null $args
			refusal "$verb" 7 ELOOP "$dir/link" $args
			refusal "$verb" 7 EFBIG "$object@4096" $args
			refusal "$verb" 2 USAGE "$object@2" $args
			refusal "$verb" 3 ENOENT "$dir/missing" $args
			refusal "$verb" 3 ENOENT key:0x7fffffff $args
			refusal "$verb" 2 USAGE words $args
			refusal "$verb" 2 USAGE key:5#1 $args
		}
	done
	run --separate-stderr bash -c 'sleep 0 | futexctl get /proc/self/fd/0'
	assert_status 7
}

@test "no value is taken that is none" {
	make file
	for value in "" x 5x 0x 08 4294967296 -2147483649 99999999999999999999 " 5" 1.5; do
		refusal set 2 USAGE "$a" "$value"
		refusal cas 2 USAGE "$a" 0 "$value"
	done
	refusal set 2 USAGE "$a"
	refusal set 2 USAGE "$a" 1 2
	refusal set 2 USAGE "$a" 1 --wake -1
	refusal set 2 USAGE "$a" 1 --wake some
	assert_value "$a" 0
}

@test "who may only read can get, and change nothing" {
	make file
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl get "$a"
	assert_status 0
	run --separate-stderr as_unprivileged futexctl set "$a" 1
	assert_status 5
	assert_value "$a" 0
}

@test "no space behind the word: status 7, nobody dies" {
	local full=$BATS_TEST_TMPDIR/full
	mkdir "$full" && mount -t tmpfs -o size=64k tmpfs "$full"
	truncate -s 1M "$full/words"
	head -c 100000 /dev/zero >"$full/fill" 2>/dev/null || true
	make file
	refusal get 7 EFAULT "$a" "$full/words@4096" "$b"
	json --arg full "$full/words@4096" '(.words | length) == 2 and .error.object == $full'
	for verb in "set 1" "add 1" "or 1" "and 1" "xor 1" "swap 1" "cas 0 1"; do
		# shellcheck disable=SC2086 # words
		refusal ${verb%% *} 7 EFAULT "$full/words@4096" ${verb#* }
	done
	umount "$full"
}
