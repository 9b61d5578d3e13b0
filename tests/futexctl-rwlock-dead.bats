# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl rwlock: readers that die with their guardians, who would count them off.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # the variables of other shells; of the cases

load helpers
load words
load locks

reader=$((0x20000000))

# guardian_of PID...: in $guardians those of these readers.
guardian_of()
{
	local file line
	local -A jobs=()
	for line in "$@"; do
		jobs[$line]=1
	done
	guardians=()
	for file in /proc/[0-9]*/cmdline; do
		{ IFS= read -rd "" line <"$file"; } 2>/dev/null || continue
		[[ $line =~ guard\ holding\ job=([0-9]+) && ${jobs[${BASH_REMATCH[1]}]-} ]] || continue
		file=${file#/proc/}
		guardians+=("${file%/*}")
	done
}

# counted_each N WORDS: each of so many words of $object has N readers, and each of $readers a guardian.
counted_each()
{
	[[ $(od -An -v -w4 -tu4 "$object" | sort | uniq -c) =~ ^\ *$2\ *$((reader | $1))$ ]] || return
	guardian_of "${readers[@]}"
	((${#guardians[@]} == ${#readers[@]}))
}

@test "60 readers that are killed with their guardians: writers forget them, after about a second" {
	is_sanitized && words=4 || words=30
	fresh file "$words"
	readers=()
	for ((i = 0; i < 2 * words; i++)); do
		futexctl rwlock --read "$object@$((i % words * 4))" -- sleep 1000 3>&- &
		readers+=($!)
	done
	wait_until 30 counted_each 2 "$words"
	# The guardians first.
	kill -KILL "${guardians[@]}" "${readers[@]}"
	wait "${readers[@]}" 2>/dev/null || true
	refusal_of "rwlock --write" 124 EAGAIN "$word" --timeout 0
	refusal_of "rwlock --write" 124 ETIMEDOUT "$word" --timeout 0.2
	assert_match 'timed out after 0.2s: 2 readers have it"'
	pids=()
	for ((i = 0; i < words; i++)); do
		futexctl rwlock --write "$object@$((i * 4))" --timeout 30s -- sh -c 'echo "[$FUTEXCTL_OWNER_DIED]"' \
			>>"$BATS_TEST_TMPDIR/out" 2>>"$BATS_TEST_TMPDIR/err" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	assert_equal "$(sort "$BATS_TEST_TMPDIR/out" | uniq -c | tr -s ' ')" " $words []"
	assert_equal "$(grep -cx "futexctl rwlock: warning: $object@[0-9]*: 2 readers died without unlocking" \
		"$BATS_TEST_TMPDIR/err") $(wc -l <"$BATS_TEST_TMPDIR/err")" "$words $words"
	assert_equal "$(od -An -v -w4 -tu4 "$object" | sort -u | tr -d ' ')" 0
}

# lose_guardian PID...: has them killed, and these readers live; the same of readers that die with them.
lose_guardian()
{
	guarded()
	{
		guardian_of "$@"
		((${#guardians[@]} == $#))
	}
	wait_until 10 guarded "$@"
	kill -KILL "${guardians[@]}"
	for guardian in "${guardians[@]}"; do
		wait_until 10 gone "$guardian"
	done
}

die_with_guardian()
{
	lose_guardian "$1"
	kill -KILL "$1"
	finish "$1"
	died_of KILL
}

@test "a reader that lives is waited for, beside those that died; so is one that has lost its guardian" {
	make posix
	living=() writers=()
	for word in "$a" "$b"; do
		start_holder "rwlock --read" "$word"
		living+=("$pid")
		start_holder "rwlock --read" "$word"
		die_with_guardian "$pid"
	done
	lose_guardian "${living[1]}"
	# Longer than one that is dead would be waited for.
	for word in "$a" "$b"; do
		start futexctl rwlock --write "$word" --timeout 1.5 -- echo ran
		writers+=("$pid")
	done
	for pid in "${writers[@]}"; do
		ended 124
		assert_equal "$output" ""
		assert_stderr ': timed out after 1.5s: 2 readers have it$'
	done
	writers=()
	for word in "$a" "$b"; do
		start_waiter "rwlock --write" "$word" --timeout 30s
		writers+=("$pid")
	done
	let_end "${living[0]}"
	let_end "${living[1]}"
	for pid in "${writers[@]}"; do
		is_inside "$pid"
		assert_equal "$told" "[]"
		let_end "$pid"
		[[ $pid == "${writers[0]}" ]] && text="1 reader" || text="2 readers"
		assert_stderr "^futexctl rwlock: warning: [^ ]*: $text died without unlocking$"
	done
	assert_equal "$(value "$a") $(value "$b")" "0 0"
}

@test "what a reader has left running: waited for where the guardian is gone, too, and else not" {
	make file
	n=0
	for word in "$a" "$b"; do
		((++n))
		start futexctl rwlock --read "$word" -- sh -c 'sleep 1000 3>&- & echo $!; read -r x <>"$1"' sh "$IPCKIT_NEVER"
		wait_until 10 test -s "$(out_of "$pid")"
		left[n]=$(<"$(out_of "$pid")")
		readers[n]=$pid
	done
	start_holder "rwlock --read" "$b"
	die_with_guardian "$pid"
	# Its guardian counts it off, and takes the fence down.
	kill -KILL "${readers[2]}"
	die_with_guardian "${readers[1]}"
	start futexctl rwlock --write "$a" --timeout 1.5 -- echo ran
	run --separate-stderr futexctl rwlock --write "$b" --timeout 30s -- echo ran
	assert_equal "$status$output" 0ran
	assert_stderr "^futexctl rwlock: warning: $b: 1 reader died without unlocking$"
	ended 124
	start futexctl rwlock --write "$a" --timeout 30s -- echo ran
	kill "${left[@]}"
	ended 0
	assert_stderr "^futexctl rwlock: warning: $a: 1 reader died without unlocking$"
}

@test "a container that is killed, with its readers" {
	make file
	start unshare -pf --kill-child --mount-proc sh -c 'futexctl rwlock --read "$1" -- sh -c "echo; sleep 1000" &
		exec futexctl rwlock --read "$1" -- sh -c "echo; sleep 1000"' sh "$b"
	both()
	{
		[[ $(wc -l <"$(out_of "$pid")") == 2 ]]
	}
	wait_until 10 both
	assert_value "$b" $((reader | 2))
	kill -KILL "$pid"
	finish "$pid"
	# Readers do not mind, until a writer waits; those that wait for it are not taken for readers that live.
	runs "rwlock --read" "[]" "$b"
	start_waiter "rwlock --write" "$b" --timeout 30s
	writer=$pid
	start_staying start "rwlock --read" "$b" --timeout 30s
	is_inside "$writer"
	is_outside "$pid"
	let_end "$writer"
	assert_stderr "^futexctl rwlock: warning: $b: 2 readers died without unlocking$"
	is_inside "$pid"
	let_end "$pid"
	free_again()
	{
		[[ $(value "$b") == 0 ]]
	}
	wait_until 10 free_again
}
