# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl waitv: futex_waitv(2), on several words at once.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

refused()
{
	refusal waitv "$@"
}

setup()
{
	truncate -s 4 "$TMPDIR/probe"
	run futexctl waitv "$TMPDIR/probe@0=1" --plain
	[[ $output != *"not supported by this kernel"* ]] || skip "this kernel has no futex_waitv(2)"
}

@test "each of its words wakes it: index and name" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$b" 4294967295
		for i in 0 1 2; do
			start_verb waitv "$a=0" "$b=-1" "$c=0"
			sleeper "$pid"
			assert_equal "$call" 449
			at "$object" "$i"
			assert_equal "$("$futex_peer" wake "$word")" 1
			ended 0
			json --argjson i "$i" --arg word "$word" '. == {index: $i, word: $word, value: (if $i == 1 then 4294967295 else 0 end)}'
		done
		start_verb waitv "$a=0" "$b=0xffffffff" --plain
		run futexctl wake "$b" --plain -o woken
		assert_output 1
		ended 0
		assert_output $'1\t'"$b"$'\t4294967295'
	done
}

@test "words of different files and kinds" {
	make file
	one=$a
	make posix
	two=$a
	make sysv
	for name in "$one" "$two" "$a"; do
		start_verb waitv "$one=0" "$two=0" "$a=0"
		run futexctl wake "$name" --plain -o woken
		assert_output 1
		ended 0
		assert_equal "$(json_get .word)" "$name"
	done
}

@test "a C program that waits so is woken by futexctl, and told which" {
	make posix
	start_peer waitv "$a" 0 "$b" 0 "$c" 0
	run futexctl wake "$c" --plain -o woken
	assert_output 1
	ended 0
	assert_output 2
}

@test "128 words; no more and no less than one" {
	make file
	words=()
	for i in {0..127}; do
		words+=("$object@$((4 * i))=0")
	done
	start_verb waitv "${words[@]}"
	"$futex_peer" wake "$object@508"
	ended 0
	json '.index == 127'
	refused 2 USAGE "${words[@]}" "$object@512=0"
	refused 2 USAGE
}

@test "the same word twice" {
	make file
	start_verb waitv "$a=0" "$b=0" "$a=0"
	assert_equal "$("$futex_peer" wake "$a" 1)" 1
	ended 0
	json '.index == 0 or .index == 2'
	refused 1 EAGAIN "$a=0" "$a=1"
}

@test "one that differs: status 1, EAGAIN, and which" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$c" 9
		refused 1 EAGAIN "$a=0" "$b=0" "$c=8"
		json --arg word "$c" '.error.object == $word and .error.message == "it is 9, not 8"'
		refused 1 EAGAIN "$a=0" "$b=3" "$c=9" --timeout 0
		json --arg word "$b" '.error.object == $word and .error.message == "it is 0, not 3"'
	done
}

@test "nobody sleeps any more when one was woken" {
	make file
	start_verb waitv "$a=0" "$b=0"
	assert_equal "$("$futex_peer" wake "$b")" 1
	ended 0
	assert_equal "$("$futex_peer" wake "$a")" 0
}

@test "a path with equals signs: the last one counts" {
	mkdir "$BATS_TEST_TMPDIR/a=1"
	file=$BATS_TEST_TMPDIR/a=1/b=2
	truncate -s 8 "$file"
	for name in "$file@4" "$file"; do
		start_verb waitv "$name=0"
		"$futex_peer" wake "$name"
		ended 0
		assert_equal "$(json_get .word)" "$name"
	done
	refused 3 ENOENT "$BATS_TEST_TMPDIR/a=1/none=2"
	json --arg name "$BATS_TEST_TMPDIR/a=1/none" '.error.object == $name'
}

# ---- time ----

@test "--timeout and --until: in time, status 1" {
	make file
	for how in "" --realtime --private; do
		# shellcheck disable=SC2086 # words
		punctual 150000 futexctl waitv "$a=0" "$b=0" --timeout 150ms $how >/dev/null 2>&1
		assert_equal "$status" 1
	done
	refused 1 ETIMEDOUT "$a=0" "$b=0" --timeout 5ms
	json '.error.object == null and .error.message == "timed out after 5ms"'
	refused 1 ETIMEDOUT "$a=0" --timeout 5ms
	json --arg word "$a" '.error.object == $word'
	refused 1 ETIMEDOUT "$a=0" "$b=0" --timeout 0
	refused 1 ETIMEDOUT "$a=0" "$b=0" --until @1
	refused 2 USAGE "$a=0" "$b=0" --until @1 --timeout 1
	start_verb waitv "$a=0" "$b=0" --until "@$((EPOCHSECONDS + 100))"
	"$futex_peer" wake "$b"
	ended 0
}

# ---- signals ----

@test "a signal ends it; stopped and continued it goes on" {
	make file
	for how in "" "--timeout 30s"; do
		for signal in INT TERM HUP KILL; do
			# shellcheck disable=SC2086 # words
			start_verb waitv "$a=0" "$b=0" $how
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			assert_equal "$output$stderr" ""
		done
		# shellcheck disable=SC2086 # words
		start_verb waitv "$a=0" "$b=0" $how
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		sleeps "$pid"
		assert_equal "$("$futex_peer" wake "$b")" 1
		ended 0
	done
}

@test "an interrupted call is begun again, with the same end" {
	needs_strace
	make file
	# Each of them takes a while, on a slow machine more than the time that there is.
	for ms in 300 3000 12000; do
		takes_us timeout 30 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=futex_waitv \
			-e inject=futex_waitv:error=EINTR:when=1..20 futexctl waitv "$a=0" "$b=0" --timeout ${ms}ms >/dev/null 2>&1
		assert_equal "$status" 1
		((us >= ms * 1000)) || fail "early: $us us"
		(($(grep -c INJECTED "$BATS_TEST_TMPDIR/trace") < 20)) || break
	done
	assert_equal "$(grep -c INJECTED "$BATS_TEST_TMPDIR/trace")" 20
}

# ---- what is refused ----

@test "usage errors: words without a value, values, names, flags" {
	make file
	for words in "$a" "$a=" "$a=x" "$a=4294967296" "$a=-2147483649" "$a=1.0" "=0" "=" "" "words=0" "$object@2=0"; do
		refused 2 USAGE "$b=0" "$words"
	done
	refused 2 USAGE "$a=0" "$b"
	json --arg word "$b" '.error.object == $word'
	refused 2 USAGE "$a=0" "$b=x"
	json --arg word "$b=x" '.error.object == $word'
	refused 2 USAGE "$a=0" --futex2
	json '.error.object == "--futex2"'
	refused 2 USAGE "$a=0" --bitset 1
	refused 7 EFBIG "$a=0" "$object@4096=0"
	refused 3 ENOENT "$a=0" "/none@0=0"
}

@test "one that is refused: the kernel is not asked" {
	needs_strace
	make file
	run ! before_the_kernel futexctl waitv "$a=1" "$b=0"
	for words in "$object@2=0" "$object@4096=0" "$b" "$b=99999999999" "$b=0 --futex2"; do
		# shellcheck disable=SC2086 # words
		before_the_kernel futexctl waitv "$a=0" $words
		[[ $status == @(2|7) ]] || fail "$words" "$(show_last)"
	done
}
