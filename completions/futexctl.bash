# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of futexctl.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

# What words lie in: files, and POSIX and System V shared memory, which shmtool lists.
_futexctl_words()
{
	local verb='' tool=${tool%futexctl}shmtool

	case $cur in
	./* | ../* | /*/* | '~'*) _ipckit_files '' ;;
	*) _ipckit_objects ;;
	esac
	compopt -o nospace 2>/dev/null
}

_futexctl_processes()
{
	local directory

	for directory in /proc/[0-9]*; do
		_ipckit_offer "${directory##*/}"
	done
}

_futexctl_argument()
{
	case $2 in
	OP) _ipckit_offer set add or andn xor ;;
	CMP) _ipckit_offer eq ne lt le gt ge ;;
	N\|all) _ipckit_offer all ;;
	realtime\|monotonic) _ipckit_offer realtime monotonic ;;
	PID) _futexctl_processes ;;
	esac
}

_futexctl_operand()
{
	case $1 in
	*WORD* | SRC | DST | MUTEX | FILE*) _futexctl_words ;;
	CMP) _ipckit_offer eq ne lt le gt ge mask ;;
	N\|all) _ipckit_offer all ;;
	PID) _futexctl_processes ;;
	esac
}

_futexctl()
{
	_ipckit _futexctl
}

complete -F _futexctl futexctl
