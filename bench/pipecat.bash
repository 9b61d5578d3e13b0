# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of pipecat, for bench/run: against cat, pv, mbuffer, socat and nc, tee(1), between processes that
# write and read (bench/pipe-ends). Where one of them is not installed its line is missing.

# ---- throughput ----

# The commands of $commands, words without blanks in them, each relay $bytes from FROM to TO (of pipe-ends): medians
# of $passes turns in ns[].
# turns FROM TO
turns()
{
	local i turn one times=()
	for ((turn = 0; turn < passes; turn++)); do
		for i in $(shuf -i "0-$((${#commands[@]} - 1))"); do
			# shellcheck disable=SC2086 # words
			one=$(pipe-ends "$1" "$2" "$bytes" ${commands[i]}) || broken "from $1 to $2: ${commands[i]}"
			times[i]+=" $one"
		done
	done
	ns=()
	for i in "${!commands[@]}"; do
		# shellcheck disable=SC2086 # numbers
		ns[i]=$(median ${times[i]})
	done
}

# moves FROM TO OWN PEER...: a command of pipecat's against those PEERs that are installed
moves()
{
	local i share commands=()
	for i in "${@:4}"; do
		! command -v "${i%% *}" >/dev/null || commands+=("$i")
	done
	commands+=("$3")
	turns "$1" "$2"
	for i in "${!commands[@]}"; do
		speed "${commands[i]}" "$i"
	done
	share=$(ratio 1 "$(fastest_but_last)")
	at_least "$share" 1
	line "  in ratio to the fastest of the others" "" "$share" ">= 1" "$verdict"
}

# way LABEL FROM TO: of standard input to standard output
way()
{
	head_line "$1: $((bytes >> 20)) MiB (medians of $passes; throughput in ratio to cat)"
	moves "$2" "$3" 'pipecat -' cat 'pv -q' 'mbuffer -q' 'socat -u -b 262144 - -'
}

# of_file LABEL TO: where pages of the file may become those of the sink, what does so is the peer
of_file()
{
	head_line "$1, copied: $((bytes >> 20)) MiB (medians of $passes; throughput in ratio to cat)"
	moves "$TMPDIR/bytes" "$2" 'pipecat -' cat 'mbuffer -q' 'socat -u -b 262144 - -'
	head_line "$1, its own pages: $((bytes >> 20)) MiB (medians of $passes; throughput in ratio to pv)"
	moves "$TMPDIR/bytes" "$2" 'pipecat --zero-copy -' 'pv -q'
}

ways()
{
	local socat='socat -u -b 262144 -'
	way "Pipe to pipe" pipe pipe
	of_file "File to pipe" pipe
	way "Pipe to /dev/null" pipe /dev/null
	way "Pipe to Unix socket" pipe unix
	way "Unix socket to pipe" unix pipe
	way "Unix socket to Unix socket" unix unix
	way "Pipe to TCP" pipe tcp
	way "TCP to pipe" tcp pipe
	way "TCP to TCP" tcp tcp
	way "TCP to Unix socket" tcp unix
	of_file "File to TCP" tcp
	head_line "Pipe to a server, with the connection: $((bytes >> 20)) MiB (throughput in ratio to socat)"
	moves pipe unix-listen 'pipecat - unix:{}' "$socat UNIX-CONNECT:{}"
	moves pipe tcp-listen 'pipecat - tcp:127.0.0.1:{}' "$socat TCP:127.0.0.1:{}" 'mbuffer -q -O 127.0.0.1:{}' \
		'nc -N 127.0.0.1 {}'
}

# ---- nothing is lost ----

# arrives_by LABEL SCRIPT: what it prints is what is in the file $1
arrives_by()
{
	local same=no
	rm -f "$TMPDIR/s" "$TMPDIR/port"
	sh -c "$2" sh "$TMPDIR/bytes" "$TMPDIR/s" "$TMPDIR/port" 2>/dev/null | cmp -s - "$TMPDIR/bytes" && same=yes
	fact "$1" "$same" yes
}

# shellcheck disable=SC2016 # the variables of sh
equality()
{
	local local_end='until pipecat unix:$2 -; do sleep 0.01; done' port='until [ -s $3 ]; do sleep 0.01; done'
	head_line "What arrives is what was sent: $((bytes >> 20)) MiB"
	arrives_by "pipe to pipe" 'cat $1 | pipecat - - | cat'
	arrives_by "file to pipe" 'pipecat $1 | cat'
	arrives_by "file to pipe, --zero-copy" 'pipecat --zero-copy $1 | cat'
	arrives_by "file to file" 'pipecat $1 $2 && cat $2'
	arrives_by "file to Unix socket to pipe" 'pipecat $1 unix-listen:$2 & '"$local_end | cat"
	arrives_by "pipe to TCP to pipe" 'cat $1 | pipecat - tcp-listen:0 >$3 & '"$port"'; pipecat tcp:127.0.0.1:$(cat $3) - | cat'
	arrives_by "TCP to Unix socket" 'pipecat $1 tcp-listen:0 >$3 & '"$port"'
		pipecat tcp:127.0.0.1:$(cat $3) unix-listen:$2 & '"$local_end | cat"
	arrives_by "both ways, by a command" 'cat $1 | pipecat --both - exec:cat | cat'
	arrives_by "by a buffer" 'cat $1 | pipecat - - --buffer 1M --high 512K | cat'
}

# ---- memory ----

# peak BYTES FROM TO WORD...: KiB that it had at most, in $kib; how it moved them, in $method
peak()
{
	local status
	# shellcheck disable=SC2016 # its own variables
	pipe-ends "$2" "$3" "$1" sh -c 'exec deadlock-use pipecat --stats - fd:7 "$@" 7>&1 >"$TMPDIR/used" 2>"$TMPDIR/stats"' \
		sh "${@:4}" >/dev/null || broken "from $2 to $3"
	read -r _ _ kib status <"$TMPDIR/used"
	method=$(sed 's/.*"method":"\([a-z-]*\)".*/\1/' "$TMPDIR/stats")
	[[ $status == 0 ]] || broken "from $2 to $3: status $status"
}

# peak_of_messages FILE: as peak, of one that sends a file in messages
peak_of_messages()
{
	local server status
	pipecat unix-seqpacket-listen:"$TMPDIR/s" /dev/null &
	server=$!
	until pipecat info "$TMPDIR/s" --plain -o state 2>/dev/null | grep -q listen; do
		kill -0 "$server" || broken "nobody listens"
	done
	deadlock-use pipecat --stats "$1" unix-seqpacket:"$TMPDIR/s" >"$TMPDIR/used" 2>"$TMPDIR/stats"
	wait "$server"
	read -r _ _ kib status <"$TMPDIR/used"
	method=$(sed 's/.*"method":"\([a-z-]*\)".*/\1/' "$TMPDIR/stats")
	[[ $status == 0 ]] || broken "messages: status $status"
}

# Pages of the program itself that are read in later make some difference.
constant()
{
	local constant=no
	((kib > small + 512)) || constant=yes
	line "$method" "$kib KiB" "$(ratio "$kib" "$small")"
	fact "  no more than of 1 MiB" "$constant" yes
}

# peaks FROM TO WORD...
peaks()
{
	local small
	peak 1048576 "$(small_one "$1")" "${@:2}"
	small=$kib
	peak "$bytes" "$@"
	constant
}

small_one()
{
	if [[ $1 == /* ]]; then echo "$TMPDIR/small"; else echo "$1"; fi
}

memory()
{
	local kib method small
	head_line "Memory at the most, of $((bytes >> 20)) MiB (in ratio to that of 1 MiB)"
	head -c 1048576 "$TMPDIR/bytes" >"$TMPDIR/small"
	peaks pipe pipe
	peaks unix tcp
	peaks tcp pipe
	peaks "$TMPDIR/bytes" pipe
	peaks "$TMPDIR/bytes" tcp --zero-copy
	peaks "$TMPDIR/bytes" "$TMPDIR/copy"
	peaks pipe pipe --buffer 1M
	peak_of_messages "$TMPDIR/small"
	small=$kib
	peak_of_messages "$TMPDIR/bytes"
	constant
	rm "$TMPDIR/copy" "$TMPDIR/small"
}

# ---- several ends ----

fans()
{
	local own same=no commands=()
	head_line "A pipe to two: $((bytes >> 20)) MiB (medians of $passes; throughput in ratio to tee(1))"
	printf '#!/bin/bash\nexec tee >(cat >/dev/null)\n' >"$bin/tee-1"
	chmod 755 "$bin/tee-1"
	moves pipe pipe 'pipecat tee - - exec:cat>/dev/null' tee-1
	head_line "Two of whole lines to one: $((bytes >> 20)) MiB (throughput in ratio to cat, which takes one after the other)"
	yes 'a line of text as there are many' | head -c $((bytes / 2 / 33 * 33)) >"$TMPDIR/lines"
	own="$bin/pipecat merge 'exec:cat $TMPDIR/lines' 'exec:cat $TMPDIR/lines' - | cat"
	side_by_side 3 bash -c "cat <(cat $TMPDIR/lines) <(cat $TMPDIR/lines) | cat" ';' bash -c "$own"
	speed "cat" 0
	speed "pipecat merge" 1
	pipecat merge 'exec:seq 500000' 'exec:seq 500001 1000000' - | sort -n | cmp -s - <(seq 1000000) && same=yes
	fact "  every line, and whole" "$same" yes
	rm "$TMPDIR/lines"
}

# ---- small things ----

# latency LABEL KIND: of a byte there and back
latency()
{
	local turn who own=() peer=() words
	for ((turn = 0; turn < 7; turn++)); do
		for who in $(shuf -e own peer); do
			words=(pipecat --both - fd:3)
			[[ $who == own ]] || words=(socat - FD:3)
			if [[ $who == own ]]; then
				own+=("$(round-trip "$2" "$(rounds 20000)" "${words[@]}")") || broken "a round failed"
			else
				peer+=("$(round-trip "$2" "$(rounds 20000)" "${words[@]}")") || broken "a round failed"
			fi
		done
	done
	ns=("$(median "${peer[@]}")" "$(median "${own[@]}")")
	line "$1: socat" "$(micro "${ns[0]}")" 1.000
	at_most "$(ratio "${ns[1]}" "${ns[0]}")" 1
	line "  pipecat --both" "$(micro "${ns[1]}")" "$(ratio "${ns[1]}" "${ns[0]}")" "<= 1" "$verdict"
}

latencies()
{
	command -v socat >/dev/null || return 0
	head_line "A byte through a relay and one back (medians; ratio to socat)"
	latency "Unix sockets" unix
	latency "TCP" tcp
}

# served COMMAND...: nanoseconds of them all in $took; those that were broken are added to $lost
served()
{
	local out
	out=$(connections 1000 100 "$@") || broken "connections failed: $*"
	took=${out% *}
	lost=$((lost + ${out#* }))
}

connections_of_many()
{
	local turn who took lost=0 own=() peer=()
	head_line "1000 connections, 100 at once, a process for each (medians of $passes; ratio to socat)"
	for ((turn = 0; turn < passes; turn++)); do
		for who in $(shuf -e own peer); do
			if [[ $who == own ]]; then
				served pipecat --fork --both 'tcp-listen:{port}' 'unix:{path}' --backlog 200
				own+=("$took")
			elif command -v socat >/dev/null; then
				served socat 'TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=200' 'UNIX-CONNECT:{path}'
				peer+=("$took")
			fi
		done
	done
	if ((${#peer[@]})); then
		ns=("$(median "${peer[@]}")" "$(median "${own[@]}")")
		line "socat fork" "$(micro $((ns[0] / 1000))) each" 1.000
		at_most "$(ratio "${ns[1]}" "${ns[0]}")" 1
		line "pipecat --fork" "$(micro $((ns[1] / 1000))) each" "$(ratio "${ns[1]}" "${ns[0]}")" "<= 1" "$verdict"
	else
		line "pipecat --fork" "$(micro $(($(median "${own[@]}") / 1000))) each" ""
	fi
	fact "  broken" "$lost" 0
}

# A file as large as that, if there is room for it and a copy.
make_bytes()
{
	local available part
	available=$(awk '/^MemAvailable/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
	bytes=$(((4 << 30) * scale / 100))
	((bytes * 4 < available)) || bytes=$((available / 4))
	bytes=$((bytes >> 20 << 20))
	head -c $((64 << 20)) /dev/urandom >"$TMPDIR/part" || exit
	for ((part = 0; part < bytes; part += 64 << 20)); do
		cat "$TMPDIR/part" || exit
	done | head -c "$bytes" >"$TMPDIR/bytes"
	rm "$TMPDIR/part"
}

relays()
{
	local bytes passes
	passes=$(rounds 3)
	make_bytes
	ways
	equality
	memory
	fans
	rm "$TMPDIR/bytes"
	latencies
	connections_of_many
}
