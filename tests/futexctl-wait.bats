# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl wait: FUTEX_WAIT, FUTEX_WAIT_BITSET and futex_wait(2), with the kernel's own answers.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

refused()
{
	refusal wait "$@"
}

# ---- what it is for ----

@test "woken by a C program and by futexctl: silent, status 0" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_verb wait "$b" 0
		assert_equal "$("$futex_peer" wake "$a")" 0
		still "$pid"
		assert_equal "$("$futex_peer" wake "$b")" 1
		ended 0
		assert_equal "$output$stderr" ""
		start_verb wait "$b" 0 --timeout 20s
		run futexctl wake "$b" --plain -o woken
		assert_output 1
		ended 0
		assert_equal "$output$stderr" ""
	done
}

@test "told to print, it tells the word and what it was" {
	make file
	store "$a" 4294967295
	start_verb wait "$a" -1 --json
	"$futex_peer" wake "$a"
	ended 0
	assert_output '{"word":"'"$a"'","value":4294967295,"woken":true}'
	start_verb wait "$a" 0xffffffff --plain
	"$futex_peer" wake "$a"
	ended 0
	assert_output "$a"$'\t4294967295\ttrue'
}

@test "a word that changes without a wake: it sleeps on" {
	make posix
	start_verb wait "$a" 0
	store "$a" 1
	run futexctl wake "$b" --plain -o woken
	assert_output 0
	still "$pid"
	sleeps "$pid"
	"$futex_peer" wake "$a"
	ended 0
}

@test "another value: status 1, EAGAIN, and what it is" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$a" 7
		for how in "" "--timeout 0" "--timeout 5s" "--bitset 1" "--until @99999999999" "--futex2" "--private"; do
			# shellcheck disable=SC2086 # words
			refused 1 EAGAIN "$a" 5 $how
			json --arg word "$a" '.error.object == $word and .error.message == "it is 7, not 5"'
		done
		run --separate-stderr futexctl wait "$a" -7
		assert_equal "$status$output$stderr" "1futexctl wait: $a: it is 7, not 4294967289"
	done
}

@test "the operation and its flags are those that were asked for" {
	make file
	while read -r wanted how; do
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 $how
		sleeper "$pid"
		[[ "$call:$op" == "${call_numbers[futex]}:$wanted" ]] || fail "$how: system call $call, operation $op"
		stop "$pid"
	done <<-'END'
		0x0
		0x0 --timeout 20s
		0x80 --private
		0x9 --bitset 0xffffffff
		0x9 --bitset 6 --timeout 20s
		0x89 --bitset 6 --private
		0x109 --bitset 6 --realtime --timeout 20s
		0x109 --until @99999999999
		0x189 --until 2200-01-01T00:00:00Z --private
	END
}

@test "--futex2: futex_wait(2) of Linux 6.7" {
	make file
	run --separate-stderr futexctl wait "$a" 0 --futex2 --timeout 1ms --json
	[[ $(json_get .error.code) != ENOSYS ]] || skip "this kernel has no futex_wait(2)"
	json '.error.code == "ETIMEDOUT"'
	for how in "" "--bitset 4" "--timeout 20s" "--timeout 20s --realtime" "--until @99999999999"; do
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 --futex2 $how
		sleeper "$pid"
		assert_equal "$call" 455 "$how"
		assert_equal "$("$futex_peer" wake "$a")" 1
		ended 0
	done
}

# ---- bitsets ----

@test "--bitset: woken by who has a bit in common, or none of its own" {
	make posix
	for how in "" --futex2; do
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 --bitset 0x6 $how
		assert_equal "$("$futex_peer" call "$a" 10 99 0 "$b" 0x9)" 0
		run futexctl wake "$a" all --bitset 8 --plain -o woken
		assert_output 0
		still "$pid"
		run futexctl wake "$a" all --bitset 4 --plain -o woken
		assert_output 1
		ended 0
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 --bitset 0x80000000 $how
		run futexctl wake "$a" --plain -o woken
		assert_output 1
		ended 0
	done
}

@test "--bitset: values that are none" {
	make file
	refused 2 USAGE "$a" 0 --bitset 0
	json '.error.object == "--bitset" and (.error.message | contains("EINVAL"))'
	for value in '' x -1 4294967296 1.0 0x; do
		refused 2 USAGE "$a" 0 --bitset="$value"
		json '.error.object == "--bitset"'
	done
}

# ---- time ----

@test "--timeout: in time, status 1, ETIMEDOUT" {
	make file
	for how in "" "--bitset 1" "--bitset 1 --realtime" "--futex2" "--futex2 --realtime" "--private"; do
		# shellcheck disable=SC2086 # words
		punctual 150000 futexctl wait "$a" 0 --timeout 150ms $how 2>/dev/null
		assert_equal "$status" 1
	done
	refused 1 ETIMEDOUT "$a" 0 --timeout 0.01
	assert_stderr "$a: timed out after 0.01s$"
	refused 1 ETIMEDOUT "$a" 0 --timeout 5ms
	assert_stderr "$a: timed out after 5ms$"
}

@test "--timeout 0 only looks: ETIMEDOUT where it would sleep, EAGAIN where the word differs" {
	make sysv
	for how in "" "--bitset 1" "--futex2" "--bitset 1 --realtime"; do
		# shellcheck disable=SC2086 # words
		refused 1 ETIMEDOUT "$a" 0 --timeout 0 $how
		# shellcheck disable=SC2086 # words
		refused 1 EAGAIN "$a" 1 --timeout 0 $how
	done
}

@test "--until: a time of the clock, in time; one that has passed" {
	make file
	for zone in Z +00:00; do
		later=$((${EPOCHREALTIME/[^0-9]/} + 300000))
		text=$(date -u -d "@$((later / 1000000)).$(printf %06d $((later % 1000000)))" +%FT%T.%6N"$zone")
		refused 1 ETIMEDOUT "$a" 0 --until "$text"
		((${EPOCHREALTIME/[^0-9]/} >= later)) || fail "early"
		[[ $(date -u +%FT%T.%6N"$zone") > $text ]] || fail "it is not yet $text"
		assert_stderr "$a: timed out: it is past "
	done
	for text in @0 @1 @1.5 2001-09-09T01:46:40Z 2001-09-09T01:46:40.5+05:30; do
		refused 1 ETIMEDOUT "$a" 0 --until "$text"
		json --arg text "$text" '.error.message | contains($text)'
		refused 1 EAGAIN "$a" 1 --until "$text"
	done
	start_verb wait "$a" 0 --until @"$((EPOCHSECONDS + 100))"
	"$futex_peer" wake "$a"
	ended 0
}

@test "--until and --timeout exclude each other; what is no time" {
	make file
	refused 2 USAGE "$a" 0 --until @1 --timeout 1s
	for text in '' x 1 @ @x tomorrow 2026-11-21 2026-11-21T10:00:00 2026-13-21T10:00:00Z '@1 '; do
		refused 2 USAGE "$a" 0 --until="$text"
		json '.error.object == "--until"'
	done
	for text in '' x -1 5sfoo; do
		refused 2 USAGE "$a" 0 --timeout="$text"
		json '.error.object == "--timeout"'
	done
}

@test "--realtime on a plain wait is refused: the kernel answers ENOSYS" {
	make file
	for how in "" "--timeout 1s" "--timeout 0"; do
		# shellcheck disable=SC2086 # words
		refused 2 USAGE "$a" 0 --realtime $how
		json '.error.object == "--realtime" and (.error.message | contains("ENOSYS"))'
	done
	assert_equal "$("$futex_peer" call "$a" 0x100 1 || true)" ENOSYS
}

# ---- signals ----

@test "a signal ends it, and the shell sees it" {
	make file
	for how in "" "--timeout 30s" "--bitset 1" "--futex2" "--until @99999999999"; do
		for signal in INT TERM HUP KILL; do
			# shellcheck disable=SC2086 # words
			start_verb wait "$a" 0 $how
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			assert_equal "$output$stderr" ""
		done
	done
	assert_value "$a" 0
	assert_equal "$("$futex_peer" wake "$a")" 0
}

@test "one that does not end it neither ends nor shortens the wait" {
	make posix
	for how in "" "--timeout 20s" "--bitset 1 --timeout 20s" "--futex2 --timeout 20s"; do
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 $how
		for signal in WINCH CHLD URG CONT; do
			kill -"$signal" "$pid"
		done
		for _ in 1 2; do
			kill -STOP "$pid"
			wait_until 5 state_is "$pid" T
			kill -CONT "$pid"
			sleeps "$pid"
		done
		assert_equal "$("$futex_peer" wake "$a")" 1
		ended 0
	done
}

@test "the kernel takes a stopped one out of the queue: it is not found, and looks again" {
	make file
	for how in "" "--timeout 20s" "--bitset 1 --timeout 20s"; do
		store "$a" 0
		# shellcheck disable=SC2086 # words
		start_verb wait "$a" 0 $how
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		assert_equal "$("$futex_peer" wake "$a")" 0
		kill -CONT "$pid"
		sleeps "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		store "$a" 3
		kill -CONT "$pid"
		ended 1
		assert_stderr ': it is 3, not 0$'
	done
}

@test "the time goes on while it is stopped" {
	make file
	for ms in 300 300 1000 3000 9000; do
		start futexctl wait "$a" 0 --timeout ${ms}ms
		wait_until 10 or_gone "$pid" blocked_in "$pid" futex
		pauses "$pid" || continue
		run futexctl wait "$b" 0 --timeout $((ms + 100))ms
		kill -CONT "$pid"
		takes_us finish "$pid"
		finish "$pid"
		assert_status 1
		# Others may have the processor.
		((us >= 200000)) || return 0
	done
	fail "it took ${us-no} us more"
}

@test "an interrupted call is begun again, with the same end" {
	needs_strace
	make file
	for how in "" "--bitset 1"; do
		# Each of them takes a while, on a slow machine more than the time that there is.
		for ms in 300 3000 12000; do
			# shellcheck disable=SC2086 # words
			takes_us timeout 30 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=futex \
				-e inject=futex:error=EINTR:when=1..20 futexctl wait "$a" 0 --timeout ${ms}ms $how 2>/dev/null
			assert_equal "$status" 1
			((us >= ms * 1000)) || fail "early: $us us"
			(($(grep -c INJECTED "$BATS_TEST_TMPDIR/trace") < 20)) || break
		done
		assert_equal "$(grep -c INJECTED "$BATS_TEST_TMPDIR/trace")" 20
	done
}

# ---- what goes away ----

@test "the file shrinks under it: status 1 in time, status 7 at the next look, and no SIGBUS" {
	for kind in file posix; do
		make "$kind" 4096
		at "$object" 4000
		file=$object
		[[ $kind == file ]] || file=/dev/shm$object
		start_verb wait "$word" 0 --timeout 3s --json
		truncate -s 4096 "$file"
		refused 7 EFBIG "$word" 0
		refusal wake 7 EFBIG "$word"
		ended 1
		json '.error.code == "ETIMEDOUT"'
	done
}

@test "the file shrinks just before the call: status 7, EFAULT" {
	needs_strace
	make file 4096
	at "$object" 4000
	start strace -qq -o /dev/null -e trace=futex -e inject=futex:delay_enter=3000000 \
		futexctl wait "$word" 0 --timeout 20s --json
	mapped()
	{
		grep -qsF "$object" /proc/[0-9]*/maps
	}
	wait_until 10 mapped
	truncate -s 4096 "$object"
	ended 7
	json '.error.code == "EFAULT"'
}

@test "removed under it: who has it mapped still wakes it" {
	make file
	exec {fd}<>"$object"
	start_verb wait "$a" 0
	rm "$object"
	refused 3 ENOENT "$a" 0
	run futexctl wake "/proc/$$/fd/$fd" --plain -o woken
	assert_output 1
	ended 0
	exec {fd}>&-
}

# ---- private ----

@test "--private: warned of, and met by nobody" {
	make file
	start_verb wait "$a" 0 --private --timeout 30s
	for how in "" --private; do
		# shellcheck disable=SC2086 # words
		run futexctl wake "$a" all $how --plain -o woken
		[[ ${lines[-1]} == 0 ]] || fail "$how" "$(show_last)"
	done
	still "$pid"
	kill "$pid"
	finish "$pid"
	died_of TERM
	assert_stderr '^futexctl wait: warning: --private: '
}

# ---- what is refused ----

@test "usage errors: values, operands, words; the nearest option" {
	make file
	for value in '' x -2147483649 4294967296 1.0 ' 1' 0x 1K; do
		refused 2 USAGE "$a" "$value"
		json '.error.object == "VALUE"'
	done
	refused 2 USAGE "$a"
	refused 2 USAGE
	refused 2 USAGE "$a" 0 0
	refused 2 USAGE words 0
	refused 2 USAGE "$object@2" 0
	refused 2 USAGE "$object@1" 0
	refused 2 USAGE "$a" 0 --timout 1
	assert_stderr 'did you mean --timeout\?$'
	refused 7 EFBIG "$object@4096" 0
	refused 7 EFBIG "$object@9223372036854775804" 0
	refused 3 ENOENT "$object.none" 0
	refused 3 ENOENT /none@0 0
}

@test "what is no word is refused before the kernel is asked" {
	needs_strace
	make file
	run ! before_the_kernel futexctl wait "$a" 1 2>/dev/null
	for words in "$object@2 0" "$object@4096 0" "$a 99999999999" "$a 0 --bitset 0" "$a 0 --realtime" "$a 0 --until x"; do
		# shellcheck disable=SC2086 # words
		before_the_kernel futexctl wait $words
		[[ $status == @(2|7) ]] || fail "$words" "$(show_last)"
	done
}

@test "what is no file of words: a FIFO, a directory, a link, a device" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo fifo
	mkdir directory
	truncate -s 8 real
	ln -s real link
	for name in fifo directory; do
		refused 7 EBADMSG "./$name" 0
	done
	refused 7 ELOOP ./link 0
	refused 7 EBADMSG /dev/null@0 0
	: >empty
	refused 7 EFBIG ./empty 0
	truncate -s 3 short
	refused 7 EFBIG ./short 0
	chmod 0 real
	run --separate-stderr as_unprivileged futexctl wait ./real 0 --json
	assert_status 5
	json '.error.code == "EACCES"'
}
