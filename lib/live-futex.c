/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hold-word.h"
#include "live-layout.h"
#include "live-open.h"
#include "sys.h"
#include "users-walk.h"

#include <ipckit/hold.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TID_MASK 0x3fffffffu
#define WAITERS  0x80000000u
#define DIED     0x40000000u

#define SIZES 3u /* of words of futex_waitv(2): bits of their flags */

static const char semaphores[] = "/dev/shm/sem.";

/* An edge that is to be made. A call that waits for several words makes all of them or none. */
struct plan {
	struct live_how how;
	enum live_who who;
	uint32_t owner;
	bool own, named;
	bool guarded; /* those who have it may be known */
	struct live_file file;
};

static int read_memory(const struct live_word *word, uint64_t address, void *data, size_t size)
{
	int r = live_read(word->futexes->scan, word->process, address, data, size);

	if (r)
		return sys_own_trouble(r);
	return 1;
}

int live_word_read(struct live_word *word, uint64_t address, void *data, size_t size)
{
	uint64_t offset = address - word->call.address;

	if (offset > word->size || size > word->size - offset)
		return read_memory(word, address, data, size);
	memcpy(data, word->near + offset, size);
	return 1;
}

int live_word_libc(struct live_word *word, enum live_libc *out)
{
	int r = live_libc_of(word->futexes, word->process, out);

	return r ? r : 1;
}

int live_try_rules(const live_rule *rules, struct live_word *word, struct live_verdict *verdict)
{
	int r = 0;

	for (; !r && *rules; rules++) {
		*verdict = (struct live_verdict){ .object = word->call.address };
		r = (*rules)(word, verdict);
	}
	return r;
}

/* ---- rules for words of any library ---- */

/* The kernel itself sees to it that the owner is in the word. */
static int rule_pi(struct live_word *word, struct live_verdict *verdict)
{
	int r;

	if (!(word->value & WAITERS) || word->value & DIED)
		return 0;
	verdict->kind = IPCKIT_LIVE_PI_MUTEX;
	r = live_word_owner(word, word->value & TID_MASK, verdict);
	/* It does not wait for an owner that is gone. */
	if (r > 0 && verdict->who != LIVE_WHO_OWNER)
		return 0;
	return r;
}

/* A robust mutex that is nothing but its word, as this library has it: whose waiters look again after a time. */
static int rule_bare(struct live_word *word, struct live_verdict *verdict)
{
	int r;

	if (word->own || !word->call.bitset.known || !word->call.timed)
		return 0;
	if (!(word->value & WAITERS) || word->value & DIED)
		return 0;
	verdict->kind = IPCKIT_LIVE_ROBUST_MUTEX;
	r = live_word_owner(word, word->value & TID_MASK, verdict);
	if (r > 0 && verdict->who != LIVE_WHO_OWNER)
		return 0;
	return r;
}

static int rule_any(struct live_word *word, struct live_verdict *verdict)
{
	(void)word;
	verdict->kind = IPCKIT_LIVE_FUTEX;
	return 1;
}

/* The layouts are those of x86. */
static int rule_library(struct live_word *word, struct live_verdict *verdict)
{
#if defined(__x86_64__) || defined(__i386__)
	enum live_libc libc;
	int r = live_glibc_judge(word, verdict);

	if (r)
		return r;
	r = live_word_libc(word, &libc);
	if (r < 0 || libc != LIVE_LIBC_MUSL)
		return r < 0 ? r : 0;
	return live_musl_judge(word, verdict);
#else
	(void)word;
	(void)verdict;
	return 0;
#endif
}

static int judge(struct live_word *word, struct live_verdict *verdict)
{
	static const live_rule pi[] = { rule_pi, NULL }, moved[] = { rule_any, NULL },
			       all[] = { rule_library, rule_bare, rule_any, NULL };

	return live_try_rules(word->call.pi ? pi : word->call.requeue.known ? moved : all, word, verdict);
}

/* ---- words ---- */

/* Whether threads of other processes can wake it. 0: that cannot be told. */
static int find_place(struct live_word *word)
{
	const struct live_map *map;
	int r;

	word->own = word->call.private;
	if (word->own)
		return 1;
	r = live_maps_find(&word->futexes->maps, word->process, word->call.address, &map);
	if (r || !map)
		return r;
	word->own = !map->shared && !map->file.sysv;
	word->map = *map;
	/* What nobody can write is a page of the file, and wakes may come from all who map that. */
	return !word->own || map->writable || !map->file.inode;
}

/* Who waits for less than a time is not stuck: it may be what the thread does at its leisure. */
static bool is_pause(const struct live_word *word, const struct live_verdict *verdict)
{
	if (!word->limit || verdict->who != LIVE_WHO_SET)
		return false;
	return verdict->kind == IPCKIT_LIVE_FUTEX || verdict->kind == IPCKIT_LIVE_CONDITION ||
	       (word->own && verdict->kind == IPCKIT_LIVE_SEMAPHORE);
}

static bool is_named_semaphore(const struct live_verdict *verdict, const struct live_words_file *file,
			       uint64_t offset)
{
	return file->named && !offset && verdict->kind == IPCKIT_LIVE_SEMAPHORE &&
	       !strncmp(file->name, semaphores, sizeof(semaphores) - 1);
}

static const char *shared_text(struct live_word *word, const struct live_verdict *verdict,
			       const struct live_words_file *file)
{
	uint64_t offset = word->map.offset + (verdict->object - word->map.start);

	if (is_named_semaphore(verdict, file, offset))
		return live_text(word->futexes->scan, "semaphore /%s", file->name + sizeof(semaphores) - 1);
	return live_text(word->futexes->scan, "%s@%llu", file->name, (unsigned long long)offset);
}

static const char *own_text(struct live_word *word, const struct live_verdict *verdict)
{
	struct live_scan *scan = word->futexes->scan;

	if (verdict->kind == IPCKIT_LIVE_JOIN)
		return live_text(scan, "thread %d", (int)scan->threads[verdict->owner].tid);
	return live_text(scan, "%s 0x%llx", live_kind_what(verdict->kind), (unsigned long long)verdict->object);
}

static int make_plan(struct live_word *word, const struct live_verdict *verdict, struct plan *plan)
{
	struct live_words_file *file = NULL;
	int r = word->own ? 0 : live_words_file(word, &file);
	bool set = verdict->who == LIVE_WHO_SET;

	if (r)
		return r;
	*plan = (struct plan){
		.how = {
			.kind = verdict->kind,
			.mode = verdict->mode,
			.resource = file ? shared_text(word, verdict, file) : own_text(word, verdict),
			.any = set,
			.deaf = set ? 0 : LIVE_DEAF_TO_ALL,
			.open = set && file && file->named,
			.level = word->limit ? IPCKIT_LIVE_TIMED : IPCKIT_LIVE_CERTAIN,
			.reason = "the wait has a limit",
		},
		.who = verdict->who,
		.owner = verdict->owner,
		.own = word->own,
		.named = file && file->named,
		.guarded = file && file->named && verdict->kind == IPCKIT_LIVE_SEMAPHORE,
		.file = word->map.file,
	};
	return plan->how.resource ? 1 : -ENOMEM;
}

/* The word, and what is around it where that is there. */
static int read_word(struct live_word *word)
{
	int r;

	word->size = sizeof(word->near);
	r = read_memory(word, word->call.address, word->near, word->size);
	if (!r) {
		word->size = sizeof(word->value);
		r = read_memory(word, word->call.address, word->near, word->size);
	}
	memcpy(&word->value, word->near, sizeof(word->value));
	return r;
}

/* 1: a plan; 0: the thread goes on, or nothing is known. */
static int plan_word(struct live_word *word, struct plan *plan)
{
	struct live_verdict verdict;
	int r = read_word(word);

	if (r <= 0 || (word->call.expected.known && word->call.expected.value != word->value))
		return r < 0 ? r : 0;
	r = find_place(word);
	if (r > 0)
		r = judge(word, &verdict);
	if (r <= 0 || is_pause(word, &verdict))
		return r < 0 ? r : 0;
	return make_plan(word, &verdict, plan);
}

/* ---- edges ---- */

/* A file without a name can still be mapped by who has it open. */
static int hold_by_descriptors(struct live_scan *scan, const struct live_file *file)
{
	const struct live_end of = { .class = LIVE_FILE, .device = file->device, .inode = file->inode }, *ends;
	size_t count;
	int r = live_open_find(scan, &of, &ends, &count);

	for (size_t i = 0; !r && i < count; i++)
		if (ends[i].process != IPCKIT_NONE)
			r = live_held_by_process(scan, ends[i].process);
	return r;
}

/* Whether a process that maps a semaphore looks after a permit of it for a job, see <ipckit/hold.h>. */
static int is_guardian(struct live_scan *scan, uint32_t process, const struct live_file *file, bool *out)
{
	int dirfd = live_directory(scan, process), r = dirfd < 0 ? dirfd : 0;
	struct ipckit_hold hold;
	const char *record = NULL;
	char *command = NULL, identity[HOLD_WORD_ROOM];

	*out = false;
	if (!r)
		r = proc_command(dirfd, &command);
	if (!r && command)
		record = guardian_record(command);
	if (record && !ipckit_hold_parse(record, &hold) && hold.holding) {
		hold_word(identity, sizeof(identity), file->device, file->inode, 0);
		*out = ipckit_hold_is_at(&hold, identity);
	}
	free(command);
	return sys_own_trouble(r);
}

static int hold_by_mapper(struct live_scan *scan, uint32_t process, const struct plan *plan)
{
	bool owns = false;
	int r = plan->guarded ? is_guardian(scan, process, &plan->file, &owns) : 0;

	if (r)
		return r;
	return owns ? live_owned_by_process(scan, process) : live_held_by_process(scan, process);
}

static int hold_by_mappers(struct live_futexes *futexes, uint32_t thread, const struct plan *plan)
{
	struct live_scan *scan = futexes->scan;
	const struct live_mapper *mappers;
	size_t count;
	int r = live_maps_who(&futexes->maps, &plan->file, &mappers, &count);

	/* It has it mapped, whatever has become of its maps: a set is never empty. */
	if (!r)
		r = live_held_by_process(scan, scan->threads[thread].process);
	for (size_t i = 0; !r && i < count; i++)
		r = hold_by_mapper(scan, mappers[i].process, plan);
	if (r || plan->named)
		return r;
	r = hold_by_descriptors(scan, &plan->file);
	if (!r)
		r = live_open_is_partial(scan);
	if (r > 0)
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "processes that are not seen may share it");
	return r < 0 ? r : 0;
}

static int add_edge(struct live_futexes *futexes, uint32_t thread, const struct plan *plan)
{
	struct live_scan *scan = futexes->scan;
	int r = live_wait(scan, thread, &plan->how);

	if (r)
		return r;
	if (plan->who == LIVE_WHO_OWNER)
		return live_held_by_thread(scan, plan->owner);
	if (plan->who == LIVE_WHO_SET && plan->own)
		return live_held_by_process(scan, scan->threads[thread].process);
	if (plan->who == LIVE_WHO_SET)
		return hold_by_mappers(futexes, thread, plan);
	if (!plan->own && live_is_partial(scan))
		live_weaken(scan, IPCKIT_LIVE_INFERRED, "its owner may be one that is not seen");
	return 0;
}

/* ---- calls ---- */

static int plan_words(struct live_word *word, struct plan *plans)
{
	struct futex_waitv words[FUTEX_WAITV_MAX];
	unsigned count = word->call.words;
	int r = read_memory(word, word->call.address, words, count * sizeof(*words));

	for (unsigned i = 0; r > 0 && i < count; i++) {
		if ((words[i].flags & SIZES) != FUTEX_32)
			return 0;
		futex_call_word(&words[i], &word->call);
		r = plan_word(word, &plans[i]);
	}
	return r > 0 ? (int)count : r;
}

static int add_plans(struct live_word *word)
{
	struct plan plans[FUTEX_WAITV_MAX];
	int count = word->call.words ? plan_words(word, plans) : plan_word(word, plans), r = 0;

	for (int i = 0; i < count && !r; i++)
		r = add_edge(word->futexes, word->thread, &plans[i]);
	return count < 0 ? count : r;
}

/* A wait with a time limit that was stopped and continued looks like other calls: the kernel's function tells. */
static int is_futex(const struct live_scan *scan, const struct live_thread *thread)
{
	char path[LIVE_PATH_ROOM], name[128];
	int r;

	live_path(path, scan->processes[thread->process].pid, thread->tid, "wchan");
	r = (int)proc_read_into(scan->root, path, name, sizeof(name));
	if (r < 0)
		return sys_own_trouble(r);
	return futex_call_judge(name) > 0;
}

/* The call as it is numbered here; 0: none that waits for words. */
static int read_call(struct live_scan *scan, uint32_t index, struct futex_call *out)
{
	const struct live_thread *thread = &scan->threads[index];
	struct proc_syscall call = thread->call;
	enum live_call name;
	int r = live_call(scan, index, &name);

	if (r)
		return r;
	if (name == LIVE_CALL_FUTEX)
		call.number = 422;
	else if (name != LIVE_CALL_FUTEX_WAITV && name != LIVE_CALL_FUTEX_WAIT && name != LIVE_CALL_RESTARTED)
		return 0;
	if (name == LIVE_CALL_RESTARTED)
		call.number = SYS_restart_syscall;
	if (!futex_call_read(&call, out))
		return 0;
	return out->restarted ? is_futex(scan, thread) : 1;
}

/* This library's locks look again from time to time, and say so where the kernel does not look. */
static bool has_limit(const struct live_thread *thread, const struct futex_call *call)
{
	return call->timed && !(call->bitset.known && !call->words && !call->private &&
				thread->call.args[4] == call->address);
}

static int collect(struct live_futexes *futexes, uint32_t index)
{
	struct live_scan *scan = futexes->scan;
	const struct live_thread *thread = &scan->threads[index];
	struct live_word word = { .futexes = futexes, .thread = index, .process = thread->process };
	int r = read_call(scan, index, &word.call);

	if (r <= 0)
		return r;
	word.limit = has_limit(thread, &word.call);
	word.wide = (sizeof(void *) == 8) == (scan->processes[thread->process].abi == LIVE_ABI_NATIVE);
	return add_plans(&word);
}

int live_collect_futex(struct live_scan *scan)
{
	struct live_futexes futexes = {
		.scan = scan,
		.libc_process = IPCKIT_NONE,
		.names_process = IPCKIT_NONE,
		.gone_process = IPCKIT_NONE,
	};
	int r = 0;

	live_maps_begin(scan, &futexes.maps);
	for (uint32_t t = 0; !r && t < scan->nthreads; t++)
		r = collect(&futexes, t);
	live_maps_end(&futexes.maps);
	free(futexes.files);
	free(futexes.libcs);
	return r;
}
