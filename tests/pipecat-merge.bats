# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat merge: lines and records of several ends to one, whole, and each source's in their order.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

merges()
{
	run --separate-stderr timeout 20 pipecat merge "$@"
	assert_equal "$status/$stderr" 0/ "status and errors of: $*"
}

# refused STATUS CODE REGEX ARG...: in JSON, too.
refused()
{
	refusal_with merge "$@"
}

# stands DGRAM: somebody has this name.
stands()
{
	grep -q "$1" /proc/net/unix
}

# ---- what it is for ----

@test "lines of several writers, whole and in order, also when they come in pieces" {
	for i in 1 2 3; do
		# By 7 bytes at a time.
		seq -f "$i %.0f abcdefghijklmnopqrstuvwxyz" 300 >"in.$i"
		commands[i]="exec:stdbuf -o0 dd if=in.$i obs=7 status=none"
	done
	merges "${commands[@]}" out --json
	json '.records == 900 and (.sources | length) == 3 and all(.sources[]; .records == 300 and .error == null and
		.dropped == 0) and .bytes == ([.sources[].bytes] | add)'
	for i in 1 2 3; do
		grep "^$i " out | cmp - "in.$i"
	done
	assert_equal "$(wc -l <out)" 900
	# A last line gets its end; NUL; a size.
	printf 'a\nb' >open
	merges open - open "exec:sort" </dev/null
	assert_output $'a\na\nb\nb'
	printf 'a\nb\0c' >zeros
	merges zeros zeros -z "exec:tr '\\n\\0' 'x\\n' | sort"
	assert_output $'axb\naxb\nc\nc'
	run --separate-stderr timeout 10 pipecat merge open zeros out --each
	jq -se '[.[].source] == ["open", "zeros"] and [.[].records] == [2, 2]' <<<"$stderr" >/dev/null || fail "$stderr"
	for i in 1 2; do
		yes $i | head -c 1000000 >"in.$i"
	done
	merges "exec:cat in.1" "exec:cat in.2" --record 500 out
	assert_equal "$(xxd -p -c 500 out | sort | uniq -c | awk '{ print $1 }' | xargs)" "2000 2000"
}

@test "one source: every byte, of any size" {
	seq 200000 >random
	for size in 0 1 4096 65537 1000000; do
		head -c $size random >in
		# shellcheck disable=SC2002,SC2094 # a pipe is meant
		cat in | timeout 10 pipecat merge - - --stats >out 2>stats
		head -c $size out | cmp in -
		jq -e --argjson size $size '.bytes - $size <= 1 and .records == .sources[0].records and .sink == "-" and
			.error == null' stats >/dev/null || fail "statistics: $(<stats)"
	done
}

@test "sources that listen are accepted at the beginning; messages are lines" {
	start pipecat merge unix-listen:@a.$$ unix-listen:sock unix-seqpacket-listen:@c.$$ out
	wait_until 5 connects_at "@c.$$"
	merge=$pid
	for to in unix-seqpacket:@c.$$ unix:sock unix:@a.$$; do
		echo "to $to" | timeout 10 pipecat merge - "$to"
	done
	finish "$merge"
	assert_equal "$status/$output/$stderr" 0//
	assert_equal "$(sort out)" "$(printf 'to %s\n' unix-seqpacket:@c.$$ unix:@a.$$ unix:sock | sort)"
	[[ ! -e sock ]] || fail "its socket is left behind"
	start pipecat merge unix-dgram-listen:@d.$$ out --idle 3s
	wait_until 5 stands "@d.$$"
	for i in 1 2 3; do
		printf 'message %s' $i | timeout 10 pipecat tee - unix-dgram:@d.$$
	done
	finish "$pid"
	assert_equal "$status/$(<out)" $'1/message 1\nmessage 2\nmessage 3'
	assert_stderr "timed out after 3s: nothing has moved"
}

@test "FIFOs: read from whoever comes first; --timeout" {
	mkfifo a b
	echo pear >pear
	for order in "a b" "b a"; do
		# shellcheck disable=SC2086 # two words
		start sh -c 'pipecat write "$1" <pear && echo plum >"$2"' - $order
		writer=$pid
		merges a b out
		finish "$writer"
		assert_equal "$status/$(sort out)" $'0/pear\nplum'
	done
	start sh -c 'echo 1 >a && echo 2 >new'
	rm out
	merges fifo:new a out
	assert_equal "$(sort out)" $'1\n2'
	# Who has not come in time is left out, and the others are read to their end.
	exec 7<>b
	start pipecat merge a b --timeout 100ms out --json 7>&-
	echo 1 >&7
	wait_until 5 grep -q . "$(err_of "$pid")"
	! gone "$pid" || fail "it has not read the rest" "$(show_last)"
	echo 2 >&7
	exec 7>&-
	finish "$pid"
	assert_equal "$status/$stderr/$(<out)" $'1/pipecat merge: a: timed out after 100ms/1\n2'
	json '.error.code == "ETIMEDOUT" and .records == 2 and [.sources[].error] == ["ETIMEDOUT", null]'
}

# ---- records that are none ----

@test "a record that is too long, or cut: the source is left out, named with the record" {
	printf '12345\n123456\n1\n' >long
	seq 5 >others
	refused 6 EMSGSIZE 'long: record 2 is longer than 5 bytes \(--longest\)' long others out --longest 5
	json '[.sources[].error] == ["EMSGSIZE", null] and .sources[0].dropped == 9 and .records == 6'
	assert_equal "$(sort -n out)" $'1\n2\n3\n4\n5\n12345'
	head -c 1048577 /dev/zero | tr '\0' x >long
	refused 6 EMSGSIZE 'long: record 1 is longer than 1048576 bytes' long others out
	assert_equal "$(<out)" "$(<others)"
	truncate -s -1 long
	merges long out
	assert_equal "$(stat -c %s out)" 1048577
	refused 7 EBADMSG 'others: ends in the middle of record 2' others out --record 7
	assert_equal "$(<out)" $'1\n2\n3\n4'
	# Its writer does not wait for ever.
	mkfifo fifo
	start sh -c 'yes 123456 | head -n 1000000 >fifo'
	writer=$pid
	start pipecat merge fifo "exec:sleep 100" out --longest 3
	merge=$pid
	finish "$writer"
	kill -TERM "$merge"
	finish "$merge"
	died_of TERM
	assert_stderr 'fifo: record 1 is longer'
}

# ---- bad input, and ends that fail ----

@test "bad operands and options: status 2, and nothing is touched" {
	echo kept >file
	refused 2 USAGE "an operand is missing" file
	refused 2 USAGE "-: is given 2 times" - - file
	refused 2 USAGE "file: the source is the same file" file file
	refused 2 USAGE "file: a source is the same file" file file --append
	refused 2 USAGE '--record: at least 1 byte' file out --record 0
	refused 2 USAGE '--record: "x"' file out --record x
	refused 2 USAGE '--record: not with --null' file out --record 1 -z
	refused 2 USAGE '--record: not with --longest' file out --record 1 --longest 2
	refused 2 USAGE '--longest: at most 1T' file out --longest 2T
	assert_equal "$(<file)" kept
}

@test "statuses 3 and 6; a command's own; a reader that goes" {
	seq 100000 >in
	refused 3 ENOENT "missing: no such file" in missing out
	refused 6 ENOSPC "/dev/full: no space left.*; it took 0 bytes before" in in /dev/full
	json '.sources[0].bytes == 0 and .sources[0].dropped > 0'
	run --separate-stderr timeout 10 pipecat merge "exec:cat in; exit 5" in out
	assert_equal "$status/$stderr/$(wc -l <out)" 5//200000
	run bash -c 'pipecat merge in in in in in in - | :; exit ${PIPESTATUS[0]}'
	assert_equal "$status/$output" 141/
	merges in "exec:exit 0"
}

@test "interrupted, killed, nothing to be had: what came before is delivered" {
	mkfifo a b
	exec 7<>a 8<>b
	for signal in TERM KILL; do
		rm -f out
		start pipecat merge a b out
		echo one >&7
		echo two >&8
		wait_until 5 grep -qs two out
		wait_until 5 grep -qs one out
		kill -$signal "$pid"
		finish "$pid"
		died_of $signal
		assert_equal "$output$stderr" ""
	done
	refused 1 EAGAIN "out: would block" a b out --nonblock
	refused 1 ETIMEDOUT "out: timed out after 50ms: nothing has moved" a b out --idle 50ms
	exec 7>&- 8>&-
	refused 1 ETIMEDOUT "a: timed out after 50ms" a b out --timeout 50ms
}
