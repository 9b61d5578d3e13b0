# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl create: files of words.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load words

refused()
{
	refusal create "$@"
}

setup()
{
	mkdir "$BATS_TEST_TMPDIR/here" && cd "$BATS_TEST_TMPDIR/here" || return
}

# words FILE: all that it holds.
words()
{
	od -An -v -t u4 -w4 "$1" | tr -d ' ' | tr '\n' ' '
}

@test "silent, or one record; so many words, each of that value" {
	run --separate-stderr futexctl create ./w
	assert_equal "$status$output$stderr" 0
	assert_equal "$(words w)" "0 "
	run --separate-stderr futexctl create /w --words 3 --value 7 --json
	assert_output '{"word":"/w","words":3,"created":true}'
	assert_equal "$(words /dev/shm/w)" "7 7 7 "
	futexctl create ./negative --words 2 --value -1
	assert_equal "$(words negative)" "4294967295 4294967295 "
	futexctl create ./large --words 100001 --value 0x01020304
	assert_equal "$(stat -c %s large) $(words large | tr ' ' '\n' | sort -u | tr '\n' ' ')" "400004 16909060 "
}

@test "the mode is what was asked for, whatever the umask; its space is there" {
	umask 077
	futexctl create ./a && futexctl create ./b --mode 666 && futexctl create ./c --mode u=rw,g=r
	assert_equal "$(stat -c %a a b c | tr '\n' ' ')" "600 666 640 "
	futexctl create /sparse --words 100000
	(($(stat -c '%b * %B' /dev/shm/sparse) >= 400000)) || fail "no space behind it"
}

@test "one that exists is left alone where it is long enough" {
	futexctl create ./w --words 2 --value 5
	run --separate-stderr futexctl create ./w --words 2 --value 9 --mode 666 --json
	assert_output '{"word":"./w","words":2,"created":false}'
	assert_equal "$(words w)$(stat -c %a w)" "5 5 600"
	refused 7 EFBIG ./w --words 3
	json '.error.message | contains("too short")'
	refused 4 EEXIST ./w -x
	assert_equal "$(words w)" "5 5 "
}

@test "--unique prints the name that it made" {
	for value in 1 2 3; do
		run --separate-stderr futexctl create --unique /u --value "$value"
		json '.created and (.word | startswith("/u."))'
		assert_equal "$(futexctl get "$(json_get .word)" --plain -o value)" "$value"
	done
	assert_equal "$(find /dev/shm -name 'u.*' | wc -l)" 3
	# Nobody knows the name of one that could not be printed.
	futexctl create --unique /x >/dev/full 2>/dev/null || true
	assert_equal "$(find /dev/shm -name 'x.*' | wc -l)" 0
}

@test "many at once: one makes it" {
	for i in {1..8}; do
		futexctl create /race --words 100 --value 3 --plain -o created >"$i" &
		pids[i]=$!
	done
	wait "${pids[@]}"
	assert_equal "$(cat {1..8} | sort | uniq -c | tr -s ' \n' ' ')" " 7 false 1 true "
}

@test "what stands in its place is told, and nothing is made" {
	mkfifo fifo && mkdir dir && ln -s target link
	refused 7 EBADMSG ./fifo
	refused 7 EBADMSG ./dir
	refused 7 ELOOP ./link
	refused 4 EEXIST ./link -x
	refused 3 ENOENT ./missing/w
	assert_equal "$(ls)" $'dir\nfifo\nlink'
}

@test "limits: a full file system, the size of files" {
	mkdir full && mount -t tmpfs -o size=64k tmpfs full
	refused 6 ENOSPC ./full/w --words 20000
	head -c 100000 /dev/zero >full/fill 2>/dev/null || true
	refused 6 ENOSPC ./full/w
	json '.error.limit.value == 65536'
	assert_equal "$(ls full)" fill
	umount full
	run --separate-stderr bash -c 'ulimit -f 4; futexctl create ./w --words 2000 --json | cat; exit "${PIPESTATUS[0]}"'
	assert_status 6
	json '.error.limit.name == "RLIMIT_FSIZE"'
	[[ ! -e w ]] || fail "something was made"
}

@test "file systems on which there are no words" {
	refused 8 EOPNOTSUPP /dev/mqueue/w
	json '.error.message | contains("O_TMPFILE")'
	touch /dev/mqueue/w
	refusal get 8 ENODEV /dev/mqueue/w@0
	json '.error.message | contains("map")'
}

@test "bad operands and options" {
	local before
	before=$(ls /dev/shm)
	refused 2 USAGE
	refused 2 USAGE w
	refused 2 USAGE ./w@4
	refused 2 USAGE private
	refused 2 USAGE id:5
	refused 2 USAGE /sem.w
	refused 2 USAGE ./w --words 0
	refused 2 USAGE ./w --words 3x
	refused 2 USAGE ./w --words 99999999999999999999
	refused 2 USAGE ./w --value 4294967296
	refused 2 USAGE ./w --value -2147483649
	refused 2 USAGE ./w --mode 1000
	refused 2 USAGE ./w --unique /w
	refused 2 USAGE --unique ./w
	assert_equal "$(ls)$(ls /dev/shm)" "$before"
}
