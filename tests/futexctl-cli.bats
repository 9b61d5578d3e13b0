# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses, names of words.

# shellcheck disable=SC2016,SC2034 # variables of jq and of other shells, and for cli.bash
load helpers
load words
load cli

verbs=(create get set add or and xor swap cas wait await wake requeue cmp-requeue wake-op waitv lock-pi trylock-pi
	unlock-pi wait-requeue-pi cmp-requeue-pi lock trylock unlock exec rwlock once latch cond waiters robust probe fd)
# Those that take a COMMAND.
runners=(lock-pi trylock-pi wait-requeue-pi exec rwlock once)

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	check_verbs_help
	check_version "--version get" "get --version" "exec /words -V"
	check_no_verb
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs "" $'get\t-\tWORD...' $'waitv\t-\tWORD=VALUE...' \
		$'wait-requeue-pi\t-\tWORD VALUE PIWORD -- COMMAND...' $'probe\t-\t-'
	assert_equal "$(futexctl --list-verbs | grep -e '-- COMMAND' | cut -f1 | tr '\n' ' ')" "${runners[*]} "
	check_list_options wait $'--timeout\t-t\tDURATION' wiat
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	check_unknown_verbs /words "craete create" "creat create" "gte get" "swp swap" "wiat wait" "awiat await" "wkae wake" \
		"requeu requeue" "wake_op wake-op" "lock_pi lock-pi" "unlok unlock" "exce exec" "rwlok rwlock" "latc latch" \
		"conf cond" "waiter waiters" "robus robust" "prob probe"
}

@test "options that there are not, that lack their argument, that take none: nothing is done" {
	cd "$BATS_TEST_TMPDIR"
	make posix
	check_unknown_options "set $a 1" "--wake 1" <<-END
		wake --waek=1 set $a 7
		words --wrods=4 create ./none
		bitset --bitst=1 wait $a 1
		until --untli=@1 wait $a 1
		futex2 --futex3 wake $a
		spin --spni=1s await $a ne 0
		move --mvoe=1 requeue $a $b
		cmparg --cmpagr=1 wake-op $a $b
		signal --singal cond $a $b
		down --dwon=1 latch $a
		keep-running --keep-runnig exec $a -- true
		clock --clok=realtime lock-pi $a -- true
		write --wirte rwlock $a -- true
	END
	refuses "set $a 1 --wake" "futexctl set: --wake: its argument N|all is missing"
	refuses "wait $a 1 -t" "futexctl wait: -t: its argument DURATION is missing"
	refuses "set $a 1 --json=yes" "futexctl set: --json=yes: this option takes no argument"
	check_usage get "set $a" "cas $a 0" "wait $a" "await $a eq" "requeue $a" "wake $a 1 2" lock "lock $a $b" "cond $a" \
		robust "probe $a" fd waitv "waiters $a $b" "create $a $b" "cmp-requeue-pi $a $b"
	assert_value "$a" 0
	[[ ! -e none ]]
}

@test "options stand anywhere before --; numbers below 0 are operands" {
	local words
	make sysv
	for words in "--json set X 7 --wake 0" "set --json --wake=0 X 7" "set X --wake 0 7 --json" "-q --json set X 7 -w0 --plain"; do
		POSIXLY_CORRECT=1 succeeds "${words/X/$a}"
		assert_value "$a" 7
		store "$a" 0
	done
	for words in "add X -1" "add X -q -1" "add -- X -1" "swap X -1" "cas X 0 -1" "or X -1"; do
		ends 0 "${words/X/$a}"
		assert_value "$a" 4294967295
		store "$a" 0
	done
	ends 2 "requeue $a -1"
}

# ---- names of words ----

@test "words by every name that there is meet" {
	local name
	make posix
	for name in "$object" "$a" "$object@0x0" "/dev/shm$object" "/dev/shm$object@0" "/dev/shm/../shm$object@00"; do
		run futexctl add "$name" 1 --plain -o word
		assert_output "$name"
	done
	assert_value "$a" 6
	make sysv
	for name in "$object" "$a" "$object@0x0"; do
		futexctl add "$name" 1 -q
	done
	assert_value "$a" 3
	make file
	ln "$object" "$BATS_TEST_TMPDIR/link"
	exec {fd}<>"$object"
	for name in "$object@4" "$BATS_TEST_TMPDIR/link@4" "/proc/$$/fd/$fd@4" "/proc/self/fd/$fd@0x4"; do
		futexctl add "$name" 1 -q
	done
	exec {fd}>&-
	assert_value "$b" 4
	assert_value "$a" 0
}

@test "names with odd characters are kept whole" {
	local name
	for name in "${odd_names[@]}" '/a@b'; do
		futexctl create "$name"
		succeeds set "$name@0" 7
		json --arg n "$name@0" '.word == $n'
		ends 7 get "$name@4"
		assert_equal "${#stderr_lines[@]}" 1 "lines of the message"
		assert_equal "$(od -An -tu4 "/dev/shm$name" | tr -d ' ')" 7
	done
}

@test "what is no word is refused by every verb, before anything is done" {
	local verb words wanted odd
	make posix
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	while read -r verb words; do
		while read -r wanted odd; do
			[[ $words != *--\ * ]] || wanted=125
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 futexctl "$verb" ${words//X/$odd}
			[[ $status == "$wanted" && $stderr == "futexctl $verb: "* ]] ||
				fail "$verb ${words//X/$odd}" "$(show_last)"
		done <<-END
			2 words
			2 $object@2
			2 shm:7
			3 /none
			7 $object@4096
			7 $BATS_TEST_TMPDIR/fifo
		END
	done <<-'END'
		get X
		add X 1
		cas X 0 1
		wait X 0
		await X eq 1
		wake X
		requeue X X
		wake-op X X --op set --arg 1 --cmp eq --cmparg 0
		waitv X=0
		lock-pi X -- true
		unlock-pi X
		cmp-requeue-pi X X 0
		lock X
		unlock X
		exec X -- true
		rwlock X --read -- true
		once X -- true
		latch X --wait
		cond X X --signal
		waiters X
		fd X
	END
	assert_value "$a" 0
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	cd "$BATS_TEST_TMPDIR"
	for kind in "${kinds[@]}"; do
		make "$kind"
		for words in "get $a $b" "set $a 1" "add $a 1" "or $a 1" "and $a 0" "xor $a 0" "swap $a 0" "cas $a 0 0" "wake $a" \
			"requeue $a $b" "cmp-requeue $a $b 0" "wake-op $a $b --op set --arg 0 --cmp eq --cmparg 0" \
			"cmp-requeue-pi $a $b 0" "waiters $a" "robust $$" probe; do
			answers "$words"
		done
		for words in "create ./made$kind" "await $a eq 0" "lock $a" "unlock $a" "trylock $a" "unlock $a" "latch $a --wait" \
			"cond $a $b --signal" "cond $b $a --broadcast" "exec $a -- true" "lock-pi $b -- true"; do
			store "$a" 0
			[[ $words != unlock* ]] || store "$a" 1
			store "$b" 0
			is_silent "$words"
		done
	done
}

@test "formats: on a terminal a table, IPCKIT_FORMAT, options" {
	make posix
	on_terminal "get $a" '^WORD +VALUE'
	on_terminal "wake $a" 'woken +0'
	check_formats "get $a" "$a"$'\t0' $'^WORD +VALUE\n[^\n]* 0$' '.words[0].value == 0'
	IPCKIT_FORMAT=json is_silent "lock $a"
}

@test "--columns: help lists them; one that there is not is refused before anything is done" {
	cd "$BATS_TEST_TMPDIR"
	check_columns $((${#verbs[@]} - ${#runners[@]}))
	make posix
	check_unknown_columns "set $a 1" "add $a 1" "cas $a 0 1" "wake-op $a $a --op set --arg 1 --cmp eq --cmparg 0" \
		"lock $a" "latch $a --wait" "cond $a $b --signal" "create ./none"
	assert_value "$a" 0
	[[ ! -e none ]]
	ends 125 "exec $a --columns word -- true"
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	local verb
	misses "get /none" "set /none 1" "wait /none 0 --json" "await /none eq 0 --json" "wake /none" "requeue /none /none" \
		"waitv /none=0" "unlock-pi /none --json" "lock /none --json" "latch /none --wait --json" "waiters /none"
	misses_silently "get /none --plain" "wait /none 0" "lock /none" "get /none -q"
	for verb in "${runners[@]}"; do
		case $verb in
		wait-requeue-pi) misses_silently "$verb /none 0 /none -- true" ;;
		rwlock) misses_silently "$verb /none --write -- true" ;;
		*) misses_silently "$verb /none -- true" ;;
		esac
	done
	check_bare_word get words '.*/words or \./words'
	check_safe_message get
	ends 2 await /words $'\e[31meq' 0
	[[ $stderr != *$'\e'* ]]
}

@test "of several words all are tried, and the status is the first failure's" {
	make posix
	run --separate-stderr futexctl get "$a" /none "$object@4096" "$b"
	assert_status 3
	json --arg a "$a" --arg b "$b" '[.words[].word] == [$a, $b] and .error.object == "/none"'
	assert_equal "${#stderr_lines[@]}" 2
}

@test "help, lists and results that cannot be written are status 8" {
	make posix
	check_full get "wait --help" "--list-options wait" "get $a"
	# What nobody got to know is not left locked.
	run --separate-stderr bash -c "futexctl lock $a --json >/dev/full"
	assert_status 8
	assert_value "$a" 0
}
