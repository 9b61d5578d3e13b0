# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of semctl-cli.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

# Offers the semaphores that there are, System V sets by key, too.
_semctl_cli_objects()
{
	local name key line

	case $cur in
	ftok:*) _ipckit_files ftok: && return ;;
	file:*) [[ $verb == exec ]] && _ipckit_files file: && return ;;
	./* | ../* | /*/* | '~'*) _ipckit_files '' && return ;;
	esac
	while IFS= read -r line; do
		name=${line%%$'\t'*}
		key=${line#*$'\t'}
		printf -v name %b "$name"
		_ipckit_offer "$name"
		[[ $key == - || $key == 0x00000000 ]] || _ipckit_offer "key:$key"
	done < <("$tool" list --plain -o name,key 2>/dev/null)
	[[ $verb != create ]] || _ipckit_offer private
	[[ ! ${IPCKIT_FD:-} ]] || _ipckit_offer "fd:$IPCKIT_FD"
}

_semctl_cli_argument()
{
	local key

	case $2 in
	WORD) _ipckit_offer posix sysv ;;
	GLOB) _semctl_cli_objects ;;
	KEY)
		while read -r key; do
			[[ $key == - || $key == 0x00000000 ]] || _ipckit_offer "$key"
		done < <(_ipckit_ask list --plain -o key)
		;;
	esac
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
