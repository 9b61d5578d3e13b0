# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of mqtool.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

_mqtool_argument()
{
	:
}

_mqtool_operand()
{
	case $1 in
	OBJECT*) _ipckit_objects ;;
	esac
}

_mqtool()
{
	_ipckit _mqtool
}

complete -F _mqtool mqtool
