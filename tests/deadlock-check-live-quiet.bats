# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that are not deadlocked, or of which nobody can be certain: nothing is said of them, or no more than that.

load helpers
load scenes

@test "programs that run, sleep, or wait for what comes from outside" {
	kept_quiet not-deadlocked running sleeping pause sigwait signalfd accept datagram timerfd fifo stopped
}

@test "programs that wait for one that can act" {
	kept_quiet not-deadlocked child child-any poll timer-thread
}

@test "idle workers, to whom somebody may come" {
	kept_quiet not-deadlocked semaphore semaphore-pool queue queue-pool
}

@test "waits that a signal handler may end are never certain" {
	kept_quiet not-deadlocked handler alarm self-pipe self-pipe-poll
}

@test "waits that somebody can end where few look" {
	kept_quiet disguised
}

@test "i386: the same" {
	not_sanitized "the other run plays these"
	kept_quiet i386/not-deadlocked
	kept_quiet i386/disguised
}

# The full length takes a minute a program; here it is whether the rules are there at all.
scans=6
[[ ! ${IPCKIT_LONG-} ]] || scans=1000

# busy CASE: scanned again and again while it works, without a report.
busy()
{
	local i
	play busy "$1"
	for ((i = 0; i < scans; i++)); do
		run --separate-stderr timeout 20 deadlock-check live --json
		assert_status 0
	done
	json '.deadlocked == false and .waits == []'
	! gone "$stage" || fail "the program has ended"
	clear
}

@test "busy locks" {
	busy lock
	busy lock-shared
}

@test "busy programs that take several locks in one order" {
	busy order
	busy order-shared
	busy gate
}

@test "busy partners" {
	busy ping-pong
	busy ping-pong-shared
	busy pipes
	busy sockets
}

@test "under traffic all of five kinds are found, each time" {
	local kind i rounds=2 traffic
	[[ ! ${IPCKIT_LONG-} ]] || rounds=200
	play busy lock-shared
	traffic=$stage
	for kind in "mutexes normal" "mutexes three-robust" "rwlocks write-write" "joins ring" "file-locks flock"; do
		# shellcheck disable=SC2086 # a program and a case
		play $kind
		for ((i = 0; i < rounds; i++)); do
			look must
		done
		clear
	done
	stage=$traffic played=busy clear
}
