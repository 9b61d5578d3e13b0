# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl where others have left, planted or mixed up something.
# shellcheck disable=SC2034 # for the functions of words.bash

load helpers
load words
load locks

@test "a lock that names a thread which is not here, or does not use it, is waited for with a warning" {
	sleep inf 3>&- &
	other=$!
	make file
	for how in exec "rwlock --write" once; do
		read -ra words <<<"$how"
		for owner in 4194303 "$other"; do
			store "$a" "$owner"
			run --separate-stderr futexctl "${words[@]}" "$a" --timeout 0.05 -- true
			assert_status 124
			assert_stderr "waits for thread $owner, which is not here, or does not use it"
			assert_stderr "timed out after 0.05s: thread $owner has it"
			assert_value "$a" $((owner | 1 << 31))
		done
	done
	# Who has it is here, and known to use it: nothing is said.
	store "$a" 0
	start_holder exec "$a"
	run --separate-stderr futexctl exec "$a" --timeout 0 -- true
	assert_status 124
	[[ $stderr != *"waits for thread"* ]] || fail "warned" "$stderr"
	let_end "$pid"
	kill "$other"
}

@test "the first process of a container holds a lock like any other" {
	make file
	for how in exec "rwlock --write" once; do
		store "$a" 0
		mkfifo "$BATS_TEST_TMPDIR/go"
		read -ra words <<<"$how"
		start unshare -pf --kill-child --mount-proc futexctl "${words[@]}" "$a" -- sh -c "read -r _ <$BATS_TEST_TMPDIR/go; exit 3"
		until_held() { [[ $(value "$a") == $((1 << 31 | 1)) ]]; }
		wait_until 10 until_held
		run futexctl lock "$a" --timeout 0
		assert_status 7
		start futexctl "${words[@]}" "$a" --timeout 20s -- echo in
		next=$pid
		sleeps "$next"
		echo >"$BATS_TEST_TMPDIR/go"
		finish "$next"
		assert_status 0
		assert_output in
		rm "$BATS_TEST_TMPDIR/go"
	done
}

@test "priority inheritance leaves words alone that are no lock of it" {
	make file
	for word in $((0x3fffffff)) $((0x20000001)) 5000000 1 2; do
		for how in lock-pi trylock-pi "exec --pi"; do
			store "$a" "$word"
			read -ra words <<<"$how"
			run --separate-stderr futexctl "${words[@]}" "$a" -- true
			assert_status 125
			assert_value "$a" "$word"
			[[ $stderr != *gone* ]] || fail "its owner is not gone" "$stderr"
		done
	done
}

@test "a name with a newline is told as it is; a full file system is not a short file" {
	file=$BATS_TEST_TMPDIR/$'a\nb'
	futexctl create "$file"
	start_asleep futexctl wait "$file" 0
	run futexctl waiters --pid "$pid"
	assert_equal "$(json_get '.waiters[0].file')" "$file"
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=16k small "$BATS_TEST_TMPDIR/small" || skip "no mount"
	truncate -s 8K "$BATS_TEST_TMPDIR/small/hole"
	head -c 16K /dev/zero >"$BATS_TEST_TMPDIR/small/full" || true
	for verb in get "set" exec; do
		operands=("$BATS_TEST_TMPDIR/small/hole")
		[[ $verb != set ]] || operands+=(1)
		[[ $verb != exec ]] || operands+=(-- true)
		run --separate-stderr futexctl "$verb" "${operands[@]}"
		assert_stderr "its file system is full"
		((status == 7 || status == 125)) || fail "$verb: status $status"
	done
	umount "$BATS_TEST_TMPDIR/small"
}

@test "what is typed wrongly is told by what can be meant" {
	run --separate-stderr futexctl create key:5
	assert_status 2
	[[ $stderr != *private* ]] || fail "it makes no segments" "$stderr"
	make file
	for op in lt le gt ge; do
		run --separate-stderr futexctl await "$a" "$op" -1 --timeout 0
		assert_status 2
		assert_stderr "compared as unsigned"
	done
	futexctl set "$a" -1 -q
	futexctl await "$a" eq -1 --timeout 0
}

@test "short of descriptors the limit is named" {
	make file
	with_descriptors 1 futexctl waiters
}
