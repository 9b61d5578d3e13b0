# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs under valgrind: no invalid access, no uninitialised value, no leak.

load helpers
load systems

setup()
{
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	! grep -q __asan_init "$IPCKIT_BUILD/semctl-cli" || skip "the build has sanitizers"
}

# clean STATUS ARG...: semctl-cli ends with STATUS and valgrind finds nothing.
clean()
{
	clean_tool semctl-cli "$@"
}

# clean_tool TOOL STATUS ARG...
clean_tool()
{
	local tool=$1 wanted=$2
	shift 2
	run valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
		--errors-for-leak-kinds=definite,indirect "$IPCKIT_BUILD/$tool" "$@"
	assert_status "$wanted"
}

@test "help and version" {
	clean 0 --help
	clean 0 wait --help
	clean 0 --version
}

@test "usage errors" {
	clean 2 nosuchverb
	clean 2 wait /jobs --timeout 5sfoo
	clean 2 post jobs
}

@test "the life of a POSIX semaphore" {
	clean 0 create /jobs --value 2
	clean 4 create /jobs --exclusive
	clean 0 value /jobs
	clean 0 post /jobs --count 2
	clean 0 wait /jobs --count 3
	clean 0 set /jobs 0
	clean 1 wait /jobs --timeout 0
	clean 1 wait /jobs --timeout 10ms
	clean 0 info /jobs
	clean 0 chmod /jobs 0640
	clean 0 rm /jobs
	clean 3 rm /jobs
}

@test "the life of a System V set" {
	clean 0 create key:0x1234 --nsems 3 --values 1,2,3
	clean 0 value key:0x1234#1
	clean 0 op key:0x1234 0:-1 1:+2n
	clean 0 values key:0x1234
	clean 0 values key:0x1234 set 0,0,1
	clean 1 wait key:0x1234 --timeout 0
	clean 0 wait-zero key:0x1234
	clean 0 info key:0x1234
	clean 0 rm key:0x1234
}

@test "tables, lists and limits" {
	clean 0 create /jobs
	clean 0 create private --nsems 2
	for format in --json --table --plain; do
		clean 0 list "$format"
		clean 0 limits "$format"
		clean 0 info /jobs "$format"
	done
	clean 0 list --columns help
	clean 0 clean --older-than 1h
	clean 0 ftok /dev
}

# Guardians are left out: valgrind 3.19 does not know pidfd_open(2).
@test "commands" {
	clean 0 create key:1 --value 1
	clean 7 exec key:1 -- sh -c 'exit 7'
	clean 127 exec key:1 -- /nonexistent
	clean 124 exec key:1 --count 2 --timeout 0 -- true
	clean 0 eventfd --value 1 -- true
}

# Each run takes a second: what both backends have alike is there once.
@test "mqtool: the life of a POSIX queue" {
	clean_tool mqtool 0 create /jobs --mode 0640 --maxmsg 4 --msgsize 64
	clean_tool mqtool 4 create /jobs --exclusive
	printf 'one\ntwo\nthree\n' >"$TMPDIR/lines"
	clean_tool mqtool 0 send /jobs --lines --file "$TMPDIR/lines"
	clean_tool mqtool 6 send /jobs "$(printf '%065d' 0)"
	clean_tool mqtool 0 wait /jobs
	clean_tool mqtool 0 recv /jobs
	clean_tool mqtool 0 recv /jobs --raw --lines --journal "$TMPDIR/journal"
	clean_tool mqtool 0 info /jobs
	clean_tool mqtool 0 drain /jobs
	clean_tool mqtool 1 recv /jobs --timeout 10ms
	clean_tool mqtool 1 wait /jobs --notify --timeout 10ms
	clean_tool mqtool 3 rm /jobs /other
}

@test "mqtool: the life of a System V queue" {
	clean_tool mqtool 0 create key:7
	clean_tool mqtool 0 send key:7 --type 5 text more last
	clean_tool mqtool 0 peek key:7 --all
	clean_tool mqtool 0 recv key:7 --type '!4'
	clean_tool mqtool 7 exec key:7 --count 1 -- sh -c 'exit 7'
	clean_tool mqtool 0 set key:7 --qbytes 100 --mode g+r
	clean_tool mqtool 0 dump key:7
	"$IPCKIT_BUILD/mqtool" dump key:7 >"$TMPDIR/dumped"
	clean_tool mqtool 0 restore key:7 <"$TMPDIR/dumped"
	head -c 9 "$TMPDIR/dumped" >"$TMPDIR/cut"
	clean_tool mqtool 2 restore key:7 <"$TMPDIR/cut"
	clean_tool mqtool 0 list --table
	clean_tool mqtool 0 limits --plain
	clean_tool mqtool 0 clean --older-than 0 --non-empty --yes
}

@test "deadlock-check: verbs, forms, malformed input" {
	textbook json "2 1 1 0" >"$TMPDIR/json"
	textbook dot >"$TMPDIR/dot"
	five_by_three text >"$TMPDIR/claims"
	write_textbook_mtx
	clean_tool deadlock-check 1 "$TMPDIR/json" --trace
	clean_tool deadlock-check 0 "${mtx[@]}" --table
	clean_tool deadlock-check 0 resolve "$TMPDIR/json"
	clean_tool deadlock-check 0 convert --to graph "$TMPDIR/json"
	clean_tool deadlock-check 0 graph "$TMPDIR/dot"
	clean_tool deadlock-check 0 generate --processes 5 --resources 3
	clean_tool deadlock-check 0 request "$TMPDIR/claims" P1 A=1,C=2
	for form in json dot claims; do
		head -c -9 "$TMPDIR/$form" >"$TMPDIR/cut"
		clean_tool deadlock-check 2 "$TMPDIR/cut"
	done
}
