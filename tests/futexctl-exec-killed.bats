# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl exec, lock-pi, rwlock --write, once: who holds a word, or waits for it, is killed.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

died=$((1 << 30))

# killed PID: kills the tool, which is then gone.
killed()
{
	kill -KILL "$1"
	finish "$1"
	died_of KILL
}

@test "the tool is killed: COMMAND dies, and the next one is told, once" {
	for how in "${waiting[@]}"; do
		make "${kinds[made % 3]}"
		start_holder "$how" "$b"
		first=$job
		killed "$pid"
		wait_until 10 gone "$first"
		assert_value "$b" $died
		# A try, and one that fails before COMMAND, leave it to be told.
		read -ra words <<<"$how"
		run --separate-stderr futexctl "${words[@]}" "$b" --timeout 5s -- "$BATS_TEST_TMPDIR/none"
		assert_status 127
		assert_value "$b" $died
		start_holder "$how" "$b" --timeout 20s
		assert_equal "$told" "[1]"
		let_end "$pid" 3
		assert_stderr "^futexctl ${how%% *}: warning: [^ ]*: the last holder died without unlocking$"
		assert_value "$b" 0
		runs "$how" "[]" "$b"
		assert_value "$a" 0
		assert_value "$c" 0
	done
}

@test "the tool is killed while others wait: one gets it, told, and the next ones after it" {
	for how in "${waiting[@]}"; do
		make "${kinds[made % 3]}"
		start_holder "$how" "$b"
		first=$pid first_job=$job
		start_waiter "$how" "$b" --timeout 30s
		second=$pid
		start_waiter "$how" "$b" --timeout 30s
		third=$pid
		killed "$first"
		inside()
		{
			[[ -s $(out_of "$second") || -s $(out_of "$third") ]]
		}
		wait_until 10 inside
		[[ $object == id:* ]] || ending "$first_job" || fail "two COMMANDs run" "$how"
		wait_until 10 gone "$first_job"
		[[ -s $(out_of "$second") ]] || read -r second third <<<"$third $second"
		is_inside "$second"
		assert_equal "$told" "[1]" "$how"
		is_outside "$third"
		let_end "$second" 3
		is_inside "$third"
		assert_equal "$told" "[]" "$how"
		let_end "$third"
		assert_value "$b" "$(free "$how")"
	done
}

@test "--keep-running: COMMAND goes on beside the next one" {
	for how in exec "exec --pi" lock-pi trylock-pi "rwlock --write"; do
		make file
		start_holder "$how" "$a" --keep-running
		first=$job
		fifo=${fifos[$pid]}
		killed "$pid"
		runs "$how" "[1]" "$a"
		! gone "$first" || fail "COMMAND is gone: $how"
		echo 0 >"$fifo"
		wait_until 10 gone "$first"
	done
}

# What outlives a killed tool, in COMMANDs that say which process that is in a second line, when it is there.
stays='echo $$; read -r x <>"$1"'
# COMMAND itself, which opens and closes the word's file meanwhile.
itself='echo "$$ []"; exec setpriv --pdeathsig clear sh -c '"': <\"\$file\"; $stays' sh \"\$1\""
# What it started, while it is killed; and what a COMMAND of that one has.
offspring='echo "$$ []"; exec timeout 100 sh -c '"'$stays' sh \"\$1\""
nested='echo "$$ []"; exec futexctl exec "$other" -- setpriv --pdeathsig clear sh -c '"'$stays' sh \"\$1\""

# start_survivor HOW WORD TEXT: kills the tool whose COMMAND that is. In $left what is left, which ends by `echo >"$fifo"`.
start_survivor()
{
	local staying=$3 out
	start_holder "$1" "$2"
	out=$(out_of "$pid")
	fifo=${fifos[$pid]}
	written()
	{
		[[ $(wc -l <"$out") == 2 ]]
	}
	wait_until 10 written
	left=$(tail -n 1 "$out")
	killed "$pid"
	[[ $left == "$job" ]] || wait_until 10 gone "$job"
	! gone "$left" || fail "it is gone: $1, $3"
}

@test "what is not killed with its tool, COMMAND or what it started: the next one waits for its end" {
	export file other
	for how in "${waiting[@]}" "rwlock --read"; do
		for text in "$itself" "$offspring" "$nested"; do
			make "${kinds[made % 2]}"
			file=$object other=$c
			[[ $file == "$BATS_TEST_TMPDIR"/* ]] || file=/dev/shm$file
			start_survivor "${how/read/write}" "$a" "$text"
			refusal_of "$how" 124 EAGAIN "$a" --timeout 0
			refusal_of "$how" 124 ETIMEDOUT "$a" --timeout 30ms
			assert_match '"its last holder died, and its COMMAND, or what that started, still runs"'
			[[ $text != "$nested" ]] || refusal_of exec 124 EAGAIN "$other" --timeout 0
			assert_value "$a" $died
			start_staying start "$how" "$a" --timeout 30s
			wait_until 10 blocked_in "$pid" clock_nanosleep
			is_outside "$pid"
			echo >"$fifo"
			is_inside "$pid"
			ending "$left" || fail "two COMMANDs run: $how, $text"
			assert_equal "$told" "[1]" "$how"
			let_end "$pid"
		done
	done
}

@test "what COMMAND leaves running is not waited for: the tool was there at its end, or the descriptor is closed" {
	make file
	closing='for fd in /proc/$$/fd/??; do eval "exec ${fd##*/}>&-"; done; '
	start_survivor exec "$a" 'echo "$$ []"; exec setpriv --pdeathsig clear bash -c '"'$closing$stays' bash \"\$1\""
	runs exec "[1]" "$a" --timeout 10s
	! gone "$left" || fail "it is gone"
	echo >"$fifo"
	# The second one says nothing: it is killed at once.
	for how in exec lock-pi; do
		run futexctl $how "$b" -- sh -c 'sleep 100 3>&- >/dev/null 2>&1 & echo $!'
		left=$output
		run futexctl $how "$b" -- sh -c 'kill -KILL $PPID; read -r x <>"$1"' sh "$IPCKIT_NEVER"
		assert_value "$b" $died
		runs $how "[1]" "$b" --timeout 10s
		! gone "$left" || fail "it is gone"
		kill "$left"
	done
}

@test "COMMAND is killed: 137, nobody is told" {
	for how in "${waiting[@]}"; do
		make file
		start_holder "$how" "$a"
		first=$pid
		start_waiter "$how" "$a"
		kill -KILL "$job"
		ended 137 "$first"
		is_inside "$pid"
		assert_equal "$told" "[]"
		let_end "$pid"
	done
}

@test "who waits is killed: the others are served" {
	for how in "${waiting[@]}"; do
		make file
		start_holder "$how" "$a"
		first=$pid
		start_waiter "$how" "$a"
		second=$pid
		start_waiter "$how" "$a"
		killed "$second"
		is_outside "$pid"
		let_end "$first" 3
		is_inside "$pid"
		assert_equal "$told" "[]"
		let_end "$pid"
		runs "${how/once/exec}" "[]" "$b"
	done
}

@test "killed before COMMAND begins: it is not run, and the next one is told" {
	needs_strace
	for how in "${waiting[@]}"; do
		read -ra words <<<"$how"
		# The child finds that the word is no longer its parent's; on a slow machine the kill takes longer.
		for delay in 100000 1000000 5000000; do
			make file
			run timeout 20 strace -f -qq -o /dev/null -e trace=prctl -e "inject=prctl:delay_enter=$delay" sh -c \
				'futexctl "$@" & while [ -e /proc/$!/exe ] && ! grep -qs . /proc/$!/task/$!/children; do :; done
				kill -KILL $!; wait' sh "${words[@]}" "$a" -- echo ran
			[[ $output == *ran* ]] || break
		done
		assert_output ""
		runs "$how" "[1]" "$a"
	done
}

@test "50 times: the one who has it is killed by its COMMAND" {
	for how in exec "exec --pi"; do
		make file
		told=$BATS_TEST_TMPDIR/told$made
		run kill_50 "$how"
		[[ $status == 0 ]] || fail "$how" "$(show_last)"
		assert_equal "$(grep -cFx '[1]' "$told") $(head -n 1 "$told") $(wc -l <"$told")" "49 [] 50" "$how"
		runs "$how" "[1]" "$a"
		assert_value "$a" 0
	done
}

# kill_50 HOW: its COMMAND writes to $told whether an owner died, and what must not be.
kill_50()
{
	local words status
	read -ra words <<<"$1"
	for _ in {1..50}; do
		status=0
		futexctl "${words[@]}" "$a" --timeout 10s -- sh -c \
			'echo "[$FUTEXCTL_OWNER_DIED]" >>"$1"; kill -KILL $PPID; read -r x <>"$2"; echo two >>"$1"' \
			sh "$told" "$IPCKIT_NEVER" || status=$?
		[[ $status == 137 ]] || return
	done
}

# What COMMAND does in the next test, in the shell alone. The file names who is inside; who has begun to end no
# longer is (PF_EXITING in its flags, the seventh number after the command).
crowded='
	alive()
	{
		local stat
		{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
		stat=(${stat##*) })
		[[ ${stat[0]} != [ZX] ]] && ! ((stat[6] & 4))
	}
	read -r other <"$1"
	[[ ! $other ]] || ! alive "$other" || echo "$$ beside $other" >>"$1.bad"
	echo $$ >|"$1"
	echo x >>"$1.runs"
	case $((RANDOM % 4)) in
	0) kill -KILL $PPID; read -rt 20 <>"$2"; echo "$$ was not killed" >>"$1.bad" ;;
	1) kill -KILL $$ ;;
	2) read -rt 0.003 <>"$2" ;;
	esac
	read -r other <"$1"
	[[ $other == $$ ]] || echo "$other came beside $$" >>"$1.bad"
	: >|"$1"
	exit 3
'

@test "four that contend 52 times, killed at random with their COMMANDs: never two inside, never a hang" {
	for how in "${waiting[@]}"; do
		# A System V segment has no file that a fence could be put into.
		make "${kinds[made % 2]}"
		inside=$BATS_TEST_TMPDIR/inside$made
		: >"$inside"
		read -ra words <<<"$how"
		for i in {1..4}; do
			(for _ in {1..13}; do
				status=0
				futexctl "${words[@]}" "$b" --timeout 30s -- bash -c "$crowded" bash "$inside" "$IPCKIT_NEVER" || status=$?
				# It was killed, or COMMAND was.
				[[ $status == @(3|137) ]] || echo "status $status" >>"$inside.bad"
			done) 2>/dev/null 3>&- &
			pids[i]=$!
		done
		wait "${pids[@]}" || true
		[[ ! -e $inside.bad ]] || fail "$how:" "$(<"$inside.bad")"
		assert_equal "$(wc -l <"$inside.runs")" 52 "$how"
		run timeout 20 futexctl "${words[@]}" "$b" --timeout 10s -- true
		assert_status 0
		assert_value "$b" "$(free "$how")"
	done
}
