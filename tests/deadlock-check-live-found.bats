# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that are deadlocked on purpose: each is found, with the right threads, resources and holders.

load helpers
load scenes

@test "mutexes of two threads, of every kind" {
	found mutexes normal recursive errorcheck adaptive timed robust robust-recursive pi pi-plain pi-robust-plain
}

@test "mutexes between processes, of two and of three, and in memory that is mapped at different addresses" {
	found mutexes shared shared-recursive three-shared three-robust three-mapped
}

@test "a mutex that is locked again by its owner, and a condition" {
	found mutexes relock relock-robust relock-pi condition
}

@test "a mutex whose owner has gone, or is another process since fork" {
	found orphans
}

@test "read-write locks: writers, readers, upgrades" {
	found rwlocks
}

@test "threads that wait for the end of each other" {
	found joins
}

@test "streams of stdio" {
	found stdio
}

@test "C++: mutexes, futures, threads" {
	found std-mutex
}

@test "C++: a static variable that needs itself" {
	found static-init
}

@test "file locks: flock, fcntl, open file descriptions, mixed with a mutex" {
	found file-locks
}

@test "pipes, FIFOs, poll and children" {
	found pipes
}

@test "sockets of both families" {
	found sockets
}

@test "System V semaphores and queues" {
	found sysv
}

@test "named semaphores" {
	found named-sem
}

@test "POSIX queues" {
	found mq
}

# The same by the other ABI.
@test "i386: mutexes and their orphans" {
	not_sanitized "the other run plays these"
	found i386/mutexes
	found i386/orphans
}

@test "i386: read-write locks, joins, stdio" {
	not_sanitized "the other run plays these"
	found i386/rwlocks
	found i386/joins
	found i386/stdio
}

@test "i386: files, pipes, sockets" {
	not_sanitized "the other run plays these"
	found i386/file-locks
	found i386/pipes
	found i386/sockets
}

@test "i386: objects of System V and POSIX" {
	not_sanitized "the other run plays these"
	found i386/sysv
	found i386/named-sem
	found i386/mq
}
