# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

verbs()
{
	semctl-cli --list-verbs | cut -f1
}

# ---- help and version ----

@test "--help and -h list the verbs and the common options" {
	for option in --help -h; do
		run --separate-stderr semctl-cli "$option"
		assert_status 0
		assert_equal "$stderr" ""
		assert_match $'\nUsage:\n semctl-cli \\[common options\\] VERB'
		for verb in create wait post value set op values exec list info rm clean limits repair; do
			assert_match $'\n '"${verb}[ ,]"
		done
		for option_name in --json --table --plain --columns --quiet --help --version; do
			assert_match "[ ,]$option_name "
		done
		[[ $output != *list-verbs* ]]
	done
}

@test "every verb has its help, by --help and -h, whatever else is there" {
	verbs=$(verbs)
	for verb in $verbs; do
		run --separate-stderr semctl-cli "$verb" --help
		assert_status 0
		assert_equal "$stderr" ""
		assert_match $'\nUsage:\n semctl-cli '"$verb"
		help=$output
		run semctl-cli "$verb" -h
		assert_output "$help"
		run semctl-cli "$verb" one two three --help
		assert_output "$help"
		run semctl-cli --help "$verb"
		assert_output "$help"
	done
	run semctl-cli p --help
	assert_match $'semctl-cli wait \\[options\\] OBJECT\n'
}

@test "--version tells tool and version, before or after a verb" {
	for words in --version -V "--version wait" "wait --version" "wait /jobs -V"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words
		assert_status 0
		assert_equal "$stderr" ""
		assert_match '^semctl-cli from ipckit [0-9]+\.[0-9]+'
		assert_equal "${#lines[@]}" 1
	done
}

@test "no verb: the help on stderr and status 2" {
	run --separate-stderr semctl-cli
	assert_status 2
	assert_output ""
	assert_stderr $'^\n?Usage:\n'
	assert_stderr $'semctl-cli: a verb is missing$'
	run --separate-stderr semctl-cli --json
	assert_status 2
	json '.error.code == "USAGE" and .error.exit == 2 and .error.verb == null'
}

# ---- for completions ----

@test "--list-verbs: one line a verb, four fields, none empty" {
	run semctl-cli --list-verbs
	assert_status 0
	((${#lines[@]} >= 18))
	for line in "${lines[@]}"; do
		assert_match $'^[a-z-]+\t([a-z]|-)\t[^\t]+\t[^\t]+$' "$line"
	done
	assert_match $'\nwait\tp\tOBJECT\t'
	assert_match $'\nop\t-\tOBJECT OP\.\.\. \[-- COMMAND\.\.\.\]\t'
	assert_match $'(^|\n)create\t-\t\\[OBJECT\\]\t'
	[[ $output != *guard* ]]
}

@test "--list-options: every verb's, four fields, none hidden" {
	verbs=$(verbs)
	for verb in $verbs; do
		run semctl-cli --list-options "$verb"
		assert_status 0
		for line in "${lines[@]}"; do
			assert_match $'^--[a-z-]+\t(-[A-Za-z]|-)\t[^\t]+\t[^\t]+$' "$line"
		done
		assert_match $'(^|\n)--json\t-\t-\t'
		assert_match $'\n--columns\t-o\tA,B\t'
		[[ $output != *list-verbs* && $output != *list-options* ]]
	done
	run semctl-cli --list-options wait
	assert_match $'(^|\n)--timeout\t-t\tDURATION\t'
	run --separate-stderr semctl-cli --list-options wiat
	assert_status 2
	assert_stderr 'did you mean wait\?$'
	run semctl-cli --list-options
	assert_status 2
}

@test "no letter stands for two options of a verb" {
	verbs=$(verbs)
	for verb in $verbs; do
		run semctl-cli --list-options "$verb"
		assert_equal "$(cut -f2 <<<"$output" | grep -v '^-$' | sort | uniq -d)" "" "$verb: letters twice"
		assert_equal "$(cut -f1 <<<"$output" | sort | uniq -d)" "" "$verb: names twice"
	done
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	for pair in "wiat wait" "creat create" "lst list" "vlaue value" "clen clean" "wait-zer wait-zero" "postt post"; do
		read -r typed nearest <<<"$pair"
		run --separate-stderr semctl-cli "$typed" /jobs
		assert_status 2
		assert_output ""
		assert_equal "$stderr" "semctl-cli: $typed: unknown verb, did you mean $nearest?"
	done
	run --separate-stderr semctl-cli xyzzy
	assert_status 2
	assert_equal "$stderr" "semctl-cli: xyzzy: unknown verb (semctl-cli --help lists them)"
	run --separate-stderr semctl-cli --json wiat
	json '.error == {code: "USAGE", exit: 2, verb: null, object: "wiat", message: "unknown verb, did you mean wait?"}'
}

@test "an unknown option names the nearest one, and nothing is done" {
	semctl-cli create -q /jobs --value 1
	for pair in "--timout timeout" "--cuont=2 count" "--jsn json" "--hlep help"; do
		read -r typed nearest <<<"$pair"
		run --separate-stderr semctl-cli wait /jobs "$typed"
		assert_status 2
		assert_equal "$stderr" "semctl-cli wait: $typed: unknown option, did you mean --$nearest?"
	done
	run --separate-stderr semctl-cli wait /jobs --xyzzy
	assert_status 2
	assert_equal "$stderr" "semctl-cli wait: --xyzzy: unknown option (semctl-cli wait --help lists them)"
	run --separate-stderr semctl-cli wait /jobs -Z
	assert_status 2
	assert_stderr '^semctl-cli wait: -Z: unknown option'
	run --separate-stderr semctl-cli --timeout 1s wait /jobs
	assert_status 2
	assert_stderr '^semctl-cli: --timeout: unknown option'
	assert_value /jobs 1
}

@test "options: an argument that is missing, or one that is not taken" {
	semctl-cli create -q /jobs --value 1
	run --separate-stderr semctl-cli wait /jobs --timeout
	assert_status 2
	assert_stderr '^semctl-cli wait: --timeout: its argument DURATION is missing$'
	run --separate-stderr semctl-cli wait /jobs -t
	assert_status 2
	assert_stderr '^semctl-cli wait: -t: its argument DURATION is missing$'
	run --separate-stderr semctl-cli wait /jobs --json=yes
	assert_status 2
	assert_stderr 'takes no argument$'
	run --separate-stderr semctl-cli wait /jobs -1
	assert_status 2
	assert_equal "$stderr" "semctl-cli wait: -1: a negative number is not taken here"
	assert_value /jobs 1
}

@test "options stand anywhere before --, in every spelling" {
	semctl-cli create -q /jobs --value 9
	for words in "--json wait /jobs --count 1" "wait --json --count=1 /jobs" "wait /jobs -c 1 --json" \
		"wait -c1 /jobs --json" "-q --json wait /jobs -c1 --plain" "--columns object wait /jobs --json"; do
		# shellcheck disable=SC2086 # words
		POSIXLY_CORRECT=1 run --separate-stderr semctl-cli $words
		assert_status 0
		assert_equal "$stderr" ""
	done
	assert_value /jobs 3
	run semctl-cli value -- /jobs
	assert_status 0
	semctl-cli create -q key:7 --value 9
	run semctl-cli op key:7 0:-1u --timeout 5s -- echo --timeout -- --json
	assert_output "--timeout -- --json"
}

@test "names with odd characters are kept whole" {
	for name in '/a!#:+b' '/sp ace' $'/new\nline' '/ümlaut' $'/\001x' '/-dash' '/%s%n' '/"q"' "/it's"; do
		run semctl-cli create "$name" --value 2
		assert_status 0
		json --arg n "$name" '.object == $n'
		run semctl-cli wait "$name" --timeout 1s --json
		assert_status 0
		json --arg n "$name" '.object == $n'
		assert_value "$name" 1
		run --separate-stderr semctl-cli wait "$name" --count 2 --timeout 0
		assert_status 1
		assert_equal "$(wc -l <<<"$stderr")" 1 "lines of the message"
		[[ -e /dev/shm/sem.${name#/} ]]
	done
	run semctl-cli value $'/new\nline' --plain --columns object
	assert_output '/new\nline'
	name=$'/no\377utf8'
	run semctl-cli create "$name"
	assert_status 0
	jq -e . <<<"$output"
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	semctl-cli create -q /jobs --value 5
	for words in "value /jobs" "values /jobs" "info /jobs" "list" "limits" "create /jobs" "ftok /"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words
		assert_status 0
		assert_equal "${#lines[@]}" 1
		json 'type == "object"'
	done
	for words in "wait /jobs" "post /jobs" "set /jobs 3" "chmod /jobs 0600" "values /jobs set 3" "rm /jobs"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words
		assert_status 0
		assert_equal "$output$stderr" ""
	done
}

@test "IPCKIT_FORMAT sets the default, options go before it" {
	semctl-cli create -q /jobs --value 5
	IPCKIT_FORMAT=plain run semctl-cli value /jobs
	assert_output 5
	IPCKIT_FORMAT=table run semctl-cli value /jobs
	assert_match '^value +5$'
	IPCKIT_FORMAT=json run semctl-cli value /jobs
	json '.value == 5'
	IPCKIT_FORMAT='' run semctl-cli value /jobs
	json '.value == 5'
	IPCKIT_FORMAT=plain run semctl-cli value /jobs --json
	json '.value == 5'
	IPCKIT_FORMAT=json run semctl-cli wait /jobs
	assert_output ""
	IPCKIT_FORMAT=xml run --separate-stderr semctl-cli value /jobs
	assert_status 2
	assert_stderr '^semctl-cli value: IPCKIT_FORMAT: "xml" is none of json, table, plain$'
	IPCKIT_FORMAT=plain run --separate-stderr semctl-cli value /none
	assert_status 3
	assert_output ""
}

@test "--pretty indents, the last format counts, --quiet prints nothing" {
	semctl-cli create -q /jobs --value 5
	run semctl-cli value /jobs --pretty
	((${#lines[@]} > 3))
	json '.value == 5'
	run semctl-cli value /jobs --plain --json
	json '.value == 5'
	run semctl-cli value /jobs --json --plain
	assert_output 5
	run --separate-stderr semctl-cli value /jobs -q
	assert_equal "$status$output$stderr" 0
	run --separate-stderr semctl-cli value /none -q
	assert_status 3
	assert_output ""
	assert_equal "$stderr" "semctl-cli value: /none: no such object"
}

@test "--columns picks and orders in every format" {
	semctl-cli create -q /jobs --value 5
	run semctl-cli value /jobs --columns value,object --json
	assert_output '{"value":5,"object":"/jobs"}'
	run semctl-cli value /jobs -o value,backend --plain
	assert_output $'5\tposix'
	run semctl-cli value /jobs --columns=backend --table
	assert_match '^backend +posix$'
	run semctl-cli list --columns value,name --plain
	assert_output $'5\t/jobs'
}

@test "--columns help lists them with their meaning, for every verb that has some" {
	verbs=$(verbs)
	for verb in $verbs; do
		run --separate-stderr semctl-cli "$verb" --columns help
		[[ $stderr != *"prints no columns" ]] || continue
		assert_status 0
		for line in "${lines[@]}"; do
			assert_match '^ *[a-z_]+  +[^ ].*' "$line"
		done
	done
}

@test "--columns: one that there is not is refused before anything is done" {
	semctl-cli create -q /jobs --value 5
	for columns in bogus value,bogus '' ',' 'object,'; do
		run --separate-stderr semctl-cli wait /jobs --columns "$columns" --json
		assert_status 2
		assert_stderr '^semctl-cli wait: '
		json '.error.code == "USAGE"'
	done
	run --separate-stderr semctl-cli create /other --columns bogus
	assert_status 2
	assert_value /jobs 5
	[[ ! -e /dev/shm/sem.other ]]
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	for words in "value /none" "wait /none --json" "post /none --json" "rm /none --json" "info /none"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words
		verb=${words%% *}
		assert_status 3
		assert_equal "$stderr" "semctl-cli $verb: /none: no such object"
		assert_equal "${#lines[@]}" 1
		json --arg v "$verb" '. == {error: {code: "ENOENT", exit: 3, verb: $v, object: "/none",
			message: "no such object"}}'
	done
	for words in "value /none --plain" "wait /none" "value /none --table"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words
		assert_status 3
		assert_output ""
	done
}

@test "a usage error has its document, too, and touches nothing" {
	for words in "wait" "wait /a /b" "wait jobs" "value /a/b" "set /a" "create /a --mode 9"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $words --json
		assert_status 2
		assert_equal "$(wc -l <<<"$stderr")" 1
		json '.error.code == "USAGE" and .error.exit == 2 and (.error.message | length) > 0'
	done
	run ls -A /dev/shm
	assert_output ""
}

@test "a message is safe for a terminal" {
	run --separate-stderr semctl-cli value $'/\e[31mred\a'
	assert_status 3
	[[ $stderr != *$'\e'* && $stderr != *$'\a'* ]]
}

@test "a failed write is a failed run: status 8" {
	semctl-cli create -q /jobs --value 5
	for words in "value /jobs" "value /jobs --plain" "value /jobs --table" "list" "limits" "--help" "wait --help" \
		"--version" "--list-verbs" "--list-options wait" "value --columns help"; do
		run --separate-stderr bash -c "semctl-cli $words >/dev/full"
		assert_status 8
		assert_stderr '^semctl-cli.*: standard output: no space left'
	done
	run --separate-stderr bash -c "semctl-cli value /none >/dev/full"
	assert_status 3
	run --separate-stderr bash -c "semctl-cli value /jobs >&-"
	assert_status 8
	run bash -c "semctl-cli wait /jobs >&- 2>&-"
	assert_status 0
	assert_value /jobs 4
}

@test "what acted without telling is undone; a run that was silent by request is not" {
	semctl-cli create -q /jobs --value 3
	for format in --json --table --plain; do
		run --separate-stderr bash -c "semctl-cli wait /jobs $format >&-"
		assert_status 8
		run --separate-stderr bash -c "semctl-cli create --unique /cp $format >&-"
		assert_status 8
	done
	assert_value /jobs 3
	assert_equal "$(cd /dev/shm && echo *)" sem.jobs
	# A name longer than what stdio keeps is on its way before the verb has ended.
	local long=$TMPDIR/./
	while ((${#long} < 3800)); do long+=./; done
	truncate -s 64 "$TMPDIR/file"
	semctl-cli create -q "$TMPDIR/file@0" --value 1
	run --separate-stderr bash -c 'semctl-cli wait "$1" --plain -o object,object,object >/dev/full' - "${long}file@0"
	assert_status 8
	assert_value "$TMPDIR/file@0" 1
	semctl-cli wait -q /jobs >/dev/full
	semctl-cli create -q --unique /cp >/dev/full
	assert_value /jobs 2
	assert_match '^sem.cp\.[a-z0-5]{10} sem.jobs$' "$(cd /dev/shm && echo *)"
}

@test "durations: what is one, and what is none" {
	semctl-cli create -q /jobs
	for duration in 250us 1ms .01 0.002s 10ms 0; do
		run --separate-stderr semctl-cli wait /jobs --timeout "$duration"
		assert_status 1
	done
	semctl-cli set /jobs 9
	for duration in inf 5s 1.5s 2m 1h 1d 3 9000000000; do
		run --separate-stderr semctl-cli wait /jobs --timeout "$duration"
		assert_status 0
	done
	for duration in 5sfoo '' -1 1x 5S 's' . 5.s.5 1e3 0x10 ' 5' '5 ' Inf infinite 99999999999999999999 9999999999999d; do
		run --separate-stderr semctl-cli wait /jobs --timeout "$duration"
		assert_status 2
		[[ $stderr == "semctl-cli wait: --timeout: \"$duration\" is "* ]] || fail "$duration" "$(show_last)"
	done
	assert_value /jobs 1
}

@test "numbers do not depend on the locale" {
	semctl-cli create -q /jobs
	LC_ALL=de_DE.UTF-8 run --separate-stderr semctl-cli wait /jobs --timeout 1,5s
	assert_status 2
	LC_ALL=C run --separate-stderr semctl-cli wait /jobs --timeout 0.01s
	assert_status 1
	assert_equal "$stderr" "semctl-cli wait: /jobs: timed out after 0.01s"
}
