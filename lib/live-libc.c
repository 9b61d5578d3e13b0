/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live-layout.h"
#include "array.h"
#include "proc-scan.h"
#include "sys.h"

#include <elf.h>
#include <string.h>

/*
 * The versions of glibc that have the layouts of live-glibc.c. Locks are laid out by initialisers that are compiled
 * into programs, and so stay as they are; those of today came with 2.25.
 */
#define GLIBC_FIRST 25
#define GLIBC_LAST  42

#define ENTRIES_MAX 512 /* of tables, which may be damaged */

/* An ELF object in the memory of a process. */
struct object {
	struct live_scan *scan;
	uint32_t process;
	bool wide;
	uint64_t base;
	uint64_t strings, versions; /* 0: none */
	uint64_t nversions;
};

static int read_at(const struct object *object, uint64_t address, void *data, size_t size)
{
	return live_read(object->scan, object->process, address, data, size);
}

/* ---- the tables of an object ---- */

struct segment {
	uint32_t type;
	uint64_t address, size;
};

static int read_segment(const struct object *object, uint64_t at, struct segment *out)
{
	Elf64_Phdr wide;
	Elf32_Phdr narrow;
	int r;

	if (object->wide) {
		r = read_at(object, at, &wide, sizeof(wide));
		*out = (struct segment){ wide.p_type, wide.p_vaddr, wide.p_memsz };
		return r;
	}
	r = read_at(object, at, &narrow, sizeof(narrow));
	*out = (struct segment){ narrow.p_type, narrow.p_vaddr, narrow.p_memsz };
	return r;
}

/* Some entries are addresses by now, others still distances. */
static uint64_t place(const struct object *object, uint64_t value)
{
	return value < object->base ? object->base + value : value;
}

static int read_entry(const struct object *object, uint64_t at, int64_t *tag, uint64_t *value)
{
	Elf64_Dyn wide = { 0 };
	Elf32_Dyn narrow = { 0 };
	int r = object->wide ? read_at(object, at, &wide, sizeof(wide)) :
			       read_at(object, at, &narrow, sizeof(narrow));

	*tag = object->wide ? wide.d_tag : narrow.d_tag;
	*value = object->wide ? wide.d_un.d_val : narrow.d_un.d_val;
	return r;
}

static int read_dynamic(struct object *object, const struct segment *segment)
{
	size_t size = object->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	uint64_t at = object->base + segment->address, value;
	int64_t tag;

	for (unsigned i = 0; i < ENTRIES_MAX && i < segment->size / size; i++) {
		int r = read_entry(object, at + i * size, &tag, &value);

		if (r)
			return r;
		if (tag == DT_NULL)
			break;
		if (tag == DT_STRTAB)
			object->strings = place(object, value);
		else if (tag == DT_VERDEF)
			object->versions = place(object, value);
		else if (tag == DT_VERDEFNUM)
			object->nversions = value;
	}
	return object->strings && object->versions ? 0 : -EBADMSG;
}

static int read_header(struct object *object, uint64_t *table, unsigned *count)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} header;
	int r = read_at(object, object->base, &header, sizeof(header));

	if (r)
		return r;
	if (memcmp(header.ident, ELFMAG, SELFMAG))
		return -EBADMSG;
	object->wide = header.ident[EI_CLASS] == ELFCLASS64;
	*table = object->base + (object->wide ? header.wide.e_phoff : header.narrow.e_phoff);
	*count = object->wide ? header.wide.e_phnum : header.narrow.e_phnum;
	return 0;
}

static int read_object(struct object *object)
{
	struct segment segment;
	uint64_t table = 0;
	unsigned count = 0;
	int r = read_header(object, &table, &count);
	size_t size = object->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	for (unsigned i = 0; !r && i < count && i < ENTRIES_MAX; i++) {
		r = read_segment(object, table + i * size, &segment);
		if (!r && segment.type == PT_DYNAMIC)
			return read_dynamic(object, &segment);
	}
	return r ? r : -EBADMSG;
}

/* ---- the version ---- */

/* "GLIBC_2.36": 36; 0: another name. */
static unsigned parse_version(const char *name)
{
	static const char before[] = "GLIBC_2.";
	uint64_t n;

	if (strncmp(name, before, sizeof(before) - 1))
		return 0;
	name += sizeof(before) - 1;
	return scan_below(&name, 10, 10000, &n) && (!*name || *name == '.') ? (unsigned)n : 0;
}

static int read_version(const struct object *object, const Elf64_Verdef *entry, uint64_t at, unsigned *out)
{
	char name[24] = "";
	Elf64_Verdaux first;
	int r = read_at(object, at + entry->vd_aux, &first, sizeof(first));

	if (!r)
		r = read_at(object, object->strings + first.vda_name, name, sizeof(name) - 1);
	*out = parse_version(name);
	return r;
}

/* The last one of which it has symbols. Entries are the same for both sizes of words. */
static int last_version(const struct object *object, unsigned *out)
{
	uint64_t at = object->versions;
	Elf64_Verdef entry = { .vd_next = 0 };
	unsigned version;
	int r = 0;

	*out = 0;
	for (unsigned i = 0; !r && i < object->nversions && i < ENTRIES_MAX; i++) {
		r = read_at(object, at, &entry, sizeof(entry));
		if (!r)
			r = read_version(object, &entry, at, &version);
		if (!r && version > *out)
			*out = version;
		if (r || !entry.vd_next)
			break;
		at += entry.vd_next;
	}
	return r;
}

static int judge_glibc(struct live_futexes *futexes, uint32_t process, const struct live_map *map,
		       enum live_libc *out)
{
	struct object object = { .scan = futexes->scan, .process = process, .base = map->start };
	unsigned version;
	int r = read_object(&object);

	if (!r)
		r = last_version(&object, &version);
	if (!r && version >= GLIBC_FIRST && version <= GLIBC_LAST)
		*out = LIVE_LIBC_GLIBC;
	return r;
}

/* ---- whose mapping it is ---- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* "libc.so.6 (deleted)" is one that was replaced by a newer one. */
static bool is_called(const char *name, const char *called)
{
	return begins(name, called) && (!name[strlen(called)] || name[strlen(called)] == ' ');
}

static enum live_libc guess(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (begins(name, "ld-musl-") || begins(name, "libc.musl-") ||
	    (is_called(name, "libc.so") && strstr(path, "musl")))
		return LIVE_LIBC_MUSL;
	return is_called(name, "libc.so.6") || begins(name, "libc-2.") ? LIVE_LIBC_GLIBC : LIVE_LIBC_UNKNOWN;
}

static int judge(struct live_futexes *futexes, uint32_t process, const struct live_map *map, enum live_libc *out)
{
	struct live_libc_file *larger;
	int r = 0;

	for (size_t i = 0; i < futexes->nlibcs; i++) {
		if (live_file_is(&futexes->libcs[i].file, &map->file)) {
			*out = futexes->libcs[i].libc;
			return 0;
		}
	}
	*out = LIVE_LIBC_UNKNOWN;
	if (guess(live_maps_path(&futexes->maps, map)) == LIVE_LIBC_MUSL)
		*out = LIVE_LIBC_MUSL;
	else
		r = judge_glibc(futexes, process, map, out);
	/* Of another process it may be readable. */
	if (r)
		return sys_own_trouble(r);
	larger = array_room(futexes->libcs, futexes->nlibcs, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	futexes->libcs = larger;
	larger[futexes->nlibcs++] = (struct live_libc_file){ map->file, *out };
	return 0;
}

static int find_libc(struct live_futexes *futexes, uint32_t process, enum live_libc *out)
{
	struct live_maps *maps = &futexes->maps;
	int r = live_maps_read(maps, process);

	*out = LIVE_LIBC_UNKNOWN;
	for (size_t i = 0; !r && i < maps->count; i++) {
		const struct live_map *map = &maps->list[i];

		if (!map->offset && map->file.inode && !map->shared &&
		    guess(live_maps_path(maps, map)) != LIVE_LIBC_UNKNOWN)
			return judge(futexes, process, map, out);
	}
	return r;
}

int live_libc_of(struct live_futexes *futexes, uint32_t process, enum live_libc *out)
{
	int r = 0;

	if (futexes->libc_process != process)
		r = find_libc(futexes, process, &futexes->libc);
	futexes->libc_process = r ? IPCKIT_NONE : process;
	*out = futexes->libc;
	return r;
}
