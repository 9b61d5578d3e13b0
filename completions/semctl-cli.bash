# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of semctl-cli. Verbs, options, columns and objects are asked of
# the program itself at the moment of completion. Nothing that it answers is
# expanded: the name of a semaphore may hold anything.

# Puts the words up to the cursor into `words`, joined again where bash cut them
# at `:`, `=` and the like.
_semctl_cli_words()
{
	local line=${COMP_LINE:0:COMP_POINT} i word rest

	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		rest=${line#"${line%%[![:blank:]]*}"}
		word=${COMP_WORDS[i]}
		((i < COMP_CWORD)) || word=$rest
		if ((i == 0)) || [[ $rest != "$line" ]]; then
			words+=("$word")
		else
			words[${#words[@]} - 1]+=$word
		fi
		line=${rest#"$word"}
	done
}

# Offers those of some words that begin with what is typed, quoted for the shell.
_semctl_cli_offer()
{
	local word quoted

	for word in "$@"; do
		quoted=$word
		[[ $word != *[!A-Za-z0-9_./:,@%+=-]* ]] || printf -v quoted %q "$word"
		[[ $word == "$cur"* || $quoted == "$cur"* ]] && COMPREPLY+=("$quoted")
	done
}

# The first field of each line that the program prints.
_semctl_cli_ask()
{
	"$tool" "$@" 2>/dev/null | cut -f1
}

# Offers files below a prefix that is part of the word: file:PATH, ftok:PATH.
_semctl_cli_files()
{
	local prefix=$1 file

	while IFS= read -r file; do
		[[ -d $file ]] && file+=/
		_semctl_cli_offer "$prefix$file"
	done < <(compgen -f -- "${cur#"$prefix"}")
	compopt -o nospace 2>/dev/null
}

# Offers the semaphores that there are, System V sets by key, too.
_semctl_cli_objects()
{
	local name key line

	case $cur in
	ftok:*) _semctl_cli_files ftok: && return ;;
	file:*) [[ $verb == exec ]] && _semctl_cli_files file: && return ;;
	./* | ../* | /*/* | '~'*) _semctl_cli_files '' && return ;;
	esac
	while IFS= read -r line; do
		name=${line%%$'\t'*}
		key=${line#*$'\t'}
		printf -v name %b "$name"
		_semctl_cli_offer "$name"
		[[ $key == - || $key == 0x00000000 ]] || _semctl_cli_offer "key:$key"
	done < <("$tool" list --plain -o name,key 2>/dev/null)
	[[ $verb != create ]] || _semctl_cli_offer private
	[[ ! ${IPCKIT_FD:-} ]] || _semctl_cli_offer "fd:$IPCKIT_FD"
}

# Offers names of columns; of a list A,B its last part is completed.
_semctl_cli_columns()
{
	local done='' name

	[[ $1 == one || $cur != *,* ]] || done=${cur%,*},
	while read -r name _; do
		_semctl_cli_offer "$done$name"
	done < <("$tool" "$verb" --columns help 2>/dev/null | grep '^[a-z]')
	[[ $1 == one ]] || {
		[[ $done ]] || _semctl_cli_offer help
		compopt -o nospace 2>/dev/null
	}
}

# Offers arguments of an option, by the word that stands for them in its help.
_semctl_cli_argument()
{
	local name

	case $1 in
	WORD) _semctl_cli_offer posix sysv ;;
	A,B) _semctl_cli_columns several ;;
	COLUMN) _semctl_cli_columns one ;;
	USER) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	GLOB) _semctl_cli_objects ;;
	KEY)
		while read -r name; do
			[[ $name == - || $name == 0x00000000 ]] || _semctl_cli_offer "$name"
		done < <(_semctl_cli_ask list --plain -o key)
		;;
	esac
}

# Offers what may stand in the place of an operand; $1 counts from 0.
_semctl_cli_operand()
{
	local shown=${operands%%-- *} place
	local -a places

	shown=${shown//[][]/}
	read -ra places <<<"$shown"
	((${#places[@]})) || return
	if (($1 < ${#places[@]})); then
		place=${places[$1]}
	else
		place=${places[-1]}
		[[ $place == *... && $place != *,* ]] || return
	fi
	case $place in
	OBJECT*) _semctl_cli_objects ;;
	PATH) _semctl_cli_files '' ;;
	USER*) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	set) _semctl_cli_offer set ;;
	esac
}

# After `--` another command begins.
_semctl_cli_command()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -- ]] || break
	done
	if declare -F _command_offset >/dev/null; then
		_command_offset $((i + 1))
	elif ((i + 1 == COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	else
		_semctl_cli_files ''
	fi
}

# Reads the options that are in force: their names, and what they take.
_semctl_cli_options()
{
	local long short argument _

	while IFS=$'\t' read -r long short argument _; do
		options+=("$long")
		takes[$long]=$argument
		[[ $short == - ]] || takes[$short]=$argument
	done < <("$tool" --list-options "${verb:--}" 2>/dev/null)
}

_semctl_cli()
{
	local cur tool verb='' operands='' pending='' word name alias shown i
	local -a words verbs=() options=()
	local -A takes=()
	local -i given=0

	COMPREPLY=()
	_semctl_cli_words
	cur=${words[-1]}
	tool=${words[0]/#\~\//$HOME/}

	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		((${#options[@]})) || _semctl_cli_options
		if [[ $pending ]]; then
			pending=
		elif [[ $word == -- ]]; then
			[[ $operands != *'-- COMMAND'* ]] || _semctl_cli_command
			return
		elif [[ $word == --* ]]; then
			[[ $word == *=* || ${takes[$word]:--} == - ]] || pending=$word
		elif [[ $word == -?* ]]; then
			[[ ${takes[-${word: -1}]:--} == - ]] || pending=-${word: -1}
		elif [[ ! $verb ]]; then
			while IFS=$'\t' read -r name alias shown _; do
				[[ $word != "$name" && $word != "$alias" ]] || {
					verb=$name
					operands=$shown
				}
			done < <("$tool" --list-verbs 2>/dev/null)
			[[ $verb ]] || return
			options=()
			_semctl_cli_options
		else
			given+=1
		fi
	done

	((${#options[@]})) || _semctl_cli_options
	if [[ $pending ]]; then
		_semctl_cli_argument "${takes[$pending]}"
	elif [[ $cur == --*=* ]]; then
		word=${cur%%=*}
		cur=${cur#*=}
		_semctl_cli_argument "${takes[$word]:-}"
		cur=$word=$cur
		COMPREPLY=("${COMPREPLY[@]/#/$word=}")
	elif [[ $cur == -* ]]; then
		_semctl_cli_offer "${options[@]}"
	elif [[ ! $verb ]]; then
		mapfile -t verbs < <(_semctl_cli_ask --list-verbs)
		_semctl_cli_offer "${verbs[@]}"
	else
		_semctl_cli_operand "$given"
	fi

	# Bash replaces only what follows the last character at which it cuts words.
	for word in : = @; do
		[[ $COMP_WORDBREAKS == *"$word"* && $cur == *"$word"* ]] || continue
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*"$word"}"}"}")
		cur=${cur##*"$word"}
	done
	return 0
}

complete -F _semctl_cli semctl-cli
