# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl probe: what this kernel has of futex(2); fd: what none has any more.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load words

# supported NAME: "true" or "false".
supported()
{
	jq -r --arg name "$1" '.operations[] | select(.name == $name) | .supported' <<<"$output"
}

@test "every operation and call: whether it is there, since when, until when, and the answer" {
	run --separate-stderr futexctl probe
	assert_equal "$status$stderr" 0
	json 'keys == ["operations"] and (.operations | length) > 20'
	json '.operations | all(keys == ["errno", "name", "since", "supported", "until"])'
	json '.operations | all((.name | type) == "string" and (.supported | type) == "boolean" and
		([.since, .until][] | . == null or test("^[0-9]+\\.[0-9]+(\\.[0-9]+)?$")) and
		(.errno == null or (.errno | test("^E[A-Z0-9]+$"))))'
	json '[.operations[].name] | length == (unique | length)'
	for name in FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI \
		FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI \
		FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2 futex_waitv futex_wait futex_wake futex_requeue; do
		[[ $(supported "$name") == @(true|false) ]] || fail "$name is missing"
	done
}

@test "what it says is what a C program finds" {
	make file
	run --separate-stderr futexctl probe
	# Operations that a call with a zeroed word cannot wait in.
	while read -r name op value; do
		answer=$(timeout 10 "$futex_peer" call "$a" "$op" "$value" 0 "$b" 1 || true)
		store "$a" 0
		store "$b" 0
		[[ $(supported "$name") == "$([[ $answer == ENOSYS ]] && echo false || echo true)" ]] ||
			fail "$name: a C program gets $answer" "$(show_last)"
	done <<-'END'
		FUTEX_WAIT 0 1
		FUTEX_WAKE 1 1
		FUTEX_FD 2 0
		FUTEX_REQUEUE 3 1
		FUTEX_CMP_REQUEUE 4 1
		FUTEX_WAKE_OP 5 1
		FUTEX_LOCK_PI 6 0
		FUTEX_UNLOCK_PI 7 0
		FUTEX_TRYLOCK_PI 8 0
		FUTEX_WAIT_BITSET 9 1
		FUTEX_WAKE_BITSET 10 1
		FUTEX_LOCK_PI2 13 0
	END
	assert_equal "$(supported FUTEX_FD)" false
}

@test "a kernel that refuses a call: it is not supported, and the others are" {
	needs_strace
	run --separate-stderr strace -qq -o /dev/null -e trace=futex_waitv -e inject=futex_waitv:error=ENOSYS futexctl probe
	assert_equal "$(supported futex_waitv)" false
	assert_equal "$(supported FUTEX_WAIT)" true
	json '.operations[] | select(.name == "futex_waitv") | .errno == "ENOSYS"'
}

@test "formats" {
	run futexctl probe --table
	assert_equal "$status" 0
	assert_match '^OPERATION +SUPPORTED +SINCE +UNTIL +ERRNO'
	assert_match $'\nFUTEX_FD +no +2.6.0 +2.6.26 +ENOSYS'
	run futexctl probe --plain -o name,supported
	assert_match $'(^|\n)FUTEX_WAIT\ttrue(\n|$)'
	run futexctl probe -q
	assert_equal "$status$output" 0
	refusal probe 2 USAGE word
}

@test "fd: FUTEX_FD left in Linux 2.6.26: status 8, ENOSYS" {
	make file
	refusal fd 8 ENOSYS "$a"
	json --arg word "$a" '.error.object == $word and (.error.message | contains("2.6.26"))'
	assert_equal "$("$futex_peer" call "$a" 2 0 || true)" ENOSYS
	assert_value "$a" 0
	refusal fd 2 USAGE "$object@2"
	refusal fd 3 ENOENT /none@0
	refusal fd 2 USAGE
}
