# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of futexctl, for bench/run: against bare system calls in C (bench/futex,
# tests/peers/futex-peer.c), flock and, where it is installed, ps.

# median NUMBER...
median()
{
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

word_value()
{
	futexctl get "$1" --plain --columns value
}

# ---- one at a time ----

# Many short turns: what else the machine does meets some of them alone.
handing_over()
{
	local turns library bare share
	head_line "Hand-over there and back by the library's calls (ratio to bare system calls)"
	turns=$(for _ in {1..15}; do futex pingpong "$(rounds 2000)" || exit; done) || broken "futex failed"
	read -r library bare share < <(sort -n -k 3 <<<"$turns" | sed -n 8p)
	line "two C programs by FUTEX_WAIT, FUTEX_WAKE" "$(micro "$bare")" 1.000
	at_most "$share" 1.1
	line "ipckit_futex_wait(), ipckit_futex_wake()" "$(micro "$library")" "$share" "<= 1.1" "$verdict"
}

run_with_a_word()
{
	local i labels=('flock FILE /bin/true' 'futexctl exec' 'futexctl exec --pi' 'futexctl lock-pi'
		'futexctl rwlock --write' 'futexctl rwlock --read' 'futexctl once, of what is done' '/bin/true alone')
	head_line "A command while a word is held (medians of $(rounds 500); ratio to flock)"
	futexctl create --quiet /run --words 16 && futexctl once /run@20 -- /bin/true || exit
	side_by_side 500 "$flock" "$lock" /bin/true ';' "$futexctl" exec /run@0 -- /bin/true ';' \
		"$futexctl" exec --pi /run@4 -- /bin/true ';' "$futexctl" lock-pi /run@8 -- /bin/true ';' \
		"$futexctl" rwlock /run@12 --write -- /bin/true ';' "$futexctl" rwlock /run@16 --read -- /bin/true ';' \
		"$futexctl" once /run@20 -- /bin/true ';' /bin/true
	below "${ratios[1]}" 1
	for i in "${!labels[@]}"; do
		if ((i == 1)); then
			line "${labels[i]}" "$(micro "${ns[i]}")" "${ratios[i]}" "< 1" "$verdict"
		else
			line "${labels[i]}" "$(micro "${ns[i]}")" "${ratios[i]}"
		fi
	done
	for i in 0 4 8 12; do
		fact "/run@$i afterwards" "$(word_value /run@$i)" 0
	done
	# A reader's share is given back a moment later.
	fact "/run@16 can be had alone afterwards" "$(futexctl rwlock /run@16 --write --timeout 10s -- echo yes)" yes
}

# ---- crowds ----

# So many sleep on $word: as they are moved from it to itself (FUTEX_REQUEUE).
asleep()
{
	futex-peer call "$word" 3 0 2147483647 "$word"
}

# sleepers PROCESSES THREADS: starts processes with so many threads each that sleep on $word
sleepers()
{
	local i end=$((SECONDS + 60))
	for ((i = 0; i < $1; i++)); do
		futex-peer crowd "$word" 0 "$2" &
	done
	until [[ $(asleep) == $(($1 * $2)) ]]; do
		((SECONDS < end)) || broken "$(asleep) threads sleep, not $(($1 * $2))"
		sleep 0.01
	done
}

# Ends what is left of them, so many in $left.
send_home()
{
	left=$(futex-peer wake "$word")
	wait
}

# wakes COMMAND...: nanoseconds, in $took, in which it wakes 1000, and leaves $left_all so many more
wakes()
{
	local left
	sleepers 1 1000
	took=$(spawn 1 "$@") || broken "a command failed: $*"
	took=${took%% *}
	send_home
	left_all=$((left_all + left))
}

wake_of_many()
{
	local i who took own=() peer=() left_all=0 n
	n=$(rounds 15)
	head_line "A wake of 1000 that sleep (medians of $n; ratio to C)"
	for ((i = 0; i < n; i++)); do
		for who in $(shuf -e own peer); do
			if [[ $who == own ]]; then
				wakes "$futexctl" wake "$word" all
				own+=("$took")
			else
				wakes "$bin/futex-peer" wake "$word"
				peer+=("$took")
			fi
		done
	done
	line "a process in C" "$(micro "$(median "${peer[@]}")")" 1.000
	line "futexctl wake WORD all" "$(micro "$(median "${own[@]}")")" \
		"$(ratio "$(median "${own[@]}")" "$(median "${peer[@]}")")"
	fact "  left asleep" "$left_all" 0
	side_by_side 200 "$bin/futex-peer" wake "$word" ';' "$futexctl" wake "$word" all
	line "nobody sleeps: a process in C" "$(micro "${ns[0]}")" "${ratios[0]}"
	line "  futexctl wake WORD all" "$(micro "${ns[1]}")" "${ratios[1]}"
}

# All that sleep need a lock next: woken at once they go for it at once.
thundering_herd()
{
	local i way call all n
	local -A calls=() alls=()
	n=$(rounds 9)
	head_line "1000 threads that sleep, and then each need a lock (medians of $n; ratio to FUTEX_WAKE)"
	for ((i = 0; i < n; i++)); do
		for way in $(shuf -e wake requeue); do
			read -r call all < <(futex "$way" 1000) || broken "futex failed"
			calls[$way]+=" $call" alls[$way]+=" $all"
		done
	done
	# shellcheck disable=SC2086 # lists of numbers
	for way in wake requeue; do
		calls[$way]=$(median ${calls[$way]}) alls[$way]=$(median ${alls[$way]})
	done
	line "FUTEX_WAKE of all: the call" "$(micro "${calls[wake]}")" 1.000
	line "FUTEX_CMP_REQUEUE: wakes one, moves the others" "$(micro "${calls[requeue]}")" \
		"$(ratio "${calls[requeue]}" "${calls[wake]}")"
	line "FUTEX_WAKE: until each had the lock" "$(micro "${alls[wake]}")" 1.000
	line "FUTEX_CMP_REQUEUE: until each had the lock" "$(micro "${alls[requeue]}")" \
		"$(ratio "${alls[requeue]}" "${alls[wake]}")"
}

# list_waiters LABEL PROCESSES THREADS. What is said of other namespaces does not matter here.
list_waiters()
{
	local i told commands=() labels=('futexctl waiters --all' 'futexctl waiters WORD' 'ps -eL')
	sleepers "$2" "$3"
	for i in "$futexctl waiters --all" "$futexctl waiters $word" 'ps -eL'; do
		! command -v "${i%% *}" >/dev/null || commands+=(${commands[0]+';'} sh -c "exec $i 2>/dev/null")
	done
	side_by_side 15 "${commands[@]}"
	for i in "${!ns[@]}"; do
		if ((i == 0)); then
			below "${ns[0]}" 1000000000
			line "$1: ${labels[0]}" "$(milli "${ns[0]}")" "${ratios[0]}" "< 1000 ms" "$verdict"
		else
			line "  ${labels[i]}" "$(milli "${ns[i]}")" "${ratios[i]}"
		fi
	done
	told=$(futexctl waiters --all --plain --columns operation 2>/dev/null | grep -cx FUTEX_WAIT)
	fact "  in the answer" "$told" $(($2 * $3))
	fact "  woken by futexctl wake WORD all" "$(futexctl wake "$word" all --plain --columns woken)" $(($2 * $3))
	send_home
}

waiters()
{
	local left
	head_line "Who sleeps: 5000 threads (medians of $(rounds 15); ratio to the first)"
	list_waiters "one process" 1 5000
	list_waiters "500 processes" 500 10
}

futexes()
{
	local futexctl=$bin/futexctl word=/crowd@0
	${CC:-cc} -O2 -D_GNU_SOURCE -o "$bin/futex-peer" "$IPCKIT_SRC/tests/peers/futex-peer.c" -pthread ||
		broken "futex-peer does not build"
	handing_over
	run_with_a_word
	futexctl create --quiet /crowd || exit
	wake_of_many
	thundering_herd
	waiters
	rm /dev/shm/run /dev/shm/crowd
}
