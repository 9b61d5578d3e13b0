# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check live: what it says, and how, of programs that are deadlocked on purpose (tests/deadlock).

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load scenes

# live STATUS [ARG...]: its answer.
live()
{
	run --separate-stderr deadlock-check live "${@:2}"
	assert_status "$1"
}

# A program that waits for what will come: nobody is stuck.
play_nothing()
{
	start sleep 1000
	sleeper=$pid
}

# ---- the document ----

@test "every key of the document and its type, where somebody is stuck and where nobody is" {
	play mutexes normal
	live 1
	assert_equal "$stderr" ""
	assert_equal "${#lines[@]}" 1
	json 'keys_unsorted == ["deadlocked", "level", "processes", "core", "blocked_behind", "cycle", "waits", "resolve",
		"scanned"]'
	json '.waits[0] | keys_unsorted == ["process", "pid", "tid", "thread", "command", "kind", "resource", "mode",
		"holders", "owners", "any", "level", "reason", "waiting", "core"]'
	json '.scanned | keys_unsorted == ["processes", "threads", "unreadable_processes", "other_pid_namespaces"]'
	json 'map_values(type) == {deadlocked: "boolean", level: "string", processes: "array", core: "array",
		blocked_behind: "array", cycle: "array", waits: "array", resolve: "array", scanned: "object"}'
	json '.waits | map(map_values(type) | del(.waiting)) | unique == [{process: "string", pid: "number",
		tid: "number", thread: "string", command: "string", kind: "string", resource: "string", mode: "null",
		holders: "array", owners: "array", any: "boolean", level: "string", reason: "null", core: "boolean"}]'
	stop_started
	live 0
	json '.deadlocked == false and .level == null and .scanned.processes > 0 and .scanned.threads > 0'
	json '[.processes, .core, .blocked_behind, .cycle, .waits, .resolve] | unique == [[]]'
}

@test "two threads and two mutexes: who, for what, held by whom, and what to end" {
	play mutexes normal
	live 1
	json --argjson t "$scene" '. as $live | $t.threads | all(. as $wanted | $live.waits[] |
		select(.tid == $wanted.tid) | .pid == $wanted.pid and .kind == $wanted.waits and
		.process == "mutexes:\(.pid)/\(.tid)" and .holders == ["mutexes:\(.pid)/\($wanted.for)"] and .core)'
	json '.level == "certain" and (.waits | length) == 2 and .processes == .core and .blocked_behind == []'
	json '.cycle | length == 5 and .[0] == .[4] and all(.[1, 3]; startswith("mutex 0x"))'
	json --arg p "${pids[0]}" '.resolve == ["mutexes:" + $p]'
	json '.waits[0].command | endswith("tests/stages/mutexes normal")'
	# The fact itself: nobody is stuck any more.
	kill -KILL "$(json_get '.waits[0].pid')"
	wait_until 5 gone "${pids[0]}"
	live 0
}

@test "of several processes one is enough to end" {
	play mutexes three-shared
	live 1
	json '(.core | length) == 3 and (.resolve | length) == 1 and ([.waits[].pid] | unique | length) == 3'
	kill -KILL "$(json_get '.resolve[0] | sub(".*:"; "")')"
}

@test "who stands behind is told behind, and a wait of its own thread is none of its process" {
	play joins mutex
	live 1
	json '.deadlocked and (.waits | map(.kind) | sort) == ["join", "mutex"]'
	json '.core | all(test("^joins:[0-9]+/[0-9]+$"))'
}

# ---- statuses and levels ----

@test "a time limit makes it timed: status 9; what nobody gives back is certain" {
	play mutexes timed
	live 9
	json '.deadlocked and .level == "timed" and ([.waits[].level] | unique) == ["timed"]'
	json '.waits | all(.reason | type == "string")'
	live 9 --quiet
	assert_equal "$output$stderr" ""
	stop_started
	play orphans exited
	live 1
	json '.level == "certain" and .cycle == [] and any(.waits[]; .holders == [] and .core)'
}

@test "what only looks like a deadlock is none" {
	play_nothing
	live 0
	json '.deadlocked == false'
}

@test "a wait for any thread of one process has no cycle, and says so" {
	play mutexes condition
	live 1
	json '.cycle == [] and (.core | length) == 2 and any(.waits[]; .kind == "condition" and .any)'
	live 1 --table
	assert_match $'\nresolve +end mutexes:'
	assert_match ' condition 0x[0-9a-f]+ +any thread of mutexes:[0-9]+ '
	[[ $output != *$'\ncycle'* ]]
	live 1 --as text
	assert_match '\[threads of mutexes:[0-9]+ ●●\]'
}

# ---- which of them ----

@test "--pid: only what waits there, and in the end for there; one that does not run is no such process" {
	play mutexes normal
	first=${pids[0]}
	play rwlocks write-write
	live 1
	json '([.waits[].pid] | unique | length) == 2'
	live 1 --pid "$first"
	json --argjson p "$first" '[.waits[].pid] | unique == [$p]'
	for words in "-p $first,${pids[0]}" "--pid $first --pid=${pids[0]}" "-p$first -p${pids[0]},$first"; do
		# shellcheck disable=SC2086 # words
		live 1 $words
		json '([.waits[].pid] | unique | length) == 2'
	done
	play_nothing
	live 0 --pid "$sleeper"
	json '.deadlocked == false and .waits == []'
	live 1 --pid "$sleeper,$first"
	stop "$sleeper"
	live 3 --pid "$sleeper"
	assert_equal "$stderr" "deadlock-check live: $sleeper: no such process"
	json --arg p "$sleeper" '. == {error: {code: "ENOENT", exit: 3, verb: "live", object: $p, message: "no such process"}}'
	live 1 --pid "$first,$sleeper"
	live 3 --pid "$sleeper,2147483647"
	json '.error.message == "none of these is a process that runs"'
}

@test "--user: of one user" {
	play mutexes normal
	live 1 --user 0
	json '.waits | length == 2'
	live 0 --user 4711
	json '.waits == []'
	live 0 -u 4711 --pid "${pids[0]}"
	live 2 --user nosuchuser
	assert_stderr '^deadlock-check live: --user: there is no user "nosuchuser"$'
	live 2 --user 0:0
	assert_stderr '^deadlock-check live: --user: "0:0" is no user$'
}

# ---- what people see ----

@test "a table: verdict, cycle and what resolves it come first; one line where nobody is stuck" {
	play mutexes normal
	live 1 --table
	assert_match '^verdict +DEADLOCK, certain: 2 threads of one process wait for each other
cycle +mutexes:[0-9]+/[0-9]+ -> mutex 0x[0-9a-f]+ -> mutexes:[0-9]+/[0-9]+ -> mutex 0x[0-9a-f]+ -> mutexes:[0-9]+/[0-9]+
resolve +end mutexes:'"${pids[0]} \\(kill ${pids[0]}\\)"'
looked_at +[0-9]+ processes with [0-9]+ threads; .*
knot
 +WAITING +FOR +HELD BY +SINCE +SURE +COMMAND
 +mutexes:[0-9/]+ +mutex 0x[0-9a-f]+ +mutexes:[0-9/]+ +[^ ]+ ago +certain +[^ ]*mutexes normal'
	stop_started
	live 0 --table
	assert_equal "${#lines[@]}" 1
	assert_match '^verdict +no deadlock: looked at [0-9]+ process(es)? with [0-9]+ threads?; processes of other PID namespaces are not seen$'
	assert_equal "$stderr" ""
}

@test "what was not seen is told beside what cannot tell it" {
	live 0 --plain
	assert_equal "$stderr" "deadlock-check live: warning: processes of other PID namespaces are not seen"
	assert_match $'^false\t-\t-\t-\t-\t-\t0\t-$'
	live 0 -o deadlocked
	assert_output '{"deadlocked":false}'
	assert_stderr 'not seen'
	live 0 -q
	assert_equal "$output$stderr" ""
	live 0 -qv
	assert_stderr 'not seen'
}

@test "a table: several knots, the surest first; long command lines are cut in the middle" {
	play mutexes normal
	play mutexes timed
	timed=${pids[0]}
	long=$(printf '%0100d' 0)
	start bash -c 'exec -a "mutexes $1" "$2" relock' bash "$long" "$stages/mutexes"
	wait_until 10 has_told "$pid"
	live 1 --table
	assert_match '^verdict +DEADLOCK, certain: .*; 1 more such knot; 1 more that is less sure'
	assert_match $'\nnot_certain +the wait has a limit\n'
	assert_match ' certain +mutexes 0{32}\.\.\.0{13} relock'
	[[ $output != *"$long"* ]]
	live 9 --pid "$timed" --table
	assert_match '^verdict +DEADLOCK, until a time limit ends a wait: 2 threads'
}

# ---- pictures ----

@test "--as: pictures of what is stuck" {
	play mutexes normal
	for form in dot mermaid text; do
		live 1 --as "$form"
		assert_match "mutexes"
		assert_match "mutex 0x"
	done
	live 1 --as dot
	assert_match '^digraph resources \{'
	deadlock-check live --as dot 2>/dev/null >"$TMPDIR/dot" || true
	run --separate-stderr deadlock-check check "$TMPDIR/dot"
	assert_status 1
	json '.deadlocked and (.core | length) == 2 and (.cycle | length) == 5'
	live 1 --as text --json
	json '.data | test("mutexes")'
	live 1 --as text
	assert_match '\(mutexes:[0-9]+/[0-9]+\)  holds mutex 0x[0-9a-f]+  waits for mutex 0x'
}

@test "--as svg" {
	play mutexes normal
	if command -v dot >/dev/null; then
		live 1 --as svg
		assert_match '<svg'
	else
		live 8 --as svg
		assert_stderr "graphviz' dot is not installed"
	fi
}

@test "--as: where nobody is stuck there is nothing to draw" {
	for form in dot mermaid text; do
		live 0 --as "$form"
		assert_stderr 'warning: no deadlock, and nothing to draw$'
	done
}

# ---- dump ----

@test "--dump: what waits, stuck or not; read again it is judged the same, and so by the others" {
	for words in "mutexes normal 1" "mutexes three-robust 1" "orphans exited 1" "joins ring 1" "mutexes relock 1"; do
		read -r program name wanted <<<"$words"
		play "$program" "$name"
		live "$wanted" --json
		core=$(json_get '.core | sort | join(" ")')
		deadlock-check live --dump >"$TMPDIR/dump" 2>/dev/null || [[ $? == "$wanted" ]]
		run --separate-stderr deadlock-check check - <"$TMPDIR/dump"
		assert_status 1
		assert_equal "$(json_get '.core | sort | join(" ")')" "$core" "core of $program $name"
		for verb in graph explain resolve "convert --to graph-json"; do
			# shellcheck disable=SC2086 # words
			deadlock-check $verb - <"$TMPDIR/dump" >"$TMPDIR/read" || [[ $verb == explain ]]
			[[ -s $TMPDIR/read ]]
		done
		deadlock-check convert --to graph-json "$TMPDIR/dump" >"$TMPDIR/json"
		run deadlock-check check -o deadlocked "$TMPDIR/json"
		assert_output '{"deadlocked":true}'
		stop_started
	done
}

@test "--dump: where nobody is stuck, too" {
	play_nothing
	live 0 --dump
	deadlock-check live --dump 2>/dev/null >"$TMPDIR/dump"
	run --separate-stderr deadlock-check check - <"$TMPDIR/dump"
	assert_status 0
	json '.deadlocked == false'
	live 0 --dump --pid "$sleeper"
	deadlock-check live --dump --pid "$sleeper" 2>/dev/null >"$TMPDIR/dump"
	run --separate-stderr deadlock-check check - <"$TMPDIR/dump"
	assert_status 0
}

# ---- watch ----

# said N: the watcher has printed N lines.
said()
{
	(($(wc -l <"$watched") == $1))
}

@test "--watch: a document of how it is, then of each change, until it is interrupted" {
	start deadlock-check live --watch 50ms
	watcher=$pid watched=$(out_of "$pid")
	wait_until 10 said 1
	play mutexes normal
	wait_until 10 said 2
	kill -KILL "${pids[0]}"
	wait_until 10 said 3
	for pair in "INT 130" "TERM 143" "HUP 129"; do
		read -r signal wanted <<<"$pair"
		kill -"$signal" "$watcher"
		finish "$watcher"
		assert_equal "$status$stderr" "$wanted" "after SIG$signal"
		[[ $signal != INT ]] || {
			output=$(jq -c '[.deadlocked, .level, (.waits | length)]' <<<"$output")
			assert_output $'[false,null,0]\n[true,"certain",2]\n[false,null,0]'
		}
		[[ $signal == HUP ]] || start deadlock-check live --watch 50ms
		watcher=$pid watched=$(out_of "$pid")
		[[ $signal == HUP ]] || wait_until 10 said 1
	done
}

@test "--watch: lines for people, columns, a process that ends" {
	play mutexes normal
	start deadlock-check live --watch 50ms --table --pid "${pids[0]}"
	watcher=$pid watched=$(out_of "$pid")
	wait_until 10 said 2
	start deadlock-check live --watch 50ms -o deadlocked,resolve --pid "${pids[0]}"
	other=$pid watched=$(out_of "$pid")
	wait_until 10 said 1
	kill -KILL "${pids[0]}"
	finish "$watcher"
	assert_status 3
	assert_match $'^VERDICT\tCYCLE\tRESOLVE\nDEADLOCK, certain: .*\tmutexes:.* -> .*\tend mutexes:'
	assert_equal "$stderr" "deadlock-check live: ${pids[0]}: no such process"
	finish "$other"
	assert_status 3
	assert_match '^\{"deadlocked":true,"resolve":\["mutexes:'
}

# ---- usage ----

@test "mistakes of use" {
	while read -r words message; do
		# shellcheck disable=SC2086 # words
		live 2 ${words//,/ }
		[[ $stderr == "deadlock-check live: $message" ]] || fail "$words" "$(show_last)"
	done <<-'END'
	--pid,x --pid: "x" is not a count (decimal, 0x hex or 0 octal)
	--pid,0 --pid: "0" is less than 1
	--watch,0 --watch: "0" is no time from one look to the next
	--watch,inf --watch: "inf" is no time from one look to the next
	--watch,soon --watch: "soon" is not a duration (250us 100ms 5s 2m 1h, or inf)
	--as,png --as: png: expected dot, mermaid, svg or text
	--dump,--as,dot --dump: not together with --as
	--dump,--watch,1 --dump: not together with --watch
	--as,dot,--watch,1 --as: not together with --watch
	--dump,-o,deadlocked --dump: what it prints has no columns
	x x: one operand too many; usage: deadlock-check live [options]
	END
	live 2 --pid '1,,2'
	live 2 --pid ''
}
