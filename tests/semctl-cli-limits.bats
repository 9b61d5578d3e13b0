# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq

load helpers

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

# limit NAME KEY: one number of the output.
limit()
{
	json_get --arg name "$1" --arg key "$2" '.limits[] | select(.name == $name) | .[$key]'
}

# ipcs_says TEXT: the number that ipcs gives after it.
ipcs_says()
{
	ipcs -s "$1" | sed -n "s/^$2 = //p"
}

@test "limits: the values are those of /proc/sys/kernel/sem and of ipcs -l" {
	local semmsl semmns semopm semmni
	read -r semmsl semmns semopm semmni </proc/sys/kernel/sem
	run semctl-cli limits
	assert_status 0
	assert_equal "$(limit 'kernel.sem semmsl' value)" "$semmsl"
	assert_equal "$(limit 'kernel.sem semmns' value)" "$semmns"
	assert_equal "$(limit 'kernel.sem semopm' value)" "$semopm"
	assert_equal "$(limit 'kernel.sem semmni' value)" "$semmni"
	assert_equal "$(limit 'kernel.sem semmni' value)" "$(ipcs_says -l 'max number of arrays')"
	assert_equal "$(limit 'kernel.sem semmsl' value)" "$(ipcs_says -l 'max semaphores per array')"
	assert_equal "$(limit 'kernel.sem semmns' value)" "$(ipcs_says -l 'max semaphores system wide')"
	assert_equal "$(limit 'kernel.sem semopm' value)" "$(ipcs_says -l 'max ops per semop call')"
	assert_equal "$(limit SEMVMX value)" "$(ipcs_says -l 'semaphore max value')"
	assert_equal "$(limit SEM_VALUE_MAX value)" "$(getconf SEM_VALUE_MAX)"
}

@test "limits: the use is that of ipcs -u, and in per cent" {
	run semctl-cli limits
	assert_equal "$(limit 'kernel.sem semmni' used)" 0
	echo 250 200 32 10 >/proc/sys/kernel/sem
	semctl-cli create key:1 --nsems 3
	semctl-cli create private
	run semctl-cli limits
	assert_equal "$(limit 'kernel.sem semmni' used)" 2
	assert_equal "$(limit 'kernel.sem semmns' used)" 4
	assert_equal "$(limit 'kernel.sem semmni' used)" "$(ipcs_says -u 'used arrays')"
	assert_equal "$(limit 'kernel.sem semmns' used)" "$(ipcs_says -u 'allocated semaphores')"
	assert_equal "$(limit 'kernel.sem semmni' percent)" 20
	assert_equal "$(limit 'kernel.sem semmns' percent)" 2
	assert_equal "$(limit 'kernel.sem semmsl' used)" null
}

@test "limits: a limit below its use gives more than a hundred per cent" {
	semctl-cli create key:1
	semctl-cli create key:2
	echo 250 32000 32 1 >/proc/sys/kernel/sem
	run semctl-cli limits
	echo 250 32000 32 128 >/proc/sys/kernel/sem
	assert_equal "$(limit 'kernel.sem semmni' percent)" 200
}

@test "limits: blocks and inodes of /dev/shm are those of df" {
	run unshare -m bash -c 'mount -t tmpfs -o size=64k,nr_inodes=20 none /dev/shm &&
		semctl-cli create /a -q && semctl-cli create /b -q && semctl-cli limits'
	assert_status 0
	assert_equal "$(limit '/dev/shm blocks' value)" 65536
	assert_equal "$(limit '/dev/shm blocks' used)" 8192
	assert_equal "$(limit '/dev/shm blocks' percent)" 13
	assert_equal "$(limit '/dev/shm inodes' value)" 20
	assert_equal "$(limit '/dev/shm inodes' used)" 3
	semctl-cli create /a
	run semctl-cli limits
	read -r size used inodes iused <<<"$(df -B1 --output=size,used,itotal,iused /dev/shm | tail -n 1)"
	assert_equal "$(limit '/dev/shm blocks' value)" "$size"
	assert_equal "$(limit '/dev/shm blocks' used)" "$used"
	assert_equal "$(limit '/dev/shm inodes' value)" "$inodes"
	assert_equal "$(limit '/dev/shm inodes' used)" "$iused"
}

@test "limits: a file system without limits has none" {
	run unshare -m bash -c 'mount -t tmpfs -o size=0,nr_inodes=0 none /dev/shm && semctl-cli limits'
	assert_status 0
	assert_equal "$(limit '/dev/shm blocks' value)" null
	assert_equal "$(limit '/dev/shm inodes' value)" null
	assert_equal "$(limit '/dev/shm inodes' percent)" null
}

@test "limits: without /dev/shm the rest is told" {
	run unshare -m bash -c 'mount -t tmpfs none /dev && semctl-cli limits'
	assert_status 0
	json '[.limits[].name] | contains(["kernel.sem semmni"]) and (contains(["/dev/shm blocks"]) | not)'
}

@test "limits: JSON types" {
	run semctl-cli limits
	json '.limits | all(keys == ["estimate", "name", "percent", "unit", "used", "value", "what"])'
	json '.limits | all((.value | type) == "number" and ((.used | type) == "number" or .used == null) and
		((.percent | type) == "number" or .percent == null) and (.estimate | type) == "boolean" and
		(.unit | type) == "string" and (.what | type) == "string" and (.used == null) == (.percent == null))'
	json '[.limits[].name] == (["kernel.sem semmni", "kernel.sem semmns", "kernel.sem semmsl",
		"kernel.sem semopm", "SEMVMX", "SEM_VALUE_MAX", "/dev/shm blocks", "/dev/shm inodes"])'
}

@test "limits: table, plain and columns" {
	run semctl-cli limits --table
	assert_match '^LIMIT +VALUE +USED +USE% +UNIT +BOUNDS'
	run semctl-cli limits --plain -o name,value
	assert_match $'SEMVMX\t32767'
	run semctl-cli limits -o nothing
	assert_status 2
	run semctl-cli limits --columns help
	assert_match 'percent +'
}

@test "limits: on a narrow terminal only the last column is wrapped" {
	local name
	NO_COLOR=1 run script -qec 'stty cols 80 && semctl-cli limits' /dev/null
	assert_status 0
	for name in 'kernel\.sem semmni' 'kernel\.sem semmns' 'kernel\.sem semmsl' 'kernel\.sem semopm' SEMVMX \
		SEM_VALUE_MAX '/dev/shm blocks' '/dev/shm inodes'; do
		assert_match "(^|"$'\n'")$name +[0-9-]+ +[0-9-]+ +[0-9-]+ +(sets|semaphores|operations|permits|bytes|inodes) +[a-z]"
	done
	while IFS= read -r line; do
		line=${line%$'\r'}
		((${#line} <= 80)) || fail "${#line} columns: $line"
	done <<<"$output"
}

@test "limits: works without any privilege" {
	run as_unprivileged semctl-cli limits
	assert_status 0
	assert_equal "$(limit SEMVMX value)" 32767
}

@test "limits: operands are status 2, output that cannot be written is 8" {
	run semctl-cli limits /jobs
	assert_status 2
	run bash -c 'semctl-cli limits >/dev/full'
	assert_status 8
}
