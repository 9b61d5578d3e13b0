# SPDX-License-Identifier: GPL-2.0-or-later
# The short verbs of semctl-cli under valgrind.

load helpers
load valgrind

@test "help and version" {
	clean 0 --help
	clean 0 wait --help
	clean 0 --version
}

@test "usage errors" {
	clean 2 nosuchverb
	clean 2 wait /jobs --timeout 5sfoo
	clean 2 post jobs
}

@test "the life of a POSIX semaphore" {
	clean 0 create /jobs --value 2
	clean 4 create /jobs --exclusive
	clean 0 value /jobs
	clean 0 post /jobs --count 2
	clean 0 wait /jobs --count 3
	clean 0 set /jobs 0
	clean 1 wait /jobs --timeout 0
	clean 1 wait /jobs --timeout 10ms
	clean 0 info /jobs
	clean 0 chmod /jobs 0640
	clean 0 rm /jobs
	clean 3 rm /jobs
}

@test "the life of a System V set" {
	clean 0 create key:0x1234 --nsems 3 --values 1,2,3
	clean 0 value key:0x1234#1
	clean 0 op key:0x1234 0:-1 1:+2n
	clean 0 values key:0x1234
	clean 0 values key:0x1234 set 0,0,1
	clean 1 wait key:0x1234 --timeout 0
	clean 0 wait-zero key:0x1234
	clean 0 info key:0x1234
	clean 0 rm key:0x1234
}

@test "tables, lists and limits" {
	clean 0 create /jobs
	clean 0 create private --nsems 2
	for format in --json --table --plain; do
		clean 0 list "$format"
		clean 0 limits "$format"
		clean 0 info /jobs "$format"
	done
	clean 0 list --columns help
	clean 0 clean --older-than 1h
	clean 0 ftok /dev
}

# Guardians are left out: valgrind 3.19 does not know pidfd_open(2).
@test "commands" {
	clean 0 create key:1 --value 1
	clean 7 exec key:1 -- sh -c 'exit 7'
	clean 127 exec key:1 -- /nonexistent
	clean 124 exec key:1 --count 2 --timeout 0 -- true
	clean 0 eventfd --value 1 -- true
}
