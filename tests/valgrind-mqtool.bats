# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs of mqtool under valgrind.

load helpers
load valgrind

# Each run takes a second: what both backends have alike is there once.
@test "the life of a POSIX queue" {
	clean 0 create /jobs --mode 0640 --maxmsg 4 --msgsize 64
	clean 4 create /jobs --exclusive
	printf 'one\ntwo\nthree\n' >"$TMPDIR/lines"
	clean 0 send /jobs --lines --file "$TMPDIR/lines"
	clean 6 send /jobs "$(printf '%065d' 0)"
	clean 0 wait /jobs
	clean 0 recv /jobs
	clean 0 recv /jobs --raw --lines --journal "$TMPDIR/journal"
	clean 0 info /jobs
	clean 0 drain /jobs
	clean 1 recv /jobs --timeout 10ms
	clean 1 wait /jobs --notify --timeout 10ms
	clean 3 rm /jobs /other
}

@test "the life of a System V queue" {
	clean 0 create key:7
	clean 0 send key:7 --type 5 text more last
	clean 0 peek key:7 --all
	clean 0 recv key:7 --type '!4'
	clean 7 exec key:7 --count 1 -- sh -c 'exit 7'
	clean 0 set key:7 --qbytes 100 --mode g+r
	clean 0 dump key:7
	"$IPCKIT_BUILD/mqtool" dump key:7 >"$TMPDIR/dumped"
	clean 0 restore key:7 <"$TMPDIR/dumped"
	head -c 9 "$TMPDIR/dumped" >"$TMPDIR/cut"
	clean 2 restore key:7 <"$TMPDIR/cut"
	clean 0 list --table
	clean 0 limits --plain
	clean 0 clean --older-than 0 --non-empty --yes
}
