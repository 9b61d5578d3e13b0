# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# has NAME KEY VALUE [KEY VALUE]...: what the output tells of a limit.
has()
{
	json --arg name "$1" --argjson wanted "$(shift && words "$@")" '.limits[] | select(.name == $name) |
		. as $is | $wanted | to_entries | all($is[.key] == .value)'
}

# words KEY VALUE...: as a JSON object.
words()
{
	local text=
	while (($#)); do
		text+="${text:+,}\"$1\":$2"
		shift 2
	done
	echo "{$text}"
}

# sysctl_json NAME: its value; null where it is beyond what fits, which the kernel takes for no limit.
sysctl_json()
{
	local value
	value=$(<"/proc/sys/kernel/$1")
	((${#value} < 19)) && echo "$value" || echo null
}

@test "limits: the values are those of /proc/sys, of getrlimit(2), of df and of ipcs -l" {
	run shmtool limits
	assert_status 0
	for name in shmmni shmall shmmax; do
		has "kernel.$name" value "$(sysctl_json "$name")"
	done
	has kernel.shmmni value "$(ipcs -ml | sed -n 's/^max number of segments = //p')"
	has /dev/shm\ blocks value $(($(df --output=size -k /dev/shm | tail -n 1) * 1024))
	has /dev/shm\ inodes value "$(df --output=itotal /dev/shm | tail -n 1)"
	limit kernel.shmall 1000
	limit kernel.shmmax 12345
	run prlimit --memlock=4096: --fsize=100000: shmtool limits
	has kernel.shmall value 1000
	has kernel.shmmax value 12345
	has RLIMIT_MEMLOCK value 4096
	has RLIMIT_FSIZE value 100000
	if [[ -d /sys/kernel/mm/hugepages ]]; then
		has vm.nr_hugepages value $(($(</proc/sys/vm/nr_hugepages) + $(</proc/sys/vm/nr_overcommit_hugepages)))
	fi
}

@test "limits: what is in use, and per cent" {
	run shmtool limits
	has kernel.shmmni used 0 percent 0
	has kernel.shmall used 0
	has RLIMIT_MEMLOCK used 0
	limit kernel.shmmni 20
	limit kernel.shmall 100
	page=$(getconf PAGESIZE)
	"$shm_peer" make 1 $((2 * page + 1)) >/dev/null
	"$shm_peer" make 2 1 >/dev/null
	shmtool create -q private --size "$page"
	shmtool lock key:1
	run shmtool limits
	has kernel.shmmni used 3 percent 15
	has kernel.shmall used 5 percent 5
	has RLIMIT_MEMLOCK used $((3 * page))
	assert_equal "$(ipcs -mu | sed -n 's/^segments allocated //p; s/^pages allocated //p' | xargs)" "3 5"
	json '[.limits[] | select(.estimate) | .name] == ["RLIMIT_MEMLOCK"]'
	shmtool rm key:1
	run shmtool limits
	has kernel.shmmni used 2
	has kernel.shmall used 2
	has RLIMIT_MEMLOCK used 0
}

@test "limits: the blocks and inodes of /dev/shm" {
	small_shm 64k,nr_inodes=10
	run shmtool limits
	has /dev/shm\ blocks value 65536 used 0 percent 0
	has /dev/shm\ inodes value 10 used 1 percent 10
	shmtool create -q /frame --size 16K
	"$shm_peer" make /other 100000
	run shmtool limits
	has /dev/shm\ blocks used 16384 percent 25
	has /dev/shm\ inodes used 3 percent 30
}

@test "limits: lowered ones are told at once; below its use one has more than a hundred per cent" {
	shmtool create -q key:1 --size 100K
	shmtool create -q key:2 --size 100K
	limit kernel.shmmni 1
	limit kernel.shmall $((200 * 1024 / $(getconf PAGESIZE) / 2))
	run shmtool limits
	has kernel.shmmni percent 200
	has kernel.shmall percent 200
}

@test "limits: without /dev/shm its limits are left out or unknown, and the rest is told" {
	shmtool create -q key:1 --size 1
	run no_shm shmtool limits
	assert_status 0
	has kernel.shmmni used 1
	json '[.limits[] | select(.name | startswith("/dev/shm")) | .value] | all(. == null)'
	run unshare -i shmtool limits
	has kernel.shmmni used 0
}

@test "limits: without /proc the values of sysctls are unknown" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	run no_proc shmtool limits
	assert_status 0
	has kernel.shmmni value null percent null
	json '.limits | any(.name == "RLIMIT_MEMLOCK" and .value != null) or any(.name == "/dev/shm blocks" and .value > 0)'
}

@test "limits: JSON types" {
	run shmtool limits
	json '.limits | all(keys == ["estimate", "name", "percent", "unit", "used", "value", "what"] and
		(.value | type) != "string" and ((.used | type) == "number" or .used == null) and
		((.percent | type) == "number" or .percent == null) and (.estimate | type) == "boolean" and
		(.unit | type) == "string" and (.what | type) == "string")'
	json '[.limits[].name] | .[:7] == ["kernel.shmmni", "kernel.shmall", "kernel.shmmax", "RLIMIT_MEMLOCK", "RLIMIT_FSIZE",
		"/dev/shm blocks", "/dev/shm inodes"] and (.[7:] | all(test("hugepages")))'
}

@test "limits: table, plain and columns" {
	run shmtool limits --table
	assert_match '^LIMIT +VALUE +USED +USE% +UNIT +BOUNDS'
	limit kernel.shmmni 77
	run shmtool limits --plain -o name,value
	assert_equal "${lines[0]}" $'kernel.shmmni\t77'
	run shmtool limits -o nothing
	assert_status 2
	run shmtool limits --columns help
	assert_match 'percent +'
}

@test "limits: works without any privilege" {
	run as_unprivileged shmtool limits
	assert_status 0
	has kernel.shmmni value "$(</proc/sys/kernel/shmmni)" used 0
}

@test "limits: operands are status 2, output that cannot be written is 8" {
	run shmtool limits /frame
	assert_status 2
	run bash -c 'shmtool limits >/dev/full'
	assert_status 8
}
