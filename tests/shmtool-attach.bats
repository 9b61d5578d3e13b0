# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; object, in each case its own

load helpers
load segments

# attached OBJECT ARG...: starts `shmtool attach` with these, and waits until COMMAND has printed "ready".
attached()
{
	start_open shmtool attach "$@"
	wait_until 5 is_ready "$pid"
}

# ---- System V: attached while COMMAND runs ----

@test "attach: a System V segment is attached once while COMMAND runs, for everybody to see, and no longer" {
	shmtool create -q key:7 --size 4096
	id=$(id_of key:7)
	attached key:7 -- sh -c 'echo "$IPCKIT_SHMID ${IPCKIT_FD-none}"; echo ready; read -r line'
	assert_equal "$(head -n 1 "$(out_of "$pid")")" "$id none"
	assert_match " $id +root +600 +4096 +1 *\$" "$(ipcs -m | grep " $id ")"
	assert_equal "$(told key:7 nattch)" 1
	run shmtool users key:7
	json --argjson job "$pid" '.users | length == 1 and (.[0] | .evidence == "mapped" and .access == "rw-s" and
		(.command | test("job=\($job)\\b.* key:7")))'
	# It keeps the segment when its name is removed.
	shmtool rm key:7
	assert_equal "$(told "id:$id" nattch)" 1
	stop "$pid"
	vanished()
	{
		! shmtool info "id:$id" >/dev/null 2>&1
	}
	wait_until 5 vanished
}

@test "attach: nested and several at a time add up, and each gives back its own" {
	shmtool create -q key:7 --size 4096
	attached key:7 -- shmtool attach key:7 -- sh -c 'echo ready; read -r line'
	first=$pid
	attached key:7 -- sh -c 'echo ready; read -r line'
	assert_equal "$(told key:7 nattch)" 3
	stop "$first"
	wait_until 5 nattch_is key:7 1
	stop "$pid"
	wait_until 5 nattch_is key:7 0
}

@test "attach --read-only: attached for reading alone, and so the descriptor is" {
	shmtool create -q key:7 --size 4096 --mode 0400
	shmtool create -q /frame --size 4096 --mode 0400
	run as_unprivileged shmtool attach key:7 -- true
	assert_status 125
	run as_unprivileged shmtool attach /frame -- true
	assert_status 125
	run as_unprivileged shmtool attach --read-only key:7 -- shmtool users key:7
	assert_status 0
	json '.users | all(.evidence == "mapped" and .access == "r--s")'
	run as_unprivileged shmtool attach -r /frame -- sh -c 'cat "/proc/self/fdinfo/$IPCKIT_FD"; echo x >&"$IPCKIT_FD"'
	((status != 0)) || fail "it can be written to" "$(show_last)"
	assert_match 'flags:[[:blank:]]+0[0-7]*0($|[[:blank:]])' "$(grep flags: <<<"$output")"
}

# ---- POSIX: as a descriptor ----

@test "attach: COMMAND gets a POSIX segment as descriptor IPCKIT_FD, and nothing else of the tool's" {
	shmtool create -q /frame --size 4096
	shmtool write /frame text
	run shmtool attach /frame -- sh -c 'readlink "/proc/self/fd/$IPCKIT_FD"; echo "${IPCKIT_SHMID-none}"; ((IPCKIT_FD)) 2>/dev/null
		head -c 4 <"/proc/self/fd/$IPCKIT_FD"; printf more >"/proc/self/fd/$IPCKIT_FD"'
	assert_status 0
	assert_output $'/dev/shm/frame\nnone\ntext'
	run head -c 4 /dev/shm/frame
	assert_output more
	before=$(ls /proc/self/fd)
	after=$(shmtool attach /frame -- ls /proc/self/fd)
	assert_equal "$(wc -w <<<"$after")" $(($(wc -w <<<"$before") + 1)) "descriptors"
	# It became the command.
	attached /frame -- sh -c 'echo ready; read -r line'
	assert_equal "$(user_pids /frame)" "$pid"
	shmtool rm /frame
	stop "$pid"
}

@test "attach: what others store meanwhile is what COMMAND sees" {
	shmtool create -q /frame --size 4096
	attached /frame -- bash -c 'echo ready; read -r line; head -c 4 <&"$IPCKIT_FD"'
	"$shm_peer" write /frame 0 mine
	echo >"$BATS_TEST_TMPDIR/input.$inputs"
	finish "$pid"
	assert_status 0
	assert_output $'ready\nmine'
}

# ---- exit statuses ----

@test "attach: COMMAND's status, 126, 127, and 125 where the tool itself failed" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for wanted in 0 1 7 124 255; do
			run shmtool attach "$object" -- sh -c "exit $wanted"
			assert_status "$wanted"
		done
		run --separate-stderr shmtool attach "$object" -- /
		assert_status 126
		assert_stderr '^shmtool attach: /: permission denied$'
		run -127 --separate-stderr shmtool attach "$object" -- no-such-command
		assert_stderr '^shmtool attach: no-such-command: command not found$'
		run --separate-stderr shmtool attach "$object" --
		assert_status 125
		run --separate-stderr shmtool attach "$object"
		assert_status 125
		assert_stderr 'COMMAND is missing'
		[[ $backend == posix ]] || wait_until 5 nattch_is "$object" 0
	done
	for object in /none key:99 id:4711 bad private key:0; do
		run --separate-stderr shmtool attach "$object" -- touch "$TMPDIR/ran"
		assert_status 125
		assert_stderr "^shmtool attach: $object: "
	done
	run --separate-stderr shmtool attach --raed-only key:7 -- true
	assert_status 125
	assert_stderr 'did you mean --read-only'
	[[ ! -e $TMPDIR/ran ]]
}

@test "attach: what may not be opened: 125, and COMMAND is not run" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0
		run --separate-stderr as_unprivileged shmtool attach "$object" -- touch "$TMPDIR/ran"
		assert_status 125
		assert_stderr 'permission denied'
	done
	[[ ! -e $TMPDIR/ran ]]
}

@test "attach: COMMAND that dies by a signal is seen to, and the attachment goes" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in TERM KILL SEGV; do
			start shmtool attach "$object" -- sh -c "kill -s $signal \$\$"
			finish "$pid"
			died_of "$signal"
			[[ $backend == posix ]] || wait_until 5 nattch_is "$object" 0
		done
	done
}

@test "attach: signals to the process reach COMMAND, which has its own handlers" {
	for backend in "${backends[@]}"; do
		make "$backend"
		attached "$object" -- bash -c 'trap "echo told; exit 3" USR1; echo ready; while :; do read -r -t 0.05 line || true; done'
		kill -USR1 "$pid"
		finish "$pid"
		assert_status 3
		assert_output $'ready\ntold'
		attached "$object" -- sh -c 'echo ready; read -r line'
		kill -TERM "$pid"
		finish "$pid"
		died_of TERM
		[[ $backend == posix ]] || wait_until 5 nattch_is "$object" 0
	done
}

@test "attach: kill -9 of COMMAND takes the attachment; kill -9 of the guardian lets COMMAND live" {
	shmtool create -q key:7 --size 4096
	attached key:7 -- sh -c 'echo ready; read -r line'
	kill -KILL "$pid"
	finish "$pid"
	died_of KILL
	wait_until 5 nattch_is key:7 0
	attached key:7 -- sh -c 'echo ready; read -r line; echo "$line"'
	guardian=$(user_pids key:7)
	[[ $guardian != "$pid" ]]
	kill -KILL "$guardian"
	wait_until 5 nattch_is key:7 0
	! gone "$pid" || fail "COMMAND went with it"
	echo on >"$BATS_TEST_TMPDIR/input.$inputs"
	finish "$pid"
	assert_status 0
	assert_output $'ready\non'
}

@test "attach: a process that COMMAND leaves behind does not keep it attached; standard streams are COMMAND's" {
	shmtool create -q key:7 --size 4096
	start_open shmtool attach key:7 -- sh -c 'sleep 60 & echo "$!"; echo error >&2'
	finish "$pid"
	assert_status 0
	assert_match '^[0-9]+$'
	assert_equal "$stderr" error
	wait_until 5 nattch_is key:7 0
	kill "$output"
	run bash -c 'echo text | shmtool attach key:7 -- cat'
	assert_output text
	# The guardian does not hold a pipe open.
	run timeout 10 bash -c 'shmtool attach key:7 -- sh -c "echo text; exec >&-; read -r line" </dev/null | cat'
	assert_output text
}

@test "attach: options of COMMAND are its own" {
	shmtool create -q /frame --size 1
	run shmtool attach /frame -- echo --read-only -- --json
	assert_output "--read-only -- --json"
}
