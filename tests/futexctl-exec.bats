# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl exec, lock-pi, rwlock --write, once: COMMAND while a word is held.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

# ---- what it is for ----

@test "one COMMAND at a time, however they come" {
	for how in exec "exec --pi" "lock-pi --clock realtime" "rwlock --write"; do
		make "${kinds[made % 3]}"
		echo 0 >"$BATS_TEST_TMPDIR/count"
		read -ra words <<<"$how"
		for i in {1..4}; do
			(for _ in {1..8}; do
				futexctl "${words[@]}" "$b" -- sh -c 'read -r n <"$1"; echo $((n + 1)) >"$1"' sh \
					"$BATS_TEST_TMPDIR/count" || exit
			done) &
			pids[i]=$!
		done
		for one in "${pids[@]}"; do
			wait "$one" || fail "$how: status $?"
		done
		assert_equal "$(<"$BATS_TEST_TMPDIR/count")" 32 "$how"
		assert_equal "$(value "$a")$(value "$b")$(value "$c")" 000 "$how"
	done
}

@test "the word names the tool while COMMAND runs; who waits gets it when that ends" {
	for how in "${waiting[@]}"; do
		make "${kinds[made % 3]}"
		start_holder "$how" "$b"
		first=$pid
		assert_equal "$job $told $(value "$b")" "$job [] $first" "$how"
		((job != first)) || fail "COMMAND is the tool"
		start_waiter "$how" "$b" --timeout 30s
		is_outside "$pid"
		assert_value "$b" $((first | 1 << 31))
		# Of once the next one begins, since this one failed.
		let_end "$first" 3
		is_inside "$pid"
		assert_equal "$told" "[]"
		assert_equal "$(($(value "$b") & 0x3fffffff))" "$pid"
		let_end "$pid"
		assert_value "$b" "$(free "$how")"
		assert_value "$a" 0
	done
}

@test "its status is COMMAND's, or 128 and the signal; it gives back in any case" {
	for how in "${holding[@]}"; do
		make file
		read -ra words <<<"$how"
		for code in 1 2 3 124 125 126 127 255; do
			run --separate-stderr futexctl "${words[@]}" "$a" --json -- sh -c "echo out; exit $code"
			assert_equal "$status$output$stderr$(value "$a")" "${code}out0" "$how"
		done
		for signal in TERM KILL SEGV HUP; do
			run futexctl "${words[@]}" "$a" -- sh -c "kill -$signal \$\$"
			assert_equal "$status$output" $((128 + $(kill -l $signal))) "$how"
			assert_value "$a" 0
		done
		refusal_of "$how" 125 USAGE "$object@2"
		run --separate-stderr futexctl "${words[@]}" "$a" --json -- "$BATS_TEST_TMPDIR/none"
		assert_status 127
		json '.error.code == "ENOENT" and .error.exit == 127'
		run --separate-stderr futexctl "${words[@]}" "$a" --json -- /etc/passwd
		assert_status 126
		json '.error.code == "EACCES" and .error.exit == 126'
		assert_value "$a" 0
		run futexctl "${words[@]}" "$a" -- echo 'a b' '' --timeout -- '!#:+'
		assert_equal "$status$output" "0a b  --timeout -- !#:+" "$how"
		assert_value "$a" "$(free "$how")"
	done
}

# ---- what COMMAND inherits ----

@test "COMMAND's signals, environment and descriptors are the caller's, but for the word's file" {
	unset FUTEXCTL_OWNER_DIED
	# A sanitizer catches it.
	is_sanitized && bus=URG || bus=BUS
	for how in "${holding[@]}"; do
		make file
		read -ra words <<<"$how"
		for before in --default-signal "--ignore-signal=CHLD,INT,TERM,HUP,$bus" \
			"--default-signal --block-signal=CHLD,INT,TERM,HUP,$bus"; do
			# shellcheck disable=SC2086 # words
			assert_equal "$(env $before futexctl "${words[@]}" "$a" -- grep -hsE "^Sig[BIC]" /proc/self/status "$object.none")" \
				"$(env $before grep -E '^Sig[BIC]' /proc/self/status)" "$how $before"
		done
		run env -i FUTEXCTL_OWNER_DIED=7 A=b "$(command -v futexctl)" "${words[@]}" "$a" -- sh -c '/usr/bin/env; exit 1'
		[[ $output == *A=b* && $output != *FUTEXCTL* ]] || fail "$how" "$(show_last)"
		"$peers/jobs" descriptors "$BATS_TEST_TMPDIR/plain" 20</dev/null
		# once, which is done by this, comes last.
		futexctl "${words[@]}" "$a" -- "$peers/jobs" descriptors "$BATS_TEST_TMPDIR/held" 20</dev/null
		assert_equal "$(wc -w <"$BATS_TEST_TMPDIR/held")" $(($(wc -w <"$BATS_TEST_TMPDIR/plain") + 1)) "$how"
		[[ $how != *pi && $how != exec ]] ||
			futexctl "${words[@]}" "$a" --keep-running -- "$peers/jobs" descriptors "$BATS_TEST_TMPDIR/held" 20</dev/null
		[[ $how != *pi && $how != exec ]] ||
			assert_equal "$(<"$BATS_TEST_TMPDIR/held")" "$(<"$BATS_TEST_TMPDIR/plain")" "$how --keep-running"
	done
}

# ---- time ----

@test "--timeout: status 124 in time, with who has it; 0 is a try" {
	for how in "${waiting[@]}"; do
		make file
		start_holder "$how" "$a"
		refusal_of "$how" 124 EAGAIN "$a" --timeout 0
		json --arg word "$a" --arg pid "$pid" '.error | .object == $word and (.message | test("^would block: thread \($pid) has it"))'
		# The kernel marks it at a try, too.
		[[ $how == *pi ]] || assert_value "$a" "$pid"
		refusal_of "$how" 124 ETIMEDOUT "$a" --timeout 0.01
		json --arg pid "$pid" '.error.message | test("^timed out after 0.01s: thread \($pid) has it")'
		read -ra words <<<"$how"
		punctual 100000 futexctl "${words[@]}" "$a" --timeout 100ms -- true 2>/dev/null
		assert_equal "$status" 124 "$how"
		let_end "$pid" 1
		assert_value "$a" 0
		runs "$how" "[]" "$a" --timeout 0
	done
	make file
	start_holder lock-pi "$a"
	refusal_of trylock-pi 124 EAGAIN "$a"
	refusal_of "lock-pi --clock realtime" 124 ETIMEDOUT "$a" --timeout 10ms
	let_end "$pid"
}

# ---- signals ----

@test "a signal ends who waits, by itself; the others go on" {
	for how in "${waiting[@]}"; do
		make file
		start_holder "$how" "$a"
		holder=$pid
		for signal in INT TERM HUP QUIT KILL; do
			start_waiter "$how" "$a"
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			assert_equal "$output$stderr" "" "$how"
		done
		still "$holder"
		start_waiter "$how" "$a"
		# It goes on at signals that end nothing, and when it was stopped.
		kill -WINCH "$pid"
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$pid"
		sleeps "$pid"
		is_outside "$pid"
		let_end "$holder" 1
		is_inside "$pid"
		let_end "$pid"
	done
}

@test "while COMMAND runs: TERM and HUP are passed on to it, INT and QUIT left to it" {
	staying='trap "echo TERM; exit 5" TERM; trap "echo HUP; exit 6" HUP; echo "$$ []"; while :; do sleep 0.01; done'
	for how in "${holding[@]}"; do
		make file
		for signal in TERM=5 HUP=6; do
			start_holder "$how" "$a"
			kill -INT "$pid"
			kill -QUIT "$pid"
			kill -"${signal%=*}" "$pid"
			ended "${signal#*=}"
			assert_match $'\n'"${signal%=*}"'$'
			assert_value "$a" 0
		done
	done
}

@test "TERM and HUP end COMMAND, and so the tool; but where they are ignored" {
	for how in "${holding[@]}"; do
		make file
		for signal in TERM HUP; do
			start_holder "$how" "$a"
			kill -INT "$pid"
			kill -$signal "$pid"
			ended $((128 + $(kill -l $signal)))
			assert_value "$a" 0
		done
		start_staying start_ignoring "$how" "$a"
		is_inside "$pid"
		kill -TERM "$pid"
		kill -HUP "$pid"
		kill -INT "$pid"
		let_end "$pid" 7
	done
}

# start_ignoring COMMAND...
start_ignoring()
{
	start env --ignore-signal=TERM,HUP,INT "$@"
}

@test "a signal before COMMAND begins: it is not run, and the word is given back" {
	needs_strace
	for how in "${holding[@]}"; do
		make file
		read -ra words <<<"$how"
		for signal in TERM INT HUP QUIT; do
			run timeout 20 strace -f -qq -o /dev/null -e trace=vfork -e inject=vfork:signal=SIG$signal:when=1 \
				futexctl "${words[@]}" "$a" -- echo ran
			assert_equal "$status$output" $((128 + $(kill -l $signal))) "$how"
			assert_value "$a" 0
		done
	done
}

# ---- other words ----

@test "words of another kind are refused as they are, and stay so" {
	make file
	while read -r value verbs; do
		for how in "${waiting[@]}" trylock-pi "rwlock --read"; do
			[[ ,$verbs, == *",${how// /},"* ]] || continue
			store "$a" "$value"
			refusal_of "$how" 125 EBADMSG "$a"
			assert_value "$a" $((value))
		done
		store "$a" "$value"
		for verb in lock trylock unlock; do
			((value > 2)) || continue
			refusal "$verb" 7 EBADMSG "$a"
			assert_value "$a" $((value))
		done
	done <<-'END'
		1 exec,exec--pi,lock-pi,trylock-pi,rwlock--write,rwlock--read,once
		2 exec,exec--pi,lock-pi,trylock-pi,rwlock--write,rwlock--read,once
		0x3fffffff exec,exec--pi,lock-pi,trylock-pi,rwlock--write,rwlock--read
		0x20000001 exec,exec--pi,lock-pi,trylock-pi,once
		0xb0000001 exec,exec--pi,lock-pi,trylock-pi,once
		0x10000000 exec,once
		0x00400001 exec,exec--pi,lock-pi,trylock-pi,rwlock--write,rwlock--read,once
		0x80000000 exec,rwlock--write,rwlock--read,once
		0x40000005 exec,rwlock--write,rwlock--read,once
		0x40000000
	END
	store "$a" 0
	futexctl lock "$a"
	refusal_of exec 125 EBADMSG "$a"
	json '.error.message | contains("three states")'
	start_verb lock "$a"
	refusal_of exec 125 EBADMSG "$a" --timeout 5s
	futexctl unlock "$a"
	ended 0
	futexctl unlock "$a"
	start_holder exec "$a"
	for verb in lock trylock unlock; do
		refusal "$verb" 7 EBADMSG "$a"
	done
	let_end "$pid"
}

@test "the first processes of a PID namespace are owners like others" {
	make file
	run --separate-stderr unshare -pf --mount-proc futexctl exec "$a" -- sh -c \
		'echo "$$ $(futexctl get "$1" --plain -o value)"; futexctl exec "$1" --timeout 20ms -- true; echo $?' sh "$a"
	assert_equal "$status$output" $'02 2147483649\n124'
	assert_stderr 'thread 1 has it$'
	start unshare -pf futexctl exec --pi "$a" -- sh -c 'echo; read -r x'
	stop "$pid"
}

@test "itself as the owner: exec waits in vain, and in time" {
	make file
	run --separate-stderr timeout 10 sh -c 'futexctl set "$1" $$ -q; exec futexctl exec "$1" --timeout 50ms --json -- true' sh "$a"
	assert_status 124
	json '.error.code == "ETIMEDOUT"'
	# In COMMAND another word can be had, and the same one in vain.
	store "$a" 0
	run --separate-stderr futexctl exec "$a" -- futexctl exec --pi "$b" -- futexctl exec "$a" --timeout 20ms -- true
	assert_status 124
	assert_equal "$(value "$a")$(value "$b")" 00
}

@test "the file shrinks while COMMAND runs: told, and nobody dies of it" {
	for how in "${holding[@]}"; do
		make file
		start_holder "$how" "$b"
		truncate -s 0 "$object"
		echo 9 >"${fifos[$pid]}"
		ended 125
		assert_stderr 'a file shrank'
	done
	for how in "${holding[@]}"; do
		make file
		start_holder "$how" "$b"
		rm "$object"
		let_end "$pid" 9
	done
}

@test "the word is taken away by force while COMMAND runs: told, and who has it by now keeps it" {
	for how in "${holding[@]}"; do
		make file
		start_holder "$how" "$b"
		first=$pid
		store "$b" 0
		start_holder "$how" "$b"
		echo 0 >"${fifos[$first]}"
		ended 0 "$first"
		assert_stderr 'taken away while COMMAND ran: EPERM$'
		assert_value "$b" "$pid"
		let_end "$pid"
		assert_value "$b" "$(free "$how")"
	done
}

@test "the file goes, or shrinks, while it is waited for: status 125, soon, and no two COMMANDs at a time" {
	for how in exec once; do
		for going in rm "truncate -s 4"; do
			make file
			start_holder "$how" "$b"
			holder=$pid
			start_waiter "$how" "$b"
			$going "$object"
			ended 125
			assert_stderr 'while it was waited on$'
			# Whoever comes later has another word.
			[[ $going != rm ]] || refusal_of "$how" 125 ENOENT "$b"
			stop "$holder"
		done
		# Also where its turn comes before it has looked.
		make file
		start_holder "$how" "$b"
		holder=$pid
		start_waiter "$how" "$b"
		rm "$object"
		let_end "$holder" 9
		ended 125
		assert_stderr 'removed while it was waited on$'
	done
}

# ---- what is refused ----

@test "usage errors and what is no word: status 125, COMMAND is not run" {
	make file
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	ln -s "$object" "$BATS_TEST_TMPDIR/link"
	for how in "${holding[@]}"; do
		refusal_of "$how" 125 ENOENT "$object.none"
		refusal_of "$how" 125 USAGE words
		[[ $how == lock-pi ]] || refusal_of "$how" 125 USAGE "$a" "$b"
		refusal_of "$how" 125 USAGE
		refusal_of "$how" 125 USAGE "$a" --nonsense
		refusal_of "$how" 125 EFBIG "$object@4096"
		refusal_of "$how" 125 EBADMSG "$BATS_TEST_TMPDIR/pipe"
		refusal_of "$how" 125 EBADMSG /dev/null@0
		refusal_of "$how" 125 ELOOP "$BATS_TEST_TMPDIR/link"
		read -ra words <<<"$how"
		for command in "" "--"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 futexctl "${words[@]}" "$a" --json $command
			assert_status 125
			json '.error.code == "USAGE"'
		done
		[[ $how == trylock-pi ]] || for value in "" x -1 5sfoo; do
			refusal_of "$how" 125 USAGE "$a" --timeout="$value"
			json '.error.object == "--timeout"'
		done
		run futexctl "${words[@]}" --help
		assert_status 0
		assert_match Usage:
	done
	refusal_of trylock-pi 125 USAGE "$a" --timeout 1
	refusal_of once 125 USAGE "$a" --keep-running
	refusal_of exec 125 USAGE "$a" --clock realtime
	refusal_of lock-pi 125 USAGE "$a" --clock boottime
	json '.error.object == "--clock"'
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	for how in "${holding[@]}"; do
		read -ra words <<<"$how"
		run --separate-stderr as_unprivileged futexctl "${words[@]}" "$a" --json -- true
		assert_status 125
		json '.error.code == "EACCES"'
	done
	assert_value "$a" 0
}

@test "with as few descriptors as it can be loaded with" {
	make file
	with_descriptors 0 futexctl exec "$a" -- true
	with_descriptors 1 futexctl rwlock --read "$a" --json -- true
	# Its guardian ends after it.
	is_unlocked()
	{
		[[ $(value "$a") == 0 ]]
	}
	wait_until 10 is_unlocked
}
