# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034 # variables of jq; for the tests
#
# What all tools have in common, `load cli` after `load helpers` in TOOL-cli.bats, which sets $verbs, all of
# them in their order. WORDS is one text of words that stand apart by spaces, `wait /jobs`.

tool=${BATS_TEST_FILENAME##*/}
tool=${tool%-cli.bats}

# Names that are easily taken apart.
odd_names=('/a!#:+b' '/sp ace' $'/new\nline' '/ümlaut' $'/\001x' '/-dash' '/%s%n' '/"q"' "/it's")

# ---- one run ----

# try WORDS [ARG...]: runs `TOOL WORDS ARG...`; see `run --separate-stderr`.
try()
{
	local words
	read -ra words <<<"$1"
	run --separate-stderr "$tool" "${words[@]}" "${@:2}"
}

# ends STATUS WORDS [ARG...]: it ends so.
ends()
{
	try "${@:2}"
	[[ $status == "$1" ]] || fail "expected status $1 of: $tool ${*:2}" "$(show_last)"
}

# succeeds WORDS [ARG...]: and says nothing on stderr.
succeeds()
{
	ends 0 "$@"
	assert_equal "$stderr" "" "stderr of $tool $*"
}

# is_silent WORDS [ARG...]: nor on stdout.
is_silent()
{
	succeeds "$@"
	assert_equal "$output" "" "stdout of $tool $*"
}

# answers WORDS [ARG...]: a line of JSON, which is no error.
answers()
{
	ends 0 "$@"
	assert_equal "${#lines[@]}" 1 "lines of $tool $*"
	json 'type == "object" and (has("error") | not)'
}

# refuses WORDS MESSAGE: a mistake of use, and MESSAGE is all that it says of it. Where a COMMAND is run its
# status is 125.
refuses()
{
	local wanted=2
	[[ $1 != *" -- "* ]] || wanted=125
	ends "$wanted" "$1"
	assert_equal "$stderr" "$2" "message of $tool $1"
}

# on_terminal WORDS REGEX: what it prints there.
on_terminal()
{
	NO_COLOR=1 run script -qec "$tool $1" /dev/null
	assert_match "$2"
}

# ---- help and version ----

# check_help: --help and -h list the verbs and the common options.
check_help()
{
	local help option verb
	for help in --help -h; do
		succeeds "$help"
		assert_match $'\nUsage:\n '"$tool \\[common options\\] \\[?VERB"
		for verb in "${verbs[@]}"; do
			assert_match $'\n '"$verb(, [a-z]+)? +[a-z]"
		done
		for option in --json --table --plain --columns --quiet --help --version; do
			assert_match "[ ,]$option "
		done
		[[ $output != *list-verbs* ]]
	done
}

# check_verbs_help: every verb has its own, whatever else is there.
check_verbs_help()
{
	local verb help words
	for verb in "${verbs[@]}"; do
		succeeds "$verb --help"
		assert_match $'\nUsage:\n '"$tool $verb"
		help=$output
		for words in "$verb -h" "$verb one two three --help" "$verb one two three four -h" "--help $verb" "-h $verb one"; do
			succeeds "$words"
			assert_output "$help"
		done
	done
}

# check_version WORDS...: tool and version, also where these words stand beside --version or -V.
check_version()
{
	local words
	for words in --version -V "$@"; do
		succeeds "$words"
		assert_match "^$tool from ipckit [0-9]+\\.[0-9]+"
		assert_equal "${#lines[@]}" 1
	done
}

# check_no_verb: the help on stderr and status 2.
check_no_verb()
{
	ends 2 ""
	assert_output ""
	assert_stderr $'^\n?Usage:\n'
	assert_stderr "$tool: a verb is missing\$"
	ends 2 --json
	json '.error.code == "USAGE" and .error.exit == 2 and .error.verb == null'
}

# ---- for completions ----

# check_list_verbs ALIASES LINE...: one line a verb, four fields, none empty; these lines (regular expressions)
# are among them.
check_list_verbs()
{
	local line aliases=() names=()
	succeeds --list-verbs
	for line in "${lines[@]}"; do
		assert_match $'^([a-z-]+)\t([a-z]+|-)\t[^\t]+\t[^\t]+$' "$line"
		names+=("${BASH_REMATCH[1]}")
		[[ ${BASH_REMATCH[2]} == - ]] || aliases+=("${BASH_REMATCH[2]}")
	done
	assert_equal "${names[*]}" "${verbs[*]}" "verbs"
	assert_equal "${aliases[*]}" "$1" "aliases"
	shift
	for line in "$@"; do
		assert_match $'(^|\n)'"$line"$'\t'
	done
}

# check_list_options VERB LINE TYPED: every verb's, four fields, none hidden, none twice; LINE is among those of
# VERB, which is also what TYPED was to be.
check_list_options()
{
	local verb line
	local -A seen
	for verb in "${verbs[@]}"; do
		succeeds "--list-options $verb"
		seen=()
		for line in "${lines[@]}"; do
			assert_match $'^(--[a-z0-9-]+)\t(-[A-Za-z0-9]|-)\t[^\t]+\t[^\t]+$' "$line"
			[[ ! ${seen[${BASH_REMATCH[1]}]-}${seen[${BASH_REMATCH[2]}]-} ]] || fail "$verb: twice: $line"
			seen[${BASH_REMATCH[1]}]=1
			[[ ${BASH_REMATCH[2]} == - ]] || seen[${BASH_REMATCH[2]}]=1
		done
		assert_match $'(^|\n)--json\t-\t-\t'
		assert_match $'\n--columns\t-o\tA,B\t'
		[[ $output != *list-verbs* && $output != *list-options* ]]
	done
	succeeds "--list-options $1"
	assert_match $'(^|\n)'"$2"$'\t'
	ends 2 "--list-options $3"
	assert_stderr "did you mean $1\\?\$"
	ends 2 --list-options
}

# ---- words that are not known ----

# check_unknown_verbs OPERAND PAIR...: TYPED VERB, of which the second is the nearest one.
check_unknown_verbs()
{
	local pair typed nearest
	for pair in "${@:2}"; do
		read -r typed nearest <<<"$pair"
		refuses "$typed $1" "$tool: $typed: unknown verb, did you mean $nearest?"
		assert_output ""
	done
	refuses xyzzy "$tool: xyzzy: unknown verb ($tool --help lists them)"
	ends 2 "--json $typed"
	json --arg typed "$typed" --arg nearest "$nearest" '.error == {code: "USAGE", exit: 2, verb: null, object: $typed,
		message: "unknown verb, did you mean \($nearest)?"}'
}

# check_unknown_options WORDS OPTION <LINES: lines of NEAREST TYPED WORDS: with TYPED behind the verb or behind
# all, --NEAREST is proposed; and WORDS, with an OPTION of its own before it, one that there is not, one letter.
check_unknown_options()
{
	local nearest typed verb words own message
	while read -r nearest typed verb words; do
		message="$tool $verb: $typed: unknown option, did you mean --$nearest?"
		own=${words%% -- *}
		refuses "$verb $typed $words" "$message"
		refuses "$verb $own $typed${words#"$own"}" "$message"
	done
	verb=${1%% *}
	for typed in --xyzzy -Z; do
		refuses "$1 $typed" "$tool $verb: $typed: unknown option ($tool $verb --help lists them)"
	done
	refuses "$2 $1" "$tool: ${2%% *}: unknown option (options of a verb come after it)"
}

# check_usage WORDS...: each is refused, in words and in JSON.
check_usage()
{
	local words
	for words in "$@"; do
		ends 2 "--json $words"
		[[ $stderr == "$tool ${words%% *}: "* && $stderr != *$'\n'* ]] || fail "$words" "$(show_last)"
		json '.error.code == "USAGE" and .error.exit == 2 and (.error.message | length) > 0'
	done
}

# check_bare_word VERB WORD NEAREST: the likely spelling is proposed, also of a key.
check_bare_word()
{
	ends 2 "$1 $2"
	assert_stderr "^$tool $1: $2: .*did you mean $3"
	ends 2 "$1 0x7"
	assert_stderr "did you mean key:0x7"
}

# check_safe_message VERB: nothing of a name moves a terminal.
check_safe_message()
{
	ends 3 "$1" $'/\e[31mred\a'
	[[ $stderr$output != *$'\e'* && $stderr$output != *$'\a'* ]] || fail "not safe" "$(show_last)"
}

# ---- formats ----

# check_formats WORDS PLAIN TABLE JSON: what it prints as plain (a text), table (a regular expression) and JSON
# (a query): $IPCKIT_FORMAT, unless there are options, of which the last counts.
check_formats()
{
	IPCKIT_FORMAT=plain succeeds "$1"
	assert_output "$2"
	IPCKIT_FORMAT=table succeeds "$1"
	assert_match "$3"
	IPCKIT_FORMAT=json succeeds "$1"
	json "$4"
	IPCKIT_FORMAT='' succeeds "$1"
	json "$4"
	IPCKIT_FORMAT=plain succeeds "$1 --json"
	json "$4"
	IPCKIT_FORMAT=xml refuses "$1" "$tool ${1%% *}: IPCKIT_FORMAT: \"xml\" is none of json, table, plain"
	succeeds "$1 --plain --json"
	json "$4"
	succeeds "$1 --json --plain"
	assert_output "$2"
	succeeds "$1 --pretty"
	json "$4"
	((${#lines[@]} > 3))
	is_silent "$1 -q"
}

# check_columns N: so many verbs have columns, and tell their meaning.
check_columns()
{
	local verb line some=0
	for verb in "${verbs[@]}"; do
		try "$verb --columns help"
		[[ $stderr != *"prints no columns" ]] || continue
		[[ $status == 0 ]] || fail "$verb" "$(show_last)"
		for line in "${lines[@]}"; do
			assert_match '^ *[a-z0-9_]+  +[^ ].*' "$line"
		done
		((++some))
	done
	assert_equal "$some" "$1" "verbs that have columns"
}

# check_unknown_columns WORDS...: these, which act, refuse a column that there is not.
check_unknown_columns()
{
	local words columns column
	for words in "$@"; do
		ends 0 "${words%% *} --columns help"
		read -r column _ <<<"$output"
		for columns in bogus "$column,bogus" '' ',' "$column,"; do
			ends 2 "$words" --columns "$columns" --json
			assert_stderr "^$tool ${words%% *}: "
			assert_match '^\{"error":\{"code":"USAGE","exit":2,'
		done
	done
}

# ---- errors ----

# misses WORDS...: each of these names first what is not there, and prints the document that says so.
# misses_silently: it prints nothing.
misses()
{
	local words document
	for words in "$@"; do
		misses_one "$words"
		assert_output "$document"
	done
}

misses_silently()
{
	local words document
	for words in "$@"; do
		misses_one "$words"
		assert_equal "$output" "" "stdout of $tool $words"
	done
}

misses_one()
{
	local wanted=3 verb object
	read -r verb object _ <<<"$1"
	object=${object%%=*}
	[[ $1 != *" -- "* ]] || wanted=125
	ends "$wanted" "$1"
	assert_equal "$stderr" "$tool $verb: $object: no such object"
	document='{"error":{"code":"ENOENT","exit":3,"verb":"'$verb'","object":"'$object'","message":"no such object"}}'
}

# check_full VERB WORDS...: help, lists and what these print cannot be written: status 8.
check_full()
{
	local words
	for words in --help "$1 --help" --version --list-verbs "--list-options $1" "$1 --columns help" "${@:2}"; do
		run --separate-stderr bash -c "$tool $words >/dev/full"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
		assert_stderr "^$tool.*: standard output: no space left"
	done
}

# check_durations WORDS READY: of WORDS, which take one of /jobs, what is a --timeout and what is none, in any
# locale; READY makes 9 available, of which one is left.
check_durations()
{
	local duration verb=${1%% *}
	for duration in 250us 1ms .01 0.002s 10ms 0; do
		ends 1 "$1 --timeout $duration"
	done
	LC_ALL=de_DE.UTF-8 ends 2 "$1 --timeout 1,5s"
	LC_ALL=C ends 1 "$1 --timeout 0.01s"
	assert_equal "$stderr" "$tool $verb: /jobs: timed out after 0.01s"
	is_silent "$2"
	for duration in inf 5s 1.5s 2m 1h 1d 3 9000000000; do
		succeeds "$1 --timeout $duration"
	done
	for duration in 5sfoo '' -1 1x 5S s . 5.s.5 1e3 0x10 ' 5' '5 ' Inf infinite 99999999999999999999 9999999999999d; do
		ends 2 "$1" --timeout="$duration"
		[[ $stderr == "$tool $verb: --timeout: \"$duration\" is "* ]] || fail "$duration" "$(show_last)"
	done
}
