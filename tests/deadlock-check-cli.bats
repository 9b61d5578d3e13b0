# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check: help, the default verb, files and pipes, formats, signals, exit statuses.

# shellcheck disable=SC2016,SC2034 # variables of jq and of other shells, and for cli.bash
load helpers
load systems
load cli

verbs=(check safe request graph resolve convert explain live generate)

setup()
{
	ring 2 >"$TMPDIR/ring"
	textbook json >"$TMPDIR/textbook"
}

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	assert_match 'The default verb is check'
	check_verbs_help
	check_version "--version check" "check --version" "$TMPDIR/ring -V"
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs "" $'check\t-\t\\[FILE\\]'
	check_list_options check $'--from\t-\tFORM' chekc
}

# ---- the default verb and its operand ----

@test "check is the verb where none is given" {
	run deadlock-check check "$TMPDIR/ring"
	assert_status 1
	answer=$output
	for words in "$TMPDIR/ring" "--json $TMPDIR/ring" "$TMPDIR/ring --json" "-- $TMPDIR/ring" "check -- $TMPDIR/ring" \
		"--algorithm classic $TMPDIR/ring" "--from graph $TMPDIR/ring" "$TMPDIR/ring --from=graph" "check $TMPDIR/ring"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr deadlock-check $words
		assert_status 1
		assert_equal "$output$stderr" "$answer"
	done
	for words in "" - check "check -" "--from graph" "--json -" /dev/stdin; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr deadlock-check $words <"$TMPDIR/ring"
		assert_status 1
		assert_equal "$output$stderr" "$answer"
	done
	run --separate-stderr deadlock-check < <(cat "$TMPDIR/ring")
	assert_output "$answer"
}

@test "a file may be named like a verb, or like anything" {
	cd "$TMPDIR"
	for name in safe check ./-x 'a b' $'new\nline' '!#:+'; do
		cp ring "$name"
		run --separate-stderr deadlock-check check "$name" -o deadlocked
		assert_status 1
		assert_output '{"deadlocked":true}'
	done
	run deadlock-check check -o deadlocked -- ./-x
	assert_status 1
	run --separate-stderr deadlock-check safe
	assert_status 2
	run deadlock-check ./safe -o deadlocked
	assert_output '{"deadlocked":true}'
}

@test "on a terminal, without FILE, it does not sit and wait" {
	for words in "" check safe; do
		run script -qec "timeout 5 deadlock-check $words" /dev/null
		assert_status 2
		assert_match 'FILE is missing, and standard input is a terminal \(- reads it\)'
	done
}

@test "a word that is neither a file nor a verb names the nearest verb" {
	cd "$TMPDIR"
	for pair in "chekc check" "saef safe" "grpah graph" "resolv resolve" "conver convert" "explian explain" "generat generate"; do
		read -r typed nearest <<<"$pair"
		run --separate-stderr deadlock-check "$typed"
		assert_status 3
		assert_equal "$stderr" "deadlock-check check: $typed: no such file, did you mean the verb $nearest?"
		json --arg o "$typed" '.error.code == "ENOENT" and .error.object == $o'
		run --separate-stderr deadlock-check "$typed" ring
		assert_status 2
		assert_equal "$stderr" "deadlock-check check: $typed: unknown verb, did you mean $nearest?"
	done
	cp ring chekc
	run deadlock-check chekc -q
	assert_status 1
}

@test "files that cannot be read" {
	run --separate-stderr deadlock-check "$TMPDIR/none"
	assert_status 3
	assert_equal "$stderr" "deadlock-check check: $TMPDIR/none: no such file"
	json --arg o "$TMPDIR/none" '. == {error: {code: "ENOENT", exit: 3, verb: "check", object: $o, message: "no such file"}}'
	run --separate-stderr deadlock-check "$TMPDIR/ring/x"
	assert_status 8
	json '.error.code == "ENOTDIR"'
	run --separate-stderr deadlock-check "$TMPDIR"
	assert_status 8
	assert_equal "$stderr" "deadlock-check check: $TMPDIR: is a directory"
	run --separate-stderr deadlock-check <"$TMPDIR"
	assert_status 8
	assert_equal "$stderr" "deadlock-check check: standard input: is a directory"
	run --separate-stderr deadlock-check /dev/null
	assert_status 2
	assert_equal "$stderr" "deadlock-check check: /dev/null:1:1: the input is empty"
	chmod 0 "$TMPDIR/ring"
	run --separate-stderr as_unprivileged deadlock-check "$TMPDIR/ring"
	assert_status 5
	assert_equal "$stderr" "deadlock-check check: $TMPDIR/ring: permission denied"
	json '.error.code == "EACCES" and .error.exit == 5'
}

@test "standard input closed" {
	run --separate-stderr bash -c 'deadlock-check <&-'
	assert_status 8
	assert_equal "$stderr" "deadlock-check check: standard input: bad file descriptor"
	json '.error.code == "EBADF"'
	run --separate-stderr bash -c 'deadlock-check "$1" -o deadlocked <&-' - "$TMPDIR/ring"
	assert_status 1
	assert_output '{"deadlocked":true}'
}

# ---- usage ----

@test "options that there are not, that lack their argument, operands too many" {
	while read -r words message; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr deadlock-check ${words//,/ } "$TMPDIR/ring"
		assert_status 2
		[[ $stderr == "deadlock-check check: $message" ]] || fail "$words" "$(show_last)"
		json '.error.code == "USAGE" and .error.exit == 2'
	done <<-'END'
	--algoritm,x --algoritm: unknown option, did you mean --algorithm?
	--frmo,x --frmo: unknown option, did you mean --from?
	--trace=1 --trace=1: this option takes no argument
	--algorithm,x --algorithm: x: expected watch or classic
	-o,bogus --columns: there is no column "bogus" (--columns help lists them)
	-1 -1: a negative number is not taken here
	END
	run --separate-stderr deadlock-check "$TMPDIR/ring" --algorithm
	assert_status 2
	assert_stderr '^deadlock-check check: --algorithm: its argument NAME is missing$'
	run --separate-stderr deadlock-check check "$TMPDIR/ring" "$TMPDIR/ring"
	assert_status 2
	assert_stderr 'one operand too many; usage: deadlock-check check \[options\] \[FILE\]$'
}

@test "a message is safe for a terminal" {
	check_safe_message ""
}

# ---- formats ----

@test "formats: IPCKIT_FORMAT, options, columns" {
	check_formats "check $TMPDIR/textbook -o deadlocked,processes" $'false\t-' $'^deadlocked +no\nprocesses +none$' '.deadlocked == false'
	IPCKIT_FORMAT=plain ends 3 "$TMPDIR/none"
	assert_output ""
	ends 3 "$TMPDIR/none -q"
	assert_output ""
	assert_equal "$stderr" "deadlock-check check: $TMPDIR/none: no such file"
	check_columns 6
}

@test "tables may not depend on the locale" {
	for locale in C C.UTF-8; do
		LC_ALL=$locale run deadlock-check --table "$TMPDIR/textbook" --trace
		assert_status 0
		assert_match 'P3 can finish, and gives back 0 1 2 0 -> available 2 2 2 0'
	done
}

# ---- output that fails ----

@test "a failed write is a failed run: status 8" {
	check_full check "$TMPDIR/ring" "$TMPDIR/textbook --plain" "$TMPDIR/textbook --table"
	run --separate-stderr bash -c 'deadlock-check "$1" >&-' - "$TMPDIR/textbook"
	assert_status 8
	run --separate-stderr bash -c 'deadlock-check -q "$1" >&-' - "$TMPDIR/textbook"
	assert_equal "$status$stderr" 0
	run --separate-stderr bash -c 'deadlock-check "$1" >/dev/full' - "$TMPDIR/none"
	assert_status 3
	# More than what is buffered.
	ring 2000 >"$TMPDIR/long"
	run --separate-stderr bash -c 'deadlock-check "$1" >/dev/full' - "$TMPDIR/long"
	assert_status 8
}

@test "a closed pipe ends it quietly" {
	ring 2000 >"$TMPDIR/long"
	mkfifo "$TMPDIR/pipe"
	# The reader of 6 has gone.
	exec 5<>"$TMPDIR/pipe"
	exec 6>"$TMPDIR/pipe"
	exec 5<&-
	for file in textbook long; do
		run --separate-stderr env --default-signal=PIPE bash -c 'exec deadlock-check "$1" >&6' - "$TMPDIR/$file"
		assert_status 141
		assert_equal "$stderr" ""
	done
	exec 6>&-
}

# ---- signals ----

# A run that reads a FIFO of which the beginning of the input came: its pid in $pid.
start_reading()
{
	rm -f "$TMPDIR/fifo"
	mkfifo "$TMPDIR/fifo"
	exec 7<>"$TMPDIR/fifo"
	printf '{"existing":[' >&7
	start deadlock-check "$@" "$TMPDIR/fifo" 7>&-
	wait_until 5 reads_all "$pid"
}

# Whether it sleeps in read(2) and the FIFO is empty.
reads_all()
{
	blocked_in "$1" read && ! read -r -t 0 <&7
}

@test "interrupted or ended while it reads: as the shell sees it, without a word" {
	for pair in "INT 130" "TERM 143" "HUP 129" "KILL 137"; do
		read -r signal wanted <<<"$pair"
		start_reading check
		kill -"$signal" "$pid"
		finish "$pid"
		assert_equal "$status$output$stderr" "$wanted" "after SIG$signal"
		exec 7>&-
	done
}

@test "stopped and continued it reads on" {
	start_reading check -o deadlocked
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 state_is "$pid" S
	printf '1,1],"allocation":[[1,0],[0,1]],' >&7
	printf '"request":[[0,1],[1,0]]}' >&7
	exec 7>&-
	finish "$pid"
	assert_equal "$status$output$stderr" '1{"deadlocked":true}'
}

@test "input in pieces of any size" {
	for file in ring textbook; do
		deadlock-check --trace "$TMPDIR/$file" >"$TMPDIR/answer" || true
		for size in 1 7 64; do
			run --separate-stderr bash -c 'dd if="$1" bs="$2" status=none | deadlock-check --trace' - "$TMPDIR/$file" $size
			assert_equal "$output$stderr" "$(<"$TMPDIR/answer")"
		done
	done
}

@test "a chain of 100,000 processes, and a ring of as many" {
	seq 100000 | awk '{ print "p" $1 " -> p" $1 + 1 }' >"$TMPDIR/chain"
	run deadlock-check -o deadlocked "$TMPDIR/chain"
	assert_status 0
	echo 'p100001 -> p1' >>"$TMPDIR/chain"
	deadlock-check "$TMPDIR/chain" >"$TMPDIR/answer" || [[ $? == 1 ]]
	jq -e '(.processes | length) == 100001 and (.core | length) == 100001 and (.cycle | length) == 100002' "$TMPDIR/answer"
}
