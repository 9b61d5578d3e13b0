# SPDX-License-Identifier: GPL-2.0-or-later
# exec: COMMAND is started as if by the caller, with permits that come back.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load backends

# ---- what COMMAND gives back, and is ----

@test "exec ends with COMMAND's status, and gives the permit back" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		for code in 0 1 7 125 255; do
			run semctl-cli exec "$object" -- sh -c "echo out; exit $code"
			assert_status "$code"
			assert_output out
			comes_back "$object" 1
		done
	done
}

@test "exec passes COMMAND's words on as they are" {
	make sysv
	run semctl-cli exec "$object" -- printf '[%s]' --timeout '' '-- ' -- 'a b' '!#:+'
	assert_output "[--timeout][][-- ][--][a b][!#:+]"
	make posix
	run env -i "$(command -v semctl-cli)" exec "$object" -- /usr/bin/printf '[%s]' --timeout '' -- 'a b'
	assert_output "[--timeout][][--][a b]"
}

@test "COMMAND has the pid that was started, and no child" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		start semctl-cli exec "$object" -- sh -c 'read -r c </proc/$$/task/$$/children; echo "$$ [$c]"'
		finish "$pid"
		assert_status 0
		assert_output "$pid []"
	done
}

@test "COMMAND has no child even if it adopts orphans" {
	for backend in "${guarded[@]}"; do
		make "$backend"
		run "$jobs" adopt semctl-cli exec "$object" -- sh -c \
			'read -r c </proc/$$/task/$$/children; echo "[$c]"
			(sleep 100 >/dev/null 2>&1 3>&- 4>&- &); (sleep 100 >/dev/null 2>&1 3>&- 4>&- &)
			read -r c </proc/$$/task/$$/children; set -- $c; echo $#; kill "$@"'
		assert_status 0
		# It stays one that adopts: the two that it orphaned itself are there.
		assert_output "[]"$'\n'2
	done
}

@test "COMMAND that dies by a signal: the caller sees it, the permit comes back" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		for signal in TERM KILL SEGV USR1; do
			run bash -c 'exec 2>/dev/null; "$@"; echo $?' - semctl-cli exec "$object" -- sh -c "kill -$signal \$\$"
			assert_output $((128 + $(kill -l $signal)))
			comes_back "$object" 1
		done
	done
}

# ---- what COMMAND inherits ----

# same COMMAND...: what it prints under exec is what it prints without, for each backend.
same()
{
	local plain
	plain=$("$@")
	[[ $plain ]] || fail "prints nothing: $*"
	for backend in "${backends[@]}" file; do
		make "$backend"
		run "${before[@]}" semctl-cli exec "$object" -- "$@"
		assert_status 0
		assert_equal "$output" "$("${before[@]}" "$@")" "$backend"
	done
}

@test "COMMAND's signals are as they were inherited: mask, dispositions, pending" {
	for signals in --default-signal --ignore-signal "--ignore-signal=CHLD,INT,BUS,ALRM,RTMIN" \
		"--default-signal --block-signal" "--default-signal --block-signal=CHLD,INT,TERM,RTMIN,BUS,IO"; do
		read -ra before <<<"env $signals"
		same grep -E '^(Sig[^Q]|ShdPnd)' /proc/self/status
	done
}

@test "COMMAND's directory, umask, limits, session and process group are the caller's" {
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here"
	umask 0137
	ulimit -n 200
	before=()
	same pwd -P
	same grep ^Umask: /proc/self/status
	same cat /proc/self/limits
	same cut '-d ' -f 5-8 /proc/self/stat
	before=(setsid --wait)
	# Its own session and group: numbers differ, but each is its pid.
	same awk '{ print $1 == $5, $1 == $6 }' /proc/self/stat
}

@test "COMMAND's environment is the caller's, but for IPCKIT_HOLD of a System V permit" {
	before=(env -u IPCKIT_HOLD)
	for backend in posix unnamed eventfd file; do
		make "$backend"
		run semctl-cli exec "$object" -- env
		assert_equal "$(grep -v '^_=' <<<"$output")" "$(env | grep -v '^_=')" "$backend"
		run env -i "$(command -v semctl-cli)" exec "$object" -- /usr/bin/env
		assert_output ""
		# One that was inherited from elsewhere says nothing about this job.
		run env -i IPCKIT_HOLD=x "$(command -v semctl-cli)" exec "$object" -- /usr/bin/env
		assert_output ""
	done
	make sysv
	run env -i "$(command -v semctl-cli)" exec "$object" -- /usr/bin/env
	assert_match "^IPCKIT_HOLD=holding job=[0-9]+ count=1 since=[0-9]+\.[0-9]{3} at=sysv:[0-9]+:0 $object\$"
}

# descriptors COMMAND...: the numbers that a job of it has open.
descriptors()
{
	"$@" "$jobs" descriptors "$BATS_TEST_TMPDIR/descriptors" && cat "$BATS_TEST_TMPDIR/descriptors"
}

@test "COMMAND's descriptors are the caller's, but for a lock file's" {
	exec 20</dev/null
	plain=$(descriptors env)
	assert_match '(^| )20( |$)' "$plain"
	for backend in "${backends[@]}"; do
		make "$backend"
		assert_equal "$(descriptors semctl-cli exec "$object" --)" "$plain" "$backend"
	done
	make file
	lock=$object
	assert_equal "$(wc -w <<<"$(descriptors semctl-cli exec "$lock" --)")" $(($(wc -w <<<"$plain") + 1))
	assert_equal "$(wc -w <<<"$(descriptors semctl-cli exec "$lock" "$object" --)")" $(($(wc -w <<<"$plain") + 1))
}

@test "standard descriptors that came closed are closed in COMMAND" {
	for backend in "${backends[@]}"; do
		make "$backend"
		assert_equal "$(descriptors semctl-cli exec "$object" -- <&- | cut '-d ' -f1-2)" "1 2" "$backend"
		semctl-cli exec "$object" -- "$jobs" descriptors "$BATS_TEST_TMPDIR/closed" <&- >&- 2>&-
		[[ ! $(<"$BATS_TEST_TMPDIR/closed") =~ ^[012]( |$) ]] || fail "$backend: $(<"$BATS_TEST_TMPDIR/closed")"
		comes_back "$object" 1
	done
}

# ---- taking ----

@test "exec --count takes several, all or none" {
	for backend in "${backends[@]}"; do
		make "$backend" 5
		start_holder "$object" --count 3
		holder=$pid
		assert_value "$object" 2
		run semctl-cli exec "$object" --count 3 --timeout 0 -- true
		assert_status 124
		assert_value "$object" 2
		run semctl-cli exec "$object" --count 2 --timeout 0 -- true
		assert_status 0
		stop "$holder"
		comes_back "$object" 5
	done
}

@test "exec gives up after --timeout with 124, and takes nothing" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		start_holder "$object"
		holder=$pid
		run --separate-stderr semctl-cli exec "$object" --timeout 0 -- echo ran
		assert_status 124
		assert_output ""
		assert_stderr "^semctl-cli exec: .*: would block\$"
		run --separate-stderr semctl-cli exec --json "$object" --timeout 50ms -- echo ran
		assert_status 124
		assert_stderr "^semctl-cli exec: .*: timed out after 50ms\$"
		json '.error | .code == "ETIMEDOUT" and .exit == 124 and .verb == "exec"'
		stop "$holder"
		comes_back "$object" 1
	done
}

@test "exec waits until there is a permit" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		start_holder "$object"
		holder=$pid
		start semctl-cli exec "$object" --timeout 20s -- echo ran
		waiter=$pid
		wait_until 5 blocked_in "$waiter" semtimedop fcntl 45
		[[ $backend == file ]] || wait_until 5 waiting_are "$object" "$waiter"
		stop "$holder"
		finish "$waiter"
		assert_status 0
		assert_output ran
		comes_back "$object" 1
	done
}

@test "exec of several objects takes each, and --timeout leaves none taken" {
	names=()
	for backend in "${backends[@]}" file; do
		make "$backend"
		names+=("$object")
	done
	start_holder "${names[@]}"
	holder=$pid
	for one in "${names[@]}"; do
		assert_value "$one" 0
	done
	run semctl-cli exec "${names[@]}" --timeout 20ms -- true
	assert_status 124
	stop "$holder"
	for one in "${names[@]}"; do
		wait_until 5 value_is "$one" 1
	done
	for last in "${names[@]}"; do
		start_holder "$last"
		run semctl-cli exec "${names[@]}" --timeout 20ms -- true
		assert_status 124
		for one in "${names[@]}"; do
			assert_value "$one" "$([[ $one == "$last" ]] && echo 0 || echo 1)"
		done
		stop "$pid"
		wait_until 5 value_is "$last" 1
	done
}

@test "many with several objects in opposite orders do not deadlock" {
	names=()
	for backend in posix posix sysv sysv unnamed file; do
		make "$backend"
		names+=("$object")
	done
	for ((i = ${#names[@]} - 1; i >= 0; i--)); do
		reversed+=("${names[i]}")
	done
	start "$jobs" crowd "$BATS_TEST_TMPDIR/board" 4 60 semctl-cli exec "${names[@]}" -- \
		"$jobs" inside "$BATS_TEST_TMPDIR/board"
	forth=$pid
	run timeout 60 "$jobs" crowd "$BATS_TEST_TMPDIR/board2" 4 60 semctl-cli exec "${reversed[@]}" -- \
		"$jobs" inside "$BATS_TEST_TMPDIR/board2"
	json '. == {"ended": 60, "failed": 0, "inside": 0, "most": 1}'
	finish "$forth" 60
	json '. == {"ended": 60, "failed": 0, "inside": 0, "most": 1}'
	for one in "${names[@]}"; do
		comes_back "$one" 1
	done
}

@test "two semaphores of one set are taken in one step" {
	semctl-cli create key:0x5e7 --values 1,0 -q
	start semctl-cli exec 'key:0x5e7#1' 'key:0x5e7#0' -- true
	wait_until 5 blocked_in "$pid" semtimedop semop
	assert_value 'key:0x5e7#0' 1
	semctl-cli post 'key:0x5e7#1'
	finish "$pid"
	assert_status 0
	assert_value 'key:0x5e7#0' 1
	assert_value 'key:0x5e7#1' 1
}

@test "the same semaphore under two names is taken once" {
	make sysv
	id=id:$(semctl-cli info "$object" | jq .id)
	run semctl-cli exec "$object" "$id" "$object#0" --timeout 0 -- semctl-cli value "$id" --plain --columns value
	assert_status 0
	assert_output 0

	make posix
	run semctl-cli exec "$object" "/sem.${object#/}@0" "$object" --timeout 0 -- true
	assert_status 0
	assert_output ""
	comes_back "$object" 1

	make unnamed
	ln "${object%@*}" "$BATS_TEST_TMPDIR/link"
	run semctl-cli exec "$BATS_TEST_TMPDIR/link@0x40" "$object" --timeout 0 -- true
	assert_status 0
	comes_back "$object" 1

	make file
	ln -s . "$BATS_TEST_TMPDIR/dir"
	run semctl-cli exec "$object" "file:$BATS_TEST_TMPDIR/dir/${object##*/}" --timeout 0 -- true
	assert_status 0

	make eventfd
	run semctl-cli exec "$object" "$object" --timeout 0 -- true
	assert_status 0
	comes_back "$object" 1
}

@test "who calls the same semaphores by name and by place does not deadlock" {
	make posix
	a=$object
	make posix
	b=$object
	start timeout 60 "$jobs" crowd "$BATS_TEST_TMPDIR/board" 4 60 semctl-cli exec "$a" "/sem.${b#/}@0" -- \
		"$jobs" inside "$BATS_TEST_TMPDIR/board"
	one=$pid
	run timeout 60 "$jobs" crowd "$BATS_TEST_TMPDIR/board2" 4 60 semctl-cli exec "$b" "/sem.${a#/}@0" -- \
		"$jobs" inside "$BATS_TEST_TMPDIR/board2"
	json '. == {"ended": 60, "failed": 0, "inside": 0, "most": 1}'
	finish "$one" 60
	json '. == {"ended": 60, "failed": 0, "inside": 0, "most": 1}'
	comes_back "$a" 1
	comes_back "$b" 1
}

@test "a run within a run holds both, and is told as the holder of both" {
	make sysv 3
	outer=$object
	make posix
	start_holder "$outer" --count 2 -- semctl-cli exec "$object" -- semctl-cli exec "$outer"
	assert_value "$outer" 0
	assert_value "$object" 0
	run semctl-cli info "$outer"
	json --argjson pid "$pid" '[.holders[] | select(.pid == $pid) | .count] | sort == [1, 2]'
	holders_are "$object" "$pid"
	stop "$pid"
	comes_back "$object" 1
	assert_value "$outer" 3
}

# ---- ended before COMMAND ----

@test "a signal ends exec while it waits, and nothing is taken" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		start_holder "$object"
		holder=$pid
		for signal in INT TERM HUP QUIT ALRM KILL; do
			start semctl-cli exec "$object" -- echo ran
			waiter=$pid
			wait_until 5 blocked_in "$waiter" semtimedop fcntl 45
			kill -$signal "$waiter"
			finish "$waiter"
			assert_status $((128 + $(kill -l $signal)))
			assert_output ""
			assert_equal "$stderr" "" "stderr of $backend"
		done
		stop "$holder"
		comes_back "$object" 1
	done
}

@test "signals that came ignored do not end the wait" {
	for backend in "${backends[@]}"; do
		make "$backend" 0
		start env --ignore-signal=INT,HUP semctl-cli exec "$object" -- echo ran
		waiter=$pid
		wait_until 5 blocked_in "$waiter" semtimedop 45
		kill -INT "$waiter"
		kill -HUP "$waiter"
		kill -STOP "$waiter"
		wait_until 5 state_is "$waiter" T
		kill -CONT "$waiter"
		semctl-cli post "$object"
		finish "$waiter"
		assert_status 0
		assert_output ran
	done
}

@test "a set that is removed ends the wait with 125" {
	make sysv 0
	start semctl-cli exec --json "$object" -- true
	waiter=$pid
	wait_until 5 blocked_in "$waiter" semtimedop semop
	semctl-cli rm "$object"
	finish "$waiter"
	assert_status 125
	json '.error.code == "EIDRM" and .error.exit == 125'
}

@test "a directory of PATH that may not be searched does not make 126 of 127" {
	make sysv 1
	mkdir -m 000 "$BATS_TEST_TMPDIR/closed"
	status=0
	PATH=$BATS_TEST_TMPDIR/closed:$PATH as_unprivileged semctl-cli exec "$object" -- no-such-command || status=$?
	assert_equal "$status" 127
}

@test "a COMMAND that cannot be run: 126 or 127, and the permits are back at once" {
	touch "$BATS_TEST_TMPDIR/plain"
	for backend in "${backends[@]}" file; do
		make "$backend" 1
		for _ in 1 2 3; do
			run -127 semctl-cli exec "$object" -- no-such-command
			assert_value "$object" 1 "$backend"
			run semctl-cli exec "$object" -- "$BATS_TEST_TMPDIR/plain"
			assert_status 126
			assert_value "$object" 1 "$backend"
			run semctl-cli exec "$object" -- /
			assert_status 126
			assert_value "$object" 1 "$backend"
		done
	done
	run -127 --separate-stderr semctl-cli exec --json "$object" -- no-such-command
	json '.error | .code == "ENOENT" and .exit == 127 and .object == "no-such-command"'
	assert_stderr '^semctl-cli exec: no-such-command: command not found$'
}

@test "a COMMAND whose interpreter is missing is 126, not 127" {
	local command
	printf '#!/nope\n' >"$BATS_TEST_TMPDIR/no-interpreter"
	chmod +x "$BATS_TEST_TMPDIR/no-interpreter"
	for backend in "${backends[@]}"; do
		make "$backend" 1
		for command in "$BATS_TEST_TMPDIR/no-interpreter" no-interpreter; do
			PATH=$BATS_TEST_TMPDIR:$PATH run --separate-stderr semctl-cli exec --json "$object" -- "$command"
			assert_status 126
			assert_stderr "^semctl-cli exec: $command: bad interpreter: "
			json --arg command "$command" '.error | .code == "ENOENT" and .exit == 126 and .object == $command'
			assert_value "$object" 1 "$backend"
		done
	done
	ln -s nowhere "$BATS_TEST_TMPDIR/dangling"
	run -127 semctl-cli exec "$object" -- "$BATS_TEST_TMPDIR/dangling"
	run -127 semctl-cli exec "$object" -- ''
}

@test "bad operands are 125, and COMMAND does not run" {
	make posix 2
	for words in "$object --count 0" "$object --count x" "$object --count 99999999999999999999" \
		"$object --count 2147483648" "$object --timeout 5sfoo" "$object --no-such-option" "/no-such" \
		"key:0x7777" "jobs" "fd:99" "/a/b" "$object /no-such" ""; do
		# shellcheck disable=SC2086 # words
		run semctl-cli exec $words -- touch "$BATS_TEST_TMPDIR/ran"
		assert_status 125
		[[ ! -e $BATS_TEST_TMPDIR/ran ]] || fail "ran with: $words"
	done
	for words in "$object" "$object --"; do
		# shellcheck disable=SC2086
		run semctl-cli exec $words
		assert_status 125
	done
	make file
	run semctl-cli exec "$object" --count 2 -- true
	assert_status 125
	assert_match "a lock file has one permit"
	make sysv
	run semctl-cli exec "$object" --count 32768 -- true
	assert_status 125
	run semctl-cli exec "$object#1" -- true
	assert_status 125
	make posix 2
	assert_value "$object" 2
}

@test "exec without permission is 125" {
	make posix
	semctl-cli chmod "$object" 0
	run --separate-stderr as_unprivileged semctl-cli exec "$object" -- true
	assert_status 125
	assert_stderr 'permission denied'
	make sysv
	semctl-cli chmod "$object" 0
	run as_unprivileged semctl-cli exec "$object" -- true
	assert_status 125
	make file
	install -m 0 /dev/null "${object#file:}"
	run as_unprivileged semctl-cli exec "$object" -- true
	assert_status 125
}

# ---- lock files ----

@test "a lock file is made 0600 whatever the umask, and stays" {
	make file
	path=${object#file:}
	(umask 0777 && semctl-cli exec "$object" -- true)
	assert_equal "$(stat -c '%a %F' "$path")" "600 regular empty file"
	echo contents >"$path"
	chmod 0644 "$path"
	semctl-cli exec "$object" -- true
	assert_equal "$(stat -c %a "$path") $(<"$path")" "644 contents"
}

@test "a lock is kept as long as a descendant has the descriptor" {
	make file
	start semctl-cli exec "$object" -- sh -c 'sleep inf >/dev/null 2>&1 3>&- 4>&- & echo $!'
	finish "$pid"
	assert_status 0
	child=$output
	assert_value "$object" 0
	kill "$child"
	wait_until 5 value_is "$object" 1
}

@test "the redirections of a script do not give a lock up" {
	make file
	run semctl-cli exec "$object" -- sh -c 'exec 3>/dev/null 4>&3 5>&3 6>&3 7>&3 8>&3 9>&3
		semctl-cli exec --timeout 0 "$1" -- true' - "$object"
	assert_status 124
	# Where there is no such number it is better to have a low one than none.
	run bash -c 'ulimit -Sn 9; "$@"' - semctl-cli exec "$object" -- \
		sh -c 'ulimit -Sn 99; semctl-cli exec --timeout 0 "$1" -- true' - "$object"
	assert_status 124
	assert_value "$object" 1
}

@test "a job that closes all its descriptors gives a lock up" {
	make file
	start semctl-cli exec "$object" -- bash -c 'read -r -a fds <<<"$(cd /proc/$$/fd && echo *)"
		for fd in "${fds[@]}"; do ((fd <= 2)) || eval "exec $fd>&-"; done; exec sleep inf'
	wait_until 5 value_is "$object" 1
	run ! gone "$pid"
	stop "$pid"
}

@test "a lock is one on the whole file, of the open file description" {
	make file
	path=${object#file:}
	start_holder "$object"
	grep -qE "OFDLCK +ADVISORY +WRITE -1 [0-9a-f:]+:$(stat -c %i "$path") 0 EOF" /proc/locks ||
		fail "$(cat /proc/locks)"
	stop "$pid"
	run ! grep -q ":$(stat -c %i "$path") 0 EOF" /proc/locks
}

@test "what stands in a lock file's place neither hangs nor misleads exec" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	mkdir "$BATS_TEST_TMPDIR/directory"
	ln -s nowhere "$BATS_TEST_TMPDIR/dangling"
	touch "$BATS_TEST_TMPDIR/regular"
	ln -s regular "$BATS_TEST_TMPDIR/link"
	for one in fifo directory dangling link; do
		run timeout 5 semctl-cli exec --json "file:$BATS_TEST_TMPDIR/$one" -- touch "$BATS_TEST_TMPDIR/ran"
		assert_status 125
		[[ ! -e $BATS_TEST_TMPDIR/ran && ! -e $BATS_TEST_TMPDIR/nowhere ]]
	done
	run --separate-stderr semctl-cli exec --json "file:$BATS_TEST_TMPDIR/link" -- true
	json '.error.code == "ELOOP"'
	run --separate-stderr semctl-cli exec --json "file:$BATS_TEST_TMPDIR/fifo" -- true
	json '.error.code == "EBADMSG"'
	run --separate-stderr semctl-cli exec --json file:/dev/null -- true
	json '.error.code == "EBADMSG"'
	run --separate-stderr semctl-cli exec --json "file:$BATS_TEST_TMPDIR/no/such" -- true
	json '.error.code == "ENOENT"'
}

@test "exec of many objects: sixty with a guardian, a whole set of 500" {
	many=()
	for ((n = 0; n < 60; n++)); do
		semctl-cli create "/many$n" --value 1 --quiet
		many+=("/many$n")
	done
	run env -i "$(command -v semctl-cli)" exec "${many[@]}" -- "$(command -v semctl-cli)" info /many7
	assert_status 0
	json '.value == 0 and (.holders | length == 1)'
	semctl-cli create key:500 --nsems 500 --value 1 --quiet
	many=()
	for ((n = 0; n < 500; n++)); do
		many+=("key:500#$n")
	done
	run semctl-cli exec "${many[@]}" -- semctl-cli info key:500
	assert_status 0
	output=$(jq -c '[([.semaphores[].value] | add), (.holders | length)]' <<<"$output")
	assert_output '[0,500]'
	run --separate-stderr semctl-cli exec "${many[@]}" /many1 /many2 -- true
	assert_status 0
}

@test "info tells a job that has become it that it holds, System V, too" {
	for backend in "${backends[@]}"; do
		make "$backend" 1
		run semctl-cli exec "$object" -- semctl-cli info "$object"
		assert_status 0
		json '.holders | length == 1 and .[0].count == 1'
	done
}
