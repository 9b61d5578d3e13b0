# SPDX-License-Identifier: GPL-2.0-or-later
# semctl-cli values: reads or sets all values of a set.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load backends

@test "values prints all values of a set" {
	semctl-cli create -q key:7 --values 4,0,32767
	id=$(semctl-cli info key:7 --json | jq .id)
	for object in key:7 "id:$id" 'key:7#1'; do
		run --separate-stderr semctl-cli values "$object"
		assert_status 0
		assert_equal "$stderr" ""
		assert_equal "${#lines[@]}" 1
		json '. == {values: [{index: 0, value: 4}, {index: 1, value: 0}, {index: 2, value: 32767}]}'
	done
	run semctl-cli values key:7 --plain
	assert_output $'0\t4\n1\t0\n2\t32767'
	run semctl-cli values key:7 --plain --columns value
	assert_output $'4\n0\n32767'
	run semctl-cli values key:7 --table
	assert_equal "$(tr -s ' ' <<<"${lines[0]# }" | sed 's/^ //')" "INDEX VALUE"
	assert_equal "${#lines[@]}" 4
	run semctl-cli values key:7 --quiet
	assert_output ""
}

@test "values agrees with ipcs" {
	semctl-cli create -q key:7 --values 4,0,9
	run ipcs -s -i "$(semctl-cli info key:7 --json | jq .id)"
	assert_match $'\n0 +4 .*\n1 +0 .*\n2 +9 '
}

@test "values of other kinds of semaphore: one" {
	create_each 6
	for object in "${objects[@]}"; do
		[[ $(backend_of "$object") != sysv ]] || continue
		run semctl-cli values "$object"
		assert_status 0
		json '. == {values: [{index: 0, value: 6}]}'
		run --separate-stderr semctl-cli values "$object" set 2
		if [[ $object == fd:* ]]; then
			assert_status 8
			assert_stderr 'not supported by eventfd semaphores$'
			assert_value "$object" 6
		else
			assert_status 0
			assert_value "$object" 2
		fi
	done
}

@test "values set sets all at once, and says nothing" {
	semctl-cli create -q key:7 --values 1,2,3
	run --separate-stderr semctl-cli values key:7 set 4,0x10,010
	assert_status 0
	assert_equal "$output$stderr" ""
	run semctl-cli values key:7 --plain
	assert_output $'0\t4\n1\t16\n2\t8'
	run semctl-cli values key:7 set 32767,0,1 --json
	assert_status 0
	json '. == {values: [{index: 0, value: 32767}, {index: 1, value: 0}, {index: 2, value: 1}]}'
	IPCKIT_FORMAT=plain run semctl-cli values key:7 set 1,1,1
	assert_output ""
}

@test "values set is one step: nobody sees a mixture" {
	semctl-cli create -q key:7 --values 0,0,0,0
	start bash -c 'for ((last = 0; !last;)); do
		[[ ! -e $TMPDIR/enough ]] || last=1
		semctl-cli values key:7 --plain --columns value | sort -u | wc -l
	done | sort -u'
	reader=$pid
	for n in {1..60}; do
		semctl-cli values key:7 set "$n,$n,$n,$n"
	done
	: >"$TMPDIR/enough"
	finish "$reader"
	rm "$TMPDIR/enough"
	assert_output 1
}

@test "values set wakes waiters" {
	semctl-cli create -q key:7 --values 0,0
	start_waiter op key:7 0:-1 1:-2
	semctl-cli values key:7 set 2,2
	finish "$pid"
	assert_status 0
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t0'
}

@test "values set refuses what is not one value for each semaphore" {
	semctl-cli create -q key:7 --values 1,2,3
	for list in 1,2 1,2,3,4 1; do
		run --separate-stderr semctl-cli values key:7 set "$list" --json
		assert_status 2
		assert_stderr '^semctl-cli values: key:7: [0-9] values? given for 3 semaphores$'
		json '.error.code == "USAGE" and .error.exit == 2'
	done
	for list in '' 1,,3 '1,2,' ',1,2' 1,2,x 1,2,-1 1,2,99999999999999999999 '1, 2,3'; do
		run --separate-stderr semctl-cli values key:7 set "$list"
		assert_status 2
		assert_stderr '^semctl-cli values: A,B,\.\.\.: "'
		assert_output ""
	done
	for words in "key:7 set" "key:7 sat 1,2,3" "key:7 get" "key:7 set 1,2,3 4" "" "key:7 -- true" "jobs" "key:0" \
		"key:7 --columns bogus"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr semctl-cli values $words
		assert_status 2
		assert_stderr '^semctl-cli values: '
	done
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t2\n2\t3'
}

@test "values set refuses what is beyond the largest value: status 6" {
	semctl-cli create -q key:7 --values 1,2
	run --separate-stderr semctl-cli values key:7 set "5,$((semvmx + 1))" --json
	assert_status 6
	assert_stderr "^semctl-cli values: key:7: .*SEMVMX is $semvmx permits$"
	json '.error.code == "EOVERFLOW" and .error.limit.name == "SEMVMX" and .error.limit.value == 32767'
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t2'
}

@test "values set: refused while somebody waits for a POSIX semaphore" {
	semctl-cli create -q /jobs
	start_waiter wait /jobs --timeout 30s
	run --separate-stderr semctl-cli values /jobs set 4
	assert_status 1
	assert_stderr '^semctl-cli values: /jobs: '
	assert_value /jobs 0
}

@test "values: no such object, no permission, no semaphore, no room to write" {
	for object in /none key:99 id:99; do
		run --separate-stderr semctl-cli values "$object"
		assert_status 3
		assert_equal "$stderr" "semctl-cli values: $object: no such object"
		json '.error.code == "ENOENT"'
	done
	semctl-cli create -q key:7 --values 1,2 --mode 0400
	run as_unprivileged semctl-cli values key:7 --plain
	assert_status 0
	run --separate-stderr as_unprivileged semctl-cli values key:7 set 3,4
	assert_status 5
	assert_equal "$stderr" "semctl-cli values: key:7: permission denied"
	semctl-cli create -q key:8 --mode 0
	run --separate-stderr as_unprivileged semctl-cli values key:8
	assert_status 5
	json '.error.code == "EACCES"'
	: >/dev/shm/sem.empty
	run semctl-cli values /empty
	assert_status 7
	run --separate-stderr bash -c 'semctl-cli values key:7 >/dev/full'
	assert_status 8
	assert_stderr 'standard output: no space left'
	run semctl-cli values key:7 --plain
	assert_output $'0\t1\n1\t2'
}
