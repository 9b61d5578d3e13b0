# SPDX-License-Identifier: GPL-2.0-or-later
# What all verbs of pipecat have in common: help, the default verb, options, formats, errors, exit statuses.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # variables of jq and of other shells; each test has its own; for cli.bash
load helpers
load cli

verbs=(relay create read write hold capacity pair tee merge sendfd recvfd list info rm clean)

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	mkfifo f
}

# Somebody has ./f open.
hold_it()
{
	start pipecat hold ./f --plain
	wait_until 10 grep -q . "$(out_of "$pid")"
}

# ---- help, version, lists for completions ----

@test "help of the tool and of every verb; version" {
	check_help
	assert_match 'The default verb is relay'
	check_verbs_help
	check_version "--version list" "list --version" "./f -V" "--both - unix:x --version"
}

@test "--list-verbs and --list-options, for completions" {
	check_list_verbs "" $'relay\t-\t\\[SOURCE \\[SINK\\]\\]' $'read\t-\tFIFO' $'pair\t-\t-- COMMAND...' \
		$'merge\t-\tSOURCE... SINK' $'recvfd\t-\tSOCKET -- COMMAND...' $'list\t-\t\\[DIRECTORY...\\]'
	check_list_options relay $'--idle\t-i\tDURATION' realy
}

# ---- the default verb ----

@test "relay is the verb where none is given" {
	echo text >in
	for words in "in" "in -" "relay in" "-- in" "relay -- in -" "in --idle 5s" "--idle 5 in" "-q in - -b 64K" \
		"--zero-copy in" "fd:0" "-" "/dev/stdin" "- --json" "exec:cat"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr pipecat $words <in
		assert_equal "$status/$output/$stderr" "0/text/" "pipecat $words"
	done
	# A file may be named like a verb, or like anything else.
	for name in list relay ./-x 'a b' $'new\nline' './!#:+' ./unix:x %s; do
		cp in "$name"
		run --separate-stderr pipecat relay "$name"
		assert_equal "$status/$output/$stderr" "0/text/" "$name"
	done
	cp in list
	run pipecat ./list
	assert_output text
	succeeds list .
	json '.fifos | map(.name) == ["./f"]'
	# Without any end it is cat, but not for who types it to see what it is.
	run --separate-stderr bash -c 'echo text | pipecat'
	assert_equal "$status/$output/$stderr" "0/text/"
	run script -qec "pipecat" /dev/null
	assert_status 2
	assert_match "^pipecat relay: an operand is missing; usage: pipecat relay \\[options\\] \\[SOURCE \\[SINK\\]\\]"
}

@test "a word that is neither an end nor a verb names the nearest verb" {
	local pair typed nearest
	for pair in "realy relay" "craete create" "raed read" "wriet write" "hodl hold" "capacty capacity" "piar pair" "te tee" \
		"mrege merge" "sendf sendfd" "recvf recvfd" "lits list" "ifno info" "claen clean"; do
		read -r typed nearest <<<"$pair"
		ends 3 "$typed"
		assert_equal "$stderr" "pipecat relay: $typed: no such file, did you mean the verb $nearest?"
		refuses "$typed f x" "pipecat relay: $typed: unknown verb, did you mean $nearest?"
	done
	ends 3 "relay raed"
	assert_equal "$stderr" "pipecat relay: raed: no such file"
	refuses "xyzzy f x" "pipecat relay: x: one operand too many, and xyzzy is no verb (pipecat --help)"
	ends 3 "--json raed x"
	json '.error == {code: "ENOENT", exit: 3, verb: "relay", object: "raed",
		message: "no such file, did you mean the verb read?"}'
	[[ ! -e x ]]
}

# ---- words that are not known ----

@test "options that there are not, that lack their argument, that take none: nothing is done" {
	local nearest typed verb words own message
	while read -r nearest typed verb words; do
		message="pipecat $verb: $typed: unknown option, did you mean --$nearest?"
		own=${words%% -- *}
		refuses "$verb $typed $words" "$message"
		refuses "$verb $own $typed${words#"$own"}" "$message"
	done <<-END
		zero-copy --zero-cpoy relay - new
		idle --idel=1 relay - new
		exclusive --exclusve create new
		keep-open --keep-opne read f
		line --lnie write f
		timeout --tiemout=1 hold f
		drop-slow --drop-solw tee - new
		record --recrod=1 merge - new
		uid --udi=0 sendfd new 0
		mode --mdoe=600 recvfd new -- true
		kind --knid=pipe list .
		force --froce rm f
		yes --yse clean .
	END
	refuses "pair --spe=X -- true X true" "pipecat pair: --spe=X: unknown option, did you mean --sep?"
	refuses "- new --rate" "pipecat relay: --rate: its argument SIZE is missing"
	refuses "- new -i" "pipecat relay: -i: its argument DURATION is missing"
	refuses "rm f --json=yes" "pipecat rm: --json=yes: this option takes no argument"
	refuses "relay - new -1" "pipecat relay: -1: a negative number is not taken here"
	message="unknown option of relay, the default verb (options of another verb come after it)"
	for words in "--drop-slow tee - new" "--keep-open read f" "--xyzzy rm f" "raed f --keep-open"; do
		[[ $words =~ --[a-z-]+ ]]
		refuses "$words" "pipecat relay: ${BASH_REMATCH[0]}: $message"
	done
	check_usage "relay - - -" "relay foo:x" "relay - new --rate 0" "relay - new --max 2" "relay new f --low 5" read "read f f" write hold capacity \
		"capacity f 1x" "tee -" "merge -" sendfd "sendfd new" "create" "info" "info pipe:x" "info f f" rm clean \
		"list --kind x"
	refuses "pair -- true" "pipecat pair: --: does not stand between two commands"
	refuses "recvfd x y -- true" "pipecat recvfd: y: one operand too many; usage: pipecat recvfd [options] SOCKET -- COMMAND..."
	[[ -p f && ! -e new && ! -e x ]]
}

@test "names with odd characters are kept whole" {
	local name
	for name in "${odd_names[@]}" '/a:b' '/unix:x' '/7:8'; do
		name=.$name
		succeeds create "$name"
		json --arg n "$name" '. == {object: $n, created: true}'
		[[ -p $name ]] || fail "$name"
		succeeds info "$name"
		json --arg n "$name" '.name == $n and .kind == "fifo"'
		(timeout 10 pipecat - "$name" <<<text) &
		run timeout 10 pipecat relay "$name"
		assert_output text
		wait $!
		ends 2 "create" "$name" --mode $'\e[31m'
		assert_equal "${#stderr_lines[@]}" 1 "lines of the message"
		is_silent rm "$name"
	done
}

# ---- formats ----

@test "verbs that answer print JSON where no terminal is, those that act nothing" {
	local words
	hold_it
	for words in "list ." "list --kind pipe" "info ./f" "capacity ./f" "clean ." "create g" "create g"; do
		answers "$words"
	done
	for words in "hold f -- true" "pair -- true -- true" "rm g"; do
		is_silent "$words"
	done
	for words in "relay - new" "relay - new --json" "tee - new" "merge - new" "exec:true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr pipecat $words </dev/null
		assert_equal "$status/$output/$stderr" 0// "pipecat $words"
	done
	for words in "tee - new" "merge - new"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr pipecat $words --json <<<text
		json '.bytes == 5 and .error == null'
		# shellcheck disable=SC2086 # words
		run --separate-stderr pipecat $words --json -q <<<text
		assert_output ""
	done
}

@test "formats: on a terminal a table, IPCKIT_FORMAT, options" {
	hold_it
	on_terminal "list ." 'KIND +NAME +PEER'
	on_terminal "capacity ./f" 'capacity +64K'
	check_formats "capacity ./f" $'./f\t65536\t0' $'^object +./f\ncapacity +64K\nbytes +0$' \
		'. == {object: "./f", capacity: 65536, bytes: 0}'
	succeeds "capacity ./f --table --bytes"
	assert_match 'capacity +65536'
	IPCKIT_FORMAT=json is_silent "hold f -- true"
	IPCKIT_FORMAT=plain succeeds "exec:'echo' -"
	succeeds "list . --plain -o name,kind"
	assert_output $'./f\tfifo'
}

@test "--columns: help lists them; one that there is not is refused before anything is done" {
	check_columns $((${#verbs[@]} - 3))
	check_unknown_columns "create new" "rm f" "clean ." "tee - new" "merge - new" "capacity f 4096" "hold f"
	for words in relay read; do
		refuses "$words f --columns x" "pipecat $words: --columns: $words prints no columns"
	done
	ends 125 "hold f --columns bogus -- true"
	ends 125 "recvfd s --columns pid -- true"
	[[ -p f && ! -e new ]]
}

# ---- errors ----

# missed WORDS MESSAGE: what it names first, or MESSAGE does, is not there; of those that print JSON in JSON, too.
missed()
{
	local verb=${1%% *} wanted=3
	ends "$wanted" "$1"
	assert_equal "$stderr" "pipecat $verb: $2"
	[[ ! $output ]] || json --arg verb "$verb" --arg message "${2#*: }" --arg object "${2%%: *}" '.error ==
		{code: "ENOENT", exit: 3, verb: $verb, object: $object, message: $message}'
}

@test "an error is one line on stderr, and a document where JSON would have been" {
	local words
	for words in "relay ./none" "info ./none" "rm ./none --json" "tee ./none new --json" "merge ./none new"; do
		missed "$words" "./none: no such file"
	done
	for words in "read ./none" "write ./none --json" "hold ./none --json"; do
		missed "$words" "./none: no such FIFO"
	done
	missed "list ./none" "./none: no such directory"
	missed "clean ./none" "./none: no such directory"
	missed "capacity ./none" "./none: no such object"
	missed "sendfd ./none 0 --json" "./none: no such socket"
	missed "info 9999999:1" "9999999:1: no such process"
	for words in "relay ./none" "read ./none" "info ./none -q" "info ./none --plain" "capacity ./none --table"; do
		ends 3 "$words"
		assert_output ""
	done
	answers "info ./f"
	for words in "info ./none" "capacity ./none" "list ./none" "clean ./none" "write ./none --json" "hold ./none --json"; do
		ends 3 "$words"
		json '.error | .code == "ENOENT" and .exit == 3 and .object == "./none"'
	done
	check_safe_message info
	check_safe_message relay
	ends 2 relay - - --rate $'\e[31m'
	[[ $stderr != *$'\e'* ]]
	# Of several all are tried, and the status is the first failure's.
	: >file
	mkfifo g
	run --separate-stderr pipecat rm ./none ./f ./file ./g --json
	assert_status 3
	assert_equal "${#stderr_lines[@]}" 2
	[[ ! -e f && ! -e g && -f file ]]
}

@test "help, lists and results that cannot be written are status 8" {
	check_full info "read --help" "--list-options relay" "list ."
	# The sink itself is full: a limit.
	run --separate-stderr bash -c 'echo text | pipecat - >/dev/full'
	assert_status 6
	assert_stderr '^pipecat relay: -: no space left; it took 0 bytes before$'
}

# ---- exit statuses ----

# exits STATUS CODE WORDS: and the code of a document, where it prints one.
exits()
{
	local words
	read -ra words <<<"$3"
	run --separate-stderr timeout 20 pipecat "${words[@]}" </dev/null
	[[ $status == "$1" ]] || fail "expected status $1 of: pipecat $3" "$(show_last)"
	[[ $output != '{"error"'* ]] || json --arg code "$2" --argjson exit "$1" '.error | .code == $code and .exit == $exit'
	[[ ! $output || $output == '{'* ]] || fail "no document: pipecat $3" "$(show_last)"
}

@test "every exit status" {
	: >file
	printf '#!/none\n' >script
	start pipecat unix-listen:sock -
	wait_until 10 grep -q '00010000 .* sock$' /proc/net/unix
	while read -r wanted code words; do
		exits "$wanted" "$code" "$words"
	done <<-'END'
		0 - relay file new
		0 - create f
		1 ETIMEDOUT relay f - --timeout 10ms
		1 EAGAIN read f --timeout 0
		1 EAGAIN relay f - --nonblock
		1 ETIMEDOUT write f --timeout 10ms --json
		2 USAGE relay foo:x --json
		2 USAGE capacity f 0x
		3 ENOENT info none
		3 ECONNREFUSED relay file unix:@ipckit-nobody-is-here --json
		4 EEXIST create f --exclusive
		4 EADDRINUSE relay unix-listen:sock new2 --json
		6 ENOSPC relay /dev/zero /dev/full --json
		7 EBADMSG capacity file
		7 ENOTSOCK relay file unix:file --json
		8 EISDIR relay . new2 --json
		124 ETIMEDOUT recvfd s --timeout 10ms --json -- true
		125 USAGE pair --json -- true
		125 ENOENT hold none --json -- true
		126 - hold f -- ./file
		127 - hold f -- ./none
		126 - relay exec:./file new
		127 - relay exec:./none new
		126 - pair -- true -- ./file
		143 - exec:kill${IFS}$$
	END
	chmod 0 file
	mkdir closed
	chmod 0 closed
	for words in "relay file new2 --json" "relay - closed/new --json" "create closed/f" "info closed/f"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr as_unprivileged pipecat $words </dev/null
		[[ $status == 5 ]] || fail "$words" "$(show_last)"
		[[ ! $output ]] || json '.error | .code == "EACCES" and .exit == 5'
	done
	# As the shell sees it, without a word: who has gone that it wrote to.
	run --separate-stderr bash -c 'env --default-signal=PIPE bash -c "pipecat /dev/zero; echo \$? >status" | head -c 1 >/dev/null'
	assert_equal "$(<status)/$stderr" 141/
	[[ ! -e new2 ]]
}
