# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs of shmtool under valgrind.

load helpers
load valgrind

@test "the life of a POSIX segment" {
	clean 0 create /frame --size 8K --mode 0640 --fill 0x20
	clean 7 create /frame --size 4K
	clean 6 write /frame hello --offset 8190
	clean 0 write /frame hello --offset 10 --nul
	clean 0 read /frame --offset 10 --length 6 --json
	json '.data_base64 == "aGVsbG8A"'
	clean 1 poke /frame f64be@8=0.5 --cas 0.25
	clean 1 wait /frame u32@0 eq 8 --timeout 10ms
	clean 0 resize /frame 16K
	clean 0 info /frame
	clean 3 rm /frame /other
}

@test "the life of a System V segment" {
	semctl-cli create key:8 --value 1 --quiet
	printf text >"$TMPDIR/text"
	clean 0 create key:7 --size 4096
	clean 0 write key:7 --file "$TMPDIR/text" --lock key:8
	clean 0 dump key:7 --length 40
	clean 0 peek key:7 u32@0 i8@4 f64be@8
	clean 1 compare key:7 "$TMPDIR/text"
	clean 0 lock key:7
	clean 0 users key:7
	clean 0 set key:7 --mode g+r
	clean 0 list --table
	clean 0 limits --plain
	clean 0 clean --yes
}

@test "a stream, and a segment in a file" {
	seq 100 >"$TMPDIR/numbers"
	clean 0 send /ring --size 4K <"$TMPDIR/numbers"
	clean 0 recv /ring --remove
	assert_output "$(<"$TMPDIR/numbers")"
	shmtool create /lock --size 4 --quiet
	clean 0 load /copy --create <"$TMPDIR/numbers"
	clean 0 read /copy --lock /lock@0
	assert_output "$(<"$TMPDIR/numbers")"
}
