# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses.

# shellcheck disable=SC2016,SC2034 # variables of jq and of other shells, and for cli.bash
load helpers
load queues
load cli

verbs=(create send recv peek wait exec drain dump restore list info rm clean limits set ftok)

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	check_verbs_help
	succeeds "receive --help"
	assert_match $'mqtool recv \\[options\\] OBJECT\n'
	check_version "--version send" "send --version" "recv /jobs -V"
	check_no_verb
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs receive $'recv\treceive\tOBJECT' $'exec\t-\tOBJECT -- COMMAND...' \
		$'send\t-\tOBJECT \\[TEXT...\\]' $'create\t-\t\\[OBJECT\\]'
	check_list_options recv $'--timeout\t-t\tDURATION' rceve
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	check_unknown_verbs /jobs "wiat wait" "creat create" "lst list" "snd send" "clen clean" "rcev recv" "drian drain" \
		"restor restore" "peak peek"
}

@test "options that there are not, that lack their argument, that take none: nothing is done" {
	mqtool create -q /jobs
	mqtool send /jobs text
	check_unknown_options "recv /jobs" "--timeout 1s" <<-'END'
		timeout --timout recv /jobs
		count --cuont=2 recv /jobs
		json --jsn recv /jobs
		help --hlep recv /jobs
	END
	refuses "recv /jobs --timeout" "mqtool recv: --timeout: its argument DURATION is missing"
	refuses "recv /jobs -t" "mqtool recv: -t: its argument DURATION is missing"
	refuses "recv /jobs --json=yes" "mqtool recv: --json=yes: this option takes no argument"
	refuses "recv /jobs -1" "mqtool recv: -1: a negative number is not taken here"
	assert_count /jobs 1
}

@test "options stand anywhere before --, in every spelling; behind it are texts" {
	local words
	mqtool create -q key:7
	mqtool send key:7 1 2 3 4 5 6
	for words in "--json recv key:7 --count 1" "recv --json --count=1 key:7" "recv key:7 --count 1 --json" \
		"receive --count=1 key:7 --json" "-q --json recv key:7 --count 1 --plain" "--columns type recv key:7 --json"; do
		POSIXLY_CORRECT=1 succeeds "$words"
	done
	assert_count key:7 0
	succeeds "info -- key:7"
	mqtool send key:7 text
	try "exec key:7 --timeout 0 --count 1 -- echo --timeout -- --json"
	assert_output "--timeout -- --json"
	mqtool create -q /jobs --maxmsg 4
	mqtool send /jobs -- --json -1 -q
	assert_texts /jobs "--json -1 -q"
}

@test "names with odd characters are kept whole" {
	local name
	for name in "${odd_names[@]}"; do
		succeeds create "$name"
		json --arg n "$name" '.object == $n'
		succeeds send "$name" text --json
		json --arg n "$name" '.object == $n'
		assert_count "$name" 1
		ends 2 send "$name" --priority 99999 text
		assert_equal "${#stderr_lines[@]}" 1 "lines of the message"
		[[ -e /dev/mqueue/${name#/} ]]
		mqtool rm "$name"
	done
	mqtool create -q $'/new\nline'
	succeeds "list --plain --columns name"
	assert_output '/new\nline'
	succeeds create $'/no\377utf8'
	jq -e . <<<"$output"
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	mqtool create -q /jobs
	mqtool create -q key:7
	mqtool send key:7 text
	for words in "info /jobs" list limits clean "create /jobs" "ftok /" "peek key:7" "recv key:7"; do
		answers "$words"
	done
	for words in "send /jobs text" "wait /jobs" "drain /jobs" "set /jobs --mode 600" "rm /jobs"; do
		is_silent "$words"
	done
}

@test "formats: on a terminal a table, IPCKIT_FORMAT, options" {
	mqtool create -q /jobs
	on_terminal list '^BACKEND +NAME'
	on_terminal "list --json" '"queues": *\['
	mqtool send /jobs text
	check_formats "info /jobs -o messages,name" $'1\t/jobs' $'^messages +1\n' '.messages == 1'
	IPCKIT_FORMAT=json is_silent "send /jobs text"
}

@test "--columns: help lists them; one that there is not is refused before anything is done" {
	check_columns 16
	mqtool create -q /jobs
	mqtool send /jobs text
	check_unknown_columns "recv /jobs" "create /other" "rm /jobs" "drain /jobs" "send /jobs more" \
		"set /jobs --mode 0"
	assert_count /jobs 1
	assert_equal "$(mqtool info /jobs --plain -o mode)" 0600
	[[ ! -e /dev/mqueue/other ]]
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	misses "info /none" "recv /none" "send /none x --json" "peek key:9" "wait /none --json" "drain /none --json" \
		"dump /none" "rm /none --json" "set /none --mode 600 --json"
	misses_silently "info /none --plain" "send /none x" "recv /none --table" "info /none -q"
	IPCKIT_FORMAT=plain misses_silently "info /none"
	check_safe_message info
}

@test "a usage error has its document, too, and touches nothing" {
	check_usage recv "recv /a /b" "recv jobs" "info /a/b" send "create /a --mode 9" "create /a --maxmsg x" "set /a" \
		"wait /a --messages 0" "create key:0" "create id:5" "create /a --type 5"
	check_bare_word info jobs /jobs
	ends 2 "info sem:7"
	assert_stderr '^mqtool info: sem:7: '
	succeeds list
	assert_output '{"queues":[]}'
}

@test "help and lists that cannot be written are status 8" {
	check_full recv "send --help"
	run --separate-stderr bash -c "mqtool info /none >/dev/full"
	assert_status 3
}

@test "durations: what is one, and what is none, in any locale" {
	mqtool create -q /jobs
	check_durations "recv /jobs" "send /jobs 1 2 3 4 5 6 7 8 9"
	assert_count /jobs 1
}
