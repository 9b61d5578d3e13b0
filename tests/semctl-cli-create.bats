# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli create: makes a semaphore with its value and mode, or opens what exists.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

mode_of()
{
	stat -c %a "$1"
}

# set_mode KEY: the mode that ipcs(1) shows of a set.
set_mode()
{
	ipcs -s | awk -v key="$(printf 0x%08x "$1")" '$1 == key { print $4 }'
}

set_is_there()
{
	(($(wc -l </proc/sysvipc/sem) > 1))
}

@test "create makes a POSIX semaphore with its value and mode 0600" {
	run --separate-stderr semctl-cli create /jobs --value 3
	assert_status 0
	assert_equal "$stderr" ""
	assert_equal "${#lines[@]}" 1
	json '. == {object: "/jobs", backend: "posix", created: true}'
	assert_value /jobs 3
	assert_equal "$(stat -c %a,%s,%h /dev/shm/sem.jobs)" 600,32,1
	run "$peers/posix" /jobs value
	assert_output 3
	"$peers/posix" /jobs try
	assert_value /jobs 2
}

@test "without a value it is 0, and nothing but the semaphore is left" {
	run semctl-cli create /jobs
	assert_status 0
	assert_value /jobs 0
	run ls -A /dev/shm
	assert_output sem.jobs
}

@test "the file equals the one of sem_open" {
	"$peers/posix" /theirs create 5
	semctl-cli create -q /ours --value 5
	cmp /dev/shm/sem.theirs /dev/shm/sem.ours
}

@test "the semaphore of a libc program is opened" {
	"$peers/posix" /jobs create 4
	run semctl-cli create /jobs --value 9
	assert_status 0
	json '.created == false'
	assert_value /jobs 4
}

@test "what exists is opened and left alone" {
	truncate -s 64 "$TMPDIR/words" /dev/shm/words
	for object in /jobs key:7 "$TMPDIR/words@32" /words@0; do
		semctl-cli create -q "$object" --value 3 --mode 0640
		run --separate-stderr semctl-cli create "$object" --value 8 --mode 0600
		assert_status 0
		assert_equal "$stderr" ""
		json --arg o "$object" '.created == false and .object == $o'
		assert_value "$object" 3
	done
	assert_equal "$(mode_of /dev/shm/sem.jobs)" 640
	assert_equal "$(set_mode 7)" 640
}

@test "--exclusive refuses what exists" {
	truncate -s 64 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@32"; do
		for option in --exclusive -x; do
			semctl-cli create -q "$object" --value 3
			run --separate-stderr semctl-cli create "$option" "$object" --value 8
			assert_status 4
			assert_equal "$stderr" "semctl-cli create: $object: already exists"
			json --arg o "$object" '.error == {code: "EEXIST", exit: 4, verb: "create", object: $o,
				message: "already exists"}'
			assert_value "$object" 3
		done
	done
}

@test "100 racers for one name: one makes it, the others are told" {
	rounds=3
	[[ ${IPCKIT_LONG:-} ]] || ! is_sanitized || rounds=1
	for object in /jobs key:7 "$TMPDIR/words@32"; do
		for ((round = 1; round <= rounds; round++)); do
			truncate -s 0 "$TMPDIR/words"
			truncate -s 64 "$TMPDIR/words"
			run --separate-stderr "$peers/race" 100 semctl-cli create --exclusive --quiet "$object" \
				--value 5
			assert_status 0
			assert_output $'0 1\n4 99'
			assert_equal "$(grep -c ': already exists$' <<<"$stderr")" 99 "in round $round"
			assert_value "$object" 5
			[[ $object == *@* ]] || semctl-cli rm "$object"
		done
	done
}

@test "an unnamed semaphore is made once, though time passes between look and write" {
	build_shim
	truncate -s 64 "$TMPDIR/words"
	run --separate-stderr shim SHIM_DELAY_US=5000 "$peers/race" 20 \
		semctl-cli create --exclusive --quiet "$TMPDIR/words@32" --value 5
	assert_output $'0 1\n4 19'
	assert_value "$TMPDIR/words@32" 5
}

@test "100 racers without --exclusive: all succeed, one has made it" {
	truncate -s 64 "$TMPDIR/words"
	for object in /jobs key:7 "$TMPDIR/words@32"; do
		run "$peers/race" 100 semctl-cli create --plain --columns created "$object" --value 5
		assert_equal "$(sort <<<"$output" | uniq -c | tr -s ' ' | sed 's/^ //')" \
			$'1 0 100\n99 false\n1 true'
		assert_value "$object" 5
	done
}

@test "nobody ever sees a new set with another value than its first" {
	rounds=15
	[[ ${IPCKIT_LONG:-} ]] || ! is_sanitized || rounds=6
	for verb in "value --plain" "values --plain --columns value"; do
		start bash -c 'for ((last = 0; !last;)); do
			[[ ! -e $TMPDIR/enough ]] || last=1
			'"semctl-cli $verb"' key:7 2>/dev/null || [[ $? == [37] ]] || echo failed
		done | sort | uniq -c'
		reader=$pid
		for ((i = 0; i < rounds; i++)); do
			run "$peers/race" 10 semctl-cli create --quiet key:7 --value 5
			assert_output "0 10"
			assert_value key:7 5
			semctl-cli rm key:7
		done
		semctl-cli create -q key:7 --value 5
		: >"$TMPDIR/enough"
		finish "$reader"
		rm "$TMPDIR/enough"
		semctl-cli rm key:7
		assert_match '^ *[0-9]+ 5$'
	done
}

@test "a set whose creator has not come to its values yet is waited for" {
	for verb in value values info wait "wait-zero --timeout 5s" "post --max 6" "set --verbose"; do
		read -ra words <<<"$verb key:7"
		name=${words[0]}
		[[ $name != set ]] || words+=(2)
		for try in {1..12}; do
			mkfifo "$TMPDIR/go"
			begin=${EPOCHREALTIME/[^0-9]/}
			start sh -c "exec $peers/late 7 5 <>$TMPDIR/go"
			creator=$pid
			wait_until 5 set_is_there
			start semctl-cli "${words[@]}"
			reader=$pid
			wait_until 5 or_gone "$reader" blocked_in "$reader" clock_nanosleep semtimedop
			echo >"$TMPDIR/go"
			finish "$creator"
			assert_status 0
			# It is taken for ready when it is a second old: too late to tell.
			((${EPOCHREALTIME/[^0-9]/} - begin > 900000)) || break
			((try < 12)) || fail "it took more than a second each time"
			stop "$reader"
			ipcrm -S 7
			rm "$TMPDIR/go"
		done
		if [[ $name == wait-zero ]]; then
			wait_until 5 blocked_in "$reader" semtimedop
			semctl-cli set key:7 0
		fi
		finish "$reader"
		assert_status 0
		case $name in
		value) json '.value == 5' ;;
		values) json '.values == [{index: 0, value: 5}]' ;;
		info) json '.semaphores[0].value == 5' ;;
		wait) assert_value key:7 4 ;;
		post) assert_value key:7 6 ;;
		set) assert_value key:7 2 ;;
		esac
		ipcrm -S 7
		rm "$TMPDIR/go"
	done
}

@test "a set that never gets a first operation is ready after a second" {
	id=$(ipcmk -S 2 | sed 's/[^0-9]*//')
	run timeout 10 semctl-cli values "id:$id" --plain
	assert_status 0
	assert_output $'0\t0\n1\t0'
}

@test "modes are set as they are written, whatever the umask" {
	for umask in 000 022 077 777; do
		(
			umask "$umask"
			semctl-cli create -q /jobs --mode 0664
			semctl-cli create -q key:7 -m 664
			semctl-cli create -q /plain
			semctl-cli create -q key:8
			semctl-cli create -q /symbolic --mode u=rw,g=r,o=
		)
		assert_equal "$(mode_of /dev/shm/sem.jobs) $(set_mode 7)" "664 664"
		assert_equal "$(mode_of /dev/shm/sem.plain) $(set_mode 8)" "600 600"
		assert_equal "$(mode_of /dev/shm/sem.symbolic)" 640
		semctl-cli rm /jobs key:7 /plain key:8 /symbolic
	done
	semctl-cli create -q /jobs --mode 0
	assert_equal "$(mode_of /dev/shm/sem.jobs)" 0
	semctl-cli create -q key:7 --mode g+r
	assert_equal "$(set_mode 7)" 640
}

@test "a System V set: number, values, what ipcs shows" {
	run semctl-cli create key:0x2a --values 1,2,3
	assert_status 0
	json '.backend == "sysv" and .object == "key:0x2a" and .nsems == 3 and .created
		and (.id | type) == "number"'
	id=$(json_get .id)
	run ipcs -s
	assert_match "0x0000002a +$id +[a-z]+ +600 +3"
	run semctl-cli values "id:$id" --plain --columns value
	assert_output $'1\n2\n3'
	run semctl-cli create key:8 --nsems 4 --value 6
	json '.nsems == 4'
	run semctl-cli values key:8 --plain --columns value
	assert_output $'6\n6\n6\n6'
	run semctl-cli create key:9 --nsems 2 --values 7,8
	assert_status 0
	run semctl-cli create key:42 --nsems 2
	assert_status 0
	json '.created == false and .nsems == 3'
}

@test "a set larger than one vector of operations has its values, too" {
	run semctl-cli create key:7 --nsems 1200 --value 5
	assert_status 0
	run semctl-cli values key:7 --plain --columns value
	assert_equal "$(sort <<<"$output" | uniq -c | tr -s ' ')" " 1200 5"
}

@test "a set that exists and is too small is refused" {
	semctl-cli create -q key:7 --values 1,2
	run --separate-stderr semctl-cli create key:7 --nsems 3
	assert_status 2
	assert_equal "$stderr" "semctl-cli create: key:7: there is one, of fewer than 3 semaphores"
	json '.error.code == "EINVAL"'
}

@test "private makes a set that only its id names" {
	run semctl-cli create private --value 4
	assert_status 0
	json '.object == "id:\(.id)" and .created'
	object=$(json_get .object)
	assert_value "$object" 4
	run semctl-cli create private
	json --arg o "$object" '.object != $o'
	run ipcs -s
	assert_match '0x00000000'
}

@test "ftok: the key of a path, and a warning where one exists" {
	: >"$TMPDIR/words"
	run --separate-stderr semctl-cli create "ftok:$TMPDIR/words,3" --value 1
	assert_status 0
	assert_equal "$stderr" ""
	id=$(json_get .id)
	run --separate-stderr semctl-cli create "ftok:$TMPDIR/words,3"
	assert_status 0
	assert_stderr '^semctl-cli create: warning: ftok:.*16 bits of the inode and 8 of the device'
	json ".created == false and .id == $id"
	run semctl-cli create "ftok:$TMPDIR/words"
	json ".created and .id != $id"
	run --separate-stderr semctl-cli create ftok:/nowhere
	assert_status 3
	assert_stderr '^semctl-cli create: ftok:/nowhere: '
}

@test "an unnamed semaphore in a file, as libc has it" {
	truncate -s 4096 "$TMPDIR/words"
	run semctl-cli create "$TMPDIR/words@64" --value 2
	assert_status 0
	json '.backend == "unnamed" and .created'
	run "$peers/posix" "$TMPDIR/words@64" value
	assert_output 2
	"$peers/posix" "$TMPDIR/words@128" create 7
	assert_value "$TMPDIR/words@128" 7
	run semctl-cli create "$TMPDIR/words@128" --value 1
	json '.created == false'
	assert_value "$TMPDIR/words@128" 7
	assert_equal "$(stat -c %s "$TMPDIR/words")" 4096
}

@test "an unnamed semaphore needs a file that is there, large enough and blank" {
	object=$TMPDIR/words@0
	run --separate-stderr semctl-cli create "$object"
	assert_status 3
	assert_equal "$stderr" "semctl-cli create: $object: there is no such file to hold it"
	truncate -s 31 "$TMPDIR/words"
	run --separate-stderr semctl-cli create "$object"
	assert_status 7
	assert_equal "$stderr" "semctl-cli create: $object: the file ends before the semaphore would"
	json '.error.code == "EFBIG"'
	for offset in 1 4 9223372036854775807; do
		run --separate-stderr semctl-cli create "$TMPDIR/words@$offset"
		assert_status 2
		assert_stderr 'a semaphore begins at a multiple of [0-9]+$'
	done
	run semctl-cli create "$TMPDIR/words@9223372036854775800"
	assert_status 7
	head -c 64 /dev/zero | tr '\0' x >"$TMPDIR/words"
	run --separate-stderr semctl-cli create "$object"
	assert_status 7
	assert_equal "$stderr" "semctl-cli create: $object: what stands there is no semaphore"
	assert_equal "$(tr -d x <"$TMPDIR/words" | wc -c)" 0
}

@test "--unique: a name that nobody has, printed" {
	names=()
	for round in {1..20}; do
		run --separate-stderr semctl-cli create --unique /job --value 2
		assert_status 0
		json '.created and .backend == "posix" and (.object | test("^/job\\.[a-z0-5]{10}$"))'
		names+=("$(json_get .object)")
		assert_value "${names[-1]}" 2
	done
	assert_equal "$(printf '%s\n' "${names[@]}" | sort -u | wc -l)" 20
	run "$peers/race" 50 semctl-cli create --unique /race --plain --columns object
	assert_equal "$(grep -c '^/race\.' <<<"$output")" 50
	assert_equal "$(grep '^/race\.' <<<"$output" | sort -u | wc -l)" 50
}

@test "--unique: what it does not take" {
	for words in "--unique job" "--unique /a/b" "--unique /" "--unique ''" "--unique key:7" "--unique /job /jobs" \
		"--unique private" "--unique /$(printf %0250d 0)" ""; do
		eval "run --separate-stderr semctl-cli create $words"
		assert_status 2
		assert_stderr '^semctl-cli create: '
	done
	run --separate-stderr semctl-cli create --unique job
	assert_stderr '^semctl-cli create: job: .*did you mean /job\?$'
	run ls -A /dev/shm
	assert_output ""
}

@test "--barrier makes the set that is one" {
	run semctl-cli create key:7 --barrier 3
	assert_status 0
	json '.nsems == 3 and .created'
	for words in "--barrier 0" "--barrier x" "--barrier 2 --value 1" "--barrier 2 --nsems 3" "--barrier 2 --values 1,2,3"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli create key:8 $words
		assert_status 2
	done
	run --separate-stderr semctl-cli create key:8 --barrier $((semvmx + 1))
	assert_status 6
	run --separate-stderr semctl-cli create /jobs --barrier 2
	assert_status 2
	run ipcs -s
	assert_equal "$(grep -c '^0x' <<<"$output")" 1
}

@test "--table, --plain, --columns, --quiet" {
	run semctl-cli create /jobs --plain
	assert_output $'/jobs\tposix\t-\t-\ttrue'
	run semctl-cli create /jobs --plain --columns created,object
	assert_output $'false\t/jobs'
	run semctl-cli create /jobs --table
	assert_match '^object +/jobs'
	run semctl-cli create /jobs --quiet
	assert_output ""
	run semctl-cli create /jobs --json --columns object
	json '. == {object: "/jobs"}'
}

# ---- what can go wrong ----

@test "values beyond what a semaphore holds are refused, nothing is made" {
	truncate -s 64 "$TMPDIR/words"
	for pair in "/jobs $sem_value_max" "key:7 $semvmx" "$TMPDIR/words@0 $sem_value_max"; do
		read -r object limit <<<"$pair"
		name=SEM_VALUE_MAX
		[[ $object != key:* ]] || name=SEMVMX
		run --separate-stderr semctl-cli create "$object" --value $((limit + 1))
		assert_status 6
		assert_stderr "$name is $limit"
		json --arg n "$name" ".error.code == \"EOVERFLOW\" and .error.limit == {name: \$n, value: $limit, used: null}"
		run semctl-cli value "$object"
		assert_match '"error"'
		semctl-cli create -q "$object" --value "$limit"
		assert_value "$object" "$limit"
	done
	run semctl-cli create key:8 --values 1,$((semvmx + 1))
	assert_status 6
	run semctl-cli value key:8
	assert_status 3
}

@test "numbers, modes and names that are none: status 2, nothing is made" {
	for option in --value --nsems --values; do
		for text in -1 '' 3x 0x 99999999999999999999 1.5 ' 1' 1,,2; do
			run --separate-stderr semctl-cli create key:7 "$option" "$text"
			assert_status 2
			[[ $stderr == "semctl-cli create: $option: \""*"\" is "* ]] || fail "$option '$text'" "$(show_last)"
			json --arg o "$option" '.error.code == "USAGE" and .error.exit == 2 and .error.object == $o'
		done
	done
	for mode in '' 888 1777 10000 u=q rw -1 a 0x1ff 'u+r,' 99999999999999999999; do
		run --separate-stderr semctl-cli create /jobs --mode "$mode"
		assert_status 2
		[[ $stderr == "semctl-cli create: --mode: \"$mode\" is "* ]] || fail "$mode" "$(show_last)"
	done
	for object in jobs /a/b / /. /.. '' key:0 key:x key:0x100000000 key:-1 id:7 id:x file:/tmp/x \
		foo:1 fd:x key:1#0 key:1#x ftok: "ftok:/,0" "ftok:/,256" "/$(printf %0252d 0)"; do
		run --separate-stderr semctl-cli create "$object"
		assert_status 2
		[[ $stderr == "semctl-cli create: $object: "* ]] || fail "$object" "$(show_last)"
		json --arg o "$object" '.error.code == "USAGE" and .error.object == $o'
	done
	for words in "/jobs --nsems 1" "/jobs --values 1,2" "key:7 --value 1 --values 1" "key:7 --nsems 0" \
		"key:7 --nsems 2 --values 1,2,3" "/jobs /other" "/jobs --bogus" "/jobs -- true"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli create $words
		assert_status 2
		assert_stderr '^semctl-cli create: '
	done
	run ls -A /dev/shm
	assert_output ""
	run wc -l </proc/sysvipc/sem
	assert_output 1
}

@test "hints: private for key:0, a slash for a bare word, a key that is not octal" {
	run --separate-stderr semctl-cli create key:0
	assert_stderr 'did you mean private\?$'
	run --separate-stderr semctl-cli create jobs
	assert_stderr 'did you mean /jobs or key:\.\.\.\?$'
	run --separate-stderr semctl-cli create key:010
	assert_status 2
	assert_stderr 'leading zeros'
	run --separate-stderr semctl-cli create id:0
	assert_status 2
	assert_stderr 'the kernel chooses identifiers: write key:KEY, ftok:PATH or private$'
}

@test "the longest name" {
	long=/$(printf %0251d 0)
	run semctl-cli create "$long" --value 1
	assert_status 0
	assert_value "$long" 1
	run semctl-cli rm "$long"
	assert_status 0
}

@test "an eventfd is not made so: status 8" {
	run --separate-stderr semctl-cli create fd:3
	assert_status 8
	assert_equal "$stderr" "semctl-cli create: fd:3: not supported by eventfd semaphores"
	json '.error.code == "EOPNOTSUPP" and .error.exit == 8'
}

@test "no permission" {
	semctl-cli create -q /jobs --mode 0
	semctl-cli create -q key:7 --mode 0
	truncate -s 64 "$TMPDIR/words"
	chmod 0400 "$TMPDIR/words"
	for object in /jobs "$TMPDIR/words@0"; do
		run --separate-stderr as_unprivileged semctl-cli create "$object"
		assert_status 5
		assert_equal "$stderr" "semctl-cli create: $object: permission denied"
		json '.error.code == "EACCES"'
	done
	chmod 0555 /dev/shm
	run --separate-stderr as_unprivileged semctl-cli create /other
	chmod 1777 /dev/shm
	assert_status 5
	assert_stderr '^semctl-cli create: /other: permission denied$'
	run as_unprivileged semctl-cli create --exclusive key:7
	assert_status 4
}

@test "the kernel's table of sets is full: which limit, its value, its use" {
	read -r semmsl semmns semopm semmni </proc/sys/kernel/sem
	echo "$semmsl $semmns $semopm 2" >/proc/sys/kernel/sem
	semctl-cli create -q key:1
	semctl-cli create -q key:2
	run --separate-stderr semctl-cli create key:3
	echo "10 12 $semopm $semmni" >/proc/sys/kernel/sem
	assert_status 6
	assert_stderr '^semctl-cli create: key:3: no space left: kernel\.sem semmni is 2 sets, 2 in use$'
	json '.error.code == "ENOSPC" and .error.exit == 6 and
		.error.limit == {name: "kernel.sem semmni", value: 2, used: 2}'
	run --separate-stderr semctl-cli create key:3 --nsems 10
	assert_status 0
	run --separate-stderr semctl-cli create key:4 --nsems 10
	assert_status 6
	json '.error.limit.name == "kernel.sem semmns" and .error.limit.value == 12 and .error.limit.used == 12'
	semctl-cli rm key:3
	run --separate-stderr semctl-cli create key:4 --nsems 11
	echo "$semmsl $semmns $semopm $semmni" >/proc/sys/kernel/sem
	assert_status 6
	json '.error.code == "EINVAL" and .error.limit.name == "kernel.sem semmsl" and .error.limit.value == 10'
	assert_stderr 'kernel\.sem semmsl is 10 semaphores$'
}

@test "a full file system: blocks are told from inodes" {
	run --separate-stderr unshare -m sh -c '
		mount -t tmpfs -o nr_inodes=2 none /dev/shm && semctl-cli create /a && semctl-cli create /b'
	assert_status 6
	assert_stderr '^semctl-cli create: /b: no space left: /dev/shm inodes is 2 inodes, 2 in use$'
	output=${lines[1]}
	json '.error.code == "ENOSPC" and .error.limit.name == "/dev/shm inodes"'
	run --separate-stderr unshare -m sh -c '
		mount -t tmpfs -o size=4k none /dev/shm && semctl-cli create -q /a && semctl-cli create /b'
	assert_status 6
	assert_stderr '^semctl-cli create: /b: no space left: /dev/shm blocks is 4096 bytes, 4096 in use$'
	json '.error.limit.name == "/dev/shm blocks" and .error.limit.value == 4096'
}

@test "a read-only file system, or none, is said so" {
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o ro none /dev/shm && semctl-cli create /jobs'
	assert_status 8
	assert_stderr '^semctl-cli create: /jobs: the file system is read-only$'
	json '.error.code == "EROFS"'
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs none /dev && semctl-cli create /jobs'
	assert_status 8
	assert_stderr '/dev/shm is missing: .*mount -t tmpfs'
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs none /dev && semctl-cli create key:7 --value 2'
	assert_status 0
	assert_value key:7 2
}

@test "what was planted under the name is status 7, and is left alone" {
	mkdir /dev/shm/sem.directory
	mkfifo /dev/shm/sem.fifo
	ln -s "$TMPDIR/target" /dev/shm/sem.link
	: >/dev/shm/sem.empty
	head -c 32 /dev/zero | tr '\0' '\377' >/dev/shm/sem.junk
	for name in directory fifo link empty junk; do
		run --separate-stderr timeout 10 semctl-cli create "/$name" --value 1
		assert_status 7
		assert_stderr "^semctl-cli create: /$name: "
		json '.error.exit == 7 and (.error.code | IN("EBADMSG", "ELOOP"))'
		run timeout 10 semctl-cli create --exclusive "/$name"
		assert_status 4
	done
	[[ ! -e $TMPDIR/target && ! -s /dev/shm/sem.empty ]]
}

@test "a result that cannot be written: status 8, but the semaphore is there" {
	run --separate-stderr bash -c 'semctl-cli create /jobs --value 1 >/dev/full'
	assert_status 8
	assert_stderr '^semctl-cli create: standard output: no space left'
	assert_value /jobs 1
}

@test "a semaphore whose name nobody got to know is removed again" {
	local words
	for words in "--unique /cp" "--unique /cp --json" private "private --json"; do
		run --separate-stderr bash -c "semctl-cli create $words >/dev/full"
		assert_status 8
		assert_stderr '^semctl-cli create: standard output: no space left[^:]*$'
		run --separate-stderr bash -c "semctl-cli create $words >&-"
		assert_status 8
		# The reader of 6 has gone.
		mkfifo "$TMPDIR/pipe"
		exec 5<>"$TMPDIR/pipe"
		exec 6>"$TMPDIR/pipe"
		exec 5<&-
		rm "$TMPDIR/pipe"
		run --separate-stderr env --default-signal=PIPE bash -c "exec semctl-cli create $words >&6"
		assert_status 141
		assert_equal "$stderr" ""
		run --separate-stderr env --ignore-signal=PIPE bash -c "exec semctl-cli create $words >&6"
		exec 6>&-
		assert_status 8
		assert_stderr '^semctl-cli create: standard output: broken pipe$'
	done
	assert_equal "$(ls -A /dev/shm)" ""
	assert_equal "$(tail -n +2 /proc/sysvipc/sem)" ""
}
