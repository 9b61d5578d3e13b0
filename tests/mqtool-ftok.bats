# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq

load helpers
load queues

sysv_peer=$peers/sysv-peer

setup()
{
	touch "$TMPDIR/file"
}

@test "ftok: the key is that of ftok(3)" {
	local path project
	for path in "$TMPDIR/file" / /dev/null .; do
		for project in 1 2 127 128 254 255; do
			run mqtool ftok "$path" --proj "$project"
			assert_status 0
			json --arg path "$path" --argjson project "$project" \
				'.path == $path and .project == $project and (.key | type) == "number"'
			assert_equal "$(json_get .key)" $(($("$sysv_peer" ftok "$path" "$project") & 0xffffffff))
		done
	done
}

@test "ftok: the project is 1 unless given" {
	run mqtool ftok "$TMPDIR/file"
	json '.project == 1'
	assert_equal "$output" "$(mqtool ftok "$TMPDIR/file" --proj 0x1)"
}

@test "ftok: plain is the key alone, in hex, as key: takes it" {
	run mqtool ftok "$TMPDIR/file" --proj 9 --plain
	assert_match '^0x[0-9a-f]{8}$'
	mqtool create -q "key:$output" --qbytes 444
	run mqtool info "ftok:$TMPDIR/file,9"
	json '.qbytes == 444'
}

@test "ftok: a path that is not there is status 3" {
	run --separate-stderr mqtool ftok "$TMPDIR/none"
	assert_status 3
	assert_stderr '^mqtool ftok: .*/none: no such file$'
	json '.error | .code == "ENOENT" and .exit == 3'
	run mqtool ftok ""
	assert_status 3
}

@test "ftok: a path that may not be looked at is status 5" {
	mkdir "$TMPDIR/closed"
	touch "$TMPDIR/closed/file"
	chmod 0 "$TMPDIR/closed"
	run as_unprivileged mqtool ftok "$TMPDIR/closed/file"
	assert_status 5
}

@test "ftok: projects beyond 1 to 255, and other bad words, are status 2" {
	local text
	for text in 0 256 -1 x 1x 0x 99999999999999999999 ""; do
		run --separate-stderr mqtool ftok / --proj "$text"
		assert_status 2
		assert_stderr --proj
		json '.error | .code == "USAGE" and .exit == 2'
	done
	run mqtool ftok
	assert_status 2
	run mqtool ftok / /
	assert_status 2
}

@test "ftok: output that cannot be written is status 8" {
	run bash -c 'mqtool ftok / >/dev/full'
	assert_status 8
}
