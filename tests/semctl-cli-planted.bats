# SPDX-License-Identifier: GPL-2.0-or-later
# What somebody put where a POSIX semaphore is looked for: never listed, never a value, never
# a wait without end. And names that are legal, but awkward to print.
# shellcheck disable=SC2016 # the variables of jq

load helpers

posix_peer=$IPCKIT_BUILD/tests/peers/posix-peer

setup()
{
	rm -rf /dev/shm/*
	semctl-cli create /real --value 3 >/dev/null
}

# refused VERB...: status 7 within time, no value, and what stands there unchanged.
refused()
{
	run --separate-stderr timeout 5 semctl-cli "$@" --json
	[[ $status == 7 ]] || fail "$*: expected status 7" "$(show_last)"
	assert_stderr "^semctl-cli $1: /x: "
	json --arg verb "$1" 'keys == ["error"] and .error.exit == 7 and .error.verb == $verb and
		.error.object == "/x" and (.error.code == "EBADMSG" or .error.code == "ELOOP")'
}

# refused_by_all: every verb that would take /dev/shm/sem.x for a semaphore.
refused_by_all()
{
	local before
	before=$(stat -c '%F %s %a %i %Y' /dev/shm/sem.x)
	refused info /x
	refused value /x
	refused wait /x --timeout 2
	refused post /x
	refused set /x 1
	refused create /x --value 1
	run timeout 5 semctl-cli exec /x --timeout 2 -- true
	assert_status 125
	assert_equal "$(stat -c '%F %s %a %i %Y' /dev/shm/sem.x)" "$before" "what stands there"
	left_out 1
}

# left_out N: list shows the real one alone, and counts N others when it is to be verbose.
left_out()
{
	run --separate-stderr timeout 5 semctl-cli list
	assert_status 0
	assert_equal "$stderr" "" "stderr"
	json '[.semaphores[] | select(.backend == "posix") | .name] == ["/real"]'
	run --separate-stderr timeout 5 semctl-cli list --verbose
	assert_status 0
	json '[.semaphores[] | select(.backend == "posix") | .name] == ["/real"]'
	if (($1 == 1)); then
		assert_stderr '^semctl-cli list: 1 file named like semaphores in /dev/shm left out: no semaphores$'
	else
		assert_stderr "^semctl-cli list: $1 files named like semaphores in /dev/shm left out: no semaphores\$"
	fi
	run timeout 5 semctl-cli clean --older-than 0
	json '[.semaphores[] | select(.backend == "posix") | .name] == ["/real"]'
}

# image WORD...: 32-bit words as the file of a semaphore.
image()
{
	local word
	for word; do
		printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((word & 255)) $((word >> 8 & 255)) \
			$((word >> 16 & 255)) $((word >> 24 & 255)))"
	done >/dev/shm/sem.x
}

@test "planted: an empty file" {
	: >/dev/shm/sem.x
	refused_by_all
}

@test "planted: a file that ends too early" {
	local size
	for size in 1 16 31; do
		head -c "$size" /dev/zero >/dev/shm/sem.x
		refused_by_all
	done
}

@test "planted: a file that is too long" {
	cp /dev/shm/sem.real /dev/shm/sem.x
	printf x >>/dev/shm/sem.x
	refused_by_all
	truncate -s 1G /dev/shm/sem.x
	refused_by_all
}

@test "planted: a symbolic link, even to a semaphore" {
	ln -s sem.real /dev/shm/sem.x
	refused_by_all
	ln -sfn /dev/shm/sem.none /dev/shm/sem.x
	refused_by_all
	[[ ! -e /dev/shm/sem.none ]]
	ln -sfn sem.x /dev/shm/sem.x
	refused_by_all
}

@test "planted: a FIFO, with and without a writer" {
	mkfifo /dev/shm/sem.x
	refused_by_all
	exec 7<>/dev/shm/sem.x
	refused_by_all
	exec 7>&-
}

@test "planted: a directory" {
	mkdir /dev/shm/sem.x
	refused_by_all
	refused rm /x
	[[ -d /dev/shm/sem.x ]]
}

@test "planted: a socket" {
	perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un("/dev/shm/sem.x")) or die'
	refused_by_all
}

@test "planted: a device" {
	: >/dev/shm/sem.x
	mount --bind /dev/zero /dev/shm/sem.x
	refused_by_all
	umount /dev/shm/sem.x
}

@test "planted: 32 bytes that are no semaphore" {
	printf 'exactly 32 bytes, but no numbers' >/dev/shm/sem.x
	refused info /x
	refused value /x
	left_out 1
	# Beyond SEM_VALUE_MAX; more waiters than threads can be; no bit but the fields' is ever set.
	image 0x80000000 0 0 0 0 0 0 0
	refused info /x
	image 3 0x7fffffff 0 0 0 0 0 0
	refused info /x
	image 3 0 0 0 0 0 0 1
	refused info /x
	left_out 1
}

@test "planted: random bytes of every size are neither listed nor crash" {
	local i
	for ((i = 0; i < 64; i++)); do
		head -c "$i" /dev/urandom >"/dev/shm/sem.x$i"
	done
	left_out 64
	for ((i = 0; i < 64; i++)); do
		run timeout 5 semctl-cli info "/x$i"
		assert_status 7
	done
}

@test "planted: a name of nothing but the prefix, and libc's own temporary" {
	cp /dev/shm/sem.real /dev/shm/sem.
	head -c 16 /dev/zero >/dev/shm/sem.aBcDeF
	left_out 2
}

@test "planted: files of other names are none of its business" {
	cp /dev/shm/sem.real /dev/shm/other
	mkfifo /dev/shm/Sem.real
	run --separate-stderr semctl-cli list --verbose
	json '[.semaphores[].name] == ["/real"]'
	assert_equal "$stderr" ""
}

@test "planted: chmod and chown do not follow a link" {
	ln -s sem.real /dev/shm/sem.x
	refused chmod /x 0666
	refused chown /x 0
	assert_equal "$(stat -c %a /dev/shm/sem.real)" 600
}

@test "planted: times beyond all bounds do not confuse ages" {
	touch -d @-9223372036854775808 /dev/shm/sem.real
	run semctl-cli list --older-than 1h --table
	assert_status 0
	run semctl-cli clean --older-than 1h
	assert_status 0
	json '.semaphores[] | select(.name == "/real") | .orphan == false'
	touch -d @9223372036854775807 /dev/shm/sem.real
	run semctl-cli list --older-than 1h
	assert_output '{"semaphores":[]}'
	run semctl-cli clean --older-than 0 --yes
	json '.semaphores[] | select(.name == "/real") |
		.orphan == false and .removed == false and (.reason | contains("future"))'
}

@test "names: whatever a file may be called is valid JSON, and can be used as printed" {
	local name names=($'/new\nline' $'/tab\tulator' $'/quo"te\'s' '/back\slash' '/ blank ' '/*' '/[a]'
		'/-rf' '/sem.sem' $'/\x7f\x1b[31m' '/ütf-8' '/$(id)' '/#1' '/a:b' $'/\x01' '/@' '/%s%n')
	rm -rf /dev/shm/*
	for name in "${names[@]}"; do
		run semctl-cli create "$name" --value 1
		assert_status 0
		json --arg name "$name" '.object == $name'
	done
	run semctl-cli list
	json --argjson count "${#names[@]}" '.semaphores | length == $count'
	for name in "${names[@]}"; do
		json --arg name "$name" '.semaphores | any(.name == $name and .value == 1)'
	done
	# By the name that JSON gives.
	while IFS= read -r -d '' name; do
		semctl-cli wait "$name" --timeout 0
		run semctl-cli info "$name"
		json --arg name "$name" '.name == $name and .value == 0'
	done < <(semctl-cli list | jq -j '.semaphores[] | .name + "\u0000"')
	# By the name that plain gives, where a backslash begins an escape.
	while IFS= read -r name; do
		printf -v name %b "$name"
		semctl-cli rm "$name"
	done < <(semctl-cli list --plain -o name)
	run semctl-cli list
	assert_output '{"semaphores":[]}'
}

@test "names: bytes that are no UTF-8 are repaired for JSON, and given exactly in base64" {
	local name=$'/caf\xe9\xff\n'
	semctl-cli create "$name" --value 1
	run semctl-cli list
	assert_status 0
	# jq, which would mend what is broken, is not asked whether it is.
	iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
	json '.semaphores | any(.name_base64 != null)'
	[[ $(json_get '.semaphores[] | select(.name_base64) | .name_base64' | base64 -d | od -An -tx1) == \
		"$(printf '%s' "$name" | od -An -tx1)" ]] || fail "the exact name differs" "$(show_last)"
	run semctl-cli info "$name"
	json '.value == 1'
	json 'has("name_base64")'
	printf -v name %b "$(semctl-cli list --plain -o name | head -n 1)"
	semctl-cli wait "$name" --timeout 0
	run --separate-stderr semctl-cli wait "$name" --timeout 0 --json
	assert_status 1
	json '.error | has("object_base64")'
	semctl-cli rm "$name"
}

@test "names: the table and errors send no control characters to a terminal" {
	semctl-cli create $'/esc\x1b[31m\xc2\x9b'
	run semctl-cli list --table
	assert_status 0
	[[ $output != *$'\x1b'* && $output != *$'\xc2\x9b'* ]]
	run --separate-stderr semctl-cli wait $'/esc\x1b[31m\xc2\x9b' --timeout 0
	assert_status 1
	[[ $stderr != *$'\x1b'* && $stderr != *$'\xc2\x9b'* ]]
}

@test "names: the longest that a file can have works, one more is refused" {
	local name
	name=/$(printf '%0251d' 0)
	semctl-cli create "$name" --value 2
	run semctl-cli info "$name"
	json '.value == 2'
	"$posix_peer" wait "$name"
	run semctl-cli list
	json --arg name "$name" '.semaphores | any(.name == $name and .value == 1)'
	run semctl-cli create "${name}0"
	assert_status 2
}

@test "unreadable: it is listed with nulls and reasons, and info tells the same" {
	semctl-cli create /closed --value 2 --mode 0
	run as_unprivileged semctl-cli list
	assert_status 0
	json '.semaphores[] | select(.name == "/closed") | .value == null and .waiters_recorded == null and
		.mode == "0000" and .size == 32 and .uid == 0 and
		.unreadable.value == "EACCES" and .unreadable.waiters_recorded == "EACCES"'
	json '.semaphores[] | select(.name == "/real") | .value == 3 and (.unreadable.value == null)'
	run as_unprivileged semctl-cli info /closed
	assert_status 0
	json '.value == null and .unreadable.value == "EACCES"'
	run as_unprivileged semctl-cli list --plain -o name,value
	assert_match $'/closed\t-'
	run as_unprivileged semctl-cli value /closed
	assert_status 5
	run as_unprivileged semctl-cli wait /closed --timeout 0
	assert_status 5
}

@test "rm and chown leave alone what is no semaphore" {
	ln -s /etc/passwd /dev/shm/sem.link
	mkfifo /dev/shm/sem.fifo
	head -c 32 /dev/urandom >/dev/shm/sem.random
	for name in link fifo; do
		for verb in "rm /$name" "chown /$name 0" "chmod /$name 600"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr semctl-cli $verb
			assert_status 7
		done
	done
	run --separate-stderr semctl-cli chown /random 0
	assert_status 7
	[[ -L /dev/shm/sem.link && -p /dev/shm/sem.fifo ]]
	# What only has the wrong contents can be removed: nothing else would.
	run semctl-cli rm /random
	assert_status 0
}
