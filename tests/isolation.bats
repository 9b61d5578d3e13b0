# SPDX-License-Identifier: GPL-2.0-or-later
# What the other tests rely on: tests/isolate and helpers.bash.

load helpers

@test "a test starts without IPC objects" {
	run ls -A /dev/shm /dev/mqueue
	assert_output $'/dev/mqueue:\n\n/dev/shm:'
	run wc -l /proc/sysvipc/sem
	assert_output "1 /proc/sysvipc/sem"
}

@test "a test has a /dev/shm, a /dev/mqueue and a TMPDIR to write to" {
	for mount in "/dev/shm tmpfs" "/dev/mqueue mqueue"; do
		run findmnt -n -o TARGET,FSTYPE --raw "${mount% *}"
		assert_match "^$mount"
	done
	: >/dev/shm/x
	: >/dev/mqueue/x
	: >"$TMPDIR/x"
	: >/dev/null
	read -r </proc/mounts
}

@test "a test can have a terminal" {
	run script -qec 'test -t 1 && tty' /dev/null
	assert_status 0
	assert_match '^/dev/pts/'
}

@test "a test is uid 0 and sees its own processes only" {
	assert_equal "$(id -u):$(id -g)" 0:0
	run cat /proc/1/cmdline
	assert_match isolate
	assert_equal "$(readlink /proc/self/ns/pid)" "$(readlink /proc/1/ns/pid)"
}

@test "a test has a network of its own" {
	PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null || skip "no ip(8)"
	assert_equal "$(awk -F: 'NR > 2 { print $1 }' /proc/net/dev | xargs)" lo
	(: >/dev/tcp/127.0.0.1/1) 2>"$BATS_TEST_TMPDIR/refused" || true
	run cat "$BATS_TEST_TMPDIR/refused"
	assert_match 'Connection refused'
}

@test "the built tools come first on PATH" {
	assert_equal "$(command -v semctl-cli)" "$IPCKIT_BUILD/semctl-cli"
}

@test "a process begins with default signals and an empty mask" {
	start cat /proc/self/status
	finish "$pid"
	assert_match 'SigBlk:[[:space:]]*([0-9a-f]+)'
	assert_equal $((16#${BASH_REMATCH[1]})) 0
	# 32 and 33 are libc's own: its posix_spawn(3) leaves them ignored.
	assert_match 'SigIgn:[[:space:]]*([0-9a-f]+)'
	assert_equal $((16#${BASH_REMATCH[1]} & ~(3 << 31))) 0
}

@test "without capabilities modes count" {
	: >"$TMPDIR/mine"
	chmod 0 "$TMPDIR/mine"
	cat "$TMPDIR/mine"
	run as_unprivileged cat "$TMPDIR/mine"
	assert_status 1
	run as_user id -u
	assert_output 1000
}

@test "a sleeper is seen in its system call, stopped and continued too" {
	start sleep 1000
	wait_until 5 blocked_in "$pid" clock_nanosleep
	wait_until 5 blocked_count 1 clock_nanosleep
	run ! blocked_in "$pid" futex
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	wait_until 5 blocked_in "$pid" clock_nanosleep restart_syscall
	stop "$pid"
	gone "$pid"
}

@test "finish tells status, output and diagnostics" {
	start sh -c 'echo out; echo err >&2; exit 7'
	finish "$pid"
	assert_status 7
	assert_output out
	assert_stderr '^err$'
	start sh -c 'kill -INT $$'
	finish "$pid"
	assert_status 130
}

@test "process 1 reaps orphans" {
	run sh -c 'sh -c "exec >/dev/null 2>&1; echo \$\$ >$TMPDIR/orphan; exec sleep 1000" &'
	wait_until 5 test -s "$TMPDIR/orphan"
	orphan=$(<"$TMPDIR/orphan")
	kill "$orphan"
	wait_until 5 test ! -e "/proc/$orphan"
}

@test "assertions fail and say why" {
	run echo '{"a": 1}'
	run ! assert_status 4
	assert_match 'expected status 4'
	run echo '{"a": 1}'
	json '.a == 1'
	run ! json '.a == 2'
	assert_match 'expected JSON with: .a == 2'
	run ! wait_until 0.02 false
	assert_match 'in vain for: false'
}
