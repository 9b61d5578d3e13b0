# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # what looks like an expansion is text
# shellcheck disable=SC2030,SC2031 # each test has a $tool of its own
# Manual pages, completions and README against the programs that they describe.

load helpers

tools=(semctl-cli mqtool shmtool futexctl pipecat deadlock-check)
pages=("${tools[@]/#/$IPCKIT_SRC/man/}")
pages=("${pages[@]/%/.1}")
common_page=$IPCKIT_SRC/man/ipckit.7
readme=$IPCKIT_SRC/README.md

# What an example left is not to be seen by the next.
setup()
{
	not_sanitized "the documents are the same"
	find /dev/shm /dev/mqueue -mindepth 1 -delete
	ipcrm --all=shm
	ipcrm --all=sem
	ipcrm --all=msg
}

# What is general is checked of each tool: `for tool in "${tools[@]}"`, and these speak of $tool.
tool=semctl-cli

verbs()
{
	"$tool" --list-verbs | cut -f1
}

page()
{
	echo "$IPCKIT_SRC/man/$tool.1"
}

# same WANTED GOT WHAT: two texts that have to be equal, with their difference where they are not.
same()
{
	[[ $1 == "$2" ]] || fail "$tool: $3: < the program, > the document" \
		"$(diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"))"
}

# ---- reading mdoc ----

# section PAGE TITLE: its lines.
section()
{
	awk -v title=".Sh $2" '/^\.Sh / { on = $0 == title; next } on' "$1"
}

# kept FILE COMMAND...: what it prints; asked again in this test, what it has printed.
kept()
{
	local file=$BATS_TEST_TMPDIR/kept.$1
	shift
	[[ -e $file ]] || { "$@" >"$file.$BASHPID" && mv "$file.$BASHPID" "$file"; } || return
	cat "$file"
}

# verb_blocks: the lines of VERBS, each behind its verb and a TAB.
verb_blocks()
{
	kept "$tool.blocks" read_verb_blocks
}

read_verb_blocks()
{
	section "$(page)" VERBS | awk '
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		/^\.It Ic / && depth == 1 { verb = $3 }
		/^\.Ic / && head { verb = $2; head = 0 }
		/^\.It Xo/ && depth == 1 { head = 1 }
		verb { print verb "\t" $0 }'
}

# options: `.It Fl c , Fl -count Ar N` as "--count -c N", likewise from stdin; behind its verb, where that is there.
options()
{
	awk '{ at = $1 == ".It" ? 1 : 2 }
	$at == ".It" && $(at + 1) == "Fl" {
		long = letter = argument = "-"
		for (i = at + 1; i <= NF; i++) {
			if ($i == "Fl" && $(i + 1) ~ /^-./) long = "-" $(++i)
			else if ($i == "Fl") letter = "-" $(++i)
			else if ($i == "Ar") { argument = $(i + 1); break }
		}
		print (at == 2 ? $1 " " : "") long, letter, argument
	}' | sort
}

listed_options()
{
	kept "$tool.$1" list_options "$1"
}

list_options()
{
	"$tool" --list-options "$1" | awk -F'\t' '{ print $1, $2, $3 }' | sort
}

# own_options: of each verb, behind it, those that not every verb has.
own_options()
{
	kept "$tool.own" list_own_options
}

list_own_options()
{
	local verb
	for verb in - $(verbs); do
		"$tool" --list-options "$verb" | sed "s/^/$verb\t/"
	done | awk -F'\t' '$1 == "-" { common[$2]; next } !($2 in common) { print $1, $2, $3, $4 }' | sort
}

# documented_options: of each verb, behind it, those in its block, and what several verbs share: in a section
# that the block refers to (`.Sx INPUT OPTIONS`), or those of another verb, named in a sentence.
documented_options()
{
	local verb title
	{
		verb_blocks | options
		while read -r verb title; do
			section "$(page)" "$title" | options | sed "s/^/$verb /"
		done < <(verb_blocks | sed -nE 's/^([a-z-]+)\t\.Sx ([A-Z ]*OPTIONS)( .*)?$/\1 \2/p')
		awk 'FILENAME == ARGV[1] { all[$0]; next }
			FILENAME == ARGV[2] { named[$0]; next }
			($1 " " $2) in named && ($2 " " $3 " " $4) in all' \
			<(section "$(page)" VERBS | options) \
			<(verb_blocks | sed -nE 's/^([a-z-]+)\t\.Fl -([a-z0-9-]+).*/\1 --\2/p') <(own_options)
	} | sort -u
}

# ---- manual pages ----

@test "the manual pages pass mandoc's lint" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	run mandoc -T lint -W warning "${pages[@]}" "$common_page"
	assert_output ""
	assert_status 0
}

@test "a tool's page has every verb, and no other" {
	for tool in "${tools[@]}"; do
		same "$(verbs)" "$(verb_blocks | cut -f1 | uniq)" verbs
	done
}

@test "a tool's page has every alias, and no other" {
	for tool in "${tools[@]}"; do
		same "$("$tool" --list-verbs | awk -F'\t' '$2 != "-" { print $1, $2 }')" \
			"$(verb_blocks | sed -nE 's/^([a-z-]+)\t\.D1 Pq alias: Ic (.*)$/\1 \2/p')" aliases
	done
}

@test "a tool's page has every verb's options with their letters and arguments, and no others" {
	for tool in "${tools[@]}"; do
		same "$(own_options)" "$(documented_options)" options
	done
}

@test "ipckit.7 has the common options, and no others; a tool's page names them" {
	for tool in "${tools[@]}"; do
		same "$(listed_options -)" "$(section "$common_page" "COMMON OPTIONS" | options)" "common options"
		for long in $(listed_options - | cut -d' ' -f1); do
			section "$(page)" VERBS | grep -qE "Fl -${long#--}( |$)" || fail "$tool: $long is not in VERBS"
		done
	done
}

# Every option of the tools, of some of them.
all_options()
{
	local verb
	for tool in "$@"; do
		for verb in $(verbs); do listed_options "$verb"; done
	done | cut -d' ' -f1 | sort -u
}

# mentioned PAGE...: options in running text.
mentioned()
{
	grep -ohE '^\.(It |Op |Oo |Pq )?.*' "$@" | grep -oE 'Fl -[a-z][a-z0-9-]*' | sed 's/Fl -/--/' | sort -u
}

@test "no option is mentioned that there is not" {
	for tool in "${tools[@]}"; do
		run comm -13 <(all_options "$tool") <(mentioned "$(page)")
		assert_output ""
	done
	run comm -13 <(all_options "${tools[@]}") <(mentioned "$common_page")
	assert_output ""
	run comm -13 <(all_options "${tools[@]}") \
		<(grep -E "$(IFS='|' && echo "${tools[*]}")|\`--" "$readme" | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u)
	assert_output ""
}

@test "a tool's page and ipckit.7 say which verb is the default one" {
	for tool in "${tools[@]}"; do
		verb=$("$tool" --help | sed -n 's/^The default verb is \(.*\)\.$/\1/p')
		[[ $verb ]] || continue
		section "$(page)" DESCRIPTION | grep -qxF ".Ic $verb" || fail "$tool: the default verb is $verb"
	done
	grep -qF "default verb" "$common_page"
}

# Columns with their meaning, as `--columns help` and as the page have them; nested ones, too.
help_columns()
{
	"$tool" "$1" --columns help 2>/dev/null | sed -E 's/^ *([a-z0-9_]+) +/\1: /'
}

page_columns()
{
	section "$(page)" "COLUMNS AND KEYS" | awk -v verb="$1" '
		/^\.Ss Of / {
			on = 0
			n = split(substr($0, 8), names, /, /)
			for (i = 1; i <= n; i++) on = on || names[i] == verb
			next
		}
		on && /^\.It Va / { name = $3; getline; print name ": " $0 }'
}

@test "a tool's page has every column with its meaning, and no other" {
	local verb
	for tool in "${tools[@]}"; do
		for verb in $(verbs); do
			wanted=$(help_columns "$verb")
			got=$(page_columns "$verb")
			# What list shares with info, but for the details that only info has.
			[[ $verb != list ]] || {
				missing=$(comm -23 <(sort <<<"$wanted") <(sort <<<"$got"))
				same "" "$missing" "columns of list"
				continue
			}
			same "$wanted" "$got" "columns of $verb"
		done
	done
}

@test "pipecat's page has every key of its lines of statistics, in their order, and no other" {
	tool=pipecat
	cd "$BATS_TEST_TMPDIR"
	keys()
	{
		jq -c . | grep -oE '"[a-z_]+":' | tr -d '":' | awk '!seen[$0]++'
	}
	{
		echo | pipecat - exec:cat --both --stats
		pipecat unix-listen:./s exec:cat --both --fork --stats --timeout 0
	} 2>&1 >/dev/null | grep '^{' | keys >run
	echo | pipecat - exec:cat --both --each 2>&1 >/dev/null | keys >each
	section "$(page)" "COLUMNS AND KEYS" | sed '1,/^\.Ss Of the lines of/d' >statistics
	same "$(<run)" "$(sed '/^With$/,$d' statistics | sed -n 's/^\.It Va //p' | tr -d ' ' | tr , '\n')" "keys of --stats"
	same "$(<each)" "$(sed '1,/^With$/d' statistics | sed -n 's/^\.It Va //p')" "keys of --each"
}

# "fifo:" of each kind of end that there is a word for.
documented_kinds()
{
	section "$(page)" ENDS | sed -n 's/^\.It //p' | grep -oE 'Cm [a-z-]+ :' | sed 's/Cm //; s/ //' | sort -u
}

@test "pipecat takes every kind of end on its page, and its completion offers these" {
	tool=pipecat
	local kind
	cd "$BATS_TEST_TMPDIR"
	same "$(offered "pipecat relay " | sort)" "$(documented_kinds)" kinds
	for kind in $(documented_kinds); do
		run pipecat relay "$kind" --timeout 0
		[[ $status == 2 && $output != *unknown* ]] || fail "$kind" "$(show_last)"
	done
	run pipecat relay "some:x"
	assert_match 'unknown kind'
}

# ---- exit statuses ----

# "ENOENT 3" of each errno in the table of statuses.
documented_statuses()
{
	section "$common_page" "EXIT STATUS" | awk '
		/^\.It / { status = $2 }
		/^\.Pq Er / { for (i = 3; i <= NF; i++) if ($i != ",") print $i, status }' | sort
}

@test "the statuses in ipckit.7 are those of the errno table" {
	"$IPCKIT_BUILD/tests/exit-statuses" >"$TMPDIR/statuses"
	same "$(awk '$2 != 8 { print $1, $2 }' "$TMPDIR/statuses" | sort)" \
		"$(documented_statuses | grep -v ' 8$')" statuses
	run grep -vxF -f "$TMPDIR/statuses" <(documented_statuses)
	assert_output ""
}

@test "README's table of statuses has the same numbers" {
	same "$(section "$common_page" "EXIT STATUS" | sed -n 's/^\.It //p' | tr '\n' ' ')" \
		"$(sed -n '/^## Exit statuses/,/^## /s/^| \([0-9, ]*\) |.*/\1/p' "$readme" | tr -d , | tr '\n' ' ' | tr -s ' ')" \
		statuses
}

# ---- examples, run ----

# sessions FILE: the commands and output of README's consoles.
sessions()
{
	awk '/^```console/ { on = 1; next } /^```/ { on = 0 } on' "$1"
}

page_session()
{
	section "$(page)" EXAMPLES | awk '/^\.Ss Results/ { on = 1 } on && !/^\./'
}

# replay: runs what stands behind `$ `, and goes on behind `> `, and prints it with what it prints.
replay()
{
	local line shown='' command number=0
	{
		while IFS= read -r line; do
			if [[ $line == '$ '* ]]; then
				put_command "$shown" "$command"
				shown=$line command=${line#\$ }
				((++number))
			elif [[ $shown && $line == '> '* ]]; then
				shown+=$'\n'$line command+=$'\n'${line#> }
			else
				put_command "$shown" "$command"
				shown=
			fi
		done
		put_command "$shown" "$command"
		echo 'exit 0'
	} >"$TMPDIR/session"
	((number > 0)) && LC_ALL=C.UTF-8 bash "$TMPDIR/session" 2>&1
}

put_command()
{
	[[ ! $1 ]] || printf 'printf "%%s\\n" %q\n%s\n' "$1" "$2"
}

# What differs from run to run: ages, pids and the width of their column, threads, ids, ftok's keys, ports, times,
# rates.
normalise()
{
	sed -E -e 's/^.*: line [0-9]+: +[0-9]+ Killed .*/Killed/' -e 's/[0-9]+ ?s ago/N s ago/g' -e 's/ +/ /g' \
		-e 's/^ [0-9]+ (semctl-cli|mqtool)/ PID \1/' -e 's/"id":[0-9]+/"id":N/' -e 's/\bid:[0-9]+/id:N/' \
		-e 's/^0x[0-9a-f]{8}$/KEY/' -e 's/\bthread [0-9]+ has/thread N has/' -e 's/ +$//' \
		-e 's|:[0-9]+/[0-9]+"|:PID"|g' -e 's/"process [0-9]+"/"process PID"/g' -e '/ of other PID namespaces are not seen$/d' \
		-e 's/"(seconds|rate)":[-0-9.e]+/"\1":N/g' -e 's/:[0-9]{4,5}"/:PORT"/' \
		-e 's|^([0-9.]+[KMG]) 0:0.:.. (\[[0-9.]+[KMGT]?/s\] ){2}|\1 TIME RATE |'
}

@test "README's examples print what it says" {
	cd "$BATS_TEST_TMPDIR"
	sessions "$readme" | replay >"$TMPDIR/got"
	run diff <(sessions "$readme" | normalise) <(normalise <"$TMPDIR/got")
	assert_output ""
}

@test "the results on a tool's page are what is printed" {
	cd "$BATS_TEST_TMPDIR"
	for tool in "${tools[@]}"; do
		page_session | replay >"$TMPDIR/got"
		run diff <(page_session | normalise) <(normalise <"$TMPDIR/got")
		assert_output ""
	done
}

# literal NUMBER: a literal text of INPUT, counted from 1.
literal()
{
	section "$(page)" INPUT | awk -v number="$1" '/^\.Ed/ { on = 0 } on; /^\.Bd/ { on = ++n == number }'
}

@test "deadlock-check reads the examples of forms on its page" {
	tool=deadlock-check
	cd "$BATS_TEST_TMPDIR"
	for number in 1 2 3 4; do
		literal "$number" >system
		run --separate-stderr deadlock-check check -o deadlocked --plain system
		[[ $output == true || $output == false ]] || fail "example $number" "$(show_last)"
	done
	literal 5 >matrix.mtx
	run deadlock-check convert --allocation matrix.mtx --request matrix.mtx --existing <(
		printf '%s\n' '%%MatrixMarket matrix array integer general' '1 4' 9 9 9 9
	) --to graph
	assert_match 'R3 -> P1'
}

# ---- README ----

@test "README's tables of verbs are the programs'" {
	for tool in "${tools[@]}"; do
		same "$("$tool" --list-verbs | awk -F'\t' '{
				print $1 ($3 == "-" ? "" : " " $3) ($2 == "-" ? "" : " (" $2 ")") " | " $4 }' | tr -d '\`')" \
			"$(sed -n "/^## The verbs of $tool\$/,/^## /s/^| \`\(.*\) |\$/\1/p" "$readme" |
				tr -d '\`' | sed 's/\\|/|/g')" verbs
	done
}

@test "README and ipckit.7 name every tool" {
	for tool in "${tools[@]}"; do
		grep -q "^| \`$tool\` |.*| here |\$" "$readme" || fail "$tool is not in README's table"
		section "$common_page" DESCRIPTION | grep -qxF ".It Xr $tool 1" || fail "$tool is not in ipckit.7"
	done
}

@test "README names files that there are" {
	local path
	for path in $(sed -n '/^## Where things are/,/^## /p' "$readme" | grep -oE '`[A-Za-z./-]+[a-z/]`' | tr -d '`'); do
		[[ -e $IPCKIT_SRC/$path ]] || fail "there is no $path"
	done
}

# ---- bash completion ----

# offered LINE: what bash would offer at its end, one a line. The words are cut as bash cuts them.
offered()
{
	bash --norc -c '
		source "$IPCKIT_SRC/completions/${1%% *}.bash"
		COMP_WORDBREAKS=$'\'' \t\n"\047@><=;|&(:'\''
		COMP_LINE=$1 COMP_POINT=${#1}
		COMP_WORDS=()
		rest=$1
		while [[ $rest ]]; do
			if [[ $rest =~ ^[[:blank:]]+ ]]; then :
			elif [[ $rest =~ ^[@=:]+ || $rest =~ ^([^\\@=:[:blank:]]|\\.)+ ]]; then
				COMP_WORDS+=("${BASH_REMATCH[0]}")
			fi
			rest=${rest#"${BASH_REMATCH[0]}"}
		done
		[[ $1 != *[[:blank:]] || $1 == *\\[[:blank:]] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		function=${1%% *}
		"_${function//-/_}"
		(( ! ${#COMPREPLY[@]} )) || printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}

# offers LINE WORD...: exactly these, in any order.
offers()
{
	local line=$1
	shift
	same "$( (($# == 0)) || printf '%s\n' "$@" | sort)" "$(offered "$line" | sort -u)" "completion of '$line'"
}

@test "bash completes verbs and options from the program" {
	cd "$BATS_TEST_TMPDIR"
	local verb
	for tool in "${tools[@]}"; do
		for verb in $(verbs); do
			mapfile -t all < <(listed_options "$verb" | cut -d' ' -f1)
			offers "$tool $verb --" "${all[@]}"
		done
		offers "$tool -q $verb --col" --columns
		[[ $(offered "$tool ${verb:0:4}") == *"$verb"* ]]
	done
	tool=semctl-cli
	mapfile -t all < <(verbs)
	offers "semctl-cli " "${all[@]}"
	offers "semctl-cli wai" wait wait-zero
	offers "semctl-cli wait --ti" --timeout
	mapfile -t all < <(listed_options repair | cut -d' ' -f1)
	offers "semctl-cli repair /jobs --" "${all[@]}"
	mapfile -t all < <(listed_options - | cut -d' ' -f1)
	offers "semctl-cli --" "${all[@]}"
	offers "semctl-cli nosuchverb "
	offers "semctl-cli -q p --cou" --count
}

# expected OPTION COMMAND...: the words that the program expects of an option, as it says of a wrong one.
expected()
{
	"${@:2}" "$1" '?' 2>&1 >/dev/null | sed -n 's/.*: expected //p' | sed 's/, or / /; s/ or / /; s/,//g'
}

@test "bash completes files, forms and the default verb of deadlock-check" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >graph.txt
	: >"a b"
	tool=deadlock-check
	mapfile -t all < <(verbs)
	offers "deadlock-check " "${all[@]}" graph.txt 'a\ b'
	offers "deadlock-check gr" graph graph.txt
	offers "deadlock-check gra" graph graph.txt
	offers "deadlock-check --trace graph." graph.txt
	offers "deadlock-check --tr" --trace
	offers "deadlock-check graph.txt --tr" --trace
	offers "deadlock-check graph.txt "
	offers "deadlock-check check g" graph.txt
	offers "deadlock-check explain -q g" graph.txt
	offers "deadlock-check explain graph.txt "
	offers "deadlock-check request g" graph.txt
	offers "deadlock-check request graph.txt "
	offers "deadlock-check request graph.txt P1 "
	offers "deadlock-check generate "
	for option in allocation request claim existing available cost; do
		offers "deadlock-check resolve --$option g" graph.txt
		offers "deadlock-check resolve --$option=g" graph.txt
	done
	offers "deadlock-check --from g" graph graph-json
	offers "deadlock-check -o proc" processes
	offers "deadlock-check request -o verd" verdict
}

@test "deadlock-check's words are completed as it expects them" {
	while read -r option command; do
		# shellcheck disable=SC2086 # words
		read -ra all <<<"$(expected "$option" $command)"
		((${#all[@]} > 1)) || fail "$command says not what $option takes"
		offers "$command $option " "${all[@]}"
	done <<-'END'
		--from deadlock-check
		--from deadlock-check safe
		--algorithm deadlock-check check
		--as deadlock-check graph
		--as deadlock-check live
		--to deadlock-check convert
		--kind deadlock-check generate
	END
}

@test "bash completes objects, by name, id and key" {
	semctl-cli create /jobs -q
	semctl-cli create /jets -q
	semctl-cli create key:0x4a0b -q
	semctl-cli create private -q
	names=(/jobs /jets key:0x00004a0b)
	mapfile -t ids < <(semctl-cli list --plain -o name --backend sysv)
	offers "semctl-cli wait " "${names[@]}" "${ids[@]}"
	offers "semctl-cli v -c 2 /jo" /jobs
	offers "semctl-cli rm /jobs /je" /jets
	offers "semctl-cli wait key:" 0x00004a0b
	offers "semctl-cli wait key:0x0000" 0x00004a0b
	offers "semctl-cli create p" private
	offers "semctl-cli info /jobs "
	offers "semctl-cli exec /jobs --timeout 5s /je" /jets
	offers "semctl-cli values /jobs " set
	IPCKIT_FD=7 offers "semctl-cli wait fd" fd:7
}

@test "bash completes queues, and what mqtool's options take" {
	cd "$BATS_TEST_TMPDIR"
	: >journal
	tool=mqtool
	mqtool create /jobs -q
	mqtool create key:0x4a0b -q
	semctl-cli create /sem -q
	id=$(mqtool list --plain -o name --backend sysv)
	names=(/jobs key:0x00004a0b "$id")
	offers "mqtool recv " "${names[@]}"
	offers "mqtool receive /jo" /jobs
	offers "mqtool create p" private
	offers "mqtool send /jobs "
	offers "mqtool exec /jobs --dead-letter key:" 0x00004a0b
	offers "mqtool exec /jobs -- trunca" truncate
	offers "mqtool recv /jobs --journal jo" journal
	offers "mqtool send /jobs --file jo" journal
	offers "mqtool ftok jo" journal
	offers "mqtool recv ftok:jo" journal
	offers "mqtool list --backend p" posix
	offers "mqtool list --key " 0x00004a0b
	offers "mqtool list --name /" /jobs
	offers "mqtool list --owner roo" root
	offers "mqtool set /jobs --owner roo" root
	offers "mqtool recv /jobs -o da" data
	offers "mqtool recv /jobs --type "
}

@test "bash completes segments, and what shmtool's options and operands take" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >saved
	tool=shmtool
	shmtool create /frame --size 8 -q
	shmtool create key:0x4a0b --size 8 -q
	semctl-cli create /sem -q
	id=$(shmtool list --plain -o name --backend sysv)
	names=(/frame key:0x00004a0b "$id")
	offers "shmtool read " "${names[@]}"
	offers "shmtool recv /fr" /frame
	offers "shmtool create p" private
	offers "shmtool write /frame "
	offers "shmtool write /frame --file sa" saved
	offers "shmtool copy /frame key:" 0x00004a0b
	offers "shmtool compare /frame " "${names[@]}" saved
	offers "shmtool compare /frame ./sa" ./saved
	offers "shmtool compare /frame file:sa" saved
	offers "shmtool peek /frame " {i,u}{8,16,32,64}@ f{32,64}@
	offers "shmtool peek /frame u3" u32@ u32le@ u32be@
	offers "shmtool peek /frame u32@0 f6" f64@ f64le@ f64be@
	offers "shmtool poke /frame i16b" i16be@
	offers "shmtool poke /frame i16be@"
	offers "shmtool wait /frame u8@0 " eq ne lt le gt ge
	offers "shmtool wait /frame u8@0 g" gt ge
	offers "shmtool wait /frame u8@0 gt "
	offers "shmtool poke /frame --lock /" /frame@ /sem
	offers "shmtool poke /frame --lock file:sa" saved
	offers "shmtool poke /frame --lock ./sa" ./saved@
	offers "shmtool attach /frame -- trunca" truncate
	offers "shmtool ftok sa" saved
	offers "shmtool list --backend p" posix
	offers "shmtool list --key " 0x00004a0b
	offers "shmtool set /frame --owner roo" root
	offers "shmtool peek /frame -o te" text
	offers "shmtool create --size "
}

@test "bash completes words, and what futexctl's options and operands take" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >words
	tool=futexctl
	futexctl create /state
	shmtool create key:0x4a0b --size 8 -q
	semctl-cli create /sem -q
	id=$(shmtool list --plain -o name --backend sysv)
	names=(/state key:0x00004a0b "$id")
	offers "futexctl get " "${names[@]}"
	offers "futexctl get /state key:" 0x00004a0b
	offers "futexctl create /" /state
	offers "futexctl lock ./wo" ./words
	offers "futexctl waiters /st" /state
	offers "futexctl requeue /state /st" /state
	offers "futexctl cond /state /st" /state
	offers "futexctl waitv /state=1 /st" /state
	offers "futexctl wait-requeue-pi /state 0 ./" ./words
	offers "futexctl wait /state "
	offers "futexctl await /state " eq ne lt le gt ge mask
	offers "futexctl await /state g" gt ge
	offers "futexctl wake /state " all
	offers "futexctl add /state 1 --wake " all
	offers "futexctl wake-op /state /state --op a" add andn
	offers "futexctl wake-op /state /state --cmp l" lt le
	offers "futexctl lock-pi /state --clock " realtime monotonic
	offers "futexctl exec /state -- trunca" truncate
	offered "futexctl waiters --pid " | grep -qx "$$"
	offered "futexctl robust $$" | grep -qx "$$"
	offers "futexctl waiters -o oper" operation
	offers "futexctl probe "
	offers "futexctl wait /state 0 --until "
}

@test "bash completes ends, and what pipecat's options and operands take" {
	mkdir -p "$BATS_TEST_TMPDIR/dir/sub"
	cd "$BATS_TEST_TMPDIR/dir"
	: >file
	tool=pipecat
	pipecat create ./queue -q
	start pipecat unix-listen:@docs-$$ -
	wait_until 5 eval 'pipecat list --kind unix --plain -o name | grep -qx "@docs-$$"'
	mapfile -t all < <(verbs && documented_kinds)
	offers "pipecat " "${all[@]}" file queue sub/
	offers "pipecat fi" fifo: file
	offers "pipecat file unix-l" unix-listen:
	offers "pipecat --both fifo:qu" queue
	offers "pipecat relay unix:@docs-$$ exec:trunca" truncate
	offers "pipecat relay unix:@docs-" "docs-$$"
	offers "pipecat relay tcp:localhost:"
	offers "pipecat relay file - "
	offers "pipecat tee file queue fi" fifo: file
	offers "pipecat merge file file file qu" queue
	offers "pipecat read " queue sub/
	offers "pipecat capacity ./q" ./queue
	offers "pipecat rm queue q" queue
	offers "pipecat clean " sub/
	offers "pipecat list s" sub/
	offers "pipecat info so" socket:
	# A connected socket that has no name.
	start pipecat unix-listen:@pair-$$ -
	# It has the name a moment before it takes connections.
	wait_until 5 grep -q "00010000 .* @pair-$$\$" /proc/net/unix
	exec 8<>"$IPCKIT_NEVER"
	start bash -c 'exec pipecat - "unix:@pair-$0" <&8' $$
	wait_until 5 eval 'pipecat list --kind unix --plain -o name | grep -q "^socket:"'
	offered "pipecat info socket:" | grep -qE '^[0-9]+$'
	offers "pipecat sendfd unix:@docs-" "docs-$$"
	offers "pipecat sendfd ./q"
	offers "pipecat recvfd x -- trunca" truncate
	offers "pipecat hold queue -- trunca" truncate
	offers "pipecat clean sub --kind " fifo unix
	offers "pipecat list --kind fifo,u" fifo,unix fifo,udp
	offered "pipecat list --pid " | grep -qx "$$"
	offers "pipecat pair --sep "
	offers "pipecat create --unique q" queue
	offers "pipecat info queue -o wri" writers
}

@test "bash completes a name that a shell would expand, quoted and unexpanded" {
	semctl-cli create '/a $(touch gone)' -q
	semctl-cli create $'/b\nc' -q
	cd "$TMPDIR"
	offers "semctl-cli wait /a" '/a\ \$\(touch\ gone\)'
	offers 'semctl-cli wait /a\ ' '/a\ \$\(touch\ gone\)'
	offers "semctl-cli wait /b" "\$'/b\\nc'"
	[[ ! -e gone ]]
	semctl-cli rm '/a $(touch gone)' $'/b\nc'
}

@test "bash completes arguments of options" {
	semctl-cli create key:0x77 -q
	offers "semctl-cli list --backend " posix sysv
	offers "semctl-cli list --backend=s" sysv
	offers "semctl-cli list --sort na" name
	offers "semctl-cli list -o name,wai" name,waiters name,waiters_recorded
	offers "semctl-cli info /x -o hold" holders
	offers "semctl-cli list -o hold"
	offers "semctl-cli list -o hel" help
	offers "semctl-cli list -qo backe" backend
	offers "semctl-cli list --owner roo" root
	offers "semctl-cli wait /jobs --timeout "
	offers "semctl-cli list --key 0x00000077" 0x00000077
}

@test "bash completes the command after --, and files" {
	mkdir "$TMPDIR/files"
	: >"$TMPDIR/files/alpha"
	offers "semctl-cli exec /jobs -- trunca" truncate
	offers "semctl-cli exec key:1 -- cat $TMPDIR/files/al" "$TMPDIR/files/alpha"
	offers "semctl-cli ftok $TMPDIR/files/" "$TMPDIR/files/alpha"
	offers "semctl-cli exec file:$TMPDIR/files/" "$TMPDIR/files/alpha"
	offers "semctl-cli wait $TMPDIR/files/" "$TMPDIR/files/alpha"
	offers "semctl-cli wait -- /"
}

# ---- zsh completion ----

@test "the zsh completions are zsh" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	for file in "$IPCKIT_SRC"/completions/_*; do
		run zsh -n "$file"
		assert_output ""
		assert_status 0
	done
}

# Types LINE and a TAB into a shell on a terminal of its own, and prints what is offered.
zsh_offered()
{
	cat >"$TMPDIR/offered.zsh" <<-'END'
		zmodload zsh/zpty zsh/zselect
		zpty -b z zsh -f -i
		zpty -w z 'PROMPT=; fpath=($IPCKIT_SRC/completions $fpath); autoload -Uz compinit; compinit -u -C -d $BATS_FILE_TMPDIR/compdump
			compadd() {
				local -a o
				if [[ ${@[(I)-O|-A|-D]} -eq 0 ]]; then
					builtin compadd -O o "$@"
					(($#o)) && print -rl -- $o >>$TMPDIR/offers
				fi
				builtin compadd "$@"
			}
			done_completing() { print >$TMPDIR/completed }
			compprefuncs=() comppostfuncs=(done_completing)
			bindkey "^I" complete-word; print REA""DY'
		zpty -r -m z line '*READY*'
		: >$TMPDIR/offers
		zpty -w -n z "$1"$'\t'
		for ((i = 0; i < 1000; i++)); do
			[[ ! -e $TMPDIR/completed ]] || break
			zselect -t 1
		done
		sort -u $TMPDIR/offers
		zpty -d z
	END
	rm -f "$TMPDIR/completed"
	zsh -f "$TMPDIR/offered.zsh" "$1" | sed '/^$/d'
}

needs_zsh()
{
	command -v zsh >/dev/null || skip "zsh is not installed"
	zsh -fc 'zmodload zsh/zpty && autoload -Uz compinit && [[ -n $fpath[(r)*/Completion*] || -n $^fpath/compinit(N) ]]' ||
		skip "zsh lacks its modules or functions"
}

@test "zsh completes verbs, options, columns and objects" {
	needs_zsh
	semctl-cli create '/odd $(name)' -q
	same "$(verbs | sort)" "$(zsh_offered "semctl-cli ")" verbs
	same "--timeout" "$(zsh_offered "semctl-cli wait --ti")" options
	same "/odd \$(name)" "$(zsh_offered "semctl-cli wait /odd")" objects
	same "waiters
waiters_recorded" "$(zsh_offered "semctl-cli list -o name,wai")" columns
	same "posix
sysv" "$(zsh_offered "semctl-cli list --backend ")" backends
	same "truncate" "$(zsh_offered "semctl-cli exec /jobs -- trunca")" commands
}

@test "zsh completes queues, and what mqtool's options take" {
	needs_zsh
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >journal
	tool=mqtool
	mqtool create /jobs -q
	mqtool create key:0x4a0b -q
	same "$(verbs | sort)" "$(zsh_offered "mqtool ")" verbs
	same "/jobs" "$(zsh_offered "mqtool recv /")" objects
	same "/jobs" "$(zsh_offered "mqtool exec --dead-letter /")" objects
	same "journal" "$(zsh_offered "mqtool recv /jobs --journal ")" files
	same "0x00004a0b" "$(zsh_offered "mqtool list --key ")" keys
	same "dead_lettered" "$(zsh_offered "mqtool exec -o dead")" columns
}

@test "zsh completes segments, and what shmtool's options and operands take" {
	needs_zsh
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >saved
	tool=shmtool
	shmtool create /frame --size 8 -q
	shmtool create key:0x4a0b --size 8 -q
	semctl-cli create /sem -q
	same "$(verbs | sort)" "$(zsh_offered "shmtool ")" verbs
	same "/frame" "$(zsh_offered "shmtool read /fr")" objects
	same "saved" "$(zsh_offered "shmtool write /frame --file ")" files
	same "saved" "$(zsh_offered "shmtool compare /frame sa")" "files to compare"
	same "saved" "$(zsh_offered "shmtool compare /frame file:sa")" "files to compare"
	same "u32@
u32be@
u32le@" "$(zsh_offered "shmtool peek /frame u3")" types
	same "ge
gt" "$(zsh_offered "shmtool wait /frame u8@0 g")" comparisons
	same "/frame@
/sem" "$(zsh_offered "shmtool poke /frame --lock /")" locks
	same "0x00004a0b" "$(zsh_offered "shmtool list --key ")" keys
	same "swapped" "$(zsh_offered "shmtool poke -o sw")" columns
}

@test "zsh completes words, and what futexctl's options and operands take" {
	needs_zsh
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >words
	tool=futexctl
	futexctl create /state
	shmtool create key:0x4a0b --size 8 -q
	semctl-cli create /sem -q
	same "$(verbs | sort)" "$(zsh_offered "futexctl ")" verbs
	same "/state" "$(zsh_offered "futexctl get /")" words
	same "key:0x00004a0b" "$(zsh_offered "futexctl requeue /state k")" words
	same "words" "$(zsh_offered "futexctl lock ./w")" files
	same "ge
gt" "$(zsh_offered "futexctl await /state g")" comparisons
	same "add
andn" "$(zsh_offered "futexctl wake-op --op a")" operations
	same "all" "$(zsh_offered "futexctl wake /state ")" counts
	same "monotonic
realtime" "$(zsh_offered "futexctl lock-pi --clock ")" clocks
	zsh_offered "futexctl robust $$" | grep -qx "$$"
	same "owner" "$(zsh_offered "futexctl waiters -o own")" columns
}

@test "zsh completes ends, and what pipecat's options and operands take" {
	needs_zsh
	mkdir -p "$BATS_TEST_TMPDIR/dir/sub"
	cd "$BATS_TEST_TMPDIR/dir"
	: >file
	tool=pipecat
	pipecat create ./queue -q
	start pipecat unix-listen:@docs-$$ -
	wait_until 5 eval 'pipecat list --kind unix --plain -o name | grep -qx "@docs-$$"'
	same "$( (verbs && documented_kinds && printf '%s\n' file queue sub) | sort)" "$(zsh_offered "pipecat ")" "verbs and ends"
	same "queue
sub" "$(zsh_offered "pipecat file fifo:")" FIFOs
	same "@docs-$$" "$(zsh_offered "pipecat file unix:@do")" "abstract names"
	same "truncate" "$(zsh_offered "pipecat file exec:trunca")" commands
	same "queue
sub" "$(zsh_offered "pipecat read ")" FIFOs
	same "file" "$(zsh_offered "pipecat merge file file fil")" "several sources"
	same "udp
unix" "$(zsh_offered "pipecat list --kind fifo,u")" kinds
}

@test "zsh completes files, forms and the default verb of deadlock-check" {
	needs_zsh
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir"
	: >graph.txt
	tool=deadlock-check
	same "$( (verbs && echo graph.txt) | sort)" "$(zsh_offered "deadlock-check ")" "verbs and files"
	same "--trace" "$(zsh_offered "deadlock-check graph.txt --tr")" options
	same "graph.txt" "$(zsh_offered "deadlock-check safe gr")" files
	same "graph.txt" "$(zsh_offered "deadlock-check resolve --cost gr")" files
	same "processes" "$(zsh_offered "deadlock-check -o proc")" columns
	while read -r option command; do
		# shellcheck disable=SC2086 # words
		same "$(expected "$option" $command | tr ' ' '\n' | sort)" "$(zsh_offered "$command $option ")" "$option"
	done <<-'END'
		--from deadlock-check
		--algorithm deadlock-check check
		--as deadlock-check graph
		--to deadlock-check convert
		--kind deadlock-check generate
	END
}
