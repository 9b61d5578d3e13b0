# SPDX-License-Identifier: GPL-2.0-or-later
# Receivers of real queues that are killed at any moment lose nothing that went through
# a journal. With IPCKIT_LONG=1 3,000 kills of each kind.
#
# shellcheck disable=SC2016 # the variables of jq

load helpers

kills=500
! is_sanitized || kills=100
[[ ! ${IPCKIT_LONG:-} ]] || kills=3000

# crash BACKEND [bare]
crash()
{
	run --separate-stderr timeout 600 "$IPCKIT_BUILD/tests/peers/journal-crash" "$1" \
		"$BATS_TEST_TMPDIR/journal" "$kills" "$RANDOM" "${@:2}"
	echo "# $*: $output" >&3
	assert_status 0
	assert_equal "$stderr" "" stderr
}

@test "no message of a POSIX queue is lost" {
	crash posix
	json --argjson kills "$kills" '.kills == $kills and .lost == 0 and .wrong == 0'
	# Of the kills at an empty queue most come between the kernel's writing and the noting.
	json --argjson kills "$kills" '.sent > $kills and .measured > $kills / 10'
}

@test "no message of a System V queue is lost" {
	crash sysv
	json --argjson kills "$kills" '.kills == $kills and .lost == 0 and .wrong == 0'
	json --argjson kills "$kills" '.sent > $kills and .measured > $kills / 10'
}

@test "without a journal they are" {
	crash posix bare
	json --argjson kills "$kills" '.lost > $kills / 10'
	crash sysv bare
	json --argjson kills "$kills" '.lost > $kills / 10'
}
