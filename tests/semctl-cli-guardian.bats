# SPDX-License-Identifier: GPL-2.0-or-later
# What looks after a job's permits where the kernel does not: who it is, what
# others see of it, and that it neither outlives nor betrays its job.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016

load helpers
load backends

# What one case leaves behind must not make the next ones fail.
teardown()
{
	local one
	stop_started
	for one in $(guardians); do
		kill -KILL "$one" 2>/dev/null || true
	done
}

# ---- what others see ----

@test "info tells the job that holds: its pid, command, count and since when" {
	for backend in "${backends[@]}"; do
		make "$backend" 3
		before=$(date +%s)
		start_holder "$object" --count 2
		run semctl-cli info "$object"
		json --argjson pid "$pid" --argjson before "$before" '.holders | length == 1 and (.[0] |
			.pid == $pid and .count == 2 and (.command | endswith("jobs hold")) and
			.since >= $before and .since <= $before + 60)'
		json '.waiting == []'
		stop "$pid"
		wait_until 5 holders_are "$object" ""
	done
}

@test "info tells the job that waits, and its count" {
	for backend in "${backends[@]}"; do
		make "$backend" 1
		start semctl-cli exec "$object" --count 2 -- true
		waiter=$pid
		wait_until 5 waiting_are "$object" "$waiter"
		# It says so before it waits.
		wait_until 5 waits_alone "$object"
		semctl-cli post "$object"
		finish "$waiter"
		assert_status 0
		comes_back "$object" 2
	done
}

# waits_alone OBJECT: somebody waits, and nobody holds it. Who waits on an eventfd cannot be told from who only polls it.
waits_alone()
{
	semctl-cli info "$1" | jq -e '.holders == [] and
		(.waiters == 1 or .backend == "eventfd" or .semaphores[0].ncnt == 1)' >/dev/null
}

@test "a job without environment is seen as well" {
	for backend in "${backends[@]}"; do
		make "$backend" 1
		start env -i "$(command -v semctl-cli)" exec "$object" -- "$jobs" hold
		wait_until 5 holders_are "$object" "$pid"
		# Its guardian is there before it has become the job.
		wait_until 5 test -s "$(out_of "$pid")"
		run tr '\0' '\n' <"/proc/$pid/environ"
		[[ $backend == sysv ]] || assert_output ""
		start env -i "$(command -v semctl-cli)" exec "$object" -- true
		wait_until 5 waiting_are "$object" "$pid"
		stop "${started[-1]}" "${started[-2]}"
		comes_back "$object" 1
	done
}

@test "one job that holds many objects is the holder of each" {
	names=()
	for backend in "${guarded[@]}" sysv sysv posix unnamed; do
		make "$backend"
		names+=("$object")
	done
	start_holder "${names[@]}"
	for one in "${names[@]}"; do
		holders_are "$one" "$pid" || fail "$one: $(holders "$one")"
	done
	stop "$pid"
	for one in "${names[@]}"; do
		comes_back "$one" 1
	done
}

@test "a job's command line stays its own" {
	make posix
	start_holder "$object"
	assert_equal "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "$jobs hold "
}

# ---- what it is ----

@test "a guardian is in a session of its own and keeps nothing of the caller" {
	for backend in "${guarded[@]}"; do
		make "$backend"
		mkdir -p "$BATS_TEST_TMPDIR/here"
		exec 20<"$BATS_TEST_TMPDIR/here"
		start bash -c 'cd "$1" && shift && exec "$@"' - "$BATS_TEST_TMPDIR/here" \
			semctl-cli exec "$object" -- "$jobs" hold
		wait_until 5 holders_are "$object" "$pid"
		guardian=$(guardian_of "$pid" holding)
		assert_equal "$(awk '{ print $6, $7 }' "/proc/$guardian/stat")" "$guardian 0" "session, terminal"
		[[ $(awk '{ print $4 }' "/proc/$guardian/stat") != "$pid" ]]
		assert_equal "$(readlink "/proc/$guardian/cwd")" / "directory"
		# The semaphore, the job and the wire.
		assert_equal "$(readlink "/proc/$guardian/fd/"* | grep -cE 'sem\.|@|made|anon_inode:\[eventfd|pidfd|socket:')" 3
		assert_equal "$(find "/proc/$guardian/fd" -type l | wc -l)" 3
		stop "$pid"
		comes_back "$object" 1
		wait_until 5 gone "$guardian"
	done
}

@test "signals of a terminal and of kill do not end a guardian" {
	make posix
	start_holder "$object"
	guardian=$(guardian_of "$pid" holding)
	wait_until 5 state_is "$guardian" S
	for signal in INT TERM HUP QUIT ALRM TSTP TTIN TTOU PIPE USR1 USR2 IO; do
		kill -$signal "$guardian"
	done
	state_is "$guardian" S
	assert_value "$object" 0
	holders_are "$object" "$pid"
	stop "$pid"
	comes_back "$object" 1
}

@test "a guardian that was stopped gives back once it goes on" {
	make posix
	start_holder "$object"
	guardian=$(guardian_of "$pid" holding)
	kill -STOP "$guardian"
	wait_until 5 state_is "$guardian" T
	stop "$pid"
	assert_value "$object" 0
	# The job has ended, but its permit is still to be given back: repair must not give it, too.
	holders_are "$object" "$guardian"
	semctl-cli repair "$object" --capacity 1
	assert_value "$object" 0
	kill -CONT "$guardian"
	comes_back "$object" 1
}

@test "a job that puts itself in the background has ended" {
	for backend in "${guarded[@]}"; do
		make "$backend"
		run semctl-cli exec "$object" -- sh -c 'sleep inf >/dev/null 2>&1 3>&- 4>&- & echo $!'
		child=$output
		comes_back "$object" 1
		kill "$child"
	done
}

@test "a job that becomes another command keeps its permit" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start semctl-cli exec "$object" -- sh -c 'exec "$1" hold' - "$jobs"
		wait_until 5 test -s "$BATS_TEST_TMPDIR/start.$((${#started[@]} - 1)).out"
		assert_value "$object" 0
		holders_are "$object" "$pid"
		stop "$pid"
		comes_back "$object" 1
	done
}

# ---- ways to start ----

@test "exec works where SIGCHLD came ignored, and for a leader of a process group" {
	for backend in "${backends[@]}"; do
		make "$backend"
		run env --ignore-signal=CHLD semctl-cli exec "$object" -- sh -c 'exit 3'
		assert_status 3
		comes_back "$object" 1
		run setsid --wait semctl-cli exec "$object" -- sh -c 'exit 4'
		assert_status 4
		comes_back "$object" 1
	done
}

@test "exec as the first process of a PID namespace warns that permits will be lost" {
	make posix 2
	run --separate-stderr unshare -pf --kill-child semctl-cli exec "$object" -- sh -c 'exit 5'
	assert_status 5
	assert_stderr 'warning: COMMAND is the first process of its PID namespace'
	# What the warning says. It is the kernel that ends the guardian.
	wait_until 5 no_guardian
	semctl-cli repair "$object" --capacity 2
	make sysv
	run --separate-stderr unshare -pf --kill-child semctl-cli exec "$object" -- sh -c 'exit 5'
	assert_status 5
	assert_equal "$stderr" ""
	assert_value "$object" 1
}

@test "a job in another PID namespace is seen by its pid here" {
	for backend in posix sysv; do
		make "$backend"
		start unshare -pf --kill-child --mount-proc sh -c '"$@"; exit' - semctl-cli exec "$object" -- "$jobs" hold
		wait_until 5 test -s "$BATS_TEST_TMPDIR/start.$((${#started[@]} - 1)).out"
		run semctl-cli info "$object"
		json '.holders | length == 1'
		job=$(json_get '.holders[0].pid')
		assert_match 'jobs' "$(tr '\0' ' ' <"/proc/$job/cmdline")"
		stop "$pid"
	done
}

@test "exec with no process to spare is 125, and nothing is taken" {
	! as_user prlimit --nproc=1 sh -c '(:)' 2>/dev/null || skip "the number of processes does not bind this user"
	for backend in posix unnamed; do
		make "$backend"
		semctl-cli chmod "$object" 0666 || chmod 0666 "${object%@*}"
		run as_user prlimit --nproc=1 semctl-cli exec "$object" -- true
		assert_status 125
		assert_value "$object" 1
	done
}

# ---- its end ----

@test "a guardian that is killed while it waits ends exec with 125" {
	for backend in "${guarded[@]}"; do
		make "$backend" 0
		start semctl-cli exec --json "$object" -- true
		waiter=$pid
		wait_until 5 guardian_of "$waiter" waiting >/dev/null
		kill -KILL "$(guardian_of "$waiter" waiting)"
		finish "$waiter"
		assert_status 125
		json '.error.code == "EOWNERDEAD"'
		assert_value "$object" 0
	done
}

@test "a guardian stops waiting when the tool is killed" {
	for backend in "${guarded[@]}"; do
		for count in 1 2; do
			make "$backend" $((count - 1))
			start semctl-cli exec "$object" --count $count -- true
			wait_until 5 guardian_of "$pid" waiting >/dev/null
			kill -KILL "$pid"
			wait_until 5 no_guardian
			semctl-cli post "$object"
			assert_value "$object" $count
		done
	done
}

@test "who waits for several does not stand in the way of who only tries" {
	for backend in "${guarded[@]}"; do
		make "$backend" 3
		start semctl-cli exec "$object" --count 4 -- true
		wait_until 5 guardian_of "$pid" waiting >/dev/null
		waiter=$(guardian_of "$pid" waiting)
		wait_until 5 blocked_in "$waiter" clock_nanosleep
		for _ in {1..20}; do
			run semctl-cli exec "$object" --count 2 --timeout 0 -- true
			assert_status 0
			wait_until 5 value_is "$object" 3
		done
		stop "$pid"
		wait_until 5 no_guardian
		assert_value "$object" 3
	done
}
