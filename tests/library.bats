# SPDX-License-Identifier: GPL-2.0-or-later
# libipckit as others see it: headers, exported symbols, what it links.

load helpers

cc=${CC:-cc}

declared()
{
	local header
	for header in "$IPCKIT_SRC"/include/ipckit/*.h; do
		echo "#include <ipckit/${header##*/}>"
	done | $cc -E -P -I "$IPCKIT_SRC/include" - | grep -v '^static inline' |
		grep -oE '\<ipckit_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u
}

listed()
{
	grep -oE '^[[:space:]]*ipckit_[a-z0-9_]+;' "$IPCKIT_SRC/lib/libipckit.sym" | tr -d '\t ;'
}

shared_library()
{
	library=$IPCKIT_BUILD/.libs/libipckit.so
	[[ -e $library ]] || skip "no shared library in this build"
}

@test "every public header compiles by itself" {
	for header in "$IPCKIT_SRC"/include/ipckit/*.h; do
		echo "#include <ipckit/${header##*/}>" |
			$cc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I "$IPCKIT_SRC/include" -x c -
	done
}

@test "the version script lists what the headers declare" {
	run diff <(declared) <(listed)
	assert_output ""
}

@test "the shared library exports what the version script lists" {
	shared_library
	run diff <(listed) <(nm -D --defined-only "$library" | sed -n 's/.* T \(.*\)@@IPCKIT_0$/\1/p' | sort)
	assert_output ""
}

@test "the shared library exports nothing else and needs libc alone" {
	shared_library
	run sh -c "nm -D --defined-only '$library' | grep -v ' [TA] .*IPCKIT_0'"
	assert_output ""
	[[ ! $(nm -D "$library") =~ __asan_init ]] || skip "a sanitizer's library is linked"
	run sh -c "readelf -d '$library' | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'"
	assert_output "libc.so.6"
}

@test "the tools do not load libipckit, popt, jansson or libsmartcols to start" {
	local tool
	for tool in semctl-cli mqtool deadlock-check; do
		run sh -c "readelf -d '$IPCKIT_BUILD/$tool' | grep NEEDED"
		assert_status 0
		[[ $output != *libipckit* && $output != *smartcols* ]] || fail "$tool: $output"
		[[ -e $(cc -print-file-name=libpopt.a) ]] || skip "no static popt here"
		[[ $output != *popt* && $output != *jansson* ]] || fail "$tool: $output"
	done
}

@test "a program built against the shared library runs" {
	shared_library
	cat >"$TMPDIR/p.c" <<-'END'
		#include <ipckit/parse.h>
		int main(void)
		{
			int64_t ns;
			return ipckit_parse_duration("1.5s", &ns) || ns != 1500000000;
		}
	END
	[[ ! $(nm -D "$library") =~ __asan_init ]] || skip "a sanitizer's library is linked"
	$cc -I "$IPCKIT_SRC/include" -o "$TMPDIR/p" "$TMPDIR/p.c" "$library"
	LD_LIBRARY_PATH=$IPCKIT_BUILD/.libs run "$TMPDIR/p"
	assert_status 0
}
