# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells
#
# In a user namespace of one user there is nobody to give things to: those cases run where more are
# mapped, and are skipped elsewhere.

load helpers
load queues

setup()
{
	mqtool create -q /jobs
	mqtool create -q key:0x77
	queue_id=$("$msg_peer" get 0x77)
}

# fields N,N...: of what the peer tells of the System V queue: 2 mode, 3 and 4 owner, 8 qbytes, 13 ctime.
fields()
{
	"$msg_peer" stat "$queue_id" | cut -d' ' -f"$1"
}

# modes: of both, as others see them.
modes()
{
	echo "$(stat -c %a /dev/mqueue/jobs) $(fields 2)"
}

# owners: user and group of both, as others see them.
owners()
{
	echo "$(stat -c '%u %g' /dev/mqueue/jobs) $(fields 3,4)"
}

# ---- qbytes ----

@test "set --qbytes: up and down, silent, as others see it" {
	local size
	for size in 100 8K 16384 1 0; do
		run --separate-stderr mqtool set key:0x77 --qbytes "$size"
		assert_status 0
		assert_equal "$output$stderr" ""
		case $size in
		8K) assert_equal "$(fields 8)" 8192 ;;
		*) assert_equal "$(fields 8)" "$size" ;;
		esac
	done
	mqtool set "id:$queue_id" --qbytes 10kB
	assert_equal "$(fields 8)" 10000
}

@test "set --qbytes: below what is in it nothing is lost, and nothing more goes in" {
	mqtool send key:0x77 one two
	mqtool set key:0x77 --qbytes 3
	assert_equal "$(fields 7,8)" "2 3"
	run mqtool send key:0x77 x --timeout 0
	assert_status 1
	mqtool set key:0x77 --qbytes 7
	mqtool send key:0x77 x --timeout 0
	assert_texts key:0x77 "one two x"
}

@test "set --qbytes: raising it lets a sender in that waits" {
	mqtool set key:0x77 --qbytes 4
	mqtool send key:0x77 full
	start "$msg_peer" send "$queue_id" 1 more
	wait_until 5 blocked_in "$pid" msgsnd
	mqtool set key:0x77 --qbytes 8
	finish "$pid"
	assert_status 0
	assert_texts key:0x77 "full more"
}

@test "set --qbytes: beyond kernel.msgmnb root may, an ordinary user is told that limit: status 6" {
	limit kernel.msgmnb 1000
	run --separate-stderr as_unprivileged mqtool set key:0x77 --qbytes 1001 --json
	assert_status 6
	assert_stderr '^mqtool set: key:0x77: .*kernel\.msgmnb is 1000 bytes, 1001 needed$'
	json '.error | .code == "EPERM" and .exit == 6 and .limit.name == "kernel.msgmnb" and .limit.value == 1000 and
		.limit.needed == 1001'
	assert_equal "$(fields 8)" 16384
	as_unprivileged mqtool set key:0x77 --qbytes 1000
	assert_equal "$(fields 8)" 1000
	# Lower is always allowed, back to what it was not.
	as_unprivileged mqtool set key:0x77 --qbytes 10
	run as_unprivileged mqtool set key:0x77 --qbytes 16384
	assert_status 6
}

@test "set --qbytes: more than the kernel can take is status 6, too" {
	local size
	for size in 2147483648 3G 9223372036854775807; do
		run --separate-stderr mqtool set key:0x77 --qbytes "$size" --json
		[[ $status == 6 ]] || fail "of $size" "$(show_last)"
		json '.error.limit.value == 2147483647'
		assert_equal "$(fields 8)" 16384
	done
}

@test "set --qbytes: of a POSIX queue is status 2" {
	run --separate-stderr mqtool set /jobs --qbytes 100
	assert_status 2
	assert_stderr 'the geometry of a POSIX queue is for life'
}

# ---- mode ----

@test "set --mode: silent; the mode is the one that others see, the messages stay" {
	mqtool send /jobs text
	mqtool send key:0x77 text
	run --separate-stderr mqtool set /jobs --mode 0640
	assert_status 0
	assert_equal "$output$stderr" ""
	mqtool set key:0x77 -m 0640
	assert_equal "$(modes)" "640 0640"
	mqtool set /jobs --mode 7
	mqtool set "id:$queue_id" --mode 7
	assert_equal "$(modes)" "7 0007"
	mqtool set /jobs --mode 0
	mqtool set key:0x77 --mode 0
	assert_equal "$(modes)" "0 0000"
	assert_texts /jobs text
	assert_texts key:0x77 text
	assert_equal "$(fields 8)" 16384
}

@test "set --mode: symbolic ones start from what is set, whatever the umask" {
	local object
	umask 077
	for object in /jobs key:0x77; do
		mqtool set "$object" --mode 0604
		mqtool set "$object" --mode g+rw
		mqtool set "$object" --mode u-w,o=
	done
	assert_equal "$(modes)" "460 0460"
	for object in /jobs key:0x77; do
		mqtool set "$object" --mode u=rw,g=u,o=g
		mqtool set "$object" --mode=a-w
	done
	assert_equal "$(modes)" "444 0444"
}

@test "set --mode: one that shuts its owner out can be taken back" {
	local object
	for object in /jobs key:0x77; do
		mqtool set "$object" --mode 0
		run as_unprivileged mqtool send "$object" text
		assert_status 5
		as_unprivileged mqtool set "$object" --mode 600
		mqtool set "$object" --mode 0
		as_unprivileged mqtool set "$object" --mode u+rw
		as_unprivileged mqtool send "$object" text
	done
	assert_equal "$(modes)" "600 0600"
}

@test "set --mode: needs no mount as long as the queue can be opened" {
	run --separate-stderr unshare -m bash -c 'umount /dev/mqueue && mqtool set /jobs --mode 0640'
	assert_status 0
	assert_equal "$stderr" ""
	assert_equal "$(modes)" "640 0600"
}

@test "set: several at a time, and the rest stays as it was" {
	local before
	mqtool send key:0x77 text
	before=$(fields 1,3-7,9-12)
	mqtool set key:0x77 --mode g+r --qbytes 1234 --owner 0:0
	assert_equal "$(fields 2,8)" "0640 1234"
	assert_equal "$(fields 1,3-7,9-12)" "$before"
	mqtool set /jobs --mode 0604 --owner 0
	assert_equal "$(modes)" "604 0640"
}

@test "set: a change that is refused changes nothing" {
	limit kernel.msgmnb 1000
	run as_unprivileged mqtool set key:0x77 --mode 0666 --qbytes 2000
	assert_status 6
	assert_equal "$(fields 2,8)" "0600 16384"
	run mqtool set /jobs --mode 0666 --owner no-such-user
	assert_status 2
	run mqtool set /jobs --mode 0666 --qbytes 5
	assert_status 2
	assert_equal "$(modes)" "600 0600"
}

@test "set: JSON where it is asked for" {
	run mqtool set /jobs --mode 0640 --json
	assert_output '{"object":"/jobs","backend":"posix"}'
	run mqtool set key:0x77 --qbytes 5 --json
	assert_output '{"object":"key:0x77","backend":"sysv"}'
}

# ---- owner ----

@test "set --owner: to whom it belongs already" {
	local object owner
	for object in /jobs key:0x77 "id:$queue_id"; do
		for owner in 0 root 0:0 root:root :0 :root; do
			run mqtool set "$object" --owner "$owner"
			assert_status 0
			assert_output ""
		done
	done
	assert_equal "$(owners) $(modes)" "0 0 0 0 600 0600"
}

@test "set --owner: bad ones are status 2" {
	local owner
	for owner in nosuchuser 0:nosuchgroup : 0: '' 4294967295 -2 1x; do
		run mqtool set /jobs --owner="$owner"
		[[ $status == 2 ]] || fail "of \"$owner\"" "$(show_last)"
	done
}

@test "set --owner: to a user that this namespace has not is said so, and changes nothing" {
	local object
	(($(wc -l </proc/self/uid_map) == 1)) && read -r _ _ count </proc/self/uid_map && ((count == 1)) ||
		skip "other users are mapped here"
	for object in /jobs key:0x77; do
		run --separate-stderr mqtool set "$object" --owner 4711 --json
		assert_status 2
		assert_stderr 'no such user or group'
	done
	assert_equal "$(owners)" "0 0 0 0"
}

@test "set --owner: gives both to another user and group; the creator stays" {
	others_mapped
	mqtool set /jobs --owner 4711:4712
	mqtool set key:0x77 --owner 4711:4712
	assert_equal "$(owners)" "4711 4712 4711 4712"
	mqtool set /jobs --owner :5
	mqtool set key:0x77 --owner :5
	assert_equal "$(owners)" "4711 5 4711 5"
	run mqtool info key:0x77
	json '.uid == 4711 and .gid == 5 and .cuid == 0 and .cgid == 0 and .user == null'
	run mqtool list --owner 4711 --plain -o name
	assert_equal "${#lines[@]}" 2
}

@test "set: refused to who is not the owner is status 5" {
	others_mapped
	for object in /jobs key:0x77; do
		run setpriv --reuid 4711 --clear-groups mqtool set "$object" --owner 4711
		assert_status 5
		run setpriv --reuid 4711 --clear-groups mqtool set "$object" --mode 666
		assert_status 5
	done
	run setpriv --reuid 4711 --clear-groups mqtool set key:0x77 --qbytes 5
	assert_status 5
	assert_equal "$(owners) $(modes) $(fields 8)" "0 0 0 0 600 0600 16384"
}

# ---- what fails ----

@test "set: what is not there is status 3" {
	local object
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/none"; do
		run --separate-stderr mqtool set "$object" --mode 600 --json
		assert_status 3
		json --arg object "$object" '.error | .code == "ENOENT" and .object == $object'
		run mqtool set "$object" --owner 0
		assert_status 3
	done
	run mqtool set key:0x7777 --qbytes 5
	assert_status 3
}

@test "set: bad modes, sizes and operands are status 2, and change nothing" {
	local mode size
	for mode in 1000 0800 8 07777 -1 rw u+q 'u=rwx,' '' 0x1ff u+s +t; do
		run mqtool set /jobs --mode="$mode"
		[[ $status == 2 ]] || fail "of mode \"$mode\"" "$(show_last)"
	done
	for size in -1 x 1x 0x 0x10 '' 1KK 9223372036854775808 99999999999999999999; do
		run --separate-stderr mqtool set key:0x77 --qbytes="$size"
		[[ $status == 2 ]] || fail "of size \"$size\"" "$(show_last)"
		assert_stderr --qbytes
	done
	run --separate-stderr mqtool set /jobs
	assert_status 2
	assert_stderr '^mqtool set: /jobs: one of --qbytes, --mode and --owner is needed$'
	run mqtool set --mode 600
	assert_status 2
	run mqtool set /jobs key:0x77 --mode 600
	assert_status 2
	run mqtool set jobs --mode 600
	assert_status 2
	run mqtool set private --mode 600
	assert_status 2
	assert_equal "$(modes) $(fields 8)" "600 0600 16384"
}
