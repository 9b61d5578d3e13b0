# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of mqtool, for bench/run: against the bare calls in C (bench/mq-bare),
# ipcs, lsipc and xargs. Where an argument is a QUEUE and a BARE-QUEUE, they are the same
# one as mqtool and as mq-bare name it.

# rate LABEL COUNT INDEX [TARGET]: of a command of side_by_side, in ratio to the first one's
rate()
{
	local share
	share=$(ratio "${ns[0]}" "${ns[$3]}")
	verdict=
	[[ ! ${4:-} ]] || at_least "$share" "$4"
	line "$1" "$(awk -v n="$2" -v ns="${ns[$3]}" 'BEGIN { printf "%.0f/s", n * 1e9 / ns }')" "$share" \
		"${4:+>= $4}" "$verdict"
}

# ---- streams ----

# pair SENDER RECEIVER: a shell's command that runs both, in $pair
pair()
{
	pair="$1 <$TMPDIR/lines & $2 || exit; wait \$!"
}

# arrives LABEL SENDER RECEIVER: whether what arrives is what was sent
arrives()
{
	local pair same=no
	pair "$2" "$3"
	sh -c "$pair" >"$TMPDIR/arrived" || broken "a stream failed"
	cmp -s "$TMPDIR/lines" "$TMPDIR/arrived" && same=yes
	fact "$1" "$same" yes
	rm "$TMPDIR/arrived"
}

# stream_of LABEL QUEUE BARE-QUEUE; nanoseconds a message of mqtool's in $streamed
stream_of()
{
	local send="$mqtool send $2 --lines" recv="$mqtool recv $2 --follow --raw --lines --count $messages"
	local bare_send="$mq_bare send $3" bare_recv="$mq_bare recv $3 $messages"
	local journal="$recv --journal $TMPDIR/journal" pair commands=()
	mqtool create --quiet "$2" || exit
	pair "$bare_send" "$bare_recv" && commands=(sh -c "$pair")
	pair "$send" "$recv" && commands+=(';' sh -c "$pair")
	pair "$send" "$journal" && commands+=(';' sh -c "$pair")
	pair "$send" "$bare_recv" && commands+=(';' sh -c "$pair")
	pair "$bare_send" "$recv" && commands+=(';' sh -c "$pair")
	side_by_side 5 "${commands[@]}"
	streamed=$((ns[1] / messages))
	rate "$1: C into C" "$messages" 0
	rate "  mqtool send into mqtool recv" "$messages" 1 0.8
	rate "  the same with --journal, on a tmpfs" "$messages" 2
	rate "  mqtool send into C" "$messages" 3
	rate "  C into mqtool recv" "$messages" 4
	arrives "  what arrived is what was sent" "$send" "$recv"
	arrives "  and with --journal" "$send" "$journal"
	rm "$TMPDIR/journal"
	mqtool rm "$2"
}

# ---- one process a message ----

# single_of LABEL QUEUE BARE-QUEUE
single_of()
{
	local text peer own
	text=$(head -n 1 "$TMPDIR/lines")
	# Some are there before: sending and receiving come in any order.
	mqtool create --quiet "$2" && mqtool send "$2" "$text" "$text" "$text" || exit
	side_by_side 1000 "$mq_bare" send "$3" "$text" ';' "$mq_bare" recv "$3" 1 ';' \
		"$mqtool" send "$2" "$text" ';' "$mqtool" recv "$2" --raw --lines ';' "$bin/peer-nothing"
	peer=$((ns[0] + ns[1])) own=$((ns[2] + ns[3]))
	line "$1: C, C" "$(micro "$peer")" 1.000
	line "  mqtool send, mqtool recv" "$(micro "$own")" "$(ratio "$own" "$peer")"
	line "  against two of int main(void) { return 0; }" "" "$(ratio "$own" $((2 * ns[4])))"
	line "  against a message of mqtool's stream" "" "$(ratio "$own" "$streamed")"
	fact "  messages left" "$(mqtool info "$2" --plain --columns messages)" 3
	mqtool rm "$2"
}

# by_backend LABEL: the stream, then a process a message
by_backend()
{
	head_line "$1: $messages messages of 32 bytes, each written by one write(2) (rate in ratio to C)"
	stream_of "$@"
	head_line "$1: a process for each sending, and for each receiving (medians of $(rounds 1000); ratio to C)"
	single_of "$@"
}

# ---- lists ----

queue_lists()
{
	local i labels=('ipcs -q' 'lsipc -q' 'mqtool list --plain' 'lsipc -q --json' 'mqtool list --json')
	head_line "A list of 10000 System V queues (ratio to ipcs -q)"
	mq-bare make 10000 || exit
	fact "queues in the list" "$(mqtool list --backend sysv --plain | wc -l)" 10000
	side_by_side 5 "$ipcs" -q ';' "$lsipc" -q ';' "$mqtool" list --backend sysv --plain ';' \
		"$lsipc" -q --json ';' "$mqtool" list --backend sysv --json
	for i in "${!labels[@]}"; do
		line "${labels[i]}" "$(micro "${ns[i]}")" "${ratios[i]}"
	done
	mqtool list --backend sysv --plain --columns name | xargs mqtool rm
}

# ---- commands ----

# worked QUEUE: how mqtool exec runs a command for each of the jobs, in $worked
worked()
{
	worked="seq $jobs | $mqtool send $1 --lines & $mqtool exec $1 --count $jobs --parallel 4"
}

workers()
{
	local jobs worked commands=()
	jobs=$(rounds 2000)
	head_line "A command for each of $jobs messages, 4 at a time (rate in ratio to xargs -P 4 -n 1)"
	mqtool create --quiet key:4 && mqtool create --quiet /work || exit
	commands=(sh -c "seq $jobs | xargs -P 4 -n 1 /bin/true")
	worked key:4 && commands+=(';' sh -c "$worked -- /bin/true && wait \$!")
	worked /work && commands+=(';' sh -c "$worked -- /bin/true && wait \$!")
	side_by_side 7 "${commands[@]}"
	rate "xargs -P 4 -n 1 /bin/true" "$jobs" 0
	rate "mqtool exec key:KEY --parallel 4 -- /bin/true" "$jobs" 1
	rate "mqtool exec /NAME --parallel 4 -- /bin/true" "$jobs" 2
	worked key:4
	fact "  messages that had a command" "$(sh -c "$worked -- sh -c 'echo \"\$(cat)\"'" | sort -u | wc -l)" "$jobs"
	fact "  messages left" "$(mqtool list --plain --columns messages | sort -u)" 0
	mqtool rm key:4 /work
}

queues()
{
	local streamed messages mqtool=$bin/mqtool mq_bare=$bin/mq-bare
	messages=$(rounds 1000000)
	seq -f '%032.0f' "$messages" >"$TMPDIR/lines"
	by_backend "System V" key:5 5
	by_backend "POSIX" /stream /stream
	rm "$TMPDIR/lines"
	queue_lists
	workers
}
