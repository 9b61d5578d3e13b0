# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016 # the variables of jq
#
# What the tools with a verb `ftok` have in common, `load ftok` after `load helpers` in TOOL-ftok.bats.

tool=${BATS_TEST_FILENAME##*/}
tool=${tool%-ftok.bats}
sysv_peer=$IPCKIT_BUILD/tests/peers/sysv-peer

setup()
{
	touch "$TMPDIR/file"
}

# check_keys: they are those of ftok(3); the project is 1 unless given.
check_keys()
{
	local path project key
	for path in "$TMPDIR/file" / /dev/null .; do
		for project in 1 2 127 128 254 255; do
			key=$(($("$sysv_peer" ftok "$path" "$project") & 0xffffffff))
			run "$tool" ftok "$path" --proj "$project"
			assert_status 0
			json --arg path "$path" --argjson project "$project" --argjson key "$key" \
				'.path == $path and .project == $project and .key == $key'
		done
	done
	run "$tool" ftok "$TMPDIR/file"
	json '.project == 1'
	assert_equal "$output" "$("$tool" ftok "$TMPDIR/file" --proj 0x1)"
}

# plain_key: the plain output, which is the key alone, in hex, of "ftok:$TMPDIR/file,9".
plain_key()
{
	run --separate-stderr "$tool" ftok "$TMPDIR/file" --proj 9 --plain
	assert_match '^0x[0-9a-f]{8}$'
}

# check_failures: a path that is not there is status 3, one that may not be looked at 5, a project beyond 1 to
# 255 and any other mistake of use 2, output that cannot be written 8.
check_failures()
{
	local text
	run --separate-stderr "$tool" ftok "$TMPDIR/none"
	assert_status 3
	assert_stderr "^$tool ftok: .*/none: no such file\$"
	json '.error | .code == "ENOENT" and .exit == 3'
	run "$tool" ftok ""
	assert_status 3

	mkdir "$TMPDIR/closed"
	touch "$TMPDIR/closed/file"
	chmod 0 "$TMPDIR/closed"
	run as_unprivileged "$tool" ftok "$TMPDIR/closed/file"
	assert_status 5

	for text in 0 256 -1 x 1x 0x 99999999999999999999 ""; do
		run --separate-stderr "$tool" ftok / --proj "$text"
		assert_status 2
		assert_stderr --proj
		json '.error | .code == "USAGE" and .exit == 2'
	done
	run "$tool" ftok
	assert_status 2
	run "$tool" ftok / /
	assert_status 2

	run bash -c "$tool ftok / >/dev/full"
	assert_status 8
}
