# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # what looks like an expansion is text
# Manual pages, completions and README against the programs that they describe.

load helpers

page=$IPCKIT_SRC/man/semctl-cli.1
common_page=$IPCKIT_SRC/man/ipckit.7
readme=$IPCKIT_SRC/README.md

# What an example left is not to be seen by the next.
setup()
{
	rm -f /dev/shm/sem.*
	ipcrm --all=sem
}

verbs()
{
	semctl-cli --list-verbs | cut -f1
}

# same WANTED GOT WHAT: two texts that have to be equal, with their difference where they are not.
same()
{
	local difference
	difference=$(diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")) ||
		fail "$3: < the program, > the document" "$difference"
}

# ---- reading mdoc ----

# section PAGE TITLE: its lines.
section()
{
	awk -v title=".Sh $2" '/^\.Sh / { on = $0 == title; next } on' "$1"
}

# verb_blocks: the lines of VERBS, each behind its verb and a TAB.
verb_blocks()
{
	section "$page" VERBS | awk '
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		/^\.It Ic / && depth == 1 { verb = $3 }
		/^\.Ic / && head { verb = $2; head = 0 }
		/^\.It Xo/ && depth == 1 { head = 1 }
		verb { print verb "\t" $0 }'
}

# options: `.It Fl c , Fl -count Ar N` as "--count -c N", likewise from stdin.
options()
{
	awk '$1 == ".It" && $2 == "Fl" {
		long = letter = argument = "-"
		for (i = 2; i <= NF; i++) {
			if ($i == "Fl" && $(i + 1) ~ /^-./) long = "-" $(++i)
			else if ($i == "Fl") letter = "-" $(++i)
			else if ($i == "Ar") { argument = $(i + 1); break }
		}
		print long, letter, argument
	}' | sort
}

listed_options()
{
	semctl-cli --list-options "$1" | awk -F'\t' '{ print $1, $2, $3 }' | sort
}

# own_options VERB: those that not every verb has.
own_options()
{
	comm -23 <(listed_options "$1") <(listed_options -)
}

# ---- manual pages ----

@test "the manual pages pass mandoc's lint" {
	command -v mandoc >/dev/null || skip "mandoc is not installed"
	run mandoc -T lint -W warning "$page" "$common_page"
	assert_output ""
	assert_status 0
}

@test "semctl-cli.1 has every verb, and no other" {
	same "$(verbs)" "$(verb_blocks | cut -f1 | uniq)" verbs
}

@test "semctl-cli.1 has every alias, and no other" {
	same "$(semctl-cli --list-verbs | awk -F'\t' '$2 != "-" { print $1, $2 }')" \
		"$(verb_blocks | sed -nE 's/^([a-z-]+)\t\.D1 Pq alias: Ic (.*)$/\1 \2/p')" aliases
}

@test "semctl-cli.1 has every verb's options with their letters and arguments, and no others" {
	local verb
	for verb in $(verbs); do
		own=$(own_options "$verb")
		documented=$(verb_blocks | sed -n "s/^$verb\t//p" | options)
		if [[ $verb == clean ]]; then
			# The filters that it shares with list are named in one sentence.
			documented=$({
				echo "$documented"
				comm -12 <(own_options list) <(verb_blocks | sed -nE 's/^clean\t\.Fl (-[a-z-]+).*/-\1/p' |
					while read -r long; do own_options list | grep "^$long "; done | sort)
			} | sort)
		fi
		same "$own" "$documented" "options of $verb"
	done
}

@test "ipckit.7 has the common options, and no others; semctl-cli.1 names them" {
	same "$(listed_options -)" "$(section "$common_page" "COMMON OPTIONS" | options)" "common options"
	for long in $(semctl-cli --list-options - | cut -f1); do
		section "$page" VERBS | grep -qE "Fl -${long#--}( |$)" || fail "$long is not in VERBS"
	done
}

@test "no option is mentioned that there is not" {
	all=$(for verb in $(verbs); do semctl-cli --list-options "$verb" | cut -f1; done | sort -u)
	run comm -13 <(echo "$all") <(grep -ohE '^\.(It |Op |Oo |Pq )?.*' "$page" "$common_page" |
		grep -oE 'Fl -[a-z][a-z-]*' | sed 's/Fl -/--/' | sort -u)
	assert_output ""
	run comm -13 <(echo "$all") <(grep -E 'semctl-cli|`--' "$readme" | grep -oE -- '--[a-z][a-z-]*' | sort -u)
	assert_output ""
}

# Columns with their meaning, as `--columns help` and as the page have them; nested ones, too.
help_columns()
{
	semctl-cli "$1" --columns help 2>/dev/null | sed -E 's/^ *([a-z_]+) +/\1: /'
}

page_columns()
{
	section "$page" "COLUMNS AND KEYS" | awk -v verb="$1" '
		/^\.Ss Of / {
			on = 0
			n = split(substr($0, 8), names, /, /)
			for (i = 1; i <= n; i++) on = on || names[i] == verb
			next
		}
		on && /^\.It Va / { name = $3; getline; print name ": " $0 }'
}

@test "semctl-cli.1 has every column with its meaning, and no other" {
	local verb
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
	section "$page" EXAMPLES | awk '/^\.Ss Results/ { on = 1 } on && !/^\./'
}

# replay: runs what stands behind `$ `, and prints it with what it prints.
replay()
{
	local line number=0
	{
		while IFS= read -r line; do
			[[ $line == '$ '* ]] || continue
			printf 'printf "%%s\\n" %q\n%s\n' "$line" "${line#\$ }"
			((++number))
		done
		echo 'exit 0'
	} >"$TMPDIR/session"
	((number > 0)) && bash "$TMPDIR/session" 2>&1
}

# What differs from run to run: ages, pids and the width of their column, ids, ftok's keys.
normalise()
{
	sed -E -e 's/^.*: line [0-9]+: +[0-9]+ Killed .*/Killed/' -e 's/[0-9]+ ?s ago/N s ago/g' -e 's/ +/ /g' \
		-e 's/^ [0-9]+ semctl-cli/ PID semctl-cli/' -e 's/"id":[0-9]+/"id":N/' -e 's/\bid:[0-9]+/id:N/' \
		-e 's/^0x[0-9a-f]{8}$/KEY/' -e 's/ +$//'
}

@test "README's examples print what it says" {
	sessions "$readme" | replay >"$TMPDIR/got"
	run diff <(sessions "$readme" | normalise) <(normalise <"$TMPDIR/got")
	assert_output ""
}

@test "semctl-cli.1's results are what is printed" {
	page_session | replay >"$TMPDIR/got"
	run diff <(page_session | normalise) <(normalise <"$TMPDIR/got")
	assert_output ""
}

# ---- README ----

@test "README's table of verbs is the program's" {
	same "$(semctl-cli --list-verbs | awk -F'\t' '{
			print $1 ($3 == "-" ? "" : " " $3) ($2 == "-" ? "" : " (" $2 ")") " | " $4 }')" \
		"$(sed -n '/^## The verbs/,/^## /s/^| `\(.*\) |$/\1/p' "$readme" | tr -d '`' | sed 's/\\|/|/g')" verbs
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
		source "$IPCKIT_SRC/completions/semctl-cli.bash"
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
		_semctl_cli
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
	mapfile -t all < <(verbs)
	offers "semctl-cli " "${all[@]}"
	offers "semctl-cli wai" wait wait-zero
	offers "semctl-cli wait --ti" --timeout
	mapfile -t all < <(semctl-cli --list-options repair | cut -f1)
	offers "semctl-cli repair /jobs --" "${all[@]}"
	mapfile -t all < <(semctl-cli --list-options - | cut -f1)
	offers "semctl-cli --" "${all[@]}"
	offers "semctl-cli nosuchverb "
	offers "semctl-cli -q p --cou" --count
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

@test "the zsh completion is zsh" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	run zsh -n "$IPCKIT_SRC/completions/_semctl-cli"
	assert_output ""
	assert_status 0
}

# Types LINE and a TAB into a shell on a terminal of its own, and prints what is offered.
zsh_offered()
{
	cat >"$TMPDIR/offered.zsh" <<-'END'
		zmodload zsh/zpty zsh/zselect
		zpty -b z zsh -f -i
		zpty -w z 'PROMPT=; fpath=($IPCKIT_SRC/completions $fpath); autoload -Uz compinit; compinit -u -D
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

@test "zsh completes verbs, options, columns and objects" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	zsh -fc 'zmodload zsh/zpty && autoload -Uz compinit && [[ -n $fpath[(r)*/Completion*] || -n $^fpath/compinit(N) ]]' ||
		skip "zsh lacks its modules or functions"
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
