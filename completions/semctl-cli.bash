# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of semctl-cli.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

_semctl_cli_argument()
{
	:
}

_semctl_cli_objects()
{
	case $cur in
	file:*) [[ $verb == exec ]] && _ipckit_files file: && return ;;
	./* | ../* | /*/* | '~'*) _ipckit_files '' && return ;;
	esac
	_ipckit_objects
	[[ ! ${IPCKIT_FD:-} ]] || _ipckit_offer "fd:$IPCKIT_FD"
}

_semctl_cli_operand()
{
	case $1 in
	OBJECT*) _semctl_cli_objects ;;
	set) _ipckit_offer set ;;
	esac
}

_semctl_cli()
{
	_ipckit _semctl_cli
}

complete -F _semctl_cli semctl-cli
