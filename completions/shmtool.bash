# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of shmtool.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

# Types of cells, with a byte order once one has begun.
_shmtool_types()
{
	local type

	compopt -o nospace 2>/dev/null
	for type in {i,u}{8,16,32,64} f{32,64}; do
		_ipckit_offer "$type@"
		[[ ! $cur || $type == ?8 ]] || _ipckit_offer "$type"{le,be}@
	done
}

# What may hold the word of a lock, to be followed by the word's offset; a semaphore; a lock file.
_shmtool_locks()
{
	local i tool=$tool

	case $cur in
	file:*)
		_ipckit_files file:
		return
		;;
	./* | ../* | /*/* | '~'*) _ipckit_files '' ;;
	*) [[ $cur == *:* ]] || _ipckit_objects ;;
	esac
	compopt -o nospace 2>/dev/null
	for i in "${!COMPREPLY[@]}"; do
		case ${COMPREPLY[i]} in
		*/) ;;
		*/*) COMPREPLY[i]+=@ ;;
		*) unset "COMPREPLY[i]" ;;
		esac
	done
	tool=${tool%shmtool}semctl-cli
	_ipckit_objects
}

_shmtool_argument()
{
	[[ $1 != --lock ]] || _shmtool_locks
}

_shmtool_operand()
{
	case $1 in
	OBJECT\|FILE)
		case $cur in
		file:*) _ipckit_files file: ;;
		/*/* | [!/]* | '') _ipckit_files '' ;;
		esac
		_ipckit_objects
		;;
	OBJECT*) _ipckit_objects ;;
	TYPE@*) _shmtool_types ;;
	CMP) _ipckit_offer eq ne lt le gt ge ;;
	esac
}

_shmtool()
{
	_ipckit _shmtool
}

complete -F _shmtool shmtool
