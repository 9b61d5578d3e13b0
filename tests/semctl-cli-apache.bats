# SPDX-License-Identifier: GPL-2.0-or-later
# The mutexes of a live server: Apache's prefork serialises its children by System V semaphores
# (`Mutex sysvsem default`), in private sets that nothing but its processes knows of.
# shellcheck disable=SC2016 # the variables of jq

load helpers

apache=$(PATH=$PATH:/usr/sbin command -v apache2) || apache=

# children PID: its child processes.
children()
{
	local stat line
	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		line=${line##*) }
		line=${line#* }
		[[ ${line%% *} != "$1" ]] || basename "${stat%/stat}"
	done
}

# serves: whether all children have got as far as to wait for connections, or for the mutex.
serves()
{
	local child
	mapfile -t workers < <(children "$server")
	((${#workers[@]} == 3)) || return 1
	for child in "${workers[@]}"; do
		blocked_in "$child" semop semtimedop poll ppoll epoll_wait 232 22 || return 1
	done
	semctl-cli list | jq -e '[.semaphores[].waiters] | add == 2' >/dev/null
}

# Two ports, since with one there is nothing to serialise.
start_server()
{
	local try port
	mkdir -p "$TMPDIR/apache"
	chmod 1777 "$TMPDIR/apache"
	for try in {1..10}; do
		port=$((20000 + (RANDOM + try) % 10000 * 2))
		cat >"$TMPDIR/apache/conf" <<-END
			ServerRoot $TMPDIR/apache
			ServerName localhost
			Listen 127.0.0.1:$port
			Listen 127.0.0.1:$((port + 1))
			LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
			LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
			Mutex sysvsem default
			DefaultRuntimeDir $TMPDIR/apache
			PidFile $TMPDIR/apache/pid
			ErrorLog $TMPDIR/apache/log
			DocumentRoot $TMPDIR/apache
			StartServers 3
			MinSpareServers 1
			MaxSpareServers 3
			MaxRequestWorkers 3
		END
		# It refuses to serve as uid 0.
		start unshare -U --map-user=1000 --map-group=1000 "$apache" -f "$TMPDIR/apache/conf" -D FOREGROUND
		server=$pid
		wait_until 15 started_or_gone
		! gone "$server" || continue
		return 0
	done
	fail "the server does not start:" "$(cat "$TMPDIR/apache/log" "$BATS_TEST_TMPDIR"/start.*.err)"
}

started_or_gone()
{
	gone "$server" || [[ -s $TMPDIR/apache/pid ]]
}

end_server()
{
	local one
	kill -KILL "$server"
	for one in "${workers[@]}"; do
		kill -KILL "$one" 2>/dev/null || true
	done
	for one in "$server" "${workers[@]}"; do
		wait_until 5 gone "$one"
	done
	rm -f "$TMPDIR/apache/pid"
}

setup()
{
	not_sanitized "the server is the same"
	if [[ ! $apache ]]; then
		[[ ! ${CI:-} ]] || fail "apache2 is not installed"
		skip "apache2 is not installed (apache2-bin)"
	fi
	ipcrm --all=sem
	start_server
	wait_until 15 serves
}

@test "apache: its sets are listed like those of ipcs" {
	run semctl-cli list --backend sysv
	assert_status 0
	json '(.semaphores | length) >= 1 and (.semaphores | all(.key == 0 and .nsems == 1))'
	assert_equal "$(json_get '.semaphores[].id' | sort)" \
		"$(ipcs -s | awk '$1 ~ /^0x/ { print $2 }' | sort)" "ids"
	end_server
}

@test "apache: who uses and who waits for its mutex is told" {
	local name
	name=$(semctl-cli list | jq -r '.semaphores[] | select(.waiters > 0) | .name')
	run semctl-cli info "$name"
	assert_status 0
	json --argjson workers "$(printf '%s\n' "${workers[@]}" | jq -s .)" --argjson server "$server" '
		.waiters == 2 and (.waiting | length == 2) and .unreadable_processes == 0 and
		([.waiting[].pid] - $workers == []) and
		(.waiting | all(.index == 0 and .count == 1 and (.command | contains("apache2")))) and
		([.users[].pid] | unique | length == 3) and ([.users[].pid] - $workers == []) and
		([.users[] | select(.evidence == "blocked")] | length == 2) and
		([.users[] | select(.evidence == "last pid")] | length == 1)'
	end_server
}

@test "apache: while it lives clean offers none of its sets, after kill -9 all of them" {
	local before
	semctl-cli create /other >/dev/null
	before=$(ipcs -s | grep -c '^0x')
	for age in 0 1s; do
		run semctl-cli clean --older-than "$age" --backend sysv
		assert_status 0
		json --argjson count "$before" '(.semaphores | length == $count) and
			(.semaphores | all(.orphan == false and (.reason | test("^process [0-9]+ "))))'
	done
	run semctl-cli clean --older-than 0 --yes
	assert_status 0
	json '.semaphores | map({(.backend): .removed}) | add == {"posix": true, "sysv": false}'
	assert_equal "$(ipcs -s | grep -c '^0x')" "$before" "sets"
	run semctl-cli list --orphans
	assert_output '{"semaphores":[]}'

	end_server
	run semctl-cli clean
	json '.semaphores | all(.orphan == false)'
	run semctl-cli clean --older-than 0
	json --argjson count "$before" '(.semaphores | length == $count) and
		(.semaphores | all(.orphan and .removed == false and
			(.reason | test("nobody waits on it, who changed it last is gone$"))))'
	assert_equal "$(ipcs -s | grep -c '^0x')" "$before" "sets"
	semctl-cli clean --older-than 0 --yes
	assert_equal "$(ipcs -s | grep -c '^0x' || true)" 0 "sets"
}
