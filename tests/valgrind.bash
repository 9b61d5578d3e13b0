# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# `load valgrind` in valgrind-TOOL.bats: no invalid access, no uninitialised value, no leak. Each run
# takes a second: what the backends have alike is there once.

tool=${BATS_TEST_FILENAME##*/valgrind-}
tool=${tool%.bats}

setup()
{
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	! is_sanitized || skip "the build has sanitizers"
}

# Where calls are inlined is told of libc alone here, and takes a fifth of the time to read.
valgrind=(valgrind -q --error-exitcode=99 --leak-check=full "--show-leak-kinds=definite,indirect"
	"--errors-for-leak-kinds=definite,indirect" --read-inline-info=no)

# clean STATUS ARG...: the tool ends with STATUS and valgrind finds nothing.
clean()
{
	local wanted=$1
	shift
	run "${valgrind[@]}" "$IPCKIT_BUILD/$tool" "$@"
	assert_status "$wanted"
}
