# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses.

# shellcheck disable=SC2016,SC2034 # variables of jq and of other shells, and for cli.bash
load helpers
load backends
load cli

verbs=(create wait post wait-zero value set op values exec barrier eventfd list info rm clean limits chmod chown ftok
	repair)

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	check_verbs_help
	succeeds "p --help"
	assert_match $'semctl-cli wait \\[options\\] OBJECT\n'
	check_version "--version wait" "wait --version" "wait /jobs -V"
	check_no_verb
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs "p v" $'wait\tp\tOBJECT' $'op\t-\tOBJECT OP\.\.\. \[-- COMMAND\.\.\.\]' $'create\t-\t\\[OBJECT\\]'
	check_list_options wait $'--timeout\t-t\tDURATION' wiat
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	check_unknown_verbs /jobs "wiat wait" "creat create" "lst list" "vlaue value" "clen clean" "wait-zer wait-zero" \
		"postt post"
}

@test "options that there are not, that lack their argument, that take none: nothing is done" {
	semctl-cli create -q /jobs --value 1
	check_unknown_options "wait /jobs" "--timeout 1s" <<-'END'
		timeout --timout wait /jobs
		count --cuont=2 wait /jobs
		json --jsn wait /jobs
		help --hlep wait /jobs
	END
	refuses "wait /jobs --timeout" "semctl-cli wait: --timeout: its argument DURATION is missing"
	refuses "wait /jobs -t" "semctl-cli wait: -t: its argument DURATION is missing"
	refuses "wait /jobs --json=yes" "semctl-cli wait: --json=yes: this option takes no argument"
	refuses "wait /jobs -1" "semctl-cli wait: -1: a negative number is not taken here"
	assert_value /jobs 1
}

@test "options stand anywhere before --, in every spelling" {
	local words
	semctl-cli create -q /jobs --value 9
	for words in "--json wait /jobs --count 1" "wait --json --count=1 /jobs" "wait /jobs -c 1 --json" \
		"wait -c1 /jobs --json" "-q --json wait /jobs -c1 --plain" "--columns object wait /jobs --json"; do
		POSIXLY_CORRECT=1 succeeds "$words"
	done
	assert_value /jobs 3
	succeeds "value -- /jobs"
	semctl-cli create -q key:7 --value 9
	succeeds "op key:7 0:-1u --timeout 5s -- echo --timeout -- --json"
	assert_output "--timeout -- --json"
}

@test "names with odd characters are kept whole" {
	local name
	for name in "${odd_names[@]}"; do
		succeeds create "$name" --value 2
		json --arg n "$name" '.object == $n'
		succeeds wait "$name" --timeout 1s --json
		json --arg n "$name" '.object == $n'
		assert_value "$name" 1
		ends 1 wait "$name" --count 2 --timeout 0
		assert_equal "${#stderr_lines[@]}" 1 "lines of the message"
		[[ -e /dev/shm/sem.${name#/} ]]
	done
	succeeds value $'/new\nline' --plain --columns object
	assert_output '/new\nline'
	succeeds create $'/no\377utf8'
	jq -e . <<<"$output"
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	semctl-cli create -q /jobs --value 5
	for words in "value /jobs" "values /jobs" "info /jobs" list limits "create /jobs" "ftok /"; do
		answers "$words"
	done
	for words in "wait /jobs" "post /jobs" "set /jobs 3" "chmod /jobs 0600" "values /jobs set 3"; do
		is_silent "$words"
		IPCKIT_FORMAT=json is_silent "$words"
	done
	is_silent "rm /jobs"
}

@test "formats: IPCKIT_FORMAT, options, columns" {
	semctl-cli create -q /jobs --value 5
	check_formats "value /jobs" 5 '^value +5$' '.value == 5'
	succeeds "value /jobs --columns value,object --json"
	assert_output '{"value":5,"object":"/jobs"}'
	succeeds "value /jobs -o value,backend --plain"
	assert_output $'5\tposix'
	succeeds "value /jobs --columns=backend --table"
	assert_match '^backend +posix$'
	succeeds "list --columns value,name --plain"
	assert_output $'5\t/jobs'
}

@test "--columns: help lists them; one that there is not is refused before anything is done" {
	check_columns 18
	semctl-cli create -q /jobs --value 5
	check_unknown_columns "wait /jobs" "create /other"
	assert_value /jobs 5
	[[ ! -e /dev/shm/sem.other ]]
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	misses "value /none" "wait /none --json" "post /none --json" "rm /none --json" "info /none"
	misses_silently "value /none --plain" "wait /none" "value /none --table" "value /none -q"
	IPCKIT_FORMAT=plain misses_silently "value /none"
	check_safe_message value
	check_usage wait "wait /a /b" "wait jobs" "value /a/b" "set /a" "create /a --mode 9"
	run ls -A /dev/shm
	assert_output ""
}

@test "a failed write is a failed run: status 8" {
	semctl-cli create -q /jobs --value 5
	check_full wait "value /jobs" "value /jobs --plain" "value /jobs --table" list limits
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

@test "durations: what is one, and what is none, in any locale" {
	semctl-cli create -q /jobs
	check_durations "wait /jobs" "set /jobs 9"
	assert_value /jobs 1
}
