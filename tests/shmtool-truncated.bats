# SPDX-License-Identifier: GPL-2.0-or-later
# A segment that shrinks while a verb is at work, or whose file system has no room for it: status 7
# or 6, and nobody dies of SIGBUS.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# shrunk: how the last of `start` ended: status 7, and what it says.
shrunk()
{
	finish "$pid"
	assert_status 7
	assert_stderr "^shmtool $1: .*(shrank|lies beyond its end|reaches beyond its end)"
}

# held WORD: a word of a segment of its own that somebody has, so that who takes it with --lock waits.
held()
{
	shmtool create /lock --size 4K -q
	shmtool poke /lock u32@0=4711
}

# start_locked VERB ARG...: starts the verb, until it waits for the lock, with everything open. let_go: it goes on.
start_locked()
{
	start shmtool "$@" --lock /lock@0
	wait_until 5 blocked_in "$pid" futex
}

let_go()
{
	shmtool poke /lock u32@0=0
	"$shm_peer" wake /lock 0 >/dev/null
}

@test "with everything open, and before the first byte: read, write, copy, peek, poke" {
	for size in 0 4096 5000; do
		while read -r line; do
			held
			make posix 64K
			shmtool create /other --size 64K -q
			verb=${line%% *}
			# shellcheck disable=SC2086 # words
			start_locked ${line//%/$object}
			truncate -s "$size" "/dev/shm$object"
			let_go
			shrunk "$verb"
			# It did not make it longer again.
			assert_equal "$(stat -c %s "/dev/shm$object")" "$size"
			shmtool rm /lock /other
		done <<-END
			read %
			read % --json
			read % --offset 60000
			write % text --offset 60000
			write % --file /dev/shm/other
			copy % /other
			copy /other %
			peek % u32@60000
			poke % u32@60000=1
			poke % u64@60000=1 --add
			poke % u8@60000=1 --cas 0
		END
	done
}

@test "what still lies within is done" {
	held
	make posix 64K
	start_locked write "$object" text
	truncate -s 4096 "/dev/shm$object"
	let_go
	finish "$pid"
	assert_status 0
	assert_text "$object" text
}

@test "read, save, dump, whose output waits for a reader" {
	random_file "$BATS_TEST_TMPDIR/random" 8388608
	for verb in read save dump "read --string"; do
		make posix 8M --fill 0x78
		[[ $verb != dump ]] || shmtool write "$object" --file "$BATS_TEST_TMPDIR/random"
		mkfifo "$BATS_TEST_TMPDIR/fifo"
		exec 7<>"$BATS_TEST_TMPDIR/fifo"
		# shellcheck disable=SC2086 # words
		start sh -c 'fifo=$1; shift; exec shmtool "$@" >"$fifo" 7>&-' - "$BATS_TEST_TMPDIR/fifo" $verb "$object"
		wait_until 5 blocked_in "$pid" 1 64
		truncate -s 4096 "/dev/shm$object"
		exec 8<"$BATS_TEST_TMPDIR/fifo" 7>&-
		cat <&8 >/dev/null
		exec 8<&-
		shrunk "${verb% *}"
		rm "$BATS_TEST_TMPDIR/fifo"
	done
}

@test "write, load, compare, whose input is still to come" {
	for size in 0 4096; do
		for line in "write %" "write % --truncate-input" "load %" "compare % -"; do
			make posix 64K
			mkfifo "$BATS_TEST_TMPDIR/fifo"
			exec 7<>"$BATS_TEST_TMPDIR/fifo"
			# shellcheck disable=SC2086 # words
			start sh -c 'fifo=$1; shift; exec shmtool "$@" <"$fifo" 7>&-' - "$BATS_TEST_TMPDIR/fifo" ${line//%/$object}
			wait_until 5 blocked_in "$pid" read
			truncate -s "$size" "/dev/shm$object"
			head -c 65536 /dev/zero >"$BATS_TEST_TMPDIR/fifo"
			exec 7>&-
			shrunk "${line%% *}"
			rm "$BATS_TEST_TMPDIR/fifo"
			assert_equal "$(stat -c %s "/dev/shm$object")" "$size"
		done
	done
}

@test "fill, copy and write in the midst of it" {
	local in=$BATS_TEST_TMPDIR/in try
	head -c 96M /dev/zero >"$in"
	shmtool create key:7 --size 96M -q
	for line in "fill % 1" "write % --file $in" "copy key:7 %"; do
		for ((try = 0; try < 20; try++)); do
			make posix 96M --noreserve
			# shellcheck disable=SC2086 # words
			start shmtool ${line//%/$object}
			wait_until 10 begun "$pid" "/dev/shm$object"
			kill -STOP "$pid" 2>/dev/null || true
			truncate -s 8192 "/dev/shm$object"
			kill -CONT "$pid" 2>/dev/null || true
			finish "$pid"
			shmtool rm "$object"
			# It may have been at the end by then.
			((status == 0)) || break
		done
		assert_status 7
		assert_stderr "^shmtool ${line%% *}: .*shrank"
	done
}

# begun PID FILE: it has written into the file, or has ended.
begun()
{
	(($(stat -c %b "$2") > 0)) || gone "$1"
}

@test "a wait notices it" {
	make posix 64K
	start shmtool wait "$object" u32@60000 ne 0
	wait_until 5 blocked_in "$pid" futex
	truncate -s 0 "/dev/shm$object"
	shrunk wait
}

@test "one that shrinks and grows all the time" {
	make posix 1M
	make posix 1M
	other=${object%-*}-1
	start perl -e 'while (1) { truncate $ARGV[0], 0; truncate $ARGV[0], 1048576; }' "/dev/shm$object"
	head -c 1M /dev/zero >"$BATS_TEST_TMPDIR/in"
	for ((i = 0; i < 8; i++)); do
		for line in "read %" "read % --json" "dump %" "save %" "write % --file $BATS_TEST_TMPDIR/in" "load %" "fill % 1" \
			"copy % $other" "copy $other %" "compare % $other" "peek % u64@1048568" "poke % u64@8=1" "wait % u8@9 ge 0"; do
			# shellcheck disable=SC2086 # words
			run timeout 10 shmtool ${line//%/$object} <"$BATS_TEST_TMPDIR/in"
			[[ $status == [01267] ]] || fail "$line" "status $status"
		done
	done 2>"$BATS_TEST_TMPDIR/err" || fail "$(grep -av 'null byte' "$BATS_TEST_TMPDIR/err")"
	gone "$pid" && fail "nobody changed its size"
	stop "$pid"
}

@test "a full file system under one without reserved space: status 6 or 7, for every verb" {
	small_shm 64k
	shmtool create /sparse --size 1M --noreserve -q
	shmtool create key:7 --size 1M --fill 1 -q
	head -c 1M /dev/urandom >"$BATS_TEST_TMPDIR/in"
	head -c 64K /dev/zero >/dev/shm/rest 2>/dev/null || true
	for line in "write % --file $BATS_TEST_TMPDIR/in" "write %" "load %" "fill % 1" "copy key:7 %" "write % text"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 shmtool ${line//%//sparse} --json <"$BATS_TEST_TMPDIR/in"
		[[ $status == 6 ]] || fail "$line: expected status 6" "$(show_last)"
		json '.error | .code == "ENOSPC" and .object == "/sparse" and .limit.name == "/dev/shm blocks" and .limit.value == 65536'
	done
	for line in "poke % u8@70000=1" "poke % u32@80000=1 --add" "poke % u32@80000=0 --cas 0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 shmtool ${line//%//sparse}
		[[ $status == [67] ]] || fail "$line: expected status 6 or 7" "$(show_last)"
		assert_stderr 'its file system is full'
	done
	# Looking takes no room.
	for line in "read %" "save %" "dump %" "compare % %"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c 'shmtool "$@" >/dev/null' - ${line//%//sparse}
		assert_equal "$status$stderr" 0 "$line"
	done
	rm /dev/shm/rest
	shmtool poke /sparse u8@70000=1
}
