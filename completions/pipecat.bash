# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Bash completion of pipecat.

# shellcheck source=completions/ipckit.bash
source "$(dirname -- "${BASH_SOURCE[0]}")/ipckit.bash"

_pipecat_kinds=(fd: fifo: unix: unix-listen: unix-seqpacket: unix-seqpacket-listen: unix-dgram: unix-dgram-listen:
	tcp: tcp-listen: udp: udp-listen: exec:)

# Files that a test holds of, and the directories on the way to them.
_pipecat_files()
{
	local test=$1 file

	while IFS= read -r file; do
		if [[ -d $file ]]; then
			_ipckit_offer "$file/"
		elif test "$test" "$file"; then
			_ipckit_offer "$file"
		fi
	done < <(compgen -f -- "$cur")
	compopt -o nospace 2>/dev/null
}

# Paths of Unix sockets, and the abstract names at which somebody listens.
_pipecat_sockets()
{
	local prefix=$1 name

	[[ $cur == "$prefix"@* ]] || _ipckit_files "$prefix"
	while IFS= read -r name; do
		printf -v name %b "$name"
		[[ $name != @* ]] || _ipckit_offer "$prefix$name"
	done < <(_ipckit_ask list --kind unix --plain -o name)
}

_pipecat_ends()
{
	local command

	case $cur in
	fifo:*) _ipckit_files fifo: ;;
	unix:* | unix-*:*) _pipecat_sockets "${cur%%:*}:" ;;
	exec:*)
		while IFS= read -r command; do
			_ipckit_offer "exec:$command"
		done < <(compgen -c -- "${cur#exec:}")
		;;
	*:*) ;;
	*)
		_ipckit_offer "${_pipecat_kinds[@]}"
		_ipckit_files ''
		;;
	esac
	compopt -o nospace 2>/dev/null
}

# What is in use, by the names that such things have elsewhere: pipe:INODE, socket:INODE.
_pipecat_inodes()
{
	local name

	while IFS= read -r name; do
		[[ $name != "$1":* ]] || _ipckit_offer "$name"
	done < <(_ipckit_ask list --plain -o name)
}

_pipecat_objects()
{
	case $cur in
	pipe:*) _pipecat_inodes pipe ;;
	socket:*) _pipecat_inodes socket ;;
	*:*) ;;
	*)
		_ipckit_offer pipe: socket: fd:
		_ipckit_files ''
		;;
	esac
	compopt -o nospace 2>/dev/null
}

# Of a list A,B its last part is completed.
_pipecat_words()
{
	local done='' word

	[[ $cur != *,* ]] || done=${cur%,*},
	for word in "$@"; do
		_ipckit_offer "$done$word"
	done
}

_pipecat_argument()
{
	local directory

	case $2 in
	KIND) if [[ $verb == clean ]]; then _ipckit_offer fifo unix; else _pipecat_words fifo pipe unix tcp udp; fi ;;
	PID)
		for directory in /proc/[0-9]*; do
			_ipckit_offer "${directory##*/}"
		done
		;;
	PREFIX) _ipckit_files '' ;;
	esac
}

_pipecat_operand()
{
	case $1 in
	SOURCE* | SINK*) _pipecat_ends ;;
	FIFO* | PATH*) _pipecat_files -p ;;
	DIRECTORY*) _pipecat_files -d ;;
	SOCKET) if [[ $cur == *:* ]]; then _pipecat_ends; else _pipecat_files -S; fi ;;
	OBJECT) _pipecat_objects ;;
	esac
}

_pipecat()
{
	_ipckit _pipecat relay
}

complete -F _pipecat pipecat
