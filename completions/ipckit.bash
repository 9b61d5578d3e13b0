# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of the ipckit tools: what they share. Verbs, options and columns
# are asked of the program itself at the moment of completion. Nothing that it
# answers is expanded: the name of an object may hold anything.
#
# The file of a tool sources this one and calls `_ipckit PREFIX [VERB]`, where VERB
# is the tool's default verb. What is special to it are two functions:
#
#   PREFIX_argument OPTION WORD  offers arguments of an option, WORD stands for them in its help
#   PREFIX_operand WORD          offers what may stand for an operand that usage calls WORD
#
# They find the word to complete in `cur`, the program in `tool` and the verb in `verb`.

# Puts the words up to the cursor into `words`, joined again where bash cut them
# at `:`, `=` and the like.
_ipckit_words()
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
_ipckit_offer()
{
	local word quoted

	for word in "$@"; do
		quoted=$word
		[[ $word != *[!A-Za-z0-9_./:,@%+=-]* ]] || printf -v quoted %q "$word"
		[[ $word == "$cur"* || $quoted == "$cur"* ]] && COMPREPLY+=("$quoted")
	done
}

# The first field of each line that the program prints.
_ipckit_ask()
{
	"$tool" "$@" 2>/dev/null | cut -f1
}

# Offers files below a prefix that is part of the word: file:PATH, ftok:PATH.
_ipckit_files()
{
	local prefix=$1 file

	while IFS= read -r file; do
		[[ -d $file ]] && file+=/
		_ipckit_offer "$prefix$file"
	done < <(compgen -f -- "${cur#"$prefix"}")
	compopt -o nospace 2>/dev/null
}

_ipckit_users()
{
	mapfile -t COMPREPLY < <(compgen -u -- "$cur")
}

# Offers names of columns; of a list A,B its last part is completed.
_ipckit_columns()
{
	local done='' name

	[[ $1 == one || $cur != *,* ]] || done=${cur%,*},
	while read -r name _; do
		_ipckit_offer "$done$name"
	done < <("$tool" "${verb:-$fallback}" --columns help 2>/dev/null | grep '^[a-z]')
	[[ $1 == one ]] || {
		[[ $done ]] || _ipckit_offer help
		compopt -o nospace 2>/dev/null
	}
}

# Offers the objects that there are, System V ones by key, too.
_ipckit_objects()
{
	local name key line

	[[ $cur != ftok:* ]] || {
		_ipckit_files ftok:
		return
	}
	while IFS= read -r line; do
		name=${line%%$'\t'*}
		key=${line#*$'\t'}
		printf -v name %b "$name"
		_ipckit_offer "$name"
		[[ $key == - || $key == 0x00000000 ]] || _ipckit_offer "key:$key"
	done < <("$tool" list --plain -o name,key 2>/dev/null)
	[[ $verb != create ]] || _ipckit_offer private
}

_ipckit_keys()
{
	local key

	while read -r key; do
		[[ $key == - || $key == 0x00000000 ]] || _ipckit_offer "$key"
	done < <(_ipckit_ask list --plain -o key)
}

_ipckit_argument()
{
	case $2 in
	A,B) _ipckit_columns several ;;
	COLUMN) _ipckit_columns one ;;
	USER*) _ipckit_users ;;
	WORD) [[ $1 != --backend ]] || _ipckit_offer posix sysv ;;
	GLOB | OBJECT) "${prefix}_operand" OBJECT ;;
	KEY) _ipckit_keys ;;
	PATH) _ipckit_files '' ;;
	*) "${prefix}_argument" "$1" "$2" ;;
	esac
}

# Offers what may stand in the place of an operand; $1 counts from 0.
_ipckit_operand()
{
	local shown=${operands%%-- *} place
	local -a places

	shown=${shown//[][]/}
	read -ra places <<<"$shown"
	((${#places[@]})) || return
	if (($1 < ${#places[@]})); then
		place=${places[$1]}
	else
		# What there may be several of, wherever that stands: SOURCE... SINK.
		for place in "${places[@]}" ''; do
			[[ $place != *... || $place == *,* ]] || break
		done
		[[ $place ]] || return
	fi
	case $place in
	FILE | PATH) _ipckit_files '' ;;
	USER*) _ipckit_users ;;
	*) "${prefix}_operand" "$place" ;;
	esac
}

# After `--` another command begins.
_ipckit_command()
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
		_ipckit_files ''
	fi
}

# Takes up a verb, if the word is one: its operands, and the options in force.
_ipckit_verb()
{
	local name alias shown

	while IFS=$'\t' read -r name alias shown _; do
		[[ $1 != "$name" && $1 != "$alias" ]] || {
			verb=$name
			operands=$shown
		}
	done < <("$tool" --list-verbs 2>/dev/null)
	[[ $verb ]] || return
	options=()
	_ipckit_options
}

# Reads the options that are in force: their names, and what they take.
_ipckit_options()
{
	local long short argument _

	while IFS=$'\t' read -r long short argument _; do
		options+=("$long")
		takes[$long]=$argument
		[[ $short == - ]] || takes[$short]=$argument
	done < <("$tool" --list-options "${verb:-${fallback:--}}" 2>/dev/null)
}

# Bash replaces only what follows the last character at which it cuts words.
_ipckit_cut()
{
	local mark

	for mark in : = @; do
		[[ $COMP_WORDBREAKS == *"$mark"* && $cur == *"$mark"* ]] || continue
		COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*"$mark"}"}"}")
		cur=${cur##*"$mark"}
	done
}

# Offers what may stand at the cursor, once it is known what stands before it.
_ipckit_here()
{
	local word
	local -a verbs

	if [[ $pending ]]; then
		_ipckit_argument "$pending" "${takes[$pending]}"
	elif [[ $cur == --*=* ]]; then
		word=${cur%%=*}
		cur=${cur#*=}
		_ipckit_argument "$word" "${takes[$word]:-}"
		cur=$word=$cur
		COMPREPLY=("${COMPREPLY[@]/#/$word=}")
	elif [[ $cur == -* ]]; then
		_ipckit_offer "${options[@]}"
	elif [[ ! $typed ]]; then
		mapfile -t verbs < <(_ipckit_ask --list-verbs)
		_ipckit_offer "${verbs[@]}"
		[[ ! $fallback ]] || {
			_ipckit_verb "$fallback"
			_ipckit_operand 0
		}
	else
		_ipckit_operand "$given"
	fi
}

# _ipckit PREFIX [VERB]: completes the command line.
_ipckit()
{
	local prefix=$1 fallback=${2:-} cur tool verb='' operands='' pending='' typed='' word i
	local -a words options=()
	local -A takes=()
	local -i given=0

	COMPREPLY=()
	_ipckit_words
	cur=${words[-1]}
	tool=${words[0]/#\~\//$HOME/}
	_ipckit_options

	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		if [[ $pending ]]; then
			pending=
		elif [[ $word == -- ]]; then
			[[ $operands != *'-- COMMAND'* ]] || _ipckit_command
			return
		elif [[ $word == --* ]]; then
			[[ $word == *=* || ${takes[$word]:--} == - ]] || pending=$word
		elif [[ $word == -?* ]]; then
			[[ ${takes[-${word: -1}]:--} == - ]] || pending=-${word: -1}
		elif [[ $typed ]]; then
			given+=1
		else
			typed=yes
			_ipckit_verb "$word" || {
				[[ $fallback ]] || return
				_ipckit_verb "$fallback"
				given+=1
			}
		fi
	done
	_ipckit_here
	_ipckit_cut
	return 0
}
