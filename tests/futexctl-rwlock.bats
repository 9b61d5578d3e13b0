# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl rwlock: many readers or one writer. What it shares with exec is in futexctl-exec*.bats, readers that
# die with their guardians in futexctl-rwlock-dead.bats.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

reader=$((0x20000000))
died=$((1 << 30))

# readers_are N: so many have the word $b.
readers_are()
{
	local bits=$(($(value "$b") & 0x203fffff))
	((bits == ($1 ? reader | $1 : 0)))
}

@test "readers come beside each other, a writer alone; who has it is told" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_holder "rwlock --read" "$b"
		first=$pid
		assert_value "$b" $((reader | 1))
		refusal_of "rwlock --write" 124 ETIMEDOUT "$b" --timeout 10ms
		json '.error.message | endswith(": 1 reader has it")'
		start_holder "rwlock -r" "$b"
		assert_value "$b" $((reader | 2))
		refusal_of "rwlock --write" 124 EAGAIN "$b" --timeout 0
		json '.error.message | endswith(": 2 readers have it")'
		let_end "$first" 3
		wait_until 10 readers_are 1
		let_end "$pid"
		wait_until 10 readers_are 0
		start_holder "rwlock -w" "$b"
		for how in "rwlock --write" "rwlock --read"; do
			refusal_of "$how" 124 EAGAIN "$b" --timeout 0
			json --arg pid "$pid" '.error.message == "would block: thread \($pid) has it for writing"'
		done
		let_end "$pid"
		assert_equal "$(value "$a")$(value "$b")$(value "$c")" 000
	done
}

@test "the reader's tool becomes COMMAND: its pid, its status, its death" {
	make file
	run sh -c 'echo $$; exec futexctl rwlock --read "$1" -- sh -c "echo \$\$; exit 7"' sh "$b"
	assert_equal "$status${lines[0]}" "7${lines[1]}"
	for signal in TERM KILL INT HUP; do
		start_holder "rwlock --read" "$b"
		assert_equal "$job" "$pid"
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		wait_until 10 readers_are 0
	done
	for status in 126=/etc/passwd 127=$BATS_TEST_TMPDIR/none; do
		run --separate-stderr futexctl rwlock --read "$b" --json -- "${status#*=}"
		assert_status "${output:+$(json_get .error.exit)}"
		[[ $status == 12[67] ]] || fail "it was run" "$(show_last)"
		wait_until 10 readers_are 0
	done
	runs "rwlock --write" "[]" "$b"
}

@test "a reader that is killed gives back, to a writer that waits" {
	make posix
	start_holder "rwlock --read" "$b"
	first=$pid
	start_holder "rwlock --read" "$b"
	second=$pid
	start_waiter "rwlock --write" "$b" --timeout 30s
	kill -KILL "$first"
	wait_until 10 readers_are 1
	is_outside "$pid"
	kill -KILL "$second"
	is_inside "$pid"
	assert_equal "$told" "[]"
	let_end "$pid"
	assert_value "$b" 0
}

@test "readers, but none, are a word that is free" {
	make sysv
	for how in "rwlock --write" "rwlock --read"; do
		store "$b" $reader
		runs "$how" "[]" "$b" --timeout 0
		wait_until 10 readers_are 0
		assert_value "$b" 0
	done
}

@test "the file shrinks under a reader that waits" {
	make file
	store "$b" 4000000
	start_staying start "rwlock --read" "$b"
	marked()
	{
		(($(value "$b") & 1 << 31))
	}
	wait_until 10 marked
	truncate -s 0 "$object"
	ended 125
	[[ $stderr == *"futexctl rwlock: $b: "*" it shrank, "* ]] || fail "no reason" "$(show_last)"
}

@test "a writer that waits keeps new readers out; one that gives up lets them in" {
	make file
	start_holder "rwlock --read" "$b"
	first=$pid
	start_waiter "rwlock --write" "$b" --timeout 30s
	writer=$pid
	refusal_of "rwlock --read" 124 EAGAIN "$b" --timeout 0
	# It is renewed: longer than it would count of one that was killed.
	refusal_of "rwlock --read" 124 ETIMEDOUT "$b" --timeout 1.6
	start_staying start "rwlock --read" "$b"
	let_end "$first"
	is_inside "$writer"
	is_outside "$pid"
	let_end "$writer"
	is_inside "$pid"
	refusal_of "rwlock --write" 124 ETIMEDOUT "$b" --timeout 10ms
	runs "rwlock --read" "[]" "$b" --timeout 0
	let_end "$pid"
	wait_until 10 readers_are 0
}

# renewed: the mark of the writer that waits for $b is another one than $mark.
renewed()
{
	[[ $(value "$b") != "$mark" ]]
}

@test "a writer is killed while it waits: readers come in after about a second" {
	for signal in KILL TERM; do
		make file
		start_holder "rwlock --read" "$b"
		first=$pid
		start_waiter "rwlock --write" "$b"
		# It was seen alive just now, as it says now and then.
		mark=$(value "$b")
		wait_until 10 renewed
		begin=${EPOCHREALTIME/[^0-9]/}
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		takes_us futexctl rwlock --read "$b" --timeout 20s -- true
		assert_equal "$status" 0
		((${EPOCHREALTIME/[^0-9]/} - begin > 300000)) || fail "it came in after $((${EPOCHREALTIME/[^0-9]/} - begin)) us"
		((us < 8000000)) || fail "it took $us us"
		runs "rwlock --read" "[]" "$b" --timeout 0
		let_end "$first"
	done
}

@test "a writer is killed: every reader is told, until a writer has had it" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_holder "rwlock --write" "$b"
		first=$pid
		start_staying start "rwlock --read" "$b" --timeout 30s
		second=$pid
		start_staying start "rwlock --read" "$b" --timeout 30s
		kill -KILL "$first"
		is_inside "$pid"
		assert_equal "$told" "[1]"
		is_inside "$second"
		assert_equal "$told" "[1]"
		assert_value "$b" $((died | reader | 2))
		let_end "$pid"
		let_end "$second"
		wait_until 10 readers_are 0
		assert_value "$b" $died
		runs "rwlock --read" "[1]" "$b"
		runs "rwlock --write" "[1]" "$b" --timeout 20s
		runs "rwlock --read" "[]" "$b"
	done
}

@test "what a reader is told comes from the word alone" {
	make file
	run --separate-stderr env FUTEXCTL_OWNER_DIED=1 futexctl rwlock --read "$b" -- sh -c 'echo "[$FUTEXCTL_OWNER_DIED]"'
	assert_output "[]"
}

@test "signals end a reader that waits" {
	make file
	start_holder "rwlock --write" "$b"
	first=$pid
	for signal in INT TERM HUP KILL; do
		start_staying start "rwlock --read" "$b"
		marked()
		{
			(($(value "$b") & 1 << 31))
		}
		wait_until 10 marked
		wait_until 10 has_children "$pid"
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
	done
	let_end "$first"
	runs "rwlock --write" "[]" "$b" --timeout 20s
	wait_until 10 readers_are 0
}

# has_children PID: or one of its own kind looks after it.
has_children()
{
	blocked_in "$1" recvfrom 45 207 poll ppoll futex read
}

@test "usage: one of --read and --write; --keep-running is for writers; no more readers than it holds" {
	make file
	refusal_of rwlock 125 USAGE "$b"
	refusal_of rwlock 125 USAGE "$b" --read --write
	refusal_of rwlock 125 USAGE "$b" --read --keep-running
	refusal_of "rwlock --read" 125 USAGE "$object@2"
	refusal_of "rwlock --read" 125 USAGE "$b" --timeout soon
	refusal_of "rwlock --read" 125 ENOENT "$object.none"
	refusal_of "rwlock --read" 125 EFBIG "$object@4096"
	store "$b" $((reader | 0x3ffffe))
	refusal_of "rwlock --read" 125 EOVERFLOW "$b"
	assert_value "$b" $((reader | 0x3ffffe))
	store "$b" $((reader | 0x3ffffd))
	runs "rwlock --read" "[]" "$b"
	wait_until 10 readers_are $((0x3ffffd))
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl rwlock --read "$b" --json -- true
	assert_status 125
	json '.error.code == "EACCES"'
}
