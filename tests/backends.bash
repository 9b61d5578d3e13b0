# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # for the tests
#
# What the tests of semctl-cli's verbs share, `load backends` after `load helpers`: a
# semaphore of each kind, their values, guardians, peers, clocks. What a test made is
# removed after it.

peers=$IPCKIT_BUILD/tests/peers
jobs=$peers/jobs
sem_value_max=2147483647
semvmx=32767
# Else a sanitizer catches signals that came ignored.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_sigbus=0:handle_segv=0:handle_sigfpe=0
backends=(posix sysv unnamed eventfd)
# Those that have a guardian.
guarded=(posix unnamed eventfd)

# ---- making them ----

# make BACKEND [VALUE]: makes a fresh semaphore (a lock file is one of 1), its name in $object.
made=0
make()
{
	local value=${2-1}
	((++made))
	case $1 in
	posix) object=/made$BATS_TEST_NUMBER-$made ;;
	sysv) object=key:$((0x6d000000 + BATS_TEST_NUMBER * 65536 + made)) ;;
	unnamed)
		object=$BATS_TEST_TMPDIR/made$made@64
		truncate -s 4096 "${object%@*}"
		;;
	file)
		object=file:$BATS_TEST_TMPDIR/made$made
		return
		;;
	eventfd)
		# shellcheck disable=SC2016 # for that shell
		start semctl-cli eventfd --value "$value" -- sh -c 'echo "$IPCKIT_FD"; exec sleep inf'
		wait_until 5 test -s "$BATS_TEST_TMPDIR/start.$((${#started[@]} - 1)).out" || return
		object=fd:$pid:$(<"$BATS_TEST_TMPDIR/start.$((${#started[@]} - 1)).out")
		return
		;;
	esac
	semctl-cli create "$object" --value "$value" --exclusive -q
}

# create_eventfd VALUE: an eventfd that a sleeping process keeps; its name in $eventfd.
create_eventfd()
{
	local n
	start semctl-cli eventfd --value "$1" -- sleep 1000
	wait_until 5 blocked_in "$pid" clock_nanosleep
	n=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^IPCKIT_FD=//p')
	eventfd=fd:$pid:$n
}

# create_each VALUE: one semaphore of each kind, their names in the array `objects`.
create_each()
{
	truncate -s 4096 "$TMPDIR/words" /dev/shm/words
	semctl-cli create --exclusive --quiet /jobs --value "$1"
	semctl-cli create --exclusive --quiet key:7 --value "$1"
	semctl-cli create --exclusive --quiet key:8 --values "9,9,$1"
	semctl-cli create --exclusive --quiet "$TMPDIR/words@64" --value "$1"
	semctl-cli create --exclusive --quiet /words@4064 --value "$1"
	create_eventfd "$1"
	objects=(/jobs key:7 'key:8#2' "$TMPDIR/words@64" /words@4064 "$eventfd")
}

# backend_of OBJECT: the word that JSON has for it.
backend_of()
{
	case $1 in
	fd:*) echo eventfd ;;
	*:*) echo sysv ;;
	*@*) echo unnamed ;;
	*) echo posix ;;
	esac
}

# ---- values ----

# value_of OBJECT: its value; 1 or 0 for a lock file that can or cannot be taken.
value_of()
{
	if [[ $1 == file:* ]]; then
		semctl-cli exec --timeout 0 "$1" -- echo 1 2>/dev/null || echo 0
	else
		semctl-cli value "$1" --plain --columns value
	fi
}

value_is()
{
	[[ $(value_of "$1") == "$2" ]]
}

# assert_value OBJECT VALUE [BACKEND]: now.
assert_value()
{
	local value
	value=$(value_of "$1")
	assert_equal "$value" "$2" "value of ${3-} $1"
}

# ---- guardians and holders ----

# comes_back OBJECT VALUE: a guardian posts a moment after its job has ended, but only once.
comes_back()
{
	wait_until 5 value_is "$1" "$2" && wait_until 5 no_guardian && assert_value "$1" "$2"
}

# The pids of guardians, one a line.
guardians()
{
	local dir words
	for dir in /proc/[0-9]*; do
		{ mapfile -d '' -n 1 words <"$dir/cmdline"; } 2>/dev/null || continue
		[[ ${words[0]-} != "semctl-cli guard "* ]] || echo "${dir#/proc/}"
	done
}

no_guardian()
{
	[[ ! $(guardians) ]]
}

# guardian_of JOB STATE: prints the pid of the guardian of a job that is holding or waiting.
guardian_of()
{
	local one words
	for one in $(guardians); do
		{ mapfile -d '' -n 1 words <"/proc/$one/cmdline"; } 2>/dev/null || continue
		[[ ${words[0]} == "semctl-cli guard $2 job=$1 "* ]] && echo "$one" && return
	done
	return 1
}

# holders OBJECT: the pids of those who hold it, as `info` tells, separated by blanks.
holders()
{
	semctl-cli info "$1" | jq -r '[.holders[].pid] | sort | join(" ")'
}

holders_are()
{
	[[ $(holders "$1") == "$2" ]]
}

# waiting_are OBJECT PIDS: likewise those who wait.
waiting_are()
{
	[[ $(semctl-cli info "$1" | jq -r '[.waiting[].pid] | sort | join(" ")') == "$2" ]]
}

# start_holder OBJECT...: starts a job that holds them, and waits until it runs; its pid in $pid.
start_holder()
{
	start semctl-cli exec "$@" -- "$jobs" hold
	wait_until 5 test -s "$BATS_TEST_TMPDIR/start.$((${#started[@]} - 1)).out"
}

# ---- waiters, peers, clocks ----

# waits PID: whether it is blocked on a semaphore, however it came there.
waits()
{
	blocked_in "$1" futex semtimedop semop poll ppoll fcntl restart_syscall
}

# start_waiter ARG...: starts semctl-cli ARG... and waits until it is blocked.
start_waiter()
{
	start semctl-cli "$@"
	wait_until 5 waits "$pid"
}

# build_shim: for `shim`; skips the test where it cannot be used.
build_shim()
{
	[[ ! $(nm -D "$IPCKIT_BUILD/semctl-cli") =~ __[at]san_init ]] ||
		skip "a sanitizer wants to be loaded first"
	"${CC:-cc}" -D_GNU_SOURCE -shared -fPIC -o "$TMPDIR/shim.so" "$IPCKIT_SRC/tests/peers/shim.c"
}

# shim NAME=VALUE COMMAND...: runs it with tests/peers/shim.c and such a setting of it.
shim()
{
	env LD_PRELOAD="$TMPDIR/shim.so" "$@"
}

# The semaphores of one test are not the next one's.
teardown()
{
	stop_started
	rm -rf /dev/shm/* "$TMPDIR/words"
	ipcrm --all=sem
}
