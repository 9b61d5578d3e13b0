# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq

load helpers

peer=$IPCKIT_BUILD/tests/peers/sysv-peer

setup()
{
	touch "$TMPDIR/file"
}

@test "ftok: the key is that of ftok(3)" {
	local path project
	for path in "$TMPDIR/file" / /dev/null .; do
		for project in 1 2 127 128 254 255; do
			run semctl-cli ftok "$path" --proj "$project"
			assert_status 0
			json --arg path "$path" --argjson project "$project" \
				'.path == $path and .project == $project and (.key | type) == "number"'
			assert_equal "$(json_get .key)" $(($("$peer" ftok "$path" "$project") & 0xffffffff))
		done
	done
}

@test "ftok: the project is 1 unless given" {
	run semctl-cli ftok "$TMPDIR/file"
	json '.project == 1'
	assert_equal "$output" "$(semctl-cli ftok "$TMPDIR/file" --proj 0x1)"
}

@test "ftok: plain is the key alone, in hex, as key: takes it" {
	run semctl-cli ftok "$TMPDIR/file" --proj 9 --plain
	assert_match '^0x[0-9a-f]{8}$'
	semctl-cli create "key:$output" --value 4
	run semctl-cli value "ftok:$TMPDIR/file,9"
	json '.value == 4'
}

@test "ftok: a path that is not there is status 3" {
	run --separate-stderr semctl-cli ftok "$TMPDIR/none"
	assert_status 3
	assert_stderr '^semctl-cli ftok: .*/none: no such file$'
	json '.error | .code == "ENOENT" and .exit == 3'
	run semctl-cli ftok ""
	assert_status 3
}

@test "ftok: a path that may not be looked at is status 5" {
	mkdir "$TMPDIR/closed"
	touch "$TMPDIR/closed/file"
	chmod 0 "$TMPDIR/closed"
	run as_unprivileged semctl-cli ftok "$TMPDIR/closed/file"
	assert_status 5
}

@test "ftok: projects beyond 1 to 255, and other bad words, are status 2" {
	local text
	for text in 0 256 -1 x 1x 0x 99999999999999999999 ""; do
		run --separate-stderr semctl-cli ftok / --proj "$text"
		assert_status 2
		assert_stderr --proj
		json '.error | .code == "USAGE" and .exit == 2'
	done
	run semctl-cli ftok
	assert_status 2
	run semctl-cli ftok / /
	assert_status 2
}

@test "ftok: output that cannot be written is status 8" {
	run bash -c 'semctl-cli ftok / >/dev/full'
	assert_status 8
}
