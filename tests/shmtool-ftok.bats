# SPDX-License-Identifier: GPL-2.0-or-later

load helpers
load ftok

@test "ftok: the key is that of ftok(3), of project 1 unless given" {
	check_keys
}

@test "ftok: plain is the key alone, in hex, as key: takes it" {
	plain_key
	shmtool create -q "key:$output" --size 444
	run shmtool info "ftok:$TMPDIR/file,9"
	json '.size == 444'
}

@test "ftok: each failure has its status" {
	check_failures
}
