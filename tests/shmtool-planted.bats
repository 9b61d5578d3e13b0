# SPDX-License-Identifier: GPL-2.0-or-later
# What somebody put where a POSIX segment is looked for: no verb takes it for one, follows it, or
# waits for it without end.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load segments

# Every verb that takes an OBJECT, with it in each of its places.
words=(
	"create X --size 4K" "write X text" "read X" "dump X" "fill X 1" "copy X /real" "copy /real X" "save X" "load X"
	"load X --create" "compare X /real" "compare /real X" "peek X u8@0" "poke X u8@0=1" "poke X u8@0=1 --add"
	"wait X u8@0 eq 0 --timeout 5" "send X" "recv X" "send X --size 4K" "recv X --size 4K" "resize X 10"
	"attach X -- true" "users X" "info X" "set X --mode 600"
)

setup()
{
	shmtool create /real --size 4K -q
	"$shm_peer" write /real 0 real
}

# look FILE: what can be seen of it; looking at a FIFO does not change its times.
look()
{
	stat -c '%F %s %a %i %h %Y %Z' "$1"
}

# refused_by_all CODE: every verb refuses /x within time, with status 7, and leaves it as it is.
refused_by_all()
{
	local line verb before
	before=$(look /dev/shm/x)
	for line in "${words[@]}"; do
		verb=${line%% *}
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 5 shmtool ${line//X//x} </dev/null
		if [[ $verb == attach ]]; then
			assert_status 125
		else
			[[ $status == 7 ]] || fail "$line: expected status 7" "$(show_last)"
		fi
		[[ $stderr == "shmtool $verb: /x: "* && $stderr != *$'\n'* ]] || fail "$line: the message" "$(show_last)"
		[[ ! $output || $output == '{"error":{"code":"'"$1"'","exit":7,"verb":"'"$verb"'","object":"/x",'* ]] ||
			fail "$line: the document" "$(show_last)"
	done
	assert_equal "$(look /dev/shm/x)" "$before" "what stands there"
	assert_equal "$("$shm_peer" read /real 0 5 | tr '\0' 0)" real0 "what is in the real one"
	# Neither listed nor cleaned.
	run --separate-stderr timeout 5 shmtool list --verbose
	json '[.segments[].name] == ["/real"]'
	assert_stderr '^shmtool list: 1 .* left out'
	run timeout 5 shmtool clean --older-than 0
	json '[.segments[].name] - ["/real"] == []'
}

@test "a symbolic link, to a segment, to nothing, to itself" {
	for target in real none x; do
		ln -sfn "$target" /dev/shm/x
		refused_by_all ELOOP
	done
	[[ ! -e /dev/shm/none ]]
}

@test "a directory" {
	mkdir /dev/shm/x
	refused_by_all EBADMSG
	run --separate-stderr shmtool rm /x
	assert_status 7
	[[ -d /dev/shm/x ]]
}

@test "a FIFO, with and without a writer" {
	mkfifo /dev/shm/x
	refused_by_all EBADMSG
	exec 7<>/dev/shm/x
	printf bytes >&7
	refused_by_all EBADMSG
	run head -c 5 <&7
	assert_output bytes
	exec 7>&-
}

@test "a socket" {
	perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un("/dev/shm/x")) or die'
	refused_by_all EBADMSG
}

@test "a device" {
	: >/dev/shm/x
	mount --bind /dev/zero /dev/shm/x
	refused_by_all EBADMSG
	umount /dev/shm/x
}

@test "the file of a semaphore" {
	local line
	semctl-cli create /x --value 3 -q
	before=$(od -An -tx1 /dev/shm/sem.x)
	for line in "${words[@]}" "rm X"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 5 shmtool ${line//X//sem.x} </dev/null
		[[ $status == 7 || ($line == attach* && $status == 125) || ($line == create* && $status == 2) ]] ||
			fail "$line: expected status 7" "$(show_last)"
		[[ $stderr == "shmtool ${line%% *}: /sem.x: "* ]] || fail "$line: the message" "$(show_last)"
	done
	assert_equal "$(od -An -tx1 /dev/shm/sem.x)" "$before" "the semaphore"
	run shmtool list --verbose
	[[ $output != *sem.x* ]] || fail "it is listed" "$(show_last)"
}

@test "locks of POSIX segments are refused without a look at what stands there" {
	mkfifo /dev/shm/x
	for verb in lock unlock; do
		run --separate-stderr timeout 5 shmtool $verb /x
		assert_status 8
		assert_stderr "^shmtool $verb: /x: "
	done
}

@test "rm removes segments alone" {
	ln -s real /dev/shm/x
	mkfifo /dev/shm/y
	for name in /x /y; do
		run --separate-stderr timeout 5 shmtool rm $name
		assert_status 7
	done
	[[ -e /dev/shm/real && -L /dev/shm/x && -p /dev/shm/y ]]
}

@test "an empty file is a segment of no bytes" {
	: >/dev/shm/x
	for line in "read X" "save X" "dump X" "fill X 1" "write X --file /dev/null" "load X" "copy X /real"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 5 shmtool ${line//X//x} </dev/null
		[[ "$status$output$stderr" == 0 ]] || fail "$line" "$(show_last)"
	done
	for line in "peek X u8@0" "poke X u8@0=1" "wait X u8@0 eq 0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 5 shmtool ${line//X//x}
		[[ $status == 7 ]] || fail "$line" "$(show_last)"
		assert_stderr 'reaches beyond its end: it has 0 bytes$'
	done
	run shmtool compare /x /x
	assert_status 0
	run shmtool compare /x /real
	assert_output '{"equal":false,"offset":0,"size":0,"other_size":4096}'
	run --separate-stderr shmtool write /x text
	assert_status 6
	assert_equal "$(stat -c %s /dev/shm/x)" 0
}

@test "what somebody else replaces while it is used" {
	start sh -c 'cd /dev/shm; while :; do ln -sfn real x; rm x; mkfifo x; rm x; mkdir x; rmdir x; cp real x; rm -f x; done'
	for ((i = 0; i < 15; i++)); do
		for line in "read /x" "write /x text --timeout 0 --lock /real@8" "peek /x u8@0"; do
			# shellcheck disable=SC2086 # words
			run timeout 5 shmtool $line </dev/null
			# 6: it is a copy that has no bytes yet.
			[[ $status == [013678] ]] || fail "$line" "$(show_last)"
		done
	done
	stop "$pid"
	assert_equal "$("$shm_peer" read /real 0 5 | tr '\0' 0)" real0 "what is in the real one"
}
