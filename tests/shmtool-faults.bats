# SPDX-License-Identifier: GPL-2.0-or-later
# What runs out, what is missing, what was planted: the status, and which limit it was, its value and its
# use, in the message and in the JSON. Nothing half made is left behind, and nothing hangs.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; status, in each case its own

load helpers
load segments

# ---- standard output ----

@test "faults: a full standard output: status 8, whatever the verb and the format" {
	shmtool create -q /frame --size 100
	shmtool create -q key:1 --size 100
	for words in "list" "list --plain" "list --table" "info /frame" "info key:1 --plain" "users /frame --json" "limits" \
		"clean" "create /frame --size 100" "ftok /" "set /frame --mode 600 --json" "resize /frame 100 --json" \
		"lock key:1 --json" "unlock key:1 --table" "rm key:1 --plain"; do
		run --separate-stderr bash -c "shmtool $words >/dev/full"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
		assert_stderr '^shmtool [a-z]+: standard output: no space left'
	done
}

@test "faults: a closed standard output is status 8, where there is something to print" {
	shmtool create -q /frame --size 100
	shmtool create -q key:1 --size 100
	for words in "list" "info /frame" "limits" "clean" "users /frame" "ftok /" "set /frame --mode 600 --json"; do
		run --separate-stderr bash -c "shmtool $words >&-"
		[[ $status == 8 ]] || fail "$words" "$(show_last)"
	done
	for words in "set /frame --mode 640" "resize /frame 50" "lock key:1" "unlock key:1" "rm /frame"; do
		run bash -c "shmtool $words >&- 2>&-"
		[[ $status == 0 ]] || fail "$words" "$(show_last)"
	done
}

@test "faults: a segment that could not be told of and has no known name is removed" {
	for to in '>/dev/full' '>&-'; do
		for what in "private --plain" "private --json" "--unique /u" "--unique /u --table"; do
			run bash -c "shmtool create $what --size 100 $to"
			assert_status 8
		done
	done
	run bash -c 'ulimit -f 0; shmtool create private --size 100 >"$1"' bash "$TMPDIR/out"
	assert_status 8
	run shmtool list
	assert_output '{"segments":[]}'
}

# ---- limits of the process ----

@test "faults: descriptors that run out, in verbs that look" {
	shmtool create -q /frame --size 100
	shmtool create -q key:1 --size 100
	with_descriptors 1 shmtool list
	json '.segments | length == 2 and .[0].size == 100 and .[1].nattch == 0'
	with_descriptors 1 shmtool info /frame
	json '.size == 100 and .unreadable_processes == 0'
	with_descriptors 1 shmtool info key:1
	json '.nattch == 0 and .unreadable_processes == 0'
	with_descriptors 1 shmtool users /frame
	json '.users == []'
	with_descriptors 1 shmtool clean --older-than 0
	json '.segments | length == 2 and all(.orphan)'
	with_descriptors 0 shmtool limits
}

@test "faults: descriptors that run out, in verbs that act" {
	with_descriptors 0 shmtool create /frame --size 100
	with_descriptors 0 shmtool create key:1 --size 100
	with_descriptors 0 shmtool set /frame --mode 640 --json
	with_descriptors 0 shmtool resize /frame 200 --json
	with_descriptors 0 shmtool lock key:1 --json
	with_descriptors 0 shmtool unlock key:1 --json
	with_descriptors 0 shmtool rm /frame --json
	with_descriptors 0 shmtool rm key:1 --json
	run shmtool list
	assert_output '{"segments":[]}'
}

# with_memory VERB...: with ever more memory, until it succeeds. Before that it cannot be loaded, or says
# that there is no memory.
with_memory()
{
	local kilobytes
	for ((kilobytes = 2500; kilobytes < 200000; kilobytes += 300)); do
		run --separate-stderr bash -c '"$@"; status=$?; exit $((status == 127 ? 99 : status))' bash \
			prlimit --as=$((kilobytes * 1024)): shmtool "$@"
		case $status in
		0) return ;;
		6)
			assert_stderr 'memory|RLIMIT_AS'
			[[ ! $output ]] || json '.error.code == "ENOMEM" and .error.exit == 6'
			((++refused))
			;;
		99) [[ $stderr == *"shared librar"* || $stderr == *memory* || $stderr == *"cannot allocate"* ]] || fail "$* with $kilobytes KB" "$(show_last)" || return ;;
		139) ;; # The loader itself.
		*)
			fail "$* with $kilobytes KB" "$(show_last)"
			return
			;;
		esac
	done
	fail "$*: does not succeed" "$(show_last)"
}

@test "faults: memory that runs out: status 6, nothing half made" {
	! is_sanitized || skip "a sanitizer needs all the memory there is"
	refused=0
	for i in {1..2000}; do
		: >"/dev/shm/s$i"
	done
	with_memory list
	json '.segments | length == 2000'
	with_memory create key:1 --size 2M --fill 65
	json '.created'
	with_memory create /frame --size 2M --fill 65
	((refused > 0)) || fail "there was always memory enough"
	assert_equal "$(told key:1 nattch)" 0
	assert_equal "$(tr -d A </dev/shm/frame | wc -c)" 0
}

# ---- limits of segments ----

@test "faults: each limit by its name, value, use and what was needed" {
	page=$(getconf PAGESIZE)
	shmtool create -q key:1 --size "$page"
	limit kernel.shmmni 1
	run --separate-stderr shmtool create key:2 --size 1 --json
	limited kernel.shmmni 1 1 "$(json_get '.error.limit.needed // "null"')"
	limit kernel.shmmni 4096
	limit kernel.shmall 1
	run --separate-stderr shmtool create private --size 1 --json
	limited kernel.shmall 1 1 1
	limit kernel.shmall 100000
	limit kernel.shmmax 10000
	run --separate-stderr shmtool create private --size 10001
	limited kernel.shmmax 10000 null 10001
	run --separate-stderr prlimit --fsize=100: shmtool create /frame --size 101
	limited RLIMIT_FSIZE 100 null 101
	small_shm 64k,nr_inodes=2
	run --separate-stderr shmtool create /frame --size 65537
	limited "/dev/shm blocks" 65536 0 65537
	shmtool create -q /frame --size 10
	run --separate-stderr shmtool create --unique /u --size 1
	assert_status 6
	json '.error.limit | .name == "/dev/shm inodes" and .value == 2 and .used == 2'
	assert_equal "$(shmtool list --plain -o name | wc -l)" 2
}

# ---- what was planted ----

# verbs_on OBJECT: the words of every verb on one object.
verbs_on()
{
	printf '%s\n' "create $1 --size 1" "create $1 --size 1 --noreserve" "info $1" "users $1" "set $1 --mode 600" \
		"set $1 --mode u+r" "resize $1 1" "rm $1" "rm -f $1" "write $1 x" "read $1" "dump $1" "fill $1 0" \
		"save $1" "load $1" "copy $1 $1" "peek $1 u32@0" "poke $1 u32@0=1" "wait $1 u32@0 eq 0 --timeout 0"
}

@test "faults: links, directories, FIFOs and sockets in place of segments: status 7, no verb hangs or follows" {
	shmtool create -q /real --size 4096
	shmtool write /real text
	ln -s real /dev/shm/link
	ln -s /nowhere /dev/shm/dangling
	mkdir /dev/shm/directory
	mkfifo /dev/shm/fifo
	perl -e 'use IO::Socket::UNIX; IO::Socket::UNIX->new(Local => "/dev/shm/socket", Listen => 1) || die'
	for name in link dangling directory fifo socket; do
		while read -r words; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 10 shmtool $words
			[[ $status == 7 ]] || fail "$words" "$(show_last)"
			[[ $stderr == *"$name: "* ]] || fail "$words: the object is not named" "$(show_last)"
		done < <(verbs_on "/$name")
		run --separate-stderr timeout 10 shmtool attach "/$name" -- touch "$TMPDIR/ran"
		assert_status 125
		run --separate-stderr shmtool create -x "/$name" --size 1
		assert_status 4
	done
	assert_text /real text
	assert_equal "$(stat -c %a /dev/shm/real)" 600
	[[ ! -e $TMPDIR/ran && ! -e /nowhere ]]
	assert_equal "$(cd /dev/shm && stat -c %F link dangling directory fifo socket | xargs)" \
		"symbolic link symbolic link directory fifo socket"
}

# ---- what is missing ----

@test "faults: no /dev/shm: every verb on a POSIX segment says how to mount it" {
	while read -r words; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr no_shm timeout 10 shmtool $words
		[[ $status == 8 && $stderr == *"/frame: /dev/shm is missing: mkdir -m 1777 /dev/shm && mount -t tmpfs tmpfs /dev/shm" ]] ||
			fail "$words" "$(show_last)"
	done < <(verbs_on /frame)
	run --separate-stderr no_shm shmtool create --unique /u --size 1
	assert_status 8
	assert_stderr '/dev/shm is missing'
}

@test "faults: a read-only /dev/shm: nothing is made, what is there can be read" {
	shmtool create -q /frame --size 10
	shmtool write /frame text
	mount -o remount,bind,ro /dev/shm
	run --separate-stderr shmtool create /other --size 10
	made=$status
	run shmtool read /frame --string
	read=$status
	text=$output
	run shmtool rm /frame
	removed=$status
	mount -o remount,bind,rw /dev/shm
	assert_equal "$made $read $text $removed" "8 0 text 8"
}

@test "faults: no /proc: what can be told is told, the rest is null, and segments can be used" {
	! is_sanitized || skip "a sanitizer needs /proc itself"
	for backend in "${backends[@]}"; do
		make "$backend"
		no_proc shmtool write "$object" text
		run no_proc shmtool read "$object" --string
		assert_output text
		run --separate-stderr no_proc shmtool users "$object"
		[[ ! $output || $status != 0 ]] || assert_stderr 'may use it|/proc'
	done
	run --separate-stderr no_proc shmtool clean --older-than 0 --yes --backend sysv
	assert_status 0
	shmtool info "$object" >/dev/null
	# A file without a name is given one by its place in /proc, or by newer kernels without that.
	run no_proc shmtool create -q /new --size 10
	if ((status == 0)); then
		no_proc shmtool rm /new
	fi
	[[ ! -e /dev/shm/new ]]
}
