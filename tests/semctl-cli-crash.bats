# SPDX-License-Identifier: GPL-2.0-or-later
# Crowds and kills: never more inside than there are permits, none lost, whoever
# is killed and whenever. With IPCKIT_LONG=1 in full: 10,000 jobs of 64 workers
# and 1,000 kills of each kind (IPCKIT_TEST_LIMIT has to allow for it); fewer under
# sanitizers, where each process takes long to start.
#
# Words in single quotes are for other shells and jq.
# shellcheck disable=SC2016

load helpers
load backends

if [[ ${IPCKIT_LONG:-} ]]; then
	runs=10000 kills=1000
elif is_sanitized; then
	runs=100 kills=25
else
	runs=500 kills=100
fi

# crowd BACKEND PERMITS: 64 workers.
crowd()
{
	make "$1" "$2"
	run timeout 1800 "$jobs" crowd "$BATS_TEST_TMPDIR/board" 64 $runs \
		semctl-cli exec "$object" -- "$jobs" inside "$BATS_TEST_TMPDIR/board"
	echo "# $1: $output" >&3
	json --argjson runs $runs --argjson permits "$2" \
		'.ended == $runs and .failed == 0 and .inside == 0 and .most <= $permits'
	# Fewer would be no test; one permit is never more than one.
	json --argjson permits "$2" '.most >= 1 and .most <= $permits'
	comes_back "$object" "$2"
}

# killed BACKEND WHEN [OPTION...]: jobs die by SIGKILL.
killed()
{
	local backend=$1 when=$2
	shift 2
	make "$backend" 3
	run timeout 900 "$jobs" kill "$when" $kills semctl-cli exec "$object" "$@" -- "$jobs" hold
	echo "# $backend, $when: $output" >&3
	json --argjson kills $kills '.killed == $kills and .exited == 0'
	if [[ $when == random ]]; then
		# Some before COMMAND had begun, and mostly some after: else the moments were not random.
		json --argjson kills $kills '.held < $kills'
	else
		json --argjson kills $kills '.held == $kills'
	fi
	if [[ $backend == file ]]; then
		comes_back "$object" 1
	else
		comes_back "$object" 3
	fi
}

@test "64 workers through 4 permits, POSIX" {
	crowd posix 4
}

@test "64 workers through 4 permits, System V" {
	crowd sysv 4
}

@test "64 workers through 4 permits, unnamed" {
	crowd unnamed 4
}

@test "64 workers through 4 permits, eventfd" {
	crowd eventfd 4
}

@test "64 workers through a lock file" {
	crowd file 1
}

@test "jobs killed while they hold" {
	for backend in "${backends[@]}" file; do
		killed "$backend" held
	done
}

@test "jobs killed together with their process group" {
	for backend in "${backends[@]}" file; do
		killed "$backend" group
	done
}

@test "runs killed at any moment" {
	for backend in "${backends[@]}" file; do
		killed "$backend" random
	done
}

@test "runs that take several killed at any moment" {
	for backend in "${backends[@]}"; do
		killed "$backend" random --count 3
	done
}

@test "runs of several objects killed at any moment" {
	names=()
	for backend in "${backends[@]}" file posix sysv; do
		make "$backend"
		names+=("$object")
	done
	run timeout 900 "$jobs" kill random $kills semctl-cli exec "${names[@]}" -- "$jobs" hold
	echo "# several objects: $output" >&3
	json --argjson kills $kills '.killed == $kills and .held < $kills'
	for one in "${names[@]}"; do
		comes_back "$one" 1
	done
}

@test "runs killed while they wait take nothing along" {
	for backend in "${backends[@]}" file; do
		make "$backend"
		start_holder "$object"
		holder=$pid
		run timeout 900 "$jobs" kill random $((kills / 4)) semctl-cli exec "$object" -- "$jobs" hold
		json --argjson kills $((kills / 4)) '. == {"killed": $kills, "exited": 0, "held": 0}'
		stop "$holder"
		comes_back "$object" 1
	done
}
