# SPDX-License-Identifier: GPL-2.0-or-later
# What semctl-cli makes others see and use, and the other way round: ipcs, ipcmk, ipcrm, lsipc,
# and programs that know libc alone. Compared field by field.
# shellcheck disable=SC2016 # the variables of jq

load helpers

posix_peer=$IPCKIT_BUILD/tests/peers/posix-peer
sysv_peer=$IPCKIT_BUILD/tests/peers/sysv-peer

setup()
{
	ipcrm --all=sem
	rm -rf /dev/shm/*
}

# object_of NAME: what list says of one object, as an object.
object_of()
{
	semctl-cli list | jq -e --arg name "$1" '.semaphores[] | select(.name == $name)'
}

# sysv_fields: those of peer's `stat`, from the object on standard input.
sysv_fields()
{
	jq -r '[.key, .mode, .uid, .gid, .cuid, .cgid, .nsems, .otime, .ctime] | map(tostring) | join(" ")'
}

# slot_fields N: those of peer's `slot`, from the object on standard input.
slot_fields()
{
	jq -r --argjson n "$1" '.semaphores[$n] | [.value, .ncnt, .zcnt, .pid] | map(tostring) | join(" ")'
}

# is_queued ID INDEX N: whether the kernel counts N waiters for permits.
is_queued()
{
	local slot
	read -ra slot <<<"$("$sysv_peer" slot "$1" "$2")"
	[[ ${slot[1]} == "$3" ]]
}

# ---- POSIX ----

@test "a semaphore of semctl-cli is what sem_open opens" {
	semctl-cli create /jobs --value 2 --mode 0640
	run "$posix_peer" value /jobs
	assert_output 2
	"$posix_peer" wait /jobs
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 1
	"$posix_peer" try /jobs
	run -11 "$posix_peer" try /jobs
	assert_equal "$(semctl-cli value /jobs --plain -o value)" 0
	"$posix_peer" post /jobs
	semctl-cli wait /jobs --timeout 0
	run -17 "$posix_peer" create /jobs 1 600
	"$posix_peer" unlink /jobs
	run semctl-cli info /jobs
	assert_status 3
}

@test "a semaphore of sem_open is one for semctl-cli" {
	"$posix_peer" create /theirs 7 0620
	run semctl-cli info /theirs
	assert_status 0
	json '.backend == "posix" and .name == "/theirs" and .value == 7 and .mode == "0620"'
	json '.waiters == 0 and .waiters_recorded == 0 and .users == [] and .holders == []'
	semctl-cli wait /theirs --count 3
	semctl-cli post /theirs
	run "$posix_peer" value /theirs
	assert_output 5
	run semctl-cli create /theirs --value 1
	json '.created == false'
	run "$posix_peer" value /theirs
	assert_output 5
	semctl-cli rm /theirs
	run -2 "$posix_peer" value /theirs
}

@test "the file that create makes is, byte for byte, that of sem_open" {
	local value
	for value in 0 1 77 2147483647; do
		semctl-cli create "/ours$value" --value "$value" --mode 0604
		"$posix_peer" create "/theirs$value" "$value" 0604
		cmp "/dev/shm/sem.ours$value" "/dev/shm/sem.theirs$value"
		assert_equal "$(stat -c '%a %s %h %F %u %g' "/dev/shm/sem.ours$value")" \
			"$(stat -c '%a %s %h %F %u %g' "/dev/shm/sem.theirs$value")"
	done
}

@test "info and list of a POSIX semaphore agree with stat, field by field" {
	local name
	semctl-cli create /ours --value 4 --mode 0644
	"$posix_peer" create /theirs 4 0644
	for name in ours theirs; do
		run semctl-cli info "/$name"
		assert_equal "$(json_get '[.mode, .uid, .user, .gid, .group, .size, .mtime] | map(tostring) | join(" ")')" \
			"0$(stat -c '%a %u %U %g %G %s %Y' "/dev/shm/sem.$name")"
		json --argjson size "$("$posix_peer" size)" '.size == $size'
		run diff <(jq -S . <<<"$output" | jq -S 'del(.users, .waiting, .holders, .unreadable_processes)') \
			<(object_of "/$name" | jq -S .)
		assert_output ""
	done
}

@test "a program blocked in sem_wait is seen, counted, and woken by post" {
	semctl-cli create /jobs
	start "$posix_peer" wait /jobs
	wait_until 5 blocked_in "$pid" futex
	run semctl-cli info /jobs
	json --argjson pid "$pid" '.waiters == 1 and .waiters_recorded == 1 and
		(.waiting | length == 1) and .waiting[0].pid == $pid and .waiting[0].tid == $pid and
		(.waiting[0].command | endswith("posix-peer wait /jobs")) and
		(.users | length == 1) and .users[0].pid == $pid and .users[0].evidence == "mapped"'
	semctl-cli post /jobs
	finish "$pid"
	assert_status 0
	run semctl-cli info /jobs
	json '.value == 0 and .waiters == 0 and .users == []'
}

@test "a semctl-cli that waits is woken by sem_post" {
	semctl-cli create /jobs
	start semctl-cli wait /jobs
	wait_until 5 blocked_in "$pid" futex
	"$posix_peer" post /jobs
	finish "$pid"
	assert_status 0
	run "$posix_peer" value /jobs
	assert_output 0
}

@test "lsipc -S and list agree, where this lsipc shows POSIX semaphores" {
	[[ $(lsipc --help) == *posix-semaphores* ]] || skip "this lsipc does not show them"
	semctl-cli create /jobs --value 3 --mode 0640
	"$posix_peer" create /theirs 1 0600
	run diff <(lsipc --posix-semaphores --json | jq -r '.posix_semaphores // .semaphores // .[keys[0]] |
			map(.name | ltrimstr("/")) | sort[]') \
		<(semctl-cli list --backend posix | jq -r '.semaphores | map(.name | ltrimstr("/")) | sort[]')
	assert_output ""
}

# ---- System V ----

@test "a set of semctl-cli is what semget finds and semop changes" {
	semctl-cli create key:0x1234 --values 2,0,5 --mode 0640
	id=$("$sysv_peer" get 0x1234)
	assert_equal "$("$sysv_peer" slot "$id" 2 | cut -d' ' -f1)" 5
	"$sysv_peer" op "$id" 0:-2 1:+3
	run semctl-cli values key:0x1234
	json '[.values[].value] == [0, 3, 5]'
	"$sysv_peer" set "$id" 2 9
	assert_equal "$(semctl-cli value "id:$id#2" --plain -o value)" 9
	"$sysv_peer" rm "$id"
	run semctl-cli info key:0x1234
	assert_status 3
}

@test "info and list of a set agree with IPC_STAT and semctl, field by field" {
	local id i
	semctl-cli create key:0xfedcba98 --values 2,0,5 --mode 0640
	"$sysv_peer" create 0x77 2 0604
	"$sysv_peer" op "$("$sysv_peer" get 0x77)" 1:+4
	"$sysv_peer" create 0x78 1 0600
	for id in $("$sysv_peer" get 0xfedcba98) $("$sysv_peer" get 0x77) $("$sysv_peer" get 0x78); do
		assert_equal "$(semctl-cli info "id:$id" | sysv_fields)" "$("$sysv_peer" stat "$id")"
		assert_equal "$(object_of "id:$id" | sysv_fields)" "$("$sysv_peer" stat "$id")"
		for ((i = 0; i < $(semctl-cli info "id:$id" | jq .nsems); i++)); do
			assert_equal "$(semctl-cli info "id:$id" | slot_fields "$i" | sed 's/null/0/')" \
				"$("$sysv_peer" slot "$id" "$i")"
		done
	done
}

@test "ipcs shows what semctl-cli made, field by field" {
	local line wanted
	run semctl-cli create key:0x1234 --values 2,0,5 --mode 0640
	id=$(json_get .id)
	read -ra line <<<"$(ipcs -s | grep '^0x00001234')"
	assert_equal "${line[*]}" "0x00001234 $id root 640 3"
	run semctl-cli info "id:$id"
	wanted=$(jq -r '.semaphores[] | "\(.index) \(.value) \(.ncnt) \(.zcnt) \(.pid)"' <<<"$output")
	run bash -c "ipcs -s -i '$id' | awk 'seen && NF { \$1 = \$1; print } /^semnum/ { seen = 1 }'"
	assert_output "$wanted"
	assert_equal "$(ipcs -s -i "$id" | sed -n 's/^mode=\([0-7]*\),.*/\1/p')" 0640
	assert_equal "$(ipcs -s -i "$id" | sed -n 's/^uid=\([0-9]*\)\t gid=\([0-9]*\)\t cuid=\([0-9]*\)\t cgid=\([0-9]*\).*/\1 \2 \3 \4/p')" "0 0 0 0"
}

@test "lsipc and list agree on every set, field by field" {
	semctl-cli create key:0x1234 --values 2,0,5 --mode 0640
	ipcmk -S 4 -p 0606
	semctl-cli create private
	"$sysv_peer" create 0x80000001 2 0600
	# Its times are texts, its numbers too; an operation that never was is null.
	lsipc -s --json -P --time-format=iso \
		-o KEY,ID,PERMS,UID,USER,GID,GROUP,CUID,CGID,CTIME,OTIME,NSEMS |
		jq -r '.semaphores[] | [.key, .id, .perms, .uid, .user, .gid, .group, .cuid, .cgid, .nsems,
			(.ctime | sub("\\+00:00$"; "Z") | fromdate),
			(if .otime then .otime | sub("\\+00:00$"; "Z") | fromdate else 0 end)] |
			map(tostring) | join(" ")' | sort >"$TMPDIR/theirs"
	semctl-cli list --backend sysv --plain \
		-o key,id,mode,uid,user,gid,group,cuid,cgid,nsems,ctime,otime | tr '\t' ' ' | sort >"$TMPDIR/ours"
	run diff "$TMPDIR/ours" "$TMPDIR/theirs"
	assert_output ""
	assert_equal "$(wc -l <"$TMPDIR/ours")" 4
}

@test "a set of ipcmk is one for semctl-cli, and ipcrm removes one of semctl-cli" {
	id=$(ipcmk -S 3 -p 0640 | tr -dc 0-9)
	run semctl-cli info "id:$id"
	json '.nsems == 3 and .mode == "0640" and .otime == 0 and ([.semaphores[].value] == [0, 0, 0])'
	# It never gets an operation time of its own, so whoever opens it has to wait a second.
	semctl-cli post "id:$id#1" --count 4
	assert_equal "$("$sysv_peer" slot "$id" 1 | cut -d' ' -f1)" 4
	semctl-cli rm "id:$id"
	[[ $(ipcs -s) != *" $id "* ]]
	semctl-cli create key:0x55
	ipcrm -S 0x55
	run semctl-cli info key:0x55
	assert_status 3
	run semctl-cli create private
	ipcrm -s "$(json_get .id)"
	run semctl-cli list --backend sysv
	assert_output '{"semaphores":[]}'
}

@test "a program blocked in semop is seen with index and count, and woken by post" {
	run semctl-cli create private --nsems 3
	id=$(json_get .id)
	start "$sysv_peer" op "$id" 2:-4
	wait_until 5 is_queued "$id" 2 1
	wait_until 5 blocked_in "$pid" semop semtimedop
	run semctl-cli info "id:$id"
	json --argjson pid "$pid" '.waiters == 1 and .semaphores[2].ncnt == 1 and
		(.waiting | length == 1) and .waiting[0].pid == $pid and .waiting[0].index == 2 and
		.waiting[0].count == 4 and ([.users[] | select(.pid == $pid)] | length == 1)'
	semctl-cli post "id:$id#2" --count 4
	finish "$pid"
	assert_status 0
}

@test "a program that waits for zero is counted as such" {
	run semctl-cli create private --value 1
	id=$(json_get .id)
	start "$sysv_peer" op "$id" 0:0
	wait_until 5 blocked_in "$pid" semop semtimedop
	run semctl-cli info "id:$id"
	json '.waiters == 1 and .semaphores[0].zcnt == 1 and .semaphores[0].ncnt == 0'
	semctl-cli wait "id:$id"
	finish "$pid"
	assert_status 0
}

@test "rm under a program that waits gives it EIDRM" {
	run semctl-cli create private
	id=$(json_get .id)
	start "$sysv_peer" op "$id" 0:-1
	wait_until 5 is_queued "$id" 0 1
	semctl-cli rm "id:$id"
	finish "$pid"
	assert_status 43
}

@test "what a program took with SEM_UNDO comes back when it is killed" {
	run semctl-cli create private --value 3
	id=$(json_get .id)
	start "$sysv_peer" hold "$id" 0:-2u
	wait_until 5 blocked_in "$pid" pause rt_sigsuspend poll ppoll
	assert_equal "$(semctl-cli value "id:$id" --plain -o value)" 1
	run semctl-cli info "id:$id"
	json --argjson pid "$pid" '.semaphores[0].pid == $pid and
		([.users[] | select(.pid == $pid and .evidence == "last pid")] | length == 1)'
	kill -KILL "$pid"
	wait_until 5 gone "$pid"
	run semctl-cli info "id:$id"
	json '.semaphores[0].value == 3 and .users == []'
}

@test "an ftok name is the key of ftok(3)" {
	touch "$TMPDIR/file"
	key=$("$sysv_peer" ftok "$TMPDIR/file" 7)
	semctl-cli create "ftok:$TMPDIR/file,7"
	"$sysv_peer" get "$key"
	"$sysv_peer" create "$("$sysv_peer" ftok "$TMPDIR/file" 200)" 1 600
	run semctl-cli info "ftok:$TMPDIR/file,200"
	assert_status 0
	json --argjson key "$("$sysv_peer" ftok "$TMPDIR/file" 200)" '.key == ($key + 4294967296) % 4294967296'
}
