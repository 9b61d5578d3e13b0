# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl wake: FUTEX_WAKE, FUTEX_WAKE_BITSET and futex_wake(2); under which names a word is the same.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

refused()
{
	refusal wake "$@"
}

# wakes N WORD [ARG...]: `futexctl wake` wakes so many.
wakes()
{
	run --separate-stderr futexctl wake "${@:2}"
	assert_equal "$status$stderr" 0
	assert_output '{"word":"'"$2"'","woken":'"$1"'}'
}

# ---- how many ----

@test "C programs wait: one where no number is given, N, all" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		wakes 0 "$a"
		start_crowd "$a" 0 9
		wakes 0 "$b" all
		wakes 1 "$a"
		wakes 2 "$a" 2
		wakes 3 "$a" 0x3
		wait_until 5 left_are "$pid" 3
		still "$pid"
		wakes 3 "$a" all
		ended 0
		wakes 0 "$a" all
	done
}

@test "more than there are, up to the largest number" {
	make file
	for count in 3 1000 2147483647 all; do
		start_crowd "$a" 0 2
		wakes 2 "$a" "$count"
		ended 0
	done
}

@test "0 wakes none, though the kernel would wake one" {
	make file
	start_crowd "$a" 0 2
	for how in "" "--bitset 1" --futex2 --private; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr futexctl wake "$a" 0 $how --plain -o woken
		assert_equal "$status$output" 00
	done
	left_are "$pid" 2
	assert_equal "$("$futex_peer" wake "$a" 0)" 1
	wakes 1 "$a"
	ended 0
}

@test "negative numbers, and what is none, are refused before the kernel is asked" {
	make posix
	start_peer wait "$a" 0
	for count in -1 -0 -2147483648 '' x 2147483648 4294967295 18446744073709551616 1.0 ALL ' 1' 1K; do
		refused 2 USAGE "$a" "$count"
		json '.error.object == "N"'
	done
	refused 2 USAGE "$a" 1 1
	refused 2 USAGE
	still "$pid"
	# The kernel takes them for one.
	assert_equal "$("$futex_peer" call "$a" 1 -1)" 1
	ended 0
	needs_strace
	run ! before_the_kernel futexctl wake "$a" 1
	for words in "$a -1" "$a 2147483648" "$object@2 1" "$object@4096 1" "$a 1 --bitset 0" "$a 1 --realtime"; do
		# shellcheck disable=SC2086 # words
		before_the_kernel futexctl wake $words
		[[ $status == @(2|7) ]] || fail "$words" "$(show_last)"
	done
}

@test "first in, first out" {
	make file
	pids=()
	for _ in 1 2 3 4; do
		start_verb wait "$a" 0
		pids+=("$pid")
	done
	for n in 0 1 2 3; do
		wakes 1 "$a"
		ended 0 "${pids[n]}"
		((n == 3)) || still "${pids[n + 1]}"
	done
}

@test "a thousand at once" {
	make file
	start_crowd "$a" 0 1000
	wakes 1 "$a"
	wakes 999 "$a" all
	ended 0
}

# ---- bitsets and flags ----

@test "--bitset: those that have a bit in common, and those without bits of their own" {
	make file
	for how in "" --futex2; do
		start_peer bitset "$a" 0 6
		six=$pid
		start_peer bitset "$a" 0 8
		eight=$pid
		start_peer wait "$a" 0
		any=$pid
		# shellcheck disable=SC2086 # words
		wakes 1 "$a" all --bitset 16 $how
		ended 0 "$any"
		# shellcheck disable=SC2086 # words
		wakes 1 "$a" all --bitset 8 $how
		ended 0 "$eight"
		still "$six"
		# shellcheck disable=SC2086 # words
		wakes 0 "$a" all --bitset 0xfffffff9 $how
		# shellcheck disable=SC2086 # words
		wakes 1 "$a" 5 --bitset 2 $how
		ended 0 "$six"
	done
	for value in 0 '' x -1 4294967296; do
		refused 2 USAGE "$a" --bitset="$value"
		json '.error.object == "--bitset"'
	done
}

@test "--private meets no other process, and says so; --realtime is refused" {
	make file
	start_peer wait "$a" 0
	run --separate-stderr futexctl wake "$a" all --private --plain -o woken
	assert_equal "$status$output" 00
	assert_stderr '^futexctl wake: warning: --private: '
	still "$pid"
	refused 2 USAGE "$a" --realtime
	json '.error.message | contains("ENOSYS")'
	wakes 1 "$a"
	ended 0
}

# ---- one word under many names ----

@test "a file by its links, by a relative path, by the descriptors of others" {
	make file
	ln "$object" "$object.link"
	exec {fd}<>"$object"
	cd "$BATS_TEST_TMPDIR"
	for name in "$object.link" "./${object##*/}" "../${PWD##*/}/${object##*/}" "/proc/$$/fd/$fd" "/proc/self/fd/$fd"; do
		start_peer wait "$b" 0
		wakes 0 "$name"
		wakes 0 "$name@8"
		wakes 1 "$name@4"
		ended 0
	done
	exec {fd}>&-
}

@test "a file that has no name any more" {
	make file
	start_peer wait "$b" 0
	rm "$object"
	refused 3 ENOENT "$b"
	fd=
	for link in /proc/"$pid"/map_files/*; do
		[[ $(readlink "$link") != "$object (deleted)" ]] || fd=$link
	done
	[[ $fd ]] || skip "no /proc/PID/map_files here"
	run --separate-stderr futexctl wake "$fd@4" --json
	[[ $status != 5 ]] || skip "/proc/PID/map_files may not be opened here"
	json '.woken == 1'
	ended 0
}

@test "POSIX shared memory by its name and by its file" {
	make posix
	for name in "$object@4" "/dev/shm$object@4"; do
		start_peer wait "$b" 0
		wakes 1 "$name"
		ended 0
	done
	start_verb wait "/dev/shm$object@4" 0
	wakes 1 "$b"
	ended 0
}

@test "a System V segment by its id, its key and its file's" {
	touch "$BATS_TEST_TMPDIR/file"
	key=0x$(printf %x $((0x77000000 + BATS_TEST_NUMBER)))
	id=$("$peers/shm-peer" make "$key" 4096)
	for name in "id:$id@4" "key:$key@4"; do
		start_peer wait "id:$id@4" 0
		wakes 0 "id:$id"
		wakes 1 "$name"
		ended 0
		start_verb wait "$name" 0
		assert_equal "$("$futex_peer" wake "id:$id@4")" 1
		ended 0
	done
	# Removed, and still attached by who sleeps.
	start_peer wait "id:$id@4" 0
	"$peers/shm-peer" remove "$id"
	refused 3 ENOENT "key:$key@4"
	wakes 1 "id:$id@4"
	ended 0
	refused 3 ENOENT "id:$id@4"
}

@test "a copy of a file is another word" {
	make file
	cp "$object" "$object.copy"
	start_peer wait "$a" 0
	wakes 0 "$object.copy"
	wakes 1 "$a"
	ended 0
}

# ---- what it leaves alone ----

@test "the right to read is enough, to wait and to wake" {
	make file
	chmod 0400 "$object"
	start setpriv --bounding-set=-all --inh-caps=-all futexctl wait "$a" 0
	sleeps "$pid"
	run as_unprivileged futexctl wake "$a" --plain -o woken
	assert_output 1
	ended 0
	start setpriv --bounding-set=-all --inh-caps=-all futexctl waitv "$b=0" "$a=0"
	sleeps "$pid"
	wakes 1 "$a"
	ended 0
	chmod 0200 "$object"
	run --separate-stderr as_unprivileged futexctl wake "$a" --json
	assert_status 5
	json '.error.code == "EACCES"'
}

@test "nothing is written: neither the word nor the file's times" {
	make file
	store "$a" 5
	touch -d @1000000000 "$object"
	before=$(stat -c '%s %Y %Z' "$object")
	start_verb wait "$a" 5
	wakes 1 "$a" all
	ended 0
	assert_value "$a" 5
	assert_equal "$(stat -c '%s %Y %Z' "$object")" "$before"
}

@test "who waits for a condition variable of priority inheritance stays: status 2, EINVAL" {
	make file
	start_peer wait-requeue-pi "$a" 0 "$b"
	for how in "" "--bitset 1" --futex2; do
		# shellcheck disable=SC2086 # words
		refused 2 EINVAL "$a" 1 $how
		still "$pid"
	done
	wakes 0 "$a" 0
}

@test "formats: quiet, plain, a table, columns" {
	make file
	run futexctl wake "$a" -q
	assert_equal "$status$output" 0
	run futexctl wake "$a" --plain
	assert_output "$a"$'\t0'
	run futexctl wake "$a" --table
	assert_match 'woken +0'
	run futexctl wake "$a" --columns help
	assert_match '^word '
	assert_match $'\nwoken '
}
