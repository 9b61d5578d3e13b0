# SPDX-License-Identifier: GPL-2.0-or-later
# chmod and chown. In a user namespace of one user there is nobody to give things to: those cases
# run where more are mapped, and are skipped elsewhere.

load helpers

sysv_peer=$IPCKIT_BUILD/tests/peers/sysv-peer

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
	semctl-cli create /jobs --value 3 >/dev/null
	semctl-cli create key:0x77 --value 4 >/dev/null
	set_id=$("$sysv_peer" get 0x77)
}

# modes: of both, as others see them.
modes()
{
	echo "$(stat -c %a /dev/shm/sem.jobs) $("$sysv_peer" stat "$set_id" | cut -d' ' -f2)"
}

# owners: user and group of both, as others see them.
owners()
{
	echo "$(stat -c '%u %g' /dev/shm/sem.jobs) $("$sysv_peer" stat "$set_id" | cut -d' ' -f3,4)"
}

@test "chmod: silent; the mode is the one that others see, the value stays" {
	run semctl-cli chmod /jobs 0640
	assert_status 0
	assert_output ""
	run semctl-cli chmod key:0x77 0640
	assert_status 0
	assert_equal "$(modes)" "640 0640"
	semctl-cli chmod /jobs 7
	semctl-cli chmod "id:$set_id" 7
	assert_equal "$(modes)" "7 0007"
	semctl-cli chmod /jobs 0
	semctl-cli chmod key:0x77 0
	assert_equal "$(modes)" "0 0000"
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 3
	assert_equal "$(semctl-cli value key:0x77 --plain -o value)" 4
}

@test "chmod: symbolic modes start from the one that is set, whatever the umask" {
	local object
	umask 077
	for object in /jobs key:0x77; do
		semctl-cli chmod "$object" 0604
		semctl-cli chmod "$object" g+rw
		semctl-cli chmod "$object" u-w,o=
	done
	assert_equal "$(modes)" "460 0460"
	for object in /jobs key:0x77; do
		semctl-cli chmod "$object" u=rw,g=u,o=g
		semctl-cli chmod "$object" a-w
	done
	assert_equal "$(modes)" "444 0444"
}

@test "chmod: a mode that shuts its owner out can be taken back" {
	semctl-cli chmod /jobs 0
	semctl-cli chmod key:0x77 0
	as_unprivileged semctl-cli chmod /jobs 600
	as_unprivileged semctl-cli chmod key:0x77 600
	assert_equal "$(modes)" "600 0600"
	semctl-cli chmod key:0x77 0
	as_unprivileged semctl-cli chmod key:0x77 u+rw
	assert_equal "$(modes)" "600 0600"
}

@test "chmod: changes the set's ctime, and neither otime nor last pids" {
	run semctl-cli info key:0x77
	before=$(json_get '[.otime, .semaphores[0].pid] | tostring')
	semctl-cli chmod key:0x77 0640
	run semctl-cli info key:0x77
	assert_equal "$(json_get '[.otime, .semaphores[0].pid] | tostring')" "$before"
}

@test "chmod: JSON where it is asked for" {
	run semctl-cli chmod /jobs 0640 --json
	assert_status 0
	json '.object == "/jobs" and .backend == "posix"'
}

@test "chmod: bad modes and operands are status 2, and change nothing" {
	local mode
	for mode in 1000 0800 8 07777 -1 rw u+q 'u=rwx,' '' 0x1ff u+s +t; do
		run --separate-stderr semctl-cli chmod /jobs "$mode"
		assert_status 2
	done
	run semctl-cli chmod /jobs
	assert_status 2
	run semctl-cli chmod /jobs 600 600
	assert_status 2
	run semctl-cli chmod jobs 600
	assert_status 2
	assert_equal "$(modes)" "600 0600"
}

@test "chmod, chown: what is not there is status 3" {
	local object
	for object in /none key:0x7777 id:4711; do
		run semctl-cli chmod "$object" 600
		assert_status 3
		run semctl-cli chown "$object" 0
		assert_status 3
	done
}

@test "chmod, chown: no permission is status 5" {
	chmod 0 /dev/shm
	run as_unprivileged semctl-cli chmod /jobs 640
	chmod_status=$status
	run as_unprivileged semctl-cli chown /jobs 0
	chmod 1777 /dev/shm
	assert_status 5
	assert_equal "$chmod_status" 5
	assert_equal "$(modes)" "600 0600"
}

@test "chmod, chown: other kinds of semaphore are status 8" {
	truncate -s 4096 "$TMPDIR/file"
	semctl-cli create "$TMPDIR/file@0"
	run --separate-stderr semctl-cli chmod "$TMPDIR/file@0" 600
	assert_status 8
	assert_stderr 'not supported by unnamed semaphores'
	run semctl-cli chown "$TMPDIR/file@0" 0
	assert_status 8
}

@test "chmod, chown: a read-only /dev/shm is status 8" {
	mount -o remount,bind,ro /dev/shm
	run --separate-stderr semctl-cli chmod /jobs 640
	chmod_status=$status
	run --separate-stderr semctl-cli chown /jobs 0
	mount -o remount,bind,rw /dev/shm
	assert_status 8
	assert_stderr 'read-only'
	assert_equal "$chmod_status" 8
}

@test "chown: to whom it belongs already" {
	local object owner
	for object in /jobs key:0x77 "id:$set_id"; do
		for owner in 0 root 0:0 root:root :0 :root; do
			run semctl-cli chown "$object" "$owner"
			assert_status 0
			assert_output ""
		done
	done
	assert_equal "$(owners)" "0 0 0 0"
	assert_equal "$(modes)" "600 0600"
}

@test "chown: bad owners are status 2" {
	local owner
	for owner in nosuchuser 0:nosuchgroup : 0: '' 4294967295 -2 1x; do
		run semctl-cli chown /jobs "$owner"
		assert_status 2
	done
	run semctl-cli chown /jobs
	assert_status 2
}

@test "chown: to a user that this namespace has not is said so, and changes nothing" {
	(($(wc -l </proc/self/uid_map) == 1)) && read -r _ _ count </proc/self/uid_map && ((count == 1)) ||
		skip "other users are mapped here"
	local object
	for object in /jobs key:0x77; do
		run --separate-stderr semctl-cli chown "$object" 4711
		assert_status 2
		assert_stderr 'no such user or group'
	done
	assert_equal "$(owners)" "0 0 0 0"
}

@test "chown: gives both to another user and group; the creator stays" {
	others_mapped
	semctl-cli chown /jobs 4711:4712
	semctl-cli chown key:0x77 4711:4712
	assert_equal "$(owners)" "4711 4712 4711 4712"
	semctl-cli chown /jobs :5
	semctl-cli chown key:0x77 :5
	assert_equal "$(owners)" "4711 5 4711 5"
	run semctl-cli info key:0x77
	json '.uid == 4711 and .gid == 5 and .cuid == 0 and .cgid == 0 and .user == null'
	run semctl-cli list --owner 4711 --plain -o name
	assert_equal "${#lines[@]}" 2
}

@test "chown: refused to who is not the owner is status 5" {
	others_mapped
	for object in /jobs key:0x77; do
		run setpriv --reuid 4711 --clear-groups semctl-cli chown "$object" 4711
		assert_status 5
		run setpriv --reuid 4711 --clear-groups semctl-cli chmod "$object" 666
		assert_status 5
	done
	assert_equal "$(owners) $(modes)" "0 0 0 0 600 0600"
}
