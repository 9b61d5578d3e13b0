# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# marks: what ipcs tells of the segment of key 7.
marks()
{
	ipcs -m | sed -n 's/^0x00000007 *[0-9]* *[^ ]* *[0-7]* *[0-9]* *[0-9]* *//p' | xargs
}

@test "lock, unlock: silent, as ipcs and info see it; more than once is no more" {
	shmtool create -q key:7 --size 8192
	for _ in 1 2; do
		run --separate-stderr shmtool lock key:7
		assert_status 0
		assert_equal "$output$stderr" ""
		assert_equal "$(marks) $(told key:7 locked) $(told key:7 status)" "locked true locked"
	done
	for _ in 1 2; do
		shmtool unlock "id:$(id_of key:7)"
		assert_equal "$(marks) $(told key:7 locked)" " false"
	done
	run shmtool lock key:7 --json
	assert_output '{"object":"key:7","backend":"sysv"}'
	# Whoever has it goes on having it, and its mark for destruction is beside that.
	hold key:7
	id=$(id_of key:7)
	shmtool rm key:7
	run shmtool info "id:$id" --plain -o status,nattch
	assert_output $'dest locked\t1'
}

@test "lock: POSIX segments are refused with the reason" {
	shmtool create -q /frame --size 8192
	for verb in lock unlock; do
		run --separate-stderr shmtool "$verb" /frame --json
		assert_status 8
		assert_stderr "^shmtool $verb: /frame: .*mlock"
		json '.error.code == "EOPNOTSUPP"'
	done
}

@test "lock: RLIMIT_MEMLOCK of an ordinary user: status 6 with its value and use" {
	shmtool create -q key:7 --size 8192
	run --separate-stderr prlimit --memlock=4096: setpriv --bounding-set=-all --inh-caps=-all shmtool lock key:7 --json
	assert_status 6
	json '.error | .code == "ENOMEM" and .limit == {name: "RLIMIT_MEMLOCK", value: 4096, used: 0, needed: 8192}'
	assert_stderr 'key:7: .*RLIMIT_MEMLOCK is 4096 bytes, about 0 in use, 8192 needed'
	run --separate-stderr prlimit --memlock=0: setpriv --bounding-set=-all --inh-caps=-all shmtool lock key:7 --json
	assert_status 6
	json '.error | .code == "EPERM" and .limit.name == "RLIMIT_MEMLOCK" and .limit.value == 0 and .limit.needed == 8192'
	assert_equal "$(marks)" ""
	# What it says is needed is enough, and what is locked counts.
	prlimit --memlock=8192: setpriv --bounding-set=-all --inh-caps=-all shmtool lock key:7
	shmtool create -q key:8 --size 4096
	run --separate-stderr prlimit --memlock=8192: setpriv --bounding-set=-all --inh-caps=-all shmtool lock key:8 --json
	assert_status 6
	json '.error.limit | .name == "RLIMIT_MEMLOCK" and .value == 8192 and .used == 8192 and .needed == 4096'
	shmtool unlock key:7
	prlimit --memlock=8192: setpriv --bounding-set=-all --inh-caps=-all shmtool lock key:8
}

@test "lock: another user's is status 5" {
	read -r _ _ count </proc/self/uid_map
	((count > 4711)) || skip "one user only is mapped here"
	shmtool create -q key:7 --size 8192 --mode 0666
	for verb in lock unlock; do
		run --separate-stderr setpriv --reuid 4711 --clear-groups --bounding-set=-all --inh-caps=-all shmtool "$verb" key:7
		assert_status 5
	done
}

@test "lock: what is not there is status 3, bad words 2" {
	for verb in lock unlock; do
		for object in key:0x7777 id:4711 "ftok:$TMPDIR/none"; do
			run --separate-stderr shmtool "$verb" "$object" --json
			assert_status 3
			json --arg verb "$verb" '.error | .code == "ENOENT" and .verb == $verb'
		done
		for words in "" "key:1 key:2" jobs private key:0 "key:7 --jsn"; do
			# shellcheck disable=SC2086 # words
			run shmtool "$verb" $words
			[[ $status == 2 ]] || fail "$verb $words" "$(show_last)"
		done
	done
	run --separate-stderr shmtool unlok key:7
	assert_stderr 'did you mean unlock'
}
