# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl's locks and those of glibc in one word; one word under many names.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and of other shells; of the cases

load helpers
load words
load locks

died=$((1 << 30))
waiters=$((1 << 31))
owner=$((0x3fffffff))

# mutex MEMORY KIND: a pthread_mutex_t in fresh memory, $b its first word; $a before it.
mutex()
{
	make "$1"
	b=$object@64
	"$futex_peer" init "$b" "$2"
	assert_value "$b" 0
}

# How the tool locks what glibc calls so.
declare -gA ways=([robust]="exec" [robust+errorcheck]="exec" [robust+recursive]="exec"
	[pi]="exec --pi" [robust+pi]="lock-pi" [pi+recursive]="lock-pi --clock realtime" [robust+pi+errorcheck]="exec --pi")

owner_is()
{
	(($(value "$b") & owner)) && assert_equal "$(($(value "$b") & owner))" "$1" "owner"
}

@test "each keeps the other out, and gives it on, whatever the type" {
	for kind in "${!ways[@]}"; do
		how=${ways[$kind]}
		mutex "${kinds[made % 3]}" "$kind"
		hold lock "$b"
		peer=$pid
		owner_is "$peer"
		refusal_of "$how" 124 EAGAIN "$b" --timeout 0
		json --arg pid "$peer" '.error.message == "would block: thread \($pid) has it"'
		refusal_of "$how" 124 ETIMEDOUT "$b" --timeout 10ms
		start_waiter "$how" "$b" --timeout 30s
		is_outside "$pid"
		release "$peer"
		is_inside "$pid"
		assert_equal "$told" "[]" "$kind"
		owner_is "$pid"
		tool=$pid
		run "$futex_peer" try "$b"
		assert_equal "$status$output" 1EBUSY "$kind"
		start_locking lock "$b"
		sleeps "$pid"
		assert_value "$b" $((tool | waiters))
		let_end "$tool"
		wait_until 10 holds "$pid"
		assert_equal "$(<"$(out_of "$pid")")" ready "$kind"
		release "$pid"
		assert_value "$b" 0
		run "$futex_peer" try "$b"
		assert_output ready
	done
}

@test "the one who dies with it is told to the other, with and without waiters, both ways" {
	for kind in robust robust+pi robust+recursive robust+pi+errorcheck; do
		how=${ways[$kind]}
		mutex "${kinds[made % 3]}" "$kind"
		# The tool learns of the program,
		hold lock "$b"
		kill -KILL "$pid"
		finish "$pid"
		assert_value "$b" $died
		runs "$how" "[1]" "$b"
		runs "$how" "[]" "$b"
		hold lock "$b"
		peer=$pid
		start_waiter "$how" "$b" --timeout 30s
		kill -KILL "$peer"
		is_inside "$pid"
		assert_equal "$told" "[1]" "$kind"
		# the program of the tool.
		tool=$pid
		start_locking lock "$b"
		sleeps "$pid"
		kill -KILL "$tool"
		wait_until 10 holds "$pid"
		assert_equal "$(<"$(out_of "$pid")")" "owner died" "$kind"
		release "$pid"
		assert_value "$b" 0
		start_holder "$how" "$b"
		kill -KILL "$pid"
		finish "$pid"
		run "$futex_peer" try "$b"
		assert_output "owner died"
		run "$futex_peer" try "$b"
		assert_output ready
	done
}

@test "one that is not robust: who dies with it leaves it locked; the tool says so, or waits in vain" {
	mutex file pi
	hold lock "$b"
	kill -KILL "$pid"
	finish "$pid"
	# The kernel lets nobody have it.
	(($(value "$b"))) || fail "it was given back"
	refusal_of "exec --pi" 125 ESRCH "$b" --timeout 5s
	# The tool is robust in it all the same.
	mutex file pi
	start_holder "exec --pi" "$b"
	kill -KILL "$pid"
	finish "$pid"
	assert_value "$b" $died
	runs lock-pi "[1]" "$b"
	run "$futex_peer" try "$b"
	assert_output ready
}

@test "a plain mutex is one of lock and unlock; exec refuses it while it is held" {
	for kind in "${kinds[@]}"; do
		mutex "$kind" normal
		hold lock "$b"
		peer=$pid
		assert_value "$b" 1
		refusal trylock 1 EAGAIN "$b"
		for how in exec "exec --pi" "rwlock --write" once; do
			refusal_of "$how" 125 EBADMSG "$b" --timeout 5s
		done
		start_verb lock "$b" --timeout 30s
		assert_value "$b" 2
		release "$peer"
		ended 0
		run "$futex_peer" try "$b"
		assert_output EBUSY
		start_locking lock "$b"
		sleeps "$pid"
		futexctl unlock "$b"
		wait_until 10 holds "$pid"
		release "$pid"
		assert_value "$b" 0
		start_holder exec "$a"
		run "$futex_peer" try "$a"
		assert_output EBUSY
		let_end "$pid"
	done
}

@test "a crowd of both: never two inside" {
	for kind in robust robust+pi; do
		mutex "${kinds[made % 3]}" "$kind"
		read -ra words <<<"${ways[$kind]}"
		echo 0 >"$BATS_TEST_TMPDIR/count"
		for i in 1 2 3; do
			(for _ in {1..8}; do
				futexctl "${words[@]}" "$b" --timeout 60s -- sh -c \
					'read -r n <"$1"; echo $((n + 1)) >"$1"' sh "$BATS_TEST_TMPDIR/count" || exit
			done) &
			pids[i]=$!
		done
		# It ends when it has got it, and so shows that it is given on.
		for _ in {1..8}; do
			timeout 30 "$futex_peer" lock "$b" </dev/null >/dev/null || fail "status $?"
		done
		for one in "${pids[@]}"; do
			wait "$one" || fail "status $?"
		done
		assert_equal "$(<"$BATS_TEST_TMPDIR/count") $(value "$b")" "24 0" "$kind"
	done
}

@test "a condition variable's words: wait-requeue-pi with a glibc mutex of priority inheritance" {
	mutex file robust+pi
	start_waiter wait-requeue-pi "$a" 0 "$b" --timeout 30s
	tool=$pid
	hold lock "$b"
	run futexctl cmp-requeue-pi "$a" "$b" 0 --plain -o affected
	assert_output 1
	is_outside "$tool"
	release "$pid"
	is_inside "$tool"
	run "$futex_peer" try "$b"
	assert_output EBUSY
	let_end "$tool"
	assert_value "$b" 0
}

# ---- names ----

# meets NAME OTHER: a lock, taken by the one name, is waited for and handed on by the other; sleepers are woken.
meets()
{
	local how
	for how in exec "exec --pi"; do
		start_holder "$how" "$1"
		first=$pid
		refusal_of "$how" 124 EAGAIN "$2" --timeout 0
		start_waiter "$how" "$2" --timeout 30s
		is_outside "$pid"
		let_end "$first"
		is_inside "$pid"
		kill -KILL "$pid"
		runs "$how" "[1]" "$1" --timeout 20s
	done
	start_holder "rwlock --read" "$1"
	refusal_of "rwlock --write" 124 EAGAIN "$2" --timeout 0
	let_end "$pid"
	# The guardian of a reader counts it off a moment after its end.
	wait_until 10 is_zero "$1"
	start_verb wait "$1" 0
	run futexctl wake "$2" --plain -o woken
	assert_output 1
	ended 0
}

is_zero()
{
	[[ $(value "$1") == 0 ]]
}

@test "a hard link, a relative path, a descriptor of another process" {
	make file
	ln "$object" "$BATS_TEST_TMPDIR/link"
	cd "$BATS_TEST_TMPDIR"
	exec {fd}<>"$object"
	meets "$b" "$BATS_TEST_TMPDIR/link@4"
	meets "./${object##*/}@4" "/proc/$$/fd/$fd@4"
	# Who cannot be named any more can be reached by who has it.
	rm "$object" link
	start_holder exec "/proc/$$/fd/$fd@4"
	refusal_of exec 124 EAGAIN "/proc/$$/fd/$fd@4" --timeout 0
	refusal_of exec 125 ENOENT "$b"
	let_end "$pid"
	exec {fd}>&-
}

@test "POSIX shared memory by its name and by its file" {
	make posix
	meets "$b" "/dev/shm$object@4"
}

@test "a System V segment by its id and by its key" {
	key=0x$(printf %x $((0x66000000 + BATS_TEST_NUMBER)))
	id=$("$peers/shm-peer" make "$key" 4096)
	meets "id:$id@4" "key:$key@4"
	# Removed, and still locked by who has it.
	start_holder exec "id:$id@4"
	ipcrm -m "$id"
	refusal_of exec 125 ENOENT "key:$key@4"
	refusal_of exec 124 EAGAIN "id:$id@4" --timeout 0
	let_end "$pid"
}

@test "another word of the same file, and a copy of it, are others" {
	make file
	start_holder exec "$a"
	cp "$object" "$object.copy"
	runs exec "[]" "$b" --timeout 0
	store "$object.copy@0" 0
	runs exec "[]" "$object.copy@0" --timeout 0
	let_end "$pid"
}
