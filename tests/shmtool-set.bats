# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the variables of jq and of other shells
#
# In a user namespace of one user there is nobody to give things to: those cases run where more are
# mapped, and are skipped elsewhere.

load helpers
load segments

setup()
{
	shmtool create -q /frame --size 4096
	shmtool create -q key:0x77 --size 4096
}

# perms: mode of the System V one, as ipcs has it.
perms()
{
	ipcs -m | sed -n 's/^0x00000077 *[0-9]* *[^ ]* *\([0-7]*\) .*/\1/p'
}

# modes: of both, as others see them.
modes()
{
	echo "$(stat -c %a /dev/shm/frame) $(perms)"
}

@test "set --mode: silent; the mode is the one that others see, the bytes and the size stay" {
	shmtool write /frame text
	shmtool write key:0x77 text
	run --separate-stderr shmtool set /frame --mode 0640
	assert_status 0
	assert_equal "$output$stderr" ""
	shmtool set key:0x77 -m 0640
	assert_equal "$(modes)" "640 640"
	shmtool set /frame --mode 7
	shmtool set "id:$(id_of key:0x77)" --mode 7
	assert_equal "$(modes)" "7 7"
	shmtool set /frame --mode 0
	shmtool set key:0x77 --mode 0
	assert_equal "$(modes)" "0 0"
	assert_text /frame text
	assert_text key:0x77 text
	assert_equal "$(told /frame size) $(told key:0x77 size)" "4096 4096"
}

@test "set --mode: symbolic ones start from the mode that is, whatever the umask" {
	umask 077
	for object in /frame key:0x77; do
		shmtool set "$object" --mode 640
		shmtool set "$object" --mode g+w,o=r,u-w
	done
	assert_equal "$(modes)" "464 464"
	for object in /frame key:0x77; do
		shmtool set "$object" --mode =
	done
	assert_equal "$(modes)" "0 0"
}

@test "set --mode: decides what others may do from then on" {
	for object in /frame key:0x77; do
		shmtool set "$object" --mode 0400
		run as_unprivileged shmtool write "$object" x
		assert_status 5
		as_unprivileged shmtool read "$object" --length 1 >/dev/null
		shmtool set "$object" --mode 0
		run as_unprivileged shmtool read "$object" --length 1
		assert_status 5
		# The owner may take it back.
		as_unprivileged shmtool set "$object" --mode 0600
		as_unprivileged shmtool write "$object" x
	done
}

@test "set --mode: a segment that is marked for destruction stays so" {
	id=$(id_of key:0x77)
	hold key:0x77
	shmtool rm key:0x77
	shmtool set "id:$id" --mode 0640
	assert_equal "$(shmtool info "id:$id" --plain -o mode,dest,nattch)" $'0640\ttrue\t1'
}

@test "set: one that is used goes on being used" {
	for object in /frame key:0x77; do
		start "$shm_peer" add "$(peer_name "$object")" 8 1000000000
		counts()
		{
			[[ $("$shm_peer" read "$(peer_name "$object")" 8 8 | tr -d '\0' | wc -c) != 0 ]]
		}
		wait_until 5 counts
		shmtool set "$object" --mode 0
		! gone "$pid" || fail "its user ended"
		stop "$pid"
	done
}

@test "set --owner: one that the user namespace lacks is status 2, and the mode stays" {
	grep -q ' 1$' /proc/self/uid_map || skip "all users are mapped here"
	for object in /frame key:0x77; do
		run --separate-stderr shmtool set "$object" --owner 1234 --json
		assert_status 2
		assert_stderr 'this user namespace has no such user or group'
		shmtool set "$object" --owner root:root
		shmtool set "$object" --owner 0:0
		run shmtool set "$object" --owner no-such-user
		assert_status 2
	done
	assert_equal "$(modes)" "600 600"
}

@test "set --owner: as others see it" {
	read -r _ _ count </proc/self/uid_map
	((count > 4711)) || skip "one user only is mapped here"
	for object in /frame key:0x77; do
		shmtool set "$object" --owner 4711:4712 --mode 640
		run shmtool info "$object"
		json '.uid == 4711 and .gid == 4712 and .mode == "0640" and (.cuid // 0) == 0'
		shmtool set "$object" --owner :4713
		run shmtool info "$object"
		json '.uid == 4711 and .gid == 4713'
		run setpriv --reuid 4714 --clear-groups shmtool set "$object" --mode 666
		assert_status 5
	done
}

@test "set: JSON where it is asked for" {
	run shmtool set /frame --mode 640 --json
	assert_output '{"object":"/frame","backend":"posix"}'
	run shmtool set key:0x77 --mode 640 --plain
	assert_output $'key:0x77\tsysv\t-\t-'
	run shmtool set --columns help
	assert_status 0
}

@test "set: what is not there is status 3" {
	for object in /none key:0x7777 id:4711 "ftok:$TMPDIR/none"; do
		for mode in 600 u+r; do
			run --separate-stderr shmtool set "$object" --mode "$mode" --json
			assert_status 3
		done
		json --arg object "$object" '.error | .code == "ENOENT" and .object == $object and .verb == "set"'
	done
}

@test "set: without anything to set, and bad words, are status 2" {
	run --separate-stderr shmtool set /frame
	assert_status 2
	assert_stderr 'one of --mode and --owner is needed'
	for mode in '' 8 7777 rw u=y 01000 -1; do
		run --separate-stderr shmtool set /frame --mode "$mode"
		assert_status 2
		assert_stderr -- '^shmtool set: --mode: '
	done
	run --separate-stderr shmtool set /frame --moed 600
	assert_stderr 'did you mean --mode'
	for object in frame private key:0 ''; do
		run shmtool set "$object" --mode 600
		assert_status 2
	done
	run shmtool set --mode 600
	assert_status 2
	assert_equal "$(modes)" "600 600"
}
