# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the .bats files share: `load helpers`. Each assertion says on failure what
# it saw. Nothing here sleeps for a fact: it is polled for, with a deadline.

bats_require_minimum_version 1.5.0

if [[ ! ${IPCKIT_ISOLATED:-} ]]; then
	echo "this test makes and removes IPC objects: run it through tests/isolate" >&2
	exit 1
fi

# ---- assertions ----

# fail TEXT...: ends the test.
fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# What the last `run` or `finish` saw, for messages.
show_last()
{
	printf 'status: %s\nstdout: %s\n' "${status-unset}" "${output-unset}"
	[[ ! ${stderr-} ]] || printf 'stderr: %s\n' "$stderr"
}

# assert_status N: the exit status of the last `run` or `finish`.
assert_status()
{
	[[ ${status-} == "$1" ]] || fail "expected status $1" "$(show_last)"
}

# assert_output TEXT: standard output is exactly TEXT.
assert_output()
{
	[[ ${output-} == "$1" ]] || fail "expected output: $1" "$(show_last)"
}

# assert_match REGEX [TEXT]: TEXT (standard output) matches an extended regular expression.
assert_match()
{
	[[ ${2-${output-}} =~ $1 ]] || fail "expected a match of: $1" "in: ${2-${output-}}" "$(show_last)"
}

# assert_stderr REGEX: standard error of `run --separate-stderr` or `finish` matches.
assert_stderr()
{
	[[ ${stderr-} =~ $1 ]] || fail "expected stderr to match: $1" "$(show_last)"
}

# assert_equal GOT WANTED [WHAT]
assert_equal()
{
	[[ $1 == "$2" ]] || fail "${3:-value}: got '$1', expected '$2'"
}

# json [--arg NAME VALUE]... QUERY: jq's answer about the output must be neither false nor null.
json()
{
	# jq 1.6 takes no input at all for success.
	{ [[ ${output-} ]] && jq -e "$@" >/dev/null <<<"$output"; } || fail "expected JSON with: ${*: -1}" "$(show_last)"
}

# json_get QUERY: prints what jq finds in the output, raw.
json_get()
{
	jq -r "$@" <<<"${output-}"
}

# ---- waiting for facts ----

# wait_until SECONDS COMMAND...: polls every 10 ms until COMMAND succeeds.
wait_until()
{
	local seconds=$1 end
	end=$((${EPOCHREALTIME/[^0-9]/} + $(printf %.0f "$1e6")))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[^0-9]/} < end)) || {
			fail "waited $seconds s in vain for: $*"
			return
		}
		sleep 0.01
	done
}

case $(uname -m) in
x86_64) declare -gA call_numbers=([read]=0 [poll]=7 [preadv2]=327 [pause]=34 [nanosleep]=35
	[semop]=65 [fcntl]=72 [flock]=73 [futex]=202 [restart_syscall]=219 [semtimedop]=220
	[clock_nanosleep]=230 [ppoll]=271 [wait4]=61 [waitid]=247 [rt_sigsuspend]=130 [rt_sigtimedwait]=128) ;;
aarch64 | riscv64) declare -gA call_numbers=([read]=63 [preadv2]=286 [fcntl]=25 [flock]=32 [futex]=98
	[nanosleep]=101 [clock_nanosleep]=115 [restart_syscall]=128 [semtimedop]=192 [semop]=193
	[poll]=73 [ppoll]=73 [wait4]=260 [waitid]=95 [rt_sigsuspend]=133 [rt_sigtimedwait]=137) ;;
*) declare -gA call_numbers=() ;;
esac

# blocked_in PID CALL...: whether a thread of PID sleeps in one of these system calls (names
# as above, or numbers). A wait that was stopped and continued shows as restart_syscall.
blocked_in()
{
	local pid=$1 call file line
	shift
	for file in /proc/"$pid"/task/*/syscall; do
		{ read -r line <"$file"; } 2>/dev/null || continue
		for call in "$@"; do
			[[ ${line%% *} != "${call_numbers[$call]-$call}" ]] || return 0
		done
	done
	return 1
}

# blocked_count N CALL...: whether exactly N processes of this test's namespace sleep in one of
# these system calls. Shells sit in wait4 and read: count calls that only the tools make.
blocked_count()
{
	local wanted=$1 dir count=0
	shift
	for dir in /proc/[0-9]*; do
		! blocked_in "${dir#/proc/}" "$@" || ((++count))
	done
	((count == wanted))
}

# state_is PID LETTER: the state in /proc/PID/stat (S sleeping, T stopped, Z zombie ...).
state_is()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	[[ ${stat%% *} == "$2" ]]
}

# gone PID: whether the process has ended (a zombie has).
gone()
{
	[[ ! -e /proc/$1 ]] || state_is "$1" Z
}

# ---- processes in the background ----

started=()

# start COMMAND...: runs it in the background, its pid in $pid. `finish` reads its output.
# Signals are at their defaults: the shell would have it ignore SIGINT and SIGQUIT.
start()
{
	local out=$BATS_TEST_TMPDIR/start.${#started[@]}
	env --default-signal "$@" >"$out.out" 2>"$out.err" 3>&- 4>&- &
	pid=$!
	started+=("$pid")
}

# finish PID [SECONDS]: waits (10 s) for a process of `start`; sets status, output, stderr.
finish()
{
	local i
	wait_until "${2:-10}" gone "$1" || return
	status=0
	wait "$1" || status=$?
	for i in "${!started[@]}"; do
		[[ ${started[i]} == "$1" ]] || continue
		output=$(<"$BATS_TEST_TMPDIR/start.$i.out")
		# shellcheck disable=SC2034 # for the tests
		stderr=$(<"$BATS_TEST_TMPDIR/start.$i.err")
	done
}

# stop PID...: ends processes of `start` that still run.
stop()
{
	local one
	for one in "$@"; do
		gone "$one" || kill -TERM "$one" 2>/dev/null || true
		wait_until 2 gone "$one" 2>/dev/null || kill -KILL "$one" 2>/dev/null || true
		wait "$one" 2>/dev/null || true
	done
}

# A file with a teardown of its own calls this in it.
stop_started()
{
	stop "${started[@]}"
}

teardown()
{
	stop_started
}

is_sanitized()
{
	grep -q __asan_init "$IPCKIT_BUILD/semctl-cli"
}

# not_sanitized WHY: skips a test in a build with sanitizers.
not_sanitized()
{
	! is_sanitized || skip "built with sanitizers: $1"
}

# ---- who we are ----

# as_unprivileged COMMAND...: still uid 0, but modes count: no capability, and none by exec.
as_unprivileged()
{
	setpriv --bounding-set=-all --inh-caps=-all "$@"
}

# as_user COMMAND...: as uid and gid 1000 of a nested user namespace, for what refuses uid 0.
as_user()
{
	unshare -U --map-user=1000 --map-group=1000 "$@"
}

# ---- time ----

# takes_us COMMAND...: how long it takes, in $us; its status in $status.
takes_us()
{
	local begin=${EPOCHREALTIME/[^0-9]/}
	status=0
	"$@" || status=$?
	us=$((${EPOCHREALTIME/[^0-9]/} - begin))
}

# punctual US COMMAND...: it never takes less than US, and at most 0.1 s more (0.9 s with
# sanitizers): in one of five runs at least, since others may have the processor.
punctual()
{
	local wanted=$1 late=100000 try
	shift
	! is_sanitized || late=900000
	for try in 1 2 3 4 5; do
		takes_us "$@"
		((us >= wanted)) || fail "ended early, after $us us instead of $wanted: $*" || return
		((us > wanted + late)) || return 0
	done
	fail "ended late, after $us us instead of $wanted ($try tries): $*"
}

# died_of SIGNAL: it ended the last process of `finish`.
died_of()
{
	((status > 128)) || fail "not ended by a signal" "$(show_last)" || return
	assert_equal "$(kill -l "$status")" "$1" "signal"
}
