# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool create: segments that other programs see as they were asked for, and every reason why
# there is none.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load segments

# refused STATUS CODE ARG...: `create` ends so, in words and in JSON, which is in $output then.
refused()
{
	run --separate-stderr shmtool create "${@:3}"
	assert_status "$1"
	json --arg code "$2" --argjson status "$1" '.error | .code == $code and .exit == $status and .verb == "create"'
	assert_stderr '^shmtool create: '
}

# ipcs_line KEY: what ipcs has for a System V segment of this key.
ipcs_line()
{
	ipcs -m | grep "^$(printf 0x%08x "$1") "
}

# ---- what it is for ----

@test "a POSIX segment: its size, zeros, reserved, mode 0600" {
	run --separate-stderr shmtool create /frame --size 100K
	assert_status 0
	assert_equal "$stderr" ""
	json '. == {object: "/frame", backend: "posix", size: 102400, created: true}'
	assert_equal "$(stat -c '%s %a %F %h' /dev/shm/frame)" "102400 600 regular file 1"
	(($(stat -c %b /dev/shm/frame) * 512 >= 102400)) || fail "no space is reserved for it"
	cmp -n 102400 /dev/shm/frame /dev/zero
	run "$shm_peer" write /frame 102390 0123456789
	assert_status 0
	run "$shm_peer" read /frame 102390 10
	assert_output 0123456789
}

@test "a System V segment: its size, zeros, mode 0600, as ipcs and shmat(2) see it" {
	run --separate-stderr shmtool create key:0x77 --size 5000
	assert_status 0
	assert_equal "$stderr" ""
	json '. == {object: "key:0x77", backend: "sysv", id: .id, size: 5000, created: true} and (.id | type) == "number"'
	id=$(json_get .id)
	assert_match "^0x00000077 +$id +root +600 +5000 +0 *\$" "$(ipcs_line 0x77)"
	"$shm_peer" write "$id" 4990 0123456789
	run "$shm_peer" read "$id" 4990 10
	assert_output 0123456789
	assert_equal "$("$shm_peer" read "$id" 0 4990 | tr -d '\0')" "" "what a new one holds"
}

@test "private, and --unique: under a name that nobody has, and that is printed" {
	run shmtool create private --size 10
	assert_status 0
	first=$(json_get .object)
	json '.object == "id:\(.id)" and .created'
	assert_match '^id:[0-9]+$' "$first"
	run shmtool create private --size 10 --plain -o object
	[[ $output != "$first" ]] || fail "private made the same twice"
	"$shm_peer" write "${first#id:}" 0 here
	assert_text "$first" here
	assert_match "^0x00000000 +${first#id:} +root +600 +10 " "$(ipcs_line 0 | grep " ${first#id:} ")"
	run shmtool create --unique /frame --size 10 --plain -o object,created
	assert_match '^/frame\.[a-z0-5]{10}	true$'
	name=${output%	*}
	"$shm_peer" write "$name" 0 here
	run shmtool create --unique /frame --size 10 --plain -o object
	[[ $output != "$name" && -e /dev/shm$output ]] || fail "--unique made the same twice"
}

@test "a name that could not be printed is no segment's" {
	for to in '>/dev/full' '>&-'; do
		for what in private "--unique /frame"; do
			run bash -c "shmtool create $what --size 10 $to"
			assert_status 8
		done
	done
	assert_equal "$(shmtool list --plain)" ""
	# One of a name that the caller has given stays.
	run bash -c "shmtool create /frame --size 10 >/dev/full"
	assert_status 8
	[[ -e /dev/shm/frame ]]
}

@test "a key of a file" {
	echo >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr shmtool create "ftok:$BATS_TEST_TMPDIR/file,3" --size 10
	assert_status 0
	assert_equal "$stderr" ""
	json .created
	key=$(shmtool ftok "$BATS_TEST_TMPDIR/file" --proj 3 --plain -o key)
	assert_match "^$key +" "$(ipcs_line "$key")"
	run --separate-stderr shmtool create "ftok:$BATS_TEST_TMPDIR/file,3" --size 10
	assert_status 0
	json '.created | not'
	assert_stderr 'holds 16 bits of the inode and 8 of the device, so another file may share it'
}

@test "names with odd characters" {
	for name in '/sp ace' $'/new\nline' '/ümlaut' '/-dash' '/%s' /.hidden "/$(printf '%255s' '' | tr ' ' x)"; do
		shmtool create -q "$name" --size 3
		"$shm_peer" write "$name" 0 abc
		assert_equal "$(cat "/dev/shm$name")" abc "$name"
	done
}

# ---- what is in it ----

@test "--fill: each byte of a new one, and nothing of one that exists" {
	for backend in "${backends[@]}"; do
		make "$backend" 10000 --fill 0xa5
		name=$(peer_name "$object")
		"$shm_peer" read "$name" 0 10000 | tr -d '\245' | cmp - /dev/null
		assert_equal "$("$shm_peer" read "$name" 0 10000 | wc -c)" 10000
		"$shm_peer" write "$name" 0 text
		shmtool create -q "$object" --size 10000 --fill 65
		run "$shm_peer" read "$name" 0 4
		assert_output text
		make "$backend" 5 --fill 255
		assert_equal "$("$shm_peer" read "$(peer_name "$object")" 0 5 | od -An -tx1 | tr -d ' ')" ffffffffff
	done
}

@test "--noreserve: no space until it is touched; without it all of it" {
	shmtool create -q /loose --size 1M --noreserve
	assert_equal "$(stat -c '%s %b' /dev/shm/loose)" "1048576 0"
	shmtool create -q /tight --size 1M
	(($(stat -c %b /dev/shm/tight) * 512 >= 1 << 20)) || fail "not reserved"
	"$shm_peer" write /loose 500000 x
	assert_equal "$(stat -c %b /dev/shm/loose)" 8
	# What would never fit is none the less made.
	small_shm 64k
	shmtool create -q /loose --size 1G --noreserve
	refused 6 ENOSPC /tight --size 1G
	shmtool create -q key:1 --size 1M --noreserve
	assert_match ' 1048576 ' "$(ipcs_line 1)"
}

# ---- what exists ----

@test "what exists is opened and left alone" {
	"$shm_peer" make /frame 5000
	"$shm_peer" write /frame 0 kept
	chmod 640 /dev/shm/frame
	before=$(stat -c '%i %a %s %y' /dev/shm/frame)
	run --separate-stderr shmtool create /frame --size 5000 --mode 0600
	assert_status 0
	assert_equal "$stderr" ""
	json '. == {object: "/frame", backend: "posix", size: 5000, created: false}'
	assert_equal "$(stat -c '%i %a %s %y' /dev/shm/frame)" "$before"
	assert_text /frame kept
	id=$("$shm_peer" make 77 5000)
	"$shm_peer" write "$id" 0 kept
	run shmtool create key:77 --size 5000 --mode 0640
	assert_status 0
	json --argjson id "$id" '. == {object: "key:77", backend: "sysv", id: $id, size: 5000, created: false}'
	assert_match " root +600 +5000 " "$(ipcs_line 77)"
	assert_text key:77 kept
}

@test "of another size: status 7 with both sizes, and it is left alone" {
	for backend in "${backends[@]}"; do
		make "$backend" 5000
		for size in 4999 5001 8192 1; do
			refused 7 EBADMSG "$object" --size "$size"
			assert_stderr "$object: there is one, of 5000 bytes and not of $size\$"
		done
		assert_equal "$(told "$object" size)" 5000
	done
}

@test "one that shm_open(3) has just made gets the time to be given its size" {
	start bash -c 'set -m
		: >/dev/shm/frame
		shmtool create /frame --size 5000 &
		until [[ $(cut -d" " -f1 "/proc/$!/syscall" 2>/dev/null) =~ ^(230|35|115|101)$ ]] || ! kill -0 $! 2>/dev/null; do :; done
		truncate -s 5000 /dev/shm/frame
		wait $!'
	finish "$pid"
	# On a loaded machine it may have waited long enough.
	[[ $status == 7 ]] || json '.size == 5000 and .created == false'
	# One that has none, and has been there for a while, is of another size at once.
	: >/dev/shm/empty
	touch -d '1 hour ago' /dev/shm/empty
	refused 7 EBADMSG /empty --size 5000
	assert_stderr 'of 0 bytes and not of 5000'
}

@test "--exclusive: status 4 where there is one" {
	for backend in "${backends[@]}"; do
		make "$backend"
		refused 4 EEXIST "$object" --exclusive --size 4096
		json --arg object "$object" '.error.object == $object'
		refused 4 EEXIST "$object" -x --size 17
	done
}

# ---- races ----

# race ARG...: 20 processes create the same at the same moment; their answers are in $BATS_TEST_TMPDIR/race.
race()
{
	local gate=$BATS_TEST_TMPDIR/gate n
	mkdir -p "$BATS_TEST_TMPDIR/race"
	mkfifo "$gate"
	for n in {1..20}; do
		{
			read -r <"$gate" || true
			status=0
			shmtool create "$@" >"$BATS_TEST_TMPDIR/race/$n" 2>/dev/null || status=$?
			echo "$status" >>"$BATS_TEST_TMPDIR/race/$n"
		} 3>&- 4>&- &
	done
	# Those who come too late for the first opening find a second one.
	(while :; do : >"$gate"; done) 2>/dev/null 3>&- 4>&- &
	opener=$!
	wait_until 20 all_ended
	kill "$opener"
	wait
	rm "$gate"
}

all_ended()
{
	local ends
	ends=$(tail -qn1 "$BATS_TEST_TMPDIR"/race/* 2>/dev/null | grep -cx '[0-9]*')
	[[ $ends == 20 ]]
}

@test "twenty at once: one has created it, the others have opened it" {
	for object in /frame key:0x77; do
		race "$object" --size 8192 --fill 65
		assert_equal "$(tail -qn1 "$BATS_TEST_TMPDIR"/race/* | sort | uniq -c | xargs)" "20 0" "statuses"
		assert_equal "$(grep -l '"created":true' "$BATS_TEST_TMPDIR"/race/* | wc -l)" 1 "creators"
		assert_equal "$(grep -l '"created":false' "$BATS_TEST_TMPDIR"/race/* | wc -l)" 19 "others"
		rm "$BATS_TEST_TMPDIR"/race/*
	done
	assert_equal "$(find /dev/shm -mindepth 1 -printf '%f %s')" "frame 8192"
	assert_equal "$(ipcs -m | grep -c ^0x)" 1
}

@test "twenty at once with --exclusive: one wins, the others are told" {
	for object in /frame key:0x77; do
		race "$object" --size 8192 -x
		assert_equal "$(tail -qn1 "$BATS_TEST_TMPDIR"/race/* | sort | uniq -c | xargs)" "1 0 19 4" "statuses"
		rm "$BATS_TEST_TMPDIR"/race/*
	done
}

# ---- modes ----

@test "the mode is exactly the one asked for, whatever the umask" {
	for mask in 000 022 777; do
		for mode in 0600 0666 0620 0004 0777 0000; do
			(umask "$mask" && shmtool create -q /frame -m "$mode" -s 10 && shmtool create -q key:77 -m "$mode" -s 10)
			assert_equal "0$(stat -c %03a /dev/shm/frame)" "$mode" "mode under umask $mask"
			assert_equal "$(ipcs_line 77 | tr -s ' ' | cut -d' ' -f4)" "$(printf %o "$mode")" "mode under umask $mask"
			rm /dev/shm/frame
			ipcrm -M 77
		done
	done
	(umask 077 && shmtool create -q /frame -m u=rw,g=w,o=r -s 10)
	assert_equal "$(stat -c %a /dev/shm/frame)" 624
}

@test "the mode, size and contents are there from the first moment that the name is" {
	# Whoever looks all the time never sees it otherwise.
	start bash -c 'for ((;;)); do
		if exec 9</dev/shm/frame; then
			stat -L -c "%a %s" /proc/self/fd/9
			head -c 1 <&9
			exit
		fi 2>/dev/null
	done'
	wait_until 5 test -e "/proc/$pid"
	shmtool create -q /frame --size 4M --mode 0666 --fill 65
	finish "$pid"
	assert_output $'666 4194304\nA'
}

# ---- interrupted ----

@test "an interrupted or killed one leaves no POSIX segment behind" {
	for signal in TERM INT KILL HUP; do
		start shmtool create "/frame$signal" --size 300M --fill 65
		# It has begun to fill what has no name yet.
		begun()
		{
			(($(df --output=used -k /dev/shm | tail -n 1) > 8192)) || gone "$pid" || [[ -e /dev/shm/frame$signal ]]
		}
		wait_until 20 begun
		kill -s "$signal" "$pid" 2>/dev/null || true
		finish "$pid" 20
		if [[ $status == 0 ]]; then
			assert_equal "$(stat -c %s "/dev/shm/frame$signal")" $((300 << 20)) "one that was ready before"
			rm "/dev/shm/frame$signal"
		fi
		assert_equal "$(find /dev/shm -mindepth 1)" "" "what is left after SIG$signal"
		assert_equal "$(df --output=iused /dev/shm | tail -n 1 | xargs)" 1 "inodes"
	done
}

@test "an interrupted one leaves no half of a System V segment behind" {
	for signal in TERM INT HUP; do
		for object in key:0x77 private; do
			start shmtool create "$object" --size 100M --fill 65
			there()
			{
				grep -q ' 104857600 ' /proc/sysvipc/shm || gone "$pid"
			}
			wait_until 20 there
			kill -s "$signal" "$pid" 2>/dev/null || true
			finish "$pid" 20
			if [[ $status == 0 ]]; then
				ipcrm -m "$(json_get .id)"
			else
				died_of "$signal"
			fi
			[[ $(ipcs -m) != *0x* ]] || fail "what is left after SIG$signal" "$(ipcs -m)"
		done
	done
}

# ---- limits ----

@test "a full /dev/shm: blocks" {
	small_shm 64k
	shmtool create -q /one --size 32K
	refused 6 ENOSPC /two --size 64K
	json '.error.limit == {name: "/dev/shm blocks", value: 65536, used: 32768, needed: 65536}'
	assert_stderr '/two: no space left: /dev/shm blocks is 65536 bytes, 32768 in use, 65536 needed'
	refused 6 ENOSPC /two --size 64K --fill 3
	json '.error.limit.name == "/dev/shm blocks"'
	[[ ! -e /dev/shm/two ]]
	assert_equal "$(df --output=used -k /dev/shm | tail -n 1 | xargs)" 32 "kilobytes in use"
	shmtool create -q /two --size 32K
	refused 6 ENOSPC --unique /more --size 1
	json '.error.limit | .name == "/dev/shm blocks" and .value == 65536 and .used == 65536'
	# What exists needs no room.
	run shmtool create /one --size 32K
	assert_status 0
}

@test "a full /dev/shm: inodes" {
	small_shm 64k,nr_inodes=3
	shmtool create -q /one --size 1
	shmtool create -q /two --size 1
	refused 6 ENOSPC /three --size 1
	json '.error.limit == {name: "/dev/shm inodes", value: 3, used: 3}'
	assert_stderr '/three: no space left: /dev/shm inodes is 3 inodes, 3 in use'
	run shmtool create /one --size 1
	assert_status 0
}

@test "kernel.shmmni: too many segments" {
	limit kernel.shmmni 2
	shmtool create -q key:1 --size 1
	shmtool create -q private --size 1
	for object in key:3 private; do
		refused 6 ENOSPC "$object" --size 1
		json '.error.limit | .name == "kernel.shmmni" and .value == 2 and .used == 2'
		assert_stderr 'kernel\.shmmni is 2 segments, 2 in use'
	done
	run shmtool create key:1 --size 1
	assert_status 0
	shmtool create -q /frame --size 1
}

@test "kernel.shmall: too many pages" {
	page=$(getconf PAGESIZE)
	limit kernel.shmall 4
	shmtool create -q key:1 --size $((2 * page + 1))
	refused 6 ENOSPC key:2 --size $((page + 1))
	json '.error.limit == {name: "kernel.shmall", value: 4, used: 3, needed: 2}'
	assert_stderr 'key:2: .*kernel\.shmall is 4 pages, 3 in use, 2 needed'
	shmtool create -q key:2 --size "$page"
}

@test "kernel.shmmax: too large a segment" {
	limit kernel.shmmax 10000
	shmtool create -q key:1 --size 10000
	refused 6 EINVAL key:2 --size 10001
	json '.error.limit == {name: "kernel.shmmax", value: 10000, used: null, needed: 10001}'
	assert_stderr 'key:2: .*kernel\.shmmax is 10000 bytes, 10001 needed'
	# Both of them are of new segments.
	run shmtool create key:1 --size 10000
	json '.created | not'
}

@test "RLIMIT_FSIZE, without SIGXFSZ" {
	for more in "" --noreserve "--fill 3"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c 'shmtool create "$@" 2>&1 >/dev/null | cat >&2; exit "${PIPESTATUS[0]}"' bash \
			/fits --size 8192 --exclusive $more
		assert_status 0
		# shellcheck disable=SC2086 # words
		run --separate-stderr prlimit --fsize=8192: shmtool create /frame --size 8193 --json $more
		assert_status 6
		json '.error | .code == "EFBIG" and .limit == {name: "RLIMIT_FSIZE", value: 8192, used: null, needed: 8193}'
		assert_stderr 'RLIMIT_FSIZE is 8192 bytes, 8193 needed'
		# shellcheck disable=SC2086 # words
		prlimit --fsize=8192: shmtool create -q /frame --size 8192 $more
		shmtool rm /frame /fits
	done
	# A System V one is no file.
	prlimit --fsize=10: shmtool create -q key:1 --size 4096
}

@test "huge pages, where there are none" {
	[[ -d /sys/kernel/mm/hugepages ]] || skip "no huge pages here"
	usual=$(awk '/^Hugepagesize/ { print $2 * 1024 }' /proc/meminfo)
	[[ $(cat /proc/sys/vm/nr_hugepages /proc/sys/vm/nr_overcommit_hugepages | xargs) == "0 0" ]] || skip "there are huge pages"
	run --separate-stderr shmtool create key:1 --size 5M --hugetlb
	if [[ $(json_get .error.code) == EPERM ]]; then
		# Not everybody may have some, even if there were any.
		json '.error.exit == 6 and .error.limit.name == "vm.hugetlb_shm_group"'
		skip "huge pages are not for us"
	fi
	refused 6 ENOMEM key:1 --size 5M --hugetlb
	json --argjson pages $(((5 * 1048576 + usual - 1) / usual)) \
		'.error.limit == {name: "vm.nr_hugepages", value: 0, used: 0, needed: $pages}'
	assert_stderr 'vm\.nr_hugepages is 0 pages, 0 in use, [0-9]+ needed'
	refused 6 ENOMEM key:1 --size 1 --hugetlb-size "$usual"
	json '.error.limit.name == "vm.nr_hugepages" and .error.limit.needed == 1'
	for size in 3M 4096 1 0; do
		refused 2 USAGE key:1 --size 1 --hugetlb-size "$size"
	done
	# A power of two that the machine has none of.
	refused 2 EINVAL key:1 --size 1 --hugetlb-size 512G
	assert_stderr 'no huge pages of that size'
	refused 2 USAGE /frame --size 5M --hugetlb
	assert_stderr 'is for System V segments'
	assert_equal "$(shmtool list --plain)" ""
}

@test "memory that nobody has" {
	# vm.overcommit_memory 0 refuses what is more than all; with 1 nothing is.
	[[ $(</proc/sys/vm/overcommit_memory) == 0 ]] || skip "memory is promised otherwise here"
	refused 6 ENOMEM key:1 --size 100T
	json '.error.limit | .name == "MemTotal and SwapTotal" and .needed == 109951162777600 and .value < .needed'
	refused 6 ENOSPC /frame --size 8000000000G
	json '.error.limit.name == "/dev/shm blocks"'
}

# ---- whose it is, what is missing ----

@test "what may not be opened: status 5" {
	shmtool create -q /frame --size 10 --mode 0
	run --separate-stderr as_unprivileged shmtool create /frame --size 10
	assert_status 5
	json '.error | .code == "EACCES" and .object == "/frame"'
	assert_stderr '^shmtool create: /frame: permission denied'
	chmod 0555 /dev/shm
	run --separate-stderr as_unprivileged shmtool create /other --size 10
	chmod 1777 /dev/shm
	assert_status 5
}

@test "/dev/shm missing: said with the command that mounts it; System V goes on" {
	run --separate-stderr no_shm shmtool create /frame --size 10
	assert_status 8
	json '.error.code == "ENODEV" and .error.object == "/frame"'
	assert_stderr '/dev/shm is missing: mkdir -m 1777 /dev/shm && mount -t tmpfs '
	run no_shm shmtool create key:77 --size 10
	assert_status 0
}

@test "without the file of a key: status 3" {
	refused 3 ENOENT "ftok:$BATS_TEST_TMPDIR/nowhere" --size 1
	refused 2 USAGE "ftok:$BATS_TEST_TMPDIR/nowhere,0" --size 1
}

# ---- usage ----

@test "usage errors, with the nearest option" {
	refused 2 USAGE --sise 5 /frame
	assert_stderr -- '--sise: unknown option, did you mean --size\?'
	refused 2 USAGE /frame --size 1 --hugetbl
	assert_stderr 'did you mean --hugetlb\?'
	refused 2 USAGE frame --size 1
	assert_stderr 'frame: .*did you mean /frame or key:'
	refused 2 USAGE key:0 --size 1
	assert_stderr 'did you mean private\?'
	for bad in id:1 file:/x fd:3 /x/y / /. /.. "/$(printf '%256s' '' | tr ' ' x)" -5 /sem.jobs key:x key:-1; do
		refused 2 USAGE "$bad" --size 1
	done
	refused 2 USAGE --size 1
	refused 2 USAGE /frame
	assert_stderr '--size is needed'
	refused 2 USAGE /frame /more --size 1
	assert_stderr '/more: one operand too many'
	refused 2 USAGE /frame --unique /more --size 1
	refused 2 USAGE --unique more --size 1
	refused 2 USAGE --unique /sem.x --size 1
	run --separate-stderr shmtool creaet /frame
	assert_status 2
	assert_stderr 'creaet: unknown verb, did you mean create\?'
	assert_equal "$(shmtool list --plain)" ""
}

@test "bad values" {
	for value in '' 0 -1 5x 0x 99999999999999999999 10E; do
		refused 2 USAGE /frame --size "$value"
		json '.error.object == "--size"'
	done
	for mode in '' 8 rw u=y 01000; do
		refused 2 USAGE /frame --size 1 --mode "$mode"
		json '.error.object == "--mode"'
	done
	for byte in '' 256 -1 x; do
		refused 2 USAGE /frame --size 1 --fill "$byte"
		json '.error.object == "--fill"'
	done
	assert_equal "$(shmtool list --plain)" ""
}

# ---- formats ----

@test "formats and columns" {
	assert_equal "$(shmtool create /frame --size 4K --plain)" '/frame	posix	-	4096	true'
	assert_equal "$(shmtool create key:77 -s 4K --plain -o created,size,object)" 'true	4096	key:77'
	assert_equal "$(IPCKIT_FORMAT=plain shmtool create /frame -s 4K -o size,created)" '4096	false'
	run shmtool create /frame -s 4K --json -o created,object
	assert_output '{"created":false,"object":"/frame"}'
	run shmtool create /frame -s 4K --table
	assert_match $'object +/frame\nbackend +posix\nsize +4K\ncreated +no'
	run shmtool create --columns help
	assert_status 0
	assert_match 'size +bytes'
	run shmtool create /quiet -q -s 1
	assert_status 0
	assert_output ""
	run --separate-stderr shmtool create /frame -s 4K -o colour
	assert_status 2
	[[ -e /dev/shm/quiet ]]
}

@test "a refusal without JSON leaves standard output empty" {
	shmtool create -q /frame --size 1
	for format in --quiet --plain --table; do
		run --separate-stderr shmtool create -x "$format" /frame --size 1
		assert_status 4
		assert_output ""
		assert_equal "$stderr" "shmtool create: /frame: already exists"
	done
}
