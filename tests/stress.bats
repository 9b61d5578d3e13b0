# SPDX-License-Identifier: GPL-2.0-or-later
# All kinds at once for a few seconds (IPCKIT_LONG=1: a minute), and the library's
# threads under a sanitizer that looks for data races.

load helpers

@test "takers, posters and killers leave every permit where it was" {
	run --separate-stderr "$IPCKIT_SRC/tests/stress" $((${IPCKIT_LONG:+55} + 5)) "$RANDOM"
	echo "# $output" >&3
	assert_status 0
	assert_equal "$stderr" "" stderr
	json '.ok and .most <= 4 and (.did | .exec > 5 and .inside > 5 and .kill > 5 and .several > 5 and .post > 5)'
}

@test "stress refuses to run unisolated, and bad words" {
	run env -u IPCKIT_ISOLATED "$IPCKIT_SRC/tests/stress" 1
	assert_status 2
	run "$IPCKIT_SRC/tests/stress" x
	assert_status 2
}

@test "threads with handles of their own race for nothing in the library" {
	not_sanitized "the same program, compiled again"
	[[ ${CC:-cc} != *-fsanitize* ]] || skip "another sanitizer is in use"
	flags=(-std=gnu17 -D_GNU_SOURCE -O1 -g -fsanitize=thread -pthread)
	program=$BATS_TEST_TMPDIR/concurrent
	echo 'int main(void) { return 0; }' >"$BATS_TEST_TMPDIR/empty.c"
	# Its shadow memory wants addresses that are not too random.
	# shellcheck disable=SC2086 # CC may hold flags
	{ ${CC:-cc} "${flags[@]}" -o "$program" "$BATS_TEST_TMPDIR/empty.c" && setarch -R "$program"; } 2>/dev/null ||
		skip "no thread sanitizer here"
	# shellcheck disable=SC2086
	${CC:-cc} "${flags[@]}" -I "$IPCKIT_SRC/include" -I "$IPCKIT_SRC/lib" -o "$program" \
		"$IPCKIT_SRC/tests/unit/test-concurrent.c" "$IPCKIT_SRC"/lib/*.c
	TSAN_OPTIONS=exitcode=99 run setarch -R "$program"
	assert_status 0
	assert_match '^1\.\.1
ok 1 '
}
