# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat relay between all pairs of kinds of ends, one way and both ways at once: every byte, whatever their number, by
# a program that has its own sides of them.

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

@test "both ways at once, between all pairs of ends: each way is ended by itself" {
	local sizes=(0 1 4095 4096 4097 65537)
	! is_sanitized || sizes=(--rotate "${sizes[@]}")
	run timeout 140 "$pairs" --both "${sizes[@]}"
	assert_status 0
	assert_match '[0-9]+ runs, 0 failed$'
}

@test "every byte, between all pairs of kinds of ends" {
	local sizes=(0 1 4095 4096 4097 65537)
	! is_sanitized || sizes=(--rotate "${sizes[@]}")
	run timeout 140 "$pairs" "${sizes[@]}"
	assert_status 0
	assert_match '[0-9]+ runs, 0 failed$'
}

@test "1 GiB" {
	[[ ${IPCKIT_LONG-} ]] || skip "IPCKIT_LONG is not set"
	"$pairs" 1073741824
	"$pairs" --both --rotate 1073741824 268435457
}
