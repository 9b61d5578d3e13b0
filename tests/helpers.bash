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

# Before each command bats takes down the whole stack, in many commands of bash: most of the time that
# a test took. Here it is taken when one fails. What ends a test without a failed command (`return`, `exit`,
# its teardown) has no line: to note one before each command took a seventh of all the time.
bats_debug_trap()
{
	trap - DEBUG
}

bats_error_trap()
{
	bats_check_status_from_trap
	[[ $BATS_DEBUG_LAST_STACK_TRACE_IS_VALID || ${BASH_SOURCE[1]} == "$BATS_ROOT"/* || ${FUNCNAME[1]} == bats_* ]] || {
		bats_capture_stack_trace
		BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
	}
}

# jq 1.6 takes longer to start than most tests: its twin answers where it is installed, and can.
if command -v gojq >/dev/null; then
	jq()
	{
		case $* in
		*keys_unsorted* | *-S* | '-c .') command jq "$@" ;;
		*) gojq "$@" ;;
		esac
	}
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

# run [! | -N] [--separate-stderr] COMMAND...: as that of bats, which starts programs for it and reads
# a character at a time.
run()
{
	local flags=$- separate='' wanted=''
	while :; do
		case ${1-} in
		--separate-stderr) separate=1 ;;
		! | -[0-9]*) wanted=${1#-} ;;
		*) break ;;
		esac
		shift
	done
	set +eET
	status=0
	if [[ $separate ]]; then
		output=$("$@" 2>"$BATS_TEST_TMPDIR/run.stderr") || status=$?
		read -rd '' stderr <"$BATS_TEST_TMPDIR/run.stderr" || true
	else
		output=$("$@" 2>&1) || status=$?
	fi
	set -f
	local IFS=$'\n'
	# shellcheck disable=SC2034,SC2206 # for the tests: the lines that are not empty
	lines=($output) stderr_lines=(${stderr-})
	set +f "-$flags"
	case $wanted in
	'') ;;
	!) ((status)) || fail "ended well: $*" "$(show_last)" ;;
	*) assert_status "$wanted" ;;
	esac
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

# limited NAME VALUE USED [NEEDED]: the last run failed of this limit (USED null where there is no use).
limited()
{
	local in_words="$1 is $2 "
	assert_status 6
	# shellcheck disable=SC2016 # variables of jq
	json --arg name "$1" --argjson value "$2" --argjson used "$3" --argjson needed "${4-null}" '.error.exit == 6 and
		.error.limit == ({$name, $value, $used} + if $needed then {$needed} else {} end)'
	[[ $(json_get .error.message) == *"$in_words"* && $stderr == *"$in_words"* ]] ||
		fail "the message lacks: $in_words" "$(show_last)"
	[[ $3 == null || $stderr == *" $3 in use"* ]] || fail "the message lacks: $3 in use" "$(show_last)"
	[[ ! ${4-} || $stderr == *" $4 needed"* ]] || fail "the message lacks: $4 needed" "$(show_last)"
}

# ---- waiting for facts ----

# wait_until SECONDS COMMAND...: polls until COMMAND succeeds, soon at first and then every 10 ms. It is given up after
# $patience times as long as that would take: other tests and other machines may have the processor.
patience=4
wait_until()
{
	local seconds=$1 end pause=1 us
	printf -v us %.0f "$1e6"
	end=$((${EPOCHREALTIME/[^0-9]/} + us * patience))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[^0-9]/} < end)) || {
			fail "waited $patience times $seconds s in vain for: $*"
			return
		}
		# Nothing ever comes there, and no process is needed to sleep.
		read -rt "0.00$pause" <>"$IPCKIT_NEVER" || true
		((pause == 9)) || ((pause += 2))
	done
}

case $HOSTTYPE in
x86_64) declare -gA call_numbers=([read]=0 [poll]=7 [preadv2]=327 [pause]=34 [nanosleep]=35
	[semop]=65 [fcntl]=72 [flock]=73 [futex]=202 [restart_syscall]=219 [semtimedop]=220
	[clock_nanosleep]=230 [ppoll]=271 [wait4]=61 [waitid]=247 [rt_sigsuspend]=130 [rt_sigtimedwait]=128) ;;
aarch64 | riscv64) declare -gA call_numbers=([read]=63 [preadv2]=286 [fcntl]=25 [flock]=32 [futex]=98
	[nanosleep]=101 [clock_nanosleep]=115 [restart_syscall]=128 [semtimedop]=192 [semop]=193
	[poll]=73 [ppoll]=73 [wait4]=260 [waitid]=95 [rt_sigsuspend]=133 [rt_sigtimedwait]=137) ;;
*) declare -gA call_numbers=() ;;
esac

# blocked_in PID CALL...: whether a thread of PID sleeps in one of these system calls (names
# as above, or numbers). A wait that was stopped and continued shows as restart_syscall. One that
# is just being woken, by a processor that has not got round to it, is shown in its call still: it runs.
blocked_in()
{
	local pid=$1 call file line stat
	shift
	for file in /proc/"$pid"/task/*/syscall; do
		{ read -r stat <"${file%syscall}stat" && read -r line <"$file"; } 2>/dev/null || continue
		[[ ${stat##*) } != R* ]] || continue
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

# ending PID: or is about to: what it had open or locked may be another's before it is gone (PF_EXITING in
# its flags, the seventh number after the command).
ending()
{
	local stat
	! gone "$1" || return 0
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	read -ra stat <<<"${stat##*) }"
	((stat[6] & 4))
}

# or_gone PID COMMAND...: whether COMMAND succeeds, or the process has ended before: one with a time limit of its own.
or_gone()
{
	"${@:2}" || gone "$1"
}

# pauses PID: stops it; whether that came before its end.
pauses()
{
	kill -STOP "$1"
	wait_until 5 or_gone "$1" state_is "$1" T
	! gone "$1"
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
	wait_until 5 is_command "$pid"
}

# is_command PID: whether it has become one. The copy of this shell that it was does with a signal what
# the test does, and env ignores an interrupt until it has made that the default.
mapfile -d '' own_words <"/proc/$$/cmdline"
is_command()
{
	local words
	{ mapfile -d '' words <"/proc/$1/cmdline"; } 2>/dev/null || true
	# It has none for a moment when it becomes another command, too.
	[[ ${words[*]} ]] || gone "$1" || return
	[[ ${words[*]} != "${own_words[*]}" && ${words[*]:0:2} != "env --default-signal" ]]
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

# out_of PID: the file with the standard output of a process of `start`. err_of: of its errors.
out_of()
{
	local i
	for i in "${!started[@]}"; do
		[[ ${started[i]} != "$1" ]] || echo "$BATS_TEST_TMPDIR/start.$i.out"
	done
}

err_of()
{
	local out
	out=$(out_of "$1")
	echo "${out%.out}.err"
}

# stop PID...: ends processes of `start` that still run.
stop()
{
	local one
	for one in "$@"; do
		gone "$one" || kill -TERM "$one" 2>/dev/null || true
		patience=1 wait_until 2 gone "$one" 2>/dev/null || kill -KILL "$one" 2>/dev/null || true
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

# Looked up once in a test.
sanitized=
is_sanitized()
{
	[[ $sanitized ]] || { grep -q __asan_init "$IPCKIT_BUILD/semctl-cli" && sanitized=yes || sanitized=no; }
	[[ $sanitized == yes ]]
}

# not_sanitized WHY: skips a test in a build with sanitizers.
not_sanitized()
{
	! is_sanitized || skip "built with sanitizers: $1"
}

# ---- who we are ----

# others_mapped: skips where there is no other user.
others_mapped()
{
	local count
	read -r _ _ count </proc/self/uid_map
	((count > 4711)) || skip "one user only is mapped here"
}

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

# ---- limits ----

# limit NAME VALUE: sets a sysctl, `kernel.shmmni`; what it was comes back by restore_limits.
declare -gA limits_before=()
limit()
{
	local file=/proc/sys/${1//.//}
	[[ ${limits_before[$file]-} ]] || limits_before[$file]=$(<"$file")
	{ echo "$2" >"$file"; } 2>/dev/null || skip "$1 cannot be set here"
}

restore_limits()
{
	local file
	for file in "${!limits_before[@]}"; do
		echo "${limits_before[$file]}" >"$file"
	done
	limits_before=()
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
# sanitizers): in one of eight runs at least, since others may have the processor, and for
# the same reason a little more is let pass with each run.
punctual()
{
	local wanted=$1 late=100000 try
	shift
	! is_sanitized || late=900000
	for try in 1 2 3 4 5 6 7 8; do
		takes_us "$@"
		((us >= wanted)) || fail "ended early, after $us us instead of $wanted: $*" || return
		((us > wanted + late + (try - 1) * 200000)) || return 0
	done
	fail "ended late, after $us us instead of $wanted ($try tries): $*"
}

# died_of SIGNAL: it ended the last process of `finish`.
died_of()
{
	((status > 128)) || fail "not ended by a signal" "$(show_last)" || return
	assert_equal "$(kill -l "$status")" "$1" "signal"
}

# ---- what runs out ----

# with_descriptors SEEN COMMAND...: with ever more descriptors, until it succeeds. Before that, it
# either cannot be loaded, or fails of the limit, which has to be seen SEEN times at least.
# shellcheck disable=SC2016 # the variables of another shell and of jq
with_descriptors()
{
	local seen=$1 n refused=0
	shift
	for n in {3..20}; do
		# bats takes a status of 127 for a mistake of the test.
		run --separate-stderr bash -c '"$@"; status=$?; exit $((status == 127 ? 99 : status))' bash \
			timeout 10 prlimit --nofile="$n:$n" "$@"
		case $status in
		0)
			((refused >= seen)) || fail "$*: the limit was never seen" "$(show_last)"
			return 0
			;;
		99)
			[[ $stderr == *"loading shared libraries"* ]] || fail "$*: not found" "$(show_last)"
			;;
		6 | 125)
			[[ $stderr == *"RLIMIT_NOFILE is $n descriptors, "[0-9]*" in use" ]] ||
				fail "$*: the message lacks the limit" "$(show_last)"
			json --argjson n "$n" --argjson status "$status" '.error.code == "EMFILE" and
				.error.exit == $status and .error.limit.name == "RLIMIT_NOFILE" and
				.error.limit.value == $n and .error.limit.used <= $n'
			((++refused))
			;;
		*)
			fail "$* with $n descriptors" "$(show_last)"
			return
			;;
		esac
	done
	fail "$*: does not succeed with 20 descriptors" "$(show_last)"
}

# with_pid PID COMMAND...: starts it so that it gets this very pid.
with_pid()
{
	local wanted=$1 tries=20
	shift
	while ((tries--)); do
		echo $((wanted - 1)) 2>/dev/null >/proc/sys/kernel/ns_last_pid || return 0
		start "$@"
		[[ $pid != "$wanted" ]] || return 0
		stop "$pid"
	done
}

# check_reused_pid NAME PID SECOND REASON: process PID was the last that used NAME, in that SECOND. For another that
# got its pid `clean` keeps it (REASON, where @ is the pid: `kept`, of the file) if that began then, and else does not
# (`offered`).
check_reused_pid()
{
	with_pid "$2" sleep 60
	[[ $pid == "$2" ]] || skip "pids cannot be chosen here"
	# Begun within two seconds of that use it may be the one.
	((EPOCHSECONDS > $3 + 1)) || kept "$1" "^process ${4/@/$pid}\$"
	stop "$pid"
	wait_until 10 is_later "$3" 5
	with_pid "$2" sleep 60
	assert_equal "$pid" "$2" "pid"
	offered "$1"
}

# is_later SECOND N: more than N seconds have passed since.
is_later()
{
	((EPOCHSECONDS > $1 + $2))
}
