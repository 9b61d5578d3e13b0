# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs of futexctl under valgrind.

load helpers
load words
load locks
load valgrind

# newer STATUS OTHER ARG...: as `clean STATUS`; OTHER where this valgrind does not know a system call of it.
newer()
{
	clean "$1" "${@:3}" 2>/dev/null || assert_status "$2"
}

@test "words: made, changed, slept on, woken" {
	clean 0 create /w --words 16 --mode 0640
	clean 7 create /w --words 32
	clean 0 get /w@0 /w@4 --table
	clean 0 add /w@4 7 --wake 1
	clean 1 cas /w@4 6 5
	clean 1 wait /w 3
	clean 1 wait /w 0 --bitset 2 --timeout 10ms
	clean 1 await /w ge 9 --timeout 10ms --spin 1ms --json
	newer 1 8 waitv /w@0=0 /w@4=7 --timeout 10ms
	start_verb wait /w@4 7
	clean 0 waiters /w@4
	json ".waiters[0].pid == $pid"
	clean 0 requeue /w@4 /w@8 --wake 0
	json '.moved == 1'
	clean 1 cmp-requeue /w@4 /w@8 6
	clean 0 wake-op /w@8 /w@4 --op add --arg 1 --cmp eq --cmparg 7
	json '.woken == 1'
	ended 0
	clean 0 wake /w@8 all
	clean 7 get /w@64
	clean 0 probe --plain
	clean 8 fd /w
}

@test "locks that are held while COMMAND runs" {
	truncate -s 64 /dev/shm/w
	start_holder exec /w@12
	clean 0 robust "$pid"
	json '.locks | length == 1'
	clean 124 exec /w@12 --timeout 10ms -- true
	let_end "$pid"
	# Nothing that depends on vfork(2): valgrind makes a fork(2) of it.
	clean 3 exec /w@12 -- sh -c 'exit 3'
	futexctl set /w@16 1 --quiet
	clean 125 exec /w@16 -- true
	futexctl set /w@16 0 --quiet
	clean 0 exec --pi /w@16 -- true
	clean 0 lock-pi /w@16 -- true
	clean 5 unlock-pi /w@16
	clean 124 wait-requeue-pi /w@24 0 /w@28 --timeout 10ms -- true
	clean 0 cmp-requeue-pi /w@24 /w@28 0
	newer 0 125 rwlock /w@32 --read -- true
	clean 0 rwlock /w@32 --write -- true
	clean 1 once /w@36 -- false
	clean 0 once /w@36 -- true
	clean 0 once /w@36 -- false
}

@test "locks, latches and conditions between commands" {
	truncate -s 64 /dev/shm/w
	futexctl set /w@8 3 --quiet
	clean 0 lock /w@0
	clean 1 trylock /w@0
	clean 1 lock /w@0 --timeout 10ms
	clean 1 cond /w@4 /w@0 --wait --timeout 10ms
	clean 0 cond /w@4 /w@0 --broadcast --json
	clean 0 unlock /w@0
	clean 1 latch /w@8 --wait --timeout 0
	clean 0 latch /w@8 --down 3
	clean 0 latch /w@8 --wait
}
