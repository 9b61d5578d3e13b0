# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of deadlock-check.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

# Of a list of processes the last one is completed.
_deadlock_check_processes()
{
	local directory done=''

	[[ $cur != *,* ]] || done=${cur%,*},
	for directory in /proc/[0-9]*; do
		_ipckit_offer "$done${directory##*/}"
	done
	compopt -o nospace 2>/dev/null
}

_deadlock_check_argument()
{
	case $1 in
	--from) _ipckit_offer json graph-json text graph ;;
	--to) _ipckit_offer json text graph graph-json mtx ;;
	--as) _ipckit_offer dot mermaid svg text ;;
	--kind | -k) _ipckit_offer chain random safe deadlocked ;;
	--algorithm) _ipckit_offer watch classic ;;
	--pid | -p) _deadlock_check_processes ;;
	*) [[ $2 != F && $2 != PREFIX ]] || _ipckit_files '' ;;
	esac
}

# All that is special are files, and the names of processes are in one of these.
_deadlock_check_operand()
{
	:
}

_deadlock_check()
{
	_ipckit _deadlock_check check
}

complete -F _deadlock_check deadlock-check
