# SPDX-License-Identifier: GPL-2.0-or-later
# The shared memory of a live server: PostgreSQL keeps a System V segment, of all of its memory or only as its
# own interlock (shared_memory_type), and a POSIX one for its parallel workers.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load segments

programs=$(find /usr/lib/postgresql -path '*/bin/postgres' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)

setup()
{
	[[ $programs ]] || skip "PostgreSQL is not installed"
	not_sanitized "the server is not"
}

# processes: the server and its children, sorted.
processes()
{
	pgrep -x postgres | sort -n | tr '\n' ' '
}

# answers: whether it takes connections, with all of the children that it starts with.
answers()
{
	gone "$server" || "$programs/psql" -h "$data" -U owner -d postgres -Atc 'select 1' >/dev/null 2>&1
}

# is_idle: whether the process that has answered has gone.
is_idle()
{
	! pgrep -f '^postgres: owner ' >/dev/null
}

# serve TYPE: starts a server with this shared_memory_type; it refuses to serve as uid 0.
serve()
{
	data=$TMPDIR/$1
	mkdir "$data" && chmod 777 "$data"
	as_user "$programs/initdb" -D "$data/base" -U owner -A trust --no-sync --no-instructions >/dev/null
	cat >>"$data/base/postgresql.conf" <<-END
		shared_memory_type = $1
		dynamic_shared_memory_type = posix
		shared_buffers = 8MB
		max_connections = 10
		listen_addresses = ''
		unix_socket_directories = '$data'
		fsync = off
		autovacuum = off
	END
	start unshare -U --map-user=1000 --map-group=1000 "$programs/postgres" -D "$data/base"
	server=$pid
	wait_until 30 answers
	! gone "$server" || fail "the server does not start:" "$(cat "$(err_of "$server")")"
	wait_until 10 is_idle
}

end_server()
{
	pkill -KILL -x postgres
	wait_until 10 no_server
}

no_server()
{
	! pgrep -x postgres >/dev/null
}

# The System V segment is the server's alone, and every process of it has it attached.
sees_all()
{
	local id nattch name
	id=$(shmtool list --backend sysv --plain --columns id)
	nattch=$(pgrep -cx postgres)
	run shmtool list --backend sysv
	json --argjson n "$nattch" '.segments | length == 1 and .[0].nattch == $n'
	assert_equal "$(user_pids "id:$id") " "$(processes)" "users"
	run shmtool users "id:$id"
	json --argjson n "$nattch" '[.users[].pid] | unique | length == $n'
	for name in $(posix_names); do
		assert_match '^/PostgreSQL\.[0-9]+$' "$name"
		assert_equal "$(user_pids "$name") " "$(mapped_by "/dev/shm$name")" "users of $name"
	done
}

posix_names()
{
	shmtool list --backend posix --plain --columns name
}

# mapped_by FILE: those of the processes that have it mapped, by another way of looking.
mapped_by()
{
	local one
	for one in $(processes); do
		! grep -qF "$1" "/proc/$one/maps" || echo "$one"
	done | tr '\n' ' '
}

# What leaked is named, with the reason; what others have is not.
leaks()
{
	local id names own
	id=$(shmtool list --backend sysv --plain --columns id)
	names=$(posix_names)
	[[ $names ]] || fail "no POSIX segment to leak"
	run shmtool clean --yes
	json '.segments | all(.removed | not)'
	own=$("$shm_peer" make 0x77 100)
	hold "id:$own"
	end_server
	run shmtool clean
	json --arg id "id:$id" '[.segments[] | select(.orphan)] | length == 1 and (.[0] | .name == $id and
		(.reason | test("nobody has it attached, who made it and who used it last are gone$")))'
	json --arg own "id:$own" '.segments[] | select(.name == $own) | .reason | test("has it mapped$")'
	run shmtool clean --yes --older-than 0
	json --arg id "id:$id" --arg names "$names" \
		'[.segments[] | select(.removed) | .name] | sort == ([$id] + ($names | split("\n")) | sort)'
	run shmtool list
	json --arg own "id:$own" '[.segments[].name] == [$own]'
}

@test "a server whose memory is a System V segment: its users are its processes; after kill -9 clean takes what leaked" {
	serve sysv
	sees_all
	(($(shmtool list --backend sysv --plain --columns size) > 8 << 20)) || fail "the segment is not its memory"
	leaks
}

@test "a server whose memory is anonymous: its interlock is a small System V segment, with the same users" {
	serve mmap
	sees_all
	(($(shmtool list --backend sysv --plain --columns size) < 4096)) || fail "the segment is no interlock"
	leaks
}
