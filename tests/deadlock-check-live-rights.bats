# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check live: who may look at whom: other users, PID namespaces, processes that end meanwhile.

# shellcheck disable=SC2016 # variables of jq
load helpers
load scenes

# shut: starts what an ordinary user may not look at.
shut()
{
	start "${as[@]}" python3 -c 'import ctypes, time
ctypes.CDLL(None).prctl(4, 0) # PR_SET_DUMPABLE
print("shut", flush=True)
time.sleep(1000)'
	shut=$pid
	wait_until 10 has_told "$pid"
}

look_unprivileged()
{
	run --separate-stderr as_unprivileged deadlock-check live "$@"
}

@test "an ordinary user finds what is his; what may not be looked at is counted, and lowers what rests on descriptors" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	as=(setpriv --bounding-set=-all --inh-caps=-all)
	look_unprivileged
	assert_status 0
	before=$(json_get .scanned.unreadable_processes)
	[[ $before != null ]] || skip "processes are hidden here"
	shut
	look_unprivileged
	assert_status 0
	json --argjson n "$before" '.scanned.unreadable_processes == $n + 1'
	look_unprivileged --table
	assert_match "; $((before + 1)) process(es)? may not be looked at, and may be part of one: that takes root, or CAP_SYS_PTRACE "
	look_unprivileged -o deadlocked
	assert_stderr "^deadlock-check live: warning: $((before + 1)) process"
	play mutexes normal
	look_unprivileged
	assert_status 1
	json '.level == "certain"'
	clear
	play pipes popen
	look_unprivileged
	assert_status 9
	json '.level == "inferred" and (.waits | length) == 2 and all(.waits[]; .reason | type == "string")'
	clear
	# What he may not look at acts, for all that is known.
	look_unprivileged --pid "$shut"
	assert_status 0
}

@test "a user finds nothing of another who may not be looked at" {
	setpriv --reuid 4711 true 2>/dev/null || skip "there is but one user here"
	play mutexes normal
	run --separate-stderr setpriv --reuid 4711 --regid 4711 --clear-groups deadlock-check live
	assert_status 0
	json '.deadlocked == false and .scanned.unreadable_processes > 0'
}

# within PROGRAM CASE: plays it in a PID namespace of its own; the pid of its first process there is 1.
within()
{
	start unshare --pid --fork --kill-child --mount-proc "$stages/$1" "$2"
	wait_until 20 has_told "$pid"
	said=$(<"$(out_of "$pid")")
}

@test "processes of an inner PID namespace go by the names that they have outside" {
	within mutexes three-robust
	run --separate-stderr deadlock-check live
	assert_status 1
	json '.level == "certain" and (.waits | length) == 3'
	for one in $(json_get '.waits[].pid'); do
		assert_equal "$(<"/proc/$one/comm")" mutexes "name of $one"
		[[ $(grep ^NSpid: "/proc/$one/status") == *$'\t'"$one"$'\t'[0-9]* ]]
	done
	json --argjson said "$said" '([.waits[].pid] | unique) != ([$said.threads[].pid] | unique)'
	kill -KILL "$(json_get '.resolve[0] | sub(".*:"; "")')"
	wait_until 10 at_rest
	kill -KILL "$pid"
}

at_rest()
{
	deadlock-check live -q
}

@test "within a PID namespace they go by the names that they have there, and others are not seen" {
	run --separate-stderr unshare --pid --fork --kill-child --mount-proc bash -c '
		exec 3< <(exec "$1" three-robust)
		read -r said <&3 && echo "$said"
		deadlock-check live --json
		echo "$?"' bash "$stages/mutexes"
	[[ ${lines[2]} == 1 ]] || fail "status" "$(show_last)"
	said=${lines[0]} output=${lines[1]}
	json --argjson said "$said" '.scanned.other_pid_namespaces and
		([.waits[].tid] | sort) == ([$said.threads[].tid] | sort)'
}

@test "processes that end while they are looked at are no deadlock, and no failure" {
	for program in "mutexes normal" "mutexes three-shared" "pipes popen" "file-locks flock"; do
		# shellcheck disable=SC2086 # a program and a case
		play $program
		start deadlock-check live --watch 1ms --json
		watcher=$pid
		wait_until 10 has_told "$watcher"
		clear
		said=$(out_of "$watcher")
		wait_until 10 ends_free "$said"
		# It goes on.
		! gone "$watcher"
		kill "$watcher"
		finish "$watcher"
		assert_equal "$stderr" ""
		jq -es 'all(.[]; .deadlocked == (.waits != [] and .level != null)) and .[0].deadlocked' <<<"$output" >/dev/null
	done
}

ends_free()
{
	local line
	line=$(tail -n 1 "$1")
	[[ $line == '{"deadlocked":false,'*'}' ]]
}
