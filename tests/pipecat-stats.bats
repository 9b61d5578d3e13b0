# SPDX-License-Identifier: GPL-2.0-or-later
# What pipecat relay tells of itself: --stats and --each, and progress on a terminal and elsewhere.
# shellcheck disable=SC2016 # the variables of jq and other shells

load helpers
load ends

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# stats QUERY: of the one line on standard error of the last `run` or `finish`.
stats()
{
	jq -se "length == 1 and (.[0] | $1)" <<<"$(grep "^{" <<<"$stderr")" >/dev/null || fail "stats: not $1" "$(show_last)"
}

@test "--stats: one line, of what moved, how long it took and how; the data are not touched" {
	head -c 1000000 /dev/zero >in
	run --separate-stderr pipecat in out --stats
	assert_equal "$status$output" 0
	cmp in out
	stats '.source == "in" and .sink == "out" and .bytes == 1000000 and .lost == 0 and .messages == null
		and .seconds > 0 and .rate > 0 and (.rate * .seconds - 1000000 | fabs) < 100000
		and (.method | IN("copy", "copy-range")) and .error == null and (has("back_bytes") | not)'
	run --separate-stderr bash -c 'pipecat in - --stats | cat >out'
	cmp in out
	stats '.sink == "-" and .bytes == 1000000 and .method == "copy"'
	run --separate-stderr bash -c 'pipecat in - --stats --zero-copy | cat >out'
	cmp in out
	stats '.method == "splice"'
	run --separate-stderr bash -c 'pipecat in - --stats --buffer 64K | cat >out'
	cmp in out
	stats '.method == "buffered"'
	run --separate-stderr bash -c 'cat in | pipecat - exec:"cat >out" --stats'
	cmp in out
	stats '.method == "splice" and .sink == "exec:cat >out"'
	# A run that fails tells, too, beside its failure.
	run --separate-stderr pipecat in /dev/full --stats
	assert_status 6
	stats '.bytes == 0 and .error == "ENOSPC"'
	run --separate-stderr bash -c 'env --default-signal=PIPE pipecat /dev/zero - --stats | head -c 1000 >/dev/null; exit "${PIPESTATUS[0]}"'
	assert_status 141
	stats '.error == "EPIPE"'
	mkfifo fifo
	start pipecat fifo /dev/null --stats
	exec 5>fifo
	wait_until 5 waits "$pid"
	kill -INT "$pid"
	finish "$pid"
	died_of INT
	stats '.error == "EINTR" and .bytes == 0'
	exec 5>&-
}

@test "--rate: no faster, and told so" {
	head -c 100000 /dev/zero >in
	run --separate-stderr timeout 20 pipecat in out --rate 200KB --stats
	assert_status 0
	cmp in out
	stats '.bytes == 100000 and .rate <= 220000 and .seconds >= 0.4'
}

@test "--each: a line for each connection, with who it was" {
	start_listening --both tcp-listen:0 exec:cat --each
	pipecat --both - "tcp:127.0.0.1:$port" <<<text >/dev/null
	finish "$pid"
	stats '(.peer | test("^127\\.0\\.0\\.1:[0-9]+$")) and .bytes == 5 and .back_bytes == 5 and .time > 1.6e9
		and .seconds >= 0 and .error == null'
	start pipecat unix-seqpacket-listen:sock - --each
	wait_until 5 listens_at sock
	pipecat - unix-seqpacket:sock <<<text
	finish "$pid"
	assert_output text
	stats '(.peer | test("^pid=[0-9]+ uid=0$")) and .bytes == 5 and (has("back_bytes") | not)'
}

# ---- progress ----

# on_terminal WORDS: runs them on a terminal of 80 columns, in the background.
on_terminal()
{
	start script -qec "stty cols 80; { printf 'first '; sleep 2.4; printf second; } | $1" /dev/null
}

@test "progress: by itself on a terminal alone, after a second, and taken away; all of it when asked for" {
	local -A pids
	for name in itself quiet data back file asked total quick; do
		case $name in
		itself) on_terminal "pipecat - /dev/null" ;;
		quiet) on_terminal "pipecat - /dev/null -q" ;;
		data) on_terminal "pipecat -" ;;
		back) on_terminal "pipecat --both - exec:cat" ;;
		file) on_terminal "pipecat - /dev/null 2>err" ;;
		asked) on_terminal "pipecat - /dev/null --progress" ;;
		total) on_terminal "pipecat - out --progress --size 24" ;;
		quick) start script -qec "printf text | pipecat - /dev/null" /dev/null ;;
		esac
		pids[$name]=$pid
	done
	for name in "${!pids[@]}"; do
		finish "${pids[$name]}"
		assert_status 0
		case $name in
		itself)
			assert_match $'\r(6|12) 0:00:0[1-9] \\[[0-9]+/s\\] \\[[0-9]+/s\\]'
			# It is taken away: what is left of the line is blank.
			assert_match $'\r +\r$'
			;;
		data | back) assert_output "first second" ;;
		asked)
			assert_match $'\r6 0:00:0[01] \\[[0-9]+/s\\] \\[[0-9]+/s\\]'
			assert_match $'\r12 0:00:0[1-9] \\[[0-9]+/s\\] \\[[0-9]+/s\\] *\r?$'
			;;
		total)
			assert_match $'6 0:00:0[1-9] \\[[0-9]+/s\\] \\[[0-9]+/s\\] \\[=+> +\\] 25% ETA 0:00:[0-9]+\r'
			assert_match $'12 0:00:0[1-9] \\[.*\\[=+> +\\] 50% ETA '
			;;
		*) assert_output "" ;;
		esac
	done
	[[ ! -s err ]] || fail "not on a terminal: $(<err)"
	# Elsewhere lines, where it is asked for.
	run --separate-stderr bash -c '{ printf "first "; sleep 2.3; printf second; } | pipecat - --progress --size 12'
	assert_output "first second"
	assert_match $'^(6 0:00:0[1-9] \\[[0-9]+/s\\] \\[[0-9]+/s\\] 50% ETA 0:00:0[1-9]\n)+12 0:00:0[1-9] \\[[0-9]+/s\\] \\[[0-9]+/s\\] 100% ETA 0:00:00\n?$' "$stderr"
	# Of a file how much is left is known.
	head -c 1000 /dev/zero >in
	run --separate-stderr bash -c '{ head -c 500 >/dev/null; pipecat - /dev/null --progress; } <in'
	assert_match '^500 0:00:00 .* 100% ETA 0:00:00' "$stderr"
}
