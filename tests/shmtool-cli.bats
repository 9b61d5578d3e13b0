# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs have in common: help, options, formats, errors, exit statuses, progress.

# shellcheck disable=SC2016,SC2034 # variables of jq and of other shells, and for cli.bash
load helpers
load segments
load cli

verbs=(create write read dump fill copy save load compare peek poke wait send recv resize lock unlock attach users
	list info rm clean limits set ftok)

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	check_verbs_help
	check_version "--version read" "read --version" "write /frame -V"
	check_no_verb
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs "" $'read\t-\tOBJECT' $'write\t-\tOBJECT \\[TEXT\\|-\\]' $'poke\t-\tOBJECT TYPE@OFFSET=VALUE...' \
		$'attach\t-\tOBJECT -- COMMAND...'
	check_list_options wait $'--timeout\t-t\tDURATION' wiat
}

# ---- words that are not known ----

@test "an unknown verb names the nearest one" {
	check_unknown_verbs /frame "wiat wait" "creat create" "lst list" "wirte write" "raed read" "dmup dump" "fil fill" \
		"cpoy copy" "sav save" "laod load" "compar compare" "peak peek" "pokee poke" "atach attach" "user users"
}

@test "options that there are not, that lack their argument, that take none: nothing is done" {
	make posix
	check_unknown_options "fill $object 1" "--offset 1" <<-END
		offset --ofset=1 write $object text
		truncate-input --truncate-inpt write $object text
		length --lenght=2 fill $object 1
		string --strin read $object
		cas --cass=0 poke $object u8@0=1
		add --addd poke $object u8@0=1
		lock --lokc=/x poke $object u8@0=1
		timeout --timout=1s wait $object u8@0 eq 0
		create --crate load $object
		json --jsn fill $object 1
		quiet --quite save $object
	END
	refuses "fill $object 1 --offset" "shmtool fill: --offset: its argument SIZE is missing"
	refuses "write $object text -f" "shmtool write: -f: its argument PATH is missing"
	refuses "fill $object 1 --json=yes" "shmtool fill: --json=yes: this option takes no argument"
	refuses "write $object text --nul=1" "shmtool write: --nul=1: this option takes no argument"
	refuses "fill $object 1 -1" "shmtool fill: -1: a negative number is not taken here"
	assert_zero "$object"
}

@test "options stand anywhere before --" {
	make sysv
	local words
	for words in "--json write X text --offset 8" "write --json --offset=8 X text" "write X --offset 8 text --json" \
		"-q --json write X text --offset=8 --plain"; do
		POSIXLY_CORRECT=1 succeeds "${words/X/$object}"
		succeeds "read $object --offset 8 --string"
		assert_output text
		shmtool fill "$object" 0
	done
	shmtool poke "$object" -- i8@0=-1
	shmtool poke "$object" i8@1=-1
	assert_cell "$object" i16@0 -1
	succeeds "wait $object i8@0 eq -1 --timeout 0"
}

@test "names with odd characters are kept whole" {
	local name
	for name in "${odd_names[@]}" '/a@8'; do
		shmtool create "$name" --size 8 -q
		succeeds write "$name" text --json
		json --arg n "$name" '.object == $n'
		assert_text "$name" text
		ends 6 write "$name" "too long it is"
		assert_equal "${#stderr_lines[@]}" 1 "lines of the message"
		cmp -n 4 "/dev/shm$name" <(printf text)
		shmtool rm "$name"
	done
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	for backend in "${backends[@]}"; do
		make "$backend"
		for words in "info X" list limits clean "users X" "peek X u8@0" "compare X X" "poke X u8@0=0 --add" \
			"poke X u8@0=0 --cas 0"; do
			answers "${words//X/$object}"
		done
		for words in "write X text" "write X" "fill X 1" "load X" "poke X u8@0=1" "wait X u8@0 eq 1" "set X --mode 600" "rm X"; do
			is_silent "${words//X/$object}" < <(head -c 4096 /dev/zero)
		done
	done
}

@test "formats: on a terminal a table, IPCKIT_FORMAT, options" {
	make posix
	on_terminal "peek $object u8@0" '^TYPE +OFFSET +VALUE'
	on_terminal "compare $object $object" '^equal +yes'
	check_formats "peek $object u8@1" $'u8\t1\t0' $'^TYPE +OFFSET +VALUE\nu8 +1 +0$' '.cells[0].value == 0'
	IPCKIT_FORMAT=json is_silent "fill $object 0"
}

@test "--columns: help lists them; one that there is not is refused before anything is done" {
	check_columns 21
	make posix
	check_unknown_columns "write $object text" "fill $object 1" "load $object" "poke $object u8@0=1" \
		"poke $object u8@0=1 --add" "copy $object $object" "set $object --mode 0" "rm $object" </dev/zero
	assert_zero "$object"
}

# ---- errors ----

@test "an error is one line on stderr, and a document where JSON would have been" {
	make sysv
	misses "info /none" "peek /none u8@0" "poke /none u8@0=1 --json" "wait /none u8@0 eq 1 --json" "write /none x --json" \
		"fill /none 1 --json" "copy /none $object --json" "load /none --json" "compare /none $object" "read /none --json" \
		"dump /none --json" "users /none" "rm /none --json" "set /none --mode 600 --json" "resize /none 10 --json" </dev/null
	misses_silently "write /none x" "fill /none 1" "peek /none u8@0 --plain" "save /none" "dump /none" "read /none" \
		"info /none -q"
	check_bare_word info frame /frame
	ends 2 "read shm:7"
	check_safe_message read
	ends 2 peek /frame $'\e[31mu8@0'
	[[ $stderr != *$'\e'* ]]
}

@test "help and lists that cannot be written are status 8" {
	check_full peek "poke --help" "--list-options read"
}

# ---- --lock ----

@test "read, write, copy, poke, peek wait for what --lock names; the others do not take it" {
	shmtool create /lock --size 4K -q
	shmtool poke /lock u32@0=4711
	make posix
	shmtool create /other --size 4K -q
	for words in "read X" "write X text" "copy X /other" "copy /other X" "poke X u8@0=1" "peek X u8@0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr shmtool ${words//X/$object} --lock /lock@0 --timeout 0 --json
		[[ $status == 1 ]] || fail "$words" "$(show_last)"
		json '.error | .code == "EAGAIN" and .object == "/lock@0"'
		assert_stderr "^shmtool ${words%% *}: /lock@0: would block: thread 4711 has it$"
	done
	for words in "fill X 1" "save X" "load X" "dump X" "compare X /other" "wait X u8@0 eq 1"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr shmtool ${words//X/$object} --lock /lock@0
		[[ $status == 2 ]] || fail "$words" "$(show_last)"
	done
	assert_zero "$object"
	assert_zero /other
}

# ---- progress ----

# start_slowly NAME REDIRECTION WORD...: on a terminal, a verb on $object whose input takes more than a second.
start_slowly()
{
	start script -qec "{ printf 'first '; sleep 2.3; printf second; } | shmtool ${*:3} $2" /dev/null
	pids[$1]=$pid
}

@test "what takes long shows its progress, on a terminal alone and not with --quiet" {
	local -A pids
	for name in gathered poured quiet elsewhere; do
		make posix 64
		case $name in
		gathered) start_slowly $name "" write "$object" ;;
		poured) start_slowly $name "" write "$object" --truncate-input ;;
		quiet) start_slowly $name "" write "$object" -q ;;
		elsewhere) start_slowly $name "2>$BATS_TEST_TMPDIR/err" write "$object" ;;
		esac
	done
	for name in gathered poured quiet elsewhere; do
		finish "${pids[$name]}"
		assert_status 0
		case $name in
		gathered | poured)
			assert_match $'^\r'"shmtool write: +12  +[0-9.]+/s"
			# It is taken away: what is left of the line is blank.
			assert_match $'\r +\r$'
			;;
		*) assert_output "" ;;
		esac
	done
	assert_equal "$(<"$BATS_TEST_TMPDIR/err")" ""
	for file in /dev/shm/made*; do
		assert_text "/${file##*/}" "first second"
	done
}

@test "what is quick shows none" {
	make posix 64
	run script -qec "printf quick | shmtool write $object; shmtool fill $object 0; shmtool load $object </dev/shm/$object" /dev/null
	assert_match $'^shmtool load: [^\r]*the input is this segment itself\r?$'
}
