# SPDX-License-Identifier: GPL-2.0-or-later
# list --watch of all tools that list: what there is, and then each change.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers

setup()
{
	ipcrm --all
	rm -rf /dev/shm/* /dev/mqueue/*
	mkdir "$BATS_TEST_TMPDIR/dir"
	cd "$BATS_TEST_TMPDIR/dir" || return
}

# Each tool with what makes and what removes an object, and its array.
tools=(
	"semctl-cli|create /one --value 1|rm /one|semaphores"
	"mqtool|create /one|rm /one|queues"
	"shmtool|create /one --size 4096|rm /one|segments"
	"pipecat|create ./one|rm ./one|fifos"
)

# each TOOL: splits one of them.
each()
{
	local words
	IFS='|' read -ra words <<<"$1"
	# shellcheck disable=SC2034 # for the tests
	tool=${words[0]} array=${words[3]}
	read -ra makes <<<"${words[1]}"
	read -ra removes <<<"${words[2]}"
	# Of pipes and sockets the whole machine would be told.
	where=()
	[[ $tool != pipecat ]] || where=(.)
}

# watch ARG...: begins to watch, and waits for the first list.
watch()
{
	start "$tool" list "${where[@]}" --watch 20ms "$@"
	watcher=$pid said=$(out_of "$pid")
	wait_until 10 has_said 1
}

# has_said N: N lines.
has_said()
{
	(($(wc -l <"$said") == $1))
}

@test "list --watch: a document of what there is, then of each change, until it is interrupted" {
	for one in "${tools[@]}"; do
		each "$one"
		for pair in "INT 130" "TERM 143" "HUP 129" "KILL 137"; do
			read -r signal wanted <<<"$pair"
			# Users of it may be seen, too, while it is made.
			watch -o name
			"$tool" "${makes[@]}" -q
			wait_until 10 has_said 2
			"$tool" "${removes[@]}"
			wait_until 10 has_said 3
			kill -"$signal" "$watcher"
			finish "$watcher"
			assert_equal "$status$stderr" "$wanted" "$tool after SIG$signal"
			assert_equal "$(jq -c --arg array "$array" '.[$array] | map(.name | sub(".*/"; ""))' <<<"$output")" \
				$'[]\n["one"]\n[]' "$tool"
		done
	done
}

@test "list --watch: what stays as it is is not printed again, whatever looks at it" {
	semctl-cli create /jobs --value 1 -q
	each "${tools[0]}"
	watch -o value
	for _ in 1 2 3; do
		semctl-cli list >/dev/null
		semctl-cli info /jobs >/dev/null
	done
	semctl-cli post /jobs
	wait_until 10 has_said 2
	stop "$watcher"
	output=$(<"$said")
	assert_equal "$(jq -c '[.semaphores[].value]' <<<"$output")" $'[1]\n[2]'
}

@test "list --watch: what its own looks and its own output change is no change" {
	mqtool create /jobs -q
	before=$(mqtool list --plain -o atime)
	each "${tools[1]}"
	watch
	later()
	{
		[[ $(mqtool list --plain -o atime) -gt $((before + 1)) ]]
	}
	wait_until 10 later
	has_said 1
	mqtool send /jobs x
	wait_until 10 has_said 2
	stop "$watcher"
	# Nobody reads this: more would be in it with each look.
	mkfifo out
	exec 7<>out
	start sh -c 'exec pipecat list --watch 5ms --plain --kind fifo --name "*/out" -o name,bytes >out'
	wait_until 10 eval '(($(awk "/^syscr/ { print \$2 }" "/proc/$pid/io") > 1000))'
	assert_equal "$(pipecat capacity out --plain -o bytes)" 1
	stop "$pid"
	exec 7>&-
}

@test "list --watch: plain rows and tables are ended by an empty line; columns that do not change print nothing" {
	for one in "${tools[@]}"; do
		each "$one"
		watch --plain -o name
		"$tool" "${makes[@]}" -q
		wait_until 10 has_said 3
		"$tool" "${removes[@]}"
		wait_until 10 has_said 4
		stop "$watcher"
		mapfile -t rows <"$said"
		assert_equal "${#rows[@]}:${rows[0]}:${rows[1]##*/}:${rows[2]}:${rows[3]}" 4::one:: "$tool"
	done
	each "${tools[0]}"
	watch --table -o name,value --name '/[st]*'
	semctl-cli create /other -q
	semctl-cli create /some --value 5 -q
	wait_until 10 has_said 4
	semctl-cli post /other
	semctl-cli post /some
	wait_until 10 has_said 7
	stop "$watcher"
	assert_equal "$(<"$said")" $'\nNAME  VALUE\n/some     5\n\nNAME  VALUE\n/some     6'
}

@test "list --watch: the reader has gone, or cannot take more" {
	for one in "${tools[@]}"; do
		each "$one"
		run bash -c '"$@" --watch 10ms | head -n 1; echo "${PIPESTATUS[0]}"' bash "$tool" list "${where[@]}"
		assert_equal "${lines[1]}" 141 "$tool"
		run --separate-stderr bash -c 'trap "" PIPE; "$@" --json --watch 10ms | head -n 1; exit "${PIPESTATUS[0]}"' \
			bash "$tool" list "${where[@]}"
		assert_equal "$status: $stderr" "8: $tool list: nobody reads what it prints"
		run bash -c '"$@" --watch 10ms >/dev/full' bash "$tool" list "${where[@]}"
		assert_status 8
		assert_match 'no space left'
	done
}

@test "list --watch: what cannot be seen is told once" {
	touch nothing out
	run --separate-stderr unshare -m bash -c 'mount -t tmpfs none /dev || exit
		semctl-cli list --watch 10ms 2>err >out <nothing & pid=$!
		for count in 1 2 3; do
			until (($(wc -l <out) == count)); do :; done
			semctl-cli create key:$count -q
		done
		kill $pid; cat out; cat err >&2'
	assert_status 0
	assert_match '/dev/shm is missing' "$stderr"
	assert_equal "${#stderr_lines[@]}" 1 "warnings"
}

@test "list --watch: what it looks at goes away: a status and, as a line, the failure" {
	each "${tools[3]}"
	where=("$PWD/gone")
	mkdir gone
	watch
	rmdir gone
	finish "$watcher"
	assert_status 3
	assert_match '^pipecat list: /.*/gone: no such directory$' "$stderr"
	assert_equal "$(wc -l <<<"$output")" 2
	assert_equal "$(jq -c '[.fifos, .error.code, .error.exit]' <<<"$output")" $'[[],null,null]\n[null,"ENOENT",3]'
}

@test "list --watch: a stop and continue loses nothing" {
	each "${tools[2]}"
	watch -o name
	pauses "$watcher"
	shmtool create /one --size 4096 -q
	shmtool create /two --size 4096 -q
	kill -CONT "$watcher"
	wait_until 10 has_said 2
	stop "$watcher"
	assert_equal "$(tail -n 1 "$said" | jq -c '[.segments[].name]')" '["/one","/two"]'
}

@test "list --watch: times that are none" {
	for one in "${tools[@]}"; do
		each "$one"
		for word in 0 inf soon -- '' 1sx; do
			run --separate-stderr "$tool" list --watch="$word"
			assert_status 2
			json '.error.code == "USAGE" and .error.object == "--watch"'
		done
		run --separate-stderr "$tool" list --watch
		assert_status 2
	done
}
