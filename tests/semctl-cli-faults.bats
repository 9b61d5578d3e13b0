# SPDX-License-Identifier: GPL-2.0-or-later
# What runs out, and what is missing: the status, and which limit it was, its value and its use,
# in the message and in the JSON. Nothing half made is left behind.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; status, in each case its own

load helpers

setup()
{
	echo 32000 1024000000 500 32000 >/proc/sys/kernel/sem
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

# in_shm OPTIONS COMMAND...: with a /dev/shm of its own, mounted with these options.
in_shm()
{
	unshare -m bash -c 'mount -t tmpfs -o "mode=1777,$1" none /dev/shm && shift && "$@"' bash "$@"
}

# ---- kernel.sem ----

@test "faults: semmni, the number of sets" {
	echo 250 32000 32 2 >/proc/sys/kernel/sem
	semctl-cli create key:1
	semctl-cli create key:2
	run --separate-stderr semctl-cli create private
	limited "kernel.sem semmni" 2 2
	json '.error.code == "ENOSPC"'
	run --separate-stderr semctl-cli create key:3
	limited "kernel.sem semmni" 2 2
	assert_equal "$(ipcs -s | grep -c ^0x)" 2
	run semctl-cli create key:1
	assert_status 0
	json '.created == false'
}

@test "faults: semmns, the number of semaphores" {
	echo 250 10 32 128 >/proc/sys/kernel/sem
	semctl-cli create key:1 --nsems 8
	run --separate-stderr semctl-cli create private --nsems 3
	limited "kernel.sem semmns" 10 8
	run --separate-stderr semctl-cli create private --barrier 2
	limited "kernel.sem semmns" 10 8
	semctl-cli create private --nsems 2
	run --separate-stderr semctl-cli create private
	limited "kernel.sem semmns" 10 10
}

@test "faults: semmsl, the number of semaphores in a set" {
	echo 4 32000 32 128 >/proc/sys/kernel/sem
	semctl-cli create private --nsems 4
	run --separate-stderr semctl-cli create private --nsems 5
	limited "kernel.sem semmsl" 4 null
	json '.error.code == "EINVAL"'
	run --separate-stderr semctl-cli create private --values 1,2,3,4,5
	limited "kernel.sem semmsl" 4 null
	assert_equal "$(ipcs -s | grep -c ^0x)" 1
}

@test "faults: semopm, the number of operations at a time" {
	semctl-cli create key:1 --values 1,1,1
	echo 250 32000 2 128 >/proc/sys/kernel/sem
	run --separate-stderr semctl-cli op key:1 0-2:+1 --json
	limited "kernel.sem semopm" 2 null
	json '.error.code == "E2BIG"'
	run semctl-cli values key:1
	json '[.values[].value] == [1, 1, 1]'
	# Creation does not fail of it: values are set in steps.
	run semctl-cli create key:2 --values 4,5,6,7
	assert_status 0
	run semctl-cli values key:2
	json '[.values[].value] == [4, 5, 6, 7]'
}

@test "faults: the largest values" {
	semctl-cli create key:1 --value 32767
	run --separate-stderr semctl-cli post key:1 --json
	limited SEMVMX 32767 null
	semctl-cli create /jobs --value 2147483647
	run --separate-stderr semctl-cli post /jobs --json
	limited SEM_VALUE_MAX 2147483647 null
	run semctl-cli value /jobs
	json '.value == 2147483647'
	run --separate-stderr semctl-cli create /new --value 2147483648
	limited SEM_VALUE_MAX 2147483647 null
	[[ ! -e /dev/shm/sem.new ]]
}

# ---- limits of the process ----

@test "faults: descriptors that run out, in verbs that look" {
	semctl-cli create /jobs --value 3
	semctl-cli create key:1 --values 5,6
	with_descriptors 1 semctl-cli list
	json '.semaphores[0].value == 3 and (.semaphores | length == 2) and
		(.semaphores | all(.waiters == 0 and (has("unreadable") | not)))'
	with_descriptors 1 semctl-cli info /jobs
	json '.value == 3 and .unreadable_processes == 0 and (has("unreadable") | not)'
	with_descriptors 1 semctl-cli info key:1
	json '.semaphores[1].value == 6 and .unreadable_processes == 0'
	with_descriptors 1 semctl-cli clean --older-than 0
	json '.semaphores | all(.orphan)'
	with_descriptors 0 semctl-cli value /jobs
	json '.value == 3'
	with_descriptors 0 semctl-cli limits
}

@test "faults: descriptors that run out, in verbs that act" {
	semctl-cli create /jobs --value 3
	semctl-cli create key:1 --value 3
	with_descriptors 0 semctl-cli create /new --value 1
	with_descriptors 0 semctl-cli wait /jobs --timeout 0 --json
	with_descriptors 0 semctl-cli post /jobs --json
	with_descriptors 0 semctl-cli wait key:1 --timeout 0 --json
	with_descriptors 0 semctl-cli chmod /jobs 640 --json
	with_descriptors 0 semctl-cli rm /new --json
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 3
	assert_equal "$(semctl-cli value key:1 --plain -o value)" 2
}

@test "faults: descriptors that run out, in exec: no permit is lost" {
	semctl-cli create /jobs --value 1
	with_descriptors 1 semctl-cli exec /jobs --timeout 5s --json -- /bin/true
	free()
	{
		[[ $(semctl-cli value /jobs --plain -o value) == 1 ]]
	}
	wait_until 5 free
	wait_until 5 blocked_count 0 poll
}

@test "faults: processes that run out: exec without a guardian holds nothing" {
	semctl-cli create /jobs --value 1
	# Where it is not enforced (the very first root), there is nothing to be seen.
	run prlimit --nproc=1:1 timeout 5 true
	((status == 125)) || skip "RLIMIT_NPROC does not bind this user"
	run --separate-stderr timeout 10 prlimit --nproc=1:1 semctl-cli exec /jobs --json -- touch "$TMPDIR/ran"
	assert_status 125
	json '.error.exit == 125 and .error.code == "EAGAIN" and .error.limit.name == "RLIMIT_NPROC" and
		.error.limit.value == 1 and .error.limit.used >= 1'
	assert_stderr 'no process could be started: RLIMIT_NPROC is 1 threads, about [0-9]+ in use'
	[[ ! -e $TMPDIR/ran ]]
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 1
	# System V needs no guardian.
	semctl-cli create key:1 --value 1
	run prlimit --nproc=1:1 semctl-cli exec key:1 -- true
	assert_status 0
}

# fsize N VERB...: with this RLIMIT_FSIZE, both streams into pipes, which it does not bind.
fsize()
{
	local limit=$1
	shift
	status=0
	rm -f "$TMPDIR/fsize.err"
	output=$({ prlimit --fsize="$limit:$limit" semctl-cli "$@" 2>&3 | cat; exit "${PIPESTATUS[0]}"; } \
		3> >(cat >"$TMPDIR/fsize.err")) || status=$?
	wait_until 5 test -s "$TMPDIR/fsize.err" || true
	# shellcheck disable=SC2034 # for the helpers
	stderr=$(<"$TMPDIR/fsize.err")
}

@test "faults: a file size that is too small for a semaphore" {
	local n
	for n in 0 1 16 31; do
		fsize "$n" create /jobs --value 1
		limited RLIMIT_FSIZE "$n" null
		json '.error.code == "EFBIG"'
		[[ ! -e /dev/shm/sem.jobs ]]
	done
	run bash -c 'prlimit --fsize=32:32 semctl-cli create /jobs --value 1 2>&1 | cat; exit "${PIPESTATUS[0]}"'
	assert_status 0
	# What is there already needs no writing.
	run bash -c 'prlimit --fsize=0:0 semctl-cli post /jobs 2>&1 | cat; exit "${PIPESTATUS[0]}"'
	assert_status 0
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 2
}

# ---- /dev/shm ----

@test "faults: a /dev/shm without free blocks" {
	run --separate-stderr in_shm size=4k bash -c 'semctl-cli create /a --value 1 >&2 && semctl-cli create /b'
	limited "/dev/shm blocks" 4096 4096
	json '.error.code == "ENOSPC" and .error.object == "/b"'
	# What is there goes on working, and looking at it, too; room that is made can be used,
	# as soon as the guardian of exec, too, has ended.
	run in_shm size=4k bash -c 'semctl-cli create /a --value 1 >/dev/null; ! semctl-cli create /b 2>&1 >/dev/null
		semctl-cli post /a && semctl-cli wait /a && semctl-cli exec /a -- true && ls /dev/shm &&
		semctl-cli rm /a && timeout 20 sh -c "until semctl-cli create /b 2>/dev/null; do :; done"'
	assert_status 0
	assert_equal "${lines[1]}" sem.a
	assert_match '"object":"/b"'
	assert_equal "${#lines[@]}" 3
}

@test "faults: a /dev/shm without free inodes" {
	run --separate-stderr in_shm nr_inodes=2 bash -c 'semctl-cli create /a >&2 && semctl-cli create /b'
	limited "/dev/shm inodes" 2 2
	json '.error.code == "ENOSPC"'
	run --separate-stderr in_shm nr_inodes=2 bash -c 'semctl-cli create /a >&2 && semctl-cli create --unique /b'
	limited "/dev/shm inodes" 2 2
}

@test "faults: a read-only /dev/shm: what is not changed can be read, the rest is status 8" {
	local verb
	semctl-cli create /jobs --value 2
	mount -o remount,bind,ro /dev/shm
	for verb in "create /new" "wait /jobs --timeout 0" "post /jobs" "set /jobs 1" "rm /jobs" "chmod /jobs 640"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli $verb --json
		[[ $status == 8 ]] || break
		json '.error.code == "EROFS" and .error.exit == 8'
		assert_stderr 'the file system is read-only'
	done
	value=$(semctl-cli value /jobs --plain -o value)
	listed=$(semctl-cli list --plain -o name,value)
	semctl-cli info /jobs >/dev/null
	mount -o remount,bind,rw /dev/shm
	assert_status 8
	assert_equal "$value" 2
	assert_equal "$listed" $'/jobs\t2'
}

@test "faults: no /dev/shm: said so with the command that mounts it; System V goes on" {
	local verb
	no_shm()
	{
		unshare -m bash -c 'mount -t tmpfs none /dev && "$@"' bash "$@"
	}
	for verb in "create /new" "create --unique /new" "wait /jobs" "post /jobs" "value /jobs" "info /jobs" \
		"rm /jobs" "chmod /jobs 640" "chown /jobs 0" "set /jobs 1"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr no_shm semctl-cli $verb --json
		[[ $status == 8 ]] || fail "$verb" "$(show_last)"
		json '.error.code == "ENODEV" and .error.exit == 8'
		assert_stderr 'mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm$'
	done
	run no_shm bash -c 'semctl-cli create key:1 --value 1 && semctl-cli wait key:1 && semctl-cli exec key:1 \
		--timeout 0 -- true; semctl-cli rm key:1'
	assert_match 'would block'
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "faults: no /proc: what can be told is told, the rest is null" {
	semctl-cli create /jobs --value 2
	semctl-cli create key:1 --value 3
	! grep -q __asan_init "$IPCKIT_BUILD/semctl-cli" || skip "a sanitizer needs /proc itself"
	no_proc()
	{
		unshare -m bash -c 'mount -t tmpfs none /proc && "$@"' bash "$@"
	}
	run --separate-stderr no_proc semctl-cli info key:1
	assert_status 0
	json '.semaphores[0].value == 3 and .waiters == null and .unreadable.users == "ENOENT"'
	run --separate-stderr no_proc semctl-cli list
	assert_status 0
	assert_stderr '/proc/sysvipc/sem'
	run --separate-stderr no_proc semctl-cli clean --older-than 0 --yes
	assert_status 0
	json '.semaphores | all(.removed == false)'
	no_proc semctl-cli post /jobs
	no_proc semctl-cli wait key:1
}

@test "an unnamed semaphore beyond RLIMIT_FSIZE is not made: 6, no signal" {
	truncate -s 4096 "$BATS_TEST_TMPDIR/words"
	run prlimit --fsize=0 semctl-cli create "$BATS_TEST_TMPDIR/words@64"
	assert_status 6
	assert_match RLIMIT_FSIZE
	cmp -n 4096 "$BATS_TEST_TMPDIR/words" /dev/zero
}
