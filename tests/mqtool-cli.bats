# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load queues

verbs()
{
	mqtool --list-verbs | cut -f1
}

# ---- help and version ----

@test "--help and -h list the verbs and the common options" {
	local option verb option_name
	for option in --help -h; do
		run --separate-stderr mqtool "$option"
		assert_status 0
		assert_equal "$stderr" ""
		assert_match $'\nUsage:\n mqtool \\[common options\\] VERB'
		for verb in create send recv peek wait exec drain dump restore list info rm clean limits set ftok; do
			assert_match $'\n '"${verb}[ ,]"
		done
		for option_name in --json --table --plain --columns --quiet --help --version; do
			assert_match "[ ,]$option_name "
		done
		[[ $output != *list-verbs* ]]
	done
}

@test "every verb has its help, by --help and -h, whatever else is there" {
	local verb help
	for verb in $(verbs); do
		run --separate-stderr mqtool "$verb" --help
		assert_status 0
		assert_equal "$stderr" ""
		assert_match $'\nUsage:\n mqtool '"$verb"
		help=$output
		run mqtool "$verb" -h
		assert_output "$help"
		run mqtool "$verb" one two three --help
		assert_output "$help"
		run mqtool --help "$verb"
		assert_output "$help"
	done
	run mqtool receive --help
	assert_match $'mqtool recv \\[options\\] OBJECT\n'
}

@test "--version tells tool and version, before or after a verb" {
	local words
	for words in --version -V "--version send" "send --version" "recv /jobs -V"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words
		assert_status 0
		assert_equal "$stderr" ""
		assert_match '^mqtool from ipckit [0-9]+\.[0-9]+'
		assert_equal "${#lines[@]}" 1
	done
}

@test "no verb: the help on stderr and status 2" {
	run --separate-stderr mqtool
	assert_status 2
	assert_output ""
	assert_stderr $'^\n?Usage:\n'
	assert_stderr $'mqtool: a verb is missing$'
	run --separate-stderr mqtool --json
	assert_status 2
	json '.error.code == "USAGE" and .error.exit == 2 and .error.verb == null'
}

# ---- for completions ----

@test "--list-verbs: one line a verb, four fields, none empty" {
	run mqtool --list-verbs
	assert_status 0
	((${#lines[@]} >= 16))
	for line in "${lines[@]}"; do
		assert_match $'^[a-z-]+\t([a-z]+|-)\t[^\t]+\t[^\t]+$' "$line"
	done
	assert_match $'\nrecv\treceive\tOBJECT\t'
	assert_match $'\nexec\t-\tOBJECT -- COMMAND...\t'
	assert_match $'\nsend\t-\tOBJECT \\[TEXT...\\]\t'
	assert_match $'(^|\n)create\t-\t\\[OBJECT\\]\t'
}

@test "--list-options: every verb's, four fields, none hidden, none twice" {
	local verb
	for verb in $(verbs); do
		run mqtool --list-options "$verb"
		assert_status 0
		for line in "${lines[@]}"; do
			assert_match $'^--[a-z-]+\t(-[A-Za-z]|-)\t[^\t]+\t[^\t]+$' "$line"
		done
		assert_match $'(^|\n)--json\t-\t-\t'
		assert_match $'\n--columns\t(-o|-)\tA,B\t'
		[[ $output != *list-verbs* && $output != *list-options* ]]
		assert_equal "$(cut -f2 <<<"$output" | grep -v '^-$' | sort | uniq -d)" "" "$verb: letters twice"
		assert_equal "$(cut -f1 <<<"$output" | sort | uniq -d)" "" "$verb: names twice"
	done
	run mqtool --list-options recv
	assert_match $'(^|\n)--timeout\t-t\tDURATION\t'
	run --separate-stderr mqtool --list-options rceve
	assert_status 2
	assert_stderr 'did you mean recv\?$'
	run mqtool --list-options
	assert_status 2
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	local pair typed nearest
	for pair in "wiat wait" "creat create" "lst list" "snd send" "clen clean" "rcev recv" "drian drain" "restor restore" "peak peek"; do
		read -r typed nearest <<<"$pair"
		run --separate-stderr mqtool "$typed" /jobs
		assert_status 2
		assert_output ""
		assert_equal "$stderr" "mqtool: $typed: unknown verb, did you mean $nearest?"
	done
	run --separate-stderr mqtool xyzzy
	assert_status 2
	assert_equal "$stderr" "mqtool: xyzzy: unknown verb (mqtool --help lists them)"
	run --separate-stderr mqtool --json snd
	json '.error == {code: "USAGE", exit: 2, verb: null, object: "snd", message: "unknown verb, did you mean send?"}'
}

@test "an unknown option names the nearest one, and nothing is done" {
	local pair typed nearest
	mqtool create -q /jobs
	mqtool send /jobs text
	for pair in "--timout timeout" "--cuont=2 count" "--jsn json" "--hlep help"; do
		read -r typed nearest <<<"$pair"
		run --separate-stderr mqtool recv /jobs "$typed"
		assert_status 2
		assert_equal "$stderr" "mqtool recv: $typed: unknown option, did you mean --$nearest?"
	done
	run --separate-stderr mqtool recv /jobs --xyzzy
	assert_status 2
	assert_equal "$stderr" "mqtool recv: --xyzzy: unknown option (mqtool recv --help lists them)"
	run --separate-stderr mqtool recv /jobs -Z
	assert_status 2
	assert_stderr '^mqtool recv: -Z: unknown option'
	run --separate-stderr mqtool --timeout 1s recv /jobs
	assert_status 2
	assert_stderr '^mqtool: --timeout: unknown option'
	assert_count /jobs 1
}

@test "options: an argument that is missing, or one that is not taken" {
	mqtool create -q /jobs
	mqtool send /jobs text
	run --separate-stderr mqtool recv /jobs --timeout
	assert_status 2
	assert_stderr '^mqtool recv: --timeout: its argument DURATION is missing$'
	run --separate-stderr mqtool recv /jobs -t
	assert_status 2
	assert_stderr '^mqtool recv: -t: its argument DURATION is missing$'
	run --separate-stderr mqtool recv /jobs --json=yes
	assert_status 2
	assert_stderr 'takes no argument$'
	run --separate-stderr mqtool recv /jobs -1
	assert_status 2
	assert_stderr '^mqtool recv: -1: '
	assert_count /jobs 1
}

@test "options stand anywhere before --, in every spelling" {
	local words
	mqtool create -q key:7
	mqtool send key:7 1 2 3 4 5 6
	for words in "--json recv key:7 --count 1" "recv --json --count=1 key:7" "recv key:7 --count 1 --json" \
		"receive --count=1 key:7 --json" "-q --json recv key:7 --count 1 --plain" "--columns type recv key:7 --json"; do
		# shellcheck disable=SC2086 # words
		POSIXLY_CORRECT=1 run --separate-stderr mqtool $words
		[[ $status == 0 ]] || fail "$words" "$(show_last)"
		assert_equal "$stderr" ""
	done
	assert_count key:7 0
	run mqtool info -- key:7
	assert_status 0
	mqtool send key:7 text
	run mqtool exec key:7 --timeout 0 --count 1 -- echo --timeout -- --json
	assert_output "--timeout -- --json"
}

@test "what begins like an option is sent as text after --" {
	mqtool create -q /jobs --maxmsg 4
	mqtool send /jobs -- --json -1 -q
	assert_texts /jobs "--json -1 -q"
}

@test "names with odd characters are kept whole" {
	local name
	for name in '/a!#:+b' '/sp ace' $'/new\nline' '/ümlaut' $'/\001x' '/-dash' '/%s%n' '/"q"' "/it's"; do
		run mqtool create "$name"
		assert_status 0
		json --arg n "$name" '.object == $n'
		run mqtool send "$name" text --json
		assert_status 0
		json --arg n "$name" '.object == $n'
		assert_count "$name" 1
		run --separate-stderr mqtool send "$name" --priority 99999 text
		assert_status 2
		assert_equal "$(wc -l <<<"$stderr")" 1 "lines of the message"
		[[ -e /dev/mqueue/${name#/} ]]
		mqtool rm "$name"
	done
	mqtool create -q $'/new\nline'
	run mqtool list --plain --columns name
	assert_output '/new\nline'
	name=$'/no\377utf8'
	run mqtool create "$name"
	assert_status 0
	jq -e . <<<"$output"
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	mqtool create -q /jobs
	mqtool create -q key:7
	mqtool send key:7 text
	for words in "info /jobs" "list" "limits" "clean" "create /jobs" "ftok /" "peek key:7" "recv key:7"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json 'type == "object"'
	done
	for words in "send /jobs text" "wait /jobs" "drain /jobs" "set /jobs --mode 600" "rm /jobs"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words
		assert_status 0
		assert_equal "$output$stderr" "" "$words"
	done
}

@test "on a terminal a table" {
	mqtool create -q /jobs
	NO_COLOR=1 run script -qec 'mqtool list' /dev/null
	assert_status 0
	assert_match '^BACKEND +NAME'
	NO_COLOR=1 run script -qec 'mqtool list --json' /dev/null
	assert_match '"queues": *\['
}

@test "IPCKIT_FORMAT sets the default, options go before it" {
	mqtool create -q /jobs
	mqtool send /jobs text
	IPCKIT_FORMAT=plain run mqtool info /jobs -o messages
	assert_output 1
	IPCKIT_FORMAT=table run mqtool info /jobs -o messages
	assert_match '^messages +1$'
	IPCKIT_FORMAT='' run mqtool info /jobs
	json '.curmsgs == 1'
	IPCKIT_FORMAT=plain run mqtool info /jobs --json
	json '.curmsgs == 1'
	IPCKIT_FORMAT=json run mqtool send /jobs text
	assert_output ""
	IPCKIT_FORMAT=xml run --separate-stderr mqtool info /jobs
	assert_status 2
	assert_stderr '^mqtool info: IPCKIT_FORMAT: "xml" is none of json, table, plain$'
	IPCKIT_FORMAT=plain run --separate-stderr mqtool info /none
	assert_status 3
	assert_output ""
}

@test "--pretty indents, the last format counts, --quiet prints nothing" {
	mqtool create -q /jobs
	run mqtool info /jobs --pretty
	((${#lines[@]} > 3))
	json '.curmsgs == 0'
	run mqtool info /jobs --plain --json
	json '.curmsgs == 0'
	run mqtool info /jobs --json --plain -o name
	assert_output /jobs
	run --separate-stderr mqtool info /jobs -q
	assert_equal "$status$output$stderr" 0
	run --separate-stderr mqtool info /none -q
	assert_status 3
	assert_output ""
	assert_equal "$stderr" "mqtool info: /none: no such object"
}

@test "--columns help lists them with their meaning, for every verb that has some" {
	local verb some=0
	for verb in $(verbs); do
		run --separate-stderr mqtool "$verb" --columns help
		[[ $stderr != *"prints no columns" ]] || continue
		[[ $status == 0 ]] || fail "$verb" "$(show_last)"
		for line in "${lines[@]}"; do
			assert_match '^ *[a-z_]+  +[^ ].*' "$line"
		done
		((++some))
	done
	((some >= 10))
}

@test "--columns: one that there is not is refused before anything is done" {
	local columns words
	mqtool create -q /jobs
	mqtool send /jobs text
	for columns in bogus size,bogus '' ',' 'size,'; do
		run --separate-stderr mqtool recv /jobs --columns "$columns" --json
		assert_status 2
		assert_stderr '^mqtool recv: '
		json '.error.code == "USAGE"'
	done
	for words in "create /other" "rm /jobs" "drain /jobs" "send /jobs more" "set /jobs --mode 0"; do
		# shellcheck disable=SC2086 # words
		run mqtool $words --columns bogus
		[[ $status == 2 ]] || fail "$words" "$(show_last)"
	done
	assert_count /jobs 1
	assert_equal "$(mqtool info /jobs --plain -o mode)" 0600
	[[ ! -e /dev/mqueue/other ]]
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	local words verb object
	for words in "info /none" "recv /none" "send /none x --json" "peek key:9" "wait /none --json" "drain /none --json" "dump /none" \
		"rm /none --json" "set /none --mode 600 --json"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words
		verb=${words%% *}
		object=${words#* }
		object=${object%% *}
		assert_status 3
		assert_equal "$stderr" "mqtool $verb: $object: no such object"
		assert_equal "${#lines[@]}" 1
		json --arg v "$verb" --arg o "$object" '. == {error: {code: "ENOENT", exit: 3, verb: $v, object: $o,
			message: "no such object"}}'
	done
	for words in "info /none --plain" "send /none x" "recv /none --table"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words
		assert_status 3
		assert_output ""
	done
}

@test "a usage error has its document, too, and touches nothing" {
	local words
	for words in "recv" "recv /a /b" "recv jobs" "info /a/b" "send" "create /a --mode 9" "create /a --maxmsg x" "set /a" \
		"wait /a --messages 0" "create key:0" "create id:5" "create /a --type 5"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr mqtool $words --json
		[[ $status == 2 ]] || fail "$words" "$(show_last)"
		assert_equal "$(wc -l <<<"$stderr")" 1
		json '.error.code == "USAGE" and .error.exit == 2 and (.error.message | length) > 0'
	done
	run mqtool list
	assert_output '{"queues":[]}'
}

@test "a bare word is refused with the likely spelling" {
	run --separate-stderr mqtool info jobs
	assert_status 2
	assert_stderr '^mqtool info: jobs: .*did you mean /jobs'
	run --separate-stderr mqtool info 0x7
	assert_status 2
	assert_stderr 'key:0x7'
	run --separate-stderr mqtool info sem:7
	assert_status 2
	assert_stderr '^mqtool info: sem:7: '
}

@test "a message is safe for a terminal" {
	run --separate-stderr mqtool info $'/\e[31mred\a'
	assert_status 3
	[[ $stderr != *$'\e'* && $stderr != *$'\a'* ]]
}

@test "help and lists that cannot be written are status 8" {
	local words
	for words in "--help" "send --help" "--version" "--list-verbs" "--list-options recv" "recv --columns help"; do
		run --separate-stderr bash -c "mqtool $words >/dev/full"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
		assert_stderr '^mqtool.*: standard output: no space left'
	done
	run --separate-stderr bash -c "mqtool info /none >/dev/full"
	assert_status 3
}

@test "durations: what is one, and what is none" {
	local duration
	mqtool create -q /jobs
	for duration in 250us 1ms .01 0.002s 10ms 0; do
		run --separate-stderr mqtool wait /jobs --timeout "$duration"
		assert_status 1
	done
	mqtool send /jobs text
	for duration in inf 5s 1.5s 2m 1h 1d 3 9000000000; do
		run --separate-stderr mqtool wait /jobs --timeout "$duration"
		assert_status 0
	done
	for duration in 5sfoo '' -1 1x 5S 's' . 5.s.5 1e3 0x10 ' 5' '5 ' Inf infinite 99999999999999999999 9999999999999d; do
		run --separate-stderr mqtool recv /jobs --timeout="$duration"
		assert_status 2
		[[ $stderr == "mqtool recv: --timeout: \"$duration\" is "* ]] || fail "$duration" "$(show_last)"
	done
	assert_count /jobs 1
}

@test "numbers do not depend on the locale" {
	mqtool create -q /jobs
	LC_ALL=de_DE.UTF-8 run --separate-stderr mqtool wait /jobs --timeout 1,5s
	assert_status 2
	LC_ALL=C run --separate-stderr mqtool wait /jobs --timeout 0.01s
	assert_status 1
	assert_equal "$stderr" "mqtool wait: /jobs: timed out after 0.01s"
}
